#include "fixtures.h"

#include "making.h"

#include <string.h>

const char *const fixture_names[] = {
    "plain",         "hard",
    "one",           "none",
    "long",          "wide",
    "failed",        "chart-line",
    "chart-time",    "chart-gaps",
    "chart-log",     "chart-panels",
    "chart-bar",     "chart-ranking",
    "chart-stacked", "chart-negative",
    "chart-scatter", "chart-bubbles",
    "chart-heat",    "chart-map",
    "chart-one",     "chart-none",
    "chart-null",    "chart-many",
    "chart-long",    NULL,
};

/* A list of countries with one column of heads. */
static making make_list(vc_arena *arena, const char *caption, size_t nrows, size_t ncolumns)
{
    making made = make_grid(
        arena, caption,
        (making_size){.nrows = nrows, .ncolumns = ncolumns, .nhead_columns = 1, .nhead_rows = 1});
    made.corners[0] = VC_STR("Country");
    return made;
}

static const vc_document *make_one(vc_arena *arena)
{
    vc_document *document = make_document(arena, "Iceland", NULL);
    making row = make_list(arena, "Population of Iceland", 1, 1);
    make_measure_column(&row, 0, 0,
                        make_measure(&row, "Population", "persons", VC_VALUE_INT, 0, "#,##0"));
    make_row(&row, 0, 0, "ISL", "Iceland");
    make_value(&row, 0, 0, 366425);
    make_pivot(arena, document, "row", "One row", make_done(&row));

    making number = make_grid(arena, "Population of the world",
                              (making_size){.nrows = 1, .ncolumns = 1, .nhead_rows = 1});
    make_measure_column(&number, 0, 0,
                        make_measure(&number, "Population", "persons", VC_VALUE_INT, 0, "#,##0"));
    make_value(&number, 0, 0, 7820981524.0);
    make_pivot(arena, document, "number", "One number", make_done(&number));
    return document;
}

static const vc_document *make_none(vc_arena *arena)
{
    vc_document *document = make_document(arena, "Cities of Antarctica", "2020");
    making rows = make_list(arena, "Cities by population", 0, 2);
    uint32_t population = make_measure(&rows, "Population", "persons", VC_VALUE_INT, 0, "#,##0");
    make_measure_column(&rows, 0, 0, population);
    make_measure_column(&rows, 0, 1, make_measure(&rows, "Share", NULL, VC_VALUE_FLOAT, 0, "0.0%"));
    make_pivot(arena, document, "rows", "No rows", make_done(&rows));

    making columns = make_list(arena, "Population by year", 2, 0);
    make_measure(&columns, "Population", "persons", VC_VALUE_INT, 0, "#,##0");
    make_row(&columns, 0, 0, "ATA", "Antarctica");
    make_row(&columns, 1, 0, "BVT", "Bouvet Island");
    make_pivot(arena, document, "columns", "No columns", make_done(&columns));
    make_section(arena, document, VC_SECTION_TEXT, "text", "No text");
    make_section(arena, document, VC_SECTION_FIGURES, "figures", "No figures");
    return document;
}

/* Seeded, so that it looks like data and is the same everywhere. */
static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return *state >> 33;
}

static const vc_document *make_long(vc_arena *arena)
{
    enum { ROWS = 10000 };
    vc_document *document = make_document(arena, "Cities", "10,000 of them");
    uint64_t state = 20201;
    making made = make_list(arena, "Cities by population", ROWS, 3);
    made.corners[0] = VC_STR("City");
    uint32_t population = make_measure(&made, "Population", "persons", VC_VALUE_INT, 0, "#,##0");
    make_measure_column(&made, 0, 0, population);
    make_measure_column(&made, 0, 1,
                        make_measure(&made, "Area", "km²", VC_VALUE_DECIMAL, 2, "#,##0.00"));
    make_measure_column(&made, 0, 2,
                        make_measure(&made, "Growth", NULL, VC_VALUE_FLOAT, 0, "0.0%"));
    for (size_t row = 0; row < ROWS; row++) {
        make_row(&made, row, 0, vc_arena_printf(arena, "c%05zu", row).data,
                 vc_arena_printf(arena, "City %zu", row + 1).data);
        make_integer(&made, row, 0, (int64_t)(30000000 / (row + 1) + next_random(&state) % 1000));
        make_integer(&made, row, 1, (int64_t)(next_random(&state) % 1000000));
        if (row % 17 == 5)
            make_null(&made, row, 2, VC_REASON_NULL);
        else
            make_value(&made, row, 2, ((double)(next_random(&state) % 400) - 100) / 1000);
    }
    make_pivot(arena, document, "cities", "All cities", make_done(&made));

    making cut = make_list(arena, "Largest cities", 3, 1);
    make_measure_column(&cut, 0, 0,
                        make_measure(&cut, "Population", NULL, VC_VALUE_INT, 0, "#,##0"));
    for (size_t row = 0; row < 3; row++) {
        make_row(&cut, row, 0, NULL, vc_arena_printf(arena, "City %zu", row + 1).data);
        make_integer(&cut, row, 0, (int64_t)(30000000 / (row + 1)));
    }
    cut.grid->is_cut = true;
    cut.grid->nrows_all = ROWS;
    make_pivot(arena, document, "largest", "The largest", make_done(&cut));
    return document;
}

