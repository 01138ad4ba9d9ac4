/*
 * The sync machine between honest nodes: records, parts and payloads both ways, forwarding by
 * `share` and not otherwise, resuming after cuts and crashes, rounds.  Defends P1, P3, P4, P6.
 */
#include "tests/sim/sim.h"
#include "tests/unit/vectors.h"

#define MINUTE 60000

/* Organisations 0, 1, ... each with one node of the same number. */
static void
make(struct sim *sim, uint64_t seed, unsigned nodes)
{
	unsigned i;

	sim_init(sim, seed);
	for (i = 0; i < nodes; i++) {
		sim_found(sim, i);
		sim_enrol(sim, i, i);
	}
}

static void
up_all(struct sim *sim, unsigned nodes)
{
	unsigned i;

	for (i = 0; i < nodes; i++)
		sim_up(sim, i);
}

static bool
round_done(const struct sim *sim, void *cookie)
{
	const unsigned *pair = cookie;

	return sim->nodes[pair[0]].round_done[pair[1]];
}

static bool
both_hold(const struct sim *sim, void *cookie)
{
	(void)cookie;
	return sim_holds(sim, 1, 0) && sim_holds(sim, 0, 1);
}

static void
test_both_ways(void **state)
{
	struct sim sim;
	unsigned i;

	(void)state;
	make(&sim, 1, 2);
	sim_pair(&sim, 0, 1);
	sim_share(&sim, 0, (unsigned[]){1}, 1);
	sim_share(&sim, 1, (unsigned[]){0}, 1);
	for (i = 0; i < 300; i++)
		sim_deposit(&sim, 0, i % 50 == 0 ? 2500000 : 1000 + i);
	for (i = 0; i < 20; i++)
		sim_deposit(&sim, 1, 100 * i);
	sim_opaque(&sim, 1);
	sim_deposit(&sim, 1, 5);
	up_all(&sim, 2);
	assert_true(sim_until(&sim, 10 * MINUTE, both_hold, NULL));
	assert_int_equal(sim.nodes[0].disk.refetched + sim.nodes[1].disk.refetched, 0);
	assert_int_equal(sim.nodes[0].signs, 1);
	assert_int_equal(sim.nodes[1].signs, 1);
	assert_int_equal(sim.nodes[0].reports[SYNC_REPORT_LIED], 0);
	assert_int_equal(sim.nodes[1].reports[SYNC_REPORT_LIED], 0);
	assert_int_equal(sim.counters.entries, 2 * 2 + 2 + 300 + 22);
	/* What is added while they run follows by itself. */
	sim_deposit(&sim, 0, 3000000);
	sim_changed(&sim, 0);
	assert_false(both_hold(&sim, NULL));
	assert_true(sim_until(&sim, MINUTE, both_hold, NULL));
	assert_int_equal(sim.nodes[0].signs, 2);
	sim_fini(&sim);
}

/* A log goes to those in its last share, through others too, and to nobody else. */
static void
test_forwarding(void **state)
{
	struct sim sim;

	(void)state;
	make(&sim, 2, 4);
	/* 0 - 1 - 2 and 1 - 3: 0 shares with 1 and 2, so 1 forwards to 2 and not to 3. */
	sim_pair(&sim, 0, 1);
	sim_pair(&sim, 1, 2);
	sim_pair(&sim, 1, 3);
	sim_share(&sim, 0, (unsigned[]){1, 2}, 2);
	sim_deposit(&sim, 0, 50000);
	up_all(&sim, 4);
	sim_run(&sim, MINUTE);
	assert_true(sim_holds(&sim, 1, 0));
	assert_true(sim_holds(&sim, 2, 0));
	assert_null(sim_disk_log(&sim.nodes[3].disk, sim.nodes[0].log));
	/* 1 has no share of its own: nobody has its log. */
	assert_null(sim_disk_log(&sim.nodes[0].disk, sim.nodes[1].log));
	assert_null(sim_disk_log(&sim.nodes[2].disk, sim.nodes[1].log));
	/* A further share lets 3 in, and the one before it is replaced: 2 gets nothing new. */
	sim_share(&sim, 0, (unsigned[]){1, 3}, 2);
	sim_deposit(&sim, 0, 60000);
	sim_changed(&sim, 0);
	sim_run(&sim, MINUTE);
	assert_true(sim_holds(&sim, 1, 0));
	assert_true(sim_holds(&sim, 3, 0));
	assert_false(sim_holds(&sim, 2, 0));
	assert_int_equal(sim_disk_log(&sim.nodes[2].disk, sim.nodes[0].log)->count, 4);
	/* The source is gone for good: 3 keeps getting it from 1, and a node that is new too. */
	sim_fini(&sim);
}

