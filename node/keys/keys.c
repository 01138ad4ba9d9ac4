/* The key store of a store: reads key files, opens them, hands out what is open. */
#include "node/keys/keys_internal.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/keys/key_file.h"
#include "proto/key.h"
#include "proto/text.h"

static const char *const labels[KEYS_NAMES] = {
    [KEYS_RECORD] = "record",
    [KEYS_LOG] = "log",
    [KEYS_WITNESS] = "witness",
    [KEYS_MIRROR] = "mirror",
    [KEYS_TRANSPORT] = "transport",
    [KEYS_INBOX] = "inbox",
};

const char *
keys_label(enum keys_name name)
{
	return labels[name];
}

int
keys_path(char *path, const char *folder, const char *label, struct err *err)
{
	if (snprintf(path, PATH_MAX, "%s/%s", folder, label) >= PATH_MAX)
		return err_set(err, ERR_USAGE, "the path of the store is too long");
	return 0;
}

static void
mark_damaged(struct keys *keys, unsigned number, const char *reason)
{
	struct keys_entry *entry = &keys->entries[number];

	entry->damaged = true;
	entry->open = false;
	memset(entry->public_half, 0, sizeof(entry->public_half));
	sodium_memzero(keys->secrets->of[number], KEYS_SIZE);
	(void)snprintf(entry->reason, sizeof(entry->reason), "%s", reason);
}

/* The outside of one file.  Damage is kept in the entry; only trouble with the system fails. */
static int
read_entry(
    struct keys *keys, unsigned number, struct buffer *bytes, struct wrap *wrap, struct err *err)
{
	struct keys_entry *entry = &keys->entries[number];
	char path[PATH_MAX];
	struct err reason = {0};
	int result = keys_path(path, keys->folder, entry->label, err);

	if (result != 0)
		return result;
	buffer_clear(bytes);
	result = key_file_read(bytes, wrap, path, &reason);
	/* Also another version: the format number of the store says that ours is the right one. */
	if (result == ERR_MALFORMED || result == ERR_LIMIT || result == ERR_NOT_FOUND ||
	    result == ERR_VERSION) {
		mark_damaged(keys, number, err_text(&reason));
		return ERR_DAMAGED;
	}
	if (result != 0)
		return err_set(err, (enum err_code)result, "%s", err_text(&reason));
	if (!view_equal(wrap->name, view_text(entry->label)) || wrap->protection != WRAP_KEY ||
	    wrap->public_size != KEYS_SIZE) {
		mark_damaged(keys, number, "it is another key's file");
		return ERR_DAMAGED;
	}
	return 0;
}

static bool
label_of_reader(const char *name)
{
	size_t i;

	if (strcmp(name, "vault") == 0)
		return true;
	if (strncmp(name, "vault-", 6) != 0 || strlen(name) != 14)
		return false;
	for (i = 6; i < 14; i++)
		if (strchr("0123456789abcdef", name[i]) == NULL)
			return false;
	return true;
}

static int
compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct keys_entry *)a)->label, ((const struct keys_entry *)b)->label);
}

/* "vault" sorts before "vault-...". */
static int
find_readers(struct keys *keys, struct err *err)
{
	const struct dirent *found;
	DIR *folder = opendir(keys->folder);

	if (folder == NULL)
		return err_system(err, errno, "%s", keys->folder);
	while ((found = readdir(folder)) != NULL && keys->count < KEYS_ENTRIES) {
		struct keys_entry *entry = &keys->entries[keys->count];

		if (!label_of_reader(found->d_name))
			continue;
		memset(entry, 0, sizeof(*entry));
		(void)snprintf(entry->label, sizeof(entry->label), "%.64s", found->d_name);
		keys->count++;
	}
	(void)closedir(folder);
	qsort(keys->entries + KEYS_NAMES, keys->count - KEYS_NAMES, sizeof(keys->entries[0]),
	    compare_entries);
	return 0;
}

/* Does it take a passphrase?  Where that cannot be read any more, it is damaged. */
static int
read_wrapping(struct keys *keys, struct buffer *bytes, const char *path, struct err *err)
{
	struct wrap wrap;
	int result = key_file_read(bytes, &wrap, path, err);

	keys->wrapping_damaged = result == ERR_MALFORMED || result == ERR_LIMIT ||
	                         result == ERR_VERSION || result == ERR_NOT_FOUND;
	if (result != 0)
		return keys->wrapping_damaged ? 0 : result;
	keys->wrapping_damaged = !view_equal(wrap.name, view_text("wrapping"));
	keys->passphrase = wrap.protection == WRAP_PASSPHRASE;
	(void)snprintf(keys->about, sizeof(keys->about), "%.*s", (int)wrap.about.size,
	    (const char *)wrap.about.data);
	return 0;
}

