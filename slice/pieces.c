/* Large answers in pieces.
 *
 * The rows of an answer are in member order, the first axis the slowest. So the rows of a *window*,
 * a run of groups on one axis at single groups of the axes before it, stand together, and a plan
 * that is narrowed to the window (slice/narrow.h) gives just these: each row is made of the facts
 * of its own cell. Window by window, the facts are scanned, rows stitched and handed over; several
 * windows at once, each in a *lane* on a thread of its own, and handed over in their order. What an
 * answer needs in memory is then that of a few windows, whatever its size.
 *
 * It costs a scan per window, of which zone maps leave little where facts are clustered by the
 * axis. That a row is made of its own facts only is not so where it looks at others: those answers
 * are made as a whole. So are those whose doubles would be added up in another order.
 */
#include "slice/answer.h"
#include "slice/narrow.h"
#include "slice/table.h"

#include <stdlib.h>
#include <string.h>

enum {
    PIECE_ROWS = 32768,
    OVERSIZE = 4, /* a piece with so many times the rows is made again, in parts */
    MOST_LANES = 8,
    WIDEST = 1 << 30,
};

/* Where the next window begins: groups on the axes down to `depth`. */
typedef struct cursor {
    uint32_t groups[VC_MAX_AXES];
    bool is_done;
} cursor;

typedef struct lane {
    struct pieces *of;
    vc_arena arena;
    vc_engine_options options;
    vc_plan plan;      /* the query's, in this arena; what it was narrowed to is in `in` */
    cursor start, end; /* of its window */
    size_t ngroups;    /* of the last axis of the window */
    vc_answering in;
    vc_result result;
    size_t first, count; /* of its rows in `order`, those that are shown */
    bool *repeats;       /* [nasked] */
    vc_status status;
    vc_error error;
} lane;

typedef struct pieces {
    vc_answering *in;
    const vc_pieces *to;
    size_t depth; /* the axis that windows are cut along */
    size_t piece_rows;
    uint64_t width; /* of a window, in groups */
    cursor next;
    lane *lanes;
    size_t nlanes;
    size_t nused;       /* lanes that have a window now */
    uint64_t nstitched; /* rows, before having */
    bool *repeats;      /* [nasked] */
    uint64_t **shown;   /* [naxes][ngroups] bits of the groups that rows have; NULL: not needed */
} pieces;

/* ---- which answers ---- */

static uint64_t count_visible(const vc_axis *axis)
{
    return vc_bits_count(axis->visible, axis->ngroups);
}

/* About how many rows there will be. */
static uint64_t estimate_rows(const vc_plan *plan)
{
    uint64_t product = 1, nfacts = 0;
    bool is_repeated = false;
    for (size_t i = 0; i < plan->naxes; i++)
        if (__builtin_mul_overflow(product, count_visible(&plan->axes[i]), &product))
            product = UINT64_MAX;
    for (size_t p = 0; p < plan->npasses; p++) {
        const vc_cube_source *source = &plan->cube->sources[plan->passes[p].source];
        nfacts += source->cube->nrows;
        for (size_t i = 0; i < plan->naxes; i++)
            is_repeated |= source->bindings[plan->axes[i].dimension].kind == VC_BIND_NONE;
    }
    return plan->query->is_sparse && !is_repeated && nfacts < product ? nfacts : product;
}

/* A leaf of a ragged level may stand at no member, and a window leaves its unit split. */
static bool has_plain_axes(const vc_plan *plan, bool takes_marks)
{
    for (size_t i = 0; i < plan->naxes; i++) {
        const vc_axis *axis = &plan->axes[i];
        bool is_marked = axis->end_visible > axis->stored->nmembers;
        if (axis->stored->is_ragged || axis->has_other || (is_marked && !takes_marks)) return false;
        for (size_t c = 0; axis->is_shown != NULL && c < axis->ncalculated; c++)
            if (axis->is_shown[c]) return false;
    }
    return true;
}

/* Facts that count in parts are scanned by classes of leaves, which are others in a window. */
static bool counts_in_parts(const vc_plan *plan)
{
    for (size_t p = 0; p < plan->npasses; p++)
        for (size_t d = 0; d < plan->cube->ndimensions; d++) {
            const vc_binding *binding = &plan->cube->sources[plan->passes[p].source].bindings[d];
            if (binding->kind != VC_BIND_NONE && vc_binding_has_shares(&plan->passes[p], binding))
                return true;
        }
    return false;
}

