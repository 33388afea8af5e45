#include "fixtures.h"
#include "making.h"

#include <math.h>
#include <string.h>

enum { FIRST_YEAR = 2000 };

static making make_series(vc_arena *arena, const char *caption, size_t nrows, size_t ncolumns)
{
    making made = make_grid(
        arena, caption,
        (making_size){.nrows = nrows, .ncolumns = ncolumns, .nhead_columns = 1, .nhead_rows = 1});
    made.corner_rows[0] = VC_STR("Country");
    return made;
}

/* Years down the rows, which are places on an axis. */
static void set_years(making *made)
{
    double *places = VC_ARENA_NEW(made->arena, double, made->grid->nrows);
    made->corners[0] = VC_STR("Year");
    for (size_t row = 0; row < made->grid->nrows; row++) {
        make_row(made, row, 0, NULL, vc_arena_printf(made->arena, "%zu", FIRST_YEAR + row).data);
        places[row] = FIRST_YEAR + (double)row;
    }
    made->grid->row_places = places;
}

static const char *const countries[] = {"France", "Spain",   "Japan",     "Timor-Leste",
                                        "Brazil", "Nigeria", "Indonesia", "Norway"};

static void set_countries_on_columns(making *made)
{
    for (size_t column = 0; column < made->grid->ncolumns; column++)
        make_column(made, 0, column, NULL,
                    column < 8 ? countries[column]
                               : vc_arena_printf(made->arena, "Country %zu", column + 1).data);
}

static void set_countries_on_rows(making *made)
{
    made->corners[0] = VC_STR("Country");
    for (size_t row = 0; row < made->grid->nrows; row++)
        make_row(made, row, 0, NULL,
                 row < 8 ? countries[row]
                         : vc_arena_printf(made->arena, "Country %zu", row + 1).data);
}

/* A wave for each column around a level of its own. */
static double wave(size_t row, size_t column)
{
    return 20 + 10 * (double)column + 6 * sin((double)row / 3 + (double)column) + 0.4 * (double)row;
}

static void set_waves(making *made)
{
    for (size_t row = 0; row < made->grid->nrows; row++)
        for (size_t column = 0; column < made->grid->ncolumns; column++)
            make_value(made, row, column, wave(row, column));
}

static making make_waves(vc_arena *arena, size_t nrows, size_t ncolumns)
{
    making made = make_series(arena, "Output by year", nrows, ncolumns);
    make_measure(&made, "Output", "billion EUR", VC_VALUE_FLOAT, 0, "#,##0.0");
    set_years(&made);
    set_countries_on_columns(&made);
    set_waves(&made);
    return made;
}

static const vc_document *document_of(vc_arena *arena, vc_chart_kind kind, making *made,
                                      vc_chart **chart_out)
{
    vc_document *document = make_document(arena, "A chart", NULL);
    *chart_out = make_chart(arena, document, "chart", "A chart", kind, make_done(made),
                            "What one sees, said in a sentence.");
    return document;
}

static const vc_document *make_line(vc_arena *arena)
{
    making made = make_waves(arena, 21, 4);
    vc_chart *chart;
    const vc_document *document = document_of(arena, VC_CHART_LINE, &made, &chart);
    chart->y_title = VC_STR("Output, billion EUR");
    return document;
}

/* Months, at uneven places. */
static const vc_document *make_time(vc_arena *arena)
{
    making made = make_waves(arena, 30, 2);
    double *places = VC_ARENA_NEW(arena, double, 30);
    made.corners[0] = VC_STR("Month");
    for (size_t row = 0; row < 30; row++) {
        size_t month = row < 15 ? row : row + 9; /* nine months are missing */
        make_row(&made, row, 0, NULL,
                 vc_arena_printf(arena, "%zu-%02zu", 2019 + month / 12, month % 12 + 1).data);
        places[row] = 2019 + (double)month / 12;
    }
    made.grid->row_places = places;
    vc_chart *chart;
    return document_of(arena, VC_CHART_LINE, &made, &chart);
}

