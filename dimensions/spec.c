/* What a spec must be like, and what each of its columns is there for. */
#include "dimensions/build.h"

/* ---- checks ---- */

static vc_status check_column(const vc_dimension_spec *spec, int column, vc_error *error)
{
    if (column < (int)spec->ncolumns) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "bad_dimension",
                   "dimension '%.*s' has %u columns, column %d is not among them",
                   VC_FMT(spec->name), spec->ncolumns, column);
}

/* Several parents need a key by which places are known to be of one leaf; and all trees that have
 * them go by the same parents, or a row would have to be copied for every pair of ways. */
static vc_status check_several(const vc_dimension_spec *spec, const vc_hierarchy_spec *hierarchy,
                               vc_error *error)
{
    if (!hierarchy->has_several_parents) return VC_OK;
    if (spec->key_column < 0)
        return vc_fail(error, VC_BAD_INPUT, "bad_dimension",
                       "hierarchy '%.*s' of dimension '%.*s' may have members under several "
                       "parents, but its table has no key that they could be known by",
                       VC_FMT(hierarchy->name), VC_FMT(spec->name));
    for (unsigned h = 0; h < spec->nhierarchies && hierarchy->is_parent_child; h++) {
        const vc_hierarchy_spec *other = &spec->hierarchies[h];
        if (other->is_parent_child &&
            (other->parent_column != hierarchy->parent_column || !other->has_several_parents))
            return vc_fail(error, VC_BAD_INPUT, "bad_dimension",
                           "hierarchy '%.*s' of dimension '%.*s' may have members under several "
                           "parents: then all parent-child hierarchies must, by the same column",
                           VC_FMT(hierarchy->name), VC_FMT(spec->name));
    }
    return VC_OK;
}

static vc_status check_hierarchy(const vc_dimension_spec *spec, const vc_hierarchy_spec *hierarchy,
                                 vc_error *error)
{
    vc_status several = check_several(spec, hierarchy, error);
    if (several != VC_OK) return several;
    if (hierarchy->is_parent_child && spec->key_column < 0)
        return vc_fail(
            error, VC_BAD_INPUT, "bad_dimension",
            "hierarchy '%.*s' of dimension '%.*s' has a parent column, but its table has "
            "no key that parents could be found by",
            VC_FMT(hierarchy->name), VC_FMT(spec->name));
    if (hierarchy->nlevels == 0 || hierarchy->nlevels > VC_MAX_LEVELS)
        return vc_fail(error, VC_BAD_INPUT, "bad_dimension",
                       "hierarchy '%.*s' of dimension '%.*s' has %u levels; it needs 1 to %d",
                       VC_FMT(hierarchy->name), VC_FMT(spec->name), hierarchy->nlevels,
                       VC_MAX_LEVELS);
    vc_status status = VC_OK;
    if (hierarchy->is_parent_child) {
        status = check_column(spec, (int)hierarchy->parent_column, error);
        if (status == VC_OK) status = check_column(spec, hierarchy->level_column, error);
    }
    for (unsigned l = 0; status == VC_OK && l < hierarchy->nlevels; l++) {
        const vc_level_spec *level = &hierarchy->levels[l];
        status = check_column(spec, (int)level->key_column, error);
        if (status == VC_OK) status = check_column(spec, level->label_column, error);
        if (status == VC_OK) status = check_column(spec, level->order_column, error);
    }
    return status;
}

static vc_status check_attribute(const vc_dimension_spec *spec, const vc_attribute_spec *attribute,
                                 vc_error *error)
{
    bool has_level = attribute->hierarchy < 0 ||
                     (attribute->hierarchy < (int)spec->nhierarchies && attribute->level >= 0 &&
                      attribute->level < (int)spec->hierarchies[attribute->hierarchy].nlevels);
    if (!has_level)
        return vc_fail(error, VC_BAD_INPUT, "bad_dimension",
                       "attribute '%.*s' of dimension '%.*s' belongs to a level that is not there",
                       VC_FMT(attribute->name), VC_FMT(spec->name));
    return check_column(spec, (int)attribute->column, error);
}

vc_status vc_build_check_spec(const vc_dimension_spec *spec, vc_error *error)
{
    if (spec->nhierarchies == 0 || spec->nhierarchies > VC_MAX_HIERARCHIES)
        return vc_fail(error, VC_BAD_INPUT, "bad_dimension",
                       "dimension '%.*s' has %u hierarchies; it needs 1 to %d", VC_FMT(spec->name),
                       spec->nhierarchies, VC_MAX_HIERARCHIES);
    vc_status status = check_column(spec, spec->key_column, error);
    for (unsigned h = 0; status == VC_OK && h < spec->nhierarchies; h++)
        status = check_hierarchy(spec, &spec->hierarchies[h], error);
    for (unsigned a = 0; status == VC_OK && a < spec->nattributes; a++)
        status = check_attribute(spec, &spec->attributes[a], error);
    return status == VC_OK ? vc_build_check_indexes(spec, error) : status;
}

/* ---- columns ---- */

