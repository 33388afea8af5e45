/* What ls, describe and members have in common. */
#ifndef CLI_BROWSING_H
#define CLI_BROWSING_H

#include "cli/cli.h"
#include "cube/model.h"

typedef struct vc_browsing {
    vc_arena arena;
    vc_store *store;
    vc_model *model;
    const vc_cube *cube;
} vc_browsing;

/* The store, a model, and the cube of the first operand when there is one. */
vc_status vc_browsing_open(const vc_arguments *arguments, vc_browsing *in, vc_error *error);

/* Close all of it, whatever the status. Returns the exit code, after saying what went wrong. */
int vc_browsing_close(vc_browsing *in, vc_status status, const vc_error *error);

#endif
