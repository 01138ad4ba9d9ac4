/* Each function of node/storage.h asks the implementation behind its first argument. */
#include "node/storage_calls.h"

#include <stdlib.h>

void
storage_close(struct storage *storage)
{
	if (storage != NULL)
		storage->calls->storage_close(storage);
}

int
storage_changes(struct storage *storage, uint64_t *sequence, struct err *err)
{
	return storage->calls->storage_changes(storage, sequence, err);
}

int
snapshot_begin(struct storage *storage, struct snapshot **snapshot, struct err *err)
{
	return storage->calls->snapshot_begin(storage, snapshot, err);
}

void
snapshot_end(struct snapshot *snapshot)
{
	if (snapshot != NULL)
		snapshot->calls->snapshot_end(snapshot);
}

int
snapshot_counts(struct snapshot *snapshot, struct storage_counts *counts, struct err *err)
{
	return snapshot->calls->snapshot_counts(snapshot, counts, err);
}

int
snapshot_log(struct snapshot *snapshot, struct storage_log *log, uint32_t number, struct err *err)
{
	return snapshot->calls->snapshot_log(snapshot, log, number, err);
}

int
snapshot_log_by_id(struct snapshot *snapshot, struct storage_log *log,
    const uint8_t id[static HASH_SIZE], struct err *err)
{
	return snapshot->calls->snapshot_log_by_id(snapshot, log, id, err);
}

int
snapshot_log_vkey(struct snapshot *snapshot, struct buffer *vkey, uint32_t number, struct err *err)
{
	return snapshot->calls->snapshot_log_vkey(snapshot, vkey, number, err);
}

int
snapshot_entry(struct snapshot *snapshot, struct storage_entry *entry, struct buffer *bytes,
    struct storage_place place, struct err *err)
{
	return snapshot->calls->snapshot_entry(snapshot, entry, bytes, place, err);
}

int
snapshot_entry_id(struct snapshot *snapshot, uint8_t id[HASH_SIZE], uint8_t *kind,
    struct storage_place place, struct err *err)
{
	return snapshot->calls->snapshot_entry_id(snapshot, id, kind, place, err);
}

int
snapshot_part(struct snapshot *snapshot, struct buffer *bytes, struct storage_place place,
    const char *name, struct err *err)
{
	return snapshot->calls->snapshot_part(snapshot, bytes, place, name, err);
}

int
snapshot_node(struct snapshot *snapshot, uint8_t hash[static HASH_SIZE], uint32_t log,
    unsigned level, uint64_t index, struct err *err)
{
	return snapshot->calls->snapshot_node(snapshot, hash, log, level, index, err);
}

int
snapshot_find(struct snapshot *snapshot, struct storage_place *places, size_t max, size_t *count,
    const uint8_t prefix[static HASH_SIZE], unsigned nibbles, struct err *err)
{
	return snapshot->calls->snapshot_find(snapshot, places, max, count, prefix, nibbles, err);
}

int
snapshot_kind_next(
    struct snapshot *snapshot, uint64_t *index, uint32_t log, uint8_t kind, struct err *err)
{
	return snapshot->calls->snapshot_kind_next(snapshot, index, log, kind, err);
}

int
snapshot_kind_last(
    struct snapshot *snapshot, uint64_t *index, uint32_t log, uint8_t kind, struct err *err)
{
	return snapshot->calls->snapshot_kind_last(snapshot, index, log, kind, err);
}

int
snapshot_about_next(struct snapshot *snapshot, struct storage_place *place,
    const uint8_t id[static HASH_SIZE], struct err *err)
{
	return snapshot->calls->snapshot_about_next(snapshot, place, id, err);
}

int
snapshot_known(struct snapshot *snapshot, uint8_t id[static HASH_SIZE],
    const uint8_t known[static HASH_SIZE], struct err *err)
{
	return snapshot->calls->snapshot_known(snapshot, id, known, err);
}

int
snapshot_payload_state(struct snapshot *snapshot, enum storage_payload_state *state,
    const struct storage_payload *payload, struct err *err)
{
	return snapshot->calls->snapshot_payload_state(snapshot, state, payload, err);
}

