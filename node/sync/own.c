/* The own log: what peers hold of it is read before anything is signed (design 5.4). */
#include "node/sync/sync_internal.h"

#define SIGN_RETRY_MS 30000
#define DIALS_ENOUGH 2 /* failed dials after which a peer is not waited for */

static void
freeze(struct sync *sync, struct peer *peer)
{
	if (sync->frozen)
		return;
	sync->frozen = true;
	action_report(sync, SYNC_REPORT_FROZEN, peer, sync->own,
	    "this peer holds a checkpoint of our own log, size %llu, that is not of the records "
	    "here: nothing is signed any more (design 5.4)",
	    (unsigned long long)peer->own_head.size);
}

/* The root here at the size of what the peer holds is known now. */
static void
compare(struct sync *sync, struct peer *peer, const uint8_t root[static HASH_SIZE])
{
	if (memcmp(root, peer->own_head.root, HASH_SIZE) == 0)
		peer->own = OWN_FINE;
	else
		freeze(sync, peer);
}

static void
read_root(struct sync *sync, struct peer *peer)
{
	struct sync_disk *disk = disk_new(SYNC_DISK_ROOT);

	if (disk == NULL) {
		sync->starved = true;
		return;
	}
	memcpy(disk->as.root.log, sync->own->id, HASH_SIZE);
	disk->as.root.size = peer->own_head.size;
	peer->own = OWN_CHECKING;
	action_disk(sync, disk);
}

static void
evaluate(struct sync *sync, struct peer *peer)
{
	const struct log *own = sync->own;
	uint8_t root[HASH_SIZE];

	if (peer->own_head.size == 0) {
		peer->own = OWN_FINE;
	} else if (peer->own_head.size > own->tree.size) {
		if (peer->own != OWN_AHEAD)
			action_report(sync, SYNC_REPORT_RECOVER, peer, own,
			    "this peer knows %llu records of our own log, of which %llu are here: "
			    "they are fetched back before anything is signed (design 5.4)",
			    (unsigned long long)peer->own_head.size,
			    (unsigned long long)own->tree.size);
		peer->own = OWN_AHEAD;
	} else if (peer->own_head.size == own->tree.size) {
		tree_root(&own->tree, root);
		compare(sync, peer, root);
	} else if (peer->own_head.size == own->head.size) {
		compare(sync, peer, own->head.root);
	} else {
		read_root(sync, peer);
	}
}

/* The peer's head of the own log is also something to fetch from. */
static void
offer_own(struct sync *sync, struct peer *peer, uint64_t held)
{
	struct offer *offer = log_offer_add(sync->own, peer->slot);

	if (offer == NULL) {
		sync->starved = true;
		return;
	}
	head_copy(&offer->head, &peer->own_head);
	offer->held = held < offer->head.size ? held : offer->head.size;
	offer->refused = false;
}

void
own_head(struct sync *sync, struct peer *peer, const struct message_head *said)
{
	struct err err = {0};
	struct head head;
	int code;

	if (sync->own == NULL || said->note.size == 0) {
		peer->own = OWN_FINE;
		return;
	}
	code = log_open_head(sync->own, &head, said->note, &err);
	if (code == ERR_MEMORY) {
		sync->starved = true;
		return;
	}
	if (code != ERR_NONE) {
		peer_fail(sync, peer, MESSAGE_CODE_FORGED, SYNC_REPORT_LIED,
		    "a checkpoint of our own log that we never signed: %s", err_text(&err));
		return;
	}
	head_fini(&peer->own_head);
	peer->own_head = head;
	offer_own(sync, peer, said->held);
	evaluate(sync, peer);
}

void
own_root(struct sync *sync, struct sync_disk *disk)
{
	unsigned i;

	for (i = 0; i < SLOTS_MAX; i++) {
		struct peer *peer = sync->peers[i];

		if (peer == NULL || peer->own != OWN_CHECKING ||
		    peer->own_head.size != disk->as.root.size)
			continue;
		if (disk->result == ERR_NONE)
			compare(sync, peer, disk->as.root.root);
		else
			peer->own = OWN_UNANSWERED; /* no answer that can be relied on */
	}
	if (disk->result != ERR_NONE)
		action_report(sync, SYNC_REPORT_TROUBLE, NULL, sync->own,
		    "the own log's earlier root could not be read: %s", err_text(&disk->err));
}

void
own_review(struct sync *sync)
{
	unsigned i;

	for (i = 0; sync->own != NULL && i < SLOTS_MAX; i++)
		if (sync->peers[i] != NULL && sync->peers[i]->own == OWN_AHEAD)
			evaluate(sync, sync->peers[i]);
}

void
own_refused(struct sync *sync, struct peer *peer)
{
	if (sync->blocked_told)
		return;
	sync->blocked_told = true;
	action_report(sync, SYNC_REPORT_FROZEN, peer, sync->own,
	    "what this peer holds of our own log, %llu records, cannot be shown to extend the "
	    "%llu here: nothing is signed until another peer shows it (design 5.4)",
	    (unsigned long long)peer->own_head.size, (unsigned long long)sync->own->tree.size);
}

struct tally {
	unsigned peers;
	unsigned answered;
	unsigned waiting;
	unsigned ahead;    /* of the answered: those who hold more than is here */
	unsigned checking; /* of the waiting: those whose answer is being compared */
};

static struct tally
count_answers(const struct sync *sync)
{
	struct tally tally = {0};
	unsigned i;

	for (i = 0; i < SLOTS_MAX; i++) {
		const struct peer *peer = sync->peers[i];

		if (peer == NULL)
			continue;
		if (peer->slot >= SYNC_PEERS_MAX && peer->state != PEER_UP)
			continue;
		tally.peers++;
		if (peer->state != PEER_UP && peer_twin(sync, peer) != NULL &&
		    peer_twin(sync, peer)->state == PEER_UP)
			continue;
		if (peer->state != PEER_UP && peer->failures >= DIALS_ENOUGH)
			continue;
		switch (peer->own) {
		case OWN_UNANSWERED:
			tally.waiting++;
			break;
		case OWN_CHECKING:
			tally.waiting++;
			tally.checking++;
			break;
		case OWN_FINE:
			tally.answered++;
			break;
		case OWN_AHEAD:
			tally.answered++;
			tally.ahead++;
			break;
		}
	}
	return tally;
}

void
own_advance(struct sync *sync)
{
	const struct log *own = sync->own;
	struct tally tally;

	if (own == NULL || !sync->started || sync->stopping || sync->frozen)
		return;
	tally = count_answers(sync);
	if (!sync->gate_open)
		sync->gate_open = tally.peers == 0 ||
		                  (tally.answered > 0 &&
		                      (tally.waiting == 0 || sync->now.monotonic >= sync->gate_at));
	if (!sync->gate_open || tally.ahead > 0 || tally.checking > 0 || sync->signing ||
	    !sync->config.may_sign || own->puts > 0 || sync->now.monotonic < sync->sign_at ||
	    own->tree.size <= own->head.size)
		return;
	sync->signing = true;
	action_sign(sync);
}

void
sync_may_sign(struct sync *sync, bool may_sign)
{
	sync->config.may_sign = may_sign;
}

void
sync_sign_failed(struct sync *sync, const struct err *err, struct sync_now now)
{
	sync->now = now;
	sync->signing = false;
	sync->sign_at = now.monotonic + SIGN_RETRY_MS;
	action_report(sync, SYNC_REPORT_TROUBLE, NULL, sync->own, "the own log was not signed: %s",
	    err_text(err));
}