int
keys_reload(struct keys *keys, struct err *err)
{
	struct buffer bytes;
	struct wrap wrap;
	char path[PATH_MAX];
	unsigned i;
	int result;

	memset(keys->entries, 0, sizeof(keys->entries));
	sodium_memzero(keys->secrets, sizeof(*keys->secrets));
	keys->wrapping_open = false;
	keys->count = KEYS_NAMES;
	for (i = 0; i < KEYS_NAMES; i++)
		(void)snprintf(
		    keys->entries[i].label, sizeof(keys->entries[i].label), "%s", labels[i]);
	result = find_readers(keys, err);
	buffer_init_secret(&bytes, WRAP_FILE_MAX);
	for (i = 0; i < keys->count && result == 0; i++) {
		result = read_entry(keys, i, &bytes, &wrap, err);
		if (result == 0)
			memcpy(keys->entries[i].public_half, wrap.public_half, KEYS_SIZE);
		else if (result == ERR_DAMAGED)
			result = 0;
	}
	buffer_clear(&bytes);
	if (result == 0)
		result = keys_path(path, keys->folder, "wrapping", err);
	if (result == 0)
		result = read_wrapping(keys, &bytes, path, err);
	buffer_fini(&bytes);
	return result;
}

int
keys_open(struct keys **out, const char *store, struct err *err)
{
	struct keys *keys;
	int result;

	*out = NULL;
	if (sodium_init() < 0)
		return err_set(err, ERR_IO, "libsodium cannot start");
	keys = calloc(1, sizeof(*keys));
	if (keys == NULL)
		return err_set(err, ERR_MEMORY, "no memory for keys");
	if (pthread_mutex_init(&keys->lock, NULL) != 0) {
		free(keys);
		return err_set(err, ERR_MEMORY, "no memory for a lock");
	}
	keys->passphrase = true;
	keys->secrets = sodium_malloc(sizeof(*keys->secrets));
	if (keys->secrets == NULL)
		result = err_set(err, ERR_MEMORY, "no memory for keys");
	else
		result = keys_path(keys->folder, store, "keys", err);
	if (result == 0)
		result = keys_reload(keys, err);
	if (result != 0) {
		keys_free(keys);
		return result;
	}
	*out = keys;
	return 0;
}

void
keys_free(struct keys *keys)
{
	if (keys == NULL)
		return;
	sodium_free(keys->secrets);
	(void)pthread_mutex_destroy(&keys->lock);
	free(keys);
}

/* What a reader holds const is the set of keys, not the lock. */
static void
lock(const struct keys *keys)
{
	(void)pthread_mutex_lock((pthread_mutex_t *)(uintptr_t)&keys->lock);
}

static void
unlock(const struct keys *keys)
{
	(void)pthread_mutex_unlock((pthread_mutex_t *)(uintptr_t)&keys->lock);
}

bool
keys_has_passphrase(const struct keys *keys)
{
	bool has;

	lock(keys);
	has = keys->passphrase;
	unlock(keys);
	return has;
}

/* Damaged keys do not count: what can be open is. */
static bool
all_open(const struct keys *keys, unsigned from, unsigned to)
{
	unsigned i;

	for (i = from; i < to; i++)
		if (!keys->entries[i].open && !keys->entries[i].damaged)
			return false;
	return true;
}

enum keys_scope
keys_scope(const struct keys *keys)
{
	enum keys_scope scope = KEYS_SCOPE_NONE;

	lock(keys);
	if (all_open(keys, 0, KEYS_NAMES))
		scope = KEYS_SCOPE_NODE;
	/* A store without reader keys is wholly open only with its wrapping key. */
	if (scope == KEYS_SCOPE_NODE && all_open(keys, KEYS_NAMES, keys->count) &&
	    (keys->count > KEYS_NAMES || keys->wrapping_open))
		scope = KEYS_SCOPE_ALL;
	unlock(keys);
	return scope;
}

int
keys_damage(const struct keys *keys, struct err *err)
{
	int result = 0;
	unsigned i;

	lock(keys);
	if (keys->wrapping_damaged)
		result = err_set(err, ERR_DAMAGED,
		    "the key file %s/wrapping is damaged or gone: no key here can be opened",
		    keys->folder);
	for (i = 0; i < keys->count && result == 0; i++)
		if (keys->entries[i].damaged)
			result = err_set(err, ERR_DAMAGED, "the key file %s/%s is damaged: %s",
			    keys->folder, keys->entries[i].label, keys->entries[i].reason);
	unlock(keys);
	return result;
}

