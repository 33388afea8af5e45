#include "render/coverage.h"

void vc_coverage_put_counts(vc_json_writer *json, const vc_coverage *counts)
{
    vc_json_put_uint(json, "keys", counts->keys);
    vc_json_put_uint(json, "matched", counts->keys_matched);
    vc_json_put_uint(json, "members", counts->members);
    vc_json_put_uint(json, "members_matched", counts->members_matched);
    vc_json_put_uint(json, "primary_members", counts->primary_members);
    vc_json_put_uint(json, "primary_matched", counts->primary_matched);
    vc_json_put_uint(json, "excluded", counts->excluded);
}

void vc_coverage_put_json(vc_json_writer *json, const vc_result_coverage *coverage)
{
    vc_coverage_put_counts(json, &coverage->counts);
    vc_json_begin(json, "value_share", '{');
    for (size_t m = 0; m < coverage->nshares; m++) {
        if (json->has_before) vc_buffer_put_char(json->out, ',');
        vc_buffer_put_json(json->out, coverage->shares[m].measure); /* which may be escaped */
        vc_buffer_put_char(json->out, ':');
        if (coverage->shares[m].is_known)
            vc_buffer_put_double(json->out, coverage->shares[m].share);
        else
            vc_buffer_put_text(json->out, "null");
        json->has_before = true;
    }
    vc_json_end(json, '}');
}
