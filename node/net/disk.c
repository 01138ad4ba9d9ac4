#include "node/net/disk_internal.h"

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

struct disk {
	uv_loop_t *loop;
	struct storage *storage;
	disk_done *done;
	void *cookie;
	unsigned jobs; /* not come back yet */
	struct queue writes;
	struct queue leaves;
	struct payload_fetch *fetch; /* the leaves' worker's, while one runs */
};

static void pump_writes(struct disk *disk);
static void pump_leaves(struct disk *disk);

struct disk *
executor_new(uv_loop_t *loop, struct storage *storage, disk_done *done, void *cookie)
{
	struct disk *disk = calloc(1, sizeof(*disk));

	if (disk == NULL)
		return NULL;
	disk->loop = loop;
	disk->storage = storage;
	disk->done = done;
	disk->cookie = cookie;
	disk->writes.last = &disk->writes.first;
	disk->leaves.last = &disk->leaves.first;
	disk->writes.work.data = disk;
	disk->leaves.work.data = disk;
	return disk;
}

void
disk_free(struct disk *disk)
{
	if (disk == NULL)
		return;
	payload_fetch_free(disk->fetch);
	free(disk);
}

bool
disk_idle(const struct disk *disk)
{
	return disk->jobs == 0;
}

static void
give_back(struct job *job)
{
	struct disk *disk = job->disk;
	struct sync_disk *request = job->request;
	disk_after *after = job->after;
	void *argument = job->argument;

	free(job);
	disk->jobs--;
	if (request != NULL)
		disk->done(disk->cookie, request);
	else
		after(argument);
}

static struct job *
job_new(struct disk *disk)
{
	struct job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->disk = disk;
	job->work.data = job;
	disk->jobs++;
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
	struct disk *disk = work->data;
	struct job *job = disk->writes.running;

	if (job->request == NULL)
		job->run(job->argument);
	else
		executor_write(disk->storage, job);
}

static void
writes_after(uv_work_t *work, int status)
{
	struct disk *disk = work->data;

	(void)status;
	give_back_all(&disk->writes);
	pump_writes(disk);
}

static void
pump_writes(struct disk *disk)
{
	if (disk->writes.running != NULL || disk->writes.first == NULL)
		return;
	take_group(&disk->writes);
	if (disk->writes.running == NULL)
		return;
	if (uv_queue_work(disk->loop, &disk->writes.work, writes_work, writes_after) != 0)
		abort(); /* it fails only without a function to call */
}

static void
leaves_work(uv_work_t *work)
{
	struct disk *disk = work->data;

	disk_write_leaves(disk->storage, &disk->fetch, disk->leaves.running);
}

static void
leaves_after(uv_work_t *work, int status)
{
	struct disk *disk = work->data;

	(void)status;
	give_back_all(&disk->leaves);
	pump_leaves(disk);
}

static void
pump_leaves(struct disk *disk)
{
	if (disk->leaves.running != NULL || disk->leaves.first == NULL)
		return;
	take_group(&disk->leaves);
	if (uv_queue_work(disk->loop, &disk->leaves.work, leaves_work, leaves_after) != 0)
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
	struct disk *disk = job->disk;

	(void)status;
	job->ready = true;
	if (job->request->kind != SYNC_DISK_LEAF_PUT) {
		pump_writes(disk);
	} else if (job->request->result != ERR_NONE) {
		give_back(job);
	} else {
		enqueue(&disk->leaves, job);
		pump_leaves(disk);
	}
}

static void
read_work(uv_work_t *work)
{
	struct job *job = work->data;

	disk_read(job->disk->storage, job->request);
}

static void
read_after(uv_work_t *work, int status)
{
	(void)status;
	give_back(work->data);
}

void
disk_submit(struct disk *disk, struct sync_disk *request)
{
	struct job *job = job_new(disk);

	if (job == NULL) {
		request->result = err_set(&request->err, ERR_MEMORY, "no memory for disk work");
		disk->done(disk->cookie, request);
		return;
	}
	job->request = request;
	if (!sync_disk_writes(request->kind)) {
		(void)uv_queue_work(disk->loop, &job->work, read_work, read_after);
		return;
	}
	if (request->kind != SYNC_DISK_LEAF_PUT)
		enqueue(&disk->writes, job);
	if (request->kind == SYNC_DISK_LEAF_PUT || request->kind == SYNC_DISK_ENTRY_PUT) {
		(void)uv_queue_work(disk->loop, &job->work, check_work, check_after);
	} else {
		job->ready = true;
		pump_writes(disk);
	}
}

int
disk_alone(struct disk *disk, disk_work *work, disk_after *after, void *argument)
{
	struct job *job = job_new(disk);

	if (job == NULL)
		return ERR_MEMORY;
	job->run = work;
	job->after = after;
	job->argument = argument;
	job->ready = true;
	enqueue(&disk->writes, job);
	pump_writes(disk);
	return ERR_NONE;
}
