/* Keys by name. */
#include "cli/key.h"

#include <stdio.h>

#include "proto/bech32.h"
#include "proto/text.h"
#include "proto/vkey.h"

#define COPIED "copied-key-"

bool
key_at(const struct keys *keys, unsigned at, struct key_named *key)
{
	memset(key, 0, sizeof(*key));
	if (at < KEYS_NAMES) {
		key->name = (enum keys_name)at;
		(void)snprintf(key->label, sizeof(key->label), "%s", keys_label(key->name));
		keys_public(keys, key->name, key->public_half);
		return true;
	}
	key->reader = true;
	key->number = at - KEYS_NAMES;
	if (key->number >= keys_readers(keys))
		return false;
	keys_reader_label(keys, key->number, key->label);
	keys_reader_public(keys, key->number, key->public_half);
	return true;
}

int
key_find(const struct keys *keys, const char *label, struct key_named *key, struct err *err)
{
	char names[512] = "";
	size_t length = 0;
	unsigned at;

	for (at = 0; key_at(keys, at, key); at++) {
		if (strcmp(key->label, label) == 0)
			return 0;
		if (length < sizeof(names))
			length += (size_t)snprintf(
			    names + length, sizeof(names) - length, " %s", key->label);
	}
	if (strcmp(label, "root") == 0 || strcmp(label, "next") == 0)
		return err_set(err, ERR_NOT_FOUND,
		    "the %s key never stands in a store: it is in the file that init wrote", label);
	return err_set(err, ERR_NOT_FOUND, "no key \"%s\" here; there are:%s", label, names);
}

int
key_secret(const struct keys *keys, const struct key_named *key, uint8_t secret[static KEYS_SIZE],
    struct err *err)
{
	return key->reader ? keys_reader_secret(keys, key->number, secret, err) :
	                     keys_secret(keys, key->name, secret, err);
}

static int
cosigner_text(
    struct buffer *out, const struct session *session, const struct key_named *key, struct err *err)
{
	char name[VKEY_NAME_MAX + 1];
	struct vkey vkey;
	int result;

	if (snprintf(name, sizeof(name), "%s/%s", session->self.origin, key->label) >=
	    (int)sizeof(name))
		return err_set(err, ERR_LIMIT, "the origin is too long");
	result = vkey_make(&vkey, view_text(name), VKEY_COSIGNATURE, key->public_half, err);
	if (result == 0)
		vkey_text(out, &vkey);
	return result;
}

static void
recipient_text(struct buffer *out, const struct key_named *key)
{
	char text[BECH32_RECIPIENT_TEXT + 1];

	bech32_recipient(text, key->public_half);
	buffer_append_text(out, text);
}

int
key_public_text(
    struct buffer *out, const struct session *session, const struct key_named *key, struct err *err)
{
	char hex[2 * KEYS_SIZE + 1];

	if (key->reader) {
		recipient_text(out, key);
		return 0;
	}
	switch (key->name) {
	case KEYS_RECORD:
		text_hex(hex, view_of(key->public_half, KEYS_SIZE));
		buffer_append_text(out, hex);
		return 0;
	case KEYS_LOG:
		buffer_append_text(out, session->self.vkey);
		return 0;
	case KEYS_WITNESS:
	case KEYS_MIRROR:
		return cosigner_text(out, session, key, err);
	case KEYS_TRANSPORT:
	case KEYS_INBOX:
		recipient_text(out, key);
		return 0;
	}
	return err_set(err, ERR_USAGE, "no such key");
}

static void
fact_name(char name[static sizeof(COPIED) + 2 * KEYS_SIZE], const uint8_t *public_half)
{
	memcpy(name, COPIED, sizeof(COPIED));
	text_hex(name + sizeof(COPIED) - 1, view_of(public_half, KEYS_SIZE));
}

int
key_was_copied(struct session *session, const uint8_t public_half[static KEYS_SIZE], bool *copied,
    struct err *err)
{
	char name[sizeof(COPIED) + 2 * KEYS_SIZE];
	struct snapshot *snapshot;
	struct buffer value;
	int result;

	*copied = false;
	fact_name(name, public_half);
	result = snapshot_begin(archive_storage(session->archive), &snapshot, err);
	if (result != 0)
		return result;
	buffer_init(&value, STORAGE_BYTES_MAX);
	result = snapshot_fact(snapshot, &value, STORAGE_FACT_SETTING, view_text(name), err);
	*copied = result == 0;
	buffer_fini(&value);
	snapshot_end(snapshot);
	return result == ERR_NOT_FOUND ? 0 : result;
}

int
key_note_copy(struct session *session, const uint8_t public_half[static KEYS_SIZE], struct err *err)
{
	char name[sizeof(COPIED) + 2 * KEYS_SIZE];
	struct batch *batch;
	char time[24];
	int result = batch_begin(archive_storage(session->archive), &batch, err);

	if (result != 0)
		return result;
	fact_name(name, public_half);
	(void)snprintf(time, sizeof(time), "%llu", (unsigned long long)archive_now());
	result = batch_fact(batch, STORAGE_FACT_SETTING, view_text(name), view_text(time), err);
	if (result == 0)
		return batch_commit(batch, err);
	batch_abort(batch);
	return result;
}

int
key_passphrase(struct buffer *passphrase, struct view *view, const struct view **used,
    struct context *context, enum passphrase_kind kind, enum passphrase_use use, struct err *err)
{
	int result;

	*used = NULL;
	if (use == PASSPHRASE_CHOOSE && context->globals.no_passphrase)
		return 0;
	result = passphrase_get(passphrase, context, kind, use, err);
	*view = buffer_view(passphrase);
	*used = view;
	return result;
}
