#ifndef DALIL_PROTO_REPLAY_H
#define DALIL_PROTO_REPLAY_H

#include "proto/bytes.h"

/*
 * Purpose: remember the ephemeral keys of the first handshake messages that were answered, so
 * that who replays a recorded one learns nothing, not even that we are here (design section 6).
 *
 * Bounded: the newest REPLAY_SLOTS are kept.  Only a first message that decrypted is remembered,
 * and only who knows our transport key can make one, so strangers cannot push others out.
 *
 * Persistence is the caller's: a slot is REPLAY_SLOT bytes, u64 count ‖ ephemeral; write slot n
 * of the memory at n * REPLAY_SLOT of a file whenever replay_remember names it, and load them all
 * at start.  Damaged slots do no harm but to forget.
 * Ownership: caller's memory, 320 KiB.  Threads: one at a time.
 */

#define REPLAY_SLOTS 8192u
#define REPLAY_SLOT 40u

struct replay {
	uint64_t count; /* of the newest */
	uint8_t slots[REPLAY_SLOTS][REPLAY_SLOT];
};

/* Begin with what was stored: ${stored} as written before, in whole slots, or nothing. */
void replay_init(struct replay *replay, struct view stored);

/* True if the ephemeral is remembered. */
bool replay_known(const struct replay *replay, const uint8_t ephemeral[static 32]);

/* Remember it in place of the oldest.  Returns the number of the slot that changed. */
unsigned replay_remember(struct replay *replay, const uint8_t ephemeral[static 32]);

#endif
