/*
 * dalild: the node.  Joins the archive, its keys, lending and the network (design section 3; cli.md,
 * "Start").  Prints one line on standard output once it accepts connections; what happens
 * goes to standard error.
 *
 * HTTP is a later issue: --http is taken, nothing listens there, and the ready line says
 * http=none.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/archive.h"
#include "node/config.h"
#include "node/node.h"

#define PASSPHRASE_FILE_MAX 8192

struct daemon {
	const char *store;
	const char *listen;
	bool http;
	struct archive *archive;
	struct config config;
	struct lend *lend;
	struct node *node;
};

static void
usage(FILE *to)
{
	fputs(
	    "usage: dalild [--store DIR] [--listen HOST:PORT] [--http HOST:PORT]\n"
	    "Runs the node of the store: accepts and dials its peers, and replicates.\n"
	    "Prints \"ready listen=HOST:PORT http=none\" once it accepts (port 0 picks one), with\n"
	    "\" locked\" at the end where it waits for `dalil unlock`.  SIGTERM stops it.\n"
	    "The store's passphrase: $DALIL_PASSPHRASE_FILE, else "
	    "$CREDENTIALS_DIRECTORY/passphrase.\n",
	    to);
}

/* Design section 8. */
static int
exit_code(int code)
{
	static const struct {
		int code;
		int exit;
	} table[] = {{ERR_NONE, 0}, {ERR_FORGED, 1}, {ERR_DAMAGED, 1}, {ERR_MISSING, 1},
	    {ERR_MALFORMED, 1}, {ERR_USAGE, 2}, {ERR_NOT_FOUND, 3}, {ERR_REFUSED, 4},
	    {ERR_VERSION, 4}, {ERR_LOCKED, 6}};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].code == code)
			return table[i].exit;
	}
	return 5;
}

/* The store of `--store`, $DALIL_STORE, $XDG_DATA_HOME/dalil or ~/.local/share/dalil. */
static const char *
default_store(char *room, size_t size)
{
	const char *store = getenv("DALIL_STORE");
	const char *data = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");

	if (store != NULL && store[0] != '\0')
		return store;
	if (data != NULL && data[0] == '/')
		(void)snprintf(room, size, "%s/dalil", data);
	else
		(void)snprintf(room, size, "%s/.local/share/dalil", home == NULL ? "" : home);
	return room;
}

/* One sd_notify(3) message, without its library: a datagram to $NOTIFY_SOCKET. */
static void
notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = path == NULL ? 0 : strlen(path);
	int fd;

	if (length == 0 || length >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	(void)close(fd);
}

static void
tell(void *cookie, const struct node_event *event)
{
	static const char *const labels[] = {[NODE_EVENT_UP] = "",
	    [NODE_EVENT_DOWN] = "",
	    [NODE_EVENT_NOTICE] = "",
	    [NODE_EVENT_WARNING] = "warning: "};

	(void)cookie;
	fprintf(stderr, "dalild: %s%s%s%s\n", labels[event->kind], event->peer,
	    event->peer[0] == '\0' ? "" : ": ", event->text);
}

static void
ready(void *cookie, const char *listen, bool locked)
{
	(void)cookie;
	printf("ready listen=%s http=none%s\n", listen[0] == '\0' ? "none" : listen,
	    locked ? " locked" : "");
	(void)fflush(stdout);
	notify("READY=1\n");
}

static int
sign(void *cookie, struct err *err)
{
	struct daemon *daemon = cookie;
	struct log_gate gate = {.peers = true, .heads_read = true};
	struct log_signed signed_now;

	return archive_sign(daemon->archive, &gate, NULL, &signed_now, err);
}

/* The line of a passphrase file that is for the store: `store:`, or the only one. */
static struct view
store_line(struct view file)
{
	static const char label[] = "store:";
	struct view line = view_of(file.data, 0);

	while (file.size > 0) {
		const uint8_t *end = memchr(file.data, '\n', file.size);
		size_t length = end == NULL ? file.size : (size_t)(end - file.data);
		struct view each = view_of(file.data, length);

		length += end != NULL;
		file = view_of(file.data + length, file.size - length);
		if (each.size >= sizeof(label) - 1 &&
		    memcmp(each.data, label, sizeof(label) - 1) == 0) {
			each =
			    view_of(each.data + sizeof(label) - 1, each.size - (sizeof(label) - 1));
			while (each.size > 0 && each.data[0] == ' ')
				each = view_of(each.data + 1, each.size - 1);
			return each;
		}
		if (line.size == 0)
			line = each;
	}
	return line;
}

