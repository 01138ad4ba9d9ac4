/* Organisations: their charters, asked for, verified, kept and given. */
#include <stdlib.h>

#include "node/sync/sync_internal.h"
#include "proto/hash.h"

struct organisation *
organisation_find(const struct sync *sync, const uint8_t *id)
{
	size_t i;

	for (i = 0; i < sync->organisation_count; i++)
		if (memcmp(sync->organisations[i]->id, id, HASH_SIZE) == 0)
			return sync->organisations[i];
	return NULL;
}

struct organisation *
organisation_add(struct sync *sync, const uint8_t *id)
{
	struct organisation *organisation = organisation_find(sync, id);

	if (organisation != NULL)
		return organisation;
	if (sync->organisation_count == ORGANISATIONS_MAX)
		return NULL;
	organisation = calloc(1, sizeof *organisation);
	if (organisation == NULL)
		return NULL;
	organisation->charter = charter_new();
	if (organisation->charter == NULL) {
		free(organisation);
		return NULL;
	}
	memcpy(organisation->id, id, HASH_SIZE);
	hash_sha256(organisation->digest, view_of(NULL, 0));
	sync->organisations[sync->organisation_count++] = organisation;
	return organisation;
}

void
organisation_free(struct organisation *organisation)
{
	size_t i;

	for (i = 0; i < organisation->count; i++)
		chunk_drop(organisation->statements[i].chunk);
	free(organisation->statements);
	charter_free(organisation->charter);
	free(organisation);
}

/* Somebody we have a reason of our own to know: paired, or us. */
static bool
is_paired(const struct sync *sync, const struct organisation *organisation)
{
	unsigned i;

	if (memcmp(organisation->id, sync->config.organisation, HASH_SIZE) == 0)
		return true;
	for (i = 0; i < SLOTS_MAX; i++)
		if (sync->peers[i] != NULL && sync->peers[i]->organisation == organisation)
			return true;
	return false;
}

static int
compare_hashes(const void *a, const void *b)
{
	return memcmp(a, b, HASH_SIZE);
}

static int
update_digest(struct organisation *organisation)
{
	uint8_t *hashes = malloc(organisation->count * HASH_SIZE);
	size_t i;

	if (hashes == NULL)
		return ERR_MEMORY;
	for (i = 0; i < organisation->count; i++)
		memcpy(hashes + i * HASH_SIZE, organisation->statements[i].hash, HASH_SIZE);
	qsort(hashes, organisation->count, HASH_SIZE, compare_hashes);
	hash_sha256(organisation->digest, view_of(hashes, organisation->count * HASH_SIZE));
	free(hashes);
	return ERR_NONE;
}

/* Put the statement in its place by seq, then hash. */
static int
keep(struct organisation *organisation, const struct statement *statement)
{
	struct kept_statement *kept;
	uint8_t *data;
	size_t at = organisation->count;

	if (organisation->count == organisation->capacity) {
		size_t capacity = organisation->capacity * 2 + 8;

		kept = realloc(organisation->statements, capacity * sizeof *kept);
		if (kept == NULL)
			return ERR_MEMORY;
		organisation->statements = kept;
		organisation->capacity = capacity;
	}
	kept = organisation->statements;
	while (at > 0 && (kept[at - 1].seq > statement->seq ||
	                     (kept[at - 1].seq == statement->seq &&
	                         memcmp(kept[at - 1].hash, statement->hash, HASH_SIZE) > 0)))
		at--;
	memmove(&kept[at + 1], &kept[at], (organisation->count - at) * sizeof *kept);
	memset(&kept[at], 0, sizeof kept[at]);
	kept[at].seq = statement->seq;
	memcpy(kept[at].hash, statement->hash, HASH_SIZE);
	organisation->count++;
	kept[at].chunk = chunk_new(statement->bytes.size, &data);
	if (kept[at].chunk == NULL)
		return ERR_MEMORY;
	memcpy(data, statement->bytes.data, statement->bytes.size);
	organisation->bytes += statement->bytes.size;
	return update_digest(organisation);
}

static bool
is_kept(const struct organisation *organisation, const struct statement *statement)
{
	size_t i;

	for (i = 0; i < organisation->count; i++)
		if (memcmp(organisation->statements[i].hash, statement->hash, HASH_SIZE) == 0)
			return true;
	return false;
}

static int
check_room(struct sync *sync, const struct organisation *organisation, size_t size, struct err *err)
{
	if (sync->statement_bytes + size > STATEMENT_BYTES_MAX ||
	    (!is_paired(sync, organisation) &&
	        organisation->bytes + size > STATEMENT_BYTES_FOREIGN))
		return err_set(
		    err, ERR_LIMIT, "more bytes of charters than are held (docs/wire 7)");
	return ERR_NONE;
}

/* What the charter said of logs may be different now, and peers are to hear of it. */
static void
changed(struct sync *sync, struct organisation *organisation)
{
	size_t i;

	organisation->changed = ++sync->generation;
	for (i = 0; i < sync->log_count; i++) {
		if (sync->logs[i]->organisation != organisation)
			continue;
		log_enrol(sync->logs[i]);
		sync->logs[i]->changed = sync->generation;
	}
}

static void
store_statement(
    struct sync *sync, const struct organisation *organisation, const struct statement *statement)
{
	struct sync_disk *disk = disk_new(SYNC_DISK_STATEMENT_PUT);
	uint8_t *data;

	if (disk == NULL) {
		sync->starved = true;
		return;
	}
	memcpy(disk->as.statement.organisation, organisation->id, HASH_SIZE);
	disk->chunk = chunk_new(statement->bytes.size, &data);
	if (disk->chunk == NULL) {
		sync->starved = true;
		sync_disk_free(disk);
		return;
	}
	memcpy(data, statement->bytes.data, statement->bytes.size);
	disk->as.statement.bytes = disk->chunk->bytes;
	action_disk(sync, disk);
}

int
organisation_feed(struct sync *sync, struct organisation *organisation, struct view bytes,
    bool store, bool *fresh, struct err *err)
{
	enum charter_verdict verdict;
	struct statement statement;
	int code;

	*fresh = false;
	code = statement_parse(&statement, bytes, err);
	if (code != ERR_NONE)
		return code;
	if (is_kept(organisation, &statement))
		return ERR_NONE;
	if (charter_count(organisation->charter) == 0 &&
	    memcmp(statement.hash, organisation->id, HASH_SIZE) != 0)
		return err_set(err, ERR_UNKNOWN,
		    "a charter that does not begin with the statement its organisation is named "
		    "after (design 5.5)");
	code = check_room(sync, organisation, bytes.size, err);
	if (code == ERR_NONE)
		code = charter_judge(organisation->charter, &statement, &verdict, err);
	if (code != ERR_NONE || verdict == CHARTER_KNOWN)
		return code;
	code = keep(organisation, &statement);
	if (code != ERR_NONE)
		return err_set(err, code, "no memory for a statement");
	sync->statement_bytes += bytes.size;
	*fresh = true;
	if (store)
		store_statement(sync, organisation, &statement);
	changed(sync, organisation);
	return ERR_NONE;
}

int
sync_load_statement(
    struct sync *sync, const uint8_t id[static HASH_SIZE], struct view statement, struct err *err)
{
	struct organisation *organisation = organisation_add(sync, id);
	bool fresh;

	if (organisation == NULL)
		return err_set(err, ERR_LIMIT, "more organisations than can be held");
	return organisation_feed(sync, organisation, statement, false, &fresh, err);
}
