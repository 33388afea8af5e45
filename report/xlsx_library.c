#define VC_XLSX_LIBRARY_NAMES
#include "report/xlsx_library.h"

#include "report/library.h"

#include <pthread.h>

struct vc_xlsx_library vc_xlsx_library;

static struct {
    pthread_once_t once;
    vc_status status;
    vc_error error;
} loading = {.once = PTHREAD_ONCE_INIT};

static void load(void)
{
#define FUNCTION(name) {#name, &vc_xlsx_library.name},
    static const vc_library_function functions[] = {VC_XLSX_LIBRARY(FUNCTION)};
#undef FUNCTION
    loading.status = vc_library_load(VC_XLSX_LIBRARY_FILE, "XLSX", functions,
                                     sizeof functions / sizeof functions[0], &loading.error);
}

vc_status vc_xlsx_library_open(vc_error *error)
{
    pthread_once(&loading.once, load);
    if (loading.status != VC_OK && error != NULL) *error = loading.error;
    return loading.status;
}
