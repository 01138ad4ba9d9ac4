#ifndef DALIL_NODE_NET_NODE_INTERNAL_H
#define DALIL_NODE_NET_NODE_INTERNAL_H

#include <stdatomic.h>
#include <uv.h>

#include "node/net/connection.h"
#include "node/net/dial.h"
#include "node/net/executor.h"
#include "node/net/handshake.h"
#include "node/net/listener.h"
#include "node/net/load.h"
#include "node/net/replay_file.h"
#include "node/node.h"
#include "node/sync/sync.h"

/*
 * Purpose: what the files of the node share (node.c, node_links.c, node_actions.c, node_store.c,
 * node_sync.c).  All of it belongs to the loop's thread, but for ${stop} and ${keys_changed}.
 */

#define LINKS_MAX 128    /* connections in all, design section 7 */
#define LINKS_PER_PEER 2 /* likewise */
#define DIAL_MS 10000u

/* A paired node, and our dialling it. */
struct node_peer {
	struct handshake_tag tag; /* of the handshake that we begin */
	struct node *node;
	bool used;
	struct peer peer;
	struct dial *dial; /* under way */
	uint64_t dial_deadline;
	bool dialling; /* the dial or its handshake is under way */
	unsigned links;
};

/* A connection whose handshake is done. */
struct link {
	struct node *node;
	struct connection *connection; /* NULL: free */
	uint64_t id;
	unsigned peer;
	bool closing;
};

enum node_phase {
	NODE_LOCKED,  /* no machine, no keys */
	NODE_RUNNING, /* loaded or loading */
	NODE_ENDING /* the machine has been stopped; its connections and disk work are coming home */
};

struct node {
	struct node_options options;
	uv_loop_t loop;
	uv_timer_t timer;
	uv_async_t wake;
	uv_signal_t signals[2];
	unsigned handles; /* of those four, not closed yet */
	atomic_bool stop;
	atomic_bool keys_changed;
	bool stopping;
	enum node_phase phase;
	bool started; /* the machine has what the store holds */
	bool pumping;
	bool reading;
	struct err failure; /* what ended it, if not node_stop */

	struct replay_file *replay;
	struct handshakes *handshakes;
	struct listener *listener;
	struct node_peer *peers; /* SYNC_PEERS_MAX, sodium_malloc */
	struct link links[LINKS_MAX];
	unsigned link_count;
	uint64_t link_id;

	struct sync *sync;
	struct executor *executor;
	struct known known;
	uint64_t changes; /* storage_changes when last loaded */
	bool loading;
	struct load *load;
	struct err load_err;
	bool sign_running;
	int sign_code;
	struct err sign_err;

	/* A round (node_sync.c) */
	bool round;
	bool round_begun;
	const uint8_t (*round_peers)[INVITE_KEY];
	unsigned round_count;
	uint64_t round_deadline;
	unsigned round_left;
	int round_worst;
	node_rounded *rounded;
};

/* node.c */
struct sync_now node_now(const struct node *node);
void node_tell_event(struct node *node, enum node_event_kind kind, unsigned peer, const char *text);
/* End it all: everything is told to close, and the loop ends when it has. */
void node_begin_stop(struct node *node);
/* To be called when a link, a disk job or a dial has come home. */
void node_maybe_ended(struct node *node);

/* node_links.c */
void node_handshake_done(void *cookie, struct handshake_tag *tag, struct socket *socket,
    const struct noise_result *result, const struct err *err);
int
node_find_psk(void *cookie, const uint8_t remote[static NOISE_KEY], uint8_t psk[static NOISE_KEY]);
/* Take the peers as the store has them. */
void node_set_peers(struct node *node, const struct peer *peers, unsigned count);
void node_dial(struct node *node, unsigned peer);
void node_dials_tick(struct node *node, uint64_t now);
void node_dials_cancel(struct node *node);
struct link *node_link(struct node *node, uint64_t id);

/* node_actions.c: execute what the machine wants, until it wants no more. */
void node_pump(struct node *node);

/* node_store.c */
void node_disk_done(void *cookie, struct sync_disk *request);
/* Load what the store holds, unless that is under way. */
void node_load(struct node *node);
/* Has another process changed the store? */
void node_poll_store(struct node *node);
/* If so, take its peers at once. */
void node_refresh_peers(struct node *node);
void node_sign_log(struct node *node);

/* node_sync.c */
void node_round_begin(struct node *node);
void node_round_done(struct node *node, const struct sync_round_done *round);

#endif
