/* Key files on disk: written durably, read whole, opened and checked against their public half. */
#include "node/keys/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/key.h"

/* Names of X25519 keys; `wrapping` has no public half, every other key is Ed25519. */
static const char *const exchange_names[] = {"inbox", "transport", "vault"};

int
key_file_public(uint8_t public_half[static 32], struct view name, const uint8_t *secret)
{
	size_t i;

	if (name.size > 6 && memcmp(name.data, "vault-", 6) == 0)
		name.size = 5;
	for (i = 0; i < sizeof(exchange_names) / sizeof(exchange_names[0]); i++)
		if (view_equal(name, view_text(exchange_names[i]))) {
			key_x25519_public(public_half, secret);
			return 0;
		}
	key_ed25519_public(public_half, secret);
	return 0;
}

int
key_file_sync_directory(const char *path, struct err *err)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t size = slash == NULL ? 0 : (size_t)(slash - path);
	int fd;
	int result = 0;

	if (size >= sizeof(directory))
		return err_set(err, ERR_USAGE, "the path %s is too long", path);
	memcpy(directory, path, size);
	directory[size] = '\0';
	fd = open(slash == NULL ? "." :
	          size == 0     ? "/" :
	                          directory,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_system(err, errno, "the folder of %s", path);
	/* Some filesystems of removable disks cannot sync a directory, and say EINVAL. */
	if (fsync(fd) != 0 && errno != EINVAL)
		result = err_system(err, errno, "syncing the folder of %s", path);
	(void)close(fd);
	return result;
}

