/* Fetching records: a consistency proof, then packages, each record verified as it comes. */
#include <stdlib.h>

#include "node/sync/sync_internal.h"
#include "proto/hash.h"

#define RETRY_MS 30000
#define CHANGED_MS 500

/* Where the pull reads from; NULL if it is gone. */
static struct peer *
puller(const struct sync *sync, const struct log *log)
{
	return sync->peers[log->pull.peer];
}

void
pull_stop(struct sync *sync, struct log *log)
{
	struct peer *peer = puller(sync, log);
	unsigned i;

	if (log->pull.state == PULL_NONE)
		return;
	/* What is still answered of it is read and forgotten. */
	for (i = 0; peer != NULL && i < SYNC_REQUESTS_MAX; i++)
		if (peer->requests[i].log == log)
			peer->requests[i].log = NULL;
	head_fini(&log->pull.target);
	memset(&log->pull, 0, sizeof log->pull);
}

/* May more of this log be taken at all? */
static bool
is_open(const struct log *log)
{
	const struct charter_node *node = charter_node_of_log(log->organisation->charter, log->id);

	/* Design 5.5: after a revocation nothing is pulled beyond what is held. */
	return log->enrolled && node != NULL && node->state != CHARTER_REVOKED;
}

static bool
is_useful(const struct log *log, const struct offer *offer)
{
	return !offer->refused && offer->held >= offer->head.size &&
	       offer->head.size > log->head.size && offer->head.size >= log->tree.size;
}

static void
refuse(struct sync *sync, struct log *log, struct peer *peer, struct offer *offer)
{
	offer->refused = true;
	if (log == sync->own) {
		own_refused(sync, peer);
		return;
	}
	peer->suspect = true;
	action_report(sync, SYNC_REPORT_SUSPECT, peer, log,
	    "its checkpoint of size %llu does not extend the %llu records held here: refused "
	    "(design 6)",
	    (unsigned long long)offer->head.size, (unsigned long long)log->tree.size);
}

static void
complete(struct sync *sync, struct log *log)
{
	struct peer *peer = puller(sync, log);

	head_copy(&log->head, &log->pull.target);
	if (log->seen.size <= log->head.size)
		head_fini(&log->seen);
	log->changed = ++sync->generation;
	action_report(sync, SYNC_REPORT_LOG, peer, log, "complete to %llu records",
	    (unsigned long long)log->head.size);
	pull_stop(sync, log);
	if (log == sync->own)
		own_review(sync);
}

static void
ask_packages(struct sync *sync, struct log *log)
{
	struct pull *pull = &log->pull;
	struct peer *peer = puller(sync, log);

	while (pull->state == PULL_PACKAGES && pull->packages < PACKAGES_AHEAD &&
	       pull->ask < pull->target.size) {
		struct message message = {.type = MESSAGE_PACKAGE_WANT};
		struct package *package = calloc(1, sizeof *package);
		struct request *request =
		    package != NULL ? request_new(peer, REQUEST_PACKAGE) : NULL;

		if (request == NULL) {
			free(package);
			return;
		}
		request->log = log;
		request->package = package;
		package->from = pull->ask;
		package->next = pull->ask;
		package->start = pull->ask - pull->ask % MESSAGE_PACKAGE_RECORDS;
		package->end = package->start + MESSAGE_PACKAGE_RECORDS;
		if (package->end > pull->target.size)
			package->end = pull->target.size;
		message.as.package_want.request = request->number;
		message.as.package_want.log = log->id;
		message.as.package_want.from = package->from;
		message.as.package_want.size = pull->target.size;
		pull->ask = package->end;
		pull->packages++;
		peer_send(sync, peer, &message, NULL, view_of(NULL, 0));
	}
}

/* The target is known to extend what is here: remember it durably, then fetch. */
static void
accept_target(struct sync *sync, struct log *log)
{
	struct pull *pull = &log->pull;

	if (pull->target.size > log->seen.size) {
		head_copy(&log->seen, &pull->target);
		log_put_head(sync, log, &log->seen);
		log->changed = ++sync->generation;
	}
	pull->state = PULL_PACKAGES;
	pull->ask = log->tree.size;
	pull->next = log->tree.size;
	if (pull->target.size == log->tree.size)
		complete(sync, log);
	else
		ask_packages(sync, log);
}

