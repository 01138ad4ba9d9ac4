/* Payloads leaf by leaf, each used only after its hash and its AEAD hold. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/archive_reader.h"
#include "proto/grant.h"
#include "proto/payload.h"
#include "proto/tree.h"

static int
write_all(int fd, const uint8_t *bytes, size_t size, struct err *err)
{
	while (size > 0) {
		ssize_t count = write(fd, bytes, size);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return err_system(err, errno, "cannot write the file");
		bytes += count;
		size -= (size_t)count;
	}
	return 0;
}

/* Bytes of the file in a leaf; what follows them is padding. */
static size_t
data_in_leaf(const struct archive_leaves *leaves, const struct pool_leaf *leaf)
{
	uint64_t start = leaf->number * POOL_PLAIN;
	uint64_t left = leaves->data_size > start ? leaves->data_size - start : 0;

	return left < leaf->plain_size ? (size_t)left : leaf->plain_size;
}

static int
leaves_take(void *cookie, struct pool_leaf *leaf, struct pool_thread *thread, struct err *err)
{
	struct archive_leaves *leaves = cookie;
	uint64_t count = payload_leaf_count(leaves->payload_size);
	int code = payload_reader_hash(leaves->payload, leaf->hash, leaf->number, err);

	(void)thread;
	if (code == 0)
		code = payload_reader_leaf(
		    leaves->payload, leaf->sealed, &leaf->sealed_size, leaf->number, err);
	if (code == 0 && leaf->sealed_size != payload_leaf_size(leaves->payload_size, leaf->number))
		code = err_set(err, ERR_DAMAGED, "leaf %llu of the payload has another size",
		    (unsigned long long)leaf->number);
	leaf->last = leaf->number + 1 == count;
	return code;
}

static int
leaves_work(void *cookie, struct pool_leaf *leaf, struct pool_thread *thread, struct err *err)
{
	struct archive_leaves *leaves = cookie;
	struct view sealed = view_of(leaf->sealed, leaf->sealed_size);
	uint8_t hash[HASH_SIZE];
	int code;

	tree_leaf(hash, sealed);
	if (memcmp(hash, leaf->hash, HASH_SIZE) != 0)
		return err_set(err, ERR_DAMAGED, "leaf %llu of the payload is not what it was",
		    (unsigned long long)leaf->number);
	leaf->plain_size = 0;
	if (leaves->payload_key == NULL)
		return 0;
	code = aead_key(thread->aead, leaves->payload_key);
	if (code == 0)
		code = payload_open_leaf(
		    thread->aead, leaf->plain, leaf->number, leaf->last, sealed, err);
	if (code == 0)
		leaf->plain_size = (size_t)payload_plain_size(leaf->sealed_size);
	return code;
}

static int
leaves_hash(void *cookie, struct pool_leaf *leaf, struct pool_thread *thread, struct err *err)
{
	struct archive_leaves *leaves = cookie;

	(void)thread;
	(void)err;
	hash_update(leaves->hash, view_of(leaf->plain, data_in_leaf(leaves, leaf)));
	return 0;
}

static int
leaves_put(void *cookie, struct pool_leaf *leaf, struct pool_thread *thread, struct err *err)
{
	struct archive_leaves *leaves = cookie;
	int code = 0;

	(void)thread;
	if (leaves->fd >= 0 && leaves->put_sealed)
		code = write_all(leaves->fd, leaf->sealed, leaf->sealed_size, err);
	else if (leaves->fd >= 0)
		code = write_all(leaves->fd, leaf->plain, data_in_leaf(leaves, leaf), err);
	if (leaves->progress != NULL)
		leaves->progress(leaves->cookie, leaf->number * POOL_SEALED + leaf->sealed_size,
		    leaves->payload_size);
	return code;
}

int
archive_leaves_walk(
    struct archive_leaves *leaves, struct pool *pool, struct pool_thread *thread, struct err *err)
{
	static const struct pool_stages stages = {.take = leaves_take,
	    .work = leaves_work,
	    .hash = leaves_hash,
	    .put = leaves_put,
	    .hash_after_work = true};
	int code;

