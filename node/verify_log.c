/* The tree of a log: does what is here give the roots that were signed? (design 5.4) */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/verify_internal.h"
#include "proto/checkpoint.h"
#include "proto/text.h"

struct log_tree {
	struct archive_log log;
	struct tree tree;
	bool broken; /* an entry could not be read: roots cannot be compared */
	bool has_checkpoint;
	struct checkpoint checkpoint; /* its origin views nothing: only size and root are used */
	bool compared;
};

void
verify_tell(struct verify *verify, const char *format, ...)
{
	char text[ERR_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	verify->summary->other_problems++;
	if (verify->options.found != NULL)
		verify->options.found(verify->options.cookie, text);
}

static void
escape(char *text, size_t room, const char *from)
{
	struct buffer escaped;

	buffer_init(&escaped, room);
	text_escape(&escaped, view_text(from));
	(void)snprintf(text, room, "%.*s", (int)escaped.size,
	    escaped.data == NULL ? "" : (const char *)escaped.data);
	buffer_fini(&escaped);
}

/* The newest checkpoint, signed by the log's own key. */
static int
load_checkpoint(struct log_tree *tree, struct verify *verify, struct err *err)
{
	char origin[2 * ARCHIVE_TEXT];
	struct snapshot *snapshot = NULL;
	struct err why = {.code = 0};
	struct buffer bytes;
	struct vkey vkey;
	struct note note;
	uint64_t size;
	int code = snapshot_begin(verify->archive->storage, &snapshot, err);

	if (code != 0)
		return code;
	buffer_init(&bytes, STORAGE_BYTES_MAX);
	code = snapshot_head_last(snapshot, &bytes, &size, tree->log.log.number, &why);
	snapshot_end(snapshot);
	if (code == 0)
		code = vkey_parse(&vkey, view_text(tree->log.vkey), &why);
	if (code == 0)
		code = checkpoint_open(&tree->checkpoint, &note, buffer_view(&bytes), &vkey, &why);
	buffer_fini(&bytes);
	tree->has_checkpoint = code == 0;
	if (code == 0 || code == ERR_NOT_FOUND)
		return 0;
	if (code == ERR_INDEX || code == ERR_IO || code == ERR_MEMORY)
		return err_set(err, (enum err_code)code, "%s", err_text(&why));
	escape(origin, sizeof(origin), tree->log.origin);
	verify_tell(
	    verify, "the newest checkpoint of %s does not hold: %s", origin, err_text(&why));
	return 0;
}

int
log_tree_new(struct log_tree **result, struct verify *verify, uint32_t log, struct err *err)
{
	struct log_tree *tree = calloc(1, sizeof(*tree));
	int code;

	*result = NULL;
	if (tree == NULL)
		return err_set(err, ERR_MEMORY, "no memory for the tree of a log");
	tree_init(&tree->tree);
	code = archive_log_at(verify->archive, log, &tree->log, err);
	if (code == 0)
		code = load_checkpoint(tree, verify, err);
	if (code != 0)
		free(tree);
	else
		*result = tree;
	return code;
}

static void
compare_root(struct log_tree *tree, struct verify *verify, const uint8_t *root, const char *what)
{
	char origin[2 * ARCHIVE_TEXT];
	uint8_t mine[HASH_SIZE];

	tree_root(&tree->tree, mine);
	if (memcmp(mine, root, HASH_SIZE) == 0)
		return;
	escape(origin, sizeof(origin), tree->log.origin);
	verify_tell(verify, "the first %llu records of %s do not give the root of %s",
	    (unsigned long long)tree->tree.size, origin, what);
}

/* The checkpoint may be of a smaller size than the log. */
static void
compare_checkpoint(struct log_tree *tree, struct verify *verify)
{
	if (tree->broken || tree->compared || !tree->has_checkpoint ||
	    tree->tree.size != tree->checkpoint.size)
		return;
	tree->compared = true;
	compare_root(tree, verify, tree->checkpoint.root, "its signed checkpoint");
}

void
log_tree_add(struct log_tree *tree, struct verify *verify, const struct verify_item *item)
{
	if (!item->readable_entry || item->index != tree->tree.size)
		tree->broken = true;
	else if (!tree->broken && tree_append(&tree->tree, item->id, NULL, NULL) != 0)
		tree->broken = true;
	compare_checkpoint(tree, verify);
}

void
log_tree_finish(struct log_tree *tree, struct verify *verify)
{
	char origin[2 * ARCHIVE_TEXT];

	if (tree == NULL)
		return;
	escape(origin, sizeof(origin), tree->log.origin);
	if (tree->broken)
		verify_tell(verify,
		    "records of %s are damaged, so that its tree cannot be computed", origin);
	else if (tree->tree.size == tree->log.log.size)
		compare_root(tree, verify, tree->log.log.root, "the index");
	if (!tree->broken && tree->has_checkpoint && !tree->compared)
		verify_tell(verify, "%s is signed for %llu records, and %llu are here", origin,
		    (unsigned long long)tree->checkpoint.size, (unsigned long long)tree->tree.size);
	free(tree);
}
