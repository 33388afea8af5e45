#include "cube/cut.h"
#include "cube/definition_parts.h"
#include "cube/expr.h"
#include "cube/row_value.h"

#include <assert.h>
#include <string.h>

/* ---- what a measure of a source cube is made of ---- */

static vc_status read_aggregator(const vc_node *object, vc_measure_def *measure)
{
    static const vc_word words[] = {
        {"sum", VC_AGG_SUM, NULL},
        {"count", VC_AGG_COUNT, NULL},
        {"min", VC_AGG_MIN, NULL},
        {"max", VC_AGG_MAX, NULL},
        {"avg", VC_AGG_AVG, NULL},
        {"count_distinct", VC_AGG_COUNT_DISTINCT, NULL},
        {"weighted_avg", VC_AGG_WEIGHTED_AVG, NULL},
        {"median", VC_AGG_MEDIAN, NULL},
        {"quantile", VC_AGG_QUANTILE, NULL},
        {"stddev", VC_AGG_STDDEV, NULL},
        {"stddev_pop", VC_AGG_STDDEV_POP, NULL},
        {"variance", VC_AGG_VARIANCE, NULL},
        {"variance_pop", VC_AGG_VARIANCE_POP, NULL},
        {"percentile", 0, "aggregators 'percentile' (\"quantile\": 0.9 is the 90th percentile)"},
        {"last", 0, "aggregators 'last' (for the last member of one dimension see 'over')"},
        {"first", 0, "aggregators 'first' (for the first member of one dimension see 'over')"},
        {"last_nonempty", 0, "aggregators 'last_nonempty' (see 'over')"},
        {"first_nonempty", 0, "aggregators 'first_nonempty' (see 'over')"},
        {NULL, 0, NULL}};
    int aggregator = VC_AGG_NONE;
    vc_status status = vc_field_need(object, "aggregator");
    if (status == VC_OK) status = vc_field_choice(object, "aggregator", words, &aggregator);
    measure->aggregator = (vc_aggregator)aggregator;
    return status;
}

/* What other systems call our types. */
static vc_status fail_type_name(const vc_node *node, vc_str found)
{
    static const char *const names[][2] = {{"integer", "int"},        {"bigint", "int"},
                                           {"double", "float"},       {"real", "float"},
                                           {"decimal", "decimal(2)"}, {"numeric", "decimal(2)"}};
    vc_node_fail(node, "bad_value", "expected int, float or decimal(DIGITS), found '%.*s'",
                 VC_FMT(found));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (vc_str_is(found, names[i][0]))
            vc_error_add_candidate(node->reader->error, names[i][1], strlen(names[i][1]));
    return VC_BAD_INPUT;
}

/* "int", "float", "decimal(2)". */
static vc_status parse_type(const vc_node *node, vc_value_type *type_out, unsigned *scale_out)
{
    vc_str text = vc_json_str(node->json);
    if (vc_str_is_null(text)) return vc_node_fail_type(node, "a string");
    vc_str prefix = VC_STR("decimal(");
    if (vc_str_is(text, "int")) {
        *type_out = VC_VALUE_INT;
    } else if (vc_str_is(text, "float")) {
        *type_out = VC_VALUE_FLOAT;
    } else if (vc_str_starts_with(text, prefix) && vc_str_ends_with(text, VC_STR(")"))) {
        vc_str digits = {.data = text.data + prefix.size, .size = text.size - prefix.size - 1};
        int64_t scale;
        if (vc_parse_int(digits, &scale) != VC_PARSE_OK || scale < 0 || scale > VC_SCALE_MAX)
            return vc_node_fail(node, "bad_value",
                                "a decimal has 0 to %d digits behind the point, found '%.*s'",
                                VC_SCALE_MAX, VC_FMT(digits));
        *type_out = VC_VALUE_DECIMAL;
        *scale_out = (unsigned)scale;
    } else {
        return fail_type_name(node, text);
    }
    return VC_OK;
}

