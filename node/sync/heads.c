/* Heads: saying what logs and charters there are here, and hearing what a peer has. */
#include <stdlib.h>

#include "node/sync/sync_internal.h"

#define ANNOUNCE_BYTES (512u << 10)
#define ANNOUNCE_EVERY_MS 100

/* ---- saying -------------------------------------------------------------------------------- */

struct announcement {
	struct message message;
	struct buffer charters;
	struct buffer heads;
};

static void
flush(struct sync *sync, struct peer *peer, struct announcement *out, bool more)
{
	if (out->charters.err != ERR_NONE || out->heads.err != ERR_NONE) {
		sync->starved = true;
		return;
	}
	out->message.as.heads.more = more;
	out->message.as.heads.charters = buffer_view(&out->charters);
	out->message.as.heads.heads = buffer_view(&out->heads);
	peer_send(sync, peer, &out->message, NULL, view_of(NULL, 0));
	buffer_clear(&out->charters);
	buffer_clear(&out->heads);
	out->message.as.heads.charter_count = 0;
	out->message.as.heads.head_count = 0;
}

/* Is there something new to be said of this log? */
static bool
is_news(const struct sync *sync, const struct peer *peer, const struct log *log)
{
	return (log->changed > peer->announced || peer->heads_sent == 0) &&
	       log->head.note != NULL && log_allowed(sync, peer, log);
}

/* A head is never said without its charter: the peer may not have been able to read it before. */
static bool
is_charter_news(
    const struct sync *sync, const struct peer *peer, const struct organisation *organisation)
{
	size_t i;

	if (organisation->count == 0)
		return false;
	for (i = 0; i < sync->log_count; i++)
		if (sync->logs[i]->organisation == organisation &&
		    is_news(sync, peer, sync->logs[i]))
			return true;
	return organisation->changed > peer->announced &&
	       charter_readable(sync, peer, organisation);
}

static void
say_charters(struct sync *sync, struct peer *peer, struct announcement *out)
{
	size_t i;

	for (i = 0; i < sync->organisation_count; i++) {
		const struct organisation *organisation = sync->organisations[i];
		struct message_charter_state state = {.organisation = organisation->id,
		    .count = organisation->count,
		    .digest = organisation->digest};

		if (!is_charter_news(sync, peer, organisation))
			continue;
		message_pack_charter_state(&out->charters, &state);
		out->message.as.heads.charter_count++;
	}
}

static void
say_head(
    struct sync *sync, struct peer *peer, struct announcement *out, const struct message_head *head)
{
	if (out->heads.size + head->note.size > ANNOUNCE_BYTES)
		flush(sync, peer, out, true);
	message_pack_head(&out->heads, head);
	out->message.as.heads.head_count++;
}

/* The log of the node that the peer has proved to be. */
static bool
is_owner(const struct peer *peer, const struct log *log)
{
	const struct charter_node *node =
	    charter_node_of_transport(peer->organisation->charter, peer->config.transport);

	return node != NULL && memcmp(node->id, log->id, HASH_SIZE) == 0;
}

static void
say_logs(struct sync *sync, struct peer *peer, struct announcement *out)
{
	bool told = peer->heads_sent != 0;
	size_t i;

	for (i = 0; i < sync->log_count; i++) {
		const struct log *log = sync->logs[i];
		bool owner = is_owner(peer, log);
		struct message_head head = {
		    .log = log->id, .organisation = log->organisation->id, .held = log->head.size};

		if (!is_news(sync, peer, log) &&
		    !(owner && (log->changed > peer->announced || peer->heads_sent == 0)))
			continue;
		if (log->head.note != NULL)
			head.note = log->head.note->bytes;
		/* Its owner hears of the largest that was ever seen here (design 5.4). */
		if (owner && log->seen.note != NULL && log->seen.size > log->head.size)
			head.note = log->seen.note->bytes;
		if (memcmp(log->id, peer->log, HASH_SIZE) == 0)
			told = true;
		say_head(sync, peer, out, &head);
	}
	if (!told) {
		struct message_head nothing = {
		    .log = peer->log, .organisation = peer->config.organisation};

		say_head(sync, peer, out, &nothing);
	}
}

void
heads_announce(struct sync *sync, struct peer *peer)
{
	struct announcement out = {.message = {.type = MESSAGE_HEADS}};
	bool first = peer->heads_sent == 0;

	if (peer->state != PEER_UP || !peer->heads_wanted || !serve_has_room(sync, peer))
		return;
	if (!first &&
	    (peer->announced == sync->generation || sync->now.monotonic < peer->announce_at))
		return;
	buffer_init(&out.charters, MESSAGE_MAX);
	buffer_init(&out.heads, MESSAGE_MAX);
	out.message.as.heads.request = peer->heads_request;
	out.message.as.heads.generation = sync->generation;
	say_charters(sync, peer, &out);
	say_logs(sync, peer, &out);
	if (first || out.message.as.heads.charter_count + out.message.as.heads.head_count > 0) {
		flush(sync, peer, &out, false);
		peer->heads_sent = sync->generation;
		peer->announce_at = sync->now.monotonic + ANNOUNCE_EVERY_MS;
	}
	peer->announced = sync->generation;
	buffer_fini(&out.charters);
	buffer_fini(&out.heads);
}

/* ---- hearing ------------------------------------------------------------------------------- */

static void
refuse_head(struct sync *sync, struct peer *peer, const struct log *log, struct offer *offer)
{
	offer->refused = true;
	peer->suspect = true;
	action_report(sync, SYNC_REPORT_SUSPECT, peer, log,
	    "its checkpoint of size %llu has another root than the one held here: refused "
	    "(design 6)",
	    (unsigned long long)offer->head.size);
}

