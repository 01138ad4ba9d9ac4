#ifndef DALIL_PROTO_INVITE_H
#define DALIL_PROTO_INVITE_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: how two nodes are paired (design section 6, formats "invite"): a line that one side
 * makes, the reply of the other, and the fingerprint that both read aloud.
 *
 * An invite holds a pre-shared key: the line is a secret until the pairing is done, so it and
 * struct invite belong in wiped memory (invite_wipe).  A reply is not secret.
 * Lines come without a newline.  Times are milliseconds since 1970; that one has not expired
 * is the caller's to see to, who knows the time.
 * Errors: ERR_MALFORMED, ERR_REFUSED (a transport key of low order), ERR_FORGED (the MAC).
 */

#define INVITE_KEY 32
#define INVITE_ADDRESS_MAX 320 /* "[" 255 "]:" 65535, or unix: and a path */
#define INVITE_LINE_MAX 1024
#define INVITE_FINGERPRINT 20 /* "cc5d-3bc8-d309-f383" and a zero byte */

struct invite {
	uint8_t organisation[HASH_SIZE];
	uint8_t transport[INVITE_KEY]; /* X25519 */
	uint8_t psk[INVITE_KEY];
	uint64_t expiry;
	char address[INVITE_ADDRESS_MAX + 1]; /* HOST:PORT, or empty: to be reached it must dial */
};

struct invite_reply {
	uint8_t organisation[HASH_SIZE];
	uint8_t transport[INVITE_KEY];
	uint64_t expiry; /* the invite's */
	char address[INVITE_ADDRESS_MAX + 1];
};

void invite_wipe(struct invite *invite);

/* Append the line to ${out}, which should be secret and hold INVITE_LINE_MAX. */
int invite_encode(const struct invite *invite, struct buffer *out, struct err *err);
int invite_parse(struct invite *invite, struct view line, struct err *err);

/* A reply to the invite whose line is ${invite_line} and whose key is ${psk}. */
int invite_reply_encode(const struct invite_reply *reply, struct view invite_line,
    const uint8_t psk[static INVITE_KEY], struct buffer *out, struct err *err);
/* Parses, and checks the MAC: the reply answers this invite, by someone who has its key. */
int invite_reply_parse(struct invite_reply *reply, struct view line, struct view invite_line,
    const uint8_t psk[static INVITE_KEY], struct err *err);

/* First 64 bits of SHA-256("dalil fingerprint v1\n" ‖ H(invite line) ‖ H(reply line)). */
void invite_fingerprint(
    char text[static INVITE_FINGERPRINT], struct view invite_line, struct view reply_line);

/* HOST:PORT, [V6]:PORT or unix:PATH in printable ASCII; empty where ${may_be_empty}. */
int invite_check_address(struct view address, bool may_be_empty, struct err *err);

#endif
