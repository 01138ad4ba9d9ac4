/* One opened store: its keys, and who this node is. */
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "node/archive_internal.h"
#include "node/store/store.h"
#include "proto/checkpoint.h"
#include "proto/hash.h"
#include "proto/pack.h"
#include "proto/text.h"
#include "proto/unpack.h"

#define MACHINE_ID "/etc/machine-id"

uint64_t
archive_now(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) != 0 || now.tv_sec < 0)
		return 0;
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int
archive_open_parts(struct archive **result, const char *path, struct err *err)
{
	struct archive *archive = calloc(1, sizeof(*archive));
	int code = 0;

	*result = NULL;
	if (sodium_init() < 0)
		code = err_set(err, ERR_IO, "libsodium does not start");
	if (archive != NULL)
		archive->path = strdup(path);
	if (archive == NULL || archive->path == NULL)
		code = err_set(err, ERR_MEMORY, "no memory to open %s", path);
	if (code == 0)
		code = store_open(path, &archive->storage, err);
	if (code == 0)
		code = keys_open(&archive->keys, path, err);
	if (code != 0) {
		archive_close(archive);
		return code;
	}
	*result = archive;
	return 0;
}

int
archive_open(struct archive **result, const char *store, struct err *err)
{
	int code = archive_open_parts(result, store, err);

	if (code == 0)
		code = archive_load_self(*result, err);
	if (code != 0) {
		archive_close(*result);
		*result = NULL;
	}
	return code;
}

void
archive_close(struct archive *archive)
{
	if (archive == NULL)
		return;
	keys_free(archive->keys);
	storage_close(archive->storage);
	free(archive->path);
	free(archive);
}

struct keys *
archive_keys(struct archive *archive)
{
	return archive->keys;
}

struct storage *
archive_storage(struct archive *archive)
{
	return archive->storage;
}

const char *
archive_path(const struct archive *archive)
{
	return archive->path;
}

void
archive_self(const struct archive *archive, struct archive_self *self)
{
	*self = archive->self;
}

/* ---- facts about this node ------------------------------------------------------------------ */

int
archive_put_self(struct archive *archive, struct batch *batch, struct err *err)
{
	const struct archive_self *self = &archive->self;
	struct buffer value;
	int code;

	buffer_init(&value, 8192);
	pack_array(&value, 6);
	pack_bin(&value, view_of(self->organisation, HASH_SIZE));
	pack_bin(&value, view_of(self->log, HASH_SIZE));
	pack_text(&value, self->vkey);
	pack_text(&value, self->node);
	pack_text(&value, self->origin);
	pack_text(&value, self->organisation_name);
	code =
	    value.err != 0 ?
	        err_set(err, (enum err_code)value.err, "cannot write down who this node is") :
	        batch_fact(batch, STORAGE_FACT_NODE, view_text("self"), buffer_view(&value), err);
	buffer_fini(&value);
	return code;
}

