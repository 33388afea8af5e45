/* What the commands that ask a cube share. */
#include "cli/asking.h"

#include "base/buffer.h"
#include "query/body.h"
#include "query/fields.h"
#include "query/parameters.h"

#include <errno.h>
#include <string.h>

void vc_asking_close(vc_asking *in)
{
    vc_model_free(in->model);
    vc_store_close(in->store);
    vc_pool_free(in->pool);
    vc_arena_release(&in->arena);
}

vc_status vc_asking_open(const vc_arguments *arguments, vc_str at, vc_asking *in, vc_error *error)
{
    vc_snapshot *snapshot;
    unsigned nthreads;
    vc_status status = vc_arguments_threads(arguments, &nthreads, error);
    if (status == VC_OK) status = vc_cli_open_store(arguments, VC_TO_READ, &in->store, error);
    if (status == VC_OK)
        status = at.data != NULL ? vc_snapshot_open_at(in->store, at, &snapshot, error)
                                 : vc_snapshot_open(in->store, &snapshot, error);
    if (status == VC_OK) {
        status = vc_model_new(snapshot, true, &in->model, error);
        if (status != VC_OK) vc_snapshot_close(snapshot);
    }
    if (status == VC_OK) status = vc_pool_new(nthreads, &in->pool, error);
    in->options.pool = in->pool;
    if (status == VC_OK)
        status = vc_arguments_bytes(arguments, "max-memory", 0,
                                    &in->options.limits.max_memory_bytes, error);
    if (status == VC_OK)
        status = vc_arguments_number(arguments, "max-cells", 1, INT64_MAX, 0,
                                     &in->options.limits.max_cells, error);
    if (status == VC_OK)
        status = vc_arguments_number(arguments, "max-time-ms", 1, 86400000, 0,
                                     &in->options.limits.max_time_ms, error);
    return status;
}

static void print_collisions(vc_arena *arena, const vc_collisions *collisions, const char *whose)
{
    vc_str examples = vc_cli_safe(arena, vc_collisions_text(collisions, arena)),
           count = vc_cli_count(arena, collisions->count);
    if (collisions->count > 0)
        printf("  %.*s %s %s became equal to others by normalisation: %.*s\n", VC_FMT(count), whose,
               collisions->count == 1 ? "key" : "keys", VC_FMT(examples));
}

bool vc_cli_has_collisions(const vc_result_coverage *coverage)
{
    const vc_relation *relation = coverage->relation;
    return relation->joined_collisions.count > 0 || relation->primary_collisions.count > 0 ||
           (relation->has_fanout && relation->primary_duplicates > 0);
}

void vc_cli_collisions(vc_arena *arena, const vc_result_coverage *coverage)
{
    const vc_relation *relation = coverage->relation;
    vc_str count = vc_cli_count(arena, relation->primary_duplicates);
    print_collisions(arena, &relation->joined_collisions, "joined");
    print_collisions(arena, &relation->primary_collisions, "primary");
    if (relation->has_fanout && relation->primary_duplicates > 0)
        printf("  %.*s primary %s several members as found\n", VC_FMT(count),
               relation->primary_duplicates == 1 ? "key has" : "keys have");
}

vc_status vc_cli_read_file(const char *path, vc_arena *arena, vc_str *text_out, vc_error *error)
{
    vc_buffer buffer = {0};
    char block[65536];
    size_t n;
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (file == NULL)
        return vc_fail(error, VC_NOT_FOUND, "missing_file", "%s: %s", path, strerror(errno));
    while ((n = fread(block, 1, sizeof block, file)) > 0)
        vc_buffer_put(&buffer, block, n);
    int problem = errno;
    bool has_failed = ferror(file) != 0;
    if (file != stdin) fclose(file);
    *text_out = vc_arena_str(arena, (vc_str){vc_buffer_text(&buffer), buffer.size});
    bool has_no_memory = buffer.failed || text_out->data == NULL;
    vc_buffer_release(&buffer);
    if (has_failed)
        return vc_fail(error, VC_STORAGE, "input", "%s cannot be read: %s", path,
                       strerror(problem));
    return has_no_memory ? vc_no_memory(error) : VC_OK;
}

/* --totals-scope is the field totals_scope. */
static vc_str field_name(const vc_option *option, char name[32])
{
    size_t size = strnlen(option->name, 31);
    for (size_t i = 0; i < size; i++)
        name[i] = option->name[i] == '-' ? '_' : option->name[i];
    return (vc_str){.data = name, .size = size};
}

