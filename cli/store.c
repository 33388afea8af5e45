/* stats, verify, and opening the store for everyone. */
#include "cli/cli.h"
#include "cube/source.h"

#include <stdlib.h>

const char *vc_cli_store_directory(const vc_arguments *arguments)
{
    const char *directory = vc_arguments_get(arguments, "dir");
    return directory != NULL ? directory : getenv("VCUBE_DIR");
}

vc_status vc_cli_open_directory(const char *directory, vc_cli_purpose purpose, vc_store **store_out,
                                vc_error *error)
{
    vc_store_options options = {.is_read_only = purpose == VC_TO_READ,
                                .must_exist = purpose != VC_TO_LOAD && purpose != VC_TO_CREATE,
                                .forgets_pages = purpose >= VC_TO_CHANGE};
    if (directory == NULL || *directory == '\0')
        return vc_fail(error, VC_BAD_INPUT, "usage",
                       "say where the store is: -d DIR, or set VCUBE_DIR");
    return vc_store_open(directory, &options, store_out, error);
}

vc_status vc_cli_open_store(const vc_arguments *arguments, vc_cli_purpose purpose,
                            vc_store **store_out, vc_error *error)
{
    return vc_cli_open_directory(vc_cli_store_directory(arguments), purpose, store_out, error);
}

static const vc_option stats_options[] = {VC_OPTION_DIR, VC_OPTION_JSON, VC_OPTION_END};

static void print_stats_json(const vc_store_stats *stats)
{
    printf("{\"epoch\":%llu,\"file_bytes\":%llu,\"used_bytes\":%llu,\"free_bytes\":%llu,"
           "\"map_bytes\":%llu,\"objects\":%llu,\"chunks\":%llu,\"readers\":%u,"
           "\"max_readers\":%u,\"lmdb\":\"%s\"}\n",
           (unsigned long long)stats->epoch, (unsigned long long)stats->file_bytes,
           (unsigned long long)stats->used_bytes, (unsigned long long)stats->free_bytes,
           (unsigned long long)stats->map_bytes, (unsigned long long)stats->nobjects,
           (unsigned long long)stats->nchunks, stats->nreaders, stats->max_readers,
           stats->lmdb_version);
}

static int run_stats(const vc_arguments *arguments)
{
    vc_store *store;
    vc_store_stats stats;
    vc_error error = {0};
    vc_arena arena = {0};
    vc_status status = vc_cli_open_store(arguments, VC_TO_READ, &store, &error);
    if (status != VC_OK) return vc_cli_fail(&error);
    status = vc_store_stat(store, &stats, &error);
    if (status == VC_OK && vc_arguments_get(arguments, "json") != NULL) {
        print_stats_json(&stats);
    } else if (status == VC_OK) {
        vc_str rows[] = {VC_STR("what"),
                         VC_STR("value"),
                         VC_STR("epoch"),
                         vc_cli_count(&arena, stats.epoch),
                         VC_STR("objects"),
                         vc_cli_count(&arena, stats.nobjects),
                         VC_STR("chunks"),
                         vc_cli_count(&arena, stats.nchunks),
                         VC_STR("file"),
                         vc_cli_bytes(&arena, stats.file_bytes),
                         VC_STR("in use"),
                         vc_cli_bytes(&arena, stats.used_bytes),
                         VC_STR("free, to be reused"),
                         vc_cli_bytes(&arena, stats.free_bytes),
                         VC_STR("map (address space only)"),
                         vc_cli_bytes(&arena, stats.map_bytes),
                         VC_STR("readers"),
                         vc_arena_printf(&arena, "%u of %u", stats.nreaders, stats.max_readers),
                         VC_STR("storage library"),
                         vc_str_of(stats.lmdb_version)};
        vc_cli_table(rows, sizeof rows / sizeof rows[0] / 2, 2, (bool[]){false, true});
    }
    vc_store_close(store);
    vc_arena_release(&arena);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(&error);
}

const vc_command vc_command_stats = {
    .name = "stats",
    .operands = "",
    .summary = "size and state of a store",
    .help = "Example:\n  vcube stats -d data",
    .options = stats_options,
    .run = run_stats,
};

static const vc_option verify_options[] = {VC_OPTION_DIR, VC_OPTION_END};

static void print_damage(void *context, const char *sentence)
{
    (void)context;
    printf("damaged: %s\n", sentence);
}

static int run_verify(const vc_arguments *arguments)
{
    vc_store *store;
    vc_error error = {0};
    vc_arena arena = {0};
    uint64_t nrecords = 0, ndamaged = 0;
    vc_status status = vc_cli_open_store(arguments, VC_TO_READ, &store, &error);
    if (status != VC_OK) return vc_cli_fail(&error);
    status = vc_store_verify(store, print_damage, NULL, &nrecords, &ndamaged, &error);
    if (status == VC_OK) {
        uint64_t nimages;
        status = vc_source_cube_verify(store, print_damage, NULL, &nimages, &ndamaged, &error);
    }
    vc_str checked = vc_cli_count(&arena, nrecords), damaged = vc_cli_count(&arena, ndamaged);
    if (status == VC_OK)
        printf("%.*s records checked, all well\n", VC_FMT(checked));
    else if (ndamaged > 0)
        printf("%.*s records checked, %.*s damaged\n", VC_FMT(checked), VC_FMT(damaged));
    vc_store_close(store);
    vc_arena_release(&arena);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(&error);
}

const vc_command vc_command_verify = {
    .name = "verify",
    .operands = "",
    .summary = "read every record of a store and check it",
    .help = "Checks the checksum and the header of everything that is stored, and names what is\n"
            "damaged. Exit code 1 when anything is.\n\n"
            "Example:\n  vcube verify -d data",
    .options = verify_options,
    .run = run_verify,
};
