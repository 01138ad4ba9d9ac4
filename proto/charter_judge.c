/* The rules by which a charter takes a statement or refuses it (design 5.5). */
#include <stdlib.h>

#include "proto/charter_internal.h"
#include "proto/hash.h"
#include "proto/text.h"

#define NODE_SIGNERS 4

/* Who may sign a statement, and how many must. */
struct entitlement {
	const struct charter_roots *roots;
	bool promised; /* the promised keys, not the present ones */
	unsigned node_count;
	const uint8_t *node_keys[NODE_SIGNERS]; /* all of these must sign too */
};

static void
entitlement_of(struct entitlement *entitlement, const struct charter_roots *roots,
    const struct statement *statement)
{
	const struct statement_enrol *enrol = &statement->enrol;

	*entitlement = (struct entitlement){.roots = roots};
	entitlement->promised = statement->kind == STATEMENT_ROTATE;
	if (statement->kind == STATEMENT_ENROL) {
		entitlement->node_count = NODE_SIGNERS;
		entitlement->node_keys[0] = enrol->log;
		entitlement->node_keys[1] = enrol->mirror;
		entitlement->node_keys[2] = enrol->record;
		entitlement->node_keys[3] = enrol->witness;
	}
}

static bool
contains(const uint8_t keys[][HASH_SIZE], unsigned count, const uint8_t *key)
{
	unsigned i;

	for (i = 0; i < count; i++)
		if (memcmp(keys[i], key, HASH_SIZE) == 0)
			return true;
	return false;
}

/* Is ${key} one of the organisation's that may sign? */
static bool
is_root(const struct entitlement *entitlement, const uint8_t *key)
{
	const struct charter_roots *roots = entitlement->roots;
	uint8_t digest[HASH_SIZE];

	if (!entitlement->promised)
		return contains(roots->keys, roots->count, key);
	hash_sha256(digest, view_of(key, STATEMENT_KEY));
	return contains(roots->next, roots->next_count, digest);
}

static bool
is_node(const struct entitlement *entitlement, const uint8_t *key)
{
	unsigned i;

	for (i = 0; i < entitlement->node_count; i++)
		if (memcmp(entitlement->node_keys[i], key, STATEMENT_KEY) == 0)
			return true;
	return false;
}

/* How many signatures are missing; a key that may not sign at all is in ${stranger}. */
static unsigned
missing(const struct entitlement *entitlement, const struct statement *statement, bool *stranger)
{
	const struct charter_roots *roots = entitlement->roots;
	unsigned threshold = entitlement->promised ? roots->next_threshold : roots->threshold;
	unsigned signed_roots = 0, signed_nodes = 0, i;

	*stranger = false;
	for (i = 0; i < statement->signature_count; i++) {
		const uint8_t *key = statement->signatures[i].key;

		if (is_node(entitlement, key))
			signed_nodes++;
		else if (is_root(entitlement, key))
			signed_roots++;
		else
			*stranger = true;
	}
	return (signed_roots < threshold ? threshold - signed_roots : 0) +
	       (entitlement->node_count - signed_nodes);
}

static int
judge_signers(const struct charter_roots *roots, const struct statement *statement, struct err *err)
{
	struct entitlement entitlement;
	unsigned wants;
	bool stranger;

	entitlement_of(&entitlement, roots, statement);
	wants = missing(&entitlement, statement, &stranger);
	if (stranger)
		return err_set(
		    err, ERR_REFUSED, "a key signs that is not entitled to (design 5.5)");
	if (wants > 0)
		return err_set(err, ERR_REFUSED,
		    "%u of the signatures it needs %s missing (design 5.5)", wants,
		    wants == 1 ? "is" : "are");
	return 0;
}

static void
fresh_add(struct charter_fresh *fresh, const uint8_t *key)
{
	hash_sha256(fresh->digests[fresh->count++], view_of(key, STATEMENT_KEY));
}

static int
compare_digests(const void *a, const void *b)
{
	return memcmp(a, b, HASH_SIZE);
}

