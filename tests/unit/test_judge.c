/*
 * Entries judged by the charter records before them. Defends P2.
 * Vectors: dalil/log.json.  Left to later issues, and counted: entries that carry authority of root
 * keys (withdraw, countermand), logs with competing statements, and last-good known from elsewhere.
 */
#include <sodium.h>
#include <stdlib.h>

#include "proto/judge.h"
#include "tests/unit/vectors.h"

#define LOG_COUNT 34
#define LATER_LOGS 4 /* two with forks of the charter, two with a revocation from elsewhere */
#define REFUSED_LOGS 3
#define ENTRY_COUNT 161  /* judged as the vectors say */
#define LATER_ENTRIES 39 /* withdraw and countermand */

/* The records that the reader of the vectors holds besides the log. */
struct library {
	const json_t *others;
	const json_t *own;
};

static bool
find_in(const json_t *entries, const uint8_t *id, uint8_t log[static HASH_SIZE])
{
	const json_t *entry;
	bool found = false;
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		struct view bytes = vectors_hex(entry);
		struct record record;
		uint8_t other[HASH_SIZE];

		record_id(other, bytes);
		if (!found && memcmp(other, id, HASH_SIZE) == 0 &&
		    record_parse(&record, bytes, NULL) == 0) {
			memcpy(log, record.log, HASH_SIZE);
			found = true;
		}
		vectors_free(bytes);
	}
	return found;
}

static bool
log_of(void *cookie, const uint8_t id[static HASH_SIZE], uint8_t log[static HASH_SIZE])
{
	const struct library *library = cookie;
	const json_t *other;
	size_t i;

	json_array_foreach(library->others, i, other)
	{
		if (find_in(other, id, log))
			return true;
	}
	return find_in(library->own, id, log);
}

static bool
starts(const char *text, const char *with)
{
	return text != NULL && strncmp(text, with, strlen(with)) == 0;
}

/* Is it a record whose authority is judged by a later issue? */
static bool
is_later(struct view entry)
{
	struct record record;

	return record_parse(&record, entry, NULL) == 0 &&
	       (record.kind == RECORD_WITHDRAW || record.kind == RECORD_COUNTERMAND);
}

/* 0, or ERR_REFUSED where the log is; counts the entries that were judged, and those left. */
static int
judge_log(const json_t *vector, struct judge *judge, unsigned *judged, unsigned *later)
{
	const json_t *entries = json_object_get(vector, "entries"), *entry;
	const json_t *verdicts = json_object_get(vector, "verdicts");
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		struct view bytes = vectors_hex(entry);
		const char *expected = json_string_value(json_array_get(verdicts, i));
		enum judge_verdict verdict;
		struct err why = {0};
		int rc = judge_entry(judge, bytes, &verdict, &why);

		if (rc != 0) {
			print_message("%s: %s\n", vectors_text(vector, "name"), why.text);
			vectors_free(bytes);
			return rc;
		}
		if (is_later(bytes) && verdict == JUDGE_UNKNOWN) {
			(*later)++;
		} else {
			const char *is =
			    verdict == JUDGE_BEGINNING ? "good" : judge_verdict_name(verdict);

			if (expected != NULL && !starts(expected, is))
				fail_msg("%s: entry %zu is %s, not %s: %s",
				    vectors_text(vector, "name"), i, is, expected, why.text);
			(*judged)++;
		}
		vectors_free(bytes);
	}
	return 0;
}

static bool
left_to_later(const json_t *vector)
{
	return json_object_get(vector, "revoke") != NULL ||
	       starts(vectors_text(vector, "name"), "a fork");
}

static void
test_logs(void **state)
{
	json_t *json = vectors_load("dalil/log.json");
	const json_t *vector;
	uint8_t own[HASH_SIZE], last[HASH_SIZE];
	unsigned logs = 0, later_logs = 0, refused = 0, judged = 0, later = 0;
	size_t i;

	(void)state;
	vectors_bytes(own, HASH_SIZE, json_object_get(json, "authority"), "log");
	json_array_foreach(json_object_get(json, "logs"), i, vector)
	{
		struct library library = {
		    json_object_get(vector, "others"), json_object_get(vector, "entries")};
		struct judge_library answers = {log_of, &library};
		struct judge *judge = judge_new(own, &answers);

		logs++;
		if (left_to_later(vector)) {
			print_message("for a later issue: %s\n", vectors_text(vector, "name"));
			later_logs++;
		} else if (json_object_get(vector, "refused") != NULL) {
			unsigned ignored = 0;

			refused += judge_log(vector, judge, &ignored, &ignored) == ERR_REFUSED ||
			           judge_node(judge) == NULL;
		} else {
			assert_int_equal(judge_log(vector, judge, &judged, &later), 0);
			vectors_bytes(last, HASH_SIZE, vector, "in_force");
			assert_memory_equal(charter_last(judge_charter(judge)), last, HASH_SIZE);
		}
		judge_free(judge);
	}
	print_message("%u entries judged, %u left to a later issue\n", judged, later);
	assert_int_equal(logs, LOG_COUNT);
	assert_int_equal(later_logs, LATER_LOGS);
	assert_int_equal(refused, REFUSED_LOGS);
	assert_int_equal(judged, ENTRY_COUNT);
	assert_int_equal(later, LATER_ENTRIES);
	json_decref(json);
}

/* Charter records alone are enough to judge any other entry, and a refused log stays refused. */
static void
test_shortcut(void **state)
{
	json_t *json = vectors_load("dalil/log.json");
	const json_t *logs = json_object_get(json, "logs");
	const json_t *entries = json_object_get(json_array_get(logs, 0), "entries");
	uint8_t own[HASH_SIZE], other[HASH_SIZE] = {1};
	struct judge *judge, *elsewhere;
	enum judge_verdict verdict;
	struct err why = {0};
	size_t i;

	(void)state;
	vectors_bytes(own, HASH_SIZE, json_object_get(json, "authority"), "log");
	judge = judge_new(own, NULL);
	elsewhere = judge_new(other, NULL);
	for (i = 0; i < 6; i++) {
		struct view bytes = vectors_hex(json_array_get(entries, i));

		if (i == 3 || i == 4) { /* not needed for what follows */
			vectors_free(bytes);
			continue;
		}
		assert_int_equal(judge_entry(judge, bytes, &verdict, &why), 0);
		assert_int_equal(verdict, i < 2 ? JUDGE_BEGINNING : JUDGE_GOOD);
		assert_int_equal(judge_entry(elsewhere, bytes, &verdict, &why), ERR_REFUSED);
		vectors_free(bytes);
	}
	assert_non_null(judge_node(judge));
	assert_null(judge_node(elsewhere));
	assert_false(judge_frozen(judge));
	judge_free(judge);
	judge_free(elsewhere);
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_logs),
	    cmocka_unit_test(test_shortcut),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
