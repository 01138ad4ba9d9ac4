#ifndef DALIL_TESTS_SIM_SIM_DISK_H
#define DALIL_TESTS_SIM_SIM_DISK_H

#include "node/sync/disk.h"
#include "proto/vkey.h"

/*
 * Purpose: a virtual disk that executes the sync machine's requests in memory.  It does in a few
 * lines what node/net does over node/storage.h, and counts what must not happen: a leaf stored
 * twice.
 *
 * It aborts without memory.  Threads: one.
 */

struct sim_part {
	uint8_t digest[HASH_SIZE];
	struct buffer bytes;
};

struct sim_entry {
	struct buffer record;
	uint8_t id[HASH_SIZE];
	unsigned part_count;
	struct sim_part parts[PART_COUNT];
	bool good;
};

struct sim_payload {
	uint8_t root[HASH_SIZE];
	uint64_t size;
	uint8_t log[HASH_SIZE]; /* the first that names it */
	uint64_t count;
	uint64_t here;
	struct buffer *leaves; /* empty: not here */
};

struct sim_log {
	uint8_t id[HASH_SIZE];
	uint8_t organisation[HASH_SIZE];
	struct sim_entry *entries;
	size_t count;
	size_t capacity;
	struct buffer head; /* the largest whose records are here */
	uint64_t head_size;
	struct buffer seen;
	uint64_t seen_size;
	bool shared;
	unsigned share_count;
	uint8_t (*share)[HASH_SIZE];
};

struct sim_disk {
	struct sim_log *logs[32];
	size_t log_count;
	struct {
		uint8_t organisation[HASH_SIZE];
		struct buffer bytes;
	} statements[256];
	size_t statement_count;
	struct sim_payload *payloads;
	size_t payload_count;
	size_t payload_capacity;
	uint64_t refetched; /* leaves put that were here already */
	enum err_code fail; /* what every write answers, or ERR_NONE */
};

void sim_disk_fini(struct sim_disk *disk);
/* Fill in the request's results. */
void sim_disk_execute(struct sim_disk *disk, struct sync_disk *request);

struct sim_log *sim_disk_log(const struct sim_disk *disk, const uint8_t id[static HASH_SIZE]);
struct sim_log *sim_disk_add_log(struct sim_disk *disk, const uint8_t id[static HASH_SIZE],
    const uint8_t organisation[static HASH_SIZE]);
void sim_disk_add_statement(
    struct sim_disk *disk, const uint8_t organisation[static HASH_SIZE], struct view bytes);
/* Append a record as the log's own node does. */
void sim_disk_append(struct sim_disk *disk, struct sim_log *log, struct view record,
    const struct sync_part *parts, unsigned part_count, bool good);
struct sim_payload *
sim_disk_payload(const struct sim_disk *disk, const uint8_t root[static HASH_SIZE], uint64_t size);
struct sim_payload *sim_disk_add_payload(struct sim_disk *disk,
    const uint8_t root[static HASH_SIZE], uint64_t size, const uint8_t log[static HASH_SIZE]);
void sim_disk_put_leaf(struct sim_payload *payload, uint64_t leaf, struct view bytes);
void sim_disk_put_head(struct sim_log *log, uint64_t size, struct view note);
/* The tree of the first ${size} records. */
void sim_disk_tree(const struct sim_log *log, uint64_t size, struct tree *tree);

#endif
