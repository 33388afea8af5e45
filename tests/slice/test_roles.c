/* What a role may see: the engine over a whole store, seen with random rights, beside the slow
 * evaluator (oracle.h) over a world that holds only what the role may see. VCUBE_ROUNDS says how
 * many worlds (default 250), VCUBE_SEED with which one to begin.
 *
 * The world is loaded as it is; then the structs lose what is hidden: rows of dimensions, and
 * facts. How a right on the virtual cube reaches the joined sources is taken from the evaluator's
 * own relation, leaf by leaf.
 */
#include "cube/rights.h"
#include "tests/slice/asking.h"
#include "tests/slice/compare.h"
#include "tests/slice/fixture.h"
#include "tests/slice/hiding.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct round {
    uint64_t seed;
    struct world world;
    struct fixture fixture;
    vc_pool *pool;
    struct hiding hiding;
    unsigned nasked, nskipped, nvalues, nerrors;
};

/* ---- ask ---- */

/* Where a leaf is seen because of one of its places, the keys of the others that match nothing are
 * in no count, for the engine. */
static enum compare_coverage coverage_of(const struct round *round)
{
    const struct world *world = &round->world;
    for (unsigned c = 0; c < world->ncubes; c++)
        for (unsigned d = 0; d < world->cubes[c].ndimensions; d++)
            if (world->cubes[c].dimensions[d]->has_places) return COMPARE_NONE;
    return world->has_append ? COMPARE_KNOWN : COMPARE_ALL;
}

static bool ask(struct round *round, struct oracle *oracle, vc_model *model, const vc_query *query,
                vc_buffer *why)
{
    vc_arena arena = {0};
    vc_error error = {0};
    const vc_result *result = NULL;
    vc_engine_options options = {.pool = round->pool};
    struct oracle_answer *expected = oracle_ask(oracle, query, &arena);
    vc_status status = vc_engine_run(model, query, &options, &arena, &result, &error);
    bool is_same;
    if (status != VC_OK || expected->error != NULL) {
        is_same =
            status != VC_OK && expected->error != NULL && strcmp(error.code, expected->error) == 0;
        if (!is_same)
            vc_buffer_printf(why, "error '%s' (%s), expected %s", error.code ? error.code : "none",
                             error.message, expected->error ? expected->error : "none");
        round->nerrors++;
    } else {
        is_same = compare_answers(oracle, query, result, expected, coverage_of(round), why);
        for (size_t i = 0; i < result->nrows * result->nmeasures; i++)
            round->nvalues += !result->cells[i].is_null;
    }
    round->nasked++;
    vc_arena_release(&arena);
    return is_same;
}

static void report(struct round *round, const vc_query *query, const vc_buffer *why)
{
    vc_buffer text = {0};
    asking_print(query, &text);
    fixture_write(&round->fixture, "query.txt", vc_buffer_text(&text));
    fixture_write(&round->fixture, "rights.txt", vc_buffer_text(&round->hiding.rights));
    char folder[128];
    snprintf(folder, sizeof folder, "%s/seen", round->fixture.path);
    mkdir(folder, 0700);
    world_write(&round->world, folder, false); /* what is left, to be loaded by itself */
    fixture_keep(&round->fixture);
    cr_assert_fail("seed %llu: %s\n%s\nrights %s\nthe cubes are in %s",
                   (unsigned long long)round->seed, vc_buffer_text((vc_buffer *)why),
                   vc_buffer_text(&text), vc_buffer_text(&round->hiding.rights),
                   round->fixture.path);
}

static void ask_cube(struct round *round, vc_model *model, const char *cube, unsigned nqueries)
{
    const char *error;
    struct oracle *oracle = oracle_new(&round->world, cube, &error);
    vc_buffer why = {0};
    if (oracle == NULL) { /* what is left does not hold together; the whole did */
        round->nskipped++;
        return;
    }
    for (unsigned i = 0; i < nqueries; i++) {
        vc_arena arena = {0};
        vc_query query = asking_make(oracle, cube, &round->world.random, 300, &arena);
        if (!ask(round, oracle, model, &query, &why)) report(round, &query, &why);
        vc_arena_release(&arena);
    }
    vc_buffer_release(&why);
    oracle_free(oracle);
}

