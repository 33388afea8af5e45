#include "tests/render/sample.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEW(type, count) VC_ARENA_NEW(arena, type, count)

static vc_cell number(double value)
{
    return (vc_cell){.as.f = value};
}

static vc_cell whole(int64_t value)
{
    return (vc_cell){.as.i = value};
}

static vc_cell null_cell(char reason)
{
    return (vc_cell){.is_null = true, .reason = reason};
}

static vc_cell marked(vc_cell cell, char reason)
{
    cell.reason = reason;
    return cell;
}

/* property  its values, with '|' between them */
static vc_result_member member_of(vc_arena *arena, size_t nlevels, const char *const *keys,
                                  const char *const *labels, const char *property)
{
    vc_str *key_texts = NEW(vc_str, nlevels), *label_texts = NEW(vc_str, nlevels);
    vc_str *values = NEW(vc_str, 8), rest = vc_str_of(property);
    vc_result_values *properties = NEW(vc_result_values, 1);
    for (size_t l = 0; l < nlevels; l++) {
        key_texts[l] = vc_str_of(keys[l]);
        label_texts[l] = vc_str_of(labels[l]);
    }
    properties->items = values;
    while (!vc_str_is_null(rest))
        values[properties->count++] = vc_str_split(&rest, '|');
    return (vc_result_member){.keys = key_texts, .labels = label_texts, .properties = properties};
}

static vc_result_axis *golden_axis(vc_arena *arena)
{
    static const vc_result_level level = {
        {"country.country", 15}, {"country.country_label", 21}, {"country", 7}, VC_KEY_TEXT, true};
    static const vc_result_property property = {
        .name = {"country.capital", 15}, .source = {"towns", 5}, .is_multi = true};
    static const char *const rows[][3] = {{"FR", "France", "Paris"},
                                          {"DE", "Germany", "Berlin|Bonn; am Rhein"},
                                          {"US", "United States", "Washington, \"D.C.\""},
                                          {"XK", "Kosovo", NULL},
                                          {"JP", "Japan\x1b[31m", "T\xC5\x8Dky\xC5\x8D"}};
    vc_result_member *members = NEW(vc_result_member, 5);
    for (size_t i = 0; i < 5; i++)
        members[i] = member_of(arena, 1, &rows[i][0], &rows[i][1], rows[i][2]);
    vc_result_axis *axis = NEW(vc_result_axis, 1);
    *axis = (vc_result_axis){.dimension = VC_STR("country"),
                             .ref = VC_STR("country"),
                             .label = VC_STR("Country"),
                             .nlevels = 1,
                             .levels = &level,
                             .nproperties = 1,
                             .properties = &property,
                             .nmembers = 5,
                             .members = members};
    return axis;
}

static vc_result_measure *golden_measures(vc_arena *arena)
{
    vc_result_measure *m = NEW(vc_result_measure, 4);
    m[0] = (vc_result_measure){.name = VC_STR("pop"),
                               .label = VC_STR("Population"),
                               .unit = VC_STR("million"),
                               .format = VC_STR("#,##0.0"),
                               .type = VC_VALUE_DECIMAL,
                               .scale = 1,
                               .source = VC_STR("stats"),
                               .aggregator = VC_AGG_SUM};
    m[1] = (vc_result_measure){.name = VC_STR("cpop"),
                               .type = VC_VALUE_DECIMAL,
                               .scale = 1,
                               .source = VC_STR("cities"),
                               .aggregator = VC_AGG_SUM};
    m[2] = (vc_result_measure){.name = VC_STR("cities"),
                               .type = VC_VALUE_INT,
                               .source = VC_STR("cities"),
                               .aggregator = VC_AGG_COUNT_DISTINCT};
    m[3] = (vc_result_measure){.name = VC_STR("urban"),
                               .label = VC_STR("=Urban, share"),
                               .format = VC_STR("0.0%"),
                               .type = VC_VALUE_FLOAT,
                               .is_calculated = true};
    return m;
}

