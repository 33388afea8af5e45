/* An arena: memory that is given back all at once.
 *
 * A request has one arena; whatever a query makes lives there and dies with the reply. Whoever
 * passes the arena owns the result.
 * Threads: one thread at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/text.h"

#include <stddef.h>

typedef struct vc_arena_block vc_arena_block;

typedef struct vc_arena {
    vc_arena_block *blocks; /* newest first */
    size_t used_bytes;      /* in the newest block */
    size_t total_bytes;     /* allocated in all blocks */
} vc_arena;

/* An empty arena: `vc_arena arena = {0};` is the same. Allocates nothing. */
void vc_arena_init(vc_arena *arena);

/* Free everything; the arena is empty and usable again. */
void vc_arena_release(vc_arena *arena);

/* Forget everything, and keep the newest block for what comes next: for small things that are made
 * over and over. */
void vc_arena_clear(vc_arena *arena);

/* Take what another arena has, which is empty then: it lives as long as this one. */
void vc_arena_adopt(vc_arena *arena, vc_arena *from);

/* `size` bytes aligned to 16, not initialised. NULL when out of memory; size 0 gives a pointer. */
void *vc_arena_alloc(vc_arena *arena, size_t size);

/* `count` elements of `size` bytes, zeroed. NULL when out of memory or count * size overflows. */
void *vc_arena_calloc(vc_arena *arena, size_t count, size_t size);

#define VC_ARENA_NEW(arena, type, count) ((type *)vc_arena_calloc((arena), (count), sizeof(type)))

/* A copy of the text, ended with NUL. An absent text stays absent. data is NULL for a present text
 * only when out of memory. */
vc_str vc_arena_str(vc_arena *arena, vc_str text);

/* printf into the arena, ended with NUL; absent when out of memory. */
vc_str vc_arena_printf(vc_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
