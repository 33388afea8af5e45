/* facts and cell: what is behind a cell. */
#include "render/facts.h"
#include "cli/asking.h"
#include "query/clauses.h"
#include "render/lineage.h"

#include <errno.h>
#include <string.h>

/* ---- a table for each source ---- */

static vc_str text_of(vc_arena *arena, vc_buffer *scratch, const vc_fact_field *field,
                      const vc_fact_cell *cell)
{
    vc_buffer_clear(scratch);
    vc_fact_put_text(scratch, field, cell);
    return vc_arena_str(arena, (vc_str){.data = vc_buffer_text(scratch), .size = scratch->size});
}

static vc_status print_rows(vc_arena *arena, const vc_fact_set *set, vc_error *error)
{
    vc_buffer scratch = {0};
    vc_str *texts = VC_ARENA_NEW(arena, vc_str, (set->nrows + 1) * set->nfields + 1);
    bool *is_right = VC_ARENA_NEW(arena, bool, set->nfields + 1);
    bool is_whole = texts != NULL && is_right != NULL;
    for (size_t c = 0; is_whole && c < set->nfields; c++) {
        const vc_fact_field *field = &set->fields[c];
        is_right[c] = field->kind == VC_FACT_VALUE || field->kind == VC_FACT_NUMBER;
        texts[c] = field->name;
        for (size_t row = 0; row < set->nrows; row++) {
            vc_str *text = &texts[(row + 1) * set->nfields + c];
            *text = text_of(arena, &scratch, field, &set->cells[row * set->nfields + c]);
            is_whole &= text->data != NULL;
        }
    }
    vc_buffer_release(&scratch);
    if (!is_whole) return vc_no_memory(error);
    vc_cli_table(texts, set->nrows + 1, set->nfields, is_right);
    return VC_OK;
}

static void print_names(const char *what, const vc_str *names, size_t nnames)
{
    for (size_t i = 0; i < nnames; i++)
        printf("%s%.*s", i == 0 ? what : ", ", VC_FMT(names[i]));
}

static vc_status print_set(vc_arena *arena, const vc_facts *facts, const vc_fact_set *set,
                           vc_error *error)
{
    vc_str count = vc_cli_count(arena, set->count);
    bool has_colour = vc_cli_has_colour(stdout);
    printf("%s%.*s%s: %.*s %s", has_colour ? "\033[1m" : "", VC_FMT(set->source),
           has_colour ? "\033[0m" : "", VC_FMT(count), set->count == 1 ? "fact" : "facts");
    if (!vc_str_equal(set->source, set->cube)) printf(" of %.*s", VC_FMT(set->cube));
    print_names(", read by ", set->measures, set->nmeasures);
    print_names(", fixed: ", set->fixes, set->nfixes);
    if (set->reason != 0) printf(" (%c: %s)", set->reason, vc_reason_words(set->reason));
    putchar('\n');
    if (set->nrows == 0 || set->nfields == 0) return VC_OK;
    vc_status status = print_rows(arena, set, error);
    uint64_t shown = facts->offset + set->nrows;
    if (status == VC_OK && shown < set->count) {
        vc_str more = vc_cli_count(arena, set->count - shown);
        printf("... and %.*s more (--limit, --offset)\n", VC_FMT(more));
    }
    return status;
}

static vc_status print_facts(vc_arena *arena, const vc_facts *facts, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; i < facts->nsets && status == VC_OK; i++) {
        if (i > 0) putchar('\n');
        status = print_set(arena, facts, &facts->sets[i], error);
    }
    return status;
}

static vc_status print_out(vc_buffer *out, vc_error *error)
{
    vc_status status = VC_OK;
    if (out->failed)
        status = vc_no_memory(error);
    else if (fwrite(out->data, 1, out->size, stdout) != out->size)
        status = vc_fail(error, VC_STORAGE, "output", "standard output: %s", strerror(errno));
    vc_buffer_release(out);
    return status;
}

static vc_status print_json(const vc_facts *facts, vc_error *error)
{
    vc_buffer out = {0};
    vc_facts_put_json(&out, facts);
    vc_buffer_put_char(&out, '\n');
    return print_out(&out, error);
}

/* ---- the command ---- */

static vc_status read_fields(const vc_arguments *arguments, vc_arena *arena, vc_facts_query *facts,
                             vc_error *error)
{
    const char *names = vc_arguments_get(arguments, "fields");
    vc_list list = {0};
    vc_status status = VC_OK;
    if (names != NULL)
        status = vc_names_parse((vc_source_text){.text = vc_str_of(names), .where = "fields"},
                                "a field", arena, &list, error);
    facts->fields = list.items;
    facts->nfields = list.count;
    return status;
}

