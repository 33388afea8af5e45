#include "slice/query.h"

vc_query vc_query_default(void)
{
    return (vc_query){.limit = UINT64_MAX, .is_sparse = true};
}
