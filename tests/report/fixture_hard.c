#include "fixtures.h"
#include "making.h"

#include <float.h>

#define LONG_WORDS                                                                                 \
    "The former Yugoslav Republic of the northern and southern and eastern and western parts, "    \
    "islands and overseas territories, with their dependencies, exclaves and waters, as they "     \
    "were before the second reform of the administration and are again since the third, not "      \
    "counting those who live abroad (300 characters)"
#define LONG_WORD                                                                                  \
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaftsvorstands"  \
    "vorsitzendenstellvertreterwahlkampfausschussmitgliedsbeitragserhöhungsverfahren"

/* What breaks the formats: keys and labels as strangers have them. */
static const struct {
    const char *key, *text;
} labels[] = {
    {"long", LONG_WORDS},
    {"word", LONG_WORD},
    {"ARE", "الإمارات العربية المتحدة"},
    {"ISR", "ישראל (Israel)"},
    {"RUS", "Российская Федерация"},
    {"JPN", "日本国"},
    {"KOR", "대한민국"},
    {"THA", "ประเทศไทย"},
    {"IND", "भारत गणराज्य"},
    {"combining", "Vie\xCC\xA3\xCC\x82t Nam, e\xCC\x81te\xCC\x81"},
    {"emoji", "🇨🇭 👩‍👩‍👧 Confœderatio"},
    {"script", "<script>alert(1)</script>"},
    {"style", "</style></svg></title></table><b onclick='x'>"},
    {"comment", "<!-- --> ]]> &amp; &lt; &#x3c; {{pop}}"},
    {"\"key\"", "\"quoted\", 'single' and `code`"},
    {"=1+1", "=1+1"},
    {"+SUM", "+SUM(A1:A9)"},
    {"@cmd", "@cmd|' /C calc'!A0"},
    {"-2-3", "-2-3"},
    {"a,b;c", "commas, semicolons; and\ttabs"},
    {"two\nlines", "two\nlines\r\nand three"},
    {"pipe|pipe", "a | b \\| c || d"},
    {"marks", "*bold* _it_ # head [link](javascript:x) ![i](u) ~~s~~ <u>"},
    {"1. list", "1. list"},
    {"- list", "- list"},
    {"control", "bell\a, escape \x1b[31m, delete \x7f, nothing \x01."},
    {"bidi", "left \xE2\x80\xAEthgir\xE2\x80\xAC \xE2\x81\xA6isolate"},
    {"spaces", "  two  spaces  "},
    {"", ""},
    {"NULL", "NULL"},
    {"same", "Twin"},
    {"other", "Twin"},
};
enum { NLABELS = sizeof labels / sizeof labels[0] };

static making make_labels(vc_arena *arena, size_t ncolumns)
{
    making made = make_grid(
        arena, "Texts & numbers <of> \"strangers\"",
        (making_size){
            .nrows = NLABELS + 1, .ncolumns = ncolumns, .nhead_columns = 1, .nhead_rows = 1});
    made.corners[0] = VC_STR("Country | <b>name</b>");
    for (size_t row = 0; row < NLABELS; row++)
        make_row(&made, row, 0, labels[row].key, labels[row].text);
    /* A null key. */
    make_row(&made, NLABELS, 0, NULL, "(null)")->key = (vc_str){0};
    return made;
}

