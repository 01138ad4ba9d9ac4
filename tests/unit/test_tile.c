/*
 * P5 (provable anywhere): a log's static files are those of others' logs, byte for byte.
 * Vectors: tile paths of golang/mod and C2SP, the log of transparency-dev/tessera.
 */
#include "proto/tile.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/checkpoint.h"
#include "proto/text.h"
#include "tests/unit/vectors.h"

static void
expect_path(const struct tile *tile, const char *want)
{
	char path[TILE_PATH_MAX];
	struct tile parsed;

	tile_path(path, tile);
	assert_string_equal(path, want);
	assert_int_equal(tile_parse(&parsed, view_text(want), NULL), 0);
	assert_int_equal(parsed.entries, tile->entries);
	assert_int_equal(parsed.level, tile->level);
	assert_int_equal(parsed.index, tile->index);
	assert_int_equal(parsed.width, tile->width);
}

/* The sumdb form has the tile's height after "tile/", and "data" where ours says "entries". */
static void
sumdb_case(const json_t *item)
{
	const char *sumdb = json_string_value(json_array_get(item, 0));
	const json_t *want = json_array_get(item, 1);
	const char *rest = strchr(sumdb + 5, '/') + 1;
	bool entries = strncmp(rest, "data/", 5) == 0;
	struct tile tile = {.entries = entries};
	char path[TILE_PATH_MAX];

	(void)snprintf(
	    path, sizeof(path), "tile/%s%s", entries ? "entries" : "", entries ? rest + 4 : rest);
	if (json_is_null(want)) {
		assert_int_equal(tile_parse(&tile, view_text(path), NULL), ERR_MALFORMED);
		return;
	}
	if (!entries)
		tile.level = (unsigned)json_integer_value(json_array_get(want, 1));
	tile.index = (uint64_t)json_integer_value(json_array_get(want, 2));
	tile.width = strstr(path, ".p/") == NULL ?
	                 TILE_WIDTH :
	                 (unsigned)json_integer_value(json_array_get(want, 3));
	expect_path(&tile, path);
}

static unsigned
full_tiles(uint64_t size, unsigned level, unsigned *partial)
{
	unsigned count = 0;

	while (tile_width(size, level, count) == TILE_WIDTH)
		count++;
	*partial = tile_width(size, level, count);
	assert_int_equal(tile_width(size, level, count + 1), 0);
	return count;
}

static void
test_paths(void **state)
{
	json_t *json = vectors_load("tlog/tile-paths.json");
	const json_t *item;
	unsigned partial;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "sumdb_paths"), i, item) sumdb_case(item);
	assert_int_equal(i, 8);
	expect_path(&(struct tile){.index = 1234067, .width = 8}, "tile/0/x001/x234/067.p/8");
	expect_path(&(struct tile){.entries = true, .width = 256}, "tile/entries/000");
	expect_path(&(struct tile){.level = 63, .index = UINT64_MAX >> 1, .width = 255},
	    "tile/63/x009/x223/x372/x036/x854/x775/807.p/255");
	assert_int_equal(full_tiles(70000, 0, &partial), 273);
	assert_int_equal(partial, 112);
	assert_int_equal(full_tiles(70000, 1, &partial), 1);
	assert_int_equal(partial, 17);
	assert_int_equal(full_tiles(70000, 2, &partial), 0);
	assert_int_equal(partial, 1);
	assert_int_equal(full_tiles(256, 0, &partial), 1);
	assert_int_equal(partial, 0);
	assert_int_equal(full_tiles(256, 1, &partial), 0);
	assert_int_equal(partial, 1);
	assert_int_equal(tile_width(256, 8, 0), 0);
	assert_int_equal(tile_width(256, 63, 0), 0);
	json_decref(json);
}

static void
test_bad_paths(void **state)
{
	static const char *const bad[] = {
	    "",
	    "tile",
	    "tile/",
	    "tile/0",
	    "tile/0/",
	    "tile/0/1",
	    "tile/0/0001",
	    "tile/0/x000/001",
	    "tile/0/x001/x001",
	    "tile/00/001",
	    "tile/64/001",
	    "tile/0/001.p/0",
	    "tile/0/001.p/256",
	    "tile/0/001.p/05",
	    "tile/0/001.p/",
	    "tile/0/001.p/5/",
	    "tile/0/001/",
	    "tile/0/-01",
	    "tile/entries/1",
	    "tile/Entries/001",
	    "tile/0/x999/x999/x999/x999/x999/x999/999",
	    "/tile/0/001",
	    "tile/0/../001",
	    "tile/0/001.p/5.p/5",
	};
	struct tile tile;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(tile_parse(&tile, view_text(bad[i]), NULL), ERR_MALFORMED);
}

