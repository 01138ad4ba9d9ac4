/* Statements of a charter: encode, sign, merge signatures (design 5.5). */
#include "proto/hash.h"
#include "proto/key.h"
#include "proto/pack.h"
#include "proto/statement.h"

static void
pack_key(struct buffer *out, const char *name, const uint8_t *key)
{
	pack_text(out, name);
	pack_bin(out, view_of(key, STATEMENT_KEY));
}

static void
pack_keys(struct buffer *out, const char *name, const struct statement_keys *keys)
{
	unsigned i;

	pack_text(out, name);
	pack_array(out, keys->count);
	for (i = 0; i < keys->count; i++)
		pack_bin(out, view_of(keys->keys[i], STATEMENT_KEY));
}

static void
pack_string(struct buffer *out, const char *name, struct view text)
{
	pack_text(out, name);
	pack_str(out, text);
}

static void
pack_number(struct buffer *out, const char *name, uint64_t number)
{
	pack_text(out, name);
	pack_uint(out, number);
}

static void
pack_roots(struct buffer *out, const struct statement *draft)
{
	const struct statement_roots *roots = &draft->roots;
	bool found = draft->kind == STATEMENT_FOUND;

	pack_map(out, found ? 5 : 4);
	pack_keys(out, "keys", &roots->keys);
	if (found)
		pack_string(out, "name", draft->name);
	pack_keys(out, "next", &roots->next);
	pack_number(out, "next-threshold", roots->next_threshold);
	pack_number(out, "threshold", roots->threshold);
}

static void
pack_enrol(struct buffer *out, const struct statement_enrol *enrol)
{
	pack_map(out, enrol->country.size > 0 ? 9 : 8);
	if (enrol->country.size > 0)
		pack_string(out, "country", enrol->country);
	pack_key(out, "inbox", enrol->inbox);
	pack_key(out, "log", enrol->log);
	pack_key(out, "mirror", enrol->mirror);
	pack_string(out, "name", enrol->name);
	pack_string(out, "origin", enrol->origin);
	pack_key(out, "record", enrol->record);
	pack_key(out, "transport", enrol->transport);
	pack_key(out, "witness", enrol->witness);
}

static void
pack_end(struct buffer *out, const struct statement_end *end)
{
	pack_map(out, end->node != NULL ? 3 : 2);
	if (end->node != NULL) {
		pack_text(out, "last-good");
		pack_map(out, 2);
		pack_key(out, "root", end->root);
		pack_number(out, "size", end->size);
		pack_key(out, "node", end->node);
	} else {
		pack_key(out, "member", end->member);
	}
	pack_string(out, "reason", end->reason);
}

static void
pack_fields(struct buffer *out, const struct statement *draft)
{
	switch (draft->kind) {
	case STATEMENT_FOUND:
	case STATEMENT_ROTATE:
		pack_roots(out, draft);
		break;
	case STATEMENT_VAULT:
		pack_map(out, 1);
		pack_key(out, "recipient", draft->recipient);
		break;
	case STATEMENT_ENROL:
		pack_enrol(out, &draft->enrol);
		break;
	case STATEMENT_MEMBER:
		pack_map(out, 1);
		pack_key(out, "digest", draft->digest);
		break;
	case STATEMENT_RETIRE:
	case STATEMENT_REVOKE:
		pack_end(out, &draft->end);
		break;
	}
}

int
statement_encode(struct buffer *out, const struct statement *draft, struct err *err)
{
	struct statement check;
	size_t start = out->size;

	pack_array(out, 7);
	pack_text(out, STATEMENT_SUITE);
	pack_text(out, "charter");
	pack_uint(out, draft->seq);
	pack_bin(out, view_of(draft->previous, HASH_SIZE));
	pack_uint(out, draft->time);
	pack_array(out, 2);
	pack_text(out, statement_kind_name(draft->kind));
	pack_fields(out, draft);
	pack_array(out, 0);
	if (out->err != 0)
		return err_set(err, out->err, "statement: no room to write it");
	return statement_parse(&check, view_of(out->data + start, out->size - start), err);
}

