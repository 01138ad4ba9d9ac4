/* One frame against the rows that it means. */
#include <inttypes.h>
#include <stdlib.h>

#include "node/store/compare.h"
#include "proto/hash.h"

static void
missing(struct compare *compare, const struct storage_place *place, enum index_table table,
    const struct journal_frame *frame)
{
	compare_tell(compare, ERR_INDEX, place,
	    "journal %" PRIu32 ", offset %" PRIu32 ": the table %s does not have it",
	    frame->at.file, frame->at.offset, index_table_name(table));
}

/* A row whose value is the position of the last frame for its key. */
static void
compare_last(struct compare *compare, enum index_table table, struct index_key key,
    const struct journal_frame *frame, const struct storage_place *place)
{
	uint64_t here = journal_pack(frame->at);
	struct index_value value;
	uint64_t position;

	if (compare_row(compare, table, key, &value) != 0 ||
	    !index_value_u64_decode(&position, &value) || position < here)
		missing(compare, place, table, frame);
	else if (position == here) /* otherwise a later frame has replaced it */
		compare->expected[table]++;
}

static size_t
find_absent(const struct compare *compare, const struct index_key *key)
{
	size_t i = 0;

	while (i < compare->absent_count &&
	       !view_equal(index_key_view(&compare->absent[i]), index_key_view(key)))
		i++;
	return i;
}

/* A fact's row is gone: that is right if the last frame for its key deletes it. */
static void
note_absent(struct compare *compare, const struct index_key *key, bool set)
{
	size_t at = find_absent(compare, key);
	struct index_key *absent;

	if (!set && at < compare->absent_count)
		compare->absent[at] = compare->absent[--compare->absent_count];
	if (!set || at < compare->absent_count)
		return;
	absent = realloc(compare->absent, (compare->absent_count + 1) * sizeof(*absent));
	if (absent == NULL) {
		compare->failed = true;
		return;
	}
	compare->absent = absent;
	absent[compare->absent_count++] = *key;
}

void
compare_absent_facts(struct compare *compare)
{
	for (size_t i = 0; i < compare->absent_count; i++)
		compare_tell(compare, ERR_INDEX, NULL, "the table %s lacks a fact",
		    index_table_name(INDEX_FACTS));
}

static void
compare_fact(struct compare *compare, const struct journal_frame *frame)
{
	struct index_key key = index_key_fact(frame->fact.kind, frame->fact.key);
	struct index_value value;
	uint64_t position;

	if (compare_row(compare, INDEX_FACTS, key, &value) != 0) {
		note_absent(compare, &key, frame->fact.set);
	} else if (!index_value_u64_decode(&position, &value) ||
	           position < journal_pack(frame->at)) {
		missing(compare, NULL, INDEX_FACTS, frame);
	} else if (position == journal_pack(frame->at)) {
		if (!frame->fact.set)
			missing(compare, NULL, INDEX_FACTS, frame);
		compare->expected[INDEX_FACTS]++;
	}
}

static struct compare_log *
log_of(struct compare *compare, uint32_t number)
{
	struct compare_log **logs;

	if (number < compare->log_count && compare->logs[number] != NULL)
		return compare->logs[number];
	if (number >= compare->log_count) {
		if (number > compare->meta.logs)
			return NULL;
		logs = realloc(compare->logs, ((size_t)number + 1) * sizeof(*logs));
		if (logs == NULL) {
			compare->failed = true;
			return NULL;
		}
		while (compare->log_count <= number)
			logs[compare->log_count++] = NULL;
		compare->logs = logs;
	}
	compare->logs[number] = calloc(1, sizeof(struct compare_log));
	if (compare->logs[number] == NULL)
		compare->failed = true;
	else
		tree_init(&compare->logs[number]->tree);
	return compare->logs[number];
}

