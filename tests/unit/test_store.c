/*
 * P1 (durable): what is committed is there after closing and opening, and what was not committed is
 * not; a batch sees itself and nobody else sees it.
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

static void
test_keep(void **state)
{
	struct place *place = *state;
	struct storage_counts counts;
	struct snapshot *snapshot;
	uint8_t before[HASH_SIZE];
	uint8_t after[HASH_SIZE];
	uint64_t answers;
	uint64_t answers_after;

	place_fill(place);
	place_check(place, 0, 100);
	place_check(place, 1, 17);
	ok(snapshot_begin(place->storage, &snapshot, &err));
	ok(snapshot_counts(snapshot, &counts, &err));
	snapshot_end(snapshot);
	assert_int_equal(counts.logs, 2);
	assert_int_equal(counts.entries, 117);
	assert_int_equal(counts.payloads + counts.wants, 50 + 9);
	assert_int_equal(counts.wants, 5);
	assert_int_equal(counts.part_wants, 11);
	fixture_digest(place->storage, before, &answers);
	assert_true(answers > 2000);
	place_reopen(place);
	fixture_digest(place->storage, after, &answers_after);
	assert_int_equal(answers, answers_after);
	assert_memory_equal(before, after, HASH_SIZE);
}

/* The tree of the store is the tree of its records. */
static void
test_tree(void **state)
{
	struct place *place = *state;
	struct fixture_entry *entry = malloc(sizeof(*entry));
	struct snapshot_tree source = {.log = 0};
	struct snapshot *snapshot;
	uint8_t root[HASH_SIZE];
	struct tree_proof proof;
	struct storage_log log;
	struct tree tree;

	place_fill(place);
	ok(snapshot_begin(place->storage, &snapshot, &err));
	source.snapshot = snapshot;
	tree_init(&tree);
	for (uint64_t i = 0; i < 100; i++) {
		fixture_entry(entry, 0, i);
		assert_int_equal(tree_append(&tree, entry->append.id, NULL, NULL), 0);
	}
	tree_root(&tree, root);
	ok(snapshot_log(snapshot, &log, 0, &err));
	assert_int_equal(log.size, 100);
	assert_memory_equal(log.root, root, HASH_SIZE);
	for (uint64_t i = 0; i < 100; i++) {
		fixture_entry(entry, 0, i);
		ok(tree_prove_inclusion(&proof, i, 100, snapshot_tree_read, &source));
		ok(tree_check_inclusion(entry->append.id, i, 100, root,
		    (const uint8_t(*)[HASH_SIZE])proof.hashes, proof.count, &err));
	}
	snapshot_end(snapshot);
	free(entry);
}

/* A prefix finds what begins with it, in every log, and nothing else. */
static void
test_find(void **state)
{
	struct place *place = *state;
	struct fixture_entry *entry = malloc(sizeof(*entry));
	struct storage_place found[200];
	struct snapshot *snapshot;
	size_t all = 0;
	size_t count;

	place_fill(place);
	ok(snapshot_begin(place->storage, &snapshot, &err));
	for (uint64_t i = 0; i < 100; i++) {
		fixture_entry(entry, 0, i);
		for (unsigned nibbles = 8; nibbles <= 64; nibbles += 7) {
			ok(snapshot_find(
			    snapshot, found, 10, &count, entry->append.id, nibbles, &err));
			assert_int_equal(count, 1);
			assert_int_equal(found[0].log, 0);
			assert_int_equal(found[0].index, i);
		}
		entry->append.id[31] ^= 1;
		ok(snapshot_find(snapshot, found, 10, &count, entry->append.id, 64, &err));
		assert_int_equal(count, 0);
	}
	for (unsigned nibble = 0; nibble < 16; nibble++) {
		uint8_t prefix[HASH_SIZE] = {(uint8_t)(nibble << 4 | 7)};

		ok(snapshot_find(snapshot, found, 200, &count, prefix, 1, &err));
		all += count;
		ok(snapshot_find(snapshot, found, 1, &count, prefix, 1, &err));
		assert_true(count <= 1);
	}
	assert_int_equal(all, 117);
	ok(snapshot_find(snapshot, found, 200, &count, entry->append.id, 0, &err));
	assert_int_equal(count, 117);
	assert_int_equal(
	    snapshot_find(snapshot, found, 1, &count, entry->append.id, 65, NULL), ERR_USAGE);
	snapshot_end(snapshot);
	free(entry);
}

