/* dalil.conf: every key, every refusal with its line, and the example. Defends P4 and P7. */
#include <stdio.h>
#include <stdlib.h>

#include "node/config.h"
#include "tests/unit/vectors.h"

static int
parse(struct config *config, const char *text, struct err *err)
{
	return config_parse(config, view_text(text), err);
}

static void
test_defaults(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(parse(&config, "", NULL), 0);
	assert_string_equal(config.listen, "");
	assert_int_equal(config.copies, 3);
	assert_int_equal(config.jurisdictions, 2);
	assert_int_equal(config.quota, 0);
	assert_int_equal(config.reserve, 1 << 30);
	assert_int_equal(config.rate, 0);
	assert_int_equal(config_load(&config, "/nonexistent", NULL), 0);
	assert_int_equal(config.copies, 3);
}

static void
test_values(void **state)
{
	struct config config;

	(void)state;
	assert_int_equal(parse(&config,
	                     "# a comment\nlisten = [::1]:7411\ncopies=5\njurisdictions = 1\n"
	                     "quota = 2T\nreserve = 0\r\nrate = 512K ; slow\n",
	                     NULL),
	    0);
	assert_string_equal(config.listen, "[::1]:7411");
	assert_int_equal(config.copies, 5);
	assert_int_equal(config.jurisdictions, 1);
	assert_int_equal(config.quota, (uint64_t)2 << 40);
	assert_int_equal(config.reserve, 0);
	assert_int_equal(config.rate, 512 << 10);
	assert_int_equal(parse(&config, "listen = unix:/run/dalil", NULL), 0);
	assert_string_equal(config.listen, "unix:/run/dalil");
}

static void
test_refused(void **state)
{
	static const struct {
		const char *text;
		const char *reason;
	} cases[] = {
	    {"\n\ncopys = 3\n", "line 3: \"copys\" is no key"},
	    {"copies = 3\ncopies = 3\n", "line 2: \"copies\" is given twice"},
	    {"copies = 0\n", "line 1: \"copies\" wants"},
	    {"copies = 101\n", "line 1"},
	    {"copies = -1\n", "line 1"},
	    {"copies = 3x\n", "line 1"},
	    {"copies =\n", "line 1"},
	    {"copies\n", "line 1: not KEY"},
	    {"rate = 1KB\n", "line 1"},
	    {"rate = 9999999999T\n", "line 1"},
	    {"rate = 99999999999999999999999\n", "line 1"},
	    {"listen = 7411\n", "line 1: \"listen\" wants HOST:PORT"},
	    {"listen = :7411\n", "line 1"},
	    {"listen = a:70000\n", "line 1"},
	    {"[node]\ncopies = 3\n", "line 2: \"copies\" stands in a section"},
	    {"copies = 3\n  4\n", "line 2: a line begins with white space"},
	};
	struct config config;
	struct err err;
	size_t i;
	char text[400];

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err = (struct err){0};
		assert_int_equal(parse(&config, cases[i].text, &err), ERR_USAGE);
		if (strstr(err.text, cases[i].reason) == NULL)
			fail_msg("%s: %s", cases[i].text, err.text);
	}
	assert_int_equal(i, 16);
	memset(text, 'x', sizeof(text));
	assert_int_equal(config_parse(&config, view_of(text, sizeof(text)), &err), ERR_USAGE);
	assert_non_null(strstr(err.text, "too long"));
	assert_int_equal(config_parse(&config, view_of("a\0b", 3), &err), ERR_USAGE);
}

/* The example parses as it is, and with every # before a key taken away; its defaults are ours. */
static void
test_example(void **state)
{
	const char *path = getenv("DALIL_EXAMPLE");
	struct config defaults, config;
	struct err err = {0};
	struct view file;
	char *text;
	size_t i;

	(void)state;
	assert_non_null(path);
	file = vectors_file(path);
	assert_int_equal(config_parse(&config, file, &err), 0);
	config_default(&defaults);
	assert_memory_equal(&config, &defaults, sizeof(config));
	text = malloc(file.size);
	assert_non_null(text);
	memcpy(text, file.data, file.size);
	for (i = 0; i + 1 < file.size; i++)
		if (text[i] == '#' && (i == 0 || text[i - 1] == '\n') && text[i + 1] >= 'a' &&
		    text[i + 1] <= 'z')
			memmove(text + i, text + i + 1, --file.size - i);
	assert_int_equal(config_parse(&config, view_of(text, file.size), &err), 0);
	assert_string_equal(config.listen, "0.0.0.0:7411");
	memcpy(defaults.listen, config.listen, sizeof(config.listen));
	assert_memory_equal(&config, &defaults, sizeof(config));
	free(text);
	vectors_free(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
