/* Measures of a cube: base measures bound to columns of a source, and expressions bound to other
 * measures.
 *
 * A measure of a virtual cube may name a calculated measure of its source; then the source's
 * operands come along as hidden measures, with the same fixes, so that the expression is computed
 * from the source's aggregates at the grain of the virtual cube.
 */
#include "cube/model_measures.h"
#include "cube/expr_unit.h"

#include "base/nearest.h"

#include <string.h>

vc_cube_measure *vc_measures_add(vc_measures *measures)
{
    if (measures->count == measures->capacity) {
        size_t capacity = measures->capacity == 0 ? 32 : measures->capacity * 2;
        vc_cube_measure *items =
            VC_ARENA_NEW(vc_model_arena(measures->model), vc_cube_measure, capacity);
        size_t *numbers = VC_ARENA_NEW(vc_model_arena(measures->model), size_t, capacity);
        if (items == NULL || numbers == NULL) return NULL;
        if (measures->count > 0) memcpy(items, measures->items, measures->count * sizeof *items);
        if (measures->count > 0)
            memcpy(numbers, measures->numbers, measures->count * sizeof *numbers);
        measures->items = items;
        measures->numbers = numbers;
        measures->capacity = capacity;
    }
    return &measures->items[measures->count++];
}

size_t vc_measures_add_hidden(vc_measures *measures, size_t number, bool *is_new_out)
{
    size_t at = measures->first_hidden;
    while (at < measures->count && measures->numbers[at] != number)
        at++;
    *is_new_out = at == measures->count;
    if (!*is_new_out) return at;
    vc_cube_measure *hidden = vc_measures_add(measures);
    if (hidden == NULL) return SIZE_MAX;
    measures->numbers[at] = number;
    hidden->is_hidden = true;
    return at;
}

void vc_measure_set_type(vc_cube_measure *measure, const vc_measure_def *definition)
{
    measure->type = definition->type;
    measure->scale = definition->scale;
    switch (definition->aggregator) {
    case VC_AGG_COUNT:
    case VC_AGG_COUNT_DISTINCT: measure->type = VC_VALUE_INT; break;
    case VC_AGG_SUM:
    case VC_AGG_MIN:
    case VC_AGG_MAX:
        if (definition->over == VC_OVER_AVG) measure->type = VC_VALUE_FLOAT;
        break;
    default: measure->type = VC_VALUE_FLOAT; break;
    }
    if (measure->type != VC_VALUE_DECIMAL) measure->scale = 0;
}

void vc_measure_set_mode(vc_cube_measure *measure, const vc_cube_source *source)
{
    if (measure->mode != VC_MODE_SET)
        measure->mode = source->mode == VC_MODE_DEFAULT ? VC_MODE_SET : source->mode;
    if (measure->mode == VC_MODE_LOOKUP && measure->reaggregate == VC_REAGGREGATE_DEFAULT)
        measure->reaggregate = source->reaggregate;
    if (measure->mode != VC_MODE_WEIGHTED &&
        !(measure->mode == VC_MODE_LOOKUP && measure->reaggregate == VC_REAGGREGATE_AVG))
        return;
    measure->type = VC_VALUE_FLOAT;
    measure->scale = 0;
}

/* What a measure's `where` leaves, shared with earlier measures that say the same. A measure that
 * is restricted already (by a virtual cube) is restricted by both. */
static vc_status bind_where(vc_measures *measures, const vc_source_cube *source, vc_str where,
                            size_t at, vc_error *error)
{
    vc_cube_measure *measure = &measures->items[at];
    if (where.size == 0) {
        where = measure->where;
    } else if (measure->where.size > 0) {
        where = vc_arena_printf(vc_model_arena(measures->model), "%.*s|%.*s", VC_FMT(where),
                                VC_FMT(measure->where));
        if (where.data == NULL) return vc_no_memory(error);
    }
    if (where.size == 0) return VC_OK;
    measure->where = where;
    for (size_t i = 0; i < at; i++) {
        const vc_cube_measure *other = &measures->items[i];
        if (other->source != measure->source || other->wheres == NULL ||
            !vc_str_equal(other->where, where))
            continue;
        measure->wheres = other->wheres;
        measure->nwheres = other->nwheres;
        return VC_OK;
    }
    return vc_model_where(measures->model, source, where, &measure->wheres, &measure->nwheres,
                          error);
}

