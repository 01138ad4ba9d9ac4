#ifndef DALIL_PROTO_CHARTER_H
#define DALIL_PROTO_CHARTER_H

#include "proto/statement.h"

/*
 * Purpose: the charter of one organisation (design 5.5): statements go in one by one, a verdict
 * comes out, and the chain answers who speaks for the organisation: its root keys, promised keys,
 * vault, nodes by log and by key, members.
 *
 * Judged are chains of all kinds.  A statement that competes with one already accepted is verified
 * and reported as CHARTER_DISPUTED, and changes nothing: the caller keeps both.
 *
 * Bounds (P7): at most CHARTER_STATEMENTS_MAX statements and CHARTER_BYTES_MAX bytes of them
 * without signatures; memory is a small multiple of that.
 * Ownership: the chain copies what it keeps; the pointers it gives out live until it is fed again
 * or freed.  Kept are hashes and state, not the statements' bytes: those are the caller's.
 * Threads: one at a time.
 */

#define CHARTER_STATEMENTS_MAX 4096
#define CHARTER_BYTES_MAX (1u << 20)
#define CHARTER_VKEY_SLACK 64 /* a vkey is its origin and at most this many characters more */

enum charter_verdict {
	CHARTER_ACCEPTED,
	CHARTER_KNOWN,   /* this statement is there already, perhaps with other signatures */
	CHARTER_DISPUTED /* valid, and competes with an accepted one: kept, not counted */
};

enum charter_state { CHARTER_IN_FORCE, CHARTER_RETIRED, CHARTER_REVOKED };

/* One enrolled node. Texts are NUL-terminated and hold no NUL; text from others: escape it. */
struct charter_node {
	uint8_t id[HASH_SIZE]; /* of its log: SHA-256(vkey) */
	uint8_t record[32];    /* Ed25519 */
	uint8_t log[32];       /* Ed25519 */
	uint8_t witness[32];   /* Ed25519 */
	uint8_t mirror[32];    /* Ed25519 */
	uint8_t transport[32]; /* X25519 */
	uint8_t inbox[32];     /* X25519 */
	const char *name;
	const char *origin;
	const char *vkey; /* of the log */
	char country[3];  /* "" where not said */
	uint64_t seq;     /* of its enrol */
	enum charter_state state;
	uint64_t end_seq;        /* of its retire or revoke, else 0 */
	uint64_t last_good_size; /* once it is not in force */
	uint8_t last_good_root[HASH_SIZE];
};

struct charter_roots {
	unsigned count;
	unsigned threshold;
	unsigned next_count;
	unsigned next_threshold;
	uint64_t seq; /* of the found or rotate that named them */
	uint8_t keys[STATEMENT_KEYS_MAX][STATEMENT_KEY];
	uint8_t next[STATEMENT_KEYS_MAX][HASH_SIZE];
};

struct charter;

struct charter *charter_new(void);
void charter_free(struct charter *charter);

/*
 * Judge one statement.  0 with a verdict, or what refuses it: ERR_MALFORMED, ERR_FORGED,
 * ERR_REFUSED (not entitled, a key that served...), ERR_UNKNOWN (statements before it are not
 * here), ERR_LIMIT, ERR_MEMORY.  A refused statement changes nothing.
 */
int charter_feed(
    struct charter *charter, struct view bytes, enum charter_verdict *verdict, struct err *err);
/* Same, of a statement already parsed. */
int charter_judge(struct charter *charter, const struct statement *statement,
    enum charter_verdict *verdict, struct err *err);

/*
 * The signatures that a statement still wants to be accepted next: 0 if none.  For half-signed
 * statements; what else may be wrong with it is for charter_judge to say.
 */
unsigned charter_wants(const struct charter *charter, const struct statement *statement);
/* May this key sign that statement, here and now? */
bool charter_may_sign(const struct charter *charter, const struct statement *statement,
    const uint8_t key[static STATEMENT_KEY]);

uint64_t charter_count(const struct charter *charter); /* statements in force; 0: empty */
/* NULL above the last. Statement 0's hash is the organisation id. */
const uint8_t *charter_hash(const struct charter *charter, uint64_t seq);
const uint8_t *charter_organisation(const struct charter *charter); /* NULL while empty */
const uint8_t *charter_last(const struct charter *charter);         /* NULL while empty */
const char *charter_name(const struct charter *charter);            /* NULL while empty */
const uint8_t *charter_vault(const struct charter *charter);        /* NULL where none is named */
const struct charter_roots *charter_roots(const struct charter *charter); /* NULL while empty */

size_t charter_node_count(const struct charter *charter);
const struct charter_node *charter_node_at(const struct charter *charter, size_t index);
/* NULL if there is none. Nodes no longer in force are found too. */
const struct charter_node *
charter_node_of_log(const struct charter *charter, const uint8_t id[static HASH_SIZE]);
const struct charter_node *
charter_node_of_transport(const struct charter *charter, const uint8_t key[static 32]);

/* The state of a member by its digest; false if the charter names none such. */
bool charter_member(const struct charter *charter, const uint8_t digest[static HASH_SIZE],
    enum charter_state *state);

#endif
