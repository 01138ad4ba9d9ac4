/* Reading: entries, their parts, and the ways to find them. */
#include <inttypes.h>

#include "node/store/store_private.h"
#include "proto/hash.h"

static struct files *
journal_of(struct snapshot *snapshot)
{
	return &((struct store_snapshot *)snapshot)->store->journal;
}

/* No row: that is only right past the log's end. */
static int
no_row(struct index_txn *txn, struct storage_place place, struct err *err)
{
	struct index_log log;
	int result = index_log_get(txn, place.log, &log, err);

	if (result != 0 || place.index >= log.size)
		return result == 0 ? ERR_NOT_FOUND : result;
	if (!log.broken)
		return index_bad_row(INDEX_ENTRIES, err);
	return err_set(err, ERR_DAMAGED,
	    "entry %" PRIu64 " of log %" PRIu32 " was lost in the journal", place.index, place.log);
}

static int
entry_row(
    struct snapshot *base, struct index_entry *entry, struct storage_place place, struct err *err)
{
	struct index_key key = index_key_place(place);
	struct index_value value;
	struct index_txn *txn;
	int result = snapshot_txn(base, &txn, err);

	if (result == 0)
		result = index_get(txn, INDEX_ENTRIES, &key, &value, err);
	if (result == ERR_NOT_FOUND)
		return no_row(txn, place, err);
	if (result == 0 && !index_entry_decode(entry, &value))
		return index_bad_row(INDEX_ENTRIES, err);
	return result;
}

/* The entry's frame, which must be the one that the index means. */
static int
entry_frame(struct snapshot *base, struct journal_frame *frame, struct index_entry *row,
    struct buffer *bytes, struct storage_place place, struct err *err)
{
	uint8_t id[HASH_SIZE];
	int result = entry_row(base, row, place, err);

	if (result != 0)
		return result;
	if (row->position == 0)
		return err_set(err, ERR_DAMAGED,
		    "entry %" PRIu64 " of log %" PRIu32 " was lost in the journal", place.index,
		    place.log);
	result = journal_read(journal_of(base), frame, bytes, journal_unpack(row->position), err);
	if (result != 0) {
		(void)err_wrap(err, "entry %" PRIu64 " of log %" PRIu32, place.index, place.log);
		return result;
	}
	if (frame->kind != JOURNAL_ENTRY || frame->entry.place.log != place.log ||
	    frame->entry.place.index != place.index)
		return index_bad_row(INDEX_ENTRIES, err);
	tree_leaf(id, frame->entry.record);
	if (memcmp(id, row->id, HASH_SIZE) != 0)
		return index_bad_row(INDEX_ENTRIES, err);
	return 0;
}

/* A part that came later: its frame, read into ${bytes}.  ERR_NOT_FOUND. */
static int
late_part(struct snapshot *base, struct journal_frame *frame, struct buffer *bytes,
    struct storage_place place, const struct journal_part *part, struct err *err)
{
	struct index_key key = index_key_part(place, part->name);
	struct index_value value;
	struct index_txn *txn;
	uint64_t position;
	int result = snapshot_txn(base, &txn, err);

	if (result == 0)
		result = index_get(txn, INDEX_PARTS, &key, &value, err);
	if (result != 0)
		return result;
	if (!index_value_u64_decode(&position, &value))
		return index_bad_row(INDEX_PARTS, err);
	result = journal_read(journal_of(base), frame, bytes, journal_unpack(position), err);
	if (result != 0)
		return result;
	if (frame->kind != JOURNAL_PART || frame->part.place.log != place.log ||
	    frame->part.place.index != place.index ||
	    !view_equal(frame->part.part.name, part->name) ||
	    memcmp(frame->part.part.digest, part->digest, HASH_SIZE) != 0)
		return index_bad_row(INDEX_PARTS, err);
	return 0;
}

static int
describe_part(struct snapshot *base, struct storage_part *out, struct storage_place place,
    const struct journal_part *part, struct err *err)
{
	struct journal_frame frame;
	struct buffer bytes;
	int result;

	memset(out, 0, sizeof(*out));
	memcpy(out->name, part->name.data, part->name.size);
	memcpy(out->digest, part->digest, HASH_SIZE);
	out->size = part->size;
	out->here = part->here;
	if (part->here)
		return 0;
	buffer_init(&bytes, STORAGE_BYTES_MAX);
	result = late_part(base, &frame, &bytes, place, part, err);
	if (result == 0) {
		out->size = frame.part.part.size;
		out->here = true;
	}
	buffer_fini(&bytes);
	return result == ERR_NOT_FOUND ? 0 : result;
}

int
store_snapshot_entry(struct snapshot *base, struct storage_entry *entry, struct buffer *bytes,
    struct storage_place place, struct err *err)
{
	struct journal_frame frame;
	struct index_entry row;
	int result = entry_frame(base, &frame, &row, bytes, place, err);

