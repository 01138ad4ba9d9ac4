/* dalil.conf, by inih, with every key checked. */
#include "node/config.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_MAX_INIH 198 /* inih cuts longer lines in two without a word */

enum value_kind { VALUE_ADDRESS, VALUE_COUNT, VALUE_SIZE };

static const struct known {
	const char *name;
	enum value_kind kind;
	size_t offset;
} known[] = {
    {"listen", VALUE_ADDRESS, offsetof(struct config, listen)},
    {"copies", VALUE_COUNT, offsetof(struct config, copies)},
    {"jurisdictions", VALUE_COUNT, offsetof(struct config, jurisdictions)},
    {"quota", VALUE_SIZE, offsetof(struct config, quota)},
    {"reserve", VALUE_SIZE, offsetof(struct config, reserve)},
    {"rate", VALUE_SIZE, offsetof(struct config, rate)},
};
#define KNOWN (sizeof(known) / sizeof(known[0]))

struct reading {
	struct config *config;
	bool seen[KNOWN];
	char reason[256]; /* of the first trouble */
};

void
config_default(struct config *config)
{
	*config = (struct config){.copies = 3, .jurisdictions = 2, .reserve = (uint64_t)1 << 30};
}

static bool
read_number(uint64_t *number, const char *text, bool units)
{
	static const char letters[] = "KMGT";
	const char *letter;
	unsigned shift = 0;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	if (errno != 0)
		return false;
	if (units && *end != '\0' && (letter = strchr(letters, *end)) != NULL) {
		shift = 10 * (unsigned)(letter - letters + 1);
		end++;
	}
	if (*end != '\0' || *number > ((uint64_t)1 << 62) >> shift)
		return false;
	*number <<= shift;
	return true;
}

/* HOST:PORT, [V6]:PORT or unix:/PATH, as far as one can tell without resolving. */
static bool
address_good(const char *text)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	if (strlen(text) > CONFIG_ADDRESS_MAX)
		return false;
	if (strncmp(text, "unix:/", 6) == 0)
		return true;
	return colon != NULL && colon != text && read_number(&port, colon + 1, false) &&
	       port <= 65535;
}

static const char *
take_value(struct config *config, const struct known *key, const char *value)
{
	uint8_t *to = (uint8_t *)config + key->offset;
	uint64_t number = 0;

	switch (key->kind) {
	case VALUE_ADDRESS:
		if (!address_good(value))
			return "wants HOST:PORT or unix:/PATH";
		memcpy(to, value, strlen(value) + 1);
		return NULL;
	case VALUE_COUNT:
		if (!read_number(&number, value, false) || number < 1 || number > 100)
			return "wants a number from 1 to 100";
		break;
	case VALUE_SIZE:
		if (!read_number(&number, value, true))
			return "wants a number of bytes, with K, M, G or T if you like";
		break;
	}
	memcpy(to, &number, sizeof(number));
	return NULL;
}

/* For inih: 1 if the line is good. It goes on after a bad one and returns the first such line. */
static int
take_line(void *cookie, const char *section, const char *name, const char *value)
{
	struct reading *reading = cookie;
	const char *reason = "is no key of dalil.conf";
	size_t i;

	if (section[0] != '\0')
		reason = "stands in a section, and dalil.conf has none";
	else
		for (i = 0; i < KNOWN; i++)
			if (strcmp(known[i].name, name) == 0) {
				reason = reading->seen[i] ?
				             "is given twice" :
				             take_value(reading->config, &known[i], value);
				reading->seen[i] = true;
				break;
			}
	if (reason == NULL)
		return 1;
	if (reading->reason[0] == '\0')
		(void)snprintf(
		    reading->reason, sizeof(reading->reason), "\"%.64s\" %s", name, reason);
	return 0;
}

/* What inih would misread without saying so; returns the line, or 0. */
static unsigned
find_misread(struct view text, const char **reason)
{
	unsigned line = 1;
	size_t length = 0;
	size_t i;

	for (i = 0; i < text.size; i++) {
		length++;
		if (text.data[i] == '\0') {
			*reason = "a zero byte";
			return line;
		}
		if (length == 1 && (text.data[i] == ' ' || text.data[i] == '\t')) {
			*reason = "a line begins with white space";
			return line;
		}
		if (length > LINE_MAX_INIH) {
			*reason = "the line is too long";
			return line;
		}
		if (text.data[i] == '\n') {
			line++;
			length = 0;
		}
	}
	return 0;
}

int
config_parse(struct config *config, struct view text, struct err *err)
{
	struct reading reading = {.config = config};
	const char *reason = NULL;
	unsigned misread = find_misread(text, &reason);
	char *copy;
	int line;

	config_default(config);
	if (misread != 0)
		return err_set(err, ERR_USAGE, CONFIG_NAME " line %u: %s", misread, reason);
	copy = malloc(text.size + 1);
	if (copy == NULL)
		return err_set(err, ERR_MEMORY, "no memory for " CONFIG_NAME);
	if (text.size > 0)
		memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	line = ini_parse_string(copy, take_line, &reading);
	free(copy);
	if (line < 0)
		return err_set(err, ERR_MEMORY, "no memory for " CONFIG_NAME);
	if (line > 0)
		return err_set(err, ERR_USAGE, CONFIG_NAME " line %d: %s", line,
		    reading.reason[0] != '\0' ? reading.reason : "not KEY = VALUE");
	return 0;
}

static int
load(struct config *config, int fd, const char *path, struct err *err)
{
	uint8_t *bytes = malloc(CONFIG_FILE_MAX + 1);
	size_t size = 0;
	ssize_t got = 1;
	int result;

	if (bytes == NULL)
		return err_set(err, ERR_MEMORY, "no memory for " CONFIG_NAME);
	while (got > 0 && size <= CONFIG_FILE_MAX) {
		got = read(fd, bytes + size, CONFIG_FILE_MAX + 1 - size);
		if (got > 0)
			size += (size_t)got;
	}
	if (got < 0)
		result = err_system(err, errno, "%s", path);
	else if (size > CONFIG_FILE_MAX)
		result = err_set(err, ERR_LIMIT, "%s is too long", path);
	else
		result = config_parse(config, view_of(bytes, size), err);
	free(bytes);
	return result;
}

int
config_load(struct config *config, const char *store, struct err *err)
{
	char path[PATH_MAX];
	int result;
	int fd;

	config_default(config);
	if (snprintf(path, sizeof(path), "%s/" CONFIG_NAME, store) >= PATH_MAX)
		return err_set(err, ERR_USAGE, "the path of the store is too long");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_system(err, errno, "%s", path);
	result = load(config, fd, path, err);
	(void)close(fd);
	return result;
}
