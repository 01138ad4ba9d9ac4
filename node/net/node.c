#include "node/net/node_internal.h"

#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

/*
 * The life of a node: new, run, free.
 *
 * The happy path of a run: listen, load the store into the machine, tell `ready`; then events of sockets,
 * disk and timer go into the machine and its actions are executed (node_actions.c); a stop is told to the
 * machine, connections flush and close, disk work comes home, handles close, the loop ends.
 *
 * Possible failures: the address cannot be had, the store cannot be read: told by node_run.  While
 * the keys are locked there is no machine: connections are accepted and get no answer.
 */

struct sync_now
node_now(const struct node *node)
{
	struct timespec clock;

	(void)clock_gettime(CLOCK_REALTIME, &clock);
	return (struct sync_now){.monotonic = uv_now(&node->loop),
	    .clock = (uint64_t)clock.tv_sec * 1000 + (uint64_t)clock.tv_nsec / 1000000};
}

void
node_tell_event(struct node *node, enum node_event_kind kind, unsigned peer, const char *text)
{
	struct node_event event = {.kind = kind, .peer = "", .text = text};

	if (peer < SYNC_PEERS_MAX && node->peers[peer].used)
		event.peer = node->peers[peer].peer.name;
	if (node->options.tell != NULL)
		node->options.tell(node->options.cookie, &event);
}

static void
remembered(void *cookie, unsigned slot)
{
	struct node *node = cookie;

	replay_file_keep(node->replay, slot);
}

static int
make_parts(struct node *node, struct err *err)
{
	struct handshake_config config = {.find_psk = node_find_psk,
	    .done = node_handshake_done,
	    .remembered = remembered,
	    .cookie = node};
	int code = replay_file_open(&node->replay, node->options.store, err);

	if (code != ERR_NONE)
		return code;
	config.replay = replay_file_memory(node->replay);
	node->handshakes = handshakes_new(&config);
	node->peers = sodium_allocarray(SYNC_PEERS_MAX, sizeof(*node->peers));
	node->executor = executor_new(&node->loop, node->options.storage, node_disk_done, node);
	if (node->handshakes == NULL || node->peers == NULL || node->executor == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a node");
	memset(node->peers, 0, SYNC_PEERS_MAX * sizeof(*node->peers));
	return ERR_NONE;
}

static void on_timer(uv_timer_t *timer);
static void on_wake(uv_async_t *wake);
static void on_signal(uv_signal_t *handle, int number);

static int
make_handles(struct node *node, struct err *err)
{
	int status = uv_timer_init(&node->loop, &node->timer);
	unsigned i;

	node->timer.data = node->wake.data = node;
	if (status == 0)
		node->handles++;
	if (status == 0 && (status = uv_async_init(&node->loop, &node->wake, on_wake)) == 0)
		node->handles++;
	for (i = 0; i < 2 && status == 0; i++) {
		status = uv_signal_init(&node->loop, &node->signals[i]);
		if (status == 0)
			node->handles++;
		node->signals[i].data = node;
	}
	return status == 0 ? ERR_NONE : socket_error(err, status, "cannot make an event loop");
}

/*
 * Messages are up to 1.1 MB, each in memory of its own.  By default glibc maps that anew every time, and
 * the page faults cost more than hashing and decrypting what is in it: kept and reused, it took the receiver of
 * a large file less than half the CPU.  What is kept is bounded by what was in flight at once.
 */
static void
keep_memory(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 8 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 32 << 20);
	(void)mallopt(M_ARENA_MAX, 2);
}

