#include "node/net/node_internal.h"

#include <stdlib.h>

/*
 * One round of sync: a node that dials, does its round with each peer, and ends.
 *
 * The happy path: load, begin the round, a result for each peer, stop.
 *
 * Possible failures: a peer is none of ours any more, or there is none: told before anything is
 * dialled; everything else is the round's result for that peer.
 */

static int
worse(int a, int b)
{
	/* Design section 8: 1 (a check failed), 4, 6, 5, 3; of the same, the first. */
	static const int order[] = {
	    ERR_FORGED, ERR_DAMAGED, ERR_MISSING, ERR_MALFORMED, ERR_REFUSED, ERR_LOCKED};
	size_t i;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (a == order[i] || b == order[i])
			return order[i];
	}
	return a != ERR_NONE ? a : b;
}

static bool
choose(struct node *node, unsigned *numbers, unsigned *count)
{
	unsigned i, j;

	*count = 0;
	for (i = 0; i < node->round_count; i++) {
		for (j = 0; j < SYNC_PEERS_MAX; j++) {
			if (node->peers[j].used && memcmp(node->peers[j].peer.transport,
			                               node->round_peers[i], INVITE_KEY) == 0)
				numbers[(*count)++] = j;
		}
		if (*count != i + 1)
			return false;
	}
	for (j = 0; j < SYNC_PEERS_MAX && node->round_count == 0; j++) {
		if (node->peers[j].used)
			numbers[(*count)++] = j;
	}
	return *count > 0;
}

void
node_round_begin(struct node *node)
{
	unsigned numbers[SYNC_PEERS_MAX];
	unsigned count;

	if (!node->round || node->round_begun)
		return;
	node->round_begun = true;
	if (!choose(node, numbers, &count)) {
		(void)err_set(&node->failure, ERR_NOT_FOUND,
		    node->round_count == 0 ? "there is no peer to sync with" :
		                             "one of the peers is suspended or not paired");
		node_begin_stop(node);
		return;
	}
	node->round_left = count;
	sync_round(node->sync, numbers, count, node->round_deadline, node_now(node));
}

void
node_round_done(struct node *node, const struct sync_round_done *done)
{
	struct node_round round = {.peer = "",
	    .result = done->result,
	    .text = done->text,
	    .records = done->counts.records_in + done->counts.records_out,
	    .payloads = done->counts.payloads_in,
	    .bytes = done->counts.bytes_in + done->counts.bytes_out,
	    .seconds = (double)done->milliseconds / 1000};

	if (done->peer < SYNC_PEERS_MAX && node->peers[done->peer].used)
		round.peer = node->peers[done->peer].peer.name;
	node->round_worst = worse(node->round_worst, done->result);
	if (node->rounded != NULL)
		node->rounded(node->options.cookie, &round);
	if (node->round_left > 0 && --node->round_left == 0)
		node_stop(node);
}

int
node_sync(const struct node_options *options, const uint8_t (*peers)[INVITE_KEY], unsigned count,
    uint64_t timeout_ms, node_rounded *rounded, struct err *err)
{
	struct node_options only_dial = *options;
	struct node *node;
	int code;

	if (keys_scope(options->keys) == KEYS_SCOPE_NONE)
		return err_set(err, ERR_LOCKED, "the node's keys are locked");
	if (count > SYNC_PEERS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d peers", SYNC_PEERS_MAX);
	only_dial.listen = NULL;
	only_dial.ready = NULL;
	code = node_new(&node, &only_dial, err);
	if (code != ERR_NONE)
		return code;
	node->round = true;
	node->round_peers = peers;
	node->round_count = count;
	node->rounded = rounded;
	uv_update_time(&node->loop);
	node->round_deadline = uv_now(&node->loop) + timeout_ms;
	code = node_run(node, err);
	if (code == ERR_NONE && node->round_left > 0)
		code = err_set(err, ERR_CANCELLED, "interrupted");
	if (code == ERR_NONE && node->round_worst != ERR_NONE)
		code = err_set(err, node->round_worst, "not all is in sync");
	node_free(node);
	return code;
}
