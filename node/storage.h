#ifndef DALIL_NODE_STORAGE_H
#define DALIL_NODE_STORAGE_H

#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/tree.h"

/*
 * Purpose: the interface to whatever keeps logs, parts and payloads (design 5.6).  node/store
 * implements it over journal, segments and an LMDB index; a simulator may implement it in memory
 * (node/storage_calls.h is what an implementation fills in).  The log, the archive and the
 * executor of sync use this and nothing behind it.
 *
 * The objects
 *   storage         one open store.  Several processes may have the same store open, but one process
 *                   opens it once.
 *   snapshot        a moment of the store to read from.
 *   batch           a group of changes: durable, visible and acknowledged together by
 *                   batch_commit, or not at all.  One batch at a time over all processes: batch_begin
 *                   waits for its turn.
 *   payload_writer  puts payload leaves into a segment, before the batch that refers to them.
 *   payload_fetch   takes verified leaves of payloads from peers, in any order, and remembers durably
 *                   which it has.
 *   payload_reader  reads the leaves, leaf hashes and proofs of one payload.
 *
 * Who checks what: callers verify records, parts, statements and notes before they give them here.
 * The store checks the order of indexes and keeps the tree.  What it gives back is what was given:
 * records, parts, notes, statements, facts and leaf hashes are checked against checksums or hashes
 * as they are read (ERR_DAMAGED otherwise); leaf bytes are not, because most readers authenticate or
 * hash them anyway: compare with payload_reader_hash where you do not.
 *
 * Errors: 0 or a negative err_code.  ERR_NOT_FOUND is also the end of every iteration, and then
 * sets no text.  An iteration that returned ERR_DAMAGED may go on: its cursor stands on what is damaged.
 * ERR_DAMAGED: the journal or a segment; ERR_INDEX: the index, `dalil reindex`
 * mends it; ERR_FULL: no space, nothing changed.  A batch's error sticks: after the first failure
 * every call of the batch returns that error, and batch_commit aborts and returns it.
 *
 * Threads: a storage may be used from any thread.  Snapshots, readers, writers and fetches belong to
 * one thread at a time.  A batch is begun, filled and ended by one thread.  In one thread, no
 * second batch may be begun (payload_fetch and payload_writer calls begin one of their own) while a
 * batch is open.
 *
 * Buffers: calls that read into a `struct buffer` first clear it, so that one may be reused; its
 * limit must have room (STORAGE_BYTES_MAX is enough for everything).
 */

struct storage;
struct snapshot;
struct batch;
struct payload_writer;
struct payload_fetch;
struct payload_reader;

#define STORAGE_RECORD_MAX 65535        /* design 5.2 */
#define STORAGE_PART_MAX (256 * 1024)   /* design 5.2 */
#define STORAGE_PARTS_MAX 8             /* parts of one record */
#define STORAGE_PART_NAME_MAX 15        /* bytes of a part's name */
#define STORAGE_KEY_MAX 128             /* bytes of a fact's key */
#define STORAGE_BYTES_MAX (1024 * 1024) /* a buffer with this limit holds whatever is read */
#define STORAGE_VALUE_MAX (STORAGE_BYTES_MAX - 1024) /* statement, note, fact value, vkey */
#define STORAGE_BATCH_MAX 4096                       /* entries of one batch: about 1,000 is best */
#define STORAGE_LEAF 1048832    /* bytes of a payload leaf; the last may be shorter */
#define STORAGE_STRETCH 256     /* leaves of a stretch */
#define STORAGE_KIND_OPAQUE 255 /* kind of an entry that is no record we understand */

/* Where an entry stands: local number of its log, index in it. */
struct storage_place {
	uint32_t log;
	uint64_t index;
};

/* Start of an iteration over places; over uint64_t cursors it is STORAGE_START. */
#define STORAGE_START UINT64_MAX
#define STORAGE_PLACE_START ((struct storage_place){.log = UINT32_MAX, .index = UINT64_MAX})

