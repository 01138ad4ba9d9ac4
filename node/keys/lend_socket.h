#ifndef DALIL_NODE_KEYS_LEND_SOCKET_H
#define DALIL_NODE_KEYS_LEND_SOCKET_H

#include <sys/types.h>

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: STORE/dalild.sock itself: listening, connecting, one message each way.  A store's path
 * may be longer than a socket's address: both ends go through /proc/self/fd.  Private to node/keys.
 */

#define LEND_DEADLINE_MS 2000

/* A listening socket, mode 0600, in place of whatever stood there.  Negative: an error. */
int lend_socket_listen(const char *store, struct err *err);
void lend_socket_remove(const char *store);
/* A connected socket whose other end is the same user, or ERR_NOT_FOUND, ERR_REFUSED. */
int lend_socket_connect(const char *store, struct err *err);
/* ERR_REFUSED unless the process at the other end runs as the same user. */
int lend_socket_check_user(int fd, struct err *err);
/* Append all that comes until the other end has finished; ERR_TIMEOUT after LEND_DEADLINE_MS. */
int lend_socket_read(int fd, struct buffer *bytes, struct err *err);
/* Send all, and say that this is all. */
int lend_socket_write(int fd, struct view bytes, struct err *err);

#endif
