#include "report/library.h"

#include <dlfcn.h>
#include <string.h>

vc_status vc_library_load(const char *file, const char *what, const vc_library_function *functions,
                          size_t nfunctions, vc_error *error)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return vc_fail(error, VC_STORAGE, "output", "%s needs the library %s: %s", what, file,
                       dlerror());
    for (size_t i = 0; i < nfunctions; i++) {
        void *function = dlsym(library, functions[i].name);
        if (function == NULL)
            return vc_fail(error, VC_STORAGE, "output", "%s needs a newer %s, which has %s", what,
                           file, functions[i].name);
        memcpy(functions[i].place, &function, sizeof function);
    }
    return VC_OK;
}
