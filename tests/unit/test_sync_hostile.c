/*
 * The sync machine against a peer that lies, floods, or asks for what it may not have: refused,
 * attributed to that peer, memory flat, and what is stored is the truth.  Defends P2, P6, P7.
 */
#include "proto/message.h"
#include "tests/sim/sim.h"
#include "tests/unit/vectors.h"

#define MINUTE 60000

/* 0 and 1 hold 0's log; 2 fetches it. What comes from 1 is tampered with. */
static void
make(struct sim *sim, uint64_t seed)
{
	unsigned i;

	sim_init(sim, seed);
	for (i = 0; i < 4; i++) {
		sim_found(sim, i);
		sim_enrol(sim, i, i);
	}
	sim_pair(sim, 0, 1);
	sim_share(sim, 0, (unsigned[]){1, 2}, 2);
	for (i = 0; i < 6; i++)
		sim_deposit(sim, 0, i == 2 ? 3 << 20 : 3000);
	sim_sign(sim, 0);
	sim_up(sim, 0);
	sim_up(sim, 1);
	sim_run(sim, MINUTE);
	assert_true(sim_holds(sim, 1, 0));
	sim_pair(sim, 1, 2);
	sim_down(sim, 1);
	sim_up(sim, 1);
}

struct lie {
	enum message_type type;
	bool head; /* in the head, else in the raw bytes, else the last byte of the head */
	unsigned skip;
	unsigned told;
};

/* Flip one bit of the messages of one type that node 1 sends to node 2. */
static bool
tell_lie(void *cookie, unsigned from, unsigned to, struct buffer *bytes)
{
	struct lie *lie = cookie;
	struct message message;

	if (from != 1 || to != 2 || message_parse(&message, buffer_view(bytes), NULL) != ERR_NONE ||
	    message.type != lie->type)
		return true;
	if (lie->skip > 0) {
		lie->skip--;
		return true;
	}
	lie->told++;
	if (lie->head)
		bytes->data[bytes->size - message.raw.size - 1] ^= 1;
	else
		bytes->data[bytes->size - 1] ^= 1;
	return true;
}

static void
check_lie(struct lie lie, bool suspect_only)
{
	enum sync_report_kind kind = suspect_only ? SYNC_REPORT_SUSPECT : SYNC_REPORT_LIED;
	struct sim sim;

	make(&sim, 1);
	sim.tamper = tell_lie;
	sim.tamper_cookie = &lie;
	sim_up(&sim, 2);
	sim_run(&sim, 20000);
	assert_true(lie.told > 0);
	assert_true(sim.nodes[2].reports[kind] > 0);
	assert_int_equal(sim.nodes[2].last_peer[kind], 1);
	assert_false(sim_holds(&sim, 2, 0));
	if (!suspect_only)
		assert_false(sim_connected(&sim, 1, 2));
	/* The truth, from somebody else: nothing false was kept. */
	sim_pair(&sim, 0, 2);
	sim_down(&sim, 0);
	sim_up(&sim, 0);
	sim_down(&sim, 2);
	sim_up(&sim, 2);
	sim_run(&sim, 2 * MINUTE);
	assert_true(sim_holds(&sim, 2, 0));
	sim_fini(&sim);
}

static void
test_lies(void **state)
{
	(void)state;
	check_lie((struct lie){.type = MESSAGE_LEAF}, false);
	check_lie((struct lie){.type = MESSAGE_LEAF, .skip = 3}, false);
	check_lie((struct lie){.type = MESSAGE_ENTRY}, false);
	check_lie((struct lie){.type = MESSAGE_ENTRY, .skip = 4}, false); /* a part */
	check_lie((struct lie){.type = MESSAGE_PACKAGE}, false);
	check_lie((struct lie){.type = MESSAGE_CHARTER}, false);
	check_lie((struct lie){.type = MESSAGE_HEADS}, false);
}

/* A head that is true and a consistency proof that is not: refused, nothing freezes. */
static void
test_false_proof(void **state)
{
	struct lie lie = {.type = MESSAGE_CONSISTENCY};
	struct sim sim;

	(void)state;
	make(&sim, 2);
	sim_up(&sim, 2);
	sim_run(&sim, 5000);
	assert_true(sim_holds(&sim, 2, 0));
	sim.tamper = tell_lie;
	sim.tamper_cookie = &lie;
	sim_deposit(&sim, 0, 100);
	sim_deposit(&sim, 0, 100);
	sim_deposit(&sim, 0, 100);
	sim_changed(&sim, 0);
	sim_run(&sim, 5000);
	assert_true(lie.told > 0);
	assert_int_equal(sim.nodes[2].last_peer[SYNC_REPORT_SUSPECT], 1);
	assert_false(sim_holds(&sim, 2, 0));
	assert_true(sim_connected(&sim, 1, 2));
	sim.tamper = NULL;
	sim_cut(&sim, 1, 2);
	sim_run(&sim, MINUTE);
	assert_true(sim_holds(&sim, 2, 0));
	sim_fini(&sim);
}

