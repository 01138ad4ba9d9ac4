/*
 * P1 (durable): {size, root} are on disk before a signature leaves; P2 (immutable): no smaller or
 * inconsistent tree is ever signed, whatever the disk does, and a restored disk asks before it signs.
 */
#include "node/log/log.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/checkpoint.h"
#include "proto/tile.h"
#include "proto/tlogproof.h"
#include "tests/sim/memory_storage.h"
#include "tests/unit/vectors.h"

static const uint8_t seed[KEY_SEED] = {1, 2, 3};
static const uint8_t organisation[HASH_SIZE] = {4, 5, 6};
static const struct log_gate no_peers = {.peers = false};

struct world {
	struct storage *storage;
	struct vkey vkey;
	uint32_t number;
	struct buffer note;
	unsigned salt; /* of the next records */
};

static void
world_init(struct world *world)
{
	struct batch *batch;
	struct buffer text;
	uint8_t key[KEY_SIZE];

	world->storage = memory_storage_new();
	world->salt = 0;
	buffer_init(&world->note, STORAGE_BYTES_MAX);
	key_ed25519_public(key, seed);
	assert_int_equal(
	    vkey_make(&world->vkey, view_text("a.dalil/n-00000000"), VKEY_ED25519, key, NULL), 0);
	buffer_init(&text, VKEY_TEXT_MAX);
	vkey_text(&text, &world->vkey);
	assert_int_equal(batch_begin(world->storage, &batch, NULL), 0);
	assert_int_equal(
	    batch_log(batch, &world->number, buffer_view(&text), organisation, NULL), 0);
	assert_int_equal(batch_commit(batch, NULL), 0);
	buffer_fini(&text);
}

static void
world_fini(struct world *world)
{
	storage_close(world->storage);
	buffer_fini(&world->note);
}

static int
append_with(struct world *world, unsigned count, struct err *err)
{
	struct storage_append appends[8] = {0};
	char records[8][32];
	struct batch *batch;
	unsigned i;
	int result = batch_begin(world->storage, &batch, err);

	assert_true(count <= 8);
	if (result != 0)
		return result;
	for (i = 0; i < count; i++) {
		(void)snprintf(records[i], sizeof(records[i]), "record %u", world->salt + i);
		appends[i].record = view_text(records[i]);
		appends[i].kind = 2;
	}
	result = log_append(batch, world->number, appends, count, err);
	if (result != 0) {
		batch_abort(batch);
		return result;
	}
	assert_int_equal(appends[count - 1].place.log, world->number);
	result = batch_commit(batch, err);
	if (result == 0)
		world->salt += count;
	return result;
}

static void
append(struct world *world, unsigned count)
{
	assert_int_equal(append_with(world, count, NULL), 0);
}

static struct storage_log
log_of(const struct world *world)
{
	struct snapshot *snapshot;
	struct storage_log log;

	assert_int_equal(snapshot_begin(world->storage, &snapshot, NULL), 0);
	assert_int_equal(snapshot_log(snapshot, &log, world->number, NULL), 0);
	snapshot_end(snapshot);
	return log;
}

static int
sign(struct world *world, const struct log_gate *gate, struct log_signed *result, struct err *err)
{
	return log_sign(
	    world->storage, world->number, &world->vkey, seed, gate, &world->note, result, err);
}

static void
sign_fresh(struct world *world, uint64_t size)
{
	struct log_signed result;

	assert_int_equal(sign(world, &no_peers, &result, NULL), 0);
	assert_true(result.fresh);
	assert_int_equal(result.size, size);
}

static void
expect_note(const struct world *world, uint64_t size)
{
	struct checkpoint checkpoint;
	struct storage_log log = log_of(world);
	struct note note;

	assert_int_equal(
	    checkpoint_open(&checkpoint, &note, buffer_view(&world->note), &world->vkey, NULL), 0);
	assert_int_equal(checkpoint.size, size);
	if (size == log.size)
		assert_memory_equal(checkpoint.root, log.root, HASH_SIZE);
}

