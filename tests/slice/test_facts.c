/* Drill-through: the facts behind every cell of random answers are as many as the cell counts, and
 * what is added up over them by hand is the value of the cell. Lineage: it tells of the same cell,
 * and its parts put together are the value. */
#include "slice/facts.h"
#include "slice/lineage.h"
#include "tests/slice/asking.h"
#include "tests/slice/fixture.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(facts, .timeout = 900);

struct drill {
    struct fixture *fixture;
    vc_arena *arena;
    const vc_cube *cube;
    uint64_t seed;
    unsigned ncells, nempty, nfacts, nnulls, nchecked, nparts;
};

/* ---- cells as cuts ---- */

/* The cut of a query together with the members of a row. */
static vc_query cut_to_row(struct drill *in, const vc_query *query, const vc_result *result,
                           size_t row)
{
    vc_query cut = vc_query_default();
    vc_condition *conditions = VC_ARENA_NEW(in->arena, vc_condition, result->naxes + 1);
    vc_item *items = VC_ARENA_NEW(in->arena, vc_item, result->naxes + 1);
    vc_condition **list =
        VC_ARENA_NEW(in->arena, vc_condition *, query->nconditions + result->naxes + 1);
    cut.cube = query->cube;
    for (size_t i = 0; i < query->nconditions; i++)
        list[cut.nconditions++] = query->conditions[i];
    for (size_t a = 0; a < result->naxes && row < result->nrows; a++) {
        uint32_t at = result->coords[row * result->naxes + a];
        const vc_result_member *member = &result->axes[a].members[at];
        size_t nkeys = result->axes[a].nlevels;
        vc_str *keys = VC_ARENA_NEW(in->arena, vc_str, nkeys);
        for (size_t k = 0; k < nkeys; k++)
            keys[k] = member->keys[k].data == NULL ? VC_STR("") : member->keys[k];
        items[a] = (vc_item){.kind = VC_ITEM_PATH, .keys = keys, .nkeys = nkeys};
        if (member->is_synthetic) {
            items[a].keys = &keys[nkeys - 1];
            items[a].nkeys = 1;
        }
        conditions[a] = (vc_condition){
            .dimref = {.dimension = result->axes[a].dimension}, .items = &items[a], .nitems = 1};
        list[cut.nconditions++] = &conditions[a];
    }
    cut.conditions = list;
    return cut;
}

/* ---- by hand ---- */

/* The aggregate of the first field over the facts; false: of none. */
static bool aggregate(const vc_cube_measure *measure, const vc_fact_set *set, long double *out)
{
    long double sum = 0, least = INFINITY, most = -INFINITY;
    size_t count = 0;
    for (size_t row = 0; row < set->nrows; row++) {
        const vc_fact_cell *cell = &set->cells[row * set->nfields];
        if (cell->is_null) continue;
        long double value =
            set->fields[0].type == VC_VALUE_FLOAT ? cell->as.f : (long double)cell->as.i;
        if (set->fields[0].type == VC_VALUE_DECIMAL) value /= powl(10, set->fields[0].scale);
        sum += value;
        least = fminl(least, value);
        most = fmaxl(most, value);
        count++;
    }
    switch (measure->aggregator) {
    case VC_AGG_SUM: *out = sum; break;
    case VC_AGG_MIN: *out = least; break;
    case VC_AGG_MAX: *out = most; break;
    case VC_AGG_AVG: *out = count > 0 ? sum / count : 0; break;
    default: *out = count; return true;
    }
    return count > 0;
}

static bool is_by_hand(const vc_cube_measure *measure)
{
    vc_aggregator aggregator = measure->aggregator;
    if (measure->over > VC_OVER_FIRST) return false; /* not all of its facts count */
    return aggregator == VC_AGG_SUM || aggregator == VC_AGG_MIN || aggregator == VC_AGG_MAX ||
           aggregator == VC_AGG_AVG || aggregator == VC_AGG_COUNT;
}

/* What was asked, for a person. */
static const char *say(const vc_query *query)
{
    static vc_buffer text;
    vc_buffer_clear(&text);
    asking_print(query, &text);
    return vc_buffer_text(&text);
}

static bool same_cell(const vc_cell *a, const vc_cell *b)
{
    return a->is_null == b->is_null && a->reason == b->reason && (a->is_null || a->as.i == b->as.i);
}

