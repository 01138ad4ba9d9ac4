#ifndef DALIL_PROTO_STATEMENT_H
#define DALIL_PROTO_STATEMENT_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: one statement of an organisation's charter (design 5.5):
 * [ "dalil/1", "charter", seq, previous, time, [kind, fields], [[key, signature]...] ].
 *
 * The hash is SHA-256 over the first six as an array of six; signatures cover
 * "dalil charter v1\n" and the same bytes.  A statement that still wants signatures has the same
 * form with fewer of them: that is what `charter enrol`, `charter sign` and `init --join` hand on
 * (proto/statement_file.h).  Whether the keys that signed are entitled is the charter's to judge
 * (proto/charter.h).
 *
 * Ownership: a parsed statement is a view: every pointer in it points into the bytes that were
 * parsed and dies with them.
 * Threads: nothing is shared.
 */

#define STATEMENT_SUITE "dalil/1"
#define STATEMENT_TAG "dalil charter v1\n"
#define STATEMENT_KEY 32
#define STATEMENT_SIGNATURE 64
#define STATEMENT_SALT 16
#define STATEMENT_KEYS_MAX 32                             /* formats "Charter" */
#define STATEMENT_SIGNATURES_MAX (STATEMENT_KEYS_MAX + 4) /* root keys and a node's four */
/* What fits the record that carries it: 65,535 bytes but for the 165 around the statement. */
#define STATEMENT_MAX 65370

enum statement_kind {
	STATEMENT_FOUND,
	STATEMENT_VAULT,
	STATEMENT_ENROL,
	STATEMENT_MEMBER,
	STATEMENT_RETIRE,
	STATEMENT_REVOKE,
	STATEMENT_ROTATE
};

/* Keys or digests of 32 bytes, ascending. */
struct statement_keys {
	unsigned count; /* 1 to 32 */
	const uint8_t *keys[STATEMENT_KEYS_MAX];
};

/* Of found and rotate: who signs from now on, and whose keys are promised. */
struct statement_roots {
	struct statement_keys keys;
	uint64_t threshold;         /* 1 to keys.count */
	struct statement_keys next; /* SHA-256 of each promised key */
	uint64_t next_threshold;    /* 1 to next.count */
};

/* The public keys of a node, in the order of the alphabet: 32 bytes each. */
struct statement_enrol {
	struct view country; /* two capital letters, or empty where not said */
	const uint8_t *inbox;
	const uint8_t *log;
	const uint8_t *mirror;
	struct view name;
	struct view origin;
	const uint8_t *record;
	const uint8_t *transport;
	const uint8_t *witness;
};

/* Of retire and revoke: either a node, by its log id, with last-good, or a member, by its digest. */
struct statement_end {
	const uint8_t *node;   /* NULL where it is a member */
	const uint8_t *member; /* NULL where it is a node */
	uint64_t size;         /* last-good of a node */
	const uint8_t *root;
	struct view reason;
};

struct statement_signature {
	const uint8_t *key;
	const uint8_t *signature;
};

struct statement {
	struct view bytes;  /* all of it */
	size_t signed_size; /* bytes before the signatures */
	uint8_t hash[HASH_SIZE];
	uint64_t seq;
	const uint8_t *previous;
	uint64_t time; /* ms since 1970, as claimed */
	enum statement_kind kind;
	struct view name;             /* found: the organisation's */
	struct statement_roots roots; /* found, rotate */
	const uint8_t *recipient;     /* vault: an X25519 key */
	struct statement_enrol enrol; /* enrol */
	const uint8_t *digest;        /* member */
	struct statement_end end;     /* retire, revoke */
	unsigned signature_count;
	struct statement_signature signatures[STATEMENT_SIGNATURES_MAX];
};

/* "found", "vault"... */
const char *statement_kind_name(enum statement_kind kind);

/*
 * Views of ${bytes}, whose shape and keys are checked: signatures in order, no key refused
 * (formats "Keys").  ERR_MALFORMED, or ERR_LIMIT above STATEMENT_MAX.  Signatures are not verified.
 */
int statement_parse(struct statement *statement, struct view bytes, struct err *err);

/* Append what the hash is over, and signatures after STATEMENT_TAG: the first six elements. */
void statement_message(struct buffer *message, const struct statement *statement);

/* Verify every signature that the statement carries. 0 or ERR_FORGED. */
int statement_verify(const struct statement *statement, struct err *err);

bool
statement_signed_by(const struct statement *statement, const uint8_t key[static STATEMENT_KEY]);

/*
 * Append a statement without signatures, made of seq, previous, time, kind and the fields that
 * belong to the kind; everything else in ${draft} is ignored.  ERR_MALFORMED if statement_parse
 * would refuse the result.
 */
int statement_encode(struct buffer *out, const struct statement *draft, struct err *err);

/*
 * Append the same statement with one more signature.  ${seed} is the 32-byte Ed25519 seed, in
 * locked memory; a signature of that key that is there already is replaced.
 */
int statement_sign(struct buffer *out, const struct statement *statement,
    const uint8_t seed[static 32], struct err *err);

/* Append the statement with the signatures of both; ERR_REFUSED unless the hashes are equal. */
int statement_merge(struct buffer *out, const struct statement *first,
    const struct statement *second, struct err *err);

/*
 * What stands for a member in the charter: SHA-256(canonical([salt, name, key])) (formats
 * "Shapes").  0, ERR_LIMIT for a name that no statement could hold, ERR_MEMORY.
 */
int
statement_member_digest(uint8_t digest[static HASH_SIZE], const uint8_t salt[static STATEMENT_SALT],
    struct view name, const uint8_t key[static STATEMENT_KEY]);

#endif
