#ifndef DALIL_NODE_NODE_H
#define DALIL_NODE_NODE_H

#include "node/keys/keys.h"
#include "node/peer.h"
#include "node/storage.h"

/*
 * Purpose: the face of the network (design section 3): run a node until it is told to stop, do
 * one round of sync, see how a peer answers.  Replication itself is node/sync's; node/net joins it to
 * sockets, timers and the store.
 *
 * Each call owns its event loop and returns when everything of it is closed; call one at a time in
 * a process.  The worker threads that it uses call ${sign} and the storage.
 *
 * Ownership: everything in the options stays the caller's and outlives the call.
 * Errors: ERR_NETWORK, ERR_TIMEOUT, ERR_LOCKED, and those of node/storage.h.
 */

/*
 * Sign the own log as far as it goes (node/log).  Called on a worker, one at a time, after the
 * log's heads were read from peers (design 5.4).
 */
typedef int node_sign(void *cookie, struct err *err);

enum node_event_kind {
	NODE_EVENT_UP,     /* a peer is connected */
	NODE_EVENT_DOWN,   /* and gone again: why */
	NODE_EVENT_NOTICE, /* something to know: a log is complete, our clock is off */
	NODE_EVENT_WARNING /* a peer lied or is suspect, the log is frozen, the disk failed */
};

struct node_event {
	enum node_event_kind kind;
	const char *peer; /* its local name, or "" */
	const char *text; /* escaped; dies with the call */
};
typedef void node_tell(void *cookie, const struct node_event *event);

/* The node accepts connections: its address as HOST:PORT or unix:PATH, "" where it only dials. */
typedef void node_ready(void *cookie, const char *listen, bool locked);

struct node_options {
	const char *store;       /* its directory */
	struct storage *storage; /* open */
	struct keys *keys;       /* while its node keys are locked, the node exchanges nothing */
	uint8_t organisation[HASH_SIZE];
	uint8_t log[HASH_SIZE]; /* the own one */
	const char
	    *listen; /* HOST:PORT, [V6]:PORT, unix:/PATH; port 0 picks one; NULL: only dial */
	node_sign *sign;
	node_tell *tell;   /* may be NULL; on the calling thread */
	node_ready *ready; /* may be NULL; node_run only, on the calling thread */
	void *cookie;
};

struct node;

/*
 * node_new, then node_run until node_stop, SIGTERM or SIGINT: listens, dials, replicates, and
 * notices what other processes put into the store.  node_run returns 0 after a clean stop.
 */
int node_new(struct node **node, const struct node_options *options, struct err *err);
int node_run(struct node *node, struct err *err);
void node_free(struct node *node); /* NULL is fine */
/* Any thread; also from a signal handler. */
void node_stop(struct node *node);
/* Any thread: keys were unlocked or locked (a `lend_changed`); ${node} is the cookie. */
void node_keys_changed(void *node);

/* What a round with one peer came to. */
struct node_round {
	const char *peer;
	int result; /* 0, or an err_code */
	const char *text;
	uint64_t records; /* both ways */
	uint64_t payloads;
	uint64_t bytes;
	double seconds;
};
typedef void node_rounded(void *cookie, const struct node_round *round);

/*
 * One round with each of ${count} peers by their transport keys (0: with all that are not
 * suspended), as design 8 `sync` says; ${rounded} is called for each.  0 if all went well, else the
 * worst result.
 */
int node_sync(const struct node_options *options, const uint8_t (*peers)[INVITE_KEY],
    unsigned count, uint64_t timeout_ms, node_rounded *rounded, struct err *err);

/* How a peer answers. */
enum node_test {
	NODE_TEST_WELL,
	NODE_TEST_UNREACHABLE, /* nothing accepts there, or the name does not resolve */
	NODE_TEST_WRONG_KEY,   /* something accepts and does not know the transport key we hold */
	NODE_TEST_UNKNOWN,     /* it is the right node, but it does not know us */
	NODE_TEST_OTHER,       /* it is another organisation's now, or speaks no version of ours */
	NODE_TEST_CLOCK        /* all is well but the clocks differ by more than a day */
};
/* 0 with *result, and where it is not WELL why in ${err}; an error where the test could not be made. */
int node_test_peer(const struct node_options *options, const struct peer *peer,
    enum node_test *result, int64_t *clock_ahead_ms, struct err *err);

#endif