/* The keys that begin to serve with this statement, those that sign a rotate among them. */
static void
fresh_of(struct charter_fresh *fresh, const struct statement *statement)
{
	const struct statement_enrol *enrol = &statement->enrol;
	unsigned i;

	fresh->count = 0;
	switch (statement->kind) {
	case STATEMENT_ROTATE:
		for (i = 0; i < statement->signature_count && i < STATEMENT_KEYS_MAX; i++)
			fresh_add(fresh, statement->signatures[i].key);
		/* fall through */
	case STATEMENT_FOUND:
		for (i = 0; i < statement->roots.keys.count; i++)
			fresh_add(fresh, statement->roots.keys.keys[i]);
		break;
	case STATEMENT_VAULT:
		fresh_add(fresh, statement->recipient);
		break;
	case STATEMENT_ENROL:
		fresh_add(fresh, enrol->inbox);
		fresh_add(fresh, enrol->log);
		fresh_add(fresh, enrol->mirror);
		fresh_add(fresh, enrol->record);
		fresh_add(fresh, enrol->transport);
		fresh_add(fresh, enrol->witness);
		break;
	case STATEMENT_MEMBER:
	case STATEMENT_RETIRE:
	case STATEMENT_REVOKE:
		break;
	}
	qsort(fresh->digests, fresh->count, HASH_SIZE, compare_digests);
}

/* A key serves once, ever (formats, Charter); a promised key has not served yet. */
static int
judge_keys(const struct charter *charter, const struct charter_roots *after,
    const struct charter_fresh *fresh, struct err *err)
{
	unsigned i;

	for (i = 0; i < fresh->count; i++) {
		const uint8_t *digest = fresh->digests[i];

		if (charter_served(charter, digest) ||
		    (i > 0 && memcmp(digest - HASH_SIZE, digest, HASH_SIZE) == 0))
			return err_set(err, ERR_REFUSED, "a key serves once (formats, Charter)");
		if (contains(after->next, after->next_count, digest))
			return err_set(
			    err, ERR_REFUSED, "a promised key is put to another use (design 5.5)");
	}
	for (i = 0; i < after->next_count; i++)
		if (charter_served(charter, after->next[i]))
			return err_set(
			    err, ERR_REFUSED, "a key is promised that has served (design 5.5)");
	return 0;
}

static int
judge_end(const struct charter *charter, const struct statement_end *end, struct err *err)
{
	enum charter_state state;

	if (end->node != NULL) {
		const struct charter_node *node = charter_find_node(charter, end->node);

		if (node == NULL)
			return err_set(err, ERR_REFUSED, "no such node is enrolled (design 5.5)");
		state = node->state;
	} else if (!charter_member(charter, end->member, &state)) {
		return err_set(err, ERR_REFUSED, "no such member is named (design 5.5)");
	}
	if (state != CHARTER_IN_FORCE)
		return err_set(err, ERR_REFUSED, "it was retired or revoked already (design 5.5)");
	return 0;
}

/* Does what the statement says fit what was said before? Fills ${fresh}. */
static int
judge_meaning(const struct charter *charter, const struct charter_roots *roots,
    const struct statement *statement, struct charter_fresh *fresh, struct err *err)
{
	struct charter_roots named;
	int rc = 0;

	fresh_of(fresh, statement);
	switch (statement->kind) {
	case STATEMENT_FOUND:
	case STATEMENT_ROTATE:
		charter_roots_from(&named, statement);
		rc = judge_keys(charter, &named, fresh, err);
		break;
	case STATEMENT_VAULT:
	case STATEMENT_ENROL:
		rc = judge_keys(charter, roots, fresh, err);
		break;
	case STATEMENT_MEMBER:
		if (charter_member(charter, statement->digest, NULL))
			rc = err_set(err, ERR_REFUSED, "this member is named already (design 5.5)");
		break;
	case STATEMENT_RETIRE:
	case STATEMENT_REVOKE:
		rc = judge_end(charter, &statement->end, err);
		break;
	}
	return rc;
}

/* Does the statement stand on one that is here? */
static int
judge_place(const struct charter *charter, const struct statement *statement, struct err *err)
{
	static const uint8_t none[HASH_SIZE];

	if (statement->kind == STATEMENT_FOUND) {
		if (statement->seq != 0 || memcmp(statement->previous, none, HASH_SIZE) != 0)
			return err_set(err, ERR_REFUSED,
			    "found is statement 0 and has no previous (formats, Charter)");
		if (charter->count > 0 &&
		    memcmp(charter->hashes[0], statement->hash, HASH_SIZE) != 0)
			return err_set(
			    err, ERR_REFUSED, "this founds another organisation (design 5.5)");
		return 0;
	}
	if (statement->seq == 0)
		return err_set(err, ERR_REFUSED, "a charter begins with found (design 5.5)");
	if (statement->seq > charter->count)
		return err_set(err, ERR_UNKNOWN, "statements before it are not here (design 5.5)");
	if (memcmp(charter->hashes[statement->seq - 1], statement->previous, HASH_SIZE) != 0)
		return err_set(err, ERR_UNKNOWN,
		    "the statement it continues is not in this charter (design 5.5)");
	return 0;
}

