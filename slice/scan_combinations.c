/* A fact may have several combinations (a city of two countries, in one year), and an entry is the
 * fact in one cell: it counts there when one of its combinations that lie in the cell is asked for.
 */
#include "slice/narrow.h"
#include "slice/scan.h"

#include <assert.h>

enum { MOST_STEPS = 2 * VC_MAX_AXES };

struct keeping {
    const vc_combinations *combinations;
    size_t nsteps;
    const vc_step *steps[MOST_STEPS]; /* that lead to groups */
    uint32_t leaves[MOST_STEPS];      /* of the entry at hand */
    uint32_t wanted[MOST_STEPS];      /* the group of its cell; VC_NONE: rolled up there */
};

static bool has_from(const struct keeping *in, size_t number, uint64_t key);

static bool has_group(const struct keeping *in, size_t number, uint64_t key, uint32_t group)
{
    const vc_step *step = in->steps[number];
    const vc_table *table = in->combinations->table;
    uint32_t place = group - table->firsts[step->axis];
    if (in->wanted[number] != VC_NONE && in->wanted[number] != group) return false;
    return place < table->spans[step->axis] && has_from(in, number + 1, key + place * step->stride);
}

/* Is one of the entry's combinations there, whose first groups make up the key? */
static bool has_from(const struct keeping *in, size_t number, uint64_t key)
{
    if (number == in->nsteps) return vc_combinations_have(in->combinations, key);
    const vc_step *step = in->steps[number];
    uint32_t leaf = in->leaves[number];
    if (!vc_step_passes(step, leaf)) return false;
    if (step->offsets == NULL) return has_group(in, number, key, step->groups[leaf]);
    for (uint32_t t = step->offsets[leaf]; t < step->offsets[leaf + 1]; t++)
        if (has_group(in, number, key, step->targets[t])) return true;
    return false;
}

/* Tuples of several columns stand in place of leaves: their block is that of the scan's own step.
 */
static vc_status find_tuples(vc_lane *lane, const vc_step *step, const vc_chunk **chunk_out)
{
    const vc_table *table = lane->scan->table;
    size_t place = 0;
    while (place < table->nsteps &&
           (table->steps[place].tuples == NULL || table->steps[place].dimension != step->dimension))
        place++;
    assert(place < table->nsteps);
    return vc_lane_find_tuples(lane, place, chunk_out);
}

static vc_status view(vc_lane *lane, const vc_step *step, const vc_chunk **chunk_out)
{
    const vc_scan *scan = lane->scan;
    if (step->tuples != NULL) return find_tuples(lane, step, chunk_out);
    vc_status status = vc_source_cube_view(scan->cube, scan->snapshot, step->column, lane->segment,
                                           chunk_out, &lane->error);
    if (status != VC_OK) return status;
    const vc_chunk *chunk = *chunk_out;
    if (chunk->nrows == lane->segment_rows && chunk->type == VC_CHUNK_INT &&
        chunk->validity == NULL && chunk->min >= 0 && chunk->max < (int64_t)step->nleaves)
        return VC_OK;
    return vc_fail(&lane->error, VC_CORRUPT, "storage_damaged",
                   "cube '%.*s', segment %u: column %u does not hold leaves of its dimension",
                   VC_FMT(scan->cube->name), lane->segment, step->column);
}

vc_status vc_lane_keep_combinations(vc_lane *lane)
{
    const vc_table *table = lane->scan->table;
    struct keeping in = {.combinations = lane->scan->pass->combinations};
    const vc_table *finer = lane->scan->combined;
    const vc_chunk *chunks[MOST_STEPS];
    size_t kept = 0;
    for (size_t i = 0; i < finer->nsteps && in.nsteps < MOST_STEPS; i++) {
        if (finer->steps[i].stride == 0) continue;
        vc_status status = view(lane, &finer->steps[i], &chunks[in.nsteps]);
        if (status != VC_OK) return status;
        in.steps[in.nsteps++] = &finer->steps[i];
    }
    for (size_t i = 0; i < lane->count; i++) {
        uint16_t row = lane->rows[i];
        for (size_t s = 0; s < in.nsteps; s++) {
            const vc_block *block = &chunks[s]->blocks[lane->block];
            size_t axis = in.steps[s]->axis;
            in.leaves[s] = (uint32_t)((uint64_t)block->min +
                                      vc_packed_get(vc_chunk_block_data(chunks[s], lane->block),
                                                    block->width, row));
            in.wanted[s] =
                table->strides[axis] == 0 ? VC_NONE : vc_table_group(table, axis, lane->wide[i]);
        }
        if (!has_from(&in, 0, 0)) continue;
        lane->row_buffer[kept] = row;
        lane->wide[kept++] = lane->wide[i];
    }
    lane->rows = lane->row_buffer;
    lane->count = kept;
    lane->is_all = false;
    return VC_OK;
}
