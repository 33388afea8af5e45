/* The laws of semantics section 1 on random worlds, without the oracle: each compares answers of
 * the engine with answers of the engine. VCUBE_ROUNDS and VCUBE_SEED as in test_differential.c. */
#include "tests/slice/asking.h"
#include "tests/slice/fixture.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct law {
    uint64_t seed;
    struct oracle *oracle; /* of "v"; the texts of queries are its own */
    struct world world;
    struct fixture fixture;
    vc_arena arena; /* of the round */
};

static unsigned rounds(void)
{
    return random_setting("VCUBE_ROUNDS", 240) / 4;
}

static uint64_t first_seed(void)
{
    return random_setting("VCUBE_SEED", 1);
}

static void world_begin(struct law *law, uint64_t seed)
{
    *law = (struct law){.seed = seed};
    fixture_open(&law->fixture);
    world_make(&law->world, seed, 80);
}

static void world_end(struct law *law)
{
    oracle_free(law->oracle);
    fixture_close(&law->fixture);
    world_release(&law->world);
    vc_arena_release(&law->arena);
}

/* False: the definition does not hold together. */
static bool load(struct law *law)
{
    const char *why;
    struct oracle *oracle = oracle_new(&law->world, "v", &why);
    oracle_free(oracle);
    if (oracle == NULL) return false;
    world_write(&law->world, law->fixture.path, false);
    fixture_need_load(&law->fixture, false);
    if (!law->world.has_append) return true;
    world_write(&law->world, law->fixture.path, true);
    fixture_need_load(&law->fixture, true);
    return true;
}

/* All measures of all sources, the primary's under their own names, the others' as j1m0, ...;
 * nothing fixed, no policies. */
static void take_all_measures(struct world *world)
{
    world->ntaken = 0;
    for (unsigned s = 0; s < world->nsources; s++) {
        const struct world_cube *cube = &world->cubes[world->sources[s].cube];
        world->sources[s].fix.is_there = false;
        memset(world->sources[s].others, 0, sizeof world->sources[s].others);
        for (unsigned m = 0; m < cube->nmeasures && world->ntaken < WORLD_TAKEN; m++) {
            struct world_taken *taken = &world->taken[world->ntaken++];
            *taken = (struct world_taken){.source = s, .measure = m};
            if (s == 0)
                strcpy(taken->name, cube->measures[m].name);
            else
                snprintf(taken->name, sizeof taken->name, "j%um%u", s, m);
        }
    }
}

static void set_kinds(struct world *world, vc_join_kind kind, vc_unmatched unmatched)
{
    for (unsigned s = 1; s < world->nsources; s++)
        if (world->sources[s].npairs > 0) {
            world->sources[s].kind = kind;
            world->sources[s].unmatched = unmatched;
        }
}

static const vc_result *ask(struct law *law, const vc_query *query)
{
    const vc_result *result = NULL;
    vc_error error = {0};
    char text[2048];
    vc_status status = vc_engine_run(law->fixture.model, query, NULL, &law->arena, &result, &error);
    cr_assert_eq(status, VC_OK, "seed %llu: %s", (unsigned long long)law->seed,
                 vc_error_format(&error, text, sizeof text));
    return result;
}

static void fail_law(const struct law *law, const vc_query *query, const char *what)
{
    vc_buffer text = {0};
    asking_print(query, &text);
    cr_assert_fail("seed %llu: %s\n%s", (unsigned long long)law->seed, what, vc_buffer_text(&text));
}

static double value_of(const vc_result *result, const vc_cell *cells, size_t m)
{
    double value = (double)cells[m].as.i;
    if (cells[m].is_null) return 0;
    if (result->measures[m].type == VC_VALUE_FLOAT) return cells[m].as.f;
    for (unsigned i = 0; i < result->measures[m].scale; i++)
        value /= 10;
    return value;
}

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b)) + 1e-9;
}

