#ifndef DALIL_CLI_FILE_H
#define DALIL_CLI_FILE_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: small files whole, and file names made of text from others, which is never used as a path.
 */

/* Append the whole file to ${out}, whose limit bounds it; "-" is standard input. */
int file_read(struct buffer *out, const char *path, struct err *err);
/* Written beside, synced, renamed: whole or not at all, mode 0600.  ERR_EXISTS unless ${overwrite}; "-" is standard
 * output. */
int file_write(const char *path, struct view bytes, bool overwrite, struct err *err);
int file_write_stdout(struct view bytes, struct err *err);
/* Is there FOLDER/NAME? */
bool file_exists(const char *folder, const char *name);
/*
 * A file name that means nothing to a shell or a system: letters, digits, '.', '-', '_' and what
 * is above ASCII stay, the rest becomes '_'; no leading dot or hyphen, at most 100 bytes, never empty.
 */
void file_safe_name(char *name, size_t size, struct view text);

#endif
