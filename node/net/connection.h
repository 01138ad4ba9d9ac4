#ifndef DALIL_NODE_NET_CONNECTION_H
#define DALIL_NODE_NET_CONNECTION_H

#include "node/net/socket.h"
#include "node/sync/chunk.h"
#include "proto/frame.h"
#include "proto/noise.h"

/*
 * Purpose: whole messages to and from a peer over a socket whose handshake is done (docs/wire.md
 * section 2).  Bulk bytes are sealed and opened on libuv's workers, small ones on the loop.
 *
 * Memory: what has arrived and is not opened (CONNECTION_INPUT twice, touched only as far as it
 * is used), one message in the reader, and what the owner has queued, whose amount is the owner's to
 * bound (sync: 16 MiB in all); at most CONNECTION_WRITING of it sealed.
 * Slowness: a message that comes or goes at less than 1 KiB a second over ten seconds ends the
 * connection (design section 7), as long as it is not we who pause.
 *
 * Ownership: connection_new takes the socket.  The connection frees itself after ${closed}, which
 * comes exactly once.  Messages given to ${message} are the owner's: free ${memory}.
 * Threads: the loop's.
 */

#define CONNECTION_INPUT ((size_t)256 << 10)
#define CONNECTION_WRITING ((size_t)4 << 20)
#define CONNECTION_INLINE ((size_t)128 << 10) /* below this a worker costs more than it saves */
#define CONNECTION_FLUSH_MS 5000u             /* to send what is queued when it is closed */

struct connection;

struct connection_events {
	void (*message)(
	    void *owner, struct connection *connection, void *memory, struct view message);
	/* ${bytes} of messages have been handed to the network. */
	void (*sent)(void *owner, struct connection *connection, size_t bytes);
	/* ${err} NULL: closed by connection_close, everything sent. */
	void (*closed)(void *owner, struct connection *connection, const struct err *err);
};

/* NULL without memory: then the socket is closed. ${owner} is passed to the events. */
struct connection *connection_new(struct socket *socket, const struct noise_result *result,
    const struct connection_events *events, void *owner);
/* Bytes a second that may be sent; 0: no limit. */
void connection_rate(struct connection *connection, uint64_t rate);
/* Whether to read from the socket now. A new connection does not. */
void connection_read(struct connection *connection, bool on);
/*
 * Queue one message: ${head} (moved out of) then ${tail} within ${chunk}, of which a reference
 * is taken; ${chunk} may be NULL.  ERR_MEMORY, or ERR_NETWORK once it is closing.
 */
int connection_send(
    struct connection *connection, struct buffer *head, struct chunk *chunk, struct view tail);
/* Send what is queued, then end; or end now, with ${err}. */
void connection_close(struct connection *connection);
void connection_fail(struct connection *connection, const struct err *err);
/* Call it every 200 ms or so. */
void connection_tick(struct connection *connection, uint64_t now);

#endif
