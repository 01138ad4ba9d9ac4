/* Connections to peers: dialling, hello, silence, and their end. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/sync/sync_internal.h"
#include "proto/text.h"

#define HELLO_MS 10000
#define PING_MS 45000
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MOST_MS 300000
#define BACKOFF_LIED_MS 60000
#define SAME_MOMENT_MS 5000 /* two connections this close to one another crossed */
#define DAY_MS INT64_C(86400000)

struct peer *
peer_of(const struct sync *sync, uint64_t connection)
{
	unsigned i;

	if (connection == 0)
		return NULL;
	for (i = 0; i < SLOTS_MAX; i++)
		if (sync->peers[i] != NULL && sync->peers[i]->connection == connection)
			return sync->peers[i];
	return NULL;
}

const struct charter_node *
peer_node(const struct peer *peer)
{
	const struct charter_node *node;

	if (peer->organisation == NULL)
		return NULL;
	node = charter_node_of_transport(peer->organisation->charter, peer->config.transport);
	return node != NULL && node->state == CHARTER_IN_FORCE ? node : NULL;
}

int
sync_set_peer(struct sync *sync, const struct sync_peer_config *config, struct err *err)
{
	struct peer *peer;

	if (config->number >= SYNC_PEERS_MAX)
		return err_set(err, ERR_LIMIT, "more than %u peers (design 7)", SYNC_PEERS_MAX);
	peer = sync->peers[config->number];
	if (peer == NULL) {
		peer = calloc(1, sizeof *peer);
		if (peer == NULL)
			return err_set(err, ERR_MEMORY, "no memory for a peer");
		peer->state = PEER_DOWN;
		peer->backoff = BACKOFF_FIRST_MS;
		sync->peers[config->number] = peer;
	}
	peer->config = *config;
	peer->slot = config->number;
	peer->organisation = organisation_add(sync, config->organisation);
	if (peer->organisation == NULL)
		return err_set(err, ERR_LIMIT, "more organisations than can be held");
	return ERR_NONE;
}

/* What belonged to the connection that is over. */
static void
forget_connection(struct sync *sync, struct peer *peer)
{
	requests_drop(sync, peer);
	serve_drop(sync, peer);
	log_offers_drop(sync, peer);
	heads_stash_drop(peer);
	head_fini(&peer->own_head);
	sync->queued -= peer->queued;
	peer->queued = 0;
	peer->connection = 0;
	peer->heads_number = 0;
	peer->heads_answered = false;
	peer->generation = 0;
	peer->settled_sent = 0;
	peer->settled_missing = 0;
	peer->own = OWN_UNANSWERED;
	peer->heads_wanted = false;
	peer->announced = 0;
	peer->heads_sent = 0;
	peer->settled = 0;
	peer->note_bytes = 0;
	peer->state = PEER_DOWN;
	peer->since = sync->now.monotonic;
	peer->dial_at = sync->now.monotonic + peer->backoff;
	peer->backoff = peer->backoff * 2 < BACKOFF_MOST_MS ? peer->backoff * 2 : BACKOFF_MOST_MS;
}

void
peer_fail(struct sync *sync, struct peer *peer, enum message_code code, enum sync_report_kind kind,
    const char *format, ...)
{
	struct message message = {.type = MESSAGE_ERROR};
	va_list arguments;

	if (peer->connection == 0)
		return;
	va_start(arguments, format);
	(void)vsnprintf(peer->trouble, sizeof peer->trouble, format, arguments);
	va_end(arguments);
	message.as.error.code = (uint64_t)code;
	message.as.error.text = view_text(peer->trouble);
	if (!text_is_utf8(message.as.error.text)) /* cut off in the middle of a character */
		message.as.error.text = view_text("");
	peer_send(sync, peer, &message, NULL, view_of(NULL, 0));
	action_close(sync, peer->connection);
	action_report(sync, kind, peer, NULL, "%s", peer->trouble);
	if (kind == SYNC_REPORT_LIED) {
		if (peer->backoff < BACKOFF_LIED_MS)
			peer->backoff = BACKOFF_LIED_MS;
		sync->peers[peer->config.number]->shunned_until =
		    sync->now.monotonic + peer->backoff;
		round_trouble(peer, ERR_FORGED, peer->trouble);
	} else {
		round_trouble(peer, ERR_NETWORK, peer->trouble);
	}
	forget_connection(sync, peer);
}