static const char *
passphrase_path(char *room, size_t size)
{
	const char *path = getenv("DALIL_PASSPHRASE_FILE");
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");

	if (path != NULL && path[0] != '\0')
		return path;
	if (credentials == NULL || credentials[0] == '\0')
		return NULL;
	(void)snprintf(room, size, "%s/passphrase", credentials);
	return access(room, F_OK) == 0 ? room : NULL;
}

/* Open the node keys with what there is; without a passphrase they stay locked, which is no error. */
static int
open_keys(struct keys *keys, struct err *err)
{
	char room[4096];
	const char *path = passphrase_path(room, sizeof(room));
	struct buffer file;
	struct view passphrase;
	ssize_t got = -1;
	int code;
	int fd;

	if (!keys_has_passphrase(keys))
		return keys_unlock(keys, NULL, KEYS_SCOPE_NODE, err);
	if (path == NULL)
		return ERR_NONE;
	buffer_init_secret(&file, PASSPHRASE_FILE_MAX);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && file.data != NULL)
		got = read(fd, file.data, PASSPHRASE_FILE_MAX);
	if (got < 0) {
		code = err_system(err, errno, "cannot read the passphrase file %s", path);
	} else {
		passphrase = store_line(view_of(file.data, (size_t)got));
		code = keys_unlock(keys, &passphrase, KEYS_SCOPE_NODE, err);
	}
	if (fd >= 0)
		(void)close(fd);
	buffer_fini(&file);
	return code;
}

static int
run_node(struct daemon *daemon, struct err *err)
{
	struct node_options options = {.store = archive_path(daemon->archive),
	    .storage = archive_storage(daemon->archive),
	    .keys = archive_keys(daemon->archive),
	    .listen = daemon->listen,
	    .sign = sign,
	    .tell = tell,
	    .ready = ready,
	    .cookie = daemon};
	struct archive_self self;
	int code;

	archive_self(daemon->archive, &self);
	if (!self.enrolled)
		return err_set(err, ERR_REFUSED,
		    "this node is not enrolled yet: dalil charter apply takes the signed request");
	memcpy(options.organisation, self.organisation, HASH_SIZE);
	memcpy(options.log, self.log, HASH_SIZE);
	code = node_new(&daemon->node, &options, err);
	if (code != ERR_NONE)
		return code;
	code = lend_start(
	    &daemon->lend, options.store, options.keys, node_keys_changed, daemon->node, err);
	if (code == ERR_NONE)
		code = node_run(daemon->node, err);
	notify("STOPPING=1\n");
	lend_stop(daemon->lend);
	node_free(daemon->node);
	return code;
}

static int
run(struct daemon *daemon, struct err *err)
{
	int code = archive_open(&daemon->archive, daemon->store, err);

	if (code != ERR_NONE)
		return code;
	code = config_load(&daemon->config, daemon->store, err);
	if (code == ERR_NONE)
		code = open_keys(archive_keys(daemon->archive), err);
	if (daemon->listen == NULL && daemon->config.listen[0] != '\0')
		daemon->listen = daemon->config.listen;
	if (code == ERR_NONE)
		code = run_node(daemon, err);
	archive_close(daemon->archive);
	return code;
}

int
main(int argc, char **argv)
{
	static const struct option known[] = {{"store", required_argument, NULL, 's'},
	    {"listen", required_argument, NULL, 'l'}, {"http", required_argument, NULL, 'w'},
	    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	char room[4096];
	struct daemon daemon = {.store = default_store(room, sizeof(room))};
	struct err err = {0};
	int option;
	int code;

	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		if (option == 's') {
			daemon.store = optarg;
		} else if (option == 'l') {
			daemon.listen = optarg;
		} else if (option == 'w') {
			daemon.http = true;
		} else {
			usage(option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : 2;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return 2;
	}
	if (sodium_init() < 0)
		return 5;
	(void)umask(077);
	if (daemon.http)
		fputs("dalild: warning: this version has no HTTP: nothing listens there\n", stderr);
	code = run(&daemon, &err);
	if (code != ERR_NONE)
		fprintf(stderr, "dalild: %s\n", err_text(&err));
	return exit_code(code);
}
