/* A batch: frames for the journal and rows for the index, kept together until both are durable. */
#include <inttypes.h>
#include <stdlib.h>

#include "node/store/store_private.h"
#include "proto/hash.h"

#define SCRATCH_MAX (JOURNAL_HEADER + JOURNAL_BODY_MAX)

static struct store_batch *
batch_of(struct batch *batch)
{
	return (struct store_batch *)batch;
}

/* Errors stick: the first one is what every later call, and the commit, returns. */
static int
stick(struct store_batch *batch, int result, struct err *err)
{
	if (result != 0 && batch->failed == 0)
		batch->failed = result;
	if (result != 0 && err != NULL)
		*err = batch->error;
	return result;
}

static int
stuck(const struct store_batch *batch, struct err *err)
{
	if (batch->failed != 0 && err != NULL)
		*err = batch->error;
	return batch->failed;
}

int
store_batch_begin(struct storage *storage, struct batch **out, struct err *err)
{
	struct store *store = (struct store *)storage;
	struct store_batch *batch = calloc(1, sizeof(*batch));
	int result;

	*out = NULL;
	if (batch == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a batch");
	result = write_begin(store, &batch->write, err);
	if (result != 0) {
		free(batch);
		return result;
	}
	batch->base.calls = &store_calls;
	journal_writer_init(&batch->writer, &store->journal,
	    journal_unpack(batch->write.apply.meta.position), batch->write.apply.meta.sequence,
	    store->journal_file_max);
	buffer_init(&batch->scratch, SCRATCH_MAX);
	batch->snapshot.base.calls = &store_calls;
	batch->snapshot.store = store;
	batch->snapshot.txn = batch->write.txn;
	batch->snapshot.batch = batch;
	*out = &batch->base;
	return 0;
}

/* After a failure, or where nothing is to stand: the journal as it was. */
static void
take_back(struct store_batch *batch)
{
	struct err ignored;
	bool touched = journal_pack(batch->writer.at) != journal_pack(batch->writer.start);

	if (touched && journal_writer_undo(&batch->writer, &ignored) != 0)
		atomic_store(&batch->write.store->failed, true);
}

static void
free_batch(struct store_batch *batch)
{
	write_end(&batch->write);
	journal_writer_fini(&batch->writer);
	buffer_fini(&batch->scratch);
	free(batch);
}

int
store_batch_commit(struct batch *base, struct err *err)
{
	struct store_batch *batch = batch_of(base);
	bool empty = journal_pack(batch->writer.at) == journal_pack(batch->writer.start);
	int result = stuck(batch, err);

	if (result == 0 && !empty)
		result = apply_flush(&batch->write.apply, err);
	if (result == 0 && !empty)
		result = journal_writer_sync(&batch->writer, err);
	if (result == 0 && !empty)
		result = write_commit(&batch->write, err);
	if (result != 0)
		take_back(batch);
	free_batch(batch);
	return result;
}

void
store_batch_abort(struct batch *base)
{
	struct store_batch *batch = batch_of(base);

	take_back(batch);
	free_batch(batch);
}

struct snapshot *
store_batch_snapshot(struct batch *base)
{
	return &batch_of(base)->snapshot.base;
}

int
store_batch_settle(struct store_batch *batch, struct err *err)
{
	int result = stuck(batch, err);

	if (result == 0)
		result = journal_writer_flush(&batch->writer, &batch->error);
	if (result == 0)
		result = apply_flush(&batch->write.apply, &batch->error);
	return stick(batch, result, err);
}

/* Append a frame with its part bytes, and apply it as roll-forward would. */
static int
append_frame(struct store_batch *batch, enum journal_kind kind, struct view covered,
    const struct view *tail, size_t tail_count, struct err *err)
{
	struct journal_frame frame = {.header = {.kind = (uint8_t)kind}, .covered = covered};
	int result =
	    journal_writer_append(&batch->writer, &frame.at, kind, covered, tail, tail_count, err);

	if (result != 0)
		return result;
	frame.header.covered = (uint32_t)covered.size;
	frame.header.body = (uint32_t)covered.size;
	for (size_t i = 0; i < tail_count; i++)
		frame.header.body += (uint32_t)tail[i].size;
	frame.header.sequence = batch->writer.sequence;
	result = journal_frame_decode(&frame, err);
	return result != 0 ? result : apply_frame(&batch->write.apply, &frame, err);
}

int
store_batch_frame(
    struct store_batch *batch, enum journal_kind kind, struct view covered, struct err *err)
{
	int result = stuck(batch, err);

	if (result != 0)
		return result;
	return stick(batch, append_frame(batch, kind, covered, NULL, 0, &batch->error), err);
}

/* What was encoded into the scratch buffer. */
static int
append_scratch(struct store_batch *batch, enum journal_kind kind, struct err *err)
{
	if (batch->scratch.err != 0)
		return stick(batch,
		    err_set(&batch->error, ERR_LIMIT, "too many bytes for a frame of the journal"),
		    err);
	return store_batch_frame(batch, kind, buffer_view(&batch->scratch), err);
}

static int
check_value(struct store_batch *batch, struct view value, const char *what, struct err *err)
{
	int result = stuck(batch, err);

	buffer_clear(&batch->scratch);
	if (result == 0 && value.size > STORAGE_VALUE_MAX)
		return stick(batch,
		    err_set(&batch->error, ERR_LIMIT, "%zu bytes are too many for a %s", value.size,
		        what),
		    err);
	return result;
}

int
store_batch_log(struct batch *base, uint32_t *number, struct view vkey,
    const uint8_t organisation[static HASH_SIZE], struct err *err)
{
	struct store_batch *batch = batch_of(base);
	struct journal_log log = {.organisation = organisation, .vkey = vkey};
	uint8_t id[HASH_SIZE];
	struct index_value value;
	struct index_key key;
	int result = check_value(batch, vkey, "verifier key", err);

	if (result != 0)
		return result;
	hash_sha256(id, vkey);
	key = index_key_hash(id);
	result = snapshot_kept(&batch->snapshot.base, INDEX_LOG_IDS, &key, &value, &batch->error);
	if (result == 0 && !index_value_u32_decode(number, &value))
		result = index_bad_row(INDEX_LOG_IDS, &batch->error);
	if (result != ERR_NOT_FOUND)
		return stick(batch, result, err);
	*number = batch->write.apply.meta.logs;
	log.number = *number;
	journal_log_encode(&batch->scratch, &log);
	return append_scratch(batch, JOURNAL_LOG, err);
}

static int
check_part(const struct storage_part_given *part, struct err *err)
{
	size_t length = strlen(part->name);

	if (length == 0 || length > STORAGE_PART_NAME_MAX)
		return err_set(err, ERR_LIMIT, "a part's name has %zu bytes", length);
	if (part->bytes.size > STORAGE_PART_MAX)
		return err_set(err, ERR_LIMIT,
		    "the part %s has %zu bytes, above 256 KiB (design 5.2)", part->name,
		    part->bytes.size);
	return 0;
}

static struct journal_part
journal_part_of(const struct storage_part_given *part)
{
	return (struct journal_part){.name = view_text(part->name),
	    .digest = part->digest,
	    .size = (uint32_t)part->bytes.size,
	    .here = part->bytes.data != NULL};
}

static int
check_append(const struct store_batch *batch, const struct storage_append *append, struct err *err)
{
	int result = 0;

	if (batch->entries >= STORAGE_BATCH_MAX)
		return err_set(
		    err, ERR_LIMIT, "a batch takes %d entries at most", STORAGE_BATCH_MAX);
	if (append->record.size > STORAGE_RECORD_MAX || append->part_count > STORAGE_PARTS_MAX)
		return err_set(err, ERR_LIMIT, "a record of %zu bytes with %u parts (design 5.2)",
		    append->record.size, append->part_count);
	for (unsigned i = 0; result == 0 && i < append->part_count; i++)
		result = check_part(&append->parts[i], err);
	return result;
}

static int
append_entry(struct store_batch *batch, const struct storage_append *append, struct err *err)
{
	struct journal_entry entry = {.place = append->place,
	    .kind = append->kind,
	    .has_payload = append->payload != NULL,
	    .about = append->about,
	    .known = append->known,
	    .record = append->record,
	    .part_count = append->part_count};
	struct view tail[STORAGE_PARTS_MAX];
	uint8_t previous[HASH_SIZE];
	uint8_t id[HASH_SIZE];
	struct apply_log *log;
	struct journal_at at;
	int result = apply_log(&batch->write.apply, append->place.log, &log, err);

	if (result == ERR_NOT_FOUND)
		return err_set(err, ERR_USAGE, "there is no log %" PRIu32, append->place.log);
	if (result != 0)
		return result;
	if (append->place.index != log->row.size)
		return err_set(err, ERR_USAGE,
		    "entry %" PRIu64 " of log %" PRIu32 " is not the next one: it has %" PRIu64,
		    append->place.index, append->place.log, log->row.size);
	tree_leaf(id, append->record);
	if (memcmp(id, append->id, HASH_SIZE) != 0)
		return err_set(err, ERR_FORGED, "a record whose id is another one's");
	result = apply_grow(&batch->write.apply, log, id, previous, err);
	if (result != 0)
		return result;
	entry.root = log->row.root;
	entry.previous = previous;
	if (append->payload != NULL)
		entry.payload = *append->payload;
	for (unsigned i = 0; i < append->part_count; i++) {
		entry.parts[i] = journal_part_of(&append->parts[i]);
		tail[i] = append->parts[i].bytes;
	}
	buffer_clear(&batch->scratch);
	journal_entry_encode(&batch->scratch, &entry);
	if (batch->scratch.err != 0)
		return err_set(err, ERR_MEMORY, "no memory for an entry");
	result = journal_writer_append(&batch->writer, &at, JOURNAL_ENTRY,
	    buffer_view(&batch->scratch), tail, append->part_count, err);
	if (result != 0)
		return result;
	apply_entry_rows(&batch->write.apply, log, &entry, id, at);
	batch->write.apply.meta.sequence = batch->writer.sequence;
	batch->write.apply.meta.position = journal_pack(batch->writer.at);
	batch->entries++;
	return 0;
}

int
store_batch_append(struct batch *base, const struct storage_append *append, struct err *err)
{
	struct store_batch *batch = batch_of(base);
	int result = stuck(batch, err);

	if (result != 0)
		return result;
	result = check_append(batch, append, &batch->error);
	if (result == 0)
		result = append_entry(batch, append, &batch->error);
	return stick(batch, result, err);
}

int
store_batch_part(struct batch *base, struct storage_place place,
    const struct storage_part_given *part, struct err *err)
{
	struct store_batch *batch = batch_of(base);
	struct journal_late_part late = {.place = place};
	int result = store_batch_settle(batch, err);

	if (result != 0)
		return result;
	result = check_part(part, &batch->error);
	if (result == 0 && part->bytes.data == NULL)
		result = err_set(&batch->error, ERR_USAGE, "a late part without bytes");
	if (result == 0) {
		late.part = journal_part_of(part);
		buffer_clear(&batch->scratch);
		journal_part_encode(&batch->scratch, &late);
		result = append_frame(batch, JOURNAL_PART, buffer_view(&batch->scratch),
		    &part->bytes, 1, &batch->error);
	}
	return stick(batch, result, err);
}

int
store_batch_payload(struct batch *base, const struct storage_location *location, struct err *err)
{
	struct store_batch *batch = batch_of(base);

	buffer_clear(&batch->scratch);
	journal_payload_encode(&batch->scratch, location);
	return append_scratch(batch, JOURNAL_PAYLOAD, err);
}

int
store_batch_statement(struct batch *base, const uint8_t organisation[static HASH_SIZE],
    struct view statement, struct err *err)
{
	struct store_batch *batch = batch_of(base);
	struct journal_statement frame = {.organisation = organisation, .statement = statement};
	int result = check_value(batch, statement, "statement", err);

	if (result != 0)
		return result;
	journal_statement_encode(&batch->scratch, &frame);
	return append_scratch(batch, JOURNAL_STATEMENT, err);
}

int
store_batch_head(struct batch *base, uint32_t log, uint64_t size, struct view note, struct err *err)
{
	struct store_batch *batch = batch_of(base);
	struct journal_head head = {.log = log, .size = size, .note = note};
	int result = check_value(batch, note, "note", err);

	if (result != 0)
		return result;
	journal_head_encode(&batch->scratch, &head);
	return append_scratch(batch, JOURNAL_HEAD, err);
}

int
store_batch_signing(struct batch *base, uint32_t log, uint64_t size,
    const uint8_t root[static HASH_SIZE], struct err *err)
{
	struct store_batch *batch = batch_of(base);
	struct journal_signing signing = {.log = log, .size = size, .root = root};
	uint8_t last_root[HASH_SIZE];
	uint64_t last = 0;
	int result = store_batch_settle(batch, err);

	if (result != 0)
		return result;
	result =
	    store_snapshot_signing(&batch->snapshot.base, &last, last_root, log, &batch->error);
	if (result == 0 &&
	    (size < last || (size == last && memcmp(root, last_root, HASH_SIZE) != 0)))
		result = err_set(&batch->error, ERR_REFUSED,
		    "log %" PRIu32 " was signed at size %" PRIu64 ": signing size %" PRIu64
		    " beside it would fork it (design 5.4)",
		    log, last, size);
	if (result != 0 && result != ERR_NOT_FOUND)
		return stick(batch, result, err);
	buffer_clear(&batch->scratch);
	journal_signing_encode(&batch->scratch, &signing);
	return append_scratch(batch, JOURNAL_SIGNING, err);
}

int
store_batch_fact(
    struct batch *base, enum storage_fact kind, struct view key, struct view value, struct err *err)
{
	struct store_batch *batch = batch_of(base);
	struct journal_fact fact = {
	    .kind = (uint8_t)kind, .set = value.data != NULL, .key = key, .value = value};
	int result = check_value(batch, value, "fact", err);

	if (result != 0)
		return result;
	if (key.size == 0 || key.size > STORAGE_KEY_MAX)
		return stick(batch,
		    err_set(&batch->error, ERR_LIMIT, "a fact's key has %zu bytes", key.size), err);
	journal_fact_encode(&batch->scratch, &fact);
	return append_scratch(batch, JOURNAL_FACT, err);
}
