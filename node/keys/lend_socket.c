/* The store's UNIX socket. */
#include "node/keys/lend_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_NAME "dalild.sock"

static int64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The address through an open folder; ${folder} must stay open while it is used. */
static void
address_of(struct sockaddr_un *address, int folder)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	(void)snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s", folder,
	    SOCKET_NAME);
}

static int
open_folder(const char *store, struct err *err)
{
	int folder = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return err_system(err, errno, "%s", store);
	return folder;
}

int
lend_socket_listen(const char *store, struct err *err)
{
	struct sockaddr_un address;
	int folder = open_folder(store, err);
	int fd;

	if (folder < 0)
		return folder;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	address_of(&address, folder);
	(void)unlinkat(folder, SOCKET_NAME, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    fchmodat(folder, SOCKET_NAME, 0600, 0) != 0 || listen(fd, 16) != 0) {
		int result = err_system(err, errno, "%s/" SOCKET_NAME, store);

		if (fd >= 0)
			(void)close(fd);
		fd = result;
	}
	(void)close(folder);
	return fd;
}

void
lend_socket_remove(const char *store)
{
	int folder = open_folder(store, NULL);

	if (folder < 0)
		return;
	(void)unlinkat(folder, SOCKET_NAME, 0);
	(void)close(folder);
}

int
lend_socket_check_user(int fd, struct err *err)
{
	struct ucred other;
	socklen_t size = sizeof(other);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &other, &size) != 0)
		return err_system(err, errno, "asking who is at the other end of " SOCKET_NAME);
	if (other.uid != geteuid())
		return err_set(err, ERR_REFUSED,
		    "the other end of " SOCKET_NAME " is user %lu, not user %lu",
		    (unsigned long)other.uid, (unsigned long)geteuid());
	return 0;
}

int
lend_socket_connect(const char *store, struct err *err)
{
	struct sockaddr_un address;
	int folder = open_folder(store, err);
	int result = 0;
	int fd;

	if (folder < 0)
		return folder;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address_of(&address, folder);
	if (fd < 0)
		result = err_system(err, errno, "a socket");
	else if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		result = errno == ENOENT || errno == ECONNREFUSED ?
		             err_set(err, ERR_NOT_FOUND, "no dalild runs on this store") :
		             err_system(err, errno, "%s/" SOCKET_NAME, store);
	else
		result = lend_socket_check_user(fd, err);
	(void)close(folder);
	if (result == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return result;
}

int
lend_socket_read(int fd, struct buffer *bytes, struct err *err)
{
	int64_t deadline = now_ms() + LEND_DEADLINE_MS;

	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - now_ms();
		uint8_t piece[512];
		ssize_t size;
		int ready = left <= 0 ? 0 : poll(&wait, 1, (int)left);

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready < 0)
			return err_system(err, errno, "waiting on " SOCKET_NAME);
		if (ready == 0)
			return err_set(err, ERR_TIMEOUT, "no answer on " SOCKET_NAME);
		size = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);
		if (size < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (size < 0)
			return err_system(err, errno, "reading " SOCKET_NAME);
		if (size == 0)
			return 0;
		buffer_append(bytes, piece, (size_t)size);
		explicit_bzero(piece, sizeof(piece));
		if (bytes->err != 0)
			return err_set(err, (enum err_code)bytes->err,
			    "a message on " SOCKET_NAME " is too long");
	}
}

int
lend_socket_write(int fd, struct view bytes, struct err *err)
{
	size_t done = 0;

	/* A message fits the socket's buffer, so that this never waits for a reader. */
	while (done < bytes.size) {
		ssize_t size =
		    send(fd, bytes.data + done, bytes.size - done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return err_system(err, errno, "writing to " SOCKET_NAME);
		done += (size_t)size;
	}
	if (shutdown(fd, SHUT_WR) != 0)
		return err_system(err, errno, "writing to " SOCKET_NAME);
	return 0;
}