static vc_condition *make_cut(vc_arena *arena, vc_str dimension, vc_item_kind kind,
                              const vc_str *keys, size_t nkeys)
{
    vc_condition *condition = VC_ARENA_NEW(arena, vc_condition, 1);
    vc_item *items = VC_ARENA_NEW(arena, vc_item, nkeys + 1);
    condition->dimref.dimension = dimension;
    condition->items = items;
    condition->nitems = nkeys > 0 ? nkeys : 1;
    for (size_t i = 0; i < condition->nitems; i++)
        items[i] = (vc_item){.kind = kind, .keys = keys + i, .nkeys = nkeys > 0};
    return condition;
}

static bool is_additive(const struct world_measure *measure)
{
    return measure->formula == FORMULA_NONE && measure->over == VC_OVER_NONE &&
           (measure->aggregator == VC_AGG_SUM || measure->aggregator == VC_AGG_COUNT);
}

/* Rows and summary as text, without notices, which speak of joins. */
static void dump_rows(const vc_result *result, vc_buffer *out)
{
    vc_result bare = *result;
    bare.nnotices = 0;
    fixture_dump(&bare, out);
}

static bool same_rows(const vc_result *a, const vc_result *b)
{
    vc_buffer x = {0}, y = {0};
    dump_rows(a, &x);
    dump_rows(b, &y);
    bool is_same = x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
    vc_buffer_release(&x);
    vc_buffer_release(&y);
    return is_same;
}

/* L1: only the primary's measures and dimensions: V answers as P does (left and full). */
Test(laws, primary, .timeout = 3600)
{
    unsigned ncompared = 0;
    for (unsigned i = 0; i < rounds(); i++) {
        struct law law;
        vc_error error = {0};
        const char *why;
        world_begin(&law, first_seed() + i);
        take_all_measures(&law.world);
        set_kinds(&law.world, i % 2 == 0 ? VC_JOIN_LEFT : VC_JOIN_FULL,
                  i % 2 == 0 ? VC_UNMATCHED_DROP : VC_UNMATCHED_MEMBERS);
        struct oracle *oracle = oracle_new(&law.world, "c0", &why);
        for (unsigned q = 0; load(&law) && q < 12; q++) {
            const vc_result *alone = NULL, *joined = NULL;
            vc_query query = asking_make(oracle, "c0", &law.world.random, 200, &law.arena);
            vc_measure_ref *measures = VC_ARENA_NEW(&law.arena, vc_measure_ref, WORLD_MEASURES);
            query.is_sparse = true; /* the cross product has buckets */
            if (query.nmeasures == 0) query.measures = measures;
            for (unsigned m = 0; query.measures == measures && m < law.world.cubes[0].nmeasures;
                 m++)
                measures[query.nmeasures++].name = vc_str_of(law.world.cubes[0].measures[m].name);
            vc_status status =
                vc_engine_run(law.fixture.model, &query, NULL, &law.arena, &alone, &error);
            query.cube = VC_STR("v");
            cr_assert_eq(
                vc_engine_run(law.fixture.model, &query, NULL, &law.arena, &joined, &error),
                status);
            if (status == VC_OK && !same_rows(alone, joined)) {
                vc_buffer x = {0};
                dump_rows(alone, &x);
                dump_rows(joined, &x);
                fprintf(stderr, "%s\n", vc_buffer_text(&x));
                fail_law(&law, &query, "L1");
            }
            ncompared += status == VC_OK;
        }
        oracle_free(oracle);
        world_end(&law);
    }
    cr_assert_gt(ncompared, rounds());
}

/* The measures of joined source s, as the query's. */
static void ask_for(struct law *law, vc_query *query, unsigned s,
                    bool (*fits)(const struct world_measure *))
{
    vc_measure_ref *measures = VC_ARENA_NEW(&law->arena, vc_measure_ref, WORLD_TAKEN);
    query->nmeasures = 0;
    query->measures = measures;
    for (unsigned i = 0; i < law->world.ntaken; i++) {
        const struct world_taken *taken = &law->world.taken[i];
        const struct world_cube *cube = &law->world.cubes[law->world.sources[taken->source].cube];
        if (taken->source == s && (fits == NULL || fits(&cube->measures[taken->measure])))
            measures[query->nmeasures++].name = vc_str_of(taken->name);
    }
}

