/* Sizes of payloads, and their leaves sealed and opened one by one. */
#include "proto/payload.h"

#include "proto/age_stream.h"

/*
 * Padmé (Nikitin et al., PETS 2019): of a size with E + 1 bits, only the topmost floor(log2 E) + 1
 * bits after the first may be set, which leaks O(log log size) bits and costs at most 12 percent.
 */
uint64_t
payload_padded(uint64_t size)
{
	unsigned exponent;
	unsigned kept;
	uint64_t mask;

	if (size <= PAYLOAD_SEALED_FLOOR)
		return PAYLOAD_SEALED_FLOOR;
	exponent = 63 - (unsigned)__builtin_clzll(size);
	kept = 32 - (unsigned)__builtin_clz(exponent);
	mask = ((uint64_t)1 << (exponent - kept)) - 1;
	return (size + mask) & ~mask;
}

uint64_t
payload_size(uint64_t plain)
{
	uint64_t chunks = plain == 0 ? 1 : (plain - 1) / AGE_CHUNK + 1;

	return plain + chunks * AEAD_TAG;
}

bool
payload_size_possible(uint64_t size)
{
	uint64_t rest = size % AGE_SEALED_CHUNK;

	if (size > payload_size(PAYLOAD_PLAIN_MAX))
		return false;
	return size == AEAD_TAG || (size > 0 && (rest == 0 || rest > AEAD_TAG));
}

uint64_t
payload_plain_size(uint64_t size)
{
	uint64_t chunks = size == 0 ? 0 : (size - 1) / AGE_SEALED_CHUNK + 1;

	return size - chunks * AEAD_TAG;
}

uint64_t
payload_leaf_count(uint64_t size)
{
	return size == 0 ? 1 : (size - 1) / PAYLOAD_LEAF + 1;
}

size_t
payload_leaf_size(uint64_t size, uint64_t leaf)
{
	uint64_t rest = size - leaf * PAYLOAD_LEAF;

	return rest < PAYLOAD_LEAF ? (size_t)rest : PAYLOAD_LEAF;
}

int
payload_seal_leaf(struct aead *aead, uint8_t *out, uint64_t leaf, bool last, struct view plain)
{
	uint64_t chunk = leaf * PAYLOAD_LEAF_CHUNKS;
	size_t done = 0;
	int result;

	if (plain.size > PAYLOAD_LEAF_PLAIN || (!last && plain.size != PAYLOAD_LEAF_PLAIN))
		return ERR_USAGE;
	do {
		size_t size = plain.size - done < AGE_CHUNK ? plain.size - done : AGE_CHUNK;

		result = age_chunk_seal(aead, out, chunk++, last && done + size == plain.size,
		    view_of(plain.data + done, size));
		out += size + AEAD_TAG;
		done += size;
	} while (result == 0 && done < plain.size);
	return result;
}

int
payload_open_leaf(
    struct aead *aead, uint8_t *out, uint64_t leaf, bool last, struct view sealed, struct err *err)
{
	uint64_t chunk = leaf * PAYLOAD_LEAF_CHUNKS;
	size_t done = 0;
	int result;

	if (sealed.size > PAYLOAD_LEAF || (!last && sealed.size != PAYLOAD_LEAF) ||
	    !payload_size_possible(sealed.size))
		return err_set(err, ERR_MALFORMED, "a payload's leaf of impossible size");
	do {
		size_t size =
		    sealed.size - done < AGE_SEALED_CHUNK ? sealed.size - done : AGE_SEALED_CHUNK;

		result = age_chunk_open(aead, out, chunk++, last && done + size == sealed.size,
		    view_of(sealed.data + done, size), err);
		out += size - AEAD_TAG;
		done += size;
	} while (result == 0 && done < sealed.size);
	return result;
}
