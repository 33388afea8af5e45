/* What the handlers that load share: what is noted while it runs, and how it is told.
 *
 * Threads: one thread at a time.
 */
#ifndef HTTP_LOADING_H
#define HTTP_LOADING_H

#include "base/json_writer.h"
#include "cube/load.h"
#include "http/service.h"

typedef struct vc_loading {
    vc_call *call;
    vc_str cube;       /* that If-Match and If-None-Match are about; absent: no matter */
    vc_buffer rejects; /* JSON objects with commas between */
    vc_buffer warnings;
    unsigned nlisted;  /* rejects that are in the list */
    bool was_there;    /* the cube, when the load began */
    char snapshot[48]; /* that the load makes */
} vc_loading;

/* Options that note everything here; loading must stay until the load has ended. */
vc_load_options vc_loading_start(vc_loading *loading, vc_call *call, vc_str cube);

/* After a load that failed: its rejects stand in the problem, and the error is one of the
 * request's, not of a stored definition. Returns the status. */
vc_status vc_loading_fail(vc_loading *loading, vc_error *error);

/* Set X-Snapshot and write "snapshot", "epoch", "rejects", "warnings". */
void vc_loading_put(vc_loading *loading, uint64_t epoch, vc_json_writer *json);
void vc_loading_release(vc_loading *loading);

#endif
