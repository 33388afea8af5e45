/* Are the files of a run what its manifest says, and what would be made of the data now?
 *
 * The documents are made again, of the specification and the parameters in the manifest, and
 * nothing is written: of each file there are the sum in the manifest, that of what was made again,
 * and that of what is on the disk.
 * Threads: any number of verifications of a folder at once, also beside a run in it.
 */
#ifndef REPORT_VERIFY_H
#define REPORT_VERIFY_H

#include "report/run.h"

typedef enum vc_verdict {
    VC_VERDICT_SAME,    /* as made again, and as on the disk */
    VC_VERDICT_CHANGED, /* on the disk it is not what the manifest says */
    VC_VERDICT_MISSING, /* it is not on the disk */
    VC_VERDICT_DIFFERS, /* made again, it has other bytes */
    VC_VERDICT_UNMADE,  /* it cannot be made again: it is of no document now, or not published */
    VC_VERDICT_NEW,     /* a document that the manifest, which is complete, does not have */
    VC_VERDICTS
} vc_verdict;

const char *vc_verdict_name(vc_verdict verdict); /* "same", "changed", ... */

typedef struct vc_verified_file {
    vc_str path; /* of VC_VERDICT_NEW: a file that would be made */
    vc_verdict verdict;
    bool has_other_definitions; /* of a file that differs: those of its document changed */
} vc_verified_file;

typedef struct vc_verification {
    size_t ndocuments, nfiles;
    size_t counts[VC_VERDICTS];       /* files */
    const vc_verified_file *findings; /* those that are not the same, in the manifest's order */
    size_t nfindings;
} vc_verification;

/* Verify.
 *
 * plan      of the manifest: its sweep may be that of another snapshot. The watcher's `done` is
 *           called for each document
 * arena     owns the verification
 *
 * Errors: those of vc_run_make that concern the whole. */
vc_status vc_verify_run(const vc_run_plan *plan, const vc_run_manifest *manifest, vc_folder *folder,
                        vc_arena *arena, vc_verification *verification_out, vc_error *error);

#endif
