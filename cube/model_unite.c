/* One dimension of several that mean the same and have different members.
 *
 * The members of all are put together in one dimension, which is built in memory as a load would
 * build it; each source's leaves then are found in it by number. A leaf is one of two sources by
 * its key, where all have keys, and otherwise by its path. What two sources say differently of a
 * leaf or member (its path, label, attribute, place in an order column), the first one says.
 */
#include "cube/model_virtual.h"

#include "base/strmap.h"
#include "dimensions/builder.h"

#include <string.h>

enum { MAX_COLUMNS = VC_MAX_HIERARCHIES * VC_MAX_LEVELS * 3 + 256 };

struct uniting {
    const vc_dimension *const *dimensions; /* [count] */
    size_t count;
    vc_arena *arena; /* of the result */
    vc_arena work;
    bool has_keys;                            /* all dimensions have keys of leaves */
    unsigned hierarchies[VC_MAX_HIERARCHIES]; /* of the first dimension, which all have */
    unsigned nhierarchies;
    vc_strmap leaves;  /* identity -> row */
    vc_strmap members; /* hierarchy, level and path -> number */
    struct {
        uint32_t
            *items; /* of the first dimension that has it: [2 * number] its number, its member */
        size_t capacity;
    } first;
    uint32_t *rows; /* row of each identity */
    vc_str names[MAX_COLUMNS], values[MAX_COLUMNS];
    unsigned ncolumns;
};

/* ---- what all have ---- */

/* The hierarchy of a dimension with the name and the levels of one of the first's; -1: none. */
static int find_alike(const vc_dimension *dimension, const vc_hierarchy *wanted, bool is_main)
{
    for (unsigned h = 0; h < dimension->nhierarchies; h++) {
        const vc_hierarchy *hierarchy = &dimension->hierarchies[h];
        bool is_alike = hierarchy->nlevels == wanted->nlevels;
        /* The main hierarchy is the main one of each, whatever it is called. */
        is_alike &= (h == 0 && is_main) || vc_str_equal(hierarchy->name, wanted->name);
        for (unsigned l = 0; is_alike && l < wanted->nlevels; l++)
            is_alike = vc_str_equal(hierarchy->levels[l].name, wanted->levels[l].name);
        if (is_alike) return (int)h;
    }
    return -1;
}

static bool all_have(const struct uniting *in, unsigned hierarchy)
{
    const vc_hierarchy *wanted = &in->dimensions[0]->hierarchies[hierarchy];
    for (size_t i = 1; i < in->count; i++)
        if (find_alike(in->dimensions[i], wanted, hierarchy == 0) < 0) return false;
    return true;
}

static const vc_level *level_of(const struct uniting *in, size_t dimension, unsigned hierarchy,
                                unsigned level)
{
    const vc_hierarchy *wanted = &in->dimensions[0]->hierarchies[hierarchy];
    unsigned h = hierarchy;
    if (dimension > 0) h = (unsigned)find_alike(in->dimensions[dimension], wanted, hierarchy == 0);
    return &in->dimensions[dimension]->hierarchies[h].levels[level];
}

/* An attribute of another dimension with the name and the place of one of the first's. */
static const vc_attribute *attribute_of(const struct uniting *in, size_t dimension,
                                        const vc_attribute *wanted)
{
    const vc_attribute *found =
        vc_dimension_find_attribute(in->dimensions[dimension], wanted->name);
    if (found == NULL || (found->level < 0) != (wanted->level < 0)) return NULL;
    if (wanted->level < 0) return found;
    const vc_hierarchy *of = &in->dimensions[0]->hierarchies[wanted->hierarchy];
    return found->level == wanted->level && find_alike(in->dimensions[dimension], of,
                                                       wanted->hierarchy == 0) == found->hierarchy
               ? found
               : NULL;
}

/* ---- the specification ---- */

static unsigned add_column(struct uniting *in, vc_str name)
{
    in->names[in->ncolumns] = name;
    return in->ncolumns++;
}

