/* Leaves, leaf hashes and proofs of one whole payload. */
#include <inttypes.h>
#include <stdlib.h>

#include "node/store/disk.h"
#include "node/store/store_private.h"

struct store_reader {
	struct payload_reader base;
	struct store *store;
	struct storage_payload payload;
	uint64_t leaves;
	uint32_t stretch_count;
	struct storage_stretch *stretches;
	uint8_t *roots; /* of all stretches, side by side */
	bool loaded;    /* the hashes below are those of this stretch, checked */
	uint32_t stretch;
	uint8_t hashes[STORAGE_STRETCH * HASH_SIZE];
};

static struct store_reader *
reader_of(struct payload_reader *reader)
{
	return (struct store_reader *)reader;
}

static int
take_stretches(struct store_reader *reader, const struct journal_payload *payload, struct err *err)
{
	uint8_t root[HASH_SIZE];

	reader->stretch_count = payload->stretch_count;
	reader->stretches = calloc(payload->stretch_count, sizeof(*reader->stretches));
	reader->roots = calloc(payload->stretch_count, HASH_SIZE);
	if (reader->stretches == NULL || reader->roots == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a payload");
	for (uint32_t i = 0; i < payload->stretch_count; i++) {
		journal_stretch_decode(&reader->stretches[i], payload, i);
		memcpy(reader->roots + (size_t)i * HASH_SIZE, reader->stretches[i].root, HASH_SIZE);
	}
	/* Stretches are aligned complete subtrees, but the last. */
	tree_root_of(root, reader->roots, payload->stretch_count);
	if (memcmp(root, reader->payload.root, HASH_SIZE) != 0)
		return err_set(err, ERR_DAMAGED, "a payload's stretches do not give its root");
	return 0;
}

int
store_reader_new(struct snapshot *snapshot, struct payload_reader **out,
    const struct storage_payload *payload, struct err *err)
{
	struct store_snapshot *from = (struct store_snapshot *)snapshot;
	struct store_reader *reader = calloc(1, sizeof(*reader));
	struct journal_frame frame;
	struct buffer bytes;
	int result;

	*out = NULL;
	if (reader == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a reader");
	reader->base.calls = &store_calls;
	reader->store = from->store;
	reader->payload = *payload;
	reader->leaves = storage_leaf_count(payload->size);
	buffer_init(&bytes, JOURNAL_HEADER + JOURNAL_BODY_MAX);
	result = store_payload_read(from, &frame, &bytes, payload, err);
	if (result == 0)
		result = take_stretches(reader, &frame.payload, err);
	buffer_fini(&bytes);
	if (result != 0) {
		store_reader_free(&reader->base);
		return result;
	}
	*out = &reader->base;
	return 0;
}

void
store_reader_free(struct payload_reader *base)
{
	struct store_reader *reader = reader_of(base);

	free(reader->stretches);
	free(reader->roots);
	free(reader);
}

uint64_t
store_reader_leaves(const struct payload_reader *base)
{
	return ((const struct store_reader *)base)->leaves;
}

static int
read_segment(struct store_reader *reader, uint8_t *to, size_t size, uint32_t segment,
    uint64_t offset, struct err *err)
{
	struct file_use use;
	size_t got;
	int result = files_get(&reader->store->segments, segment, &use, err);

	if (result == ERR_NOT_FOUND)
		return err_set(err, ERR_DAMAGED, "segment %" PRIu32 " is not there", segment);
	if (result != 0)
		return result;
	result = disk_read(use.fd, to, size, offset, &got, use.name, err);
	if (result == 0 && got < size)
		result = err_set(
		    err, ERR_DAMAGED, "%s ends before offset %" PRIu64, use.name, offset + size);
	files_put(&reader->store->segments, &use);
	return result;
}

int
store_reader_leaf(
    struct payload_reader *base, uint8_t *leaf, size_t *size, uint64_t leaf_index, struct err *err)
{
	struct store_reader *reader = reader_of(base);
	const struct storage_stretch *stretch;

	*size = 0;
	if (leaf_index >= reader->leaves)
		return err_set(err, ERR_USAGE,
		    "a payload of %" PRIu64 " leaves has no leaf %" PRIu64, reader->leaves,
		    leaf_index);
	stretch = &reader->stretches[leaf_index / STORAGE_STRETCH];
	*size = storage_leaf_size(reader->payload.size, leaf_index);
	return read_segment(reader, leaf, *size, stretch->segment,
	    stretch->offset + leaf_index % STORAGE_STRETCH * STORAGE_LEAF, err);
}

static int
load_hashes(struct store_reader *reader, uint32_t number, struct err *err)
{
	const struct storage_stretch *stretch = &reader->stretches[number];
	uint64_t first = (uint64_t)number * STORAGE_STRETCH;
	uint64_t left = reader->leaves - first;
	size_t count = left < STORAGE_STRETCH ? (size_t)left : STORAGE_STRETCH;
	uint64_t bytes = journal_stretch_bytes(reader->payload.size, number);
	uint8_t root[HASH_SIZE];
	int result = 0;

	if (reader->loaded && reader->stretch == number)
		return 0;
	reader->loaded = false;
	if (reader->leaves == 1)
		memcpy(reader->hashes, reader->payload.root, HASH_SIZE);
	else
		result = read_segment(reader, reader->hashes, count * HASH_SIZE, stretch->segment,
		    stretch->offset + bytes - count * HASH_SIZE, err);
	if (result != 0)
		return result;
	tree_root_of(root, reader->hashes, count);
	if (memcmp(root, stretch->root, HASH_SIZE) != 0)
		return err_set(err, ERR_DAMAGED,
		    "segment %" PRIu32 ", offset %" PRIu64
		    ": the leaf hashes are not what was stored",
		    stretch->segment, stretch->offset + bytes - count * HASH_SIZE);
	reader->loaded = true;
	reader->stretch = number;
	return 0;
}

int
store_reader_hash(struct payload_reader *base, uint8_t hash[static HASH_SIZE], uint64_t leaf_index,
    struct err *err)
{
	struct store_reader *reader = reader_of(base);
	int result;

	if (leaf_index >= reader->leaves)
		return err_set(err, ERR_USAGE,
		    "a payload of %" PRIu64 " leaves has no leaf %" PRIu64, reader->leaves,
		    leaf_index);
	result = load_hashes(reader, (uint32_t)(leaf_index / STORAGE_STRETCH), err);
	if (result == 0)
		memcpy(hash, reader->hashes + leaf_index % STORAGE_STRETCH * HASH_SIZE, HASH_SIZE);
	return result;
}

#define STRETCH_LEVEL 8 /* 256 leaves */

struct prove_cookie {
	struct store_reader *reader;
	struct err *err;
};

static int
read_node(void *cookie, unsigned level, uint64_t index, uint8_t hash[static HASH_SIZE])
{
	struct prove_cookie *prove = cookie;
	struct store_reader *reader = prove->reader;
	uint64_t first;
	int result;

	if (level >= STRETCH_LEVEL) {
		first = index << (level - STRETCH_LEVEL);
		tree_root_of(
		    hash, reader->roots + first * HASH_SIZE, (size_t)1 << (level - STRETCH_LEVEL));
		return 0;
	}
	first = index << level;
	result = load_hashes(reader, (uint32_t)(first / STORAGE_STRETCH), prove->err);
	if (result == 0)
		tree_root_of(
		    hash, reader->hashes + first % STORAGE_STRETCH * HASH_SIZE, (size_t)1 << level);
	return result;
}

int
store_reader_prove(
    struct payload_reader *base, struct tree_proof *proof, uint64_t leaf_index, struct err *err)
{
	struct prove_cookie cookie = {.reader = reader_of(base), .err = err};

	if (leaf_index >= cookie.reader->leaves)
		return err_set(err, ERR_USAGE,
		    "a payload of %" PRIu64 " leaves has no leaf %" PRIu64, cookie.reader->leaves,
		    leaf_index);
	return tree_prove_inclusion(proof, leaf_index, cookie.reader->leaves, read_node, &cookie);
}
