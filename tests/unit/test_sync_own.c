/*
 * The own log before it is signed, restored nodes, and successors of lost ones: heads are read from
 * peers first, what peers hold more is fetched back, a log that forked is not signed.  Defends P2, P4.
 */
#include "tests/sim/sim.h"
#include "tests/unit/vectors.h"

#define MINUTE 60000

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

/* Without peers a node signs at once; with peers only once one of them has answered. */
static void
test_gate(void **state)
{
	struct sim sim;

	(void)state;
	make(&sim, 1, 2);
	sim_up(&sim, 0);
	sim_run(&sim, 300);
	assert_int_equal(sim.nodes[0].signs, 1);
	sim_down(&sim, 0);
	sim_pair(&sim, 0, 1);
	sim_share(&sim, 0, (unsigned[]){1}, 1);
	sim_up(&sim, 0);
	sim_run(&sim, 5 * MINUTE);
	assert_int_equal(sim.nodes[0].signs, 1);
	sim_up(&sim, 1);
	sim_run(&sim, 10 * MINUTE);
	assert_int_equal(sim.nodes[0].signs, 2);
	assert_true(sim_holds(&sim, 1, 0));
	sim_fini(&sim);
}

/*
 * One peer answers; another has no address here, and may still call: it is waited for ten seconds,
 * and no longer.
 */
static void
test_gate_waits(void **state)
{
	struct sim sim;

	(void)state;
	make(&sim, 2, 3);
	sim_pair(&sim, 0, 1);
	sim_pair(&sim, 0, 2);
	sim_pair(&sim, 1, 2);
	/* Of node 2's peers, 0 and 1 call it: down, 0 is what 2 waits for. */
	sim_up(&sim, 1);
	sim_up(&sim, 2);
	sim_run(&sim, SYNC_GATE_MS - 1000);
	assert_true(sim_connected(&sim, 1, 2));
	assert_int_equal(sim.nodes[2].signs, 0);
	sim_run(&sim, 2000);
	assert_int_equal(sim.nodes[2].signs, 1);
	sim_fini(&sim);
}

/* A disk restored from a backup: what peers hold more comes back before anything is signed. */
static void
test_fetch_back(void **state)
{
	struct sim_disk backup;
	struct sim sim;
	unsigned i;

	(void)state;
	make(&sim, 3, 3);
	sim_pair(&sim, 0, 1);
	sim_pair(&sim, 0, 2);
	sim_share(&sim, 0, (unsigned[]){1, 2}, 2);
	for (i = 0; i < 5; i++)
		sim_deposit(&sim, 0, 40000);
	sim_sign(&sim, 0);
	for (i = 0; i < 3; i++)
		sim_up(&sim, i);
	sim_run(&sim, MINUTE);
	for (i = 0; i < 400; i++)
		sim_deposit(&sim, 0, i == 7 ? 3 << 20 : 500);
	sim_changed(&sim, 0);
	sim_run(&sim, MINUTE);
	assert_true(sim_holds(&sim, 1, 0) && sim_holds(&sim, 2, 0));
	/* Back to the first seven records, their payloads and their checkpoint. */
	sim_down(&sim, 0);
	backup = sim.nodes[0].disk;
	memset(&sim.nodes[0].disk, 0, sizeof sim.nodes[0].disk);
	for (i = 0; i < backup.statement_count; i++)
		sim_disk_add_statement(&sim.nodes[0].disk, backup.statements[i].organisation,
		    buffer_view(&backup.statements[i].bytes));
	(void)sim_disk_add_log(&sim.nodes[0].disk, sim.nodes[0].log, backup.logs[0]->organisation);
	for (i = 0; i < 7; i++) {
		const struct sim_entry *entry = &backup.logs[0]->entries[i];
		struct sync_part parts[PART_COUNT];
		unsigned j;

		for (j = 0; j < entry->part_count; j++) {
			memcpy(parts[j].digest, entry->parts[j].digest, HASH_SIZE);
			parts[j].bytes = buffer_view(&entry->parts[j].bytes);
		}
		sim_disk_append(&sim.nodes[0].disk, sim.nodes[0].disk.logs[0],
		    buffer_view(&entry->record), parts, entry->part_count, true);
	}
	sim_sign(&sim, 0);
	sim.nodes[0].signs = 0;
	sim_up(&sim, 0);
	sim_run(&sim, 5 * MINUTE);
	assert_int_equal(sim.nodes[0].signs, 0);
	assert_true(sim.nodes[0].reports[SYNC_REPORT_RECOVER] > 0);
	assert_int_equal(sim.nodes[0].reports[SYNC_REPORT_FROZEN], 0);
	assert_true(sim_holds(&sim, 0, 0));
	assert_int_equal(sim_disk_log(&sim.nodes[0].disk, sim.nodes[0].log)->count, 3 + 405);
	assert_true(sim_holds(&sim, 1, 0) && sim_holds(&sim, 0, 1) == false);
	/* And on it goes from there, on the log that everybody knows. */
	sim_deposit(&sim, 0, 1234);
	sim_changed(&sim, 0);
	sim_run(&sim, MINUTE);
	assert_int_equal(sim.nodes[0].signs, 1);
	assert_true(sim_holds(&sim, 1, 0) && sim_holds(&sim, 2, 0));
	sim_disk_fini(&backup);
	sim_fini(&sim);
}

