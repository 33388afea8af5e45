/* suggest: which indexes of two cubes could join them. */
#include "render/suggest.h"
#include "cli/asking.h"
#include "render/content.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- for people ---- */

static vc_str of_keys(vc_arena *arena, const vc_suggest_side *side)
{
    vc_str some = vc_cli_count(arena, side->nmatched),
           all = vc_cli_count(arena, side->nkeys - side->nexcluded);
    return vc_arena_printf(arena, "%.*s of %.*s", VC_FMT(some), VC_FMT(all));
}

static vc_str facts_of(vc_arena *arena, const vc_suggest_side *side)
{
    return side->has_facts ? vc_cli_percent(arena, side->nfacts_matched, side->nfacts)
                           : VC_STR("-");
}

static vc_str name_of(vc_arena *arena, vc_str dimension, vc_str index)
{
    return vc_arena_printf(arena, "%.*s.%.*s", VC_FMT(dimension), VC_FMT(index));
}

static vc_str keys_of(vc_arena *arena, const vc_suggest_side *side)
{
    return vc_cli_percent(arena, side->nmatched, side->nkeys - side->nexcluded);
}

static void print_pairs(vc_arena *arena, const vc_suggest *suggest)
{
    enum { COLUMNS = 8 };
    static const char *const names[COLUMNS] = {"score", "primary", "keys",  "joined",
                                               "keys",  "facts",   "match", "compared"};
    vc_str *texts = VC_ARENA_NEW(arena, vc_str, (suggest->npairs + 1) * COLUMNS);
    if (texts == NULL) return;
    for (size_t c = 0; c < COLUMNS; c++)
        texts[c] = vc_str_of(names[c]);
    for (size_t i = 0; i < suggest->npairs; i++) {
        const vc_suggest_pair *pair = &suggest->pairs[i];
        vc_str *row = texts + (i + 1) * COLUMNS;
        row[0] = vc_arena_printf(arena, "%s%.2f", pair->is_chosen ? "* " : "", pair->score);
        row[1] = name_of(arena, pair->on.dim, pair->on.index);
        row[2] = keys_of(arena, &pair->from);
        row[3] = name_of(arena, pair->on.to_dim, pair->on.to_index);
        row[4] = keys_of(arena, &pair->to);
        row[5] = facts_of(arena, &pair->to);
        row[6] = vc_str_of(vc_suggest_cardinality(pair));
        row[7] = pair->is_shared
                     ? VC_STR("shared")
                     : vc_arena_printf(arena, "%s%s%s", pair->word, pair->is_time ? ", time" : "",
                                       pair->is_by_name ? ", by name" : "");
    }
    vc_cli_table(texts, suggest->npairs + 1, COLUMNS,
                 (bool[]){true, false, true, false, true, true, false, false});
}

/* "JP, KR" */
static void print_keys(const char *what, vc_str side, const vc_str *keys, size_t nkeys,
                       uint64_t nall)
{
    if (nkeys == 0) return;
    printf("  only in %.*s%s: ", VC_FMT(side), what);
    for (size_t i = 0; i < nkeys; i++)
        vc_cli_put(i > 0 ? ", " : "", keys[i]);
    printf("%s\n", nall > nkeys ? ", ..." : "");
}

/* Keys that do not meet, of the pairs that are chosen. */
static void print_examples(vc_arena *arena, const vc_suggest *suggest)
{
    for (size_t i = 0; i < suggest->npairs; i++) {
        const vc_suggest_pair *pair = &suggest->pairs[i];
        if (!pair->is_chosen) continue;
        vc_str from = of_keys(arena, &pair->from), to = of_keys(arena, &pair->to);
        printf("\n%.*s.%.*s = %.*s.%.*s: %.*s keys, %.*s keys\n", VC_FMT(pair->on.dim),
               VC_FMT(pair->on.index), VC_FMT(pair->on.to_dim), VC_FMT(pair->on.to_index),
               VC_FMT(from), VC_FMT(to));
        printf("  meet: ");
        for (size_t m = 0; m < pair->nmatches; m++) {
            vc_str a = pair->matches[m].from, b = pair->matches[m].to;
            vc_cli_put(m > 0 ? ", " : "", a);
            if (!vc_str_equal(a, b)) vc_cli_put(" = ", b);
        }
        printf("%s\n", pair->from.nmatched > pair->nmatches ? ", ..." : "");
        print_keys("", suggest->primary->name, pair->from.unmatched, pair->from.nunmatched,
                   pair->from.nkeys - pair->from.nmatched);
        print_keys("", suggest->alias, pair->to.unmatched, pair->to.nunmatched,
                   pair->to.nkeys - pair->to.nmatched - pair->to.nexcluded);
    }
}

