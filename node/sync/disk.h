#ifndef DALIL_NODE_SYNC_DISK_H
#define DALIL_NODE_SYNC_DISK_H

#include "node/sync/chunk.h"
#include "proto/record.h"
#include "proto/tree.h"

/*
 * Purpose: what the sync machine asks of the disk.  A request comes out of it as an action; whoever
 * executes it (node/net over node/storage.h, a simulator in memory) fills ${result} and what the
 * kind gives back, and hands the same struct to sync_disk_done.
 *
 * Order: writes (kinds named PUT) are executed in the order in which they came out, and are done when
 * they are durable; they may be grouped into one batch.  SYNC_DISK_LEAF_PUT may overtake and be
 * overtaken, and the checks (sync_disk_check) may run on any thread, many at once.  Reads may run
 * at any time, in any order.
 * Ownership: the struct and everything in it belong to the executor while it has it; views point into
 * its chunk.  Whatever the executor puts in (chunk, entries) belongs to the struct afterwards.
 * Threads: the executor may fill it on a worker; sync_disk_done is the loop's.
 */

#define SYNC_READ_MAX 64   /* entries that one read brings */
#define SYNC_WANTS_MAX 256 /* leaves that one listing brings */
#define SYNC_CURSOR 16

enum sync_disk_kind {
	SYNC_DISK_LOG_PUT,       /* a log that is new here: comes before everything else about it */
	SYNC_DISK_STATEMENT_PUT, /* verified, and new here */
	SYNC_DISK_HEAD_PUT,      /* a verified checkpoint */
	SYNC_DISK_ENTRY_PUT,     /* the next record of a log, with parts */
	SYNC_DISK_LEAF_PUT,      /* one leaf of a payload */
	SYNC_DISK_WANTS,         /* which leaves are wanted */
	SYNC_DISK_PACKAGE,       /* subtree proof and leaf hashes */
	SYNC_DISK_ENTRIES,       /* records and their parts */
	SYNC_DISK_CONSISTENCY,   /* a proof between two sizes */
	SYNC_DISK_ROOT,          /* the root at an earlier size */
	SYNC_DISK_LEAF           /* one leaf and its proof */
};

struct sync_disk_log {
	uint8_t log[HASH_SIZE];
	uint8_t organisation[HASH_SIZE];
	char vkey[400]; /* text */
};

struct sync_disk_statement {
	uint8_t organisation[HASH_SIZE];
	struct view bytes; /* in the chunk */
};

struct sync_disk_head {
	uint8_t log[HASH_SIZE];
	uint64_t size;
	struct view note; /* in the chunk */
};

struct sync_part {
	uint8_t digest[HASH_SIZE];
	struct view bytes; /* in the chunk, verified against the digest */
};

struct sync_disk_entry {
	uint8_t log[HASH_SIZE];
	uint64_t index; /* must be the log's size: else ERR_CHANGED */
	uint8_t id[HASH_SIZE];
	struct view bytes; /* of the record, in the chunk */
	unsigned part_count;
	struct sync_part parts[PART_COUNT];
	uint8_t record_key[RECORD_KEY]; /* that the charter has enrolled for the log */
	/* Filled by sync_disk_check: */
	struct record record; /* where understood */
	bool understood;      /* it parses and names this log; else it is kept as opaque bytes */
	bool good; /* understood, and signed by the enrolled key: only then its payload is
	                         to be fetched */
};

struct sync_disk_leaf_put {
	uint8_t root[HASH_SIZE];
	uint64_t size; /* of the payload */
	uint64_t leaf;
	struct view bytes; /* in the chunk; NOT verified before sync_disk_check says so */
	struct tree_proof proof;
	/* Filled by sync_disk_check: */
	uint8_t hash[HASH_SIZE];
	/* Filled by the executor: */
	bool whole; /* with this leaf the payload became whole */
};

/* A leaf that a record names and that is not here. */
struct sync_want {
	uint8_t root[HASH_SIZE];
	uint64_t size;
	uint64_t leaf;
	uint8_t log[HASH_SIZE]; /* a log in which a record names it */
};

struct sync_disk_wants {
	uint8_t cursor[SYNC_CURSOR]; /* the executor's own; zeros: from the start, oldest first */
	unsigned count;              /* out: at most SYNC_WANTS_MAX; cursor moves behind them */
	bool end;                    /* out: nothing is behind them */
	struct sync_want *wants;     /* out: heap */
};

struct sync_disk_package {
	uint8_t log[HASH_SIZE];
	uint64_t start;
	uint64_t end;
	uint64_t size; /* of the tree that the proof leads to */
	struct tree_proof proof;
	uint8_t hashes[256][HASH_SIZE]; /* out: of [start, end) */
};

struct sync_entry_read {
	size_t record_size;
	unsigned part_count; /* those that are here */
	struct {
		uint8_t digest[HASH_SIZE];
		size_t size;
	} parts[PART_COUNT];
};

/* Out: at least one entry from ${from}, more while the chunk stays below ${budget} bytes. */
struct sync_disk_entries {
	uint8_t log[HASH_SIZE];
	uint64_t from;
	uint64_t to;
	size_t budget;
	unsigned count;                  /* out: at most SYNC_READ_MAX */
	struct sync_entry_read *entries; /* out: heap; in the chunk: record ‖ parts, one by one */
};

struct sync_disk_consistency {
	uint8_t log[HASH_SIZE];
	uint64_t from;
	uint64_t to;
	struct tree_proof proof;
};

struct sync_disk_root {
	uint8_t log[HASH_SIZE];
	uint64_t size;
	uint8_t root[HASH_SIZE];
};

/* Out: the leaf's bytes are the chunk. ERR_MISSING, ERR_NOT_FOUND, ERR_DAMAGED: it is not here. */
struct sync_disk_leaf {
	uint8_t root[HASH_SIZE];
	uint64_t size;
	uint64_t leaf;
	struct tree_proof proof;
};

struct sync_disk {
	enum sync_disk_kind kind;
	int result; /* 0 or a negative err_code */
	struct err err;
	struct chunk *chunk; /* what it holds on to, or what the read brought; NULL is possible */
	/* The machine's own: */
	uint64_t connection;
	uint64_t request;
	uint64_t item;
	size_t bytes;
	union {
		struct sync_disk_log log;
		struct sync_disk_statement statement;
		struct sync_disk_head head;
		struct sync_disk_entry entry;
		struct sync_disk_leaf_put leaf_put;
		struct sync_disk_wants wants;
		struct sync_disk_package package;
		struct sync_disk_entries entries;
		struct sync_disk_consistency consistency;
		struct sync_disk_root root;
		struct sync_disk_leaf leaf;
	} as;
};

/* Writes that the executor puts in order. */
bool sync_disk_writes(enum sync_disk_kind kind);
const char *sync_disk_name(enum sync_disk_kind kind);

/*
 * What an executor does first with every ENTRY_PUT and LEAF_PUT (for other kinds it does nothing): judge
 * the record, or verify the leaf by its inclusion proof.  Pure, any thread.  0; ERR_FORGED for a
 * leaf that is none of the payload: then complete it with that result and store nothing.
 */
int sync_disk_check(struct sync_disk *disk);

/* Drops the chunk and frees what the struct holds: for an executor that is shut down. NULL is fine. */
void sync_disk_free(struct sync_disk *disk);

#endif
