#include "node/net/node_internal.h"

#include <sodium.h>
#include <stdlib.h>

/*
 * Peers, the way to them, and the connections that come of it.
 *
 * The happy path out: node_dial, the dial connects, the handshake is done, a link.  In: the
 * listener's handshake finds the peer by its transport key, a link.
 *
 * Possible failures: nobody there, no answer in time, too many connections, the peer was taken out
 * of the store meanwhile: each dial that leads nowhere ends in one sync_unreachable.
 */

static bool
lookup_psk(const struct node *node, const uint8_t *remote, uint8_t *psk)
{
	unsigned i;

	for (i = 0; i < SYNC_PEERS_MAX; i++) {
		const struct node_peer *each = &node->peers[i];

		if (!each->used || sodium_memcmp(each->peer.transport, remote, NOISE_KEY) != 0)
			continue;
		memcpy(psk, each->peer.psk, NOISE_KEY);
		return true;
	}
	return false;
}

int
node_find_psk(void *cookie, const uint8_t remote[static NOISE_KEY], uint8_t psk[static NOISE_KEY])
{
	struct node *node = cookie;

	/* Somebody may have been paired, or removed, a moment ago by another process. */
	node_refresh_peers(node);
	if (lookup_psk(node, remote, psk))
		return ERR_NONE;
	return ERR_REFUSED;
}

static struct node_peer *
find_peer(struct node *node, const uint8_t *transport)
{
	unsigned i;

	for (i = 0; i < SYNC_PEERS_MAX; i++) {
		if (node->peers[i].used &&
		    memcmp(node->peers[i].peer.transport, transport, NOISE_KEY) == 0)
			return &node->peers[i];
	}
	return NULL;
}

struct link *
node_link(struct node *node, uint64_t id)
{
	unsigned i;

	for (i = 0; i < LINKS_MAX; i++) {
		if (node->links[i].connection != NULL && node->links[i].id == id)
			return &node->links[i];
	}
	return NULL;
}

static void
link_message(void *owner, struct connection *connection, void *memory, struct view message)
{
	struct link *link = owner;
	struct node *node = link->node;
	struct chunk *chunk = chunk_adopt(memory, message);

	if (chunk == NULL) {
		struct err err = {0};

		(void)err_set(&err, ERR_MEMORY, "no memory for a message");
		connection_fail(connection, &err);
		return;
	}
	sync_message(node->sync, link->id, chunk, node_now(node));
	node_pump(node);
}

static void
link_sent(void *owner, struct connection *connection, size_t bytes)
{
	struct link *link = owner;

	(void)connection;
	sync_sent(link->node->sync, link->id, bytes, node_now(link->node));
	node_pump(link->node);
}

static void
link_closed(void *owner, struct connection *connection, const struct err *err)
{
	struct link *link = owner;
	struct node *node = link->node;

	(void)connection;
	link->connection = NULL;
	node->link_count--;
	node->peers[link->peer].links--;
	sync_closed(node->sync, link->id, err, node_now(node));
	node_pump(node);
	node_maybe_ended(node);
}

static const struct connection_events link_events = {
    .message = link_message, .sent = link_sent, .closed = link_closed};

/* Connections that stand to the peer; those that are being closed do not count. */
static unsigned
links_to(const struct node *node, unsigned peer)
{
	unsigned count = 0;
	unsigned i;

	for (i = 0; i < LINKS_MAX; i++) {
		if (node->links[i].connection != NULL && !node->links[i].closing &&
		    node->links[i].peer == peer)
			count++;
	}
	return count;
}

/* Takes the socket; NULL where there is no room or no memory. */
static struct link *
make_link(struct node *node, struct node_peer *peer, struct socket *socket,
    const struct noise_result *result)
{
	struct link *link = NULL;
	unsigned i;

	for (i = 0; i < LINKS_MAX && link == NULL; i++) {
		if (node->links[i].connection == NULL)
			link = &node->links[i];
	}
	if (link == NULL || links_to(node, (unsigned)(peer - node->peers)) >= LINKS_PER_PEER) {
		socket_close(socket);
		return NULL;
	}
	link->node = node;
	link->closing = false;
	link->id = ++node->link_id;
	link->peer = (unsigned)(peer - node->peers);
	link->connection = connection_new(socket, result, &link_events, link);
	if (link->connection == NULL)
		return NULL;
	peer->links++;
	node->link_count++;
	connection_rate(link->connection, peer->peer.rate);
	return link;
}

static void
begin_link(struct node *node, struct link *link, bool outgoing)
{
	connection_read(link->connection, node->reading);
	sync_connected(node->sync, link->peer, link->id, outgoing, node_now(node));
	node_pump(node);
}

static void
unreachable(struct node *node, struct node_peer *peer, const struct err *err)
{
	peer->dialling = false;
	if (node->sync != NULL) {
		sync_unreachable(node->sync, (unsigned)(peer - node->peers), err, node_now(node));
		node_pump(node);
	}
	node_maybe_ended(node);
}

static void
came_in(struct node *node, struct socket *socket, const struct noise_result *result)
{
	struct node_peer *peer = find_peer(node, result->remote);
	struct link *link = NULL;

	if (peer == NULL || node->phase != NODE_RUNNING || !node->started)
		socket_close(socket);
	else
		link = make_link(node, peer, socket, result);
	if (link != NULL)
		begin_link(node, link, false);
}

