/* The committer: what workers made becomes durable, in batches that share every sync. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/deposit_internal.h"

/* What a job holds beyond its result. */
static void
release(struct job *job)
{
	unsigned part;

	payload_writer_free(job->writer);
	job->writer = NULL;
	if (job->has_location)
		storage_location_fini(&job->location);
	job->has_location = false;
	buffer_fini(&job->record);
	for (part = 0; part < PART_COUNT; part++)
		buffer_fini(&job->parts[part]);
}

/* With run->lock held. */
static void
set_over(struct job *job)
{
	struct deposit_run *run = job->run;

	job->state = JOB_OVER;
	if (&run->window[run->reported % DEPOSIT_WINDOW] == job)
		(void)pthread_cond_signal(&run->told);
}

/* Trouble of the store, not of the file, ends the run. */
static bool
ends_run(int code)
{
	switch ((enum err_code)code) {
	case ERR_FULL:
	case ERR_INDEX:
	case ERR_DAMAGED:
	case ERR_MEMORY:
		return true;
	case ERR_NONE:
	case ERR_MALFORMED:
	case ERR_FORGED:
	case ERR_MISSING:
	case ERR_NOT_FOUND:
	case ERR_REFUSED:
	case ERR_LOCKED:
	case ERR_USAGE:
	case ERR_EXISTS:
	case ERR_LIMIT:
	case ERR_IO:
	case ERR_NETWORK:
	case ERR_TIMEOUT:
	case ERR_CHANGED:
	case ERR_UNKNOWN:
	case ERR_VERSION:
	case ERR_CANCELLED:
		return false;
	}
	return false;
}

void
deposit_hand_over(struct job *job)
{
	struct deposit_run *run = job->run;
	bool over = job->result.code != 0 || job->result.already || run->options.dry_run;

	if (over)
		release(job);
	(void)pthread_mutex_lock(&run->lock);
	if (over) {
		if (ends_run(job->result.code) && run->fatal.code == 0)
			run->fatal = job->err;
		if (run->fatal.code != 0)
			(void)pthread_cond_signal(&run->told);
		set_over(job);
	} else {
		while (run->pending_bytes > DEPOSIT_PENDING)
			(void)pthread_cond_wait(&run->taken, &run->lock);
		job->next = NULL;
		*run->pending_end = job;
		run->pending_end = &job->next;
		run->pending_count++;
		run->pending_bytes += job->bytes;
		run->pending_payload += job->location.payload.size;
	}
	run->working--;
	if (run->pending_count == 1 || deposit_due(run) || (run->finishing && deposit_idle(run)))
		(void)pthread_cond_signal(&run->due);
	(void)pthread_mutex_unlock(&run->lock);
}

/* ---- known files ---------------------------------------------------------------------------- */

void
deposit_known(const struct deposit_run *run, uint8_t known[static HASH_SIZE], const uint8_t *sha256)
{
	struct view view = view_of(sha256, HASH_SIZE);

	hash_hmac(known, view_of(run->known_key, HASH_SIZE), &view, 1);
}

int
deposit_lookup(const struct deposit_run *run, struct snapshot *snapshot,
    const uint8_t known[static HASH_SIZE], struct deposit_result *result, struct err *err)
{
	struct storage_place places[8];
	size_t count = 0;
	size_t i;
	int code = snapshot_known(snapshot, result->id, known, err);

	if (code == 0)
		code = snapshot_find(snapshot, places, 8, &count, result->id, 64, err);
	if (code == 0 && count == 0)
		return ERR_NOT_FOUND;
	for (i = 0; code == 0 && i < count; i++) {
		if (i == 0 || places[i].log == run->archive->self.number)
			result->index = places[i].index;
	}
	return code;
}

/* ---- batches -------------------------------------------------------------------------------- */

bool
deposit_idle(const struct deposit_run *run)
{
	return run->working == 0 && run->begun == run->added;
}

bool
deposit_due(const struct deposit_run *run)
{
	if (run->pending_count == 0)
		return false;
	return run->pending_count >= DEPOSIT_BATCH || run->pending_bytes >= DEPOSIT_PENDING / 2 ||
	       run->pending_payload >= DEPOSIT_SYNC_BYTES || deposit_idle(run);
}

/* Give a first pending job a moment of company, but not more. */
static void
linger(struct deposit_run *run)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += DEPOSIT_LINGER_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	while (!deposit_due(run)) {
		if (pthread_cond_timedwait(&run->due, &run->lock, &until) != 0)
			return;
	}
}

