#ifndef DALIL_NODE_NET_SOCKET_H
#define DALIL_NODE_NET_SOCKET_H

#include <uv.h>

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: a stream of bytes on the heap, so that it can go from the listener or the dialler by
 * way of the handshake to the connection without moving in memory (libuv's handles must not).
 *
 * Ownership: one owner at a time, whose pointer stands in ${owner}; socket_close ends it and frees
 * it in libuv's close callback, after which no callback of the owner comes.
 */

struct socket {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} uv;
	void *owner;
};

enum socket_kind { SOCKET_TCP, SOCKET_UNIX };

/* NULL without memory. */
struct socket *socket_new(uv_loop_t *loop, enum socket_kind kind);
/* NULL is fine. */
void socket_close(struct socket *socket);

/* ERR_NETWORK with libuv's text for ${status}. */
int socket_error(struct err *err, int status, const char *what);

/*
 * Split HOST:PORT or [V6]:PORT; ${host} takes 256 bytes, ${port} 6.  ERR_USAGE.
 */
int socket_split(const char *address, char host[static 256], char port[static 6], struct err *err);
/* Whether it is unix:/PATH, whose path is returned; NULL otherwise. */
const char *socket_unix_path(const char *address);
/* HOST:PORT of a socket's own end. */
void socket_name(const struct socket *socket, char *text, size_t size);

#endif
