/* Why a cell has its value, in random worlds: whatever the aggregator, the `over`, the `where` and
 * the join, what the value is made of must make it again. */
#include "slice/lineage.h"

#include "tests/slice/asking.h"
#include "tests/slice/fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct tally {
    unsigned from_parts, from_facts, with_over, with_where;
};

static void check_source(const vc_lineage_source *source, unsigned long long seed,
                         const char *question, struct tally *tally)
{
    if (source->cell.is_null && source->cell.reason != VC_REASON_NULL) return;
    cr_assert(source->is_checked, "seed %llu: %.*s was not checked: %s\n%s", seed,
              VC_FMT(source->measure), source->putting, question);
    cr_assert(source->adds_up,
              "seed %llu: %.*s (%s) is not what its %llu facts make: %lld %g, not %lld %g\n%s",
              seed, VC_FMT(source->measure), vc_aggregator_name(source->aggregator),
              (unsigned long long)source->nfacts, (long long)source->again.as.i, source->again.as.f,
              (long long)source->cell.as.i, source->cell.as.f, question);
    tally->from_parts += !source->from_facts;
    tally->from_facts += source->from_facts;
    tally->with_over += source->over_word != NULL && source->from_facts;
    tally->with_where += source->where.size > 0;
}

static void check_cell(struct fixture *fixture, const vc_query *query, vc_str measure,
                       unsigned long long seed, struct tally *tally)
{
    const vc_lineage *lineage;
    vc_arena arena = {0};
    vc_buffer text = {0};
    vc_error error = {0};
    vc_measure_ref ref = {.name = measure};
    vc_query cell = vc_query_default();
    cell.cube = query->cube;
    cell.conditions = query->conditions;
    cell.nconditions = query->nconditions;
    cell.measures = &ref;
    cell.nmeasures = 1;
    asking_print(&cell, &text);
    vc_lineage_query why = {.query = &cell, .limit = 3};
    vc_status status = vc_lineage_run(fixture->model, &why, NULL, &arena, &lineage, &error);
    if (status == VC_OK)
        for (size_t i = 0; i < lineage->nsources; i++)
            check_source(&lineage->sources[i], seed, vc_buffer_text(&text), tally);
    else /* some questions are wrong on purpose */
        cr_assert(status == VC_IMPOSSIBLE || status == VC_NOT_FOUND || status == VC_BAD_INPUT,
                  "seed %llu: %s\n%s", seed, error.message, vc_buffer_text(&text));
    vc_buffer_release(&text);
    vc_arena_release(&arena);
}

static void check_world(struct world *world, struct fixture *fixture, unsigned long long seed,
                        struct tally *tally)
{
    const char *reason;
    const vc_cube *cube;
    vc_error error = {0};
    vc_arena arena = {0};
    struct oracle *oracle = oracle_new(world, "v", &reason);
    if (oracle == NULL) return;
    world_write(world, fixture->path, false);
    fixture_need_load(fixture, false);
    if (world->has_append) {
        world_write(world, fixture->path, true);
        fixture_need_load(fixture, true);
    }
    cr_assert_eq(vc_model_cube(fixture->model, VC_STR("v"), &cube, &error), VC_OK);
    for (unsigned q = 0; q < 4; q++) {
        vc_query query = asking_make(oracle, "v", &world->random, 200, &arena);
        for (size_t m = 0; m < cube->nmeasures; m++)
            if (!cube->measures[m].is_hidden)
                check_cell(fixture, &query, cube->measures[m].name, seed, tally);
    }
    oracle_free(oracle);
    vc_arena_release(&arena);
}

Test(lineage, makes_the_value_again, .timeout = 3600)
{
    unsigned nrounds = random_setting("VCUBE_ROUNDS", 240) / 4;
    uint64_t first = random_setting("VCUBE_SEED", 1);
    struct tally tally = {0};
    for (unsigned i = 0; i < nrounds; i++) {
        struct world world;
        struct fixture fixture = {0};
        fixture_open(&fixture);
        world_make(&world, first + 110000 + i, 80);
        check_world(&world, &fixture, (unsigned long long)(first + 110000 + i), &tally);
        fixture_close(&fixture);
        world_release(&world);
    }
    cr_assert(tally.from_parts > 0 && tally.from_facts > 0 && tally.with_over > 0 &&
                  tally.with_where > 0,
              "%u %u %u %u", tally.from_parts, tally.from_facts, tally.with_over, tally.with_where);
}
