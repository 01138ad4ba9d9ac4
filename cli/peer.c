/* dalil peer list|set|test|remove. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/network.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "proto/text.h"

static const struct option no_options[] = {{.name = NULL}};

static const struct option set_options[] = {
    {"address", "HOST:PORT", OPTION_PATH, "where it is reached now; empty: it dials us"},
    {"country", "CC", OPTION_PATH, "its country, two letters"},
    {"rate", "BYTES", OPTION_NUMBER, "bytes a second at most to it; 0: no limit"},
    {.name = NULL},
};

static void
print_peer(const struct context *context, const struct peer *peer)
{
	char organisation[2 * HASH_SIZE + 1];
	char since[OUTPUT_TIME_SIZE];
	json_t *object;

	if (!context->globals.json) {
		text_hex(organisation, view_of(peer->organisation, HASH_SIZE));
		output_time(since, (int64_t)peer->since);
		output_text(view_text(peer->name));
		printf("  %.16s  %s  %s  since %.10s%s%s\n", organisation,
		    peer->address[0] == '\0' ? "(it dials us)" : peer->address,
		    peer->country[0] == '\0' ? "--" : peer->country, since,
		    peer->share ? "" : "  not shared with", peer->suspended ? "  suspended" : "");
		return;
	}
	object = json_object();
	output_set_text(object, "name", view_text(peer->name));
	output_set_hex(object, "organisation", view_of(peer->organisation, HASH_SIZE));
	output_set_hex(object, "transport", view_of(peer->transport, INVITE_KEY));
	output_set_text(object, "address", view_text(peer->address));
	if (peer->country[0] != '\0')
		output_set_text(object, "country", view_text(peer->country));
	(void)json_object_set_new(object, "share", json_boolean(peer->share));
	(void)json_object_set_new(object, "suspended", json_boolean(peer->suspended));
	output_set_uint(object, "rate", peer->rate);
	output_set_uint(object, "since", peer->since);
	output_json(object);
}

static int
list(struct session *session, const struct options *options, struct err *err)
{
	struct peer_cursor cursor = {0};
	struct snapshot *snapshot;
	struct peer peer;
	int code = snapshot_begin(archive_storage(session->archive), &snapshot, err);

	(void)options;
	if (code != ERR_NONE)
		return code;
	while ((code = peer_next(snapshot, &cursor, &peer, err)) == ERR_NONE) {
		print_peer(session->context, &peer);
		peer_wipe(&peer);
	}
	snapshot_end(snapshot);
	return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

int
command_peer_list(struct context *context, int argc, char **argv)
{
	static const struct usage usage = {
	    .arguments = "",
	    .what = "Lists the nodes that this one is paired with.",
	    .options = no_options,
	    .example = "  dalil peer list",
	};

	return session_run(context, &usage, SESSION_PUBLIC, list, argc, argv);
}

static int
find(struct session *session, const char *name, struct peer *peer, struct err *err)
{
	struct snapshot *snapshot;
	int code = snapshot_begin(archive_storage(session->archive), &snapshot, err);

	if (code != ERR_NONE)
		return code;
	code = peer_find(snapshot, view_text(name), peer, err);
	snapshot_end(snapshot);
	if (code == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND, "no peer is called %s: dalil peer list", name);
	return code;
}

static int
change(const struct options *options, struct peer *peer, struct err *err)
{
	const char *address = options_text(options, "address");
	const char *country = options_text(options, "country");

	if (address != NULL) {
		if (invite_check_address(view_text(address), true, err) != ERR_NONE)
			return err_set(
			    err, ERR_USAGE, "--address takes HOST:PORT, not %s", address);
		(void)snprintf(peer->address, sizeof(peer->address), "%s", address);
	}
	if (country != NULL) {
		if (strlen(country) != 2 || strspn(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2)
			return err_set(
			    err, ERR_USAGE, "--country takes two capital letters, such as KZ");
		memcpy(peer->country, country, 3);
	}
	peer->rate = options_number(options, "rate", peer->rate);
	return ERR_NONE;
}

static int
set(struct session *session, const struct options *options, struct err *err)
{
	struct batch *batch;
	struct peer peer;
	int code = find(session, options->words[0], &peer, err);

	if (code != ERR_NONE)
		return code;
	code = change(options, &peer, err);
	if (code == ERR_NONE)
		code = batch_begin(archive_storage(session->archive), &batch, err);
	if (code == ERR_NONE) {
		code = peer_store(batch, &peer, err);
		if (code == ERR_NONE)
			code = batch_commit(batch, err);
		else
			batch_abort(batch);
	}
	peer_wipe(&peer);
	return code;
}

int
command_peer_set(struct context *context, int argc, char **argv)
{
	static const struct usage usage = {
	    .arguments = "PEER [--address HOST:PORT] [--country CC] [--rate BYTES]",
	    .what = "Changes what is known of a peer here. It is told to nobody.",
	    .options = set_options,
	    .example = "  dalil peer set bishkek --address 198.51.100.7:4710",
	    .least = 1,
	    .most = 1,
	};

	return session_run(context, &usage, SESSION_PUBLIC, set, argc, argv);
}

static int
tell_test(struct context *context, enum node_test result, const char *name, int64_t ahead,
    struct err *err)
{
	switch (result) {
	case NODE_TEST_WELL:
		report_say(context, "%s answers; keys and clocks are well.", name);
		return ERR_NONE;
	case NODE_TEST_UNREACHABLE:
		return err_set(err, ERR_NETWORK,
		    "%s is unreachable: its node is off, or the address has changed "
		    "(dalil peer set %s --address HOST:PORT)",
		    name, name);
	case NODE_TEST_WRONG_KEY:
		return err_set(err, ERR_REFUSED,
		    "wrong key: what answers at %s's address is not the node we paired with", name);
	case NODE_TEST_UNKNOWN:
		return err_set(err, ERR_REFUSED,
		    "unknown there: %s does not know this node (any more); pair again", name);
	case NODE_TEST_OTHER:
		return err_set(err, ERR_REFUSED,
		    "%s answers as another organisation, or speaks another version", name);
	case NODE_TEST_CLOCK:
		return err_set(err, ERR_REFUSED,
		    "clock off: the clock of %s is %lld s %s of this one: set whichever is wrong",
		    name, (long long)(ahead < 0 ? -ahead : ahead) / 1000,
		    ahead < 0 ? "behind" : "ahead");
	}
	return ERR_NONE;
}

static int
test(struct session *session, const struct options *options, struct err *err)
{
	struct node_options node;
	enum node_test result;
	int64_t ahead = 0;
	struct peer peer;
	int code = find(session, options->words[0], &peer, err);

	if (code != ERR_NONE)
		return code;
	if (peer.address[0] == '\0') {
		peer_wipe(&peer);
		return err_set(err, ERR_NETWORK,
		    "%s has no address here: it dials us, so test it from there, or give one "
		    "(dalil peer set %s --address HOST:PORT)",
		    options->words[0], options->words[0]);
	}
	network_options(&node, session);
	code = node_test_peer(&node, &peer, &result, &ahead, err);
	if (code == ERR_NONE)
		code = tell_test(session->context, result, peer.name, ahead, err);
	peer_wipe(&peer);
	return code;
}

int
command_peer_test(struct context *context, int argc, char **argv)
{
	static const struct usage usage = {
	    .arguments = "PEER",
	    .what = "Dials a peer and says what is wrong: unreachable, unknown there, wrong key, "
	            "clock\n"
	            "off; or that all is well.",
	    .options = no_options,
	    .example = "  dalil peer test bishkek",
	    .least = 1,
	    .most = 1,
	};

	return session_run(context, &usage, SESSION_SIGN, test, argc, argv);
}

static int
remove_peer(struct session *session, const struct options *options, struct err *err)
{
	struct batch *batch;
	struct peer peer;
	int code = find(session, options->words[0], &peer, err);

	if (code != ERR_NONE)
		return code;
	code = batch_begin(archive_storage(session->archive), &batch, err);
	if (code == ERR_NONE) {
		code = peer_remove(batch, peer.transport, err);
		if (code == ERR_NONE)
			code = batch_commit(batch, err);
		else
			batch_abort(batch);
	}
	if (code == ERR_NONE)
		report_say(session->context,
		    "Nothing is exchanged with %s any more. What it holds and what is held of it "
		    "stays.",
		    peer.name);
	peer_wipe(&peer);
	return code;
}

int
command_peer_remove(struct context *context, int argc, char **argv)
{
	static const struct usage usage = {
	    .arguments = "PEER",
	    .what = "Ends the exchange with a peer. Deletes nothing.",
	    .options = no_options,
	    .example = "  dalil peer remove bishkek",
	    .least = 1,
	    .most = 1,
	};

	return session_run(context, &usage, SESSION_PUBLIC, remove_peer, argc, argv);
}
