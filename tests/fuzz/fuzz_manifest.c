/* Every cell of a manifest that is let through lies within its text. */
#include <stdlib.h>

#include "cli/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest manifest;

	if (manifest_init(&manifest, view_of(data, size), NULL) == 0) {
		size_t count = manifest.row_count * manifest.column_count;
		size_t i;

		for (i = 0; i < count; i++) {
			struct view cell = manifest.cells[i];

			if (cell.size > 0 && (cell.data < manifest.text || cell.size > size ||
			                         cell.data + cell.size > manifest.text + size))
				abort();
		}
	}
	manifest_fini(&manifest);
	return 0;
}
