/* The only file that includes lmdb.h.  Sound rows are index_layout's business; here are keys and
 * values of bytes. */
#include "node/store/index.h"

#include <errno.h>
#include <lmdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "node/store/guard.h"

#define MAP_SIZE ((size_t)64 << 30) /* address space, not memory or disk */
#define MAP_SMALLEST ((size_t)1 << 30)
#define READERS 510

struct index {
	MDB_env *env;
	MDB_dbi tables[INDEX_TABLES];
	atomic_uint users;
	dev_t device;
	ino_t inode;
};

struct index_txn {
	struct index *index;
	MDB_txn *txn;
	MDB_cursor *cursors[INDEX_TABLES]; /* opened when needed */
	bool write;
};

static int
index_error(int number, const char *what, struct err *err)
{
	switch (number) {
	case MDB_SUCCESS:
		return 0;
	case MDB_NOTFOUND:
		return ERR_NOT_FOUND;
	case MDB_KEYEXIST:
		return ERR_EXISTS;
	case MDB_MAP_FULL:
		return err_set(err, ERR_FULL, "%s: the index has reached 64 GiB", what);
	case MDB_TXN_FULL:
		return err_set(err, ERR_LIMIT, "%s: too many changes in one batch", what);
	case MDB_READERS_FULL:
		return err_set(err, ERR_IO, "%s: too many readers", what);
	case ENOMEM:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case EIO:
	case EACCES:
	case EPERM:
	case EROFS:
	case EMFILE:
	case ENFILE:
	case EAGAIN:
		return err_system(err, number, "%s", what);
	default: /* LMDB's and errno's codes are not an enum of ours */
		return err_set(err, ERR_INDEX, "%s: %s: the index is damaged: run dalil reindex",
		    what, mdb_strerror(number));
	}
}

static void
assertion_failed(MDB_env *env, const char *text)
{
	(void)env;
	(void)text;
	guard_index_damaged();
}

static int
open_tables(struct index *index, bool fresh)
{
	MDB_txn *txn;
	int number = mdb_txn_begin(index->env, NULL, fresh ? 0 : MDB_RDONLY, &txn);

	if (number != 0)
		return number;
	for (int i = 0; number == 0 && i < INDEX_TABLES; i++)
		number = mdb_dbi_open(txn, index_table_name((enum index_table)i),
		    fresh ? MDB_CREATE : 0, &index->tables[i]);
	if (number == 0)
		return mdb_txn_commit(txn); /* a read's commit keeps the handles */
	mdb_txn_abort(txn);
	return number == MDB_NOTFOUND ? MDB_INVALID : number;
}

/* Where address space is short (a limit, valgrind) a smaller map does. */
static int
open_env(struct index *index, const char *path, bool building)
{
	/* A new index is synced once, when it is complete: index_sync. */
	unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | (building ? MDB_NOSYNC : MDB_NOMETASYNC);
	int number = ENOMEM;

	for (size_t size = MAP_SIZE; number == ENOMEM && size >= MAP_SMALLEST; size /= 2) {
		number = mdb_env_create(&index->env);
		if (number != 0)
			return number;
		(void)mdb_env_set_assert(index->env, assertion_failed);
		(void)mdb_env_set_mapsize(index->env, size);
		(void)mdb_env_set_maxreaders(index->env, READERS);
		(void)mdb_env_set_maxdbs(index->env, INDEX_TABLES);
		number = mdb_env_open(index->env, path, flags, 0600);
		if (number != 0) {
			mdb_env_close(index->env);
			index->env = NULL;
		}
	}
	return number;
}

static int
identify(struct index *index)
{
	struct stat status;
	mdb_filehandle_t fd;
	int number = mdb_env_get_fd(index->env, &fd);

	if (number != 0)
		return number;
	if (fstat(fd, &status) != 0)
		return errno;
	index->device = status.st_dev;
	index->inode = status.st_ino;
	return 0;
}

