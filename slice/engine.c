/* The whole of a query: plan, rows of each grouping, shape, and the result that all of it becomes.
 */
#include "slice/engine.h"

#include "base/memory.h"
#include "slice/answer.h"
#include "slice/narrow.h"
#include "slice/other.h"

#include <string.h>
/* ---- rows ---- */

static vc_status total_mask(const vc_plan *plan, const vc_total *total, uint32_t *mask_out,
                            vc_error *error)
{
    *mask_out = 0;
    for (size_t i = 0; i < total->ndimensions; i++) {
        size_t axis = 0;
        while (axis < plan->naxes && !vc_axis_is_named(&plan->axes[axis], total->dimensions[i]))
            axis++;
        if (axis == plan->naxes) {
            vc_status status =
                vc_fail(error, VC_NOT_FOUND, "unknown_dimension",
                        "totals name '%.*s', which is not drilled", VC_FMT(total->dimensions[i]));
            return vc_error_at_place(error, status, total->place);
        }
        *mask_out |= 1u << axis;
    }
    return VC_OK;
}

static vc_status compute_totals(vc_answering *in, vc_error *error)
{
    vc_plan *plan = in->plan;
    vc_status status = VC_OK;
    for (size_t i = 0; i < plan->query->ntotals && status == VC_OK; i++) {
        uint32_t mask;
        status = total_mask(plan, &plan->query->totals[i], &mask, error);
        if (status == VC_OK && mask == 0)
            in->totals[i] = in->summary;
        else if (status == VC_OK)
            status = vc_stitch(plan, mask, true, in->detail, &in->totals[i], error);
    }
    return status;
}

/* Totals of what limit, top and having leave: of the facts of the combinations that are shown. */
static vc_status compute_visible_totals(vc_answering *in, vc_error *error)
{
    vc_plan *plan = in->plan;
    const vc_query *query = plan->query;
    vc_status status = VC_OK;
    size_t naxes = plan->naxes;
    if (in->is_whole || naxes == 0) return compute_totals(in, error);
    for (size_t d = 0; d < plan->cube->ndimensions; d++)
        if (plan->selections[d].is_calculated)
            return vc_fail(error, VC_IMPOSSIBLE, "not_exact",
                           "totals of the visible rows, of calculated members of '%.*s' alone",
                           VC_FMT(plan->cube->dimensions[d].name));
    uint32_t *groups = vc_arena_alloc(plan->arena, (in->nshown * naxes + 1) * sizeof *groups);
    if (groups == NULL) return vc_no_memory(error);
    size_t nordinary = 0;
    for (size_t i = 0; i < in->nshown; i++) {
        bool is_calculated = false;
        if ((status = vc_plan_look(plan, i, error)) != VC_OK) return status;
        for (size_t axis = 0; axis < naxes; axis++) {
            uint32_t group = vc_rows_group(plan, in->detail, in->detail->keys[in->order[i]], axis);
            groups[nordinary * naxes + axis] = group;
            is_calculated |= vc_axis_calculated(&plan->axes[axis], group) != SIZE_MAX;
        }
        nordinary += !is_calculated;
    }
    for (size_t i = 0; i < query->ntotals && status == VC_OK; i++) {
        vc_narrowing narrowing = {.axes = in->detail->kept,
                                  .groups = groups,
                                  .count = nordinary,
                                  .cut_axis = SIZE_MAX,
                                  .place = query->totals[i].place};
        vc_plan *narrowed;
        status = total_mask(plan, &query->totals[i], &narrowing.kept, error);
        if (status == VC_OK) status = vc_plan_narrow(plan, &narrowing, &narrowed, error);
        if (status == VC_OK)
            status = vc_stitch(narrowed, narrowing.kept, true, NULL, &in->totals[i], error);
    }
    return status;
}

/* What a top's row of others would read, at most. */
static vc_status explain_others(vc_answering *in, const vc_top *top, vc_error *error)
{
    vc_plan *plan = in->plan;
    vc_rows *others;
    for (size_t axis = 0; axis < plan->naxes && top->has_other; axis++)
        if (vc_str_equal(plan->axes[axis].ref.dimension, top->dimension))
            return vc_stitch(plan, in->detail->kept & ~(1u << axis), true, NULL, &others, error);
    return VC_OK;
}

