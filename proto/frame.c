#include "proto/frame.h"

#include <sodium.h>
#include <stdlib.h>

#include "proto/hash.h"

/* One direction of a stream: a key, what the next one comes from, and the use count. */
struct direction {
	struct aead *aead;
	uint8_t *secret; /* key ‖ chaining key, sodium_malloc */
	uint64_t nonce;  /* uses of this key so far */
};

struct frame_writer {
	struct direction direction;
};

enum reading { READING_HEAD, READING_BODY };

struct frame_reader {
	struct direction direction;
	enum reading reading;
	int err; /* sticks */
	uint8_t head[FRAME_HEAD];
	size_t head_size;     /* bytes of it that are here */
	size_t body;          /* bytes of the frame's body, known after its head */
	size_t body_at;       /* where in the message the frame's sealed body begins */
	size_t length;        /* of the message, once its first frame is open */
	bool whole;           /* the message in the buffer has been handed out */
	struct buffer buffer; /* u32 length ‖ message, the frame at hand still sealed */
};

static int
direction_init(struct direction *direction, const uint8_t *key, const uint8_t *chaining_key)
{
	direction->nonce = 0;
	direction->aead = aead_new();
	direction->secret = sodium_malloc(FRAME_KEY + HASH_SIZE);
	if (direction->aead == NULL || direction->secret == NULL)
		return ERR_MEMORY;
	memcpy(direction->secret, key, FRAME_KEY);
	memcpy(direction->secret + FRAME_KEY, chaining_key, HASH_SIZE);
	return aead_key(direction->aead, key);
}

static void
direction_fini(struct direction *direction)
{
	aead_free(direction->aead);
	sodium_free(direction->secret);
}

/* BOLT 8, "Lightning Message Key Rotation": ck', k' = HKDF(ck, k). */
static int
direction_rotate(struct direction *direction)
{
	uint8_t fresh[HASH_SIZE + FRAME_KEY];

	hash_hkdf(fresh, sizeof(fresh), view_of(direction->secret, FRAME_KEY),
	    view_of(direction->secret + FRAME_KEY, HASH_SIZE), view_of("", 0));
	memcpy(direction->secret, fresh + HASH_SIZE, FRAME_KEY);
	memcpy(direction->secret + FRAME_KEY, fresh, HASH_SIZE);
	sodium_memzero(fresh, sizeof(fresh));
	direction->nonce = 0;
	return aead_key(direction->aead, direction->secret);
}

