/* A checkpoint's text that is read is written back the same. */
#include <stdlib.h>

#include "proto/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = view_of(data, size);
	struct checkpoint checkpoint;
	struct buffer out;

	if (checkpoint_parse(&checkpoint, text, NULL) != 0)
		return 0;
	buffer_init(&out, size);
	checkpoint_text(&out, checkpoint.origin, checkpoint.size, checkpoint.root);
	if (out.err != 0 || !view_equal(buffer_view(&out), text))
		abort();
	buffer_fini(&out);
	return 0;
}