/* Wait until a batch is due and take it; NULL when the run is over. With run->lock held. */
static struct job *
take_pending(struct deposit_run *run)
{
	struct job *list;

	while (run->pending_count == 0) {
		if (run->finishing && deposit_idle(run))
			return NULL;
		(void)pthread_cond_wait(&run->due, &run->lock);
	}
	linger(run);
	list = run->pending;
	run->pending = NULL;
	run->pending_end = &run->pending;
	run->pending_count = 0;
	run->pending_bytes = 0;
	run->pending_payload = 0;
	(void)pthread_cond_broadcast(&run->taken);
	return list;
}

/* Small files go on into the other writer while this one is synced. */
static int
sync_payloads(struct deposit_run *run, struct job *list, struct err *err)
{
	struct payload_writer *writer;
	int code = 0;

	(void)pthread_mutex_lock(&run->writer_lock);
	writer = run->writers[run->active];
	run->active = 1 - run->active;
	(void)pthread_mutex_unlock(&run->writer_lock);
	if (writer != NULL)
		code = payload_writer_sync(writer, err);
	for (; list != NULL && code == 0; list = list->next) {
		if (list->writer != NULL)
			code = payload_writer_sync(list->writer, err);
	}
	return code;
}

static int
append_job(struct deposit_run *run, struct batch *batch, struct job *job, struct err *err)
{
	struct storage_part_given parts[PART_COUNT];
	struct storage_append append = {.kind = RECORD_DEPOSIT,
	    .record = buffer_view(&job->record),
	    .payload = &job->location.payload,
	    .known = job->has_known ? job->known : NULL,
	    .parts = parts};
	unsigned part;
	int code;

	if (job->has_known && !run->options.again) {
		code = deposit_lookup(run, batch_snapshot(batch), job->known, &job->result, err);
		if (code == 0)
			job->result.already = true;
		if (code != ERR_NOT_FOUND)
			return code;
	}
	for (part = 0; part < PART_COUNT; part++) {
		if (job->part_digests.digests[part] != NULL)
			parts[append.part_count++] = archive_part_given(
			    &job->part_digests, (enum part)part, buffer_view(&job->parts[part]));
	}
	code = batch_payload(batch, &job->location, err);
	if (code == 0)
		code = log_append(batch, run->archive->self.number, &append, 1, err);
	if (code == 0) {
		memcpy(job->result.id, append.id, HASH_SIZE);
		job->result.index = append.place.index;
	}
	return code;
}

/* The first exhibit of a log comes after the log's `share` (design 6). */
static int
append_first_share(struct deposit_run *run, struct batch *batch, struct err *err)
{
	uint64_t index;
	int code;

	if (run->options.share_count == 0)
		return 0;
	code = snapshot_kind_last(
	    batch_snapshot(batch), &index, run->archive->self.number, (uint8_t)RECORD_SHARE, err);
	if (code != ERR_NOT_FOUND)
		return code;
	return archive_append_share(run->archive, batch, run->record_secret,
	    (const uint8_t(*)[HASH_SIZE])run->share, run->options.share_count, archive_now(), err);
}

static int
commit(struct deposit_run *run, struct job *list, struct err *err)
{
	struct batch *batch = NULL;
	struct job *job;
	int code = sync_payloads(run, list, err);

	if (code == 0)
		code = batch_begin(run->archive->storage, &batch, err);
	if (code != 0)
		return code;
	code = append_first_share(run, batch, err);
	for (job = list; job != NULL && code == 0; job = job->next)
		code = append_job(run, batch, job, err);
	if (code == 0)
		return batch_commit(batch, err);
	batch_abort(batch);
	return code;
}

void *
deposit_commit_main(void *cookie)
{
	struct deposit_run *run = cookie;
	struct job *list;

	(void)pthread_mutex_lock(&run->lock);
	while ((list = take_pending(run)) != NULL) {
		struct err err = {.code = 0};
		struct job *job;
		int code = run->fatal.code;

		(void)pthread_mutex_unlock(&run->lock);
		if (code == 0)
			code = commit(run, list, &err);
		for (job = list; job != NULL; job = job->next)
			release(job);
		(void)pthread_mutex_lock(&run->lock);
		if (code != 0 && run->fatal.code == 0) {
			run->fatal = err;
			run->fatal.code = code;
			(void)pthread_cond_signal(&run->told);
		}
		while (list != NULL) {
			job = list;
			list = job->next;
			job->result.code = code;
			if (code != 0) {
				job->result.already = false;
				job->err = run->fatal;
			}
			set_over(job);
		}
	}
	(void)pthread_mutex_unlock(&run->lock);
	hash_thread_end();
	return NULL;
}
