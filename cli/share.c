/* dalil share: which organisations may hold this log. */
#include <stdlib.h>

#include "cli/options.h"
#include "cli/report.h"
#include "cli/session.h"
#include "proto/text.h"

static const struct option table[] = {{.name = NULL}};

static const struct usage usage = {
    .arguments = "[PEER...]",
    .what =
        "Says in the log which organisations may hold it: those named, and nobody else; without\n"
        "names, all that are paired without --no-share. Holders pass the log on to them.",
    .options = table,
    .example = "  dalil share bishkek almaty",
    .glossary = "  PEER  the local name of a paired node (dalil peer list)",
    .most = 1000,
};

struct sharing {
	uint8_t (*organisations)[HASH_SIZE];
	unsigned count;
};

static int
append(struct sharing *sharing, const struct peer *peer, struct err *err)
{
	uint8_t(*grown)[HASH_SIZE] =
	    reallocarray(sharing->organisations, sharing->count + 1, sizeof(*grown));

	if (grown == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	sharing->organisations = grown;
	memcpy(grown[sharing->count++], peer->organisation, HASH_SIZE);
	return ERR_NONE;
}

static int
gather(struct sharing *sharing, struct session *session, const struct options *options,
    struct err *err)
{
	struct peer_cursor cursor = {0};
	struct snapshot *snapshot;
	struct peer peer;
	size_t i;
	int code = snapshot_begin(archive_storage(session->archive), &snapshot, err);

	if (code != ERR_NONE)
		return code;
	for (i = 0; code == ERR_NONE && i < options->word_count; i++) {
		code = peer_find(snapshot, view_text(options->words[i]), &peer, err);
		if (code == ERR_NONE) {
			code = append(sharing, &peer, err);
			peer_wipe(&peer);
		}
	}
	while (code == ERR_NONE && options->word_count == 0) {
		code = peer_next(snapshot, &cursor, &peer, err);
		if (code == ERR_NONE && peer.share)
			code = append(sharing, &peer, err);
		if (code == ERR_NONE)
			peer_wipe(&peer);
	}
	snapshot_end(snapshot);
	return code == ERR_NOT_FOUND && options->word_count == 0 ? ERR_NONE : code;
}

static int
run(struct session *session, const struct options *options, struct err *err)
{
	struct sharing sharing = {0};
	int code = gather(&sharing, session, options, err);

	if (code == ERR_NONE)
		code = archive_share(session->archive,
		    (const uint8_t(*)[HASH_SIZE])sharing.organisations, sharing.count,
		    archive_now(), err);
	if (code == ERR_NONE) {
		report_say(session->context, "This log is now shared with %u organisation%s.",
		    sharing.count, sharing.count == 1 ? "" : "s");
		session_sign_if_alone(session);
	}
	free(sharing.organisations);
	return code;
}

int
command_share(struct context *context, int argc, char **argv)
{
	return session_run(context, &usage, SESSION_SIGN, run, argc, argv);
}
