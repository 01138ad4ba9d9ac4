#include "proto/aead.h"

#include <limits.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>

#include "proto/err.h"

struct aead {
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *seal;
	EVP_CIPHER_CTX *open;
};

struct aead *
aead_new(void)
{
	struct aead *aead = calloc(1, sizeof(*aead));

	if (aead == NULL)
		return NULL;
	aead->cipher = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
	aead->seal = EVP_CIPHER_CTX_new();
	aead->open = EVP_CIPHER_CTX_new();
	if (aead->cipher == NULL || aead->seal == NULL || aead->open == NULL) {
		aead_free(aead);
		return NULL;
	}
	return aead;
}

/* libcrypto wipes the key schedule when it frees a context. */
void
aead_free(struct aead *aead)
{
	if (aead == NULL)
		return;
	EVP_CIPHER_CTX_free(aead->seal);
	EVP_CIPHER_CTX_free(aead->open);
	EVP_CIPHER_free(aead->cipher);
	free(aead);
}

int
aead_key(struct aead *aead, const uint8_t key[static AEAD_KEY])
{
	if (EVP_EncryptInit_ex2(aead->seal, aead->cipher, key, NULL, NULL) != 1 ||
	    EVP_DecryptInit_ex2(aead->open, aead->cipher, key, NULL, NULL) != 1)
		return ERR_MEMORY;
	return ERR_NONE;
}

int
aead_seal(struct aead *aead, uint8_t *out, const uint8_t nonce[static AEAD_NONCE],
    struct view plain, struct view associated)
{
	int size = 0;

	if (plain.size > INT_MAX - AEAD_TAG || associated.size > INT_MAX)
		return ERR_LIMIT;
	if (EVP_EncryptInit_ex2(aead->seal, NULL, NULL, nonce, NULL) != 1)
		return ERR_MEMORY;
	if (associated.size > 0 &&
	    EVP_EncryptUpdate(aead->seal, NULL, &size, associated.data, (int)associated.size) != 1)
		return ERR_MEMORY;
	if (plain.size > 0 &&
	    EVP_EncryptUpdate(aead->seal, out, &size, plain.data, (int)plain.size) != 1)
		return ERR_MEMORY;
	if (EVP_EncryptFinal_ex(aead->seal, out + plain.size, &size) != 1 ||
	    EVP_CIPHER_CTX_ctrl(aead->seal, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG, out + plain.size) != 1)
		return ERR_MEMORY;
	return ERR_NONE;
}

/* The tag is copied first: ${out} may be the sealed bytes themselves. */
int
aead_open(struct aead *aead, uint8_t *out, const uint8_t nonce[static AEAD_NONCE],
    struct view sealed, struct view associated)
{
	uint8_t tag[AEAD_TAG];
	size_t plain;
	int size = 0;

	if (sealed.size < AEAD_TAG)
		return ERR_FORGED;
	plain = sealed.size - AEAD_TAG;
	if (plain > INT_MAX || associated.size > INT_MAX)
		return ERR_LIMIT;
	memcpy(tag, sealed.data + plain, AEAD_TAG);
	if (EVP_DecryptInit_ex2(aead->open, NULL, NULL, nonce, NULL) != 1 ||
	    EVP_CIPHER_CTX_ctrl(aead->open, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG, tag) != 1)
		return ERR_MEMORY;
	if (associated.size > 0 &&
	    EVP_DecryptUpdate(aead->open, NULL, &size, associated.data, (int)associated.size) != 1)
		return ERR_FORGED;
	if (plain > 0 && EVP_DecryptUpdate(aead->open, out, &size, sealed.data, (int)plain) != 1) {
		sodium_memzero(out, plain);
		return ERR_FORGED;
	}
	if (EVP_DecryptFinal_ex(aead->open, out + plain, &size) != 1) {
		if (plain > 0)
			sodium_memzero(out, plain);
		return ERR_FORGED;
	}
	return ERR_NONE;
}