/* A base measure of a source: where its numbers lie. */
static vc_status bind_base(const vc_cube_source *cube_source, size_t number,
                           vc_cube_measure *measure, vc_error *error)
{
    const vc_source_cube *source = cube_source->cube;
    const vc_measure_def *definition = &source->definition->as.cube.measures[number];
    vc_status status = VC_OK;
    measure->aggregator = definition->aggregator;
    measure->column = source->measure_columns[number];
    measure->distinct_dimension = measure->weight_column = -1;
    measure->over = definition->over;
    measure->quantile = definition->quantile;
    if (definition->aggregator == VC_AGG_WEIGHTED_AVG) {
        measure->weight_column =
            vc_source_cube_find_numbers(source->columns, source->ncolumns, definition->weight);
        if (measure->weight_column < 0)
            return vc_fail(error, VC_CORRUPT, "storage_damaged",
                           "cube '%.*s' has no column of the weights '%.*s'", VC_FMT(source->name),
                           VC_FMT(definition->weight));
    }
    vc_measure_set_type(measure, definition);
    vc_measure_set_mode(measure, cube_source);
    if (definition->aggregator == VC_AGG_COUNT_DISTINCT && definition->dimension.data != NULL) {
        size_t dimension;
        status = vc_source_cube_find_dimension(source, definition->dimension, &dimension, error);
        measure->distinct_dimension = (int)dimension;
    }
    if (status == VC_OK && definition->over != VC_OVER_NONE)
        status = vc_source_cube_find_dimension(source, definition->over_dimension,
                                               &measure->over_dimension, error);
    return status;
}

static vc_status find_source_measure(const vc_source_cube *source, vc_str name, size_t *number_out,
                                     vc_error *error)
{
    const vc_cube_def *cube = &source->definition->as.cube;
    vc_nearest nearest;
    for (size_t i = 0; i < cube->nmeasures; i++)
        if (vc_str_equal(cube->measures[i].name, name)) {
            *number_out = i;
            return VC_OK;
        }
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < cube->nmeasures; i++)
        vc_nearest_offer(&nearest, cube->measures[i].name);
    vc_fail(error, VC_NOT_FOUND, "unknown_measure", "cube '%.*s' has no measure '%.*s'",
            VC_FMT(source->name), VC_FMT(name));
    vc_nearest_report(&nearest, error);
    return VC_NOT_FOUND;
}

/* Fill measure `at` from a source's measure. A calculated one adds its operands, hidden, behind; in
 * the source cube itself they are there. */
static vc_status bind_source_measure(vc_measures *measures, const vc_cube *cube, size_t source,
                                     size_t number, size_t at, vc_error *error)
{
    const vc_source_cube *stored = cube->sources[source].cube;
    const vc_measure_def *definition = &stored->definition->as.cube.measures[number];
    vc_arena *arena = vc_model_arena(measures->model);
    vc_cube_measure *measure = &measures->items[at];
    measure->source = source;
    measure->column = measure->distinct_dimension = measure->weight_column = -1;
    if (definition->expr.data == NULL) {
        vc_status status = bind_base(&cube->sources[source], number, measure, error);
        return status == VC_OK ? bind_where(measures, stored, definition->where, at, error)
                               : status;
    }

    vc_expr *expr;
    size_t nnames;
    vc_status status = vc_expr_parse(definition->expr, arena, &expr, error);
    if (status != VC_OK) return status;
    const vc_str *names = vc_expr_names(expr, &nnames);
    size_t *operands = VC_ARENA_NEW(arena, size_t, nnames + 1);
    if (operands == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nnames && status == VC_OK; i++) {
        size_t operand;
        status = find_source_measure(stored, names[i], &operand, error);
        if (status != VC_OK) break;
        bool is_new;
        operands[i] = operand;
        if (!cube->is_virtual) continue;
        operands[i] = vc_measures_add_hidden(measures, operand, &is_new);
        if (operands[i] == SIZE_MAX) return vc_no_memory(error);
        if (!is_new) continue;
        measure = &measures->items[at]; /* adding may have moved it */
        measures->items[operands[i]] =
            (vc_cube_measure){.name = stored->definition->as.cube.measures[operand].name,
                              .is_hidden = true,
                              .fixes = measure->fixes,
                              .nfixes = measure->nfixes,
                              .where = measure->where,
                              .unit = stored->definition->as.cube.measures[operand].unit,
                              .unrelated = measure->unrelated,
                              .stands = measure->stands,
                              .nstands = measure->nstands,
                              .mode = measure->mode,
                              .reaggregate = measure->reaggregate};
        status = bind_source_measure(measures, cube, source, operand, operands[i], error);
    }
    measure = &measures->items[at];
    measure->aggregator = VC_AGG_NONE;
    measure->type = VC_VALUE_FLOAT;
    measure->expr = expr;
    measure->solve_order = definition->solve_order;
    measure->operands = operands;
    measure->noperands = nnames;
    if (status != VC_OK) return status;
    return vc_cube_bind_calls(cube, source, expr, arena, &measure->call_dimensions, error);
}

