/* Filters of Cube as conditions on members and as measure filters: the tree of them, and what all
 * tests share. */
#include "http/cubejs_parts.h"

#include "base/nearest.h"

#include <string.h>

static const vc_cubejs_operator operators[] = {
    {"equals", VC_CUBEJS_TEST_EQUALS, false},
    {"notEquals", VC_CUBEJS_TEST_EQUALS, true},
    {"in", VC_CUBEJS_TEST_EQUALS, false},
    {"notIn", VC_CUBEJS_TEST_EQUALS, true},
    {"contains", VC_CUBEJS_TEST_CONTAINS, false},
    {"notContains", VC_CUBEJS_TEST_CONTAINS, true},
    {"startsWith", VC_CUBEJS_TEST_STARTS_WITH, false},
    {"notStartsWith", VC_CUBEJS_TEST_STARTS_WITH, true},
    {"endsWith", VC_CUBEJS_TEST_ENDS_WITH, false},
    {"notEndsWith", VC_CUBEJS_TEST_ENDS_WITH, true},
    {"gt", VC_CUBEJS_TEST_GT, false},
    {"gte", VC_CUBEJS_TEST_GTE, false},
    {"lt", VC_CUBEJS_TEST_LT, false},
    {"lte", VC_CUBEJS_TEST_LTE, false},
    {"set", VC_CUBEJS_TEST_SET, false},
    {"notSet", VC_CUBEJS_TEST_SET, true},
    {"inDateRange", VC_CUBEJS_TEST_IN_DATE_RANGE, false},
    {"notInDateRange", VC_CUBEJS_TEST_IN_DATE_RANGE, true},
    {"beforeDate", VC_CUBEJS_TEST_BEFORE, false},
    {"beforeOrOnDate", VC_CUBEJS_TEST_BEFORE_OR_ON, false},
    {"afterDate", VC_CUBEJS_TEST_AFTER, false},
    {"afterOrOnDate", VC_CUBEJS_TEST_AFTER_OR_ON, false},
    {"measureFilter", VC_CUBEJS_TEST_MEASURE_FILTER, false},
};

enum { NOPERATORS = sizeof operators / sizeof operators[0], MAX_DEPTH = 16 };

static vc_status fail_at(vc_body_node node, vc_status status, vc_error *error)
{
    return vc_error_at_place(error, status, vc_body_node_place(node));
}

vc_status vc_cubejs_fail_operator(const vc_cubejs_test *of, vc_error *error)
{
    static const char *const kinds[] = {"a measure", "a time dimension", "a level", "a label",
                                        "an attribute"};
    vc_fail(error, VC_IMPOSSIBLE, "unsupported", "the operator '%s' is not for %s, which '%.*s' is",
            of->how->name, kinds[of->member->kind], VC_FMT(of->member->name));
    return fail_at(of->node, VC_IMPOSSIBLE, error);
}

/* ---- conditions ---- */

vc_condition *vc_cubejs_new_items(const vc_cubejs_reading *in, vc_dimref dimref, vc_item *items,
                                  size_t nitems, vc_place place)
{
    vc_condition *condition = VC_ARENA_NEW(in->arena, vc_condition, 1);
    if (condition == NULL || items == NULL) return NULL;
    for (size_t i = 0; i < nitems; i++)
        items[i].place = place;
    *condition = (vc_condition){.kind = VC_CONDITION_ITEMS,
                                .dimref = dimref,
                                .items = items,
                                .nitems = nitems,
                                .place = place};
    return condition;
}

/* NULL when out of memory, as when a child is. */
vc_condition *vc_cubejs_new_group(vc_arena *arena, vc_condition_kind kind,
                                  const vc_list *conditions, vc_place place)
{
    vc_condition *const *children = conditions->items;
    vc_condition *condition = VC_ARENA_NEW(arena, vc_condition, 1);
    if (condition == NULL) return NULL;
    if (conditions->count == 1 && kind != VC_CONDITION_NOT) return children[0];
    vc_dimref dimref = {.dimension = children[0]->dimref.dimension,
                        .place = children[0]->dimref.place};
    *condition = (vc_condition){.kind = kind,
                                .dimref = dimref,
                                .children = children,
                                .nchildren = conditions->count,
                                .place = place};
    return condition;
}

