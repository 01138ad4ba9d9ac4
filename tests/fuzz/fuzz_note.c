/* A note that is read is its text, an empty line, and its signature lines, and nothing else. */
#include <stdlib.h>

#include "proto/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct note note;
	struct view bytes = view_of(data, size);
	struct buffer out;
	unsigned i;

	if (note_parse(&note, bytes, NULL) != 0)
		return 0;
	buffer_init(&out, size);
	buffer_append(&out, note.text.data, note.text.size);
	buffer_append_u8(&out, '\n');
	for (i = 0; i < note.count; i++) {
		const struct note_signature *signature = &note.signatures[i];

		if (!vkey_name_valid(signature->name) || signature->size == 0)
			abort();
		buffer_append(&out, signature->line.data, signature->line.size);
	}
	if (out.err != 0 || !view_equal(buffer_view(&out), bytes))
		abort();
	buffer_fini(&out);
	return 0;
}
