/* backup: a copy of the store, made while it is used. */
#include "storage/backup.h"
#include "cli/cli.h"
#include "cube/source.h"

#include <time.h>

static void print_damage(void *context, const char *sentence)
{
    (void)context;
    vc_cli_say("damaged: %s", sentence);
}

/* Every record of the copy, and every dimension. */
static vc_status check_whole(void *context, vc_store *copy, vc_error *error)
{
    uint64_t *nrecords = context, nimages, ndamaged;
    vc_status status = vc_store_verify(copy, print_damage, NULL, nrecords, &ndamaged, error);
    return status == VC_OK
               ? vc_source_cube_verify(copy, print_damage, NULL, &nimages, &ndamaged, error)
               : status;
}

static void print_report(const vc_arguments *arguments, const vc_backup_report *report,
                         uint64_t nrecords, double seconds)
{
    vc_arena arena = {0};
    vc_str bytes = vc_cli_bytes(&arena, report->nbytes), records = vc_cli_count(&arena, nrecords);
    const char *to = arguments->operands[0];
    if (vc_arguments_get(arguments, "json") != NULL) {
        printf("{\"epoch\":%llu,\"snapshot\":\"%s\",\"bytes\":%llu,\"records_checked\":%llu}\n",
               (unsigned long long)report->epoch, report->snapshot,
               (unsigned long long)report->nbytes, (unsigned long long)nrecords);
    } else {
        vc_cli_say("copied snapshot %s to %s: %.*s in %.2f s", report->snapshot, to, VC_FMT(bytes),
                   seconds);
        if (nrecords > 0) vc_cli_say("%.*s records checked, all well", VC_FMT(records));
    }
    vc_arena_release(&arena);
}

static int run_backup(const vc_arguments *arguments)
{
    vc_store *store;
    vc_error error = {0};
    uint64_t nrecords = 0; /* that were checked */
    vc_backup_report report;
    struct timespec from, to;
    vc_backup_options options = {.force = vc_arguments_get(arguments, "force") != NULL,
                                 .context = &nrecords};
    if (vc_arguments_get(arguments, "verify") != NULL) options.check = check_whole;
    vc_status status = vc_cli_open_store(arguments, VC_TO_READ, &store, &error);
    if (status != VC_OK) return vc_cli_fail(&error);
    clock_gettime(CLOCK_MONOTONIC, &from);
    status = vc_store_backup(store, arguments->operands[0], &options, &report, &error);
    clock_gettime(CLOCK_MONOTONIC, &to);
    if (status == VC_OK)
        print_report(arguments, &report, nrecords,
                     (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
    vc_store_close(store);
    return status == VC_OK ? VC_EXIT_OK : vc_cli_fail(&error);
}

static const vc_option backup_options[] = {
    VC_OPTION_DIR,
    {"force", 0, NULL, "replace a copy that is there; nobody may have it open"},
    {"verify", 0, NULL, "read every record of the copy and check it, before it gets its name"},
    VC_OPTION_JSON,
    VC_OPTION_END};

const vc_command vc_command_backup = {
    .name = "backup",
    .operands = "FOLDER",
    .summary = "copy a store while it is used",
    .help = "Makes FOLDER/vcube.mdb, which is a store of its own: -d FOLDER opens it. The copy is\n"
            "consistent and compact, also while the store is served and loaded into; it has its\n"
            "name only when all of it is on the disk. Over HTTP: POST /v1/admin/backup.\n\n"
            "Examples:\n"
            "  vcube backup -d data --verify backups/monday\n"
            "  vcube serve -d backups/monday --read-only",
    .options = backup_options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_backup,
};
