#include "slice/narrow.h"

#include "slice/sort.h"

#include "slice/table.h"

#include <stdlib.h>
#include <string.h>

struct narrowing {
    const vc_plan *from;
    const vc_narrowing *of;
    vc_plan *plan; /* what is being made */
};

static const char *what_of(const struct narrowing *in)
{
    return in->of->cut_axis == SIZE_MAX ? "totals of the visible rows" : "the row of the others";
}

static vc_status fail_inexact(const struct narrowing *in, const char *why, vc_str name,
                              vc_error *error)
{
    vc_status status =
        vc_fail(error, VC_IMPOSSIBLE, "not_exact",
                "%s cannot be exact: the combinations differ from member to member, and %s '%.*s'",
                what_of(in), why, VC_FMT(name));
    return vc_error_at_place(error, status, in->of->place);
}

/* ---- selections ---- */

static bool is_over(const struct narrowing *in, size_t axis)
{
    return in->of->axes >> axis & 1;
}

/* Do the combinations narrow one axis only? Then all but some of them is a selection, too. */
static bool is_one_axis(const struct narrowing *in)
{
    return (in->of->axes & (in->of->axes - 1)) == 0;
}

static vc_status narrow_axis(struct narrowing *in, size_t number, vc_error *error)
{
    vc_axis *axis = &in->plan->axes[number];
    const vc_cube_dimension *outer = &in->plan->cube->dimensions[axis->dimension];
    vc_selection *selection = &in->plan->selections[axis->dimension];
    vc_arena *arena = in->plan->arena;
    uint64_t *wanted = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(axis->ngroups) + 1);
    uint64_t *slots = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(outer->nslots) + 1);
    if (wanted == NULL || slots == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < in->of->count; i++) {
        vc_status status = vc_plan_look(in->plan, i, error);
        if (status != VC_OK) return status;
        vc_bit_set(wanted, in->of->groups[i * in->plan->naxes + number]);
    }
    for (uint32_t slot = 0; slot < outer->nslots; slot++) {
        uint32_t group = vc_axis_group(axis, slot); /* a ragged level has none for some leaves */
        if (group != VC_NONE && (selection->slots == NULL || vc_bit_get(selection->slots, slot)) &&
            vc_bit_get(wanted, group) != in->of->is_complement)
            vc_bit_set(slots, slot);
    }
    bool is_cut = selection->is_cut;
    *selection = (vc_selection){.slots = slots, .is_cut = is_cut, .is_narrowed = true};
    vc_selection_measure(outer, selection);
    return vc_axis_find_visible(in->plan, axis, error);
}

static vc_status narrow_axes(struct narrowing *in, vc_error *error)
{
    vc_plan *plan = in->plan;
    vc_status status = VC_OK;
    plan->selections = VC_ARENA_NEW(plan->arena, vc_selection, plan->cube->ndimensions + 1);
    if (plan->selections == NULL) return vc_no_memory(error);
    memcpy(plan->selections, in->from->selections,
           plan->cube->ndimensions * sizeof *plan->selections);
    if (!in->of->is_complement || is_one_axis(in))
        for (size_t i = 0; i < plan->naxes && status == VC_OK; i++)
            if (is_over(in, i)) status = narrow_axis(in, i, error);
    if (in->of->cut_axis != SIZE_MAX)
        plan->selections[plan->axes[in->of->cut_axis].dimension].is_cut = true;
    return status;
}

/* ---- passes ---- */

static vc_binding_kind binding_of(const struct narrowing *in, const vc_pass *pass, size_t axis)
{
    const vc_cube_source *source = &in->plan->cube->sources[pass->source];
    return source->bindings[in->plan->axes[axis].dimension].kind;
}

/* Is some measure of the pass present in the rows, whatever is null by policy? */
static bool is_present(const struct narrowing *in, size_t number)
{
    const vc_plan *plan = in->plan;
    const vc_cube_source *source = &plan->cube->sources[plan->passes[number].source];
    for (size_t m = 0; m < plan->nmeasures; m++) {
        const vc_plan_measure *measure = &plan->measures[m];
        const vc_standing *standing;
        bool is_null = false;
        if (measure->expr != NULL || measure->pass != number) continue;
        for (size_t i = 0; i < plan->naxes; i++) {
            size_t d = plan->axes[i].dimension;
            bool is_asked = (in->of->kept >> i & 1) || plan->selections[d].is_cut;
            if (!is_asked || source->bindings[d].kind != VC_BIND_NONE) continue;
            vc_unrelated word = vc_cube_unrelated(plan->cube, measure->measure, d, &standing);
            is_null |= word != VC_UNRELATED_REPEAT && word != VC_UNRELATED_FIX;
        }
        if (!is_null) return true;
    }
    return false;
}

/* Are the combinations all those of the groups that are visible now, on every axis? */
static bool is_whole_product(const struct narrowing *in)
{
    uint64_t product = 1;
    if (is_one_axis(in)) return true;
    if (in->of->is_complement) return false;
    for (size_t i = 0; i < in->plan->naxes; i++)
        if (is_over(in, i) &&
            __builtin_mul_overflow(
                product,
                (uint64_t)vc_bits_count(in->plan->axes[i].visible, in->plan->axes[i].ngroups),
                &product))
            return false;
    return in->of->count == product;
}

