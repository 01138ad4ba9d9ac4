/*
 * Records against the vectors: every kind is reproduced byte for byte, and what is bad on its own is
 * refused. Defends P2 and P7.  All kinds are judged by their shape; what the later ones mean is tested
 * where it is built.
 */
#include <sodium.h>

#include "proto/open_part.h"
#include "proto/pack.h"
#include "proto/record.h"
#include "proto/sealed.h"
#include "proto/vault.h"
#include "tests/unit/vectors.h"

#define GOOD_COUNT 15
#define BAD_COUNT 29

/* What the four kinds' own pack functions make of a parsed body is the body. */
static void
check_repack(const struct record *record)
{
	uint8_t organisations[8][HASH_SIZE];
	struct buffer out;
	unsigned i;

	buffer_init(&out, RECORD_MAX);
	switch (record->kind) {
	case RECORD_CHARTER:
		charter_record_pack(&out, record->as.charter.statement);
		break;
	case RECORD_DEPOSIT:
		deposit_pack(&out, &record->as.deposit);
		break;
	case RECORD_GRANT:
		grant_record_pack(&out, &record->as.grant);
		break;
	case RECORD_SHARE:
		assert_true(record->as.share.count <= 8);
		for (i = 0; i < record->as.share.count; i++) {
			memcpy(organisations[i], share_at(&record->as.share, i), HASH_SIZE);
			assert_true(share_holds(&record->as.share, organisations[i]));
		}
		organisations[0][0] ^= 1;
		assert_false(share_holds(&record->as.share, organisations[0]));
		organisations[0][0] ^= 1;
		share_pack(&out, (const uint8_t(*)[HASH_SIZE])organisations, record->as.share.count,
		    record->as.share.time);
		break;
	case RECORD_ENDORSE:
	case RECORD_CUSTODY:
	case RECORD_ANNOTATE:
	case RECORD_WITHDRAW:
	case RECORD_COUNTERMAND:
	case RECORD_TIMESTAMP:
	case RECORD_FREEZE:
		pack_raw(&out, record->body);
		break;
	}
	assert_true(view_equal(buffer_view(&out), record->body));
	buffer_fini(&out);
}

static void
check_good(const json_t *vector, const uint8_t *log, const uint8_t *secret)
{
	struct view bytes = vectors_hex_of(vector, "record");
	uint8_t want[HASH_SIZE];
	uint8_t id[HASH_SIZE];
	struct record record;
	struct buffer body;
	struct buffer made;
	struct err err;
	uint64_t time;

	if (record_parse(&record, bytes, &err) != 0 || record_verify(&record, &err) != 0)
		fail_msg("%s refused: %s", vectors_text(vector, "kind"), err.text);
	assert_string_equal(record_kind_name(record.kind), vectors_text(vector, "kind"));
	assert_memory_equal(record.log, log, HASH_SIZE);
	assert_int_equal(record_time(&record, &time), record.kind != RECORD_CHARTER);
	if (record.kind != RECORD_CHARTER)
		assert_true(time >= UINT64_C(1700000000000));
	record_id(id, bytes);
	vectors_bytes(want, HASH_SIZE, vector, "id");
	assert_memory_equal(id, want, HASH_SIZE);
	buffer_init(&body, RECORD_MAX);
	vectors_pack(&body, json_object_get(vector, "body"));
	assert_true(view_equal(buffer_view(&body), record.body));
	check_repack(&record);
	buffer_init(&made, RECORD_MAX);
	assert_int_equal(record_sign(&made, log, record.kind, buffer_view(&body), secret, &err), 0);
	assert_true(view_equal(buffer_view(&made), bytes));
	buffer_fini(&made);
	buffer_fini(&body);
	vectors_free(bytes);
}

static void
test_good(void **state)
{
	json_t *json = vectors_load("dalil/record.json");
	uint8_t secret[RECORD_SECRET];
	uint8_t key[RECORD_KEY];
	uint8_t want[RECORD_KEY];
	uint8_t seed[32];
	uint8_t log[HASH_SIZE];
	const json_t *vector;
	unsigned count = 0;
	size_t i;

	(void)state;
	vectors_bytes(seed, sizeof(seed), json, "record_seed");
	vectors_bytes(want, sizeof(want), json, "record_key");
	vectors_bytes(log, sizeof(log), json, "log");
	assert_int_equal(crypto_sign_seed_keypair(key, secret, seed), 0);
	assert_memory_equal(key, want, RECORD_KEY);
	json_array_foreach(json_object_get(json, "good"), i, vector)
	{
		check_good(vector, log, secret);
		count++;
	}
	assert_int_equal(count, GOOD_COUNT);
	json_decref(json);
}

static void
test_bad(void **state)
{
	json_t *json = vectors_load("dalil/record.json");
	const json_t *vector;
	unsigned count = 0;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "bad"), i, vector)
	{
		struct view bytes = vectors_hex_of(vector, "record");
		struct err err = {0};
		struct record record;
		int code = record_parse(&record, bytes, &err);

		if (code == 0)
			code = record_verify(&record, &err);
		if (code == 0)
			fail_msg("accepted: %s", vectors_text(vector, "why"));
		assert_true(err.text[0] != '\0');
		vectors_free(bytes);
		count++;
	}
	assert_int_equal(count, BAD_COUNT);
	json_decref(json);
}

