/* The queue of actions, and sending. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/sync/sync_internal.h"

static struct sync_action *
push(struct sync *sync, enum sync_action_kind kind)
{
	struct queued_action *queued = calloc(1, sizeof *queued);

	if (queued == NULL) {
		sync->starved = true;
		return NULL;
	}
	queued->action.kind = kind;
	queued->action.peer = SYNC_PEERS_MAX;
	if (sync->last != NULL)
		sync->last->next = queued;
	else
		sync->first = queued;
	sync->last = queued;
	return &queued->action;
}

bool
sync_next(struct sync *sync, struct sync_action *action)
{
	struct queued_action *queued = sync->first;

	if (queued == NULL)
		return false;
	sync->first = queued->next;
	if (sync->first == NULL)
		sync->last = NULL;
	*action = queued->action;
	free(queued);
	return true;
}

void
sync_action_fini(struct sync_action *action)
{
	if (action->kind == SYNC_SEND)
		buffer_fini(&action->head);
	chunk_drop(action->chunk);
	sync_disk_free(action->disk);
	free(action->report);
	free(action->round);
	action->chunk = NULL;
	action->disk = NULL;
	action->report = NULL;
	action->round = NULL;
}

struct sync_disk *
disk_new(enum sync_disk_kind kind)
{
	struct sync_disk *disk = calloc(1, sizeof *disk);

	if (disk != NULL)
		disk->kind = kind;
	return disk;
}

void
action_disk(struct sync *sync, struct sync_disk *disk)
{
	struct sync_action *action = push(sync, SYNC_DISK);

	if (sync_disk_writes(disk->kind))
		sync->puts++;
	if (action != NULL) {
		action->disk = disk;
		return;
	}
	/* No memory: it comes back as failed, so that whoever waits for it hears. */
	disk->result = ERR_MEMORY;
	sync_disk_done(sync, disk, sync->now);
}

void
action_connect(struct sync *sync, unsigned peer)
{
	struct sync_action *action = push(sync, SYNC_CONNECT);

	if (action != NULL)
		action->peer = peer;
}

void
action_close(struct sync *sync, uint64_t connection)
{
	struct sync_action *action = push(sync, SYNC_CLOSE);

	if (action != NULL)
		action->connection = connection;
}

void
action_sign(struct sync *sync)
{
	(void)push(sync, SYNC_SIGN);
}

void
action_report(struct sync *sync, enum sync_report_kind kind, const struct peer *peer,
    const struct log *log, const char *format, ...)
{
	struct sync_report *report = calloc(1, sizeof *report);
	struct sync_action *action;
	va_list arguments;

	if (report == NULL)
		return;
	report->kind = kind;
	report->peer = peer != NULL ? peer->config.number : SYNC_PEERS_MAX;
	if (log != NULL) {
		report->has_log = true;
		memcpy(report->log, log->id, HASH_SIZE);
		report->size = log->tree.size;
	}
	va_start(arguments, format);
	(void)vsnprintf(report->text, sizeof report->text, format, arguments);
	va_end(arguments);
	action = push(sync, SYNC_REPORT);
	if (action == NULL) {
		free(report);
		return;
	}
	action->peer = report->peer;
	action->report = report;
}

void
action_round(struct sync *sync, const struct sync_round_done *done)
{
	struct sync_round_done *copy = malloc(sizeof *copy);
	struct sync_action *action;

	if (copy == NULL) {
		sync->starved = true;
		return;
	}
	*copy = *done;
	action = push(sync, SYNC_ROUND);
	if (action == NULL) {
		free(copy);
		return;
	}
	action->peer = done->peer;
	action->round = copy;
}

void
peer_send(struct sync *sync, struct peer *peer, const struct message *message, struct chunk *chunk,
    struct view tail)
{
	struct sync_action *action;
	struct buffer head;
	size_t bytes;

	if (peer->connection == 0)
		return;
	buffer_init(&head, MESSAGE_MAX);
	message_pack(&head, message);
	bytes = head.size + tail.size;
	action = head.err == ERR_NONE && bytes <= MESSAGE_MAX ? push(sync, SYNC_SEND) : NULL;
	if (action == NULL) {
		buffer_fini(&head);
		sync->starved = true;
		return;
	}
	action->connection = peer->connection;
	action->peer = peer->config.number;
	action->head = head;
	action->chunk = chunk_take(chunk);
	action->tail = tail;
	if (peer->queued == 0)
		peer->last_sent = sync->now.monotonic;
	peer->queued += bytes;
	sync->queued += bytes;
	peer->counts.bytes_out += bytes;
	peer->last_out = sync->now.monotonic;
}

void
peer_refuse(struct sync *sync, struct peer *peer, uint64_t request, enum message_code code,
    const char *text)
{
	struct message message = {.type = MESSAGE_REFUSED};

	message.as.refused.request = request;
	message.as.refused.code = (uint64_t)code;
	message.as.refused.text = view_text(text);
	peer_send(sync, peer, &message, NULL, view_of(NULL, 0));
}
