#include "render/content.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

struct accept_case {
    char accept[96];
    int format; /* -1: not acceptable */
};

ParameterizedTestParameters(content, accept)
{
    static struct accept_case cases[] = {
        {"", VC_FORMAT_RECORDS},
        {"  ", VC_FORMAT_RECORDS},
        {"*/*", VC_FORMAT_RECORDS},
        {"application/json", VC_FORMAT_RECORDS},
        {"text/csv", VC_FORMAT_CSV},
        {"TEXT/CSV;charset=utf-8", VC_FORMAT_CSV},
        {"text/plain", VC_FORMAT_TABLE},
        {"text/*", VC_FORMAT_CSV},
        {"application/x-ndjson", VC_FORMAT_NDJSON},
        {"application/*", VC_FORMAT_RECORDS},
        {"text/csv;q=0.5, application/json;q=0.4", VC_FORMAT_CSV},
        {"text/csv;q=0.5,application/json;q=0.5", VC_FORMAT_RECORDS},
        {"text/csv ; q=0.9 , */* ; q=0.1", VC_FORMAT_CSV},
        {"*/*, application/json;q=0", VC_FORMAT_NDJSON},
        {"application/json;q=0.2, */*;q=0.1, text/csv;q=0.1", VC_FORMAT_RECORDS},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", VC_FORMAT_RECORDS},
        {"text/html", -1},
        {"application/json;q=0", -1},
        {"application/json;q=2", -1}, /* malformed ranges count as not there */
        {"application/json;q=", -1},
        {"json", -1},
        {"*/json", -1},
        {",,;", -1},
    };
    return cr_make_param_array(struct accept_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct accept_case *c, content, accept)
{
    vc_error error = {0};
    vc_render_format format = VC_FORMAT_COUNT;
    vc_status status = vc_format_accept(vc_str_of(c->accept), &format, &error);
    if (c->format < 0) {
        cr_assert_eq(status, VC_BAD_INPUT, "%s gave %d", c->accept, (int)format);
        cr_assert_str_eq(error.code, "not_acceptable");
    } else {
        cr_assert_eq(status, VC_OK, "%s: %s", c->accept, error.message);
        cr_assert_eq((int)format, c->format, "%s gave %d", c->accept, (int)format);
    }
}

Test(content, names)
{
    vc_error error = {0};
    vc_render_format format;
    for (int i = 0; i < VC_FORMAT_COUNT; i++) {
        vc_str name = vc_str_of(vc_format_name((vc_render_format)i));
        cr_assert_eq(vc_format_find(name, &format, &error), VC_OK);
        cr_assert_eq((int)format, i);
        cr_assert_not_null(strchr(vc_format_media_type(format), '/'));
        cr_assert_gt(strlen(vc_format_extension(format)), 2);
    }
    cr_assert_eq(vc_format_find(VC_STR("record"), &format, &error), VC_BAD_INPUT);
    cr_assert_str_eq(error.code, "unknown_format");
    cr_assert_str_eq(error.candidates[0], "records");
    cr_assert_not_null(strstr(error.message, "records, arrays, ndjson, csv, table"));
}
