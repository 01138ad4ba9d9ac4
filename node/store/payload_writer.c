/* Leaves into a claimed segment, stretch by stretch. */
#include <stdlib.h>

#include "node/store/disk.h"
#include "node/store/segment.h"

#define HURRY ((uint64_t)8 << 20) /* bytes after which writing out is begun */

struct store_writer {
	struct payload_writer base;
	struct segment_claim claim;
	uint64_t hurried; /* up to here the kernel was told to write out */
	int failed;       /* a sync failed */
	/* the payload in hand: */
	bool open;
	bool complete; /* a leaf shorter than STORAGE_LEAF came: it was the last */
	uint32_t start_segment;
	uint64_t start;
	struct tree tree;
	uint64_t size;
	uint64_t stretch_offset;
	unsigned in_stretch;
	uint8_t hashes[STORAGE_STRETCH * HASH_SIZE];
	struct storage_stretch *stretches;
	uint32_t stretch_count;
};

static struct store_writer *
writer_of(struct payload_writer *writer)
{
	return (struct store_writer *)writer;
}

int
store_writer_new(struct storage *storage, struct payload_writer **out, struct err *err)
{
	struct store_writer *writer = calloc(1, sizeof(*writer));
	int result;

	*out = NULL;
	if (writer == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a writer");
	writer->base.calls = &store_calls;
	result = segment_claim_init(&writer->claim, (struct store *)storage, err);
	if (result == 0)
		result = segment_claim_next(&writer->claim, err);
	if (result != 0) {
		segment_claim_fini(&writer->claim);
		free(writer);
		return result;
	}
	writer->hurried = writer->claim.end;
	*out = &writer->base;
	return 0;
}

void
store_writer_free(struct payload_writer *base)
{
	struct store_writer *writer = writer_of(base);

	store_writer_drop(base);
	segment_claim_fini(&writer->claim);
	free(writer);
}

static int
append(struct store_writer *writer, struct view bytes, struct err *err)
{
	struct segment_claim *claim = &writer->claim;
	struct file_use use;
	int result = files_get(&claim->store->segments, claim->number, &use, err);

	if (result != 0)
		return result;
	result = disk_write(use.fd, bytes, claim->end, use.name, err);
	if (result == 0) {
		claim->end += bytes.size;
		if (claim->end - writer->hurried >= HURRY) {
			disk_hurry(use.fd, writer->hurried, claim->end - writer->hurried);
			writer->hurried = claim->end;
		}
	}
	files_put(&claim->store->segments, &use);
	return result;
}

static int
sync_segment(struct store_writer *writer, struct err *err)
{
	struct segment_claim *claim = &writer->claim;
	struct file_use use;
	int result = files_get(&claim->store->segments, claim->number, &use, err);

	if (result != 0)
		return result;
	result = disk_sync(use.fd, use.name, err);
	files_put(&claim->store->segments, &use);
	if (result != 0)
		writer->failed = result;
	return result;
}

/* The leaves of a stretch are there: their hashes follow, unless there is only one leaf. */
static int
end_stretch(struct store_writer *writer, struct err *err)
{
	struct storage_stretch *stretches =
	    realloc(writer->stretches, ((size_t)writer->stretch_count + 1) * sizeof(*stretches));
	struct storage_stretch *stretch;
	int result = 0;

	if (stretches == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a payload");
	writer->stretches = stretches;
	stretch = &stretches[writer->stretch_count];
	stretch->segment = writer->claim.number;
	stretch->offset = writer->stretch_offset;
	tree_root_of(stretch->root, writer->hashes, writer->in_stretch);
	if (writer->tree.size > 1)
		result = append(
		    writer, view_of(writer->hashes, (size_t)writer->in_stretch * HASH_SIZE), err);
	writer->stretch_count++;
	writer->in_stretch = 0;
	return result;
}

/* Begin a stretch, in another segment if this one is full. */
static int
begin_stretch(struct store_writer *writer, struct err *err)
{
	int result = 0;

	if (writer->claim.end >= writer->claim.store->segment_max) {
		result = sync_segment(writer, err);
		if (result == 0)
			result = segment_claim_next(&writer->claim, err);
		writer->hurried = writer->claim.end;
	}
	writer->stretch_offset = writer->claim.end;
	return result;
}

static int
begin_payload(struct store_writer *writer, struct err *err)
{
	writer->open = true;
	writer->complete = false;
	tree_init(&writer->tree);
	writer->size = 0;
	writer->in_stretch = 0;
	writer->stretch_count = 0;
	writer->start_segment = writer->claim.number;
	writer->start = writer->claim.end;
	return begin_stretch(writer, err);
}

static int
put_leaf(struct store_writer *writer, struct view leaf, const uint8_t leaf_hash[static HASH_SIZE],
    struct err *err)
{
	int result = 0;

	if (leaf.size == 0 || leaf.size > STORAGE_LEAF || writer->complete)
		return err_set(err, ERR_USAGE, "a leaf of %zu bytes", leaf.size);
	if (writer->in_stretch == STORAGE_STRETCH) {
		result = end_stretch(writer, err);
		if (result == 0)
			result = begin_stretch(writer, err);
	}
	if (result == 0)
		result = append(writer, leaf, err);
	if (result == 0)
		result = tree_append(&writer->tree, leaf_hash, NULL, NULL);
	if (result != 0)
		return result;
	memcpy(writer->hashes + (size_t)writer->in_stretch * HASH_SIZE, leaf_hash, HASH_SIZE);
	writer->in_stretch++;
	writer->size += leaf.size;
	writer->complete = leaf.size < STORAGE_LEAF;
	return 0;
}

int
store_writer_put(struct payload_writer *base, struct view leaf,
    const uint8_t leaf_hash[static HASH_SIZE], struct err *err)
{
	struct store_writer *writer = writer_of(base);
	int result = 0;

	if (writer->failed != 0)
		return err_set(err, (enum err_code)writer->failed,
		    "this writer's segment could not be synced");
	if (!writer->open)
		result = begin_payload(writer, err);
	if (result == 0)
		result = put_leaf(writer, leaf, leaf_hash, err);
	if (result != 0)
		store_writer_drop(base);
	return result;
}

int
store_writer_end(struct payload_writer *base, struct storage_location *location, struct err *err)
{
	struct store_writer *writer = writer_of(base);
	int result;

	memset(location, 0, sizeof(*location));
	if (!writer->open || writer->in_stretch == 0)
		return err_set(err, ERR_USAGE, "a payload without leaves");
	result = end_stretch(writer, err);
	if (result != 0) {
		store_writer_drop(base);
		return result;
	}
	tree_root(&writer->tree, location->payload.root);
	location->payload.size = writer->size;
	location->stretch_count = writer->stretch_count;
	location->stretches = writer->stretches;
	writer->stretches = NULL;
	writer->stretch_count = 0;
	writer->open = false;
	return 0;
}

/* Give back the room at once; if that fails, the next claim does it. */
void
store_writer_drop(struct payload_writer *base)
{
	struct store_writer *writer = writer_of(base);
	struct segment_claim *claim = &writer->claim;
	struct file_use use;

	free(writer->stretches);
	writer->stretches = NULL;
	writer->stretch_count = 0;
	if (!writer->open)
		return;
	writer->open = false;
	if (claim->number != writer->start_segment)
		writer->start = claim->base; /* nothing else was put here */
	if (files_get(&claim->store->segments, claim->number, &use, NULL) != 0)
		return;
	claim->end = writer->start;
	if (writer->hurried > claim->end)
		writer->hurried = claim->end;
	(void)disk_truncate(use.fd, claim->end, use.name, NULL);
	files_put(&claim->store->segments, &use);
}

int
store_writer_sync(struct payload_writer *base, struct err *err)
{
	struct store_writer *writer = writer_of(base);

	if (writer->failed != 0)
		return err_set(err, (enum err_code)writer->failed,
		    "this writer's segment could not be synced");
	return sync_segment(writer, err);
}