static vc_status read_type(const vc_node *object, vc_measure_def *measure)
{
    bool is_count =
        measure->aggregator == VC_AGG_COUNT || measure->aggregator == VC_AGG_COUNT_DISTINCT;
    vc_node node = vc_node_field(object, "type");
    if (node.json == NULL)
        return is_count ? VC_OK
                        : vc_node_fail(object, "missing_field",
                                       "the field 'type' is missing: int, float or "
                                       "decimal(DIGITS)");
    vc_status status = parse_type(&node, &measure->type, &measure->scale);
    if (status != VC_OK) return status;
    if (is_count && measure->type != VC_VALUE_INT)
        return vc_node_fail(&node, "bad_value", "a count is an int");
    return VC_OK;
}

/* "value": "price * quantity", in place of a column. */
static vc_status read_value(const vc_node *object, vc_measure_def *measure)
{
    vc_node node = vc_node_field(object, "value");
    vc_error *error = object->reader->error;
    vc_arena scratch = {0};
    vc_row_value *value;
    if (node.json == NULL) return VC_OK;
    if (vc_node_has(object, "column"))
        return vc_node_fail(&node, "bad_value", "a measure has a 'column' or a 'value', not both");
    if (measure->aggregator == VC_AGG_COUNT || measure->aggregator == VC_AGG_COUNT_DISTINCT)
        return vc_node_fail(&node, "bad_value", "a count takes a 'column', not a 'value'");
    vc_status status = vc_field_text(object, "value", &measure->value);
    if (status == VC_OK) {
        status = vc_row_value_new(measure->value, measure->type, measure->scale, &scratch, &value,
                                  error);
        if (status != VC_OK) vc_node_put_place(&node);
        vc_arena_release(&scratch);
    }
    return status;
}

/* A weighted average has a column of weights, floating point unless it says otherwise. */
static vc_status read_weight(const vc_node *object, vc_measure_def *measure)
{
    vc_node weight = vc_node_field(object, "weight"), type = vc_node_field(object, "weight_type");
    if (measure->aggregator == VC_AGG_AVG && weight.json != NULL)
        measure->aggregator = VC_AGG_WEIGHTED_AVG;
    if (measure->aggregator != VC_AGG_WEIGHTED_AVG) {
        const vc_node *extra = weight.json != NULL ? &weight : &type;
        return extra->json == NULL ? VC_OK
                                   : vc_node_fail(extra, "bad_value",
                                                  "weights go with the aggregator weighted_avg");
    }
    measure->weight_type = VC_VALUE_FLOAT;
    vc_status status = vc_field_need(object, "weight");
    if (status == VC_OK) status = vc_field_text(object, "weight", &measure->weight);
    if (status != VC_OK || type.json == NULL) return status;
    return parse_type(&type, &measure->weight_type, &measure->weight_scale);
}

/* "quantile": 0.9. */
static vc_status read_quantile(const vc_node *object, vc_measure_def *measure)
{
    vc_node node = vc_node_field(object, "quantile");
    measure->quantile = 0.5;
    if (measure->aggregator != VC_AGG_QUANTILE)
        return node.json == NULL ? VC_OK
                                 : vc_node_fail(&node, "bad_value",
                                                "'quantile' goes with the aggregator quantile");
    if (node.json == NULL) return vc_field_need(object, "quantile");
    if (!json_is_number(node.json)) return vc_node_fail_type(&node, "a number from 0 to 1");
    measure->quantile = json_number_value(node.json);
    if (measure->quantile >= 0 && measure->quantile <= 1) return VC_OK;
    return vc_node_fail(&node, "bad_value",
                        "expected a number from 0 to 1, such as 0.9 for the 90th percentile");
}