static void
ask_proof(struct sync *sync, struct log *log, struct peer *peer)
{
	struct message message = {.type = MESSAGE_CONSISTENCY_WANT};
	struct request *request = request_new(peer, REQUEST_PROOF);

	if (request == NULL) {
		pull_stop(sync, log);
		return;
	}
	request->log = log;
	log->pull.state = PULL_PROOF;
	message.as.consistency_want.request = request->number;
	message.as.consistency_want.log = log->id;
	message.as.consistency_want.from = log->tree.size;
	message.as.consistency_want.to = log->pull.target.size;
	peer_send(sync, peer, &message, NULL, view_of(NULL, 0));
}

static void
store_log(struct sync *sync, struct log *log)
{
	struct sync_disk *disk = disk_new(SYNC_DISK_LOG_PUT);
	struct buffer vkey;

	if (disk == NULL) {
		sync->starved = true;
		return;
	}
	buffer_init(&vkey, sizeof disk->as.log.vkey - 1);
	vkey_text(&vkey, &log->vkey);
	if (vkey.err == ERR_NONE)
		memcpy(disk->as.log.vkey, vkey.data, vkey.size);
	buffer_fini(&vkey);
	memcpy(disk->as.log.log, log->id, HASH_SIZE);
	memcpy(disk->as.log.organisation, log->organisation->id, HASH_SIZE);
	log->stored = true;
	action_disk(sync, disk);
}

void
pull_start(struct sync *sync, struct log *log)
{
	struct offer *best = NULL;
	uint8_t root[HASH_SIZE];
	size_t i;

	if (log->pull.state == PULL_PACKAGES)
		ask_packages(sync, log); /* the request table may have been full */
	if (log->pull.state != PULL_NONE || log->puts > 0 || !is_open(log) ||
	    sync->now.monotonic < log->retry_at || (log == sync->own && sync->frozen))
		return;
	for (i = 0; i < log->offer_count; i++)
		if (is_useful(log, &log->offers[i]) &&
		    (best == NULL || log->offers[i].head.size > best->head.size))
			best = &log->offers[i];
	if (best == NULL)
		return;
	tree_root(&log->tree, root);
	if ((best->head.size == log->tree.size && memcmp(root, best->head.root, HASH_SIZE) != 0) ||
	    (best->head.size == log->seen.size &&
	        memcmp(log->seen.root, best->head.root, HASH_SIZE) != 0)) {
		refuse(sync, log, sync->peers[best->peer], best);
		return;
	}
	if (!log->stored)
		store_log(sync, log);
	log->pull.peer = best->peer;
	head_copy(&log->pull.target, &best->head);
	if (log->tree.size == 0 || log->tree.size == best->head.size)
		accept_target(sync, log);
	else
		ask_proof(sync, log, sync->peers[best->peer]);
}

void
pull_proof(struct sync *sync, struct peer *peer, struct request *request,
    const struct message_consistency *consistency)
{
	struct log *log = request->log;
	uint8_t root[HASH_SIZE];
	struct offer *offer;

	request_done(peer, request);
	if (log == NULL || log->pull.state != PULL_PROOF)
		return;
	tree_root(&log->tree, root);
	if (log->tree.size < log->pull.target.size && log->tree.size > 0 &&
	    tree_check_consistency(log->tree.size, root, log->pull.target.size,
	        log->pull.target.root, consistency->proof, consistency->proof_count,
	        NULL) == ERR_NONE) {
		accept_target(sync, log);
		return;
	}
	offer = log_offer(log, peer->slot);
	if (offer != NULL && log->tree.size < log->pull.target.size)
		refuse(sync, log, peer, offer);
	pull_stop(sync, log);
}

