/* What a file of statements gives, written as a line, is read back the same. */
#include <stdlib.h>

#include "proto/statement.h"
#include "proto/statement_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_and_read(struct view statement)
{
	struct buffer text, again;
	struct view file;

	buffer_init(&text, STATEMENT_FILE_MAX);
	buffer_init(&again, STATEMENT_MAX + 4);
	statement_file_write(&text, statement);
	file = buffer_view(&text);
	if (text.err != 0 || statement_file_next(&file, &again, NULL) != 1 ||
	    !view_equal(buffer_view(&again), statement) || file.size != 0)
		abort();
	buffer_fini(&text);
	buffer_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view file = view_of(data, size);
	struct buffer statement;

	buffer_init(&statement, STATEMENT_MAX + 4);
	while (statement_file_next(&file, &statement, NULL) == 1)
		write_and_read(buffer_view(&statement));
	buffer_fini(&statement);
	return 0;
}
