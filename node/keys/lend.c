/* The daemon's side of lending: a thread that answers one request per connection. */
#include "node/keys/lend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "node/keys/keys_internal.h"
#include "node/keys/lend_message.h"
#include "node/keys/lend_socket.h"

struct lend {
	char store[PATH_MAX];
	struct keys *keys;
	lend_changed *changed;
	void *cookie;
	pthread_t thread;
	int folder;      /* STORE/keys, locked while we serve: one daemon per store */
	int listening;   /* the socket */
	int wake;        /* an eventfd: written to end the thread */
	int64_t wipe_at; /* when reader keys are wiped, CLOCK_BOOTTIME ms; 0: nothing to wipe */
};

/* Counts while the machine sleeps: a lid that is closed does not stretch 15 minutes. */
static int64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int
take_keys(struct lend *lend, const struct lend_message *message, struct err *err)
{
	int result = keys_adopt(lend->keys, message->node, message->readers, message->count, err);

	lend->wipe_at = 0;
	if (result == 0 && message->count > 0)
		lend->wipe_at = now_ms() + (int64_t)message->minutes * 60000;
	return result;
}

/* Turns the request in ${message} into its answer. */
static void
answer(struct lend *lend, struct lend_message *message, struct err *err)
{
	int result = 0;
	enum lend_kind kind = message->kind;

	switch (kind) {
	case LEND_BORROW:
		if (keys_scope(lend->keys) == KEYS_SCOPE_NONE)
			result = err_set(err, ERR_LOCKED, "dalild is locked: dalil unlock");
		else
			result = lend_message_fill(message, lend->keys, true, err);
		message->kind = LEND_KEYS;
		break;
	case LEND_UNLOCK:
		result = take_keys(lend, message, err);
		message->kind = LEND_DONE;
		break;
	case LEND_LOCK:
		keys_lock(lend->keys, KEYS_SCOPE_NONE);
		lend->wipe_at = 0;
		message->kind = LEND_DONE;
		break;
	case LEND_KEYS:
	case LEND_DONE:
	case LEND_REFUSED:
		result = err_set(err, ERR_MALFORMED, "dalild was sent an answer");
		break;
	}
	if (result != 0) {
		message->kind = LEND_REFUSED;
		message->code = result;
		message->text = view_text(err_text(err));
	} else if (kind != LEND_BORROW && lend->changed != NULL)
		lend->changed(lend->cookie);
}

static void
serve(struct lend *lend, int fd)
{
	struct lend_message *message = lend_message_new(LEND_REFUSED);
	struct err err = {0};
	struct buffer bytes;

	buffer_init_secret(&bytes, LEND_MESSAGE_MAX);
	if (message != NULL && lend_socket_check_user(fd, &err) == 0 &&
	    lend_socket_read(fd, &bytes, &err) == 0 &&
	    lend_message_parse(message, buffer_view(&bytes), &err) == 0) {
		answer(lend, message, &err);
		buffer_clear(&bytes);
		lend_message_write(&bytes, message);
		if (bytes.err == 0)
			(void)lend_socket_write(fd, buffer_view(&bytes), &err);
	}
	buffer_fini(&bytes);
	sodium_free(message);
	(void)close(fd);
}

static void
wipe_if_due(struct lend *lend)
{
	if (lend->wipe_at == 0 || now_ms() < lend->wipe_at)
		return;
	keys_lock(lend->keys, KEYS_SCOPE_NODE);
	lend->wipe_at = 0;
}

static void *
run(void *cookie)
{
	struct lend *lend = cookie;

	for (;;) {
		struct pollfd wait[2] = {{.fd = lend->wake, .events = POLLIN},
		    {.fd = lend->listening, .events = POLLIN}};
		/* BOOTTIME goes on in sleep and poll does not: look at least once a second. */
		int ready = poll(wait, 2, lend->wipe_at != 0 ? 1000 : -1);
		int fd;

		if (ready > 0 && wait[0].revents != 0)
			return NULL;
		wipe_if_due(lend);
		if (ready <= 0 || wait[1].revents == 0)
			continue;
		fd = accept4(lend->listening, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			serve(lend, fd);
	}
}

static int
start(struct lend *lend, struct err *err)
{
	lend->folder = open(lend->keys->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lend->folder < 0)
		return err_system(err, errno, "%s", lend->keys->folder);
	if (flock(lend->folder, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ?
		           err_set(err, ERR_EXISTS, "a dalild runs on %s already", lend->store) :
		           err_system(err, errno, "locking %s", lend->keys->folder);
	lend->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (lend->wake < 0)
		return err_system(err, errno, "an eventfd");
	lend->listening = lend_socket_listen(lend->store, err);
	if (lend->listening < 0)
		return lend->listening;
	if (pthread_create(&lend->thread, NULL, run, lend) != 0) {
		lend_socket_remove(lend->store);
		return err_set(err, ERR_MEMORY, "no thread to lend keys");
	}
	return 0;
}

static void
release(struct lend *lend)
{
	if (lend->listening >= 0)
		(void)close(lend->listening);
	if (lend->wake >= 0)
		(void)close(lend->wake);
	if (lend->folder >= 0)
		(void)close(lend->folder);
	free(lend);
}

int
lend_start(struct lend **out, const char *store, struct keys *keys, lend_changed *changed,
    void *cookie, struct err *err)
{
	struct lend *lend = calloc(1, sizeof(*lend));
	int result;

	*out = NULL;
	if (lend == NULL)
		return err_set(err, ERR_MEMORY, "no memory to lend keys");
	lend->keys = keys;
	lend->changed = changed;
	lend->cookie = cookie;
	lend->folder = lend->listening = lend->wake = -1;
	if (snprintf(lend->store, sizeof(lend->store), "%s", store) >= PATH_MAX)
		result = err_set(err, ERR_USAGE, "the path of the store is too long");
	else
		result = start(lend, err);
	if (result != 0) {
		release(lend);
		return result;
	}
	*out = lend;
	return 0;
}

void
lend_stop(struct lend *lend)
{
	uint64_t one = 1;

	if (lend == NULL)
		return;
	while (write(lend->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		continue;
	(void)pthread_join(lend->thread, NULL);
	lend_socket_remove(lend->store);
	release(lend);
}
