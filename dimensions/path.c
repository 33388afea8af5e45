#include "dimensions/path.h"

vc_status vc_path_split(vc_str text, vc_arena *arena, const vc_str **keys_out, size_t *nkeys_out,
                        vc_error *error)
{
    vc_str *keys = VC_ARENA_NEW(arena, vc_str, VC_MAX_LEVELS);
    char *bytes = vc_arena_alloc(arena, text.size + 1);
    size_t nkeys = 0, at = 0, first = 0;
    if (keys == NULL || bytes == NULL) return vc_no_memory(error);
    for (size_t i = 0; i <= text.size; i++) {
        if (i < text.size && text.data[i] == '\\' && i + 1 < text.size) {
            bytes[at++] = text.data[++i];
        } else if (i < text.size && text.data[i] != ',') {
            bytes[at++] = text.data[i];
        } else {
            if (nkeys == VC_MAX_LEVELS)
                return vc_fail(error, VC_BAD_INPUT, "bad_value",
                               "the path '%.*s' has more than %d keys", VC_FMT(text),
                               VC_MAX_LEVELS);
            keys[nkeys++] = (vc_str){.data = bytes + first, .size = at - first};
            first = at;
        }
    }
    *keys_out = keys;
    *nkeys_out = nkeys;
    return VC_OK;
}