bool vc_answer_has_pieces(const vc_answering *in, const vc_pieces *to)
{
    const vc_plan *plan = in->plan;
    const vc_query *query = plan->query;
    if (plan->naxes == 0 || plan->is_dry || plan->options->is_plain || query->wants_explain)
        return false;
    if (query->ntops > 0 || query->norders > 0 || query->nproperties > 0 || plan->ncalls > 0 ||
        plan->ntargets > 0 || (query->nnonempty > 0 && !query->is_sparse) ||
        (query->totals_visible && query->ntotals > 0))
        return false;
    if (!has_plain_axes(plan, to->takes_marks) || counts_in_parts(plan)) return false;
    uint64_t nrows = estimate_rows(plan);
    if (nrows < 2) return false;
    /* What is too large is refused before anything is read. */
    if (!query->is_sparse && nrows > plan->options->limits.max_cells / plan->nasked) return false;
    return to->piece_rows > 0 || nrows >= VC_PIECES_FROM_ROWS;
}

/* ---- windows ---- */

/* The first visible group from `group` on; the axis' end when there is none. */
static uint32_t find_visible(const vc_axis *axis, uint32_t group)
{
    while (group < axis->end_visible && !vc_bit_get(axis->visible, group))
        group++;
    return group;
}

/* Windows are cut along the first axis of which a single group has few enough rows. */
static void choose_depth(pieces *of, uint64_t nrows)
{
    const vc_plan *plan = of->in->plan;
    for (;; of->depth++) {
        uint64_t ngroups = count_visible(&plan->axes[of->depth]);
        of->width = nrows == 0 ? WIDEST : of->piece_rows * ngroups / nrows;
        nrows = ngroups == 0 ? 0 : nrows / ngroups;
        if (nrows <= of->piece_rows || of->depth + 1 == plan->naxes) break;
    }
    if (of->width < 1) of->width = 1;
    if (of->width > WIDEST) of->width = WIDEST;
    for (size_t i = 0; i <= of->depth; i++) {
        of->next.groups[i] = find_visible(&plan->axes[i], plan->axes[i].first_visible);
        of->next.is_done |= of->next.groups[i] == plan->axes[i].end_visible;
    }
}

/* Beyond the window's groups on the last axis: on to the next group of the axis before it. */
static void carry(const pieces *of, cursor *at)
{
    const vc_plan *plan = of->in->plan;
    for (size_t i = of->depth; at->groups[i] >= plan->axes[i].end_visible; i--) {
        if (i == 0) {
            at->is_done = true;
            return;
        }
        at->groups[i] = find_visible(&plan->axes[i], plan->axes[i].first_visible);
        at->groups[i - 1] = find_visible(&plan->axes[i - 1], at->groups[i - 1] + 1);
    }
}

/* Give a lane the next window. */
static void cut_window(pieces *of, lane *to)
{
    const vc_axis *axis = &of->in->plan->axes[of->depth];
    cursor *next = &of->next;
    to->start = *next;
    to->ngroups = 0;
    while (to->ngroups < of->width && next->groups[of->depth] < axis->end_visible) {
        next->groups[of->depth] = find_visible(axis, next->groups[of->depth] + 1);
        to->ngroups++;
    }
    carry(of, next);
    to->end = *next;
}

/* The combinations of a window, as for vc_plan_narrow. */
static uint32_t *list_groups(lane *of)
{
    size_t depth = of->of->depth;
    const vc_plan *plan = of->of->in->plan;
    const vc_axis *axis = &plan->axes[depth];
    uint32_t *groups = VC_ARENA_NEW(&of->arena, uint32_t, of->ngroups * plan->naxes);
    uint32_t group = of->start.groups[depth];
    for (size_t n = 0; groups != NULL && n < of->ngroups; n++) {
        memcpy(groups + n * plan->naxes, of->start.groups, depth * sizeof *groups);
        groups[n * plan->naxes + depth] = group;
        group = find_visible(axis, group + 1);
    }
    return groups;
}

