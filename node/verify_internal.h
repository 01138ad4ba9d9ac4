#ifndef DALIL_NODE_VERIFY_INTERNAL_H
#define DALIL_NODE_VERIFY_INTERNAL_H

#include <pthread.h>

#include "node/archive_reader.h"
#include "proto/judge.h"

/*
 * Purpose: what the files of a verification share.
 *
 *   verify_run.c      ranges of entries, handed to workers and told of in order
 *   verify_exhibit.c  one exhibit
 *   verify_log.c      the tree of a log against its checkpoint
 *
 * A range is up to VERIFY_RANGE consecutive entries of one log.  Each worker has a judge for
 * each log, which it feeds with the charter records before what it judges; ranges come to a worker in
 * order, so none is fed twice.
 */

#define VERIFY_RANGE 64
#define VERIFY_WINDOW 32 /* ranges under way */
#define VERIFY_PROBLEMS 8
#define VERIFY_NAME 256

struct verify_item {
	uint8_t id[HASH_SIZE];
	uint64_t index;
	bool readable_entry; /* id is what the record hashes to */
	bool is_exhibit;
	enum verify_result result;
	bool ciphertext_only;
	bool is_signed;
	unsigned problem_count;
	char *problems[VERIFY_PROBLEMS]; /* heap */
	char *name;                      /* heap, or NULL */
	size_t name_size;
};

struct range {
	struct pool_task task;
	struct verify *verify;
	uint32_t log;
	uint64_t first;
	unsigned count;
	bool over;
	int code; /* the checks could not be made */
	struct err err;
	struct verify_item items[VERIFY_RANGE];
};

struct log_judge {
	struct judge *judge;
	uint64_t fed; /* entries before this have been fed, as far as they change anything */
	int refused;  /* the log does not begin with its charter */
};

struct verify_worker {
	struct archive_reader *reader;
	struct log_judge *judges; /* one a log */
	struct snapshot *snapshot;
	struct buffer record;
	struct buffer part;
	uint8_t id[HASH_SIZE];
};

struct verify {
	struct archive *archive;
	struct verify_options options;
	struct verify_summary *summary;
	struct pool *pool;
	uint32_t logs;
	bool all;
	bool compared; /* the index with the journal: once, while the workers have work */
	struct verify_worker workers[POOL_THREADS_MAX];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t bytes; /* of payloads read */
	uint64_t all_bytes;
	struct range *window[VERIFY_WINDOW];
	uint64_t begun;
	uint64_t told;
	struct log_tree *tree; /* of the log whose ranges are being told of; verify_log.c */
};

/* verify_exhibit.c: check entry ${item}->index of ${log}; nonzero: the check could not be made. */
int verify_entry(struct verify *verify, struct verify_worker *worker, struct pool_thread *thread,
    uint32_t log, struct verify_item *item, struct err *err);
void verify_item_fini(struct verify_item *item);
/* One more problem of an item, and what it makes of the result (the worst stays). */
void verify_problem(struct verify_item *item, enum verify_result result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* verify_log.c: the tree of one log, fed with leaf hashes in order. */
struct log_tree;
int log_tree_new(struct log_tree **tree, struct verify *verify, uint32_t log, struct err *err);
void log_tree_add(struct log_tree *tree, struct verify *verify, const struct verify_item *item);
/* Tells what does not hold, and frees. */
void log_tree_finish(struct log_tree *tree, struct verify *verify);
/* A problem that is not of one exhibit. */
void
verify_tell(struct verify *verify, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
