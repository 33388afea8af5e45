/* What every JSON answer says of itself. */
#include "render/coverage.h"
#include "render/explain.h"
#include "render/parts.h"

void vc_put_field_name(vc_buffer *buffer, const char *name)
{
    if (buffer->size > 0 && buffer->data[buffer->size - 1] != '{') vc_buffer_put_char(buffer, ',');
    vc_buffer_put_char(buffer, '"');
    vc_buffer_put_text(buffer, name);
    vc_buffer_put_text(buffer, "\":");
}

void vc_put_field_text(vc_buffer *buffer, const char *name, vc_str text)
{
    if (vc_str_is_null(text)) return;
    vc_put_field_name(buffer, name);
    vc_buffer_put_json(buffer, text);
}

void vc_put_field_count(vc_buffer *buffer, const char *name, uint64_t count)
{
    vc_put_field_name(buffer, name);
    vc_buffer_put_int(buffer, (int64_t)count);
}

static void put_separator(vc_buffer *buffer, size_t number)
{
    if (number > 0) vc_buffer_put_char(buffer, ',');
}

static void put_measure(vc_buffer *buffer, const vc_result_measure *measure)
{
    vc_buffer_put_char(buffer, '{');
    vc_put_field_text(buffer, "name", measure->name);
    vc_put_field_text(buffer, "label", measure->label);
    vc_put_field_text(buffer, "source", measure->source);
    if (measure->is_calculated) {
        vc_put_field_name(buffer, "calculated");
        vc_buffer_put_text(buffer, "true");
    } else {
        vc_put_field_text(buffer, "aggregator", vc_str_of(vc_aggregator_name(measure->aggregator)));
    }
    vc_put_field_text(buffer, "unit", measure->unit);
    vc_put_field_text(buffer, "format", measure->format);
    vc_put_field_name(buffer, "type");
    switch (measure->type) {
    case VC_VALUE_INT: vc_buffer_put_text(buffer, "\"int\""); break;
    case VC_VALUE_DECIMAL: vc_buffer_printf(buffer, "\"decimal(%u)\"", measure->scale); break;
    case VC_VALUE_FLOAT: vc_buffer_put_text(buffer, "\"float\""); break;
    }
    vc_buffer_put_char(buffer, '}');
}

static void put_levels(vc_buffer *buffer, const vc_result *result)
{
    vc_buffer_put_char(buffer, '{');
    for (size_t a = 0; a < result->naxes; a++) {
        put_separator(buffer, a);
        vc_buffer_put_json(buffer, result->axes[a].ref);
        vc_buffer_put_text(buffer, ":[");
        for (size_t l = 0; l < result->axes[a].nlevels; l++) {
            put_separator(buffer, l);
            vc_buffer_put_json(buffer, result->axes[a].levels[l].name);
        }
        vc_buffer_put_char(buffer, ']');
    }
    vc_buffer_put_char(buffer, '}');
}

/* The columns of attributes: whose they are, and whether an array may stand there. */
static void put_properties(vc_buffer *buffer, const vc_result *result)
{
    size_t count = 0;
    for (size_t a = 0; a < result->naxes; a++)
        for (size_t p = 0; p < result->axes[a].nproperties; p++) {
            const vc_result_property *property = &result->axes[a].properties[p];
            if (count++ == 0) {
                vc_put_field_name(buffer, "properties");
                vc_buffer_put_char(buffer, '[');
            } else {
                vc_buffer_put_char(buffer, ',');
            }
            vc_buffer_put_char(buffer, '{');
            vc_put_field_text(buffer, "name", property->name);
            vc_put_field_text(buffer, "dim", result->axes[a].dimension);
            vc_put_field_text(buffer, "source", property->source);
            vc_put_field_name(buffer, "multi");
            vc_buffer_put_text(buffer, property->is_multi ? "true}" : "false}");
        }
    if (count > 0) vc_buffer_put_char(buffer, ']');
}

