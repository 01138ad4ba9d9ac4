/* A record as an entry of its log: good, contested, unknown, bad (design 5.2 to 5.5). */
#include "proto/judge.h"

#include <stdlib.h>

struct judge {
	uint8_t log[HASH_SIZE];
	struct judge_library library;
	struct charter *charter;
	bool refused;  /* the whole log */
	bool begun;    /* the first entry has come */
	bool enrolled; /* so has the own enrol */
	bool frozen;
	uint8_t key[RECORD_KEY]; /* that signed the beginning */
};

static const char *const verdict_names[] = {
    [JUDGE_GOOD] = "good",
    [JUDGE_CONTESTED] = "contested",
    [JUDGE_UNKNOWN] = "unknown",
    [JUDGE_BAD] = "bad",
    [JUDGE_BEGINNING] = "beginning",
};

const char *
judge_verdict_name(enum judge_verdict verdict)
{
	return verdict_names[verdict];
}

struct judge *
judge_new(const uint8_t log[static HASH_SIZE], const struct judge_library *library)
{
	struct judge *judge = calloc(1, sizeof(*judge));

	if (judge == NULL)
		return NULL;
	memcpy(judge->log, log, HASH_SIZE);
	if (library != NULL)
		judge->library = *library;
	judge->charter = charter_new();
	if (judge->charter == NULL) {
		free(judge);
		return NULL;
	}
	return judge;
}

void
judge_free(struct judge *judge)
{
	if (judge == NULL)
		return;
	charter_free(judge->charter);
	free(judge);
}

const struct charter *
judge_charter(const struct judge *judge)
{
	return judge->charter;
}

const struct charter_node *
judge_node(const struct judge *judge)
{
	return judge->enrolled ? charter_node_of_log(judge->charter, judge->log) : NULL;
}

bool
judge_frozen(const struct judge *judge)
{
	return judge->frozen;
}

static void
refuse_log(struct judge *judge, struct err *why)
{
	judge->refused = true;
	err_wrap(why, "the log does not begin with its charter up to its own enrol "
	              "(formats, Log start)");
}

/* A verdict with its reason, which calls that refused left in ${why}, or ERR_MEMORY. */
static int
bad_because(int rc, enum judge_verdict *verdict)
{
	*verdict = JUDGE_BAD;
	return rc == ERR_MEMORY ? ERR_MEMORY : 0;
}

static int
bad(enum judge_verdict *verdict, struct err *why, const char *reason)
{
	return bad_because(err_set(why, ERR_REFUSED, "%s", reason), verdict);
}

/* An entry before the own enrol, or that enrol itself. */
static int
judge_beginning(
    struct judge *judge, struct view entry, enum judge_verdict *verdict, struct err *why)
{
	const struct charter_node *node;
	enum charter_verdict fed;
	struct record record;
	int rc;

	if ((rc = record_parse(&record, entry, why)) != 0)
		return rc;
	if (record.kind != RECORD_CHARTER)
		return err_set(
		    why, ERR_REFUSED, "a %s stands there", record_kind_name(record.kind));
	if (memcmp(record.log, judge->log, HASH_SIZE) != 0)
		return err_set(why, ERR_REFUSED, "a record of another log");
	if (judge->begun && memcmp(record.key, judge->key, RECORD_KEY) != 0)
		return err_set(why, ERR_REFUSED, "two keys sign the beginning");
	if ((rc = record_verify(&record, why)) != 0 ||
	    (rc = charter_feed(judge->charter, record.as.charter.statement, &fed, why)) != 0)
		return rc;
	if (fed != CHARTER_ACCEPTED)
		return err_set(why, ERR_REFUSED, "a statement twice, or two of one number");
	memcpy(judge->key, record.key, RECORD_KEY);
	judge->begun = true;
	node = charter_node_of_log(judge->charter, judge->log);
	judge->enrolled = node != NULL;
	if (node != NULL && memcmp(node->record, judge->key, RECORD_KEY) != 0)
		return err_set(why, ERR_REFUSED, "the own enrol names another record key");
	*verdict = judge->enrolled ? JUDGE_GOOD : JUDGE_BEGINNING;
	return 0;
}

