/*
 * P2 (immutable): a signature that is not exactly the key's is refused, and so are keys with which
 * signatures prove nothing.  Vectors: Wycheproof Ed25519, RFC 8032 and 7748 edge cases.
 */
#include "proto/key.h"

#include <sodium.h>
#include <stdlib.h>

#include "proto/text.h"
#include "tests/unit/vectors.h"

static unsigned
wycheproof_group(const json_t *group)
{
	const json_t *tests = json_object_get(group, "tests");
	const json_t *test;
	uint8_t key[KEY_SIZE];
	size_t i;

	vectors_bytes(key, KEY_SIZE, json_object_get(group, "publicKey"), "pk");
	json_array_foreach(tests, i, test)
	{
		struct view message = vectors_hex_of(test, "msg");
		struct view signature = vectors_hex_of(test, "sig");
		bool valid = strcmp(vectors_text(test, "result"), "valid") == 0;
		int result = ERR_FORGED;

		/* Signatures of other lengths cannot be given to key_verify at all. */
		if (signature.size == KEY_SIGNATURE)
			result = key_ed25519_valid(key) ?
			             key_verify(key, signature.data, "", message) :
			             ERR_REFUSED;
		if ((result == 0) != valid)
			fail_msg("test %d", (int)vectors_uint(test, "tcId"));
		vectors_free(message);
		vectors_free(signature);
	}
	return (unsigned)json_array_size(tests);
}

static void
test_wycheproof(void **state)
{
	json_t *json = vectors_load("tlog/wycheproof-ed25519_test.json");
	const json_t *group;
	unsigned count = 0;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "testGroups"), i, group) count +=
	    wycheproof_group(group);
	assert_int_equal(count, 151);
	json_decref(json);
}

/* What design 4 refuses when first seen. */
static const char *const bad_ed25519[] = {
    /* The eight points of small order, and the other ways to write some of them. */
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    /* No point of the curve. */
    "0200000000000000000000000000000000000000000000000000000000000000",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

static const char *const bad_x25519[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

static void
test_refused_keys(void **state)
{
	uint8_t key[KEY_SIZE];
	uint8_t point[KEY_SIZE];
	struct err err = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad_ed25519) / sizeof(bad_ed25519[0]); i++) {
		assert_true(text_unhex(key, KEY_SIZE, view_text(bad_ed25519[i])));
		assert_false(key_ed25519_valid(key));
	}
	assert_int_equal(key_ed25519_check(key, "the log key", &err), ERR_REFUSED);
	assert_string_equal(
	    err.text, "the log key is no Ed25519 key: of small order or not canonical (design 4)");
	for (i = 0; i < sizeof(bad_x25519) / sizeof(bad_x25519[0]); i++) {
		assert_true(text_unhex(key, KEY_SIZE, view_text(bad_x25519[i])));
		assert_false(key_x25519_valid(key));
	}
	assert_int_equal(key_x25519_check(key, "the inbox key", &err), ERR_REFUSED);
	/* A good key with a part of small order is of mixed order: refused too. */
	key_ed25519_public(key, (const uint8_t[KEY_SEED]){7});
	assert_true(key_ed25519_valid(key));
	assert_int_equal(key_ed25519_check(key, "it", &err), 0);
	assert_true(text_unhex(point, KEY_SIZE, view_text(bad_ed25519[4])));
	assert_int_equal(crypto_core_ed25519_add(key, key, point), 0);
	assert_false(key_ed25519_valid(key));
	key_x25519_public(key, (const uint8_t[KEY_SEED]){7});
	assert_true(key_x25519_valid(key));
	assert_int_equal(key_x25519_check(key, "it", &err), 0);
}

/* RFC 8032 section 7.1 test 2, and a message too large for the stack. */
static void
test_sign(void **state)
{
	static uint8_t large[70000];
	uint8_t seed[KEY_SEED];
	uint8_t key[KEY_SIZE];
	uint8_t signature[KEY_SIGNATURE];
	char hex[2 * KEY_SIGNATURE + 1];

	(void)state;
	assert_true(text_unhex(seed, KEY_SEED,
	    view_text("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")));
	key_ed25519_public(key, seed);
	assert_int_equal(key_sign(signature, seed, "", view_text("r")), 0);
	text_hex(hex, view_of(signature, KEY_SIGNATURE));
	assert_string_equal(hex,
	    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
	assert_int_equal(key_verify(key, signature, "", view_text("r")), 0);
	assert_int_equal(key_verify(key, signature, "r", view_text("")), 0);
	assert_int_equal(key_verify(key, signature, "r", view_text("r")), ERR_FORGED);
	assert_int_equal(key_sign(signature, seed, "tag\n", view_of(large, sizeof(large))), 0);
	assert_int_equal(key_verify(key, signature, "tag\n", view_of(large, sizeof(large))), 0);
	large[69999] = 1;
	assert_int_equal(
	    key_verify(key, signature, "tag\n", view_of(large, sizeof(large))), ERR_FORGED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wycheproof),
	    cmocka_unit_test(test_refused_keys),
	    cmocka_unit_test(test_sign),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