static void
test_append(void **state)
{
	struct world world;
	struct snapshot *snapshot;
	struct storage_entry entry;
	struct buffer bundle;
	struct view rest;
	struct view record;
	uint8_t leaf[HASH_SIZE];
	uint64_t i;
	unsigned fault;

	(void)state;
	world_init(&world);
	append(&world, 3);
	append(&world, 1);
	for (fault = 0;; fault++) {
		struct storage_log before = log_of(&world);
		struct storage_log after;
		int result;

		memory_storage_fail(world.storage, fault, ERR_FULL);
		result = append_with(&world, 8, NULL);
		after = log_of(&world);
		if (!memory_storage_heal(world.storage))
			break;
		assert_int_equal(result, ERR_FULL);
		assert_int_equal(after.size, before.size);
		assert_memory_equal(after.root, before.root, HASH_SIZE);
	}
	assert_int_equal(fault, 10); /* begin, eight records, commit */
	assert_int_equal(log_of(&world).size, 12);
	assert_int_equal(snapshot_begin(world.storage, &snapshot, NULL), 0);
	buffer_init(&bundle, STORAGE_BYTES_MAX);
	assert_int_equal(log_bundle(snapshot, &bundle, world.number, 2, 12, NULL), 0);
	rest = buffer_view(&bundle);
	for (i = 2; tile_next_entry(&rest, &record); i++) {
		struct storage_place place = {world.number, i};
		struct buffer bytes;

		buffer_init(&bytes, STORAGE_BYTES_MAX);
		assert_int_equal(snapshot_entry(snapshot, &entry, &bytes, place, NULL), 0);
		tree_leaf(leaf, record);
		assert_memory_equal(entry.id, leaf, HASH_SIZE);
		buffer_fini(&bytes);
	}
	assert_int_equal(i, 12);
	assert_int_equal(log_bundle(snapshot, &bundle, world.number, 2, 13, NULL), ERR_NOT_FOUND);
	buffer_fini(&bundle);
	snapshot_end(snapshot);
	world_fini(&world);
}

static void
test_too_large(void **state)
{
	static uint8_t large[STORAGE_RECORD_MAX + 1];
	struct storage_append one = {.record = view_of(large, sizeof(large)), .kind = 2};
	struct world world;
	struct batch *batch;

	(void)state;
	world_init(&world);
	assert_int_equal(batch_begin(world.storage, &batch, NULL), 0);
	assert_int_equal(log_append(batch, world.number, &one, 1, NULL), ERR_LIMIT);
	one.record.size--;
	assert_int_equal(log_append(batch, world.number, &one, 1, NULL), 0);
	assert_int_equal(log_append(batch, world.number + 1, &one, 1, NULL), ERR_NOT_FOUND);
	batch_abort(batch);
	assert_int_equal(log_of(&world).size, 0);
	world_fini(&world);
}

static void
test_sign(void **state)
{
	struct world world;
	struct log_signed result;

	(void)state;
	world_init(&world);
	assert_int_equal(sign(&world, &no_peers, &result, NULL), ERR_NOT_FOUND);
	append(&world, 3);
	sign_fresh(&world, 3);
	expect_note(&world, 3);
	assert_int_equal(sign(&world, &no_peers, &result, NULL), 0);
	assert_false(result.fresh);
	assert_int_equal(result.size, 3);
	expect_note(&world, 3);
	append(&world, 8);
	sign_fresh(&world, 11);
	expect_note(&world, 11);
	world_fini(&world);
}

/* What the gate lets through: design 5.4's sentence, case by case. */
static void
test_gate(void **state)
{
	static const struct {
		struct log_gate gate;
		int want;
		const char *text;
	} cases[] = {
	    {{.peers = false}, 0, NULL},
	    {{.peers = true}, ERR_REFUSED,
	        "no peer has said yet what it holds of this log: run dalil sync, or "
	        "dalil log sign --alone if none can be reached (design 5.4)"},
	    {{.peers = true, .heads_read = true}, 0, NULL},
	    {{.peers = true, .alone = true}, 0, NULL},
	    {{.moved = true}, ERR_REFUSED,
	        "the store is on another machine than before: if the old one signs no more, "
	        "run dalil log adopt (design 5.4)"},
	    {{.peers = true, .heads_read = true, .alone = true, .moved = true}, ERR_REFUSED, NULL},
	    {{.frozen = true, .alone = true}, ERR_REFUSED,
	        "the log is frozen: nothing is signed in it any more (design 5.4)"},
	};
	struct world world;
	struct snapshot *snapshot;
	uint8_t root[HASH_SIZE];
	uint64_t size;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		struct log_signed result;

		world_init(&world);
		append(&world, 2);
		assert_int_equal(sign(&world, &cases[i].gate, &result, &err), cases[i].want);
		assert_int_equal(result.fresh, cases[i].want == 0);
		if (cases[i].text != NULL)
			assert_string_equal(err.text, cases[i].text);
		assert_int_equal(snapshot_begin(world.storage, &snapshot, NULL), 0);
		assert_int_equal(snapshot_signing(snapshot, &size, root, world.number, NULL),
		    cases[i].want == 0 ? 0 : ERR_NOT_FOUND);
		snapshot_end(snapshot);
		world_fini(&world);
	}
	assert_int_equal(i, 7);
}

