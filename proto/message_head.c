/* Messages about what logs there are: heads-want, heads, consistency-want, consistency. */
#include "proto/message_internal.h"

void
message_heads_want_read(struct message *message, struct unpack *unpack)
{
	message->as.heads_want.request = message_read_request(unpack);
}

void
message_heads_want_pack(struct buffer *out, const struct message *message)
{
	pack_uint(out, message->as.heads_want.request);
}

static void
read_charter_state(struct message_charter_state *state, struct unpack *unpack)
{
	unpack_array_of(unpack, 3);
	state->organisation = message_read_hash(unpack);
	state->count = unpack_uint(unpack);
	state->digest = message_read_hash(unpack);
}

static void
read_head(struct message_head *head, struct unpack *unpack)
{
	unpack_array_of(unpack, 4);
	head->log = message_read_hash(unpack);
	head->organisation = message_read_hash(unpack);
	head->held = unpack_uint(unpack);
	head->note = unpack_bin(unpack);
	if (unpack->err == ERR_NONE && head->note.size > MESSAGE_NOTE_MAX)
		unpack_fail(unpack, "a note of more than 65,535 bytes (docs/wire 5.3)");
}

/* The length of a list of at most MESSAGE_HEADS_MAX elements. */
static uint32_t
read_count(struct unpack *unpack)
{
	uint32_t count = unpack_array(unpack);

	if (unpack->err == ERR_NONE && count > MESSAGE_HEADS_MAX)
		unpack_fail(unpack, "more than 256 heads in one message (docs/wire 5.3)");
	return count;
}

void
message_heads_read(struct message *message, struct unpack *unpack)
{
	struct message_heads *heads = &message->as.heads;
	const uint8_t *start;
	uint32_t i;

	heads->request = message_read_request(unpack);
	heads->generation = unpack_uint(unpack);
	heads->more = unpack_bool(unpack);
	heads->charter_count = read_count(unpack);
	start = unpack->at;
	for (i = 0; i < heads->charter_count && unpack->err == ERR_NONE; i++) {
		struct message_charter_state state;

		read_charter_state(&state, unpack);
	}
	heads->charters = view_of(start, (size_t)(unpack->at - start));
	heads->head_count = read_count(unpack);
	start = unpack->at;
	for (i = 0; i < heads->head_count && unpack->err == ERR_NONE; i++) {
		struct message_head head;

		read_head(&head, unpack);
	}
	heads->heads = view_of(start, (size_t)(unpack->at - start));
}

void
message_heads_pack(struct buffer *out, const struct message *message)
{
	const struct message_heads *heads = &message->as.heads;

	pack_uint(out, heads->request);
	pack_uint(out, heads->generation);
	pack_bool(out, heads->more);
	pack_array(out, heads->charter_count);
	buffer_append(out, heads->charters.data, heads->charters.size);
	pack_array(out, heads->head_count);
	buffer_append(out, heads->heads.data, heads->heads.size);
}

bool
message_charter_state_next(struct view *list, struct message_charter_state *state)
{
	struct unpack unpack;

	if (list->size == 0)
		return false;
	unpack_init(&unpack, *list);
	read_charter_state(state, &unpack);
	*list = view_of(unpack.at, (size_t)(unpack.end - unpack.at));
	return unpack.err == ERR_NONE;
}

bool
message_head_next(struct view *list, struct message_head *head)
{
	struct unpack unpack;

	if (list->size == 0)
		return false;
	unpack_init(&unpack, *list);
	read_head(head, &unpack);
	*list = view_of(unpack.at, (size_t)(unpack.end - unpack.at));
	return unpack.err == ERR_NONE;
}

void
message_pack_charter_state(struct buffer *list, const struct message_charter_state *state)
{
	pack_array(list, 3);
	message_pack_hash(list, state->organisation);
	pack_uint(list, state->count);
	message_pack_hash(list, state->digest);
}

void
message_pack_head(struct buffer *list, const struct message_head *head)
{
	pack_array(list, 4);
	message_pack_hash(list, head->log);
	message_pack_hash(list, head->organisation);
	pack_uint(list, head->held);
	pack_bin(list, head->note);
}

void
message_consistency_want_read(struct message *message, struct unpack *unpack)
{
	struct message_consistency_want *want = &message->as.consistency_want;

	want->request = message_read_request(unpack);
	want->log = message_read_hash(unpack);
	want->from = unpack_uint(unpack);
	want->to = unpack_uint(unpack);
	if (unpack->err == ERR_NONE && (want->from == 0 || want->from >= want->to))
		unpack_fail(unpack, "sizes between which there is no proof (docs/wire 5.3)");
}

void
message_consistency_want_pack(struct buffer *out, const struct message *message)
{
	const struct message_consistency_want *want = &message->as.consistency_want;

	pack_uint(out, want->request);
	message_pack_hash(out, want->log);
	pack_uint(out, want->from);
	pack_uint(out, want->to);
}

void
message_consistency_read(struct message *message, struct unpack *unpack)
{
	struct message_consistency *consistency = &message->as.consistency;

	consistency->request = message_read_request(unpack);
	consistency->proof = message_read_proof(unpack, &consistency->proof_count);
}

void
message_consistency_pack(struct buffer *out, const struct message *message)
{
	const struct message_consistency *consistency = &message->as.consistency;

	pack_uint(out, consistency->request);
	message_pack_proof(out, consistency->proof, consistency->proof_count);
}
