/*
 * Leaves from peers.  A payload of one leaf goes through a writer like a deposit.  Of larger ones,
 * each stretch gets its room in a segment when its first leaf comes, committed as a progress
 * frame; leaves and their hashes are written in place, and a sync commits which are there.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "node/store/disk.h"
#include "node/store/segment.h"

#define BITMAP (STORAGE_STRETCH / 8)

struct fetch_stretch {
	struct storage_payload payload;
	uint32_t stretch;
	uint32_t segment;
	uint64_t offset;
	bool touched;
	uint8_t bitmap[BITMAP]; /* durable ones, and those written since */
};

struct store_fetch {
	struct payload_fetch base;
	struct store *store;
	struct payload_writer *writer;  /* for small ones; made when needed */
	struct storage_location *small; /* ended, not yet committed */
	size_t small_count;
	struct fetch_stretch *stretches; /* since the last sync */
	size_t stretch_count;
};

static struct store_fetch *
fetch_of(struct payload_fetch *fetch)
{
	return (struct store_fetch *)fetch;
}

int
store_fetch_new(struct storage *storage, struct payload_fetch **out, struct err *err)
{
	struct store_fetch *fetch = calloc(1, sizeof(*fetch));

	*out = NULL;
	if (fetch == NULL)
		return err_set(err, ERR_MEMORY, "no memory to fetch");
	fetch->base.calls = &store_calls;
	fetch->store = (struct store *)storage;
	*out = &fetch->base;
	return 0;
}

static void
forget(struct store_fetch *fetch)
{
	for (size_t i = 0; i < fetch->small_count; i++)
		storage_location_fini(&fetch->small[i]);
	free(fetch->small);
	fetch->small = NULL;
	fetch->small_count = 0;
	free(fetch->stretches);
	fetch->stretches = NULL;
	fetch->stretch_count = 0;
}

void
store_fetch_free(struct payload_fetch *base)
{
	struct store_fetch *fetch = fetch_of(base);

	forget(fetch);
	payload_writer_free(fetch->writer);
	free(fetch);
}

static bool
same_payload(const struct storage_payload *a, const struct storage_payload *b)
{
	return a->size == b->size && memcmp(a->root, b->root, HASH_SIZE) == 0;
}

static unsigned
stretch_leaves(const struct storage_payload *payload, uint32_t stretch)
{
	uint64_t left = storage_leaf_count(payload->size) - (uint64_t)stretch * STORAGE_STRETCH;

	return left < STORAGE_STRETCH ? (unsigned)left : STORAGE_STRETCH;
}

static bool
bit_get(const uint8_t *bitmap, unsigned bit)
{
	return (bitmap[bit / 8] >> (bit % 8) & 1) != 0;
}

static bool
is_full(const uint8_t *bitmap, unsigned leaves)
{
	for (unsigned i = 0; i < leaves; i++) {
		if (!bit_get(bitmap, i))
			return false;
	}
	return true;
}

static int
put_small(struct store_fetch *fetch, struct view leaf, const uint8_t leaf_hash[static HASH_SIZE],
    struct err *err)
{
	struct storage_location *small =
	    realloc(fetch->small, (fetch->small_count + 1) * sizeof(*small));
	int result = 0;

	if (small == NULL)
		return err_set(err, ERR_MEMORY, "no memory to fetch");
	fetch->small = small;
	if (fetch->writer == NULL)
		result = payload_writer_new(&fetch->store->base, &fetch->writer, err);
	if (result == 0)
		result = payload_writer_put(fetch->writer, leaf, leaf_hash, err);
	if (result == 0)
		result = payload_writer_end(fetch->writer, &small[fetch->small_count], err);
	if (result == 0)
		fetch->small_count++;
	return result;
}

static int
reserve(struct segment_claim *claim, uint64_t bytes, struct err *err)
{
	struct files *segments = &claim->store->segments;
	struct file_use use;
	int result = files_get(segments, claim->number, &use, err);

	if (result != 0)
		return result;
	result = disk_reserve(use.fd, claim->end + bytes, use.name, err);
	if (result == 0)
		result = disk_sync(use.fd, use.name, err);
	else
		(void)disk_truncate(use.fd, claim->end, use.name, NULL);
	files_put(segments, &use);
	return result;
}

