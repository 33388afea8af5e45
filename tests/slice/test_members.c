/* Functions over members on random worlds: what they say in the rows of one query is what plain
 * queries find at the cells they look at. VCUBE_ROUNDS and VCUBE_SEED as in test_differential.c. */
#include "base/pool.h"
#include "tests/slice/asking.h"
#include "tests/slice/fixture.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEASURE, PREVIOUS, GROWTH, PARENT, SHARE, RUNNING, MOVING, RANK, NESTED, NMEASURES };

struct looking {
    uint64_t seed;
    struct world world;
    struct fixture fixture;
    struct oracle *oracle;
    vc_arena arena;
    size_t axis; /* of the query, that the functions go along */
    unsigned back;
    vc_measure_ref measures[NMEASURES];
};

static unsigned rounds(void)
{
    return random_setting("VCUBE_ROUNDS", 240) / 4;
}

static uint64_t first_seed(void)
{
    return random_setting("VCUBE_SEED", 1);
}

/* A number as it is compared: null has its reason. */
struct found {
    bool is_null;
    char reason;
    double value;
};

static struct found cell_of(const vc_result *result, size_t row, size_t m)
{
    const vc_cell *cell = &result->cells[row * result->nmeasures + m];
    struct found found = {.is_null = cell->is_null, .reason = cell->reason};
    if (cell->is_null) return found;
    found.value = (double)cell->as.i;
    if (result->measures[m].type == VC_VALUE_FLOAT) found.value = cell->as.f;
    for (unsigned i = 0;
         result->measures[m].type == VC_VALUE_DECIMAL && i < result->measures[m].scale; i++)
        found.value /= 10;
    return found;
}

static bool same(struct found a, struct found b)
{
    if (a.is_null || b.is_null) return a.is_null && b.is_null && a.reason == b.reason;
    return fabs(a.value - b.value) <= 1e-9 * (fabs(a.value) + fabs(b.value)) + 1e-9;
}

static void check(const struct looking *in, const vc_query *query, const char *what, size_t row,
                  struct found expected, struct found actual)
{
    vc_buffer text = {0};
    if (same(expected, actual)) return;
    asking_print(query, &text);
    cr_assert_fail("seed %llu: %s in row %zu: expected %s%c %.17g, found %s%c %.17g\n%s",
                   (unsigned long long)in->seed, what, row, expected.is_null ? "null " : "",
                   expected.reason == 0 ? ' ' : expected.reason, expected.value,
                   actual.is_null ? "null " : "", actual.reason == 0 ? ' ' : actual.reason,
                   actual.value, vc_buffer_text(&text));
}

static const vc_result *ask(struct looking *in, const vc_query *query, bool is_plain, vc_pool *pool)
{
    const vc_result *result = NULL;
    vc_error error = {0};
    vc_engine_options options = {.is_plain = is_plain, .pool = pool};
    vc_status status =
        vc_engine_run(in->fixture.model, query, &options, &in->arena, &result, &error);
    /* Large products, and sums that do not fit, are refused either way. */
    return status == VC_OK ? result : NULL;
}

/* The place of a member in an axis of another result, by its keys; SIZE_MAX: not there. `skip`
 * levels of it are left out at the end. */
static size_t find_member(const vc_result_axis *from, uint32_t member, size_t skip,
                          const vc_result_axis *axis)
{
    for (size_t i = 0; i < axis->nmembers; i++) {
        bool is_same = axis->nlevels + skip == from->nlevels &&
                       axis->members[i].is_synthetic == from->members[member].is_synthetic;
        for (size_t l = 0; l < axis->nlevels && is_same; l++)
            is_same = vc_str_equal(axis->members[i].keys[l], from->members[member].keys[l]) &&
                      (axis->members[i].keys[l].data == NULL) ==
                          (from->members[member].keys[l].data == NULL);
        if (is_same) return i;
    }
    return SIZE_MAX;
}

/* The row of `other` that is that of `result`, but for one axis, which is at `place`, or is not
 * there (SIZE_MAX). */
