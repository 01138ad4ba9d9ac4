#ifndef DALIL_NODE_ARCHIVE_DEPOSIT_H
#define DALIL_NODE_ARCHIVE_DEPOSIT_H

#include "node/storage.h"
#include "proto/fields.h"
#include "proto/sealed.h"

/*
 * Purpose: depositing files (design 5.1, 5.2, 5.6).  A run is a pipeline: the caller adds files, worker
 * threads read, hash, encrypt and hash them, a committer makes them durable in batches that share one
 * sync of the segment, one of the journal and one index commit, and results come back in the order in
 * which files were added, each once its file is durable (P1) or refused.
 *
 * Memory is bounded whatever the files' sizes and number: deposit_add waits.  The vault's public key
 * is used once a run (a run key, in memory only, renewed after an hour).
 *
 * Refusals of one file do not end the run: ERR_CHANGED (it changed while it was read), ERR_REFUSED
 * (unreadable; an image among open files without as_is), ERR_NOT_FOUND, ERR_LIMIT (above 16 TiB,
 * fields too large), ERR_USAGE (no regular file; fields).  Trouble of the store (ERR_FULL, ERR_IO) ends
 * it: every file from there on gets that error, and nothing that was reported is lost.
 *
 * Threads: new, add and finish belong to one thread.  The callback is called on that thread, from within
 * deposit_add and deposit_finish, and must not call back into the run.
 */

struct archive;
struct deposit_run;

#define DEPOSIT_READERS_MAX 2048
/* What an open file publishes by default (design 5.2). */
#define DEPOSIT_OPEN_SLOTS                                                  \
	(UINT64_C(1) << FIELD_SHA256 | UINT64_C(1) << FIELD_SIZE |          \
	    UINT64_C(1) << FIELD_MEDIA_TYPE | UINT64_C(1) << FIELD_TITLE |  \
	    UINT64_C(1) << FIELD_TYPE | UINT64_C(1) << FIELD_CASE |         \
	    UINT64_C(1) << FIELD_CAPTURED | UINT64_C(1) << FIELD_LANGUAGE | \
	    UINT64_C(1) << FIELD_LINK)

struct deposit_result;
typedef void deposit_done(void *cookie, const struct deposit_result *result);

struct deposit_options {
	unsigned threads; /* 0: the number of cores, at least 2 */
	bool again;       /* store a file that is here already once more */
	bool dry_run;     /* read and hash, store nothing; results show the fields */
	bool sha512;      /* claim it as well: a third of the speed */
	/* The organisations for the log's first `share`, appended before the first exhibit if the log
	 * has none yet; count 0: none. */
	const uint8_t (*share)[HASH_SIZE];
	unsigned share_count;
	deposit_done *done;
	void *cookie;
	/* For a progress line: bytes of files read so far, of all; from the add and finish thread. */
	void (*progress)(void *cookie, uint64_t bytes, uint64_t files);
};

struct deposit_file {
	const char *path;   /* opened by a worker, unless fd >= 0; given back in the result */
	int fd;             /* -1, or an open file, pipe or terminal that the run closes */
	struct view name;   /* empty: the last component of path */
	struct view folder; /* empty: none */
	/* Fields of this file beyond those that dalil claims itself (sha256, size, name, media-type where
	 * it is not among them, deposited-by, folder); the run takes it over and frees it; may be NULL. */
	struct fields_builder *fields;
	bool open;           /* publish the payload key */
	bool as_is;          /* also an open image, whose inside nobody has looked at */
	uint64_t open_slots; /* slots to disclose in the open part; used where open */
	const uint8_t (*readers)[HASH_SIZE]; /* X25519 public keys; copied */
	unsigned reader_count;
	void *tag; /* given back in the result */
};

struct deposit_result {
	int code; /* 0, or why the file was not deposited: see ${err} */
	const struct err *err;
	bool already; /* it was here: ${id} is the old record, nothing was stored */
	uint8_t id[HASH_SIZE];
	uint64_t index; /* in the own log; of an old record too */
	uint8_t sha256[HASH_SIZE];
	uint64_t size;
	const char *path;
	void *tag;
	bool open;
	unsigned reader_count;
	const struct fields *fields; /* dry_run only */
	uint64_t open_slots;
};

/* ERR_LOCKED unless the node keys are open.  Files are compared with those already here only where the
 * vault's key is open (design 5.1); deposit_compares tells. */
int deposit_new(struct deposit_run **run, struct archive *archive,
    const struct deposit_options *options, struct err *err);
bool deposit_compares(const struct deposit_run *run);
/* Waits while the pipeline is full.  0, or what ended the run. ${file} is copied, its path and name too. */
int deposit_add(struct deposit_run *run, const struct deposit_file *file, struct err *err);
/* Wait until all are durable or refused, then free the run. 0, or what ended the run. */
int deposit_finish(struct deposit_run *run, struct err *err);

#endif
