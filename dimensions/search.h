/* Searching members by name, whatever the case and the accents.
 *
 * The folded keys and labels of a level stand one behind another, so that a search is one run over
 * memory: about 30 MB for a million members.
 * Threads: pure.
 */
#ifndef DIMENSIONS_SEARCH_H
#define DIMENSIONS_SEARCH_H

#include "dimensions/dimension.h"

typedef struct vc_search_texts { /* of the members [first, first + count) of a level */
    uint32_t first, count;
    const char *text;      /* for each its key, and its label, a NUL before each */
    const uint64_t *begin; /* [count + 1] where those of a member begin */
} vc_search_texts;

/* Fold them. texts_out is in the arena. VC_NO_MEMORY only. */
vc_status vc_search_texts_make(const vc_level *level, uint32_t first, uint32_t count,
                               vc_arena *arena, const vc_search_texts **texts_out, vc_error *error);

typedef struct vc_search {
    vc_str needle; /* folded; with a NUL before it when it must be at the beginning */
} vc_search;

/* What is searched for. VC_NO_MEMORY only. */
vc_status vc_search_make(vc_str part, bool is_prefix, vc_arena *arena, vc_search *search_out,
                         vc_error *error);

/* The next member from `member` on, and before `end`, that the search finds; `end`: none. The
 * members must be among those of the texts. */
uint32_t vc_search_next(const vc_search *search, const vc_search_texts *texts, uint32_t member,
                        uint32_t end);

#endif
