#include "proto/invite.h"

#include <sodium.h>

#include "proto/hash.h"
#include "proto/pack.h"
#include "proto/text.h"
#include "proto/unpack.h"

#define SUITE "dalil/1"
#define INVITE_PREFIX "dalil-invite-1-"
#define REPLY_PREFIX "dalil-reply-1-"
#define REPLY_CONTEXT "dalil reply v1\n"
#define FINGERPRINT_CONTEXT "dalil fingerprint v1\n"

void
invite_wipe(struct invite *invite)
{
	sodium_memzero(invite, sizeof(*invite));
}

static bool
is_port(struct view digits)
{
	unsigned port = 0;
	size_t i;

	if (digits.size == 0 || digits.size > 5 || digits.data[0] == '0')
		return false;
	for (i = 0; i < digits.size; i++) {
		if (digits.data[i] < '0' || digits.data[i] > '9')
			return false;
		port = 10 * port + (unsigned)(digits.data[i] - '0');
	}
	return port <= 65535;
}

/* The address is dialled and shown, so it holds nothing but printable ASCII without spaces. */
int
invite_check_address(struct view address, bool may_be_empty, struct err *err)
{
	static const char unix_prefix[] = "unix:/";
	size_t colon = address.size;
	size_t i;

	if (address.size == 0 && may_be_empty)
		return ERR_NONE;
	if (address.size > INVITE_ADDRESS_MAX)
		return err_set(err, ERR_MALFORMED, "an address of more than %d bytes (design 6)",
		    INVITE_ADDRESS_MAX);
	for (i = 0; i < address.size; i++) {
		if (address.data[i] <= ' ' || address.data[i] > '~')
			return err_set(err, ERR_MALFORMED,
			    "an address holds something else than printable ASCII (design 6)");
		if (address.data[i] == ':')
			colon = i;
	}
	if (address.size >= sizeof(unix_prefix) &&
	    memcmp(address.data, unix_prefix, sizeof(unix_prefix) - 1) == 0)
		return ERR_NONE;
	if (colon == 0 || colon == address.size ||
	    !is_port(view_of(address.data + colon + 1, address.size - colon - 1)))
		return err_set(err, ERR_MALFORMED, "an address is not HOST:PORT (design 6)");
	return ERR_NONE;
}

/* The keys of others must be usable: one of low order would give every peer the same secret. */
static int
check_transport(const uint8_t transport[static INVITE_KEY], struct err *err)
{
	static const uint8_t probe[INVITE_KEY] = {1};
	uint8_t shared[INVITE_KEY];

	if (crypto_scalarmult(shared, probe, transport) != 0)
		return err_set(
		    err, ERR_REFUSED, "the transport key is of low order (formats, keys)");
	return ERR_NONE;
}

static int
check_parts(const uint8_t transport[static INVITE_KEY], const char *address, uint64_t expiry,
    struct err *err)
{
	int code = check_transport(transport, err);

	if (code == ERR_NONE)
		code = invite_check_address(view_text(address), true, err);
	if (code == ERR_NONE && expiry > INT64_MAX)
		code = err_set(err, ERR_MALFORMED, "an expiry of 2^63 or above (formats)");
	return code;
}

static void
append_line(struct buffer *out, const char *prefix, const struct buffer *packed)
{
	buffer_append_text(out, prefix);
	text_base64(out, TEXT_BASE64_URL, buffer_view(packed));
	if (out->err == ERR_NONE && packed->err != ERR_NONE)
		out->err = packed->err;
}

int
invite_encode(const struct invite *invite, struct buffer *out, struct err *err)
{
	struct buffer packed;
	int code = check_parts(invite->transport, invite->address, invite->expiry, err);

	if (code != ERR_NONE)
		return code;
	buffer_init_secret(&packed, INVITE_LINE_MAX);
	pack_array(&packed, 7);
	pack_text(&packed, SUITE);
	pack_text(&packed, "invite");
	pack_bin(&packed, view_of(invite->organisation, HASH_SIZE));
	pack_bin(&packed, view_of(invite->transport, INVITE_KEY));
	pack_text(&packed, invite->address);
	pack_bin(&packed, view_of(invite->psk, INVITE_KEY));
	pack_uint(&packed, invite->expiry);
	append_line(out, INVITE_PREFIX, &packed);
	buffer_fini(&packed);
	return out->err == ERR_NONE ? ERR_NONE : err_set(err, out->err, "no room for an invite");
}