	leaves->hash = hash_new();
	if (leaves->hash == NULL)
		return err_set(err, ERR_MEMORY, "no memory to hash with");
	code = pool_pipeline(pool, thread, &stages, leaves, err);
	if (code == 0)
		hash_finish(leaves->hash, leaves->sha256);
	hash_free(leaves->hash);
	return code;
}

int
archive_leaves_single(struct archive_leaves *leaves, struct pool_thread *thread, struct err *err)
{
	struct pool_leaf leaf = {.plain = thread->plain, .sealed = thread->sealed};
	int code = leaves_take(leaves, &leaf, thread, err);

	if (code == 0)
		code = leaves_work(leaves, &leaf, thread, err);
	if (code == 0)
		hash_sha256(leaves->sha256, view_of(leaf.plain, data_in_leaf(leaves, &leaf)));
	return code != 0 ? code : leaves_put(leaves, &leaf, thread, err);
}

/* ---- one file ------------------------------------------------------------------------------- */

static int
open_payload(struct archive_reader *reader, const struct archive_exhibit *exhibit,
    struct payload_reader **payload, struct err *err)
{
	struct storage_payload named = {.size = exhibit->record.as.deposit.size};
	struct snapshot *snapshot = NULL;
	int code;

	memcpy(named.root, exhibit->record.as.deposit.root, HASH_SIZE);
	code = snapshot_begin(reader->archive->storage, &snapshot, err);
	if (code == 0)
		code = payload_reader_new(snapshot, payload, &named, err);
	if (code == ERR_NOT_FOUND)
		code = err_set(err, ERR_MISSING, "its payload is not here");
	snapshot_end(snapshot);
	return code;
}

static int
walk_payload(struct archive_reader *reader, const struct archive_exhibit *exhibit,
    struct archive_leaves *leaves, struct err *err)
{
	int code = open_payload(reader, exhibit, &leaves->payload, err);

	leaves->payload_size = exhibit->record.as.deposit.size;
	if (code == 0 && reader->pool == NULL)
		code = pool_new(&reader->pool, 0, err);
	if (code == 0)
		code = archive_leaves_walk(leaves, reader->pool,
		    pool_thread_at(reader->pool, pool_threads(reader->pool)), err);
	payload_reader_free(leaves->payload);
	leaves->payload = NULL;
	return code;
}

int
archive_get(struct archive_reader *reader, const struct archive_exhibit *exhibit, int fd,
    const struct archive_progress *progress, struct err *err)
{
	struct archive_leaves leaves = {.fd = fd, .payload_key = exhibit->payload_key};
	int code;

	if (!exhibit->has_payload_key)
		return err_set(err, ERR_LOCKED,
		    exhibit->trouble.code != 0 ?
		        "its parts are damaged, so that no key here opens it: %s" :
		        "no key here opens it%s",
		    exhibit->trouble.code != 0 ? exhibit->trouble.text : "");
	code = archive_data_size(exhibit, &leaves.data_size, err);
	if (progress != NULL) {
		leaves.progress = progress->progress;
		leaves.cookie = progress->cookie;
	}
	if (code == 0)
		code = walk_payload(reader, exhibit, &leaves, err);
	if (code == 0)
		code = exhibit_check_file(&exhibit->fields, leaves.sha256, leaves.data_size, err);
	/* An open file whose sha256 is not public: its leaves hold, and more cannot be asked. */
	if (code == ERR_UNKNOWN && exhibit->access == ARCHIVE_OPEN)
		return 0;
	return code;
}

