#ifndef DALIL_PROTO_MESSAGE_H
#define DALIL_PROTO_MESSAGE_H

#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/tree.h"
#include "proto/unpack.h"

/*
 * Purpose: what peers say to one another once the handshake is done (design section 6,
 * docs/wire.md from section 4 on).  A message is a canonical msgpack array [type, ...], its head, and
 * then, in `entry` and `leaf` alone, raw bytes to the message's end.  At most MESSAGE_MAX bytes.
 *
 * Requests carry a number that the asker chooses, never 0; every answer to one carries it back.
 *
 * Ownership: a parsed message is views into the bytes that were parsed.  Lists of statements and heads
 * are read with their `next` functions, which cannot fail: message_parse has checked all of them.
 * Errors: ERR_MALFORMED, ERR_LIMIT; ERR_VERSION for a type that this version does not know.
 * Threads: no state.
 */

#define MESSAGE_MAX 1114112u        /* head and raw bytes */
#define MESSAGE_HEAD_MAX 1114112u   /* of messages without raw bytes */
#define MESSAGE_VERSION 1           /* the only one yet */
#define MESSAGE_TEXT_MAX 512        /* of an error or a refusal */
#define MESSAGE_STATEMENTS_MAX 256  /* of one charter message */
#define MESSAGE_STATEMENT_MAX 65535 /* bytes of one */
#define MESSAGE_HEADS_MAX 256       /* heads, and charters, of one message */
#define MESSAGE_NOTE_MAX 65535      /* bytes of a head's note */
#define MESSAGE_PACKAGE_RECORDS 256 /* records of a package */
#define MESSAGE_PARTS_MAX 8         /* parts of an entry */
#define MESSAGE_PART_MAX 262144     /* bytes of a part */
#define MESSAGE_RECORD_MAX 65535    /* bytes of a record, or of what stands in its place */
#define MESSAGE_LEAVES_MAX 64       /* items of a leaf-want */
#define MESSAGE_LEAF_MAX 1048832    /* bytes of a payload leaf */

/* Bits of hello's features. */
#define MESSAGE_FEATURE_TRANSIENT 1 /* a command's round, beside its node's own stream */

enum message_type {
	MESSAGE_HELLO = 1,
	MESSAGE_GOODBYE = 2,
	MESSAGE_ERROR = 3,
	MESSAGE_PING = 4,
	MESSAGE_REFUSED = 5,
	MESSAGE_SETTLED = 6,
	MESSAGE_CHARTER_WANT = 10,
	MESSAGE_CHARTER = 11,
	MESSAGE_HEADS_WANT = 20,
	MESSAGE_HEADS = 21,
	MESSAGE_CONSISTENCY_WANT = 22,
	MESSAGE_CONSISTENCY = 23,
	MESSAGE_PACKAGE_WANT = 30,
	MESSAGE_PACKAGE = 31,
	MESSAGE_ENTRY = 32,
	MESSAGE_LEAF_WANT = 40,
	MESSAGE_LEAF = 41,
	MESSAGE_LEAF_NONE = 42
};

/* Codes of `error` and `refused`. */
enum message_code {
	MESSAGE_CODE_PROTOCOL = 1,  /* not what the protocol says, or not asked for */
	MESSAGE_CODE_VERSION = 2,   /* no version in common */
	MESSAGE_CODE_FORBIDDEN = 3, /* a request that this peer may not make */
	MESSAGE_CODE_MISSING = 4,   /* what was asked for is not here */
	MESSAGE_CODE_LIMIT = 5,     /* more than design section 7 allows */
	MESSAGE_CODE_FORGED = 6,    /* a proof, hash or signature that does not hold */
	MESSAGE_CODE_INTERNAL = 7,  /* trouble of the sender's own */
	MESSAGE_CODE_STALLED = 8    /* a request was left unanswered for too long */
};

/* [1, low, high, organisation, log, features, clock] */
struct message_hello {
	uint64_t low; /* versions spoken, 1 <= low <= high */
	uint64_t high;
	const uint8_t *organisation; /* HASH_SIZE */
	const uint8_t *log;          /* HASH_SIZE: the sender's own */
	uint64_t features;           /* bits; none yet: send 0, ignore the unknown */
	uint64_t clock;              /* ms since 1970 */
};

/* [3, code, text] */
struct message_error {
	uint64_t code;    /* an unknown one means what PROTOCOL means */
	struct view text; /* from others: escape it before it is shown */
};

/* [5, request, code, text] */
struct message_refused {
	uint64_t request;
	uint64_t code;
	struct view text;
};

/* [6, generation, missing]: since the heads of this generation the sender has all that it wants. */
struct message_settled {
	uint64_t generation;
	uint64_t missing; /* leaves that it wants still and that this peer did not have */
};

/* [10, request, organisation, from] */
struct message_charter_want {
	uint64_t request;
	const uint8_t *organisation;
	uint64_t from; /* statements with this seq and later */
};

