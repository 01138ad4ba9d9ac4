#include "node/net/connection_internal.h"

#include <stdlib.h>

/*
 * The happy path: bytes are read into ${input}; when no worker is opening, the two inputs change
 * places and what has come is opened, on a worker if it is much; whole messages go to the owner in
 * order; then the next round begins with what was read meanwhile.
 *
 * Possible failures: the stream ends or breaks: everything that came before is opened and delivered
 * first; a frame does not open; memory runs out.  All end in connection_fail.
 * Back-pressure: reading stops while the owner does not want to, and while ${input} is full.
 */

static void open_input(struct connection *connection);

static void
give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct socket *socket = handle->data;
	struct connection *connection = socket->owner;
	struct input *input = &connection->input;

	(void)suggested;
	if (input->bytes == NULL)
		input->bytes = malloc(CONNECTION_INPUT);
	if (input->bytes == NULL)
		*buf = uv_buf_init(NULL, 0);
	else
		*buf = uv_buf_init(
		    (char *)input->bytes + input->size, (unsigned)(CONNECTION_INPUT - input->size));
}

/* What came before the end is delivered first: there may be a goodbye in it. */
static void
end_of_stream(struct connection *connection, const struct err *err)
{
	if (!connection->opening) {
		connection_fail(connection, err);
		return;
	}
	connection->stream_err = *err;
	connection->allowed = false;
	connection_read_update(connection);
}

static void
read_some(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct socket *socket = stream->data;
	struct connection *connection = socket->owner;
	struct err err = {0};

	(void)buf;
	if (count == 0)
		return;
	connection_hold(connection);
	if (count < 0) {
		if (count == UV_EOF)
			(void)err_set(&err, ERR_NETWORK, "it hung up");
		else
			(void)socket_error(&err, (int)count, "reading");
		end_of_stream(connection, &err);
	} else {
		connection->input.size += (size_t)count;
		connection->reading.bytes += (size_t)count;
		if (!connection->opening)
			open_input(connection);
		connection_read_update(connection);
	}
	connection_release(connection);
}

void
connection_read_update(struct connection *connection)
{
	bool start = connection->allowed && !connection->ended && !connection->flushing &&
	             connection->input.size < CONNECTION_INPUT;
	int status = 0;

	if (connection->ended || start == connection->started)
		return;
	if (start)
		status = uv_read_start(&connection->socket->uv.stream, give_room, read_some);
	else
		(void)uv_read_stop(&connection->socket->uv.stream);
	connection->started = start && status == 0;
	if (status != 0) {
		struct err err = {0};

		(void)socket_error(&err, status, "reading");
		connection_fail(connection, &err);
	}
}

void
connection_read(struct connection *connection, bool on)
{
	connection->allowed = on && connection->stream_err.code == ERR_NONE;
	connection_read_update(connection);
}

static int
keep_message(struct connection *connection, struct view message, struct err *err)
{
	struct incoming *incoming = malloc(sizeof(*incoming));

	if (incoming == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a message");
	*incoming =
	    (struct incoming){.memory = frame_reader_take(connection->reader), .message = message};
	*connection->incoming_end = incoming;
	connection->incoming_end = &incoming->next;
	return ERR_NONE;
}

/* On a worker, or on the loop for a little. */
static void
open_bytes(struct connection *connection)
{
	struct view bytes = view_of(connection->opened_input.bytes, connection->opened_input.size);
	struct view message;
	int code = ERR_NONE;

	connection->open_err = (struct err){0};
	while (code == ERR_NONE && bytes.size > 0) {
		int got = frame_feed(connection->reader, &bytes, &message, &connection->open_err);

		if (got == 1)
			code = keep_message(connection, message, &connection->open_err);
		else if (got < 0)
			code = got;
	}
	connection->open_err.code = code;
	connection->opened_input.size = 0;
}

/* The owner may end the connection from within: what is left then is dropped with it. */
static void
deliver(struct connection *connection)
{
	while (connection->incoming != NULL && !connection->ended && !connection->flushing) {
		struct incoming *incoming = connection->incoming;

		connection->incoming = incoming->next;
		if (connection->incoming == NULL)
			connection->incoming_end = &connection->incoming;
		connection->events->message(
		    connection->owner, connection, incoming->memory, incoming->message);
		free(incoming);
	}
	connection->midway = frame_reader_midway(connection->reader);
	if (connection->open_err.code != ERR_NONE)
		connection_fail(connection, &connection->open_err);
}

static void
work(uv_work_t *request)
{
	open_bytes(request->data);
}

static void
after_work(uv_work_t *request, int status)
{
	struct connection *connection = request->data;

	(void)status;
	connection->opening = false;
	deliver(connection);
	if (!connection->ended) {
		open_input(connection);
		connection_read_update(connection);
	}
	if (!connection->opening && connection->stream_err.code != ERR_NONE)
		connection_fail(connection, &connection->stream_err);
	connection_release(connection);
}

static void
open_input(struct connection *connection)
{
	struct input full = connection->input;

	if (full.size == 0)
		return;
	connection->input = connection->opened_input;
	connection->opened_input = full;
	if (full.size < CONNECTION_INLINE) {
		open_bytes(connection);
		deliver(connection);
		return;
	}
	connection->opening = true;
	connection->open_work.data = connection;
	connection_hold(connection);
	if (uv_queue_work(connection->socket->uv.handle.loop, &connection->open_work, work,
	        after_work) != 0) {
		open_bytes(connection);
		after_work(&connection->open_work, 0);
	}
}

void
connection_read_drop(struct connection *connection)
{
	while (connection->incoming != NULL) {
		struct incoming *incoming = connection->incoming;

		connection->incoming = incoming->next;
		free(incoming->memory);
		free(incoming);
	}
	free(connection->input.bytes);
	free(connection->opened_input.bytes);
}
