/*
 * Buffers, text, hashes and the AEAD on published values (RFC 4231, RFC 5869, RFC 8439 sizes): what
 * P2, P6 and P7 rest on.
 */
#include <errno.h>
#include <sodium.h>

#include "proto/aead.h"
#include "proto/err.h"
#include "proto/hash.h"
#include "proto/text.h"
#include "tests/unit/vectors.h"

static void
test_buffer_limit(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 3);
	buffer_append(&buffer, "abc", 3);
	assert_int_equal(buffer.err, 0);
	buffer_append(&buffer, "d", 1);
	assert_int_equal(buffer.err, ERR_LIMIT);
	buffer_append(&buffer, "", 0);
	assert_int_equal(buffer.size, 3);
	buffer_fini(&buffer);
}

static void
expect_hex(const uint8_t *bytes, size_t size, const char *hex)
{
	char text[129];

	text_hex(text, view_of(bytes, size));
	assert_string_equal(text, hex);
}

static void
test_hash(void **state)
{
	struct hash *sha512 = hash_new_sha512();
	uint8_t digest[64];
	uint8_t key[22];
	uint8_t salt[13];
	uint8_t info[10];
	struct view data = view_text("Hi There");
	size_t i;

	(void)state;
	hash_sha256(digest, view_text("abc"));
	expect_hex(digest, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hash_update(sha512, view_text("abc"));
	hash_finish(sha512, digest);
	expect_hex(digest, 64,
	    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
	hash_free(sha512);
	memset(key, 0x0b, sizeof(key));
	hash_hmac(digest, view_of(key, 20), &data, 1);
	expect_hex(digest, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	for (i = 0; i < sizeof(salt); i++)
		salt[i] = (uint8_t)i;
	for (i = 0; i < sizeof(info); i++)
		info[i] = (uint8_t)(0xf0 + i);
	hash_hkdf(digest, 42, view_of(key, sizeof(key)), view_of(salt, sizeof(salt)),
	    view_of(info, sizeof(info)));
	expect_hex(digest, 42,
	    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

/* libcrypto and libsodium agree, and nothing unauthenticated is released. */
static void
test_aead(void **state)
{
	static const uint8_t nonce[AEAD_NONCE] = {1, 2, 3};
	static const uint8_t key[AEAD_KEY] = {9, 8, 7};
	struct aead *aead = aead_new();
	uint8_t plain[100];
	uint8_t sealed[116];
	uint8_t other[116];
	unsigned long long written;
	size_t size;

	(void)state;
	assert_int_equal(aead_key(aead, key), 0);
	for (size = 0; size <= sizeof(plain); size++) {
		memset(plain, (int)size, sizeof(plain));
		assert_int_equal(
		    aead_seal(aead, sealed, nonce, view_of(plain, size), view_text("ad")), 0);
		assert_int_equal(crypto_aead_chacha20poly1305_ietf_encrypt(other, &written, plain,
		                     size, (const uint8_t *)"ad", 2, NULL, nonce, key),
		    0);
		assert_memory_equal(sealed, other, size + 16);
		assert_int_equal(
		    aead_open(aead, sealed, nonce, view_of(sealed, size + 16), view_text("ad")), 0);
		assert_memory_equal(sealed, plain, size);
		other[size / 2] ^= 1;
		assert_int_equal(
		    aead_open(aead, other, nonce, view_of(other, size + 16), view_text("ad")),
		    ERR_FORGED);
		assert_true(sodium_is_zero(other, size));
	}
	assert_int_equal(
	    aead_open(aead, other, nonce, view_of(other, 15), view_text("")), ERR_FORGED);
	aead_free(aead);
}

static void
test_text(void **state)
{
	struct buffer out;
	unsigned letters = 0;
	unsigned i;

	(void)state;
	buffer_init(&out, 1000);
	text_escape(&out, view_of("a\x1b[31m\xe2\x80\xae\\\xff\n\xd0\x96", 14));
	buffer_append_u8(&out, 0);
	assert_string_equal((const char *)out.data, "a\\u{1b}[31m\\u{202e}\\\\\\xff\\n\xd0\x96");
	buffer_clear(&out);
	text_base64(&out, TEXT_BASE64_UNPADDED, view_text("a"));
	assert_true(view_equal(buffer_view(&out), view_text("YQ")));
	buffer_clear(&out);
	assert_true(text_unbase64(&out, TEXT_BASE64_PADDED, view_text("YQ==")));
	assert_true(view_equal(buffer_view(&out), view_text("a")));
	assert_false(text_unbase64(&out, TEXT_BASE64_PADDED, view_text("YR==")));
	assert_false(text_unbase64(&out, TEXT_BASE64_PADDED, view_text("YQ")));
	assert_false(text_unbase64(&out, TEXT_BASE64_UNPADDED, view_text("Y Q")));
	assert_false(text_unbase64(&out, TEXT_BASE64_UNPADDED, view_text("AAA\xaf")));
	assert_int_equal(out.size, 1);
	for (i = 0; i < 256; i++) {
		uint8_t quartet[4] = {'A', 'A', 'A', (uint8_t)i};

		letters += text_unbase64(&out, TEXT_BASE64_URL, view_of(quartet, 4));
		quartet[0] = (uint8_t)i;
		quartet[3] = 'A';
		letters += text_unbase64(&out, TEXT_BASE64_PADDED, view_of(quartet, 4));
	}
	assert_int_equal(letters, 128);
	buffer_fini(&out);
	assert_false(text_is_utf8(view_of("\xed\xa0\x80", 3)));
	assert_false(text_is_utf8(view_of("\xc0\x80", 2)));
	assert_true(text_is_utf8(view_of("\xf4\x8f\xbf\xbf", 4)));
}

/* What the system reports reaches people in words. */
static void
test_system_error(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(err_system(&err, ENOENT, "cannot read %s", "x"), ERR_NOT_FOUND);
	assert_string_equal(err.text, "cannot read x: No such file or directory");
	assert_int_equal(err_system(&err, ENOSPC, "cannot write"), ERR_FULL);
	assert_string_equal(err.text, "cannot write: No space left on device");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_buffer_limit),
	    cmocka_unit_test(test_hash),
	    cmocka_unit_test(test_aead),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_system_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
