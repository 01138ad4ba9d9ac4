/* Answering: what peers ask for is read from the disk and sent, as fast as they take it. */
#include <stdlib.h>

#include "node/sync/sync_internal.h"
#include "proto/payload.h"

#define PACKAGE_BYTES 10240 /* about what a package message takes */

/* Design 7: 16 MiB of send queues in all, and a share of it for each. */
bool
serve_has_room(const struct sync *sync, const struct peer *peer)
{
	return peer->queued + peer->reading < SYNC_SEND_PEER &&
	       sync->queued + sync->reading < SYNC_SEND_MAX;
}

static void
job_drop(struct peer *peer, struct job *job)
{
	free(job->leaves);
	peer->job_count--;
	memmove(job, job + 1, (size_t)(peer->jobs + peer->job_count - job) * sizeof *job);
	memset(&peer->jobs[peer->job_count], 0, sizeof *job);
}

static struct job *
job_find(struct peer *peer, uint64_t id)
{
	unsigned i;

	for (i = 0; i < peer->job_count; i++)
		if (peer->jobs[i].id == id)
			return &peer->jobs[i];
	return NULL;
}

/* Reads on their way come back to no connection and are dropped there. */
void
serve_drop(struct sync *sync, struct peer *peer)
{
	while (peer->job_count > 0)
		job_drop(peer, &peer->jobs[peer->job_count - 1]);
	sync->reading -= peer->reading;
	peer->reading = 0;
}

/* ---- taking requests ------------------------------------------------------------------------- */

static bool
may_read_payloads(const struct sync *sync, const struct peer *peer)
{
	size_t i;

	for (i = 0; i < sync->log_count; i++)
		if (log_allowed(sync, peer, sync->logs[i]))
			return true;
	return false;
}

/* NULL where it may be served; else it is refused with this text and *code. */
static const char *
refusal(const struct sync *sync, const struct peer *peer, const struct job *job,
    enum message_code *code)
{
	const struct organisation *organisation;
	const struct log *log;

	*code = MESSAGE_CODE_FORBIDDEN;
	switch (job->kind) {
	case JOB_CHARTER:
		organisation = organisation_find(sync, job->of);
		return organisation != NULL && charter_readable(sync, peer, organisation) ?
		           NULL :
		           "not a charter for you";
	case JOB_PROOF:
	case JOB_PACKAGE:
		log = log_find(sync, job->of);
		if (log == NULL || !log_allowed(sync, peer, log))
			return "not a log for you";
		if (job->size <= log->head.size)
			return NULL;
		*code = MESSAGE_CODE_MISSING;
		return "not as many records are here";
	case JOB_LEAVES:
		return may_read_payloads(sync, peer) ? NULL : "no payload here is for you";
	}
	return "no such request";
}

static int
job_leaves(struct job *job, const struct message_leaf_want *want)
{
	unsigned i;

	job->kind = JOB_LEAVES;
	job->number = want->request;
	job->count = want->count;
	job->open = want->count;
	job->leaves = calloc(want->count, sizeof *job->leaves);
	if (job->leaves == NULL)
		return ERR_MEMORY;
	for (i = 0; i < want->count; i++) {
		memcpy(job->leaves[i].root, want->items[i].root, HASH_SIZE);
		job->leaves[i].size = want->items[i].size;
		job->leaves[i].leaf = want->items[i].leaf;
	}
	return ERR_NONE;
}

static void
job_package(struct job *job, const struct message_package_want *want)
{
	uint64_t start = want->from - want->from % MESSAGE_PACKAGE_RECORDS;

	job->kind = JOB_PACKAGE;
	job->number = want->request;
	memcpy(job->of, want->log, HASH_SIZE);
	job->from = want->from;
	job->to = want->size - start < MESSAGE_PACKAGE_RECORDS ? want->size :
	                                                         start + MESSAGE_PACKAGE_RECORDS;
	job->size = want->size;
}

static void
job_proof(struct job *job, const struct message_consistency_want *want)
{
	job->kind = JOB_PROOF;
	job->number = want->request;
	memcpy(job->of, want->log, HASH_SIZE);
	job->from = want->from;
	job->to = want->to;
	job->size = want->to;
}

static void
job_charter(struct job *job, const struct message_charter_want *want)
{
	job->kind = JOB_CHARTER;
	job->number = want->request;
	memcpy(job->of, want->organisation, HASH_SIZE);
	job->from = want->from;
}

