#include "proto/noise.h"

#include <sodium.h>
#include <stdio.h>

#include "proto/hash.h"

/*
 * The Noise Protocol Framework, revision 34: sections 5 (processing rules), 7 (patterns) and 9
 * (pre-shared keys).  The functions are named after the objects of section 5.
 */

#define MESSAGES_MAX 3
#define TOKENS_MAX 5
#define NO_PSK UINT8_MAX

enum token { TOKEN_END, TOKEN_E, TOKEN_S, TOKEN_EE, TOKEN_ES, TOKEN_SE, TOKEN_SS };

/* A fundamental pattern of section 7; messages go from the initiator and back in turn. */
struct shape {
	const char *name;
	bool initiator_known; /* "-> s" stands before the messages */
	bool responder_known; /* "<- s" stands before the messages */
	bool one_way;
	uint8_t messages;
	uint8_t tokens[MESSAGES_MAX][TOKENS_MAX];
};

static const struct shape shapes[] = {
    {"N", false, true, true, 1, {{TOKEN_E, TOKEN_ES}}},
    {"K", true, true, true, 1, {{TOKEN_E, TOKEN_ES, TOKEN_SS}}},
    {"X", false, true, true, 1, {{TOKEN_E, TOKEN_ES, TOKEN_S, TOKEN_SS}}},
    {"NN", false, false, false, 2, {{TOKEN_E}, {TOKEN_E, TOKEN_EE}}},
    {"NK", false, true, false, 2, {{TOKEN_E, TOKEN_ES}, {TOKEN_E, TOKEN_EE}}},
    {"KK", true, true, false, 2, {{TOKEN_E, TOKEN_ES, TOKEN_SS}, {TOKEN_E, TOKEN_EE, TOKEN_SE}}},
    {"XK", false, true, false, 3, {{TOKEN_E, TOKEN_ES}, {TOKEN_E, TOKEN_EE}, {TOKEN_S, TOKEN_SE}}},
    {"IK", false, true, false, 2,
        {{TOKEN_E, TOKEN_ES, TOKEN_S, TOKEN_SS}, {TOKEN_E, TOKEN_EE, TOKEN_SE}}},
    {"XX", false, false, false, 3,
        {{TOKEN_E}, {TOKEN_E, TOKEN_EE, TOKEN_S, TOKEN_ES}, {TOKEN_S, TOKEN_SE}}},
    {"IX", false, false, false, 2,
        {{TOKEN_E, TOKEN_S}, {TOKEN_E, TOKEN_EE, TOKEN_SE, TOKEN_S, TOKEN_ES}}},
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* A protocol name: a shape, and after how many messages the pre-shared key is mixed in. */
struct noise_pattern {
	const char *name;
	const char *shape;
	uint8_t psk;
};

#define SUITE "_25519_ChaChaPoly_SHA256"

static const struct noise_pattern patterns[] = {
    {NOISE_DALIL, "XK", 3},
    {"Noise_N" SUITE, "N", NO_PSK},
    {"Noise_K" SUITE, "K", NO_PSK},
    {"Noise_X" SUITE, "X", NO_PSK},
    {"Noise_NN" SUITE, "NN", NO_PSK},
    {"Noise_NK" SUITE, "NK", NO_PSK},
    {"Noise_KK" SUITE, "KK", NO_PSK},
    {"Noise_XK" SUITE, "XK", NO_PSK},
    {"Noise_IK" SUITE, "IK", NO_PSK},
    {"Noise_XX" SUITE, "XX", NO_PSK},
    {"Noise_IX" SUITE, "IX", NO_PSK},
    {"Noise_Npsk0" SUITE, "N", 0},
    {"Noise_Kpsk0" SUITE, "K", 0},
    {"Noise_Xpsk1" SUITE, "X", 1},
    {"Noise_NNpsk0" SUITE, "NN", 0},
    {"Noise_NNpsk2" SUITE, "NN", 2},
    {"Noise_NKpsk0" SUITE, "NK", 0},
    {"Noise_NKpsk2" SUITE, "NK", 2},
    {"Noise_KKpsk0" SUITE, "KK", 0},
    {"Noise_KKpsk2" SUITE, "KK", 2},
    {"Noise_IKpsk1" SUITE, "IK", 1},
    {"Noise_IKpsk2" SUITE, "IK", 2},
    {"Noise_XXpsk3" SUITE, "XX", 3},
    {"Noise_IXpsk2" SUITE, "IX", 2},
};

#define PATTERNS (sizeof(patterns) / sizeof(patterns[0]))

unsigned
noise_pattern_count(void)
{
	return PATTERNS;
}

const char *
noise_pattern_name(unsigned index)
{
	return index < PATTERNS ? patterns[index].name : NULL;
}

static const struct shape *
shape_of(const struct noise_pattern *pattern)
{
	size_t i;

	for (i = 0; i < SHAPES; i++) {
		if (strcmp(shapes[i].name, pattern->shape) == 0)
			return &shapes[i];
	}
	return NULL;
}

int
noise_public_key(uint8_t key[static NOISE_KEY], const uint8_t secret[static NOISE_KEY])
{
	return crypto_scalarmult_base(key, secret) == 0 ? ERR_NONE : ERR_REFUSED;
}

/* HKDF of section 4.3: ${count} outputs of 32 bytes; the chaining key becomes the first. */
static void
chain(struct noise *noise, struct view input, uint8_t *second, uint8_t *third)
{
	uint8_t extracted[HASH_SIZE];
	uint8_t last[HASH_SIZE];
	uint8_t counter = 1;
	struct view views[2] = {view_of(last, HASH_SIZE), view_of(&counter, 1)};
	struct view key = view_of(extracted, HASH_SIZE);

	hash_hmac(extracted, view_of(noise->chaining_key, HASH_SIZE), &input, 1);
	hash_hmac(last, key, &views[1], 1);
	memcpy(noise->chaining_key, last, HASH_SIZE);
	counter = 2;
	hash_hmac(second, key, views, 2);
	if (third != NULL) {
		memcpy(last, second, HASH_SIZE);
		counter = 3;
		hash_hmac(third, key, views, 2);
	}
	sodium_memzero(extracted, sizeof(extracted));
	sodium_memzero(last, sizeof(last));
}

static void
mix_hash(struct noise *noise, struct view data)
{
	struct view views[2] = {view_of(noise->hash, HASH_SIZE), data};

	hash_sha256_of(noise->hash, views, 2);
}

static void
mix_key(struct noise *noise, struct view input)
{
	chain(noise, input, noise->cipher_key, NULL);
	noise->keyed = true;
	noise->nonce = 0;
}

static void
mix_key_and_hash(struct noise *noise, struct view input)
{
	uint8_t middle[HASH_SIZE];

	chain(noise, input, middle, noise->cipher_key);
	mix_hash(noise, view_of(middle, HASH_SIZE));
	noise->keyed = true;
	noise->nonce = 0;
	sodium_memzero(middle, sizeof(middle));
}

/* Four zero bytes and the counter in little-endian (section 12, ChaChaPoly). */
static void
nonce_bytes(uint8_t bytes[static 12], uint64_t nonce)
{
	unsigned i;

	memset(bytes, 0, 4);
	for (i = 0; i < 8; i++)
		bytes[4 + i] = (uint8_t)(nonce >> (8 * i));
}

/* EncryptAndHash: append the ciphertext, or the plaintext while there is no key. */
static void
encrypt_and_hash(struct noise *noise, struct view plain, struct buffer *out)
{
	size_t size = plain.size + (noise->keyed ? NOISE_TAG : 0);
	uint8_t *at = buffer_extend(out, size);
	uint8_t nonce[12];

	if (out->err != ERR_NONE)
		return;
	if (noise->keyed) {
		nonce_bytes(nonce, noise->nonce++);
		(void)crypto_aead_chacha20poly1305_ietf_encrypt(at, NULL, plain.data, plain.size,
		    noise->hash, HASH_SIZE, NULL, nonce, noise->cipher_key);
	} else if (size > 0) {
		memcpy(at, plain.data, size);
	}
	mix_hash(noise, view_of(at, size));
}

/* DecryptAndHash: append the plaintext. */
static int
decrypt_and_hash(struct noise *noise, struct view sealed, struct buffer *out, struct err *err)
{
	size_t tag = noise->keyed ? NOISE_TAG : 0;
	uint8_t nothing[1];
	uint8_t nonce[12];
	uint8_t *at;

	if (sealed.size < tag)
		return err_set(err, ERR_MALFORMED, "a handshake message is too short (design 6)");
	/* Nothing to append still has a tag to check: an empty buffer has no memory to point at. */
	at = sealed.size > tag ? buffer_extend(out, sealed.size - tag) : nothing;
	if (out->err != ERR_NONE)
		return err_set(
		    err, out->err, "a handshake message carries more than is taken (design 6)");
	if (noise->keyed) {
		nonce_bytes(nonce, noise->nonce++);
		if (crypto_aead_chacha20poly1305_ietf_decrypt(at, NULL, NULL, sealed.data,
		        sealed.size, noise->hash, HASH_SIZE, nonce, noise->cipher_key) != 0) {
			out->size -= sealed.size - tag;
			return err_set(err, ERR_FORGED,
			    "a handshake message does not open: another key, or altered (design "
			    "6)");
		}
	} else if (sealed.size > 0) {
		memcpy(at, sealed.data, sealed.size);
	}
	mix_hash(noise, sealed);
	return ERR_NONE;
}

/* MixKey(DH): a result of zeros means a key of low order, which is refused (section 12). */
static int
mix_secret(struct noise *noise, const uint8_t *secret, const uint8_t *key, struct err *err)
{
	uint8_t shared[NOISE_KEY];
	int code = ERR_NONE;

	if (crypto_scalarmult(shared, secret, key) != 0)
		code = err_set(err, ERR_REFUSED, "a key of low order in a handshake (design 6)");
	else
		mix_key(noise, view_of(shared, sizeof(shared)));
	sodium_memzero(shared, sizeof(shared));
	return code;
}

/* The DH tokens: the first letter is the initiator's key, the second the responder's. */
static int
mix_token(struct noise *noise, enum token token, struct err *err)
{
	bool mine_is_static;
	bool theirs_is_static;
	bool initiator = noise->role == NOISE_INITIATOR;

	mine_is_static = token == TOKEN_SS || token == (initiator ? TOKEN_SE : TOKEN_ES);
	theirs_is_static = token == TOKEN_SS || token == (initiator ? TOKEN_ES : TOKEN_SE);
	return mix_secret(noise, mine_is_static ? noise->secret : noise->ephemeral_secret,
	    theirs_is_static ? noise->remote : noise->remote_ephemeral, err);
}

static int
mix_psk(struct noise *noise, struct err *err)
{
	if (!noise->has_psk && noise->find_psk != NULL) {
		int code = noise->find_psk(noise->cookie, noise->remote, noise->psk);

		if (code != ERR_NONE)
			return err_set(err, code, "no pairing with this transport key (design 6)");
		noise->has_psk = true;
	}
	mix_key_and_hash(noise, view_of(noise->psk, NOISE_KEY));
	return ERR_NONE;
}

/* An ephemeral is hashed, and where a pre-shared key is in play also mixed (section 9.2). */
static void
mix_ephemeral(struct noise *noise, const uint8_t key[static NOISE_KEY])
{
	mix_hash(noise, view_of(key, NOISE_KEY));
	if (noise->pattern->psk != NO_PSK)
		mix_key(noise, view_of(key, NOISE_KEY));
}

static int
write_token(struct noise *noise, enum token token, const uint8_t *ephemeral, struct buffer *out,
    struct err *err)
{
	switch (token) {
	case TOKEN_E:
		memcpy(noise->ephemeral_secret, ephemeral, NOISE_KEY);
		if (noise_public_key(noise->ephemeral_key, ephemeral) != ERR_NONE)
			return err_set(err, ERR_REFUSED, "an ephemeral key that is no key");
		buffer_append(out, noise->ephemeral_key, NOISE_KEY);
		mix_ephemeral(noise, noise->ephemeral_key);
		return ERR_NONE;
	case TOKEN_S:
		encrypt_and_hash(noise, view_of(noise->static_key, NOISE_KEY), out);
		return ERR_NONE;
	case TOKEN_EE:
	case TOKEN_ES:
	case TOKEN_SE:
	case TOKEN_SS:
		return mix_token(noise, token, err);
	case TOKEN_END:
		break;
	}
	return ERR_NONE;
}

static struct view
take(struct view *from, size_t size)
{
	struct view taken = view_of(from->data, size < from->size ? size : from->size);

	from->data += taken.size;
	from->size -= taken.size;
	return taken;
}

static int
read_static(struct noise *noise, struct view *message, struct err *err)
{
	struct buffer key;
	int code;

	buffer_init(&key, NOISE_KEY);
	code = decrypt_and_hash(
	    noise, take(message, NOISE_KEY + (noise->keyed ? NOISE_TAG : 0)), &key, err);
	if (code == ERR_NONE && key.size != NOISE_KEY)
		code = err_set(err, ERR_MALFORMED, "a handshake message is too short (design 6)");
	if (code == ERR_NONE) {
		memcpy(noise->remote, key.data, NOISE_KEY);
	}
	buffer_fini(&key);
	return code;
}

static int
read_token(struct noise *noise, enum token token, struct view *message, struct err *err)
{
	struct view key;

	switch (token) {
	case TOKEN_E:
		key = take(message, NOISE_KEY);
		if (key.size != NOISE_KEY)
			return err_set(
			    err, ERR_MALFORMED, "a handshake message is too short (design 6)");
		memcpy(noise->remote_ephemeral, key.data, NOISE_KEY);
		mix_ephemeral(noise, noise->remote_ephemeral);
		return ERR_NONE;
	case TOKEN_S:
		return read_static(noise, message, err);
	case TOKEN_EE:
	case TOKEN_ES:
	case TOKEN_SE:
	case TOKEN_SS:
		return mix_token(noise, token, err);
	case TOKEN_END:
		break;
	}
	return ERR_NONE;
}

/* Which side's own and remote static keys a pattern uses before any message carries them. */
static bool
sends_static(const struct shape *shape, enum noise_role role)
{
	unsigned message;
	unsigned i;

	if (role == NOISE_INITIATOR ? shape->initiator_known : shape->responder_known)
		return true;
	for (message = role == NOISE_INITIATOR ? 0 : 1; message < shape->messages; message += 2) {
		for (i = 0; i < TOKENS_MAX; i++) {
			if (shape->tokens[message][i] == TOKEN_S)
				return true;
		}
	}
	return false;
}

static int
take_keys(
    struct noise *noise, const struct shape *shape, const struct noise_keys *keys, struct err *err)
{
	bool wants_remote =
	    noise->role == NOISE_INITIATOR ? shape->responder_known : shape->initiator_known;

	if (sends_static(shape, noise->role)) {
		if (keys->secret == NULL)
			return err_set(err, ERR_USAGE, "this handshake needs an own static key");
		memcpy(noise->secret, keys->secret, NOISE_KEY);
		if (noise_public_key(noise->static_key, noise->secret) != ERR_NONE)
			return err_set(err, ERR_REFUSED, "the own static key is no key");
	}
	if (wants_remote) {
		if (keys->remote == NULL)
			return err_set(
			    err, ERR_USAGE, "this handshake needs the remote static key");
		memcpy(noise->remote, keys->remote, NOISE_KEY);
	}
	if (noise->pattern->psk != NO_PSK) {
		if (keys->psk == NULL && keys->find_psk == NULL)
			return err_set(err, ERR_USAGE, "this handshake needs a pre-shared key");
		if (keys->psk != NULL) {
			memcpy(noise->psk, keys->psk, NOISE_KEY);
			noise->has_psk = true;
		}
		noise->find_psk = keys->find_psk;
		noise->cookie = keys->cookie;
	}
	return ERR_NONE;
}

/* Initialize of section 5.3: the protocol's name, the prologue, the keys known beforehand. */
static void
start(struct noise *noise, const struct shape *shape, struct view prologue)
{
	struct view name = view_text(noise->pattern->name);
	bool initiator = noise->role == NOISE_INITIATOR;

	if (name.size <= HASH_SIZE)
		memcpy(noise->hash, name.data, name.size);
	else
		hash_sha256(noise->hash, name);
	memcpy(noise->chaining_key, noise->hash, HASH_SIZE);
	mix_hash(noise, prologue);
	if (shape->initiator_known)
		mix_hash(noise, view_of(initiator ? noise->static_key : noise->remote, NOISE_KEY));
	if (shape->responder_known)
		mix_hash(noise, view_of(initiator ? noise->remote : noise->static_key, NOISE_KEY));
}

int
noise_init(struct noise *noise, const char *protocol, enum noise_role role, struct view prologue,
    const struct noise_keys *keys, struct err *err)
{
	const struct shape *shape;
	size_t i;
	int code;

	memset(noise, 0, sizeof(*noise));
	noise->role = role;
	for (i = 0; i < PATTERNS && strcmp(patterns[i].name, protocol) != 0; i++)
		;
	if (i == PATTERNS)
		return noise->err =
		           err_set(err, ERR_USAGE, "no handshake by the name %s", protocol);
	noise->pattern = &patterns[i];
	shape = shape_of(noise->pattern);
	code = take_keys(noise, shape, keys, err);
	if (code != ERR_NONE) {
		noise_fini(noise);
		return noise->err = code;
	}
	start(noise, shape, prologue);
	return ERR_NONE;
}

void
noise_fini(struct noise *noise)
{
	sodium_memzero(noise, sizeof(*noise));
	noise->err = ERR_CANCELLED;
}

bool
noise_done(const struct noise *noise)
{
	return noise->err == ERR_NONE && noise->next == shape_of(noise->pattern)->messages;
}

bool
noise_writes(const struct noise *noise)
{
	return noise->err == ERR_NONE && !noise_done(noise) &&
	       (noise->next % 2 == 0) == (noise->role == NOISE_INITIATOR);
}

static int
write_tokens(struct noise *noise, const uint8_t *ephemeral, struct buffer *out, struct err *err)
{
	const uint8_t *tokens = shape_of(noise->pattern)->tokens[noise->next];
	int code = ERR_NONE;
	unsigned i;

	if (noise->next == 0 && noise->pattern->psk == 0)
		code = mix_psk(noise, err);
	for (i = 0; code == ERR_NONE && i < TOKENS_MAX && tokens[i] != TOKEN_END; i++)
		code = write_token(noise, (enum token)tokens[i], ephemeral, out, err);
	if (code == ERR_NONE && noise->pattern->psk == noise->next + 1)
		code = mix_psk(noise, err);
	return code;
}

int
noise_write(struct noise *noise, const uint8_t ephemeral[static NOISE_KEY], struct view payload,
    struct buffer *out, struct err *err)
{
	size_t before = out->size;
	int code;

	if (!noise_writes(noise))
		return err_set(err, ERR_USAGE, "this handshake has nothing to write now");
	code = write_tokens(noise, ephemeral, out, err);
	if (code == ERR_NONE) {
		encrypt_and_hash(noise, payload, out);
		if (out->err == ERR_NONE && out->size - before > NOISE_MESSAGE_MAX)
			out->err = ERR_LIMIT;
		if (out->err != ERR_NONE)
			code = err_set(err, out->err, "no room for a handshake message");
	}
	noise->next++;
	return noise->err = code;
}

static int
read_tokens(struct noise *noise, struct view *message, struct err *err)
{
	const uint8_t *tokens = shape_of(noise->pattern)->tokens[noise->next];
	int code = ERR_NONE;
	unsigned i;

	if (noise->next == 0 && noise->pattern->psk == 0)
		code = mix_psk(noise, err);
	for (i = 0; code == ERR_NONE && i < TOKENS_MAX && tokens[i] != TOKEN_END; i++)
		code = read_token(noise, (enum token)tokens[i], message, err);
	if (code == ERR_NONE && noise->pattern->psk == noise->next + 1)
		code = mix_psk(noise, err);
	return code;
}

int
noise_read(struct noise *noise, struct view message, struct buffer *payload, struct err *err)
{
	int code;

	if (noise->err != ERR_NONE || noise_done(noise) || noise_writes(noise))
		return err_set(err, ERR_USAGE, "this handshake has nothing to read now");
	if (message.size > NOISE_MESSAGE_MAX)
		code = err_set(err, ERR_MALFORMED, "a handshake message is too long (design 6)");
	else
		code = read_tokens(noise, &message, err);
	if (code == ERR_NONE)
		code = decrypt_and_hash(noise, message, payload, err);
	noise->next++;
	return noise->err = code;
}

/* Split of section 5.2; the chaining key goes on into the frames' rotation, as in BOLT 8. */
int
noise_split(const struct noise *noise, struct noise_result *result, struct err *err)
{
	bool initiator = noise->role == NOISE_INITIATOR;
	uint8_t keys[2 * NOISE_KEY];

	memset(result, 0, sizeof(*result));
	if (!noise_done(noise))
		return err_set(err, ERR_USAGE, "the handshake is not done");
	hash_hkdf(keys, sizeof(keys), view_of("", 0), view_of(noise->chaining_key, HASH_SIZE),
	    view_of("", 0));
	memcpy(result->send, keys + (initiator ? 0 : NOISE_KEY), NOISE_KEY);
	memcpy(result->receive, keys + (initiator ? NOISE_KEY : 0), NOISE_KEY);
	memcpy(result->chaining_key, noise->chaining_key, HASH_SIZE);
	memcpy(result->hash, noise->hash, HASH_SIZE);
	memcpy(result->remote, noise->remote, NOISE_KEY);
	if (shape_of(noise->pattern)->one_way)
		sodium_memzero(initiator ? result->receive : result->send, NOISE_KEY);
	sodium_memzero(keys, sizeof(keys));
	return ERR_NONE;
}
