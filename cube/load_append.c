/* May a definition append to a stored cube? What its facts mean must not have changed: the same
 * dimensions with the same levels, the same measures over the same columns. Labels, units and files
 * may be others. */
#include "cube/load_parts.h"

static bool is_same_texts(const vc_str *a, size_t na, const vc_str *b, size_t nb)
{
    if (na != nb) return false;
    for (size_t i = 0; i < na; i++) {
        if (!vc_str_equal(a[i], b[i])) return false;
    }
    return true;
}

static bool is_same_level(const vc_level_def *a, const vc_level_def *b)
{
    return vc_str_equal(a->name, b->name) && vc_str_equal(a->key, b->key) && a->part == b->part &&
           a->key_type == b->key_type && a->skip == b->skip &&
           vc_str_equal(a->label_column, b->label_column) &&
           vc_str_equal(a->order_column, b->order_column) &&
           is_same_texts(a->attributes, a->nattributes, b->attributes, b->nattributes);
}

static bool is_same_hierarchy(const vc_hierarchy_def *a, const vc_hierarchy_def *b)
{
    if (!vc_str_equal(a->name, b->name) || a->nlevels != b->nlevels ||
        !vc_str_equal(a->parent_column, b->parent_column) ||
        !vc_str_equal(a->level_column, b->level_column) ||
        a->has_several_parents != b->has_several_parents)
        return false;
    for (size_t i = 0; i < a->nlevels; i++) {
        if (!is_same_level(&a->levels[i], &b->levels[i])) return false;
    }
    return true;
}

static bool is_same_dimension(const vc_dimension_def *a, const vc_dimension_def *b)
{
    if (a->has_table != b->has_table || !vc_str_equal(a->key, b->key) ||
        a->is_not_aggregatable != b->is_not_aggregatable || a->nhierarchies != b->nhierarchies ||
        !is_same_texts(a->attributes, a->nattributes, b->attributes, b->nattributes))
        return false;
    for (size_t i = 0; i < a->nhierarchies; i++) {
        if (!is_same_hierarchy(&a->hierarchies[i], &b->hierarchies[i])) return false;
    }
    return true;
}

static bool is_same_use(const vc_dimension_use *a, const vc_dimension_use *b)
{
    if (!vc_str_equal(a->name, b->name) || !vc_str_equal(a->shared, b->shared)) return false;
    return a->own == NULL || b->own == NULL ? a->own == b->own : is_same_dimension(a->own, b->own);
}

static bool is_same_measure(const vc_measure_def *a, const vc_measure_def *b)
{
    return vc_str_equal(a->name, b->name) && a->aggregator == b->aggregator && a->type == b->type &&
           a->scale == b->scale && vc_str_equal(a->column, b->column) &&
           vc_str_equal(a->dimension, b->dimension) && vc_str_equal(a->expr, b->expr) &&
           vc_str_equal(a->over_dimension, b->over_dimension) && a->over == b->over &&
           vc_str_equal(a->value, b->value) && vc_str_equal(a->weight, b->weight) &&
           vc_str_equal(a->where, b->where) && a->quantile == b->quantile;
}

static vc_status fail_mismatch(const vc_definition *definition, const char *what, size_t number,
                               vc_str name, const char *advice, vc_error *error)
{
    vc_fail(error, VC_CONFLICT, "append_mismatch",
            "%s '%.*s' is not as it was when cube '%.*s' was loaded; %s", what, VC_FMT(name),
            VC_FMT(definition->name), advice);
    vc_loader_place(definition, error, "/%ss/%zu", what, number);
    return VC_CONFLICT;
}

static vc_status fail_count(const vc_definition *definition, const char *what, size_t now,
                            size_t before, const char *advice, vc_error *error)
{
    vc_fail(error, VC_CONFLICT, "append_mismatch",
            "%zu %ss here, %zu when cube '%.*s' was loaded; %s", now, what, before,
            VC_FMT(definition->name), advice);
    vc_loader_place(definition, error, "/%ss", what);
    return VC_CONFLICT;
}

/* The stored columns are those this program would plan: a later version may plan otherwise. */
static vc_status check_columns(const vc_definition *definition, const vc_source_cube *stored,
                               const char *advice, vc_error *error)
{
    vc_arena arena = {0};
    vc_fact_column *columns;
    size_t ncolumns;
    int *measure_columns;
    vc_status status = vc_load_plan_columns(&definition->as.cube, &arena, &columns, &ncolumns,
                                            &measure_columns, error);
    bool is_same = status == VC_OK && ncolumns == stored->ncolumns;
    for (size_t i = 0; is_same && i < ncolumns; i++) {
        const vc_fact_column *a = &columns[i], *b = &stored->columns[i];
        is_same = vc_str_equal(a->name, b->name) && a->type == b->type && a->scale == b->scale &&
                  a->is_dictionary == b->is_dictionary && a->is_presence == b->is_presence &&
                  a->is_computed == b->is_computed && a->column == b->column;
    }
    if (status == VC_OK && !is_same)
        status = vc_fail(error, VC_CONFLICT, "append_mismatch",
                         "cube '%.*s' was stored with other columns; %s", VC_FMT(definition->name),
                         advice);
    vc_arena_release(&arena);
    return status;
}

vc_status vc_load_check_append(const vc_definition *definition, const vc_source_cube *stored,
                               const char *advice, vc_error *error)
{
    const vc_cube_def *now = &definition->as.cube, *before = &stored->definition->as.cube;
    if (now->ndimensions != before->ndimensions)
        return fail_count(definition, "dimension", now->ndimensions, before->ndimensions, advice,
                          error);
    for (size_t d = 0; d < now->ndimensions; d++) {
        if (!is_same_use(&now->dimensions[d], &before->dimensions[d]))
            return fail_mismatch(definition, "dimension", d, now->dimensions[d].name, advice,
                                 error);
    }
    if (now->nmeasures != before->nmeasures)
        return fail_count(definition, "measure", now->nmeasures, before->nmeasures, advice, error);
    for (size_t i = 0; i < now->nmeasures; i++) {
        if (!is_same_measure(&now->measures[i], &before->measures[i]))
            return fail_mismatch(definition, "measure", i, now->measures[i].name, advice, error);
    }
    return check_columns(definition, stored, advice, error);
}

vc_status vc_load_check_leaves(const vc_dimension *older, const vc_dimension *newer, vc_str name,
                               vc_error *error)
{
    if (older->fingerprint == newer->fingerprint) return VC_OK;
    uint32_t nleaves = vc_dimension_count_leaves(older); /* doubles may have moved */
    bool is_extended = vc_dimension_count_leaves(newer) >= nleaves &&
                       newer->leaf_keys.count >= older->leaf_keys.count;
    for (uint32_t leaf = 0; is_extended && leaf < nleaves && older->leaf_keys.count > 0; leaf++)
        is_extended = vc_str_equal(vc_texts_get(&older->leaf_keys, leaf),
                                   vc_texts_get(&newer->leaf_keys, leaf));
    if (is_extended) return VC_OK;
    return vc_fail(error, VC_CONFLICT, "append_mismatch",
                   "the shared dimension '%.*s' was loaded anew since the cube was: its members "
                   "are numbered differently; load the cube anew instead of appending",
                   VC_FMT(name));
}
