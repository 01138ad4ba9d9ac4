#ifndef DALIL_PROTO_VAULT_H
#define DALIL_PROTO_VAULT_H

#include "proto/claims.h"

/*
 * Purpose: what the part `vault` tells the organisation itself, once proto/box.h has opened it:
 * {fields, file-key, reader-seed, readers, vault-seed}; in a `grant` record {readers} (formats
 * "Shapes").  A parsed one views the opened bytes, which hold secrets.
 */

#define VAULT_FILE_KEY 16
#define VAULT_READERS_MAX 2048

struct vault {
	struct fields fields;
	const uint8_t *file_key;    /* VAULT_FILE_KEY bytes */
	const uint8_t *reader_seed; /* CLAIMS_SEED */
	const uint8_t *vault_seed;  /* CLAIMS_SEED */
	struct view readers;        /* the msgpack array; vault_reader_next reads it */
	unsigned reader_count;
};

void vault_pack(struct buffer *out, const struct fields *fields,
    const uint8_t file_key[static VAULT_FILE_KEY], const uint8_t reader_seed[static CLAIMS_SEED],
    const uint8_t vault_seed[static CLAIMS_SEED], const uint8_t (*readers)[HASH_SIZE],
    unsigned reader_count);
int vault_parse(struct vault *vault, enum field_kind kind, struct view bytes, struct err *err);

/* The vault part of a `grant` record. */
void
vault_pack_readers(struct buffer *out, const uint8_t (*readers)[HASH_SIZE], unsigned reader_count);
/* Only readers and reader_count are set. */
int vault_parse_readers(struct vault *vault, struct view bytes, struct err *err);
/* Recipient number ${index}, below reader_count: 32 bytes. */
const uint8_t *vault_reader_at(const struct vault *vault, unsigned index);

#endif
