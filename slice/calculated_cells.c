/* Cells at calculated members: the frames that their operands are read in, and what comes of them.
 *
 * Sums and differences of integers and decimals stay exact: they are added up as they are stored.
 * What is multiplied, divided or averaged is a double, in a cell that says so.
 */
#include "slice/calculated.h"

#include "slice/accumulator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- where a cell stands ---- */

/* The coordinate of a cell whose member is computed last; its dimension. SIZE_MAX: none;
 * VC_FIXED_SEVERAL: a total of calculated members, which there is not. */
static size_t outermost(const vc_frame *frame, const uint32_t *groups, size_t *dimension_out)
{
    const vc_plan *plan = frame->plan;
    size_t found = SIZE_MAX;
    if (frame->fixed == NULL) return SIZE_MAX;
    for (size_t i = 0; i < plan->naxes; i++) {
        if (!(frame->grain->kept >> i & 1)) continue;
        size_t at = vc_axis_calculated(&plan->axes[i], groups[i]);
        if (at == SIZE_MAX ||
            (found != SIZE_MAX && plan->calculated[at].rank < plan->calculated[found].rank))
            continue;
        found = at;
        *dimension_out = plan->axes[i].dimension;
    }
    for (size_t d = 0; d < plan->cube->ndimensions; d++) {
        if (frame->fixed[d] == 0) continue;
        size_t at = frame->fixed[d] - 1;
        if (frame->fixed[d] == VC_FIXED_SEVERAL) return VC_FIXED_SEVERAL;
        if (found != SIZE_MAX && plan->calculated[at].rank < plan->calculated[found].rank) continue;
        found = at;
        *dimension_out = d;
    }
    return found;
}

bool vc_frame_is_calculated(const vc_frame *frame, const uint32_t *groups)
{
    size_t dimension;
    return outermost(frame, groups, &dimension) != SIZE_MAX;
}

bool vc_expr_is_late(const vc_plan *plan, size_t measure, const vc_expr *expr)
{
    size_t nnames, ncalls;
    const size_t *names = vc_expr_used_names(expr, &nnames);
    vc_expr_used_calls(expr, &ncalls);
    if (ncalls > 0) return true;
    for (size_t i = 0; i < nnames; i++)
        if (plan->measures[plan->measures[measure].operands[names[i]]].is_late) return true;
    return false;
}

/* ---- operands ---- */

/* The groups of an axis that operands of calculated members stand at, for all of them at once. */
static vc_status find_needed(const vc_plan *plan, const vc_coordinate *like, uint32_t ngroups,
                             const uint64_t **needed_out, vc_error *error)
{
    uint64_t *needed = VC_ARENA_NEW(plan->arena, uint64_t, vc_bits_words(ngroups) + 1);
    if (needed == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < plan->ncalculated; i++)
        for (size_t o = 0; o < plan->calculated[i].noperands; o++) {
            const vc_member_operand *operand = &plan->calculated[i].operands[o];
            for (size_t t = 0; t < operand->ntargets; t++)
                for (size_t c = 0; c < operand->targets[t].ncoordinates; c++) {
                    const vc_coordinate *at = &operand->targets[t].coordinates[c];
                    if (at->kind == VC_AT_MEMBER && at->dimension == like->dimension &&
                        at->hierarchy == like->hierarchy && at->member.level == like->member.level)
                        vc_bit_set(needed, at->member.member);
                }
        }
    *needed_out = needed;
    return VC_OK;
}

static vc_str describe(const vc_plan *plan, const vc_coordinate *to, const char *what)
{
    const vc_cube_dimension *outer = &plan->cube->dimensions[to->dimension];
    vc_str level = VC_STR("");
    if (to->kind == VC_AT_MEMBER)
        level = outer->dimension->hierarchies[to->hierarchy].levels[to->member.level].name;
    return vc_arena_printf(plan->arena, ", %s %.*s%s%.*s", what, VC_FMT(outer->name),
                           level.size > 0 ? ":" : "", VC_FMT(level));
}

