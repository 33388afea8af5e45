/* What the ways of `vcube report` share: the specification, the store, signals, and what one sees
 * while documents are made. */
#ifndef CLI_REPORTING_H
#define CLI_REPORTING_H

#include "base/pool.h"
#include "cli/cli.h"
#include "report/maker.h"

enum { /* beside those of cli.h */
       VC_EXIT_FAILED_SECTIONS = 3,
       VC_EXIT_UNPUBLISHED = 4,
       VC_EXIT_NOT_THE_SAME = 5
};

typedef struct vc_reporting {
    const vc_arguments *arguments;
    vc_arena arena;
    vc_spec spec;
    json_t *json; /* that spec views */
    vc_store *store;
    vc_model *model;
    vc_pool *pool;
    vc_maker maker;
    vc_sweep sweep;
    vc_run_plan plan;
    /* progress */
    bool is_terminal, has_line;
    int64_t started_ns, shown_ns;
} vc_reporting;

/* --param NAME=VALUE, the last one of a name. */
vc_status vc_reporting_read_parameters(const vc_arguments *arguments, vc_arena *arena,
                                       vc_given_parameter **given_out, size_t *ngiven_out,
                                       vc_error *error);

/* Read a specification; file is for errors. */
vc_status vc_reporting_read_spec(vc_reporting *in, vc_str text, const char *file, vc_error *error);

/* Open the store at a snapshot (absent: the newest), and make a plan of the sweep. The spec has
 * been read; `parameters` are those given, a name once. */
vc_status vc_reporting_open(vc_reporting *in, vc_str at, const vc_given_parameter *parameters,
                            size_t nparameters, vc_error *error);
void vc_reporting_close(vc_reporting *in);

/* SIGINT, SIGTERM and SIGHUP ask the work to stop, from here on; a second one ends the process.
 * They are let through again, and one that came ends the process, in _end_signals. */
void vc_reporting_begin_signals(void);
bool vc_reporting_has_signal(void);
void vc_reporting_end_signals(void);

/* A bar on a terminal; in a log a line every few seconds. */
void vc_reporting_show(vc_reporting *in, const vc_run_progress *progress);
void vc_reporting_clear(vc_reporting *in);
/* A problem with its query, on standard error; context is the vc_reporting. */
void vc_reporting_show_problem(void *context, const vc_sweep_item *item, const vc_problem *problem,
                               bool is_published);
double vc_reporting_seconds(const vc_reporting *in);

#endif
