/* A query of Cube in full as a query of ours.
 *
 * Cube groups by any dimensions; ours drills each dimension to one level. Levels of one hierarchy
 * that are asked together are its lowest one with those above it; labels and attributes are looked
 * up beside members. So that rows are Cube's groups, one of the columns must tell the members of
 * the drilled level apart: otherwise two rows would look the same, and a client keeps only one of
 * them.
 */
#include "http/cubejs.h"

#include "base/nearest.h"

#include <string.h>

typedef struct translating {
    vc_model *model;
    const vc_cubejs_name *names;
    size_t nnames;
    vc_body_node query;
    int64_t today;
    vc_arena *arena;
    bool *is_relative;
    vc_cubejs_query *out;
    vc_list outputs, measures, conditions, havings, orders, properties;
} translating;

static vc_status fail_at(vc_body_node node, vc_status status, vc_error *error)
{
    return vc_error_at_place(error, status, vc_body_node_place(node));
}

/* ---- the cube ---- */

static vc_str cube_of(vc_str name)
{
    return vc_str_split(&name, '.');
}

static vc_status fail_unknown_cube(const translating *in, vc_str name, vc_error *error)
{
    vc_nearest nearest;
    vc_fail(error, VC_NOT_FOUND, "unknown_cube", "there is no cube '%.*s'", VC_FMT(name));
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < in->nnames; i++)
        vc_nearest_offer(&nearest, in->names[i].name);
    vc_nearest_report(&nearest, error);
    return VC_NOT_FOUND;
}

/* The cube is that of the first member; another's is refused: joins are made by definitions. */
static vc_status meet_cube(translating *in, vc_str member, vc_error *error)
{
    vc_str name = cube_of(member);
    if (in->out->catalog == NULL) {
        for (size_t i = 0; i < in->nnames; i++)
            if (vc_str_equal(in->names[i].name, name))
                return vc_cubejs_catalog_get(in->model, &in->names[i], &in->out->catalog, error);
        return fail_unknown_cube(in, name, error);
    }
    if (vc_str_equal(in->out->catalog->name, name)) return VC_OK;
    return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                   "a query is about one cube: found '%.*s' beside '%.*s'; cubes are joined by a "
                   "virtual cube",
                   VC_FMT(name), VC_FMT(in->out->catalog->name));
}

/* A member that stands as a text in the JSON. */
static vc_status need_member(translating *in, vc_body_node node,
                             const vc_cubejs_member **member_out, vc_error *error)
{
    vc_str name = vc_json_str(node.json);
    vc_status status = meet_cube(in, name, error);
    if (status != VC_OK) return fail_at(node, status, error);
    return vc_cubejs_need_member(in->out->catalog, name, vc_body_node_place(node), member_out,
                                 error);
}

/* ---- columns ---- */

static const vc_cubejs_output *find_output(const translating *in, vc_str name)
{
    const vc_cubejs_output *outputs = in->outputs.items;
    for (size_t i = 0; i < in->outputs.count; i++)
        if (vc_str_equal(outputs[i].name, name)) return &outputs[i];
    return NULL;
}

/* What is asked for twice is one column. */
static vc_status add_output(translating *in, const vc_cubejs_output *output, vc_error *error)
{
    if (find_output(in, output->name) != NULL) return VC_OK;
    vc_cubejs_output *slot = VC_LIST_NEW(&in->outputs, in->arena, vc_cubejs_output);
    if (slot == NULL) return vc_no_memory(error);
    *slot = *output;
    return VC_OK;
}

static vc_status add_measure(translating *in, size_t number, vc_place place, vc_error *error)
{
    vc_measure_ref *ref = VC_LIST_NEW(&in->measures, in->arena, vc_measure_ref);
    if (ref == NULL) return vc_no_memory(error);
    *ref = (vc_measure_ref){.name = in->out->catalog->cube->measures[number].name, .place = place};
    return VC_OK;
}

