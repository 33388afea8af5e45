/* What functions over members come to, at cells of frames: see frame.h.
 *
 * Windows (running, moving_avg, rank) and agg_over are computed for a *line* at once: all groups of
 * the dimension, with the other axes at the cell's groups. A line and what calculated measures come
 * to at other cells is remembered, so that it is computed once, whoever looks at it.
 */
#include "slice/calculated.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static vc_number null_number(char reason)
{
    return (vc_number){.is_null = true, .reason = reason};
}

/* ---- the memo of a frame ---- */

static uint64_t key_of(const vc_frame *frame, const uint32_t *groups)
{
    uint64_t key = 0;
    for (size_t i = 0; i < frame->plan->naxes; i++)
        key += groups[i] * frame->strides[i];
    return key;
}

static vc_memo_entry *probe(const vc_frame *frame, uint64_t key, uint32_t tag)
{
    uint64_t hash = (key ^ (uint64_t)tag << 48) * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(hash >> 20) & (frame->memo_size - 1);
    while (frame->memo[at].is_used && (frame->memo[at].key != key || frame->memo[at].tag != tag))
        at = (at + 1) & (frame->memo_size - 1);
    return &frame->memo[at];
}

static const vc_memo_entry *recall(const vc_frame *frame, uint64_t key, uint32_t tag)
{
    if (frame->memo_size == 0) return NULL;
    const vc_memo_entry *entry = probe(frame, key, tag);
    return entry->is_used ? entry : NULL;
}

static vc_status remember(vc_frame *frame, vc_memo_entry found, vc_error *error)
{
    if (2 * (frame->nmemo + 1) > frame->memo_size) {
        vc_memo_entry *old = frame->memo;
        size_t size = frame->memo_size;
        vc_memo_entry *memo =
            VC_ARENA_NEW(frame->plan->arena, vc_memo_entry, size == 0 ? 64 : 2 * size);
        if (memo == NULL) return vc_no_memory(error);
        frame->memo = memo;
        frame->memo_size = size == 0 ? 64 : 2 * size;
        for (size_t i = 0; i < size; i++)
            if (old[i].is_used) *probe(frame, old[i].key, old[i].tag) = old[i];
    }
    found.is_used = true;
    *probe(frame, found.key, found.tag) = found;
    frame->nmemo++;
    return VC_OK;
}

/* ---- values at other cells ---- */

/* What is looked into is bounded: for each call as many cells as an answer may have. */
static vc_status count_cells(const vc_frame *frame, uint64_t ncells, vc_error *error)
{
    vc_plan *root = frame->plan->root;
    uint64_t max = root->options->limits.max_cells, before = root->nlooked;
    root->nlooked += ncells;
    if (root->nlooked / (root->ncalls + root->ntargets + 1) > max)
        return vc_fail(error, VC_LIMIT, "limit_cells",
                       "functions over members look into more than %llu cells each; drill fewer "
                       "dimensions or cut more",
                       (unsigned long long)max);
    return root->nlooked >> 12 != before >> 12 ? vc_plan_check(root, error) : VC_OK;
}

static bool is_count(const vc_cube_measure *measure)
{
    return measure->aggregator == VC_AGG_COUNT || measure->aggregator == VC_AGG_COUNT_DISTINCT;
}

vc_status vc_frame_read(vc_frame *frame, size_t number, const uint32_t *groups,
                        vc_number *value_out, vc_error *error)
{
    const vc_plan_measure *measure = &frame->plan->measures[number];
    vc_status status;
    if (measure->expr == NULL) {
        vc_cell cell;
        bool has_facts;
        if (vc_frame_is_calculated(frame, groups))
            status = vc_calculated_cell(frame, number, NULL, groups, &cell, &has_facts, error);
        else
            status = vc_grain_read(frame->grain, number, groups, &cell, &has_facts, error);
        if (status == VC_OK && !cell.is_null && !has_facts && is_count(measure->measure))
            *value_out = null_number(VC_REASON_EMPTY);
        else if (status == VC_OK)
            *value_out = vc_cell_number(measure, &cell);
        return status;
    }
    vc_memo_entry found = {.key = key_of(frame, groups), .tag = 2 * (uint32_t)number};
    const vc_memo_entry *known = recall(frame, found.key, found.tag);
    if (known != NULL) {
        *value_out = known->number;
        return VC_OK;
    }
    status = vc_frame_evaluate(frame, number, measure->expr, groups, &found.number, error);
    if (status != VC_OK) return status;
    *value_out = found.number;
    return remember(frame, found, error);
}

