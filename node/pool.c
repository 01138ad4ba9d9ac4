/* Worker threads, and the pipeline of one large file. */
#include "node/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/hash.h"

#define SLOTS_MAX (POOL_THREADS_MAX + POOL_SLOTS_MORE)

struct slot {
	struct pool_leaf leaf;
	bool worked;
};

enum stage { STAGE_NONE, STAGE_TAKE, STAGE_WORK, STAGE_HASH, STAGE_PUT };

/* The pipeline under way. Counters are numbers of leaves; a leaf's slot is its number modulo slots. */
struct pipeline {
	const struct pool_stages *stages;
	void *cookie;
	uint64_t taken;
	uint64_t work_begun;
	uint64_t hashed;
	uint64_t put;
	bool taking;
	bool hashing;
	bool putting;
	bool ended; /* the last leaf is taken */
	unsigned running;
	int code;
	struct err err;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a step of the pipeline is done: who runs it, or waits to */
	pthread_cond_t work;    /* idle workers: a task, or a step that can be done */
	pthread_t ids[POOL_THREADS_MAX];
	unsigned threads; /* started */
	struct pool_thread own[POOL_THREADS_MAX + 1];
	struct pool_task *first;
	struct pool_task **end;
	bool stopping;
	struct pipeline *pipeline;
	unsigned slot_count;
	struct slot slots[SLOTS_MAX];
};

struct start {
	struct pool *pool;
	unsigned number;
};

static void
wake_all(struct pool *pool)
{
	(void)pthread_cond_broadcast(&pool->changed);
	(void)pthread_cond_broadcast(&pool->work);
}

/* What can be done next; slots never hold two leaves, so that bounds memory. */
static enum stage
next_stage(const struct pool *pool, const struct pipeline *pipeline, uint64_t *number)
{
	uint64_t behind = pipeline->put < pipeline->hashed ? pipeline->put : pipeline->hashed;

	if (pipeline->code != 0)
		return STAGE_NONE;
	*number = pipeline->put;
	if (!pipeline->putting && pipeline->put < pipeline->work_begun &&
	    pool->slots[*number % pool->slot_count].worked)
		return STAGE_PUT;
	*number = pipeline->hashed;
	if (!pipeline->hashing && pipeline->hashed < pipeline->taken &&
	    (!pipeline->stages->hash_after_work ||
	        (pipeline->hashed < pipeline->work_begun &&
	            pool->slots[*number % pool->slot_count].worked)))
		return STAGE_HASH;
	*number = pipeline->work_begun;
	if (pipeline->work_begun < pipeline->taken)
		return STAGE_WORK;
	*number = pipeline->taken;
	if (!pipeline->taking && !pipeline->ended && pipeline->taken - behind < pool->slot_count)
		return STAGE_TAKE;
	return STAGE_NONE;
}

static void
begin_stage(struct pool *pool, struct pipeline *pipeline, enum stage stage, struct slot *slot)
{
	(void)pool;
	pipeline->running++;
	switch (stage) {
	case STAGE_NONE:
		return;
	case STAGE_TAKE:
		pipeline->taking = true;
		slot->leaf.number = pipeline->taken;
		slot->leaf.last = false;
		slot->worked = false;
		return;
	case STAGE_WORK:
		pipeline->work_begun++;
		return;
	case STAGE_HASH:
		pipeline->hashing = true;
		return;
	case STAGE_PUT:
		pipeline->putting = true;
		return;
	}
}

static void
end_stage(
    struct pipeline *pipeline, enum stage stage, struct slot *slot, int code, const struct err *err)
{
	pipeline->running--;
	if (code != 0 && pipeline->code == 0) {
		pipeline->code = code;
		pipeline->err = *err;
	}
	switch (stage) {
	case STAGE_NONE:
		return;
	case STAGE_TAKE:
		pipeline->taking = false;
		pipeline->taken += code == 0;
		pipeline->ended = slot->leaf.last;
		return;
	case STAGE_WORK:
		slot->worked = true;
		return;
	case STAGE_HASH:
		pipeline->hashing = false;
		pipeline->hashed++;
		return;
	case STAGE_PUT:
		pipeline->putting = false;
		pipeline->put++;
		return;
	}
}

