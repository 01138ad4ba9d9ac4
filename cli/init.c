/*
 * dalil init: founds an organisation with its first node, or (--join) adds a further node to one.
 * Root and next key never stand in the store: they are written to files first, and where they should
 * go is said.
 */
#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/file.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/passphrase.h"
#include "cli/report.h"
#include "cli/request.h"
#include "cli/session.h"
#include "proto/statement_file.h"
#include "proto/text.h"

static const struct option table[] = {
    {"org", "NAME", OPTION_TEXT, "the organisation's name, seen by its partners"},
    {"node", "NAME", OPTION_TEXT, "a name for this machine"},
    {"keys-to", "DIR", OPTION_PATH, "where the root key is written: best a stick"},
    {"next-to", "DIR", OPTION_PATH, "where the next key is written: another stick"},
    {"country", "CC", OPTION_PATH, "two letters: jurisdictions are counted by it"},
    {"origin", "TEXT", OPTION_PATH, "the log's name for life, instead of the default"},
    {"deposit-only", NULL, OPTION_FLAG, "the vault key goes to DIR too, not into the store"},
    {"no-passphrase", NULL, OPTION_FLAG, "keys in the clear: for tests and full-disk encryption"},
    {"join", "CHARTER", OPTION_PATH, "a further node of the organisation in that file"},
    {"org-key", "FILE", OPTION_WORDS, "a root key at hand, with --join; may be repeated"},
    {"o", "FILE", OPTION_PATH, "with --join: the request if keys are missing (else NODE.request)"},
    {.name = NULL},
};

static const struct usage usage = {
    .arguments = "--org NAME --node NAME --keys-to DIR [options]\n"
                 "dalil init --join CHARTER --node NAME [--org-key FILE]...",
    .what = "Founds an organisation with its first node. Two keys are written outside the store,\n"
            "each under its own passphrase: NODE-root.key speaks for the organisation,\n"
            "NODE-next.key replaces it when it is lost or stolen. Take them to two safe places.\n"
            "With --join: makes a further node of an organisation, enrolled at once with the root\n"
            "keys at hand; otherwise it writes a request for: dalil charter enrol.",
    .options = table,
    .example = "  dalil init --org \"Memory Archive\" --node office --keys-to /media/stick1 \\\n"
               "      --next-to /media/stick2 --country KZ",
    .glossary = "  root key   signs who speaks for the organisation\n"
                "  next key   promised to replace the root key, used once\n"
                "  vault      the key that opens what the organisation deposited\n"
                "  charter    the organisation's key history",
};

struct founding {
	struct context *context;
	const struct options *options;
	char store[PATH_MAX];
	uint8_t *root; /* seeds, secret memory */
	uint8_t *next;
	uint8_t *vault;           /* secret, with --deposit-only */
	struct buffer passphrase; /* of the store */
	struct archive *archive;
};

static bool
wants_passphrase(const struct founding *founding)
{
	return !founding->context->globals.no_passphrase &&
	       !options_has(founding->options, "no-passphrase");
}

static int
new_seed(uint8_t **seed, struct err *err)
{
	*seed = sodium_malloc(ARCHIVE_SEED);
	if (*seed == NULL)
		return err_set(err, ERR_MEMORY, "out of memory for a key");
	randombytes_buf(*seed, ARCHIVE_SEED);
	return ERR_NONE;
}

/* DIR/NODE-WHAT.key; the node's name as a file name. */
static int
key_path(char path[static PATH_MAX], const char *folder, const char *node, const char *what,
    struct err *err)
{
	char name[256];
	int length;

	file_safe_name(name, sizeof(name), view_text(node));
	length = snprintf(path, PATH_MAX, "%s/%s-%s.key", folder, name, what);
	return length < 0 || length >= PATH_MAX ?
	           err_set(err, ERR_USAGE, "the path of the key file is too long") :
	           ERR_NONE;
}

static int
write_key(struct founding *founding, const char *folder, const char *what, const uint8_t *seed,
    enum passphrase_kind kind, struct err *err)
{
	const char *node = options_text(founding->options, "node");
	struct buffer passphrase;
	char path[PATH_MAX];
	char about[256];
	struct view view;
	int code;

	code = key_path(path, folder, node, what, err);
	if (code != ERR_NONE)
		return code;
	(void)snprintf(about, sizeof(about), "%.120s, node %.100s",
	    options_text(founding->options, "org"), node);
	buffer_init_secret(&passphrase, PASSPHRASE_MAX);
	if (passphrase.err != ERR_NONE)
		return err_set(err, ERR_MEMORY, "out of memory for a passphrase");
	if (wants_passphrase(founding))
		code = passphrase_get(&passphrase, founding->context, kind, PASSPHRASE_CHOOSE, err);
	view = buffer_view(&passphrase);
	if (code == ERR_NONE)
		code = standalone_write(path, what, about, seed,
		    wants_passphrase(founding) ? &view : NULL, STANDALONE_KEEP, err);
	buffer_fini(&passphrase);
	if (code == ERR_NONE)
		report_say(founding->context, "The %s key: %s", what, path);
	return code;
}

