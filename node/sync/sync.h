#ifndef DALIL_NODE_SYNC_SYNC_H
#define DALIL_NODE_SYNC_SYNC_H

#include "node/sync/chunk.h"
#include "node/sync/disk.h"
#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/tree.h"

/*
 * Purpose: replication as a machine without input or output (design sections 3 and 6, docs/wire.md):
 * events go in through the functions below, each with the time; actions come out of sync_next.
 * One machine for a node, with all its peers.  It reads memory only and never calls back.
 *
 * How to drive it: sync_new; tell it what is known (sync_load_statement, sync_load_log for every log,
 * the own one included, sync_set_peer); sync_start; then, for ever: give it one event, and execute
 * every action that sync_next gives, in order, until it returns false.  Executing may be later and
 * elsewhere, but actions of one connection, and writes to the disk, keep their order.
 *
 * Memory (P7): bounded by SYNC_PEERS_MAX peers, SYNC_LOGS_MAX logs, SYNC_INFLIGHT bytes asked for or
 * waiting for the disk, SYNC_SEND_MAX bytes waiting to be sent.  For the first, the rim reads from sockets only
 * while sync_reading says so.
 *
 * Threads: one.  Errors: events cannot fail; an allocation that does closes the connection that
 * wanted it.
 */

#define SYNC_PEERS_MAX 128
#define SYNC_LOGS_MAX 256
#define SYNC_REQUESTS_MAX 32      /* in flight per peer, design section 7 */
#define SYNC_INFLIGHT (32u << 20) /* bytes in flight in all */
#define SYNC_SEND_MAX (16u << 20) /* bytes queued for sending in all */
#define SYNC_SEND_PEER (4u << 20) /* and to one peer */
#define SYNC_TICK_MS 200          /* call sync_tick about that often */
#define SYNC_DEADLINE_MS 30000    /* a request without any progress */
#define SYNC_GATE_MS 10000        /* how long answers about the own log are waited for */
#define SYNC_IDLE_MS 120000       /* a silent peer is gone, design section 7 */
#define SYNC_NOTE_MAX 65535

struct sync;

/* Both in milliseconds. */
struct sync_now {
	uint64_t monotonic;
	uint64_t clock; /* since 1970 */
};

struct sync_config {
	uint8_t organisation[HASH_SIZE];
	uint8_t log[HASH_SIZE]; /* the own one */
	uint8_t transport[32];  /* the own public key */
	bool transient;         /* a command's round, perhaps beside the daemon of the same node */
	bool may_sign; /* keys are unlocked and the store has not moved: else no SYNC_SIGN */
};

/* A peer that we are paired with; ${number} is the rim's own, below SYNC_PEERS_MAX. */
struct sync_peer_config {
	unsigned number;
	uint8_t organisation[HASH_SIZE];
	uint8_t transport[32]; /* the peer's public key, which the handshake has proved */
	bool dial;             /* it has an address */
};

/* A log as the store holds it. */
struct sync_log_state {
	uint8_t log[HASH_SIZE];
	uint8_t organisation[HASH_SIZE];
	struct tree tree; /* of all records here, signed for or not (tree_load) */
	struct view head; /* the largest checkpoint whose records are all here; may be empty */
	struct view seen; /* the largest checkpoint known, if larger than head; may be empty */
	bool shared;      /* its last good `share` record (storage kind RECORD_SHARE): */
	unsigned share_count;
	const uint8_t (*share)[HASH_SIZE]; /* organisations */
};

/* ---- life --------------------------------------------------------------------------------- */

struct sync *sync_new(const struct sync_config *config); /* NULL without memory */
void sync_free(struct sync *sync); /* NULL is fine; actions not taken are dropped */

/*
 * What the store holds, at the start and whenever somebody else (the CLI, the log) has changed it.
 * ERR_LIMIT, ERR_MEMORY; statements and notes that do not verify are refused with their reason.
 * Statements of an organisation in the order in which they were stored.
 */
int sync_load_statement(struct sync *sync, const uint8_t organisation[static HASH_SIZE],
    struct view statement, struct err *err);
int sync_load_log(struct sync *sync, const struct sync_log_state *state, struct err *err);
/* Payloads may be wanted that were not: local changes beside logs. */
void sync_wants_changed(struct sync *sync);
/* Add or change one; remove ends the connection. */
int sync_set_peer(struct sync *sync, const struct sync_peer_config *peer, struct err *err);
void sync_remove_peer(struct sync *sync, unsigned number);
void sync_may_sign(struct sync *sync, bool may_sign);

/* ---- events ------------------------------------------------------------------------------- */

void sync_start(struct sync *sync, struct sync_now now);
/* The handshake is done. ${connection}: never 0, never used before. ${outgoing}: we dialled. */
void sync_connected(
    struct sync *sync, unsigned peer, uint64_t connection, bool outgoing, struct sync_now now);
