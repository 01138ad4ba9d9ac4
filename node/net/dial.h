#ifndef DALIL_NODE_NET_DIAL_H
#define DALIL_NODE_NET_DIAL_H

#include "node/net/handshake.h"

/*
 * Purpose: reach an address: resolve its name, connect to what it resolves to, one after the other.
 *
 * Ownership: a dial ends in one call of ${done}, with a socket that is the owner's then, or NULL
 * and why; it frees itself afterwards.  dial_cancel makes that ERR_CANCELLED, soon.
 * Threads: the loop's.
 */

struct dial;
typedef void dial_done(void *cookie, struct socket *socket, const struct err *err);

/* 0, or an error at once, after which ${done} is not called. */
int dial_start(struct dial **dial, uv_loop_t *loop, const char *address, dial_done *done,
    void *cookie, struct err *err);
void dial_cancel(struct dial *dial);

#endif
