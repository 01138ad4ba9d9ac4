#ifndef DALIL_PROTO_RECORD_H
#define DALIL_PROTO_RECORD_H

#include "proto/charter_record.h"
#include "proto/deposit.h"
#include "proto/field.h"
#include "proto/grant_record.h"
#include "proto/later.h"
#include "proto/share.h"

/*
 * Purpose: a record, one signed entry of a log (design 5.2): [ "dalil/1", log, kind, body, key,
 * signature ], canonical msgpack, at most 65,535 bytes.  Its id is its leaf hash.
 *
 * record_parse judges a record on its own: form, kind, shape of the body.  Whether ${key} may sign for
 * ${log} is the charter's to say (proto/judge.h); that the signature holds, record_verify's.
 *
 * Ownership: struct record views the bytes it was read from.  Any thread.
 */

#define RECORD_MAX 65535
#define RECORD_KEY 32
#define RECORD_SECRET 64 /* libsodium's Ed25519 secret key: seed and public key */
#define RECORD_SIGNATURE 64
#define RECORD_SUITE "dalil/1"

enum record_kind {
	RECORD_CHARTER,
	RECORD_DEPOSIT,
	RECORD_GRANT,
	RECORD_SHARE,
	RECORD_ENDORSE,
	RECORD_CUSTODY,
	RECORD_ANNOTATE,
	RECORD_WITHDRAW,
	RECORD_COUNTERMAND,
	RECORD_TIMESTAMP,
	RECORD_FREEZE
};
#define RECORD_KIND_COUNT 11

struct record {
	struct view bytes;
	const uint8_t *log; /* HASH_SIZE: SHA-256 of the log's vkey */
	enum record_kind kind;
	struct view body;
	const uint8_t *key;       /* RECORD_KEY */
	const uint8_t *signature; /* RECORD_SIGNATURE */
	size_t signed_size;       /* of ${bytes}: up to where the signature begins */
	union {
		struct charter_record charter;
		struct deposit deposit;
		struct grant_record grant;
		struct share share;
		struct later later; /* every other kind */
	} as;
};

const char *record_kind_name(enum record_kind kind);
/* Views into ${bytes}.  ERR_MALFORMED, ERR_LIMIT. */
int record_parse(struct record *record, struct view bytes, struct err *err);
/* ERR_FORGED unless the signature over it holds by its key; ERR_REFUSED for a key of no use. */
int record_verify(const struct record *record, struct err *err);
/*
 * The same by a key that has been checked before, as a log's record key is with its enrol: checking
 * a key costs as much as a signature.  The caller has compared record->key with it.
 */
int record_verify_known(const struct record *record, struct err *err);
void record_id(uint8_t id[static HASH_SIZE], struct view bytes);
/*
 * Append a signed record around ${body}, made by one of the kinds' own pack functions.
 * ERR_LIMIT over 65,535 bytes.
 */
int record_sign(struct buffer *out, const uint8_t log[static HASH_SIZE], enum record_kind kind,
    struct view body, const uint8_t secret[static RECORD_SECRET], struct err *err);
/* The body's parts; of a kind that has none, all absent. */
struct parts record_parts(const struct record *record);
/* The signer's claimed time in milliseconds; false for a charter, whose statement has its own. */
bool record_time(const struct record *record, uint64_t *time);
/* Claims root and kind of fields of a record that has claims, else NULL. */
const uint8_t *record_claims(const struct record *record, enum field_kind *kind);

#endif
