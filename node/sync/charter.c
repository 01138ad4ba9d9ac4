/* Charters between peers: asking for statements, and giving them. */
#include "node/sync/sync_internal.h"

#define ANSWER_MAX (1u << 20)

static struct request *
open_request(struct peer *peer, const struct organisation *organisation)
{
	unsigned i;

	for (i = 0; i < SYNC_REQUESTS_MAX; i++)
		if (peer->requests[i].kind == REQUEST_CHARTER &&
		    (organisation == NULL || peer->requests[i].organisation == organisation))
			return &peer->requests[i];
	return NULL;
}

bool
charter_asked(const struct peer *peer)
{
	unsigned i;

	for (i = 0; i < SYNC_REQUESTS_MAX; i++)
		if (peer->requests[i].kind == REQUEST_CHARTER)
			return true;
	return false;
}

void
charter_ask(struct sync *sync, struct peer *peer, struct organisation *organisation, uint64_t from,
    const uint8_t *digest)
{
	struct message message = {.type = MESSAGE_CHARTER_WANT};
	struct request *request;

	if (open_request(peer, organisation) != NULL)
		return;
	request = request_new(peer, REQUEST_CHARTER);
	if (request == NULL)
		return;
	request->organisation = organisation;
	request->from = from;
	if (digest != NULL) {
		request->stated = true;
		memcpy(request->digest, digest, HASH_SIZE);
	}
	message.as.charter_want.request = request->number;
	message.as.charter_want.organisation = organisation->id;
	message.as.charter_want.from = from;
	peer_send(sync, peer, &message, NULL, view_of(NULL, 0));
}

struct taken {
	unsigned fresh;
	uint64_t last; /* seq of the last one that was understood */
	int code;
	struct err err;
};

static void
take_statements(struct sync *sync, struct organisation *organisation,
    const struct message_charter *charter, struct taken *taken)
{
	struct view list = charter->list;
	struct view bytes;

	while (message_statement_next(&list, &bytes)) {
		struct statement statement;
		bool fresh;

		taken->code =
		    organisation_feed(sync, organisation, bytes, true, &fresh, &taken->err);
		if (taken->code != ERR_NONE)
			return;
		if (fresh)
			taken->fresh++;
		if (statement_parse(&statement, bytes, NULL) == ERR_NONE)
			taken->last = statement.seq;
	}
}

void
charter_answer(struct sync *sync, struct peer *peer, struct request *request,
    const struct message_charter *charter)
{
	struct organisation *organisation = request->organisation;
	uint64_t from = request->from;
	uint8_t digest[HASH_SIZE];
	bool stated = request->stated;
	struct taken taken = {.last = from};

	memcpy(digest, request->digest, HASH_SIZE);
	request_done(peer, request);
	take_statements(sync, organisation, charter, &taken);
	if (taken.code == ERR_UNKNOWN && from > 0) {
		/* What comes before them is missing: another branch. All of it, then. */
		charter_ask(sync, peer, organisation, 0, stated ? digest : NULL);
	} else if (taken.code == ERR_MEMORY) {
		sync->starved = true;
	} else if (taken.code != ERR_NONE) {
		peer_fail(sync, peer,
		    taken.code == ERR_LIMIT ? MESSAGE_CODE_LIMIT : MESSAGE_CODE_FORGED,
		    SYNC_REPORT_LIED, "a statement of a charter was refused: %s",
		    err_text(&taken.err));
	} else if (charter->more && taken.fresh > 0) {
		charter_ask(sync, peer, organisation, taken.last, stated ? digest : NULL);
	} else if (stated && from > 0 && memcmp(digest, organisation->digest, HASH_SIZE) != 0) {
		charter_ask(sync, peer, organisation, 0, digest);
	}
	if (peer->connection != 0)
		heads_unstash(sync, peer);
}

bool
charter_readable(
    const struct sync *sync, const struct peer *peer, const struct organisation *organisation)
{
	size_t i;

	if (organisation == peer->organisation ||
	    memcmp(organisation->id, sync->config.organisation, HASH_SIZE) == 0)
		return true;
	for (i = 0; i < sync->log_count; i++)
		if (sync->logs[i]->organisation == organisation &&
		    log_allowed(sync, peer, sync->logs[i]))
			return true;
	return false;
}

void
charter_serve(struct sync *sync, struct peer *peer, struct job *job)
{
	const struct organisation *organisation = organisation_find(sync, job->of);
	struct message message = {.type = MESSAGE_CHARTER};
	struct buffer list;
	size_t i;

	buffer_init(&list, ANSWER_MAX);
	message.as.charter.request = job->number;
	for (i = 0; organisation != NULL && i < organisation->count; i++) {
		const struct kept_statement *kept = &organisation->statements[i];

		if (kept->seq < job->from)
			continue;
		if (message.as.charter.count == MESSAGE_STATEMENTS_MAX ||
		    list.size + kept->chunk->bytes.size + 8 > ANSWER_MAX) {
			message.as.charter.more = true;
			break;
		}
		message_pack_statement(&list, kept->chunk->bytes);
		message.as.charter.count++;
	}
	if (list.err == ERR_NONE) {
		message.as.charter.list = buffer_view(&list);
		peer_send(sync, peer, &message, NULL, view_of(NULL, 0));
	} else {
		peer_refuse(
		    sync, peer, job->number, MESSAGE_CODE_INTERNAL, "no memory for the answer");
	}
	buffer_fini(&list);
}