static int
write_all(int fd, struct view bytes)
{
	size_t done = 0;

	while (done < bytes.size) {
		ssize_t written = write(fd, bytes.data + done, bytes.size - done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		done += (size_t)written;
	}
	return 0;
}

/* Create ${path}, which must not be there, with these bytes, synced. */
static int
write_new(const char *path, struct view bytes, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int result = 0;

	if (fd < 0)
		return err_system(err, errno, "%s", path);
	if (write_all(fd, bytes) != 0 || fsync(fd) != 0)
		result = err_system(err, errno, "writing %s", path);
	if (close(fd) != 0 && result == 0)
		result = err_system(err, errno, "writing %s", path);
	if (result != 0)
		(void)unlink(path);
	return result;
}

static int
replace(const char *path, struct view bytes, struct err *err)
{
	char temporary[PATH_MAX];
	uint8_t random[6];
	char digits[13];
	int result;

	randombytes_buf(random, sizeof(random));
	(void)sodium_bin2hex(digits, sizeof(digits), random, sizeof(random));
	if (snprintf(temporary, sizeof(temporary), "%s.new-%s", path, digits) >= PATH_MAX)
		return err_set(err, ERR_USAGE, "the path %s is too long", path);
	result = write_new(temporary, bytes, err);
	if (result != 0)
		return result;
	if (rename(temporary, path) != 0) {
		result = err_system(err, errno, "replacing %s", path);
		(void)unlink(temporary);
	}
	return result;
}

int
key_file_write(const char *path, const struct wrap *outside, const uint8_t *secret,
    const uint8_t *key, enum key_file_write how, struct err *err)
{
	uint8_t nonce[WRAP_NONCE];
	struct buffer bytes;
	int result;

	randombytes_buf(nonce, sizeof(nonce));
	/* Under protection `none` the bytes are as good as the secret. */
	buffer_init_secret(&bytes, WRAP_FILE_MAX);
	result = wrap_seal(&bytes, outside, view_of(secret, KEY_FILE_SECRET), key, nonce, err);
	if (result == 0)
		result = how == KEY_FILE_NEW ? write_new(path, buffer_view(&bytes), err) :
		                               replace(path, buffer_view(&bytes), err);
	if (result == 0)
		result = key_file_sync_directory(path, err);
	buffer_fini(&bytes);
	return result;
}

int
key_file_read(struct buffer *bytes, struct wrap *wrap, const char *path, struct err *err)
{
	/* Not to hang on a pipe that somebody put there. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	uint8_t *to;
	int result;

	if (fd < 0)
		return err_system(err, errno, "%s", path);
	if (fstat(fd, &status) != 0)
		result = err_system(err, errno, "%s", path);
	else if (!S_ISREG(status.st_mode) || status.st_size > WRAP_FILE_MAX)
		result = err_set(err, ERR_MALFORMED, "%s is no key file", path);
	else if ((to = buffer_extend(bytes, (size_t)status.st_size)) == NULL)
		result = err_set(err, ERR_MEMORY, "no memory to read %s", path);
	else if (read(fd, to, (size_t)status.st_size) != status.st_size)
		result = err_system(err, errno != 0 ? errno : EIO, "reading %s", path);
	else if ((result = wrap_parse(wrap, buffer_view(bytes), err)) != 0)
		(void)err_wrap(err, "%s", path);
	(void)close(fd);
	return result;
}

static int
check_public(const struct wrap *wrap, const uint8_t *secret, struct err *err)
{
	uint8_t public_half[32];

	if (wrap->public_size == 0)
		return 0;
	if (key_file_public(public_half, wrap->name, secret) != 0 || wrap->public_size != 32 ||
	    memcmp(public_half, wrap->public_half, 32) != 0)
		return err_set(err, ERR_DAMAGED, "the secret does not fit the public half");
	return 0;
}

int
key_file_open(uint8_t secret[static KEY_FILE_SECRET], const struct wrap *wrap, const uint8_t *key,
    struct err *err)
{
	struct buffer opened;
	int result;

	buffer_init_secret(&opened, WRAP_SECRET_MAX);
	result = wrap_open(&opened, wrap, key, err);
	if (result == 0 && opened.size != KEY_FILE_SECRET)
		result = err_set(err, ERR_MALFORMED, "the secret is not 32 bytes");
	if (result == 0)
		result = check_public(wrap, opened.data, err);
	if (result == 0)
		memcpy(secret, opened.data, KEY_FILE_SECRET);
	buffer_fini(&opened);
	return result;
}

int
key_file_open_passphrase(uint8_t secret[static KEY_FILE_SECRET], const struct wrap *wrap,
    const struct view *passphrase, struct err *err)
{
	uint8_t *key;
	int result;

	switch (wrap->protection) {
	case WRAP_NONE:
		return key_file_open(secret, wrap, NULL, err);
	case WRAP_KEY:
		return err_set(err, ERR_REFUSED, "this key file belongs inside a store's keys/");
	case WRAP_PASSPHRASE:
		break;
	}
	if (passphrase == NULL)
		return err_set(err, ERR_LOCKED, "a passphrase is needed");
	key = sodium_malloc(WRAP_KEY_SIZE);
	if (key == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a key");
	result = wrap_derive(key, &wrap->passphrase, *passphrase, err);
	if (result == 0)
		result = key_file_open(secret, wrap, key, err);
	sodium_free(key);
	return result;
}

void
key_file_parameters(struct wrap_passphrase *parameters)
{
	parameters->ops = WRAP_OPS;
	parameters->memory = WRAP_MEMORY;
	randombytes_buf(parameters->salt, sizeof(parameters->salt));
}

int
key_file_protect(
    struct wrap *outside, uint8_t **key, const struct view *passphrase, struct err *err)
{
	int result;

	*key = NULL;
	outside->protection = WRAP_NONE;
	if (passphrase == NULL)
		return 0;
	outside->protection = WRAP_PASSPHRASE;
	key_file_parameters(&outside->passphrase);
	*key = sodium_malloc(WRAP_KEY_SIZE);
	if (*key == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a key");
	result = wrap_derive(*key, &outside->passphrase, *passphrase, err);
	if (result != 0) {
		sodium_free(*key);
		*key = NULL;
	}
	return result;
}
