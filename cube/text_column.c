#include "cube/text_column.h"

void vc_text_column_put(vc_buffer *buffer, const vc_str *texts, size_t ntexts)
{
    uint64_t count = ntexts, offset = 0;
    vc_buffer_put(buffer, &count, sizeof count);
    vc_buffer_put(buffer, &offset, sizeof offset);
    for (size_t i = 0; i < ntexts; i++) {
        offset += vc_str_is_null(texts[i]) ? 1 : texts[i].size;
        vc_buffer_put(buffer, &offset, sizeof offset);
    }
    for (size_t i = 0; i < ntexts; i++) {
        if (vc_str_is_null(texts[i]))
            vc_buffer_put_char(buffer, (char)0xFF);
        else
            vc_buffer_put_str(buffer, texts[i]);
    }
}

static vc_status fail_damaged(const char *name, vc_error *error)
{
    return vc_fail(error, VC_CORRUPT, "storage_damaged", "the stored texts of %s are damaged",
                   name);
}

vc_status vc_text_column_open(vc_str bytes, const char *name, vc_texts *texts_out, vc_error *error)
{
    if (bytes.size < 2 * sizeof(uint64_t)) return fail_damaged(name, error);
    const uint64_t *words = (const void *)bytes.data;
    uint64_t count = words[0], nwords = bytes.size / sizeof(uint64_t);
    if (count >= VC_NONE || count + 2 > nwords) return fail_damaged(name, error);
    uint64_t text_bytes = bytes.size - (count + 2) * sizeof(uint64_t);
    const uint64_t *offsets = words + 1;
    if (offsets[0] != 0 || offsets[count] != text_bytes) return fail_damaged(name, error);
    for (uint64_t i = 0; i < count; i++) {
        if (offsets[i] > offsets[i + 1]) return fail_damaged(name, error);
    }
    *texts_out = (vc_texts){.count = (uint32_t)count,
                            .nstored = (uint32_t)count,
                            .offset_bytes = sizeof *offsets,
                            .offsets = offsets,
                            .bytes = (const char *)(words + count + 2)};
    return VC_OK;
}
