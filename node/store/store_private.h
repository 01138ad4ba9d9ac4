#ifndef DALIL_NODE_STORE_STORE_PRIVATE_H
#define DALIL_NODE_STORE_STORE_PRIVATE_H

#include <stdatomic.h>

#include "node/storage_calls.h"
#include "node/store/apply.h"
#include "node/store/store.h"

/*
 * Purpose: what the files of the store share: the open store, its write lock, and the objects behind
 * node/storage.h.
 *
 * What holds whenever the write lock is not held:
 *  1. Everything that the index refers to in the journal is synced there.
 *  2. Everything that the journal refers to in segments is synced there.
 *  3. What stands in the journal behind the index's end was never acknowledged, or is whole frames
 *     whose index commit was undone by power loss.
 *  4. What stands in a segment behind its end in the index belongs to the writer that holds its lock,
 *     or to nobody.
 */

#define LOCK_NAME "lock"
#define LOCK_JOURNAL 0                                        /* the byte of the write lock */
#define LOCK_SEGMENT(number) (((uint64_t)1 << 32) + (number)) /* a segment's byte */
#define SEGMENT_MAX ((uint64_t)1 << 30) /* a writer takes none that has this many bytes */

struct store {
	struct storage base;
	char *path;
	char *index_path;
	int dir;
	struct files journal;
	struct files segments;
	uint32_t journal_file_max;
	uint64_t segment_max;
	pthread_mutex_t lock; /* over index */
	struct index *index;
	atomic_bool failed; /* the journal could not be taken back to a good end */
};

/* The current index, held; reopened if reindex has put another one in its place. */
int store_index(struct store *store, struct index **index, struct err *err);

/* The write lock, an index transaction, and the journal rolled forward to its end. */
struct store_write {
	struct store *store;
	int lock; /* -1: not held */
	struct index *index;
	struct index_txn *txn;
	struct apply apply;
};

int write_begin(struct store *store, struct store_write *write, struct err *err);
/* Commit the transaction (after apply_flush and the journal's sync). It is gone afterwards. */
int write_commit(struct store_write *write, struct err *err);
/* Let go of everything; an open transaction is aborted. */
void write_end(struct store_write *write);
/* Take the write lock alone. */
int store_lock(int dir, int *lock, struct err *err);
/* The same, and open the journal and the segments of a store that may have no index. */
int store_open_files(const char *path, struct store **store, struct err *err);
void store_free(struct store *store);

struct store_snapshot {
	struct snapshot base;
	struct store *store;
	struct index_txn *txn;
	struct store_batch *batch; /* or NULL */
	/* The entry whose part was read last, outside batches: its other parts tend to follow. */
	bool kept_here;
	struct storage_place kept_place;
	struct journal_frame kept;
	struct buffer kept_bytes;
};

struct store_batch {
	struct batch base;
	struct store_write write;
	struct journal_writer writer;
	struct store_snapshot snapshot;
	struct buffer scratch;
	unsigned entries;
	int failed; /* the first error sticks */
	struct err error;
};

extern const struct storage_calls store_calls;

/* The transaction to read from; what a batch has pending is written first. */
int snapshot_txn(struct snapshot *snapshot, struct index_txn **txn, struct err *err);
/*
 * A row of a table whose first value for a key is kept (log ids, knowns), looked for in a batch's
 * pending rows too: without writing them, which would undo the sorting of the batch for
 * those who look up before each append.
 */
int snapshot_kept(struct snapshot *snapshot, enum index_table table, const struct index_key *key,
    struct index_value *value, struct err *err);
/* A log's row, in a batch as the batch has made it, likewise. */
int snapshot_log_row(
    struct snapshot *snapshot, uint32_t number, struct index_log *row, struct err *err);
/* Have everything of the batch readable through its transaction and the journal. */
int store_batch_settle(struct store_batch *batch, struct err *err);
/* Commit frames of one kind from inside the store (payload_fetch). */
int store_batch_frame(
    struct store_batch *batch, enum journal_kind kind, struct view covered, struct err *err);