static const vc_document *make_gaps(vc_arena *arena)
{
    making made = make_waves(arena, 21, 3);
    for (size_t row = 0; row < 21; row++) {
        if (row < 4 || (row > 8 && row < 12)) make_null(&made, row, 0, VC_REASON_EMPTY);
        if (row % 2 == 1) make_null(&made, row, 1, VC_REASON_NULL);
        if (row != 10) make_null(&made, row, 2, VC_REASON_UNMATCHED);
    }
    vc_chart *chart;
    return document_of(arena, VC_CHART_LINE, &made, &chart);
}

/* Five powers of ten, a zero and a negative number. */
static const vc_document *make_log(vc_arena *arena)
{
    making made = make_waves(arena, 21, 2);
    for (size_t row = 0; row < 21; row++) {
        make_value(&made, row, 0, pow(10, (double)row / 4));
        make_value(&made, row, 1, 3000 / (double)(row + 1));
    }
    make_value(&made, 5, 1, 0);
    make_value(&made, 6, 1, -7);
    vc_chart *chart;
    const vc_document *document = document_of(arena, VC_CHART_LINE, &made, &chart);
    chart->is_logarithmic = true;
    return document;
}

/* Six countries of two series each. */
static const vc_document *make_panels(vc_arena *arena)
{
    making made =
        make_grid(arena, "Output by country, sector and year",
                  (making_size){.nrows = 21, .ncolumns = 12, .nhead_columns = 1, .nhead_rows = 2});
    make_measure(&made, "Output", "billion EUR", VC_VALUE_FLOAT, 0, "#,##0.0");
    made.corner_rows[0] = VC_STR("Country");
    made.corner_rows[1] = VC_STR("Sector");
    set_years(&made);
    for (size_t column = 0; column < 12; column++) {
        if (column % 2 == 0) make_column(&made, 0, column, NULL, countries[column / 2]);
        make_column(&made, 1, column, NULL, column % 2 == 0 ? "Industry" : "Services");
    }
    set_waves(&made);
    vc_chart *chart;
    const vc_document *document = document_of(arena, VC_CHART_LINE, &made, &chart);
    chart->has_panels = true;
    return document;
}

static making make_bars(vc_arena *arena, size_t nrows, size_t ncolumns)
{
    making made = make_series(arena, "Output by country", nrows, ncolumns);
    make_measure(&made, "Output", "billion EUR", VC_VALUE_FLOAT, 0, "#,##0.0");
    set_countries_on_rows(&made);
    made.corner_rows[0] = VC_STR("Year");
    for (size_t column = 0; column < ncolumns; column++)
        make_column(&made, 0, column, NULL, vc_arena_printf(arena, "%zu", 2010 + 5 * column).data);
    set_waves(&made);
    return made;
}

static const vc_document *make_bar(vc_arena *arena)
{
    making made = make_bars(arena, 6, 3);
    make_null(&made, 2, 1, VC_REASON_EMPTY);
    vc_chart *chart;
    return document_of(arena, VC_CHART_BAR, &made, &chart);
}

static const vc_document *make_ranking(vc_arena *arena)
{
    making made = make_bars(arena, 20, 1);
    for (size_t row = 0; row < 20; row++)
        make_value(&made, row, 0, 1400 / (double)(row + 1) - 80);
    vc_chart *chart;
    const vc_document *document = document_of(arena, VC_CHART_BAR, &made, &chart);
    chart->is_horizontal = true;
    return document;
}

static const vc_document *make_stacked(vc_arena *arena)
{
    making made = make_waves(arena, 12, 5);
    made.grid->row_places = NULL;
    vc_chart *chart;
    return document_of(arena, VC_CHART_STACKED, &made, &chart);
}

static const vc_document *make_negative(vc_arena *arena)
{
    making made = make_bars(arena, 8, 4);
    for (size_t row = 0; row < 8; row++)
        for (size_t column = 0; column < 4; column++)
            make_value(&made, row, column, 30 * sin((double)(row * 4 + column)));
    vc_chart *chart;
    return document_of(arena, VC_CHART_STACKED, &made, &chart);
}