struct storage_log {
	uint32_t number;       /* local, from 0 in the order in which logs came */
	uint8_t id[HASH_SIZE]; /* SHA-256 of the vkey */
	uint8_t organisation[HASH_SIZE];
	uint64_t size;
	uint8_t root[HASH_SIZE]; /* of the tree of that size */
};

/* A payload by its content, as the record names it.  Both are needed: a hostile record may name a
 * true root with a false size. */
struct storage_payload {
	uint8_t root[HASH_SIZE];
	uint64_t size; /* bytes of ciphertext */
};

enum storage_payload_state {
	STORAGE_PAYLOAD_UNKNOWN, /* no record names it and nothing of it is here */
	STORAGE_PAYLOAD_WANTED,  /* a record names it; leaves of it may be here */
	STORAGE_PAYLOAD_WHOLE    /* all leaves are here, as far as the index knows */
};

struct storage_part {
	char name[STORAGE_PART_NAME_MAX + 1];
	uint8_t digest[HASH_SIZE];
	uint32_t size; /* 0 while not here */
	bool here;
};

struct storage_entry {
	struct storage_place place;
	uint8_t id[HASH_SIZE]; /* leaf hash, the record id */
	uint8_t kind;          /* as given to batch_append */
	bool has_payload;
	struct storage_payload payload;
	struct view record; /* in the buffer that the caller gave */
	unsigned part_count;
	struct storage_part parts[STORAGE_PARTS_MAX];
};

struct storage_want {
	struct storage_payload payload;
	struct storage_place place; /* the first entry that names it */
};

struct storage_counts {
	uint64_t sequence; /* frames ever written; grows with every change (storage_changes) */
	uint32_t logs;
	uint64_t entries;       /* of all logs */
	uint64_t payloads;      /* whole */
	uint64_t payload_bytes; /* of those */
	uint64_t wants;         /* payloads that are named and not whole */
	uint64_t part_wants;    /* entries that lack a part */
};

/* ---- storage ------------------------------------------------------------------------------- */

/* NULL is fine.  No snapshot, batch, writer, fetch or reader may be left. */
void storage_close(struct storage *storage);

/* A number that has grown if anything was committed since, by any process.  Cheap (microseconds). */
int storage_changes(struct storage *storage, uint64_t *sequence, struct err *err);

/* ---- snapshot ------------------------------------------------------------------------------ */

/*
 * What is committed now.  Keep it short (below a second or so): while it is open, the index cannot
 * reuse its pages.  Readers opened from it outlive it.
 */
int snapshot_begin(struct storage *storage, struct snapshot **snapshot, struct err *err);
void snapshot_end(struct snapshot *snapshot); /* NULL is fine */

int snapshot_counts(struct snapshot *snapshot, struct storage_counts *counts, struct err *err);

/* Logs have the numbers 0 to counts.logs - 1. */
int
snapshot_log(struct snapshot *snapshot, struct storage_log *log, uint32_t number, struct err *err);
int snapshot_log_by_id(struct snapshot *snapshot, struct storage_log *log,
    const uint8_t id[static HASH_SIZE], struct err *err);
int
snapshot_log_vkey(struct snapshot *snapshot, struct buffer *vkey, uint32_t number, struct err *err);

/* The record, read into ${bytes}, and what parts there are. */
int snapshot_entry(struct snapshot *snapshot, struct storage_entry *entry, struct buffer *bytes,
    struct storage_place place, struct err *err);
/* Id and kind only, from the index alone: for lists.  ${kind} and ${id} may be NULL. */
int snapshot_entry_id(struct snapshot *snapshot, uint8_t id[HASH_SIZE], uint8_t *kind,
    struct storage_place place, struct err *err);
/* One part's bytes, checked against its digest.  ERR_NOT_FOUND: the record has no such part;
 * ERR_MISSING: it is not here. */
