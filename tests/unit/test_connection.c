/*
 * P7: whole messages over a socket (docs/wire.md section 2): in order and complete, sealed and
 * opened on workers, bounded, and ended when the other side is hostile, slow or gone.
 */
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "node/net/connection.h"
#include "tests/unit/vectors.h"

struct side {
	struct connection *connection;
	uint64_t expected; /* number of the next message */
	uint64_t messages;
	uint64_t bytes;
	uint64_t sent;
	unsigned closed;
	int code;
	bool close_at_first;
};

struct fixture {
	uv_loop_t loop;
	struct side sides[2];
	int fds[2];
};

/* A message says its number and is filled with it. */
static void
on_message(void *owner, struct connection *connection, void *memory, struct view message)
{
	struct side *side = owner;

	assert_true(message.size >= 8);
	assert_int_equal(get_u64(message.data), side->expected);
	assert_int_equal(message.data[message.size - 1], (uint8_t)side->expected);
	side->expected++;
	side->messages++;
	side->bytes += message.size;
	free(memory);
	if (side->close_at_first)
		connection_close(connection);
}

static void
on_sent(void *owner, struct connection *connection, size_t bytes)
{
	struct side *side = owner;

	(void)connection;
	side->sent += bytes;
}

static void
on_closed(void *owner, struct connection *connection, const struct err *err)
{
	struct side *side = owner;

	(void)connection;
	side->connection = NULL;
	side->closed++;
	side->code = err == NULL ? 0 : err->code;
}

static const struct connection_events events = {
    .message = on_message, .sent = on_sent, .closed = on_closed};

static struct socket *
open_socket(struct fixture *f, int fd)
{
	struct socket *socket = socket_new(&f->loop, SOCKET_UNIX);

	assert_non_null(socket);
	assert_int_equal(uv_pipe_open(&socket->uv.pipe, fd), 0);
	return socket;
}

/* The second side may stay a bare file descriptor. */
static void
setup_sides(struct fixture *f, unsigned count)
{
	struct noise_result results[2];
	unsigned i;

	memset(f, 0, sizeof(*f));
	memset(results, 0, sizeof(results));
	memset(results[0].send, 1, NOISE_KEY);
	memset(results[0].receive, 2, NOISE_KEY);
	memset(results[1].send, 2, NOISE_KEY);
	memset(results[1].receive, 1, NOISE_KEY);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, f->fds), 0);
	for (i = 0; i < count; i++) {
		f->sides[i].connection =
		    connection_new(open_socket(f, f->fds[i]), &results[i], &events, &f->sides[i]);
		assert_non_null(f->sides[i].connection);
		connection_read(f->sides[i].connection, true);
	}
}

static void
finish(struct fixture *f)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		if (f->sides[i].connection != NULL)
			connection_close(f->sides[i].connection);
	}
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&f->loop), 0);
}

static void
send_message(struct connection *connection, uint64_t number, size_t size, size_t tail)
{
	struct buffer head;
	struct chunk *chunk = NULL;
	struct view bytes = {0};
	uint8_t *data;

	buffer_init(&head, FRAME_MESSAGE_MAX);
	memset(buffer_extend(&head, size), (int)(uint8_t)number, size);
	put_u64(head.data, number);
	if (tail > 0) {
		chunk = chunk_new(tail, &data);
		assert_non_null(chunk);
		memset(data, (int)(uint8_t)number, tail);
		bytes = chunk->bytes;
	} else {
		head.data[size - 1] = (uint8_t)number;
	}
	assert_int_equal(connection_send(connection, &head, chunk, bytes), 0);
	buffer_fini(&head);
	chunk_drop(chunk);
}

static void
run_until(struct fixture *f, const uint64_t *value, uint64_t wanted)
{
	unsigned turns;

	for (turns = 0; *value < wanted && turns < 1000000; turns++)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	assert_true(*value >= wanted);
}

