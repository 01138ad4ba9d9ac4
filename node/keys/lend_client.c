/* The commands' side of lending: one request, one answer. */
#include <sodium.h>
#include <unistd.h>

#include "node/keys/keys_internal.h"
#include "node/keys/lend.h"
#include "node/keys/lend_message.h"
#include "node/keys/lend_socket.h"

/* ${message} is the request, and then the answer, whose text points into ${bytes}. */
static int
exchange(int fd, struct lend_message *message, struct buffer *bytes, struct err *err)
{
	int result;

	lend_message_write(bytes, message);
	if (bytes->err != 0)
		return err_set(err, (enum err_code)bytes->err, "no room for a request to dalild");
	result = lend_socket_write(fd, buffer_view(bytes), err);
	buffer_clear(bytes);
	if (result == 0)
		result = lend_socket_read(fd, bytes, err);
	if (result == 0)
		result = lend_message_parse(message, buffer_view(bytes), err);
	if (result == 0 && message->kind == LEND_REFUSED)
		result = err_set(err, (enum err_code)message->code, "%.*s", (int)message->text.size,
		    (const char *)message->text.data);
	return result;
}

static int
request(const char *store, struct lend_message *message, enum lend_kind wanted, struct err *err)
{
	struct buffer bytes;
	int fd = lend_socket_connect(store, err);
	int result;

	if (fd < 0)
		return fd;
	buffer_init_secret(&bytes, LEND_MESSAGE_MAX);
	result = exchange(fd, message, &bytes, err);
	if (result == 0 && message->kind != wanted)
		result = err_set(err, ERR_MALFORMED, "dalild gave another answer than was asked");
	message->text = view_of(NULL, 0);
	buffer_fini(&bytes);
	(void)close(fd);
	return result;
}

int
lend_borrow(const char *store, struct keys *keys, struct err *err)
{
	struct lend_message *message = lend_message_new(LEND_BORROW);
	int result;

	if (message == NULL)
		return err_set(err, ERR_MEMORY, "no memory for keys");
	result = request(store, message, LEND_KEYS, err);
	if (result == 0)
		result = keys_adopt(keys, message->node, message->readers, message->count, err);
	sodium_free(message);
	return result;
}

int
lend_unlock(const char *store, const struct keys *keys, uint64_t minutes, struct err *err)
{
	struct lend_message *message = lend_message_new(LEND_UNLOCK);
	int result;

	if (message == NULL)
		return err_set(err, ERR_MEMORY, "no memory for keys");
	message->minutes = minutes;
	result =
	    minutes > LEND_MINUTES_MAX ?
	        err_set(err, ERR_USAGE, "keys are lent for %d minutes at most", LEND_MINUTES_MAX) :
	        lend_message_fill(message, keys, minutes > 0, err);
	if (result == 0)
		result = request(store, message, LEND_DONE, err);
	sodium_free(message);
	return result;
}

int
lend_lock(const char *store, struct err *err)
{
	struct lend_message *message = lend_message_new(LEND_LOCK);
	int result;

	if (message == NULL)
		return err_set(err, ERR_MEMORY, "no memory for keys");
	result = request(store, message, LEND_DONE, err);
	sodium_free(message);
	return result;
}
