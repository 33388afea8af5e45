/* Looking up what a query names: axes, measures, and the passes over the sources that they need. */
#include "slice/calculated.h"
#include "slice/table.h"

#include "cube/expr_unit.h"

#include <string.h>
#include <time.h>

uint64_t vc_plan_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

vc_status vc_plan_check(const vc_plan *plan, vc_error *error)
{
    return vc_engine_check(plan->options, plan->deadline_ns, error);
}

vc_status vc_engine_check(const vc_engine_options *options, uint64_t deadline_ns, vc_error *error)
{
    if (options->is_cancelled != NULL && options->is_cancelled(options->context))
        return vc_fail(error, VC_CANCELLED, "cancelled", "the query was cancelled");
    if (vc_plan_now() > deadline_ns)
        return vc_fail(error, VC_CANCELLED, "limit_time",
                       "the query took longer than the limit of %llu ms",
                       (unsigned long long)options->limits.max_time_ms);
    return VC_OK;
}

/* ---- axes ---- */

/* Does the bucket show its members at this level, or itself? In a hierarchy of several levels the
 * first one shows the bucket. */
static bool shows_members(const vc_bucket *bucket, const vc_hierarchy *hierarchy, unsigned level)
{
    return bucket->has_members && !(hierarchy->nlevels > 1 && level == 0);
}

/* Which groups have a selected slot. */
vc_status vc_axis_find_visible(const vc_plan *plan, vc_axis *axis, vc_error *error)
{
    const vc_selection *selection = &plan->selections[axis->dimension];
    const vc_level *level = axis->stored;
    uint32_t nslots = plan->cube->dimensions[axis->dimension].nslots;
    uint64_t *visible = VC_ARENA_NEW(plan->arena, uint64_t, vc_bits_words(axis->ngroups) + 1);
    if (visible == NULL) return vc_no_memory(error);
    if (selection->is_range && level->is_contiguous && !level->is_ragged) {
        if (selection->first < selection->end)
            vc_bits_set_range(visible, axis->members[selection->first],
                              (size_t)axis->members[selection->end - 1] + 1);
    } else if (selection->slots == NULL) {
        for (uint32_t leaf = selection->first; leaf < selection->end; leaf++)
            if (axis->members[leaf] != VC_NONE) vc_bit_set(visible, axis->members[leaf]);
    } else {
        for (uint32_t word = selection->first / 64; word * 64 < selection->end; word++)
            for (uint64_t left = selection->slots[word]; left != 0; left &= left - 1) {
                uint32_t leaf = word * 64 + (uint32_t)__builtin_ctzll(left);
                if (leaf < axis->nleaves && axis->members[leaf] != VC_NONE)
                    vc_bit_set(visible, axis->members[leaf]);
            }
    }
    for (uint32_t slot = axis->nleaves; slot < nslots; slot++)
        if (selection->slots == NULL || vc_bit_get(selection->slots, slot))
            vc_bit_set(visible, vc_axis_group(axis, slot));
    axis->visible = visible;
    axis->first_visible = (uint32_t)vc_bits_first(visible, axis->ngroups);
    axis->end_visible = (uint32_t)vc_bits_end(visible, axis->ngroups);
    if (axis->end_visible == 0) axis->first_visible = 0;
    return VC_OK;
}

/* The members of a level's leaves as the scan wants them, made once per model. */
struct members {
    const vc_level *level;
    uint32_t nleaves;
};

static vc_status unpack_members(void *context, vc_arena *arena, const void **members_out,
                                vc_error *error)
{
    const struct members *of = context;
    uint32_t *members = vc_arena_alloc(arena, ((size_t)of->nleaves + 1) * sizeof *members);
    if (members == NULL) return vc_no_memory(error);
    vc_numbers_copy(of->level->leaf_members, 0, of->nleaves, members);
    for (uint32_t leaf = 0; of->level->is_ragged && leaf < of->nleaves; leaf++)
        if (vc_member_is_hidden(of->level, members[leaf])) members[leaf] = VC_NONE;
    *members_out = members;
    return VC_OK;
}

/* Number the groups of an axis: the members of its level, the buckets of the joins, and one for all
 * that a top leaves out. */
