#include "fixtures.h"
#include "making.h"
#include "writing.h"

#include "report/writers.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- whole files ---- */

struct golden_case {
    char document[24], section[24];
    bool has_totals;
};

ParameterizedTestParameters(csv, golden)
{
    static struct golden_case cases[] = {
        {"plain", "regions", false}, {"plain", "regions", true}, /* totals are left out, or named */
        {"plain", "years", false},   {"hard", "numbers", false}, /* labels beside keys; formulas */
        {"hard", "reasons", false},  {"hard", "levels", false},  /* nulls; measures on the rows */
        {"one", "number", false},                                /* no heads of rows */
        {"none", "rows", false},                                 /* the header alone */
        {"none", "columns", false},                              /* keys alone */
        {"wide", "exports", false}, /* "2000 2000-01": years and months */
    };
    return cr_make_param_array(struct golden_case, cases, sizeof cases / sizeof cases[0]);
}

static const vc_grid *find_grid(const vc_document *document, const char *id)
{
    for (size_t s = 0; s < document->nsections; s++)
        if (vc_str_is(document->sections[s].id, id)) return document->sections[s].grid;
    cr_fatal("no section %s", id);
}

ParameterizedTest(struct golden_case *c, csv, golden)
{
    vc_arena arena = {0};
    vc_buffer text = {0};
    char name[96];
    const vc_grid *grid = find_grid(fixture_document(c->document, &arena), c->section);
    cr_assert(zero(vc_grid_write_csv(grid, c->has_totals, vc_render_to_buffer(&text), NULL)));
    snprintf(name, sizeof name, "%s.%s%s.csv", c->document, c->section,
             c->has_totals ? ".totals" : "");
    assert_golden(name, &text);
    vc_buffer_release(&text);
    vc_arena_release(&arena);
}

/* ---- what is read back ---- */

/* The next field of a record, unquoted; moves *at behind its comma or line end. */
static vc_str next_field(vc_arena *arena, const char **at, bool *is_last)
{
    char *field = vc_arena_alloc(arena, strlen(*at) + 1);
    size_t size = 0;
    bool is_quoted = **at == '"';
    if (is_quoted) ++*at;
    for (;; ++*at) {
        if (is_quoted ? **at == '"' && (*at)[1] != '"' : **at == ',' || **at == '\r') break;
        cr_assert(at[0][0] != '\0');
        if (is_quoted && **at == '"') ++*at;
        field[size++] = **at;
    }
    *at += is_quoted;
    *is_last = **at == '\r';
    cr_assert(is_last[0] ? at[0][1] == '\n' : at[0][0] == ',', "%s", *at);
    *at += *is_last ? 2 : 1;
    return (vc_str){.data = field, .size = size};
}

/* Every number of every fixture is in its place, exactly; every record has as many fields. */
Test(csv, says_the_numbers_of_the_grid)
{
    static const char *const names[] = {"plain", "hard", "one", "wide", "chart-log", "chart-map"};
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        vc_arena arena = {0};
        const vc_document *document = fixture_document(names[n], &arena);
        for (size_t s = 0; s < document->nsections; s++) {
            const vc_grid *grid = document->sections[s].grid;
            if (grid == NULL) continue;
            vc_buffer text = {0};
            cr_assert(zero(vc_grid_write_csv(grid, true, vc_render_to_buffer(&text), NULL)));
            const char *at = vc_buffer_text(&text);
            size_t nfields = 1;
            bool is_last;
            for (next_field(&arena, &at, &is_last); !is_last; nfields++)
                next_field(&arena, &at, &is_last);
            for (size_t row = 0; row < grid->nrows; row++) {
                for (size_t i = 0; i < nfields; i++) {
                    vc_str field = next_field(&arena, &at, &is_last);
                    cr_assert(eq(int, is_last, i + 1 == nfields));
                    if (i < nfields - grid->ncolumns) continue;
                    size_t column = i - (nfields - grid->ncolumns);
                    cr_assert(eq(int, field.size == 0, vc_grid_cell(grid, row, column)->is_null));
                    if (field.size == 0) continue;
                    vc_buffer exact = {0};
                    vc_grid_put_exact(grid, row, column, &exact);
                    cr_assert(vc_str_equal(field, (vc_str){exact.data, exact.size}));
                    vc_buffer_release(&exact);
                }
            }
            cr_assert(at[0] == '\0');
            vc_buffer_release(&text);
        }
        vc_arena_release(&arena);
    }
}

/* Programs read columns by name: no two have the same, not even when a number is a name. */
Test(csv, names_of_columns_are_unique)
{
    static const char *const names[] = {"a", "a", "a (2)", "a", "", "", "a b"};
    vc_arena arena = {0};
    vc_buffer text = {0};
    making made =
        make_grid(&arena, "Twins",
                  (making_size){.nrows = 1, .ncolumns = 7, .nhead_columns = 1, .nhead_rows = 1});
    make_measure(&made, "m", NULL, VC_VALUE_INT, 0, NULL);
    made.corners[0] = VC_STR("a");
    make_row(&made, 0, 0, NULL, "x");
    for (size_t column = 0; column < 7; column++)
        make_column(&made, 0, column, NULL, names[column]);
    cr_assert(zero(vc_grid_write_csv(make_done(&made), false, vc_render_to_buffer(&text), NULL)));
    cr_assert(eq(str, (char *)vc_buffer_text(&text),
                 "a,a (2),a (3),a (2) (2),a (4),value,value (2),a b\r\nx,,,,,,,\r\n"));
    vc_buffer_release(&text);
    vc_arena_release(&arena);
}

/* ---- the sink ---- */

Test(csv, goes_out_in_blocks)
{
    vc_arena arena = {0};
    counting counts = {0};
    const vc_grid *grid = find_grid(fixture_document("long", &arena), "cities");
    cr_assert(zero(vc_grid_write_csv(grid, false, count_blocks(&counts), NULL)));
    cr_assert(ge(sz, counts.nblocks, 4));
    cr_assert(lt(sz, counts.most_bytes, 80000));
    vc_arena_release(&arena);
}

Test(csv, stops_where_the_sink_fails)
{
    vc_arena arena = {0};
    const vc_grid *grid = find_grid(fixture_document("long", &arena), "cities");
    for (size_t at = 1; at <= 3; at++) {
        counting counts = {.fails_at = at};
        vc_error error = {0};
        cr_assert(
            eq(int, vc_grid_write_csv(grid, false, count_blocks(&counts), &error), VC_STORAGE));
        cr_assert(eq(sz, counts.nblocks, at));
        cr_assert(eq(str, error.message, at == 1 ? "block 1" : at == 2 ? "block 2" : "block 3"));
    }
    vc_arena_release(&arena);
}