/* Integers of 18 digits, tiny and huge numbers, negative ones. */
static const vc_grid *make_numbers(vc_arena *arena)
{
    static const double floats[] = {
        1e300,    -1e300,   1e-300, DBL_MIN, -0.1,   1.0 / 3, 5e-324,
        1e15,     123456.5, -1e-9,  0,       2.5e-5, 1e21,    9007199254740993.0,
        0.000001, 100,      -100};
    making made = make_labels(arena, 4);
    make_measure_column(&made, 0, 0,
                        make_measure(&made, "Integers", NULL, VC_VALUE_INT, 0, "#,##0"));
    make_measure_column(&made, 0, 1,
                        make_measure(&made, "Cents", "€ | <i>", VC_VALUE_DECIMAL, 2, "€ #,##0.00"));
    make_measure_column(&made, 0, 2, make_measure(&made, "Floats", NULL, VC_VALUE_FLOAT, 0, NULL));
    make_measure_column(&made, 0, 3, make_measure(&made, "Share", NULL, VC_VALUE_FLOAT, 0, "0.0%"));
    for (size_t row = 0; row < made.grid->nrows; row++) {
        make_integer(&made, row, 0, row % 2 == 0 ? 123456789012345678 : -987654321098765432);
        make_integer(&made, row, 1, row % 3 == 0 ? -1 : 99999999999999999);
        make_value(&made, row, 2, floats[row % (sizeof floats / sizeof floats[0])]);
        make_value(&made, row, 3, ((double)row - 10) / 40);
    }
    make_integer(&made, 0, 0, INT64_MIN);
    make_integer(&made, 1, 0, INT64_MAX);
    return make_done(&made);
}

/* Every reason for a null and both marks, twice as columns and a member that is none. */
static const vc_grid *make_reasons(vc_arena *arena)
{
    static const char reasons[] = {VC_REASON_EMPTY,    VC_REASON_UNMATCHED, VC_REASON_UNRELATED,
                                   VC_REASON_GRAIN,    VC_REASON_UNDEFINED, VC_REASON_NULL,
                                   VC_REASON_WITHHELD, VC_REASON_REPEATED,  VC_REASON_ALLOCATED};
    enum { N = sizeof reasons };
    making made =
        make_grid(arena, "Reasons",
                  (making_size){.nrows = N, .ncolumns = 2, .nhead_columns = 1, .nhead_rows = 1});
    made.corners[0] = VC_STR("Reason");
    make_measure_column(&made, 0, 0, make_measure(&made, "Value", NULL, VC_VALUE_INT, 0, NULL));
    make_measure_column(&made, 0, 1, make_measure(&made, "Other", NULL, VC_VALUE_FLOAT, 0, "0.00"));
    for (size_t row = 0; row < N; row++) {
        make_row(&made, row, 0, NULL, vc_arena_printf(arena, "%c", reasons[row]).data);
        make_value(&made, row, 1, (double)row);
        if (reasons[row] == VC_REASON_REPEATED || reasons[row] == VC_REASON_ALLOCATED) {
            make_value(&made, row, 0, 42);
            make_mark(&made, row, 0, reasons[row]);
        } else {
            make_null(&made, row, 0, reasons[row]);
        }
    }
    make_row(&made, 0, 0, "(unmatched:cities)", "Unmatched: cities")->is_marked = true;
    return make_done(&made);
}

/* A scale, a diverging scale and rules, of all values from low to high; one null among them. */
static const vc_grid *make_colours(vc_arena *arena)
{
    static const vc_colour_rule rules[] = {
        {.op = VC_OP_LT, .value = 0, .fill = 0xC00000},
        {.op = VC_OP_EQ, .value = 0, .fill = 0xFFFF00},
        {.op = VC_OP_GE, .value = 60, .fill = 0x101010},
        {.op = VC_OP_GT, .value = 30, .fill = 0x777777},
    };
    making made =
        make_grid(arena, "Colours",
                  (making_size){.nrows = 11, .ncolumns = 3, .nhead_columns = 1, .nhead_rows = 1});
    made.corners[0] = VC_STR("Step");
    uint32_t scale = make_measure(&made, "Scale", NULL, VC_VALUE_FLOAT, 0, "0");
    uint32_t diverging = make_measure(&made, "Diverging", NULL, VC_VALUE_FLOAT, 0, "0");
    uint32_t ruled = make_measure(&made, "Rules", NULL, VC_VALUE_FLOAT, 0, "0");
    made.measures[scale].colouring =
        (vc_colouring){.kind = VC_COLOURING_SCALE, .low = -50, .middle = 0, .high = 50};
    made.measures[diverging].colouring =
        (vc_colouring){.kind = VC_COLOURING_DIVERGING, .low = -50, .middle = 0, .high = 50};
    made.measures[ruled].colouring =
        (vc_colouring){.kind = VC_COLOURING_RULES, .rules = rules, .nrules = 4};
    make_measure_column(&made, 0, 0, scale);
    make_measure_column(&made, 0, 1, diverging);
    make_measure_column(&made, 0, 2, ruled);
    for (size_t row = 0; row < 11; row++) {
        make_row(&made, row, 0, NULL, vc_arena_printf(arena, "%zu", row).data);
        for (size_t column = 0; column < 3; column++)
            make_value(&made, row, column, 20 * (double)row - 100);
    }
    make_null(&made, 6, 1, VC_REASON_UNDEFINED);
    return make_done(&made);
}

