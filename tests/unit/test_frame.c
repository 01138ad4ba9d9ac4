/* P7: frames and messages, their rotation on BOLT 8's vectors, and what the reader refuses. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/frame.h"
#include "tests/unit/vectors.h"

static const uint8_t key[FRAME_KEY] = {1, 2, 3};
static const uint8_t chaining_key[HASH_SIZE] = {4, 5, 6};

static void
test_bolt8(void **state)
{
	json_t *file = vectors_load("noise/bolt8-framing-rotation.json");
	const json_t *outputs = json_object_get(file, "outputs");
	struct view body = view_text(vectors_text(file, "message_ascii"));
	uint8_t ck[HASH_SIZE], sk[FRAME_KEY], rk[FRAME_KEY];
	struct frame_writer *writer;
	unsigned compared = 0;
	unsigned i;

	(void)state;
	vectors_bytes(ck, sizeof(ck), file, "ck");
	vectors_bytes(sk, sizeof(sk), file, "sk");
	vectors_bytes(rk, sizeof(rk), file, "rk");
	writer = frame_writer_new(sk, ck);
	assert_non_null(writer);
	for (i = 0; i < vectors_uint(file, "repeat"); i++) {
		uint8_t sealed[5 + FRAME_OVERHEAD];
		char name[12];

		assert_int_equal(body.size, 5);
		assert_int_equal(frame_seal_body(writer, sealed, body), 0);
		(void)snprintf(name, sizeof(name), "%u", i);
		if (json_object_get(outputs, name) != NULL) {
			struct view expected = vectors_hex_of(outputs, name);

			assert_true(view_equal(expected, view_of(sealed, sizeof(sealed))));
			vectors_free(expected);
			compared++;
		}
	}
	assert_int_equal(compared, 6);
	assert_int_equal(i, 1002);
	frame_writer_free(writer);
	json_decref(file);
}

static uint8_t
byte_at(size_t i)
{
	return (uint8_t)(131 * i + 7 * (i / 256) + 3 * (i / 65536));
}

static struct view
message_of(size_t size)
{
	uint8_t *bytes = malloc(size + 1);
	size_t i;

	assert_non_null(bytes);
	for (i = 0; i < size; i++)
		bytes[i] = byte_at(i);
	return view_of(bytes, size);
}

/* Feed in pieces of ${step} bytes; returns how many messages came whole. */
static unsigned
feed_all(
    struct frame_reader *reader, struct view stream, size_t step, struct view expected, int *code)
{
	unsigned whole = 0;

	while (stream.size > 0) {
		struct view piece = view_of(stream.data, step < stream.size ? step : stream.size);

		stream.data += piece.size;
		stream.size -= piece.size;
		while (piece.size > 0) {
			struct view message;

			*code = frame_feed(reader, &piece, &message, NULL);
			if (*code < 0)
				return whole;
			if (*code == 1) {
				assert_true(view_equal(message, expected));
				whole++;
			}
		}
	}
	return whole;
}

/* Every size around a frame's edge, in pieces of every kind. */
static void
test_sizes(void **state)
{
	static const size_t sizes[] = {
	    1, 2, 100, 65530, 65531, 65532, 131065, 131066, 131067, 1048832, FRAME_MESSAGE_MAX};
	static const size_t steps[] = {1, 17, 18, 4096, 65536, 65569, 65570, 3000000};
	unsigned runs = 0;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct view message = message_of(sizes[i]);
		size_t sealed_size = frame_sealed_size(sizes[i]);

		for (j = 0; j < sizeof(steps) / sizeof(steps[0]); j++) {
			struct frame_writer *writer = frame_writer_new(key, chaining_key);
			struct frame_reader *reader = frame_reader_new(key, chaining_key);
			uint8_t *sealed = malloc(2 * sealed_size);
			struct view pieces[3] = {view_of(message.data, message.size / 3),
			    view_of("", 0),
			    view_of(
			        message.data + message.size / 3, message.size - message.size / 3)};
			int code = 0;

			assert_int_equal(frame_seal(writer, sealed, pieces, 3), 0);
			assert_int_equal(frame_seal(writer, sealed + sealed_size, &message, 1), 0);
			assert_int_equal(feed_all(reader, view_of(sealed, 2 * sealed_size),
			                     steps[j], message, &code),
			    2);
			assert_false(frame_reader_midway(reader));
			assert_true(frame_reader_held(reader) <
			            FRAME_MESSAGE_MAX + 2 * (FRAME_BODY_MAX + FRAME_OVERHEAD));
			frame_writer_free(writer);
			frame_reader_free(reader);
			free(sealed);
			runs++;
		}
		vectors_free(message);
	}
	assert_int_equal(runs, 88);
}