/* A batch sees itself, and nobody else sees it. */
static void
test_inside(void **state)
{
	struct place *place = *state;
	struct fixture_entry *entry = malloc(sizeof(*entry));
	struct snapshot *inside;
	struct snapshot *outside;
	uint8_t id[HASH_SIZE];
	struct storage_log log;
	struct storage_log same;
	struct batch *batch;

	place_fill(place);
	ok(batch_begin(place->storage, &batch, &err));
	inside = batch_snapshot(batch);
	ok(snapshot_begin(place->storage, &outside, &err));
	assert_int_equal(fixture_log(batch, 7), 2);
	assert_int_equal(fixture_log(batch, 7), 2);
	ok(snapshot_log(inside, &log, 2, &err));
	ok(snapshot_log_by_id(inside, &same, log.id, &err));
	assert_int_equal(same.number, 2);
	assert_int_equal(snapshot_log_by_id(outside, &same, log.id, &err), ERR_NOT_FOUND);
	fixture_entry(entry, 0, 100);
	assert_non_null(entry->append.known);
	assert_int_equal(snapshot_known(inside, id, entry->known, &err), ERR_NOT_FOUND);
	ok(batch_append(batch, &entry->append, &err));
	ok(snapshot_known(inside, id, entry->known, &err));
	assert_memory_equal(id, entry->append.id, HASH_SIZE);
	ok(snapshot_log(inside, &log, 0, &err));
	assert_int_equal(log.size, 101);
	ok(snapshot_log(outside, &log, 0, &err));
	assert_int_equal(log.size, 100);
	assert_int_equal(snapshot_known(outside, id, entry->known, &err), ERR_NOT_FOUND);
	snapshot_end(outside);
	batch_abort(batch);
	free(entry);
}

/* What aborted, or failed and stuck, leaves nothing. */
static void
test_abort(void **state)
{
	struct place *place = *state;
	struct fixture_entry *entry = malloc(sizeof(*entry));
	uint8_t before[HASH_SIZE];
	uint8_t after[HASH_SIZE];
	struct batch *batch;
	struct stat status;
	uint64_t answers;
	char file[4096];
	off_t size;

	place_fill(place);
	(void)snprintf(file, sizeof(file), "%s/journal/00000001.jrn", place->path);
	assert_int_equal(stat(file, &status), 0);
	size = status.st_size;
	fixture_digest(place->storage, before, &answers);
	ok(batch_begin(place->storage, &batch, &err));
	fixture_entry(entry, 0, 100);
	ok(batch_append(batch, &entry->append, &err));
	ok(fixture_check(batch_snapshot(batch), 0, 100, &err)); /* seen inside */
	fixture_entry(entry, 0, 102);                           /* not the next one */
	assert_int_equal(batch_append(batch, &entry->append, &err), ERR_USAGE);
	fixture_entry(entry, 0, 101);
	assert_int_equal(batch_append(batch, &entry->append, &err), ERR_USAGE);
	assert_int_equal(batch_commit(batch, &err), ERR_USAGE);
	assert_non_null(strstr(err.text, "102"));
	ok(batch_begin(place->storage, &batch, &err));
	fixture_entry(entry, 0, 100);
	entry->append.id[3] ^= 1;
	assert_int_equal(batch_append(batch, &entry->append, &err), ERR_FORGED);
	batch_abort(batch);
	fixture_digest(place->storage, after, &answers);
	assert_memory_equal(before, after, HASH_SIZE);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_size, size);
	free(entry);
}