/* ---- a piece ---- */

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A copy of the query's plan to narrow and to work with: nothing in it is written by two lanes. */
static void copy_plan(lane *to)
{
    const vc_plan *plan = to->of->in->plan;
    vc_arena_release(&to->arena);
    to->options = *plan->options;
    to->options.pool = NULL; /* other lanes keep the threads busy */
    if (to->ngroups > 1)
        to->options.limits.max_cells =
            min_u64(plan->options->limits.max_cells,
                    (uint64_t)to->of->piece_rows * OVERSIZE * plan->nasked);
    to->plan = *plan;
    to->plan.arena = &to->arena;
    to->plan.options = &to->options;
    to->plan.root = &to->plan;
    to->plan.cut_leaves = NULL;
    to->plan.held_bytes = 0;
    to->plan.nfacts_expected = (uint64_t)to->of->piece_rows * OVERSIZE;
    to->in = (vc_answering){.arena = &to->arena, .result = &to->result};
    to->result = (vc_result){0};
}

static vc_status stitch_piece(lane *to, vc_error *error)
{
    const vc_plan *plan = &to->plan;
    uint32_t all = (uint32_t)((1u << plan->naxes) - 1);
    vc_narrowing narrowing = {.axes = (uint32_t)((2u << to->of->depth) - 1),
                              .groups = list_groups(to),
                              .count = to->ngroups,
                              .cut_axis = SIZE_MAX,
                              .kept = all};
    if (narrowing.groups == NULL) return vc_no_memory(error);
    vc_status status = vc_plan_narrow(plan, &narrowing, &to->in.plan, error);
    if (status == VC_OK)
        status = vc_stitch(to->in.plan, all, plan->query->is_sparse, NULL, &to->in.detail, error);
    if (status != VC_OK) return status;
    vc_rows_release(to->in.detail); /* the cells of passes; rows stay */
    return vc_shape(to->in.plan, &to->in.detail, &to->in.order, &to->in.nfound, error);
}

static void make_piece(void *context, size_t number)
{
    lane *to = &((pieces *)context)->lanes[number];
    to->error = (vc_error){0};
    copy_plan(to);
    to->status = stitch_piece(to, &to->error);
}

/* Which measures have repeated values in it, for the notice. */
static void note_repeats(lane *from)
{
    const vc_result *result = &from->result;
    for (size_t m = 0; m < result->nmeasures; m++)
        for (size_t row = 0; row < result->nrows && !from->repeats[m]; row++)
            from->repeats[m] =
                result->cells[row * result->nmeasures + m].reason == VC_REASON_REPEATED;
}

/* Its rows become a result, which is handed over. */
static void hand_over(void *context, size_t number)
{
    pieces *of = context;
    lane *from = &of->lanes[number];
    vc_answering *in = &from->in;
    static vc_rows nothing; /* a piece has neither summary nor totals */
    in->order += from->first;
    in->nshown = from->count;
    in->summary = &nothing;
    from->status = vc_answer_axes(in, &from->error);
    if (from->status == VC_OK) from->status = vc_answer_table(in, &from->error);
    if (from->status != VC_OK) return;
    note_repeats(from);
    from->status = of->to->piece(of->to->context, number, &from->result, &from->error);
}

/* ---- all of them ---- */

/* Members of the answer that share facts are told of (slice/notices.c). */
static void note_shown(pieces *of, const lane *from)
{
    const vc_plan *plan = from->in.plan;
    for (size_t i = 0; of->shown != NULL && i < plan->naxes; i++)
        for (uint32_t g = plan->axes[i].first_visible; g < plan->axes[i].end_visible; g++)
            if (from->in.member_of[i][g] != VC_NONE) vc_bit_set(of->shown[i], g);
}

/* Rows that are found, and of these the ones that offset and limit leave. */
static void count_rows(pieces *of, lane *from)
{
    vc_answering *in = of->in;
    const vc_query *query = in->plan->query;
    uint64_t before = in->nfound, n = from->in.nfound;
    uint64_t first = query->offset > before ? min_u64(query->offset - before, n) : 0;
    uint64_t left = query->limit > in->nshown ? query->limit - in->nshown : 0;
    from->first = (size_t)first;
    from->count = (size_t)min_u64(n - first, left);
    in->nfound += (size_t)n;
    in->nshown += from->count;
    of->nstitched += from->in.detail->nrows;
}

