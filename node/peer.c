#include "node/peer.h"

#include <sodium.h>

#include "proto/hash.h"
#include "proto/pack.h"
#include "proto/text.h"
#include "proto/unpack.h"

#define PEER_FORMAT 1

void
peer_wipe(struct peer *peer)
{
	sodium_memzero(peer, sizeof(*peer));
}

int
peer_check_name(struct view name, struct err *err)
{
	size_t i;

	if (name.size == 0 || name.size > PEER_NAME_MAX)
		return err_set(err, ERR_USAGE, "a peer's name has 1 to %d bytes", PEER_NAME_MAX);
	if (!text_is_utf8(name) || name.data[0] == '-')
		return err_set(
		    err, ERR_USAGE, "a peer's name is UTF-8 text that does not begin with -");
	for (i = 0; i < name.size; i++) {
		if (name.data[i] < 0x20 || name.data[i] == 0x7f)
			return err_set(err, ERR_USAGE, "a peer's name holds a control character");
	}
	return ERR_NONE;
}

static bool
is_country(const char *country)
{
	return country[0] == '\0' || (country[0] >= 'A' && country[0] <= 'Z' && country[1] >= 'A' &&
	                                 country[1] <= 'Z' && country[2] == '\0');
}

/* [1, organisation, psk, address, name, country, share, suspended, rate, since] */
int
peer_encode(const struct peer *peer, struct buffer *out, struct err *err)
{
	int code = peer_check_name(view_text(peer->name), err);

	if (code == ERR_NONE)
		code = invite_check_address(view_text(peer->address), true, err);
	if (code != ERR_NONE)
		return code;
	if (!is_country(peer->country))
		return err_set(err, ERR_USAGE, "a country is two capital letters");
	pack_array(out, 10);
	pack_uint(out, PEER_FORMAT);
	pack_bin(out, view_of(peer->organisation, HASH_SIZE));
	pack_bin(out, view_of(peer->psk, INVITE_KEY));
	pack_text(out, peer->address);
	pack_text(out, peer->name);
	pack_text(out, peer->country);
	pack_bool(out, peer->share);
	pack_bool(out, peer->suspended);
	pack_uint(out, peer->rate);
	pack_uint(out, peer->since);
	return out->err == ERR_NONE ? ERR_NONE : err_set(err, out->err, "no memory for a peer");
}

/* Copy text that fits ${size} bytes with its final zero. */
static void
read_text(struct unpack *unpack, char *text, size_t size)
{
	struct view value = unpack_str(unpack);

	if (value.size >= size || (value.size > 0 && memchr(value.data, 0, value.size) != NULL)) {
		unpack_fail(unpack, "text that is too long or holds a zero");
		value.size = 0;
	}
	if (value.size > 0)
		memcpy(text, value.data, value.size);
	text[value.size] = '\0';
}

int
peer_decode(struct peer *peer, const uint8_t transport[static INVITE_KEY], struct view value,
    struct err *err)
{
	struct unpack unpack;

	memset(peer, 0, sizeof(*peer));
	memcpy(peer->transport, transport, INVITE_KEY);
	if (unpack_open(&unpack, value, UNPACK_NIL_REFUSED, err) == ERR_NONE) {
		unpack_array_of(&unpack, 10);
		if (unpack_uint(&unpack) != PEER_FORMAT)
			unpack_fail(&unpack, "a peer of another format");
		unpack_hash(&unpack, peer->organisation);
		unpack_hash(&unpack, peer->psk);
		read_text(&unpack, peer->address, sizeof(peer->address));
		read_text(&unpack, peer->name, sizeof(peer->name));
		read_text(&unpack, peer->country, sizeof(peer->country));
		peer->share = unpack_bool(&unpack);
		peer->suspended = unpack_bool(&unpack);
		peer->rate = unpack_uint(&unpack);
		peer->since = unpack_uint(&unpack);
	}
	if (unpack_end(&unpack, "a peer in the store", err) == ERR_NONE &&
	    is_country(peer->country) &&
	    invite_check_address(view_text(peer->address), true, NULL) == ERR_NONE &&
	    peer_check_name(view_text(peer->name), NULL) == ERR_NONE)
		return ERR_NONE;
	peer_wipe(peer);
	return err_set(err, ERR_DAMAGED, "a peer in the store is not what was stored");
}

int
peer_store(struct batch *batch, const struct peer *peer, struct err *err)
{
	struct buffer value;
	int code;

	buffer_init_secret(&value, PEER_FACT_MAX);
	code = peer_encode(peer, &value, err);
	if (code == ERR_NONE)
		code = batch_fact(batch, STORAGE_FACT_PEER, view_of(peer->transport, INVITE_KEY),
		    buffer_view(&value), err);
	buffer_fini(&value);
	return code;
}