static const vc_document *make_scatter(vc_arena *arena, bool has_sizes)
{
    making made = make_series(arena, "Wealth and health of countries", 40, has_sizes ? 3 : 2);
    uint32_t wealth = make_measure(&made, "GDP per person", "US$", VC_VALUE_FLOAT, 0, "#,##0");
    uint32_t health = make_measure(&made, "Life expectancy", "years", VC_VALUE_FLOAT, 0, "0.0");
    set_countries_on_rows(&made);
    make_measure_column(&made, 0, 0, wealth);
    make_measure_column(&made, 0, 1, health);
    if (has_sizes)
        make_measure_column(&made, 0, 2,
                            make_measure(&made, "Population", "persons", VC_VALUE_INT, 0, "#,##0"));
    for (size_t row = 0; row < 40; row++) {
        double share = (double)(row * 7 % 40) / 40;
        make_value(&made, row, 0, 600 + 70000 * share * share);
        make_value(&made, row, 1, 55 + 28 * share + 3 * sin((double)row));
        if (has_sizes) make_integer(&made, row, 2, (int64_t)(1400000000 / (row + 1)));
    }
    make_null(&made, 3, 1, VC_REASON_EMPTY);
    if (has_sizes) make_null(&made, 4, 2, VC_REASON_EMPTY);
    vc_chart *chart;
    const vc_document *document = document_of(arena, VC_CHART_SCATTER, &made, &chart);
    chart->is_logarithmic = false;
    return document;
}

static const vc_document *make_scatter_points(vc_arena *arena)
{
    return make_scatter(arena, false);
}

static const vc_document *make_bubbles(vc_arena *arena)
{
    return make_scatter(arena, true);
}

static const vc_document *make_heat(vc_arena *arena)
{
    making made = make_bars(arena, 12, 12);
    double least = wave(0, 0), most = wave(11, 11) + 6;
    made.measures[0].colouring = (vc_colouring){
        .kind = VC_COLOURING_SCALE, .low = least, .middle = (least + most) / 2, .high = most};
    make_null(&made, 4, 7, VC_REASON_EMPTY);
    vc_chart *chart;
    return document_of(arena, VC_CHART_HEAT, &made, &chart);
}

/* Countries of all continents and sizes, one without a value, one that is no country. */
static const vc_document *make_map(vc_arena *arena)
{
    static const struct {
        const char *code, *text;
        double value;
    } rows[] = {
        {"FRA", "France", 67.6},     {"ESP", "Spain", 47.4},        {"JPN", "Japan", 126.3},
        {"TLS", "Timor-Leste", 1.3}, {"BRA", "Brazil", 213.2},      {"NGA", "Nigeria", 208.3},
        {"IDN", "Indonesia", 271.9}, {"NOR", "Norway", 5.4},        {"USA", "United States", 331.5},
        {"CHN", "China", 1411.1},    {"IND", "India", 1396.4},      {"RUS", "Russia", 145.2},
        {"AUS", "Australia", 25.7},  {"ZAF", "South Africa", 58.8}, {"SGP", "Singapore", 5.7},
        {"ATA", "Antarctica", 0},    {NULL, "(unmatched)", 12.0},   {"XYZ", "Atlantis", 1.0},
    };
    enum { N = sizeof rows / sizeof rows[0] };
    making made = make_series(arena, "Population by country", N, 1);
    made.corners[0] = VC_STR("Country");
    made.corner_rows[0] = (vc_str){0};
    uint32_t population =
        make_measure(&made, "Population", "millions", VC_VALUE_FLOAT, 0, "#,##0.0");
    made.measures[population].colouring =
        (vc_colouring){.kind = VC_COLOURING_SCALE, .low = 0, .middle = 700, .high = 1400};
    make_measure_column(&made, 0, 0, population);
    vc_str *codes = VC_ARENA_NEW(arena, vc_str, N);
    for (size_t row = 0; row < N; row++) {
        codes[row] = vc_str_of(rows[row].code);
        make_row(&made, row, 0, rows[row].code, rows[row].text);
        make_value(&made, row, 0, rows[row].value);
    }
    make_null(&made, 13, 0, VC_REASON_EMPTY);
    vc_chart *chart;
    const vc_document *document = document_of(arena, VC_CHART_MAP, &made, &chart);
    chart->codes = codes;
    return document;
}

