#include "render/parts.h"
#include "tests/render/sample.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <jansson.h>
#include <string.h>

/* ---- whole texts, by hand ---- */

struct golden_case {
    char file[32];
    vc_result (*sample)(vc_arena *); /* a function, so the same in every process */
    vc_render_format format;
    vc_render_options options;
};

static struct golden_case goldens[] = {
    {"golden.records.json", sample_golden, VC_FORMAT_RECORDS, {.is_pretty = true}},
    {"golden.arrays.json", sample_golden, VC_FORMAT_ARRAYS, {.is_pretty = true}},
    {"golden.ndjson", sample_golden, VC_FORMAT_NDJSON, {0}},
    {"golden.csv", sample_golden, VC_FORMAT_CSV, {0}},
    {"golden_labels.csv",
     sample_golden,
     VC_FORMAT_CSV,
     {.header = VC_HEADER_LABELS, .has_bom = true, .has_status = true, .guards_formulas = true}},
    {"golden.table.txt", sample_golden, VC_FORMAT_TABLE, {0}},
    {"golden_narrow.table.txt", sample_golden, VC_FORMAT_TABLE, {.width = 60}},
    {"golden_coloured.table.txt", sample_golden, VC_FORMAT_TABLE, {.is_coloured = true}},
    {"wide.records.json", sample_wide, VC_FORMAT_RECORDS, {.is_pretty = true}},
    {"wide.arrays.json", sample_wide, VC_FORMAT_ARRAYS, {.is_pretty = true}},
    {"wide.columns.json", sample_wide, VC_FORMAT_COLUMNS, {.is_pretty = true}},
    {"wide.csv", sample_wide, VC_FORMAT_CSV, {.has_status = true, .guards_formulas = true}},
    {"wide.table.txt", sample_wide, VC_FORMAT_TABLE, {0}},
    {"golden.jsonstat.json", sample_golden, VC_FORMAT_JSONSTAT, {.is_pretty = true}},
    {"total.jsonstat.json", sample_total, VC_FORMAT_JSONSTAT, {0}},
    {"total.records.json", sample_total, VC_FORMAT_RECORDS, {0}},
    {"total.csv", sample_total, VC_FORMAT_CSV, {.header = VC_HEADER_NONE}},
    {"total.table.txt", sample_total, VC_FORMAT_TABLE, {0}},
};

ParameterizedTestParameters(render, golden)
{
    static size_t numbers[sizeof goldens / sizeof goldens[0]];
    for (size_t i = 0; i < sizeof goldens / sizeof goldens[0]; i++)
        numbers[i] = i;
    return cr_make_param_array(size_t, numbers, sizeof numbers / sizeof numbers[0]);
}

ParameterizedTest(size_t *number, render, golden)
{
    const struct golden_case *c = &goldens[*number];
    vc_arena arena = {0};
    vc_buffer buffer = {0};
    vc_result result = c->sample(&arena);
    render_into(&buffer, &result, c->format, &c->options);
    assert_golden(c->file, &buffer);
    vc_buffer_release(&buffer);
    vc_arena_release(&arena);
}

/* ---- any result gives valid JSON that says the same in every format ---- */