int
snapshot_payload_progress(struct snapshot *snapshot, uint8_t bitmap[static STORAGE_STRETCH / 8],
    const struct storage_payload *payload, uint32_t stretch, struct err *err)
{
	return snapshot->calls->snapshot_payload_progress(snapshot, bitmap, payload, stretch, err);
}

int
snapshot_want_next(
    struct snapshot *snapshot, struct storage_want *want, uint64_t *cursor, struct err *err)
{
	return snapshot->calls->snapshot_want_next(snapshot, want, cursor, err);
}

int
snapshot_part_want_next(struct snapshot *snapshot, struct storage_place *place, struct err *err)
{
	return snapshot->calls->snapshot_part_want_next(snapshot, place, err);
}

int
snapshot_statement_next(struct snapshot *snapshot, struct buffer *statement, uint64_t *cursor,
    const uint8_t organisation[static HASH_SIZE], struct err *err)
{
	return snapshot->calls->snapshot_statement_next(
	    snapshot, statement, cursor, organisation, err);
}

int
snapshot_organisation_next(
    struct snapshot *snapshot, uint8_t organisation[static HASH_SIZE], struct err *err)
{
	return snapshot->calls->snapshot_organisation_next(snapshot, organisation, err);
}

int
snapshot_head_last(
    struct snapshot *snapshot, struct buffer *note, uint64_t *size, uint32_t log, struct err *err)
{
	return snapshot->calls->snapshot_head_last(snapshot, note, size, log, err);
}

int
snapshot_head_at(
    struct snapshot *snapshot, struct buffer *note, uint32_t log, uint64_t size, struct err *err)
{
	return snapshot->calls->snapshot_head_at(snapshot, note, log, size, err);
}

int
snapshot_head_next(
    struct snapshot *snapshot, struct buffer *note, uint64_t *size, uint32_t log, struct err *err)
{
	return snapshot->calls->snapshot_head_next(snapshot, note, size, log, err);
}

int
snapshot_signing(struct snapshot *snapshot, uint64_t *size, uint8_t root[static HASH_SIZE],
    uint32_t log, struct err *err)
{
	return snapshot->calls->snapshot_signing(snapshot, size, root, log, err);
}

int
snapshot_fact(struct snapshot *snapshot, struct buffer *value, enum storage_fact kind,
    struct view key, struct err *err)
{
	return snapshot->calls->snapshot_fact(snapshot, value, kind, key, err);
}

int
snapshot_fact_next(struct snapshot *snapshot, struct buffer *key, struct buffer *value,
    enum storage_fact kind, struct err *err)
{
	return snapshot->calls->snapshot_fact_next(snapshot, key, value, kind, err);
}

int
batch_begin(struct storage *storage, struct batch **batch, struct err *err)
{
	return storage->calls->batch_begin(storage, batch, err);
}

int
batch_commit(struct batch *batch, struct err *err)
{
	return batch->calls->batch_commit(batch, err);
}

void
batch_abort(struct batch *batch)
{
	if (batch != NULL)
		batch->calls->batch_abort(batch);
}

struct snapshot *
batch_snapshot(struct batch *batch)
{
	return batch->calls->batch_snapshot(batch);
}

int
batch_log(struct batch *batch, uint32_t *number, struct view vkey,
    const uint8_t organisation[static HASH_SIZE], struct err *err)
{
	return batch->calls->batch_log(batch, number, vkey, organisation, err);
}

int
batch_append(struct batch *batch, const struct storage_append *append, struct err *err)
{
	return batch->calls->batch_append(batch, append, err);
}

int
batch_part(struct batch *batch, struct storage_place place, const struct storage_part_given *part,
    struct err *err)
{
	return batch->calls->batch_part(batch, place, part, err);
}

int
batch_payload(struct batch *batch, const struct storage_location *location, struct err *err)
{
	return batch->calls->batch_payload(batch, location, err);
}

int
batch_statement(struct batch *batch, const uint8_t organisation[static HASH_SIZE],
    struct view statement, struct err *err)
{
	return batch->calls->batch_statement(batch, organisation, statement, err);
}

int
batch_head(struct batch *batch, uint32_t log, uint64_t size, struct view note, struct err *err)
{
	return batch->calls->batch_head(batch, log, size, note, err);
}

int
batch_signing(struct batch *batch, uint32_t log, uint64_t size,
    const uint8_t root[static HASH_SIZE], struct err *err)
{
	return batch->calls->batch_signing(batch, log, size, root, err);
}

