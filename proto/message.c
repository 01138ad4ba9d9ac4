/* The table of messages, and what all of them have in common. */
#include "proto/message.h"

#include "proto/message_internal.h"

typedef void message_read(struct message *message, struct unpack *unpack);
typedef void message_write(struct buffer *out, const struct message *message);

struct message_kind {
	enum message_type type;
	const char *name;
	uint32_t elements; /* of the head, the type counted */
	bool raw;          /* bytes may follow the head */
	message_read *read;
	message_write *write;
};

static void
nothing_read(struct message *message, struct unpack *unpack)
{
	(void)message;
	(void)unpack;
}

static void
nothing_pack(struct buffer *out, const struct message *message)
{
	(void)out;
	(void)message;
}

static const struct message_kind kinds[] = {
    {MESSAGE_HELLO, "hello", 7, false, message_hello_read, message_hello_pack},
    {MESSAGE_GOODBYE, "goodbye", 1, false, nothing_read, nothing_pack},
    {MESSAGE_ERROR, "error", 3, false, message_error_read, message_error_pack},
    {MESSAGE_PING, "ping", 1, false, nothing_read, nothing_pack},
    {MESSAGE_REFUSED, "refused", 4, false, message_refused_read, message_refused_pack},
    {MESSAGE_SETTLED, "settled", 3, false, message_settled_read, message_settled_pack},
    {MESSAGE_CHARTER_WANT, "charter-want", 4, false, message_charter_want_read,
        message_charter_want_pack},
    {MESSAGE_CHARTER, "charter", 4, false, message_charter_read, message_charter_pack},
    {MESSAGE_HEADS_WANT, "heads-want", 2, false, message_heads_want_read, message_heads_want_pack},
    {MESSAGE_HEADS, "heads", 6, false, message_heads_read, message_heads_pack},
    {MESSAGE_CONSISTENCY_WANT, "consistency-want", 5, false, message_consistency_want_read,
        message_consistency_want_pack},
    {MESSAGE_CONSISTENCY, "consistency", 3, false, message_consistency_read,
        message_consistency_pack},
    {MESSAGE_PACKAGE_WANT, "package-want", 5, false, message_package_want_read,
        message_package_want_pack},
    {MESSAGE_PACKAGE, "package", 4, false, message_package_read, message_package_pack},
    {MESSAGE_ENTRY, "entry", 5, true, message_entry_read, message_entry_pack},
    {MESSAGE_LEAF_WANT, "leaf-want", 3, false, message_leaf_want_read, message_leaf_want_pack},
    {MESSAGE_LEAF, "leaf", 4, true, message_leaf_read, message_leaf_pack},
    {MESSAGE_LEAF_NONE, "leaf-none", 3, false, message_leaf_none_read, message_leaf_none_pack},
};

static const struct message_kind *
find_kind(uint64_t type)
{
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if ((uint64_t)kinds[i].type == type)
			return &kinds[i];
	return NULL;
}

const char *
message_type_name(enum message_type type)
{
	const struct message_kind *kind = find_kind((uint64_t)type);

	return kind != NULL ? kind->name : "unknown";
}

uint64_t
message_request(const struct message *message)
{
	switch (message->type) {
	case MESSAGE_HELLO:
	case MESSAGE_GOODBYE:
	case MESSAGE_ERROR:
	case MESSAGE_PING:
	case MESSAGE_SETTLED:
		return 0;
	case MESSAGE_REFUSED:
		return message->as.refused.request;
	case MESSAGE_CHARTER_WANT:
		return message->as.charter_want.request;
	case MESSAGE_CHARTER:
		return message->as.charter.request;
	case MESSAGE_HEADS_WANT:
		return message->as.heads_want.request;
	case MESSAGE_HEADS:
		return message->as.heads.request;
	case MESSAGE_CONSISTENCY_WANT:
		return message->as.consistency_want.request;
	case MESSAGE_CONSISTENCY:
		return message->as.consistency.request;
	case MESSAGE_PACKAGE_WANT:
		return message->as.package_want.request;
	case MESSAGE_PACKAGE:
		return message->as.package.request;
	case MESSAGE_ENTRY:
		return message->as.entry.request;
	case MESSAGE_LEAF_WANT:
		return message->as.leaf_want.request;
	case MESSAGE_LEAF:
	case MESSAGE_LEAF_NONE:
		return message->as.leaf.request;
	}
	return 0;
}

int
message_parse(struct message *message, struct view bytes, struct err *err)
{
	const struct message_kind *kind;
	struct unpack unpack;
	uint32_t elements;
	uint64_t type;
	size_t head;
	int code;

	memset(message, 0, sizeof *message);
	if (bytes.size > MESSAGE_MAX)
		return err_set(err, ERR_LIMIT, "a message of %zu bytes (design 6: at most %u)",
		    bytes.size, MESSAGE_MAX);
	code = unpack_check_prefix(bytes, UNPACK_NIL_REFUSED, &head, err);
	if (code != ERR_NONE) {
		(void)err_wrap(err, "a message's head");
		return code;
	}
	unpack_init(&unpack, view_of(bytes.data, head));
	elements = unpack_array(&unpack);
	type = unpack_uint(&unpack);
	if (unpack.err != ERR_NONE)
		return err_set(err, ERR_MALFORMED, "a message without a type (design 6)");
	kind = find_kind(type);
	if (kind == NULL)
		return err_set(err, ERR_VERSION, "a message of the unknown type %llu (design 6)",
		    (unsigned long long)type);
	message->type = kind->type;
	message->raw = view_of(bytes.data + head, bytes.size - head);
	if (elements != kind->elements)
		unpack_fail(&unpack, "not as many elements as the message has (design 6)");
	if (!kind->raw && message->raw.size != 0)
		unpack_fail(&unpack, "bytes behind the head of a message that has none (design 6)");
	kind->read(message, &unpack);
	return unpack_end(&unpack, kind->name, err);
}

void
message_pack(struct buffer *out, const struct message *message)
{
	const struct message_kind *kind = find_kind((uint64_t)message->type);

	pack_array(out, kind->elements);
	pack_uint(out, (uint64_t)kind->type);
	kind->write(out, message);
}

uint64_t
message_read_request(struct unpack *unpack)
{
	uint64_t request = unpack_uint(unpack);

	if (unpack->err == ERR_NONE && request == 0)
		unpack_fail(unpack, "a request numbered 0 (docs/wire 4)");
	return request;
}

const uint8_t *
message_read_hash(struct unpack *unpack)
{
	return unpack_bin_of(unpack, HASH_SIZE);
}

const uint8_t (*message_read_proof(struct unpack *unpack, unsigned *count))[HASH_SIZE]
{
	struct view bytes = unpack_bin(unpack);

	*count = 0;
	if (unpack->err != ERR_NONE)
		return NULL;
	if (bytes.size % HASH_SIZE != 0 || bytes.size / HASH_SIZE > TREE_PROOF_MAX) {
		unpack_fail(unpack, "a proof that is not up to 63 hashes (design 7)");
		return NULL;
	}
	*count = (unsigned)(bytes.size / HASH_SIZE);
	return (const uint8_t(*)[HASH_SIZE])bytes.data;
}

void
message_pack_hash(struct buffer *out, const uint8_t hash[static HASH_SIZE])
{
	pack_bin(out, view_of(hash, HASH_SIZE));
}

void
message_pack_proof(struct buffer *out, const uint8_t (*proof)[HASH_SIZE], unsigned count)
{
	pack_bin(out, view_of(proof, (size_t)count * HASH_SIZE));
}
