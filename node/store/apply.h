#ifndef DALIL_NODE_STORE_APPLY_H
#define DALIL_NODE_STORE_APPLY_H

#include "node/store/journal.h"
#include "node/store/pending.h"

/*
 * Purpose: what a frame of the journal means for the index: one place for writing, for rolling forward
 * after a crash, and for reindex, so that the three cannot differ.
 *
 * Rebuilding (reindex) goes on where a damaged frame left a gap: an entry that is lost alone
 * keeps its id, from the frame after it; more than that breaks the log's tree, and the log takes no
 * more entries until they are back.
 *
 * Threads: one.
 */

struct apply_log {
	uint32_t number;
	bool dirty;
	struct index_log row;
	uint64_t counted; /* of its size, in meta's sum */
	struct tree tree; /* not to be used where row.broken */
};

struct apply_segment {
	uint32_t number;
	uint64_t end;
};

struct apply {
	struct files *journal;
	struct index_txn *txn;
	bool rebuild;
	struct index_meta meta;
	struct pending pending;
	struct apply_log **logs; /* those that were touched */
	size_t log_count;
	struct apply_segment *segments; /* those that have grown */
	size_t segment_count;
	struct buffer bytes; /* for frames that have to be looked up */
};

void apply_init(struct apply *apply, struct files *journal, bool rebuild);
void apply_fini(struct apply *apply);
/* Work in this transaction from now on; reads meta from it. */
int apply_start(struct apply *apply, struct index_txn *txn, struct err *err);
/* Write all that is pending, meta with it, so that the transaction can be read or committed. */
int apply_flush(struct apply *apply, struct err *err);
/* Forget what was read from the transaction, before it ends. */
void apply_forget(struct apply *apply);

/* The state of a log, loaded and checked against the journal's last entry of it. */
int apply_log(struct apply *apply, uint32_t number, struct apply_log **log, struct err *err);
/* Append the record's id to its log's tree. ${root} is the root with it, ${previous} the id before.
 * Where the log is broken, ERR_DAMAGED. */
int apply_grow(struct apply *apply, struct apply_log *log, const uint8_t id[static HASH_SIZE],
    uint8_t previous[static HASH_SIZE], struct err *err);
/* Parts of apply_frame (apply_log.c): a log's first frame; and, while rebuilding, an entry that does not
 * follow the last one. */
int apply_new_log(struct apply *apply, const struct journal_frame *frame, struct err *err);
int apply_over_gap(
    struct apply *apply, struct apply_log *log, const struct journal_entry *entry, struct err *err);
/* The rows of an entry that apply_grow has taken. */
void apply_entry_rows(struct apply *apply, struct apply_log *log, const struct journal_entry *entry,
    const uint8_t id[static HASH_SIZE], struct journal_at at);
/* Any frame; its position and sequence go to meta.  ERR_DAMAGED: it does not fit what was before. */
int apply_frame(struct apply *apply, const struct journal_frame *frame, struct err *err);
/* The segment is referred to up to ${end}, at least. */
int apply_segment_end(struct apply *apply, uint32_t number, uint64_t end, struct err *err);

#endif