static void add_golden_quality(vc_arena *arena, vc_result *result)
{
    vc_value_share *share = NEW(vc_value_share, 2);
    share[0] = (vc_value_share){VC_STR("cpop"), 16.7 / 16.8, true};
    share[1] = (vc_value_share){VC_STR("cities"), 0, false};
    vc_result_coverage *coverage = NEW(vc_result_coverage, 1);
    *coverage = (vc_result_coverage){.source = VC_STR("cities"),
                                     .dimension = VC_STR("country"),
                                     .counts = {.keys = 7,
                                                .keys_matched = 6,
                                                .members = 7,
                                                .members_matched = 6,
                                                .primary_members = 5,
                                                .primary_matched = 4},
                                     .nshares = 2,
                                     .shares = share};
    vc_str *members = NEW(vc_str, 2);
    members[0] = VC_STR("FR");
    members[1] = VC_STR("F\"X");
    vc_notice *notices = NEW(vc_notice, 2);
    notices[0] = (vc_notice){.code = "unmatched",
                             .source = VC_STR("cities"),
                             .dimension = VC_STR("country"),
                             .message = VC_STR("1 member of cities has no country"),
                             .has_count = true,
                             .count = 1};
    notices[1] = (vc_notice){.code = "overlap",
                             .message = VC_STR("members share facts"),
                             .nmembers = 2,
                             .members = members};
    result->coverage = coverage;
    result->ncoverage = 1;
    result->notices = notices;
    result->nnotices = 2;
}

vc_result sample_golden(vc_arena *arena)
{
    enum { ROWS = 6, MEASURES = 4 };
    vc_cell rows[ROWS][MEASURES] = {
        {whole(680), whole(26), whole(2), number(2.6 / 68)},
        {whole(840), whole(56), whole(2), number(5.6 / 84)},
        {whole(3330), whole(83), whole(1), number(8.3 / 333)},
        {whole(18), whole(2), whole(1), number(0.2 / 1.8)},
        {whole(1250), null_cell('u'), null_cell('u'), null_cell('u')},
        {whole(6118), whole(167), whole(6), number(16.7 / 611.8)},
    };
    vc_cell *cells = NEW(vc_cell, ROWS * MEASURES);
    memcpy(cells, rows, sizeof rows);
    uint32_t *coords = NEW(uint32_t, ROWS), *grouping = NEW(uint32_t, ROWS);
    for (uint32_t i = 0; i < ROWS; i++)
        coords[i] = i;
    coords[5] = VC_NONE;
    grouping[5] = 1;
    vc_result result = {.cube = VC_STR("golden_left"),
                        .snapshot = VC_STR("42-9f3c"),
                        .definition_hash = VC_STR("xxh3:00ff"),
                        .naxes = 1,
                        .axes = golden_axis(arena),
                        .nmeasures = MEASURES,
                        .measures = golden_measures(arena),
                        .nrows = ROWS,
                        .ndetail_rows = 5,
                        .coords = coords,
                        .cells = cells,
                        .grouping = grouping,
                        .summary = cells + (ROWS - 1) * MEASURES,
                        .total_cell_count = 5,
                        .is_virtual = true};
    add_golden_quality(arena, &result);
    return result;
}

vc_result sample_total(vc_arena *arena)
{
    vc_result result = sample_golden(arena);
    result.naxes = 0;
    result.coords = NEW(uint32_t, 1);
    result.grouping = NEW(uint32_t, 1);
    result.cells = result.summary;
    result.nrows = result.ndetail_rows = result.total_cell_count = 1;
    return result;
}