static int
add_progress(struct store_batch *batch, const struct fetch_stretch *stretch,
    const uint8_t bitmap[static BITMAP], struct err *err)
{
	struct journal_progress progress = {.payload = stretch->payload,
	    .stretch = stretch->stretch,
	    .segment = stretch->segment,
	    .offset = stretch->offset,
	    .bitmap = bitmap};
	struct buffer covered;
	int result;

	buffer_init(&covered, 256);
	journal_progress_encode(&covered, &progress);
	result = covered.err != 0 ?
	             err_set(err, ERR_MEMORY, "no memory to fetch") :
	             store_batch_frame(batch, JOURNAL_PROGRESS, buffer_view(&covered), err);
	buffer_fini(&covered);
	return result;
}

/* What the index knows of this stretch: ERR_NOT_FOUND if it has no room yet. */
static int
look_up(struct store_snapshot *snapshot, struct fetch_stretch *stretch, struct err *err)
{
	struct journal_frame frame;
	struct buffer bytes;
	int result;

	buffer_init(&bytes, STORAGE_BYTES_MAX);
	result =
	    store_progress_read(snapshot, &frame, &bytes, &stretch->payload, stretch->stretch, err);
	if (result == 0) {
		stretch->segment = frame.progress.segment;
		stretch->offset = frame.progress.offset;
		memcpy(stretch->bitmap, frame.progress.bitmap, BITMAP);
	}
	buffer_fini(&bytes);
	return result;
}

/* Room for a stretch.  Under the write lock, so that two processes do not both make some. */
static int
make_room(struct store_fetch *fetch, struct fetch_stretch *stretch, struct err *err)
{
	struct segment_claim claim;
	struct store_batch *batch;
	struct batch *base;
	int result = store_batch_begin(&fetch->store->base, &base, err);

	if (result != 0)
		return result;
	batch = (struct store_batch *)base;
	result = segment_claim_init(&claim, fetch->store, err);
	if (result == 0)
		result = look_up(&batch->snapshot, stretch, err);
	if (result == ERR_NOT_FOUND) {
		result = segment_claim_within(&claim, &batch->write, err);
		if (result == 0)
			result = reserve(&claim,
			    journal_stretch_bytes(stretch->payload.size, stretch->stretch), err);
		stretch->segment = claim.number;
		stretch->offset = claim.end;
		memset(stretch->bitmap, 0, BITMAP);
		if (result == 0)
			result = add_progress(batch, stretch, stretch->bitmap, err);
	}
	if (result == 0)
		result = store_batch_commit(base, err);
	else
		store_batch_abort(base);
	segment_claim_fini(&claim); /* after the commit: the room is referred to now */
	return result;
}

/* The stretch in hand, from memory, the index, or new.  *whole: the payload needs nothing. */
static int
find_stretch(struct store_fetch *fetch, struct fetch_stretch **out,
    const struct storage_payload *payload, uint32_t number, bool *whole, struct err *err)
{
	struct fetch_stretch stretch = {.payload = *payload, .stretch = number};
	enum storage_payload_state state = STORAGE_PAYLOAD_UNKNOWN;
	struct store_snapshot *snapshot;
	struct fetch_stretch *stretches;
	int result;

	*whole = false;
	for (size_t i = 0; i < fetch->stretch_count; i++) {
		*out = &fetch->stretches[i];
		if ((*out)->stretch == number && same_payload(&(*out)->payload, payload))
			return 0;
	}
	result = store_snapshot_open(fetch->store, &snapshot, err);
	if (result != 0)
		return result;
	result = store_snapshot_payload_state(&snapshot->base, &state, payload, err);
	*whole = result == 0 && state == STORAGE_PAYLOAD_WHOLE;
	if (result == 0 && !*whole && storage_leaf_count(payload->size) > 1)
		result = look_up(snapshot, &stretch, err);
	store_snapshot_end(&snapshot->base);
	*out = NULL;
	if (*whole || storage_leaf_count(payload->size) <= 1)
		return result;
	if (result == ERR_NOT_FOUND)
		result = make_room(fetch, &stretch, err);
	if (result != 0)
		return result;
	stretches = realloc(fetch->stretches, (fetch->stretch_count + 1) * sizeof(*stretches));
	if (stretches == NULL)
		return err_set(err, ERR_MEMORY, "no memory to fetch");
	fetch->stretches = stretches;
	*out = &stretches[fetch->stretch_count++];
	**out = stretch;
	return 0;
}

static int
write_leaf(struct store_fetch *fetch, struct fetch_stretch *stretch, unsigned leaf_in_stretch,
    struct view leaf, const uint8_t leaf_hash[static HASH_SIZE], struct err *err)
{
	unsigned leaves = stretch_leaves(&stretch->payload, stretch->stretch);
	uint64_t hashes = stretch->offset +
	                  journal_stretch_bytes(stretch->payload.size, stretch->stretch) -
	                  (uint64_t)leaves * HASH_SIZE;
	uint64_t at = stretch->offset + (uint64_t)leaf_in_stretch * STORAGE_LEAF;
	struct file_use use;
	int result = files_get(&fetch->store->segments, stretch->segment, &use, err);