static vc_status read_measure(translating *in, vc_body_node node, vc_error *error)
{
    const vc_cubejs_member *member;
    vc_status status = need_member(in, node, &member, error);
    if (status != VC_OK) return status;
    if (member->kind != VC_CUBEJS_MEASURE) {
        vc_fail(error, VC_BAD_INPUT, "bad_value", "'%.*s' is a dimension, no measure",
                VC_FMT(member->name));
        return fail_at(node, VC_BAD_INPUT, error);
    }
    if (find_output(in, member->name) != NULL) return VC_OK;
    vc_cubejs_output output = {
        .member = member, .name = member->name, .number = in->measures.count};
    status = add_output(in, &output, error);
    return status == VC_OK ? add_measure(in, member->number, vc_body_node_place(node), error)
                           : status;
}

static vc_status add_property(translating *in, const vc_cubejs_member *member, vc_place place,
                              vc_error *error)
{
    vc_name_ref *ref = VC_LIST_NEW(&in->properties, in->arena, vc_name_ref);
    if (ref == NULL) return vc_no_memory(error);
    ref->place = place;
    ref->name = vc_arena_printf(in->arena, "%.*s.%.*s",
                                VC_FMT(in->out->catalog->cube->dimensions[member->number].name),
                                VC_FMT(member->attribute->name));
    return vc_str_is_null(ref->name) ? vc_no_memory(error) : VC_OK;
}

static vc_status read_dimension(translating *in, vc_body_node node, vc_error *error)
{
    const vc_cubejs_member *member;
    vc_status status = need_member(in, node, &member, error);
    if (status != VC_OK) return status;
    if (member->kind == VC_CUBEJS_MEASURE) {
        vc_fail(error, VC_BAD_INPUT, "bad_value", "'%.*s' is a measure, no dimension",
                VC_FMT(member->name));
        return fail_at(node, VC_BAD_INPUT, error);
    }
    vc_cubejs_output output = {.member = member, .name = member->name};
    if (member->kind == VC_CUBEJS_TIME)
        output.part = vc_cubejs_finest_time(in->out->catalog, member->number)->part;
    if (member->kind == VC_CUBEJS_ATTRIBUTE && find_output(in, member->name) == NULL)
        status = add_property(in, member, vc_body_node_place(node), error);
    return status == VC_OK ? add_output(in, &output, error) : status;
}

/* ---- time dimensions ---- */

static vc_status fail_granularity(const translating *in, const vc_cubejs_member *member,
                                  vc_body_node node, vc_error *error)
{
    const vc_cubejs_catalog *catalog = in->out->catalog;
    vc_str found = vc_json_str(node.json);
    vc_fail(error, VC_IMPOSSIBLE, "unsupported", "'%.*s' has no level of the granularity '%.*s'",
            VC_FMT(member->name), VC_FMT(found));
    for (vc_time_part part = VC_TIME_YEAR; part <= VC_TIME_DAY; part++) {
        vc_str name = vc_str_of(vc_cubejs_part_name(part));
        if (vc_cubejs_find_time(catalog, member->number, part) != NULL)
            vc_error_add_candidate(error, name.data, name.size);
    }
    return fail_at(node, VC_IMPOSSIBLE, error);
}

static vc_status read_granularity(translating *in, const vc_cubejs_member *member,
                                  vc_body_node node, vc_error *error)
{
    vc_cubejs_output output = {.member = member,
                               .part = vc_cubejs_part_find(vc_json_str(node.json))};
    if (output.part == VC_TIME_NONE ||
        vc_cubejs_find_time(in->out->catalog, member->number, output.part) == NULL)
        return fail_granularity(in, member, node, error);
    output.name = vc_arena_printf(in->arena, "%.*s.%s", VC_FMT(member->name),
                                  vc_cubejs_part_name(output.part));
    if (vc_str_is_null(output.name)) return vc_no_memory(error);
    output.also = member->name;
    for (size_t i = 0; i < in->outputs.count; i++) { /* of several the first has the short name */
        const vc_cubejs_output *other = (const vc_cubejs_output *)in->outputs.items + i;
        if (vc_str_equal(other->name, output.also) || vc_str_equal(other->also, output.also))
            output.also = (vc_str){0};
    }
    return add_output(in, &output, error);
}