static int
write_keys(struct founding *founding, struct err *err)
{
	const char *keys_to = options_text(founding->options, "keys-to");
	const char *next_to = options_text(founding->options, "next-to");
	int code;

	code = write_key(founding, keys_to, "root", founding->root, PASSPHRASE_ROOT, err);
	if (code == ERR_NONE)
		code = write_key(founding, next_to != NULL ? next_to : keys_to, "next",
		    founding->next, PASSPHRASE_NEXT, err);
	if (code == ERR_NONE && founding->vault != NULL)
		code = write_key(founding, keys_to, "vault", founding->vault, PASSPHRASE_COPY, err);
	return code;
}

static int
choose_store_passphrase(struct founding *founding, struct err *err)
{
	buffer_init_secret(&founding->passphrase, PASSPHRASE_MAX);
	if (founding->passphrase.err != ERR_NONE)
		return err_set(err, ERR_MEMORY, "out of memory for a passphrase");
	if (!wants_passphrase(founding))
		return ERR_NONE;
	return passphrase_get(
	    &founding->passphrase, founding->context, PASSPHRASE_STORE, PASSPHRASE_CHOOSE, err);
}

static struct archive_init
init_of(struct founding *founding, struct view *passphrase)
{
	*passphrase = buffer_view(&founding->passphrase);
	return (struct archive_init){.store = founding->store,
	    .node = options_text(founding->options, "node"),
	    .country = options_text(founding->options, "country"),
	    .origin = options_text(founding->options, "origin"),
	    .passphrase = wants_passphrase(founding) ? passphrase : NULL,
	    .deposit_only = options_has(founding->options, "deposit-only"),
	    .time = archive_now()};
}

static int
remember_key(struct founding *founding, struct batch *batch, const char *name, const char *folder,
    struct err *err)
{
	char resolved[PATH_MAX];
	char path[PATH_MAX];
	int code = key_path(path, folder, options_text(founding->options, "node"), name, err);

	if (code != ERR_NONE || realpath(path, resolved) == NULL)
		return code;
	(void)snprintf(path, sizeof(path), "key-file-%s", name);
	return batch_fact(batch, STORAGE_FACT_SETTING, view_text(path), view_text(resolved), err);
}

/* While a key stands where it was written, `status` says so: it must know where that is. */
static int
remember_keys(struct founding *founding, struct err *err)
{
	const char *keys_to = options_text(founding->options, "keys-to");
	const char *next_to = options_text(founding->options, "next-to");
	struct batch *batch;
	int code = batch_begin(archive_storage(founding->archive), &batch, err);

	if (code != ERR_NONE)
		return code;
	code = remember_key(founding, batch, "root", keys_to, err);
	if (code == ERR_NONE)
		code =
		    remember_key(founding, batch, "next", next_to != NULL ? next_to : keys_to, err);
	if (code == ERR_NONE)
		return batch_commit(batch, err);
	batch_abort(batch);
	return code;
}

static int
found(struct founding *founding, struct err *err)
{
	const char *org = options_text(founding->options, "org");
	uint8_t vault_public[HASH_SIZE];
	struct archive_init init;
	struct view passphrase;
	int code;

	code = new_seed(&founding->root, err);
	if (code == ERR_NONE)
		code = new_seed(&founding->next, err);
	if (code == ERR_NONE && options_has(founding->options, "deposit-only"))
		code = new_seed(&founding->vault, err);
	if (code == ERR_NONE)
		code = choose_store_passphrase(founding, err);
	if (code == ERR_NONE)
		code = write_keys(founding, err);
	if (code == ERR_NONE && founding->vault != NULL)
		code = standalone_public(vault_public, "vault", founding->vault, err);
	if (code != ERR_NONE)
		return code;
	init = init_of(founding, &passphrase);
	code = archive_create(&founding->archive, &init, org, founding->root, founding->next,
	    founding->vault != NULL ? vault_public : NULL, err);
	return code == ERR_NONE ? remember_keys(founding, err) : code;
}

static void
print_self(const struct founding *founding)
{
	char organisation[2 * HASH_SIZE + 1];
	struct archive_self self;

	archive_self(founding->archive, &self);
	text_hex(organisation, view_of(self.organisation, HASH_SIZE));
	if (founding->context->globals.json) {
		json_t *object = json_object();

		output_set_text(object, "organisation", view_text(organisation));
		output_set_text(object, "origin", view_text(self.origin));
		output_set_text(object, "vkey", view_text(self.vkey));
		output_json(object);
		return;
	}
	printf("organisation %s\norigin %s\nvkey %s\n", organisation, self.origin, self.vkey);
}

static void
sign_first(struct founding *founding, bool founded)
{
	struct session session = {.context = founding->context, .archive = founding->archive};
	struct log_signed result;
	struct log_gate gate = {0};
	struct err err = {0};

	/* A further node has peers to ask as soon as it is paired; a founder has none. */
	if (founded && archive_sign(session.archive, &gate, NULL, &result, &err) != ERR_NONE)
		report_warning(founding->context, "not signed yet: %s", err_text(&err));
}

