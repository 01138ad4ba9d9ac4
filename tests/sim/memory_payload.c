/* Payloads: leaves on the heap, written whole or fetched one by one. */
#include <stdlib.h>

#include "tests/sim/memory_internal.h"

struct memory_writer {
	struct payload_writer base;
	struct memory_storage *storage;
	struct memory_payload *payload; /* in hand */
};

struct memory_fetch {
	struct payload_fetch base;
	struct memory_storage *storage;
};

struct memory_reader {
	struct payload_reader base;
	const struct memory_payload *payload;
};

bool
memory_payload_same(const struct storage_payload *a, const struct storage_payload *b)
{
	return a->size == b->size && memcmp(a->root, b->root, HASH_SIZE) == 0;
}

void
memory_payload_free(struct memory_payload *payload)
{
	uint64_t i;

	if (payload == NULL)
		return;
	for (i = 0; i < payload->leaf_count; i++)
		free((void *)(uintptr_t)payload->leaves[i].data);
	free(payload->leaves);
	free(payload->hashes);
	free(payload->durable);
	free(payload);
}

static void
put_leaf(struct memory_payload *payload, uint64_t index, struct view leaf, const uint8_t *hash)
{
	payload->leaves[index] = memory_copy(leaf);
	memcpy(payload->hashes[index], hash, HASH_SIZE);
}

static void
make_room(struct memory_payload *payload, uint64_t leaves)
{
	payload->leaves = realloc(payload->leaves, leaves * sizeof(*payload->leaves));
	payload->hashes = realloc(payload->hashes, leaves * sizeof(*payload->hashes));
	payload->durable = realloc(payload->durable, leaves * sizeof(*payload->durable));
	if (payload->leaves == NULL || payload->hashes == NULL || payload->durable == NULL)
		abort();
	for (; payload->leaf_count < leaves; payload->leaf_count++) {
		payload->leaves[payload->leaf_count] = view_of(NULL, 0);
		payload->durable[payload->leaf_count] = false;
	}
}

static void
keep(struct memory_storage *storage, struct memory_payload *payload)
{
	payload->number = ++storage->payload_count;
	payload->next = storage->payloads;
	storage->payloads = payload;
}

/* ---- writing ---- */

static int
writer_new(struct storage *base, struct payload_writer **out, struct err *err)
{
	struct memory_storage *storage = (struct memory_storage *)base;
	struct memory_writer *writer;
	int result = memory_write(storage, err);

	if (result != 0)
		return result;
	writer = memory_allocate(1, sizeof(*writer));
	writer->base.calls = &storage->calls;
	writer->storage = storage;
	*out = &writer->base;
	return 0;
}

static void
writer_drop(struct payload_writer *base)
{
	struct memory_writer *writer = (struct memory_writer *)base;

	memory_payload_free(writer->payload);
	writer->payload = NULL;
}

static void
writer_free(struct payload_writer *base)
{
	writer_drop(base);
	free(base);
}

static int
writer_put(struct payload_writer *base, struct view leaf, const uint8_t leaf_hash[static HASH_SIZE],
    struct err *err)
{
	struct memory_writer *writer = (struct memory_writer *)base;
	int result = memory_write(writer->storage, err);

	if (result != 0) {
		writer_drop(base);
		return result;
	}
	if (leaf.size == 0 || leaf.size > STORAGE_LEAF)
		return err_set(err, ERR_USAGE, "a leaf of %zu bytes", leaf.size);
	if (writer->payload == NULL)
		writer->payload = memory_allocate(1, sizeof(*writer->payload));
	if (writer->payload->payload.size % STORAGE_LEAF != 0)
		return err_set(err, ERR_USAGE, "a leaf after the last one");
	make_room(writer->payload, writer->payload->leaf_count + 1);
	put_leaf(writer->payload, writer->payload->leaf_count - 1, leaf, leaf_hash);
	writer->payload->payload.size += leaf.size;
	return 0;
}

static int
writer_end(struct payload_writer *base, struct storage_location *location, struct err *err)
{
	struct memory_writer *writer = (struct memory_writer *)base;
	struct memory_payload *payload = writer->payload;
	uint64_t left;
	uint32_t i;
	int result = payload == NULL ? err_set(err, ERR_USAGE, "a payload without leaves") :
	                               memory_write(writer->storage, err);

	if (result != 0) {
		writer_drop(base);
		return result;
	}
	tree_root_of(payload->payload.root, payload->hashes[0], payload->leaf_count);
	keep(writer->storage, payload);
	writer->payload = NULL;
	left = payload->leaf_count;
	location->payload = payload->payload;
	location->stretch_count = (uint32_t)((left + STORAGE_STRETCH - 1) / STORAGE_STRETCH);
	location->stretches =
	    memory_allocate(location->stretch_count, sizeof(*location->stretches));
	for (i = 0; i < location->stretch_count; i++) {
		size_t count = left < STORAGE_STRETCH ? (size_t)left : STORAGE_STRETCH;

		location->stretches[i].segment = payload->number;
		tree_root_of(location->stretches[i].root,
		    payload->hashes[(size_t)i * STORAGE_STRETCH], count);
		left -= count;
	}
	return 0;
}

