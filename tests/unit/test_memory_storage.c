/*
 * P7 (bounded) and P1 (durable) are tested upon the storage in memory, so it must itself do what
 * node/storage.h says: isolation, loss of what was not committed, lookups, payloads.
 */
#include <stdlib.h>

#include "node/storage.h"
#include "tests/sim/memory_storage.h"
#include "tests/unit/vectors.h"

static const uint8_t zero[HASH_SIZE];

static void
give_log(struct storage *storage, const char *vkey, unsigned entries,
    const struct storage_payload *payload)
{
	struct storage_part_given part = {.name = "vault", .digest = zero};
	struct batch *batch;
	uint32_t number;
	unsigned i;

	assert_int_equal(batch_begin(storage, &batch, NULL), 0);
	assert_int_equal(batch_log(batch, &number, view_text(vkey), zero, NULL), 0);
	for (i = 0; i < entries; i++) {
		struct storage_append append = {.place = {number, i},
		    .record = view_of(&i, sizeof(i)),
		    .kind = (uint8_t)(i % 2),
		    .payload = payload,
		    .about = zero,
		    .known = zero,
		    .part_count = 1,
		    .parts = &part};

		tree_leaf(append.id, append.record);
		assert_int_equal(batch_append(batch, &append, NULL), 0);
	}
	assert_int_equal(batch_commit(batch, NULL), 0);
}

static void
test_isolation(void **state)
{
	struct storage *storage = memory_storage_new();
	struct snapshot *before;
	struct snapshot *after;
	struct storage_log log;
	struct batch *batch;
	struct buffer value;
	uint32_t number;

	(void)state;
	buffer_init(&value, STORAGE_BYTES_MAX);
	give_log(storage, "first", 5, NULL);
	assert_int_equal(snapshot_begin(storage, &before, NULL), 0);
	assert_int_equal(batch_begin(storage, &batch, NULL), 0);
	assert_int_equal(
	    batch_fact(batch, STORAGE_FACT_SETTING, view_text("a"), view_text("1"), NULL), 0);
	assert_int_equal(batch_log(batch, &number, view_text("second"), zero, NULL), 0);
	assert_int_equal(number, 1);
	assert_int_equal(snapshot_fact(before, &value, STORAGE_FACT_SETTING, view_text("a"), NULL),
	    ERR_NOT_FOUND);
	assert_int_equal(snapshot_fact(batch_snapshot(batch), &value, STORAGE_FACT_SETTING,
	                     view_text("a"), NULL),
	    0);
	memory_storage_crash(storage);
	assert_int_equal(snapshot_begin(storage, &after, NULL), 0);
	assert_int_equal(snapshot_log(after, &log, 1, NULL), ERR_NOT_FOUND);
	assert_int_equal(snapshot_fact(after, &value, STORAGE_FACT_SETTING, view_text("a"), NULL),
	    ERR_NOT_FOUND);
	snapshot_end(after);
	give_log(storage, "second", 3, NULL);
	assert_int_equal(snapshot_log(before, &log, 1, NULL), ERR_NOT_FOUND);
	assert_int_equal(snapshot_log(before, &log, 0, NULL), 0);
	assert_int_equal(log.size, 5);
	snapshot_end(before);
	buffer_fini(&value);
	storage_close(storage);
}

static void
test_lookups(void **state)
{
	struct storage *storage = memory_storage_new();
	struct storage_place places[8];
	struct storage_place place = STORAGE_PLACE_START;
	struct storage_counts counts;
	struct snapshot *snapshot;
	uint64_t index = STORAGE_START;
	uint8_t id[HASH_SIZE];
	size_t count;
	unsigned seen;

	(void)state;
	give_log(storage, "first", 5, NULL);
	give_log(storage, "second", 3, NULL);
	assert_int_equal(snapshot_begin(storage, &snapshot, NULL), 0);
	assert_int_equal(snapshot_counts(snapshot, &counts, NULL), 0);
	assert_int_equal(counts.logs, 2);
	assert_int_equal(counts.entries, 8);
	assert_int_equal(counts.part_wants, 8);
	assert_int_equal(
	    snapshot_entry_id(snapshot, id, NULL, (struct storage_place){0, 1}, NULL), 0);
	assert_int_equal(snapshot_find(snapshot, places, 8, &count, id, 64, NULL), 0);
	assert_int_equal(count, 2); /* the same record in both logs */
	assert_int_equal(places[0].log, 0);
	assert_int_equal(places[1].log, 1);
	assert_int_equal(snapshot_find(snapshot, places, 8, &count, zero, 0, NULL), 0);
	assert_int_equal(count, 8);
	assert_int_equal(snapshot_find(snapshot, places, 3, &count, zero, 0, NULL), 0);
	assert_int_equal(count, 3);
	for (seen = 0; snapshot_kind_next(snapshot, &index, 0, 0, NULL) == 0; seen++)
		assert_int_equal(index, 2 * seen);
	assert_int_equal(seen, 3);
	assert_int_equal(snapshot_kind_last(snapshot, &index, 0, 1, NULL), 0);
	assert_int_equal(index, 3);
	for (seen = 0; snapshot_about_next(snapshot, &place, zero, NULL) == 0; seen++)
		;
	assert_int_equal(seen, 8);
	assert_int_equal(snapshot_known(snapshot, id, zero, NULL), 0);
	snapshot_end(snapshot);
	storage_close(storage);
}