static int
open_wrapping(struct keys *keys, const struct view *passphrase, struct err *err)
{
	struct buffer bytes;
	struct wrap wrap;
	char path[PATH_MAX];
	int result = keys_path(path, keys->folder, "wrapping", err);

	if (result != 0)
		return result;
	buffer_init_secret(&bytes, WRAP_FILE_MAX);
	result = key_file_read(&bytes, &wrap, path, err);
	if (result == ERR_NOT_FOUND)
		result = err_set(err, ERR_DAMAGED,
		    "%s is gone: without it no key of this store can be opened", path);
	else if (result == ERR_MALFORMED || result == ERR_LIMIT || result == ERR_VERSION)
		result = err_set(err, ERR_DAMAGED, "the key file %s is damaged", path);
	else if (result == 0 && !view_equal(wrap.name, view_text("wrapping")))
		result = err_set(err, ERR_DAMAGED, "the key file %s is another key's", path);
	else if (result == 0) {
		result = key_file_open_passphrase(keys->secrets->wrapping, &wrap, passphrase, err);
		if (result == ERR_MALFORMED)
			result = err_set(err, ERR_DAMAGED, "the key file %s is damaged", path);
		else if (result != 0)
			(void)err_wrap(err, "%s", path);
	}
	buffer_fini(&bytes);
	keys->wrapping_open = result == 0;
	return result;
}

static int
open_entry(struct keys *keys, unsigned number, struct buffer *bytes, struct err *err)
{
	struct err reason = {0};
	struct wrap wrap;
	int result;

	if (keys->entries[number].damaged)
		return 0;
	result = read_entry(keys, number, bytes, &wrap, err);
	if (result == ERR_DAMAGED)
		return 0;
	if (result != 0)
		return result;
	result = key_file_open(keys->secrets->of[number], &wrap, keys->secrets->wrapping, &reason);
	if (result == ERR_MEMORY)
		return err_set(err, ERR_MEMORY, "no memory for a key");
	if (result != 0) {
		mark_damaged(keys, number, "it does not open under this store's wrapping key");
		return 0;
	}
	memcpy(keys->entries[number].public_half, wrap.public_half, KEYS_SIZE);
	keys->entries[number].open = true;
	return 0;
}

static void
wipe(struct keys *keys, unsigned from)
{
	unsigned i;

	for (i = from; i < KEYS_ENTRIES; i++) {
		sodium_memzero(keys->secrets->of[i], KEYS_SIZE);
		keys->entries[i].open = false;
	}
	sodium_memzero(keys->secrets->wrapping, WRAP_KEY_SIZE);
	keys->wrapping_open = false;
}

/*
 * Every file is opened, also those that the scope then wipes again, so that damage is named now
 * and not on the day the key is needed.
 */
static int
open_all(struct keys *keys, const struct view *passphrase, enum keys_scope scope, struct err *err)
{
	struct buffer bytes;
	unsigned i;
	int result = keys_reload(keys, err);

	if (result == 0)
		result = open_wrapping(keys, passphrase, err);
	if (result != 0)
		return result;
	buffer_init_secret(&bytes, WRAP_FILE_MAX);
	for (i = 0; i < keys->count && result == 0; i++)
		result = open_entry(keys, i, &bytes, err);
	buffer_fini(&bytes);
	if (result != 0)
		wipe(keys, 0);
	else if (scope == KEYS_SCOPE_NODE)
		wipe(keys, KEYS_NAMES);
	return result;
}

int
keys_unlock(
    struct keys *keys, const struct view *passphrase, enum keys_scope scope, struct err *err)
{
	struct keys *fresh = NULL;
	struct keys_secrets *old;
	char store[PATH_MAX];
	int result;

	if (scope == KEYS_SCOPE_NONE)
		return err_set(err, ERR_USAGE, "nothing to unlock");
	/* Another set is opened, for seconds, while this one goes on serving; then they change. */
	(void)snprintf(store, sizeof(store), "%s", keys->folder);
	*strrchr(store, '/') = '\0';
	result = keys_open(&fresh, store, err);
	if (result == 0)
		result = open_all(fresh, passphrase, scope, err);
	if (result == 0) {
		lock(keys);
		old = keys->secrets;
		memcpy(keys->entries, fresh->entries, sizeof(keys->entries));
		memcpy(keys->about, fresh->about, sizeof(keys->about));
		keys->count = fresh->count;
		keys->secrets = fresh->secrets;
		keys->wrapping_open = fresh->wrapping_open;
		keys->passphrase = fresh->passphrase;
		keys->wrapping_damaged = fresh->wrapping_damaged;
		fresh->secrets = old;
		unlock(keys);
	}
	keys_free(fresh);
	return result;
}

void
keys_lock(struct keys *keys, enum keys_scope keep)
{
	if (keep == KEYS_SCOPE_ALL)
		return;
	lock(keys);
	wipe(keys, keep == KEYS_SCOPE_NODE ? KEYS_NAMES : 0);
	unlock(keys);
}

int
keys_adopt(
    struct keys *keys, const uint8_t *node, const uint8_t *readers, unsigned count, struct err *err)
{
	uint8_t public_half[KEYS_SIZE];
	unsigned i, j;
	int result = 0;

