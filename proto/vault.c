/* What the part `vault` tells the organisation itself (formats "Shapes"). */
#include "proto/vault.h"

#include "proto/pack.h"

#define READER_BYTES (2 + HASH_SIZE) /* bin 8 and the recipient */

static void
pack_readers(struct buffer *out, const uint8_t (*readers)[HASH_SIZE], unsigned reader_count)
{
	unsigned i;

	pack_text(out, "readers");
	pack_array(out, reader_count);
	for (i = 0; i < reader_count; i++)
		pack_bin(out, view_of(readers[i], HASH_SIZE));
}

static void
read_readers(struct vault *vault, struct unpack *unpack)
{
	struct unpack inside;
	unsigned i;

	unpack_key(unpack, "readers");
	vault->readers = unpack_value(unpack);
	unpack_init(&inside, vault->readers);
	vault->reader_count = unpack_array(&inside);
	if (vault->reader_count > VAULT_READERS_MAX)
		unpack_fail(unpack, "more than 2,048 readers");
	for (i = 0; i < vault->reader_count && inside.err == ERR_NONE; i++)
		(void)unpack_bin_of(&inside, HASH_SIZE);
	if (inside.err != ERR_NONE)
		unpack_fail(unpack, "readers that are not recipients of 32 bytes");
}

const uint8_t *
vault_reader_at(const struct vault *vault, unsigned index)
{
	return vault->readers.data + vault->readers.size -
	       (size_t)(vault->reader_count - index) * READER_BYTES + 2;
}

void
vault_pack(struct buffer *out, const struct fields *fields,
    const uint8_t file_key[static VAULT_FILE_KEY], const uint8_t reader_seed[static CLAIMS_SEED],
    const uint8_t vault_seed[static CLAIMS_SEED], const uint8_t (*readers)[HASH_SIZE],
    unsigned reader_count)
{
	pack_map(out, 5);
	pack_text(out, "fields");
	fields_pack(out, fields, FIELDS_ALL);
	pack_text(out, "file-key");
	pack_bin(out, view_of(file_key, VAULT_FILE_KEY));
	pack_text(out, "reader-seed");
	pack_bin(out, view_of(reader_seed, CLAIMS_SEED));
	pack_readers(out, readers, reader_count);
	pack_text(out, "vault-seed");
	pack_bin(out, view_of(vault_seed, CLAIMS_SEED));
}

int
vault_parse(struct vault *vault, enum field_kind kind, struct view bytes, struct err *err)
{
	struct unpack unpack;
	int code;

	*vault = (struct vault){.file_key = NULL};
	code = unpack_open(&unpack, bytes, UNPACK_NIL_ALLOWED, err);
	if (code != ERR_NONE)
		return code;
	unpack_map_of(&unpack, 5);
	unpack_key(&unpack, "fields");
	fields_read(&vault->fields, kind, &unpack);
	unpack_key(&unpack, "file-key");
	vault->file_key = unpack_bin_of(&unpack, VAULT_FILE_KEY);
	unpack_key(&unpack, "reader-seed");
	vault->reader_seed = unpack_bin_of(&unpack, CLAIMS_SEED);
	read_readers(vault, &unpack);
	unpack_key(&unpack, "vault-seed");
	vault->vault_seed = unpack_bin_of(&unpack, CLAIMS_SEED);
	code = unpack_end(&unpack, "vault part (design 5.2)", err);
	return code != ERR_NONE ? code : fields_check(&vault->fields, FIELDS_ALL, err);
}

void
vault_pack_readers(struct buffer *out, const uint8_t (*readers)[HASH_SIZE], unsigned reader_count)
{
	pack_map(out, 1);
	pack_readers(out, readers, reader_count);
}

int
vault_parse_readers(struct vault *vault, struct view bytes, struct err *err)
{
	struct unpack unpack;
	int code;

	*vault = (struct vault){.file_key = NULL};
	code = unpack_open(&unpack, bytes, UNPACK_NIL_REFUSED, err);
	if (code != ERR_NONE)
		return code;
	unpack_map_of(&unpack, 1);
	read_readers(vault, &unpack);
	return unpack_end(&unpack, "vault part of a grant (design 5.2)", err);
}