static vc_status fill_values(vc_frame *frame, size_t number, const vc_expr *expr,
                             const uint32_t *groups, vc_number *values, vc_error *error)
{
    const vc_plan_measure *measure = &frame->plan->measures[number];
    size_t nnames, ncalls;
    const size_t *names = vc_expr_used_names(expr, &nnames);
    const size_t *calls = vc_expr_used_calls(expr, &ncalls);
    vc_status status = VC_OK;
    for (size_t i = 0; i < nnames && status == VC_OK; i++)
        status =
            vc_frame_read(frame, measure->operands[names[i]], groups, &values[names[i]], error);
    for (size_t i = 0; i < ncalls && status == VC_OK; i++)
        status = vc_frame_call(frame, number, calls[i], groups, NULL,
                               &values[measure->noperands + calls[i]], error);
    return status;
}

vc_status vc_frame_evaluate_there(vc_frame *frame, size_t measure, const vc_expr *expr,
                                  const uint32_t *groups, vc_number *value_out, vc_error *error)
{
    vc_number few[VC_FEW_NUMBERS];
    vc_status status = count_cells(frame, 1, error);
    if (status != VC_OK) return status;
    vc_number *values = vc_numbers_borrow(&frame->plan->measures[measure], expr, few, error);
    if (values == NULL) return VC_NO_MEMORY;
    status = fill_values(frame, measure, expr, groups, values, error);
    if (status == VC_OK) *value_out = vc_expr_evaluate(expr, values);
    if (values != few) free(values);
    return status;
}

/* An expression at a cell that is not the row at hand. */
vc_status vc_frame_evaluate(vc_frame *frame, size_t measure, const vc_expr *expr,
                            const uint32_t *groups, vc_number *value_out, vc_error *error)
{
    vc_cell cell;
    bool has_facts;
    if (!vc_frame_is_calculated(frame, groups))
        return vc_frame_evaluate_there(frame, measure, expr, groups, value_out, error);
    vc_status status = vc_calculated_cell(frame, measure, expr, groups, &cell, &has_facts, error);
    if (status == VC_OK) *value_out = vc_cell_number(&frame->plan->measures[measure], &cell);
    return status;
}

/* The argument of a call at the cell itself. */
static vc_status evaluate_own(vc_frame *frame, const vc_link *link, const uint32_t *groups,
                              vc_row_at *row, vc_number *value_out, vc_error *error)
{
    return row != NULL ? vc_row_evaluate(row, link->measure, link->call->argument, value_out, error)
                       : vc_frame_evaluate(frame, link->measure, link->call->argument, groups,
                                           value_out, error);
}

/* The argument in another frame, with an axis at a group; VC_NONE: it is rolled up there. */
static vc_status evaluate_at(const vc_link *link, vc_frame *other, size_t axis, uint32_t group,
                             const uint32_t *groups, size_t naxes, vc_number *value_out,
                             vc_error *error)
{
    uint32_t moved[VC_MAX_AXES] = {0};
    memcpy(moved, groups, naxes * sizeof *moved);
    moved[axis] = group == VC_NONE ? 0 : group;
    return vc_frame_evaluate(other, link->measure, link->call->argument, moved, value_out, error);
}

/* ---- parent, share, previous, growth ---- */

/* A mark of either operand stays beside the value, that of the left one first. */
static vc_number divide(vc_number a, vc_number b)
{
    if (a.is_null) return a;
    if (b.is_null) return b;
    double value = a.value / b.value;
    if (!isfinite(value)) return null_number(VC_REASON_UNDEFINED);
    return (vc_number){.value = value, .reason = a.reason != 0 ? a.reason : b.reason};
}

static vc_status read_parent(const vc_frame *frame, const vc_link *link, const uint32_t *groups,
                             vc_number *value_out, vc_error *error)
{
    uint32_t group = groups[link->axis];
    return evaluate_at(link, link->parents[group], link->axis, link->targets[group], groups,
                       frame->plan->naxes, value_out, error);
}

static vc_status run_share(vc_frame *frame, const vc_link *link, const uint32_t *groups,
                           vc_row_at *row, vc_number *value_out, vc_error *error)
{
    vc_number own, parent;
    vc_status status = evaluate_own(frame, link, groups, row, &own, error);
    parent = own; /* All is the whole of itself */
    if (status == VC_OK && link->axis != SIZE_MAX)
        status = read_parent(frame, link, groups, &parent, error);
    if (status == VC_OK) *value_out = divide(own, parent);
    return status;
}

