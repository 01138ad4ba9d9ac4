/* The machine's life, the events that are not one file's own, and what follows from each. */
#include "node/sync/sync.h"

#include <stdlib.h>

#include "node/sync/sync_internal.h"
#include "proto/text.h"

struct sync *
sync_new(const struct sync_config *config)
{
	struct sync *sync = calloc(1, sizeof *sync);

	if (sync == NULL)
		return NULL;
	sync->config = *config;
	sync->generation = 1;
	sync->want_counts[WANT_FREE] = WANTS_TABLE;
	sync->wants_dirty = true;
	if (organisation_add(sync, config->organisation) == NULL) {
		free(sync);
		return NULL;
	}
	return sync;
}

void
sync_free(struct sync *sync)
{
	struct sync_action action;
	unsigned i;
	size_t j;

	if (sync == NULL)
		return;
	for (i = 0; i < SYNC_PEERS_MAX; i++)
		sync_remove_peer(sync, i);
	while (sync_next(sync, &action))
		sync_action_fini(&action);
	for (j = 0; j < sync->log_count; j++)
		log_free(sync->logs[j]);
	for (j = 0; j < sync->organisation_count; j++)
		organisation_free(sync->organisations[j]);
	free(sync);
}

void
sync_wants_changed(struct sync *sync)
{
	sync->wants_dirty = true;
}

bool
sync_reading(const struct sync *sync)
{
	/* Room is left for what each of several sockets may still have to hand over. */
	return sync->pending < SYNC_INFLIGHT / 2;
}

size_t
sync_held(const struct sync *sync)
{
	return sync->inflight + sync->queued + sync->reading;
}

/* ---- messages -------------------------------------------------------------------------------- */

static void
ask_heads(struct sync *sync, struct peer *peer)
{
	struct message message = {.type = MESSAGE_HEADS_WANT};

	peer->heads_number = ++peer->request_number;
	message.as.heads_want.request = peer->heads_number;
	peer_send(sync, peer, &message, NULL, view_of(NULL, 0));
}

static void
take_error(struct sync *sync, struct peer *peer, const struct message_error *error)
{
	struct err err = {0};
	struct buffer text;

	buffer_init(&text, (size_t)8 * MESSAGE_TEXT_MAX);
	text_escape(&text, error->text);
	(void)err_set(&err, ERR_NETWORK, "it hung up with code %llu: %.*s",
	    (unsigned long long)error->code, (int)text.size, (const char *)text.data);
	buffer_fini(&text);
	action_close(sync, peer->connection);
	sync_closed(sync, peer->connection, &err, sync->now);
}

static void
take_heads_want(struct sync *sync, struct peer *peer, const struct message_heads_want *want)
{
	if (peer->heads_wanted) {
		peer_fail(sync, peer, MESSAGE_CODE_PROTOCOL, SYNC_REPORT_LIED,
		    "it asks for heads twice (docs/wire 5.3)");
		return;
	}
	peer->heads_wanted = true;
	peer->heads_request = want->request;
}

/* An answer, or NULL after which the peer is gone: it was not asked for. */
static struct request *
expected(
    struct sync *sync, struct peer *peer, const struct message *message, enum request_kind kind)
{
	struct request *request = request_find(peer, message_request(message));

	if (request != NULL && request->kind == kind)
		return request;
	peer_fail(sync, peer, MESSAGE_CODE_PROTOCOL, SYNC_REPORT_LIED,
	    "a message that was not asked for: %s (design 6)", message_type_name(message->type));
	return NULL;
}

static void
take_answer(
    struct sync *sync, struct peer *peer, const struct message *message, struct chunk *chunk)
{
	enum request_kind kind = REQUEST_LEAVES;
	struct request *request;

