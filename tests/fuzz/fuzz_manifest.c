/* libFuzzer target: a text becomes the manifest of a run, or an error with a place in it. Names in
 * it never leave the folder. */
#include "report/manifest.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_document(const vc_made_document *document)
{
    assert(vc_folder_is_name(document->file));
    for (size_t i = 0; i < document->nfiles; i++) {
        const vc_made_file *file = &document->files[i];
        assert(vc_folder_is_name(file->path) && file->path.data[0] != '/');
        assert(!vc_str_contains(file->path, VC_STR("/../")));
        assert(strlen(file->sum) == VC_FOLDER_SUM && file->format < VC_REPORT_FORMATS);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_run_manifest manifest;
    vc_made_document document;
    vc_str text = {(const char *)data, size};
    if (vc_run_manifest_read(text, "manifest.json", &arena, &manifest, &error) == VC_OK) {
        for (size_t i = 0; i < manifest.ndocuments; i++)
            check_document(&manifest.documents[i]);
    } else {
        assert(error.status == VC_BAD_INPUT && error.code != NULL && error.message[0] != '\0');
        assert(error.line > 0 && error.column > 0);
    }
    error = (vc_error){0};
    if (vc_run_manifest_read_document(text, &arena, &document, &error) == VC_OK)
        check_document(&document);
    else
        assert(error.status == VC_BAD_INPUT && error.code != NULL);
    vc_arena_release(&arena);
    return 0;
}