/* Only a hash of the machine's id is kept: the id itself would name the machine to who takes it. */
static bool
machine_hash(uint8_t hash[static HASH_SIZE])
{
	uint8_t id[128];
	ssize_t size;
	int fd = open(MACHINE_ID, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	size = read(fd, id, sizeof(id));
	(void)close(fd);
	if (size <= 0)
		return false;
	hash_sha256_of(hash,
	    (const struct view[]){view_text("dalil machine v1\n"), view_of(id, (size_t)size)}, 2);
	return true;
}

int
archive_put_machine(struct batch *batch, struct err *err)
{
	uint8_t hash[HASH_SIZE];

	if (!machine_hash(hash))
		return 0;
	return batch_fact(
	    batch, STORAGE_FACT_NODE, view_text("machine"), view_of(hash, HASH_SIZE), err);
}

static void
read_text(struct unpack *unpack, char *text, size_t room)
{
	struct view view = unpack_str(unpack);

	if (view.size >= room ||
	    memchr(view.data == NULL ? (const uint8_t *)"" : view.data, 0, view.size) != NULL) {
		unpack_fail(unpack, "a text that is too long");
		view.size = 0;
	}
	if (view.size > 0)
		memcpy(text, view.data, view.size);
	text[view.size] = '\0';
}

static int
parse_self(struct archive_self *self, struct view value, struct err *err)
{
	struct unpack unpack;

	if (unpack_open(&unpack, value, UNPACK_NIL_REFUSED, err) == 0) {
		unpack_array_of(&unpack, 6);
		unpack_hash(&unpack, self->organisation);
		unpack_hash(&unpack, self->log);
		read_text(&unpack, self->vkey, sizeof(self->vkey));
		read_text(&unpack, self->node, sizeof(self->node));
		read_text(&unpack, self->origin, sizeof(self->origin));
		read_text(&unpack, self->organisation_name, sizeof(self->organisation_name));
		if (unpack_end(&unpack, "what the store says of its node", err) == 0)
			return 0;
	}
	return err_set(err, ERR_DAMAGED, "what the store says of its own node is damaged");
}

static void
load_machine(struct archive *archive, struct snapshot *snapshot, struct buffer *value)
{
	uint8_t hash[HASH_SIZE];

	archive->self.moved =
	    snapshot_fact(snapshot, value, STORAGE_FACT_NODE, view_text("machine"), NULL) == 0 &&
	    machine_hash(hash) && !view_equal(buffer_view(value), view_of(hash, HASH_SIZE));
}

int
archive_load_self(struct archive *archive, struct err *err)
{
	struct snapshot *snapshot = NULL;
	struct storage_log log;
	struct buffer value;
	int code = snapshot_begin(archive->storage, &snapshot, err);

	buffer_init(&value, STORAGE_BYTES_MAX);
	if (code == 0)
		code = snapshot_fact(snapshot, &value, STORAGE_FACT_NODE, view_text("self"), err);
	if (code == ERR_NOT_FOUND)
		code = err_set(err, ERR_DAMAGED,
		    "%s is a store that `dalil init` did not finish: remove it and start again",
		    archive->path);
	if (code == 0)
		code = parse_self(&archive->self, buffer_view(&value), err);
	if (code == 0)
		code = vkey_parse(&archive->vkey, view_text(archive->self.vkey), err);
	if (code == 0) {
		archive->self.enrolled =
		    snapshot_log_by_id(snapshot, &log, archive->self.log, NULL) == 0;
		archive->self.number = archive->self.enrolled ? log.number : UINT32_MAX;
		load_machine(archive, snapshot, &value);
	}
	buffer_fini(&value);
	snapshot_end(snapshot);
	return code;
}

int
archive_adopt(struct archive *archive, struct err *err)
{
	struct batch *batch = NULL;
	int code = batch_begin(archive->storage, &batch, err);

	if (code != 0)
		return code;
	code = archive_put_machine(batch, err);
	if (code != 0) {
		batch_abort(batch);
		return code;
	}
	code = batch_commit(batch, err);
	if (code == 0)
		archive->self.moved = false;
	return code;
}

/* ---- logs ----------------------------------------------------------------------------------- */

static void
copy_text(char *to, size_t room, const char *from)
{
	size_t size = from == NULL ? 0 : strlen(from);

	if (size >= room)
		size = room - 1;
	if (size > 0)
		memcpy(to, from, size);
	to[size] = '\0';
}

static void
name_organisation(struct snapshot *snapshot, struct archive_log *log)
{
	struct charter *charter = charter_new();

	if (charter == NULL)
		return;
	if (archive_charter_load(snapshot, charter, log->log.organisation, NULL) == 0)
		copy_text(
		    log->organisation_name, sizeof(log->organisation_name), charter_name(charter));
	charter_free(charter);
}

static int
fill_log(struct archive *archive, struct snapshot *snapshot, struct archive_log *log,
    struct buffer *bytes, struct err *err)
{
	struct vkey vkey;
	int code = snapshot_log_vkey(snapshot, bytes, log->log.number, err);

	if (code != 0)
		return code;
	code = vkey_parse(&vkey, buffer_view(bytes), err);
	if (code != 0)
		return code;
	copy_text(log->origin, sizeof(log->origin), vkey.name);
	buffer_append_u8(bytes, 0);
	copy_text(log->vkey, sizeof(log->vkey), bytes->err == 0 ? (const char *)bytes->data : "");
	log->own = memcmp(log->log.id, archive->self.log, HASH_SIZE) == 0;
	log->own_organisation =
	    memcmp(log->log.organisation, archive->self.organisation, HASH_SIZE) == 0;
	name_organisation(snapshot, log);
	if (snapshot_head_last(snapshot, bytes, &log->signed_size, log->log.number, NULL) != 0)
		log->signed_size = 0;
	return 0;
}

int
archive_log_at(struct archive *archive, uint32_t number, struct archive_log *log, struct err *err)
{
	struct snapshot *snapshot = NULL;
	struct buffer bytes;
	int code = snapshot_begin(archive->storage, &snapshot, err);

	*log = (struct archive_log){.own = false};
	buffer_init(&bytes, STORAGE_BYTES_MAX);
	if (code == 0)
		code = snapshot_log(snapshot, &log->log, number, err);
	if (code == 0)
		code = fill_log(archive, snapshot, log, &bytes, err);
	buffer_fini(&bytes);
	snapshot_end(snapshot);
	return code;
}

int
archive_log_named(
    struct archive *archive, const char *name, struct archive_log *log, struct err *err)
{
	uint32_t number;
	int code;

	if (name == NULL) {
		if (!archive->self.enrolled)
			return err_set(err, ERR_NOT_FOUND,
			    "this node has no log yet: its enrolment waits for root keys");
		return archive_log_at(archive, archive->self.number, log, err);
	}
	for (number = 0; (code = archive_log_at(archive, number, log, err)) == 0; number++) {
		if (strcmp(log->origin, name) == 0 || strcmp(log->organisation_name, name) == 0)
			return 0;
	}
	if (code == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, "no log here is called '%s'", name);
	return code;
}

/* ---- the own log ---------------------------------------------------------------------------- */

int
archive_record_secret(
    const struct archive *archive, uint8_t secret[static RECORD_SECRET], struct err *err)
{
	uint8_t public_half[RECORD_KEY];
	uint8_t *seed = sodium_malloc(KEYS_SIZE);
	int code;

	if (seed == NULL)
		return err_set(err, ERR_MEMORY, "no locked memory for a key");
	code = keys_secret(archive->keys, KEYS_RECORD, seed, err);
	if (code == 0)
		(void)crypto_sign_seed_keypair(public_half, secret, seed);
	sodium_free(seed);
	return code;
}

struct storage_part_given
archive_part_given(const struct parts *parts, enum part part, struct view bytes)
{
	return (struct storage_part_given){
	    .name = part_name(part), .digest = parts->digests[part], .bytes = bytes};
}

int
archive_append_signed(const struct archive *archive, struct batch *batch,
    const uint8_t secret[static RECORD_SECRET], enum record_kind kind, struct view body,
    const struct storage_part_given *parts, unsigned part_count, uint8_t *id, struct err *err)
{
	struct storage_append append = {
	    .kind = (uint8_t)kind, .parts = parts, .part_count = part_count};
	struct buffer record;
	struct record parsed;
	int code;

	if (!archive->self.enrolled)
		return err_set(err, ERR_REFUSED,
		    "this node has no log yet: its enrolment waits for root keys");
	buffer_init(&record, RECORD_MAX);
	code = record_sign(&record, archive->self.log, kind, body, secret, err);
	/* What we append is judged as what comes from others is. */
	if (code == 0)
		code = record_parse(&parsed, buffer_view(&record), err);
	if (code == 0) {
		append.record = buffer_view(&record);
		if (kind == RECORD_GRANT)
			append.about = parsed.as.grant.record;
		code = log_append(batch, archive->self.number, &append, 1, err);
	}
	if (code == 0 && id != NULL)
		memcpy(id, append.id, HASH_SIZE);
	buffer_fini(&record);
	return code;
}

int
archive_append(struct archive *archive, enum record_kind kind, struct view body,
    const struct storage_part_given *parts, unsigned part_count, uint8_t id[static HASH_SIZE],
    struct err *err)
{
	uint8_t *secret = sodium_malloc(RECORD_SECRET);
	struct batch *batch = NULL;
	int code;

	if (secret == NULL)
		return err_set(err, ERR_MEMORY, "no locked memory for a key");
	code = archive_record_secret(archive, secret, err);
	if (code == 0)
		code = batch_begin(archive->storage, &batch, err);
	if (code == 0) {
		code = archive_append_signed(
		    archive, batch, secret, kind, body, parts, part_count, id, err);
		if (code == 0)
			code = batch_commit(batch, err);
		else
			batch_abort(batch);
	}
	sodium_free(secret);
	return code;
}

int
archive_sign(struct archive *archive, struct log_gate *gate, struct buffer *note,
    struct log_signed *result, struct err *err)
{
	uint8_t *seed;
	int code;

	if (!archive->self.enrolled)
		return err_set(err, ERR_REFUSED,
		    "this node has no log yet: its enrolment waits for root keys");
	seed = sodium_malloc(KEYS_SIZE);
	if (seed == NULL)
		return err_set(err, ERR_MEMORY, "no locked memory for a key");
	gate->moved = archive->self.moved;
	code = keys_secret(archive->keys, KEYS_LOG, seed, err);
	if (code == 0)
		code = log_sign(archive->storage, archive->self.number, &archive->vkey, seed, gate,
		    note, result, err);
	sodium_free(seed);
	return code;
}
