/*
 * P1, P3, P4: nodes on real stores and real sockets in one process: what one deposits, its peers hold
 * byte for byte, by a running node, by one round of sync, and again after a restart; what another
 * process puts into the store is noticed.
 */
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "node/keys/keys.h"
#include "node/log/log.h"
#include "node/node.h"
#include "node/store/store.h"
#include "proto/hash.h"
#include "proto/payload.h"
#include "proto/record.h"
#include "proto/statement.h"
#include "proto/vkey.h"
#include "tests/unit/vectors.h"

#define NODES 3

struct member {
	unsigned number;
	char path[128];
	struct storage *storage;
	struct keys *keys;
	uint8_t organisation[HASH_SIZE];
	uint8_t log[HASH_SIZE];
	uint8_t record_secret[RECORD_SECRET];
	uint8_t last[HASH_SIZE];
	struct vkey vkey;
	struct buffer statements[2];
	unsigned deposits;
	uint64_t payload_bytes;
	/* while it runs */
	pthread_t thread;
	struct node *node;
	char listen[64];
	atomic_bool ready;
	int result;
	unsigned rounds;
	int round_result;
};

struct fixture {
	char folder[64];
	struct member members[NODES];
};

static uint64_t
clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- making --------------------------------------------------------------------------------- */

/* Sign the draft with every seed and keep it as statement ${seq}. */
static void
state_it(struct member *m, struct statement *draft, uint64_t seq, const uint8_t (*seeds)[32],
    unsigned count)
{
	struct buffer bytes[2];
	struct statement parsed;
	unsigned i;

	draft->seq = seq;
	draft->previous = m->last;
	draft->time = clock_ms();
	buffer_init(&bytes[0], STATEMENT_MAX);
	buffer_init(&bytes[1], STATEMENT_MAX);
	assert_int_equal(statement_encode(&bytes[0], draft, NULL), 0);
	for (i = 0; i < count; i++) {
		assert_int_equal(statement_parse(&parsed, buffer_view(&bytes[i % 2]), NULL), 0);
		buffer_clear(&bytes[1 - i % 2]);
		assert_int_equal(statement_sign(&bytes[1 - i % 2], &parsed, seeds[i], NULL), 0);
	}
	assert_int_equal(statement_parse(&parsed, buffer_view(&bytes[count % 2]), NULL), 0);
	memcpy(m->last, parsed.hash, HASH_SIZE);
	if (seq == 0)
		memcpy(m->organisation, parsed.hash, HASH_SIZE);
	m->statements[seq] = bytes[count % 2];
	buffer_fini(&bytes[1 - count % 2]);
}

static void
make_charter(struct member *m)
{
	static const enum keys_name names[] = {KEYS_RECORD, KEYS_LOG, KEYS_WITNESS, KEYS_MIRROR};
	struct statement found = {.kind = STATEMENT_FOUND, .name = view_text("organisation")};
	struct statement enrol = {.kind = STATEMENT_ENROL};
	uint8_t seeds[5][32], keys[6][32], root[32], next[HASH_SIZE];
	char origin[32];
	unsigned i;

	randombytes_buf(seeds[0], 32);
	randombytes_buf(next, sizeof(next));
	key_ed25519_public(root, seeds[0]);
	found.roots = (struct statement_roots){.threshold = 1, .next_threshold = 1};
	found.roots.keys.count = found.roots.next.count = 1;
	found.roots.keys.keys[0] = root;
	found.roots.next.keys[0] = next;
	state_it(m, &found, 0, (const uint8_t(*)[32])seeds, 1);
	for (i = 0; i < 4; i++)
		assert_int_equal(keys_secret(m->keys, names[i], seeds[i + 1], NULL), 0);
	for (i = 0; i < 6; i++)
		keys_public(m->keys, (enum keys_name)i, keys[i]);
	(void)snprintf(origin, sizeof(origin), "test.dalil/node-%u", m->number);
	enrol.enrol = (struct statement_enrol){.name = view_text("node"),
	    .origin = view_text(origin),
	    .record = keys[KEYS_RECORD],
	    .log = keys[KEYS_LOG],
	    .witness = keys[KEYS_WITNESS],
	    .mirror = keys[KEYS_MIRROR],
	    .transport = keys[KEYS_TRANSPORT],
	    .inbox = keys[KEYS_INBOX]};
	state_it(m, &enrol, 1, (const uint8_t(*)[32])seeds, 5);
	assert_int_equal(
	    vkey_make(&m->vkey, view_text(origin), VKEY_ED25519, keys[KEYS_LOG], NULL), 0);
	vkey_log(m->log, &m->vkey);
	memcpy(m->record_secret, seeds[1], 32);
	memcpy(m->record_secret + 32, keys[KEYS_RECORD], 32);
}

