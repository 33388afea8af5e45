/* One dimension of several that mean the same and have different members.
 *
 * The members of all are put together in one dimension, which is built in memory as a load would
 * build it; each source's leaves then are found in it by number. A leaf is one of two sources by
 * its key, where all have keys, and otherwise by its path. What two sources say differently of a
 * leaf or member (its path, label, attribute, place in an order column), the first one says.
 *
 * A dimension that ends above others stands at a level of the united one. Each of its leaves has a
 * leaf there all the same, which is below its member and has no member on the levels below: so what
 * stands at a member is never that of a part of it, however few parts the others have.
 */
#include "cube/model_unite.h"
#include "cube/model_virtual.h"

#include "dimensions/builder.h"

#include <string.h>

enum { MAX_COLUMNS = VC_MAX_HIERARCHIES * VC_MAX_LEVELS * 3 + 256 };

struct wanted { /* an attribute of the united dimension */
    vc_str name;
    int hierarchy, level; /* of the united one; -1, -1: of the leaf */
};

struct building {
    vc_uniting *of;
    bool has_keys;             /* all dimensions that have the lowest level have keys of leaves */
    uint32_t **leaf_of_member; /* [ndimensions] of the lowest level of one that ends above others,
                                  if its leaves are the members; else NULL */
    vc_strmap leaves;          /* identity -> row */
    uint32_t *rows;            /* row of each identity */
    struct wanted wanted[MAX_COLUMNS];
    vc_str names[MAX_COLUMNS], values[MAX_COLUMNS];
    unsigned ncolumns;
};

static bool ends_above(const vc_uniting *in, size_t dimension)
{
    return vc_unite_lowest(in, 0, dimension) < in->hierarchies[0].nlevels - 1;
}

/* ---- the specification ---- */

static unsigned add_column(struct building *in, vc_str name)
{
    in->names[in->ncolumns] = name;
    return in->ncolumns++;
}

static bool any_level(const vc_uniting *in, unsigned hierarchy, unsigned level,
                      bool (*holds)(const vc_level *level))
{
    for (size_t d = 0; d < in->ndimensions; d++) {
        const vc_level *of = vc_unite_level_of(in, hierarchy, level, d);
        if (of != NULL && holds(of)) return true;
    }
    return false;
}

static bool has_labels(const vc_level *level)
{
    return level->has_labels;
}

static bool is_ordered(const vc_level *level)
{
    return level->is_ordered_by_column;
}

static bool is_ragged(const vc_level *level)
{
    return level->is_ragged;
}

static bool is_text(const vc_level *level)
{
    return level->key_type != VC_KEY_INT;
}

static bool is_no_date(const vc_level *level)
{
    return level->key_type != VC_KEY_DATE;
}

static vc_key_type key_type_of(const vc_uniting *in, unsigned hierarchy, unsigned level)
{
    if (!any_level(in, hierarchy, level, is_text)) return VC_KEY_INT;
    return any_level(in, hierarchy, level, is_no_date) ? VC_KEY_TEXT : VC_KEY_DATE;
}

static vc_status specify_hierarchy(struct building *in, unsigned number, vc_hierarchy_spec *to,
                                   vc_error *error)
{
    const vc_uniting *of = in->of;
    const vc_unite_hierarchy *united = &of->hierarchies[number];
    const vc_hierarchy *first = &of->dimensions[0]->hierarchies[united->of[0]];
    vc_level_spec *levels = VC_ARENA_NEW(&in->of->work, vc_level_spec, united->nlevels);
    if (levels == NULL) return vc_no_memory(error);
    for (unsigned l = 0; l < united->nlevels; l++) {
        const vc_unite_level *level = &united->levels[l];
        const vc_level *stored = vc_unite_level_of(of, number, l, level->first);
        levels[l] = (vc_level_spec){.name = level->name,
                                    .label = stored->label,
                                    .key_column = add_column(in, level->name),
                                    .label_column = -1,
                                    .order_column = -1,
                                    .key_type = key_type_of(of, number, l)};
        if (level->is_below || any_level(of, number, l, is_ragged)) levels[l].skip = VC_SKIP_BLANK;
        if (any_level(of, number, l, has_labels))
            levels[l].label_column = (int)add_column(in, VC_STR("label"));
        if (any_level(of, number, l, is_ordered))
            levels[l].order_column = (int)add_column(in, VC_STR("order"));
    }
    *to = (vc_hierarchy_spec){
        .name = first->name, .label = first->label, .nlevels = united->nlevels, .levels = levels};
    return VC_OK;
}

