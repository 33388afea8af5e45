/* Going on as long as all is well, for functions that have nothing to give back. */
#ifndef REPORT_TRY_H
#define REPORT_TRY_H

#define TRY(call)                                                                                  \
    do {                                                                                           \
        vc_status try_status = (call);                                                             \
        if (try_status != VC_OK) return try_status;                                                \
    } while (0)

#endif
