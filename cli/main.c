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
    {"init", GROUP_START, "found an organisation, or add a node to one", command_init},
    {"peer invite", GROUP_START, "make an invite for one partner", command_peer_invite},
    {"peer accept", GROUP_START, "take an invite, make the reply", command_peer_accept},
    {"peer confirm", GROUP_START, "complete a pairing with the reply", command_peer_confirm},
    {"peer list", GROUP_START, "who is paired", command_peer_list},
    {"peer set", GROUP_START, "change a peer's address, country, rate", command_peer_set},
    {"peer test", GROUP_START, "does a peer answer, and if not, why", command_peer_test},
    {"peer remove", GROUP_START, "end the exchange with a peer", command_peer_remove},
    {"unlock", GROUP_START, "lend a running dalild its keys", command_unlock},
    {"lock", GROUP_START, "take them back", command_lock},
    {"sync", GROUP_START, "one round with each peer", command_sync},
    {"version", GROUP_START, "version, commit, formats, SHA-256 of the program", command_version},
    {"add", GROUP_KEEP, "deposit files", command_add},
    {"list", GROUP_KEEP, "the exhibits held here", command_list},
    {"show", GROUP_KEEP, "everything known of one exhibit", command_show},
    {"get", GROUP_KEEP, "the original file, checked", command_get},
    {"verify", GROUP_VERIFY, "check exhibits, or say which one a file is", command_verify},
    {"log checkpoint", GROUP_VERIFY, "the newest checkpoint, a signed note",
        command_log_checkpoint},
    {"log vkey", GROUP_VERIFY, "the log's verifier key", command_log_vkey},
    {"log entries", GROUP_VERIFY, "records as an entry bundle", command_log_entries},
    {"log proof", GROUP_VERIFY, "proof that a record stands in the log", command_log_proof},
    {"log consistency", GROUP_VERIFY, "proof that one size extends another",
        command_log_consistency},
    {"log sign", GROUP_VERIFY, "sign the log now", command_log_sign},
    {"log adopt", GROUP_VERIFY, "the store has moved to this machine", command_log_adopt},
    {"export", GROUP_VERIFY, "an exhibit as an age file", command_export},
    {"status", GROUP_SURVIVE, "what is here, what is at risk and why", command_status},
    {"key list", GROUP_SURVIVE, "the keys of this node", command_key_list},
    {"key show", GROUP_SURVIVE, "the public half of a key", command_key_show},
    {"key reveal", GROUP_SURVIVE, "a reader key in the clear", command_key_reveal},
    {"key copy", GROUP_SURVIVE, "a wrapped copy of a key, to keep elsewhere", command_key_copy},
    {"key attach", GROUP_SURVIVE, "bring a reader key into this store", command_key_attach},
    {"key passphrase", GROUP_SURVIVE, "another passphrase for this store", command_key_passphrase},
    {"charter show", GROUP_SURVIVE, "who speaks for an organisation", command_charter_show},
    {"charter export", GROUP_SURVIVE, "an organisation's key history as a file",
        command_charter_export},
    {"charter apply", GROUP_SURVIVE, "take statements from a file", command_charter_apply},
    {"charter sign", GROUP_SURVIVE, "sign a request with a root key", command_charter_sign},
    {"charter enrol", GROUP_SURVIVE, "enrol a further node", command_charter_enrol},
    {"charter vault", GROUP_SURVIVE, "name another vault key", command_charter_vault},
    {"share", GROUP_SURVIVE, "which organisations may hold this log", command_share},
    {"recover", GROUP_SURVIVE, "fetch everything back after a loss", command_recover},
    {"reindex", GROUP_SURVIVE, "build the index anew", command_reindex},
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
