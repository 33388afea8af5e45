/* Scalars, and strings wherever they stand for a text of a URL, go through the reader that the
 * parameter of that name has (query/fields.h). What else a list may hold has a reader here. */
#include "query/body.h"

#include "query/clauses.h"
#include "query/fields.h"
#include "query/filter.h"
#include "query/grammar.h"
#include "query/node.h"
#include "query/operator.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

static vc_status fail_value(vc_body_node node, const char *expected, vc_error *error)
{
    vc_fail(error, VC_BAD_INPUT, "bad_value", "expected %s", expected);
    return vc_error_at_place(error, VC_BAD_INPUT, vc_body_node_place(node));
}

/* A name inside an object. optional: stays absent when the key is not there. */
static vc_status read_name_of(vc_query_builder *builder, vc_body_node object, const char *key,
                              bool is_optional, vc_str *name_out, vc_error *error)
{
    vc_body_node field;
    vc_status status = vc_body_node_field(object, key, builder->arena, &field, error);
    if (status != VC_OK) return status;
    if (field.json == NULL && is_optional) return VC_OK;
    if (field.json == NULL) return vc_body_node_fail_missing(object, key, error);
    return vc_body_node_name(field, "a text", builder->arena, name_out, error);
}

static vc_status read_solve_order(vc_query_builder *builder, vc_body_node object, bool *has_out,
                                  int *order_out, vc_error *error)
{
    vc_body_node field;
    vc_status status = vc_body_node_field(object, "solve_order", builder->arena, &field, error);
    if (status != VC_OK || field.json == NULL) return status;
    if (!json_is_integer(field.json)) return vc_body_node_fail_type(field, "an integer", error);
    json_int_t value = json_integer_value(field.json);
    if (value < INT_MIN || value > INT_MAX)
        return fail_value(field, "an integer of at most 2147483647", error);
    *has_out = true;
    *order_out = (int)value;
    return VC_OK;
}

static vc_status read_measure(vc_query_builder *builder, vc_body_node node, vc_error *error)
{
    static const char *const known[] = {"name", "expr", "format", "unit", "solve_order", NULL};
    vc_measure_ref *measure = VC_LIST_NEW(&builder->measures, builder->arena, vc_measure_ref);
    if (measure == NULL) return vc_no_memory(error);
    measure->place = vc_body_node_place(node);
    if (json_is_string(node.json))
        return vc_body_node_name(node, "the name of a measure", builder->arena, &measure->name,
                                 error);
    vc_status status = vc_body_node_check_keys(node, known, error);
    if (status == VC_OK) status = read_name_of(builder, node, "name", false, &measure->name, error);
    if (status == VC_OK) status = read_name_of(builder, node, "expr", true, &measure->expr, error);
    if (status == VC_OK && !vc_str_is_null(measure->expr)) {
        vc_body_node expr;
        status = vc_body_node_field(node, "expr", builder->arena, &expr, error);
        measure->expr_place = vc_body_node_place(expr);
    }
    if (status == VC_OK)
        status = read_name_of(builder, node, "format", true, &measure->format, error);
    if (status == VC_OK) status = read_name_of(builder, node, "unit", true, &measure->unit, error);
    if (status == VC_OK)
        status = read_solve_order(builder, node, &measure->has_solve_order, &measure->solve_order,
                                  error);
    if (status == VC_OK && measure->has_solve_order && vc_str_is_null(measure->expr))
        return fail_value(node, "an 'expr' beside 'solve_order'", error);
    return status;
}

static vc_status read_axis(vc_query_builder *builder, vc_body_node node, vc_error *error)
{
    static const char *const known[] = {"dim", "level", NULL};
    vc_status status = vc_body_node_check_keys(node, known, error);
    if (status != VC_OK) return status;
    vc_str dim, level = {0};
    status = read_name_of(builder, node, "dim", false, &dim, error);
    if (status == VC_OK) status = read_name_of(builder, node, "level", true, &level, error);
    vc_body_node dim_node;
    if (status == VC_OK) status = vc_body_node_field(node, "dim", builder->arena, &dim_node, error);
    if (status != VC_OK) return status;
    vc_axis_ref *axis = VC_LIST_NEW(&builder->axes, builder->arena, vc_axis_ref);
    if (axis == NULL) return vc_no_memory(error);
    vc_source_text source = {.text = dim, .where = dim_node.pointer};
    status = vc_dimref_parse(source, builder->arena, &axis->dimref, error);
    if (status != VC_OK) return status;
    axis->dimref.place = vc_body_node_place(node);
    if (vc_str_is_null(level)) return VC_OK;
    if (!vc_str_is_null(axis->dimref.level))
        return fail_value(node, "one level, in 'level' or behind the '.' of 'dim'", error);
    axis->dimref.level = level;
    return VC_OK;
}

