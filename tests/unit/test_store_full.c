/*
 * P1 (durable): a disk that fills, at whatever write, leaves the store as it was before the batch,
 * and the store goes on once there is room.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/store/store_private.h"
#include "tests/store/fixture.h"
#include "tests/unit/vectors.h"

static struct err err; /* of the call that ok() looks at */

#define ok(call)                                                   \
	do {                                                       \
		if ((call) != 0)                                   \
			fail_msg("%s: %s", #call, err_text(&err)); \
	} while (0)

static struct storage *
make(const char *path)
{
	struct storage *storage;
	struct batch *batch;

	ok(store_create(path, &err));
	ok(store_open(path, &storage, &err));
	ok(batch_begin(storage, &batch, &err));
	(void)fixture_log(batch, 0);
	ok(batch_commit(batch, &err));
	return storage;
}

static rlim_t
file_size(const char *path, const char *name)
{
	struct stat status;
	char *joined;

	assert_true(asprintf(&joined, "%s/%s", path, name) > 0);
	assert_int_equal(stat(joined, &status), 0);
	free(joined);
	return (rlim_t)status.st_size;
}

static void
check(struct storage *storage, uint64_t size)
{
	struct snapshot *snapshot;
	struct storage_log log;

	ok(snapshot_begin(storage, &snapshot, &err));
	ok(snapshot_log(snapshot, &log, 0, &err));
	assert_int_equal(log.size, size);
	for (uint64_t i = 0; i < size; i++)
		ok(fixture_check(snapshot, 0, i, &err));
	snapshot_end(snapshot);
}

/* No file may grow past a limit, which is moved over the ends of all of them. */
static void
test_limits(void **state)
{
	static const char *const names[] = {
	    "segments/00000001.seg", "journal/00000001.jrn", "index/data.mdb"};
	struct rlimit limit = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
	char *folder = fixture_folder();
	struct storage *storage;
	uint8_t before[HASH_SIZE];
	uint8_t after[HASH_SIZE];
	uint64_t answers;
	unsigned failed = 0;
	unsigned done = 0;
	uint64_t size = 60;
	char *path;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_true(asprintf(&path, "%s/store", folder) > 0);
	storage = make(path);
	ok(fixture_append(storage, 0, 0, size, &err));
	for (unsigned i = 0; i < 24; i++) {
		struct rlimit tight = limit;
		int result;

		tight.rlim_cur = file_size(path, names[i % 3]) + 1 + i * 1500;
		fixture_digest(storage, before, &answers);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
		result = fixture_append(storage, 0, size, size + 30, &err);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		if (result == 0) {
			size += 30;
			done++;
			continue;
		}
		assert_true(result == ERR_FULL || result == ERR_IO);
		failed++;
		fixture_digest(storage, after, &answers);
		assert_memory_equal(before, after, HASH_SIZE);
	}
	assert_true(failed >= 12);
	ok(fixture_append(storage, 0, size, size + 10, &err));
	check(storage, size + 10);
	storage_close(storage);
	ok(store_open(path, &storage, &err));
	check(storage, size + 10);
	storage_close(storage);
	print_message("%u batches failed, %u were done\n", failed, done);
	free(path);
	fixture_remove(folder);
}

/* A real file system of 6 MB, filled to the last byte. */
static void
test_disk(void **state)
{
	char *folder = fixture_folder();
	struct storage *storage;
	struct storage *other;
	uint8_t before[HASH_SIZE];
	uint8_t after[HASH_SIZE];
	uint64_t answers;
	uint64_t size = 0;
	unsigned failed = 0;
	char *path;

	(void)state;
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", folder, "tmpfs", 0, "size=6m") != 0) {
		print_message("skipped: mounting a small file system is not allowed here\n");
		fixture_remove(folder);
		skip();
	}
	assert_true(asprintf(&path, "%s/store", folder) > 0);
	storage = make(path);
	for (unsigned step = 32; failed < 7;) {
		int result;

		fixture_digest(storage, before, &answers);
		result = fixture_append(storage, 0, size, size + step, &err);
		if (result == 0) {
			size += step;
			continue;
		}
		assert_int_equal(result, ERR_FULL);
		failed++;
		step = step > 1 ? step / 2 : 1;
		fixture_digest(storage, after, &answers);
		assert_memory_equal(before, after, HASH_SIZE);
		/* and another process can open it, full as it is */
		storage_close(storage);
		ok(store_open(path, &storage, &err));
	}
	check(storage, size);
	ok(store_compare(storage, NULL, NULL, NULL, &err));
	storage_close(storage);
	/* room again */
	assert_int_equal(mount(NULL, folder, NULL, MS_REMOUNT, "size=12m"), 0);
	ok(store_open(path, &other, &err));
	ok(fixture_append(other, 0, size, size + 64, &err));
	check(other, size + 64);
	storage_close(other);
	print_message("%u batches failed, %u entries stand\n", failed, (unsigned)size + 64);
	assert_int_equal(umount(folder), 0);
	free(path);
	fixture_remove(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_disk),
	};

	return cmocka_run_group_tests_name("store_full", tests, NULL, NULL);
}