int store_snapshot_open(struct store *store, struct store_snapshot **snapshot, struct err *err);

/* store.c */
/* An empty index in an empty folder. */
int store_make_index(const char *path, struct err *err);
void store_close(struct storage *storage);
int store_changes(struct storage *storage, uint64_t *sequence, struct err *err);

/* batch.c */
int store_batch_begin(struct storage *storage, struct batch **batch, struct err *err);
int store_batch_commit(struct batch *batch, struct err *err);
void store_batch_abort(struct batch *batch);
struct snapshot *store_batch_snapshot(struct batch *batch);
int store_batch_log(struct batch *batch, uint32_t *number, struct view vkey,
    const uint8_t organisation[static HASH_SIZE], struct err *err);
int store_batch_append(struct batch *batch, const struct storage_append *append, struct err *err);
int store_batch_part(struct batch *batch, struct storage_place place,
    const struct storage_part_given *part, struct err *err);
int
store_batch_payload(struct batch *batch, const struct storage_location *location, struct err *err);
int store_batch_statement(struct batch *batch, const uint8_t organisation[static HASH_SIZE],
    struct view statement, struct err *err);
int store_batch_head(
    struct batch *batch, uint32_t log, uint64_t size, struct view note, struct err *err);
int store_batch_signing(struct batch *batch, uint32_t log, uint64_t size,
    const uint8_t root[static HASH_SIZE], struct err *err);
int store_batch_fact(struct batch *batch, enum storage_fact kind, struct view key,
    struct view value, struct err *err);

/* snapshot.c */
int store_snapshot_begin(struct storage *storage, struct snapshot **snapshot, struct err *err);
void store_snapshot_end(struct snapshot *snapshot);
int
store_snapshot_counts(struct snapshot *snapshot, struct storage_counts *counts, struct err *err);
int store_snapshot_log(
    struct snapshot *snapshot, struct storage_log *log, uint32_t number, struct err *err);
int store_snapshot_log_by_id(struct snapshot *snapshot, struct storage_log *log,
    const uint8_t id[static HASH_SIZE], struct err *err);
int store_snapshot_log_vkey(
    struct snapshot *snapshot, struct buffer *vkey, uint32_t number, struct err *err);
int store_snapshot_node(struct snapshot *snapshot, uint8_t hash[static HASH_SIZE], uint32_t log,
    unsigned level, uint64_t index, struct err *err);
int store_snapshot_statement_next(struct snapshot *snapshot, struct buffer *statement,
    uint64_t *cursor, const uint8_t organisation[static HASH_SIZE], struct err *err);
int store_snapshot_organisation_next(
    struct snapshot *snapshot, uint8_t organisation[static HASH_SIZE], struct err *err);
int store_snapshot_head_last(
    struct snapshot *snapshot, struct buffer *note, uint64_t *size, uint32_t log, struct err *err);
int store_snapshot_head_at(
    struct snapshot *snapshot, struct buffer *note, uint32_t log, uint64_t size, struct err *err);
int store_snapshot_head_next(
    struct snapshot *snapshot, struct buffer *note, uint64_t *size, uint32_t log, struct err *err);
int store_snapshot_signing(struct snapshot *snapshot, uint64_t *size,
    uint8_t root[static HASH_SIZE], uint32_t log, struct err *err);
int store_snapshot_fact(struct snapshot *snapshot, struct buffer *value, enum storage_fact kind,
    struct view key, struct err *err);
int store_snapshot_fact_next(struct snapshot *snapshot, struct buffer *key, struct buffer *value,
    enum storage_fact kind, struct err *err);

/* snapshot_entry.c */
int store_snapshot_entry(struct snapshot *snapshot, struct storage_entry *entry,
    struct buffer *bytes, struct storage_place place, struct err *err);
