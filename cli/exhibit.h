#ifndef DALIL_CLI_EXHIBIT_H
#define DALIL_CLI_EXHIBIT_H

#include "cli/output.h"
#include "cli/session.h"

/*
 * Purpose: one exhibit as users see it: the JSON object of `list`, `show` and `find`, and its lines.
 * A field that this node cannot read is absent, never empty.
 */

/* What the exhibits of one log have in common; looked up once a log and kept. */
struct exhibit_logs {
	struct archive *archive;
	struct archive_log last;
	bool known;
};

/* Copies of an exhibit that are known of: this store's own, where the payload is whole. */
unsigned exhibit_copies(const struct archive_exhibit *exhibit);

/* The object; the caller prints and releases it with output_json.  NULL if memory is gone. */
json_t *exhibit_json(struct exhibit_logs *logs, const struct archive_exhibit *exhibit);
/* One line for a list, from that object. */
void exhibit_print_line(const json_t *object);
/* All that is known, a line each, from that object and the rest of the fields. */
void exhibit_print(const json_t *object, const struct archive_exhibit *exhibit);

/* The first text of a field that may be a list; empty where it is absent. */
struct view exhibit_text(const struct fields *fields, unsigned slot);
/* Does the field hold this text, alone or in its list? */
bool exhibit_has_text(const struct fields *fields, unsigned slot, struct view text);

#endif