/* All pairs of a source on one dimension of the primary, so that there is one bucket. */
static void join_once(struct world *world)
{
    for (unsigned s = 1; s < world->nsources; s++) {
        struct world_source *source = &world->sources[s];
        unsigned kept = 0;
        for (unsigned i = 0; i < source->npairs; i++)
            if (source->pairs[i].dimension == source->pairs[0].dimension)
                source->pairs[kept++] = source->pairs[i];
        source->npairs = kept;
    }
}

/* L2: full: the value at All of V is the value at All of the source. L3: what a left join has at
 * All and what is unmatched make the source's total, for sums and counts. */
Test(laws, joined_and_conservation, .timeout = 3600)
{
    unsigned nleft_out = 0;
    for (unsigned i = 0; i < rounds(); i++) {
        struct law law;
        world_begin(&law, first_seed() + 10000 + i);
        take_all_measures(&law.world);
        join_once(&law.world);
        set_kinds(&law.world, VC_JOIN_FULL, i % 2 ? VC_UNMATCHED_BUCKET : VC_UNMATCHED_MEMBERS);
        if (!load(&law)) {
            world_end(&law);
            continue;
        }
        const vc_result *alone[WORLD_SOURCES], *full[WORLD_SOURCES], *bucket[WORLD_SOURCES];
        for (unsigned s = 1; s < law.world.nsources; s++) {
            const struct world_source *source = &law.world.sources[s];
            vc_query query = vc_query_default();
            ask_for(&law, &query, s, NULL);
            query.cube = VC_STR("v");
            full[s] = query.nmeasures > 0 ? ask(&law, &query) : NULL;
            if (full[s] == NULL) continue;
            vc_query own = vc_query_default();
            own.cube = vc_str_of(law.world.cubes[source->cube].name);
            alone[s] = ask(&law, &own);
            for (size_t m = 0; m < full[s]->nmeasures && source->npairs > 0; m++) {
                const vc_cell *a = &full[s]->summary[m], *b = &alone[s]->summary[m];
                bool is_unmatched_only =
                    a->is_null && a->reason == 'u'; /* neither side has a leaf */
                if (!is_unmatched_only &&
                    (a->is_null != b->is_null || (!a->is_null && a->as.i != b->as.i)))
                    fail_law(&law, &query, "L2");
            }
            vc_str key = vc_arena_printf(&law.arena, "(unmatched:%s)", source->alias);
            vc_str outer = vc_str_of(law.world.cubes[law.world.sources[0].cube]
                                         .dimensions[source->pairs[0].dimension]
                                         ->name);
            vc_condition *cut = make_cut(&law.arena, outer, VC_ITEM_PATH, &key, 1);
            query.conditions = &cut;
            query.nconditions = 1;
            vc_error error = {0};
            bucket[s] = NULL;
            if (source->npairs > 0 && vc_engine_run(law.fixture.model, &query, NULL, &law.arena,
                                                    &bucket[s], &error) != VC_OK)
                cr_assert_str_eq(error.code, "unknown_member"); /* nothing is unmatched */
        }
        set_kinds(&law.world, VC_JOIN_LEFT, VC_UNMATCHED_DROP);
        load(&law);
        for (unsigned s = 1; s < law.world.nsources; s++) {
            const struct world_cube *cube = &law.world.cubes[law.world.sources[s].cube];
            vc_query query = vc_query_default();
            ask_for(&law, &query, s, NULL);
            query.cube = VC_STR("v");
            if (query.nmeasures == 0 || law.world.sources[s].npairs == 0) continue;
            const vc_result *left = ask(&law, &query);
            for (size_t m = 0; m < left->nmeasures; m++) {
                if (!is_additive(&cube->measures[m])) continue;
                double rest = bucket[s] == NULL ? 0 : value_of(bucket[s], bucket[s]->summary, m);
                nleft_out += rest != 0;
                if (!is_near(value_of(left, left->summary, m) + rest,
                             value_of(alone[s], alone[s]->summary, m)))
                    fail_law(&law, &query, "L3");
            }
        }
        world_end(&law);
    }
    cr_assert_gt(nleft_out, 10, "the worlds leave nothing out");
}