static void
test_rotation(void **state)
{
	struct frame_writer *writer = frame_writer_new(key, chaining_key);
	struct frame_reader *reader = frame_reader_new(key, chaining_key);
	struct view message = view_text("hello");
	unsigned whole = 0;
	unsigned i;

	(void)state;
	for (i = 0; i < 2100; i++) {
		uint8_t sealed[9 + FRAME_OVERHEAD];
		int code = 0;

		assert_int_equal(frame_sealed_size(message.size), sizeof(sealed));
		assert_int_equal(frame_seal(writer, sealed, &message, 1), 0);
		whole += feed_all(reader, view_of(sealed, sizeof(sealed)), 100, message, &code);
	}
	assert_int_equal(whole, 2100);
	frame_writer_free(writer);
	frame_reader_free(reader);
}

static void
test_take(void **state)
{
	struct frame_writer *writer = frame_writer_new(key, chaining_key);
	struct frame_reader *reader = frame_reader_new(key, chaining_key);
	struct view text = view_text("hello");
	uint8_t sealed[9 + FRAME_OVERHEAD];
	struct view bytes = view_of(sealed, sizeof(sealed));
	struct view message;
	void *memory;

	(void)state;
	assert_int_equal(frame_seal(writer, sealed, &text, 1), 0);
	assert_int_equal(frame_feed(reader, &bytes, &message, NULL), 1);
	memory = frame_reader_take(reader);
	assert_non_null(memory);
	assert_int_equal(frame_seal(writer, sealed, &text, 1), 0);
	bytes = view_of(sealed, sizeof(sealed));
	assert_true(view_equal(message, text));
	assert_int_equal(frame_feed(reader, &bytes, &message, NULL), 1);
	assert_true(view_equal(message, text));
	free(memory);
	frame_writer_free(writer);
	frame_reader_free(reader);
}

/* Every bit of a two-frame stream's heads, tags and some of its bodies. */
static void
test_every_flip(void **state)
{
	struct view message = message_of(65600);
	size_t size = frame_sealed_size(message.size);
	uint8_t *sealed = malloc(size);
	struct frame_writer *writer = frame_writer_new(key, chaining_key);
	unsigned refused = 0;
	unsigned tried = 0;
	size_t i;

	(void)state;
	assert_int_equal(frame_seal(writer, sealed, &message, 1), 0);
	for (i = 0; i < size; i += i < 40 || i >= size - 170 ? 1 : 389) {
		struct frame_reader *reader = frame_reader_new(key, chaining_key);
		int code = 0;

		if (i > 1000 && i < size - 170 && i + 389 > size - 170)
			i = size - 170;
		sealed[i] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(feed_all(reader, view_of(sealed, size), 5000, message, &code), 0);
		if (code == ERR_FORGED)
			refused++;
		tried++;
		sealed[i] ^= (uint8_t)(1 << i % 8);
		frame_reader_free(reader);
	}
	assert_true(tried > 250);
	assert_int_equal(refused, tried);
	free(sealed);
	vectors_free(message);
	frame_writer_free(writer);
}

/* A hostile peer with good keys: what the rules of frames refuse. */
static int
feed_bodies(const struct view *bodies, size_t count, size_t *held)
{
	struct frame_writer *writer = frame_writer_new(key, chaining_key);
	struct frame_reader *reader = frame_reader_new(key, chaining_key);
	uint8_t *sealed = malloc(FRAME_BODY_MAX + FRAME_OVERHEAD);
	int code = 0;
	size_t i;

	for (i = 0; i < count && code == 0; i++) {
		struct view bytes = view_of(sealed, bodies[i].size + FRAME_OVERHEAD);
		struct view message;

		assert_int_equal(frame_seal_body(writer, sealed, bodies[i]), 0);
		code = frame_feed(reader, &bytes, &message, NULL);
	}
	*held = frame_reader_held(reader);
	free(sealed);
	frame_writer_free(writer);
	frame_reader_free(reader);
	return code;
}

