/* From frames to rows. */
#include "node/store/apply.h"

#include <inttypes.h>
#include <stdlib.h>

#include "proto/hash.h"

void
apply_init(struct apply *apply, struct files *journal, bool rebuild)
{
	memset(apply, 0, sizeof(*apply));
	apply->journal = journal;
	apply->rebuild = rebuild;
	pending_init(&apply->pending);
	buffer_init(&apply->bytes, JOURNAL_HEADER + JOURNAL_BODY_MAX);
}

void
apply_forget(struct apply *apply)
{
	for (size_t i = 0; i < apply->log_count; i++)
		free(apply->logs[i]);
	free(apply->logs);
	apply->logs = NULL;
	apply->log_count = 0;
	free(apply->segments);
	apply->segments = NULL;
	apply->segment_count = 0;
}

void
apply_fini(struct apply *apply)
{
	apply_forget(apply);
	pending_fini(&apply->pending);
	buffer_fini(&apply->bytes);
}

/*
 * A damaged page may show logs as they once were, each row whole in itself: appending there
 * would fork them.  But then their sizes do not give the sum in meta.
 */
static int
check_sum(struct apply *apply, struct err *err)
{
	struct index_key key = index_key_u32(0);
	struct index_row row;
	struct index_log log;
	uint64_t sum = 0;
	int result;

	while ((result = index_seek(apply->txn, INDEX_LOGS, &key, &row, err)) == 0) {
		if (row.key.size != 4 ||
		    !index_log_decode(&log, get_u32(row.key.bytes), &row.value))
			return index_bad_row(INDEX_LOGS, err);
		sum += log.size;
		key = row.key;
		key.bytes[key.size++] = 0; /* the least key above it */
	}
	if (result != ERR_NOT_FOUND)
		return result;
	return sum == apply->meta.log_sum ? 0 : index_bad_row(INDEX_LOGS, err);
}

int
apply_start(struct apply *apply, struct index_txn *txn, struct err *err)
{
	int result;

	apply->txn = txn;
	result = index_meta_get(txn, &apply->meta, err);
	return result == 0 && !apply->rebuild ? check_sum(apply, err) : result;
}

int
apply_flush(struct apply *apply, struct err *err)
{
	struct index_value value;
	struct index_key key;
	int result;

	for (size_t i = 0; i < apply->log_count; i++) {
		struct apply_log *log = apply->logs[i];

		if (!log->dirty)
			continue;
		key = index_key_u32(log->number);
		value = index_log_encode(log->number, &log->row);
		pending_add(&apply->pending, PENDING_PUT, INDEX_LOGS, &key, &value);
		log->dirty = false;
		apply->meta.log_sum += log->row.size - log->counted;
		log->counted = log->row.size;
	}
	for (size_t i = 0; i < apply->segment_count; i++) {
		key = index_key_u32(apply->segments[i].number);
		value = index_segment_encode(apply->segments[i].number, apply->segments[i].end);
		pending_add(&apply->pending, PENDING_PUT, INDEX_SEGMENTS, &key, &value);
	}
	result = pending_flush(&apply->pending, apply->txn, &apply->meta, err);
	if (result != 0)
		return result;
	key = index_key_meta();
	value = index_meta_encode(&apply->meta);
	return index_put(apply->txn, INDEX_META, &key, &value, false, err);
}

static void
put(struct apply *apply, enum index_table table, struct index_key key, struct index_value value)
{
	pending_add(&apply->pending, PENDING_PUT, table, &key, &value);
}

static void
keep(struct apply *apply, enum index_table table, struct index_key key, struct index_value value)
{
	pending_add(&apply->pending, PENDING_KEEP, table, &key, &value);
}

int
apply_segment_end(struct apply *apply, uint32_t number, uint64_t end, struct err *err)
{
	struct apply_segment *segments;
	struct index_key key = index_key_u32(number);
	struct index_value value;
	uint64_t before = 0;
	size_t i = 0;
	int result;

	while (i < apply->segment_count && apply->segments[i].number != number)
		i++;
	if (i == apply->segment_count) {
		result = index_get(apply->txn, INDEX_SEGMENTS, &key, &value, err);
		if (result != 0 && result != ERR_NOT_FOUND)
			return result;
		if (result == 0 && !index_segment_decode(&before, number, &value))
			return index_bad_row(INDEX_SEGMENTS, err);
		segments = realloc(apply->segments, (i + 1) * sizeof(*segments));
		if (segments == NULL)
			return err_set(err, ERR_MEMORY, "no memory for the index");
		if (result == ERR_NOT_FOUND)
			apply->meta.segments++;
		apply->segments = segments;
		apply->segment_count++;
		segments[i] = (struct apply_segment){.number = number, .end = before};
	}
	if (end > apply->segments[i].end) {
		apply->meta.segment_sum += end - apply->segments[i].end;
		apply->segments[i].end = end;
	}
	return 0;
}