bool vc_cubejs_add_condition(vc_list *conditions, vc_arena *arena, vc_condition *condition)
{
    vc_condition **slot = condition == NULL ? NULL : VC_LIST_NEW(conditions, arena, vc_condition *);
    if (slot != NULL) *slot = condition;
    return slot != NULL;
}

vc_condition *vc_cubejs_negate(vc_arena *arena, vc_condition *condition)
{
    vc_list one = {0};
    if (!vc_cubejs_add_condition(&one, arena, condition)) return NULL;
    return vc_cubejs_new_group(arena, VC_CONDITION_NOT, &one, condition->place);
}

vc_status vc_cubejs_get_value(const vc_cubejs_reading *in, const vc_cubejs_test *of, size_t i,
                              vc_body_node *node_out, vc_str *text_out, vc_error *error)
{
    vc_status status = vc_body_node_element(of->values, i, in->arena, node_out, error);
    if (status != VC_OK) return status;
    *text_out = (vc_str){0};
    if (json_is_null(node_out->json)) return VC_OK;
    if (json_is_array(node_out->json) || json_is_object(node_out->json))
        return vc_body_node_fail_type(*node_out, "a string, a number or null", error);
    *text_out = vc_json_scalar_text(in->arena, node_out->json);
    return vc_str_is_null(*text_out) ? vc_no_memory(error) : VC_OK;
}

vc_status vc_cubejs_need_values(const vc_cubejs_test *of, size_t min, size_t max, vc_error *error)
{
    if (of->nvalues >= min && of->nvalues <= max) return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "bad_value", "the operator '%s' takes %s, found %zu",
            of->how->name,
            max == 0   ? "no value"
            : min == 2 ? "two values"
            : max == 1 ? "one value"
                       : "at least one value",
            of->nvalues);
    return fail_at(of->node, VC_BAD_INPUT, error);
}

/* ---- one filter ---- */

static vc_status find_operator(vc_body_node filter, const vc_cubejs_reading *in,
                               const vc_cubejs_operator **operator_out, vc_error *error)
{
    vc_body_node node;
    vc_nearest nearest;
    vc_str name;
    vc_status status = vc_body_node_field(filter, "operator", in->arena, &node, error);
    if (status != VC_OK) return status;
    if (node.json == NULL) return vc_body_node_fail_missing(filter, "operator", error);
    status = vc_body_node_name(node, "the name of an operator", in->arena, &name, error);
    if (status != VC_OK) return status;
    for (size_t i = 0; i < NOPERATORS; i++)
        if (vc_str_is(name, operators[i].name)) {
            *operator_out = &operators[i];
            return VC_OK;
        }
    vc_fail(error, VC_BAD_INPUT, "unknown_operator", "unknown operator '%.*s'", VC_FMT(name));
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < NOPERATORS; i++)
        vc_nearest_offer(&nearest, vc_str_of(operators[i].name));
    vc_nearest_report(&nearest, error);
    return fail_at(node, VC_BAD_INPUT, error);
}

static vc_status read_test(const vc_cubejs_reading *in, vc_body_node filter, vc_cubejs_test *of,
                           vc_error *error)
{
    static const char *const known[] = {"member", "operator", "values", NULL};
    vc_body_node member;
    vc_str name;
    *of = (vc_cubejs_test){.node = filter};
    vc_status status = vc_body_node_check_keys(filter, known, error);
    if (status == VC_OK) status = find_operator(filter, in, &of->how, error);
    if (status == VC_OK) status = vc_body_node_field(filter, "member", in->arena, &member, error);
    if (status != VC_OK) return status;
    if (member.json == NULL) return vc_body_node_fail_missing(filter, "member", error);
    status =
        vc_body_node_name(member, "a member like \"world.geo_country\"", in->arena, &name, error);
    if (status == VC_OK)
        status = vc_cubejs_need_member(in->catalog, name, vc_body_node_place(member), &of->member,
                                       error);
    if (status == VC_OK)
        status = vc_body_node_field(filter, "values", in->arena, &of->values, error);
    if (status != VC_OK || of->values.json == NULL) return status;
    if (!json_is_array(of->values.json))
        return vc_body_node_fail_type(of->values, "an array", error);
    of->nvalues = json_array_size(of->values.json);
    return VC_OK;
}

