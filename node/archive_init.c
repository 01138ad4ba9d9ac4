/* Founds a store: with a new organisation, or as a further node of one. */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "node/archive_internal.h"
#include "node/store/store.h"
#include "proto/hash.h"
#include "proto/key.h"
#include "proto/origin.h"
#include "proto/statement_file.h"
#include "proto/text.h"

static int
copy(char *to, size_t room, const char *text, const char *what, struct err *err)
{
	size_t size = strlen(text);

	if (size == 0 || size >= room || !text_is_utf8(view_of(text, size)))
		return err_set(err, ERR_USAGE, "%s is 1 to %zu bytes of UTF-8", what, room - 1);
	memcpy(to, text, size + 1);
	return 0;
}

/* The store's directory with its parents' last step, empty store, keys; opened and unlocked. */
static int
make_parts(struct archive **archive, const struct archive_init *init, struct err *err)
{
	int code;

	if (sodium_init() < 0)
		return err_set(err, ERR_IO, "libsodium does not start");
	if (mkdir(init->store, 0700) != 0 && errno != EEXIST)
		return err_system(err, errno, "%s", init->store);
	code = store_create(init->store, err);
	if (code == 0)
		code = keys_create(
		    init->store, init->passphrase, !init->deposit_only, init->node, err);
	if (code == 0)
		code = archive_open_parts(archive, init->store, err);
	if (code == 0)
		code = keys_unlock((*archive)->keys, init->passphrase, KEYS_SCOPE_ALL, err);
	return code;
}

/* Who the node is, from its keys and the names it is given. */
static int
make_self(struct archive *archive, const struct archive_init *init, const char *organisation_name,
    struct err *err)
{
	struct archive_self *self = &archive->self;
	uint8_t log_key[KEYS_SIZE];
	char origin[ORIGIN_MAX];
	struct buffer vkey;
	int code = copy(self->node, sizeof(self->node), init->node, "the node's name", err);

	if (code == 0)
		code = copy(self->organisation_name, sizeof(self->organisation_name),
		    organisation_name, "the organisation's name", err);
	if (code != 0)
		return code;
	keys_public(archive->keys, KEYS_LOG, log_key);
	origin_make(origin, view_text(organisation_name), view_text(init->node), log_key);
	code = copy(self->origin, sizeof(self->origin),
	    init->origin == NULL ? origin : init->origin, "the origin", err);
	if (code == 0)
		code =
		    vkey_make(&archive->vkey, view_text(self->origin), VKEY_ED25519, log_key, err);
	if (code != 0)
		return code;
	vkey_log(self->log, &archive->vkey);
	buffer_init(&vkey, sizeof(self->vkey));
	vkey_text(&vkey, &archive->vkey);
	buffer_append_u8(&vkey, 0);
	code = vkey.err != 0 ?
	           err_set(err, ERR_LIMIT, "the origin is too long") :
	           copy(self->vkey, sizeof(self->vkey), (const char *)vkey.data, "the origin", err);
	buffer_fini(&vkey);
	return code;
}

/* The public halves that an enrol names. */
struct node_keys {
	uint8_t of[KEYS_NAMES][KEYS_SIZE];
};

static void
draft_enrol(struct statement *draft, const struct archive *archive, const struct archive_init *init,
    struct node_keys *keys)
{
	enum keys_name name;

	for (name = KEYS_RECORD; name <= KEYS_INBOX; name++)
		keys_public(archive->keys, name, keys->of[name]);
	*draft = (struct statement){.kind = STATEMENT_ENROL};
	draft->enrol = (struct statement_enrol){
	    .country = init->country == NULL ? view_of("", 0) : view_text(init->country),
	    .inbox = keys->of[KEYS_INBOX],
	    .log = keys->of[KEYS_LOG],
	    .mirror = keys->of[KEYS_MIRROR],
	    .name = view_text(archive->self.node),
	    .origin = view_text(archive->self.origin),
	    .record = keys->of[KEYS_RECORD],
	    .transport = keys->of[KEYS_TRANSPORT],
	    .witness = keys->of[KEYS_WITNESS],
	};
}