int store_snapshot_entry_id(struct snapshot *snapshot, uint8_t id[HASH_SIZE], uint8_t *kind,
    struct storage_place place, struct err *err);
int store_snapshot_part(struct snapshot *snapshot, struct buffer *bytes, struct storage_place place,
    const char *name, struct err *err);
int store_snapshot_find(struct snapshot *snapshot, struct storage_place *places, size_t max,
    size_t *count, const uint8_t prefix[static HASH_SIZE], unsigned nibbles, struct err *err);
int store_snapshot_kind_next(
    struct snapshot *snapshot, uint64_t *index, uint32_t log, uint8_t kind, struct err *err);
int store_snapshot_kind_last(
    struct snapshot *snapshot, uint64_t *index, uint32_t log, uint8_t kind, struct err *err);
int store_snapshot_about_next(struct snapshot *snapshot, struct storage_place *place,
    const uint8_t id[static HASH_SIZE], struct err *err);
int store_snapshot_known(struct snapshot *snapshot, uint8_t id[static HASH_SIZE],
    const uint8_t known[static HASH_SIZE], struct err *err);
int store_snapshot_part_want_next(
    struct snapshot *snapshot, struct storage_place *place, struct err *err);

/* snapshot_payload.c */
int store_snapshot_payload_state(struct snapshot *snapshot, enum storage_payload_state *state,
    const struct storage_payload *payload, struct err *err);
int store_snapshot_payload_progress(struct snapshot *snapshot,
    uint8_t bitmap[static STORAGE_STRETCH / 8], const struct storage_payload *payload,
    uint32_t stretch, struct err *err);
int store_snapshot_want_next(
    struct snapshot *snapshot, struct storage_want *want, uint64_t *cursor, struct err *err);

/* The progress frame of a stretch, read into ${bytes}: ERR_NOT_FOUND. */
int store_progress_read(struct store_snapshot *snapshot, struct journal_frame *frame,
    struct buffer *bytes, const struct storage_payload *payload, uint32_t stretch, struct err *err);
/* The payload frame of a whole payload: ERR_NOT_FOUND, ERR_MISSING. */
int store_payload_read(struct store_snapshot *snapshot, struct journal_frame *frame,
    struct buffer *bytes, const struct storage_payload *payload, struct err *err);

/* payload_writer.c, payload_fetch.c, payload_reader.c */
int store_writer_new(struct storage *storage, struct payload_writer **writer, struct err *err);
void store_writer_free(struct payload_writer *writer);
int store_writer_put(struct payload_writer *writer, struct view leaf,
    const uint8_t leaf_hash[static HASH_SIZE], struct err *err);
int
store_writer_end(struct payload_writer *writer, struct storage_location *location, struct err *err);
void store_writer_drop(struct payload_writer *writer);
int store_writer_sync(struct payload_writer *writer, struct err *err);
int store_fetch_new(struct storage *storage, struct payload_fetch **fetch, struct err *err);
void store_fetch_free(struct payload_fetch *fetch);
int store_fetch_put(struct payload_fetch *fetch, const struct storage_payload *payload,
    uint64_t leaf_index, struct view leaf, const uint8_t leaf_hash[static HASH_SIZE],
    struct err *err);
int
store_fetch_sync(struct payload_fetch *fetch, payload_whole *whole, void *cookie, struct err *err);
int store_reader_new(struct snapshot *snapshot, struct payload_reader **reader,
    const struct storage_payload *payload, struct err *err);
void store_reader_free(struct payload_reader *reader);
uint64_t store_reader_leaves(const struct payload_reader *reader);
int store_reader_leaf(struct payload_reader *reader, uint8_t *leaf, size_t *size,
    uint64_t leaf_index, struct err *err);
int store_reader_hash(struct payload_reader *reader, uint8_t hash[static HASH_SIZE],
    uint64_t leaf_index, struct err *err);
int store_reader_prove(
    struct payload_reader *reader, struct tree_proof *proof, uint64_t leaf_index, struct err *err);

#endif