/* Members of several levels under each other, and measures on the rows. */
static const vc_grid *make_levels(vc_arena *arena)
{
    static const struct {
        const char *key, *text;
        uint8_t indent;
    } members[] = {
        {"W", "World", 0},  {"EUR", "Europe", 1},       {"FRA", "France", 2},
        {"75", "Paris", 3}, {"other", "All others", 2}, {"ASI", "Asia", 1},
    };
    making made = make_grid(arena, "Levels, with the measures on the rows",
                            (making_size){.nrows = 12,
                                          .ncolumns = 2,
                                          .nhead_columns = 2,
                                          .nhead_rows = 1,
                                          .measures_on_rows = true});
    made.corners[0] = VC_STR("Place");
    made.corner_rows[0] = VC_STR("Year");
    uint32_t people = make_measure(&made, "Population", "millions", VC_VALUE_FLOAT, 0, "#,##0.0");
    uint32_t area = make_measure(&made, "Area", "km²", VC_VALUE_INT, 0, "#,##0");
    make_column(&made, 0, 0, NULL, "2010");
    make_column(&made, 0, 1, NULL, "2020");
    for (size_t row = 0; row < 12; row++) {
        uint32_t measure = row % 2 == 0 ? people : area;
        made.measure_of[row] = measure;
        if (row % 2 == 0) {
            vc_grid_head *head =
                make_row(&made, row, 0, members[row / 2].key, members[row / 2].text);
            head->indent = members[row / 2].indent;
            head->is_marked = row / 2 == 4;
        }
        make_row(&made, row, 1, measure == people ? "people" : "area",
                 measure == people ? "Population (millions)" : "Area (km²)")
            ->is_measure = true;
        make_value(&made, row, 0, 1000 / (double)(row + 1));
        make_value(&made, row, 1, 1100 / (double)(row + 1));
    }
    return make_done(&made);
}

static void add_texts(vc_document *document, vc_arena *arena)
{
    static const char *const texts[] = {
        "<script>document.title = 'run'</script> </p></section> & \"quotes\" 'single'",
        "# no heading\n- no list\n\n1. *no* list | no table",
        "    no code\n> no quote",
        "---",
        "",
        LONG_WORD,
        "الترتيب من اليمين إلى اليسار مع 123 و abc",
    };
    vc_section *section = make_section(arena, document, VC_SECTION_TEXT, "texts",
                                       "Texts </h2><script>alert('title')</script>");
    section->paragraphs = make_texts(arena, texts, sizeof texts / sizeof texts[0]);
    section->nparagraphs = sizeof texts / sizeof texts[0];
}

