/* Stanzas of an age v1 header: X25519 made and opened, scrypt opened.  The grammar: age_header.c. */
#include <sodium.h>

#include "proto/age_base64.h"
#include "proto/hash.h"

#define X25519_INFO "age-encryption.org/v1/X25519"
#define SCRYPT_LABEL "age-encryption.org/v1/scrypt"
#define SCRYPT_SALT 16

/* A wrapping key serves once, so that its nonce is zero (C2SP age). */
static const uint8_t zero_nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

struct age_identity *
age_identity_new(const uint8_t secret[static AGE_X25519])
{
	struct age_identity *identity = sodium_malloc(sizeof(*identity));

	if (identity == NULL)
		return NULL;
	memcpy(identity->secret, secret, AGE_X25519);
	if (crypto_scalarmult_base(identity->recipient, secret) != 0) {
		sodium_free(identity);
		return NULL;
	}
	(void)sodium_mprotect_readonly(identity);
	return identity;
}

void
age_identity_free(struct age_identity *identity)
{
	sodium_free(identity);
}

/* HKDF(shared secret, salt = share ‖ recipient). */
static void
wrapping_key(uint8_t key[static 32], const uint8_t shared[static AGE_X25519],
    const uint8_t share[static AGE_X25519], const uint8_t recipient[static AGE_X25519])
{
	uint8_t salt[2 * AGE_X25519];

	memcpy(salt, share, AGE_X25519);
	memcpy(salt + AGE_X25519, recipient, AGE_X25519);
	hash_hkdf(key, 32, view_of(shared, AGE_X25519), view_of(salt, sizeof(salt)),
	    view_text(X25519_INFO));
}

int
age_x25519_wrap(struct age_x25519 *x25519, const uint8_t file_key[static AGE_FILE_KEY],
    const uint8_t recipient[static AGE_X25519], const uint8_t ephemeral[static AGE_X25519])
{
	uint8_t shared[AGE_X25519];
	uint8_t key[32];

	if (crypto_scalarmult(shared, ephemeral, recipient) != 0 ||
	    crypto_scalarmult_base(x25519->share, ephemeral) != 0)
		return ERR_REFUSED;
	wrapping_key(key, shared, x25519->share, recipient);
	(void)crypto_aead_chacha20poly1305_ietf_encrypt(
	    x25519->body, NULL, file_key, AGE_FILE_KEY, NULL, 0, NULL, zero_nonce, key);
	sodium_memzero(shared, sizeof(shared));
	sodium_memzero(key, sizeof(key));
	return ERR_NONE;
}

/* A body that is one line of 32 bytes. */
static bool
decode_body(uint8_t body[static AGE_BODY], const struct age_stanza *stanza)
{
	return stanza->body.size == AGE_BASE64_32 + 1 &&
	       age_base64_decode(body, AGE_BODY, view_of(stanza->body.data, AGE_BASE64_32));
}

int
age_stanza_x25519(struct age_x25519 *x25519, const struct age_stanza *stanza, struct err *err)
{
	if (stanza->argument_count != 1 ||
	    !age_base64_decode(x25519->share, AGE_X25519, stanza->arguments[0]) ||
	    !decode_body(x25519->body, stanza))
		return err_set(err, ERR_MALFORMED, "age header: an X25519 stanza is malformed");
	return ERR_NONE;
}

/* ERR_REFUSED where the stanza is another's; ERR_MALFORMED for a share of low order. */
static int
x25519_unwrap(uint8_t file_key[static AGE_FILE_KEY], const struct age_x25519 *x25519,
    const struct age_identity *identity, struct err *err)
{
	uint8_t shared[AGE_X25519];
	uint8_t key[32];
	int result;

	if (crypto_scalarmult(shared, identity->secret, x25519->share) != 0)
		return err_set(
		    err, ERR_MALFORMED, "age header: an X25519 stanza's share is of low order");
	wrapping_key(key, shared, x25519->share, identity->recipient);
	result = crypto_aead_chacha20poly1305_ietf_decrypt(
	    file_key, NULL, NULL, x25519->body, AGE_BODY, NULL, 0, zero_nonce, key);
	sodium_memzero(shared, sizeof(shared));
	sodium_memzero(key, sizeof(key));
	return result == 0 ? ERR_NONE : ERR_REFUSED;
}

static bool
is_type(const struct age_stanza *stanza, const char *type)
{
	return view_equal(stanza->type, view_text(type));
}

/* Rules over all stanzas, whoever opens: a passphrase stands alone. */
static int
check_stanzas(const struct age_header *header, struct err *err)
{
	struct view rest = header->stanzas;
	struct age_stanza stanza;

	while (age_stanza_next(&rest, &stanza))
		if (is_type(&stanza, "scrypt") && header->stanza_count != 1)
			return err_set(
			    err, ERR_MALFORMED, "age header: a scrypt stanza does not stand alone");
	return ERR_NONE;
}