static int
judge_limits(const struct charter *charter, const struct statement *statement, struct err *err)
{
	if (charter->count >= CHARTER_STATEMENTS_MAX ||
	    statement->signed_size > CHARTER_BYTES_MAX - charter->bytes)
		return err_set(err, ERR_LIMIT,
		    "the charter is longer than %d statements or %u bytes", CHARTER_STATEMENTS_MAX,
		    CHARTER_BYTES_MAX);
	return 0;
}

/* The next statement of the chain, whose place and signers are judged. */
static int
judge_next(struct charter *charter, const struct charter_roots *roots,
    const struct statement *statement, struct err *err)
{
	struct charter_fresh fresh;
	int rc;

	if ((rc = judge_limits(charter, statement, err)) != 0 ||
	    (rc = judge_meaning(charter, roots, statement, &fresh, err)) != 0 ||
	    (rc = statement_verify(statement, err)) != 0)
		return rc;
	rc = charter_apply(charter, statement, &fresh);
	return rc == 0 ? 0 : err_set(err, (enum err_code)rc, "no memory for the charter");
}

static int
judge(struct charter *charter, const struct statement *statement, enum charter_verdict *verdict,
    struct err *err)
{
	struct charter_roots founding;
	const struct charter_roots *roots = &founding;
	int rc;

	rc = judge_place(charter, statement, err);
	if (rc != 0)
		return rc;
	if (statement->seq == 0)
		charter_roots_from(&founding, statement);
	else
		roots = charter_roots_for(charter, statement->seq);
	rc = judge_signers(roots, statement, err);
	if (rc != 0)
		return rc;
	if (statement->seq == charter->count) {
		*verdict = CHARTER_ACCEPTED;
		return judge_next(charter, roots, statement, err);
	}
	*verdict = memcmp(charter->hashes[statement->seq], statement->hash, HASH_SIZE) == 0 ?
	               CHARTER_KNOWN :
	               CHARTER_DISPUTED;
	return statement_verify(statement, err);
}

int
charter_judge(struct charter *charter, const struct statement *statement,
    enum charter_verdict *verdict, struct err *err)
{
	int rc = judge(charter, statement, verdict, err);

	if (rc != 0)
		err_wrap(err, "statement %llu (%s)", (unsigned long long)statement->seq,
		    statement_kind_name(statement->kind));
	return rc;
}

int
charter_feed(
    struct charter *charter, struct view bytes, enum charter_verdict *verdict, struct err *err)
{
	struct statement statement;
	int rc;

	rc = statement_parse(&statement, bytes, err);
	return rc != 0 ? rc : charter_judge(charter, &statement, verdict, err);
}

/* The roots that a statement needs at the place it claims, or now where that is not reached. */
static const struct charter_roots *
roots_wanted(const struct charter *charter, const struct statement *statement,
    struct charter_roots *founding)
{
	if (statement->kind == STATEMENT_FOUND) {
		charter_roots_from(founding, statement);
		return founding;
	}
	if (charter->count == 0)
		return NULL;
	return charter_roots_for(charter, statement->seq);
}

unsigned
charter_wants(const struct charter *charter, const struct statement *statement)
{
	struct charter_roots founding;
	const struct charter_roots *roots = roots_wanted(charter, statement, &founding);
	struct entitlement entitlement;
	bool stranger;

	if (roots == NULL)
		return 1;
	entitlement_of(&entitlement, roots, statement);
	return missing(&entitlement, statement, &stranger);
}

bool
charter_may_sign(const struct charter *charter, const struct statement *statement,
    const uint8_t key[static STATEMENT_KEY])
{
	struct charter_roots founding;
	const struct charter_roots *roots = roots_wanted(charter, statement, &founding);
	struct entitlement entitlement;

	if (roots == NULL)
		return false;
	entitlement_of(&entitlement, roots, statement);
	return is_node(&entitlement, key) || is_root(&entitlement, key);
}
