/* Indexes of a dimension: which names they have, and value -> members in compressed sparse rows. */
#include "base/nearest.h"
#include "dimensions/build.h"

#include <stdio.h>
#include <string.h>

/* ---- what an index looks at ---- */

/* Values of leaves (hierarchy -1) or of the members of a level. */
typedef struct origin {
    int hierarchy, level;
    unsigned column;   /* whose dictionary the values are of */
    int attribute;     /* number of the attribute, -1: none */
    bool is_level_key; /* the values are the keys of the level */
} origin;

/* By the name of the level, or of its key column. */
static bool find_level_origin(const vc_dimension_spec *spec, vc_str name, bool by_column,
                              origin *origin_out)
{
    for (unsigned h = 0; h < spec->nhierarchies; h++)
        for (unsigned l = 0; l < spec->hierarchies[h].nlevels; l++) {
            const vc_level_spec *level = &spec->hierarchies[h].levels[l];
            vc_str known = by_column ? spec->column_names[level->key_column] : level->name;
            if (!vc_str_equal(known, name)) continue;
            *origin_out = (origin){.hierarchy = (int)h,
                                   .level = (int)l,
                                   .column = level->key_column,
                                   .attribute = -1,
                                   .is_level_key = true};
            return true;
        }
    return false;
}

static origin lowest_level_origin(const vc_dimension_spec *spec)
{
    const vc_hierarchy_spec *main = &spec->hierarchies[0];
    return (origin){.hierarchy = 0,
                    .level = (int)main->nlevels - 1,
                    .column = main->levels[main->nlevels - 1].key_column,
                    .attribute = -1,
                    .is_level_key = true};
}

static origin column_origin(unsigned column)
{
    return (origin){.hierarchy = -1, .level = -1, .column = column, .attribute = -1};
}

static origin attribute_origin(const vc_dimension_spec *spec, unsigned attribute)
{
    return (origin){.hierarchy = spec->attributes[attribute].hierarchy,
                    .level = spec->attributes[attribute].level,
                    .column = spec->attributes[attribute].column,
                    .attribute = (int)attribute};
}

/* By the name that a definition uses: attribute, `key`, key column, level, a level's key column,
 * any other column. */
static bool find_origin(const vc_dimension_spec *spec, vc_str name, origin *origin_out)
{
    for (unsigned a = 0; a < spec->nattributes; a++)
        if (vc_str_equal(spec->attributes[a].name, name)) {
            *origin_out = attribute_origin(spec, a);
            return true;
        }
    bool is_key = vc_str_is(name, "key");
    if (spec->key_column >= 0 &&
        (is_key || vc_str_equal(spec->column_names[spec->key_column], name))) {
        *origin_out = column_origin((unsigned)spec->key_column);
        return true;
    }
    if (find_level_origin(spec, name, false, origin_out)) return true;
    if (is_key) {
        *origin_out = lowest_level_origin(spec);
        return true;
    }
    if (find_level_origin(spec, name, true, origin_out)) return true;
    for (unsigned c = 0; c < spec->ncolumns; c++)
        if (vc_str_equal(spec->column_names[c], name)) {
            *origin_out = column_origin(c);
            return true;
        }
    return false;
}

static vc_status fail_unknown(const vc_dimension_spec *spec, const vc_index_spec *index,
                              vc_str wanted, vc_error *error)
{
    vc_nearest nearest;
    vc_nearest_init(&nearest, wanted);
    for (unsigned a = 0; a < spec->nattributes; a++)
        vc_nearest_offer(&nearest, spec->attributes[a].name);
    for (unsigned h = 0; h < spec->nhierarchies; h++)
        for (unsigned l = 0; l < spec->hierarchies[h].nlevels; l++)
            vc_nearest_offer(&nearest, spec->hierarchies[h].levels[l].name);
    if (spec->key_column >= 0) vc_nearest_offer(&nearest, spec->column_names[spec->key_column]);
    vc_fail(error, VC_BAD_INPUT, "unknown_attribute",
            "index '%.*s' of dimension '%.*s' names '%.*s', which is no attribute, key, level or "
            "column of it",
            VC_FMT(index->name), VC_FMT(spec->name), VC_FMT(wanted));
    vc_nearest_report(&nearest, error);
    return VC_BAD_INPUT;
}

/* Has each leaf or member that `of` belongs to exactly one value of `where`? */
static bool can_filter(const origin *of, const origin *where)
{
    if (of->hierarchy < 0 || where->hierarchy < 0) return of->hierarchy < 0;
    return where->hierarchy == of->hierarchy && where->level <= of->level;
}