/* ---- measures ---- */

static vc_status read_numbers(const vc_cubejs_reading *in, const vc_cubejs_test *of,
                              vc_having *having, vc_error *error)
{
    double *numbers = VC_ARENA_NEW(in->arena, double, of->nvalues + 1);
    if (numbers == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < of->nvalues; i++) {
        vc_body_node node;
        vc_str text;
        vc_status status = vc_cubejs_get_value(in, of, i, &node, &text, error);
        if (status != VC_OK) return status;
        if (vc_str_is_null(text) || vc_parse_double(text, '.', &numbers[i]) != VC_PARSE_OK)
            return vc_body_node_fail_type(node, "a finite number", error);
    }
    having->values = numbers;
    having->nvalues = of->nvalues;
    return VC_OK;
}

/* A measure filter of a drill-down keeps what the measure counts: where it has a value. */
static vc_status read_having(const vc_cubejs_reading *in, const vc_cubejs_test *of,
                             vc_list *havings, vc_error *error)
{
    static const vc_operator ops[] = {
        [VC_CUBEJS_TEST_EQUALS] = VC_OP_EQ, [VC_CUBEJS_TEST_GT] = VC_OP_GT,
        [VC_CUBEJS_TEST_GTE] = VC_OP_GE,    [VC_CUBEJS_TEST_LT] = VC_OP_LT,
        [VC_CUBEJS_TEST_LTE] = VC_OP_LE,    [VC_CUBEJS_TEST_SET] = VC_OP_SET};
    vc_cubejs_test_id id = of->how->id;
    bool is_set = id == VC_CUBEJS_TEST_SET || id == VC_CUBEJS_TEST_MEASURE_FILTER;
    bool is_compared = id >= VC_CUBEJS_TEST_GT && id <= VC_CUBEJS_TEST_LTE;
    if (!is_set && !is_compared && id != VC_CUBEJS_TEST_EQUALS)
        return vc_cubejs_fail_operator(of, error);
    vc_status status = vc_cubejs_need_values(of, is_set ? 0 : 1,
                                             is_set        ? 0
                                             : is_compared ? 1
                                                           : SIZE_MAX,
                                             error);
    if (status != VC_OK) return status;
    vc_having *having = VC_LIST_NEW(havings, in->arena, vc_having);
    if (having == NULL) return vc_no_memory(error);
    having->measure = in->catalog->cube->measures[of->member->number].name;
    having->place = vc_body_node_place(of->node);
    having->op = is_set ? VC_OP_SET : ops[id];
    if (of->how->is_negated) having->op = is_set ? VC_OP_NOT_SET : VC_OP_NE;
    return read_numbers(in, of, having, error);
}

/* ---- and, or ---- */

static const char *group_key(const json_t *json)
{
    return json_object_get(json, "and") != NULL  ? "and"
           : json_object_get(json, "or") != NULL ? "or"
                                                 : NULL;
}

static vc_status read_group(const vc_cubejs_reading *in, vc_body_node filter, const char *key,
                            vc_body_node *array_out, vc_error *error)
{
    const char *const known[] = {key, NULL};
    vc_status status = vc_body_node_check_keys(filter, known, error);
    if (status == VC_OK) status = vc_body_node_field(filter, key, in->arena, array_out, error);
    if (status != VC_OK) return status;
    if (!json_is_array(array_out->json))
        return vc_body_node_fail_type(*array_out, "an array of filters", error);
    if (json_array_size(array_out->json) > 0) return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "bad_value", "found an empty array, expected at least one filter");
    return fail_at(*array_out, VC_BAD_INPUT, error);
}

