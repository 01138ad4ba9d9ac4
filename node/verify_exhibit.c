/* One exhibit: record, charter, place in the log, parts, payload, file (cli.md `verify`). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/verify_internal.h"
#include "proto/checkpoint.h"
#include "proto/tlogproof.h"
#include "proto/tree.h"

void
verify_problem(struct verify_item *item, enum verify_result result, const char *format, ...)
{
	char text[ERR_TEXT_MAX];
	va_list arguments;

	/* Damage is worse than absence: what is missing can be fetched. */
	if (item->result == VERIFY_INTACT || result == VERIFY_DAMAGED)
		item->result = result == VERIFY_INTACT ? item->result : result;
	if (item->problem_count == VERIFY_PROBLEMS)
		return;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	item->problems[item->problem_count] = strdup(text);
	if (item->problems[item->problem_count] != NULL)
		item->problem_count++;
}

void
verify_item_fini(struct verify_item *item)
{
	while (item->problem_count > 0)
		free(item->problems[--item->problem_count]);
	free(item->name);
	item->name = NULL;
}

/* What the archive found wrong, or that it could not look at all. */
static int
judge_code(struct verify_item *item, const char *what, int code, const struct err *why)
{
	switch ((enum err_code)code) {
	case ERR_NONE:
		return 0;
	case ERR_MALFORMED:
	case ERR_FORGED:
	case ERR_DAMAGED:
	case ERR_REFUSED:
	case ERR_LIMIT:
		verify_problem(item, VERIFY_DAMAGED, "%s: %s", what, err_text(why));
		return 0;
	case ERR_MISSING:
	case ERR_NOT_FOUND:
		verify_problem(item, VERIFY_MISSING, "%s: %s", what, err_text(why));
		return 0;
	case ERR_LOCKED:
	case ERR_USAGE:
	case ERR_EXISTS:
	case ERR_MEMORY:
	case ERR_IO:
	case ERR_FULL:
	case ERR_INDEX:
	case ERR_NETWORK:
	case ERR_TIMEOUT:
	case ERR_CHANGED:
	case ERR_UNKNOWN:
	case ERR_VERSION:
	case ERR_CANCELLED:
		return code;
	}
	return code;
}

/* ---- record and charter --------------------------------------------------------------------- */

static bool
log_of(void *cookie, const uint8_t record[static HASH_SIZE], uint8_t log[static HASH_SIZE])
{
	struct verify_worker *worker = cookie;
	struct storage_place place;
	struct storage_log held;
	size_t count = 0;

	if (snapshot_find(worker->snapshot, &place, 1, &count, record, 64, NULL) != 0 ||
	    count == 0 || snapshot_log(worker->snapshot, &held, place.log, NULL) != 0)
		return false;
	memcpy(log, held.id, HASH_SIZE);
	return true;
}

static int
make_judge(struct verify_worker *worker, uint32_t log, struct err *err)
{
	const struct judge_library library = {.log_of = log_of, .cookie = worker};
	struct storage_log held;
	int code;

	if (worker->judges[log].judge != NULL)
		return 0;
	code = snapshot_log(worker->snapshot, &held, log, err);
	if (code != 0)
		return code;
	worker->judges[log].judge = judge_new(held.id, &library);
	return worker->judges[log].judge == NULL ?
	           err_set(err, ERR_MEMORY, "no memory to judge a log") :
	           0;
}

/* The next charter or freeze record at or after ${from}; UINT64_MAX if there is none. */
static uint64_t
next_change(struct snapshot *snapshot, uint32_t log, uint64_t from)
{
	static const enum record_kind kinds[] = {RECORD_CHARTER, RECORD_FREEZE};
	uint64_t best = UINT64_MAX;
	unsigned i;

	for (i = 0; i < 2; i++) {
		uint64_t index = from == 0 ? STORAGE_START : from - 1;

		if (snapshot_kind_next(snapshot, &index, log, (uint8_t)kinds[i], NULL) == 0 &&
		    index < best)
			best = index;
	}
	return best;
}

/* Feed what comes before ${index} and changes what comes after it. */
static int
feed_judge(struct verify_worker *worker, uint32_t log, uint64_t index, struct err *err)
{
	struct log_judge *own = &worker->judges[log];
	struct storage_place place = {.log = log};
	enum judge_verdict verdict;
	struct storage_entry entry;
	int code = make_judge(worker, log, err);

	while (code == 0 && own->fed < index) {
		place.index = next_change(worker->snapshot, log, own->fed);
		if (place.index >= index) {
			own->fed = index;
			return 0;
		}
		code = snapshot_entry(worker->snapshot, &entry, &worker->record, place, err);
		if (code == 0 && judge_entry(own->judge, entry.record, &verdict, NULL) != 0)
			own->refused = 1;
		/* A damaged charter record is told of where it stands. */
		if (code == ERR_DAMAGED)
			code = 0;
		own->fed = place.index + 1;
	}
	return code;
}

