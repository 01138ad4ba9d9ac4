/* P7 and pairing (design 6): invites and replies of vectors/dalil/peer.json, and replay memory. */
#include <sodium.h>
#include <stdlib.h>

#include "proto/invite.h"
#include "proto/replay.h"
#include "tests/unit/vectors.h"

/*
 * What of peer.json belongs to later kinds and is tested in their issues: have (receipts) and the
 * key shares.
 */
static const char *const members[] = {"have", "refused_have", "invite", "reply", "fingerprint",
    "refused_replies", "key_shares", "refused_shares"};

struct fixture {
	json_t *file;
	struct view invite_line;
	struct view reply_line;
};

static void
load(struct fixture *fixture)
{
	fixture->file = vectors_load("dalil/peer.json");
	fixture->invite_line =
	    view_text(vectors_text(json_object_get(fixture->file, "invite"), "line"));
	fixture->reply_line =
	    view_text(vectors_text(json_object_get(fixture->file, "reply"), "line"));
}

/* The file gives the psk in the invite's line alone. */
static void
test_vectors(void **state)
{
	struct fixture fixture;
	const json_t *fields;
	uint8_t bytes[HASH_SIZE];
	char fingerprint[INVITE_FINGERPRINT];
	struct invite_reply reply;
	struct invite invite;
	struct buffer line;
	size_t i;

	(void)state;
	load(&fixture);
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		assert_non_null(json_object_get(fixture.file, members[i]));
	fields = json_object_get(fixture.file, "invite");
	assert_int_equal(invite_parse(&invite, fixture.invite_line, NULL), 0);
	vectors_bytes(bytes, HASH_SIZE, fields, "organisation");
	assert_memory_equal(invite.organisation, bytes, HASH_SIZE);
	vectors_bytes(bytes, INVITE_KEY, fields, "transport");
	assert_memory_equal(invite.transport, bytes, INVITE_KEY);
	assert_string_equal(invite.address, vectors_text(fields, "address"));
	assert_int_equal(invite.expiry, vectors_uint(fields, "expiry"));
	buffer_init(&line, INVITE_LINE_MAX);
	assert_int_equal(invite_encode(&invite, &line, NULL), 0);
	assert_true(view_equal(buffer_view(&line), fixture.invite_line));

	fields = json_object_get(fixture.file, "reply");
	assert_int_equal(
	    invite_reply_parse(&reply, fixture.reply_line, fixture.invite_line, invite.psk, NULL),
	    0);
	vectors_bytes(bytes, HASH_SIZE, fields, "organisation");
	assert_memory_equal(reply.organisation, bytes, HASH_SIZE);
	vectors_bytes(bytes, INVITE_KEY, fields, "transport");
	assert_memory_equal(reply.transport, bytes, INVITE_KEY);
	assert_string_equal(reply.address, vectors_text(fields, "address"));
	assert_int_equal(reply.expiry, vectors_uint(fields, "expiry"));
	buffer_clear(&line);
	assert_int_equal(
	    invite_reply_encode(&reply, fixture.invite_line, invite.psk, &line, NULL), 0);
	assert_true(view_equal(buffer_view(&line), fixture.reply_line));

	invite_fingerprint(fingerprint, fixture.invite_line, fixture.reply_line);
	assert_string_equal(fingerprint, vectors_text(fixture.file, "fingerprint"));
	buffer_fini(&line);
	invite_wipe(&invite);
	assert_true(sodium_is_zero(invite.psk, INVITE_KEY));
	json_decref(fixture.file);
}

static void
test_refused_replies(void **state)
{
	struct fixture fixture;
	const json_t *refused;
	struct invite invite;
	unsigned count = 0;
	size_t i;

	(void)state;
	load(&fixture);
	assert_int_equal(invite_parse(&invite, fixture.invite_line, NULL), 0);
	json_array_foreach(json_object_get(fixture.file, "refused_replies"), i, refused)
	{
		struct invite_reply reply;
		struct err err;

		assert_true(invite_reply_parse(&reply, view_text(vectors_text(refused, "line")),
		                fixture.invite_line, invite.psk, &err) < 0);
		print_message("%s: %s\n", vectors_text(refused, "why"), err.text);
		count++;
	}
	assert_int_equal(count, 5);
	json_decref(fixture.file);
}

