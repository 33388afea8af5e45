/* query and coverage. */
#include "render/query.h"
#include "base/buffer.h"
#include "cli/asking.h"
#include "render/collisions.h"
#include "render/coverage.h"
#include "render/explain.h"
#include "render/notices.h"
#include "render/people.h"

#include <errno.h>
#include <string.h>

static vc_status write_out(const vc_spool *answer, vc_error *error)
{
    enum { BLOCK_BYTES = 64 * 1024 };
    static char block[BLOCK_BYTES];
    ssize_t n;
    for (uint64_t offset = 0; (n = vc_spool_read(answer, offset, block, sizeof block)) > 0;
         offset += (uint64_t)n)
        if (fwrite(block, 1, (size_t)n, stdout) != (size_t)n)
            return vc_fail(error, VC_STORAGE, "output", "standard output: %s", strerror(errno));
    if (n < 0)
        return vc_fail(error, VC_STORAGE, "spool", "the file of a large answer: %s",
                       strerror(errno));
    return VC_OK;
}

/* Up to this an answer is in memory; beyond, in a file without a name beside the store. */
enum { SPOOL_FROM_BYTES = 8 << 20 };

static vc_status answer(vc_asking *in, const vc_query *query, const vc_render_query_options *how,
                        const vc_result **result_out, vc_error *error)
{
    vc_spool spool;
    vc_spool_open(&spool, vc_store_directory(in->store), SPOOL_FROM_BYTES);
    vc_status status = vc_render_query(in->model, query, &in->options, how, &in->arena, &spool,
                                       result_out, NULL, error);
    if (status == VC_OK) status = write_out(&spool, error);
    vc_spool_close(&spool);
    return status;
}

/* On a terminal people read tables, in a pipe programs read records. */
static vc_status choose_format(const vc_query *query, vc_render_format *format, vc_error *error)
{
    *format = vc_cli_width() > 0 ? VC_FORMAT_TABLE : VC_FORMAT_RECORDS;
    if (query->format.data == NULL) return VC_OK;
    vc_status status = vc_format_find(query->format, format, error);
    if (status != VC_OK || *format != VC_FORMAT_ARROW || vc_cli_width() == 0) return status;
    return vc_fail(error, VC_BAD_INPUT, "usage",
                   "an Arrow stream is not for a terminal; write it to a file: > answer.arrows");
}

/* CSV has no place for them. */
static void say_notices(const vc_result *result)
{
    for (size_t i = 0; i < result->nnotices; i++) {
        vc_buffer text = {0};
        vc_notice_put_text(&text, &result->notices[i]);
        vc_cli_say("note: %s", vc_buffer_text(&text));
        vc_buffer_release(&text);
    }
}

static int run_query(const vc_arguments *arguments)
{
    vc_asking in = {0};
    vc_error error = {0};
    vc_query query;
    const vc_result *result;
    vc_render_format format;
    uint64_t width;
    vc_status status = vc_asking_parse(arguments, &in.arena, &query, &error);
    if (status == VC_OK) status = choose_format(&query, &format, &error);
    if (status == VC_OK) status = vc_explain_check_format(&query, format, &error);
    if (status == VC_OK)
        status = vc_arguments_number(arguments, "width", 20, 1000, vc_cli_width(), &width, &error);
    if (status == VC_OK) status = vc_asking_open(arguments, query.at, &in, &error);
    if (status == VC_OK) {
        vc_render_options options = vc_render_options_of(&query);
        options.is_coloured = vc_cli_has_colour(stdout);
        options.width = (unsigned)width;
        options.is_pretty = vc_arguments_get(arguments, "pretty") != NULL;
        options.has_status |= vc_arguments_get(arguments, "output-status") != NULL;
        options.guards_formulas = vc_arguments_get(arguments, "guard") != NULL;
        vc_render_query_options how = {.format = format, .rendering = &options};
        status = answer(&in, &query, &how, &result, &error);
    }
    if (status == VC_OK && format == VC_FORMAT_CSV) say_notices(result);
    vc_asking_close(&in);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(&error);
}

static const vc_option query_options[] = {
    {"format", 0, "FORMAT",
     "table, records, arrays, columns, csv, ndjson, jsonstat, arrow (default: table on a "
     "terminal, else records)"},
    {"header", 0, "names|labels|none", "header of csv"},
    {"bom", 0, NULL, "byte order mark in csv"},
    {"output-status", 0, NULL, "columns of reasons in csv"},
    {"guard", 0, NULL, "keep spreadsheets from running texts in csv"},
    {"pretty", 0, NULL, "a line per row in records and arrays"},
    {"width", 0, "COLUMNS", "of the table (default: the terminal's)"},
    {"explain", 0, NULL, "say how the answer was made, too: in meta, or below the table"},
    VC_OPTION_END};

