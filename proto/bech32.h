#ifndef DALIL_PROTO_BECH32_H
#define DALIL_PROTO_BECH32_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: Bech32 (BIP 173, without its limit of 90 characters) as age writes keys: recipients are
 * `age1...`, identities `AGE-SECRET-KEY-1...`.
 *
 * Threads: pure.  Secrets: what is written to or read from an identity's text is the caller's to
 * wipe and should stand in sodium_malloc memory; nothing is left behind here.
 */

#define BECH32_DATA_MAX 64       /* bytes */
#define BECH32_RECIPIENT_TEXT 62 /* characters of age1... */
#define BECH32_IDENTITY_TEXT 74  /* characters of AGE-SECRET-KEY-1... */

/* Append the lower-case text of up to 64 ${bytes}; ${prefix} is lower case. */
void bech32_encode(struct buffer *out, const char *prefix, struct view bytes);
/*
 * The ${size} bytes (up to 64) that ${text} holds under ${prefix} (lower case); all upper or all
 * lower case is accepted.  ERR_MALFORMED for anything else.
 */
int
bech32_decode(uint8_t *bytes, size_t size, const char *prefix, struct view text, struct err *err);

/* An X25519 public key as age1..., with a final NUL. */
void
bech32_recipient(char text[static BECH32_RECIPIENT_TEXT + 1], const uint8_t recipient[static 32]);
/* Lower case only, as age itself; a key of low order is ERR_REFUSED. */
int bech32_parse_recipient(uint8_t recipient[static 32], struct view text, struct err *err);

/* An X25519 secret key as AGE-SECRET-KEY-1..., with a final NUL. */
void bech32_identity(char text[static BECH32_IDENTITY_TEXT + 1], const uint8_t secret[static 32]);
/* Upper case only. */
int bech32_parse_identity(uint8_t secret[static 32], struct view text, struct err *err);

#endif
