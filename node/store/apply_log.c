/* The trees of logs: loaded from the index, checked, and grown. */
#include <inttypes.h>
#include <stdlib.h>

#include "node/store/apply.h"
#include "proto/hash.h"

struct node_source {
	struct index_txn *txn;
	uint32_t log;
	struct err *err;
};

static int
read_node(void *cookie, unsigned level, uint64_t index, uint8_t hash[static HASH_SIZE])
{
	struct node_source *source = cookie;
	int result = index_node_get(source->txn, hash, source->log, level, index, source->err);

	return result == ERR_NOT_FOUND ? index_bad_row(INDEX_NODES, source->err) : result;
}

/*
 * A root that is about to be extended, and then signed, must not rest on the index alone: the
 * journal's last entry of the log says what it is.
 */
static int
check_last(struct apply *apply, const struct apply_log *log, struct err *err)
{
	struct journal_frame frame;
	int result =
	    journal_read(apply->journal, &frame, &apply->bytes, journal_unpack(log->row.last), err);

	if (result != 0) {
		(void)err_wrap(err, "the last entry of log %" PRIu32, log->number);
		return result;
	}
	if (frame.kind != JOURNAL_ENTRY || frame.entry.place.log != log->number ||
	    frame.entry.place.index != log->row.size - 1 ||
	    memcmp(frame.entry.root, log->row.root, HASH_SIZE) != 0)
		return index_bad_row(INDEX_LOGS, err);
	return 0;
}

static int
load_tree(struct apply *apply, struct apply_log *log, struct err *err)
{
	struct node_source source = {.txn = apply->txn, .log = log->number, .err = err};
	uint8_t root[HASH_SIZE];
	int result;

	tree_init(&log->tree);
	if (log->row.size == 0 || log->row.broken)
		return 0;
	result = tree_load(&log->tree, log->row.size, read_node, &source);
	if (result != 0)
		return result;
	tree_root(&log->tree, root);
	if (memcmp(root, log->row.root, HASH_SIZE) != 0)
		return index_bad_row(INDEX_NODES, err);
	return apply->rebuild ? 0 : check_last(apply, log, err);
}

static int
keep_log(struct apply *apply, struct apply_log *log, struct err *err)
{
	struct apply_log **logs =
	    realloc(apply->logs, (apply->log_count + 1) * sizeof(struct apply_log *));

	if (logs == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a log");
	apply->logs = logs;
	logs[apply->log_count++] = log;
	return 0;
}

int
apply_log(struct apply *apply, uint32_t number, struct apply_log **out, struct err *err)
{
	struct apply_log *log;
	int result;

	for (size_t i = 0; i < apply->log_count; i++) {
		*out = apply->logs[i];
		if ((*out)->number == number)
			return 0;
	}
	log = calloc(1, sizeof(*log));
	if (log == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a log");
	log->number = number;
	result = index_log_get(apply->txn, number, &log->row, err);
	log->counted = log->row.size;
	if (result == 0)
		result = load_tree(apply, log, err);
	if (result == 0)
		result = keep_log(apply, log, err);
	if (result != 0) {
		free(log);
		return result;
	}
	*out = log;
	return 0;
}

int
apply_new_log(struct apply *apply, const struct journal_frame *frame, struct err *err)
{
	struct apply_log *log;
	struct index_value number = index_value_u32(frame->log.number);
	struct index_key key;
	int result;

	if (frame->log.number < apply->meta.logs ||
	    (frame->log.number != apply->meta.logs && !apply->rebuild))
		return err_set(err, ERR_DAMAGED, "log %" PRIu32 " follows log %" PRIu32,
		    frame->log.number, apply->meta.logs);
	log = calloc(1, sizeof(*log));
	if (log == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a log");
	log->number = frame->log.number;
	log->dirty = true;
	hash_sha256(log->row.id, frame->log.vkey);
	memcpy(log->row.organisation, frame->log.organisation, HASH_SIZE);
	log->row.position = journal_pack(frame->at);
	tree_init(&log->tree);
	tree_root(&log->tree, log->row.root);
	result = keep_log(apply, log, err);
	if (result != 0) {
		free(log);
		return result;
	}
	key = index_key_hash(log->row.id);
	pending_add(&apply->pending, PENDING_KEEP, INDEX_LOG_IDS, &key, &number);
	apply->meta.logs = frame->log.number + 1;
	return 0;
}

struct node_target {
	struct apply *apply;
	uint32_t log;
};

static int
note_node(void *cookie, unsigned level, uint64_t index, const uint8_t hash[static HASH_SIZE])
{
	struct node_target *target = cookie;
	struct index_key key = index_key_node(target->log, level, index);
	struct index_value value = index_value_hash(hash);

	if (level > 0) /* level 0 stands with the entries */
		pending_add(&target->apply->pending, PENDING_PUT, INDEX_NODES, &key, &value);
	return 0;
}

int
apply_grow(struct apply *apply, struct apply_log *log, const uint8_t id[static HASH_SIZE],
    uint8_t previous[static HASH_SIZE], struct err *err)
{
	struct node_target target = {.apply = apply, .log = log->number};
	int result;

	if (log->row.broken)
		return err_set(err, ERR_DAMAGED,
		    "log %" PRIu32
		    " has lost entries in the journal and can take no more until they are back",
		    log->number);
	memcpy(previous, log->row.last_id, HASH_SIZE);
	result = tree_append(&log->tree, id, note_node, &target);
	if (result != 0)
		return err_set(
		    err, (enum err_code)result, "log %" PRIu32 ": its tree is full", log->number);
	tree_root(&log->tree, log->row.root);
	memcpy(log->row.last_id, id, HASH_SIZE);
	log->row.size++;
	log->dirty = true;
	return 0;
}

int
apply_over_gap(
    struct apply *apply, struct apply_log *log, const struct journal_entry *entry, struct err *err)
{
	struct storage_place place = {.log = log->number, .index = log->row.size};
	struct index_entry row = {.position = 0, .kind = STORAGE_KIND_OPAQUE};
	struct index_value value;
	struct index_key key;
	uint8_t previous[HASH_SIZE];

	if (entry->place.index <= log->row.size)
		return 0;
	if (entry->place.index != log->row.size + 1 || log->row.broken) {
		log->row.broken = true;
		log->row.size = entry->place.index;
		log->dirty = true;
		return 0;
	}
	memcpy(row.id, entry->previous, HASH_SIZE);
	key = index_key_place(place);
	value = index_entry_encode(&row);
	pending_add(&apply->pending, PENDING_PUT, INDEX_ENTRIES, &key, &value);
	key = index_key_id(row.id, place.log);
	value = index_value_u64(place.index);
	pending_add(&apply->pending, PENDING_KEEP, INDEX_IDS, &key, &value);
	apply->meta.entries++;
	return apply_grow(apply, log, entry->previous, previous, err);
}
