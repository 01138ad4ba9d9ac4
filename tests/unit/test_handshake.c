/*
 * P6, P7: who does not belong here learns nothing and costs little (design 6 and 7): the limits before
 * a handshake, its silence, and replays.  Real sockets on loopback, one thread, a clock that
 * the test moves.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/net/dial.h"
#include "node/net/handshake.h"
#include "node/net/listener.h"
#include "tests/unit/vectors.h"

struct fixture {
	uv_loop_t loop;
	struct handshakes *handshakes;
	struct listener *listener;
	struct replay replay;
	uint8_t secrets[2][NOISE_KEY]; /* the responder's, the client's */
	uint8_t keys[2][NOISE_KEY];
	uint8_t psk[NOISE_KEY];
	unsigned done, good, remembered;
	struct noise_result result;
	struct handshake_tag outgoing;
	int last_code;
};

static int
find_psk(void *cookie, const uint8_t remote[static NOISE_KEY], uint8_t psk[static NOISE_KEY])
{
	struct fixture *f = cookie;

	if (memcmp(remote, f->keys[1], NOISE_KEY) != 0)
		return ERR_REFUSED;
	memcpy(psk, f->psk, NOISE_KEY);
	return ERR_NONE;
}

static void
done(void *cookie, struct handshake_tag *tag, struct socket *socket,
    const struct noise_result *result, const struct err *err)
{
	struct fixture *f = cookie;

	if (tag->incoming)
		listener_leave((struct listener_ticket *)tag);
	f->done++;
	f->last_code = err == NULL ? 0 : err->code;
	if (socket != NULL) {
		f->good++;
		f->result = *result;
		socket_close(socket);
	}
}

