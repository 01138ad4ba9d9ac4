#ifndef DALIL_NODE_CONFIG_H
#define DALIL_NODE_CONFIG_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: STORE/dalil.conf (design 5.6): an INI file without sections.  docs/dalil.conf.example
 * and dalil.conf(5) say every key with its default.  An unknown key, a key given twice, or a value
 * out of range is refused with its line: a misspelt limit must not be no limit.
 *
 * Sizes are in bytes; the file takes K, M, G and T (powers of 1,024).
 */

#define CONFIG_NAME "dalil.conf"
#define CONFIG_ADDRESS_MAX 255
#define CONFIG_FILE_MAX 65536

struct config {
	char listen[CONFIG_ADDRESS_MAX + 1]; /* HOST:PORT or unix:/PATH; "": dalild only dials */
	uint64_t copies;                     /* wanted of every exhibit, ours included: 1 to 100 */
	uint64_t jurisdictions;              /* countries that they should lie in: 1 to 100 */
	uint64_t quota;   /* bytes of payload kept for one other organisation; 0: no limit */
	uint64_t reserve; /* bytes that stay free on our disk: below that nothing is pulled */
	uint64_t rate;    /* bytes a second sent to all peers together; 0: no limit */
};

void config_default(struct config *config);
/* ERR_USAGE with the line. */
int config_parse(struct config *config, struct view text, struct err *err);
/* STORE/dalil.conf; without the file, the defaults. */
int config_load(struct config *config, const char *store, struct err *err);

#endif