/* Where an attribute of a dimension is in the united one; false: nowhere. */
static bool place_attribute(const struct building *in, size_t dimension,
                            const vc_attribute *attribute, struct wanted *out)
{
    const vc_uniting *of = in->of;
    *out = (struct wanted){.name = attribute->name, .hierarchy = -1, .level = -1};
    if (attribute->level < 0 && !ends_above(of, dimension)) return true;
    if (attribute->level < 0) {
        out->hierarchy = 0;
        out->level = (int)vc_unite_lowest(of, 0, dimension);
        return in->leaf_of_member[dimension] != NULL;
    }
    for (unsigned h = 0; h < of->nhierarchies; h++)
        for (unsigned l = 0; l < of->hierarchies[h].nlevels; l++)
            if ((int)of->hierarchies[h].of[dimension] == attribute->hierarchy &&
                of->hierarchies[h].levels[l].at[dimension] == attribute->level) {
                out->hierarchy = (int)h;
                out->level = (int)l;
                return true;
            }
    return false;
}

static bool is_taken(const struct building *in, const vc_dimension_spec *spec, vc_str name)
{
    for (unsigned a = 0; a < spec->nattributes; a++)
        if (vc_str_equal(in->wanted[a].name, name)) return true;
    for (unsigned h = 0; !in->of->has_same_levels && h < spec->nhierarchies; h++)
        for (unsigned l = 0; l < spec->hierarchies[h].nlevels; l++)
            if (vc_str_equal(spec->hierarchies[h].levels[l].name, name)) return true;
    return false;
}

/* Those of the first dimension, and where the levels differ, of the others, too. */
static vc_status specify_attributes(struct building *in, vc_dimension_spec *spec, vc_error *error)
{
    size_t count = in->of->has_same_levels ? 1 : in->of->ndimensions, nattributes = 0;
    for (size_t d = 0; d < count; d++)
        nattributes += in->of->dimensions[d]->nattributes;
    vc_attribute_spec *attributes = VC_ARENA_NEW(&in->of->work, vc_attribute_spec, nattributes + 1);
    if (attributes == NULL) return vc_no_memory(error);
    spec->attributes = attributes;
    for (size_t d = 0; d < count; d++)
        for (unsigned a = 0; a < in->of->dimensions[d]->nattributes; a++) {
            const vc_attribute *attribute = &in->of->dimensions[d]->attributes[a];
            struct wanted *wanted = &in->wanted[spec->nattributes];
            if (in->ncolumns == MAX_COLUMNS || is_taken(in, spec, attribute->name) ||
                !place_attribute(in, d, attribute, wanted))
                continue;
            attributes[spec->nattributes++] =
                (vc_attribute_spec){.name = attribute->name,
                                    .column = add_column(in, attribute->name),
                                    .hierarchy = wanted->hierarchy,
                                    .level = wanted->level};
        }
    return VC_OK;
}

static vc_status specify(struct building *in, vc_dimension_spec *spec, vc_error *error)
{
    const vc_dimension *first = in->of->dimensions[0];
    vc_hierarchy_spec *hierarchies =
        VC_ARENA_NEW(&in->of->work, vc_hierarchy_spec, in->of->nhierarchies);
    vc_status status = VC_OK;
    if (hierarchies == NULL) return vc_no_memory(error);
    *spec = (vc_dimension_spec){.name = first->name,
                                .label = first->label,
                                .is_time = first->is_time,
                                .column_names = in->names,
                                .key_column = -1,
                                .nhierarchies = in->of->nhierarchies,
                                .hierarchies = hierarchies};
    if (in->has_keys && in->of->has_same_levels)
        spec->key_column = (int)add_column(in, first->key_name);
    for (unsigned h = 0; h < in->of->nhierarchies && status == VC_OK; h++)
        status = specify_hierarchy(in, h, &hierarchies[h], error);
    if (status == VC_OK) status = specify_attributes(in, spec, error);
    spec->ncolumns = in->ncolumns;
    return status;
}

