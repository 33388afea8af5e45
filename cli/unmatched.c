/* unmatched: the keys of joins that found no partner. */
#include "render/unmatched.h"
#include "cli/asking.h"
#include "render/people.h"

#include <errno.h>
#include <string.h>

/* ---- a table for each join ---- */

static vc_str value_text(vc_arena *arena, const vc_missed *missed, const vc_cell *cell)
{
    vc_buffer number = {0};
    if (missed->nmeasures == 0) return VC_STR("");
    if (cell->is_null) return VC_STR("\xE2\x80\x93");
    vc_result_measure measure = {.type = missed->measures[0].type,
                                 .scale = missed->measures[0].scale};
    vc_put_plain_number(&number, &measure, cell);
    vc_str text = vc_arena_str(arena, (vc_str){.data = number.data, .size = number.size});
    vc_buffer_release(&number);
    return text;
}

/* In quotes where blanks at an end would not be seen. */
static vc_str shown_key(vc_arena *arena, vc_str key)
{
    if (vc_str_is_null(key)) return VC_STR("(null)");
    bool is_plain = key.size > 0 && key.data[0] != ' ' && key.data[key.size - 1] != ' ';
    return is_plain ? key : vc_arena_printf(arena, "\"%.*s\"", VC_FMT(key));
}

static vc_str suggestion_text(vc_arena *arena, const vc_missed_key *key)
{
    vc_str text = VC_STR("");
    for (size_t i = 0; i < key->nsuggestions; i++) {
        vc_str found = shown_key(arena, key->suggestions[i].key);
        text = vc_arena_printf(arena, "%.*s%s%.*s (%s)", VC_FMT(text), i > 0 ? ", " : "",
                               VC_FMT(found), key->suggestions[i].why);
    }
    return text;
}

static vc_status print_join(vc_arena *arena, const vc_missed *missed, vc_error *error)
{
    enum { COLUMNS = 5 };
    vc_str *texts = VC_ARENA_NEW(arena, vc_str, (missed->nkeys + 1) * COLUMNS);
    vc_str count = vc_cli_count(arena, missed->nall);
    if (texts == NULL) return vc_no_memory(error);
    printf("%.*s over %.*s: %.*s %s without a match", VC_FMT(missed->source),
           VC_FMT(missed->dimension), VC_FMT(count), missed->nall == 1 ? "key" : "keys");
    if (missed->through.size > 0) printf(" (%.*s)", VC_FMT(missed->through));
    putchar('\n');
    if (missed->nkeys == 0) return VC_OK;
    texts[0] = VC_STR("key");
    texts[1] = VC_STR("members");
    texts[2] = missed->nmeasures > 0 ? missed->measures[0].name : VC_STR("");
    texts[3] = VC_STR("why");
    texts[4] = VC_STR("perhaps");
    for (size_t i = 0; i < missed->nkeys; i++) {
        const vc_missed_key *key = &missed->keys[i];
        vc_str *row = texts + (i + 1) * COLUMNS;
        row[0] = shown_key(arena, key->key->key);
        row[1] = vc_cli_count(arena, key->key->nleaves);
        row[2] = value_text(arena, missed, key->values);
        row[3] = key->key->is_excluded ? vc_arena_printf(arena, "%s (excluded)", key->key->why)
                                       : vc_str_of(key->key->why);
        row[4] = suggestion_text(arena, key);
    }
    vc_cli_table(texts, missed->nkeys + 1, COLUMNS, (bool[]){false, true, true, false, false});
    if (missed->nall > missed->nkeys)
        printf("... of %.*s (--limit, --offset, --order value)\n", VC_FMT(count));
    return VC_OK;
}

static vc_status print_json(const vc_asking *in, const vc_cube *cube, const vc_missed_query *query,
                            const vc_missed *missed, size_t nmissed, vc_error *error)
{
    vc_buffer out = {0};
    vc_status status = VC_OK;
    vc_missed_put_json(&out, cube->name, vc_str_of(vc_snapshot_id(vc_model_snapshot(in->model))),
                       query, missed, nmissed);
    vc_buffer_put_char(&out, '\n');
    if (out.failed)
        status = vc_no_memory(error);
    else if (fwrite(out.data, 1, out.size, stdout) != out.size)
        status = vc_fail(error, VC_STORAGE, "output", "standard output: %s", strerror(errno));
    vc_buffer_release(&out);
    return status;
}