static vc_status read_time(translating *in, vc_body_node node, vc_error *error)
{
    vc_body_node dimension, granularity, range;
    const vc_cubejs_member *member;
    vc_status status = vc_body_node_field(node, "dimension", in->arena, &dimension, error);
    if (status == VC_OK)
        status = vc_body_node_field(node, "granularity", in->arena, &granularity, error);
    if (status == VC_OK) status = vc_body_node_field(node, "dateRange", in->arena, &range, error);
    if (status == VC_OK) status = need_member(in, dimension, &member, error);
    if (status != VC_OK) return status;
    if (member->kind != VC_CUBEJS_TIME) {
        vc_fail(error, VC_BAD_INPUT, "bad_value", "'%.*s' is no time dimension",
                VC_FMT(member->name));
        for (size_t i = 0; i < in->out->catalog->nmembers; i++) {
            const vc_cubejs_member *other = &in->out->catalog->members[i];
            if (other->kind == VC_CUBEJS_TIME)
                vc_error_add_candidate(error, other->name.data, other->name.size);
        }
        return fail_at(dimension, VC_BAD_INPUT, error);
    }
    if (granularity.json != NULL) status = read_granularity(in, member, granularity, error);
    if (status != VC_OK || range.json == NULL) return status;
    vc_cubejs_range days;
    vc_condition **slot = VC_LIST_NEW(&in->conditions, in->arena, vc_condition *);
    if (slot == NULL) return vc_no_memory(error);
    status = vc_cubejs_range_read(range, in->today, in->arena, &days, in->is_relative, error);
    if (status != VC_OK) return status;
    return vc_cubejs_range_condition(in->out->catalog, member->number, &days,
                                     vc_body_node_place(range), in->arena, slot, error);
}

/* ---- axes ---- */

/* The level of a hierarchy that a column needs; false when it has none there. */
static bool find_level(const translating *in, const vc_cubejs_output *output, unsigned hierarchy,
                       unsigned *level_out)
{
    const vc_cubejs_member *member = output->member;
    const vc_cubejs_catalog *catalog = in->out->catalog;
    const vc_dimension *dimension = catalog->cube->dimensions[member->number].dimension;
    *level_out = member->level;
    if (member->kind == VC_CUBEJS_ATTRIBUTE && member->attribute->hierarchy < 0)
        *level_out = dimension->hierarchies[hierarchy].nlevels - 1;
    else if (member->kind != VC_CUBEJS_TIME)
        return member->hierarchy == hierarchy;
    if (member->kind != VC_CUBEJS_TIME) return true;
    for (size_t i = 0; i < catalog->ntimes; i++) {
        const vc_cubejs_time_level *time = &catalog->times[i];
        if (time->dimension != member->number || time->hierarchy != hierarchy ||
            time->part != output->part)
            continue;
        *level_out = time->level;
        return true;
    }
    return false;
}

static bool is_on_axis(const vc_cubejs_output *output, size_t dimension)
{
    return output->member->kind != VC_CUBEJS_MEASURE && output->member->number == dimension;
}

/* A hierarchy that has all that is asked of a dimension, and the lowest of the levels. */
static bool find_hierarchy(const translating *in, vc_cubejs_axis *axis)
{
    const vc_cubejs_output *outputs = in->outputs.items;
    const vc_dimension *dimension = in->out->catalog->cube->dimensions[axis->dimension].dimension;
    for (unsigned h = 0; h < dimension->nhierarchies; h++) {
        bool has_all = true;
        axis->hierarchy = h;
        axis->level = 0;
        for (size_t i = 0; i < in->outputs.count && has_all; i++) {
            unsigned level;
            if (!is_on_axis(&outputs[i], axis->dimension)) continue;
            has_all = find_level(in, &outputs[i], h, &level);
            if (has_all && level > axis->level) axis->level = level;
        }
        if (has_all) return true;
    }
    return false;
}

/* Does a column tell the members of the drilled level apart? */
static bool tells_apart(const translating *in, const vc_cubejs_output *output,
                        const vc_cubejs_axis *axis)
{
    unsigned level;
    const vc_dimension *dimension = in->out->catalog->cube->dimensions[axis->dimension].dimension;
    if (!find_level(in, output, axis->hierarchy, &level) || level != axis->level) return false;
    if (output->member->kind == VC_CUBEJS_ATTRIBUTE && output->member->attribute->hierarchy < 0 &&
        dimension->hierarchies[axis->hierarchy].levels[level].nmembers != dimension->nleaves)
        return false;
    return output->member->kind == VC_CUBEJS_LEVEL || output->member->kind == VC_CUBEJS_TIME ||
           output->member->is_unique;
}

