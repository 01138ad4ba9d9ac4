#ifndef DALIL_NODE_SYNC_SYNC_INTERNAL_H
#define DALIL_NODE_SYNC_SYNC_INTERNAL_H

#include "node/sync/sync.h"
#include "proto/charter.h"
#include "proto/checkpoint.h"
#include "proto/message.h"
#include "proto/vkey.h"

/*
 * Purpose: the state of the machine, shared by the files of node/sync.
 *
 * Invariants, between any two events:
 *  1. A log's tree holds exactly the records that the disk has acknowledged.
 *  2. A log's head is a checkpoint of a size up to the tree's, with the tree's root at that size.
 *  3. Every request in a peer's table has been sent on its present connection and not been answered
 *     in full; nothing else that arrives is accepted.
 *  4. inflight = bytes of leaves asked for + bytes handed to the disk and not acknowledged.
 *  5. A want is ASKED exactly while one request holds it, STORING while one disk request does.
 */

#define SLOTS_MAX (2 * SYNC_PEERS_MAX) /* two streams of a peer, design section 7 */
#define ORGANISATIONS_MAX 256
#define STATEMENT_BYTES_MAX (16u << 20)      /* of all charters together */
#define STATEMENT_BYTES_FOREIGN (256u << 10) /* of one we are not paired with */
#define NOTE_BYTES_PEER (256u << 10)         /* of all heads that one peer offers */
#define STASH_MAX (2u << 20)                 /* heads of one peer that wait for a charter */
#define WANTS_TABLE 1024
#define LEAF_BYTES_PEER (8u << 20)                    /* asked of one peer at a time */
#define PACKAGES_AHEAD 3                              /* package requests of one log in flight */
#define ENTRIES_BUDGET (512u << 10)                   /* bytes of one read of records */
#define WINDOW_BYTES (SYNC_DEADLINE_MS / 1000 * 1024) /* 1 KiB/s */

/* ---- what is known ------------------------------------------------------------------------- */

struct kept_statement {
	uint64_t seq;
	uint8_t hash[HASH_SIZE];
	struct chunk *chunk;
};

struct organisation {
	uint8_t id[HASH_SIZE];
	struct charter *charter;
	struct kept_statement *statements; /* ascending by seq, then hash */
	size_t count;
	size_t capacity;
	size_t bytes;
	uint8_t digest[HASH_SIZE]; /* of all statements' hashes, ascending */
	uint64_t changed;          /* generation of the last change */
};

struct head {
	uint64_t size; /* 0: none */
	uint8_t root[HASH_SIZE];
	struct chunk *note; /* NULL: none */
};

/* What one connected peer says it has of a log. */
struct offer {
	unsigned peer;
	uint64_t held;
	struct head head;
	bool refused; /* it does not extend what we hold */
};

enum pull_state { PULL_NONE, PULL_PROOF, PULL_PACKAGES };

struct pull {
	enum pull_state state;
	unsigned peer;
	struct head target;
	uint64_t ask;      /* the first record of the next package to ask for */
	uint64_t next;     /* the next record that must arrive */
	unsigned packages; /* requests in flight */
};

struct log {
	uint8_t id[HASH_SIZE];
	struct organisation *organisation;
	bool enrolled; /* the charter names it: vkey and record_key are set */
	struct vkey vkey;
	uint8_t record_key[RECORD_KEY];
	bool stored; /* the disk knows the log */
	struct tree tree;
	struct head head;
	struct head seen; /* a larger one that extends the tree, or NULL note */
	bool shared;
	unsigned share_count;
	uint8_t (*share)[HASH_SIZE];
	uint64_t changed;
	struct offer *offers;
	size_t offer_count;
	size_t offer_capacity;
	struct pull pull;
	unsigned puts;     /* records that the disk has not acknowledged */
	uint64_t retry_at; /* after trouble with our own disk */
};

/* ---- peers --------------------------------------------------------------------------------- */

enum request_kind { REQUEST_NONE, REQUEST_CHARTER, REQUEST_PROOF, REQUEST_PACKAGE, REQUEST_LEAVES };

/* A package on its way: its hashes are verified before any entry is taken. */
struct package {
	uint64_t start;
	uint64_t end;
	uint64_t from;
	uint64_t next;
	bool begun; /* the hashes are here */
	uint8_t hashes[MESSAGE_PACKAGE_RECORDS][HASH_SIZE];
};

