/* A store to test the archive on. */
#include "tests/unit/archive_fixture.h"

#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/text.h"
#include "tests/unit/vectors.h"

const size_t fixture_sizes[FIXTURE_SIZES] = {
    0, 1, 100, 16384, 65536, 65537, MIB - 1, MIB, MIB + 1, 2 * MIB, 5 * MIB + 123};

static int
remove_one(const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
	(void)status;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void
fixture_require(int code, const struct err *err, const char *what)
{
	if (code != 0)
		fail_msg("%s: %d: %s", what, code, err->text);
}

int
fixture_set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	uint8_t next_seed[ARCHIVE_SEED];
	struct archive_init init = {.node = "node one", .country = "UZ"};
	struct err err;

	assert_non_null(fixture);
	assert_true(sodium_init() >= 0);
	(void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/dalil-archive-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	(void)snprintf(fixture->store, sizeof(fixture->store), "%s/store", fixture->folder);
	init.store = fixture->store;
	init.time = archive_now();
	randombytes_buf(fixture->root_seed, ARCHIVE_SEED);
	randombytes_buf(next_seed, ARCHIVE_SEED);
	fixture_require(archive_create(&fixture->archive, &init, "Archive of the Coast",
	                    fixture->root_seed, next_seed, NULL, &err),
	    &err, "create");
	*state = fixture;
	return 0;
}

int
fixture_tear_down(void **state)
{
	struct fixture *fixture = *state;

	archive_close(fixture->archive);
	(void)nftw(fixture->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(fixture);
	return 0;
}

void
fixture_path(const struct fixture *fixture, char path[static 256], size_t number)
{
	(void)snprintf(path, 256, "%s/file-%zu.txt", fixture->folder, number);
}

static uint8_t
content(size_t number, size_t i)
{
	return (uint8_t)(131 * i + 7 * (i >> 8) + 3 * (i >> 16) + 31 * number);
}

void
fixture_write(const char *path, size_t number, size_t size)
{
	uint8_t *bytes = malloc(size + 1);
	FILE *file = fopen(path, "wb");
	size_t i;

	assert_non_null(bytes);
	assert_non_null(file);
	for (i = 0; i < size; i++)
		bytes[i] = content(number, i);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	free(bytes);
}

void
fixture_check(const char *path, size_t number, size_t size)
{
	struct view bytes = vectors_file(path);
	size_t i;

	assert_int_equal(bytes.size, size);
	for (i = 0; i < size && bytes.data[i] == content(number, i); i++)
		;
	assert_int_equal(i, size);
	vectors_free(bytes);
}

void
fixture_keep_result(void *cookie, const struct deposit_result *result)
{
	struct fixture *fixture = cookie;

	assert_true(fixture->count < RESULTS_MAX);
	(void)snprintf(fixture->texts[fixture->count], sizeof(fixture->texts[0]), "%.199s",
	    result->code == 0 ? "" : result->err->text);
	fixture->results[fixture->count++] = *result;
}

struct deposit_run *
fixture_begin(struct fixture *fixture, bool again)
{
	struct deposit_options options = {
	    .done = fixture_keep_result, .cookie = fixture, .again = again};
	struct deposit_run *run;
	struct err err;

	fixture->count = 0;
	fixture_require(deposit_new(&run, fixture->archive, &options, &err), &err, "deposit");
	assert_int_equal(deposit_compares(run), !fixture->blind);
	return run;
}

void
fixture_add(struct deposit_run *run, const struct deposit_file *file)
{
	struct err err;

	fixture_require(deposit_add(run, file, &err), &err, "add");
}

void
fixture_finish(struct deposit_run *run)
{
	struct err err;

	fixture_require(deposit_finish(run, &err), &err, "finish");
}

/* One file of each size, sealed or open, in order. */
void
fixture_deposit(struct fixture *fixture, bool open, bool again)
{
	struct deposit_run *run = fixture_begin(fixture, again);
	size_t i;

	for (i = 0; i < FIXTURE_SIZES; i++) {
		char path[256];
		struct deposit_file file = {.path = path,
		    .fd = -1,
		    .open = open,
		    .open_slots = DEPOSIT_OPEN_SLOTS,
		    .tag = (void *)&fixture_sizes[i]};

		fixture_path(fixture, path, i);
		fixture_write(path, i, fixture_sizes[i]);
		fixture_add(run, &file);
	}
	fixture_finish(run);
	assert_int_equal(fixture->count, FIXTURE_SIZES);
}

struct storage_place
fixture_place(struct fixture *fixture, size_t result)
{
	char hex[2 * HASH_SIZE + 1];
	struct storage_place place;
	uint8_t id[HASH_SIZE];
	struct err err;

	text_hex(hex, view_of(fixture->results[result].id, HASH_SIZE));
	fixture_require(
	    archive_find(fixture->archive, view_of(hex, 12), &place, id, &err), &err, "find");
	assert_memory_equal(id, fixture->results[result].id, HASH_SIZE);
	assert_int_equal(place.index, fixture->results[result].index);
	return place;
}

/* Get every result back and compare it, as a reader of ${wanted} access. */
void
fixture_get_all(struct fixture *fixture, struct archive_reader *reader, enum archive_access wanted)
{
	size_t i;

	for (i = 0; i < FIXTURE_SIZES; i++) {
		const struct archive_exhibit *exhibit;
		char path[256];
		struct err err = {0};
		int code;

		fixture_require(
		    archive_read(reader, fixture_place(fixture, i), &exhibit, &err), &err, "read");
		assert_int_equal(exhibit->access, wanted);
		assert_int_equal(exhibit->trouble.code, 0);
		(void)snprintf(path, sizeof(path), "%s/out-%zu", fixture->folder, i);
		code = archive_get_file(reader, exhibit, path, false, NULL, &err);
		if (wanted == ARCHIVE_CLOSED) {
			assert_int_equal(code, ERR_LOCKED);
			assert_int_not_equal(access(path, F_OK), 0);
			continue;
		}
		fixture_require(code, &err, "get");
		fixture_check(path, i, fixture_sizes[i]);
		assert_int_equal(
		    archive_get_file(reader, exhibit, path, false, NULL, &err), ERR_EXISTS);
		assert_int_equal(unlink(path), 0);
	}
}

struct archive_reader *
fixture_reader(struct fixture *fixture, const uint8_t *identity)
{
	struct archive_reader *reader;
	struct err err;

	fixture_require(archive_reader_new(
	                    &reader, fixture->archive, &identity, identity != NULL ? 1 : 0, &err),
	    &err, "reader");
	return reader;
}

void
fixture_reopen_locked(struct fixture *fixture)
{
	struct err err;

	archive_close(fixture->archive);
	fixture_require(archive_open(&fixture->archive, fixture->store, &err), &err, "open");
	assert_int_equal(keys_scope(archive_keys(fixture->archive)), KEYS_SCOPE_NONE);
}

void
fixture_reopen(struct fixture *fixture)
{
	struct err err;

	fixture_reopen_locked(fixture);
	fixture_require(keys_unlock(archive_keys(fixture->archive), NULL, KEYS_SCOPE_ALL, &err),
	    &err, "unlock");
}