/* [11, request, more, [statement...]]: ascending by seq, then by hash. */
struct message_charter {
	uint64_t request;
	bool more; /* ask again, from the last seq on */
	uint32_t count;
	struct view list;
};

/* [20, request]: standing, until the connection ends; [21...] comes now and after every change. */
struct message_heads_want {
	uint64_t request;
};

/* [organisation, count, digest]: the charter as the sender holds it. */
struct message_charter_state {
	const uint8_t *organisation;
	uint64_t count;        /* statements, disputed ones too */
	const uint8_t *digest; /* SHA-256 over all their hashes, ascending */
};

/* [log, organisation, held, note] */
struct message_head {
	const uint8_t *log;
	const uint8_t *organisation;
	uint64_t held;    /* records that the sender can serve */
	struct view note; /* a checkpoint; empty: none known */
};

/* [21, request, generation, more, [charter state...], [head...]]: what changed since the last. */
struct message_heads {
	uint64_t request;
	uint64_t generation; /* of the sender's state, counted up */
	bool more;           /* the rest of this generation follows */
	uint32_t charter_count;
	struct view charters;
	uint32_t head_count;
	struct view heads;
};

/* [22, request, log, from, to]: 0 < from < to */
struct message_consistency_want {
	uint64_t request;
	const uint8_t *log;
	uint64_t from;
	uint64_t to;
};

/* [23, request, proof] */
struct message_consistency {
	uint64_t request;
	unsigned proof_count;
	const uint8_t (*proof)[HASH_SIZE];
};

/*
 * [30, request, log, from, size]: the records from ${from} to the end of their package, in the tree
 * of ${size} records.  The package is [start, end): start = from rounded down to a multiple of 256, end =
 * the smaller of start + 256 and size.
 */
struct message_package_want {
	uint64_t request;
	const uint8_t *log;
	uint64_t from; /* below size */
	uint64_t size;
};

/* [31, request, proof, hashes]: subtree consistency proof of [start, end) and its leaf hashes. */
struct message_package {
	uint64_t request;
	unsigned proof_count;
	const uint8_t (*proof)[HASH_SIZE];
	unsigned count; /* end - start */
	const uint8_t *hashes;
};

struct message_part {
	const uint8_t *digest;
	size_t size;
	struct view bytes; /* in the raw bytes; for packing only size is used */
};

/* [32, request, index, record size, [[digest, size]...]] + record ‖ parts that the sender has */
struct message_entry {
	uint64_t request;
	uint64_t index;
	struct view record; /* for packing only its size is used */
	unsigned part_count;
	struct message_part parts[MESSAGE_PARTS_MAX];
};

/* [root, size, leaf]: one leaf of the payload of that root and size */
struct message_leaf_item {
	const uint8_t *root;
	uint64_t size;
	uint64_t leaf;
};

/* [40, request, [item...]] */
struct message_leaf_want {
	uint64_t request;
	unsigned count; /* 1 to MESSAGE_LEAVES_MAX */
	struct message_leaf_item items[MESSAGE_LEAVES_MAX];
};

/* [41, request, item, proof] + leaf; [42, request, item]: not here */
struct message_leaf {
	uint64_t request;
	uint64_t item; /* which of the request's, from 0 */
	unsigned proof_count;
	const uint8_t (*proof)[HASH_SIZE];
	struct view bytes; /* for packing not used */
};

struct message {
	enum message_type type;
	struct view raw; /* what stands behind the head */
	union {
		struct message_hello hello;
		struct message_error error;
		struct message_refused refused;
		struct message_settled settled;
		struct message_charter_want charter_want;
		struct message_charter charter;
		struct message_heads_want heads_want;
		struct message_heads heads;
		struct message_consistency_want consistency_want;
		struct message_consistency consistency;
		struct message_package_want package_want;
		struct message_package package;
		struct message_entry entry;
		struct message_leaf_want leaf_want;
		struct message_leaf leaf; /* of MESSAGE_LEAF_NONE too */
	} as;
};

/* "hello", "charter-want"... */
const char *message_type_name(enum message_type type);
/* The number of the request that it makes or answers; 0 for those that have none. */
uint64_t message_request(const struct message *message);

int message_parse(struct message *message, struct view bytes, struct err *err);

/* First and next of a list; false at its end.  ${list} is a copy of the message's view. */
bool message_statement_next(struct view *list, struct view *statement);
bool message_charter_state_next(struct view *list, struct message_charter_state *state);
bool message_head_next(struct view *list, struct message_head *head);

/* Append the head of the message: what follows raw is the caller's to send behind it. */
void message_pack(struct buffer *out, const struct message *message);

/*
 * Lists are packed into a buffer of their own first: their bytes without the array's own head become
 * ${list}, ${charters}, ${heads} of the message.
 */
void message_pack_statement(struct buffer *list, struct view statement);
void message_pack_charter_state(struct buffer *list, const struct message_charter_state *state);
void message_pack_head(struct buffer *list, const struct message_head *head);

#endif
