/* What changes the key files of a store: making them, adding a reader key, a new passphrase. */
#include "node/keys/keys_internal.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/keys/key_file.h"
#include "proto/text.h"

/* One file under the wrapping key. */
static int
write_wrapped(const char *folder, const char *label, const char *about, const uint8_t *secret,
    const uint8_t *wrapping, struct err *err)
{
	struct wrap outside = {.name = view_text(label),
	    .about = view_text(about),
	    .public_size = KEYS_SIZE,
	    .protection = WRAP_KEY};
	char path[PATH_MAX];
	int result = keys_path(path, folder, label, err);

	if (result == 0)
		result = key_file_public(outside.public_half, outside.name, secret);
	if (result == 0)
		result = key_file_write(path, &outside, secret, wrapping, KEY_FILE_NEW, err);
	return result;
}

static int
write_wrapping(const char *folder, const char *about, const uint8_t *wrapping,
    const struct view *passphrase, enum key_file_write how, struct err *err)
{
	struct wrap outside = {.name = view_text("wrapping"), .about = view_text(about)};
	char path[PATH_MAX];
	uint8_t *key = NULL;
	int result = keys_path(path, folder, "wrapping", err);

	if (result == 0)
		result = key_file_protect(&outside, &key, passphrase, err);
	if (result == 0)
		result = key_file_write(path, &outside, wrapping, key, how, err);
	sodium_free(key);
	return result;
}

/* A folder of that name left by a create that was cut: nothing in it was ever used. */
static int
clear_unfinished(const char *folder, struct err *err)
{
	static const char *const names[] = {"wrapping", "vault"};
	char path[PATH_MAX];
	unsigned i;

	for (i = 0; i < KEYS_NAMES + sizeof(names) / sizeof(names[0]); i++)
		if (keys_path(path, folder,
		        i < KEYS_NAMES ? keys_label((enum keys_name)i) : names[i - KEYS_NAMES],
		        err) == 0)
			(void)unlink(path);
	if (rmdir(folder) != 0 && errno != ENOENT)
		return err_system(err, errno, "%s", folder);
	return 0;
}

static int
fill_folder(const char *folder, struct keys_secrets *secrets, const struct view *passphrase,
    bool vault, const char *about, struct err *err)
{
	unsigned i;
	int result;

	randombytes_buf(secrets, sizeof(*secrets));
	result = write_wrapping(folder, about, secrets->wrapping, passphrase, KEY_FILE_NEW, err);
	for (i = 0; i < KEYS_NAMES && result == 0; i++)
		result = write_wrapped(folder, keys_label((enum keys_name)i), about, secrets->of[i],
		    secrets->wrapping, err);
	if (result == 0 && vault)
		result = write_wrapped(
		    folder, "vault", about, secrets->of[KEYS_NAMES], secrets->wrapping, err);
	return result;
}

int
keys_create(const char *store, const struct view *passphrase, bool vault, const char *about,
    struct err *err)
{
	char folder[PATH_MAX], unfinished[PATH_MAX];
	struct keys_secrets *secrets;
	struct stat status;
	int result = keys_path(folder, store, "keys", err);

	if (result == 0)
		result = keys_path(unfinished, store, "keys.unfinished", err);
	if (result != 0)
		return result;
	if (sodium_init() < 0)
		return err_set(err, ERR_IO, "libsodium cannot start");
	if (lstat(folder, &status) == 0)
		return err_set(err, ERR_EXISTS, "%s is there already", folder);
	result = clear_unfinished(unfinished, err);
	if (result != 0)
		return result;
	if (mkdir(unfinished, 0700) != 0)
		return err_system(err, errno, "%s", unfinished);
	secrets = sodium_malloc(sizeof(*secrets));
	if (secrets == NULL)
		result = err_set(err, ERR_MEMORY, "no memory for keys");
	else
		result = fill_folder(unfinished, secrets, passphrase, vault, about, err);
	sodium_free(secrets);
	if (result == 0 && rename(unfinished, folder) != 0)
		result = err_system(err, errno, "%s", folder);
	if (result == 0)
		result = key_file_sync_directory(folder, err);
	return result;
}

/* Add the entry in its place, so that the order of readers stays what a new opening gives. */
static void
insert_entry(struct keys *keys, const char *label, const uint8_t *secret)
{
	unsigned at = keys->count;
	struct keys_entry *entry;

	while (at > KEYS_NAMES && strcmp(keys->entries[at - 1].label, label) > 0) {
		keys->entries[at] = keys->entries[at - 1];
		memcpy(keys->secrets->of[at], keys->secrets->of[at - 1], KEYS_SIZE);
		at--;
	}
	entry = &keys->entries[at];
	memset(entry, 0, sizeof(*entry));
	(void)snprintf(entry->label, sizeof(entry->label), "%s", label);
	(void)key_file_public(entry->public_half, view_text("vault"), secret);
	memcpy(keys->secrets->of[at], secret, KEYS_SIZE);
	entry->open = true;
	keys->count++;
}

static int
attach(struct keys *keys, const uint8_t *secret, const char *about, struct err *err)
{
	char label[KEYS_LABEL_MAX + 1] = "vault";
	uint8_t public_half[KEYS_SIZE];
	unsigned i;
	int result;

	if (!keys->wrapping_open)
		return err_set(err, ERR_LOCKED, "attaching a key needs the store's passphrase");
	if (keys->count == KEYS_ENTRIES)
		return err_set(err, ERR_LIMIT, "a store holds %d reader keys", KEYS_READERS_MAX);
	(void)key_file_public(public_half, view_text("vault"), secret);
	for (i = KEYS_NAMES; i < keys->count; i++) {
		if (memcmp(keys->entries[i].public_half, public_half, KEYS_SIZE) == 0)
			return err_set(err, ERR_EXISTS, "this key is here already, as %s",
			    keys->entries[i].label);
		if (strcmp(keys->entries[i].label, "vault") == 0) {
			memcpy(label, "vault-", 6);
			text_hex(label + 6, view_of(public_half, 4));
		}
	}
	result = write_wrapped(keys->folder, label, about, secret, keys->secrets->wrapping, err);
	if (result == 0)
		insert_entry(keys, label, secret);
	return result;
}

int
keys_attach(
    struct keys *keys, const uint8_t secret[static KEYS_SIZE], const char *about, struct err *err)
{
	int result;

	(void)pthread_mutex_lock(&keys->lock);
	result = attach(keys, secret, about, err);
	(void)pthread_mutex_unlock(&keys->lock);
	return result;
}

int
keys_rewrap(struct keys *keys, const struct view *passphrase, struct err *err)
{
	int result;

	(void)pthread_mutex_lock(&keys->lock);
	if (!keys->wrapping_open)
		result = err_set(err, ERR_LOCKED, "a new passphrase needs the present one first");
	else
		result = write_wrapping(keys->folder, keys->about, keys->secrets->wrapping,
		    passphrase, KEY_FILE_REPLACE, err);
	if (result == 0)
		keys->passphrase = passphrase != NULL;
	(void)pthread_mutex_unlock(&keys->lock);
	return result;
}
