/* Every reason in every format: at a detail row, at the row of others, at a total and in the
 * summary; and rows that are no member of the data are marked, not only named. */
#include "tests/render/sample.h"

#include "render/notices.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

static const char all[] = "euxgdncra";
static const char present[] = "ra"; /* beside a value */

/* "geo" with a member A, a bucket and the others, and a grand total; one measure, all of one
 * reason. */
static vc_result sample_of(char reason)
{
    static const vc_str keys[3] = {{"A", 1}, {"(unmatched:x)", 13}, {"(other)", 7}};
    static const vc_result_member members[3] = {
        {.keys = &keys[0], .labels = &keys[0]},
        {.keys = &keys[1], .labels = &keys[1], .is_synthetic = true},
        {.keys = &keys[2], .labels = &keys[2], .is_other = true}};
    static const vc_result_level level = {
        {"geo.land", 8}, {"geo.land_label", 14}, {"land", 4}, 0, true};
    static const vc_result_axis axis = {.dimension = {"geo", 3},
                                        .ref = {"geo", 3},
                                        .nlevels = 1,
                                        .levels = &level,
                                        .nmembers = 3,
                                        .members = members};
    static const vc_result_measure measure = {.name = {"m", 1}, .type = VC_VALUE_INT};
    static const uint32_t coords[4] = {0, 1, 2, VC_NONE}, grouping[4] = {0, 0, 0, 1};
    static vc_cell cells[5];
    for (size_t i = 0; i < 5; i++)
        cells[i] =
            (vc_cell){.as.i = 7, .is_null = strchr(present, reason) == NULL, .reason = reason};
    return (vc_result){.cube = VC_STR("c"),
                       .naxes = 1,
                       .axes = &axis,
                       .nmeasures = 1,
                       .measures = &measure,
                       .nrows = 4,
                       .ndetail_rows = 3,
                       .coords = coords,
                       .cells = cells,
                       .grouping = grouping,
                       .summary = &cells[4],
                       .total_cell_count = 3};
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        n++;
    return n;
}

static void render(char reason, vc_render_format format, vc_buffer *out)
{
    vc_result result = sample_of(reason);
    vc_render_options options = {.has_status = true};
    render_into(out, &result, format, &options);
    vc_buffer_text(out);
}

static void expect(char reason, vc_render_format format, const char *pattern, size_t times)
{
    char part[96];
    vc_buffer text = {0};
    snprintf(part, sizeof part, pattern, reason);
    render(reason, format, &text);
    cr_expect_eq(count(text.data, part), times, "%s: '%s' not %zu times in\n%s",
                 vc_format_name(format), part, times, text.data);
    vc_buffer_release(&text);
}

ParameterizedTestParameters(reasons, everywhere)
{
    return cr_make_param_array(char, (char *)all, sizeof all - 1);
}

ParameterizedTest(char *reason, reasons, everywhere)
{
    bool is_null = strchr(present, *reason) == NULL;
    const char *json =
        is_null ? "\"m\":null,\"_status\":{\"m\":\"%c\"}" : "\"m\":7,\"_status\":{\"m\":\"%c\"}";
    expect(*reason, VC_FORMAT_RECORDS, json, 5);
    expect(*reason, VC_FORMAT_NDJSON, json, 5);
    expect(*reason, VC_FORMAT_ARRAYS, json, 1);
    expect(*reason, VC_FORMAT_ARRAYS,
           "\"status\":{\"0,2\":\"%1$c\",\"1,2\":\"%1$c\",\"2,2\":\"%1$c\",\"3,2\":\"%1$c\"}", 1);
    expect(*reason, VC_FORMAT_CSV, ",%c\r\n", 4);
    expect(*reason, VC_FORMAT_TABLE, is_null ? "\xE2\x80\x93 %c\n" : "7 %c\n", 4);
    expect(*reason, VC_FORMAT_TABLE, "\n%c = ", 1); /* what the letter means */
}

Test(reasons, rows_are_marked)
{
    expect(0, VC_FORMAT_RECORDS, "\"_other\":[\"geo\"]", 1);
    expect(0, VC_FORMAT_RECORDS, "\"_synthetic\":[\"geo\"]", 1);
    expect(0, VC_FORMAT_NDJSON, "\"_other\":[\"geo\"]", 1);
    expect(0, VC_FORMAT_ARRAYS, "\"_synthetic\",\"_other\"]", 1);
    expect(0, VC_FORMAT_ARRAYS, "[\"(other)\",\"(other)\",7,0,null,[\"geo\"]]", 1);
    expect(0, VC_FORMAT_ARRAYS, "[\"A\",\"A\",7,0,null,null]", 1);
    expect(0, VC_FORMAT_CSV, ",m,grouping,_synthetic,_other,m_status\r\n", 1);
    expect(0, VC_FORMAT_CSV, "(unmatched:x),(unmatched:x),7,0,geo,,\r\n", 1);
    expect(0, VC_FORMAT_CSV, "(other),(other),7,0,,geo,\r\n", 1);
    expect(0, VC_FORMAT_TABLE, "(other) *", 1);
    expect(0, VC_FORMAT_TABLE, "(unmatched:x) +", 1);
    expect(0, VC_FORMAT_TABLE, "* = all the others together; + = keys without a match", 1);
}

