/* A header that parses gives as many stanzas as it counts, all within it, and opens or not. */
#include <sodium.h>
#include <stdlib.h>

#include "proto/age_header.h"
#include "proto/bech32.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The identity of the project's vectors, to which some of the corpus opens. */
static const char identity_text[] =
    "AGE-SECRET-KEY-1APS5L5Y52JC59VE00T0Z2HRAVH72JQLSR7PFJ9UGES2YHQT0TUKSMCHM2G";

static bool
within(struct view outer, struct view inner)
{
	return inner.data >= outer.data && inner.size <= outer.size &&
	       inner.data + inner.size <= outer.data + outer.size;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view bytes = view_of(data, size);
	struct age_identity identity;
	struct age_header header;
	struct age_stanza stanza;
	uint8_t file_key[AGE_FILE_KEY];
	struct view rest;
	uint32_t count = 0;

	if (sodium_init() < 0 ||
	    bech32_parse_identity(identity.secret, view_text(identity_text), NULL) != 0 ||
	    crypto_scalarmult_base(identity.recipient, identity.secret) != 0)
		abort();
	if (age_header_parse(&header, bytes, NULL) != 0)
		return 0;
	if (!within(bytes, header.bytes) || !within(header.bytes, header.covered) ||
	    !within(header.covered, header.stanzas))
		abort();
	for (rest = header.stanzas; age_stanza_next(&rest, &stanza); count++)
		if (!within(header.stanzas, stanza.body) || !within(header.stanzas, stanza.type))
			abort();
	if (count != header.stanza_count || rest.size != 0)
		abort();
	if (age_header_open(file_key, &header, &identity, NULL) != 0 &&
	    !sodium_is_zero(file_key, sizeof(file_key)))
		abort();
	return 0;
}
