/*
 * P2 (immutable): what a tree's proofs let through is in the tree and nothing
 * else is; proofs made here are those that everyone else makes.
 * Vectors: transparency-dev/merkle, RFC 6962 hashes, tessera leaves.
 */
#include "proto/tree.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "proto/hash.h"
#include "proto/text.h"
#include "tests/unit/vectors.h"

#define LEAVES 300

/* Every complete subtree of a tree, by level and index. */
struct nodes {
	uint8_t (*hashes[10])[HASH_SIZE];
};

static int
nodes_note(void *cookie, unsigned level, uint64_t index, const uint8_t hash[static HASH_SIZE])
{
	struct nodes *nodes = cookie;

	assert_true(level < 10 && index < LEAVES);
	memcpy(nodes->hashes[level][index], hash, HASH_SIZE);
	return 0;
}

static int
nodes_read(void *cookie, unsigned level, uint64_t index, uint8_t hash[static HASH_SIZE])
{
	struct nodes *nodes = cookie;

	assert_true(level < 10 && (index + 1) << level <= LEAVES);
	memcpy(hash, nodes->hashes[level][index], HASH_SIZE);
	return 0;
}

static void
nodes_init(struct nodes *nodes)
{
	unsigned level;

	for (level = 0; level < 10; level++) {
		nodes->hashes[level] = calloc(LEAVES, HASH_SIZE);
		assert_non_null(nodes->hashes[level]);
	}
}

static void
nodes_fini(struct nodes *nodes)
{
	unsigned level;

	for (level = 0; level < 10; level++)
		free(nodes->hashes[level]);
}

/*
 * Base64 of a hash; shorter "don't care" values of the vectors are filled with
 * zeros.  False for an empty one, which none of our types can hold.
 */
static bool
base64_hash(uint8_t hash[static HASH_SIZE], const json_t *text)
{
	struct buffer bytes;
	size_t size;

	memset(hash, 0, HASH_SIZE);
	buffer_init(&bytes, 1000);
	assert_true(json_is_string(text));
	assert_true(text_unbase64(&bytes, TEXT_BASE64_PADDED, view_text(json_string_value(text))));
	assert_true(bytes.size <= HASH_SIZE);
	if (bytes.size > 0)
		memcpy(hash, bytes.data, bytes.size);
	size = bytes.size;
	buffer_fini(&bytes);
	return size > 0;
}

struct merkle {
	json_t *json;
	uint8_t first[HASH_SIZE];
	uint8_t second[HASH_SIZE];
	uint8_t proof[200][HASH_SIZE];
	size_t count;
	bool refuse;
};

typedef int merkle_check(const struct merkle *merkle);

static uint64_t
merkle_number(const struct merkle *merkle, const char *key)
{
	const json_t *number = json_object_get(merkle->json, key);

	if (!json_is_real(number))
		return vectors_uint(merkle->json, key);
	return json_real_value(number) < 1e19 ? (uint64_t)json_real_value(number) : UINT64_MAX;
}

static int
merkle_inclusion(const struct merkle *merkle)
{
	return tree_check_inclusion(merkle->first, merkle_number(merkle, "leafIdx"),
	    merkle_number(merkle, "treeSize"), merkle->second, merkle->proof, merkle->count, NULL);
}

static int
merkle_consistency(const struct merkle *merkle)
{
	return tree_check_consistency(vectors_uint(merkle->json, "size1"), merkle->first,
	    vectors_uint(merkle->json, "size2"), merkle->second, merkle->proof, merkle->count,
	    NULL);
}

static int
merkle_subtree(const struct merkle *merkle)
{
	return tree_check_subtree(vectors_uint(merkle->json, "start"),
	    vectors_uint(merkle->json, "end"), merkle->first, vectors_uint(merkle->json, "size"),
	    merkle->second, merkle->proof, merkle->count, NULL);
}