static json_t *render_json(const vc_result *result, vc_render_format format, bool is_pretty)
{
    vc_buffer buffer = {0};
    vc_render_options options = {.is_pretty = is_pretty};
    render_into(&buffer, result, format, &options);
    json_error_t error;
    json_t *json = json_loadb(buffer.data, buffer.size, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(json, "%s\n%s", error.text, vc_buffer_text(&buffer));
    vc_buffer_release(&buffer);
    return json;
}

/* The lines of NDJSON as an array. */
static json_t *render_lines(const vc_result *result)
{
    vc_buffer buffer = {0};
    render_into(&buffer, result, VC_FORMAT_NDJSON, NULL);
    json_t *lines = json_array();
    vc_str rest = {.data = buffer.data, .size = buffer.size};
    while (rest.size > 0) {
        vc_str line = vc_str_split(&rest, '\n');
        json_error_t error;
        json_t *json = json_loadb(line.data, line.size, JSON_REJECT_DUPLICATES, &error);
        cr_assert_not_null(json, "%s: %.*s", error.text, VC_FMT(line));
        json_array_append_new(lines, json);
    }
    vc_buffer_release(&buffer);
    return lines;
}

/* A value of a cell, read back from JSON, is the value of the result. */
static void assert_value(const vc_result_measure *measure, const vc_cell *cell, const json_t *value)
{
    if (cell->is_null)
        cr_assert(json_is_null(value));
    else if (measure->type == VC_VALUE_FLOAT)
        cr_assert_eq(json_number_value(value), cell->as.f);
    else if (measure->type == VC_VALUE_INT)
        cr_assert_eq(json_integer_value(value), cell->as.i);
    else
        cr_assert(json_is_number(value));
}

/* Columns say the same as arrays. */
static void check_columns(const vc_result *result, const json_t *columns, const json_t *arrays)
{
    const json_t *names = json_object_get(arrays, "columns"),
                 *rows = json_object_get(arrays, "rows");
    const json_t *of_columns = json_object_get(columns, "columns");
    size_t nreasons = 0;
    cr_assert(json_equal(json_object_get(columns, "meta"), json_object_get(arrays, "meta")));
    cr_assert_eq((size_t)json_integer_value(json_object_get(columns, "rows")), result->nrows);
    cr_assert_eq(json_object_size(of_columns), json_array_size(names));
    for (size_t c = 0; c < json_array_size(names); c++) {
        const char *name = json_string_value(json_array_get(names, c));
        const json_t *column = json_object_get(of_columns, name);
        cr_assert_eq(json_array_size(column), result->nrows);
        for (size_t row = 0; row < result->nrows; row++) {
            char here[24], there[48];
            snprintf(here, sizeof here, "%zu", row);
            snprintf(there, sizeof there, "%zu,%zu", row, c);
            cr_assert(json_equal(json_array_get(column, row),
                                 json_array_get(json_array_get(rows, row), c)));
            json_t *reason =
                json_object_get(json_object_get(json_object_get(columns, "status"), name), here);
            json_t *other = json_object_get(json_object_get(arrays, "status"), there);
            cr_assert(reason == other || json_equal(reason, other));
            nreasons += reason != NULL;
        }
    }
    cr_assert_eq(nreasons, json_object_size(json_object_get(arrays, "status")));
}

static void check_row(const vc_result *result, size_t row, const json_t *record,
                      const json_t *columns, const json_t *array)
{
    for (size_t m = 0; m < result->nmeasures; m++) {
        const vc_str name = result->measures[m].name;
        const vc_cell *cell = &result->cells[row * result->nmeasures + m];
        assert_value(&result->measures[m], cell, json_object_get(record, name.data));
        json_t *status = json_object_get(json_object_get(record, "_status"), name.data);
        cr_assert_eq(cell->reason, status == NULL ? 0 : json_string_value(status)[0]);
    }
    for (size_t c = 0; c < json_array_size(columns); c++) {
        const char *name = json_string_value(json_array_get(columns, c));
        json_t *value = json_object_get(record, name);
        json_t *other = json_array_get(array, c);
        if (value != NULL)
            cr_assert(json_equal(value, other), "%s", name);
        else
            cr_assert(json_is_null(other) || strcmp(name, "grouping") == 0);
    }
    cr_assert_eq(json_array_size(array), json_array_size(columns));
    cr_assert_eq(json_object_get(record, "grouping") != NULL, row >= result->ndetail_rows);
}

Test(render, random_results)
{
    unsigned seed = 20260101;
    for (int round = 0; round < 300; round++) {
        vc_arena arena = {0};
        vc_result result = sample_random(&arena, &seed);
        json_t *records = render_json(&result, VC_FORMAT_RECORDS, round % 2 == 0);
        json_t *arrays = render_json(&result, VC_FORMAT_ARRAYS, round % 3 == 0);
        json_t *lines = render_lines(&result);
        json_t *columns = render_json(&result, VC_FORMAT_COLUMNS, round % 2 != 0);
        check_columns(&result, columns, arrays);
        json_decref(columns);
        json_t *cells = json_object_get(records, "cells");
        cr_assert_eq(json_array_size(cells), result.nrows);
        cr_assert_eq(json_array_size(lines), result.nrows + 2);
        cr_assert(json_equal(json_object_get(records, "meta"), json_object_get(arrays, "meta")));
        for (size_t row = 0; row < result.nrows; row++) {
            json_t *record = json_array_get(cells, row);
            cr_assert(json_equal(record, json_array_get(lines, row + 1)));
            check_row(&result, row, record, json_object_get(arrays, "columns"),
                      json_array_get(json_object_get(arrays, "rows"), row));
        }
        json_t *end = json_array_get(lines, result.nrows + 1);
        cr_assert(json_is_true(json_object_get(end, "end")));
        cr_assert_eq((size_t)json_integer_value(json_object_get(end, "rows")), result.nrows);
        json_decref(records);
        json_decref(arrays);
        json_decref(lines);
        vc_arena_release(&arena);
    }
}

/* ---- CSV can be read back ---- */

/* Read one record: fields are unquoted into `arena`. Returns how many; -1 at the end. */
static int read_record(vc_str *rest, vc_arena *arena, vc_str *fields, bool *is_quoted)
{
    int count = 0;
    if (rest->size == 0) return -1;
    for (;;) {
        char *text = vc_arena_alloc(arena, rest->size + 1);
        size_t size = 0, at = 0;
        is_quoted[count] = rest->data[0] == '"';
        if (is_quoted[count]) {
            for (at = 1;; at++) {
                cr_assert(at < rest->size);
                if (rest->data[at] == '"' && rest->data[++at] != '"') break;
                text[size++] = rest->data[at];
            }
        } else {
            while (strchr(",\r", rest->data[at]) == NULL)
                text[size++] = rest->data[at++];
        }
        fields[count++] = (vc_str){.data = text, .size = size};
        bool is_end = rest->data[at] == '\r';
        if (is_end) cr_assert_eq(rest->data[at + 1], '\n');
        if (!is_end) cr_assert_eq(rest->data[at], ',');
        at += is_end ? 2 : 1;
        rest->data += at;
        rest->size -= at;
        if (is_end) return count;
    }
}

static void assert_field(vc_str expected, vc_str field, bool is_quoted)
{
    if (vc_str_is_null(expected))
        cr_assert(field.size == 0 && !is_quoted);
    else
        cr_assert(vc_str_equal(expected, field));
    if (!vc_str_is_null(expected) && expected.size == 0) cr_assert(is_quoted);
}

/* Fields are looked through by words: what needs quotes is seen at every place. */
Test(render, csv_quotes_at_every_place)
{
    static const char special[] = {',', '"', '\r', '\n'}, others[] = {'-', '!', '\x0B', '\xAC'};
    vc_buffer buffer = {0};
    for (size_t size = 1; size <= 20; size++)
        for (size_t at = 0; at < size; at++)
            for (size_t i = 0; i < sizeof special; i++) {
                char text[20];
                memset(text, others[(size + at) % sizeof others], size);
                vc_buffer_clear(&buffer);
                vc_put_csv_text(&buffer, (vc_str){text, size}, false);
                cr_assert_eq(buffer.size, size);
                text[at] = special[i];
                vc_buffer_clear(&buffer);
                vc_put_csv_text(&buffer, (vc_str){text, size}, false);
                cr_assert_eq(buffer.size, size + 2 + (special[i] == '"'));
            }
    vc_buffer_release(&buffer);
}

Test(render, csv_reads_back)
{
    unsigned seed = 7;
    for (int round = 0; round < 300; round++) {
        vc_arena arena = {0};
        vc_buffer buffer = {0};
        vc_result result = sample_random(&arena, &seed);
        /* Without axes a row may be one field, which has a rule of its own (below). */
        while (result.naxes == 0)
            result = sample_random(&arena, &seed);
        render_into(&buffer, &result, VC_FORMAT_CSV, NULL);
        vc_str rest = {.data = buffer.data, .size = buffer.size};
        vc_str fields[64];
        bool is_quoted[64];
        int ncolumns = read_record(&rest, &arena, fields, is_quoted);
        cr_assert(vc_str_equal(fields[0], result.axes[0].levels[0].key_name));
        for (size_t row = 0; row < result.nrows; row++) {
            cr_assert_eq(read_record(&rest, &arena, fields, is_quoted), ncolumns);
            uint32_t m = result.coords[row * result.naxes];
            if (m == VC_NONE) continue;
            assert_field(result.axes[0].members[m].keys[0], fields[0], is_quoted[0]);
            assert_field(result.axes[0].members[m].labels[0], fields[1], is_quoted[1]);
        }
        cr_assert_eq(rest.size, 0);
        vc_buffer_release(&buffer);
        vc_arena_release(&arena);
    }
}

Test(render, a_row_of_one_null_is_no_blank_line)
{
    vc_arena arena = {0};
    vc_buffer buffer = {0};
    vc_cell cell = {.is_null = true, .reason = 'e'};
    vc_result result = sample_total(&arena);
    result.nmeasures = 1;
    result.cells = result.summary = &cell;
    render_into(&buffer, &result, VC_FORMAT_CSV, NULL);
    cr_assert_str_eq(vc_buffer_text(&buffer), "pop\r\n\"\"\r\n");
    vc_buffer_release(&buffer);
    vc_arena_release(&arena);
}

/* ---- tables are safe and as narrow as asked ---- */

Test(render, tables_hold_no_control_characters)
{
    unsigned seed = 99;
    for (int round = 0; round < 200; round++) {
        vc_arena arena = {0};
        vc_buffer buffer = {0};
        vc_result result = sample_random(&arena, &seed);
        vc_render_options options = {.width = 40};
        render_into(&buffer, &result, VC_FORMAT_TABLE, &options);
        cr_assert(vc_utf8_check((vc_str){.data = buffer.data, .size = buffer.size}, NULL));
        for (size_t i = 0; i < buffer.size; i++) {
            unsigned char byte = (unsigned char)buffer.data[i];
            cr_assert(byte >= 0x20 || byte == '\n');
            cr_assert(byte != 0x7F);
            cr_assert(byte != 0xC2 || (unsigned char)buffer.data[i + 1] >= 0xA0);
        }
        vc_buffer_release(&buffer);
        vc_arena_release(&arena);
    }
}

/* ---- the sink ---- */

typedef struct counting_sink {
    size_t nblocks, largest, total;
    size_t fail_at; /* block that fails; 0: none */
} counting_sink;

static vc_status count_block(void *context, const char *data, size_t size, vc_error *error)
{
    counting_sink *sink = context;
    (void)data;
    sink->nblocks++;
    sink->total += size;
    if (size > sink->largest) sink->largest = size;
    if (sink->nblocks == sink->fail_at)
        return vc_fail(error, VC_CANCELLED, "cancelled", "the client went away");
    return VC_OK;
}

/* The golden rows many times over, each time of other members. */
static vc_result make_long(vc_arena *arena, size_t ntimes)
{
    vc_result result = sample_golden(arena);
    size_t nrows = 5 * ntimes;
    vc_cell *cells = VC_ARENA_NEW(arena, vc_cell, nrows * result.nmeasures);
    uint32_t *coords = VC_ARENA_NEW(arena, uint32_t, nrows);
    vc_result_axis *axis = VC_ARENA_NEW(arena, vc_result_axis, 1);
    vc_result_member *members = VC_ARENA_NEW(arena, vc_result_member, nrows);
    vc_str *keys = VC_ARENA_NEW(arena, vc_str, nrows);
    const vc_result_member *golden = result.axes[0].members;
    *axis = result.axes[0];
    axis->members = members;
    axis->nmembers = nrows;
    result.axes = axis;
    for (size_t row = 0; row < nrows; row++) {
        coords[row] = (uint32_t)row;
        members[row] = golden[row % 5];
        members[row].keys = &keys[row];
        keys[row] = vc_arena_printf(arena, "%.*s%zu", VC_FMT(golden[row % 5].keys[0]), row / 5);
        memcpy(&cells[row * result.nmeasures], &result.cells[row % 5 * result.nmeasures],
               result.nmeasures * sizeof *cells);
    }
    result.grouping = VC_ARENA_NEW(arena, uint32_t, nrows);
    result.cells = cells;
    result.coords = coords;
    result.nrows = result.ndetail_rows = result.total_cell_count = nrows;
    return result;
}

Test(render, streams_in_blocks)
{
    vc_arena arena = {0};
    vc_result result = make_long(&arena, 20000);
    for (int format = 0; format < VC_FORMAT_COUNT; format++) {
        counting_sink counting = {0};
        vc_render_sink sink = {.write = count_block, .context = &counting};
        cr_assert_eq(vc_render(&result, (vc_render_format)format, NULL, sink, NULL), VC_OK);
        cr_assert_gt(counting.total, 4000000);
        cr_assert_gt(counting.nblocks, counting.total / 70000);
        cr_assert_lt(counting.largest, 70000);
    }
    vc_arena_release(&arena);
}

Test(render, stops_when_the_sink_fails)
{
    vc_arena arena = {0};
    vc_result result = make_long(&arena, 20000);
    for (int format = 0; format < VC_FORMAT_COUNT; format++) {
        vc_error error = {0};
        counting_sink counting = {.fail_at = 3};
        vc_render_sink sink = {.write = count_block, .context = &counting};
        cr_assert_eq(vc_render(&result, (vc_render_format)format, NULL, sink, &error),
                     VC_CANCELLED);
        cr_assert_str_eq(error.code, "cancelled");
        cr_assert_eq(counting.nblocks, 3);
    }
    vc_arena_release(&arena);
}

/* Of 100,000 rows. A loop that no longer looks makes it smaller. */
static const size_t nlooks_of[VC_FORMAT_COUNT] = {
    [VC_FORMAT_RECORDS] = 253, [VC_FORMAT_ARRAYS] = 121, [VC_FORMAT_NDJSON] = 253,
    [VC_FORMAT_CSV] = 88,      [VC_FORMAT_TABLE] = 192,  [VC_FORMAT_JSONSTAT] = 136,
    [VC_FORMAT_ARROW] = 163,   [VC_FORMAT_COLUMNS] = 137};

typedef struct looking_sink {
    size_t nlooks, fails_at; /* 0: it does not */
} looking_sink;

static vc_status take_block(void *context, const char *data, size_t size, vc_error *error)
{
    (void)context, (void)data, (void)size, (void)error;
    return VC_OK;
}

static vc_status look(void *context, vc_error *error)
{
    looking_sink *sink = context;
    if (++sink->nlooks != sink->fails_at) return VC_OK;
    return vc_fail(error, VC_CANCELLED, "cancelled", "the client went away");
}

/* It is asked before every block, and where rows are only looked at; a no ends it wherever it is.
 */
Test(render, stops_when_nobody_wants_it)
{
    vc_arena arena = {0};
    vc_result result = make_long(&arena, 20000);
    for (int format = 0; format < VC_FORMAT_COUNT; format++) {
        looking_sink whole = {0};
        vc_render_sink sink = {.write = take_block, .look = look, .context = &whole};
        cr_assert_eq(vc_render(&result, (vc_render_format)format, NULL, sink, NULL), VC_OK);
        cr_expect_geq(whole.nlooks, nlooks_of[format], "%s: %zu looks", vc_format_name(format),
                      whole.nlooks);
        for (size_t at = 1; at <= whole.nlooks; at += 1 + whole.nlooks / 9) {
            vc_error error = {0};
            looking_sink once = {.fails_at = at};
            sink.context = &once;
            cr_assert_eq(vc_render(&result, (vc_render_format)format, NULL, sink, &error),
                         VC_CANCELLED, "%s at look %zu", vc_format_name(format), at);
            cr_assert_str_eq(error.code, "cancelled");
            cr_assert_eq(once.nlooks, at, "%s", vc_format_name(format));
        }
    }
    vc_arena_release(&arena);
}

Test(render, options_of_a_query)
{
    vc_query query = vc_query_default();
    cr_assert_eq(vc_render_options_of(&query).header, VC_HEADER_NAMES);
    query.header = VC_STR("labels");
    query.has_bom = true;
    cr_assert_eq(vc_render_options_of(&query).header, VC_HEADER_LABELS);
    cr_assert(vc_render_options_of(&query).has_bom);
    query.header = VC_STR("none");
    cr_assert_eq(vc_render_options_of(&query).header, VC_HEADER_NONE);
}
