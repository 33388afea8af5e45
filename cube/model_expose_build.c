/* A dimension with one level more: the members of a joined cube below those of the primary.
 *
 * The dimension is built in memory as a load would build it. Its rows are, for each leaf of the
 * primary's, the rest of it, which has no member at the level, and one for each joined leaf that
 * belongs to it. Members of the old levels stay what they are and keep their order. What was an
 * attribute of the leaf belongs to the level that was the lowest one; attributes of the joined
 * members are those of the leaves now.
 */
#include "cube/model_virtual.h"

#include "base/strmap.h"
#include "dimensions/builder.h"
#include "dimensions/renumber.h"

#include <string.h>

enum { MAX_COLUMNS = VC_MAX_HIERARCHIES * VC_MAX_LEVELS * 3 + 1024 };

/* What a joined leaf is called: by the first of these that tells apart the members below each
 * member of the primary. */
enum naming { BY_LEVEL, BY_KEY, BY_PATH };

enum origin { OF_LEVEL_KEY, OF_LEVEL_LABEL, OF_PLACE, OF_ATTRIBUTE, OF_LEAF_KEY, OF_INDEX };

struct column { /* where its values come from */
    enum origin origin;
    bool is_joined; /* of the joined dimension, and null in the rest */
    const vc_level *level;
    const vc_attribute *attribute;
    const uint32_t *values; /* [members of the index] its values */
    const vc_index *index;
};

struct building {
    const vc_exposing *of;
    vc_arena work;
    enum naming naming;
    const vc_level *lowest; /* of the joined dimension */
    const uint32_t
        *places; /* [joined leaves] in its order; NULL: the level is in order of its keys */
    struct column columns[MAX_COLUMNS];
    vc_str names[MAX_COLUMNS], values[MAX_COLUMNS];
    unsigned ncolumns;
    unsigned key_at, label_at,
        place_at; /* columns of the level; 0: there is none of the last two */
    vc_dimension_spec spec;
};

static const vc_level *lowest_level(const vc_dimension *dimension)
{
    const vc_hierarchy *main = &dimension->hierarchies[0];
    return &main->levels[main->nlevels - 1];
}

/* ---- what joined leaves are called ---- */

static vc_str joined_key(struct building *in, enum naming naming, uint32_t leaf)
{
    const vc_dimension *joined = in->of->joined;
    uint32_t member = vc_numbers_get(in->lowest->leaf_members, leaf);
    if (naming == BY_LEVEL) return vc_texts_get(&in->lowest->keys, member);
    if (naming == BY_KEY) return vc_texts_get(&joined->leaf_keys, leaf);
    const vc_hierarchy *main = &joined->hierarchies[0];
    return vc_member_path(main, main->nlevels - 1, member, &in->work);
}

/* Are all joined leaves of each member of the primary told apart? */
static vc_status is_telling(struct building *in, enum naming naming, bool *is_telling_out,
                            vc_error *error)
{
    const vc_relation *relation = in->of->relation;
    vc_strmap seen = {0};
    vc_arena work = {0};
    bool is_whole = true;
    *is_telling_out = true;
    for (uint32_t leaf = 0; leaf < relation->nleaves && is_whole && *is_telling_out; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, leaf, &units);
        vc_str key = nunits == 0 ? (vc_str){0} : joined_key(in, naming, leaf);
        for (size_t i = 0; i < nunits && is_whole && *is_telling_out; i++) {
            vc_str text = vc_arena_printf(&work, "%u:%.*s", units[i], VC_FMT(key));
            *is_telling_out = key.size > 0;
            is_whole =
                text.data != NULL && vc_strmap_put(&seen, text, is_telling_out) != VC_STRMAP_NONE;
            *is_telling_out &= key.size > 0;
        }
    }
    vc_strmap_release(&seen);
    vc_arena_release(&work);
    return is_whole ? VC_OK : vc_no_memory(error);
}

