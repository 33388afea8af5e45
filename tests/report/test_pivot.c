/* Grids beside the answers they are made of: random answers, and each of their rows looked up again
 * by the heads of the grid, as a reader does. */
#include "report/pivot.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_AXES = 3, MAX_MEMBERS = 6, MAX_ROWS = 4096 };

typedef struct made { /* a random answer */
    vc_arena arena;
    vc_result result;
    vc_result_axis axes[MAX_AXES];
    vc_result_measure measures[2];
    vc_cell cells[MAX_ROWS * 2];
    uint32_t coords[MAX_ROWS * MAX_AXES];
} made;

static unsigned chance(uint64_t *state, unsigned most)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((*state >> 33) % most);
}

/* Members of one level, or of two, of which the upper one has several below it; one has no key. */
static void make_axis(made *of, size_t a, uint64_t *state)
{
    vc_result_axis *axis = &of->axes[a];
    size_t nlevels = 1 + chance(state, 2), nmembers = 1 + chance(state, MAX_MEMBERS);
    vc_result_level *levels = VC_ARENA_NEW(&of->arena, vc_result_level, nlevels);
    vc_result_member *members = VC_ARENA_NEW(&of->arena, vc_result_member, nmembers);
    for (size_t l = 0; l < nlevels; l++)
        levels[l].name = vc_arena_printf(&of->arena, "level%zu", l);
    for (size_t m = 0; m < nmembers; m++) {
        vc_str *keys = VC_ARENA_NEW(&of->arena, vc_str, nlevels),
               *labels = VC_ARENA_NEW(&of->arena, vc_str, nlevels);
        for (size_t l = 0; l < nlevels; l++) {
            bool is_upper = l + 1 < nlevels;
            keys[l] = vc_arena_printf(&of->arena, "%c%zu%zu", is_upper ? 'U' : 'm', a,
                                      is_upper ? m / 3 : m);
            labels[l] = chance(state, 2) ? (vc_str){0} : vc_arena_printf(&of->arena, "Same");
        }
        if (m == 0 && chance(state, 3) == 0) keys[nlevels - 1] = (vc_str){0};
        if (m == 1 && chance(state, 3) == 0) keys[nlevels - 1] = VC_STR("");
        members[m] = (vc_result_member){.keys = keys, .labels = labels};
    }
    *axis = (vc_result_axis){.dimension = vc_arena_printf(&of->arena, "d%zu", a),
                             .nlevels = nlevels,
                             .levels = levels,
                             .nmembers = nmembers,
                             .members = members};
}

/* Each combination of members, and of totals, with a chance. */
static void make_rows(made *of, uint64_t *state)
{
    vc_result *result = &of->result;
    size_t ncombinations = 1, density = 1 + chance(state, 4);
    for (size_t a = 0; a < result->naxes; a++)
        ncombinations *= of->axes[a].nmembers + 1;
    for (size_t i = 0; i < ncombinations && result->nrows < MAX_ROWS; i++) {
        size_t rest = i;
        if (result->naxes > 0 && chance(state, 5) >= density) continue;
        for (size_t a = 0; a < result->naxes; a++) {
            size_t n = of->axes[a].nmembers + 1, m = rest % n;
            rest /= n;
            of->coords[result->nrows * result->naxes + a] = m + 1 == n ? VC_NONE : (uint32_t)m;
        }
        for (size_t m = 0; m < result->nmeasures; m++)
            of->cells[result->nrows * result->nmeasures + m] =
                chance(state, 6) == 0 ? vc_cell_null(VC_REASON_UNMATCHED)
                                      : (vc_cell){.as.i = (int64_t)(1000 * i + m)};
        result->nrows++;
    }
    result->ndetail_rows = result->nrows;
}

