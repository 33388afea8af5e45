/* The laws of semantics section 1 (query/laws.h) on random worlds. Each compares answers of the
 * engine with answers of the engine, in cases made at random from the model.
 *
 * VCUBE_ROUNDS cases of each law (240), worlds from VCUBE_SEED on (1). A full run is
 * VCUBE_ROUNDS=20000. */
#include "query/laws.h"
#include "tests/slice/asking.h"
#include "tests/slice/fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CASES_PER_WORLD = 10, FEW_FACTS = 80, MANY_FACTS = 100000, WORLDS_PER_LARGE = 40 };

struct trial {
    struct world world;
    struct fixture fixture;
};

/* A plain world, one with all that worlds may have (weights, lookups, united dimensions, functions
 * over members, sets, nested cubes), or a plain one made ready for a law. Threads have something to
 * share out when there are many facts only: a few worlds of L8. */
static void trial_begin(struct trial *trial, uint64_t seed, unsigned law,
                        void (*prepare)(struct world *world))
{
    bool is_large = law == 8 && seed % WORLDS_PER_LARGE == 1;
    *trial = (struct trial){0};
    fixture_open(&trial->fixture);
    world_make(&trial->world, seed, is_large ? MANY_FACTS : FEW_FACTS);
    if (prepare != NULL) {
        prepare(&trial->world);
    } else if (seed % 2 == 0) {
        world_add_parts(&trial->world);
        world_add_united(&trial->world);
        world_add_calls(&trial->world);
        world_add_sets(&trial->world);
        world_add_nested(&trial->world, FEW_FACTS);
    }
}

static void trial_end(struct trial *trial)
{
    fixture_close(&trial->fixture);
    world_release(&trial->world);
}

/* False: the definition does not hold together. */
static bool trial_load(struct trial *trial)
{
    vc_error error = {0};
    world_write(&trial->world, trial->fixture.path, false);
    if (fixture_load(&trial->fixture, false, &error) != VC_OK) return false;
    if (!trial->world.has_append) return true;
    world_write(&trial->world, trial->fixture.path, true);
    return fixture_load(&trial->fixture, true, &error) == VC_OK;
}

static void explain_breach(uint64_t seed, const vc_law_report *report)
{
    vc_buffer text = {0};
    const vc_law_breach *breach = report->breach;
    for (size_t i = 0; i < breach->nsides; i++) {
        const vc_law_side *side = &breach->sides[i];
        vc_buffer_printf(&text, "\n%.*s: %.*s\n  ", VC_FMT(side->what), VC_FMT(side->found));
        vc_law_side_command(side, "DIR", &text);
        if (side->variant.data != NULL)
            vc_buffer_printf(&text, "\n  with %.*s", VC_FMT(side->variant));
    }
    cr_assert_fail("seed %llu, L%u: measure %.*s, %.*s: %.*s%s", (unsigned long long)seed,
                   report->law, VC_FMT(breach->measure), VC_FMT(breach->place),
                   VC_FMT(breach->claim), vc_buffer_text(&text));
}

/* One side may be refused where the law asks for something more: another measure (L6), a join that
 * counts in parts or repeats what the source has whole (L2). */
static bool may_be_refused(unsigned law, vc_str note)
{
    return law == 6 || (law == 2 && vc_str_contains(note, VC_STR("not_additive")));
}

/* Queries are well formed: what the engine refuses, it refuses for what it is, and on both sides.
 */
static void check_notes(uint64_t seed, const vc_law_report *report)
{
    static const char *const mistakes[] = {"syntax", "unknown_", "bad_", "one side"};
    for (size_t n = 0; n < report->nnotes; n++) {
        vc_str note = report->notes[n].text;
        size_t nmistakes = 4 - may_be_refused(report->law, note);
        for (size_t i = 0; i < nmistakes; i++)
            cr_assert(!vc_str_contains(note, vc_str_of(mistakes[i])), "seed %llu, L%u: %.*s",
                      (unsigned long long)seed, report->law, VC_FMT(note));
    }
}

static vc_law_report ask_world(struct trial *trial, const char *cube, uint64_t seed, unsigned law,
                               uint32_t rounds)
{
    vc_error error = {0};
    char text[1400];
    vc_law_report reports[VC_LAWS];
    vc_pool *pool = NULL;
    if (law == 8) cr_assert_eq(vc_pool_new(3, &pool, &error), VC_OK);
    const vc_laws_options options = {
        .seed = seed, .rounds = rounds, .laws = 1u << (law - 1), .engine = {.pool = pool}};
    vc_status status = vc_laws_check(trial->fixture.model, vc_str_of(cube), &options,
                                     &trial->fixture.arena, reports, &error);
    vc_pool_free(pool);
    cr_assert_eq(status, VC_OK, "seed %llu: %s", (unsigned long long)seed,
                 vc_error_format(&error, text, sizeof text));
    if (reports[law - 1].breach != NULL) explain_breach(seed, &reports[law - 1]);
    check_notes(seed, &reports[law - 1]);
    return reports[law - 1];
}

