#include <sodium.h>
#include <stdlib.h>
#include <time.h>

#include "node/net/connection.h"
#include "node/net/dial.h"
#include "node/node.h"
#include "proto/message.h"

/*
 * How a peer answers, for `dalil peer test`: dial, handshake, hello, goodbye, in a loop of its own.
 *
 * The happy path: its hello names the organisation that we are paired with.
 *
 * What each failure means: no connection: unreachable.  No second handshake message: whoever is
 * there does not hold the transport key that we know.  A handshake that is done on our side but no hello:
 * it is the right node, and it did not find us among its peers, or its psk is another.
 */

#define TEST_MS 12000u /* a handshake's deadline and a little more, for the silent ones */
#define DAY_MS INT64_C(86400000)

struct test {
	struct handshake_tag tag;
	uv_loop_t loop;
	uv_timer_t timer;
	struct handshakes *handshakes;
	struct replay *replay;
	const struct node_options *options;
	const struct peer *peer;
	struct dial *dial;
	struct connection *connection;
	enum node_test result;
	bool over;
	int64_t clock_ahead;
	struct err err;
};

static int64_t
clock_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The timer keeps the loop alive until everything is over. */
static void
over(struct test *test, enum node_test result, const struct err *err)
{
	if (test->over)
		return;
	test->over = true;
	test->result = result;
	if (err != NULL)
		test->err = *err;
}

static void
judge_hello(struct test *test, const struct message_hello *hello)
{
	struct err err = {0};

	test->clock_ahead = (int64_t)hello->clock - clock_now();
	if (memcmp(hello->organisation, test->peer->organisation, HASH_SIZE) != 0) {
		(void)err_set(&err, ERR_REFUSED, "it calls itself another organisation");
		over(test, NODE_TEST_OTHER, &err);
	} else if (hello->low > MESSAGE_VERSION) {
		(void)err_set(&err, ERR_VERSION, "it speaks no version that we speak");
		over(test, NODE_TEST_OTHER, &err);
	} else if (test->clock_ahead > DAY_MS || test->clock_ahead < -DAY_MS) {
		(void)err_set(&err, ERR_REFUSED, "its clock and ours differ by more than a day");
		over(test, NODE_TEST_CLOCK, &err);
	} else {
		over(test, NODE_TEST_WELL, NULL);
	}
}

static void
send_simple(struct connection *connection, const struct message *message)
{
	struct buffer head;

	buffer_init(&head, MESSAGE_MAX);
	message_pack(&head, message);
	(void)connection_send(connection, &head, NULL, view_of("", 0));
	buffer_fini(&head);
}

static void
on_message(void *owner, struct connection *connection, void *memory, struct view bytes)
{
	struct message message;
	struct test *test = owner;
	struct err err = {0};

	if (message_parse(&message, bytes, &err) != ERR_NONE)
		over(test, NODE_TEST_OTHER, &err);
	else if (message.type == MESSAGE_HELLO)
		judge_hello(test, &message.as.hello);
	free(memory);
	if (test->over) {
		message = (struct message){.type = MESSAGE_GOODBYE};
		send_simple(connection, &message);
		connection_close(connection);
	}
}

static void
on_sent(void *owner, struct connection *connection, size_t bytes)
{
	(void)owner;
	(void)connection;
	(void)bytes;
}

static void
on_closed(void *owner, struct connection *connection, const struct err *err)
{
	struct test *test = owner;

	(void)connection;
	(void)err;
	test->connection = NULL;
	if (!test->over) {
		struct err unknown = {0};

		(void)err_set(&unknown, ERR_REFUSED,
		    "it does not know us: it is not paired with this node, or by another invite");
		over(test, NODE_TEST_UNKNOWN, &unknown);
	}
}

static const struct connection_events events = {
    .message = on_message, .sent = on_sent, .closed = on_closed};

static void
say_hello(struct test *test)
{
	struct message message = {.type = MESSAGE_HELLO};

	message.as.hello = (struct message_hello){.low = MESSAGE_VERSION,
	    .high = MESSAGE_VERSION,
	    .organisation = test->options->organisation,
	    .log = test->options->log,
	    .features = MESSAGE_FEATURE_TRANSIENT,
	    .clock = (uint64_t)clock_now()};
	send_simple(test->connection, &message);
	connection_read(test->connection, true);
}

