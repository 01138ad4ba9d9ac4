/*
 * The key store, keys kept elsewhere, and lending. Defends P6 (a seized disk gives no key) and P1 (a
 * key file that was written opens; a damaged one is named and never used).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/keys/keys.h"
#include "node/keys/lend.h"
#include "node/keys/lend_message.h"
#include "node/keys/standalone.h"
#include "proto/key.h"
#include "proto/wrap.h"
#include "tests/unit/vectors.h"

static void
path_in(char *path, const char *store, const char *folder, const char *name)
{
	int size = snprintf(path, PATH_MAX, "%s/%s%s", store, folder, name);

	assert_true(size > 0 && size < PATH_MAX);
}

static void
remove_store(const char *store)
{
	static const char *const names[] = {"keys/wrapping", "keys/record", "keys/log",
	    "keys/witness", "keys/mirror", "keys/transport", "keys/inbox", "keys/vault", "keys",
	    "root.key", "dalild.sock", ""};
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_in(path, store, "", names[i]);
		(void)remove(path);
	}
}

static void
make_store(char *store)
{
	(void)snprintf(store, PATH_MAX, "%s/dalil-keys-XXXXXX",
	    getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(store));
}

static void
check_all_open(struct keys *keys, unsigned readers)
{
	static const char *const kinds[] = {"record", "log", "witness", "mirror"};
	uint8_t public_half[32], other[32], secret[32], signature[64];
	unsigned i;

	assert_int_equal(keys_damage(keys, NULL), 0);
	for (i = 0; i < KEYS_NAMES; i++) {
		keys_public(keys, (enum keys_name)i, public_half);
		assert_int_equal(keys_secret(keys, (enum keys_name)i, secret, NULL), 0);
		assert_int_equal(
		    standalone_public(other, keys_label((enum keys_name)i), secret, NULL), 0);
		assert_memory_equal(public_half, other, 32);
	}
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		assert_string_equal(keys_label((enum keys_name)i), kinds[i]);
		keys_public(keys, (enum keys_name)i, public_half);
		assert_int_equal(
		    keys_sign(keys, (enum keys_name)i, view_text("x"), signature, NULL), 0);
		assert_int_equal(key_verify(public_half, signature, "", view_text("x")), 0);
	}
	assert_int_equal(keys_readers(keys), readers);
	for (i = 0; i < readers; i++) {
		assert_int_equal(keys_reader_secret(keys, i, secret, NULL), 0);
		keys_reader_public(keys, i, public_half);
		key_x25519_public(other, secret);
		assert_memory_equal(public_half, other, 32);
		assert_int_equal(keys_reader_find(keys, public_half), (int)i);
	}
}

static void
test_passphrase(void **state)
{
	struct view right = view_text("correct horse"), wrong = view_text("correct horsf");
	struct view later = view_text("battery");
	struct err err = {0};
	struct keys *keys;
	char store[PATH_MAX];
	uint8_t secret[32];

	(void)state;
	make_store(store);
	assert_int_equal(keys_create(store, &right, true, "one", &err), 0);
	assert_int_equal(keys_create(store, &right, true, "one", &err), ERR_EXISTS);
	assert_int_equal(keys_open(&keys, store, &err), 0);
	assert_true(keys_has_passphrase(keys));
	assert_int_equal(keys_scope(keys), KEYS_SCOPE_NONE);
	assert_int_equal(keys_secret(keys, KEYS_LOG, secret, &err), ERR_LOCKED);
	assert_int_equal(keys_unlock(keys, NULL, KEYS_SCOPE_ALL, &err), ERR_LOCKED);
	assert_int_equal(keys_unlock(keys, &wrong, KEYS_SCOPE_ALL, &err), ERR_LOCKED);
	assert_non_null(strstr(err.text, "passphrase"));
	assert_int_equal(keys_unlock(keys, &right, KEYS_SCOPE_NODE, &err), 0);
	assert_int_equal(keys_scope(keys), KEYS_SCOPE_NODE);
	assert_int_equal(keys_reader_secret(keys, 0, secret, &err), ERR_LOCKED);
	assert_int_equal(keys_rewrap(keys, &later, &err), ERR_LOCKED);
	assert_int_equal(keys_unlock(keys, &right, KEYS_SCOPE_ALL, &err), 0);
	check_all_open(keys, 1);
	assert_int_equal(keys_rewrap(keys, &later, &err), 0);
	keys_lock(keys, KEYS_SCOPE_NONE);
	assert_int_equal(keys_secret(keys, KEYS_LOG, secret, &err), ERR_LOCKED);
	assert_int_equal(keys_unlock(keys, &right, KEYS_SCOPE_ALL, &err), ERR_LOCKED);
	assert_int_equal(keys_unlock(keys, &later, KEYS_SCOPE_ALL, &err), 0);
	check_all_open(keys, 1);
	keys_free(keys);
	remove_store(store);
}

/* No byte of any secret stands in the files, unless --no-passphrase. */
static void
test_attach(void **state)
{
	struct err err = {0};
	struct keys *keys;
	char store[PATH_MAX], path[PATH_MAX];
	char label[KEYS_LABEL_MAX + 1];
	uint8_t vault[32], second[32];

	(void)state;
	make_store(store);
	assert_int_equal(keys_create(store, NULL, false, "two", &err), 0);
	assert_int_equal(keys_open(&keys, store, &err), 0);
	assert_false(keys_has_passphrase(keys));
	assert_int_equal(keys_readers(keys), 0);
	randombytes_buf(vault, sizeof(vault));
	randombytes_buf(second, sizeof(second));
	assert_int_equal(keys_attach(keys, vault, "", &err), ERR_LOCKED);
	assert_int_equal(keys_unlock(keys, NULL, KEYS_SCOPE_ALL, &err), 0);
	assert_int_equal(keys_attach(keys, vault, "from the stick", &err), 0);
	assert_int_equal(keys_attach(keys, vault, "", &err), ERR_EXISTS);
	assert_int_equal(keys_attach(keys, second, "", &err), 0);
	check_all_open(keys, 2);
	keys_free(keys);
	assert_int_equal(keys_open(&keys, store, &err), 0);
	assert_int_equal(keys_unlock(keys, NULL, KEYS_SCOPE_ALL, &err), 0);
	check_all_open(keys, 2);
	keys_reader_label(keys, 0, label);
	assert_string_equal(label, "vault");
	keys_reader_label(keys, 1, label);
	assert_int_equal(strlen(label), 14);
	path_in(path, store, "keys/", label);
	assert_int_equal(unlink(path), 0);
	keys_free(keys);
	remove_store(store);
}