/* ---- the command ---- */

static vc_status read_query(const vc_arguments *arguments, vc_missed_query *query, vc_error *error)
{
    uint64_t limit, offset;
    const char *order = vc_arguments_get(arguments, "order");
    vc_status status = vc_arguments_number(arguments, "limit", 0, UINT32_MAX, 20, &limit, error);
    if (status == VC_OK)
        status = vc_arguments_number(arguments, "offset", 0, UINT32_MAX, 0, &offset, error);
    if (status != VC_OK) return status;
    query->limit = (size_t)limit;
    query->offset = (size_t)offset;
    query->is_by_value = order != NULL && strcmp(order, "value") == 0;
    if (order == NULL || query->is_by_value || strcmp(order, "key") == 0) return VC_OK;
    return vc_fail(error, VC_BAD_INPUT, "usage", "--order takes key or value, not '%s'", order);
}

static vc_status list(vc_asking *in, const vc_arguments *arguments, vc_error *error)
{
    vc_missed_query query = {.sources = UINT64_MAX};
    const char *alias = vc_arguments_get(arguments, "source");
    const vc_cube *cube;
    const vc_missed *missed;
    size_t nmissed;
    vc_status status = read_query(arguments, &query, error);
    if (status == VC_OK) status = vc_asking_open(arguments, (vc_str){0}, in, error);
    if (status == VC_OK)
        status = vc_model_cube(in->model, vc_str_of(arguments->operands[0]), &cube, error);
    if (status == VC_OK && alias != NULL)
        status = vc_cube_find_sources(cube, vc_str_of(alias), &query.sources, error);
    if (status == VC_OK)
        status = vc_missed_run(in->model, cube, &query, &in->options, &in->arena, &missed, &nmissed,
                               error);
    if (status != VC_OK) return status;
    if (vc_arguments_get(arguments, "json") != NULL)
        return print_json(in, cube, &query, missed, nmissed, error);
    if (nmissed == 0) vc_cli_say("'%s' has no joins by keys", arguments->operands[0]);
    for (size_t i = 0; i < nmissed && status == VC_OK; i++) {
        if (i > 0) putchar('\n');
        status = print_join(&in->arena, &missed[i], error);
    }
    return status;
}

static int run_unmatched(const vc_arguments *arguments)
{
    vc_asking in = {0};
    vc_error error = {0};
    vc_status status = list(&in, arguments, &error);
    vc_asking_close(&in);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(&error);
}

static const vc_option unmatched_options[] = {
    VC_OPTION_DIR,
    VC_OPTION_JSON,
    {"source", 0, "ALIAS", "only the joins of this source, or of all of a nested cube"},
    {"order", 0, "key|value", "value: what is worth most first (default key)"},
    {"limit", 0, "N", "how many keys of each join (default 20)"},
    {"offset", 0, "N", "how many to pass over first"},
    {"threads", 0, "N", "threads (default: one per processor)"},
    VC_OPTION_END};

const vc_command vc_command_unmatched = {
    .name = "unmatched",
    .operands = "CUBE",
    .summary = "keys of joins that found no partner, and what was perhaps meant",
    .help =
        "For each key as it was found: its members, the value that matching it would recover,\n"
        "why it did not match, and keys of the primary that were perhaps meant: they differ by\n"
        "spaces, case or zeros, are another code of the same country (or of what became of\n"
        "it), or are spelled nearly so. A key over several indexes is guessed component by\n"
        "component, and must be one that the primary has. With --json also the step of\n"
        "\"normalize\" that makes them equal, and all sums and counts.\n\n"
        "Examples:\n"
        "  vcube unmatched -d data world --source cities\n"
        "  vcube unmatched -d data world --order value --limit 5\n"
        "  vcube unmatched -d data outer --source nested.cities",
    .options = unmatched_options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_unmatched,
};