/* Something asked of a peer. */
struct request {
	enum request_kind kind;
	uint64_t number;
	struct log *log;                   /* PROOF, PACKAGE */
	struct organisation *organisation; /* CHARTER */
	uint64_t from;                     /* CHARTER */
	bool stated;                       /* CHARTER: the peer has told its digest */
	uint8_t digest[HASH_SIZE];
	struct package *package;            /* heap */
	unsigned count;                     /* LEAVES */
	unsigned open;                      /* LEAVES: not answered yet */
	uint16_t wants[MESSAGE_LEAVES_MAX]; /* index in the table; WANTS_TABLE: answered */
};

enum job_kind { JOB_CHARTER, JOB_PROOF, JOB_PACKAGE, JOB_LEAVES };

struct job_leaf {
	uint8_t root[HASH_SIZE];
	uint64_t size;
	uint64_t leaf;
};

/* Something a peer asked of us. */
struct job {
	enum job_kind kind;
	uint64_t number;
	uint64_t id;           /* unique: what disk requests come back to */
	uint8_t of[HASH_SIZE]; /* log or organisation */
	uint64_t from;
	uint64_t to; /* end of the package, or size of the proof */
	uint64_t size;
	bool begun; /* the package's head is sent */
	bool reading;
	unsigned count; /* LEAVES */
	unsigned next;
	unsigned open;
	struct job_leaf *leaves; /* heap */
};

enum peer_state { PEER_NONE, PEER_DOWN, PEER_DIALLING, PEER_GREETING, PEER_UP };

/* What a peer's answer says about the own log. */
enum own_answer { OWN_UNANSWERED, OWN_CHECKING, OWN_FINE, OWN_AHEAD };

struct stash {
	struct chunk *chunk;
	bool compared; /* its charters */
	struct stash *next;
};

struct round {
	bool active;
	uint64_t start;
	uint64_t deadline;
	bool reached;
	struct sync_counts before;
	struct err trouble;
};

struct peer {
	enum peer_state state;
	struct sync_peer_config config;
	unsigned slot;  /* its place: config.number, or that + SYNC_PEERS_MAX for a second stream */
	bool transient; /* a command's, beside its daemon's */
	struct organisation *organisation;
	uint64_t connection; /* 0: none */
	bool outgoing;
	uint64_t since;
	uint64_t last_in;
	uint64_t last_out;
	uint64_t last_sent; /* when the network took something, or nothing was queued */
	uint64_t dial_at;
	uint64_t backoff;
	unsigned failures;      /* dials in a row that led nowhere */
	uint64_t shunned_until; /* it lied: until then its calls are not taken */
	uint64_t window_start;  /* of the slowness watch */
	size_t window_bytes;
	bool suspect;
	char trouble[256];
	uint8_t log[HASH_SIZE]; /* as hello says */
	int64_t clock_offset;
	struct sync_counts counts;
	struct round round;

	/* What we ask. */
	struct request requests[SYNC_REQUESTS_MAX];
	unsigned request_count;
	uint64_t request_number;
	size_t leaf_bytes;     /* asked for */
	uint64_t heads_number; /* of our heads-want; 0: not sent */
	bool heads_answered;
	uint64_t generation;   /* the peer's, complete */
	uint64_t settled_sent; /* the generation for which we said so; 0: none */
	uint64_t settled_missing;
	enum own_answer own;
	struct head own_head; /* of our own log, as the peer has it */
	size_t note_bytes;
	struct stash *stash; /* heads that wait for charters */
	size_t stash_bytes;

	/* What it asks. */
	bool heads_wanted;
	uint64_t heads_request;
	uint64_t announced;  /* generation of ours up to which it has been told */
	uint64_t heads_sent; /* the generation in the last heads; 0: none */
	uint64_t announce_at;
	uint64_t settled; /* the generation of ours for which it has said so */
	uint64_t settled_left;
	struct job jobs[SYNC_REQUESTS_MAX];
	unsigned job_count;
	size_t queued;  /* bytes with the network */
	size_t reading; /* bytes that reads will bring, about */
};

/* ---- payload leaves wanted ------------------------------------------------------------------- */

enum want_state { WANT_FREE, WANT_QUEUED, WANT_ASKED, WANT_STORING, WANT_MISSED };

struct want {
	enum want_state state;
	struct sync_want what;
	struct log *log;
	unsigned peer;
	size_t bytes;
	uint64_t tried[SLOTS_MAX / 64];
};

/* ---- the machine ----------------------------------------------------------------------------- */

struct queued_action {
	struct sync_action action;
	struct queued_action *next;
};