/* Values stand at one member of a dimension that their source does not have: where combinations of
 * several dimensions are chosen, those with this member would be asked for. */
static vc_status check_stands(const struct narrowing *in, size_t number, vc_error *error)
{
    const vc_plan *plan = in->plan;
    for (size_t m = 0; m < plan->nmeasures; m++) {
        const vc_plan_measure *measure = &plan->measures[m];
        if (measure->expr != NULL || measure->pass != number) continue;
        for (size_t i = 0; i < plan->naxes; i++) {
            const vc_standing *standing;
            size_t d = plan->axes[i].dimension;
            if (!is_over(in, i) || binding_of(in, &plan->passes[number], i) != VC_BIND_NONE)
                continue;
            vc_cube_unrelated(plan->cube, measure->measure, d, &standing);
            if (standing != NULL && !is_whole_product(in))
                return fail_inexact(in, "values stand at one member of dimension",
                                    plan->cube->dimensions[d].name, error);
        }
    }
    return VC_OK;
}

static int compare_keys(const void *a, const void *b, void *context)
{
    (void)context;
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The combinations in the key space of a table of the pass, each once. */
static vc_status translate(const struct narrowing *in, vc_combinations *out, vc_error *error)
{
    const vc_table *table = out->table;
    size_t nkeys = 0;
    vc_status status = VC_OK;
    out->keys = vc_arena_alloc(in->plan->arena, (in->of->count + 1) * sizeof *out->keys);
    if (out->keys == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < in->of->count; i++) {
        uint64_t key = 0;
        bool is_inside = true;
        if ((status = vc_plan_look(in->plan, i, error)) != VC_OK) return status;
        for (size_t axis = 0; axis < in->plan->naxes; axis++) {
            if (!is_over(in, axis) || table->strides[axis] == 0) continue;
            uint32_t group = in->of->groups[i * in->plan->naxes + axis] - table->firsts[axis];
            is_inside &= group < table->spans[axis];
            key += group * table->strides[axis];
        }
        if (is_inside) out->keys[nkeys++] = key;
    }
    status = vc_sort(in->plan, out->keys, nkeys, sizeof *out->keys, compare_keys, NULL, error);
    for (size_t i = 0; i < nkeys && status == VC_OK; i++) {
        status = vc_plan_look(in->plan, i, error);
        if (i == 0 || out->keys[i] != out->keys[i - 1]) out->keys[out->nkeys++] = out->keys[i];
    }
    return status;
}

/* Are the combinations all those of the groups that are visible now? */
static bool is_product(const struct narrowing *in, const vc_combinations *combinations)
{
    uint64_t product = 1;
    if (in->of->is_complement) return is_one_axis(in);
    for (size_t i = 0; i < in->plan->naxes; i++)
        if (is_over(in, i) && combinations->table->strides[i] > 0 &&
            __builtin_mul_overflow(
                product,
                (uint64_t)vc_bits_count(in->plan->axes[i].visible, in->plan->axes[i].ngroups),
                &product))
            return false;
    return combinations->nkeys == product;
}

/* Over a dimension that the source does not have and that stays, a row has the facts of the
 * combinations with its member only: all of them, or none are exact. */
static vc_status check_repeated(const struct narrowing *in, const vc_pass *pass, vc_error *error)
{
    for (size_t i = 0; i < in->plan->naxes; i++)
        if (is_over(in, i) && (in->of->kept >> i & 1) && binding_of(in, pass, i) == VC_BIND_NONE)
            return fail_inexact(in, "facts are repeated over dimension",
                                in->plan->cube->dimensions[in->plan->axes[i].dimension].name,
                                error);
    return VC_OK;
}

/* What a question to each fact cannot decide. */
static vc_status check_exact(const struct narrowing *in, const vc_pass *pass, const vc_table *table,
                             vc_error *error)
{
    const vc_plan *plan = in->plan;
    const vc_cube_source *source = &plan->cube->sources[pass->source];
    if (table->classes != NULL)
        return fail_inexact(in, "facts count in parts in source", source->alias, error);
    for (size_t i = 0; i < plan->naxes; i++) {
        const vc_axis *axis = &plan->axes[i];
        const vc_binding *binding = &source->bindings[axis->dimension];
        const vc_reach *reach = &table->reaches[axis->dimension];
        vc_str name = plan->cube->dimensions[axis->dimension].name;
        if (!is_over(in, i)) continue;
        if (binding->kind == VC_BIND_NONE) continue;
        if ((reach->is_relation && vc_bits_count(reach->coarse, axis->ngroups) > 0) ||
            (reach->repeated != NULL && vc_bits_count(reach->repeated, axis->ngroups) > 0))
            return fail_inexact(in, "facts stand above the asked level of", name, error);
        bool is_along = binding->source_dimension == pass->over_dimension;
        if (binding->tuples != NULL)
            is_along = vc_key_component(plan->cube, pass->source, axis->dimension,
                                        pass->over_dimension) != SIZE_MAX;
        if (pass->over != VC_OVER_NONE && is_along)
            return fail_inexact(in, "a measure is resolved over dimension", name, error);
        /* In one combination it may be one member, in another one several. */
        if (i == in->of->cut_axis && binding->tuples == NULL &&
            !source->cube->is_aggregatable[binding->source_dimension] &&
            !vc_pass_is_fixed(plan, pass, binding->source_dimension))
            return fail_inexact(in, "there is no All of", name, error);
    }
    return VC_OK;
}

static vc_status set_bits(const vc_plan *plan, vc_combinations *combinations, vc_error *error)
{
    enum { MOST_BITS = 1 << 26 };
    if (combinations->table->ncells > MOST_BITS) return VC_OK;
    uint64_t *bits =
        VC_ARENA_NEW(plan->arena, uint64_t, vc_bits_words((size_t)combinations->table->ncells) + 1);
    if (bits == NULL) return vc_no_memory(error);
    vc_status status = VC_OK;
    for (size_t i = 0; i < combinations->nkeys && status == VC_OK; i++) {
        status = vc_plan_look(plan, i, error);
        vc_bit_set(bits, combinations->keys[i]);
    }
    combinations->bits = bits;
    return status;
}

static vc_status narrow_pass(struct narrowing *in, size_t number, vc_error *error)
{
    vc_plan *plan = in->plan;
    vc_pass *pass = &plan->passes[number], whole = *pass;
    vc_combinations *combinations = VC_ARENA_NEW(plan->arena, vc_combinations, 1);
    vc_table *table;
    if (combinations == NULL) return vc_no_memory(error);
    if (!is_present(in, number)) return VC_OK;
    vc_status status = check_stands(in, number, error);
    if (status != VC_OK) return status;
    /* The value at All of a source that does not have the dimension whose others are asked for. */
    if (in->of->cut_axis != SIZE_MAX && binding_of(in, pass, in->of->cut_axis) == VC_BIND_NONE)
        return VC_OK;
    whole.over = VC_OVER_NONE; /* which leaf counts is another question */
    status = vc_table_make(plan, &whole, in->of->axes, &table, error);
    if (status != VC_OK) return status;
    *combinations = (vc_combinations){.table = table, .is_complement = in->of->is_complement};
    status = translate(in, combinations, error);
    if (status == VC_OK && !is_whole_product(in)) status = check_repeated(in, pass, error);
    if (status != VC_OK || is_product(in, combinations)) return status;
    status = check_exact(in, pass, table, error);
    if (status == VC_OK) status = set_bits(plan, combinations, error);
    pass->combinations = combinations;
    return status;
}

/* A function over members of the dimension has no place to look at from the row of the others; and
 * where facts are chosen one by one, other groupings than that of the row are not of these facts.
 */
static vc_status check_calls(const struct narrowing *in, bool is_by_facts, vc_error *error)
{
    const vc_plan *plan = in->plan;
    for (size_t m = 0; m < plan->nmeasures; m++) {
        const vc_plan_measure *measure = &plan->measures[m];
        size_t ncalls = 0;
        if (measure->expr != NULL) vc_expr_calls(measure->expr, &ncalls);
        for (size_t i = 0; i < ncalls; i++) {
            bool is_along = in->of->cut_axis != SIZE_MAX &&
                            measure->call_dimensions[i] == plan->axes[in->of->cut_axis].dimension;
            if (!is_along && !is_by_facts) continue;
            vc_status status =
                vc_fail(error, VC_IMPOSSIBLE, "not_exact",
                        "%s cannot be exact: '%.*s' looks at other members%s", what_of(in),
                        VC_FMT(measure->name),
                        is_along ? " of the same dimension"
                                 : ", and the combinations differ from member to member");
            return vc_error_at_place(error, status, in->of->place);
        }
    }
    return VC_OK;
}

vc_status vc_plan_narrow(const vc_plan *plan, const vc_narrowing *narrowing, vc_plan **narrowed_out,
                         vc_error *error)
{
    vc_plan *narrowed = VC_ARENA_NEW(plan->arena, vc_plan, 1);
    vc_pass *passes = VC_ARENA_NEW(plan->arena, vc_pass, plan->npasses + 1);
    struct narrowing in = {.from = plan, .of = narrowing, .plan = narrowed};
    if (narrowed == NULL || passes == NULL) return vc_no_memory(error);
    *narrowed = *plan;
    narrowed->ncalculated = 0; /* which are in no total */
    memcpy(passes, plan->passes, plan->npasses * sizeof *passes);
    narrowed->passes = passes;
    narrowed->rows_name =
        narrowing->cut_axis == SIZE_MAX ? VC_STR(", visible totals") : VC_STR(", others");
    bool is_by_facts = false;
    vc_status status = narrow_axes(&in, error);
    for (size_t p = 0; p < plan->npasses && status == VC_OK; p++) {
        status = narrow_pass(&in, p, error);
        is_by_facts |= passes[p].combinations != NULL;
    }
    if (status == VC_OK) status = check_calls(&in, is_by_facts, error);
    *narrowed_out = narrowed;
    return status;
}
