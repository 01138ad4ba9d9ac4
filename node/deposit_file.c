/* One file: opened, read to its end, hashed and encrypted; a small one by one worker alone. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "node/deposit_internal.h"
#include "proto/age_stream.h"
#include "proto/text.h"
#include "proto/tree.h"

/* A file that is being read, and what it was when that began. */
struct intake {
	struct job *job;
	int fd;
	bool regular;
	struct stat before;
	uint64_t total; /* bytes read */
	bool ended;
	bool carried; /* one byte was read ahead, to know whether a leaf is the last */
	uint8_t carry;
};

static int
changed(struct err *err)
{
	return err_set(err, ERR_CHANGED, "the file changed while it was read: add it again");
}

static int
intake_open(struct intake *intake, struct job *job, struct err *err)
{
	*intake = (struct intake){.job = job, .fd = job->file.fd};
	if (intake->fd < 0) {
		/* O_NONBLOCK: a named pipe must not hold up a worker; it is refused below. */
		intake->fd = open(job->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (intake->fd < 0)
			return err_system(err, errno, "cannot read the file");
		job->file.fd = intake->fd;
		if (fstat(intake->fd, &intake->before) != 0)
			return err_system(err, errno, "cannot read the file");
		if (!S_ISREG(intake->before.st_mode))
			return err_set(err, ERR_USAGE, "not a regular file");
	} else if (fstat(intake->fd, &intake->before) != 0) {
		return err_system(err, errno, "cannot read the input");
	}
	intake->regular = S_ISREG(intake->before.st_mode);
	if (intake->regular && (uint64_t)intake->before.st_size > PAYLOAD_PLAIN_MAX)
		return err_set(err, ERR_LIMIT, "files to 16 TiB (design 7)");
	if (intake->regular && intake->before.st_size > POOL_PLAIN)
		(void)posix_fadvise(intake->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;
}

/* Read until ${room} bytes are there or the file ends. */
static int
read_all(struct intake *intake, uint8_t *bytes, size_t room, size_t *size, struct err *err)
{
	*size = 0;
	while (*size < room) {
		ssize_t count = read(intake->fd, bytes + *size, room - *size);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return err_system(err, errno, "cannot read the file");
		if (count == 0)
			break;
		*size += (size_t)count;
	}
	return 0;
}

/* Take up to a leaf, and find out whether the file ends there. */
static int
intake_leaf(struct intake *intake, uint8_t *bytes, size_t *size, struct err *err)
{
	struct deposit_run *run = intake->job->run;
	size_t begin = intake->carried ? 1 : 0;
	size_t ahead = 0;
	int code = 0;

	*size = 0;
	if (intake->ended)
		return 0;
	if (intake->carried)
		bytes[0] = intake->carry;
	intake->carried = false;
	code = read_all(intake, bytes + begin, POOL_PLAIN - begin, size, err);
	*size += begin;
	if (code == 0 && *size == POOL_PLAIN)
		code = read_all(intake, &intake->carry, 1, &ahead, err);
	if (code != 0)
		return code;
	intake->carried = ahead == 1;
	intake->ended = ahead == 0;
	intake->total += *size;
	(void)pthread_mutex_lock(&run->lock);
	run->bytes_read += *size;
	(void)pthread_mutex_unlock(&run->lock);
	/* A file that grows without end would be read without end. */
	if (intake->regular && intake->total > (uint64_t)intake->before.st_size)
		return changed(err);
	if (intake->total > PAYLOAD_PLAIN_MAX)
		return err_set(err, ERR_LIMIT, "files to 16 TiB (design 7)");
	return 0;
}

/* At its end: is it still the file that was opened? */
static int
intake_close(const struct intake *intake, struct err *err)
{
	const struct stat *before = &intake->before;
	struct stat after;

	if (!intake->regular)
		return 0;
	if (fstat(intake->fd, &after) != 0)
		return err_system(err, errno, "cannot read the file");
	if (intake->total != (uint64_t)before->st_size || after.st_size != before->st_size ||
	    after.st_ino != before->st_ino || after.st_dev != before->st_dev ||
	    after.st_mtim.tv_sec != before->st_mtim.tv_sec ||
	    after.st_mtim.tv_nsec != before->st_mtim.tv_nsec ||
	    after.st_ctim.tv_sec != before->st_ctim.tv_sec ||
	    after.st_ctim.tv_nsec != before->st_ctim.tv_nsec)
		return changed(err);
	return 0;
}

/* Its type, and whether an open file of that type may be published unseen. */
static int
look_inside(struct job *job, struct deposit_worker *worker, struct view head,
    struct deposit_facts *facts, struct err *err)
{
	media_type(worker->media, facts->media_type, head, job->file.name);
	if (job->file.open && !job->file.as_is && strncmp(facts->media_type, "image/", 6) == 0)
		return err_set(err, ERR_REFUSED,
		    "an image may hold position, serial number or thumbnail, and dalil cannot look "
		    "inside "
		    "yet: give --as-is to publish it as it is");
	return 0;
}

static void
make_secrets(struct deposit_secrets *secrets, struct deposit_facts *facts)
{
	deposit_random(secrets, secrets->file_key, sizeof(secrets->file_key));
	deposit_random(secrets, secrets->seeds[0], sizeof(secrets->seeds));
	deposit_random(secrets, facts->nonce, sizeof(facts->nonce));
	age_stream_key(secrets->payload_key, secrets->file_key, facts->nonce);
}

static uint64_t
padded_size(const struct job *job, uint64_t size)
{
	return job->file.open ? size : payload_padded(size);
}

/* A dry run ends here: the fields as they would be claimed. */
static int
keep_fields(struct job *job, const struct deposit_facts *facts, struct err *err)
{
	job->fields = malloc(sizeof(*job->fields));
	if (job->fields == NULL)
		return err_set(err, ERR_MEMORY, "no memory for fields");
	return deposit_fields(job, facts, job->fields, err);
}

static void
set_facts(struct job *job, const struct deposit_facts *facts)
{
	memcpy(job->result.sha256, facts->sha256, HASH_SIZE);
	job->result.size = facts->size;
	if (job->run->known_key != NULL) {
		deposit_known(job->run, job->known, facts->sha256);
		job->has_known = true;
	}
}

/* Sets result.already where the file is here and not wanted once more. */
static int
check_known(struct job *job, struct err *err)
{
	struct snapshot *snapshot = NULL;
	int code;

	if (!job->has_known || job->run->options.again)
		return 0;
	code = snapshot_begin(job->run->archive->storage, &snapshot, err);
	if (code == 0)
		code = deposit_lookup(job->run, snapshot, job->known, &job->result, err);
	snapshot_end(snapshot);
	job->result.already = code == 0;
	return code == ERR_NOT_FOUND ? 0 : code;
}

/* ---- small files ---------------------------------------------------------------------------- */

/* Put a payload of one leaf behind those of other small files. */
static int
put_small(struct job *job, struct view sealed, const uint8_t *hash, struct err *err)
{
	struct deposit_run *run = job->run;
	int code = 0;

	(void)pthread_mutex_lock(&run->writer_lock);
	if (run->writers[run->active] == NULL)
		code = payload_writer_new(run->archive->storage, &run->writers[run->active], err);
	if (code == 0)
		code = payload_writer_put(run->writers[run->active], sealed, hash, err);
	if (code == 0)
		code = payload_writer_end(run->writers[run->active], &job->location, err);
	(void)pthread_mutex_unlock(&run->writer_lock);
	job->has_location = code == 0;
	return code;
}

static int
seal_small(struct job *job, struct deposit_worker *worker, struct pool_thread *thread,
    struct deposit_facts *facts, struct err *err)
{
	uint64_t padded = padded_size(job, facts->size);
	struct view sealed = view_of(thread->sealed, payload_size(padded));
	uint8_t hash[HASH_SIZE];
	struct fields fields;
	int code;

	make_secrets(worker->secrets, facts);
	memset(thread->plain + facts->size, 0, padded - facts->size);
	code = aead_key(thread->aead, worker->secrets->payload_key);
	if (code == 0)
		code = payload_seal_leaf(
		    thread->aead, thread->sealed, 0, true, view_of(thread->plain, padded));
	if (code != 0)
		return err_set(err, (enum err_code)code, "cannot encrypt the file");
	tree_leaf(hash, sealed);
	memcpy(job->location.payload.root, hash, HASH_SIZE); /* a tree of one leaf */
	job->location.payload.size = sealed.size;
	code = deposit_fields(job, facts, &fields, err);
	if (code == 0)
		code = deposit_record(job, worker, facts, &fields, err);
	return code != 0 ? code : put_small(job, sealed, hash, err);
}

static int
work_small(struct intake *intake, struct deposit_worker *worker, struct pool_thread *thread,
    struct err *err)
{
	struct job *job = intake->job;
	struct deposit_facts facts = {.size = 0};
	size_t size = 0;
	int code = intake_leaf(intake, thread->plain, &size, err);

	if (code == 0)
		code = intake_close(intake, err);
	if (code != 0)
		return code;
	facts.size = size;
	hash_sha256(facts.sha256, view_of(thread->plain, size));
	if (job->run->options.sha512) {
		hash_start(worker->sha512);
		hash_update(worker->sha512, view_of(thread->plain, size));
		hash_finish(worker->sha512, facts.sha512);
	}
	set_facts(job, &facts);
	code = check_known(job, err);
	if (code == 0 && !job->result.already)
		code = look_inside(job, worker, view_of(thread->plain, size), &facts, err);
	if (code != 0 || job->result.already)
		return code;
	if (job->run->options.dry_run)
		return keep_fields(job, &facts, err);
	return seal_small(job, worker, thread, &facts, err);
}

/* ---- large files, and input of unknown length ----------------------------------------------- */

struct large {
	struct intake *intake;
	struct deposit_worker *worker; /* the leader's */
	struct deposit_facts facts;
	uint64_t padded; /* known once the file has ended */
};

static int
large_take(void *cookie, struct pool_leaf *leaf, struct pool_thread *thread, struct err *err)
{
	struct large *large = cookie;
	struct intake *intake = large->intake;
	uint64_t start = leaf->number * POOL_PLAIN;
	int code = intake_leaf(intake, leaf->plain, &leaf->data_size, err);

	if (code == 0 && leaf->number == 0)
		code = look_inside(intake->job, thread->own, view_of(leaf->plain, leaf->data_size),
		    &large->facts, err);
	if (code != 0)
		return code;
	leaf->plain_size = POOL_PLAIN;
	if (intake->ended) {
		large->padded = padded_size(intake->job, intake->total);
		if (large->padded - start <= POOL_PLAIN) {
			leaf->plain_size = (size_t)(large->padded - start);
			leaf->last = true;
		}
	}
	memset(leaf->plain + leaf->data_size, 0, leaf->plain_size - leaf->data_size);
	return 0;
}

static int
large_work(void *cookie, struct pool_leaf *leaf, struct pool_thread *thread, struct err *err)
{
	struct large *large = cookie;
	int code;

	if (large->intake->job->run->options.dry_run)
		return 0;
	code = aead_key(thread->aead, large->worker->secrets->payload_key);
	if (code == 0)
		code = payload_seal_leaf(thread->aead, leaf->sealed, leaf->number, leaf->last,
		    view_of(leaf->plain, leaf->plain_size));
	if (code != 0)
		return err_set(err, (enum err_code)code, "cannot encrypt the file");
	leaf->sealed_size = (size_t)payload_size(leaf->plain_size);
	tree_leaf(leaf->hash, view_of(leaf->sealed, leaf->sealed_size));
	return 0;
}

static int
large_hash(void *cookie, struct pool_leaf *leaf, struct pool_thread *thread, struct err *err)
{
	struct large *large = cookie;
	struct view data = view_of(leaf->plain, leaf->data_size);

	(void)thread;
	(void)err;
	hash_update(large->worker->hash, data);
	if (large->intake->job->run->options.sha512)
		hash_update(large->worker->sha512, data);
	return 0;
}

static int
large_put(void *cookie, struct pool_leaf *leaf, struct pool_thread *thread, struct err *err)
{
	struct job *job = ((struct large *)cookie)->intake->job;

	(void)thread;
	if (job->run->options.dry_run)
		return 0;
	return payload_writer_put(
	    job->writer, view_of(leaf->sealed, leaf->sealed_size), leaf->hash, err);
}

static int
finish_large(struct large *large, struct job *job, struct err *err)
{
	struct fields fields;
	int code = intake_close(large->intake, err);

	if (code != 0)
		return code;
	large->facts.size = large->intake->total;
	hash_finish(large->worker->hash, large->facts.sha256);
	hash_finish(large->worker->sha512, large->facts.sha512);
	set_facts(job, &large->facts);
	code = check_known(job, err);
	if (code != 0 || job->result.already)
		return code;
	if (job->run->options.dry_run)
		return keep_fields(job, &large->facts, err);
	code = payload_writer_end(job->writer, &job->location, err);
	if (code != 0)
		return code;
	job->has_location = true;
	code = deposit_fields(job, &large->facts, &fields, err);
	return code != 0 ? code : deposit_record(job, large->worker, &large->facts, &fields, err);
}

static int
work_large(struct intake *intake, struct deposit_worker *worker, struct pool_thread *thread,
    struct err *err)
{
	static const struct pool_stages stages = {
	    .take = large_take, .work = large_work, .hash = large_hash, .put = large_put};
	struct job *job = intake->job;
	struct large large = {.intake = intake, .worker = worker};
	int code = 0;

	make_secrets(worker->secrets, &large.facts);
	hash_start(worker->hash);
	hash_start(worker->sha512);
	if (!job->run->options.dry_run)
		code = payload_writer_new(job->run->archive->storage, &job->writer, err);
	if (code == 0)
		code = pool_pipeline(job->run->pool, thread, &stages, &large, err);
	return code != 0 ? code : finish_large(&large, job, err);
}

/* ---- the task ------------------------------------------------------------------------------- */

static int
work(struct job *job, struct pool_thread *thread, struct err *err)
{
	struct deposit_worker *worker = thread->own;
	struct intake intake;
	int code = intake_open(&intake, job, err);

	if (code != 0)
		return code;
	if (intake.regular && intake.before.st_size <= POOL_PLAIN)
		return work_small(&intake, worker, thread, err);
	return work_large(&intake, worker, thread, err);
}

void
deposit_work(struct pool_task *task, struct pool_thread *thread)
{
	struct job *job = (struct job *)((char *)task - offsetof(struct job, task));
	struct deposit_run *run = job->run;
	int code;

	(void)pthread_mutex_lock(&run->lock);
	run->begun++;
	run->working++;
	code = run->fatal.code;
	if (code != 0)
		job->err = run->fatal;
	/* Woken when half the queue is empty, the thread that adds fills it without a pause. */
	if (run->added - run->begun == DEPOSIT_QUEUE / 2)
		(void)pthread_cond_signal(&run->told);
	(void)pthread_mutex_unlock(&run->lock);
	if (code != 0) {
		job->result.code = code;
	} else {
		job->result.code = work(job, thread, &job->err);
	}
	deposit_hand_over(job);
}
