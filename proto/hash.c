#include "proto/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include <sodium.h>

#define BLOCK_SIZE 64
#define HKDF_MAX 64

struct hash {
	EVP_MD *digest;
	EVP_MD_CTX *context;
};

static struct hash *
hash_new_of(const char *name)
{
	struct hash *hash = calloc(1, sizeof(*hash));

	if (hash == NULL)
		return NULL;
	hash->digest = EVP_MD_fetch(NULL, name, NULL);
	hash->context = EVP_MD_CTX_new();
	if (hash->digest == NULL || hash->context == NULL ||
	    EVP_DigestInit_ex2(hash->context, hash->digest, NULL) != 1) {
		hash_free(hash);
		return NULL;
	}
	return hash;
}

struct hash *
hash_new(void)
{
	return hash_new_of("SHA256");
}

struct hash *
hash_new_sha512(void)
{
	return hash_new_of("SHA512");
}

void
hash_free(struct hash *hash)
{
	if (hash == NULL)
		return;
	EVP_MD_CTX_free(hash->context);
	EVP_MD_free(hash->digest);
	free(hash);
}

/* A digest that silently is none would let evidence pass unchecked: abort is the lesser evil. */
static void
require(int result)
{
	if (result != 1)
		abort();
}

void
hash_start(struct hash *hash)
{
	require(EVP_DigestInit_ex2(hash->context, hash->digest, NULL));
}

void
hash_update(struct hash *hash, struct view bytes)
{
	if (bytes.size > 0)
		require(EVP_DigestUpdate(hash->context, bytes.data, bytes.size));
}

void
hash_finish(struct hash *hash, uint8_t *digest)
{
	require(EVP_DigestFinal_ex(hash->context, digest, NULL));
}

/*
 * One context a thread, made at the first use and kept until the thread says that it ends:
 * fetching a digest costs more than most of the hashes here.
 */
static _Thread_local struct hash *mine;

static struct hash *
hash_mine(void)
{
	if (mine == NULL) {
		mine = hash_new();
		if (mine == NULL)
			abort();
	}
	return mine;
}

void
hash_thread_end(void)
{
	hash_free(mine);
	mine = NULL;
}

void
hash_sha256(uint8_t digest[static HASH_SIZE], struct view bytes)
{
	hash_sha256_of(digest, &bytes, 1);
}

void
hash_sha256_of(uint8_t digest[static HASH_SIZE], const struct view *views, size_t count)
{
	struct hash *hash = hash_mine();
	size_t i;

	hash_start(hash);
	for (i = 0; i < count; i++)
		hash_update(hash, views[i]);
	hash_finish(hash, digest);
}

/* RFC 2104. */
void
hash_hmac(uint8_t mac[static HASH_SIZE], struct view key, const struct view *views, size_t count)
{
	struct hash *hash = hash_mine();
	uint8_t block[BLOCK_SIZE] = {0};
	uint8_t inner[HASH_SIZE];
	size_t i;

	if (key.size > BLOCK_SIZE)
		hash_sha256(block, key);
	else if (key.size > 0)
		memcpy(block, key.data, key.size);
	for (i = 0; i < BLOCK_SIZE; i++)
		block[i] ^= 0x36;
	hash_start(hash);
	hash_update(hash, view_of(block, BLOCK_SIZE));
	for (i = 0; i < count; i++)
		hash_update(hash, views[i]);
	hash_finish(hash, inner);
	for (i = 0; i < BLOCK_SIZE; i++)
		block[i] ^= 0x36 ^ 0x5c;
	hash_start(hash);
	hash_update(hash, view_of(block, BLOCK_SIZE));
	hash_update(hash, view_of(inner, HASH_SIZE));
	hash_finish(hash, mac);
	sodium_memzero(block, sizeof(block));
	sodium_memzero(inner, sizeof(inner));
}

/* RFC 5869: extract with the salt, expand with the info. */
void
hash_hkdf(uint8_t *out, size_t size, struct view key, struct view salt, struct view info)
{
	uint8_t extracted[HASH_SIZE];
	uint8_t block[HASH_SIZE];
	uint8_t counter = 0;
	size_t done = 0;

	if (size > HKDF_MAX)
		abort();
	hash_hmac(extracted, salt, &key, 1);
	while (done < size) {
		size_t part = size - done < HASH_SIZE ? size - done : HASH_SIZE;
		struct view views[3] = {
		    view_of(block, counter == 0 ? 0 : HASH_SIZE), info, view_of(&counter, 1)};

		counter++;
		hash_hmac(block, view_of(extracted, HASH_SIZE), views, 3);
		memcpy(out + done, block, part);
		done += part;
	}
	sodium_memzero(extracted, sizeof(extracted));
	sodium_memzero(block, sizeof(block));
}
