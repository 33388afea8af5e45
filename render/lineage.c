#include "render/lineage.h"

#include "base/json_writer.h"
#include "render/facts.h"
#include "render/parts.h"

/* ---- JSON ---- */

static void put_number(vc_buffer *out, vc_value_type type, unsigned scale, const vc_cell *cell)
{
    vc_result_measure measure = {.type = type, .scale = scale};
    if (cell->is_null)
        vc_buffer_put_text(out, "null");
    else
        vc_put_number(out, &measure, cell);
}

static void put_cell(vc_json_writer *json, const char *key, vc_value_type type, unsigned scale,
                     const vc_cell *cell)
{
    vc_json_put_key(json, key);
    put_number(json->out, type, scale, cell);
}

static void put_reason(vc_json_writer *json, const char *key, const char *reason)
{
    if (*reason != '\0') vc_json_put_str(json, key, (vc_str){.data = reason, .size = 1});
}

static void put_value(vc_json_writer *json, vc_value_type type, unsigned scale, const vc_cell *cell)
{
    put_cell(json, "value", type, scale, cell);
    put_reason(json, "status", &cell->reason);
    if (cell->reason != 0) vc_json_put_text(json, "why", vc_reason_words(cell->reason));
}

/* {"count": 640, "listed": [{"key": ..., "label": ...}], "rest": 620} */
static void put_members(vc_json_writer *json, const char *key, const vc_lineage_members *members)
{
    vc_json_begin(json, key, '{');
    vc_json_put_uint(json, "count", members->count);
    vc_json_begin(json, "listed", '[');
    for (size_t i = 0; i < members->nitems; i++) {
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "key", members->items[i].key);
        if (!vc_str_is_null(members->items[i].label))
            vc_json_put_str(json, "label", members->items[i].label);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
    vc_json_put_uint(json, "rest", members->count - members->nitems);
    vc_json_end(json, '}');
}

static void put_links(vc_json_writer *json, const vc_lineage_dimension *dimension)
{
    vc_json_begin(json, "links", '{');
    vc_json_put_uint(json, "count", dimension->nlinks);
    vc_json_begin(json, "listed", '[');
    for (size_t i = 0; i < dimension->nlisted; i++) {
        const vc_lineage_link *link = &dimension->links[i];
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "from", link->from);
        vc_json_put_str(json, "to", link->to);
        if (!vc_str_is_null(link->from_key)) vc_json_put_str(json, "from_key", link->from_key);
        if (!vc_str_is_null(link->to_key)) vc_json_put_str(json, "to_key", link->to_key);
        vc_json_put_double(json, "weight", link->weight);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
    vc_json_put_uint(json, "rest", dimension->nlinks - dimension->nlisted);
    vc_json_end(json, '}');
}

static void put_dimension(vc_json_writer *json, const vc_lineage_dimension *dimension)
{
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "dim", dimension->name);
    vc_json_put_text(json, "how", dimension->how);
    vc_json_put_bool(json, "cut", dimension->is_cut);
    put_reason(json, "status", &dimension->reason);
    if (dimension->policy != NULL) vc_json_put_text(json, "policy", dimension->policy);
    vc_json_put_given(json, "stands_at", dimension->stands);
    vc_json_put_given(json, "to_dim", dimension->to_name);
    vc_json_put_given(json, "through", dimension->through);
    vc_json_put_given(json, "grain", dimension->level);
    put_members(json, "selected", &dimension->selected);
    if (dimension->links != NULL) {
        put_members(json, "translated", &dimension->translated);
        put_links(json, dimension);
    }
    vc_json_end(json, '}');
}

static void put_part(vc_json_writer *json, const vc_lineage_source *source,
                     const vc_lineage_part *part, bool is_rest)
{
    vc_json_begin(json, NULL, '{');
    if (is_rest) {
        vc_json_put_uint(json, "count", source->nparts - source->nlisted);
    } else {
        vc_json_begin(json, "keys", '[');
        for (size_t i = 0; i < source->nby; i++)
            vc_json_put_str(json, NULL, part->keys[i]);
        vc_json_end(json, ']');
        vc_json_begin(json, "labels", '[');
        for (size_t i = 0; i < source->nby; i++)
            vc_json_put_str(json, NULL, part->labels[i]);
        vc_json_end(json, ']');
    }
    put_cell(json, "value", source->part_type, source->part_scale, &part->value);
    vc_json_put_uint(json, "facts", part->facts);
    if (source->has_weights && !is_rest) vc_json_put_double(json, "weight", part->weight);
    if (source->has_weights) vc_json_put_double(json, "counts_for", part->counts_for);
    vc_json_end(json, '}');
}