static void add_figures(vc_document *document, vc_arena *arena)
{
    static const vc_figure figures[] = {
        {.label = VC_STR(LONG_WORDS),
         .value = VC_STR("-987,654,321,098,765,432"),
         .unit = VC_STR("<b>kg</b> & more"),
         .exact = VC_STR("-987654321098765432"),
         .change = VC_STR("0.0 %"),
         .against = VC_STR("than \"<2019>\""),
         .direction = 0,
         .has_judgement = true},
        {.label = VC_STR("السكان"),
         .value = VC_STR("1e+300"),
         .exact = VC_STR("1e+300"),
         .reason = VC_REASON_ALLOCATED,
         .change = VC_STR("-50.0 %"),
         .against = VC_STR("than | before"),
         .direction = -1,
         .is_good = true,
         .has_judgement = true},
        {.label = VC_STR("Withheld"), .value = VC_STR("–"), .reason = VC_REASON_WITHHELD},
        {.label = VC_STR(""), .value = VC_STR("0"), .exact = VC_STR("0")},
    };
    vc_section *section = make_section(arena, document, VC_SECTION_FIGURES, "figures", NULL);
    section->figures = figures;
    section->nfigures = 4;
}

/* Notes, coverage, notices and sources with texts that are no better. */
static void add_notes(vc_document *document, vc_arena *arena)
{
    static const char *const notices[] = {"<img src=x onerror=alert(1)> | & \"'`", "", LONG_WORD};
    vc_document_coverage *coverage = VC_ARENA_NEW(arena, vc_document_coverage, 2);
    coverage[0] = (vc_document_coverage){.source = VC_STR("<a|b>"),
                                         .dimension = VC_STR("\"geo\""),
                                         .keys = UINT64_MAX,
                                         .keys_matched = 1,
                                         .shares = VC_STR("0.0% of <m>")};
    coverage[1] =
        (vc_document_coverage){.source = VC_STR("none"), .dimension = VC_STR("geo"), .keys = 0};
    vc_document_source *sources = VC_ARENA_NEW(arena, vc_document_source, 2);
    sources[0] = (vc_document_source){.name = VC_STR("<cube>"),
                                      .label = VC_STR("</li><script>alert(2)</script>"),
                                      .source = VC_STR("javascript:alert(3)"),
                                      .licence = VC_STR("\"><b>")};
    sources[1] = (vc_document_source){.name = VC_STR("arabic"), .label = VC_STR("البنك الدولي")};
    document->description = VC_STR("Texts of strangers: <b>none</b> of them is markup.\nAt all.");
    document->coverage = coverage;
    document->ncoverage = 2;
    document->notices = make_texts(arena, notices, 3);
    document->nnotices = 3;
    document->sources = sources;
    document->nsources = 2;
    document->has_notes = true;
    vc_section *last = (vc_section *)&document->sections[document->nsections - 1];
    last->notes = document->notices;
    last->nnotes = 3;
}

const vc_document *fixture_hard(vc_arena *arena)
{
    vc_document *document =
        make_document(arena, "Hard: </title><script>alert(1)</script> & \"co\" 'x'",
                      "الإمارات | 日本 <i>&nbsp;</i> --> ]]>");
    add_texts(document, arena);
    add_figures(document, arena);
    make_pivot(arena, document, "numbers", "Numbers & <labels>", make_numbers(arena));
    make_pivot(arena, document, "reasons", "Reasons", make_reasons(arena));
    make_pivot(arena, document, "colours", "Colours", make_colours(arena));
    make_pivot(arena, document, "levels", "Levels", make_levels(arena));

    making bars = make_labels(arena, 2);
    make_measure_column(&bars, 0, 0, make_measure(&bars, "<b>", NULL, VC_VALUE_FLOAT, 0, "0.0"));
    make_measure_column(&bars, 0, 1,
                        make_measure(&bars, "]]> -->", NULL, VC_VALUE_FLOAT, 0, "0.0"));
    for (size_t row = 0; row < bars.grid->nrows; row++) {
        make_value(&bars, row, 0, (double)(row % 7) - 2.5);
        make_value(&bars, row, 1, (double)(row % 5));
    }
    vc_chart *chart = make_chart(arena, document, "bars", "Bars", VC_CHART_BAR, make_done(&bars),
                                 "Bars of \"strangers\" <b>names</b>, --> & more");
    chart->is_horizontal = true;
    chart->x_title = VC_STR("</text><script>alert(4)</script>");
    add_notes(document, arena);
    return document;
}
