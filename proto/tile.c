/* C2SP tlog-tiles. */
#include "proto/tile.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/text.h"

#define LEVEL_BITS 8
#define GROUPS_MAX 7 /* of three digits: an index has at most 19 */

void
tile_path(char path[static TILE_PATH_MAX], const struct tile *tile)
{
	unsigned groups[GROUPS_MAX];
	uint64_t index = tile->index;
	unsigned count = 0;
	int at;

	do {
		groups[count++] = (unsigned)(index % 1000);
		index /= 1000;
	} while (index > 0);
	if (tile->entries)
		at = snprintf(path, TILE_PATH_MAX, "tile/entries");
	else
		at = snprintf(path, TILE_PATH_MAX, "tile/%u", tile->level);
	while (count-- > 0)
		at += snprintf(path + at, (size_t)(TILE_PATH_MAX - at),
		    count > 0 ? "/x%03u" : "/%03u", groups[count]);
	if (tile->width < TILE_WIDTH)
		(void)snprintf(path + at, (size_t)(TILE_PATH_MAX - at), ".p/%u", tile->width);
}

/* The digits of an index, its slashes and x taken as they come: the caller compares the path. */
static bool
parse_index(uint64_t *index, struct view text)
{
	uint8_t digits[19];
	size_t count = 0;
	size_t first = 0;
	size_t i;

	for (i = 0; i < text.size; i++) {
		if (text.data[i] == '/' || text.data[i] == 'x')
			continue;
		if (count == 0 && text.data[i] == '0' && first++ < 2)
			continue; /* the zeros that fill the first group */
		if (count == sizeof(digits))
			return false;
		digits[count++] = text.data[i];
	}
	if (count == 0)
		digits[count++] = '0';
	return text_number(index, view_of(digits, count));
}

static bool
parse_width(struct view *text, unsigned *width)
{
	size_t at;
	uint64_t number;

	*width = TILE_WIDTH;
	for (at = 0; at + 3 <= text->size; at++) {
		if (memcmp(text->data + at, ".p/", 3) != 0)
			continue;
		if (!text_number(&number, view_of(text->data + at + 3, text->size - at - 3)) ||
		    number < 1 || number >= TILE_WIDTH)
			return false;
		*width = (unsigned)number;
		text->size = at;
		break;
	}
	return true;
}

/* Read leniently, then demand that the path is the one that is written: one form, one check. */
int
tile_parse(struct tile *tile, struct view path, struct err *err)
{
	struct view rest = path;
	char written[TILE_PATH_MAX];
	const uint8_t *slash;
	uint64_t level = 0;

	if (path.size < 5 || path.size >= TILE_PATH_MAX || memcmp(path.data, "tile/", 5) != 0)
		return err_set(err, ERR_MALFORMED, "no path of a tile (C2SP tlog-tiles)");
	rest = view_of(path.data + 5, path.size - 5);
	slash = rest.size == 0 ? NULL : memchr(rest.data, '/', rest.size);
	if (slash == NULL)
		return err_set(err, ERR_MALFORMED, "no path of a tile (C2SP tlog-tiles)");
	rest.size = (size_t)(slash - rest.data);
	tile->entries = view_equal(rest, view_text("entries"));
	if (!tile->entries && (!text_number(&level, rest) || level > TILE_LEVEL_MAX))
		return err_set(err, ERR_MALFORMED, "a tile of no level (C2SP tlog-tiles)");
	tile->level = (unsigned)level;
	rest = view_of(slash + 1, path.size - 5 - rest.size - 1);
	if (!parse_width(&rest, &tile->width) || !parse_index(&tile->index, rest))
		return err_set(err, ERR_MALFORMED, "a tile of no index (C2SP tlog-tiles)");
	tile_path(written, tile);
	if (!view_equal(path, view_text(written)))
		return err_set(
		    err, ERR_MALFORMED, "a path that is not the tile's one path (C2SP tlog-tiles)");
	return 0;
}

unsigned
tile_width(uint64_t size, unsigned level, uint64_t index)
{
	uint64_t hashes = level * LEVEL_BITS < 64 ? size >> (level * LEVEL_BITS) : 0;

	if (index < hashes / TILE_WIDTH)
		return TILE_WIDTH;
	return index == hashes / TILE_WIDTH ? (unsigned)(hashes % TILE_WIDTH) : 0;
}

int
tile_hashes(struct buffer *out, const struct tile *tile, tree_read *read, void *cookie)
{
	uint8_t hash[HASH_SIZE];
	unsigned i;
	int result;

	if (tile->level * LEVEL_BITS >= 64 || tile->index > UINT64_MAX / TILE_WIDTH / 2)
		return ERR_USAGE;
	for (i = 0; i < tile->width; i++) {
		result = read(cookie, tile->level * LEVEL_BITS, tile->index * TILE_WIDTH + i, hash);
		if (result != 0)
			return result;
		buffer_append(out, hash, sizeof(hash));
	}
	return out->err;
}

void
tile_append_entry(struct buffer *out, struct view entry)
{
	if (entry.size > TILE_ENTRY_MAX) {
		out->err = ERR_LIMIT;
		return;
	}
	buffer_append_u16(out, (uint16_t)entry.size);
	buffer_append(out, entry.data, entry.size);
}

bool
tile_next_entry(struct view *bundle, struct view *entry)
{
	size_t size;

	if (bundle->size < 2)
		return false;
	size = get_u16(bundle->data);
	if (bundle->size - 2 < size)
		return false;
	*entry = view_of(bundle->data + 2, size);
	*bundle = view_of(bundle->data + 2 + size, bundle->size - 2 - size);
	return true;
}
