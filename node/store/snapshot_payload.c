/* Reading: how far payloads are here, and where. */
#include "node/store/store_private.h"

static bool
same_payload(const struct storage_payload *a, const struct storage_payload *b)
{
	return a->size == b->size && memcmp(a->root, b->root, HASH_SIZE) == 0;
}

static int
payload_row(struct snapshot *base, struct index_payload *row, const struct storage_payload *payload,
    struct err *err)
{
	struct index_key key = index_key_payload(payload);
	struct index_value value;
	struct index_txn *txn;
	int result = snapshot_txn(base, &txn, err);

	if (result == 0)
		result = index_get(txn, INDEX_PAYLOADS, &key, &value, err);
	if (result == 0 && !index_payload_decode(row, &value))
		return index_bad_row(INDEX_PAYLOADS, err);
	return result;
}

int
store_snapshot_payload_state(struct snapshot *base, enum storage_payload_state *state,
    const struct storage_payload *payload, struct err *err)
{
	struct index_payload row;
	int result = payload_row(base, &row, payload, err);

	if (result == 0)
		*state = row.whole ? STORAGE_PAYLOAD_WHOLE : STORAGE_PAYLOAD_WANTED;
	else if (result == ERR_NOT_FOUND)
		*state = STORAGE_PAYLOAD_UNKNOWN;
	return result == ERR_NOT_FOUND ? 0 : result;
}

int
store_payload_read(struct store_snapshot *snapshot, struct journal_frame *frame,
    struct buffer *bytes, const struct storage_payload *payload, struct err *err)
{
	struct index_payload row;
	int result = payload_row(&snapshot->base, &row, payload, err);

	if (result != 0)
		return result;
	if (!row.whole)
		return err_set(err, ERR_MISSING, "the payload is not whole here");
	result = journal_read(
	    &snapshot->store->journal, frame, bytes, journal_unpack(row.position), err);
	if (result != 0)
		return result;
	if (frame->kind != JOURNAL_PAYLOAD || !same_payload(&frame->payload.payload, payload))
		return index_bad_row(INDEX_PAYLOADS, err);
	return 0;
}

int
store_progress_read(struct store_snapshot *snapshot, struct journal_frame *frame,
    struct buffer *bytes, const struct storage_payload *payload, uint32_t stretch, struct err *err)
{
	struct index_key key = index_key_progress(payload, stretch);
	struct index_value value;
	struct index_txn *txn;
	uint64_t position;
	int result = snapshot_txn(&snapshot->base, &txn, err);

	if (result == 0)
		result = index_get(txn, INDEX_PROGRESS, &key, &value, err);
	if (result != 0)
		return result;
	if (!index_value_u64_decode(&position, &value))
		return index_bad_row(INDEX_PROGRESS, err);
	result =
	    journal_read(&snapshot->store->journal, frame, bytes, journal_unpack(position), err);
	if (result != 0)
		return result;
	if (frame->kind != JOURNAL_PROGRESS || frame->progress.stretch != stretch ||
	    !same_payload(&frame->progress.payload, payload))
		return index_bad_row(INDEX_PROGRESS, err);
	return 0;
}

int
store_snapshot_payload_progress(struct snapshot *base, uint8_t bitmap[static STORAGE_STRETCH / 8],
    const struct storage_payload *payload, uint32_t stretch, struct err *err)
{
	struct journal_frame frame;
	struct buffer bytes;
	int result;

	memset(bitmap, 0, STORAGE_STRETCH / 8);
	buffer_init(&bytes, STORAGE_BYTES_MAX);
	result = store_progress_read(
	    (struct store_snapshot *)base, &frame, &bytes, payload, stretch, err);
	if (result == 0)
		memcpy(bitmap, frame.progress.bitmap, STORAGE_STRETCH / 8);
	buffer_fini(&bytes);
	return result == ERR_NOT_FOUND ? 0 : result;
}

int
store_snapshot_want_next(
    struct snapshot *base, struct storage_want *want, uint64_t *cursor, struct err *err)
{
	struct index_key key = index_key_u64(*cursor == STORAGE_START ? 0 : *cursor + 1);
	struct index_want row_want;
	struct index_txn *txn;
	struct index_row row;
	int result = snapshot_txn(base, &txn, err);

	if (result == 0)
		result = index_seek(txn, INDEX_WANTS, &key, &row, err);
	if (result != 0)
		return result;
	if (row.key.size != key.size || !index_want_decode(&row_want, &row.value))
		return index_bad_row(INDEX_WANTS, err);
	want->payload = row_want.payload;
	want->place = row_want.place;
	*cursor = get_u64(row.key.bytes);
	return 0;
}
