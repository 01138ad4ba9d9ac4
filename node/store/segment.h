#ifndef DALIL_NODE_STORE_SEGMENT_H
#define DALIL_NODE_STORE_SEGMENT_H

#include "node/store/store_private.h"

/*
 * Purpose: who may append to which segment.  A claim locks segments' bytes of the store's lock file
 * through one open file description, which the kernel lets go of however the process ends.  A
 * claimed segment is first cut to what the index refers to: what lay behind was a crashed
 * writer's, and never acknowledged.  The end is believed only if all ends together give the sum
 * that stands in meta, for a cut after a wrong end could not be undone.
 *
 * Threads: a claim belongs to one.
 */

struct segment_claim {
	struct store *store;
	int lock;
	uint32_t number; /* of the segment in hand, 0 before the first */
	uint64_t base;   /* its end when it was taken */
	uint64_t end;    /* where the next bytes go */
	uint32_t *held;  /* all that it has locked */
	size_t held_count;
};

int segment_claim_init(struct segment_claim *claim, struct store *store, struct err *err);
/* Lets go of all segments.  Bytes that were appended must have been committed by now. */
void segment_claim_fini(struct segment_claim *claim);
/* Take a segment to append to; the one in hand before stays locked.  Takes the write lock for a
 * moment. */
int segment_claim_next(struct segment_claim *claim, struct err *err);
/* The same inside a batch: ${write} holds the write lock and sees the index. */
int segment_claim_within(struct segment_claim *claim, struct store_write *write, struct err *err);

#endif
