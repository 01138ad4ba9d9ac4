/* dalil key list, dalil key show: the public halves of the keys that are here. */
#include <stdio.h>

#include "cli/key.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"

static const struct option no_options[] = {{.name = NULL}};

static const struct usage list_usage = {
    .arguments = "",
    .what = "Lists the keys of this store: name, what it does, and the public half. The root and\n"
            "the next key are never among them: they lie outside, where init wrote them.",
    .options = no_options,
    .example = "  dalil key list",
    .glossary = "  reader key   opens what was deposited; the vault is the organisation's own",
};

static const struct usage show_usage = {
    .arguments = "NAME",
    .what = "Prints the public half of a key, for others: age1... of a reader key, of the inbox\n"
            "and of the transport, the verifier key of log, witness and mirror, hex of the\n"
            "record key.",
    .options = no_options,
    .example = "  dalil key show vault      whoever has this can deposit for us",
    .glossary = "  verifier key  the public half that checks a signed note",
    .least = 1,
    .most = 1,
};

static const char *
job_of(const struct key_named *key)
{
	if (key->reader)
		return "opens what was deposited";
	switch (key->name) {
	case KEYS_RECORD:
		return "signs records";
	case KEYS_LOG:
		return "signs the log";
	case KEYS_WITNESS:
		return "witnesses others' logs";
	case KEYS_MIRROR:
		return "acknowledges copies";
	case KEYS_TRANSPORT:
		return "talks to peers";
	case KEYS_INBOX:
		return "receives by courier";
	}
	return "";
}

static int
list_one(struct session *session, const struct key_named *key, struct err *err)
{
	bool copied = false;
	struct buffer text;
	int result = 0;

	buffer_init(&text, 1024);
	if (key->reader)
		result = key_was_copied(session, key->public_half, &copied, err);
	if (result == 0)
		result = key_public_text(&text, session, key, err);
	if (result == 0 && session->context->globals.json) {
		json_t *object = json_object();

		output_set_text(object, "name", view_text(key->label));
		output_set_text(object, "kind", view_text(key->reader ? "reader" : "node"));
		output_set_text(object, "public", buffer_view(&text));
		if (key->reader)
			(void)json_object_set_new(object, "copied", json_boolean(copied));
		output_json(object);
	} else if (result == 0) {
		printf("%-14s  %s%s\n  ", key->label, job_of(key),
		    key->reader && !copied ? "; never copied from here" : "");
		output_text(buffer_view(&text));
		printf("\n");
	}
	buffer_fini(&text);
	return result;
}

static int
list(struct session *session, struct err *err)
{
	struct keys *keys = archive_keys(session->archive);
	struct key_named key;
	unsigned at;
	int result = 0;

	for (at = 0; result == 0 && key_at(keys, at, &key); at++)
		result = list_one(session, &key, err);
	if (result == 0)
		result = keys_damage(keys, err);
	return result;
}

int
command_key_list(struct context *context, int argc, char **argv)
{
	struct session session;
	struct options options;
	struct err err = {0};

	if (options_init(&options, context, &list_usage, argc, argv) == 0 &&
	    session_open(&session, context, SESSION_PUBLIC) == 0) {
		if (list(&session, &err) != 0)
			report_failure(context, &err, session_advice(err.code));
		session_close(&session);
	}
	options_fini(&options);
	return report_exit(context);
}

static int
show(struct session *session, const char *name, struct err *err)
{
	struct key_named key;
	struct buffer text;
	int result = key_find(archive_keys(session->archive), name, &key, err);

	if (result != 0)
		return result;
	buffer_init(&text, 1024);
	result = key_public_text(&text, session, &key, err);
	if (result == 0 && session->context->globals.json) {
		json_t *object = json_object();

		output_set_text(object, "name", view_text(key.label));
		output_set_text(object, "public", buffer_view(&text));
		output_json(object);
	} else if (result == 0) {
		output_text(buffer_view(&text));
		printf("\n");
	}
	buffer_fini(&text);
	return result;
}

int
command_key_show(struct context *context, int argc, char **argv)
{
	struct session session;
	struct options options;
	struct err err = {0};

	if (options_init(&options, context, &show_usage, argc, argv) == 0 &&
	    session_open(&session, context, SESSION_PUBLIC) == 0) {
		if (show(&session, options.words[0], &err) != 0)
			report_failure(context, &err, NULL);
		session_close(&session);
	}
	options_fini(&options);
	return report_exit(context);
}