static void
judge_record(
    struct verify_worker *worker, uint32_t log, struct verify_item *item, struct view record)
{
	struct log_judge *own = &worker->judges[log];
	enum judge_verdict verdict = JUDGE_GOOD;
	struct err why = {.code = 0};

	if (own->fed <= item->index) {
		if (judge_entry(own->judge, record, &verdict, &why) != 0)
			own->refused = 1;
		own->fed = item->index + 1;
	}
	if (own->refused) {
		verify_problem(
		    item, VERIFY_DAMAGED, "its log does not begin with its charter (design 5.2)");
		return;
	}
	switch (verdict) {
	case JUDGE_GOOD:
	case JUDGE_BEGINNING:
	case JUDGE_UNKNOWN:
		return;
	case JUDGE_CONTESTED:
		verify_problem(item, VERIFY_INTACT,
		    "contested: it stands past the last-good of a revocation (design 5.5)");
		return;
	case JUDGE_BAD:
		verify_problem(item, VERIFY_DAMAGED, "its record is bad: %s", err_text(&why));
		return;
	}
}

/* Inclusion in the newest checkpoint, for single records; whole logs are checked by their trees. */
static int
check_inclusion(
    struct verify_worker *worker, uint32_t log, struct verify_item *item, struct err *err)
{
	struct checkpoint checkpoint;
	struct tlogproof proof;
	struct buffer bytes;
	struct vkey vkey;
	struct note note;
	struct err why = {.code = 0};
	int code;

	buffer_init(&bytes, STORAGE_BYTES_MAX);
	code = snapshot_log_vkey(worker->snapshot, &worker->part, log, err);
	if (code == 0)
		code = vkey_parse(&vkey, buffer_view(&worker->part), err);
	if (code == 0)
		code = log_prove(worker->snapshot, &bytes, log, item->index, &why);
	if (code == ERR_NOT_FOUND) { /* not signed yet */
		buffer_fini(&bytes);
		return 0;
	}
	if (code == 0)
		code = tlogproof_parse(&proof, buffer_view(&bytes), &why);
	if (code == 0)
		code = tlogproof_check(&proof, item->id, &vkey, &checkpoint, &note, &why);
	item->is_signed = code == 0;
	buffer_fini(&bytes);
	if (code != 0)
		code = judge_code(item, "its place in the log", code, &why);
	if (code != 0 && err != NULL)
		*err = why;
	return code;
}

/* ---- parts and payload ---------------------------------------------------------------------- */

/* The digest that the store keeps for a part, by which it checks what it reads, is the record's. */
static bool
same_digest(const struct archive_exhibit *exhibit, enum part part)
{
	const uint8_t *digest = exhibit->record.as.deposit.parts.digests[part];
	unsigned i;

	for (i = 0; i < exhibit->entry.part_count; i++) {
		if (strcmp(exhibit->entry.parts[i].name, part_name(part)) == 0)
			return memcmp(exhibit->entry.parts[i].digest, digest, HASH_SIZE) == 0;
	}
	return false;
}

static int
check_parts(struct verify_worker *worker, struct verify_item *item, struct err *err)
{
	const struct archive_exhibit *exhibit = &worker->reader->exhibit;
	unsigned part;
	int code = 0;

	for (part = 0; part < PART_COUNT && code == 0; part++) {
		struct err why = {.code = 0};

		if (exhibit->record.as.deposit.parts.digests[part] == NULL)
			continue;
		if ((worker->reader->loaded & PART_BIT(part)) == 0)
			code = snapshot_part(worker->snapshot, &worker->part, exhibit->place,
			    part_name((enum part)part), &why);
		if (code == 0 && !same_digest(exhibit, (enum part)part))
			code = err_set(
			    &why, ERR_DAMAGED, "the store keeps another part than the record's");
		code = judge_code(item, part_name((enum part)part), code, &why);
		if (code != 0 && err != NULL)
			*err = why;
	}
	return code;
}

static void
count_bytes(void *cookie, uint64_t done, uint64_t all)
{
	struct verify *verify = cookie;
	uint64_t leaf = done % POOL_SEALED == 0 ? POOL_SEALED : done % POOL_SEALED;

	(void)all;
	(void)pthread_mutex_lock(&verify->lock);
	verify->bytes += leaf;
	(void)pthread_mutex_unlock(&verify->lock);
}

static int
read_payload(struct verify *verify, struct verify_worker *worker, struct pool_thread *thread,
    struct archive_leaves *leaves, struct err *err)
{
	const struct archive_exhibit *exhibit = &worker->reader->exhibit;
	struct storage_payload named = {.size = exhibit->record.as.deposit.size};
	int code;

	memcpy(named.root, exhibit->record.as.deposit.root, HASH_SIZE);
	leaves->payload_size = named.size;
	leaves->progress = count_bytes;
	leaves->cookie = verify;
	code = payload_reader_new(worker->snapshot, &leaves->payload, &named, err);
	if (code == 0 && payload_leaf_count(named.size) == 1)
		code = archive_leaves_single(leaves, thread, err);
	else if (code == 0) {
		/* A large one takes long: the index must be free to reuse its pages meanwhile. */
		snapshot_end(worker->snapshot);
		worker->snapshot = NULL;
		code = archive_leaves_walk(leaves, verify->pool, thread, err);
	}
	payload_reader_free(leaves->payload);
	return code;
}