static bool is_field(const vc_option *option)
{
    char name[32];
    return vc_query_field_find(field_name(option, name)) != NULL;
}

/* The fields of a query among the options; a switch means true. */
static vc_status parse_options(const vc_arguments *arguments, vc_arena *arena, vc_query *query,
                               vc_error *error)
{
    vc_parameter *parameters = VC_ARENA_NEW(arena, vc_parameter, arguments->ngiven + 1);
    size_t nparameters = 0;
    if (parameters == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < arguments->ngiven; i++) {
        const vc_given *given = &arguments->given[i];
        if (!is_field(given->option)) continue;
        char text[32];
        vc_str name = vc_arena_str(arena, field_name(given->option, text));
        if (name.data == NULL) return vc_no_memory(error);
        parameters[nparameters++] = (vc_parameter){
            .name = name, .value = given->value == NULL ? VC_STR("true") : vc_str_of(given->value)};
    }
    return vc_parameters_parse(parameters, nparameters, arena, query, error);
}

vc_status vc_asking_parse(const vc_arguments *arguments, vc_arena *arena, vc_query *query,
                          vc_error *error)
{
    vc_query from_options;
    const char *body = vc_arguments_get(arguments, "body");
    vc_status status = parse_options(arguments, arena, &from_options, error);
    if (status != VC_OK || body == NULL) {
        *query = from_options;
        if (status == VC_OK && arguments->noperands == 0)
            return vc_fail(error, VC_BAD_INPUT, "usage", "a query needs CUBE, or --body FILE");
    } else {
        vc_str text;
        status = vc_cli_read_file(body, arena, &text, error);
        if (status == VC_OK) status = vc_body_parse(text, 0, arena, query, error);
        if (status != VC_OK) return status;
        for (size_t i = 0; i < arguments->ngiven; i++) {
            const vc_option *option = arguments->given[i].option;
            bool is_about_output =
                strcmp(option->name, "format") == 0 || strcmp(option->name, "explain") == 0;
            if (is_field(option) && !is_about_output)
                return vc_fail(error, VC_BAD_INPUT, "usage",
                               "--%s does not go with --body; say it in the body", option->name);
        }
        if (from_options.format.data != NULL) query->format = from_options.format;
        query->wants_explain |= from_options.wants_explain;
    }
    if (arguments->noperands > 0) query->cube = vc_str_of(arguments->operands[0]);
    return status;
}

const vc_option vc_query_options[] = {
    VC_OPTION_DIR,
    {"drilldown", 0, "DIM[:LEVEL]|...", "dimensions to break down by; may be repeated"},
    {"cut", 0, "DIM:SELECTION|...", "members to keep; may be repeated"},
    {"measures", 0, "NAME,...", "measures (default: all)"},
    {"having", 0, "MEASURE:OP:VALUE", "keep rows whose measure compares so: gt gte lt lte eq ne"},
    {"order", 0, "NAME:asc|desc|...", "order of the rows"},
    {"limit", 0, "N", "how many rows"},
    {"offset", 0, "N", "how many rows to pass over first"},
    {"top", 0, "N:DIM:MEASURE:desc[:other]", "the N best members of DIM, and a row of the others"},
    {"totals", 0, "DIMS|()", "total rows: the dimensions that stay; () is the grand total"},
    {"totals-scope", 0, "all|visible", "what totals are of"},
    {"nonempty", 0, "DIM,...", "with --sparse=false: drop members without any value"},
    {"sparse", 0, "BOOL", "drop rows without any value (default true)"},
    {"parents", 0, NULL, "show the levels above, too"},
    {"properties", 0, "DIM.NAME,...", "attributes to show"},
    {"at", 0, "SNAPSHOT", "answer from this snapshot"},
    {"body", 0, "FILE", "the query as a JSON body; - is standard input"},
    {"threads", 0, "N", "threads (default: one per processor)"},
    {"max-memory", 0, "SIZE", "most that the query may need by estimate: 512M, 2G (default 1G)"},
    {"max-cells", 0, "N", "largest answer, in cells (default 5,000,000)"},
    {"max-time-ms", 0, "N", "longest query (default 30,000)"},
    VC_OPTION_END};
