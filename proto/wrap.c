/* The text form of one wrapped secret: see wrap.h.  Argon2id13 and XChaCha20-Poly1305. */
#include "proto/wrap.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#include "proto/text.h"

#define FIRST_LINE "dalil-key-1"
#define FIRST_LINE_ANY "dalil-key-"
#define BOX_TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
#define BOX_MAX (WRAP_NONCE + WRAP_SECRET_MAX + BOX_TAG)

static const uint8_t zero_key[WRAP_KEY_SIZE];

static bool
name_good(struct view name)
{
	size_t i;

	for (i = 0; i < name.size; i++) {
		uint8_t c = name.data[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return false;
	}
	return name.size > 0 && name.size <= WRAP_NAME_MAX;
}

/* A page of paper shows it as it is: no control character, no line of its own. */
static bool
about_good(struct view about)
{
	size_t i;

	for (i = 0; i < about.size; i++)
		if (about.data[i] < 0x20 || about.data[i] == 0x7f)
			return false;
	return about.size <= WRAP_ABOUT_MAX && text_is_utf8(about);
}

static int
parameters_check(const struct wrap_passphrase *parameters, struct err *err)
{
	if (parameters->ops < WRAP_OPS_MIN || parameters->ops > WRAP_OPS_MAX)
		return err_set(err, ERR_LIMIT,
		    "%" PRIu32 " passes of Argon2id are outside 2 to 16 (design section 4)",
		    parameters->ops);
	if (parameters->memory < WRAP_MEMORY_MIN || parameters->memory > WRAP_MEMORY_MAX ||
	    parameters->memory % 1024 != 0)
		return err_set(err, ERR_LIMIT,
		    "%" PRIu64 " bytes of Argon2id are outside 64 MiB to 2 GiB (design section 4)",
		    parameters->memory);
	return ERR_NONE;
}

/* The rest of the next line after ${label}, without its newline. */
static int
take_line(struct view *value, struct view *rest, const char *label, struct err *err)
{
	size_t length = strlen(label);
	const uint8_t *newline = rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);
	size_t line;

	if (newline == NULL)
		return err_set(
		    err, ERR_MALFORMED, "the key file ends before its line \"%s\"", label);
	line = (size_t)(newline - rest->data);
	if (line < length || memcmp(rest->data, label, length) != 0)
		return err_set(err, ERR_MALFORMED, "the key file lacks its line \"%s\"", label);
	*value = view_of(rest->data + length, line - length);
	*rest = view_of(newline + 1, rest->size - line - 1);
	return ERR_NONE;
}

/* A decimal number without sign or leading zero, at most ten digits. */
static bool
take_number(uint64_t *number, struct view *rest)
{
	size_t digits = 0;

	*number = 0;
	while (digits < rest->size && digits < 10 && rest->data[digits] >= '0' &&
	       rest->data[digits] <= '9')
		*number = *number * 10 + (uint64_t)(rest->data[digits++] - '0');
	if (digits == 0 || rest->data[0] == '0')
		return false;
	*rest = view_of(rest->data + digits, rest->size - digits);
	return true;
}

static bool
take_text(struct view *rest, const char *text)
{
	size_t length = strlen(text);

	if (rest->size < length || memcmp(rest->data, text, length) != 0)
		return false;
	*rest = view_of(rest->data + length, rest->size - length);
	return true;
}

static int
parse_protection(struct wrap *wrap, struct view line, struct err *err)
{
	uint64_t ops;

	if (view_equal(line, view_text("none"))) {
		wrap->protection = WRAP_NONE;
		return ERR_NONE;
	}
	if (view_equal(line, view_text("key"))) {
		wrap->protection = WRAP_KEY;
		return ERR_NONE;
	}
	wrap->protection = WRAP_PASSPHRASE;
	if (!take_text(&line, "passphrase argon2id13 ops=") || !take_number(&ops, &line) ||
	    !take_text(&line, " memory=") || !take_number(&wrap->passphrase.memory, &line) ||
	    !take_text(&line, " salt=") || !text_unhex(wrap->passphrase.salt, WRAP_SALT, line))
		return err_set(
		    err, ERR_MALFORMED, "the key file's protection is none that we know");
	wrap->passphrase.ops = ops > UINT32_MAX ? UINT32_MAX : (uint32_t)ops;
	return parameters_check(&wrap->passphrase, err);
}