static void
test_facts(void **state)
{
	struct storage *storage = memory_storage_new();
	struct snapshot *snapshot;
	struct batch *batch;
	struct buffer key;
	struct buffer value;

	(void)state;
	assert_int_equal(batch_begin(storage, &batch, NULL), 0);
	assert_int_equal(
	    batch_fact(batch, STORAGE_FACT_PEER, view_text("b"), view_text("1"), NULL), 0);
	assert_int_equal(
	    batch_fact(batch, STORAGE_FACT_PEER, view_text("a"), view_text("2"), NULL), 0);
	assert_int_equal(
	    batch_fact(batch, STORAGE_FACT_PEER, view_text("b"), view_text("3"), NULL), 0);
	assert_int_equal(
	    batch_fact(batch, STORAGE_FACT_PEER, view_text("c"), view_text("4"), NULL), 0);
	assert_int_equal(
	    batch_fact(batch, STORAGE_FACT_PEER, view_text("c"), view_of(NULL, 0), NULL), 0);
	assert_int_equal(
	    batch_fact(batch, STORAGE_FACT_NODE, view_text("aa"), view_text("5"), NULL), 0);
	assert_int_equal(batch_commit(batch, NULL), 0);
	buffer_init(&key, STORAGE_KEY_MAX);
	buffer_init(&value, STORAGE_BYTES_MAX);
	assert_int_equal(snapshot_begin(storage, &snapshot, NULL), 0);
	assert_int_equal(snapshot_fact_next(snapshot, &key, &value, STORAGE_FACT_PEER, NULL), 0);
	assert_true(view_equal(buffer_view(&key), view_text("a")));
	assert_int_equal(snapshot_fact_next(snapshot, &key, &value, STORAGE_FACT_PEER, NULL), 0);
	assert_true(view_equal(buffer_view(&key), view_text("b")));
	assert_true(view_equal(buffer_view(&value), view_text("3")));
	assert_int_equal(
	    snapshot_fact_next(snapshot, &key, NULL, STORAGE_FACT_PEER, NULL), ERR_NOT_FOUND);
	snapshot_end(snapshot);
	buffer_fini(&key);
	buffer_fini(&value);
	storage_close(storage);
}

struct leaves {
	uint8_t *bytes[3];
	size_t sizes[3];
	uint8_t hashes[3][HASH_SIZE];
	struct storage_payload payload;
};

static void
leaves_init(struct leaves *leaves)
{
	unsigned i;

	leaves->payload.size = 0;
	for (i = 0; i < 3; i++) {
		leaves->sizes[i] = i < 2 ? STORAGE_LEAF : 100;
		leaves->bytes[i] = calloc(1, STORAGE_LEAF);
		assert_non_null(leaves->bytes[i]);
		leaves->bytes[i][0] = (uint8_t)i;
		leaves->payload.size += leaves->sizes[i];
		tree_leaf(leaves->hashes[i], view_of(leaves->bytes[i], leaves->sizes[i]));
	}
	tree_root_of(leaves->payload.root, leaves->hashes[0], 3);
}

static void
expect_whole(struct storage *storage, const struct leaves *leaves)
{
	struct payload_reader *reader;
	struct snapshot *snapshot;
	struct tree_proof proof;
	uint8_t *leaf = malloc(STORAGE_LEAF);
	uint8_t hash[HASH_SIZE];
	size_t size;
	unsigned i;

	assert_non_null(leaf);
	assert_int_equal(snapshot_begin(storage, &snapshot, NULL), 0);
	assert_int_equal(payload_reader_new(snapshot, &reader, &leaves->payload, NULL), 0);
	snapshot_end(snapshot);
	assert_int_equal(payload_reader_leaves(reader), 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(payload_reader_leaf(reader, leaf, &size, i, NULL), 0);
		assert_int_equal(size, leaves->sizes[i]);
		assert_memory_equal(leaf, leaves->bytes[i], size);
		assert_int_equal(payload_reader_hash(reader, hash, i, NULL), 0);
		assert_int_equal(payload_reader_prove(reader, &proof, i, NULL), 0);
		assert_int_equal(tree_check_inclusion(hash, i, 3, leaves->payload.root,
		                     proof.hashes, proof.count, NULL),
		    0);
	}
	payload_reader_free(reader);
	free(leaf);
}

