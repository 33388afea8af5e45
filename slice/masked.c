/* Tables of a cube of which a role sees a part: from what the dimensions call their leaves to the
 * numbers that are stored in the facts.
 *
 * Everything above the scan knows the dimensions that are seen and nothing else (cube/restrict.h).
 * Here each step of a table is turned into one over stored numbers, which lets none of the hidden
 * ones through; and a dimension that has hidden leaves gets a step even where the table has none.
 * So the innermost loop passes over hidden facts as it does over those that a cut leaves out.
 */
#include "slice/scan.h"

#include <string.h>

/* The step of a hidden dimension that nothing is asked of. */
static vc_status hide_leaves(const vc_leaf_mask *mask, size_t dimension, vc_arena *arena,
                             vc_step *step, vc_error *error)
{
    uint64_t *bits = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(mask->nstored) + 1);
    if (bits == NULL) return vc_no_memory(error);
    for (uint32_t stored = 0; stored < mask->nstored; stored++)
        if (mask->leaves[stored] != VC_NONE) vc_bit_set(bits, stored);
    *step =
        (vc_step){.column = (uint16_t)dimension, .nleaves = mask->nstored, .dimension = SIZE_MAX};
    vc_step_set_passing(step, bits);
    return VC_OK;
}

static vc_status turn_groups(const vc_leaf_mask *mask, const vc_step *from, vc_arena *arena,
                             vc_step *step, vc_error *error)
{
    uint32_t *groups = VC_ARENA_NEW(arena, uint32_t, (size_t)mask->nstored + 1);
    uint32_t last = 0;
    if (groups == NULL) return vc_no_memory(error);
    step->groups = groups;
    /* Numbers that do not pass have the group before them: zones of blocks may end in them. */
    for (uint32_t stored = 0; stored < mask->nstored; stored++) {
        uint32_t leaf = mask->leaves[stored];
        groups[stored] = leaf != VC_NONE && vc_step_passes(from, leaf) ? from->groups[leaf] : last;
        step->is_ordered &= groups[stored] >= last;
        last = groups[stored];
    }
    return VC_OK;
}

static vc_status turn_targets(const vc_leaf_mask *mask, const vc_step *from, vc_arena *arena,
                              vc_step *step, vc_error *error)
{
    uint32_t *offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)mask->nstored + 1), count = 0;
    if (offsets == NULL) return vc_no_memory(error);
    for (uint32_t stored = 0; stored < mask->nstored; stored++) {
        uint32_t leaf = mask->leaves[stored];
        if (leaf != VC_NONE) count += from->offsets[leaf + 1] - from->offsets[leaf];
        offsets[stored + 1] = count;
    }
    uint32_t *targets = vc_arena_alloc(arena, ((size_t)count + 1) * sizeof *targets);
    if (targets == NULL) return vc_no_memory(error);
    for (uint32_t stored = 0; stored < mask->nstored; stored++) {
        uint32_t leaf = mask->leaves[stored];
        if (offsets[stored + 1] > offsets[stored])
            memcpy(targets + offsets[stored], from->targets + from->offsets[leaf],
                   (offsets[stored + 1] - offsets[stored]) * sizeof *targets);
    }
    step->offsets = offsets;
    step->targets = targets;
    return VC_OK;
}

/* in/out step: over leaves, then over stored numbers. */
static vc_status turn_step(const vc_leaf_mask *mask, vc_arena *arena, vc_step *step,
                           vc_error *error)
{
    const vc_step from = *step;
    uint64_t *bits = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(mask->nstored) + 1);
    vc_status status = VC_OK;
    if (bits == NULL) return vc_no_memory(error);
    for (uint32_t stored = 0; stored < mask->nstored; stored++)
        if (mask->leaves[stored] != VC_NONE && vc_step_passes(&from, mask->leaves[stored]))
            vc_bit_set(bits, stored);
    step->nleaves = mask->nstored;
    if (from.groups != NULL) status = turn_groups(mask, &from, arena, step, error);
    if (status == VC_OK && from.offsets != NULL)
        status = turn_targets(mask, &from, arena, step, error);
    if (status == VC_OK) vc_step_set_passing(step, bits);
    return status;
}

vc_status vc_table_of_stored(const vc_source_cube *cube, const vc_table *table, vc_arena *arena,
                             const vc_table **stored_out, vc_error *error)
{
    vc_status status = VC_OK;
    *stored_out = table;
    if (cube->masks == NULL) return VC_OK;
    vc_table *stored = VC_ARENA_NEW(arena, vc_table, 1);
    vc_step *steps = VC_ARENA_NEW(arena, vc_step, table->nsteps + cube->ndimensions + 1);
    bool *is_hidden = VC_ARENA_NEW(arena, bool, cube->ndimensions + 1);
    if (stored == NULL || steps == NULL || is_hidden == NULL) return vc_no_memory(error);
    *stored = *table;
    stored->steps = steps;
    for (size_t i = 0; i < table->nsteps && status == VC_OK; i++) {
        steps[i] = table->steps[i];
        if (steps[i].tuples != NULL) continue; /* scan_tuples.c */
        const vc_leaf_mask *mask = &cube->masks[steps[i].column];
        if (mask->leaves == NULL) continue;
        status = turn_step(mask, arena, &steps[i], error);
        is_hidden[steps[i].column] = true;
    }
    for (size_t d = 0; d < cube->ndimensions && status == VC_OK; d++)
        if (cube->masks[d].leaves != NULL && !is_hidden[d])
            status = hide_leaves(&cube->masks[d], d, arena, &steps[stored->nsteps++], error);
    *stored_out = stored;
    return status;
}
