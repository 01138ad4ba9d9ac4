#include "node/net/handshake.h"

#include <sodium.h>
#include <stdlib.h>

/*
 * The happy path, as responder: read 48 bytes, refuse a replay, write 48, read 64, done.  As initiator:
 * write 48, read 48, write 64, done.
 *
 * Possible failures: the other side hangs up or sends what does not open; it is a replay; it is
 * nobody that we are paired with; the deadline passes; no slot, or no key (locked).  The initiator
 * ends at once; the responder goes deaf: it reads on, answers nothing, and ends at its deadline or
 * when the other side hangs up.
 *
 * Messages are far smaller than an empty socket buffer, so they are written with uv_try_write, which
 * needs no request of its own; one that does not go out whole is a failure.
 */

enum state { STATE_FREE, STATE_READING, STATE_DEAF };

struct handshake {
	struct handshakes *all;
	struct socket *socket;
	struct handshake_tag *tag;
	uint64_t deadline;
	enum state state;
	enum noise_role role;
	uint8_t size;   /* bytes of the message that are here */
	uint8_t wanted; /* bytes of the message */
	uint8_t bytes[NOISE_DALIL_THIRD];
};

struct handshakes {
	struct handshake_config config;
	struct noise *noises; /* sodium_malloc, one for each slot */
	uint8_t *secret;      /* sodium_malloc */
	bool locked;
	uint8_t junk[4096]; /* what the deaf hear */
	struct handshake slots[HANDSHAKES_MAX];
};

size_t
handshake_state_size(void)
{
	return sizeof(struct handshake) + sizeof(struct noise) + sizeof(struct socket);
}

struct handshakes *
handshakes_new(const struct handshake_config *config)
{
	struct handshakes *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return NULL;
	all->config = *config;
	all->noises = sodium_allocarray(HANDSHAKES_MAX, sizeof(*all->noises));
	all->secret = sodium_malloc(NOISE_KEY);
	if (all->noises == NULL || all->secret == NULL) {
		handshakes_free(all);
		return NULL;
	}
	handshakes_key(all, config->secret);
	return all;
}

void
handshakes_free(struct handshakes *all)
{
	if (all == NULL)
		return;
	sodium_free(all->noises);
	sodium_free(all->secret);
	free(all);
}

void
handshakes_key(struct handshakes *all, const uint8_t *secret)
{
	all->locked = secret == NULL;
	if (secret == NULL)
		sodium_memzero(all->secret, NOISE_KEY);
	else
		memcpy(all->secret, secret, NOISE_KEY);
}

static struct noise *
noise_of(const struct handshake *handshake)
{
	return &handshake->all->noises[handshake - handshake->all->slots];
}

/* Frees the slot before it tells, for the owner may begin another one. */
static void
finish(struct handshake *handshake, const struct noise_result *result, const struct err *err)
{
	struct handshakes *all = handshake->all;
	struct socket *socket = handshake->socket;
	struct handshake_tag *tag = handshake->tag;

	noise_fini(noise_of(handshake));
	handshake->state = STATE_FREE;
	handshake->socket = NULL;
	socket->owner = NULL;
	(void)uv_read_stop(&socket->uv.stream);
	if (result == NULL) {
		socket_close(socket);
		socket = NULL;
	}
	all->config.done(all->config.cookie, tag, socket, result, err);
}

/* The responder says nothing, and looks the same for whatever went wrong. */
static void
fail(struct handshake *handshake, const struct err *err)
{
	if (handshake->role == NOISE_INITIATOR) {
		finish(handshake, NULL, err);
		return;
	}
	noise_fini(noise_of(handshake));
	handshake->state = STATE_DEAF;
}

static int
send_message(struct handshake *handshake, struct err *err)
{
	uint8_t ephemeral[NOISE_KEY];
	struct buffer message;
	uv_buf_t out;
	int code;
	int written;

	buffer_init(&message, NOISE_DALIL_THIRD);
	randombytes_buf(ephemeral, sizeof(ephemeral));
	code = noise_write(noise_of(handshake), ephemeral, view_of("", 0), &message, err);
	sodium_memzero(ephemeral, sizeof(ephemeral));
	if (code == ERR_NONE) {
		out = uv_buf_init((char *)message.data, (unsigned)message.size);
		written = uv_try_write(&handshake->socket->uv.stream, &out, 1);
		if (written < 0)
			code = socket_error(err, written, "writing a handshake");
		else if ((size_t)written != message.size)
			code =
			    err_set(err, ERR_NETWORK, "a handshake message did not go out whole");
	}
	buffer_fini(&message);
	handshake->size = 0;
	handshake->wanted =
	    handshake->role == NOISE_INITIATOR ? NOISE_DALIL_SECOND : NOISE_DALIL_THIRD;
	return code;
}

static void
complete(struct handshake *handshake)
{
	struct noise_result result;
	struct err err = {0};

	if (noise_split(noise_of(handshake), &result, &err) != ERR_NONE)
		finish(handshake, NULL, &err);
	else
		finish(handshake, &result, NULL);
	sodium_memzero(&result, sizeof(result));
}