static vc_status fail_alike(const translating *in, const vc_cubejs_output *output,
                            const vc_cubejs_axis *axis, vc_error *error)
{
    const vc_cubejs_catalog *catalog = in->out->catalog;
    for (size_t i = 0; i < catalog->nmembers; i++) {
        const vc_cubejs_member *member = &catalog->members[i];
        if (member->kind != VC_CUBEJS_LEVEL || member->number != axis->dimension ||
            member->hierarchy != axis->hierarchy || member->level != axis->level)
            continue;
        return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                       "several members have the same '%.*s': ask for '%.*s' beside it",
                       VC_FMT(output->name), VC_FMT(member->name));
    }
    return vc_fail(error, VC_IMPOSSIBLE, "unsupported", "several members have the same '%.*s'",
                   VC_FMT(output->name));
}

static vc_status make_axis(const translating *in, vc_cubejs_axis *axis, vc_axis_ref *ref,
                           vc_error *error)
{
    const vc_cubejs_output *outputs = in->outputs.items, *last = NULL;
    const vc_cube_dimension *outer = &in->out->catalog->cube->dimensions[axis->dimension];
    bool is_told = false;
    if (!find_hierarchy(in, axis))
        return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                       "levels of different hierarchies of '%.*s' are asked together; a query "
                       "drills a dimension along one",
                       VC_FMT(outer->name));
    for (size_t i = 0; i < in->outputs.count; i++) {
        if (!is_on_axis(&outputs[i], axis->dimension)) continue;
        last = &outputs[i];
        is_told |= tells_apart(in, last, axis);
    }
    if (!is_told) return fail_alike(in, last, axis, error);
    const vc_hierarchy *hierarchy = &outer->dimension->hierarchies[axis->hierarchy];
    ref->dimref = (vc_dimref){.dimension = outer->name,
                              .level = hierarchy->levels[axis->level].name,
                              .place = vc_body_node_place(in->query)};
    if (axis->hierarchy > 0) ref->dimref.hierarchy = hierarchy->name;
    return VC_OK;
}

static vc_status make_axes(translating *in, vc_error *error)
{
    vc_cubejs_output *outputs = in->outputs.items;
    vc_query *query = &in->out->query;
    vc_cubejs_axis *axes = VC_ARENA_NEW(in->arena, vc_cubejs_axis, in->outputs.count + 1);
    vc_axis_ref *refs = VC_ARENA_NEW(in->arena, vc_axis_ref, in->outputs.count + 1);
    if (axes == NULL || refs == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < in->outputs.count; i++) {
        if (outputs[i].member->kind == VC_CUBEJS_MEASURE) continue;
        size_t a = 0;
        while (a < query->naxes && axes[a].dimension != outputs[i].member->number)
            a++;
        if (a == query->naxes) {
            axes[a].dimension = outputs[i].member->number;
            vc_status status = make_axis(in, &axes[a], &refs[a], error);
            if (status != VC_OK) return fail_at(in->query, status, error);
            query->naxes++;
        }
        unsigned level = 0;
        outputs[i].number = a;
        bool is_level = outputs[i].member->kind != VC_CUBEJS_ATTRIBUTE;
        (void)find_level(in, &outputs[i], axes[a].hierarchy, &level);
        query->has_parents |= is_level && (level < axes[a].level || outputs[i].member->has_paths);
    }
    query->axes = refs;
    in->out->axes = axes;
    return VC_OK;
}

/* ---- order ---- */

static bool is_descending(const json_t *orders, size_t i)
{
    return json_is_true(json_object_get(json_array_get(orders, i), "desc"));
}

