/* The store as a whole: made, opened, closed. */
#include "node/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/store/disk.h"
#include "node/store/store_private.h"

#define FORMAT_NAME "format"
#define FORMAT_NUMBER 1

const struct storage_calls store_calls = {
    .storage_close = store_close,
    .storage_changes = store_changes,
    .snapshot_begin = store_snapshot_begin,
    .snapshot_end = store_snapshot_end,
    .snapshot_counts = store_snapshot_counts,
    .snapshot_log = store_snapshot_log,
    .snapshot_log_by_id = store_snapshot_log_by_id,
    .snapshot_log_vkey = store_snapshot_log_vkey,
    .snapshot_entry = store_snapshot_entry,
    .snapshot_entry_id = store_snapshot_entry_id,
    .snapshot_part = store_snapshot_part,
    .snapshot_node = store_snapshot_node,
    .snapshot_find = store_snapshot_find,
    .snapshot_kind_next = store_snapshot_kind_next,
    .snapshot_kind_last = store_snapshot_kind_last,
    .snapshot_about_next = store_snapshot_about_next,
    .snapshot_known = store_snapshot_known,
    .snapshot_payload_state = store_snapshot_payload_state,
    .snapshot_payload_progress = store_snapshot_payload_progress,
    .snapshot_want_next = store_snapshot_want_next,
    .snapshot_part_want_next = store_snapshot_part_want_next,
    .snapshot_statement_next = store_snapshot_statement_next,
    .snapshot_organisation_next = store_snapshot_organisation_next,
    .snapshot_head_last = store_snapshot_head_last,
    .snapshot_head_at = store_snapshot_head_at,
    .snapshot_head_next = store_snapshot_head_next,
    .snapshot_signing = store_snapshot_signing,
    .snapshot_fact = store_snapshot_fact,
    .snapshot_fact_next = store_snapshot_fact_next,
    .batch_begin = store_batch_begin,
    .batch_commit = store_batch_commit,
    .batch_abort = store_batch_abort,
    .batch_snapshot = store_batch_snapshot,
    .batch_log = store_batch_log,
    .batch_append = store_batch_append,
    .batch_part = store_batch_part,
    .batch_payload = store_batch_payload,
    .batch_statement = store_batch_statement,
    .batch_head = store_batch_head,
    .batch_signing = store_batch_signing,
    .batch_fact = store_batch_fact,
    .payload_writer_new = store_writer_new,
    .payload_writer_free = store_writer_free,
    .payload_writer_put = store_writer_put,
    .payload_writer_end = store_writer_end,
    .payload_writer_drop = store_writer_drop,
    .payload_writer_sync = store_writer_sync,
    .payload_fetch_new = store_fetch_new,
    .payload_fetch_free = store_fetch_free,
    .payload_fetch_put = store_fetch_put,
    .payload_fetch_sync = store_fetch_sync,
    .payload_reader_new = store_reader_new,
    .payload_reader_free = store_reader_free,
    .payload_reader_leaves = store_reader_leaves,
    .payload_reader_leaf = store_reader_leaf,
    .payload_reader_hash = store_reader_hash,
    .payload_reader_prove = store_reader_prove,
};

static int
make_directory(int dir, const char *name, struct err *err)
{
	if (mkdirat(dir, name, 0700) != 0 && errno != EEXIST)
		return err_system(err, errno, "%s", name);
	return 0;
}

static int
make_file(int dir, const char *name, struct view content, struct err *err)
{
	int fd;
	int result = disk_open(dir, name, O_RDWR | O_CREAT | O_EXCL, &fd, err);

	if (result != 0)
		return result;
	result = disk_write(fd, content, 0, name, err);
	if (result == 0)
		result = disk_sync(fd, name, err);
	(void)close(fd);
	return result;
}

/* The name of something in the store; the caller frees it. */
static char *
path_join(const char *path, const char *name)
{
	char *joined = NULL;

	return asprintf(&joined, "%s/%s", path, name) < 0 ? NULL : joined;
}

