#include <string.h>

#include "node/net/executor_internal.h"

/*
 * The happy path: one batch takes a whole group; commit makes it durable; each is done.
 *
 * Possible failures: somebody else has appended to the log meanwhile (a `dalil sync` beside the
 * daemon): that entry alone is ERR_CHANGED; one write spoils the batch, as errors of a batch stick:
 * then each gets a batch of its own, so that the fault stays where it is; the disk is full: all of
 * the group fail, and nothing of it stands.
 */

static int
refuse(struct sync_disk *request, int code)
{
	request->result = code;
	if (request->err.code == ERR_NONE)
		request->err.code = code;
	return code;
}

static const uint8_t *
about_of(const struct record *record)
{
	switch (record->kind) {
	case RECORD_CHARTER:
	case RECORD_DEPOSIT:
	case RECORD_SHARE:
		return NULL;
	case RECORD_GRANT:
		return record->as.grant.record;
	case RECORD_ENDORSE:
	case RECORD_CUSTODY:
	case RECORD_ANNOTATE:
	case RECORD_WITHDRAW:
	case RECORD_COUNTERMAND:
	case RECORD_TIMESTAMP:
	case RECORD_FREEZE:
		return record->as.later.record;
	}
	return NULL;
}

/* What came with the entry under that digest; no bytes where it did not come. */
static struct view
part_bytes(const struct sync_disk_entry *entry, const uint8_t *digest)
{
	unsigned i;

	for (i = 0; i < entry->part_count; i++) {
		if (memcmp(entry->parts[i].digest, digest, HASH_SIZE) == 0)
			return entry->parts[i].bytes;
	}
	return view_of(NULL, 0);
}

static unsigned
parts_of(const struct sync_disk_entry *entry, struct storage_part_given *given)
{
	struct parts parts = record_parts(&entry->record);
	unsigned count = 0;
	unsigned i;

	for (i = 0; i < PART_COUNT; i++) {
		if (parts.digests[i] == NULL)
			continue;
		given[count++] = (struct storage_part_given){.name = part_name((enum part)i),
		    .digest = parts.digests[i],
		    .bytes = part_bytes(entry, parts.digests[i])};
	}
	return count;
}

static int
write_entry(struct batch *batch, struct sync_disk *request)
{
	const struct sync_disk_entry *entry = &request->as.entry;
	struct storage_part_given parts[PART_COUNT];
	struct storage_append append = {.record = entry->bytes, .kind = STORAGE_KIND_OPAQUE};
	struct storage_payload payload;
	struct storage_log log;
	int code;

	code = snapshot_log_by_id(batch_snapshot(batch), &log, entry->log, &request->err);
	if (code != ERR_NONE)
		return code;
	if (log.size != entry->index) {
		(void)refuse(request, ERR_CHANGED);
		return ERR_NONE;
	}
	append.place = (struct storage_place){.log = log.number, .index = entry->index};
	memcpy(append.id, entry->id, HASH_SIZE);
	if (entry->understood) {
		append.kind = (uint8_t)entry->record.kind;
		append.about = about_of(&entry->record);
		append.part_count = parts_of(entry, parts);
		append.parts = parts;
	}
	if (entry->understood && entry->good && entry->record.kind == RECORD_DEPOSIT) {
		memcpy(payload.root, entry->record.as.deposit.root, HASH_SIZE);
		payload.size = entry->record.as.deposit.size;
		append.payload = &payload;
	}
	return batch_append(batch, &append, &request->err);
}

static int
write_head(struct batch *batch, struct sync_disk *request)
{
	const struct sync_disk_head *head = &request->as.head;
	struct storage_log log;
	int code = snapshot_log_by_id(batch_snapshot(batch), &log, head->log, &request->err);

	return code != ERR_NONE ?
	           code :
	           batch_head(batch, log.number, head->size, head->note, &request->err);
}