int
index_open(const char *path, enum index_how how, struct index **out, struct err *err)
{
	struct index *index = calloc(1, sizeof(*index));
	int dead;
	int number;

	*out = NULL;
	if (index == NULL)
		return err_set(err, ERR_MEMORY, "no memory for the index");
	guard_install();
	guard_enter();
	atomic_init(&index->users, 1);
	number = open_env(index, path, how != INDEX_EXISTING);
	if (number == 0)
		number = identify(index);
	if (number == 0)
		number = open_tables(index, how == INDEX_FRESH);
	if (number == 0)
		(void)mdb_reader_check(index->env, &dead); /* forget readers that were killed */
	if (number != 0 && index->env != NULL)
		mdb_env_close(index->env);
	guard_leave();
	if (number != 0) {
		free(index);
		return number == ENOENT ?
		           err_set(err, ERR_INDEX, "the index is not there: run dalil reindex") :
		           index_error(number, "opening the index", err);
	}
	*out = index;
	return 0;
}

struct index *
index_hold(struct index *index)
{
	(void)atomic_fetch_add(&index->users, 1);
	return index;
}

void
index_free(struct index *index)
{
	if (index == NULL || atomic_fetch_sub(&index->users, 1) != 1)
		return;
	guard_enter();
	mdb_env_close(index->env);
	guard_leave();
	free(index);
}

bool
index_replaced(const struct index *index, const char *path)
{
	char name[4096];
	struct stat status;

	if (snprintf(name, sizeof(name), "%s/data.mdb", path) >= (int)sizeof(name) ||
	    stat(name, &status) != 0)
		return true;
	return status.st_dev != index->device || status.st_ino != index->inode;
}

int
index_sync(struct index *index, struct err *err)
{
	int number;

	guard_enter();
	number = mdb_env_sync(index->env, 1);
	guard_leave();
	return index_error(number, "syncing the index", err);
}