vc_status vc_axis_make(vc_plan *plan, vc_axis *axis, vc_error *error)
{
    const vc_cube_dimension *outer = &plan->cube->dimensions[axis->dimension];
    const vc_hierarchy *hierarchy = &outer->dimension->hierarchies[axis->hierarchy];
    uint32_t nsynthetic = 0;
    uint32_t *groups = VC_ARENA_NEW(plan->arena, uint32_t, (size_t)outer->nsynthetic + 1);
    vc_str *keys =
        VC_ARENA_NEW(plan->arena, vc_str, (size_t)outer->nsynthetic + plan->ncalculated + 2);
    if (groups == NULL || keys == NULL) return vc_no_memory(error);
    struct members of = {.level = axis->stored, .nleaves = outer->dimension->nleaves};
    const void *members;
    vc_status status =
        vc_model_memo(plan->model, axis->stored, 0, unpack_members, &of, &members, error);
    if (status != VC_OK) return status;
    axis->nleaves = of.nleaves;
    axis->members = members;
    for (size_t b = 0; b < outer->nbuckets; b++) {
        const vc_bucket *bucket = &outer->buckets[b];
        bool each = !axis->is_collapsed && shows_members(bucket, hierarchy, axis->level);
        for (uint32_t slot = bucket->first; slot < bucket->end; slot++) {
            uint32_t number = slot - axis->nleaves;
            if (each || slot == bucket->first)
                keys[nsynthetic++] = each ? outer->synthetics[number].key : bucket->key;
            groups[number] = axis->stored->nmembers + nsynthetic - 1;
        }
    }
    status = vc_axis_number_calculated(plan, axis, axis->stored->nmembers + nsynthetic,
                                       keys + nsynthetic, error);
    if (status != VC_OK) return status;
    nsynthetic += (uint32_t)axis->ncalculated;
    for (size_t i = 0; i < plan->query->ntops; i++)
        axis->has_other |= plan->query->tops[i].has_other &&
                           vc_str_equal(plan->query->tops[i].dimension, axis->ref.dimension);
    if (axis->has_other) keys[nsynthetic++] = VC_STR("(other)");
    axis->synthetic_groups = groups;
    axis->synthetic_keys = keys;
    axis->ngroups = axis->stored->nmembers + nsynthetic;
    return vc_axis_find_visible(plan, axis, error);
}

static vc_status plan_axis(vc_plan *plan, const vc_dimref *ref, vc_error *error)
{
    vc_axis *axis = &plan->axes[plan->naxes];
    *axis = (vc_axis){.ref = *ref};
    vc_status status = vc_cube_find_dimension(plan->cube, ref->dimension, &axis->dimension, error);
    if (status != VC_OK) return vc_error_at_place(error, status, ref->place);
    for (size_t i = 0; i < plan->naxes; i++)
        if (plan->axes[i].dimension == axis->dimension) {
            status = vc_fail(error, VC_IMPOSSIBLE, "duplicate_dimension",
                             "dimension '%.*s' is drilled twice; ask for its lowest level, with "
                             "parents=true for those above",
                             VC_FMT(ref->dimension));
            return vc_error_at_place(error, status, ref->place);
        }
    const vc_dimension *dimension = plan->cube->dimensions[axis->dimension].dimension;
    status = vc_dimension_find_hierarchy(dimension, ref->hierarchy, &axis->hierarchy, error);
    if (status == VC_OK && ref->level.data != NULL)
        status =
            vc_hierarchy_find_level(dimension, axis->hierarchy, ref->level, &axis->level, error);
    if (status != VC_OK) return vc_error_at_place(error, status, ref->place);
    axis->stored = &dimension->hierarchies[axis->hierarchy].levels[axis->level];
    plan->naxes++;
    status = vc_axis_make(plan, axis, error);
    return status == VC_OK ? vc_axis_show_calculated(plan, axis, error) : status;
}