/* ---- units ---- */

/* Find the units of calculated measures that state none, operands first. A measure is done when its
 * state is set. */
static vc_status find_unit(vc_measures *measures, size_t at, bool *is_done, vc_error *error)
{
    vc_cube_measure *measure = &measures->items[at];
    vc_arena scratch = {0};
    vc_str unit = {0};
    if (is_done[at] || measure->expr == NULL) return VC_OK;
    is_done[at] = true;
    for (size_t i = 0; i < measure->noperands; i++) {
        vc_status status = find_unit(measures, measure->operands[i], is_done, error);
        if (status != VC_OK) return status;
    }
    vc_str *units = VC_ARENA_NEW(&scratch, vc_str, measure->noperands + 1);
    if (units == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < measure->noperands; i++)
        units[i] = measures->items[measure->operands[i]].unit;
    vc_status status = vc_expr_unit(measure->expr, units, &unit, error);
    if (status == VC_OK && measure->unit.size == 0 && unit.size > 0) measure->unit = unit;
    vc_arena_release(&scratch);
    return status;
}

/* definitions  of the first measures */
static vc_status find_units(vc_measures *measures, const vc_definition *definition,
                            const vc_measure_def *definitions, size_t ndefinitions, vc_error *error)
{
    bool *is_done = VC_ARENA_NEW(vc_model_arena(measures->model), bool, measures->count + 1);
    if (is_done == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < measures->count; i++) {
        vc_status status = find_unit(measures, i, is_done, error);
        if (status == VC_OK) continue;
        return i < ndefinitions
                   ? vc_model_place(definition, definitions[i].pointer, "/expr", status, error)
                   : status;
    }
    return VC_OK;
}

vc_str vc_first_present(vc_str a, vc_str b)
{
    return a.size > 0 ? a : b;
}

vc_status vc_model_source_measures(vc_model *model, vc_cube *cube, vc_error *error)
{
    const vc_cube_def *definition = &cube->definition->as.cube;
    vc_measures measures = {.model = model};
    for (size_t i = 0; i < definition->nmeasures; i++) {
        const vc_measure_def *from = &definition->measures[i];
        vc_cube_measure *measure = vc_measures_add(&measures);
        if (measure == NULL) return vc_no_memory(error);
        *measure = (vc_cube_measure){.name = from->name,
                                     .label = vc_first_present(from->label, from->name),
                                     .unit = from->unit,
                                     .format = from->format};
    }
    for (size_t i = 0; i < definition->nmeasures; i++) {
        vc_status status = bind_source_measure(&measures, cube, 0, i, i, error);
        if (status != VC_OK)
            return vc_model_place(cube->definition, definition->measures[i].pointer,
                                  definition->measures[i].where.size > 0 ? "/where" : "", status,
                                  error);
    }
    vc_status status =
        find_units(&measures, cube->definition, definition->measures, definition->nmeasures, error);
    cube->measures = measures.items;
    cube->nmeasures = measures.count;
    return status;
}

