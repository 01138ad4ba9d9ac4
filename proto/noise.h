#ifndef DALIL_PROTO_NOISE_H
#define DALIL_PROTO_NOISE_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: the Noise handshake (Noise Protocol Framework, revision 34) for Curve25519,
 * ChaCha20-Poly1305 and SHA-256.  The transport of design section 6 is NOISE_DALIL; the
 * other patterns are rows of the same table, so that public vectors exercise the same code.
 *
 * Shapes: keys, ephemerals and pre-shared keys are 32 bytes.  A handshake message is at most
 * NOISE_MESSAGE_MAX bytes.  The ephemeral secret is an argument of each noise_write and must
 * be fresh random bytes, used for one handshake (proto/ asks nobody for randomness).
 *
 * Ownership: a struct noise stands in its owner's memory, which should be sodium_malloc's; it
 * keeps copies of everything it is given but the name.  It holds secrets until noise_fini, which
 * every handshake ends in, done or not.
 *
 * Errors: ERR_FORGED (a tag does not hold), ERR_MALFORMED (too short, too long), ERR_REFUSED (a
 * key of low order, an unknown remote static key).  After any error the handshake is over.
 * Threads: none of its own.
 */

#define NOISE_DALIL "Noise_XKpsk3_25519_ChaChaPoly_SHA256"
#define NOISE_PROLOGUE "dalil/1\n"
#define NOISE_KEY 32
#define NOISE_TAG 16
#define NOISE_MESSAGE_MAX 65535
/* The messages of NOISE_DALIL with empty payloads. */
#define NOISE_DALIL_FIRST 48
#define NOISE_DALIL_SECOND 48
#define NOISE_DALIL_THIRD 64

enum noise_role { NOISE_INITIATOR, NOISE_RESPONDER };

/*
 * Finds the pre-shared key of the peer with the static key ${remote}, which has proved nothing
 * yet.  0 with ${psk} filled, or a negative err that ends the handshake.
 */
typedef int
noise_find_psk(void *cookie, const uint8_t remote[static NOISE_KEY], uint8_t psk[static NOISE_KEY]);

/* What is known beforehand; what the pattern does not use stays NULL. */
struct noise_keys {
	const uint8_t *secret;    /* own static secret */
	const uint8_t *remote;    /* the other side's static key, where the pattern wants it */
	const uint8_t *psk;       /* the pre-shared key, or: */
	noise_find_psk *find_psk; /* asked when the pattern mixes the key in */
	void *cookie;             /* for find_psk; must outlive the handshake */
};

struct noise_pattern;

struct noise {
	const struct noise_pattern *pattern;
	enum noise_role role;
	unsigned next; /* the message that comes next */
	int err;       /* sticks */
	bool keyed;    /* cipher_key holds a key */
	bool has_psk;  /* psk holds a key; else find_psk is asked */
	uint64_t nonce;
	uint8_t chaining_key[HASH_SIZE];
	uint8_t hash[HASH_SIZE];
	uint8_t cipher_key[NOISE_KEY];
	uint8_t secret[NOISE_KEY], static_key[NOISE_KEY];
	uint8_t ephemeral_secret[NOISE_KEY], ephemeral_key[NOISE_KEY];
	uint8_t remote[NOISE_KEY], remote_ephemeral[NOISE_KEY];
	uint8_t psk[NOISE_KEY];
	noise_find_psk *find_psk;
	void *cookie;
};

/* What a finished handshake gives; secret: the owner wipes it. */
struct noise_result {
	uint8_t send[NOISE_KEY];
	uint8_t receive[NOISE_KEY];
	uint8_t chaining_key[HASH_SIZE]; /* where the rotation of frame.h begins (BOLT 8) */
	uint8_t hash[HASH_SIZE];         /* binds to this very handshake; not secret */
	uint8_t remote[NOISE_KEY];       /* the other side's static key; zeros if it has none */
};

/*
 * Begin a handshake by its full ${protocol} name.  ERR_USAGE if the table does not hold the
 * name, or a key that its pattern needs is missing; ERR_REFUSED if a key given is of low order.
 */
int noise_init(struct noise *noise, const char *protocol, enum noise_role role,
    struct view prologue, const struct noise_keys *keys, struct err *err);
void noise_fini(struct noise *noise);

/* The next message is ours to write, the other side's to read; or all have been exchanged. */
bool noise_writes(const struct noise *noise);
bool noise_done(const struct noise *noise);

/*
 * Append the next message, which carries ${payload}, to ${out}.  ${ephemeral}: 32 fresh random
 * bytes; the initiator's second message ignores them where its pattern has no `e`.
 */
int noise_write(struct noise *noise, const uint8_t ephemeral[static NOISE_KEY], struct view payload,
    struct buffer *out, struct err *err);

/* Read the other side's next message and append its payload to ${payload}. */
int noise_read(struct noise *noise, struct view message, struct buffer *payload, struct err *err);

/* The keys of the transport, once noise_done.  One-way patterns: the initiator's sends only. */
int noise_split(const struct noise *noise, struct noise_result *result, struct err *err);

/* How many patterns the table expresses, and the name of one (static text). */
unsigned noise_pattern_count(void);
const char *noise_pattern_name(unsigned index);

/* The public key of a secret one; ERR_REFUSED for a key of low order. */
int noise_public_key(uint8_t key[static NOISE_KEY], const uint8_t secret[static NOISE_KEY]);

#endif