static vc_result_axis *wide_axes(vc_arena *arena)
{
    static const vc_result_level geo_levels[] = {
        {{"geo.region", 10}, {"geo.region_label", 16}, {"region", 6}, VC_KEY_TEXT, false},
        {{"geo.country", 11}, {"geo.country_label", 17}, {"country", 7}, VC_KEY_TEXT, true}};
    static const vc_result_level year = {
        {"date@std.year", 13}, {"date@std.year_label", 19}, {"year", 4}, VC_KEY_INT, true};
    static const char *const geo[][4] = {{"EU", "FR", "Europe", "France"},
                                         {"EU", NULL, "Europe", NULL},
                                         {NULL, "(unmatched:cities)", NULL, "(unmatched:cities)"}};
    static const char *const years[] = {"2020", "007", "-5", "2020"};
    vc_result_axis *axes = NEW(vc_result_axis, 2);
    vc_result_member *members = NEW(vc_result_member, 3);
    for (size_t i = 0; i < 3; i++)
        members[i] = member_of(arena, 2, geo[i], geo[i] + 2, NULL);
    members[2].is_synthetic = true;
    axes[0] = (vc_result_axis){.dimension = VC_STR("geo"),
                               .ref = VC_STR("geo"),
                               .label = VC_STR("Geography"),
                               .nlevels = 2,
                               .levels = geo_levels,
                               .nmembers = 3,
                               .members = members};
    members = NEW(vc_result_member, 4);
    for (size_t i = 0; i < 4; i++)
        members[i] = member_of(arena, 1, &years[i], &years[i], NULL);
    members[3].is_synthetic = true; /* an unmatched member whose key looks like a number */
    axes[1] = (vc_result_axis){.dimension = VC_STR("date"),
                               .ref = VC_STR("date@std"),
                               .is_time = true,
                               .nlevels = 1,
                               .levels = &year,
                               .nmembers = 4,
                               .members = members};
    return axes;
}

vc_result sample_wide(vc_arena *arena)
{
    enum { ROWS = 7 };
    static const uint32_t places[ROWS][2] = {
        {0, 0}, {0, 1}, {1, 2}, {2, 3}, {2, VC_NONE}, {VC_NONE, 0}, {VC_NONE, VC_NONE}};
    static const uint32_t groupings[ROWS] = {0, 0, 0, 0, 1, 2, 3};
    vc_cell rows[ROWS][2] = {
        {number(0.1), marked(whole(INT64_MAX), 'r')},
        {number(1e300), marked(whole(-120), 'a')},
        {number(-1e-9), null_cell('x')},
        {null_cell('g'), null_cell('n')},
        {null_cell('c'), null_cell('e')},
        {null_cell('d'), whole(0)},
        {number(1234567.891), whole(INT64_MIN)},
    };
    vc_cell *cells = NEW(vc_cell, ROWS * 2);
    memcpy(cells, rows, sizeof rows);
    vc_result_measure *measures = NEW(vc_result_measure, 2);
    measures[0] =
        (vc_result_measure){.name = VC_STR("f"), .type = VC_VALUE_FLOAT, .aggregator = VC_AGG_AVG};
    measures[1] = (vc_result_measure){.name = VC_STR("d\"2"),
                                      .unit = VC_STR("\xE2\x82\xAC"),
                                      .type = VC_VALUE_DECIMAL,
                                      .scale = 2,
                                      .aggregator = VC_AGG_SUM};
    return (vc_result){.cube = VC_STR("wide"),
                       .naxes = 2,
                       .axes = wide_axes(arena),
                       .nmeasures = 2,
                       .measures = measures,
                       .nrows = ROWS,
                       .ndetail_rows = 4,
                       .coords = places[0],
                       .cells = cells,
                       .grouping = groupings,
                       .summary = cells + 12,
                       .total_cell_count = 40,
                       .is_truncated = true};
}

/* ---- random results ---- */

