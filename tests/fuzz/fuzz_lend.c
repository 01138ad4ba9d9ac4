/* Messages on dalild.sock: what parses is written back as the same bytes. */
#include <sodium.h>
#include <stdlib.h>

#include "node/keys/lend_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Not the sodium_malloc of the product: it would take a page and a system call each time. */
	static struct lend_message message;
	struct buffer bytes;

	if (size > LEND_MESSAGE_MAX || lend_message_parse(&message, view_of(data, size), NULL) != 0)
		return 0;
	buffer_init(&bytes, LEND_MESSAGE_MAX);
	lend_message_write(&bytes, &message);
	if (bytes.err != 0 || !view_equal(buffer_view(&bytes), view_of(data, size)))
		abort();
	buffer_fini(&bytes);
	return 0;
}
