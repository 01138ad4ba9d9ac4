/*
 * The archive: what is deposited comes back byte for byte, damage is named and never given out, and
 * who has no key reads nothing. Defends P1, P2, P3, P6.
 */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/archive.h"
#include "proto/age_stream.h"
#include "proto/hash.h"
#include "proto/statement_file.h"
#include "proto/text.h"
#include "tests/unit/archive_fixture.h"
#include "tests/unit/vectors.h"

static void
test_round_trip(void **state)
{
	struct fixture *fixture = *state;
	struct archive_reader *reader;
	struct view name;
	const struct archive_exhibit *exhibit;
	struct err err;
	size_t i;

	fixture_deposit(fixture, false, false);
	for (i = 0; i < FIXTURE_SIZES; i++) {
		uint8_t sha256[HASH_SIZE];
		struct view bytes;
		char path[256];

		fixture_path(fixture, path, i);
		bytes = vectors_file(path);
		hash_sha256(sha256, bytes);
		vectors_free(bytes);
		assert_int_equal(fixture->results[i].code, 0);
		assert_false(fixture->results[i].already);
		assert_ptr_equal(fixture->results[i].tag, &fixture_sizes[i]);
		assert_int_equal(fixture->results[i].size, fixture_sizes[i]);
		assert_memory_equal(fixture->results[i].sha256, sha256, HASH_SIZE);
	}
	fixture_reopen(fixture);
	reader = fixture_reader(fixture, NULL);
	fixture_get_all(fixture, reader, ARCHIVE_VAULT);
	fixture_require(
	    archive_read(reader, fixture_place(fixture, 2), &exhibit, &err), &err, "read");
	name = fields_bytes(&exhibit->fields, FIELD_NAME);
	assert_true(view_equal(name, view_text("file-2.txt")));
	name = fields_bytes(&exhibit->fields, FIELD_DEPOSITED_BY);
	assert_true(view_equal(name, view_text("node one")));
	assert_non_null(exhibit->claims);
	assert_memory_equal(
	    claims_root(exhibit->claims), exhibit->record.as.deposit.claims, HASH_SIZE);
	archive_reader_free(reader);
}

/* A second deposit of the same bytes stores nothing, unless that is asked for. */
static void
test_already(void **state)
{
	struct fixture *fixture = *state;
	uint8_t ids[FIXTURE_SIZES][HASH_SIZE];
	struct archive_log log;
	uint64_t size;
	struct err err;
	size_t i;

	fixture_deposit(fixture, false, false);
	for (i = 0; i < FIXTURE_SIZES; i++)
		memcpy(ids[i], fixture->results[i].id, HASH_SIZE);
	fixture_require(archive_log_named(fixture->archive, NULL, &log, &err), &err, "log");
	size = log.log.size;
	fixture_deposit(fixture, false, false);
	for (i = 0; i < FIXTURE_SIZES; i++) {
		assert_true(fixture->results[i].already);
		assert_memory_equal(fixture->results[i].id, ids[i], HASH_SIZE);
	}
	fixture_require(archive_log_named(fixture->archive, NULL, &log, &err), &err, "log");
	assert_int_equal(log.log.size, size);
	fixture_deposit(fixture, false, true);
	for (i = 0; i < FIXTURE_SIZES; i++) {
		assert_false(fixture->results[i].already);
		assert_memory_not_equal(fixture->results[i].id, ids[i], HASH_SIZE);
	}
}

/* Without a key nothing is read; what is open anybody reads, and no more than was published. */
static void
test_access(void **state)
{
	struct fixture *fixture = *state;
	struct archive_reader *reader;
	const struct archive_exhibit *exhibit;
	struct err err;

	fixture_deposit(fixture, false, false);
	fixture_reopen_locked(fixture);
	reader = fixture_reader(fixture, NULL);
	fixture_get_all(fixture, reader, ARCHIVE_CLOSED);
	archive_reader_free(reader);
	fixture_reopen(fixture);
	fixture_deposit(fixture, true, true);
	fixture_reopen_locked(fixture);
	reader = fixture_reader(fixture, NULL);
	fixture_get_all(fixture, reader, ARCHIVE_OPEN);
	fixture_require(
	    archive_read(reader, fixture_place(fixture, 3), &exhibit, &err), &err, "read");
	assert_true(exhibit->is_open);
	assert_false(exhibit->has_file_key);
	assert_int_equal(fields_bytes(&exhibit->fields, FIELD_SHA256).size, HASH_SIZE);
	assert_int_equal(exhibit->fields.values[FIELD_NAME].size, 0);
	archive_reader_free(reader);
}

