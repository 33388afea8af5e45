/* Member sets: a name for what a cut selects. */
#include "cube/cut.h"
#include "cube/definition_parts.h"

static vc_status check_dimension(const vc_node *node, const vc_set_def *set)
{
    for (size_t i = 0; i < set->nconditions; i++)
        if (!vc_str_equal(set->conditions[i]->dimref.dimension, set->dim))
            return vc_node_fail(node, "bad_value",
                                "the set is of dimension '%.*s', but its cut is of '%.*s'",
                                VC_FMT(set->dim), VC_FMT(set->conditions[i]->dimref.dimension));
    return VC_OK;
}

static vc_status read_cut(const vc_node *node, vc_set_def *set)
{
    vc_error found = {0};
    vc_list conditions = {0};
    vc_source_text source = {.text = set->cut};
    vc_status status = vc_cut_parse(source, node->reader->arena, &conditions, &found);
    if (status == VC_BAD_INPUT) return vc_node_fail(node, "syntax", "%s", found.message);
    if (status != VC_OK) return vc_no_memory(node->reader->error);
    set->conditions = conditions.items;
    set->nconditions = conditions.count;
    return check_dimension(node, set);
}

static vc_status read_set(const vc_node *node, vc_names dimensions, vc_set_def *set)
{
    static const char *const known[] = {"name", "dim", "cut", NULL};
    vc_node dim = vc_node_field(node, "dim"), cut = vc_node_field(node, "cut");
    vc_status status;
    if ((status = vc_node_object(node, known)) != VC_OK ||
        (status = vc_field_need(node, "name")) != VC_OK ||
        (status = vc_field_need(node, "dim")) != VC_OK ||
        (status = vc_field_need(node, "cut")) != VC_OK ||
        (status = vc_field_name(node, "name", &set->name)) != VC_OK ||
        (status = vc_field_name(node, "dim", &set->dim)) != VC_OK ||
        (status = vc_field_text(node, "cut", &set->cut)) != VC_OK)
        return status;
    bool is_known = dimensions.count == 0;
    for (size_t i = 0; i < dimensions.count; i++)
        is_known |= vc_str_equal(dimensions.names[i], set->dim);
    if (!is_known)
        return vc_node_fail_unknown(&dim, "unknown_dimension", "dimension", set->dim, dimensions);
    return read_cut(&cut, set);
}

vc_status vc_read_sets(const vc_node *root, vc_names dimensions)
{
    vc_definition *definition = root->reader->definition;
    vc_node array = vc_node_field(root, "sets");
    size_t count;
    if (array.json == NULL) return VC_OK;
    vc_status status = vc_node_array(&array, 0, VC_DIMENSIONS_MAX, &count);
    if (status != VC_OK) return status;
    vc_set_def *sets = VC_ARENA_NEW(root->reader->arena, vc_set_def, count);
    vc_str *names = VC_ARENA_NEW(root->reader->arena, vc_str, count);
    if (sets == NULL || names == NULL) return vc_no_memory(root->reader->error);
    for (size_t i = 0; i < count; i++) {
        vc_node node = vc_node_element(&array, i);
        if ((status = read_set(&node, dimensions, &sets[i])) != VC_OK) return status;
        names[i] = sets[i].name;
        if ((status = vc_node_check_new(&node, "set", names[i], names, i)) != VC_OK) return status;
    }
    definition->sets = sets;
    definition->nsets = count;
    return VC_OK;
}