/* A restored disk: peers hold more than it does, or something else. */
static void
test_peers_heads(void **state)
{
	struct log_head head;
	struct log_gate gate = {.peers = true, .heads_read = true, .heads = &head, .head_count = 1};
	struct log_signed result;
	struct err err = {0};
	struct storage_log log;
	struct world world;

	(void)state;
	world_init(&world);
	append(&world, 5);
	log = log_of(&world);
	head.size = log.size;
	memcpy(head.root, log.root, HASH_SIZE);
	assert_int_equal(sign(&world, &gate, &result, NULL), 0);
	append(&world, 2);
	head.root[0] ^= 1;
	assert_int_equal(sign(&world, &gate, &result, &err), ERR_FORGED);
	assert_string_equal(err.text,
	    "a peer: the log has forked: another tree of 5 records was signed than the one that "
	    "is here (design 5.4)");
	head.root[0] ^= 1;
	head.size = 8;
	assert_int_equal(sign(&world, &gate, &result, &err), ERR_REFUSED);
	assert_string_equal(err.text,
	    "a peer holds 8 records of this log, more than are here: fetch them back with dalil "
	    "sync before anything is signed (design 5.4)");
	assert_int_equal(err.code, ERR_REFUSED);
	gate.alone = true; /* does not make what is known unknown */
	assert_int_equal(sign(&world, &gate, &result, &err), ERR_REFUSED);
	assert_false(result.fresh);
	assert_int_equal(world.note.size > 0, 1);
	expect_note(&world, 5);
	world_fini(&world);
}

/* What was promised to be signed binds, even where no signature came of it. */
static void
test_promised(void **state)
{
	struct log_signed result;
	struct storage_log log;
	struct batch *batch;
	struct world world;

	(void)state;
	world_init(&world);
	append(&world, 3);
	log = log_of(&world);
	assert_int_equal(batch_begin(world.storage, &batch, NULL), 0);
	assert_int_equal(batch_signing(batch, world.number, 5, log.root, NULL), 0);
	assert_int_equal(batch_commit(batch, NULL), 0);
	assert_int_equal(sign(&world, &no_peers, &result, NULL), ERR_REFUSED);
	append(&world, 3); /* a tree of 5 that is not the promised one */
	assert_int_equal(sign(&world, &no_peers, &result, NULL), ERR_FORGED);
	assert_int_equal(world.note.size, 0);
	world_fini(&world);
}

static void
test_wrong_key(void **state)
{
	static const uint8_t other[KEY_SEED] = {9};
	struct log_signed result;
	struct world world;
	struct vkey vkey;
	uint8_t key[KEY_SIZE];

	(void)state;
	world_init(&world);
	append(&world, 1);
	assert_int_equal(log_sign(world.storage, world.number, &world.vkey, other, &no_peers, NULL,
	                     &result, NULL),
	    ERR_REFUSED);
	key_ed25519_public(key, other);
	assert_int_equal(vkey_make(&vkey, view_text(world.vkey.name), VKEY_ED25519, key, NULL), 0);
	assert_int_equal(
	    log_sign(world.storage, world.number, &vkey, other, &no_peers, NULL, &result, NULL),
	    ERR_REFUSED);
	assert_false(result.fresh);
	world_fini(&world);
}

/*
 * The disk fails at every write of a signing in turn, and the process dies: no
 * signature has left without a durable promise, and the next run signs.
 */
static void
test_failing_disk(void **state)
{
	struct world world;
	unsigned fault;

	(void)state;
	for (fault = 0;; fault++) {
		struct snapshot *snapshot;
		struct log_signed result;
		struct buffer head;
		uint8_t root[HASH_SIZE];
		uint64_t promised = 0;
		uint64_t size = 0;
		bool failed;
		int code;

		world_init(&world);
		append(&world, 4);
		sign_fresh(&world, 4);
		append(&world, 3);
		buffer_clear(&world.note);
		memory_storage_fail(world.storage, fault, ERR_IO);
		code = sign(&world, &no_peers, &result, NULL);
		failed = memory_storage_heal(world.storage);
		memory_storage_crash(world.storage);
		assert_int_equal(code, failed ? ERR_IO : 0);
		assert_int_equal(result.fresh, !failed);
		if (failed)
			assert_int_equal(world.note.size, 0); /* nothing left */
		assert_int_equal(snapshot_begin(world.storage, &snapshot, NULL), 0);
		buffer_init(&head, STORAGE_BYTES_MAX);
		assert_int_equal(
		    snapshot_signing(snapshot, &promised, root, world.number, NULL), 0);
		assert_int_equal(snapshot_head_last(snapshot, &head, &size, world.number, NULL), 0);
		snapshot_end(snapshot);
		buffer_fini(&head);
		assert_int_equal(promised, fault > 2 ? 7 : 4);
		assert_int_equal(size, failed ? 4 : 7);
		append(&world, 1);
		sign_fresh(&world, 8);
		expect_note(&world, 8);
		world_fini(&world);
		if (!failed)
			break;
	}
	assert_int_equal(fault, 6); /* begin, promise, commit; begin, head, commit */
}

