/* C2SP tlog-proof. */
#include "proto/tlogproof.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/text.h"

#define HEADER "c2sp.org/tlog-proof@v1"
#define HASH_LINE 44 /* base64 of a hash */

/* If ${line} begins with ${word}, take it off. */
static bool
take_word(struct view *line, const char *word)
{
	size_t size = strlen(word);

	if (line->size < size || memcmp(line->data, word, size) != 0)
		return false;
	*line = view_of(line->data + size, line->size - size);
	return true;
}

static bool
is_base64(struct view text)
{
	struct buffer bytes;
	bool good;

	buffer_init(&bytes, TLOGPROOF_MAX);
	good = text_unbase64(&bytes, TEXT_BASE64_PADDED, text);
	buffer_fini(&bytes);
	return good;
}

static bool
parse_hash(struct tree_proof *proof, struct view line)
{
	struct buffer bytes;
	bool good;

	if (line.size != HASH_LINE || proof->count == TREE_PROOF_MAX)
		return false;
	buffer_init(&bytes, 64);
	good = text_unbase64(&bytes, TEXT_BASE64_PADDED, line) && bytes.size == HASH_SIZE;
	if (good)
		memcpy(proof->hashes[proof->count++], bytes.data, HASH_SIZE);
	buffer_fini(&bytes);
	return good;
}

int
tlogproof_parse(struct tlogproof *tlogproof, struct view bytes, struct err *err)
{
	struct view rest = bytes;
	struct view line;

	tlogproof->extra = view_of(NULL, 0);
	tlogproof->proof.count = 0;
	if (bytes.size > TLOGPROOF_MAX)
		return err_set(err, ERR_LIMIT, "a proof of more than %d bytes", TLOGPROOF_MAX);
	if (!text_line(&rest, &line) || !view_equal(line, view_text(HEADER)))
		return err_set(err, ERR_MALFORMED, "no proof: it begins with " HEADER);
	if (!text_line(&rest, &line))
		return err_set(err, ERR_MALFORMED, "a proof that ends after its first line");
	if (take_word(&line, "extra ")) {
		tlogproof->extra = line;
		if (!is_base64(line) || !text_line(&rest, &line))
			return err_set(err, ERR_MALFORMED,
			    "a proof whose extra data is not base64 (C2SP tlog-proof)");
	}
	if (!take_word(&line, "index ") || !text_number(&tlogproof->index, line))
		return err_set(
		    err, ERR_MALFORMED, "a proof without the record's index (C2SP tlog-proof)");
	for (;;) {
		if (!text_line(&rest, &line))
			return err_set(
			    err, ERR_MALFORMED, "a proof without a checkpoint (C2SP tlog-proof)");
		if (line.size == 0)
			break;
		if (!parse_hash(&tlogproof->proof, line))
			return err_set(err, ERR_MALFORMED,
			    "a proof with a line that is no hash, or more than %d of them "
			    "(C2SP tlog-proof)",
			    TREE_PROOF_MAX);
	}
	tlogproof->checkpoint = rest;
	return 0;
}

void
tlogproof_write(struct buffer *out, struct view extra, uint64_t index,
    const struct tree_proof *proof, struct view checkpoint)
{
	char number[32];
	unsigned i;

	buffer_append_text(out, HEADER "\n");
	if (extra.size > 0) {
		buffer_append_text(out, "extra ");
		text_base64(out, TEXT_BASE64_PADDED, extra);
		buffer_append_u8(out, '\n');
	}
	(void)snprintf(number, sizeof(number), "index %" PRIu64 "\n", index);
	buffer_append_text(out, number);
	for (i = 0; i < proof->count; i++) {
		text_base64(out, TEXT_BASE64_PADDED, view_of(proof->hashes[i], HASH_SIZE));
		buffer_append_u8(out, '\n');
	}
	buffer_append_u8(out, '\n');
	buffer_append(out, checkpoint.data, checkpoint.size);
}

int
tlogproof_check(const struct tlogproof *tlogproof, const uint8_t leaf_hash[static HASH_SIZE],
    const struct vkey *log, struct checkpoint *checkpoint, struct note *note, struct err *err)
{
	int result = checkpoint_open(checkpoint, note, tlogproof->checkpoint, log, err);

	if (result != 0)
		return result;
	return tree_check_inclusion(leaf_hash, tlogproof->index, checkpoint->size, checkpoint->root,
	    tlogproof->proof.hashes, tlogproof->proof.count, err);
}