Test(reasons, calculated_rows_are_marked)
{
    static const struct {
        vc_render_format format;
        const char *part;
    } cases[] = {{VC_FORMAT_RECORDS, "\"m\":7,\"_calculated\":[\"geo\"]}"},
                 {VC_FORMAT_ARRAYS, "\"_synthetic\",\"_other\",\"_calculated\"]"},
                 {VC_FORMAT_ARRAYS, "[\"A\",\"A\",7,0,null,null,[\"geo\"]]"},
                 {VC_FORMAT_CSV, ",m,grouping,_synthetic,_other,_calculated\r\n"},
                 {VC_FORMAT_CSV, "A,A,7,0,,,geo\r\n"},
                 {VC_FORMAT_TABLE, "A ^"},
                 {VC_FORMAT_TABLE, "^ = calculated, in no total"}};
    vc_result result = sample_of(0);
    vc_result_axis axis = *result.axes;
    vc_result_member members[3];
    vc_cell cells[5] = {{.as.i = 7}};
    memcpy(members, axis.members, sizeof members);
    members[0].is_calculated = true;
    axis.members = members;
    result.axes = &axis;
    result.cells = cells;
    result.summary = &cells[4];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vc_buffer text = {0};
        vc_render_options options = {0};
        render_into(&text, &result, cases[i].format, &options);
        cr_expect_eq(count(vc_buffer_text(&text), cases[i].part), 1, "no '%s' in\n%s",
                     cases[i].part, text.data);
        vc_buffer_release(&text);
    }
}

/* ---- calculated members ---- */

static void expect_table(const vc_result *result, const char *expected)
{
    vc_buffer text = {0};
    vc_render_options options = {0};
    render_into(&text, result, VC_FORMAT_TABLE, &options);
    cr_expect_neq(count(vc_buffer_text(&text), expected), 0, "no '%s' in\n%s", expected, text.data);
    vc_buffer_release(&text);
}

/* A ratio of whole numbers is not rounded to one, nor written in the format of the measure, where
 * the calculated member has another unit. */
Test(reasons, calculated_members_have_units_and_formats_of_their_own)
{
    vc_result result = sample_of(0);
    vc_result_axis axis = *result.axes;
    vc_result_member members[3] = {axis.members[0], axis.members[1], axis.members[0]};
    vc_result_measure measure = {
        .name = VC_STR("m"), .unit = VC_STR("EUR"), .format = VC_STR("#,##0 EUR")};
    vc_result_calculated ratio = {
        .dimension = axis.dimension, .name = VC_STR("A"), .format = VC_STR("0.0%")};
    vc_cell cells[5] = {{.as.f = 2.125, .is_float = true}, {.as.i = 7}, {.as.i = 8}, {.as.i = 9}};
    members[0].is_calculated = true;
    axis.members = members;
    result.axes = &axis;
    result.measures = &measure;
    result.cells = cells;
    result.calculated = &ratio;
    result.ncalculated = 1;
    expect_table(&result, "212.5%");
    expect_table(&result, "m (EUR)");
    expect_table(&result, "7 EUR");
    ratio.format = (vc_str){0};
    expect_table(&result, "2.125\n");
    ratio.keeps_unit = true;
    expect_table(&result, "2 EUR");
    measure.format = (vc_str){0};
    expect_table(&result, "2.125\n");
    ratio = (vc_result_calculated){
        .dimension = VC_STR("scenario"), .name = VC_STR("A"), .unit = VC_STR("share")};
    expect_table(&result, "m (share)"); /* the cut stands at it, so all rows do */
}

/* ---- notices ---- */

Test(reasons, notices_as_a_header)
{
    vc_notice notices[200] = {{.code = "unmatched",
                               .source = VC_STR("c\"i"),
                               .dimension = VC_STR("L\xC3\xA4nder%"),
                               .has_count = true,
                               .count = 3},
                              {.code = "truncated"}};
    vc_result result = {.notices = notices, .nnotices = 2};
    vc_buffer text = {0};
    vc_notices_put_header(&text, &result);
    cr_assert_str_eq(vc_buffer_text(&text), "unmatched;source=\"c\\\"i\";dim=%\"L%c3%a4nder%25\""
                                            ";count=3, truncated");
    for (size_t i = 1; i < 200; i++)
        notices[i] = (vc_notice){.code = "overlap", .has_count = true, .count = 1000000 + i};
    result.nnotices = 200;
    vc_buffer_clear(&text);
    vc_notices_put_header(&text, &result);
    cr_assert_lt(text.size, VC_NOTICES_HEADER);
    unsigned more;
    const char *end = strstr(vc_buffer_text(&text), "more;count=");
    cr_assert(end != NULL && sscanf(end, "more;count=%u", &more) == 1);
    cr_assert_eq(count(text.data, "overlap") + 1 + more, 200);
    result.nnotices = 0;
    vc_buffer_clear(&text);
    vc_notices_put_header(&text, &result);
    cr_assert_eq(text.size, 0);
    vc_buffer_release(&text);
}
