/* A run: the documents of a sweep become files in a folder, and a manifest of them.
 *
 *     sweep -> for each item: compose -> write each format -> fsync, rename -> journal
 *           -> manifest.json, last
 *
 * All documents are of one model, so of one snapshot. They are made in parallel, each by one
 * thread, which also asks its queries; a run of a single document asks with all threads.
 *
 * All files of a document are written before the first of them gets its name. Whatever ends a run,
 * each file is there whole, in its old or its new state, and the next run with the same snapshot,
 * specification, parameters, formats and program keeps the documents that are finished
 * (report/journal.h) and makes the rest. Documents with problems are made anew each time.
 *
 * A document with a problem of the kind VC_PROBLEM_ASSERTION (of any kind, when is_strict) is not
 * published: files of that name stay as they are, and the manifest says that they are not its.
 *
 * Memory: that of one document for each thread, and an entry of a few kB for every document.
 * Threads: one run at a time in a folder (report/folder.h).
 */
#ifndef REPORT_RUN_H
#define REPORT_RUN_H

#include "report/compose.h"
#include "report/folder.h"
#include "report/manifest.h"

/* Who makes documents and files of them; report/maker.h has that of the program. On any thread. */
typedef struct vc_run_maker {
    /* As vc_compose. */
    vc_status (*compose)(void *context, const vc_sweep_item *item, const vc_engine_options *options,
                         vc_arena *arena, vc_composed *composed_out, vc_error *error);
    /* A document in a format with one file: into the sink, or (xlsx) to the path. */
    vc_status (*write)(void *context, vc_report_format format, const vc_document *document,
                       vc_render_sink sink, const char *path, vc_error *error);
    /* A section of it with a grid, in a format with a file for each. */
    vc_status (*write_section)(void *context, vc_report_format format, const vc_sweep_item *item,
                               const vc_section *section, const vc_engine_options *options,
                               vc_render_sink sink, vc_error *error);
    void *context;
} vc_run_maker;

typedef struct vc_run_progress {
    size_t ndone, ntotal; /* documents */
    size_t nkept;         /* of those done, they were there already */
    uint64_t nfiles, nbytes;
    vc_str file; /* of the document that was done last */
} vc_run_progress;

typedef struct vc_run_watcher { /* called on any thread, one at a time; each may be NULL */
    void (*done)(void *context, const vc_run_progress *progress);
    void (*problem)(void *context, const vc_sweep_item *item, const vc_problem *problem,
                    bool is_published);
    void *context;
} vc_run_watcher;

typedef struct vc_run_plan {
    vc_str report, specification; /* its name and text */
    const vc_sweep *sweep;
    const bool *is_wanted; /* [nitems] of --only; NULL: all */
    bool formats[VC_REPORT_FORMATS];
    const vc_given_parameter *parameters; /* as given, a name once */
    size_t nparameters;
    vc_str snapshot;
    vc_pool *pool;             /* of jobs; NULL: one thread */
    vc_engine_options options; /* pool is not looked at; is_cancelled ends the run, too */
    vc_run_maker maker;
    vc_run_watcher watcher;
    bool is_strict, is_forced; /* forced: keep nothing */
} vc_run_plan;

typedef struct vc_run_result {
    vc_run_progress progress;
    size_t nmade;
    size_t nfailed;      /* documents with failed sections, published all the same */
    size_t nunpublished; /* assertions, or problems of a strict run */
    size_t nproblems;
    size_t nstrangers; /* files of the last manifest that are of no document now */
    vc_str stranger;   /* the first of them; in the arena */
} vc_run_result;

/* Run.
 *
 * directory  made, with those above it, when it is not there
 * arena      owns texts of the result
 *
 * What concerns the whole is an error, the first in the order of the sweep: those of the folder
 * (VC_DISK_FULL, VC_STORAGE, VC_BUSY), VC_NO_MEMORY, VC_CORRUPT, VC_CANCELLED. The result is set in
 * any case. Then there is no new manifest, and finished files stay. */
vc_status vc_run(const vc_run_plan *plan, const char *directory, vc_arena *arena,
                 vc_run_result *result_out, vc_error *error);

/* ---- the files of one document: what a run and a verification share ---- */

typedef struct vc_run_files {
    vc_made_file *files;  /* [nfiles] in the order of formats, then of sections */
    vc_folder_file *open; /* [nfiles] not yet under their names */
    size_t nfiles;
} vc_run_files;

/* Compose a document and write its files; problems of files are added to those of composed_out.
 *
 * folder  NULL: only their sums are made
 *
 * What is_published says is for the caller to heed: nothing has its name yet. vc_run_drop_files is
 * to be called in any case. */
vc_status vc_run_make(const vc_run_plan *plan, const vc_sweep_item *item,
                      const vc_engine_options *options, vc_folder *folder, vc_arena *arena,
                      vc_composed *composed_out, vc_run_files *files_out, bool *is_published_out,
                      vc_error *error);
void vc_run_drop_files(vc_run_files *files);

/* The paths of files of a document that --only names and --dry-run lists; those of formats with a
 * file per section end in ".*.csv". In the arena. */
vc_status vc_run_paths(const vc_run_plan *plan, const vc_sweep_item *item, vc_arena *arena,
                       const vc_str **paths_out, size_t *npaths_out, vc_error *error);

#endif
