/* The quality of joins: the counts that each relation has, and the share of value that matched.
 *
 * The share of a measure is value(matched) / value(all but the excluded aggregates), read from the
 * facts of the source with two tables over its leaves, or one where every leaf matched, once per
 * model.
 */
#include "slice/additive.h"
#include "slice/engine.h"
#include "slice/plan.h"

#include <math.h>

struct covering {
    vc_model *model;
    const vc_cube *cube;
    const vc_engine_options *options;
    vc_arena *arena; /* of the model: what is made here is kept */
};

/* Sums and counts of a source, of all leaves of one dimension whose fate is allowed, read as the
 * source is fixed. */
static vc_status scan_fates(const struct covering *in, const vc_pass *pass, size_t dimension,
                            unsigned last_fate, vc_cells **cells_out, vc_arena *work,
                            vc_error *error)
{
    const vc_cube_source *source = &in->cube->sources[pass->source];
    const vc_binding *binding = &source->bindings[dimension];
    const vc_relation *relation = binding->relation;
    vc_plan plan = {.model = in->model,
                    .cube = in->cube,
                    .options = in->options,
                    .arena = work,
                    .deadline_ns = UINT64_MAX};
    vc_step *steps = VC_ARENA_NEW(work, vc_step, source->nfixes + 1);
    uint64_t *passing = VC_ARENA_NEW(work, uint64_t, vc_bits_words(relation->nleaves) + 1);
    if (steps == NULL || passing == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++)
        passing[leaf >> 6] |= (uint64_t)(relation->fates[leaf] <= last_fate) << (leaf & 63);
    steps[0] = (vc_step){.column = (uint16_t)(binding->tuples != NULL ? VC_COLUMN_TUPLES + dimension
                                                                      : binding->source_dimension),
                         .tuples = binding->tuples,
                         .components = binding->components,
                         .nleaves = relation->nleaves};
    vc_step_set_passing(&steps[0], passing);
    vc_steps_put_fixes(source, steps + 1);
    vc_table table = {.steps = steps, .nsteps = source->nfixes + 1, .ncells = 1};
    vc_scan_stats stats;
    return vc_scan_run(&plan, pass, &table, cells_out, &stats, error);
}

static vc_status measure_shares(const struct covering *in, size_t source, size_t dimension,
                                vc_result_coverage *out, vc_error *error)
{
    vc_arena work = {0};
    vc_pass pass = {.source = source};
    vc_cells *matched = NULL, *all = NULL;
    size_t nmeasures = in->cube->nmeasures;
    vc_value_share *shares = VC_ARENA_NEW(in->arena, vc_value_share, nmeasures + 1);
    pass.accumulators = VC_ARENA_NEW(&work, vc_accumulator_spec, nmeasures + 1);
    vc_status status = shares == NULL || pass.accumulators == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t m = 0; m < nmeasures && status == VC_OK; m++) {
        const vc_cube_measure *measure = &in->cube->measures[m];
        if (!vc_measure_is_additive(measure, source)) continue;
        shares[pass.naccumulators].measure = measure->name;
        pass.accumulators[pass.naccumulators++] = vc_additive_spec(in->cube, measure);
    }
    const vc_coverage *counts = &in->cube->sources[source].bindings[dimension].relation->coverage;
    bool is_complete = counts->members_matched + counts->excluded == counts->members;
    if (status == VC_OK && pass.naccumulators > 0) {
        status = scan_fates(in, &pass, dimension, VC_FATE_UNMATCHED, &all, &work, error);
        if (status == VC_OK && !is_complete)
            status = scan_fates(in, &pass, dimension, VC_FATE_MATCHED, &matched, &work, error);
    }
    for (size_t i = 0; i < pass.naccumulators && status == VC_OK; i++) {
        vc_accumulator found = vc_cells_read(is_complete ? all : matched, i, 0);
        vc_accumulator everything = vc_cells_read(all, i, 0);
        double part = vc_additive_number(&pass.accumulators[i], &found);
        double whole = vc_additive_number(&pass.accumulators[i], &everything);
        shares[i].is_known = whole != 0 && isfinite(part / whole);
        shares[i].share = shares[i].is_known ? part / whole : 0;
    }
    out->shares = shares;
    out->nshares = pass.naccumulators;
    vc_cells_free(matched);
    vc_cells_free(all);
    vc_arena_release(&work);
    return status;
}

struct coverage_list {
    const vc_result_coverage *items;
    size_t count;
};

static vc_status compute(void *context, vc_arena *arena, const void **list_out, vc_error *error)
{
    struct covering in = *(const struct covering *)context;
    const vc_cube *cube = in.cube;
    in.arena = arena;
    struct coverage_list *list = VC_ARENA_NEW(arena, struct coverage_list, 1);
    vc_result_coverage *items =
        VC_ARENA_NEW(arena, vc_result_coverage, cube->nsources * cube->ndimensions + 1);
    if (list == NULL || items == NULL) return vc_no_memory(error);
    for (size_t s = 0; s < cube->nsources; s++)
        for (size_t d = 0; d < cube->ndimensions; d++) {
            const vc_binding *binding = &cube->sources[s].bindings[d];
            if (!vc_binding_is_joined(binding) || cube->sources[s].is_unseen) continue;
            vc_result_coverage *item = &items[list->count++];
            *item = (vc_result_coverage){.source = binding->join_alias,
                                         .dimension = cube->dimensions[d].name,
                                         .counts = binding->relation->coverage,
                                         .relation = binding->relation};
            vc_status status = measure_shares(&in, s, d, item, error);
            if (status != VC_OK) return status;
        }
    list->items = items;
    *list_out = list;
    return VC_OK;
}

vc_status vc_engine_coverage(vc_model *model, const vc_cube *cube, const vc_engine_options *options,
                             vc_arena *arena, const vc_result_coverage **coverage_out,
                             size_t *ncoverage_out, vc_error *error)
{
    vc_engine_options filled = options == NULL ? (vc_engine_options){0} : *options;
    (void)arena; /* the result is the model's */
    if (filled.limits.max_cells == 0) filled.limits.max_cells = 1;
    filled.limits.max_memory_bytes = UINT64_MAX; /* one cell */
    /* Others wait for this: it is not given up because one client went away. */
    filled.is_cancelled = NULL;
    struct covering in = {.model = model, .cube = cube, .options = &filled};
    const void *list;
    vc_status status = vc_model_memo(model, cube, 0, compute, &in, &list, error);
    if (status != VC_OK) return status;
    *coverage_out = ((const struct coverage_list *)list)->items;
    *ncoverage_out = ((const struct coverage_list *)list)->count;
    return VC_OK;
}
