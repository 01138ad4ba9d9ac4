/*
 * Wrapped secrets: what is sealed opens, and no changed byte, key or parameter does. Defends P4
 * (keys kept elsewhere can be used) and P7.
 */
#include <sodium.h>

#include "proto/wrap.h"
#include "tests/unit/vectors.h"

static const uint8_t nonce[WRAP_NONCE] = {1, 2, 3};
static const uint8_t key[WRAP_KEY_SIZE] = {4, 5, 6};

static struct wrap
sample(enum wrap_protection protection)
{
	struct wrap wrap = {.name = view_text("root"),
	    .about = view_text("Archive of the Coast, node \xd0\xbe\xd0\xb4\xd0\xb8\xd0\xbd"),
	    .public_size = 32,
	    .protection = protection,
	    .passphrase = {.ops = WRAP_OPS_MIN, .memory = WRAP_MEMORY_MIN, .salt = {7, 8}}};

	memset(wrap.public_half, 0xab, 32);
	return wrap;
}

static void
seal(struct buffer *file, enum wrap_protection protection)
{
	struct wrap wrap = sample(protection);
	struct err err = {0};

	buffer_init(file, WRAP_FILE_MAX);
	assert_int_equal(wrap_seal(file, &wrap, view_text("thirty-two bytes of secret, here"),
	                     protection == WRAP_NONE ? NULL : key, nonce, &err),
	    0);
}

static int
open_with(struct view file, const uint8_t *with)
{
	struct buffer secret;
	struct wrap wrap;
	struct err err = {0};
	int result = wrap_parse(&wrap, file, &err);

	if (result != 0) {
		assert_true(err.text[0] != '\0');
		return result;
	}
	buffer_init_secret(&secret, WRAP_SECRET_MAX);
	result = wrap_open(&secret, &wrap, wrap.protection == WRAP_NONE ? NULL : with, &err);
	if (result == 0)
		assert_true(view_equal(
		    buffer_view(&secret), view_text("thirty-two bytes of secret, here")));
	else
		assert_int_equal(secret.size, 0);
	buffer_fini(&secret);
	return result;
}

/* The form is fixed: files lie in drawers for years. */
static void
test_form(void **state)
{
	struct buffer file;
	const char *start = "dalil-key-1\nname: root\nabout: Archive of the Coast, node "
	                    "\xd0\xbe\xd0\xb4\xd0\xb8\xd0\xbd\npublic: abababababababababababab"
	                    "abababababababababababababababababababab\nprotection: passphrase "
	                    "argon2id13 ops=2 memory=67108864 "
	                    "salt=07080000000000000000000000000000\nsecret: AQID";

	(void)state;
	seal(&file, WRAP_PASSPHRASE);
	assert_true(file.size > strlen(start));
	assert_memory_equal(file.data, start, strlen(start));
	assert_int_equal(file.data[file.size - 1], '\n');
	buffer_fini(&file);
}

static void
test_open(void **state)
{
	const enum wrap_protection protections[3] = {WRAP_NONE, WRAP_KEY, WRAP_PASSPHRASE};
	const uint8_t other[WRAP_KEY_SIZE] = {4, 5, 7};
	struct buffer file;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		seal(&file, protections[i]);
		assert_int_equal(open_with(buffer_view(&file), key), 0);
		if (protections[i] != WRAP_NONE)
			assert_int_equal(open_with(buffer_view(&file), other), ERR_LOCKED);
		buffer_fini(&file);
	}
}

/* Every bit of every kind of file: none opens, none crashes. */
static void
test_flips(void **state)
{
	const enum wrap_protection protections[3] = {WRAP_NONE, WRAP_KEY, WRAP_PASSPHRASE};
	struct buffer file;
	unsigned count = 0;
	size_t bit;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		seal(&file, protections[i]);
		for (bit = 0; bit < 8 * file.size; bit++) {
			file.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_int_not_equal(open_with(buffer_view(&file), key), 0);
			file.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
			count++;
		}
		for (bit = 0; bit < file.size; bit++)
			assert_int_not_equal(open_with(view_of(file.data, bit), key), 0);
		buffer_append_u8(&file, '\n');
		assert_int_equal(open_with(buffer_view(&file), key), ERR_MALFORMED);
		buffer_fini(&file);
	}
	assert_true(count > 3 * 8 * 250);
}