static const vc_cubejs_output *ordered_output(const translating *in, const json_t *orders, size_t i)
{
    vc_str id = vc_json_str(json_object_get(json_array_get(orders, i), "id"));
    const vc_cubejs_output *outputs = in->outputs.items;
    for (size_t o = 0; o < in->outputs.count; o++)
        if (vc_str_equal(outputs[o].name, id) || vc_str_equal(outputs[o].also, id))
            return &outputs[o];
    return NULL;
}

static vc_status fail_order(const translating *in, vc_body_node node, const char *why, vc_str id,
                            vc_error *error)
{
    vc_nearest nearest;
    const vc_cubejs_output *outputs = in->outputs.items;
    vc_fail(error, VC_IMPOSSIBLE, "unsupported", "the order by '%.*s': %s", VC_FMT(id), why);
    vc_nearest_init(&nearest, id);
    for (size_t o = 0; o < in->outputs.count; o++)
        vc_nearest_offer(&nearest, outputs[o].name);
    vc_nearest_report(&nearest, error);
    return fail_at(node, VC_IMPOSSIBLE, error);
}

/* The order of an axis is that of the members, below those above them. So what comes after a level
 * above the drilled one must follow the same way. */
static vc_status add_axis_order(translating *in, const json_t *orders, size_t i, vc_body_node node,
                                vc_error *error)
{
    const vc_cubejs_output *output = ordered_output(in, orders, i);
    const vc_cubejs_axis *axis = &in->out->axes[output->number];
    unsigned level;
    if (output->member->kind == VC_CUBEJS_LABEL || output->member->kind == VC_CUBEJS_ATTRIBUTE) {
        vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                "'%.*s' has no order: members come in that of their level, so order by its keys",
                VC_FMT(output->name));
        return fail_at(node, VC_IMPOSSIBLE, error);
    }
    (void)find_level(in, output, axis->hierarchy, &level);
    for (size_t j = i + 1; j < json_array_size(orders) && level < axis->level; j++) {
        const vc_cubejs_output *next = ordered_output(in, orders, j);
        if (next == NULL || next->member->kind == VC_CUBEJS_MEASURE ||
            next->number != output->number || is_descending(orders, j) != is_descending(orders, i))
            return fail_order(in, node,
                              "below it members come in their own order, the same way; ask for no "
                              "other order behind it",
                              output->name, error);
    }
    vc_order *order = VC_LIST_NEW(&in->orders, in->arena, vc_order);
    if (order == NULL) return vc_no_memory(error);
    order->is_descending = is_descending(orders, i);
    order->place = vc_body_node_place(node);
    order->name = in->out->query.axes[output->number].dimref.dimension;
    return VC_OK;
}

/* By name, where an axis goes before a measure of the same name. */
static vc_status add_measure_order(translating *in, vc_str measure, bool desc, vc_body_node node,
                                   vc_error *error)
{
    const vc_query *query = &in->out->query;
    for (size_t a = 0; a < query->naxes; a++) {
        vc_str dimension = query->axes[a].dimref.dimension;
        bool is_longer = measure.size > dimension.size && (measure.data[dimension.size] == '.' ||
                                                           measure.data[dimension.size] == '@');
        if (vc_str_starts_with(measure, dimension) && (is_longer || measure.size == dimension.size))
            return fail_order(in, node,
                              "the measure is called like a dimension of the query; ask for the "
                              "order [] or another",
                              measure, error);
    }
    vc_order *order = VC_LIST_NEW(&in->orders, in->arena, vc_order);
    if (order == NULL) return vc_no_memory(error);
    *order = (vc_order){.name = measure, .is_descending = desc, .place = vc_body_node_place(node)};
    return VC_OK;
}

static vc_status read_orders(translating *in, vc_body_node node, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < json_array_size(node.json) && status == VC_OK; i++) {
        vc_body_node item;
        status = vc_body_node_element(node, i, in->arena, &item, error);
        if (status != VC_OK) return status;
        vc_str id = vc_json_str(json_object_get(item.json, "id"));
        const vc_cubejs_output *output = ordered_output(in, node.json, i);
        if (output == NULL)
            return fail_order(in, item, "it is none of what the query asks for", id, error);
        bool is_measure = output->member->kind == VC_CUBEJS_MEASURE;
        vc_str measure = {0};
        if (is_measure) measure = in->out->catalog->cube->measures[output->member->number].name;
        status = is_measure
                     ? add_measure_order(in, measure, is_descending(node.json, i), item, error)
                     : add_axis_order(in, node.json, i, item, error);
    }
    return status;
}

