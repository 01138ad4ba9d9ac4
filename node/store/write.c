/* The write lock and what it begins with: the journal's end and the index's end made one. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "node/store/disk.h"
#include "node/store/store_private.h"

#define FRAMES_AT_ONCE 4096

int
store_lock(int dir, int *lock, struct err *err)
{
	int result = disk_open(dir, LOCK_NAME, O_RDWR, lock, err);

	/* A description of its own for each holder: threads of one process wait for each other too. */
	if (result == 0)
		result = disk_lock(*lock, LOCK_JOURNAL, true, err);
	if (result == ERR_NOT_FOUND)
		result = err_set(err, ERR_DAMAGED,
		    "the store's file `lock` is not there: with no other dalil running, make it "
		    "anew, empty");
	if (result != 0 && *lock >= 0) {
		(void)close(*lock);
		*lock = -1;
	}
	return result;
}

static int
sync_files(struct files *files, uint32_t from, uint32_t to, struct err *err)
{
	struct file_use use;
	int result = 0;

	for (uint32_t file = from; result == 0 && file <= to; file++) {
		result = files_get(files, file, &use, err);
		if (result != 0)
			return result;
		result = disk_sync(use.fd, use.name, err);
		files_put(files, &use);
	}
	return result;
}

/* The index must not know more than the journal has. */
static int
check_end(struct store *store, struct journal_at end, struct err *err)
{
	uint64_t size;
	int result = files_size(&store->journal, end.file, &size, err);

	if (result == ERR_NOT_FOUND)
		size = 0;
	else if (result != 0)
		return result;
	if (result == ERR_NOT_FOUND || size < end.offset)
		return err_set(err, ERR_DAMAGED,
		    "journal file %" PRIu32 " ends at %" PRIu64
		    ", but the index knows it up to %" PRIu32
		    ": frames are lost; dalil reindex goes on with what is left",
		    end.file, size, end.offset);
	return 0;
}

/* Apply whole frames behind the index's end.  *more: there are further ones. */
static int
roll_chunk(struct store_write *write, uint64_t *frames, bool *more, struct err *err)
{
	struct journal_at from = journal_unpack(write->apply.meta.position);
	struct journal_frame frame;
	struct journal_walk walk;
	int result = check_end(write->store, from, err);

	*frames = 0;
	*more = false;
	if (result != 0)
		return result;
	journal_walk_init(&walk, &write->store->journal, from, write->apply.meta.sequence);
	walk.check_parts = true; /* a torn frame's parts may be zeros behind a good checksum */
	while (!*more) {
		result = journal_walk_next(&walk, &frame, err);
		if (result == ERR_DAMAGED) {
			result = journal_cut(&write->store->journal, walk.at, walk.sequence, err);
			break;
		}
		if (result != 0)
			break;
		result = apply_frame(&write->apply, &frame, err);
		if (result == ERR_DAMAGED) { /* a whole frame that does not fit the index */
			result = ERR_INDEX;
			if (err != NULL)
				err->code = result;
			(void)err_wrap(err, "the index is damaged: run dalil reindex");
		}
		if (result != 0)
			break;
		*more = ++*frames == FRAMES_AT_ONCE;
	}
	if (result == ERR_NOT_FOUND)
		result = 0;
	if (result == 0 && *frames > 0)
		result = apply_flush(&write->apply, err);
	if (result == 0 && *frames > 0)
		result = sync_files(&write->store->journal, from.file, walk.at.file, err);
	journal_walk_fini(&walk);
	return result;
}

int
write_commit(struct store_write *write, struct err *err)
{
	struct index_txn *txn = write->txn;

	write->txn = NULL;
	apply_forget(&write->apply);
	return index_commit(txn, err);
}

static int
roll_forward(struct store_write *write, struct err *err)
{
	uint64_t frames = 0;
	bool more = true;
	int result = 0;

	while (result == 0 && (more || frames > 0)) {
		result = index_begin(write->index, true, &write->txn, err);
		if (result == 0)
			result = apply_start(&write->apply, write->txn, err);
		if (result == 0)
			result = roll_chunk(write, &frames, &more, err);
		/* What was rolled forward is committed before anything new begins. */
		if (result == 0 && frames > 0)
			result = write_commit(write, err);
	}
	return result;
}

int
write_begin(struct store *store, struct store_write *write, struct err *err)
{
	int result;

	write->store = store;
	write->index = NULL;
	write->txn = NULL;
	write->lock = -1;
	apply_init(&write->apply, &store->journal, false);
	if (atomic_load(&store->failed))
		result = err_set(err, ERR_IO,
		    "the journal could not be brought back to a good end before: start again");
	else
		result = store_lock(store->dir, &write->lock, err);
	if (result == 0)
		result = store_index(store, &write->index, err);
	if (result == 0)
		result = roll_forward(write, err);
	if (result != 0)
		write_end(write);
	return result;
}

void
write_end(struct store_write *write)
{
	index_abort(write->txn);
	write->txn = NULL;
	index_free(write->index);
	write->index = NULL;
	apply_fini(&write->apply);
	if (write->lock >= 0)
		(void)close(write->lock);
	write->lock = -1;
}
