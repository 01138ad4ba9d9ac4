/* Reading: what stands in the list of events before the snapshot's end. */
#include <stdlib.h>

#include "tests/sim/memory_internal.h"

static struct memory_snapshot *
snapshot_of(struct snapshot *snapshot)
{
	return (struct memory_snapshot *)snapshot;
}

static int
memory_begin(struct storage *base, struct snapshot **out, struct err *err)
{
	struct memory_storage *storage = (struct memory_storage *)base;
	struct memory_snapshot *snapshot = memory_allocate(1, sizeof(*snapshot));

	(void)err;
	snapshot->base.calls = &storage->calls;
	snapshot->storage = storage;
	snapshot->own_limit = storage->committed;
	snapshot->limit = &snapshot->own_limit;
	*out = &snapshot->base;
	return 0;
}

static void
memory_end(struct snapshot *snapshot)
{
	free(snapshot);
}

struct event *
memory_last(const struct memory_snapshot *snapshot, event_matches *matches, const void *what)
{
	size_t i;

	for (i = *snapshot->limit; i-- > 0;)
		if (matches(snapshot->storage->events[i], what))
			return snapshot->storage->events[i];
	return NULL;
}

uint64_t
memory_log_size(const struct memory_snapshot *snapshot, uint32_t number)
{
	const struct memory_log *log;
	size_t size;

	if (number >= snapshot->storage->log_count)
		return 0;
	log = &snapshot->storage->logs[number];
	size = log->entry_count;
	while (size > 0 && log->entries[size - 1]->at >= *snapshot->limit)
		size--;
	return size;
}

struct event *
memory_entry_at(const struct memory_snapshot *snapshot, struct storage_place place)
{
	if (place.index >= memory_log_size(snapshot, place.log))
		return NULL;
	return snapshot->storage->logs[place.log].entries[place.index];
}

static bool
is_log(const struct event *event, const void *number)
{
	return event->kind == EVENT_LOG && event->log == *(const uint32_t *)number;
}

static bool
is_any_log(const struct event *event, const void *what)
{
	(void)what;
	return event->kind == EVENT_LOG;
}

static uint32_t
log_count(const struct memory_snapshot *snapshot)
{
	const struct event *last = memory_last(snapshot, is_any_log, NULL);

	return last == NULL ? 0 : last->log + 1;
}

static int
memory_log(struct snapshot *base, struct storage_log *log, uint32_t number, struct err *err)
{
	const struct memory_snapshot *snapshot = snapshot_of(base);
	const struct event *event = memory_last(snapshot, is_log, &number);
	struct snapshot_tree cookie = {base, number, err};
	struct tree tree;
	int result;

	if (event == NULL)
		return ERR_NOT_FOUND;
	log->number = number;
	memcpy(log->id, snapshot->storage->logs[number].id, HASH_SIZE);
	memcpy(log->organisation, event->hash, HASH_SIZE);
	log->size = memory_log_size(snapshot, number);
	result = tree_load(&tree, log->size, snapshot_tree_read, &cookie);
	if (result == 0)
		tree_root(&tree, log->root);
	return result;
}

static int
memory_log_by_id(struct snapshot *base, struct storage_log *log, const uint8_t id[static HASH_SIZE],
    struct err *err)
{
	const struct memory_snapshot *snapshot = snapshot_of(base);
	uint32_t count = log_count(snapshot);
	uint32_t i;

	for (i = 0; i < count; i++)
		if (memcmp(snapshot->storage->logs[i].id, id, HASH_SIZE) == 0)
			return memory_log(base, log, i, err);
	return ERR_NOT_FOUND;
}

static int
give(struct buffer *out, struct view bytes, struct err *err)
{
	buffer_clear(out);
	buffer_append(out, bytes.data, bytes.size);
	return out->err == 0 ? 0 : err_set(err, (enum err_code)out->err, "no room in a buffer");
}

static int
memory_log_vkey(struct snapshot *base, struct buffer *vkey, uint32_t number, struct err *err)
{
	const struct event *event = memory_last(snapshot_of(base), is_log, &number);

	return event == NULL ? ERR_NOT_FOUND : give(vkey, event->bytes, err);
}

struct part_of {
	struct storage_place place;
	const char *name;
};

