/* Explanations made by hand, as JSON and as text. */
#include "tests/render/sample.h"

#include "render/explain.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

TestSuite(explain, .timeout = 10);

static vc_explain_step stats_steps[] = {
    {.dimension = {"geo", 3},
     .source_dimension = {"geo", 3},
     .why = "cut+drilldown",
     .how = "range",
     .level = {"region", 6},
     .nleaves = 251,
     .npassing = 113,
     .ngroups = 5},
    {.dimension = {"date", 4},
     .source_dimension = {"date", 4},
     .why = "cut+over",
     .how = "range",
     .nleaves = 34,
     .npassing = 1,
     .ngroups = 1},
};

static vc_explain_step cities_steps[] = {
    {.dimension = {"geo", 3},
     .source_dimension = {"city", 4},
     .why = "cut+drilldown+join",
     .how = "relation",
     .is_mapped = true,
     .through = {"geo.iso2 = city.country_iso", 27},
     .level = {"region", 6},
     .nleaves = 24362,
     .npassing = 9552,
     .ngroups = 5},
    {.dimension = {"kind", 4},
     .source_dimension = {"kind", 4},
     .why = "fix",
     .how = "set",
     .nleaves = 3,
     .npassing = 1,
     .ngroups = 1},
};

static const vc_str pop[] = {{"pop", 3}}, cities_measures[] = {{"cpop", 4}, {"ncities", 7}};

static vc_explain_scan scans[] = {
    {.source = {"stats", 5},
     .rows = {"rows", 4},
     .is_executed = true,
     .steps = stats_steps,
     .nsteps = 2,
     .measures = pop,
     .nmeasures = 1,
     .nsegments = 92,
     .nsegments_skipped = 89,
     .nblocks = 48,
     .nblocks_skipped = 12,
     .nrows = 6001215,
     .nrows_scanned = 147456,
     .nrows_kept = 12345,
     .nbytes = 1234567,
     .ncells = 5,
     .ncells_found = 2,
     .cells = "dense",
     .kernel = "AVX2",
     .nthreads = 1,
     .memory_bytes = 120,
     .ns = 1234567},
    {.source = {"cities", 6},
     .rows = {"rows", 4},
     .is_executed = true,
     .steps = cities_steps,
     .nsteps = 2,
     .measures = cities_measures,
     .nmeasures = 2,
     .nsegments = 1,
     .nblocks = 6,
     .nrows = 24362,
     .nrows_scanned = 24362,
     .nrows_kept = 9552,
     .nbytes = 999950,
     .ncells = UINT64_MAX,
     .ncells_found = 1000,
     .cells = "hashed",
     .kernel = "AVX2",
     .nthreads = 2,
     .memory_bytes = 56000,
     .ns = 12345678},
    {.source = {"stats", 5},
     .rows = {"totals geo", 10},
     .is_derived = true,
     .is_executed = true,
     .measures = pop,
     .nmeasures = 1,
     .ncells = 5,
     .ncells_found = 2,
     .cells = "dense",
     .memory_bytes = 120},
};

static const vc_explain_measure measures[] = {
    {.name = {"pop", 3}, .source = {"stats", 5}, .aggregator = {"sum", 3}},
    {.name = {"cpop", 4}, .source = {"cities", 6}, .aggregator = {"sum", 3}, .policy = "repeat"},
    {.name = {"ncities", 7}, .source = {"cities", 6}, .aggregator = {"count", 5}, .policy = "null"},
    {.name = {"urban", 5}, .expr = {"safe_div(cpop, pop)", 19}},
};

static const vc_explain executed = {.scans = scans,
                                    .nscans = 3,
                                    .measures = measures,
                                    .nmeasures = 4,
                                    .memory_bytes = 56120,
                                    .max_memory_bytes = 1000000000,
                                    .is_executed = true,
                                    .ns = {100000, 13580245, 200000, 50000, 14000000}};

static const vc_explain_head head = {.cube = {"world", 5},
                                     .snapshot = {"1-af0c", 6},
                                     .definition = {"xxh3:00", 7},
                                     .question = {"cube=world&drilldown=geo:region", 31}};

/* The same before it is executed; what only executing shows is set to be left out. */
static vc_explain planned(vc_explain_scan copies[3])
{
    vc_explain explain = executed;
    memcpy(copies, scans, sizeof scans);
    for (size_t i = 0; i < 3; i++)
        copies[i].is_executed = false;
    explain.scans = copies;
    explain.is_executed = false;
    explain.max_memory_bytes = 56000; /* refused */
    return explain;
}

Test(explain, text)
{
    vc_buffer buffer = {0};
    vc_explain_put_text(&buffer, &head, &executed, false);
    assert_golden("explain_executed.txt", &buffer);
    vc_buffer_clear(&buffer);
    vc_explain_put_text(&buffer, &head, &executed, true);
    assert_golden("explain_coloured.txt", &buffer);
    vc_buffer_clear(&buffer);
    vc_explain_scan copies[3];
    vc_explain explain = planned(copies);
    vc_explain_put_text(&buffer, NULL, &explain, false);
    assert_golden("explain_planned.txt", &buffer);
    vc_buffer_release(&buffer);
}

