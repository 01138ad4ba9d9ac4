#ifndef DALIL_PROTO_SHARE_H
#define DALIL_PROTO_SHARE_H

#include "proto/unpack.h"

/*
 * Purpose: the body of a `share` (design 5.2): {organisations, time}: the ids of those that may
 * hold this log, ascending; it replaces the share before it.
 */

struct share {
	unsigned count;
	struct view organisations; /* the msgpack array; share_at reads it */
	uint64_t time;
};

/* ${organisations} ascending, each once. */
void share_pack(
    struct buffer *out, const uint8_t (*organisations)[HASH_SIZE], unsigned count, uint64_t time);
void share_read(struct share *share, struct unpack *unpack);
/* Organisation number ${index}, below count. */
const uint8_t *share_at(const struct share *share, unsigned index);
bool share_holds(const struct share *share, const uint8_t organisation[static HASH_SIZE]);

#endif
