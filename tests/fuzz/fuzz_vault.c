/* What a vault part holds packs back to the same bytes. */
#include <stdlib.h>

#include "proto/vault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t readers[VAULT_READERS_MAX][HASH_SIZE];

static void
copy_readers(const struct vault *vault)
{
	unsigned i;

	if (vault->reader_count > VAULT_READERS_MAX)
		abort();
	for (i = 0; i < vault->reader_count; i++)
		memcpy(readers[i], vault_reader_at(vault, i), HASH_SIZE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t(*all)[HASH_SIZE] = (const uint8_t(*)[HASH_SIZE])readers;
	enum field_kind kind;
	struct vault vault;
	struct buffer out;

	for (kind = FIELD_DEPOSIT; kind <= FIELD_WITHDRAW; kind++) {
		if (vault_parse(&vault, kind, view_of(data, size), NULL) != 0)
			continue;
		copy_readers(&vault);
		buffer_init(&out, size);
		vault_pack(&out, &vault.fields, vault.file_key, vault.reader_seed, vault.vault_seed,
		    all, vault.reader_count);
		if (!view_equal(buffer_view(&out), view_of(data, size)))
			abort();
		buffer_fini(&out);
	}
	if (vault_parse_readers(&vault, view_of(data, size), NULL) == 0) {
		copy_readers(&vault);
		buffer_init(&out, size);
		vault_pack_readers(&out, all, vault.reader_count);
		if (!view_equal(buffer_view(&out), view_of(data, size)))
			abort();
		buffer_fini(&out);
	}
	return 0;
}
