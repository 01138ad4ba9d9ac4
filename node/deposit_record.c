/* A file's fields, claims, parts and record (design 5.2, 5.3). */
#include <sodium.h>
#include <string.h>

#include "node/deposit_internal.h"
#include "proto/exhibit.h"
#include "proto/grant.h"
#include "proto/pack.h"

void
deposit_random(struct deposit_secrets *secrets, uint8_t *bytes, size_t size)
{
	size_t used = secrets->random_used;

	if (size > DEPOSIT_RANDOM) {
		randombytes_buf(bytes, size);
		return;
	}
	if (used == 0 || DEPOSIT_RANDOM - used < size) {
		randombytes_buf(secrets->random, DEPOSIT_RANDOM);
		used = 0;
	}
	memcpy(bytes, secrets->random + used, size);
	sodium_memzero(secrets->random + used, size);
	secrets->random_used = used + size;
}

static void
fill_random(void *cookie, uint8_t *bytes, size_t size)
{
	deposit_random(cookie, bytes, size);
}

/* ---- fields --------------------------------------------------------------------------------- */

static int
put_missing_text(struct fields_builder *builder, unsigned slot, const char *text, struct err *err)
{
	struct view name = view_text(field_at(FIELD_DEPOSIT, slot)->name);

	if (fields_builder_has(builder, name))
		return 0;
	return fields_put_text(builder, name, view_text(text), FIELDS_TO_READERS, err);
}

static int
put_names(struct job *job, struct err *err)
{
	struct fields_builder *builder = job->file.fields;
	int code = 0;

	if (!fields_builder_has(builder, view_text("name")))
		code = fields_put_path(builder, FIELD_NAME, job->file.name, err);
	if (code == 0 && job->file.folder.size > 0 &&
	    !fields_builder_has(builder, view_text("folder")))
		code = fields_put_path(builder, FIELD_FOLDER, job->file.folder, err);
	return code;
}

int
deposit_fields(
    struct job *job, const struct deposit_facts *facts, struct fields *fields, struct err *err)
{
	struct fields_builder *builder;
	int code;

	if (job->file.fields == NULL)
		job->file.fields = fields_builder_new(FIELD_DEPOSIT);
	builder = job->file.fields;
	if (builder == NULL)
		return err_set(err, ERR_MEMORY, "no memory for fields");
	code = fields_put_bin(builder, view_text("sha256"), view_of(facts->sha256, HASH_SIZE), err);
	if (code == 0)
		code = fields_put_uint(builder, view_text("size"), facts->size, err);
	if (code == 0)
		code = put_missing_text(builder, FIELD_MEDIA_TYPE, facts->media_type, err);
	if (code == 0)
		code = put_missing_text(
		    builder, FIELD_DEPOSITED_BY, job->run->archive->self.node, err);
	if (code == 0)
		code = put_names(job, err);
	if (code == 0 && job->run->options.sha512)
		code =
		    fields_put_bin(builder, view_text("sha512"), view_of(facts->sha512, 64), err);
	return code != 0 ? code : fields_build(builder, fields, err);
}

/* ---- parts ---------------------------------------------------------------------------------- */

struct vault_writer *
deposit_vault_writer(struct deposit_run *run, struct err *err)
{
	uint64_t now = archive_now();
	struct vault_writer *writer;

	(void)pthread_mutex_lock(&run->vault_lock);
	writer = run->vault_writer;
	if (writer == NULL || now < run->vault_since ||
	    now - run->vault_since > DEPOSIT_RUN_KEY_MS) {
		uint8_t run_key[AGE_FILE_KEY];
		uint8_t ephemeral[AGE_X25519];

		randombytes_buf(run_key, sizeof(run_key));
		randombytes_buf(ephemeral, sizeof(ephemeral));
		writer =
		    run->old_count < 64 ? vault_writer_new(run->vault, run_key, ephemeral) : NULL;
		sodium_memzero(run_key, sizeof(run_key));
		sodium_memzero(ephemeral, sizeof(ephemeral));
		if (writer == NULL)
			(void)err_set(
			    err, ERR_REFUSED, "the vault's key in the charter is of no use");
		else if (run->vault_writer != NULL)
			run->old_vault_writers[run->old_count++] = run->vault_writer;
		if (writer != NULL) {
			run->vault_writer = writer;
			run->vault_since = now;
		}
	}
	(void)pthread_mutex_unlock(&run->vault_lock);
	return writer;
}

static void
digest_part(struct job *job, enum part part)
{
	hash_sha256(job->digests[part], buffer_view(&job->parts[part]));
	job->part_digests.digests[part] = job->digests[part];
	job->bytes += job->parts[part].size;
}