/* ---- virtual cubes ---- */

static vc_status find_alias(const vc_cube *cube, vc_str alias, size_t *source_out, vc_error *error)
{
    vc_nearest nearest;
    vc_nearest_init(&nearest, alias);
    for (size_t i = 0; i < cube->nsources; i++) {
        if (vc_str_equal(cube->sources[i].alias, alias)) {
            *source_out = i;
            return VC_OK;
        }
        vc_nearest_offer(&nearest, cube->sources[i].alias);
    }
    vc_fail(error, VC_NOT_FOUND, "unknown_source", "there is no source with the alias '%.*s'",
            VC_FMT(alias));
    vc_nearest_report(&nearest, error);
    return VC_NOT_FOUND;
}

/* A measure of the definition that names a source's measure. */
static vc_status bind_virtual_base(vc_measures *measures, const vc_cube *cube,
                                   const vc_measure_def *from, size_t at, vc_error *error)
{
    size_t source, number, first = vc_nested_find(cube, from->source);
    const vc_definition *definition = cube->definition;
    if (first < cube->nsources)
        return vc_nested_bind_measure(measures, cube, first, from, at, error);
    vc_status status = find_alias(cube, from->source, &source, error);
    if (status != VC_OK) return vc_model_place(definition, from->pointer, "/source", status, error);
    const vc_source_cube *stored = cube->sources[source].cube;
    status = find_source_measure(stored, from->measure, &number, error);
    if (status != VC_OK)
        return vc_model_place(definition, from->pointer, "/measure", status, error);
    if (from->reaggregate != VC_REAGGREGATE_DEFAULT &&
        (cube->sources[source].mode != VC_MODE_LOOKUP || from->mode == VC_MODE_SET)) {
        status = vc_fail(error, VC_BAD_INPUT, "bad_value",
                         "'reaggregate' is for measures of a lookup; the join of '%.*s' is none",
                         VC_FMT(from->source));
        return vc_model_place(definition, from->pointer, "/reaggregate", status, error);
    }
    const vc_measure_def *stored_measure = &stored->definition->as.cube.measures[number];
    vc_cube_measure *measure = &measures->items[at];
    measure->label =
        vc_first_present(from->label, vc_first_present(stored_measure->label, from->name));
    measure->unit = vc_first_present(from->unit, stored_measure->unit);
    measure->format = vc_first_present(from->format, stored_measure->format);
    status = vc_model_measure_fixes(measures->model, cube, source, from, measure, error);
    if (status != VC_OK) return vc_model_place(definition, from->pointer, "/fix", status, error);
    if (from->where.size > 0) {
        const vc_cube_fix *wheres;
        size_t nwheres;
        status = vc_model_where(measures->model, stored, from->where, &wheres, &nwheres, error);
        if (status != VC_OK)
            return vc_model_place(definition, from->pointer, "/where", status, error);
        measure->where = from->where;
    }
    status = bind_source_measure(measures, cube, source, number, at, error);
    return vc_model_place(definition, from->pointer, "", status, error);
}

static vc_status bind_virtual_expr(vc_measures *measures, const vc_cube *cube,
                                   const vc_measure_def *from, size_t at, size_t nnamed,
                                   vc_error *error)
{
    vc_arena *arena = vc_model_arena(measures->model);
    vc_cube_measure *measure = &measures->items[at];
    vc_expr *expr;
    size_t nnames;
    vc_status status = vc_expr_parse(from->expr, arena, &expr, error);
    if (status != VC_OK)
        return vc_model_place(cube->definition, from->pointer, "/expr", status, error);
    const vc_str *names = vc_expr_names(expr, &nnames);
    size_t *operands = VC_ARENA_NEW(arena, size_t, nnames + 1);
    if (operands == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nnames; i++) {
        size_t operand = 0;
        while (operand < nnamed && !vc_str_equal(measures->items[operand].name, names[i]))
            operand++;
        if (operand == nnamed) /* the definition's reader has checked the names */
            return vc_fail(error, VC_CORRUPT, "storage_damaged",
                           "the stored definition of '%.*s' names no measure '%.*s'",
                           VC_FMT(cube->name), VC_FMT(names[i]));
        operands[i] = operand;
    }
    measure->label = vc_first_present(from->label, from->name);
    measure->aggregator = VC_AGG_NONE;
    measure->type = VC_VALUE_FLOAT;
    measure->column = measure->distinct_dimension = measure->weight_column = -1;
    measure->expr = expr;
    measure->solve_order = from->solve_order;
    measure->operands = operands;
    measure->noperands = nnames;
    status = vc_cube_bind_calls(cube, SIZE_MAX, expr, arena, &measure->call_dimensions, error);
    return vc_model_place(cube->definition, from->pointer, "/expr", status, error);
}

