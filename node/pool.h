#ifndef DALIL_NODE_POOL_H
#define DALIL_NODE_POOL_H

#include "proto/aead.h"
#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: worker threads for the archive, and the pipeline by which all of them work on one
 * large file leaf by leaf, so that reading, hashing, encryption, leaf hashing and disk overlap.
 *
 * Tasks run in the order in which they were submitted, one a thread.  A pipeline is run by whoever calls
 * pool_pipeline (a task, or the thread that owns the pool); idle workers help it.  There is one at a
 * time: a second caller helps the first until it is through.
 *
 * Memory: two buffers of a leaf for each thread that asks for them, and POOL_SLOTS_MORE + threads
 * pairs of them for the pipeline; all made at the first use.
 *
 * Threads: pool_submit from any thread; pool_free from the owner, when all tasks are done.
 */

#define POOL_THREADS_MAX 8
#define POOL_SLOTS_MORE 4
#define POOL_PLAIN 1048576  /* room of a plain buffer: a leaf's plaintext */
#define POOL_SEALED 1048832 /* and of a sealed one */

struct pool;

/* What one thread has of its own: AEAD context, buffers of a leaf, something of the caller's. */
struct pool_thread {
	unsigned number; /* below pool_threads + 1: the last is the owner's, in pool_pipeline */
	struct aead *aead;
	uint8_t *plain;  /* POOL_PLAIN */
	uint8_t *sealed; /* POOL_SEALED */
	void *own;
};

struct pool_task {
	void (*run)(struct pool_task *task, struct pool_thread *thread);
	struct pool_task *next; /* the pool's */
};

/* ${threads} 0: the number of cores, at least 2. */
int pool_new(struct pool **pool, unsigned threads, struct err *err);
void pool_free(struct pool *pool); /* joins; NULL is fine */
unsigned pool_threads(const struct pool *pool);
/* Thread ${number}, to set its ${own} before the first task; pool_threads is the owner. */
struct pool_thread *pool_thread_at(struct pool *pool, unsigned number);
/* The task lives until it has run. */
void pool_submit(struct pool *pool, struct pool_task *task);

/* One leaf on its way. */
struct pool_leaf {
	uint64_t number;
	bool last;         /* set by take */
	uint8_t *plain;    /* POOL_PLAIN bytes of room */
	size_t plain_size; /* padding included */
	size_t data_size;  /* of these, bytes of the file */
	uint8_t *sealed;   /* POOL_SEALED bytes of room */
	size_t sealed_size;
	uint8_t hash[HASH_SIZE];
};

/*
 * take and put run for one leaf at a time, in order; work runs for many at once; hash for one at a
 * time, in order.  Each leaf goes take, work, put; hash comes after take, or with hash_after_work
 * after work, and runs beside the rest.  An error of any ends the pipeline.
 */
struct pool_stages {
	int (*take)(
	    void *cookie, struct pool_leaf *leaf, struct pool_thread *thread, struct err *err);
	int (*work)(
	    void *cookie, struct pool_leaf *leaf, struct pool_thread *thread, struct err *err);
	int (*hash)(
	    void *cookie, struct pool_leaf *leaf, struct pool_thread *thread, struct err *err);
	int (*put)(
	    void *cookie, struct pool_leaf *leaf, struct pool_thread *thread, struct err *err);
	bool hash_after_work;
};

/* Until take has said that a leaf is the last and that one is through.  ${thread}: the caller's own. */
int pool_pipeline(struct pool *pool, struct pool_thread *thread, const struct pool_stages *stages,
    void *cookie, struct err *err);

#endif