/* The first six elements as they are, and the signatures of ${list}. */
static int
write_signatures(struct buffer *out, const struct statement *statement,
    const struct statement_signature *list, unsigned count, struct err *err)
{
	unsigned i;

	buffer_append(out, statement->bytes.data, statement->signed_size);
	pack_array(out, count);
	for (i = 0; i < count; i++) {
		pack_array(out, 2);
		pack_bin(out, view_of(list[i].key, STATEMENT_KEY));
		pack_bin(out, view_of(list[i].signature, STATEMENT_SIGNATURE));
	}
	return out->err == 0 ? 0 : err_set(err, out->err, "statement: no room to sign it");
}

/* Both ascending lists as one; of a key in both, the first's signature. ERR_LIMIT if too many. */
static int
join_signatures(struct statement_signature *joined, unsigned *count,
    const struct statement_signature *first, unsigned first_count,
    const struct statement_signature *second, unsigned second_count, struct err *err)
{
	unsigned i = 0, j = 0;

	*count = 0;
	while (i < first_count || j < second_count) {
		int order = i == first_count  ? 1 :
		            j == second_count ? -1 :
		                                memcmp(first[i].key, second[j].key, STATEMENT_KEY);

		if (*count == STATEMENT_SIGNATURES_MAX)
			return err_set(
			    err, ERR_LIMIT, "statement: more signatures than it can have");
		joined[(*count)++] = order <= 0 ? first[i] : second[j];
		if (order <= 0)
			i++;
		if (order >= 0)
			j++;
	}
	return 0;
}

int
statement_sign(struct buffer *out, const struct statement *statement, const uint8_t seed[static 32],
    struct err *err)
{
	struct statement_signature joined[STATEMENT_SIGNATURES_MAX], own;
	uint8_t key[STATEMENT_KEY], signature[STATEMENT_SIGNATURE];
	struct buffer message;
	unsigned count;
	int rc;

	buffer_init(&message, STATEMENT_MAX);
	statement_message(&message, statement);
	rc = message.err;
	if (rc == 0)
		rc = key_sign(signature, seed, STATEMENT_TAG, buffer_view(&message));
	buffer_fini(&message);
	if (rc != 0)
		return err_set(err, (enum err_code)rc, "statement: no memory to sign it");
	key_ed25519_public(key, seed);
	own = (struct statement_signature){.key = key, .signature = signature};
	rc = join_signatures(
	    joined, &count, &own, 1, statement->signatures, statement->signature_count, err);
	return rc != 0 ? rc : write_signatures(out, statement, joined, count, err);
}

int
statement_merge(struct buffer *out, const struct statement *first, const struct statement *second,
    struct err *err)
{
	struct statement_signature joined[STATEMENT_SIGNATURES_MAX];
	unsigned count;
	int rc;

	if (memcmp(first->hash, second->hash, HASH_SIZE) != 0)
		return err_set(err, ERR_REFUSED, "statement: these are two different statements");
	rc = join_signatures(joined, &count, first->signatures, first->signature_count,
	    second->signatures, second->signature_count, err);
	return rc != 0 ? rc : write_signatures(out, first, joined, count, err);
}

int
statement_member_digest(uint8_t digest[static HASH_SIZE], const uint8_t salt[static STATEMENT_SALT],
    struct view name, const uint8_t key[static STATEMENT_KEY])
{
	struct buffer member;
	int rc;

	if (name.size > STATEMENT_MAX)
		return ERR_LIMIT;
	buffer_init(&member, STATEMENT_MAX + 64);
	pack_array(&member, 3);
	pack_bin(&member, view_of(salt, STATEMENT_SALT));
	pack_str(&member, name);
	pack_bin(&member, view_of(key, STATEMENT_KEY));
	rc = member.err;
	if (rc == 0)
		hash_sha256(digest, buffer_view(&member));
	buffer_fini(&member);
	return rc;
}
