#ifndef DALIL_NODE_STORE_INDEX_LAYOUT_H
#define DALIL_NODE_STORE_INDEX_LAYOUT_H

#include "node/store/journal_frame.h"

/*
 * Purpose: every table of the index, its keys and its values, in one place (docs/store.md "Index").
 * Integers are big-endian, so that the order of keys is the order of what they mean.
 *
 * A position is a packed journal_at.  Values that decide what is written or cut next (meta, logs,
 * segments) carry 8 bytes of a SHA-256 over table, key and value; whatever else the index says
 * is checked against the frame that it points to.
 */

#define INDEX_VERSION 1
#define INDEX_KEY_MAX 136
#define INDEX_VALUE_MAX 224

enum index_table {
	INDEX_META,    /* "meta" -> struct index_meta */
	INDEX_LOGS,    /* log -> struct index_log */
	INDEX_LOG_IDS, /* id -> log */
	INDEX_ENTRIES, /* log, index -> struct index_entry */
	INDEX_NODES, /* log, u8 level, index -> hash; levels from 1: level 0 are the entries' ids */
	INDEX_KINDS, /* log, u8 kind, index -> nothing */
	INDEX_IDS,   /* id, log -> index */
	INDEX_ABOUT, /* id, log, index -> nothing */
	INDEX_KNOWN, /* known -> id */
	INDEX_PAYLOADS,   /* root, size -> struct index_payload */
	INDEX_WANTS,      /* position of the entry -> root, size, log, index */
	INDEX_PROGRESS,   /* root, size, stretch -> position */
	INDEX_PARTS,      /* log, index, name -> position of the late part */
	INDEX_PART_WANTS, /* log, index -> u8 parts that are missing */
	INDEX_STATEMENTS, /* organisation, position -> nothing */
	INDEX_HEADS,      /* log, size -> position */
	INDEX_SIGNINGS,   /* log -> position */
	INDEX_FACTS,      /* u8 kind, key -> position */
	INDEX_SEGMENTS,   /* segment -> u64 end */
	INDEX_TABLES
};

/* The name of a table, in LMDB and in texts. */
const char *index_table_name(enum index_table table);

struct index_key {
	size_t size;
	uint8_t bytes[INDEX_KEY_MAX];
};

struct index_value {
	size_t size;
	uint8_t bytes[INDEX_VALUE_MAX];
};

struct index_row {
	struct index_key key;
	struct index_value value;
};

static inline struct view
index_key_view(const struct index_key *key)
{
	return view_of(key->bytes, key->size);
}

struct index_key index_key_meta(void);
struct index_key index_key_u32(uint32_t number); /* logs, signings, segments */
struct index_key index_key_hash(const uint8_t hash[static HASH_SIZE]); /* log ids, known */
struct index_key index_key_place(struct storage_place place);          /* entries, part wants */
struct index_key index_key_node(uint32_t log, unsigned level, uint64_t index);
struct index_key index_key_kind(uint32_t log, uint8_t kind, uint64_t index);
struct index_key index_key_id(const uint8_t id[static HASH_SIZE], uint32_t log);
struct index_key index_key_about(const uint8_t id[static HASH_SIZE], struct storage_place place);
struct index_key index_key_payload(const struct storage_payload *payload);
struct index_key index_key_progress(const struct storage_payload *payload, uint32_t stretch);
struct index_key index_key_u64(uint64_t position); /* wants */
struct index_key index_key_part(struct storage_place place, struct view name);
struct index_key
index_key_statement(const uint8_t organisation[static HASH_SIZE], uint64_t position);
struct index_key index_key_head(uint32_t log, uint64_t size);
struct index_key index_key_fact(uint8_t kind, struct view key);

struct index_meta {
	uint64_t position; /* where the next frame goes */
	uint64_t sequence; /* of the last frame */
	uint64_t entries;
	uint64_t payloads;
	uint64_t payload_bytes;
	uint64_t wants;
	uint64_t part_wants;
	uint64_t segment_sum; /* of all segments' ends */
	uint64_t log_sum;     /* of all logs' sizes */
	uint32_t logs;
	uint32_t segments;
};

struct index_log {
	uint8_t id[HASH_SIZE];
	uint8_t organisation[HASH_SIZE];
	uint64_t size;
	uint8_t root[HASH_SIZE];
	uint8_t last_id[HASH_SIZE];
	uint64_t position; /* of the log's frame */
	uint64_t last;     /* of the last entry's frame; 0 before the first */
	bool broken;       /* entries are lost: nothing can be appended */
};

struct index_entry {
	uint64_t position; /* 0: the frame is lost, only the id is known */
	uint8_t id[HASH_SIZE];
	uint8_t kind;
};

struct index_payload {
	bool whole;
	uint64_t position; /* of the payload's frame, or of the entry that wants it */
};

struct index_want {
	struct storage_payload payload;
	struct storage_place place;
};

/* Encoding fills a value; decoding is false where the value is not what its table holds. */
struct index_value index_meta_encode(const struct index_meta *meta);
bool index_meta_decode(struct index_meta *meta, const struct index_value *value);
struct index_value index_log_encode(uint32_t number, const struct index_log *log);
bool index_log_decode(struct index_log *log, uint32_t number, const struct index_value *value);
struct index_value index_entry_encode(const struct index_entry *entry);
bool index_entry_decode(struct index_entry *entry, const struct index_value *value);
struct index_value index_payload_encode(const struct index_payload *payload);
bool index_payload_decode(struct index_payload *payload, const struct index_value *value);
struct index_value index_want_encode(const struct index_want *want);
bool index_want_decode(struct index_want *want, const struct index_value *value);
struct index_value index_segment_encode(uint32_t number, uint64_t end);
bool index_segment_decode(uint64_t *end, uint32_t number, const struct index_value *value);
struct index_value index_value_none(void);
struct index_value index_value_u8(uint8_t number);
bool index_value_u8_decode(uint8_t *number, const struct index_value *value);
struct index_value index_value_u32(uint32_t number);
bool index_value_u32_decode(uint32_t *number, const struct index_value *value);
struct index_value index_value_u64(uint64_t number);
bool index_value_u64_decode(uint64_t *number, const struct index_value *value);
struct index_value index_value_hash(const uint8_t hash[static HASH_SIZE]);
bool index_value_hash_decode(uint8_t hash[static HASH_SIZE], const struct index_value *value);

#endif