/* Which column is aggregated: by default the one named like the measure, for a count none. */
static vc_status read_operand(const vc_node *object, vc_names dimensions, vc_measure_def *measure)
{
    vc_node dimension = vc_node_field(object, "dimension");
    vc_status status;
    if ((status = vc_field_text(object, "column", &measure->column)) != VC_OK ||
        (status = vc_field_text(object, "dimension", &measure->dimension)) != VC_OK)
        return status;
    bool has_column = !vc_str_is_null(measure->column) || !vc_str_is_null(measure->value);
    bool has_dimension = dimension.json != NULL;
    if (measure->aggregator == VC_AGG_COUNT_DISTINCT) {
        if (has_column == has_dimension)
            return vc_node_fail(has_column ? &dimension : object,
                                has_column ? "bad_value" : "missing_field",
                                "count_distinct takes either a 'column' or a 'dimension'");
    } else if (has_dimension) {
        return vc_node_fail(&dimension, "bad_value",
                            "'dimension' goes with the aggregator count_distinct");
    } else if (!has_column && measure->aggregator != VC_AGG_COUNT) {
        measure->column = measure->name;
    }
    if (!has_dimension) return VC_OK;
    for (size_t i = 0; i < dimensions.count; i++)
        if (vc_str_equal(dimensions.names[i], measure->dimension)) return VC_OK;
    return vc_node_fail_unknown(&dimension, "unknown_dimension", "dimension", measure->dimension,
                                dimensions);
}

/* `last` and `first` are cuts, which any aggregator can follow. The others add up, over the rest,
 * what each combination of the other coordinates has along the dimension. */
static vc_status check_over(const vc_node *word, const vc_measure_def *measure)
{
    bool is_sum = measure->aggregator == VC_AGG_SUM;
    switch (measure->over) {
    case VC_OVER_AVG:
    case VC_OVER_MIN:
    case VC_OVER_MAX:
        if (is_sum) return VC_OK;
        return vc_node_fail(word, "bad_value",
                            "over '%s' is added up over the other dimensions: it goes with the "
                            "aggregator sum, not with %s",
                            vc_over_name(measure->over), vc_aggregator_name(measure->aggregator));
    case VC_OVER_LAST_NONEMPTY:
    case VC_OVER_FIRST_NONEMPTY:
        if (is_sum || measure->aggregator == VC_AGG_COUNT || measure->aggregator == VC_AGG_MIN ||
            measure->aggregator == VC_AGG_MAX || measure->aggregator == VC_AGG_AVG)
            return VC_OK;
        return vc_node_fail(
            word, "bad_value",
            "over '%s' goes with the aggregators sum, count, min, max and avg, not with %s",
            vc_over_name(measure->over), vc_aggregator_name(measure->aggregator));
    default: return VC_OK;
    }
}

/* "over": {"date": "last"}. */
static vc_status read_over(const vc_node *object, vc_names dimensions, vc_measure_def *measure)
{
    static const vc_word words[] = {{"last", VC_OVER_LAST, NULL},
                                    {"first", VC_OVER_FIRST, NULL},
                                    {"last_nonempty", VC_OVER_LAST_NONEMPTY, NULL},
                                    {"first_nonempty", VC_OVER_FIRST_NONEMPTY, NULL},
                                    {"avg", VC_OVER_AVG, NULL},
                                    {"min", VC_OVER_MIN, NULL},
                                    {"max", VC_OVER_MAX, NULL},
                                    {NULL, 0, NULL}};
    vc_node node = vc_node_field(object, "over");
    if (node.json == NULL) return VC_OK;
    if (!json_is_object(node.json))
        return vc_node_fail_type(&node, "an object {DIMENSION: \"last\"}");
    if (json_object_size(node.json) == 0)
        return vc_node_fail(&node, "bad_value", "expected {DIMENSION: \"last\"}, found {}");
    if (json_object_size(node.json) > 1)
        return vc_node_fail_unsupported(&node, "measures over several dimensions");
    const char *key = json_object_iter_key(json_object_iter((json_t *)node.json));
    vc_node word = vc_node_field(&node, key);
    measure->over_dimension = vc_arena_str(node.reader->arena, vc_str_of(key));
    if (measure->over_dimension.data == NULL) return vc_no_memory(node.reader->error);
    bool is_found = false;
    for (size_t i = 0; i < dimensions.count && !is_found; i++)
        is_found = vc_str_equal(dimensions.names[i], measure->over_dimension);
    if (!is_found)
        return vc_node_fail_unknown(&word, "unknown_dimension", "dimension",
                                    measure->over_dimension, dimensions);
    int over = VC_OVER_NONE;
    vc_status status = vc_field_choice(&node, key, words, &over);
    measure->over = (vc_over)over;
    return status == VC_OK ? check_over(&word, measure) : status;
}