static bool
is_part(const struct event *event, const void *what)
{
	const struct part_of *part = what;

	return event->kind == EVENT_PART && event->log == part->place.log &&
	       event->index == part->place.index && view_equal(event->key, view_text(part->name));
}

static int
memory_read_entry(struct snapshot *base, struct storage_entry *entry, struct buffer *bytes,
    struct storage_place place, struct err *err)
{
	const struct memory_snapshot *snapshot = snapshot_of(base);
	const struct event *event = memory_entry_at(snapshot, place);
	unsigned i;
	int result;

	if (event == NULL)
		return ERR_NOT_FOUND;
	result = give(bytes, event->bytes, err);
	*entry = (struct storage_entry){.place = place,
	    .kind = event->entry->kind,
	    .has_payload = event->entry->has_payload,
	    .payload = event->entry->payload,
	    .record = buffer_view(bytes),
	    .part_count = event->entry->part_count};
	memcpy(entry->id, event->entry->id, HASH_SIZE);
	for (i = 0; i < entry->part_count; i++) {
		struct part_of part = {place, event->entry->parts[i].name};
		const struct event *here = memory_last(snapshot, is_part, &part);

		entry->parts[i] = event->entry->parts[i];
		entry->parts[i].here = here != NULL;
		entry->parts[i].size = here == NULL ? 0 : (uint32_t)here->bytes.size;
	}
	return result;
}

static int
memory_entry_id(struct snapshot *base, uint8_t id[HASH_SIZE], uint8_t *kind,
    struct storage_place place, struct err *err)
{
	const struct event *event = memory_entry_at(snapshot_of(base), place);

	(void)err;
	if (event == NULL)
		return ERR_NOT_FOUND;
	if (id != NULL)
		memcpy(id, event->entry->id, HASH_SIZE);
	if (kind != NULL)
		*kind = event->entry->kind;
	return 0;
}

static int
memory_part(struct snapshot *base, struct buffer *bytes, struct storage_place place,
    const char *name, struct err *err)
{
	const struct event *event = memory_entry_at(snapshot_of(base), place);
	struct part_of part = {place, name};
	const struct event *here = memory_last(snapshot_of(base), is_part, &part);
	unsigned i;

	if (event == NULL)
		return ERR_NOT_FOUND;
	if (here != NULL)
		return give(bytes, here->bytes, err);
	for (i = 0; i < event->entry->part_count; i++)
		if (strcmp(event->entry->parts[i].name, name) == 0)
			return ERR_MISSING;
	return ERR_NOT_FOUND;
}

static int
memory_node(struct snapshot *base, uint8_t hash[static HASH_SIZE], uint32_t number, unsigned level,
    uint64_t index, struct err *err)
{
	const struct memory_snapshot *snapshot = snapshot_of(base);

	if (level > 62 || index >= memory_log_size(snapshot, number) >> level)
		return err_set(err, ERR_NOT_FOUND, "no such node in that tree");
	memcpy(hash, snapshot->storage->logs[number].nodes[level][index], HASH_SIZE);
	return 0;
}

static bool
begins(const uint8_t id[static HASH_SIZE], const uint8_t prefix[static HASH_SIZE], unsigned nibbles)
{
	unsigned whole = nibbles / 2;

	if (memcmp(id, prefix, whole) != 0)
		return false;
	return nibbles % 2 == 0 || id[whole] >> 4 == prefix[whole] >> 4;
}

static int
memory_find(struct snapshot *base, struct storage_place *places, size_t max, size_t *count,
    const uint8_t prefix[static HASH_SIZE], unsigned nibbles, struct err *err)
{
	struct memory_snapshot *snapshot = snapshot_of(base);
	struct event **events = snapshot->storage->events;
	size_t i, j;

	(void)err;
	*count = 0;
	for (i = 0; i < *snapshot->limit; i++) {
		struct storage_place place = {events[i]->log, events[i]->index};
		bool again = false;

		if (events[i]->kind != EVENT_ENTRY ||
		    !begins(events[i]->entry->id, prefix, nibbles))
			continue;
		for (j = *count; j > 0; j--) {
			const struct event *other = memory_entry_at(snapshot, places[j - 1]);
			int order = memcmp(other->entry->id, events[i]->entry->id, HASH_SIZE);

			again = order == 0 && other->log == place.log;
			if (again || order < 0 || (order == 0 && other->log < place.log))
				break;
		}
		if (again || j == max)
			continue;
		if (*count < max)
			++*count;
		memmove(&places[j + 1], &places[j], (*count - 1 - j) * sizeof(*places));
		places[j] = place;
	}
	return 0;
}

