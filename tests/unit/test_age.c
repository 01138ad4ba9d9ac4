/*
 * age v1: every file of the C2SP vectors is judged as it says, and Debian's age opens what we make.
 * Defends P5 (stock tools read the evidence) and P7.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "proto/age_header.h"
#include "proto/age_stream.h"
#include "proto/bech32.h"
#include "proto/hash.h"
#include "proto/payload.h"
#include "proto/text.h"
#include "tests/unit/vectors.h"

#define FILE_COUNT 62
#define SUCCESS_COUNT 13
#define NO_MATCH_COUNT 6
#define HEADER_COUNT 32
#define PAYLOAD_COUNT 11
#define INFLATED_MAX ((size_t)32 << 20)

struct vector {
	struct view whole;
	struct view file;
	struct view inflated; /* where it was compressed; to be freed */
	char expect[32];
	struct view payload;
	struct view keys[4]; /* identities and passphrases in their order */
	bool is_passphrase[4];
	unsigned key_count;
};

static void
inflate_file(struct vector *vector)
{
	uLongf size = INFLATED_MAX;
	uint8_t *out = malloc(size);

	assert_non_null(out);
	assert_int_equal(uncompress(out, &size, vector->file.data, vector->file.size), Z_OK);
	vector->inflated = view_of(out, size);
	vector->file = vector->inflated;
}

static void
take_pair(struct vector *vector, struct view key, struct view value)
{
	if (view_equal(key, view_text("expect"))) {
		assert_true(value.size < sizeof(vector->expect));
		memcpy(vector->expect, value.data, value.size);
	} else if (view_equal(key, view_text("payload"))) {
		vector->payload = value;
	} else if (view_equal(key, view_text("identity")) ||
	           view_equal(key, view_text("passphrase"))) {
		assert_true(vector->key_count < 4);
		vector->is_passphrase[vector->key_count] = key.data[0] == 'p';
		vector->keys[vector->key_count++] = value;
	}
}

static void
load(struct vector *vector, const char *path)
{
	const uint8_t *at;
	bool compressed = false;

	memset(vector, 0, sizeof(*vector));
	vector->whole = vectors_file(path);
	at = vector->whole.data;
	while (*at != '\n') {
		const uint8_t *colon = memchr(at, ':', 64);
		const uint8_t *end = memchr(at, '\n', 4096);

		assert_true(colon != NULL && end != NULL && colon < end);
		take_pair(vector, view_of(at, (size_t)(colon - at)),
		    view_of(colon + 2, (size_t)(end - colon - 2)));
		compressed = compressed || memcmp(at, "compressed: zlib\n", 17) == 0;
		at = end + 1;
	}
	vector->file = view_of(at + 1, vector->whole.size - (size_t)(at + 1 - vector->whole.data));
	if (compressed)
		inflate_file(vector);
}

static int
open_header(uint8_t file_key[static AGE_FILE_KEY], const struct age_header *header,
    const struct vector *vector)
{
	int result = ERR_REFUSED;
	unsigned i;

	for (i = 0; i < vector->key_count && result == ERR_REFUSED; i++) {
		struct age_identity *identity;
		uint8_t secret[32];

		if (vector->is_passphrase[i]) {
			result =
			    age_header_open_passphrase(file_key, header, vector->keys[i], NULL);
			continue;
		}
		assert_int_equal(bech32_parse_identity(secret, vector->keys[i], NULL), 0);
		identity = age_identity_new(secret);
		assert_non_null(identity);
		result = age_header_open(file_key, header, identity, NULL);
		age_identity_free(identity);
	}
	return result;
}

/* All plaintext that is released before the end or the first refusal. */
static int
open_stream(struct view stream, const uint8_t key[static AEAD_KEY], struct hash *hash)
{
	static uint8_t plain[AGE_CHUNK];
	struct aead *aead = aead_new();
	struct age_stream reader;
	int result = 0;
	size_t at = 0;

	assert_int_equal(aead_key(aead, key), 0);
	age_stream_init(&reader, aead);
	while (at < stream.size && result == 0) {
		size_t left = stream.size - at;
		size_t size = left < AGE_SEALED_CHUNK ? left : AGE_SEALED_CHUNK;
		size_t released;

		result = age_stream_next(
		    &reader, plain, &released, view_of(stream.data + at, size), NULL);
		hash_update(hash, view_of(plain, released));
		at += size;
	}
	if (result == 0)
		result = age_stream_end(&reader, NULL);
	aead_free(aead);
	return result;
}

static const char *
judge(const struct vector *vector, uint8_t released[static HASH_SIZE])
{
	struct age_header header;
	uint8_t file_key[AGE_FILE_KEY];
	uint8_t key[AEAD_KEY];
	struct hash *hash;
	int result;

	if (age_header_parse(&header, vector->file, NULL) != 0)
		return "header failure";
	result = open_header(file_key, &header, vector);
	if (result != 0)
		return result == ERR_REFUSED ? "no match" :
		       result == ERR_FORGED  ? "HMAC failure" :
		                               "header failure";
	if (vector->file.size - header.bytes.size < AGE_STREAM_NONCE)
		return "header failure";
	age_stream_key(key, file_key, vector->file.data + header.bytes.size);
	hash = hash_new();
	result = open_stream(view_of(vector->file.data + header.bytes.size + AGE_STREAM_NONCE,
	                         vector->file.size - header.bytes.size - AGE_STREAM_NONCE),
	    key, hash);
	hash_finish(hash, released);
	hash_free(hash);
	return result == 0 ? "success" : "payload failure";
}

