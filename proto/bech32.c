/* Bech32 by BIP 173, the checksum's constant being 1; age keys without the limit of 90 characters. */
#include "proto/bech32.h"

#include <sodium.h>

#define CHECKSUM_DIGITS 6
#define DIGITS_MAX ((BECH32_DATA_MAX * 8 + 4) / 5)
#define PREFIX_MAX 32

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t
polymod_step(uint32_t state, uint8_t digit)
{
	static const uint32_t generator[5] = {
	    0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
	uint32_t top = state >> 25;
	unsigned i;

	state = (state & 0x1ffffff) << 5 ^ digit;
	for (i = 0; i < 5; i++)
		if ((top >> i & 1) != 0)
			state ^= generator[i];
	return state;
}

static uint32_t
polymod_prefix(const char *prefix)
{
	uint32_t state = 1;
	const char *at;

	for (at = prefix; *at != '\0'; at++)
		state = polymod_step(state, (uint8_t)((uint8_t)*at >> 5));
	state = polymod_step(state, 0);
	for (at = prefix; *at != '\0'; at++)
		state = polymod_step(state, (uint8_t)((uint8_t)*at & 31));
	return state;
}

void
bech32_encode(struct buffer *out, const char *prefix, struct view bytes)
{
	uint32_t state = polymod_prefix(prefix);
	uint32_t bits = 0;
	unsigned held = 0;
	size_t at = 0;
	unsigned i;

	buffer_append_text(out, prefix);
	buffer_append_u8(out, '1');
	while (at < bytes.size || held > 0) {
		uint8_t digit;

		if (held < 5 && at < bytes.size) {
			bits = bits << 8 | bytes.data[at++];
			held += 8;
		} else if (held < 5) {
			bits <<= 5 - held;
			held = 5;
		}
		held -= 5;
		digit = (uint8_t)(bits >> held & 31);
		state = polymod_step(state, digit);
		buffer_append_u8(out, (uint8_t)alphabet[digit]);
	}
	for (i = 0; i < CHECKSUM_DIGITS; i++)
		state = polymod_step(state, 0);
	state ^= 1;
	for (i = 0; i < CHECKSUM_DIGITS; i++)
		buffer_append_u8(out, (uint8_t)alphabet[state >> (25 - 5 * i) & 31]);
	sodium_memzero(&bits, sizeof(bits));
}

/* All letters of one case; the text in lower case. */
static bool
fold_case(uint8_t *folded, struct view text)
{
	bool upper = false;
	bool lower = false;
	size_t i;

	for (i = 0; i < text.size; i++) {
		uint8_t c = text.data[i];

		upper = upper || (c >= 'A' && c <= 'Z');
		lower = lower || (c >= 'a' && c <= 'z');
		folded[i] = (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	return !(upper && lower);
}

/* The digits of ${folded} into ${bytes}; false for a wrong digit, checksum or slack bits. */
static bool
decode_digits(uint8_t *bytes, size_t size, uint32_t state, struct view folded)
{
	size_t data = folded.size - CHECKSUM_DIGITS;
	uint32_t bits = 0;
	unsigned held = 0;
	size_t done = 0;
	size_t i;

	for (i = 0; i < folded.size; i++) {
		const char *found = folded.data[i] == 0 ? NULL : strchr(alphabet, folded.data[i]);

		if (found == NULL)
			return false;
		state = polymod_step(state, (uint8_t)(found - alphabet));
		if (i >= data)
			continue;
		bits = bits << 5 | (uint32_t)(found - alphabet);
		held += 5;
		if (held >= 8) {
			held -= 8;
			bytes[done++] = (uint8_t)(bits >> held);
		}
	}
	return state == 1 && done == size && (bits & ((1u << held) - 1)) == 0;
}

int
bech32_decode(uint8_t *bytes, size_t size, const char *prefix, struct view text, struct err *err)
{
	uint8_t folded[PREFIX_MAX + 1 + DIGITS_MAX + CHECKSUM_DIGITS];
	size_t start = strlen(prefix) + 1;
	size_t digits = (size * 8 + 4) / 5 + CHECKSUM_DIGITS;
	bool good;

	if (size > BECH32_DATA_MAX || start > PREFIX_MAX + 1)
		return err_set(err, ERR_LIMIT, "too long for Bech32 here");
	good = text.size == start + digits && fold_case(folded, text) &&
	       memcmp(folded, prefix, start - 1) == 0 && folded[start - 1] == '1' &&
	       decode_digits(bytes, size, polymod_prefix(prefix), view_of(folded + start, digits));
	sodium_memzero(folded, sizeof(folded));
	if (good)
		return ERR_NONE;
	sodium_memzero(bytes, size);
	return err_set(err, ERR_MALFORMED, "not a key that begins with %s1, or mistyped", prefix);
}

void
bech32_recipient(char text[static BECH32_RECIPIENT_TEXT + 1], const uint8_t recipient[static 32])
{
	struct buffer out = {.data = (uint8_t *)text,
	    .capacity = BECH32_RECIPIENT_TEXT,
	    .limit = BECH32_RECIPIENT_TEXT};

	bech32_encode(&out, "age", view_of(recipient, 32));
	text[BECH32_RECIPIENT_TEXT] = '\0';
}

int
bech32_parse_recipient(uint8_t recipient[static 32], struct view text, struct err *err)
{
	static const uint8_t scalar[crypto_scalarmult_SCALARBYTES] = {8};
	uint8_t product[crypto_scalarmult_BYTES];
	int result;

	if (text.size > 0 && text.data[0] != 'a')
		return err_set(err, ERR_MALFORMED, "not a recipient: those begin with age1");
	result = bech32_decode(recipient, 32, "age", text, err);
	if (result != 0)
		return result;
	if (crypto_scalarmult(product, scalar, recipient) != 0) {
		memset(recipient, 0, 32);
		return err_set(err, ERR_REFUSED, "the recipient is a key of low order: it is none");
	}
	return ERR_NONE;
}

void
bech32_identity(char text[static BECH32_IDENTITY_TEXT + 1], const uint8_t secret[static 32])
{
	struct buffer out = {.data = (uint8_t *)text,
	    .capacity = BECH32_IDENTITY_TEXT,
	    .limit = BECH32_IDENTITY_TEXT};
	size_t i;

	bech32_encode(&out, "age-secret-key-", view_of(secret, 32));
	for (i = 0; i < BECH32_IDENTITY_TEXT; i++)
		if (text[i] >= 'a' && text[i] <= 'z')
			text[i] = (char)(text[i] - 'a' + 'A');
	text[BECH32_IDENTITY_TEXT] = '\0';
}

int
bech32_parse_identity(uint8_t secret[static 32], struct view text, struct err *err)
{
	if (text.size > 0 && text.data[0] != 'A')
		return err_set(
		    err, ERR_MALFORMED, "not an identity: those begin with AGE-SECRET-KEY-1");
	return bech32_decode(secret, 32, "age-secret-key-", text, err);
}
