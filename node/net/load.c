#include "node/net/load.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/record.h"
#include "proto/statement.h"

/* A log that differs from what is known. */
struct loaded_log {
	struct storage_log log;
	struct tree tree;
	struct buffer head;
	struct buffer seen;
	uint64_t head_size; /* of the largest of both */
	bool shared;
	unsigned share_count;
	uint8_t (*share)[HASH_SIZE];
};

struct loaded_statement {
	uint8_t organisation[HASH_SIZE];
	struct buffer bytes;
};

struct load {
	struct storage *storage;
	struct known known;
	unsigned log_count;
	struct loaded_log logs[SYNC_LOGS_MAX];
	size_t statement_count;
	struct loaded_statement *statements;
	uint64_t wants;
	unsigned peer_count;
	struct peer *peers; /* sodium_malloc, SYNC_PEERS_MAX */
};

struct known_log *
known_log(struct known *known, const uint8_t log[static HASH_SIZE])
{
	unsigned i;

	for (i = 0; i < known->log_count; i++) {
		if (memcmp(known->logs[i].log, log, HASH_SIZE) == 0)
			return &known->logs[i];
	}
	if (known->log_count == SYNC_LOGS_MAX)
		return NULL;
	known->logs[i] = (struct known_log){.head = 0};
	memcpy(known->logs[i].log, log, HASH_SIZE);
	known->log_count++;
	return &known->logs[i];
}

struct known_charter *
known_charter(struct known *known, const uint8_t organisation[static HASH_SIZE])
{
	unsigned i;

	for (i = 0; i < known->charter_count; i++) {
		if (memcmp(known->charters[i].organisation, organisation, HASH_SIZE) == 0)
			return &known->charters[i];
	}
	if (known->charter_count == SYNC_LOGS_MAX)
		return NULL;
	known->charters[i] = (struct known_charter){.count = 0};
	memcpy(known->charters[i].organisation, organisation, HASH_SIZE);
	known->charter_count++;
	return &known->charters[i];
}

struct load *
load_new(struct storage *storage, const struct known *known)
{
	struct load *load = calloc(1, sizeof(*load));

	if (load == NULL)
		return NULL;
	load->storage = storage;
	load->known = *known;
	load->peers = sodium_allocarray(SYNC_PEERS_MAX, sizeof(*load->peers));
	if (load->peers == NULL) {
		free(load);
		return NULL;
	}
	return load;
}

void
load_free(struct load *load)
{
	size_t i;

	if (load == NULL)
		return;
	for (i = 0; i < load->log_count; i++) {
		buffer_fini(&load->logs[i].head);
		buffer_fini(&load->logs[i].seen);
		free(load->logs[i].share);
	}
	for (i = 0; i < load->statement_count; i++)
		buffer_fini(&load->statements[i].bytes);
	free(load->statements);
	sodium_free(load->peers);
	free(load);
}

const struct peer *
load_peers(const struct load *load, unsigned *count)
{
	*count = load->peer_count;
	return load->peers;
}

/*
 * The key that signed the log's first record: where the log begins as it must, that is the record
 * key which its charter has enrolled (formats, "Log start").
 */
static bool
record_key_of(struct snapshot *snapshot, uint32_t number, uint8_t key[static RECORD_KEY])
{
	struct storage_entry entry;
	struct buffer bytes;
	struct record record;
	bool found;

	buffer_init(&bytes, STORAGE_BYTES_MAX);
	found = snapshot_entry(snapshot, &entry, &bytes,
	            (struct storage_place){.log = number, .index = 0}, NULL) == ERR_NONE &&
	        record_parse(&record, entry.record, NULL) == ERR_NONE;
	if (found)
		memcpy(key, record.key, RECORD_KEY);
	buffer_fini(&bytes);
	return found;
}

static int
keep_share(struct loaded_log *loaded, const struct share *share)
{
	uint8_t(*organisations)[HASH_SIZE] = calloc(share->count + 1u, HASH_SIZE);
	unsigned i;

	if (organisations == NULL)
		return ERR_MEMORY;
	for (i = 0; i < share->count; i++)
		memcpy(organisations[i], share_at(share, i), HASH_SIZE);
	free(loaded->share);
	loaded->share = organisations;
	loaded->share_count = share->count;
	loaded->shared = true;
	return ERR_NONE;
}

