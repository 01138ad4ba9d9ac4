/* Proofs, out of the stored nodes of a log's tree and its newest checkpoint. */
#include <inttypes.h>

#include "node/log/log.h"
#include "proto/note.h"
#include "proto/tile.h"
#include "proto/tlogproof.h"

int
log_checkpoint(struct snapshot *snapshot, uint32_t number, struct buffer *note, uint64_t *size,
    struct err *err)
{
	int result = snapshot_head_last(snapshot, note, size, number, err);

	if (result == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, "no checkpoint of this log is signed yet");
	return result;
}

static int
prove_in(struct snapshot *snapshot, struct buffer *out, struct storage_place place, uint64_t size,
    struct view note, struct err *err)
{
	struct snapshot_tree tree = {.snapshot = snapshot, .log = place.log, .err = err};
	struct tree_proof proof;
	int result;

	if (place.index >= size)
		return err_set(err, ERR_NOT_FOUND,
		    "record %" PRIu64 " is not signed yet: the newest checkpoint holds %" PRIu64,
		    place.index, size);
	result = tree_prove_inclusion(&proof, place.index, size, snapshot_tree_read, &tree);
	if (result != 0)
		return result;
	tlogproof_write(out, view_of(NULL, 0), place.index, &proof, note);
	if (out->err != 0)
		return err_set(err, (enum err_code)out->err, "no room for a proof");
	return 0;
}

int
log_prove(
    struct snapshot *snapshot, struct buffer *out, uint32_t number, uint64_t index, struct err *err)
{
	struct storage_place place = {.log = number, .index = index};
	struct buffer note;
	uint64_t size;
	int result;

	buffer_init(&note, STORAGE_BYTES_MAX);
	result = log_checkpoint(snapshot, number, &note, &size, err);
	if (result == 0)
		result = prove_in(snapshot, out, place, size, buffer_view(&note), err);
	buffer_fini(&note);
	return result;
}

int
log_prove_consistency(struct snapshot *snapshot, struct tree_proof *proof, uint32_t number,
    uint64_t from, uint64_t to, struct err *err)
{
	struct snapshot_tree tree = {.snapshot = snapshot, .log = number, .err = err};
	struct storage_log log;
	int result = snapshot_log(snapshot, &log, number, err);

	if (result != 0)
		return result;
	if (from > to || to > log.size)
		return err_set(err, ERR_USAGE,
		    "no proof from %" PRIu64 " to %" PRIu64 ": the log has %" PRIu64 " records",
		    from, to, log.size);
	return tree_prove_consistency(proof, from, to, snapshot_tree_read, &tree);
}

int
log_bundle(struct snapshot *snapshot, struct buffer *out, uint32_t number, uint64_t from,
    uint64_t to, struct err *err)
{
	struct storage_place place = {.log = number, .index = from};
	struct storage_entry entry;
	struct buffer bytes;
	int result = 0;

	buffer_init(&bytes, STORAGE_BYTES_MAX);
	for (; result == 0 && place.index < to; place.index++) {
		result = snapshot_entry(snapshot, &entry, &bytes, place, err);
		if (result == 0) {
			tile_append_entry(out, entry.record);
			result = out->err;
		}
	}
	buffer_fini(&bytes);
	return result;
}