static vc_status plan_axes(vc_plan *plan, vc_error *error)
{
    const vc_query *query = plan->query;
    if (query->naxes > VC_MAX_AXES)
        return vc_fail(error, VC_LIMIT, "limit_axes",
                       "%zu dimensions are drilled, at most %d can be", query->naxes, VC_MAX_AXES);
    for (size_t i = 0; i < query->naxes; i++) {
        vc_status status = plan_axis(plan, &query->axes[i].dimref, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* ---- measures and passes ---- */

static bool same_accumulator(const vc_accumulator_spec *a, const vc_accumulator_spec *b)
{
    return a->aggregator == b->aggregator && a->column == b->column &&
           a->distinct_dimension == b->distinct_dimension && a->weight_column == b->weight_column &&
           a->quantile == b->quantile;
}

/* Would values of the source be shared out below its grain? */
static bool must_allocate(const vc_plan *plan, const vc_cube_source *source)
{
    for (size_t d = 0; d < plan->cube->ndimensions; d++)
        if (source->bindings[d].finer == VC_FINER_ALLOCATE &&
            vc_plan_splits_units(plan, d, &source->bindings[d]))
            return true;
    return false;
}

static bool is_additive(vc_aggregator aggregator)
{
    return aggregator == VC_AGG_SUM || aggregator == VC_AGG_COUNT || aggregator == VC_AGG_AVG ||
           aggregator == VC_AGG_WEIGHTED_AVG;
}

static vc_status fail_parts(const vc_plan *plan, const vc_cube_measure *measure, size_t dimension,
                            vc_error *error)
{
    const vc_binding *binding = &plan->cube->sources[measure->source].bindings[dimension];
    const char *way_out = binding->mode == VC_MODE_WEIGHTED
                              ? "; \"mode\": \"set\" on the measure counts each fact whole"
                              : "";
    return vc_fail(error, VC_IMPOSSIBLE, "not_additive",
                   "measure '%.*s' is a %s: along '%.*s' its facts count in parts, which only "
                   "sums, counts and averages can%s",
                   VC_FMT(measure->name), vc_aggregator_name(measure->aggregator),
                   VC_FMT(plan->cube->dimensions[dimension].name), way_out);
}

/* Only what adds up can be counted in parts; and what a measure takes from one leaf of its source's
 * own order (the last one) is nothing that a part of a leaf has. */
static vc_status check_parts(const vc_plan *plan, const vc_cube_measure *measure,
                             const vc_pass *pass, vc_error *error)
{
    const vc_cube_source *source = &plan->cube->sources[measure->source];
    for (size_t d = 0; d < plan->cube->ndimensions; d++) {
        const vc_binding *binding = &source->bindings[d];
        bool is_shared = pass->mode != VC_MODE_LOOKUP && vc_binding_has_shares(pass, binding);
        bool is_over =
            measure->over != VC_OVER_NONE && binding->kind == VC_BIND_RELATION &&
            (binding->tuples == NULL ? binding->source_dimension == measure->over_dimension
                                     : vc_key_component(plan->cube, measure->source, d,
                                                        measure->over_dimension) != SIZE_MAX);
        if (is_shared && !is_additive(measure->aggregator))
            return fail_parts(plan, measure, d, error);
        if (is_over && (is_shared || binding->finer != VC_FINER_NULL))
            return vc_fail(error, VC_IMPOSSIBLE, "not_additive",
                           "measure '%.*s' is resolved over '%.*s', whose values are %s in '%.*s'",
                           VC_FMT(measure->name),
                           VC_FMT(source->cube->dimension_names[measure->over_dimension]),
                           binding->finer == VC_FINER_REPEAT ? "repeated" : "shared out",
                           VC_FMT(plan->cube->dimensions[d].name));
    }
    return VC_OK;
}

/* Which pass a measure needs; its accumulators apart. */
static vc_pass pass_of(const vc_plan *plan, const vc_cube_measure *measure)
{
    return (vc_pass){.source = measure->source,
                     .over = measure->over,
                     .over_dimension = measure->over_dimension,
                     .fixes = measure->fixes,
                     .nfixes = measure->nfixes,
                     .wheres = measure->wheres,
                     .nwheres = measure->nwheres,
                     .mode = measure->mode,
                     .reaggregate = measure->reaggregate,
                     .allocates = measure->mode != VC_MODE_DEFAULT &&
                                  must_allocate(plan, &plan->cube->sources[measure->source])};
}

vc_status vc_plan_check_parts(const vc_plan *plan, size_t measure, vc_error *error)
{
    const vc_plan_measure *of = &plan->measures[measure];
    return check_parts(plan, of->measure, &plan->passes[of->pass], error);
}

/* Does a pass have to share out values, which as yet it does not? */
static bool must_change(const vc_plan *plan, const vc_pass *pass)
{
    return !pass->allocates && pass->mode != VC_MODE_DEFAULT &&
           must_allocate(plan, &plan->cube->sources[pass->source]);
}

vc_status vc_plan_reallocate(vc_plan *plan, vc_error *error)
{
    const vc_pass *old = plan->passes;
    for (size_t p = 0; p < plan->npasses; p++) {
        if (!must_change(plan, &old[p])) continue;
        if (plan->passes == old) {
            const vc_plan_measure *measures = plan->measures;
            plan->passes = VC_ARENA_NEW(plan->arena, vc_pass, plan->npasses);
            plan->measures = VC_ARENA_NEW(plan->arena, vc_plan_measure, plan->nmeasures);
            if (plan->passes == NULL || plan->measures == NULL) return vc_no_memory(error);
            memcpy(plan->passes, old, plan->npasses * sizeof *plan->passes);
            memcpy(plan->measures, measures, plan->nmeasures * sizeof *plan->measures);
        }
        plan->passes[p].allocates = true;
        for (size_t m = 0; m < plan->nmeasures; m++)
            if (plan->measures[m].expr == NULL && plan->measures[m].pass == p) {
                plan->measures[m].type = VC_VALUE_FLOAT;
                plan->measures[m].scale = 0;
            }
    }
    return VC_OK;
}

/* The pass that sees the facts of this measure, made when there is none. */
static vc_pass *find_pass(vc_plan *plan, const vc_cube_measure *measure)
{
    for (size_t i = 0; i < plan->npasses; i++) {
        vc_pass *pass = &plan->passes[i];
        bool same_fixes = pass->nfixes == measure->nfixes &&
                          (pass->nfixes == 0 || pass->fixes == measure->fixes) &&
                          pass->nwheres == measure->nwheres &&
                          (pass->nwheres == 0 || pass->wheres == measure->wheres);
        if (pass->source == measure->source && pass->over == measure->over && same_fixes &&
            (pass->over == VC_OVER_NONE || pass->over_dimension == measure->over_dimension) &&
            pass->mode == measure->mode && pass->reaggregate == measure->reaggregate)
            return pass;
    }
    vc_pass *pass = &plan->passes[plan->npasses++];
    *pass = pass_of(plan, measure);
    pass->accumulators = VC_ARENA_NEW(plan->arena, vc_accumulator_spec, plan->max_measures);
    return pass->accumulators == NULL ? NULL : pass;
}

static vc_status plan_base(vc_plan *plan, vc_plan_measure *measure, vc_error *error)
{
    const vc_cube_measure *stored = measure->measure;
    const vc_source_cube *source = plan->cube->sources[stored->source].cube;
    vc_accumulator_spec spec = {.aggregator = stored->aggregator,
                                .column = stored->column,
                                .distinct_dimension = stored->distinct_dimension,
                                .weight_column = stored->weight_column,
                                .quantile = stored->quantile,
                                .type = stored->column >= 0 ? source->columns[stored->column].type
                                                            : VC_VALUE_INT};
    if (stored->weight_column >= 0) spec.weight_type = source->columns[stored->weight_column].type;
    vc_pass *pass = find_pass(plan, stored);
    if (pass == NULL) return vc_no_memory(error);
    vc_status status = check_parts(plan, stored, pass, error);
    if (status != VC_OK) return status;
    if (pass->allocates) {
        measure->type = VC_VALUE_FLOAT;
        measure->scale = 0;
    }
    measure->pass = (size_t)(pass - plan->passes);
    size_t number = 0;
    while (number < pass->naccumulators && !same_accumulator(&pass->accumulators[number], &spec))
        number++;
    if (number == pass->naccumulators) pass->accumulators[pass->naccumulators++] = spec;
    measure->accumulator = number;
    if (plan->cube->is_virtual) measure->source_alias = plan->cube->sources[stored->source].alias;
    return VC_OK;
}

static vc_status add_stored(vc_plan *plan, size_t number, size_t *measure_out, vc_error *error);

/* A new plan measure at the end; the array has room for all that a query can need. */
static vc_status add_plan_measure(vc_plan *plan, vc_plan_measure measure, size_t *measure_out,
                                  vc_error *error)
{
    if (plan->nmeasures == plan->max_measures)
        return vc_fail(error, VC_LIMIT, "limit_measures", "the query needs more than %zu measures",
                       plan->max_measures);
    *measure_out = plan->nmeasures;
    if (measure.place.where == NULL) measure.place = plan->asking;
    plan->measures[plan->nmeasures++] = measure;
    return VC_OK;
}

/* Functions over members are numbered through the plan. */
static void number_calls(vc_plan *plan, vc_plan_measure *measure)
{
    size_t ncalls;
    vc_expr_calls(measure->expr, &ncalls);
    measure->first_call = plan->ncalls;
    plan->ncalls += ncalls;
}

static vc_status fill_stored(vc_plan *plan, size_t at, const vc_cube_measure *stored,
                             vc_error *error)
{
    vc_plan_measure *measure = &plan->measures[at];
    if (stored->expr == NULL) return plan_base(plan, measure, error);
    size_t *operands = VC_ARENA_NEW(plan->arena, size_t, stored->noperands + 1);
    if (operands == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < stored->noperands; i++) {
        vc_status status = add_stored(plan, stored->operands[i], &operands[i], error);
        if (status != VC_OK) return status;
    }
    measure->expr = stored->expr;
    measure->operands = operands;
    measure->noperands = stored->noperands;
    measure->call_dimensions = stored->call_dimensions;
    number_calls(plan, measure);
    return VC_OK;
}

static vc_plan_measure from_stored(const vc_cube_measure *stored)
{
    return (vc_plan_measure){.name = stored->name,
                             .label = stored->label,
                             .unit = stored->unit,
                             .format = stored->format,
                             .measure = stored,
                             .solve_order = stored->solve_order,
                             .type = stored->type,
                             .scale = stored->scale};
}

/* A measure of the cube, once. */
static vc_status add_stored(vc_plan *plan, size_t number, size_t *measure_out, vc_error *error)
{
    const vc_cube_measure *stored = &plan->cube->measures[number];
    for (size_t i = 0; i < plan->nmeasures; i++)
        if (plan->measures[i].measure == stored) {
            *measure_out = i;
            return VC_OK;
        }
    vc_status status = add_plan_measure(plan, from_stored(stored), measure_out, error);
    return status == VC_OK ? fill_stored(plan, *measure_out, stored, error) : status;
}

/* A measure of the query by name, else of the cube. */
static vc_status find_name(vc_plan *plan, vc_str name, size_t *measure_out, vc_error *error)
{
    size_t number;
    for (size_t i = 0; i < plan->nasked; i++)
        if (vc_str_equal(plan->measures[i].name, name)) {
            *measure_out = i;
            return VC_OK;
        }
    vc_status status = vc_cube_find_measure(plan->cube, name, &number, error);
    return status == VC_OK ? add_stored(plan, number, measure_out, error) : status;
}

/* Give plan measure `at` an expression over measures of the query and the cube. */
static vc_status fill_expr(vc_plan *plan, size_t at, vc_str text, vc_place place, vc_error *error)
{
    vc_expr *expr;
    size_t nnames;
    vc_status status = vc_expr_parse(text, plan->arena, &expr, error);
    if (status != VC_OK) return vc_error_at_place(error, status, place);
    const vc_str *names = vc_expr_names(expr, &nnames);
    size_t *operands = VC_ARENA_NEW(plan->arena, size_t, nnames + 1);
    if (operands == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nnames; i++) {
        status = find_name(plan, names[i], &operands[i], error);
        if (status == VC_OK && operands[i] == at)
            status = vc_fail(error, VC_BAD_INPUT, "definition_cycle",
                             "measure '%.*s' is defined by itself", VC_FMT(names[i]));
        if (status != VC_OK) return vc_error_at_place(error, status, place);
    }
    vc_str *units = VC_ARENA_NEW(plan->arena, vc_str, nnames + 1), unit;
    if (units == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nnames; i++)
        units[i] = plan->measures[operands[i]].unit;
    status = vc_expr_unit(expr, units, &unit, error);
    if (status != VC_OK) return vc_error_at_place(error, status, place);
    if (plan->measures[at].unit.size == 0 && unit.size > 0) plan->measures[at].unit = unit;
    plan->measures[at].type = VC_VALUE_FLOAT;
    plan->measures[at].expr = expr;
    plan->measures[at].operands = operands;
    plan->measures[at].noperands = nnames;
    number_calls(plan, &plan->measures[at]);
    status = vc_cube_bind_calls(plan->cube, SIZE_MAX, expr, plan->arena,
                                &plan->measures[at].call_dimensions, error);
    return status == VC_OK ? VC_OK : vc_error_at_place(error, status, place);
}

vc_status vc_plan_measure_of(vc_plan *plan, vc_str text, vc_place place, size_t *measure_out,
                             vc_error *error)
{
    plan->asking = place;
    vc_error no_name = {0};
    for (size_t i = plan->nasked; i < plan->nmeasures; i++)
        if (plan->measures[i].measure == NULL && vc_str_equal(plan->measures[i].name, text)) {
            *measure_out = i; /* the same expression, met before */
            return VC_OK;
        }
    vc_status status = find_name(plan, text, measure_out, &no_name);
    if (status == VC_OK) return VC_OK;
    if (status != VC_NOT_FOUND ||
        strcspn(vc_arena_str(plan->arena, text).data, "+-*/()<>=") == text.size) {
        if (error != NULL) *error = no_name;
        return vc_error_at_place(error, status, place);
    }
    status =
        add_plan_measure(plan, (vc_plan_measure){.name = text, .label = text}, measure_out, error);
    return status == VC_OK ? fill_expr(plan, *measure_out, text, place, error) : status;
}

/* Expressions of a query may use each other; a loop among them is found here. state: 0 new, 1 on
 * the way, 2 done. */
static vc_status check_loop(const vc_plan *plan, size_t at, uint8_t *states, vc_error *error)
{
    if (states[at] == 1)
        return vc_fail(error, VC_BAD_INPUT, "definition_cycle",
                       "the expressions lead back to '%.*s'", VC_FMT(plan->measures[at].name));
    if (states[at] == 2) return VC_OK;
    states[at] = 1;
    for (size_t i = 0; i < plan->measures[at].noperands; i++) {
        vc_status status = check_loop(plan, plan->measures[at].operands[i], states, error);
        if (status != VC_OK) return status;
    }
    states[at] = 2;
    return VC_OK;
}

/* Can a measure of the cube be asked, with all that it is computed from? answers [nmeasures]: 0 not
 * known yet, 1 yes, 2 no. */
static bool can_answer(const vc_plan *plan, size_t number, uint8_t *answers)
{
    const vc_cube_measure *measure = &plan->cube->measures[number];
    bool can = true;
    if (answers[number] != 0) return answers[number] == 1;
    for (size_t i = 0; i < measure->noperands && can; i++)
        can = can_answer(plan, measure->operands[i], answers);
    if (measure->expr == NULL) {
        vc_pass pass = pass_of(plan, measure);
        can = check_parts(plan, measure, &pass, NULL) == VC_OK;
    }
    answers[number] = can ? 1 : 2;
    return can;
}

/* A query that names no measures asks for all that can be answered. */
static vc_status plan_all(vc_plan *plan, vc_error *error)
{
    const vc_cube *cube = plan->cube;
    vc_status status = VC_OK;
    size_t at;
    uint8_t *answers = VC_ARENA_NEW(plan->arena, uint8_t, cube->nmeasures + 1);
    plan->left_out = VC_ARENA_NEW(plan->arena, vc_str, cube->nmeasures + 1);
    if (answers == NULL || plan->left_out == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < cube->nmeasures && status == VC_OK; i++) {
        if (cube->measures[i].is_hidden) continue;
        if (can_answer(plan, i, answers))
            status = add_plan_measure(plan, from_stored(&cube->measures[i]), &at, error);
        else
            plan->left_out[plan->nleft_out++] = cube->measures[i].name;
    }
    return status;
}

/* Where an expression of the query stands. */
static vc_place place_of(const vc_measure_ref *measure)
{
    return measure->expr_place.where != NULL ? measure->expr_place : measure->place;
}

/* The asked measures first, as they are; then what they are computed from. */
static vc_status plan_asked(vc_plan *plan, vc_error *error)
{
    const vc_query *query = plan->query;
    vc_status status = VC_OK;
    size_t at, number;
    for (size_t i = 0; i < query->nmeasures && status == VC_OK; i++) {
        const vc_measure_ref *ref = &query->measures[i];
        vc_plan_measure measure = {.name = ref->name,
                                   .label = ref->name,
                                   .unit = ref->unit,
                                   .format = ref->format,
                                   .solve_order = ref->has_solve_order ? &ref->solve_order : NULL};
        for (size_t j = 0; j < i && status == VC_OK; j++)
            if (vc_str_equal(query->measures[j].name, ref->name))
                status = vc_fail(error, VC_BAD_INPUT, "duplicate_name",
                                 "measure '%.*s' is asked for twice", VC_FMT(ref->name));
        if (status == VC_OK && ref->expr.data == NULL) {
            status = vc_cube_find_measure(plan->cube, ref->name, &number, error);
            if (status == VC_OK) measure = from_stored(&plan->cube->measures[number]);
        }
        if (status != VC_OK) return vc_error_at_place(error, status, ref->place);
        measure.place = ref->place;
        status = add_plan_measure(plan, measure, &at, error);
    }
    if (query->nmeasures == 0 && status == VC_OK) status = plan_all(plan, error);
    plan->nasked = plan->nmeasures;
    for (size_t i = 0; i < plan->nasked && status == VC_OK; i++) {
        plan->asking = plan->measures[i].place;
        if (plan->measures[i].measure == NULL) {
            status =
                fill_expr(plan, i, query->measures[i].expr, place_of(&query->measures[i]), error);
        } else {
            status = fill_stored(plan, i, plan->measures[i].measure, error);
            if (status != VC_OK && query->nmeasures > 0)
                return vc_error_at_place(error, status, query->measures[i].place);
        }
    }
    uint8_t *states = VC_ARENA_NEW(plan->arena, uint8_t, plan->nmeasures + 1);
    if (status == VC_OK && states == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < plan->nasked && status == VC_OK; i++) {
        status = check_loop(plan, i, states, error);
        if (status != VC_OK && query->nmeasures > 0)
            return vc_error_at_place(error, status, place_of(&query->measures[i]));
    }
    return status;
}

bool vc_axis_is_named(const vc_axis *axis, vc_str name)
{
    vc_str dimension = axis->ref.dimension, level = axis->stored->name, rest = name;
    if (vc_str_equal(dimension, name)) return true;
    if (!vc_str_starts_with(name, dimension) || name.size <= dimension.size) return false;
    rest.data += dimension.size + 1;
    rest.size -= dimension.size + 1;
    if (name.data[dimension.size] == '@') { /* geo@hierarchy or geo@hierarchy.level */
        vc_str hierarchy = vc_str_split(&rest, '.');
        return vc_str_equal(hierarchy, axis->ref.hierarchy) &&
               (rest.data == NULL || vc_str_equal(rest, level));
    }
    return name.data[dimension.size] == '.' && vc_str_equal(rest, level);
}

/* What having, order and top compare must be computed with everything else. */
static vc_status plan_compared(vc_plan *plan, vc_error *error)
{
    const vc_query *query = plan->query;
    vc_status status = VC_OK;
    size_t measure;
    for (size_t i = 0; i < query->nhavings && status == VC_OK; i++)
        status = vc_plan_measure_of(plan, query->havings[i].measure, query->havings[i].place,
                                    &measure, error);
    for (size_t i = 0; i < query->ntops && status == VC_OK; i++)
        status =
            vc_plan_measure_of(plan, query->tops[i].measure, query->tops[i].place, &measure, error);
    for (size_t i = 0; i < query->norders && status == VC_OK; i++) {
        bool is_axis = false;
        for (size_t axis = 0; axis < plan->naxes; axis++)
            is_axis |= vc_axis_is_named(&plan->axes[axis], query->orders[i].name);
        if (!is_axis)
            status = vc_plan_measure_of(plan, query->orders[i].name, query->orders[i].place,
                                        &measure, error);
    }
    return status;
}

/* The cube, what is selected and drilled, and room for measures. */
static vc_status start_plan(vc_model *model, const vc_query *query,
                            const vc_engine_options *options, size_t nmore, vc_arena *arena,
                            vc_plan **plan_out, vc_error *error)
{
    vc_plan *plan = VC_ARENA_NEW(arena, vc_plan, 1);
    if (plan == NULL) return vc_no_memory(error);
    *plan_out = plan;
    plan->model = model;
    plan->query = query;
    plan->options = options;
    plan->arena = arena;
    plan->root = plan;
    plan->deadline_ns = vc_plan_now() + options->limits.max_time_ms * 1000000u;
    vc_status status = vc_model_cube(model, query->cube, &plan->cube, error);
    if (status != VC_OK) return status;
    /* Each having, order and top may add one measure of its own, each of those its operands: which
     * are measures of the cube. */
    plan->max_measures =
        plan->cube->nmeasures * 2 + nmore + query->nhavings + query->norders + query->ntops + 1;
    plan->measures = VC_ARENA_NEW(arena, vc_plan_measure, plan->max_measures);
    plan->passes = VC_ARENA_NEW(arena, vc_pass, plan->max_measures);
    if (plan->measures == NULL || plan->passes == NULL) return vc_no_memory(error);
    status = vc_plan_calculate(plan, error);
    if (status == VC_OK) status = vc_plan_select(plan, error);
    return status == VC_OK ? plan_axes(plan, error) : status;
}

/* Does a measure use functions over members, or one that does? There are no loops any more.
 * is_done [nmeasures] */
static bool mark_late(vc_plan *plan, size_t number, bool *is_done)
{
    vc_plan_measure *measure = &plan->measures[number];
    size_t ncalls = 0;
    if (measure->expr == NULL || is_done[number]) return measure->is_late;
    is_done[number] = true;
    vc_expr_calls(measure->expr, &ncalls);
    measure->is_late = ncalls > 0;
    for (size_t i = 0; i < measure->noperands; i++)
        measure->is_late |= mark_late(plan, measure->operands[i], is_done);
    return measure->is_late;
}

vc_status vc_plan_make(vc_model *model, const vc_query *query, const vc_engine_options *options,
                       vc_arena *arena, vc_plan **plan_out, vc_error *error)
{
    vc_status status = start_plan(model, query, options, query->nmeasures, arena, plan_out, error);
    if (status == VC_OK) status = plan_asked(*plan_out, error);
    if (status == VC_OK) status = plan_compared(*plan_out, error);
    if (status != VC_OK) return status;
    bool *is_done = VC_ARENA_NEW(arena, bool, (*plan_out)->nmeasures + 1);
    if (is_done == NULL) return vc_no_memory(error);
    for (size_t m = 0; m < (*plan_out)->nmeasures; m++)
        mark_late(*plan_out, m, is_done);
    return VC_OK;
}

vc_status vc_plan_make_of(vc_model *model, const vc_query *query, const vc_engine_options *options,
                          const vc_cube_measure *measures, size_t nmeasures, vc_arena *arena,
                          vc_plan **plan_out, vc_error *error)
{
    vc_status status = start_plan(model, query, options, nmeasures, arena, plan_out, error);
    size_t at = 0;
    for (size_t i = 0; i < nmeasures && status == VC_OK; i++) {
        status = add_plan_measure(*plan_out, from_stored(&measures[i]), &at, error);
        if (status == VC_OK) status = plan_base(*plan_out, &(*plan_out)->measures[at], error);
    }
    if (status == VC_OK) (*plan_out)->nasked = (*plan_out)->nmeasures;
    return status;
}
