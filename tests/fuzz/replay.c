/*
 * Runs a fuzz target over every file of its corpus, and over every prefix and a
 * few bit flips of each, so that the corpus works as an ordinary test.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX ((size_t)1 << 20)
#define PREFIX_MAX ((size_t)4096)

/* The target gets a heap copy of the exact size, so that a sanitizer sees any read past it. */
static void
run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void
run_variants(uint8_t *data, size_t size)
{
	size_t step = size / PREFIX_MAX + 1;
	size_t i;

	run(data, size);
	for (i = 0; i < size; i += step) {
		run(data, i);
		data[i] ^= (uint8_t)(1u << (i % 8));
		run(data, size);
		data[i] ^= (uint8_t)(1u << (i % 8));
	}
}

static int
run_file(const char *directory, const char *name)
{
	static uint8_t data[INPUT_MAX];
	char path[4096];
	size_t size;
	FILE *file;

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return -1;
	file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		return -1;
	}
	size = fread(data, 1, sizeof(data), file);
	(void)fclose(file);
	run_variants(data, size);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct dirent *entry;
	unsigned count = 0;
	DIR *directory;

	if (argc != 2 || (directory = opendir(argv[1])) == NULL) {
		fprintf(stderr, "replay: cannot open the corpus %s\n", argc > 1 ? argv[1] : "");
		return 1;
	}
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (run_file(argv[1], entry->d_name) != 0)
			return 1;
		count++;
	}
	(void)closedir(directory);
	if (count == 0) {
		fprintf(stderr, "replay: the corpus %s is empty\n", argv[1]);
		return 1;
	}
	printf("%u corpus files replayed\n", count);
	return 0;
}
