/* A body on its way to a load: in a file without a name, in the folder of the store.
 *
 * The polling thread puts pieces in as they arrive, a worker reads them afterwards. The file has no
 * name from its first byte on, so nothing is left of it whatever ends the process; it leaves the
 * disk the room that loads leave it.
 * Threads: one thread at a time.
 */
#ifndef HTTP_UPLOAD_H
#define HTTP_UPLOAD_H

#include "base/status.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vc_upload vc_upload;

/* directory  borrowed
 *
 * VC_DISK_FULL, code "disk_full"; VC_STORAGE, code "spool". */
vc_status vc_upload_new(const char *directory, uint64_t max_bytes, vc_upload **upload_out,
                        vc_error *error);
void vc_upload_free(vc_upload *upload); /* NULL is fine */

/* Take the next piece. What fails is kept for vc_upload_finish; from then on pieces are dropped.
 * Returns whether it is still worth sending any. */
bool vc_upload_put(vc_upload *upload, const char *data, size_t size);

/* All of it has come. VC_LIMIT, code "body_too_large", above max_bytes; VC_DISK_FULL, VC_STORAGE.
 */
vc_status vc_upload_finish(vc_upload *upload, vc_error *error);

uint64_t vc_upload_nbytes(const vc_upload *upload);

/* Its first bytes, at most four of them. */
vc_str vc_upload_first(const vc_upload *upload);

/* Read on, from the start, as vc_input_source. VC_STORAGE, code "spool". */
vc_status vc_upload_read(vc_upload *upload, char *data, size_t capacity, size_t *size_out,
                         vc_error *error);

#endif
