/* Steps by themselves: which leaves pass, and leaves that have several groups. */
#include "slice/table.h"

#include <string.h>

void vc_step_set_passing(vc_step *step, const uint64_t *bits)
{
    uint32_t first = (uint32_t)vc_bits_first(bits, step->nleaves);
    uint32_t end = (uint32_t)vc_bits_end(bits, step->nleaves);
    if (first > end) first = end = 0;
    bool is_range = vc_bits_all(bits, first, end);
    step->first = first;
    step->end = end;
    step->passing = is_range ? NULL : bits;
    step->is_marked = false;
    step->npassing = is_range ? end - first : (uint32_t)vc_bits_count(bits, step->nleaves);
}

vc_status vc_step_pass_grouped(vc_arena *arena, vc_step *step, const uint32_t *groups,
                               vc_error *error)
{
    uint64_t *bits = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(step->nleaves) + 1);
    if (bits == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < step->nleaves; leaf++)
        bits[leaf >> 6] |= (uint64_t)(groups[leaf] != VC_NONE) << (leaf & 63);
    vc_step_set_passing(step, bits);
    step->is_marked = groups == step->groups;
    return VC_OK;
}

/* ---- sets of groups ---- */

/* Sets of groups, numbered as they come, found by a table of numbers + 1. */
struct sets {
    uint32_t *table, *offsets, *targets;
    uint32_t mask, count;
};

static uint32_t hash_targets(const uint32_t *targets, uint32_t count)
{
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++)
        hash = (hash ^ targets[i]) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(hash ^ hash >> 32);
}

static uint32_t find_set(struct sets *sets, const uint32_t *targets, uint32_t count)
{
    uint32_t at = hash_targets(targets, count) & sets->mask;
    for (; sets->table[at] != 0; at = (at + 1) & sets->mask) {
        uint32_t set = sets->table[at] - 1, first = sets->offsets[set];
        if (sets->offsets[set + 1] - first == count &&
            memcmp(sets->targets + first, targets, count * sizeof *targets) == 0)
            return set;
    }
    sets->table[at] = ++sets->count;
    uint32_t first = sets->offsets[sets->count - 1];
    memcpy(sets->targets + first, targets, count * sizeof *targets);
    sets->offsets[sets->count] = first + count;
    return sets->count - 1;
}

/* Number the sets of groups that leaves lead to. A scan may then take a set for one group, as if
 * the relation were not ragged, and share out its cells at the end. */
vc_status vc_step_number_sets(vc_step *step, vc_arena *arena, vc_error *error)
{
    uint32_t size = 64, ntargets = step->offsets[step->nleaves];
    while (size < 2 * (uint64_t)step->npassing && size < UINT32_C(1) << 31)
        size *= 2;
    struct sets sets = {.table = VC_ARENA_NEW(arena, uint32_t, size),
                        .offsets = VC_ARENA_NEW(arena, uint32_t, (size_t)step->npassing + 1),
                        .targets = vc_arena_alloc(arena, ((size_t)ntargets + 1) * sizeof(uint32_t)),
                        .mask = size - 1};
    uint32_t *groups = vc_arena_alloc(arena, ((size_t)step->nleaves + 1) * sizeof *groups);
    if (sets.table == NULL || sets.offsets == NULL || sets.targets == NULL || groups == NULL)
        return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < step->nleaves; leaf++)
        groups[leaf] = vc_step_passes(step, leaf)
                           ? find_set(&sets, step->targets + step->offsets[leaf],
                                      step->offsets[leaf + 1] - step->offsets[leaf])
                           : VC_NONE;
    step->groups = groups;
    step->is_marked = true;
    step->nsets = sets.count;
    step->set_offsets = sets.offsets;
    step->set_targets = sets.targets;
    return VC_OK;
}

/* A ragged relation of which no leaf has two groups here is an ordinary step. */
vc_status vc_step_straighten(vc_step *step, vc_arena *arena, vc_error *error)
{
    uint32_t *groups = vc_arena_alloc(arena, ((size_t)step->nleaves + 1) * sizeof *groups);
    if (groups == NULL) return vc_no_memory(error);
    uint32_t most = 0;
    for (uint32_t leaf = 0; leaf < step->nleaves; leaf++) {
        uint32_t count = step->offsets[leaf + 1] - step->offsets[leaf];
        groups[leaf] = count > 0 ? step->targets[step->offsets[leaf]] : VC_NONE;
        most = count > most ? count : most;
    }
    if (most <= 1) {
        step->groups = groups;
        step->offsets = step->targets = NULL;
    }
    return vc_step_pass_grouped(arena, step, groups, error);
}