static void
leaves_fini(struct leaves *leaves)
{
	unsigned i;

	for (i = 0; i < 3; i++)
		free(leaves->bytes[i]);
}

static void
test_payload(void **state)
{
	struct storage *storage = memory_storage_new();
	struct storage_location location;
	struct payload_writer *writer;
	struct snapshot *snapshot;
	struct batch *batch;
	struct leaves leaves;
	enum storage_payload_state here;
	unsigned i;

	(void)state;
	leaves_init(&leaves);
	assert_int_equal(payload_writer_new(storage, &writer, NULL), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(
		    payload_writer_put(
		        writer, view_of(leaves.bytes[i], leaves.sizes[i]), leaves.hashes[i], NULL),
		    0);
	assert_int_equal(payload_writer_end(writer, &location, NULL), 0);
	assert_int_equal(payload_writer_sync(writer, NULL), 0);
	assert_memory_equal(&location.payload, &leaves.payload, sizeof(leaves.payload));
	assert_int_equal(snapshot_begin(storage, &snapshot, NULL), 0);
	assert_int_equal(snapshot_payload_state(snapshot, &here, &leaves.payload, NULL), 0);
	assert_int_equal(here, STORAGE_PAYLOAD_UNKNOWN);
	snapshot_end(snapshot);
	assert_int_equal(batch_begin(storage, &batch, NULL), 0);
	assert_int_equal(batch_payload(batch, &location, NULL), 0);
	assert_int_equal(batch_commit(batch, NULL), 0);
	storage_location_fini(&location);
	payload_writer_free(writer);
	expect_whole(storage, &leaves);
	leaves_fini(&leaves);
	storage_close(storage);
}

static void
fetch(
    struct storage *storage, const struct leaves *leaves, unsigned first, unsigned last, bool crash)
{
	struct payload_fetch *fetcher;
	unsigned i;

	assert_int_equal(payload_fetch_new(storage, &fetcher, NULL), 0);
	for (i = first; i <= last; i++)
		assert_int_equal(
		    payload_fetch_put(fetcher, &leaves->payload, i,
		        view_of(leaves->bytes[i], leaves->sizes[i]), leaves->hashes[i], NULL),
		    0);
	if (crash)
		memory_storage_crash(storage);
	else
		assert_int_equal(payload_fetch_sync(fetcher, NULL, NULL, NULL), 0);
	payload_fetch_free(fetcher);
}

/* Leaves that were synced are not wanted again; those that were not are. */
static void
test_fetch(void **state)
{
	struct storage *storage = memory_storage_new();
	uint8_t bitmap[STORAGE_STRETCH / 8];
	struct storage_want want;
	struct snapshot *snapshot;
	struct leaves leaves;
	uint64_t cursor = STORAGE_START;

	(void)state;
	leaves_init(&leaves);
	give_log(storage, "first", 2, &leaves.payload);
	fetch(storage, &leaves, 2, 2, false);
	fetch(storage, &leaves, 0, 1, true);
	assert_int_equal(snapshot_begin(storage, &snapshot, NULL), 0);
	assert_int_equal(snapshot_want_next(snapshot, &want, &cursor, NULL), 0);
	assert_int_equal(want.place.index, 0);
	assert_memory_equal(&want.payload, &leaves.payload, sizeof(want.payload));
	assert_int_equal(snapshot_want_next(snapshot, &want, &cursor, NULL), ERR_NOT_FOUND);
	assert_int_equal(snapshot_payload_progress(snapshot, bitmap, &leaves.payload, 0, NULL), 0);
	assert_int_equal(bitmap[0], 4);
	snapshot_end(snapshot);
	fetch(storage, &leaves, 0, 1, false);
	expect_whole(storage, &leaves);
	cursor = STORAGE_START;
	assert_int_equal(snapshot_begin(storage, &snapshot, NULL), 0);
	assert_int_equal(snapshot_want_next(snapshot, &want, &cursor, NULL), ERR_NOT_FOUND);
	snapshot_end(snapshot);
	leaves_fini(&leaves);
	storage_close(storage);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_isolation),
	    cmocka_unit_test(test_lookups),
	    cmocka_unit_test(test_facts),
	    cmocka_unit_test(test_payload),
	    cmocka_unit_test(test_fetch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