static void
test_refused(void **state)
{
	uint8_t *big = calloc(1, FRAME_BODY_MAX);
	struct view bodies[2];
	size_t held;

	(void)state;
	/* A message of no bytes, or of too many; declared lengths allocate nothing. */
	bodies[0] = view_of("\0\0\0\0x", 5);
	assert_int_equal(feed_bodies(bodies, 1, &held), ERR_LIMIT);
	bodies[0] = view_of("\xff\xff\xff\xffx", 5);
	assert_int_equal(feed_bodies(bodies, 1, &held), ERR_LIMIT);
	assert_true(held < 1024);
	put_u32(big, FRAME_MESSAGE_MAX + 1);
	bodies[0] = view_of(big, FRAME_BODY_MAX);
	assert_int_equal(feed_bodies(bodies, 1, &held), ERR_LIMIT);
	/* Empty frames, a frame of nothing but a length, a short one that is not the last. */
	bodies[0] = view_of("", 0);
	assert_int_equal(feed_bodies(bodies, 1, &held), ERR_MALFORMED);
	bodies[0] = view_of("\0\0\0\x01", 4);
	assert_int_equal(feed_bodies(bodies, 1, &held), ERR_MALFORMED);
	bodies[0] = view_of("\0\0\0\x02x", 5);
	assert_int_equal(feed_bodies(bodies, 1, &held), ERR_MALFORMED);
	/* One that goes on behind the message, and a second of another size than it must have. */
	bodies[0] = view_of("\0\0\0\x01xy", 6);
	assert_int_equal(feed_bodies(bodies, 1, &held), ERR_MALFORMED);
	put_u32(big, FRAME_BODY_MAX);
	bodies[0] = view_of(big, FRAME_BODY_MAX);
	bodies[1] = view_of(big, 3);
	assert_int_equal(feed_bodies(bodies, 2, &held), ERR_MALFORMED);
	bodies[1] = view_of(big, 5);
	assert_int_equal(feed_bodies(bodies, 2, &held), ERR_MALFORMED);
	bodies[1] = view_of(big, 4);
	assert_int_equal(feed_bodies(bodies, 2, &held), 1);
	free(big);
}

static void
test_writer_limits(void **state)
{
	struct frame_writer *writer = frame_writer_new(key, chaining_key);
	struct view message = message_of(FRAME_MESSAGE_MAX + 1);
	uint8_t out[8];

	(void)state;
	assert_int_equal(frame_seal(writer, out, &message, 1), ERR_LIMIT);
	message.size = 0;
	assert_int_equal(frame_seal(writer, out, &message, 1), ERR_LIMIT);
	assert_int_equal(frame_seal_body(writer, out, view_of(message.data, 65536)), ERR_LIMIT);
	vectors_free(message);
	frame_writer_free(writer);
}

static double
seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Says the speed of one core; no assertion, for the machine may be busy. */
static void
test_speed(void **state)
{
	struct view message = message_of(1048832);
	size_t size = frame_sealed_size(message.size);
	struct frame_writer *writer = frame_writer_new(key, chaining_key);
	struct frame_reader *reader = frame_reader_new(key, chaining_key);
	uint8_t *sealed = malloc(size);
	double sealing = 0, opening = 0;
	unsigned i;

	(void)state;
	for (i = 0; i < 100; i++) {
		double before = seconds();
		struct view bytes = view_of(sealed, size);
		struct view opened;

		assert_int_equal(frame_seal(writer, sealed, &message, 1), 0);
		sealing += seconds() - before;
		before = seconds();
		assert_int_equal(frame_feed(reader, &bytes, &opened, NULL), 1);
		opening += seconds() - before;
		assert_int_equal(opened.size, message.size);
	}
	print_message(
	    "sealed at %.2f GB/s, opened at %.2f GB/s\n", 0.1048832 / sealing, 0.1048832 / opening);
	free(sealed);
	vectors_free(message);
	frame_writer_free(writer);
	frame_reader_free(reader);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bolt8),
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_rotation),
	    cmocka_unit_test(test_take),
	    cmocka_unit_test(test_every_flip),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_writer_limits),
	    cmocka_unit_test(test_speed),
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