/* The last share that the log's own record key has signed. */
static int
read_share(struct snapshot *snapshot, struct loaded_log *loaded, struct err *err)
{
	uint32_t number = loaded->log.number;
	uint64_t index = STORAGE_START;
	uint8_t key[RECORD_KEY];
	struct buffer bytes;
	int code = ERR_NONE;

	if (!record_key_of(snapshot, number, key))
		return ERR_NONE;
	buffer_init(&bytes, STORAGE_BYTES_MAX);
	while (code == ERR_NONE &&
	       snapshot_kind_next(snapshot, &index, number, RECORD_SHARE, NULL) == ERR_NONE) {
		struct storage_place place = {.log = number, .index = index};
		struct storage_entry entry;
		struct record record;

		code = snapshot_entry(snapshot, &entry, &bytes, place, err);
		if (code == ERR_NONE && record_parse(&record, entry.record, NULL) == ERR_NONE &&
		    record.kind == RECORD_SHARE &&
		    memcmp(record.log, loaded->log.id, HASH_SIZE) == 0 &&
		    memcmp(record.key, key, RECORD_KEY) == 0 &&
		    record_verify(&record, NULL) == ERR_NONE)
			code = keep_share(loaded, &record.as.share);
	}
	buffer_fini(&bytes);
	return code;
}

/* The largest checkpoint whose records are all here, and the largest there is. */
static int
read_heads(struct snapshot *snapshot, struct loaded_log *loaded, struct err *err)
{
	uint32_t number = loaded->log.number;
	uint64_t size = STORAGE_START;
	uint64_t best = 0;
	int code;

	if (loaded->head_size == 0)
		return ERR_NONE;
	if (loaded->head_size <= loaded->log.size)
		return snapshot_head_at(snapshot, &loaded->head, number, loaded->head_size, err);
	code = snapshot_head_at(snapshot, &loaded->seen, number, loaded->head_size, err);
	while (code == ERR_NONE &&
	       snapshot_head_next(snapshot, &loaded->head, &size, number, NULL) == ERR_NONE &&
	       size <= loaded->log.size)
		best = size;
	buffer_clear(&loaded->head);
	if (code == ERR_NONE && best > 0)
		code = snapshot_head_at(snapshot, &loaded->head, number, best, err);
	return code;
}

static int
read_log(struct snapshot *snapshot, struct load *load, const struct storage_log *log,
    uint64_t head_size, struct err *err)
{
	struct loaded_log *loaded = &load->logs[load->log_count];
	struct snapshot_tree tree = {.snapshot = snapshot, .log = log->number, .err = err};
	int code;

	*loaded = (struct loaded_log){.log = *log, .head_size = head_size};
	buffer_init(&loaded->head, STORAGE_BYTES_MAX);
	buffer_init(&loaded->seen, STORAGE_BYTES_MAX);
	load->log_count++;
	code = tree_load(&loaded->tree, log->size, snapshot_tree_read, &tree);
	if (code == ERR_NONE)
		code = read_heads(snapshot, loaded, err);
	if (code == ERR_NONE)
		code = read_share(snapshot, loaded, err);
	return code;
}

static int
read_logs(struct snapshot *snapshot, struct load *load, uint32_t count, struct err *err)
{
	struct buffer note;
	uint32_t number;
	int code = ERR_NONE;

	buffer_init(&note, STORAGE_BYTES_MAX);
	for (number = 0; number < count && code == ERR_NONE && load->log_count < SYNC_LOGS_MAX;
	     number++) {
		const struct known_log *known;
		struct storage_log log;
		uint64_t head = 0;

		code = snapshot_log(snapshot, &log, number, err);
		if (code != ERR_NONE)
			break;
		if (snapshot_head_last(snapshot, &note, &head, number, NULL) != ERR_NONE)
			head = 0;
		known = known_log(&load->known, log.id);
		if (known == NULL ||
		    (known->told && known->size == log.size && known->head == head))
			continue;
		code = read_log(snapshot, load, &log, head, err);
	}
	buffer_fini(&note);
	return code;
}

static int
keep_statement(struct load *load, const uint8_t *organisation, struct view bytes)
{
	struct loaded_statement *grown =
	    realloc(load->statements, (load->statement_count + 1) * sizeof(*grown));

	if (grown == NULL)
		return ERR_MEMORY;
	load->statements = grown;
	grown += load->statement_count++;
	memcpy(grown->organisation, organisation, HASH_SIZE);
	buffer_init(&grown->bytes, bytes.size);
	buffer_append(&grown->bytes, bytes.data, bytes.size);
	return grown->bytes.err;
}