static size_t find_row(const vc_result *result, size_t row, size_t along, const vc_result *other,
                       size_t place)
{
    for (size_t r = 0; r < other->ndetail_rows; r++) {
        bool is_same = true;
        for (size_t a = 0, b = 0; a < result->naxes && is_same; a++) {
            if (a == along && place == SIZE_MAX) continue;
            uint32_t mine = result->coords[row * result->naxes + a];
            uint32_t its = other->coords[r * other->naxes + b];
            is_same = a == along ? its == place
                                 : find_member(&result->axes[a], mine, 0, &other->axes[b]) == its;
            b++;
        }
        if (is_same) return r;
    }
    return SIZE_MAX;
}

static vc_str quote(struct looking *in, vc_str name)
{
    char *text = vc_arena_alloc(&in->arena, 2 * name.size + 2);
    size_t size = 0;
    text[size++] = '"';
    for (size_t i = 0; i < name.size; i++) {
        text[size++] = name.data[i];
        if (name.data[i] == '"') text[size++] = '"';
    }
    text[size++] = '"';
    return (vc_str){.data = text, .size = size};
}

/* A measure whose nulls mean what they say: not a count, which is 0. */
static const char *choose_measure(struct looking *in)
{
    const struct world *world = &in->world;
    for (unsigned tries = 0; tries < 20 && world->ntaken > 0; tries++) {
        const struct world_taken *taken =
            &world->taken[random_below(&in->world.random, world->ntaken)];
        const struct world_cube *cube = &world->cubes[world->sources[taken->source].cube];
        const struct world_measure *measure = &cube->measures[taken->measure];
        if (taken->formula == FORMULA_NONE && measure->formula == FORMULA_NONE &&
            measure->aggregator != VC_AGG_COUNT && measure->aggregator != VC_AGG_COUNT_DISTINCT &&
            measure->aggregator != VC_AGG_NONE)
            return taken->name;
    }
    return NULL;
}

static void write_measures(struct looking *in, const vc_query *query, const char *name)
{
    static const char *const forms[NMEASURES] = {
        [PREVIOUS] = "previous(%.*s, %.*s, %u)",
        [GROWTH] = "growth(%.*s, %.*s, %u)",
        [PARENT] = "parent(%.*s, %.*s)",
        [SHARE] = "share(%.*s, %.*s)",
        [RUNNING] = "running(%.*s, %.*s)",
        [MOVING] = "moving_avg(%.*s, 3, %.*s)",
        [RANK] = "rank(%.*s, %.*s)",
        [NESTED] = "previous(share(%.*s, %.*s), %.*s)",
    };
    vc_str measure = quote(in, vc_str_of(name));
    vc_str dimension = quote(in, query->axes[in->axis].dimref.dimension);
    in->measures[MEASURE] = (vc_measure_ref){.name = vc_str_of(name)};
    for (int m = PREVIOUS; m < NMEASURES; m++) {
        vc_str expr;
        if (m == NESTED)
            expr = vc_arena_printf(&in->arena, "previous(share(%.*s, %.*s), %.*s)", VC_FMT(measure),
                                   VC_FMT(dimension), VC_FMT(dimension));
        else if (m == PREVIOUS || m == GROWTH)
            expr =
                vc_arena_printf(&in->arena, forms[m], VC_FMT(measure), VC_FMT(dimension), in->back);
        else
            expr = vc_arena_printf(&in->arena, forms[m], VC_FMT(measure), VC_FMT(dimension));
        in->measures[m] =
            (vc_measure_ref){.name = vc_arena_printf(&in->arena, "f%d", m), .expr = expr};
    }
}

static struct found divide(struct found a, struct found b)
{
    if (a.is_null) return a;
    if (b.is_null) return b;
    struct found result = {.value = a.value / b.value};
    if (isfinite(result.value)) return result;
    return (struct found){.is_null = true, .reason = 'd'};
}

/* The same query without the cut on the dimension, of the measure alone. */
static vc_query uncut(struct looking *in, const vc_query *query)
{
    vc_query plain = *query;
    vc_condition **conditions = VC_ARENA_NEW(&in->arena, vc_condition *, query->nconditions + 1);
    vc_str dimension = query->axes[in->axis].dimref.dimension;
    plain.nconditions = 0;
    for (size_t i = 0; i < query->nconditions; i++)
        if (!vc_str_equal(query->conditions[i]->dimref.dimension, dimension))
            conditions[plain.nconditions++] = query->conditions[i];
    plain.conditions = conditions;
    plain.nmeasures = 1;
    return plain;
}