static void
went_out(struct node *node, struct node_peer *peer, struct socket *socket,
    const struct noise_result *result)
{
	struct link *link = NULL;
	struct err err = {0};

	if (node->phase == NODE_RUNNING && peer->used)
		link = make_link(node, peer, socket, result);
	else
		socket_close(socket);
	if (link == NULL) {
		(void)err_set(&err, ERR_LIMIT, "no room for another connection");
		unreachable(node, peer, &err);
		return;
	}
	peer->dialling = false;
	begin_link(node, link, true);
}

void
node_handshake_done(void *cookie, struct handshake_tag *tag, struct socket *socket,
    const struct noise_result *result, const struct err *err)
{
	struct node *node = cookie;

	if (tag->incoming) {
		listener_leave((struct listener_ticket *)tag);
		if (socket != NULL)
			came_in(node, socket, result);
	} else if (socket != NULL) {
		went_out(node, (struct node_peer *)tag, socket, result);
	} else {
		unreachable(node, (struct node_peer *)tag, err);
	}
}

static void
dialled(void *cookie, struct socket *socket, const struct err *err)
{
	struct node_peer *peer = cookie;
	struct node *node = peer->node;
	struct handshake_peer known;

	peer->dial = NULL;
	if (socket == NULL || node->phase != NODE_RUNNING || !peer->used) {
		struct err gone = {0};

		socket_close(socket);
		(void)err_set(&gone, ERR_CANCELLED, "given up");
		unreachable(node, peer, err == NULL ? &gone : err);
		return;
	}
	memcpy(known.transport, peer->peer.transport, NOISE_KEY);
	memcpy(known.psk, peer->peer.psk, NOISE_KEY);
	handshake_begin(
	    node->handshakes, socket, &known, uv_now(&node->loop) + HANDSHAKE_MS, &peer->tag);
	sodium_memzero(&known, sizeof(known));
}

void
node_dial(struct node *node, unsigned number)
{
	struct node_peer *peer = &node->peers[number];
	struct err err = {0};
	int code;

	if (!peer->used || peer->dialling)
		return;
	peer->dialling = true;
	peer->dial_deadline = uv_now(&node->loop) + DIAL_MS;
	if (peer->peer.address[0] == '\0')
		code = err_set(&err, ERR_NETWORK, "it has no address: it dials us");
	else
		code =
		    dial_start(&peer->dial, &node->loop, peer->peer.address, dialled, peer, &err);
	if (code != ERR_NONE)
		unreachable(node, peer, &err);
}

void
node_dials_tick(struct node *node, uint64_t now)
{
	unsigned i;

	for (i = 0; i < SYNC_PEERS_MAX; i++) {
		if (node->peers[i].dial != NULL && now >= node->peers[i].dial_deadline)
			dial_cancel(node->peers[i].dial);
	}
}

void
node_dials_cancel(struct node *node)
{
	unsigned i;

	for (i = 0; i < SYNC_PEERS_MAX; i++) {
		if (node->peers[i].dial != NULL)
			dial_cancel(node->peers[i].dial);
	}
}

static void
set_peer(struct node *node, struct node_peer *slot, const struct peer *peer)
{
	struct sync_peer_config config = {
	    .number = (unsigned)(slot - node->peers), .dial = peer->address[0] != '\0'};
	struct err err = {0};

	slot->used = true;
	slot->node = node;
	slot->peer = *peer;
	memcpy(config.organisation, peer->organisation, HASH_SIZE);
	memcpy(config.transport, peer->transport, NOISE_KEY);
	if (sync_set_peer(node->sync, &config, &err) != ERR_NONE)
		node_tell_event(node, NODE_EVENT_WARNING, config.number, err_text(&err));
}

/* A slot whose last links and dial have not come home yet is not given to somebody else. */
static struct node_peer *
slot_for(struct node *node, const struct peer *peer)
{
	struct node_peer *slot = find_peer(node, peer->transport);
	unsigned i;

	for (i = 0; i < SYNC_PEERS_MAX && slot == NULL; i++) {
		if (!node->peers[i].used && node->peers[i].links == 0 && !node->peers[i].dialling)
			slot = &node->peers[i];
	}
	return slot;
}

static bool
is_listed(const struct node_peer *slot, const struct peer *peers, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		if (!peers[i].suspended &&
		    memcmp(peers[i].transport, slot->peer.transport, NOISE_KEY) == 0)
			return true;
	}
	return false;
}

void
node_set_peers(struct node *node, const struct peer *peers, unsigned count)
{
	unsigned i;

	for (i = 0; i < SYNC_PEERS_MAX; i++) {
		struct node_peer *slot = &node->peers[i];

		if (!slot->used || is_listed(slot, peers, count))
			continue;
		sync_remove_peer(node->sync, i);
		slot->used = false;
		peer_wipe(&slot->peer);
	}
	for (i = 0; i < count; i++) {
		struct node_peer *slot;

		if (peers[i].suspended)
			continue;
		slot = slot_for(node, &peers[i]);
		if (slot != NULL &&
		    (!slot->used || memcmp(&slot->peer, &peers[i], sizeof(peers[i])) != 0))
			set_peer(node, slot, &peers[i]);
	}
}