static vc_status make_frame(vc_frame *from, const vc_coordinate *to, vc_frame **frame_out,
                            vc_error *error)
{
    const vc_plan *plan = from->plan;
    const vc_cube_dimension *outer = &plan->cube->dimensions[to->dimension];
    vc_frame_change change = {.dimension = to->dimension};
    vc_status status = VC_OK;
    switch (to->kind) {
    case VC_AT_CALCULATED: change.fixed = to->calculated + 1; break;
    case VC_AT_SELECTION:
        change.is_replaced = true;
        change.slots = to->slots;
        change.name = describe(plan, to, "operands in");
        break;
    case VC_AT_MEMBER:
        change.is_kept = change.is_lifted = true;
        change.hierarchy = to->hierarchy;
        change.level = to->member.level;
        change.name = describe(plan, to, "operands in");
        status = find_needed(
            plan, to,
            outer->dimension->hierarchies[to->hierarchy].levels[to->member.level].nmembers +
                outer->nsynthetic + (uint32_t)plan->ncalculated + 1,
            &change.needed, error);
        break;
    }
    return status == VC_OK ? vc_frame_find(from, &change, frame_out, error) : status;
}

static bool leads_alike(const vc_coordinate *a, const vc_coordinate *b)
{
    if (a->dimension != b->dimension || a->kind != b->kind) return false;
    if (a->kind == VC_AT_MEMBER)
        return a->hierarchy == b->hierarchy && a->member.level == b->member.level;
    return a->kind == VC_AT_CALCULATED ? a->calculated == b->calculated : a->slots == b->slots;
}

/* Go from a cell to the one that differs by a coordinate. */
static vc_status move(vc_frame **frame, const vc_coordinate *to, uint32_t *groups, vc_error *error)
{
    const vc_plan *plan = (*frame)->plan;
    size_t axis = vc_plan_find_axis(plan, to->dimension);
    if (to->kind == VC_AT_CALCULATED && axis != SIZE_MAX && ((*frame)->grain->kept >> axis & 1)) {
        for (size_t i = 0; i < plan->axes[axis].ncalculated; i++)
            if (plan->axes[axis].calculated[i] == to->calculated)
                groups[axis] = plan->axes[axis].first_calculated + (uint32_t)i;
        return VC_OK;
    }
    vc_frame_move *known = (*frame)->moves;
    while (known != NULL && !leads_alike(known->to, to))
        known = known->next;
    if (known == NULL) {
        known = VC_ARENA_NEW(plan->arena, vc_frame_move, 1);
        if (known == NULL) return vc_no_memory(error);
        vc_status status = make_frame(*frame, to, &known->frame, error);
        if (status != VC_OK) return status;
        known->to = to;
        known->next = (*frame)->moves;
        (*frame)->moves = known;
    }
    *frame = known->frame;
    axis = vc_plan_find_axis(known->frame->plan, to->dimension);
    if (axis != SIZE_MAX) groups[axis] = to->kind == VC_AT_MEMBER ? to->member.member : 0;
    return VC_OK;
}

static vc_status move_to(vc_frame **frame, const vc_member_target *target, uint32_t *groups,
                         vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t c = 0; c < target->ncoordinates && status == VC_OK; c++)
        status = move(frame, &target->coordinates[c], groups, error);
    return status;
}

/* ---- what is needed ---- */