/* The next statement of a charter in memory, signed, fed, and appended to ${file}. */
static int
make_next(struct archive *archive, struct charter *charter, struct statement *draft, uint64_t time,
    const uint8_t *root_seed, struct buffer *file, struct err *err)
{
	static const uint8_t zeros[HASH_SIZE] = {0};
	enum charter_verdict verdict;
	struct statement unsigned_one;
	struct buffer statement;
	struct buffer made;
	int code;

	draft->seq = charter_count(charter);
	draft->previous = draft->seq == 0 ? zeros : charter_last(charter);
	draft->time = time;
	buffer_init(&statement, STATEMENT_MAX);
	buffer_init(&made, STATEMENT_MAX);
	code = statement_encode(&statement, draft, err);
	if (code == 0 && draft->kind == STATEMENT_ENROL)
		code = archive_sign_enrol(archive, charter, &statement, err);
	if (code == 0)
		code = statement_parse(&unsigned_one, buffer_view(&statement), err);
	if (code == 0)
		code = statement_sign(&made, &unsigned_one, root_seed, err);
	if (code == 0)
		code = charter_feed(charter, buffer_view(&made), &verdict, err);
	if (code == 0)
		statement_file_write(file, buffer_view(&made));
	buffer_fini(&made);
	buffer_fini(&statement);
	return code;
}

