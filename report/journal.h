/* The journal of an output folder: which documents are finished, so that the next run makes only
 * the rest.
 *
 *     .vcube-report.journal
 *     <sum> vcube-report-journal 1 <key>
 *     <sum> {"file": ..., "files": [{"path", "format", "bytes", "sha256"}, ...], ...}
 *
 * A line for each document, written at once when its files have their names; it begins with 16 hex
 * digits of the SHA-256 of its rest, so that a torn or changed line is none. The key stands for all
 * that the bytes depend on: a journal of another key is of no use and begins anew. Nothing in it is
 * trusted: a document is finished when its files are there with these sums.
 * The journal stays in the folder after the run, for the next.
 * Threads: opened and closed by one, put by any number.
 */
#ifndef REPORT_JOURNAL_H
#define REPORT_JOURNAL_H

#include "report/folder.h"

#define VC_JOURNAL_NAME ".vcube-report.journal"

typedef struct vc_journal vc_journal;

/* Open the journal of a folder that is opened to be written.
 *
 * key     hex digits
 * forget  begin anew in any case
 *
 * Errors: those of the folder. */
vc_status vc_journal_open(vc_folder *folder, vc_str key, bool forget, vc_journal **journal_out,
                          vc_error *error);
void vc_journal_close(vc_journal *journal); /* NULL is fine */

/* What was put for a document when the journal was opened, the last of several; absent: nothing.
 * Lives as long as the journal. */
vc_str vc_journal_find(const vc_journal *journal, vc_str file);

/* entry  a line of JSON, without a newline; its first member is "file" */
vc_status vc_journal_put(vc_journal *journal, vc_str entry, vc_error *error);

#endif
