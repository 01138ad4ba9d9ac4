/* Members: what they sign, and that nobody else passes for one. Defends P2 and P6. */
#include <sodium.h>

#include "proto/key.h"
#include "proto/member.h"
#include "proto/pack.h"
#include "tests/unit/vectors.h"

/* Of dalil/claims.json. */
#define CASE_COUNT 4
#define REFUSED_COUNT 12

/* A charter that says about members what the vectors say. */
struct organisation {
	struct charter *charter;
	uint8_t seed[32];
	uint8_t key[32];
};

static void
organisation_say(struct organisation *organisation, struct statement *draft)
{
	static const uint8_t none[HASH_SIZE];
	enum charter_verdict verdict;
	struct statement bare;
	struct buffer plain, complete;
	struct err err = {0};

	draft->seq = charter_count(organisation->charter);
	draft->previous = draft->seq == 0 ? none : charter_last(organisation->charter);
	buffer_init(&plain, STATEMENT_MAX);
	buffer_init(&complete, STATEMENT_MAX);
	assert_int_equal(statement_encode(&plain, draft, &err), 0);
	assert_int_equal(statement_parse(&bare, buffer_view(&plain), &err), 0);
	assert_int_equal(statement_sign(&complete, &bare, organisation->seed, &err), 0);
	if (charter_feed(organisation->charter, buffer_view(&complete), &verdict, &err) != 0)
		fail_msg("%s", err.text);
	buffer_fini(&plain);
	buffer_fini(&complete);
}

static void
organisation_make(struct organisation *organisation, const json_t *digests)
{
	struct statement draft = {.kind = STATEMENT_FOUND, .name = view_text("Org")};
	uint8_t promised[32] = {9};
	const json_t *digest;
	size_t i;

	organisation->charter = charter_new();
	memset(organisation->seed, 1, 32);
	key_ed25519_public(organisation->key, organisation->seed);
	draft.roots.keys = (struct statement_keys){.count = 1, .keys = {organisation->key}};
	draft.roots.next = (struct statement_keys){.count = 1, .keys = {promised}};
	draft.roots.threshold = draft.roots.next_threshold = 1;
	organisation_say(organisation, &draft);
	json_array_foreach(digests, i, digest)
	{
		struct view bytes = vectors_hex(json_array_get(digest, 0));
		const char *state = json_string_value(json_array_get(digest, 1));

		draft = (struct statement){.kind = STATEMENT_MEMBER, .digest = bytes.data};
		organisation_say(organisation, &draft);
		if (strcmp(state, "in force") != 0) {
			draft = (struct statement){.kind = STATEMENT_RETIRE};
			draft.end.member = bytes.data;
			draft.end.reason = view_text("left");
			organisation_say(organisation, &draft);
		}
		vectors_free(bytes);
	}
}

static int
judge_case(const json_t *vector, const struct charter *charter, struct err *err)
{
	struct member_about about = {.kind = vectors_text(vector, "kind")};
	struct view value = vectors_hex_of(vector, "value");
	struct view expected = vectors_hex_of(vector, "message");
	struct buffer subject, message;
	struct member member;
	uint8_t log[HASH_SIZE];
	int rc;

	buffer_init(&subject, 1024);
	buffer_init(&message, 2048);
	vectors_bytes(log, HASH_SIZE, vector, "log");
	vectors_pack(&subject, json_object_get(vector, "subject"));
	about.log = log;
	about.subject = buffer_view(&subject);
	about.time = vectors_uint(vector, "time");
	buffer_append_text(&message, MEMBER_TAG);
	member_message(&message, &about);
	rc = member_parse(&member, value, err);
	if (rc == 0) {
		rc = member_check(&member, &about, charter, err);
		if (rc == 0)
			assert_true(view_equal(buffer_view(&message), expected));
	}
	buffer_fini(&subject);
	buffer_fini(&message);
	vectors_free(value);
	vectors_free(expected);
	return rc;
}

static void
test_members(void **state)
{
	json_t *json = vectors_load("dalil/claims.json");
	const json_t *members = json_object_get(json, "members"), *vector;
	struct organisation organisation;
	struct err err = {0};
	unsigned count = 0;
	size_t i;

	(void)state;
	organisation_make(&organisation, json_object_get(members, "digests"));
	json_array_foreach(json_object_get(members, "cases"), i, vector)
	{
		if (judge_case(vector, organisation.charter, &err) != 0)
			fail_msg("case %zu refused: %s", i, err.text);
		count++;
	}
	assert_int_equal(count, CASE_COUNT);
	count = 0;
	json_array_foreach(json_object_get(json, "refused_members"), i, vector)
	{
		if (judge_case(vector, organisation.charter, &err) == 0)
			fail_msg("case %zu accepted: %s", i, vectors_text(vector, "why"));
		print_message("%s: %s\n", vectors_text(vector, "why"), err.text);
		count++;
	}
	assert_int_equal(count, REFUSED_COUNT);
	charter_free(organisation.charter);
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_members)};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