/* A reader of the grant, with a key that is in no store. */
static void
test_reader(void **state)
{
	struct fixture *fixture = *state;
	struct fields_builder *fields = fields_builder_new(FIELD_DEPOSIT);
	uint8_t secret[KEYS_SIZE];
	uint8_t recipient[1][HASH_SIZE];
	const struct archive_exhibit *exhibit;
	struct archive_reader *reader;
	struct deposit_run *run;
	char path[256];
	struct err err;

	randombytes_buf(secret, sizeof(secret));
	assert_int_equal(crypto_scalarmult_base(recipient[0], secret), 0);
	fixture_path(fixture, path, 1);
	fixture_write(path, 1, 70000);
	assert_int_equal(
	    fields_put_text(fields, view_text("source"), view_text("G. M."), FIELDS_TO_VAULT, &err),
	    0);
	assert_int_equal(fields_put_text(fields, view_text("title"), view_text("Night shift"),
	                     FIELDS_TO_READERS, &err),
	    0);
	run = fixture_begin(fixture, false);
	fixture_add(run, &(struct deposit_file){.path = path,
	                     .fd = -1,
	                     .fields = fields,
	                     .readers = (const uint8_t(*)[HASH_SIZE])recipient,
	                     .reader_count = 1});
	fixture_finish(run);
	fixture_reopen_locked(fixture);
	reader = fixture_reader(fixture, secret);
	fixture_require(
	    archive_read(reader, fixture_place(fixture, 0), &exhibit, &err), &err, "read");
	assert_int_equal(exhibit->access, ARCHIVE_SEALED);
	assert_true(
	    view_equal(fields_bytes(&exhibit->fields, FIELD_TITLE), view_text("Night shift")));
	assert_int_equal(exhibit->fields.values[FIELD_SOURCE].size, 0);
	(void)snprintf(path, sizeof(path), "%s/out", fixture->folder);
	fixture_require(archive_get_file(reader, exhibit, path, false, NULL, &err), &err, "get");
	fixture_check(path, 1, 70000);
	archive_reader_free(reader);
	fixture_reopen(fixture);
	reader = fixture_reader(fixture, NULL);
	fixture_require(
	    archive_read(reader, fixture_place(fixture, 0), &exhibit, &err), &err, "read");
	assert_int_equal(exhibit->access, ARCHIVE_VAULT);
	assert_int_equal(exhibit->reader_count, 1);
	assert_true(view_equal(fields_bytes(&exhibit->fields, FIELD_SOURCE), view_text("G. M.")));
	archive_reader_free(reader);
}

/* In a child: the file's bytes into the pipe, in odd pieces. */
static void
feed_pipe(const char *path, int end)
{
	uint8_t bytes[7777];
	int fd = open(path, O_RDONLY);
	ssize_t count;

	while (fd >= 0 && (count = read(fd, bytes, sizeof(bytes))) > 0) {
		if (write(end, bytes, (size_t)count) != count)
			_exit(1);
	}
	_exit(0);
}

/* Input of unknown length, from a pipe. */
static void
test_pipe(void **state)
{
	struct fixture *fixture = *state;
	struct deposit_run *run = fixture_begin(fixture, false);
	struct archive_reader *reader;
	const struct archive_exhibit *exhibit;
	size_t size = 3 * MIB;
	char path[256];
	struct err err;
	pid_t child;
	int ends[2];

	fixture_path(fixture, path, 4);
	fixture_write(path, 4, size);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0)
		feed_pipe(path, ends[1]);
	assert_int_equal(close(ends[1]), 0);
	fixture_add(run,
	    &(struct deposit_file){.path = "-", .fd = ends[0], .name = view_text("spoken.txt")});
	fixture_finish(run);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(fixture->results[0].code, 0);
	assert_int_equal(fixture->results[0].size, size);
	reader = fixture_reader(fixture, NULL);
	fixture_require(
	    archive_read(reader, fixture_place(fixture, 0), &exhibit, &err), &err, "read");
	assert_true(
	    view_equal(fields_bytes(&exhibit->fields, FIELD_NAME), view_text("spoken.txt")));
	(void)snprintf(path, sizeof(path), "%s/out", fixture->folder);
	fixture_require(archive_get_file(reader, exhibit, path, false, NULL, &err), &err, "get");
	fixture_check(path, 4, size);
	archive_reader_free(reader);
}