static void
take_offer(struct sync *sync, struct peer *peer, struct log *log, const struct message_head *said)
{
	struct offer *offer;
	struct err err = {0};
	struct head head;
	int code;

	code = log_open_head(log, &head, said->note, &err);
	if (code == ERR_UNKNOWN)
		return;
	if (code == ERR_MEMORY) {
		sync->starved = true;
		return;
	}
	if (code != ERR_NONE) {
		peer_fail(sync, peer, MESSAGE_CODE_FORGED, SYNC_REPORT_LIED,
		    "a checkpoint that does not verify: %s", err_text(&err));
		return;
	}
	offer = log_offer_add(log, peer->slot);
	if (offer == NULL) {
		head_fini(&head);
		sync->starved = true;
		return;
	}
	peer->note_bytes += head.note->bytes.size;
	if (offer->head.note != NULL)
		peer->note_bytes -= offer->head.note->bytes.size;
	head_fini(&offer->head);
	offer->head = head;
	offer->held = said->held < head.size ? said->held : head.size;
	offer->refused = false;
	if (log->head.note != NULL && head.size == log->head.size &&
	    memcmp(head.root, log->head.root, HASH_SIZE) != 0)
		refuse_head(sync, peer, log, offer);
	if (peer->note_bytes > NOTE_BYTES_PEER)
		peer_fail(sync, peer, MESSAGE_CODE_LIMIT, SYNC_REPORT_LIED,
		    "more than 256 KiB of checkpoints (docs/wire 7)");
}

static void
take_head(struct sync *sync, struct peer *peer, const struct message_head *said)
{
	struct organisation *organisation = organisation_find(sync, said->organisation);
	struct log *log;

	if (memcmp(said->log, sync->config.log, HASH_SIZE) == 0) {
		own_head(sync, peer, said);
		return;
	}
	if (organisation == NULL || said->note.size == 0)
		return;
	log = log_find(sync, said->log);
	if (log != NULL && log->organisation != organisation) {
		peer_fail(sync, peer, MESSAGE_CODE_PROTOCOL, SYNC_REPORT_LIED,
		    "it gives a log to an organisation that does not have it (docs/wire 5.3)");
		return;
	}
	if (log == NULL && charter_node_of_log(organisation->charter, said->log) != NULL)
		log = log_add(sync, said->log, organisation);
	if (log != NULL)
		take_offer(sync, peer, log, said);
}

/* Is a log of that organisation among the heads? Only then its charter matters. */
static bool
is_named(struct view heads, const uint8_t *organisation)
{
	struct message_head head;

	while (message_head_next(&heads, &head))
		if (memcmp(head.organisation, organisation, HASH_SIZE) == 0)
			return true;
	return false;
}

static void
compare_charters(struct sync *sync, struct peer *peer, const struct message_heads *heads)
{
	struct view list = heads->charters;
	struct message_charter_state state;

	while (message_charter_state_next(&list, &state)) {
		struct organisation *organisation = organisation_find(sync, state.organisation);

		if (organisation == NULL && is_named(heads->heads, state.organisation))
			organisation = organisation_add(sync, state.organisation);
		if (organisation == NULL ||
		    memcmp(state.digest, organisation->digest, HASH_SIZE) == 0)
			continue;
		charter_ask(
		    sync, peer, organisation, charter_count(organisation->charter), state.digest);
	}
}

static void
take_heads(struct sync *sync, struct peer *peer, const struct message_heads *heads)
{
	struct view list = heads->heads;
	struct message_head head;

	while (peer->connection != 0 && message_head_next(&list, &head))
		take_head(sync, peer, &head);
	if (peer->connection == 0 || heads->more)
		return;
	if (peer->own == OWN_UNANSWERED)
		peer->own = OWN_FINE;
	peer->heads_answered = true;
	peer->generation = heads->generation;
	leaves_retry(sync);
}

static void
stash_pop(struct peer *peer)
{
	struct stash *stash = peer->stash;

	peer->stash = stash->next;
	peer->stash_bytes -= stash->chunk->bytes.size;
	chunk_drop(stash->chunk);
	free(stash);
}

void
heads_stash_drop(struct peer *peer)
{
	while (peer->stash != NULL)
		stash_pop(peer);
}

void
heads_unstash(struct sync *sync, struct peer *peer)
{
	while (peer->connection != 0 && peer->stash != NULL && !charter_asked(peer)) {
		struct stash *stash = peer->stash;
		struct message message;

		if (message_parse(&message, stash->chunk->bytes, NULL) != ERR_NONE)
			return; /* it was parsed when it came */
		if (!stash->compared) {
			stash->compared = true;
			compare_charters(sync, peer, &message.as.heads);
			if (charter_asked(peer))
				return;
		}
		take_heads(sync, peer, &message.as.heads);
		if (peer->connection != 0)
			stash_pop(peer);
	}
}

void
heads_answer(struct sync *sync, struct peer *peer, struct chunk *chunk)
{
	struct stash **end = &peer->stash;
	struct stash *stash = calloc(1, sizeof *stash);

	if (stash == NULL) {
		sync->starved = true;
		return;
	}
	stash->chunk = chunk_take(chunk);
	while (*end != NULL)
		end = &(*end)->next;
	*end = stash;
	peer->stash_bytes += chunk->bytes.size;
	if (peer->stash_bytes > STASH_MAX) {
		peer_fail(sync, peer, MESSAGE_CODE_LIMIT, SYNC_REPORT_LIED,
		    "heads without end while a charter is awaited (docs/wire 7)");
		return;
	}
	heads_unstash(sync, peer);
}