/* Of which leaves or members a declared index is. Where the members of a level have no one value
 * for its condition, it is an index of those of their leaves that meet it: of the cities that are
 * capitals, by the country that they are in. */
static bool find_indexed(const vc_dimension_spec *spec, const vc_index_spec *index,
                         origin *origin_out)
{
    origin where;
    if (!find_origin(spec, index->attribute, origin_out)) return false;
    if (index->has_where && find_origin(spec, index->where_attribute, &where) &&
        !can_filter(origin_out, &where))
        *origin_out = column_origin(origin_out->column);
    return true;
}

static vc_status check_index(const vc_dimension_spec *spec, const vc_index_spec *index,
                             vc_error *error)
{
    origin of;
    if (!find_origin(spec, index->attribute, &of))
        return fail_unknown(spec, index, index->attribute, error);
    if (index->has_where && !find_origin(spec, index->where_attribute, &of))
        return fail_unknown(spec, index, index->where_attribute, error);
    return VC_OK;
}

vc_status vc_build_check_indexes(const vc_dimension_spec *spec, vc_error *error)
{
    for (unsigned i = 0; i < spec->nindexes; i++) {
        vc_status status = check_index(spec, &spec->indexes[i], error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* ---- the values of leaves and members ---- */

static uint32_t count_units(const vc_build *build, const origin *of)
{
    return of->hierarchy < 0 ? build->nrows : build->levels[of->hierarchy][of->level].nmembers;
}

/* [units] codes of the column of `of`. */
static const uint32_t *unit_codes(const vc_build *build, const origin *of)
{
    if (of->is_level_key) return build->levels[of->hierarchy][of->level].key_codes;
    if (of->attribute >= 0)
        return vc_build_array(build->dimension->attributes[of->attribute].codes);
    return vc_build_array(build->rows.columns[of->column].codes);
}

/* The value of `where` for a unit of `of`. can_filter holds. */
static uint32_t filter_code(const vc_build *build, const origin *of, const origin *where,
                            uint32_t unit)
{
    const uint32_t *codes = unit_codes(build, where);
    if (where->hierarchy < 0) return codes[unit];
    const vc_level *levels = build->dimension->hierarchies[where->hierarchy].levels;
    if (of->hierarchy < 0) return codes[vc_numbers_get(levels[where->level].leaf_members, unit)];
    for (int level = of->level; level > where->level; level--)
        unit = vc_numbers_get(levels[level].parents, unit);
    return codes[unit];
}

/* Take those out whose value of `where` is not wanted. */
static bool filter_codes(const vc_build *build, const origin *of, const vc_index_spec *spec,
                         uint32_t *codes)
{
    origin where;
    find_origin(build->spec, spec->where_attribute, &where);
    const vc_build_column *filter = &build->columns[where.column];
    bool *is_wanted = VC_ARENA_NEW(build->arena, bool, (size_t)filter->nvalues + 1);
    if (is_wanted == NULL) return false;
    for (size_t i = 0; i < spec->nwhere_values; i++) {
        uint32_t code = vc_build_column_find(filter, spec->where_values[i]);
        if (code != VC_NONE) is_wanted[code] = true;
    }
    uint32_t nunits = count_units(build, of);
    for (uint32_t unit = 0; unit < nunits; unit++) {
        uint32_t code = filter_code(build, of, &where, unit);
        if (code == VC_NONE || !is_wanted[code]) codes[unit] = VC_NONE;
    }
    return true;
}

/* Codes of the units that are in the index, VC_NONE for the others: those without a value, with an
 * empty one, or kept out by `where`. NULL when out of memory. */
static const uint32_t *indexed_codes(const vc_build *build, const origin *of,
                                     const vc_index_spec *spec)
{
    const vc_build_column *column = &build->columns[of->column];
    bool has_empty = column->nvalues > 0 && column->values[0].size == 0;
    bool has_where = spec != NULL && spec->has_where;
    if (!has_empty && !has_where) return unit_codes(build, of);

    uint32_t nunits = count_units(build, of);
    uint32_t *codes = vc_arena_alloc(build->arena, nunits * sizeof *codes);
    if (codes == NULL) return NULL;
    memcpy(codes, unit_codes(build, of), nunits * sizeof *codes);
    for (uint32_t unit = 0; has_empty && unit < nunits; unit++)
        if (codes[unit] == 0) codes[unit] = VC_NONE;
    return has_where && !filter_codes(build, of, spec, codes) ? NULL : codes;
}

/* ---- making ---- */

/* The values that have units, and the units of each. Where that is all values of a column of the
 * table, their texts are the column's. */
static bool make_rows(const vc_build *build, const origin *of, const uint32_t *codes,
                      vc_index *index)
{
    const vc_build_column *column = &build->columns[of->column];
    uint32_t nunits = count_units(build, of), nvalues = 0, nindexed = 0;
    uint32_t *ends = VC_ARENA_NEW(build->arena, uint32_t, (size_t)column->nvalues + 1);
    uint32_t *offsets =
        vc_arena_alloc(build->arena, ((size_t)column->nvalues + 1) * sizeof *offsets);
    vc_str *values = build->scratch;
    if (ends == NULL || offsets == NULL) return false;
    for (uint32_t unit = 0; unit < nunits; unit++)
        if (codes[unit] != VC_NONE) ends[codes[unit]]++, nindexed++;
    uint32_t at = 0;
    for (uint32_t code = 0; code < column->nvalues; code++) {
        uint32_t count = ends[code];
        if (count == 0) continue;
        ends[code] = at;
        offsets[nvalues] = at;
        values[nvalues++] = column->values[code];
        at += count;
    }
    offsets[nvalues] = at;
    uint32_t *members = vc_arena_alloc(build->arena, nindexed * sizeof *members);
    if (members == NULL) return false;
    for (uint32_t unit = 0; unit < nunits; unit++)
        if (codes[unit] != VC_NONE) members[ends[codes[unit]]++] = unit;
    index->offsets = vc_numbers_of(offsets);
    index->members = members;
    bool is_whole = nvalues == column->nvalues && of->column < build->rows.ncolumns;
    index->values = is_whole ? build->rows.columns[of->column].values
                             : vc_build_texts(values, nvalues, build->arena);
    return index->values.bytes != NULL;
}

static bool has_name(const vc_dimension *dimension, vc_str name)
{
    for (unsigned i = 0; i < dimension->nindexes; i++)
        if (vc_str_equal(dimension->indexes[i].name, name)) return true;
    return false;
}

/* spec  NULL for an implicit index, which gives way to one that has the name already */
static vc_status add_index(vc_build *build, vc_str name, const origin *of,
                           const vc_index_spec *spec, vc_error *error)
{
    vc_dimension *dimension = build->dimension;
    if (spec == NULL && has_name(dimension, name)) return VC_OK;
    const uint32_t *codes = indexed_codes(build, of, spec);
    vc_index index = {.name = name,
                      .hierarchy = of->hierarchy,
                      .level = of->level,
                      .is_implicit = spec == NULL,
                      .is_partial = spec != NULL && spec->has_where};
    if (codes == NULL || !make_rows(build, of, codes, &index)) return vc_no_memory(error);
    bool is_key = of->hierarchy < 0 && (int)of->column == build->spec->key_column;
    index.is_unique = is_key || (spec != NULL && spec->is_unique);
    dimension->indexes[dimension->nindexes++] = index;
    return VC_OK;
}

/* ---- is it unique? ---- */

enum { SHOWN_VALUES = 3, SHOWN_MEMBERS = 4 };

/* What a message calls a leaf or a member. */
static vc_str unit_name(const vc_build *build, const vc_index *index, uint32_t unit)
{
    const vc_dimension *dimension = build->dimension;
    if (index->hierarchy >= 0)
        return vc_member_path(&dimension->hierarchies[index->hierarchy], (unsigned)index->level,
                              unit, build->arena);
    if (dimension->leaf_keys.count > 0) return vc_texts_get(&dimension->leaf_keys, unit);
    const vc_hierarchy *main = &dimension->hierarchies[0];
    unsigned lowest = main->nlevels - 1;
    return vc_member_path(main, lowest, vc_numbers_get(main->levels[lowest].leaf_members, unit),
                          build->arena);
}

static void put_conflict(const vc_build *build, const vc_index *index, uint32_t value,
                         vc_buffer *text)
{
    uint32_t first = vc_numbers_get(index->offsets, value);
    uint32_t end = vc_numbers_get(index->offsets, value + 1);
    vc_str shown = vc_texts_get(&index->values, value);
    vc_buffer_printf(text, "'%.*s' (", VC_FMT(shown));
    for (uint32_t i = first; i < end && i < first + SHOWN_MEMBERS; i++) {
        if (i > first) vc_buffer_put_text(text, ", ");
        vc_buffer_put_str(text, unit_name(build, index, index->members[i]));
    }
    if (end - first > SHOWN_MEMBERS)
        vc_buffer_printf(text, ", and %u more", (unsigned)(end - first - SHOWN_MEMBERS));
    vc_buffer_put_text(text, ")");
}

/* Are all units of a value places of one leaf? */
static bool is_one_leaf(const vc_build *build, const vc_index *index, uint32_t value)
{
    const uint32_t *offsets = vc_build_array(index->offsets);
    const uint32_t *units = index->members + offsets[value];
    uint32_t count = offsets[value + 1] - offsets[value];
    if (index->hierarchy >= 0 || build->ndoubles == 0) return count < 2;
    for (uint32_t i = 1; i < count; i++)
        if (vc_leaf_first(build->dimension, units[i]) != vc_leaf_first(build->dimension, units[0]))
            return false;
    return true;
}

static vc_status check_unique(const vc_build *build, const vc_index *index, vc_error *error)
{
    uint32_t nconflicts = 0;
    vc_buffer text = {0};
    for (uint32_t value = 0; value < index->values.count; value++) {
        if (is_one_leaf(build, index, value)) continue;
        if (nconflicts++ >= SHOWN_VALUES) continue;
        if (nconflicts > 1) vc_buffer_put_text(&text, ", ");
        put_conflict(build, index, value, &text);
    }
    if (nconflicts > SHOWN_VALUES)
        vc_buffer_printf(&text, ", and %u more values", (unsigned)(nconflicts - SHOWN_VALUES));
    vc_status status = VC_OK;
    if (nconflicts > 0)
        status = vc_fail(error, VC_BAD_INPUT, "index_not_unique",
                         "index '%.*s' of dimension '%.*s' is declared unique, but %u of its "
                         "values %s several members: %s",
                         VC_FMT(index->name), VC_FMT(build->spec->name), (unsigned)nconflicts,
                         nconflicts == 1 ? "has" : "have", vc_buffer_text(&text));
    vc_buffer_release(&text);
    return status;
}

/* ---- all of them ---- */

static vc_status add_declared(vc_build *build, vc_error *error)
{
    const vc_dimension_spec *spec = build->spec;
    for (unsigned i = 0; i < spec->nindexes; i++) {
        origin of;
        find_indexed(spec, &spec->indexes[i], &of);
        vc_status status = add_index(build, spec->indexes[i].name, &of, &spec->indexes[i], error);
        if (status != VC_OK) return status;
        const vc_index *index = &build->dimension->indexes[build->dimension->nindexes - 1];
        if (index->is_unique) status = check_unique(build, index, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* The key column's index is that of `key` under another name, unless a declared one is so called.
 */
static vc_status add_key_column(vc_build *build, const origin *key, vc_error *error)
{
    vc_dimension *dimension = build->dimension;
    vc_str name = build->spec->column_names[build->spec->key_column];
    vc_index *last = dimension->nindexes == 0 ? NULL : &dimension->indexes[dimension->nindexes - 1];
    if (last == NULL || !last->is_implicit) return add_index(build, name, key, NULL, error);
    if (has_name(dimension, name)) return VC_OK;
    dimension->indexes[dimension->nindexes] = *last;
    dimension->indexes[dimension->nindexes++].name = name;
    return VC_OK;
}

static vc_status add_implicit(vc_build *build, vc_error *error)
{
    const vc_dimension_spec *spec = build->spec;
    bool has_key = spec->key_column >= 0;
    origin key = has_key ? column_origin((unsigned)spec->key_column) : lowest_level_origin(spec);
    vc_status status = add_index(build, VC_STR("key"), &key, NULL, error);
    if (status == VC_OK && has_key) status = add_key_column(build, &key, error);
    for (unsigned h = 0; h < spec->nhierarchies; h++)
        for (unsigned l = 0; status == VC_OK && l < spec->hierarchies[h].nlevels; l++) {
            const vc_level_spec *level = &spec->hierarchies[h].levels[l];
            origin of = {.hierarchy = (int)h,
                         .level = (int)l,
                         .column = level->key_column,
                         .attribute = -1,
                         .is_level_key = true};
            status = add_index(build, level->name, &of, NULL, error);
        }
    for (unsigned a = 0; status == VC_OK && a < spec->nattributes; a++) {
        origin of = attribute_origin(spec, a);
        status = add_index(build, spec->attributes[a].name, &of, NULL, error);
    }
    return status;
}

vc_status vc_build_indexes(vc_build *build, vc_error *error)
{
    const vc_dimension_spec *spec = build->spec;
    size_t most = (size_t)spec->nindexes + spec->nattributes + 2;
    for (unsigned h = 0; h < spec->nhierarchies; h++)
        most += spec->hierarchies[h].nlevels;
    build->dimension->indexes = VC_ARENA_NEW(build->arena, vc_index, most);
    if (build->dimension->indexes == NULL) return vc_no_memory(error);
    vc_status status = add_declared(build, error);
    return status == VC_OK ? add_implicit(build, error) : status;
}
