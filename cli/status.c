/* dalil status: one screen: what is here, what is not yet safe and why. */
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/key.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/session.h"
#include "proto/text.h"

#define WARNINGS_MAX 32
#define WARNING_SIZE 512

static const struct option table[] = {{.name = NULL}};

static const struct usage usage = {
    .arguments = "",
    .what = "Shows on one screen what is here, what is not yet signed or replicated and what that\n"
            "waits for, and what is at risk and why. Exit 1 if copies are at risk.\n"
            "Copies that are counted are those that this node knows of for certain: receipts of\n"
            "peers are not part of this version, so it counts its own.",
    .options = table,
    .example = "  dalil status\n  dalil --json status",
    .glossary = "  at risk   fewer copies than dalil.conf wants\n"
                "  unsigned  records that no checkpoint covers yet",
};

struct status {
	struct session *session;
	struct config config;
	struct storage_counts counts;
	uint64_t exhibits;
	uint64_t own_exhibits;
	uint64_t own_missing; /* own payloads that are not whole here */
	uint64_t unsigned_records;
	uint64_t free_bytes;
	unsigned peers;
	json_t *logs;
	json_t *peer_list;
	char warnings[WARNINGS_MAX][WARNING_SIZE];
	unsigned warning_count;
};

static void __attribute__((format(printf, 2, 3)))
warn(struct status *status, const char *format, ...)
{
	va_list arguments;

	if (status->warning_count == WARNINGS_MAX)
		return;
	va_start(arguments, format);
	(void)vsnprintf(status->warnings[status->warning_count++], WARNING_SIZE, format, arguments);
	va_end(arguments);
}

