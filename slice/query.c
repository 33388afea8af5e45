#include "slice/query.h"

vc_status vc_error_at_place(vc_error *error, vc_status status, vc_place place)
{
    if (error == NULL) return status;
    if (place.where != NULL && place.is_pointer)
        vc_error_at_pointer(error, "%s", place.where);
    else if (place.where != NULL)
        vc_error_at_offset(error, place.where, place.offset);
    return error->status != VC_OK ? error->status : status;
}

vc_query vc_query_default(void)
{
    return (vc_query){.limit = UINT64_MAX, .is_sparse = true};
}