static void
remembered(void *cookie, unsigned slot)
{
	struct fixture *f = cookie;

	(void)slot;
	f->remembered++;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct handshake_config config = {.find_psk = find_psk,
	    .done = done,
	    .replay = &f->replay,
	    .remembered = remembered,
	    .cookie = f};
	unsigned i;

	assert_int_equal(uv_loop_init(&f->loop), 0);
	for (i = 0; i < 2; i++) {
		memset(f->secrets[i], (int)i + 1, NOISE_KEY);
		assert_int_equal(noise_public_key(f->keys[i], f->secrets[i]), 0);
	}
	memset(f->psk, 7, NOISE_KEY);
	config.secret = f->secrets[0];
	f->handshakes = handshakes_new(&config);
	assert_non_null(f->handshakes);
	assert_int_equal(
	    listener_open(&f->listener, &f->loop, f->handshakes, "127.0.0.1:0", NULL), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	handshakes_stop(f->handshakes);
	listener_close(f->listener);
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	handshakes_free(f->handshakes);
	free(f);
	return 0;
}

static void
spin(struct fixture *f, unsigned milliseconds)
{
	unsigned i;

	for (i = 0; i < milliseconds; i++) {
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
		(void)usleep(1000);
	}
}

static int
client(struct fixture *f)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	const char *colon = strrchr(listener_address(f->listener), ':');
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

enum heard { HEARD_NOTHING, HEARD_BYTES, HEARD_END };

static enum heard
hear(int fd, uint8_t *bytes, size_t size)
{
	ssize_t got = recv(fd, bytes, size, MSG_DONTWAIT);

	if (got < 0 && errno != EAGAIN)
		return HEARD_END;
	return got < 0 ? HEARD_NOTHING : got == 0 ? HEARD_END : HEARD_BYTES;
}

/* The client's side, in one step: the first message, or the third in answer to the second. */
static void
client_write(struct fixture *f, struct noise *noise, struct buffer *out)
{
	struct noise_keys keys = {.secret = f->secrets[1], .remote = f->keys[0], .psk = f->psk};
	uint8_t ephemeral[NOISE_KEY];

	randombytes_buf(ephemeral, sizeof(ephemeral));
	if (out->size == 0)
		assert_int_equal(noise_init(noise, NOISE_DALIL, NOISE_INITIATOR,
		                     view_text(NOISE_PROLOGUE), &keys, NULL),
		    0);
	buffer_clear(out);
	assert_int_equal(noise_write(noise, ephemeral, view_of("", 0), out, NULL), 0);
}

/* After the deadline it hangs up, and not before. */
static void
expect_silence(struct fixture *f, int fd)
{
	uint8_t bytes[100];

	spin(f, 5);
	handshakes_tick(f->handshakes, uv_now(&f->loop) + HANDSHAKE_MS - 1000);
	spin(f, 5);
	assert_int_equal(hear(fd, bytes, sizeof(bytes)), HEARD_NOTHING);
	handshakes_tick(f->handshakes, uv_now(&f->loop) + HANDSHAKE_MS + 1);
	spin(f, 5);
	assert_int_equal(hear(fd, bytes, sizeof(bytes)), HEARD_END);
	assert_int_equal(f->good, 0);
	(void)close(fd);
}

static void
test_good(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[100];
	struct buffer message, payload;
	struct noise_result result;
	struct noise noise;
	int fd = client(f);

	buffer_init(&message, 100);
	buffer_init(&payload, 100);
	client_write(f, &noise, &message);
	/* In two pieces, and with the third message's first byte not yet. */
	assert_int_equal(send(fd, message.data, 20, 0), 20);
	spin(f, 3);
	assert_int_equal(send(fd, message.data + 20, 28, 0), 28);
	spin(f, 3);
	assert_int_equal(hear(fd, bytes, NOISE_DALIL_SECOND), HEARD_BYTES);
	assert_int_equal(noise_read(&noise, view_of(bytes, NOISE_DALIL_SECOND), &payload, NULL), 0);
	client_write(f, &noise, &message);
	assert_int_equal(send(fd, message.data, message.size, 0), NOISE_DALIL_THIRD);
	spin(f, 3);
	assert_int_equal(f->good, 1);
	assert_int_equal(f->remembered, 1);
	assert_int_equal(noise_split(&noise, &result, NULL), 0);
	assert_memory_equal(result.hash, f->result.hash, HASH_SIZE);
	assert_memory_equal(result.send, f->result.receive, NOISE_KEY);
	assert_memory_equal(f->result.remote, f->keys[1], NOISE_KEY);
	buffer_fini(&message);
	buffer_fini(&payload);
	(void)close(fd);
}

static void
test_garbage(void **state)
{
	struct fixture *f = *state;
	uint8_t garbage[200];
	int fd = client(f);

	randombytes_buf(garbage, sizeof(garbage));
	assert_int_equal(send(fd, garbage, sizeof(garbage), 0), sizeof(garbage));
	expect_silence(f, fd);
	assert_int_equal(f->remembered, 0);
}

static void
test_nothing_said(void **state)
{
	expect_silence(*state, client(*state));
}

/* A first message that another client sent and was answered: not a second time. */
static void
test_replay(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[100];
	struct buffer message;
	struct noise noise;
	int fd = client(f);

	buffer_init(&message, 100);
	client_write(f, &noise, &message);
	assert_int_equal(send(fd, message.data, message.size, 0), NOISE_DALIL_FIRST);
	spin(f, 5);
	assert_int_equal(hear(fd, bytes, sizeof(bytes)), HEARD_BYTES);
	(void)close(fd);
	fd = client(f);
	assert_int_equal(send(fd, message.data, message.size, 0), NOISE_DALIL_FIRST);
	expect_silence(f, fd);
	assert_int_equal(f->remembered, 1);
	buffer_fini(&message);
}

/* Somebody who knows our key and the form, and is not paired with us. */
static void
test_stranger(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[100];
	struct buffer message, payload;
	struct noise noise;
	int fd = client(f);

	memset(f->secrets[1], 9, NOISE_KEY);
	buffer_init(&message, 100);
	buffer_init(&payload, 100);
	client_write(f, &noise, &message);
	assert_int_equal(send(fd, message.data, message.size, 0), NOISE_DALIL_FIRST);
	spin(f, 5);
	assert_int_equal(hear(fd, bytes, NOISE_DALIL_SECOND), HEARD_BYTES);
	assert_int_equal(noise_read(&noise, view_of(bytes, NOISE_DALIL_SECOND), &payload, NULL), 0);
	client_write(f, &noise, &message);
	assert_int_equal(send(fd, message.data, message.size, 0), NOISE_DALIL_THIRD);
	expect_silence(f, fd);
	buffer_fini(&message);
	buffer_fini(&payload);
}

static void
test_locked(void **state)
{
	struct fixture *f = *state;
	struct buffer message;
	struct noise noise;
	int fd;

	handshakes_key(f->handshakes, NULL);
	fd = client(f);
	buffer_init(&message, 100);
	client_write(f, &noise, &message);
	assert_int_equal(send(fd, message.data, message.size, 0), NOISE_DALIL_FIRST);
	expect_silence(f, fd);
	buffer_fini(&message);
}

/* 64 may be half-open (loopback is exempt from the limit of 4); the next is closed at once. */
static void
test_half_open(void **state)
{
	struct fixture *f = *state;
	int fds[ADMISSION_HALF_OPEN + 3];
	uint8_t bytes[10];
	unsigned open = 0, closed = 0;
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		fds[i] = client(f);
		spin(f, 1);
	}
	spin(f, 10);
	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		enum heard heard = hear(fds[i], bytes, sizeof(bytes));

		open += heard == HEARD_NOTHING;
		closed += heard == HEARD_END;
		(void)close(fds[i]);
	}
	assert_int_equal(open, ADMISSION_HALF_OPEN);
	assert_int_equal(closed, 3);
	spin(f, 10);
	assert_int_equal(f->done, ADMISSION_HALF_OPEN);
	assert_true(handshake_state_size() < 1024);
	print_message("%zu bytes of state before authentication\n", handshake_state_size());
}

