/* The envelope of a record: parse, verify, sign (design 5.2). */
#include "proto/record.h"

#include <sodium.h>

#include "proto/hash.h"
#include "proto/pack.h"
#include "proto/tree.h"

#define SIGNED_PREFIX "dalil record v1\n"
#define ENVELOPE_SIGNED 0x95 /* array of 5: what is signed */
#define ENVELOPE 0x96        /* array of 6: with the signature */

static const char *const kind_names[RECORD_KIND_COUNT] = {
    [RECORD_CHARTER] = "charter",
    [RECORD_DEPOSIT] = "deposit",
    [RECORD_GRANT] = "grant",
    [RECORD_SHARE] = "share",
    [RECORD_ENDORSE] = "endorse",
    [RECORD_CUSTODY] = "custody",
    [RECORD_ANNOTATE] = "annotate",
    [RECORD_WITHDRAW] = "withdraw",
    [RECORD_COUNTERMAND] = "countermand",
    [RECORD_TIMESTAMP] = "timestamp",
    [RECORD_FREEZE] = "freeze",
};

const char *
record_kind_name(enum record_kind kind)
{
	return kind_names[kind];
}

static void
read_kind(struct record *record, struct unpack *unpack)
{
	int kind;

	for (kind = 0; kind < RECORD_KIND_COUNT; kind++) {
		if (unpack_try(unpack, kind_names[kind])) {
			record->kind = (enum record_kind)kind;
			return;
		}
	}
	unpack_fail(unpack, "a kind that the format does not have");
}

static void
read_body(struct record *record, struct unpack *unpack)
{
	switch (record->kind) {
	case RECORD_CHARTER:
		charter_record_read(&record->as.charter, unpack);
		return;
	case RECORD_DEPOSIT:
		deposit_read(&record->as.deposit, unpack);
		return;
	case RECORD_GRANT:
		grant_record_read(&record->as.grant, unpack);
		return;
	case RECORD_SHARE:
		share_read(&record->as.share, unpack);
		return;
	case RECORD_ENDORSE:
		later_read(&record->as.later, LATER_ENDORSE, unpack);
		return;
	case RECORD_CUSTODY:
		later_read(&record->as.later, LATER_CUSTODY, unpack);
		return;
	case RECORD_ANNOTATE:
		later_read(&record->as.later, LATER_ANNOTATE, unpack);
		return;
	case RECORD_WITHDRAW:
		later_read(&record->as.later, LATER_WITHDRAW, unpack);
		return;
	case RECORD_COUNTERMAND:
		later_read(&record->as.later, LATER_COUNTERMAND, unpack);
		return;
	case RECORD_TIMESTAMP:
		later_read(&record->as.later, LATER_TIMESTAMP, unpack);
		return;
	case RECORD_FREEZE:
		later_read(&record->as.later, LATER_FREEZE, unpack);
		return;
	}
}

int
record_parse(struct record *record, struct view bytes, struct err *err)
{
	struct unpack unpack;
	struct unpack body;
	int code;

	*record = (struct record){.bytes = bytes};
	if (bytes.size > RECORD_MAX)
		return err_set(err, ERR_LIMIT, "a record above 65,535 bytes (design 5.2)");
	code = unpack_open(&unpack, bytes, UNPACK_NIL_REFUSED, err);
	if (code != ERR_NONE) {
		(void)err_wrap(err, "record");
		return code;
	}
	unpack_array_of(&unpack, 6);
	unpack_tag(&unpack, RECORD_SUITE);
	record->log = unpack_bin_of(&unpack, HASH_SIZE);
	read_kind(record, &unpack);
	body = unpack;
	record->body = unpack_value(&unpack);
	record->key = unpack_bin_of(&unpack, RECORD_KEY);
	record->signed_size = (size_t)(unpack.at - bytes.data);
	record->signature = unpack_bin_of(&unpack, RECORD_SIGNATURE);
	code = unpack_end(&unpack, "record (design 5.2)", err);
	if (code != ERR_NONE)
		return code;
	unpack_init(&body, record->body);
	read_body(record, &body);
	code = unpack_end(&body, "body of a record (design 5.2)", err);
	if (code != ERR_NONE)
		(void)err_wrap(err, "%s", kind_names[record->kind]);
	return code;
}

/*
 * "dalil record v1\n", canonical of the first five: the bytes received with another array head.
 * ${signed_bytes} begins with the head of the whole record.
 */
static int
signed_message(struct buffer *message, struct view signed_bytes)
{
	buffer_init(message, sizeof(SIGNED_PREFIX) + RECORD_MAX);
	buffer_append_text(message, SIGNED_PREFIX);
	buffer_append_u8(message, ENVELOPE_SIGNED);
	buffer_append(message, signed_bytes.data + 1, signed_bytes.size - 1);
	return message->err;
}