static vc_status choose_naming(struct building *in, vc_error *error)
{
    const vc_dimension *joined = in->of->joined;
    bool is_good;
    in->lowest = lowest_level(joined);
    in->naming = BY_LEVEL;
    vc_status status = is_telling(in, BY_LEVEL, &is_good, error);
    if (status == VC_OK && !is_good) {
        in->naming = joined->leaf_keys.count > 0 ? BY_KEY : BY_PATH;
    }
    bool has_places = in->naming == BY_PATH || in->lowest->is_ordered_by_column;
    if (status != VC_OK || !has_places) return status;
    const uint32_t *order;
    status = vc_dimension_order_leaves(joined, &in->work, &order, error);
    uint32_t *places = vc_arena_alloc(&in->work, ((size_t)joined->nleaves + 1) * sizeof *places);
    if (status != VC_OK) return status;
    if (places == NULL) return vc_no_memory(error);
    for (uint32_t i = 0; i < joined->nleaves; i++)
        places[order[i]] = i;
    in->places = places;
    return VC_OK;
}

/* ---- columns ---- */

static unsigned add_column(struct building *in, vc_str name, struct column column)
{
    in->names[in->ncolumns] = name;
    in->columns[in->ncolumns] = column;
    return in->ncolumns++;
}

static bool is_name(const struct building *in, vc_str name)
{
    const vc_dimension *primary = in->of->primary;
    for (unsigned i = 0; i < primary->nindexes; i++) /* each level and attribute has one */
        if (vc_str_equal(primary->indexes[i].name, name)) return true;
    for (unsigned a = 0; a < in->spec.nattributes; a++)
        if (vc_str_equal(in->spec.attributes[a].name, name)) return true;
    return vc_str_equal(name, in->of->name) || vc_str_is(name, "key");
}

static void add_level_columns(struct building *in, const vc_level *of, vc_level_spec *level)
{
    *level = (vc_level_spec){.name = of->name,
                             .label = of->label,
                             .key_column = add_column(in, of->name, (struct column){.level = of}),
                             .label_column = -1,
                             .order_column = -1,
                             .key_type = of->key_type,
                             .skip = of->is_ragged ? VC_SKIP_BLANK : VC_SKIP_NEVER};
    if (of->has_labels)
        level->label_column = (int)add_column(
            in, VC_STR("label"), (struct column){.origin = OF_LEVEL_LABEL, .level = of});
    if (of->is_ordered_by_column)
        level->order_column =
            (int)add_column(in, VC_STR("order"), (struct column){.origin = OF_PLACE, .level = of});
}

static vc_level_spec exposed_level(struct building *in)
{
    bool has_labels = in->naming != BY_LEVEL || in->lowest->has_labels;
    in->key_at = add_column(in, in->of->name, (struct column){.is_joined = true});
    if (has_labels)
        in->label_at = add_column(in, VC_STR("label"), (struct column){.is_joined = true});
    if (in->places != NULL)
        in->place_at = add_column(in, VC_STR("order"), (struct column){.is_joined = true});
    return (vc_level_spec){.name = in->of->name,
                           .label = in->of->label,
                           .key_column = in->key_at,
                           .label_column = has_labels ? (int)in->label_at : -1,
                           .order_column = in->places != NULL ? (int)in->place_at : -1,
                           .key_type = in->naming == BY_LEVEL ? in->lowest->key_type : VC_KEY_TEXT,
                           .skip = VC_SKIP_BLANK};
}

static bool specify_levels(struct building *in)
{
    const vc_dimension *primary = in->of->primary;
    vc_hierarchy_spec *hierarchies =
        VC_ARENA_NEW(&in->work, vc_hierarchy_spec, primary->nhierarchies);
    if (hierarchies == NULL) return false;
    vc_level_spec exposed = exposed_level(in);
    for (unsigned h = 0; h < primary->nhierarchies; h++) {
        const vc_hierarchy *of = &primary->hierarchies[h];
        vc_level_spec *levels = VC_ARENA_NEW(&in->work, vc_level_spec, of->nlevels + 1);
        if (levels == NULL) return false;
        for (unsigned l = 0; l < of->nlevels; l++)
            add_level_columns(in, &of->levels[l], &levels[l]);
        levels[of->nlevels] = exposed;
        hierarchies[h] = (vc_hierarchy_spec){
            .name = of->name, .label = of->label, .nlevels = of->nlevels + 1, .levels = levels};
    }
    in->spec.hierarchies = hierarchies;
    in->spec.nhierarchies = primary->nhierarchies;
    return true;
}