static void
append(struct member *m, struct batch *batch, enum record_kind kind, struct view body,
    const struct storage_payload *payload, const struct storage_part_given *parts, unsigned count)
{
	struct storage_append entry = {
	    .kind = (uint8_t)kind, .payload = payload, .parts = parts, .part_count = count};
	struct buffer record;
	struct storage_log log;

	buffer_init(&record, RECORD_MAX);
	assert_int_equal(record_sign(&record, m->log, kind, body, m->record_secret, NULL), 0);
	entry.record = buffer_view(&record);
	assert_int_equal(snapshot_log_by_id(batch_snapshot(batch), &log, m->log, NULL), 0);
	assert_int_equal(log_append(batch, log.number, &entry, 1, NULL), 0);
	buffer_fini(&record);
}

static void
make_log(struct member *m)
{
	struct batch *batch;
	struct buffer text;
	uint32_t number;
	unsigned i;

	buffer_init(&text, 1000);
	vkey_text(&text, &m->vkey);
	assert_int_equal(batch_begin(m->storage, &batch, NULL), 0);
	assert_int_equal(batch_log(batch, &number, buffer_view(&text), m->organisation, NULL), 0);
	buffer_fini(&text);
	for (i = 0; i < 2; i++) {
		struct buffer body;

		assert_int_equal(
		    batch_statement(batch, m->organisation, buffer_view(&m->statements[i]), NULL),
		    0);
		buffer_init(&body, RECORD_MAX);
		charter_record_pack(&body, buffer_view(&m->statements[i]));
		append(m, batch, RECORD_CHARTER, buffer_view(&body), NULL, NULL, 0);
		buffer_fini(&body);
	}
	assert_int_equal(batch_commit(batch, NULL), 0);
}

static void
open_member(struct member *m)
{
	assert_int_equal(store_open(m->path, &m->storage, NULL), 0);
	assert_int_equal(keys_open(&m->keys, m->path, NULL), 0);
	assert_int_equal(keys_unlock(m->keys, NULL, KEYS_SCOPE_NODE, NULL), 0);
}

static void
make_member(struct fixture *f, unsigned number)
{
	struct member *m = &f->members[number];

	m->number = number;
	(void)snprintf(m->path, sizeof(m->path), "%s/%u", f->folder, number);
	assert_int_equal(store_create(m->path, NULL), 0);
	assert_int_equal(keys_create(m->path, NULL, true, "test", NULL), 0);
	open_member(m);
	make_charter(m);
	make_log(m);
}

/* Each knows the other; only ${a} has an address to dial. */
static void
pair(struct member *a, struct member *b, const char *address)
{
	struct member *sides[2] = {a, b};
	uint8_t psk[INVITE_KEY];
	unsigned i;

	randombytes_buf(psk, sizeof(psk));
	for (i = 0; i < 2; i++) {
		struct peer peer = {.share = true, .since = clock_ms()};
		struct batch *batch;

		keys_public(sides[1 - i]->keys, KEYS_TRANSPORT, peer.transport);
		memcpy(peer.organisation, sides[1 - i]->organisation, HASH_SIZE);
		memcpy(peer.psk, psk, INVITE_KEY);
		(void)snprintf(peer.name, sizeof(peer.name), "node %u", sides[1 - i]->number);
		if (i == 0)
			(void)snprintf(peer.address, sizeof(peer.address), "%s", address);
		assert_int_equal(batch_begin(sides[i]->storage, &batch, NULL), 0);
		assert_int_equal(peer_store(batch, &peer, NULL), 0);
		assert_int_equal(batch_commit(batch, NULL), 0);
	}
}