/* ---- messages that nobody asked for ------------------------------------------------------------ */

static void
inject(struct sim *sim, const struct message *message, struct view raw)
{
	struct buffer bytes;

	buffer_init(&bytes, (size_t)2 * MESSAGE_MAX);
	message_pack(&bytes, message);
	buffer_append(&bytes, raw.data, raw.size);
	assert_int_equal(bytes.err, ERR_NONE);
	sim_inject(sim, 1, 2, buffer_view(&bytes));
	buffer_fini(&bytes);
}

static void
expect_hung_up(struct sim *sim)
{
	unsigned before = sim->nodes[2].reports[SYNC_REPORT_LIED];

	sim_run(sim, 500);
	assert_int_equal(sim->nodes[2].reports[SYNC_REPORT_LIED], before + 1);
	assert_int_equal(sim->nodes[2].last_peer[SYNC_REPORT_LIED], 1);
	assert_false(sim_connected(sim, 1, 2));
	sim_down(sim, 2);
	sim_up(sim, 2);
	sim_run(sim, 5 * MINUTE);
	assert_true(sim_connected(sim, 1, 2));
}

static void
test_unasked(void **state)
{
	static const uint8_t hash[HASH_SIZE] = {1};
	struct message messages[] = {
	    {.type = MESSAGE_CHARTER, .as.charter = {.request = 1}},
	    {.type = MESSAGE_HEADS, .as.heads = {.request = 77, .generation = 9}},
	    {.type = MESSAGE_CONSISTENCY, .as.consistency = {.request = 999}},
	    {.type = MESSAGE_PACKAGE, .as.package = {.request = 999, .count = 1, .hashes = hash}},
	    {.type = MESSAGE_ENTRY, .as.entry = {.request = 999}},
	    {.type = MESSAGE_LEAF, .as.leaf = {.request = 999}},
	    {.type = MESSAGE_LEAF_NONE, .as.leaf = {.request = 999}},
	    {.type = MESSAGE_REFUSED, .as.refused = {.request = 999, .code = 3}},
	    {.type = MESSAGE_HELLO,
	        .as.hello = {.low = 1, .high = 1, .organisation = hash, .log = hash}},
	    {.type = MESSAGE_HEADS_WANT, .as.heads_want = {.request = 5}},
	};
	struct sim sim;
	unsigned i;

	(void)state;
	make(&sim, 3);
	sim_up(&sim, 2);
	sim_run(&sim, 5000);
	for (i = 0; i < sizeof messages / sizeof messages[0]; i++) {
		inject(&sim, &messages[i],
		    messages[i].type == MESSAGE_LEAF ? view_text("leaf") : view_of(NULL, 0));
		expect_hung_up(&sim);
	}
	assert_int_equal(i, 10);
	assert_true(sim_holds(&sim, 2, 0));
	sim_fini(&sim);
}

static void
test_malformed(void **state)
{
	struct sim sim;
	uint8_t *bytes = calloc(1, MESSAGE_MAX + 1);

	(void)state;
	assert_non_null(bytes);
	make(&sim, 4);
	sim_up(&sim, 2);
	sim_run(&sim, 5000);
	sim_inject(&sim, 1, 2, view_of("\x91\x63", 2)); /* type 99 */
	expect_hung_up(&sim);
	sim_inject(&sim, 1, 2, view_of("\xdd\xff\xff\xff\xff", 5));
	expect_hung_up(&sim);
	sim_inject(&sim, 1, 2, view_of("", 0));
	expect_hung_up(&sim);
	memcpy(bytes, "\x95\x20\x01\x00\x00\x90", 6); /* an entry with too many raw bytes */
	sim_inject(&sim, 1, 2, view_of(bytes, MESSAGE_MAX + 1));
	expect_hung_up(&sim);
	assert_true(strstr(sim.nodes[2].last[SYNC_REPORT_LIED], "1114113") != NULL);
	free(bytes);
	sim_fini(&sim);
}

/* ---- asking too much ----------------------------------------------------------------------------- */

struct answers {
	unsigned refused;
	unsigned served;
	uint64_t code;
};