static void hold(unsigned law, void (*prepare)(struct world *world), uint64_t *nshared_out)
{
    uint64_t ncases = 0, nshared = 0, nworlds = 0;
    uint64_t wanted = random_setting("VCUBE_ROUNDS", 240);
    uint64_t seed = random_setting("VCUBE_SEED", 1) + law * UINT64_C(1000000);
    for (; ncases < wanted && nworlds < 100 * (1 + wanted / CASES_PER_WORLD); nworlds++, seed++) {
        struct trial trial;
        trial_begin(&trial, seed, law, prepare);
        if (trial_load(&trial)) {
            const char *cube = trial.world.has_nested && seed % 4 == 0 ? "n" : "v";
            vc_law_report report = ask_world(&trial, cube, seed, law, CASES_PER_WORLD);
            ncases += report.ncases;
            nshared += report.nshared;
            if (law >= 4 && seed % 4 == 1)
                ncases += ask_world(&trial, "c0", seed, law, CASES_PER_WORLD / 2).ncases;
        }
        trial_end(&trial);
    }
    if (getenv("VCUBE_ROUNDS") != NULL)
        fprintf(stderr, "L%u: %llu cases in %llu worlds, %llu with shared facts\n", law,
                (unsigned long long)ncases, (unsigned long long)nworlds,
                (unsigned long long)nshared);
    cr_assert_geq(ncases, wanted);
    if (nshared_out != NULL) *nshared_out = nshared;
}

/* All measures of all sources, nothing fixed; joined sources by codes of which members of the
 * primary have several and share most, so that children share facts. */
static void share_facts(struct world *world)
{
    static const char *const several[] = {"A", "B", "A,B", "B,C", "A,C", "C", "D", "A,B,C"};
    static const char *const one[] = {"A", "B", "C", "D", "E"};
    const struct world_cube *primary = &world->cubes[world->sources[0].cube];
    world->ntaken = 0;
    for (unsigned s = 0; s < world->nsources; s++) {
        struct world_source *source = &world->sources[s];
        const struct world_cube *cube = &world->cubes[source->cube];
        for (unsigned m = 0; m < cube->nmeasures && world->ntaken < WORLD_TAKEN; m++) {
            struct world_taken *taken = &world->taken[world->ntaken++];
            *taken = (struct world_taken){.source = s, .measure = m};
            snprintf(taken->name, sizeof taken->name, "s%um%u", s, m);
        }
        source->fix.is_there = false;
        if (s == 0) continue;
        source->kind = random_chance(&world->random, 50) ? VC_JOIN_LEFT : VC_JOIN_FULL;
        source->npairs = 1;
        source->pairs[0] =
            (struct world_pair){.dimension = random_below(&world->random, primary->ndimensions),
                                .index = INDEX_CODE,
                                .to_dimension = random_below(&world->random, cube->ndimensions),
                                .to_index = INDEX_CODE,
                                .steps = STEP_SPLIT};
        struct world_dimension *to = cube->dimensions[source->pairs[0].to_dimension];
        struct world_dimension *from = primary->dimensions[source->pairs[0].dimension];
        to->has_code = from->has_code = true;
        for (size_t i = 0; i < to->nleaves; i++)
            to->leaves[i].code = one[random_below(&world->random, 5)];
        for (size_t i = 0; i < from->nleaves; i++)
            from->leaves[i].code = several[random_below(&world->random, 8)];
    }
}

/* Joined sources by the first level of the primary's first dimension, most of them hiding members:
 * what several joins leave does not depend on which comes first. */
static void hide_members(struct world *world)
{
    for (unsigned s = 1; s < world->nsources; s++) {
        struct world_source *source = &world->sources[s];
        source->kind = random_chance(&world->random, 70) ? VC_JOIN_INNER : VC_JOIN_RIGHT;
        source->unmatched = source->kind == VC_JOIN_INNER ? VC_UNMATCHED_DROP : VC_UNMATCHED_BUCKET;
        source->npairs = 1;
        source->pairs[0] = (struct world_pair){.index = INDEX_LEVEL, .to_index = INDEX_LEVEL};
    }
}

Test(laws, primary, .timeout = 7200)
{
    hold(1, NULL, NULL);
}

Test(laws, joined, .timeout = 7200)
{
    hold(2, NULL, NULL);
}

Test(laws, conservation, .timeout = 7200)
{
    hold(3, NULL, NULL);
}

Test(laws, no_double_count, .timeout = 7200)
{
    hold(4, NULL, NULL);
}

/* The same where many children share facts. What they share is asked of the source, so the law is
 * an equation there: neither more nor less may count twice. */
Test(laws, no_double_count_of_shared, .timeout = 7200)
{
    uint64_t nshared;
    hold(4, share_facts, &nshared);
    cr_assert_gt(nshared, random_setting("VCUBE_ROUNDS", 240) / 12);
}

Test(laws, order, .timeout = 7200)
{
    hold(5, NULL, NULL);
}

Test(laws, order_of_joins_that_hide, .timeout = 7200)
{
    hold(5, hide_members, NULL);
}

Test(laws, adding, .timeout = 7200)
{
    hold(6, NULL, NULL);
}

Test(laws, split, .timeout = 7200)
{
    hold(7, NULL, NULL);
}

Test(laws, snapshot, .timeout = 7200)
{
    hold(8, NULL, NULL);
}
