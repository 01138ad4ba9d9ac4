/* A line that is let through as an invite, or as a reply to the fixed one, has one form only. */
#include <sodium.h>
#include <stdlib.h>

#include "proto/invite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char invite_line[] =
    "dalil-invite-1-l6dkYWxpbC8xpmludml0ZcQgAQUaQI7nsK_UFgO1rXR_ptTar4q6mUeQ9HSFRh9-vzvEILGe"
    "QEWVkITy57j3wl_K2G7ZZNJ5j1wa2BBR8Ko0nrlDrzEyNy4wLjAuMTo0NzEwMcQg_uhK-Qlfi94aUd6BWwQAO87Z"
    "1RKQhR8w38zewdgj_iDPAAABi8_laAA";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view line = view_of(data, size);
	struct invite_reply reply;
	struct invite invite;
	struct buffer out;

	if (sodium_init() < 0)
		abort();
	buffer_init(&out, INVITE_LINE_MAX);
	if (invite_parse(&invite, line, NULL) == 0 &&
	    (invite_encode(&invite, &out, NULL) != 0 || !view_equal(buffer_view(&out), line)))
		abort();
	buffer_clear(&out);
	if (invite_parse(&invite, view_text(invite_line), NULL) != 0)
		abort();
	if (invite_reply_parse(&reply, line, view_text(invite_line), invite.psk, NULL) == 0 &&
	    (invite_reply_encode(&reply, view_text(invite_line), invite.psk, &out, NULL) != 0 ||
	        !view_equal(buffer_view(&out), line)))
		abort();
	buffer_fini(&out);
	return 0;
}
