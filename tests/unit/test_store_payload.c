/*
 * P1 (durable): payloads of any size come back leaf by leaf, with hashes and proofs, whether
 * deposited or fetched in any order; no leaf that was synced is needed twice.
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
test_payloads(void **state)
{
	struct place *place = *state;
	struct store *store = (struct store *)place->storage;
	uint64_t sizes[] = {1, 65552, STORAGE_LEAF, STORAGE_LEAF + 17, 3 * STORAGE_LEAF, 0};
	uint8_t *leaf = malloc(STORAGE_LEAF);
	uint8_t *wanted = malloc(STORAGE_LEAF);
	struct storage_location location;
	struct payload_writer *writer;
	struct payload_reader *reader;
	struct storage_payload payload;
	struct snapshot *snapshot;
	struct tree_proof proof;
	struct batch *batch;
	uint8_t hash[HASH_SIZE];
	size_t size;
	size_t wanted_size;

	sizes[5] = (uint64_t)STORAGE_LEAF * 258 + 100; /* two stretches */
	store->segment_max = 2 * STORAGE_LEAF;
	for (unsigned i = 0; i < 6; i++) {
		ok(payload_writer_new(place->storage, &writer, &err));
		tree_leaf(hash, view_of(leaf, STORAGE_LEAF));
		ok(payload_writer_put(writer, view_of(leaf, STORAGE_LEAF), hash, &err));
		payload_writer_drop(writer);
		ok(fixture_write(writer, &location, i, sizes[i], &err));
		ok(payload_writer_sync(writer, &err));
		ok(batch_begin(place->storage, &batch, &err));
		ok(batch_payload(batch, &location, &err));
		ok(batch_commit(batch, &err));
		payload_writer_free(writer);
		fixture_payload(&payload, i, sizes[i]);
		assert_memory_equal(payload.root, location.payload.root, HASH_SIZE);
		assert_int_equal(location.payload.size, sizes[i]);
		assert_int_equal(location.stretch_count, i == 5 ? 2 : 1);
		storage_location_fini(&location);
		ok(snapshot_begin(place->storage, &snapshot, &err));
		ok(payload_reader_new(snapshot, &reader, &payload, &err));
		snapshot_end(snapshot);
		for (uint64_t j = 0; j < storage_leaf_count(sizes[i]); j++) {
			fixture_leaf(wanted, &wanted_size, i, sizes[i], j);
			ok(payload_reader_leaf(reader, leaf, &size, j, &err));
			assert_int_equal(size, wanted_size);
			assert_memory_equal(leaf, wanted, size);
			ok(payload_reader_hash(reader, hash, j, &err));
			ok(payload_reader_prove(reader, &proof, j, &err));
			ok(tree_check_inclusion(hash, j, storage_leaf_count(sizes[i]), payload.root,
			    (const uint8_t(*)[HASH_SIZE])proof.hashes, proof.count, &err));
		}
		assert_int_equal(
		    payload_reader_leaf(reader, leaf, &size, storage_leaf_count(sizes[i]), NULL),
		    ERR_USAGE);
		payload_reader_free(reader);
	}
	free(leaf);
	free(wanted);
}

static void
count_whole(void *cookie, const struct storage_payload *payload)
{
	(void)payload;
	(*(unsigned *)cookie)++;
}

#define FETCHED ((uint64_t)STORAGE_LEAF * 257 + 5)

static void
fetch_some(
    struct payload_fetch *fetch, const struct storage_payload *payload, uint64_t from, uint64_t to)
{
	uint8_t *leaf = malloc(STORAGE_LEAF);
	uint8_t hash[HASH_SIZE];
	size_t size;

	for (uint64_t i = from; i < to; i++) {
		uint64_t index = i * 101 % 258; /* in no order */

		fixture_leaf(leaf, &size, 1, FETCHED, index);
		tree_leaf(hash, view_of(leaf, size));
		ok(payload_fetch_put(fetch, payload, index, view_of(leaf, size), hash, &err));
	}
	free(leaf);
}

/* Leaves in any order, some twice, with the fetch thrown away in between: none is needed twice. */
static void
test_fetch(void **state)
{
	struct place *place = *state;
	uint8_t *leaf = malloc(STORAGE_LEAF);
	enum storage_payload_state found;
	struct payload_fetch *fetch;
	struct storage_payload payload;
	struct storage_payload small;
	struct snapshot *snapshot;
	struct payload_reader *reader;
	uint8_t bitmap[STORAGE_STRETCH / 8];
	uint8_t hash[HASH_SIZE];
	unsigned whole = 0;
	size_t size;

	fixture_payload(&payload, 1, FETCHED);
	fixture_payload(&small, 2, 5000);
	ok(payload_fetch_new(place->storage, &fetch, &err));
	fetch_some(fetch, &payload, 0, 101);
	fetch_some(fetch, &payload, 90, 95);
	ok(payload_fetch_sync(fetch, count_whole, &whole, &err));
	assert_int_equal(whole, 0);
	payload_fetch_free(fetch);
	place_reopen(place);
	ok(payload_fetch_new(place->storage, &fetch, &err));
	fetch_some(fetch, &payload, 101, 150);
	payload_fetch_free(fetch); /* not synced: to be put again */
	ok(payload_fetch_new(place->storage, &fetch, &err));
	fetch_some(fetch, &payload, 101, 258);
	fixture_leaf(leaf, &size, 2, 5000, 0);
	tree_leaf(hash, view_of(leaf, size));
	ok(payload_fetch_put(fetch, &small, 0, view_of(leaf, size), hash, &err));
	assert_int_equal(
	    payload_fetch_put(fetch, &small, 0, view_of(leaf, 10), hash, NULL), ERR_MALFORMED);
	ok(snapshot_begin(place->storage, &snapshot, &err));
	ok(snapshot_payload_progress(snapshot, bitmap, &payload, 0, &err));
	for (unsigned i = 0, bits = 0; i < 256; i++) {
		bits += bitmap[i / 8] >> (i % 8) & 1;
		if (i == 255)
			assert_in_range(bits, 100, 101);
	}
	snapshot_end(snapshot);
	whole = 0;
	ok(payload_fetch_sync(fetch, count_whole, &whole, &err));
	assert_int_equal(whole, 2);
	payload_fetch_free(fetch);
	ok(snapshot_begin(place->storage, &snapshot, &err));
	ok(snapshot_payload_state(snapshot, &found, &payload, &err));
	assert_int_equal(found, STORAGE_PAYLOAD_WHOLE);
	ok(payload_reader_new(snapshot, &reader, &payload, &err));
	for (uint64_t i = 0; i < 258; i++) {
		uint8_t actual[HASH_SIZE];

		ok(payload_reader_leaf(reader, leaf, &size, i, &err));
		ok(payload_reader_hash(reader, hash, i, &err));
		tree_leaf(actual, view_of(leaf, size));
		assert_memory_equal(actual, hash, HASH_SIZE);
	}
	payload_reader_free(reader);
	snapshot_end(snapshot);
	free(leaf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    place_test(test_payloads),
	    place_test(test_fetch),
	};

	return cmocka_run_group_tests_name("store_payload", tests, NULL, NULL);
}
