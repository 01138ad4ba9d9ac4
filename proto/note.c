/* C2SP signed-note. */
#include "proto/note.h"

#include "proto/text.h"

#define DASH "\xe2\x80\x94 " /* em dash, space */
#define DASH_SIZE 4
#define ID_SIZE 4

static bool
is_clean(struct view bytes)
{
	size_t i;

	for (i = 0; i < bytes.size; i++)
		if (bytes.data[i] < 0x20 && bytes.data[i] != '\n')
			return false;
	return text_is_utf8(bytes);
}

/* The text ends with the first newline of the last empty line. */
static bool
split(struct view bytes, struct view *text, struct view *lines)
{
	size_t at;

	for (at = bytes.size; at >= 2; at--) {
		if (bytes.data[at - 1] == '\n' && bytes.data[at - 2] == '\n') {
			*text = view_of(bytes.data, at - 1);
			*lines = view_of(bytes.data + at, bytes.size - at);
			return true;
		}
	}
	return false;
}

/* "— <name> <base64>"; ${scratch} is reused from line to line. */
static bool
parse_line(struct note_signature *signature, struct view line, struct buffer *scratch)
{
	struct view rest;
	const uint8_t *space;

	if (line.size < DASH_SIZE || memcmp(line.data, DASH, DASH_SIZE) != 0)
		return false;
	rest = view_of(line.data + DASH_SIZE, line.size - DASH_SIZE);
	space = rest.size == 0 ? NULL : memchr(rest.data, ' ', rest.size);
	if (space == NULL)
		return false;
	signature->line = view_of(line.data, line.size + 1);
	signature->name = view_of(rest.data, (size_t)(space - rest.data));
	rest = view_of(space + 1, rest.size - signature->name.size - 1);
	buffer_clear(scratch);
	if (!vkey_name_valid(signature->name) ||
	    !text_unbase64(scratch, TEXT_BASE64_PADDED, rest) || scratch->size <= ID_SIZE)
		return false;
	signature->id = get_u32(scratch->data);
	signature->size = scratch->size - ID_SIZE;
	if (signature->size <= NOTE_SIGNATURE_KEPT)
		memcpy(signature->bytes, scratch->data + ID_SIZE, signature->size);
	return true;
}

static int
parse_lines(struct note *note, struct view lines, struct buffer *scratch, struct err *err)
{
	struct view line;

	while (lines.size > 0) {
		if (note->count == NOTE_SIGNATURES_MAX)
			return err_set(err, ERR_MALFORMED,
			    "a note of more than %d signatures (design 5.4)", NOTE_SIGNATURES_MAX);
		if (!text_line(&lines, &line) ||
		    !parse_line(&note->signatures[note->count], line, scratch))
			return scratch->err == ERR_MEMORY ?
			           err_set(err, ERR_MEMORY, "no memory to read a note") :
			           err_set(err, ERR_MALFORMED,
			               "line %u below a note's text is no signature line "
			               "(C2SP signed-note)",
			               note->count + 1);
		note->count++;
	}
	if (note->count == 0)
		return err_set(err, ERR_MALFORMED, "a note without signatures");
	return 0;
}

int
note_parse(struct note *note, struct view bytes, struct err *err)
{
	struct buffer scratch;
	struct view lines;
	int result;

	note->count = 0;
	if (bytes.size > NOTE_MAX)
		return err_set(err, ERR_LIMIT, "a note of more than %d bytes", NOTE_MAX);
	if (!is_clean(bytes))
		return err_set(err, ERR_MALFORMED,
		    "a note that is not UTF-8 or holds control characters (C2SP signed-note)");
	if (!split(bytes, &note->text, &lines))
		return err_set(
		    err, ERR_MALFORMED, "a note without an empty line (C2SP signed-note)");
	buffer_init(&scratch, NOTE_MAX);
	result = parse_lines(note, lines, &scratch, err);
	buffer_fini(&scratch);
	return result;
}

static bool
is_by(const struct note_signature *signature, const struct vkey *vkey)
{
	return signature->id == vkey->id && view_equal(signature->name, view_text(vkey->name));
}