/* found, vault, enrol as text, as `charter apply` would take them. */
static int
make_charter(struct archive *archive, const struct archive_init *init, const uint8_t *root_seed,
    const uint8_t *next_seed, const uint8_t *vault, struct buffer *file, struct err *err)
{
	struct charter *charter = charter_new();
	uint8_t vault_key[KEYS_SIZE];
	uint8_t root[KEY_SIZE];
	uint8_t next[KEY_SIZE];
	uint8_t digest[HASH_SIZE];
	struct node_keys keys;
	struct statement draft = {.kind = STATEMENT_FOUND};
	int code;

	if (charter == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a charter");
	key_ed25519_public(root, root_seed);
	key_ed25519_public(next, next_seed);
	hash_sha256(digest, view_of(next, KEY_SIZE));
	draft.name = view_text(archive->self.organisation_name);
	draft.roots = (struct statement_roots){.keys = {.count = 1, .keys = {root}},
	    .threshold = 1,
	    .next = {.count = 1, .keys = {digest}},
	    .next_threshold = 1};
	code = make_next(archive, charter, &draft, init->time, root_seed, file, err);
	if (code == 0) {
		memcpy(archive->self.organisation, charter_organisation(charter), HASH_SIZE);
		if (vault == NULL) {
			keys_reader_public(archive->keys, 0, vault_key);
			vault = vault_key;
		}
		draft = (struct statement){.kind = STATEMENT_VAULT, .recipient = vault};
		code = make_next(archive, charter, &draft, init->time, root_seed, file, err);
	}
	if (code == 0) {
		draft_enrol(&draft, archive, init, &keys);
		code = make_next(archive, charter, &draft, init->time, root_seed, file, err);
	}
	charter_free(charter);
	return code;
}

/* The facts come first, in a batch of their own: the charter is then applied as any other. */
static int
put_facts(struct archive *archive, struct err *err)
{
	struct batch *batch = NULL;
	int code = batch_begin(archive->storage, &batch, err);

	if (code != 0)
		return code;
	code = archive_put_self(archive, batch, err);
	if (code == 0)
		code = archive_put_machine(batch, err);
	if (code == 0)
		return batch_commit(batch, err);
	batch_abort(batch);
	return code;
}

static int
finish(struct archive **result, struct archive *archive, int code)
{
	if (code == 0)
		*result = archive;
	else
		archive_close(archive);
	return code;
}

int
archive_create(struct archive **result, const struct archive_init *init, const char *organisation,
    const uint8_t root_seed[static ARCHIVE_SEED], const uint8_t next_seed[static ARCHIVE_SEED],
    const uint8_t *vault, struct err *err)
{
	struct archive *archive = NULL;
	struct buffer file;
	unsigned accepted = 0;
	int code;

	*result = NULL;
	if (init->deposit_only != (vault != NULL))
		return err_set(
		    err, ERR_USAGE, "a deposit-only node needs the public key of a vault");
	code = make_parts(&archive, init, err);
	buffer_init(&file, STATEMENT_FILE_MAX);
	if (code == 0)
		code = make_self(archive, init, organisation, err);
	if (code == 0)
		code = make_charter(archive, init, root_seed, next_seed, vault, &file, err);
	if (code == 0)
		code = put_facts(archive, err);
	if (code == 0)
		code = archive_charter_apply(archive, buffer_view(&file), &accepted, err);
	buffer_fini(&file);
	return finish(result, archive, code);
}

/* Feed a charter's text into ${charter}, all of it. */
static int
read_charter(struct charter *charter, struct view file, struct err *err)
{
	enum charter_verdict verdict;
	struct buffer bytes;
	int code;

	buffer_init(&bytes, STATEMENT_MAX + 4);
	while ((code = statement_file_next(&file, &bytes, err)) == 1) {
		code = charter_feed(charter, buffer_view(&bytes), &verdict, err);
		if (code != 0)
			break;
	}
	buffer_fini(&bytes);
	if (code == 0 && charter_count(charter) == 0)
		code = err_set(err, ERR_MALFORMED, "there is no statement in that charter");
	return code;
}

/* Is each key at hand one of the present root keys? */
static int
check_roots(
    const struct charter_roots *roots, const uint8_t *const *seeds, unsigned count, struct err *err)
{
	uint8_t key[KEY_SIZE];
	unsigned i, j;

	for (i = 0; i < count; i++) {
		key_ed25519_public(key, seeds[i]);
		for (j = 0; j < roots->count && memcmp(roots->keys[j], key, KEY_SIZE) != 0; j++)
			;
		if (j == roots->count)
			return err_set(err, ERR_REFUSED,
			    "a key at hand is no root key of that organisation (design 5.5)");
	}
	return 0;
}

/*
 * The organisation that a charter's text is of, and its name.  What could refuse the joining is
 * looked at here, before anything is made: a store half made would be in the way of the next try.
 */
static int
read_organisation(struct view file, const uint8_t *const *root_seeds, unsigned root_count,
    uint8_t organisation[static HASH_SIZE], char *name, size_t room, struct err *err)
{
	struct charter *charter = charter_new();
	size_t size;
	int code;

	if (charter == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a charter");
	code = read_charter(charter, file, err);
	if (code == 0)
		code = check_roots(charter_roots(charter), root_seeds, root_count, err);
	size = code == 0 ? strlen(charter_name(charter)) : 0;
	if (code == 0 && size >= room)
		code = err_set(err, ERR_LIMIT, "the organisation's name is too long");
	if (code == 0) {
		memcpy(organisation, charter_organisation(charter), HASH_SIZE);
		memcpy(name, charter_name(charter), size + 1);
	}
	charter_free(charter);
	return code;
}

int
archive_join(struct archive **result, const struct archive_init *init, struct view charter,
    const uint8_t *const *root_seeds, unsigned root_count, struct buffer *request, struct err *err)
{
	uint8_t organisation[HASH_SIZE];
	char name[ARCHIVE_TEXT];
	struct archive *archive = NULL;
	struct archive_init joining = *init;
	struct statement draft;
	struct node_keys keys;
	unsigned accepted = 0;
	unsigned wants = 0;
	int code;

	*result = NULL;
	joining.deposit_only = true; /* the vault's key comes by `key attach`, or stays elsewhere */
	code = read_organisation(
	    charter, root_seeds, root_count, organisation, name, sizeof(name), err);
	if (code == 0)
		code = make_parts(&archive, &joining, err);
	if (code == 0)
		code = make_self(archive, init, name, err);
	if (code == 0) {
		memcpy(archive->self.organisation, organisation, HASH_SIZE);
		code = put_facts(archive, err);
	}
	if (code == 0)
		code = archive_charter_apply(archive, charter, &accepted, err);
	if (code == 0) {
		draft_enrol(&draft, archive, init, &keys);
		code = archive_charter_make(
		    archive, &draft, init->time, root_seeds, root_count, request, &wants, err);
		if (wants == 0)
			buffer_clear(request); /* enrolled: nothing is asked for */
	}
	return finish(result, archive, code);
}