static void add_attribute(struct building *in, vc_attribute_spec *list, vc_str name, int hierarchy,
                          int level, struct column column)
{
    if (in->ncolumns == MAX_COLUMNS) return;
    list[in->spec.nattributes++] = (vc_attribute_spec){.name = name,
                                                       .column = add_column(in, name, column),
                                                       .hierarchy = hierarchy,
                                                       .level = level};
}

/* An attribute of the joined members: under a name that is taken, as "alias.name". */
static bool add_joined(struct building *in, vc_attribute_spec *list, vc_str name,
                       struct column column)
{
    if (is_name(in, name))
        name = vc_arena_printf(in->of->arena, "%.*s.%.*s", VC_FMT(in->of->alias), VC_FMT(name));
    if (name.data == NULL) return false;
    column.is_joined = true;
    if (!is_name(in, name)) add_attribute(in, list, name, -1, -1, column);
    return true;
}

static bool specify_joined_attributes(struct building *in, vc_attribute_spec *list)
{
    const vc_dimension *joined = in->of->joined;
    bool is_whole = true;
    for (unsigned h = 0; h < joined->nhierarchies && is_whole; h++)
        for (unsigned l = 0; l < joined->hierarchies[h].nlevels && is_whole; l++) {
            const vc_level *level = &joined->hierarchies[h].levels[l];
            if (level == in->lowest && in->naming == BY_LEVEL) continue;
            if (h > 0 && vc_str_equal(level->name, in->lowest->name)) continue;
            is_whole = add_joined(in, list, level->name, (struct column){.level = level});
        }
    for (unsigned a = 0; a < joined->nattributes && is_whole; a++)
        is_whole = add_joined(
            in, list, joined->attributes[a].name,
            (struct column){.origin = OF_ATTRIBUTE, .attribute = &joined->attributes[a]});
    if (is_whole && joined->leaf_keys.count > 0 && in->naming != BY_KEY)
        is_whole = add_joined(in, list, joined->key_name, (struct column){.origin = OF_LEAF_KEY});
    return is_whole;
}

/* The values of an index, member by member. */
static struct column column_of_index(struct building *in, const vc_index *index)
{
    const vc_dimension *primary = in->of->primary;
    uint32_t nmembers = index->hierarchy < 0
                            ? primary->nleaves
                            : primary->hierarchies[index->hierarchy].levels[index->level].nmembers;
    size_t bytes = ((size_t)nmembers + 1) * sizeof(uint32_t);
    uint32_t *values = vc_arena_alloc(&in->work, bytes);
    if (values != NULL) memset(values, 0xFF, bytes);
    for (uint32_t value = 0; values != NULL && value < index->values.count; value++)
        for (uint32_t i = vc_numbers_get(index->offsets, value);
             i < vc_numbers_get(index->offsets, value + 1); i++)
            values[index->members[i]] = value;
    return (struct column){.origin = OF_INDEX, .values = values, .index = index};
}

/* Where what belonged to the leaf belongs now: at the level that was the lowest, unless members of
 * that may be hidden, which have no attributes. */
static void place_of_leaf(const struct building *in, int *hierarchy_out, int *level_out)
{
    const vc_hierarchy *main = &in->of->primary->hierarchies[0];
    bool is_hidden = main->levels[main->nlevels - 1].is_ragged;
    *hierarchy_out = is_hidden ? -1 : 0;
    *level_out = is_hidden ? -1 : (int)main->nlevels - 1;
}

/* A declared index of the primary. One that is all of an attribute is on that; what another holds
 * is an attribute of its own. */
