/* A deposit run: files are added, results come back in order. See deposit_internal.h. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/deposit_internal.h"

static void
worker_fini(struct deposit_worker *worker)
{
	media_free(worker->media);
	sodium_free(worker->secrets);
	if (worker->sealed_value.limit > 0)
		buffer_fini(&worker->sealed_value);
	if (worker->vault_value.limit > 0)
		buffer_fini(&worker->vault_value);
	hash_free(worker->hash);
	hash_free(worker->sha512);
}

static int
worker_init(struct deposit_worker *worker)
{
	worker->media = media_new();
	worker->secrets = sodium_malloc(sizeof(*worker->secrets));
	if (worker->secrets != NULL)
		sodium_memzero(worker->secrets, sizeof(*worker->secrets));
	buffer_init_secret(&worker->sealed_value, BOX_VALUE_MAX);
	buffer_init_secret(&worker->vault_value, BOX_VALUE_MAX);
	worker->hash = hash_new();
	worker->sha512 = hash_new_sha512();
	return worker->secrets == NULL || worker->sealed_value.err != 0 ||
	               worker->vault_value.err != 0 || worker->hash == NULL ||
	               worker->sha512 == NULL ?
	           ERR_MEMORY :
	           0;
}

int
deposit_known_key(struct archive *archive, uint8_t key[static HASH_SIZE], struct err *err)
{
	static const char info[] = "dalil known v1";
	char label[KEYS_LABEL_MAX + 1];
	uint8_t *secret;
	unsigned reader;
	int code;

	for (reader = 0; reader < keys_readers(archive->keys); reader++) {
		keys_reader_label(archive->keys, reader, label);
		if (strcmp(label, "vault") == 0)
			break;
	}
	if (reader == keys_readers(archive->keys))
		return err_set(err, ERR_NOT_FOUND, "the vault's key is not in this store");
	secret = sodium_malloc(KEYS_SIZE);
	if (secret == NULL)
		return err_set(err, ERR_MEMORY, "no locked memory for a key");
	code = keys_reader_secret(archive->keys, reader, secret, err);
	if (code == 0)
		hash_hkdf(
		    key, HASH_SIZE, view_of(secret, KEYS_SIZE), view_of(info, 0), view_text(info));
	sodium_free(secret);
	return code;
}

/* Without the vault's key nothing is compared, and nothing else is missing. */
static int
load_known_key(struct deposit_run *run, struct err *err)
{
	run->known_key = sodium_malloc(HASH_SIZE);
	if (run->known_key == NULL)
		return err_set(err, ERR_MEMORY, "no locked memory for a key");
	if (deposit_known_key(run->archive, run->known_key, NULL) == 0)
		return 0;
	sodium_free(run->known_key);
	run->known_key = NULL;
	return 0;
}

static int
load_vault(struct deposit_run *run, struct err *err)
{
	struct charter *charter = NULL;
	int code = archive_charter(run->archive, run->archive->self.organisation, &charter, err);

	if (code != 0)
		return code;
	if (charter_vault(charter) == NULL)
		code = err_set(err, ERR_REFUSED,
		    "the charter names no vault, so that nobody could read what is deposited: run "
		    "`dalil charter vault` first");
	else
		memcpy(run->vault, charter_vault(charter), HASH_SIZE);
	charter_free(charter);
	return code;
}

static int
load_keys(struct deposit_run *run, struct err *err)
{
	int code = run->archive->self.enrolled ?
	               0 :
	               err_set(err, ERR_REFUSED,
	                   "this node has no log yet: its enrolment waits for root keys");

	if (code == 0)
		code = load_vault(run, err);
	if (code == 0)
		code = load_known_key(run, err);
	if (code != 0 || run->options.dry_run)
		return code;
	run->record_secret = sodium_malloc(RECORD_SECRET);
	if (run->record_secret == NULL)
		return err_set(err, ERR_MEMORY, "no locked memory for a key");
	return archive_record_secret(run->archive, run->record_secret, err);
}

