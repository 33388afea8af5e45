/* From sets of groups to groups: the end of a scan whose ragged steps were scanned by sets.
 *
 * Each fact is in exactly one cell of sets, in as many of groups as its leaf has. So cells of
 * coarser groupings come from those of sets as well, exactly where they could not come from those
 * of groups.
 */
#include "slice/plan.h"

#include <stdlib.h>

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

/* The same where the move that runs fastest is the only ragged one that is kept, as in nearly every
 * query: what the others say changes only when it begins anew. */
static bool is_simple(const struct sharing *in)
{
    for (size_t i = 0; i < in->nmoves; i++)
        if ((in->moves[i].offsets != NULL && in->moves[i].stride > 0) != (i == 0)) return false;
    return in->nmoves > 0;
}

static uint64_t key_of_others(const struct sharing *in)
{
    uint64_t key = 0;
    for (size_t i = 1; i < in->nmoves; i++)
        key += in->places[i] * in->moves[i].stride;
    return key;
}

static vc_status share_simply(struct sharing *in, uint32_t slot, uint64_t others, vc_error *error)
{
    const struct move *sets = &in->moves[0];
    uint32_t set = in->places[0], end = sets->offsets[set + 1];
    vc_status status = VC_OK;
    for (uint32_t t = sets->offsets[set]; t < end && status == VC_OK; t++)
        status = put(in, slot, others + (sets->targets[t] - sets->first) * sets->stride, error);
    return status;
}

/* ---- the whole, by several threads ---- */

/* Slots first .. end - 1, into cells of their own. */
struct job {
    const vc_plan *plan;
    const vc_cells_form *form;
    struct sharing in;
    size_t first, end;
    vc_status status;
    vc_error error;
};

static vc_status share_slots(struct job *job)
{
    struct sharing *in = &job->in;
    vc_error *error = &job->error;
    vc_status status = vc_cells_new(job->form, &in->to, error);
    const uint64_t *rows = vc_cells_facts(in->from);
    bool is_dense = vc_cells_is_dense(in->from), simple = is_dense && is_simple(in);
    uint64_t others = 0;
    for (size_t slot = job->first; slot < job->end && status == VC_OK; slot++) {
        if (!is_dense || slot == job->first)
            find_places(in, vc_cells_key(in->from, (uint32_t)slot));
        else
            advance_places(in);
        if (simple && (slot == job->first || in->places[0] == 0)) others = key_of_others(in);
        status = vc_plan_look(job->plan, slot, error);
        if (rows[slot] == 0 || status != VC_OK) continue;
        status = simple ? share_simply(in, (uint32_t)slot, others, error)
                        : share_cell(in, (uint32_t)slot, 0, 0, error);
    }
    return status == VC_OK ? flush(in, error) : status;
}

static void run_job(void *context, size_t number)
{
    struct job *job = (struct job *)context + number;
    job->status = share_slots(job);
}

/* Threads are worth it where there is much to share out, to cells that are few beside it. */
size_t vc_set_cells_count_jobs(const vc_plan *plan, uint64_t nfrom, const vc_cells_form *form)
{
    enum { JOB_CELLS = 1 << 14, MANY_TIMES = 16 };
    uint64_t nthreads = vc_pool_nthreads(plan->options->pool), most = nfrom / JOB_CELLS;
    if (most < 2 || form->ncells > nfrom / MANY_TIMES || !vc_cells_fit_densely(form)) return 1;
    return (size_t)(nthreads < most ? nthreads : most);
}

/* One of the cells of all jobs, which may be those of the first; the others stay theirs. */
static vc_status unite(const vc_plan *plan, struct job *jobs, size_t njobs, vc_cells **cells_out,
                       vc_error *error)
{
    vc_cells **parts = VC_ARENA_NEW(plan->arena, vc_cells *, njobs);
    vc_status status = parts == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t i = 0; i < njobs && status == VC_OK; i++) {
        status = jobs[i].status;
        if (status != VC_OK && error != NULL) *error = jobs[i].error;
        parts[i] = jobs[i].in.to;
    }
    if (status == VC_OK && njobs > 1) {
        status = vc_cells_merge(plan->options->pool, plan, parts, njobs, cells_out, error);
    } else if (status == VC_OK) {
        *cells_out = parts[0];
        parts[0] = NULL;
    }
    if (status == VC_OK && parts[0] == NULL) jobs[0].in.to = NULL;
    return status;
}

vc_status vc_set_cells_share(const vc_plan *plan, const vc_set_cells *sets, const vc_table *table,
                             const vc_cells_form *form, vc_cells **cells_out, vc_error *error)
{
    size_t nslots = vc_cells_count(sets->cells);
    size_t njobs = vc_set_cells_count_jobs(plan, nslots, form);
    struct job *jobs = calloc(njobs, sizeof *jobs);
    if (jobs == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < njobs; i++) {
        jobs[i].plan = plan;
        jobs[i].form = form;
        jobs[i].in.from = sets->cells;
        jobs[i].first = nslots * i / njobs;
        jobs[i].end = nslots * (i + 1) / njobs;
        find_moves(sets, table, &jobs[i].in);
    }
    vc_pool_run(plan->options->pool, njobs, run_job, jobs);
    vc_status status = unite(plan, jobs, njobs, cells_out, error);
    for (size_t i = 0; i < njobs; i++)
        vc_cells_free(jobs[i].in.to);
    free(jobs);
    return status;
}