/* Where the request goes: -o FILE, or NODE.request here; refused before anything is made. */
static int
request_path(char path[static PATH_MAX], const struct founding *founding, struct err *err)
{
	const char *given = options_text(founding->options, "o");
	char name[256];

	file_safe_name(name, sizeof(name), view_text(options_text(founding->options, "node")));
	if ((given == NULL ? snprintf(path, PATH_MAX, "%s.request", name) :
	                     snprintf(path, PATH_MAX, "%s", given)) >= PATH_MAX)
		return err_set(err, ERR_USAGE, "the path of the request is too long");
	return access(path, F_OK) == 0 ?
	           err_set(err, ERR_EXISTS, "%s is there: name another with -o FILE", path) :
	           ERR_NONE;
}

/* The own enrol, which still wants root keys' signatures. */
static int
write_request(struct founding *founding, const char *path, struct view request, struct err *err)
{
	unsigned wants = REQUEST_UNKNOWN;
	struct charter *charter = NULL;
	struct statement statement;
	struct archive_self self;

	archive_self(founding->archive, &self);
	if (statement_parse(&statement, request, NULL) == ERR_NONE &&
	    archive_charter(founding->archive, self.organisation, &charter, NULL) == ERR_NONE)
		wants = charter_wants(charter, &statement);
	charter_free(charter);
	report_say(founding->context, "Not enrolled yet.");
	return request_write(founding->context, path, false, request, wants, err);
}

static int
join(struct founding *founding, struct err *err)
{
	struct session_roots roots = {0};
	char path[PATH_MAX];
	struct buffer charter;
	struct buffer request;
	struct archive_init init;
	struct view passphrase;
	int code;

	buffer_init(&charter, STATEMENT_FILE_MAX);
	buffer_init(&request, STATEMENT_FILE_MAX);
	code = request_path(path, founding, err);
	if (code == ERR_NONE)
		code = file_read(&charter, options_text(founding->options, "join"), err);
	if (code == ERR_NONE)
		code = session_roots(&roots, founding->context, founding->options, "org-key", err);
	if (code == ERR_NONE)
		code = choose_store_passphrase(founding, err);
	if (code == ERR_NONE) {
		init = init_of(founding, &passphrase);
		code = archive_join(&founding->archive, &init, buffer_view(&charter),
		    (const uint8_t *const *)roots.seeds, roots.count, &request, err);
	}
	if (code == ERR_NONE && request.size > 0)
		code = write_request(founding, path, buffer_view(&request), err);
	session_roots_fini(&roots);
	buffer_fini(&request);
	buffer_fini(&charter);
	return code;
}

static void
say_what_next(const struct founding *founding, bool founded)
{
	if (!founded) {
		report_say(founding->context, "This node holds no vault key: bring it with\n"
		                              "  dalil key attach FILE");
		return;
	}
	report_say(founding->context,
	    "Take the root key and the next key to two places outside this office, and remove\n"
	    "them here. Who has the root key speaks for the organisation; the next key alone can\n"
	    "replace it.");
	if (founding->vault != NULL)
		report_say(founding->context,
		    "Take the vault key away too: it alone opens what this node deposits.");
	else
		report_say(founding->context,
		    "Copy the vault key too: without it nothing that was sealed can be read again\n"
		    "(dalil key copy vault -o FILE).");
}

static int
check_arguments(struct founding *founding, bool joining)
{
	const struct options *options = founding->options;
	const char *country = options_text(options, "country");

	if (options_text(options, "node") == NULL)
		return report_usage(founding->context, "--node NAME is missing");
	if (!joining &&
	    (options_text(options, "org") == NULL || options_text(options, "keys-to") == NULL))
		return report_usage(founding->context, "--org NAME and --keys-to DIR are needed");
	if (country != NULL &&
	    (strlen(country) != 2 || strspn(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2))
		return report_usage(
		    founding->context, "--country takes two capital letters, such as KZ");
	return EXIT_DONE;
}

static void
founding_fini(struct founding *founding)
{
	archive_close(founding->archive);
	buffer_fini(&founding->passphrase);
	sodium_free(founding->root);
	sodium_free(founding->next);
	sodium_free(founding->vault);
}

int
command_init(struct context *context, int argc, char **argv)
{
	struct founding founding = {.context = context};
	struct options options;
	struct err err = {0};
	bool joining;
	int code;

	founding.options = &options;
	if (options_init(&options, context, &usage, argc, argv) != 0) {
		options_fini(&options);
		return report_exit(context);
	}
	joining = options_has(&options, "join");
	if (check_arguments(&founding, joining) == EXIT_DONE) {
		code = session_path(founding.store, context, &err);
		if (code == ERR_NONE && file_exists(founding.store, "format"))
			code =
			    err_set(&err, ERR_EXISTS, "%s holds a store already", founding.store);
		if (code == ERR_NONE)
			code = joining ? join(&founding, &err) : found(&founding, &err);
		if (code == ERR_NONE) {
			sign_first(&founding, !joining);
			print_self(&founding);
			say_what_next(&founding, !joining);
		} else {
			report_failure(context, &err, NULL);
		}
	}
	founding_fini(&founding);
	options_fini(&options);
	return report_exit(context);
}
