/* Calculated members of a cube. Their names are looked up when the cube is opened. */
#include "cube/definition_parts.h"

#include <limits.h>

vc_status vc_read_solve_order(const vc_node *object, const int **order_out)
{
    vc_node node = vc_node_field(object, "solve_order");
    if (node.json == NULL) return VC_OK;
    if (!json_is_integer(node.json)) return vc_node_fail_type(&node, "an integer");
    json_int_t value = json_integer_value(node.json);
    if (value < INT_MIN || value > INT_MAX)
        return vc_node_fail(&node, "bad_value", "a solve_order of at most %d", INT_MAX);
    int *order = VC_ARENA_NEW(object->reader->arena, int, 1);
    if (order == NULL) return vc_no_memory(object->reader->error);
    *order = (int)value;
    *order_out = order;
    return VC_OK;
}

/* The dimension and the expression taken apart; an error stands at its field. */
static vc_status parse(const vc_node *node, vc_str dim, vc_calculated_def *member)
{
    vc_error found = {0};
    vc_node expr = vc_node_field(node, "expr"), of_dim = vc_node_field(node, "dim");
    vc_status status = vc_calculated_parse(dim, node->reader->arena, member, &found);
    if (status == VC_OK) return VC_OK;
    if (status == VC_NO_MEMORY) return vc_no_memory(node->reader->error);
    *node->reader->error = found;
    node->reader->error->pointer[0] = '\0';
    vc_node_put_place(member->parsed == NULL && vc_str_is(vc_str_of(found.code), "expr") ? &expr
                                                                                         : &of_dim);
    return status;
}

static vc_status read_member(const vc_node *node, vc_names dimensions, vc_calculated_def *member)
{
    static const char *const known[] = {"dim",         "name", "label",  "parent",
                                        "level",       "expr", "format", "solve_order",
                                        "description", "unit", NULL};
    vc_node of_dim = vc_node_field(node, "dim");
    vc_str dim = {0};
    const int *order = NULL;
    vc_status status;
    if ((status = vc_node_object(node, known)) != VC_OK ||
        (status = vc_field_need(node, "dim")) != VC_OK ||
        (status = vc_field_need(node, "name")) != VC_OK ||
        (status = vc_field_need(node, "expr")) != VC_OK ||
        (status = vc_field_name(node, "dim", &dim)) != VC_OK ||
        (status = vc_field_name(node, "name", &member->name)) != VC_OK ||
        (status = vc_field_label(node, "label", &member->label)) != VC_OK ||
        (status = vc_field_text(node, "parent", &member->parent)) != VC_OK ||
        (status = vc_field_name(node, "level", &member->level)) != VC_OK ||
        (status = vc_field_text(node, "expr", &member->expr)) != VC_OK ||
        (status = vc_field_label(node, "unit", &member->unit)) != VC_OK ||
        (status = vc_field_text(node, "format", &member->format)) != VC_OK ||
        (status = vc_field_label(node, "description", &member->description)) != VC_OK ||
        (status = vc_read_solve_order(node, &order)) != VC_OK ||
        (status = parse(node, dim, member)) != VC_OK)
        return status;
    if (order != NULL) member->solve_order = *order;
    bool is_known = dimensions.count == 0;
    for (size_t i = 0; i < dimensions.count; i++)
        is_known |= vc_str_equal(dimensions.names[i], member->dim);
    if (!is_known)
        return vc_node_fail_unknown(&of_dim, "unknown_dimension", "dimension", member->dim,
                                    dimensions);
    vc_str pointer = vc_node_pointer(node);
    if (pointer.data == NULL) return vc_no_memory(node->reader->error);
    member->place = (vc_place){.where = pointer.data, .is_pointer = true};
    return VC_OK;
}

vc_status vc_read_calculated(const vc_node *root, vc_names dimensions)
{
    vc_definition *definition = root->reader->definition;
    vc_node array = vc_node_field(root, "calculated_members");
    size_t count;
    if (array.json == NULL) return VC_OK;
    vc_status status = vc_node_array(&array, 0, VC_CALCULATED_MAX, &count);
    if (status != VC_OK) return status;
    vc_calculated_def *members = VC_ARENA_NEW(root->reader->arena, vc_calculated_def, count + 1);
    if (members == NULL) return vc_no_memory(root->reader->error);
    for (size_t i = 0; i < count; i++) {
        vc_node node = vc_node_element(&array, i), name = vc_node_field(&node, "name");
        if ((status = read_member(&node, dimensions, &members[i])) != VC_OK) return status;
        for (size_t j = 0; j < i; j++)
            if (vc_str_equal(members[j].name, members[i].name) &&
                vc_str_equal(members[j].dim, members[i].dim))
                return vc_node_fail(&name, "duplicate_name",
                                    "there is a calculated member '%.*s' of '%.*s' already",
                                    VC_FMT(members[i].name), VC_FMT(members[i].dim));
    }
    definition->calculated = members;
    definition->ncalculated = count;
    return VC_OK;
}
