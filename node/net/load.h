#ifndef DALIL_NODE_NET_LOAD_H
#define DALIL_NODE_NET_LOAD_H

#include "node/peer.h"
#include "node/storage.h"
#include "node/sync/sync.h"

/*
 * Purpose: what the store holds and the sync machine does not know yet: read on a worker in one
 * snapshot (load_read), told to the machine on the loop (load_tell).
 *
 * A struct known says how much of each log and charter the machine knows: from the last load,
 * and from the writes that it asked for itself, which whoever executes them notes here.  load_read
 * gathers only what differs, so that what the CLI has deposited is noticed at small cost.
 */

struct known_log {
	uint8_t log[HASH_SIZE];
	uint64_t size;
	uint64_t head; /* size of the largest checkpoint, whether its records are here or not */
	bool told;     /* the machine knows of it at all */
};

struct known_charter {
	uint8_t organisation[HASH_SIZE];
	uint64_t count;
};

struct known {
	unsigned log_count;
	struct known_log logs[SYNC_LOGS_MAX];
	unsigned charter_count;
	struct known_charter charters[SYNC_LOGS_MAX];
	uint64_t wants; /* payloads wanted and entries that lack parts, when last loaded */
};

/* Rows are made where they are missing; NULL when there is no room for more. */
struct known_log *known_log(struct known *known, const uint8_t log[static HASH_SIZE]);
struct known_charter *
known_charter(struct known *known, const uint8_t organisation[static HASH_SIZE]);

struct load;

/* ${known} is copied.  NULL without memory. */
struct load *load_new(struct storage *storage, const struct known *known);
void load_free(struct load *load); /* NULL is fine */

/* On a worker. */
int load_read(struct load *load, struct err *err);
/*
 * On the loop: tell the machine, and note in ${known} what it knows now; *changed if
 * anything was told.  What the machine refuses goes to ${refused}, and is not told again.
 */
typedef void load_refused(void *cookie, const char *text);
void load_tell(const struct load *load, struct sync *sync, struct known *known, bool *changed,
    load_refused *refused, void *cookie);

/* The peers as they stand in the store: secret, lives with the load. */
const struct peer *load_peers(const struct load *load, unsigned *count);

/* The same at once, for one who cannot wait: ${peers} takes SYNC_PEERS_MAX, and is the caller's to wipe. */
int load_peers_now(struct storage *storage, struct peer *peers, unsigned *count, struct err *err);

#endif
