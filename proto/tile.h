#ifndef DALIL_PROTO_TILE_H
#define DALIL_PROTO_TILE_H

#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/tree.h"

/*
 * Purpose: a log as static files (C2SP tlog-tiles): the paths of tiles and
 * entry bundles, and their bytes.
 *
 * A tile is up to 256 hashes of level 8 * ${level} of the tree; a bundle up to 256 records, each
 * after its u16 length.  A width of 256 is whole, less is partial.  Threads: no state.
 */

#define TILE_WIDTH 256
#define TILE_LEVEL_MAX 63 /* of a path; above 7 no tree below 2^63 leaves has a tile */
#define TILE_PATH_MAX 64
#define TILE_ENTRY_MAX 65535

struct tile {
	bool entries; /* an entry bundle; level is 0 then */
	unsigned level;
	uint64_t index;
	unsigned width; /* 1 to 256 */
};

/* Write the path, such as tile/0/x001/x234/067.p/8, with a zero byte. */
void tile_path(char path[static TILE_PATH_MAX], const struct tile *tile);
/* 0 or ERR_MALFORMED: only what tile_path writes. */
int tile_parse(struct tile *tile, struct view path, struct err *err);

/* Width of tile ${index} of ${level} in a tree of ${size} leaves: 0 to 256. */
unsigned tile_width(uint64_t size, unsigned level, uint64_t index);

/* Append a tile's hashes. 0 or what ${read} returns. */
int tile_hashes(struct buffer *out, const struct tile *tile, tree_read *read, void *cookie);

/* Append one record to a bundle; one past TILE_ENTRY_MAX sets ERR_LIMIT in ${out}. */
void tile_append_entry(struct buffer *out, struct view entry);
/* Take the first record off the ${bundle}: false at its end, or where its length is past it. */
bool tile_next_entry(struct view *bundle, struct view *entry);

#endif