static int
write_one(struct batch *batch, struct sync_disk *request)
{
	uint32_t number;

	request->result = ERR_NONE;
	switch (request->kind) {
	case SYNC_DISK_LOG_PUT:
		return batch_log(batch, &number, view_text(request->as.log.vkey),
		    request->as.log.organisation, &request->err);
	case SYNC_DISK_STATEMENT_PUT:
		return batch_statement(batch, request->as.statement.organisation,
		    request->as.statement.bytes, &request->err);
	case SYNC_DISK_HEAD_PUT:
		return write_head(batch, request);
	case SYNC_DISK_ENTRY_PUT:
		return write_entry(batch, request);
	case SYNC_DISK_LEAF_PUT:
	case SYNC_DISK_WANTS:
	case SYNC_DISK_PACKAGE:
	case SYNC_DISK_ENTRIES:
	case SYNC_DISK_CONSISTENCY:
	case SYNC_DISK_ROOT:
	case SYNC_DISK_LEAF:
		break;
	}
	return refuse(request, ERR_USAGE);
}

/* All of them, or none: *spoilt is the one that made it fail, NULL where the commit did. */
static int
write_all(struct storage *storage, struct job *jobs, struct job **spoilt, struct err *err)
{
	struct batch *batch;
	struct job *job;
	int code = batch_begin(storage, &batch, err);

	*spoilt = NULL;
	if (code != ERR_NONE)
		return code;
	for (job = jobs; job != NULL; job = job->next) {
		code = write_one(batch, job->request);
		if (code != ERR_NONE) {
			*spoilt = job;
			batch_abort(batch);
			return code;
		}
	}
	return batch_commit(batch, err);
}

static void
fail_all(struct job *jobs, int code, const struct err *err)
{
	struct job *job;

	for (job = jobs; job != NULL; job = job->next) {
		job->request->result = code;
		job->request->err = *err;
	}
}

void
executor_write(struct storage *storage, struct job *jobs)
{
	struct err err = {0};
	struct job *spoilt;
	int code = write_all(storage, jobs, &spoilt, &err);

	if (code == ERR_NONE)
		return;
	if (spoilt == NULL || jobs->next == NULL) {
		fail_all(jobs, code, spoilt == NULL ? &err : &jobs->request->err);
		return;
	}
	while (jobs != NULL) {
		struct job *next = jobs->next;

		jobs->next = NULL;
		jobs->request->err = (struct err){0};
		code = write_all(storage, jobs, &spoilt, &err);
		if (code != ERR_NONE)
			fail_all(jobs, code, spoilt == NULL ? &err : &jobs->request->err);
		jobs->next = next;
		jobs = next;
	}
}

/* The last leaf of the group that belongs to the payload says that it is whole. */
static void
mark_whole(void *cookie, const struct storage_payload *payload)
{
	struct job *job;
	struct job *last = NULL;

	for (job = cookie; job != NULL; job = job->next) {
		const struct sync_disk_leaf_put *leaf = &job->request->as.leaf_put;

		if (leaf->size == payload->size &&
		    memcmp(leaf->root, payload->root, HASH_SIZE) == 0)
			last = job;
	}
	if (last != NULL)
		last->request->as.leaf_put.whole = true;
}

static void
put_leaf(struct payload_fetch *fetch, struct sync_disk *request)
{
	const struct sync_disk_leaf_put *leaf = &request->as.leaf_put;
	struct storage_payload payload = {.size = leaf->size};

	memcpy(payload.root, leaf->root, HASH_SIZE);
	request->result =
	    payload_fetch_put(fetch, &payload, leaf->leaf, leaf->bytes, leaf->hash, &request->err);
}

void
executor_write_leaves(struct storage *storage, struct payload_fetch **fetch, struct job *jobs)
{
	struct err err = {0};
	struct job *job;
	int code = ERR_NONE;

	if (*fetch == NULL)
		code = payload_fetch_new(storage, fetch, &err);
	if (code != ERR_NONE) {
		fail_all(jobs, code, &err);
		return;
	}
	for (job = jobs; job != NULL; job = job->next)
		put_leaf(*fetch, job->request);
	code = payload_fetch_sync(*fetch, mark_whole, jobs, &err);
	if (code == ERR_NONE)
		return;
	fail_all(jobs, code, &err);
	payload_fetch_free(*fetch);
	*fetch = NULL;
}
