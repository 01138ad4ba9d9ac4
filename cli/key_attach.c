/* dalil key attach: a reader key that was kept elsewhere comes into this store. */
#include <sodium.h>
#include <stdio.h>

#include "cli/key.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "proto/bech32.h"

static const struct option no_options[] = {{.name = NULL}};

static const struct usage usage = {
    .arguments = "FILE",
    .what = "Brings a reader key that dalil key copy wrote into this store, wrapped like the\n"
            "others. From then on this node reads what that key opens; so does whoever takes\n"
            "this machine together with its passphrase.",
    .options = no_options,
    .example = "  dalil key attach /media/stick/vault.key",
    .glossary = "  reader key   opens what was deposited; the vault is the organisation's own",
    .least = 1,
    .most = 1,
};

static int
open_file(struct session *session, const char *path, struct standalone *file, uint8_t *secret,
    struct err *err)
{
	const struct view *used = NULL;
	struct buffer passphrase;
	struct view view;
	int result = 0;

	if (strcmp(file->name, "vault") != 0)
		return err_set(err, ERR_REFUSED,
		    "%s holds a %s key: only reader keys are brought into a store", path,
		    file->name);
	buffer_init_secret(&passphrase, PASSPHRASE_MAX);
	if (file->passphrase)
		result = key_passphrase(&passphrase, &view, &used, session->context,
		    PASSPHRASE_COPY, PASSPHRASE_OPEN, err);
	if (result == 0)
		result = standalone_open(file, used, secret, err);
	buffer_fini(&passphrase);
	if (result != 0)
		err_wrap(err, "%s", path);
	return result;
}

/* A vault of another organisation, or of former days, opens other things than ours. */
static void
compare_with_charter(struct session *session, const uint8_t *public_half)
{
	const uint8_t *vault;
	struct charter *charter;
	struct err err = {0};

	if (archive_charter(session->archive, session->self.organisation, &charter, &err) != 0)
		return;
	vault = charter_vault(charter);
	if (vault == NULL || memcmp(vault, public_half, KEYS_SIZE) != 0)
		report_warning(session->context,
		    "this is not the vault that the charter names now: it opens what was deposited "
		    "for it and nothing else");
	charter_free(charter);
}

static void
tell(struct session *session, const struct standalone *file)
{
	char text[BECH32_RECIPIENT_TEXT + 1];

	bech32_recipient(text, file->public_half);
	if (session->context->globals.json) {
		json_t *object = json_object();

		output_set_text(object, "name", view_text(file->name));
		output_set_text(object, "public", view_text(text));
		output_json(object);
	}
	report_say(
	    session->context, "This store now reads what is sealed for %s (%s)", text, file->about);
	compare_with_charter(session, file->public_half);
}

static int
attach(struct session *session, const char *path, struct err *err)
{
	struct standalone file;
	uint8_t *secret = sodium_malloc(KEYS_SIZE);
	int result;

	if (secret == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a key");
	result = standalone_read(&file, path, err);
	if (result == 0) {
		result = open_file(session, path, &file, secret, err);
		if (result == 0)
			result =
			    keys_attach(archive_keys(session->archive), secret, file.about, err);
		/* It came from a file elsewhere: that is a copy. */
		if (result == 0)
			result = key_note_copy(session, file.public_half, err);
		if (result == 0)
			tell(session, &file);
		standalone_fini(&file);
	}
	sodium_free(secret);
	return result;
}

int
command_key_attach(struct context *context, int argc, char **argv)
{
	struct session session;
	struct options options;
	struct err err = {0};

	if (options_init(&options, context, &usage, argc, argv) == 0 &&
	    session_open(&session, context, SESSION_ALL) == 0) {
		if (attach(&session, options.words[0], &err) != 0)
			report_failure(context, &err, NULL);
		session_close(&session);
	}
	options_fini(&options);
	return report_exit(context);
}
