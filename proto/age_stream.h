#ifndef DALIL_PROTO_AGE_STREAM_H
#define DALIL_PROTO_AGE_STREAM_H

#include "proto/aead.h"
#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: STREAM, the payload of an age v1 file: chunks of 64 KiB, each ChaCha20-Poly1305 under the
 * payload key with a nonce of its number and whether it is the last (design 5.1).
 *
 * Threads: chunks are independent: each thread has its own AEAD context, keyed with the payload key.
 */

#define AGE_CHUNK 65536
#define AGE_SEALED_CHUNK (AGE_CHUNK + AEAD_TAG)
#define AGE_STREAM_NONCE 16

/* HKDF-SHA-256(file key, salt = nonce, info = "payload"). */
void age_stream_key(uint8_t payload_key[static AEAD_KEY], const uint8_t file_key[static 16],
    const uint8_t nonce[static AGE_STREAM_NONCE]);

/* ${out} takes plain.size + 16 bytes; only the last chunk may be short. */
int age_chunk_seal(struct aead *aead, uint8_t *out, uint64_t chunk, bool last, struct view plain);
/*
 * ${out} takes sealed.size - 16 bytes.  ERR_FORGED, after which ${out} holds zeros.  ERR_MALFORMED
 * for a size that cannot be: short but not last, or empty and not the first.
 */
int age_chunk_open(struct aead *aead, uint8_t *out, uint64_t chunk, bool last, struct view sealed,
    struct err *err);

/* Reading a stream whose length is not known beforehand: other people's age files. */
struct age_stream {
	struct aead *aead; /* the caller's, keyed */
	uint64_t chunk;
	bool ended; /* the last chunk has been opened */
};

void age_stream_init(struct age_stream *stream, struct aead *aead);
/*
 * Open the next chunk into ${out} (room for 64 KiB; not sealed.data): ${sealed} is 65,552 bytes, or
 * fewer where the file ends.  ${size} is set to the plaintext's bytes.  A chunk after the last one is
 * ERR_MALFORMED.
 */
int age_stream_next(
    struct age_stream *stream, uint8_t *out, size_t *size, struct view sealed, struct err *err);
/* ERR_MALFORMED if the stream ended without its last chunk. */
int age_stream_end(const struct age_stream *stream, struct err *err);

#endif
