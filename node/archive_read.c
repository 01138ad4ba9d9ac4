/* What can be read of one exhibit, with the identities at hand (design 5.2, 5.3). */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/archive_reader.h"
#include "proto/age_stream.h"
#include "proto/grant.h"

static int
add_identity(struct archive_reader *reader, const uint8_t *secret, struct err *err)
{
	struct age_identity *identity;
	unsigned at = reader->identity_count;

	if (at == READER_IDENTITIES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d reader keys", READER_IDENTITIES_MAX);
	identity = age_identity_new(secret);
	if (identity == NULL)
		return err_set(err, ERR_MEMORY, "no locked memory for a key");
	reader->identities[at] = identity;
	reader->vaults[at] = vault_reader_new(identity);
	reader->identity_count++;
	return reader->vaults[at] == NULL ? err_set(err, ERR_MEMORY, "no memory for a vault") : 0;
}

static int
add_store_keys(struct archive_reader *reader, struct err *err)
{
	struct keys *keys = reader->archive->keys;
	uint8_t *secret = sodium_malloc(KEYS_SIZE);
	unsigned i;
	int code = 0;

	if (secret == NULL)
		return err_set(err, ERR_MEMORY, "no locked memory for a key");
	for (i = 0; i < keys_readers(keys) && code == 0; i++) {
		if (keys_reader_secret(keys, i, secret, NULL) == 0)
			code = add_identity(reader, secret, err);
	}
	sodium_free(secret);
	return code;
}

int
archive_reader_new(struct archive_reader **result, struct archive *archive,
    const uint8_t *const *identities, unsigned count, struct err *err)
{
	struct archive_reader *reader = calloc(1, sizeof(*reader));
	unsigned i;
	int code;

	*result = NULL;
	if (reader == NULL)
		return err_set(err, ERR_MEMORY, "no memory to read with");
	reader->archive = archive;
	buffer_init(&reader->record, STORAGE_BYTES_MAX);
	buffer_init(&reader->part, STORAGE_BYTES_MAX);
	buffer_init_secret(&reader->value, BOX_VALUE_MAX);
	code = add_store_keys(reader, err);
	for (i = 0; i < count && code == 0; i++)
		code = add_identity(reader, identities[i], err);
	if (code == 0 && reader->value.err != 0)
		code = err_set(err, ERR_MEMORY, "no locked memory to read with");
	if (code != 0)
		archive_reader_free(reader);
	else
		*result = reader;
	return code;
}

void
archive_reader_free(struct archive_reader *reader)
{
	unsigned i;

	if (reader == NULL)
		return;
	for (i = 0; i < reader->identity_count; i++) {
		vault_reader_free(reader->vaults[i]);
		age_identity_free(reader->identities[i]);
	}
	pool_free(reader->pool);
	buffer_fini(&reader->record);
	buffer_fini(&reader->part);
	buffer_fini(&reader->value);
	sodium_memzero(reader, sizeof(*reader));
	free(reader);
}

/* Keep the first trouble: a part that is here and is not what the record says. */
static void
note_trouble(struct archive_reader *reader, int code, const struct err *err)
{
	if (code == 0 || code == ERR_MISSING || code == ERR_NOT_FOUND || code == ERR_REFUSED ||
	    reader->exhibit.trouble.code != 0)
		return;
	reader->exhibit.trouble = *err;
	reader->exhibit.trouble.code = code;
}

static int
load_part(struct archive_reader *reader, struct snapshot *snapshot, enum part part, struct err *err)
{
	int code =
	    snapshot_part(snapshot, &reader->part, reader->exhibit.place, part_name(part), err);

	note_trouble(reader, code, err);
	if (code == 0)
		reader->loaded |= PART_BIT(part);
	return code;
}

static void
set_file_key(struct archive_exhibit *exhibit, const uint8_t *file_key)
{
	memcpy(exhibit->file_key, file_key, VAULT_FILE_KEY);
	exhibit->has_file_key = true;
	age_stream_key(exhibit->payload_key, file_key, exhibit->record.as.deposit.nonce);
	exhibit->has_payload_key = true;
}

static bool
read_vault(struct archive_reader *reader, struct snapshot *snapshot)
{
	struct archive_exhibit *exhibit = &reader->exhibit;
	struct err err = {.code = 0};
	struct vault vault;
	unsigned i;
	int code = ERR_REFUSED;

	if (reader->identity_count == 0 || load_part(reader, snapshot, PART_VAULT, &err) != 0)
		return false;
	for (i = 0; i < reader->identity_count && code == ERR_REFUSED; i++) {
		buffer_clear(&reader->value);
		code =
		    vault_open(&reader->value, reader->vaults[i], buffer_view(&reader->part), &err);
	}
	if (code == 0)
		code = vault_parse(&vault, FIELD_DEPOSIT, buffer_view(&reader->value), &err);
	if (code == 0)
		code = exhibit_check_vault(
		    &vault, exhibit->record.as.deposit.claims, &reader->claims, &err);
	note_trouble(reader, code, &err);
	if (code != 0)
		return false;
	exhibit->access = ARCHIVE_VAULT;
	exhibit->fields = vault.fields;
	exhibit->claims = &reader->claims;
	exhibit->reader_count = vault.reader_count;
	set_file_key(exhibit, vault.file_key);
	return true;
}

static bool
read_sealed(struct archive_reader *reader, struct snapshot *snapshot)
{
	struct archive_exhibit *exhibit = &reader->exhibit;
	uint8_t file_key[AGE_FILE_KEY];
	struct err err = {.code = 0};
	struct sealed sealed;
	unsigned i;
	int code = ERR_REFUSED;

	if (reader->identity_count == 0 || load_part(reader, snapshot, PART_GRANT, &err) != 0)
		return false;
	for (i = 0; i < reader->identity_count && code == ERR_REFUSED; i++)
		code =
		    grant_open(file_key, buffer_view(&reader->part), reader->identities[i], &err);
	note_trouble(reader, code, &err);
	if (code != 0 || load_part(reader, snapshot, PART_SEALED, &err) != 0)
		return false;
	buffer_clear(&reader->value);
	code = box_open(&reader->value, file_key, exhibit->record.as.deposit.nonce,
	    buffer_view(&reader->part), &err);
	if (code == 0)
		code = sealed_parse(&sealed, FIELD_DEPOSIT, buffer_view(&reader->value), &err);
	if (code == 0)
		code = exhibit_check_sealed(&sealed, exhibit->record.as.deposit.claims, &err);
	note_trouble(reader, code, &err);
	if (code == 0) {
		exhibit->access = ARCHIVE_SEALED;
		exhibit->fields = sealed.fields;
		set_file_key(exhibit, file_key);
	}
	sodium_memzero(file_key, sizeof(file_key));
	return code == 0;
}

static void
read_open(struct archive_reader *reader, struct snapshot *snapshot)
{
	struct archive_exhibit *exhibit = &reader->exhibit;
	struct err err = {.code = 0};
	int code;

	if (!exhibit->is_open || load_part(reader, snapshot, PART_OPEN, &err) != 0)
		return;
	buffer_clear(&reader->value);
	buffer_append(&reader->value, reader->part.data, reader->part.size);
	code = open_part_parse(&reader->open_part, buffer_view(&reader->value), &err);
	if (code == 0)
		code = exhibit_check_open(&reader->open_part, FIELD_DEPOSIT,
		    exhibit->record.as.deposit.claims, &exhibit->fields, &err);
	note_trouble(reader, code, &err);
	if (code != 0) {
		exhibit->fields = (struct fields){.kind = FIELD_DEPOSIT};
		return;
	}
	exhibit->access = ARCHIVE_OPEN;
	if (reader->open_part.key != NULL) {
		memcpy(exhibit->payload_key, reader->open_part.key, OPEN_PART_KEY);
		exhibit->has_payload_key = true;
	}
}

/* Does the newest checkpoint here cover the entry?  Asked once a log and change of the store. */
static bool
is_signed(struct archive_reader *reader, struct snapshot *snapshot, struct storage_place place)
{
	uint64_t changes = 0;

	if (storage_changes(reader->archive->storage, &changes, NULL) != 0)
		return false;
	if (!reader->signed_known || reader->signed_log != place.log ||
	    reader->signed_changes != changes) {
		reader->signed_known = true;
		reader->signed_log = place.log;
		reader->signed_changes = changes;
		if (snapshot_head_last(
		        snapshot, &reader->part, &reader->signed_size, place.log, NULL) != 0)
			reader->signed_size = 0;
	}
	return place.index < reader->signed_size;
}

int
archive_reader_load(struct archive_reader *reader, struct snapshot *snapshot,
    struct storage_place place, struct err *err)
{
	struct archive_exhibit *exhibit = &reader->exhibit;
	int code;

	*exhibit = (struct archive_exhibit){
	    .place = place, .fields = {.kind = FIELD_DEPOSIT}, .access = ARCHIVE_CLOSED};
	reader->loaded = 0;
	code = snapshot_entry(snapshot, &exhibit->entry, &reader->record, place, err);
	if (code == 0 && exhibit->entry.kind != RECORD_DEPOSIT)
		code = err_set(err, ERR_USAGE, "that record is no exhibit but %s",
		    exhibit->entry.kind < RECORD_KIND_COUNT ?
		        record_kind_name((enum record_kind)exhibit->entry.kind) :
		        "one that this dalil does not know");
	if (code == 0)
		code = record_parse(&exhibit->record, exhibit->entry.record, err);
	if (code == 0 && exhibit->record.kind != RECORD_DEPOSIT)
		code = err_set(err, ERR_INDEX, "the index calls a record a deposit that is none");
	if (code != 0)
		return code;
	memcpy(exhibit->id, exhibit->entry.id, HASH_SIZE);
	exhibit->is_open = exhibit->record.as.deposit.parts.digests[PART_OPEN] != NULL;
	exhibit->is_signed = is_signed(reader, snapshot, place);
	if (!read_vault(reader, snapshot) && !read_sealed(reader, snapshot))
		read_open(reader, snapshot);
	if (exhibit->entry.has_payload)
		code =
		    snapshot_payload_state(snapshot, &exhibit->state, &exhibit->entry.payload, err);
	return code;
}

int
archive_read(struct archive_reader *reader, struct storage_place place,
    const struct archive_exhibit **exhibit, struct err *err)
{
	struct snapshot *snapshot = NULL;
	int code = snapshot_begin(reader->archive->storage, &snapshot, err);

	*exhibit = NULL;
	if (code == 0)
		code = archive_reader_load(reader, snapshot, place, err);
	snapshot_end(snapshot);
	if (code == 0)
		*exhibit = &reader->exhibit;
	return code;
}

int
archive_data_size(const struct archive_exhibit *exhibit, uint64_t *size, struct err *err)
{
	uint64_t plain = payload_plain_size(exhibit->record.as.deposit.size);

	if (!fields_uint(&exhibit->fields, FIELD_SIZE, size))
		*size = plain;
	if (*size > plain)
		return err_set(err, ERR_FORGED,
		    "the record claims more bytes than its payload holds (design 5.3)");
	return 0;
}