vc_str vc_measures_choose_name(const vc_measures *measures, vc_arena *arena, vc_str alias,
                               vc_str name)
{
    for (size_t j = 0; j < measures->count; j++)
        if (!measures->items[j].is_hidden && vc_str_equal(measures->items[j].name, name))
            return vc_arena_printf(arena, "%.*s_%.*s", VC_FMT(alias), VC_FMT(name));
    return name;
}

static vc_status add_all_measures(vc_measures *measures, const vc_cube *cube, vc_error *error)
{
    vc_arena *arena = vc_model_arena(measures->model);
    for (size_t source = 0; source < cube->nsources; source++) {
        const vc_cube_def *stored = &cube->sources[source].cube->definition->as.cube;
        if (cube->sources[source].nested != NULL && cube->sources[source].nested_source == 0) {
            vc_status status = vc_nested_add_measures(measures, cube, source, error);
            if (status != VC_OK) return status;
        }
        if (cube->sources[source].nested != NULL) continue;
        for (size_t i = 0; i < stored->nmeasures; i++) {
            const vc_measure_def *from = &stored->measures[i];
            vc_str name =
                vc_measures_choose_name(measures, arena, cube->sources[source].alias, from->name);
            size_t at = measures->count;
            vc_cube_measure *measure = vc_measures_add(measures);
            if (measure == NULL || name.data == NULL) return vc_no_memory(error);
            *measure = (vc_cube_measure){.name = name,
                                         .label = vc_first_present(from->label, name),
                                         .unit = from->unit,
                                         .format = from->format};
            measures->first_hidden = measures->count;
            vc_status status = bind_source_measure(measures, cube, source, i, at, error);
            if (status != VC_OK) return status;
        }
    }
    return VC_OK;
}

vc_status vc_model_virtual_measures(vc_model *model, vc_cube *cube, vc_error *error)
{
    const vc_virtual_def *definition = &cube->definition->as.virtual_cube;
    vc_measures measures = {.model = model};
    vc_status status = VC_OK;
    if (definition->nmeasures == 0) status = add_all_measures(&measures, cube, error);
    for (size_t i = 0; i < definition->nmeasures; i++) {
        const vc_measure_def *from = &definition->measures[i];
        vc_cube_measure *measure = vc_measures_add(&measures);
        if (measure == NULL) return vc_no_memory(error);
        *measure = (vc_cube_measure){.name = from->name,
                                     .unit = from->unit,
                                     .format = from->format,
                                     .unrelated = from->unrelated,
                                     .mode = from->mode,
                                     .reaggregate = from->reaggregate};
        status = vc_model_measure_stands(model, cube, from, measure, error);
        if (status != VC_OK) return status;
    }
    for (size_t i = 0; i < definition->nmeasures && status == VC_OK; i++) {
        const vc_measure_def *from = &definition->measures[i];
        measures.first_hidden = measures.count;
        status = from->expr.data != NULL
                     ? bind_virtual_expr(&measures, cube, from, i, definition->nmeasures, error)
                     : bind_virtual_base(&measures, cube, from, i, error);
        if (status == VC_OK) status = vc_model_check_stands(cube, from, &measures.items[i], error);
    }
    if (status == VC_OK)
        status = find_units(&measures, cube->definition, definition->measures,
                            definition->nmeasures, error);
    cube->measures = measures.items;
    cube->nmeasures = measures.count;
    return status;
}