static vc_status read_filter(vc_query_builder *builder, vc_body_node node, vc_error *error)
{
    return vc_filter_read(node.json, node.pointer, builder->arena, &builder->conditions, error);
}

/* A number, also in a string. */
static vc_status read_number(vc_body_node node, double *value_out, vc_error *error)
{
    if (json_is_number(node.json)) {
        *value_out = json_number_value(node.json);
        return VC_OK;
    }
    if (!json_is_string(node.json)) return vc_body_node_fail_type(node, "a number", error);
    return vc_parse_double(vc_json_str(node.json), '.', value_out) == VC_PARSE_OK
               ? VC_OK
               : fail_value(node, "a finite number", error);
}

static vc_status read_numbers(vc_query_builder *builder, vc_body_node test, vc_having *having,
                              vc_error *error)
{
    vc_body_node values;
    vc_status status = vc_body_node_field(test, "values", builder->arena, &values, error);
    if (status != VC_OK || values.json == NULL) return status;
    if (!json_is_array(values.json))
        return vc_body_node_fail_type(values, "an array of numbers", error);
    size_t nvalues = json_array_size(values.json);
    double *numbers = VC_ARENA_NEW(builder->arena, double, nvalues);
    if (numbers == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nvalues; i++) {
        vc_body_node value;
        status = vc_body_node_element(values, i, builder->arena, &value, error);
        if (status == VC_OK) status = read_number(value, &numbers[i], error);
        if (status != VC_OK) return status;
    }
    having->values = numbers;
    having->nvalues = nvalues;
    return VC_OK;
}

static vc_status read_having(vc_query_builder *builder, vc_body_node node, vc_error *error)
{
    static const char *const known[] = {"member", "operator", "values", NULL};
    vc_status status = vc_body_node_check_keys(node, known, error);
    if (status != VC_OK) return status;
    vc_having *having = VC_LIST_NEW(&builder->havings, builder->arena, vc_having);
    if (having == NULL) return vc_no_memory(error);
    having->place = vc_body_node_place(node);
    vc_str name;
    status = read_name_of(builder, node, "member", false, &having->measure, error);
    if (status == VC_OK) status = read_name_of(builder, node, "operator", false, &name, error);
    if (status != VC_OK) return status;
    const vc_operator_info *info;
    status = vc_operator_find(name, true, &info, error);
    if (status != VC_OK) {
        vc_error_at_pointer(error, "%s/operator", node.pointer);
        return status;
    }
    having->op = info->measure_operator;
    status = read_numbers(builder, node, having, error);
    if (status != VC_OK) return status;
    status = vc_operator_check_values(info, having->nvalues, error);
    return status == VC_OK ? VC_OK : vc_error_at_place(error, status, vc_body_node_place(node));
}

static vc_status read_direction(vc_body_node node, bool *is_descending, vc_error *error)
{
    vc_str word = vc_json_str(node.json);
    if (vc_str_is_null(word)) return vc_body_node_fail_type(node, "\"asc\" or \"desc\"", error);
    return vc_direction_find(word, is_descending) ? VC_OK
                                                  : fail_value(node, "\"asc\" or \"desc\"", error);
}

/* ["pop", "desc"] or ["pop"] */
static vc_status read_order(vc_query_builder *builder, vc_body_node node, vc_error *error)
{
    size_t size = json_array_size(node.json);
    if (size < 1 || size > 2)
        return fail_value(node, "a pair of a name and a direction, like [\"pop\", \"desc\"]",
                          error);
    vc_order *order = VC_LIST_NEW(&builder->orders, builder->arena, vc_order);
    if (order == NULL) return vc_no_memory(error);
    order->place = vc_body_node_place(node);
    vc_body_node name, direction;
    vc_status status = vc_body_node_element(node, 0, builder->arena, &name, error);
    if (status == VC_OK)
        status =
            vc_body_node_name(name, "a measure or a level", builder->arena, &order->name, error);
    if (status == VC_OK && size == 2)
        status = vc_body_node_element(node, 1, builder->arena, &direction, error);
    if (status == VC_OK && size == 2)
        status = read_direction(direction, &order->is_descending, error);
    return status;
}

