/*
 * The archive: damage is named by verify and never given out, walks, shares, further nodes. Defends
 * P1, P2, P4.
 */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/archive.h"
#include "proto/hash.h"
#include "proto/statement_file.h"
#include "proto/text.h"
#include "tests/unit/archive_fixture.h"
#include "tests/unit/vectors.h"

struct verified {
	unsigned count;
	uint8_t damaged[HASH_SIZE];
	char text[300];
};

static void
keep_verified(void *cookie, const struct verify_exhibit *exhibit)
{
	struct verified *verified = cookie;

	verified->count++;
	if (exhibit->result != VERIFY_DAMAGED)
		return;
	memcpy(verified->damaged, exhibit->id, HASH_SIZE);
	if (exhibit->problem_count > 0)
		(void)snprintf(verified->text, sizeof(verified->text), "%s", exhibit->problems[0]);
}

static void
print_found(void *cookie, const char *problem)
{
	(void)cookie;
	print_message("found: %s\n", problem);
}

static void
verify(struct fixture *fixture, struct verified *verified, struct verify_summary *summary)
{
	struct verify_options options = {
	    .done = keep_verified, .found = print_found, .cookie = verified};
	struct err err;

	*verified = (struct verified){.count = 0};
	fixture_require(archive_verify(fixture->archive, NULL, 0, NULL, 0, &options, summary, &err),
	    &err, "verify");
}

static void
sign(struct fixture *fixture)
{
	struct log_gate gate = {.alone = false};
	struct log_signed result;
	struct err err;

	fixture_require(archive_sign(fixture->archive, &gate, NULL, &result, &err), &err, "sign");
	assert_true(result.fresh);
}

/* Flip one bit of a segment at ${offset}. */
static void
flip_segment(struct fixture *fixture, off_t offset)
{
	char path[400];
	uint8_t byte;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/segments/00000001.seg", fixture->store);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, offset), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
	assert_int_equal(close(fd), 0);
}

static void
test_verify(void **state)
{
	struct fixture *fixture = *state;
	struct archive_reader *reader;
	const struct archive_exhibit *exhibit;
	struct verify_summary summary;
	struct storage_place place;
	struct verified verified;
	char path[256];
	struct err err;

	fixture_deposit(fixture, false, false);
	sign(fixture);
	verify(fixture, &verified, &summary);
	assert_int_equal(summary.exhibits, FIXTURE_SIZES);
	assert_int_equal(summary.intact, FIXTURE_SIZES);
	assert_int_equal(summary.other_problems, 0);
	assert_int_equal(verified.count, FIXTURE_SIZES);
	fixture_reopen_locked(fixture);
	verify(fixture, &verified, &summary);
	assert_int_equal(summary.ciphertext_only, FIXTURE_SIZES);
	fixture_reopen(fixture);
	flip_segment(fixture, 1000);
	verify(fixture, &verified, &summary);
	assert_int_equal(summary.intact, FIXTURE_SIZES - 1);
	assert_int_equal(summary.damaged, 1);
	assert_non_null(strstr(verified.text, "is not what it was"));
	reader = fixture_reader(fixture, NULL);
	{
		char hex[2 * HASH_SIZE + 1];
		uint8_t id[HASH_SIZE];

		text_hex(hex, view_of(verified.damaged, HASH_SIZE));
		fixture_require(archive_find(fixture->archive, view_of(hex, 64), &place, id, &err),
		    &err, "find");
	}
	fixture_require(archive_read(reader, place, &exhibit, &err), &err, "read");
	(void)snprintf(path, sizeof(path), "%s/out", fixture->folder);
	assert_int_equal(archive_get_file(reader, exhibit, path, false, NULL, &err), ERR_DAMAGED);
	assert_int_not_equal(access(path, F_OK), 0);
	archive_reader_free(reader);
}

static int
count_each(void *cookie, const struct archive_exhibit *exhibit)
{
	unsigned *count = cookie;

	assert_int_equal(exhibit->access, ARCHIVE_VAULT);
	(*count)++;
	return 0;
}

