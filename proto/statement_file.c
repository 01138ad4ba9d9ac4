/* Statements as lines of text (design 5.5; cli.md: charter export, sign, apply, enrol). */
#include "proto/statement_file.h"

#include "proto/statement.h"
#include "proto/text.h"

#define PREFIX_SIZE (sizeof(STATEMENT_FILE_PREFIX) - 1)

void
statement_file_write(struct buffer *out, struct view statement)
{
	buffer_append_text(out, STATEMENT_FILE_PREFIX);
	text_base64(out, TEXT_BASE64_URL, statement);
	buffer_append_u8(out, '\n');
}

void
statement_file_remark(struct buffer *out, const char *text)
{
	buffer_append_text(out, "# ");
	text_escape(out, view_text(text));
	buffer_append_u8(out, '\n');
}

/* Cut the first line off ${file}, without its end. */
static struct view
take_line(struct view *file)
{
	const uint8_t *end = memchr(file->data, '\n', file->size);
	struct view line;
	size_t taken;

	taken = end == NULL ? file->size : (size_t)(end - file->data) + 1;
	line = view_of(file->data, end == NULL ? taken : taken - 1);
	*file = view_of(file->data + taken, file->size - taken);
	if (line.size > 0 && line.data[line.size - 1] == '\r')
		line.size--;
	return line;
}

int
statement_file_next(struct view *file, struct buffer *statement, struct err *err)
{
	struct view line;

	buffer_clear(statement);
	while (file->size > 0) {
		line = take_line(file);
		if (line.size == 0 || line.data[0] == '#')
			continue;
		if (line.size < PREFIX_SIZE ||
		    memcmp(line.data, STATEMENT_FILE_PREFIX, PREFIX_SIZE) != 0)
			return err_set(err, ERR_MALFORMED,
			    "a line does not begin with %s: this is no file of statements",
			    STATEMENT_FILE_PREFIX);
		line = view_of(line.data + PREFIX_SIZE, line.size - PREFIX_SIZE);
		if (line.size > (STATEMENT_MAX + 2) / 3 * 4)
			return err_set(err, ERR_LIMIT, "a line is longer than any statement");
		if (!text_unbase64(statement, TEXT_BASE64_URL, line))
			return err_set(
			    err, ERR_MALFORMED, "a statement's line is cut off or altered");
		return 1;
	}
	return 0;
}