static void check_previous(struct looking *in, const vc_query *query, const vc_result *result)
{
    vc_query plain = uncut(in, query);
    const vc_result *whole = ask(in, &plain, true, NULL);
    if (whole == NULL) return;
    const vc_result_axis *axis = &result->axes[in->axis];
    for (size_t row = 0; row < result->ndetail_rows; row++) {
        uint32_t member = result->coords[row * result->naxes + in->axis];
        size_t place = find_member(axis, member, 0, &whole->axes[in->axis]);
        struct found before = {.is_null = true, .reason = 'e'}, own = cell_of(result, row, MEASURE);
        cr_assert_neq(place, SIZE_MAX);
        if (place >= in->back)
            before = cell_of(whole, find_row(result, row, in->axis, whole, place - in->back), 0);
        check(in, query, "previous", row, before, cell_of(result, row, PREVIOUS));
        struct found difference = own;
        difference.value -= before.value;
        check(in, query, "growth", row, divide(difference, before), cell_of(result, row, GROWTH));
    }
}

static void check_parent(struct looking *in, const vc_query *query, const vc_result *result)
{
    vc_query above = *query;
    vc_axis_ref axes[16];
    const vc_result_axis *axis = &result->axes[in->axis];
    bool is_top = axis->nlevels == 1;
    above.nmeasures = 1;
    above.axes = axes;
    above.naxes = 0;
    for (size_t a = 0; a < query->naxes; a++) {
        if (a == in->axis && is_top) continue;
        axes[above.naxes] = query->axes[a];
        if (a == in->axis) axes[above.naxes].dimref.level = axis->levels[axis->nlevels - 2].name;
        above.naxes++;
    }
    const vc_result *parents = ask(in, &above, true, NULL);
    if (parents == NULL) return;
    for (size_t row = 0; row < result->ndetail_rows; row++) {
        uint32_t member = result->coords[row * result->naxes + in->axis];
        if (axis->members[member].is_synthetic) continue; /* golden cases have them */
        size_t place = is_top ? SIZE_MAX : find_member(axis, member, 1, &parents->axes[in->axis]);
        cr_assert(is_top || place != SIZE_MAX);
        size_t at = find_row(result, row, in->axis, parents, place);
        struct found parent = cell_of(parents, at, 0);
        check(in, query, "parent", row, parent, cell_of(result, row, PARENT));
        check(in, query, "share", row, divide(cell_of(result, row, MEASURE), parent),
              cell_of(result, row, SHARE));
    }
}

/* Windows over the rows, which are all combinations of visible members. */
static void check_windows(struct looking *in, const vc_query *query, const vc_result *result)
{
    vc_query plain = uncut(in, query);
    const vc_result *whole = ask(in, &plain, true, NULL);
    if (whole == NULL) return;
    const vc_result_axis *axis = &result->axes[in->axis], *order = &whole->axes[in->axis];
    for (size_t row = 0; row < result->ndetail_rows; row++) {
        uint32_t member = result->coords[row * result->naxes + in->axis];
        size_t place = find_member(axis, member, 0, order), nrunning = 0, nmoving = 0;
        struct found own = cell_of(result, row, MEASURE), running = own, moving = own, rank = own;
        double sum = 0, last = 0, nlarger = 0;
        for (uint32_t other = 0; other < axis->nmembers; other++) {
            size_t its = find_member(axis, other, 0, order);
            struct found found =
                cell_of(result, find_row(result, row, in->axis, result, other), MEASURE);
            if (found.is_null) continue;
            nlarger += !own.is_null && found.value > own.value;
            if (its > place) continue;
            sum += found.value;
            nrunning++;
            if (its + 3 <= place) continue;
            last += found.value;
            nmoving++;
        }
        if (nrunning > 0) running = (struct found){.value = sum};
        if (nmoving > 0) moving = (struct found){.value = last / (double)nmoving};
        rank.value = nlarger + 1;
        check(in, query, "running", row, running, cell_of(result, row, RUNNING));
        check(in, query, "moving_avg", row, moving, cell_of(result, row, MOVING));
        check(in, query, "rank", row, rank, cell_of(result, row, RANK));
    }
}