static vc_status need_at(vc_frame *frame, const uint32_t *groups, size_t member, size_t measure,
                         const vc_expr *expr, vc_error *error)
{
    const vc_calculated *at = &frame->plan->calculated[member];
    vc_status status = vc_plan_check(frame->plan, error);
    const vc_frame *last = NULL;
    for (size_t o = 0; o < at->noperands; o++)
        for (size_t t = 0; t < at->operands[o].ntargets && status == VC_OK; t++) {
            const vc_member_target *target = &at->operands[o].targets[t];
            uint32_t moved[VC_MAX_AXES] = {0};
            vc_frame *to = frame;
            size_t dimension, inner;
            memcpy(moved, groups, frame->plan->naxes * sizeof *moved);
            status = move_to(&to, target, moved, error);
            if (status != VC_OK) break;
            inner = outermost(to, moved, &dimension);
            if (inner < VC_FIXED_SEVERAL) /* a calculated member leads to another */
                status = need_at(to, moved, inner, measure, expr, error);
            else if (to != last)
                status = expr != NULL ? vc_frame_need_expr(to, measure, expr, error)
                                      : vc_frame_need_measure(to, measure, error);
            last = to;
        }
    return status;
}

vc_status vc_calculated_need(vc_frame *frame, size_t measure, const vc_expr *expr, vc_error *error)
{
    const vc_plan *plan = frame->plan;
    vc_status status = VC_OK;
    uint32_t groups[VC_MAX_AXES] = {0};
    if (expr != NULL && vc_expr_is_late(plan, measure, expr)) return VC_OK;
    for (size_t i = 0; i < plan->naxes; i++) {
        const vc_axis *axis = &plan->axes[i];
        if (!(frame->grain->kept >> i & 1) || axis->is_shown == NULL) continue;
        for (size_t c = 0; c < axis->ncalculated && status == VC_OK; c++) {
            if (!axis->is_shown[c]) continue;
            groups[i] = axis->first_calculated + (uint32_t)c;
            status = need_at(frame, groups, axis->calculated[c], measure, expr, error);
        }
        groups[i] = 0;
    }
    for (size_t d = 0; d < plan->cube->ndimensions && status == VC_OK; d++)
        if (frame->fixed[d] > 0 && frame->fixed[d] != VC_FIXED_SEVERAL)
            status = need_at(frame, groups, frame->fixed[d] - 1, measure, expr, error);
    return status;
}

/* ---- values ---- */

struct value { /* of an operand; exact: as the measure is stored */
    vc_number number;
    bool is_exact;
    int64_t exact;
};

static struct value value_of(const vc_plan_measure *measure, const vc_cell *cell)
{
    struct value value = {.number = vc_cell_number(measure, cell)};
    value.is_exact = !cell->is_null && measure->type != VC_VALUE_FLOAT && !cell->is_float;
    if (value.is_exact) value.exact = cell->as.i;
    return value;
}

/* Where several nulls meet. */
static char stronger(char a, char b)
{
    static const char order[] = "cxugdne";
    if (a == 0 || b == 0) return a == 0 ? b : a;
    const char *x = strchr(order, a), *y = strchr(order, b);
    return y == NULL || (x != NULL && x <= y) ? a : b;
}

static vc_status read_target(vc_frame *frame, size_t measure, const vc_expr *expr,
                             const vc_member_target *target, const uint32_t *groups,
                             struct value *value_out, bool *has_facts, vc_error *error)
{
    uint32_t moved[VC_MAX_AXES] = {0};
    bool has = false;
    vc_cell cell;
    memcpy(moved, groups, frame->plan->naxes * sizeof *moved);
    vc_status status = move_to(&frame, target, moved, error);
    if (status != VC_OK) return status;
    const vc_plan_measure *of = &frame->plan->measures[measure];
    *value_out = (struct value){0};
    if (!vc_frame_is_calculated(frame, moved)) /* usually known long since */
        status = expr != NULL ? vc_frame_need_expr(frame, measure, expr, error)
                              : vc_frame_need_measure(frame, measure, error);
    if (status != VC_OK) return status;
    if (vc_frame_is_calculated(frame, moved))
        status = vc_calculated_cell(frame, measure, expr, moved, &cell, &has, error);
    else if (expr != NULL)
        return vc_frame_evaluate(frame, measure, expr, moved, &value_out->number, error);
    else if (of->expr != NULL)
        return vc_frame_read(frame, measure, moved, &value_out->number, error);
    else
        status = vc_grain_read(frame->grain, measure, moved, &cell, &has, error);
    *has_facts |= has;
    if (status == VC_OK) *value_out = value_of(of, &cell);
    return status;
}

