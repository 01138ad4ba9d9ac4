/* A virtual disk: what the sync machine asks, done in memory. */
#include "tests/sim/sim_disk.h"

#include <stdlib.h>

#include "proto/checkpoint.h"
#include "proto/payload.h"

static void *
must(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

static void
set(struct buffer *buffer, struct view bytes)
{
	buffer_fini(buffer);
	buffer_init(buffer, bytes.size + 1);
	buffer_append(buffer, bytes.data, bytes.size);
	if (buffer->err != ERR_NONE)
		abort();
}

void
sim_disk_fini(struct sim_disk *disk)
{
	size_t i;
	size_t j;
	unsigned k;

	for (i = 0; i < disk->log_count; i++) {
		struct sim_log *log = disk->logs[i];

		for (j = 0; j < log->count; j++) {
			for (k = 0; k < log->entries[j].part_count; k++)
				buffer_fini(&log->entries[j].parts[k].bytes);
			buffer_fini(&log->entries[j].record);
		}
		buffer_fini(&log->head);
		buffer_fini(&log->seen);
		free(log->entries);
		free(log->share);
		free(log);
	}
	for (i = 0; i < disk->statement_count; i++)
		buffer_fini(&disk->statements[i].bytes);
	for (i = 0; i < disk->payload_count; i++) {
		for (j = 0; j < disk->payloads[i].count; j++)
			buffer_fini(&disk->payloads[i].leaves[j]);
		free(disk->payloads[i].leaves);
	}
	free(disk->payloads);
	memset(disk, 0, sizeof *disk);
}

/* ---- what stands on it ------------------------------------------------------------------------ */

struct sim_log *
sim_disk_log(const struct sim_disk *disk, const uint8_t id[static HASH_SIZE])
{
	size_t i;

	for (i = 0; i < disk->log_count; i++)
		if (memcmp(disk->logs[i]->id, id, HASH_SIZE) == 0)
			return disk->logs[i];
	return NULL;
}

struct sim_log *
sim_disk_add_log(struct sim_disk *disk, const uint8_t id[static HASH_SIZE],
    const uint8_t organisation[static HASH_SIZE])
{
	struct sim_log *log = sim_disk_log(disk, id);

	if (log != NULL)
		return log;
	if (disk->log_count == sizeof disk->logs / sizeof disk->logs[0])
		abort();
	log = must(calloc(1, sizeof *log));
	memcpy(log->id, id, HASH_SIZE);
	memcpy(log->organisation, organisation, HASH_SIZE);
	disk->logs[disk->log_count++] = log;
	return log;
}

void
sim_disk_add_statement(
    struct sim_disk *disk, const uint8_t organisation[static HASH_SIZE], struct view bytes)
{
	if (disk->statement_count == sizeof disk->statements / sizeof disk->statements[0])
		abort();
	memcpy(disk->statements[disk->statement_count].organisation, organisation, HASH_SIZE);
	set(&disk->statements[disk->statement_count++].bytes, bytes);
}

struct sim_payload *
sim_disk_payload(const struct sim_disk *disk, const uint8_t root[static HASH_SIZE], uint64_t size)
{
	size_t i;

	for (i = 0; i < disk->payload_count; i++)
		if (disk->payloads[i].size == size &&
		    memcmp(disk->payloads[i].root, root, HASH_SIZE) == 0)
			return &disk->payloads[i];
	return NULL;
}

struct sim_payload *
sim_disk_add_payload(struct sim_disk *disk, const uint8_t root[static HASH_SIZE], uint64_t size,
    const uint8_t log[static HASH_SIZE])
{
	struct sim_payload *payload = sim_disk_payload(disk, root, size);

	if (payload != NULL)
		return payload;
	if (disk->payload_count == disk->payload_capacity) {
		disk->payload_capacity = disk->payload_capacity * 2 + 16;
		disk->payloads =
		    must(realloc(disk->payloads, disk->payload_capacity * sizeof *disk->payloads));
	}
	payload = &disk->payloads[disk->payload_count++];
	memset(payload, 0, sizeof *payload);
	memcpy(payload->root, root, HASH_SIZE);
	memcpy(payload->log, log, HASH_SIZE);
	payload->size = size;
	payload->count = payload_leaf_count(size);
	payload->leaves = must(calloc((size_t)payload->count, sizeof *payload->leaves));
	return payload;
}

void
sim_disk_put_leaf(struct sim_payload *payload, uint64_t leaf, struct view bytes)
{
	if (payload->leaves[leaf].size == 0)
		payload->here++;
	set(&payload->leaves[leaf], bytes);
}

void
sim_disk_put_head(struct sim_log *log, uint64_t size, struct view note)
{
	if (size <= log->count && size >= log->head_size) {
		set(&log->head, note);
		log->head_size = size;
	}
	if (size >= log->seen_size) {
		set(&log->seen, note);
		log->seen_size = size;
	}
}

/* A checkpoint that was known before its records were: now they are here. */
static void
reach_seen(struct sim_log *log)
{
	if (log->seen_size != log->count || log->head_size >= log->seen_size)
		return;
	set(&log->head, buffer_view(&log->seen));
	log->head_size = log->seen_size;
}

static void
heed(struct sim_disk *disk, struct sim_log *log, const struct sim_entry *entry)
{
	struct record record;
	unsigned i;

	if (!entry->good || record_parse(&record, buffer_view(&entry->record), NULL) != ERR_NONE)
		return;
	if (record.kind == RECORD_DEPOSIT) {
		(void)sim_disk_add_payload(
		    disk, record.as.deposit.root, record.as.deposit.size, log->id);
	} else if (record.kind == RECORD_SHARE) {
		free(log->share);
		log->share_count = record.as.share.count;
		log->share = must(calloc(log->share_count + 1u, HASH_SIZE));
		for (i = 0; i < log->share_count; i++)
			memcpy(log->share[i], share_at(&record.as.share, i), HASH_SIZE);
		log->shared = true;
	}
}

void
sim_disk_append(struct sim_disk *disk, struct sim_log *log, struct view record,
    const struct sync_part *parts, unsigned part_count, bool good)
{
	struct sim_entry *entry;
	unsigned i;

	if (log->count == log->capacity) {
		log->capacity = log->capacity * 2 + 16;
		log->entries = must(realloc(log->entries, log->capacity * sizeof *log->entries));
	}
	entry = &log->entries[log->count++];
	memset(entry, 0, sizeof *entry);
	set(&entry->record, record);
	tree_leaf(entry->id, record);
	entry->good = good;
	entry->part_count = part_count;
	for (i = 0; i < part_count; i++) {
		memcpy(entry->parts[i].digest, parts[i].digest, HASH_SIZE);
		set(&entry->parts[i].bytes, parts[i].bytes);
	}
	heed(disk, log, entry);
	reach_seen(log);
}

void
sim_disk_tree(const struct sim_log *log, uint64_t size, struct tree *tree)
{
	uint64_t i;

	tree_init(tree);
	for (i = 0; i < size; i++)
		if (tree_append(tree, log->entries[i].id, NULL, NULL) != ERR_NONE)
			abort();
}

/* ---- requests --------------------------------------------------------------------------------- */

static int
read_log_node(void *cookie, unsigned level, uint64_t index, uint8_t hash[static HASH_SIZE])
{
	const struct sim_log *log = cookie;
	uint8_t left[HASH_SIZE];
	uint8_t right[HASH_SIZE];

	if (level == 0) {
		memcpy(hash, log->entries[index].id, HASH_SIZE);
		return ERR_NONE;
	}
	(void)read_log_node(cookie, level - 1, 2 * index, left);
	(void)read_log_node(cookie, level - 1, 2 * index + 1, right);
	tree_node(hash, left, right);
	return ERR_NONE;
}

static int
read_payload_node(void *cookie, unsigned level, uint64_t index, uint8_t hash[static HASH_SIZE])
{
	const struct sim_payload *payload = cookie;
	uint8_t left[HASH_SIZE];
	uint8_t right[HASH_SIZE];

	if (level == 0) {
		tree_leaf(hash, buffer_view(&payload->leaves[index]));
		return ERR_NONE;
	}
	(void)read_payload_node(cookie, level - 1, 2 * index, left);
	(void)read_payload_node(cookie, level - 1, 2 * index + 1, right);
	tree_node(hash, left, right);
	return ERR_NONE;
}

static int
put_entry(struct sim_disk *disk, const struct sync_disk_entry *put)
{
	struct sim_log *log = sim_disk_log(disk, put->log);

	if (log == NULL)
		return ERR_NOT_FOUND;
	if (put->index != log->count)
		return ERR_CHANGED;
	sim_disk_append(disk, log, put->bytes, put->parts, put->part_count, put->good);
	return ERR_NONE;
}

static int
put_leaf(struct sim_disk *disk, struct sync_disk_leaf_put *put)
{
	struct sim_payload *payload = sim_disk_payload(disk, put->root, put->size);

	if (payload == NULL)
		return ERR_NOT_FOUND;
	if (payload->leaves[put->leaf].size > 0) {
		disk->refetched++;
		return ERR_NONE;
	}
	sim_disk_put_leaf(payload, put->leaf, put->bytes);
	put->whole = payload->here == payload->count;
	return ERR_NONE;
}

/* The cursor is the number of the payload and of the leaf. */
static int
list_wants(const struct sim_disk *disk, struct sync_disk_wants *wants)
{
	uint64_t at = get_u64(wants->cursor);
	uint64_t leaf = get_u64(wants->cursor + 8);

	wants->wants = must(calloc(SYNC_WANTS_MAX, sizeof *wants->wants));
	for (; at < disk->payload_count; at++, leaf = 0) {
		const struct sim_payload *payload = &disk->payloads[at];

		for (; leaf < payload->count && wants->count < SYNC_WANTS_MAX; leaf++) {
			struct sync_want *want = &wants->wants[wants->count];

			if (payload->leaves[leaf].size > 0)
				continue;
			memcpy(want->root, payload->root, HASH_SIZE);
			memcpy(want->log, payload->log, HASH_SIZE);
			want->size = payload->size;
			want->leaf = leaf;
			wants->count++;
		}
		if (leaf < payload->count)
			break;
	}
	put_u64(wants->cursor, at);
	put_u64(wants->cursor + 8, leaf);
	wants->end = at == disk->payload_count;
	return ERR_NONE;
}

static int
read_package(const struct sim_disk *disk, struct sync_disk_package *package)
{
	struct sim_log *log = sim_disk_log(disk, package->log);
	uint64_t i;

	if (log == NULL || package->size > log->count)
		return ERR_NOT_FOUND;
	for (i = package->start; i < package->end; i++)
		memcpy(package->hashes[i - package->start], log->entries[i].id, HASH_SIZE);
	return tree_prove_subtree(
	    &package->proof, package->start, package->end, package->size, read_log_node, log);
}

static size_t
entry_size(const struct sim_entry *entry)
{
	size_t size = entry->record.size;
	unsigned i;

	for (i = 0; i < entry->part_count; i++)
		size += entry->parts[i].bytes.size;
	return size;
}

static int
read_entries(const struct sim_disk *disk, struct sync_disk *request)
{
	struct sync_disk_entries *read = &request->as.entries;
	const struct sim_log *log = sim_disk_log(disk, read->log);
	size_t size = 0;
	uint8_t *at;
	uint64_t i;
	unsigned j;

	if (log == NULL || read->to > log->count)
		return ERR_NOT_FOUND;
	for (i = read->from; i < read->to && read->count < SYNC_READ_MAX; i++, read->count++) {
		if (read->count > 0 && size + entry_size(&log->entries[i]) > read->budget)
			break;
		size += entry_size(&log->entries[i]);
	}
	request->chunk = must(chunk_new(size, &at));
	read->entries = must(calloc(read->count, sizeof *read->entries));
	for (i = 0; i < read->count; i++) {
		const struct sim_entry *entry = &log->entries[read->from + i];

		memcpy(at, entry->record.data, entry->record.size);
		at += entry->record.size;
		read->entries[i].record_size = entry->record.size;
		read->entries[i].part_count = entry->part_count;
		for (j = 0; j < entry->part_count; j++) {
			memcpy(read->entries[i].parts[j].digest, entry->parts[j].digest, HASH_SIZE);
			read->entries[i].parts[j].size = entry->parts[j].bytes.size;
			memcpy(at, entry->parts[j].bytes.data, entry->parts[j].bytes.size);
			at += entry->parts[j].bytes.size;
		}
	}
	return ERR_NONE;
}

static int
read_leaf(const struct sim_disk *disk, struct sync_disk *request)
{
	struct sync_disk_leaf *read = &request->as.leaf;
	struct sim_payload *payload = sim_disk_payload(disk, read->root, read->size);
	uint8_t *data;

	/* Only a whole payload is served: its proofs need all leaves. */
	if (payload == NULL || payload->here < payload->count)
		return ERR_MISSING;
	request->chunk = must(chunk_new(payload->leaves[read->leaf].size, &data));
	memcpy(data, payload->leaves[read->leaf].data, payload->leaves[read->leaf].size);
	return tree_prove_inclusion(
	    &read->proof, read->leaf, payload->count, read_payload_node, payload);
}

static int
put_head(struct sim_disk *disk, const struct sync_disk_head *put)
{
	struct sim_log *log = sim_disk_log(disk, put->log);

	if (log == NULL)
		return ERR_NOT_FOUND;
	sim_disk_put_head(log, put->size, put->note);
	return ERR_NONE;
}

static int
read_root(const struct sim_disk *disk, struct sync_disk_root *read)
{
	const struct sim_log *log = sim_disk_log(disk, read->log);
	struct tree tree;

	if (log == NULL || read->size > log->count)
		return ERR_NOT_FOUND;
	sim_disk_tree(log, read->size, &tree);
	tree_root(&tree, read->root);
	return ERR_NONE;
}

static int
prove(const struct sim_disk *disk, struct sync_disk_consistency *read)
{
	struct sim_log *log = sim_disk_log(disk, read->log);

	if (log == NULL || read->to > log->count)
		return ERR_NOT_FOUND;
	return tree_prove_consistency(&read->proof, read->from, read->to, read_log_node, log);
}

void
sim_disk_execute(struct sim_disk *disk, struct sync_disk *request)
{
	request->result = sync_disk_check(request);
	if (request->result != ERR_NONE)
		return;
	if (sync_disk_writes(request->kind) && disk->fail != ERR_NONE) {
		request->result = err_set(&request->err, disk->fail, "the virtual disk fails");
		return;
	}
	switch (request->kind) {
	case SYNC_DISK_LOG_PUT:
		(void)sim_disk_add_log(disk, request->as.log.log, request->as.log.organisation);
		break;
	case SYNC_DISK_STATEMENT_PUT:
		sim_disk_add_statement(
		    disk, request->as.statement.organisation, request->as.statement.bytes);
		break;
	case SYNC_DISK_HEAD_PUT:
		request->result = put_head(disk, &request->as.head);
		break;
	case SYNC_DISK_ENTRY_PUT:
		request->result = put_entry(disk, &request->as.entry);
		break;
	case SYNC_DISK_LEAF_PUT:
		request->result = put_leaf(disk, &request->as.leaf_put);
		break;
	case SYNC_DISK_WANTS:
		request->result = list_wants(disk, &request->as.wants);
		break;
	case SYNC_DISK_PACKAGE:
		request->result = read_package(disk, &request->as.package);
		break;
	case SYNC_DISK_ENTRIES:
		request->result = read_entries(disk, request);
		break;
	case SYNC_DISK_CONSISTENCY:
		request->result = prove(disk, &request->as.consistency);
		break;
	case SYNC_DISK_ROOT:
		request->result = read_root(disk, &request->as.root);
		break;
	case SYNC_DISK_LEAF:
		request->result = read_leaf(disk, request);
		break;
	}
}