/* Our own dialling against our own listener. */
static void
dialled(void *cookie, struct socket *socket, const struct err *err)
{
	struct fixture *f = cookie;
	struct handshake_peer peer;

	assert_null(err);
	memcpy(peer.transport, f->keys[0], NOISE_KEY);
	memcpy(peer.psk, f->psk, NOISE_KEY);
	handshake_begin(
	    f->handshakes, socket, &peer, uv_now(&f->loop) + HANDSHAKE_MS, &f->outgoing);
}

static void
test_dial(void **state)
{
	struct fixture *f = *state;
	struct dial *dial;
	unsigned i;

	/* One key for both sides: the node is its own peer here. */
	memcpy(f->keys[1], f->keys[0], NOISE_KEY);
	assert_int_equal(
	    dial_start(&dial, &f->loop, listener_address(f->listener), dialled, f, NULL), 0);
	/* A loaded machine may take its time. */
	for (i = 0; i < 100 && f->done < 2; i++)
		spin(f, 50);
	assert_int_equal(f->good, 2);
	assert_int_equal(f->done, 2);
}

static void
refused(void *cookie, struct socket *socket, const struct err *err)
{
	struct fixture *f = cookie;

	assert_null(socket);
	f->last_code = err->code;
	f->done++;
}

static void
test_dial_refused(void **state)
{
	struct fixture *f = *state;
	struct dial *dial;

	assert_int_equal(dial_start(&dial, &f->loop, "127.0.0.1:1", refused, f, NULL), 0);
	spin(f, 50);
	assert_int_equal(f->last_code, ERR_NETWORK);
	assert_int_equal(dial_start(&dial, &f->loop, "unix:/nonexistent", refused, f, NULL), 0);
	spin(f, 20);
	assert_int_equal(f->done, 2);
	assert_int_equal(f->last_code, ERR_NETWORK);
	assert_int_equal(dial_start(&dial, &f->loop, "127.0.0.1", refused, f, NULL), ERR_USAGE);
	assert_int_equal(dial_start(&dial, &f->loop, "127.0.0.1:1", refused, f, NULL), 0);
	dial_cancel(dial);
	spin(f, 20);
	assert_int_equal(f->done, 3);
	assert_int_equal(f->last_code, ERR_CANCELLED);
}

