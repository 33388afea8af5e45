/* The engine beside SQLite: random cubes, random joins, random queries, each asked as SQL, too
 * (sql.h). VCUBE_PAIRS says how many pairs (default 5,000, under the sanitizers 1,000), VCUBE_SEED
 * with which world to begin.
 * What fails is made smaller, and left as files: the cubes, the query, and the SQL. */
#include "slice/plan.h"
#include "tests/slice/asking.h"
#include "tests/slice/fixture.h"
#include "tests/slice/shrink.h"
#include "tests/slice/sql.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct round {
    uint64_t seed;
    struct world world;
    struct fixture fixture;
    struct sql sql;
    const char *cube;
    const vc_query *query;
    vc_buffer why;
    unsigned npairs, nskipped, nerrors, nrows, ncells, nworlds, nrejected;
    unsigned reasons[128], features[NFEATURES];
};

#ifdef __SANITIZE_ADDRESS__
enum { PAIRS = 1000 };
#else
enum { PAIRS = 5000 };
#endif

/* ---- compare ---- */

static bool same_text(sqlite3_stmt *row, int column, vc_str text)
{
    const char *expected = (const char *)sqlite3_column_text(row, column);
    return expected == NULL || text.data == NULL ? (expected == NULL) == (text.data == NULL)
                                                 : vc_str_is(text, expected);
}

static bool same_cell(const struct sql_question *question, const vc_result *result, size_t m,
                      const vc_cell *cell, sqlite3_stmt *row, int column, vc_buffer *why)
{
    vc_value_type type = sql_type(question, m);
    if (sql_may_allocate(question, m) && result->measures[m].type == VC_VALUE_FLOAT)
        type = VC_VALUE_FLOAT;
    bool is_null = sqlite3_column_type(row, column) == SQLITE_NULL;
    const char *reason = (const char *)sqlite3_column_text(row, column + 1);
    double expected = sqlite3_column_double(row, column);
    bool is_same =
        result->measures[m].type == type && cell->is_null == is_null && cell->reason == reason[0];
    double actual = type == VC_VALUE_FLOAT     ? cell->as.f
                    : type == VC_VALUE_DECIMAL ? (double)cell->as.i / 100
                                               : (double)cell->as.i;
    double error = sql_is_rough(sql_of(question), result->measures[m].name) ? 1e-9 : 1e-12;
    if (is_same && !is_null && type == VC_VALUE_FLOAT)
        is_same = actual == expected ||
                  fabs(actual - expected) <= error * (fabs(actual) + fabs(expected)) + error;
    if (is_same && !is_null && type != VC_VALUE_FLOAT)
        is_same = cell->as.i == llround(expected * (type == VC_VALUE_DECIMAL ? 100 : 1));
    if (!is_same)
        vc_buffer_printf(why, "measure %.*s: %s%.17g '%c', SQL says %s%.17g '%s'",
                         VC_FMT(result->measures[m].name), cell->is_null ? "null " : "", actual,
                         cell->reason ? cell->reason : ' ', is_null ? "null " : "", expected,
                         reason);
    return is_same;
}

static bool same_cells(const struct sql_question *question, const vc_result *result,
                       const vc_cell *cells, sqlite3_stmt *row, int column, vc_buffer *why)
{
    for (size_t m = 0; m < result->nmeasures; m++, column += 2)
        if (!same_cell(question, result, m, &cells[m], row, column, why)) return false;
    return true;
}

