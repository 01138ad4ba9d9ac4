/* Batches: events at the end of the list, which a commit lets everyone see. */
#include <stdlib.h>

#include "proto/hash.h"
#include "tests/sim/memory_internal.h"

static struct memory_batch *
batch_of(struct batch *batch)
{
	return (struct memory_batch *)batch;
}

/* A step of a batch: its error sticks. */
static int
step(struct memory_batch *batch, int code, struct err *err)
{
	if (batch->err != 0)
		return err_set(err, (enum err_code)batch->err, "the batch failed before");
	if (code == 0)
		code = memory_write(batch->storage, err);
	batch->err = code;
	return code;
}

static int
memory_begin(struct storage *base, struct batch **out, struct err *err)
{
	struct memory_storage *storage = (struct memory_storage *)base;
	struct memory_batch *batch;
	int result;

	if (storage->batch != NULL)
		abort(); /* it would wait for ever */
	result = memory_write(storage, err);
	if (result != 0)
		return result;
	batch = memory_allocate(1, sizeof(*batch));
	batch->base.calls = &storage->calls;
	batch->storage = storage;
	batch->snapshot = (struct memory_snapshot){
	    .base = {&storage->calls}, .storage = storage, .limit = &storage->count};
	storage->batch = batch;
	*out = &batch->base;
	return 0;
}

static void
memory_abort(struct batch *base)
{
	memory_batch_end(batch_of(base));
}

static int
memory_commit(struct batch *base, struct err *err)
{
	struct memory_batch *batch = batch_of(base);
	int result = step(batch, 0, err);

	if (result == 0)
		batch->storage->committed = batch->storage->count;
	memory_batch_end(batch);
	return result;
}

static struct snapshot *
memory_snapshot(struct batch *base)
{
	return &batch_of(base)->snapshot.base;
}

static int
memory_log(struct batch *base, uint32_t *number, struct view vkey,
    const uint8_t organisation[static HASH_SIZE], struct err *err)
{
	struct memory_batch *batch = batch_of(base);
	struct memory_storage *storage = batch->storage;
	struct storage_log log;
	struct event *event;
	uint8_t id[HASH_SIZE];
	int result;

	hash_sha256(id, vkey);
	if (batch->err == 0 && snapshot_log_by_id(&batch->snapshot.base, &log, id, NULL) == 0) {
		*number = log.number;
		return 0;
	}
	result = step(batch, 0, err);
	if (result != 0)
		return result;
	storage->logs = realloc(storage->logs, (storage->log_count + 1) * sizeof(*storage->logs));
	if (storage->logs == NULL)
		abort();
	storage->logs[storage->log_count] = (struct memory_log){.entry_count = 0};
	memcpy(storage->logs[storage->log_count].id, id, HASH_SIZE);
	event = memory_event(storage, EVENT_LOG);
	event->log = *number = storage->log_count++;
	event->bytes = memory_copy(vkey);
	memcpy(event->hash, organisation, HASH_SIZE);
	return 0;
}

static int
note_node(void *cookie, unsigned level, uint64_t index, const uint8_t hash[static HASH_SIZE])
{
	struct memory_log *log = cookie;

	if (index >= log->node_room[level]) {
		log->node_room[level] = (size_t)index * 2 + 16;
		log->nodes[level] = realloc(log->nodes[level], log->node_room[level] * HASH_SIZE);
		if (log->nodes[level] == NULL)
			abort();
	}
	memcpy(log->nodes[level][index], hash, HASH_SIZE);
	return 0;
}

static void
put_part(
    struct memory_batch *batch, struct storage_place place, const struct storage_part_given *part)
{
	struct event *event;

	if (part->bytes.data == NULL)
		return;
	event = memory_event(batch->storage, EVENT_PART);
	event->log = place.log;
	event->index = place.index;
	event->key = memory_copy(view_text(part->name));
	event->bytes = memory_copy(part->bytes);
}

static struct memory_entry *
entry_of(const struct storage_append *append)
{
	struct memory_entry *entry = memory_allocate(1, sizeof(*entry));
	unsigned i;

	memcpy(entry->id, append->id, HASH_SIZE);
	entry->kind = append->kind;
	entry->has_payload = append->payload != NULL;
	if (append->payload != NULL)
		entry->payload = *append->payload;
	entry->has_about = append->about != NULL;
	if (append->about != NULL)
		memcpy(entry->about, append->about, HASH_SIZE);
	entry->has_known = append->known != NULL;
	if (append->known != NULL)
		memcpy(entry->known, append->known, HASH_SIZE);
	entry->part_count = append->part_count;
	for (i = 0; i < append->part_count; i++) {
		size_t length = strlen(append->parts[i].name);

		if (length > STORAGE_PART_NAME_MAX)
			abort();
		memcpy(entry->parts[i].name, append->parts[i].name, length + 1);
		memcpy(entry->parts[i].digest, append->parts[i].digest, HASH_SIZE);
	}
	return entry;
}

static int
check_append(const struct memory_batch *batch, const struct storage_append *append, struct err *err)
{
	if (append->place.log >= batch->storage->log_count ||
	    append->place.index != batch->storage->logs[append->place.log].entry_count)
		return err_set(err, ERR_USAGE, "not the log's next index");
	if (append->record.size > STORAGE_RECORD_MAX || append->part_count > STORAGE_PARTS_MAX)
		return err_set(err, ERR_LIMIT, "a record too large");
	return 0;
}