static vc_status check_limit(const pieces *of, vc_error *error)
{
    const vc_plan *plan = of->in->plan;
    uint64_t max_cells = plan->options->limits.max_cells;
    if (of->nstitched <= max_cells / plan->nasked) return vc_plan_check(plan, error);
    return vc_fail(error, VC_LIMIT, "limit_cells",
                   "the answer has more than %llu cells; drill fewer dimensions or cut more",
                   (unsigned long long)max_cells);
}

/* Did a window turn out to have far too many rows? It is done again, in parts, and all after it. */
static bool is_oversized(const lane *of)
{
    return of->status == VC_LIMIT && of->ngroups > 1 && strcmp(of->error.code, "limit_cells") == 0;
}

/* The width of the next windows, from what the last ones were. */
static void adapt_width(pieces *of)
{
    uint64_t nrows = 0, ngroups = 0;
    for (size_t i = 0; i < of->nused; i++) {
        nrows += of->lanes[i].in.detail->nrows;
        ngroups += of->lanes[i].ngroups;
    }
    uint64_t fitting = nrows == 0 ? of->width * 2 : of->piece_rows * ngroups / nrows;
    of->width = min_u64(fitting < 1 ? 1 : fitting, min_u64(of->width * 2, WIDEST));
}

/* From an oversized window on, windows are given back and the lanes left out. */
static vc_status settle(pieces *of, vc_error *error)
{
    for (size_t i = 0; i < of->nused; i++) {
        lane *at = &of->lanes[i];
        if (is_oversized(at)) {
            of->next = at->start;
            of->width =
                (at->ngroups + 1) / 2 < of->width / 2 ? (at->ngroups + 1) / 2 : (of->width + 1) / 2;
            of->nused = i;
            return VC_OK;
        }
        if (at->status == VC_OK) continue;
        if (error != NULL) *error = at->error;
        return at->status;
    }
    adapt_width(of);
    return VC_OK;
}

static vc_status make_batch(pieces *of, vc_error *error)
{
    vc_pool *pool = of->in->plan->options->pool;
    for (of->nused = 0; of->nused < of->nlanes && !of->next.is_done; of->nused++)
        cut_window(of, &of->lanes[of->nused]);
    vc_pool_run(pool, of->nused, make_piece, of);
    vc_status status = settle(of, error);
    for (size_t i = 0; i < of->nused && status == VC_OK; i++)
        count_rows(of, &of->lanes[i]);
    if (status == VC_OK) status = check_limit(of, error);
    if (status != VC_OK) return status;
    vc_pool_run(pool, of->nused, hand_over, of);
    for (size_t i = 0; i < of->nused && status == VC_OK; i++) {
        status = of->lanes[i].status;
        if (status != VC_OK && error != NULL) *error = of->lanes[i].error;
        if (status != VC_OK) break;
        note_shown(of, &of->lanes[i]);
        status = of->to->commit(of->to->context, i, error);
    }
    return status;
}

static vc_status start_lanes(pieces *of, vc_error *error)
{
    vc_arena *arena = of->in->arena;
    size_t nasked = of->in->plan->nasked;
    of->nlanes = vc_pool_nthreads(of->in->plan->options->pool);
    if (of->nlanes > MOST_LANES) of->nlanes = MOST_LANES;
    of->lanes = VC_ARENA_NEW(arena, lane, of->nlanes);
    of->repeats = VC_ARENA_NEW(arena, bool, nasked + 1);
    if (of->lanes == NULL || of->repeats == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < of->nlanes; i++) {
        of->lanes[i].of = of;
        of->lanes[i].repeats = VC_ARENA_NEW(arena, bool, nasked + 1);
        if (of->lanes[i].repeats == NULL) return vc_no_memory(error);
    }
    return VC_OK;
}

