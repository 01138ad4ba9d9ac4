#ifndef DALIL_NODE_STORAGE_CALLS_H
#define DALIL_NODE_STORAGE_CALLS_H

#include "node/storage.h"

/*
 * Purpose: what an implementation of node/storage.h fills in: one table of calls, and objects whose
 * first member points to it.  Each call keeps the promises that node/storage.h makes for the function
 * of the same name; those that free never see NULL.
 */

struct storage_calls {
	void (*storage_close)(struct storage *storage);
	int (*storage_changes)(struct storage *storage, uint64_t *sequence, struct err *err);
	int (*snapshot_begin)(struct storage *storage, struct snapshot **snapshot, struct err *err);
	void (*snapshot_end)(struct snapshot *snapshot);
	int (*snapshot_counts)(
	    struct snapshot *snapshot, struct storage_counts *counts, struct err *err);
	int (*snapshot_log)(
	    struct snapshot *snapshot, struct storage_log *log, uint32_t number, struct err *err);
	int (*snapshot_log_by_id)(struct snapshot *snapshot, struct storage_log *log,
	    const uint8_t id[static HASH_SIZE], struct err *err);
	int (*snapshot_log_vkey)(
	    struct snapshot *snapshot, struct buffer *vkey, uint32_t number, struct err *err);
	int (*snapshot_entry)(struct snapshot *snapshot, struct storage_entry *entry,
	    struct buffer *bytes, struct storage_place place, struct err *err);
	int (*snapshot_entry_id)(struct snapshot *snapshot, uint8_t id[HASH_SIZE], uint8_t *kind,
	    struct storage_place place, struct err *err);
	int (*snapshot_part)(struct snapshot *snapshot, struct buffer *bytes,
	    struct storage_place place, const char *name, struct err *err);
	int (*snapshot_node)(struct snapshot *snapshot, uint8_t hash[static HASH_SIZE],
	    uint32_t log, unsigned level, uint64_t index, struct err *err);
	int (*snapshot_find)(struct snapshot *snapshot, struct storage_place *places, size_t max,
	    size_t *count, const uint8_t prefix[static HASH_SIZE], unsigned nibbles,
	    struct err *err);
	int (*snapshot_kind_next)(struct snapshot *snapshot, uint64_t *index, uint32_t log,
	    uint8_t kind, struct err *err);
	int (*snapshot_kind_last)(struct snapshot *snapshot, uint64_t *index, uint32_t log,
	    uint8_t kind, struct err *err);
	int (*snapshot_about_next)(struct snapshot *snapshot, struct storage_place *place,
	    const uint8_t id[static HASH_SIZE], struct err *err);
	int (*snapshot_known)(struct snapshot *snapshot, uint8_t id[static HASH_SIZE],
	    const uint8_t known[static HASH_SIZE], struct err *err);
	int (*snapshot_payload_state)(struct snapshot *snapshot, enum storage_payload_state *state,
	    const struct storage_payload *payload, struct err *err);
	int (*snapshot_payload_progress)(struct snapshot *snapshot,
	    uint8_t bitmap[static STORAGE_STRETCH / 8], const struct storage_payload *payload,
	    uint32_t stretch, struct err *err);
	int (*snapshot_want_next)(struct snapshot *snapshot, struct storage_want *want,
	    uint64_t *cursor, struct err *err);
	int (*snapshot_part_want_next)(
	    struct snapshot *snapshot, struct storage_place *place, struct err *err);
	int (*snapshot_statement_next)(struct snapshot *snapshot, struct buffer *statement,
	    uint64_t *cursor, const uint8_t organisation[static HASH_SIZE], struct err *err);
	int (*snapshot_organisation_next)(
	    struct snapshot *snapshot, uint8_t organisation[static HASH_SIZE], struct err *err);
	int (*snapshot_head_last)(struct snapshot *snapshot, struct buffer *note, uint64_t *size,
	    uint32_t log, struct err *err);
	int (*snapshot_head_at)(struct snapshot *snapshot, struct buffer *note, uint32_t log,
	    uint64_t size, struct err *err);
	int (*snapshot_head_next)(struct snapshot *snapshot, struct buffer *note, uint64_t *size,
	    uint32_t log, struct err *err);
	int (*snapshot_signing)(struct snapshot *snapshot, uint64_t *size,
	    uint8_t root[static HASH_SIZE], uint32_t log, struct err *err);
	int (*snapshot_fact)(struct snapshot *snapshot, struct buffer *value,
	    enum storage_fact kind, struct view key, struct err *err);
	int (*snapshot_fact_next)(struct snapshot *snapshot, struct buffer *key,
	    struct buffer *value, enum storage_fact kind, struct err *err);
	int (*batch_begin)(struct storage *storage, struct batch **batch, struct err *err);
	int (*batch_commit)(struct batch *batch, struct err *err);
	void (*batch_abort)(struct batch *batch);
	struct snapshot *(*batch_snapshot)(struct batch *batch);
	int (*batch_log)(struct batch *batch, uint32_t *number, struct view vkey,
	    const uint8_t organisation[static HASH_SIZE], struct err *err);
	int (*batch_append)(
	    struct batch *batch, const struct storage_append *append, struct err *err);
	int (*batch_part)(struct batch *batch, struct storage_place place,
	    const struct storage_part_given *part, struct err *err);
	int (*batch_payload)(
	    struct batch *batch, const struct storage_location *location, struct err *err);
	int (*batch_statement)(struct batch *batch, const uint8_t organisation[static HASH_SIZE],
	    struct view statement, struct err *err);
	int (*batch_head)(
	    struct batch *batch, uint32_t log, uint64_t size, struct view note, struct err *err);
	int (*batch_signing)(struct batch *batch, uint32_t log, uint64_t size,
	    const uint8_t root[static HASH_SIZE], struct err *err);
	int (*batch_fact)(struct batch *batch, enum storage_fact kind, struct view key,
	    struct view value, struct err *err);
	int (*payload_writer_new)(
	    struct storage *storage, struct payload_writer **writer, struct err *err);
	void (*payload_writer_free)(struct payload_writer *writer);
	int (*payload_writer_put)(struct payload_writer *writer, struct view leaf,
	    const uint8_t leaf_hash[static HASH_SIZE], struct err *err);
	int (*payload_writer_end)(
	    struct payload_writer *writer, struct storage_location *location, struct err *err);
	void (*payload_writer_drop)(struct payload_writer *writer);
	int (*payload_writer_sync)(struct payload_writer *writer, struct err *err);
	int (*payload_fetch_new)(
	    struct storage *storage, struct payload_fetch **fetch, struct err *err);
	void (*payload_fetch_free)(struct payload_fetch *fetch);
	int (*payload_fetch_put)(struct payload_fetch *fetch, const struct storage_payload *payload,
	    uint64_t leaf_index, struct view leaf, const uint8_t leaf_hash[static HASH_SIZE],
	    struct err *err);
	int (*payload_fetch_sync)(
	    struct payload_fetch *fetch, payload_whole *whole, void *cookie, struct err *err);
	int (*payload_reader_new)(struct snapshot *snapshot, struct payload_reader **reader,
	    const struct storage_payload *payload, struct err *err);
	void (*payload_reader_free)(struct payload_reader *reader);
	uint64_t (*payload_reader_leaves)(const struct payload_reader *reader);
	int (*payload_reader_leaf)(struct payload_reader *reader, uint8_t *leaf, size_t *size,
	    uint64_t leaf_index, struct err *err);
	int (*payload_reader_hash)(struct payload_reader *reader, uint8_t hash[static HASH_SIZE],
	    uint64_t leaf_index, struct err *err);
	int (*payload_reader_prove)(struct payload_reader *reader, struct tree_proof *proof,
	    uint64_t leaf_index, struct err *err);
};

/* An implementation embeds these as first members of its own objects. */
struct storage {
	const struct storage_calls *calls;
};

struct snapshot {
	const struct storage_calls *calls;
};

struct batch {
	const struct storage_calls *calls;
};

struct payload_writer {
	const struct storage_calls *calls;
};

struct payload_fetch {
	const struct storage_calls *calls;
};

struct payload_reader {
	const struct storage_calls *calls;
};

#endif
