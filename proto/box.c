/* The parts sealed and vault: XChaCha20-Poly1305 over a length, a value and zeros. */
#include "proto/box.h"

#include <sodium.h>
#include <stdlib.h>

#include "proto/hash.h"

#define PADDING 1024 /* a part is a multiple of this */
#define LENGTH 4
#define TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
#define KEY crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define OVERHEAD (BOX_NONCE + LENGTH + TAG)
#define RUNS_KEPT 8

static size_t
padded_size(size_t size)
{
	return (size + PADDING - 1) / PADDING * PADDING;
}

/*
 * Append nonce and box so that it ends ${prefix} + n * 1,024 bytes after the part's start.  The
 * plaintext is laid where the box will stand and encrypted in place; what fails is wiped.
 */
static int
append_box(struct buffer *out, size_t prefix, const uint8_t key[static KEY],
    const uint8_t nonce[static BOX_NONCE], struct view value, struct err *err)
{
	size_t size;
	uint8_t *box;

	if (value.size > BOX_PART_MAX - OVERHEAD - prefix)
		return err_set(err, ERR_LIMIT, "a part is at most 256 KiB (design section 7)");
	size = padded_size(prefix + OVERHEAD + value.size) - prefix;
	box = buffer_extend(out, size);
	if (box == NULL)
		return err_set(err, (enum err_code)out->err, "no room for a part");
	memcpy(box, nonce, BOX_NONCE);
	put_u32(box + BOX_NONCE, (uint32_t)value.size);
	if (value.size > 0)
		memcpy(box + BOX_NONCE + LENGTH, value.data, value.size);
	memset(box + BOX_NONCE + LENGTH + value.size, 0, size - OVERHEAD - value.size);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(box + BOX_NONCE, NULL, box + BOX_NONCE,
	    size - BOX_NONCE - TAG, NULL, 0, NULL, nonce, key);
	return ERR_NONE;
}

/* Check length and padding of what was decrypted at ${at} of ${value}, and leave only the value. */
static int
strip(struct buffer *value, size_t at, size_t size, struct err *err)
{
	uint8_t *plain = value->data + at;
	size_t length = get_u32(plain);

	if (length > size - LENGTH ||
	    !sodium_is_zero(plain + LENGTH + length, size - LENGTH - length))
		return err_set(err, ERR_MALFORMED,
		    length > size - LENGTH ? "a part's length is past its end (formats, Boxes)" :
		                             "a part's padding is not zero (formats, Boxes)");
	memmove(plain, plain + LENGTH, length);
	sodium_memzero(plain + length, size - length);
	value->size = at + length;
	return ERR_NONE;
}

/* ${box} is nonce and box; the whole part's size has been checked. */
static int
open_box(struct buffer *value, const uint8_t key[static KEY], struct view box, struct err *err)
{
	size_t at = value->size;
	size_t size;
	uint8_t *plain;
	int result;

	if (box.size < OVERHEAD)
		return err_set(err, ERR_MALFORMED, "a part is too short (formats, Boxes)");
	size = box.size - BOX_NONCE - TAG;
	plain = buffer_extend(value, size);
	if (plain == NULL)
		return err_set(err, (enum err_code)value->err, "no room for a part's value");
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, box.data + BOX_NONCE,
	        box.size - BOX_NONCE, NULL, 0, box.data, key) != 0)
		result =
		    err_set(err, ERR_FORGED, "a part does not open: it is not what was sealed");
	else
		result = strip(value, at, size, err);
	if (result != 0) {
		sodium_memzero(plain, size);
		value->size = at;
	}
	return result;
}

static int
check_size(struct view part, struct err *err)
{
	if (part.size == 0 || part.size > BOX_PART_MAX || part.size % PADDING != 0)
		return err_set(err, ERR_MALFORMED,
		    "a part of %zu bytes is no multiple of 1 KiB up to 256 KiB (design 5.2)",
		    part.size);
	return ERR_NONE;
}

static void
sealed_key(
    uint8_t key[static KEY], const uint8_t file_key[static AGE_FILE_KEY], const uint8_t *salt)
{
	static const uint8_t none[BOX_SALT];

	hash_hkdf(key, KEY, view_of(file_key, AGE_FILE_KEY),
	    view_of(salt == NULL ? none : salt, BOX_SALT), view_text("dalil sealed v1"));
}

int
box_seal(struct buffer *out, const uint8_t file_key[static AGE_FILE_KEY], const uint8_t *salt,
    const uint8_t nonce[static BOX_NONCE], struct view value, struct err *err)
{
	uint8_t key[KEY];
	int result;

	sealed_key(key, file_key, salt);
	result = append_box(out, 0, key, nonce, value, err);
	sodium_memzero(key, sizeof(key));
	return result;
}

int
box_open(struct buffer *value, const uint8_t file_key[static AGE_FILE_KEY], const uint8_t *salt,
    struct view part, struct err *err)
{
	uint8_t key[KEY];
	int result = check_size(part, err);

