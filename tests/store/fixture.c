/* Stores that follow from numbers. */
#include "tests/store/fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/hash.h"

static void
must(int result, const struct err *err, const char *what)
{
	if (result == 0)
		return;
	(void)fprintf(stderr, "%s: %s\n", what, err == NULL ? err_name(result) : err_text(err));
	_exit(99);
}

void
fixture_bytes(uint8_t *to, size_t size, uint64_t seed, uint64_t number)
{
	uint8_t block[HASH_SIZE];
	uint8_t input[24];

	put_u64(input, seed);
	put_u64(input + 8, number);
	put_u64(input + 16, 0);
	hash_sha256(block, view_of(input, sizeof(input)));
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(block[i % HASH_SIZE] ^ (i * 131 + i / 256 * 7));
}

static uint64_t
fixture_number(uint64_t seed, uint64_t number)
{
	uint8_t bytes[8];

	fixture_bytes(bytes, sizeof(bytes), seed, number);
	return get_u64(bytes);
}

void
fixture_leaf(uint8_t *leaf, size_t *size, uint64_t number, uint64_t bytes, uint64_t index)
{
	*size = storage_leaf_size(bytes, index);
	fixture_bytes(leaf, *size, 1000000 + number, index);
}

static void
payload_root(uint8_t root[static HASH_SIZE], uint64_t number, uint64_t bytes)
{
	uint8_t *leaf = malloc(STORAGE_LEAF);
	uint8_t hash[HASH_SIZE];
	struct tree tree;
	size_t size;

	tree_init(&tree);
	for (uint64_t i = 0; i < storage_leaf_count(bytes); i++) {
		fixture_leaf(leaf, &size, number, bytes, i);
		tree_leaf(hash, view_of(leaf, size));
		(void)tree_append(&tree, hash, NULL, NULL);
	}
	tree_root(&tree, root);
	free(leaf);
}

void
fixture_payload(struct storage_payload *payload, uint64_t number, uint64_t bytes)
{
	payload->size = bytes;
	payload_root(payload->root, number, bytes);
}

int
fixture_write(struct payload_writer *writer, struct storage_location *location, uint64_t number,
    uint64_t bytes, struct err *err)
{
	uint8_t *leaf = malloc(STORAGE_LEAF);
	uint8_t hash[HASH_SIZE];
	size_t size;
	int result = 0;

	for (uint64_t i = 0; result == 0 && i < storage_leaf_count(bytes); i++) {
		fixture_leaf(leaf, &size, number, bytes, i);
		tree_leaf(hash, view_of(leaf, size));
		result = payload_writer_put(writer, view_of(leaf, size), hash, err);
	}
	free(leaf);
	return result == 0 ? payload_writer_end(writer, location, err) : result;
}

uint64_t
fixture_payload_bytes(uint64_t index)
{
	return 1000 + fixture_number(7, index) % 3000;
}

/* Payloads are numbered by log and index; entries with an odd index name none. */
static uint64_t
payload_number(uint32_t log, uint64_t index)
{
	return (uint64_t)log << 40 | index;
}

void
fixture_entry(struct fixture_entry *entry, uint32_t log, uint64_t index)
{
	static const char *const names[FIXTURE_PARTS] = {"grant", "sealed", "vault"};
	uint64_t seed = (uint64_t)log + 1;
	size_t size = 300 + fixture_number(seed, index) % 900;

	memset(entry, 0, sizeof(*entry));
	fixture_bytes(entry->record, size, seed, index);
	entry->append.place = (struct storage_place){.log = log, .index = index};
	entry->append.record = view_of(entry->record, size);
	tree_leaf(entry->append.id, entry->append.record);
	entry->append.kind = (uint8_t)(index % 4);
	for (unsigned i = 0; i < FIXTURE_PARTS; i++) {
		size_t bytes = i == 0 ? 200 : 1024;

		fixture_bytes(entry->part_bytes[i], bytes, seed + 100 + i, index);
		hash_sha256(entry->digests[i], view_of(entry->part_bytes[i], bytes));
		entry->parts[i] = (struct storage_part_given){.name = names[i],
		    .digest = entry->digests[i],
		    .bytes = view_of(entry->part_bytes[i], bytes)};
	}
	if (index % 11 == 5) /* comes later, or never */
		entry->parts[1].bytes = view_of(NULL, 0);
	entry->append.part_count = FIXTURE_PARTS;
	entry->append.parts = entry->parts;
	if (index % 7 == 3) {
		fixture_bytes(entry->about, HASH_SIZE, 50, index % 3);
		entry->append.about = entry->about;
	}
	if (index % 5 == 0) {
		fixture_bytes(entry->known, HASH_SIZE, 60 + log, index);
		entry->append.known = entry->known;
	}
	if (index % 2 == 0) {
		fixture_payload(
		    &entry->payload, payload_number(log, index), fixture_payload_bytes(index));
		entry->append.payload = &entry->payload;
	}
}