/* The nonce of the next use, which the caller then counts with direction_used. */
static void
direction_nonce(const struct direction *direction, uint8_t nonce[static AEAD_NONCE])
{
	unsigned i;

	memset(nonce, 0, 4);
	for (i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(direction->nonce >> (8 * i));
}

static int
direction_used(struct direction *direction)
{
	direction->nonce++;
	return direction->nonce == FRAME_ROTATION ? direction_rotate(direction) : ERR_NONE;
}

static int
direction_seal(struct direction *direction, uint8_t *out, struct view plain)
{
	uint8_t nonce[AEAD_NONCE];
	int code;

	direction_nonce(direction, nonce);
	code = aead_seal(direction->aead, out, nonce, plain, view_of("", 0));
	return code != ERR_NONE ? code : direction_used(direction);
}

static int
direction_open(struct direction *direction, uint8_t *out, struct view sealed)
{
	uint8_t nonce[AEAD_NONCE];
	int code;

	direction_nonce(direction, nonce);
	code = aead_open(direction->aead, out, nonce, sealed, view_of("", 0));
	return code != ERR_NONE ? code : direction_used(direction);
}

size_t
frame_sealed_size(size_t size)
{
	size_t plain = size + 4;
	size_t frames = (plain + FRAME_BODY_MAX - 1) / FRAME_BODY_MAX;

	return plain + frames * FRAME_OVERHEAD;
}

struct frame_writer *
frame_writer_new(const uint8_t key[static FRAME_KEY], const uint8_t chaining_key[static HASH_SIZE])
{
	struct frame_writer *writer = calloc(1, sizeof(*writer));

	if (writer == NULL)
		return NULL;
	if (direction_init(&writer->direction, key, chaining_key) != ERR_NONE) {
		frame_writer_free(writer);
		return NULL;
	}
	return writer;
}

void
frame_writer_free(struct frame_writer *writer)
{
	if (writer == NULL)
		return;
	direction_fini(&writer->direction);
	free(writer);
}

/* Seal the body that stands at out + FRAME_HEAD already, in place, and its length before it. */
static int
seal_in_place(struct frame_writer *writer, uint8_t *out, size_t size)
{
	uint8_t length[2];
	int code;

	put_u16(length, (uint16_t)size);
	code = direction_seal(&writer->direction, out, view_of(length, sizeof(length)));
	if (code != ERR_NONE)
		return code;
	return direction_seal(
	    &writer->direction, out + FRAME_HEAD, view_of(out + FRAME_HEAD, size));
}

int
frame_seal_body(struct frame_writer *writer, uint8_t *out, struct view body)
{
	if (body.size > FRAME_BODY_MAX)
		return ERR_LIMIT;
	if (body.size > 0)
		memmove(out + FRAME_HEAD, body.data, body.size);
	return seal_in_place(writer, out, body.size);
}

/* Copies the pieces one after the other, a frame's worth at a time. */
struct gather {
	const struct view *pieces;
	size_t at; /* within the first of them */
};

static void
gather_copy(struct gather *gather, uint8_t *to, size_t size)
{
	while (size > 0) {
		size_t left = gather->pieces->size - gather->at;
		size_t part = left < size ? left : size;

		if (part > 0)
			memcpy(to, gather->pieces->data + gather->at, part);
		to += part;
		size -= part;
		gather->at += part;
		if (gather->at == gather->pieces->size) {
			gather->pieces++;
			gather->at = 0;
		}
	}
}

int
frame_seal(struct frame_writer *writer, uint8_t *out, const struct view *pieces, size_t count)
{
	struct gather gather = {.pieces = pieces};
	size_t size = 0;
	size_t head = 4;
	size_t i;

	for (i = 0; i < count; i++) {
		if (pieces[i].size > FRAME_MESSAGE_MAX - size)
			return ERR_LIMIT;
		size += pieces[i].size;
	}
	if (size == 0)
		return ERR_LIMIT;
	put_u32(out + FRAME_HEAD, (uint32_t)size);
	while (size > 0) {
		size_t part = size < FRAME_BODY_MAX - head ? size : FRAME_BODY_MAX - head;
		int code;

		gather_copy(&gather, out + FRAME_HEAD + head, part);
		code = seal_in_place(writer, out, head + part);
		if (code != ERR_NONE)
			return code;
		out += FRAME_OVERHEAD + head + part;
		size -= part;
		head = 0;
	}
	return ERR_NONE;
}

struct frame_reader *
frame_reader_new(const uint8_t key[static FRAME_KEY], const uint8_t chaining_key[static HASH_SIZE])
{
	struct frame_reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL)
		return NULL;
	/* The tag of the frame at hand stands behind it until it is open. */
	buffer_init(&reader->buffer, 4 + FRAME_MESSAGE_MAX + AEAD_TAG);
	if (direction_init(&reader->direction, key, chaining_key) != ERR_NONE) {
		frame_reader_free(reader);
		return NULL;
	}
	return reader;
}

void
frame_reader_free(struct frame_reader *reader)
{
	if (reader == NULL)
		return;
	direction_fini(&reader->direction);
	buffer_fini(&reader->buffer);
	free(reader);
}

static struct view
take(struct view *from, size_t size)
{
	struct view taken = view_of(from->data, size < from->size ? size : from->size);

	from->data += taken.size;
	from->size -= taken.size;
	return taken;
}

/* Bytes that the frame at hand must hold: the rule of frames leaves its sender no choice. */
static int
check_body_size(const struct frame_reader *reader, struct err *err)
{
	size_t at = reader->body_at;
	size_t left = 4 + reader->length - at;

	if (at == 0)
		return reader->body > 4 ? ERR_NONE :
		                          err_set(err, ERR_MALFORMED,
		                              "a message's first frame is too short (design 6)");
	if (reader->body != (left < FRAME_BODY_MAX ? left : FRAME_BODY_MAX))
		return err_set(err, ERR_MALFORMED,
		    "a frame of %zu bytes where the message wants %zu (design 6)", reader->body,
		    left < FRAME_BODY_MAX ? left : (size_t)FRAME_BODY_MAX);
	return ERR_NONE;
}

