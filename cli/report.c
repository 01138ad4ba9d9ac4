#include "cli/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/text.h"

#define LINE_BYTES 8192

/* Lines of our own stay lines: only what stands between newlines is escaped. */
static void
write_escaped(const char *prefix, const char *text)
{
	struct buffer out;
	const char *at = text;

	buffer_init(&out, (size_t)16 * LINE_BYTES);
	buffer_append_text(&out, prefix);
	for (;;) {
		size_t length = strcspn(at, "\n");

		text_escape(&out, view_of(at, length));
		if (at[length] == '\0')
			break;
		buffer_append_u8(&out, '\n');
		at += length + 1;
	}
	buffer_append_u8(&out, '\n');
	if (out.err == ERR_NONE)
		(void)fwrite(out.data, 1, out.size, stderr);
	buffer_fini(&out);
}

static void __attribute__((format(printf, 2, 0)))
write_formatted(const char *prefix, const char *format, va_list arguments)
{
	char text[LINE_BYTES];

	(void)vsnprintf(text, sizeof(text), format, arguments);
	write_escaped(prefix, text);
}

void
report_say(const struct context *context, const char *format, ...)
{
	va_list arguments;

	if (context->globals.quiet)
		return;
	va_start(arguments, format);
	write_formatted("", format, arguments);
	va_end(arguments);
}

void
report_warning(const struct context *context, const char *format, ...)
{
	va_list arguments;

	(void)context;
	va_start(arguments, format);
	write_formatted("dalil: warning: ", format, arguments);
	va_end(arguments);
}

enum exit_code
report_code(int code)
{
	switch ((enum err_code)code) {
	case ERR_NONE:
		return EXIT_DONE;
	case ERR_MALFORMED:
	case ERR_FORGED:
	case ERR_DAMAGED:
	case ERR_MISSING:
		return EXIT_CHECK;
	case ERR_USAGE:
		return EXIT_USAGE;
	case ERR_NOT_FOUND:
	case ERR_UNKNOWN:
		return EXIT_NOT_FOUND;
	case ERR_REFUSED:
	case ERR_EXISTS:
	case ERR_VERSION:
		return EXIT_REFUSED;
	case ERR_LOCKED:
		return EXIT_LOCKED;
	case ERR_MEMORY:
	case ERR_LIMIT:
	case ERR_IO:
	case ERR_FULL:
	case ERR_INDEX:
	case ERR_NETWORK:
	case ERR_TIMEOUT:
	case ERR_CHANGED:
	case ERR_CANCELLED:
		return EXIT_STORAGE;
	}
	return EXIT_STORAGE;
}

/* Design section 8: with several troubles the worst, in the order 1, 4, 6, 5, 3; usage ends all. */
static int
weight(enum exit_code code)
{
	switch (code) {
	case EXIT_DONE:
		return 0;
	case EXIT_NOT_FOUND:
		return 1;
	case EXIT_STORAGE:
		return 2;
	case EXIT_LOCKED:
		return 3;
	case EXIT_REFUSED:
		return 4;
	case EXIT_CHECK:
		return 5;
	case EXIT_USAGE:
		return 6;
	}
	return 0;
}

void
report_worst(struct context *context, enum exit_code code)
{
	if (weight(code) > weight(context->worst))
		context->worst = code;
}

void
report_failure(struct context *context, const struct err *err, const char *next)
{
	write_escaped("dalil: ", err_text(err));
	if (next != NULL)
		write_escaped("       ", next);
	report_worst(context, report_code(err->code));
}

int
report_usage(struct context *context, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_formatted("dalil: ", format, arguments);
	va_end(arguments);
	if (context->command != NULL)
		fprintf(stderr, "       dalil %s --help says more\n", context->command->name);
	else
		fprintf(stderr, "       dalil --help says more\n");
	report_worst(context, EXIT_USAGE);
	return EXIT_USAGE;
}

int
report_exit(struct context *context)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		write_escaped("dalil: ", "standard output could not be written");
		report_worst(context, EXIT_STORAGE);
	}
	return (int)context->worst;
}