static int
count_kind(struct snapshot *snapshot, uint32_t log, uint64_t *count, struct err *err)
{
	uint64_t index = STORAGE_START;
	int code;

	while ((code = snapshot_kind_next(snapshot, &index, log, (uint8_t)RECORD_DEPOSIT, err)) ==
	       ERR_NONE)
		(*count)++;
	return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static int
add_log(struct status *status, struct snapshot *snapshot, const struct archive_log *log,
    struct err *err)
{
	json_t *object = json_object();
	uint64_t exhibits = 0;
	int code = count_kind(snapshot, log->log.number, &exhibits, err);

	status->exhibits += exhibits;
	if (log->own) {
		status->own_exhibits = exhibits;
		status->unsigned_records = log->log.size - log->signed_size;
	}
	output_set_text(object, "origin", view_text(log->origin));
	output_set_text(object, "org", view_text(log->organisation_name));
	(void)json_object_set_new(object, "own", json_boolean(log->own));
	output_set_uint(object, "size", log->log.size);
	output_set_uint(object, "signed_size", log->signed_size);
	output_set_uint(object, "exhibits", exhibits);
	(void)json_array_append_new(status->logs, object);
	return code;
}

static int
gather_logs(struct status *status, struct snapshot *snapshot, struct err *err)
{
	struct archive_log log;
	uint32_t number;
	int code = ERR_NONE;

	for (number = 0; code == ERR_NONE && number < status->counts.logs; number++) {
		code = archive_log_at(status->session->archive, number, &log, err);
		if (code == ERR_NONE)
			code = add_log(status, snapshot, &log, err);
	}
	return code;
}

static int
gather_wants(struct status *status, struct snapshot *snapshot, struct err *err)
{
	uint64_t cursor = STORAGE_START;
	struct storage_want want;
	int code;

	while ((code = snapshot_want_next(snapshot, &want, &cursor, err)) == ERR_NONE)
		if (want.place.log == status->session->self.number)
			status->own_missing++;
	return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static int
gather_peers(struct status *status, struct snapshot *snapshot, struct err *err)
{
	struct peer_cursor cursor = {0};
	struct peer peer;
	int code;

	while ((code = peer_next(snapshot, &cursor, &peer, err)) == ERR_NONE) {
		json_t *object = json_object();

		status->peers++;
		output_set_text(object, "name", view_text(peer.name));
		output_set_hex(object, "organisation", view_of(peer.organisation, HASH_SIZE));
		if (peer.country[0] != '\0')
			output_set_text(object, "country", view_text(peer.country));
		output_set_text(object, "address", view_text(peer.address));
		(void)json_array_append_new(status->peer_list, object);
		peer_wipe(&peer);
	}
	return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

static bool
has_setting(struct snapshot *snapshot, const char *name, struct buffer *value)
{
	return snapshot_fact(snapshot, value, STORAGE_FACT_SETTING, view_text(name), NULL) ==
	       ERR_NONE;
}

/* Root and next key where init wrote them: the raid that takes this machine takes them too. */
static void
check_keys(struct status *status, struct snapshot *snapshot)
{
	static const char *const names[] = {"key-file-root", "key-file-next"};
	struct buffer value;
	size_t i;

	buffer_init(&value, STORAGE_BYTES_MAX);
	for (i = 0; i < 2; i++) {
		char path[PATH_MAX];

		if (!has_setting(snapshot, names[i], &value) || value.size >= sizeof(path))
			continue;
		memcpy(path, value.data, value.size);
		path[value.size] = '\0';
		if (access(path, F_OK) == 0)
			warn(status,
			    "the %s key still stands where it was written: %s: take it away",
			    names[i] + strlen("key-file-"), path);
	}
	buffer_fini(&value);
}

/* A reader key that is on one disk only is lost with it, and all that it opens. */
static int
check_copies(struct status *status, struct err *err)
{
	struct keys *keys = archive_keys(status->session->archive);
	struct key_named key;
	bool copied = false;
	unsigned at;
	int code = ERR_NONE;

	for (at = 0; code == ERR_NONE && key_at(keys, at, &key); at++) {
		if (!key.reader)
			continue;
		code = key_was_copied(status->session, key.public_half, &copied, err);
		if (code == ERR_NONE && !copied)
			warn(status,
			    "the %s key was never copied: who loses this disk loses every sealed "
			    "exhibit (dalil key copy %s -o FILE)",
			    key.label, key.label);
	}
	return code;
}

static void
check_rest(struct status *status)
{
	struct err err = {0};

	if (keys_damage(archive_keys(status->session->archive), &err) != 0)
		warn(status, "%s", err_text(&err));
	if (status->session->self.moved)
		warn(status, "the store is on another machine than it was: it signs nothing (dalil "
		             "log adopt)");
	if (!status->session->self.enrolled)
		warn(status, "this node is not enrolled yet: it waits for its charter (dalil "
		             "charter apply)");
	if (status->own_missing > 0)
		warn(status,
		    "%" PRIu64
		    " payloads of this node are not whole here (dalil sync, dalil verify --all)",
		    status->own_missing);
	if (status->counts.wants > status->own_missing)
		warn(status, "%" PRIu64 " payloads of others are still to come",
		    status->counts.wants - status->own_missing);
	if (status->unsigned_records > 0)
		warn(status,
		    status->peers > 0 ?
		        "%" PRIu64
		        " records are not signed yet: that waits for a peer to show what it holds" :
		        "%" PRIu64 " records are not signed yet (dalil log sign)",
		    status->unsigned_records);
	if (status->peers == 0)
		warn(status, "no peer is paired: nothing is replicated (dalil peer invite)");
	if (status->free_bytes < status->config.reserve)
		warn(status, "less than the reserve of dalil.conf is free on the disk: make room");
}

static int
gather(struct status *status, struct err *err)
{
	const char *path = archive_path(status->session->archive);
	struct snapshot *snapshot;
	struct statvfs disk;
	int code = config_load(&status->config, path, err);

	if (code == ERR_NONE)
		code = snapshot_begin(archive_storage(status->session->archive), &snapshot, err);
	if (code != ERR_NONE)
		return code;
	if (statvfs(path, &disk) == 0)
		status->free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
	code = snapshot_counts(snapshot, &status->counts, err);
	if (code == ERR_NONE)
		code = gather_logs(status, snapshot, err);
	if (code == ERR_NONE)
		code = gather_wants(status, snapshot, err);
	if (code == ERR_NONE)
		code = gather_peers(status, snapshot, err);
	if (code == ERR_NONE)
		check_keys(status, snapshot);
	snapshot_end(snapshot);
	if (code == ERR_NONE)
		code = check_copies(status, err);
	if (code == ERR_NONE)
		check_rest(status);
	return code;
}

/* Only this store's own copy is known for certain; where more are wanted, all are at risk. */
static uint64_t
at_risk(const struct status *status)
{
	return status->config.copies > 1 ? status->exhibits : status->own_missing;
}

static void
print_json(struct status *status)
{
	json_t *object = json_object();
	json_t *warnings = json_array();
	unsigned i;

	for (i = 0; i < status->warning_count; i++)
		(void)json_array_append_new(warnings, json_string(status->warnings[i]));
	output_set_uint(object, "exhibits", status->exhibits);
	output_set_uint(object, "unsigned", status->unsigned_records);
	output_set_uint(object, "bytes", status->counts.payload_bytes);
	output_set_uint(object, "copies_wanted", status->config.copies);
	output_set_uint(object, "at_risk", at_risk(status));
	output_set_uint(object, "damaged", status->own_missing);
	output_set_uint(object, "forks", 0);
	output_set_uint(object, "free_bytes", status->free_bytes);
	(void)json_object_set(object, "logs", status->logs);
	(void)json_object_set(object, "peers", status->peer_list);
	(void)json_object_set_new(object, "receipts", json_array());
	(void)json_object_set_new(object, "warnings", warnings);
	output_json(object);
}

static void
print_logs(const struct status *status)
{
	const json_t *log;
	size_t i;

	json_array_foreach(status->logs, i, log)
	{
		printf("  ");
		output_text(view_text(json_string_value(json_object_get(log, "origin"))));
		printf("%s\n    %" JSON_INTEGER_FORMAT " records, %" JSON_INTEGER_FORMAT
		       " signed, %" JSON_INTEGER_FORMAT " exhibits\n",
		    json_is_true(json_object_get(log, "own")) ? " (this node)" : "",
		    json_integer_value(json_object_get(log, "size")),
		    json_integer_value(json_object_get(log, "signed_size")),
		    json_integer_value(json_object_get(log, "exhibits")));
	}
}

static void
print_human(const struct status *status)
{
	const json_t *peer;
	unsigned w;
	size_t i;

	printf("%" PRIu64 " exhibits here, %" PRIu64 " of this node; %" PRIu64
	       " MiB of payload; %" PRIu64 " MiB free\n",
	    status->exhibits, status->own_exhibits, status->counts.payload_bytes >> 20,
	    status->free_bytes >> 20);
	printf("%" PRIu64 " records not signed yet\n", status->unsigned_records);
	printf("%" PRIu64 " exhibits at risk: %" PRIu64
	       " copies are wanted, this node knows of its own\n\nLogs\n",
	    at_risk(status), status->config.copies);
	print_logs(status);
	printf("\nPeers\n");
	json_array_foreach(status->peer_list, i, peer)
	{
		printf("  ");
		output_text(view_text(json_string_value(json_object_get(peer, "name"))));
		printf("\n");
	}
	if (status->peers == 0)
		printf("  none\n");
	if (status->warning_count > 0)
		printf("\nTo see to\n");
	for (w = 0; w < status->warning_count; w++) {
		printf("  - ");
		output_text(view_text(status->warnings[w]));
		printf("\n");
	}
}

static int
run(struct session *session, const struct options *options, struct err *err)
{
	struct status *status = calloc(1, sizeof(*status));
	int code;

	(void)options;
	if (status == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	status->session = session;
	status->logs = json_array();
	status->peer_list = json_array();
	code = gather(status, err);
	if (code == ERR_NONE) {
		if (session->context->globals.json)
			print_json(status);
		else
			print_human(status);
		if (at_risk(status) > 0)
			report_worst(session->context, EXIT_CHECK);
	}
	json_decref(status->logs);
	json_decref(status->peer_list);
	free(status);
	return code;
}

int
command_status(struct context *context, int argc, char **argv)
{
	return session_run(context, &usage, SESSION_PUBLIC, run, argc, argv);
}
