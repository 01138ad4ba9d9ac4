#ifndef DALIL_NODE_KEYS_LEND_H
#define DALIL_NODE_KEYS_LEND_H

#include "node/keys/keys.h"

/*
 * Purpose: a running dalild lends its keys to commands of the same user over STORE/dalild.sock
 * (design section 3), and takes keys from `dalil unlock`.  Both sides check SO_PEERCRED: the other
 * end must be the same uid.
 *
 * One request and one answer per connection, at most 4 KiB each; canonical msgpack,
 * [1, "borrow"] -> [1, scope, [secrets]] and so on, see lend.c.
 */

struct lend; /* the server: a thread of its own, so that no client can hold up the daemon */

/* Called on the server's thread after `unlock` or `lock` changed what is open. */
typedef void lend_changed(void *cookie);

/*
 * Serve ${keys} on STORE/dalild.sock until lend_stop.  A stale socket of a daemon that is gone is
 * replaced; ERR_EXISTS if a daemon answers there.  Reader keys that an `unlock --for` brought are
 * wiped when its minutes are over.  ${changed} may be NULL.
 */
int lend_start(struct lend **lend, const char *store, struct keys *keys, lend_changed *changed,
    void *cookie, struct err *err);
void lend_stop(struct lend *lend); /* joins the thread, removes the socket, frees; NULL is fine */

/*
 * The client.  ERR_NOT_FOUND where no daemon runs, ERR_LOCKED where it has nothing open,
 * ERR_REFUSED where it is another user's.
 */
/* Fill ${keys} (opened, locked) with what the daemon lends: node keys, and reader keys if it has. */
int lend_borrow(const char *store, struct keys *keys, struct err *err);
/* Give the daemon the open node keys of ${keys}, and with minutes > 0 its reader keys for so long. */
int lend_unlock(const char *store, const struct keys *keys, uint64_t minutes, struct err *err);
/* Let the daemon wipe all. */
int lend_lock(const char *store, struct err *err);

#endif
