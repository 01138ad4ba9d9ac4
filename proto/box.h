#ifndef DALIL_PROTO_BOX_H
#define DALIL_PROTO_BOX_H

#include "proto/age_header.h"
#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: the encrypted parts `sealed` (for readers) and `vault` (for the organisation itself) of
 * design 5.2, formats "Boxes": nonce (24) and XChaCha20-Poly1305 box over u32 length, msgpack and
 * zeros; the whole part, the vault's age header included, is a multiple of 1,024 bytes.
 *
 * What the msgpack says is not looked at here.  Opened values are appended to a buffer of
 * buffer_init_secret with limit BOX_VALUE_MAX: they hold seeds and file keys.
 */

#define BOX_NONCE 24
#define BOX_SALT 16
#define BOX_PART_MAX 262144 /* design section 7 */
#define BOX_VALUE_MAX BOX_PART_MAX

/*
 * Append the part `sealed`.  ${salt} is the payload nonce, or NULL where a record has no payload.
 * ${nonce} is random, never used twice.  ERR_LIMIT if the part would be over 256 KiB.
 */
int box_seal(struct buffer *out, const uint8_t file_key[static AGE_FILE_KEY], const uint8_t *salt,
    const uint8_t nonce[static BOX_NONCE], struct view value, struct err *err);
/* Append the value.  ERR_FORGED if it does not open, ERR_MALFORMED for a wrong form within. */
int box_open(struct buffer *value, const uint8_t file_key[static AGE_FILE_KEY], const uint8_t *salt,
    struct view part, struct err *err);

/*
 * The writing side of a vault: one run key, wrapped once for the vault's recipient, so that a run
 * costs one public-key operation and not one per file.  In sodium_malloc memory, to be freed when
 * the run ends, after an hour at most.  Threads: read-only once made.
 */
struct vault_writer;

/* NULL for a recipient of low order or without memory. */
struct vault_writer *vault_writer_new(const uint8_t recipient[static AGE_X25519],
    const uint8_t run_key[static AGE_FILE_KEY], const uint8_t ephemeral[static AGE_X25519]);
void vault_writer_free(struct vault_writer *writer);
/* Append the part `vault`. */
int vault_seal(struct buffer *out, const struct vault_writer *writer,
    const uint8_t nonce[static BOX_NONCE], struct view value, struct err *err);

/*
 * The reading side: remembers the run keys it has opened last, by their whole headers, so that
 * reading 20,000 files of a run costs one public-key operation.  In sodium_malloc memory; one
 * thread at a time.  ${identity} is the caller's and must outlive it.
 */
struct vault_reader;

struct vault_reader *vault_reader_new(const struct age_identity *identity);
void vault_reader_free(struct vault_reader *reader);
/*
 * Append the value.  ERR_REFUSED if the part is for another vault, ERR_FORGED, ERR_MALFORMED.
 */
int
vault_open(struct buffer *value, struct vault_reader *reader, struct view part, struct err *err);

#endif