const struct note_signature *
note_find(const struct note *note, const struct vkey *vkey)
{
	unsigned i;

	for (i = 0; i < note->count; i++)
		if (is_by(&note->signatures[i], vkey))
			return &note->signatures[i];
	return NULL;
}

static int
check_signature(const struct note *note, const struct note_signature *signature,
    const struct vkey *vkey, uint64_t *time)
{
	switch (vkey->type) {
	case VKEY_ED25519:
		if (signature->size != KEY_SIGNATURE)
			return ERR_FORGED;
		return key_verify(vkey->key, signature->bytes, "", note->text);
	case VKEY_COSIGNATURE:
		if (signature->size != COSIGNATURE_SIZE)
			return ERR_FORGED;
		return cosignature_check(time, vkey->key, signature->bytes, note->text);
	}
	return ERR_FORGED;
}

int
note_check(const struct note *note, const struct vkey *vkey, uint64_t *time, struct err *err)
{
	const struct note_signature *signature = note_find(note, vkey);
	int result;

	if (time != NULL)
		*time = 0;
	if (signature == NULL)
		return err_set(err, ERR_NOT_FOUND, "not signed by %s", vkey->name);
	result = check_signature(note, signature, vkey, time);
	if (result != 0)
		return err_set(err, result == ERR_MEMORY ? ERR_MEMORY : ERR_FORGED,
		    "the signature of %s does not hold", vkey->name);
	return 0;
}

static bool
is_ambiguous(const struct vkey *vkeys, size_t count, size_t of)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (i != of && vkeys[i].id == vkeys[of].id &&
		    strcmp(vkeys[i].name, vkeys[of].name) == 0)
			return true;
	return false;
}

int
note_open(const struct note *note, const struct vkey *vkeys, size_t count, bool *verified,
    struct err *err)
{
	bool any = false;
	size_t i;

	for (i = 0; i < count; i++) {
		bool named = note_find(note, &vkeys[i]) != NULL;
		int result;

		if (verified != NULL)
			verified[i] = named;
		if (!named)
			continue;
		if (is_ambiguous(vkeys, count, i))
			return err_set(
			    err, ERR_USAGE, "two known keys named %s with one id", vkeys[i].name);
		result = note_check(note, &vkeys[i], NULL, err);
		if (result != 0)
			return result;
		any = true;
	}
	if (!any)
		return err_set(err, ERR_REFUSED, "signed by no known key");
	return 0;
}

void
note_write_signature(struct buffer *out, const struct vkey *vkey, struct view signature)
{
	uint8_t bytes[ID_SIZE + NOTE_SIGNATURE_KEPT];

	if (signature.size > NOTE_SIGNATURE_KEPT) {
		out->err = ERR_LIMIT;
		return;
	}
	put_u32(bytes, vkey->id);
	memcpy(bytes + ID_SIZE, signature.data, signature.size);
	buffer_append(out, DASH, DASH_SIZE);
	buffer_append_text(out, vkey->name);
	buffer_append_u8(out, ' ');
	text_base64(out, TEXT_BASE64_PADDED, view_of(bytes, ID_SIZE + signature.size));
	buffer_append_u8(out, '\n');
}

int
note_sign(struct buffer *out, struct view text, const struct vkey *vkey,
    const uint8_t seed[static KEY_SEED], struct err *err)
{
	uint8_t signature[KEY_SIGNATURE];

	if (text.size == 0 || text.data[text.size - 1] != '\n' || !is_clean(text))
		return err_set(err, ERR_USAGE, "the text of a note is clean and ends in newline");
	if (key_sign(signature, seed, "", text) != 0)
		return err_set(err, ERR_MEMORY, "no memory to sign a note");
	buffer_append(out, text.data, text.size);
	buffer_append_u8(out, '\n');
	note_write_signature(out, vkey, view_of(signature, sizeof(signature)));
	if (out->err != 0)
		return err_set(err, (enum err_code)out->err, "no room for a note");
	return 0;
}