static bool same_row(const struct sql_question *question, const vc_result *result, size_t at,
                     uint32_t kept, sqlite3_stmt *row, vc_buffer *why)
{
    int column = 1;
    uint32_t grouping = 0;
    for (size_t a = 0; a < result->naxes; a++)
        grouping = grouping << 1 | !(kept >> a & 1);
    vc_buffer_printf(why, "row %zu: ", at);
    if (result->grouping[at] != grouping) {
        vc_buffer_printf(why, "grouping %u, SQL says %u", result->grouping[at], grouping);
        return false;
    }
    for (size_t a = 0; a < result->naxes; a++) {
        uint32_t coord = result->coords[at * result->naxes + a];
        if ((coord == VC_NONE) != !(kept >> a & 1)) return false;
        if (coord == VC_NONE) continue;
        const vc_result_member *member = &result->axes[a].members[coord];
        size_t nlevels = result->axes[a].nlevels, nkeys = sql_nkeys(question, a);
        int kind = sqlite3_column_int(row, column);
        bool is_same = member->is_synthetic == (kind == 1) && member->is_other == (kind == 2);
        for (size_t l = 0; l < nlevels; l++)
            is_same &= same_text(row, column + 1 + (int)(nkeys - nlevels + l), member->keys[l]);
        column += 1 + (int)nkeys;
        if (is_same) continue;
        vc_buffer_printf(why, "axis %zu: member '%.*s', SQL says '%s'", a,
                         VC_FMT(member->keys[nlevels - 1]),
                         (const char *)sqlite3_column_text(row, column - 1));
        return false;
    }
    if (!same_cells(question, result, &result->cells[at * result->nmeasures], row, column, why))
        return false;
    vc_buffer_clear(why);
    return true;
}

/* The rows of one grouping, from *at_in_out on. Frees the statement. */
static bool same_rows(const struct sql_question *question, const vc_result *result, size_t end,
                      uint32_t kept, sqlite3_stmt *rows, size_t *at_in_out, vc_buffer *why)
{
    bool is_same = true;
    while (is_same && sqlite3_step(rows) == SQLITE_ROW) {
        is_same = *at_in_out < end && same_row(question, result, *at_in_out, kept, rows, why);
        if (*at_in_out >= end)
            vc_buffer_printf(why, "%zu rows up to grouping %u, SQL has more", end, kept);
        ++*at_in_out;
    }
    sqlite3_finalize(rows);
    return is_same;
}

static bool same_summary(const struct sql_question *question, const vc_result *result,
                         sqlite3_stmt *row, vc_buffer *why)
{
    vc_buffer_put_text(why, "summary: ");
    bool is_same = sqlite3_step(row) == SQLITE_ROW &&
                   same_cells(question, result, result->summary, row, 1, why);
    sqlite3_finalize(row);
    if (is_same) vc_buffer_clear(why);
    return is_same;
}

static uint32_t kept_of(const vc_query *query, const vc_total *total)
{
    uint32_t kept = 0;
    for (size_t i = 0; i < total->ndimensions; i++)
        for (size_t a = 0; a < query->naxes; a++)
            if (vc_str_equal(query->axes[a].dimref.dimension, total->dimensions[i]))
                kept |= 1u << a;
    return kept;
}

static bool same_answer(struct sql_question *question, const vc_query *query,
                        const vc_result *result, vc_buffer *why)
{
    size_t nfound, at = 0;
    if (result->nmeasures != sql_nasked(question)) {
        vc_buffer_put_text(why, "another number of measures");
        return false;
    }
    sqlite3_stmt *detail = sql_detail(question, &nfound);
    if (!same_rows(question, result, result->ndetail_rows, (1u << query->naxes) - 1, detail, &at,
                   why))
        return false;
    if (at != result->ndetail_rows || result->total_cell_count != nfound) {
        vc_buffer_printf(why, "%zu detail rows of %llu, SQL has %zu of %zu", result->ndetail_rows,
                         (unsigned long long)result->total_cell_count, at, nfound);
        return false;
    }
    for (size_t i = 0; i < query->ntotals; i++) {
        uint32_t kept = kept_of(query, &query->totals[i]);
        if (!same_rows(question, result, result->nrows, kept, sql_total(question, kept), &at, why))
            return false;
    }
    if (at != result->nrows) {
        vc_buffer_printf(why, "%zu rows, SQL has %zu", result->nrows, at);
        return false;
    }
    return same_summary(question, result, sql_summary(question), why);
}

/* ---- ask ---- */