/* "where": "promotion:1;2|!store:HQ". Which members there are is known when the cube is opened. */
static vc_status read_where(const vc_node *object, bool is_virtual, vc_names dimensions,
                            vc_measure_def *measure)
{
    vc_node node = vc_node_field(object, "where");
    vc_error *error = object->reader->error;
    vc_arena scratch = {0};
    vc_list list = {0};
    vc_status status = vc_field_text(object, "where", &measure->where);
    if (status != VC_OK || node.json == NULL) return status;
    vc_source_text text = {.text = measure->where, .where = "where"};
    status = vc_cut_parse(text, &scratch, &list, error);
    if (status != VC_OK) vc_node_put_place(&node);
    for (size_t i = 0; i < list.count && status == VC_OK && !is_virtual; i++) {
        vc_str name = ((vc_condition *const *)list.items)[i]->dimref.dimension;
        bool is_found = false;
        for (size_t d = 0; d < dimensions.count && !is_found; d++)
            is_found = vc_str_equal(dimensions.names[d], name);
        if (!is_found)
            status =
                vc_node_fail_unknown(&node, "unknown_dimension", "dimension", name, dimensions);
    }
    vc_arena_release(&scratch);
    return status;
}

static vc_status read_base_measure(const vc_node *node, vc_names dimensions,
                                   vc_measure_def *measure)
{
    vc_status status;
    if ((status = read_aggregator(node, measure)) != VC_OK ||
        (status = read_weight(node, measure)) != VC_OK ||
        (status = read_quantile(node, measure)) != VC_OK ||
        (status = read_type(node, measure)) != VC_OK ||
        (status = read_value(node, measure)) != VC_OK ||
        (status = read_operand(node, dimensions, measure)) != VC_OK)
        return status;
    return read_over(node, dimensions, measure);
}

/* ---- what a measure of a virtual cube takes from a source ---- */

static vc_status read_taken_measure(const vc_node *node, vc_names aliases, vc_measure_def *measure)
{
    vc_node source = vc_node_field(node, "source");
    vc_status status;
    if (source.json == NULL)
        return vc_node_fail(node, "missing_field",
                            "a measure takes a 'source' and a 'measure' of it, or an 'expr'");
    measure->measure = measure->name;
    if ((status = vc_field_text(node, "source", &measure->source)) != VC_OK ||
        (status = vc_field_text(node, "measure", &measure->measure)) != VC_OK ||
        (status = vc_read_fixes(node, &measure->fixes, &measure->nfixes)) != VC_OK ||
        (status = vc_read_unrelated(node, measure)) != VC_OK ||
        (status = vc_read_measure_mode(node, measure)) != VC_OK)
        return status;
    for (size_t i = 0; i < aliases.count; i++)
        if (vc_str_equal(aliases.names[i], measure->source)) return VC_OK;
    return vc_node_fail_unknown(&source, "unknown_source", "source", measure->source, aliases);
}

/* ---- calculated measures ---- */

/* Fields that say what is aggregated, which a calculated measure does not do. */
static vc_status refuse_beside_expr(const vc_node *node)
{
    static const char *const fields[] = {"aggregator",  "type",     "column",  "dimension",
                                         "over",        "source",   "measure", "fix",
                                         "unrelated",   "where",    "value",   "weight",
                                         "weight_type", "quantile", "mode",    "reaggregate"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        vc_node field = vc_node_field(node, fields[i]);
        if (field.json != NULL)
            return vc_node_fail(&field, "bad_value",
                                "a calculated measure has no '%s': its values come from the "
                                "measures in its 'expr' and are floating point",
                                fields[i]);
    }
    return VC_OK;
}