const vc_command vc_command_query = {
    .name = "query",
    .operands = "CUBE",
    .summary = "slice a cube",
    .help =
        "Cuts: DIM:MEMBER;MEMBER, paths DIM:Europe,Western Europe, ranges DIM:2004-2010, a level "
        "or\n"
        "index DIM.iso2:FR, '!' in front inverts, '|' means and. Drilldowns: DIM, DIM:LEVEL,\n"
        "DIM@HIERARCHY:LEVEL. Characters | : ; , - ! @ / # . in keys are escaped by a "
        "backslash.\n\n"
        "Examples:\n"
        "  vcube query -d data world --drilldown geo:region --cut date:2020 --measures pop,cpop\n"
        "  vcube query -d data world --drilldown geo:country --cut 'geo:Europe|date:2020' \\\n"
        "      --measures pop,capital_pop --order pop:desc --limit 10\n"
        "  vcube query -d data world --drilldown 'geo:region|date' --totals '()' --format csv",
    .options = query_options,
    .shared = vc_query_options,
    .min_operands = 0,
    .max_operands = 1,
    .run = run_query,
};

/* ---- coverage ---- */

static void put_coverage_json(vc_buffer *out, const vc_result_coverage *item)
{
    vc_json_writer json = {.out = out};
    vc_json_begin(&json, NULL, '{');
    vc_json_put_str(&json, "source", item->source);
    vc_json_put_str(&json, "dim", item->dimension);
    vc_coverage_put_json(&json, item);
    vc_collisions_put_json(&json, item->relation);
}

static void put_unmatched_json(vc_buffer *out, const vc_relation *relation)
{
    vc_buffer_put_text(out, ",\"unmatched\":[");
    for (size_t i = 0; i < relation->nunmatched; i++) {
        const vc_unmatched_key *key = &relation->unmatched[i];
        vc_buffer_put_text(out, i > 0 ? ",{\"key\":" : "{\"key\":");
        vc_buffer_put_json(out, key->key);
        vc_buffer_printf(out, ",\"members\":%u,\"excluded\":%s,\"why\":", key->nleaves,
                         key->is_excluded ? "true" : "false");
        vc_buffer_put_json(out, vc_str_of(key->why));
        vc_buffer_put_text(out, "}");
    }
    vc_buffer_put_text(out, "]");
}

static void print_coverage_json(const vc_result_coverage *items, size_t nitems, bool has_unmatched)
{
    vc_buffer out = {0};
    vc_buffer_put_char(&out, '[');
    for (size_t i = 0; i < nitems; i++) {
        vc_buffer_put_text(&out, i > 0 ? "," : "");
        put_coverage_json(&out, &items[i]);
        if (has_unmatched) put_unmatched_json(&out, items[i].relation);
        vc_buffer_put_char(&out, '}');
    }
    vc_buffer_put_char(&out, ']');
    puts(vc_buffer_text(&out));
    vc_buffer_release(&out);
}

static vc_str of_total(vc_arena *arena, uint64_t part, uint64_t whole)
{
    vc_str some = vc_cli_count(arena, part), all = vc_cli_count(arena, whole);
    return vc_arena_printf(arena, "%.*s of %.*s", VC_FMT(some), VC_FMT(all));
}

/* In quotes where blanks at an end would not be seen. */
static vc_str shown_key(vc_arena *arena, vc_str key)
{
    if (key.data == NULL) return VC_STR("(null)");
    bool is_plain = key.size > 0 && key.data[0] != ' ' && key.data[key.size - 1] != ' ';
    return is_plain ? key : vc_arena_printf(arena, "\"%.*s\"", VC_FMT(key));
}

static void print_unmatched(vc_asking *in, const vc_result_coverage *item,
                            const vc_relation *relation, uint64_t limit)
{
    if (relation->nunmatched == 0) return;
    printf("\n%.*s over %.*s, keys without a match:\n", VC_FMT(item->source),
           VC_FMT(item->dimension));
    for (size_t i = 0; i < relation->nunmatched && i < limit; i++) {
        const vc_unmatched_key *key = &relation->unmatched[i];
        vc_str text = vc_cli_safe(&in->arena, shown_key(&in->arena, key->key)),
               count = vc_cli_count(&in->arena, key->nleaves);
        int width = 24 + (int)text.size - (int)vc_utf8_columns(text);
        printf("  %-*.*s %8.*s %s  %s%s\n", width, VC_FMT(text), VC_FMT(count),
               key->nleaves == 1 ? "member " : "members", key->why,
               key->is_excluded ? " (excluded)" : "");
    }
    if (relation->nunmatched > limit)
        printf("  ... and %zu more (--limit)\n", relation->nunmatched - (size_t)limit);
}

/* "cpop 99.4%, ncities 85.7%" */
static vc_str shares_text(vc_arena *arena, const vc_result_coverage *item)
{
    vc_str text = VC_STR("");
    for (size_t s = 0; s < item->nshares; s++)
        if (item->shares[s].is_known)
            text = vc_arena_printf(arena, "%.*s%s%.*s %.1f%%", VC_FMT(text),
                                   text.size > 0 ? ", " : "", VC_FMT(item->shares[s].measure),
                                   100 * vc_share_shown(item->shares[s].share));
    return text;
}