static bool specify_index(struct building *in, const vc_index *of, vc_attribute_spec *list,
                          vc_index_spec *index)
{
    bool is_of_leaf = of->level < 0;
    int hierarchy = of->hierarchy, level = of->level;
    vc_str attribute = of->name;
    bool has_attribute = vc_dimension_find_attribute(in->of->primary, of->name) != NULL;
    if (is_of_leaf) place_of_leaf(in, &hierarchy, &level);
    *index = (vc_index_spec){.name = of->name, .is_unique = of->is_unique && level >= 0};
    if (has_attribute && of->is_partial)
        attribute = vc_arena_printf(in->of->arena, "index %.*s", VC_FMT(of->name));
    if (!has_attribute || of->is_partial) {
        struct column column = column_of_index(in, of);
        if (attribute.data == NULL || column.values == NULL) return false;
        add_attribute(in, list, attribute, hierarchy, level, column);
    }
    index->attribute = attribute;
    return true;
}

/* The key of the primary's leaves, which are leaves no more: by `key` and by its name it still
 * finds its members. */
static void specify_key(struct building *in, vc_attribute_spec *list)
{
    const vc_dimension *primary = in->of->primary;
    int hierarchy, level;
    bool is_there = vc_dimension_find_attribute(primary, primary->key_name) != NULL;
    for (unsigned h = 0; h < primary->nhierarchies; h++)
        for (unsigned l = 0; l < primary->hierarchies[h].nlevels; l++)
            is_there |= vc_str_equal(primary->hierarchies[h].levels[l].name, primary->key_name);
    place_of_leaf(in, &hierarchy, &level);
    if (!is_there)
        add_attribute(in, list, primary->key_name, hierarchy, level,
                      (struct column){.origin = OF_LEAF_KEY});
    ((vc_index_spec *)in->spec.indexes)[in->spec.nindexes++] =
        (vc_index_spec){.name = VC_STR("key"), .attribute = primary->key_name};
}

static bool specify_attributes(struct building *in)
{
    const vc_dimension *primary = in->of->primary, *joined = in->of->joined;
    size_t most = (size_t)primary->nattributes + primary->nindexes + joined->nattributes +
                  (size_t)joined->nhierarchies * VC_MAX_LEVELS + 4;
    vc_attribute_spec *list = VC_ARENA_NEW(&in->work, vc_attribute_spec, most);
    vc_index_spec *indexes = VC_ARENA_NEW(&in->work, vc_index_spec, (size_t)primary->nindexes + 2);
    int hierarchy, level;
    bool has_key = false;
    if (list == NULL || indexes == NULL) return false;
    in->spec.attributes = list;
    in->spec.indexes = indexes;
    place_of_leaf(in, &hierarchy, &level);
    for (unsigned a = 0; a < primary->nattributes; a++) {
        const vc_attribute *of = &primary->attributes[a];
        add_attribute(in, list, of->name, of->level < 0 ? hierarchy : of->hierarchy,
                      of->level < 0 ? level : of->level,
                      (struct column){.origin = OF_ATTRIBUTE, .attribute = of});
    }
    for (unsigned i = 0; i < primary->nindexes; i++) {
        const vc_index *of = &primary->indexes[i];
        if (of->is_implicit) continue; /* comes by itself */
        has_key |= vc_str_is(of->name, "key");
        if (!specify_index(in, of, list, &indexes[in->spec.nindexes++])) return false;
    }
    if (primary->leaf_keys.count > 0 && !has_key) specify_key(in, list);
    return specify_joined_attributes(in, list);
}

static bool specify(struct building *in)
{
    const vc_dimension *primary = in->of->primary;
    in->spec = (vc_dimension_spec){.name = primary->name,
                                   .label = primary->label,
                                   .is_time = primary->is_time,
                                   .column_names = in->names,
                                   .key_column = -1};
    if (!specify_levels(in) || !specify_attributes(in)) return false;
    in->spec.ncolumns = in->ncolumns;
    return true;
}

/* ---- rows ---- */

