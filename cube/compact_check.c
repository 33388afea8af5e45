/* What was written is what was read: compared before anybody else can see it.
 *
 * Both sides are a sum over rows of a hash over all cells, with leaves as they were numbered
 * before, so it does not depend on the order, but a row that is missing, doubled or mixed up with
 * another, or a leaf that got a wrong number, shows. Reading also verifies the checksum of each new
 * chunk.
 */
#include "cube/compact_parts.h"

#include <stdlib.h>
#include <string.h>

typedef struct check_lane { /* of a thread */
    int64_t *cells;         /* [VC_SEGMENT_ROWS] */
    uint64_t *shares;       /* [VC_SEGMENT_ROWS] */
    uint64_t hash, bytes;
    vc_status status;
    vc_error error;
} check_lane;

typedef struct checking {
    const vc_rewrite *rewrite;
    const vc_snapshot *preview;
    const vc_source_cube *cube; /* as it was written */
    vc_arena arena;
    const uint32_t **older; /* [ncolumns] the number that each leaf had; NULL: the same */
    check_lane *lanes;
} checking;

static vc_status add_column(const checking *work, check_lane *lane, size_t number, uint32_t segment,
                            uint32_t *nrows_out, vc_error *error)
{
    const vc_rewrite_column *column = &work->rewrite->columns[number];
    const uint32_t *older = work->older[number];
    vc_chunk chunk;
    vc_status status =
        vc_source_cube_chunk(work->cube, work->preview, column->number, segment, &chunk, error);
    if (status != VC_OK) return status;
    if (column->is_double)
        vc_chunk_get_doubles(&chunk, (double *)(void *)lane->cells);
    else
        vc_chunk_get_ints(&chunk, lane->cells);
    for (uint32_t row = 0; row < chunk.nrows; row++) {
        int64_t cell = lane->cells[row];
        if (older != NULL) cell = (uint64_t)cell < column->nleaves ? older[cell] : VC_REWRITE_NULL;
        lane->shares[row] +=
            vc_rewrite_share(number, vc_chunk_has(&chunk, row) ? cell : VC_REWRITE_NULL);
    }
    lane->bytes += chunk.nbytes;
    *nrows_out = chunk.nrows;
    return VC_OK;
}

static void check_segment(void *context, size_t segment, unsigned thread)
{
    checking *work = context;
    check_lane *lane = &work->lanes[thread];
    uint32_t nrows = 0;
    vc_error error;
    memset(lane->shares, 0, VC_SEGMENT_ROWS * sizeof *lane->shares);
    for (size_t c = 0; c < work->rewrite->ncolumns; c++) {
        vc_status status = add_column(work, lane, c, (uint32_t)segment, &nrows, &error);
        if (status == VC_OK) continue;
        lane->status = status;
        lane->error = error;
        return;
    }
    for (uint32_t row = 0; row < nrows; row++)
        lane->hash += vc_rewrite_finish(lane->shares[row]);
}

static bool make_lanes(checking *work)
{
    const vc_rewrite *rewrite = work->rewrite;
    work->lanes = VC_ARENA_NEW(&work->arena, check_lane, rewrite->nthreads);
    work->older = VC_ARENA_NEW(&work->arena, const uint32_t *, rewrite->ncolumns);
    if (work->lanes == NULL || work->older == NULL) return false;
    for (unsigned i = 0; i < rewrite->nthreads; i++) {
        check_lane *lane = &work->lanes[i];
        lane->cells = vc_arena_alloc(&work->arena, VC_SEGMENT_ROWS * sizeof *lane->cells);
        lane->shares = vc_arena_alloc(&work->arena, VC_SEGMENT_ROWS * sizeof *lane->shares);
        if (lane->cells == NULL || lane->shares == NULL) return false;
    }
    for (size_t c = 0; c < rewrite->ncolumns; c++) {
        const vc_rewrite_column *column = &rewrite->columns[c];
        if (column->leaves == NULL) continue;
        uint32_t *older = VC_ARENA_NEW(&work->arena, uint32_t, column->nleaves);
        if (older == NULL) return false;
        for (uint32_t leaf = 0; leaf < column->nleaves; leaf++)
            older[column->leaves[leaf]] = leaf;
        work->older[c] = older;
    }
    return true;
}

static vc_status check_facts(checking *work, vc_rewrite *rewrite, vc_error *error)
{
    uint64_t hash = 0;
    if (!make_lanes(work)) return vc_no_memory(error);
    vc_crew_run(rewrite->crew, work->cube->nsegments, check_segment, work);
    rewrite->bytes_after = 0;
    for (unsigned i = 0; i < rewrite->nthreads; i++) {
        const check_lane *lane = &work->lanes[i];
        if (lane->status != VC_OK && error != NULL) *error = lane->error;
        if (lane->status != VC_OK) return lane->status;
        hash += lane->hash;
        rewrite->bytes_after += lane->bytes;
    }
    if (hash == rewrite->hash && work->cube->nrows == rewrite->cube->nrows) return VC_OK;
    return vc_fail(error, VC_CORRUPT, "storage_damaged",
                   "cube '%.*s': the facts that were written are not those that were read; the "
                   "store stays as it was",
                   VC_FMT(rewrite->cube->name));
}

vc_status vc_rewrite_check(vc_rewrite *rewrite, const vc_snapshot *preview, vc_error *error)
{
    checking work = {.rewrite = rewrite, .preview = preview};
    vc_source_cube *cube = NULL;
    vc_status status = vc_source_cube_open(preview, rewrite->cube->name, &work.arena, &cube, error);
    work.cube = cube;
    if (status == VC_OK) status = check_facts(&work, rewrite, error);
    vc_source_cube_close(cube);
    vc_arena_release(&work.arena);
    return status;
}
