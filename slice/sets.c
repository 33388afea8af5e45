/* From sets of groups to groups: the end of a scan whose ragged steps were scanned by sets.
 *
 * Each fact is in exactly one cell of sets, in as many of groups as its leaf has. So cells of
 * coarser groupings come from those of sets as well, exactly where they could not come from those
 * of groups.
 */
#include "slice/plan.h"

enum { BATCH = 1024 };

/* A step that both tables keep: its place in a cell of sets, and what that means in one of groups.
 */
struct move {
    uint64_t stride;                   /* in cells of groups; 0: rolled up there */
    uint32_t span;                     /* of places, in cells of sets */
    const uint32_t *offsets, *targets; /* ragged: [span + 1] into targets, groups; else NULL */
    uint32_t first;                    /* group with place 0, of a ragged one */
};

struct sharing {
    struct move moves[VC_MAX_AXES];
    size_t nmoves;
    uint32_t places[VC_MAX_AXES]; /* of the cell at hand */
    const vc_cells *from;
    vc_cells *to;
    /* Cells that are still to be added: their slots, and the keys of the cells they go to. */
    uint32_t slots[BATCH];
    uint64_t keys[BATCH];
    size_t count;
};

/* In the order of the grid: scan_choose.c. */
static void find_moves(const vc_set_cells *sets, const vc_table *to, struct sharing *in)
{
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < sets->table->nsteps; i++) {
            const vc_step *step = &sets->table->steps[i];
            bool is_ragged = step->offsets != NULL;
            if (step->stride == 0 || is_ragged != (round == 0)) continue;
            in->moves[in->nmoves++] = (struct move){.stride = to->strides[step->axis],
                                                    .span = sets->spans[i],
                                                    .offsets = is_ragged ? step->set_offsets : NULL,
                                                    .targets = step->set_targets,
                                                    .first = sets->table->firsts[step->axis]};
        }
}

/* The first move runs fastest. */
static void find_places(struct sharing *in, uint64_t key)
{
    for (size_t i = 0; i < in->nmoves; i++) {
        in->places[i] = (uint32_t)(key % in->moves[i].span);
        key /= in->moves[i].span;
    }
}

/* Those of the next key, without a division. */
static void advance_places(struct sharing *in)
{
    for (size_t i = 0; i < in->nmoves && ++in->places[i] == in->moves[i].span; i++)
        in->places[i] = 0;
}

static vc_status flush(struct sharing *in, vc_error *error)
{
    uint32_t slots[BATCH];
    vc_status status = vc_cells_slots(in->to, in->keys, in->count, slots, error);
    if (status == VC_OK) vc_cells_add_all(in->to, slots, in->from, in->slots, in->count);
    in->count = 0;
    return status;
}

static vc_status put(struct sharing *in, uint32_t slot, uint64_t key, vc_error *error)
{
    in->slots[in->count] = slot;
    in->keys[in->count] = key;
    return ++in->count == BATCH ? flush(in, error) : VC_OK;
}

/* To all groups of the sets at hand, from a move on. */
static vc_status share_cell(struct sharing *in, uint32_t slot, size_t move, uint64_t key,
                            vc_error *error)
{
    const struct move *ragged = NULL;
    uint32_t set = 0;
    vc_status status = VC_OK;
    for (; move < in->nmoves; move++) {
        const struct move *of = &in->moves[move];
        if (of->offsets == NULL || of->stride == 0) {
            key += in->places[move] * of->stride;
            continue;
        }
        if (ragged != NULL) break; /* one is left to the loop below, which has no calls */
        ragged = of;
        set = in->places[move];
    }
    if (ragged == NULL) return put(in, slot, key, error);
    const uint32_t *groups = ragged->targets, end = ragged->offsets[set + 1];
    for (uint32_t t = ragged->offsets[set]; t < end && status == VC_OK; t++) {
        uint64_t to = key + (groups[t] - ragged->first) * ragged->stride;
        status =
            move == in->nmoves ? put(in, slot, to, error) : share_cell(in, slot, move, to, error);
    }
    return status;
}

vc_status vc_set_cells_share(const vc_plan *plan, const vc_set_cells *sets, const vc_table *table,
                             const vc_cells_form *form, vc_cells **cells_out, vc_error *error)
{
    struct sharing in = {.from = sets->cells};
    vc_status status = vc_cells_new(form, &in.to, error);
    if (status != VC_OK) return status;
    const uint64_t *rows = vc_cells_facts(sets->cells);
    bool is_dense = vc_cells_is_dense(sets->cells);
    find_moves(sets, table, &in);
    for (size_t slot = 0; slot < vc_cells_count(sets->cells) && status == VC_OK; slot++) {
        if (slot > 0 && is_dense) advance_places(&in);
        status = vc_plan_look(plan, slot, error);
        if (rows[slot] == 0 || status != VC_OK) continue;
        if (!is_dense) find_places(&in, vc_cells_key(sets->cells, (uint32_t)slot));
        status = share_cell(&in, (uint32_t)slot, 0, 0, error);
    }
    if (status == VC_OK) status = flush(&in, error);
    if (status == VC_OK)
        *cells_out = in.to;
    else
        vc_cells_free(in.to);
    return status;
}
