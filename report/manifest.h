/* manifest.json: what a run made, of what, and the sums of it.
 *
 *     {"manifest": 1, "vcube": "0.1.0", "report": "profile",
 *      "specification": "...", "specification_sha256": "...",     the text, byte by byte
 *      "parameters": {"year": "2019"},                            those that were given
 *      "formats": ["html"], "snapshot": "42-9f3c", "definitions": ["sha256:..."],
 *      "complete": true,                                          false: --only left some out
 *      "documents": [
 *     {"file": "FRA", "published": true,
 *      "variables": [{"name": "country", "key": "FRA", "label": "France"}],
 *      "files": [{"path": "FRA.html", "format": "html", "bytes": 61234, "sha256": "..."}],
 *      "queries": [{"section": "pop", "cube": "world", "query": "...", "sha256": "...",
 *                   "rows": 12}],
 *      "definitions": ["sha256:..."], "coverage": [...], "notices": ["..."], "problems": [...]},
 *     ...]}
 *
 * A line for each document. Nothing depends on the time of day, the machine or the order in which
 * documents were finished. It is read again by --verify, which trusts nothing of it: names that
 * leave the folder, sums that are none and formats that there are not are refused.
 * Threads: pure.
 */
#ifndef REPORT_MANIFEST_H
#define REPORT_MANIFEST_H

#include "report/compose.h"
#include "report/folder.h"

#define VC_MANIFEST_NAME "manifest.json"
enum { VC_MAX_MANIFEST_BYTES = 1 << 28 };

typedef struct vc_made_file {
    vc_str path;
    vc_report_format format;
    uint64_t nbytes;
    char sum[VC_FOLDER_SUM + 1];
} vc_made_file;

typedef struct vc_made_document {
    vc_str file; /* of the item */
    bool is_published;
    const vc_made_file *files;
    size_t nfiles;
    const vc_str *definitions;
    size_t ndefinitions;
    size_t nproblems; /* when read */
} vc_made_document;

typedef struct vc_run_manifest {
    vc_str version; /* of vcube */
    vc_str report, specification, snapshot;
    const vc_given_parameter *parameters;
    size_t nparameters;
    bool formats[VC_REPORT_FORMATS];
    const vc_str *definitions; /* of all documents, ascending */
    size_t ndefinitions;
    bool is_complete;
    const vc_made_document *documents; /* when read */
    size_t ndocuments;
} vc_run_manifest;

/* The entry of a document, a line without its end. */
void vc_run_manifest_put_document(vc_buffer *out, const vc_sweep_item *item,
                                  const vc_composed *composed, const vc_made_file *files,
                                  size_t nfiles, bool is_published);

/* The manifest; entries [nentries] are lines of vc_run_manifest_put_document, in the order of the
 * sweep. */
void vc_run_manifest_put(vc_buffer *out, const vc_run_manifest *manifest, const vc_str *entries,
                         size_t nentries);

/* Read one entry, or a whole manifest. VC_BAD_INPUT: "json", "missing_field", "bad_type",
 * "bad_value", with the place. Fields that are not known are passed over: they are a newer
 * version's.
 *
 * file  for errors; may be NULL */
vc_status vc_run_manifest_read_document(vc_str text, vc_arena *arena,
                                        vc_made_document *document_out, vc_error *error);
vc_status vc_run_manifest_read(vc_str text, const char *file, vc_arena *arena,
                               vc_run_manifest *manifest_out, vc_error *error);

/* The parts of a text of definitions ("sha256:... sha256:..."), in the arena. */
vc_status vc_run_manifest_split(vc_str definitions, vc_arena *arena, const vc_str **parts_out,
                                size_t *nparts_out, vc_error *error);

#endif