/* One point; no rows at all; nothing but nulls: of each kind. */
static const vc_document *make_few(vc_arena *arena, size_t nrows, bool is_null)
{
    static const struct {
        vc_chart_kind kind;
        const char *id, *title;
    } kinds[] = {
        {VC_CHART_LINE, "line", "Line"},          {VC_CHART_BAR, "bar", "Bar"},
        {VC_CHART_STACKED, "stacked", "Stacked"}, {VC_CHART_SCATTER, "scatter", "Scatter"},
        {VC_CHART_HEAT, "heat", "Heat map"},      {VC_CHART_MAP, "map", "Map"},
    };
    static const vc_str codes[] = {VC_STR("FRA")};
    vc_document *document = make_document(arena, "Little to show", NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        making made = make_waves(arena, nrows, 2);
        if (is_null && nrows > 0) {
            make_null(&made, 0, 0, VC_REASON_EMPTY);
            make_null(&made, 0, 1, VC_REASON_EMPTY);
        }
        vc_chart *chart =
            make_chart(arena, document, kinds[i].id, kinds[i].title, kinds[i].kind,
                       make_done(&made), nrows == 0 ? "There is nothing." : "One point.");
        chart->codes = codes;
    }
    return document;
}

static const vc_document *make_one(vc_arena *arena)
{
    return make_few(arena, 1, false);
}

static const vc_document *make_none(vc_arena *arena)
{
    return make_few(arena, 0, false);
}

static const vc_document *make_nulls(vc_arena *arena)
{
    return make_few(arena, 1, true);
}

static const vc_document *make_many(vc_arena *arena)
{
    making made = make_waves(arena, 21, 40);
    vc_chart *chart;
    return document_of(arena, VC_CHART_LINE, &made, &chart);
}

/* Names of 80 characters on both sides. */
static const vc_document *make_long_names(vc_arena *arena)
{
    static const char name[] = "The united kingdoms, republics and territories of the north and "
                               "of the south";
    making made = make_bars(arena, 6, 2);
    for (size_t row = 0; row < 6; row++)
        make_row(&made, row, 0, NULL, vc_arena_printf(arena, "%s, part %zu", name, row + 1).data);
    for (size_t column = 0; column < 2; column++)
        make_column(&made, 0, column, NULL,
                    vc_arena_printf(arena, "%s, year %zu", name, column + 1).data);
    vc_chart *chart;
    return document_of(arena, VC_CHART_BAR, &made, &chart);
}

const vc_document *fixture_chart(const char *name, vc_arena *arena)
{
    static const struct {
        const char *name;
        const vc_document *(*make)(vc_arena *arena);
    } made[] = {
        {"chart-line", make_line},         {"chart-time", make_time},
        {"chart-gaps", make_gaps},         {"chart-log", make_log},
        {"chart-panels", make_panels},     {"chart-bar", make_bar},
        {"chart-ranking", make_ranking},   {"chart-stacked", make_stacked},
        {"chart-negative", make_negative}, {"chart-scatter", make_scatter_points},
        {"chart-bubbles", make_bubbles},   {"chart-heat", make_heat},
        {"chart-map", make_map},           {"chart-one", make_one},
        {"chart-none", make_none},         {"chart-null", make_nulls},
        {"chart-many", make_many},         {"chart-long", make_long_names},
    };
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        if (strcmp(made[i].name, name) == 0) return made[i].make(arena);
    return NULL;
}