/* ---- members ---- */

/* A node's place among its siblings, as text to be compared by bytes: that of the first dimension's
 * member, and of one that the first does not have, behind the one before it that it has. */
static bool place_node(struct building *in, unsigned hierarchy, unsigned level, uint32_t node,
                       vc_str *text_out)
{
    const vc_uniting *of = in->of;
    size_t d = vc_unite_first(of, node);
    uint32_t anchor = 0, *nodes;
    *text_out = (vc_str){0};
    if (d == SIZE_MAX) return true; /* nobody's: last */
    const vc_level *own = vc_unite_level_of(of, hierarchy, level, d);
    uint32_t member = of->nodes[node].members[d];
    nodes = of->hierarchies[hierarchy].levels[level].nodes[d];
    bool has_parents = of->hierarchies[hierarchy].levels[level].at[d] > 0;
    for (uint32_t m = member + 1; m-- > 0 && anchor == 0;) {
        if (has_parents && vc_numbers_get(own->parents, m) != vc_numbers_get(own->parents, member))
            break;
        uint32_t found = of->nodes[nodes[m]].members[0];
        if (found != VC_NONE) anchor = found + 1;
    }
    *text_out = d == 0 ? vc_arena_printf(&in->of->work, "%010u", anchor)
                       : vc_arena_printf(&in->of->work, "%010u:%04zu:%010u", anchor, d, member);
    return text_out->data != NULL;
}

/* The label of a node: of the first dimension that has labels of it. */
static vc_str label_of(const vc_uniting *in, unsigned hierarchy, unsigned level, uint32_t node)
{
    for (size_t d = 0; d < in->ndimensions; d++) {
        const vc_level *own = vc_unite_level_of(in, hierarchy, level, d);
        uint32_t member = in->nodes[node].members[d];
        if (member != VC_NONE && own->has_labels) return vc_texts_get(&own->labels, member);
    }
    return (vc_str){0};
}

/* ---- rows ---- */

static bool put_level(struct building *in, const vc_level_spec *spec, size_t dimension,
                      unsigned hierarchy, unsigned level, uint32_t leaf)
{
    uint32_t node = vc_unite_node_of(in->of, hierarchy, level, dimension, leaf);
    vc_str key = {0}, label = {0}, place = {0};
    if (node != VC_NONE) {
        key = in->of->nodes[node].key;
        label = label_of(in->of, hierarchy, level, node);
        if (spec->order_column >= 0 && !place_node(in, hierarchy, level, node, &place))
            return false;
    }
    in->values[spec->key_column] = key;
    if (spec->label_column >= 0) in->values[spec->label_column] = label;
    if (spec->order_column >= 0) in->values[spec->order_column] = place;
    return true;
}

/* A dimension's attribute that is the wanted one; NULL: it has none there. */
static const vc_attribute *attribute_of(const struct building *in, size_t dimension,
                                        const struct wanted *wanted)
{
    struct wanted place;
    const vc_attribute *found =
        vc_dimension_find_attribute(in->of->dimensions[dimension], wanted->name);
    return found != NULL && place_attribute(in, dimension, found, &place) &&
                   place.hierarchy == wanted->hierarchy && place.level == wanted->level
               ? found
               : NULL;
}

static vc_str value_of(const vc_attribute *attribute, uint32_t at)
{
    uint32_t code = vc_numbers_get(attribute->codes, at);
    return code == VC_NONE ? (vc_str){0} : vc_texts_get(&attribute->values, code);
}