static int
parse_lines(struct wrap *wrap, struct view bytes, struct err *err)
{
	struct view rest = bytes;
	struct view line;
	int result;

	result = take_line(&line, &rest, FIRST_LINE, err);
	if (result != 0 && bytes.size > sizeof(FIRST_LINE_ANY) &&
	    memcmp(bytes.data, FIRST_LINE_ANY, strlen(FIRST_LINE_ANY)) == 0)
		return err_set(err, ERR_VERSION, "the key file is of a newer dalil");
	if (result != 0 || line.size != 0)
		return err_set(err, ERR_MALFORMED, "this is no key file of dalil");
	if ((result = take_line(&wrap->name, &rest, "name: ", err)) != 0 ||
	    (result = take_line(&wrap->about, &rest, "about: ", err)) != 0 ||
	    (result = take_line(&line, &rest, "public: ", err)) != 0)
		return result;
	if (!name_good(wrap->name) || !about_good(wrap->about))
		return err_set(err, ERR_MALFORMED, "the key file's name is none");
	wrap->public_size = line.size / 2;
	if (line.size > (size_t)2 * WRAP_PUBLIC_MAX ||
	    !text_unhex(wrap->public_half, wrap->public_size, line))
		return err_set(err, ERR_MALFORMED, "the key file's public half is no hex");
	if ((result = take_line(&line, &rest, "protection: ", err)) != 0 ||
	    (result = parse_protection(wrap, line, err)) != 0)
		return result;
	wrap->associated = view_of(bytes.data, bytes.size - rest.size);
	if ((result = take_line(&wrap->box, &rest, "secret: ", err)) != 0)
		return result;
	if (rest.size != 0)
		return err_set(err, ERR_MALFORMED, "the key file goes on after its end");
	return ERR_NONE;
}

int
wrap_parse(struct wrap *wrap, struct view bytes, struct err *err)
{
	int result;

	memset(wrap, 0, sizeof(*wrap));
	if (bytes.size > WRAP_FILE_MAX)
		return err_set(err, ERR_LIMIT, "a key file is at most %d bytes", WRAP_FILE_MAX);
	result = parse_lines(wrap, bytes, err);
	if (result != 0)
		memset(wrap, 0, sizeof(*wrap));
	return result;
}

int
wrap_derive(uint8_t key[static WRAP_KEY_SIZE], const struct wrap_passphrase *parameters,
    struct view passphrase, struct err *err)
{
	int result = parameters_check(parameters, err);

	if (result != 0)
		return result;
	if (crypto_pwhash(key, WRAP_KEY_SIZE, (const char *)passphrase.data, passphrase.size,
	        parameters->salt, parameters->ops, (size_t)parameters->memory,
	        crypto_pwhash_ALG_ARGON2ID13) != 0)
		return err_set(err, ERR_MEMORY,
		    "%" PRIu64 " MiB of memory for the passphrase could not be had",
		    parameters->memory >> 20);
	return ERR_NONE;
}

/* Decode and open; ${scratch} is secret memory for the decoded box, opened in place. */
static int
open_box(struct buffer *secret, struct buffer *scratch, const struct wrap *wrap, const uint8_t *key,
    struct err *err)
{
	unsigned long long size;

	if (wrap->box.size > (size_t)BOX_MAX * 4 / 3 + 4 ||
	    !text_unbase64(scratch, TEXT_BASE64_PADDED, wrap->box) || scratch->err != 0 ||
	    scratch->size < WRAP_NONCE + BOX_TAG)
		return err_set(err, ERR_MALFORMED, "the key file's secret is no base64 of a box");
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(scratch->data + WRAP_NONCE, &size, NULL,
	        scratch->data + WRAP_NONCE, scratch->size - WRAP_NONCE, wrap->associated.data,
	        wrap->associated.size, scratch->data, key) != 0) {
		if (wrap->protection == WRAP_NONE)
			return err_set(err, ERR_DAMAGED, "the key file is damaged");
		return err_set(err, ERR_LOCKED,
		    wrap->protection == WRAP_PASSPHRASE ?
		        "the passphrase is wrong, or the key file is damaged" :
		        "the wrapping key is another, or the key file is damaged");
	}
	buffer_append(secret, scratch->data + WRAP_NONCE, (size_t)size);
	if (secret->err != 0)
		return err_set(err, (enum err_code)secret->err, "no room for the secret");
	return ERR_NONE;
}