	if (result != 0)
		return result;
	entry->place = place;
	memcpy(entry->id, row.id, HASH_SIZE);
	entry->kind = frame.entry.kind;
	entry->has_payload = frame.entry.has_payload;
	if (entry->has_payload)
		entry->payload = frame.entry.payload;
	entry->record = frame.entry.record;
	entry->part_count = frame.entry.part_count;
	for (unsigned i = 0; result == 0 && i < entry->part_count; i++)
		result = describe_part(base, &entry->parts[i], place, &frame.entry.parts[i], err);
	return result;
}

int
store_snapshot_entry_id(struct snapshot *base, uint8_t id[HASH_SIZE], uint8_t *kind,
    struct storage_place place, struct err *err)
{
	struct index_entry row;
	int result = entry_row(base, &row, place, err);

	if (result != 0)
		return result;
	if (id != NULL)
		memcpy(id, row.id, HASH_SIZE);
	if (kind != NULL)
		*kind = row.kind;
	return 0;
}

static int
read_part(struct snapshot *base, struct buffer *bytes, const struct journal_frame *entry,
    const struct journal_part *part, struct err *err)
{
	struct journal_frame late;
	struct buffer scratch;
	int result;

	buffer_init(&scratch, STORAGE_BYTES_MAX);
	/* One that came later comes first: it may have replaced one that was damaged. */
	result = late_part(base, &late, &scratch, entry->entry.place, part, err);
	if (result == 0)
		result = journal_read_part(journal_of(base), bytes, &late, &late.part.part, err);
	else if (result == ERR_NOT_FOUND && part->here)
		result = journal_read_part(journal_of(base), bytes, entry, part, err);
	else if (result == ERR_NOT_FOUND)
		result = err_set(err, ERR_MISSING, "the part %.*s is not here",
		    (int)part->name.size, (const char *)part->name.data);
	buffer_fini(&scratch);
	return result;
}

static int
part_of_frame(struct snapshot *base, struct buffer *bytes, const struct journal_frame *frame,
    const char *name, struct err *err)
{
	struct storage_place place = frame->entry.place;
	unsigned i = 0;
	int result;

	while (
	    i < frame->entry.part_count && !view_equal(frame->entry.parts[i].name, view_text(name)))
		i++;
	if (i == frame->entry.part_count)
		return ERR_NOT_FOUND;
	result = read_part(base, bytes, frame, &frame->entry.parts[i], err);
	if (result == ERR_DAMAGED || result == ERR_MISSING)
		(void)err_wrap(err, "entry %" PRIu64 " of log %" PRIu32, place.index, place.log);
	return result;
}

/* A committed entry stands as it is while a snapshot lasts, so its frame is read once. */
static int
keep_frame(struct store_snapshot *snapshot, struct storage_place place, struct err *err)
{
	struct index_entry row;
	int result;

	if (snapshot->kept_here && snapshot->kept_place.log == place.log &&
	    snapshot->kept_place.index == place.index)
		return 0;
	snapshot->kept_here = false;
	result =
	    entry_frame(&snapshot->base, &snapshot->kept, &row, &snapshot->kept_bytes, place, err);
	snapshot->kept_here = result == 0;
	snapshot->kept_place = place;
	return result;
}

int
store_snapshot_part(struct snapshot *base, struct buffer *bytes, struct storage_place place,
    const char *name, struct err *err)
{
	struct store_snapshot *snapshot = (struct store_snapshot *)base;
	struct journal_frame frame;
	struct index_entry row;
	struct buffer scratch;
	int result;

	if (snapshot->batch == NULL) {
		result = keep_frame(snapshot, place, err);
		return result == 0 ? part_of_frame(base, bytes, &snapshot->kept, name, err) :
		                     result;
	}
	buffer_init(&scratch, STORAGE_BYTES_MAX);
	result = entry_frame(base, &frame, &row, &scratch, place, err);
	if (result == 0)
		result = part_of_frame(base, bytes, &frame, name, err);
	buffer_fini(&scratch);
	return result;
}

static bool
has_prefix(const uint8_t *id, const uint8_t prefix[static HASH_SIZE], unsigned nibbles)
{
	if (memcmp(id, prefix, nibbles / 2) != 0)
		return false;
	return nibbles % 2 == 0 || id[nibbles / 2] >> 4 == prefix[nibbles / 2] >> 4;
}