static void
run_file(const char *path, unsigned counts[4])
{
	static const char *const kinds[4] = {
	    "success", "no match", "header failure", "payload failure"};
	uint8_t released[HASH_SIZE];
	char hex[2 * HASH_SIZE + 1];
	struct vector vector;
	const char *verdict;
	unsigned i;

	load(&vector, path);
	verdict = judge(&vector, released);
	if (strcmp(verdict, vector.expect) != 0)
		fail_msg("%s: %s, and should be %s", path, verdict, vector.expect);
	if (vector.payload.size > 0) {
		text_hex(hex, view_of(released, HASH_SIZE));
		if (!view_equal(view_text(hex), vector.payload))
			fail_msg("%s: another plaintext is released", path);
	}
	for (i = 0; i < 4; i++)
		counts[i] += strcmp(verdict, kinds[i]) == 0;
	vectors_free(vector.inflated);
	vectors_free(vector.whole);
}

static void
test_vectors(void **state)
{
	char folder[4096];
	char path[8192];
	unsigned counts[4] = {0};
	unsigned count = 0;
	struct dirent *entry;
	DIR *directory;

	(void)state;
	(void)snprintf(folder, sizeof(folder), "%s", vectors_path("age"));
	directory = opendir(folder);
	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		assert_true(snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) > 0);
		run_file(path, counts);
		count++;
	}
	(void)closedir(directory);
	assert_int_equal(count, FILE_COUNT);
	assert_int_equal(counts[0], SUCCESS_COUNT);
	assert_int_equal(counts[1], NO_MATCH_COUNT);
	assert_int_equal(counts[2], HEADER_COUNT);
	assert_int_equal(counts[3], PAYLOAD_COUNT);
}

static void
write_file(const char *folder, const char *name, struct view bytes)
{
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
	assert_int_equal(fclose(file), 0);
}

/* header ‖ nonce ‖ payload of ${size} bytes sealed: an age file. */
static void
make_age_file(struct buffer *out, const uint8_t secret[static 32], struct view plain)
{
	const uint8_t file_key[AGE_FILE_KEY] = {1, 2, 3};
	const uint8_t nonce[AGE_STREAM_NONCE] = {4, 5, 6};
	const uint8_t ephemeral[32] = {7, 8, 9};
	struct aead *aead = aead_new();
	struct age_x25519 stanza;
	uint8_t recipient[32];
	uint8_t key[AEAD_KEY];
	uint8_t *payload;
	uint64_t leaf;
	uint64_t leaves = payload_leaf_count(payload_size(plain.size));

	assert_int_equal(crypto_scalarmult_base(recipient, secret), 0);
	assert_int_equal(age_x25519_wrap(&stanza, file_key, recipient, ephemeral), 0);
	age_header_write(out, &stanza, 1, file_key);
	assert_int_equal(out->size, age_header_size(1));
	buffer_append(out, nonce, sizeof(nonce));
	age_stream_key(key, file_key, nonce);
	assert_int_equal(aead_key(aead, key), 0);
	payload = buffer_extend(out, payload_size(plain.size));
	assert_non_null(payload);
	for (leaf = 0; leaf < leaves; leaf++) {
		size_t at = leaf * PAYLOAD_LEAF_PLAIN;
		size_t size =
		    plain.size - at < PAYLOAD_LEAF_PLAIN ? plain.size - at : PAYLOAD_LEAF_PLAIN;

		assert_int_equal(payload_seal_leaf(aead, payload + leaf * PAYLOAD_LEAF, leaf,
		                     leaf == leaves - 1, view_of(plain.data + at, size)),
		    0);
	}
	aead_free(aead);
}

static void
check_tool(const char *folder, struct view plain)
{
	char identity[64];
	char file[64];
	char out[64];
	char program[] = "age";
	char decrypt[] = "-d";
	char with[] = "-i";
	char *arguments[] = {program, decrypt, with, identity, file, NULL};
	posix_spawn_file_actions_t actions;
	struct view opened;
	pid_t child;
	int status;

	(void)snprintf(identity, sizeof(identity), "%s/identity", folder);
	(void)snprintf(file, sizeof(file), "%s/file", folder);
	(void)snprintf(out, sizeof(out), "%s/out", folder);
	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	assert_int_equal(
	    posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600),
	    0);
	assert_int_equal(posix_spawnp(&child, program, &actions, NULL, arguments, environ), 0);
	(void)posix_spawn_file_actions_destroy(&actions);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	opened = vectors_file(out);
	assert_true(view_equal(opened, plain));
	vectors_free(opened);
	assert_int_equal(unlink(out), 0);
}

/* Debian's age opens header ‖ nonce ‖ payload, of every shape that has a rule of its own. */
static void
test_tool(void **state)
{
	static const size_t sizes[] = {0, 1, 65535, 65536, 65537, PAYLOAD_LEAF_PLAIN,
	    PAYLOAD_LEAF_PLAIN + 1, 2 * PAYLOAD_LEAF_PLAIN + 70000};
	char folder[] = "/tmp/dalil-age-XXXXXX";
	char path[64];
	char identity[BECH32_IDENTITY_TEXT + 1];
	const uint8_t secret[32] = {42};
	uint8_t *plain = malloc(3 * PAYLOAD_LEAF_PLAIN);
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(folder));
	bech32_identity(identity, secret);
	write_file(folder, "identity", view_text(identity));
	for (i = 0; i < 3 * PAYLOAD_LEAF_PLAIN; i++)
		plain[i] = (uint8_t)(131 * i + 7 * (i / 256));
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buffer out;

		buffer_init(&out, 8 << 20);
		make_age_file(&out, secret, view_of(plain, sizes[i]));
		write_file(folder, "file", buffer_view(&out));
		check_tool(folder, view_of(plain, sizes[i]));
		buffer_fini(&out);
	}
	free(plain);
	(void)snprintf(path, sizeof(path), "%s/identity", folder);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_tool),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