static int
memory_kind_next(
    struct snapshot *base, uint64_t *index, uint32_t log, uint8_t kind, struct err *err)
{
	const struct memory_snapshot *snapshot = snapshot_of(base);
	uint64_t size = memory_log_size(snapshot, log);
	uint64_t i;

	(void)err;
	for (i = *index + 1; i < size; i++) { /* STORAGE_START + 1 is 0 */
		if (snapshot->storage->logs[log].entries[i]->entry->kind == kind) {
			*index = i;
			return 0;
		}
	}
	return ERR_NOT_FOUND;
}

static int
memory_kind_last(
    struct snapshot *base, uint64_t *index, uint32_t log, uint8_t kind, struct err *err)
{
	const struct memory_snapshot *snapshot = snapshot_of(base);
	uint64_t i;

	(void)err;
	for (i = memory_log_size(snapshot, log); i-- > 0;) {
		if (snapshot->storage->logs[log].entries[i]->entry->kind == kind) {
			*index = i;
			return 0;
		}
	}
	return ERR_NOT_FOUND;
}

/* The next place after *place in order of log and index for which ${wanted} says yes. */
typedef bool
entry_wanted(const struct memory_snapshot *snapshot, const struct event *event, const void *what);

static int
next_place(const struct memory_snapshot *snapshot, struct storage_place *place,
    entry_wanted *wanted, const void *what)
{
	struct storage_place at = *place;

	if (at.log == UINT32_MAX)
		at = (struct storage_place){0, 0};
	else
		at.index++;
	for (; at.log < log_count(snapshot); at = (struct storage_place){at.log + 1, 0}) {
		for (; at.index < memory_log_size(snapshot, at.log); at.index++) {
			if (wanted(snapshot, memory_entry_at(snapshot, at), what)) {
				*place = at;
				return 0;
			}
		}
	}
	return ERR_NOT_FOUND;
}

static bool
is_about(const struct memory_snapshot *snapshot, const struct event *event, const void *id)
{
	(void)snapshot;
	return event->entry->has_about && memcmp(event->entry->about, id, HASH_SIZE) == 0;
}

static int
memory_about_next(struct snapshot *base, struct storage_place *place,
    const uint8_t id[static HASH_SIZE], struct err *err)
{
	(void)err;
	return next_place(snapshot_of(base), place, is_about, id);
}

static bool
lacks_part(const struct memory_snapshot *snapshot, const struct event *event, const void *what)
{
	unsigned i;

	(void)what;
	for (i = 0; i < event->entry->part_count; i++) {
		struct part_of part = {{event->log, event->index}, event->entry->parts[i].name};

		if (memory_last(snapshot, is_part, &part) == NULL)
			return true;
	}
	return false;
}

static int
memory_part_want_next(struct snapshot *base, struct storage_place *place, struct err *err)
{
	(void)err;
	return next_place(snapshot_of(base), place, lacks_part, NULL);
}

static int
memory_known(struct snapshot *base, uint8_t id[static HASH_SIZE],
    const uint8_t known[static HASH_SIZE], struct err *err)
{
	const struct memory_snapshot *snapshot = snapshot_of(base);
	size_t i;

	(void)err;
	for (i = 0; i < *snapshot->limit; i++) {
		const struct event *event = snapshot->storage->events[i];

		if (event->kind == EVENT_ENTRY && event->entry->has_known &&
		    memcmp(event->entry->known, known, HASH_SIZE) == 0) {
			memcpy(id, event->entry->id, HASH_SIZE);
			return 0;
		}
	}
	return ERR_NOT_FOUND;
}