/* A feature is met where a cell that it makes has a value; of those below a grain, with its mark.
 */
static void count_features(const struct sql_question *question, const vc_result *result,
                           bool *is_met)
{
    for (size_t m = 0; m < result->nmeasures; m++) {
        uint32_t features = sql_features(question, m);
        for (size_t row = 0; row < result->nrows; row++) {
            const vc_cell *cell = &result->cells[row * result->nmeasures + m];
            for (unsigned f = 0; f < NFEATURES && !cell->is_null; f++)
                is_met[f] |= (features >> f & 1) && (f != FEATURE_REPEAT || cell->reason == 'r') &&
                             (f != FEATURE_ALLOCATE || cell->reason == 'a');
        }
    }
}

static bool has_set(const vc_condition *condition)
{
    bool has = false;
    for (size_t i = 0; i < condition->nitems; i++)
        has |= condition->items[i].kind == VC_ITEM_MEMBER_SET;
    for (size_t i = 0; i < condition->nchildren; i++)
        has |= has_set(condition->children[i]);
    return has;
}

/* Cells of totals and of others, whatever makes them. */
static void count_rows(const vc_query *query, const vc_result *result, bool *is_met)
{
    bool is_by_set = false, is_united = false;
    for (size_t i = 0; i < query->nconditions; i++) {
        is_by_set |= has_set(query->conditions[i]);
        is_united |= vc_str_is(query->conditions[i]->dimref.dimension, "united");
    }
    for (size_t a = 0; a < query->naxes; a++)
        is_united |= vc_str_is(query->axes[a].dimref.dimension, "united");
    for (size_t row = 0; row < result->nrows; row++) {
        bool is_other = false;
        for (size_t a = 0; a < result->naxes; a++) {
            uint32_t coord = result->coords[row * result->naxes + a];
            is_other |= coord != VC_NONE && result->axes[a].members[coord].is_other;
        }
        for (size_t m = 0; m < result->nmeasures; m++) {
            bool has_value = !result->cells[row * result->nmeasures + m].is_null;
            is_met[FEATURE_OTHER] |= is_other && has_value;
            is_met[FEATURE_SET] |= is_by_set && has_value;
            is_met[FEATURE_UNITED] |= is_united && has_value;
            is_met[FEATURE_VISIBLE] |=
                query->totals_visible && row >= result->ndetail_rows && has_value;
        }
    }
}

static void count_answer(struct round *round, const struct sql_question *question,
                         const vc_query *query, const vc_result *result)
{
    bool is_met[NFEATURES] = {false};
    round->nrows += (unsigned)result->nrows;
    count_rows(query, result, is_met);
    count_features(question, result, is_met);
    for (unsigned f = 0; f < NFEATURES; f++)
        round->features[f] += is_met[f];
    for (size_t i = 0; i < result->nrows * result->nmeasures; i++) {
        round->ncells++;
        round->reasons[(unsigned char)result->cells[i].reason & 127]++;
    }
}

/* Ask both; why is empty when they agree. */
static void ask(struct round *round, const vc_query *query)
{
    vc_arena arena = {0};
    vc_error error = {0};
    const vc_result *result = NULL;
    const char *expected = NULL;
    vc_engine_options options = {0};
    vc_buffer_clear(&round->why);
    vc_status status =
        vc_engine_run(round->fixture.model, query, &options, &arena, &result, &error);
    if (status == VC_IMPOSSIBLE &&
        (strcmp(error.code, "unsupported") == 0 || strcmp(error.code, "not_exact") == 0)) {
        round->nskipped++; /* refused is not wrong */
        vc_arena_release(&arena);
        return;
    }
    struct sql_question *question = sql_ask(&round->sql, query, &arena, &expected);
    if (status == VC_IMPOSSIBLE && strcmp(error.code, "not_additive") == 0 &&
        (expected == NULL || strcmp(expected, error.code) != 0) && sql_may_refuse(question)) {
        round->nskipped++;
        vc_arena_release(&arena);
        return;
    }
    if (status == VC_IMPOSSIBLE && strcmp(error.code, "unrelated") == 0 && expected == NULL &&
        sql_drills_more(question)) { /* an agg_over that drills what must not be */
        round->nskipped++;
        vc_arena_release(&arena);
        return;
    }
    round->npairs++;
    if (status != VC_OK || expected != NULL) {
        round->nerrors++;
        if (status == VC_OK || expected == NULL || strcmp(error.code, expected) != 0)
            vc_buffer_printf(&round->why, "error '%s' (%s), SQL says %s",
                             status == VC_OK ? "none" : error.code, error.message,
                             expected == NULL ? "none" : expected);
    } else if (same_answer(question, query, result, &round->why)) {
        count_answer(round, question, query, result);
    }
    vc_arena_release(&arena);
}

