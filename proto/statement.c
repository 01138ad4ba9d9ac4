/* One statement of a charter: parse to views, check its keys, verify (design 5.5). */
#include "proto/statement.h"

#include "proto/hash.h"
#include "proto/key.h"
#include "proto/unpack.h"
#include "proto/vkey.h"

static const char *const kind_names[] = {
    [STATEMENT_FOUND] = "found",
    [STATEMENT_VAULT] = "vault",
    [STATEMENT_ENROL] = "enrol",
    [STATEMENT_MEMBER] = "member",
    [STATEMENT_RETIRE] = "retire",
    [STATEMENT_REVOKE] = "revoke",
    [STATEMENT_ROTATE] = "rotate",
};

#define KIND_COUNT (sizeof(kind_names) / sizeof(kind_names[0]))

const char *
statement_kind_name(enum statement_kind kind)
{
	return kind_names[kind];
}

static void
parse_kind(struct unpack *in, struct statement *statement)
{
	size_t i;

	for (i = 0; i < KIND_COUNT; i++) {
		if (unpack_try(in, kind_names[i])) {
			statement->kind = (enum statement_kind)i;
			return;
		}
	}
	unpack_fail(in, "no kind of statement (design 5.5)");
}

static void
parse_keys(struct unpack *in, const char *name, struct statement_keys *keys)
{
	uint32_t count, i;

	unpack_key(in, name);
	count = unpack_array(in);
	if (count < 1 || count > STATEMENT_KEYS_MAX) {
		unpack_fail(in, "not 1 to 32 keys or digests (formats, Charter)");
		return;
	}
	for (i = 0; i < count; i++) {
		keys->keys[i] = unpack_bin_of(in, STATEMENT_KEY);
		if (in->err != 0)
			return;
		if (i > 0 && memcmp(keys->keys[i - 1], keys->keys[i], STATEMENT_KEY) >= 0) {
			unpack_fail(in, "keys or digests are not ascending (formats, Charter)");
			return;
		}
	}
	keys->count = count;
}

static uint64_t
parse_threshold(struct unpack *in, const char *name, unsigned count)
{
	uint64_t threshold;

	unpack_key(in, name);
	threshold = unpack_uint(in);
	if (threshold < 1 || threshold > count)
		unpack_fail(in, "a threshold is not between 1 and the number of its keys");
	return threshold;
}

/* A text that may become a C string: NUL has no business in a name. */
static struct view
parse_text(struct unpack *in, const char *name)
{
	struct view text;

	unpack_key(in, name);
	text = unpack_str(in);
	if (text.size > 0 && memchr(text.data, 0, text.size) != NULL)
		unpack_fail(in, "a NUL in a text");
	return text;
}

static void
parse_roots(struct unpack *in, struct statement *statement, bool found)
{
	struct statement_roots *roots = &statement->roots;

	unpack_map_of(in, found ? 5 : 4);
	parse_keys(in, "keys", &roots->keys);
	if (found)
		statement->name = parse_text(in, "name");
	parse_keys(in, "next", &roots->next);
	roots->next_threshold = parse_threshold(in, "next-threshold", roots->next.count);
	roots->threshold = parse_threshold(in, "threshold", roots->keys.count);
}

static const uint8_t *
parse_key(struct unpack *in, const char *name)
{
	unpack_key(in, name);
	return unpack_bin_of(in, STATEMENT_KEY);
}

static void
parse_country(struct unpack *in, struct view *country)
{
	const uint8_t *letters;

	*country = unpack_str(in);
	letters = country->data;
	if (in->err == 0 && (country->size != 2 || letters[0] < 'A' || letters[0] > 'Z' ||
	                        letters[1] < 'A' || letters[1] > 'Z'))
		unpack_fail(in, "a country is not two capital letters");
}

static void
parse_enrol(struct unpack *in, struct statement_enrol *enrol)
{
	uint32_t count = unpack_map(in);

	if (count == 9) {
		unpack_key(in, "country");
		parse_country(in, &enrol->country);
	} else if (count != 8) {
		unpack_fail(in, "an enrol does not have its eight or nine fields");
	}
	enrol->inbox = parse_key(in, "inbox");
	enrol->log = parse_key(in, "log");
	enrol->mirror = parse_key(in, "mirror");
	enrol->name = parse_text(in, "name");
	enrol->origin = parse_text(in, "origin");
	enrol->record = parse_key(in, "record");
	enrol->transport = parse_key(in, "transport");
	enrol->witness = parse_key(in, "witness");
}

static void
parse_end(struct unpack *in, struct statement_end *end)
{
	uint32_t count = unpack_map(in);

	if (count == 3) {
		unpack_key(in, "last-good");
		unpack_map_of(in, 2);
		end->root = parse_key(in, "root");
		unpack_key(in, "size");
		end->size = unpack_uint(in);
		end->node = parse_key(in, "node");
	} else if (count == 2) {
		end->member = parse_key(in, "member");
	} else {
		unpack_fail(in, "neither a node with its last-good nor a member");
	}
	end->reason = parse_text(in, "reason");
}

static void
parse_fields(struct unpack *in, struct statement *statement)
{
	switch (statement->kind) {
	case STATEMENT_FOUND:
	case STATEMENT_ROTATE:
		parse_roots(in, statement, statement->kind == STATEMENT_FOUND);
		break;
	case STATEMENT_VAULT:
		unpack_map_of(in, 1);
		statement->recipient = parse_key(in, "recipient");
		break;
	case STATEMENT_ENROL:
		parse_enrol(in, &statement->enrol);
		break;
	case STATEMENT_MEMBER:
		unpack_map_of(in, 1);
		statement->digest = parse_key(in, "digest");
		break;
	case STATEMENT_RETIRE:
	case STATEMENT_REVOKE:
		parse_end(in, &statement->end);
		break;
	}
}

