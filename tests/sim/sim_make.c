/* What a simulation is filled with: organisations, nodes, records, payloads; and comparing. */
#include <stdlib.h>

#include "proto/checkpoint.h"
#include "proto/hash.h"
#include "proto/payload.h"
#include "proto/statement.h"
#include "tests/sim/sim.h"

static void
check(bool good)
{
	if (!good)
		abort();
}

/* 32 bytes that no other call of this simulation gives. */
static void
fresh(struct sim *sim, uint8_t bytes[static 32])
{
	uint8_t number[8];

	put_u64(number, ++sim->id);
	hash_sha256(bytes, view_of(number, sizeof number));
}

/* ---- charters ----------------------------------------------------------------------------------- */

/* Sign the draft with every seed, and keep it as the charter's next statement. */
static void
state(struct sim_charter *charter, struct statement *draft, const uint8_t (*seeds)[32],
    unsigned count)
{
	struct buffer bytes[2];
	struct statement parsed;
	unsigned i;

	draft->seq = charter->count;
	draft->previous = charter->last;
	draft->time = 1700000000000 + charter->count;
	buffer_init(&bytes[0], STATEMENT_MAX);
	buffer_init(&bytes[1], STATEMENT_MAX);
	check(statement_encode(&bytes[0], draft, NULL) == ERR_NONE);
	for (i = 0; i < count; i++) {
		check(statement_parse(&parsed, buffer_view(&bytes[i % 2]), NULL) == ERR_NONE);
		buffer_clear(&bytes[1 - i % 2]);
		check(statement_sign(&bytes[1 - i % 2], &parsed, seeds[i], NULL) == ERR_NONE);
	}
	check(statement_parse(&parsed, buffer_view(&bytes[count % 2]), NULL) == ERR_NONE);
	memcpy(charter->last, parsed.hash, HASH_SIZE);
	if (charter->count == 0)
		memcpy(charter->id, parsed.hash, HASH_SIZE);
	check(charter->count < sizeof charter->statements / sizeof charter->statements[0]);
	buffer_init(&charter->statements[charter->count], STATEMENT_MAX);
	buffer_append(
	    &charter->statements[charter->count], bytes[count % 2].data, bytes[count % 2].size);
	charter->count++;
	buffer_fini(&bytes[0]);
	buffer_fini(&bytes[1]);
}

void
sim_found(struct sim *sim, unsigned organisation)
{
	struct sim_charter *charter = &sim->organisations[organisation];
	struct statement draft = {.kind = STATEMENT_FOUND, .name = view_text("organisation")};
	uint8_t next_seed[32];
	uint8_t next[HASH_SIZE];
	uint8_t key[32];

	fresh(sim, charter->root_seed);
	fresh(sim, next_seed);
	key_ed25519_public(key, next_seed);
	hash_sha256(next, view_of(key, sizeof key));
	key_ed25519_public(key, charter->root_seed);
	draft.roots.keys.count = 1;
	draft.roots.keys.keys[0] = key;
	draft.roots.threshold = 1;
	draft.roots.next.count = 1;
	draft.roots.next.keys[0] = next;
	draft.roots.next_threshold = 1;
	memset(charter->last, 0, HASH_SIZE);
	state(charter, &draft, (const uint8_t(*)[32]) & charter->root_seed, 1);
}

/* ---- records ------------------------------------------------------------------------------------ */

static struct sim_log *
own_log(const struct sim_node *node)
{
	return sim_disk_log(&node->disk, node->log);
}

static void
append(struct sim *sim, unsigned number, enum record_kind kind, struct view body,
    const struct sync_part *parts, unsigned part_count)
{
	struct sim_node *node = &sim->nodes[number];
	uint8_t secret[RECORD_SECRET];
	struct buffer record;

	memcpy(secret, node->record_seed, 32);
	key_ed25519_public(secret + 32, node->record_seed);
	buffer_init(&record, RECORD_MAX);
	check(record_sign(&record, node->log, kind, body, secret, NULL) == ERR_NONE);
	sim_disk_append(&node->disk, own_log(node), buffer_view(&record), parts, part_count, true);
	buffer_fini(&record);
}

static void
append_charter(struct sim *sim, unsigned number)
{
	const struct sim_charter *charter = &sim->organisations[sim->nodes[number].organisation];
	unsigned i;

	for (i = 0; i < charter->count; i++) {
		struct buffer body;

		sim_disk_add_statement(
		    &sim->nodes[number].disk, charter->id, buffer_view(&charter->statements[i]));
		buffer_init(&body, RECORD_MAX);
		charter_record_pack(&body, buffer_view(&charter->statements[i]));
		append(sim, number, RECORD_CHARTER, buffer_view(&body), NULL, 0);
		buffer_fini(&body);
	}
}