/* One file's trouble is that file's: the others are deposited, in order. */
static void
test_refused(void **state)
{
	struct fixture *fixture = *state;
	struct deposit_run *run = fixture_begin(fixture, false);
	char missing[256];
	char fifo[256];
	char odd[256];
	char good[256];
	char image[256];
	FILE *file;

	fixture_path(fixture, missing, 77);
	fixture_path(fixture, fifo, 78);
	fixture_path(fixture, good, 79);
	fixture_path(fixture, image, 80);
	(void)snprintf(odd, sizeof(odd), "%s/\xff\n.txt", fixture->folder);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	fixture_write(good, 79, 5000);
	fixture_write(odd, 81, 50);
	file = fopen(image, "wb");
	assert_non_null(file);
	assert_true(fputs("\xff\xd8\xff\xe0 and so on", file) >= 0);
	assert_int_equal(fclose(file), 0);
	fixture_add(run, &(struct deposit_file){.path = missing, .fd = -1});
	fixture_add(run, &(struct deposit_file){.path = fixture->folder, .fd = -1});
	fixture_add(run, &(struct deposit_file){.path = fifo, .fd = -1});
	/* Its size is said to be 0, and it has bytes. */
	fixture_add(run, &(struct deposit_file){.path = "/proc/self/status", .fd = -1});
	fixture_add(
	    run, &(struct deposit_file){
	             .path = image, .fd = -1, .open = true, .open_slots = DEPOSIT_OPEN_SLOTS});
	fixture_add(run, &(struct deposit_file){.path = image,
	                     .fd = -1,
	                     .open = true,
	                     .as_is = true,
	                     .open_slots = DEPOSIT_OPEN_SLOTS});
	fixture_add(run, &(struct deposit_file){.path = good, .fd = -1});
	fixture_add(run, &(struct deposit_file){.path = odd, .fd = -1});
	fixture_finish(run);
	assert_int_equal(fixture->count, 8);
	assert_int_equal(fixture->results[0].code, ERR_NOT_FOUND);
	assert_int_equal(fixture->results[1].code, ERR_USAGE);
	assert_int_equal(fixture->results[2].code, ERR_USAGE);
	assert_int_equal(fixture->results[3].code, ERR_CHANGED);
	assert_int_equal(fixture->results[4].code, ERR_REFUSED);
	assert_int_equal(fixture->results[5].code, 0);
	assert_int_equal(fixture->results[6].code, 0);
	assert_int_equal(fixture->results[7].code, 0);
	assert_non_null(strstr(fixture->texts[3], "changed while it was read"));
}

/* Many small files share their batches, and come back in the order in which they were added. */
static void
test_many(void **state)
{
	struct fixture *fixture = *state;
	struct deposit_run *run = fixture_begin(fixture, false);
	struct archive_log log;
	struct err err;
	size_t i;

	for (i = 0; i < 400; i++) {
		char path[256];

		fixture_path(fixture, path, i);
		fixture_write(path, i, 10 + i * 13);
		fixture_add(run,
		    &(struct deposit_file){.path = path, .fd = -1, .tag = (void *)(uintptr_t)i});
	}
	fixture_finish(run);
	assert_int_equal(fixture->count, 400);
	for (i = 0; i < 400; i++) {
		assert_int_equal(fixture->results[i].code, 0);
		assert_int_equal((uintptr_t)fixture->results[i].tag, i);
	}
	fixture_require(archive_log_named(fixture->archive, NULL, &log, &err), &err, "log");
	assert_int_equal(log.log.size, 403);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_round_trip, fixture_set_up, fixture_tear_down),
	    cmocka_unit_test_setup_teardown(test_already, fixture_set_up, fixture_tear_down),
	    cmocka_unit_test_setup_teardown(test_access, fixture_set_up, fixture_tear_down),
	    cmocka_unit_test_setup_teardown(test_reader, fixture_set_up, fixture_tear_down),
	    cmocka_unit_test_setup_teardown(test_pipe, fixture_set_up, fixture_tear_down),
	    cmocka_unit_test_setup_teardown(test_refused, fixture_set_up, fixture_tear_down),
	    cmocka_unit_test_setup_teardown(test_many, fixture_set_up, fixture_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
