/*
 * P1 (durable), P2 (immutable): after a crash between journal and index, a torn journal, an index
 * that is wrong, and rot in the journal, everything that is still there is there, and what is not is
 * named.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/hash.h"
#include "tests/store/place.h"

static struct err err; /* of the call that ok() looks at */

#define ok(call) place_must((call), &err, #call)

/* Put an older index back: the journal rolls forward. */
static void
test_roll_forward(void **state)
{
	struct place *place = *state;
	char *index = NULL;
	char *old = NULL;
	uint8_t before[HASH_SIZE];
	uint8_t after[HASH_SIZE];
	struct batch *batch;
	uint64_t answers;
	int fd;

	ok(batch_begin(place->storage, &batch, &err));
	(void)fixture_log(batch, 0);
	(void)fixture_log(batch, 1);
	ok(batch_commit(batch, &err));
	ok(fixture_append(place->storage, 0, 0, 40, &err));
	storage_close(place->storage);
	place->storage = NULL;
	assert_true(asprintf(&index, "%s/index/data.mdb", place->path) > 0);
	assert_true(asprintf(&old, "%s/old", place->folder) > 0);
	fixture_copy(old, index);
	ok(store_open(place->path, &place->storage, &err));
	ok(fixture_append(place->storage, 1, 0, 17, &err));
	ok(fixture_append(place->storage, 0, 40, 100, &err));
	ok(fixture_extras(place->storage, 1, &err));
	fixture_digest(place->storage, before, &answers);
	storage_close(place->storage);
	place->storage = NULL;
	fixture_copy(index, old);
	/* and a torn frame behind it all */
	free(old);
	assert_true(asprintf(&old, "%s/journal/00000001.jrn", place->path) > 0);
	fd = open(old, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "\0\0\1\0\0\0\1\0\2\0", 10), 10);
	(void)close(fd);
	ok(store_open(place->path, &place->storage, &err));
	fixture_digest(place->storage, after, &answers);
	assert_memory_equal(before, after, HASH_SIZE);
	ok(fixture_append(place->storage, 0, 100, 120, &err));
	place_check(place, 0, 120);
	free(index);
	free(old);
}

static void
count_finding(void *cookie, const struct store_finding *finding)
{
	(void)finding;
	(*(unsigned *)cookie)++;
}

/*
 * Whatever a crash or power loss has left behind the index's end, opening makes a whole store of it:
 * the frames before the first one that is not whole, and nothing else.
 */
static void
test_torn(void **state)
{
	struct place *place = *state;
	struct stat status;
	char *names[6] = {NULL};
	unsigned seed = 5;
	uint64_t kept = 0;
	off_t from;

	assert_true(asprintf(&names[0], "%s/data.mdb", place->folder) > 0);
	assert_true(asprintf(&names[1], "%s/index/data.mdb", place->path) > 0);
	assert_true(asprintf(&names[2], "%s/00000001.jrn", place->folder) > 0);
	assert_true(asprintf(&names[3], "%s/journal/00000001.jrn", place->path) > 0);
	assert_true(asprintf(&names[4], "%s/00000001.seg", place->folder) > 0);
	assert_true(asprintf(&names[5], "%s/segments/00000001.seg", place->path) > 0);
	place_fill(place);
	assert_int_equal(stat(names[3], &status), 0);
	from = status.st_size;
	storage_close(place->storage);
	fixture_copy(names[0], names[1]);
	ok(store_open(place->path, &place->storage, &err));
	ok(fixture_append(place->storage, 0, 100, 140, &err));
	ok(fixture_append(place->storage, 1, 17, 30, &err));
	storage_close(place->storage);
	fixture_copy(names[2], names[3]);
	fixture_copy(names[4], names[5]);
	assert_int_equal(stat(names[3], &status), 0);
	for (unsigned i = 0; i < 40; i++) {
		off_t at = from + rand_r(&seed) % (status.st_size - from);
		unsigned findings = 0;
		struct snapshot *snapshot;
		struct storage_log log;
		int fd;

		fixture_copy(names[1], names[0]);
		fixture_copy(names[3], names[2]);
		fixture_copy(names[5], names[4]);
		fd = open(names[3], O_RDWR);
		if (i % 2 == 0)
			assert_int_equal(ftruncate(fd, at), 0);
		else
			assert_int_equal(pwrite(fd, (uint8_t[700]){0}, 700, at), 700);
		(void)close(fd);
		ok(store_open(place->path, &place->storage, &err));
		ok(store_compare(place->storage, NULL, count_finding, &findings, &err));
		assert_int_equal(findings, 0);
		ok(snapshot_begin(place->storage, &snapshot, &err));
		ok(snapshot_log(snapshot, &log, 0, &err));
		snapshot_end(snapshot);
		assert_in_range(log.size, 100, 140);
		kept += log.size - 100;
		place_check(place, 0, log.size);
		ok(fixture_append(place->storage, 0, log.size, log.size + 1, &err));
		storage_close(place->storage);
	}
	assert_true(kept > 100);
	ok(store_open(place->path, &place->storage, &err));
	for (int i = 0; i < 6; i++)
		free(names[i]);
}