static int
copy_share(struct deposit_run *run, const struct deposit_options *options, struct err *err)
{
	size_t size = (size_t)options->share_count * HASH_SIZE;

	if (size == 0)
		return 0;
	run->share = malloc(size);
	if (run->share == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a share");
	memcpy(run->share, options->share, size);
	return 0;
}

static int
start_threads(struct deposit_run *run, struct err *err)
{
	int code = pool_new(&run->pool, run->options.threads, err);
	unsigned i;

	for (i = 0; code == 0 && i < pool_threads(run->pool); i++) {
		code = worker_init(&run->workers[i]);
		if (code != 0)
			return err_set(err, ERR_MEMORY, "no memory for worker threads");
		pool_thread_at(run->pool, i)->own = &run->workers[i];
	}
	if (code == 0 && pthread_create(&run->committer, NULL, deposit_commit_main, run) != 0)
		code = err_set(err, ERR_MEMORY, "cannot start a thread");
	run->committer_started = code == 0;
	return code;
}

static void
run_free(struct deposit_run *run)
{
	unsigned i;

	pool_free(run->pool);
	for (i = 0; i <= POOL_THREADS_MAX; i++)
		worker_fini(&run->workers[i]);
	payload_writer_free(run->writers[0]);
	payload_writer_free(run->writers[1]);
	vault_writer_free(run->vault_writer);
	for (i = 0; i < run->old_count; i++)
		vault_writer_free(run->old_vault_writers[i]);
	sodium_free(run->record_secret);
	sodium_free(run->known_key);
	free(run->share);
	(void)pthread_cond_destroy(&run->told);
	(void)pthread_cond_destroy(&run->due);
	(void)pthread_cond_destroy(&run->taken);
	(void)pthread_mutex_destroy(&run->lock);
	(void)pthread_mutex_destroy(&run->writer_lock);
	(void)pthread_mutex_destroy(&run->vault_lock);
	free(run);
}

static void
init_locks(struct deposit_run *run)
{
	pthread_condattr_t attributes;

	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&run->told, &attributes);
	(void)pthread_cond_init(&run->due, &attributes);
	(void)pthread_cond_init(&run->taken, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	(void)pthread_mutex_init(&run->lock, NULL);
	(void)pthread_mutex_init(&run->writer_lock, NULL);
	(void)pthread_mutex_init(&run->vault_lock, NULL);
}

int
deposit_new(struct deposit_run **result, struct archive *archive,
    const struct deposit_options *options, struct err *err)
{
	struct deposit_run *run = calloc(1, sizeof(*run));
	int code;

	*result = NULL;
	if (run == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a deposit");
	run->archive = archive;
	run->options = *options;
	run->pending_end = &run->pending;
	init_locks(run);
	code = copy_share(run, options, err);
	if (code == 0)
		code = load_keys(run, err);
	if (code == 0)
		code = start_threads(run, err);
	if (code != 0) {
		run_free(run);
		return code;
	}
	*result = run;
	return 0;
}

bool
deposit_compares(const struct deposit_run *run)
{
	return run->known_key != NULL;
}

/* ---- jobs ----------------------------------------------------------------------------------- */

static char *
copy_bytes(struct view bytes)
{
	char *copy = malloc(bytes.size + 1);

	if (copy == NULL)
		return NULL;
	if (bytes.size > 0)
		memcpy(copy, bytes.data, bytes.size);
	copy[bytes.size] = '\0';
	return copy;
}

static void
job_fini(struct job *job)
{
	if (job->file.fd >= 0)
		(void)close(job->file.fd);
	fields_builder_free(job->file.fields);
	free(job->path);
	free(job->name);
	free(job->folder);
	free(job->readers);
	free(job->fields);
	job->state = JOB_FREE;
}

static struct view
last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return view_text(slash == NULL ? path : slash + 1);
}

static int
job_init(struct job *job, struct deposit_run *run, const struct deposit_file *file, struct err *err)
{
	struct view name = file->name.size > 0 ? file->name : last_component(file->path);
	size_t readers = (size_t)file->reader_count * HASH_SIZE;

	*job = (struct job){.run = run, .file = *file, .task = {.run = deposit_work}};
	job->path = copy_bytes(view_text(file->path));
	job->name = copy_bytes(name);
	job->folder = copy_bytes(file->folder);
	job->readers = malloc(readers + 1);
	if (job->path == NULL || job->name == NULL || job->folder == NULL || job->readers == NULL) {
		job_fini(job);
		return err_set(err, ERR_MEMORY, "no memory for a file to deposit");
	}
	if (readers > 0)
		memcpy(job->readers, file->readers, readers);
	job->file.path = job->path;
	job->file.name = view_of(job->name, name.size);
	job->file.folder = view_of(job->folder, file->folder.size);
	job->file.readers = (const uint8_t(*)[HASH_SIZE])job->readers;
	return 0;
}

static void
report(struct deposit_run *run, struct job *job)
{
	struct deposit_result *result = &job->result;

	result->err = &job->err;
	result->path = job->path;
	result->tag = job->file.tag;
	result->open = job->file.open;
	result->reader_count = job->file.reader_count;
	result->fields = job->fields;
	result->open_slots = job->file.open ? job->file.open_slots : 0;
	if (run->options.done != NULL)
		run->options.done(run->options.cookie, result);
	job_fini(job);
}

/* Report what is over, in order. Called and left with run->lock held. */
static void
report_ready(struct deposit_run *run)
{
	struct job *job = &run->window[run->reported % DEPOSIT_WINDOW];

	while (run->reported < run->added && job->state == JOB_OVER) {
		uint64_t bytes = run->bytes_read;

		(void)pthread_mutex_unlock(&run->lock);
		report(run, job);
		if (run->options.progress != NULL)
			run->options.progress(run->options.cookie, bytes, run->reported + 1);
		(void)pthread_mutex_lock(&run->lock);
		run->reported++;
		job = &run->window[run->reported % DEPOSIT_WINDOW];
	}
}

/* Wait for the next change, but come back now and then to show progress. */
static void
wait_change(struct deposit_run *run)
{
	struct timespec until;
	uint64_t bytes;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += 200000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	(void)pthread_cond_timedwait(&run->told, &run->lock, &until);
	if (run->options.progress == NULL)
		return;
	bytes = run->bytes_read;
	(void)pthread_mutex_unlock(&run->lock);
	run->options.progress(run->options.cookie, bytes, run->reported);
	(void)pthread_mutex_lock(&run->lock);
}

int
deposit_add(struct deposit_run *run, const struct deposit_file *file, struct err *err)
{
	struct job *job;
	int code = 0;

	(void)pthread_mutex_lock(&run->lock);
	report_ready(run);
	while (run->fatal.code == 0 && (run->added - run->reported >= DEPOSIT_WINDOW ||
	                                   run->added - run->begun >= DEPOSIT_QUEUE)) {
		wait_change(run);
		report_ready(run);
	}
	if (run->fatal.code != 0)
		code = err_set(err, (enum err_code)run->fatal.code, "%s", err_text(&run->fatal));
	(void)pthread_mutex_unlock(&run->lock);
	if (code == 0 && file->reader_count > DEPOSIT_READERS_MAX)
		code = err_set(err, ERR_LIMIT, "more than 2,048 readers");
	if (code != 0) {
		if (file->fd >= 0)
			(void)close(file->fd);
		fields_builder_free(file->fields);
		return code;
	}
	job = &run->window[run->added % DEPOSIT_WINDOW];
	code = job_init(job, run, file, err);
	if (code != 0)
		return code;
	(void)pthread_mutex_lock(&run->lock);
	job->state = JOB_ADDED;
	run->added++;
	(void)pthread_mutex_unlock(&run->lock);
	pool_submit(run->pool, &job->task);
	return 0;
}

int
deposit_finish(struct deposit_run *run, struct err *err)
{
	int code;

	(void)pthread_mutex_lock(&run->lock);
	run->finishing = true;
	(void)pthread_cond_signal(&run->due);
	report_ready(run);
	while (run->reported < run->added) {
		wait_change(run);
		report_ready(run);
	}
	code = run->fatal.code;
	if (code != 0)
		(void)err_set(err, (enum err_code)code, "%s", err_text(&run->fatal));
	(void)pthread_mutex_unlock(&run->lock);
	if (run->committer_started)
		(void)pthread_join(run->committer, NULL);
	run_free(run);
	return code;
}
