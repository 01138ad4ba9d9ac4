/*
 * Boxes: every sealed and vault part of the vectors is reproduced and opened, every hostile one
 * refused. Defends P3, P6 (padding) and P7.
 */
#include <sodium.h>
#include <stdlib.h>

#include "proto/bech32.h"
#include "proto/box.h"
#include "tests/unit/vectors.h"

#define SEALED_COUNT 2
#define VAULT_COUNT 2
#define REFUSED_COUNT 4

static void
run_sealed(const json_t *vector)
{
	struct view value = vectors_hex_of(vector, "value");
	struct view part = vectors_hex_of(vector, "part");
	uint8_t file_key[AGE_FILE_KEY];
	uint8_t nonce[BOX_NONCE];
	uint8_t salt[BOX_SALT];
	struct buffer out;
	const uint8_t *given = salt;

	vectors_bytes(file_key, sizeof(file_key), vector, "file_key");
	vectors_bytes(nonce, sizeof(nonce), vector, "nonce");
	vectors_bytes(salt, sizeof(salt), vector, "salt");
	if (sodium_is_zero(salt, sizeof(salt)))
		given = NULL;
	buffer_init_secret(&out, BOX_VALUE_MAX);
	assert_int_equal(box_seal(&out, file_key, given, nonce, value, NULL), 0);
	assert_true(view_equal(buffer_view(&out), part));
	buffer_clear(&out);
	buffer_append_text(&out, "before");
	assert_int_equal(box_open(&out, file_key, given, part, NULL), 0);
	assert_true(view_equal(view_of(out.data + 6, out.size - 6), value));
	file_key[0] ^= 1;
	buffer_clear(&out);
	assert_int_equal(box_open(&out, file_key, given, part, NULL), ERR_FORGED);
	assert_int_equal(out.size, 0);
	buffer_fini(&out);
	vectors_free(value);
	vectors_free(part);
}

static void
test_sealed(void **state)
{
	json_t *json = vectors_load("dalil/parts.json");
	const json_t *vector;
	unsigned count = 0;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "sealed"), i, vector)
	{
		run_sealed(vector);
		count++;
	}
	assert_int_equal(count, SEALED_COUNT);
	json_decref(json);
}

static void
test_refused(void **state)
{
	json_t *json = vectors_load("dalil/parts.json");
	uint8_t file_key[AGE_FILE_KEY];
	uint8_t salt[BOX_SALT];
	const json_t *vector;
	struct buffer out;
	unsigned count = 0;
	size_t i;

	(void)state;
	vectors_bytes(file_key, sizeof(file_key), json, "file_key");
	vectors_bytes(salt, sizeof(salt), json, "payload_nonce");
	buffer_init_secret(&out, BOX_VALUE_MAX);
	json_array_foreach(json_object_get(json, "refused_boxes"), i, vector)
	{
		struct view part = vectors_hex_of(vector, "part");
		struct err err = {0};

		if (box_open(&out, file_key, salt, part, &err) == 0)
			fail_msg("accepted: %s", vectors_text(vector, "why"));
		assert_true(err.text[0] != '\0');
		assert_int_equal(out.size, 0);
		vectors_free(part);
		count++;
	}
	assert_int_equal(count, REFUSED_COUNT);
	buffer_fini(&out);
	json_decref(json);
}

static void
run_vault(struct vault_writer *writer, struct vault_reader *reader, const uint8_t *nonce,
    const json_t *vector)
{
	struct view value = vectors_hex_of(vector, "value");
	struct view part = vectors_hex_of(vector, "part");
	struct buffer out;

	buffer_init_secret(&out, BOX_VALUE_MAX);
	assert_int_equal(vault_seal(&out, writer, nonce, value, NULL), 0);
	assert_true(view_equal(buffer_view(&out), part));
	buffer_clear(&out);
	assert_int_equal(vault_open(&out, reader, part, NULL), 0);
	assert_true(view_equal(buffer_view(&out), value));
	((uint8_t *)(uintptr_t)part.data)[part.size - 1] ^= 1;
	buffer_clear(&out);
	assert_int_equal(vault_open(&out, reader, part, NULL), ERR_FORGED);
	assert_int_equal(out.size, 0);
	buffer_fini(&out);
	vectors_free(value);
	vectors_free(part);
}