static void
share(struct member *m, const struct member *with, const struct member *too)
{
	uint8_t list[2][HASH_SIZE];
	struct buffer body;
	struct batch *batch;
	bool swap = too != NULL && memcmp(with->organisation, too->organisation, HASH_SIZE) > 0;

	memcpy(list[swap ? 1 : 0], with->organisation, HASH_SIZE);
	if (too != NULL)
		memcpy(list[swap ? 0 : 1], too->organisation, HASH_SIZE);

	buffer_init(&body, RECORD_MAX);
	share_pack(&body, (const uint8_t(*)[HASH_SIZE])list, too == NULL ? 1 : 2, clock_ms());
	assert_int_equal(batch_begin(m->storage, &batch, NULL), 0);
	append(m, batch, RECORD_SHARE, buffer_view(&body), NULL, NULL, 0);
	assert_int_equal(batch_commit(batch, NULL), 0);
	buffer_fini(&body);
}

/* A payload of random leaves: nobody between the depositor and the reader can tell. */
static void
write_payload(struct member *m, uint64_t size, struct storage_location *location,
    struct payload_writer **writer)
{
	uint8_t *leaf = malloc(STORAGE_LEAF);
	uint64_t i;

	assert_int_equal(payload_writer_new(m->storage, writer, NULL), 0);
	for (i = 0; i < payload_leaf_count(size); i++) {
		struct view bytes = view_of(leaf, payload_leaf_size(size, i));
		uint8_t hash[HASH_SIZE];

		randombytes_buf(leaf, bytes.size);
		tree_leaf(hash, bytes);
		assert_int_equal(payload_writer_put(*writer, bytes, hash, NULL), 0);
	}
	assert_int_equal(payload_writer_end(*writer, location, NULL), 0);
	assert_int_equal(payload_writer_sync(*writer, NULL), 0);
	free(leaf);
}

static void
deposit(struct member *m, uint64_t plain)
{
	static const enum part names[] = {PART_GRANT, PART_SEALED, PART_VAULT};
	uint8_t claims[HASH_SIZE], nonce[DEPOSIT_NONCE], digests[3][HASH_SIZE], bytes[3][1024];
	struct deposit body = {.claims = claims, .nonce = nonce, .time = clock_ms()};
	struct storage_part_given parts[3];
	struct storage_location location;
	struct payload_writer *writer;
	struct batch *batch;
	struct buffer packed;
	unsigned i;

	randombytes_buf(claims, sizeof(claims));
	randombytes_buf(nonce, sizeof(nonce));
	write_payload(m, payload_size(plain), &location, &writer);
	body.root = location.payload.root;
	body.size = location.payload.size;
	for (i = 0; i < 3; i++) {
		randombytes_buf(bytes[i], sizeof(bytes[i]));
		hash_sha256(digests[i], view_of(bytes[i], sizeof(bytes[i])));
		body.parts.digests[names[i]] = digests[i];
		parts[i] = (struct storage_part_given){.name = part_name(names[i]),
		    .digest = digests[i],
		    .bytes = view_of(bytes[i], sizeof(bytes[i]))};
	}
	buffer_init(&packed, RECORD_MAX);
	deposit_pack(&packed, &body);
	assert_int_equal(batch_begin(m->storage, &batch, NULL), 0);
	assert_int_equal(batch_payload(batch, &location, NULL), 0);
	append(m, batch, RECORD_DEPOSIT, buffer_view(&packed), &location.payload, parts, 3);
	assert_int_equal(batch_commit(batch, NULL), 0);
	m->deposits++;
	m->payload_bytes += location.payload.size;
	payload_writer_free(writer);
	storage_location_fini(&location);
	buffer_fini(&packed);
}