int
peer_remove(struct batch *batch, const uint8_t transport[static INVITE_KEY], struct err *err)
{
	return batch_fact(
	    batch, STORAGE_FACT_PEER, view_of(transport, INVITE_KEY), view_of(NULL, 0), err);
}

/* A buffer that grew is no secret one, but what stood in it is wiped all the same. */
static void
wipe_fini(struct buffer *buffer)
{
	if (buffer->data != NULL)
		sodium_memzero(buffer->data, buffer->capacity);
	buffer_fini(buffer);
}

int
peer_next(struct snapshot *snapshot, struct peer_cursor *cursor, struct peer *peer, struct err *err)
{
	struct buffer value;
	struct buffer key;
	int code;

	buffer_init(&key, STORAGE_KEY_MAX);
	buffer_init(&value, STORAGE_BYTES_MAX);
	if (cursor->started)
		buffer_append(&key, cursor->transport, INVITE_KEY);
	code = snapshot_fact_next(snapshot, &key, &value, STORAGE_FACT_PEER, err);
	if (code == ERR_NONE && key.size != INVITE_KEY)
		code = err_set(err, ERR_DAMAGED, "a peer in the store has no transport key");
	if (code == ERR_NONE) {
		cursor->started = true;
		memcpy(cursor->transport, key.data, INVITE_KEY);
		code = peer_decode(peer, key.data, buffer_view(&value), err);
	}
	buffer_fini(&key);
	wipe_fini(&value);
	return code;
}

/* Does ${text} mean this peer: by its name, or by the first digits of one of its hashes? */
static bool
means(struct view text, const struct peer *peer)
{
	char hex[2 * HASH_SIZE + 1];

	if (view_equal(text, view_text(peer->name)))
		return true;
	if (text.size < 8 || text.size > 2 * HASH_SIZE)
		return false;
	text_hex(hex, view_of(peer->organisation, HASH_SIZE));
	if (memcmp(hex, text.data, text.size) == 0)
		return true;
	text_hex(hex, view_of(peer->transport, INVITE_KEY));
	return memcmp(hex, text.data, text.size) == 0;
}

int
peer_find(struct snapshot *snapshot, struct view text, struct peer *peer, struct err *err)
{
	struct peer_cursor cursor = {.started = false};
	struct peer each;
	unsigned found = 0;
	int code;

	while ((code = peer_next(snapshot, &cursor, &each, err)) == ERR_NONE) {
		if (!means(text, &each))
			continue;
		*peer = each;
		found++;
	}
	peer_wipe(&each);
	if (code == ERR_NOT_FOUND && found == 1)
		return ERR_NONE;
	peer_wipe(peer);
	if (code != ERR_NOT_FOUND)
		return code;
	if (found > 1)
		return err_set(err, ERR_USAGE,
		    "that means %u peers: use the name, or digits of the transport key", found);
	return err_set(err, ERR_NOT_FOUND, "no peer by that name");
}

int
peer_invite_store(struct batch *batch, struct view line, struct err *err)
{
	uint8_t key[HASH_SIZE];

	hash_sha256(key, line);
	return batch_fact(batch, STORAGE_FACT_INVITE, view_of(key, HASH_SIZE), line, err);
}

int
peer_invite_remove(struct batch *batch, struct view line, struct err *err)
{
	uint8_t key[HASH_SIZE];

	hash_sha256(key, line);
	return batch_fact(
	    batch, STORAGE_FACT_INVITE, view_of(key, HASH_SIZE), view_of(NULL, 0), err);
}

/* The MAC tells: a reply is made for one invite.  The first error of form is the reply's own. */
int
peer_invite_answered(struct snapshot *snapshot, struct view reply_line, struct buffer *line,
    struct invite *invite, struct invite_reply *reply, struct err *err)
{
	struct buffer value;
	struct buffer key;
	int code;

	buffer_init(&key, STORAGE_KEY_MAX);
	buffer_init(&value, STORAGE_BYTES_MAX);
	while ((code = snapshot_fact_next(snapshot, &key, &value, STORAGE_FACT_INVITE, err)) ==
	       ERR_NONE) {
		code = invite_parse(invite, buffer_view(&value), NULL);
		if (code != ERR_NONE) {
			code = err_set(
			    err, ERR_DAMAGED, "an invite in the store is not what was stored");
			break;
		}
		code = invite_reply_parse(reply, reply_line, buffer_view(&value), invite->psk, err);
		if (code != ERR_FORGED)
			break;
		invite_wipe(invite);
	}
	if (code == ERR_NONE) {
		buffer_clear(line);
		buffer_append(line, value.data, value.size);
		code = line->err;
	}
	buffer_fini(&key);
	wipe_fini(&value);
	if (code == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND,
		    "the reply answers no invite that is open here: invites are good for one "
		    "pairing");
	return code;
}