void
sim_enrol(struct sim *sim, unsigned number, unsigned organisation)
{
	struct sim_charter *charter = &sim->organisations[organisation];
	struct sim_node *node = &sim->nodes[number];
	struct statement draft = {.kind = STATEMENT_ENROL, .name = view_text("node")};
	char origin[] = "sim.dalil/node-0";
	uint8_t seeds[5][32];
	uint8_t keys[7][32];
	unsigned i;

	origin[sizeof origin - 2] = (char)('0' + number);
	memcpy(seeds[0], charter->root_seed, 32);
	for (i = 1; i < 5; i++)
		fresh(sim, seeds[i]);
	for (i = 1; i < 5; i++)
		key_ed25519_public(keys[i], seeds[i]);
	fresh(sim, keys[0]);
	key_x25519_public(keys[5], keys[0]);
	fresh(sim, keys[0]);
	key_x25519_public(keys[6], keys[0]);
	memcpy(node->record_seed, seeds[1], 32);
	memcpy(node->log_seed, seeds[2], 32);
	memcpy(node->transport, keys[5], 32);
	draft.enrol.record = keys[1];
	draft.enrol.log = keys[2];
	draft.enrol.witness = keys[3];
	draft.enrol.mirror = keys[4];
	draft.enrol.transport = keys[5];
	draft.enrol.inbox = keys[6];
	draft.enrol.name = view_text("node");
	draft.enrol.origin = view_text(origin);
	state(charter, &draft, (const uint8_t(*)[32])seeds, 5);
	node->used = true;
	node->acts_as = number;
	node->may_sign = true;
	node->organisation = organisation;
	check(vkey_make(&node->vkey, view_text(origin), VKEY_ED25519, keys[2], NULL) == ERR_NONE);
	vkey_log(node->log, &node->vkey);
	(void)sim_disk_add_log(&node->disk, node->log, charter->id);
	append_charter(sim, number);
}

void
sim_clone(struct sim *sim, unsigned number, unsigned of)
{
	const struct sim_node *from = &sim->nodes[of];
	struct sim_node *node = &sim->nodes[number];
	const struct sim_log *log = own_log(from);
	size_t i;
	unsigned j;

	*node = (struct sim_node){.used = true,
	    .may_sign = true,
	    .clone = true,
	    .acts_as = of,
	    .organisation = from->organisation,
	    .vkey = from->vkey};
	memcpy(node->log, from->log, HASH_SIZE);
	memcpy(node->record_seed, from->record_seed, 32);
	memcpy(node->log_seed, from->log_seed, 32);
	memcpy(node->transport, from->transport, 32);
	memcpy(node->paired, from->paired, sizeof node->paired);
	for (i = 0; i < from->disk.statement_count; i++)
		sim_disk_add_statement(&node->disk, from->disk.statements[i].organisation,
		    buffer_view(&from->disk.statements[i].bytes));
	(void)sim_disk_add_log(&node->disk, from->log, log->organisation);
	for (i = 0; i < log->count; i++) {
		const struct sim_entry *entry = &log->entries[i];
		struct sync_part parts[PART_COUNT];

		for (j = 0; j < entry->part_count; j++) {
			memcpy(parts[j].digest, entry->parts[j].digest, HASH_SIZE);
			parts[j].bytes = buffer_view(&entry->parts[j].bytes);
		}
		sim_disk_append(&node->disk, own_log(node), buffer_view(&entry->record), parts,
		    entry->part_count, entry->good);
	}
	if (log->head_size > 0)
		sim_disk_put_head(own_log(node), log->head_size, buffer_view(&log->head));
}

void
sim_pair(struct sim *sim, unsigned a, unsigned b)
{
	sim->nodes[a].paired[b] = true;
	sim->nodes[b].paired[a] = true;
}

void
sim_unpair(struct sim *sim, unsigned a, unsigned b)
{
	sim->nodes[a].paired[b] = false;
	sim->nodes[b].paired[a] = false;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, HASH_SIZE);
}

void
sim_share(struct sim *sim, unsigned number, const unsigned *organisations, unsigned count)
{
	uint8_t list[SIM_NODES_MAX][HASH_SIZE];
	struct buffer body;
	unsigned i;

	for (i = 0; i < count; i++)
		memcpy(list[i], sim->organisations[organisations[i]].id, HASH_SIZE);
	qsort(list, count, HASH_SIZE, compare);
	buffer_init(&body, RECORD_MAX);
	share_pack(&body, (const uint8_t(*)[HASH_SIZE])list, count, 1700000000000);
	append(sim, number, RECORD_SHARE, buffer_view(&body), NULL, 0);
	buffer_fini(&body);
}

/* Bytes by the counter, so that no two payloads are the same. */
static void
fill(struct sim *sim, uint8_t *bytes, size_t size)
{
	uint64_t number = ++sim->id;
	size_t i;

	for (i = 0; i + 8 <= size; i += 8) {
		number = number * UINT64_C(6364136223846793005) + 1442695040888963407;
		put_u64(bytes + i, number);
	}
	for (; i < size; i++)
		bytes[i] = (uint8_t)(number >> (i % 8));
}

