#ifndef DALIL_PROTO_KEY_H
#define DALIL_PROTO_KEY_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: Ed25519 and X25519 public keys from others, and Ed25519 signatures
 * under a tag (design section 4, formats "Keys").
 *
 * A key is 32 bytes and is checked once, when it is first seen: small-order and non-canonical
 * Ed25519 keys, and X25519 keys of low order, are refused.  A secret key is its 32-byte seed (RFC
 * 8032); the caller keeps it in sodium_malloc memory.  What is signed is tag ‖ message,
 * where the tag, such as "dalil record v1\n", says what kind of statement it is; "" for none.
 *
 * Threads: no state.  libsodium must have been initialised (sodium_init).
 */

#define KEY_SIZE 32
#define KEY_SEED 32
#define KEY_SIGNATURE 64

/* A canonical point of the prime-order group that is not of small order. */
bool key_ed25519_valid(const uint8_t key[static KEY_SIZE]);
/* A share with which every secret gives a secret. */
bool key_x25519_valid(const uint8_t key[static KEY_SIZE]);

/* The same as refusals: 0, or ERR_REFUSED with a text that names ${what}. */
int key_ed25519_check(const uint8_t key[static KEY_SIZE], const char *what, struct err *err);
int key_x25519_check(const uint8_t key[static KEY_SIZE], const char *what, struct err *err);

/* The public keys of secrets. */
void key_ed25519_public(uint8_t key[static KEY_SIZE], const uint8_t seed[static KEY_SEED]);
void key_x25519_public(uint8_t key[static KEY_SIZE], const uint8_t secret[static KEY_SEED]);

/* 0 or ERR_MEMORY. */
int key_sign(uint8_t signature[static KEY_SIGNATURE], const uint8_t seed[static KEY_SEED],
    const char *tag, struct view message);

/* 0, ERR_FORGED or ERR_MEMORY.  ${key} has passed key_ed25519_valid before. */
int key_verify(const uint8_t key[static KEY_SIZE], const uint8_t signature[static KEY_SIGNATURE],
    const char *tag, struct view message);

#endif