void
pull_package(struct sync *sync, struct peer *peer, struct request *request,
    const struct message_package *said)
{
	struct package *package = request->package;
	struct log *log = request->log;
	uint8_t root[HASH_SIZE];

	if (package->begun || said->count != package->end - package->start) {
		peer_fail(sync, peer, MESSAGE_CODE_PROTOCOL, SYNC_REPORT_LIED,
		    "a package other than what was asked for (docs/wire 5.4)");
		return;
	}
	package->begun = true;
	memcpy(package->hashes, said->hashes, (size_t)said->count * HASH_SIZE);
	if (log == NULL)
		return;
	tree_root_of(root, said->hashes, said->count);
	if (tree_check_subtree(package->start, package->end, root, log->pull.target.size,
	        log->pull.target.root, said->proof, said->proof_count, NULL) != ERR_NONE)
		peer_fail(sync, peer, MESSAGE_CODE_FORGED, SYNC_REPORT_LIED,
		    "a package whose proof does not lead to the checkpoint (design 6)");
}

/* Each part must be one that the record names, whole, and there once. */
static bool
take_parts(struct sync_disk_entry *put, const struct message_entry *entry)
{
	struct parts parts = {{NULL}};
	unsigned i;

	if (put->understood)
		parts = record_parts(&put->record);
	if (entry->part_count > PART_COUNT)
		return false;
	for (i = 0; i < entry->part_count; i++) {
		uint8_t digest[HASH_SIZE];
		unsigned part;

		hash_sha256(digest, entry->parts[i].bytes);
		if (memcmp(digest, entry->parts[i].digest, HASH_SIZE) != 0)
			return false;
		for (part = 0; part < PART_COUNT; part++)
			if (parts.digests[part] != NULL &&
			    memcmp(parts.digests[part], digest, HASH_SIZE) == 0)
				break;
		if (part == PART_COUNT)
			return false;
		parts.digests[part] = NULL;
		memcpy(put->parts[i].digest, digest, HASH_SIZE);
		put->parts[i].bytes = entry->parts[i].bytes;
	}
	put->part_count = entry->part_count;
	return true;
}

static bool
store_entry(struct sync *sync, struct peer *peer, struct log *log,
    const struct message_entry *entry, const uint8_t *id, struct chunk *chunk)
{
	struct sync_disk *disk = disk_new(SYNC_DISK_ENTRY_PUT);
	struct sync_disk_entry *put;

	if (disk == NULL) {
		sync->starved = true;
		return true;
	}
	put = &disk->as.entry;
	memcpy(put->log, log->id, HASH_SIZE);
	memcpy(put->id, id, HASH_SIZE);
	memcpy(put->record_key, log->record_key, RECORD_KEY);
	put->index = entry->index;
	put->bytes = entry->record;
	put->understood = record_parse(&put->record, entry->record, NULL) == ERR_NONE &&
	                  memcmp(put->record.log, log->id, HASH_SIZE) == 0;
	if (!take_parts(put, entry)) {
		sync_disk_free(disk);
		return false;
	}
	disk->chunk = chunk_take(chunk);
	disk->connection = peer->connection;
	disk->bytes = chunk->bytes.size;
	sync->inflight += disk->bytes;
	sync->pending += disk->bytes;
	log->puts++;
	log->pull.next++;
	action_disk(sync, disk);
	return true;
}

void
pull_entry(struct sync *sync, struct peer *peer, struct request *request,
    const struct message_entry *entry, struct chunk *chunk)
{
	struct package *package = request->package;
	struct log *log = request->log;
	uint8_t id[HASH_SIZE];

	if (!package->begun || entry->index != package->next ||
	    (log != NULL && entry->index != log->pull.next)) {
		peer_fail(sync, peer, MESSAGE_CODE_PROTOCOL, SYNC_REPORT_LIED,
		    "a record out of its order (docs/wire 5.4)");
		return;
	}
	tree_leaf(id, entry->record);
	if (memcmp(id, package->hashes[entry->index - package->start], HASH_SIZE) != 0) {
		peer_fail(sync, peer, MESSAGE_CODE_FORGED, SYNC_REPORT_LIED,
		    "record %llu is not the one in the log (design 6)",
		    (unsigned long long)entry->index);
		return;
	}
	package->next++;
	if (log != NULL && !store_entry(sync, peer, log, entry, id, chunk)) {
		peer_fail(sync, peer, MESSAGE_CODE_FORGED, SYNC_REPORT_LIED,
		    "a part of record %llu that is not what the record names (design 5.2)",
		    (unsigned long long)entry->index);
		return;
	}
	if (package->next < package->end)
		return;
	request_done(peer, request);
	if (log != NULL) {
		log->pull.packages--;
		ask_packages(sync, log);
	}
}