static vc_status make_room_for_totals(vc_answering *in, vc_error *error)
{
    in->ntotals = in->plan->query->ntotals;
    in->totals = VC_ARENA_NEW(in->arena, vc_rows *, in->ntotals + 1);
    return in->totals == NULL ? vc_no_memory(error) : VC_OK;
}

vc_status vc_answer_totals_alone(vc_answering *in, vc_error *error)
{
    vc_status status = make_room_for_totals(in, error);
    if (status == VC_OK) status = vc_stitch(in->plan, 0, true, NULL, &in->summary, error);
    return status == VC_OK ? compute_totals(in, error) : status;
}

static vc_status compute_rows(vc_answering *in, vc_error *error)
{
    vc_plan *plan = in->plan;
    const vc_query *query = plan->query;
    uint32_t all = plan->naxes == 0 ? 0 : (uint32_t)((1u << plan->naxes) - 1);
    vc_status status = make_room_for_totals(in, error);
    if (status == VC_OK) status = vc_stitch(plan, all, query->is_sparse, NULL, &in->detail, error);
    if (status == VC_OK && all == 0)
        in->summary = in->detail;
    else if (status == VC_OK)
        status = vc_stitch(plan, 0, true, in->detail, &in->summary, error);
    for (size_t i = 0; i < query->ntops && status == VC_OK && plan->is_dry; i++)
        status = explain_others(in, &query->tops[i], error);
    if (status == VC_OK && query->totals_visible && !plan->is_dry) return VC_OK;
    return status == VC_OK ? compute_totals(in, error) : status;
}

/* Without sparse: `nonempty` names dimensions whose members without any value are left out. */
static vc_status drop_empty(vc_answering *in, vc_error *error)
{
    vc_plan *plan = in->plan;
    const vc_query *query = plan->query;
    vc_rows *rows = in->detail;
    vc_status status;
    for (size_t i = 0; i < query->nnonempty; i++) {
        size_t axis = 0;
        while (axis < plan->naxes && !vc_axis_is_named(&plan->axes[axis], query->nonempty[i].name))
            axis++;
        if (axis == plan->naxes) {
            status = vc_fail(error, VC_NOT_FOUND, "unknown_dimension",
                             "nonempty names '%.*s', which is not drilled",
                             VC_FMT(query->nonempty[i].name));
            return vc_error_at_place(error, status, query->nonempty[i].place);
        }
        uint64_t *has =
            VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(plan->axes[axis].ngroups) + 1);
        if (has == NULL) return vc_no_memory(error);
        for (size_t row = 0; row < rows->nrows; row++) {
            if ((status = vc_plan_look(plan, row, error)) != VC_OK) return status;
            if (vc_row_has_value(plan, &rows->cells[row * plan->nmeasures]))
                vc_bit_set(has, vc_rows_group(plan, rows, rows->keys[row], axis));
        }
        size_t kept = 0;
        for (size_t row = 0; row < rows->nrows; row++) {
            if ((status = vc_plan_look(plan, row, error)) != VC_OK) return status;
            if (!vc_bit_get(has, vc_rows_group(plan, rows, rows->keys[row], axis))) continue;
            rows->keys[kept] = rows->keys[row];
            memmove(&rows->cells[kept * plan->nmeasures], &rows->cells[row * plan->nmeasures],
                    plan->nmeasures * sizeof *rows->cells);
            kept++;
        }
        rows->hides_facts |= kept < rows->nrows;
        rows->nrows = kept;
    }
    return VC_OK;
}

static bool has_other(const vc_query *query)
{
    for (size_t i = 0; i < query->ntops; i++)
        if (query->tops[i].has_other) return true;
    return false;
}

/* Are there leaves that stand at no member of a drilled level, and so in no row? */
static bool is_ragged(const vc_plan *plan)
{
    bool is = false;
    for (size_t i = 0; i < plan->naxes; i++)
        is |= plan->axes[i].stored->is_ragged;
    return is;
}