static bool any_level(const struct uniting *in, unsigned hierarchy, unsigned level,
                      bool (*holds)(const vc_level *level))
{
    for (size_t i = 0; i < in->count; i++)
        if (holds(level_of(in, i, hierarchy, level))) return true;
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

static bool is_text(const vc_level *level)
{
    return level->key_type != VC_KEY_INT;
}

static bool is_no_date(const vc_level *level)
{
    return level->key_type != VC_KEY_DATE;
}

static vc_key_type key_type_of(const struct uniting *in, unsigned hierarchy, unsigned level)
{
    if (!any_level(in, hierarchy, level, is_text)) return VC_KEY_INT;
    return any_level(in, hierarchy, level, is_no_date) ? VC_KEY_TEXT : VC_KEY_DATE;
}

static bool specify(struct uniting *in, vc_dimension_spec *spec)
{
    const vc_dimension *first = in->dimensions[0];
    vc_hierarchy_spec *hierarchies = VC_ARENA_NEW(&in->work, vc_hierarchy_spec, in->nhierarchies);
    vc_attribute_spec *attributes =
        VC_ARENA_NEW(&in->work, vc_attribute_spec, (size_t)first->nattributes + 1);
    if (hierarchies == NULL || attributes == NULL) return false;
    *spec = (vc_dimension_spec){.name = first->name,
                                .label = first->label,
                                .is_time = first->is_time,
                                .column_names = in->names,
                                .key_column = -1,
                                .nhierarchies = in->nhierarchies,
                                .hierarchies = hierarchies,
                                .attributes = attributes};
    if (in->has_keys) spec->key_column = (int)add_column(in, first->key_name);
    for (unsigned i = 0; i < in->nhierarchies; i++) {
        const vc_hierarchy *of = &first->hierarchies[in->hierarchies[i]];
        vc_level_spec *levels = VC_ARENA_NEW(&in->work, vc_level_spec, of->nlevels);
        if (levels == NULL) return false;
        for (unsigned l = 0; l < of->nlevels; l++) {
            unsigned h = in->hierarchies[i];
            levels[l] = (vc_level_spec){.name = of->levels[l].name,
                                        .label = of->levels[l].label,
                                        .key_column = add_column(in, of->levels[l].name),
                                        .label_column = -1,
                                        .order_column = -1,
                                        .key_type = key_type_of(in, h, l)};
            if (any_level(in, h, l, has_labels))
                levels[l].label_column = (int)add_column(in, VC_STR("label"));
            if (any_level(in, h, l, is_ordered))
                levels[l].order_column = (int)add_column(in, VC_STR("order"));
        }
        hierarchies[i] = (vc_hierarchy_spec){
            .name = of->name, .label = of->label, .nlevels = of->nlevels, .levels = levels};
    }
    for (unsigned a = 0; a < first->nattributes; a++) {
        const vc_attribute *attribute = &first->attributes[a];
        unsigned h = 0;
        while (attribute->level >= 0 && h < in->nhierarchies &&
               (int)in->hierarchies[h] != attribute->hierarchy)
            h++;
        if (h == in->nhierarchies || in->ncolumns == MAX_COLUMNS) continue;
        attributes[spec->nattributes++] =
            (vc_attribute_spec){.name = attribute->name,
                                .column = add_column(in, attribute->name),
                                .hierarchy = attribute->level < 0 ? -1 : (int)h,
                                .level = attribute->level};
    }
    spec->ncolumns = in->ncolumns;
    return true;
}

/* ---- members ---- */

/* A member's path, each key with its length; unlike any other path of any level. */
static vc_str path_of(struct uniting *in, size_t dimension, unsigned hierarchy, unsigned level,
                      uint32_t member)
{
    vc_str text = VC_STR("");
    for (unsigned l = level + 1; l-- > 0;) {
        const vc_level *of = level_of(in, dimension, hierarchy, l);
        vc_str key = vc_texts_get(&of->keys, member);
        text = key.data == NULL ? vc_arena_printf(&in->work, "-%.*s", VC_FMT(text))
                                : vc_arena_printf(&in->work, "%zu:%.*s%.*s", key.size, VC_FMT(key),
                                                  VC_FMT(text));
        if (text.data == NULL) return text;
        if (l > 0) member = vc_numbers_get(of->parents, member);
    }
    return vc_arena_printf(&in->work, "%u/%u/%.*s", hierarchy, level, VC_FMT(text));
}

/* Which dimension has the member first, and as which of its own: itself when none has before. */
static bool find_first(struct uniting *in, size_t dimension, unsigned hierarchy, unsigned level,
                       uint32_t member, uint32_t *dimension_out, uint32_t *member_out)
{
    bool is_new;
    vc_str path = path_of(in, dimension, hierarchy, level, member);
    if (path.data == NULL) return false;
    uint32_t number = vc_strmap_put(&in->members, path, &is_new);
    if (number == VC_STRMAP_NONE) return false;
    if (number >= in->first.capacity) {
        size_t capacity = in->first.capacity * 2 + 64;
        uint32_t *items = vc_arena_alloc(&in->work, capacity * 2 * sizeof *items);
        if (items == NULL) return false;
        if (number > 0) memcpy(items, in->first.items, (size_t)number * 2 * sizeof *items);
        in->first.items = items;
        in->first.capacity = capacity;
    }
    uint32_t *first = in->first.items + (size_t)number * 2;
    if (is_new) {
        first[0] = (uint32_t)dimension;
        first[1] = member;
    }
    *dimension_out = first[0];
    *member_out = first[1];
    return true;
}

/* Its place among the siblings, as text to be compared by bytes: that of the first dimension's
 * member, and of one that the first does not have, behind the one before it that it has. */
static bool place_member(struct uniting *in, size_t dimension, unsigned hierarchy, unsigned level,
                         uint32_t member, vc_str *text_out)
{
    const vc_level *of = level_of(in, dimension, hierarchy, level);
    uint32_t anchor = 0, found_in = 1, found;
    for (uint32_t m = member + 1; m-- > 0 && found_in != 0;) {
        if (level > 0 && vc_numbers_get(of->parents, m) != vc_numbers_get(of->parents, member))
            break;
        if (!find_first(in, dimension, hierarchy, level, m, &found_in, &found)) return false;
        if (found_in == 0) anchor = found + 1;
        if (found_in == 0 && m == member) {
            *text_out = vc_arena_printf(&in->work, "%010u", anchor);
            return text_out->data != NULL;
        }
    }
    *text_out = vc_arena_printf(&in->work, "%010u:%04zu:%010u", anchor, dimension, member);
    return text_out->data != NULL;
}

/* ---- rows ---- */

static bool put_level(struct uniting *in, size_t dimension, unsigned hierarchy, unsigned level,
                      uint32_t leaf, unsigned *column)
{
    const vc_level *of = level_of(in, dimension, hierarchy, level);
    uint32_t member = vc_numbers_get(of->leaf_members, leaf), first_in, first;
    if (!find_first(in, dimension, hierarchy, level, member, &first_in, &first)) return false;
    in->values[(*column)++] = vc_texts_get(&of->keys, member);
    if (any_level(in, hierarchy, level, has_labels)) {
        const vc_level *labelled = level_of(in, first_in, hierarchy, level);
        in->values[(*column)++] =
            labelled->has_labels ? vc_texts_get(&labelled->labels, first) : (vc_str){0};
    }
    return !any_level(in, hierarchy, level, is_ordered) ||
           place_member(in, first_in, hierarchy, level, first, &in->values[(*column)++]);
}

static bool put_attribute(struct uniting *in, size_t dimension, const vc_attribute *wanted,
                          uint32_t leaf, vc_str *value_out)
{
    uint32_t from = (uint32_t)dimension, at = leaf;
    *value_out = (vc_str){0};
    if (wanted->level >= 0) {
        unsigned h = (unsigned)wanted->hierarchy, l = (unsigned)wanted->level;
        at = vc_numbers_get(level_of(in, dimension, h, l)->leaf_members, leaf);
        if (!find_first(in, dimension, h, l, at, &from, &at)) return false;
    }
    const vc_attribute *attribute = from == 0 ? wanted : attribute_of(in, from, wanted);
    if (attribute == NULL) return true;
    uint32_t code = vc_numbers_get(attribute->codes, at);
    if (code != VC_NONE) *value_out = vc_texts_get(&attribute->values, code);
    return true;
}

static bool put_row(struct uniting *in, const vc_dimension_spec *spec, size_t dimension,
                    uint32_t leaf)
{
    const vc_dimension *first = in->dimensions[0];
    unsigned column = 0;
    if (in->has_keys)
        in->values[column++] = vc_texts_get(&in->dimensions[dimension]->leaf_keys, leaf);
    for (unsigned i = 0; i < in->nhierarchies; i++)
        for (unsigned l = 0; l < spec->hierarchies[i].nlevels; l++)
            if (!put_level(in, dimension, in->hierarchies[i], l, leaf, &column)) return false;
    for (unsigned a = 0; a < spec->nattributes; a++) {
        const vc_attribute *wanted = vc_dimension_find_attribute(first, spec->attributes[a].name);
        if (!put_attribute(in, dimension, wanted, leaf, &in->values[column++])) return false;
    }
    return true;
}

/* What makes a leaf the same one in two dimensions. */
static vc_str identity_of(struct uniting *in, size_t dimension, uint32_t leaf)
{
    if (in->has_keys) return vc_texts_get(&in->dimensions[dimension]->leaf_keys, leaf);
    const vc_hierarchy *main = &in->dimensions[0]->hierarchies[in->hierarchies[0]];
    const vc_level *lowest = level_of(in, dimension, in->hierarchies[0], main->nlevels - 1);
    return path_of(in, dimension, in->hierarchies[0], main->nlevels - 1,
                   vc_numbers_get(lowest->leaf_members, leaf));
}

/* Add the leaves of a dimension that no one before has; rows [nleaves] of each. Leaves of one
 * dimension stay as many as they are, also where they have one path. */
static vc_status add_rows(struct uniting *in, const vc_dimension_spec *spec,
                          vc_dimension_builder *builder, size_t dimension, uint32_t *rows,
                          vc_error *error)
{
    uint32_t nknown = in->leaves.count;
    for (uint32_t leaf = 0; leaf < in->dimensions[dimension]->nleaves; leaf++) {
        bool is_new;
        vc_str identity = identity_of(in, dimension, leaf);
        uint32_t number =
            identity.data == NULL ? VC_STRMAP_NONE : vc_strmap_put(&in->leaves, identity, &is_new);
        if (number == VC_STRMAP_NONE) return vc_no_memory(error);
        if (number < nknown) {
            rows[leaf] = in->rows[number];
            continue;
        }
        if (!put_row(in, spec, dimension, leaf)) return vc_no_memory(error);
        vc_status status = vc_dimension_builder_add(builder, in->values, &rows[leaf], error);
        if (status != VC_OK) return status;
        if (is_new) in->rows[number] = rows[leaf];
    }
    return VC_OK;
}

/* ---- the whole ---- */

static vc_status build(struct uniting *in, vc_dimension_builder *builder,
                       const vc_dimension_spec *spec, const vc_dimension **united_out,
                       uint32_t **leaves, vc_error *error)
{
    const uint32_t *leaf_of_row;
    vc_buffer image = {0};
    vc_dimension_report report;
    vc_status status = VC_OK;
    for (size_t i = 0; i < in->count && status == VC_OK; i++) {
        leaves[i] =
            vc_arena_alloc(in->arena, ((size_t)in->dimensions[i]->nleaves + 1) * sizeof *leaves[i]);
        status = leaves[i] == NULL ? vc_no_memory(error)
                                   : add_rows(in, spec, builder, i, leaves[i], error);
    }
    if (status == VC_OK)
        status = vc_dimension_builder_finish(builder, &image, &leaf_of_row, &report, error);
    if (status == VC_OK) {
        char *kept = vc_arena_alloc(in->arena, image.size + 1);
        if (kept == NULL) {
            status = vc_no_memory(error);
        } else {
            memcpy(kept, image.data, image.size);
            status = vc_dimension_open((vc_str){.data = kept, .size = image.size}, in->arena,
                                       united_out, error);
        }
    }
    for (size_t i = 0; i < in->count && status == VC_OK; i++)
        for (uint32_t leaf = 0; leaf < in->dimensions[i]->nleaves; leaf++)
            leaves[i][leaf] = leaf_of_row[leaves[i][leaf]];
    vc_buffer_release(&image);
    return status;
}

static vc_status run(struct uniting *in, const vc_dimension **united_out, uint32_t **leaves,
                     vc_error *error)
{
    vc_dimension_spec spec;
    vc_dimension_builder *builder = NULL;
    size_t nrows = 0;
    in->has_keys = true;
    for (size_t i = 0; i < in->count; i++) {
        in->has_keys &= in->dimensions[i]->leaf_keys.count > 0;
        nrows += in->dimensions[i]->nleaves;
    }
    for (unsigned h = 0; h < in->dimensions[0]->nhierarchies; h++) {
        if (all_have(in, h))
            in->hierarchies[in->nhierarchies++] = h;
        else if (h == 0)
            return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                           "they have different members, and not all have the levels of '%.*s': "
                           "only dimensions of the same levels can be put together",
                           VC_FMT(in->dimensions[0]->name));
    }
    in->rows = vc_arena_alloc(&in->work, (nrows + 1) * sizeof *in->rows);
    if (in->rows == NULL || !specify(in, &spec)) return vc_no_memory(error);
    vc_status status = vc_dimension_builder_new(&spec, NULL, &builder, error);
    if (status == VC_OK) status = build(in, builder, &spec, united_out, leaves, error);
    vc_dimension_builder_free(builder);
    return status;
}

vc_status vc_virtual_unite(const vc_dimension *const *dimensions, size_t count, vc_arena *arena,
                           const vc_dimension **united_out, uint32_t **leaves, vc_error *error)
{
    struct uniting *in = VC_ARENA_NEW(arena, struct uniting, 1);
    if (in == NULL) return vc_no_memory(error);
    in->dimensions = dimensions;
    in->count = count;
    in->arena = arena;
    vc_status status = run(in, united_out, leaves, error);
    vc_strmap_release(&in->leaves);
    vc_strmap_release(&in->members);
    vc_arena_release(&in->work);
    return status;
}
