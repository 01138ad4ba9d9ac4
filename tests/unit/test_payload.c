/*
 * Payloads: sizes, padding, leaves and roots of every vector; leaves sealed in any order; no flipped
 * bit opens. Defends P2 (the root names these bytes), P3 and P6 (padding).
 */
#include <sodium.h>
#include <stdlib.h>

#include "proto/age_header.h"
#include "proto/age_stream.h"
#include "proto/bech32.h"
#include "proto/hash.h"
#include "proto/payload.h"
#include "proto/tree.h"
#include "tests/unit/vectors.h"

#define CASE_COUNT 22
#define PADME_COUNT 372
#define PLAIN_SIZE_COUNT 6
#define IMPOSSIBLE_COUNT 6
#define AUDIT_COUNT 3

/* The vectors' rule of long contents. */
static uint8_t *
make_content(size_t size, size_t padded)
{
	uint8_t *content = calloc(1, padded + 1);
	size_t i;

	assert_non_null(content);
	for (i = 0; i < size; i++)
		content[i] = (uint8_t)(131 * i + 7 * (i / 256) + 3 * (i / 65536));
	return content;
}

/* Leaves last to first: none depends on another. */
static uint8_t *
seal_payload(struct aead *aead, const uint8_t *plain, size_t size)
{
	uint64_t leaf = payload_leaf_count(payload_size(size));
	uint8_t *payload = malloc(payload_size(size));
	bool last = true;

	assert_non_null(payload);
	while (leaf-- > 0) {
		size_t at = leaf * PAYLOAD_LEAF_PLAIN;
		size_t part =
		    size - at < PAYLOAD_LEAF_PLAIN ? size - at : (size_t)PAYLOAD_LEAF_PLAIN;

		assert_int_equal(payload_seal_leaf(aead, payload + leaf * PAYLOAD_LEAF, leaf, last,
		                     view_of(plain + at, part)),
		    0);
		last = false;
	}
	return payload;
}

static void
check_hex(const json_t *vector, const char *key, const uint8_t *bytes)
{
	struct view expected = vectors_hex_of(vector, key);

	if (memcmp(bytes, expected.data, expected.size) != 0)
		fail_msg("%s differs", key);
	vectors_free(expected);
}

static void
check_leaves(const json_t *vector, const uint8_t *payload, uint64_t size)
{
	const json_t *leaves = json_object_get(vector, "leaves");
	uint8_t root[HASH_SIZE];
	struct tree tree;
	uint64_t leaf;

	assert_int_equal(json_array_size(leaves), payload_leaf_count(size));
	tree_init(&tree);
	for (leaf = 0; leaf < payload_leaf_count(size); leaf++) {
		struct view expected = vectors_hex(json_array_get(leaves, leaf));
		uint8_t hash[HASH_SIZE];

		tree_leaf(
		    hash, view_of(payload + leaf * PAYLOAD_LEAF, payload_leaf_size(size, leaf)));
		assert_memory_equal(hash, expected.data, HASH_SIZE);
		assert_int_equal(tree_append(&tree, hash, NULL, NULL), 0);
		vectors_free(expected);
	}
	tree_root(&tree, root);
	check_hex(vector, "root", root);
}

static void
check_opens(struct aead *aead, const uint8_t *payload, uint64_t size, const uint8_t *plain)
{
	uint8_t *opened = malloc(PAYLOAD_LEAF_PLAIN);
	uint64_t count = payload_leaf_count(size);
	uint64_t leaf;

	for (leaf = 0; leaf < count; leaf++) {
		struct view sealed =
		    view_of(payload + leaf * PAYLOAD_LEAF, payload_leaf_size(size, leaf));

		assert_int_equal(
		    payload_open_leaf(aead, opened, leaf, leaf == count - 1, sealed, NULL), 0);
		assert_memory_equal(
		    opened, plain + leaf * PAYLOAD_LEAF_PLAIN, payload_plain_size(sealed.size));
		assert_int_not_equal(
		    payload_open_leaf(aead, opened, leaf, leaf != count - 1, sealed, NULL), 0);
		assert_int_not_equal(
		    payload_open_leaf(aead, opened, leaf + 1, leaf == count - 1, sealed, NULL), 0);
	}
	free(opened);
}

