#include "query/filter.h"

#include "query/grammar.h"
#include "query/node.h"
#include "query/operator.h"

/* ---- one test of members ---- */

static const char *const test_fields[] = {"member", "operator", "values", "and", "or", NULL};

/* The values as texts, all of them scalars. */
static vc_status read_values(vc_body_node test, vc_arena *arena, vc_list *texts, vc_list *places,
                             vc_error *error)
{
    vc_body_node values;
    vc_status status = vc_body_node_field(test, "values", arena, &values, error);
    if (status != VC_OK || values.json == NULL) return status;
    if (!json_is_array(values.json)) return vc_body_node_fail_type(values, "an array", error);
    for (size_t i = 0; i < json_array_size(values.json); i++) {
        vc_body_node value;
        status = vc_body_node_element(values, i, arena, &value, error);
        if (status != VC_OK) return status;
        if (json_is_null(value.json))
            return vc_body_node_fail_type(
                value, "a key (the operators 'set' and 'notSet' test null)", error);
        if (json_is_array(value.json) || json_is_object(value.json))
            return vc_body_node_fail_type(value, "a string, a number or a boolean", error);
        vc_str *text = VC_LIST_NEW(texts, arena, vc_str);
        vc_place *place = VC_LIST_NEW(places, arena, vc_place);
        if (text == NULL || place == NULL) return vc_no_memory(error);
        *text = vc_json_scalar_text(arena, value.json);
        if (vc_str_is_null(*text)) return vc_no_memory(error);
        *place = vc_body_node_place(value);
    }
    return VC_OK;
}

/* What an operator makes of one value. */
static vc_item value_item(vc_operator_id id, const vc_str *value)
{
    switch (id) {
    case VC_OPERATOR_CONTAINS:
        return (vc_item){.kind = VC_ITEM_CONTAINS, .keys = value, .nkeys = 1};
    case VC_OPERATOR_STARTS_WITH:
        return (vc_item){.kind = VC_ITEM_STARTS_WITH, .keys = value, .nkeys = 1};
    case VC_OPERATOR_ENDS_WITH:
        return (vc_item){.kind = VC_ITEM_ENDS_WITH, .keys = value, .nkeys = 1};
    case VC_OPERATOR_GT:
    case VC_OPERATOR_GTE:
        return (vc_item){.kind = VC_ITEM_RANGE,
                         .keys = value,
                         .nkeys = 1,
                         .excludes_first = id == VC_OPERATOR_GT};
    case VC_OPERATOR_LT:
    case VC_OPERATOR_LTE:
        return (vc_item){.kind = VC_ITEM_RANGE,
                         .end_keys = value,
                         .nend_keys = 1,
                         .excludes_end = id == VC_OPERATOR_LT};
    case VC_OPERATOR_IN_DATE_RANGE:
        return (vc_item){.kind = VC_ITEM_RANGE,
                         .keys = value,
                         .nkeys = 1,
                         .end_keys = value + 1,
                         .nend_keys = 1};
    case VC_OPERATOR_SET: return (vc_item){.kind = VC_ITEM_NOT_NULL};
    case VC_OPERATOR_NOT_SET: return (vc_item){.kind = VC_ITEM_NULL};
    default: return (vc_item){.kind = VC_ITEM_PATH, .keys = value, .nkeys = 1};
    }
}

static vc_status make_items(vc_operator_id id, const vc_list *texts, const vc_list *places,
                            vc_arena *arena, vc_condition *condition, vc_error *error)
{
    const vc_str *values = texts->items;
    const vc_place *value_places = places->items;
    bool is_single =
        id == VC_OPERATOR_SET || id == VC_OPERATOR_NOT_SET || id == VC_OPERATOR_IN_DATE_RANGE;
    size_t nitems = is_single ? 1 : texts->count;
    vc_item *items = VC_ARENA_NEW(arena, vc_item, nitems);
    if (items == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nitems; i++) {
        items[i] = value_item(id, texts->count > 0 ? &values[i] : NULL);
        items[i].place = texts->count > 0 ? value_places[i] : condition->place;
    }
    condition->kind = VC_CONDITION_ITEMS;
    condition->items = items;
    condition->nitems = nitems;
    return VC_OK;
}