	if (result != 0)
		return result;
	result = disk_write(use.fd, leaf, at, use.name, err);
	if (result == 0)
		result = disk_write(use.fd, view_of(leaf_hash, HASH_SIZE),
		    hashes + (uint64_t)leaf_in_stretch * HASH_SIZE, use.name, err);
	if (result == 0)
		disk_hurry(use.fd, at, leaf.size);
	files_put(&fetch->store->segments, &use);
	return result;
}

int
store_fetch_put(struct payload_fetch *base, const struct storage_payload *payload,
    uint64_t leaf_index, struct view leaf, const uint8_t leaf_hash[static HASH_SIZE],
    struct err *err)
{
	struct store_fetch *fetch = fetch_of(base);
	unsigned in_stretch = (unsigned)(leaf_index % STORAGE_STRETCH);
	struct fetch_stretch *stretch;
	bool whole;
	int result;

	if (journal_stretch_count(payload->size) == 0 || leaf.size == 0 ||
	    leaf.size != storage_leaf_size(payload->size, leaf_index))
		return err_set(err, ERR_MALFORMED,
		    "leaf %" PRIu64 " of a payload of %" PRIu64 " bytes cannot have %zu bytes",
		    leaf_index, payload->size, leaf.size);
	result = find_stretch(
	    fetch, &stretch, payload, (uint32_t)(leaf_index / STORAGE_STRETCH), &whole, err);
	if (result != 0 || whole)
		return result;
	if (stretch == NULL)
		return put_small(fetch, leaf, leaf_hash, err);
	if (bit_get(stretch->bitmap, in_stretch))
		return 0;
	result = write_leaf(fetch, stretch, in_stretch, leaf, leaf_hash, err);
	if (result == 0) {
		stretch->bitmap[in_stretch / 8] |= (uint8_t)(1U << (in_stretch % 8));
		stretch->touched = true;
	}
	return result;
}

static int
sync_segments(struct store_fetch *fetch, struct err *err)
{
	struct file_use use;
	uint32_t last = 0;
	int result = 0;

	for (size_t i = 0; result == 0 && i < fetch->stretch_count; i++) {
		if (!fetch->stretches[i].touched || fetch->stretches[i].segment == last)
			continue;
		last = fetch->stretches[i].segment;
		result = files_get(&fetch->store->segments, last, &use, err);
		if (result != 0)
			break;
		result = disk_sync(use.fd, use.name, err);
		files_put(&fetch->store->segments, &use);
	}
	if (result == 0 && fetch->small_count > 0)
		result = payload_writer_sync(fetch->writer, err);
	return result;
}

/* The root of a full stretch from the leaf hashes behind it. */
static int
stretch_root(struct store_fetch *fetch, const struct fetch_stretch *stretch,
    uint8_t root[static HASH_SIZE], struct err *err)
{
	unsigned leaves = stretch_leaves(&stretch->payload, stretch->stretch);
	uint64_t end =
	    stretch->offset + journal_stretch_bytes(stretch->payload.size, stretch->stretch);
	uint8_t hashes[STORAGE_STRETCH * HASH_SIZE];
	size_t size = (size_t)leaves * HASH_SIZE;
	struct file_use use;
	size_t got;
	int result = files_get(&fetch->store->segments, stretch->segment, &use, err);

	if (result != 0)
		return result;
	result = disk_read(use.fd, hashes, size, end - size, &got, use.name, err);
	if (result == 0 && got < size)
		result = err_set(err, ERR_DAMAGED, "%s ends before its leaf hashes do", use.name);
	files_put(&fetch->store->segments, &use);
	if (result == 0)
		tree_root_of(root, hashes, leaves);
	return result;
}

/* All stretches of a payload; *full is false as soon as one is not. */
static int
locate(struct store_fetch *fetch, struct store_batch *batch, struct storage_location *location,
    bool *full, struct err *err)
{
	int result = 0;

	*full = true;
	for (uint32_t i = 0; result == 0 && *full && i < location->stretch_count; i++) {
		struct fetch_stretch stretch = {.payload = location->payload, .stretch = i};

		result = look_up(&batch->snapshot, &stretch, err);
		*full =
		    result == 0 && is_full(stretch.bitmap, stretch_leaves(&location->payload, i));
		if (*full)
			result = stretch_root(fetch, &stretch, location->stretches[i].root, err);
		location->stretches[i].segment = stretch.segment;
		location->stretches[i].offset = stretch.offset;
	}
	return result == ERR_NOT_FOUND ? 0 : result;
}

