#include "cube/definition_parts.h"

/* {"use": "geo", "column": "country_code", "name": "origin"}: a shared dimension. */
static vc_status read_shared_use(const vc_node *node, vc_dimension_use *use)
{
    static const char *const known[] = {"use", "column", "name", NULL};
    vc_status status;
    if ((status = vc_node_object(node, known)) != VC_OK ||
        (status = vc_field_name(node, "use", &use->shared)) != VC_OK)
        return status;
    use->name = use->shared;
    if ((status = vc_field_name(node, "name", &use->name)) != VC_OK) return status;
    return vc_field_text(node, "column", &use->column);
}

static vc_status read_use(const vc_node *node, vc_dimension_use *use)
{
    if (!json_is_object(node->json)) return vc_node_fail_type(node, "an object");
    if (vc_node_has(node, "use")) return read_shared_use(node, use);
    vc_dimension_def *own = VC_ARENA_NEW(node->reader->arena, vc_dimension_def, 1);
    if (own == NULL) return vc_no_memory(node->reader->error);
    vc_status status = vc_read_dimension(node, false, own, &use->column);
    use->name = own->name;
    use->own = own;
    return status;
}

static vc_status read_uses(const vc_node *array, vc_cube_def *cube, vc_names *names_out)
{
    size_t count;
    vc_status status = vc_node_array(array, 1, VC_DIMENSIONS_MAX, &count);
    if (status != VC_OK) return status;
    cube->dimensions = VC_ARENA_NEW(array->reader->arena, vc_dimension_use, count);
    vc_str *names = VC_ARENA_NEW(array->reader->arena, vc_str, count);
    if (cube->dimensions == NULL || names == NULL) return vc_no_memory(array->reader->error);
    for (size_t i = 0; i < count; i++) {
        vc_node node = vc_node_element(array, i);
        if ((status = read_use(&node, &cube->dimensions[i])) != VC_OK) return status;
        vc_node name = vc_node_field(&node, vc_node_has(&node, "name") ? "name" : "use");
        names[i] = cube->dimensions[i].name;
        if ((status = vc_node_check_new(&name, "dimension", names[i], names, i)) != VC_OK)
            return status;
    }
    cube->ndimensions = count;
    *names_out = (vc_names){.names = names, .count = count};
    return VC_OK;
}

/* ---- "cluster": ["date", "customer.region"] ---- */

/* Is there a level of that name? Those of a shared dimension are not known here. */
static vc_status check_level(const vc_node *node, const vc_dimension_def *dimension, vc_str level)
{
    if (dimension == NULL) return VC_OK;
    size_t count = 0;
    for (size_t h = 0; h < dimension->nhierarchies; h++)
        count += dimension->hierarchies[h].nlevels;
    vc_str *names = VC_ARENA_NEW(node->reader->arena, vc_str, count);
    if (names == NULL) return vc_no_memory(node->reader->error);
    count = 0;
    for (size_t h = 0; h < dimension->nhierarchies; h++) {
        for (size_t l = 0; l < dimension->hierarchies[h].nlevels; l++) {
            names[count++] = dimension->hierarchies[h].levels[l].name;
            if (vc_str_equal(names[count - 1], level)) return VC_OK;
        }
    }
    return vc_node_fail_unknown(node, "unknown_level", "level", level, (vc_names){names, count});
}

static size_t find_name(vc_names names, vc_str name)
{
    size_t number = 0;
    while (number < names.count && !vc_str_equal(names.names[number], name))
        number++;
    return number;
}

static vc_status read_cluster_item(const vc_node *node, const vc_cube_def *cube, vc_names names,
                                   vc_cluster_def *item)
{
    vc_status status = vc_node_text(node, &item->text);
    if (status != VC_OK) return status;
    item->pointer = vc_node_pointer(node);
    if (vc_str_is_null(item->pointer)) return vc_no_memory(node->reader->error);
    vc_str name = item->text;
    item->dimension = find_name(names, name);
    /* A name may have points of its own, so each is tried. */
    for (size_t at = 1; item->dimension == names.count && at + 1 < item->text.size; at++) {
        if (item->text.data[at] != '.') continue;
        name = (vc_str){item->text.data, at};
        item->dimension = find_name(names, name);
        item->level = (vc_str){item->text.data + at + 1, item->text.size - at - 1};
    }
    if (item->dimension == names.count)
        return vc_node_fail_unknown(node, "unknown_dimension", "dimension", name, names);
    if (vc_str_is_null(item->level)) return VC_OK;
    return check_level(node, cube->dimensions[item->dimension].own, item->level);
}

