#include "fixtures.h"
#include "making.h"

/* Two regions of two countries each, two years of two measures each, and totals of all. */
static const vc_grid *make_regions(vc_arena *arena)
{
    making made =
        make_grid(arena, "Population and output by region, country and year",
                  (making_size){.nrows = 7, .ncolumns = 6, .nhead_columns = 2, .nhead_rows = 2});
    static const struct {
        const char *region_key, *region, *key, *country;
        double values[6]; /* population, output of 2010, of 2020, of both */
    } rows[] = {
        {"EUR", "Europe", "FRA", "France", {65027505, 2642.6, 67571107, 2639.0, 67571107, 5281.6}},
        {NULL, NULL, "ESP", "Spain", {46576897, 1420.7, 47365655, 1276.9, 47365655, 2697.6}},
        {NULL, NULL, NULL, NULL, {111604402, 4063.3, 114936762, 3915.9, 114936762, 7979.2}},
        {"ASI", "Asia", "JPN", "Japan", {128070000, 5759.1, 126261000, 5048.8, 126261000, 10807.9}},
        {NULL, NULL, "TLS", "Timor-Leste", {1088486, 0.9, 1299995, 1.9, 1299995, 2.8}},
        {NULL, NULL, NULL, NULL, {129158486, 5760.0, 127560995, 5050.7, 127560995, 10810.7}},
        {NULL, NULL, NULL, NULL, {240762888, 9823.3, 242497757, 8966.6, 242497757, 18789.9}},
    };
    static const char *const years[] = {"2010", "2020"};
    made.corners[0] = VC_STR("Region");
    made.corners[1] = VC_STR("Country");
    made.corner_rows[0] = VC_STR("Year");
    uint32_t population = make_measure(&made, "Population", "persons", VC_VALUE_INT, 0, "#,##0");
    uint32_t output = make_measure(&made, "GDP", "billion US$", VC_VALUE_DECIMAL, 1, "#,##0.0");
    for (size_t column = 0; column < 6; column++) {
        if (column % 2 == 0 && column < 4) make_column(&made, 0, column, NULL, years[column / 2]);
        if (column >= 4) make_total_column(&made, column, 0);
        make_measure_column(&made, 1, column, column % 2 == 0 ? population : output);
    }
    /* "Total" stands over both measures. */
    made.column_heads[5] = (vc_grid_head){0};
    for (size_t row = 0; row < 7; row++) {
        if (rows[row].region != NULL)
            make_row(&made, row, 0, rows[row].region_key, rows[row].region);
        if (rows[row].country != NULL)
            make_row(&made, row, 1, rows[row].key, rows[row].country);
        else
            make_total_row(&made, row, row == 6 ? 0 : 1);
        for (size_t column = 0; column < 6; column++)
            make_value(&made, row, column, rows[row].values[column]);
        make_mark(&made, row, 4, VC_REASON_REPEATED);
    }
    make_mark(&made, 4, 1, VC_REASON_ALLOCATED);
    make_null(&made, 4, 3, VC_REASON_UNMATCHED);
    return make_done(&made);
}

static const vc_grid *make_years(vc_arena *arena)
{
    static const char *const countries[] = {"France", "Spain", "Japan"};
    static const double first[] = {60.9, 40.6, 126.8}, growth[] = {0.42, 0.38, -0.05};
    making made =
        make_grid(arena, "Population by year",
                  (making_size){.nrows = 21, .ncolumns = 3, .nhead_columns = 1, .nhead_rows = 1});
    double *places = VC_ARENA_NEW(arena, double, 21);
    made.corners[0] = VC_STR("Year");
    made.corner_rows[0] = VC_STR("Country");
    make_measure(&made, "Population", "millions", VC_VALUE_FLOAT, 0, "#,##0.0");
    for (size_t column = 0; column < 3; column++)
        make_column(&made, 0, column, NULL, countries[column]);
    for (size_t row = 0; row < 21; row++) {
        make_row(&made, row, 0, NULL, vc_arena_printf(arena, "%zu", 2000 + row).data);
        places[row] = 2000 + (double)row;
        for (size_t column = 0; column < 3; column++)
            make_value(&made, row, column, first[column] + growth[column] * (double)row);
    }
    make_null(&made, 7, 1, VC_REASON_EMPTY);
    make_null(&made, 8, 1, VC_REASON_EMPTY);
    made.grid->row_places = places;
    return make_done(&made);
}

static void add_figures(vc_document *document, vc_arena *arena)
{
    static const vc_figure figures[] = {
        {.label = VC_STR("Population"),
         .value = VC_STR("242,497,757"),
         .unit = VC_STR("persons"),
         .exact = VC_STR("242497757"),
         .change = VC_STR("+0.7 %"),
         .against = VC_STR("than 2010"),
         .direction = 1},
        {.label = VC_STR("GDP"),
         .value = VC_STR("8,966.6"),
         .unit = VC_STR("billion US$"),
         .exact = VC_STR("8966.6"),
         .change = VC_STR("-8.7 %"),
         .against = VC_STR("than 2010"),
         .direction = -1,
         .has_judgement = true},
        {.label = VC_STR("Life expectancy"),
         .value = VC_STR("83.1"),
         .unit = VC_STR("years"),
         .exact = VC_STR("83.1"),
         .reason = VC_REASON_REPEATED,
         .change = VC_STR("+1.4"),
         .against = VC_STR("than 2010"),
         .direction = 1,
         .is_good = true,
         .has_judgement = true},
        {.label = VC_STR("Literacy"), .value = VC_STR("–"), .reason = VC_REASON_NULL},
    };
    vc_section *section =
        make_section(arena, document, VC_SECTION_FIGURES, "figures", "At a glance");
    section->figures = figures;
    section->nfigures = 4;
    section->query = VC_STR("cube=world&measures=pop,gdp");
}

const vc_document *fixture_plain(vc_arena *arena)
{
    static const char *const words[] = {
        "In 2020 these four countries had 242,497,757 inhabitants, of which Japan had more than "
        "half. Their joint output fell from 9,823 to 8,967 billion US$.",
        "Japan is the one of them that shrinks.",
    };
    static const char *const notes[] = {
        "Values of cpop repeat along date: do not add them up.",
    };
    vc_document *document = make_document(arena, "Four countries", "2010 and 2020");
    vc_section *text = make_section(arena, document, VC_SECTION_TEXT, "summary", "Summary");
    text->paragraphs = make_texts(arena, words, 2);
    text->nparagraphs = 2;
    add_figures(document, arena);
    vc_section *pivot = make_pivot(arena, document, "regions", "Regions", make_regions(arena));
    pivot->notes = make_texts(arena, notes, 1);
    pivot->nnotes = 1;
    vc_chart *chart = make_chart(
        arena, document, "years", "Twenty years", VC_CHART_LINE, make_years(arena),
        "Japan's population falls slowly from 127 million; those of France and Spain grow by 8 "
        "million each.");
    chart->y_title = VC_STR("Population, millions");
    fixture_add_notes(document, arena);
    return document;
}