static vc_str text_of(struct building *in, const struct column *column,
                      const vc_dimension *dimension, uint32_t leaf)
{
    const vc_level *level = column->level;
    uint32_t at = level == NULL ? leaf : vc_numbers_get(level->leaf_members, leaf);
    switch (column->origin) {
    case OF_LEVEL_KEY: return vc_texts_get(&level->keys, at);
    case OF_LEVEL_LABEL: return vc_texts_get(&level->labels, at);
    case OF_PLACE: return vc_arena_printf(&in->work, "%u", at);
    case OF_LEAF_KEY: return vc_texts_get(&dimension->leaf_keys, leaf);
    case OF_ATTRIBUTE: {
        const vc_attribute *of = column->attribute;
        if (of->level >= 0)
            at = vc_numbers_get(
                dimension->hierarchies[of->hierarchy].levels[of->level].leaf_members, leaf);
        uint32_t code = vc_numbers_get(of->codes, at);
        return code == VC_NONE ? (vc_str){0} : vc_texts_get(&of->values, code);
    }
    case OF_INDEX: {
        const vc_index *of = column->index;
        if (of->level >= 0)
            at = vc_numbers_get(
                dimension->hierarchies[of->hierarchy].levels[of->level].leaf_members, leaf);
        return column->values[at] == VC_NONE ? (vc_str){0}
                                             : vc_texts_get(&of->values, column->values[at]);
    }
    }
    return (vc_str){0};
}

static void put_primary(struct building *in, uint32_t leaf)
{
    for (unsigned c = 0; c < in->ncolumns; c++)
        in->values[c] = in->columns[c].is_joined
                            ? (vc_str){0}
                            : text_of(in, &in->columns[c], in->of->primary, leaf);
}

static bool put_joined(struct building *in, uint32_t leaf)
{
    uint32_t member = vc_numbers_get(in->lowest->leaf_members, leaf);
    for (unsigned c = 0; c < in->ncolumns; c++)
        if (in->columns[c].is_joined && c != in->key_at && c != in->label_at && c != in->place_at)
            in->values[c] = text_of(in, &in->columns[c], in->of->joined, leaf);
    in->values[in->key_at] = joined_key(in, in->naming, leaf);
    if (in->label_at > 0) in->values[in->label_at] = vc_texts_get(&in->lowest->labels, member);
    if (in->place_at > 0)
        in->values[in->place_at] = vc_arena_printf(&in->work, "%u", in->places[leaf]);
    return in->place_at == 0 || in->values[in->place_at].data != NULL;
}

/* The pairs of the relation, turned around: of each leaf of the primary the joined leaves, and the
 * place of each pair. */
struct partners {
    uint32_t *first; /* [leaves of the primary + 1] */
    uint32_t *leaves, *pairs;
};

static vc_status turn_around(struct building *in, struct partners *out, vc_error *error)
{
    const vc_relation *relation = in->of->relation;
    uint32_t nleaves = in->of->primary->nleaves, npairs = 0, pair = 0;
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        npairs += (uint32_t)vc_relation_units(relation, leaf, &units);
    }
    /* A unit is a leaf of the primary, or the one member above it. */
    const vc_level *level = relation->level < 0 ? NULL : lowest_level(in->of->primary);
    uint32_t *leaf_of = VC_ARENA_NEW(&in->work, uint32_t, (size_t)nleaves + 1);
    out->first = VC_ARENA_NEW(&in->work, uint32_t, (size_t)nleaves + 2);
    out->leaves = VC_ARENA_NEW(&in->work, uint32_t, (size_t)npairs + 1);
    out->pairs = VC_ARENA_NEW(&in->work, uint32_t, (size_t)npairs + 1);
    if (leaf_of == NULL || out->first == NULL || out->leaves == NULL || out->pairs == NULL)
        return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < nleaves; leaf++)
        leaf_of[level == NULL ? leaf : vc_numbers_get(level->leaf_members, leaf)] = leaf;
    for (int pass = 0; pass < 2; pass++) {
        pair = 0;
        for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
            const uint32_t *units;
            size_t nunits = vc_relation_units(relation, leaf, &units);
            for (size_t i = 0; i < nunits; i++, pair++) {
                uint32_t *at = &out->first[leaf_of[units[i]] + (pass == 0 ? 2 : 1)];
                if (pass == 1) {
                    out->leaves[*at] = leaf;
                    out->pairs[*at] = pair;
                }
                ++*at;
            }
        }
        for (uint32_t leaf = 0; leaf < nleaves && pass == 0; leaf++)
            out->first[leaf + 1] += out->first[leaf];
    }
    return VC_OK;
}