static void
make_payload(struct sim *sim, unsigned number, uint64_t plain, struct deposit *deposit,
    uint8_t root[static HASH_SIZE])
{
	struct sim_node *node = &sim->nodes[number];
	uint64_t size = payload_size(plain);
	uint64_t count = payload_leaf_count(size);
	uint8_t *all = malloc((size_t)count * PAYLOAD_LEAF);
	struct sim_payload *payload;
	struct tree tree;
	uint64_t i;

	check(all != NULL);
	tree_init(&tree);
	for (i = 0; i < count; i++) {
		size_t bytes = payload_leaf_size(size, i);
		uint8_t hash[HASH_SIZE];

		fill(sim, all + i * PAYLOAD_LEAF, bytes);
		tree_leaf(hash, view_of(all + i * PAYLOAD_LEAF, bytes));
		check(tree_append(&tree, hash, NULL, NULL) == ERR_NONE);
	}
	tree_root(&tree, root);
	payload = sim_disk_add_payload(&node->disk, root, size, node->log);
	for (i = 0; i < count; i++)
		sim_disk_put_leaf(
		    payload, i, view_of(all + i * PAYLOAD_LEAF, payload_leaf_size(size, i)));
	deposit->root = root;
	deposit->size = size;
	free(all);
}

void
sim_deposit(struct sim *sim, unsigned number, uint64_t size)
{
	static const enum part kinds[3] = {PART_GRANT, PART_SEALED, PART_VAULT};
	static const size_t sizes[3] = {300, 1024, 2048};
	uint8_t bytes[3][2048];
	struct sync_part parts[3];
	struct deposit deposit = {.time = 1700000000000};
	uint8_t claims[HASH_SIZE];
	uint8_t root[HASH_SIZE];
	uint8_t nonce[32];
	struct buffer body;
	unsigned i;

	fresh(sim, claims);
	fresh(sim, nonce);
	for (i = 0; i < 3; i++) {
		fill(sim, bytes[i], sizes[i]);
		parts[i].bytes = view_of(bytes[i], sizes[i]);
		hash_sha256(parts[i].digest, parts[i].bytes);
		deposit.parts.digests[kinds[i]] = parts[i].digest;
	}
	deposit.claims = claims;
	deposit.nonce = nonce;
	make_payload(sim, number, size, &deposit, root);
	buffer_init(&body, RECORD_MAX);
	deposit_pack(&body, &deposit);
	append(sim, number, RECORD_DEPOSIT, buffer_view(&body), parts, 3);
	buffer_fini(&body);
}

void
sim_opaque(struct sim *sim, unsigned number)
{
	struct sim_node *node = &sim->nodes[number];

	sim_disk_append(
	    &node->disk, own_log(node), view_text("these bytes are no record"), NULL, 0, false);
	(void)sim;
}

void
sim_sign(struct sim *sim, unsigned number)
{
	struct sim_node *node = &sim->nodes[number];
	struct sim_log *log = own_log(node);
	uint8_t root[HASH_SIZE];
	struct buffer note;
	struct tree tree;

	(void)sim;
	sim_disk_tree(log, log->count, &tree);
	tree_root(&tree, root);
	buffer_init(&note, 4096);
	check(checkpoint_sign(&note, &node->vkey, node->log_seed, log->count, root, NULL) ==
	      ERR_NONE);
	sim_disk_put_head(log, log->count, buffer_view(&note));
	buffer_fini(&note);
}

/* ---- judging ------------------------------------------------------------------------------------ */

static bool
same_entry(const struct sim_entry *a, const struct sim_entry *b)
{
	unsigned i;

	if (!view_equal(buffer_view(&a->record), buffer_view(&b->record)) ||
	    a->part_count != b->part_count)
		return false;
	for (i = 0; i < a->part_count; i++)
		if (!view_equal(buffer_view(&a->parts[i].bytes), buffer_view(&b->parts[i].bytes)))
			return false;
	return true;
}

static bool
has_payload(const struct sim_disk *disk, const struct sim_payload *payload)
{
	const struct sim_payload *copy = sim_disk_payload(disk, payload->root, payload->size);
	uint64_t i;

	if (copy == NULL || copy->here != payload->count)
		return false;
	for (i = 0; i < payload->count; i++)
		if (!view_equal(buffer_view(&copy->leaves[i]), buffer_view(&payload->leaves[i])))
			return false;
	return true;
}

bool
sim_holds(const struct sim *sim, unsigned holder, unsigned owner)
{
	const struct sim_node *from = &sim->nodes[owner];
	const struct sim_log *log = own_log(from);
	const struct sim_log *copy = sim_disk_log(&sim->nodes[holder].disk, from->log);
	size_t i;

	if (copy == NULL || copy->count != log->count || copy->head_size != log->head_size)
		return false;
	for (i = 0; i < log->count; i++)
		if (!same_entry(&log->entries[i], &copy->entries[i]))
			return false;
	for (i = 0; i < from->disk.payload_count; i++)
		if (memcmp(from->disk.payloads[i].log, from->log, HASH_SIZE) == 0 &&
		    !has_payload(&sim->nodes[holder].disk, &from->disk.payloads[i]))
			return false;
	return true;
}