/* ---- the whole ---- */

static vc_status read_each(translating *in, const char *key,
                           vc_status (*read)(translating *in, vc_body_node node, vc_error *error),
                           vc_error *error)
{
    vc_body_node array;
    vc_status status = vc_body_node_field(in->query, key, in->arena, &array, error);
    for (size_t i = 0; status == VC_OK && i < json_array_size(array.json); i++) {
        vc_body_node node;
        status = vc_body_node_element(array, i, in->arena, &node, error);
        if (status == VC_OK) status = read(in, node, error);
    }
    return status;
}

/* Members without measures are those at which the cube has some value. */
static vc_status add_all_measures(translating *in, vc_error *error)
{
    const vc_cube *cube = in->out->catalog->cube;
    vc_status status = VC_OK;
    for (size_t m = 0; m < cube->nmeasures && status == VC_OK; m++)
        if (!cube->measures[m].is_hidden && cube->measures[m].aggregator != VC_AGG_NONE)
            status = add_measure(in, m, vc_body_node_place(in->query), error);
    return status;
}

static vc_status read_filters(translating *in, vc_error *error)
{
    vc_body_node node;
    vc_status status = vc_body_node_field(in->query, "filters", in->arena, &node, error);
    if (status != VC_OK || node.json == NULL) return status;
    return vc_cubejs_filters_read(in->out->catalog, node, in->today, in->arena, &in->conditions,
                                  &in->havings, in->is_relative, error);
}

static void finish(translating *in)
{
    vc_cubejs_query *out = in->out;
    vc_query *query = &out->query;
    const json_t *json = in->query.json;
    const json_t *limit = json_object_get(json, "limit");
    query->cube = out->catalog->cube->name;
    query->measures = in->measures.items;
    query->nmeasures = in->measures.count;
    query->conditions = in->conditions.items;
    query->nconditions = in->conditions.count;
    query->havings = in->havings.items;
    query->nhavings = in->havings.count;
    query->orders = in->orders.items;
    query->norders = in->orders.count;
    query->properties = in->properties.items;
    query->nproperties = in->properties.count;
    if (limit != NULL) query->limit = (uint64_t)json_integer_value(limit);
    query->offset = (uint64_t)json_integer_value(json_object_get(json, "offset"));
    out->outputs = in->outputs.items;
    out->noutputs = in->outputs.count;
    out->has_total = json_is_true(json_object_get(json, "total"));
}

vc_status vc_cubejs_translate(vc_model *model, const vc_cubejs_name *names, size_t nnames,
                              vc_body_node query, int64_t today, vc_arena *arena,
                              vc_cubejs_query *query_out, bool *is_relative, vc_error *error)
{
    translating in = {.model = model,
                      .names = names,
                      .nnames = nnames,
                      .query = query,
                      .today = today,
                      .arena = arena,
                      .is_relative = is_relative,
                      .out = query_out};
    vc_body_node orders;
    *query_out = (vc_cubejs_query){.query = vc_query_default()};
    vc_status status = read_each(&in, "dimensions", read_dimension, error);
    if (status == VC_OK) status = read_each(&in, "timeDimensions", read_time, error);
    if (status == VC_OK) status = read_each(&in, "measures", read_measure, error);
    if (status == VC_OK && in.measures.count == 0) status = add_all_measures(&in, error);
    if (status == VC_OK) status = make_axes(&in, error);
    if (status == VC_OK) status = read_filters(&in, error);
    if (status == VC_OK) status = vc_body_node_field(query, "order", arena, &orders, error);
    if (status == VC_OK) status = read_orders(&in, orders, error);
    if (status != VC_OK) return status;
    finish(&in);
    vc_str format = vc_json_str(json_object_get(query.json, "responseFormat"));
    query_out->format = vc_str_is_null(format) ? VC_STR("default") : vc_arena_str(arena, format);
    return vc_str_is_null(query_out->format) ? vc_no_memory(error) : VC_OK;
}
