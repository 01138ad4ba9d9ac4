/* C2SP tlog-checkpoint. */
#include "proto/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/hash.h"
#include "proto/text.h"

void
checkpoint_text(
    struct buffer *out, struct view origin, uint64_t size, const uint8_t root[static HASH_SIZE])
{
	char number[32];

	(void)snprintf(number, sizeof(number), "\n%" PRIu64 "\n", size);
	buffer_append(out, origin.data, origin.size);
	buffer_append_text(out, number);
	text_base64(out, TEXT_BASE64_PADDED, view_of(root, HASH_SIZE));
	buffer_append_u8(out, '\n');
}

static bool
parse_root(uint8_t root[static HASH_SIZE], struct view line)
{
	struct buffer bytes;
	bool good;

	if (line.size != 44)
		return false;
	buffer_init(&bytes, 64);
	good = text_unbase64(&bytes, TEXT_BASE64_PADDED, line) && bytes.size == HASH_SIZE;
	if (good)
		memcpy(root, bytes.data, HASH_SIZE);
	buffer_fini(&bytes);
	return good;
}

int
checkpoint_parse(struct checkpoint *checkpoint, struct view text, struct err *err)
{
	struct view rest = text;
	struct view line;
	uint8_t empty[HASH_SIZE];

	if (!text_line(&rest, &checkpoint->origin) || checkpoint->origin.size == 0)
		return err_set(
		    err, ERR_MALFORMED, "a checkpoint without an origin (C2SP tlog-checkpoint)");
	if (!text_line(&rest, &line) || !text_number(&checkpoint->size, line))
		return err_set(
		    err, ERR_MALFORMED, "a checkpoint whose size is none (C2SP tlog-checkpoint)");
	if (!text_line(&rest, &line) || !parse_root(checkpoint->root, line))
		return err_set(
		    err, ERR_MALFORMED, "a checkpoint whose root is none (C2SP tlog-checkpoint)");
	if (rest.size != 0)
		return err_set(
		    err, ERR_MALFORMED, "a checkpoint with extension lines (design 5.4)");
	hash_sha256(empty, view_of(NULL, 0));
	if (checkpoint->size == 0 && memcmp(checkpoint->root, empty, HASH_SIZE) != 0)
		return err_set(
		    err, ERR_MALFORMED, "a checkpoint of size 0 whose root is not that of nothing");
	return 0;
}

void
checkpoint_imprint(uint8_t imprint[static HASH_SIZE], struct view text)
{
	hash_sha256(imprint, text);
}

int
checkpoint_open(struct checkpoint *checkpoint, struct note *note, struct view bytes,
    const struct vkey *log, struct err *err)
{
	int result = note_parse(note, bytes, err);

	if (result == 0)
		result = checkpoint_parse(checkpoint, note->text, err);
	if (result != 0)
		return result;
	if (!view_equal(checkpoint->origin, view_text(log->name)))
		return err_set(err, ERR_REFUSED, "a checkpoint of another log than %s", log->name);
	result = note_check(note, log, NULL, err);
	if (result == ERR_NOT_FOUND)
		return err_set(err, ERR_REFUSED, "a checkpoint that %s has not signed", log->name);
	return result;
}

int
checkpoint_sign(struct buffer *out, const struct vkey *log, const uint8_t seed[static KEY_SEED],
    uint64_t size, const uint8_t root[static HASH_SIZE], struct err *err)
{
	struct buffer text;
	int result;

	buffer_init(&text, CHECKPOINT_TEXT_MAX);
	checkpoint_text(&text, view_text(log->name), size, root);
	if (text.err != 0)
		result = err_set(err, (enum err_code)text.err, "no room for a checkpoint");
	else
		result = note_sign(out, buffer_view(&text), log, seed, err);
	buffer_fini(&text);
	return result;
}
