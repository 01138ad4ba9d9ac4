/* The claim of a member: who of the organisation stands behind a record (design 5.3). */
#include "proto/member.h"

#include "proto/key.h"
#include "proto/pack.h"
#include "proto/unpack.h"

#define MESSAGE_MAX 1024

int
member_parse(struct member *member, struct view value, struct err *err)
{
	struct unpack in;
	int rc;

	*member = (struct member){0};
	rc = unpack_open(&in, value, UNPACK_NIL_REFUSED, err);
	if (rc != 0) {
		err_wrap(err, "member");
		return rc;
	}
	unpack_array_of(&in, 4);
	member->name = unpack_str(&in);
	member->salt = unpack_bin_of(&in, STATEMENT_SALT);
	member->key = unpack_bin_of(&in, STATEMENT_KEY);
	member->signature = unpack_bin_of(&in, STATEMENT_SIGNATURE);
	return unpack_end(&in, "member", err);
}

void
member_subject_deposit(struct buffer *out, const uint8_t root[static HASH_SIZE],
    const uint8_t sha256[static HASH_SIZE])
{
	pack_array(out, 2);
	pack_bin(out, view_of(root, HASH_SIZE));
	pack_bin(out, view_of(sha256, HASH_SIZE));
}

void
member_message(struct buffer *out, const struct member_about *about)
{
	pack_array(out, 4);
	pack_bin(out, view_of(about->log, HASH_SIZE));
	pack_text(out, about->kind);
	pack_raw(out, about->subject);
	pack_uint(out, about->time);
}

static int
check_signature(const struct member *member, const struct member_about *about, struct err *err)
{
	struct buffer message;
	int rc;

	buffer_init(&message, MESSAGE_MAX);
	member_message(&message, about);
	rc = message.err;
	if (rc == 0)
		rc = key_verify(member->key, member->signature, MEMBER_TAG, buffer_view(&message));
	buffer_fini(&message);
	return rc == 0 ? 0 :
	                 err_set(err, (enum err_code)rc,
	                     "the member's signature does not hold (design 5.3)");
}

int
member_check(const struct member *member, const struct member_about *about,
    const struct charter *charter, struct err *err)
{
	uint8_t digest[HASH_SIZE];
	enum charter_state state;
	int rc;

	rc = statement_member_digest(digest, member->salt, member->name, member->key);
	if (rc != 0)
		return err_set(err, (enum err_code)rc, "a member's name cannot be hashed");
	if (!charter_member(charter, digest, &state))
		return err_set(err, ERR_REFUSED, "the charter names no such member (design 5.3)");
	if (state != CHARTER_IN_FORCE)
		return err_set(
		    err, ERR_REFUSED, "the member had been retired or revoked (design 5.5)");
	rc = key_ed25519_check(member->key, "the member's key", err);
	return rc != 0 ? rc : check_signature(member, about, err);
}