static void
handshake_done_here(void *cookie, struct handshake_tag *tag, struct socket *socket,
    const struct noise_result *result, const struct err *err)
{
	struct test *test = cookie;

	(void)tag;
	if (socket == NULL) {
		over(test, NODE_TEST_WRONG_KEY, err);
		return;
	}
	test->connection = connection_new(socket, result, &events, test);
	if (test->connection == NULL)
		over(test, NODE_TEST_UNREACHABLE, &(struct err){.code = ERR_MEMORY});
	else
		say_hello(test);
}

static void
dialled(void *cookie, struct socket *socket, const struct err *err)
{
	struct test *test = cookie;
	struct handshake_peer known;

	test->dial = NULL;
	if (socket == NULL) {
		over(test, NODE_TEST_UNREACHABLE, err);
		return;
	}
	memcpy(known.transport, test->peer->transport, NOISE_KEY);
	memcpy(known.psk, test->peer->psk, NOISE_KEY);
	handshake_begin(
	    test->handshakes, socket, &known, uv_now(&test->loop) + HANDSHAKE_MS, &test->tag);
	sodium_memzero(&known, sizeof(known));
}

static void
on_timer(uv_timer_t *timer)
{
	struct test *test = timer->data;
	uint64_t now = uv_now(&test->loop);

	handshakes_tick(test->handshakes, now);
	if (test->connection != NULL)
		connection_tick(test->connection, now);
	if (test->over && test->connection == NULL && test->dial == NULL)
		uv_close((uv_handle_t *)timer, NULL);
}

/* After TEST_MS everything ends, one way or another. */
static void
on_deadline(uv_timer_t *timer)
{
	struct test *test = timer->data;
	struct err err = {0};

	(void)err_set(&err, ERR_TIMEOUT, "no answer");
	if (test->dial != NULL)
		dial_cancel(test->dial);
	if (test->connection != NULL)
		connection_fail(test->connection, &err);
}

static int
find_none(void *cookie, const uint8_t remote[static NOISE_KEY], uint8_t psk[static NOISE_KEY])
{
	(void)cookie;
	(void)remote;
	(void)psk;
	return ERR_REFUSED;
}

static int
make(struct test *test, uint8_t *secret, struct err *err)
{
	struct handshake_config config = {
	    .secret = secret, .find_psk = find_none, .done = handshake_done_here, .cookie = test};
	int code = keys_secret(test->options->keys, KEYS_TRANSPORT, secret, err);

	if (code != ERR_NONE)
		return code;
	test->replay = calloc(1, sizeof(*test->replay));
	config.replay = test->replay;
	test->handshakes = handshakes_new(&config);
	if (test->replay == NULL || test->handshakes == NULL)
		return err_set(err, ERR_MEMORY, "no memory to test a peer");
	return ERR_NONE;
}

static void
run(struct test *test)
{
	uv_timer_t deadline;
	struct err err = {0};

	(void)uv_timer_init(&test->loop, &test->timer);
	(void)uv_timer_init(&test->loop, &deadline);
	test->timer.data = deadline.data = test;
	(void)uv_timer_start(&test->timer, on_timer, 50, 50);
	(void)uv_timer_start(&deadline, on_deadline, TEST_MS, 0);
	uv_unref((uv_handle_t *)&deadline);
	if (test->peer->address[0] == '\0') {
		(void)err_set(&err, ERR_NETWORK, "it has no address here: it dials us");
		over(test, NODE_TEST_UNREACHABLE, &err);
	} else if (dial_start(&test->dial, &test->loop, test->peer->address, dialled, test, &err) !=
	           ERR_NONE) {
		over(test, NODE_TEST_UNREACHABLE, &err);
	}
	(void)uv_run(&test->loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&deadline, NULL);
	(void)uv_run(&test->loop, UV_RUN_DEFAULT);
}

int
node_test_peer(const struct node_options *options, const struct peer *peer, enum node_test *result,
    int64_t *clock_ahead_ms, struct err *err)
{
	struct test *test = calloc(1, sizeof(*test));
	uint8_t *secret = sodium_malloc(NOISE_KEY);
	int code;

	if (test == NULL || secret == NULL || uv_loop_init(&test->loop) != 0) {
		free(test);
		sodium_free(secret);
		return err_set(err, ERR_MEMORY, "no memory to test a peer");
	}
	test->options = options;
	test->peer = peer;
	code = make(test, secret, err);
	if (code == ERR_NONE) {
		run(test);
		*result = test->result;
		if (clock_ahead_ms != NULL)
			*clock_ahead_ms = test->clock_ahead;
		if (err != NULL)
			*err = test->err;
	}
	handshakes_free(test->handshakes);
	free(test->replay);
	(void)uv_loop_close(&test->loop);
	free(test);
	sodium_free(secret);
	return code;
}
