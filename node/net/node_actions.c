#include "node/net/node_internal.h"

/*
 * The happy path: each action in its turn; none waits, for what takes time comes back as an event.
 *
 * An action may bring forth an event at once (a dial that fails), whose actions join the same
 * queue: node_pump is not entered twice.
 */

static void
report(struct node *node, const struct sync_report *report)
{
	enum node_event_kind kind = NODE_EVENT_NOTICE;

	switch (report->kind) {
	case SYNC_REPORT_UP:
		kind = NODE_EVENT_UP;
		break;
	case SYNC_REPORT_DOWN:
		kind = NODE_EVENT_DOWN;
		break;
	case SYNC_REPORT_LOG:
	case SYNC_REPORT_RECOVER:
		kind = NODE_EVENT_NOTICE;
		break;
	case SYNC_REPORT_LIED:
	case SYNC_REPORT_SUSPECT:
	case SYNC_REPORT_FROZEN:
	case SYNC_REPORT_CLOCK:
	case SYNC_REPORT_REFUSED:
	case SYNC_REPORT_TROUBLE:
		kind = NODE_EVENT_WARNING;
		break;
	}
	node_tell_event(node, kind, report->peer, report->text);
}

static void
send_message(struct node *node, struct sync_action *action)
{
	struct link *link = node_link(node, action->connection);
	struct err err = {0};

	if (link == NULL)
		return;
	if (connection_send(link->connection, &action->head, action->chunk, action->tail) !=
	    ERR_MEMORY)
		return;
	(void)err_set(&err, ERR_MEMORY, "no memory to send");
	connection_fail(link->connection, &err);
}

static void
execute(struct node *node, struct sync_action *action)
{
	struct link *link;

	switch (action->kind) {
	case SYNC_SEND:
		send_message(node, action);
		break;
	case SYNC_DISK:
		executor_submit(node->executor, action->disk);
		action->disk = NULL;
		break;
	case SYNC_CONNECT:
		node_dial(node, action->peer);
		break;
	case SYNC_CLOSE:
		link = node_link(node, action->connection);
		if (link != NULL) {
			link->closing = true;
			connection_close(link->connection);
		}
		break;
	case SYNC_SIGN:
		node_sign_log(node);
		break;
	case SYNC_REPORT:
		report(node, action->report);
		break;
	case SYNC_ROUND:
		node_round_done(node, action->round);
		break;
	}
}

/* Reading stops and goes on for all at once: what is in flight is counted over all. */
static void
follow_reading(struct node *node)
{
	bool reading = sync_reading(node->sync);
	unsigned i;

	if (reading == node->reading)
		return;
	node->reading = reading;
	for (i = 0; i < LINKS_MAX; i++) {
		if (node->links[i].connection != NULL)
			connection_read(node->links[i].connection, reading);
	}
}

void
node_pump(struct node *node)
{
	struct sync_action action;

	if (node->pumping || node->sync == NULL)
		return;
	node->pumping = true;
	while (sync_next(node->sync, &action)) {
		execute(node, &action);
		sync_action_fini(&action);
	}
	follow_reading(node);
	node->pumping = false;
}
