/* dalil charter enrol and charter vault: statements that this organisation makes. */
#include "cli/options.h"
#include "cli/report.h"
#include "cli/request.h"
#include "cli/session.h"
#include "proto/bech32.h"

static const struct option options_table[] = {
    {"org-key", "FILE", OPTION_WORDS, "a root key at hand; may be repeated"},
    {"o", "FILE", OPTION_PATH, "write the statement there instead of to standard output"},
    {"force", NULL, OPTION_FLAG, "overwrite FILE"},
    {.name = NULL},
};

static const struct usage enrol_usage = {
    .arguments = "REQUEST [--org-key FILE]... [-o FILE]",
    .what = "Enrols a further node of the organisation from the request that `init --join` wrote\n"
            "there. With enough root keys it takes effect here at once, and the statement is to\n"
            "be taken back: dalil charter apply FILE. Else it goes on half signed.",
    .options = options_table,
    .example = "  dalil charter enrol node-two.request --org-key root.key -o node-two.enrol",
    .glossary = "  enrol     to name a node's keys in the charter, so that its records count\n"
                "  root key  signs statements of the charter; lies outside every store",
    .least = 1,
    .most = 1,
};

static const struct usage vault_usage = {
    .arguments = "RECIPIENT [--org-key FILE]... [-o FILE]",
    .what = "Names the organisation's vault: the reader key to which everything is deposited from\n"
            "now on. What was deposited before stays under the vault before it.",
    .options = options_table,
    .example = "  dalil charter vault age1... --org-key root.key",
    .glossary = "  RECIPIENT  the public half of a reader key, age1...\n"
                "  vault      the organisation's own reader key\n"
                "  root key   signs statements of the charter; lies outside every store",
    .least = 1,
    .most = 1,
};

static int
enrol(struct session *session, const struct session_roots *roots, const char *path,
    struct buffer *out, unsigned *wants, struct err *err)
{
	struct statement statement;
	struct buffer request;
	int code;

	buffer_init(&request, STATEMENT_MAX + 4);
	code = request_read(&request, path, err);
	if (code == 0)
		code = statement_parse(&statement, buffer_view(&request), err);
	if (code == 0 && statement.kind != STATEMENT_ENROL)
		code = err_set(err, ERR_USAGE, "%s asks for no enrolment but is a %s", path,
		    statement_kind_name(statement.kind));
	if (code == 0) {
		request_tell(session->context, &statement);
		code = archive_charter_complete(session->archive, buffer_view(&request),
		    (const uint8_t *const *)roots->seeds, roots->count, out, wants, err);
	}
	buffer_fini(&request);
	return code;
}

static int
vault(struct session *session, const struct session_roots *roots, const char *recipient,
    struct buffer *out, unsigned *wants, struct err *err)
{
	struct statement draft = {.kind = STATEMENT_VAULT};
	uint8_t key[32];
	int code = bech32_parse_recipient(key, view_text(recipient), err);

	if (code != 0)
		return err_set(err, ERR_USAGE, "'%s' is no recipient: age1...", recipient);
	draft.recipient = key;
	return archive_charter_make(session->archive, &draft, archive_now(),
	    (const uint8_t *const *)roots->seeds, roots->count, out, wants, err);
}

typedef int make(struct session *session, const struct session_roots *roots, const char *word,
    struct buffer *out, unsigned *wants, struct err *err);

static int
run(struct session *session, const struct options *options, make *made, struct err *err)
{
	struct session_roots roots = {0};
	struct buffer out;
	unsigned wants = 0;
	int code = session_roots(&roots, session->context, options, "org-key", err);

	buffer_init(&out, STATEMENT_MAX);
	if (code == 0)
		code = made(session, &roots, options->words[0], &out, &wants, err);
	session_roots_fini(&roots);
	if (code == 0)
		code = request_write(session->context, options_text(options, "o"),
		    options_has(options, "force"), buffer_view(&out), wants, err);
	if (code == 0 && wants == 0)
		session_sign_if_alone(session);
	buffer_fini(&out);
	return code;
}

static int
command(struct context *context, const struct usage *usage, make *made, int argc, char **argv)
{
	struct session session;
	struct options options;
	struct err err = {0};

	if (options_init(&options, context, usage, argc, argv) == 0 &&
	    session_open(&session, context, SESSION_SIGN) == 0) {
		if (run(&session, &options, made, &err) != 0)
			report_failure(context, &err, session_advice(err.code));
		session_close(&session);
	}
	options_fini(&options);
	return report_exit(context);
}

int
command_charter_enrol(struct context *context, int argc, char **argv)
{
	return command(context, &enrol_usage, enrol, argc, argv);
}

int
command_charter_vault(struct context *context, int argc, char **argv)
{
	return command(context, &vault_usage, vault, argc, argv);
}
