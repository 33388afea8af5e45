/* The command: what its files share.
 *
 * Habits (clig.dev): data go to standard output, everything else to standard error; exit 0 when it
 * worked, 1 when it failed, 2 when the command line is wrong; progress only on a terminal; colour
 * only on a terminal and without NO_COLOR.
 *
 *     main.c      commands and help       options.c  the command line
 *     load.c      load, drop              check.c    check, with laws.c, check_report.c
 *     loading.c   what these two share    guard.c    signals and temporary folders
 *     browse.c    ls, describe, members
 *     query.c     query, coverage         explain.c  explain
 *     facts.c     facts, cell            unmatched.c  unmatched
 *     suggest.c   suggest
 *     asking.c    what these share        store.c    stats, verify
 *     serve.c     serve, with settings.c, notify.c    compact.c  compact
 *     backup.c    backup                  token.c    token
 *     report.c    report, with reporting.c, reverify.c
 *     text.c      tables and numbers      manual.c   manual pages, completion
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/arena.h"
#include "base/status.h"
#include "base/text.h"
#include "storage/store.h"

#include <stdio.h>

enum { VC_EXIT_OK = 0, VC_EXIT_FAILED = 1, VC_EXIT_USAGE = 2 };

/* ---- the command line ---- */

typedef struct vc_option {
    const char *name;  /* "max-rejects": given as --max-rejects */
    char letter;       /* 'd', or 0 */
    const char *value; /* "DIR": takes a value; NULL: a switch */
    const char *help;
} vc_option;

typedef struct vc_given {
    const vc_option *option;
    const char *value; /* NULL for a switch */
} vc_given;

typedef struct vc_arguments {
    const vc_given *given;
    size_t ngiven;
    const char *const *operands;
    size_t noperands;
} vc_arguments;

typedef struct vc_command {
    const char *name;
    const char *operands;     /* "CUBE DIMENSION" for the usage line */
    const char *summary;      /* one line */
    const char *help;         /* paragraphs and examples */
    const vc_option *options; /* ends with a NULL name; --help and --quiet are everyone's */
    const vc_option *shared;  /* likewise: options that other commands have, too; may be NULL */
    size_t min_operands, max_operands;
    int (*run)(const vc_arguments *arguments);
} vc_command;

/* Take a command line apart. VC_BAD_INPUT, code "usage", with candidates for an unknown option. */
vc_status vc_arguments_parse(const vc_command *command, int argc, char **argv, vc_arena *arena,
                             vc_arguments *arguments_out, vc_error *error);

/* The last value of an option; NULL when it was not given ("" for a switch that was). */
const char *vc_arguments_get(const vc_arguments *arguments, const char *name);

/* A whole number between min and max; `fallback` when it was not given. */
vc_status vc_arguments_number(const vc_arguments *arguments, const char *name, uint64_t min,
                              uint64_t max, uint64_t fallback, uint64_t *out, vc_error *error);

/* --threads; 0 when it is not given. */
vc_status vc_arguments_threads(const vc_arguments *arguments, unsigned *nthreads_out,
                               vc_error *error);

/* A number of bytes above 0: 4096, 64k, 512M, 2G with powers of 1000; Ki, Mi, Gi, Ti with powers of
 * 1024; a B behind it is fine. */
vc_status vc_arguments_bytes(const vc_arguments *arguments, const char *name, uint64_t fallback,
                             uint64_t *out, vc_error *error);

/* ---- talking ---- */

void vc_cli_setup(bool is_quiet);
bool vc_cli_is_quiet(void);

/* Print an error with its place and what was perhaps meant; returns the exit code. */
int vc_cli_fail(const vc_error *error);

/* A line on standard error, unless --quiet. */
void vc_cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Is standard output (error) a terminal that wants colour? */
bool vc_cli_has_colour(FILE *stream);

/* Columns of the terminal; 0 when standard output is none. */
unsigned vc_cli_width(void);

/* "1,234,567". The text is in the arena. */
vc_str vc_cli_count(vc_arena *arena, uint64_t count);

/* "12.3 MB" */
vc_str vc_cli_bytes(vc_arena *arena, uint64_t bytes);

/* "97.6%", "-" of nothing; what is not all is not 100.0%. */
vc_str vc_cli_percent(vc_arena *arena, uint64_t part, uint64_t whole);

/* A text of the data, without what a terminal would obey. */
vc_str vc_cli_safe(vc_arena *arena, vc_str text);
void vc_cli_put(const char *before, vc_str text); /* on standard output */

/* A table with aligned columns: texts [nrows * ncolumns], the first row is the header. is_right
 * [ncolumns] aligns a column to the right. What is wider than the terminal loses ends of texts;
 * what a terminal would obey is left out. */
void vc_cli_table(const vc_str *texts, size_t nrows, size_t ncolumns, const bool *is_right);

/* ---- the store ---- */

/* For whom: only a load, and a server that was told to, make a store that is not there, so that a
 * slip in its name makes none. */
typedef enum vc_cli_purpose {
    VC_TO_READ,
    VC_TO_SERVE,  /* and change meanwhile */
    VC_TO_CREATE, /* likewise, and make it */
    VC_TO_CHANGE, /* and do nothing else in this process */
    VC_TO_LOAD,   /* likewise, and make it */
} vc_cli_purpose;

/* -d DIR or $VCUBE_DIR; NULL when there is neither. */
const char *vc_cli_store_directory(const vc_arguments *arguments);

/* Open a store; directory NULL or empty: nobody said where it is. */
vc_status vc_cli_open_directory(const char *directory, vc_cli_purpose purpose, vc_store **store_out,
                                vc_error *error);

/* Open the store of -d DIR or $VCUBE_DIR. */
vc_status vc_cli_open_store(const vc_arguments *arguments, vc_cli_purpose purpose,
                            vc_store **store_out, vc_error *error);

#define VC_OPTION_DIR                                                                              \
    {                                                                                              \
        "dir", 'd', "DIR", "directory of the store (or set $VCUBE_DIR)"                            \
    }
#define VC_OPTION_JSON                                                                             \
    {                                                                                              \
        "json", 0, NULL, "print JSON"                                                              \
    }
#define VC_OPTION_END                                                                              \
    {                                                                                              \
        NULL, 0, NULL, NULL                                                                        \
    }

/* ---- commands ---- */

extern const vc_option vc_common_options[]; /* --help and --quiet */

extern const vc_command vc_command_load, vc_command_check, vc_command_compact, vc_command_drop,
    vc_command_ls, vc_command_describe, vc_command_members, vc_command_query, vc_command_explain,
    vc_command_coverage, vc_command_unmatched, vc_command_suggest, vc_command_facts,
    vc_command_cell, vc_command_serve, vc_command_stats, vc_command_verify, vc_command_backup,
    vc_command_token, vc_command_report;

#endif