/* A SYNC_CONNECT led nowhere. */
void sync_unreachable(struct sync *sync, unsigned peer, const struct err *err, struct sync_now now);
/* A whole message; the chunk belongs to the machine now. */
void
sync_message(struct sync *sync, uint64_t connection, struct chunk *message, struct sync_now now);
/* ${bytes} came in, of a message that may not be whole yet: a slow peer is not a silent one. */
void sync_received(struct sync *sync, uint64_t connection, size_t bytes, struct sync_now now);
/* The rim has handed ${bytes} of a SYNC_SEND (all of its head and tail) to the network. */
void sync_sent(struct sync *sync, uint64_t connection, size_t bytes, struct sync_now now);
/* The connection is over, for whatever reason, SYNC_CLOSE included; ${err} may be NULL. */
void
sync_closed(struct sync *sync, uint64_t connection, const struct err *err, struct sync_now now);
/* A disk request is done; the struct belongs to the machine now. */
void sync_disk_done(struct sync *sync, struct sync_disk *disk, struct sync_now now);
/* Something was loaded (above) since the last event: look at it. */
void sync_changed(struct sync *sync, struct sync_now now);
/* A SYNC_SIGN failed; one that went well is told by sync_load_log and sync_changed. */
void sync_sign_failed(struct sync *sync, const struct err *err, struct sync_now now);
void sync_tick(struct sync *sync, struct sync_now now);
/* Say goodbye to everybody: afterwards only SYNC_CLOSE actions come. */
void sync_stop(struct sync *sync, struct sync_now now);

/*
 * One round with each of these peers (count 0: with all), for `dalil sync`: a SYNC_ROUND comes for
 * each once the own log is signed and neither side wants anything of the other, or at the deadline
 * (monotonic ms).  Peers that are down are dialled at once.
 */
void sync_round(struct sync *sync, const unsigned *peers, unsigned count, uint64_t deadline,
    struct sync_now now);

/* May the rim read from its sockets now? Ask after each event. */
bool sync_reading(const struct sync *sync);

/* ---- actions ------------------------------------------------------------------------------ */

enum sync_action_kind {
	SYNC_SEND,    /* connection; head, then tail if any, as one message */
	SYNC_DISK,    /* disk */
	SYNC_CONNECT, /* peer: dial it; sync_connected or sync_unreachable says how it went */
	SYNC_CLOSE,   /* connection: send what is queued, then end it; sync_closed follows */
	SYNC_SIGN,    /* sign the own log as far as it goes (node/log) */
	SYNC_REPORT,  /* report */
	SYNC_ROUND    /* round */
};

enum sync_report_kind {
	SYNC_REPORT_UP,      /* a peer is connected and has said hello */
	SYNC_REPORT_DOWN,    /* a peer is gone, and why */
	SYNC_REPORT_LIED,    /* what a peer sent does not hold, or was not asked for */
	SYNC_REPORT_SUSPECT, /* a head that does not extend what we hold was refused */
	SYNC_REPORT_FROZEN,  /* the own log cannot extend what peers hold: nothing is signed */
	SYNC_REPORT_RECOVER, /* peers hold more of the own log: it is fetched back */
	SYNC_REPORT_CLOCK,   /* our clock is more than a day from the median of the peers' */
	SYNC_REPORT_LOG,     /* a log is complete up to a new head */
	SYNC_REPORT_REFUSED, /* a peer refused what we asked */
	SYNC_REPORT_TROUBLE  /* our own disk failed */
};

struct sync_report {
	enum sync_report_kind kind;
	unsigned peer; /* SYNC_PEERS_MAX: of no peer */
	bool has_log;
	uint8_t log[HASH_SIZE];
	uint64_t size;           /* of the log, where there is one */
	char text[ERR_TEXT_MAX]; /* what peers wrote in it is escaped */
};

/* Of one peer; of a round, since it began; of a status, since the machine began. */
struct sync_counts {
	uint64_t records_in;
	uint64_t records_out;
	uint64_t payloads_in; /* whole */
	uint64_t leaves_in;
	uint64_t leaves_out;
	uint64_t bytes_in; /* messages, without framing */
	uint64_t bytes_out;
	uint64_t missing; /* leaves wanted that this peer did not have */
};

struct sync_round_done {
	unsigned peer;
	int result; /* 0; ERR_NETWORK: never reached; ERR_TIMEOUT; ERR_MISSING: settled, but leaves are
	               missing everywhere; ERR_REFUSED, ERR_FORGED: the peer lied or the own log is
	               frozen */
	char text[ERR_TEXT_MAX];
	struct sync_counts counts;
	uint64_t milliseconds;
};

struct sync_action {
	enum sync_action_kind kind;
	uint64_t connection;
	unsigned peer;
	struct buffer head;         /* SYNC_SEND: owned by the action */
	struct chunk *chunk;        /* SYNC_SEND: holds the tail, or NULL */
	struct view tail;           /* in the chunk */
	struct sync_disk *disk;     /* SYNC_DISK: owned by the action; hand it to sync_disk_done */
	struct sync_report *report; /* SYNC_REPORT: heap, owned by the action */
	struct sync_round_done *round; /* SYNC_ROUND: heap, owned by the action */
};

/*
 * The next action, to be ended with sync_action_fini once it is executed (after which ${head} and
 * ${tail} are gone); false when there is none.  An executor that keeps the disk request sets
 * ${disk} to NULL before.
 */
bool sync_next(struct sync *sync, struct sync_action *action);
void sync_action_fini(struct sync_action *action);

/* ---- looking in ---------------------------------------------------------------------------- */

struct sync_peer_status {
	bool up;
	bool settled; /* neither side wants anything of the other */
	bool suspect;
	bool has_log;
	uint8_t log[HASH_SIZE]; /* the peer's own */
	uint64_t since;         /* monotonic ms of the last change between up and down */
	struct sync_counts counts;
	char trouble[256]; /* why it is down; "" */
};
/* False if there is no such peer. */
bool sync_peer_status(const struct sync *sync, unsigned peer, struct sync_peer_status *status);
/* Bytes that the machine holds for others: asked for, waiting for the disk, queued to be sent. */
size_t sync_held(const struct sync *sync);

#endif