Test(explain, json)
{
    vc_buffer buffer = {0};
    vc_explain_put_document(&buffer, &head, &executed);
    assert_golden("explain_executed.json", &buffer);
    vc_buffer_clear(&buffer);
    vc_explain_scan copies[3];
    vc_explain explain = planned(copies);
    vc_explain_put_json(&buffer, &explain);
    assert_golden("explain_planned.json", &buffer);
    vc_buffer_release(&buffer);
}

Test(explain, nothing_to_explain)
{
    static const vc_explain empty = {0};
    vc_buffer buffer = {0};
    vc_explain_put_text(&buffer, NULL, &empty, false);
    cr_assert_str_eq(vc_buffer_text(&buffer), "executed   no: rows and bytes are bounds\n"
                                              "memory     up to 0 B, limit 0 B\n");
    vc_buffer_release(&buffer);
}

/* Names come from definitions: what could drive a terminal or break JSON does not get through. */
Test(explain, nasty_names)
{
    static const char nasty[] = "a\x1b[31m\"\n\\\xC2\x9B";
    vc_str name = {nasty, sizeof nasty - 1};
    vc_explain_step step = {
        .dimension = name, .source_dimension = name, .why = "join", .level = name, .through = name};
    vc_explain_scan scan = {.source = name,
                            .rows = name,
                            .steps = &step,
                            .nsteps = 1,
                            .measures = &name,
                            .nmeasures = 1};
    vc_explain_measure measure = {.name = name, .source = name, .expr = name};
    vc_explain explain = {.scans = &scan, .nscans = 1, .measures = &measure, .nmeasures = 1};
    vc_explain_head top = {.cube = name, .snapshot = name, .question = name};
    vc_buffer buffer = {0};
    vc_explain_put_text(&buffer, &top, &explain, false);
    cr_assert_null(strchr(vc_buffer_text(&buffer), '\x1b'));
    cr_assert_null(strstr(vc_buffer_text(&buffer), "\xC2\x9B"));
    vc_buffer_clear(&buffer);
    vc_explain_put_document(&buffer, &top, &explain);
    json_t *json = json_loads(vc_buffer_text(&buffer), JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(json);
    cr_assert_str_eq(json_string_value(json_object_get(json, "cube")), nasty);
    json_decref(json);
    vc_buffer_release(&buffer);
}

/* ---- inside an answer ---- */

Test(explain, in_meta)
{
    static const vc_render_format formats[] = {VC_FORMAT_RECORDS, VC_FORMAT_ARRAYS,
                                               VC_FORMAT_NDJSON};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        vc_arena arena = {0};
        vc_buffer buffer = {0};
        vc_result result = sample_golden(&arena);
        for (int has_explain = 0; has_explain < 2; has_explain++) {
            result.explain = has_explain ? &executed : NULL;
            vc_buffer_clear(&buffer);
            render_into(&buffer, &result, formats[i], NULL);
            json_t *json = json_loads(vc_buffer_text(&buffer), JSON_DISABLE_EOF_CHECK, NULL),
                   *explain = json_object_get(json_object_get(json, "meta"), "explain");
            cr_assert_eq(explain != NULL, has_explain, "%s", vc_buffer_text(&buffer));
            cr_assert(!has_explain ||
                      json_array_size(json_object_get(explain, "scans")) == executed.nscans);
            json_decref(json);
        }
        vc_buffer_release(&buffer);
        vc_arena_release(&arena);
    }
}

Test(explain, below_a_table)
{
    vc_arena arena = {0};
    vc_buffer plain = {0}, explained = {0}, alone = {0};
    vc_result result = sample_golden(&arena);
    render_into(&plain, &result, VC_FORMAT_TABLE, NULL);
    result.explain = &executed;
    render_into(&explained, &result, VC_FORMAT_TABLE, NULL);
    vc_explain_put_text(&alone, NULL, &executed, false);
    vc_buffer_put_char(&plain, '\n');
    vc_buffer_put(&plain, alone.data, alone.size);
    cr_assert_str_eq(vc_buffer_text(&explained), vc_buffer_text(&plain));
    vc_buffer_release(&plain);
    vc_buffer_release(&explained);
    vc_buffer_release(&alone);
    vc_arena_release(&arena);
}

Test(explain, csv_has_no_place_for_it)
{
    vc_error error = {0};
    vc_query query = vc_query_default();
    cr_assert_eq(vc_explain_check_format(&query, VC_FORMAT_CSV, &error), VC_OK);
    query.wants_explain = true;
    cr_assert_eq(vc_explain_check_format(&query, VC_FORMAT_CSV, &error), VC_IMPOSSIBLE);
    cr_assert_str_eq(error.code, "unsupported");
    for (int format = 0; format < VC_FORMAT_COUNT; format++)
        if (format != VC_FORMAT_CSV)
            cr_assert_eq(vc_explain_check_format(&query, (vc_render_format)format, &error), VC_OK);
}