/* A filter inside an `or`: on members of one dimension. */
static vc_status read_inner(const vc_cubejs_reading *in, vc_body_node filter, unsigned depth,
                            vc_condition **condition_out, vc_error *error)
{
    vc_body_node array;
    vc_list children = {0};
    vc_cubejs_test of;
    vc_status status;
    const char *key = group_key(filter.json);
    if (key == NULL) {
        status = read_test(in, filter, &of, error);
        if (status != VC_OK) return status;
        if (of.member->kind == VC_CUBEJS_MEASURE) {
            vc_fail(error, VC_IMPOSSIBLE, "or_dimensions",
                    "an 'or' is of members: '%.*s' is a measure", VC_FMT(of.member->name));
            return fail_at(filter, VC_IMPOSSIBLE, error);
        }
        return of.member->kind == VC_CUBEJS_TIME
                   ? vc_cubejs_read_time(in, &of, condition_out, error)
                   : vc_cubejs_read_members(in, &of, condition_out, error);
    }
    status = read_group(in, filter, key, &array, error);
    if (status == VC_OK && depth >= MAX_DEPTH) {
        vc_fail(error, VC_BAD_INPUT, "bad_value", "filters are nested more than %d deep",
                MAX_DEPTH);
        return fail_at(filter, VC_BAD_INPUT, error);
    }
    for (size_t i = 0; status == VC_OK && i < json_array_size(array.json); i++) {
        vc_body_node child;
        vc_condition *condition;
        status = vc_body_node_element(array, i, in->arena, &child, error);
        if (status == VC_OK && !json_is_object(child.json))
            return vc_body_node_fail_type(child, "a filter, which is an object", error);
        if (status == VC_OK) status = read_inner(in, child, depth + 1, &condition, error);
        if (status == VC_OK && !vc_cubejs_add_condition(&children, in->arena, condition))
            status = vc_no_memory(error);
        if (status != VC_OK) return status;
        vc_str first = (*(vc_condition *const *)children.items)->dimref.dimension;
        if (vc_str_equal(first, condition->dimref.dimension)) continue;
        vc_fail(error, VC_IMPOSSIBLE, "or_dimensions",
                "an 'or' stays within one dimension: found '%.*s' beside '%.*s'",
                VC_FMT(condition->dimref.dimension), VC_FMT(first));
        return fail_at(child, VC_IMPOSSIBLE, error);
    }
    if (status != VC_OK) return status;
    *condition_out =
        vc_cubejs_new_group(in->arena, key[0] == 'a' ? VC_CONDITION_AND : VC_CONDITION_OR,
                            &children, vc_body_node_place(filter));
    return *condition_out == NULL ? vc_no_memory(error) : VC_OK;
}

/* Filters that all hold: an `and` among them is taken apart, and so is a group of one. */
static vc_status read_all(const vc_cubejs_reading *in, vc_body_node array, unsigned depth,
                          vc_list *conditions, vc_list *havings, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; status == VC_OK && i < json_array_size(array.json); i++) {
        vc_body_node filter, inner;
        vc_cubejs_test of = {0};
        vc_condition *condition = NULL;
        status = vc_body_node_element(array, i, in->arena, &filter, error);
        if (status != VC_OK) return status;
        if (!json_is_object(filter.json))
            return vc_body_node_fail_type(filter, "a filter, which is an object", error);
        const char *key = group_key(filter.json);
        if (key != NULL) status = read_group(in, filter, key, &inner, error);
        if (status == VC_OK && key != NULL && depth < MAX_DEPTH &&
            (key[0] == 'a' || json_array_size(inner.json) == 1)) {
            status = read_all(in, inner, depth + 1, conditions, havings, error);
            continue;
        }
        if (status == VC_OK && key == NULL) status = read_test(in, filter, &of, error);
        if (status != VC_OK) return status;
        if (of.member != NULL && of.member->kind == VC_CUBEJS_MEASURE) {
            status = read_having(in, &of, havings, error);
            continue;
        }
        status = read_inner(in, filter, depth, &condition, error);
        if (status == VC_OK && !vc_cubejs_add_condition(conditions, in->arena, condition))
            status = vc_no_memory(error);
    }
    return status;
}

vc_status vc_cubejs_filters_read(const vc_cubejs_catalog *catalog, vc_body_node filters,
                                 int64_t today, vc_arena *arena, vc_list *conditions,
                                 vc_list *havings, bool *is_relative, vc_error *error)
{
    const vc_cubejs_reading in = {
        .catalog = catalog, .today = today, .arena = arena, .is_relative = is_relative};
    if (!json_is_array(filters.json)) return vc_body_node_fail_type(filters, "an array", error);
    return read_all(&in, filters, 0, conditions, havings, error);
}