/* What node 2 says to node 1. */
static bool
watch(void *cookie, unsigned from, unsigned to, struct buffer *bytes)
{
	struct answers *answers = cookie;
	struct message message;

	if (from != 2 || to != 1 || message_parse(&message, buffer_view(bytes), NULL) != ERR_NONE)
		return true;
	if (message.type == MESSAGE_REFUSED) {
		answers->refused++;
		answers->code = message.as.refused.code;
		return false; /* node 1 never asked, and would hang up */
	}
	if (message.type == MESSAGE_LEAF || message.type == MESSAGE_ENTRY ||
	    message.type == MESSAGE_PACKAGE || message.type == MESSAGE_CONSISTENCY ||
	    (message.type == MESSAGE_CHARTER && message.as.charter.request >= 500)) {
		answers->served++;
		return false;
	}
	return true;
}

/* A log that is not shared with the asker, one that is not here, a charter, a payload. */
static void
test_forbidden(void **state)
{
	struct answers answers = {0};
	uint8_t nothing[HASH_SIZE] = {9};
	struct message_leaf_item item;
	struct sim sim;
	unsigned i;

	(void)state;
	make(&sim, 5);
	sim_up(&sim, 2);
	sim_run(&sim, 5000);
	/* 2 shares its own log with nobody, and holds 3's, which is not for 1 either. */
	sim_deposit(&sim, 2, 5000);
	sim_changed(&sim, 2);
	sim_pair(&sim, 2, 3);
	sim_share(&sim, 3, (unsigned[]){2}, 1);
	sim_down(&sim, 2);
	sim_up(&sim, 2);
	sim_up(&sim, 3);
	sim_run(&sim, MINUTE);
	assert_true(sim_holds(&sim, 2, 3));
	assert_true(sim_connected(&sim, 1, 2));
	sim.tamper = watch;
	sim.tamper_cookie = &answers;
	for (i = 0; i < 3; i++) {
		const uint8_t *log = i == 0 ? sim.nodes[2].log :
		                     i == 1 ? sim.nodes[3].log :
		                              nothing;

		inject(&sim,
		    &(struct message){.type = MESSAGE_PACKAGE_WANT,
		        .as.package_want = {.request = 500 + i, .log = log, .size = 2}},
		    view_of(NULL, 0));
		inject(&sim,
		    &(struct message){.type = MESSAGE_CONSISTENCY_WANT,
		        .as.consistency_want =
		            {.request = 510 + i, .log = log, .from = 1, .to = 2}},
		    view_of(NULL, 0));
	}
	inject(&sim,
	    &(struct message){.type = MESSAGE_CHARTER_WANT,
	        .as.charter_want = {.request = 520, .organisation = sim.organisations[3].id}},
	    view_of(NULL, 0));
	sim_run(&sim, 1000);
	assert_int_equal(answers.refused, 7);
	assert_int_equal(answers.served, 0);
	assert_int_equal(answers.code, MESSAGE_CODE_FORBIDDEN);
	assert_true(sim_connected(&sim, 1, 2));
	/* Someone who may have no log at all may have no payload either. */
	sim_share(&sim, 0, (unsigned[]){2}, 1);
	sim_changed(&sim, 0);
	sim_run(&sim, 2000);
	sim_pair(&sim, 0, 2);
	sim_down(&sim, 0);
	sim_up(&sim, 0);
	sim_down(&sim, 2);
	sim_up(&sim, 2);
	sim_run(&sim, MINUTE);
	assert_true(sim_holds(&sim, 2, 0));
	answers = (struct answers){0};
	item.root = sim.nodes[0].disk.payloads[0].root;
	item.size = sim.nodes[0].disk.payloads[0].size;
	item.leaf = 0;
	inject(&sim,
	    &(struct message){.type = MESSAGE_LEAF_WANT,
	        .as.leaf_want = {.request = 530, .count = 1, .items = {item}}},
	    view_of(NULL, 0));
	sim_run(&sim, 1000);
	assert_int_equal(answers.refused, 1);
	assert_int_equal(answers.served, 0);
	sim_fini(&sim);
}

/* More requests than 32 at once, while nothing of the answers is read. */
static void
test_flood(void **state)
{
	struct message_leaf_want want = {.count = MESSAGE_LEAVES_MAX};
	struct sim sim;
	unsigned i;

	(void)state;
	make(&sim, 6);
	sim_up(&sim, 2);
	sim_run(&sim, 5000);
	for (i = 0; i < MESSAGE_LEAVES_MAX; i++) {
		want.items[i].root = sim.nodes[0].disk.payloads[2].root;
		want.items[i].size = sim.nodes[0].disk.payloads[2].size;
		want.items[i].leaf = i % 3;
	}
	sim.nodes[1].deaf = true;
	for (i = 0; i < 32; i++) {
		want.request = 1000 + i;
		inject(&sim, &(struct message){.type = MESSAGE_LEAF_WANT, .as.leaf_want = want},
		    view_of(NULL, 0));
	}
	sim_run(&sim, 500);
	/* 2,048 leaves of 1 MiB were asked for; what waits for the deaf peer is bounded. */
	assert_true(sim_connected(&sim, 1, 2));
	assert_true(sync_held(sim.nodes[2].sync) >= SYNC_SEND_PEER);
	assert_true(sync_held(sim.nodes[2].sync) < SYNC_SEND_PEER + (2u << 20));
	inject(&sim, &(struct message){.type = MESSAGE_LEAF_WANT, .as.leaf_want = want},
	    view_of(NULL, 0));
	sim_run(&sim, 500);
	assert_false(sim_connected(&sim, 1, 2));
	assert_int_equal(sim.nodes[2].last_peer[SYNC_REPORT_LIED], 1);
	assert_int_equal(sync_held(sim.nodes[2].sync), 0);
	sim_fini(&sim);
}

