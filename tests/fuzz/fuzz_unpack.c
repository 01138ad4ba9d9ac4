/* Whatever unpack_check lets through, the cursor reads whole and no byte further. */
#include <stdlib.h>

#include "proto/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view bytes = view_of(data, size);
	struct unpack unpack;

	if (unpack_check(bytes, UNPACK_NIL_ALLOWED, NULL) != 0)
		return 0;
	unpack_init(&unpack, bytes);
	if (!view_equal(unpack_value(&unpack), bytes) || unpack_end(&unpack, "fuzz", NULL) != 0)
		abort();
	return 0;
}
