/*
 * The archive: what is deposited comes back byte for byte, damage is named and never given out, and
 * who has no key reads nothing. Defends P1, P2, P3, P6.
 */
#include <fcntl.h>
#include <ftw.h>
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
#include "tests/unit/vectors.h"

#define MIB ((size_t)1 << 20)
#define RESULTS_MAX 512

static const size_t sizes[] = {
    0, 1, 100, 16384, 65536, 65537, MIB - 1, MIB, MIB + 1, 2 * MIB, 5 * MIB + 123};
#define SIZE_COUNT (sizeof(sizes) / sizeof(sizes[0]))

struct fixture {
	char folder[64];
	char store[128];
	struct archive *archive;
	uint8_t root_seed[ARCHIVE_SEED];
	bool blind; /* without the vault's key nothing is compared */
	unsigned count;
	struct deposit_result results[RESULTS_MAX];
	char texts[RESULTS_MAX][200];
};

static int
remove_one(const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
	(void)status;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void
require(int code, const struct err *err, const char *what)
{
	if (code != 0)
		fail_msg("%s: %d: %s", what, code, err->text);
}

static int
set_up(void **state)
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
	require(archive_create(&fixture->archive, &init, "Archive of the Coast", fixture->root_seed,
	            next_seed, NULL, &err),
	    &err, "create");
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	archive_close(fixture->archive);
	(void)nftw(fixture->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(fixture);
	return 0;
}

static void
path_of(const struct fixture *fixture, char path[static 256], size_t number)
{
	(void)snprintf(path, 256, "%s/file-%zu.txt", fixture->folder, number);
}

static uint8_t
content(size_t number, size_t i)
{
	return (uint8_t)(131 * i + 7 * (i >> 8) + 3 * (i >> 16) + 31 * number);
}

static void
write_file(const char *path, size_t number, size_t size)
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

static void
assert_file(const char *path, size_t number, size_t size)
{
	struct view bytes = vectors_file(path);
	size_t i;

	assert_int_equal(bytes.size, size);
	for (i = 0; i < size && bytes.data[i] == content(number, i); i++)
		;
	assert_int_equal(i, size);
	vectors_free(bytes);
}

static void
keep_result(void *cookie, const struct deposit_result *result)
{
	struct fixture *fixture = cookie;

	assert_true(fixture->count < RESULTS_MAX);
	(void)snprintf(fixture->texts[fixture->count], sizeof(fixture->texts[0]), "%.199s",
	    result->code == 0 ? "" : result->err->text);
	fixture->results[fixture->count++] = *result;
}

static struct deposit_run *
begin(struct fixture *fixture, bool again)
{
	struct deposit_options options = {.done = keep_result, .cookie = fixture, .again = again};
	struct deposit_run *run;
	struct err err;

	fixture->count = 0;
	require(deposit_new(&run, fixture->archive, &options, &err), &err, "deposit");
	assert_int_equal(deposit_compares(run), !fixture->blind);
	return run;
}

static void
add(struct deposit_run *run, const struct deposit_file *file)
{
	struct err err;

	require(deposit_add(run, file, &err), &err, "add");
}

static void
finish(struct deposit_run *run)
{
	struct err err;

	require(deposit_finish(run, &err), &err, "finish");
}

/* One file of each size, sealed or open, in order. */
static void
deposit_sizes(struct fixture *fixture, bool open, bool again)
{
	struct deposit_run *run = begin(fixture, again);
	size_t i;

	for (i = 0; i < SIZE_COUNT; i++) {
		char path[256];
		struct deposit_file file = {.path = path,
		    .fd = -1,
		    .open = open,
		    .open_slots = DEPOSIT_OPEN_SLOTS,
		    .tag = (void *)&sizes[i]};

		path_of(fixture, path, i);
		write_file(path, i, sizes[i]);
		add(run, &file);
	}
	finish(run);
	assert_int_equal(fixture->count, SIZE_COUNT);
}

static struct storage_place
place_of(struct fixture *fixture, size_t result)
{
	char hex[2 * HASH_SIZE + 1];
	struct storage_place place;
	uint8_t id[HASH_SIZE];
	struct err err;

	text_hex(hex, view_of(fixture->results[result].id, HASH_SIZE));
	require(archive_find(fixture->archive, view_of(hex, 12), &place, id, &err), &err, "find");
	assert_memory_equal(id, fixture->results[result].id, HASH_SIZE);
	assert_int_equal(place.index, fixture->results[result].index);
	return place;
}

/* Get every result back and compare it, as a reader of ${wanted} access. */
static void
get_all(struct fixture *fixture, struct archive_reader *reader, enum archive_access wanted)
{
	size_t i;

	for (i = 0; i < SIZE_COUNT; i++) {
		const struct archive_exhibit *exhibit;
		char path[256];
		struct err err = {0};
		int code;

		require(archive_read(reader, place_of(fixture, i), &exhibit, &err), &err, "read");
		assert_int_equal(exhibit->access, wanted);
		assert_int_equal(exhibit->trouble.code, 0);
		(void)snprintf(path, sizeof(path), "%s/out-%zu", fixture->folder, i);
		code = archive_get_file(reader, exhibit, path, false, NULL, &err);
		if (wanted == ARCHIVE_CLOSED) {
			assert_int_equal(code, ERR_LOCKED);
			assert_int_not_equal(access(path, F_OK), 0);
			continue;
		}
		require(code, &err, "get");
		assert_file(path, i, sizes[i]);
		assert_int_equal(
		    archive_get_file(reader, exhibit, path, false, NULL, &err), ERR_EXISTS);
		assert_int_equal(unlink(path), 0);
	}
}

static struct archive_reader *
reader_of(struct fixture *fixture, const uint8_t *identity)
{
	struct archive_reader *reader;
	struct err err;

	require(archive_reader_new(
	            &reader, fixture->archive, &identity, identity != NULL ? 1 : 0, &err),
	    &err, "reader");
	return reader;
}

static void
reopen_locked(struct fixture *fixture)
{
	struct err err;

	archive_close(fixture->archive);
	require(archive_open(&fixture->archive, fixture->store, &err), &err, "open");
	assert_int_equal(keys_scope(archive_keys(fixture->archive)), KEYS_SCOPE_NONE);
}

static void
reopen(struct fixture *fixture)
{
	struct err err;

	reopen_locked(fixture);
	require(keys_unlock(archive_keys(fixture->archive), NULL, KEYS_SCOPE_ALL, &err), &err,
	    "unlock");
}

static void
test_round_trip(void **state)
{
	struct fixture *fixture = *state;
	struct archive_reader *reader;
	struct view name;
	const struct archive_exhibit *exhibit;
	struct err err;
	size_t i;

	deposit_sizes(fixture, false, false);
	for (i = 0; i < SIZE_COUNT; i++) {
		uint8_t sha256[HASH_SIZE];
		struct view bytes;
		char path[256];

		path_of(fixture, path, i);
		bytes = vectors_file(path);
		hash_sha256(sha256, bytes);
		vectors_free(bytes);
		assert_int_equal(fixture->results[i].code, 0);
		assert_false(fixture->results[i].already);
		assert_ptr_equal(fixture->results[i].tag, &sizes[i]);
		assert_int_equal(fixture->results[i].size, sizes[i]);
		assert_memory_equal(fixture->results[i].sha256, sha256, HASH_SIZE);
	}
	reopen(fixture);
	reader = reader_of(fixture, NULL);
	get_all(fixture, reader, ARCHIVE_VAULT);
	require(archive_read(reader, place_of(fixture, 2), &exhibit, &err), &err, "read");
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
	uint8_t ids[SIZE_COUNT][HASH_SIZE];
	struct archive_log log;
	uint64_t size;
	struct err err;
	size_t i;

	deposit_sizes(fixture, false, false);
	for (i = 0; i < SIZE_COUNT; i++)
		memcpy(ids[i], fixture->results[i].id, HASH_SIZE);
	require(archive_log_named(fixture->archive, NULL, &log, &err), &err, "log");
	size = log.log.size;
	deposit_sizes(fixture, false, false);
	for (i = 0; i < SIZE_COUNT; i++) {
		assert_true(fixture->results[i].already);
		assert_memory_equal(fixture->results[i].id, ids[i], HASH_SIZE);
	}
	require(archive_log_named(fixture->archive, NULL, &log, &err), &err, "log");
	assert_int_equal(log.log.size, size);
	deposit_sizes(fixture, false, true);
	for (i = 0; i < SIZE_COUNT; i++) {
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

	deposit_sizes(fixture, false, false);
	reopen_locked(fixture);
	reader = reader_of(fixture, NULL);
	get_all(fixture, reader, ARCHIVE_CLOSED);
	archive_reader_free(reader);
	reopen(fixture);
	deposit_sizes(fixture, true, true);
	reopen_locked(fixture);
	reader = reader_of(fixture, NULL);
	get_all(fixture, reader, ARCHIVE_OPEN);
	require(archive_read(reader, place_of(fixture, 3), &exhibit, &err), &err, "read");
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
	path_of(fixture, path, 1);
	write_file(path, 1, 70000);
	assert_int_equal(
	    fields_put_text(fields, view_text("source"), view_text("G. M."), FIELDS_TO_VAULT, &err),
	    0);
	assert_int_equal(fields_put_text(fields, view_text("title"), view_text("Night shift"),
	                     FIELDS_TO_READERS, &err),
	    0);
	run = begin(fixture, false);
	add(run, &(struct deposit_file){.path = path,
	             .fd = -1,
	             .fields = fields,
	             .readers = (const uint8_t(*)[HASH_SIZE])recipient,
	             .reader_count = 1});
	finish(run);
	reopen_locked(fixture);
	reader = reader_of(fixture, secret);
	require(archive_read(reader, place_of(fixture, 0), &exhibit, &err), &err, "read");
	assert_int_equal(exhibit->access, ARCHIVE_SEALED);
	assert_true(
	    view_equal(fields_bytes(&exhibit->fields, FIELD_TITLE), view_text("Night shift")));
	assert_int_equal(exhibit->fields.values[FIELD_SOURCE].size, 0);
	(void)snprintf(path, sizeof(path), "%s/out", fixture->folder);
	require(archive_get_file(reader, exhibit, path, false, NULL, &err), &err, "get");
	assert_file(path, 1, 70000);
	archive_reader_free(reader);
	reopen(fixture);
	reader = reader_of(fixture, NULL);
	require(archive_read(reader, place_of(fixture, 0), &exhibit, &err), &err, "read");
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
	struct deposit_run *run = begin(fixture, false);
	struct archive_reader *reader;
	const struct archive_exhibit *exhibit;
	size_t size = 3 * MIB;
	char path[256];
	struct err err;
	pid_t child;
	int ends[2];

	path_of(fixture, path, 4);
	write_file(path, 4, size);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0)
		feed_pipe(path, ends[1]);
	assert_int_equal(close(ends[1]), 0);
	add(run,
	    &(struct deposit_file){.path = "-", .fd = ends[0], .name = view_text("spoken.txt")});
	finish(run);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(fixture->results[0].code, 0);
	assert_int_equal(fixture->results[0].size, size);
	reader = reader_of(fixture, NULL);
	require(archive_read(reader, place_of(fixture, 0), &exhibit, &err), &err, "read");
	assert_true(
	    view_equal(fields_bytes(&exhibit->fields, FIELD_NAME), view_text("spoken.txt")));
	(void)snprintf(path, sizeof(path), "%s/out", fixture->folder);
	require(archive_get_file(reader, exhibit, path, false, NULL, &err), &err, "get");
	assert_file(path, 4, size);
	archive_reader_free(reader);
}

/* One file's trouble is that file's: the others are deposited, in order. */
static void
test_refused(void **state)
{
	struct fixture *fixture = *state;
	struct deposit_run *run = begin(fixture, false);
	char missing[256];
	char fifo[256];
	char odd[256];
	char good[256];
	char image[256];
	FILE *file;

	path_of(fixture, missing, 77);
	path_of(fixture, fifo, 78);
	path_of(fixture, good, 79);
	path_of(fixture, image, 80);
	(void)snprintf(odd, sizeof(odd), "%s/\xff\n.txt", fixture->folder);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	write_file(good, 79, 5000);
	write_file(odd, 81, 50);
	file = fopen(image, "wb");
	assert_non_null(file);
	assert_true(fputs("\xff\xd8\xff\xe0 and so on", file) >= 0);
	assert_int_equal(fclose(file), 0);
	add(run, &(struct deposit_file){.path = missing, .fd = -1});
	add(run, &(struct deposit_file){.path = fixture->folder, .fd = -1});
	add(run, &(struct deposit_file){.path = fifo, .fd = -1});
	/* Its size is said to be 0, and it has bytes. */
	add(run, &(struct deposit_file){.path = "/proc/self/status", .fd = -1});
	add(run, &(struct deposit_file){
	             .path = image, .fd = -1, .open = true, .open_slots = DEPOSIT_OPEN_SLOTS});
	add(run, &(struct deposit_file){.path = image,
	             .fd = -1,
	             .open = true,
	             .as_is = true,
	             .open_slots = DEPOSIT_OPEN_SLOTS});
	add(run, &(struct deposit_file){.path = good, .fd = -1});
	add(run, &(struct deposit_file){.path = odd, .fd = -1});
	finish(run);
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
	struct deposit_run *run = begin(fixture, false);
	struct archive_log log;
	struct err err;
	size_t i;

	for (i = 0; i < 400; i++) {
		char path[256];

		path_of(fixture, path, i);
		write_file(path, i, 10 + i * 13);
		add(run,
		    &(struct deposit_file){.path = path, .fd = -1, .tag = (void *)(uintptr_t)i});
	}
	finish(run);
	assert_int_equal(fixture->count, 400);
	for (i = 0; i < 400; i++) {
		assert_int_equal(fixture->results[i].code, 0);
		assert_int_equal((uintptr_t)fixture->results[i].tag, i);
	}
	require(archive_log_named(fixture->archive, NULL, &log, &err), &err, "log");
	assert_int_equal(log.log.size, 403);
}

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
	require(archive_verify(fixture->archive, NULL, 0, NULL, 0, &options, summary, &err), &err,
	    "verify");
}