static int
memory_append(struct batch *base, const struct storage_append *append, struct err *err)
{
	struct memory_batch *batch = batch_of(base);
	struct memory_log *log;
	struct snapshot_tree cookie = {&batch->snapshot.base, append->place.log, err};
	struct tree tree;
	struct event *event;
	unsigned i;
	int result = step(batch, check_append(batch, append, err), err);

	if (result != 0)
		return result;
	log = &batch->storage->logs[append->place.log];
	if (tree_load(&tree, append->place.index, snapshot_tree_read, &cookie) != 0)
		abort();
	(void)tree_append(&tree, append->id, note_node, log);
	event = memory_event(batch->storage, EVENT_ENTRY);
	event->log = append->place.log;
	event->index = append->place.index;
	event->bytes = memory_copy(append->record);
	event->entry = entry_of(append);
	if (log->entry_count == log->entry_room) {
		log->entry_room = log->entry_room * 2 + 16;
		log->entries = realloc(log->entries, log->entry_room * sizeof(*log->entries));
		if (log->entries == NULL)
			abort();
	}
	log->entries[log->entry_count++] = event;
	for (i = 0; i < append->part_count; i++)
		put_part(batch, append->place, &append->parts[i]);
	return 0;
}

static int
memory_part(struct batch *base, struct storage_place place, const struct storage_part_given *part,
    struct err *err)
{
	struct memory_batch *batch = batch_of(base);
	int result = memory_entry_at(&batch->snapshot, place) == NULL ?
	                 err_set(err, ERR_NOT_FOUND, "no such entry") :
	                 0;

	result = step(batch, result, err);
	if (result == 0)
		put_part(batch, place, part);
	return result;
}

static int
memory_payload(struct batch *base, const struct storage_location *location, struct err *err)
{
	struct memory_batch *batch = batch_of(base);
	struct memory_payload *payload = batch->storage->payloads;
	int result = step(batch, 0, err);

	if (result != 0)
		return result;
	while (payload != NULL && payload->number != location->stretches[0].segment)
		payload = payload->next;
	if (payload == NULL || !memory_payload_same(&payload->payload, &location->payload))
		abort(); /* a location that no writer gave */
	memory_event(batch->storage, EVENT_PAYLOAD)->payload = payload;
	return 0;
}

static int
memory_statement(struct batch *base, const uint8_t organisation[static HASH_SIZE],
    struct view statement, struct err *err)
{
	struct memory_batch *batch = batch_of(base);
	int result = step(batch, 0, err);
	struct event *event;

	if (result != 0)
		return result;
	event = memory_event(batch->storage, EVENT_STATEMENT);
	memcpy(event->hash, organisation, HASH_SIZE);
	event->bytes = memory_copy(statement);
	return 0;
}

static int
memory_head(struct batch *base, uint32_t log, uint64_t size, struct view note, struct err *err)
{
	struct memory_batch *batch = batch_of(base);
	int result = step(batch, 0, err);
	struct event *event;

	if (result != 0)
		return result;
	event = memory_event(batch->storage, EVENT_HEAD);
	event->log = log;
	event->index = size;
	event->bytes = memory_copy(note);
	return 0;
}

static int
memory_signing(struct batch *base, uint32_t log, uint64_t size,
    const uint8_t root[static HASH_SIZE], struct err *err)
{
	struct memory_batch *batch = batch_of(base);
	struct event *event;
	uint8_t old[HASH_SIZE];
	uint64_t old_size;
	int result = snapshot_signing(&batch->snapshot.base, &old_size, old, log, NULL);

	if (result == 0 &&
	    (old_size > size || (old_size == size && memcmp(old, root, HASH_SIZE) != 0)))
		result = err_set(err, ERR_REFUSED, "another tree was about to be signed before");
	else
		result = 0;
	result = step(batch, result, err);
	if (result != 0)
		return result;
	event = memory_event(batch->storage, EVENT_SIGNING);
	event->log = log;
	event->index = size;
	memcpy(event->hash, root, HASH_SIZE);
	return 0;
}

static int
memory_fact(
    struct batch *base, enum storage_fact kind, struct view key, struct view value, struct err *err)
{
	struct memory_batch *batch = batch_of(base);
	int result = step(batch, key.size > STORAGE_KEY_MAX ? ERR_LIMIT : 0, err);
	struct event *event;

	if (result != 0)
		return result;
	event = memory_event(batch->storage, EVENT_FACT);
	event->index = kind;
	event->key = memory_copy(key);
	event->bytes = memory_copy(value);
	event->gone = value.data == NULL;
	return 0;
}

void
memory_batch_calls(struct storage_calls *calls)
{
	calls->batch_begin = memory_begin;
	calls->batch_commit = memory_commit;
	calls->batch_abort = memory_abort;
	calls->batch_snapshot = memory_snapshot;
	calls->batch_log = memory_log;
	calls->batch_append = memory_append;
	calls->batch_part = memory_part;
	calls->batch_payload = memory_payload;
	calls->batch_statement = memory_statement;
	calls->batch_head = memory_head;
	calls->batch_signing = memory_signing;
	calls->batch_fact = memory_fact;
}