int
store_make_index(const char *path, struct err *err)
{
	struct index_meta meta = {.position = journal_pack((struct journal_at){.file = 1})};
	struct index_key key = index_key_meta();
	struct index_value value = index_meta_encode(&meta);
	struct index_txn *txn;
	struct index *index;
	int result = index_open(path, INDEX_FRESH, &index, err);

	if (result != 0)
		return result;
	result = index_begin(index, true, &txn, err);
	if (result == 0) {
		result = index_put(txn, INDEX_META, &key, &value, false, err);
		if (result == 0)
			result = index_commit(txn, err);
		else
			index_abort(txn);
	}
	if (result == 0)
		result = index_sync(index, err);
	index_free(index);
	return result;
}

/* `format` is written last: it makes a folder a store. */
static int
fill_directory(const char *path, int dir, struct err *err)
{
	static const char *const folders[] = {"journal", "segments", "index"};
	char *index_path = path_join(path, "index");
	struct files journal;
	int result = index_path == NULL ? err_set(err, ERR_MEMORY, "no memory") : 0;

	for (size_t i = 0; result == 0 && i < 3; i++)
		result = make_directory(dir, folders[i], err);
	/* What a founding that was cut short has left is fine: it was never a store. */
	if (result == 0)
		result = make_file(dir, LOCK_NAME, view_of(NULL, 0), err);
	if (result == ERR_EXISTS)
		result = 0;
	if (result == 0) {
		result = files_init(&journal, dir, "journal", "jrn", err);
		if (result == 0)
			result = files_make(&journal, 1, err);
		if (result == ERR_EXISTS)
			result = 0;
		files_fini(&journal);
	}
	if (result == 0)
		result = store_make_index(index_path, err);
	for (size_t i = 0; result == 0 && i < 3; i++)
		result = disk_sync_directory(dir, folders[i], err);
	if (result == 0)
		result = make_file(dir, FORMAT_NAME, view_text("1\n"), err);
	if (result == 0)
		result = disk_sync_directory(dir, ".", err);
	free(index_path);
	return result;
}

/* The folder that holds ${path}, so that the new store is found after power loss. */
static int
sync_parent(const char *path, struct err *err)
{
	char *parent = path_join(path, "..");
	int result;

	if (parent == NULL)
		return err_set(err, ERR_MEMORY, "no memory");
	result = disk_sync_directory(AT_FDCWD, parent, err);
	free(parent);
	return result;
}

int
store_create(const char *path, struct err *err)
{
	int result = make_directory(AT_FDCWD, path, err);
	int dir;

	if (result == 0)
		result = disk_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, &dir, err);
	if (result != 0)
		return result;
	if (faccessat(dir, FORMAT_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		result = err_set(err, ERR_EXISTS, "there is a store in %s already", path);
	else
		result = fill_directory(path, dir, err);
	(void)close(dir);
	return result != 0 ? result : sync_parent(path, err);
}

static int
check_format(int dir, const char *path, struct err *err)
{
	uint8_t text[16];
	size_t size;
	int fd;
	int result = disk_open(dir, FORMAT_NAME, O_RDONLY, &fd, err);

	if (result == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, "there is no store in %s", path);
	if (result != 0)
		return result;
	result = disk_read(fd, text, sizeof(text) - 1, 0, &size, FORMAT_NAME, err);
	(void)close(fd);
	if (result != 0)
		return result;
	text[size] = '\0';
	if (size == 2 && text[0] == '0' + FORMAT_NUMBER && text[1] == '\n')
		return 0;
	if (size >= 2 && text[size - 1] == '\n' && strspn((char *)text, "0123456789") == size - 1)
		return err_set(err, ERR_VERSION,
		    "the store in %s has format %.*s, which a newer dalil made; this one knows %d",
		    path, (int)size - 1, (char *)text, FORMAT_NUMBER);
	return err_set(err, ERR_DAMAGED, "%s/format does not hold a format number", path);
}

/* Root's files in somebody's store would lock them out of it. */
static int
check_owner(int dir, const char *path, struct err *err)
{
	struct passwd *owner;
	struct stat status;

	if (fstat(dir, &status) != 0)
		return err_system(err, errno, "%s", path);
	if (status.st_uid == geteuid())
		return 0;
	owner = getpwuid(status.st_uid);
	if (owner == NULL)
		return err_set(err, ERR_REFUSED, "the store in %s belongs to user %u", path,
		    (unsigned)status.st_uid);
	return err_set(err, ERR_REFUSED,
	    "the store in %s belongs to %s: run sudo -u %s dalil --store %s ...", path,
	    owner->pw_name, owner->pw_name, path);
}

int
store_open_files(const char *path, struct store **out, struct err *err)
{
	struct store *store = calloc(1, sizeof(*store));
	int result;

	*out = NULL;
	if (store == NULL)
		return err_set(err, ERR_MEMORY, "no memory for the store");
	store->base.calls = &store_calls;
	store->dir = store->journal.dir = store->segments.dir = -1;
	store->journal_file_max = JOURNAL_FILE_MAX;
	store->segment_max = SEGMENT_MAX;
	(void)pthread_mutex_init(&store->lock, NULL);
	result = disk_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, &store->dir, err);
	if (result == ERR_NOT_FOUND)
		result = err_set(err, ERR_NOT_FOUND, "there is no store in %s", path);
	/* LMDB wants a path, which is to hold also after a chdir. */
	if (result == 0) {
		store->path = realpath(path, NULL);
		store->index_path = store->path == NULL ? NULL : path_join(store->path, "index");
		if (store->index_path == NULL)
			result = err_system(err, errno, "%s", path);
	}
	if (result == 0)
		result = check_owner(store->dir, path, err);
	if (result == 0)
		result = check_format(store->dir, path, err);
	if (result == 0)
		result = files_init(&store->journal, store->dir, "journal", "jrn", err);
	if (result == 0)
		result = files_init(&store->segments, store->dir, "segments", "seg", err);
	if (result != 0) {
		store_free(store);
		return result;
	}
	*out = store;
	return 0;
}