static void
run_case(struct aead *aead, const json_t *vector)
{
	size_t content = vectors_uint(vector, "content");
	bool sealed = json_is_true(json_object_get(vector, "sealed"));
	size_t padded = sealed ? payload_padded(content) : content;
	uint64_t size = payload_size(padded);
	uint8_t *plain = make_content(content, padded);
	uint8_t *payload;
	uint8_t digest[HASH_SIZE];

	assert_int_equal(padded, vectors_uint(vector, "padded"));
	assert_int_equal(size, vectors_uint(vector, "size"));
	assert_true(payload_size_possible(size));
	assert_int_equal(payload_plain_size(size), padded);
	payload = seal_payload(aead, plain, padded);
	check_leaves(vector, payload, size);
	hash_sha256(digest, view_of(payload, size));
	check_hex(vector, "payload_sha256", digest);
	hash_sha256(digest, view_of(plain, content));
	check_hex(vector, "sha256", digest);
	check_hex(vector, "first", payload);
	check_hex(vector, "last",
	    payload + size - json_string_length(json_object_get(vector, "last")) / 2);
	if (json_object_get(vector, "payload") != NULL)
		check_hex(vector, "payload", payload);
	check_opens(aead, payload, size, plain);
	free(payload);
	free(plain);
}

static void
test_vectors(void **state)
{
	json_t *json = vectors_load("dalil/payload.json");
	struct aead *aead = aead_new();
	uint8_t file_key[AGE_FILE_KEY];
	uint8_t nonce[AGE_STREAM_NONCE];
	uint8_t expected[AEAD_KEY];
	uint8_t key[AEAD_KEY];
	const json_t *vector;
	unsigned count = 0;
	size_t i;

	(void)state;
	vectors_bytes(file_key, sizeof(file_key), json, "file_key");
	vectors_bytes(nonce, sizeof(nonce), json, "nonce");
	vectors_bytes(expected, sizeof(expected), json, "payload_key");
	age_stream_key(key, file_key, nonce);
	assert_memory_equal(key, expected, AEAD_KEY);
	assert_int_equal(aead_key(aead, key), 0);
	json_array_foreach(json_object_get(json, "cases"), i, vector)
	{
		run_case(aead, vector);
		count++;
	}
	assert_int_equal(count, CASE_COUNT);
	aead_free(aead);
	json_decref(json);
}

/* The header of the vectors gives the file key to its identity. */
static void
test_header(void **state)
{
	json_t *json = vectors_load("dalil/payload.json");
	struct view bytes = vectors_hex_of(json, "header");
	struct age_identity *identity;
	struct age_header header;
	uint8_t file_key[AGE_FILE_KEY];
	uint8_t expected[AGE_FILE_KEY];
	uint8_t secret[32];

	(void)state;
	assert_int_equal(
	    bech32_parse_identity(secret, view_text(vectors_text(json, "identity")), NULL), 0);
	identity = age_identity_new(secret);
	assert_int_equal(age_header_parse(&header, bytes, NULL), 0);
	assert_int_equal(age_header_open(file_key, &header, identity, NULL), 0);
	vectors_bytes(expected, sizeof(expected), json, "file_key");
	assert_memory_equal(file_key, expected, AGE_FILE_KEY);
	age_identity_free(identity);
	vectors_free(bytes);
	json_decref(json);
}

static uint64_t
number_at(const json_t *pair, size_t index)
{
	return (uint64_t)json_integer_value(json_array_get(pair, index));
}

static void
test_sizes(void **state)
{
	json_t *json = vectors_load("dalil/payload.json");
	const json_t *pair;
	unsigned counts[3] = {0};
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "padme"), i, pair)
	{
		assert_int_equal(payload_padded(number_at(pair, 0)), number_at(pair, 1));
		counts[0]++;
	}
	json_array_foreach(json_object_get(json, "plain_size"), i, pair)
	{
		assert_true(payload_size_possible(number_at(pair, 0)));
		assert_int_equal(payload_plain_size(number_at(pair, 0)), number_at(pair, 1));
		assert_int_equal(payload_size(number_at(pair, 1)), number_at(pair, 0));
		counts[1]++;
	}
	json_array_foreach(json_object_get(json, "impossible_sizes"), i, pair)
	{
		assert_false(payload_size_possible((uint64_t)json_integer_value(pair)));
		counts[2]++;
	}
	assert_int_equal(counts[0], PADME_COUNT);
	assert_int_equal(counts[1], PLAIN_SIZE_COUNT);
	assert_int_equal(counts[2], IMPOSSIBLE_COUNT);
	assert_true(payload_size_possible(payload_size(PAYLOAD_PLAIN_MAX)));
	assert_false(payload_size_possible(payload_size(PAYLOAD_PLAIN_MAX) + AGE_SEALED_CHUNK));
	assert_false(payload_size_possible(UINT64_MAX));
	json_decref(json);
}