int snapshot_part(struct snapshot *snapshot, struct buffer *bytes, struct storage_place place,
    const char *name, struct err *err);

/* The complete subtree of 2^level leaves at leaf index * 2^level of a log's tree. */
int snapshot_node(struct snapshot *snapshot, uint8_t hash[static HASH_SIZE], uint32_t log,
    unsigned level, uint64_t index, struct err *err);
/* The same as a `tree_read`: the cookie is a struct snapshot_tree. */
struct snapshot_tree {
	struct snapshot *snapshot;
	uint32_t log;
	struct err *err; /* may be NULL */
};
int
snapshot_tree_read(void *cookie, unsigned level, uint64_t index, uint8_t hash[static HASH_SIZE]);

/*
 * Entries whose id begins with the first ${nibbles} hex digits of ${prefix} (64: the whole id),
 * ordered by id, then log: at most ${max} of them.  The same record may stand in several logs (only the
 * one it names is its own: the caller judges); of several in one log the first is given.
 * 0 with *count == 0 where there is none.
 */
int snapshot_find(struct snapshot *snapshot, struct storage_place *places, size_t max,
    size_t *count, const uint8_t prefix[static HASH_SIZE], unsigned nibbles, struct err *err);

/* Next entry of this kind in this log after *index (STORAGE_START: the first). */
int snapshot_kind_next(
    struct snapshot *snapshot, uint64_t *index, uint32_t log, uint8_t kind, struct err *err);
/* The last entry of this kind in this log. */
int snapshot_kind_last(
    struct snapshot *snapshot, uint64_t *index, uint32_t log, uint8_t kind, struct err *err);
/* Next entry about the record ${id} after *place (STORAGE_PLACE_START: the first). */
int snapshot_about_next(struct snapshot *snapshot, struct storage_place *place,
    const uint8_t id[static HASH_SIZE], struct err *err);
/* The record that was appended with this `known`, if any: the first. */
int snapshot_known(struct snapshot *snapshot, uint8_t id[static HASH_SIZE],
    const uint8_t known[static HASH_SIZE], struct err *err);

/* How far a payload is here. */
int snapshot_payload_state(struct snapshot *snapshot, enum storage_payload_state *state,
    const struct storage_payload *payload, struct err *err);
/* Which leaves of stretch ${stretch} (leaves 256 * stretch onwards) are durable: bit i % 8 of byte
 * i / 8.  For payloads that are not whole. */
int snapshot_payload_progress(struct snapshot *snapshot, uint8_t bitmap[static STORAGE_STRETCH / 8],
    const struct storage_payload *payload, uint32_t stretch, struct err *err);
/* Payloads named by records and not whole here, oldest first; *cursor begins as STORAGE_START. */
int snapshot_want_next(
    struct snapshot *snapshot, struct storage_want *want, uint64_t *cursor, struct err *err);
/* Entries that lack a part; *place begins as STORAGE_PLACE_START. */
int
snapshot_part_want_next(struct snapshot *snapshot, struct storage_place *place, struct err *err);

/* Statements kept for an organisation, in the order in which they came; *cursor begins as
 * STORAGE_START. */
int snapshot_statement_next(struct snapshot *snapshot, struct buffer *statement, uint64_t *cursor,
    const uint8_t organisation[static HASH_SIZE], struct err *err);
/* The next organisation with statements after ${organisation}; begin with 32 zero bytes. */
int snapshot_organisation_next(
    struct snapshot *snapshot, uint8_t organisation[static HASH_SIZE], struct err *err);

/* The newest note of a log (largest size); of size *size exactly; of the next size after
 * *size (STORAGE_START: the smallest). */
int snapshot_head_last(
    struct snapshot *snapshot, struct buffer *note, uint64_t *size, uint32_t log, struct err *err);
int snapshot_head_at(
    struct snapshot *snapshot, struct buffer *note, uint32_t log, uint64_t size, struct err *err);
