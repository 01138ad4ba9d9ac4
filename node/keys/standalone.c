/* Keys in files of their own, outside every store. */
#include "node/keys/standalone.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/keys/key_file.h"

int
standalone_public(uint8_t public_half[static STANDALONE_SIZE], const char *name,
    const uint8_t secret[static STANDALONE_SIZE], struct err *err)
{
	if (strlen(name) == 0 || strlen(name) > WRAP_NAME_MAX)
		return err_set(err, ERR_USAGE, "%s is no name of a key", name);
	return key_file_public(public_half, view_text(name), secret);
}

int
standalone_read(struct standalone *file, const char *path, struct err *err)
{
	struct buffer bytes;
	struct wrap wrap;
	int result;

	memset(file, 0, sizeof(*file));
	if (sodium_init() < 0)
		return err_set(err, ERR_IO, "libsodium cannot start");
	buffer_init_secret(&bytes, WRAP_FILE_MAX);
	result = key_file_read(&bytes, &wrap, path, err);
	if (result == 0 && wrap.protection == WRAP_KEY)
		result = err_set(err, ERR_REFUSED,
		    "%s was taken out of a store's keys/: dalil key copy makes a copy that opens",
		    path);
	if (result == 0 && wrap.public_size != STANDALONE_SIZE)
		result = err_set(err, ERR_MALFORMED, "%s names no public half", path);
	if (result == 0) {
		(void)snprintf(file->name, sizeof(file->name), "%.*s", (int)wrap.name.size,
		    (const char *)wrap.name.data);
		(void)snprintf(file->about, sizeof(file->about), "%.*s", (int)wrap.about.size,
		    (const char *)wrap.about.data);
		memcpy(file->public_half, wrap.public_half, STANDALONE_SIZE);
		file->passphrase = wrap.protection == WRAP_PASSPHRASE;
		file->bytes = sodium_malloc(bytes.size);
		if (file->bytes == NULL)
			result = err_set(err, ERR_MEMORY, "no memory for a key");
	}
	if (result == 0) {
		memcpy(file->bytes, bytes.data, bytes.size);
		file->size = bytes.size;
	}
	buffer_fini(&bytes);
	return result;
}

void
standalone_fini(struct standalone *file)
{
	sodium_free(file->bytes);
	memset(file, 0, sizeof(*file));
}

int
standalone_open(const struct standalone *file, const struct view *passphrase,
    uint8_t secret[static STANDALONE_SIZE], struct err *err)
{
	struct wrap wrap;
	int result = wrap_parse(&wrap, view_of(file->bytes, file->size), err);

	if (result == 0)
		result = key_file_open_passphrase(secret, &wrap, passphrase, err);
	return result;
}

/* Read the file back and open it.  The key is derived already; damaged parameters fail all the same,
 * for they are authenticated. */
static int
verify_written(const char *path, const uint8_t *secret, const uint8_t *key, struct err *err)
{
	uint8_t *again = sodium_malloc(STANDALONE_SIZE);
	struct buffer bytes;
	struct wrap wrap;
	int result;

	if (again == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a key");
	buffer_init_secret(&bytes, WRAP_FILE_MAX);
	result = key_file_read(&bytes, &wrap, path, err);
	if (result == 0)
		result = key_file_open(again, &wrap, key, err);
	if (result == 0 && sodium_memcmp(again, secret, STANDALONE_SIZE) != 0)
		result = err_set(err, ERR_DAMAGED, "it holds another key");
	buffer_fini(&bytes);
	sodium_free(again);
	if (result != 0)
		(void)err_wrap(err, "reading back %s", path);
	return result;
}

int
standalone_write(const char *path, const char *name, const char *about,
    const uint8_t secret[static STANDALONE_SIZE], const struct view *passphrase,
    enum standalone_overwrite overwrite, struct err *err)
{
	struct wrap outside = {
	    .name = view_text(name), .about = view_text(about), .public_size = STANDALONE_SIZE};
	uint8_t *key = NULL;
	int result;

	if (sodium_init() < 0)
		return err_set(err, ERR_IO, "libsodium cannot start");
	/* Said before a second is spent on the passphrase. */
	if (overwrite == STANDALONE_KEEP && access(path, F_OK) == 0)
		return err_set(err, ERR_EXISTS, "%s is there already", path);
	result = standalone_public(outside.public_half, name, secret, err);
	if (result == 0)
		result = key_file_protect(&outside, &key, passphrase, err);
	if (result == 0)
		result = key_file_write(path, &outside, secret, key,
		    overwrite == STANDALONE_KEEP ? KEY_FILE_NEW : KEY_FILE_REPLACE, err);
	if (result == 0)
		result = verify_written(path, secret, key, err);
	sodium_free(key);
	return result;
}