/* Calculated measures and what they use, as a graph. */
typedef struct call_graph {
    const vc_measure_def *measures;
    const size_t **operands; /* [nmeasures][noperands[i]] */
    size_t *noperands;
    size_t nmeasures;
} call_graph;

static vc_status read_operands(const vc_node *node, vc_names known, vc_arena *scratch,
                               const vc_measure_def *measure, const size_t **operands_out,
                               size_t *noperands_out)
{
    vc_expr *expr;
    size_t nnames;
    vc_error *error = node->reader->error;
    vc_node place = vc_node_field(node, "expr");
    if (vc_expr_parse(measure->expr, scratch, &expr, error) != VC_OK) {
        vc_node_put_place(&place);
        return error->status;
    }
    const vc_str *names = vc_expr_names(expr, &nnames);
    size_t *operands = VC_ARENA_NEW(scratch, size_t, nnames);
    if (operands == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nnames; i++) {
        size_t at = 0;
        while (at < known.count && !vc_str_equal(known.names[at], names[i]))
            at++;
        if (at == known.count)
            return vc_node_fail_unknown(&place, "unknown_measure", "measure of this cube", names[i],
                                        known);
        operands[i] = at;
    }
    *operands_out = operands;
    *noperands_out = nnames;
    return VC_OK;
}

/* "a -> b -> a", from the measures on the path; the last one leads back to path[first]. */
static vc_status fail_cycle(const vc_node *array, const call_graph *graph, const size_t *path,
                            size_t first, size_t end)
{
    vc_buffer loop = {0};
    for (size_t i = first; i < end; i++) {
        vc_buffer_put_str(&loop, graph->measures[path[i]].name);
        vc_buffer_put_text(&loop, " -> ");
    }
    vc_buffer_put_str(&loop, graph->measures[path[first]].name);
    vc_node measure = vc_node_element(array, path[first]);
    vc_node place = vc_node_field(&measure, "expr");
    vc_node_fail(&place, "definition_cycle", "calculated measures stand on themselves: %s",
                 vc_buffer_text(&loop));
    vc_buffer_release(&loop);
    return VC_BAD_INPUT;
}

/* Depth first with a path of its own: no recursion, whatever the definition looks like. */
static vc_status check_cycles(const vc_node *array, const call_graph *graph, vc_arena *scratch)
{
    enum { NEW = 0, ON_PATH, DONE };
    char *state = VC_ARENA_NEW(scratch, char, graph->nmeasures);
    size_t *path = VC_ARENA_NEW(scratch, size_t, graph->nmeasures);
    size_t *next = VC_ARENA_NEW(scratch, size_t, graph->nmeasures); /* operand to look at */
    if (state == NULL || path == NULL || next == NULL) return vc_no_memory(array->reader->error);
    for (size_t start = 0; start < graph->nmeasures; start++) {
        if (state[start] != NEW) continue;
        size_t depth = 0;
        path[depth++] = start;
        state[start] = ON_PATH;
        while (depth > 0) {
            size_t at = path[depth - 1];
            if (next[at] == graph->noperands[at]) {
                state[at] = DONE;
                depth--;
                continue;
            }
            size_t operand = graph->operands[at][next[at]++];
            if (state[operand] == DONE) continue;
            if (state[operand] == ON_PATH) {
                size_t first = 0;
                while (path[first] != operand)
                    first++;
                return fail_cycle(array, graph, path, first, depth);
            }
            state[operand] = ON_PATH;
            path[depth++] = operand;
        }
    }
    return VC_OK;
}

static vc_status check_expressions(const vc_node *array, const vc_measure_def *measures,
                                   vc_names known)
{
    vc_arena scratch = {0};
    call_graph graph = {.measures = measures,
                        .nmeasures = known.count,
                        .operands = VC_ARENA_NEW(&scratch, const size_t *, known.count),
                        .noperands = VC_ARENA_NEW(&scratch, size_t, known.count)};
    vc_status status = VC_OK;
    if (graph.operands == NULL || graph.noperands == NULL)
        status = vc_no_memory(array->reader->error);
    for (size_t i = 0; i < known.count && status == VC_OK; i++) {
        if (vc_str_is_null(measures[i].expr)) continue;
        vc_node node = vc_node_element(array, i);
        status = read_operands(&node, known, &scratch, &measures[i], &graph.operands[i],
                               &graph.noperands[i]);
    }
    if (status == VC_OK) status = check_cycles(array, &graph, &scratch);
    vc_arena_release(&scratch);
    return status;
}

