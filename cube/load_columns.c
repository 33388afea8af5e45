/* The measure columns of the facts: which there are, and how texts become their values. */
#include "cube/load_parts.h"

#include <stdlib.h>
#include <string.h>

/* ---- which there are ---- */

static bool needs_column(const vc_measure_def *measure)
{
    return measure->aggregator != VC_AGG_NONE && vc_str_is_null(measure->dimension) &&
           (!vc_str_is_null(measure->column) || !vc_str_is_null(measure->value));
}

/* Counting the values of a column needs to know only which are null. */
static bool is_presence(const vc_measure_def *measure)
{
    return measure->aggregator == VC_AGG_COUNT;
}

/* What a measure would have stored; `column` is not filled in. */
static vc_fact_column describe(const vc_measure_def *measure)
{
    vc_fact_column wanted = {.name = measure->column, .type = VC_VALUE_INT};
    if (measure->aggregator == VC_AGG_COUNT_DISTINCT) {
        wanted.is_dictionary = true;
    } else if (is_presence(measure)) {
        wanted.is_presence = true;
    } else {
        wanted.is_computed = !vc_str_is_null(measure->value);
        if (wanted.is_computed) wanted.name = measure->value;
        wanted.type = measure->type;
        wanted.scale = measure->type == VC_VALUE_DECIMAL ? measure->scale : 0;
    }
    return wanted;
}

static bool serves(const vc_fact_column *column, const vc_fact_column *wanted)
{
    if (!vc_str_equal(column->name, wanted->name) || column->is_computed != wanted->is_computed)
        return false;
    if (wanted->is_presence) return true;
    return column->is_dictionary == wanted->is_dictionary && column->type == wanted->type &&
           column->scale == wanted->scale && !column->is_presence;
}

static int take_column(vc_fact_column *columns, size_t *ncolumns, const vc_fact_column *wanted)
{
    for (size_t i = 0; i < *ncolumns; i++) {
        if (serves(&columns[i], wanted)) return (int)i;
    }
    columns[*ncolumns] = *wanted;
    columns[*ncolumns].column = (uint16_t)(VC_COLUMN_MEASURE + *ncolumns);
    return (int)(*ncolumns)++;
}

/* Any column of the same numbers serves as weights. */
static void take_weights(const vc_measure_def *measure, vc_fact_column *columns, size_t *ncolumns)
{
    vc_fact_column wanted = {
        .name = measure->weight, .type = measure->weight_type, .scale = measure->weight_scale};
    if (vc_source_cube_find_numbers(columns, *ncolumns, measure->weight) < 0)
        take_column(columns, ncolumns, &wanted);
}

vc_status vc_load_plan_columns(const vc_cube_def *cube, vc_arena *arena,
                               vc_fact_column **columns_out, size_t *ncolumns_out,
                               int **measure_columns_out, vc_error *error)
{
    vc_fact_column *columns = VC_ARENA_NEW(arena, vc_fact_column, 2 * cube->nmeasures);
    int *measure_columns = VC_ARENA_NEW(arena, int, cube->nmeasures);
    size_t ncolumns = 0;
    if (columns == NULL || measure_columns == NULL) return vc_no_memory(error);
    /* Presence columns come last, so that any other column of the name serves them. */
    for (int presence = 0; presence <= 1; presence++) {
        for (size_t i = 0; i < cube->nmeasures; i++) {
            const vc_measure_def *measure = &cube->measures[i];
            if (presence == 0) measure_columns[i] = -1;
            if (!needs_column(measure) || is_presence(measure) != (presence == 1)) continue;
            vc_fact_column wanted = describe(measure);
            measure_columns[i] = take_column(columns, &ncolumns, &wanted);
        }
        for (size_t i = 0; presence == 0 && i < cube->nmeasures; i++)
            if (cube->measures[i].aggregator == VC_AGG_WEIGHTED_AVG)
                take_weights(&cube->measures[i], columns, &ncolumns);
    }
    *columns_out = columns;
    *ncolumns_out = ncolumns;
    *measure_columns_out = measure_columns;
    return VC_OK;
}

/* ---- reading one ---- */

void vc_load_column_release(vc_load_column *column)
{
    vc_strmap_release(&column->codes);
    vc_memo_release(&column->known);
}

static vc_status fail_parse(const vc_fact_column *column, vc_str text, vc_parse parse,
                            vc_error *error)
{
    vc_str name = column->name;
    if (text.size > 80) text.size = 80; /* the file of rejects has all of it */
    if (parse == VC_PARSE_OVERFLOW)
        return vc_fail(error, VC_BAD_INPUT, "overflow", "column '%.*s': '%.*s' is too large",
                       VC_FMT(name), VC_FMT(text));
    if (parse == VC_PARSE_INEXACT)
        return vc_fail(error, VC_BAD_INPUT, "inexact",
                       "column '%.*s': '%.*s' has more than the %u decimals of its type",
                       VC_FMT(name), VC_FMT(text), column->scale);
    const char *what = column->type == VC_VALUE_INT ? "an integer" : "a number";
    return vc_fail(error, VC_BAD_INPUT, "bad_number", "column '%.*s': '%.*s' is not %s",
                   VC_FMT(name), VC_FMT(text), what);
}

/* 4 to 8 digits at once: with zeros in front they are the 8 bytes of one word, whose pairs, fours
 * and eight are added up by three multiplications. */