static int
apply_stretch(struct apply *apply, const struct storage_payload *payload, uint32_t stretch,
    uint32_t segment, uint64_t offset, struct err *err)
{
	uint64_t bytes = journal_stretch_bytes(payload->size, stretch);

	if (segment == 0 || bytes == 0 || offset > (uint64_t)INT64_MAX - bytes)
		return err_set(err, ERR_DAMAGED, "a stretch lies where no segment can have it");
	return apply_segment_end(apply, segment, offset + bytes, err);
}

static int
apply_payload(struct apply *apply, const struct journal_frame *frame, struct err *err)
{
	const struct journal_payload *payload = &frame->payload;
	struct index_key key = index_key_payload(&payload->payload);
	struct index_value value = index_value_u64(journal_pack(frame->at));
	struct storage_stretch stretch;
	int result = 0;

	for (uint32_t i = 0; result == 0 && i < payload->stretch_count; i++) {
		journal_stretch_decode(&stretch, payload, i);
		result = apply_stretch(
		    apply, &payload->payload, i, stretch.segment, stretch.offset, err);
	}
	if (result == 0)
		pending_add(&apply->pending, PENDING_WHOLE, INDEX_PAYLOADS, &key, &value);
	return result;
}

static int
apply_progress(struct apply *apply, const struct journal_frame *frame, struct err *err)
{
	const struct journal_progress *progress = &frame->progress;
	struct index_key key = index_key_progress(&progress->payload, progress->stretch);
	struct index_value value = index_value_u64(journal_pack(frame->at));
	int result = apply_stretch(
	    apply, &progress->payload, progress->stretch, progress->segment, progress->offset, err);

	if (result == 0)
		pending_add(&apply->pending, PENDING_PROGRESS, INDEX_PROGRESS, &key, &value);
	return result;
}

/* What the entry frame says of this part, and whether a later frame has brought it. */
static int
find_part(struct apply *apply, const struct journal_late_part *late, bool *missing, struct err *err)
{
	struct index_key key = index_key_place(late->place);
	struct journal_frame frame;
	struct index_entry entry;
	struct index_value value;
	int result = index_get(apply->txn, INDEX_ENTRIES, &key, &value, err);

	if (result == ERR_NOT_FOUND)
		return err_set(err, ERR_DAMAGED, "a part of an entry that is not here");
	if (result != 0)
		return result;
	if (!index_entry_decode(&entry, &value))
		return index_bad_row(INDEX_ENTRIES, err);
	result = journal_read(
	    apply->journal, &frame, &apply->bytes, journal_unpack(entry.position), err);
	if (result != 0)
		return result;
	for (unsigned i = 0; frame.kind == JOURNAL_ENTRY && i < frame.entry.part_count; i++) {
		const struct journal_part *part = &frame.entry.parts[i];

		if (!view_equal(part->name, late->part.name) ||
		    memcmp(part->digest, late->part.digest, HASH_SIZE) != 0)
			continue;
		key = index_key_part(late->place, part->name);
		result = index_get(apply->txn, INDEX_PARTS, &key, &value, err);
		*missing = !part->here && result == ERR_NOT_FOUND;
		return result == ERR_NOT_FOUND ? 0 : result;
	}
	return err_set(err, ERR_DAMAGED, "a part that its entry does not name");
}

/* Parts come late seldom, so that their counts are kept at once and not in the batch. */
static int
apply_part(struct apply *apply, const struct journal_frame *frame, struct err *err)
{
	struct storage_place place = frame->part.place;
	struct index_key key = index_key_place(place);
	struct index_value value;
	bool missing = false;
	uint8_t count;
	int result = apply_flush(apply, err);

	if (result == 0)
		result = find_part(apply, &frame->part, &missing, err);
	if (result != 0)
		return result;
	put(apply, INDEX_PARTS, index_key_part(place, frame->part.part.name),
	    index_value_u64(journal_pack(frame->at)));
	if (!missing)
		return 0;
	result = index_get(apply->txn, INDEX_PART_WANTS, &key, &value, err);
	if (result == ERR_NOT_FOUND || (result == 0 && !index_value_u8_decode(&count, &value)))
		return index_bad_row(INDEX_PART_WANTS, err);
	if (result != 0)
		return result;
	if (count > 1) {
		put(apply, INDEX_PART_WANTS, key, index_value_u8((uint8_t)(count - 1)));
		return 0;
	}
	pending_add(&apply->pending, PENDING_DELETE, INDEX_PART_WANTS, &key, NULL);
	apply->meta.part_wants--;
	return 0;
}

