#include "cli/session.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/options.h"
#include "cli/passphrase.h"
#include "cli/report.h"
#include "cli/terminal.h"
#include "proto/bech32.h"

#define IDENTITY_FILE_MAX 65536

int
session_path(char *path, const struct context *context, struct err *err)
{
	const char *store = context->globals.store;
	const char *home = getenv("HOME");
	const char *data = getenv("XDG_DATA_HOME");
	int length;

	if (store == NULL)
		store = getenv("DALIL_STORE");
	if (store != NULL && store[0] != '\0')
		length = snprintf(path, PATH_MAX, "%s", store);
	else if (data != NULL && data[0] == '/')
		length = snprintf(path, PATH_MAX, "%s/dalil", data);
	else if (home != NULL && home[0] == '/')
		length = snprintf(path, PATH_MAX, "%s/.local/share/dalil", home);
	else
		return err_set(err, ERR_USAGE, "no store is named: give --store DIR");
	if (length < 0 || length >= PATH_MAX)
		return err_set(err, ERR_USAGE, "the path of the store is too long");
	return ERR_NONE;
}

const char *
session_advice(int code)
{
	switch ((enum err_code)code) {
	case ERR_LOCKED:
		return "give --passphrase-file FILE, or run: dalil unlock";
	case ERR_INDEX:
		return "run: dalil reindex";
	case ERR_FULL:
		return "nothing was lost; make room and run the same command again";
	case ERR_MISSING:
		return "run: dalil sync (a peer may hold it)";
	case ERR_NONE:
	case ERR_MALFORMED:
	case ERR_FORGED:
	case ERR_DAMAGED:
	case ERR_NOT_FOUND:
	case ERR_REFUSED:
	case ERR_USAGE:
	case ERR_EXISTS:
	case ERR_MEMORY:
	case ERR_LIMIT:
	case ERR_IO:
	case ERR_NETWORK:
	case ERR_TIMEOUT:
	case ERR_CHANGED:
	case ERR_UNKNOWN:
	case ERR_VERSION:
	case ERR_CANCELLED:
		return NULL;
	}
	return NULL;
}

static bool
passphrase_is_named(const struct context *context)
{
	return context->globals.passphrase_file != NULL ||
	       getenv("DALIL_PASSPHRASE_FILE") != NULL || getenv("CREDENTIALS_DIRECTORY") != NULL;
}

static int
unlock_with_passphrase(struct session *session, struct err *err)
{
	struct buffer passphrase;
	struct view view;
	int code;

	buffer_init_secret(&passphrase, PASSPHRASE_MAX);
	if (passphrase.err != ERR_NONE)
		return err_set(err, ERR_MEMORY, "out of memory for a passphrase");
	code =
	    passphrase_get(&passphrase, session->context, PASSPHRASE_STORE, PASSPHRASE_OPEN, err);
	view = buffer_view(&passphrase);
	if (code == ERR_NONE)
		code = keys_unlock(archive_keys(session->archive), &view, KEYS_SCOPE_ALL, err);
	buffer_fini(&passphrase);
	return code;
}

static bool
is_enough(enum session_need need, enum keys_scope scope)
{
	switch (need) {
	case SESSION_PUBLIC:
		return true;
	case SESSION_SIGN:
		return scope >= KEYS_SCOPE_NODE;
	case SESSION_READ:
	case SESSION_ALL:
		return scope == KEYS_SCOPE_ALL;
	}
	return false;
}

/* A reader who cannot open the vault still sees what is open: no trouble. */
static int
unlock(struct session *session, enum session_need need, struct err *err)
{
	struct keys *keys = archive_keys(session->archive);
	struct err borrowed = {0};
	int code;

	if (need == SESSION_PUBLIC)
		return ERR_NONE;
	if (!keys_has_passphrase(keys))
		return keys_unlock(keys, NULL, KEYS_SCOPE_ALL, err);
	/* Borrowing costs nothing, deriving a key from a passphrase a second and 256 MiB. */
	code = need == SESSION_ALL ? ERR_NOT_FOUND :
	                             lend_borrow(archive_path(session->archive), keys, &borrowed);
	if (code == ERR_NONE && keys_scope(keys) == KEYS_SCOPE_ALL)
		return ERR_NONE;
	if (passphrase_is_named(session->context))
		return unlock_with_passphrase(session, err);
	if (code == ERR_NONE && (need == SESSION_READ || is_enough(need, keys_scope(keys))))
		return ERR_NONE;
	if (need == SESSION_READ && (session->identity_count > 0 || !terminal_is_there()))
		return ERR_NONE;
	return unlock_with_passphrase(session, err);
}

