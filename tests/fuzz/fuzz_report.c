/* libFuzzer target: a text becomes the specification of a report, or an error with a place in it;
 * its templates are put together, and its assertions asked of an answer. */
#include "report/assertion.h"
#include "report/spec.h"
#include "report/variables.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const vc_variable_part part = {.name = {"iso2", 4}, .value = {"F|R", 3}};
static const vc_variable variable = {.name = {"country", 7},
                                     .key = {"a:b", 3},
                                     .label = {"A & B", 5},
                                     .path = {"x,a\\:b", 6},
                                     .parts = &part,
                                     .nparts = 1};
static const vc_variables variables = {.items = &variable, .count = 1};

static void check_text(vc_spec_text text, vc_arena *arena)
{
    vc_error error = {0};
    vc_str expanded;
    if (vc_str_is_null(text.text)) return;
    vc_status status = vc_template_expand(text.text, &variables, NULL, arena, &expanded, &error);
    assert(status == VC_OK || (status == VC_BAD_INPUT && error.code != NULL));
    assert(status != VC_OK || vc_utf8_check(expanded, NULL));
    status = vc_template_expand_file(text.text, &variables, arena, &expanded, &error);
    assert(status == VC_OK || status == VC_BAD_INPUT);
}

static void check_assertion(vc_str text, vc_arena *arena)
{
    static const vc_result_measure measure = {
        .name = {"pop", 3}, .type = VC_VALUE_DECIMAL, .scale = 2};
    static const vc_cell cells[2] = {{.as.i = 12345}, {.is_null = true, .reason = 'e'}};
    static const vc_result result = {.nmeasures = 1,
                                     .measures = &measure,
                                     .nrows = 2,
                                     .ndetail_rows = 2,
                                     .cells = cells,
                                     .summary = cells,
                                     .total_cell_count = 2};
    vc_error error = {0};
    vc_str why;
    bool holds;
    vc_status status = vc_assertion_check(text, &result, arena, &holds, &why, &error);
    assert(status == VC_OK || (error.code != NULL && error.message[0] != '\0'));
    assert(status != VC_OK || holds || why.size > 0);
}

static void check_spec(const vc_spec *spec, vc_arena *arena)
{
    check_text(spec->title, arena);
    check_text(spec->file, arena);
    for (size_t i = 0; i < spec->nassertions; i++)
        check_assertion(spec->assertions[i].text, arena);
    for (size_t i = 0; i < spec->nsections; i++) {
        const vc_spec_section *section = &spec->sections[i];
        vc_error error = {0};
        json_t *json;
        assert(section->id.size > 0);
        check_text(section->title, arena);
        for (size_t p = 0; p < section->nparagraphs; p++)
            check_text(section->paragraphs[p], arena);
        if (section->query.body != NULL && vc_template_expand_query(section->query.body, &variables,
                                                                    arena, &json, &error) == VC_OK)
            json_decref(json);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_spec spec;
    json_t *json = NULL;
    vc_str text = {.data = (const char *)data, .size = size};
    if (vc_spec_read(text, "report.json", &arena, &json, &spec, &error) == VC_OK) {
        check_spec(&spec, &arena);
    } else {
        assert(error.status == VC_BAD_INPUT && error.code != NULL && error.message[0] != '\0');
        assert(error.line > 0);
    }
    json_decref(json);
    if (vc_utf8_check(text, NULL) && size < 4096) check_assertion(text, &arena);
    vc_arena_release(&arena);
    return 0;
}