static int
read_head(struct frame_reader *reader, struct view *bytes, struct err *err)
{
	struct view part = take(bytes, FRAME_HEAD - reader->head_size);
	uint8_t length[2];
	int code;

	if (part.size > 0)
		memcpy(reader->head + reader->head_size, part.data, part.size);
	reader->head_size += part.size;
	if (reader->head_size < FRAME_HEAD)
		return ERR_NONE;
	code = direction_open(&reader->direction, length, view_of(reader->head, FRAME_HEAD));
	if (code != ERR_NONE)
		return err_set(err, code, "a frame's length does not open (design 6)");
	reader->head_size = 0;
	reader->body = get_u16(length);
	reader->body_at = reader->buffer.size;
	reader->reading = READING_BODY;
	return check_body_size(reader, err);
}

/* The first frame begins with the message's length, from which its own must follow. */
static int
begin_message(struct frame_reader *reader, struct err *err)
{
	size_t length = get_u32(reader->buffer.data);
	size_t first = length < FRAME_BODY_MAX - 4 ? length + 4 : FRAME_BODY_MAX;

	if (length == 0 || length > FRAME_MESSAGE_MAX)
		return err_set(err, ERR_LIMIT, "a message of %zu bytes (design 6)", length);
	if (reader->body != first)
		return err_set(err, ERR_MALFORMED,
		    "a first frame of %zu bytes for a message of %zu (design 6)", reader->body,
		    length);
	reader->length = length;
	return ERR_NONE;
}

/*
 * A frame that stands whole in ${bytes} is opened straight into the message; else what is
 * there is kept behind the message and opened in place once it is whole.
 */
static int
open_body(struct frame_reader *reader, struct view *bytes, bool *open, struct err *err)
{
	struct buffer *buffer = &reader->buffer;
	size_t sealed = reader->body + AEAD_TAG;
	size_t here = buffer->size - reader->body_at;
	struct view part = take(bytes, sealed - here);
	int code;

	*open = false;
	if (part.size == sealed) {
		uint8_t *at = buffer_extend(buffer, sealed);

		if (at == NULL)
			return err_set(err, buffer->err, "no memory for a message");
		code = direction_open(&reader->direction, at, part);
	} else {
		buffer_append(buffer, part.data, part.size);
		if (buffer->err != ERR_NONE)
			return err_set(err, buffer->err, "no memory for a message");
		if (here + part.size < sealed)
			return ERR_NONE;
		code = direction_open(&reader->direction, buffer->data + reader->body_at,
		    view_of(buffer->data + reader->body_at, sealed));
	}
	if (code != ERR_NONE)
		return err_set(err, code, "a frame does not open (design 6)");
	buffer->size -= AEAD_TAG;
	*open = true;
	return ERR_NONE;
}

static int
read_body(struct frame_reader *reader, struct view *bytes, struct err *err)
{
	bool open;
	int code = open_body(reader, bytes, &open, err);

	if (code != ERR_NONE || !open)
		return code;
	reader->reading = READING_HEAD;
	if (reader->body_at == 0)
		code = begin_message(reader, err);
	if (code == ERR_NONE && reader->buffer.size == 4 + reader->length)
		reader->whole = true;
	return code;
}

int
frame_feed(struct frame_reader *reader, struct view *bytes, struct view *message, struct err *err)
{
	if (reader->err != ERR_NONE)
		return err_set(err, reader->err, "the stream is over");
	if (reader->whole) {
		reader->whole = false;
		reader->length = 0;
		buffer_clear(&reader->buffer);
	}
	while (bytes->size > 0 && !reader->whole && reader->err == ERR_NONE) {
		switch (reader->reading) {
		case READING_HEAD:
			reader->err = read_head(reader, bytes, err);
			break;
		case READING_BODY:
			reader->err = read_body(reader, bytes, err);
			break;
		}
	}
	if (reader->err != ERR_NONE)
		return reader->err;
	if (!reader->whole)
		return 0;
	*message = view_of(reader->buffer.data + 4, reader->length);
	return 1;
}

void *
frame_reader_take(struct frame_reader *reader)
{
	void *data = reader->buffer.data;

	if (!reader->whole)
		return NULL;
	buffer_init(&reader->buffer, reader->buffer.limit);
	return data;
}

size_t
frame_reader_held(const struct frame_reader *reader)
{
	return sizeof(*reader) + reader->buffer.capacity;
}

bool
frame_reader_midway(const struct frame_reader *reader)
{
	return !reader->whole && (reader->reading == READING_BODY || reader->head_size > 0 ||
	                             reader->buffer.size > 0);
}
