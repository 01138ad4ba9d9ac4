#ifndef DALIL_NODE_NET_HANDSHAKE_H
#define DALIL_NODE_NET_HANDSHAKE_H

#include "node/net/admission.h"
#include "node/net/socket.h"
#include "proto/noise.h"
#include "proto/replay.h"

/*
 * Purpose: the handshake over a socket, both sides, with its ten seconds (docs/wire.md section 1).
 *
 * As responder, whatever goes wrong stays silent: what comes is read and thrown away until the
 * deadline.  Under 1 KiB of state per half-open connection, its handle included; the secret half
 * of it lies in one sodium_malloc pool for all.
 *
 * Ownership: handshake_begin takes the socket.  Each handshake ends in one call of ${done}: with
 * the socket, which is the owner's then, or with NULL and why.
 * Threads: the loop's.
 */

#define HANDSHAKE_MS 10000u
#define HANDSHAKES_MAX (ADMISSION_HALF_OPEN + 128) /* those that come, those that we dial */

struct handshake;
struct handshakes;

/* Stands first in what a handshake is begun for. */
struct handshake_tag {
	bool incoming; /* a struct listener_ticket; else the dialler's */
};

/* ${tag} is what handshake_begin was given. ${result} dies with the call. */
typedef void handshake_done(void *cookie, struct handshake_tag *tag, struct socket *socket,
    const struct noise_result *result, const struct err *err);

struct handshake_config {
	const uint8_t *secret; /* own transport key; NULL: locked, nobody gets through */
	noise_find_psk *find_psk;
	handshake_done *done;
	struct replay *replay;
	/* A slot of the replay memory changed: keep it. May be NULL. */
	void (*remembered)(void *cookie, unsigned slot);
	void *cookie; /* of all four */
};

/* NULL without memory. */
struct handshakes *handshakes_new(const struct handshake_config *config);
/* None may be under way: handshakes_stop first. */
void handshakes_free(struct handshakes *handshakes);
/* Change the key; NULL: locked. */
void handshakes_key(struct handshakes *handshakes, const uint8_t *secret);
/* End all that are under way, with ERR_CANCELLED. */
void handshakes_stop(struct handshakes *handshakes);
/* End those whose time is over. Call it every 200 ms or so, with monotonic ms. */
void handshakes_tick(struct handshakes *handshakes, uint64_t now);

/* What the initiator knows beforehand; NULL: we are the responder. */
struct handshake_peer {
	uint8_t transport[NOISE_KEY];
	uint8_t psk[NOISE_KEY];
};

/* Takes the socket in any case; ${deadline} in monotonic ms.  ${done} may be called before this
 * returns. */
void handshake_begin(struct handshakes *handshakes, struct socket *socket,
    const struct handshake_peer *peer, uint64_t deadline, struct handshake_tag *tag);

/* Bytes of state that one takes before anybody is authenticated. */
size_t handshake_state_size(void);

#endif
