#include "tests/slice/engine_asking.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static vc_dimref ref_of(const char *text)
{
    vc_str rest = vc_str_of(text), name = vc_str_split(&rest, '.');
    return (vc_dimref){.dimension = name, .level = rest};
}

vc_query engine_query(const struct question *question, vc_arena *arena)
{
    vc_query query = vc_query_default();
    vc_axis_ref *axes = VC_ARENA_NEW(arena, vc_axis_ref, NAMES);
    vc_measure_ref *measures = VC_ARENA_NEW(arena, vc_measure_ref, NAMES);
    query.cube = vc_str_of(question->cube);
    while (question->axes[query.naxes] != NULL) {
        axes[query.naxes].dimref = ref_of(question->axes[query.naxes]);
        query.naxes++;
    }
    while (question->measures[query.nmeasures] != NULL) {
        measures[query.nmeasures].name = vc_str_of(question->measures[query.nmeasures]);
        query.nmeasures++;
    }
    query.axes = axes;
    query.measures = measures;
    if (question->cut != NULL) {
        vc_condition *all = VC_ARENA_NEW(arena, vc_condition, 2);
        vc_condition **list = VC_ARENA_NEW(arena, vc_condition *, 2);
        vc_item *items = VC_ARENA_NEW(arena, vc_item, NAMES);
        vc_str *keys = VC_ARENA_NEW(arena, vc_str, NAMES);
        all[0] = (vc_condition){.dimref = ref_of(question->cut), .items = items};
        while (question->keys[all[0].nitems] != NULL) {
            keys[all[0].nitems] = vc_str_of(question->keys[all[0].nitems]);
            items[all[0].nitems] =
                (vc_item){.kind = VC_ITEM_PATH, .keys = &keys[all[0].nitems], .nkeys = 1};
            all[0].nitems++;
        }
        list[0] = &all[0];
        list[1] = &all[0];
        all[1] = (vc_condition){.kind = VC_CONDITION_NOT,
                                .dimref = all[0].dimref,
                                .children = &list[1],
                                .nchildren = 1};
        if (question->is_negated) list[0] = &all[1];
        query.conditions = list;
        query.nconditions = 1;
    }
    if (question->total != NULL) {
        vc_total *total = VC_ARENA_NEW(arena, vc_total, 1);
        vc_str *name = VC_ARENA_NEW(arena, vc_str, 1);
        *name = vc_str_of(question->total);
        *total = (vc_total){.dimensions = name, .ndimensions = name->size > 0};
        query.totals = total;
        query.ntotals = 1;
    }
    return query;
}

vc_status engine_try(struct fixture *fixture, const struct question *question,
                     const vc_engine_options *options, const vc_result **result, vc_error *error)
{
    vc_query query = engine_query(question, &fixture->arena);
    return vc_engine_run(fixture->model, &query, options, &fixture->arena, result, error);
}

const vc_result *engine_ask(struct fixture *fixture, const struct question *question,
                            const vc_engine_options *options)
{
    const vc_result *result = NULL;
    vc_error error = {0};
    char text[2048];
    cr_assert_eq(engine_try(fixture, question, options, &result, &error), VC_OK, "%s",
                 vc_error_format(&error, text, sizeof text));
    return result;
}

/* A cell as text: its value, or "-"; then its reason. */
static const char *cell_text(const vc_result *result, const vc_cell *cells, size_t m, char *text)
{
    const vc_result_measure *measure = &result->measures[m];
    size_t size;
    if (cells[m].is_null)
        size = (size_t)sprintf(text, "-");
    else if (measure->type == VC_VALUE_FLOAT)
        size = vc_format_double(text, cells[m].as.f);
    else
        size = vc_format_decimal(text, cells[m].as.i, measure->scale);
    text[size] = cells[m].reason;
    text[size + (cells[m].reason != 0)] = '\0';
    return text;
}