/* Cosignatures that a checkpoint gathered are not lost when the same size is signed again. */
static void
test_keeps_cosignatures(void **state)
{
	uint8_t cosignature[COSIGNATURE_SIZE];
	struct log_signed result;
	struct world world;
	struct vkey witness;
	struct batch *batch;
	struct note note;
	uint8_t key[KEY_SIZE];

	(void)state;
	world_init(&world);
	append(&world, 2);
	sign_fresh(&world, 2);
	key_ed25519_public(key, organisation);
	assert_int_equal(
	    vkey_make(&witness, view_text("b/witness"), VKEY_COSIGNATURE, key, NULL), 0);
	assert_int_equal(note_parse(&note, buffer_view(&world.note), NULL), 0);
	assert_int_equal(cosignature_make(cosignature, organisation, 1700000000, note.text), 0);
	note_write_signature(&world.note, &witness, view_of(cosignature, COSIGNATURE_SIZE));
	assert_int_equal(batch_begin(world.storage, &batch, NULL), 0);
	assert_int_equal(batch_head(batch, world.number, 2, buffer_view(&world.note), NULL), 0);
	assert_int_equal(batch_commit(batch, NULL), 0);
	assert_int_equal(sign(&world, &no_peers, &result, NULL), 0);
	assert_false(result.fresh);
	assert_int_equal(note_parse(&note, buffer_view(&world.note), NULL), 0);
	assert_int_equal(note_check(&note, &witness, NULL, NULL), 0);
	world_fini(&world);
}

static void
test_prove(void **state)
{
	struct tlogproof tlogproof;
	struct checkpoint checkpoint;
	struct snapshot *snapshot;
	struct tree_proof proof;
	struct storage_log log;
	struct world world;
	struct err err = {0};
	struct note note;
	uint8_t roots[21][HASH_SIZE];
	uint8_t id[HASH_SIZE];
	uint64_t i, j;

	(void)state;
	world_init(&world);
	for (i = 1; i <= 20; i++) {
		append(&world, 1);
		memcpy(roots[i], log_of(&world).root, HASH_SIZE);
		if (i == 19)
			sign_fresh(&world, 19);
	}
	assert_int_equal(snapshot_begin(world.storage, &snapshot, NULL), 0);
	for (i = 0; i < 19; i++) {
		buffer_clear(&world.note);
		assert_int_equal(log_prove(snapshot, &world.note, world.number, i, NULL), 0);
		assert_int_equal(tlogproof_parse(&tlogproof, buffer_view(&world.note), NULL), 0);
		assert_int_equal(snapshot_entry_id(snapshot, id, NULL,
		                     (struct storage_place){world.number, i}, NULL),
		    0);
		assert_int_equal(
		    tlogproof_check(&tlogproof, id, &world.vkey, &checkpoint, &note, NULL), 0);
		assert_int_equal(checkpoint.size, 19);
	}
	assert_int_equal(log_prove(snapshot, &world.note, world.number, 19, &err), ERR_NOT_FOUND);
	assert_string_equal(
	    err.text, "record 19 is not signed yet: the newest checkpoint holds 19");
	assert_int_equal(snapshot_log(snapshot, &log, world.number, NULL), 0);
	for (i = 1; i <= 20; i++)
		for (j = i; j <= 20; j++) {
			assert_int_equal(
			    log_prove_consistency(snapshot, &proof, world.number, i, j, NULL), 0);
			assert_int_equal(tree_check_consistency(i, roots[i], j, roots[j],
			                     proof.hashes, proof.count, NULL),
			    0);
		}
	assert_int_equal(
	    log_prove_consistency(snapshot, &proof, world.number, 1, 21, NULL), ERR_USAGE);
	assert_int_equal(
	    log_prove_consistency(snapshot, &proof, world.number, 3, 2, NULL), ERR_USAGE);
	snapshot_end(snapshot);
	world_fini(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_append),
	    cmocka_unit_test(test_too_large),
	    cmocka_unit_test(test_sign),
	    cmocka_unit_test(test_gate),
	    cmocka_unit_test(test_peers_heads),
	    cmocka_unit_test(test_promised),
	    cmocka_unit_test(test_wrong_key),
	    cmocka_unit_test(test_failing_disk),
	    cmocka_unit_test(test_keeps_cosignatures),
	    cmocka_unit_test(test_prove),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
