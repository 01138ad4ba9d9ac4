/* The CSV of a deposit: what is read, and what is refused with its line. Defends P7. */
#include "cli/manifest.h"
#include "tests/unit/vectors.h"

static void
expect_cell(const struct manifest *manifest, size_t row, unsigned column, const char *text)
{
	assert_true(row < manifest->row_count && column < manifest->column_count);
	assert_true(
	    view_equal(manifest->cells[row * manifest->column_count + column], view_text(text)));
}

static void
test_good(void **state)
{
	static const char *const texts[] = {
	    "file,Title , DATE,vault.Name\r\na.txt,\"x, \"\"y\"\"\nz\",2017,\r\n\r\nb, t ,,v",
	    ("\xef\xbb\xbf"
	     "file;title;date;vault.Name\na.txt;\"x, \"\"y\"\"\nz\";2017;\n;;;\nb;t;;v\n"),
	    "file\ttitle\tcaptured\tvault.Name\na.txt\t\"x, \"\"y\"\"\nz\"\t2017\nb\tt\t\tv\n",
	};
	struct manifest manifest;
	struct err err = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(manifest_init(&manifest, view_text(texts[i]), &err), 0);
		assert_int_equal(manifest.column_count, 4);
		assert_int_equal(manifest.row_count, 2);
		expect_cell(&manifest, 0, 0, "a.txt");
		expect_cell(&manifest, 0, 1, "x, \"y\"\nz");
		expect_cell(&manifest, 0, 2, "2017");
		expect_cell(&manifest, 0, 3, "");
		expect_cell(&manifest, 1, 1, "t");
		expect_cell(&manifest, 1, 3, "v");
		assert_int_equal(manifest.columns[2].kind, MANIFEST_NAMED);
		assert_string_equal(manifest.columns[2].name, "captured");
		assert_int_equal(manifest.columns[3].kind, MANIFEST_VAULT);
		assert_string_equal(manifest.columns[3].name, "Name");
		manifest_fini(&manifest);
	}
}

static void
test_refused(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
	    {"", "the manifest is empty"},
	    {"title\nx\n", "manifest: no header says file"},
	    {"file,title,Title\n", "manifest: the header title stands twice"},
	    {"file,date,captured\n", "manifest: the header captured stands twice"},
	    {"file,\na\n", "manifest: a header is empty or longer than 64 bytes"},
	    {"file\na,b\n", "manifest line 2: more cells than headers"},
	    {"file,title\n,x\n", "manifest line 2: no file is named"},
	    {"file\na\n\"b\n", "manifest line 3: a quote is never closed"},
	    {"file\n\"a\"b\n", "manifest line 2: text behind a closing quote"},
	    {"file\n\xff\n",
	        "the manifest is not UTF-8 text: save it as \"CSV UTF-8\" and try again"},
	};
	struct manifest manifest;
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		err = (struct err){0};
		assert_int_equal(
		    manifest_init(&manifest, view_text(cases[i].text), &err), ERR_USAGE);
		assert_string_equal(err.text, cases[i].why);
		manifest_fini(&manifest);
	}
	assert_int_equal(manifest_init(&manifest, view_text("file,colour\n"), &err), ERR_USAGE);
	assert_non_null(strstr(err.text, "the header colour is unknown"));
	manifest_fini(&manifest);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
