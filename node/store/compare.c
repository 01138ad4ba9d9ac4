/*
 * The journal walked from its beginning, and every frame looked for in the index.  A row that the
 * journal does not account for shows in the count of its table.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/store/compare.h"
#include "proto/hash.h"

#define PROGRESS_EVERY 1024
#define LOOK_UPS 1000 /* damaged places whose entry is named */

void
compare_tell(struct compare *compare, enum err_code code, const struct storage_place *place,
    const char *format, ...)
{
	char text[ERR_TEXT_MAX];
	struct store_finding finding = {.code = code, .has_place = place != NULL, .text = text};
	va_list arguments;

	if (place != NULL)
		finding.place = *place;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (code == ERR_DAMAGED)
		compare->journal_damaged = true;
	if (compare->found != NULL)
		compare->found(compare->cookie, &finding);
}

int
compare_row(struct compare *compare, enum index_table table, struct index_key key,
    struct index_value *value)
{
	struct err err = {.code = 0};
	int result = index_get(compare->snapshot->txn, table, &key, value, &err);

	if (result == ERR_INDEX)
		compare_tell(compare, ERR_INDEX, NULL, "%s", err_text(&err));
	return result == ERR_INDEX ? ERR_NOT_FOUND : result;
}

/* Rows in the order of keys, counted one by one: LMDB's own count may be what is damaged. */
static int
count_rows(struct compare *compare, enum index_table table, uint64_t *count, struct err *err)
{
	struct index_key key = {.size = 1, .bytes = {0}};
	struct index_row row;
	uint64_t told;
	int result;

	*count = 0;
	while ((result = index_seek(compare->snapshot->txn, table, &key, &row, err)) == 0) {
		(*count)++;
		key = row.key;
		if (key.size == INDEX_KEY_MAX)
			return index_bad_row(table, err);
		key.bytes[key.size++] = 0;
	}
	if (result != ERR_NOT_FOUND)
		return result;
	result = index_count(compare->snapshot->txn, table, &told, err);
	return result == 0 && told != *count ? index_bad_row(table, err) : result;
}

static int
compare_counts(struct compare *compare, struct err *err)
{
	uint64_t count;
	int result = 0;

	for (int i = 0; i < INDEX_TABLES; i++) {
		enum index_table table = (enum index_table)i;
		struct err why = {.code = 0};

		result = count_rows(compare, table, &count, &why);
		if (result != 0 && result != ERR_INDEX) {
			if (err != NULL)
				*err = why;
			return result;
		}
		if (result == ERR_INDEX)
			compare_tell(compare, ERR_INDEX, NULL, "table %s: %s",
			    index_table_name(table), err_text(&why));
		else if (count != compare->expected[table] && !compare->journal_damaged)
			compare_tell(compare, ERR_INDEX, NULL,
			    "the table %s has %" PRIu64 " rows where the journal gives %" PRIu64,
			    index_table_name(table), count, compare->expected[table]);
	}
	return 0;
}

static void
compare_meta(struct compare *compare)
{
	const struct index_meta *meta = &compare->meta;
	const uint64_t *expected = compare->expected;

	if (compare->journal_damaged)
		return;
	if (meta->entries != expected[INDEX_ENTRIES] || meta->logs != expected[INDEX_LOGS] ||
	    meta->wants != expected[INDEX_WANTS] ||
	    meta->part_wants != expected[INDEX_PART_WANTS] ||
	    meta->payloads + meta->wants != expected[INDEX_PAYLOADS] ||
	    meta->segments != expected[INDEX_SEGMENTS] || meta->sequence != compare->walk.sequence)
		compare_tell(compare, ERR_INDEX, NULL, "the index's counts are not the journal's");
}

/* Which entry stands, or stood, at a damaged place: only the index knows. */
static bool
entry_at(struct compare *compare, uint64_t position, struct storage_place *place)
{
	struct index_key key = {.size = 1, .bytes = {0}};
	struct index_entry entry;
	struct index_row row;

	if (++compare->looked_up > LOOK_UPS)
		return false; /* it walks the whole table */
	while (index_seek(compare->snapshot->txn, INDEX_ENTRIES, &key, &row, NULL) == 0) {
		if (row.key.size != 12 || !index_entry_decode(&entry, &row.value))
			return false;
		if (entry.position == position) {
			place->log = get_u32(row.key.bytes);
			place->index = get_u64(row.key.bytes + 4);
			return true;
		}
		key = row.key;
		key.bytes[key.size++] = 0;
	}
	return false;
}

static int
damaged(struct compare *compare, const struct err *why, struct err *err)
{
	struct storage_place place;
	uint64_t position = journal_pack(compare->walk.at);
	int result;

	if (entry_at(compare, position, &place))
		compare_tell(compare, ERR_DAMAGED, &place, "%s", err_text(why));
	else
		compare_tell(compare, ERR_DAMAGED, NULL, "%s", err_text(why));
	result = journal_walk_skip(&compare->walk, err);
	if (result == ERR_NOT_FOUND) { /* nothing whole up to the end */
		compare->walk.at = journal_unpack(compare->meta.position);
		result = 0;
	}
	return result;
}