/* What the lineage of a source says of itself. */
static void check_source(struct drill *in, const vc_lineage_source *source, const vc_query *query)
{
    uint64_t nfacts = source->rest.facts;
    for (size_t i = 0; i < source->nlisted; i++)
        nfacts += source->parts[i].facts;
    cr_assert_eq(nfacts, source->nfacts);
    in->nparts += (unsigned)source->nparts;
    if (!source->is_checked) return;
    in->nchecked++;
    cr_assert(source->adds_up,
              "seed %llu, %.*s: %s of %zu parts is not the value (%lld, null %d %c; again %lld, "
              "null %d)\n%s",
              (unsigned long long)in->seed, VC_FMT(source->measure),
              vc_aggregator_name(source->aggregator), (size_t)source->nparts,
              (long long)source->cell.as.i, source->cell.is_null, source->cell.reason,
              (long long)source->again.as.i, source->again.is_null, say(query));
    for (size_t d = 0; d < source->ndimensions; d++) {
        const vc_lineage_dimension *dimension = &source->dimensions[d];
        cr_assert_geq(dimension->nlinks, dimension->translated.count);
        if (dimension->reason == VC_REASON_UNMATCHED)
            cr_assert_eq(dimension->translated.count, 0,
                         "seed %llu, %.*s: unmatched, but found\n%s", (unsigned long long)in->seed,
                         VC_FMT(source->measure), say(query));
    }
}

static void check_lineage(struct drill *in, const vc_query *cut, vc_str measure,
                          const vc_cell *cell)
{
    vc_error error = {0};
    const vc_lineage *lineage;
    vc_measure_ref ref = {.name = measure};
    vc_query query = *cut;
    vc_lineage_query asked = {.query = &query, .limit = 2};
    query.measures = &ref;
    query.nmeasures = 1;
    vc_status status =
        vc_lineage_run(in->fixture->model, &asked, NULL, in->arena, &lineage, &error);
    cr_assert_eq(status, VC_OK, "seed %llu, %.*s: %s", (unsigned long long)in->seed,
                 VC_FMT(measure), error.message);
    cr_assert(same_cell(&lineage->cell, cell), "seed %llu, %.*s: lineage tells of another value",
              (unsigned long long)in->seed, VC_FMT(measure));
    for (size_t s = 0; s < lineage->nsources; s++)
        check_source(in, &lineage->sources[s], &query);
}

static void check_cell(struct drill *in, const vc_query *cut, const vc_cube_measure *measure,
                       const vc_cell *cell)
{
    vc_error error = {0};
    const vc_facts *facts;
    vc_measure_ref ref = {.name = measure->name};
    vc_query query = *cut;
    query.measures = &ref;
    query.nmeasures = 1;
    vc_facts_query asked = {.query = &query,
                            .fields = &measure->name,
                            .nfields = measure->column >= 0,
                            .limit = UINT64_MAX};
    vc_status status = vc_facts_run(in->fixture->model, &asked, NULL, in->arena, &facts, &error);
    cr_assert_eq(status, VC_OK, "seed %llu, %.*s: %s", (unsigned long long)in->seed,
                 VC_FMT(measure->name), error.message);
    cr_assert_eq(facts->nsets, 1);
    const vc_fact_set *set = &facts->sets[0];
    cr_assert_eq(set->nrows, set->count, "seed %llu, %.*s: %zu facts of %llu",
                 (unsigned long long)in->seed, VC_FMT(measure->name), set->nrows,
                 (unsigned long long)set->count);
    in->ncells++;
    in->nempty += set->count == 0;
    in->nfacts += (unsigned)set->count;
    in->nnulls += cell->is_null;
    if (cell->is_null && cell->reason != VC_REASON_NULL &&
        cell->reason != VC_REASON_UNDEFINED) { /* no facts, and for the same reason */
        cr_assert_eq(set->count, 0, "seed %llu, %.*s: %llu facts where the cell is null %c",
                     (unsigned long long)in->seed, VC_FMT(measure->name),
                     (unsigned long long)set->count, cell->reason);
        cr_assert_eq(set->reason, cell->reason, "seed %llu, %.*s: %c, the cell says %c",
                     (unsigned long long)in->seed, VC_FMT(measure->name), set->reason,
                     cell->reason);
        return;
    }
    if (!is_by_hand(measure)) return;
    long double expected = (long double)set->count;
    bool has_value = true;
    if (measure->column >= 0) has_value = aggregate(measure, set, &expected);
    cr_assert_eq(has_value, !cell->is_null, "seed %llu, %.*s", (unsigned long long)in->seed,
                 VC_FMT(measure->name));
    if (!has_value) return;
    long double actual = measure->type == VC_VALUE_FLOAT ? cell->as.f : (long double)cell->as.i;
    if (measure->type == VC_VALUE_DECIMAL) actual /= powl(10, measure->scale);
    cr_assert_leq(fabsl(actual - expected), 1e-9L * (1 + fabsl(expected)),
                  "seed %llu, %.*s: %Lg by hand, the cell says %Lg\n%s",
                  (unsigned long long)in->seed, VC_FMT(measure->name), expected, actual,
                  say(&query));
}

