#include "slice/unmatched.h"

#include "base/strmap.h"
#include "slice/additive.h"
#include "slice/join_keys.h"
#include "slice/plan.h"
#include "slice/unmatched_guess.h"

#include <math.h>
#include <stdlib.h>

struct missing { /* one join */
    vc_model *model;
    const vc_cube *cube;
    const vc_engine_options *options;
    vc_arena *arena;
    size_t source, dimension;
    const vc_relation *relation;
    vc_join_keys keys;
    vc_plan *plan;
    vc_pass pass;
    vc_plan_measure *measures;    /* [naccumulators of the pass] */
    vc_accumulator *accumulators; /* [nunmatched][naccumulators] */
    vc_accumulator *all;          /* [naccumulators] */
    uint32_t *key_of_leaf;        /* [nleaves] into relation->unmatched, or VC_NONE */
};

/* ---- measures ---- */

/* What a sum of whole facts is, in whatever parts the cube counts them. */
static void set_type(const struct missing *in, vc_plan_measure *measure)
{
    vc_accumulator_spec spec = vc_additive_spec(in->cube, measure->measure);
    const vc_fact_column *columns = in->cube->sources[in->source].cube->columns;
    measure->type = spec.aggregator == VC_AGG_COUNT ? VC_VALUE_INT : spec.type;
    measure->scale = measure->type == VC_VALUE_DECIMAL ? columns[spec.column].scale : 0;
}

/* The sums and counts of the source, each fact once: one pass. */
static vc_status choose_measures(struct missing *in, vc_error *error)
{
    const vc_cube *cube = in->cube;
    vc_query query = vc_query_default();
    vc_cube_measure *copies = VC_ARENA_NEW(in->arena, vc_cube_measure, cube->nmeasures + 1);
    size_t n = 0;
    if (copies == NULL) return vc_no_memory(error);
    for (size_t m = 0; m < cube->nmeasures; m++)
        if (vc_measure_is_additive(&cube->measures[m], in->source)) {
            copies[n] = cube->measures[m];
            copies[n].reaggregate = VC_REAGGREGATE_DEFAULT;
            copies[n++].mode = VC_MODE_SET;
        }
    query.cube = cube->name;
    vc_query *kept = VC_ARENA_NEW(in->arena, vc_query, 1);
    if (kept == NULL) return vc_no_memory(error);
    *kept = query;
    vc_status status =
        vc_plan_make_of(in->model, kept, in->options, copies, n, in->arena, &in->plan, error);
    if (status != VC_OK || n == 0) return status;
    in->measures = in->plan->measures;
    for (size_t m = 0; m < n; m++)
        set_type(in, &in->measures[m]);
    in->pass = in->plan->passes[in->plan->measures[0].pass];
    return VC_OK;
}

/* ---- which leaf has which key ---- */

/* A key as the numbers of its components: texts put together may be equal where keys are not. Where
 * the key depends on the time, its text has that. */
static vc_str write_key(const struct missing *in, uint32_t joined, vc_buffer *bytes)
{
    vc_buffer_clear(bytes);
    for (size_t i = 0; i < in->keys.nkeys; i++) {
        uint32_t value = vc_join_keys_value(&in->keys, i, joined);
        vc_buffer_put(bytes, (const char *)&value, sizeof value);
    }
    if (in->relation->keys != NULL) vc_buffer_put_str(bytes, in->relation->keys[joined]);
    return (vc_str){.data = bytes->data, .size = bytes->size};
}

static vc_status find_keys(struct missing *in, vc_error *error)
{
    const vc_relation *relation = in->relation;
    vc_strmap map = {0};
    vc_buffer bytes = {0};
    in->key_of_leaf = VC_ARENA_NEW(in->arena, uint32_t, (size_t)relation->nleaves + 1);
    bool is_whole = in->key_of_leaf != NULL;
    for (size_t i = 0; i < relation->nunmatched && in->keys.nkeys > 0 && is_whole; i++)
        is_whole = vc_strmap_put(&map, write_key(in, relation->unmatched[i].leaf, &bytes), NULL) !=
                   VC_STRMAP_NONE;
    for (uint32_t leaf = 0; leaf < relation->nleaves && is_whole; leaf++) {
        uint32_t joined = vc_join_keys_joined(&in->keys, leaf), number = VC_STRMAP_NONE;
        in->key_of_leaf[leaf] = VC_NONE;
        if (relation->fates[leaf] != VC_FATE_MATCHED && joined != VC_NONE && map.count > 0)
            number = vc_strmap_find(&map, write_key(in, joined, &bytes));
        if (number != VC_STRMAP_NONE) in->key_of_leaf[leaf] = number;
    }
    is_whole &= !bytes.failed;
    vc_buffer_release(&bytes);
    vc_strmap_release(&map);
    return is_whole ? VC_OK : vc_no_memory(error);
}

