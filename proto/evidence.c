/* One exhibit as a court gets it: record, disclosures, proof and charter (design 5.3 to 5.5). */
#include "proto/evidence.h"

#include "proto/disclosure.h"
#include "proto/member.h"
#include "proto/tlogproof.h"
#include "proto/tree.h"

static int
check_record(struct evidence *evidence, const struct evidence_given *given, struct err *err)
{
	uint8_t log[HASH_SIZE];
	int rc;

	if ((rc = record_parse(&evidence->record, given->record, err)) != 0)
		return rc;
	vkey_log(log, given->log);
	if (evidence->record.kind != RECORD_DEPOSIT ||
	    memcmp(evidence->record.log, log, HASH_SIZE) != 0)
		return err_set(err, ERR_REFUSED, "it is no deposit of that log (design 5.2)");
	record_id(evidence->id, given->record);
	return record_verify(&evidence->record, err);
}

static int
check_proof(struct evidence *evidence, const struct evidence_given *given, struct err *err)
{
	struct tlogproof proof;
	int rc;

	if ((rc = tlogproof_parse(&proof, given->proof, err)) != 0)
		return rc;
	evidence->index = proof.index;
	return tlogproof_check(
	    &proof, evidence->id, given->log, &evidence->checkpoint, &evidence->note, err);
}

/* Does the charter entitle the record's key for this log? */
static int
check_charter(struct evidence *evidence, const struct charter *charter, struct err *err)
{
	const struct charter_node *node;

	if (charter == NULL)
		return 0;
	node = charter_node_of_log(charter, evidence->record.log);
	if (node == NULL)
		return err_set(err, ERR_REFUSED, "the charter enrols no such log (design 5.5)");
	if (node->state != CHARTER_IN_FORCE)
		return err_set(
		    err, ERR_REFUSED, "the log's node had been retired or revoked (design 5.5)");
	if (memcmp(node->record, evidence->record.key, RECORD_KEY) != 0)
		return err_set(err, ERR_REFUSED,
		    "its key is not the record key that the charter names (design 5.2)");
	evidence->by_charter = true;
	return 0;
}

static int
check_disclosures(struct evidence *evidence, struct view disclosures, struct err *err)
{
	const uint8_t *claims = evidence->record.as.deposit.claims;
	struct disclosure disclosure;
	struct unpack in;
	uint32_t count, i;
	int rc;

	if ((rc = unpack_open(&in, disclosures, UNPACK_NIL_ALLOWED, err)) != 0)
		return rc;
	evidence->fields.kind = FIELD_DEPOSIT;
	count = unpack_array(&in);
	if (count > FIELD_SLOTS)
		unpack_fail(&in, "more disclosures than there are slots");
	for (i = 0; i < count && in.err == 0; i++) {
		disclosure_read(&disclosure, &in);
		if (in.err != 0)
			break;
		if (evidence->shown >> disclosure.slot != 0)
			return err_set(err, ERR_MALFORMED,
			    "disclosures are not ascending by slot (design 5.3)");
		rc = disclosure_check(&disclosure, FIELD_DEPOSIT, claims, err);
		if (rc != 0)
			return rc;
		evidence->shown |= UINT64_C(1) << disclosure.slot;
		evidence->fields.values[disclosure.slot] = disclosure.value;
	}
	return unpack_end(&in, "disclosures", err);
}

/* A member's claim says something only with the charter and with the file's hash. */
static int
check_member(const struct evidence *evidence, const struct charter *charter, struct err *err)
{
	const struct deposit *deposit = &evidence->record.as.deposit;
	struct view value = evidence->fields.values[FIELD_MEMBER];
	struct view sha256 = fields_bytes(&evidence->fields, FIELD_SHA256);
	struct member_about about = {.log = evidence->record.log, .kind = "deposit"};
	struct member member;
	struct buffer subject;
	int rc;

	if (value.size == 0)
		return 0;
	if (charter == NULL)
		return err_set(
		    err, ERR_UNKNOWN, "a member is checked with the charter (design 5.3)");
	if (sha256.size != HASH_SIZE)
		return err_set(
		    err, ERR_UNKNOWN, "a member's deposit is checked with its sha256 (design 5.3)");
	if ((rc = member_parse(&member, value, err)) != 0)
		return rc;
	buffer_init(&subject, 128);
	member_subject_deposit(&subject, deposit->root, sha256.data);
	about.subject = buffer_view(&subject);
	about.time = deposit->time;
	rc = subject.err != 0 ? err_set(err, ERR_MEMORY, "no memory to check a member") :
	                        member_check(&member, &about, charter, err);
	buffer_fini(&subject);
	return rc;
}

int
evidence_open(struct evidence *evidence, const struct evidence_given *given, struct err *err)
{
	int rc;

	*evidence = (struct evidence){0};
	if ((rc = check_record(evidence, given, err)) != 0 ||
	    (rc = check_proof(evidence, given, err)) != 0 ||
	    (rc = check_charter(evidence, given->charter, err)) != 0 ||
	    (rc = check_disclosures(evidence, given->disclosures, err)) != 0)
		return rc;
	return check_member(evidence, given->charter, err);
}
