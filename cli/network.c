#include "cli/network.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/output.h"
#include "cli/report.h"

/* Called after the log's heads were read from peers: that is what the gate wants to know. */
static int
sign(void *cookie, struct err *err)
{
	struct session *session = cookie;
	struct log_gate gate = {.peers = true, .heads_read = true};
	struct log_signed result;
	int code = archive_sign(session->archive, &gate, NULL, &result, err);

	return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static void
tell(void *cookie, const struct node_event *event)
{
	struct session *session = cookie;

	switch (event->kind) {
	case NODE_EVENT_WARNING:
		report_warning(session->context, "%s: %s", event->peer, event->text);
		break;
	case NODE_EVENT_NOTICE:
		report_say(session->context, "%s: %s", event->peer, event->text);
		break;
	case NODE_EVENT_UP:
	case NODE_EVENT_DOWN:
		break;
	}
}

void
network_options(struct node_options *options, struct session *session)
{
	*options = (struct node_options){.store = archive_path(session->archive),
	    .storage = archive_storage(session->archive),
	    .keys = archive_keys(session->archive),
	    .sign = sign,
	    .tell = tell,
	    .cookie = session};
	memcpy(options->organisation, session->self.organisation, HASH_SIZE);
	memcpy(options->log, session->self.log, HASH_SIZE);
}

static void
print_round(struct session *session, const struct node_round *round)
{
	json_t *object;

	if (!session->context->globals.json) {
		output_text(view_text(round->peer));
		printf("  %" PRIu64 " records, %" PRIu64 " payloads, %" PRIu64 " KiB in %.1f s: ",
		    round->records, round->payloads, round->bytes / 1024, round->seconds);
		if (round->result == ERR_NONE)
			printf("done");
		else
			output_text(view_text(round->text));
		printf("\n");
		return;
	}
	object = json_object();
	output_set_text(object, "peer", view_text(round->peer));
	output_set_uint(object, "records", round->records);
	output_set_uint(object, "payloads", round->payloads);
	output_set_uint(object, "bytes", round->bytes);
	(void)json_object_set_new(object, "seconds", json_real(round->seconds));
	output_set_text(
	    object, "result", view_text(round->result == ERR_NONE ? "done" : round->text));
	output_json(object);
}

static void
rounded(void *cookie, const struct node_round *round)
{
	struct session *session = cookie;
	struct err err = {0};

	print_round(session, round);
	if (round->result != ERR_NONE) {
		(void)err_set(
		    &err, (enum err_code)round->result, "%s: %s", round->peer, round->text);
		report_failure(session->context, &err, NULL);
	}
}

/* During recover only troubles are told: it reports what came back itself. */
static void
rounded_silently(void *cookie, const struct node_round *round)
{
	struct session *session = cookie;

	if (round->result != ERR_NONE)
		report_warning(session->context, "%s: %s", round->peer, round->text);
}

static int
find_keys(struct session *session, uint8_t (*keys)[INVITE_KEY], char *const *names, size_t count,
    struct err *err)
{
	struct snapshot *snapshot;
	struct peer peer;
	size_t i;
	int code = snapshot_begin(archive_storage(session->archive), &snapshot, err);

	for (i = 0; code == ERR_NONE && i < count; i++) {
		code = peer_find(snapshot, view_text(names[i]), &peer, err);
		if (code == ERR_NOT_FOUND)
			(void)err_set(err, ERR_NOT_FOUND, "no peer is called %s", names[i]);
		if (code == ERR_NONE) {
			memcpy(keys[i], peer.transport, INVITE_KEY);
			peer_wipe(&peer);
		}
	}
	snapshot_end(snapshot);
	return code;
}

int
network_round(struct session *session, char *const *names, size_t count, uint64_t timeout_seconds,
    bool silent, struct err *err)
{
	uint8_t(*keys)[INVITE_KEY] = calloc(count + 1, sizeof(*keys));
	struct node_options node;
	int code;

	if (keys == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	network_options(&node, session);
	code = find_keys(session, keys, names, count, err);
	if (code == ERR_NONE)
		code = node_sync(&node, (const uint8_t(*)[INVITE_KEY])keys, (unsigned)count,
		    timeout_seconds * 1000, silent ? rounded_silently : rounded, err);
	free(keys);
	return code;
}
