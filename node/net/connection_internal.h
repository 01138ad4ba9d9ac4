#ifndef DALIL_NODE_NET_CONNECTION_INTERNAL_H
#define DALIL_NODE_NET_CONNECTION_INTERNAL_H

#include "node/net/connection.h"

/*
 * Purpose: state that connection.c, connection_read.c and connection_write.c share.
 *
 * Invariants, whenever the loop is not within one of them:
 * 1. ${pending} counts: work on a worker (sealing, opening), requests of libuv that are out, and one for
 *    the socket until it is closed.  The connection is freed when it falls to 0.
 * 2. While ${opening}, the reader and ${opened_input} belong to a worker; while ${sealing} is not
 *    NULL, so does the writer.
 * 3. Once ${ended}, the socket is closing: nothing is read, sent or told any more but ${closed}.
 */

struct outgoing {
	struct outgoing *next;
	struct buffer head;
	struct chunk *chunk;
	struct view tail;
};

struct sealing {
	uv_work_t work;
	struct connection *connection;
	struct outgoing *first;
	size_t plain;
	uint8_t *bytes;
	size_t size;
	int result;
};

struct writing {
	uv_write_t request;
	struct connection *connection;
	uint8_t *bytes;
	size_t size;
	size_t plain;
};

struct incoming {
	struct incoming *next;
	void *memory;
	struct view message;
};

struct input {
	uint8_t *bytes; /* CONNECTION_INPUT, once something was read */
	size_t size;
};

/* Bytes that moved since the mark, to tell a slow peer from a pausing us. */
struct pace {
	uint64_t marked;
	uint64_t bytes;
	bool owed;
};

struct connection {
	struct socket *socket;
	const struct connection_events *events;
	void *owner;
	unsigned pending;
	bool ended;
	bool flushing;
	uint64_t flush_deadline;
	struct err err; /* why it ended; code 0: on purpose */

	/* connection_read.c */
	struct frame_reader *reader;
	struct input input; /* being filled */
	struct input opened_input;
	uv_work_t open_work;
	bool opening;
	bool allowed; /* the owner wants to read */
	bool started; /* uv_read_start is in force */
	bool midway;  /* the reader, when last looked at */
	struct incoming *incoming;
	struct incoming **incoming_end;
	struct err open_err;
	struct err
	    stream_err; /* the stream has ended, and what came before it is not delivered yet */
	struct pace reading;

	/* connection_write.c */
	struct frame_writer *writer;
	struct outgoing *first;
	struct outgoing **last;
	struct sealing *sealing;
	size_t writing; /* bytes sealed and not yet taken by the network */
	uint64_t rate;
	int64_t budget; /* bytes that may be sent now, where there is a rate */
	uint64_t budget_at;
	uint64_t given; /* bytes given to the network since the beginning */
	uint64_t taken; /* bytes that it has taken, when last looked at */
	struct pace pace;
};

void connection_hold(struct connection *connection);
/* May free it. */
void connection_release(struct connection *connection);

/* Start or stop reading, as the state wants it. */
void connection_read_update(struct connection *connection);
void connection_read_drop(struct connection *connection);
/* Seal and send as much as may be. */
void connection_write_pump(struct connection *connection);
void connection_write_drop(struct connection *connection);
bool connection_write_idle(const struct connection *connection);

/* False if ${pace} has been owed for ten seconds at less than 1 KiB a second. */
bool connection_pace(struct pace *pace, bool owed, uint64_t moved, uint64_t now);

#endif