void
store_free(struct store *store)
{
	if (store == NULL)
		return;
	index_free(store->index);
	if (store->journal.folder != NULL)
		files_fini(&store->journal);
	if (store->segments.folder != NULL)
		files_fini(&store->segments);
	if (store->dir >= 0)
		(void)close(store->dir);
	(void)pthread_mutex_destroy(&store->lock);
	free(store->path);
	free(store->index_path);
	free(store);
}

int
store_index(struct store *store, struct index **index, struct err *err)
{
	struct index *fresh;
	int result = 0;

	(void)pthread_mutex_lock(&store->lock);
	if (store->index == NULL || index_replaced(store->index, store->index_path)) {
		result = index_open(store->index_path, INDEX_EXISTING, &fresh, err);
		if (result == 0) {
			index_free(store->index);
			store->index = fresh;
		}
	}
	*index = result == 0 ? index_hold(store->index) : NULL;
	(void)pthread_mutex_unlock(&store->lock);
	return result;
}

/* Take the write lock only if there is something to roll forward: opening must not wait for long
 * batches of others for nothing. */
static int
roll_if_needed(struct store *store, struct err *err)
{
	struct store_snapshot *snapshot;
	struct store_write write;
	struct index_meta meta;
	struct journal_at end;
	uint64_t next = 0;
	uint64_t size = 0;
	int result = store_snapshot_open(store, &snapshot, err);

	if (result != 0)
		return result;
	result = index_meta_get(snapshot->txn, &meta, err);
	store_snapshot_end(&snapshot->base);
	if (result != 0)
		return result;
	end = journal_unpack(meta.position);
	(void)files_size(&store->journal, end.file, &size, NULL);
	(void)files_size(&store->journal, end.file + 1, &next, NULL);
	if (size == end.offset && next == 0)
		return 0;
	result = write_begin(store, &write, err);
	if (result == 0)
		write_end(&write);
	return result;
}

int
store_open(const char *path, struct storage **storage, struct err *err)
{
	struct store *store;
	int result = store_open_files(path, &store, err);

	*storage = NULL;
	if (result != 0)
		return result;
	result = roll_if_needed(store, err);
	if (result != 0) {
		store_free(store);
		return result;
	}
	*storage = &store->base;
	return 0;
}

void
store_close(struct storage *storage)
{
	store_free((struct store *)storage);
}

int
store_changes(struct storage *storage, uint64_t *sequence, struct err *err)
{
	struct store_snapshot *snapshot;
	struct index_meta meta;
	int result = store_snapshot_open((struct store *)storage, &snapshot, err);

	if (result != 0)
		return result;
	result = index_meta_get(snapshot->txn, &meta, err);
	if (result == 0)
		*sequence = meta.sequence;
	store_snapshot_end(&snapshot->base);
	return result;
}
