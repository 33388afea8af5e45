/* Notices where an answer's own format has no room for them. */
#ifndef RENDER_NOTICES_H
#define RENDER_NOTICES_H

#include "base/buffer.h"
#include "slice/result.h"

/* One notice on one line, for people: its sentence, and some of the members it is about. */
void vc_notice_put_text(vc_buffer *buffer, const vc_notice *notice);

#define VC_NOTICES_HEADER 2048 /* bytes at most */

/* All notices as the value of an HTTP header, a list of RFC 9651:
 *
 *     unmatched;source="cities";dim="country";count=1, truncated;count=250
 *
 * Names that are not ASCII are display strings (%"..."). Where there are more than a header should
 * hold it ends in `more;count=N`. Nothing without notices. */
void vc_notices_put_header(vc_buffer *buffer, const vc_result *result);

#endif
