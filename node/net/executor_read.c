#include <stdlib.h>
#include <string.h>

#include "node/net/executor_internal.h"

/*
 * The happy path: a snapshot, the bytes, the snapshot's end.
 *
 * Possible failures: what is asked for is not here (ERR_NOT_FOUND, ERR_MISSING); what is here is
 * damaged (ERR_DAMAGED, ERR_INDEX): it is not sent, for the peer would take us for a liar.
 */

static int
read_log(struct snapshot *snapshot, struct storage_log *log, const uint8_t *id, struct err *err)
{
	return snapshot_log_by_id(snapshot, log, id, err);
}

static int
read_consistency(struct snapshot *snapshot, struct sync_disk *request)
{
	struct sync_disk_consistency *want = &request->as.consistency;
	struct snapshot_tree tree = {.snapshot = snapshot, .err = &request->err};
	struct storage_log log;
	int code = read_log(snapshot, &log, want->log, &request->err);

	if (code != ERR_NONE)
		return code;
	if (want->from > want->to || want->to > log.size)
		return err_set(&request->err, ERR_NOT_FOUND, "the log has %llu records here",
		    (unsigned long long)log.size);
	tree.log = log.number;
	return tree_prove_consistency(
	    &want->proof, want->from, want->to, snapshot_tree_read, &tree);
}

static int
read_root(struct snapshot *snapshot, struct sync_disk *request)
{
	struct sync_disk_root *want = &request->as.root;
	struct snapshot_tree tree = {.snapshot = snapshot, .err = &request->err};
	struct storage_log log;
	struct tree earlier;
	int code = read_log(snapshot, &log, want->log, &request->err);

	if (code != ERR_NONE)
		return code;
	if (want->size > log.size)
		return err_set(&request->err, ERR_NOT_FOUND, "the log has %llu records here",
		    (unsigned long long)log.size);
	tree.log = log.number;
	code = tree_load(&earlier, want->size, snapshot_tree_read, &tree);
	if (code == ERR_NONE)
		tree_root(&earlier, want->root);
	return code;
}

static int
read_package(struct snapshot *snapshot, struct sync_disk *request)
{
	struct sync_disk_package *want = &request->as.package;
	struct snapshot_tree tree = {.snapshot = snapshot, .err = &request->err};
	struct storage_log log;
	uint64_t index;
	int code = read_log(snapshot, &log, want->log, &request->err);

	if (code != ERR_NONE)
		return code;
	if (want->start >= want->end || want->end - want->start > 256 || want->end > want->size ||
	    want->size > log.size)
		return err_set(&request->err, ERR_NOT_FOUND, "the log has %llu records here",
		    (unsigned long long)log.size);
	tree.log = log.number;
	code = tree_prove_subtree(
	    &want->proof, want->start, want->end, want->size, snapshot_tree_read, &tree);
	for (index = want->start; index < want->end && code == ERR_NONE; index++)
		code = snapshot_node(snapshot, want->hashes[index - want->start], log.number, 0,
		    index, &request->err);
	return code;
}

/* Append the record and the parts that are here to ${out}. */
static int
read_entry(struct snapshot *snapshot, struct storage_place place, struct sync_entry_read *read,
    struct buffer *record, struct buffer *out, struct err *err)
{
	struct storage_entry entry;
	struct buffer part;
	unsigned i;
	int code = snapshot_entry(snapshot, &entry, record, place, err);

	if (code != ERR_NONE)
		return code;
	buffer_init(&part, STORAGE_PART_MAX);
	*read = (struct sync_entry_read){.record_size = entry.record.size};
	buffer_append(out, entry.record.data, entry.record.size);
	for (i = 0; i < entry.part_count && read->part_count < PART_COUNT; i++) {
		if (!entry.parts[i].here ||
		    snapshot_part(snapshot, &part, place, entry.parts[i].name, NULL) != ERR_NONE)
			continue;
		memcpy(read->parts[read->part_count].digest, entry.parts[i].digest, HASH_SIZE);
		read->parts[read->part_count].size = part.size;
		read->part_count++;
		buffer_append(out, part.data, part.size);
	}
	buffer_fini(&part);
	return out->err;
}