static void
test_vault(void **state)
{
	json_t *json = vectors_load("dalil/parts.json");
	const json_t *vault = json_object_get(json, "vault");
	uint8_t secret[32];
	uint8_t run_key[AGE_FILE_KEY];
	uint8_t ephemeral[32];
	uint8_t nonce[BOX_NONCE];
	struct age_identity *identity;
	struct vault_writer *writer;
	struct vault_reader *reader;
	const json_t *vector;
	unsigned count = 0;
	size_t i;

	(void)state;
	assert_int_equal(
	    bech32_parse_identity(secret, view_text(vectors_text(vault, "identity")), NULL), 0);
	vectors_bytes(run_key, sizeof(run_key), vault, "run_key");
	vectors_bytes(ephemeral, sizeof(ephemeral), vault, "ephemeral");
	vectors_bytes(nonce, sizeof(nonce), vault, "nonce");
	identity = age_identity_new(secret);
	writer = vault_writer_new(identity->recipient, run_key, ephemeral);
	reader = vault_reader_new(identity);
	assert_non_null(writer);
	assert_non_null(reader);
	json_array_foreach(json_object_get(vault, "cases"), i, vector)
	{
		run_vault(writer, reader, nonce, vector);
		count++;
	}
	assert_int_equal(count, VAULT_COUNT);
	vault_writer_free(writer);
	vault_reader_free(reader);
	age_identity_free(identity);
	json_decref(json);
}

/* More runs than are remembered, and another organisation's vault. */
static void
test_runs(void **state)
{
	const uint8_t secrets[2][32] = {{0, 5}, {0, 6}};
	const uint8_t nonce[BOX_NONCE] = {3};
	struct age_identity *mine = age_identity_new(secrets[0]);
	struct age_identity *other = age_identity_new(secrets[1]);
	struct vault_reader *reader = vault_reader_new(mine);
	struct vault_reader *stranger = vault_reader_new(other);
	struct buffer parts[20];
	struct buffer value;
	size_t i;

	(void)state;
	buffer_init_secret(&value, BOX_VALUE_MAX);
	for (i = 0; i < 20; i++) {
		const uint8_t run_key[AGE_FILE_KEY] = {(uint8_t)i, 1};
		const uint8_t ephemeral[32] = {0, (uint8_t)i};
		struct vault_writer *writer = vault_writer_new(mine->recipient, run_key, ephemeral);

		buffer_init(&parts[i], BOX_PART_MAX);
		assert_int_equal(
		    vault_seal(&parts[i], writer, nonce, view_of(&i, sizeof(i)), NULL), 0);
		vault_writer_free(writer);
	}
	for (i = 0; i < 60; i++) {
		size_t which = i % 20;

		buffer_clear(&value);
		assert_int_equal(vault_open(&value, reader, buffer_view(&parts[which]), NULL), 0);
		assert_true(view_equal(buffer_view(&value), view_of(&which, sizeof(which))));
		assert_int_equal(
		    vault_open(&value, stranger, buffer_view(&parts[which]), NULL), ERR_REFUSED);
	}
	for (i = 0; i < 20; i++)
		buffer_fini(&parts[i]);
	buffer_fini(&value);
	vault_reader_free(reader);
	vault_reader_free(stranger);
	age_identity_free(mine);
	age_identity_free(other);
}

/* All sizes around the steps: a multiple of 1 KiB, 256 KiB at most, and back. */
static void
test_sizes(void **state)
{
	const uint8_t file_key[AGE_FILE_KEY] = {1};
	const uint8_t nonce[BOX_NONCE] = {2};
	uint8_t *value = calloc(1, BOX_PART_MAX);
	struct buffer part;
	struct buffer opened;
	size_t size;

	(void)state;
	buffer_init(&part, 2 * BOX_PART_MAX);
	buffer_init_secret(&opened, BOX_VALUE_MAX);
	for (size = 0; size <= BOX_PART_MAX - 44; size += size < 2100 ? 1 : 12345) {
		buffer_clear(&part);
		buffer_clear(&opened);
		assert_int_equal(
		    box_seal(&part, file_key, NULL, nonce, view_of(value, size), NULL), 0);
		assert_int_equal(part.size, (size + 44 + 1023) / 1024 * 1024);
		assert_int_equal(box_open(&opened, file_key, NULL, buffer_view(&part), NULL), 0);
		assert_int_equal(opened.size, size);
	}
	buffer_clear(&part);
	assert_int_equal(
	    box_seal(&part, file_key, NULL, nonce, view_of(value, BOX_PART_MAX - 44), NULL), 0);
	assert_int_equal(part.size, BOX_PART_MAX);
	assert_int_equal(
	    box_seal(&part, file_key, NULL, nonce, view_of(value, BOX_PART_MAX - 43), NULL),
	    ERR_LIMIT);
	buffer_fini(&part);
	buffer_fini(&opened);
	free(value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sealed),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_vault),
	    cmocka_unit_test(test_runs),
	    cmocka_unit_test(test_sizes),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