/* The audit's payload: each leaf's bytes, leaf hash and inclusion in the root. */
static void
run_audit(struct aead *aead, const json_t *json, const json_t *vector)
{
	const json_t *hashes = json_object_get(vector, "proof");
	size_t content = vectors_uint(json, "content");
	uint64_t leaf = vectors_uint(vector, "leaf");
	uint64_t count = payload_leaf_count(payload_size(content));
	uint8_t *plain = make_content(content, content);
	uint8_t *payload = seal_payload(aead, plain, content);
	size_t size = payload_leaf_size(payload_size(content), leaf);
	uint8_t proof[8][HASH_SIZE];
	uint8_t digest[HASH_SIZE];
	uint8_t root[HASH_SIZE];
	size_t i;

	assert_int_equal(size, vectors_uint(vector, "length"));
	hash_sha256(digest, view_of(payload + leaf * PAYLOAD_LEAF, size));
	check_hex(vector, "leaf_sha256", digest);
	tree_leaf(digest, view_of(payload + leaf * PAYLOAD_LEAF, size));
	check_hex(vector, "leaf_hash", digest);
	for (i = 0; i < json_array_size(hashes); i++) {
		struct view hash = vectors_hex(json_array_get(hashes, i));

		memcpy(proof[i], hash.data, HASH_SIZE);
		vectors_free(hash);
	}
	vectors_bytes(root, HASH_SIZE, json, "root");
	assert_int_equal(tree_check_inclusion(digest, leaf, count, root,
	                     (const uint8_t(*)[HASH_SIZE])proof, i, NULL),
	    0);
	free(payload);
	free(plain);
}

static void
test_audit(void **state)
{
	json_t *json = vectors_load("dalil/audit.json");
	struct aead *aead = aead_new();
	uint8_t key[AEAD_KEY];
	const json_t *vector;
	unsigned count = 0;
	size_t i;

	(void)state;
	vectors_bytes(key, sizeof(key), json, "payload_key");
	assert_int_equal(aead_key(aead, key), 0);
	json_array_foreach(json_object_get(json, "answers"), i, vector)
	{
		run_audit(aead, json, vector);
		count++;
	}
	assert_int_equal(count, AUDIT_COUNT);
	aead_free(aead);
	json_decref(json);
}

/* A leaf with one bit flipped, cut, or too long never opens. */
static void
test_damage(void **state)
{
	const uint8_t key[AEAD_KEY] = {1};
	struct aead *aead = aead_new();
	size_t plain_size = 3 * AGE_CHUNK + 100;
	uint8_t *plain = make_content(plain_size, plain_size);
	uint8_t *opened = malloc(plain_size + AGE_CHUNK);
	size_t size = payload_size(plain_size);
	uint8_t *payload;
	size_t bit;

	(void)state;
	assert_int_equal(aead_key(aead, key), 0);
	payload = seal_payload(aead, plain, plain_size);
	for (bit = 0; bit < 8 * size; bit += 9973) {
		payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(
		    payload_open_leaf(aead, opened, 0, true, view_of(payload, size), NULL),
		    ERR_FORGED);
		payload[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(payload_open_leaf(aead, opened, 0, true, view_of(payload, size), NULL), 0);
	assert_int_equal(
	    payload_open_leaf(aead, opened, 0, true, view_of(payload, size - 1), NULL), ERR_FORGED);
	assert_int_equal(payload_open_leaf(aead, opened, 0, true,
	                     view_of(payload, (size_t)3 * AGE_SEALED_CHUNK), NULL),
	    ERR_FORGED);
	assert_int_equal(payload_open_leaf(aead, opened, 0, true,
	                     view_of(payload, (size_t)3 * AGE_SEALED_CHUNK + 16), NULL),
	    ERR_MALFORMED);
	assert_int_equal(
	    payload_open_leaf(aead, opened, 0, true, view_of(payload, 0), NULL), ERR_MALFORMED);
	assert_int_equal(
	    payload_open_leaf(aead, opened, 0, false, view_of(payload, size), NULL), ERR_MALFORMED);
	free(payload);
	free(opened);
	free(plain);
	aead_free(aead);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_header),
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_audit),
	    cmocka_unit_test(test_damage),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