void
serve_want(struct sync *sync, struct peer *peer, const struct message *message)
{
	struct job *job = &peer->jobs[peer->job_count];
	enum message_code code;
	const char *text;

	if (peer->job_count == SYNC_REQUESTS_MAX) {
		peer_fail(sync, peer, MESSAGE_CODE_LIMIT, SYNC_REPORT_LIED,
		    "more than 32 requests at once (design 7)");
		return;
	}
	memset(job, 0, sizeof *job);
	if (message->type == MESSAGE_CHARTER_WANT)
		job_charter(job, &message->as.charter_want);
	else if (message->type == MESSAGE_CONSISTENCY_WANT)
		job_proof(job, &message->as.consistency_want);
	else if (message->type == MESSAGE_PACKAGE_WANT)
		job_package(job, &message->as.package_want);
	else if (job_leaves(job, &message->as.leaf_want) != ERR_NONE) {
		peer_fail(sync, peer, MESSAGE_CODE_INTERNAL, SYNC_REPORT_DOWN,
		    "no memory for its request");
		return;
	}
	text = refusal(sync, peer, job, &code);
	if (text != NULL) {
		free(job->leaves);
		/* Refusals are not paced as answers are: whoever does not read them is let go. */
		if (peer->queued > 2 * (size_t)SYNC_SEND_PEER) {
			memset(job, 0, sizeof *job);
			peer_fail(sync, peer, MESSAGE_CODE_LIMIT, SYNC_REPORT_LIED,
			    "requests that may not be made, without end (design 7)");
			return;
		}
		peer_refuse(sync, peer, job->number, code, text);
		memset(job, 0, sizeof *job);
		return;
	}
	job->id = ++sync->job_id;
	peer->job_count++;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void
read_for(
    struct sync *sync, struct peer *peer, struct job *job, struct sync_disk *disk, size_t expected)
{
	disk->connection = peer->connection;
	disk->request = job->id;
	disk->bytes = expected;
	peer->reading += expected;
	sync->reading += expected;
	job->reading = true;
	action_disk(sync, disk);
}

static void
read_leaf(struct sync *sync, struct peer *peer, struct job *job, struct sync_disk *disk)
{
	const struct job_leaf *leaf = &job->leaves[job->next];

	memcpy(disk->as.leaf.root, leaf->root, HASH_SIZE);
	disk->as.leaf.size = leaf->size;
	disk->as.leaf.leaf = leaf->leaf;
	disk->item = job->next++;
	read_for(sync, peer, job, disk, payload_leaf_size(leaf->size, leaf->leaf));
}

static void
read_package(struct sync *sync, struct peer *peer, struct job *job, struct sync_disk *disk)
{
	memcpy(disk->as.package.log, job->of, HASH_SIZE);
	disk->as.package.start = job->from - job->from % MESSAGE_PACKAGE_RECORDS;
	disk->as.package.end = job->to;
	disk->as.package.size = job->size;
	read_for(sync, peer, job, disk, PACKAGE_BYTES);
}

static void
read_entries(struct sync *sync, struct peer *peer, struct job *job, struct sync_disk *disk)
{
	memcpy(disk->as.entries.log, job->of, HASH_SIZE);
	disk->as.entries.from = job->from;
	disk->as.entries.to = job->to;
	disk->as.entries.budget = ENTRIES_BUDGET;
	read_for(sync, peer, job, disk, ENTRIES_BUDGET);
}

static void
read_proof(struct sync *sync, struct peer *peer, struct job *job, struct sync_disk *disk)
{
	memcpy(disk->as.consistency.log, job->of, HASH_SIZE);
	disk->as.consistency.from = job->from;
	disk->as.consistency.to = job->to;
	read_for(sync, peer, job, disk, PACKAGE_BYTES);
}

/* Packages are answered in the order in which they were asked for, one after another. */
static bool
is_first_package(const struct peer *peer, const struct job *job)
{
	const struct job *before;

	for (before = peer->jobs; before < job; before++)
		if (before->kind == JOB_PACKAGE)
			return false;
	return true;
}

/* Do one step of the job; false if there is nothing to do for it now. */
static bool
step(struct sync *sync, struct peer *peer, struct job *job)
{
	struct sync_disk *disk;
	enum sync_disk_kind kind = SYNC_DISK_CONSISTENCY;

	if (job->kind == JOB_CHARTER) {
		charter_serve(sync, peer, job);
		job_drop(peer, job);
		return true;
	}
	if (job->kind == JOB_LEAVES ? job->next == job->count : job->reading)
		return false;
	if (job->kind == JOB_PACKAGE && !is_first_package(peer, job))
		return false;
	if (job->kind == JOB_LEAVES)
		kind = SYNC_DISK_LEAF;
	else if (job->kind == JOB_PACKAGE)
		kind = job->begun ? SYNC_DISK_ENTRIES : SYNC_DISK_PACKAGE;
	disk = disk_new(kind);
	if (disk == NULL) {
		sync->starved = true;
		return false;
	}
	if (kind == SYNC_DISK_LEAF)
		read_leaf(sync, peer, job, disk);
	else if (kind == SYNC_DISK_PACKAGE)
		read_package(sync, peer, job, disk);
	else if (kind == SYNC_DISK_ENTRIES)
		read_entries(sync, peer, job, disk);
	else
		read_proof(sync, peer, job, disk);
	return true;
}

static bool
serve_peer(struct sync *sync, struct peer *peer)
{
	unsigned i;

	if (!serve_has_room(sync, peer))
		return false;
	for (i = 0; i < peer->job_count; i++)
		if (step(sync, peer, &peer->jobs[i]))
			return true;
	return false;
}

void
serve_all(struct sync *sync)
{
	bool served = true;
	unsigned i;

	while (served) {
		served = false;
		for (i = 0; i < SLOTS_MAX; i++) {
			struct peer *peer = sync->peers[(sync->turn + i) % SLOTS_MAX];

			if (peer != NULL && peer->state == PEER_UP && serve_peer(sync, peer))
				served = true;
		}
	}
	sync->turn = (sync->turn + 1) % SLOTS_MAX;
}

/* ---- sending what was read ------------------------------------------------------------------- */

static const uint8_t (*proof_of(const struct tree_proof *proof))[HASH_SIZE]
{
	return (const uint8_t(*)[HASH_SIZE])proof->hashes;
}

static void
send_leaf(struct sync *sync, struct peer *peer, struct job *job, struct sync_disk *disk)
{
	struct message message = {.type = MESSAGE_LEAF};
	bool here = disk->result == ERR_NONE && disk->chunk != NULL;

	message.as.leaf.request = job->number;
	message.as.leaf.item = disk->item;
	if (here) {
		message.as.leaf.proof = proof_of(&disk->as.leaf.proof);
		message.as.leaf.proof_count = disk->as.leaf.proof.count;
		peer_send(sync, peer, &message, disk->chunk, disk->chunk->bytes);
		peer->counts.leaves_out++;
	} else {
		message.type = MESSAGE_LEAF_NONE;
		peer_send(sync, peer, &message, NULL, view_of(NULL, 0));
	}
	if (--job->open == 0)
		job_drop(peer, job);
}

static void
send_package(struct sync *sync, struct peer *peer, struct job *job, struct sync_disk *disk)
{
	const struct sync_disk_package *read = &disk->as.package;
	struct message message = {.type = MESSAGE_PACKAGE};

	message.as.package.request = job->number;
	message.as.package.proof = proof_of(&read->proof);
	message.as.package.proof_count = read->proof.count;
	message.as.package.count = (unsigned)(read->end - read->start);
	message.as.package.hashes = read->hashes[0];
	peer_send(sync, peer, &message, NULL, view_of(NULL, 0));
	job->begun = true;
}

static void
send_entries(struct sync *sync, struct peer *peer, struct job *job, struct sync_disk *disk)
{
	const struct sync_disk_entries *read = &disk->as.entries;
	struct view rest = disk->chunk->bytes;
	unsigned i;
	unsigned j;

	for (i = 0; i < read->count && i < SYNC_READ_MAX && job->from < job->to; i++) {
		const struct sync_entry_read *entry = &read->entries[i];
		struct message message = {.type = MESSAGE_ENTRY};
		size_t size = entry->record_size;

		message.as.entry.request = job->number;
		message.as.entry.index = job->from;
		message.as.entry.record = view_of(rest.data, entry->record_size);
		message.as.entry.part_count = entry->part_count;
		for (j = 0; j < entry->part_count; j++) {
			message.as.entry.parts[j].digest = entry->parts[j].digest;
			message.as.entry.parts[j].size = entry->parts[j].size;
			size += entry->parts[j].size;
		}
		peer_send(sync, peer, &message, disk->chunk, view_of(rest.data, size));
		rest = view_of(rest.data + size, rest.size - size);
		job->from++;
		peer->counts.records_out++;
	}
	if (job->from == job->to)
		job_drop(peer, job);
}

static void
send_proof(struct sync *sync, struct peer *peer, struct job *job, struct sync_disk *disk)
{
	struct message message = {.type = MESSAGE_CONSISTENCY};

	message.as.consistency.request = job->number;
	message.as.consistency.proof = proof_of(&disk->as.consistency.proof);
	message.as.consistency.proof_count = disk->as.consistency.proof.count;
	peer_send(sync, peer, &message, NULL, view_of(NULL, 0));
	job_drop(peer, job);
}

void
serve_read(struct sync *sync, struct sync_disk *disk)
{
	struct peer *peer = peer_of(sync, disk->connection);
	struct job *job = peer != NULL ? job_find(peer, disk->request) : NULL;

	if (peer != NULL) {
		peer->reading -= disk->bytes;
		sync->reading -= disk->bytes;
	}
	if (job == NULL)
		return;
	job->reading = false;
	if (disk->kind == SYNC_DISK_LEAF) {
		send_leaf(sync, peer, job, disk);
	} else if (disk->result != ERR_NONE ||
	           (disk->kind == SYNC_DISK_ENTRIES &&
	               (disk->as.entries.count == 0 || disk->chunk == NULL))) {
		action_report(sync, SYNC_REPORT_TROUBLE, NULL, NULL, "%s for a peer: %s",
		    sync_disk_name(disk->kind), err_text(&disk->err));
		peer_refuse(sync, peer, job->number, MESSAGE_CODE_INTERNAL, "trouble here");
		job_drop(peer, job);
	} else if (disk->kind == SYNC_DISK_PACKAGE) {
		send_package(sync, peer, job, disk);
	} else if (disk->kind == SYNC_DISK_ENTRIES) {
		send_entries(sync, peer, job, disk);
	} else {
		send_proof(sync, peer, job, disk);
	}
}
