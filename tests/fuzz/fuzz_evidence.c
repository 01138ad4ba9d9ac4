/*
 * An exhibit as somebody hands it over: vkey, record, disclosures and proof, each behind a 16-bit
 * length, and the rest as the file.  What holds says which slots it shows, and in what order.
 */
#include <stdlib.h>

#include "proto/evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct view
take(struct view *rest)
{
	struct view field = {0};
	size_t length;

	if (rest->size < 2)
		return field;
	length = get_u16(rest->data);
	length = length > rest->size - 2 ? rest->size - 2 : length;
	field = view_of(rest->data + 2, length);
	*rest = view_of(rest->data + 2 + length, rest->size - 2 - length);
	return field;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t payload_key[AEAD_KEY];
	static struct evidence evidence;
	struct view rest = view_of(data, size);
	struct evidence_given given = {0};
	struct evidence_file *file;
	struct vkey vkey;
	unsigned slot;

	if (vkey_parse(&vkey, take(&rest), NULL) != 0)
		return 0;
	given.log = &vkey;
	given.record = take(&rest);
	given.disclosures = take(&rest);
	given.proof = take(&rest);
	if (evidence_open(&evidence, &given, NULL) != 0)
		return 0;
	for (slot = 0; slot < FIELD_SLOTS; slot++)
		if (evidence.fields.values[slot].size > 0 && (evidence.shown >> slot & 1) == 0)
			abort();
	file = evidence_file_new(&evidence, payload_key);
	if (file != NULL && evidence_file_update(file, rest, NULL) == 0)
		(void)evidence_file_finish(file, NULL);
	evidence_file_free(file);
	return 0;
}