int
node_new(struct node **out, const struct node_options *options, struct err *err)
{
	struct node *node = calloc(1, sizeof(*node));
	int code;

	if (node == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a node");
	keep_memory();
	node->options = *options;
	if (uv_loop_init(&node->loop) != 0) {
		free(node);
		return err_set(err, ERR_MEMORY, "cannot make an event loop");
	}
	code = make_parts(node, err);
	if (code == ERR_NONE)
		code = make_handles(node, err);
	if (code != ERR_NONE) {
		node_free(node);
		return code;
	}
	*out = node;
	return ERR_NONE;
}

static void
handle_closed(uv_handle_t *handle)
{
	struct node *node = handle->data;

	node->handles--;
}

static void
close_handles(struct node *node)
{
	uv_handle_t *handles[4] = {(uv_handle_t *)&node->timer, (uv_handle_t *)&node->wake,
	    (uv_handle_t *)&node->signals[0], (uv_handle_t *)&node->signals[1]};
	unsigned i;

	for (i = 0; i < node->handles; i++) {
		if (!uv_is_closing(handles[i]))
			uv_close(handles[i], handle_closed);
	}
}

void
node_free(struct node *node)
{
	if (node == NULL)
		return;
	close_handles(node);
	(void)uv_run(&node->loop, UV_RUN_DEFAULT);
	sync_free(node->sync);
	executor_free(node->executor);
	handshakes_free(node->handshakes);
	replay_file_close(node->replay);
	sodium_free(node->peers);
	(void)uv_loop_close(&node->loop);
	free(node);
}

void
node_stop(struct node *node)
{
	atomic_store(&node->stop, true);
	(void)uv_async_send(&node->wake);
}

void
node_keys_changed(void *cookie)
{
	struct node *node = cookie;

	atomic_store(&node->keys_changed, true);
	(void)uv_async_send(&node->wake);
}

/* Keys are there: make a machine and load the store into it. */
static int
unlock(struct node *node, struct err *err)
{
	struct sync_config config = {
	    .may_sign = node->options.sign != NULL, .transient = node->round};
	uint8_t *secret = sodium_malloc(NOISE_KEY);
	int code;

	if (secret == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a key");
	code = keys_secret(node->options.keys, KEYS_TRANSPORT, secret, err);
	if (code == ERR_NONE) {
		memcpy(config.organisation, node->options.organisation, HASH_SIZE);
		memcpy(config.log, node->options.log, HASH_SIZE);
		keys_public(node->options.keys, KEYS_TRANSPORT, config.transport);
		memset(&node->known, 0, sizeof(node->known));
		node->started = false;
		node->sync = sync_new(&config);
		if (node->sync == NULL)
			code = err_set(err, ERR_MEMORY, "no memory for replication");
	}
	if (code == ERR_NONE) {
		handshakes_key(node->handshakes, secret);
		node->phase = NODE_RUNNING;
		node_load(node);
	}
	sodium_free(secret);
	return code;
}

/* Stop the machine; node_maybe_ended frees it once everything has come home. */
static void
lock(struct node *node)
{
	handshakes_key(node->handshakes, NULL);
	node_dials_cancel(node);
	if (node->phase != NODE_RUNNING)
		return;
	node->phase = NODE_ENDING;
	if (node->started)
		sync_stop(node->sync, node_now(node));
	node_pump(node);
	node_maybe_ended(node);
}

static bool
is_home(const struct node *node)
{
	unsigned i;

	for (i = 0; i < SYNC_PEERS_MAX; i++) {
		if (node->peers[i].dialling)
			return false;
	}
	return node->link_count == 0 && executor_idle(node->executor);
}

static void
follow_keys(struct node *node)
{
	bool open = keys_scope(node->options.keys) != KEYS_SCOPE_NONE;
	struct err err = {0};

	if (node->stopping)
		return;
	if (open && node->phase == NODE_LOCKED && unlock(node, &err) != ERR_NONE)
		node_tell_event(node, NODE_EVENT_WARNING, SYNC_PEERS_MAX, err_text(&err));
	else if (!open && node->phase == NODE_RUNNING)
		lock(node);
}

void
node_maybe_ended(struct node *node)
{
	if (node->phase == NODE_ENDING && is_home(node)) {
		sync_free(node->sync);
		node->sync = NULL;
		node->phase = NODE_LOCKED;
		follow_keys(node);
	}
	if (node->stopping && node->phase == NODE_LOCKED && is_home(node))
		close_handles(node);
}

void
node_begin_stop(struct node *node)
{
	if (node->stopping)
		return;
	node->stopping = true;
	handshakes_stop(node->handshakes);
	listener_close(node->listener);
	node->listener = NULL;
	lock(node);
	node_maybe_ended(node);
}

static void
on_wake(uv_async_t *wake)
{
	struct node *node = wake->data;

	if (atomic_load(&node->stop))
		node_begin_stop(node);
	else if (atomic_exchange(&node->keys_changed, false))
		follow_keys(node);
}

static void
on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	node_begin_stop(handle->data);
}

static void
on_timer(uv_timer_t *timer)
{
	struct node *node = timer->data;
	uint64_t now = uv_now(&node->loop);
	unsigned i;

	handshakes_tick(node->handshakes, now);
	node_dials_tick(node, now);
	for (i = 0; i < LINKS_MAX; i++) {
		if (node->links[i].connection != NULL)
			connection_tick(node->links[i].connection, now);
	}
	node_poll_store(node);
	if (node->sync != NULL && node->started) {
		sync_tick(node->sync, node_now(node));
		node_pump(node);
	}
	node_maybe_ended(node);
}

static int
start(struct node *node, struct err *err)
{
	static const int numbers[2] = {SIGTERM, SIGINT};
	int code = ERR_NONE;
	unsigned i;

	(void)signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < 2; i++)
		(void)uv_signal_start(&node->signals[i], on_signal, numbers[i]);
	(void)uv_timer_start(&node->timer, on_timer, SYNC_TICK_MS, SYNC_TICK_MS);
	if (node->options.listen != NULL)
		code = listener_open(
		    &node->listener, &node->loop, node->handshakes, node->options.listen, err);
	if (code == ERR_NONE && keys_scope(node->options.keys) != KEYS_SCOPE_NONE)
		code = unlock(node, err);
	return code;
}

int
node_run(struct node *node, struct err *err)
{
	int code = start(node, err);

	if (code == ERR_NONE && node->options.ready != NULL)
		node->options.ready(node->options.cookie,
		    node->listener == NULL ? "" : listener_address(node->listener),
		    node->phase == NODE_LOCKED);
	if (code != ERR_NONE || atomic_load(&node->stop))
		node_begin_stop(node);
	(void)uv_run(&node->loop, UV_RUN_DEFAULT);
	if (code == ERR_NONE && node->failure.code != ERR_NONE) {
		code = node->failure.code;
		if (err != NULL)
			*err = node->failure;
	}
	return code;
}
