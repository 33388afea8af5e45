#include "render/facts.h"

#include "base/json_writer.h"
#include "render/parts.h"

#include <math.h>

const char *vc_reason_words(char reason)
{
    switch ((vc_reason)reason) {
    case VC_REASON_NONE: return "a value";
    case VC_REASON_EMPTY: return "no facts lie at this cell";
    case VC_REASON_UNMATCHED: return "no key of the source matches what is selected";
    case VC_REASON_UNRELATED: return "the source does not have a dimension that is cut";
    case VC_REASON_GRAIN: return "the cut is finer than the source";
    case VC_REASON_UNDEFINED: return "the arithmetic is undefined here";
    case VC_REASON_NULL: return "all facts of the cell are null in the source";
    case VC_REASON_WITHHELD: return "withheld";
    case VC_REASON_REPEATED: return "repeated: do not add it up";
    case VC_REASON_ALLOCATED: return "an estimate, allocated or weighted";
    }
    return "";
}

static void put_value(vc_buffer *out, const vc_fact_field *field, const vc_fact_cell *cell)
{
    char text[VC_NUMBER_TEXT];
    size_t size = 0;
    if (field->type == VC_VALUE_FLOAT && !isfinite(cell->as.f)) {
        vc_buffer_put_text(out, "null"); /* JSON has no other word */
        return;
    }
    if (field->type == VC_VALUE_FLOAT)
        size = vc_format_double(text, cell->as.f);
    else
        size =
            vc_format_decimal(text, cell->as.i, field->type == VC_VALUE_DECIMAL ? field->scale : 0);
    vc_buffer_put(out, text, size);
}

/* A key of an int level is a number, in the form that JSON has for it. */
static bool is_plain_int(vc_str text)
{
    int64_t number;
    char again[VC_NUMBER_TEXT];
    if (vc_parse_int(text, &number) != VC_PARSE_OK) return false;
    size_t size = vc_format_int(again, number);
    return vc_str_equal(text, (vc_str){.data = again, .size = size});
}

static void put_cell(vc_json_writer *json, const vc_fact_field *field, const vc_fact_cell *cell)
{
    if (json->has_before) vc_buffer_put_char(json->out, ',');
    json->has_before = true;
    vc_buffer_put_json(json->out, field->name);
    vc_buffer_put_char(json->out, ':');
    if (field->kind == VC_FACT_LIST) {
        json->has_before = false;
        vc_buffer_put_char(json->out, '[');
        for (size_t i = 0; i < cell->as.list.nitems; i++)
            vc_json_put_str(json, NULL, cell->as.list.items[i]);
        vc_json_end(json, ']');
    } else if (cell->is_null) {
        vc_buffer_put_text(json->out, "null");
    } else if (field->kind == VC_FACT_VALUE) {
        put_value(json->out, field, cell);
    } else if (field->kind == VC_FACT_NUMBER && is_plain_int(cell->as.text)) {
        vc_buffer_put_str(json->out, cell->as.text);
    } else {
        vc_buffer_put_json(json->out, cell->as.text);
    }
}

static void put_names(vc_json_writer *json, const char *key, const vc_str *names, size_t nnames)
{
    if (nnames == 0) return;
    vc_json_begin(json, key, '[');
    for (size_t i = 0; i < nnames; i++)
        vc_json_put_str(json, NULL, names[i]);
    vc_json_end(json, ']');
}

static void put_set(vc_json_writer *json, const vc_fact_set *set)
{
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "source", set->source);
    vc_json_put_str(json, "cube", set->cube);
    put_names(json, "measures", set->measures, set->nmeasures);
    put_names(json, "fixes", set->fixes, set->nfixes);
    vc_json_put_uint(json, "count", set->count);
    if (set->reason != VC_REASON_NONE) {
        vc_json_put_str(json, "status", (vc_str){.data = &set->reason, .size = 1});
        vc_json_put_text(json, "why", vc_reason_words(set->reason));
    }
    vc_json_begin(json, "rows", '[');
    for (size_t row = 0; row < set->nrows; row++) {
        vc_buffer_put_text(json->out, row > 0 ? ",\n" : "\n");
        json->has_before = false;
        vc_json_begin(json, NULL, '{');
        for (size_t i = 0; i < set->nfields; i++)
            put_cell(json, &set->fields[i], &set->cells[row * set->nfields + i]);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
    vc_json_end(json, '}');
}

void vc_facts_put_json(vc_buffer *out, const vc_facts *facts)
{
    vc_json_writer json = {.out = out};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "cube", facts->cube);
    vc_json_put_str(&json, "snapshot", facts->snapshot);
    vc_json_put_uint(&json, "offset", facts->offset);
    vc_json_put_uint(&json, "limit", facts->limit);
    vc_json_begin(&json, "sources", '[');
    for (size_t i = 0; i < facts->nsets; i++)
        put_set(&json, &facts->sets[i]);
    vc_json_end(&json, ']');
    vc_json_end(&json, '}');
}

/* The first few: a rate of the euro falls to 37 countries, and a table must stay one. */
static void put_list(vc_buffer *out, const vc_str *items, size_t nitems)
{
    enum { MOST = 6 };
    size_t nshown = nitems > MOST ? MOST - 1 : nitems;
    for (size_t i = 0; i < nshown; i++) {
        if (i > 0) vc_buffer_put_text(out, ", ");
        vc_put_safe(out, items[i]);
    }
    if (nshown < nitems) vc_buffer_printf(out, " and %zu more", nitems - nshown);
}

void vc_fact_put_text(vc_buffer *out, const vc_fact_field *field, const vc_fact_cell *cell)
{
    if (field->kind == VC_FACT_LIST) {
        put_list(out, cell->as.list.items, cell->as.list.nitems);
        return;
    }
    if (cell->is_null)
        vc_buffer_put_text(out, field->kind == VC_FACT_VALUE ? "\xE2\x80\x93" : "(null)");
    else if (field->kind == VC_FACT_VALUE)
        put_value(out, field, cell);
    else
        vc_put_safe(out, cell->as.text);
}