int
record_verify(const struct record *record, struct err *err)
{
	if (crypto_core_ed25519_is_valid_point(record->key) != 1)
		return err_set(err, ERR_REFUSED,
		    "the record's key is of small order or not canonical (design section 4)");
	return record_verify_known(record, err);
}

int
record_verify_known(const struct record *record, struct err *err)
{
	struct buffer message;
	int code;

	code = signed_message(&message, view_of(record->bytes.data, record->signed_size));
	if (code != ERR_NONE)
		code = err_set(err, (enum err_code)code, "no memory to verify a record");
	else if (crypto_sign_verify_detached(
	             record->signature, message.data, message.size, record->key) != 0)
		code =
		    err_set(err, ERR_FORGED, "the record's signature does not hold (design 5.2)");
	buffer_fini(&message);
	return code;
}

void
record_id(uint8_t id[static HASH_SIZE], struct view bytes)
{
	tree_leaf(id, bytes);
}

int
record_sign(struct buffer *out, const uint8_t log[static HASH_SIZE], enum record_kind kind,
    struct view body, const uint8_t secret[static RECORD_SECRET], struct err *err)
{
	uint8_t signature[RECORD_SIGNATURE];
	struct buffer message;
	struct buffer head;
	int code;

	buffer_init(&head, RECORD_MAX);
	buffer_append_u8(&head, ENVELOPE);
	pack_text(&head, RECORD_SUITE);
	pack_bin(&head, view_of(log, HASH_SIZE));
	pack_text(&head, kind_names[kind]);
	pack_raw(&head, body);
	/* libsodium's secret key holds the public key in its second half. */
	pack_bin(&head, view_of(secret + RECORD_SECRET - RECORD_KEY, RECORD_KEY));
	code = head.err;
	if (code == ERR_NONE) {
		code = signed_message(&message, buffer_view(&head));
		if (code == ERR_NONE)
			(void)crypto_sign_detached(
			    signature, NULL, message.data, message.size, secret);
		buffer_fini(&message);
	}
	if (code == ERR_NONE) {
		pack_bin(&head, view_of(signature, sizeof(signature)));
		buffer_append(out, head.data, head.size);
		code = head.err != ERR_NONE ? head.err : out->err;
	}
	buffer_fini(&head);
	if (code != ERR_NONE)
		return err_set(err, (enum err_code)code,
		    "a %s record of over 65,535 bytes (design 5.2)", kind_names[kind]);
	return ERR_NONE;
}

struct parts
record_parts(const struct record *record)
{
	switch (record->kind) {
	case RECORD_CHARTER:
	case RECORD_SHARE:
		return (struct parts){{NULL}};
	case RECORD_DEPOSIT:
		return record->as.deposit.parts;
	case RECORD_GRANT:
		return record->as.grant.parts;
	case RECORD_ENDORSE:
	case RECORD_CUSTODY:
	case RECORD_ANNOTATE:
	case RECORD_WITHDRAW:
	case RECORD_COUNTERMAND:
	case RECORD_TIMESTAMP:
	case RECORD_FREEZE:
		return record->as.later.parts;
	}
	return (struct parts){{NULL}};
}

bool
record_time(const struct record *record, uint64_t *time)
{
	switch (record->kind) {
	case RECORD_CHARTER:
		return false;
	case RECORD_DEPOSIT:
		*time = record->as.deposit.time;
		return true;
	case RECORD_GRANT:
		*time = record->as.grant.time;
		return true;
	case RECORD_SHARE:
		*time = record->as.share.time;
		return true;
	case RECORD_ENDORSE:
	case RECORD_CUSTODY:
	case RECORD_ANNOTATE:
	case RECORD_WITHDRAW:
	case RECORD_COUNTERMAND:
	case RECORD_TIMESTAMP:
	case RECORD_FREEZE:
		*time = record->as.later.time;
		return true;
	}
	return false;
}

const uint8_t *
record_claims(const struct record *record, enum field_kind *kind)
{
	switch (record->kind) {
	case RECORD_DEPOSIT:
		*kind = FIELD_DEPOSIT;
		return record->as.deposit.claims;
	case RECORD_ENDORSE:
		*kind = FIELD_ENDORSE;
		return record->as.later.claims;
	case RECORD_CUSTODY:
		*kind = FIELD_CUSTODY;
		return record->as.later.claims;
	case RECORD_ANNOTATE:
		*kind = FIELD_ANNOTATE;
		return record->as.later.claims;
	case RECORD_WITHDRAW:
		*kind = FIELD_WITHDRAW;
		return record->as.later.claims;
	case RECORD_CHARTER:
	case RECORD_GRANT:
	case RECORD_SHARE:
	case RECORD_COUNTERMAND:
	case RECORD_TIMESTAMP:
	case RECORD_FREEZE:
		return NULL;
	}
	return NULL;
}