static void
test_parts(void **state)
{
	static const uint8_t part[] = "a part";
	uint8_t digest[HASH_SIZE];
	struct parts parts = {{NULL}};

	(void)state;
	(void)crypto_hash_sha256(digest, part, sizeof(part));
	parts.digests[PART_GRANT] = digest;
	assert_int_equal(parts_check(&parts, PART_GRANT, view_of(part, sizeof(part)), NULL), 0);
	assert_int_equal(
	    parts_check(&parts, PART_GRANT, view_of(part, sizeof(part) - 1), NULL), ERR_FORGED);
	assert_int_equal(
	    parts_check(&parts, PART_OPEN, view_of(part, sizeof(part)), NULL), ERR_NOT_FOUND);
}

/* The values inside the parts: parsed and packed again to the same bytes. */
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
		struct view bytes = vectors_hex_of(vector, "value");
		enum field_kind kind = FIELD_DEPOSIT;
		struct sealed sealed;
		struct buffer out;

		/* Which kind a sealed part belongs to stands in its record, not in the vector. */
		while (sealed_parse(&sealed, kind, bytes, NULL) != 0 && kind < FIELD_WITHDRAW)
			kind++;
		assert_int_equal(sealed_parse(&sealed, kind, bytes, NULL), 0);
		buffer_init(&out, 1 << 20);
		sealed_pack(&out, &sealed.fields, sealed.seed, sealed.vault);
		assert_true(view_equal(buffer_view(&out), bytes));
		buffer_fini(&out);
		vectors_free(bytes);
		count++;
	}
	assert_int_equal(count, json_array_size(json_object_get(json, "sealed")));
	assert_true(count > 0);
	json_decref(json);
}

static void
check_vault(struct view bytes)
{
	static uint8_t readers[VAULT_READERS_MAX][HASH_SIZE];
	struct vault vault;
	struct buffer out;
	unsigned i;
	bool whole;

	whole = vault_parse(&vault, FIELD_DEPOSIT, bytes, NULL) == 0;
	if (!whole)
		assert_int_equal(vault_parse_readers(&vault, bytes, NULL), 0);
	assert_true(vault.reader_count > 0);
	for (i = 0; i < vault.reader_count; i++)
		memcpy(readers[i], vault_reader_at(&vault, i), HASH_SIZE);
	buffer_init(&out, 1 << 20);
	if (whole)
		vault_pack(&out, &vault.fields, vault.file_key, vault.reader_seed, vault.vault_seed,
		    (const uint8_t(*)[HASH_SIZE])readers, vault.reader_count);
	else
		vault_pack_readers(&out, (const uint8_t(*)[HASH_SIZE])readers, vault.reader_count);
	assert_true(view_equal(buffer_view(&out), bytes));
	buffer_fini(&out);
}

static void
test_vault(void **state)
{
	json_t *json = vectors_load("dalil/parts.json");
	const json_t *cases = json_object_get(json_object_get(json, "vault"), "cases");
	const json_t *vector;
	unsigned count = 0;
	size_t i;

	(void)state;
	json_array_foreach(cases, i, vector)
	{
		struct view bytes = vectors_hex_of(vector, "value");

		check_vault(bytes);
		vectors_free(bytes);
		count++;
	}
	assert_int_equal(count, 2);
	json_decref(json);
}

/* The open part discloses fields of the claims vectors' first case. */
static void
test_open(void **state)
{
	json_t *json = vectors_load("dalil/parts.json");
	json_t *claims = vectors_load("dalil/claims.json");
	const json_t *first = json_array_get(json_object_get(claims, "cases"), 0);
	struct view bytes = vectors_hex_of(json_object_get(json, "open"), "value");
	static struct open_part part;
	struct buffer out;
	struct err err;
	unsigned i;

	(void)state;
	assert_int_equal(open_part_parse(&part, bytes, &err), 0);
	assert_int_equal(part.count, 4);
	assert_non_null(part.key);
	buffer_init(&out, 1 << 20);
	pack_map(&out, 2);
	pack_text(&out, "disclosures");
	pack_array(&out, part.count);
	for (i = 0; i < part.count; i++) {
		struct view want = vectors_hex(json_array_get(
		    json_object_get(first, "disclosures"), part.disclosures[i].slot));
		uint8_t root[HASH_SIZE];

		vectors_bytes(root, HASH_SIZE, first, "claims");
		assert_int_equal(
		    disclosure_check(&part.disclosures[i], FIELD_DEPOSIT, root, &err), 0);
		pack_raw(&out, want);
		vectors_free(want);
	}
	pack_text(&out, "key");
	pack_bin(&out, view_of(part.key, OPEN_PART_KEY));
	assert_true(view_equal(buffer_view(&out), bytes));
	buffer_fini(&out);
	vectors_free(bytes);
	json_decref(claims);
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_parts),
	    cmocka_unit_test(test_sealed),
	    cmocka_unit_test(test_vault),
	    cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
