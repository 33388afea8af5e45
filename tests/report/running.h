/* A run whose documents are made by hand: what to make of which is said by numbers of items; -1:
 * none. */
#ifndef TESTS_REPORT_RUNNING_H
#define TESTS_REPORT_RUNNING_H

#include "report/run.h"

struct running {
    char directory[256];
    vc_arena arena;
    vc_sweep sweep;
    vc_run_plan plan;
    vc_run_result result;
    vc_error error;
    int assertion, section; /* which has such a problem */
    int bad_section;        /* of which JSON-stat cannot be made */
    int broken, broken_pdf, cancel;
    bool is_cancelled, is_large;
    const char *change;      /* stands in every document's files; NULL: nothing */
    const char *definitions; /* of all documents; NULL: as they are */
    size_t nproblems_seen, nunpublished_seen;
};

void running_begin(struct running *in, size_t nitems); /* HTML of a/0, a/1, ...; one thread */
void running_end(struct running *in);
vc_status running_run(struct running *in);

bool running_has(const struct running *in, const char *name);
void running_read(const struct running *in, const char *name, vc_buffer *text); /* with a NUL */
void running_write(const struct running *in, const char *name, const char *text);
void running_remove(const struct running *in, const char *name);
void running_make_folder(const struct running *in, const char *name);
void running_clear(const struct running *in); /* its files */
void running_expect(const struct running *in, const char *name, const char *text);
void running_expect_same(const struct running *in, const struct running *other, const char *name);
size_t running_temporaries(const struct running *in);
void running_manifest(struct running *in, vc_run_manifest *manifest);

#endif