static vc_status make_pieces(pieces *of, vc_error *error)
{
    vc_status status = start_lanes(of, error);
    if (status == VC_OK) status = of->to->begin(of->to->context, of->in->result, of->nlanes, error);
    choose_depth(of, estimate_rows(of->in->plan));
    while (status == VC_OK && !of->next.is_done)
        status = make_batch(of, error);
    for (size_t i = 0; of->lanes != NULL && i < of->nlanes; i++) {
        for (size_t m = 0; m < of->in->plan->nasked && of->lanes[i].repeats != NULL; m++)
            of->repeats[m] |= of->lanes[i].repeats[m];
        vc_arena_release(&of->lanes[i].arena);
    }
    return status;
}

/* ---- the answer without them ---- */

/* In place of the detail rows: none, with the tables that notices look into. */
static vc_status make_no_rows(vc_answering *in, vc_error *error)
{
    vc_plan *plan = in->plan;
    in->detail = VC_ARENA_NEW(in->arena, vc_rows, 1);
    if (in->detail == NULL) return vc_no_memory(error);
    in->detail->kept = (uint32_t)((1u << plan->naxes) - 1);
    in->detail->tables = VC_ARENA_NEW(in->arena, vc_table *, plan->npasses + 1);
    if (in->detail->tables == NULL) return vc_no_memory(error);
    vc_status status = VC_OK;
    for (size_t p = 0; p < plan->npasses && status == VC_OK; p++)
        status =
            vc_table_make(plan, &plan->passes[p], in->detail->kept, &in->detail->tables[p], error);
    return status;
}

/* Is it asked which members are shown? Only where a leaf leads to several. */
static bool may_overlap(const vc_answering *in)
{
    const vc_plan *plan = in->plan;
    for (size_t p = 0; p < plan->npasses; p++) {
        const vc_table *table = in->detail->tables[p];
        for (size_t i = 0; i < table->nsteps; i++)
            if (table->steps[i].offsets != NULL) return true;
        for (size_t i = 0; i < plan->naxes; i++)
            if (plan->cube->sources[plan->passes[p].source]
                    .bindings[plan->axes[i].dimension]
                    .through != NULL)
                return true;
    }
    return false;
}

static vc_status watch_shown(pieces *of, vc_error *error)
{
    const vc_plan *plan = of->in->plan;
    if (!may_overlap(of->in)) return VC_OK;
    of->shown = VC_ARENA_NEW(of->in->arena, uint64_t *, plan->naxes);
    if (of->shown == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < plan->naxes; i++) {
        of->shown[i] =
            VC_ARENA_NEW(of->in->arena, uint64_t, vc_bits_words(plan->axes[i].ngroups) + 1);
        if (of->shown[i] == NULL) return vc_no_memory(error);
    }
    return VC_OK;
}

/* Groups that pieces showed have a place among the members, if only for who asks whether. */
static void mark_shown(const pieces *of)
{
    const vc_plan *plan = of->in->plan;
    for (size_t i = 0; of->shown != NULL && i < plan->naxes; i++)
        for (uint32_t g = plan->axes[i].first_visible; g < plan->axes[i].end_visible; g++)
            if (vc_bit_get(of->shown[i], g) && of->in->member_of[i][g] == VC_NONE)
                of->in->member_of[i][g] = 0;
}

static vc_status finish(pieces *of, vc_error *error)
{
    vc_answering *in = of->in;
    const vc_query *query = in->plan->query;
    in->result->nrows_before = in->nshown;
    in->result->total_cell_count = in->nfound;
    in->result->is_truncated = query->offset + in->nshown < in->nfound;
    in->repeats = of->repeats;
    mark_shown(of);
    vc_status status = vc_answer_notices(in, error);
    if (status == VC_OK && in->plan->cube->is_virtual) status = vc_answer_coverage(in, error);
    return status;
}

vc_status vc_answer_in_pieces(vc_answering *in, const vc_pieces *to, vc_error *error)
{
    pieces of = {
        .in = in, .to = to, .piece_rows = to->piece_rows > 0 ? to->piece_rows : PIECE_ROWS};
    vc_status status = make_no_rows(in, error);
    if (status == VC_OK) status = watch_shown(&of, error);
    if (status == VC_OK) status = vc_answer_totals_alone(in, error);
    if (status == VC_OK) status = vc_answer_axes(in, error);
    if (status == VC_OK) status = vc_answer_table(in, error);
    if (status == VC_OK) status = make_pieces(&of, error);
    return status == VC_OK ? finish(&of, error) : status;
}
