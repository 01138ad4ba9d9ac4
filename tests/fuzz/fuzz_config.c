/* dalil.conf: what is taken is within its ranges, and taken the same again. */
#include <stdlib.h>

#include "node/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config, again;
	struct err err = {0};
	int result;

	if (size > CONFIG_FILE_MAX)
		return 0;
	result = config_parse(&config, view_of(data, size), &err);
	if (result == 0) {
		if (config.copies < 1 || config.copies > 100 || config.jurisdictions < 1 ||
		    config.jurisdictions > 100 || config.quota > (uint64_t)1 << 62 ||
		    memchr(config.listen, '\0', sizeof(config.listen)) == NULL)
			abort();
		if (config_parse(&again, view_of(data, size), NULL) != 0 ||
		    memcmp(&config, &again, sizeof(config)) != 0)
			abort();
	} else if (result != ERR_USAGE || err.text[0] == '\0')
		abort();
	return 0;
}
