/* Fetching payloads: leaves that records name, from any peer that may have them. */
#include <stdlib.h>

#include "node/sync/sync_internal.h"
#include "proto/payload.h"

/* What nobody has is asked for again after 1 s, 2 s ... 60 s: a peer may be fetching it itself. */
#define AGAIN_LEAST_MS 1000
#define AGAIN_MOST_MS 60000
#define WORTH_ITEMS 16
#define WORTH_BYTES (2u << 20)

static void
set_state(struct sync *sync, struct want *want, enum want_state state)
{
	sync->want_counts[want->state]--;
	want->state = state;
	sync->want_counts[state]++;
}

static void
missed_one(struct sync *sync)
{
	if (sync->missed++ > 0)
		return;
	if (sync->wants_wait < AGAIN_LEAST_MS)
		sync->wants_wait = AGAIN_LEAST_MS;
	sync->wants_again = sync->now.monotonic + sync->wants_wait;
	sync->wants_wait =
	    sync->wants_wait * 2 < AGAIN_MOST_MS ? sync->wants_wait * 2 : AGAIN_MOST_MS;
}

static bool
has_tried(const struct want *want, unsigned peer)
{
	return (want->tried[peer / 64] >> (peer % 64) & 1) != 0;
}

static bool
is_offering(const struct sync *sync, const struct peer *peer)
{
	size_t i;

	if (peer->state != PEER_UP || !peer->heads_answered)
		return false;
	for (i = 0; i < sync->log_count; i++)
		if (log_offer(sync->logs[i], peer->slot) != NULL)
			return true;
	return false;
}

/* ---- the list of what is wanted -------------------------------------------------------------- */

void
leaves_list(struct sync *sync)
{
	struct sync_disk *disk;
	unsigned busy = sync->want_counts[WANT_QUEUED] + sync->want_counts[WANT_ASKED] +
	                sync->want_counts[WANT_STORING];
	unsigned i;

	if (sync->wants_listing || !sync->started || sync->stopping)
		return;
	if (sync->missed > 0 && sync->now.monotonic >= sync->wants_again)
		leaves_retry(sync);
	if (sync->wants_end && !sync->wants_dirty)
		return;
	/* What nobody has must not keep the rest from its turn; it is counted in missed. */
	for (i = 0; busy == 0 && i < WANTS_TABLE; i++)
		if (sync->wants[i].state == WANT_MISSED && !sync->wants_end)
			set_state(sync, &sync->wants[i], WANT_FREE);
	if (sync->want_counts[WANT_FREE] < SYNC_WANTS_MAX ||
	    sync->want_counts[WANT_QUEUED] >= SYNC_WANTS_MAX)
		return;
	for (i = 0; i < SLOTS_MAX; i++)
		if (sync->peers[i] != NULL && is_offering(sync, sync->peers[i]))
			break;
	if (i == SLOTS_MAX)
		return;
	disk = disk_new(SYNC_DISK_WANTS);
	if (disk == NULL) {
		sync->starved = true;
		return;
	}
	if (sync->wants_end) {
		memset(sync->wants_cursor, 0, sizeof sync->wants_cursor);
		sync->wants_end = false;
		sync->wants_dirty = false;
	}
	memcpy(disk->as.wants.cursor, sync->wants_cursor, SYNC_CURSOR);
	sync->wants_listing = true;
	action_disk(sync, disk);
}

static bool
is_listed(const struct sync *sync, const struct sync_want *what)
{
	unsigned i;

	for (i = 0; i < WANTS_TABLE; i++)
		if (sync->wants[i].state != WANT_FREE && sync->wants[i].what.leaf == what->leaf &&
		    sync->wants[i].what.size == what->size &&
		    memcmp(sync->wants[i].what.root, what->root, HASH_SIZE) == 0)
			return true;
	return false;
}

static void
list_one(struct sync *sync, const struct sync_want *what)
{
	unsigned i;

	if (!payload_size_possible(what->size) || what->leaf >= payload_leaf_count(what->size) ||
	    is_listed(sync, what))
		return;
	for (i = 0; i < WANTS_TABLE; i++) {
		struct want *want = &sync->wants[i];

		if (want->state != WANT_FREE)
			continue;
		want->what = *what;
		want->log = log_find(sync, what->log);
		want->bytes = payload_leaf_size(what->size, what->leaf);
		memset(want->tried, 0, sizeof want->tried);
		set_state(sync, want, WANT_QUEUED);
		return;
	}
	sync->wants_dirty = true; /* no room: it is listed again */
}