static bool query_fails(void *context, const vc_query *query)
{
    struct round *round = context;
    ask(round, query);
    return round->why.size > 0;
}

/* Load the world. False: its definition does not hold together, which the loader says. */
static bool load_world(struct round *round)
{
    vc_error error = {0};
    world_write(&round->world, round->fixture.path, false);
    vc_status status = fixture_load(&round->fixture, false, &error);
    if (status == VC_OK && round->world.has_append) {
        world_write(&round->world, round->fixture.path, true);
        status = fixture_load(&round->fixture, true, &error);
    }
    return status == VC_OK;
}

static bool world_fails(void *context)
{
    struct round *round = context;
    fixture_close(&round->fixture);
    sql_close(&round->sql);
    fixture_open(&round->fixture);
    bool is_loaded = load_world(round);
    sql_open(&round->sql, &round->world, round->cube);
    return is_loaded && query_fails(round, round->query);
}

static void name_measures(const struct sql *sql, vc_query *query, vc_arena *arena)
{
    vc_measure_ref *measures = VC_ARENA_NEW(arena, vc_measure_ref, sql->nnamed);
    if (query->nmeasures > 0) return;
    for (unsigned m = 0; m < sql->nnamed; m++)
        measures[query->nmeasures++].name = vc_str_of(sql->nodes[m].name);
    query->measures = measures;
}

static void report(struct round *round, vc_query *query, vc_arena *arena)
{
    vc_buffer text = {0}, all = {0};
    char path[128];
    name_measures(&round->sql, query, arena);
    shrink_query(query, NULL, query_fails, round, arena);
    round->query = query;
    shrink_facts(&round->world, world_fails, round, 300);
    world_fails(round);
    asking_print(query, &text);
    fixture_write(&round->fixture, "query.txt", vc_buffer_text(&text));
    vc_buffer_put(&all, round->sql.world_log.data, round->sql.world_log.size);
    vc_buffer_put(&all, round->sql.log.data, round->sql.log.size);
    fixture_write(&round->fixture, "query.sql", vc_buffer_text(&all));
    fixture_keep(&round->fixture);
    snprintf(path, sizeof path, "%s/query", round->fixture.path);
    cr_assert_fail("seed %llu: %s\n%s\nthe cubes are in %s; ask them with\n  vcube query -d "
                   "%s/store --body %s.txt\n  sqlite3 < %s.sql",
                   (unsigned long long)round->seed, vc_buffer_text(&round->why),
                   vc_buffer_text(&text), round->fixture.path, round->fixture.path, path, path);
}

/* What is asked of a measure that does not add up is mostly refused, and what depends on the last
 * digit of a double is no question: measures of the first kind are left out mostly, of the second
 * one where rows are chosen by them. */
static bool is_good(struct round *round, vc_str measure, bool chooses)
{
    if (chooses && sql_is_rough(&round->sql, measure)) return false;
    return !sql_may_not_add(&round->sql, measure) || random_chance(&round->world.random, 10);
}