static void
flip(const char *path, off_t at, unsigned bit)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= (uint8_t)(1u << bit);
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	assert_int_equal(close(fd), 0);
}

/* Every byte of every key file, one bit each: named, and the key never used. */
static void
test_flips(void **state)
{
	static const char *const names[] = {
	    "record", "log", "witness", "mirror", "transport", "inbox", "vault", "wrapping"};
	struct err err = {0};
	struct stat status;
	struct keys *keys;
	char store[PATH_MAX], path[PATH_MAX];
	uint8_t secret[32];
	unsigned flips = 0;
	unsigned i;
	off_t at;

	(void)state;
	make_store(store);
	assert_int_equal(keys_create(store, NULL, true, "three", &err), 0);
	for (i = 0; i < 8; i++) {
		path_in(path, store, "keys/", names[i]);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_mode & 0777, 0600);
		for (at = (off_t)i; at < status.st_size; at += 3) {
			int result;

			flip(path, at, (unsigned)at % 8);
			assert_int_equal(keys_open(&keys, store, &err), 0);
			result = keys_unlock(keys, NULL, KEYS_SCOPE_ALL, &err);
			if (i < 7) {
				assert_int_equal(result, 0);
				result = keys_damage(keys, &err);
				assert_int_equal(
				    i < 6 ? keys_secret(keys, (enum keys_name)i, secret, NULL) :
				            keys_reader_secret(keys, 0, secret, NULL),
				    ERR_DAMAGED);
			}
			assert_true(result == ERR_DAMAGED || (result == ERR_LOCKED && i == 7));
			assert_non_null(strstr(err.text, names[i]));
			keys_free(keys);
			flip(path, at, (unsigned)at % 8);
			flips++;
		}
	}
	assert_true(flips > 500);
	assert_int_equal(keys_open(&keys, store, &err), 0);
	assert_int_equal(keys_unlock(keys, NULL, KEYS_SCOPE_ALL, &err), 0);
	check_all_open(keys, 1);
	keys_free(keys);
	remove_store(store);
}