struct tally { /* of an aggregate */
    size_t count, nexact;
    __int128 exact;
    double sum, correction, least, most;
    int64_t exact_least, exact_most;
    char mark, reason;
};

static void add_value(struct tally *tally, const struct value *value)
{
    double number = value->number.value;
    if (value->number.is_null) {
        tally->reason = stronger(tally->reason, value->number.reason);
        return;
    }
    if (tally->mark == 0) tally->mark = value->number.reason;
    if (tally->count == 0 || number < tally->least) tally->least = number;
    if (tally->count == 0 || number > tally->most) tally->most = number;
    if (tally->nexact == 0 || value->exact < tally->exact_least) tally->exact_least = value->exact;
    if (tally->nexact == 0 || value->exact > tally->exact_most) tally->exact_most = value->exact;
    vc_sum_add(&tally->sum, &tally->correction, number);
    tally->exact += value->exact;
    tally->nexact += value->is_exact;
    tally->count++;
}

static vc_status tally_value(const struct tally *tally, vc_member_aggregate how,
                             const vc_plan_measure *measure, struct value *out, vc_error *error)
{
    bool is_empty = tally->reason == 0 || tally->reason == 'e' || tally->reason == 'n';
    *out = (struct value){.number = {.reason = tally->mark}};
    if (how == VC_MEMBER_COUNT && (tally->count > 0 || is_empty)) {
        out->number = (vc_number){.value = (double)tally->count};
        return VC_OK;
    }
    if (tally->count == 0) {
        char reason = tally->reason == 0 ? (char)VC_REASON_EMPTY : tally->reason;
        out->number = (vc_number){.is_null = true, .reason = reason};
        return VC_OK;
    }
    bool is_exact = tally->nexact == tally->count && how != VC_MEMBER_AVG;
    double sum = tally->sum + tally->correction;
    out->is_exact = is_exact;
    out->number.value = how == VC_MEMBER_MIN   ? tally->least
                        : how == VC_MEMBER_MAX ? tally->most
                        : how == VC_MEMBER_AVG ? sum / (double)tally->count
                                               : sum;
    if (!isfinite(out->number.value))
        *out = (struct value){.number = {.is_null = true, .reason = VC_REASON_UNDEFINED}};
    if (!is_exact) return VC_OK;
    if (tally->exact != (int64_t)tally->exact && how == VC_MEMBER_SUM)
        return vc_measure_fail_overflow(measure, error);
    out->exact = how == VC_MEMBER_MIN   ? tally->exact_least
                 : how == VC_MEMBER_MAX ? tally->exact_most
                                        : (int64_t)tally->exact;
    return VC_OK;
}

static vc_status read_operand(vc_frame *frame, size_t measure, const vc_expr *expr,
                              const vc_member_operand *operand, const uint32_t *groups,
                              struct value *value_out, bool *has_facts, vc_error *error)
{
    struct tally tally = {0};
    if (!operand->is_aggregate)
        return read_target(frame, measure, expr, &operand->targets[0], groups, value_out, has_facts,
                           error);
    for (size_t t = 0; t < operand->ntargets; t++) {
        struct value value;
        vc_status status = read_target(frame, measure, expr, &operand->targets[t], groups, &value,
                                       has_facts, error);
        if (status != VC_OK) return status;
        add_value(&tally, &value);
    }
    return tally_value(&tally, operand->aggregate, &frame->plan->measures[measure], value_out,
                       error);
}

/* ---- exact results ---- */

struct exact { /* on the stack */
    bool is_null;
    __int128 value;
};

