#include "node/net/connection_internal.h"

#include <stdlib.h>

/*
 * The happy path: new, messages to and fro (connection_read.c, connection_write.c), close: what is
 * queued goes out, then the socket is closed, then the owner is told.
 *
 * Possible failures: all end in connection_fail, which closes the socket at once; the owner is told
 * when the last piece of work has come home.
 */

#define PACE_MS 10000u
#define PACE_BYTES (1024u * PACE_MS / 1000u)

struct connection *
connection_new(struct socket *socket, const struct noise_result *result,
    const struct connection_events *events, void *owner)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (connection != NULL) {
		connection->reader = frame_reader_new(result->receive, result->chaining_key);
		connection->writer = frame_writer_new(result->send, result->chaining_key);
	}
	if (connection == NULL || connection->reader == NULL || connection->writer == NULL) {
		if (connection != NULL) {
			frame_reader_free(connection->reader);
			frame_writer_free(connection->writer);
		}
		free(connection);
		socket_close(socket);
		return NULL;
	}
	connection->socket = socket;
	socket->owner = connection;
	connection->events = events;
	connection->owner = owner;
	connection->pending = 1;
	connection->last = &connection->first;
	connection->incoming_end = &connection->incoming;
	connection->reading.marked = connection->pace.marked = uv_now(socket->uv.handle.loop);
	connection->budget_at = connection->pace.marked;
	return connection;
}

void
connection_hold(struct connection *connection)
{
	connection->pending++;
}

void
connection_release(struct connection *connection)
{
	if (--connection->pending > 0)
		return;
	connection->events->closed(connection->owner, connection,
	    connection->err.code == ERR_NONE ? NULL : &connection->err);
	connection_read_drop(connection);
	connection_write_drop(connection);
	frame_reader_free(connection->reader);
	frame_writer_free(connection->writer);
	free(connection);
}

static void
socket_closed(uv_handle_t *handle)
{
	struct socket *socket = handle->data;
	struct connection *connection = socket->owner;

	free(socket);
	connection_release(connection);
}

/* Closing the socket cancels the writes that are out; their callbacks come before this one's. */
static void
end(struct connection *connection)
{
	if (connection->ended)
		return;
	connection->ended = true;
	connection->started = false;
	(void)uv_read_stop(&connection->socket->uv.stream);
	uv_close(&connection->socket->uv.handle, socket_closed);
}

void
connection_fail(struct connection *connection, const struct err *err)
{
	if (connection->ended)
		return;
	connection->err = *err;
	end(connection);
}

void
connection_close(struct connection *connection)
{
	if (connection->ended || connection->flushing)
		return;
	connection->flushing = true;
	connection->flush_deadline =
	    uv_now(connection->socket->uv.handle.loop) + CONNECTION_FLUSH_MS;
	connection_read_update(connection);
	if (connection_write_idle(connection))
		end(connection);
}

bool
connection_pace(struct pace *pace, bool owed, uint64_t moved, uint64_t now)
{
	bool slow;

	pace->bytes += moved;
	if (!owed)
		pace->owed = false;
	if (!pace->owed || pace->bytes >= PACE_BYTES) {
		pace->marked = now;
		pace->bytes = 0;
		pace->owed = owed;
		return true;
	}
	slow = now - pace->marked >= PACE_MS;
	return !slow;
}

static void
fail_slow(struct connection *connection)
{
	struct err err = {0};

	(void)err_set(&err, ERR_TIMEOUT, "slower than 1 KiB a second (design 7)");
	connection_fail(connection, &err);
}

static size_t
queued_bytes(const struct connection *connection)
{
	return uv_stream_get_write_queue_size(&connection->socket->uv.stream);
}

/* Bytes that the network took since this was last asked. */
static uint64_t
bytes_taken(struct connection *connection)
{
	uint64_t taken = connection->given - queued_bytes(connection);
	uint64_t more = taken - connection->taken;

	connection->taken = taken;
	return more;
}

void
connection_tick(struct connection *connection, uint64_t now)
{
	if (connection->ended)
		return;
	if (connection->flushing &&
	    (connection_write_idle(connection) || now >= connection->flush_deadline)) {
		end(connection);
		return;
	}
	if (connection->rate > 0) {
		int64_t most = (int64_t)connection->rate;

		connection->budget +=
		    (int64_t)((now - connection->budget_at) * connection->rate / 1000);
		if (connection->budget > most)
			connection->budget = most;
	}
	connection->budget_at = now;
	connection_write_pump(connection);
	if (connection->ended)
		return;
	if (!connection_pace(
	        &connection->pace, queued_bytes(connection) > 0, bytes_taken(connection), now) ||
	    !connection_pace(
	        &connection->reading, connection->midway && connection->started, 0, now))
		fail_slow(connection);
}

void
connection_rate(struct connection *connection, uint64_t rate)
{
	connection->rate = rate > INT32_MAX ? INT32_MAX : rate;
	connection_write_pump(connection);
}