static void
test_reindex(void **state)
{
	struct place *place = *state;
	struct store *store = (struct store *)place->storage;
	uint8_t before[HASH_SIZE];
	uint8_t after[HASH_SIZE];
	uint64_t answers;

	store->journal_file_max = 50000; /* many files */
	store->segment_max = 30000;
	place_fill(place);
	ok(fixture_append(place->storage, 1, 17, 60, &err));
	fixture_digest(place->storage, before, &answers);
	assert_true(files_exist(&store->journal, 5));
	assert_true(files_exist(&store->segments, 3));
	ok(store_reindex(place->path, NULL, NULL, NULL, &err));
	/* The open store goes over to the new index by itself. */
	fixture_digest(place->storage, after, &answers);
	assert_memory_equal(before, after, HASH_SIZE);
	ok(fixture_append(place->storage, 1, 60, 70, &err));
	place_reopen(place);
	place_check(place, 1, 70);
	place_check(place, 0, 100);
}

static void
overwrite(struct place *place, const char *name, off_t offset, const void *bytes, size_t size)
{
	char *path;
	int fd;

	assert_true(asprintf(&path, "%s/%s", place->path, name) > 0);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, bytes, size, offset), size);
	(void)close(fd);
	free(path);
}

/* The offset of the frame of entry ${index} of log 0, and of the record in it. */
static struct journal_at
entry_at(struct place *place, uint64_t index)
{
	struct index_key key = index_key_place((struct storage_place){.log = 0, .index = index});
	struct store_snapshot *snapshot;
	struct index_entry entry;
	struct index_value value;

	ok(store_snapshot_open((struct store *)place->storage, &snapshot, &err));
	ok(index_get(snapshot->txn, INDEX_ENTRIES, &key, &value, &err));
	assert_true(index_entry_decode(&entry, &value));
	store_snapshot_end(&snapshot->base);
	return journal_unpack(entry.position);
}

static void
test_compare(void **state)
{
	struct place *place = *state;
	struct index_key key = index_key_fact(STORAGE_FACT_PEER, view_of("\0\0\0\0\0\0\0\2", 8));
	struct store *store = (struct store *)place->storage;
	struct store_write write;
	unsigned findings = 0;

	place_fill(place);
	ok(store_compare(place->storage, NULL, count_finding, &findings, &err));
	assert_int_equal(findings, 0);
	/* rows that go missing are named */
	for (int i = 0; i < 3; i++) {
		ok(write_begin(store, &write, &err));
		if (i == 0)
			ok(index_delete(write.txn, INDEX_FACTS, &key, &err));
		key = index_key_place((struct storage_place){.log = 0, .index = 7});
		if (i == 1)
			ok(index_delete(write.txn, INDEX_ENTRIES, &key, &err));
		key = index_key_node(0, 3, 2);
		if (i == 2)
			ok(index_delete(write.txn, INDEX_NODES, &key, &err));
		ok(write_commit(&write, &err));
		write_end(&write);
		findings = 0;
		ok(store_compare(place->storage, NULL, count_finding, &findings, &err));
		assert_true(findings > 0);
		ok(store_reindex(place->path, NULL, count_finding, &findings, &err));
		findings = 0;
		ok(store_compare(place->storage, NULL, count_finding, &findings, &err));
		assert_int_equal(findings, 0);
	}
}

/* A row that was right once, as a damaged page may show it, must not have a log forked. */
static void
test_stale_row(void **state)
{
	struct place *place = *state;
	struct store *store = (struct store *)place->storage;
	struct index_key key = index_key_u32(0);
	struct index_value old;
	struct store_write write;
	struct batch *batch;

	place_fill(place);
	ok(write_begin(store, &write, &err));
	ok(index_get(write.txn, INDEX_LOGS, &key, &old, &err));
	write_end(&write);
	ok(fixture_append(place->storage, 0, 100, 101, &err));
	ok(write_begin(store, &write, &err));
	ok(index_put(write.txn, INDEX_LOGS, &key, &old, false, &err));
	ok(write_commit(&write, &err));
	write_end(&write);
	assert_int_equal(batch_begin(place->storage, &batch, &err), ERR_INDEX);
	ok(store_reindex(place->path, NULL, NULL, NULL, &err));
	ok(fixture_append(place->storage, 0, 101, 102, &err));
	place_check(place, 0, 102);
}

