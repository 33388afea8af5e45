#include "slice/facts.h"

#include "base/list.h"
#include "slice/calculated.h"
#include "slice/facts_parts.h"

#include <string.h>

struct finding {
    vc_model *model;
    const vc_facts_query *query;
    vc_arena *arena;
    const vc_cube *cube;
    vc_cube_measure *counts; /* one for each set: the number of its facts */
    vc_str **readers;        /* [nsets] measures that read the set */
    size_t *nreaders;
    size_t nsets;
    bool *is_known; /* [nfields of the query] */
};

/* ---- what is to be counted ---- */

static vc_cube_measure count_of(size_t source)
{
    return (vc_cube_measure){.name = VC_STR("facts"),
                             .aggregator = VC_AGG_COUNT,
                             .type = VC_VALUE_INT,
                             .source = source,
                             .column = -1,
                             .weight_column = -1,
                             .distinct_dimension = -1,
                             .mode = VC_MODE_SET}; /* each fact once, whatever its weight */
}

static bool same_facts(const vc_cube_measure *a, const vc_cube_measure *b)
{
    return a->source == b->source && a->over == b->over &&
           (a->over == VC_OVER_NONE || a->over_dimension == b->over_dimension) &&
           a->nfixes == b->nfixes && (a->nfixes == 0 || a->fixes == b->fixes) &&
           a->nwheres == b->nwheres && (a->nwheres == 0 || a->wheres == b->wheres) &&
           a->unrelated == b->unrelated && a->stands == b->stands && a->nstands == b->nstands;
}

/* The facts that a base measure reads: of `last` those of the last leaf, of what is resolved per
 * combination all of them. */
static void add_measure(struct finding *in, const vc_cube_measure *measure, size_t nmax)
{
    vc_cube_measure count = count_of(measure->source);
    if (measure->over == VC_OVER_LAST || measure->over == VC_OVER_FIRST) count.over = measure->over;
    count.over_dimension = measure->over_dimension;
    count.fixes = measure->fixes;
    count.nfixes = measure->nfixes;
    count.wheres = measure->wheres;
    count.nwheres = measure->nwheres;
    count.unrelated = measure->unrelated;
    count.stands = measure->stands;
    count.nstands = measure->nstands;
    size_t at = 0;
    while (at < in->nsets && !same_facts(&in->counts[at], &count))
        at++;
    if (at == in->nsets) {
        in->readers[at] = VC_ARENA_NEW(in->arena, vc_str, nmax);
        in->counts[in->nsets++] = count;
    }
    if (in->readers[at] != NULL && !measure->is_withheld)
        in->readers[at][in->nreaders[at]++] = measure->name;
}

static vc_status choose_sets(struct finding *in, const vc_engine_options *options, vc_error *error)
{
    const vc_query *query = in->query->query;
    uint64_t wanted = UINT64_MAX;
    size_t nmax = in->cube->nmeasures * 2 + in->cube->nsources + 1;
    vc_status status = VC_OK;
    vc_plan *plan;
    in->counts = VC_ARENA_NEW(in->arena, vc_cube_measure, nmax);
    in->readers = VC_ARENA_NEW(in->arena, vc_str *, nmax);
    in->nreaders = VC_ARENA_NEW(in->arena, size_t, nmax);
    if (in->counts == NULL || in->readers == NULL || in->nreaders == NULL)
        return vc_no_memory(error);
    if (!vc_str_is_null(in->query->source)) {
        status = vc_cube_find_sources(in->cube, in->query->source, &wanted, error);
        if (status != VC_OK) vc_error_at_offset(error, "source", 0);
    }
    if (status == VC_OK && query->nmeasures == 0) {
        for (size_t s = 0; s < in->cube->nsources; s++)
            if ((wanted >> s & 1) != 0 && !in->cube->sources[s].is_unseen)
                in->counts[in->nsets++] = count_of(s);
        return VC_OK;
    }
    if (status == VC_OK) status = vc_plan_make(in->model, query, options, in->arena, &plan, error);
    for (size_t m = 0; status == VC_OK && m < plan->nmeasures; m++)
        if (plan->measures[m].expr == NULL && (wanted >> plan->measures[m].measure->source & 1))
            add_measure(in, plan->measures[m].measure, nmax);
    return status;
}

/* ---- rows ---- */

struct collecting {
    vc_fact_teller *teller;
    vc_arena *arena;
    vc_list cells; /* rows of vc_fact_cell [nfields] */
    size_t nfields;
    uint64_t nseen, offset, limit, nrows;
};