/*
 * The vectors refuse every check from size 0; C2SP tlog-witness wants an empty
 * proof accepted there.  The value says whether ours accepts it: the roots
 * given for a tree of no leaves must still be the root of nothing.
 */
static const struct {
	const char *name;
	bool accepted;
} exceptions[] = {
    {"roots-do-not-match-and-sizes-are-zero.json", false},
    {"size1-is-zero-and-does-not-equal-size2.json", true},
    {"size1-is-zero-and-size2-is-not-zero.json", true},
    {"sizes-are-equal-zero-and-proof-is-empty.json", false},
    {"sizes-are-equal-zero-but-roots-are-not.json", false},
};

static unsigned exceptions_seen;

static bool
merkle_want_refused(const char *path, const struct merkle *merkle)
{
	const char *name = strrchr(path, '/') + 1;
	size_t i;

	if (strstr(path, "/consistency/additional/") == NULL)
		return merkle->refuse;
	for (i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
		if (strcmp(name, exceptions[i].name) == 0) {
			exceptions_seen++;
			assert_true(merkle->refuse);
			return !exceptions[i].accepted;
		}
	}
	return merkle->refuse;
}

static void
merkle_file(const char *path, merkle_check *check)
{
	struct merkle merkle = {0};
	bool inclusion;
	bool whole;
	json_t *hash;
	size_t i;
	int result;

	merkle.json = json_load_file(path, 0, NULL);
	if (merkle.json == NULL) /* 2^64 - 1 is more than jansson's integers hold */
		merkle.json = json_load_file(path, JSON_DECODE_INT_AS_REAL, NULL);
	assert_non_null(merkle.json);
	merkle.refuse = json_is_true(json_object_get(merkle.json, "wantErr"));
	inclusion = json_object_get(merkle.json, "leafHash") != NULL;
	whole = base64_hash(
	    merkle.first, json_object_get(merkle.json, inclusion ? "leafHash" : "root1"));
	whole &=
	    base64_hash(merkle.second, json_object_get(merkle.json, inclusion ? "root" : "root2"));
	json_array_foreach(json_object_get(merkle.json, "proof"), i, hash)
	{
		assert_true(i < 200);
		whole &= base64_hash(merkle.proof[merkle.count++], hash);
	}
	result = whole ? check(&merkle) : ERR_MALFORMED;
	if ((result != 0) != merkle_want_refused(path, &merkle))
		fail_msg("%s: %d", path, result);
	json_decref(merkle.json);
}

static unsigned
merkle_folder(const char *folder, merkle_check *check)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	struct stat status;
	char path[4096];
	unsigned count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		assert_true(snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) <
		            (int)sizeof(path));
		assert_int_equal(stat(path, &status), 0);
		if (S_ISDIR(status.st_mode)) {
			count += merkle_folder(path, check);
		} else {
			merkle_file(path, check);
			count++;
		}
	}
	(void)closedir(dir);
	return count;
}

static unsigned
merkle_all(const char *name, merkle_check *check)
{
	char folder[4096];

	assert_true(
	    snprintf(folder, sizeof(folder), "%s", vectors_path(name)) < (int)sizeof(folder));
	return merkle_folder(folder, check);
}

static void
test_merkle_inclusion(void **state)
{
	(void)state;
	assert_int_equal(merkle_all("tlog/merkle/inclusion", merkle_inclusion), 98);
}

static void
test_merkle_consistency(void **state)
{
	(void)state;
	exceptions_seen = 0;
	assert_int_equal(merkle_all("tlog/merkle/consistency", merkle_consistency), 98);
	assert_int_equal(exceptions_seen, 5);
}

static void
test_merkle_subtree(void **state)
{
	(void)state;
	assert_int_equal(merkle_all("tlog/merkle/subtreeconsistency", merkle_subtree), 118);
}