/* What one holder has survives its owner: it is forwarded while the owner is down. */
static void
test_owner_gone(void **state)
{
	struct sim sim;
	unsigned i;

	(void)state;
	make(&sim, 3, 3);
	sim_pair(&sim, 0, 1);
	sim_share(&sim, 0, (unsigned[]){1, 2}, 2);
	for (i = 0; i < 10; i++)
		sim_deposit(&sim, 0, 1500000);
	sim_up(&sim, 0);
	sim_up(&sim, 1);
	sim_run(&sim, MINUTE);
	assert_true(sim_holds(&sim, 1, 0));
	sim_down(&sim, 0);
	sim_pair(&sim, 1, 2);
	sim_down(&sim, 1);
	sim_up(&sim, 1);
	sim_up(&sim, 2);
	sim_run(&sim, MINUTE);
	assert_true(sim_holds(&sim, 2, 0));
	sim_fini(&sim);
}

static bool
one_holds(const struct sim *sim, void *cookie)
{
	(void)cookie;
	return sim_holds(sim, 1, 0);
}

static bool
connected(const struct sim *sim, void *cookie)
{
	(void)cookie;
	return sim_connected(sim, 0, 1);
}

/* Cut, or kill, at random moments until all is there; no leaf that was stored is asked for again. */
static void
test_resume(void **state)
{
	unsigned interruptions = 0;
	uint64_t seed;

	(void)state;
	for (seed = 10; seed < 22; seed++) {
		struct sim sim;
		unsigned i;

		make(&sim, seed, 2);
		sim.delay_least = 20;
		sim.delay_most = 150;
		sim_pair(&sim, 0, 1);
		sim_share(&sim, 0, (unsigned[]){1}, 1);
		sim_deposit(&sim, 0, 12 << 20);
		for (i = 0; i < 280; i++)
			sim_deposit(&sim, 0, 200 * i);
		up_all(&sim, 2);
		for (i = 0; i < 12 && !one_holds(&sim, NULL); i++) {
			(void)sim_until(&sim, MINUTE, connected, NULL);
			sim_run(&sim, 300 + sim_random(&sim, 1000));
			if (sim_random(&sim, 2) == 0) {
				sim_cut(&sim, 0, 1);
			} else {
				unsigned victim = (unsigned)sim_random(&sim, 2);

				sim_down(&sim, victim);
				sim_run(&sim, sim_random(&sim, 200));
				sim_up(&sim, victim);
			}
			interruptions++;
		}
		assert_true(sim_until(&sim, 30 * MINUTE, one_holds, NULL));
		assert_int_equal(sim.nodes[1].disk.refetched, 0);
		assert_int_equal(sim.nodes[1].reports[SYNC_REPORT_LIED], 0);
		assert_int_equal(sim.nodes[1].reports[SYNC_REPORT_SUSPECT], 0);
		assert_int_equal(sim.nodes[0].reports[SYNC_REPORT_FROZEN], 0);
		sim_fini(&sim);
	}
	assert_true(interruptions > 40);
}

/* Several holders: the payload comes from all of them, one of which lacks it and one of which stalls. */
static void
test_several_holders(void **state)
{
	struct sim sim;
	unsigned i;

	(void)state;
	make(&sim, 4, 4);
	sim_pair(&sim, 0, 1);
	sim_pair(&sim, 0, 2);
	sim_share(&sim, 0, (unsigned[]){1, 2, 3}, 3);
	for (i = 0; i < 5; i++)
		sim_deposit(&sim, 0, 4 << 20);
	for (i = 0; i < 3; i++)
		sim_up(&sim, i);
	sim_run(&sim, MINUTE);
	assert_true(sim_holds(&sim, 1, 0) && sim_holds(&sim, 2, 0));
	/* 1 loses a payload; 3 comes new, and 0 is gone. */
	sim_down(&sim, 0);
	for (i = 0; i < 3; i++)
		sim_down(&sim, i);
	for (i = 0; i < sim.nodes[1].disk.payloads[2].count; i++)
		buffer_fini(&sim.nodes[1].disk.payloads[2].leaves[i]);
	sim.nodes[1].disk.payloads[2].here = 0;
	sim_pair(&sim, 1, 3);
	sim_pair(&sim, 2, 3);
	sim_unpair(&sim, 0, 1);
	for (i = 1; i < 4; i++)
		sim_up(&sim, i);
	sim_run(&sim, MINUTE);
	assert_true(sim_holds(&sim, 3, 0));
	assert_int_equal(sim.nodes[3].disk.refetched, 0);
	sim_fini(&sim);
}