/* Put a condition above others, which are in an array of the arena. */
static vc_condition *new_parent(vc_arena *arena, vc_condition_kind kind, vc_place place,
                                vc_condition *const *children, size_t nchildren)
{
    vc_condition *condition = VC_ARENA_NEW(arena, vc_condition, 1);
    if (condition == NULL) return NULL;
    vc_dimref dimref = {.dimension = children[0]->dimref.dimension,
                        .place = children[0]->dimref.place};
    *condition = (vc_condition){.kind = kind,
                                .dimref = dimref,
                                .children = children,
                                .nchildren = nchildren,
                                .place = place};
    return condition;
}

static vc_status negate(vc_arena *arena, vc_condition **condition, vc_error *error)
{
    vc_condition **children = VC_ARENA_NEW(arena, vc_condition *, 1);
    if (children == NULL) return vc_no_memory(error);
    children[0] = *condition;
    *condition = new_parent(arena, VC_CONDITION_NOT, children[0]->place, children, 1);
    if (*condition == NULL) return vc_no_memory(error);
    (*condition)->dimref = children[0]->dimref;
    return VC_OK;
}

static vc_status read_member(vc_body_node test, vc_arena *arena, vc_dimref *dimref, vc_error *error)
{
    vc_body_node member;
    vc_status status = vc_body_node_field(test, "member", arena, &member, error);
    if (status != VC_OK) return status;
    if (member.json == NULL) return vc_body_node_fail_missing(test, "member", error);
    vc_str text;
    status = vc_body_node_name(member, "a member like \"geo.country\"", arena, &text, error);
    if (status != VC_OK) return status;
    vc_source_text source = {.text = text, .where = member.pointer};
    status = vc_dimref_parse(source, arena, dimref, error);
    dimref->place = vc_body_node_place(member);
    return status;
}

static vc_status read_operator(vc_body_node test, vc_arena *arena, vc_body_node *node,
                               const vc_operator_info **info_out, vc_error *error)
{
    vc_status status = vc_body_node_field(test, "operator", arena, node, error);
    if (status != VC_OK) return status;
    if (node->json == NULL) return vc_body_node_fail_missing(test, "operator", error);
    vc_str name;
    status = vc_body_node_name(*node, "the name of an operator", arena, &name, error);
    if (status != VC_OK) return status;
    status = vc_operator_find(name, false, info_out, error);
    return status == VC_OK ? VC_OK : vc_error_at_place(error, status, vc_body_node_place(*node));
}

static vc_status read_test(vc_body_node test, vc_arena *arena, vc_condition **condition_out,
                           vc_error *error)
{
    vc_status status = vc_body_node_check_keys(test, test_fields, error);
    if (status != VC_OK) return status;
    vc_condition *condition = VC_ARENA_NEW(arena, vc_condition, 1);
    if (condition == NULL) return vc_no_memory(error);
    condition->place = vc_body_node_place(test);
    vc_body_node operator_node;
    const vc_operator_info *info;
    vc_list texts = {0}, places = {0};
    status = read_member(test, arena, &condition->dimref, error);
    if (status == VC_OK) status = read_operator(test, arena, &operator_node, &info, error);
    if (status == VC_OK) status = read_values(test, arena, &texts, &places, error);
    if (status != VC_OK) return status;
    status = vc_operator_check_values(info, texts.count, error);
    if (status != VC_OK) return vc_error_at_place(error, status, vc_body_node_place(test));
    status = make_items(info->id, &texts, &places, arena, condition, error);
    if (status == VC_OK && info->id == VC_OPERATOR_NOT_EQUALS)
        status = negate(arena, &condition, error);
    *condition_out = condition;
    return status;
}

/* ---- and, or ---- */

/* Which of the two a filter is: its key, or NULL for a test. */
static const char *group_key(const json_t *json)
{
    return json_object_get(json, "and") != NULL  ? "and"
           : json_object_get(json, "or") != NULL ? "or"
                                                 : NULL;
}