static vc_status collect(void *context, const vc_lane *lane, bool *is_enough_out, vc_error *error)
{
    struct collecting *in = context;
    for (size_t i = 0; i < lane->count; i++) {
        if (in->nseen++ < in->offset) continue;
        vc_fact_cell *cells =
            vc_list_add(&in->cells, in->arena, (in->nfields + 1) * sizeof(vc_fact_cell));
        if (cells == NULL) return vc_no_memory(error);
        vc_status status = vc_fact_teller_tell(
            in->teller, lane->segment, lane->block * VC_BLOCK_ROWS + lane->rows[i], cells, error);
        if (status != VC_OK) return status;
        if (++in->nrows < in->limit) continue;
        *is_enough_out = true;
        return VC_OK;
    }
    return VC_OK;
}

/* Rows as one array, without the room that the list keeps for a row of no fields. */
static vc_status put_rows(const struct collecting *in, vc_fact_set *set, vc_error *error)
{
    vc_fact_cell *cells = VC_ARENA_NEW(in->arena, vc_fact_cell, in->nrows * in->nfields + 1);
    if (cells == NULL) return vc_no_memory(error);
    for (size_t row = 0; row < in->nrows; row++)
        memcpy(cells + row * in->nfields,
               (const vc_fact_cell *)in->cells.items + row * (in->nfields + 1),
               in->nfields * sizeof *cells);
    set->cells = cells;
    set->nrows = (size_t)in->nrows;
    return VC_OK;
}

/* What is scanned: where facts count in parts, their classes. */
static const vc_table *scanned_table(const vc_grain *grain, size_t pass)
{
    const vc_table *table = grain->tables[pass];
    return table->classes != NULL ? table->classes : table;
}

/* Below its grain a fact may count in parts; here it is one all the same. */
static vc_status count_whole(const vc_plan *plan, const vc_grain *grain, size_t number,
                             uint64_t *count_out, vc_error *error)
{
    vc_pass pass = plan->passes[number];
    vc_scan_stats stats;
    vc_cells *cells = NULL;
    pass.naccumulators = 0;
    *count_out = 0;
    vc_status status =
        vc_scan_run(plan, &pass, scanned_table(grain, number), &cells, &stats, error);
    for (size_t slot = 0; status == VC_OK && slot < vc_cells_count(cells); slot++)
        *count_out += vc_cells_facts(cells)[slot];
    vc_cells_free(cells);
    return status;
}

static vc_status find_rows(const struct finding *in, const vc_plan *plan, const vc_grain *grain,
                           size_t number, vc_fact_set *set, vc_error *error)
{
    vc_pass pass = plan->passes[plan->measures[number].pass];
    const vc_table *table = scanned_table(grain, plan->measures[number].pass);
    struct collecting collecting = {
        .arena = in->arena, .offset = in->query->offset, .limit = in->query->limit};
    vc_status status = vc_fact_teller_new(plan, pass.source, in->query, in->is_known, in->arena,
                                          &collecting.teller, error);
    if (status != VC_OK) return status;
    set->fields = vc_fact_teller_fields(collecting.teller, &set->nfields);
    collecting.nfields = set->nfields;
    if (set->count == 0 || in->query->limit == 0 || in->query->offset >= set->count) return VC_OK;
    pass.naccumulators = 0;
    status = vc_scan_visit(plan, &pass, table, collect, &collecting, error);
    if (status != VC_OK) return status;
    if (collecting.nrows < in->query->limit && collecting.nseen != set->count)
        return vc_fail(error, VC_CORRUPT, "storage_damaged",
                       "cube '%.*s': %llu facts were counted, %llu found", VC_FMT(set->cube),
                       (unsigned long long)set->count, (unsigned long long)collecting.nseen);
    return put_rows(&collecting, set, error);
}

/* ---- sets ---- */

/* Dimensions that the source, or the measure, fixes, or restricts by its `where`. */
static vc_status name_fixes(const struct finding *in, const vc_pass *pass, vc_fact_set *set,
                            vc_error *error)
{
    const vc_cube_source *source = &in->cube->sources[pass->source];
    vc_str *names =
        VC_ARENA_NEW(in->arena, vc_str, source->nfixes + pass->nfixes + pass->nwheres + 1);
    if (names == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < source->nfixes + pass->nfixes + pass->nwheres; i++) {
        size_t own = i - source->nfixes, where = own - pass->nfixes;
        const vc_cube_fix *fix = i < source->nfixes   ? &source->fixes[i]
                                 : own < pass->nfixes ? &pass->fixes[own]
                                                      : &pass->wheres[where];
        vc_str name = source->cube->dimension_names[fix->source_dimension];
        bool is_named = false;
        for (size_t j = 0; j < set->nfixes; j++)
            is_named |= vc_str_equal(names[j], name);
        if (!is_named) names[set->nfixes++] = name;
    }
    set->fixes = names;
    return VC_OK;
}

