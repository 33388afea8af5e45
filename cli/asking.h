/* What the commands that ask a cube share: the options of a query, and what it is asked of.
 */
#ifndef CLI_ASKING_H
#define CLI_ASKING_H

#include "base/pool.h"
#include "cli/cli.h"
#include "slice/engine.h"

/* `vc_asking in = {0};` An arena, and what vc_asking_open opens. */
typedef struct vc_asking {
    vc_arena arena;
    vc_store *store;
    vc_model *model;
    vc_pool *pool;
    vc_engine_options options;
} vc_asking;

/* Open the store at a snapshot: the newest when `at` is absent. Reads --dir, --threads and
 * the limits of a query. What was opened when it fails is for vc_asking_close, too. */
vc_status vc_asking_open(const vc_arguments *arguments, vc_str at, vc_asking *in, vc_error *error);
void vc_asking_close(vc_asking *in);

/* The options of a query, for vc_command.shared. */
extern const vc_option vc_query_options[];

/* A file, or standard input for "-", whole, in the arena. VC_NOT_FOUND "missing_file", VC_STORAGE
 * "input". */
vc_status vc_cli_read_file(const char *path, vc_arena *arena, vc_str *text_out, vc_error *error);

/* The keys of a join that became equal only by normalisation, a line for each side that has some;
 * and how many keys several members of the primary have as they were found. */
bool vc_cli_has_collisions(const vc_result_coverage *coverage);
void vc_cli_collisions(vc_arena *arena, const vc_result_coverage *coverage);

/* The query of a command line: options that are fields of a query (query/fields.h), or --body, and
 * the operand CUBE. Lives in the arena. */
vc_status vc_asking_parse(const vc_arguments *arguments, vc_arena *arena, vc_query *query,
                          vc_error *error);

#endif