static void print_passed(vc_arena *arena, const vc_suggest *suggest)
{
    if (suggest->npassed > 0) printf("\npassed over:\n");
    for (size_t i = 0; i < suggest->npassed; i++) {
        const vc_suggest_passed *passed = &suggest->passed[i];
        vc_str count = vc_cli_count(arena, passed->count);
        printf("  %.*s %s: %s\n    ", VC_FMT(count), passed->count == 1 ? "pair" : "pairs",
               passed->why);
        for (unsigned e = 0; e < passed->nexamples; e++)
            printf("%s%.*s", e > 0 ? ", " : "", VC_FMT(passed->examples[e]));
        puts(passed->count > passed->nexamples ? ", ..." : "");
    }
}

/* A part of a definition on one line. */
static void put_line(vc_buffer *out, const char *before, const json_t *json, const char *behind)
{
    char *text = json_dumps(json, JSON_ENCODE_ANY);
    if (text == NULL) out->failed = true;
    vc_buffer_put_text(out, before);
    vc_buffer_put_text(out, text == NULL ? "" : text);
    vc_buffer_put_text(out, behind);
    free(text);
}

/* A source: its `join` with a line for each pair. */
static void put_source(vc_buffer *out, json_t *source, const char *behind)
{
    const char *key;
    json_t *value, *pair;
    size_t i;
    vc_buffer_put_text(out, "    {");
    json_object_foreach(source, key, value)
    {
        json_t *on = json_object_get(value, "on");
        bool is_first = vc_str_is(vc_str_of(key), "alias");
        vc_buffer_put_text(out, is_first ? "" : on != NULL ? ",\n     " : ", ");
        vc_buffer_put_json(out, vc_str_of(key));
        if (on == NULL) {
            put_line(out, ": ", value, "");
            continue;
        }
        put_line(out, ": {\"kind\": ", json_object_get(value, "kind"), ", \"on\": [\n");
        json_array_foreach(on, i, pair)
            put_line(out, "       ", pair, i + 1 < json_array_size(on) ? ",\n" : " ]}");
    }
    vc_buffer_put_text(out, "}");
    vc_buffer_put_text(out, behind);
}

/* The definition as people write them. */
static vc_status put_pretty(vc_buffer *out, const vc_suggest *suggest, vc_error *error)
{
    vc_buffer plain = {0};
    json_t *source;
    size_t i;
    vc_suggest_put_definition(&plain, suggest);
    if (plain.size == 0) return VC_OK;
    json_t *json = json_loads(vc_buffer_text(&plain), 0, NULL);
    vc_buffer_release(&plain);
    if (json == NULL) return vc_no_memory(error);
    json_t *sources = json_object_get(json, "sources");
    put_line(out, "{ \"name\": ", json_object_get(json, "name"), ", \"kind\": \"virtual\", ");
    put_line(out, "\"primary\": ", json_object_get(json, "primary"), ",\n  \"sources\": [\n");
    json_array_foreach(sources, i, source)
        put_source(out, source, i + 1 < json_array_size(sources) ? ",\n" : " ] }\n");
    json_decref(json);
    return out->failed ? vc_no_memory(error) : VC_OK;
}

static vc_status print_text(vc_arena *arena, const vc_suggest *suggest, vc_error *error)
{
    vc_str nindexes = vc_cli_count(arena, suggest->nindexes),
           ntried = vc_cli_count(arena, suggest->ntried);
    vc_buffer definition = {0};
    printf("%.*s and %.*s: %.*s indexes, %.*s %s tried, %zu to suggest\n\n",
           VC_FMT(suggest->primary->name), VC_FMT(suggest->joined->name), VC_FMT(nindexes),
           VC_FMT(ntried), suggest->ntried == 1 ? "pair" : "pairs", suggest->nall);
    if (suggest->npairs > 0)
        print_pairs(arena, suggest);
    else
        puts("nothing meets by more than chance");
    if (suggest->nall > suggest->npairs) printf("... of %zu (--limit)\n", suggest->nall);
    print_examples(arena, suggest);
    print_passed(arena, suggest);
    vc_status status = put_pretty(&definition, suggest, error);
    if (status == VC_OK && definition.size > 0)
        printf("\na virtual cube of both (--format definition):\n%s", vc_buffer_text(&definition));
    for (size_t i = 0; i < suggest->nno_alls; i++)
        vc_cli_say("note: '%.*s' has no All: say at which member to read it, \"fix\": "
                   "{\"%.*s\": ...}",
                   VC_FMT(suggest->no_alls[i]), VC_FMT(suggest->no_alls[i]));
    vc_buffer_release(&definition);
    return status;
}

/* ---- the command ---- */

enum output { OUT_TABLE, OUT_RECORDS, OUT_NDJSON, OUT_CSV, OUT_DEFINITION, NOUTPUTS };

static const char *const output_names[NOUTPUTS] = {"table", "records", "ndjson", "csv",
                                                   "definition"};

