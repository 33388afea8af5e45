/* Loading: definitions and their data into the store, all or nothing.
 *
 * A set of definitions is put in order (dimensions, crosswalks, source cubes, virtual cubes), each
 * is checked against the others and against what the store holds, data are read, and everything is
 * published in one step. Whatever fails, the store is exactly as before.
 */
#ifndef CUBE_LOAD_H
#define CUBE_LOAD_H

#include "cube/definition.h"
#include "storage/store.h"

typedef struct vc_load_progress {
    const char *object; /* name of what is being loaded */
    const char *file;
    uint64_t nrows;       /* of this file so far */
    uint64_t bytes_done;  /* of the file, compressed bytes if it is */
    uint64_t bytes_total; /* 0 when unknown */
} vc_load_progress;

typedef struct vc_load_options {
    bool append;          /* add facts and members to cubes that exist, instead of replacing */
    bool check_only;      /* validate, read and resolve everything, write nothing */
    uint64_t max_rejects; /* over all files; more fail the load */
    unsigned nthreads;    /* that read facts; 0: one per processor. What is stored is the same */
    size_t window_rows;   /* that are sorted at a time, at most; 0: what is best */
    size_t block_bytes;   /* of a data file that one of them reads at a time; 0: what is best */
    const char *rejects_directory; /* NULL: FILE.rejects.csv beside each data file */
    void (*progress)(void *context, const vc_load_progress *progress); /* NULL; at most ~10 a s */
    void (*warning)(void *context, const char *sentence);              /* NULL */
    /* Called once all checks have passed, before publishing (or, with check_only, instead of it),
     * with the store as it will be; a failure aborts the load. NULL: nothing. */
    vc_status (*checked)(void *context, const vc_snapshot *preview, vc_error *error);
    /* The folder of the temporary store that a check without a store has, so that whoever ends the
     * process can remove it; NULL: it is gone. May be NULL. */
    void (*temporary)(void *context, const char *directory);
    void *context;
} vc_load_options;

typedef struct vc_load_object_report {
    vc_definition_kind kind;
    vc_str name;
    uint64_t nrows; /* facts, or rows of the dimension's table */
    uint64_t nrejects;
    uint64_t nmembers;   /* leaves of a dimension, sum over a cube's own */
    vc_str rejects_file; /* absent when there were none */
} vc_load_object_report;

typedef struct vc_load_report {
    uint64_t epoch;
    size_t nobjects;
    vc_load_object_report *objects; /* in the arena */
    uint64_t nrows, nrejects, nbytes;
} vc_load_report;

/* Load definitions that have been read.
 *
 * store  may be NULL with check_only: then only the given definitions are known
 * arena  owns the report
 *
 * Errors carry the place in the definition file or in the data file. A rejected row is written to
 * the rejects file with line, column and reason; when there are more than max_rejects the load
 * fails with VC_BAD_INPUT, code "rejects", the first reject in the message, and the rejects file
 * stays for reading.
 * Virtual cubes (those given, and those in the store that stand on a cube that is replaced) are
 * opened and so checked on a preview of the store as it will be, before anything is published. */
vc_status vc_load_definitions(vc_store *store, vc_definition *const *definitions,
                              size_t ndefinitions, const vc_load_options *options, vc_arena *arena,
                              vc_load_report *report_out, vc_error *error);

#endif
