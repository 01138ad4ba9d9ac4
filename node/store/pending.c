/* Rows of one batch, sorted before they are written. */
#include "node/store/pending.h"

#include <stdlib.h>

#define BYTES_MAX ((size_t)256 << 20)

struct pending_row {
	size_t offset; /* of key, then value, in the bytes */
	size_t order;
	uint16_t key_size;
	uint16_t value_size;
	uint8_t table;
	uint8_t change;
};

void
pending_init(struct pending *pending)
{
	memset(pending, 0, sizeof(*pending));
	buffer_init(&pending->bytes, BYTES_MAX);
}

void
pending_fini(struct pending *pending)
{
	buffer_fini(&pending->bytes);
	free(pending->rows);
	pending->rows = NULL;
}

static bool
make_room(struct pending *pending)
{
	size_t capacity = pending->capacity == 0 ? 1024 : pending->capacity * 2;
	struct pending_row *rows;

	if (pending->count < pending->capacity)
		return true;
	rows = realloc(pending->rows, capacity * sizeof(*rows));
	if (rows == NULL)
		return false;
	pending->rows = rows;
	pending->capacity = capacity;
	return true;
}

void
pending_add(struct pending *pending, enum pending_change change, enum index_table table,
    const struct index_key *key, const struct index_value *value)
{
	struct pending_row row = {.offset = pending->bytes.size,
	    .order = pending->count,
	    .key_size = (uint16_t)key->size,
	    .value_size = (uint16_t)(value == NULL ? 0 : value->size),
	    .table = (uint8_t)table,
	    .change = (uint8_t)change};

	if (pending->err != 0 || !make_room(pending)) {
		pending->err = ERR_MEMORY;
		return;
	}
	buffer_append(&pending->bytes, key->bytes, key->size);
	if (row.value_size > 0)
		buffer_append(&pending->bytes, value->bytes, value->size);
	if (pending->bytes.err != 0) {
		pending->err = ERR_MEMORY;
		return;
	}
	pending->rows[pending->count++] = row;
}

static int
compare_rows(const void *left, const void *right, void *cookie)
{
	const struct pending_row *a = left;
	const struct pending_row *b = right;
	const uint8_t *bytes = cookie;
	int order;

	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	order = view_compare(
	    view_of(bytes + a->offset, a->key_size), view_of(bytes + b->offset, b->key_size));
	if (order != 0)
		return order;
	return a->order < b->order ? -1 : 1;
}

static void
load_row(const struct pending *pending, const struct pending_row *row, struct index_row *out)
{
	const uint8_t *bytes = pending->bytes.data + row->offset;

	out->key.size = row->key_size;
	memcpy(out->key.bytes, bytes, row->key_size);
	out->value.size = row->value_size;
	memcpy(out->value.bytes, bytes + row->key_size, row->value_size);
}

bool
pending_kept(const struct pending *pending, enum index_table table, const struct index_key *key,
    struct index_value *value)
{
	for (size_t i = 0; i < pending->count; i++) {
		const struct pending_row *row = &pending->rows[i];
		const uint8_t *bytes = pending->bytes.data + row->offset;

		if (row->table != table || row->change != PENDING_KEEP ||
		    row->key_size != key->size || memcmp(bytes, key->bytes, key->size) != 0)
			continue;
		value->size = row->value_size;
		memcpy(value->bytes, bytes + row->key_size, row->value_size);
		return true;
	}
	return false;
}

/* A payload that has become whole is no longer wanted, and its progress no longer of use. */
static int
settle_payload(struct index_txn *txn, struct index_meta *meta, const struct index_key *key,
    const struct index_payload *old, struct err *err)
{
	struct index_key want = index_key_u64(old->position);
	struct index_row row;
	int result = index_delete(txn, INDEX_WANTS, &want, err);

	if (result == 0)
		meta->wants--;
	for (;;) {
		if (result != 0 && result != ERR_NOT_FOUND)
			return result;
		result = index_seek(txn, INDEX_PROGRESS, key, &row, err);
		if (result == ERR_NOT_FOUND ||
		    (result == 0 && (row.key.size != key->size + 4 ||
		                        memcmp(row.key.bytes, key->bytes, key->size) != 0)))
			return 0;
		if (result == 0)
			result = index_delete(txn, INDEX_PROGRESS, &row.key, err);
	}
}

