#ifndef DALIL_NODE_PEER_H
#define DALIL_NODE_PEER_H

#include "node/storage.h"
#include "proto/invite.h"

/*
 * Purpose: what a store knows of the nodes that it is paired with, and of invites that nobody has
 * answered yet, as facts in the journal (design sections 5.6 and 6).
 *
 * A peer is a node: its fact's key is its transport key (two nodes of one organisation are two
 * peers).  An open invite is the line itself; its fact's key is the line's SHA-256.
 *
 * Secrets: a psk is one, and struct peer holds it: wiped memory (peer_wipe).  In the journal psks stand in
 * the clear: alone, without the transport key that keys/ wraps, they open nothing.
 * Text of others (name) is escaped before it is shown.
 * Errors: ERR_DAMAGED for a fact that is none of ours; those of node/storage.h.
 * Threads: no state.
 */

#define PEER_NAME_MAX 64
#define PEER_FACT_MAX 1024

struct peer {
	uint8_t transport[INVITE_KEY];
	uint8_t organisation[HASH_SIZE];
	uint8_t psk[INVITE_KEY];
	char address[INVITE_ADDRESS_MAX + 1]; /* where we dial it; "": it dials us */
	char name[PEER_NAME_MAX + 1];         /* local, of our choosing: `--as` */
	char country[3];                      /* of theirs, "" where not said */
	bool share;     /* its organisation may hold our log: not --no-share */
	bool suspended; /* `peer suspend` */
	uint64_t rate;  /* bytes a second to it; 0: no limit */
	uint64_t since; /* ms since 1970, when it was paired */
};

void peer_wipe(struct peer *peer);

/* UTF-8 without control characters, 1 to PEER_NAME_MAX bytes, no '-' first; ERR_USAGE otherwise. */
int peer_check_name(struct view name, struct err *err);

int peer_encode(const struct peer *peer, struct buffer *out, struct err *err);
int peer_decode(struct peer *peer, const uint8_t transport[static INVITE_KEY], struct view value,
    struct err *err);

/* Put or replace a peer; take one out. */
int peer_store(struct batch *batch, const struct peer *peer, struct err *err);
int peer_remove(struct batch *batch, const uint8_t transport[static INVITE_KEY], struct err *err);

/* The next peer after ${transport} in order of transport keys; begin with started = false. */
struct peer_cursor {
	bool started;
	uint8_t transport[INVITE_KEY];
};
int peer_next(
    struct snapshot *snapshot, struct peer_cursor *cursor, struct peer *peer, struct err *err);
/*
 * The one peer that ${text} means: its local name, or a prefix of 8 or more hex digits of its
 * organisation or transport key. ERR_NOT_FOUND; ERR_USAGE where it means several.
 */
int peer_find(struct snapshot *snapshot, struct view text, struct peer *peer, struct err *err);

/* Open invites: keep one, forget one, and the first one that ${reply} answers (its line in
 * ${line}, secret); ERR_NOT_FOUND where it answers none.  Expiry is the caller's to judge. */
int peer_invite_store(struct batch *batch, struct view line, struct err *err);
int peer_invite_remove(struct batch *batch, struct view line, struct err *err);
int peer_invite_answered(struct snapshot *snapshot, struct view reply_line, struct buffer *line,
    struct invite *invite, struct invite_reply *reply, struct err *err);

#endif
