/* A verification: ranges of entries go to workers, and are told of in order. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/store/store.h"
#include "node/verify_internal.h"

static void
range_work(struct pool_task *task, struct pool_thread *thread)
{
	struct range *range = (struct range *)((char *)task - offsetof(struct range, task));
	struct verify *verify = range->verify;
	struct verify_worker *worker = thread->own;
	unsigned i;

	for (i = 0; i < range->count && range->code == 0; i++) {
		range->items[i].index = range->first + i;
		range->code =
		    verify_entry(verify, worker, thread, range->log, &range->items[i], &range->err);
	}
	snapshot_end(worker->snapshot);
	worker->snapshot = NULL;
	(void)pthread_mutex_lock(&verify->lock);
	range->over = true;
	(void)pthread_cond_broadcast(&verify->changed);
	(void)pthread_mutex_unlock(&verify->lock);
}

/* ---- telling -------------------------------------------------------------------------------- */

static void
count_item(struct verify_summary *summary, const struct verify_item *item)
{
	summary->exhibits++;
	switch (item->result) {
	case VERIFY_INTACT:
		summary->intact++;
		summary->ciphertext_only += item->ciphertext_only;
		return;
	case VERIFY_DAMAGED:
		summary->damaged++;
		return;
	case VERIFY_MISSING:
		summary->missing++;
		return;
	}
}

static void
tell_item(struct verify *verify, uint32_t log, const struct verify_item *item)
{
	struct verify_exhibit exhibit = {.place = {.log = log, .index = item->index},
	    .result = item->result,
	    .ciphertext_only = item->ciphertext_only,
	    .is_signed = item->is_signed,
	    .problem_count = item->problem_count,
	    .problems = (const char *const *)item->problems,
	    .name = view_of(item->name == NULL ? "" : item->name, item->name_size)};
	unsigned i;

	if (!item->is_exhibit) {
		for (i = 0; i < item->problem_count; i++)
			verify_tell(verify, "record %llu of log %u: %s",
			    (unsigned long long)item->index, log, item->problems[i]);
		return;
	}
	memcpy(exhibit.id, item->id, HASH_SIZE);
	count_item(verify->summary, item);
	if (verify->options.done != NULL)
		verify->options.done(verify->options.cookie, &exhibit);
}

/* The tree goes with the ranges, which come log by log. */
static int
tell_tree(struct verify *verify, const struct range *range, const struct verify_item *item,
    struct err *err)
{
	int code = 0;

	if (!verify->all)
		return 0;
	if (range->first == 0 && item == range->items) {
		log_tree_finish(verify->tree, verify);
		verify->tree = NULL;
		code = log_tree_new(&verify->tree, verify, range->log, err);
	}
	if (code == 0)
		log_tree_add(verify->tree, verify, item);
	return code;
}

static int
tell_range(struct verify *verify, struct range *range, struct err *err)
{
	unsigned i;
	int code = range->code;

	if (code != 0 && err != NULL)
		*err = range->err;
	for (i = 0; i < range->count; i++) {
		struct verify_item *item = &range->items[i];

		if (code == 0)
			code = tell_tree(verify, range, item, err);
		if (code == 0)
			tell_item(verify, range->log, item);
		verify_item_fini(item);
	}
	free(range);
	return code;
}

static void
tell_finding(void *cookie, const struct store_finding *finding)
{
	verify_tell(cookie, "%s", finding->text);
}

/* The index against the journal: on this thread, which would otherwise wait for the workers. */
static int
compare_once(struct verify *verify, struct err *err)
{
	if (!verify->all || verify->compared)
		return 0;
	verify->compared = true;
	return store_compare(verify->archive->storage, NULL, tell_finding, verify, err);
}

/* Wait for the oldest range under way and tell of it. */
static int
tell_next(struct verify *verify, struct err *err)
{
	struct range **slot = &verify->window[verify->told % VERIFY_WINDOW];
	struct range *range = *slot;
	uint64_t bytes;
	bool over;

	do {
		struct timespec until;

		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec++;
		(void)pthread_mutex_lock(&verify->lock);
		if (!range->over)
			(void)pthread_cond_timedwait(&verify->changed, &verify->lock, &until);
		over = range->over;
		bytes = verify->bytes;
		(void)pthread_mutex_unlock(&verify->lock);
		if (verify->options.progress != NULL)
			verify->options.progress(verify->options.cookie, bytes, verify->all_bytes);
	} while (!over);
	*slot = NULL;
	verify->told++;
	return tell_range(verify, range, err);
}

static int
begin_range(struct verify *verify, uint32_t log, uint64_t first, unsigned count, struct err *err)
{
	struct range *range;
	int code = 0;

	if (verify->begun - verify->told == VERIFY_WINDOW)
		code = compare_once(verify, err);
	if (code == 0 && verify->begun - verify->told == VERIFY_WINDOW)
		code = tell_next(verify, err);
	if (code != 0)
		return code;
	range = calloc(1, sizeof(*range));
	if (range == NULL)
		return err_set(err, ERR_MEMORY, "no memory to verify with");
	range->verify = verify;
	range->log = log;
	range->first = first;
	range->count = count;
	range->task.run = range_work;
	verify->window[verify->begun++ % VERIFY_WINDOW] = range;
	pool_submit(verify->pool, &range->task);
	return 0;
}

/* ---- what is verified ----------------------------------------------------------------------- */

