/* Messages that carry payloads: leaf-want, leaf, leaf-none. */
#include "proto/message_internal.h"
#include "proto/payload.h"

void
message_leaf_want_read(struct message *message, struct unpack *unpack)
{
	struct message_leaf_want *want = &message->as.leaf_want;
	uint32_t count;
	uint32_t i;

	want->request = message_read_request(unpack);
	count = unpack_array(unpack);
	if (unpack->err == ERR_NONE && (count == 0 || count > MESSAGE_LEAVES_MAX))
		unpack_fail(unpack, "a request for no leaf, or for more than 64 (docs/wire 5.5)");
	for (i = 0; i < count && unpack->err == ERR_NONE; i++) {
		struct message_leaf_item *item = &want->items[i];

		unpack_array_of(unpack, 3);
		item->root = message_read_hash(unpack);
		item->size = unpack_uint(unpack);
		item->leaf = unpack_uint(unpack);
		if (unpack->err != ERR_NONE)
			break;
		if (!payload_size_possible(item->size) ||
		    item->leaf >= payload_leaf_count(item->size))
			unpack_fail(unpack, "a leaf that the payload cannot have (design 5.1)");
	}
	want->count = unpack->err == ERR_NONE ? count : 0;
}

void
message_leaf_want_pack(struct buffer *out, const struct message *message)
{
	const struct message_leaf_want *want = &message->as.leaf_want;
	unsigned i;

	pack_uint(out, want->request);
	pack_array(out, want->count);
	for (i = 0; i < want->count; i++) {
		pack_array(out, 3);
		message_pack_hash(out, want->items[i].root);
		pack_uint(out, want->items[i].size);
		pack_uint(out, want->items[i].leaf);
	}
}

void
message_leaf_read(struct message *message, struct unpack *unpack)
{
	struct message_leaf *leaf = &message->as.leaf;

	leaf->request = message_read_request(unpack);
	leaf->item = unpack_uint(unpack);
	leaf->proof = message_read_proof(unpack, &leaf->proof_count);
	leaf->bytes = message->raw;
	if (unpack->err == ERR_NONE && (leaf->bytes.size == 0 || leaf->bytes.size > PAYLOAD_LEAF))
		unpack_fail(unpack, "a leaf of an impossible size (design 5.1)");
}

void
message_leaf_pack(struct buffer *out, const struct message *message)
{
	const struct message_leaf *leaf = &message->as.leaf;

	pack_uint(out, leaf->request);
	pack_uint(out, leaf->item);
	message_pack_proof(out, leaf->proof, leaf->proof_count);
}

void
message_leaf_none_read(struct message *message, struct unpack *unpack)
{
	message->as.leaf.request = message_read_request(unpack);
	message->as.leaf.item = unpack_uint(unpack);
}

void
message_leaf_none_pack(struct buffer *out, const struct message *message)
{
	pack_uint(out, message->as.leaf.request);
	pack_uint(out, message->as.leaf.item);
}
