/*
 * Makes what the benchmark measures with, the same bytes at every run: nothing in them can be
 * compressed or found twice, as in photographs, recordings and scans.
 *
 *	corpora media FILE MIB		one long recording
 *	corpora documents DIR COUNT	documents of 4 to 60 KiB, a hundred to a folder
 */
#include <err.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK ((size_t)1 << 20)
#define DOCUMENT_MIN 4096
#define DOCUMENT_MAX 61440
#define FOLDER 100

static void
make_bytes(uint8_t *bytes, size_t size, const char *what, uint64_t number)
{
	uint8_t key[crypto_stream_chacha20_KEYBYTES] = {0};
	uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];

	(void)snprintf((char *)key, sizeof(key), "benchmark %s", what);
	memcpy(nonce, &number, sizeof(nonce));
	(void)crypto_stream_chacha20(bytes, size, nonce, key);
}

static void
write_or_die(const uint8_t *bytes, size_t size, FILE *file, const char *path)
{
	if (fwrite(bytes, 1, size, file) != size)
		err(1, "%s", path);
}

static FILE *
open_or_die(const char *path)
{
	FILE *file = fopen(path, "wb");

	if (file == NULL)
		err(1, "%s", path);
	return file;
}

static void
make_media(const char *path, uint64_t mib)
{
	static const uint8_t start[] = {0, 0, 0, 0x18, 'f', 't', 'y', 'p', 'm', 'p', '4', '2', 0, 0,
	    0, 0, 'm', 'p', '4', '2', 'i', 's', 'o', 'm'};
	uint8_t *block = malloc(BLOCK);
	FILE *file = open_or_die(path);
	uint64_t i;

	if (block == NULL)
		errx(1, "no memory");
	for (i = 0; i < mib; i++) {
		make_bytes(block, BLOCK, "media", i);
		if (i == 0)
			memcpy(block, start, sizeof(start));
		write_or_die(block, BLOCK, file, path);
	}
	if (fclose(file) != 0)
		err(1, "%s", path);
	free(block);
}

static void
make_document(const char *folder, uint64_t number)
{
	static const char start[] = "%PDF-1.4\n";
	static uint8_t bytes[DOCUMENT_MAX];
	uint64_t choice;
	size_t size;
	char path[512];
	FILE *file;

	make_bytes(bytes, sizeof(bytes), "documents", number);
	memcpy(&choice, bytes + sizeof(start), sizeof(choice));
	size = DOCUMENT_MIN + (size_t)(choice % (DOCUMENT_MAX - DOCUMENT_MIN + 1));
	memcpy(bytes, start, sizeof(start) - 1);
	(void)snprintf(
	    path, sizeof(path), "%s/%04llu", folder, (unsigned long long)number / FOLDER);
	(void)mkdir(path, 0700);
	(void)snprintf(path, sizeof(path), "%s/%04llu/document-%06llu.pdf", folder,
	    (unsigned long long)number / FOLDER, (unsigned long long)number);
	file = open_or_die(path);
	write_or_die(bytes, size, file, path);
	if (fclose(file) != 0)
		err(1, "%s", path);
}

int
main(int argc, char **argv)
{
	uint64_t number;
	uint64_t count;

	if (argc != 4 || sodium_init() < 0) {
		(void)fprintf(stderr, "usage: corpora media FILE MIB | documents DIR COUNT\n");
		return 2;
	}
	count = strtoull(argv[3], NULL, 10);
	if (strcmp(argv[1], "media") == 0) {
		make_media(argv[2], count);
		return 0;
	}
	(void)mkdir(argv[2], 0700);
	for (number = 0; number < count; number++)
		make_document(argv[2], number);
	return 0;
}
