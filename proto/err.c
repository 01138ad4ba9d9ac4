#include "proto/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
err_set(struct err *err, enum err_code code, const char *format, ...)
{
	va_list arguments;

	if (err == NULL)
		return code;
	err->code = code;
	va_start(arguments, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, arguments);
	va_end(arguments);
	return code;
}

/* Text longer than the buffer is cut at its end: the context that comes first matters more. */
void
err_wrap(struct err *err, const char *format, ...)
{
	char old[ERR_TEXT_MAX];
	va_list arguments;
	size_t length;
	int written;

	if (err == NULL)
		return;
	memcpy(old, err->text, sizeof(old));
	old[sizeof(old) - 1] = '\0';
	va_start(arguments, format);
	written = vsnprintf(err->text, sizeof(err->text), format, arguments);
	va_end(arguments);
	if (written < 0)
		written = 0;
	length = (size_t)written < sizeof(err->text) ? (size_t)written : sizeof(err->text) - 1;
	(void)snprintf(err->text + length, sizeof(err->text) - length, ": %s",
	    old[0] == '\0' ? err_name(err->code) : old);
}

static enum err_code
code_of_errno(int number)
{
	switch (number) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_FULL;
	case ENOENT:
	case ENOTDIR:
		return ERR_NOT_FOUND;
	case EEXIST:
		return ERR_EXISTS;
	case ENOMEM:
		return ERR_MEMORY;
	case EACCES:
	case EPERM:
		return ERR_REFUSED;
	default:
		return ERR_IO;
	}
}

int
err_system(struct err *err, int number, const char *format, ...)
{
	enum err_code code = code_of_errno(number);
	char reason[128];
	va_list arguments;
	size_t length;
	int written;

	if (err == NULL)
		return code;
	err->code = code;
	va_start(arguments, format);
	written = vsnprintf(err->text, sizeof(err->text), format, arguments);
	va_end(arguments);
	if (written < 0)
		written = 0;
	length = (size_t)written < sizeof(err->text) ? (size_t)written : sizeof(err->text) - 1;
	(void)snprintf(err->text + length, sizeof(err->text) - length, ": %s",
	    strerror_r(number, reason, sizeof(reason)));
	return code;
}

const char *
err_name(int code)
{
	switch ((enum err_code)code) {
	case ERR_NONE:
		return "no error";
	case ERR_MALFORMED:
		return "malformed";
	case ERR_FORGED:
		return "a hash or signature does not hold";
	case ERR_DAMAGED:
		return "stored bytes are damaged";
	case ERR_MISSING:
		return "missing";
	case ERR_NOT_FOUND:
		return "not found";
	case ERR_REFUSED:
		return "refused";
	case ERR_LOCKED:
		return "locked";
	case ERR_USAGE:
		return "wrong usage";
	case ERR_EXISTS:
		return "already exists";
	case ERR_MEMORY:
		return "out of memory";
	case ERR_LIMIT:
		return "over a limit";
	case ERR_IO:
		return "storage trouble";
	case ERR_FULL:
		return "no space left";
	case ERR_INDEX:
		return "the index is damaged: run dalil reindex";
	case ERR_NETWORK:
		return "network trouble";
	case ERR_TIMEOUT:
		return "timed out";
	case ERR_CHANGED:
		return "changed while it was read";
	case ERR_UNKNOWN:
		return "unknown";
	case ERR_VERSION:
		return "made by a newer dalil";
	case ERR_CANCELLED:
		return "cancelled";
	}
	return "an unknown error";
}

const char *
err_text(const struct err *err)
{
	return err->text[0] != '\0' ? err->text : err_name(err->code);
}
