/* serve: the HTTP server until a signal says to stop. */
#include "cli/cli.h"
#include "http/server.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#ifndef VCUBE_VERSION
#define VCUBE_VERSION "0.1.0"
#endif

static vc_status serve_options(const vc_arguments *arguments, char address[64],
                               vc_server_options *options, vc_error *error)
{
    const char *listen = vc_arguments_get(arguments, "listen");
    uint64_t nworkers, max_cells, max_time_ms, max_memory, cache, max_load;
    vc_status status = vc_listen_parse(vc_str_of(listen != NULL ? listen : "127.0.0.1:8080"),
                                       address, &options->port, error);
    if (status == VC_OK)
        status = vc_arguments_number(arguments, "workers", 1, 256, 0, &nworkers, error);
    if (status == VC_OK)
        status = vc_arguments_number(arguments, "max-cells", 1, INT64_MAX, 0, &max_cells, error);
    if (status == VC_OK)
        status = vc_arguments_number(arguments, "max-time-ms", 1, 86400000, 0, &max_time_ms, error);
    if (status == VC_OK)
        status = vc_arguments_bytes(arguments, "max-memory", 0, &max_memory, error);
    if (status == VC_OK) status = vc_arguments_bytes(arguments, "cache", 0, &cache, error);
    if (status == VC_OK) status = vc_arguments_bytes(arguments, "max-load", 0, &max_load, error);
    if (status != VC_OK) return status;
    options->address = address;
    options->version = VCUBE_VERSION;
    options->nworkers = (unsigned)nworkers;
    options->cache_bytes = cache;
    options->max_load_bytes = max_load;
    options->data_directory = vc_arguments_get(arguments, "data");
    options->is_read_only = vc_arguments_get(arguments, "read-only") != NULL;
    options->limits = (vc_engine_limits){
        .max_cells = max_cells, .max_time_ms = max_time_ms, .max_memory_bytes = max_memory};
    options->logs_requests = vc_arguments_get(arguments, "log") != NULL;
    options->is_quiet = vc_cli_is_quiet();
    return VC_OK;
}

/* --cors, given several times or with a comma between. */
static vc_status read_origins(const vc_arguments *arguments, vc_arena *arena,
                              vc_server_options *options, vc_error *error)
{
    size_t count = 0, size = 0;
    for (size_t i = 0; i < arguments->ngiven; i++)
        if (strcmp(arguments->given[i].option->name, "cors") == 0)
            size += strlen(arguments->given[i].value) + 1;
    const char **origins = VC_ARENA_NEW(arena, const char *, size + 1);
    if (origins == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < arguments->ngiven; i++) {
        if (strcmp(arguments->given[i].option->name, "cors") != 0) continue;
        for (vc_str rest = vc_str_of(arguments->given[i].value); !vc_str_is_null(rest);) {
            vc_str part = vc_str_split(&rest, ',');
            vc_str origin = vc_arena_printf(arena, "%.*s", VC_FMT(part));
            if (vc_str_is_null(origin)) return vc_no_memory(error);
            origins[count++] = origin.data;
        }
    }
    options->origins = origins;
    options->norigins = count;
    return VC_OK;
}

static vc_status check_data(const vc_server_options *options, vc_error *error)
{
    struct stat about;
    const char *directory = options->data_directory;
    if (directory == NULL || (stat(directory, &about) == 0 && S_ISDIR(about.st_mode))) return VC_OK;
    return vc_fail(error, VC_NOT_FOUND, "missing_file", "--data: there is no folder '%s'",
                   directory);
}

/* Where nothing can be written (a copy on a medium that is read only), the server only reads. */
static vc_status open_store(const vc_arguments *arguments, vc_server_options *options,
                            vc_error *error)
{
    vc_error found = {0};
    vc_cli_purpose purpose = options->is_read_only                           ? VC_TO_READ
                             : vc_arguments_get(arguments, "create") != NULL ? VC_TO_LOAD
                                                                             : VC_TO_CHANGE;
    vc_status status = vc_cli_open_store(arguments, purpose, &options->store, &found);
    bool is_refused = status == VC_STORAGE && strcmp(found.code, "storage_read_only") == 0;
    if (is_refused && !options->is_read_only &&
        vc_cli_open_store(arguments, VC_TO_READ, &options->store, NULL) == VC_OK) {
        vc_cli_say("only reading: %s", found.message);
        options->is_read_only = true;
        return VC_OK;
    }
    if (status != VC_OK) *error = found;
    return status;
}

static int run_serve(const vc_arguments *arguments)
{
    char address[64];
    vc_error error = {0};
    vc_arena arena = {0};
    vc_server_options options = {0};
    vc_server *server = NULL;
    sigset_t stop;
    int signal_number;
    vc_status status = serve_options(arguments, address, &options, &error);
    if (status == VC_OK) status = read_origins(arguments, &arena, &options, &error);
    if (status == VC_OK) status = check_data(&options, &error);
    if (status == VC_OK) status = open_store(arguments, &options, &error);
    /* Blocked before threads start, so that only the wait below sees them. */
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    if (status == VC_OK) status = vc_server_start(&options, &server, &error);
    if (status != VC_OK) {
        vc_store_close(options.store);
        vc_arena_release(&arena);
        return vc_cli_fail(&error);
    }
    vc_cli_say("serving %s at http://%s:%u/ (Ctrl-C stops)", vc_store_directory(options.store),
               address, vc_server_port(server));
    sigwait(&stop, &signal_number);
    vc_cli_say("stopping");
    vc_server_stop(server);
    vc_store_close(options.store);
    vc_arena_release(&arena);
    return VC_EXIT_OK;
}

static const vc_option serve_option_list[] = {
    VC_OPTION_DIR,
    {"listen", 0, "ADDRESS:PORT", "where to listen (default 127.0.0.1:8080; port 0: any free one)"},
    {"workers", 0, "N", "heavy queries at once (default: one per processor)"},
    {"max-cells", 0, "N", "largest answer, in cells"},
    {"max-time-ms", 0, "N", "longest query"},
    {"max-memory", 0, "SIZE", "most that a query may need by estimate: 512M, 2G (default 1G)"},
    {"cache", 0, "SIZE", "answers kept for who asks the same (default 64M)"},
    {"cors", 0, "ORIGIN", "let pages of https://host[:port] read answers; may be repeated"},
    {"read-only", 0, NULL, "take no changes: no loads, no definitions"},
    {"data", 0, "FOLDER", "definitions that are sent may name data files below it (default: none)"},
    {"max-load", 0, "SIZE", "largest body of facts, as it is sent (default 4Gi)"},
    {"create", 0, NULL, "make the store when there is none"},
    {"log", 0, NULL, "log each request as a JSON line on standard error"},
    VC_OPTION_END};

const vc_command vc_command_serve = {
    .name = "serve",
    .operands = "",
    .summary = "answer over HTTP",
    .help =
        "Listens on this machine only. Loads by other processes show as soon as they are\n"
        "published. Programs on this machine may load and define cubes (POST .../load, PUT and\n"
        "DELETE /v1/cubes/CUBE) unless --read-only is given.\n\n"
        "Examples:\n"
        "  vcube serve -d data\n"
        "  curl "
        "'http://127.0.0.1:8080/v1/cubes/world/aggregate?drilldown=geo:region&cut=date:2020'",
    .options = serve_option_list,
    .run = run_serve,
};