static vc_status read_previous(const vc_frame *frame, const vc_link *link, const uint32_t *groups,
                               vc_number *value_out, vc_error *error)
{
    uint32_t before = link->targets[link->axis == SIZE_MAX ? 0 : groups[link->axis]];
    *value_out = null_number(VC_REASON_EMPTY);
    if (before == VC_NONE) return VC_OK;
    return evaluate_at(link, link->other, link->other_axis, before, groups, frame->plan->naxes,
                       value_out, error);
}

static vc_status run_growth(vc_frame *frame, const vc_link *link, const uint32_t *groups,
                            vc_row_at *row, vc_number *value_out, vc_error *error)
{
    vc_number own, before;
    vc_status status = evaluate_own(frame, link, groups, row, &own, error);
    if (status == VC_OK) status = read_previous(frame, link, groups, &before, error);
    if (status != VC_OK) return status;
    vc_number difference = own;
    if (!own.is_null && !before.is_null) difference.value = own.value - before.value;
    *value_out = divide(difference, before);
    return VC_OK;
}

/* ---- windows over a line ---- */

/* The numbers that were met so far: their sum, and the first mark among them. */
struct window {
    double sum, correction;
    size_t count;
    char mark;
};

static void add_number(struct window *window, vc_number number)
{
    if (number.is_null) return;
    vc_sum_add(&window->sum, &window->correction, number.value);
    if (window->mark == 0) window->mark = number.reason;
    window->count++;
}

/* own: what a window without numbers is null like. */
static vc_number window_value(const struct window *window, size_t divisor, vc_number own)
{
    if (window->count == 0) return own;
    double value = (window->sum + window->correction) / (double)divisor;
    if (!isfinite(value)) return null_number(VC_REASON_UNDEFINED);
    return (vc_number){.value = value, .reason = window->mark};
}

/* A line of an axis: numbers of the groups from the first visible one; what is cut away is null. */
struct line {
    const vc_axis *axis;
    const vc_number *numbers;
};

static vc_number line_at(const struct line *line, uint32_t group)
{
    uint32_t place = group - line->axis->first_visible;
    return place < line->axis->end_visible - line->axis->first_visible
               ? line->numbers[place]
               : null_number(VC_REASON_EMPTY);
}

/* The sum of a window begins anew where another one does; the members of one lie together, except
 * that windows of buckets stand behind all. */
static void run_running(const vc_link *link, const struct line *line, vc_number *results)
{
    const vc_axis *axis = line->axis;
    struct window window = {0};
    uint32_t last = VC_NONE;
    for (uint32_t group = axis->first_visible; group < axis->end_visible; group++) {
        if (!vc_bit_get(axis->visible, group)) continue;
        if (link->targets[group] != last) window = (struct window){0};
        last = link->targets[group];
        vc_number own = line_at(line, group);
        add_number(&window, own);
        results[group - axis->first_visible] = window_value(&window, 1, own);
    }
}

static void run_moving(const vc_link *link, const struct line *line, vc_number *results)
{
    const vc_axis *axis = line->axis;
    for (uint32_t group = axis->first_visible; group < axis->end_visible; group++) {
        if (!vc_bit_get(axis->visible, group)) continue;
        struct window window = {0};
        uint32_t place = link->targets[group];
        uint32_t first = place + 1 > link->call->count ? place + 1 - link->call->count : 0;
        for (uint32_t p = first; p <= place; p++)
            add_number(&window, line_at(line, link->order[p]));
        results[group - axis->first_visible] =
            window_value(&window, window.count, line_at(line, group));
    }
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One more than there are larger ones. */
static vc_status run_rank(const struct line *line, vc_number *results, vc_error *error)
{
    uint32_t span = line->axis->end_visible - line->axis->first_visible;
    double *sorted = malloc((span + 1) * sizeof *sorted);
    size_t count = 0;
    if (sorted == NULL) return vc_no_memory(error);
    for (uint32_t i = 0; i < span; i++)
        if (!line->numbers[i].is_null) sorted[count++] = line->numbers[i].value;
    qsort(sorted, count, sizeof *sorted, compare_doubles);
    for (uint32_t i = 0; i < span; i++) {
        results[i] = line->numbers[i];
        if (results[i].is_null) continue;
        size_t low = 0, high = count; /* where the larger ones begin */
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (sorted[middle] > results[i].value)
                high = middle;
            else
                low = middle + 1;
        }
        results[i].value = (double)(count - low + 1);
    }
    free(sorted);
    return VC_OK;
}

/* ---- agg_over ---- */