static void
compare_new_log(struct compare *compare, const struct journal_frame *frame)
{
	uint8_t id[HASH_SIZE];
	struct index_value value;
	struct index_log row;
	uint32_t number;

	(void)log_of(compare, frame->log.number);
	hash_sha256(id, frame->log.vkey);
	compare->expected[INDEX_LOGS]++;
	compare->expected[INDEX_LOG_IDS]++;
	if (index_log_get(compare->snapshot->txn, frame->log.number, &row, NULL) != 0 ||
	    row.position != journal_pack(frame->at) || memcmp(row.id, id, HASH_SIZE) != 0 ||
	    memcmp(row.organisation, frame->log.organisation, HASH_SIZE) != 0)
		missing(compare, NULL, INDEX_LOGS, frame);
	if (compare_row(compare, INDEX_LOG_IDS, index_key_hash(id), &value) != 0 ||
	    !index_value_u32_decode(&number, &value) || number != frame->log.number)
		missing(compare, NULL, INDEX_LOG_IDS, frame);
}

struct node_cookie {
	struct compare *compare;
	const struct storage_place *place;
	const struct journal_frame *frame;
};

static int
compare_node(void *cookie, unsigned level, uint64_t index, const uint8_t hash[static HASH_SIZE])
{
	struct node_cookie *node = cookie;
	uint8_t stored[HASH_SIZE];

	if (level == 0)
		return 0;
	node->compare->expected[INDEX_NODES]++;
	if (index_node_get(
	        node->compare->snapshot->txn, stored, node->place->log, level, index, NULL) != 0 ||
	    memcmp(stored, hash, HASH_SIZE) != 0)
		missing(node->compare, node->place, INDEX_NODES, node->frame);
	return 0;
}

/* Where frames are lost, the index may still know the ids of the entries between. */
static void
compare_tree(struct compare *compare, const struct journal_frame *frame,
    const struct storage_place *place, const uint8_t id[static HASH_SIZE])
{
	struct node_cookie cookie = {.compare = compare, .place = place, .frame = frame};
	struct compare_log *log = log_of(compare, place->log);
	uint8_t between[HASH_SIZE];

	while (log != NULL && log->tree.size < place->index &&
	       index_node_get(
	           compare->snapshot->txn, between, place->log, 0, log->tree.size, NULL) == 0)
		(void)tree_append(&log->tree, between, NULL, NULL);
	if (log == NULL || log->tree.size != place->index)
		compare_tell(compare, compare->journal_damaged ? ERR_DAMAGED : ERR_INDEX, place,
		    "entry %" PRIu64 " of log %" PRIu32 " does not follow the one before",
		    place->index, place->log);
	else
		(void)tree_append(&log->tree, id, compare_node, &cookie);
}

static void
compare_part(struct compare *compare, const struct journal_frame *frame,
    const struct storage_place *place, const struct journal_part *part)
{
	struct err err = {.code = 0};
	int result;

	if (!part->here)
		return;
	result = journal_read_part(&compare->store->journal, &compare->bytes, frame, part, &err);
	if (result != 0)
		compare_tell(compare, ERR_DAMAGED, place, "%s", err_text(&err));
}

static void
compare_missing_parts(struct compare *compare, const struct journal_frame *frame)
{
	const struct journal_entry *entry = &frame->entry;
	struct index_value value;
	unsigned absent = 0;
	uint8_t told;

	for (unsigned i = 0; i < entry->part_count; i++)
		absent += !entry->parts[i].here &&
		          compare_row(compare, INDEX_PARTS,
		              index_key_part(entry->place, entry->parts[i].name), &value) != 0;
	if (absent == 0)
		return;
	compare->expected[INDEX_PART_WANTS]++;
	if (compare_row(compare, INDEX_PART_WANTS, index_key_place(entry->place), &value) != 0 ||
	    !index_value_u8_decode(&told, &value) || told != absent)
		missing(compare, &entry->place, INDEX_PART_WANTS, frame);
}