static void
expect_path(const struct tree_proof *proof, const json_t *path)
{
	const json_t *hash;
	size_t i;

	assert_int_equal(proof->count, json_array_size(path));
	json_array_foreach(path, i, hash)
	{
		struct view bytes = vectors_hex(hash);

		assert_int_equal(bytes.size, HASH_SIZE);
		assert_memory_equal(proof->hashes[i], bytes.data, HASH_SIZE);
		vectors_free(bytes);
	}
}

static unsigned
rfc6962_hashes(const json_t *list)
{
	uint8_t want[HASH_SIZE];
	uint8_t got[HASH_SIZE];
	struct tree tree;
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *what = vectors_text(item, "what");

		vectors_bytes(want, HASH_SIZE, item, "out");
		if (strcmp(what, "leaf") == 0) {
			tree_leaf(got, view_text(vectors_text(item, "data")));
		} else if (strcmp(what, "node") == 0) {
			/* The vector's children are 4 bytes: not hashes, so only the prefix. */
			const char *left = vectors_text(item, "left");
			const char *right = vectors_text(item, "right");
			char joined[16];

			(void)snprintf(joined, sizeof(joined), "\x01%s%s", left, right);
			hash_sha256(got, view_text(joined));
		} else {
			tree_init(&tree);
			tree_root(&tree, got);
		}
		assert_memory_equal(want, got, HASH_SIZE);
	}
	return (unsigned)json_array_size(list);
}

static void
test_rfc6962(void **state)
{
	json_t *json = vectors_load("tlog/rfc6962-hash.json");
	struct nodes nodes;
	struct tree_proof proof;
	struct tree tree;
	uint8_t root[HASH_SIZE];
	uint8_t want[HASH_SIZE];
	uint8_t leaf[HASH_SIZE];
	const json_t *item;
	size_t i;

	(void)state;
	assert_int_equal(rfc6962_hashes(json_object_get(json, "hash")), 4);
	nodes_init(&nodes);
	tree_init(&tree);
	json_array_foreach(json_object_get(json, "leaves_hex"), i, item)
	{
		struct view bytes = vectors_hex(item);

		tree_leaf(leaf, bytes);
		assert_int_equal(tree_append(&tree, leaf, nodes_note, &nodes), 0);
		vectors_free(bytes);
	}
	assert_int_equal(tree.size, 8);
	tree_root(&tree, root);
	vectors_bytes(want, HASH_SIZE, json, "root_size_8");
	assert_memory_equal(root, want, HASH_SIZE);
	json_array_foreach(json_object_get(json, "inclusion_proofs"), i, item)
	{
		assert_int_equal(tree_prove_inclusion(&proof, vectors_uint(item, "index"),
		                     vectors_uint(item, "size"), nodes_read, &nodes),
		    0);
		expect_path(&proof, json_object_get(item, "path"));
	}
	assert_int_equal(i, 4);
	json_array_foreach(json_object_get(json, "consistency_proofs"), i, item)
	{
		assert_int_equal(tree_prove_consistency(&proof, vectors_uint(item, "size1"),
		                     vectors_uint(item, "size2"), nodes_read, &nodes),
		    0);
		expect_path(&proof, json_object_get(item, "path"));
	}
	assert_int_equal(i, 4);
	nodes_fini(&nodes);
	json_decref(json);
}

struct forest {
	struct nodes nodes;
	uint8_t leaves[LEAVES][HASH_SIZE];
	uint8_t roots[LEAVES + 1][HASH_SIZE];
};

static void
forest_init(struct forest *forest)
{
	struct tree tree;
	struct tree loaded;
	uint8_t root[HASH_SIZE];
	unsigned i;

	nodes_init(&forest->nodes);
	tree_init(&tree);
	tree_root(&tree, forest->roots[0]);
	for (i = 0; i < LEAVES; i++) {
		uint8_t leaf[2];

		put_u16(leaf, (uint16_t)i);
		tree_leaf(forest->leaves[i], view_of(leaf, 2));
		assert_int_equal(
		    tree_append(&tree, forest->leaves[i], nodes_note, &forest->nodes), 0);
		tree_root(&tree, forest->roots[i + 1]);
		tree_root_of(root, forest->leaves[0], i + 1);
		assert_memory_equal(root, forest->roots[i + 1], HASH_SIZE);
		assert_int_equal(tree_load(&loaded, i + 1, nodes_read, &forest->nodes), 0);
		tree_root(&loaded, root);
		assert_memory_equal(root, forest->roots[i + 1], HASH_SIZE);
	}
}

