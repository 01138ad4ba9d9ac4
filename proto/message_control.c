/* Messages about the connection itself: hello, error, refused, settled. */
#include "proto/message_internal.h"

void
message_hello_read(struct message *message, struct unpack *unpack)
{
	struct message_hello *hello = &message->as.hello;

	hello->low = unpack_uint(unpack);
	hello->high = unpack_uint(unpack);
	hello->organisation = message_read_hash(unpack);
	hello->log = message_read_hash(unpack);
	hello->features = unpack_uint(unpack);
	hello->clock = unpack_uint(unpack);
	if (unpack->err == ERR_NONE && (hello->low < 1 || hello->low > hello->high))
		unpack_fail(unpack, "versions that are no range (docs/wire 5.1)");
}

void
message_hello_pack(struct buffer *out, const struct message *message)
{
	const struct message_hello *hello = &message->as.hello;

	pack_uint(out, hello->low);
	pack_uint(out, hello->high);
	message_pack_hash(out, hello->organisation);
	message_pack_hash(out, hello->log);
	pack_uint(out, hello->features);
	pack_uint(out, hello->clock);
}

static struct view
read_text(struct unpack *unpack)
{
	struct view text = unpack_str(unpack);

	if (unpack->err == ERR_NONE && text.size > MESSAGE_TEXT_MAX)
		unpack_fail(unpack, "a text of more than 512 bytes (docs/wire 4)");
	return text;
}

void
message_error_read(struct message *message, struct unpack *unpack)
{
	message->as.error.code = unpack_uint(unpack);
	message->as.error.text = read_text(unpack);
}

void
message_error_pack(struct buffer *out, const struct message *message)
{
	pack_uint(out, message->as.error.code);
	pack_str(out, message->as.error.text);
}

void
message_refused_read(struct message *message, struct unpack *unpack)
{
	message->as.refused.request = message_read_request(unpack);
	message->as.refused.code = unpack_uint(unpack);
	message->as.refused.text = read_text(unpack);
}

void
message_refused_pack(struct buffer *out, const struct message *message)
{
	pack_uint(out, message->as.refused.request);
	pack_uint(out, message->as.refused.code);
	pack_str(out, message->as.refused.text);
}

void
message_settled_read(struct message *message, struct unpack *unpack)
{
	message->as.settled.generation = unpack_uint(unpack);
	message->as.settled.missing = unpack_uint(unpack);
}

void
message_settled_pack(struct buffer *out, const struct message *message)
{
	pack_uint(out, message->as.settled.generation);
	pack_uint(out, message->as.settled.missing);
}