static void
parse_signatures(struct unpack *in, struct statement *statement)
{
	uint32_t count = unpack_array(in), i;

	if (count > STATEMENT_SIGNATURES_MAX) {
		unpack_fail(in, "more signatures than any statement can have");
		return;
	}
	for (i = 0; i < count; i++) {
		struct statement_signature *signature = &statement->signatures[i];

		unpack_array_of(in, 2);
		signature->key = unpack_bin_of(in, STATEMENT_KEY);
		signature->signature = unpack_bin_of(in, STATEMENT_SIGNATURE);
		if (in->err != 0)
			return;
		if (i > 0 && memcmp(signature[-1].key, signature->key, STATEMENT_KEY) >= 0) {
			unpack_fail(in, "signatures are not ascending by key (formats, Charter)");
			return;
		}
	}
	statement->signature_count = count;
}

/* Refuse bad keys and names where they are first seen (formats, Keys). */
static int
check_enrol(const struct statement_enrol *enrol, struct err *err)
{
	int rc;

	if (!vkey_name_valid(enrol->origin) || enrol->origin.size > VKEY_NAME_MAX)
		return err_set(err, ERR_MALFORMED, "the origin is no key name (design 5.4)");
	if ((rc = key_ed25519_check(enrol->log, "log key", err)) != 0 ||
	    (rc = key_ed25519_check(enrol->mirror, "mirror key", err)) != 0 ||
	    (rc = key_ed25519_check(enrol->record, "record key", err)) != 0 ||
	    (rc = key_ed25519_check(enrol->witness, "witness key", err)) != 0 ||
	    (rc = key_x25519_check(enrol->inbox, "inbox key", err)) != 0)
		return rc;
	return key_x25519_check(enrol->transport, "transport key", err);
}

static int
check_keys(const struct statement *statement, struct err *err)
{
	int rc = 0;
	unsigned i;

	switch (statement->kind) {
	case STATEMENT_FOUND:
	case STATEMENT_ROTATE:
		for (i = 0; i < statement->roots.keys.count && rc == 0; i++)
			rc = key_ed25519_check(statement->roots.keys.keys[i], "root key", err);
		break;
	case STATEMENT_VAULT:
		rc = key_x25519_check(statement->recipient, "vault recipient", err);
		break;
	case STATEMENT_ENROL:
		rc = check_enrol(&statement->enrol, err);
		break;
	case STATEMENT_MEMBER:
	case STATEMENT_RETIRE:
	case STATEMENT_REVOKE:
		break;
	}
	return rc;
}

/* What is hashed and signed: the first six elements, under the head of an array of six. */
static void
signed_views(const struct statement *statement, struct view views[static 2])
{
	static const uint8_t array_of_six = 0x96;

	views[0] = view_of(&array_of_six, 1);
	views[1] = view_of(statement->bytes.data + 1, statement->signed_size - 1);
}

int
statement_parse(struct statement *statement, struct view bytes, struct err *err)
{
	struct unpack in;
	struct view views[2];
	int rc;

	*statement = (struct statement){.bytes = bytes};
	if (bytes.size > STATEMENT_MAX)
		return err_set(
		    err, ERR_LIMIT, "statement: longer than a record can carry (design 5.2)");
	rc = unpack_open(&in, bytes, UNPACK_NIL_REFUSED, err);
	if (rc != 0) {
		err_wrap(err, "statement");
		return rc;
	}
	unpack_array_of(&in, 7);
	unpack_tag(&in, STATEMENT_SUITE);
	unpack_tag(&in, "charter");
	statement->seq = unpack_uint(&in);
	statement->previous = unpack_bin_of(&in, HASH_SIZE);
	statement->time = unpack_uint(&in);
	unpack_array_of(&in, 2);
	parse_kind(&in, statement);
	if (in.err == 0)
		parse_fields(&in, statement);
	statement->signed_size = (size_t)(in.at - bytes.data);
	parse_signatures(&in, statement);
	rc = unpack_end(&in, "statement", err);
	if (rc != 0)
		return rc;
	rc = check_keys(statement, err);
	if (rc != 0) {
		err_wrap(err, "statement %s", kind_names[statement->kind]);
		return rc;
	}
	signed_views(statement, views);
	hash_sha256_of(statement->hash, views, 2);
	return 0;
}

void
statement_message(struct buffer *message, const struct statement *statement)
{
	struct view views[2];

	signed_views(statement, views);
	buffer_append(message, views[0].data, views[0].size);
	buffer_append(message, views[1].data, views[1].size);
}

int
statement_verify(const struct statement *statement, struct err *err)
{
	struct buffer message;
	unsigned i;
	int rc;

	buffer_init(&message, STATEMENT_MAX);
	statement_message(&message, statement);
	rc = message.err;
	for (i = 0; i < statement->signature_count && rc == 0; i++) {
		const struct statement_signature *signature = &statement->signatures[i];

		rc = key_ed25519_valid(signature->key) ?
		         key_verify(signature->key, signature->signature, STATEMENT_TAG,
		             buffer_view(&message)) :
		         ERR_FORGED;
	}
	buffer_fini(&message);
	if (rc == ERR_FORGED)
		return err_set(err, rc, "statement: a signature does not hold (design 5.5)");
	return rc == 0 ? 0 : err_set(err, (enum err_code)rc, "statement: no memory to verify it");
}

bool
statement_signed_by(const struct statement *statement, const uint8_t key[static STATEMENT_KEY])
{
	unsigned i;

	for (i = 0; i < statement->signature_count; i++)
		if (memcmp(statement->signatures[i].key, key, STATEMENT_KEY) == 0)
			return true;
	return false;
}