static vc_status shape_rows(vc_answering *in, vc_error *error)
{
    const vc_query *query = in->plan->query;
    vc_status status = drop_empty(in, error);
    if (status != VC_OK) return status;
    size_t nrows = in->detail->nrows, nothers = 0;
    status = vc_shape(in->plan, &in->detail, &in->order, &in->nfound, error);
    if (status != VC_OK) return status;
    uint64_t offset = query->offset < in->nfound ? query->offset : in->nfound;
    uint64_t left = in->nfound - offset;
    in->order += offset;
    in->nshown = query->limit < left ? (size_t)query->limit : (size_t)left;
    for (size_t i = 0; i < in->nshown; i++) {
        if ((status = vc_plan_look(in->plan, i, error)) != VC_OK) return status;
        nothers += vc_row_is_other(in->plan, in->detail, in->order[i]);
    }
    in->is_whole = in->nshown == in->nfound && in->nfound - nothers == nrows &&
                   !in->detail->hides_facts && !is_ragged(in->plan);
    if (has_other(query)) in->is_whole = in->nshown == in->nfound && query->nhavings == 0;
    if (!query->totals_visible) return VC_OK;
    if (nothers > 0 && !in->is_whole)
        return vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                       "totals of the visible rows, when they show the others of a top and having "
                       "or limit leaves rows out");
    return compute_visible_totals(in, error);
}

/* ---- the whole ---- */

vc_engine_options vc_engine_defaults(const vc_engine_options *options)
{
    vc_engine_options filled = options == NULL ? (vc_engine_options){0} : *options;
    if (filled.limits.max_cells == 0) filled.limits.max_cells = 5000000;
    if (filled.limits.max_time_ms == 0) filled.limits.max_time_ms = 30000;
    if (filled.limits.max_memory_bytes == 0) filled.limits.max_memory_bytes = VC_DEFAULT_MAX_MEMORY;
    return filled;
}

static vc_status fill_options(const vc_engine_options *options, const vc_query *query,
                              vc_engine_options *filled_out, vc_error *error)
{
    *filled_out = vc_engine_defaults(options);
    for (size_t i = 0; i < query->ntops; i++)
        if (query->tops[i].has_other && query->ntops > 1) {
            vc_status status = vc_fail(error, VC_IMPOSSIBLE, "unsupported",
                                       "a top that shows the others does not go with another top");
            return vc_error_at_place(error, status, query->tops[i].place);
        }
    return VC_OK;
}

static void release_rows(const vc_answering *in)
{
    if (in->plan == NULL) return;
    vc_frames_release(in->plan);
    vc_rows_release(in->detail);
    vc_rows_release(in->summary);
    for (size_t i = 0; i < in->ntotals && in->totals != NULL; i++)
        vc_rows_release(in->totals[i]);
}

vc_status vc_engine_explain(vc_model *model, const vc_query *query,
                            const vc_engine_options *options, vc_arena *arena,
                            const vc_explain **explain_out, vc_error *error)
{
    vc_engine_options filled;
    vc_answering in = {.arena = arena};
    vc_status status = fill_options(options, query, &filled, error);
    uint64_t begin = vc_plan_now();
    if (status == VC_OK) status = vc_plan_make(model, query, &filled, arena, &in.plan, error);
    if (status != VC_OK) return status;
    in.plan->is_dry = true;
    status = vc_answer_find_properties(&in, error);
    if (status == VC_OK) status = vc_plan_explain(in.plan, error);
    if (status == VC_OK) status = compute_rows(&in, error);
    release_rows(&in);
    if (status != VC_OK) return status;
    in.plan->explain->ns.plan = in.plan->explain->ns.total = vc_plan_now() - begin;
    *explain_out = in.plan->explain;
    return VC_OK;
}

/* Where the time went: what is not scanning is planning, stitching or shaping. */
static void tell_times(const vc_answering *in, uint64_t begin, uint64_t planned, uint64_t computed)
{
    vc_explain *explain = in->plan->explain;
    if (explain == NULL) return;
    explain->ns.plan = planned - begin;
    explain->ns.scan = in->plan->scan_ns;
    explain->ns.stitch = computed - planned - in->plan->scan_ns;
    explain->ns.shape = vc_plan_now() - computed;
    explain->ns.total = vc_plan_now() - begin;
    in->result->explain = explain;
}

