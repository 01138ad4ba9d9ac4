#ifndef DALIL_PROTO_FRAME_H
#define DALIL_PROTO_FRAME_H

#include "proto/aead.h"
#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: messages over an encrypted stream (design section 6).  A frame is, as in BOLT 8,
 * AEAD(u16 length) ‖ AEAD(body), body 1 to 65,535 bytes, nonce = 4 zero bytes ‖ u64
 * little-endian counter; after 1,000 uses of a key (500 frames) both key and chaining key come
 * anew from HKDF-SHA-256(salt = chaining key, key), and the counter starts over.  A message is
 * u32 length ‖ bytes, cut into frames of 65,535 bytes of which only the last may be shorter; it
 * begins a frame and ends one, and is 1 to FRAME_MESSAGE_MAX bytes long.
 *
 * Memory: the reader's grows with the bytes that have arrived, never with a length that was
 * only declared; at most one message and one frame.  The writer has none.
 * Secrets: keys live in sodium_malloc memory; bodies do not.
 * Errors: ERR_FORGED, ERR_MALFORMED, ERR_LIMIT, ERR_MEMORY; they stick: the stream is over.
 * Threads: one at a time per reader, and per writer; a reader and a writer are independent.
 */

#define FRAME_BODY_MAX 65535u
#define FRAME_HEAD (2 + AEAD_TAG)
#define FRAME_OVERHEAD (FRAME_HEAD + AEAD_TAG)
#define FRAME_ROTATION 1000u
#define FRAME_MESSAGE_MAX 1114112u
#define FRAME_KEY 32

/* Bytes on the wire of a message of ${size} bytes. */
size_t frame_sealed_size(size_t size);

struct frame_writer;

/* NULL without memory.  ${key} and ${chaining_key} come from noise_split. */
struct frame_writer *
frame_writer_new(const uint8_t key[static FRAME_KEY], const uint8_t chaining_key[static HASH_SIZE]);
void frame_writer_free(struct frame_writer *writer);

/*
 * Seal the message that is the concatenation of ${count} ${pieces} into ${out}, which takes
 * frame_sealed_size of their sum.
 */
int frame_seal(struct frame_writer *writer, uint8_t *out, const struct view *pieces, size_t count);
/* One bare frame with ${body}, at most FRAME_BODY_MAX; ${out} takes body.size + FRAME_OVERHEAD. */
int frame_seal_body(struct frame_writer *writer, uint8_t *out, struct view body);

struct frame_reader;

struct frame_reader *
frame_reader_new(const uint8_t key[static FRAME_KEY], const uint8_t chaining_key[static HASH_SIZE]);
void frame_reader_free(struct frame_reader *reader);

/*
 * Take bytes from the front of ${bytes}, whatever pieces the stream came in, up to the end of
 * the next message.  Returns 1 with ${message} set (a view that lives until the next call), 0
 * when all bytes are taken and no message is whole yet, or a negative err.
 */
int
frame_feed(struct frame_reader *reader, struct view *bytes, struct view *message, struct err *err);

/*
 * After frame_feed has returned 1: hand over the memory that ${message} views, to be given to
 * free(); the view stays good.  NULL if frame_feed was called since.
 */
void *frame_reader_take(struct frame_reader *reader);

/* Bytes of memory that the reader holds now, for the owner's accounts. */
size_t frame_reader_held(const struct frame_reader *reader);
/* A message has begun and is not whole: bytes are owed. */
bool frame_reader_midway(const struct frame_reader *reader);

#endif