/* A frame that rots costs its own entry and nothing else, also after reindex. */
static void
test_rot(void **state)
{
	struct place *place = *state;
	struct snapshot *snapshot;
	struct journal_at at;
	unsigned findings = 0;

	place_fill(place);
	at = entry_at(place, 30);
	overwrite(place, "journal/00000001.jrn", at.offset + 150, "rot", 3);
	for (int i = 0; i < 2; i++) {
		ok(snapshot_begin(place->storage, &snapshot, &err));
		for (uint64_t index = 0; index < 100; index++)
			assert_int_equal(
			    fixture_check(snapshot, 0, index, &err), index == 30 ? ERR_DAMAGED : 0);
		for (uint64_t index = 0; index < 17; index++)
			ok(fixture_check(snapshot, 1, index, &err));
		snapshot_end(snapshot);
		findings = 0;
		ok(store_compare(place->storage, NULL, count_finding, &findings, &err));
		assert_true(findings > 0);
		findings = 0;
		ok(store_reindex(place->path, NULL, count_finding, &findings, &err));
		assert_true(findings > 0);
	}
	/* the tree is whole: the log goes on */
	ok(fixture_append(place->storage, 0, 100, 110, &err));
	place_check(place, 1, 17);
	place_reopen(place);
	/* three frames in a row are too many: the log is read, and not written */
	at = entry_at(place, 50);
	for (uint64_t index = 50; index < 53; index++) {
		at = entry_at(place, index);
		overwrite(place, "journal/00000001.jrn", at.offset + 150, "rot", 3);
	}
	ok(store_reindex(place->path, NULL, count_finding, &findings, &err));
	place_reopen(place);
	ok(snapshot_begin(place->storage, &snapshot, &err));
	ok(fixture_check(snapshot, 0, 49, &err));
	assert_int_equal(fixture_check(snapshot, 0, 51, &err), ERR_DAMAGED);
	ok(fixture_check(snapshot, 0, 60, &err));
	snapshot_end(snapshot);
	assert_int_equal(fixture_append(place->storage, 0, 110, 111, &err), ERR_DAMAGED);
	ok(fixture_append(place->storage, 1, 17, 20, &err));
}

/* A whole file of the journal is gone: what stands behind it is not. */
static void
test_lost_file(void **state)
{
	struct place *place = *state;
	struct store *store = (struct store *)place->storage;
	struct snapshot *snapshot;
	unsigned findings = 0;
	unsigned lost = 0;
	unsigned there = 0;
	char *path;

	store->journal_file_max = 50000;
	place_fill(place);
	storage_close(place->storage);
	assert_true(asprintf(&path, "%s/journal/00000002.jrn", place->path) > 0);
	assert_int_equal(unlink(path), 0);
	free(path);
	for (int i = 0; i < 2; i++) {
		ok(store_open(place->path, &place->storage, &err));
		ok(store_compare(place->storage, NULL, count_finding, &findings, &err));
		assert_true(findings > 0);
		ok(snapshot_begin(place->storage, &snapshot, &err));
		lost = there = 0;
		for (uint64_t index = 0; index < 100; index++) {
			int result = fixture_check(snapshot, 0, index, &err);

			assert_true(result == 0 || result == ERR_DAMAGED);
			lost += result != 0;
			there += result == 0;
		}
		assert_true(lost > 10 && lost < 50);
		ok(fixture_check(snapshot, 1, 16, &err));
		snapshot_end(snapshot);
		findings = 0;
		if (i == 0) {
			storage_close(place->storage);
			ok(store_reindex(place->path, NULL, count_finding, &findings, &err));
			assert_true(findings > 0);
		}
	}
	ok(fixture_append(place->storage, 1, 17, 20, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    place_test(test_roll_forward),
	    place_test(test_torn),
	    place_test(test_reindex),
	    place_test(test_compare),
	    place_test(test_stale_row),
	    place_test(test_rot),
	    place_test(test_lost_file),
	};

	return cmocka_run_group_tests_name("store_damage", tests, NULL, NULL);
}