static bool parse_digits(vc_str text, int64_t *out)
{
    const uint64_t zeros = UINT64_C(0x3030303030303030), highs = UINT64_C(0xF0F0F0F0F0F0F0F0);
    uint32_t head, tail; /* which overlap */
    memcpy(&head, text.data, sizeof head);
    memcpy(&tail, text.data + text.size - sizeof tail, sizeof tail);
    unsigned nfront = 8 * (8 - (unsigned)text.size);
    uint64_t word =
        (uint64_t)tail << 32 | (uint64_t)head << nfront | (zeros & ((UINT64_C(1) << nfront) - 1));
    if ((word & highs) != zeros || ((word + UINT64_C(0x0606060606060606)) & highs) != zeros)
        return false;
    word -= zeros;
    word = word * 10 + (word >> 8);
    const uint64_t ends = UINT64_C(0x000000FF000000FF);
    word = (word & ends) * UINT64_C(0x000F424000000064) +
           (word >> 16 & ends) * UINT64_C(0x0000271000000001);
    *out = (int64_t)(word >> 32);
    return true;
}

/* Up to 18 digits cannot overflow; this is nearly every number there is. */
static bool parse_short_int(vc_str text, int64_t *out)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (text.size >= 4 && text.size <= 8 && parse_digits(text, out)) return true;
#endif
    const char *data = text.data, *end = text.data + text.size;
    bool is_negative = text.size > 0 && *data == '-';
    if (is_negative) data++;
    if (data == end || end - data > 18) return false;
    int64_t value = 0;
    for (; data < end; data++) {
        unsigned digit = (unsigned char)*data - (unsigned)'0';
        if (digit > 9) return false;
        value = value * 10 + (int64_t)digit;
    }
    *out = is_negative ? -value : value;
    return true;
}

vc_parse vc_load_parse_int(vc_str text, int64_t *value_out)
{
    return parse_short_int(text, value_out) ? VC_PARSE_OK : vc_parse_int(text, value_out);
}

vc_parse vc_load_column_parse(const vc_fact_column *column, vc_str text, char decimal,
                              int64_t *value_out)
{
    double number;
    if (column->is_presence) {
        *value_out = 1;
        return VC_PARSE_OK;
    }
    switch (column->type) {
    case VC_VALUE_INT: return vc_load_parse_int(text, value_out);
    case VC_VALUE_DECIMAL: return vc_parse_decimal(text, column->scale, decimal, value_out);
    case VC_VALUE_FLOAT: break;
    }
    vc_parse parse = vc_parse_double(text, decimal, &number);
    if (parse == VC_PARSE_OK) memcpy(value_out, &number, sizeof number);
    return parse;
}

vc_status vc_load_column_need(const vc_fact_column *column, vc_str text, char decimal,
                              int64_t *value_out, vc_error *error)
{
    vc_parse parse = vc_load_column_parse(column, text, decimal, value_out);
    return parse == VC_PARSE_OK ? VC_OK : fail_parse(column, text, parse, error);
}

vc_parse vc_load_column_compute(const vc_load_column *column, const vc_str *fields, char decimal,
                                int64_t *value_out, bool *is_null_out, size_t *field_out)
{
    vc_str texts[VC_ROW_VALUE_NAMES];
    size_t name;
    for (size_t i = 0; i < column->nfields; i++)
        texts[i] = fields[column->fields[i]];
    vc_parse parse =
        vc_row_value_compute(column->value, texts, decimal, value_out, is_null_out, &name);
    if (parse != VC_PARSE_OK) *field_out = column->fields[name == SIZE_MAX ? 0 : name];
    return parse;
}

static vc_status fail_computed(const vc_fact_column *column, vc_parse parse, vc_error *error)
{
    if (parse == VC_PARSE_INEXACT)
        return vc_fail(error, VC_BAD_INPUT, "inexact",
                       "'%.*s' has more than the %u decimals of its type; round() it, or give the "
                       "type more",
                       VC_FMT(column->name), column->scale);
    return vc_fail(error, VC_BAD_INPUT, "overflow", "'%.*s' is too large", VC_FMT(column->name));
}

vc_status vc_load_column_need_computed(const vc_load_column *column, const vc_str *fields,
                                       char decimal, int64_t *value_out, bool *is_null_out,
                                       size_t *field_out, vc_error *error)
{
    vc_str texts[VC_ROW_VALUE_NAMES];
    size_t name, nnames;
    for (size_t i = 0; i < column->nfields; i++)
        texts[i] = fields[column->fields[i]];
    vc_parse parse =
        vc_row_value_compute(column->value, texts, decimal, value_out, is_null_out, &name);
    if (parse == VC_PARSE_OK) return VC_OK;
    *field_out = column->fields[name == SIZE_MAX ? 0 : name];
    if (name == SIZE_MAX) return fail_computed(column->column, parse, error);
    vc_fact_column operand = {.name = vc_row_value_names(column->value, &nnames)[name],
                              .type = VC_VALUE_FLOAT};
    return fail_parse(&operand, texts[name], parse, error);
}

vc_status vc_load_column_code(vc_load_column *column, vc_str text, int64_t *value_out,
                              vc_error *error)
{
    bool is_new;
    uint32_t code = vc_strmap_put(&column->codes, text, &is_new);
    if (code == VC_STRMAP_NONE) return vc_no_memory(error);
    if (is_new && !vc_memo_put(&column->known, column->codes.keys[code], code))
        return vc_no_memory(error);
    *value_out = code;
    return VC_OK;
}