/* ---- running -------------------------------------------------------------------------------- */

static int
sign(void *cookie, struct err *err)
{
	struct member *m = cookie;
	struct log_gate gate = {.peers = true, .heads_read = true};
	struct log_signed result;
	struct snapshot *snapshot;
	struct storage_log log;
	uint8_t seed[32];

	assert_int_equal(keys_secret(m->keys, KEYS_LOG, seed, NULL), 0);
	assert_int_equal(snapshot_begin(m->storage, &snapshot, NULL), 0);
	assert_int_equal(snapshot_log_by_id(snapshot, &log, m->log, NULL), 0);
	snapshot_end(snapshot);
	return log_sign(m->storage, log.number, &m->vkey, seed, &gate, NULL, &result, err);
}

static void
tell(void *cookie, const struct node_event *event)
{
	const struct member *m = cookie;

	if (getenv("DALIL_TEST_VERBOSE") != NULL)
		fprintf(
		    stderr, "%u: %d %s: %s\n", m->number, event->kind, event->peer, event->text);
}

static void
ready(void *cookie, const char *listen, bool locked)
{
	struct member *m = cookie;

	(void)locked;
	(void)snprintf(m->listen, sizeof(m->listen), "%s", listen);
	atomic_store(&m->ready, true);
}

static struct node_options
options_of(struct member *m)
{
	struct node_options options = {.store = m->path,
	    .storage = m->storage,
	    .keys = m->keys,
	    .sign = sign,
	    .tell = tell,
	    .ready = ready,
	    .cookie = m};

	memcpy(options.organisation, m->organisation, HASH_SIZE);
	memcpy(options.log, m->log, HASH_SIZE);
	return options;
}

static void *
run(void *cookie)
{
	struct member *m = cookie;

	m->result = node_run(m->node, NULL);
	hash_thread_end();
	return NULL;
}

static void
start_member(struct member *m, const char *listen)
{
	struct node_options options = options_of(m);

	options.listen = listen;
	atomic_store(&m->ready, false);
	assert_int_equal(node_new(&m->node, &options, NULL), 0);
	assert_int_equal(pthread_create(&m->thread, NULL, run, m), 0);
	while (!atomic_load(&m->ready))
		(void)usleep(1000);
}

static void
stop_member(struct member *m)
{
	if (m->node == NULL)
		return;
	node_stop(m->node);
	assert_int_equal(pthread_join(m->thread, NULL), 0);
	assert_int_equal(m->result, 0);
	node_free(m->node);
	m->node = NULL;
}

/* ---- judging -------------------------------------------------------------------------------- */

static bool
same_payload(struct snapshot *a, struct snapshot *b, const struct storage_payload *payload)
{
	struct payload_reader *readers[2] = {NULL, NULL};
	uint8_t *leaves[2] = {malloc(STORAGE_LEAF), malloc(STORAGE_LEAF)};
	bool same = payload_reader_new(a, &readers[0], payload, NULL) == 0 &&
	            payload_reader_new(b, &readers[1], payload, NULL) == 0;
	uint64_t i;

	for (i = 0; same && i < payload_leaf_count(payload->size); i++) {
		size_t sizes[2];

		same = payload_reader_leaf(readers[0], leaves[0], &sizes[0], i, NULL) == 0 &&
		       payload_reader_leaf(readers[1], leaves[1], &sizes[1], i, NULL) == 0 &&
		       sizes[0] == sizes[1] && memcmp(leaves[0], leaves[1], sizes[0]) == 0;
	}
	payload_reader_free(readers[0]);
	payload_reader_free(readers[1]);
	free(leaves[0]);
	free(leaves[1]);
	return same;
}