static int
run_stage(const struct pipeline *pipeline, enum stage stage, struct pool_leaf *leaf,
    struct pool_thread *thread, struct err *err)
{
	switch (stage) {
	case STAGE_NONE:
		return 0;
	case STAGE_TAKE:
		return pipeline->stages->take(pipeline->cookie, leaf, thread, err);
	case STAGE_WORK:
		return pipeline->stages->work(pipeline->cookie, leaf, thread, err);
	case STAGE_HASH:
		return pipeline->stages->hash(pipeline->cookie, leaf, thread, err);
	case STAGE_PUT:
		return pipeline->stages->put(pipeline->cookie, leaf, thread, err);
	}
	return 0;
}

/* Do one step of the pipeline, if there is one to do now. Called and left with the lock held. */
static bool
step(struct pool *pool, struct pool_thread *thread)
{
	struct pipeline *pipeline = pool->pipeline;
	struct err err = {.code = 0};
	enum stage stage;
	struct slot *slot;
	uint64_t number;
	int code;

	if (pipeline == NULL)
		return false;
	stage = next_stage(pool, pipeline, &number);
	if (stage == STAGE_NONE)
		return false;
	slot = &pool->slots[number % pool->slot_count];
	begin_stage(pool, pipeline, stage, slot);
	(void)pthread_mutex_unlock(&pool->lock);
	code = run_stage(pipeline, stage, &slot->leaf, thread, &err);
	(void)pthread_mutex_lock(&pool->lock);
	end_stage(pipeline, stage, slot, code, &err);
	wake_all(pool);
	return true;
}

static bool
pipeline_over(const struct pipeline *pipeline)
{
	if (pipeline->running > 0)
		return false;
	return pipeline->code != 0 || (pipeline->ended && pipeline->put == pipeline->taken &&
	                                  pipeline->hashed == pipeline->taken);
}

static int
make_slots(struct pool *pool, struct err *err)
{
	unsigned i;

	for (i = 0; i < pool->slot_count; i++) {
		struct pool_leaf *leaf = &pool->slots[i].leaf;

		if (leaf->plain == NULL)
			leaf->plain = malloc(POOL_PLAIN);
		if (leaf->sealed == NULL)
			leaf->sealed = malloc(POOL_SEALED);
		if (leaf->plain == NULL || leaf->sealed == NULL)
			return err_set(err, ERR_MEMORY, "no memory for the leaves of a file");
	}
	return 0;
}