/* Every proof of every tree up to 70 leaves holds, and none holds after one bit is turned. */
static void
test_all_subtrees(void **state)
{
	struct forest *forest = calloc(1, sizeof(*forest));
	struct tree_proof proof;
	uint8_t root[HASH_SIZE];
	uint64_t start, end, size;
	unsigned cases = 0;

	(void)state;
	assert_non_null(forest);
	forest_init(forest);
	for (size = 1; size <= 70; size++)
		for (start = 0; start < size; start++)
			for (end = start + 1; end <= size; end++) {
				if (!tree_subtree_valid(start, end))
					continue;
				assert_int_equal(tree_prove_subtree(&proof, start, end, size,
				                     nodes_read, &forest->nodes),
				    0);
				tree_root_of(root, forest->leaves[start], end - start);
				assert_int_equal(
				    tree_check_subtree(start, end, root, size, forest->roots[size],
				        proof.hashes, proof.count, NULL),
				    0);
				cases++;
				assert_int_equal(
				    tree_check_subtree(start, end, root, size,
				        forest->roots[size - 1], proof.hashes, proof.count, NULL),
				    ERR_FORGED);
				if (proof.count == 0)
					continue;
				assert_int_equal(
				    tree_check_subtree(start, end, root, size, forest->roots[size],
				        proof.hashes, proof.count - 1, NULL),
				    ERR_MALFORMED);
				proof.hashes[cases % proof.count][cases % HASH_SIZE] ^= 1;
				assert_int_equal(
				    tree_check_subtree(start, end, root, size, forest->roots[size],
				        proof.hashes, proof.count, NULL),
				    ERR_FORGED);
			}
	assert_int_equal(cases, 8909);
	nodes_fini(&forest->nodes);
	free(forest);
}

/* Bounds that make no sense, and trees as large as sizes go. */
static void
test_bounds(void **state)
{
	static const uint8_t hash[HASH_SIZE];
	static const uint8_t proof[64][HASH_SIZE];
	struct tree_proof made;
	uint64_t large = UINT64_MAX >> 1;

	(void)state;
	assert_int_equal(tree_prove_inclusion(&made, 5, 5, nodes_read, NULL), ERR_USAGE);
	assert_int_equal(tree_prove_consistency(&made, 6, 5, nodes_read, NULL), ERR_USAGE);
	assert_int_equal(
	    tree_check_inclusion(hash, large, large, hash, proof, 63, NULL), ERR_MALFORMED);
	assert_int_equal(tree_check_inclusion(hash, 0, large, hash, proof, 63, NULL), ERR_FORGED);
	assert_int_equal(
	    tree_check_inclusion(hash, 0, large + 1, hash, proof, 63, NULL), ERR_MALFORMED);
	assert_int_equal(
	    tree_check_inclusion(hash, 0, UINT64_MAX, hash, proof, 63, NULL), ERR_MALFORMED);
	assert_int_equal(
	    tree_check_consistency(large - 1, hash, large, hash, proof, 64, NULL), ERR_MALFORMED);
	assert_int_equal(tree_check_consistency(1, hash, large, hash, proof, 63, NULL), ERR_FORGED);
	assert_true(tree_subtree_valid(0, large));
	assert_false(tree_subtree_valid(1, large));
	assert_false(tree_subtree_valid(0, large + 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_merkle_inclusion),
	    cmocka_unit_test(test_merkle_consistency),
	    cmocka_unit_test(test_merkle_subtree),
	    cmocka_unit_test(test_rfc6962),
	    cmocka_unit_test(test_all_subtrees),
	    cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
