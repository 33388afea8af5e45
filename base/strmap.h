/* A hash map from text to a dense number: the first text put in gets 0, the next new one 1, ...
 *
 * XXH3 with open addressing; keys are copied into the map's own arena. About 40 bytes a key.
 * Threads: finding is safe from many threads while nobody puts.
 */
#ifndef BASE_STRMAP_H
#define BASE_STRMAP_H

#include "base/arena.h"
#include "base/text.h"

#include <stdint.h>

#define VC_STRMAP_NONE UINT32_MAX

typedef struct vc_strmap {
    vc_arena arena;
    vc_str *keys; /* [count] in order of arrival */
    uint64_t *hashes;
    uint32_t *slots; /* [capacity], power of two; VC_STRMAP_NONE when free */
    uint32_t count;
    uint32_t capacity;
} vc_strmap;

void vc_strmap_init(vc_strmap *map); /* `vc_strmap map = {0};` is the same */
void vc_strmap_release(vc_strmap *map);

/* The number of the key, put in when new (*is_new, which may be NULL, says so).
 * VC_STRMAP_NONE when out of memory or full (2^30 keys). An absent key and an empty one differ. */
uint32_t vc_strmap_put(vc_strmap *map, vc_str key, bool *is_new);

/* VC_STRMAP_NONE when absent. */
uint32_t vc_strmap_find(const vc_strmap *map, vc_str key);

#endif