static bool
same_entry(struct snapshot *a, uint32_t log_a, struct snapshot *b, uint32_t log_b, uint64_t index)
{
	struct storage_place places[2] = {{log_a, index}, {log_b, index}};
	struct snapshot *snapshots[2] = {a, b};
	struct storage_entry entries[2];
	struct buffer records[2], parts[2];
	bool same = true;
	unsigned i, j;

	for (i = 0; i < 2; i++) {
		buffer_init(&records[i], STORAGE_BYTES_MAX);
		buffer_init(&parts[i], STORAGE_BYTES_MAX);
		assert_int_equal(
		    snapshot_entry(snapshots[i], &entries[i], &records[i], places[i], NULL), 0);
	}
	same = view_equal(entries[0].record, entries[1].record) &&
	       entries[0].part_count == entries[1].part_count;
	for (j = 0; same && j < entries[0].part_count; j++) {
		for (i = 0; i < 2; i++)
			same = same && snapshot_part(snapshots[i], &parts[i], places[i],
			                   entries[i].parts[j].name, NULL) == 0;
		same = same && view_equal(buffer_view(&parts[0]), buffer_view(&parts[1]));
	}
	if (same && entries[0].has_payload)
		same = same_payload(a, b, &entries[0].payload);
	for (i = 0; i < 2; i++) {
		buffer_fini(&records[i]);
		buffer_fini(&parts[i]);
	}
	return same;
}

/* Does ${holder} hold all of ${owner}'s log, byte for byte, and the newest checkpoint over it? */
static bool
holds(struct member *holder, struct member *owner)
{
	struct snapshot *a, *b;
	struct storage_log own, copy;
	struct buffer notes[2];
	uint64_t sizes[2] = {0, 0};
	uint64_t i;
	bool same;

	buffer_init(&notes[0], STORAGE_BYTES_MAX);
	buffer_init(&notes[1], STORAGE_BYTES_MAX);
	assert_int_equal(snapshot_begin(owner->storage, &a, NULL), 0);
	assert_int_equal(snapshot_begin(holder->storage, &b, NULL), 0);
	assert_int_equal(snapshot_log_by_id(a, &own, owner->log, NULL), 0);
	same = snapshot_log_by_id(b, &copy, owner->log, NULL) == 0 && own.size == copy.size &&
	       memcmp(own.root, copy.root, HASH_SIZE) == 0 &&
	       snapshot_head_last(a, &notes[0], &sizes[0], own.number, NULL) == 0 &&
	       snapshot_head_last(b, &notes[1], &sizes[1], copy.number, NULL) == 0 &&
	       sizes[0] == own.size && sizes[1] == own.size;
	for (i = 0; same && i < own.size; i++)
		same = same_entry(a, own.number, b, copy.number, i);
	snapshot_end(a);
	snapshot_end(b);
	buffer_fini(&notes[0]);
	buffer_fini(&notes[1]);
	return same;
}

static void
wait_holds(struct member *holder, struct member *owner)
{
	unsigned i;

	for (i = 0; i < 1200 && !holds(holder, owner); i++)
		(void)usleep(50000);
	if (!holds(holder, owner))
		fail_msg("node %u does not hold the log of node %u", holder->number, owner->number);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	unsigned i;

	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/dalil-test-node-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	for (i = 0; i < NODES; i++)
		make_member(f, i);
	*state = f;
	return 0;
}

