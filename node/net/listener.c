#include "node/net/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The happy path: bind, listen, and for each connection: accept, admit, begin the handshake.
 *
 * Possible failures: the address is not ours or is taken (at the start); accepting fails, which is
 * the connection's own trouble and no reason to stop; the limits say no: closed at once, unread.
 */

#define BACKLOG 128

struct listener {
	struct socket *socket;
	uv_loop_t *loop;
	struct handshakes *handshakes;
	enum socket_kind kind;
	struct admission admission;
	struct listener_ticket tickets[ADMISSION_HALF_OPEN];
	char address[300];
};

static struct listener_ticket *
free_ticket(struct listener *listener)
{
	size_t i;

	for (i = 0; i < ADMISSION_HALF_OPEN; i++) {
		if (!listener->tickets[i].used)
			return &listener->tickets[i];
	}
	return NULL;
}

/* The key that the other end counts by, NULL where it is exempt; ${room} holds it. */
static const uint8_t *
key_of(const struct socket *socket, enum socket_kind kind, uint8_t room[static ADMISSION_KEY])
{
	struct sockaddr_storage name;
	int length = sizeof(name);
	bool counts;

	if (kind == SOCKET_UNIX)
		return NULL;
	memset(room, 0, ADMISSION_KEY);
	if (uv_tcp_getpeername(&socket->uv.tcp, (struct sockaddr *)&name, &length) != 0)
		return room;
	if (name.ss_family == AF_INET6)
		counts = admission_key(
		    room, ((const struct sockaddr_in6 *)&name)->sin6_addr.s6_addr, 16);
	else
		counts = admission_key(
		    room, (const uint8_t *)&((const struct sockaddr_in *)&name)->sin_addr, 4);
	return counts ? room : NULL;
}

static void
admit(struct listener *listener, struct socket *socket)
{
	struct listener_ticket *ticket = free_ticket(listener);
	uint64_t now = uv_now(listener->loop);
	uint8_t room[ADMISSION_KEY];

	if (ticket == NULL || !admission_enter(&listener->admission,
	                          key_of(socket, listener->kind, room), now, &ticket->admission)) {
		socket_close(socket);
		return;
	}
	ticket->used = true;
	ticket->tag.incoming = true;
	ticket->listener = listener;
	if (listener->kind == SOCKET_TCP)
		(void)uv_tcp_nodelay(&socket->uv.tcp, 1);
	handshake_begin(listener->handshakes, socket, NULL, now + HANDSHAKE_MS, &ticket->tag);
}

static void
on_connection(uv_stream_t *stream, int status)
{
	struct socket *server = stream->data;
	struct listener *listener = server->owner;
	struct socket *socket;

	if (status != 0)
		return;
	socket = socket_new(listener->loop, listener->kind);
	if (socket == NULL)
		return;
	if (uv_accept(stream, &socket->uv.stream) != 0) {
		socket_close(socket);
		return;
	}
	admit(listener, socket);
}

static int
bind_tcp(struct listener *listener, const char *address, struct err *err)
{
	struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	char host[256];
	char port[6];
	int code = socket_split(address, host, port, err);
	int status;

	if (code != ERR_NONE)
		return code;
	status = getaddrinfo(host, port, &hints, &found);
	if (status != 0)
		return err_set(
		    err, ERR_NETWORK, "cannot listen on %s: %s", address, gai_strerror(status));
	status = uv_tcp_bind(&listener->socket->uv.tcp, found->ai_addr, 0);
	freeaddrinfo(found);
	if (status != 0)
		return err_set(
		    err, ERR_NETWORK, "cannot listen on %s: %s", address, uv_strerror(status));
	return ERR_NONE;
}

/* A socket file that a daemon left behind when it was killed must not keep the next one out. */
static int
bind_unix(struct listener *listener, const char *path, struct err *err)
{
	struct stat status;
	int code;

	if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
		(void)unlink(path);
	code = uv_pipe_bind(&listener->socket->uv.pipe, path);
	if (code != 0)
		return err_set(
		    err, ERR_NETWORK, "cannot listen on unix:%s: %s", path, uv_strerror(code));
	return ERR_NONE;
}

static int
open_socket(struct listener *listener, const char *address, struct err *err)
{
	const char *path = socket_unix_path(address);
	int code;

	listener->kind = path == NULL ? SOCKET_TCP : SOCKET_UNIX;
	listener->socket = socket_new(listener->loop, listener->kind);
	if (listener->socket == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a listener");
	listener->socket->owner = listener;
	code = path == NULL ? bind_tcp(listener, address, err) : bind_unix(listener, path, err);
	if (code != ERR_NONE)
		return code;
	code = uv_listen(&listener->socket->uv.stream, BACKLOG, on_connection);
	if (code != 0)
		return err_set(
		    err, ERR_NETWORK, "cannot listen on %s: %s", address, uv_strerror(code));
	if (path == NULL)
		socket_name(listener->socket, listener->address, sizeof(listener->address));
	else
		(void)snprintf(listener->address, sizeof(listener->address), "%s", address);
	return ERR_NONE;
}

int
listener_open(struct listener **out, uv_loop_t *loop, struct handshakes *handshakes,
    const char *address, struct err *err)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	int code;

	if (listener == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a listener");
	listener->loop = loop;
	listener->handshakes = handshakes;
	admission_init(&listener->admission);
	code = open_socket(listener, address, err);
	if (code != ERR_NONE) {
		listener_close(listener);
		return code;
	}
	*out = listener;
	return ERR_NONE;
}

void
listener_close(struct listener *listener)
{
	if (listener == NULL)
		return;
	if (listener->socket != NULL)
		socket_close(listener->socket);
	free(listener);
}

const char *
listener_address(const struct listener *listener)
{
	return listener->address;
}

void
listener_leave(struct listener_ticket *ticket)
{
	ticket->used = false;
	admission_leave(&ticket->listener->admission, ticket->admission);
}
