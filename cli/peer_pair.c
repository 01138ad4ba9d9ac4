/*
 * dalil peer invite|accept|confirm: two lines pair two nodes.  The invite holds a secret key and goes
 * by a channel that others do not read; the fingerprint, read aloud, shows that nobody stood between.
 */
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "proto/text.h"

#define INVITE_HOURS 24
#define HOUR_MS UINT64_C(3600000)

static const struct option invite_options[] = {
    {"address", "HOST:PORT", OPTION_PATH, "where this node can be reached"},
    {.name = NULL},
};

static const struct option accept_options[] = {
    {"address", "HOST:PORT", OPTION_PATH, "where this node can be reached"},
    {"country", "CC", OPTION_PATH, "the other side's country, two letters"},
    {"as", "NAME", OPTION_TEXT, "what it is called here: --to and PEER mean this"},
    {"no-share", NULL, OPTION_FLAG, "it may not hold this node's log"},
    {.name = NULL},
};

static const struct option confirm_options[] = {
    {"country", "CC", OPTION_PATH, "the other side's country, two letters"},
    {"as", "NAME", OPTION_TEXT, "what it is called here: --to and PEER mean this"},
    {"no-share", NULL, OPTION_FLAG, "it may not hold this node's log"},
    {.name = NULL},
};

static int
commit(struct session *session, int (*change)(struct batch *, const void *, struct err *),
    const void *what, struct err *err)
{
	struct batch *batch;
	int code = batch_begin(archive_storage(session->archive), &batch, err);

	if (code != ERR_NONE)
		return code;
	code = change(batch, what, err);
	if (code == ERR_NONE)
		return batch_commit(batch, err);
	batch_abort(batch);
	return code;
}

static int
keep_invite(struct batch *batch, const void *line, struct err *err)
{
	return peer_invite_store(batch, *(const struct view *)line, err);
}

static int
make_invite(struct session *session, const struct options *options, struct err *err)
{
	const char *address = options_text(options, "address");
	struct invite invite = {.expiry = archive_now() + INVITE_HOURS * HOUR_MS};
	struct buffer line;
	struct view view;
	int code;

	if (address == NULL)
		address = "";
	code = invite_check_address(view_text(address), true, err);
	if (code != ERR_NONE)
		return err_set(err, ERR_USAGE, "--address takes HOST:PORT, not %s", address);
	(void)snprintf(invite.address, sizeof(invite.address), "%s", address);
	memcpy(invite.organisation, session->self.organisation, HASH_SIZE);
	keys_public(archive_keys(session->archive), KEYS_TRANSPORT, invite.transport);
	randombytes_buf(invite.psk, sizeof(invite.psk));
	buffer_init_secret(&line, INVITE_LINE_MAX);
	code = invite_encode(&invite, &line, err);
	view = buffer_view(&line);
	if (code == ERR_NONE)
		code = commit(session, keep_invite, &view, err);
	if (code == ERR_NONE) {
		printf("%.*s\n", (int)view.size, (const char *)view.data);
		report_say(session->context,
		    "For one partner, for %d hours. It holds a secret: send it so that nobody "
		    "else\n"
		    "reads it. They run: dalil peer accept INVITE, and send back one line.",
		    INVITE_HOURS);
		if (address[0] == '\0')
			report_warning(session->context, "no --address: the other side must give "
			                                 "one, or neither can reach the other");
	}
	buffer_fini(&line);
	invite_wipe(&invite);
	return code;
}

int
command_peer_invite(struct context *context, int argc, char **argv)
{
	static const struct usage usage = {
	    .arguments = "[--address HOST:PORT]",
	    .what = "Prints an invite: one line, for one pairing, good for 24 hours.",
	    .options = invite_options,
	    .example = "  dalil peer invite --address archive.example.org:4710",
	    .glossary = "  pairing  two nodes that know each other's keys and replicate",
	};

	return session_run(context, &usage, SESSION_PUBLIC, make_invite, argc, argv);
}

/* What both sides fill in from their options. */
static int
read_options(
    struct session *session, const struct options *options, struct peer *peer, struct err *err)
{
	const char *country = options_text(options, "country");
	const char *name = options_text(options, "as");
	char hex[2 * HASH_SIZE + 1];
	struct snapshot *snapshot;
	struct peer other;
	int code;