static vc_str random_text(vc_arena *arena, unsigned *seed)
{
    static const char *const parts[] = {
        "\"",       "\\",           "\n",   "\r\n", "\t",
        "\x01",     "\x1f",         "\x7f", ",",    ";",
        "\xC3\xA9", "\xE2\x82\xAC", "=1+1", "-5",   "\xF0\x9F\x8C\x8D",
        "a",        "null",         "{",    "]",    "\xC2\x85"};
    if (rand_r(seed) % 12 == 0) return (vc_str){0};
    char text[64] = "";
    for (int n = rand_r(seed) % 8; n > 0; n--)
        strcat(text, parts[(size_t)rand_r(seed) % (sizeof parts / sizeof parts[0])]);
    return vc_arena_str(arena, vc_str_of(text));
}

/* No value, one, or some. */
static vc_result_values random_values(vc_arena *arena, unsigned *seed)
{
    vc_str *items = NEW(vc_str, 3);
    vc_result_values values = {.items = items, .count = (uint32_t)rand_r(seed) % 4};
    for (uint32_t i = 0; i < values.count; i++) {
        items[i] = random_text(arena, seed);
        if (vc_str_is_null(items[i])) items[i] = VC_STR("");
    }
    return values;
}

/* A name that occurs once. */
static vc_str unique_text(vc_arena *arena, unsigned *seed, size_t i, size_t j)
{
    vc_str text = random_text(arena, seed);
    return vc_arena_printf(arena, "%zu_%zu%.*s", i, j, VC_FMT(text));
}

static void random_axis(vc_arena *arena, unsigned *seed, size_t a, vc_result_axis *axis)
{
    axis->dimension = axis->ref = unique_text(arena, seed, a, 99);
    axis->label = random_text(arena, seed);
    axis->nlevels = 1 + (size_t)rand_r(seed) % 3;
    vc_result_level *levels = NEW(vc_result_level, axis->nlevels);
    for (size_t l = 0; l < axis->nlevels; l++)
        levels[l] = (vc_result_level){.key_name = unique_text(arena, seed, a, l),
                                      .label_name = unique_text(arena, seed, a, l + 10),
                                      .name = unique_text(arena, seed, a, l),
                                      .key_type = rand_r(seed) % 2 ? VC_KEY_INT : VC_KEY_TEXT,
                                      .is_asked = l + 1 == axis->nlevels};
    axis->levels = levels;
    axis->nproperties = (size_t)rand_r(seed) % 3;
    vc_result_property *properties = NEW(vc_result_property, axis->nproperties);
    for (size_t p = 0; p < axis->nproperties; p++)
        properties[p].name = unique_text(arena, seed, a, p + 20);
    axis->properties = properties;
    axis->nmembers = 1 + (size_t)rand_r(seed) % 5;
    vc_result_member *members = NEW(vc_result_member, axis->nmembers);
    for (size_t m = 0; m < axis->nmembers; m++) {
        vc_str *texts = NEW(vc_str, 2 * axis->nlevels);
        vc_result_values *values = NEW(vc_result_values, axis->nproperties);
        for (size_t i = 0; i < 2 * axis->nlevels; i++)
            texts[i] = random_text(arena, seed);
        for (size_t p = 0; p < axis->nproperties; p++)
            values[p] = random_values(arena, seed);
        members[m] = (vc_result_member){.keys = texts,
                                        .labels = texts + axis->nlevels,
                                        .properties = values,
                                        .is_synthetic = rand_r(seed) % 5 == 0};
    }
    axis->members = members;
    for (size_t p = 0; p < axis->nproperties; p++)
        for (size_t m = 0; m < axis->nmembers; m++)
            if (members[m].properties[p].count > 1) properties[p].is_multi = true;
}

static vc_cell random_cell(unsigned *seed, const vc_result_measure *measure)
{
    if (rand_r(seed) % 4 == 0) return null_cell("euxgdnc"[rand_r(seed) % 7]);
    union {
        uint64_t bits;
        int64_t i;
        double f;
    } value = {.bits = (uint64_t)rand_r(seed) << 42 ^ (uint64_t)rand_r(seed) << 21 ^
                       (uint64_t)rand_r(seed)};
    vc_cell cell = {.as.i = rand_r(seed) % 2 ? value.i : value.i % 1000};
    if (measure->type == VC_VALUE_FLOAT) cell.as.f = isfinite(value.f) ? value.f : 0;
    if (rand_r(seed) % 8 == 0) cell.reason = rand_r(seed) % 2 ? 'r' : 'a';
    return cell;
}

