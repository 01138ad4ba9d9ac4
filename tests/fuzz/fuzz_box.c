/* A box that opens has one form: sealed again with its nonce it is the same. */
#include <sodium.h>
#include <stdlib.h>

#include "proto/bech32.h"
#include "proto/box.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The keys of the project's vectors, under which some of the corpus opens. */
static const uint8_t file_key[AGE_FILE_KEY] = {
    0x2e, 0x1b, 0x3b, 0xeb, 0xf6, 0x65, 0x11, 0xe2, 0x5b, 0x47, 0x20, 0x6c, 0x01, 0xa9, 0x8b, 0xa4};
static const uint8_t salt[BOX_SALT] = {
    0xe9, 0x42, 0x13, 0x09, 0x25, 0xe5, 0x47, 0xb5, 0xb8, 0xce, 0xa7, 0xfa, 0xb8, 0x97, 0x26, 0xc9};
static const char vault_text[] =
    "AGE-SECRET-KEY-182YCMPMXS05J57ZQXYR2XR7QYCUX5CF8HR8A0XZHTHZSJQ3ULM4SFMQZSC";

static void
try_sealed(struct view part, struct buffer *value)
{
	struct buffer again;

	if (box_open(value, file_key, salt, part, NULL) != 0) {
		if (value->size != 0)
			abort();
		return;
	}
	buffer_init(&again, BOX_PART_MAX);
	if (box_seal(&again, file_key, salt, part.data, buffer_view(value), NULL) != 0 ||
	    !view_equal(buffer_view(&again), part))
		abort();
	buffer_fini(&again);
}

static void
try_vault(struct view part, struct buffer *value)
{
	struct age_identity identity;
	struct vault_reader *reader;

	if (bech32_parse_identity(identity.secret, view_text(vault_text), NULL) != 0 ||
	    crypto_scalarmult_base(identity.recipient, identity.secret) != 0)
		abort();
	reader = vault_reader_new(&identity);
	if (reader == NULL)
		abort();
	if (vault_open(value, reader, part, NULL) != 0 && value->size != 0)
		abort();
	vault_reader_free(reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t memory[BOX_VALUE_MAX];
	struct buffer value = {.data = memory, .capacity = sizeof(memory), .limit = sizeof(memory)};

	if (sodium_init() < 0)
		abort();
	try_sealed(view_of(data, size), &value);
	value.size = 0;
	value.err = 0;
	try_vault(view_of(data, size), &value);
	return 0;
}
