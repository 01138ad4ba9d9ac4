#ifndef DALIL_NODE_SYNC_CHUNK_H
#define DALIL_NODE_SYNC_CHUNK_H

#include "proto/bytes.h"

/*
 * Purpose: bytes on the heap that go from the socket to the disk, or from the disk to the socket,
 * without being copied: a whole message, or what a read brought.
 *
 * Threads: the count is not atomic: take and drop on the loop's thread alone.  A worker may make
 * one and fill or read its bytes.
 */

struct chunk {
	unsigned references;
	struct view bytes;
	void *memory; /* given to free() with the last reference */
};

/* ${bytes} lie in ${memory}, which now belongs to the chunk.  NULL, with memory freed, without memory. */
struct chunk *chunk_adopt(void *memory, struct view bytes);
/* ${size} bytes to fill through *data. NULL without memory. */
struct chunk *chunk_new(size_t size, uint8_t **data);
struct chunk *chunk_take(struct chunk *chunk);
void chunk_drop(struct chunk *chunk); /* NULL is fine */

#endif