vc_result sample_random(vc_arena *arena, unsigned *seed)
{
    vc_result result = {.cube = random_text(arena, seed),
                        .naxes = (size_t)rand_r(seed) % 4,
                        .nmeasures = (size_t)rand_r(seed) % 4,
                        .ndetail_rows = (size_t)rand_r(seed) % 40};
    result.nrows = result.ndetail_rows + (rand_r(seed) % 2 ? (size_t)rand_r(seed) % 4 : 0);
    vc_result_axis *axes = NEW(vc_result_axis, result.naxes);
    for (size_t a = 0; a < result.naxes; a++)
        random_axis(arena, seed, a, &axes[a]);
    vc_result_measure *measures = NEW(vc_result_measure, result.nmeasures);
    for (size_t m = 0; m < result.nmeasures; m++)
        measures[m] = (vc_result_measure){.name = unique_text(arena, seed, 50, m),
                                          .label = random_text(arena, seed),
                                          .unit = random_text(arena, seed),
                                          .format = random_text(arena, seed),
                                          .type = (vc_value_type)(rand_r(seed) % 3),
                                          .scale = (unsigned)rand_r(seed) % 19,
                                          .aggregator = VC_AGG_SUM};
    uint32_t *coords = NEW(uint32_t, result.nrows * result.naxes + 1);
    for (size_t i = 0; i < result.nrows * result.naxes; i++) {
        bool is_total = i / result.naxes >= result.ndetail_rows;
        coords[i] = is_total && rand_r(seed) % 2
                        ? VC_NONE
                        : (uint32_t)rand_r(seed) % (uint32_t)axes[i % result.naxes].nmembers;
    }
    vc_cell *cells = NEW(vc_cell, (result.nrows + 1) * result.nmeasures + 1);
    for (size_t i = 0; i < (result.nrows + 1) * result.nmeasures; i++)
        cells[i] = random_cell(seed, &measures[i % result.nmeasures]);
    vc_notice *notice = NEW(vc_notice, 1);
    *notice = (vc_notice){.code = "overlap", .message = random_text(arena, seed)};
    result.axes = axes;
    result.measures = measures;
    result.coords = coords;
    result.cells = cells;
    result.summary = cells + result.nrows * result.nmeasures;
    result.grouping = NEW(uint32_t, result.nrows);
    result.total_cell_count = result.ndetail_rows + (size_t)rand_r(seed) % 3;
    result.notices = notice;
    result.nnotices = 1;
    return result;
}

/* ---- comparing ---- */

vc_status render_status(vc_buffer *buffer, const vc_result *result, vc_render_format format,
                        const vc_render_options *options, vc_error *error)
{
    return vc_render(result, format, options, vc_render_to_buffer(buffer), error);
}

void render_into(vc_buffer *buffer, const vc_result *result, vc_render_format format,
                 const vc_render_options *options)
{
    vc_error error = {0};
    vc_status status = render_status(buffer, result, format, options, &error);
    cr_assert_eq(status, VC_OK, "%s", error.message);
}

void assert_golden(const char *name, vc_buffer *actual)
{
    char path[128], expected[16384];
    snprintf(path, sizeof path, "tests/data/render/%s", name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "no file %s; what came:\n%s", path, vc_buffer_text(actual));
    size_t size = fread(expected, 1, sizeof expected, file);
    fclose(file);
    cr_assert(size == actual->size && memcmp(expected, actual->data, size) == 0,
              "differs from %s:\n%s", path, vc_buffer_text(actual));
}