static void put_coverage(vc_buffer *buffer, const vc_result_coverage *coverage)
{
    vc_json_writer json = {.out = buffer};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "source", coverage->source);
    vc_json_put_str(&json, "dim", coverage->dimension);
    vc_coverage_put_json(&json, coverage);
    vc_json_end(&json, '}');
}

static void put_notice(vc_buffer *buffer, const vc_notice *notice)
{
    vc_buffer_put_char(buffer, '{');
    vc_put_field_text(buffer, "code", vc_str_of(notice->code));
    vc_put_field_text(buffer, "source", notice->source);
    vc_put_field_text(buffer, "dim", notice->dimension);
    if (notice->has_count) vc_put_field_count(buffer, "count", notice->count);
    vc_put_field_text(buffer, "message", notice->message);
    if (notice->nmembers > 0) {
        vc_put_field_name(buffer, "members");
        vc_buffer_put_char(buffer, '[');
        for (size_t i = 0; i < notice->nmembers; i++) {
            put_separator(buffer, i);
            vc_buffer_put_json(buffer, notice->members[i]);
        }
        vc_buffer_put_char(buffer, ']');
    }
    vc_buffer_put_char(buffer, '}');
}

/* A unit that is null says that the values are not in the measure's. */
static void put_calculated(vc_buffer *buffer, const vc_result *result)
{
    vc_put_field_name(buffer, "calculated");
    vc_buffer_put_char(buffer, '[');
    for (size_t i = 0; i < result->ncalculated; i++) {
        const vc_result_calculated *member = &result->calculated[i];
        put_separator(buffer, i);
        vc_buffer_put_char(buffer, '{');
        vc_put_field_text(buffer, "dim", member->dimension);
        vc_put_field_text(buffer, "name", member->name);
        vc_put_field_text(buffer, "label", member->label);
        vc_put_field_text(buffer, "expr", member->expr);
        vc_put_field_name(buffer, "solve_order");
        vc_buffer_put_int(buffer, member->solve_order);
        if (!member->keeps_unit || !vc_str_is_null(member->unit)) {
            vc_put_field_name(buffer, "unit");
            vc_buffer_put_json(buffer, member->unit);
        }
        if (!vc_str_is_null(member->format)) vc_put_field_text(buffer, "format", member->format);
        vc_buffer_put_char(buffer, '}');
    }
    vc_buffer_put_char(buffer, ']');
}

void vc_put_meta(vc_buffer *buffer, const vc_result *result)
{
    vc_buffer_put_char(buffer, '{');
    vc_put_field_text(buffer, "cube", result->cube);
    vc_put_field_text(buffer, "snapshot", result->snapshot);
    vc_put_field_text(buffer, "definition", result->definition_hash);
    vc_put_field_name(buffer, "measures");
    vc_buffer_put_char(buffer, '[');
    for (size_t m = 0; m < result->nmeasures; m++) {
        put_separator(buffer, m);
        put_measure(buffer, &result->measures[m]);
    }
    vc_buffer_put_char(buffer, ']');
    vc_put_field_name(buffer, "levels");
    put_levels(buffer, result);
    put_properties(buffer, result);
    vc_put_field_count(buffer, "total_cell_count", result->total_cell_count);
    vc_put_field_name(buffer, "truncated");
    vc_buffer_put_text(buffer, result->is_truncated ? "true" : "false");
    vc_put_field_name(buffer, "coverage");
    vc_buffer_put_char(buffer, '[');
    for (size_t i = 0; i < result->ncoverage; i++) {
        put_separator(buffer, i);
        put_coverage(buffer, &result->coverage[i]);
    }
    vc_buffer_put_char(buffer, ']');
    if (result->ncalculated > 0) put_calculated(buffer, result);
    vc_put_field_name(buffer, "notices");
    vc_buffer_put_char(buffer, '[');
    for (size_t i = 0; i < result->nnotices; i++) {
        put_separator(buffer, i);
        put_notice(buffer, &result->notices[i]);
    }
    vc_buffer_put_char(buffer, ']');
    if (result->explain != NULL) {
        vc_put_field_name(buffer, "explain");
        vc_explain_put_json(buffer, result->explain);
    }
    vc_buffer_put_char(buffer, '}');
}
