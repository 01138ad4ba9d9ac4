/*
 * dalil: the command line.  Global options stand before the command; one const table dispatches; each
 * subcommand has its own file.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "cli/command.h"
#include "cli/report.h"

/* In the order in which `dalil --help` shows them. */
static const struct command commands[] = {
    {"version", GROUP_START, "version, commit, formats, SHA-256 of the program", command_version},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const char *
group_name(enum command_group group)
{
	switch (group) {
	case GROUP_START:
		return "Start";
	case GROUP_KEEP:
		return "Keep";
	case GROUP_VERIFY:
		return "Verify";
	case GROUP_SURVIVE:
		return "Survive";
	}
	return "";
}

static int
print_help(void)
{
	int group;
	size_t i;

	printf("dalil keeps evidence: it deposits files in a signed, append-only log, replicates\n"
	       "them to organisations you trust, and proves years later what was deposited and\n"
	       "when.\n\n"
	       "dalil [--store DIR] [--json] [--quiet] [--identity FILE]\n"
	       "      [--passphrase-file FILE] [--no-passphrase] COMMAND ...\n");
	for (group = GROUP_START; group <= GROUP_SURVIVE; group++) {
		printf("\n%s\n", group_name((enum command_group)group));
		for (i = 0; i < COMMAND_COUNT; i++)
			if ((int)commands[i].group == group)
				printf("  %-18s %s\n", commands[i].name, commands[i].summary);
	}
	printf("\ndalil COMMAND --help says what each does, with an example.\n");
	return EXIT_DONE;
}

/* How many words of argv the command's name takes; 0 if it is another. */
static int
matches(const struct command *command, int argc, char **argv)
{
	size_t first = strcspn(command->name, " ");

	if (strlen(argv[0]) != first || strncmp(argv[0], command->name, first) != 0)
		return 0;
	if (command->name[first] == '\0')
		return 1;
	return argc > 1 && strcmp(argv[1], command->name + first + 1) == 0 ? 2 : 0;
}

/* `dalil peer --help` lists what begins with that word; says whether anything does. */
static bool
print_group(const char *word, bool print)
{
	size_t length = strlen(word);
	bool any = false;
	size_t i;

	for (i = 0; i < COMMAND_COUNT; i++) {
		if (strncmp(commands[i].name, word, length) != 0 || commands[i].name[length] != ' ')
			continue;
		any = true;
		if (print)
			printf("  dalil %-18s %s\n", commands[i].name, commands[i].summary);
	}
	return any;
}

static int
dispatch(struct context *context, int argc, char **argv)
{
	const struct command *best = NULL;
	int words = 0;
	size_t i;

	for (i = 0; i < COMMAND_COUNT; i++) {
		int matched = matches(&commands[i], argc, argv);

		if (matched > words) {
			words = matched;
			best = &commands[i];
		}
	}
	if (best != NULL) {
		context->command = best;
		return best->run(context, argc - words, argv + words);
	}
	if (argc > 1 && strcmp(argv[1], "--help") == 0 && print_group(argv[0], true))
		return EXIT_DONE;
	if (print_group(argv[0], false))
		return report_usage(context, "%s is no command of %s: dalil %s --help lists them",
		    argc > 1 ? argv[1] : "nothing", argv[0], argv[0]);
	return report_usage(context, "%s is no command", argv[0]);
}

/* The value of --name VALUE or --name=VALUE at argv[*at]; NULL if it is another option. */
static const char *
value_of(const char *name, int *at, int argc, char **argv)
{
	size_t length = strlen(name);

	if (strncmp(argv[*at], name, length) != 0)
		return NULL;
	if (argv[*at][length] == '=')
		return argv[*at] + length + 1;
	if (argv[*at][length] == '\0' && *at + 1 < argc)
		return argv[++*at];
	return NULL;
}

/* Read the global options; returns where the command begins, or -1. */
static int
read_globals(struct globals *globals, int argc, char **argv)
{
	const char *value;
	int at;

	for (at = 1; at < argc && argv[at][0] == '-' && strcmp(argv[at], "--help") != 0; at++) {
		if (strcmp(argv[at], "--json") == 0)
			globals->json = true;
		else if (strcmp(argv[at], "--quiet") == 0)
			globals->quiet = true;
		else if (strcmp(argv[at], "--no-passphrase") == 0)
			globals->no_passphrase = true;
		else if ((value = value_of("--store", &at, argc, argv)) != NULL)
			globals->store = value;
		else if ((value = value_of("--identity", &at, argc, argv)) != NULL)
			globals->identity = value;
		else if ((value = value_of("--passphrase-file", &at, argc, argv)) != NULL)
			globals->passphrase_file = value;
		else
			return -1;
	}
	return at;
}

/* Secrets reach no disk: no core file, ever. */
static void
forbid_core_dumps(void)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
}

int
main(int argc, char **argv)
{
	struct context context = {.worst = EXIT_DONE};
	int at;

	forbid_core_dumps();
	if (sodium_init() < 0) {
		fprintf(stderr, "dalil: libsodium does not start\n");
		return EXIT_STORAGE;
	}
	at = read_globals(&context.globals, argc, argv);
	if (at < 0)
		return report_usage(&context, "such an option does not stand before a command");
	if (at >= argc)
		return report_usage(&context, "which command?");
	if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "help") == 0)
		return print_help();
	return dispatch(&context, argc - at, argv + at);
}