struct sync {
	struct sync_config config;
	bool started;
	bool stopping;
	struct sync_now now;
	uint64_t generation;
	uint64_t job_id;

	struct organisation *organisations[ORGANISATIONS_MAX];
	size_t organisation_count;
	size_t statement_bytes;
	struct log *logs[SYNC_LOGS_MAX];
	size_t log_count;
	struct log *own;               /* NULL until loaded */
	struct peer *peers[SLOTS_MAX]; /* NULL: none by that number */
	unsigned turn;                 /* whose turn it is to be served first */

	struct want wants[WANTS_TABLE];
	unsigned want_counts[WANT_MISSED + 1];
	bool wants_listing;
	bool wants_dirty; /* something may be wanted that the last listing did not see */
	bool wants_end;   /* the cursor is at the end */
	uint8_t wants_cursor[SYNC_CURSOR];
	uint64_t wants_again; /* when what was missed is tried once more */
	uint64_t wants_wait;  /* how long the next wait for that is */
	uint64_t missed;      /* in this pass, those no longer in the table too */

	size_t inflight;
	size_t pending; /* of those: handed to the disk */
	size_t queued;
	size_t reading;
	unsigned puts; /* writes that the disk has not acknowledged */

	uint64_t gate_at; /* when waiting for further answers about the own log ends */
	bool gate_open;
	bool frozen;
	bool blocked_told;
	bool signing;
	uint64_t sign_at;
	bool clock_told;

	struct queued_action *first;
	struct queued_action *last;
	bool starved; /* an action could not be allocated */
};

/* action.c: the queue of actions */
void action_disk(struct sync *sync, struct sync_disk *disk);
struct sync_disk *disk_new(enum sync_disk_kind kind); /* NULL without memory */
void action_connect(struct sync *sync, unsigned peer);
void action_close(struct sync *sync, uint64_t connection);
void action_sign(struct sync *sync);
/* ${peer}, ${log} may be NULL. */
void action_report(struct sync *sync, enum sync_report_kind kind, const struct peer *peer,
    const struct log *log, const char *format, ...) __attribute__((format(printf, 5, 6)));
void action_round(struct sync *sync, const struct sync_round_done *done);
/* Send a message, and behind its head ${tail}, which lies in ${chunk} (both may be empty). */
void peer_send(struct sync *sync, struct peer *peer, const struct message *message,
    struct chunk *chunk, struct view tail);
void peer_refuse(struct sync *sync, struct peer *peer, uint64_t request, enum message_code code,
    const char *text);

/* peer.c: connections */
struct peer *peer_of(const struct sync *sync, uint64_t connection);
/* End the connection because of what the peer did or did not do; ${text} is ours, no peer's. */
void peer_fail(struct sync *sync, struct peer *peer, enum message_code code,
    enum sync_report_kind kind, const char *format, ...) __attribute__((format(printf, 5, 6)));
void peer_hello(struct sync *sync, struct peer *peer, const struct message_hello *hello);
/* The other stream of the same node, or NULL. */
struct peer *peer_twin(const struct sync *sync, const struct peer *peer);
void peer_tick(struct sync *sync, struct peer *peer);
/* The node that the peer's transport key belongs to, or NULL: not (or no longer) enrolled. */
const struct charter_node *peer_node(const struct peer *peer);

/* request.c: what we have asked */
/* NULL where the table is full; payload leaves and packages leave room for what matters more. */
struct request *request_new(struct peer *peer, enum request_kind kind);
struct request *request_find(struct peer *peer, uint64_t number);
void request_done(struct peer *peer, struct request *request);
/* The connection is over: whatever was asked goes back to where it came from. */
void requests_drop(struct sync *sync, struct peer *peer);
void request_refused(struct sync *sync, struct peer *peer, const struct message_refused *refused);

/* organisation.c: charters */
struct organisation *organisation_find(const struct sync *sync, const uint8_t *id);
struct organisation *organisation_add(struct sync *sync, const uint8_t *id); /* NULL: no room */
void organisation_free(struct organisation *organisation);
/* Verify and keep; *fresh: it was not known.  ${store}: put it on the disk too. */
int organisation_feed(struct sync *sync, struct organisation *organisation, struct view statement,
    bool store, bool *fresh, struct err *err);
/*
 * Ask the peer for statements with ${from} and later; does nothing where one such request is open.
 * ${digest}: of the charter as the peer says it holds it, or NULL.
 */
void charter_ask(struct sync *sync, struct peer *peer, struct organisation *organisation,
    uint64_t from, const uint8_t *digest);
