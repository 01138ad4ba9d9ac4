/* The list of events, its faults, and the storage itself. */
#include "tests/sim/memory_storage.h"

#include <stdlib.h>

#include "tests/sim/memory_internal.h"

void *
memory_allocate(size_t count, size_t size)
{
	void *memory = calloc(count == 0 ? 1 : count, size);

	if (memory == NULL)
		abort();
	return memory;
}

struct view
memory_copy(struct view bytes)
{
	uint8_t *copy = memory_allocate(bytes.size, 1);

	if (bytes.size > 0)
		memcpy(copy, bytes.data, bytes.size);
	return view_of(copy, bytes.size);
}

int
memory_write(struct memory_storage *storage, struct err *err)
{
	if (!storage->failing)
		return 0;
	if (storage->fail_after > 0) {
		storage->fail_after--;
		return 0;
	}
	storage->failed = true;
	return err_set(err, storage->fail_code, "the virtual disk was told to fail");
}

struct event *
memory_event(struct memory_storage *storage, enum event_kind kind)
{
	struct event *event = memory_allocate(1, sizeof(*event));

	if (storage->count == storage->room) {
		storage->room = storage->room * 2 + 64;
		storage->events =
		    realloc(storage->events, storage->room * sizeof(*storage->events));
		if (storage->events == NULL)
			abort();
	}
	event->kind = kind;
	event->at = storage->count;
	storage->events[storage->count++] = event;
	return event;
}

static void
event_free(struct event *event)
{
	free(event->entry);
	free((void *)(uintptr_t)event->key.data);
	free((void *)(uintptr_t)event->bytes.data);
	free(event);
}

static void
log_fini(struct memory_log *log)
{
	unsigned level;

	free(log->entries);
	for (level = 0; level < 64; level++)
		free(log->nodes[level]);
}

/* Back to what is committed: nodes past a log's size are never read, so they may stay. */
static void
cut(struct memory_storage *storage)
{
	while (storage->count > storage->committed) {
		struct event *event = storage->events[--storage->count];

		if (event->kind == EVENT_ENTRY)
			storage->logs[event->log].entry_count--;
		if (event->kind == EVENT_LOG)
			log_fini(&storage->logs[--storage->log_count]);
		event_free(event);
	}
}

void
memory_batch_end(struct memory_batch *batch)
{
	cut(batch->storage);
	batch->storage->batch = NULL;
	free(batch);
}

static void
memory_close(struct storage *base)
{
	struct memory_storage *storage = (struct memory_storage *)base;

	if (storage->batch != NULL)
		abort();
	storage->committed = 0;
	cut(storage);
	while (storage->payloads != NULL) {
		struct memory_payload *next = storage->payloads->next;

		memory_payload_free(storage->payloads);
		storage->payloads = next;
	}
	free(storage->events);
	free(storage->logs);
	free(storage);
}

static int
memory_changes(struct storage *base, uint64_t *sequence, struct err *err)
{
	(void)err;
	*sequence = ((struct memory_storage *)base)->committed;
	return 0;
}

struct storage *
memory_storage_new(void)
{
	struct memory_storage *storage = memory_allocate(1, sizeof(*storage));

	storage->base.calls = &storage->calls;
	storage->calls.storage_close = memory_close;
	storage->calls.storage_changes = memory_changes;
	memory_snapshot_calls(&storage->calls);
	memory_batch_calls(&storage->calls);
	memory_payload_calls(&storage->calls);
	return &storage->base;
}

void
memory_storage_fail(struct storage *base, unsigned after, enum err_code code)
{
	struct memory_storage *storage = (struct memory_storage *)base;

	storage->failing = true;
	storage->failed = false;
	storage->fail_after = after;
	storage->fail_code = code;
}

bool
memory_storage_heal(struct storage *base)
{
	struct memory_storage *storage = (struct memory_storage *)base;

	storage->failing = false;
	return storage->failed;
}

void
memory_storage_crash(struct storage *base)
{
	struct memory_storage *storage = (struct memory_storage *)base;

	if (storage->batch != NULL)
		memory_batch_end(storage->batch);
	memory_payload_drop(storage);
}