static vc_str find_value(const struct building *in, size_t dimension, const struct wanted *wanted,
                         uint32_t leaf)
{
    const vc_attribute *attribute;
    if (wanted->level < 0) {
        attribute = attribute_of(in, dimension, wanted);
        return attribute == NULL ? (vc_str){0} : value_of(attribute, leaf);
    }
    uint32_t node = vc_unite_node_of(in->of, (unsigned)wanted->hierarchy, (unsigned)wanted->level,
                                     dimension, leaf);
    for (size_t d = 0; node != VC_NONE && d < in->of->ndimensions; d++) {
        uint32_t member = in->of->nodes[node].members[d];
        attribute = member == VC_NONE ? NULL : attribute_of(in, d, wanted);
        if (attribute == NULL) continue;
        return value_of(attribute, attribute->level < 0 ? in->leaf_of_member[d][member] : member);
    }
    return (vc_str){0};
}

static bool put_row(struct building *in, const vc_dimension_spec *spec, size_t dimension,
                    uint32_t leaf)
{
    if (spec->key_column >= 0)
        in->values[spec->key_column] =
            vc_texts_get(&in->of->dimensions[dimension]->leaf_keys, leaf);
    for (unsigned h = 0; h < spec->nhierarchies; h++)
        for (unsigned l = 0; l < spec->hierarchies[h].nlevels; l++)
            if (!put_level(in, &spec->hierarchies[h].levels[l], dimension, h, l, leaf))
                return false;
    for (unsigned a = 0; a < spec->nattributes; a++)
        in->values[spec->attributes[a].column] = find_value(in, dimension, &in->wanted[a], leaf);
    return true;
}

/* What makes a leaf the same one in two dimensions. */
static vc_str identity_of(struct building *in, size_t dimension, uint32_t leaf)
{
    if (in->has_keys) return vc_texts_get(&in->of->dimensions[dimension]->leaf_keys, leaf);
    unsigned lowest = in->of->hierarchies[0].nlevels - 1;
    return vc_arena_printf(&in->of->work, "%u",
                           vc_unite_node_of(in->of, 0, lowest, dimension, leaf));
}

/* Add the leaves of a dimension that no one before has; rows [nleaves] of each. Leaves of one
 * dimension stay as many as they are, also where they have one path. */
static vc_status add_rows(struct building *in, const vc_dimension_spec *spec,
                          vc_dimension_builder *builder, size_t dimension, uint32_t *rows,
                          vc_error *error)
{
    uint32_t nknown = in->leaves.count;
    bool is_above = ends_above(in->of, dimension);
    for (uint32_t leaf = 0; leaf < in->of->dimensions[dimension]->nleaves; leaf++) {
        bool is_new = false;
        uint32_t number = VC_STRMAP_NONE;
        if (!is_above) {
            vc_str identity = identity_of(in, dimension, leaf);
            if (identity.data != NULL) number = vc_strmap_put(&in->leaves, identity, &is_new);
            if (number == VC_STRMAP_NONE) return vc_no_memory(error);
            if (number < nknown) {
                rows[leaf] = in->rows[number];
                continue;
            }
        }
        if (!put_row(in, spec, dimension, leaf)) return vc_no_memory(error);
        vc_status status = vc_dimension_builder_add(builder, in->values, &rows[leaf], error);
        if (status != VC_OK) return status;
        if (is_new) in->rows[number] = rows[leaf];
    }
    return VC_OK;
}

/* ---- the whole ---- */

/* Where each leaf of a dimension is: a leaf, or a member of the level at which the dimension ends.
 * in/out rows */
static void find_units(const vc_uniting *in, size_t dimension, const vc_dimension *united,
                       const uint32_t *leaf_of_row, vc_united_place *place)
{
    unsigned lowest = vc_unite_lowest(in, 0, dimension);
    place->level = ends_above(in, dimension) ? (int)lowest : -1;
    for (uint32_t leaf = 0; leaf < in->dimensions[dimension]->nleaves; leaf++) {
        uint32_t unit = leaf_of_row[place->units[leaf]];
        if (place->level >= 0)
            unit = vc_numbers_get(united->hierarchies[0].levels[lowest].leaf_members, unit);
        place->units[leaf] = unit;
    }
}

