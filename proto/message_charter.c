/* Messages that carry charters: charter-want, charter. */
#include "proto/message_internal.h"

void
message_charter_want_read(struct message *message, struct unpack *unpack)
{
	message->as.charter_want.request = message_read_request(unpack);
	message->as.charter_want.organisation = message_read_hash(unpack);
	message->as.charter_want.from = unpack_uint(unpack);
}

void
message_charter_want_pack(struct buffer *out, const struct message *message)
{
	pack_uint(out, message->as.charter_want.request);
	message_pack_hash(out, message->as.charter_want.organisation);
	pack_uint(out, message->as.charter_want.from);
}

void
message_charter_read(struct message *message, struct unpack *unpack)
{
	struct message_charter *charter = &message->as.charter;
	const uint8_t *start;
	uint32_t i;

	charter->request = message_read_request(unpack);
	charter->more = unpack_bool(unpack);
	charter->count = unpack_array(unpack);
	if (unpack->err == ERR_NONE && charter->count > MESSAGE_STATEMENTS_MAX)
		unpack_fail(unpack, "more than 256 statements in one message (docs/wire 5.2)");
	start = unpack->at;
	for (i = 0; i < charter->count && unpack->err == ERR_NONE; i++) {
		struct view statement = unpack_bin(unpack);

		if (statement.size == 0 || statement.size > MESSAGE_STATEMENT_MAX)
			unpack_fail(unpack, "a statement of an impossible size (design 5.5)");
	}
	charter->list = view_of(start, (size_t)(unpack->at - start));
}

void
message_charter_pack(struct buffer *out, const struct message *message)
{
	const struct message_charter *charter = &message->as.charter;

	pack_uint(out, charter->request);
	pack_bool(out, charter->more);
	pack_array(out, charter->count);
	buffer_append(out, charter->list.data, charter->list.size);
}

bool
message_statement_next(struct view *list, struct view *statement)
{
	struct unpack unpack;

	if (list->size == 0)
		return false;
	unpack_init(&unpack, *list);
	*statement = unpack_bin(&unpack);
	*list = view_of(unpack.at, (size_t)(unpack.end - unpack.at));
	return unpack.err == ERR_NONE;
}

void
message_pack_statement(struct buffer *list, struct view statement)
{
	pack_bin(list, statement);
}