/* Is this entry the first that names its payload, and is that not whole? */
static bool
is_want(const struct memory_snapshot *snapshot, const struct event *event)
{
	size_t i;

	if (event->kind != EVENT_ENTRY || !event->entry->has_payload ||
	    memory_payload_whole(snapshot, &event->entry->payload) != NULL)
		return false;
	for (i = 0; i < event->at; i++) {
		const struct event *other = snapshot->storage->events[i];

		if (other->kind == EVENT_ENTRY && other->entry->has_payload &&
		    memory_payload_same(&other->entry->payload, &event->entry->payload))
			return false;
	}
	return true;
}

static int
memory_want_next(
    struct snapshot *base, struct storage_want *want, uint64_t *cursor, struct err *err)
{
	const struct memory_snapshot *snapshot = snapshot_of(base);
	uint64_t i;

	(void)err;
	for (i = *cursor + 1; i < *snapshot->limit; i++) {
		const struct event *event = snapshot->storage->events[i];

		if (!is_want(snapshot, event))
			continue;
		*cursor = i;
		want->payload = event->entry->payload;
		want->place = (struct storage_place){event->log, event->index};
		return 0;
	}
	return ERR_NOT_FOUND;
}

static int
memory_counts(struct snapshot *base, struct storage_counts *counts, struct err *err)
{
	const struct memory_snapshot *snapshot = snapshot_of(base);
	struct storage_place place = STORAGE_PLACE_START;
	size_t i;

	(void)err;
	*counts =
	    (struct storage_counts){.sequence = *snapshot->limit, .logs = log_count(snapshot)};
	for (i = 0; i < *snapshot->limit; i++) {
		const struct event *event = snapshot->storage->events[i];

		counts->entries += event->kind == EVENT_ENTRY;
		counts->wants += is_want(snapshot, event);
		if (event->kind == EVENT_PAYLOAD) {
			counts->payloads++;
			counts->payload_bytes += event->payload->payload.size;
		}
	}
	while (memory_part_want_next(base, &place, NULL) == 0)
		counts->part_wants++;
	return 0;
}

static int
memory_statement_next(struct snapshot *base, struct buffer *statement, uint64_t *cursor,
    const uint8_t organisation[static HASH_SIZE], struct err *err)
{
	const struct memory_snapshot *snapshot = snapshot_of(base);
	uint64_t i;

	for (i = *cursor + 1; i < *snapshot->limit; i++) {
		const struct event *event = snapshot->storage->events[i];

		if (event->kind != EVENT_STATEMENT ||
		    memcmp(event->hash, organisation, HASH_SIZE) != 0)
			continue;
		*cursor = i;
		return give(statement, event->bytes, err);
	}
	return ERR_NOT_FOUND;
}

static int
memory_organisation_next(
    struct snapshot *base, uint8_t organisation[static HASH_SIZE], struct err *err)
{
	const struct memory_snapshot *snapshot = snapshot_of(base);
	const struct event *best = NULL;
	size_t i;

	(void)err;
	for (i = 0; i < *snapshot->limit; i++) {
		const struct event *event = snapshot->storage->events[i];

		if (event->kind == EVENT_STATEMENT &&
		    memcmp(event->hash, organisation, HASH_SIZE) > 0 &&
		    (best == NULL || memcmp(event->hash, best->hash, HASH_SIZE) < 0))
			best = event;
	}
	if (best == NULL)
		return ERR_NOT_FOUND;
	memcpy(organisation, best->hash, HASH_SIZE);
	return 0;
}

/* The head with the smallest size from ${from} on, or the largest up to it; the last of its size. */
static const struct event *
find_head(const struct memory_snapshot *snapshot, uint32_t log, uint64_t from, bool up)
{
	const struct event *best = NULL;
	size_t i;

	for (i = 0; i < *snapshot->limit; i++) {
		const struct event *event = snapshot->storage->events[i];

		if (event->kind != EVENT_HEAD || event->log != log ||
		    (up ? event->index < from : event->index > from))
			continue;
		if (best == NULL ||
		    (up ? event->index <= best->index : event->index >= best->index))
			best = event;
	}
	return best;
}

static int
memory_head_last(
    struct snapshot *base, struct buffer *note, uint64_t *size, uint32_t log, struct err *err)
{
	const struct event *event = find_head(snapshot_of(base), log, UINT64_MAX, false);

	if (event == NULL)
		return ERR_NOT_FOUND;
	*size = event->index;
	return give(note, event->bytes, err);
}