static void
remove_slot(struct sync *sync, unsigned slot)
{
	struct peer *peer = sync->peers[slot];

	if (peer == NULL)
		return;
	if (peer->connection != 0) {
		struct message message = {.type = MESSAGE_GOODBYE};

		peer_send(sync, peer, &message, NULL, view_of(NULL, 0));
		action_close(sync, peer->connection);
	}
	forget_connection(sync, peer);
	free(peer);
	sync->peers[slot] = NULL;
}

void
sync_remove_peer(struct sync *sync, unsigned number)
{
	if (number >= SYNC_PEERS_MAX)
		return;
	remove_slot(sync, number + SYNC_PEERS_MAX);
	remove_slot(sync, number);
}

/*
 * A second stream of the same node: a command that does a round beside its daemon, or one that crossed
 * ours.  It has a slot of its own until it ends.
 */
static struct peer *
second_slot(struct sync *sync, const struct peer *first)
{
	unsigned slot = first->slot + SYNC_PEERS_MAX;
	struct peer *peer = sync->peers[slot];

	if (peer != NULL) {
		if (peer->connection != 0)
			action_close(sync, peer->connection);
		forget_connection(sync, peer);
		return peer;
	}
	peer = calloc(1, sizeof *peer);
	if (peer == NULL) {
		sync->starved = true;
		return NULL;
	}
	peer->config = first->config;
	peer->config.dial = false;
	peer->slot = slot;
	peer->organisation = first->organisation;
	peer->backoff = BACKOFF_FIRST_MS;
	sync->peers[slot] = peer;
	return peer;
}

struct peer *
peer_twin(const struct sync *sync, const struct peer *peer)
{
	return sync->peers[(peer->slot + SYNC_PEERS_MAX) % SLOTS_MAX];
}

static void
send_hello(struct sync *sync, struct peer *peer)
{
	struct message message = {.type = MESSAGE_HELLO};

	message.as.hello.low = MESSAGE_VERSION;
	message.as.hello.high = MESSAGE_VERSION;
	message.as.hello.organisation = sync->config.organisation;
	message.as.hello.log = sync->config.log;
	message.as.hello.features = sync->config.transient ? MESSAGE_FEATURE_TRANSIENT : 0;
	message.as.hello.clock = sync->now.clock;
	peer_send(sync, peer, &message, NULL, view_of(NULL, 0));
}

void
sync_connected(
    struct sync *sync, unsigned number, uint64_t connection, bool outgoing, struct sync_now now)
{
	struct peer *peer = number < SYNC_PEERS_MAX ? sync->peers[number] : NULL;

	sync->now = now;
	if (peer == NULL || sync->stopping || now.monotonic < peer->shunned_until) {
		action_close(sync, connection);
		return;
	}
	if (peer->connection != 0)
		peer = second_slot(sync, peer);
	if (peer == NULL) {
		action_close(sync, connection);
		return;
	}
	peer->state = PEER_GREETING;
	peer->connection = connection;
	peer->outgoing = outgoing;
	peer->since = now.monotonic;
	peer->last_in = now.monotonic;
	peer->window_start = now.monotonic;
	peer->window_bytes = 0;
	peer->request_number = 0;
	send_hello(sync, peer);
	sync_advance(sync);
}

void
sync_unreachable(struct sync *sync, unsigned number, const struct err *err, struct sync_now now)
{
	struct peer *peer = number < SYNC_PEERS_MAX ? sync->peers[number] : NULL;

	sync->now = now;
	if (peer == NULL || peer->state != PEER_DIALLING)
		return;
	(void)snprintf(peer->trouble, sizeof peer->trouble, "%s", err_text(err));
	peer->failures++;
	round_trouble(peer, err->code, peer->trouble);
	forget_connection(sync, peer);
	sync_advance(sync);
}