/* The bytes behind the prefix, which end the line. */
static int
decode_line(
    struct buffer *packed, struct view line, const char *prefix, const char *what, struct err *err)
{
	size_t length = strlen(prefix);

	if (line.size < length || memcmp(line.data, prefix, length) != 0)
		return err_set(
		    err, ERR_MALFORMED, "%s begins with %s (formats, invite)", what, prefix);
	if (line.size > INVITE_LINE_MAX)
		return err_set(err, ERR_MALFORMED,
		    "%s is longer than %d characters (formats, invite)", what, INVITE_LINE_MAX);
	if (!text_unbase64(
	        packed, TEXT_BASE64_URL, view_of(line.data + length, line.size - length)))
		return err_set(
		    err, ERR_MALFORMED, "%s is not canonical base64url (formats, invite)", what);
	return ERR_NONE;
}

static void
read_address(struct unpack *unpack, char address[static INVITE_ADDRESS_MAX + 1])
{
	struct view text = unpack_str(unpack);

	if (unpack->err == ERR_NONE && invite_check_address(text, true, NULL) != ERR_NONE)
		unpack_fail(unpack, "an address that is not HOST:PORT");
	if (unpack->err != ERR_NONE)
		text.size = 0;
	if (text.size > 0)
		memcpy(address, text.data, text.size);
	address[text.size] = '\0';
}

static int
invite_read(struct invite *invite, struct view packed, struct err *err)
{
	struct unpack unpack;
	int code = unpack_open(&unpack, packed, UNPACK_NIL_REFUSED, err);

	if (code != ERR_NONE) {
		(void)err_wrap(err, "an invite");
		return code;
	}
	unpack_array_of(&unpack, 7);
	unpack_tag(&unpack, SUITE);
	unpack_tag(&unpack, "invite");
	unpack_hash(&unpack, invite->organisation);
	unpack_hash(&unpack, invite->transport);
	read_address(&unpack, invite->address);
	unpack_hash(&unpack, invite->psk);
	invite->expiry = unpack_uint(&unpack);
	code = unpack_end(&unpack, "an invite (formats)", err);
	return code == ERR_NONE ? check_transport(invite->transport, err) : code;
}

int
invite_parse(struct invite *invite, struct view line, struct err *err)
{
	struct buffer packed;
	int code;

	memset(invite, 0, sizeof(*invite));
	buffer_init_secret(&packed, INVITE_LINE_MAX);
	code = decode_line(&packed, line, INVITE_PREFIX, "an invite", err);
	if (code == ERR_NONE)
		code = invite_read(invite, buffer_view(&packed), err);
	buffer_fini(&packed);
	if (code != ERR_NONE)
		invite_wipe(invite);
	return code;
}

/* The first six elements as an array of ${count}: six for the MAC, seven for the line. */
static void
pack_reply(struct buffer *out, const struct invite_reply *reply, uint32_t count)
{
	pack_array(out, count);
	pack_text(out, SUITE);
	pack_text(out, "reply");
	pack_bin(out, view_of(reply->organisation, HASH_SIZE));
	pack_bin(out, view_of(reply->transport, INVITE_KEY));
	pack_text(out, reply->address);
	pack_uint(out, reply->expiry);
}