int
batch_fact(struct batch *batch, enum storage_fact kind, struct view key, struct view value,
    struct err *err)
{
	return batch->calls->batch_fact(batch, kind, key, value, err);
}

int
payload_writer_new(struct storage *storage, struct payload_writer **writer, struct err *err)
{
	return storage->calls->payload_writer_new(storage, writer, err);
}

void
payload_writer_free(struct payload_writer *writer)
{
	if (writer != NULL)
		writer->calls->payload_writer_free(writer);
}

int
payload_writer_put(struct payload_writer *writer, struct view leaf,
    const uint8_t leaf_hash[static HASH_SIZE], struct err *err)
{
	return writer->calls->payload_writer_put(writer, leaf, leaf_hash, err);
}

int
payload_writer_end(
    struct payload_writer *writer, struct storage_location *location, struct err *err)
{
	return writer->calls->payload_writer_end(writer, location, err);
}

void
payload_writer_drop(struct payload_writer *writer)
{
	if (writer != NULL)
		writer->calls->payload_writer_drop(writer);
}

int
payload_writer_sync(struct payload_writer *writer, struct err *err)
{
	return writer->calls->payload_writer_sync(writer, err);
}

int
payload_fetch_new(struct storage *storage, struct payload_fetch **fetch, struct err *err)
{
	return storage->calls->payload_fetch_new(storage, fetch, err);
}

void
payload_fetch_free(struct payload_fetch *fetch)
{
	if (fetch != NULL)
		fetch->calls->payload_fetch_free(fetch);
}

int
payload_fetch_put(struct payload_fetch *fetch, const struct storage_payload *payload,
    uint64_t leaf_index, struct view leaf, const uint8_t leaf_hash[static HASH_SIZE],
    struct err *err)
{
	return fetch->calls->payload_fetch_put(fetch, payload, leaf_index, leaf, leaf_hash, err);
}

int
payload_fetch_sync(struct payload_fetch *fetch, payload_whole *whole, void *cookie, struct err *err)
{
	return fetch->calls->payload_fetch_sync(fetch, whole, cookie, err);
}

int
payload_reader_new(struct snapshot *snapshot, struct payload_reader **reader,
    const struct storage_payload *payload, struct err *err)
{
	return snapshot->calls->payload_reader_new(snapshot, reader, payload, err);
}

void
payload_reader_free(struct payload_reader *reader)
{
	if (reader != NULL)
		reader->calls->payload_reader_free(reader);
}

uint64_t
payload_reader_leaves(const struct payload_reader *reader)
{
	return reader->calls->payload_reader_leaves(reader);
}

int
payload_reader_leaf(struct payload_reader *reader, uint8_t *leaf, size_t *size, uint64_t leaf_index,
    struct err *err)
{
	return reader->calls->payload_reader_leaf(reader, leaf, size, leaf_index, err);
}

int
payload_reader_hash(struct payload_reader *reader, uint8_t hash[static HASH_SIZE],
    uint64_t leaf_index, struct err *err)
{
	return reader->calls->payload_reader_hash(reader, hash, leaf_index, err);
}

int
payload_reader_prove(
    struct payload_reader *reader, struct tree_proof *proof, uint64_t leaf_index, struct err *err)
{
	return reader->calls->payload_reader_prove(reader, proof, leaf_index, err);
}

int
snapshot_tree_read(void *cookie, unsigned level, uint64_t index, uint8_t hash[static HASH_SIZE])
{
	struct snapshot_tree *tree = cookie;

	return snapshot_node(tree->snapshot, hash, tree->log, level, index, tree->err);
}

void
storage_location_fini(struct storage_location *location)
{
	free(location->stretches);
	location->stretches = NULL;
	location->stretch_count = 0;
}

uint64_t
storage_leaf_count(uint64_t size)
{
	return size / STORAGE_LEAF + (size % STORAGE_LEAF != 0);
}

size_t
storage_leaf_size(uint64_t size, uint64_t leaf_index)
{
	uint64_t start = leaf_index * STORAGE_LEAF;

	if (leaf_index >= storage_leaf_count(size))
		return 0;
	return size - start < STORAGE_LEAF ? (size_t)(size - start) : STORAGE_LEAF;
}
