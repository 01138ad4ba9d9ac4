#include "node/net/dial.h"

#include <stdlib.h>

/*
 * The happy path: resolve the name (on a worker), connect to the first address, done.
 *
 * Possible failures: the name does not resolve; an address refuses or is not reached, then the
 * next one is tried; the owner's deadline passes and it cancels.  Everything ends in finish(),
 * which waits for nothing: a dial has one request under way, and its callback calls it.
 */

struct dial {
	uv_loop_t *loop;
	dial_done *done;
	void *cookie;
	struct socket *socket;
	uv_getaddrinfo_t resolve;
	uv_connect_t connect;
	struct addrinfo *addresses;
	struct addrinfo *next;
	bool resolving;
	bool cancelled;
	struct err err;
};

static void try_next(struct dial *dial);

static void
finish(struct dial *dial)
{
	struct socket *socket = dial->socket;

	uv_freeaddrinfo(dial->addresses);
	if (dial->cancelled) {
		socket_close(socket);
		socket = NULL;
		(void)err_set(&dial->err, ERR_CANCELLED, "given up");
	}
	dial->done(dial->cookie, socket, socket == NULL ? &dial->err : NULL);
	free(dial);
}

static void
connected(uv_connect_t *request, int status)
{
	struct dial *dial = request->data;

	if (status != 0 && !dial->cancelled) {
		(void)socket_error(&dial->err, status, "cannot connect");
		socket_close(dial->socket);
		dial->socket = NULL;
		try_next(dial);
		return;
	}
	finish(dial);
}

/* Connect to the next address, or end with what the last one said. */
static void
try_next(struct dial *dial)
{
	while (dial->next != NULL) {
		const struct addrinfo *address = dial->next;
		int status;

		dial->next = address->ai_next;
		dial->socket = socket_new(dial->loop, SOCKET_TCP);
		if (dial->socket == NULL) {
			(void)err_set(&dial->err, ERR_MEMORY, "no memory to dial");
			break;
		}
		(void)uv_tcp_nodelay(&dial->socket->uv.tcp, 1);
		status = uv_tcp_connect(
		    &dial->connect, &dial->socket->uv.tcp, address->ai_addr, connected);
		if (status == 0)
			return;
		(void)socket_error(&dial->err, status, "cannot connect");
		socket_close(dial->socket);
		dial->socket = NULL;
	}
	finish(dial);
}

static void
resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
	struct dial *dial = request->data;

	dial->resolving = false;
	dial->addresses = addresses;
	dial->next = addresses;
	if (status != 0)
		(void)socket_error(&dial->err, status, "cannot resolve the name");
	if (dial->cancelled)
		finish(dial);
	else
		try_next(dial);
}

static int
start_tcp(struct dial *dial, const char *address, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	char host[256];
	char port[6];
	int code = socket_split(address, host, port, err);
	int status;

	if (code != ERR_NONE)
		return code;
	status = uv_getaddrinfo(dial->loop, &dial->resolve, resolved, host, port, &hints);
	if (status != 0)
		return socket_error(err, status, "cannot resolve the name");
	dial->resolving = true;
	return ERR_NONE;
}

static int
start_unix(struct dial *dial, const char *path, struct err *err)
{
	dial->socket = socket_new(dial->loop, SOCKET_UNIX);
	if (dial->socket == NULL)
		return err_set(err, ERR_MEMORY, "no memory to dial");
	uv_pipe_connect(&dial->connect, &dial->socket->uv.pipe, path, connected);
	return ERR_NONE;
}

int
dial_start(struct dial **out, uv_loop_t *loop, const char *address, dial_done *done, void *cookie,
    struct err *err)
{
	const char *path = socket_unix_path(address);
	struct dial *dial = calloc(1, sizeof(*dial));
	int code;

	if (dial == NULL)
		return err_set(err, ERR_MEMORY, "no memory to dial");
	dial->loop = loop;
	dial->done = done;
	dial->cookie = cookie;
	dial->resolve.data = dial;
	dial->connect.data = dial;
	code = path == NULL ? start_tcp(dial, address, err) : start_unix(dial, path, err);
	if (code != ERR_NONE) {
		free(dial);
		return code;
	}
	*out = dial;
	return ERR_NONE;
}

/* Closing the socket ends its connect request with UV_ECANCELED, whose callback then finishes. */
void
dial_cancel(struct dial *dial)
{
	dial->cancelled = true;
	if (dial->resolving)
		(void)uv_cancel((uv_req_t *)&dial->resolve);
	else if (dial->socket != NULL) {
		struct socket *socket = dial->socket;

		dial->socket = NULL;
		socket_close(socket);
	}
}