static int run_facts(const vc_arguments *arguments)
{
    vc_asking in = {0};
    vc_error error = {0};
    vc_query query;
    const vc_facts *facts;
    vc_facts_query asked = {.query = &query,
                            .source = vc_str_of(vc_arguments_get(arguments, "source"))};
    vc_status status = vc_asking_parse(arguments, &in.arena, &query, &error);
    if (status == VC_OK) status = read_fields(arguments, &in.arena, &asked, &error);
    asked.offset = query.offset;
    asked.limit = query.limit == UINT64_MAX ? 20 : query.limit;
    if (status == VC_OK) status = vc_asking_open(arguments, query.at, &in, &error);
    if (status == VC_OK)
        status = vc_facts_run(in.model, &asked, &in.options, &in.arena, &facts, &error);
    if (status == VC_OK)
        status = vc_arguments_get(arguments, "json") != NULL
                     ? print_json(facts, &error)
                     : print_facts(&in.arena, facts, &error);
    vc_asking_close(&in);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(&error);
}

static const vc_option facts_options[] = {
    VC_OPTION_DIR,
    VC_OPTION_JSON,
    {"cut", 0, "DIM:SELECTION|...", "members to keep; may be repeated"},
    {"measures", 0, "NAME,...", "only facts that these measures read"},
    {"source", 0, "ALIAS", "only facts of this source"},
    {"fields", 0, "NAME,...", "what to show: DIM, DIM.LEVEL, DIM.ATTRIBUTE, in.DIM, a measure"},
    {"limit", 0, "N", "how many facts of each source (default 20)"},
    {"offset", 0, "N", "how many to pass over first"},
    {"at", 0, "SNAPSHOT", "answer from this snapshot"},
    {"threads", 0, "N", "threads (default: one per processor)"},
    VC_OPTION_END};

const vc_command vc_command_facts = {
    .name = "facts",
    .operands = "CUBE",
    .summary = "the rows behind a cell or a cut",
    .help = "Facts as they were loaded, source by source, each once: those that the cut leaves,\n"
            "translated through the joins, with the fixes of the source. Their number is what a\n"
            "count of the source shows under the same cut. in.DIM is where a fact falls in a\n"
            "dimension of the virtual cube that it is mapped to.\n\n"
            "Examples:\n"
            "  vcube facts -d data world --cut 'geo:FRA|date:2020'\n"
            "  vcube facts -d data world --cut geo:FRA --source cities --limit 5\n"
            "  vcube facts -d data world --cut geo:FRA --measures cpop --fields city,in.geo,cpop\n"
            "  vcube facts -d data world --cut geo:FRA --json",
    .options = facts_options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_facts,
};

/* ---- cell ---- */

static vc_status print_lineage(const vc_lineage *lineage, bool is_json, vc_error *error)
{
    vc_buffer out = {0};
    if (is_json) {
        vc_lineage_put_json(&out, lineage);
        vc_buffer_put_char(&out, '\n');
    } else {
        vc_lineage_put_text(&out, lineage, vc_cli_has_colour(stdout));
    }
    return print_out(&out, error);
}

static int run_cell(const vc_arguments *arguments)
{
    vc_asking in = {0};
    vc_error error = {0};
    vc_query query;
    vc_list measures = {0};
    const vc_lineage *lineage;
    const char *measure = vc_arguments_get(arguments, "measure");
    vc_status status = vc_asking_parse(arguments, &in.arena, &query, &error);
    if (status == VC_OK && measure != NULL)
        status = vc_measures_parse((vc_source_text){.text = vc_str_of(measure), .where = "measure"},
                                   &in.arena, &measures, &error);
    query.measures = measures.items;
    query.nmeasures = measures.count;
    vc_lineage_query asked = {.query = &query,
                              .limit = query.limit == UINT64_MAX ? 10 : (size_t)query.limit};
    if (status == VC_OK) status = vc_asking_open(arguments, query.at, &in, &error);
    if (status == VC_OK)
        status = vc_lineage_run(in.model, &asked, &in.options, &in.arena, &lineage, &error);
    if (status == VC_OK)
        status = print_lineage(lineage, vc_arguments_get(arguments, "json") != NULL, &error);
    vc_asking_close(&in);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(&error);
}

static const vc_option cell_options[] = {
    VC_OPTION_DIR,
    VC_OPTION_JSON,
    {"cut", 0, "DIM:SELECTION|...", "the cell; may be repeated"},
    {"measure", 0, "NAME", "its measure"},
    {"drilldown", 0, "DIM[:LEVEL]|...",
     "for measures over members (share, growth): must leave a row"},
    {"limit", 0, "N", "how many members, rows of the mapping and parts to list (default 10)"},
    {"at", 0, "SNAPSHOT", "answer from this snapshot"},
    {"threads", 0, "N", "threads (default: one per processor)"},
    VC_OPTION_END};

const vc_command vc_command_cell = {
    .name = "cell",
    .operands = "CUBE",
    .summary = "why a cell has its value",
    .help =
        "The value and its status in words; for each measure that it is computed from what the\n"
        "cut became in the source, through which rows of the mapping, under which policies and\n"
        "fixes; and the source's own cells of which the value is made, put together again to\n"
        "check that they are.\n\n"
        "Examples:\n"
        "  vcube cell -d data world --cut 'geo:FRA|date:2020' --measure urban\n"
        "  vcube cell -d data world --cut geo:Europe --measure cpop --limit 5\n"
        "  vcube cell -d data world --cut geo:ATA --measure cpop --json",
    .options = cell_options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_cell,
};