/* A name beside ${path} that nobody else has. */
static int
open_beside(const char *path, char **temporary, struct err *err)
{
	size_t room = strlen(path) + 32;
	int fd;

	*temporary = malloc(room);
	if (*temporary == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a name");
	(void)snprintf(*temporary, room, "%s.dalil-XXXXXX", path);
	fd = mkostemp(*temporary, O_CLOEXEC);
	if (fd < 0) {
		int code = err_system(err, errno, "cannot write beside %s", path);

		free(*temporary);
		*temporary = NULL;
		return code;
	}
	return fd;
}

static int
sync_folder(const char *path, struct err *err)
{
	char *copy = strdup(path);
	int code = 0;
	int fd;

	if (copy == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a name");
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
		code = err_system(err, errno, "cannot sync the folder of %s", path);
	if (fd >= 0)
		(void)close(fd);
	free(copy);
	return code;
}

/* rename, but without overwriting unless that is wanted. */
static int
put_in_place(const char *temporary, const char *path, bool overwrite, struct err *err)
{
	if (overwrite ? rename(temporary, path) == 0 : link(temporary, path) == 0) {
		if (!overwrite)
			(void)unlink(temporary);
		return sync_folder(path, err);
	}
	/* File systems without hard links (FAT on a stick): the check is not atomic there. */
	if (!overwrite && (errno == EPERM || errno == EOPNOTSUPP)) {
		if (access(path, F_OK) != 0 && rename(temporary, path) == 0)
			return sync_folder(path, err);
		errno = EEXIST;
	}
	if (errno == EEXIST)
		return err_set(err, ERR_EXISTS, "%s is there already", path);
	return err_system(err, errno, "cannot write %s", path);
}

int
archive_get_file(struct archive_reader *reader, const struct archive_exhibit *exhibit,
    const char *path, bool overwrite, const struct archive_progress *progress, struct err *err)
{
	char *temporary = NULL;
	int code;
	int fd;

	if (!overwrite && access(path, F_OK) == 0)
		return err_set(err, ERR_EXISTS, "%s is there already", path);
	fd = open_beside(path, &temporary, err);
	if (fd < 0)
		return fd;
	code = archive_get(reader, exhibit, fd, progress, err);
	if (code == 0 && fsync(fd) != 0)
		code = err_system(err, errno, "cannot sync %s", path);
	(void)close(fd);
	if (code == 0)
		code = put_in_place(temporary, path, overwrite, err);
	if (code != 0)
		(void)unlink(temporary);
	free(temporary);
	return code;
}

/* ---- age ------------------------------------------------------------------------------------ */

static void
fill_random(void *cookie, uint8_t *bytes, size_t size)
{
	(void)cookie;
	randombytes_buf(bytes, size);
}

static int
export_header(struct archive_reader *reader, const struct archive_exhibit *exhibit,
    const uint8_t (*recipients)[HASH_SIZE], unsigned recipient_count, struct buffer *header,
    struct err *err)
{
	static const struct random random = {.fill = fill_random};
	struct snapshot *snapshot = NULL;
	int code;

	if (recipients != NULL && !exhibit->has_file_key)
		return err_set(
		    err, ERR_LOCKED, "no key here opens it, so it cannot be given to others");
	if (recipients != NULL)
		return grant_seal(header, exhibit->file_key,
		    (const uint8_t(*)[AGE_X25519])recipients, recipient_count, &random, err);
	code = snapshot_begin(reader->archive->storage, &snapshot, err);
	if (code == 0)
		code = snapshot_part(snapshot, header, exhibit->place, part_name(PART_GRANT), err);
	snapshot_end(snapshot);
	return code;
}

int
archive_export_age(struct archive_reader *reader, const struct archive_exhibit *exhibit,
    const uint8_t (*recipients)[HASH_SIZE], unsigned recipient_count, int fd,
    const struct archive_progress *progress, struct err *err)
{
	struct archive_leaves leaves = {.fd = fd, .put_sealed = true};
	struct buffer header;
	int code;

	buffer_init(&header, STORAGE_BYTES_MAX);
	code = export_header(reader, exhibit, recipients, recipient_count, &header, err);
	if (code == 0)
		code = write_all(fd, header.data, header.size, err);
	if (code == 0)
		code = write_all(fd, exhibit->record.as.deposit.nonce, DEPOSIT_NONCE, err);
	buffer_fini(&header);
	if (progress != NULL) {
		leaves.progress = progress->progress;
		leaves.cookie = progress->cookie;
	}
	return code != 0 ? code : walk_payload(reader, exhibit, &leaves, err);
}