	if (message->type == MESSAGE_CHARTER)
		kind = REQUEST_CHARTER;
	else if (message->type == MESSAGE_CONSISTENCY)
		kind = REQUEST_PROOF;
	else if (message->type == MESSAGE_PACKAGE || message->type == MESSAGE_ENTRY)
		kind = REQUEST_PACKAGE;
	request = expected(sync, peer, message, kind);
	if (request == NULL)
		return;
	if (message->type == MESSAGE_CHARTER)
		charter_answer(sync, peer, request, &message->as.charter);
	else if (message->type == MESSAGE_CONSISTENCY)
		pull_proof(sync, peer, request, &message->as.consistency);
	else if (message->type == MESSAGE_PACKAGE)
		pull_package(sync, peer, request, &message->as.package);
	else if (message->type == MESSAGE_ENTRY)
		pull_entry(sync, peer, request, &message->as.entry, chunk);
	else if (message->type == MESSAGE_LEAF)
		leaves_answer(sync, peer, request, &message->as.leaf, chunk);
	else
		leaves_none(sync, peer, request, message->as.leaf.item);
}

static void
take_heads(struct sync *sync, struct peer *peer, const struct message *message, struct chunk *chunk)
{
	if (peer->heads_number == 0 || message->as.heads.request != peer->heads_number) {
		peer_fail(sync, peer, MESSAGE_CODE_PROTOCOL, SYNC_REPORT_LIED,
		    "heads that were not asked for (design 6)");
		return;
	}
	heads_answer(sync, peer, chunk);
}

static void
take(struct sync *sync, struct peer *peer, const struct message *message, struct chunk *chunk)
{
	switch (message->type) {
	case MESSAGE_HELLO:
		peer_hello(sync, peer, &message->as.hello);
		break;
	case MESSAGE_GOODBYE:
		peer->trouble[0] = '\0';
		action_close(sync, peer->connection);
		sync_closed(sync, peer->connection, NULL, sync->now);
		break;
	case MESSAGE_ERROR:
		take_error(sync, peer, &message->as.error);
		break;
	case MESSAGE_PING:
		break;
	case MESSAGE_REFUSED:
		request_refused(sync, peer, &message->as.refused);
		break;
	case MESSAGE_SETTLED:
		peer->settled = message->as.settled.generation;
		peer->settled_left = message->as.settled.missing;
		break;
	case MESSAGE_HEADS_WANT:
		take_heads_want(sync, peer, &message->as.heads_want);
		break;
	case MESSAGE_HEADS:
		take_heads(sync, peer, message, chunk);
		break;
	case MESSAGE_CHARTER_WANT:
	case MESSAGE_CONSISTENCY_WANT:
	case MESSAGE_PACKAGE_WANT:
	case MESSAGE_LEAF_WANT:
		serve_want(sync, peer, message);
		break;
	case MESSAGE_CHARTER:
	case MESSAGE_CONSISTENCY:
	case MESSAGE_PACKAGE:
	case MESSAGE_ENTRY:
	case MESSAGE_LEAF:
	case MESSAGE_LEAF_NONE:
		take_answer(sync, peer, message, chunk);
		break;
	}
}

void
sync_message(struct sync *sync, uint64_t connection, struct chunk *chunk, struct sync_now now)
{
	struct peer *peer = peer_of(sync, connection);
	struct message message;
	struct err err = {0};

	sync->now = now;
	if (peer == NULL) {
		chunk_drop(chunk);
		return;
	}
	peer->last_in = now.monotonic;
	peer->window_bytes += chunk->bytes.size;
	peer->counts.bytes_in += chunk->bytes.size;
	if (message_parse(&message, chunk->bytes, &err) != ERR_NONE)
		peer_fail(
		    sync, peer, MESSAGE_CODE_PROTOCOL, SYNC_REPORT_LIED, "%s", err_text(&err));
	else if (peer->state != PEER_UP && message.type != MESSAGE_HELLO &&
	         message.type != MESSAGE_ERROR && message.type != MESSAGE_GOODBYE)
		peer_fail(sync, peer, MESSAGE_CODE_PROTOCOL, SYNC_REPORT_LIED,
		    "%s before hello (docs/wire 5.1)", message_type_name(message.type));
	else
		take(sync, peer, &message, chunk);
	chunk_drop(chunk);
	sync_advance(sync);
}

/* ---- the disk -------------------------------------------------------------------------------- */

