/*
 * dalil recover: on a new node, fetch back every log and payload of one's organisation from peers,
 * check all of it, and print the line that revokes the lost node.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/network.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/passphrase.h"
#include "cli/report.h"
#include "cli/terminal.h"
#include "proto/text.h"

#define ROUNDS_MAX 1000
#define ROUND_SECONDS 600

static const struct option table[] = {
    {"from", "PEER", OPTION_WORDS, "only from this peer; may be repeated"},
    {"key", "FILE", OPTION_WORDS, "a copied vault key to attach first; may be repeated"},
    {.name = NULL},
};

static const struct usage usage = {
    .arguments = "[--from PEER]... [--key FILE]...",
    .what =
        "On a new node of an organisation that lost one: fetches every log and every payload of\n"
        "the organisation back from the peers, checks all of it, and prints the line that revokes\n"
        "the lost node. Run it again if it is cut off: nothing is fetched twice.",
    .options = table,
    .example = "  dalil recover --key /media/stick/vault.key",
    .glossary = "  revoke     tells everybody that the lost node's keys count no more\n"
                "  last-good  how far the lost node's log is to be believed",
};

static int
attach_one(struct session *session, const char *path, struct err *err)
{
	struct buffer passphrase;
	struct standalone file;
	uint8_t *secret;
	struct view view;
	int code = standalone_read(&file, path, err);

	if (code != ERR_NONE)
		return code;
	buffer_init_secret(&passphrase, PASSPHRASE_MAX);
	secret = sodium_malloc(STANDALONE_SIZE);
	if (secret == NULL || passphrase.err != ERR_NONE)
		code = err_set(err, ERR_MEMORY, "out of memory for a key");
	if (code == ERR_NONE && file.passphrase)
		code = passphrase_get(
		    &passphrase, session->context, PASSPHRASE_COPY, PASSPHRASE_OPEN, err);
	view = buffer_view(&passphrase);
	if (code == ERR_NONE)
		code = standalone_open(&file, file.passphrase ? &view : NULL, secret, err);
	if (code == ERR_NONE)
		code = keys_attach(archive_keys(session->archive), secret, file.about, err);
	if (code == ERR_EXISTS)
		code = ERR_NONE;
	sodium_free(secret);
	buffer_fini(&passphrase);
	standalone_fini(&file);
	if (code != ERR_NONE)
		err_wrap(err, "the key file %s", path);
	return code;
}

static int
attach(struct session *session, const struct options *options, struct err *err)
{
	const struct option_value *value;
	size_t cursor = 0;
	int code = ERR_NONE;

	while (code == ERR_NONE && (value = options_next(options, "key", &cursor)) != NULL)
		code = attach_one(session, (const char *)value->value.data, err);
	return code;
}

/* What is still missing: payloads, and the sum of all records as a measure of progress. */
static int
measure(struct session *session, struct storage_counts *counts, struct err *err)
{
	struct snapshot *snapshot;
	int code = snapshot_begin(archive_storage(session->archive), &snapshot, err);

	if (code != ERR_NONE)
		return code;
	code = snapshot_counts(snapshot, counts, err);
	snapshot_end(snapshot);
	return code;
}

