#ifndef DALIL_CLI_OPTIONS_H
#define DALIL_CLI_OPTIONS_H

#include <stddef.h>

#include "cli/command.h"
#include "proto/bytes.h"

/*
 * Purpose: one command's options from a const table, and its --help from the same table.
 *
 * Options may stand before, between and behind the positional arguments; `--` ends them; `-o FILE`
 * is the only short one; `--name VALUE` and `--name=VALUE` mean the same.  A lone `-` is a
 * positional argument.  A repeated option of a type that holds one value is refused.
 *
 * Text options (cli.md): `-` asks on the terminal, `@FILE` reads a file, whose final newline is
 * taken off; OPTION_SENSITIVE takes only these and refuses plain text, saying why.  For NAME=VALUE
 * options (OPTION_FIELD, OPTION_SENSITIVE_FIELD) this holds for the VALUE.
 */

enum option_type {
	OPTION_FLAG,
	OPTION_PATH,           /* a file name or word, taken as it is */
	OPTION_NUMBER,         /* unsigned decimal */
	OPTION_TEXT,           /* one text */
	OPTION_TEXTS,          /* may be repeated */
	OPTION_WORDS,          /* words or paths, taken as they are, may be repeated */
	OPTION_OPTIONAL,       /* a flag that may carry a value: --open, --open=NAME,... */
	OPTION_SENSITIVE,      /* one text, never on the command line; may be repeated */
	OPTION_FIELD,          /* NAME=VALUE, may be repeated */
	OPTION_SENSITIVE_FIELD /* NAME=@FILE or NAME=-, may be repeated */
};

struct option {
	const char *name;     /* without the hyphens; one letter: -o */
	const char *argument; /* for the help: FILE, TEXT...; NULL for a flag */
	enum option_type type;
	const char *help;
};

struct usage {
	const char *arguments;        /* "PATH... [options]" in short */
	const char *what;             /* a paragraph */
	const struct option *options; /* ends with name NULL */
	const char *example;          /* lines, each a command and what it does */
	const char *glossary;         /* one line each: special words; may be NULL */
	size_t least;                 /* positional arguments */
	size_t most;
};

struct option_value {
	const struct option *option;
	struct view name;  /* of NAME=VALUE; empty otherwise */
	struct view value; /* a zero byte stands behind it; data NULL for a flag without value */
};

struct options {
	const struct usage *usage;
	struct option_value *values;
	size_t count;
	char **words; /* positional arguments */
	size_t word_count;
	struct buffer **owned; /* texts that were asked or read */
	size_t owned_count;
};

/*
 * Parse.  0; a positive number if the help was shown, a negative err_code if usage was wrong and has
 * been reported: in both cases options_fini and `return report_exit(context)`.
 */
int options_init(struct options *options, struct context *context, const struct usage *usage,
    int argc, char **argv);
void options_fini(struct options *options);

bool options_has(const struct options *options, const char *name);
/* The only value of an option as a C string; NULL where it was not given. */
const char *options_text(const struct options *options, const char *name);
/* The only value as a number; ${otherwise} where it was not given. */
uint64_t options_number(const struct options *options, const char *name, uint64_t otherwise);
/* The next value of a repeated option; *cursor begins at 0; NULL after the last. */
const struct option_value *
options_next(const struct options *options, const char *name, size_t *cursor);

/*
 * Append the text that ${given} means: `-` asks with ${prompt}, `@FILE` reads the file, else itself
 * if ${plain}.  ERR_USAGE for plain text where it may not be.
 */
int options_read_text(
    struct buffer *out, const char *given, const char *prompt, bool plain, struct err *err);

#endif
