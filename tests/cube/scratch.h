/* For tests: a store in a temporary folder, and loading into it. */
#ifndef TESTS_CUBE_SCRATCH_H
#define TESTS_CUBE_SCRATCH_H

#include "base/buffer.h"
#include "cube/load.h"

struct scratch {
    char path[64]; /* the folder, for other files too */
    vc_store *store;
    vc_arena arena;
    vc_buffer warnings; /* of the loads */
};

void scratch_open(struct scratch *scratch);
void scratch_close(struct scratch *scratch); /* removes the folder */

/* Write a file in the folder; returns its path, which lives as long as scratch. */
const char *scratch_write(struct scratch *scratch, const char *name, const char *text);

/* Load a file or all definitions of a folder. Rejects go into the folder of the scratch unless
 * options say otherwise; options.warning and context are set here when they are not. */
vc_status scratch_load(struct scratch *scratch, const char *path, vc_load_options options,
                       vc_load_report *report, vc_error *error);

/* The same, and it must succeed. */
void scratch_need_load(struct scratch *scratch, const char *path, vc_load_options options);

/* The call must be VC_OK; it passes `why` as its vc_error. */
#define NEED_OK(call)                                                                              \
    do {                                                                                           \
        vc_error need_error = {0};                                                                 \
        vc_error *why = &need_error;                                                               \
        vc_status need_status = (call);                                                            \
        char need_text[2048];                                                                      \
        cr_assert_eq(need_status, VC_OK, "%s: %s", #call,                                          \
                     vc_error_format(&need_error, need_text, sizeof need_text));                   \
    } while (0)

#endif