static int
read_entries(struct snapshot *snapshot, struct sync_disk *request)
{
	struct sync_disk_entries *want = &request->as.entries;
	struct buffer record;
	struct buffer out;
	struct storage_log log;
	int code = read_log(snapshot, &log, want->log, &request->err);

	if (code != ERR_NONE)
		return code;
	if (want->from >= want->to || want->to > log.size)
		return err_set(&request->err, ERR_NOT_FOUND, "the log has %llu records here",
		    (unsigned long long)log.size);
	want->entries = calloc(SYNC_READ_MAX, sizeof(*want->entries));
	if (want->entries == NULL)
		return ERR_MEMORY;
	buffer_init(&record, STORAGE_BYTES_MAX);
	buffer_init(
	    &out, want->budget + STORAGE_RECORD_MAX + PART_COUNT * (size_t)STORAGE_PART_MAX);
	while (code == ERR_NONE && want->count < SYNC_READ_MAX &&
	       want->from + want->count < want->to &&
	       (want->count == 0 || out.size < want->budget)) {
		struct storage_place place = {.log = log.number, .index = want->from + want->count};

		code = read_entry(
		    snapshot, place, &want->entries[want->count], &record, &out, &request->err);
		if (code == ERR_NONE)
			want->count++;
	}
	buffer_fini(&record);
	/* What was read before a damaged entry is as good as it was. */
	if (want->count > 0)
		code = ERR_NONE;
	if (code == ERR_NONE) {
		request->chunk = chunk_adopt(out.data, buffer_view(&out));
		code = request->chunk == NULL ? ERR_MEMORY : ERR_NONE;
	} else {
		buffer_fini(&out);
	}
	return code;
}

/* The bytes are read and checked after the snapshot has ended: readers outlive it. */
static int
read_leaf(struct snapshot *snapshot, struct sync_disk *request, struct payload_reader **reader)
{
	struct sync_disk_leaf *want = &request->as.leaf;
	struct storage_payload payload = {.size = want->size};
	int code;

	memcpy(payload.root, want->root, HASH_SIZE);
	code = payload_reader_new(snapshot, reader, &payload, &request->err);
	if (code == ERR_NONE && want->leaf >= payload_reader_leaves(*reader))
		code = err_set(&request->err, ERR_NOT_FOUND, "the payload has no such leaf");
	return code;
}

static int
read_leaf_bytes(struct payload_reader *reader, struct sync_disk *request)
{
	struct sync_disk_leaf *want = &request->as.leaf;
	uint8_t expected[HASH_SIZE];
	uint8_t hash[HASH_SIZE];
	uint8_t *bytes;
	size_t size = storage_leaf_size(want->size, want->leaf);
	struct chunk *chunk = chunk_new(size, &bytes);
	int code;

	if (chunk == NULL)
		return ERR_MEMORY;
	request->chunk = chunk;
	code = payload_reader_leaf(reader, bytes, &size, want->leaf, &request->err);
	if (code == ERR_NONE)
		code = payload_reader_hash(reader, expected, want->leaf, &request->err);
	if (code == ERR_NONE)
		code = payload_reader_prove(reader, &want->proof, want->leaf, &request->err);
	if (code != ERR_NONE)
		return code;
	chunk->bytes.size = size;
	tree_leaf(hash, chunk->bytes);
	if (memcmp(hash, expected, HASH_SIZE) != 0)
		return err_set(&request->err, ERR_DAMAGED, "a leaf of a payload is damaged");
	return ERR_NONE;
}

/*
 * The cursor: the place of the payload before the one at hand, plus 1; the next leaf of it (48 bits:
 * there are at most 2^24); and two bytes of its root, for it may have become whole meanwhile.
 */
struct place {
	uint64_t before;
	uint64_t leaf;
	uint16_t root;
};

#define LEAF_BITS 48

static struct place
cursor_get(const uint8_t cursor[static SYNC_CURSOR])
{
	uint64_t leaf = get_u64(cursor + 8);

	return (struct place){.before = get_u64(cursor) - 1,
	    .leaf = leaf & ((UINT64_C(1) << LEAF_BITS) - 1),
	    .root = (uint16_t)(leaf >> LEAF_BITS)};
}

