/* Messages that carry records: package-want, package, entry. */
#include "proto/message_internal.h"

void
message_package_want_read(struct message *message, struct unpack *unpack)
{
	struct message_package_want *want = &message->as.package_want;

	want->request = message_read_request(unpack);
	want->log = message_read_hash(unpack);
	want->from = unpack_uint(unpack);
	want->size = unpack_uint(unpack);
	if (unpack->err == ERR_NONE && want->from >= want->size)
		unpack_fail(unpack, "a package past the end of its tree (docs/wire 5.4)");
}

void
message_package_want_pack(struct buffer *out, const struct message *message)
{
	const struct message_package_want *want = &message->as.package_want;

	pack_uint(out, want->request);
	message_pack_hash(out, want->log);
	pack_uint(out, want->from);
	pack_uint(out, want->size);
}

void
message_package_read(struct message *message, struct unpack *unpack)
{
	struct message_package *package = &message->as.package;
	struct view hashes;

	package->request = message_read_request(unpack);
	package->proof = message_read_proof(unpack, &package->proof_count);
	hashes = unpack_bin(unpack);
	if (unpack->err != ERR_NONE)
		return;
	if (hashes.size == 0 || hashes.size % HASH_SIZE != 0 ||
	    hashes.size / HASH_SIZE > MESSAGE_PACKAGE_RECORDS)
		unpack_fail(unpack, "a package that is not 1 to 256 leaf hashes (docs/wire 5.4)");
	package->count = (unsigned)(hashes.size / HASH_SIZE);
	package->hashes = hashes.data;
}

void
message_package_pack(struct buffer *out, const struct message *message)
{
	const struct message_package *package = &message->as.package;

	pack_uint(out, package->request);
	message_pack_proof(out, package->proof, package->proof_count);
	pack_bin(out, view_of(package->hashes, (size_t)package->count * HASH_SIZE));
}

/* Cut the record and its parts out of the raw bytes, which must be exactly that long. */
static void
entry_cut(struct message *message, size_t record_size, struct unpack *unpack)
{
	struct message_entry *entry = &message->as.entry;
	struct view rest = message->raw;
	unsigned i;

	if (record_size > rest.size) {
		unpack_fail(unpack, "fewer raw bytes than the record has (docs/wire 5.4)");
		return;
	}
	entry->record = view_of(rest.data, record_size);
	rest = view_of(rest.data + record_size, rest.size - record_size);
	for (i = 0; i < entry->part_count; i++) {
		if (entry->parts[i].size > rest.size) {
			unpack_fail(unpack, "fewer raw bytes than the parts have (docs/wire 5.4)");
			return;
		}
		entry->parts[i].bytes = view_of(rest.data, entry->parts[i].size);
		rest = view_of(rest.data + entry->parts[i].size, rest.size - entry->parts[i].size);
	}
	if (rest.size != 0)
		unpack_fail(unpack, "raw bytes behind record and parts (docs/wire 5.4)");
}

void
message_entry_read(struct message *message, struct unpack *unpack)
{
	struct message_entry *entry = &message->as.entry;
	uint64_t record_size;
	uint32_t count;
	uint32_t i;

	entry->request = message_read_request(unpack);
	entry->index = unpack_uint(unpack);
	record_size = unpack_uint(unpack);
	count = unpack_array(unpack);
	if (unpack->err != ERR_NONE)
		return;
	if (record_size > MESSAGE_RECORD_MAX || count > MESSAGE_PARTS_MAX) {
		unpack_fail(unpack, "a record too large, or with too many parts (design 7)");
		return;
	}
	for (i = 0; i < count && unpack->err == ERR_NONE; i++) {
		uint64_t size;

		unpack_array_of(unpack, 2);
		entry->parts[i].digest = message_read_hash(unpack);
		size = unpack_uint(unpack);
		if (unpack->err == ERR_NONE && size > MESSAGE_PART_MAX)
			unpack_fail(unpack, "a part of more than 256 KiB (design 7)");
		entry->parts[i].size = (size_t)size;
	}
	entry->part_count = count;
	if (unpack->err == ERR_NONE)
		entry_cut(message, (size_t)record_size, unpack);
}

void
message_entry_pack(struct buffer *out, const struct message *message)
{
	const struct message_entry *entry = &message->as.entry;
	unsigned i;

	pack_uint(out, entry->request);
	pack_uint(out, entry->index);
	pack_uint(out, entry->record.size);
	pack_array(out, entry->part_count);
	for (i = 0; i < entry->part_count; i++) {
		pack_array(out, 2);
		message_pack_hash(out, entry->parts[i].digest);
		pack_uint(out, entry->parts[i].size);
	}
}
