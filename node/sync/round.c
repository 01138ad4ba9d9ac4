/* When two peers have nothing to want of one another, and rounds that wait for it. */
#include <stdio.h>

#include "node/sync/sync_internal.h"

#define UNDIALLED_MS 10000 /* a peer without an address may still come by itself */

/* Have we all that this peer could give? */
static bool
is_content(const struct sync *sync, const struct peer *peer)
{
	return peer->state == PEER_UP && peer->heads_answered && peer->stash == NULL &&
	       !charter_asked(peer) && peer->own != OWN_CHECKING && sync->puts == 0 &&
	       !pull_wants(sync, peer) && !leaves_wanted(sync, peer);
}

void
round_settle(struct sync *sync, struct peer *peer)
{
	struct message message = {.type = MESSAGE_SETTLED};
	uint64_t missing;

	if (!is_content(sync, peer))
		return;
	missing = leaves_missing(sync, peer);
	if (peer->settled_sent == peer->generation && peer->settled_missing == missing)
		return;
	peer->settled_sent = peer->generation;
	peer->settled_missing = missing;
	message.as.settled.generation = peer->generation;
	message.as.settled.missing = missing;
	peer_send(sync, peer, &message, NULL, view_of(NULL, 0));
}

/* Neither side wants anything. */
static bool
is_settled(const struct sync *sync, const struct peer *peer)
{
	return is_content(sync, peer) && peer->settled_sent == peer->generation &&
	       peer->heads_sent != 0 && peer->announced == sync->generation &&
	       peer->settled == peer->heads_sent && peer->request_count == 0 && peer->queued == 0;
}

static bool
is_signed(const struct sync *sync)
{
	return sync->own == NULL || !sync->config.may_sign ||
	       sync->own->tree.size <= sync->own->head.size;
}

/* Signing waits for what no peer can give. */
static bool
is_blocked(const struct sync *sync, const struct peer *peer)
{
	return sync->frozen || (sync->blocked_told && peer->own == OWN_AHEAD);
}

void
round_trouble(struct peer *peer, int code, const char *text)
{
	if (peer->round.active)
		(void)err_set(&peer->round.trouble, (enum err_code)(code != 0 ? code : ERR_NETWORK),
		    "%s", text);
}

static void
subtract(struct sync_counts *counts, const struct sync_counts *before)
{
	counts->records_in -= before->records_in;
	counts->records_out -= before->records_out;
	counts->payloads_in -= before->payloads_in;
	counts->leaves_in -= before->leaves_in;
	counts->leaves_out -= before->leaves_out;
	counts->bytes_in -= before->bytes_in;
	counts->bytes_out -= before->bytes_out;
}

static void
finish(struct sync *sync, struct peer *peer, int result, const char *text)
{
	struct sync_round_done done = {.peer = peer->config.number, .result = result};

	(void)snprintf(done.text, sizeof done.text, "%s", text);
	done.counts = peer->counts;
	subtract(&done.counts, &peer->round.before);
	done.counts.missing = leaves_missing(sync, peer);
	done.milliseconds = sync->now.monotonic - peer->round.start;
	peer->round.active = false;
	action_round(sync, &done);
}

static void
advance_one(struct sync *sync, struct peer *peer)
{
	const struct err *trouble = &peer->round.trouble;

	if (is_settled(sync, peer) && is_blocked(sync, peer))
		finish(sync, peer, ERR_REFUSED,
		    "the own log cannot extend what this peer holds of it: not signed");
	else if (is_settled(sync, peer) && is_signed(sync))
		finish(sync, peer, sync->missed > 0 ? ERR_MISSING : ERR_NONE,
		    sync->missed > 0 ? "some payloads are held by nobody who could be asked" : "");
	else if (trouble->code == ERR_FORGED)
		finish(sync, peer, ERR_FORGED, trouble->text);
	else if (!peer->round.reached && peer->state == PEER_DOWN && trouble->code != ERR_NONE)
		finish(sync, peer, ERR_NETWORK, trouble->text);
	else if (!peer->round.reached && peer->state == PEER_DOWN && !peer->config.dial &&
	         sync->now.monotonic > peer->round.start + UNDIALLED_MS)
		finish(sync, peer, ERR_NETWORK, "it has no address here, and did not call");
	else if (sync->now.monotonic >= peer->round.deadline)
		finish(sync, peer, peer->round.reached ? ERR_TIMEOUT : ERR_NETWORK,
		    trouble->code != ERR_NONE ? trouble->text :
		    peer->round.reached       ? "not settled within the time" :
		                                "not reached within the time");
}

void
round_advance(struct sync *sync)
{
	unsigned i;

	for (i = 0; i < SYNC_PEERS_MAX; i++)
		if (sync->peers[i] != NULL && sync->peers[i]->round.active)
			advance_one(sync, sync->peers[i]);
}

static void
begin(struct sync *sync, struct peer *peer, uint64_t deadline)
{
	memset(&peer->round, 0, sizeof peer->round);
	peer->round.active = true;
	peer->round.start = sync->now.monotonic;
	peer->round.deadline = deadline;
	peer->round.reached = peer->state == PEER_UP;
	peer->round.before = peer->counts;
	peer->dial_at = 0;
	peer_tick(sync, peer);
}

void
sync_round(struct sync *sync, const unsigned *peers, unsigned count, uint64_t deadline,
    struct sync_now now)
{
	unsigned i;

	sync->now = now;
	for (i = 0; count == 0 && i < SYNC_PEERS_MAX; i++)
		if (sync->peers[i] != NULL)
			begin(sync, sync->peers[i], deadline);
	for (i = 0; i < count; i++)
		if (peers[i] < SYNC_PEERS_MAX && sync->peers[peers[i]] != NULL)
			begin(sync, sync->peers[peers[i]], deadline);
	sync_advance(sync);
}

bool
sync_peer_status(const struct sync *sync, unsigned number, struct sync_peer_status *status)
{
	const struct peer *peer = number < SYNC_PEERS_MAX ? sync->peers[number] : NULL;
	const struct charter_node *node;

	memset(status, 0, sizeof *status);
	if (peer == NULL)
		return false;
	if (peer->state != PEER_UP && peer_twin(sync, peer) != NULL &&
	    peer_twin(sync, peer)->state == PEER_UP)
		peer = peer_twin(sync, peer);
	status->up = peer->state == PEER_UP;
	status->settled = is_settled(sync, peer);
	status->suspect = peer->suspect;
	status->since = peer->since;
	status->counts = peer->counts;
	status->counts.missing = leaves_missing(sync, peer);
	memcpy(status->trouble, peer->trouble, sizeof status->trouble);
	node = peer_node(peer);
	if (node != NULL) {
		status->has_log = true;
		memcpy(status->log, node->id, HASH_SIZE);
	}
	return true;
}