static void
test_round(void **state)
{
	unsigned pair[2] = {0, 1};
	struct sim sim;
	unsigned i;

	(void)state;
	make(&sim, 5, 3);
	sim_pair(&sim, 0, 1);
	sim_pair(&sim, 0, 2);
	sim_share(&sim, 0, (unsigned[]){1, 2}, 2);
	sim_share(&sim, 1, (unsigned[]){0}, 1);
	for (i = 0; i < 30; i++)
		sim_deposit(&sim, 0, 70000);
	sim_deposit(&sim, 1, 10);
	sim_sign(&sim, 1);
	sim_up(&sim, 0);
	sim_up(&sim, 1);
	sim_round(&sim, 0, 5 * MINUTE);
	assert_true(sim_until(&sim, 2 * MINUTE, round_done, pair));
	assert_int_equal(sim.nodes[0].round[1].result, ERR_NONE);
	/* Settled means that both have everything now, not soon. */
	assert_true(both_hold(&sim, NULL));
	assert_int_equal(sim.nodes[0].round[1].counts.records_out, 2 + 1 + 30);
	assert_int_equal(sim.nodes[0].round[1].counts.records_in, 2 + 1 + 1);
	assert_int_equal(sim.nodes[0].round[1].counts.payloads_in, 1);
	assert_int_equal(sim.nodes[0].round[1].counts.leaves_out, 30);
	/* The one that nobody answers for ends with that. */
	pair[1] = 2;
	assert_true(sim_until(&sim, 10 * MINUTE, round_done, pair));
	assert_int_equal(sim.nodes[0].round[2].result, ERR_NETWORK);
	/* Once more, with nothing to do, is quick. */
	sim_up(&sim, 2);
	sim_run(&sim, 10 * MINUTE);
	sim_round(&sim, 0, MINUTE);
	assert_true(sim_until(&sim, 1000, round_done, pair));
	assert_int_equal(sim.nodes[0].round[2].result, ERR_NONE);
	assert_true(sim_holds(&sim, 2, 0));
	sim_fini(&sim);
}

/* A command's round beside the daemon of the same node: both streams live, both are answered. */
static void
test_round_beside(void **state)
{
	unsigned pair[2] = {3, 1};
	struct sim sim;
	unsigned i;

	(void)state;
	make(&sim, 8, 2);
	sim_pair(&sim, 0, 1);
	sim_share(&sim, 0, (unsigned[]){1}, 1);
	sim_share(&sim, 1, (unsigned[]){0}, 1);
	for (i = 0; i < 10; i++)
		sim_deposit(&sim, 1, 2000000);
	sim_sign(&sim, 0);
	up_all(&sim, 2);
	sim_run(&sim, 100);
	sim_clone(&sim, 3, 0);
	sim_up(&sim, 3);
	sim_round(&sim, 3, MINUTE);
	assert_true(sim_until(&sim, MINUTE, round_done, pair));
	assert_int_equal(sim.nodes[3].round[1].result, ERR_NONE);
	assert_true(sim_holds(&sim, 3, 1));
	assert_true(sim_connected(&sim, 0, 1));
	sim_down(&sim, 3);
	sim_run(&sim, MINUTE);
	assert_true(both_hold(&sim, NULL));
	assert_int_equal(sim.nodes[0].reports[SYNC_REPORT_DOWN], 0);
	assert_int_equal(sim.nodes[1].reports[SYNC_REPORT_LIED], 0);
	sim_fini(&sim);
}

/* A payload that its own owner lost: settled, and said to be missing. */
static void
test_round_missing(void **state)
{
	unsigned pair[2] = {1, 0};
	struct sim sim;

	(void)state;
	make(&sim, 6, 2);
	sim_pair(&sim, 0, 1);
	sim_share(&sim, 0, (unsigned[]){1}, 1);
	sim_deposit(&sim, 0, 70000);
	sim_deposit(&sim, 0, 70000);
	buffer_fini(&sim.nodes[0].disk.payloads[0].leaves[0]);
	sim.nodes[0].disk.payloads[0].here = 0;
	up_all(&sim, 2);
	sim_run(&sim, 1000);
	sim_round(&sim, 1, MINUTE);
	assert_true(sim_until(&sim, MINUTE, round_done, pair));
	assert_int_equal(sim.nodes[1].round[0].result, ERR_MISSING);
	assert_int_equal(sim.nodes[1].round[0].counts.missing, 1);
	assert_int_equal(sim.nodes[1].disk.payloads[1].here, 1);
	sim_fini(&sim);
}

/* Our own disk fails: said so, and taken up again once it works. */
static void
test_disk_trouble(void **state)
{
	struct sim sim;

	(void)state;
	make(&sim, 7, 2);
	sim_pair(&sim, 0, 1);
	sim_share(&sim, 0, (unsigned[]){1}, 1);
	sim_deposit(&sim, 0, 3 << 20);
	sim.nodes[1].disk.fail = ERR_FULL;
	up_all(&sim, 2);
	sim_run(&sim, MINUTE);
	assert_true(sim.nodes[1].reports[SYNC_REPORT_TROUBLE] > 0);
	assert_true(sim.nodes[1].reports[SYNC_REPORT_TROUBLE] < 200);
	assert_int_equal(sim.nodes[1].reports[SYNC_REPORT_LIED], 0);
	sim.nodes[1].disk.fail = ERR_NONE;
	sim_run(&sim, 5 * MINUTE);
	assert_true(sim_holds(&sim, 1, 0));
	sim_fini(&sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_both_ways),
	    cmocka_unit_test(test_forwarding),
	    cmocka_unit_test(test_owner_gone),
	    cmocka_unit_test(test_resume),
	    cmocka_unit_test(test_several_holders),
	    cmocka_unit_test(test_round),
	    cmocka_unit_test(test_round_beside),
	    cmocka_unit_test(test_round_missing),
	    cmocka_unit_test(test_disk_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