static size_t
size_of(unsigned number)
{
	return 9 + number * 7919u % (number % 5 == 0 ? 300000u : 400u);
}

static void
test_both_ways(void **state)
{
	struct fixture f;
	uint64_t bytes = 0;
	unsigned i;

	(void)state;
	setup_sides(&f, 2);
	for (i = 0; i < 600; i++) {
		send_message(f.sides[0].connection, i, size_of(i), i % 3 == 0 ? 1000 : 0);
		send_message(f.sides[1].connection, i, size_of(i), 0);
		bytes += size_of(i) + (i % 3 == 0 ? 1000 : 0);
	}
	run_until(&f, &f.sides[0].messages, 600);
	run_until(&f, &f.sides[1].messages, 600);
	assert_int_equal(f.sides[1].bytes, bytes);
	run_until(&f, &f.sides[0].sent, bytes);
	assert_int_equal(f.sides[0].sent, bytes);
	finish(&f);
	assert_int_equal(f.sides[0].closed, 1);
	assert_int_equal(f.sides[1].closed, 1);
}

static double
seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* 256 leaves, a few in flight; says the speed. */
static void
test_bulk(void **state)
{
	struct fixture f;
	double begin = seconds();
	unsigned i;

	(void)state;
	setup_sides(&f, 2);
	for (i = 0; i < 256; i++) {
		send_message(f.sides[0].connection, i, 100, 1048832);
		if (i >= 8)
			run_until(&f, &f.sides[1].messages, i - 8);
	}
	run_until(&f, &f.sides[1].messages, 256);
	print_message("%.2f GB/s through a socket\n", 256 * 1048932.0 / 1e9 / (seconds() - begin));
	finish(&f);
}