bool charter_asked(const struct peer *peer);
void charter_answer(struct sync *sync, struct peer *peer, struct request *request,
    const struct message_charter *charter);
/* May this peer read that charter? */
bool charter_readable(
    const struct sync *sync, const struct peer *peer, const struct organisation *organisation);
void charter_serve(struct sync *sync, struct peer *peer, struct job *job);

/* log.c: logs and what peers offer of them */
struct log *log_find(const struct sync *sync, const uint8_t *id);
/* NULL: no room.  Known to the charter or not. */
struct log *log_add(struct sync *sync, const uint8_t *id, struct organisation *organisation);
void log_free(struct log *log);
void log_enrol(struct log *log); /* look it up in the charter, which has changed */
/* Verify a note of the log; ${head} takes it over. */
int log_open_head(const struct log *log, struct head *head, struct view note, struct err *err);
void
log_share(struct sync *sync, struct log *log, const uint8_t (*share)[HASH_SIZE], unsigned count);
/* May that peer be given this log (design 6)? */
bool log_allowed(const struct sync *sync, const struct peer *peer, const struct log *log);
struct offer *log_offer(const struct log *log, unsigned peer);
struct offer *log_offer_add(struct log *log, unsigned peer);
/* Forget what the peer offers, of all logs. */
void log_offers_drop(struct sync *sync, struct peer *peer);
void log_put_head(struct sync *sync, const struct log *log, const struct head *head);
void head_copy(struct head *to, const struct head *from);
void head_fini(struct head *head);

/* heads.c: saying and hearing what logs there are */
void heads_announce(struct sync *sync, struct peer *peer);
void heads_answer(struct sync *sync, struct peer *peer, struct chunk *chunk);
/* Take up what waited for charters. */
void heads_unstash(struct sync *sync, struct peer *peer);
void heads_stash_drop(struct peer *peer);

/* pull.c: fetching records */
void pull_start(struct sync *sync, struct log *log);
void pull_stop(struct sync *sync, struct log *log);
void pull_proof(struct sync *sync, struct peer *peer, struct request *request,
    const struct message_consistency *consistency);
void pull_package(struct sync *sync, struct peer *peer, struct request *request,
    const struct message_package *package);
void pull_entry(struct sync *sync, struct peer *peer, struct request *request,
    const struct message_entry *entry, struct chunk *chunk);
void pull_stored(struct sync *sync, struct sync_disk *disk);
void pull_not_stored(struct sync *sync, const struct sync_disk *disk, const uint8_t *id);
/* Does the peer have records of any log that we want and can get? */
bool pull_wants(const struct sync *sync, const struct peer *peer);

/* leaves.c: fetching payloads */
void leaves_list(struct sync *sync);
void leaves_listed(struct sync *sync, struct sync_disk *disk);
void leaves_ask(struct sync *sync);
void leaves_answer(struct sync *sync, struct peer *peer, struct request *request,
    const struct message_leaf *leaf, struct chunk *chunk);
void leaves_none(struct sync *sync, struct peer *peer, struct request *request, uint64_t item);
void leaves_stored(struct sync *sync, struct sync_disk *disk);
/* Leaves of a request that will not be answered; ${tried}: the peer does not have them. */
void leaves_back(struct sync *sync, struct peer *peer, struct request *request, bool tried);
/* A peer came, or has something new: what was missed may be had now. */
void leaves_retry(struct sync *sync);
bool leaves_wanted(const struct sync *sync, const struct peer *peer);
uint64_t leaves_missing(const struct sync *sync, const struct peer *peer);

/* serve.c: answering */
void serve_want(struct sync *sync, struct peer *peer, const struct message *message);
void serve_read(struct sync *sync, struct sync_disk *disk);
void serve_all(struct sync *sync);
void serve_drop(struct sync *sync, struct peer *peer);
bool serve_has_room(const struct sync *sync, const struct peer *peer);

/* own.c: the own log's heads, and when to sign */
void own_head(struct sync *sync, struct peer *peer, const struct message_head *head);
void own_root(struct sync *sync, struct sync_disk *disk);
void own_advance(struct sync *sync);
/* Every peer's answer is looked at again: the own log has grown. */
void own_review(struct sync *sync);
void own_refused(struct sync *sync, struct peer *peer); /* no proof leads to its head */

/* round.c: settled, and rounds */
void round_settle(struct sync *sync, struct peer *peer);
void round_advance(struct sync *sync);
void round_trouble(struct peer *peer, int code, const char *text);

/* sync.c */
void sync_advance(struct sync *sync);

#endif