void
apply_entry_rows(struct apply *apply, struct apply_log *log, const struct journal_entry *entry,
    const uint8_t id[static HASH_SIZE], struct journal_at at)
{
	struct index_entry row = {.position = journal_pack(at), .kind = entry->kind};
	struct storage_place place = entry->place;
	unsigned missing = 0;

	memcpy(row.id, id, HASH_SIZE);
	log->row.last = row.position;
	apply->meta.entries++;
	put(apply, INDEX_ENTRIES, index_key_place(place), index_entry_encode(&row));
	put(apply, INDEX_KINDS, index_key_kind(place.log, entry->kind, place.index),
	    index_value_none());
	keep(apply, INDEX_IDS, index_key_id(id, place.log), index_value_u64(place.index));
	if (entry->about != NULL)
		put(apply, INDEX_ABOUT, index_key_about(entry->about, place), index_value_none());
	if (entry->known != NULL)
		keep(apply, INDEX_KNOWN, index_key_hash(entry->known), index_value_hash(id));
	if (entry->has_payload) {
		struct index_key key = index_key_payload(&entry->payload);
		struct index_value value = {.size = 20};

		put_u64(value.bytes, row.position);
		put_u32(value.bytes + 8, place.log);
		put_u64(value.bytes + 12, place.index);
		pending_add(&apply->pending, PENDING_WANT, INDEX_PAYLOADS, &key, &value);
	}
	for (unsigned i = 0; i < entry->part_count; i++)
		missing += !entry->parts[i].here;
	if (missing > 0) {
		put(apply, INDEX_PART_WANTS, index_key_place(place),
		    index_value_u8((uint8_t)missing));
		apply->meta.part_wants++;
	}
}

static int
apply_entry(struct apply *apply, const struct journal_frame *frame, struct err *err)
{
	const struct journal_entry *entry = &frame->entry;
	uint8_t previous[HASH_SIZE];
	uint8_t id[HASH_SIZE];
	struct apply_log *log;
	int result = apply_log(apply, entry->place.log, &log, err);

	if (result == ERR_NOT_FOUND)
		return err_set(err, ERR_DAMAGED, "an entry of log %" PRIu32 ", which is not here",
		    entry->place.log);
	if (result != 0)
		return result;
	tree_leaf(id, entry->record);
	if (apply->rebuild)
		result = apply_over_gap(apply, log, entry, err);
	if (result != 0)
		return result;
	if (entry->place.index != log->row.size)
		return err_set(err, ERR_DAMAGED,
		    "entry %" PRIu64 " of log %" PRIu32 " follows entry %" PRIu64,
		    entry->place.index, entry->place.log, log->row.size);
	if (!log->row.broken)
		result = apply_grow(apply, log, id, previous, err);
	if (result != 0)
		return result;
	if (!log->row.broken && memcmp(log->row.root, entry->root, HASH_SIZE) != 0) {
		if (!apply->rebuild)
			return err_set(err, ERR_DAMAGED,
			    "entry %" PRIu64 " of log %" PRIu32
			    " does not give the root that stands with it",
			    entry->place.index, entry->place.log);
		log->row.broken = true;
	} else if (log->row.broken) {
		log->row.size++;
	}
	memcpy(log->row.root, entry->root, HASH_SIZE);
	memcpy(log->row.last_id, id, HASH_SIZE);
	log->dirty = true;
	apply_entry_rows(apply, log, entry, id, frame->at);
	return 0;
}

int
apply_frame(struct apply *apply, const struct journal_frame *frame, struct err *err)
{
	struct index_key key;
	struct index_value position = index_value_u64(journal_pack(frame->at));
	int result = 0;

	switch (frame->kind) {
	case JOURNAL_LOG:
		result = apply_new_log(apply, frame, err);
		break;
	case JOURNAL_ENTRY:
		result = apply_entry(apply, frame, err);
		break;
	case JOURNAL_PART:
		result = apply_part(apply, frame, err);
		break;
	case JOURNAL_PAYLOAD:
		result = apply_payload(apply, frame, err);
		break;
	case JOURNAL_PROGRESS:
		result = apply_progress(apply, frame, err);
		break;
	case JOURNAL_STATEMENT:
		put(apply, INDEX_STATEMENTS,
		    index_key_statement(frame->statement.organisation, journal_pack(frame->at)),
		    index_value_none());
		break;
	case JOURNAL_HEAD:
		put(apply, INDEX_HEADS, index_key_head(frame->head.log, frame->head.size),
		    position);
		break;
	case JOURNAL_SIGNING:
		put(apply, INDEX_SIGNINGS, index_key_u32(frame->signing.log), position);
		break;
	case JOURNAL_FACT:
		key = index_key_fact(frame->fact.kind, frame->fact.key);
		pending_add(&apply->pending, frame->fact.set ? PENDING_PUT : PENDING_DELETE,
		    INDEX_FACTS, &key, &position);
		break;
	}
	if (result != 0)
		return result;
	apply->meta.sequence = frame->header.sequence;
	apply->meta.position = journal_pack((struct journal_at){.file = frame->at.file,
	    .offset = frame->at.offset + JOURNAL_HEADER + frame->header.body});
	return 0;
}