int snapshot_head_next(
    struct snapshot *snapshot, struct buffer *note, uint64_t *size, uint32_t log, struct err *err);
/* What was last about to be signed for a log. */
int snapshot_signing(struct snapshot *snapshot, uint64_t *size, uint8_t root[static HASH_SIZE],
    uint32_t log, struct err *err);

/* Facts: small values by kind and key; the last one written counts.  Kinds are enum storage_fact. */
enum storage_fact {
	STORAGE_FACT_SETTING = 1, /* by name */
	STORAGE_FACT_PEER = 2,    /* by organisation id */
	STORAGE_FACT_INVITE = 3,
	STORAGE_FACT_CURSOR = 4,
	STORAGE_FACT_NODE = 5 /* about this node: its own log's id, its machine */
};
int snapshot_fact(struct snapshot *snapshot, struct buffer *value, enum storage_fact kind,
    struct view key, struct err *err);
/* The next fact of a kind after ${key} (empty: the first); ${key} (limit at least STORAGE_KEY_MAX)
 * becomes its key, ${value} its value.  ${value} may be NULL. */
int snapshot_fact_next(struct snapshot *snapshot, struct buffer *key, struct buffer *value,
    enum storage_fact kind, struct err *err);

/* ---- batch --------------------------------------------------------------------------------- */

struct storage_part_given {
	const char *name;
	const uint8_t *digest; /* 32 bytes, as the record names it */
	struct view bytes;     /* verified against the digest; data == NULL: not here yet */
};

struct storage_append {
	struct storage_place place; /* index must be the log's size */
	struct view record;
	uint8_t id[HASH_SIZE];                 /* its leaf hash */
	uint8_t kind;                          /* the record's kind, or STORAGE_KIND_OPAQUE */
	const struct storage_payload *payload; /* that the record names, or NULL */
	const uint8_t *about; /* 32 bytes: id of the record that its body names, or NULL */
	const uint8_t *known; /* 32 bytes: HMAC of the file's SHA-256 (design 5.1), or NULL */
	unsigned part_count;
	const struct storage_part_given *parts;
};

/* Waits for other batches, of any process, to end. */
int batch_begin(struct storage *storage, struct batch **batch, struct err *err);
/* Durable on disk, then visible; frees the batch, whatever the result.  After an error nothing of it
 * stands. */
int batch_commit(struct batch *batch, struct err *err);
void batch_abort(struct batch *batch); /* NULL is fine */
/* The store as the batch has made it so far; dies with the batch; never snapshot_end it. */
struct snapshot *batch_snapshot(struct batch *batch);

/* A log of an organisation; *number is its local number, the old one if it is known already. */
int batch_log(struct batch *batch, uint32_t *number, struct view vkey,
    const uint8_t organisation[static HASH_SIZE], struct err *err);
int batch_append(struct batch *batch, const struct storage_append *append, struct err *err);
/* A part that comes later. */
int batch_part(struct batch *batch, struct storage_place place,
    const struct storage_part_given *part, struct err *err);
/* A payload whose leaves were written and synced (payload_writer_end, payload_writer_sync). */
struct storage_location;
int batch_payload(struct batch *batch, const struct storage_location *location, struct err *err);
/* Refuses nothing: the caller says what is worth keeping, and that it is not here yet. */
int batch_statement(struct batch *batch, const uint8_t organisation[static HASH_SIZE],
    struct view statement, struct err *err);
/* A checkpoint with signatures; replaces the one of the same log and size. */
int batch_head(struct batch *batch, uint32_t log, uint64_t size, struct view note, struct err *err);
/* To be committed before the signature is released (design 5.4); ERR_REFUSED if it is
 * smaller than the last one or the same size with another root. */
int batch_signing(struct batch *batch, uint32_t log, uint64_t size,
    const uint8_t root[static HASH_SIZE], struct err *err);
/* value.data == NULL deletes. */
int batch_fact(struct batch *batch, enum storage_fact kind, struct view key, struct view value,
    struct err *err);

