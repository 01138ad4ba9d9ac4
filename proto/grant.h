#ifndef DALIL_PROTO_GRANT_H
#define DALIL_PROTO_GRANT_H

#include "proto/age_header.h"
#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/random.h"

/*
 * Purpose: the part `grant` (design 5.2): an age header of X25519 stanzas only, shuffled and padded
 * with dummies to the next power of two, at least 2, so that it tells nobody who or how many read.
 *
 * Opened with age_header_open on the header that grant_parse gives.
 */

#define GRANT_STANZAS_MIN 2
#define GRANT_STANZAS_MAX 2048

/*
 * Append the grant of ${file_key} to ${count} recipients (0 to 2,048 public keys of 32 bytes).
 * ERR_REFUSED for a recipient of low order, ERR_LIMIT for too many, ERR_MEMORY.
 */
int grant_seal(struct buffer *out, const uint8_t file_key[static AGE_FILE_KEY],
    const uint8_t (*recipients)[AGE_X25519], size_t count, const struct random *random,
    struct err *err);

/* Views into ${part}.  ERR_MALFORMED, ERR_LIMIT. */
int grant_parse(struct age_header *header, struct view part, struct err *err);

/*
 * grant_parse and age_header_open in one: the file key, or ERR_REFUSED where ${identity} is not
 * among the readers.
 */
int grant_open(uint8_t file_key[static AGE_FILE_KEY], struct view part,
    const struct age_identity *identity, struct err *err);

#endif
