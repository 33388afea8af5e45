#include "report/collect.h"

#include "report/try.h"

#include <stdlib.h>
#include <string.h>

typedef struct lane { /* a piece, from when it is made until it is its turn */
    vc_arena arena;
    vc_result piece;
} lane;

typedef struct collecting {
    const vc_pivot_plan *plan;
    vc_arena *arena;
    vc_pivot *pivot;
    size_t nlanes;
    lane *lanes;
} collecting;

/* ---- pieces ---- */

static void *copy_bytes(vc_arena *arena, const void *bytes, size_t size)
{
    void *copy = vc_arena_alloc(arena, size + 1);
    if (copy != NULL && size > 0) memcpy(copy, bytes, size);
    return copy;
}

static vc_str *copy_texts(vc_arena *arena, const vc_str *texts, size_t count)
{
    vc_str *copy = VC_ARENA_NEW(arena, vc_str, count + 1);
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = vc_arena_str(arena, texts[i]);
        if (vc_str_is_null(copy[i]) && !vc_str_is_null(texts[i])) return NULL;
    }
    return copy;
}

static vc_status copy_axis(vc_arena *arena, vc_result_axis *axis, vc_error *error)
{
    vc_result_member *members =
        copy_bytes(arena, axis->members, axis->nmembers * sizeof *axis->members);
    if (members == NULL) return vc_no_memory(error);
    for (size_t m = 0; m < axis->nmembers; m++) {
        members[m].keys = copy_texts(arena, members[m].keys, axis->nlevels);
        members[m].labels = copy_texts(arena, members[m].labels, axis->nlevels);
        if (members[m].keys == NULL || members[m].labels == NULL) return vc_no_memory(error);
    }
    axis->members = members;
    return VC_OK;
}

/* A piece is alive while it is handed over only, and its turn comes later. */
static vc_status copy_piece(const vc_result *piece, lane *to, vc_error *error)
{
    vc_arena *arena = &to->arena;
    vc_arena_clear(arena);
    to->piece = *piece;
    vc_result_axis *axes = copy_bytes(arena, piece->axes, piece->naxes * sizeof *axes);
    to->piece.coords =
        copy_bytes(arena, piece->coords, piece->nrows * piece->naxes * sizeof *piece->coords);
    to->piece.cells =
        copy_bytes(arena, piece->cells, piece->nrows * piece->nmeasures * sizeof *piece->cells);
    if (axes == NULL || to->piece.coords == NULL || to->piece.cells == NULL)
        return vc_no_memory(error);
    for (size_t a = 0; a < piece->naxes; a++)
        TRY(copy_axis(arena, &axes[a], error));
    to->piece.axes = axes;
    return VC_OK;
}

static vc_status begin(void *context, const vc_result *head, size_t nlanes, vc_error *error)
{
    collecting *in = context;
    in->lanes = calloc(nlanes, sizeof *in->lanes);
    if (in->lanes == NULL) return vc_no_memory(error);
    in->nlanes = nlanes;
    return vc_pivot_new(head, in->plan, in->arena, &in->pivot, error);
}

static vc_status take_piece(void *context, size_t number, const vc_result *piece, vc_error *error)
{
    collecting *in = context;
    return copy_piece(piece, &in->lanes[number], error);
}

static vc_status commit(void *context, size_t number, vc_error *error)
{
    collecting *in = context;
    return vc_pivot_add(in->pivot, &in->lanes[number].piece, false, error);
}

/* ---- the whole ---- */

bool vc_collect_leaves_out(const vc_query *query)
{
    return query->nhavings > 0 || query->ntops > 0 || query->limit != UINT64_MAX ||
           query->offset > 0;
}

/* A member of whom nothing is shown has no total either: the best three would stand among all. */
static vc_status add_rest(const vc_query *query, const vc_result *result, bool has_totals,
                          vc_pivot *pivot, vc_error *error)
{
    vc_result details = *result, totals = *result;
    details.nrows = result->ndetail_rows;
    TRY(vc_pivot_add(pivot, &details, false, error));
    if (!has_totals) return VC_OK;
    totals.nrows = result->nrows - result->ndetail_rows;
    totals.coords += result->ndetail_rows * result->naxes;
    totals.cells += result->ndetail_rows * result->nmeasures;
    totals.grouping += result->ndetail_rows;
    return vc_pivot_add(pivot, &totals, vc_collect_leaves_out(query), error);
}

vc_status vc_collect_result(const vc_query *query, const vc_result *result,
                            const vc_pivot_plan *plan, bool has_totals, vc_arena *arena,
                            vc_pivot **pivot_out, vc_error *error)
{
    TRY(vc_pivot_new(result, plan, arena, pivot_out, error));
    return add_rest(query, result, has_totals, *pivot_out, error);
}

vc_status vc_collect(vc_model *model, const vc_query *query, const vc_engine_options *options,
                     const vc_pivot_plan *plan, bool has_totals, vc_arena *arena,
                     vc_pivot **pivot_out, const vc_result **result_out, vc_error *error)
{
    collecting in = {.plan = plan, .arena = arena};
    vc_pieces pieces = {
        .begin = begin, .piece = take_piece, .commit = commit, .context = &in, .takes_marks = true};
    vc_status status =
        vc_engine_run_in_pieces(model, query, options, &pieces, arena, result_out, error);
    for (size_t i = 0; i < in.nlanes; i++)
        vc_arena_release(&in.lanes[i].arena);
    free(in.lanes);
    if (status == VC_OK && in.pivot == NULL)
        status = vc_pivot_new(*result_out, plan, arena, &in.pivot, error);
    *pivot_out = in.pivot;
    return status == VC_OK ? add_rest(query, *result_out, has_totals, in.pivot, error) : status;
}