static vc_status build(struct building *in, vc_dimension_builder *builder,
                       const vc_dimension_spec *spec, const vc_dimension **united_out,
                       vc_united_place *places, vc_error *error)
{
    const uint32_t *leaf_of_row;
    vc_buffer image = {0};
    vc_dimension_report report;
    vc_arena *arena = in->of->arena;
    vc_status status = VC_OK;
    for (size_t i = 0; i < in->of->ndimensions && status == VC_OK; i++) {
        places[i].units =
            vc_arena_alloc(arena, ((size_t)in->of->dimensions[i]->nleaves + 1) * sizeof(uint32_t));
        status = places[i].units == NULL ? vc_no_memory(error)
                                         : add_rows(in, spec, builder, i, places[i].units, error);
    }
    if (status == VC_OK)
        status = vc_dimension_builder_finish(builder, &image, &leaf_of_row, &report, error);
    if (status == VC_OK) {
        char *kept = vc_arena_alloc(arena, image.size + 1);
        if (kept == NULL) {
            status = vc_no_memory(error);
        } else {
            memcpy(kept, image.data, image.size);
            status = vc_dimension_open((vc_str){.data = kept, .size = image.size}, arena,
                                       united_out, error);
        }
    }
    for (size_t i = 0; i < in->of->ndimensions && status == VC_OK; i++)
        find_units(in->of, i, *united_out, leaf_of_row, &places[i]);
    vc_buffer_release(&image);
    return status;
}

/* What is needed of a dimension that ends above others, to read its attributes. */
static vc_status find_leaves(struct building *in, size_t dimension, vc_error *error)
{
    const vc_dimension *of = in->of->dimensions[dimension];
    const vc_hierarchy *main = &of->hierarchies[0];
    const vc_level *lowest = &main->levels[main->nlevels - 1];
    if (!ends_above(in->of, dimension) || lowest->nmembers != of->nleaves) return VC_OK;
    uint32_t *leaves = VC_ARENA_NEW(&in->of->work, uint32_t, (size_t)of->nleaves + 1);
    if (leaves == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < of->nleaves; leaf++)
        leaves[vc_numbers_get(lowest->leaf_members, leaf)] = leaf;
    in->leaf_of_member[dimension] = leaves;
    return VC_OK;
}

static vc_status run(struct building *in, const vc_dimension **united_out, vc_united_place *places,
                     vc_error *error)
{
    vc_dimension_spec spec;
    vc_dimension_builder *builder = NULL;
    size_t nrows = 0;
    vc_status status = vc_unite_hierarchies(in->of, error);
    if (status != VC_OK) return status;
    in->has_keys = true;
    in->leaf_of_member = VC_ARENA_NEW(&in->of->work, uint32_t *, in->of->ndimensions);
    if (in->leaf_of_member == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < in->of->ndimensions && status == VC_OK; i++) {
        in->has_keys &= ends_above(in->of, i) || in->of->dimensions[i]->leaf_keys.count > 0;
        nrows += in->of->dimensions[i]->nleaves;
        status = find_leaves(in, i, error);
    }
    in->rows = vc_arena_alloc(&in->of->work, (nrows + 1) * sizeof *in->rows);
    if (in->rows == NULL) status = vc_no_memory(error);
    if (status == VC_OK) status = specify(in, &spec, error);
    if (status == VC_OK) status = vc_dimension_builder_new(&spec, NULL, &builder, error);
    if (status == VC_OK) status = build(in, builder, &spec, united_out, places, error);
    vc_dimension_builder_free(builder);
    return status;
}

vc_status vc_virtual_unite(const vc_dimension *const *dimensions, const vc_str *names, size_t count,
                           vc_arena *arena, const vc_dimension **united_out,
                           vc_united_place *places, vc_error *error)
{
    struct building *in = VC_ARENA_NEW(arena, struct building, 1);
    vc_uniting *of = VC_ARENA_NEW(arena, vc_uniting, 1);
    if (in == NULL || of == NULL) return vc_no_memory(error);
    in->of = of;
    of->dimensions = dimensions;
    of->names = names;
    of->ndimensions = count;
    of->arena = arena;
    vc_status status = run(in, united_out, places, error);
    vc_strmap_release(&in->leaves);
    vc_strmap_release(&of->known);
    vc_arena_release(&of->work);
    return status;
}