static void
test_passphrase(void **state)
{
	struct wrap wrap = sample(WRAP_PASSPHRASE);
	uint8_t *derived = sodium_malloc(WRAP_KEY_SIZE);
	uint8_t expected[WRAP_KEY_SIZE];
	struct buffer file;

	(void)state;
	assert_int_equal(
	    wrap_derive(derived, &wrap.passphrase, view_text("correct horse"), NULL), 0);
	assert_int_equal(crypto_pwhash_argon2id(expected, sizeof(expected), "correct horse", 13,
	                     wrap.passphrase.salt, WRAP_OPS_MIN, WRAP_MEMORY_MIN,
	                     crypto_pwhash_argon2id_ALG_ARGON2ID13),
	    0);
	assert_memory_equal(derived, expected, WRAP_KEY_SIZE);
	buffer_init(&file, WRAP_FILE_MAX);
	assert_int_equal(wrap_seal(&file, &wrap, view_text("thirty-two bytes of secret, here"),
	                     derived, nonce, NULL),
	    0);
	assert_int_equal(open_with(buffer_view(&file), derived), 0);
	assert_int_equal(open_with(buffer_view(&file), key), ERR_LOCKED);
	buffer_fini(&file);
	sodium_free(derived);
}

/* A hostile file must not take all memory, or days (design section 4). */
static void
test_parameters(void **state)
{
	static const struct {
		uint32_t ops;
		uint64_t memory;
	} cases[] = {{1, WRAP_MEMORY_MIN}, {17, WRAP_MEMORY_MIN}, {2, WRAP_MEMORY_MIN - 1024},
	    {2, WRAP_MEMORY_MAX + 1024ull}, {2, WRAP_MEMORY_MIN + 1}, {UINT32_MAX, UINT64_MAX}};
	static const char *const texts[] = {"ops=02 memory=67108864", "ops=2 memory=067108864",
	    "ops=2 memory=4294967296", "ops=17 memory=67108864", "ops=2 memory=99999999999",
	    "ops= memory=67108864", "ops=-2 memory=67108864", "ops=4294967298 memory=67108864"};
	char file[512];
	uint8_t derived[WRAP_KEY_SIZE];
	struct wrap wrap = sample(WRAP_PASSPHRASE);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer out;

		wrap.passphrase.ops = cases[i].ops;
		wrap.passphrase.memory = cases[i].memory;
		assert_int_equal(
		    wrap_derive(derived, &wrap.passphrase, view_text("x"), NULL), ERR_LIMIT);
		buffer_init(&out, WRAP_FILE_MAX);
		assert_int_equal(
		    wrap_seal(&out, &wrap, view_text("x"), key, nonce, NULL), ERR_LIMIT);
		buffer_fini(&out);
	}
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		(void)snprintf(file, sizeof(file),
		    "dalil-key-1\nname: root\nabout: \npublic: \nprotection: passphrase argon2id13 "
		    "%s salt=00000000000000000000000000000000\nsecret: AAAA\n",
		    texts[i]);
		assert_int_not_equal(wrap_parse(&wrap, view_text(file), NULL), 0);
	}
	assert_int_equal(wrap_parse(&wrap, view_text("dalil-key-2\nname: x\n"), NULL), ERR_VERSION);
}

static void
test_usage(void **state)
{
	static const char *const names[] = {"", "Root", "root key", "root\n", "../root"};
	struct buffer out;
	struct wrap wrap;
	size_t i;

	(void)state;
	buffer_init(&out, WRAP_FILE_MAX);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		wrap = sample(WRAP_KEY);
		wrap.name = view_text(names[i]);
		assert_int_equal(
		    wrap_seal(&out, &wrap, view_text("x"), key, nonce, NULL), ERR_USAGE);
	}
	wrap = sample(WRAP_KEY);
	wrap.about = view_text("two\nlines");
	assert_int_equal(wrap_seal(&out, &wrap, view_text("x"), key, nonce, NULL), ERR_USAGE);
	wrap = sample(WRAP_KEY);
	assert_int_equal(wrap_seal(&out, &wrap, view_text("x"), NULL, nonce, NULL), ERR_USAGE);
	wrap = sample(WRAP_NONE);
	assert_int_equal(wrap_seal(&out, &wrap, view_text("x"), key, nonce, NULL), ERR_USAGE);
	assert_int_equal(out.size, 0);
	buffer_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_form),
	    cmocka_unit_test(test_open),
	    cmocka_unit_test(test_flips),
	    cmocka_unit_test(test_passphrase),
	    cmocka_unit_test(test_parameters),
	    cmocka_unit_test(test_usage),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