/* "FR 68 2.6; DE 84 5.6; * 611.8 16.7": rows, and behind "=" the summary. */
const char *engine_text(struct fixture *fixture, const vc_result *result)
{
    vc_buffer text = {0};
    char cell[VC_NUMBER_TEXT];
    for (size_t row = 0; row < result->nrows; row++) {
        vc_buffer_put_text(&text, row > 0 ? "; " : "");
        for (size_t a = 0; a < result->naxes; a++) {
            uint32_t at = result->coords[row * result->naxes + a];
            const vc_result_axis *axis = &result->axes[a];
            vc_str key = at == VC_NONE ? VC_STR("*") : axis->members[at].keys[axis->nlevels - 1];
            vc_buffer_printf(&text, "%.*s ", VC_FMT(key.data == NULL ? VC_STR("null") : key));
        }
        for (size_t m = 0; m < result->nmeasures; m++)
            vc_buffer_printf(&text, "%s%s", m > 0 ? " " : "",
                             cell_text(result, &result->cells[row * result->nmeasures], m, cell));
    }
    vc_buffer_put_text(&text, " =");
    for (size_t m = 0; m < result->nmeasures; m++)
        vc_buffer_printf(&text, " %s", cell_text(result, result->summary, m, cell));
    vc_str copy = vc_arena_str(&fixture->arena, vc_str_of(vc_buffer_text(&text)));
    vc_buffer_release(&text);
    return copy.data;
}

const vc_notice *engine_notice(const vc_result *result, const char *code)
{
    for (size_t i = 0; i < result->nnotices; i++)
        if (strcmp(result->notices[i].code, code) == 0) return &result->notices[i];
    return NULL;
}

/* ---- countries and cities: section 17 of the semantics ---- */

void engine_write_world(struct fixture *fixture, const char *join, const char *more)
{
    vc_buffer text = {0};
    fixture_open(fixture);
    fixture_write(fixture, "stats.csv",
                  "country,sex,pop\nFR,F,34\nFR,M,34\nDE,F,42\nDE,M,42\nUS,F,166.5\nUS,M,166.5\n"
                  "XK,F,0.9\nXK,M,0.9\nJP,F,62.5\nJP,M,62.5\n");
    fixture_write(fixture, "countries.csv", "iso2,continent\nFR,EU\nDE,EU\nUS,AM\nXK,EU\nJP,AS\n");
    fixture_write(fixture, "cities.csv",
                  "city,ciso,cpop\nParis,fr,2.1\nLyon,FR,0.5\nBerlin,DEU,3.7\nHamburg,\"DE \",1.9\n"
                  "New York,US,8.3\nPristina,XK,0.2\nAtlantis,ZZ,0.1\n");
    fixture_write(fixture, "stats.json",
                  "{\"name\": \"stats\", \"kind\": \"source\", \"data\": {\"csv\": \"stats.csv\"},"
                  " \"dimensions\": [{\"name\": \"geo\", \"table\": {\"csv\": \"countries.csv\"},"
                  " \"key\": \"iso2\", \"column\": \"country\", \"levels\": [\"continent\","
                  " {\"name\": \"country\", \"key\": \"iso2\"}]},"
                  " {\"name\": \"sex\", \"levels\": [\"sex\"]}],"
                  " \"measures\": [{\"name\": \"pop\", \"type\": \"decimal(1)\","
                  " \"aggregator\": \"sum\"}]}");
    fixture_write(
        fixture, "cities.json",
        "{\"name\": \"cities\", \"kind\": \"source\", \"data\": {\"csv\": \"cities.csv\"},"
        " \"dimensions\": [{\"name\": \"city\", \"levels\": [\"city\"],"
        " \"attributes\": [\"ciso\"]}],"
        " \"measures\": [{\"name\": \"cpop\", \"type\": \"decimal(1)\","
        " \"aggregator\": \"sum\"}, {\"name\": \"cities\", \"aggregator\": \"count\"},"
        " {\"name\": \"mean\", \"column\": \"cpop\", \"type\": \"decimal(1)\","
        " \"aggregator\": \"avg\"},"
        " {\"name\": \"distinct\", \"aggregator\": \"count_distinct\","
        " \"dimension\": \"city\"}]}");
    vc_buffer_printf(
        &text,
        "{\"name\": \"world\", \"kind\": \"virtual\", \"primary\": \"stats\", \"sources\": ["
        "{\"alias\": \"stats\", \"cube\": \"stats\"}, {\"alias\": \"cities\", \"cube\": \"cities\","
        " \"join\": {%s, \"on\": [{\"dim\": \"geo\", \"index\": \"country\", \"to_dim\": \"city\","
        " \"to_index\": \"ciso\", \"normalize\": {\"both\": [\"trim\", {\"codelist\":"
        " {\"list\": \"iso3166-1\", \"to\": \"alpha3\"}}]}}]}}]%s, \"measures\": ["
        "{\"name\": \"pop\", \"source\": \"stats\"}, {\"name\": \"cpop\", \"source\": \"cities\"},"
        "{\"name\": \"n\", \"source\": \"cities\", \"measure\": \"cities\"},"
        "{\"name\": \"mean\", \"source\": \"cities\"}, {\"name\": \"distinct\","
        " \"source\": \"cities\"}, {\"name\": \"ratio\", \"expr\": \"cpop / pop\"}]}",
        join, more);
    fixture_write(fixture, "world.json", vc_buffer_text(&text));
    vc_buffer_release(&text);
}

