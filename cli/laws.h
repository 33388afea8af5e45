/* `vcube check --laws`: asking the laws of several cubes, and showing what came of it. */
#ifndef CLI_LAWS_H
#define CLI_LAWS_H

#include "cli/loading.h"
#include "query/laws.h"

typedef struct vc_laws_run {
    vc_arena arena; /* of the reports */
    vc_loading *progress;
    vc_laws_options options;
    vc_pool *pool;
    bool is_json;
    const char *directory; /* of the store in the commands that are shown */
    const vc_arguments
        *loaded;           /* whose operands are to be loaded into it first; NULL: it is there */
    const char *cube;      /* at hand, for the progress */
    struct timespec shown; /* when the progress was */
    size_t ncubes;
    vc_str *cubes;
    vc_law_report (*reports)[VC_LAWS]; /* [ncubes] */
    bool is_broken;                    /* some law is */
} vc_laws_run;

/* Read --rounds, --seed, --json, --threads and --max-memory. */
vc_status vc_laws_begin(const vc_arguments *arguments, vc_loading *progress, vc_laws_run *run,
                        vc_error *error);

/* Ask the laws of cubes [ncubes] of a model. */
vc_status vc_laws_ask(vc_laws_run *run, vc_model *model, const vc_str *cubes, size_t ncubes,
                      vc_error *error);

/* Show the reports on standard output: a table and the first breach of each cube, or JSON. */
void vc_laws_show(vc_laws_run *run);

void vc_laws_end(vc_laws_run *run);

#endif