/* The answer to the cut alone: what its cell says. */
static void check_cut(struct drill *in, const vc_query *cut)
{
    vc_error error = {0};
    const vc_result *result;
    vc_measure_ref ref = {0};
    for (size_t m = 0; m < in->cube->nmeasures; m++) {
        const vc_cube_measure *measure = &in->cube->measures[m];
        vc_query query = *cut;
        if (measure->is_hidden) continue;
        ref.name = measure->name;
        query.measures = &ref;
        query.nmeasures = 1;
        if (vc_engine_run(in->fixture->model, &query, NULL, in->arena, &result, &error) != VC_OK)
            continue;
        check_lineage(in, cut, measure->name, result->summary);
        if (measure->expr == NULL) check_cell(in, cut, measure, result->summary);
    }
}

/* Unmatched leaves whose keys read alike are one cut and several rows. */
static bool has_twin(const vc_result *result, size_t row)
{
    for (size_t a = 0; a < result->naxes; a++) {
        const vc_result_axis *axis = &result->axes[a];
        const vc_result_member *member = &axis->members[result->coords[row * result->naxes + a]];
        size_t nsame = 0;
        for (size_t i = 0; member->is_synthetic && i < axis->nmembers; i++)
            nsame += axis->members[i].is_synthetic &&
                     vc_str_equal(axis->members[i].keys[axis->nlevels - 1],
                                  member->keys[axis->nlevels - 1]);
        if (nsame > 1) return true;
    }
    return false;
}

static void check_answer(struct drill *in, const vc_query *query, const vc_result *result)
{
    for (size_t row = 0; row < result->ndetail_rows && row < 4; row++) {
        if (has_twin(result, row)) continue;
        vc_query cut = cut_to_row(in, query, result, row);
        for (size_t m = 0; m < result->nmeasures; m++) {
            const vc_cell *cell = &result->cells[row * result->nmeasures + m];
            size_t number;
            cr_assert_eq(vc_cube_find_measure(in->cube, result->measures[m].name, &number, NULL),
                         VC_OK);
            /* Rows below the grain are not what is cut there: a year of one month. */
            if (cell->reason == VC_REASON_GRAIN || in->cube->measures[number].expr != NULL)
                continue;
            check_lineage(in, &cut, result->measures[m].name, cell);
            check_cell(in, &cut, &in->cube->measures[number], cell);
        }
    }
    vc_query whole = cut_to_row(in, query, result, SIZE_MAX);
    check_cut(in, &whole);
}

static void play(struct drill *in, struct world *world, const char *name, unsigned nqueries)
{
    vc_error error = {0};
    const char *expected;
    struct oracle *oracle = oracle_new(world, name, &expected);
    if (oracle == NULL) return;
    cr_assert_eq(vc_model_cube(in->fixture->model, vc_str_of(name), &in->cube, &error), VC_OK, "%s",
                 error.message);
    for (unsigned i = 0; i < nqueries; i++) {
        vc_arena arena = {0};
        const vc_result *result;
        in->arena = &arena;
        vc_query query = asking_make(oracle, name, &world->random, 60, &arena);
        query.has_parents = true;
        query.ntotals = query.ntops = query.norders = query.nhavings = 0;
        if (vc_engine_run(in->fixture->model, &query, NULL, &arena, &result, &error) == VC_OK)
            check_answer(in, &query, result);
        vc_arena_release(&arena);
    }
    oracle_free(oracle);
}

Test(facts, as_many_as_are_counted)
{
    static struct world world;
    unsigned nrounds = random_setting("VCUBE_ROUNDS", 250) / 4,
             first = random_setting("VCUBE_SEED", 1);
    struct drill in = {0};
    for (unsigned i = 0; i < nrounds; i++) {
        struct fixture fixture;
        vc_error error = {0};
        in.seed = first + i;
        in.fixture = &fixture;
        world_make(&world, in.seed, 120);
        fixture_open(&fixture);
        world_write(&world, fixture.path, false);
        vc_status status = fixture_load(&fixture, false, &error);
        if (status == VC_OK && world.has_append) {
            world_write(&world, fixture.path, true);
            status = fixture_load(&fixture, true, &error);
        }
        if (status == VC_OK) {
            play(&in, &world, "v", 4);
            play(&in, &world, world.cubes[0].name, 1);
        }
        fixture_close(&fixture);
        world_release(&world);
    }
    fprintf(
        stderr,
        "%u cells drilled, %u without facts, %u null, %u facts; %u values checked, of %u parts\n",
        in.ncells, in.nempty, in.nnulls, in.nfacts, in.nchecked, in.nparts);
    if (nrounds < 50) return;
    cr_assert_gt(in.ncells, 1000);
    cr_assert_gt(in.nempty, 50);
    cr_assert_gt(in.nfacts, 10000);
    cr_assert_gt(in.nchecked, 500);
}