static void
compare_named_payload(struct compare *compare, const struct journal_frame *frame)
{
	const struct journal_entry *entry = &frame->entry;
	struct index_payload row = {.whole = false, .position = 0};
	struct index_want want;
	struct index_value value;

	if (compare_row(compare, INDEX_PAYLOADS, index_key_payload(&entry->payload), &value) != 0 ||
	    !index_payload_decode(&row, &value)) {
		missing(compare, &entry->place, INDEX_PAYLOADS, frame);
		return;
	}
	if (row.whole || row.position != journal_pack(frame->at))
		return; /* counted with the frame that it names */
	compare->expected[INDEX_PAYLOADS]++;
	compare->expected[INDEX_WANTS]++;
	if (compare_row(compare, INDEX_WANTS, index_key_u64(row.position), &value) != 0 ||
	    !index_want_decode(&want, &value) || want.payload.size != entry->payload.size ||
	    memcmp(want.payload.root, entry->payload.root, HASH_SIZE) != 0 ||
	    want.place.log != entry->place.log || want.place.index != entry->place.index)
		missing(compare, &entry->place, INDEX_WANTS, frame);
}

/* Ids and knowns: the first one counts, so that the row may be an earlier entry's. */
static void
compare_firsts(
    struct compare *compare, const struct journal_frame *frame, const uint8_t id[static HASH_SIZE])
{
	const struct journal_entry *entry = &frame->entry;
	uint8_t other[HASH_SIZE];
	struct index_value value;
	uint64_t index;

	if (compare_row(compare, INDEX_IDS, index_key_id(id, entry->place.log), &value) != 0 ||
	    !index_value_u64_decode(&index, &value) || index > entry->place.index ||
	    index_node_get(compare->snapshot->txn, other, entry->place.log, 0, index, NULL) != 0 ||
	    memcmp(other, id, HASH_SIZE) != 0)
		missing(compare, &entry->place, INDEX_IDS, frame);
	else if (index == entry->place.index)
		compare->expected[INDEX_IDS]++;
	if (entry->known == NULL)
		return;
	if (compare_row(compare, INDEX_KNOWN, index_key_hash(entry->known), &value) != 0 ||
	    !index_value_hash_decode(other, &value))
		missing(compare, &entry->place, INDEX_KNOWN, frame);
	else if (memcmp(other, id, HASH_SIZE) == 0)
		compare->expected[INDEX_KNOWN]++;
}

static void
compare_entry(struct compare *compare, const struct journal_frame *frame)
{
	const struct journal_entry *entry = &frame->entry;
	struct index_value value;
	struct index_entry row;
	uint8_t id[HASH_SIZE];

	tree_leaf(id, entry->record);
	compare->expected[INDEX_ENTRIES]++;
	compare->expected[INDEX_KINDS]++;
	if (compare_row(compare, INDEX_ENTRIES, index_key_place(entry->place), &value) != 0 ||
	    !index_entry_decode(&row, &value) || row.position != journal_pack(frame->at) ||
	    row.kind != entry->kind || memcmp(row.id, id, HASH_SIZE) != 0)
		missing(compare, &entry->place, INDEX_ENTRIES, frame);
	if (compare_row(compare, INDEX_KINDS,
	        index_key_kind(entry->place.log, entry->kind, entry->place.index), &value) != 0)
		missing(compare, &entry->place, INDEX_KINDS, frame);
	if (entry->about != NULL) {
		compare->expected[INDEX_ABOUT]++;
		if (compare_row(compare, INDEX_ABOUT, index_key_about(entry->about, entry->place),
		        &value) != 0)
			missing(compare, &entry->place, INDEX_ABOUT, frame);
	}
	compare_firsts(compare, frame, id);
	compare_tree(compare, frame, &entry->place, id);
	compare_missing_parts(compare, frame);
	if (entry->has_payload)
		compare_named_payload(compare, frame);
	for (unsigned i = 0; i < entry->part_count; i++)
		compare_part(compare, frame, &entry->place, &entry->parts[i]);
}

