/* Steps over tuples: a block of tuple numbers, made of the blocks of several columns.
 *
 * Such a step looks at a column that is stored nowhere: its block is put together when it is first
 * asked for, as numbers of 32 bits in the layout of packed ones (which at that width is a plain
 * array), with a zone. So everything that is done with a block of leaves is done with it too. What
 * no such step needs costs nothing.
 */
#include "slice/scan.h"

#include <stdlib.h>
#include <string.h>

enum { SEGMENT_BLOCKS = VC_SEGMENT_ROWS / VC_BLOCK_ROWS };

struct vc_tuple_block {
    uint32_t segment, block; /* at hand */
    vc_chunk chunk;
    vc_block blocks[SEGMENT_BLOCKS]; /* only the one at hand is filled in */
    uint64_t codes[VC_BLOCK_ROWS];
    uint32_t deltas[VC_BLOCK_ROWS + VC_UNIT_ROWS];
    _Alignas(64) uint32_t numbers[VC_BLOCK_ROWS];
};

/* A column of the tuples: it must hold leaves of the dimension, codes are used without a check. */
static vc_status find_component(vc_lane *lane, const vc_step *step, size_t component,
                                const vc_chunk **chunk_out)
{
    const vc_scan *scan = lane->scan;
    uint16_t column = (uint16_t)step->components[component];
    vc_status status = vc_source_cube_view(scan->cube, scan->snapshot, column, lane->segment,
                                           chunk_out, &lane->error);
    if (status != VC_OK) return status;
    const vc_chunk *chunk = *chunk_out;
    uint32_t nleaves = vc_source_cube_stored_leaves(scan->cube, column);
    if (chunk->nrows == lane->segment_rows && chunk->type == VC_CHUNK_INT &&
        chunk->validity == NULL &&
        (chunk->nrows == 0 || (chunk->min >= 0 && chunk->max < (int64_t)nleaves)))
        return VC_OK;
    return vc_fail(&lane->error, VC_CORRUPT, "storage_damaged",
                   "cube '%.*s', segment %u: column %u does not hold the leaves of %u facts",
                   VC_FMT(scan->cube->name), lane->segment, column, lane->segment_rows);
}

/* The numbers of the block's rows, as deltas to the smallest. */
static vc_status fill(vc_lane *lane, const vc_step *step, struct vc_tuple_block *of)
{
    uint32_t nrows = lane->nrows, min = VC_NONE, max = 0;
    memset(of->codes, 0, nrows * sizeof *of->codes);
    for (size_t c = 0; c < step->tuples->ncomponents; c++) {
        const vc_chunk *chunk;
        vc_status status = find_component(lane, step, c, &chunk);
        if (status != VC_OK) return status;
        const vc_block *block = &chunk->blocks[lane->block];
        lane->stats.nbytes += vc_packed_bytes(nrows, block->width);
        lane->scan->packed->unpack32(vc_chunk_block_data(chunk, lane->block), block->width, nrows,
                                     of->deltas);
        uint32_t base = (uint32_t)block->min;
        if (lane->scan->cube->masks != NULL) {
            vc_source_cube_show_block(lane->scan->cube, step->components[c], base, nrows,
                                      of->deltas);
            base = 0;
        }
        vc_tuples_add_component(step->tuples, c, of->deltas, base, nrows, of->codes);
    }
    vc_tuples_find(step->tuples, of->codes, nrows, of->numbers);
    for (uint32_t row = 0; lane->scan->cube->masks != NULL && row < nrows; row++)
        if (of->numbers[row] == VC_NONE) of->numbers[row] = 0; /* of hidden facts only */
    for (uint32_t row = 0; row < nrows; row++) {
        min = of->numbers[row] < min ? of->numbers[row] : min;
        max = of->numbers[row] > max ? of->numbers[row] : max;
    }
    if (max >= step->nleaves) /* facts do not change while a model is open */
        return vc_fail(&lane->error, VC_CORRUPT, "storage_damaged",
                       "cube '%.*s', segment %u: facts lie where there were none before",
                       VC_FMT(lane->scan->cube->name), lane->segment);
    for (uint32_t row = 0; row < nrows; row++)
        of->numbers[row] -= min;
    memset(of->numbers + nrows, 0, (VC_BLOCK_ROWS - nrows) * sizeof *of->numbers);
    of->blocks[lane->block] = (vc_block){.min = min, .max = max, .width = 32};
    return VC_OK;
}

vc_status vc_lane_find_tuples(vc_lane *lane, size_t place, const vc_chunk **chunk_out)
{
    const vc_step *step = &lane->scan->table->steps[place];
    if (lane->tuples == NULL) {
        lane->tuples = calloc(lane->scan->table->nsteps, sizeof *lane->tuples);
        if (lane->tuples == NULL) return vc_no_memory(&lane->error);
    }
    struct vc_tuple_block *of = lane->tuples[place];
    if (of == NULL) {
        of = aligned_alloc(64, (sizeof *of + 63) / 64 * 64);
        if (of == NULL) return vc_no_memory(&lane->error);
        of->block = VC_NONE;
        of->chunk = (vc_chunk){.type = VC_CHUNK_INT,
                               .nblocks = SEGMENT_BLOCKS,
                               .blocks = of->blocks,
                               .data = of->numbers};
        lane->tuples[place] = of;
    }
    *chunk_out = &of->chunk;
    if (of->block == lane->block && of->segment == lane->segment) return VC_OK;
    vc_status status = fill(lane, step, of);
    of->chunk.nrows = lane->segment_rows;
    of->segment = lane->segment;
    of->block = status == VC_OK ? lane->block : VC_NONE;
    return status;
}

void vc_lane_release_tuples(vc_lane *lane)
{
    for (size_t i = 0; lane->tuples != NULL && i < lane->scan->table->nsteps; i++)
        free(lane->tuples[i]);
    free(lane->tuples);
}
