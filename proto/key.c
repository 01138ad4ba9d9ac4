/* Ed25519 and X25519 through libsodium, with the tag put before the message. */
#include "proto/key.h"

#include <stdlib.h>

#include <sodium.h>

/* Tag and message up to this size are joined on the stack: records mostly are. */
#define JOIN_ON_STACK 4096

bool
key_ed25519_valid(const uint8_t key[static KEY_SIZE])
{
	return crypto_core_ed25519_is_valid_point(key) == 1;
}

/* libsodium's scalar multiplication fails exactly on the shares of low order. */
bool
key_x25519_valid(const uint8_t key[static KEY_SIZE])
{
	static const uint8_t scalar[crypto_scalarmult_SCALARBYTES] = {8};
	uint8_t shared[crypto_scalarmult_BYTES];

	return crypto_scalarmult(shared, scalar, key) == 0;
}

int
key_ed25519_check(const uint8_t key[static KEY_SIZE], const char *what, struct err *err)
{
	if (key_ed25519_valid(key))
		return 0;
	return err_set(err, ERR_REFUSED,
	    "%s is no Ed25519 key: of small order or not canonical (design 4)", what);
}

int
key_x25519_check(const uint8_t key[static KEY_SIZE], const char *what, struct err *err)
{
	if (key_x25519_valid(key))
		return 0;
	return err_set(err, ERR_REFUSED, "%s is no X25519 key: of low order (design 4)", what);
}

void
key_ed25519_public(uint8_t key[static KEY_SIZE], const uint8_t seed[static KEY_SEED])
{
	uint8_t secret[crypto_sign_SECRETKEYBYTES];

	(void)crypto_sign_seed_keypair(key, secret, seed);
	sodium_memzero(secret, sizeof(secret));
}

void
key_x25519_public(uint8_t key[static KEY_SIZE], const uint8_t secret[static KEY_SEED])
{
	(void)crypto_scalarmult_base(key, secret);
}

/* tag ‖ message in ${stack} or on the heap; NULL without memory. */
static uint8_t *
join(uint8_t stack[static JOIN_ON_STACK], const char *tag, struct view message, size_t *size)
{
	size_t length = strlen(tag);
	uint8_t *joined = stack;

	*size = length + message.size;
	if (*size > JOIN_ON_STACK)
		joined = malloc(*size);
	if (joined == NULL)
		return NULL;
	memcpy(joined, tag, length);
	if (message.size > 0)
		memcpy(joined + length, message.data, message.size);
	return joined;
}

int
key_sign(uint8_t signature[static KEY_SIGNATURE], const uint8_t seed[static KEY_SEED],
    const char *tag, struct view message)
{
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
	uint8_t key[KEY_SIZE];
	uint8_t stack[JOIN_ON_STACK];
	size_t size;
	uint8_t *joined = join(stack, tag, message, &size);

	if (joined == NULL)
		return ERR_MEMORY;
	(void)crypto_sign_seed_keypair(key, secret, seed);
	(void)crypto_sign_detached(signature, NULL, joined, size, secret);
	sodium_memzero(secret, sizeof(secret));
	if (joined != stack)
		free(joined);
	return 0;
}

int
key_verify(const uint8_t key[static KEY_SIZE], const uint8_t signature[static KEY_SIGNATURE],
    const char *tag, struct view message)
{
	uint8_t stack[JOIN_ON_STACK];
	size_t size;
	uint8_t *joined = join(stack, tag, message, &size);
	int result;

	if (joined == NULL)
		return ERR_MEMORY;
	result = crypto_sign_verify_detached(signature, joined, size, key);
	if (joined != stack)
		free(joined);
	return result == 0 ? 0 : ERR_FORGED;
}
