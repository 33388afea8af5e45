/* The file of rejected rows: FILE.rejects.csv with the columns file,line,column,reason,record.
 *
 * It is written under a temporary name beside its own and renamed when complete, so that whoever
 * finds it finds all of it. Without a reject nothing is created, and a file that an earlier load
 * left stays as it is. `record` holds the bytes of the row as they were, even when they are no
 * valid UTF-8, so that they can be mended and loaded. The file is readable by its owner only.
 * Threads: one thread at a time.
 */
#ifndef CUBE_REJECTS_H
#define CUBE_REJECTS_H

#include "base/status.h"
#include "base/text.h"

#include <stdint.h>

typedef struct vc_rejects vc_rejects;

/* path  where the file shall be, copied. Touches no file. */
vc_status vc_rejects_new(const char *path, vc_rejects **rejects_out, vc_error *error);

/* Write one rejected row.
 *
 * reason  its file, line, column (0: left empty) and message are written
 * VC_STORAGE or VC_DISK_FULL, code "rejects_write", when the file cannot be written; only counted
 * from then on.
 */
vc_status vc_rejects_put(vc_rejects *rejects, const vc_error *reason, vc_str record,
                         vc_error *error);

uint64_t vc_rejects_count(const vc_rejects *rejects); /* of vc_rejects_put, failed ones too */
const char *vc_rejects_path(const vc_rejects *rejects);

/* Bring the file under its name (synced to the disk), if there is one, and free the writer, which
 * may be NULL. On failure, also an earlier one of vc_rejects_put, nothing is left behind. */
vc_status vc_rejects_close(vc_rejects *rejects, vc_error *error);

/* Remove what was written, and free. NULL is fine. */
void vc_rejects_abandon(vc_rejects *rejects);

#endif
