/* Measures of a nested cube in the cube around it: base measures of the source that has them here,
 * and expressions with their operands, which come along hidden; and what the cube around says of
 * them. */
#include "cube/model_measures.h"

#include "base/bits.h"

#include <string.h>

/* What the cube here says of a measure of a nested cube. */
struct saying {
    const vc_measure_def *definition; /* NULL: nothing */
    bool has_fix, has_where;          /* some source has a dimension that they name */
    bool has_lookup;
};

static bool same_fixes(const vc_source_cube *cube, const vc_cube_fix *a, const vc_cube_fix *b,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t nleaves = cube->dimensions[a[i].source_dimension]->nleaves;
        if (a[i].source_dimension != b[i].source_dimension ||
            memcmp(a[i].leaves, b[i].leaves, vc_bits_words(nleaves) * sizeof *a[i].leaves) != 0)
            return false;
    }
    return true;
}

/* Measures that see the same facts have the same arrays, so that they are read together. */
static void share_fixes(const vc_measures *measures, const vc_source_cube *cube, size_t at)
{
    vc_cube_measure *measure = &measures->items[at];
    for (size_t i = 0; i < measures->count; i++) {
        const vc_cube_measure *other = &measures->items[i];
        if (i == at || other->expr != NULL || other->source != measure->source) continue;
        if (other->fixes != NULL && other->nfixes == measure->nfixes &&
            same_fixes(cube, other->fixes, measure->fixes, measure->nfixes))
            measure->fixes = other->fixes;
        if (other->wheres != NULL && other->nwheres == measure->nwheres &&
            same_fixes(cube, other->wheres, measure->wheres, measure->nwheres))
            measure->wheres = other->wheres;
    }
}

/* How a base measure of a nested cube counts here. That it says "set" there, it says here, too. */
static void set_nested_mode(const vc_cube *cube, vc_cube_measure *measure,
                            const vc_cube_measure *from, struct saying *saying)
{
    const vc_cube_source *source = &cube->sources[measure->source];
    const vc_cube_source *inner = &source->nested->sources[from->source];
    bool says_set =
        from->mode == VC_MODE_SET && inner->mode != VC_MODE_SET && inner->mode != VC_MODE_DEFAULT;
    bool is_set =
        says_set || (saying->definition != NULL && saying->definition->mode == VC_MODE_SET);
    measure->mode = is_set || source->mode == VC_MODE_DEFAULT ? VC_MODE_SET : source->mode;
    measure->type = from->column >= 0 ? source->cube->columns[from->column].type : VC_VALUE_INT;
    measure->scale = from->column >= 0 ? source->cube->columns[from->column].scale : 0;
    vc_measure_def counted = {.aggregator = from->aggregator,
                              .over = from->over,
                              .type = measure->type,
                              .scale = measure->scale};
    vc_measure_set_type(measure, &counted);
    if (measure->mode != VC_MODE_LOOKUP || from->mode != VC_MODE_LOOKUP ||
        source->nested_mode == VC_MODE_LOOKUP)
        measure->reaggregate = VC_REAGGREGATE_DEFAULT; /* that of the join here */
    if (saying->definition != NULL && measure->mode == VC_MODE_LOOKUP &&
        saying->definition->reaggregate != VC_REAGGREGATE_DEFAULT)
        measure->reaggregate = saying->definition->reaggregate;
    saying->has_lookup |= measure->mode == VC_MODE_LOOKUP;
    vc_measure_set_mode(measure, source);
}

static vc_status restrict_nested(vc_measures *measures, const vc_cube *cube, size_t at,
                                 size_t inner, struct saying *saying, vc_error *error)
{
    const vc_measure_def *says = saying->definition;
    vc_cube_measure *measure = &measures->items[at];
    const vc_cube *nested = cube->sources[measure->source].nested;
    vc_status status = VC_OK;
    if (says == NULL) return VC_OK;
    if (says->nfixes > 0)
        status = vc_nested_fix_measure(measures->model, nested, says->fixes, says->nfixes, measure,
                                       inner, &saying->has_fix, error);
    if (status != VC_OK)
        return vc_model_place(cube->definition, says->pointer, "/fix", status, error);
    if (says->where.size > 0)
        status = vc_nested_where_measure(measures->model, nested, says->where, measure, inner,
                                         &saying->has_where, error);
    if (status != VC_OK)
        return vc_model_place(cube->definition, says->pointer, "/where", status, error);
    share_fixes(measures, cube->sources[measure->source].cube, at);
    return VC_OK;
}

/* Fill measure `at` from a measure of a nested cube: a base one is of the source that has it here,
 * a calculated one brings its operands along, hidden. What the cube here says of it goes before. */