static void
cursor_put(uint8_t cursor[static SYNC_CURSOR], struct place place)
{
	put_u64(cursor, place.before + 1);
	put_u64(cursor + 8, (uint64_t)place.root << LEAF_BITS | place.leaf);
}

/* List the leaves from *leaf on that are not here; false once the list is full. */
static bool
list_leaves(struct snapshot *snapshot, const struct storage_want *payload, const uint8_t *log,
    struct sync_disk_wants *wants, uint64_t *leaf)
{
	uint64_t leaves = storage_leaf_count(payload->payload.size);
	uint8_t here[STORAGE_STRETCH / 8];
	uint64_t loaded = UINT64_MAX;

	for (; *leaf < leaves; (*leaf)++) {
		uint64_t stretch = *leaf / STORAGE_STRETCH;
		unsigned bit = (unsigned)(*leaf % STORAGE_STRETCH);
		struct sync_want *want;

		if (stretch != loaded) {
			memset(here, 0, sizeof(here));
			if (snapshot_payload_progress(snapshot, here, &payload->payload,
			        (uint32_t)stretch, NULL) != ERR_NONE)
				memset(here, 0, sizeof(here));
			loaded = stretch;
		}
		if ((here[bit / 8] >> (bit % 8) & 1) != 0)
			continue;
		if (wants->count == SYNC_WANTS_MAX)
			return false;
		want = &wants->wants[wants->count++];
		memcpy(want->root, payload->payload.root, HASH_SIZE);
		want->size = payload->payload.size;
		want->leaf = *leaf;
		memcpy(want->log, log, HASH_SIZE);
	}
	return true;
}

static int
read_wants(struct snapshot *snapshot, struct sync_disk *request)
{
	struct sync_disk_wants *wants = &request->as.wants;
	struct place place = cursor_get(wants->cursor);
	uint64_t cursor = place.before;
	struct storage_want want;
	int code;

	wants->wants = calloc(SYNC_WANTS_MAX, sizeof(*wants->wants));
	if (wants->wants == NULL)
		return ERR_MEMORY;
	while ((code = snapshot_want_next(snapshot, &want, &cursor, &request->err)) == ERR_NONE) {
		struct storage_log log;
		bool all;

		code = snapshot_log(snapshot, &log, want.place.log, &request->err);
		if (code != ERR_NONE)
			break;
		if (place.root != get_u16(want.payload.root))
			place.leaf = 0;
		place.root = get_u16(want.payload.root);
		all = list_leaves(snapshot, &want, log.id, wants, &place.leaf);
		if (!all)
			break;
		place = (struct place){.before = cursor};
	}
	wants->end = code == ERR_NOT_FOUND;
	cursor_put(wants->cursor, place);
	return wants->end ? ERR_NONE : code;
}

void
executor_read(struct storage *storage, struct sync_disk *request)
{
	struct payload_reader *reader = NULL;
	struct snapshot *snapshot;
	int code = snapshot_begin(storage, &snapshot, &request->err);

	if (code != ERR_NONE) {
		request->result = code;
		return;
	}
	switch (request->kind) {
	case SYNC_DISK_WANTS:
		code = read_wants(snapshot, request);
		break;
	case SYNC_DISK_PACKAGE:
		code = read_package(snapshot, request);
		break;
	case SYNC_DISK_ENTRIES:
		code = read_entries(snapshot, request);
		break;
	case SYNC_DISK_CONSISTENCY:
		code = read_consistency(snapshot, request);
		break;
	case SYNC_DISK_ROOT:
		code = read_root(snapshot, request);
		break;
	case SYNC_DISK_LEAF:
		code = read_leaf(snapshot, request, &reader);
		break;
	case SYNC_DISK_LOG_PUT:
	case SYNC_DISK_STATEMENT_PUT:
	case SYNC_DISK_HEAD_PUT:
	case SYNC_DISK_ENTRY_PUT:
	case SYNC_DISK_LEAF_PUT:
		code = ERR_USAGE;
		break;
	}
	snapshot_end(snapshot);
	if (code == ERR_NONE && reader != NULL)
		code = read_leaf_bytes(reader, request);
	payload_reader_free(reader);
	request->result = code;
}