static bool load_world(struct round *round)
{
    vc_error error = {0};
    const char *expected;
    struct oracle *oracle = oracle_new(&round->world, "v", &expected);
    bool is_good = oracle != NULL;
    oracle_free(oracle);
    if (!is_good) return false;
    world_write(&round->world, round->fixture.path, false);
    vc_status status = fixture_load(&round->fixture, false, &error);
    if (status == VC_OK && round->world.has_append) {
        world_write(&round->world, round->fixture.path, true);
        status = fixture_load(&round->fixture, true, &error);
    }
    cr_assert_eq(status, VC_OK, "seed %llu: %s", (unsigned long long)round->seed, error.message);
    return true;
}

static void play(struct round *round, unsigned nfacts_max, unsigned nqueries)
{
    vc_error error = {0};
    vc_model *model;
    const vc_rights *rights;
    fixture_open(&round->fixture);
    world_make_with(&round->world, round->seed, nfacts_max,
                    random_setting("VCUBE_KINDS", WORLD_RAGGED | WORLD_TREES | WORLD_PLACES));
    for (unsigned s = 0; s < round->world.nsources; s++)
        round->world.sources[s].fix.is_there = false; /* of a member that may be hidden */
    for (unsigned t = 0; t < round->world.ntaken; t++)
        round->world.taken[t].fix.is_there = false;
    /* What a measure leaves out is the same for everybody: a leaf that stands under a member which
     * is left out, and which the role sees elsewhere, is out. A world without the rest differs. */
    for (unsigned c = 0; c < round->world.ncubes; c++)
        for (unsigned m = 0; m < round->world.cubes[c].nmeasures; m++) {
            struct world_measure *measure = &round->world.cubes[c].measures[m];
            if (measure->has_where &&
                round->world.cubes[c].dimensions[measure->where_dimension]->has_places)
                measure->has_where = false;
        }
    round->hiding.world = &round->world;
    round->hiding.arena = &round->fixture.arena;
    if (load_world(round)) {
        hiding_choose(&round->hiding);
        if (hiding_can_filter(&round->hiding)) {
            cr_assert_eq(vc_rights_parse(vc_str_of(vc_buffer_text(&round->hiding.rights)),
                                         &round->fixture.arena, &rights, &error),
                         VC_OK, "seed %llu: %s in %s", (unsigned long long)round->seed,
                         error.message, vc_buffer_text(&round->hiding.rights));
            cr_assert_eq(vc_model_restrict(round->fixture.model, rights, &model, &error), VC_OK);
            hiding_filter(&round->hiding);
            ask_cube(round, model, "v", nqueries);
            /* By itself a source is cut by its own rights only, which the virtual cube's are not.
             */
        } else {
            round->nskipped++;
        }
        hiding_release(&round->hiding);
    }
    fixture_close(&round->fixture);
    world_release(&round->world);
}

Test(roles, small_worlds, .timeout = 3600)
{
    static struct round round;
    unsigned nrounds = random_setting("VCUBE_ROUNDS", 250), seed = random_setting("VCUBE_SEED", 1);
    vc_error error = {0};
    cr_assert_eq(vc_pool_new(random_setting("VCUBE_THREADS", 2), &round.pool, &error), VC_OK);
    for (unsigned i = 0; i < nrounds; i++) {
        round.seed = seed + i;
        play(&round, 120, 20);
    }
    vc_pool_free(round.pool);
    fprintf(
        stderr,
        "%u queries, %u values, %u errors, %u worlds skipped; %u cuts of sources, %u of virtual "
        "cubes, %u of %u facts hidden\n",
        round.nasked, round.nvalues, round.nerrors, round.nskipped, round.hiding.ncuts,
        round.hiding.nvirtual, round.hiding.nhidden, round.hiding.nfacts);
    vc_buffer_release(&round.hiding.rights);
    if (nrounds < 250 || seed != 1) return;
    cr_assert_gt(round.nvalues, 5000);
    cr_assert_gt(round.hiding.nhidden, 5000);
}