static int
check_payload(struct verify *verify, struct verify_worker *worker, struct pool_thread *thread,
    struct verify_item *item, struct err *err)
{
	const struct archive_exhibit *exhibit = &worker->reader->exhibit;
	struct archive_leaves leaves = {.fd = -1};
	struct err why = {.code = 0};
	int code = 0;

	item->ciphertext_only = !exhibit->has_payload_key;
	if (exhibit->has_payload_key) {
		leaves.payload_key = exhibit->payload_key;
		code = archive_data_size(exhibit, &leaves.data_size, &why);
	}
	if (code == 0)
		code = read_payload(verify, worker, thread, &leaves, &why);
	if (code == 0 && exhibit->has_payload_key)
		code = exhibit_check_file(&exhibit->fields, leaves.sha256, leaves.data_size, &why);
	if (code == ERR_UNKNOWN) /* an open file whose sha256 is not public */
		return 0;
	code = judge_code(item, "payload", code, &why);
	if (code != 0 && err != NULL)
		*err = why;
	return code;
}

static void
keep_name(struct verify_item *item, const struct archive_exhibit *exhibit)
{
	struct view name = fields_bytes(&exhibit->fields, FIELD_NAME);

	if (name.size == 0)
		name = fields_bytes(&exhibit->fields, FIELD_TITLE);
	if (name.size == 0)
		return;
	if (name.size > VERIFY_NAME)
		name.size = VERIFY_NAME;
	item->name = malloc(name.size);
	if (item->name == NULL)
		return;
	memcpy(item->name, name.data, name.size);
	item->name_size = name.size;
}

static int
check_exhibit(struct verify *verify, struct verify_worker *worker, struct pool_thread *thread,
    struct verify_item *item, struct err *err)
{
	const struct archive_exhibit *exhibit = &worker->reader->exhibit;
	int code;

	item->is_signed = item->is_signed || exhibit->is_signed;
	keep_name(item, exhibit);
	if (exhibit->trouble.code != 0)
		verify_problem(item, VERIFY_DAMAGED, "%s", err_text(&exhibit->trouble));
	code = check_parts(worker, item, err);
	return code != 0 ? code : check_payload(verify, worker, thread, item, err);
}

/* Read the entry; of an exhibit all that a key here opens, too. ${record} views a buffer. */
static int
load_entry(struct verify_worker *worker, struct storage_place place, bool is_exhibit,
    struct view *record, const uint8_t **id, struct err *err)
{
	struct storage_entry entry = {.part_count = 0};
	int code;

	if (is_exhibit) {
		code = archive_reader_load(worker->reader, worker->snapshot, place, err);
		*record = worker->reader->exhibit.entry.record;
		*id = worker->reader->exhibit.entry.id;
		return code == ERR_USAGE ? ERR_MALFORMED : code;
	}
	code = snapshot_entry(worker->snapshot, &entry, &worker->record, place, err);
	*record = entry.record;
	memcpy(worker->id, entry.id, HASH_SIZE);
	*id = worker->id;
	return code;
}

static int
fresh_snapshot(struct verify *verify, struct verify_worker *worker, struct err *err)
{
	return worker->snapshot != NULL ?
	           0 :
	           snapshot_begin(verify->archive->storage, &worker->snapshot, err);
}

int
verify_entry(struct verify *verify, struct verify_worker *worker, struct pool_thread *thread,
    uint32_t log, struct verify_item *item, struct err *err)
{
	struct storage_place place = {.log = log, .index = item->index};
	uint8_t kind = STORAGE_KIND_OPAQUE;
	struct err why = {.code = 0};
	struct view record = {0};
	const uint8_t *id = NULL;
	int code = fresh_snapshot(verify, worker, err);

	if (code == 0)
		code = feed_judge(worker, log, item->index, err);
	if (code == 0)
		code = snapshot_entry_id(worker->snapshot, item->id, &kind, place, err);
	if (code != 0)
		return code;
	item->is_exhibit = kind == RECORD_DEPOSIT;
	code = load_entry(worker, place, item->is_exhibit, &record, &id, &why);
	if (code != 0) {
		code = judge_code(item, "record", code, &why);
		if (code != 0 && err != NULL)
			*err = why;
		return code;
	}
	tree_leaf(item->id, record);
	item->readable_entry = true;
	if (memcmp(item->id, id, HASH_SIZE) != 0)
		verify_problem(item, VERIFY_DAMAGED, "the index knows it by another id");
	judge_record(worker, log, item, record);
	if (!verify->all)
		code = check_inclusion(worker, log, item, err);
	if (code == 0 && item->is_exhibit)
		code = check_exhibit(verify, worker, thread, item, err);
	return code;
}