/* On a narrow terminal the shares of value, which may be many, stand below. */
static void print_coverage(vc_asking *in, const vc_result_coverage *items, size_t nitems,
                           uint64_t limit)
{
    enum { COLUMNS = 8 };
    static const char *const names[COLUMNS] = {"source",  "over",     "keys",    "matched",
                                               "members", "excluded", "primary", "value matched"};
    vc_str *texts = VC_ARENA_NEW(&in->arena, vc_str, (nitems + 1) * COLUMNS);
    vc_str *shares = VC_ARENA_NEW(&in->arena, vc_str, nitems + 1);
    if (texts == NULL || shares == NULL) return;
    for (size_t c = 0; c < COLUMNS; c++)
        texts[c] = vc_str_of(names[c]);
    for (size_t i = 0; i < nitems; i++) {
        const vc_coverage *counts = &items[i].counts;
        vc_str *row = texts + (i + 1) * COLUMNS;
        row[0] = items[i].source;
        row[1] = items[i].dimension;
        row[2] = of_total(&in->arena, counts->keys_matched, counts->keys);
        row[3] = vc_cli_percent(&in->arena, counts->keys_matched, counts->keys);
        row[4] = of_total(&in->arena, counts->members_matched, counts->members);
        row[5] = vc_cli_count(&in->arena, counts->excluded);
        row[6] = of_total(&in->arena, counts->primary_matched, counts->primary_members);
        row[7] = shares[i] = shares_text(&in->arena, &items[i]);
    }
    bool is_narrow = vc_cli_width() > 0 && vc_cli_width() < 110;
    for (size_t i = 0; i <= nitems && is_narrow; i++)
        memmove(texts + i * (COLUMNS - 1), texts + i * COLUMNS, (COLUMNS - 1) * sizeof *texts);
    vc_cli_table(texts, nitems + 1, COLUMNS - is_narrow,
                 (bool[]){false, false, true, true, true, true, true, false});
    const char *before = "\n";
    for (size_t i = 0; i < nitems && is_narrow; i++) {
        if (shares[i].size == 0) continue;
        printf("%s%.*s over %.*s, value matched: %.*s\n", before, VC_FMT(items[i].source),
               VC_FMT(items[i].dimension), VC_FMT(shares[i]));
        before = "";
    }
    for (size_t i = 0; i < nitems; i++) {
        if (!vc_cli_has_collisions(&items[i])) continue;
        printf("\n%.*s over %.*s, keys that are one:\n", VC_FMT(items[i].source),
               VC_FMT(items[i].dimension));
        vc_cli_collisions(&in->arena, &items[i]);
    }
    for (size_t i = 0; i < nitems && limit > 0; i++)
        print_unmatched(in, &items[i], items[i].relation, limit);
}

static int run_coverage(const vc_arguments *arguments)
{
    vc_asking in = {0};
    vc_error error = {0};
    const vc_cube *cube;
    const vc_result_coverage *items;
    size_t nitems;
    uint64_t limit;
    vc_status status = vc_arguments_number(arguments, "limit", 0, UINT32_MAX, 20, &limit, &error);
    if (status == VC_OK) status = vc_asking_open(arguments, (vc_str){0}, &in, &error);
    if (status == VC_OK)
        status = vc_model_cube(in.model, vc_str_of(arguments->operands[0]), &cube, &error);
    if (status == VC_OK)
        status =
            vc_engine_coverage(in.model, cube, &in.options, &in.arena, &items, &nitems, &error);
    if (status == VC_OK && vc_arguments_get(arguments, "json") != NULL)
        print_coverage_json(items, nitems, vc_arguments_get(arguments, "unmatched") != NULL);
    else if (status == VC_OK && nitems == 0)
        vc_cli_say("'%s' has no joins", arguments->operands[0]);
    else if (status == VC_OK)
        print_coverage(&in, items, nitems, limit);
    vc_asking_close(&in);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(&error);
}

static const vc_option coverage_options[] = {
    VC_OPTION_DIR,
    VC_OPTION_JSON,
    {"unmatched", 0, NULL, "with --json: the keys that did not match, too"},
    {"limit", 0, "N", "how many unmatched keys to list per join (default 20)"},
    {"threads", 0, "N", "threads (default: one per processor)"},
    VC_OPTION_END};

const vc_command vc_command_coverage = {
    .name = "coverage",
    .operands = "CUBE",
    .summary = "how well the joins of a virtual cube match",
    .help =
        "Keys are the distinct texts found on the joined side, members its leaves; primary are\n"
        "the members of the primary that found something. The value share says how much of a\n"
        "measure's total falls on matched members.\n\n"
        "Example:\n  vcube coverage -d data world",
    .options = coverage_options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_coverage,
};