static void
compare_stretch(struct compare *compare, const struct storage_payload *payload, uint32_t stretch,
    uint32_t segment, uint64_t offset)
{
	uint64_t end = offset + journal_stretch_bytes(payload->size, stretch);
	uint64_t *segments;

	if (segment == 0 || segment > (1U << 24))
		return;
	if (segment > compare->segment_count) {
		segments = realloc(compare->segments, segment * sizeof(*segments));
		if (segments == NULL) {
			compare->failed = true;
			return;
		}
		while (compare->segment_count < segment)
			segments[compare->segment_count++] = 0;
		compare->segments = segments;
	}
	if (compare->segments[segment - 1] < end)
		compare->segments[segment - 1] = end;
}

static void
compare_payload(struct compare *compare, const struct journal_frame *frame)
{
	const struct journal_payload *payload = &frame->payload;
	struct index_payload row = {.whole = false, .position = 0};
	struct storage_stretch stretch;
	struct index_value value;

	for (uint32_t i = 0; i < payload->stretch_count; i++) {
		journal_stretch_decode(&stretch, payload, i);
		compare_stretch(compare, &payload->payload, i, stretch.segment, stretch.offset);
	}
	if (compare_row(compare, INDEX_PAYLOADS, index_key_payload(&payload->payload), &value) !=
	        0 ||
	    !index_payload_decode(&row, &value) || !row.whole ||
	    row.position < journal_pack(frame->at))
		missing(compare, NULL, INDEX_PAYLOADS, frame);
	else if (row.position == journal_pack(frame->at))
		compare->expected[INDEX_PAYLOADS]++;
}

static void
compare_progress(struct compare *compare, const struct journal_frame *frame)
{
	const struct journal_progress *progress = &frame->progress;
	struct index_payload row = {.whole = false};
	struct index_value value;

	compare_stretch(
	    compare, &progress->payload, progress->stretch, progress->segment, progress->offset);
	if (compare_row(compare, INDEX_PAYLOADS, index_key_payload(&progress->payload), &value) ==
	        0 &&
	    index_payload_decode(&row, &value) && row.whole)
		return; /* it is of no use any more */
	compare_last(compare, INDEX_PROGRESS,
	    index_key_progress(&progress->payload, progress->stretch), frame, NULL);
}

void
compare_frame(struct compare *compare, const struct journal_frame *frame)
{
	struct index_value value;

	switch (frame->kind) {
	case JOURNAL_LOG:
		compare_new_log(compare, frame);
		break;
	case JOURNAL_ENTRY:
		compare_entry(compare, frame);
		break;
	case JOURNAL_PART:
		compare_last(compare, INDEX_PARTS,
		    index_key_part(frame->part.place, frame->part.part.name), frame,
		    &frame->part.place);
		compare_part(compare, frame, &frame->part.place, &frame->part.part);
		break;
	case JOURNAL_PAYLOAD:
		compare_payload(compare, frame);
		break;
	case JOURNAL_PROGRESS:
		compare_progress(compare, frame);
		break;
	case JOURNAL_STATEMENT:
		compare->expected[INDEX_STATEMENTS]++;
		if (compare_row(compare, INDEX_STATEMENTS,
		        index_key_statement(frame->statement.organisation, journal_pack(frame->at)),
		        &value) != 0)
			missing(compare, NULL, INDEX_STATEMENTS, frame);
		break;
	case JOURNAL_HEAD:
		compare_last(compare, INDEX_HEADS,
		    index_key_head(frame->head.log, frame->head.size), frame, NULL);
		break;
	case JOURNAL_SIGNING:
		compare_last(
		    compare, INDEX_SIGNINGS, index_key_u32(frame->signing.log), frame, NULL);
		break;
	case JOURNAL_FACT:
		compare_fact(compare, frame);
		break;
	}
}