/* The array under "and" or "or", which stands alone and is not empty. */
static vc_status read_group(vc_body_node filter, const char *key, vc_arena *arena,
                            vc_body_node *array_out, vc_error *error)
{
    const char *const known[] = {key, NULL};
    vc_status status = vc_body_node_check_keys(filter, known, error);
    if (status == VC_OK) status = vc_body_node_field(filter, key, arena, array_out, error);
    if (status != VC_OK) return status;
    if (!json_is_array(array_out->json))
        return vc_body_node_fail_type(*array_out, "an array of filters", error);
    if (json_array_size(array_out->json) > 0) return VC_OK;
    vc_fail(error, VC_BAD_INPUT, "bad_value", "found an empty array, expected at least one filter");
    return vc_error_at_place(error, VC_BAD_INPUT, vc_body_node_place(*array_out));
}

static vc_status read_condition(vc_body_node filter, vc_arena *arena, vc_condition **condition_out,
                                vc_error *error);

/* All children of a group, as one condition on one dimension. */
static vc_status read_children(vc_body_node filter, const char *key, vc_arena *arena,
                               vc_condition **condition_out, vc_error *error)
{
    vc_body_node array;
    vc_status status = read_group(filter, key, arena, &array, error);
    if (status != VC_OK) return status;
    size_t nchildren = json_array_size(array.json);
    vc_condition **children = VC_ARENA_NEW(arena, vc_condition *, nchildren);
    if (children == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nchildren; i++) {
        vc_body_node child;
        status = vc_body_node_element(array, i, arena, &child, error);
        if (status == VC_OK) status = read_condition(child, arena, &children[i], error);
        if (status != VC_OK) return status;
        vc_dimref first = children[0]->dimref, other = children[i]->dimref;
        if (vc_str_equal(first.dimension, other.dimension)) continue;
        vc_fail(error, VC_IMPOSSIBLE, "or_dimensions",
                "an 'or' stays within one dimension: found '%.*s' beside '%.*s'",
                VC_FMT(other.dimension), VC_FMT(first.dimension));
        return vc_error_at_place(error, VC_IMPOSSIBLE, other.place);
    }
    vc_condition_kind kind = key[0] == 'a' ? VC_CONDITION_AND : VC_CONDITION_OR;
    *condition_out = nchildren == 1
                         ? children[0]
                         : new_parent(arena, kind, vc_body_node_place(filter), children, nchildren);
    return *condition_out == NULL ? vc_no_memory(error) : VC_OK;
}

static vc_status read_condition(vc_body_node filter, vc_arena *arena, vc_condition **condition_out,
                                vc_error *error)
{
    if (!json_is_object(filter.json))
        return vc_body_node_fail_type(filter, "a filter, which is an object", error);
    const char *key = group_key(filter.json);
    return key == NULL ? read_test(filter, arena, condition_out, error)
                       : read_children(filter, key, arena, condition_out, error);
}

static vc_status add_filter(vc_body_node filter, vc_arena *arena, vc_list *conditions,
                            vc_error *error)
{
    const char *key = json_is_object(filter.json) ? group_key(filter.json) : NULL;
    if (key != NULL && key[0] == 'a') {
        vc_body_node array;
        vc_status status = read_group(filter, key, arena, &array, error);
        for (size_t i = 0; status == VC_OK && i < json_array_size(array.json); i++) {
            vc_body_node child;
            status = vc_body_node_element(array, i, arena, &child, error);
            if (status == VC_OK) status = add_filter(child, arena, conditions, error);
        }
        return status;
    }
    vc_condition *condition;
    vc_status status = read_condition(filter, arena, &condition, error);
    if (status != VC_OK) return status;
    vc_condition **slot = VC_LIST_NEW(conditions, arena, vc_condition *);
    if (slot == NULL) return vc_no_memory(error);
    *slot = condition;
    return VC_OK;
}

vc_status vc_filter_read(const json_t *json, const char *pointer, vc_arena *arena,
                         vc_list *conditions, vc_error *error)
{
    return add_filter((vc_body_node){.json = json, .pointer = pointer}, arena, conditions, error);
}