/* Closing sends what is queued; the other side sees all of it before the end. */
static void
test_flush(void **state)
{
	struct fixture f;
	unsigned i;

	(void)state;
	setup_sides(&f, 2);
	for (i = 0; i < 20; i++)
		send_message(f.sides[0].connection, i, 200000, 0);
	connection_close(f.sides[0].connection);
	assert_int_equal(uv_run(&f.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(f.sides[0].closed, 1);
	assert_int_equal(f.sides[0].code, 0);
	assert_int_equal(f.sides[1].messages, 20);
	assert_int_equal(f.sides[1].closed, 1);
	assert_int_equal(f.sides[1].code, ERR_NETWORK);
	finish(&f);
}

/* The owner closes from within a message, with more of them opened already. */
static void
test_close_within(void **state)
{
	struct fixture f;
	unsigned i;

	(void)state;
	setup_sides(&f, 2);
	f.sides[1].close_at_first = true;
	for (i = 0; i < 300; i++)
		send_message(f.sides[0].connection, i, 500, 0);
	assert_int_equal(uv_run(&f.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(f.sides[1].messages, 1);
	assert_int_equal(f.sides[1].code, 0);
	assert_int_equal(f.sides[0].closed, 1);
	finish(&f);
}

static void
test_garbage(void **state)
{
	struct fixture f;
	uint8_t garbage[40000];
	size_t sizes[] = {18, 100, sizeof(garbage)};
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++) {
		setup_sides(&f, 1);
		randombytes_buf(garbage, sizeof(garbage));
		assert_int_equal(write(f.fds[1], garbage, sizes[i]), sizes[i]);
		assert_int_equal(uv_run(&f.loop, UV_RUN_DEFAULT), 0);
		assert_int_equal(f.sides[0].closed, 1);
		assert_int_equal(f.sides[0].code, ERR_FORGED);
		(void)close(f.fds[1]);
		finish(&f);
	}
}

/* Ten seconds on the test's clock, with somebody who takes nothing, or sends half a message. */
static void
test_slow(void **state)
{
	struct fixture f;
	uint64_t now;
	unsigned i;

	(void)state;
	setup_sides(&f, 1);
	for (i = 0; i < 4; i++)
		send_message(f.sides[0].connection, i, 1000000, 0);
	run_until(&f, &(uint64_t){1}, 1);
	for (i = 0; i < 50; i++) {
		(void)uv_run(&f.loop, UV_RUN_NOWAIT);
		(void)usleep(1000);
	}
	now = uv_now(&f.loop);
	for (i = 0; i < 49; i++)
		connection_tick(f.sides[0].connection, now + 200u * i);
	(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(f.sides[0].closed, 0);
	connection_tick(f.sides[0].connection, now + 10500);
	assert_int_equal(uv_run(&f.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(f.sides[0].closed, 1);
	assert_int_equal(f.sides[0].code, ERR_TIMEOUT);
	(void)close(f.fds[1]);
	finish(&f);
}

/* A silent connection without anything owed is not slow; one that owes half a frame is. */
static void
test_slow_sender(void **state)
{
	struct fixture f;
	uint64_t now;
	unsigned i;

	(void)state;
	setup_sides(&f, 1);
	now = uv_now(&f.loop);
	for (i = 0; i < 100; i++)
		connection_tick(f.sides[0].connection, now + 1000u * i);
	(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_int_equal(f.sides[0].closed, 0);
	assert_int_equal(write(f.fds[1], "half", 4), 4);
	for (i = 0; i < 20; i++) {
		(void)uv_run(&f.loop, UV_RUN_NOWAIT);
		(void)usleep(1000);
	}
	for (i = 0; i < 12 && f.sides[0].connection != NULL; i++)
		connection_tick(f.sides[0].connection, now + 100000 + 1000u * i);
	assert_int_equal(uv_run(&f.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(f.sides[0].code, ERR_TIMEOUT);
	(void)close(f.fds[1]);
	finish(&f);
}

/* While the owner does not read, the sender's messages wait in the network and not here. */
static void
test_pause(void **state)
{
	struct fixture f;
	unsigned i;

	(void)state;
	setup_sides(&f, 2);
	connection_read(f.sides[1].connection, false);
	for (i = 0; i < 10; i++)
		send_message(f.sides[0].connection, i, 100000, 0);
	for (i = 0; i < 100; i++) {
		(void)uv_run(&f.loop, UV_RUN_NOWAIT);
		(void)usleep(500);
	}
	assert_int_equal(f.sides[1].messages, 0);
	connection_read(f.sides[1].connection, true);
	run_until(&f, &f.sides[1].messages, 10);
	finish(&f);
}

/* 1 MB a second: two seconds on the test's clock let about 2 MB through. */
static void
test_rate(void **state)
{
	struct fixture f;
	uint64_t now;
	unsigned i, j;

	(void)state;
	setup_sides(&f, 2);
	connection_rate(f.sides[0].connection, 1000000);
	for (i = 0; i < 100; i++)
		send_message(f.sides[0].connection, i, 100000, 0);
	now = uv_now(&f.loop);
	for (i = 0; i <= 10; i++) {
		connection_tick(f.sides[0].connection, now + 200u * i);
		for (j = 0; j < 20; j++) {
			(void)uv_run(&f.loop, UV_RUN_NOWAIT);
			(void)usleep(200);
		}
	}
	/* What was let through is on its way at the latest now; the rest is not. */
	run_until(&f, &f.sides[1].bytes, 1500000);
	for (j = 0; j < 20; j++)
		(void)uv_run(&f.loop, UV_RUN_NOWAIT);
	assert_true(f.sides[1].bytes <= 3200000);
	connection_rate(f.sides[0].connection, 0);
	finish(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_both_ways),
	    cmocka_unit_test(test_bulk),
	    cmocka_unit_test(test_flush),
	    cmocka_unit_test(test_close_within),
	    cmocka_unit_test(test_garbage),
	    cmocka_unit_test(test_slow),
	    cmocka_unit_test(test_slow_sender),
	    cmocka_unit_test(test_pause),
	    cmocka_unit_test(test_rate),
	};

	assert_true(sodium_init() >= 0);
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