static int
put_want(struct index_txn *txn, struct index_meta *meta, const struct index_row *row,
    struct index_payload *payload, struct err *err)
{
	struct index_value value;
	struct index_want want;
	struct index_key key;

	payload->whole = false;
	payload->position = get_u64(row->value.bytes);
	memcpy(want.payload.root, row->key.bytes, HASH_SIZE);
	want.payload.size = get_u64(row->key.bytes + HASH_SIZE);
	want.place.log = get_u32(row->value.bytes + 8);
	want.place.index = get_u64(row->value.bytes + 12);
	key = index_key_u64(payload->position);
	value = index_want_encode(&want);
	meta->wants++;
	return index_put(txn, INDEX_WANTS, &key, &value, false, err);
}

/* One step of a payload: read its row, change it, write it. */
static int
step_payload(struct index_txn *txn, struct index_meta *meta, const struct index_row *row,
    bool whole, struct err *err)
{
	struct index_payload payload = {.whole = false, .position = 0};
	struct index_value value;
	int result = index_get(txn, INDEX_PAYLOADS, &row->key, &value, err);
	bool known = result == 0;

	if (result != 0 && result != ERR_NOT_FOUND)
		return result;
	if (known && !index_payload_decode(&payload, &value))
		return index_bad_row(INDEX_PAYLOADS, err);
	result = 0;
	if (!whole) {
		if (known)
			return 0;
		result = put_want(txn, meta, row, &payload, err);
	} else {
		if (!payload.whole) {
			result = settle_payload(txn, meta, &row->key, &payload, err);
			meta->payloads++;
			meta->payload_bytes += get_u64(row->key.bytes + HASH_SIZE);
		}
		payload.whole = true;
		payload.position = get_u64(row->value.bytes);
	}
	value = index_payload_encode(&payload);
	return result != 0 ? result : index_put(txn, INDEX_PAYLOADS, &row->key, &value, false, err);
}

/* Payloads are written before progress (the order of tables), so that the result is the same however
 * frames fall into batches. */
static int
put_progress(struct index_txn *txn, const struct index_row *row, struct err *err)
{
	struct index_payload payload = {.whole = false};
	struct index_value value;
	struct index_key key;
	int result;

	memcpy(key.bytes, row->key.bytes, HASH_SIZE + 8);
	key.size = HASH_SIZE + 8;
	result = index_get(txn, INDEX_PAYLOADS, &key, &value, err);
	if (result != 0 && result != ERR_NOT_FOUND)
		return result;
	if (result == 0 && !index_payload_decode(&payload, &value))
		return index_bad_row(INDEX_PAYLOADS, err);
	return payload.whole ? 0 :
	                       index_put(txn, INDEX_PROGRESS, &row->key, &row->value, false, err);
}

static int
write_row(struct index_txn *txn, struct index_meta *meta, const struct pending_row *pending,
    const struct index_row *row, struct err *err)
{
	enum index_table table = (enum index_table)pending->table;
	int result = 0;

	switch ((enum pending_change)pending->change) {
	case PENDING_PUT:
		return index_put(txn, table, &row->key, &row->value, false, err);
	case PENDING_KEEP:
		result = index_put(txn, table, &row->key, &row->value, true, err);
		return result == ERR_EXISTS ? 0 : result;
	case PENDING_DELETE:
		result = index_delete(txn, table, &row->key, err);
		return result == ERR_NOT_FOUND ? 0 : result;
	case PENDING_PROGRESS:
		return put_progress(txn, row, err);
	case PENDING_WANT:
		return step_payload(txn, meta, row, false, err);
	case PENDING_WHOLE:
		return step_payload(txn, meta, row, true, err);
	}
	return result;
}

int
pending_flush(
    struct pending *pending, struct index_txn *txn, struct index_meta *meta, struct err *err)
{
	struct index_row row;
	int result = 0;

	if (pending->err != 0)
		return err_set(err, ERR_MEMORY, "no memory for the index");
	if (pending->count > 1)
		qsort_r(pending->rows, pending->count, sizeof(*pending->rows), compare_rows,
		    pending->bytes.data);
	for (size_t i = 0; result == 0 && i < pending->count; i++) {
		load_row(pending, &pending->rows[i], &row);
		result = write_row(txn, meta, &pending->rows[i], &row, err);
	}
	pending->count = 0;
	buffer_clear(&pending->bytes);
	return result;
}