struct aggregate {
    struct window window;
    double least, most;
    char reason; /* of nulls: the strongest */
};

/* Where several nulls meet. */
static char stronger(char a, char b)
{
    static const char order[] = "cxugdne";
    if (a == 0 || b == 0) return a == 0 ? b : a;
    const char *x = strchr(order, a), *y = strchr(order, b);
    return y == NULL || (x != NULL && x <= y) ? a : b;
}

static void add_aggregate(struct aggregate *aggregate, vc_number number)
{
    if (number.is_null) {
        aggregate->reason = stronger(aggregate->reason, number.reason);
        return;
    }
    bool is_first = aggregate->window.count == 0;
    add_number(&aggregate->window, number);
    if (is_first || number.value < aggregate->least) aggregate->least = number.value;
    if (is_first || number.value > aggregate->most) aggregate->most = number.value;
}

static vc_number aggregate_value(const struct aggregate *of, vc_member_aggregate how)
{
    vc_number none = null_number(of->reason == 0 ? VC_REASON_EMPTY : of->reason);
    bool is_empty = none.reason == VC_REASON_EMPTY || none.reason == VC_REASON_NULL;
    vc_number value = {.reason = of->window.mark};
    if (how == VC_MEMBER_COUNT && (of->window.count > 0 || is_empty)) {
        value = (vc_number){.value = (double)of->window.count};
        return value;
    }
    if (of->window.count == 0) return none;
    switch (how) {
    case VC_MEMBER_AVG: return window_value(&of->window, of->window.count, none);
    case VC_MEMBER_MIN: value.value = of->least; return value;
    case VC_MEMBER_MAX: value.value = of->most; return value;
    default: return window_value(&of->window, 1, none);
    }
}

/* results: of the groups of the frame's axis from the first visible one; a single one where the
 * dimension is rolled up. */
static vc_status run_aggregate(vc_frame *frame, const vc_link *link, const uint32_t *groups,
                               size_t nresults, vc_number *results, vc_error *error)
{
    uint32_t first = link->axis == SIZE_MAX ? 0 : frame->plan->axes[link->axis].first_visible;
    struct aggregate *found = calloc(nresults + 1, sizeof *found);
    vc_status status = found == NULL ? vc_no_memory(error) : VC_OK;
    if (status == VC_OK && link->other != NULL) {
        const vc_axis *lower = &link->other->plan->axes[link->other_axis];
        uint32_t moved[VC_MAX_AXES] = {0};
        memcpy(moved, groups, frame->plan->naxes * sizeof *moved);
        for (uint32_t group = lower->first_visible; group < lower->end_visible; group++) {
            vc_number number;
            if (!vc_bit_get(lower->visible, group)) continue;
            moved[link->other_axis] = group;
            status = vc_frame_evaluate(link->other, link->measure, link->call->argument, moved,
                                       &number, error);
            if (status != VC_OK) break;
            uint32_t place = link->targets[group] - first;
            if (place < nresults) add_aggregate(&found[place], number); /* else: hidden */
        }
    }
    for (size_t i = 0; i < nresults && status == VC_OK; i++)
        results[i] = aggregate_value(&found[i], link->call->aggregate);
    free(found);
    return status;
}

/* ---- lines ---- */

static vc_status read_line(vc_frame *frame, const vc_link *link, const uint32_t *groups,
                           size_t span, vc_number **numbers_out, vc_error *error)
{
    const vc_axis *axis = &frame->plan->axes[link->axis];
    uint32_t moved[VC_MAX_AXES] = {0};
    vc_number *numbers = malloc((span + 1) * sizeof *numbers);
    if (numbers == NULL) return vc_no_memory(error);
    memcpy(moved, groups, frame->plan->naxes * sizeof *moved);
    vc_status status = VC_OK;
    for (uint32_t group = axis->first_visible; group < axis->end_visible && status == VC_OK;
         group++) {
        vc_number *number = &numbers[group - axis->first_visible];
        *number = null_number(VC_REASON_EMPTY);
        moved[link->axis] = group;
        if (vc_bit_get(axis->visible, group))
            status =
                vc_frame_evaluate(frame, link->measure, link->call->argument, moved, number, error);
    }
    if (status == VC_OK)
        *numbers_out = numbers;
    else
        free(numbers);
    return status;
}