void engine_open_world(struct fixture *fixture, const char *join)
{
    engine_write_world(fixture, join, "");
    fixture_need_load(fixture, false);
}

/* 30 members of the primary have the key A, one has B. */
void engine_open_fanout(struct fixture *fixture)
{
    vc_buffer text = {0};
    fixture_open(fixture);
    vc_buffer_put_text(&text, "id,group,code\nb,other,B\n");
    for (int i = 0; i < 30; i++)
        vc_buffer_printf(&text, "a%02d,%s,A\n", i, i < 15 ? "low" : "high");
    fixture_write(fixture, "items.csv", vc_buffer_text(&text));
    fixture_write(fixture, "left.csv", "id,n\na00,1\na01,2\nb,4\n");
    fixture_write(fixture, "right.csv", "code,n\nA,10\nA,5\nB,100\n");
    fixture_write(fixture, "left.json",
                  "{\"name\": \"left\", \"kind\": \"source\", \"data\": {\"csv\": \"left.csv\"},"
                  "\"dimensions\": [{\"name\": \"item\", \"table\": {\"csv\": \"items.csv\"},"
                  " \"key\": \"id\", \"levels\": [\"group\", \"id\"], \"attributes\": [\"code\"]}],"
                  "\"measures\": [{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}]}");
    fixture_write(fixture, "right.json",
                  "{\"name\": \"right\", \"kind\": \"source\", \"data\": {\"csv\": \"right.csv\"},"
                  "\"dimensions\": [{\"name\": \"code\", \"levels\": [\"code\"]}],"
                  "\"measures\": [{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}]}");
    fixture_write(
        fixture, "both.json",
        "{\"name\": \"both\", \"kind\": \"virtual\", \"primary\": \"left\", \"sources\": ["
        "{\"cube\": \"left\"}, {\"cube\": \"right\", \"join\": {\"on\": [{\"dim\":"
        " \"item\", \"index\": \"code\", \"to_dim\": \"code\"}]}}], \"measures\": ["
        "{\"name\": \"n\", \"source\": \"left\"}, {\"name\": \"m\", \"source\": \"right\","
        " \"measure\": \"n\"}]}");
    vc_buffer_release(&text);
    fixture_need_load(fixture, false);
}

/* One cube of a dimension `k` and measures over the column x. */
void engine_open_numbers(struct fixture *fixture, const char *measures, const char *facts)
{
    vc_buffer text = {0};
    fixture_open(fixture);
    fixture_write(fixture, "c.csv", facts);
    vc_buffer_printf(&text,
                     "{\"name\": \"c\", \"kind\": \"source\", \"data\": {\"csv\": \"c.csv\"},"
                     "\"dimensions\": [{\"name\": \"k\", \"levels\": [\"k\"]},"
                     "{\"name\": \"t\", \"levels\": [{\"name\": \"t\", \"type\": \"int\"}]}],"
                     "\"measures\": [%s]}",
                     measures);
    fixture_write(fixture, "c.json", vc_buffer_text(&text));
    vc_buffer_release(&text);
    fixture_need_load(fixture, false);
}