static bool same_bytes(const vc_result *a, const vc_result *b)
{
    vc_buffer x = {0}, y = {0};
    fixture_dump(a, &x);
    fixture_dump(b, &y);
    bool is_same = x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
    vc_buffer_release(&x);
    vc_buffer_release(&y);
    return is_same;
}

/* The total of all is what the query without axes answers. */
static void check_summary(struct looking *in, const vc_query *query, const vc_result *result)
{
    vc_query bare = *query;
    bare.naxes = 0;
    const vc_result *total = ask(in, &bare, true, NULL);
    if (total == NULL) return;
    for (size_t m = 0; m < NMEASURES; m++)
        cr_assert(
            memcmp(&total->summary[m].is_null, &result->summary[m].is_null, 2) == 0 &&
                (total->summary[m].is_null || total->summary[m].as.i == result->summary[m].as.i),
            "seed %llu: summary of measure %zu", (unsigned long long)in->seed, m);
}

/* Leaves without keys of their own may have the same synthetic one: then rows cannot be told apart.
 */
static bool has_twins(const vc_result *result)
{
    for (size_t a = 0; a < result->naxes; a++)
        for (uint32_t member = 0; member < result->axes[a].nmembers; member++)
            if (find_member(&result->axes[a], member, 0, &result->axes[a]) != member) return true;
    return false;
}

static size_t look(struct looking *in, vc_pool *pool)
{
    vc_query query = asking_make(in->oracle, "v", &in->world.random, 60, &in->arena);
    const char *name = choose_measure(in);
    if (query.naxes == 0 || name == NULL) return 0;
    in->axis = random_below(&in->world.random, (unsigned)query.naxes);
    if (query.axes[in->axis].dimref.hierarchy.data != NULL) return 0;
    in->back = 1 + random_below(&in->world.random, 2);
    write_measures(in, &query, name);
    query.measures = in->measures;
    query.nmeasures = NMEASURES;
    query.nhavings = query.ntops = query.norders = query.ntotals = query.nnonempty = 0;
    query.nproperties = 0;
    query.offset = 0;
    query.limit = UINT64_MAX;
    query.is_sparse = false;
    query.has_parents = true;
    query.totals_visible = false;
    const vc_result *result = ask(in, &query, true, NULL);
    if (result == NULL || result->ndetail_rows > 400 || has_twins(result)) return 0;
    check_previous(in, &query, result);
    check_parent(in, &query, result);
    check_windows(in, &query, result);
    check_summary(in, &query, result);
    const vc_result *quick = ask(in, &query, false, pool);
    cr_assert(quick != NULL && same_bytes(result, quick), "seed %llu: plain and quick differ",
              (unsigned long long)in->seed);
    return result->ndetail_rows;
}

Test(members, as_plain_queries_find, .timeout = 3600)
{
    uint64_t first = first_seed();
    vc_pool *pool = NULL;
    size_t nrows = 0, nqueries = 0;
    cr_assert_eq(vc_pool_new(3, &pool, NULL), VC_OK);
    for (unsigned round = 0; round < rounds(); round++) {
        struct looking in = {.seed = first + round};
        const char *why;
        fixture_open(&in.fixture);
        world_make(&in.world, in.seed, 80);
        in.oracle = oracle_new(&in.world, "v", &why);
        if (in.oracle != NULL) {
            world_write(&in.world, in.fixture.path, false);
            fixture_need_load(&in.fixture, false);
            for (int i = 0; i < 6; i++) {
                size_t n = look(&in, pool);
                nrows += n;
                nqueries += n > 0;
            }
        }
        oracle_free(in.oracle);
        fixture_close(&in.fixture);
        world_release(&in.world);
        vc_arena_release(&in.arena);
    }
    vc_pool_free(pool);
    fprintf(stderr, "%zu queries, %zu rows\n", nqueries, nrows);
    cr_assert(nqueries > rounds() / 4, "only %zu queries say anything", nqueries);
}
