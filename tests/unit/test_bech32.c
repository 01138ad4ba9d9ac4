/* Keys as text: BIP 173's strings, age's keys, and mistyped ones. Defends P4 (keys typed back). */
#include <sodium.h>

#include "proto/bech32.h"
#include "tests/unit/vectors.h"

#define IDENTITY_COUNT 3

/* BIP 173 "valid Bech32" whose data is whole bytes or nothing. */
static void
test_published(void **state)
{
	uint8_t bytes[64];
	struct buffer out;

	(void)state;
	assert_int_equal(bech32_decode(bytes, 0, "a", view_text("A12UEL5L"), NULL), 0);
	assert_int_equal(bech32_decode(bytes, 0, "a", view_text("a12uel5l"), NULL), 0);
	assert_int_equal(bech32_decode(bytes, 0, "?", view_text("?1ezyfcl"), NULL), 0);
	assert_int_equal(bech32_decode(bytes, 20, "abcdef",
	                     view_text("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"), NULL),
	    0);
	assert_int_equal(bytes[1], 0x44);
	buffer_init(&out, 100);
	bech32_encode(&out, "abcdef", view_of(bytes, 20));
	assert_true(view_equal(
	    buffer_view(&out), view_text("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw")));
	buffer_fini(&out);
	assert_int_equal(bech32_decode(bytes, 0, "a", view_text("A12UEl5L"), NULL), ERR_MALFORMED);
	assert_int_equal(bech32_decode(bytes, 0, "a", view_text("a12uel5m"), NULL), ERR_MALFORMED);
	assert_int_equal(bech32_decode(bytes, 0, "a", view_text("b12uel5l"), NULL), ERR_MALFORMED);
}

static void
test_keys(void **state)
{
	json_t *json = vectors_load("dalil/parts.json");
	const json_t *vector;
	unsigned count = 0;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "identities"), i, vector)
	{
		const char *identity = vectors_text(vector, "identity");
		const char *recipient = vectors_text(vector, "recipient");
		char text[BECH32_IDENTITY_TEXT + 1];
		uint8_t secret[32];
		uint8_t public_half[32];
		uint8_t read[32];

		vectors_bytes(secret, 32, vector, "secret");
		bech32_identity(text, secret);
		assert_string_equal(text, identity);
		assert_int_equal(bech32_parse_identity(read, view_text(identity), NULL), 0);
		assert_memory_equal(read, secret, 32);
		assert_int_equal(crypto_scalarmult_base(public_half, secret), 0);
		bech32_recipient(text, public_half);
		assert_string_equal(text, recipient);
		assert_int_equal(bech32_parse_recipient(read, view_text(recipient), NULL), 0);
		assert_memory_equal(read, public_half, 32);
		count++;
	}
	assert_int_equal(count, IDENTITY_COUNT);
	json_decref(json);
}

/* The checksum finds every single wrong character: here, every one of them. */
static void
test_mistyped(void **state)
{
	const char *good = "age16gf65lx8ctykua7r7wsl0km2kc8fgehcgfxrnar8rmsgh98lh3eqwdxlfg";
	char text[BECH32_RECIPIENT_TEXT + 2];
	uint8_t read[32];
	struct err err;
	size_t i;
	int c;

	(void)state;
	for (i = 0; i < BECH32_RECIPIENT_TEXT; i++) {
		for (c = 0; c < 256; c++) {
			(void)memcpy(text, good, BECH32_RECIPIENT_TEXT);
			if (text[i] == (char)c)
				continue;
			text[i] = (char)c;
			assert_int_equal(bech32_parse_recipient(
			                     read, view_of(text, BECH32_RECIPIENT_TEXT), &err),
			    ERR_MALFORMED);
		}
		assert_int_equal(
		    bech32_parse_recipient(read, view_of(good, i), &err), ERR_MALFORMED);
	}
	(void)memcpy(text, good, BECH32_RECIPIENT_TEXT + 1);
	for (i = 0; i < BECH32_RECIPIENT_TEXT; i++)
		if (text[i] >= 'a' && text[i] <= 'z')
			text[i] = (char)(text[i] - 'a' + 'A');
	assert_int_equal(bech32_parse_recipient(read, view_text(text), &err), ERR_MALFORMED);
}

static void
test_low_order(void **state)
{
	const uint8_t points[2][32] = {{0}, {1}};
	char text[BECH32_RECIPIENT_TEXT + 1];
	uint8_t read[32];
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		bech32_recipient(text, points[i]);
		assert_int_equal(bech32_parse_recipient(read, view_text(text), NULL), ERR_REFUSED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_published),
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_mistyped),
	    cmocka_unit_test(test_low_order),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