static vc_status choose_output(const vc_arguments *arguments, enum output *out, vc_error *error)
{
    const char *format = vc_arguments_get(arguments, "format");
    *out = OUT_TABLE;
    if (vc_arguments_get(arguments, "json") != NULL) *out = OUT_RECORDS;
    if (format == NULL) return VC_OK;
    for (int i = 0; i < NOUTPUTS; i++)
        if (strcmp(format, output_names[i]) == 0) {
            *out = (enum output)i;
            return VC_OK;
        }
    return vc_fail(error, VC_BAD_INPUT, "usage",
                   "--format takes table, records, ndjson, csv or definition, not '%s'", format);
}

static vc_status print(const vc_asking *in, const vc_suggest *suggest, enum output output,
                       vc_arena *arena, vc_error *error)
{
    vc_buffer out = {0};
    vc_status status = VC_OK;
    vc_str snapshot = vc_str_of(vc_snapshot_id(vc_model_snapshot(in->model)));
    switch (output) {
    case OUT_RECORDS:
        vc_suggest_put_json(&out, snapshot, suggest);
        vc_buffer_put_char(&out, '\n');
        break;
    case OUT_NDJSON: vc_suggest_put_ndjson(&out, suggest); break;
    case OUT_CSV: vc_suggest_put_csv(&out, suggest); break;
    case OUT_DEFINITION: status = put_pretty(&out, suggest, error); break;
    default: return print_text(arena, suggest, error);
    }
    if (status == VC_OK && out.failed)
        status = vc_no_memory(error);
    else if (status == VC_OK && output == OUT_DEFINITION && out.size == 0)
        status = vc_fail(error, VC_NOT_FOUND, "no_common_dimension",
                         "no pair of indexes of '%.*s' and '%.*s' is good enough for a definition",
                         VC_FMT(suggest->primary->name), VC_FMT(suggest->joined->name));
    else if (status == VC_OK && fwrite(out.data, 1, out.size, stdout) != out.size)
        status = vc_fail(error, VC_STORAGE, "output", "standard output: %s", strerror(errno));
    vc_buffer_release(&out);
    return status;
}

static vc_status suggest(vc_asking *in, const vc_arguments *arguments, vc_error *error)
{
    const vc_cube *cube;
    const vc_suggest *found;
    enum output output;
    uint64_t limit, examples;
    vc_status status = choose_output(arguments, &output, error);
    if (status == VC_OK)
        status = vc_arguments_number(arguments, "limit", 1, VC_SUGGEST_MOST, 10, &limit, error);
    if (status == VC_OK)
        status =
            vc_arguments_number(arguments, "examples", 0, VC_SUGGEST_MOST, 5, &examples, error);
    if (status == VC_OK) status = vc_asking_open(arguments, (vc_str){0}, in, error);
    if (status == VC_OK)
        status = vc_model_cube(in->model, vc_str_of(arguments->operands[0]), &cube, error);
    if (status != VC_OK) return status;
    vc_suggest_query query = {.with = vc_str_of(arguments->operands[1]),
                              .limit = (size_t)limit,
                              .nexamples = (size_t)examples};
    status = vc_suggest_run(in->model, cube, &query, &in->options, &in->arena, &found, error);
    return status == VC_OK ? print(in, found, output, &in->arena, error) : status;
}

static int run_suggest(const vc_arguments *arguments)
{
    vc_asking in = {0};
    vc_error error = {0};
    vc_status status = suggest(&in, arguments, &error);
    vc_asking_close(&in);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(&error);
}

static const vc_option suggest_options[] = {
    VC_OPTION_DIR,
    VC_OPTION_JSON,
    {"format", 0, "FORMAT", "table (default), records (as --json), ndjson, csv, definition"},
    {"limit", 0, "N", "how many pairs (default 10)"},
    {"examples", 0, "N", "how many keys of each kind to show (default 5)"},
    {"threads", 0, "N", "threads (default: one per processor)"},
    VC_OPTION_END};

const vc_command vc_command_suggest = {
    .name = "suggest",
    .operands = "CUBE JOINED",
    .summary = "indexes by which two cubes could be joined",
    .help =
        "Tries every index, level and key of CUBE, which would be the primary, with every one of\n"
        "JOINED: how many of the distinct keys of each are among the other's, with which least\n"
        "normalisation, whether they are unique, and on which share of the facts they fall.\n"
        "Whole numbers and short codes that would meet by chance are passed over, unless their\n"
        "names speak for them, and it is said which. --format definition prints a virtual cube\n"
        "of both, joined by the best pairs: look at it, then load it.\n\n"
        "Examples:\n"
        "  vcube suggest -d data country_stats city_facts\n"
        "  vcube suggest -d data country_stats city_facts --limit 3 --json\n"
        "  vcube suggest -d data country_stats city_facts --format definition > both.json\n"
        "  vcube load -d data both.json",
    .options = suggest_options,
    .min_operands = 2,
    .max_operands = 2,
    .run = run_suggest,
};
