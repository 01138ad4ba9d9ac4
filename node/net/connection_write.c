#include "node/net/connection_internal.h"

#include <stdlib.h>

/*
 * The happy path: messages queue up; as many as make about 1 MiB are sealed together, on a worker if
 * they are much; what is sealed is written with one request, and sealing goes on meanwhile up to
 * CONNECTION_WRITING bytes; the owner is told once the network has taken them.
 *
 * Possible failures: memory runs out, or the network breaks: connection_fail.  Sealing that is under way
 * when the connection ends comes home and is thrown away.
 */

#define SEAL_TOGETHER ((size_t)1 << 20)

static void
outgoing_free(struct outgoing *first)
{
	while (first != NULL) {
		struct outgoing *outgoing = first;

		first = outgoing->next;
		buffer_fini(&outgoing->head);
		chunk_drop(outgoing->chunk);
		free(outgoing);
	}
}

static void
sealing_free(struct sealing *sealing)
{
	outgoing_free(sealing->first);
	free(sealing->bytes);
	free(sealing);
}

static void
fail(struct connection *connection, int status, const char *what)
{
	struct err err = {0};

	if (status == 0)
		(void)err_set(&err, ERR_MEMORY, "%s: no memory", what);
	else
		(void)socket_error(&err, status, what);
	connection_fail(connection, &err);
}

static void
written(uv_write_t *request, int status)
{
	struct writing *writing = request->data;
	struct connection *connection = writing->connection;

	connection->writing -= writing->size;
	if (status != 0)
		fail(connection, status, "writing");
	else if (!connection->ended)
		connection->events->sent(connection->owner, connection, writing->plain);
	free(writing->bytes);
	free(writing);
	if (!connection->ended) {
		connection_write_pump(connection);
		if (connection->flushing && connection_write_idle(connection))
			connection_tick(connection, uv_now(connection->socket->uv.handle.loop));
	}
	connection_release(connection);
}

/* Takes the sealed bytes out of ${sealing}. */
static void
write_sealed(struct connection *connection, struct sealing *sealing)
{
	struct writing *writing = calloc(1, sizeof(*writing));
	uv_buf_t out;
	int status;

	if (writing == NULL) {
		fail(connection, 0, "writing");
		return;
	}
	*writing = (struct writing){.connection = connection,
	    .bytes = sealing->bytes,
	    .size = sealing->size,
	    .plain = sealing->plain};
	sealing->bytes = NULL;
	writing->request.data = writing;
	out = uv_buf_init((char *)writing->bytes, (unsigned)writing->size);
	status = uv_write(&writing->request, &connection->socket->uv.stream, &out, 1, written);
	if (status != 0) {
		free(writing->bytes);
		free(writing);
		fail(connection, status, "writing");
		return;
	}
	connection->writing += writing->size;
	connection->given += writing->size;
	connection_hold(connection);
}

static void
seal(struct sealing *sealing)
{
	const struct outgoing *outgoing;
	uint8_t *at;

	sealing->bytes = malloc(sealing->size);
	sealing->result = sealing->bytes == NULL ? ERR_MEMORY : ERR_NONE;
	at = sealing->bytes;
	for (outgoing = sealing->first; outgoing != NULL && sealing->result == ERR_NONE;
	     outgoing = outgoing->next) {
		struct view pieces[2] = {buffer_view(&outgoing->head), outgoing->tail};

		sealing->result = frame_seal(sealing->connection->writer, at, pieces, 2);
		at += frame_sealed_size(pieces[0].size + pieces[1].size);
	}
}

static void
sealed(struct sealing *sealing)
{
	struct connection *connection = sealing->connection;

	if (!connection->ended) {
		if (sealing->result != ERR_NONE)
			fail(connection, 0, "sealing");
		else
			write_sealed(connection, sealing);
	}
	sealing_free(sealing);
}

static void
work(uv_work_t *request)
{
	seal(request->data);
}

static void
after_work(uv_work_t *request, int status)
{
	struct sealing *sealing = request->data;
	struct connection *connection = sealing->connection;

	(void)status;
	connection->sealing = NULL;
	sealed(sealing);
	if (!connection->ended)
		connection_write_pump(connection);
	connection_release(connection);
}

/* The first messages of the queue, about SEAL_TOGETHER of them and at least one. */
static struct sealing *
gather(struct connection *connection)
{
	struct sealing *sealing = calloc(1, sizeof(*sealing));
	struct outgoing **end;

	if (sealing == NULL)
		return NULL;
	sealing->connection = connection;
	sealing->work.data = sealing;
	end = &sealing->first;
	while (connection->first != NULL && sealing->size < SEAL_TOGETHER) {
		struct outgoing *outgoing = connection->first;
		size_t plain = outgoing->head.size + outgoing->tail.size;

		connection->first = outgoing->next;
		outgoing->next = NULL;
		*end = outgoing;
		end = &outgoing->next;
		sealing->plain += plain;
		sealing->size += frame_sealed_size(plain);
	}
	if (connection->first == NULL)
		connection->last = &connection->first;
	return sealing;
}

void
connection_write_pump(struct connection *connection)
{
	while (!connection->ended && connection->first != NULL && connection->sealing == NULL &&
	       connection->writing < CONNECTION_WRITING &&
	       (connection->rate == 0 || connection->budget > 0)) {
		struct sealing *sealing = gather(connection);

		if (sealing == NULL) {
			fail(connection, 0, "sealing");
			return;
		}
		connection->budget -= (int64_t)sealing->size;
		if (sealing->size >= CONNECTION_INLINE &&
		    uv_queue_work(connection->socket->uv.handle.loop, &sealing->work, work,
		        after_work) == 0) {
			connection->sealing = sealing;
			connection_hold(connection);
			return;
		}
		seal(sealing);
		sealed(sealing);
	}
}

int
connection_send(
    struct connection *connection, struct buffer *head, struct chunk *chunk, struct view tail)
{
	struct outgoing *outgoing;

	if (connection->ended || connection->flushing)
		return ERR_NETWORK;
	outgoing = malloc(sizeof(*outgoing));
	if (outgoing == NULL)
		return ERR_MEMORY;
	*outgoing = (struct outgoing){
	    .head = *head, .chunk = chunk == NULL ? NULL : chunk_take(chunk), .tail = tail};
	buffer_init(head, head->limit);
	*connection->last = outgoing;
	connection->last = &outgoing->next;
	connection_write_pump(connection);
	return ERR_NONE;
}

bool
connection_write_idle(const struct connection *connection)
{
	return connection->first == NULL && connection->sealing == NULL && connection->writing == 0;
}

void
connection_write_drop(struct connection *connection)
{
	outgoing_free(connection->first);
}
