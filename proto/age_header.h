#ifndef DALIL_PROTO_AGE_HEADER_H
#define DALIL_PROTO_AGE_HEADER_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: the header of an age v1 file (C2SP age): parsed by its grammar with stanzas of any type,
 * opened with an X25519 identity or a passphrase, and written with X25519 stanzas, the only ones
 * that dalil makes (design section 4).
 *
 * Ownership: a parsed header is views into the caller's bytes.  An identity is heap memory of
 * sodium_malloc.  File keys are the caller's to wipe.
 * Threads: pure; an identity may be shared by readers.
 */

#define AGE_FILE_KEY 16
#define AGE_X25519 32
#define AGE_BODY 32            /* a wrapped file key: 16 and a tag */
#define AGE_ARGUMENTS_MAX 8    /* kept of a stanza; more are counted, and checked */
#define AGE_STANZAS_MAX 2048   /* as a grant */
#define AGE_HEADER_MAX 262144  /* bytes, as a part: design section 7 */
#define AGE_WORK_FACTOR_MAX 22 /* log2 N of scrypt that is tried, as Go's age */

struct age_stanza {
	struct view type;
	struct view arguments[AGE_ARGUMENTS_MAX];
	size_t argument_count;
	struct view body; /* base64 lines with their newlines */
};

struct age_header {
	struct view bytes;   /* the whole header with its last newline: the file's nonce follows */
	struct view stanzas; /* for age_stanza_next */
	uint32_t stanza_count;
	struct view covered; /* what the MAC covers */
	uint8_t mac[HASH_SIZE];
};

/*
 * ${bytes} begin with the header; header->bytes says where it ends.  ERR_MALFORMED, and ERR_LIMIT
 * for more than design section 7 allows.
 */
int age_header_parse(struct age_header *header, struct view bytes, struct err *err);
/* Take the next stanza off ${rest}, a copy of header->stanzas; false at the end. */
bool age_stanza_next(struct view *rest, struct age_stanza *stanza);

/* A reader's key pair, with its public half computed once. */
struct age_identity {
	uint8_t secret[AGE_X25519];
	uint8_t recipient[AGE_X25519];
};

struct age_identity *age_identity_new(const uint8_t secret[static AGE_X25519]);
void age_identity_free(struct age_identity *identity);

/*
 * The file key, for an identity.  ERR_REFUSED if no stanza opens with it, ERR_MALFORMED for an X25519
 * stanza that is none, ERR_FORGED if the MAC does not hold; the key is then zeros.
 */
int age_header_open(uint8_t file_key[static AGE_FILE_KEY], const struct age_header *header,
    const struct age_identity *identity, struct err *err);
/* The same, of a file whose only stanza is scrypt's: other people's files. */
int age_header_open_passphrase(uint8_t file_key[static AGE_FILE_KEY],
    const struct age_header *header, struct view passphrase, struct err *err);

/* An X25519 stanza to be written, or read with age_stanza_x25519. */
struct age_x25519 {
	uint8_t share[AGE_X25519];
	uint8_t body[AGE_BODY];
};

/* ERR_MALFORMED unless ${stanza}, whose type is X25519, has the one right form. */
int age_stanza_x25519(struct age_x25519 *x25519, const struct age_stanza *stanza, struct err *err);
/* Wrap ${file_key} for ${recipient}.  ERR_REFUSED for a recipient of low order. */
int age_x25519_wrap(struct age_x25519 *x25519, const uint8_t file_key[static AGE_FILE_KEY],
    const uint8_t recipient[static AGE_X25519], const uint8_t ephemeral[static AGE_X25519]);
/* Append a header of ${count} stanzas in their order. */
void age_header_write(struct buffer *out, const struct age_x25519 *stanzas, size_t count,
    const uint8_t file_key[static AGE_FILE_KEY]);
/* The bytes that age_header_write appends. */
size_t age_header_size(size_t count);

#endif