	text_hex(hex, view_of(peer->organisation, HASH_SIZE));
	(void)snprintf(peer->name, sizeof(peer->name), "%.*s", name == NULL ? 8 : PEER_NAME_MAX,
	    name == NULL ? hex : name);
	if (name != NULL && strlen(name) > PEER_NAME_MAX)
		return err_set(err, ERR_USAGE, "--as takes at most %d bytes", PEER_NAME_MAX);
	code = peer_check_name(view_text(peer->name), err);
	if (code != ERR_NONE)
		return code;
	if (country != NULL &&
	    (strlen(country) != 2 || strspn(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2))
		return err_set(err, ERR_USAGE, "--country takes two capital letters, such as KZ");
	if (country != NULL)
		memcpy(peer->country, country, 3);
	peer->share = !options_has(options, "no-share");
	peer->since = archive_now();
	code = snapshot_begin(archive_storage(session->archive), &snapshot, err);
	if (code != ERR_NONE)
		return code;
	code = peer_find(snapshot, view_text(peer->name), &other, err);
	snapshot_end(snapshot);
	if (code == ERR_NOT_FOUND)
		return ERR_NONE;
	if (code == ERR_NONE && memcmp(other.transport, peer->transport, INVITE_KEY) != 0)
		code = err_set(err, ERR_EXISTS,
		    "another peer is called %s here: choose a name with --as", peer->name);
	peer_wipe(&other);
	return code;
}

/* Where people sit at both ends, they compare; a script has compared the lines' way already. */
static bool
fingerprint_holds(struct session *session, struct view invite, struct view reply)
{
	char fingerprint[INVITE_FINGERPRINT];

	invite_fingerprint(fingerprint, invite, reply);
	report_say(session->context, "Fingerprint of this pairing: %s", fingerprint);
	if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
		return true;
	report_say(session->context,
	    "Read it aloud to each other, by telephone or face to face. If it differs, somebody\n"
	    "stands between you: do not go on.");
	return terminal_confirm("Is it the same on both sides? Type yes", "yes");
}

struct pairing {
	const struct peer *peer;
	struct view invite; /* to be forgotten; empty on the accepting side */
};

static int
keep_peer(struct batch *batch, const void *what, struct err *err)
{
	const struct pairing *pairing = what;
	int code = peer_store(batch, pairing->peer, err);

	if (code == ERR_NONE && pairing->invite.size > 0)
		code = peer_invite_remove(batch, pairing->invite, err);
	return code;
}

static int
finish_pairing(struct session *session, const struct pairing *pairing, struct err *err)
{
	int code = commit(session, keep_peer, pairing, err);

	if (code == ERR_NONE)
		report_say(session->context, "Paired with %s. A running dalild connects by itself.",
		    pairing->peer->name);
	return code;
}

static int
take_invite(struct session *session, const struct options *options, struct view line,
    struct invite *invite, struct peer *peer, struct err *err)
{
	uint8_t own[KEYS_SIZE];
	int code = invite_parse(invite, line, err);

	if (code != ERR_NONE)
		return err_set(err, ERR_USAGE,
		    "this is no whole invite: copy the line again, from dalil-invite-1- to its "
		    "end");
	if (invite->expiry < archive_now())
		return err_set(err, ERR_REFUSED, "the invite has expired: ask for a new one");
	keys_public(archive_keys(session->archive), KEYS_TRANSPORT, own);
	if (memcmp(own, invite->transport, INVITE_KEY) == 0)
		return err_set(err, ERR_REFUSED, "this is this node's own invite");
	memcpy(peer->organisation, invite->organisation, HASH_SIZE);
	memcpy(peer->transport, invite->transport, INVITE_KEY);
	memcpy(peer->psk, invite->psk, INVITE_KEY);
	(void)snprintf(peer->address, sizeof(peer->address), "%s", invite->address);
	return read_options(session, options, peer, err);
}

static int
make_reply(struct session *session, const struct options *options, const struct invite *invite,
    struct view invite_line, struct buffer *line, struct err *err)
{
	const char *address = options_text(options, "address");
	struct invite_reply reply = {.expiry = invite->expiry};

