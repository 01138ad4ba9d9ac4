/* dalil key reveal: the secret of a reader key, for stock tools. */
#include <sodium.h>
#include <stdio.h>

#include "cli/key.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "proto/bech32.h"

static const struct option no_options[] = {{.name = NULL}};

static const struct usage usage = {
    .arguments = "NAME",
    .what = "Prints the secret of a reader key, as age takes it. Whoever sees this line can read\n"
            "all that the key opens, for ever: to keep the key elsewhere use dalil key copy.",
    .options = no_options,
    .example = "  dalil key reveal vault | age -d -i - exhibit.age\n"
               "      opens with a stock tool what dalil export --age wrote",
    .glossary = "  reader key   opens what was deposited; the vault is the organisation's own",
    .least = 1,
    .most = 1,
};

static int
reveal(struct session *session, const char *name, struct err *err)
{
	struct keys *keys = archive_keys(session->archive);
	struct key_named key;
	uint8_t *secret;
	char *text;
	int result = key_find(keys, name, &key, err);

	if (result != 0)
		return result;
	if (!key.reader)
		return err_set(err, ERR_REFUSED,
		    "the %s key is no reader key: it is never shown; dalil key copy copies it",
		    key.label);
	secret = sodium_malloc(KEYS_SIZE);
	text = sodium_malloc(BECH32_IDENTITY_TEXT + 1);
	if (secret == NULL || text == NULL)
		result = err_set(err, ERR_MEMORY, "no memory for a key");
	else
		result = key_secret(keys, &key, secret, err);
	if (result == 0) {
		bech32_identity(text, secret);
		if (session->context->globals.json) {
			json_t *object = json_object();

			output_set_text(object, "name", view_text(key.label));
			output_set_text(object, "identity", view_text(text));
			output_json(object);
		} else
			printf("%s\n", text);
	}
	sodium_free(secret);
	sodium_free(text);
	return result;
}

int
command_key_reveal(struct context *context, int argc, char **argv)
{
	struct session session;
	struct options options;
	struct err err = {0};

	if (options_init(&options, context, &usage, argc, argv) == 0 &&
	    session_open(&session, context, SESSION_ALL) == 0) {
		if (reveal(&session, options.words[0], &err) != 0)
			report_failure(context, &err, session_advice(err.code));
		session_close(&session);
	}
	options_fini(&options);
	return report_exit(context);
}