static void
test_standalone(void **state)
{
	struct view right = view_text("root words"), wrong = view_text("rootwords");
	struct standalone file;
	struct err err = {0};
	char store[PATH_MAX], path[PATH_MAX];
	uint8_t secret[32], again[32], public_half[32];

	(void)state;
	make_store(store);
	path_in(path, store, "", "root.key");
	randombytes_buf(secret, sizeof(secret));
	assert_int_equal(
	    standalone_write(path, "root", "Org", secret, &right, STANDALONE_KEEP, &err), 0);
	assert_int_equal(
	    standalone_write(path, "root", "Org", secret, &right, STANDALONE_KEEP, &err),
	    ERR_EXISTS);
	assert_int_equal(standalone_read(&file, path, &err), 0);
	assert_string_equal(file.name, "root");
	assert_string_equal(file.about, "Org");
	assert_true(file.passphrase);
	key_ed25519_public(public_half, secret);
	assert_memory_equal(file.public_half, public_half, 32);
	assert_int_equal(standalone_open(&file, NULL, again, &err), ERR_LOCKED);
	assert_int_equal(standalone_open(&file, &wrong, again, &err), ERR_LOCKED);
	assert_int_equal(standalone_open(&file, &right, again, &err), 0);
	assert_memory_equal(secret, again, 32);
	standalone_fini(&file);
	assert_int_equal(
	    standalone_write(path, "vault", "Org", secret, NULL, STANDALONE_OVERWRITE, &err), 0);
	assert_int_equal(standalone_read(&file, path, &err), 0);
	assert_false(file.passphrase);
	key_x25519_public(public_half, secret);
	assert_memory_equal(file.public_half, public_half, 32);
	assert_int_equal(standalone_open(&file, NULL, again, &err), 0);
	standalone_fini(&file);
	assert_int_equal(standalone_read(&file, "/dev/null", &err), ERR_MALFORMED);
	remove_store(store);
}

static void
count_change(void *cookie)
{
	(*(unsigned *)cookie)++;
}

static void
test_lend(void **state)
{
	unsigned changes = 0;
	struct lend *lend, *second;
	struct keys *daemon, *command;
	struct err err = {0};
	char store[PATH_MAX];
	uint8_t secret[32];

	(void)state;
	make_store(store);
	assert_int_equal(keys_create(store, NULL, true, "four", &err), 0);
	assert_int_equal(keys_open(&daemon, store, &err), 0);
	assert_int_equal(keys_open(&command, store, &err), 0);
	assert_int_equal(lend_borrow(store, command, &err), ERR_NOT_FOUND);
	assert_int_equal(lend_start(&lend, store, daemon, count_change, &changes, &err), 0);
	assert_int_equal(lend_start(&second, store, daemon, NULL, NULL, &err), ERR_EXISTS);
	assert_int_equal(lend_borrow(store, command, &err), ERR_LOCKED);
	assert_int_equal(lend_unlock(store, command, 0, &err), ERR_LOCKED);
	assert_int_equal(keys_unlock(command, NULL, KEYS_SCOPE_ALL, &err), 0);
	assert_int_equal(lend_unlock(store, command, 0, &err), 0);
	assert_int_equal(keys_scope(daemon), KEYS_SCOPE_NODE);
	keys_lock(command, KEYS_SCOPE_NONE);
	assert_int_equal(lend_borrow(store, command, &err), 0);
	assert_int_equal(keys_scope(command), KEYS_SCOPE_NODE);
	assert_int_equal(keys_reader_secret(command, 0, secret, &err), ERR_LOCKED);
	assert_int_equal(keys_unlock(command, NULL, KEYS_SCOPE_ALL, &err), 0);
	assert_int_equal(lend_unlock(store, command, 15, &err), 0);
	assert_int_equal(keys_scope(daemon), KEYS_SCOPE_ALL);
	keys_lock(command, KEYS_SCOPE_NONE);
	assert_int_equal(lend_borrow(store, command, &err), 0);
	check_all_open(command, 1);
	/* What was borrowed writes no files: that takes the wrapping key. */
	assert_int_equal(keys_rewrap(command, NULL, &err), ERR_LOCKED);
	assert_int_equal(lend_lock(store, &err), 0);
	assert_int_equal(keys_scope(daemon), KEYS_SCOPE_NONE);
	assert_int_equal(lend_borrow(store, command, &err), ERR_LOCKED);
	assert_int_equal(changes, 3);
	lend_stop(lend);
	assert_int_equal(lend_borrow(store, command, &err), ERR_NOT_FOUND);
	assert_int_equal(lend_start(&lend, store, daemon, NULL, NULL, &err), 0);
	lend_stop(lend);
	keys_free(command);
	keys_free(daemon);
	remove_store(store);
}