/* Statements of one organisation beyond those that are known: they come in the order of storing. */
static int
read_charter(
    struct snapshot *snapshot, struct load *load, const uint8_t *organisation, struct err *err)
{
	const struct known_charter *known = known_charter(&load->known, organisation);
	uint64_t cursor = STORAGE_START;
	struct buffer statement;
	uint64_t number = 0;
	int code;

	if (known == NULL)
		return ERR_NONE;
	buffer_init(&statement, STORAGE_BYTES_MAX);
	while ((code = snapshot_statement_next(snapshot, &statement, &cursor, organisation, err)) ==
	       ERR_NONE) {
		if (number++ < known->count)
			continue;
		code = keep_statement(load, organisation, buffer_view(&statement));
		if (code != ERR_NONE)
			break;
	}
	buffer_fini(&statement);
	return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static int
read_peers(struct snapshot *snapshot, struct peer *peers, unsigned *count, struct err *err)
{
	struct peer_cursor cursor = {.started = false};
	int code = ERR_NONE;

	for (*count = 0; *count < SYNC_PEERS_MAX && code == ERR_NONE;) {
		code = peer_next(snapshot, &cursor, &peers[*count], err);
		if (code == ERR_NONE)
			(*count)++;
	}
	return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

int
load_peers_now(struct storage *storage, struct peer *peers, unsigned *count, struct err *err)
{
	struct snapshot *snapshot;
	int code = snapshot_begin(storage, &snapshot, err);

	if (code != ERR_NONE)
		return code;
	code = read_peers(snapshot, peers, count, err);
	snapshot_end(snapshot);
	return code;
}

int
load_read(struct load *load, struct err *err)
{
	uint8_t organisation[HASH_SIZE] = {0};
	struct storage_counts counts;
	struct snapshot *snapshot;
	int code = snapshot_begin(load->storage, &snapshot, err);

	if (code != ERR_NONE)
		return code;
	code = snapshot_counts(snapshot, &counts, err);
	while (code == ERR_NONE &&
	       snapshot_organisation_next(snapshot, organisation, NULL) == ERR_NONE)
		code = read_charter(snapshot, load, organisation, err);
	if (code == ERR_NONE)
		code = read_logs(snapshot, load, counts.logs, err);
	if (code == ERR_NONE)
		code = read_peers(snapshot, load->peers, &load->peer_count, err);
	if (code == ERR_NONE)
		load->wants = counts.wants + counts.part_wants;
	snapshot_end(snapshot);
	return code;
}

static int
tell_log(const struct loaded_log *loaded, struct sync *sync, struct err *err)
{
	struct sync_log_state state = {.tree = loaded->tree,
	    .head = buffer_view(&loaded->head),
	    .seen = buffer_view(&loaded->seen),
	    .shared = loaded->shared,
	    .share_count = loaded->share_count,
	    .share = (const uint8_t(*)[HASH_SIZE])loaded->share};

	memcpy(state.log, loaded->log.id, HASH_SIZE);
	memcpy(state.organisation, loaded->log.organisation, HASH_SIZE);
	return sync_load_log(sync, &state, err);
}

void
load_tell(const struct load *load, struct sync *sync, struct known *known, bool *changed,
    load_refused *refused, void *cookie)
{
	struct err err = {0};
	size_t i;

	*changed = load->statement_count > 0 || load->log_count > 0;
	for (i = 0; i < load->statement_count; i++) {
		const struct loaded_statement *statement = &load->statements[i];
		struct known_charter *row = known_charter(known, statement->organisation);

		if (sync_load_statement(sync, statement->organisation,
		        buffer_view(&statement->bytes), &err) != ERR_NONE)
			refused(cookie, err_text(&err));
		if (row != NULL)
			row->count++;
	}
	for (i = 0; i < load->log_count; i++) {
		const struct loaded_log *loaded = &load->logs[i];
		struct known_log *row = known_log(known, loaded->log.id);

		if (tell_log(loaded, sync, &err) != ERR_NONE)
			refused(cookie, err_text(&err));
		if (row != NULL) {
			row->size = loaded->log.size;
			row->head = loaded->head_size;
			row->told = true;
		}
	}
	if (load->wants > known->wants) {
		sync_wants_changed(sync);
		*changed = true;
	}
	known->wants = load->wants;
}