/* mac = HMAC-SHA-256(psk, context ‖ SHA-256(invite line) ‖ the first six as an array). */
static int
reply_mac(uint8_t mac[static HASH_SIZE], const struct invite_reply *reply, struct view invite_line,
    const uint8_t psk[static INVITE_KEY])
{
	uint8_t invite_hash[HASH_SIZE];
	struct buffer body;
	struct view views[3];
	int code;

	buffer_init(&body, INVITE_LINE_MAX);
	pack_reply(&body, reply, 6);
	hash_sha256(invite_hash, invite_line);
	views[0] = view_text(REPLY_CONTEXT);
	views[1] = view_of(invite_hash, HASH_SIZE);
	views[2] = buffer_view(&body);
	hash_hmac(mac, view_of(psk, INVITE_KEY), views, 3);
	code = body.err;
	buffer_fini(&body);
	return code;
}

int
invite_reply_encode(const struct invite_reply *reply, struct view invite_line,
    const uint8_t psk[static INVITE_KEY], struct buffer *out, struct err *err)
{
	uint8_t mac[HASH_SIZE];
	struct buffer packed;
	int code = check_parts(reply->transport, reply->address, reply->expiry, err);

	if (code != ERR_NONE)
		return code;
	code = reply_mac(mac, reply, invite_line, psk);
	if (code != ERR_NONE)
		return err_set(err, code, "no room for a reply");
	buffer_init(&packed, INVITE_LINE_MAX);
	pack_reply(&packed, reply, 7);
	pack_bin(&packed, view_of(mac, HASH_SIZE));
	append_line(out, REPLY_PREFIX, &packed);
	buffer_fini(&packed);
	return out->err == ERR_NONE ? ERR_NONE : err_set(err, out->err, "no room for a reply");
}

static int
reply_read(
    struct invite_reply *reply, uint8_t mac[static HASH_SIZE], struct view packed, struct err *err)
{
	struct unpack unpack;
	int code = unpack_open(&unpack, packed, UNPACK_NIL_REFUSED, err);

	if (code != ERR_NONE) {
		(void)err_wrap(err, "a reply");
		return code;
	}
	unpack_array_of(&unpack, 7);
	unpack_tag(&unpack, SUITE);
	unpack_tag(&unpack, "reply");
	unpack_hash(&unpack, reply->organisation);
	unpack_hash(&unpack, reply->transport);
	read_address(&unpack, reply->address);
	reply->expiry = unpack_uint(&unpack);
	unpack_hash(&unpack, mac);
	code = unpack_end(&unpack, "a reply (formats)", err);
	return code == ERR_NONE ? check_transport(reply->transport, err) : code;
}

int
invite_reply_parse(struct invite_reply *reply, struct view line, struct view invite_line,
    const uint8_t psk[static INVITE_KEY], struct err *err)
{
	uint8_t expected[HASH_SIZE];
	uint8_t mac[HASH_SIZE];
	struct buffer packed;
	int code;

	memset(reply, 0, sizeof(*reply));
	buffer_init(&packed, INVITE_LINE_MAX);
	code = decode_line(&packed, line, REPLY_PREFIX, "a reply", err);
	if (code == ERR_NONE)
		code = reply_read(reply, mac, buffer_view(&packed), err);
	if (code == ERR_NONE)
		code = reply_mac(expected, reply, invite_line, psk);
	if (code == ERR_NONE && sodium_memcmp(mac, expected, HASH_SIZE) != 0)
		code = err_set(err, ERR_FORGED,
		    "the reply answers another invite, or was altered (formats, invite)");
	buffer_fini(&packed);
	if (code != ERR_NONE)
		memset(reply, 0, sizeof(*reply));
	return code;
}

void
invite_fingerprint(
    char text[static INVITE_FINGERPRINT], struct view invite_line, struct view reply_line)
{
	uint8_t hashes[2][HASH_SIZE];
	uint8_t digest[HASH_SIZE];
	struct view views[2] = {view_text(FINGERPRINT_CONTEXT), view_of(hashes, sizeof(hashes))};
	size_t group;

	hash_sha256(hashes[0], invite_line);
	hash_sha256(hashes[1], reply_line);
	hash_sha256_of(digest, views, 2);
	for (group = 0; group < 4; group++) {
		text_hex(text + 5 * group, view_of(digest + 2 * group, 2));
		text[5 * group + 4] = group < 3 ? '-' : '\0';
	}
}