/* A replay is looked for once the message has opened: strangers cannot fill the memory. */
static int
refuse_replay(struct handshake *handshake, struct err *err)
{
	struct handshakes *all = handshake->all;
	const uint8_t *ephemeral = noise_of(handshake)->remote_ephemeral;
	unsigned slot;

	if (replay_known(all->config.replay, ephemeral))
		return err_set(err, ERR_REFUSED, "a handshake was replayed (design 6)");
	slot = replay_remember(all->config.replay, ephemeral);
	if (all->config.remembered != NULL)
		all->config.remembered(all->config.cookie, slot);
	return ERR_NONE;
}

static void
take_message(struct handshake *handshake)
{
	struct noise *noise = noise_of(handshake);
	bool first = noise->next == 0;
	struct buffer payload;
	struct err err = {0};
	int code;

	buffer_init(&payload, NOISE_DALIL_THIRD);
	code = noise_read(noise, view_of(handshake->bytes, handshake->wanted), &payload, &err);
	buffer_fini(&payload);
	if (code == ERR_NONE && first)
		code = refuse_replay(handshake, &err);
	if (code == ERR_NONE && noise_writes(noise))
		code = send_message(handshake, &err);
	if (code != ERR_NONE)
		fail(handshake, &err);
	else if (noise_done(noise))
		complete(handshake);
}

/* Room for exactly what the message lacks: what follows the last one is the connection's. */
static void
give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct socket *socket = handle->data;
	struct handshake *handshake = socket->owner;

	(void)suggested;
	if (handshake->state == STATE_DEAF)
		*buf = uv_buf_init((char *)handshake->all->junk, sizeof(handshake->all->junk));
	else
		*buf = uv_buf_init((char *)handshake->bytes + handshake->size,
		    (unsigned)(handshake->wanted - handshake->size));
}

static void
read_some(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct socket *socket = stream->data;
	struct handshake *handshake = socket->owner;
	struct err err = {0};

	(void)buf;
	if (count < 0) {
		(void)err_set(&err, ERR_NETWORK, "hung up in the handshake");
		finish(handshake, NULL, &err);
		return;
	}
	if (count == 0 || handshake->state == STATE_DEAF)
		return;
	handshake->size = (uint8_t)(handshake->size + count);
	if (handshake->size == handshake->wanted)
		take_message(handshake);
}

static struct handshake *
free_slot(struct handshakes *all)
{
	size_t i;

	for (i = 0; i < HANDSHAKES_MAX; i++) {
		if (all->slots[i].state == STATE_FREE)
			return &all->slots[i];
	}
	return NULL;
}

static int
start(struct handshake *handshake, const struct handshake_peer *peer, struct err *err)
{
	struct handshakes *all = handshake->all;
	struct noise_keys keys = {.secret = all->secret,
	    .remote = peer == NULL ? NULL : peer->transport,
	    .psk = peer == NULL ? NULL : peer->psk,
	    .find_psk = all->config.find_psk,
	    .cookie = all->config.cookie};
	int code;

	if (all->locked)
		return err_set(err, ERR_LOCKED, "the node's keys are locked");
	code = noise_init(noise_of(handshake), NOISE_DALIL, handshake->role,
	    view_text(NOISE_PROLOGUE), &keys, err);
	if (code == ERR_NONE && peer != NULL)
		code = send_message(handshake, err);
	return code;
}

void
handshake_begin(struct handshakes *all, struct socket *socket, const struct handshake_peer *peer,
    uint64_t deadline, struct handshake_tag *tag)
{
	struct handshake *handshake = free_slot(all);
	struct err err = {0};
	int status;

	if (handshake == NULL) {
		socket_close(socket);
		(void)err_set(&err, ERR_LIMIT, "too many handshakes at once");
		all->config.done(all->config.cookie, tag, NULL, NULL, &err);
		return;
	}
	*handshake = (struct handshake){.all = all,
	    .socket = socket,
	    .tag = tag,
	    .deadline = deadline,
	    .state = STATE_READING,
	    .role = peer == NULL ? NOISE_RESPONDER : NOISE_INITIATOR,
	    .wanted = NOISE_DALIL_FIRST};
	socket->owner = handshake;
	status = uv_read_start(&socket->uv.stream, give_room, read_some);
	if (status != 0) {
		(void)socket_error(&err, status, "reading a handshake");
		finish(handshake, NULL, &err);
		return;
	}
	if (start(handshake, peer, &err) != ERR_NONE)
		fail(handshake, &err);
}

void
handshakes_tick(struct handshakes *all, uint64_t now)
{
	struct err err = {0};
	size_t i;

	for (i = 0; i < HANDSHAKES_MAX; i++) {
		if (all->slots[i].state == STATE_FREE || now < all->slots[i].deadline)
			continue;
		(void)err_set(&err, ERR_TIMEOUT,
		    all->slots[i].role == NOISE_INITIATOR ?
		        "no answer to the handshake: another key there, or no dalil" :
		        "no handshake within ten seconds");
		finish(&all->slots[i], NULL, &err);
	}
}

void
handshakes_stop(struct handshakes *all)
{
	struct err err = {0};
	size_t i;

	(void)err_set(&err, ERR_CANCELLED, "the node is stopping");
	for (i = 0; i < HANDSHAKES_MAX; i++) {
		if (all->slots[i].state != STATE_FREE)
			finish(&all->slots[i], NULL, &err);
	}
}