static bool
location_holds(const struct storage_location *location)
{
	struct tree tree;
	uint8_t root[HASH_SIZE];

	tree_init(&tree); /* over stretches, which are aligned subtrees */
	for (uint32_t i = 0; i < location->stretch_count; i++)
		(void)tree_append(&tree, location->stretches[i].root, NULL, NULL);
	tree_root(&tree, root);
	return memcmp(root, location->payload.root, HASH_SIZE) == 0;
}

/* Hashes that do not give the root rotted, or were none: every leaf is to be fetched anew. */
static int
start_over(struct store_batch *batch, const struct storage_location *location, struct err *err)
{
	static const uint8_t none[BITMAP];
	int result = 0;

	for (uint32_t i = 0; result == 0 && i < location->stretch_count; i++) {
		struct fetch_stretch stretch = {.payload = location->payload,
		    .stretch = i,
		    .segment = location->stretches[i].segment,
		    .offset = location->stretches[i].offset};

		result = add_progress(batch, &stretch, none, err);
	}
	return result;
}

/* If the payload is whole now, say so in the journal.  *made: it is. */
static int
complete(struct store_fetch *fetch, struct store_batch *batch,
    const struct storage_payload *payload, bool *made, struct err *err)
{
	struct storage_location location = {
	    .payload = *payload, .stretch_count = journal_stretch_count(payload->size)};
	bool full = false;
	int result;

	*made = false;
	location.stretches = calloc(location.stretch_count, sizeof(*location.stretches));
	if (location.stretches == NULL)
		return err_set(err, ERR_MEMORY, "no memory to fetch");
	result = locate(fetch, batch, &location, &full, err);
	if (result == 0 && full) {
		*made = location_holds(&location);
		result = *made ? store_batch_payload(&batch->base, &location, err) :
		                 start_over(batch, &location, err);
	}
	storage_location_fini(&location);
	return result;
}

/* Another process may have got leaves of the same stretch: nothing of theirs is unsaid. */
static int
merge(struct store_batch *batch, struct fetch_stretch *stretch, struct err *err)
{
	struct fetch_stretch now = *stretch;
	int result = look_up(&batch->snapshot, &now, err);

	if (result == ERR_NOT_FOUND) {
		stretch->touched = false; /* it has become whole meanwhile */
		return 0;
	}
	if (result != 0)
		return result;
	for (unsigned i = 0; i < BITMAP; i++)
		stretch->bitmap[i] |= now.bitmap[i];
	return add_progress(batch, stretch, stretch->bitmap, err);
}

static int
fill_batch(struct store_fetch *fetch, struct store_batch *batch, struct err *err)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < fetch->small_count; i++)
		result = store_batch_payload(&batch->base, &fetch->small[i], err);
	for (size_t i = 0; result == 0 && i < fetch->stretch_count; i++) {
		if (fetch->stretches[i].touched)
			result = merge(batch, &fetch->stretches[i], err);
	}
	for (size_t i = 0; result == 0 && i < fetch->stretch_count; i++) {
		struct fetch_stretch *stretch = &fetch->stretches[i];
		bool made = false;

		if (stretch->touched &&
		    is_full(stretch->bitmap, stretch_leaves(&stretch->payload, stretch->stretch)))
			result = complete(fetch, batch, &stretch->payload, &made, err);
		stretch->touched = made; /* from here on: it is to be told */
	}
	return result;
}

int
store_fetch_sync(struct payload_fetch *base, payload_whole *whole, void *cookie, struct err *err)
{
	struct store_fetch *fetch = fetch_of(base);
	struct batch *batch;
	int result;

	if (fetch->small_count == 0 && fetch->stretch_count == 0)
		return 0;
	result = sync_segments(fetch, err);
	if (result == 0)
		result = store_batch_begin(&fetch->store->base, &batch, err);
	if (result == 0) {
		result = fill_batch(fetch, (struct store_batch *)batch, err);
		if (result == 0)
			result = store_batch_commit(batch, err);
		else
			store_batch_abort(batch);
	}
	for (size_t i = 0; result == 0 && whole != NULL && i < fetch->small_count; i++)
		whole(cookie, &fetch->small[i].payload);
	for (size_t i = 0; result == 0 && whole != NULL && i < fetch->stretch_count; i++) {
		if (fetch->stretches[i].touched)
			whole(cookie, &fetch->stretches[i].payload);
	}
	forget(fetch);
	return result;
}
