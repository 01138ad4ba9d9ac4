/* Segments are claimed, cut to what is referred to, and appended to. */
#include "node/store/segment.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/store/disk.h"

int
segment_claim_init(struct segment_claim *claim, struct store *store, struct err *err)
{
	claim->store = store;
	claim->number = 0;
	claim->base = 0;
	claim->end = 0;
	claim->held = NULL;
	claim->held_count = 0;
	return disk_open(store->dir, LOCK_NAME, O_RDWR, &claim->lock, err);
}

void
segment_claim_fini(struct segment_claim *claim)
{
	if (claim->lock >= 0)
		(void)close(claim->lock);
	claim->lock = -1;
	free(claim->held);
	claim->held = NULL;
	claim->held_count = 0;
}

/* The kernel would give this claim's own locks to it again, and what it has appended there is not
 * in the index yet. */
static bool
is_held(const struct segment_claim *claim, uint32_t number)
{
	for (size_t i = 0; i < claim->held_count; i++) {
		if (claim->held[i] == number)
			return true;
	}
	return false;
}

static int
hold(struct segment_claim *claim, uint32_t number, uint64_t end, struct err *err)
{
	uint32_t *held = realloc(claim->held, (claim->held_count + 1) * sizeof(*held));

	if (held == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a segment");
	held[claim->held_count] = number;
	claim->held = held;
	claim->held_count++;
	claim->number = number;
	claim->base = end;
	claim->end = end;
	return 0;
}

static int
segment_end(struct index_txn *txn, uint32_t number, uint64_t *end, struct err *err)
{
	struct index_key key = index_key_u32(number);
	struct index_value value;
	int result = index_get(txn, INDEX_SEGMENTS, &key, &value, err);

	*end = 0;
	if (result == ERR_NOT_FOUND)
		return 0;
	if (result == 0 && !index_segment_decode(end, number, &value))
		return index_bad_row(INDEX_SEGMENTS, err);
	return result;
}

/* Rows that an old page of the index might show have other ends than meta's sum says. */
static int
check_sum(struct index_txn *txn, const struct index_meta *meta, struct err *err)
{
	struct index_key key = index_key_u32(0);
	struct index_row row;
	uint64_t sum = 0;
	uint64_t end;
	uint32_t count = 0;
	int result;

	while ((result = index_seek(txn, INDEX_SEGMENTS, &key, &row, err)) == 0) {
		if (row.key.size != 4 ||
		    !index_segment_decode(&end, get_u32(row.key.bytes), &row.value))
			return index_bad_row(INDEX_SEGMENTS, err);
		sum += end;
		count++;
		key = row.key;
		key.bytes[key.size++] = 0;
	}
	if (result != ERR_NOT_FOUND)
		return result;
	if (sum != meta->segment_sum || count != meta->segments)
		return index_bad_row(INDEX_SEGMENTS, err);
	return 0;
}

/* Cut what a crashed writer left.  *fits is false if the segment has less than it should. */
static int
cut_segment(struct store *store, uint32_t number, uint64_t end, bool *fits, struct err *err)
{
	struct file_use use;
	uint64_t size = 0;
	int result = files_get(&store->segments, number, &use, err);

	if (result != 0)
		return result;
	result = disk_size(use.fd, &size, use.name, err);
	*fits = size >= end;
	if (result == 0 && size > end)
		result = disk_truncate(use.fd, end, use.name, err);
	files_put(&store->segments, &use);
	return result;
}

/* Lock the segment if it has room; *taken says whether. */
static int
try_segment(struct segment_claim *claim, struct index_txn *txn, uint32_t number, bool *taken,
    struct err *err)
{
	uint64_t end;
	int result = segment_end(txn, number, &end, err);

	*taken = false;
	if (result != 0 || end >= claim->store->segment_max)
		return result;
	result = disk_lock(claim->lock, LOCK_SEGMENT(number), false, err);
	if (result == ERR_EXISTS)
		return 0;
	if (result == 0)
		result = cut_segment(claim->store, number, end, taken, err);
	if (result == 0 && *taken)
		result = hold(claim, number, end, err);
	return result;
}

int
segment_claim_within(struct segment_claim *claim, struct store_write *write, struct err *err)
{
	uint32_t last;
	bool taken = false;
	int result = check_sum(write->txn, &write->apply.meta, err);

	if (result == 0)
		result = files_last(&claim->store->segments, &last, err);
	for (uint32_t number = 1; result == 0 && !taken && number <= last; number++) {
		if (!is_held(claim, number) && files_exist(&claim->store->segments, number))
			result = try_segment(claim, write->txn, number, &taken, err);
	}
	while (result == 0 && !taken) {
		last++;
		result = files_make(&claim->store->segments, last, err);
		if (result == 0)
			result = try_segment(claim, write->txn, last, &taken, err);
	}
	return result;
}

int
segment_claim_next(struct segment_claim *claim, struct err *err)
{
	struct store_write write;
	int result = write_begin(claim->store, &write, err);

	if (result != 0)
		return result;
	result = segment_claim_within(claim, &write, err);
	write_end(&write);
	return result;
}