static vc_status answer(vc_answering *in, uint64_t begin, vc_error *error)
{
    uint64_t planned = vc_plan_now();
    vc_status status = vc_answer_find_properties(in, error);
    if (status == VC_OK && in->plan->query->wants_explain)
        status = vc_plan_explain(in->plan, error);
    if (status == VC_OK) status = compute_rows(in, error);
    uint64_t computed = vc_plan_now();
    if (status == VC_OK) status = shape_rows(in, error);
    if (status == VC_OK) status = vc_answer_axes(in, error);
    if (status == VC_OK) status = vc_answer_table(in, error);
    if (status == VC_OK) status = vc_answer_check_properties(in, error);
    if (status == VC_OK) status = vc_answer_notices(in, error);
    if (status == VC_OK && in->plan->cube->is_virtual) status = vc_answer_coverage(in, error);
    if (status == VC_OK) tell_times(in, begin, planned, computed);
    return status;
}

static vc_status start(vc_answering *in, vc_model *model, const vc_query *query,
                       const vc_engine_options *options, vc_arena *arena, vc_error *error)
{
    *in = (vc_answering){.arena = arena, .result = VC_ARENA_NEW(arena, vc_result, 1)};
    if (in->result == NULL) return vc_no_memory(error);
    vc_status status = vc_plan_make(model, query, options, arena, &in->plan, error);
    if (status != VC_OK) return status;
    in->result->cube = in->plan->cube->name;
    in->result->is_virtual = in->plan->cube->is_virtual;
    in->result->definition_hash = in->plan->cube->definition_hash;
    in->result->snapshot = vc_str_of(vc_snapshot_id(vc_model_snapshot(model)));
    return VC_OK;
}

/* Rows that may be many can still turn out to be few, of which a scan is enough: it stops where
 * they are many. *is_done_out: they were few, or something else was wrong. */
static vc_status try_as_few(vc_answering *in, uint64_t begin, bool *is_done_out, vc_error *error)
{
    vc_arena arena = {0};
    vc_answering few;
    vc_plan *plan = in->plan;
    vc_engine_options options = *plan->options;
    uint64_t most = VC_PIECES_FROM_ROWS;
    *is_done_out = false;
    if (options.limits.max_cells / plan->nasked <= most) return VC_OK;
    options.limits.max_cells = most * plan->nasked;
    vc_status status = start(&few, plan->model, plan->query, &options, &arena, error);
    if (status == VC_OK) {
        few.plan->nfacts_expected = most;
        status = answer(&few, begin, error);
    }
    release_rows(&few);
    *is_done_out = status != VC_LIMIT;
    if (status != VC_OK) {
        vc_arena_release(&arena);
        vc_memory_give_back(); /* before the pieces take theirs, on other threads */
        return *is_done_out ? status : VC_OK;
    }
    vc_arena_adopt(in->arena, &arena);
    in->result = few.result;
    return VC_OK;
}

static vc_status run(vc_answering *in, const vc_pieces *pieces, uint64_t begin, vc_error *error)
{
    bool is_done = false;
    if (pieces == NULL || !vc_answer_has_pieces(in, pieces)) return answer(in, begin, error);
    vc_status status = VC_OK;
    if (pieces->piece_rows == 0) status = try_as_few(in, begin, &is_done, error);
    return status != VC_OK || is_done ? status : vc_answer_in_pieces(in, pieces, error);
}

vc_status vc_engine_run_in_pieces(vc_model *model, const vc_query *query,
                                  const vc_engine_options *options, const vc_pieces *pieces,
                                  vc_arena *arena, const vc_result **result_out, vc_error *error)
{
    vc_engine_options filled;
    uint64_t begin = vc_plan_now();
    vc_answering in = {0};
    vc_status status = fill_options(options, query, &filled, error);
    if (status == VC_OK) status = start(&in, model, query, &filled, arena, error);
    if (status == VC_OK) status = run(&in, pieces, begin, error);
    release_rows(&in);
    if (status != VC_OK) return status;
    *result_out = in.result;
    if (filled.usage != NULL)
        atomic_fetch_add_explicit(&filled.usage->ncells,
                                  (in.result->nrows_before + in.result->nrows) *
                                      in.result->nmeasures,
                                  memory_order_relaxed);
    return VC_OK;
}

vc_status vc_engine_run(vc_model *model, const vc_query *query, const vc_engine_options *options,
                        vc_arena *arena, const vc_result **result_out, vc_error *error)
{
    return vc_engine_run_in_pieces(model, query, options, NULL, arena, result_out, error);
}
