#ifndef DALIL_PROTO_AGE_BASE64_H
#define DALIL_PROTO_AGE_BASE64_H

#include "proto/age_header.h"

/* Purpose: what age_header.c (the grammar) and age_stanza.c (the keys) share; nobody else's. */

#define AGE_BASE64_MAX 48 /* bytes: a line of 64 characters */
#define AGE_BASE64_32 43  /* characters of 32 bytes */

/* Exactly ${size} bytes (up to 48) in canonical base64 without padding. */
bool age_base64_decode(uint8_t *bytes, size_t size, struct view text);

/* HMAC over the header up to and with "---", under a key of the file key. */
void age_header_mac(uint8_t mac[static HASH_SIZE], const uint8_t file_key[static AGE_FILE_KEY],
    struct view covered);

#endif