static int
writer_sync(struct payload_writer *base, struct err *err)
{
	return memory_write(((struct memory_writer *)base)->storage, err);
}

/* ---- fetching ---- */

static int
fetch_new(struct storage *base, struct payload_fetch **out, struct err *err)
{
	struct memory_storage *storage = (struct memory_storage *)base;
	struct memory_fetch *fetch = memory_allocate(1, sizeof(*fetch));

	(void)err;
	fetch->base.calls = &storage->calls;
	fetch->storage = storage;
	*out = &fetch->base;
	return 0;
}

void
memory_payload_drop(struct memory_storage *storage)
{
	struct memory_payload *payload;
	uint64_t i;

	for (payload = storage->payloads; payload != NULL; payload = payload->next) {
		for (i = 0; payload->fetching && i < payload->leaf_count; i++) {
			if (payload->durable[i])
				continue;
			free((void *)(uintptr_t)payload->leaves[i].data);
			payload->leaves[i] = view_of(NULL, 0);
		}
	}
}

static void
fetch_free(struct payload_fetch *base)
{
	memory_payload_drop(((struct memory_fetch *)base)->storage);
	free(base);
}

static struct memory_payload *
fetching(struct memory_storage *storage, const struct storage_payload *payload)
{
	struct memory_payload *at = storage->payloads;

	while (at != NULL && (!at->fetching || !memory_payload_same(&at->payload, payload)))
		at = at->next;
	return at;
}

static int
fetch_put(struct payload_fetch *base, const struct storage_payload *payload, uint64_t leaf_index,
    struct view leaf, const uint8_t leaf_hash[static HASH_SIZE], struct err *err)
{
	struct memory_storage *storage = ((struct memory_fetch *)base)->storage;
	struct memory_payload *at = fetching(storage, payload);
	int result = memory_write(storage, err);

	if (result != 0)
		return result;
	if (leaf_index >= storage_leaf_count(payload->size) ||
	    leaf.size != storage_leaf_size(payload->size, leaf_index))
		return err_set(err, ERR_USAGE, "no leaf of that payload");
	if (at == NULL) {
		at = memory_allocate(1, sizeof(*at));
		at->payload = *payload;
		at->fetching = true;
		make_room(at, storage_leaf_count(payload->size));
		keep(storage, at);
	}
	if (at->leaves[leaf_index].data == NULL)
		put_leaf(at, leaf_index, leaf, leaf_hash);
	return 0;
}

static bool
make_durable(struct memory_payload *payload)
{
	bool whole = true;
	uint64_t i;

	for (i = 0; i < payload->leaf_count; i++) {
		payload->durable[i] = payload->leaves[i].data != NULL;
		whole &= payload->durable[i];
	}
	return whole;
}

static int
fetch_sync(struct payload_fetch *base, payload_whole *whole, void *cookie, struct err *err)
{
	struct memory_storage *storage = ((struct memory_fetch *)base)->storage;
	struct memory_payload *payload;
	int result = memory_write(storage, err);

	if (result != 0)
		return result;
	if (storage->batch != NULL)
		abort(); /* it would wait for ever */
	for (payload = storage->payloads; payload != NULL; payload = payload->next) {
		if (!payload->fetching || !make_durable(payload))
			continue;
		payload->fetching = false;
		memory_event(storage, EVENT_PAYLOAD)->payload = payload;
		storage->committed = storage->count;
		if (whole != NULL)
			whole(cookie, &payload->payload);
	}
	return 0;
}

/* ---- reading ---- */

static bool
is_whole(const struct event *event, const void *payload)
{
	return event->kind == EVENT_PAYLOAD &&
	       memory_payload_same(&event->payload->payload, payload);
}

struct memory_payload *
memory_payload_whole(const struct memory_snapshot *snapshot, const struct storage_payload *payload)
{
	const struct event *event = memory_last(snapshot, is_whole, payload);

	return event == NULL ? NULL : event->payload;
}

static bool
names(const struct event *event, const void *payload)
{
	return event->kind == EVENT_ENTRY && event->entry->has_payload &&
	       memory_payload_same(&event->entry->payload, payload);
}