static const char *const leaves[] = {"one", "two", "three", "four", "five", "six", "seven", "eit",
    "nain", "ten", "ileven", "twelf", "threeten", "fourten", "fivten"};

static int
level_read(void *cookie, unsigned level, uint64_t index, uint8_t hash[static HASH_SIZE])
{
	(void)cookie;
	assert_int_equal(level, 0);
	assert_true(index < 15);
	tree_leaf(hash, view_text(leaves[index]));
	return 0;
}

static void
expect_file(const char *name, struct view want)
{
	char path[256];
	struct view file;

	(void)snprintf(path, sizeof(path), "tlog/tessera-log/%s", name);
	file = vectors_file(vectors_path(path));
	if (!view_equal(file, want))
		fail_msg("%s is not what we write", name);
	vectors_free(file);
}

/* Every file of that log for one size: a checkpoint, a tile, an entry bundle. */
static unsigned
tessera_size(unsigned size, const struct vkey *vkey, const uint8_t seed[static KEY_SEED])
{
	struct tile tile = {.width = tile_width(size, 0, 0)};
	struct tree tree;
	struct buffer out;
	uint8_t root[HASH_SIZE];
	uint8_t leaf[HASH_SIZE];
	char path[TILE_PATH_MAX];
	unsigned i;

	tree_init(&tree);
	for (i = 0; i < size; i++) {
		tree_leaf(leaf, view_text(leaves[i]));
		assert_int_equal(tree_append(&tree, leaf, NULL, NULL), 0);
	}
	tree_root(&tree, root);
	buffer_init(&out, NOTE_MAX);
	assert_int_equal(checkpoint_sign(&out, vkey, seed, size, root, NULL), 0);
	(void)snprintf(path, sizeof(path), "checkpoint.%u", size);
	expect_file(path, buffer_view(&out));
	if (size == 15)
		expect_file("checkpoint", buffer_view(&out));
	if (size == 0) {
		buffer_fini(&out);
		return 1;
	}
	buffer_clear(&out);
	assert_int_equal(tile_hashes(&out, &tile, level_read, NULL), 0);
	tile_path(path, &tile);
	expect_file(path, buffer_view(&out));
	buffer_clear(&out);
	for (i = 0; i < size; i++)
		tile_append_entry(&out, view_text(leaves[i]));
	tile.entries = true;
	tile_path(path, &tile);
	expect_file(path, buffer_view(&out));
	buffer_fini(&out);
	return size == 15 ? 4 : 3;
}

static void
test_tessera(void **state)
{
	static const char secret[] = "AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg";
	struct buffer seed;
	struct vkey vkey;
	uint8_t key[KEY_SIZE];
	unsigned files = 0;
	unsigned size;

	(void)state;
	buffer_init(&seed, 100);
	assert_true(text_unbase64(&seed, TEXT_BASE64_PADDED, view_text(secret)));
	assert_int_equal(seed.size, 1 + KEY_SEED);
	key_ed25519_public(key, seed.data + 1);
	assert_int_equal(
	    vkey_make(&vkey, view_text("example.com/log/testdata"), VKEY_ED25519, key, NULL), 0);
	assert_int_equal(vkey.id, 0x33d7b496);
	for (size = 0; size <= 15; size++)
		files += tessera_size(size, &vkey, seed.data + 1);
	assert_int_equal(files, 47);
	buffer_fini(&seed);
}

static void
test_bundle(void **state)
{
	static uint8_t large[TILE_ENTRY_MAX + 1];
	struct buffer out;
	struct view rest;
	struct view entry;

	(void)state;
	buffer_init(&out, 200000);
	tile_append_entry(&out, view_text(""));
	tile_append_entry(&out, view_of(large, TILE_ENTRY_MAX));
	tile_append_entry(&out, view_text("abc"));
	assert_int_equal(out.err, 0);
	rest = buffer_view(&out);
	assert_true(tile_next_entry(&rest, &entry));
	assert_int_equal(entry.size, 0);
	assert_true(tile_next_entry(&rest, &entry));
	assert_int_equal(entry.size, TILE_ENTRY_MAX);
	rest.size--;
	assert_false(tile_next_entry(&rest, &entry));
	assert_int_equal(rest.size, 4);
	rest.size++;
	assert_true(tile_next_entry(&rest, &entry));
	assert_true(view_equal(entry, view_text("abc")));
	assert_int_equal(rest.size, 0);
	assert_false(tile_next_entry(&rest, &entry));
	tile_append_entry(&out, view_of(large, TILE_ENTRY_MAX + 1));
	assert_int_equal(out.err, ERR_LIMIT);
	buffer_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_paths),
	    cmocka_unit_test(test_bad_paths),
	    cmocka_unit_test(test_tessera),
	    cmocka_unit_test(test_bundle),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