/* Restored, and added to before any peer was asked: it cannot extend what peers hold. */
static void
test_forked(void **state)
{
	struct sim_disk *disk;
	struct sim_log *log;
	struct sim sim;
	unsigned i;

	(void)state;
	make(&sim, 4, 2);
	sim_pair(&sim, 0, 1);
	sim_share(&sim, 0, (unsigned[]){1}, 1);
	for (i = 0; i < 5; i++)
		sim_deposit(&sim, 0, 400);
	sim_up(&sim, 0);
	sim_up(&sim, 1);
	sim_run(&sim, MINUTE);
	assert_true(sim_holds(&sim, 1, 0));
	sim_down(&sim, 0);
	disk = &sim.nodes[0].disk;
	log = sim_disk_log(disk, sim.nodes[0].log);
	/* The last two records are others now, then also more of them than the peer knows. */
	for (i = 0; i < 2; i++) {
		unsigned j;

		log->count--;
		for (j = 0; j < log->entries[log->count].part_count; j++)
			buffer_fini(&log->entries[log->count].parts[j].bytes);
		buffer_fini(&log->entries[log->count].record);
	}
	log->head_size = 0;
	log->seen_size = 0;
	buffer_fini(&log->head);
	buffer_fini(&log->seen);
	sim_deposit(&sim, 0, 400);
	sim.nodes[0].signs = 0;
	sim_up(&sim, 0);
	sim_run(&sim, 5 * MINUTE);
	assert_int_equal(sim.nodes[0].signs, 0);
	assert_true(sim.nodes[0].reports[SYNC_REPORT_FROZEN] > 0);
	for (i = 0; i < 4; i++)
		sim_deposit(&sim, 0, 400);
	sim_changed(&sim, 0);
	sim_run(&sim, 5 * MINUTE);
	assert_int_equal(sim.nodes[0].signs, 0);
	/* The peer keeps what it has. */
	assert_int_equal(sim_disk_log(&sim.nodes[1].disk, sim.nodes[0].log)->count, 8);
	sim_fini(&sim);
}

/* Somebody signs a second history with our log key: peers refuse it and say who sent it. */
static void
test_other_branch(void **state)
{
	struct sim_log *log;
	struct sim sim;
	unsigned i;

	(void)state;
	make(&sim, 5, 2);
	sim_pair(&sim, 0, 1);
	sim_share(&sim, 0, (unsigned[]){1}, 1);
	for (i = 0; i < 5; i++)
		sim_deposit(&sim, 0, 400);
	sim_up(&sim, 0);
	sim_up(&sim, 1);
	sim_run(&sim, MINUTE);
	sim_down(&sim, 0);
	log = sim_disk_log(&sim.nodes[0].disk, sim.nodes[0].log);
	log->entries[6].record.data[50] ^= 1;
	tree_leaf(log->entries[6].id, buffer_view(&log->entries[6].record));
	sim_deposit(&sim, 0, 400);
	sim_deposit(&sim, 0, 400);
	sim_sign(&sim, 0);
	sim_up(&sim, 0);
	sim_run(&sim, 5 * MINUTE);
	assert_true(sim.nodes[1].reports[SYNC_REPORT_SUSPECT] > 0);
	assert_int_equal(sim.nodes[1].last_peer[SYNC_REPORT_SUSPECT], 0);
	assert_int_equal(sim_disk_log(&sim.nodes[1].disk, sim.nodes[0].log)->count, 8);
	/* The one whose log it is hears from the peer that it forked. */
	assert_true(sim.nodes[0].reports[SYNC_REPORT_FROZEN] > 0);
	sim_fini(&sim);
}

/*
 * A node is lost with its disk; a new node of the same organisation, enrolled with the root key, pairs
 * anew and gets the lost node's log and payloads from the peers.
 */
static void
test_successor(void **state)
{
	struct sim sim;
	unsigned i;

	(void)state;
	make(&sim, 6, 3);
	sim_pair(&sim, 0, 1);
	sim_pair(&sim, 0, 2);
	sim_share(&sim, 0, (unsigned[]){1, 2}, 2);
	for (i = 0; i < 20; i++)
		sim_deposit(&sim, 0, i == 3 ? 5 << 20 : 9000);
	for (i = 0; i < 3; i++)
		sim_up(&sim, i);
	sim_run(&sim, MINUTE);
	assert_true(sim_holds(&sim, 1, 0) && sim_holds(&sim, 2, 0));
	sim_down(&sim, 0);
	/* Node 3 is of organisation 0; nobody but itself knows that it was enrolled. */
	sim_enrol(&sim, 3, 0);
	sim_pair(&sim, 1, 3);
	sim_pair(&sim, 2, 3);
	for (i = 1; i < 3; i++) {
		sim_down(&sim, i);
		sim_up(&sim, i);
	}
	sim_up(&sim, 3);
	sim_run(&sim, 2 * MINUTE);
	assert_true(sim_holds(&sim, 3, 0));
	assert_int_equal(sim.nodes[3].disk.refetched, 0);
	/* Its own log is signed, though it is shared with nobody yet. */
	assert_int_equal(sim.nodes[3].signs, 1);
	assert_null(sim_disk_log(&sim.nodes[1].disk, sim.nodes[3].log));
	sim_fini(&sim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_gate),
	    cmocka_unit_test(test_gate_waits),
	    cmocka_unit_test(test_fetch_back),
	    cmocka_unit_test(test_forked),
	    cmocka_unit_test(test_other_branch),
	    cmocka_unit_test(test_successor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
