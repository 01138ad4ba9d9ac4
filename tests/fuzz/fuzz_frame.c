/*
 * The frame reader, fed by a peer with good keys that frames as it likes.  Input: bytes of pieces'
 * sizes and bodies, each u16 size ‖ bytes, sealed here; a first byte of 0 feeds the rest raw.
 * Whatever message comes out is the one that our writer would have framed so, and memory stays
 * within what has arrived.
 */
#include <sodium.h>
#include <stdlib.h>

#include "proto/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[FRAME_KEY] = {1};
static const uint8_t chaining_key[HASH_SIZE] = {2};

struct run {
	struct frame_reader *reader;
	struct frame_writer *peer;
	struct frame_writer *honest;
	struct buffer sealed; /* frames since the last whole message */
	size_t fed;
};

static void
check_message(struct run *run, struct view message)
{
	size_t size = frame_sealed_size(message.size);
	uint8_t *sealed = malloc(size);

	if (sealed == NULL || frame_seal(run->honest, sealed, &message, 1) != 0 ||
	    !view_equal(view_of(sealed, size), buffer_view(&run->sealed)))
		abort();
	free(sealed);
	buffer_clear(&run->sealed);
}

/* Returns whether the stream goes on. */
static bool
feed(struct run *run, struct view bytes, size_t step)
{
	while (bytes.size > 0) {
		struct view piece = view_of(bytes.data, step < bytes.size ? step : bytes.size);
		struct view message;
		int code;

		bytes.data += piece.size;
		bytes.size -= piece.size;
		run->fed += piece.size;
		while (piece.size > 0) {
			code = frame_feed(run->reader, &piece, &message, NULL);
			if (code < 0)
				return false;
			if (code == 1)
				check_message(run, message);
		}
		if (frame_reader_held(run->reader) > 2 * run->fed + 1024)
			abort();
	}
	return true;
}

static void
feed_bodies(struct run *run, struct view data)
{
	bool on = true;

	while (on && data.size >= 3) {
		size_t step = data.data[0] + 1u;
		size_t size = get_u16(data.data + 1);
		size_t before = run->sealed.size;
		uint8_t *at;

		data = view_of(data.data + 3, data.size - 3);
		if (size > data.size)
			size = data.size;
		at = buffer_extend(&run->sealed, size + FRAME_OVERHEAD);
		if (at == NULL || frame_seal_body(run->peer, at, view_of(data.data, size)) != 0)
			break;
		data = view_of(data.data + size, data.size - size);
		on = feed(run, view_of(run->sealed.data + before, size + FRAME_OVERHEAD), step);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {.fed = 0};

	if (sodium_init() < 0)
		abort();
	if (size == 0)
		return 0;
	run.reader = frame_reader_new(key, chaining_key);
	run.peer = frame_writer_new(key, chaining_key);
	run.honest = frame_writer_new(key, chaining_key);
	buffer_init(&run.sealed, (size_t)1 << 22);
	if (run.reader == NULL || run.peer == NULL || run.honest == NULL)
		abort();
	if (data[0] == 0)
		(void)feed(&run, view_of(data + 1, size - 1), 7);
	else
		feed_bodies(&run, view_of(data, size));
	buffer_fini(&run.sealed);
	frame_reader_free(run.reader);
	frame_writer_free(run.peer);
	frame_writer_free(run.honest);
	return 0;
}
