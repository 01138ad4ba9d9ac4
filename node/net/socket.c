#include "node/net/socket.h"

#include <stdio.h>
#include <stdlib.h>

struct socket *
socket_new(uv_loop_t *loop, enum socket_kind kind)
{
	struct socket *socket = calloc(1, sizeof(*socket));
	int status = UV_EINVAL;

	if (socket == NULL)
		return NULL;
	switch (kind) {
	case SOCKET_TCP:
		status = uv_tcp_init(loop, &socket->uv.tcp);
		break;
	case SOCKET_UNIX:
		status = uv_pipe_init(loop, &socket->uv.pipe, 0);
		break;
	}
	if (status != 0) {
		free(socket);
		return NULL;
	}
	socket->uv.handle.data = socket;
	return socket;
}

static void
closed(uv_handle_t *handle)
{
	free(handle->data);
}

void
socket_close(struct socket *socket)
{
	if (socket == NULL)
		return;
	socket->owner = NULL;
	uv_close(&socket->uv.handle, closed);
}

int
socket_error(struct err *err, int status, const char *what)
{
	return err_set(err, ERR_NETWORK, "%s: %s", what, uv_strerror(status));
}

int
socket_split(const char *address, char host[static 256], char port[static 6], struct err *err)
{
	const char *colon = strrchr(address, ':');
	const char *begin = address;
	size_t length;

	if (colon == NULL || strlen(colon + 1) == 0 || strlen(colon + 1) > 5)
		return err_set(err, ERR_USAGE, "the address %s is not HOST:PORT", address);
	length = (size_t)(colon - begin);
	if (length >= 2 && begin[0] == '[' && begin[length - 1] == ']') {
		begin++;
		length -= 2;
	}
	if (length == 0 || length > 255)
		return err_set(err, ERR_USAGE, "the address %s is not HOST:PORT", address);
	memcpy(host, begin, length);
	host[length] = '\0';
	(void)snprintf(port, 6, "%s", colon + 1);
	return ERR_NONE;
}

const char *
socket_unix_path(const char *address)
{
	static const char prefix[] = "unix:";

	return strncmp(address, prefix, sizeof(prefix) - 1) == 0 ? address + sizeof(prefix) - 1 :
	                                                           NULL;
}

void
socket_name(const struct socket *socket, char *text, size_t size)
{
	struct sockaddr_storage name;
	int length = sizeof(name);
	char host[64] = "";
	unsigned port = 0;
	bool six;

	text[0] = '\0';
	if (uv_tcp_getsockname(&socket->uv.tcp, (struct sockaddr *)&name, &length) != 0)
		return;
	six = name.ss_family == AF_INET6;
	if (six) {
		(void)uv_ip6_name((const struct sockaddr_in6 *)&name, host, sizeof(host));
		port = ntohs(((const struct sockaddr_in6 *)&name)->sin6_port);
	} else {
		(void)uv_ip4_name((const struct sockaddr_in *)&name, host, sizeof(host));
		port = ntohs(((const struct sockaddr_in *)&name)->sin_port);
	}
	(void)snprintf(text, size, six ? "[%s]:%u" : "%s:%u", host, port);
}
