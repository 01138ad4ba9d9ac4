#include "cli/request.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/file.h"
#include "cli/output.h"
#include "cli/report.h"
#include "proto/bech32.h"
#include "proto/statement_file.h"
#include "proto/text.h"

#define TEXT_SHOWN 512

int
request_read(struct buffer *out, const char *path, struct err *err)
{
	struct buffer text, second;
	struct view file;
	int code;

	buffer_init(&text, STATEMENT_FILE_MAX);
	buffer_init(&second, STATEMENT_MAX + 4);
	code = file_read(&text, path, err);
	file = buffer_view(&text);
	if (code == 0)
		code = statement_file_next(&file, out, err);
	if (code == 0)
		code = err_set(err, ERR_USAGE, "there is no statement in it");
	else if (code == 1)
		code = statement_file_next(&file, &second, err);
	if (code == 1)
		code = err_set(err, ERR_USAGE,
		    "there is more than one statement in it: dalil charter apply takes charters");
	if (code != 0)
		(void)err_wrap(err, "%s", path);
	buffer_fini(&text);
	buffer_fini(&second);
	return code;
}

/* Others' text on one line of its own: a newline in it makes no further line. */
static void
tell_text(const struct context *context, const char *label, struct view text)
{
	struct buffer line;

	buffer_init(&line, 16 * TEXT_SHOWN);
	text.size = text.size > TEXT_SHOWN ? TEXT_SHOWN : text.size;
	if (text.size > 0 && memchr(text.data, '\n', text.size) != NULL)
		text_escape(&line, text);
	else
		buffer_append(&line, text.data, text.size);
	buffer_append_u8(&line, '\0');
	if (line.err == 0)
		report_say(context, "  %-16s %s", label, (const char *)line.data);
	buffer_fini(&line);
}

static void
tell_hex(const struct context *context, const char *label, const uint8_t *bytes)
{
	char hex[2 * HASH_SIZE + 1];

	text_hex(hex, view_of(bytes, HASH_SIZE));
	report_say(context, "  %-16s %s", label, hex);
}

static void
tell_roots(const struct context *context, const struct statement_roots *roots)
{
	unsigned i;

	report_say(
	    context, "  %-16s %" PRIu64 " of these root keys", "must sign", roots->threshold);
	for (i = 0; i < roots->keys.count; i++)
		tell_hex(context, "root key", roots->keys.keys[i]);
	report_say(context, "  %-16s %" PRIu64 " of %u promised keys", "next",
	    roots->next_threshold, roots->next.count);
}

static void
tell_end(const struct context *context, const struct statement_end *end)
{
	if (end->node != NULL) {
		tell_hex(context, "log of the node", end->node);
		report_say(context, "  %-16s %" PRIu64 " records", "last good", end->size);
	} else {
		tell_hex(context, "member", end->member);
	}
	tell_text(context, "reason", end->reason);
}

void
request_tell(const struct context *context, const struct statement *statement)
{
	char time[OUTPUT_TIME_SIZE], recipient[BECH32_RECIPIENT_TEXT + 1];
	const struct statement_enrol *enrol = &statement->enrol;

	output_time(time, (int64_t)statement->time);
	report_say(context, "Statement %" PRIu64 " of a charter, %s: %s", statement->seq, time,
	    statement_kind_name(statement->kind));
	switch (statement->kind) {
	case STATEMENT_FOUND:
		tell_text(context, "organisation", statement->name);
		tell_roots(context, &statement->roots);
		break;
	case STATEMENT_ROTATE:
		tell_roots(context, &statement->roots);
		break;
	case STATEMENT_VAULT:
		bech32_recipient(recipient, statement->recipient);
		tell_text(context, "vault", view_text(recipient));
		break;
	case STATEMENT_ENROL:
		tell_text(context, "node", enrol->name);
		tell_text(context, "origin", enrol->origin);
		if (enrol->country.size > 0)
			tell_text(context, "country", enrol->country);
		break;
	case STATEMENT_MEMBER:
		tell_hex(context, "digest", statement->digest);
		break;
	case STATEMENT_RETIRE:
	case STATEMENT_REVOKE:
		tell_end(context, &statement->end);
		break;
	}
	tell_hex(context, "follows", statement->previous);
	report_say(context, "  %-16s %u", "signatures", statement->signature_count);
}

/* What is to be done with it now. */
static void
tell_next(const struct context *context, const char *path, enum statement_kind kind, unsigned wants)
{
	const char *file = path == NULL ? "FILE" : path;

	if (wants == 0) {
		report_say(context,
		    "It is complete. Where it is not known yet:\n"
		    "  dalil charter apply %s",
		    file);
		return;
	}
	if (wants == REQUEST_UNKNOWN)
		report_say(
		    context, "Its charter is not here: what it still wants is not known here.");
	else
		report_say(context,
		    "It still wants %u signature%s of root keys. Where these are:\n"
		    "  dalil charter sign %s --org-key KEY -o SIGNED",
		    wants, wants == 1 ? "" : "s", file);
	if (kind == STATEMENT_ENROL)
		report_say(context,
		    "or, on a node of the organisation, in one step:\n"
		    "  dalil charter enrol %s --org-key KEY -o SIGNED\n"
		    "and then on the new node: dalil charter apply SIGNED",
		    file);
}

int
request_write(const struct context *context, const char *path, bool force, struct view statement,
    unsigned wants, struct err *err)
{
	struct statement parsed;
	struct buffer text;
	char remark[128];
	int code = statement_parse(&parsed, statement, err);

	if (code != 0)
		return code;
	buffer_init(&text, STATEMENT_FILE_MAX);
	(void)snprintf(remark, sizeof(remark), "dalil: statement %" PRIu64 " of a charter (%s)%s",
	    parsed.seq, statement_kind_name(parsed.kind),
	    wants == 0 ? "" : ", waiting for signatures: dalil charter sign");
	statement_file_remark(&text, remark);
	statement_file_write(&text, statement);
	if (text.err != 0)
		code = err_set(err, (enum err_code)text.err, "no memory to write a statement");
	else if (path == NULL)
		code = file_write_stdout(buffer_view(&text), err);
	else
		code = file_write(path, buffer_view(&text), force, err);
	buffer_fini(&text);
	if (code == 0)
		tell_next(context, path, parsed.kind, wants);
	return code;
}
