/* Every message that is accepted comes back byte for byte when it is packed again. */
#include <stdlib.h>

#include "proto/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The lists of a message, read element by element and packed into ${lists}. */
static void
repack_lists(struct message *message, struct buffer lists[static 2])
{
	struct message_charter_state state;
	struct message_head head;
	struct view statement;
	struct view list;
	uint32_t count = 0;

	if (message->type == MESSAGE_CHARTER) {
		list = message->as.charter.list;
		for (; message_statement_next(&list, &statement); count++)
			message_pack_statement(&lists[0], statement);
		if (count != message->as.charter.count)
			abort();
		message->as.charter.list = buffer_view(&lists[0]);
	} else if (message->type == MESSAGE_HEADS) {
		list = message->as.heads.charters;
		for (; message_charter_state_next(&list, &state); count++)
			message_pack_charter_state(&lists[0], &state);
		if (count != message->as.heads.charter_count)
			abort();
		list = message->as.heads.heads;
		for (count = 0; message_head_next(&list, &head); count++)
			message_pack_head(&lists[1], &head);
		if (count != message->as.heads.head_count)
			abort();
		message->as.heads.charters = buffer_view(&lists[0]);
		message->as.heads.heads = buffer_view(&lists[1]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer lists[2];
	struct buffer out;
	struct message message;

	if (message_parse(&message, view_of(data, size), NULL) != 0)
		return 0;
	buffer_init(&lists[0], MESSAGE_MAX);
	buffer_init(&lists[1], MESSAGE_MAX);
	buffer_init(&out, MESSAGE_MAX);
	repack_lists(&message, lists);
	message_pack(&out, &message);
	buffer_append(&out, message.raw.data, message.raw.size);
	if (!view_equal(buffer_view(&out), view_of(data, size)))
		abort();
	buffer_fini(&out);
	buffer_fini(&lists[1]);
	buffer_fini(&lists[0]);
	return 0;
}
