/* STREAM: an 11-byte big-endian chunk number and a last byte of 1 for the last chunk. */
#include "proto/age_stream.h"

#include "proto/hash.h"

static void
chunk_nonce(uint8_t nonce[static AEAD_NONCE], uint64_t chunk, bool last)
{
	memset(nonce, 0, AEAD_NONCE);
	put_u64(nonce + 3, chunk);
	nonce[AEAD_NONCE - 1] = last ? 1 : 0;
}

void
age_stream_key(uint8_t payload_key[static AEAD_KEY], const uint8_t file_key[static 16],
    const uint8_t nonce[static AGE_STREAM_NONCE])
{
	hash_hkdf(payload_key, AEAD_KEY, view_of(file_key, 16), view_of(nonce, AGE_STREAM_NONCE),
	    view_text("payload"));
}

int
age_chunk_seal(struct aead *aead, uint8_t *out, uint64_t chunk, bool last, struct view plain)
{
	uint8_t nonce[AEAD_NONCE];

	if (plain.size > AGE_CHUNK || (!last && plain.size != AGE_CHUNK) ||
	    (plain.size == 0 && chunk != 0))
		return ERR_USAGE;
	chunk_nonce(nonce, chunk, last);
	return aead_seal(aead, out, nonce, plain, view_of(NULL, 0));
}

int
age_chunk_open(
    struct aead *aead, uint8_t *out, uint64_t chunk, bool last, struct view sealed, struct err *err)
{
	uint8_t nonce[AEAD_NONCE];
	int result;

	if (sealed.size < AEAD_TAG || sealed.size > AGE_SEALED_CHUNK ||
	    (!last && sealed.size != AGE_SEALED_CHUNK) || (sealed.size == AEAD_TAG && chunk != 0))
		return err_set(err, ERR_MALFORMED, "age payload: a chunk of impossible size");
	chunk_nonce(nonce, chunk, last);
	result = aead_open(aead, out, nonce, sealed, view_of(NULL, 0));
	if (result != 0)
		return err_set(
		    err, (enum err_code)result, "age payload: a chunk is not what was sealed");
	return ERR_NONE;
}

void
age_stream_init(struct age_stream *stream, struct aead *aead)
{
	*stream = (struct age_stream){.aead = aead};
}

/* Whether a whole chunk is the last shows only in its nonce, so the other is tried as well. */
int
age_stream_next(
    struct age_stream *stream, uint8_t *out, size_t *size, struct view sealed, struct err *err)
{
	bool last = sealed.size != AGE_SEALED_CHUNK;
	int result;

	*size = 0;
	if (stream->ended)
		return err_set(err, ERR_MALFORMED, "age payload: bytes after the last chunk");
	result = age_chunk_open(stream->aead, out, stream->chunk, last, sealed, err);
	if (result == ERR_FORGED && !last) {
		last = true;
		result = age_chunk_open(stream->aead, out, stream->chunk, last, sealed, err);
	}
	if (result != 0)
		return result;
	stream->chunk++;
	stream->ended = last;
	*size = sealed.size - AEAD_TAG;
	return ERR_NONE;
}

int
age_stream_end(const struct age_stream *stream, struct err *err)
{
	if (!stream->ended)
		return err_set(err, ERR_MALFORMED, "age payload: it ends before its last chunk");
	return ERR_NONE;
}