	if (result != 0)
		return result;
	sealed_key(key, file_key, salt);
	result = open_box(value, key, part, err);
	sodium_memzero(key, sizeof(key));
	return result;
}

/* A run key and the header that wraps it, of one X25519 stanza for the vault. */
#define RUN_HEADER_MAX 256
struct run {
	uint8_t run_key[AGE_FILE_KEY];
	uint8_t header[RUN_HEADER_MAX];
	size_t header_size; /* 0: nothing here */
};

static void
vault_key(uint8_t key[static KEY], const uint8_t run_key[static AGE_FILE_KEY],
    const uint8_t nonce[static BOX_NONCE])
{
	hash_hkdf(key, KEY, view_of(run_key, AGE_FILE_KEY), view_of(nonce, BOX_NONCE),
	    view_text("dalil vault v1"));
}

struct vault_writer {
	struct run run;
};

struct vault_writer *
vault_writer_new(const uint8_t recipient[static AGE_X25519],
    const uint8_t run_key[static AGE_FILE_KEY], const uint8_t ephemeral[static AGE_X25519])
{
	struct vault_writer *writer = sodium_malloc(sizeof(*writer));
	struct age_x25519 stanza;
	struct buffer header;

	if (writer == NULL)
		return NULL;
	header = (struct buffer){
	    .data = writer->run.header, .capacity = RUN_HEADER_MAX, .limit = RUN_HEADER_MAX};
	if (age_x25519_wrap(&stanza, run_key, recipient, ephemeral) == 0)
		age_header_write(&header, &stanza, 1, run_key);
	memcpy(writer->run.run_key, run_key, AGE_FILE_KEY);
	writer->run.header_size = header.size;
	if (header.size == 0 || header.err != 0) {
		sodium_free(writer);
		return NULL;
	}
	(void)sodium_mprotect_readonly(writer);
	return writer;
}

void
vault_writer_free(struct vault_writer *writer)
{
	sodium_free(writer);
}

int
vault_seal(struct buffer *out, const struct vault_writer *writer,
    const uint8_t nonce[static BOX_NONCE], struct view value, struct err *err)
{
	uint8_t key[KEY];
	int result;

	buffer_append(out, writer->run.header, writer->run.header_size);
	vault_key(key, writer->run.run_key, nonce);
	result = append_box(out, writer->run.header_size, key, nonce, value, err);
	sodium_memzero(key, sizeof(key));
	return result;
}

struct vault_reader {
	const struct age_identity *identity;
	unsigned oldest; /* of the runs, the one to be replaced next */
	struct run runs[RUNS_KEPT];
};

struct vault_reader *
vault_reader_new(const struct age_identity *identity)
{
	struct vault_reader *reader = sodium_malloc(sizeof(*reader));

	if (reader == NULL)
		return NULL;
	memset(reader, 0, sizeof(*reader));
	reader->identity = identity;
	return reader;
}

void
vault_reader_free(struct vault_reader *reader)
{
	sodium_free(reader);
}

static const struct run *
find_run(const struct vault_reader *reader, struct view part)
{
	unsigned i;

	for (i = 0; i < RUNS_KEPT; i++) {
		const struct run *run = &reader->runs[i];

		if (run->header_size > 0 && part.size >= run->header_size &&
		    memcmp(part.data, run->header, run->header_size) == 0)
			return run;
	}
	return NULL;
}

/* Open the header that ${part} begins with, and remember its run in the oldest one's place. */
static int
open_run(const struct run **found, struct vault_reader *reader, struct view part, struct err *err)
{
	struct run *run = &reader->runs[reader->oldest];
	struct age_header header;
	int result = age_header_parse(&header, part, err);

	if (result == 0 && header.bytes.size > RUN_HEADER_MAX)
		result = err_set(err, ERR_MALFORMED, "more than one stanza (formats, Boxes)");
	if (result == 0) {
		run->header_size = 0;
		result = age_header_open(run->run_key, &header, reader->identity, err);
	}
	if (result != 0) {
		(void)err_wrap(err, "vault");
		return result;
	}
	memcpy(run->header, header.bytes.data, header.bytes.size);
	run->header_size = header.bytes.size;
	reader->oldest = (reader->oldest + 1) % RUNS_KEPT;
	*found = run;
	return ERR_NONE;
}

int
vault_open(struct buffer *value, struct vault_reader *reader, struct view part, struct err *err)
{
	const struct run *run = NULL;
	struct view box;
	uint8_t key[KEY];
	int result = check_size(part, err);

	if (result == 0)
		run = find_run(reader, part);
	if (result == 0 && run == NULL)
		result = open_run(&run, reader, part, err);
	if (result != 0)
		return result;
	box = view_of(part.data + run->header_size, part.size - run->header_size);
	if (box.size < OVERHEAD)
		return err_set(err, ERR_MALFORMED, "vault: too short (formats, Boxes)");
	vault_key(key, run->run_key, box.data);
	result = open_box(value, key, box, err);
	sodium_memzero(key, sizeof(key));
	return result;
}