/* Rounds until one brings nothing new: then all that the peers have is here. */
static int
fetch(struct session *session, const struct options *options, struct err *err)
{
	struct storage_counts before = {0};
	struct storage_counts after = {0};
	const struct option_value *value;
	char **names = calloc(options->count + 1, sizeof(*names));
	size_t cursor = 0;
	size_t count = 0;
	unsigned round;
	int code = ERR_NONE;

	if (names == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	while ((value = options_next(options, "from", &cursor)) != NULL)
		names[count++] = (char *)(uintptr_t)value->value.data;
	for (round = 0; round < ROUNDS_MAX; round++) {
		struct err trouble = {0};
		int synced = network_round(session, names, count, ROUND_SECONDS, true, &trouble);

		code = measure(session, &after, err);
		if (code != ERR_NONE)
			break;
		report_say(session->context,
		    "Here: %" PRIu64 " records, %" PRIu64 " payloads; %" PRIu64
		    " payloads to come.",
		    after.entries, after.payloads, after.wants);
		if (after.sequence == before.sequence || (after.wants == 0 && round > 0)) {
			if (synced != ERR_NONE && after.entries == 0) {
				*err = trouble;
				code = synced;
			}
			break;
		}
		before = after;
	}
	free(names);
	return code;
}

static void
count_problem(void *cookie, const struct verify_exhibit *exhibit)
{
	const struct context *context = cookie;
	char hex[2 * HASH_SIZE + 1];
	unsigned i;

	text_hex(hex, view_of(exhibit->id, HASH_SIZE));
	for (i = 0; exhibit->result != VERIFY_INTACT && i < exhibit->problem_count; i++)
		report_warning(context, "%.16s: %s", hex, exhibit->problems[i]);
}

static void
found(void *cookie, const char *problem)
{
	report_warning(cookie, "%s", problem);
}

static int
check(struct session *session, struct err *err)
{
	struct verify_options options = {
	    .done = count_problem, .found = found, .cookie = session->context};
	struct verify_summary summary = {0};
	int code =
	    archive_verify(session->archive, NULL, 0, (const uint8_t *const *)session->identities,
	        session->identity_count, &options, &summary, err);

	if (code != ERR_NONE)
		return code;
	printf("%" PRIu64 " exhibits: %" PRIu64 " intact, %" PRIu64 " damaged, %" PRIu64
	       " missing\n",
	    summary.exhibits, summary.intact, summary.damaged, summary.missing);
	if (summary.damaged > 0 || summary.missing > 0 || summary.other_problems > 0)
		report_worst(session->context, EXIT_CHECK);
	return ERR_NONE;
}

/* Every other node of ours that is still in force is a candidate: the operator knows which is lost. */
static int
print_revocations(struct session *session, struct err *err)
{
	struct archive_log log;
	struct charter *charter;
	uint32_t number;
	int code = archive_charter(session->archive, session->self.organisation, &charter, err);

	if (code != ERR_NONE)
		return code;
	for (number = 0; archive_log_at(session->archive, number, &log, NULL) == ERR_NONE;
	     number++) {
		const struct charter_node *node;

		if (log.own || !log.own_organisation)
			continue;
		node = charter_node_of_log(charter, log.log.id);
		if (node == NULL || node->state != CHARTER_IN_FORCE)
			continue;
		printf("dalil charter revoke ");
		output_text(view_text(node->name));
		printf(
		    " --last-good %" PRIu64 " --reason seized --org-key FILE\n", log.signed_size);
	}
	charter_free(charter);
	report_say(session->context,
	    "If that node was seized, keep its line: it revokes the node's keys, with the root "
	    "key,\n"
	    "as soon as your version has that command. Until then your partners should run\n"
	    "dalil peer remove for the lost node. (If its name stands twice, give the log's id.)");
	return ERR_NONE;
}

static int
run(struct session *session, const struct options *options, struct err *err)
{
	bool peers = false;
	int code = session_has_peers(session, &peers, err);

	if (code == ERR_NONE && !peers)
		code = err_set(err, ERR_NOT_FOUND,
		    "no peer is paired: a partner makes an invite (dalil peer invite), and here: "
		    "dalil peer accept INVITE");
	if (code == ERR_NONE)
		code = attach(session, options, err);
	if (code == ERR_NONE)
		code = fetch(session, options, err);
	if (code == ERR_NONE)
		code = check(session, err);
	if (code == ERR_NONE)
		code = print_revocations(session, err);
	return code;
}

int
command_recover(struct context *context, int argc, char **argv)
{
	return session_run(context, &usage, SESSION_ALL, run, argc, argv);
}