static vc_status read_top(vc_query_builder *builder, vc_body_node node, vc_error *error)
{
    static const char *const known[] = {"count", "dim", "measure", "order", "other", NULL};
    vc_status status = vc_body_node_check_keys(node, known, error);
    if (status != VC_OK) return status;
    vc_top *top = VC_LIST_NEW(&builder->tops, builder->arena, vc_top);
    if (top == NULL) return vc_no_memory(error);
    top->place = vc_body_node_place(node);
    vc_body_node count, order, other = {0};
    status = vc_body_node_field(node, "count", builder->arena, &count, error);
    if (status == VC_OK) status = vc_body_node_field(node, "other", builder->arena, &other, error);
    if (status == VC_OK) status = read_name_of(builder, node, "dim", false, &top->dimension, error);
    if (status == VC_OK)
        status = read_name_of(builder, node, "measure", false, &top->measure, error);
    if (status == VC_OK) status = vc_body_node_field(node, "order", builder->arena, &order, error);
    if (status != VC_OK) return status;
    if (count.json == NULL) return vc_body_node_fail_missing(node, "count", error);
    if (!json_is_integer(count.json)) return vc_body_node_fail_type(count, "an integer", error);
    if (json_integer_value(count.json) < 1) return fail_value(count, "at least 1", error);
    if (other.json != NULL && !json_is_boolean(other.json))
        return vc_body_node_fail_type(other, "true or false", error);
    top->count = (uint64_t)json_integer_value(count.json);
    top->has_other = json_is_true(other.json);
    bool is_descending = true;
    if (order.json != NULL) status = read_direction(order, &is_descending, error);
    top->is_ascending = !is_descending;
    return status;
}

static vc_status add_name(vc_list *names, const char *what, vc_query_builder *builder,
                          vc_body_node node, vc_error *error)
{
    vc_name_ref *ref = VC_LIST_NEW(names, builder->arena, vc_name_ref);
    if (ref == NULL) return vc_no_memory(error);
    ref->place = vc_body_node_place(node);
    return vc_body_node_name(node, what, builder->arena, &ref->name, error);
}

static vc_status read_property(vc_query_builder *builder, vc_body_node node, vc_error *error)
{
    return add_name(&builder->properties, "the name of an attribute", builder, node, error);
}

static vc_status read_nonempty(vc_query_builder *builder, vc_body_node node, vc_error *error)
{
    return add_name(&builder->nonempty, "the name of a dimension", builder, node, error);
}

static vc_status read_calculated(vc_query_builder *builder, vc_body_node node, vc_error *error)
{
    static const char *const known[] = {"dim",         "name", "label",  "parent",
                                        "level",       "expr", "format", "solve_order",
                                        "description", "unit", NULL};
    vc_status status = vc_body_node_check_keys(node, known, error);
    if (status != VC_OK) return status;
    vc_calculated_def *member =
        VC_LIST_NEW(&builder->calculated, builder->arena, vc_calculated_def);
    if (member == NULL) return vc_no_memory(error);
    vc_str dim;
    const struct {
        const char *key;
        bool is_optional;
        vc_str *out;
    } texts[] = {{"dim", false, &dim},
                 {"name", false, &member->name},
                 {"expr", false, &member->expr},
                 {"label", true, &member->label},
                 {"parent", true, &member->parent},
                 {"level", true, &member->level},
                 {"unit", true, &member->unit},
                 {"format", true, &member->format},
                 {"description", true, &member->description}};
    member->place = vc_body_node_place(node);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && status == VC_OK; i++)
        status =
            read_name_of(builder, node, texts[i].key, texts[i].is_optional, texts[i].out, error);
    bool has_order = false;
    if (status == VC_OK)
        status = read_solve_order(builder, node, &has_order, &member->solve_order, error);
    if (status != VC_OK) return status;
    status = vc_calculated_parse(dim, builder->arena, member, error);
    return status == VC_OK ? VC_OK : vc_error_at_place(error, status, member->place);
}

/* A list, and what its array may hold beside texts of the grammar. */
typedef struct list_field {
    const char *name;
    const char *text_field; /* whose grammar a string has; NULL: a string is no text */
    json_type element_type;
    vc_status (*read)(vc_query_builder *builder, vc_body_node element,
                      vc_error *error); /* or NULL */
    const char *expected;
} list_field;

static const list_field list_fields[] = {
    {"measures", NULL, JSON_OBJECT, read_measure, "a name or an object"},
    {"dimensions", "drilldown", JSON_OBJECT, read_axis, "an object or a string"},
    {"filters", NULL, JSON_OBJECT, read_filter, "an object"},
    {"drilldown", "drilldown", JSON_STRING, NULL, "a string"},
    {"cut", "cut", JSON_STRING, NULL, "a string"},
    {"having", "having", JSON_OBJECT, read_having, "an object or a string"},
    {"order", "order", JSON_ARRAY, read_order, "a pair like [\"pop\", \"desc\"] or a string"},
    {"top", "top", JSON_OBJECT, read_top, "an object or a string"},
    {"totals", "totals", JSON_STRING, NULL, "a string"},
    {"nonempty", NULL, JSON_STRING, read_nonempty, "a name"},
    {"properties", NULL, JSON_STRING, read_property, "a name"},
    {"calculated_members", NULL, JSON_OBJECT, read_calculated, "an object"},
};