/* Secret memory for one more 32-byte key. */
static uint8_t *
secret_new(struct err *err)
{
	uint8_t *secret = sodium_malloc(KEYS_SIZE);

	if (secret == NULL)
		(void)err_set(err, ERR_MEMORY, "out of memory for a key");
	return secret;
}

/* A key file of ours, wrapped under the passphrase of a copy. */
static int
open_standalone(uint8_t *secret, const struct context *context, const struct standalone *file,
    enum passphrase_kind kind, struct err *err)
{
	struct buffer passphrase;
	struct view view;
	int code = ERR_NONE;

	if (!file->passphrase)
		return standalone_open(file, NULL, secret, err);
	buffer_init_secret(&passphrase, PASSPHRASE_MAX);
	if (passphrase.err != ERR_NONE)
		return err_set(err, ERR_MEMORY, "out of memory for a passphrase");
	code = passphrase_get(&passphrase, context, kind, PASSPHRASE_OPEN, err);
	view = buffer_view(&passphrase);
	if (code == ERR_NONE)
		code = standalone_open(file, &view, secret, err);
	buffer_fini(&passphrase);
	return code;
}

/* One line of an age identity file: a key, a comment, or nothing. */
static int
read_identity_line(struct session *session, struct view line, struct err *err)
{
	uint8_t *secret;
	int code;

	while (
	    line.size > 0 && (line.data[line.size - 1] == '\r' || line.data[line.size - 1] == ' '))
		line.size--;
	if (line.size == 0 || line.data[0] == '#')
		return ERR_NONE;
	if (session->identity_count == SESSION_IDENTITIES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d identities", SESSION_IDENTITIES_MAX);
	secret = secret_new(err);
	if (secret == NULL)
		return ERR_MEMORY;
	code = bech32_parse_identity(secret, line, err);
	if (code != ERR_NONE) {
		sodium_free(secret);
		return err_set(err, ERR_USAGE, "a line that is no AGE-SECRET-KEY-1");
	}
	session->identities[session->identity_count++] = secret;
	return ERR_NONE;
}

static int
read_age_identities(struct session *session, const char *path, struct err *err)
{
	FILE *file = fopen(path, "rbe");
	struct buffer bytes;
	size_t at = 0;
	int code = ERR_NONE;

	if (file == NULL)
		return err_set(err, ERR_NOT_FOUND, "cannot read it");
	setvbuf(file, NULL, _IONBF, 0);
	buffer_init_secret(&bytes, IDENTITY_FILE_MAX);
	if (bytes.err == ERR_NONE)
		bytes.size = fread(bytes.data, 1, bytes.capacity, file);
	(void)fclose(file);
	while (code == ERR_NONE && at < bytes.size) {
		const uint8_t *newline = memchr(bytes.data + at, '\n', bytes.size - at);
		size_t end = newline == NULL ? bytes.size : (size_t)(newline - bytes.data);

		code = read_identity_line(session, view_of(bytes.data + at, end - at), err);
		at = end + 1;
	}
	buffer_fini(&bytes);
	return code;
}

/* --identity FILE: an age identity file, or a key file of ours. */
static int
read_identities(struct session *session, struct err *err)
{
	const char *path = session->context->globals.identity;
	struct standalone file;
	int code;

	if (path == NULL)
		return ERR_NONE;
	if (standalone_read(&file, path, err) == ERR_NONE) {
		uint8_t *secret = secret_new(err);

		code = secret == NULL ?
		           ERR_MEMORY :
		           open_standalone(secret, session->context, &file, PASSPHRASE_COPY, err);
		standalone_fini(&file);
		if (code == ERR_NONE)
			session->identities[session->identity_count++] = secret;
		else
			sodium_free(secret);
	} else {
		code = read_age_identities(session, path, err);
	}
	if (code != ERR_NONE)
		err_wrap(err, "the identity file %s", path);
	return code;
}

int
session_open(struct session *session, struct context *context, enum session_need need)
{
	struct err err = {0};
	char path[PATH_MAX];
	int code;

	*session = (struct session){.context = context};
	code = session_path(path, context, &err);
	if (code == ERR_NONE)
		code = archive_open(&session->archive, path, &err);
	if (code == ERR_NONE) {
		archive_self(session->archive, &session->self);
		code = read_identities(session, &err);
	}
	if (code == ERR_NONE)
		code = unlock(session, need, &err);
	if (code == ERR_NONE) {
		/* Named on every occasion: the day it is needed is too late. */
		if (keys_damage(archive_keys(session->archive), &err) != 0)
			report_warning(context, "%s", err_text(&err));
		return ERR_NONE;
	}
	report_failure(context, &err,
	    code == ERR_NOT_FOUND && session->archive == NULL ?
	        "to found one: dalil init --org NAME --node NAME --keys-to DIR" :
	        session_advice(code));
	session_close(session);
	return code;
}

void
session_close(struct session *session)
{
	unsigned i;

	archive_close(session->archive);
	for (i = 0; i < session->identity_count; i++)
		sodium_free(session->identities[i]);
	session->archive = NULL;
	session->identity_count = 0;
}

int
session_run(struct context *context, const struct usage *usage, enum session_need need,
    session_command *run, int argc, char **argv)
{
	struct session session;
	struct options options;
	struct err err = {0};

	if (options_init(&options, context, usage, argc, argv) == 0 &&
	    session_open(&session, context, need) == 0) {
		if (run(&session, &options, &err) != ERR_NONE)
			report_failure(context, &err, session_advice(err.code));
		session_close(&session);
	}
	options_fini(&options);
	return report_exit(context);
}

int
session_roots(struct session_roots *roots, struct context *context, const struct options *options,
    const char *name, struct err *err)
{
	const struct option_value *value;
	size_t cursor = 0;

	*roots = (struct session_roots){0};
	while ((value = options_next(options, name, &cursor)) != NULL) {
		const char *path = (const char *)value->value.data;
		struct standalone file;
		uint8_t *seed;
		int code;

		if (roots->count == SESSION_ROOTS_MAX)
			return err_set(err, ERR_LIMIT, "more than %d root keys", SESSION_ROOTS_MAX);
		code = standalone_read(&file, path, err);
		if (code != ERR_NONE)
			return code;
		seed = secret_new(err);
		code = seed == NULL ?
		           ERR_MEMORY :
		           open_standalone(seed, context, &file,
		               strcmp(file.name, "next") == 0 ? PASSPHRASE_NEXT : PASSPHRASE_ROOT,
		               err);
		standalone_fini(&file);
		if (code != ERR_NONE) {
			sodium_free(seed);
			err_wrap(err, "the key file %s", path);
			return code;
		}
		roots->seeds[roots->count++] = seed;
	}
	return ERR_NONE;
}

void
session_roots_fini(struct session_roots *roots)
{
	unsigned i;

	for (i = 0; i < roots->count; i++)
		sodium_free(roots->seeds[i]);
	roots->count = 0;
}

int
session_has_peers(struct session *session, bool *peers, struct err *err)
{
	struct peer_cursor cursor = {0};
	struct snapshot *snapshot;
	struct peer peer;
	int code;

	*peers = false;
	code = snapshot_begin(archive_storage(session->archive), &snapshot, err);
	if (code != ERR_NONE)
		return code;
	code = peer_next(snapshot, &cursor, &peer, err);
	snapshot_end(snapshot);
	if (code == ERR_NONE) {
		*peers = true;
		peer_wipe(&peer);
	}
	return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

void
session_sign_if_alone(struct session *session)
{
	struct log_gate gate = {0};
	struct log_signed result;
	struct err err = {0};
	bool peers;
	int code = session_has_peers(session, &peers, &err);

	if (code == ERR_NONE && peers) {
		report_say(session->context,
		    "Not signed yet: the log signs once a peer has shown what it holds of it.\n"
		    "A running dalild does that by itself; otherwise run: dalil sync");
		return;
	}
	if (code == ERR_NONE)
		code = archive_sign(session->archive, &gate, NULL, &result, &err);
	if (code != ERR_NONE)
		report_warning(session->context, "not signed yet: %s", err_text(&err));
	else
		report_say(session->context,
		    "Signed; not replicated, for no peer is paired (dalil peer invite).");
}