/* Never sign less, or otherwise, than before (design 5.4). */
static void
test_signing(void **state)
{
	struct place *place = *state;
	uint8_t root[HASH_SIZE] = {1};
	uint8_t other[HASH_SIZE] = {2};
	struct batch *batch;

	place_fill(place);
	ok(batch_begin(place->storage, &batch, &err));
	ok(batch_signing(batch, 0, 50, root, &err));
	ok(batch_signing(batch, 0, 50, root, &err));
	assert_int_equal(batch_signing(batch, 0, 50, other, &err), ERR_REFUSED);
	assert_int_equal(batch_commit(batch, &err), ERR_REFUSED);
	ok(batch_begin(place->storage, &batch, &err));
	ok(batch_signing(batch, 0, 50, root, &err));
	ok(batch_commit(batch, &err));
	ok(batch_begin(place->storage, &batch, &err));
	assert_int_equal(batch_signing(batch, 0, 49, root, &err), ERR_REFUSED);
	batch_abort(batch);
}

static void
test_late_part(void **state)
{
	struct place *place = *state;
	struct fixture_entry *entry = malloc(sizeof(*entry));
	struct storage_part_given part;
	struct storage_counts counts;
	struct snapshot *snapshot;
	struct buffer bytes;
	struct batch *batch;
	uint8_t sealed[1024];

	place_fill(place);
	buffer_init(&bytes, STORAGE_BYTES_MAX);
	fixture_entry(entry, 0, 5);
	fixture_bytes(sealed, sizeof(sealed), 1 + 101, 5);
	assert_null(entry->parts[1].bytes.data);
	ok(snapshot_begin(place->storage, &snapshot, &err));
	assert_int_equal(
	    snapshot_part(snapshot, &bytes, entry->append.place, "sealed", NULL), ERR_MISSING);
	assert_int_equal(
	    snapshot_part(snapshot, &bytes, entry->append.place, "open", NULL), ERR_NOT_FOUND);
	snapshot_end(snapshot);
	part = entry->parts[1];
	part.bytes = view_of(sealed, sizeof(sealed));
	for (int i = 0; i < 2; i++) { /* a second time changes nothing */
		ok(batch_begin(place->storage, &batch, &err));
		ok(batch_part(batch, entry->append.place, &part, &err));
		ok(snapshot_part(
		    batch_snapshot(batch), &bytes, entry->append.place, "sealed", &err));
		ok(batch_commit(batch, &err));
	}
	place_reopen(place);
	ok(snapshot_begin(place->storage, &snapshot, &err));
	ok(snapshot_part(snapshot, &bytes, entry->append.place, "sealed", &err));
	assert_true(view_equal(buffer_view(&bytes), part.bytes));
	ok(snapshot_counts(snapshot, &counts, &err));
	assert_int_equal(counts.part_wants, 10);
	snapshot_end(snapshot);
	ok(batch_begin(place->storage, &batch, &err));
	part.name = "other";
	assert_int_equal(batch_part(batch, entry->append.place, &part, NULL), ERR_DAMAGED);
	batch_abort(batch);
	buffer_fini(&bytes);
	free(entry);
}

static void
test_refusals(void **state)
{
	struct place *place = *state;
	char path[4096];
	struct storage *other;
	int fd;

	assert_int_equal(store_create(place->path, &err), ERR_EXISTS);
	assert_int_equal(store_open(place->folder, &other, &err), ERR_NOT_FOUND);
	assert_int_equal(store_open("/nonexistent/dalil", &other, &err), ERR_NOT_FOUND);
	(void)snprintf(path, sizeof(path), "%s/format", place->path);
	fd = open(path, O_WRONLY);
	assert_int_equal(write(fd, "2\n", 2), 2);
	assert_int_equal(store_open(place->path, &other, &err), ERR_VERSION);
	assert_int_equal(pwrite(fd, "x\n", 2, 0), 2);
	assert_int_equal(store_open(place->path, &other, &err), ERR_DAMAGED);
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    place_test(test_keep),
	    place_test(test_tree),
	    place_test(test_find),
	    place_test(test_inside),
	    place_test(test_abort),
	    place_test(test_signing),
	    place_test(test_late_part),
	    place_test(test_refusals),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