int
pool_pipeline(struct pool *pool, struct pool_thread *thread, const struct pool_stages *stages,
    void *cookie, struct err *err)
{
	struct pipeline pipeline = {.stages = stages, .cookie = cookie};
	int code;

	(void)pthread_mutex_lock(&pool->lock);
	while (pool->pipeline != NULL) {
		if (!step(pool, thread))
			(void)pthread_cond_wait(&pool->changed, &pool->lock);
	}
	code = make_slots(pool, err);
	if (code == 0) {
		pool->pipeline = &pipeline;
		wake_all(pool);
		while (!pipeline_over(&pipeline)) {
			if (!step(pool, thread))
				(void)pthread_cond_wait(&pool->changed, &pool->lock);
		}
		pool->pipeline = NULL;
		wake_all(pool);
		code = pipeline.code;
		if (code != 0 && err != NULL)
			*err = pipeline.err;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return code;
}

static void *
thread_main(void *cookie)
{
	struct start *start = cookie;
	struct pool *pool = start->pool;
	struct pool_thread *thread = &pool->own[start->number];

	free(start);
	(void)pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct pool_task *task;

		if (step(pool, thread))
			continue;
		task = pool->first;
		if (task == NULL && pool->stopping)
			break;
		if (task == NULL) {
			(void)pthread_cond_wait(&pool->work, &pool->lock);
			continue;
		}
		pool->first = task->next;
		if (pool->first == NULL)
			pool->end = &pool->first;
		(void)pthread_mutex_unlock(&pool->lock);
		task->run(task, thread);
		(void)pthread_mutex_lock(&pool->lock);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	hash_thread_end();
	return NULL;
}

static unsigned
core_count(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (cores < 2)
		return 2;
	return cores > POOL_THREADS_MAX ? POOL_THREADS_MAX : (unsigned)cores;
}

static int
make_own(struct pool_thread *own, unsigned number)
{
	own->number = number;
	own->aead = aead_new();
	own->plain = malloc(POOL_PLAIN);
	own->sealed = malloc(POOL_SEALED);
	return own->aead == NULL || own->plain == NULL || own->sealed == NULL ? ERR_MEMORY : 0;
}

static int
start_thread(struct pool *pool)
{
	struct start *start = malloc(sizeof(*start));

	if (start == NULL)
		return ERR_MEMORY;
	*start = (struct start){.pool = pool, .number = pool->threads};
	if (pthread_create(&pool->ids[pool->threads], NULL, thread_main, start) != 0) {
		free(start);
		return ERR_MEMORY;
	}
	pool->threads++;
	return 0;
}

int
pool_new(struct pool **result, unsigned threads, struct err *err)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	unsigned i;
	int code = 0;

	*result = NULL;
	if (pool == NULL)
		return err_set(err, ERR_MEMORY, "no memory for worker threads");
	if (threads == 0)
		threads = core_count();
	if (threads > POOL_THREADS_MAX)
		threads = POOL_THREADS_MAX;
	pool->end = &pool->first;
	pool->slot_count = threads + POOL_SLOTS_MORE;
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->changed, NULL);
	(void)pthread_cond_init(&pool->work, NULL);
	for (i = 0; i <= threads && code == 0; i++)
		code = make_own(&pool->own[i], i);
	(void)pthread_mutex_lock(&pool->lock);
	for (i = 0; i < threads && code == 0; i++)
		code = start_thread(pool);
	(void)pthread_mutex_unlock(&pool->lock);
	if (code != 0) {
		pool_free(pool);
		return err_set(err, ERR_MEMORY, "cannot start %u worker threads", threads);
	}
	*result = pool;
	return 0;
}

void
pool_free(struct pool *pool)
{
	unsigned i;

	if (pool == NULL)
		return;
	(void)pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	wake_all(pool);
	(void)pthread_mutex_unlock(&pool->lock);
	for (i = 0; i < pool->threads; i++)
		(void)pthread_join(pool->ids[i], NULL);
	for (i = 0; i <= POOL_THREADS_MAX; i++) {
		aead_free(pool->own[i].aead);
		free(pool->own[i].plain);
		free(pool->own[i].sealed);
	}
	for (i = 0; i < SLOTS_MAX; i++) {
		free(pool->slots[i].leaf.plain);
		free(pool->slots[i].leaf.sealed);
	}
	(void)pthread_cond_destroy(&pool->changed);
	(void)pthread_cond_destroy(&pool->work);
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool);
}

unsigned
pool_threads(const struct pool *pool)
{
	return pool->threads;
}

struct pool_thread *
pool_thread_at(struct pool *pool, unsigned number)
{
	return &pool->own[number];
}

void
pool_submit(struct pool *pool, struct pool_task *task)
{
	task->next = NULL;
	(void)pthread_mutex_lock(&pool->lock);
	*pool->end = task;
	pool->end = &task->next;
	(void)pthread_cond_signal(&pool->work);
	(void)pthread_mutex_unlock(&pool->lock);
}
