#ifndef DALIL_TESTS_SIM_SIM_H
#define DALIL_TESTS_SIM_SIM_H

#include "node/sync/sync.h"
#include "tests/sim/sim_disk.h"

/*
 * Purpose: a federation in one process: nodes that each run the sync machine on a virtual disk, a
 * network with delays and cuts, and one virtual clock; all of it from one seed, so that every run can
 * be repeated.  After each event the memory that a machine holds for others is checked against
 * its bounds.
 *
 * Time is in milliseconds.  Threads: one.  Without memory it aborts.
 */

#define SIM_NODES_MAX 8
#define SIM_HELD_MAX ((48u << 20) + (4u << 20)) /* in flight, send queues, and one message each */

struct sim;

/* Called for each message before it arrives; may change it in place, or say that it is lost. */
typedef bool sim_tamper(void *cookie, unsigned from, unsigned to, struct buffer *message);

struct sim_node {
	bool used;
	bool up;
	bool may_sign;
	bool deaf;        /* takes nothing from the network: what is sent to it stays queued */
	bool clone;       /* a command of the same node as ${acts_as}, with a disk of its own */
	unsigned acts_as; /* the number by which the others know it */
	unsigned organisation; /* which of the simulation's */
	struct sim_disk disk;
	struct sync *sync; /* NULL while down */
	uint8_t log[HASH_SIZE];
	uint8_t record_seed[32];
	uint8_t log_seed[32];
	uint8_t transport[32];
	struct vkey vkey;
	bool paired[SIM_NODES_MAX];
	unsigned reports[SYNC_REPORT_TROUBLE + 1]; /* how many of each kind */
	char last[SYNC_REPORT_TROUBLE + 1][ERR_TEXT_MAX];
	unsigned last_peer[SYNC_REPORT_TROUBLE + 1];
	unsigned signs; /* checkpoints signed */
	bool round_done[SIM_NODES_MAX];
	struct sync_round_done round[SIM_NODES_MAX];
	size_t held_most;
};

struct sim_counters {
	uint64_t messages;
	uint64_t leaves; /* `leaf` messages that arrived */
	uint64_t entries;
	uint64_t cuts;
};

struct sim {
	uint64_t now;
	uint64_t random;
	unsigned delay_least; /* of a message, ms */
	unsigned delay_most;
	struct sim_node nodes[SIM_NODES_MAX];
	struct sim_counters counters;
	sim_tamper *tamper;
	void *tamper_cookie;
	struct sim_event *events; /* ascending by time, then by number */
	uint64_t event_number;
	uint64_t connections; /* numbers given out */
	struct sim_link *links;
	uint64_t id; /* makes keys and bytes of records */
	struct sim_charter {
		uint8_t id[HASH_SIZE];
		uint8_t root_seed[32];
		struct buffer statements[32];
		unsigned count;
		uint8_t last[HASH_SIZE];
	} organisations[SIM_NODES_MAX];
};

void sim_init(struct sim *sim, uint64_t seed);
void sim_fini(struct sim *sim);
uint64_t sim_random(struct sim *sim, uint64_t below);

/* ---- making ---------------------------------------------------------------------------------- */

/* An organisation with its charter, and a node of it whose log begins with it. */
void sim_found(struct sim *sim, unsigned organisation);
void sim_enrol(struct sim *sim, unsigned node, unsigned organisation);
/* A command of node ${of}: its keys and a copy of its log; it dials everybody whom ${of} knows. */
void sim_clone(struct sim *sim, unsigned node, unsigned of);
/* Both know of one another; the first has the second's address. */
void sim_pair(struct sim *sim, unsigned a, unsigned b);
void sim_unpair(struct sim *sim, unsigned a, unsigned b);
/* Append to the node's log. */
void sim_share(struct sim *sim, unsigned node, const unsigned *organisations, unsigned count);
/* A deposit with a payload of ${size} bytes of plaintext and three parts. */
void sim_deposit(struct sim *sim, unsigned node, uint64_t size);
/* Bytes that are no record at all, in the place of one. */
void sim_opaque(struct sim *sim, unsigned node);
/* Sign the whole log without asking anybody, as a node without peers does. */
void sim_sign(struct sim *sim, unsigned node);
/* Tell a running node what was appended (as its rim does). */
void sim_changed(struct sim *sim, unsigned node);

/* ---- running --------------------------------------------------------------------------------- */

void sim_up(struct sim *sim, unsigned node);
/* As by kill -9: what the disk had not acknowledged is lost. */
void sim_down(struct sim *sim, unsigned node);
/* End the connection between them, if there is one: what is on its way is lost. */
void sim_cut(struct sim *sim, unsigned a, unsigned b);
bool sim_connected(const struct sim *sim, unsigned a, unsigned b);
/* A message to ${to} as if ${from} had sent it on their connection. */
void sim_inject(struct sim *sim, unsigned from, unsigned to, struct view message);
/* The next event; false if there is none but the nodes' ticks, which go on for ever. */
void sim_step(struct sim *sim);
void sim_run(struct sim *sim, uint64_t milliseconds);
/* Until ${done} says so; false after ${milliseconds}. */
bool sim_until(
    struct sim *sim, uint64_t milliseconds, bool (*done)(const struct sim *, void *), void *cookie);
void sim_round(struct sim *sim, unsigned node, uint64_t milliseconds);

/* ---- judging --------------------------------------------------------------------------------- */

/* Does ${holder} hold every record, part, payload and the head of ${owner}'s log, byte for byte? */
bool sim_holds(const struct sim *sim, unsigned holder, unsigned owner);

#endif
