#ifndef DALIL_NODE_STORE_JOURNAL_H
#define DALIL_NODE_STORE_JOURNAL_H

#include "node/store/files.h"
#include "node/store/journal_frame.h"

/*
 * Purpose: the journal's files: reading one frame, walking all, and writing at the end
 * (docs/store.md "Journal").
 *
 * Threads: reading from any.  A writer belongs to the thread that holds the store's write lock.
 */

#define JOURNAL_FILE_MAX ((uint32_t)1 << 30) /* a file is left for the next one at this size */

/* Read the frame at ${at}, its part bytes apart, into ${bytes} (cleared first), check and decode it. */
int journal_read(struct files *files, struct journal_frame *frame, struct buffer *bytes,
    struct journal_at at, struct err *err);
/* The bytes of one part of that frame into ${bytes}, checked against its digest. */
int journal_read_part(struct files *files, struct buffer *bytes, const struct journal_frame *frame,
    const struct journal_part *part, struct err *err);

/* ---- walking ---- */

struct journal_walk {
	struct files *files;
	struct journal_at at; /* of the next frame */
	uint64_t sequence;    /* of the last frame; the next one has one more */
	bool check_parts;     /* read parts and compare their digests too */
	struct buffer bytes;  /* of the frame given last */
};

void journal_walk_init(
    struct journal_walk *walk, struct files *files, struct journal_at at, uint64_t sequence);
void journal_walk_fini(struct journal_walk *walk);
/*
 * The next frame; it lives until the next call.  ERR_NOT_FOUND without a text: the end.
 * ERR_DAMAGED: what is there is no whole frame of the right sequence; walk->at stays.
 */
int journal_walk_next(struct journal_walk *walk, struct journal_frame *frame, struct err *err);
/* After ERR_DAMAGED: go to the next whole frame, wherever it is.  ERR_NOT_FOUND without a text: there is
 * none. */
int journal_walk_skip(struct journal_walk *walk, struct err *err);

/* Bytes of the journal before this place, for progress. */
uint64_t journal_bytes(struct files *files, struct journal_at until);

/* ---- writing ---- */

struct journal_writer {
	struct files *files;
	uint32_t file_max;
	struct journal_at start; /* where the batch began */
	struct journal_at at;    /* where the next frame goes */
	uint64_t sequence;       /* of the last frame */
	bool unsynced;           /* the file at.file has bytes that were not synced */
	struct buffer pending;   /* bytes that go before at */
};

void journal_writer_init(struct journal_writer *writer, struct files *files, struct journal_at at,
    uint64_t sequence, uint32_t file_max);
void journal_writer_fini(struct journal_writer *writer);
/* Part bytes (${tail}) follow the covered ones. *at is where the frame stands. */
int
journal_writer_append(struct journal_writer *writer, struct journal_at *at, enum journal_kind kind,
    struct view covered, const struct view *tail, size_t tail_count, struct err *err);
/* Hand the bytes to the file, so that they can be read. */
int journal_writer_flush(struct journal_writer *writer, struct err *err);
int journal_writer_sync(struct journal_writer *writer, struct err *err);
/* Take back everything since the start. */
int journal_writer_undo(struct journal_writer *writer, struct err *err);

/*
 * Cut the journal at ${at}, where a crash left a torn frame.  Where there is more than the beginning of
 * one frame, it may be rot or power loss rather than a tear: the bytes are kept beside, in
 * journal/NNNNNNNN.jrn.OFFSET.torn.  Call it only under the write lock.  ERR_DAMAGED if a
 * further file has frames: the tear is none.
 */
int journal_cut(struct files *files, struct journal_at at, uint64_t sequence, struct err *err);

#endif