static vc_status copy_nested(vc_measures *measures, const vc_cube *cube, size_t first,
                             size_t number, size_t at, struct saying *saying, vc_error *error)
{
    const vc_cube *nested = cube->sources[first].nested;
    const vc_cube_measure *from = &nested->measures[number];
    vc_arena *arena = vc_model_arena(measures->model);
    vc_cube_measure kept = measures->items[at], *measure = &measures->items[at];
    *measure = *from;
    measure->name = kept.name;
    measure->is_hidden = kept.is_hidden;
    measure->label = vc_first_present(kept.label, from->label);
    if (kept.label.size == 0 && vc_str_equal(from->label, from->name)) measure->label = kept.name;
    measure->unit = vc_first_present(kept.unit, from->unit);
    measure->format = vc_first_present(kept.format, from->format);
    measure->source = first + from->source;
    vc_status status = VC_OK;
    if (kept.unrelated == VC_UNRELATED_DEFAULT) {
        status = vc_nested_measure_stands(measures->model, cube, first, measure, error);
    } else {
        measure->unrelated = kept.unrelated;
        measure->stands = kept.stands;
        measure->nstands = kept.nstands;
    }
    if (status != VC_OK) return status;
    if (from->expr == NULL) {
        set_nested_mode(cube, measure, from, saying);
        return restrict_nested(measures, cube, at, from->source, saying, error);
    }
    vc_status placed =
        vc_nested_bind_calls(cube, first, from, arena, &measure->call_dimensions, error);
    if (placed != VC_OK) return placed;
    size_t *operands = VC_ARENA_NEW(arena, size_t, from->noperands + 1);
    if (operands == NULL) return vc_no_memory(error);
    measure->operands = operands;
    for (size_t i = 0; i < from->noperands; i++) {
        bool is_new;
        operands[i] = vc_measures_add_hidden(measures, from->operands[i], &is_new);
        if (operands[i] == SIZE_MAX) return vc_no_memory(error);
        if (!is_new) continue;
        measures->items[operands[i]] =
            (vc_cube_measure){.name = nested->measures[from->operands[i]].name,
                              .is_hidden = true,
                              .unrelated = kept.unrelated,
                              .stands = kept.stands,
                              .nstands = kept.nstands};
        status = copy_nested(measures, cube, first, from->operands[i], operands[i], saying, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

size_t vc_nested_find(const vc_cube *cube, vc_str alias)
{
    size_t s = 0;
    while (s < cube->nsources &&
           (cube->sources[s].nested == NULL || !vc_str_equal(cube->sources[s].nested_alias, alias)))
        s++;
    return s;
}

/* What is said of a measure and holds for none of its sources would silently do nothing. */
static vc_status check_saying(const vc_cube *cube, const vc_measure_def *from,
                              const struct saying *saying, vc_error *error)
{
    const char *field = NULL;
    if (from->reaggregate != VC_REAGGREGATE_DEFAULT && !saying->has_lookup) {
        vc_status status = vc_fail(error, VC_BAD_INPUT, "bad_value",
                                   "'reaggregate' is for measures of a lookup; '%.*s' of the "
                                   "nested cube is none",
                                   VC_FMT(from->measure));
        return vc_model_place(cube->definition, from->pointer, "/reaggregate", status, error);
    }
    if (from->where.size > 0 && !saying->has_where) field = "/where";
    if (from->nfixes > 0 && !saying->has_fix) field = "/fix";
    if (field == NULL) return VC_OK;
    vc_status status = vc_fail(error, VC_BAD_INPUT, "bad_value",
                               "no source of '%.*s' in the nested cube has a dimension that '%s' "
                               "names",
                               VC_FMT(from->measure), field + 1);
    return vc_model_place(cube->definition, from->pointer, field, status, error);
}

vc_status vc_nested_bind_measure(vc_measures *measures, const vc_cube *cube, size_t first,
                                 const vc_measure_def *from, size_t at, vc_error *error)
{
    size_t number;
    vc_status status =
        vc_cube_find_measure(cube->sources[first].nested, from->measure, &number, error);
    if (status != VC_OK)
        return vc_model_place(cube->definition, from->pointer, "/measure", status, error);
    struct saying saying = {.definition = from};
    measures->items[at].label = from->label;
    status = copy_nested(measures, cube, first, number, at, &saying, error);
    if (status != VC_OK && error != NULL && error->pointer[0] != '\0') return status;
    if (status != VC_OK) return vc_model_place(cube->definition, from->pointer, "", status, error);
    return check_saying(cube, from, &saying, error);
}

vc_status vc_nested_add_measures(vc_measures *measures, const vc_cube *cube, size_t first,
                                 vc_error *error)
{
    const vc_cube *nested = cube->sources[first].nested;
    for (size_t i = 0; i < nested->nmeasures; i++) {
        if (nested->measures[i].is_hidden) continue;
        size_t at = measures->count;
        vc_str name =
            vc_measures_choose_name(measures, vc_model_arena(measures->model),
                                    cube->sources[first].nested_alias, nested->measures[i].name);
        vc_cube_measure *measure = vc_measures_add(measures);
        if (measure == NULL || name.data == NULL) return vc_no_memory(error);
        *measure = (vc_cube_measure){.name = name};
        measures->first_hidden = measures->count;
        struct saying nothing = {0};
        vc_status status = copy_nested(measures, cube, first, i, at, &nothing, error);
        if (status != VC_OK)
            return vc_model_place(cube->definition, cube->sources[first].definition->pointer, "",
                                  status, error);
    }
    return VC_OK;
}
