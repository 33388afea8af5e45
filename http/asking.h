/* What the handlers of queries share. */
#ifndef HTTP_ASKING_H
#define HTTP_ASKING_H

#include "http/service.h"
#include "slice/query.h"
#include "slice/result.h"

/* Is there a body that says that it is JSON, and no parameter beside it? A form on a web page can
 * send text/plain anywhere, but not JSON: so nothing else is taken. VC_BAD_INPUT, codes
 * "unsupported_media_type" and "unknown_parameter". */
vc_status vc_asking_check_body(const vc_request *request, vc_error *error);

/* Rows of the answer at most: one per combination of members, and one per fact. */
uint64_t vc_asking_bound_rows(const vc_cube *cube, const vc_query *query);

/* The notices of an answer as a header: CSV has no other place for them. VC_NO_MEMORY. */
vc_status vc_asking_tell_notices(vc_reply *reply, const vc_result *result, vc_error *error);

#endif