/* Frames up to where the index ends; what is behind is not its business. */
static int
walk(struct compare *compare, struct err *err)
{
	struct journal_frame frame;
	uint64_t all =
	    journal_bytes(&compare->store->journal, journal_unpack(compare->meta.position));
	uint64_t frames = 0;
	int result = 0;

	while (result == 0 && journal_pack(compare->walk.at) < compare->meta.position) {
		struct err why = {.code = 0};

		result = journal_walk_next(&compare->walk, &frame, &why);
		if (result == 0)
			compare_frame(compare, &frame);
		else if (result == ERR_DAMAGED || result == ERR_NOT_FOUND) {
			if (result == ERR_NOT_FOUND)
				(void)err_set(
				    &why, ERR_DAMAGED, "the journal ends before the index does");
			result = damaged(compare, &why, err);
		} else if (err != NULL)
			*err = why;
		if (++frames % PROGRESS_EVERY == 0 && compare->progress != NULL)
			compare->progress(compare->cookie,
			    journal_bytes(&compare->store->journal, compare->walk.at), all);
	}
	return result;
}

/* Every log's tree is what its entries give. */
static void
compare_logs(struct compare *compare)
{
	for (uint32_t i = 0; i < compare->log_count; i++) {
		struct compare_log *log = compare->logs[i];
		uint8_t root[HASH_SIZE];
		struct index_log row;
		struct err err = {.code = 0};

		if (log == NULL)
			continue;
		if (index_log_get(compare->snapshot->txn, i, &row, &err) != 0) {
			compare_tell(
			    compare, ERR_INDEX, NULL, "log %" PRIu32 ": %s", i, err_text(&err));
			continue;
		}
		tree_root(&log->tree, root);
		if (!compare->journal_damaged && !row.broken &&
		    (row.size != log->tree.size || memcmp(root, row.root, HASH_SIZE) != 0))
			compare_tell(compare, ERR_INDEX, NULL,
			    "log %" PRIu32 " has %" PRIu64 " entries in the index, %" PRIu64
			    " in the journal",
			    i, row.size, log->tree.size);
	}
}

static void
compare_segments(struct compare *compare)
{
	for (uint32_t i = 1; i <= compare->segment_count; i++) {
		uint64_t wanted = compare->segments[i - 1];
		struct index_value value;
		uint64_t end;
		uint64_t size = 0;

		if (wanted == 0)
			continue;
		compare->expected[INDEX_SEGMENTS]++;
		if (compare_row(compare, INDEX_SEGMENTS, index_key_u32(i), &value) != 0 ||
		    !index_segment_decode(&end, i, &value) || end < wanted)
			compare_tell(compare, ERR_INDEX, NULL,
			    "segment %" PRIu32 " has another end in the index", i);
		(void)files_size(&compare->store->segments, i, &size, NULL);
		if (size < wanted)
			compare_tell(compare, ERR_DAMAGED, NULL,
			    "segment %" PRIu32 " ends at %" PRIu64 " where it should have %" PRIu64
			    " bytes",
			    i, size, wanted);
	}
}

static void
compare_fini(struct compare *compare)
{
	for (uint32_t i = 0; i < compare->log_count; i++)
		free(compare->logs[i]);
	free(compare->logs);
	free(compare->segments);
	free(compare->absent);
	journal_walk_fini(&compare->walk);
	buffer_fini(&compare->bytes);
	store_snapshot_end(&compare->snapshot->base);
}

int
store_compare(struct storage *storage, store_progress *progress, store_found *found, void *cookie,
    struct err *err)
{
	struct compare compare = {.store = (struct store *)storage,
	    .progress = progress,
	    .found = found,
	    .cookie = cookie};
	int result = store_snapshot_open(compare.store, &compare.snapshot, err);

	if (result != 0)
		return result;
	journal_walk_init(
	    &compare.walk, &compare.store->journal, (struct journal_at){.file = 1, .offset = 0}, 0);
	buffer_init(&compare.bytes, JOURNAL_HEADER + JOURNAL_BODY_MAX);
	result = index_meta_get(compare.snapshot->txn, &compare.meta, err);
	if (result == 0)
		result = walk(&compare, err);
	if (result == 0 && compare.failed)
		result = err_set(err, ERR_MEMORY, "no memory to compare");
	if (result == 0) {
		compare.expected[INDEX_META] = 1;
		compare_absent_facts(&compare);
		compare_segments(&compare);
		compare_logs(&compare);
		compare_meta(&compare);
		result = compare_counts(&compare, err);
	}
	compare_fini(&compare);
	return result;
}