void
sync_disk_done(struct sync *sync, struct sync_disk *disk, struct sync_now now)
{
	sync->now = now;
	if (sync_disk_writes(disk->kind))
		sync->puts--;
	switch (disk->kind) {
	case SYNC_DISK_LOG_PUT:
		if (disk->result != ERR_NONE)
			pull_not_stored(sync, disk, disk->as.log.log);
		break;
	case SYNC_DISK_HEAD_PUT:
		if (disk->result != ERR_NONE)
			pull_not_stored(sync, disk, disk->as.head.log);
		break;
	case SYNC_DISK_STATEMENT_PUT:
		/* It counts in memory; after a restart peers are asked for it again. */
		if (disk->result != ERR_NONE)
			action_report(sync, SYNC_REPORT_TROUBLE, NULL, NULL, "%s failed: %s",
			    sync_disk_name(disk->kind), err_text(&disk->err));
		break;
	case SYNC_DISK_ENTRY_PUT:
		pull_stored(sync, disk);
		break;
	case SYNC_DISK_LEAF_PUT:
		leaves_stored(sync, disk);
		break;
	case SYNC_DISK_WANTS:
		leaves_listed(sync, disk);
		break;
	case SYNC_DISK_ROOT:
		own_root(sync, disk);
		break;
	case SYNC_DISK_PACKAGE:
	case SYNC_DISK_ENTRIES:
	case SYNC_DISK_CONSISTENCY:
	case SYNC_DISK_LEAF:
		serve_read(sync, disk);
		break;
	}
	sync_disk_free(disk);
	sync_advance(sync);
}

/* ---- what follows ---------------------------------------------------------------------------- */

static void
advance_peer(struct sync *sync, struct peer *peer)
{
	if (peer->state != PEER_UP)
		return;
	if (peer->heads_number == 0 && !charter_asked(peer))
		ask_heads(sync, peer);
	heads_announce(sync, peer);
	round_settle(sync, peer);
}

/*
 * Memory ran out somewhere, and something was not sent or not asked: what hangs on connections is
 * given up with them, and begins anew when they come back.
 */
static void
start_over(struct sync *sync)
{
	unsigned i;

	sync->starved = false;
	sync->signing = false;
	sync->wants_dirty = true;
	for (i = 0; i < SLOTS_MAX; i++)
		if (sync->peers[i] != NULL)
			peer_fail(sync, sync->peers[i], MESSAGE_CODE_INTERNAL, SYNC_REPORT_DOWN,
			    "no memory: starting over");
	sync->starved = false;
}

void
sync_advance(struct sync *sync)
{
	unsigned i;
	size_t j;

	if (!sync->started || sync->stopping)
		return;
	if (sync->starved)
		start_over(sync);
	own_advance(sync);
	for (j = 0; j < sync->log_count; j++)
		pull_start(sync, sync->logs[j]);
	leaves_list(sync);
	leaves_ask(sync);
	for (i = 0; i < SLOTS_MAX; i++)
		if (sync->peers[i] != NULL)
			advance_peer(sync, sync->peers[i]);
	serve_all(sync);
	round_advance(sync);
}

void
sync_start(struct sync *sync, struct sync_now now)
{
	unsigned i;

	sync->now = now;
	sync->started = true;
	sync->gate_at = now.monotonic + SYNC_GATE_MS;
	for (i = 0; i < SLOTS_MAX; i++)
		if (sync->peers[i] != NULL)
			peer_tick(sync, sync->peers[i]);
	sync_advance(sync);
}

void
sync_changed(struct sync *sync, struct sync_now now)
{
	sync->now = now;
	own_review(sync);
	sync_advance(sync);
}

void
sync_tick(struct sync *sync, struct sync_now now)
{
	unsigned i;

	sync->now = now;
	for (i = 0; i < SLOTS_MAX; i++)
		if (sync->peers[i] != NULL)
			peer_tick(sync, sync->peers[i]);
	sync_advance(sync);
}

void
sync_stop(struct sync *sync, struct sync_now now)
{
	unsigned i;

	sync->now = now;
	sync->stopping = true;
	for (i = 0; i < SLOTS_MAX; i++) {
		struct message message = {.type = MESSAGE_GOODBYE};

		if (sync->peers[i] == NULL || sync->peers[i]->connection == 0)
			continue;
		peer_send(sync, sync->peers[i], &message, NULL, view_of(NULL, 0));
		action_close(sync, sync->peers[i]->connection);
	}
}