/* No character of a reply can be altered, and none left off. */
static void
test_altered_reply(void **state)
{
	struct fixture fixture;
	struct invite invite;
	struct invite_reply reply;
	char *line;
	size_t i;

	(void)state;
	load(&fixture);
	assert_int_equal(invite_parse(&invite, fixture.invite_line, NULL), 0);
	line = strdup(vectors_text(json_object_get(fixture.file, "reply"), "line"));
	for (i = 0; i < strlen(line); i++) {
		char before = line[i];

		line[i] = before == 'A' ? 'B' : 'A';
		assert_true(invite_reply_parse(&reply, view_text(line), fixture.invite_line,
		                invite.psk, NULL) < 0);
		assert_true(invite_reply_parse(&reply, view_of(line, i), fixture.invite_line,
		                invite.psk, NULL) < 0);
		line[i] = before;
	}
	assert_int_equal(strlen(line), 184);
	assert_int_equal(
	    invite_reply_parse(&reply, view_text(line), fixture.invite_line, invite.psk, NULL), 0);
	free(line);
	json_decref(fixture.file);
}

static void
test_addresses(void **state)
{
	static const char *const good[] = {
	    "a:1", "127.0.0.1:47101", "[::1]:65535", "x.onion:9", "unix:/run/dalil.sock"};
	static const char *const bad[] = {"", "a", ":1", "a:", "a:0", "a:65536", "a:01", "a b:1",
	    "a:1\n", "a:-1", "a:1x", "unix:", "unix:/", "\xc3\xa4:1"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(invite_check_address(view_text(good[i]), false, NULL), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    invite_check_address(view_text(bad[i]), false, NULL), ERR_MALFORMED);
	assert_int_equal(invite_check_address(view_text(""), true, NULL), 0);
}

static void
ephemeral_of(uint8_t ephemeral[static 32], uint32_t number)
{
	memset(ephemeral, 0, 32);
	put_u32(ephemeral, number);
}

/* The newest 8,192 are known, also after a restart, and a damaged slot only forgets. */
static void
test_replay(void **state)
{
	struct replay *replay = malloc(sizeof(*replay));
	struct replay *again = malloc(sizeof(*again));
	uint8_t *stored = calloc(REPLAY_SLOTS, REPLAY_SLOT);
	uint8_t ephemeral[32];
	unsigned known = 0;
	uint32_t i;

	(void)state;
	replay_init(replay, view_of("", 0));
	memset(ephemeral, 0, sizeof(ephemeral));
	assert_false(replay_known(replay, ephemeral));
	for (i = 0; i < REPLAY_SLOTS + 100; i++) {
		unsigned slot;

		ephemeral_of(ephemeral, i);
		assert_true(i % 512 != 0 || !replay_known(replay, ephemeral));
		slot = replay_remember(replay, ephemeral);
		assert_true(slot < REPLAY_SLOTS);
		memcpy(stored + slot * REPLAY_SLOT, replay->slots[slot], REPLAY_SLOT);
	}
	stored[500 * REPLAY_SLOT] = 0xff;
	replay_init(again, view_of(stored, (size_t)REPLAY_SLOTS * REPLAY_SLOT));
	assert_int_equal(again->count, replay->count);
	for (i = 0; i < REPLAY_SLOTS + 100; i += 7) {
		ephemeral_of(ephemeral, i);
		assert_int_equal(replay_known(replay, ephemeral), i >= 100);
		if (replay_known(again, ephemeral))
			known++;
	}
	assert_true(known >= REPLAY_SLOTS / 7 - 1);
	free(stored);
	free(again);
	free(replay);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_refused_replies),
	    cmocka_unit_test(test_altered_reply),
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_replay),
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
