/* A new index from the journal, beside the old one, then in its place. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/store/disk.h"
#include "node/store/store_private.h"

#define FRAMES_AT_ONCE 2048
#define NEW_NAME "index.new"

struct reindex {
	struct store *store;
	int lock;
	struct index *index;
	struct index_txn *txn;
	struct apply apply;
	struct journal_walk walk;
	uint64_t damaged; /* places in the journal */
	store_progress *progress;
	store_found *found;
	void *cookie;
};

static void
tell(struct reindex *reindex, const char *text)
{
	struct store_finding finding = {.code = ERR_DAMAGED, .text = text};

	reindex->damaged++;
	if (reindex->found != NULL)
		reindex->found(reindex->cookie, &finding);
}

static void
remove_index(int dir, const char *name)
{
	int fd;

	if (disk_open(dir, name, O_RDONLY | O_DIRECTORY, &fd, NULL) != 0)
		return;
	(void)unlinkat(fd, "data.mdb", 0);
	(void)unlinkat(fd, "lock.mdb", 0);
	(void)close(fd);
	(void)unlinkat(dir, name, AT_REMOVEDIR);
}

/* Write what is pending; go on in a new transaction. */
static int
turn_over(struct reindex *reindex, struct err *err)
{
	int result = apply_flush(&reindex->apply, err);
	struct index_txn *txn = reindex->txn;

	if (result != 0)
		return result;
	reindex->txn = NULL;
	result = index_commit(txn, err);
	if (result == 0)
		result = index_begin(reindex->index, true, &reindex->txn, err);
	if (result == 0)
		result = apply_start(&reindex->apply, reindex->txn, err);
	return result;
}

/* One frame, or one damaged place.  ERR_NOT_FOUND: the end. */
static int
step(struct reindex *reindex, struct err *err)
{
	struct journal_at before = reindex->walk.at;
	struct journal_frame frame;
	struct err why = {.code = 0};
	char text[ERR_TEXT_MAX + 64];
	int result = journal_walk_next(&reindex->walk, &frame, &why);

	if (result == 0) {
		result = apply_frame(&reindex->apply, &frame, &why);
		if (result == ERR_DAMAGED) {
			(void)snprintf(text, sizeof(text),
			    "journal %" PRIu32 ", offset %" PRIu32 ": %s", frame.at.file,
			    frame.at.offset, err_text(&why));
			tell(reindex, text);
			/* It stays where it is and means nothing. */
			reindex->apply.meta.sequence = frame.header.sequence;
			reindex->apply.meta.position = journal_pack(reindex->walk.at);
			return 0;
		}
	} else if (result == ERR_NOT_FOUND) {
		/* The end, unless it is only a file that is gone. */
		result = journal_walk_skip(&reindex->walk, &why);
		if (result == 0)
			tell(
			    reindex, "files of the journal are not there, with others behind them");
	} else if (result == ERR_DAMAGED) {
		tell(reindex, err_text(&why));
		result = journal_walk_skip(&reindex->walk, &why);
		/* What is behind the last whole frame is left to the next writer, which cuts it. */
		if (result == ERR_NOT_FOUND)
			reindex->walk.at = before;
	}
	if (result != 0 && result != ERR_NOT_FOUND && err != NULL)
		*err = why;
	return result;
}

static int
walk_journal(struct reindex *reindex, struct err *err)
{
	uint64_t all = journal_bytes(
	    &reindex->store->journal, (struct journal_at){.file = UINT32_MAX, .offset = 0});
	unsigned frames = 0;
	int result = 0;

	while (result == 0) {
		result = step(reindex, err);
		if (result == 0 && ++frames % FRAMES_AT_ONCE == 0) {
			result = turn_over(reindex, err);
			if (reindex->progress != NULL)
				reindex->progress(reindex->cookie,
				    journal_bytes(&reindex->store->journal, reindex->walk.at), all);
		}
	}
	if (reindex->progress != NULL)
		reindex->progress(reindex->cookie, all, all);
	return result == ERR_NOT_FOUND ? 0 : result;
}

/* A frame that was lost may have referred to any bytes of a segment: none are to be cut. */
static int
spare_segments(struct reindex *reindex, struct err *err)
{
	uint32_t last;
	uint64_t size;
	int result = files_last(&reindex->store->segments, &last, err);

	for (uint32_t number = 1; result == 0 && reindex->damaged > 0 && number <= last; number++) {
		if (files_size(&reindex->store->segments, number, &size, NULL) == 0)
			result = apply_segment_end(&reindex->apply, number, size, err);
	}
	return result;
}

static int
fill(struct reindex *reindex, struct err *err)
{
	int result = index_begin(reindex->index, true, &reindex->txn, err);

	if (result == 0)
		result = apply_start(&reindex->apply, reindex->txn, err);
	if (result == 0)
		result = walk_journal(reindex, err);
	if (result == 0)
		result = spare_segments(reindex, err);
	if (result == 0)
		result = turn_over(reindex, err);
	index_abort(reindex->txn);
	reindex->txn = NULL;
	return result == 0 ? index_sync(reindex->index, err) : result;
}

/* Readers of the old index keep it until they notice (store_index); it is removed under them. */
static int
exchange(int dir, struct err *err)
{
	int result = disk_sync_directory(dir, NEW_NAME, err);

	if (result != 0)
		return result;
	if (renameat2(dir, NEW_NAME, dir, "index", RENAME_EXCHANGE) != 0) {
		/* No index there, or a file system without exchange. */
		remove_index(dir, "index");
		if (renameat(dir, NEW_NAME, dir, "index") != 0)
			return err_system(err, errno, "putting the new index in its place");
	}
	result = disk_sync_directory(dir, ".", err);
	remove_index(dir, NEW_NAME);
	return result;
}

static int
build(struct reindex *reindex, const char *path, struct err *err)
{
	int dir = reindex->store->dir;
	char *fresh = NULL;
	int result;

	remove_index(dir, NEW_NAME);
	if (asprintf(&fresh, "%s/" NEW_NAME, path) < 0)
		return err_set(err, ERR_MEMORY, "no memory");
	if (mkdirat(dir, NEW_NAME, 0700) != 0)
		result = err_system(err, errno, NEW_NAME);
	else
		result = store_make_index(fresh, err);
	if (result == 0)
		result = index_open(fresh, INDEX_BUILDING, &reindex->index, err);
	if (result == 0)
		result = fill(reindex, err);
	index_free(reindex->index);
	reindex->index = NULL;
	if (result == 0)
		result = exchange(dir, err);
	else
		remove_index(dir, NEW_NAME);
	free(fresh);
	return result;
}

int
store_reindex(
    const char *path, store_progress *progress, store_found *found, void *cookie, struct err *err)
{
	struct reindex reindex = {
	    .lock = -1, .progress = progress, .found = found, .cookie = cookie};
	int result = store_open_files(path, &reindex.store, err);

	if (result != 0)
		return result;
	apply_init(&reindex.apply, &reindex.store->journal, true);
	journal_walk_init(
	    &reindex.walk, &reindex.store->journal, (struct journal_at){.file = 1, .offset = 0}, 0);
	result = store_lock(reindex.store->dir, &reindex.lock, err);
	if (result == 0)
		result = build(&reindex, path, err);
	if (reindex.lock >= 0)
		(void)close(reindex.lock);
	journal_walk_fini(&reindex.walk);
	apply_fini(&reindex.apply);
	store_free(reindex.store);
	return result;
}
