#include "cli/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/report.h"
#include "cli/terminal.h"

#define TEXT_LIMIT ((size_t)256 * 1024)
#define COLUMNS 80
#define OPTION_COLUMN 25 /* where what an option does begins */

/* A word; what stands in brackets is one. */
static size_t
word_length(const char *text, const char *end)
{
	size_t depth = 0;
	size_t length;

	for (length = 0; text + length < end; length++) {
		char letter = text[length];

		if (letter == '[')
			depth++;
		else if (letter == ']' && depth > 0)
			depth--;
		else if (depth == 0 && (letter == ' ' || letter == '\n'))
			break;
	}
	return length;
}

/* The words up to ${end} from column ${at} on; lines that would be too long go on at ${indent}. */
static void
print_wrapped(const char *text, const char *end, size_t at, size_t indent)
{
	bool first = true;

	while (text < end) {
		size_t length = word_length(text, end);

		if (length > 0 && !first && at + 1 + length > COLUMNS) {
			printf("\n%*s", (int)indent, "");
			at = indent;
			first = true;
		}
		if (length > 0) {
			printf("%s%.*s", first ? "" : " ", (int)length, text);
			at += length + (first ? 0 : 1);
			first = false;
		}
		text += length < (size_t)(end - text) ? length + 1 : length;
	}
	printf("\n");
}

static void
print_option(const struct option *option)
{
	const char *dashes = option->name[1] == '\0' ? "-" : "--";
	char left[64];

	if (option->type == OPTION_FLAG)
		(void)snprintf(left, sizeof(left), "%s%s", dashes, option->name);
	else if (option->type == OPTION_OPTIONAL)
		(void)snprintf(
		    left, sizeof(left), "%s%s[=%s]", dashes, option->name, option->argument);
	else
		(void)snprintf(
		    left, sizeof(left), "%s%s %s", dashes, option->name, option->argument);
	if (strlen(left) > OPTION_COLUMN - 3)
		printf("  %s\n%*s", left, OPTION_COLUMN, "");
	else
		printf("  %-*s ", OPTION_COLUMN - 3, left);
	print_wrapped(
	    option->help, option->help + strlen(option->help), OPTION_COLUMN, OPTION_COLUMN);
}

static void
print_help(const struct context *context, const struct usage *usage)
{
	const char *form = usage->arguments;
	const struct option *option;

	printf("dalil %s ", context->command->name);
	print_wrapped(form, form + strcspn(form, "\n"), strlen(context->command->name) + 7, 6);
	while (*(form += strcspn(form, "\n")) != '\0') {
		form++;
		print_wrapped(form, form + strcspn(form, "\n"), 0, 6);
	}
	printf("\n");
	print_wrapped(usage->what, usage->what + strlen(usage->what), 0, 0);
	if (usage->options->name != NULL)
		printf("\nOptions\n");
	for (option = usage->options; option->name != NULL; option++)
		print_option(option);
	printf("\nExample\n%s\n", usage->example);
	if (usage->glossary != NULL)
		printf("\nWords\n%s\n", usage->glossary);
}

static const struct option *
find_option(const struct usage *usage, const char *name, size_t length)
{
	const struct option *option;

	for (option = usage->options; option->name != NULL; option++)
		if (strlen(option->name) == length && strncmp(option->name, name, length) == 0)
			return option;
	return NULL;
}

/* A file's text without its final newline. */
static int
read_text_file(struct buffer *out, const char *path, struct err *err)
{
	size_t start = out->size;
	FILE *file = fopen(path, "rbe");
	uint8_t bytes[4096];
	bool failed;
	size_t got;

	if (file == NULL)
		return err_system(err, errno, "cannot read the text file %s", path);
	while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0)
		buffer_append(out, bytes, got);
	failed = ferror(file) != 0;
	(void)fclose(file);
	if (failed)
		return err_set(err, ERR_IO, "cannot read the text file %s", path);
	if (out->err != ERR_NONE)
		return err_set(err, ERR_LIMIT, "the text in %s is longer than 256 KiB", path);
	if (out->size > start && out->data[out->size - 1] == '\n')
		out->size--;
	if (out->size > start && out->data[out->size - 1] == '\r')
		out->size--;
	if (out->size > start && memchr(out->data + start, 0, out->size - start) != NULL)
		return err_set(err, ERR_USAGE, "%s holds a zero byte and is no text", path);
	return ERR_NONE;
}

