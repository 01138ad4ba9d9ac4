/* Who may hold the own log (`share`), and records found by the beginning of their id. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/archive_internal.h"
#include "proto/text.h"

#define SHARE_MAX 1024 /* organisations: what fits a record with room to spare */
#define FOUND_MAX 8

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, HASH_SIZE);
}

/* Is the last share of the own log the same?  ERR_NOT_FOUND: there is none. */
static int
last_share(const struct archive *archive, struct snapshot *snapshot,
    const uint8_t (*ids)[HASH_SIZE], unsigned count, bool *same, struct err *err)
{
	struct storage_place place = {.log = archive->self.number};
	struct storage_entry entry;
	struct record record;
	struct buffer bytes;
	unsigned i;
	int code =
	    snapshot_kind_last(snapshot, &place.index, place.log, (uint8_t)RECORD_SHARE, err);

	if (code != 0)
		return code;
	buffer_init(&bytes, RECORD_MAX);
	code = snapshot_entry(snapshot, &entry, &bytes, place, err);
	if (code == 0)
		code = record_parse(&record, entry.record, err);
	*same = code == 0 && record.as.share.count == count;
	for (i = 0; *same && i < count; i++)
		*same = memcmp(share_at(&record.as.share, i), ids[i], HASH_SIZE) == 0;
	buffer_fini(&bytes);
	return code;
}

int
archive_append_share(const struct archive *archive, struct batch *batch,
    const uint8_t secret[static RECORD_SECRET], const uint8_t (*organisations)[HASH_SIZE],
    unsigned count, uint64_t time, struct err *err)
{
	uint8_t(*ids)[HASH_SIZE];
	struct buffer body;
	bool same = false;
	unsigned kept = 0;
	unsigned i;
	int code;

	if (count > SHARE_MAX)
		return err_set(err, ERR_LIMIT, "more than %d organisations", SHARE_MAX);
	ids = malloc((size_t)count * HASH_SIZE + 1);
	if (ids == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a share");
	if (count > 0)
		memcpy(ids, organisations, (size_t)count * HASH_SIZE);
	qsort(ids, count, HASH_SIZE, compare_ids);
	for (i = 0; i < count; i++) {
		if (kept == 0 || memcmp(ids[kept - 1], ids[i], HASH_SIZE) != 0)
			memmove(ids[kept++], ids[i], HASH_SIZE);
	}
	code = last_share(
	    archive, batch_snapshot(batch), (const uint8_t(*)[HASH_SIZE])ids, kept, &same, err);
	if (code == ERR_NOT_FOUND)
		code = 0;
	if (code == 0 && !same) {
		buffer_init(&body, RECORD_MAX);
		share_pack(&body, (const uint8_t(*)[HASH_SIZE])ids, kept, time);
		code = archive_append_signed(
		    archive, batch, secret, RECORD_SHARE, buffer_view(&body), NULL, 0, NULL, err);
		buffer_fini(&body);
	}
	free(ids);
	return code;
}

int
archive_share(struct archive *archive, const uint8_t (*organisations)[HASH_SIZE], unsigned count,
    uint64_t time, struct err *err)
{
	uint8_t *secret = sodium_malloc(RECORD_SECRET);
	struct batch *batch = NULL;
	int code;

	if (secret == NULL)
		return err_set(err, ERR_MEMORY, "no locked memory for a key");
	code = archive_record_secret(archive, secret, err);
	if (code == 0)
		code = batch_begin(archive->storage, &batch, err);
	if (code == 0) {
		code =
		    archive_append_share(archive, batch, secret, organisations, count, time, err);
		if (code == 0)
			code = batch_commit(batch, err);
		else
			batch_abort(batch);
	}
	sodium_free(secret);
	return code;
}

/* ---- records by the beginning of their id --------------------------------------------------- */

/* Nibbles of lower- or upper-case hex, left-aligned; false for anything else. */
static bool
parse_prefix(uint8_t prefix[static HASH_SIZE], struct view hex)
{
	char digits[2 * HASH_SIZE + 1];
	size_t i;

	if (hex.size > 2 * HASH_SIZE)
		return false;
	memset(digits, '0', 2 * HASH_SIZE);
	for (i = 0; i < hex.size; i++) {
		uint8_t digit = hex.data[i];

		digits[i] = (char)(digit >= 'A' && digit <= 'F' ? digit + ('a' - 'A') : digit);
	}
	return text_unhex(prefix, HASH_SIZE, view_of(digits, 2 * HASH_SIZE));
}

/* The same record in several logs is one: its own log's, else the first. */
static int
choose(struct snapshot *snapshot, const struct storage_place *places, size_t count,
    struct storage_place *place, uint8_t id[static HASH_SIZE], struct view hex, struct err *err)
{
	size_t i;

	for (i = 0; i < count; i++) {
		uint8_t other[HASH_SIZE];
		char text[2 * HASH_SIZE + 1];
		char first[2 * HASH_SIZE + 1];
		int code = snapshot_entry_id(snapshot, other, NULL, places[i], err);

		if (code != 0)
			return code;
		if (i == 0) {
			memcpy(id, other, HASH_SIZE);
			*place = places[i];
		} else if (memcmp(id, other, HASH_SIZE) != 0) {
			text_hex(first, view_of(id, HASH_SIZE));
			text_hex(text, view_of(other, HASH_SIZE));
			return err_set(err, ERR_USAGE,
			    "several records begin with %.*s: %.16s, %.16s%s", (int)hex.size,
			    (const char *)hex.data, first, text, count > 2 ? " and more" : "");
		}
	}
	return 0;
}

int
archive_find(struct archive *archive, struct view hex, struct storage_place *place,
    uint8_t id[static HASH_SIZE], struct err *err)
{
	struct storage_place places[FOUND_MAX];
	struct snapshot *snapshot = NULL;
	uint8_t prefix[HASH_SIZE];
	size_t count = 0;
	int code;

	if (!parse_prefix(prefix, hex))
		return err_set(err, ERR_USAGE, "a record id is up to 64 hex digits");
	if (hex.size < ARCHIVE_ID_MIN)
		return err_set(
		    err, ERR_USAGE, "give at least %d hex digits of the record id", ARCHIVE_ID_MIN);
	code = snapshot_begin(archive->storage, &snapshot, err);
	if (code == 0)
		code = snapshot_find(
		    snapshot, places, FOUND_MAX, &count, prefix, (unsigned)hex.size, err);
	if (code == 0 && count == 0)
		code = err_set(err, ERR_NOT_FOUND, "no record begins with %.*s", (int)hex.size,
		    (const char *)hex.data);
	if (code == 0)
		code = choose(snapshot, places, count, place, id, hex, err);
	snapshot_end(snapshot);
	return code;
}