static void
sign(struct fixture *fixture)
{
	struct log_gate gate = {.alone = false};
	struct log_signed result;
	struct err err;

	require(archive_sign(fixture->archive, &gate, NULL, &result, &err), &err, "sign");
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

	deposit_sizes(fixture, false, false);
	sign(fixture);
	verify(fixture, &verified, &summary);
	assert_int_equal(summary.exhibits, SIZE_COUNT);
	assert_int_equal(summary.intact, SIZE_COUNT);
	assert_int_equal(summary.other_problems, 0);
	assert_int_equal(verified.count, SIZE_COUNT);
	reopen_locked(fixture);
	verify(fixture, &verified, &summary);
	assert_int_equal(summary.ciphertext_only, SIZE_COUNT);
	reopen(fixture);
	flip_segment(fixture, 1000);
	verify(fixture, &verified, &summary);
	assert_int_equal(summary.intact, SIZE_COUNT - 1);
	assert_int_equal(summary.damaged, 1);
	assert_non_null(strstr(verified.text, "is not what it was"));
	reader = reader_of(fixture, NULL);
	{
		char hex[2 * HASH_SIZE + 1];
		uint8_t id[HASH_SIZE];

		text_hex(hex, view_of(verified.damaged, HASH_SIZE));
		require(archive_find(fixture->archive, view_of(hex, 64), &place, id, &err), &err,
		    "find");
	}
	require(archive_read(reader, place, &exhibit, &err), &err, "read");
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

	deposit_sizes(fixture, false, false);
	reader = reader_of(fixture, NULL);
	require(archive_walk(reader, NULL, count_each, &count, &err), &err, "walk");
	assert_int_equal(count, SIZE_COUNT);
	require(archive_which(reader, fixture->results[5].sha256, &match, &err), &err, "which");
	assert_true(match.found);
	assert_memory_equal(match.id, fixture->results[5].id, HASH_SIZE);
	require(archive_which(reader, none, &match, &err), &err, "which");
	assert_false(match.found);
	assert_int_equal(match.compared, SIZE_COUNT);
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
	    .done = keep_result, .cookie = fixture, .share = share, .share_count = 2};
	struct deposit_run *run;
	struct archive_log log;
	char path[256];
	struct err err;

	path_of(fixture, path, 1);
	write_file(path, 1, 10);
	require(deposit_new(&run, fixture->archive, &options, &err), &err, "deposit");
	add(run, &(struct deposit_file){.path = path, .fd = -1});
	finish(run);
	assert_int_equal(fixture->results[0].index, 4);
	require(archive_share(fixture->archive, share, 2, archive_now(), &err), &err, "share");
	require(archive_log_named(fixture->archive, NULL, &log, &err), &err, "log");
	assert_int_equal(log.log.size, 5);
	require(archive_share(fixture->archive, share, 1, archive_now(), &err), &err, "share");
	require(archive_log_named(fixture->archive, NULL, &log, &err), &err, "log");
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
	require(archive_charter_export(first, self.organisation, &charter, &err), &err, "export");
	(void)snprintf(store, sizeof(store), "%s/second", fixture->folder);
	init.store = store;
	require(archive_join(&second, &init, buffer_view(&charter), NULL, 0, &request, &err), &err,
	    "join");
	archive_self(second, &self);
	assert_false(self.enrolled);
	require(
	    archive_charter_complete(first, buffer_view(&request), seeds, 1, &whole, &wants, &err),
	    &err, "complete");
	assert_int_equal(wants, 0);
	buffer_clear(&charter);
	require(archive_charter_export(first, self.organisation, &charter, &err), &err, "export");
	require(
	    archive_charter_apply(second, buffer_view(&charter), &accepted, &err), &err, "apply");
	assert_int_equal(accepted, 1);
	archive_self(second, &self);
	assert_true(self.enrolled);
	fixture->archive = second;
	fixture->blind = true;
	deposit_sizes(fixture, true, true);
	archive_close(second);
	(void)snprintf(store, sizeof(store), "%s/third", fixture->folder);
	init.node = "node three";
	require(archive_join(&second, &init, buffer_view(&charter), seeds, 1, &request, &err), &err,
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
	    cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_already, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_access, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_reader, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_pipe, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_verify, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_walk, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_share, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_join, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