/* May the record's key sign for this log, by the charter so far? */
static int
judge_signer(const struct judge *judge, const struct record *record, struct err *why)
{
	const struct charter_node *node = judge_node(judge);

	if (memcmp(record->log, judge->log, HASH_SIZE) != 0)
		return err_set(why, ERR_REFUSED, "a record of another log (design 5.2)");
	if (memcmp(record->key, node->record, RECORD_KEY) != 0)
		return err_set(
		    why, ERR_REFUSED, "its key is not the log's record key (design 5.2)");
	if (node->state != CHARTER_IN_FORCE)
		return err_set(
		    why, ERR_REFUSED, "its log's node was retired or revoked (formats, Log start)");
	return record_verify_known(record, why); /* the enrol was refused with a key of no use */
}

static int
judge_statement(
    struct judge *judge, const struct record *record, enum judge_verdict *verdict, struct err *why)
{
	enum charter_verdict fed;
	int rc;

	rc = charter_feed(judge->charter, record->as.charter.statement, &fed, why);
	if (rc != 0)
		return bad_because(rc, verdict);
	*verdict = JUDGE_GOOD;
	if (fed == CHARTER_DISPUTED) {
		err_set(why, ERR_UNKNOWN, "it competes with a statement that came before");
		*verdict = JUDGE_UNKNOWN;
	}
	return 0;
}

/* A grant concerns only logs of the own charter (design 5.5). */
static void
judge_grant(const struct judge *judge, const struct record *record, enum judge_verdict *verdict,
    struct err *why)
{
	uint8_t log[HASH_SIZE];

	*verdict = JUDGE_GOOD;
	if (judge->library.log_of == NULL ||
	    !judge->library.log_of(judge->library.cookie, record->as.grant.record, log))
		return;
	if (charter_node_of_log(judge->charter, log) != NULL)
		return;
	err_set(why, ERR_REFUSED, "it concerns a log of another charter (design 5.5)");
	*verdict = JUDGE_BAD;
}

static int
judge_kind(
    struct judge *judge, const struct record *record, enum judge_verdict *verdict, struct err *why)
{
	*verdict = JUDGE_GOOD;
	switch (record->kind) {
	case RECORD_CHARTER:
		return judge_statement(judge, record, verdict, why);
	case RECORD_GRANT:
		judge_grant(judge, record, verdict, why);
		break;
	case RECORD_FREEZE:
		judge->frozen = true;
		break;
	case RECORD_WITHDRAW:
	case RECORD_COUNTERMAND:
		err_set(why, ERR_UNKNOWN, "the authority of a %s is not judged by this version",
		    record_kind_name(record->kind));
		*verdict = JUDGE_UNKNOWN;
		break;
	case RECORD_DEPOSIT:
	case RECORD_SHARE:
	case RECORD_ENDORSE:
	case RECORD_CUSTODY:
	case RECORD_ANNOTATE:
	case RECORD_TIMESTAMP:
		break;
	}
	return 0;
}

int
judge_entry(struct judge *judge, struct view entry, enum judge_verdict *verdict, struct err *why)
{
	struct record record;
	int rc;

	*verdict = JUDGE_BAD;
	if (judge->refused)
		return err_set(why, ERR_REFUSED, "the log was refused");
	if (!judge->enrolled) {
		rc = judge_beginning(judge, entry, verdict, why);
		if (rc == 0 || rc == ERR_MEMORY)
			return rc;
		refuse_log(judge, why);
		return ERR_REFUSED;
	}
	if (judge->frozen)
		return bad(verdict, why, "it stands after the log's last entry (design 5.2)");
	if ((rc = record_parse(&record, entry, why)) != 0 ||
	    (rc = judge_signer(judge, &record, why)) != 0)
		return bad_because(rc, verdict);
	return judge_kind(judge, &record, verdict, why);
}
