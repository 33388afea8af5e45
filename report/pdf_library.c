#define VC_PDF_LIBRARY_NAMES
#include "report/pdf_library.h"

#include "report/library.h"

#include <pthread.h>

struct vc_pdf_library vc_pdf_library;

static struct {
    pthread_once_t once;
    vc_status status;
    vc_error error;
} loading = {.once = PTHREAD_ONCE_INIT};

static void load(void)
{
#define FUNCTION(name) {#name, &vc_pdf_library.name},
    static const vc_library_function functions[] = {VC_PDF_LIBRARY(FUNCTION)};
#undef FUNCTION
    loading.status = vc_library_load("libpangocairo-1.0.so.0", "PDF", functions,
                                     sizeof functions / sizeof functions[0], &loading.error);
}

vc_status vc_pdf_library_open(vc_error *error)
{
    pthread_once(&loading.once, load);
    if (loading.status != VC_OK && error != NULL) *error = loading.error;
    return loading.status;
}