static void
remove_folder(const char *path)
{
	const char *const arguments[] = {"rm", "-rf", path, NULL};
	pid_t pid = fork();

	if (pid == 0) {
		(void)execvp(arguments[0], (char *const *)(uintptr_t)arguments);
		_exit(1);
	}
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	unsigned i;

	for (i = 0; i < NODES; i++) {
		struct member *m = &f->members[i];

		stop_member(m);
		keys_free(m->keys);
		storage_close(m->storage);
		buffer_fini(&m->statements[0]);
		buffer_fini(&m->statements[1]);
	}
	remove_folder(f->folder);
	free(f);
	return 0;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void
test_two_running(void **state)
{
	struct fixture *f = *state;
	struct member *a = &f->members[0];
	struct member *b = &f->members[1];

	share(a, b, NULL);
	share(b, a, NULL);
	deposit(a, 100);
	deposit(a, 5000000);
	start_member(b, "127.0.0.1:0");
	pair(a, b, b->listen);
	start_member(a, "127.0.0.1:0");
	wait_holds(b, a);
	wait_holds(a, b);
	/* As another process does it: the running nodes are not told. */
	deposit(a, 3000000);
	deposit(b, 70000);
	wait_holds(b, a);
	wait_holds(a, b);
	/* And after a restart on one side. */
	stop_member(b);
	deposit(a, 2000);
	start_member(b, b->listen);
	wait_holds(b, a);
}

static void
rounded(void *cookie, const struct node_round *round)
{
	struct member *m = cookie;

	if (getenv("DALIL_TEST_VERBOSE") != NULL)
		fprintf(stderr, "%u: round with %s: %d %s\n", m->number, round->peer, round->result,
		    round->text);
	m->rounds++;
	m->round_result = round->result;
}

static void
test_round(void **state)
{
	struct fixture *f = *state;
	struct member *a = &f->members[0];
	struct member *b = &f->members[1];
	struct node_options options;
	struct err err = {0};

	share(a, b, NULL);
	share(b, a, NULL);
	deposit(a, 2500000);
	start_member(b, "127.0.0.1:0");
	deposit(b, 300000);
	pair(a, b, b->listen);
	options = options_of(a);
	assert_int_equal(node_sync(&options, NULL, 0, 60000, rounded, &err), 0);
	assert_int_equal(a->rounds, 1);
	assert_int_equal(a->round_result, 0);
	assert_true(holds(b, a));
	assert_true(holds(a, b));
	/* Nobody there: said, not waited for until the end of time. */
	stop_member(b);
	assert_int_not_equal(node_sync(&options, NULL, 0, 3000, rounded, &err), 0);
	assert_int_equal(a->rounds, 2);
	assert_int_not_equal(a->round_result, 0);
}

/* A - B - C: B forwards A's log to C, since A's share names C; C is not paired with A. */
static void
test_forward(void **state)
{
	struct fixture *f = *state;
	struct member *a = &f->members[0];
	struct member *b = &f->members[1];
	struct member *c = &f->members[2];

	share(a, b, c);
	share(b, c, NULL);
	deposit(a, 1200000);
	start_member(b, "127.0.0.1:0");
	pair(a, b, b->listen);
	pair(c, b, b->listen);
	start_member(a, NULL);
	start_member(c, NULL);
	wait_holds(b, a);
	wait_holds(c, a);
	wait_holds(c, b);
}

static void
test_peer(void **state)
{
	struct fixture *f = *state;
	struct member *a = &f->members[0];
	struct member *b = &f->members[1];
	struct node_options options = options_of(a);
	struct peer peer = {.share = true};
	struct peer found;
	struct snapshot *snapshot;
	enum node_test result;
	int64_t ahead;

	start_member(b, "127.0.0.1:0");
	pair(a, b, b->listen);
	assert_int_equal(snapshot_begin(a->storage, &snapshot, NULL), 0);
	assert_int_equal(peer_find(snapshot, view_text("node 1"), &peer, NULL), 0);
	assert_int_equal(peer_find(snapshot, view_text("node 2"), &found, NULL), ERR_NOT_FOUND);
	snapshot_end(snapshot);
	(void)usleep(500000); /* until b has noticed */
	assert_int_equal(node_test_peer(&options, &peer, &result, &ahead, NULL), 0);
	assert_int_equal(result, NODE_TEST_WELL);
	assert_true(ahead > -5000 && ahead < 5000);
	peer.organisation[0] ^= 1;
	assert_int_equal(node_test_peer(&options, &peer, &result, &ahead, NULL), 0);
	assert_int_equal(result, NODE_TEST_OTHER);
	(void)snprintf(peer.address, sizeof(peer.address), "127.0.0.1:1");
	assert_int_equal(node_test_peer(&options, &peer, &result, &ahead, NULL), 0);
	assert_int_equal(result, NODE_TEST_UNREACHABLE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_two_running, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_round, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_forward, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_peer, setup, teardown),
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