void
sync_closed(struct sync *sync, uint64_t connection, const struct err *err, struct sync_now now)
{
	struct peer *peer = peer_of(sync, connection);

	sync->now = now;
	if (peer == NULL)
		return;
	(void)snprintf(peer->trouble, sizeof peer->trouble, "%s",
	    err != NULL ? err_text(err) : "the connection has ended");
	action_report(sync, SYNC_REPORT_DOWN, peer, NULL, "%s", peer->trouble);
	round_trouble(peer, ERR_NETWORK, peer->trouble);
	forget_connection(sync, peer);
	sync_advance(sync);
}

static int
compare_offsets(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Design 6: more than a day from the median of the peers' clocks. */
static void
check_clock(struct sync *sync)
{
	int64_t offsets[SLOTS_MAX];
	int64_t median;
	unsigned count = 0;
	unsigned i;

	for (i = 0; i < SLOTS_MAX; i++)
		if (sync->peers[i] != NULL && sync->peers[i]->state == PEER_UP)
			offsets[count++] = sync->peers[i]->clock_offset;
	if (count == 0 || sync->clock_told)
		return;
	qsort(offsets, count, sizeof offsets[0], compare_offsets);
	median = offsets[(count - 1) / 2];
	if (median <= DAY_MS && median >= -DAY_MS)
		return;
	sync->clock_told = true;
	action_report(sync, SYNC_REPORT_CLOCK, NULL, NULL,
	    "the clock here is %lld hours %s the median of the peers' (design 6)",
	    (long long)(median < 0 ? -median : median) / 3600000,
	    median < 0 ? "ahead of" : "behind");
}

/*
 * Two streams of the same node, neither of a passing command: of two that crossed the one whose
 * dialler has the smaller transport key stays, on both sides; otherwise the newer, for the other is
 * probably dead.
 */
static void
end_double(struct sync *sync, struct peer *peer, struct peer *twin)
{
	struct peer *newer = peer->since >= twin->since ? peer : twin;
	struct peer *older = newer == peer ? twin : peer;
	struct peer *loser = older;
	bool mine_wins = memcmp(sync->config.transport, peer->config.transport,
	                     sizeof peer->config.transport) < 0;

	if (newer->since - older->since <= SAME_MOMENT_MS && newer->outgoing != older->outgoing &&
	    newer->outgoing != mine_wins)
		loser = newer;
	action_close(sync, loser->connection);
	forget_connection(sync, loser);
	loser->backoff = BACKOFF_FIRST_MS;
}

void
peer_hello(struct sync *sync, struct peer *peer, const struct message_hello *hello)
{
	struct peer *twin;

	if (peer->state != PEER_GREETING) {
		peer_fail(sync, peer, MESSAGE_CODE_PROTOCOL, SYNC_REPORT_LIED,
		    "a second hello (docs/wire 5.1)");
		return;
	}
	if (hello->low > MESSAGE_VERSION) {
		peer_fail(sync, peer, MESSAGE_CODE_VERSION, SYNC_REPORT_DOWN,
		    "no version in common: here %d, there %llu to %llu (docs/wire 5.1)",
		    MESSAGE_VERSION, (unsigned long long)hello->low,
		    (unsigned long long)hello->high);
		return;
	}
	if (memcmp(hello->organisation, peer->config.organisation, HASH_SIZE) != 0) {
		peer_fail(sync, peer, MESSAGE_CODE_PROTOCOL, SYNC_REPORT_LIED,
		    "it says it is of another organisation than was paired (docs/wire 5.1)");
		return;
	}
	memcpy(peer->log, hello->log, HASH_SIZE);
	peer->transient = (hello->features & MESSAGE_FEATURE_TRANSIENT) != 0;
	peer->clock_offset = hello->clock > INT64_MAX / 2 ?
	                         INT64_MAX / 2 :
	                         (int64_t)hello->clock - (int64_t)sync->now.clock;
	peer->state = PEER_UP;
	peer->backoff = BACKOFF_FIRST_MS;
	peer->failures = 0;
	peer->trouble[0] = '\0';
	peer->round.reached = true;
	twin = peer_twin(sync, peer);
	if (twin != NULL && twin->state == PEER_UP && !twin->transient && !peer->transient)
		end_double(sync, peer, twin);
	if (peer->connection == 0)
		return;
	action_report(sync, SYNC_REPORT_UP, peer, NULL, "connected");
	check_clock(sync);
	/* Charters travel before anything else (design 6). */
	charter_ask(
	    sync, peer, peer->organisation, charter_count(peer->organisation->charter), NULL);
}

/* A peer that owes an answer must send, and one that is sent to must take. */
static bool
too_slow(struct sync *sync, struct peer *peer)
{
	uint64_t now = sync->now.monotonic;

	if (peer->queued > 0 && now - peer->last_sent > SYNC_DEADLINE_MS)
		return true;
	if (peer->request_count == 0 || !sync_reading(sync)) {
		peer->window_start = now;
		peer->window_bytes = 0;
		return false;
	}
	if (now - peer->window_start < SYNC_DEADLINE_MS)
		return false;
	if (peer->window_bytes < WINDOW_BYTES)
		return true;
	peer->window_start = now;
	peer->window_bytes = 0;
	return false;
}

static void
tick_down(struct sync *sync, struct peer *peer)
{
	const struct peer *twin = peer_twin(sync, peer);

	if (peer->state != PEER_DOWN || !peer->config.dial || sync->stopping || !sync->started ||
	    sync->now.monotonic < peer->dial_at)
		return;
	if (twin != NULL && twin->connection != 0 && !twin->transient)
		return;
	peer->state = PEER_DIALLING;
	action_connect(sync, peer->config.number);
}

void
peer_tick(struct sync *sync, struct peer *peer)
{
	uint64_t now = sync->now.monotonic;

	if (peer->connection == 0) {
		tick_down(sync, peer);
		return;
	}
	if (peer->state == PEER_GREETING && now - peer->since > HELLO_MS) {
		peer_fail(sync, peer, MESSAGE_CODE_STALLED, SYNC_REPORT_DOWN,
		    "no hello within ten seconds (docs/wire 5.1)");
	} else if (now - peer->last_in > SYNC_IDLE_MS && sync_reading(sync)) {
		peer_fail(sync, peer, MESSAGE_CODE_STALLED, SYNC_REPORT_DOWN,
		    "silent for two minutes (design 7)");
	} else if (too_slow(sync, peer)) {
		peer_fail(sync, peer, MESSAGE_CODE_STALLED, SYNC_REPORT_DOWN,
		    "less than 1 KiB/s while something was owed (design 7)");
	} else if (peer->state == PEER_UP && now - peer->last_out > PING_MS) {
		struct message message = {.type = MESSAGE_PING};

		peer_send(sync, peer, &message, NULL, view_of(NULL, 0));
	}
}

void
sync_received(struct sync *sync, uint64_t connection, size_t bytes, struct sync_now now)
{
	struct peer *peer = peer_of(sync, connection);

	sync->now = now;
	if (peer == NULL)
		return;
	peer->last_in = now.monotonic;
	peer->window_bytes += bytes;
}

void
sync_sent(struct sync *sync, uint64_t connection, size_t bytes, struct sync_now now)
{
	struct peer *peer = peer_of(sync, connection);

	sync->now = now;
	if (peer == NULL)
		return;
	if (bytes > peer->queued)
		bytes = peer->queued;
	peer->queued -= bytes;
	sync->queued -= bytes;
	peer->last_sent = now.monotonic;
	serve_all(sync);
	heads_announce(sync, peer);
}
