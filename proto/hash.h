#ifndef DALIL_PROTO_HASH_H
#define DALIL_PROTO_HASH_H

#include "proto/bytes.h"

/*
 * Purpose: SHA-256 in one call and in pieces, HMAC and HKDF over it, and SHA-512
 * in pieces.  libcrypto is used for SHA-256 because it knows the CPU's SHA
 * instructions (design section 4); the digest is fetched once per context and
 * contexts are meant to be reused, for a fetch costs more than a short hash.
 *
 * Failure: libcrypto fails here only when memory is gone; hash_new returns NULL
 * then, and the one-call functions, which could otherwise report success over a
 * digest that is not one, abort.
 *
 * Threads: a context belongs to one thread at a time.  The one-call functions
 * keep one context per thread; a thread that ends before the process calls hash_thread_end.
 */

struct hash; /* a reusable context */

struct hash *hash_new(void);
struct hash *hash_new_sha512(void);
void hash_free(struct hash *hash);
/* Start over; a new context is started already. */
void hash_start(struct hash *hash);
void hash_update(struct hash *hash, struct view bytes);
/* Writes 32 bytes (64 for SHA-512). The context must be started again before reuse. */
void hash_finish(struct hash *hash, uint8_t *digest);

/* Free what the one-call functions keep for this thread. */
void hash_thread_end(void);

void hash_sha256(uint8_t digest[static HASH_SIZE], struct view bytes);
/* Over the concatenation of ${count} views. */
void hash_sha256_of(uint8_t digest[static HASH_SIZE], const struct view *views, size_t count);

void
hash_hmac(uint8_t mac[static HASH_SIZE], struct view key, const struct view *views, size_t count);

/* HKDF-SHA-256 (RFC 5869): ${size} at most 64 here. */
void hash_hkdf(uint8_t *out, size_t size, struct view key, struct view salt, struct view info);

#endif