static bool call_exactly(const vc_expr_step *step, struct exact *arguments)
{
    bool is_coalesce = strcmp(step->function, "coalesce") == 0;
    if (!is_coalesce && strcmp(step->function, "zn") != 0) return false;
    for (size_t i = 0; i < step->narguments; i++)
        if (!arguments[i].is_null) {
            arguments[0] = arguments[i];
            return true;
        }
    if (!is_coalesce) arguments[0] = (struct exact){0};
    return true;
}

/* Run an expression that only adds and subtracts; false where it does something else. */
static bool run_exactly(const vc_expr *expr, const struct value *values, __int128 *result_out)
{
    struct exact stack[VC_EXPR_STACK_MAX];
    size_t top = 0;
    for (size_t i = 0; i < vc_expr_nsteps(expr); i++) {
        vc_expr_step step = vc_expr_get_step(expr, i);
        const struct value *value = &values[step.name];
        bool is_sum = step.op == VC_EXPR_ADD || step.op == VC_EXPR_SUBTRACT;
        if (step.op == VC_EXPR_NAME) {
            if (!value->number.is_null && !value->is_exact) return false;
            stack[top++] = (struct exact){value->number.is_null, value->exact};
        } else if (step.op == VC_EXPR_NEGATE) {
            stack[top - 1].value = -stack[top - 1].value;
        } else if (step.op == VC_EXPR_CALL) {
            top -= step.narguments;
            if (!call_exactly(&step, &stack[top++])) return false;
        } else if (is_sum) {
            struct exact *a = &stack[top - 2], *b = &stack[top - 1];
            a->value += step.op == VC_EXPR_ADD ? b->value : -b->value;
            a->is_null |= b->is_null;
            top--;
        } else {
            return false;
        }
    }
    *result_out = stack[0].value;
    return !stack[0].is_null;
}

static vc_status make_cell(const vc_plan_measure *measure, const vc_expr *expr,
                           const struct value *values, vc_number number, vc_cell *cell,
                           vc_error *error)
{
    __int128 exact;
    *cell = (vc_cell){.is_null = number.is_null, .reason = number.reason};
    if (number.is_null) return VC_OK;
    cell->as.f = number.value;
    if (measure->type == VC_VALUE_FLOAT) return VC_OK;
    cell->is_float = true;
    if (!run_exactly(expr, values, &exact)) return VC_OK;
    if (exact != (int64_t)exact) return vc_measure_fail_overflow(measure, error);
    cell->is_float = false;
    cell->as.i = (int64_t)exact;
    return VC_OK;
}

/* ---- cells ---- */

static vc_status compute(vc_frame *frame, size_t measure, const vc_expr *expr,
                         const vc_calculated *at, const uint32_t *groups, vc_cell *cell_out,
                         bool *has_facts, vc_error *error)
{
    size_t room = at->noperands + 1;
    struct value *values = calloc(room, sizeof *values);
    vc_number *numbers = calloc(room, sizeof *numbers);
    vc_status status = values == NULL || numbers == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t i = 0; i < at->noperands && status == VC_OK; i++) {
        status = read_operand(frame, measure, expr, &at->operands[i], groups, &values[i], has_facts,
                              error);
        if (status == VC_OK) numbers[i] = values[i].number;
    }
    if (status == VC_OK)
        status = make_cell(&frame->plan->measures[measure], at->expr, values,
                           vc_expr_evaluate(at->expr, numbers), cell_out, error);
    free(numbers);
    free(values);
    return status;
}

/* Is a measure, or an argument in it, computed at the member itself, from what others come to
 * there? */
static bool is_computed_last(const vc_plan *plan, size_t measure, const vc_expr *argument,
                             const vc_calculated *at)
{
    const vc_plan_measure *of = &plan->measures[measure];
    const vc_expr *own = argument != NULL ? argument : of->expr;
    if (own == NULL) return false;
    if (own == of->expr && of->solve_order != NULL &&
        *of->solve_order > at->definition->solve_order)
        return true;
    return vc_expr_is_late(plan, measure, own);
}

