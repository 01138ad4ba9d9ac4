/*
 * Two nodes of one organisation and their charter: what stands in a store, what stands in a log, and
 * statements that compete. Defends P2.
 */
#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "node/archive.h"
#include "proto/judge.h"
#include "proto/key.h"
#include "proto/statement_file.h"
#include "tests/unit/vectors.h"

struct fixture {
	char folder[64];
	uint8_t root_seed[ARCHIVE_SEED];
	struct archive *first;
	struct archive *second;
};

static void
require(int code, const struct err *err, const char *what)
{
	if (code != 0)
		fail_msg("%s: %d: %s", what, code, err->text);
}

static int
remove_one(const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
	(void)status;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void export(struct archive *archive, struct buffer *out)
{
	struct archive_self self;
	struct err err = {0};

	archive_self(archive, &self);
	buffer_clear(out);
	require(archive_charter_export(archive, self.organisation, out, &err), &err, "export");
}

/* The second node joins with the root key, and the first takes its enrolment. */
static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const uint8_t *seeds[1];
	struct archive_init init = {.node = "one", .time = 1000};
	uint8_t next_seed[ARCHIVE_SEED] = {5};
	struct buffer charter, request;
	struct err err = {0};
	char store[128];
	unsigned accepted;

	assert_non_null(fixture);
	assert_true(sodium_init() >= 0);
	(void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/dalil-charter-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	memset(fixture->root_seed, 6, ARCHIVE_SEED);
	(void)snprintf(store, sizeof(store), "%s/one", fixture->folder);
	init.store = store;
	require(archive_create(
	            &fixture->first, &init, "Org", fixture->root_seed, next_seed, NULL, &err),
	    &err, "create");
	buffer_init(&charter, STATEMENT_FILE_MAX);
	buffer_init(&request, STATEMENT_MAX);
	export(fixture->first, &charter);
	(void)snprintf(store, sizeof(store), "%s/two", fixture->folder);
	init.node = "two";
	seeds[0] = fixture->root_seed;
	require(
	    archive_join(&fixture->second, &init, buffer_view(&charter), seeds, 1, &request, &err),
	    &err, "join");
	assert_int_equal(request.size, 0);
	export(fixture->second, &charter);
	require(archive_charter_apply(fixture->first, buffer_view(&charter), &accepted, &err), &err,
	    "apply");
	assert_int_equal(accepted, 1);
	buffer_fini(&charter);
	buffer_fini(&request);
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	archive_close(fixture->first);
	archive_close(fixture->second);
	(void)nftw(fixture->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(fixture);
	return 0;
}

/* A `vault` statement made at one node; what it made is in ${statement}. */
static void
make_vault(struct fixture *fixture, struct archive *archive, int fill, struct buffer *statement)
{
	struct statement draft = {.kind = STATEMENT_VAULT};
	const uint8_t *seeds[1] = {fixture->root_seed};
	uint8_t secret[32], recipient[32];
	struct err err = {0};
	unsigned wants;

	memset(secret, fill, 32);
	key_x25519_public(recipient, secret);
	draft.recipient = recipient;
	buffer_init(statement, STATEMENT_MAX);
	require(archive_charter_make(archive, &draft, 2000, seeds, 1, statement, &wants, &err),
	    &err, "vault");
	assert_int_equal(wants, 0);
}

/* Put a statement into the store alone, as replication does. */
static void
receive(struct archive *archive, struct view statement)
{
	struct archive_self self;
	struct batch *batch;
	struct err err = {0};

	archive_self(archive, &self);
	require(batch_begin(archive_storage(archive), &batch, &err), &err, "batch");
	require(batch_statement(batch, self.organisation, statement, &err), &err, "statement");
	require(batch_commit(batch, &err), &err, "commit");
}

/* All entries of the own log are good; returns how many there are. */
static uint64_t
judge_own_log(struct archive *archive)
{
	struct storage_place place = {0};
	struct snapshot *snapshot;
	struct archive_self self;
	struct storage_entry entry;
	struct storage_log log;
	struct judge *judge;
	struct buffer bytes;
	struct err err = {0};

	archive_self(archive, &self);
	judge = judge_new(self.log, NULL);
	place.log = self.number;
	buffer_init(&bytes, STORAGE_BYTES_MAX);
	require(snapshot_begin(archive_storage(archive), &snapshot, &err), &err, "snapshot");
	require(snapshot_log(snapshot, &log, self.number, &err), &err, "log");
	for (place.index = 0; place.index < log.size; place.index++) {
		enum judge_verdict verdict;

		require(snapshot_entry(snapshot, &entry, &bytes, place, &err), &err, "entry");
		require(judge_entry(judge, entry.record, &verdict, &err), &err, "judge");
		if (verdict != JUDGE_GOOD && verdict != JUDGE_BEGINNING)
			fail_msg("entry %llu is %s: %s", (unsigned long long)place.index,
			    judge_verdict_name(verdict), err.text);
	}
	assert_non_null(judge_node(judge));
	snapshot_end(snapshot);
	buffer_fini(&bytes);
	judge_free(judge);
	return log.size;
}

/* A statement that came from a peer stands in the store; the next one brings both into the log. */
static void
test_log_catches_up(void **state)
{
	struct fixture *fixture = *state;
	struct buffer made, next;

	make_vault(fixture, fixture->first, 41, &made);
	receive(fixture->second, buffer_view(&made));
	assert_int_equal(judge_own_log(fixture->second), 4);
	make_vault(fixture, fixture->second, 42, &next);
	assert_int_equal(judge_own_log(fixture->second), 6);
	assert_int_equal(judge_own_log(fixture->first), 5);
	buffer_fini(&made);
	buffer_fini(&next);
}

/* Taking what is known already, but not in the log, brings it there too. */
static void
test_known_is_written(void **state)
{
	struct fixture *fixture = *state;
	struct buffer made, text;
	struct err err = {0};
	unsigned accepted = 9;

	make_vault(fixture, fixture->first, 43, &made);
	receive(fixture->second, buffer_view(&made));
	buffer_init(&text, STATEMENT_FILE_MAX);
	statement_file_write(&text, buffer_view(&made));
	require(archive_charter_apply(fixture->second, buffer_view(&text), &accepted, &err), &err,
	    "apply");
	assert_int_equal(accepted, 0);
	assert_int_equal(judge_own_log(fixture->second), 5);
	buffer_fini(&made);
	buffer_fini(&text);
}

/* Two nodes make a statement of one number: both are kept, once, and the first here counts. */
static void
test_disputed(void **state)
{
	struct fixture *fixture = *state;
	struct buffer ours, theirs, text;
	struct charter *charter;
	struct err err = {0};
	unsigned accepted, round;
	uint8_t organisation[HASH_SIZE];

	make_vault(fixture, fixture->first, 44, &ours);
	make_vault(fixture, fixture->second, 45, &theirs);
	buffer_init(&text, STATEMENT_FILE_MAX);
	statement_file_write(&text, buffer_view(&theirs));
	for (round = 0; round < 3; round++) {
		assert_int_equal(
		    archive_charter_apply(fixture->first, buffer_view(&text), &accepted, &err),
		    ERR_REFUSED);
		assert_non_null(strstr(err.text, "competes"));
		assert_int_equal(accepted, round == 0 ? 1 : 0);
	}
	require(archive_organisation(fixture->first, NULL, organisation, &err), &err, "own");
	require(archive_charter(fixture->first, organisation, &charter, &err), &err, "charter");
	assert_int_equal(charter_count(charter), 5);
	charter_free(charter);
	assert_int_equal(judge_own_log(fixture->first), 5);
	buffer_fini(&ours);
	buffer_fini(&theirs);
	buffer_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_log_catches_up, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_known_is_written, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_disputed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