static int
payload_state(struct snapshot *base, enum storage_payload_state *state,
    const struct storage_payload *payload, struct err *err)
{
	const struct memory_snapshot *snapshot = (struct memory_snapshot *)base;

	(void)err;
	if (memory_payload_whole(snapshot, payload) != NULL)
		*state = STORAGE_PAYLOAD_WHOLE;
	else if (memory_last(snapshot, names, payload) != NULL)
		*state = STORAGE_PAYLOAD_WANTED;
	else
		*state = STORAGE_PAYLOAD_UNKNOWN;
	return 0;
}

static int
payload_progress(struct snapshot *base, uint8_t bitmap[static STORAGE_STRETCH / 8],
    const struct storage_payload *payload, uint32_t stretch, struct err *err)
{
	const struct memory_payload *at =
	    fetching(((struct memory_snapshot *)base)->storage, payload);
	uint64_t first = (uint64_t)stretch * STORAGE_STRETCH;
	uint64_t i;

	(void)err;
	memset(bitmap, 0, STORAGE_STRETCH / 8);
	for (i = 0; at != NULL && i < STORAGE_STRETCH && first + i < at->leaf_count; i++)
		if (at->durable[first + i])
			bitmap[i / 8] |= (uint8_t)(1u << (i % 8));
	return 0;
}

static int
reader_new(struct snapshot *base, struct payload_reader **out,
    const struct storage_payload *payload, struct err *err)
{
	const struct memory_snapshot *snapshot = (struct memory_snapshot *)base;
	const struct memory_payload *whole = memory_payload_whole(snapshot, payload);
	struct memory_reader *reader;

	if (whole == NULL)
		return memory_last(snapshot, names, payload) != NULL ?
		           err_set(err, ERR_MISSING, "the payload is not whole here") :
		           ERR_NOT_FOUND;
	reader = memory_allocate(1, sizeof(*reader));
	reader->base.calls = base->calls;
	reader->payload = whole;
	*out = &reader->base;
	return 0;
}

static void
reader_free(struct payload_reader *reader)
{
	free(reader);
}

static uint64_t
reader_leaves(const struct payload_reader *base)
{
	return ((const struct memory_reader *)base)->payload->leaf_count;
}

static int
reader_leaf(
    struct payload_reader *base, uint8_t *leaf, size_t *size, uint64_t leaf_index, struct err *err)
{
	const struct memory_payload *payload = ((struct memory_reader *)base)->payload;

	if (leaf_index >= payload->leaf_count)
		return err_set(err, ERR_USAGE, "no such leaf");
	*size = payload->leaves[leaf_index].size;
	memcpy(leaf, payload->leaves[leaf_index].data, *size);
	return 0;
}

static int
reader_hash(struct payload_reader *base, uint8_t hash[static HASH_SIZE], uint64_t leaf_index,
    struct err *err)
{
	const struct memory_payload *payload = ((struct memory_reader *)base)->payload;

	if (leaf_index >= payload->leaf_count)
		return err_set(err, ERR_USAGE, "no such leaf");
	memcpy(hash, payload->hashes[leaf_index], HASH_SIZE);
	return 0;
}

static int
read_node(void *cookie, unsigned level, uint64_t index, uint8_t hash[static HASH_SIZE])
{
	const struct memory_payload *payload = cookie;

	tree_root_of(hash, payload->hashes[index << level], (size_t)1 << level);
	return 0;
}

static int
reader_prove(
    struct payload_reader *base, struct tree_proof *proof, uint64_t leaf_index, struct err *err)
{
	struct memory_reader *reader = (struct memory_reader *)base;
	int result = tree_prove_inclusion(proof, leaf_index, reader->payload->leaf_count, read_node,
	    (void *)(uintptr_t)reader->payload);

	return result == 0 ? 0 : err_set(err, (enum err_code)result, "no such leaf");
}

void
memory_payload_calls(struct storage_calls *calls)
{
	calls->payload_writer_new = writer_new;
	calls->payload_writer_free = writer_free;
	calls->payload_writer_put = writer_put;
	calls->payload_writer_end = writer_end;
	calls->payload_writer_drop = writer_drop;
	calls->payload_writer_sync = writer_sync;
	calls->payload_fetch_new = fetch_new;
	calls->payload_fetch_free = fetch_free;
	calls->payload_fetch_put = fetch_put;
	calls->payload_fetch_sync = fetch_sync;
	calls->snapshot_payload_state = payload_state;
	calls->snapshot_payload_progress = payload_progress;
	calls->payload_reader_new = reader_new;
	calls->payload_reader_free = reader_free;
	calls->payload_reader_leaves = reader_leaves;
	calls->payload_reader_leaf = reader_leaf;
	calls->payload_reader_hash = reader_hash;
	calls->payload_reader_prove = reader_prove;
}