/* Keys of another store are refused, and nothing of them stays. */
static void
test_lend_foreign(void **state)
{
	struct lend_message *message = lend_message_new(LEND_UNLOCK);
	struct keys *mine, *theirs;
	struct lend *lend;
	struct err err = {0};
	char first[PATH_MAX], second[PATH_MAX];

	(void)state;
	sodium_free(message);
	make_store(first);
	make_store(second);
	assert_int_equal(keys_create(first, NULL, true, "a", &err), 0);
	assert_int_equal(keys_create(second, NULL, true, "b", &err), 0);
	assert_int_equal(keys_open(&mine, first, &err), 0);
	assert_int_equal(keys_open(&theirs, second, &err), 0);
	assert_int_equal(keys_unlock(theirs, NULL, KEYS_SCOPE_ALL, &err), 0);
	assert_int_equal(lend_start(&lend, first, mine, NULL, NULL, &err), 0);
	assert_int_equal(lend_unlock(first, theirs, 5, &err), ERR_REFUSED);
	assert_int_equal(keys_scope(mine), KEYS_SCOPE_NONE);
	lend_stop(lend);
	keys_free(mine);
	keys_free(theirs);
	remove_store(first);
	remove_store(second);
}

static void
test_lend_message(void **state)
{
	struct lend_message *message = lend_message_new(LEND_UNLOCK);
	struct lend_message *again = lend_message_new(LEND_BORROW);
	struct buffer bytes;
	size_t size;

	(void)state;
	message->minutes = 15;
	message->count = 2;
	randombytes_buf(message->node, sizeof(message->node));
	randombytes_buf(message->readers, 128);
	buffer_init_secret(&bytes, LEND_MESSAGE_MAX);
	lend_message_write(&bytes, message);
	assert_int_equal(bytes.err, 0);
	assert_int_equal(lend_message_parse(again, buffer_view(&bytes), NULL), 0);
	assert_memory_equal(message->node, again->node, sizeof(message->node));
	assert_memory_equal(message->readers, again->readers, sizeof(message->readers));
	assert_int_equal(again->minutes, 15);
	for (size = 0; size < bytes.size; size++)
		assert_int_equal(
		    lend_message_parse(again, view_of(bytes.data, size), NULL), ERR_MALFORMED);
	buffer_clear(&bytes);
	message->minutes = LEND_MINUTES_MAX + 1;
	lend_message_write(&bytes, message);
	assert_int_equal(lend_message_parse(again, buffer_view(&bytes), NULL), ERR_MALFORMED);
	buffer_fini(&bytes);
	sodium_free(message);
	sodium_free(again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_passphrase),
	    cmocka_unit_test(test_attach),
	    cmocka_unit_test(test_flips),
	    cmocka_unit_test(test_standalone),
	    cmocka_unit_test(test_lend),
	    cmocka_unit_test(test_lend_foreign),
	    cmocka_unit_test(test_lend_message),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