int
wrap_open(struct buffer *secret, const struct wrap *wrap, const uint8_t *key, struct err *err)
{
	struct buffer scratch;
	int result;

	if ((key == NULL) != (wrap->protection == WRAP_NONE))
		return err_set(err, ERR_LOCKED,
		    key == NULL ? "the key file is wrapped" : "the key file is not wrapped");
	buffer_init_secret(&scratch, BOX_MAX + 8); /* text_unbase64 wants some slack */
	result = open_box(secret, &scratch, wrap, key == NULL ? zero_key : key, err);
	buffer_fini(&scratch);
	return result;
}

static void
write_protection(struct buffer *out, const struct wrap *wrap)
{
	char line[160];
	char salt[2 * WRAP_SALT + 1];

	switch (wrap->protection) {
	case WRAP_NONE:
		buffer_append_text(out, "none");
		break;
	case WRAP_KEY:
		buffer_append_text(out, "key");
		break;
	case WRAP_PASSPHRASE:
		text_hex(salt, view_of(wrap->passphrase.salt, WRAP_SALT));
		(void)snprintf(line, sizeof(line),
		    "passphrase argon2id13 ops=%" PRIu32 " memory=%" PRIu64 " salt=%s",
		    wrap->passphrase.ops, wrap->passphrase.memory, salt);
		buffer_append_text(out, line);
		break;
	}
}

static void
write_lines(struct buffer *out, const struct wrap *wrap)
{
	char public_half[2 * WRAP_PUBLIC_MAX + 1];

	text_hex(public_half, view_of(wrap->public_half, wrap->public_size));
	buffer_append_text(out, FIRST_LINE "\nname: ");
	buffer_append(out, wrap->name.data, wrap->name.size);
	buffer_append_text(out, "\nabout: ");
	buffer_append(out, wrap->about.data, wrap->about.size);
	buffer_append_text(out, "\npublic: ");
	buffer_append_text(out, public_half);
	buffer_append_text(out, "\nprotection: ");
	write_protection(out, wrap);
	buffer_append_text(out, "\n");
}

static int
write_box(struct buffer *out, struct view associated, struct view secret, const uint8_t *key,
    const uint8_t nonce[static WRAP_NONCE])
{
	uint8_t box[BOX_MAX];
	unsigned long long size;

	memcpy(box, nonce, WRAP_NONCE);
	if (crypto_aead_xchacha20poly1305_ietf_encrypt(box + WRAP_NONCE, &size, secret.data,
	        secret.size, associated.data, associated.size, NULL, nonce, key) != 0)
		return ERR_MEMORY;
	buffer_append_text(out, "secret: ");
	text_base64(out, TEXT_BASE64_PADDED, view_of(box, WRAP_NONCE + (size_t)size));
	buffer_append_text(out, "\n");
	return out->err;
}

int
wrap_seal(struct buffer *out, const struct wrap *wrap, struct view secret, const uint8_t *key,
    const uint8_t nonce[static WRAP_NONCE], struct err *err)
{
	struct buffer lines;
	int result;

	if (!name_good(wrap->name) || !about_good(wrap->about) ||
	    wrap->public_size > WRAP_PUBLIC_MAX || secret.size > WRAP_SECRET_MAX ||
	    (key == NULL) != (wrap->protection == WRAP_NONE))
		return err_set(err, ERR_USAGE, "a key file cannot hold this name, text or secret");
	if (wrap->protection == WRAP_PASSPHRASE) {
		result = parameters_check(&wrap->passphrase, err);
		if (result != 0)
			return result;
	}
	buffer_init(&lines, WRAP_FILE_MAX);
	write_lines(&lines, wrap);
	buffer_append(out, lines.data, lines.size);
	result = lines.err;
	if (result == 0)
		result = write_box(
		    out, buffer_view(&lines), secret, key == NULL ? zero_key : key, nonce);
	buffer_fini(&lines);
	if (result != 0)
		return err_set(err, (enum err_code)result, "no room for the key file");
	return ERR_NONE;
}
