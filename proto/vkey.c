/* C2SP signed-note, "Verifier keys". */
#include "proto/vkey.h"

#include <stdio.h>

#include "proto/hash.h"
#include "proto/text.h"

#define MATERIAL_SIZE (1 + KEY_SIZE) /* type ‖ key */

/* What Unicode calls White_Space, above ASCII. */
static bool
is_space(uint32_t point)
{
	return point == 0x85 || point == 0xa0 || point == 0x1680 ||
	       (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
	       point == 0x202f || point == 0x205f || point == 0x3000;
}

bool
vkey_name_valid(struct view name)
{
	struct view rest = name;
	uint32_t point;

	while (rest.size > 0) {
		size_t length = text_character(rest, &point);

		if (length == 0 || point <= 0x20 || point == '+' || is_space(point))
			return false;
		rest = view_of(rest.data + length, rest.size - length);
	}
	return name.size > 0;
}

/* key id = SHA-256(name ‖ "\n" ‖ type ‖ key)[:4] */
static uint32_t
key_id(struct view name, const uint8_t material[static MATERIAL_SIZE])
{
	struct view views[3] = {name, view_text("\n"), view_of(material, MATERIAL_SIZE)};
	uint8_t digest[HASH_SIZE];

	hash_sha256_of(digest, views, 3);
	return get_u32(digest);
}

int
vkey_make(struct vkey *vkey, struct view name, enum vkey_type type,
    const uint8_t key[static KEY_SIZE], struct err *err)
{
	uint8_t material[MATERIAL_SIZE];

	if (name.size > VKEY_NAME_MAX)
		return err_set(err, ERR_LIMIT, "a key name of more than %d bytes", VKEY_NAME_MAX);
	if (!vkey_name_valid(name))
		return err_set(err, ERR_MALFORMED,
		    "a key name that is empty or holds a space, a plus or a control character "
		    "(C2SP signed-note)");
	if (!key_ed25519_valid(key))
		return err_set(err, ERR_REFUSED,
		    "the public key is of small order or not canonical (design 4)");
	*vkey = (struct vkey){.type = type};
	memcpy(vkey->name, name.data, name.size);
	memcpy(vkey->key, key, KEY_SIZE);
	material[0] = (uint8_t)type;
	memcpy(material + 1, key, KEY_SIZE);
	vkey->id = key_id(name, material);
	return 0;
}

/* Up to the next plus, or to the end of the last ${part}. */
static bool
take_part(struct view *rest, struct view *part)
{
	const uint8_t *plus = rest->size == 0 ? NULL : memchr(rest->data, '+', rest->size);

	if (plus == NULL)
		return false;
	*part = view_of(rest->data, (size_t)(plus - rest->data));
	*rest = view_of(plus + 1, rest->size - part->size - 1);
	return true;
}

int
vkey_parse(struct vkey *vkey, struct view text, struct err *err)
{
	struct view rest = text;
	struct view name = {0};
	struct view hex = {0};
	struct buffer material;
	uint8_t id[4];
	int result;

	if (!take_part(&rest, &name) || !take_part(&rest, &hex) || !text_unhex(id, sizeof(id), hex))
		return err_set(err, ERR_MALFORMED,
		    "a verifier key is <name>+<8 hex digits>+<base64> (C2SP signed-note)");
	buffer_init(
	    &material, 128); /* base64 itself may have a plus: only what follows the second */
	if (!text_unbase64(&material, TEXT_BASE64_PADDED, rest) || material.size < 1)
		result = err_set(err, ERR_MALFORMED, "a verifier key whose key is not base64");
	else if (material.data[0] != VKEY_ED25519 && material.data[0] != VKEY_COSIGNATURE)
		result = err_set(err, ERR_REFUSED,
		    "a verifier key of type 0x%02x: only 0x01 and 0x04 are known here",
		    material.data[0]);
	else if (material.size != MATERIAL_SIZE)
		result = err_set(err, ERR_MALFORMED, "a verifier key that is not 32 bytes");
	else
		result =
		    vkey_make(vkey, name, (enum vkey_type)material.data[0], material.data + 1, err);
	buffer_fini(&material);
	if (result == 0 && vkey->id != get_u32(id))
		result =
		    err_set(err, ERR_MALFORMED, "a verifier key whose id is not that of its key");
	return result;
}

void
vkey_text(struct buffer *out, const struct vkey *vkey)
{
	uint8_t material[MATERIAL_SIZE];
	char id[16];

	(void)snprintf(id, sizeof(id), "+%08x+", vkey->id);
	material[0] = (uint8_t)vkey->type;
	memcpy(material + 1, vkey->key, KEY_SIZE);
	buffer_append_text(out, vkey->name);
	buffer_append_text(out, id);
	text_base64(out, TEXT_BASE64_PADDED, view_of(material, sizeof(material)));
}

/* The text is at most VKEY_TEXT_MAX: without memory even for that nothing goes on. */
void
vkey_log(uint8_t log[static HASH_SIZE], const struct vkey *vkey)
{
	struct buffer text;

	buffer_init(&text, VKEY_TEXT_MAX + 1);
	vkey_text(&text, vkey);
	hash_sha256(log, buffer_view(&text));
	buffer_fini(&text);
}
