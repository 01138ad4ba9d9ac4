/* Charters held here: load, export, take statements, make the next one. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/archive_internal.h"
#include "proto/key.h"
#include "proto/statement_file.h"
#include "proto/text.h"

int
archive_charter_load(struct snapshot *snapshot, struct charter *charter,
    const uint8_t organisation[static HASH_SIZE], struct err *err)
{
	uint64_t cursor = STORAGE_START;
	enum charter_verdict verdict;
	struct buffer statement;
	int code;

	buffer_init(&statement, STORAGE_BYTES_MAX);
	while ((code = snapshot_statement_next(snapshot, &statement, &cursor, organisation, err)) ==
	       0) {
		code = charter_feed(charter, buffer_view(&statement), &verdict, err);
		if (code != 0)
			break;
	}
	buffer_fini(&statement);
	if (code != ERR_NOT_FOUND)
		return code;
	return charter_count(charter) > 0 ?
	           0 :
	           err_set(err, ERR_NOT_FOUND, "no charter of that organisation is here");
}

int
archive_charter(struct archive *archive, const uint8_t organisation[static HASH_SIZE],
    struct charter **result, struct err *err)
{
	struct charter *charter = charter_new();
	struct snapshot *snapshot = NULL;
	int code;

	*result = NULL;
	if (charter == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a charter");
	code = snapshot_begin(archive->storage, &snapshot, err);
	if (code == 0)
		code = archive_charter_load(snapshot, charter, organisation, err);
	snapshot_end(snapshot);
	if (code != 0)
		charter_free(charter);
	else
		*result = charter;
	return code;
}

/* Does ${text} mean this organisation: its name, or the beginning of its id in hex? */
static bool
means(struct snapshot *snapshot, const uint8_t *organisation, const char *text)
{
	struct charter *charter = charter_new();
	char hex[2 * HASH_SIZE + 1];
	size_t size = strlen(text);
	bool same;

	text_hex(hex, view_of(organisation, HASH_SIZE));
	same = size >= ARCHIVE_ID_MIN && size <= 2 * HASH_SIZE && strncmp(hex, text, size) == 0;
	if (!same && charter != NULL &&
	    archive_charter_load(snapshot, charter, organisation, NULL) == 0)
		same = strcmp(charter_name(charter), text) == 0;
	charter_free(charter);
	return same;
}

int
archive_organisation(struct archive *archive, const char *name,
    uint8_t organisation[static HASH_SIZE], struct err *err)
{
	uint8_t at[HASH_SIZE] = {0};
	struct snapshot *snapshot = NULL;
	unsigned found = 0;
	int code;

	if (name == NULL) {
		memcpy(organisation, archive->self.organisation, HASH_SIZE);
		return 0;
	}
	code = snapshot_begin(archive->storage, &snapshot, err);
	while (code == 0 && (code = snapshot_organisation_next(snapshot, at, err)) == 0) {
		if (!means(snapshot, at, name))
			continue;
		memcpy(organisation, at, HASH_SIZE);
		found++;
	}
	snapshot_end(snapshot);
	if (code != ERR_NOT_FOUND)
		return code;
	if (found == 1)
		return 0;
	return found == 0 ?
	           err_set(err, ERR_NOT_FOUND, "no organisation here is called '%s'", name) :
	           err_set(err, ERR_USAGE,
	               "several organisations are called '%s': give the id of one", name);
}

int
archive_charter_export(struct archive *archive, const uint8_t organisation[static HASH_SIZE],
    struct buffer *out, struct err *err)
{
	struct snapshot *snapshot = NULL;
	uint64_t cursor = STORAGE_START;
	struct buffer statement;
	unsigned count = 0;
	int code = snapshot_begin(archive->storage, &snapshot, err);

	buffer_init(&statement, STORAGE_BYTES_MAX);
	while (code == 0 && (code = snapshot_statement_next(
	                         snapshot, &statement, &cursor, organisation, err)) == 0) {
		statement_file_write(out, buffer_view(&statement));
		count++;
	}
	buffer_fini(&statement);
	snapshot_end(snapshot);
	if (code != ERR_NOT_FOUND)
		return code;
	if (count == 0)
		return err_set(err, ERR_NOT_FOUND, "no charter of that organisation is here");
	return out->err == 0 ? 0 : err_set(err, (enum err_code)out->err, "a charter too large");
}

/* ---- making statements ----------------------------------------------------------------------- */

/* Sign ${statement} with one seed if the charter lets that key; ${out} becomes the new statement. */
static int
add_signature(const struct charter *charter, struct buffer *out, const uint8_t *seed, bool any_key,
    struct err *err)
{
	struct statement statement;
	uint8_t key[KEY_SIZE];
	struct buffer made;
	int code = statement_parse(&statement, buffer_view(out), err);

