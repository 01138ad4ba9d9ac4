#ifndef DALIL_TESTS_SIM_MEMORY_INTERNAL_H
#define DALIL_TESTS_SIM_MEMORY_INTERNAL_H

#include "node/storage_calls.h"
#include "tests/sim/memory_storage.h"

/*
 * Purpose: what the files of the memory storage share.
 *
 * Everything that was ever written is one list of events, in order.  A snapshot
 * is a length of that list; a batch appends to it and an abort cuts it back.
 * Lists beside it (entries and nodes of a log, payloads) only save walking.
 */

enum event_kind {
	EVENT_LOG,       /* log; hash: organisation; bytes: vkey */
	EVENT_ENTRY,     /* log, index; entry */
	EVENT_PART,      /* log, index; key: name; bytes */
	EVENT_PAYLOAD,   /* payload */
	EVENT_STATEMENT, /* hash: organisation; bytes */
	EVENT_HEAD,      /* log; index: size; bytes: note */
	EVENT_SIGNING,   /* log; index: size; hash: root */
	EVENT_FACT       /* index: kind; key; bytes, or gone */
};

struct memory_entry {
	uint8_t id[HASH_SIZE];
	uint8_t kind;
	bool has_payload;
	struct storage_payload payload;
	bool has_about;
	uint8_t about[HASH_SIZE];
	bool has_known;
	uint8_t known[HASH_SIZE];
	unsigned part_count;
	struct storage_part parts[STORAGE_PARTS_MAX]; /* name and digest */
};

struct event {
	enum event_kind kind;
	size_t at; /* its place in the list */
	uint32_t log;
	uint64_t index;
	uint8_t hash[HASH_SIZE];
	bool gone;
	struct memory_entry *entry;
	struct memory_payload *payload;
	struct view key;   /* heap */
	struct view bytes; /* heap */
};

struct memory_log {
	uint8_t id[HASH_SIZE];
	size_t entry_count;
	size_t entry_room;
	struct event **entries;
	size_t node_room[64];
	uint8_t (*nodes[64])[HASH_SIZE];
};

/* One try to hold a payload; whole once an event says so. */
struct memory_payload {
	struct storage_payload payload;
	uint32_t number; /* its "segment" */
	uint64_t leaf_count;
	struct view *leaves; /* heap; data == NULL: not here */
	uint8_t (*hashes)[HASH_SIZE];
	bool *durable;
	bool fetching;
	struct memory_payload *next;
};

struct memory_storage {
	struct storage base;
	struct storage_calls calls;
	struct event **events;
	size_t count;
	size_t committed;
	size_t room;
	struct memory_log *logs;
	uint32_t log_count;
	struct memory_payload *payloads;
	uint32_t payload_count;
	struct memory_batch *batch;
	bool failing;
	bool failed;
	unsigned fail_after;
	enum err_code fail_code;
};

struct memory_snapshot {
	struct snapshot base;
	struct memory_storage *storage;
	const size_t *limit; /* events it sees */
	size_t own_limit;
};

struct memory_batch {
	struct batch base;
	struct memory_storage *storage;
	struct memory_snapshot snapshot;
	int err;
};

/* calloc, or abort: a test without memory has nothing to say. */
void *memory_allocate(size_t count, size_t size);
struct view memory_copy(struct view bytes);
/* 0, or the error that was asked for. */
int memory_write(struct memory_storage *storage, struct err *err);
/* Cut back what was not committed, and free the batch. */
void memory_batch_end(struct memory_batch *batch);
struct event *memory_event(struct memory_storage *storage, enum event_kind kind);

/* The last event that the snapshot sees and that matches; NULL if none. */
typedef bool event_matches(const struct event *event, const void *what);
struct event *
memory_last(const struct memory_snapshot *snapshot, event_matches *matches, const void *what);
/* 0 for a log that it does not see. */
uint64_t memory_log_size(const struct memory_snapshot *snapshot, uint32_t number);
struct event *memory_entry_at(const struct memory_snapshot *snapshot, struct storage_place place);
/* The payload as the snapshot sees it whole, or NULL. */
struct memory_payload *
memory_payload_whole(const struct memory_snapshot *snapshot, const struct storage_payload *payload);
bool memory_payload_same(const struct storage_payload *a, const struct storage_payload *b);
/* Leaves that were fetched and never synced are gone. */
void memory_payload_drop(struct memory_storage *storage);
void memory_payload_free(struct memory_payload *payload);

/* Each file fills in its own calls. */
void memory_snapshot_calls(struct storage_calls *calls);
void memory_batch_calls(struct storage_calls *calls);
void memory_payload_calls(struct storage_calls *calls);

#endif
