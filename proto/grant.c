/* Grants: real stanzas and dummies, shuffled, so that a record tells nobody its readers. */
#include "proto/grant.h"

#include <sodium.h>
#include <stdlib.h>

static size_t
padded_count(size_t count)
{
	size_t padded = GRANT_STANZAS_MIN;

	while (padded < count)
		padded *= 2;
	return padded;
}

/* A dummy is a real ephemeral share and 32 random bytes: nobody tells it from another's. */
static int
make_stanza(struct age_x25519 *stanza, const uint8_t file_key[static AGE_FILE_KEY],
    const uint8_t *recipient, const struct random *random)
{
	uint8_t ephemeral[AGE_X25519];
	int result;

	random_bytes(random, ephemeral, sizeof(ephemeral));
	if (recipient != NULL) {
		result = age_x25519_wrap(stanza, file_key, recipient, ephemeral);
	} else {
		result = crypto_scalarmult_base(stanza->share, ephemeral) == 0 ? 0 : ERR_REFUSED;
		random_bytes(random, stanza->body, sizeof(stanza->body));
	}
	sodium_memzero(ephemeral, sizeof(ephemeral));
	return result;
}

/* Fisher-Yates; 64 random bits modulo at most 2,048 are even to one part in 2^53. */
static void
shuffle(struct age_x25519 *stanzas, size_t count, const struct random *random)
{
	uint8_t bytes[8];
	size_t i;

	for (i = count - 1; i > 0; i--) {
		struct age_x25519 swap = stanzas[i];
		size_t other;

		random_bytes(random, bytes, sizeof(bytes));
		other = (size_t)(get_u64(bytes) % (i + 1));
		stanzas[i] = stanzas[other];
		stanzas[other] = swap;
	}
}

int
grant_seal(struct buffer *out, const uint8_t file_key[static AGE_FILE_KEY],
    const uint8_t (*recipients)[AGE_X25519], size_t count, const struct random *random,
    struct err *err)
{
	size_t padded = padded_count(count);
	struct age_x25519 few[GRANT_STANZAS_MIN];
	struct age_x25519 *stanzas = few;
	int result = ERR_NONE;
	size_t i;

	if (count > GRANT_STANZAS_MAX)
		return err_set(err, ERR_LIMIT, "a grant has at most 2,048 readers");
	if (padded > GRANT_STANZAS_MIN)
		stanzas = malloc(padded * sizeof(*stanzas));
	if (stanzas == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a grant");
	for (i = 0; i < padded && result == 0; i++)
		result =
		    make_stanza(&stanzas[i], file_key, i < count ? recipients[i] : NULL, random);
	if (result == 0) {
		shuffle(stanzas, padded, random);
		age_header_write(out, stanzas, padded, file_key);
		result = out->err;
	}
	if (stanzas != few)
		free(stanzas);
	if (result == 0)
		return ERR_NONE;
	return err_set(err, (enum err_code)result,
	    result == ERR_REFUSED ? "a reader's key is of low order: it is none" :
	                            "no room for a grant");
}

int
grant_parse(struct age_header *header, struct view part, struct err *err)
{
	struct view rest;
	struct age_stanza stanza;
	struct age_x25519 x25519;
	int result = age_header_parse(header, part, err);

	if (result != 0) {
		(void)err_wrap(err, "grant");
		return result;
	}
	if (header->bytes.size != part.size)
		return err_set(err, ERR_MALFORMED, "grant: bytes after the header (design 5.2)");
	if (header->stanza_count < GRANT_STANZAS_MIN || header->stanza_count > GRANT_STANZAS_MAX ||
	    (header->stanza_count & (header->stanza_count - 1)) != 0)
		return err_set(err, ERR_MALFORMED,
		    "grant: %u stanzas are no power of two from 2 to 2,048 (design 5.2)",
		    header->stanza_count);
	rest = header->stanzas;
	while (age_stanza_next(&rest, &stanza)) {
		if (!view_equal(stanza.type, view_text("X25519")))
			return err_set(
			    err, ERR_MALFORMED, "grant: a stanza that is not X25519 (design 5.2)");
		result = age_stanza_x25519(&x25519, &stanza, err);
		if (result != 0) {
			(void)err_wrap(err, "grant");
			return result;
		}
	}
	return ERR_NONE;
}

int
grant_open(uint8_t file_key[static AGE_FILE_KEY], struct view part,
    const struct age_identity *identity, struct err *err)
{
	struct age_header header;
	int result = grant_parse(&header, part, err);

	if (result != 0) {
		memset(file_key, 0, AGE_FILE_KEY);
		return result;
	}
	return age_header_open(file_key, &header, identity, err);
}
