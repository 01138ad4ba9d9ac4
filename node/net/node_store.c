#include "node/net/node_internal.h"

#include <sodium.h>
#include <stdlib.h>

/*
 * What the store holds, and what the machine knows of it.
 *
 * The happy path: at the start, and whenever the store has changed, a load reads what differs, in
 * its turn among the writes, so that none of our own is half done; the machine is told.  Signing
 * stands in the same order and is followed by a load.
 *
 * Possible failures: the store cannot be read: at the start that ends the node, later it is told and
 * tried again at the next change.
 */

/* What our own writes did is known without reading it again. */
static void
note_write(struct node *node, const struct sync_disk *request)
{
	struct known_log *log = NULL;
	struct known_charter *charter;

	if (request->result != ERR_NONE)
		return;
	if (request->kind == SYNC_DISK_LOG_PUT)
		log = known_log(&node->known, request->as.log.log);
	else if (request->kind == SYNC_DISK_HEAD_PUT)
		log = known_log(&node->known, request->as.head.log);
	else if (request->kind == SYNC_DISK_ENTRY_PUT)
		log = known_log(&node->known, request->as.entry.log);
	if (log != NULL) {
		log->told = true;
		if (request->kind == SYNC_DISK_ENTRY_PUT)
			log->size = request->as.entry.index + 1;
		else if (request->kind == SYNC_DISK_HEAD_PUT && request->as.head.size > log->head)
			log->head = request->as.head.size;
	}
	if (request->kind == SYNC_DISK_STATEMENT_PUT) {
		charter = known_charter(&node->known, request->as.statement.organisation);
		if (charter != NULL)
			charter->count++;
	}
}

void
node_disk_done(void *cookie, struct sync_disk *request)
{
	struct node *node = cookie;

	note_write(node, request);
	sync_disk_done(node->sync, request, node_now(node));
	node_pump(node);
	node_maybe_ended(node);
}

static void
load_work(void *argument)
{
	struct node *node = argument;

	node->load_err = (struct err){0};
	node->load_err.code = load_read(node->load, &node->load_err);
}

static void
load_refusal(void *cookie, const char *text)
{
	node_tell_event(cookie, NODE_EVENT_WARNING, SYNC_PEERS_MAX, text);
}

static void
load_failed(struct node *node)
{
	node_tell_event(node, NODE_EVENT_WARNING, SYNC_PEERS_MAX, err_text(&node->load_err));
	if (node->started)
		return;
	node->failure = node->load_err;
	node_begin_stop(node);
}

static void
load_took(struct node *node)
{
	unsigned count;
	const struct peer *peers = load_peers(node->load, &count);
	bool changed = false;

	load_tell(node->load, node->sync, &node->known, &changed, load_refusal, node);
	node_set_peers(node, peers, count);
	if (!node->started) {
		node->started = true;
		node->reading = sync_reading(node->sync);
		sync_start(node->sync, node_now(node));
		node_round_begin(node);
	} else if (changed) {
		sync_changed(node->sync, node_now(node));
	}
	node_pump(node);
}

static void
load_after(void *argument)
{
	struct node *node = argument;

	node->loading = false;
	if (node->phase == NODE_RUNNING) {
		if (node->load_err.code != ERR_NONE)
			load_failed(node);
		else
			load_took(node);
	}
	load_free(node->load);
	node->load = NULL;
	node_maybe_ended(node);
}

void
node_load(struct node *node)
{
	if (node->loading)
		return;
	(void)storage_changes(node->options.storage, &node->changes, NULL);
	node->load = load_new(node->options.storage, &node->known);
	if (node->load == NULL)
		return;
	node->loading = true;
	if (executor_alone(node->executor, load_work, load_after, node) != ERR_NONE) {
		node->loading = false;
		load_free(node->load);
		node->load = NULL;
	}
}

void
node_poll_store(struct node *node)
{
	uint64_t changes;

	if (node->phase != NODE_RUNNING || node->loading ||
	    storage_changes(node->options.storage, &changes, NULL) != ERR_NONE)
		return;
	if (changes != node->changes)
		node_load(node);
}

void
node_refresh_peers(struct node *node)
{
	struct peer *peers;
	uint64_t changes;
	unsigned count;

	if (node->phase != NODE_RUNNING || !node->started ||
	    storage_changes(node->options.storage, &changes, NULL) != ERR_NONE ||
	    changes == node->changes)
		return;
	peers = sodium_allocarray(SYNC_PEERS_MAX, sizeof(*peers));
	if (peers != NULL &&
	    load_peers_now(node->options.storage, peers, &count, NULL) == ERR_NONE) {
		node_set_peers(node, peers, count);
		node_pump(node);
	}
	sodium_free(peers);
}

static void
sign_work(void *argument)
{
	struct node *node = argument;

	node->sign_err = (struct err){0};
	node->sign_code = node->options.sign(node->options.cookie, &node->sign_err);
}

static void
sign_after(void *argument)
{
	struct node *node = argument;

	node->sign_running = false;
	if (node->phase == NODE_RUNNING) {
		if (node->sign_code != ERR_NONE) {
			sync_sign_failed(node->sync, &node->sign_err, node_now(node));
			node_pump(node);
		} else {
			node_load(node);
		}
	}
	node_maybe_ended(node);
}

void
node_sign_log(struct node *node)
{
	struct err err = {0};

	if (node->sign_running)
		return;
	node->sign_running = true;
	if (executor_alone(node->executor, sign_work, sign_after, node) == ERR_NONE)
		return;
	node->sign_running = false;
	(void)err_set(&err, ERR_MEMORY, "no memory to sign");
	sync_sign_failed(node->sync, &err, node_now(node));
}
