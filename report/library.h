/* A library that is loaded when it is first needed, and stays. */
#ifndef REPORT_LIBRARY_H
#define REPORT_LIBRARY_H

#include "base/status.h"

#include <stddef.h>

typedef struct vc_library_function {
    const char *name;
    void *place; /* of the pointer to it */
} vc_library_function;

/* Load a library and find its functions, which may be those of libraries that it needs itself.
 *
 * file  "libpangocairo-1.0.so.0"
 * what  it is needed for: "PDF"
 *
 * VC_STORAGE, code "output". */
vc_status vc_library_load(const char *file, const char *what, const vc_library_function *functions,
                          size_t nfunctions, vc_error *error);

#endif