int
index_begin(struct index *index, bool write, struct index_txn **out, struct err *err)
{
	struct index_txn *txn = calloc(1, sizeof(*txn));
	int dead;
	int number;

	*out = NULL;
	if (txn == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a transaction");
	txn->write = write;
	guard_enter();
	if (write)
		(void)mdb_reader_check(index->env, &dead);
	number = mdb_txn_begin(index->env, NULL, write ? 0 : MDB_RDONLY, &txn->txn);
	guard_leave();
	if (number != 0) {
		free(txn);
		return index_error(number, "reading the index", err);
	}
	txn->index = index_hold(index);
	*out = txn;
	return 0;
}

static void
close_cursors(struct index_txn *txn)
{
	for (int i = 0; i < INDEX_TABLES; i++) {
		if (txn->cursors[i] != NULL)
			mdb_cursor_close(txn->cursors[i]);
		txn->cursors[i] = NULL;
	}
}

int
index_commit(struct index_txn *txn, struct err *err)
{
	int number;

	guard_enter();
	close_cursors(txn);
	number = mdb_txn_commit(txn->txn);
	guard_leave();
	index_free(txn->index);
	free(txn);
	return index_error(number, "writing the index", err);
}

void
index_abort(struct index_txn *txn)
{
	if (txn == NULL)
		return;
	guard_enter();
	close_cursors(txn);
	mdb_txn_abort(txn->txn);
	guard_leave();
	index_free(txn->index);
	free(txn);
}

/* Inside the guard. */
static int
cursor_of(struct index_txn *txn, enum index_table table, MDB_cursor **cursor)
{
	int number = 0;

	if (txn->cursors[table] == NULL)
		number = mdb_cursor_open(txn->txn, txn->index->tables[table], &txn->cursors[table]);
	*cursor = txn->cursors[table];
	return number;
}

/* Inside the guard: what LMDB points to may be anywhere. */
static bool
copy_value(struct index_value *value, const MDB_val *from)
{
	if (from->mv_size > sizeof(value->bytes))
		return false;
	memcpy(value->bytes, from->mv_data, from->mv_size);
	value->size = from->mv_size;
	return true;
}

static bool
copy_row(struct index_row *row, const MDB_val *key, const MDB_val *value)
{
	if (key->mv_size > sizeof(row->key.bytes) || !copy_value(&row->value, value))
		return false;
	memcpy(row->key.bytes, key->mv_data, key->mv_size);
	row->key.size = key->mv_size;
	return true;
}

static MDB_val
val_of(const void *bytes, size_t size)
{
	return (MDB_val){.mv_size = size, .mv_data = (void *)(uintptr_t)bytes};
}

int
index_get(struct index_txn *txn, enum index_table table, const struct index_key *key,
    struct index_value *value, struct err *err)
{
	MDB_val wanted = val_of(key->bytes, key->size);
	MDB_cursor *cursor;
	MDB_val data;
	int number;
	bool fits = true;

	guard_enter();
	number = cursor_of(txn, table, &cursor);
	if (number == 0)
		number = mdb_cursor_get(cursor, &wanted, &data, MDB_SET);
	if (number == 0)
		fits = copy_value(value, &data);
	guard_leave();
	if (!fits)
		return index_bad_row(table, err);
	return index_error(number, "reading the index", err);
}

int
index_seek(struct index_txn *txn, enum index_table table, const struct index_key *key,
    struct index_row *row, struct err *err)
{
	MDB_val found = val_of(key->bytes, key->size);
	MDB_cursor *cursor;
	MDB_val data;
	int number;
	bool fits = true;

	guard_enter();
	number = cursor_of(txn, table, &cursor);
	if (number == 0)
		number = mdb_cursor_get(cursor, &found, &data, MDB_SET_RANGE);
	if (number == 0)
		fits = copy_row(row, &found, &data);
	guard_leave();
	if (!fits ||
	    (number == 0 && view_compare(index_key_view(&row->key), index_key_view(key)) < 0))
		return index_bad_row(table, err);
	return index_error(number, "reading the index", err);
}

int
index_seek_below(struct index_txn *txn, enum index_table table, const struct index_key *key,
    struct index_row *row, struct err *err)
{
	MDB_val found = val_of(key->bytes, key->size);
	MDB_cursor *cursor;
	MDB_val data;
	int number;
	bool fits = true;

	guard_enter();
	number = cursor_of(txn, table, &cursor);
	if (number == 0) {
		number = mdb_cursor_get(cursor, &found, &data, MDB_SET_RANGE);
		if (number == 0)
			number = mdb_cursor_get(cursor, &found, &data, MDB_PREV);
		else if (number == MDB_NOTFOUND)
			number = mdb_cursor_get(cursor, &found, &data, MDB_LAST);
	}
	if (number == 0)
		fits = copy_row(row, &found, &data);
	guard_leave();
	if (!fits ||
	    (number == 0 && view_compare(index_key_view(&row->key), index_key_view(key)) >= 0))
		return index_bad_row(table, err);
	return index_error(number, "reading the index", err);
}

int
index_put(struct index_txn *txn, enum index_table table, const struct index_key *key,
    const struct index_value *value, bool keep, struct err *err)
{
	MDB_val to = val_of(key->bytes, key->size);
	MDB_val data = val_of(value->bytes, value->size);
	MDB_cursor *cursor;
	int number;

	guard_enter();
	number = cursor_of(txn, table, &cursor);
	if (number == 0)
		number = mdb_cursor_put(cursor, &to, &data, keep ? MDB_NOOVERWRITE : 0);
	guard_leave();
	return index_error(number, "writing the index", err);
}

int
index_delete(
    struct index_txn *txn, enum index_table table, const struct index_key *key, struct err *err)
{
	MDB_val wanted = val_of(key->bytes, key->size);
	int number;

	guard_enter();
	number = mdb_del(txn->txn, txn->index->tables[table], &wanted, NULL);
	guard_leave();
	return index_error(number, "writing the index", err);
}

int
index_count(struct index_txn *txn, enum index_table table, uint64_t *count, struct err *err)
{
	MDB_stat stat;
	int number;

	guard_enter();
	number = mdb_stat(txn->txn, txn->index->tables[table], &stat);
	guard_leave();
	*count = number == 0 ? stat.ms_entries : 0;
	return index_error(number, "reading the index", err);
}