static void make_answer(made *of, uint64_t seed)
{
    uint64_t state = seed * 77 + 1;
    memset(of, 0, sizeof *of);
    of->result = (vc_result){.naxes = chance(&state, MAX_AXES + 1),
                             .axes = of->axes,
                             .nmeasures = 1 + chance(&state, 2),
                             .measures = of->measures,
                             .coords = of->coords,
                             .cells = of->cells};
    of->measures[0] = (vc_result_measure){.name = VC_STR("one")};
    of->measures[1] = (vc_result_measure){.name = VC_STR("two")};
    for (size_t a = 0; a < of->result.naxes; a++)
        make_axis(of, a, &state);
    make_rows(of, &state);
}

/* The head that stands for a line of a unit, looking back over those it spans. */
static const vc_grid_head *head_of(const vc_grid_head *heads, size_t line, size_t step)
{
    size_t first = line;
    while (heads[first * step].span == 0) {
        cr_assert(gt(sz, first, 0));
        first--;
    }
    cr_assert(gt(sz, first + heads[first * step].span, line), "it spans the line");
    return &heads[first * step];
}

static bool is_for(const vc_grid_head *head, const vc_result_axis *axis, size_t level,
                   uint32_t member)
{
    if (member == VC_NONE) return head->is_total;
    return !head->is_total && vc_str_equal(head->key, axis->members[member].keys[level]);
}

/* Does a line have the heads of the row along some axes? */
static bool has_heads(const made *of, const uint32_t *coords, const size_t *axes, size_t naxes,
                      const vc_grid_head *heads, size_t line, size_t line_step, size_t unit_step)
{
    size_t unit = 0;
    for (size_t a = 0; a < naxes; a++)
        for (size_t l = 0; l < of->axes[axes[a]].nlevels; l++, unit++)
            if (!is_for(head_of(heads + unit * unit_step, line, line_step), &of->axes[axes[a]], l,
                        coords[axes[a]]))
                return false;
    return true;
}

static void check_cell(const vc_cell *found, const vc_cell *expected)
{
    cr_assert(eq(int, found->is_null, expected->is_null));
    cr_assert(eq(chr, found->reason, expected->reason));
    cr_assert(eq(i64, found->as.i, expected->as.i));
}

/* Every row of the answer is at exactly one place, and all other places are blank. */
static void check_grid(const made *of, const vc_grid *grid, const size_t *rows, size_t nrows,
                       const size_t *columns, size_t ncolumns, size_t nholes)
{
    const vc_result *result = &of->result;
    size_t nm = result->nmeasures, nfound = 0;
    for (size_t r = 0; r < grid->nrows; r++)
        for (size_t c = 0; c < grid->ncolumns; c++) {
            size_t matches = 0, measure = grid->measure_of[grid->measures_on_rows ? r : c];
            const vc_cell *cell = vc_grid_cell(grid, r, c);
            for (size_t row = 0; row < result->nrows; row++) {
                const uint32_t *coords = result->coords + row * result->naxes;
                if (!has_heads(of, coords, rows, nrows, grid->row_heads, r, grid->nhead_columns,
                               1) ||
                    !has_heads(of, coords, columns, ncolumns, grid->column_heads, c, 1,
                               grid->ncolumns))
                    continue;
                matches++;
                check_cell(cell, &result->cells[row * nm + measure]);
            }
            cr_assert(le(sz, matches, 1));
            nfound += matches;
            if (matches == 0) cr_assert(cell->is_null && cell->reason == VC_REASON_NONE);
        }
    cr_assert(eq(sz, nfound, result->nrows * nm));
    cr_assert(eq(sz, nholes, grid->nrows * grid->ncolumns / nm - result->nrows));
}

/* Totals stand behind what they are the totals of. */
static void check_order(const vc_grid *grid, size_t unit)
{
    bool had_total = false;
    for (size_t r = 0; r < grid->nrows; r++) {
        const vc_grid_head *head = &grid->row_heads[r * grid->nhead_columns + unit];
        if (head->span == 0) continue;
        bool begins_group = unit == 0 ? r == 0 : head[-1].span > 0;
        if (begins_group) had_total = false;
        cr_assert(eq(int, had_total, 0), "nothing follows the total of its group");
        had_total = head->is_total;
    }
}