static int
memory_head_at(
    struct snapshot *base, struct buffer *note, uint32_t log, uint64_t size, struct err *err)
{
	const struct event *event = find_head(snapshot_of(base), log, size, true);

	if (event == NULL || event->index != size)
		return ERR_NOT_FOUND;
	return give(note, event->bytes, err);
}

static int
memory_head_next(
    struct snapshot *base, struct buffer *note, uint64_t *size, uint32_t log, struct err *err)
{
	const struct event *event = find_head(snapshot_of(base), log, *size + 1, true);

	if (event == NULL)
		return ERR_NOT_FOUND;
	*size = event->index;
	return give(note, event->bytes, err);
}

static bool
is_signing(const struct event *event, const void *number)
{
	return event->kind == EVENT_SIGNING && event->log == *(const uint32_t *)number;
}

static int
memory_signing(struct snapshot *base, uint64_t *size, uint8_t root[static HASH_SIZE], uint32_t log,
    struct err *err)
{
	const struct event *event = memory_last(snapshot_of(base), is_signing, &log);

	(void)err;
	if (event == NULL)
		return ERR_NOT_FOUND;
	*size = event->index;
	memcpy(root, event->hash, HASH_SIZE);
	return 0;
}

struct fact_of {
	enum storage_fact kind;
	struct view key;
};

static bool
is_fact(const struct event *event, const void *what)
{
	const struct fact_of *fact = what;

	return event->kind == EVENT_FACT && event->index == fact->kind &&
	       view_equal(event->key, fact->key);
}

static int
memory_fact(struct snapshot *base, struct buffer *value, enum storage_fact kind, struct view key,
    struct err *err)
{
	struct fact_of fact = {kind, key};
	const struct event *event = memory_last(snapshot_of(base), is_fact, &fact);

	if (event == NULL || event->gone)
		return ERR_NOT_FOUND;
	return give(value, event->bytes, err);
}

static int
memory_fact_next(struct snapshot *base, struct buffer *key, struct buffer *value,
    enum storage_fact kind, struct err *err)
{
	const struct memory_snapshot *snapshot = snapshot_of(base);
	const struct event *best = NULL;
	size_t i;

	for (i = 0; i < *snapshot->limit; i++) {
		const struct event *event = snapshot->storage->events[i];
		struct fact_of fact = {kind, event->key};

		if (event->kind != EVENT_FACT || event->index != kind ||
		    view_compare(event->key, buffer_view(key)) <= 0 ||
		    memory_last(snapshot, is_fact, &fact) != event || event->gone)
			continue;
		if (best == NULL || view_compare(event->key, best->key) < 0)
			best = event;
	}
	if (best == NULL)
		return ERR_NOT_FOUND;
	if (value != NULL && give(value, best->bytes, err) != 0)
		return value->err;
	return give(key, best->key, err);
}

void
memory_snapshot_calls(struct storage_calls *calls)
{
	calls->snapshot_begin = memory_begin;
	calls->snapshot_end = memory_end;
	calls->snapshot_counts = memory_counts;
	calls->snapshot_log = memory_log;
	calls->snapshot_log_by_id = memory_log_by_id;
	calls->snapshot_log_vkey = memory_log_vkey;
	calls->snapshot_entry = memory_read_entry;
	calls->snapshot_entry_id = memory_entry_id;
	calls->snapshot_part = memory_part;
	calls->snapshot_node = memory_node;
	calls->snapshot_find = memory_find;
	calls->snapshot_kind_next = memory_kind_next;
	calls->snapshot_kind_last = memory_kind_last;
	calls->snapshot_about_next = memory_about_next;
	calls->snapshot_known = memory_known;
	calls->snapshot_want_next = memory_want_next;
	calls->snapshot_part_want_next = memory_part_want_next;
	calls->snapshot_statement_next = memory_statement_next;
	calls->snapshot_organisation_next = memory_organisation_next;
	calls->snapshot_head_last = memory_head_last;
	calls->snapshot_head_at = memory_head_at;
	calls->snapshot_head_next = memory_head_next;
	calls->snapshot_signing = memory_signing;
	calls->snapshot_fact = memory_fact;
	calls->snapshot_fact_next = memory_fact_next;
}
