/* A proof that is read is written back the same. */
#include <stdlib.h>

#include "proto/text.h"
#include "proto/tlogproof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view bytes = view_of(data, size);
	struct tlogproof tlogproof;
	struct buffer extra;
	struct buffer out;

	if (tlogproof_parse(&tlogproof, bytes, NULL) != 0)
		return 0;
	buffer_init(&extra, size);
	if (!text_unbase64(&extra, TEXT_BASE64_PADDED, tlogproof.extra))
		abort();
	buffer_init(&out, size);
	tlogproof_write(
	    &out, buffer_view(&extra), tlogproof.index, &tlogproof.proof, tlogproof.checkpoint);
	/* "extra " with nothing behind it is read, but never written. */
	if (out.err != 0 ||
	    (!view_equal(buffer_view(&out), bytes) && (extra.size > 0 || out.size + 7 != size)))
		abort();
	buffer_fini(&extra);
	buffer_fini(&out);
	return 0;
}
