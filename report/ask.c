#include "report/ask.h"

#include "query/body.h"
#include "query/parameters.h"

/* A text as in a URL. Offsets of its errors count in the decoded parameter. */
static vc_status read_url(vc_str text, const char *pointer, vc_arena *arena, vc_query *query_out,
                          vc_error *error)
{
    const vc_parameter *parameters;
    size_t nparameters;
    vc_str kept = vc_arena_str(arena, text);
    if (vc_str_is_null(kept)) return vc_no_memory(error);
    if (kept.size > 0 && kept.data[0] == '?')
        kept = (vc_str){.data = kept.data + 1, .size = kept.size - 1};
    vc_status status = vc_parameters_decode(kept, arena, &parameters, &nparameters, error);
    if (status == VC_OK)
        status = vc_parameters_parse(parameters, nparameters, arena, query_out, error);
    if (status != VC_OK) vc_error_prefix_pointer(error, "%s: ", pointer);
    return status;
}

vc_status vc_report_query(const vc_spec *spec, const vc_spec_query *written,
                          const vc_variables *variables, vc_arena *arena, vc_query *query_out,
                          vc_error *error)
{
    json_t *body = NULL;
    vc_status status = vc_template_expand_query(written->body, variables, arena, &body, error);
    if (status != VC_OK) {
        vc_error_prefix_pointer(error, "%s", written->pointer);
        return status;
    }
    if (json_is_string(body)) {
        status = read_url(vc_json_str(body), written->pointer, arena, query_out, error);
        query_out->cube = spec->cube;
        if (status == VC_OK && vc_str_is_null(spec->cube)) {
            vc_fail(error, VC_BAD_INPUT, "missing_field",
                    "the report has no 'cube', and this query cannot name one");
            vc_error_at_pointer(error, "%s", written->pointer);
            status = VC_BAD_INPUT;
        }
    } else {
        status = vc_body_read(body, written->pointer, spec->cube, arena, query_out, error);
    }
    json_decref(body);
    return status;
}