int
options_read_text(
    struct buffer *out, const char *given, const char *prompt, bool plain, struct err *err)
{
	if (strcmp(given, "-") == 0)
		return terminal_ask(out, prompt, TERMINAL_ECHO, err);
	if (given[0] == '@')
		return read_text_file(out, given + 1, err);
	if (!plain)
		return err_set(err, ERR_USAGE,
		    "--%s is not taken from the command line, where other users and the shell's "
		    "history see it: write @FILE, or - to be asked",
		    prompt);
	buffer_append_text(out, given);
	return out->err != ERR_NONE ? err_set(err, ERR_LIMIT, "--%s is too long", prompt) :
	                              ERR_NONE;
}

static struct buffer *
own_buffer(struct options *options)
{
	struct buffer *buffer = malloc(sizeof(*buffer));
	struct buffer **grown =
	    realloc(options->owned, (options->owned_count + 1) * sizeof(*options->owned));

	if (grown != NULL)
		options->owned = grown;
	if (buffer == NULL || grown == NULL) {
		free(buffer);
		return NULL;
	}
	buffer_init(buffer, TEXT_LIMIT + 1);
	options->owned[options->owned_count++] = buffer;
	return buffer;
}

/* The text that ${given} means, kept with the options, a zero byte behind it. */
static int
resolve_text(struct options *options, struct option_value *value, const char *given, bool plain,
    struct err *err)
{
	struct buffer *text = own_buffer(options);
	int code;

	if (text == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	code = options_read_text(text, given, value->option->name, plain, err);
	if (code != ERR_NONE)
		return code;
	buffer_append_u8(text, 0);
	if (text->err != ERR_NONE)
		return err_set(
		    err, ERR_LIMIT, "the text of --%s is longer than 256 KiB", value->option->name);
	value->value = view_of(text->data, text->size - 1);
	return ERR_NONE;
}

static int
resolve_field(struct options *options, struct option_value *value, const char *given, bool plain,
    struct err *err)
{
	const char *equals = strchr(given, '=');

