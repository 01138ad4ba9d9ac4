/* Reading: counts, logs, statements, heads, signings and facts. */
#include <inttypes.h>
#include <stdlib.h>

#include "node/store/store_private.h"
#include "proto/hash.h"

static struct store_snapshot *
snapshot_of(struct snapshot *snapshot)
{
	return (struct store_snapshot *)snapshot;
}

int
store_snapshot_open(struct store *store, struct store_snapshot **out, struct err *err)
{
	struct store_snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct index *index;
	int result;

	*out = NULL;
	if (snapshot == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a snapshot");
	snapshot->base.calls = &store_calls;
	buffer_init(&snapshot->kept_bytes, STORAGE_BYTES_MAX);
	snapshot->store = store;
	result = store_index(store, &index, err);
	if (result == 0) {
		result = index_begin(index, false, &snapshot->txn, err);
		index_free(index); /* the transaction holds it */
	}
	if (result != 0) {
		free(snapshot);
		return result;
	}
	*out = snapshot;
	return 0;
}

int
store_snapshot_begin(struct storage *storage, struct snapshot **out, struct err *err)
{
	struct store_snapshot *snapshot;
	int result = store_snapshot_open((struct store *)storage, &snapshot, err);

	*out = result == 0 ? &snapshot->base : NULL;
	return result;
}

void
store_snapshot_end(struct snapshot *base)
{
	struct store_snapshot *snapshot = snapshot_of(base);

	index_abort(snapshot->txn);
	buffer_fini(&snapshot->kept_bytes);
	free(snapshot);
}

int
snapshot_txn(struct snapshot *base, struct index_txn **txn, struct err *err)
{
	struct store_snapshot *snapshot = snapshot_of(base);

	*txn = snapshot->txn;
	return snapshot->batch == NULL ? 0 : store_batch_settle(snapshot->batch, err);
}

int
snapshot_kept(struct snapshot *base, enum index_table table, const struct index_key *key,
    struct index_value *value, struct err *err)
{
	struct store_snapshot *snapshot = snapshot_of(base);
	int result = index_get(snapshot->txn, table, key, value, err);

	if (result == ERR_NOT_FOUND && snapshot->batch != NULL &&
	    pending_kept(&snapshot->batch->write.apply.pending, table, key, value))
		return 0;
	return result;
}

int
snapshot_log_row(struct snapshot *base, uint32_t number, struct index_log *row, struct err *err)
{
	struct store_snapshot *snapshot = snapshot_of(base);

	for (size_t i = 0; snapshot->batch != NULL && i < snapshot->batch->write.apply.log_count;
	     i++) {
		const struct apply_log *log = snapshot->batch->write.apply.logs[i];

		if (log->number == number) {
			*row = log->row;
			return 0;
		}
	}
	return index_log_get(snapshot->txn, number, row, err);
}

/* Read the frame that a row's value points to. */
static int
read_at(struct snapshot *base, struct journal_frame *frame, struct buffer *bytes,
    enum journal_kind kind, uint64_t position, enum index_table table, struct err *err)
{
	int result = journal_read(
	    &snapshot_of(base)->store->journal, frame, bytes, journal_unpack(position), err);

	if (result == 0 && frame->kind != kind)
		return index_bad_row(table, err);
	return result;
}

static int
read_row(struct snapshot *base, struct journal_frame *frame, struct buffer *bytes,
    enum journal_kind kind, const struct index_value *value, enum index_table table,
    struct err *err)
{
	uint64_t position;

	if (!index_value_u64_decode(&position, value))
		return index_bad_row(table, err);
	return read_at(base, frame, bytes, kind, position, table, err);
}

/* Let the buffer hold only these of its bytes. */
static void
keep_only(struct buffer *bytes, struct view part)
{
	if (part.size > 0)
		memmove(bytes->data, part.data, part.size);
	bytes->size = part.size;
}

int
store_snapshot_counts(struct snapshot *base, struct storage_counts *counts, struct err *err)
{
	struct index_meta meta;
	struct index_txn *txn;
	int result = snapshot_txn(base, &txn, err);

	if (result == 0)
		result = index_meta_get(txn, &meta, err);
	if (result == 0)
		*counts = (struct storage_counts){.sequence = meta.sequence,
		    .logs = meta.logs,
		    .entries = meta.entries,
		    .payloads = meta.payloads,
		    .payload_bytes = meta.payload_bytes,
		    .wants = meta.wants,
		    .part_wants = meta.part_wants};
	return result;
}

int
store_snapshot_log(struct snapshot *base, struct storage_log *log, uint32_t number, struct err *err)
{
	struct index_log row;
	int result = snapshot_log_row(base, number, &row, err);

	if (result != 0)
		return result;
	log->number = number;
	memcpy(log->id, row.id, HASH_SIZE);
	memcpy(log->organisation, row.organisation, HASH_SIZE);
	log->size = row.size;
	memcpy(log->root, row.root, HASH_SIZE);
	return 0;
}

int
store_snapshot_log_by_id(struct snapshot *base, struct storage_log *log,
    const uint8_t id[static HASH_SIZE], struct err *err)
{
	struct index_key key = index_key_hash(id);
	struct index_value value;
	uint32_t number;
	int result = snapshot_kept(base, INDEX_LOG_IDS, &key, &value, err);

	if (result != 0)
		return result;
	if (!index_value_u32_decode(&number, &value))
		return index_bad_row(INDEX_LOG_IDS, err);
	result = store_snapshot_log(base, log, number, err);
	if (result == ERR_NOT_FOUND || (result == 0 && memcmp(log->id, id, HASH_SIZE) != 0))
		return index_bad_row(INDEX_LOG_IDS, err);
	return result;
}

int
store_snapshot_log_vkey(
    struct snapshot *base, struct buffer *vkey, uint32_t number, struct err *err)
{
	struct journal_frame frame;
	struct index_txn *txn;
	struct index_log row;
	int result = snapshot_txn(base, &txn, err);

	if (result == 0)
		result = index_log_get(txn, number, &row, err);
	if (result == 0)
		result = read_at(base, &frame, vkey, JOURNAL_LOG, row.position, INDEX_LOGS, err);
	if (result != 0)
		return result;
	if (frame.log.number != number)
		return index_bad_row(INDEX_LOGS, err);
	keep_only(vkey, frame.log.vkey);
	return 0;
}

int
store_snapshot_node(struct snapshot *base, uint8_t hash[static HASH_SIZE], uint32_t log,
    unsigned level, uint64_t index, struct err *err)
{
	struct index_txn *txn;
	int result = snapshot_txn(base, &txn, err);

	return result != 0 ? result : index_node_get(txn, hash, log, level, index, err);
}

int
store_snapshot_statement_next(struct snapshot *base, struct buffer *statement, uint64_t *cursor,
    const uint8_t organisation[static HASH_SIZE], struct err *err)
{
	uint64_t from = *cursor == STORAGE_START ? 0 : *cursor + 1;
	struct index_key key = index_key_statement(organisation, from);
	struct journal_frame frame;
	struct index_txn *txn;
	struct index_row row;
	uint64_t position;
	int result = snapshot_txn(base, &txn, err);

	if (result == 0)
		result = index_seek(txn, INDEX_STATEMENTS, &key, &row, err);
	if (result != 0)
		return result;
	if (row.key.size != key.size)
		return index_bad_row(INDEX_STATEMENTS, err);
	if (memcmp(row.key.bytes, organisation, HASH_SIZE) != 0)
		return ERR_NOT_FOUND;
	position = get_u64(row.key.bytes + HASH_SIZE);
	*cursor = position; /* so that one that is damaged can be passed over */
	result =
	    read_at(base, &frame, statement, JOURNAL_STATEMENT, position, INDEX_STATEMENTS, err);
	if (result != 0)
		return result;
	if (memcmp(frame.statement.organisation, organisation, HASH_SIZE) != 0)
		return index_bad_row(INDEX_STATEMENTS, err);
	keep_only(statement, frame.statement.statement);
	return 0;
}

int
store_snapshot_organisation_next(
    struct snapshot *base, uint8_t organisation[static HASH_SIZE], struct err *err)
{
	struct index_key key = index_key_statement(organisation, UINT64_MAX);
	struct index_txn *txn;
	struct index_row row;
	int result = snapshot_txn(base, &txn, err);

	if (result == 0)
		result = index_seek(txn, INDEX_STATEMENTS, &key, &row, err);
	if (result != 0)
		return result;
	if (row.key.size != key.size || memcmp(row.key.bytes, organisation, HASH_SIZE) == 0)
		return index_bad_row(INDEX_STATEMENTS, err);
	memcpy(organisation, row.key.bytes, HASH_SIZE);
	return 0;
}

static int
read_head(struct snapshot *base, struct buffer *note, uint32_t log, uint64_t size,
    const struct index_value *value, struct err *err)
{
	struct journal_frame frame;
	int result = read_row(base, &frame, note, JOURNAL_HEAD, value, INDEX_HEADS, err);

	if (result != 0)
		return result;
	if (frame.head.log != log || frame.head.size != size)
		return index_bad_row(INDEX_HEADS, err);
	keep_only(note, frame.head.note);
	return 0;
}

int
store_snapshot_head_last(
    struct snapshot *base, struct buffer *note, uint64_t *size, uint32_t log, struct err *err)
{
	struct index_key key = index_key_head(log, UINT64_MAX);
	struct index_txn *txn;
	struct index_row row;
	int result = snapshot_txn(base, &txn, err);

	if (result == 0)
		result = index_seek_below(txn, INDEX_HEADS, &key, &row, err);
	if (result != 0)
		return result;
	if (row.key.size != key.size)
		return index_bad_row(INDEX_HEADS, err);
	if (get_u32(row.key.bytes) != log)
		return ERR_NOT_FOUND;
	*size = get_u64(row.key.bytes + 4);
	return read_head(base, note, log, *size, &row.value, err);
}

int
store_snapshot_head_at(
    struct snapshot *base, struct buffer *note, uint32_t log, uint64_t size, struct err *err)
{
	struct index_key key = index_key_head(log, size);
	struct index_value value;
	struct index_txn *txn;
	int result = snapshot_txn(base, &txn, err);

	if (result == 0)
		result = index_get(txn, INDEX_HEADS, &key, &value, err);
	return result != 0 ? result : read_head(base, note, log, size, &value, err);
}

int
store_snapshot_head_next(
    struct snapshot *base, struct buffer *note, uint64_t *size, uint32_t log, struct err *err)
{
	struct index_key key = index_key_head(log, *size == STORAGE_START ? 0 : *size + 1);
	struct index_txn *txn;
	struct index_row row;
	int result = snapshot_txn(base, &txn, err);

	if (result == 0)
		result = index_seek(txn, INDEX_HEADS, &key, &row, err);
	if (result != 0)
		return result;
	if (row.key.size != key.size)
		return index_bad_row(INDEX_HEADS, err);
	if (get_u32(row.key.bytes) != log)
		return ERR_NOT_FOUND;
	*size = get_u64(row.key.bytes + 4);
	return read_head(base, note, log, *size, &row.value, err);
}

int
store_snapshot_signing(struct snapshot *base, uint64_t *size, uint8_t root[static HASH_SIZE],
    uint32_t log, struct err *err)
{
	struct index_key key = index_key_u32(log);
	struct journal_frame frame;
	struct index_value value;
	struct index_txn *txn;
	struct buffer bytes;
	int result = snapshot_txn(base, &txn, err);

	if (result == 0)
		result = index_get(txn, INDEX_SIGNINGS, &key, &value, err);
	if (result != 0)
		return result;
	buffer_init(&bytes, STORAGE_BYTES_MAX);
	result = read_row(base, &frame, &bytes, JOURNAL_SIGNING, &value, INDEX_SIGNINGS, err);
	if (result == 0 && frame.signing.log != log)
		result = index_bad_row(INDEX_SIGNINGS, err);
	if (result == 0) {
		*size = frame.signing.size;
		memcpy(root, frame.signing.root, HASH_SIZE);
	}
	buffer_fini(&bytes);
	return result;
}

static int
read_fact(struct snapshot *base, struct buffer *bytes, uint8_t kind, struct view key,
    const struct index_value *value, struct err *err)
{
	struct journal_frame frame;
	int result = read_row(base, &frame, bytes, JOURNAL_FACT, value, INDEX_FACTS, err);

	if (result != 0)
		return result;
	if (frame.fact.kind != kind || !frame.fact.set || !view_equal(frame.fact.key, key))
		return index_bad_row(INDEX_FACTS, err);
	keep_only(bytes, frame.fact.value);
	return 0;
}

int
store_snapshot_fact(struct snapshot *base, struct buffer *bytes, enum storage_fact kind,
    struct view fact, struct err *err)
{
	struct index_key key = index_key_fact((uint8_t)kind, fact);
	struct index_value value;
	struct index_txn *txn;
	int result = snapshot_txn(base, &txn, err);

	if (fact.size > STORAGE_KEY_MAX)
		return ERR_NOT_FOUND;
	if (result == 0)
		result = index_get(txn, INDEX_FACTS, &key, &value, err);
	return result != 0 ? result : read_fact(base, bytes, (uint8_t)kind, fact, &value, err);
}

int
store_snapshot_fact_next(struct snapshot *base, struct buffer *fact, struct buffer *bytes,
    enum storage_fact kind, struct err *err)
{
	struct index_key key = index_key_fact((uint8_t)kind, buffer_view(fact));
	struct index_txn *txn;
	struct index_row row;
	struct view found;
	int result = snapshot_txn(base, &txn, err);

	if (fact->size > 0)
		key.bytes[key.size++] = 0; /* the least key above it */
	if (result == 0)
		result = index_seek(txn, INDEX_FACTS, &key, &row, err);
	if (result != 0)
		return result;
	if (row.key.size == 0)
		return index_bad_row(INDEX_FACTS, err);
	if (row.key.bytes[0] != (uint8_t)kind)
		return ERR_NOT_FOUND;
	found = view_of(row.key.bytes + 1, row.key.size - 1);
	if (bytes != NULL)
		result = read_fact(base, bytes, (uint8_t)kind, found, &row.value, err);
	buffer_clear(fact);
	buffer_append(fact, found.data, found.size);
	if (result == 0 && fact->err != 0)
		result = err_set(err, ERR_MEMORY, "no memory for a fact's key");
	return result;
}
