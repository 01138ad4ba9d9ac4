/* dalil key copy: one key into a file of its own, wrapped, and read back before it counts. */
#include <limits.h>
#include <sodium.h>
#include <stdio.h>

#include "cli/key.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"

static const struct option table[] = {
    {"o", "FILE", OPTION_PATH, "where the copy is written: best a stick"},
    {"force", NULL, OPTION_FLAG, "overwrite a file that is there"},
    {"no-passphrase", NULL, OPTION_FLAG, "the key in the clear"},
    {.name = NULL},
};

static const struct usage usage = {
    .arguments = "NAME -o FILE",
    .what =
        "Copies a key into a file of its own, under a passphrase of its own, and reads it back\n"
        "before it counts. Copy the vault: without it nothing that was sealed can be read\n"
        "again once this store is gone.",
    .options = table,
    .example = "  dalil key copy vault -o /media/stick/vault.key\n"
               "  dalil key attach /media/stick/vault.key     brings it into another store",
    .glossary = "  vault  the key that opens what the organisation deposited",
    .least = 1,
    .most = 1,
};

static int
write_copy(struct session *session, const struct options *options, const struct key_named *key,
    const uint8_t *secret, struct err *err)
{
	struct buffer passphrase;
	const struct view *used;
	struct view view;
	char about[512];
	int result;

	(void)snprintf(about, sizeof(about), "%.200s, node %.200s", session->self.organisation_name,
	    session->self.node);
	buffer_init_secret(&passphrase, PASSPHRASE_MAX);
	result = key_passphrase(
	    &passphrase, &view, &used, session->context, PASSPHRASE_COPY, PASSPHRASE_CHOOSE, err);
	if (result == 0)
		result = standalone_write(options_text(options, "o"),
		    key->reader ? "vault" : key->label, about, secret, used,
		    options_has(options, "force") ? STANDALONE_OVERWRITE : STANDALONE_KEEP, err);
	buffer_fini(&passphrase);
	return result;
}

static void
tell(const struct session *session, const struct options *options, const struct key_named *key)
{
	if (session->context->globals.json) {
		json_t *object = json_object();

		output_set_text(object, "name", view_text(key->label));
		output_set_text(object, "path", view_text(options_text(options, "o")));
		output_json(object);
	}
	report_say(session->context,
	    "The %s key, written and read back: %s\nTake it to another place.", key->label,
	    options_text(options, "o"));
}

static int
copy(struct session *session, const struct options *options, struct err *err)
{
	struct keys *keys = archive_keys(session->archive);
	struct key_named key;
	uint8_t *secret;
	int result = key_find(keys, options->words[0], &key, err);

	if (result != 0)
		return result;
	secret = sodium_malloc(KEYS_SIZE);
	if (secret == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a key");
	result = key_secret(keys, &key, secret, err);
	if (result == 0)
		result = write_copy(session, options, &key, secret, err);
	sodium_free(secret);
	if (result == 0 && key.reader)
		result = key_note_copy(session, key.public_half, err);
	if (result == 0)
		tell(session, options, &key);
	return result;
}

int
command_key_copy(struct context *context, int argc, char **argv)
{
	struct session session;
	struct options options;
	struct err err = {0};

	if (options_init(&options, context, &usage, argc, argv) != 0) {
		options_fini(&options);
		return report_exit(context);
	}
	context->globals.no_passphrase |= options_has(&options, "no-passphrase");
	if (options_text(&options, "o") == NULL)
		(void)report_usage(context, "-o FILE is missing: where the copy is written");
	else if (session_open(&session, context, SESSION_ALL) == 0) {
		if (copy(&session, &options, &err) != 0)
			report_failure(context, &err,
			    err.code == ERR_EXISTS ? "choose another name, or --force" :
			                             session_advice(err.code));
		session_close(&session);
	}
	options_fini(&options);
	return report_exit(context);
}