static const list_field *find_list(const char *name)
{
    for (size_t i = 0; i < sizeof list_fields / sizeof list_fields[0]; i++)
        if (strcmp(name, list_fields[i].name) == 0) return &list_fields[i];
    return NULL;
}

/* A scalar as the text it would be in a URL. */
static vc_status put_scalar(vc_query_builder *builder, const char *name, vc_body_node node,
                            vc_error *error)
{
    vc_source_text source = {.text = vc_json_scalar_text(builder->arena, node.json),
                             .where = node.pointer};
    if (vc_str_is_null(source.text)) return vc_no_memory(error);
    return vc_query_field_put(vc_query_field_find(vc_str_of(name)), builder, source, error);
}

static vc_status read_element(vc_query_builder *builder, const list_field *field,
                              vc_body_node element, vc_error *error)
{
    if (field->text_field != NULL && json_is_string(element.json))
        return put_scalar(builder, field->text_field, element, error);
    bool is_measure_name = field->read == read_measure && json_is_string(element.json);
    if (json_typeof(element.json) != field->element_type && !is_measure_name)
        return vc_body_node_fail_type(element, field->expected, error);
    return field->read(builder, element, error);
}

static vc_status read_list(vc_query_builder *builder, const list_field *field, vc_body_node node,
                           vc_error *error)
{
    bool has_text = vc_query_field_find(vc_str_of(field->name)) != NULL;
    if (has_text && json_is_string(node.json)) return put_scalar(builder, field->name, node, error);
    if (!json_is_array(node.json))
        return vc_body_node_fail_type(node, has_text ? "an array or a string" : "an array", error);
    for (size_t i = 0; i < json_array_size(node.json); i++) {
        vc_body_node element;
        vc_status status = vc_body_node_element(node, i, builder->arena, &element, error);
        if (status == VC_OK) status = read_element(builder, field, element, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

static vc_status read_field(vc_query_builder *builder, const char *name, vc_body_node node,
                            vc_error *error)
{
    if (strcmp(name, "cube") == 0)
        return vc_body_node_name(node, "the name of a cube", builder->arena, &builder->query.cube,
                                 error);
    const list_field *list = find_list(name);
    if (list != NULL) return read_list(builder, list, node, error);
    if (json_is_array(node.json) || json_is_object(node.json))
        return vc_body_node_fail_type(node, "one value", error);
    return put_scalar(builder, name, node, error);
}

static vc_status check_known(vc_body_node body, vc_error *error)
{
    const char *known[40] = {"cube", "dimensions", "filters", "calculated_members"};
    size_t count = 4;
    for (size_t i = 0; vc_query_field_name(i) != NULL; i++) {
        assert(count + 1 < sizeof known / sizeof known[0]);
        known[count++] = vc_query_field_name(i);
    }
    return vc_body_node_check_keys(body, known, error);
}

vc_status vc_body_read(const json_t *json, const char *pointer, vc_str default_cube,
                       vc_arena *arena, vc_query *query_out, vc_error *error)
{
    vc_body_node body = {.json = json, .pointer = pointer};
    if (!json_is_object(json))
        return vc_body_node_fail_type(body, "a query, which is an object", error);
    vc_status status = check_known(body, error);
    if (status != VC_OK) return status;
    vc_query_builder builder;
    vc_query_builder_init(&builder, arena);
    builder.query.cube = default_cube;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)json, name, value)
    {
        vc_body_node field;
        status = vc_body_node_field(body, name, arena, &field, error);
        if (status == VC_OK && field.json != NULL)
            status = read_field(&builder, name, field, error);
        if (status != VC_OK) return status;
    }
    if (vc_str_is_null(builder.query.cube)) return vc_body_node_fail_missing(body, "cube", error);
    *query_out = vc_query_builder_finish(&builder);
    return VC_OK;
}

vc_status vc_body_parse(vc_str text, unsigned max_depth, vc_arena *arena, vc_query *query_out,
                        vc_error *error)
{
    json_t *json;
    vc_status status = vc_json_parse(text, NULL, max_depth, &json, error);
    if (status != VC_OK) return status;
    status = vc_body_read(json, "", (vc_str){0}, arena, query_out, error);
    json_decref(json);
    return status;
}