int
store_snapshot_find(struct snapshot *base, struct storage_place *places, size_t max, size_t *count,
    const uint8_t prefix[static HASH_SIZE], unsigned nibbles, struct err *err)
{
	uint8_t from[HASH_SIZE] = {0};
	struct index_key key;
	struct index_txn *txn;
	struct index_row row;
	int result = snapshot_txn(base, &txn, err);

	*count = 0;
	if (result != 0)
		return result;
	if (nibbles > 2 * HASH_SIZE)
		return err_set(err, ERR_USAGE, "an id has 64 digits");
	memcpy(from, prefix, (nibbles + 1) / 2);
	if (nibbles % 2 != 0)
		from[nibbles / 2] &= 0xf0;
	key = index_key_id(from, 0);
	while (*count < max) {
		struct storage_place *place = &places[*count];

		result = index_seek(txn, INDEX_IDS, &key, &row, err);
		if (result != 0)
			return result == ERR_NOT_FOUND ? 0 : result;
		if (row.key.size != HASH_SIZE + 4)
			return index_bad_row(INDEX_IDS, err);
		if (!has_prefix(row.key.bytes, prefix, nibbles))
			return 0;
		place->log = get_u32(row.key.bytes + HASH_SIZE);
		if (!index_value_u64_decode(&place->index, &row.value))
			return index_bad_row(INDEX_IDS, err);
		(*count)++;
		key = row.key;
		key.bytes[key.size++] = 0; /* the least key above it */
	}
	return 0;
}

int
store_snapshot_kind_next(
    struct snapshot *base, uint64_t *index, uint32_t log, uint8_t kind, struct err *err)
{
	struct index_key key = index_key_kind(log, kind, *index == STORAGE_START ? 0 : *index + 1);
	struct index_txn *txn;
	struct index_row row;
	int result = snapshot_txn(base, &txn, err);

	if (result == 0)
		result = index_seek(txn, INDEX_KINDS, &key, &row, err);
	if (result != 0)
		return result;
	if (row.key.size != key.size)
		return index_bad_row(INDEX_KINDS, err);
	if (get_u32(row.key.bytes) != log || row.key.bytes[4] != kind)
		return ERR_NOT_FOUND;
	*index = get_u64(row.key.bytes + 5);
	return 0;
}

int
store_snapshot_kind_last(
    struct snapshot *base, uint64_t *index, uint32_t log, uint8_t kind, struct err *err)
{
	struct index_key key = index_key_kind(log, kind, UINT64_MAX);
	struct index_txn *txn;
	struct index_row row;
	int result = snapshot_txn(base, &txn, err);

	if (result == 0)
		result = index_seek_below(txn, INDEX_KINDS, &key, &row, err);
	if (result != 0)
		return result;
	if (row.key.size != key.size)
		return index_bad_row(INDEX_KINDS, err);
	if (get_u32(row.key.bytes) != log || row.key.bytes[4] != kind)
		return ERR_NOT_FOUND;
	*index = get_u64(row.key.bytes + 5);
	return 0;
}

/* The place after this one, to go on from. */
static struct storage_place
place_after(struct storage_place place)
{
	if (place.log == UINT32_MAX && place.index == UINT64_MAX)
		return (struct storage_place){.log = 0, .index = 0};
	return (struct storage_place){.log = place.log, .index = place.index + 1};
}

int
store_snapshot_about_next(struct snapshot *base, struct storage_place *place,
    const uint8_t id[static HASH_SIZE], struct err *err)
{
	struct index_key key = index_key_about(id, place_after(*place));
	struct index_txn *txn;
	struct index_row row;
	int result = snapshot_txn(base, &txn, err);

	if (result == 0)
		result = index_seek(txn, INDEX_ABOUT, &key, &row, err);
	if (result != 0)
		return result;
	if (row.key.size != key.size)
		return index_bad_row(INDEX_ABOUT, err);
	if (memcmp(row.key.bytes, id, HASH_SIZE) != 0)
		return ERR_NOT_FOUND;
	place->log = get_u32(row.key.bytes + HASH_SIZE);
	place->index = get_u64(row.key.bytes + HASH_SIZE + 4);
	return 0;
}

int
store_snapshot_known(struct snapshot *base, uint8_t id[static HASH_SIZE],
    const uint8_t known[static HASH_SIZE], struct err *err)
{
	struct index_key key = index_key_hash(known);
	struct index_value value;
	int result = snapshot_kept(base, INDEX_KNOWN, &key, &value, err);

	if (result == 0 && !index_value_hash_decode(id, &value))
		return index_bad_row(INDEX_KNOWN, err);
	return result;
}

int
store_snapshot_part_want_next(struct snapshot *base, struct storage_place *place, struct err *err)
{
	struct index_key key = index_key_place(place_after(*place));
	struct index_txn *txn;
	struct index_row row;
	int result = snapshot_txn(base, &txn, err);

	if (result == 0)
		result = index_seek(txn, INDEX_PART_WANTS, &key, &row, err);
	if (result != 0)
		return result;
	if (row.key.size != key.size)
		return index_bad_row(INDEX_PART_WANTS, err);
	place->log = get_u32(row.key.bytes);
	place->index = get_u64(row.key.bytes + 4);
	return 0;
}