/* Do no two children of one member share a leaf of the source? */
static bool is_disjoint(const vc_cube *cube, size_t source, size_t d)
{
    const vc_binding *binding = &cube->sources[source].bindings[d];
    const vc_hierarchy *hierarchy = &cube->dimensions[d].dimension->hierarchies[0];
    if (binding->kind != VC_BIND_RELATION) return true;
    if (binding->relation->level >= 0) return !binding->relation->has_fanout;
    for (uint32_t leaf = 0; leaf < binding->relation->nleaves; leaf++) {
        const uint32_t *units;
        size_t n = vc_relation_units(binding->relation, leaf, &units);
        for (size_t i = 1; i < n; i++)
            if (vc_numbers_get(hierarchy->levels[1].leaf_members, units[i]) !=
                vc_numbers_get(hierarchy->levels[1].leaf_members, units[0]))
                return false;
    }
    return true;
}

static void forget_signs(struct world *world)
{
    for (unsigned c = 0; c < world->ncubes; c++)
        for (size_t i = 0; i < world->cubes[c].nfacts; i++)
            for (unsigned v = 0; v < WORLD_COLUMNS; v++)
                world->cubes[c].facts[i].values[v] = llabs(world->cubes[c].facts[i].values[v]);
}

/* A source that stands on the first level has nothing to say of the second. */
static bool is_too_coarse(const vc_binding *binding)
{
    return binding->kind == VC_BIND_RELATION && binding->relation->level == 0;
}

static void check_children(struct law *law, unsigned s, unsigned d, bool is_disjoint_below,
                           unsigned *nmembers, unsigned *nshared)
{
    vc_axis_ref axis = {0};
    vc_query query = vc_query_default();
    ask_for(law, &query, s, is_additive);
    if (query.nmeasures == 0) return;
    query.cube = VC_STR("v");
    query.axes = &axis;
    query.naxes = 1;
    axis.dimref.dimension = vc_str_of(law->world.cubes[0].dimensions[d]->name);
    axis.dimref.level = VC_STR("l0");
    const vc_result *above = ask(law, &query);
    axis.dimref.level = VC_STR("l1");
    query.has_parents = true;
    const vc_result *below = ask(law, &query);
    for (size_t row = 0; row < above->nrows; row++) {
        const vc_result_member *member = &above->axes[0].members[above->coords[row]];
        for (size_t m = 0; m < above->nmeasures; m++) {
            double sum = 0, value = value_of(above, &above->cells[row * above->nmeasures], m);
            for (size_t child = 0; child < below->nrows; child++) {
                const vc_result_member *of = &below->axes[0].members[below->coords[child]];
                const vc_cell *cells = &below->cells[child * below->nmeasures];
                if (vc_str_equal(of->keys[0], member->keys[0]) &&
                    of->is_synthetic == member->is_synthetic)
                    sum += value_of(below, cells, m);
            }
            if (member->is_synthetic || above->cells[row * above->nmeasures + m].is_null) continue;
            ++*nmembers;
            *nshared += sum > value + 0.01;
            if (value > sum + 0.001 || (is_disjoint_below && !is_near(value, sum)))
                fail_law(law, &query, "L4");
        }
    }
}

/* L4: no double count: a member has at most the sum of its children, and exactly that where they
 * share nothing: so a roll-up is the sum of its drill-down. */