	lock(keys);
	for (i = 0; i < KEYS_NAMES && result == 0; i++) {
		struct keys_entry *entry = &keys->entries[i];

		(void)key_file_public(public_half, view_text(entry->label), node + i * KEYS_SIZE);
		if (memcmp(public_half, entry->public_half, KEYS_SIZE) != 0) {
			if (!entry->damaged)
				result = err_set(err, ERR_REFUSED,
				    "the keys lent are not this store's (%s)", entry->label);
			continue;
		}
		memcpy(keys->secrets->of[i], node + i * KEYS_SIZE, KEYS_SIZE);
		entry->open = true;
	}
	for (i = 0; i < count && result == 0; i++)
		for (j = KEYS_NAMES; j < keys->count; j++) {
			key_x25519_public(public_half, readers + i * 2 * KEYS_SIZE + KEYS_SIZE);
			if (keys->entries[j].damaged ||
			    memcmp(public_half, keys->entries[j].public_half, KEYS_SIZE) != 0)
				continue;
			memcpy(keys->secrets->of[j], readers + i * 2 * KEYS_SIZE + KEYS_SIZE,
			    KEYS_SIZE);
			keys->entries[j].open = true;
		}
	if (result != 0)
		wipe(keys, 0);
	unlock(keys);
	return result;
}

void
keys_public(const struct keys *keys, enum keys_name name, uint8_t public_half[static KEYS_SIZE])
{
	lock(keys);
	memcpy(public_half, keys->entries[name].public_half, KEYS_SIZE);
	unlock(keys);
}

static int
secret_of(const struct keys *keys, unsigned number, uint8_t *secret, struct err *err)
{
	const struct keys_entry *entry = &keys->entries[number];

	if (entry->damaged)
		return err_set(err, ERR_DAMAGED, "the key file %s/%s is damaged: %s", keys->folder,
		    entry->label, entry->reason);
	if (!entry->open)
		return err_set(err, ERR_LOCKED, "the %s key is locked", entry->label);
	memcpy(secret, keys->secrets->of[number], KEYS_SIZE);
	return 0;
}

int
keys_secret(
    const struct keys *keys, enum keys_name name, uint8_t secret[static KEYS_SIZE], struct err *err)
{
	int result;

	lock(keys);
	result = secret_of(keys, name, secret, err);
	unlock(keys);
	return result;
}

int
keys_sign(const struct keys *keys, enum keys_name name, struct view message,
    uint8_t signature[static 64], struct err *err)
{
	uint8_t seed[KEYS_SIZE];
	int result = keys_secret(keys, name, seed, err);

	if (result == 0 && key_sign(signature, seed, "", message) != 0)
		result = err_set(err, ERR_MEMORY, "no memory to sign");
	sodium_memzero(seed, sizeof(seed));
	return result;
}

unsigned
keys_readers(const struct keys *keys)
{
	unsigned count;

	lock(keys);
	count = keys->count - KEYS_NAMES;
	unlock(keys);
	return count;
}

void
keys_reader_public(const struct keys *keys, unsigned reader, uint8_t public_half[static KEYS_SIZE])
{
	lock(keys);
	memset(public_half, 0, KEYS_SIZE);
	if (reader < keys->count - KEYS_NAMES)
		memcpy(public_half, keys->entries[KEYS_NAMES + reader].public_half, KEYS_SIZE);
	unlock(keys);
}

void
keys_reader_label(const struct keys *keys, unsigned reader, char label[static KEYS_LABEL_MAX + 1])
{
	lock(keys);
	label[0] = '\0';
	if (reader < keys->count - KEYS_NAMES)
		memcpy(label, keys->entries[KEYS_NAMES + reader].label, KEYS_LABEL_MAX + 1);
	unlock(keys);
}

int
keys_reader_secret(
    const struct keys *keys, unsigned reader, uint8_t secret[static KEYS_SIZE], struct err *err)
{
	int result = ERR_NOT_FOUND;

	lock(keys);
	if (reader < keys->count - KEYS_NAMES)
		result = secret_of(keys, KEYS_NAMES + reader, secret, err);
	else
		(void)err_set(err, ERR_NOT_FOUND, "there is no such reader key");
	unlock(keys);
	return result;
}

int
keys_reader_find(const struct keys *keys, const uint8_t public_half[static KEYS_SIZE])
{
	int found = ERR_NOT_FOUND;
	unsigned i;

	lock(keys);
	for (i = KEYS_NAMES; i < keys->count && found < 0; i++)
		if (!keys->entries[i].damaged &&
		    memcmp(keys->entries[i].public_half, public_half, KEYS_SIZE) == 0)
			found = (int)(i - KEYS_NAMES);
	unlock(keys);
	return found;
}
