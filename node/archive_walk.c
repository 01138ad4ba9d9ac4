/* All exhibits, over all logs, in the order of the times that their records claim. */
#include <stdlib.h>
#include <string.h>

#include "node/archive_reader.h"

/* The next deposit of one log. */
struct cursor {
	uint64_t index;
	uint64_t time;
	bool over;
};

struct walk {
	struct archive_reader *reader;
	const struct archive_filter *filter;
	struct snapshot *snapshot;
	unsigned left; /* reads until a fresh snapshot is taken */
	uint32_t logs;
	struct cursor *cursors;
	struct buffer bytes;
};

#define SNAPSHOT_READS 256 /* a snapshot that is kept long keeps the index from reusing pages */

static int
refresh(struct walk *walk, struct err *err)
{
	if (walk->snapshot != NULL && walk->left > 0) {
		walk->left--;
		return 0;
	}
	snapshot_end(walk->snapshot);
	walk->snapshot = NULL;
	walk->left = SNAPSHOT_READS;
	return snapshot_begin(walk->reader->archive->storage, &walk->snapshot, err);
}

static bool
passes(const struct archive_filter *filter, uint64_t time)
{
	if (filter == NULL)
		return true;
	return time >= filter->since && (filter->until == 0 || time <= filter->until);
}

/* Move to the next deposit of the log that parses and passes. */
static int
advance(struct walk *walk, uint32_t log, struct err *err)
{
	struct cursor *cursor = &walk->cursors[log];
	struct storage_place place = {.log = log};
	struct storage_entry entry;
	struct record record;
	int code;

	for (;;) {
		code = refresh(walk, err);
		if (code == 0)
			code = snapshot_kind_next(
			    walk->snapshot, &cursor->index, log, (uint8_t)RECORD_DEPOSIT, err);
		if (code == ERR_NOT_FOUND) {
			cursor->over = true;
			return 0;
		}
		place.index = cursor->index;
		if (code == 0)
			code = snapshot_entry(walk->snapshot, &entry, &walk->bytes, place, err);
		/* A damaged entry is verify's to name; the list goes on without it. */
		if (code == ERR_DAMAGED)
			continue;
		if (code != 0)
			return code;
		if (record_parse(&record, entry.record, NULL) != 0 ||
		    !record_time(&record, &cursor->time))
			continue;
		if (passes(walk->filter, cursor->time))
			return 0;
	}
}

static struct cursor *
earliest(struct walk *walk, uint32_t *log)
{
	struct cursor *best = NULL;
	uint32_t i;

	for (i = 0; i < walk->logs; i++) {
		struct cursor *cursor = &walk->cursors[i];

		if (cursor->over || (best != NULL && best->time <= cursor->time))
			continue;
		best = cursor;
		*log = i;
	}
	return best;
}

static int
start(struct walk *walk, struct err *err)
{
	struct storage_counts counts;
	uint32_t i;
	int code = refresh(walk, err);

	if (code == 0)
		code = snapshot_counts(walk->snapshot, &counts, err);
	if (code != 0)
		return code;
	walk->logs = counts.logs;
	walk->cursors = calloc((size_t)counts.logs + 1, sizeof(*walk->cursors));
	if (walk->cursors == NULL)
		return err_set(err, ERR_MEMORY, "no memory for %u logs", counts.logs);
	for (i = 0; i < walk->logs && code == 0; i++) {
		walk->cursors[i].index = STORAGE_START;
		walk->cursors[i].over =
		    walk->filter != NULL && walk->filter->one_log && walk->filter->log != i;
		if (!walk->cursors[i].over)
			code = advance(walk, i, err);
	}
	return code;
}

int
archive_walk(struct archive_reader *reader, const struct archive_filter *filter, archive_each *each,
    void *cookie, struct err *err)
{
	struct walk walk = {.reader = reader, .filter = filter};
	struct cursor *cursor;
	uint32_t log = 0;
	int code;

	buffer_init(&walk.bytes, STORAGE_BYTES_MAX);
	code = start(&walk, err);
	while (code == 0 && (cursor = earliest(&walk, &log)) != NULL) {
		struct storage_place place = {.log = log, .index = cursor->index};

		code = refresh(&walk, err);
		if (code == 0)
			code = archive_reader_load(reader, walk.snapshot, place, err);
		if (code == 0)
			code = each(cookie, &reader->exhibit);
		else if (code == ERR_DAMAGED)
			code = 0;
		if (code == 0)
			code = advance(&walk, log, err);
	}
	snapshot_end(walk.snapshot);
	buffer_fini(&walk.bytes);
	free(walk.cursors);
	return code;
}

/* ---- which exhibit is a file ---------------------------------------------------------------- */

struct which {
	const uint8_t *sha256;
	struct archive_match *match;
};

static int
compare_exhibit(void *cookie, const struct archive_exhibit *exhibit)
{
	const struct which *which = cookie;
	struct view claimed = fields_bytes(&exhibit->fields, FIELD_SHA256);

	if (claimed.size != HASH_SIZE) {
		which->match->closed++;
		return 0;
	}
	which->match->compared++;
	if (!which->match->found && memcmp(claimed.data, which->sha256, HASH_SIZE) == 0) {
		which->match->found = true;
		which->match->place = exhibit->place;
		memcpy(which->match->id, exhibit->id, HASH_SIZE);
	}
	return 0;
}

int
archive_which(struct archive_reader *reader, const uint8_t sha256[static HASH_SIZE],
    struct archive_match *match, struct err *err)
{
	struct which which = {.sha256 = sha256, .match = match};

	*match = (struct archive_match){.found = false};
	return archive_walk(reader, NULL, compare_exhibit, &which, err);
}