#define KEEP_GOOD(list, count, name, type, chooses)                                                \
    do {                                                                                           \
        type *kept = VC_ARENA_NEW(arena, type, query->count + 1);                                  \
        size_t nkept = 0;                                                                          \
        for (size_t i = 0; i < query->count; i++)                                                  \
            if (is_good(round, query->list[i].name, chooses)) kept[nkept++] = query->list[i];      \
        query->list = kept;                                                                        \
        query->count = nkept;                                                                      \
    } while (0)

static bool is_axis(const vc_query *query, vc_str name)
{
    for (size_t a = 0; a < query->naxes; a++)
        if (vc_str_equal(query->axes[a].dimref.dimension, name)) return true;
    return false;
}

static void choose_measures(struct round *round, vc_query *query, vc_arena *arena)
{
    bool is_mixed = false; /* a query for all leaves some out */
    for (unsigned m = 0; m < round->sql.nnamed; m++)
        is_mixed |= sql_may_not_add(&round->sql, vc_str_of(round->sql.nodes[m].name));
    if (is_mixed) name_measures(&round->sql, query, arena);
    if (query->nmeasures > 0) {
        vc_measure_ref first = query->measures[0];
        KEEP_GOOD(measures, nmeasures, name, vc_measure_ref, false);
        if (query->nmeasures == 0) ((vc_measure_ref *)query->measures)[query->nmeasures++] = first;
    }
    KEEP_GOOD(havings, nhavings, measure, vc_having, true);
    KEEP_GOOD(tops, ntops, measure, vc_top, true);
    vc_order *orders = VC_ARENA_NEW(arena, vc_order, query->norders + 1);
    size_t norders = 0;
    for (size_t i = 0; i < query->norders; i++)
        if (is_axis(query, query->orders[i].name) || is_good(round, query->orders[i].name, true))
            orders[norders++] = query->orders[i];
    query->orders = orders;
    query->norders = norders;
}

/* Totals of the visible rows; tops that show the others. */
static void choose_rows(struct round *round, vc_query *query, vc_arena *arena)
{
    struct random *random = &round->world.random;
    bool is_shortened = query->ntops > 0 || query->nhavings > 0 || query->limit != UINT64_MAX;
    query->totals_visible = query->ntotals > 0 && random_chance(random, is_shortened ? 60 : 20);
    if (query->ntops == 0 || !random_chance(random, 60)) return;
    vc_top *tops = VC_ARENA_NEW(arena, vc_top, query->ntops);
    memcpy(tops, query->tops, query->ntops * sizeof *tops);
    tops[random_below(random, (unsigned)query->ntops)].has_other = true;
    query->tops = tops;
}

/* Look at what is rarely met: a function over members along its own dimension, a dimension below
 * the grain of a source that says what is finer, parts that are equal, a dimension of several
 * sources. */
static void aim(struct round *round, struct asking_cube *of)
{
    struct random *random = &round->world.random;
    const struct sql *sql = &round->sql;
    bool wants_call = random_chance(random, 45);
    of->has_aim = false;
    if (sql->nnamed == 0 || !random_chance(random, 80)) return;
    for (int i = 0; i < 60 && !of->has_aim; i++) {
        of->aim_measure = random_below(random, sql->nnamed);
        const struct sql_node *node = &sql->nodes[of->aim_measure];
        bool is_call = node->formula == FORMULA_CALL;
        unsigned d = is_call ? node->call_dimension : random_below(random, sql->ndimensions);
        const struct sql_place *place = &sql->sources[node->source].places[d];
        bool is_below = place->finer != VC_FINER_NULL && random_chance(random, 70);
        if (!is_call && (node->formula != FORMULA_NONE || !place->is_there ||
                         !(is_below || place->is_united || place->is_equal ||
                           (node->is_mode_set && place->mode == VC_MODE_WEIGHTED))))
            continue;
        if (is_call != wants_call && i < 40) continue;
        for (of->aim_dimension = 0; of->aim_dimension < of->ndimensions; of->aim_dimension++)
            if (strcmp(of->names[of->aim_dimension], sql->dimensions[d].name) == 0) break;
        of->has_aim = of->aim_dimension < of->ndimensions;
        unsigned nlevels = sql->dimensions[d].stored->nlevels;
        of->aim_level = !is_call && is_below ? nlevels - 1 : random_below(random, nlevels);
    }
}