/* What a stored record changes for the machine itself. */
static void
heed(struct sync *sync, struct log *log, const struct sync_disk_entry *put)
{
	bool fresh;

	if (!put->good)
		return;
	sync->wants_dirty = true;
	if (put->record.kind == RECORD_SHARE) {
		const struct share *share = &put->record.as.share;
		uint8_t(*list)[HASH_SIZE] =
		    malloc((size_t)(share->count > 0 ? share->count : 1) * HASH_SIZE);
		unsigned i;

		for (i = 0; list != NULL && i < share->count; i++)
			memcpy(list[i], share_at(share, i), HASH_SIZE);
		if (list != NULL)
			log_share(sync, log, (const uint8_t(*)[HASH_SIZE])list, share->count);
		free(list);
	} else if (put->record.kind == RECORD_CHARTER) {
		(void)organisation_feed(
		    sync, log->organisation, put->record.as.charter.statement, true, &fresh, NULL);
	}
}

void
pull_stored(struct sync *sync, struct sync_disk *disk)
{
	struct sync_disk_entry *put = &disk->as.entry;
	struct log *log = log_find(sync, put->log);
	struct peer *peer = peer_of(sync, disk->connection);

	sync->inflight -= disk->bytes;
	sync->pending -= disk->bytes;
	if (log == NULL)
		return;
	log->puts--;
	if (disk->result != ERR_NONE) {
		if (disk->result != ERR_CHANGED && disk->result != ERR_CANCELLED) {
			action_report(sync, SYNC_REPORT_TROUBLE, NULL, log,
			    "a record could not be stored: %s", err_text(&disk->err));
			log->retry_at = sync->now.monotonic + RETRY_MS;
		} else {
			/* Somebody else has written to this log: the rim will say what. */
			log->retry_at = sync->now.monotonic + CHANGED_MS;
		}
		pull_stop(sync, log);
		return;
	}
	if (put->index == log->tree.size &&
	    tree_append(&log->tree, put->id, NULL, NULL) != ERR_NONE)
		return;
	if (peer != NULL)
		peer->counts.records_in++;
	heed(sync, log, put);
	if (log->pull.state == PULL_PACKAGES && log->tree.size == log->pull.target.size)
		complete(sync, log);
}

/* The disk did not take the log itself, or its checkpoint: later, from the start. */
void
pull_not_stored(struct sync *sync, const struct sync_disk *disk, const uint8_t *id)
{
	struct log *log = log_find(sync, id);

	action_report(sync, SYNC_REPORT_TROUBLE, NULL, log, "%s failed: %s",
	    sync_disk_name(disk->kind), err_text(&disk->err));
	if (log == NULL)
		return;
	if (disk->kind == SYNC_DISK_LOG_PUT)
		log->stored = false;
	else
		head_fini(&log->seen);
	log->retry_at = sync->now.monotonic + RETRY_MS;
	pull_stop(sync, log);
}

bool
pull_wants(const struct sync *sync, const struct peer *peer)
{
	size_t i;

	for (i = 0; i < sync->log_count; i++) {
		const struct log *log = sync->logs[i];
		const struct offer *offer = log_offer(log, peer->slot);

		if (offer == NULL || !is_open(log))
			continue;
		if (log->puts > 0 || is_useful(log, offer))
			return true;
	}
	return false;
}
