#ifndef DALIL_NODE_NET_LISTENER_H
#define DALIL_NODE_NET_LISTENER_H

#include "node/net/handshake.h"

/*
 * Purpose: accept connections, within the limits of admission.h, and begin a handshake with each.
 *
 * Ownership: listener_close frees it, after libuv is done with its handle; tickets that are out
 * are given back with listener_leave before that.  Threads: the loop's.
 */

struct listener;

/* What a handshake that the listener began has as its tag. */
struct listener_ticket {
	struct handshake_tag tag;
	struct listener *listener;
	int admission;
	bool used;
};

/*
 * ${address}: HOST:PORT, [V6]:PORT or unix:/PATH.  A socket file that nobody listens on is
 * replaced.  ERR_USAGE, ERR_NETWORK.
 */
int listener_open(struct listener **listener, uv_loop_t *loop, struct handshakes *handshakes,
    const char *address, struct err *err);
/* NULL is fine. Accepts nothing from now on. */
void listener_close(struct listener *listener);
/* The address it has, port and all. */
const char *listener_address(const struct listener *listener);

/* The handshake of that ticket is over. */
void listener_leave(struct listener_ticket *ticket);

#endif
