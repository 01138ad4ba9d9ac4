/* The clock, the network and the nodes' rims of a simulated federation. */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/checkpoint.h"
#include "proto/message.h"
#include "proto/note.h"

enum event_kind { EVENT_MESSAGE, EVENT_DISK, EVENT_TICK, EVENT_CLOSED, EVENT_CONNECT, EVENT_SIGN };

struct sim_link {
	unsigned ends[2];
	uint64_t connections[2]; /* 0: that end has closed */
	uint64_t free_at[2];     /* when the last message to that end arrives */
	struct sim_link *next;
};

struct sim_event {
	uint64_t time;
	uint64_t number;
	enum event_kind kind;
	unsigned node;
	struct sync *incarnation; /* events for a node that has died since are dropped */
	uint64_t connection;
	unsigned from;
	struct chunk *chunk;
	size_t bytes;
	struct sync_disk *disk;
	struct sim_event *next;
};

static void *
must(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

static struct sync_now
now_of(const struct sim *sim)
{
	return (struct sync_now){
	    .monotonic = sim->now, .clock = UINT64_C(1700000000000) + sim->now};
}

/* SplitMix64: small, and the same everywhere. */
uint64_t
sim_random(struct sim *sim, uint64_t below)
{
	uint64_t z = (sim->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return below == 0 ? 0 : z % below;
}

static struct sim_event *
push(struct sim *sim, enum event_kind kind, unsigned node, uint64_t time)
{
	struct sim_event **at = &sim->events;
	struct sim_event *event = must(calloc(1, sizeof *event));

	event->kind = kind;
	event->node = node;
	event->time = time;
	event->number = ++sim->event_number;
	event->incarnation = sim->nodes[node].sync;
	while (*at != NULL && (*at)->time <= time)
		at = &(*at)->next;
	event->next = *at;
	*at = event;
	return event;
}

static void
event_free(struct sim_event *event)
{
	chunk_drop(event->chunk);
	sync_disk_free(event->disk);
	free(event);
}

void
sim_init(struct sim *sim, uint64_t seed)
{
	memset(sim, 0, sizeof *sim);
	sim->random = seed;
	sim->delay_least = 1;
	sim->delay_most = 20;
	sim->now = 1000;
}

void
sim_fini(struct sim *sim)
{
	unsigned i;
	unsigned j;

	for (i = 0; i < SIM_NODES_MAX; i++) {
		sim_down(sim, i);
		sim_disk_fini(&sim->nodes[i].disk);
		for (j = 0; j < sim->organisations[i].count; j++)
			buffer_fini(&sim->organisations[i].statements[j]);
	}
	while (sim->events != NULL) {
		struct sim_event *event = sim->events;

		sim->events = event->next;
		event_free(event);
	}
	while (sim->links != NULL) {
		struct sim_link *link = sim->links;

		sim->links = link->next;
		free(link);
	}
}

/* ---- links ------------------------------------------------------------------------------------ */

static struct sim_link *
link_of(const struct sim *sim, uint64_t connection, unsigned *end)
{
	struct sim_link *link;

	for (link = sim->links; link != NULL; link = link->next)
		for (*end = 0; *end < 2; (*end)++)
			if (connection != 0 && link->connections[*end] == connection)
				return link;
	return NULL;
}

static struct sim_link *
link_between(const struct sim *sim, unsigned a, unsigned b)
{
	struct sim_link *link;

	for (link = sim->links; link != NULL; link = link->next)
		if (link->connections[0] != 0 && link->connections[1] != 0 &&
		    ((link->ends[0] == a && link->ends[1] == b) ||
		        (link->ends[0] == b && link->ends[1] == a)))
			return link;
	return NULL;
}

bool
sim_connected(const struct sim *sim, unsigned a, unsigned b)
{
	return link_between(sim, a, b) != NULL;
}

static void execute(struct sim *sim, unsigned node);

static void
close_end(struct sim *sim, struct sim_link *link, unsigned end)
{
	uint64_t connection = link->connections[end];
	struct sim_node *node = &sim->nodes[link->ends[end]];

	link->connections[end] = 0;
	if (connection == 0 || !node->up)
		return;
	sync_closed(node->sync, connection, NULL, now_of(sim));
	execute(sim, link->ends[end]);
}

void
sim_cut(struct sim *sim, unsigned a, unsigned b)
{
	struct sim_link *link = link_between(sim, a, b);

	if (link == NULL)
		return;
	sim->counters.cuts++;
	close_end(sim, link, 0);
	close_end(sim, link, 1);
}

static uint64_t
delay(struct sim *sim)
{
	return sim->delay_least + sim_random(sim, sim->delay_most - sim->delay_least + 1);
}

static void
transmit(struct sim *sim, unsigned node, const struct sync_action *action)
{
	unsigned end;
	struct sim_link *link = link_of(sim, action->connection, &end);
	struct sim_event *event;
	struct buffer bytes;
	uint64_t at;

	if (link == NULL || link->connections[1 - end] == 0 || sim->nodes[link->ends[1 - end]].deaf)
		return;
	buffer_init(&bytes, (size_t)2 * MESSAGE_MAX);
	buffer_append(&bytes, action->head.data, action->head.size);
	buffer_append(&bytes, action->tail.data, action->tail.size);
	if (bytes.err != ERR_NONE)
		abort();
	at = sim->now + delay(sim);
	if (at < link->free_at[1 - end])
		at = link->free_at[1 - end];
	link->free_at[1 - end] = at;
	event = push(sim, EVENT_MESSAGE, link->ends[1 - end], at);
	event->connection = link->connections[1 - end];
	event->from = node;
	event->bytes = bytes.size;
	event->chunk = must(chunk_adopt(bytes.data, buffer_view(&bytes)));
}

/* ---- a node's rim ------------------------------------------------------------------------------ */

static void
sign(struct sim *sim, unsigned number)
{
	struct sim_node *node = &sim->nodes[number];

	sim_sign(sim, number);
	node->signs++;
	sim_changed(sim, number);
}

static void
report(struct sim_node *node, const struct sync_report *said)
{
	node->reports[said->kind]++;
	node->last_peer[said->kind] = said->peer;
	memcpy(node->last[said->kind], said->text, sizeof said->text);
	if (getenv("SIM_TRACE") != NULL)
		fprintf(
		    stderr, "report %d of peer %u: %s\n", (int)said->kind, said->peer, said->text);
}

static void
close_one(struct sim *sim, uint64_t connection)
{
	unsigned end;
	struct sim_link *link = link_of(sim, connection, &end);
	struct sim_event *event;

	if (link == NULL)
		return;
	link->connections[end] = 0;
	if (link->connections[1 - end] == 0)
		return;
	event = push(sim, EVENT_CLOSED, link->ends[1 - end],
	    link->free_at[1 - end] > sim->now ? link->free_at[1 - end] : sim->now + 1);
	event->connection = link->connections[1 - end];
}

static void
act(struct sim *sim, unsigned number, struct sync_action *action)
{
	struct sim_node *node = &sim->nodes[number];

	switch (action->kind) {
	case SYNC_SEND:
		transmit(sim, number, action);
		break;
	case SYNC_DISK: {
		/* Writes keep their order, reads do not. */
		bool ordered = sync_disk_writes(action->disk->kind) &&
		               action->disk->kind != SYNC_DISK_LEAF_PUT;
		uint64_t at = sim->now + (ordered ? 2 : 1 + sim_random(sim, 4));

		push(sim, EVENT_DISK, number, at)->disk = action->disk;
		action->disk = NULL;
		break;
	}
	case SYNC_CONNECT:
		push(sim, EVENT_CONNECT, number, sim->now + delay(sim))->from = action->peer;
		break;
	case SYNC_CLOSE:
		close_one(sim, action->connection);
		break;
	case SYNC_SIGN:
		(void)push(sim, EVENT_SIGN, number, sim->now + 1);
		break;
	case SYNC_REPORT:
		report(node, action->report);
		break;
	case SYNC_ROUND:
		node->round_done[action->round->peer] = true;
		node->round[action->round->peer] = *action->round;
		break;
	}
}

static void
execute(struct sim *sim, unsigned number)
{
	struct sim_node *node = &sim->nodes[number];
	struct sync_action action;
	size_t held;

	while (node->sync != NULL && sync_next(node->sync, &action)) {
		size_t bytes = action.kind == SYNC_SEND && !sim->nodes[action.peer].deaf ?
		                   action.head.size + action.tail.size :
		                   0;

		act(sim, number, &action);
		/* The virtual network takes everything at once. */
		if (bytes > 0)
			sync_sent(node->sync, action.connection, bytes, now_of(sim));
		sync_action_fini(&action);
	}
	if (node->sync == NULL)
		return;
	held = sync_held(node->sync);
	if (held > node->held_most)
		node->held_most = held;
	if (held > SIM_HELD_MAX) {
		fprintf(stderr, "node %u holds %zu bytes for others\n", number, held);
		abort();
	}
}

static void
connect_nodes(struct sim *sim, unsigned a, unsigned b)
{
	struct sim_node *from = &sim->nodes[a];
	struct sim_node *to = &sim->nodes[b];
	struct sim_link *link;

	if (!to->up || !to->paired[from->acts_as]) {
		struct err err = {0};

		(void)err_set(&err, ERR_NETWORK, "nobody answers");
		sync_unreachable(from->sync, b, &err, now_of(sim));
		execute(sim, a);
		return;
	}
	link = must(calloc(1, sizeof *link));
	link->ends[0] = a;
	link->ends[1] = b;
	link->connections[0] = ++sim->connections;
	link->connections[1] = ++sim->connections;
	link->next = sim->links;
	sim->links = link;
	sync_connected(to->sync, from->acts_as, link->connections[1], false, now_of(sim));
	execute(sim, b);
	if (link->connections[0] == 0)
		return;
	sync_connected(from->sync, b, link->connections[0], true, now_of(sim));
	execute(sim, a);
}

static void
load_log(struct sim *sim, unsigned number, const struct sim_log *log)
{
	struct sync_log_state state = {.shared = log->shared,
	    .share_count = log->share_count,
	    .share = (const uint8_t(*)[HASH_SIZE])log->share,
	    .head = buffer_view(&log->head)};
	struct err err = {0};

	memcpy(state.log, log->id, HASH_SIZE);
	memcpy(state.organisation, log->organisation, HASH_SIZE);
	sim_disk_tree(log, log->count, &state.tree);
	if (log->seen_size > log->head_size)
		state.seen = buffer_view(&log->seen);
	if (sync_load_log(sim->nodes[number].sync, &state, &err) != ERR_NONE) {
		fprintf(stderr, "load_log: %s\n", err.text);
		abort();
	}
}

void
sim_changed(struct sim *sim, unsigned number)
{
	struct sim_node *node = &sim->nodes[number];
	const struct sim_log *own = sim_disk_log(&node->disk, node->log);

	if (!node->up)
		return;
	if (own != NULL)
		load_log(sim, number, own);
	sync_changed(node->sync, now_of(sim));
	execute(sim, number);
}

static void
set_peers(struct sim *sim, unsigned number)
{
	unsigned i;

	for (i = 0; i < SIM_NODES_MAX; i++) {
		struct sync_peer_config config = {
		    .number = i, .dial = sim->nodes[number].clone || number < i};

		if (!sim->nodes[number].paired[i])
			continue;
		memcpy(config.organisation, sim->organisations[sim->nodes[i].organisation].id,
		    HASH_SIZE);
		memcpy(config.transport, sim->nodes[i].transport, 32);
		if (sync_set_peer(sim->nodes[number].sync, &config, NULL) != ERR_NONE)
			abort();
	}
}

void
sim_up(struct sim *sim, unsigned number)
{
	struct sim_node *node = &sim->nodes[number];
	struct sync_config config = {.may_sign = node->may_sign, .transient = node->clone};
	size_t i;

	memcpy(config.organisation, sim->organisations[node->organisation].id, HASH_SIZE);
	memcpy(config.log, node->log, HASH_SIZE);
	memcpy(config.transport, node->transport, 32);
	node->sync = must(sync_new(&config));
	node->up = true;
	for (i = 0; i < node->disk.statement_count; i++)
		if (sync_load_statement(node->sync, node->disk.statements[i].organisation,
		        buffer_view(&node->disk.statements[i].bytes), NULL) != ERR_NONE)
			abort();
	for (i = 0; i < node->disk.log_count; i++)
		load_log(sim, number, node->disk.logs[i]);
	set_peers(sim, number);
	sync_start(node->sync, now_of(sim));
	execute(sim, number);
	(void)push(sim, EVENT_TICK, number, sim->now + SYNC_TICK_MS);
}

void
sim_down(struct sim *sim, unsigned number)
{
	struct sim_node *node = &sim->nodes[number];
	struct sim_link *link;

	if (!node->up)
		return;
	node->up = false;
	for (link = sim->links; link != NULL; link = link->next) {
		unsigned end = link->ends[0] == number ? 0 : 1;

		if (link->ends[end] != number)
			continue;
		link->connections[end] = 0;
		close_end(sim, link, 1 - end);
	}
	sync_free(node->sync);
	node->sync = NULL;
}

/* ---- time --------------------------------------------------------------------------------------- */

static void
count(struct sim *sim, struct view bytes)
{
	struct message message;

	sim->counters.messages++;
	if (message_parse(&message, bytes, NULL) != ERR_NONE)
		return;
	if (message.type == MESSAGE_LEAF)
		sim->counters.leaves++;
	else if (message.type == MESSAGE_ENTRY)
		sim->counters.entries++;
}

static void
deliver(struct sim *sim, struct sim_event *event)
{
	struct chunk *chunk = event->chunk;
	unsigned end;

	event->chunk = NULL;
	if (link_of(sim, event->connection, &end) == NULL) {
		chunk_drop(chunk);
		return;
	}
	if (sim->tamper != NULL) {
		struct buffer bytes;
		bool arrives;

		buffer_init(&bytes, (size_t)2 * MESSAGE_MAX);
		buffer_append(&bytes, chunk->bytes.data, chunk->bytes.size);
		chunk_drop(chunk);
		arrives = sim->tamper(sim->tamper_cookie, event->from, event->node, &bytes);
		chunk = must(chunk_adopt(bytes.data, buffer_view(&bytes)));
		if (!arrives) {
			chunk_drop(chunk);
			return;
		}
	}
	count(sim, chunk->bytes);
	sync_message(sim->nodes[event->node].sync, event->connection, chunk, now_of(sim));
	execute(sim, event->node);
}

static void
happen(struct sim *sim, struct sim_event *event)
{
	struct sim_node *node = &sim->nodes[event->node];
	unsigned end;

	switch (event->kind) {
	case EVENT_MESSAGE:
		deliver(sim, event);
		break;
	case EVENT_DISK: {
		struct sync_disk *disk = event->disk;

		event->disk = NULL;
		sim_disk_execute(&node->disk, disk);
		sync_disk_done(node->sync, disk, now_of(sim));
		execute(sim, event->node);
		break;
	}
	case EVENT_TICK:
		sync_tick(node->sync, now_of(sim));
		execute(sim, event->node);
		(void)push(sim, EVENT_TICK, event->node, sim->now + SYNC_TICK_MS);
		break;
	case EVENT_CLOSED: {
		struct sim_link *link = link_of(sim, event->connection, &end);

		if (link != NULL)
			close_end(sim, link, end);
		break;
	}
	case EVENT_CONNECT:
		connect_nodes(sim, event->node, event->from);
		break;
	case EVENT_SIGN:
		sign(sim, event->node);
		break;
	}
}

void
sim_step(struct sim *sim)
{
	struct sim_event *event = sim->events;

	if (event == NULL)
		return;
	sim->events = event->next;
	if (event->time > sim->now)
		sim->now = event->time;
	if (sim->nodes[event->node].up && event->incarnation == sim->nodes[event->node].sync)
		happen(sim, event);
	event_free(event);
}

void
sim_run(struct sim *sim, uint64_t milliseconds)
{
	uint64_t end = sim->now + milliseconds;

	while (sim->events != NULL && sim->events->time <= end)
		sim_step(sim);
	sim->now = end;
}

bool
sim_until(
    struct sim *sim, uint64_t milliseconds, bool (*done)(const struct sim *, void *), void *cookie)
{
	uint64_t end = sim->now + milliseconds;

	while (!done(sim, cookie)) {
		if (sim->events == NULL || sim->events->time > end)
			return false;
		sim_step(sim);
	}
	return true;
}

void
sim_inject(struct sim *sim, unsigned from, unsigned to, struct view message)
{
	struct sim_link *link = link_between(sim, from, to);
	struct sim_event *event;
	uint8_t *data;

	if (link == NULL)
		return;
	event = push(sim, EVENT_MESSAGE, to, sim->now);
	event->connection = link->connections[link->ends[0] == to ? 0 : 1];
	event->from = from;
	event->chunk = must(chunk_new(message.size, &data));
	memcpy(data, message.data, message.size);
}

void
sim_round(struct sim *sim, unsigned number, uint64_t milliseconds)
{
	struct sim_node *node = &sim->nodes[number];

	memset(node->round_done, 0, sizeof node->round_done);
	sync_round(node->sync, NULL, 0, sim->now + milliseconds, now_of(sim));
	execute(sim, number);
}
