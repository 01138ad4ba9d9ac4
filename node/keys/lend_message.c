/* Messages between a running dalild and commands of the same user: written and read. */
#include "node/keys/lend_message.h"

#include <sodium.h>

#include "proto/pack.h"
#include "proto/unpack.h"

static const char *const kind_names[] = {
    [LEND_BORROW] = "borrow",
    [LEND_UNLOCK] = "unlock",
    [LEND_LOCK] = "lock",
    [LEND_KEYS] = "keys",
    [LEND_DONE] = "done",
    [LEND_REFUSED] = "refused",
};
static const uint32_t kind_sizes[] = {
    [LEND_BORROW] = 2,
    [LEND_UNLOCK] = 4,
    [LEND_LOCK] = 2,
    [LEND_KEYS] = 3,
    [LEND_DONE] = 2,
    [LEND_REFUSED] = 4,
};
#define KINDS (sizeof(kind_names) / sizeof(kind_names[0]))

struct lend_message *
lend_message_new(enum lend_kind kind)
{
	struct lend_message *message = sodium_malloc(sizeof(*message));

	if (message == NULL)
		return NULL;
	memset(message, 0, sizeof(*message));
	message->kind = kind;
	return message;
}

int
lend_message_fill(
    struct lend_message *message, const struct keys *keys, bool readers, struct err *err)
{
	unsigned count = readers ? keys_readers(keys) : 0;
	unsigned i;
	int result;

	for (i = 0; i < KEYS_NAMES; i++) {
		result = keys_secret(keys, (enum keys_name)i, message->node + i * KEYS_SIZE, err);
		if (result != 0)
			return result;
	}
	message->count = 0;
	for (i = 0; i < count && message->count < KEYS_READERS_MAX; i++) {
		uint8_t *pair = message->readers + (size_t)message->count * 2 * KEYS_SIZE;

		if (keys_reader_secret(keys, i, pair + KEYS_SIZE, NULL) != 0)
			continue;
		keys_reader_public(keys, i, pair);
		message->count++;
	}
	return 0;
}

static void
write_keys(struct buffer *out, const struct lend_message *message)
{
	unsigned i;

	pack_array(out, 2);
	pack_array(out, KEYS_NAMES);
	for (i = 0; i < KEYS_NAMES; i++)
		pack_bin(out, view_of(message->node + i * KEYS_SIZE, KEYS_SIZE));
	pack_array(out, message->count);
	for (i = 0; i < message->count; i++) {
		const uint8_t *pair = message->readers + (size_t)i * 2 * KEYS_SIZE;

		pack_array(out, 2);
		pack_bin(out, view_of(pair, KEYS_SIZE));
		pack_bin(out, view_of(pair + KEYS_SIZE, KEYS_SIZE));
	}
}

void
lend_message_write(struct buffer *out, const struct lend_message *message)
{
	pack_array(out, kind_sizes[message->kind]);
	pack_uint(out, 1);
	pack_text(out, kind_names[message->kind]);
	switch (message->kind) {
	case LEND_UNLOCK:
		write_keys(out, message);
		pack_uint(out, message->minutes);
		break;
	case LEND_KEYS:
		write_keys(out, message);
		break;
	case LEND_REFUSED:
		pack_int(out, message->code);
		pack_str(out, message->text);
		break;
	case LEND_BORROW:
	case LEND_LOCK:
	case LEND_DONE:
		break;
	}
}

static void
read_bin(struct unpack *unpack, uint8_t *to)
{
	const uint8_t *bytes = unpack_bin_of(unpack, KEYS_SIZE);

	if (bytes != NULL)
		memcpy(to, bytes, KEYS_SIZE);
}

static void
read_keys(struct unpack *unpack, struct lend_message *message)
{
	unsigned i;

	unpack_array_of(unpack, 2);
	unpack_array_of(unpack, KEYS_NAMES);
	for (i = 0; i < KEYS_NAMES; i++)
		read_bin(unpack, message->node + i * KEYS_SIZE);
	message->count = unpack_array(unpack);
	if (message->count > KEYS_READERS_MAX) {
		message->count = 0;
		unpack_fail(unpack, "more reader keys than a store holds");
	}
	for (i = 0; i < message->count; i++) {
		uint8_t *pair = message->readers + (size_t)i * 2 * KEYS_SIZE;

		unpack_array_of(unpack, 2);
		read_bin(unpack, pair);
		read_bin(unpack, pair + KEYS_SIZE);
	}
}

static void
read_body(struct unpack *unpack, struct lend_message *message)
{
	switch (message->kind) {
	case LEND_UNLOCK:
		read_keys(unpack, message);
		message->minutes = unpack_uint(unpack);
		if (message->minutes > LEND_MINUTES_MAX)
			unpack_fail(unpack, "keys are lent for a week at most");
		break;
	case LEND_KEYS:
		read_keys(unpack, message);
		break;
	case LEND_REFUSED:
		message->code = (int)unpack_int(unpack);
		message->text = unpack_str(unpack);
		if (message->code >= 0)
			unpack_fail(unpack, "a refusal without a reason");
		break;
	case LEND_BORROW:
	case LEND_LOCK:
	case LEND_DONE:
		break;
	}
}

int
lend_message_parse(struct lend_message *message, struct view bytes, struct err *err)
{
	struct unpack unpack;
	uint32_t size;
	unsigned kind;
	int result = unpack_open(&unpack, bytes, UNPACK_NIL_REFUSED, err);

	memset(message, 0, sizeof(*message));
	if (result != 0)
		return result;
	size = unpack_array(&unpack);
	if (unpack_uint(&unpack) != 1)
		unpack_fail(&unpack, "another version");
	for (kind = 0; kind < KINDS; kind++)
		if (unpack_try(&unpack, kind_names[kind]))
			break;
	if (kind == KINDS || kind_sizes[kind] != size)
		unpack_fail(&unpack, "an unknown message");
	else
		message->kind = (enum lend_kind)kind;
	if (unpack.err == 0)
		read_body(&unpack, message);
	return unpack_end(&unpack, "a message on dalild.sock", err);
}