	if (address == NULL)
		address = "";
	if (invite_check_address(view_text(address), true, err) != ERR_NONE)
		return err_set(err, ERR_USAGE, "--address takes HOST:PORT, not %s", address);
	if (address[0] == '\0' && invite->address[0] == '\0')
		return err_set(err, ERR_USAGE,
		    "neither side has an address: give this node's with --address HOST:PORT");
	(void)snprintf(reply.address, sizeof(reply.address), "%s", address);
	memcpy(reply.organisation, session->self.organisation, HASH_SIZE);
	keys_public(archive_keys(session->archive), KEYS_TRANSPORT, reply.transport);
	return invite_reply_encode(&reply, invite_line, invite->psk, line, err);
}

static int
accept_invite(struct session *session, const struct options *options, struct err *err)
{
	struct view line = view_text(options->words[0]);
	struct invite invite = {0};
	struct peer peer = {0};
	struct buffer reply;
	int code;

	buffer_init(&reply, INVITE_LINE_MAX);
	code = take_invite(session, options, line, &invite, &peer, err);
	if (code == ERR_NONE)
		code = make_reply(session, options, &invite, line, &reply, err);
	if (code == ERR_NONE) {
		printf("%.*s\n", (int)reply.size, (const char *)reply.data);
		(void)fflush(stdout);
		report_say(
		    session->context, "Send this line back. They run: dalil peer confirm REPLY");
		if (!fingerprint_holds(session, line, buffer_view(&reply)))
			code = err_set(err, ERR_REFUSED, "not paired");
	}
	if (code == ERR_NONE)
		code = finish_pairing(session, &(struct pairing){.peer = &peer}, err);
	buffer_fini(&reply);
	invite_wipe(&invite);
	peer_wipe(&peer);
	return code;
}

int
command_peer_accept(struct context *context, int argc, char **argv)
{
	static const struct usage usage = {
	    .arguments = "INVITE [--address HOST:PORT] [--country CC] [--as NAME] [--no-share]",
	    .what =
	        "Takes an invite and prints the reply, one line, that goes back to who sent it.",
	    .options = accept_options,
	    .example = "  dalil peer accept dalil-invite-1-... --country KZ --as almaty",
	    .glossary =
	        "  fingerprint  short words of both nodes' keys: read aloud, they must agree",
	    .least = 1,
	    .most = 1,
	};

	return session_run(context, &usage, SESSION_PUBLIC, accept_invite, argc, argv);
}

static int
confirm_reply(struct session *session, const struct options *options, struct err *err)
{
	struct view line = view_text(options->words[0]);
	struct invite_reply reply = {0};
	struct snapshot *snapshot;
	struct invite invite = {0};
	struct peer peer = {0};
	struct buffer own;
	int code;

	buffer_init_secret(&own, INVITE_LINE_MAX);
	code = snapshot_begin(archive_storage(session->archive), &snapshot, err);
	if (code == ERR_NONE) {
		code = peer_invite_answered(snapshot, line, &own, &invite, &reply, err);
		snapshot_end(snapshot);
		if (code == ERR_NOT_FOUND)
			code = err_set(err, ERR_REFUSED,
			    "this answers no open invite of this node: copy the line again, or "
			    "invite anew");
	}
	if (code == ERR_NONE && invite.expiry < archive_now())
		code = err_set(err, ERR_REFUSED, "the invite has expired: make a new one");
	if (code == ERR_NONE) {
		memcpy(peer.organisation, reply.organisation, HASH_SIZE);
		memcpy(peer.transport, reply.transport, INVITE_KEY);
		memcpy(peer.psk, invite.psk, INVITE_KEY);
		(void)snprintf(peer.address, sizeof(peer.address), "%s", reply.address);
		code = read_options(session, options, &peer, err);
	}
	if (code == ERR_NONE && !fingerprint_holds(session, buffer_view(&own), line))
		code = err_set(err, ERR_REFUSED, "not paired");
	if (code == ERR_NONE)
		code = finish_pairing(
		    session, &(struct pairing){.peer = &peer, .invite = buffer_view(&own)}, err);
	buffer_fini(&own);
	invite_wipe(&invite);
	peer_wipe(&peer);
	return code;
}

int
command_peer_confirm(struct context *context, int argc, char **argv)
{
	static const struct usage usage = {
	    .arguments = "REPLY [--country CC] [--as NAME] [--no-share]",
	    .what = "Completes the pairing with the line that came back.",
	    .options = confirm_options,
	    .example = "  dalil peer confirm dalil-reply-1-... --country KG --as bishkek",
	    .glossary =
	        "  fingerprint  short words of both nodes' keys: read aloud, they must agree",
	    .least = 1,
	    .most = 1,
	};

	return session_run(context, &usage, SESSION_PUBLIC, confirm_reply, argc, argv);
}