static void
test_admission(void **state)
{
	struct admission *admission = calloc(1, sizeof(*admission));
	uint8_t key[ADMISSION_KEY];
	int tickets[ADMISSION_HALF_OPEN];
	unsigned admitted = 0;
	int ticket;
	unsigned i;

	(void)state;
	admission_init(admission);
	assert_true(admission_key(key, (const uint8_t[]){192, 0, 2, 1}, 4));
	for (i = 0; i < 10; i++) {
		if (admission_enter(admission, key, 1000, &tickets[admitted]))
			admitted++;
	}
	assert_int_equal(admitted, ADMISSION_PER_ADDRESS);
	for (i = 0; i < admitted; i++)
		admission_leave(admission, tickets[i]);
	/* 20 a minute, of which 4 are spent; one comes back every 3 seconds. */
	for (i = 0, admitted = 0; i < 100; i++) {
		if (admission_enter(admission, key, 1000, &ticket)) {
			admission_leave(admission, ticket);
			admitted++;
		}
	}
	assert_int_equal(admitted, ADMISSION_PER_MINUTE - ADMISSION_PER_ADDRESS);
	assert_false(admission_enter(admission, key, 3900, &ticket));
	assert_true(admission_enter(admission, key, 4000, &ticket));
	admission_leave(admission, ticket);
	assert_false(admission_enter(admission, key, 4000, &ticket));
	/* Others are not held up by it; exempt ones only by the limit in all. */
	assert_true(admission_key(key, (const uint8_t[]){192, 0, 2, 2}, 4));
	assert_true(admission_enter(admission, key, 4000, &ticket));
	admission_leave(admission, ticket);
	for (i = 0, admitted = 0; i < 100; i++) {
		if (admission_enter(admission, NULL, 4000, &ticket))
			admitted++;
	}
	assert_int_equal(admitted, ADMISSION_HALF_OPEN);
	assert_false(admission_enter(admission, key, 4000, &ticket));
	for (i = 0; i < admitted; i++)
		admission_leave(admission, ADMISSION_EXEMPT);
	/* More addresses than rows: the table stays as it is. */
	for (i = 0, admitted = 0; i < 3 * ADMISSION_ADDRESSES; i++) {
		put_u64(key, UINT64_C(0x2001000000000000) + i);
		if (admission_enter(admission, key, 5000 + i, &ticket)) {
			admission_leave(admission, ticket);
			admitted++;
		}
	}
	assert_int_equal(admitted, 3 * ADMISSION_ADDRESSES);
	assert_int_equal(admission->half_open, 0);
	free(admission);
}

static void
test_admission_keys(void **state)
{
	uint8_t a[ADMISSION_KEY], b[ADMISSION_KEY];
	uint8_t six[16] = {0x20, 1, 0xd, 0xb8};
	uint8_t mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};

	(void)state;
	assert_false(admission_key(a, (const uint8_t[]){127, 9, 9, 9}, 4));
	assert_true(admission_key(a, (const uint8_t[]){192, 0, 2, 1}, 4));
	assert_true(admission_key(b, mapped, 16));
	assert_memory_equal(a, b, ADMISSION_KEY);
	assert_true(admission_key(a, six, 16));
	six[15] = 1;
	assert_true(admission_key(b, six, 16));
	assert_memory_equal(a, b, ADMISSION_KEY);
	six[7] = 1;
	assert_true(admission_key(b, six, 16));
	assert_memory_not_equal(a, b, ADMISSION_KEY);
	memset(six, 0, sizeof(six));
	six[15] = 1;
	assert_false(admission_key(a, six, 16));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_good, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_nothing_said, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_replay, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_stranger, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_locked, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_half_open, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_dial, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_dial_refused, setup, teardown),
	    cmocka_unit_test(test_admission),
	    cmocka_unit_test(test_admission_keys),
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
