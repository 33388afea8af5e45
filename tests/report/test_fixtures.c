/* The fixtures keep the promises of report/grid.h and report/document.h, so that what a writer
 * makes of them says something of the writer. */
#include "fixtures.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/* Spans along a line of heads cover it without a gap or an overlap. */
static void check_spans(const char *name, const vc_grid_head *heads, size_t count, size_t step)
{
    for (size_t i = 0; i < count;) {
        size_t span = heads[i * step].span;
        cr_assert(span > 0 && i + span <= count, "%s: head %zu has span %zu of %zu", name, i, span,
                  count);
        for (size_t k = i + 1; k < i + span; k++)
            cr_assert(zero(u32, heads[k * step].span), "%s: head %zu", name, k);
        i += span;
    }
}

static void check_grid(const char *name, const vc_grid *grid)
{
    cr_assert(not(zero(sz, grid->caption.size)), "%s", name);
    cr_assert(ge(sz, grid->nmeasures, 1), "%s", name);
    for (size_t c = 0; c < grid->nhead_columns; c++)
        check_spans(name, grid->row_heads + c, grid->nrows, grid->nhead_columns);
    for (size_t r = 0; r < grid->nhead_rows; r++)
        check_spans(name, grid->column_heads + r * grid->ncolumns, grid->ncolumns, 1);
    for (size_t i = 0; i < (grid->measures_on_rows ? grid->nrows : grid->ncolumns); i++)
        cr_assert(lt(sz, grid->measure_of[i], grid->nmeasures), "%s", name);
}

Test(fixtures, keep_the_promises_of_grids)
{
    for (size_t i = 0; fixture_names[i] != NULL; i++) {
        vc_arena arena = {0};
        const char *name = fixture_names[i];
        const vc_document *document = fixture_document(name, &arena);
        cr_assert(document != NULL, "%s", name);
        for (size_t s = 0; s < document->nsections; s++) {
            const vc_section *section = &document->sections[s];
            bool has_grid = section->kind == VC_SECTION_PIVOT || section->kind == VC_SECTION_CHART;
            cr_assert(eq(int, section->grid != NULL, has_grid), "%s", name);
            cr_assert(eq(int, section->chart != NULL, section->kind == VC_SECTION_CHART), "%s",
                      name);
            if (has_grid) check_grid(name, section->grid);
            for (size_t k = 0; k < s; k++)
                cr_assert(not(vc_str_equal(section->id, document->sections[k].id)), "%s", name);
        }
        vc_arena_release(&arena);
    }
}

Test(fixtures, of_no_name_are_none)
{
    vc_arena arena = {0};
    cr_assert(fixture_document("chart-cake", &arena) == NULL);
}