/* What leads to a leaf in a hierarchy where it may have several parents. */
static void find_free(const vc_dimension_spec *spec, vc_build_roles *roles, unsigned number)
{
    const vc_hierarchy_spec *hierarchy = &spec->hierarchies[number];
    bool *is_rider = roles->is_rider, *is_free = roles->is_free;
    for (unsigned l = 0; l < hierarchy->nlevels && !hierarchy->is_parent_child; l++) {
        const vc_level_spec *level = &hierarchy->levels[l];
        if ((int)level->key_column == spec->key_column) continue;
        is_free[level->key_column] = true;
        if (level->label_column >= 0)
            is_free[level->label_column] = is_rider[level->label_column] = true;
        if (level->order_column >= 0)
            is_free[level->order_column] = is_rider[level->order_column] = true;
        for (unsigned a = 0; a < spec->nattributes; a++)
            if (spec->attributes[a].hierarchy == (int)number &&
                spec->attributes[a].level == (int)l) {
                unsigned column = spec->attributes[a].column;
                is_free[column] = is_rider[column] = roles->is_owned[column] = true;
            }
    }
    if (!hierarchy->is_parent_child) return;
    is_free[hierarchy->parent_column] = true;
    if (hierarchy->level_column >= 0) is_free[hierarchy->level_column] = true;
}

/* What belongs to a leaf wherever it stands. */
static void find_strict(const vc_dimension_spec *spec, vc_build_roles *roles, unsigned number)
{
    const vc_hierarchy_spec *hierarchy = &spec->hierarchies[number];
    bool *is_free = roles->is_free;
    for (unsigned l = 0; l < hierarchy->nlevels; l++) {
        const vc_level_spec *level = &hierarchy->levels[l];
        if (hierarchy->has_several_parents && (int)level->key_column != spec->key_column) continue;
        is_free[level->key_column] = false;
        if (level->label_column >= 0) is_free[level->label_column] = false;
        if (level->order_column >= 0) is_free[level->order_column] = false;
    }
    if (hierarchy->has_several_parents || !hierarchy->is_parent_child) return;
    is_free[hierarchy->parent_column] = false;
    if (hierarchy->level_column >= 0) is_free[hierarchy->level_column] = false;
}

/* Rows of one key are told apart by what leads to it: all else is a rider, or must agree. */
static void find_places(const vc_dimension_spec *spec, vc_build_roles *roles)
{
    for (unsigned h = 0; h < spec->nhierarchies; h++)
        if (spec->hierarchies[h].has_several_parents) find_free(spec, roles, h);
    for (unsigned h = 0; h < spec->nhierarchies; h++)
        find_strict(spec, roles, h);
    for (unsigned a = 0; a < spec->nattributes; a++) {
        int hierarchy = spec->attributes[a].hierarchy;
        if (hierarchy < 0 || !spec->hierarchies[hierarchy].has_several_parents)
            roles->is_free[spec->attributes[a].column] = false;
    }
    for (unsigned h = 0; h < spec->nhierarchies; h++)
        for (unsigned l = 0; l < spec->hierarchies[h].nlevels; l++)
            roles->is_rider[spec->hierarchies[h].levels[l].key_column] = false;
    for (unsigned c = 0; c < spec->ncolumns; c++) {
        if (!roles->is_free[c] && (int)c != spec->key_column) roles->is_rider[c] = true;
        roles->has_riders |= roles->is_rider[c];
    }
}

/* Columns that are nothing but labels or order values of levels. */
static void find_riders(const vc_dimension_spec *spec, vc_build_roles *roles)
{
    bool *is_rider = roles->is_rider;
    for (unsigned h = 0; h < spec->nhierarchies; h++)
        for (unsigned l = 0; l < spec->hierarchies[h].nlevels; l++) {
            const vc_level_spec *level = &spec->hierarchies[h].levels[l];
            if (level->label_column >= 0) is_rider[level->label_column] = true;
            if (level->order_column >= 0) is_rider[level->order_column] = true;
        }
    for (unsigned h = 0; h < spec->nhierarchies; h++)
        for (unsigned l = 0; l < spec->hierarchies[h].nlevels; l++)
            is_rider[spec->hierarchies[h].levels[l].key_column] = false;
    for (unsigned a = 0; a < spec->nattributes; a++)
        is_rider[spec->attributes[a].column] = false;
    for (unsigned c = 0; c < spec->ncolumns; c++) {
        for (unsigned i = 0; i < spec->nindexes; i++)
            if (vc_str_equal(spec->indexes[i].attribute, spec->column_names[c]))
                is_rider[c] = false;
        roles->has_riders |= is_rider[c];
    }
}

bool vc_build_find_roles(const vc_dimension_spec *spec, vc_arena *arena, vc_build_roles *roles)
{
    *roles = (vc_build_roles){.is_rider = VC_ARENA_NEW(arena, bool, spec->ncolumns),
                              .is_owned = VC_ARENA_NEW(arena, bool, spec->ncolumns),
                              .is_free = VC_ARENA_NEW(arena, bool, spec->ncolumns)};
    if (roles->is_rider == NULL || roles->is_owned == NULL || roles->is_free == NULL) return false;
    for (unsigned h = 0; h < spec->nhierarchies; h++)
        roles->has_places |= spec->hierarchies[h].has_several_parents;
    if (spec->key_column < 0) find_riders(spec, roles);
    if (roles->has_places) find_places(spec, roles);
    return true;
}

/* Does a column say where a leaf stands? */
bool vc_build_leads_to_leaf(const vc_dimension_spec *spec, unsigned column)
{
    for (unsigned h = 0; h < spec->nhierarchies; h++) {
        const vc_hierarchy_spec *hierarchy = &spec->hierarchies[h];
        if (hierarchy->is_parent_child && hierarchy->parent_column == column) return true;
        for (unsigned l = 0; l < hierarchy->nlevels; l++)
            if (hierarchy->levels[l].key_column == column) return true;
    }
    return false;
}