static void
test_walk(void **state)
{
	struct fixture *fixture = *state;
	uint8_t none[HASH_SIZE] = {0};
	struct archive_reader *reader;
	struct archive_match match;
	unsigned count = 0;
	struct err err;

	fixture_deposit(fixture, false, false);
	reader = fixture_reader(fixture, NULL);
	fixture_require(archive_walk(reader, NULL, count_each, &count, &err), &err, "walk");
	assert_int_equal(count, FIXTURE_SIZES);
	fixture_require(
	    archive_which(reader, fixture->results[5].sha256, &match, &err), &err, "which");
	assert_true(match.found);
	assert_memory_equal(match.id, fixture->results[5].id, HASH_SIZE);
	fixture_require(archive_which(reader, none, &match, &err), &err, "which");
	assert_false(match.found);
	assert_int_equal(match.compared, FIXTURE_SIZES);
	archive_reader_free(reader);
}

/* The first exhibit comes after the log's share; the same share is not written twice. */
static void
test_share(void **state)
{
	struct fixture *fixture = *state;
	uint8_t ids[2][HASH_SIZE] = {{9}, {4}};
	const uint8_t(*share)[HASH_SIZE] = (const uint8_t(*)[HASH_SIZE])ids;
	struct deposit_options options = {
	    .done = fixture_keep_result, .cookie = fixture, .share = share, .share_count = 2};
	struct deposit_run *run;
	struct archive_log log;
	char path[256];
	struct err err;

	fixture_path(fixture, path, 1);
	fixture_write(path, 1, 10);
	fixture_require(deposit_new(&run, fixture->archive, &options, &err), &err, "deposit");
	fixture_add(run, &(struct deposit_file){.path = path, .fd = -1});
	fixture_finish(run);
	assert_int_equal(fixture->results[0].index, 4);
	fixture_require(
	    archive_share(fixture->archive, share, 2, archive_now(), &err), &err, "share");
	fixture_require(archive_log_named(fixture->archive, NULL, &log, &err), &err, "log");
	assert_int_equal(log.log.size, 5);
	fixture_require(
	    archive_share(fixture->archive, share, 1, archive_now(), &err), &err, "share");
	fixture_require(archive_log_named(fixture->archive, NULL, &log, &err), &err, "log");
	assert_int_equal(log.log.size, 6);
}

/* A further node: enrolled at once with the root key, or by way of a request. */
static void
test_join(void **state)
{
	struct fixture *fixture = *state;
	const uint8_t *seeds[1] = {fixture->root_seed};
	struct archive *first = fixture->archive;
	struct archive_init init = {.node = "node two", .time = archive_now()};
	struct archive_self self;
	struct archive *second;
	struct buffer charter;
	struct buffer request;
	struct buffer whole;
	unsigned accepted;
	unsigned wants;
	char store[200];
	struct err err;

	buffer_init(&charter, STATEMENT_FILE_MAX);
	buffer_init(&request, STATEMENT_MAX);
	buffer_init(&whole, STATEMENT_MAX);
	archive_self(first, &self);
	fixture_require(
	    archive_charter_export(first, self.organisation, &charter, &err), &err, "export");
	(void)snprintf(store, sizeof(store), "%s/second", fixture->folder);
	init.store = store;
	fixture_require(
	    archive_join(&second, &init, buffer_view(&charter), NULL, 0, &request, &err), &err,
	    "join");
	archive_self(second, &self);
	assert_false(self.enrolled);
	fixture_require(
	    archive_charter_complete(first, buffer_view(&request), seeds, 1, &whole, &wants, &err),
	    &err, "complete");
	assert_int_equal(wants, 0);
	buffer_clear(&charter);
	fixture_require(
	    archive_charter_export(first, self.organisation, &charter, &err), &err, "export");
	fixture_require(
	    archive_charter_apply(second, buffer_view(&charter), &accepted, &err), &err, "apply");
	assert_int_equal(accepted, 1);
	archive_self(second, &self);
	assert_true(self.enrolled);
	fixture->archive = second;
	fixture->blind = true;
	fixture_deposit(fixture, true, true);
	archive_close(second);
	(void)snprintf(store, sizeof(store), "%s/third", fixture->folder);
	init.node = "node three";
	fixture_require(
	    archive_join(&second, &init, buffer_view(&charter), seeds, 1, &request, &err), &err,
	    "join");
	archive_self(second, &self);
	assert_true(self.enrolled);
	archive_close(second);
	fixture->archive = first;
	buffer_fini(&charter);
	buffer_fini(&request);
	buffer_fini(&whole);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_verify, fixture_set_up, fixture_tear_down),
	    cmocka_unit_test_setup_teardown(test_walk, fixture_set_up, fixture_tear_down),
	    cmocka_unit_test_setup_teardown(test_share, fixture_set_up, fixture_tear_down),
	    cmocka_unit_test_setup_teardown(test_join, fixture_set_up, fixture_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