/* ---- values ---- */

static void add(const vc_accumulator_spec *spec, vc_accumulator *into, const vc_accumulator *from)
{
    if (spec->type == VC_VALUE_FLOAT && spec->aggregator == VC_AGG_SUM) {
        vc_sum_add(&into->as.f.sum, &into->as.f.correction, from->as.f.sum);
        into->as.f.correction += from->as.f.correction;
    } else {
        into->as.sum += from->as.sum;
    }
    into->count += from->count;
}

/* Steps for the fixes of the source, and one for the joined leaf of each fact. */
static vc_status make_table(struct missing *in, vc_table *table, vc_error *error)
{
    const vc_cube_source *source = &in->cube->sources[in->source];
    const vc_binding *binding = &source->bindings[in->dimension];
    uint32_t nleaves = in->relation->nleaves;
    vc_step *steps = VC_ARENA_NEW(in->arena, vc_step, source->nfixes + 1);
    uint32_t *groups = VC_ARENA_NEW(in->arena, uint32_t, (size_t)nleaves + 1);
    uint64_t *passing = VC_ARENA_NEW(in->arena, uint64_t, vc_bits_words(nleaves) + 1);
    if (steps == NULL || groups == NULL || passing == NULL) return vc_no_memory(error);
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        groups[leaf] = leaf;
        if (in->relation->fates[leaf] != VC_FATE_MATCHED) vc_bit_set(passing, leaf);
    }
    steps[0] =
        (vc_step){.column = (uint16_t)(binding->tuples != NULL ? VC_COLUMN_TUPLES + in->dimension
                                                               : binding->source_dimension),
                  .tuples = binding->tuples,
                  .components = binding->components,
                  .nleaves = nleaves,
                  .stride = 1,
                  .groups = groups,
                  .is_ordered = true,
                  .dimension = SIZE_MAX};
    vc_step_set_passing(&steps[0], passing);
    vc_steps_put_fixes(source, steps + 1);
    *table = (vc_table){.steps = steps, .nsteps = source->nfixes + 1};
    table->ncells = nleaves > 0 ? nleaves : 1;
    table->strides[0] = 1;
    table->spans[0] = nleaves > 0 ? nleaves : 1;
    return VC_OK;
}

static vc_status find_values(struct missing *in, vc_error *error)
{
    size_t n = in->pass.naccumulators;
    vc_table table;
    vc_scan_stats stats;
    vc_cells *cells = NULL;
    in->accumulators = VC_ARENA_NEW(in->arena, vc_accumulator, in->relation->nunmatched * n + 1);
    in->all = VC_ARENA_NEW(in->arena, vc_accumulator, n + 1);
    if (in->accumulators == NULL || in->all == NULL) return vc_no_memory(error);
    if (n == 0 || in->relation->nunmatched == 0) return VC_OK;
    vc_status status = make_table(in, &table, error);
    if (status == VC_OK) status = vc_scan_run(in->plan, &in->pass, &table, &cells, &stats, error);
    if (status != VC_OK) return status;
    for (size_t slot = 0; slot < vc_cells_count(cells); slot++) {
        uint32_t leaf = (uint32_t)vc_cells_key(cells, (uint32_t)slot);
        if (vc_cells_facts(cells)[slot] == 0 || in->key_of_leaf[leaf] == VC_NONE) continue;
        for (size_t a = 0; a < n; a++) {
            vc_accumulator found = vc_cells_read(cells, a, (uint32_t)slot);
            add(&in->pass.accumulators[a], &in->accumulators[in->key_of_leaf[leaf] * n + a],
                &found);
            if (in->relation->fates[leaf] == VC_FATE_UNMATCHED)
                add(&in->pass.accumulators[a], &in->all[a], &found);
        }
    }
    vc_cells_free(cells);
    return VC_OK;
}