static void ask_cube(struct round *round, const char *cube, unsigned nqueries)
{
    vc_arena names = {0};
    struct asking_cube of;
    round->cube = cube;
    sql_open(&round->sql, &round->world, cube);
    sql_describe(&round->sql, &names, &of);
    for (unsigned i = 0; i < nqueries; i++) {
        vc_arena arena = {0};
        aim(round, &of);
        vc_query query = asking_make_of(&of, cube, &round->world.random, 60, &arena);
        choose_measures(round, &query, &arena);
        choose_rows(round, &query, &arena);
        if (!sql_knows(&query))
            round->nskipped++;
        else if (query_fails(round, &query))
            report(round, &query, &arena);
        vc_arena_release(&arena);
    }
    sql_close(&round->sql);
    vc_arena_release(&names);
}

static void play(struct round *round, unsigned nqueries)
{
    vc_cells_set_limits(round->seed % 3 == 2 ? 0 : 2 << 20, round->seed % 3 == 1 ? 0 : 32 << 20);
    fixture_open(&round->fixture);
    world_make(&round->world, round->seed, 80);
    world_add_parts(&round->world);
    world_add_united(&round->world);
    world_add_calls(&round->world);
    world_add_sets(&round->world);
    world_add_nested(&round->world, 60);
    world_add_outer(&round->world);
    bool is_loaded = load_world(round);
    round->nrejected += !is_loaded;
    if (is_loaded) {
        round->nworlds++;
        ask_cube(round, "v", round->world.has_nested ? nqueries * 2 / 3 : nqueries);
        if (round->world.has_nested) ask_cube(round, "n", nqueries / 4);
        if (round->world.has_outer) ask_cube(round, "o", nqueries / 4);
        ask_cube(round, round->world.cubes[0].name, nqueries / 5);
    }
    fixture_close(&round->fixture);
    world_release(&round->world);
}

Test(sql, the_same_question, .timeout = 36000)
{
    static struct round round;
    unsigned npairs = random_setting("VCUBE_PAIRS", PAIRS), seed = random_setting("VCUBE_SEED", 1);
    unsigned nqueries = random_setting("VCUBE_PAIRS_PER_WORLD", 28);
    clock_t begin = clock();
    for (round.seed = seed; round.npairs < npairs; round.seed++)
        play(&round, nqueries);
    fprintf(stderr,
            "%u pairs of %u worlds (%u more do not hold together), %u rows, %u cells, %u errors, "
            "%u not asked, %.1f s of "
            "CPU; reasons",
            round.npairs, round.nworlds, round.nrejected, round.nrows, round.ncells, round.nerrors,
            round.nskipped, (double)(clock() - begin) / CLOCKS_PER_SEC);
    for (int c = 'a'; c <= 'z'; c++)
        if (round.reasons[c] > 0) fprintf(stderr, " %c %u", c, round.reasons[c]);
    fputs("\npairs with a value by", stderr);
    for (unsigned f = 0; f < NFEATURES; f++)
        fprintf(stderr, "%s %s %u", f > 0 ? "," : "", sql_feature_names[f], round.features[f]);
    fputc('\n', stderr);
    vc_buffer_release(&round.why);
    if (npairs < 5000 || seed != 1) return;
    /* A generator that never reaches a case would test nothing of it. */
    cr_assert_gt(round.nrows, 5000);
    cr_assert_lt(round.nskipped, round.npairs / 4);
    for (unsigned f = 0; f < NFEATURES; f++)
        cr_assert_geq(round.features[f], 20, "%s is hardly met", sql_feature_names[f]);
    for (const char *c = "uxgnerda"; *c != '\0'; c++)
        cr_assert_gt(round.reasons[(unsigned char)*c], 0, "reason %c is never met", *c);
}
