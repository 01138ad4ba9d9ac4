/* What we have asked of a peer and what has not been answered in full. */
#include <stdlib.h>

#include "node/sync/sync_internal.h"
#include "proto/text.h"

/* Requests of one kind leave room for those that go first. */
static unsigned
most_of(enum request_kind kind)
{
	switch (kind) {
	case REQUEST_NONE:
	case REQUEST_CHARTER:
	case REQUEST_PROOF:
		break;
	case REQUEST_PACKAGE:
		return SYNC_REQUESTS_MAX - 4;
	case REQUEST_LEAVES:
		return SYNC_REQUESTS_MAX - 12;
	}
	return SYNC_REQUESTS_MAX;
}

struct request *
request_new(struct peer *peer, enum request_kind kind)
{
	unsigned i;

	if (peer->request_count >= most_of(kind))
		return NULL;

	for (i = 0; i < SYNC_REQUESTS_MAX; i++) {
		struct request *request = &peer->requests[i];

		if (request->kind != REQUEST_NONE)
			continue;
		memset(request, 0, sizeof *request);
		request->kind = kind;
		request->number = ++peer->request_number;
		peer->request_count++;
		return request;
	}
	return NULL;
}

struct request *
request_find(struct peer *peer, uint64_t number)
{
	unsigned i;

	for (i = 0; i < SYNC_REQUESTS_MAX; i++)
		if (peer->requests[i].kind != REQUEST_NONE && peer->requests[i].number == number)
			return &peer->requests[i];
	return NULL;
}

void
request_done(struct peer *peer, struct request *request)
{
	free(request->package);
	memset(request, 0, sizeof *request);
	peer->request_count--;
}

void
requests_drop(struct sync *sync, struct peer *peer)
{
	unsigned i;
	size_t j;

	for (i = 0; i < SYNC_REQUESTS_MAX; i++) {
		struct request *request = &peer->requests[i];

		if (request->kind == REQUEST_NONE)
			continue;
		if (request->kind == REQUEST_LEAVES)
			leaves_back(sync, peer, request, false);
		request_done(peer, request);
	}
	for (j = 0; j < sync->log_count; j++)
		if (sync->logs[j]->pull.state != PULL_NONE &&
		    sync->logs[j]->pull.peer == peer->slot)
			pull_stop(sync, sync->logs[j]);
}

/* Text that a peer sent, for a report. */
static void
tell_refusal(struct sync *sync, struct peer *peer, const struct log *log,
    const struct message_refused *refused)
{
	struct buffer text;

	buffer_init(&text, (size_t)8 * MESSAGE_TEXT_MAX);
	text_escape(&text, refused->text);
	action_report(sync, SYNC_REPORT_REFUSED, peer, log, "refused with code %llu: %.*s",
	    (unsigned long long)refused->code, (int)text.size, (const char *)text.data);
	buffer_fini(&text);
}

void
request_refused(struct sync *sync, struct peer *peer, const struct message_refused *refused)
{
	struct request *request = request_find(peer, refused->request);

	if (request == NULL) {
		peer_fail(sync, peer, MESSAGE_CODE_PROTOCOL, SYNC_REPORT_LIED,
		    "it refuses what was not asked (docs/wire 4)");
		return;
	}
	tell_refusal(sync, peer, request->log, refused);
	switch (request->kind) {
	case REQUEST_NONE:
	case REQUEST_CHARTER:
		break;
	case REQUEST_PROOF:
	case REQUEST_PACKAGE: {
		struct log *log = request->log; /* NULL: nobody waits for it any more */
		struct offer *offer = log != NULL ? log_offer(log, peer->slot) : NULL;

		if (offer != NULL)
			offer->refused = true;
		if (log != NULL)
			pull_stop(sync, log);
		break;
	}
	case REQUEST_LEAVES:
		leaves_back(sync, peer, request, true);
		break;
	}
	request_done(peer, request);
	heads_unstash(sync, peer);
}