static int
check_mac(uint8_t file_key[static AGE_FILE_KEY], const struct age_header *header, struct err *err)
{
	uint8_t mac[HASH_SIZE];

	age_header_mac(mac, file_key, header->covered);
	if (sodium_memcmp(mac, header->mac, sizeof(mac)) == 0)
		return ERR_NONE;
	sodium_memzero(file_key, AGE_FILE_KEY);
	return err_set(err, ERR_FORGED, "age header: its MAC does not hold");
}

int
age_header_open(uint8_t file_key[static AGE_FILE_KEY], const struct age_header *header,
    const struct age_identity *identity, struct err *err)
{
	struct view rest = header->stanzas;
	struct age_stanza stanza;
	struct age_x25519 x25519;
	int result;

	memset(file_key, 0, AGE_FILE_KEY);
	result = check_stanzas(header, err);
	if (result != 0)
		return result;
	while (age_stanza_next(&rest, &stanza)) {
		if (!is_type(&stanza, "X25519"))
			continue;
		result = age_stanza_x25519(&x25519, &stanza, err);
		if (result == 0)
			result = x25519_unwrap(file_key, &x25519, identity, err);
		if (result == 0)
			return check_mac(file_key, header, err);
		memset(file_key, 0, AGE_FILE_KEY);
		if (result != ERR_REFUSED)
			return result;
	}
	return err_set(err, ERR_REFUSED, "this key is not among the readers");
}

struct scrypt {
	uint8_t salt[SCRYPT_SALT];
	uint8_t body[AGE_BODY];
	unsigned work; /* log2 N */
};

/* Two arguments: the salt, and log2 N in decimal without leading zeros. */
static int
parse_scrypt(struct scrypt *scrypt, const struct age_stanza *stanza, struct err *err)
{
	struct view work = stanza->arguments[1];
	size_t i;

	scrypt->work = 0;
	if (stanza->argument_count != 2 ||
	    !age_base64_decode(scrypt->salt, SCRYPT_SALT, stanza->arguments[0]) ||
	    !decode_body(scrypt->body, stanza) || work.size > 2 || work.data[0] == '0')
		return err_set(err, ERR_MALFORMED, "age header: a scrypt stanza is malformed");
	for (i = 0; i < work.size; i++) {
		if (work.data[i] < '0' || work.data[i] > '9')
			return err_set(
			    err, ERR_MALFORMED, "age header: a scrypt work factor is no number");
		scrypt->work = scrypt->work * 10 + (unsigned)(work.data[i] - '0');
	}
	if (scrypt->work > AGE_WORK_FACTOR_MAX)
		return err_set(err, ERR_MALFORMED, "age header: a scrypt work factor is over 22");
	return ERR_NONE;
}

static int
scrypt_unwrap(uint8_t file_key[static AGE_FILE_KEY], const struct scrypt *scrypt,
    struct view passphrase, struct err *err)
{
	uint8_t salt[sizeof(SCRYPT_LABEL) - 1 + SCRYPT_SALT];
	uint8_t key[32];
	int result;

	memcpy(salt, SCRYPT_LABEL, sizeof(SCRYPT_LABEL) - 1);
	memcpy(salt + sizeof(SCRYPT_LABEL) - 1, scrypt->salt, SCRYPT_SALT);
	if (crypto_pwhash_scryptsalsa208sha256_ll(passphrase.data, passphrase.size, salt,
	        sizeof(salt), (uint64_t)1 << scrypt->work, 8, 1, key, sizeof(key)) != 0)
		return err_set(err, ERR_MEMORY, "no memory for the passphrase's scrypt");
	result = crypto_aead_chacha20poly1305_ietf_decrypt(
	    file_key, NULL, NULL, scrypt->body, AGE_BODY, NULL, 0, zero_nonce, key);
	sodium_memzero(key, sizeof(key));
	if (result == 0)
		return ERR_NONE;
	memset(file_key, 0, AGE_FILE_KEY);
	return err_set(err, ERR_REFUSED, "the passphrase is another");
}

int
age_header_open_passphrase(uint8_t file_key[static AGE_FILE_KEY], const struct age_header *header,
    struct view passphrase, struct err *err)
{
	struct view rest = header->stanzas;
	struct age_stanza stanza;
	struct scrypt scrypt;
	int result;

	memset(file_key, 0, AGE_FILE_KEY);
	result = check_stanzas(header, err);
	if (result != 0)
		return result;
	if (!age_stanza_next(&rest, &stanza) || !is_type(&stanza, "scrypt"))
		return err_set(err, ERR_REFUSED, "the file is not for a passphrase");
	result = parse_scrypt(&scrypt, &stanza, err);
	if (result == 0)
		result = scrypt_unwrap(file_key, &scrypt, passphrase, err);
	return result == 0 ? check_mac(file_key, header, err) : result;
}