Test(laws, no_double_count, .timeout = 3600)
{
    unsigned nmembers = 0, nshared = 0;
    for (unsigned i = 0; i < rounds() * 4; i++) {
        struct law law;
        const vc_cube *cube;
        vc_error error = {0};
        world_begin(&law, first_seed() + 20000 + i);
        take_all_measures(&law.world);
        forget_signs(&law.world);
        for (unsigned s = 1; s < law.world.nsources; s++) { /* below a unit is nothing to add */
            struct world_source *source = &law.world.sources[s];
            source->npairs = source->npairs > 0;
            if (law.world.cubes[0].dimensions[source->pairs[0].dimension]->has_code)
                source->pairs[0].index = INDEX_CODE;
        }
        if (load(&law)) {
            cr_assert_eq(vc_model_cube(law.fixture.model, VC_STR("v"), &cube, &error), VC_OK);
            for (unsigned s = 0; s < law.world.nsources; s++)
                for (unsigned d = 0; d < law.world.cubes[0].ndimensions; d++)
                    if (cube->sources[s].bindings[d].kind != VC_BIND_NONE &&
                        !is_too_coarse(&cube->sources[s].bindings[d]) &&
                        law.world.cubes[0].dimensions[d]->nlevels > 1)
                        check_children(&law, s, d, is_disjoint(cube, s, d), &nmembers, &nshared);
        }
        world_end(&law);
    }
    cr_assert_gt(nmembers, 10 * rounds());
    cr_assert_gt(nshared, 3, "children of no world share facts");
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Rows as a set, each axis and each measure by its name. */
static char *describe(struct law *law, const vc_result *result)
{
    char **lines = VC_ARENA_NEW(&law->arena, char *, result->nrows + 2);
    vc_buffer text = {0};
    for (size_t row = 0; row <= result->nrows; row++) {
        char *parts[32];
        size_t nparts = 0;
        const vc_cell *cells =
            row == result->nrows ? result->summary : &result->cells[row * result->nmeasures];
        for (size_t a = 0; row < result->nrows && a < result->naxes; a++) {
            uint32_t at = result->coords[row * result->naxes + a];
            vc_buffer_clear(&text);
            vc_buffer_printf(&text, "%.*s", VC_FMT(result->axes[a].dimension));
            for (size_t l = 0; at != VC_NONE && l < result->axes[a].nlevels; l++)
                vc_buffer_put_json(&text, result->axes[a].members[at].keys[l]);
            parts[nparts++] =
                (char *)vc_arena_str(&law->arena, vc_str_of(vc_buffer_text(&text))).data;
        }
        for (size_t m = 0; m < result->nmeasures; m++)
            parts[nparts++] = (char *)vc_arena_printf(&law->arena, "%.*s %d %.17g %c",
                                                      VC_FMT(result->measures[m].name),
                                                      cells[m].is_null, value_of(result, cells, m),
                                                      cells[m].reason ? cells[m].reason : '.')
                                  .data;
        qsort(parts, nparts, sizeof *parts, compare_lines);
        vc_buffer_clear(&text);
        for (size_t p = 0; p < nparts; p++)
            vc_buffer_printf(&text, "%s;", parts[p]);
        lines[row] = (char *)vc_arena_str(&law->arena, vc_str_of(vc_buffer_text(&text))).data;
    }
    qsort(lines, result->nrows + 1, sizeof *lines, compare_lines);
    vc_buffer_clear(&text);
    for (size_t row = 0; row <= result->nrows; row++)
        vc_buffer_printf(&text, "%s\n", lines[row]);
    char *all = (char *)vc_arena_str(&law->arena, vc_str_of(vc_buffer_text(&text))).data;
    vc_buffer_release(&text);
    return all;
}

static vc_query reversed(struct law *law, const vc_query *query)
{
    vc_query other = *query;
    vc_axis_ref *axes = VC_ARENA_NEW(&law->arena, vc_axis_ref, query->naxes + 1);
    vc_measure_ref *measures = VC_ARENA_NEW(&law->arena, vc_measure_ref, query->nmeasures + 1);
    for (size_t a = 0; a < query->naxes; a++)
        axes[a] = query->axes[query->naxes - 1 - a];
    for (size_t m = 0; m < query->nmeasures; m++)
        measures[m] = query->measures[query->nmeasures - 1 - m];
    other.axes = axes;
    other.measures = measures;
    return other;
}

/* Queries of a cube that succeed, with what they say. */
static size_t make_queries(struct law *law, size_t count, vc_query *queries, char **answers)
{
    const char *why;
    size_t kept = 0;
    law->oracle = oracle_new(&law->world, "v", &why);
    for (size_t i = 0; i < count; i++) {
        const vc_result *result;
        vc_query query = asking_make(law->oracle, "v", &law->world.random, 200, &law->arena);
        query.limit = UINT64_MAX;
        query.offset = 0;
        query.norders = query.ntotals = query.nhavings = query.ntops = query.nnonempty = 0;
        query.has_parents = true;
        if (query.nmeasures == 0 ||
            vc_engine_run(law->fixture.model, &query, NULL, &law->arena, &result, NULL) != VC_OK)
            continue;
        queries[kept] = query;
        answers[kept++] = describe(law, result);
    }
    return kept;
}

/* L5: the order of drilldowns, measures and joins changes no number. */
Test(laws, order_independence, .timeout = 3600)
{
    unsigned ncompared = 0;
    for (unsigned i = 0; i < rounds(); i++) {
        struct law law;
        vc_query queries[12];
        char *answers[12];
        world_begin(&law, first_seed() + 30000 + i);
        take_all_measures(&law.world);
        size_t nqueries = load(&law) ? make_queries(&law, 12, queries, answers) : 0;
        for (size_t q = 0; q < nqueries; q++) {
            vc_query other = reversed(&law, &queries[q]);
            if (strcmp(describe(&law, ask(&law, &other)), answers[q]) != 0)
                fail_law(&law, &other, "L5, drilldowns and measures");
        }
        if (nqueries > 0 && law.world.nsources == 3) {
            struct world_source swap = law.world.sources[1];
            law.world.sources[1] = law.world.sources[2];
            law.world.sources[2] = swap;
            for (unsigned t = 0; t < law.world.ntaken; t++)
                if (law.world.taken[t].source > 0)
                    law.world.taken[t].source = 3 - law.world.taken[t].source;
            load(&law);
            for (size_t q = 0; q < nqueries; q++, ncompared++)
                if (strcmp(describe(&law, ask(&law, &queries[q])), answers[q]) != 0)
                    fail_law(&law, &queries[q], "L5, joins");
        }
        world_end(&law);
    }
    cr_assert_gt(ncompared, rounds());
}

/* L6: a measure more changes no other and drops no row that had a value. */
Test(laws, adding_a_measure, .timeout = 3600)
{
    unsigned ncompared = 0;
    for (unsigned i = 0; i < rounds(); i++) {
        struct law law;
        vc_query queries[8];
        char *answers[8];
        world_begin(&law, first_seed() + 40000 + i);
        take_all_measures(&law.world);
        size_t nqueries = load(&law) ? make_queries(&law, 8, queries, answers) : 0;
        for (size_t q = 0; q < nqueries; q++) {
            vc_query less = queries[q], more;
            if (less.nmeasures < 2) continue;
            more = less;
            less.nmeasures--;
            const vc_result *few = ask(&law, &less), *many = ask(&law, &more);
            size_t at = 0;
            for (size_t row = 0; row < few->nrows; row++, at++) {
                bool is_same = false;
                for (; at < many->nrows && !is_same; at++) {
                    is_same = true;
                    for (size_t a = 0; a < few->naxes; a++) {
                        const vc_result_member *x =
                            &few->axes[a].members[few->coords[row * few->naxes + a]];
                        const vc_result_member *y =
                            &many->axes[a].members[many->coords[at * many->naxes + a]];
                        for (size_t l = 0; l < few->axes[a].nlevels; l++)
                            is_same &= vc_str_equal(x->keys[l], y->keys[l]);
                    }
                    for (size_t m = 0; is_same && m < few->nmeasures; m++) {
                        const vc_cell *x = &few->cells[row * few->nmeasures + m];
                        const vc_cell *y = &many->cells[at * many->nmeasures + m];
                        is_same = x->is_null == y->is_null && x->reason == y->reason &&
                                  (x->is_null || x->as.i == y->as.i);
                    }
                    if (is_same) break;
                }
                if (!is_same) fail_law(&law, &more, "L6");
                ncompared++;
            }
        }
        world_end(&law);
    }
    cr_assert_gt(ncompared, rounds());
}

/* L7: of disjoint cuts on a dimension that no join maps, sums add up. */
Test(laws, split, .timeout = 3600)
{
    unsigned ncompared = 0;
    for (unsigned i = 0; i < rounds() * 2; i++) {
        struct law law;
        world_begin(&law, first_seed() + 50000 + i);
        take_all_measures(&law.world);
        bool is_good = load(&law);
        for (unsigned s = 0; is_good && s < law.world.nsources; s++) {
            const struct world_cube *cube = &law.world.cubes[law.world.sources[s].cube];
            for (unsigned d = 0; d < cube->ndimensions; d++) {
                const struct world_dimension *dimension = cube->dimensions[d];
                bool is_mapped = false;
                for (unsigned p = 0; p < law.world.sources[s].npairs; p++)
                    is_mapped |= law.world.sources[s].pairs[p].to_dimension == d;
                const char *keys[2] = {NULL, NULL};
                for (size_t leaf = 0; leaf < dimension->nleaves; leaf++) {
                    const char *key = dimension->leaves[leaf].keys[0];
                    if (key != NULL && keys[0] == NULL) keys[0] = key;
                    if (key != NULL && strcmp(key, keys[0]) != 0) keys[1] = key;
                }
                vc_query query = vc_query_default();
                ask_for(&law, &query, s, is_additive);
                if (is_mapped || keys[1] == NULL || query.nmeasures == 0) continue;
                const vc_str both[2] = {vc_str_of(keys[0]), vc_str_of(keys[1])};
                const vc_result *results[3];
                query.cube = VC_STR("v");
                query.nconditions = 1;
                for (int part = 0; part < 3; part++) {
                    vc_condition *cut =
                        make_cut(&law.arena, vc_str_of(dimension->name), VC_ITEM_PATH,
                                 part == 1 ? &both[1] : &both[0], part == 2 ? 2 : 1);
                    query.conditions = &cut;
                    results[part] = ask(&law, &query);
                }
                for (size_t m = 0; m < query.nmeasures; m++, ncompared++)
                    if (!is_near(value_of(results[0], results[0]->summary, m) +
                                     value_of(results[1], results[1]->summary, m),
                                 value_of(results[2], results[2]->summary, m)))
                        fail_law(&law, &query, "L7");
            }
        }
        world_end(&law);
    }
    cr_assert_gt(ncompared, rounds());
}

/* The order of the facts in their files changes nothing: ints and decimals are exact, and the
 * floats of these worlds are quarters. */
Test(laws, order_of_facts, .timeout = 3600)
{
    for (unsigned i = 0; i < rounds(); i++) {
        struct law law;
        vc_query queries[8];
        char *answers[8];
        world_begin(&law, first_seed() + 60000 + i);
        size_t nqueries = load(&law) ? make_queries(&law, 8, queries, answers) : 0;
        for (unsigned c = 0; c < law.world.ncubes; c++) {
            struct world_cube *cube = &law.world.cubes[c];
            for (size_t a = 0; a < cube->nfacts; a++) {
                size_t first = a < cube->nold ? 0 : cube->nold;
                size_t end = a < cube->nold ? cube->nold : cube->nfacts;
                size_t b = first + random_below(&law.world.random, (unsigned)(end - first));
                struct world_fact swap = cube->facts[a];
                cube->facts[a] = cube->facts[b];
                cube->facts[b] = swap;
            }
        }
        if (nqueries > 0) load(&law);
        for (size_t q = 0; q < nqueries; q++)
            if (strcmp(describe(&law, ask(&law, &queries[q])), answers[q]) != 0)
                fail_law(&law, &queries[q], "order of facts");
        world_end(&law);
    }
}