static vc_status read_cluster(const vc_node *array, vc_names names, vc_cube_def *cube)
{
    size_t count;
    if (array->json == NULL) return VC_OK;
    vc_status status = vc_node_array(array, 0, VC_CLUSTER_MAX, &count);
    if (status != VC_OK) return status;
    cube->has_cluster = true;
    cube->cluster = VC_ARENA_NEW(array->reader->arena, vc_cluster_def, count);
    vc_str *texts = VC_ARENA_NEW(array->reader->arena, vc_str, count);
    if (cube->cluster == NULL || texts == NULL) return vc_no_memory(array->reader->error);
    for (size_t i = 0; i < count; i++) {
        vc_node node = vc_node_element(array, i);
        if ((status = read_cluster_item(&node, cube, names, &cube->cluster[i])) != VC_OK)
            return status;
        texts[i] = cube->cluster[i].text;
        if ((status = vc_node_check_new(&node, "entry", texts[i], texts, i)) != VC_OK)
            return status;
    }
    cube->ncluster = count;
    return VC_OK;
}

vc_status vc_read_cube(const vc_node *root, vc_cube_def *cube)
{
    static const char *const known[] = {VC_DEFINITION_FIELDS, "data",    "dimensions",
                                        "measures",           "cluster", "sets",
                                        "calculated_members", NULL};
    vc_node cluster = vc_node_field(root, "cluster");
    vc_node data = vc_node_field(root, "data");
    vc_node dimensions = vc_node_field(root, "dimensions");
    vc_node measures = vc_node_field(root, "measures");
    vc_names names, no_aliases = {0};
    vc_status status;
    if ((status = vc_node_object(root, known)) != VC_OK ||
        (status = vc_field_need(root, "dimensions")) != VC_OK ||
        (status = vc_field_need(root, "measures")) != VC_OK ||
        (status = vc_read_data(&data, &cube->data)) != VC_OK ||
        (status = read_uses(&dimensions, cube, &names)) != VC_OK ||
        (status = read_cluster(&cluster, names, cube)) != VC_OK ||
        (status = vc_read_sets(root, names)) != VC_OK ||
        (status = vc_read_calculated(root, names)) != VC_OK)
        return status;
    return vc_read_measures(&measures, false, names, no_aliases, &cube->measures, &cube->nmeasures);
}

vc_status vc_read_crosswalk(const vc_node *root, vc_crosswalk_def *crosswalk)
{
    static const char *const known[] = {
        VC_DEFINITION_FIELDS, "data",       "from",     "to",   "weight",
        "weights_sum_to_one", "valid_from", "valid_to", "note", NULL};
    static const vc_word sums[] = {{"none", VC_WEIGHTS_ANY, NULL},
                                   {"from", VC_WEIGHTS_ONE_PER_FROM, NULL},
                                   {"to", VC_WEIGHTS_ONE_PER_TO, NULL},
                                   {NULL, 0, NULL}};
    vc_node data = vc_node_field(root, "data");
    vc_node to = vc_node_field(root, "to");
    int sum = VC_WEIGHTS_ANY;
    vc_status status;
    if ((status = vc_node_object(root, known)) != VC_OK ||
        (status = vc_field_need(root, "data")) != VC_OK ||
        (status = vc_field_need(root, "from")) != VC_OK ||
        (status = vc_field_need(root, "to")) != VC_OK ||
        (status = vc_read_csv(&data, &crosswalk->data)) != VC_OK ||
        (status = vc_field_text(root, "from", &crosswalk->from)) != VC_OK ||
        (status = vc_field_text(root, "to", &crosswalk->to)) != VC_OK ||
        (status = vc_field_text(root, "weight", &crosswalk->weight)) != VC_OK ||
        (status = vc_field_text(root, "valid_from", &crosswalk->valid_from)) != VC_OK ||
        (status = vc_field_text(root, "valid_to", &crosswalk->valid_to)) != VC_OK ||
        (status = vc_field_text(root, "note", &crosswalk->note)) != VC_OK ||
        (status = vc_field_choice(root, "weights_sum_to_one", sums, &sum)) != VC_OK)
        return status;
    crosswalk->weights_sum = (vc_weights_sum)sum;
    if (vc_str_equal(crosswalk->from, crosswalk->to))
        return vc_node_fail(&to, "bad_value", "'from' and 'to' must be different columns");
    return VC_OK;
}