static vc_status put_cells(const struct missing *in, const vc_accumulator *accumulators,
                           vc_cell *cells, vc_error *error)
{
    for (size_t m = 0; m < in->plan->nasked; m++) {
        const vc_plan_measure *measure = &in->measures[m];
        vc_status status = vc_accumulator_cell(
            in->plan, measure, &accumulators[measure->accumulator], &cells[m], error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* ---- the page ---- */

struct ranked {
    uint32_t number;
    double size;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->size != y->size) return x->size > y->size ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static double size_of(const struct missing *in, const vc_cell *cell)
{
    if (in->plan->nasked == 0 || cell->is_null) return -1;
    return in->measures[0].type == VC_VALUE_FLOAT ? fabs(cell->as.f) : fabs((double)cell->as.i);
}

static vc_status list_keys(struct missing *in, const vc_missed_query *query, vc_missed *out,
                           vc_error *error)
{
    size_t nall = in->relation->nunmatched, n = in->plan->nasked;
    struct ranked *ranked = VC_ARENA_NEW(in->arena, struct ranked, nall + 1);
    vc_cell *cells = VC_ARENA_NEW(in->arena, vc_cell, nall * n + 1);
    vc_cell *all = VC_ARENA_NEW(in->arena, vc_cell, n + 1);
    vc_status status = VC_OK;
    if (ranked == NULL || cells == NULL || all == NULL) return vc_no_memory(error);
    for (uint32_t i = 0; i < nall && status == VC_OK; i++) {
        status = put_cells(in, &in->accumulators[i * in->pass.naccumulators], &cells[i * n], error);
        ranked[i] = (struct ranked){.number = i, .size = size_of(in, &cells[i * n])};
    }
    if (status == VC_OK) status = put_cells(in, in->all, all, error);
    if (status != VC_OK) return status;
    if (query->is_by_value && nall > 1) qsort(ranked, nall, sizeof *ranked, compare_ranked);
    size_t first = query->offset < nall ? query->offset : nall, left = nall - first;
    size_t nkeys = query->limit < left ? query->limit : left;
    vc_missed_key *keys = VC_ARENA_NEW(in->arena, vc_missed_key, nkeys + 1);
    if (keys == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nkeys; i++)
        keys[i] = (vc_missed_key){.key = &in->relation->unmatched[ranked[first + i].number],
                                  .values = &cells[ranked[first + i].number * n]};
    out->nall = nall;
    out->values = all;
    out->keys = keys;
    out->nkeys = nkeys;
    return vc_missed_guess(&in->keys, in->relation, keys, nkeys, in->arena, error);
}

static vc_status run_join(struct missing *in, const vc_missed_query *query, vc_missed *out,
                          vc_error *error)
{
    const vc_cube_source *source = &in->cube->sources[in->source];
    const vc_binding *binding = &source->bindings[in->dimension];
    in->relation = binding->relation;
    vc_status status =
        vc_join_keys_new(in->cube, in->source, in->dimension, in->arena, &in->keys, error);
    if (status == VC_OK) status = choose_measures(in, error);
    if (status == VC_OK) status = find_keys(in, error);
    if (status == VC_OK) status = find_values(in, error);
    if (status != VC_OK) return status;
    vc_missed_measure *measures = VC_ARENA_NEW(in->arena, vc_missed_measure, in->plan->nasked + 1);
    if (measures == NULL) return vc_no_memory(error);
    for (size_t m = 0; m < in->plan->nasked; m++)
        measures[m] = (vc_missed_measure){.name = in->measures[m].name,
                                          .type = in->measures[m].type,
                                          .scale = in->measures[m].scale};
    *out = (vc_missed){.source = source->alias,
                       .dimension = in->cube->dimensions[in->dimension].name,
                       .to_name = binding->tuples != NULL
                                      ? binding->to_name
                                      : source->cube->dimension_names[binding->source_dimension],
                       .through = vc_join_keys_text(&in->keys, in->arena),
                       .measures = measures,
                       .nmeasures = in->plan->nasked};
    return list_keys(in, query, out, error);
}

vc_status vc_missed_run(vc_model *model, const vc_cube *cube, const vc_missed_query *query,
                        const vc_engine_options *options, vc_arena *arena,
                        const vc_missed **missed_out, size_t *nmissed_out, vc_error *error)
{
    vc_engine_options filled = vc_engine_defaults(options);
    vc_missed *list = VC_ARENA_NEW(arena, vc_missed, cube->nsources * cube->ndimensions + 1);
    size_t count = 0;
    vc_status status = list == NULL ? vc_no_memory(error) : VC_OK;
    for (size_t s = 0; s < cube->nsources; s++)
        for (size_t d = 0; d < cube->ndimensions && status == VC_OK; d++) {
            struct missing in = {.model = model,
                                 .cube = cube,
                                 .options = &filled,
                                 .arena = arena,
                                 .source = s,
                                 .dimension = d};
            const vc_binding *binding = &cube->sources[s].bindings[d];
            if (binding->kind != VC_BIND_RELATION || binding->is_united ||
                cube->sources[s].is_unseen)
                continue;
            if (query->sources >> s & 1) status = run_join(&in, query, &list[count++], error);
        }
    *missed_out = list;
    *nmissed_out = count;
    return status;
}
