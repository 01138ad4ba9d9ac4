#include "node/net/executor_internal.h"

#include <stdlib.h>

/*
 * The happy path: a read goes to a worker and comes back.  A write is checked on a worker, waits
 * for those before it, and is written in a group with those behind it.
 *
 * Possible failures: the store's, which each request carries back as its result; no memory for a
 * job: the request comes back with ERR_MEMORY.
 */

#define GROUP_JOBS 1000u
#define GROUP_BYTES ((size_t)16 << 20)

struct queue {
	struct job *first;
	struct job **last;
	struct job *running; /* the group on its worker */
	uv_work_t work;
};

struct executor {
	uv_loop_t *loop;
	struct storage *storage;
	executor_done *done;
	void *cookie;
	unsigned jobs; /* not come back yet */
	struct queue writes;
	struct queue leaves;
	struct payload_fetch *fetch; /* the leaves' worker's, while one runs */
};

static void pump_writes(struct executor *executor);
static void pump_leaves(struct executor *executor);

struct executor *
executor_new(uv_loop_t *loop, struct storage *storage, executor_done *done, void *cookie)
{
	struct executor *executor = calloc(1, sizeof(*executor));

	if (executor == NULL)
		return NULL;
	executor->loop = loop;
	executor->storage = storage;
	executor->done = done;
	executor->cookie = cookie;
	executor->writes.last = &executor->writes.first;
	executor->leaves.last = &executor->leaves.first;
	executor->writes.work.data = executor;
	executor->leaves.work.data = executor;
	return executor;
}

void
executor_free(struct executor *executor)
{
	if (executor == NULL)
		return;
	payload_fetch_free(executor->fetch);
	free(executor);
}

bool
executor_idle(const struct executor *executor)
{
	return executor->jobs == 0;
}

static void
give_back(struct job *job)
{
	struct executor *executor = job->executor;
	struct sync_disk *request = job->request;
	executor_after *after = job->after;
	void *argument = job->argument;

	free(job);
	executor->jobs--;
	if (request != NULL)
		executor->done(executor->cookie, request);
	else
		after(argument);
}

static struct job *
job_new(struct executor *executor)
{
	struct job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->executor = executor;
	job->work.data = job;
	executor->jobs++;
	return job;
}

static void
enqueue(struct queue *queue, struct job *job)
{
	*queue->last = job;
	queue->last = &job->next;
}

/* Take the first jobs that are ready, as many as ${jobs} and ${bytes} allow and at least one. */
static void
take_group(struct queue *queue)
{
	struct job **end = &queue->first;
	size_t bytes = 0;
	unsigned count = 0;

	while (*end != NULL && (*end)->ready && (*end)->request != NULL && count < GROUP_JOBS &&
	       bytes < GROUP_BYTES) {
		if ((*end)->request->chunk != NULL)
			bytes += (*end)->request->chunk->bytes.size;
		count++;
		end = &(*end)->next;
	}
	/* What runs alone is a group of one. */
	if (count == 0 && queue->first != NULL && queue->first->request == NULL)
		end = &queue->first->next;
	queue->running = queue->first;
	if (end == &queue->first) {
		queue->running = NULL;
		return;
	}
	queue->first = *end;
	*end = NULL;
	if (queue->first == NULL)
		queue->last = &queue->first;
}

static void
give_back_all(struct queue *queue)
{
	struct job *job = queue->running;

	queue->running = NULL;
	while (job != NULL) {
		struct job *next = job->next;

		give_back(job);
		job = next;
	}
}

static void
writes_work(uv_work_t *work)
{
	struct executor *executor = work->data;
	struct job *job = executor->writes.running;

	if (job->request == NULL)
		job->run(job->argument);
	else
		executor_write(executor->storage, job);
}

static void
writes_after(uv_work_t *work, int status)
{
	struct executor *executor = work->data;

	(void)status;
	give_back_all(&executor->writes);
	pump_writes(executor);
}

static void
pump_writes(struct executor *executor)
{
	if (executor->writes.running != NULL || executor->writes.first == NULL)
		return;
	take_group(&executor->writes);
	if (executor->writes.running == NULL)
		return;
	if (uv_queue_work(executor->loop, &executor->writes.work, writes_work, writes_after) != 0)
		abort(); /* it fails only without a function to call */
}

static void
leaves_work(uv_work_t *work)
{
	struct executor *executor = work->data;

	executor_write_leaves(executor->storage, &executor->fetch, executor->leaves.running);
}

static void
leaves_after(uv_work_t *work, int status)
{
	struct executor *executor = work->data;

	(void)status;
	give_back_all(&executor->leaves);
	pump_leaves(executor);
}

static void
pump_leaves(struct executor *executor)
{
	if (executor->leaves.running != NULL || executor->leaves.first == NULL)
		return;
	take_group(&executor->leaves);
	if (uv_queue_work(executor->loop, &executor->leaves.work, leaves_work, leaves_after) != 0)
		abort();
}

static void
check_work(uv_work_t *work)
{
	struct job *job = work->data;

	job->request->result = sync_disk_check(job->request);
}

/* A leaf that is none goes straight back; an entry keeps its place and is written as it is. */
static void
check_after(uv_work_t *work, int status)
{
	struct job *job = work->data;
	struct executor *executor = job->executor;

	(void)status;
	job->ready = true;
	if (job->request->kind != SYNC_DISK_LEAF_PUT) {
		pump_writes(executor);
	} else if (job->request->result != ERR_NONE) {
		give_back(job);
	} else {
		enqueue(&executor->leaves, job);
		pump_leaves(executor);
	}
}

static void
read_work(uv_work_t *work)
{
	struct job *job = work->data;

	executor_read(job->executor->storage, job->request);
}

static void
read_after(uv_work_t *work, int status)
{
	(void)status;
	give_back(work->data);
}

void
executor_submit(struct executor *executor, struct sync_disk *request)
{
	struct job *job = job_new(executor);

	if (job == NULL) {
		request->result = err_set(&request->err, ERR_MEMORY, "no memory for disk work");
		executor->done(executor->cookie, request);
		return;
	}
	job->request = request;
	if (!sync_disk_writes(request->kind)) {
		(void)uv_queue_work(executor->loop, &job->work, read_work, read_after);
		return;
	}
	if (request->kind != SYNC_DISK_LEAF_PUT)
		enqueue(&executor->writes, job);
	if (request->kind == SYNC_DISK_LEAF_PUT || request->kind == SYNC_DISK_ENTRY_PUT) {
		(void)uv_queue_work(executor->loop, &job->work, check_work, check_after);
	} else {
		job->ready = true;
		pump_writes(executor);
	}
}

int
executor_alone(
    struct executor *executor, executor_work *work, executor_after *after, void *argument)
{
	struct job *job = job_new(executor);

	if (job == NULL)
		return ERR_MEMORY;
	job->run = work;
	job->after = after;
	job->argument = argument;
	job->ready = true;
	enqueue(&executor->writes, job);
	pump_writes(executor);
	return ERR_NONE;
}
