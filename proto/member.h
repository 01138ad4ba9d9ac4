#ifndef DALIL_PROTO_MEMBER_H
#define DALIL_PROTO_MEMBER_H

#include "proto/charter.h"

/*
 * Purpose: the claim `member` of a record: [name, salt, key, signature] of a person whom the
 * organisation's charter names by a salted digest only (design 5.3).  The signature covers
 * "dalil member v1\n" and canonical([log, kind, subject, time]).
 *
 * A parsed one holds views.  Threads: nothing is shared.
 */

#define MEMBER_TAG "dalil member v1\n"

struct member {
	struct view name;
	const uint8_t *salt;      /* STATEMENT_SALT */
	const uint8_t *key;       /* Ed25519 */
	const uint8_t *signature; /* STATEMENT_SIGNATURE */
};

/* What the member says something about: a record of that kind, in that log, at that time. */
struct member_about {
	const uint8_t *log;  /* HASH_SIZE */
	const char *kind;    /* as in the record */
	struct view subject; /* canonical: see member_subject_deposit; else what formats say */
	uint64_t time;       /* ms, of the record */
};

/* 0 or ERR_MALFORMED. */
int member_parse(struct member *member, struct view value, struct err *err);

/* The subject of a deposit: [payload root, sha256 of the file]. */
void member_subject_deposit(struct buffer *out, const uint8_t root[static HASH_SIZE],
    const uint8_t sha256[static HASH_SIZE]);

/* Append what the signature covers after the tag. */
void member_message(struct buffer *out, const struct member_about *about);

/*
 * ERR_REFUSED unless the charter names the member and has not ended it; ERR_FORGED unless the
 * signature holds.
 */
int member_check(const struct member *member, const struct member_about *about,
    const struct charter *charter, struct err *err);

#endif