Test(pivot, random_answers)
{
    static made of;
    for (uint64_t seed = 0; seed < 400; seed++) {
        make_answer(&of, seed);
        uint64_t state = seed;
        size_t naxes = of.result.naxes, axes[2][MAX_AXES], counts[2] = {0}, nholes;
        vc_str names[2][MAX_AXES];
        for (size_t a = naxes; a-- > 0;) { /* the last first: heads need not be in their order */
            size_t side = chance(&state, 2);
            names[side][counts[side]] = of.axes[a].dimension;
            axes[side][counts[side]++] = a;
        }
        vc_pivot_plan plan = {.rows = names[0],
                              .nrows = counts[0],
                              .columns = names[1],
                              .ncolumns = counts[1],
                              .stacks_measures = chance(&state, 2)};
        const vc_grid *grid;
        vc_error error = {0};
        cr_assert(zero(vc_pivot_of(&of.result, &plan, &of.arena, &grid, &nholes, &error)), "%s",
                  error.message);
        check_grid(&of, grid, axes[0], counts[0], axes[1], counts[1], nholes);
        for (size_t u = 0; u + plan.stacks_measures < grid->nhead_columns; u++)
            if (!plan.stacks_measures) check_order(grid, u);
        vc_arena_release(&of.arena);
    }
}

/* The same in several pieces: heads are found again by their keys. */
Test(pivot, in_pieces)
{
    static made of;
    for (uint64_t seed = 0; seed < 100; seed++) {
        make_answer(&of, seed);
        const vc_grid *whole, *parts;
        vc_pivot *pivot;
        vc_pivot_plan plan = {0};
        vc_error error = {0};
        size_t half = of.result.nrows / 2;
        vc_result first = of.result, second = of.result;
        first.nrows = half;
        second.nrows = of.result.nrows - half;
        second.coords += half * of.result.naxes;
        second.cells += half * of.result.nmeasures;
        cr_assert(zero(vc_pivot_of(&of.result, &plan, &of.arena, &whole, NULL, &error)));
        cr_assert(zero(vc_pivot_new(&first, &plan, &of.arena, &pivot, &error)));
        cr_assert(zero(vc_pivot_add(pivot, &first, false, &error)));
        cr_assert(zero(vc_pivot_add(pivot, &second, false, &error)));
        cr_assert(zero(vc_pivot_finish(pivot, &parts, NULL, &error)));
        vc_pivot_free(pivot);
        cr_assert(eq(sz, parts->nrows, whole->nrows));
        cr_assert(eq(sz, parts->ncolumns, whole->ncolumns));
        for (size_t i = 0; i < whole->nrows * whole->ncolumns; i++)
            check_cell(&parts->cells[i], &whole->cells[i]);
        vc_arena_release(&of.arena);
    }
}

Test(pivot, places_of_times)
{
    static const struct {
        const char *key;
        double place; /* -1: none */
    } cases[] = {{"2010", 2010},
                 {"2010-Q3", 2010.5},
                 {"2010-07", 2010.5},
                 {"2010-01-01", 2010},
                 {"2012-12-31", 2012 + 365 / 366.0},
                 {"2010-W01", 2010},
                 {"2010-Q5", -1},
                 {"2010-13", -1},
                 {"2010-1", -1},
                 {"201", -1},
                 {"2010-02-32", -1},
                 {"2010-01-01T", -1},
                 {"x", -1},
                 {"", -1},
                 {"2010-W54", -1},
                 {"2010-", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double place = -1;
        bool is_time = vc_time_place(vc_str_of(cases[i].key), &place);
        cr_assert(eq(int, is_time, cases[i].place >= 0), "%s", cases[i].key);
        if (is_time) cr_assert(ieee_ulp_eq(dbl, place, cases[i].place, 2), "%s", cases[i].key);
    }
}
