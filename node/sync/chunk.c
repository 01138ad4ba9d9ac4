/* Bytes on the heap that are handed on without being copied. */
#include "node/sync/chunk.h"

#include <stdlib.h>

struct chunk *
chunk_adopt(void *memory, struct view bytes)
{
	struct chunk *chunk = calloc(1, sizeof *chunk);

	if (chunk == NULL) {
		free(memory);
		return NULL;
	}
	chunk->references = 1;
	chunk->bytes = bytes;
	chunk->memory = memory;
	return chunk;
}

struct chunk *
chunk_new(size_t size, uint8_t **data)
{
	/* malloc(0) may be NULL, which would look like failure. */
	uint8_t *memory = malloc(size > 0 ? size : 1);

	*data = memory;
	return memory != NULL ? chunk_adopt(memory, view_of(memory, size)) : NULL;
}

struct chunk *
chunk_take(struct chunk *chunk)
{
	if (chunk != NULL)
		chunk->references++;
	return chunk;
}

void
chunk_drop(struct chunk *chunk)
{
	if (chunk == NULL || --chunk->references > 0)
		return;
	free(chunk->memory);
	free(chunk);
}