static vc_status fill_set(const struct finding *in, const vc_plan *plan, vc_grain *grain,
                          size_t number, vc_fact_set *set, vc_error *error)
{
    const vc_plan_measure *measure = &plan->measures[number];
    const vc_cube_source *source = &in->cube->sources[measure->measure->source];
    vc_cell cell;
    bool has_facts;
    uint32_t groups[VC_MAX_AXES] = {0};
    set->source = in->cube->is_virtual ? source->alias : in->cube->name;
    set->cube = source->cube->name;
    set->measures = in->readers[number];
    set->nmeasures = in->nreaders[number];
    vc_status status = name_fixes(in, &plan->passes[measure->pass], set, error);
    if (status == VC_OK) status = vc_grain_need(grain, number, NULL, error);
    if (status == VC_OK) status = vc_grain_read(grain, number, groups, &cell, &has_facts, error);
    if (status != VC_OK) return status;
    if (!cell.is_null && grain->tables[measure->pass]->classes != NULL)
        status = count_whole(plan, grain, measure->pass, &set->count, error);
    else if (!cell.is_null)
        set->count = (uint64_t)cell.as.i;
    if (status != VC_OK) return status;
    set->reason = set->count == 0 && !cell.is_null ? VC_REASON_EMPTY : cell.reason;
    return find_rows(in, plan, grain, number, set, error);
}

static vc_status check_fields(const struct finding *in, vc_error *error)
{
    for (size_t i = 0; i < in->query->nfields; i++) {
        vc_nearest nearest;
        if (in->is_known[i]) continue;
        vc_nearest_init(&nearest, in->query->fields[i]);
        for (size_t s = 0; s < in->nsets; s++)
            vc_fact_fields_offer(in->cube, in->counts[s].source, in->arena, &nearest);
        vc_fail(error, VC_BAD_INPUT, "unknown_field", "the facts of '%.*s' have no field '%.*s'",
                VC_FMT(in->cube->name), VC_FMT(in->query->fields[i]));
        vc_nearest_report(&nearest, error);
        vc_error_at_pointer(error, "fields");
        return VC_BAD_INPUT;
    }
    return VC_OK;
}

vc_status vc_facts_run(vc_model *model, const vc_facts_query *query,
                       const vc_engine_options *options, vc_arena *arena,
                       const vc_facts **facts_out, vc_error *error)
{
    vc_engine_options filled = vc_engine_defaults(options);
    vc_query cut = *query->query; /* a cell has no rows of its own */
    vc_facts_query asked = *query;
    struct finding in = {.model = model,
                         .query = &asked,
                         .arena = arena,
                         .is_known = VC_ARENA_NEW(arena, bool, query->nfields + 1)};
    vc_facts *facts = VC_ARENA_NEW(arena, vc_facts, 1);
    vc_grain *grain = NULL;
    vc_plan *plan;
    if (facts == NULL || in.is_known == NULL) return vc_no_memory(error);
    cut.naxes = cut.nhavings = cut.norders = cut.ntops = cut.ntotals = cut.nproperties = 0;
    asked.query = &cut;
    vc_status status = vc_model_cube(model, cut.cube, &in.cube, error);
    if (status == VC_OK) status = choose_sets(&in, &filled, error);
    if (status == VC_OK)
        status = vc_plan_make_of(model, &cut, &filled, in.counts, in.nsets, arena, &plan, error);
    if (status == VC_OK) status = vc_plan_refuse_calculated(plan, "has no facts", error);
    if (status == VC_OK) status = vc_grain_new(plan, 0, &grain, error);
    if (status != VC_OK) return status;
    vc_fact_set *sets = VC_ARENA_NEW(arena, vc_fact_set, in.nsets + 1);
    if (sets == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < in.nsets && status == VC_OK; i++)
        status = fill_set(&in, plan, grain, i, &sets[i], error);
    vc_grain_release(grain);
    if (status == VC_OK) status = check_fields(&in, error);
    *facts = (vc_facts){.cube = in.cube->name,
                        .snapshot = vc_str_of(vc_snapshot_id(vc_model_snapshot(model))),
                        .is_virtual = in.cube->is_virtual,
                        .sets = sets,
                        .nsets = in.nsets,
                        .offset = query->offset,
                        .limit = query->limit};
    *facts_out = facts;
    return status;
}
