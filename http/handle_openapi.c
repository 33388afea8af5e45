/* GET /v1/openapi.json: the description of the API, which tools/openapi writes. */
#include "http/service.h"

#include <string.h>

/* The file as it is, ended with NUL. Its path is relative to where the compiler is started. */
__asm__(".pushsection .rodata\n"
        ".global vc_openapi_text\n"
        ".type vc_openapi_text, %object\n"
        "vc_openapi_text:\n"
        ".incbin \"http/openapi.json\"\n"
        ".byte 0\n"
        ".size vc_openapi_text, . - vc_openapi_text\n"
        ".popsection\n");

extern const char vc_openapi_text[];

vc_status vc_handle_openapi(vc_call *call, vc_error *error)
{
    static const char *const no_parameters[] = {NULL};
    vc_status status = vc_request_check_parameters(call->request, no_parameters, error);
    if (status != VC_OK) return status;
    if (vc_call_is_known(call, vc_str_of(vc_openapi_text))) return VC_OK;
    vc_buffer_put_text(&call->reply->body, vc_openapi_text);
    call->reply->status = 200;
    call->reply->content_type = VC_JSON_TYPE;
    return VC_OK;
}