static const vc_document *make_wide(vc_arena *arena)
{
    enum { MONTHS = 12, YEARS = 25 };
    static const char *const countries[] = {"Austria", "Brazil", "Chad"};
    vc_document *document = make_document(arena, "Exports", "by month, 2000 to 2024");
    making made = make_grid(
        arena, "Exports by country and month",
        (making_size){.nrows = 3, .ncolumns = MONTHS * YEARS, .nhead_columns = 1, .nhead_rows = 2});
    made.corners[0] = VC_STR("Country");
    made.corner_rows[0] = VC_STR("Year");
    made.corner_rows[1] = VC_STR("Month");
    make_measure(&made, "Exports", "million EUR", VC_VALUE_DECIMAL, 1, "#,##0.0");
    for (size_t column = 0; column < MONTHS * YEARS; column++) {
        if (column % MONTHS == 0)
            make_column(&made, 0, column, NULL,
                        vc_arena_printf(arena, "%zu", 2000 + column / MONTHS).data);
        make_column(
            &made, 1, column,
            vc_arena_printf(arena, "%zu-%02zu", 2000 + column / MONTHS, column % MONTHS + 1).data,
            vc_arena_printf(arena, "%02zu", column % MONTHS + 1).data);
    }
    uint64_t state = 300;
    for (size_t row = 0; row < 3; row++) {
        make_row(&made, row, 0, NULL, countries[row]);
        for (size_t column = 0; column < MONTHS * YEARS; column++)
            make_integer(&made, row, column, (int64_t)(next_random(&state) % 1000000));
    }
    make_pivot(arena, document, "exports", "Exports", make_done(&made));
    return document;
}

static const vc_document *make_failed(vc_arena *arena)
{
    static const char *const words[] = {"What could be answered stands below."};
    vc_document *document = make_document(arena, "Budget", NULL);
    vc_section *text = make_section(arena, document, VC_SECTION_TEXT, "words", NULL);
    text->paragraphs = make_texts(arena, words, 1);
    text->nparagraphs = 1;
    vc_section *failed = make_section(arena, document, VC_SECTION_FAILED, "income", "Income");
    failed->failure = VC_STR("/sections/1/query/drilldown/0: no level 'contry' in dimension 'geo' "
                             "(did you mean 'country'?)");
    failed->query = VC_STR("cube=budget&drilldown=geo.contry&measures=income");
    making made = make_list(arena, "Spending by country", 1, 1);
    make_measure_column(&made, 0, 0,
                        make_measure(&made, "Spending", "EUR", VC_VALUE_DECIMAL, 2, "#,##0.00"));
    make_row(&made, 0, 0, "FRA", "France");
    make_value(&made, 0, 0, 1234567.89);
    make_pivot(arena, document, "spending", "Spending", make_done(&made));
    return document;
}

void fixture_add_notes(vc_document *document, vc_arena *arena)
{
    static const char *const notices[] = {
        "27 of 10,000 cities of ncities belong to no country and are left out.",
        "Values of cpop repeat along date: do not add them up.",
    };
    vc_document_coverage *coverage = VC_ARENA_NEW(arena, vc_document_coverage, 2);
    coverage[0] = (vc_document_coverage){.source = VC_STR("cities"),
                                         .dimension = VC_STR("geo"),
                                         .keys = 10000,
                                         .keys_matched = 9973,
                                         .shares = VC_STR("99.9% of cpop, 99.7% of ncities")};
    coverage[1] = (vc_document_coverage){
        .source = VC_STR("capitals"), .dimension = VC_STR("geo"), .keys = 200, .keys_matched = 200};
    vc_document_source *sources = VC_ARENA_NEW(arena, vc_document_source, 2);
    sources[0] =
        (vc_document_source){.name = VC_STR("wdi"),
                             .label = VC_STR("World Development Indicators"),
                             .source = VC_STR("The World Bank, https://data.worldbank.org, 2024"),
                             .licence = VC_STR("CC BY 4.0")};
    sources[1] =
        (vc_document_source){.name = VC_STR("cities"), .label = VC_STR("Cities of the world")};
    document->description = VC_STR("Made for the fixtures; no number in it is true.");
    document->coverage = coverage;
    document->ncoverage = 2;
    document->notices = make_texts(arena, notices, 2);
    document->nnotices = 2;
    document->sources = sources;
    document->nsources = 2;
    document->has_notes = true;
}

const vc_document *fixture_document(const char *name, vc_arena *arena)
{
    static const struct {
        const char *name;
        const vc_document *(*make)(vc_arena *arena);
    } made[] = {
        {"plain", fixture_plain}, {"hard", fixture_hard}, {"one", make_one},
        {"none", make_none},      {"long", make_long},    {"wide", make_wide},
        {"failed", make_failed},
    };
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        if (strcmp(made[i].name, name) == 0) return made[i].make(arena);
    return fixture_chart(name, arena);
}
