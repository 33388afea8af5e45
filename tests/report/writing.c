#include "writing.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void assert_golden(const char *name, const vc_buffer *actual)
{
    char path[160];
    snprintf(path, sizeof path, "tests/data/report/%s", name);
    if (getenv("VCUBE_ACCEPT") != NULL) {
        FILE *file = fopen(path, "wb");
        cr_assert(file != NULL && fwrite(actual->data, 1, actual->size, file) == actual->size &&
                      fclose(file) == 0,
                  "%s", path);
        return;
    }
    FILE *file = fopen(path, "rb");
    cr_assert(file != NULL, "no file %s: see it with VCUBE_ACCEPT=1, and look at it", path);
    char *expected = malloc(actual->size + 1);
    size_t size = fread(expected, 1, actual->size + 1, file);
    fclose(file);
    size_t same = 0;
    while (same < size && same < actual->size && expected[same] == actual->data[same])
        same++;
    size_t from = same < 100 ? 0 : same - 100;
    cr_assert(size == actual->size && same == size,
              "differs from %s at byte %zu; what came:\n%.*s\nin place of:\n%.*s", path, same,
              (int)(actual->size - from < 300 ? actual->size - from : 300), actual->data + from,
              (int)(size - from < 300 ? size - from : 300), expected + from);
    free(expected);
}

static vc_status count_block(void *context, const char *data, size_t size, vc_error *error)
{
    (void)data;
    counting *counts = context;
    counts->nblocks++;
    counts->nbytes += size;
    if (size > counts->most_bytes) counts->most_bytes = size;
    if (counts->nblocks == counts->fails_at)
        return vc_fail(error, VC_STORAGE, "io", "block %zu", counts->nblocks);
    return VC_OK;
}

vc_render_sink count_blocks(counting *counts)
{
    return (vc_render_sink){.write = count_block, .context = counts};
}
