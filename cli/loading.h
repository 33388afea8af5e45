/* What load and check share: progress on a terminal, definitions of a command line, the report. */
#ifndef CLI_LOADING_H
#define CLI_LOADING_H

#include "cli/cli.h"
#include "cube/load.h"

#include <time.h>

/* A line on standard error that is written over; only on a terminal, and not with --quiet. */
typedef struct vc_loading {
    bool is_terminal;
    bool has_line;
    struct timespec started;
    const char *file;
} vc_loading;

double vc_loading_seconds(const struct timespec *start); /* since then */
void vc_loading_clear(vc_loading *progress);             /* take the line away */

typedef struct vc_definitions {
    vc_definition **items;
    size_t count;
} vc_definitions;

/* Read the files and folders that the operands name. They live in the arena, and are to be released
 * also when it fails. */
vc_status vc_definitions_read(const vc_arguments *arguments, vc_arena *arena,
                              vc_definitions *definitions, vc_error *error);
void vc_definitions_release(vc_definitions *definitions);

/* The options of a command line for a load; `context` is the progress. */
vc_status vc_loading_options(const vc_arguments *arguments, vc_loading *progress,
                             vc_load_options *options, vc_error *error);

/* What was loaded, as a table on standard output. */
void vc_loading_report(const vc_load_report *report, vc_arena *arena);

#endif