static void put_parts(vc_json_writer *json, const vc_lineage_source *source)
{
    vc_json_begin(json, "parts", '{');
    vc_json_begin(json, "by", '[');
    for (size_t i = 0; i < source->nby; i++)
        vc_json_put_str(json, NULL, source->by[i]);
    vc_json_end(json, ']');
    vc_json_put_uint(json, "count", source->nparts);
    vc_json_begin(json, "listed", '[');
    for (size_t i = 0; i < source->nlisted; i++)
        put_part(json, source, &source->parts[i], false);
    vc_json_end(json, ']');
    if (source->nparts > source->nlisted) {
        vc_json_put_key(json, "rest");
        json->has_before = false;
        put_part(json, source, &source->rest, true);
    }
    vc_json_end(json, '}');
    vc_json_begin(json, "check", '{');
    vc_json_put_text(json, "how", source->putting);
    vc_json_put_bool(json, "checked", source->is_checked);
    if (source->is_checked) {
        vc_json_put_text(json, "from", source->from_facts ? "facts" : "parts");
        vc_json_put_bool(json, "adds_up", source->adds_up);
    }
    vc_json_end(json, '}');
}

static void put_source(vc_json_writer *json, const vc_lineage_source *source)
{
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "measure", source->measure);
    vc_json_put_str(json, "source", source->source);
    vc_json_put_str(json, "cube", source->cube);
    vc_json_put_text(json, "aggregator", vc_aggregator_name(source->aggregator));
    put_value(json, source->type, source->scale, &source->cell);
    vc_json_put_uint(json, "facts", source->nfacts);
    if (source->over_word != NULL) {
        vc_json_begin(json, "over", '{');
        vc_json_put_str(json, "dim", source->over);
        vc_json_put_text(json, "take", source->over_word);
        vc_json_end(json, '}');
    }
    vc_json_put_given(json, "where", source->where);
    vc_json_begin(json, "fixes", '[');
    for (size_t i = 0; i < source->nfixes; i++) {
        vc_json_begin(json, NULL, '{');
        vc_json_put_str(json, "dim", source->fixes[i].name);
        put_members(json, "members", &source->fixes[i].members);
        vc_json_end(json, '}');
    }
    vc_json_end(json, ']');
    vc_json_begin(json, "dimensions", '[');
    for (size_t i = 0; i < source->ndimensions; i++)
        put_dimension(json, &source->dimensions[i]);
    vc_json_end(json, ']');
    put_parts(json, source);
    vc_json_end(json, '}');
}

static void put_place(vc_json_writer *json, const vc_lineage *lineage,
                      const vc_lineage_place *place)
{
    vc_json_begin(json, NULL, '{');
    vc_json_put_str(json, "operand", place->operand);
    vc_json_put_str(json, "cut", place->cut);
    put_cell(json, "value", lineage->type, lineage->scale, &place->cell);
    put_reason(json, "status", &place->cell.reason);
    put_cell(json, "alone", lineage->type, lineage->scale, &place->alone);
    vc_json_end(json, '}');
}

/* A cell at a calculated member: what its expression is computed from. */
static void put_calculated(vc_json_writer *json, const vc_lineage *lineage)
{
    const vc_lineage_calculated *calculated = lineage->calculated;
    vc_json_begin(json, "calculated", '{');
    vc_json_put_str(json, "dim", calculated->dimension);
    vc_json_put_str(json, "name", calculated->name);
    vc_json_put_str(json, "label", calculated->label);
    vc_json_put_str(json, "expr", calculated->expr);
    vc_json_put_key(json, "solve_order");
    vc_buffer_put_int(json->out, calculated->solve_order);
    vc_json_begin(json, "operands", '{');
    vc_json_put_uint(json, "count", calculated->nplaces);
    vc_json_begin(json, "listed", '[');
    for (size_t i = 0; i < calculated->nlisted; i++)
        put_place(json, lineage, &calculated->places[i]);
    vc_json_end(json, ']');
    vc_json_put_uint(json, "rest", calculated->nplaces - calculated->nlisted);
    vc_json_end(json, '}');
    vc_json_put_bool(json, "adds_up", calculated->adds_up);
    vc_json_end(json, '}');
}

void vc_lineage_put_json(vc_buffer *out, const vc_lineage *lineage)
{
    vc_json_writer json = {.out = out};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "cube", lineage->cube);
    vc_json_put_str(&json, "snapshot", lineage->snapshot);
    vc_json_put_str(&json, "measure", lineage->measure);
    vc_json_put_given(&json, "unit", lineage->unit);
    vc_json_put_given(&json, "expr", lineage->expr);
    put_value(&json, lineage->type, lineage->scale, &lineage->cell);
    if (lineage->calculated != NULL) put_calculated(&json, lineage);
    vc_json_begin(&json, "operands", '[');
    for (size_t i = 0; i < lineage->noperands; i++) {
        const vc_lineage_operand *operand = &lineage->operands[i];
        vc_json_begin(&json, NULL, '{');
        vc_json_put_str(&json, "measure", operand->name);
        vc_json_put_given(&json, "expr", operand->expr);
        put_cell(&json, "value", operand->type, operand->scale, &operand->cell);
        put_reason(&json, "status", &operand->cell.reason);
        vc_json_end(&json, '}');
    }
    vc_json_end(&json, ']');
    vc_json_begin(&json, "sources", '[');
    for (size_t i = 0; i < lineage->nsources; i++)
        put_source(&json, &lineage->sources[i]);
    vc_json_end(&json, ']');
    vc_json_begin(&json, "notices", '[');
    for (size_t i = 0; i < lineage->nnotices; i++)
        vc_json_put_str(&json, NULL, lineage->notices[i].message);
    vc_json_end(&json, ']');
    vc_json_end(&json, '}');
}
