/* Loading: definitions and their data into the store, all or nothing.
 *
 * A set of definitions is put in order (dimensions, crosswalks, source cubes, virtual cubes), each
 * is checked against the others and against what the store holds, data are read, and everything is
 * published in one step. Whatever fails, the store is exactly as before.
 */
#ifndef CUBE_LOAD_H
#define CUBE_LOAD_H

#include "cube/definition.h"
#include "cube/input.h"
#include "storage/store.h"

typedef struct vc_load_progress {
    const char *object; /* name of what is being loaded */
    const char *file;
    uint64_t nrows;       /* of this file so far */
    uint64_t bytes_done;  /* of the file, compressed bytes if it is */
    uint64_t bytes_total; /* 0 when unknown */
} vc_load_progress;

/* Facts that are sent: text as files have it, packed or not (cube/input.h). */
typedef struct vc_load_body {
    vc_input_source source;
    void *context;
    uint64_t nbytes;  /* 0: not known */
    const char *name; /* stands for the file in messages */
    bool is_ndjson;
    vc_str charset; /* what the sender says that it is in; absent: what the definition says */
} vc_load_body;

typedef struct vc_load_options {
    bool append;          /* add facts and members to cubes that exist, instead of replacing */
    bool drops_facts;     /* a definition without data leaves a cube that exists no facts; otherwise
                             it keeps those that it has, or it is VC_CONFLICT, "append_mismatch" */
    bool check_only;      /* validate, read and resolve everything, write nothing */
    uint64_t max_rejects; /* over all files; more fail the load */
    unsigned nthreads;    /* that read facts; 0: one per processor. What is stored is the same */
    size_t window_rows;   /* that are sorted at a time, at most; 0: what is best */
    size_t block_bytes;   /* of a data file that one of them reads at a time; 0: what is best */
    bool tells_no_others; /* who loads may not know of cubes that stand on this one: that one of
                             them would no longer work is said, and not which and why */
    const char *rejects_directory; /* NULL: FILE.rejects.csv beside each data file */
    /* Called with each rejected row; then no files of them are written. record: its bytes as they
     * came, valid for the call. NULL: files. */
    void (*rejected)(void *context, const vc_error *reason, vc_str record);
    void (*progress)(void *context, const vc_load_progress *progress); /* NULL; at most ~10 a s */
    void (*warning)(void *context, const char *sentence);              /* NULL */
    /* Called when the load has begun, with what is published: it stays so until the load ends. A
     * failure ends the load. NULL: nothing. */
    vc_status (*begun)(void *context, const vc_snapshot *published, vc_error *error);
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

typedef struct vc_load_named { /* a data file that a definition names, as written, and where */
    vc_str path, pointer;
} vc_load_named;

/* All data files of a definition, in the arena. */
vc_status vc_load_list_files(const vc_definition *definition, vc_arena *arena,
                             vc_load_named **files_out, size_t *nfiles_out, vc_error *error);

/* Load facts that are sent into a stored source cube, by its stored definition.
 *
 * body  what is read in place of the file that the definition names
 *
 * With options->append they are added, otherwise they replace those that the cube has. Dimensions
 * with a table of the cube's own keep the members that are stored, so a fact of an unknown one is a
 * reject; members of the others come from the facts. VC_NOT_FOUND, code "unknown_cube";
 * VC_IMPOSSIBLE, code "not_a_source", for a virtual cube; "unknown_encoding". */
vc_status vc_load_into(vc_store *store, vc_str cube, const vc_load_body *body,
                       const vc_load_options *options, vc_arena *arena, vc_load_report *report_out,
                       vc_error *error);

#endif
