#ifndef DALIL_PROTO_AEAD_H
#define DALIL_PROTO_AEAD_H

#include "proto/bytes.h"

/*
 * Purpose: ChaCha20-Poly1305 (RFC 8439).  Bulk bytes go through libcrypto, which
 * has twice libsodium's speed there (design section 4); a context keeps its key
 * schedule between calls.  XChaCha20-Poly1305 for parts and key files is
 * libsodium's, where it is needed.
 *
 * Shapes: key 32 bytes, nonce 12, tag 16 after the ciphertext.
 * Threads: a context belongs to one thread at a time.
 */

#define AEAD_KEY 32
#define AEAD_NONCE 12
#define AEAD_TAG 16

struct aead; /* one key's reusable context; wiped when freed */

struct aead *aead_new(void);
void aead_free(struct aead *aead);
int aead_key(struct aead *aead, const uint8_t key[static AEAD_KEY]);

/* ${out} takes plain.size + 16 bytes; it may be plain.data itself. 0 or ERR_MEMORY. */
int aead_seal(struct aead *aead, uint8_t *out, const uint8_t nonce[static AEAD_NONCE],
    struct view plain, struct view associated);

/*
 * ${out} takes sealed.size - 16 bytes; it may be sealed.data itself.
 * 0, or ERR_FORGED, after which ${out} holds zeros: nothing unauthenticated is released.
 */
int aead_open(struct aead *aead, uint8_t *out, const uint8_t nonce[static AEAD_NONCE],
    struct view sealed, struct view associated);

#endif