	if (code != 0)
		return code;
	key_ed25519_public(key, seed);
	if (!any_key && !charter_may_sign(charter, &statement, key))
		return err_set(
		    err, ERR_REFUSED, "that key is not one of those that may sign this statement");
	buffer_init(&made, STATEMENT_MAX);
	code = statement_sign(&made, &statement, seed, err);
	if (code == 0) {
		buffer_clear(out);
		buffer_append(out, made.data, made.size);
		code = out->err == 0 ?
		           0 :
		           err_set(err, (enum err_code)out->err, "no room for a statement");
	}
	buffer_fini(&made);
	return code;
}

/* The four keys of the node that an enrol names sign it too (design 5.5). */
int
archive_sign_enrol(
    struct archive *archive, const struct charter *charter, struct buffer *out, struct err *err)
{
	static const enum keys_name names[] = {KEYS_RECORD, KEYS_LOG, KEYS_WITNESS, KEYS_MIRROR};
	uint8_t *seed = sodium_malloc(KEYS_SIZE);
	unsigned i;
	int code = seed == NULL ? err_set(err, ERR_MEMORY, "no locked memory for a key") : 0;

	for (i = 0; i < 4 && code == 0; i++) {
		code = keys_secret(archive->keys, names[i], seed, err);
		if (code == 0)
			code = add_signature(charter, out, seed, true, err);
	}
	sodium_free(seed);
	return code;
}

int
archive_charter_sign(struct archive *archive, const struct charter *charter, struct buffer *out,
    const uint8_t *const *root_seeds, unsigned root_count, unsigned *wants, struct err *err)
{
	struct statement statement;
	unsigned i;
	int code = 0;

	(void)archive;
	for (i = 0; i < root_count && code == 0; i++)
		code = add_signature(charter, out, root_seeds[i], false, err);
	if (code == 0)
		code = statement_parse(&statement, buffer_view(out), err);
	if (code == 0)
		*wants = charter_wants(charter, &statement);
	return code;
}

/* Apply one whole statement by way of its text. */
static int
apply_one(struct archive *archive, struct view statement, struct err *err)
{
	struct buffer file;
	unsigned accepted;
	int code;

	buffer_init(&file, STATEMENT_FILE_MAX);
	statement_file_write(&file, statement);
	code = file.err != 0 ? err_set(err, (enum err_code)file.err, "no memory for a statement") :
	                       archive_charter_apply(archive, buffer_view(&file), &accepted, err);
	buffer_fini(&file);
	return code;
}

int
archive_charter_make(struct archive *archive, const struct statement *draft, uint64_t time,
    const uint8_t *const *root_seeds, unsigned root_count, struct buffer *out, unsigned *wants,
    struct err *err)
{
	struct charter *charter = NULL;
	struct statement next = *draft;
	int code = archive_charter(archive, archive->self.organisation, &charter, err);

	if (code != 0)
		return code;
	next.seq = charter_count(charter);
	next.previous = charter_last(charter);
	next.time = time;
	buffer_clear(out);
	code = statement_encode(out, &next, err);
	if (code == 0 && next.kind == STATEMENT_ENROL &&
	    memcmp(next.enrol.log, archive->vkey.key, KEY_SIZE) == 0)
		code = archive_sign_enrol(archive, charter, out, err);
	if (code == 0)
		code =
		    archive_charter_sign(archive, charter, out, root_seeds, root_count, wants, err);
	if (code == 0 && *wants == 0)
		code = apply_one(archive, buffer_view(out), err);
	charter_free(charter);
	return code;
}

/*
 * A statement is signed only as the next one.  Whoever signs a second one of a number splits the
 * charter, and nothing takes that back (design 5.5).
 */
static int
check_next(const struct charter *charter, struct view bytes, struct err *err)
{
	struct statement statement;
	const uint8_t *there;
	int code = statement_parse(&statement, bytes, err);

	if (code != 0)
		return code;
	there = charter_hash(charter, statement.seq);
	if (there != NULL && memcmp(there, statement.hash, HASH_SIZE) == 0)
		return 0; /* it is known: nothing new is signed */
	if (statement.seq == charter_count(charter) &&
	    memcmp(statement.previous, charter_last(charter), HASH_SIZE) == 0)
		return 0;
	return err_set(err, ERR_REFUSED,
	    "it does not follow the last statement of the charter here: the charter has moved on "
	    "since, or it is another's; have it made anew");
}

int
archive_charter_complete(struct archive *archive, struct view statement,
    const uint8_t *const *root_seeds, unsigned root_count, struct buffer *out, unsigned *wants,
    struct err *err)
{
	struct charter *charter = NULL;
	int code = archive_charter(archive, archive->self.organisation, &charter, err);

	if (code == 0)
		code = check_next(charter, statement, err);
	if (code != 0) {
		charter_free(charter);
		return code;
	}
	buffer_clear(out);
	buffer_append(out, statement.data, statement.size);
	code = archive_charter_sign(archive, charter, out, root_seeds, root_count, wants, err);
	if (code == 0 && *wants == 0)
		code = apply_one(archive, buffer_view(out), err);
	charter_free(charter);
	return code;
}
