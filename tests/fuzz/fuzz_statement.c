/* A statement that parses is what its own fields encode to, with its own signatures. */
#include <stdlib.h>

#include "proto/statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct statement statement, bare;
	struct buffer encoded, merged;

	if (statement_parse(&statement, view_of(data, size), NULL) != 0)
		return 0;
	buffer_init(&encoded, STATEMENT_MAX);
	buffer_init(&merged, STATEMENT_MAX);
	if (statement_encode(&encoded, &statement, NULL) != 0 ||
	    statement_parse(&bare, buffer_view(&encoded), NULL) != 0 ||
	    statement_merge(&merged, &bare, &statement, NULL) != 0 ||
	    !view_equal(buffer_view(&merged), statement.bytes))
		abort();
	(void)statement_verify(&statement, NULL);
	buffer_fini(&encoded);
	buffer_fini(&merged);
	return 0;
}