static int
make_grant(struct job *job, struct deposit_secrets *secrets, struct err *err)
{
	const struct random random = {.fill = fill_random, .cookie = secrets};
	int code = grant_seal(&job->parts[PART_GRANT], secrets->file_key,
	    (const uint8_t(*)[AGE_X25519])job->readers, job->file.reader_count, &random, err);

	if (code == 0)
		digest_part(job, PART_GRANT);
	return code;
}

static int
make_sealed(struct job *job, struct deposit_worker *worker, const struct deposit_facts *facts,
    const struct fields *fields, const struct claims *claims, struct err *err)
{
	uint8_t nonce[BOX_NONCE];
	int code;

	buffer_clear(&worker->sealed_value);
	sealed_pack(&worker->sealed_value, fields, worker->secrets->seeds[0], claims_vault(claims));
	if (worker->sealed_value.err != 0)
		return err_set(
		    err, ERR_LIMIT, "the fields do not fit a part of 256 KiB (design 7)");
	deposit_random(worker->secrets, nonce, sizeof(nonce));
	code = box_seal(&job->parts[PART_SEALED], worker->secrets->file_key, facts->nonce, nonce,
	    buffer_view(&worker->sealed_value), err);
	if (code == 0)
		digest_part(job, PART_SEALED);
	return code;
}

static int
make_vault(
    struct job *job, struct deposit_worker *worker, const struct fields *fields, struct err *err)
{
	struct vault_writer *writer = deposit_vault_writer(job->run, err);
	uint8_t nonce[BOX_NONCE];
	int code;

	if (writer == NULL)
		return ERR_REFUSED;
	buffer_clear(&worker->vault_value);
	vault_pack(&worker->vault_value, fields, worker->secrets->file_key,
	    worker->secrets->seeds[0], worker->secrets->seeds[1],
	    (const uint8_t(*)[HASH_SIZE])job->readers, job->file.reader_count);
	if (worker->vault_value.err != 0)
		return err_set(
		    err, ERR_LIMIT, "the fields do not fit a part of 256 KiB (design 7)");
	deposit_random(worker->secrets, nonce, sizeof(nonce));
	code = vault_seal(
	    &job->parts[PART_VAULT], writer, nonce, buffer_view(&worker->vault_value), err);
	if (code == 0)
		digest_part(job, PART_VAULT);
	return code;
}

/* Only slots that hold something are disclosed: absence stays unsaid. */
static int
make_open(struct job *job, const struct deposit_secrets *secrets, const struct fields *fields,
    const struct claims *claims, struct err *err)
{
	struct buffer *out = &job->parts[PART_OPEN];
	uint64_t slots = 0;
	unsigned slot;

	for (slot = 0; slot < FIELD_SLOTS; slot++) {
		if (fields->values[slot].size > 0)
			slots |= UINT64_C(1) << slot & job->file.open_slots;
	}
	open_part_pack(out, claims, fields, slots, secrets->payload_key);
	if (out->err != 0)
		return err_set(err, ERR_LIMIT, "the open part does not fit 256 KiB (design 7)");
	digest_part(job, PART_OPEN);
	return 0;
}

static int
sign_record(struct job *job, const struct deposit_facts *facts, const struct claims *claims,
    struct err *err)
{
	struct deposit deposit = {
	    .claims = claims_root(claims),
	    .parts = job->part_digests,
	    .nonce = facts->nonce,
	    .root = job->location.payload.root,
	    .size = job->location.payload.size,
	    .time = archive_now(),
	};
	struct buffer body;
	int code;

	buffer_init(&body, RECORD_MAX);
	deposit_pack(&body, &deposit);
	code = body.err != 0 ?
	           err_set(err, (enum err_code)body.err, "no memory for a record") :
	           record_sign(&job->record, job->run->archive->self.log, RECORD_DEPOSIT,
	               buffer_view(&body), job->run->record_secret, err);
	buffer_fini(&body);
	job->bytes += job->record.size;
	return code;
}

int
deposit_record(struct job *job, struct deposit_worker *worker, const struct deposit_facts *facts,
    const struct fields *fields, struct err *err)
{
	struct claims claims;
	unsigned part;
	int code;

	for (part = 0; part < PART_COUNT; part++)
		buffer_init(&job->parts[part], PARTS_SIZE_MAX);
	buffer_init(&job->record, RECORD_MAX);
	claims_make(&claims, fields, worker->secrets->seeds[0], worker->secrets->seeds[1]);
	code = make_grant(job, worker->secrets, err);
	if (code == 0)
		code = make_sealed(job, worker, facts, fields, &claims, err);
	if (code == 0)
		code = make_vault(job, worker, fields, err);
	if (code == 0 && job->file.open)
		code = make_open(job, worker->secrets, fields, &claims, err);
	if (code == 0)
		code = sign_record(job, facts, &claims, err);
	sodium_memzero(&claims, sizeof(claims));
	return code;
}
