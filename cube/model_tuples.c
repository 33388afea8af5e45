/* The tuples of a composite key, found by reading the facts. */
#include "cube/model_parts.h"

#include "storage/packed.h"

#include <stdlib.h>
#include <string.h>

struct reading {
    const vc_source_cube *cube;
    const vc_snapshot *snapshot;
    const size_t *components;
    vc_tuples *tuples;
    const vc_packed_kernels *packed;
    uint32_t deltas[VC_BLOCK_ROWS + 512];
    uint64_t codes[VC_BLOCK_ROWS];
    bool is_hidden[VC_BLOCK_ROWS]; /* where a role sees a part of the cube */
};

/* A fact is seen when all of its leaves are, whether they are components or not. */
static vc_status hide_facts(struct reading *in, uint32_t segment, uint32_t block, uint32_t nrows,
                            vc_error *error)
{
    memset(in->is_hidden, false, nrows);
    for (size_t d = 0; d < in->cube->ndimensions; d++) {
        const vc_chunk *chunk;
        if (in->cube->masks[d].leaves == NULL) continue;
        vc_status status =
            vc_source_cube_view(in->cube, in->snapshot, (uint16_t)d, segment, &chunk, error);
        if (status != VC_OK) return status;
        const vc_block *of = &chunk->blocks[block];
        in->packed->unpack32(vc_chunk_block_data(chunk, block), of->width, nrows, in->deltas);
        for (uint32_t row = 0; row < nrows; row++)
            in->is_hidden[row] |=
                vc_source_cube_leaf(in->cube, d, (uint32_t)of->min + in->deltas[row]) == VC_NONE;
    }
    return VC_OK;
}

static uint32_t keep_seen(struct reading *in, uint32_t nrows)
{
    uint32_t count = 0;
    for (uint32_t row = 0; row < nrows; row++)
        if (!in->is_hidden[row]) in->codes[count++] = in->codes[row];
    return count;
}

static vc_status read_block(struct reading *in, const vc_chunk *const *chunks, uint32_t segment,
                            uint32_t block, vc_error *error)
{
    uint32_t nrows = vc_chunk_block_rows(chunks[0], block);
    for (uint32_t i = 0; i < nrows; i++)
        in->codes[i] = 0;
    for (size_t c = 0; c < in->tuples->ncomponents; c++) {
        const vc_block *of = &chunks[c]->blocks[block];
        in->packed->unpack32(vc_chunk_block_data(chunks[c], block), of->width, nrows, in->deltas);
        uint32_t base = (uint32_t)of->min;
        if (in->cube->masks != NULL) {
            vc_source_cube_show_block(in->cube, in->components[c], base, nrows, in->deltas);
            base = 0;
        }
        vc_tuples_add_component(in->tuples, c, in->deltas, base, nrows, in->codes);
    }
    if (in->cube->masks != NULL) {
        vc_status status = hide_facts(in, segment, block, nrows, error);
        if (status != VC_OK) return status;
        nrows = keep_seen(in, nrows);
    }
    return vc_tuples_add(in->tuples, in->codes, nrows, error);
}

static vc_status read_segment(struct reading *in, uint32_t segment, vc_error *error)
{
    const vc_chunk *chunks[VC_MAX_COMPONENTS];
    vc_status status = VC_OK;
    for (size_t c = 0; c < in->tuples->ncomponents; c++) {
        uint16_t column = (uint16_t)in->components[c];
        status = vc_source_cube_view(in->cube, in->snapshot, column, segment, &chunks[c], error);
        if (status != VC_OK) return status;
        const vc_chunk *chunk = chunks[c];
        if (chunk->type != VC_CHUNK_INT || chunk->validity != NULL ||
            chunk->nrows != chunks[0]->nrows ||
            (chunk->nrows > 0 &&
             (chunk->min < 0 ||
              chunk->max >= (int64_t)vc_source_cube_stored_leaves(in->cube, column))))
            return vc_fail(error, VC_CORRUPT, "storage_damaged",
                           "cube '%.*s', segment %u: column %u holds leaves that the dimension "
                           "does not have",
                           VC_FMT(in->cube->name), segment, column);
    }
    for (uint32_t block = 0; block < chunks[0]->nblocks && status == VC_OK; block++)
        status = read_block(in, chunks, segment, block, error);
    return status;
}

static void release_tuples(void *tuples)
{
    vc_tuples_free(tuples);
}

vc_status vc_model_tuples(vc_model *model, const vc_source_cube *cube, const size_t *components,
                          size_t ncomponents, const vc_tuples **tuples_out, vc_error *error)
{
    vc_arena *arena = vc_model_arena(model);
    const vc_dimension **dimensions = VC_ARENA_NEW(arena, const vc_dimension *, ncomponents);
    struct reading *in = calloc(1, sizeof *in);
    vc_tuples *tuples = NULL;
    vc_status status = dimensions == NULL || in == NULL ? vc_no_memory(error) : VC_OK;
    if (status == VC_OK) {
        for (size_t c = 0; c < ncomponents; c++)
            dimensions[c] = cube->dimensions[components[c]];
        status = vc_tuples_new(dimensions, ncomponents, cube->nrows, &tuples, error);
    }
    if (status == VC_OK)
        *in = (struct reading){.cube = cube,
                               .snapshot = vc_model_snapshot(model),
                               .components = components,
                               .tuples = tuples,
                               .packed = vc_packed_get_kernels(vc_cpu_get_level())};
    for (uint32_t segment = 0; segment < cube->nsegments && status == VC_OK; segment++)
        status = read_segment(in, segment, error);
    if (status == VC_OK) status = vc_tuples_finish(tuples, error);
    if (status == VC_OK && !vc_model_own(model, tuples, release_tuples))
        status = vc_no_memory(error);
    free(in);
    if (status == VC_OK)
        *tuples_out = tuples;
    else
        vc_tuples_free(tuples);
    return status;
}
