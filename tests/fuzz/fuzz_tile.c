/* A tile's path that is read is written back the same; a bundle is walked to its last byte. */
#include <stdlib.h>

#include "proto/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
walk(struct view bundle)
{
	struct view rest = bundle;
	struct view entry;
	size_t seen = 0;

	while (tile_next_entry(&rest, &entry))
		seen += 2 + entry.size;
	if (seen + rest.size != bundle.size)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view path = view_of(data, size);
	char written[TILE_PATH_MAX];
	struct tile tile;

	walk(path);
	if (tile_parse(&tile, path, NULL) != 0)
		return 0;
	tile_path(written, &tile);
	if (!view_equal(path, view_text(written)) || tile.width < 1 || tile.width > TILE_WIDTH)
		abort();
	return 0;
}