static int
begin_log(struct verify *verify, uint32_t number, struct err *err)
{
	struct snapshot *snapshot = NULL;
	struct storage_log log;
	uint64_t first;
	int code = snapshot_begin(verify->archive->storage, &snapshot, err);

	if (code == 0)
		code = snapshot_log(snapshot, &log, number, err);
	snapshot_end(snapshot);
	for (first = 0; code == 0 && first < log.size; first += VERIFY_RANGE) {
		uint64_t left = log.size - first;

		code = begin_range(verify, number, first,
		    left < VERIFY_RANGE ? (unsigned)left : VERIFY_RANGE, err);
	}
	return code;
}

static int
verify_all(struct verify *verify, struct err *err)
{
	uint32_t log;
	int code = 0;

	for (log = 0; log < verify->logs && code == 0; log++)
		code = begin_log(verify, log, err);
	if (code == 0)
		code = compare_once(verify, err);
	while (code == 0 && verify->told < verify->begun)
		code = tell_next(verify, err);
	log_tree_finish(verify->tree, verify);
	verify->tree = NULL;
	return code;
}

/* In the order of the logs: a judge goes forward only. */
static int
compare_places(const void *a, const void *b)
{
	const struct storage_place *left = a;
	const struct storage_place *right = b;

	if (left->log != right->log)
		return left->log < right->log ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

static int
verify_places(
    struct verify *verify, const struct storage_place *places, size_t count, struct err *err)
{
	struct storage_place *sorted = calloc(count + 1, sizeof(*sorted));
	size_t i;
	int code = 0;

	if (sorted == NULL)
		return err_set(err, ERR_MEMORY, "no memory to verify with");
	memcpy(sorted, places, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_places);
	for (i = 0; i < count && code == 0; i++) {
		if (i == 0 || compare_places(&sorted[i - 1], &sorted[i]) != 0)
			code = begin_range(verify, sorted[i].log, sorted[i].index, 1, err);
	}
	while (code == 0 && verify->told < verify->begun)
		code = tell_next(verify, err);
	free(sorted);
	return code;
}

/* ---- the run -------------------------------------------------------------------------------- */

static int
worker_init(struct verify *verify, struct verify_worker *worker, const uint8_t *const *identities,
    unsigned identity_count, struct err *err)
{
	buffer_init(&worker->record, STORAGE_BYTES_MAX);
	buffer_init(&worker->part, STORAGE_BYTES_MAX);
	worker->judges = calloc((size_t)verify->logs + 1, sizeof(*worker->judges));
	if (worker->judges == NULL)
		return err_set(err, ERR_MEMORY, "no memory to verify with");
	return archive_reader_new(
	    &worker->reader, verify->archive, identities, identity_count, err);
}

static void
worker_fini(struct verify *verify, struct verify_worker *worker)
{
	uint32_t log;

	for (log = 0; worker->judges != NULL && log < verify->logs; log++)
		judge_free(worker->judges[log].judge);
	free(worker->judges);
	archive_reader_free(worker->reader);
	snapshot_end(worker->snapshot);
	buffer_fini(&worker->record);
	buffer_fini(&worker->part);
}

static int
start(struct verify *verify, const uint8_t *const *identities, unsigned identity_count,
    struct err *err)
{
	struct snapshot *snapshot = NULL;
	struct storage_counts counts;
	unsigned i;
	int code = snapshot_begin(verify->archive->storage, &snapshot, err);

	if (code == 0)
		code = snapshot_counts(snapshot, &counts, err);
	snapshot_end(snapshot);
	if (code != 0)
		return code;
	verify->logs = counts.logs;
	verify->all_bytes = counts.payload_bytes;
	code = pool_new(&verify->pool, verify->options.threads, err);
	for (i = 0; code == 0 && i < pool_threads(verify->pool); i++) {
		code = worker_init(verify, &verify->workers[i], identities, identity_count, err);
		pool_thread_at(verify->pool, i)->own = &verify->workers[i];
	}
	return code;
}

static void
finish(struct verify *verify)
{
	unsigned i;

	/* After an error, ranges may still be under way: they end, untold, before anything is freed. */
	verify->all = false;
	verify->options.done = NULL;
	verify->options.found = NULL;
	while (verify->told < verify->begun)
		(void)tell_next(verify, NULL);
	pool_free(verify->pool);
	for (i = 0; i < POOL_THREADS_MAX; i++)
		worker_fini(verify, &verify->workers[i]);
	(void)pthread_cond_destroy(&verify->changed);
	(void)pthread_mutex_destroy(&verify->lock);
}

static void
init_locks(struct verify *verify)
{
	pthread_condattr_t attributes;

	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&verify->changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	(void)pthread_mutex_init(&verify->lock, NULL);
}

int
archive_verify(struct archive *archive, const struct storage_place *places, size_t count,
    const uint8_t *const *identities, unsigned identity_count, const struct verify_options *options,
    struct verify_summary *summary, struct err *err)
{
	struct verify *verify = calloc(1, sizeof(*verify));
	int code;

	*summary = (struct verify_summary){.exhibits = 0};
	if (verify == NULL)
		return err_set(err, ERR_MEMORY, "no memory to verify with");
	verify->archive = archive;
	verify->options = *options;
	verify->summary = summary;
	verify->all = places == NULL;
	init_locks(verify);
	code = start(verify, identities, identity_count, err);
	if (code == 0)
		code = verify->all ? verify_all(verify, err) :
		                     verify_places(verify, places, count, err);
	finish(verify);
	summary->bytes = verify->bytes;
	free(verify);
	return code;
}