vc_status vc_calculated_cell(vc_frame *frame, size_t measure, const vc_expr *expr,
                             const uint32_t *groups, vc_cell *cell_out, bool *has_facts_out,
                             vc_error *error)
{
    const vc_plan_measure *of = &frame->plan->measures[measure];
    size_t dimension, found = outermost(frame, groups, &dimension);
    const vc_expr *own = expr != NULL ? expr : of->expr;
    *has_facts_out = false;
    if (found == VC_FIXED_SEVERAL) {
        *cell_out = vc_cell_null(VC_REASON_UNDEFINED);
        return VC_OK;
    }
    if (!is_computed_last(frame->plan, measure, expr, &frame->plan->calculated[found]))
        return compute(frame, measure, own == of->expr ? NULL : expr,
                       &frame->plan->calculated[found], groups, cell_out, has_facts_out, error);
    vc_number number;
    vc_status status = vc_frame_evaluate_there(frame, measure, own, groups, &number, error);
    if (status != VC_OK) return status;
    *cell_out = (vc_cell){.is_null = number.is_null, .reason = number.reason};
    if (!number.is_null) cell_out->as.f = number.value;
    return VC_OK;
}

bool vc_calculated_is_last(const vc_frame *frame, size_t measure, const uint32_t *groups)
{
    size_t dimension, found = outermost(frame, groups, &dimension);
    return found != SIZE_MAX && found != VC_FIXED_SEVERAL &&
           is_computed_last(frame->plan, measure, NULL, &frame->plan->calculated[found]);
}

const vc_calculated *vc_calculated_of_cell(const vc_frame *frame, size_t measure,
                                           const uint32_t *groups)
{
    size_t dimension, found = outermost(frame, groups, &dimension);
    if (found == SIZE_MAX || found == VC_FIXED_SEVERAL) return NULL;
    const vc_calculated *at = &frame->plan->calculated[found];
    return is_computed_last(frame->plan, measure, NULL, at) ? NULL : at;
}

vc_status vc_calculated_read(vc_frame *frame, size_t measure, const vc_member_target *target,
                             const uint32_t *groups, vc_cell *cell_out, vc_error *error)
{
    const vc_plan_measure *of = &frame->plan->measures[measure];
    struct value value;
    bool has_facts = false;
    vc_status status = read_target(frame, measure, NULL, target, groups, &value, &has_facts, error);
    if (status != VC_OK) return status;
    *cell_out = (vc_cell){.is_null = value.number.is_null, .reason = value.number.reason};
    if (value.number.is_null) return VC_OK;
    cell_out->is_float = of->type != VC_VALUE_FLOAT && !value.is_exact;
    if (value.is_exact)
        cell_out->as.i = value.exact;
    else
        cell_out->as.f = value.number.value;
    return VC_OK;
}

/* ---- leaves ---- */

vc_status vc_calculated_leaves(vc_frame *frame, const uint32_t *groups, vc_calculated_visit visit,
                               void *context, vc_error *error)
{
    size_t dimension, found = outermost(frame, groups, &dimension);
    vc_status status = VC_OK;
    if (found == VC_FIXED_SEVERAL) return VC_OK;
    if (found == SIZE_MAX) return visit(context, frame, error);
    const vc_calculated *at = &frame->plan->calculated[found];
    for (size_t o = 0; o < at->noperands; o++)
        for (size_t t = 0; t < at->operands[o].ntargets && status == VC_OK; t++) {
            uint32_t moved[VC_MAX_AXES] = {0};
            vc_frame *to = frame;
            memcpy(moved, groups, frame->plan->naxes * sizeof *moved);
            status = move_to(&to, &at->operands[o].targets[t], moved, error);
            if (status == VC_OK) status = vc_calculated_leaves(to, moved, visit, context, error);
        }
    return status;
}
