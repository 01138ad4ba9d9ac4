/*
 * One side of the transport's handshake and a few transport messages, driven by lines of hex, so
 * that another implementation can be the other side.
 *
 * Arguments: initiator|responder, own secret key, psk, and for the initiator the remote key.
 * Standard output: handshake messages and transport messages as they are due, and at last
 * "hash HEX" and "remote HEX"; standard input: the other side's.  After the handshake each side
 * sends one transport message: ours holds "from dalil"; theirs is printed as "got HEX".
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/noise.h"
#include "proto/text.h"

#define LINE_MAX_HEX 1024

static void
fail(const char *what, const struct err *err)
{
	fprintf(stderr, "noise_driver: %s: %s\n", what, err_text(err));
	exit(1);
}

static void
key_of(uint8_t key[static NOISE_KEY], const char *hex)
{
	if (!text_unhex(key, NOISE_KEY, view_text(hex)))
		fail("a key is not 64 hex digits", NULL);
}

static void
write_line(const char *label, struct view bytes)
{
	char hex[2 * LINE_MAX_HEX + 1];

	if (bytes.size > LINE_MAX_HEX)
		fail("too much to write", NULL);
	text_hex(hex, bytes);
	printf("%s%s\n", label, hex);
	(void)fflush(stdout);
}

static struct view
read_line(uint8_t bytes[static LINE_MAX_HEX])
{
	char line[2 * LINE_MAX_HEX + 2];
	struct view hex;

	if (fgets(line, sizeof(line), stdin) == NULL)
		fail("the other side hung up", NULL);
	hex = view_of(line, strcspn(line, "\n"));
	if (!text_unhex(bytes, hex.size / 2, hex))
		fail("a line is not hex", NULL);
	return view_of(bytes, hex.size / 2);
}

static void
shake(struct noise *noise)
{
	struct err err = {0};

	while (!noise_done(noise)) {
		struct buffer out;

		buffer_init(&out, LINE_MAX_HEX);
		if (noise_writes(noise)) {
			uint8_t ephemeral[NOISE_KEY];

			randombytes_buf(ephemeral, sizeof(ephemeral));
			if (noise_write(noise, ephemeral, view_of("", 0), &out, &err) != 0)
				fail("writing", &err);
			write_line("", buffer_view(&out));
		} else {
			uint8_t bytes[LINE_MAX_HEX];

			if (noise_read(noise, read_line(bytes), &out, &err) != 0)
				fail("reading", &err);
		}
		buffer_fini(&out);
	}
}

/* The bare ciphers of the split: the frames on top of them are dalil's own. */
static void
exchange(const struct noise_result *result, enum noise_role role)
{
	static const char text[] = "from dalil";
	uint8_t nonce[12] = {0};
	uint8_t sealed[sizeof(text) - 1 + NOISE_TAG];
	uint8_t bytes[LINE_MAX_HEX];
	struct view theirs;

	if (role == NOISE_RESPONDER)
		theirs = read_line(bytes);
	(void)crypto_aead_chacha20poly1305_ietf_encrypt(sealed, NULL, (const uint8_t *)text,
	    sizeof(text) - 1, NULL, 0, NULL, nonce, result->send);
	write_line("", view_of(sealed, sizeof(sealed)));
	if (role == NOISE_INITIATOR)
		theirs = read_line(bytes);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(
	        bytes, NULL, NULL, theirs.data, theirs.size, NULL, 0, nonce, result->receive) != 0)
		fail("their message does not open", NULL);
	write_line("got ", view_of(bytes, theirs.size - NOISE_TAG));
}

int
main(int argc, char **argv)
{
	uint8_t secret[NOISE_KEY], psk[NOISE_KEY], remote[NOISE_KEY];
	struct noise_keys keys = {.secret = secret, .psk = psk};
	struct noise_result result;
	enum noise_role role;
	struct noise noise;
	struct err err = {0};

	if (argc < 4 || sodium_init() < 0)
		fail("usage: noise_driver initiator|responder SECRET PSK [REMOTE]", NULL);
	role = strcmp(argv[1], "initiator") == 0 ? NOISE_INITIATOR : NOISE_RESPONDER;
	key_of(secret, argv[2]);
	key_of(psk, argv[3]);
	if (argc > 4) {
		key_of(remote, argv[4]);
		keys.remote = remote;
	}
	if (noise_init(&noise, NOISE_DALIL, role, view_text(NOISE_PROLOGUE), &keys, &err) != 0)
		fail("starting", &err);
	shake(&noise);
	if (noise_split(&noise, &result, &err) != 0)
		fail("splitting", &err);
	exchange(&result, role);
	write_line("hash ", view_of(result.hash, HASH_SIZE));
	write_line("remote ", view_of(result.remote, NOISE_KEY));
	noise_fini(&noise);
	return 0;
}