static vc_status add_rows(struct building *in, vc_dimension_builder *builder,
                          const struct partners *partners, uint32_t *rests, uint32_t *leaves,
                          vc_error *error)
{
    vc_status status = VC_OK;
    for (uint32_t leaf = 0; leaf < in->of->primary->nleaves && status == VC_OK; leaf++) {
        put_primary(in, leaf);
        status = vc_dimension_builder_add(builder, in->values, &rests[leaf], error);
        for (uint32_t i = partners->first[leaf]; i < partners->first[leaf + 1] && status == VC_OK;
             i++) {
            if (!put_joined(in, partners->leaves[i])) return vc_no_memory(error);
            status =
                vc_dimension_builder_add(builder, in->values, &leaves[partners->pairs[i]], error);
        }
    }
    return status;
}

/* ---- the whole ---- */

static vc_status finish(struct building *in, vc_dimension_builder *builder,
                        const vc_dimension **dimension_out, uint32_t *rests, uint32_t *leaves,
                        size_t nleaves, vc_error *error)
{
    const uint32_t *leaf_of_row;
    vc_buffer image = {0};
    vc_dimension_report report;
    vc_status status = vc_dimension_builder_finish(builder, &image, &leaf_of_row, &report, error);
    if (status == VC_OK) {
        char *kept = vc_arena_alloc(in->of->arena, image.size + 1);
        if (kept != NULL) memcpy(kept, image.data, image.size);
        status = kept == NULL ? vc_no_memory(error)
                              : vc_dimension_open((vc_str){.data = kept, .size = image.size},
                                                  in->of->arena, dimension_out, error);
    }
    for (uint32_t leaf = 0; leaf < in->of->primary->nleaves && status == VC_OK; leaf++)
        rests[leaf] = leaf_of_row[rests[leaf]];
    for (size_t i = 0; i < nleaves && status == VC_OK; i++)
        leaves[i] = leaf_of_row[leaves[i]];
    vc_buffer_release(&image);
    return status;
}

static vc_status run(struct building *in, const vc_dimension **dimension_out, uint32_t **rests_out,
                     uint32_t **leaves_out, vc_error *error)
{
    vc_arena *arena = in->of->arena;
    vc_dimension_builder *builder = NULL;
    struct partners partners;
    vc_status status = choose_naming(in, error);
    if (status == VC_OK && !specify(in)) status = vc_no_memory(error);
    if (status == VC_OK && in->ncolumns == MAX_COLUMNS)
        status = vc_fail(error, VC_LIMIT, "limit_levels",
                         "the dimension and the members below it have more than %d levels and "
                         "attributes together",
                         MAX_COLUMNS);
    if (status == VC_OK) status = turn_around(in, &partners, error);
    if (status != VC_OK) return status;
    uint32_t nprimary = in->of->primary->nleaves;
    size_t npairs = partners.first[nprimary];
    uint32_t *rests = VC_ARENA_NEW(arena, uint32_t, (size_t)nprimary + 1);
    uint32_t *leaves = VC_ARENA_NEW(arena, uint32_t, npairs + 1);
    if (rests == NULL || leaves == NULL) return vc_no_memory(error);
    status = vc_dimension_builder_new(&in->spec, NULL, &builder, error);
    if (status == VC_OK) status = add_rows(in, builder, &partners, rests, leaves, error);
    if (status == VC_OK) status = finish(in, builder, dimension_out, rests, leaves, npairs, error);
    vc_dimension_builder_free(builder);
    *rests_out = rests;
    *leaves_out = leaves;
    return status;
}

vc_status vc_virtual_build_exposed(const vc_exposing *exposing, const vc_dimension **dimension_out,
                                   uint32_t **rests_out, uint32_t **leaves_out, vc_error *error)
{
    struct building *in = VC_ARENA_NEW(exposing->arena, struct building, 1);
    if (in == NULL) return vc_no_memory(error);
    in->of = exposing;
    vc_status status = run(in, dimension_out, rests_out, leaves_out, error);
    vc_arena_release(&in->work);
    return status;
}