/* ---- the list ---- */

#define MEASURE_FIELDS                                                                             \
    "name", "label", "unit", "format", "description", "expr", "where", "solve_order"

static vc_status read_measure(const vc_node *node, bool is_virtual, vc_names dimensions,
                              vc_names aliases, vc_measure_def *measure)
{
    static const char *const known_source[] = {MEASURE_FIELDS, "type",     "aggregator", "column",
                                               "dimension",    "over",     "value",      "weight",
                                               "weight_type",  "quantile", NULL};
    static const char *const known_virtual[] = {MEASURE_FIELDS, "source", "measure",     "fix",
                                                "unrelated",    "mode",   "reaggregate", NULL};
    vc_status status;
    if ((status = vc_node_object(node, is_virtual ? known_virtual : known_source)) != VC_OK ||
        (status = vc_field_need(node, "name")) != VC_OK ||
        (status = vc_field_name(node, "name", &measure->name)) != VC_OK)
        return status;
    measure->pointer = vc_node_pointer(node);
    if (measure->pointer.data == NULL) return vc_no_memory(node->reader->error);
    if ((status = vc_field_label(node, "label", &measure->label)) != VC_OK ||
        (status = vc_field_label(node, "unit", &measure->unit)) != VC_OK ||
        (status = vc_field_label(node, "format", &measure->format)) != VC_OK ||
        (status = vc_field_label(node, "description", &measure->description)) != VC_OK ||
        (status = vc_field_text(node, "expr", &measure->expr)) != VC_OK ||
        (status = vc_read_solve_order(node, &measure->solve_order)) != VC_OK)
        return status;
    vc_node order = vc_node_field(node, "solve_order");
    if (order.json != NULL && vc_str_is_null(measure->expr))
        return vc_node_fail(&order, "bad_value",
                            "'solve_order' is for measures with an 'expr': values of others are "
                            "what calculated members are made of");
    if (vc_str_is_null(measure->expr)) {
        status = read_where(node, is_virtual, dimensions, measure);
        if (status != VC_OK) return status;
    }
    if (is_virtual && vc_str_is_null(measure->expr))
        return read_taken_measure(node, aliases, measure);
    if (vc_str_is_null(measure->label)) measure->label = measure->name;
    if (vc_str_is_null(measure->expr)) return read_base_measure(node, dimensions, measure);
    measure->type = VC_VALUE_FLOAT;
    return refuse_beside_expr(node);
}

vc_status vc_read_measures(const vc_node *array, bool is_virtual, vc_names dimensions,
                           vc_names aliases, vc_measure_def **measures_out, size_t *nmeasures_out)
{
    size_t count;
    vc_status status = vc_node_array(array, is_virtual ? 0 : 1, VC_MEASURES_MAX, &count);
    if (status != VC_OK) return status;
    vc_measure_def *measures = VC_ARENA_NEW(array->reader->arena, vc_measure_def, count);
    vc_str *names = VC_ARENA_NEW(array->reader->arena, vc_str, count);
    if (measures == NULL || names == NULL) return vc_no_memory(array->reader->error);
    for (size_t i = 0; i < count; i++) {
        vc_node node = vc_node_element(array, i);
        status = read_measure(&node, is_virtual, dimensions, aliases, &measures[i]);
        if (status != VC_OK) return status;
        vc_node name = vc_node_field(&node, "name");
        names[i] = measures[i].name;
        if ((status = vc_node_check_new(&name, "measure", names[i], names, i)) != VC_OK)
            return status;
    }
    status = check_expressions(array, measures, (vc_names){.names = names, .count = count});
    if (status != VC_OK) return status;
    *measures_out = measures;
    *nmeasures_out = count;
    return VC_OK;
}