static vc_status run_line(vc_frame *frame, const vc_link *link, const uint32_t *groups, size_t span,
                          vc_number *results, vc_error *error)
{
    vc_number *numbers = NULL;
    if (link->call->function == VC_MEMBER_AGG_OVER)
        return run_aggregate(frame, link, groups, span, results, error);
    vc_status status = read_line(frame, link, groups, span, &numbers, error);
    if (status != VC_OK) return status;
    struct line line = {.axis = &frame->plan->axes[link->axis], .numbers = numbers};
    if (link->call->function == VC_MEMBER_RUNNING)
        run_running(link, &line, results);
    else if (link->call->function == VC_MEMBER_MOVING_AVG)
        run_moving(link, &line, results);
    else
        status = run_rank(&line, results, error);
    free(numbers);
    return status;
}

/* A function of a whole line, at one of its groups. */
static vc_status read_from_line(vc_frame *frame, const vc_link *link, uint32_t number,
                                const uint32_t *groups, vc_number *value_out, vc_error *error)
{
    uint32_t moved[VC_MAX_AXES] = {0}, place = 0;
    size_t span = 1;
    memcpy(moved, groups, frame->plan->naxes * sizeof *moved);
    if (link->axis != SIZE_MAX) {
        const vc_axis *axis = &frame->plan->axes[link->axis];
        span = axis->end_visible - axis->first_visible;
        place = groups[link->axis] - axis->first_visible;
        moved[link->axis] = 0;
    }
    vc_memo_entry found = {.key = key_of(frame, moved), .tag = 2 * number + 1};
    const vc_memo_entry *known = recall(frame, found.key, found.tag);
    if (known == NULL) {
        vc_status status = count_cells(frame, span, error);
        if (status != VC_OK) return status;
        vc_number *results = VC_ARENA_NEW(frame->plan->arena, vc_number, span + 1);
        if (results == NULL) return vc_no_memory(error);
        status = run_line(frame, link, moved, span, results, error);
        found.line = results;
        if (status == VC_OK) status = remember(frame, found, error);
        if (status != VC_OK) return status;
        known = &found;
    }
    *value_out = place < span ? known->line[place] : null_number(VC_REASON_EMPTY);
    return VC_OK;
}

/* Along the dimension of a calculated member: it has a parent, but no place among the members, and
 * nothing is below it. */
static vc_status call_at_calculated(vc_frame *frame, const vc_link *link, const uint32_t *groups,
                                    vc_number *value_out, vc_error *error)
{
    *value_out = null_number(link->is_foreign ? VC_REASON_GRAIN : VC_REASON_EMPTY);
    if (link->is_foreign) return VC_OK;
    switch (link->call->function) {
    case VC_MEMBER_PARENT: return read_parent(frame, link, groups, value_out, error);
    case VC_MEMBER_SHARE: return run_share(frame, link, groups, NULL, value_out, error);
    case VC_MEMBER_AGG_OVER:
        if (link->call->aggregate == VC_MEMBER_COUNT) *value_out = (vc_number){0};
        return VC_OK;
    default: return VC_OK;
    }
}

vc_status vc_frame_call(vc_frame *frame, size_t measure, size_t call, const uint32_t *groups,
                        vc_row_at *row, vc_number *value_out, vc_error *error)
{
    size_t number = frame->plan->measures[measure].first_call + call;
    const vc_link *link = frame->links[number];
    bool is_all = link->axis == SIZE_MAX;
    vc_status status;
    if (!is_all &&
        vc_axis_calculated(&frame->plan->axes[link->axis], groups[link->axis]) != SIZE_MAX)
        return call_at_calculated(frame, link, groups, value_out, error);
    if (link->is_foreign) {
        *value_out = null_number(VC_REASON_GRAIN);
        return VC_OK;
    }
    switch (link->call->function) {
    case VC_MEMBER_PARENT:
        *value_out = null_number(VC_REASON_EMPTY);
        return is_all ? VC_OK : read_parent(frame, link, groups, value_out, error);
    case VC_MEMBER_SHARE: return run_share(frame, link, groups, row, value_out, error);
    case VC_MEMBER_PREVIOUS: return read_previous(frame, link, groups, value_out, error);
    case VC_MEMBER_GROWTH: return run_growth(frame, link, groups, row, value_out, error);
    case VC_MEMBER_RUNNING:
    case VC_MEMBER_MOVING_AVG:
    case VC_MEMBER_RANK:
        if (!is_all) break;
        status = evaluate_own(frame, link, groups, row, value_out, error);
        if (link->call->function == VC_MEMBER_RANK && !value_out->is_null) value_out->value = 1;
        return status;
    case VC_MEMBER_AGG_OVER: break;
    }
    return read_from_line(frame, link, (uint32_t)number, groups, value_out, error);
}