void
leaves_listed(struct sync *sync, struct sync_disk *disk)
{
	const struct sync_disk_wants *wants = &disk->as.wants;
	unsigned i;

	sync->wants_listing = false;
	if (disk->result != ERR_NONE) {
		action_report(sync, SYNC_REPORT_TROUBLE, NULL, NULL,
		    "what is wanted could not be listed: %s", err_text(&disk->err));
		sync->wants_end = true;
		missed_one(sync);
		return;
	}
	for (i = 0; i < wants->count && i < SYNC_WANTS_MAX; i++)
		list_one(sync, &wants->wants[i]);
	memcpy(sync->wants_cursor, wants->cursor, SYNC_CURSOR);
	sync->wants_end = wants->end;
}

void
leaves_retry(struct sync *sync)
{
	unsigned i;

	for (i = 0; i < WANTS_TABLE; i++)
		if (sync->wants[i].state == WANT_MISSED)
			set_state(sync, &sync->wants[i], WANT_FREE);
	if (sync->missed > 0)
		sync->wants_dirty = true;
	sync->missed = 0;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Design 6: those that hold the log first; anybody else only where those do not have the leaf. */
static bool
is_eligible(const struct want *want, const struct sync *sync, unsigned peer, const bool *offering)
{
	size_t i;

	if (has_tried(want, peer))
		return false;
	if (want->log == NULL || log_offer(want->log, peer) != NULL)
		return true;
	(void)sync;
	for (i = 0; i < want->log->offer_count; i++)
		if (offering[want->log->offers[i].peer] &&
		    !has_tried(want, want->log->offers[i].peer))
			return false;
	return true;
}

/* Nobody who is here is left to be asked. */
static void
give_up(struct sync *sync, const bool *offering)
{
	unsigned i;
	unsigned j;

	for (i = 0; i < WANTS_TABLE; i++) {
		struct want *want = &sync->wants[i];

		if (want->state != WANT_QUEUED)
			continue;
		for (j = 0; j < SLOTS_MAX; j++)
			if (offering[j] && !has_tried(want, j))
				break;
		if (j < SLOTS_MAX)
			continue;
		set_state(sync, want, WANT_MISSED);
		missed_one(sync);
	}
}

struct picked {
	unsigned count;
	size_t bytes;
	bool full; /* there are more than these */
	uint16_t wants[MESSAGE_LEAVES_MAX];
};

static void
pick(const struct sync *sync, const struct peer *peer, const bool *offering, struct picked *picked)
{
	unsigned i;

	memset(picked, 0, sizeof *picked);
	for (i = 0; i < WANTS_TABLE; i++) {
		const struct want *want = &sync->wants[i];

		if (want->state != WANT_QUEUED || !is_eligible(want, sync, peer->slot, offering))
			continue;
		if (picked->count == MESSAGE_LEAVES_MAX ||
		    peer->leaf_bytes + picked->bytes + want->bytes > LEAF_BYTES_PEER ||
		    sync->inflight + picked->bytes + want->bytes > SYNC_INFLIGHT) {
			picked->full = true;
			return;
		}
		picked->wants[picked->count++] = (uint16_t)i;
		picked->bytes += want->bytes;
	}
}

static bool
ask_peer(struct sync *sync, struct peer *peer, const bool *offering)
{
	struct message message = {.type = MESSAGE_LEAF_WANT};
	struct request *request;
	struct picked picked;
	unsigned i;

	pick(sync, peer, offering, &picked);
	if (picked.count == 0)
		return false;
	/* A handful while much is on its way: wait until it is worth a request. */
	if (picked.full && peer->leaf_bytes > 0 && picked.count < WORTH_ITEMS &&
	    picked.bytes < WORTH_BYTES)
		return false;
	request = request_new(peer, REQUEST_LEAVES);
	if (request == NULL)
		return false;
	message.as.leaf_want.request = request->number;
	message.as.leaf_want.count = picked.count;
	for (i = 0; i < picked.count; i++) {
		struct want *want = &sync->wants[picked.wants[i]];

		message.as.leaf_want.items[i].root = want->what.root;
		message.as.leaf_want.items[i].size = want->what.size;
		message.as.leaf_want.items[i].leaf = want->what.leaf;
		request->wants[i] = picked.wants[i];
		want->peer = peer->slot;
		set_state(sync, want, WANT_ASKED);
	}
	request->count = picked.count;
	request->open = picked.count;
	peer->leaf_bytes += picked.bytes;
	sync->inflight += picked.bytes;
	peer_send(sync, peer, &message, NULL, view_of(NULL, 0));
	return true;
}

void
leaves_ask(struct sync *sync)
{
	bool offering[SLOTS_MAX];
	unsigned i;

	if (sync->want_counts[WANT_QUEUED] == 0)
		return;
	for (i = 0; i < SLOTS_MAX; i++)
		offering[i] = sync->peers[i] != NULL && is_offering(sync, sync->peers[i]);
	for (i = 0; i < SLOTS_MAX; i++)
		while (offering[i] && ask_peer(sync, sync->peers[i], offering))
			continue;
	give_up(sync, offering);
}

/* ---- answers --------------------------------------------------------------------------------- */

/* The want behind an item of the request, which is answered now; NULL if there is none. */
static struct want *
close_item(struct sync *sync, struct peer *peer, struct request *request, uint64_t item)
{
	struct want *want;

	if (item >= request->count || request->wants[item] >= WANTS_TABLE) {
		peer_fail(sync, peer, MESSAGE_CODE_PROTOCOL, SYNC_REPORT_LIED,
		    "a leaf that was not asked for (docs/wire 5.5)");
		return NULL;
	}
	want = &sync->wants[request->wants[item]];
	request->wants[item] = WANTS_TABLE;
	request->open--;
	peer->leaf_bytes -= want->bytes;
	return want;
}

static void
put_back(struct sync *sync, struct want *want, unsigned peer, bool tried)
{
	if (tried)
		want->tried[peer / 64] |= UINT64_C(1) << (peer % 64);
	set_state(sync, want, WANT_QUEUED);
}

void
leaves_back(struct sync *sync, struct peer *peer, struct request *request, bool tried)
{
	unsigned i;

	for (i = 0; i < request->count; i++) {
		struct want *want;

		if (request->wants[i] >= WANTS_TABLE)
			continue;
		want = &sync->wants[request->wants[i]];
		request->wants[i] = WANTS_TABLE;
		peer->leaf_bytes -= want->bytes;
		sync->inflight -= want->bytes;
		put_back(sync, want, peer->slot, tried);
	}
}

void
leaves_none(struct sync *sync, struct peer *peer, struct request *request, uint64_t item)
{
	struct want *want = close_item(sync, peer, request, item);

	if (want == NULL)
		return;
	sync->inflight -= want->bytes;
	put_back(sync, want, peer->slot, true);
	if (request->open == 0)
		request_done(peer, request);
}

void
leaves_answer(struct sync *sync, struct peer *peer, struct request *request,
    const struct message_leaf *leaf, struct chunk *chunk)
{
	struct sync_disk *disk = disk_new(SYNC_DISK_LEAF_PUT);
	struct want *want;

	if (disk == NULL) {
		sync->starved = true;
		return;
	}
	want = close_item(sync, peer, request, leaf->item);
	if (want == NULL) {
		sync_disk_free(disk);
		return;
	}
	set_state(sync, want, WANT_STORING);
	memcpy(disk->as.leaf_put.root, want->what.root, HASH_SIZE);
	disk->as.leaf_put.size = want->what.size;
	disk->as.leaf_put.leaf = want->what.leaf;
	disk->as.leaf_put.bytes = leaf->bytes;
	disk->as.leaf_put.proof.count = leaf->proof_count;
	if (leaf->proof_count > 0)
		memcpy(disk->as.leaf_put.proof.hashes, leaf->proof,
		    (size_t)leaf->proof_count * HASH_SIZE);
	disk->chunk = chunk_take(chunk);
	disk->connection = peer->connection;
	disk->item = (uint64_t)(want - sync->wants);
	disk->bytes = want->bytes;
	sync->pending += disk->bytes;
	if (request->open == 0)
		request_done(peer, request);
	action_disk(sync, disk);
}

void
leaves_stored(struct sync *sync, struct sync_disk *disk)
{
	struct want *want = &sync->wants[disk->item];
	struct peer *peer = peer_of(sync, disk->connection);

	sync->inflight -= disk->bytes;
	sync->pending -= disk->bytes;
	if (disk->result == ERR_NONE) {
		sync->wants_wait = 0;
		set_state(sync, want, WANT_FREE);
		if (peer != NULL) {
			peer->counts.leaves_in++;
			peer->counts.payloads_in += disk->as.leaf_put.whole ? 1 : 0;
		}
		return;
	}
	if (disk->result == ERR_FORGED) {
		put_back(sync, want, want->peer, true);
		if (peer != NULL)
			peer_fail(sync, peer, MESSAGE_CODE_FORGED, SYNC_REPORT_LIED,
			    "a leaf that is not in its payload (design 6)");
		return;
	}
	action_report(sync, SYNC_REPORT_TROUBLE, NULL, want->log,
	    "a payload leaf could not be stored: %s", err_text(&disk->err));
	set_state(sync, want, WANT_MISSED);
	missed_one(sync);
}

bool
leaves_wanted(const struct sync *sync, const struct peer *peer)
{
	if (!is_offering(sync, peer))
		return false;
	return sync->wants_listing || sync->wants_dirty || !sync->wants_end ||
	       sync->want_counts[WANT_QUEUED] > 0 || sync->want_counts[WANT_ASKED] > 0 ||
	       sync->want_counts[WANT_STORING] > 0;
}

uint64_t
leaves_missing(const struct sync *sync, const struct peer *peer)
{
	(void)peer;
	return sync->missed;
}