uint32_t
fixture_log(struct batch *batch, uint32_t number)
{
	uint8_t organisation[HASH_SIZE];
	char vkey[64];
	uint32_t local;
	struct err err;

	(void)snprintf(vkey, sizeof(vkey), "fixture log %" PRIu32, number);
	fixture_bytes(organisation, HASH_SIZE, 70, number);
	must(batch_log(batch, &local, view_text(vkey), organisation, &err), &err, "batch_log");
	return local;
}

/* Every 13th payload is left out: it stays wanted. */
static bool
payload_left_out(uint64_t index)
{
	return index % 13 == 4;
}

int
fixture_append(struct storage *storage, uint32_t log, uint64_t from, uint64_t to, struct err *err)
{
	struct storage_location *locations = calloc((size_t)(to - from), sizeof(*locations));
	struct fixture_entry *entry = malloc(sizeof(*entry));
	struct payload_writer *writer;
	struct batch *batch = NULL;
	int result = payload_writer_new(storage, &writer, err);

	for (uint64_t i = from; result == 0 && i < to; i++) {
		if (i % 2 == 0 && !payload_left_out(i))
			result = fixture_write(writer, &locations[i - from], payload_number(log, i),
			    fixture_payload_bytes(i), err);
	}
	if (result == 0)
		result = payload_writer_sync(writer, err);
	if (result == 0)
		result = batch_begin(storage, &batch, err);
	for (uint64_t i = from; result == 0 && i < to; i++) {
		fixture_entry(entry, log, i);
		if (locations[i - from].stretch_count > 0)
			result = batch_payload(batch, &locations[i - from], err);
		if (result == 0)
			result = batch_append(batch, &entry->append, err);
	}
	if (batch != NULL && result == 0)
		result = batch_commit(batch, err);
	else if (batch != NULL)
		batch_abort(batch);
	payload_writer_free(writer);
	for (uint64_t i = from; i < to; i++)
		storage_location_fini(&locations[i - from]);
	free(locations);
	free(entry);
	return result;
}

int
fixture_extras(struct storage *storage, uint32_t log, struct err *err)
{
	uint8_t bytes[600];
	struct batch *batch;
	int result = batch_begin(storage, &batch, err);

	if (result != 0)
		return result;
	for (uint64_t i = 0; result == 0 && i < 40; i++) {
		uint8_t key[8];

		put_u64(key, i % 25);
		fixture_bytes(bytes, sizeof(bytes), 80, i);
		result = batch_fact(batch, i % 2 == 0 ? STORAGE_FACT_PEER : STORAGE_FACT_SETTING,
		    view_of(key, sizeof(key)),
		    i % 9 == 8 ? view_of(NULL, 0) : view_of(bytes, 100 + i), err);
		if (result == 0 && i < 10)
			result = batch_statement(
			    batch, bytes + i % 3, view_of(bytes, sizeof(bytes)), err);
		if (result == 0 && i < 20)
			result = batch_head(batch, log, i % 15, view_of(bytes, 300 + i), err);
		if (result == 0 && i < 5)
			result = batch_signing(batch, log, i, bytes, err);
	}
	if (result == 0)
		return batch_commit(batch, err);
	batch_abort(batch);
	return result;
}

int
fixture_check(struct snapshot *snapshot, uint32_t log, uint64_t index, struct err *err)
{
	struct storage_place place = {.log = log, .index = index};
	struct fixture_entry *wanted = malloc(sizeof(*wanted));
	struct storage_entry entry;
	struct buffer bytes;
	bool same;
	int result;

	fixture_entry(wanted, log, index);
	buffer_init(&bytes, STORAGE_BYTES_MAX);
	result = snapshot_entry(snapshot, &entry, &bytes, place, err);
	same = result != 0 ||
	       (view_equal(entry.record, wanted->append.record) &&
	           memcmp(entry.id, wanted->append.id, HASH_SIZE) == 0 &&
	           entry.part_count == FIXTURE_PARTS && entry.kind == wanted->append.kind &&
	           entry.has_payload == (wanted->append.payload != NULL) &&
	           (!entry.has_payload ||
	               memcmp(entry.payload.root, wanted->payload.root, HASH_SIZE) == 0));
	for (unsigned i = 0; result == 0 && same && i < FIXTURE_PARTS; i++) {
		if (wanted->parts[i].bytes.data == NULL)
			continue;
		result = snapshot_part(snapshot, &bytes, place, wanted->parts[i].name, err);
		same = result != 0 || view_equal(buffer_view(&bytes), wanted->parts[i].bytes);
	}
	if (!same) {
		(void)fprintf(
		    stderr, "entry %" PRIu64 " of log %" PRIu32 " has other content\n", index, log);
		_exit(98);
	}
	buffer_fini(&bytes);
	free(wanted);
	return result;
}