	if (equals == NULL || equals == given)
		return err_set(err, ERR_USAGE, "--%s takes NAME=%s", value->option->name,
		    plain ? "VALUE" : "@FILE or NAME=-");
	value->name = view_of(given, (size_t)(equals - given));
	return resolve_text(options, value, equals + 1, plain, err);
}

static int
resolve_number(struct option_value *value, const char *given, struct err *err)
{
	size_t length = strlen(given);

	if (length == 0 || length > 18 || strspn(given, "0123456789") != length)
		return err_set(
		    err, ERR_USAGE, "--%s takes a number, not %s", value->option->name, given);
	value->value = view_text(given);
	return ERR_NONE;
}

static int
resolve(struct options *options, struct option_value *value, const char *given, struct err *err)
{
	switch (value->option->type) {
	case OPTION_FLAG:
		return err_set(err, ERR_USAGE, "--%s takes no value", value->option->name);
	case OPTION_NUMBER:
		return resolve_number(value, given, err);
	case OPTION_PATH:
	case OPTION_WORDS:
	case OPTION_OPTIONAL:
		value->value = view_text(given);
		return ERR_NONE;
	case OPTION_TEXT:
	case OPTION_TEXTS:
		return resolve_text(options, value, given, true, err);
	case OPTION_SENSITIVE:
		return resolve_text(options, value, given, false, err);
	case OPTION_FIELD:
		return resolve_field(options, value, given, true, err);
	case OPTION_SENSITIVE_FIELD:
		return resolve_field(options, value, given, false, err);
	}
	return ERR_NONE;
}

static bool
may_repeat(enum option_type type)
{
	switch (type) {
	case OPTION_FLAG:
	case OPTION_TEXTS:
	case OPTION_WORDS:
	case OPTION_SENSITIVE:
	case OPTION_FIELD:
	case OPTION_SENSITIVE_FIELD:
		return true;
	case OPTION_PATH:
	case OPTION_NUMBER:
	case OPTION_TEXT:
	case OPTION_OPTIONAL:
		return false;
	}
	return false;
}

/* One option at argv[*at]; *at moves on by the words that it takes. */
static int
take_option(struct options *options, int *at, int argc, char **argv, struct err *err)
{
	const char *word = argv[*at];
	bool longer = word[1] == '-';
	const char *name = word + (longer ? 2 : 1);
	size_t length = strcspn(name, "=");
	const struct option *option = find_option(options->usage, name, length);
	struct option_value *value;

	if (option == NULL || (length == 1) == longer)
		return err_set(err, ERR_USAGE, "there is no option %.*s here",
		    (int)(length + (longer ? 2 : 1)), word);
	if (options_has(options, option->name) && !may_repeat(option->type))
		return err_set(err, ERR_USAGE, "%s stands twice", word);
	value = &options->values[options->count++];
	*value = (struct option_value){.option = option};
	(*at)++;
	if (name[length] == '=')
		return resolve(options, value, name + length + 1, err);
	if (option->type == OPTION_FLAG || option->type == OPTION_OPTIONAL)
		return ERR_NONE;
	if (*at >= argc)
		return err_set(err, ERR_USAGE, "%s wants %s behind it", word, option->argument);
	return resolve(options, value, argv[(*at)++], err);
}

static int
parse(struct options *options, int argc, char **argv, struct err *err)
{
	bool ended = false;
	int at = 0;

	while (at < argc) {
		if (!ended && strcmp(argv[at], "--") == 0) {
			ended = true;
			at++;
		} else if (ended || argv[at][0] != '-' || argv[at][1] == '\0') {
			options->words[options->word_count++] = argv[at++];
		} else {
			int code = take_option(options, &at, argc, argv, err);

			if (code != ERR_NONE)
				return code;
		}
	}
	if (options->word_count < options->usage->least)
		return err_set(
		    err, ERR_USAGE, "too few arguments, it takes %s", options->usage->arguments);
	if (options->word_count > options->usage->most)
		return err_set(err, ERR_USAGE, "%s is one argument too many",
		    options->words[options->usage->most]);
	return ERR_NONE;
}

static bool
wants_help(int argc, char **argv)
{
	int i;

	for (i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0)
			return true;
	return false;
}

int
options_init(struct options *options, struct context *context, const struct usage *usage, int argc,
    char **argv)
{
	struct err err = {0};

	*options = (struct options){.usage = usage};
	if (wants_help(argc, argv)) {
		print_help(context, usage);
		return 1;
	}
	options->values = calloc((size_t)argc + 1, sizeof(*options->values));
	options->words = calloc((size_t)argc + 1, sizeof(*options->words));
	if (options->values == NULL || options->words == NULL)
		(void)err_set(&err, ERR_MEMORY, "out of memory");
	else if (parse(options, argc, argv, &err) == ERR_NONE)
		return 0;
	if (err.code == ERR_USAGE)
		(void)report_usage(context, "%s", err.text);
	else
		report_failure(context, &err, NULL);
	return err.code;
}

void
options_fini(struct options *options)
{
	size_t i;

	for (i = 0; i < options->owned_count; i++) {
		buffer_fini(options->owned[i]);
		free(options->owned[i]);
	}
	free(options->owned);
	free(options->values);
	free(options->words);
	*options = (struct options){0};
}

const struct option_value *
options_next(const struct options *options, const char *name, size_t *cursor)
{
	while (*cursor < options->count) {
		const struct option_value *value = &options->values[(*cursor)++];

		if (strcmp(value->option->name, name) == 0)
			return value;
	}
	return NULL;
}

bool
options_has(const struct options *options, const char *name)
{
	size_t cursor = 0;

	return options_next(options, name, &cursor) != NULL;
}

const char *
options_text(const struct options *options, const char *name)
{
	size_t cursor = 0;
	const struct option_value *value = options_next(options, name, &cursor);

	return value == NULL ? NULL : (const char *)value->value.data;
}

uint64_t
options_number(const struct options *options, const char *name, uint64_t otherwise)
{
	const char *text = options_text(options, name);

	return text == NULL ? otherwise : strtoull(text, NULL, 10);
}
