/* A verifier key that is read is written back the same. */
#include <stdlib.h>

#include "proto/vkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = view_of(data, size);
	struct buffer out;
	struct vkey vkey;

	if (vkey_parse(&vkey, text, NULL) != 0)
		return 0;
	buffer_init(&out, VKEY_TEXT_MAX);
	vkey_text(&out, &vkey);
	if (out.err != 0 || !view_equal(buffer_view(&out), text))
		abort();
	buffer_fini(&out);
	return 0;
}