/* Who takes nothing of what is sent is let go after the deadline. */
static void
test_deaf(void **state)
{
	struct sim sim;

	(void)state;
	make(&sim, 7);
	sim_up(&sim, 2);
	sim_run(&sim, 5000);
	sim.nodes[2].deaf = true;
	sim_deposit(&sim, 0, 20 << 20);
	sim_changed(&sim, 0);
	sim_run(&sim, 20000);
	assert_true(sim_connected(&sim, 1, 2));
	sim_run(&sim, 2 * SYNC_DEADLINE_MS);
	assert_true(sim.nodes[1].reports[SYNC_REPORT_DOWN] > 0);
	assert_true(sync_held(sim.nodes[1].sync) < 4096);
	/* The others do not notice. */
	assert_true(sim_holds(&sim, 1, 0));
	sim_fini(&sim);
}

/* Refusals without end, read by nobody. */
static void
test_refusals(void **state)
{
	uint8_t nothing[HASH_SIZE] = {9};
	struct sim sim;
	unsigned i;

	(void)state;
	make(&sim, 8);
	sim_up(&sim, 2);
	sim_run(&sim, 5000);
	sim.nodes[1].deaf = true;
	for (i = 0; i < 400000 && sim_connected(&sim, 1, 2); i++) {
		inject(&sim,
		    &(struct message){.type = MESSAGE_PACKAGE_WANT,
		        .as.package_want = {.request = 1, .log = nothing, .size = 2}},
		    view_of(NULL, 0));
		if (i % 1000 == 0)
			sim_run(&sim, 1);
	}
	assert_false(sim_connected(&sim, 1, 2));
	assert_true(sim.nodes[2].held_most < 3 * (size_t)SYNC_SEND_PEER);
	assert_int_equal(sim.nodes[2].last_peer[SYNC_REPORT_LIED], 1);
	sim_fini(&sim);
}

/* Heads of organisations that nobody heard of, as many as fit: nothing of them is kept. */
static void
test_invented_heads(void **state)
{
	struct sim sim;
	unsigned round;
	unsigned i;

	(void)state;
	make(&sim, 9);
	sim_up(&sim, 2);
	sim_run(&sim, 5000);
	for (round = 0; round < 4 && sim_connected(&sim, 1, 2); round++) {
		struct message message = {.type = MESSAGE_HEADS};
		struct buffer charters;
		struct buffer heads;

		buffer_init(&charters, MESSAGE_MAX);
		buffer_init(&heads, MESSAGE_MAX);
		for (i = 0; i < 200; i++) {
			uint8_t id[HASH_SIZE] = {(uint8_t)i, (uint8_t)round, 5};

			message_pack_charter_state(
			    &charters, &(struct message_charter_state){
			                   .organisation = id, .count = 1, .digest = id});
			message_pack_head(&heads, &(struct message_head){.log = id,
			                              .organisation = id,
			                              .held = 9,
			                              .note = view_text("a note")});
		}
		message.as.heads.request = 2;
		message.as.heads.generation = 100 + round;
		message.as.heads.charter_count = 200;
		message.as.heads.head_count = 200;
		message.as.heads.charters = buffer_view(&charters);
		message.as.heads.heads = buffer_view(&heads);
		inject(&sim, &message, view_of(NULL, 0));
		buffer_fini(&charters);
		buffer_fini(&heads);
		sim_run(&sim, 2000);
	}
	assert_int_equal(sim.nodes[2].disk.log_count, 2);
	assert_int_equal(sim.nodes[2].disk.statement_count, 6);
	sim_fini(&sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lies),
	    cmocka_unit_test(test_false_proof),
	    cmocka_unit_test(test_unasked),
	    cmocka_unit_test(test_malformed),
	    cmocka_unit_test(test_forbidden),
	    cmocka_unit_test(test_flood),
	    cmocka_unit_test(test_deaf),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_invented_heads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