/* ---- payloads: writing --------------------------------------------------------------------- */

/* Where a payload's leaves are: one stretch per 256 leaves. */
struct storage_stretch {
	uint32_t segment;
	uint64_t offset;
	uint8_t root[HASH_SIZE]; /* over the leaf hashes of the stretch */
};

struct storage_location {
	struct storage_payload payload;
	uint32_t stretch_count;
	struct storage_stretch *stretches; /* heap */
};

void storage_location_fini(struct storage_location *location);

/*
 * A writer holds a segment of its own.  For each payload: put its leaves in order, each
 * STORAGE_LEAF bytes but the last, then end it.  Then sync, then batch_payload for
 * each, commit, and only then free the writer: what no batch refers to is cut off by the
 * next writer that takes the segment.  Small payloads: many of them, one sync.
 * After an error of put or end the payload in hand is dropped, and the writer may go on with the
 * next one; after an error of sync it can only be freed.
 */
int payload_writer_new(struct storage *storage, struct payload_writer **writer, struct err *err);
void payload_writer_free(struct payload_writer *writer); /* NULL is fine */
int payload_writer_put(struct payload_writer *writer, struct view leaf,
    const uint8_t leaf_hash[static HASH_SIZE], struct err *err);
/* At least one leaf.  Fills ${location}, root and size included; the caller frees it (_fini). */
int payload_writer_end(
    struct payload_writer *writer, struct storage_location *location, struct err *err);
/* Drop the payload in hand. */
void payload_writer_drop(struct payload_writer *writer);
int payload_writer_sync(struct payload_writer *writer, struct err *err);

/*
 * Leaves from peers, verified by inclusion in the payload's root, in any order.  Put writes them;
 * sync makes them durable and committed, so that they need not be fetched again, and calls
 * ${whole} (may be NULL) for each payload that is whole now.  Call sync after some tens of MiB or
 * when a second has passed.  put of a leaf that is here already does nothing.
 */
typedef void payload_whole(void *cookie, const struct storage_payload *payload);
int payload_fetch_new(struct storage *storage, struct payload_fetch **fetch, struct err *err);
void payload_fetch_free(struct payload_fetch *fetch); /* NULL is fine; drops what is not synced */
int payload_fetch_put(struct payload_fetch *fetch, const struct storage_payload *payload,
    uint64_t leaf_index, struct view leaf, const uint8_t leaf_hash[static HASH_SIZE],
    struct err *err);
int payload_fetch_sync(
    struct payload_fetch *fetch, payload_whole *whole, void *cookie, struct err *err);

/* ---- payloads: reading --------------------------------------------------------------------- */

/* ERR_MISSING if it is not whole here, ERR_NOT_FOUND if it is unknown.  Memory: up to 3 MB for 16 TiB. */
int payload_reader_new(struct snapshot *snapshot, struct payload_reader **reader,
    const struct storage_payload *payload, struct err *err);
void payload_reader_free(struct payload_reader *reader); /* NULL is fine */
uint64_t payload_reader_leaves(const struct payload_reader *reader);
/* The bytes of one leaf into ${leaf} (STORAGE_LEAF bytes of room), NOT checked against its hash. */
int payload_reader_leaf(struct payload_reader *reader, uint8_t *leaf, size_t *size,
    uint64_t leaf_index, struct err *err);
/* What the leaf must hash to: checked against the payload root by way of its stretch. */
int payload_reader_hash(struct payload_reader *reader, uint8_t hash[static HASH_SIZE],
    uint64_t leaf_index, struct err *err);
int payload_reader_prove(
    struct payload_reader *reader, struct tree_proof *proof, uint64_t leaf_index, struct err *err);

/* Leaves of a payload of ${size} bytes, and bytes of one leaf. */
uint64_t storage_leaf_count(uint64_t size);
size_t storage_leaf_size(uint64_t size, uint64_t leaf_index);

#endif
