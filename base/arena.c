#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK_BYTES = 4096, LARGEST_BLOCK_BYTES = 1 << 20, ALIGNMENT = 16 };

struct vc_arena_block {
    vc_arena_block *older;
    size_t capacity;
    _Alignas(ALIGNMENT) unsigned char data[];
};

void vc_arena_init(vc_arena *arena)
{
    *arena = (vc_arena){0};
}

void vc_arena_release(vc_arena *arena)
{
    vc_arena_block *block = arena->blocks;
    while (block != NULL) {
        vc_arena_block *older = block->older;
        free(block);
        block = older;
    }
    vc_arena_init(arena);
}

void vc_arena_clear(vc_arena *arena)
{
    vc_arena_block *kept = arena->blocks;
    if (kept == NULL) return;
    vc_arena older = {.blocks = kept->older};
    vc_arena_release(&older);
    kept->older = NULL;
    *arena = (vc_arena){.blocks = kept, .total_bytes = sizeof *kept + kept->capacity};
}

void vc_arena_adopt(vc_arena *arena, vc_arena *from)
{
    vc_arena_block **end = &arena->blocks;
    if (*end == NULL) arena->used_bytes = from->used_bytes;
    while (*end != NULL)
        end = &(*end)->older;
    *end = from->blocks;
    arena->total_bytes += from->total_bytes;
    vc_arena_init(from);
}

/* The C library's own zeroes are pages of the system that nobody has touched yet. */
static vc_arena_block *new_block(vc_arena *arena, size_t capacity, bool is_zeroed)
{
    vc_arena_block *block =
        is_zeroed ? calloc(1, sizeof *block + capacity) : malloc(sizeof *block + capacity);
    if (block == NULL) return NULL;
    block->capacity = capacity;
    arena->total_bytes += sizeof *block + capacity;
    return block;
}

/* *is_zeroed: shall it be; was it, when it has a block of its own? */
static void *take(vc_arena *arena, size_t size, bool *is_zeroed)
{
    bool wants_zeroes = *is_zeroed;
    *is_zeroed = false;
    if (size > PTRDIFF_MAX - 2 * ALIGNMENT) return NULL;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    vc_arena_block *block = arena->blocks;
    if (block != NULL && size <= block->capacity - arena->used_bytes) {
        void *result = block->data + arena->used_bytes;
        arena->used_bytes += size;
        return result;
    }
    size_t next_capacity = block == NULL ? FIRST_BLOCK_BYTES : block->capacity * 2;
    if (next_capacity > LARGEST_BLOCK_BYTES) next_capacity = LARGEST_BLOCK_BYTES;
    if (block != NULL && size > next_capacity / 2) {
        /* A large request gets a block of its own, behind the newest one, which is not full. */
        vc_arena_block *own = new_block(arena, size, wants_zeroes);
        if (own == NULL) return NULL;
        own->older = block->older;
        block->older = own;
        *is_zeroed = wants_zeroes;
        return own->data;
    }
    vc_arena_block *fresh = new_block(arena, size > next_capacity ? size : next_capacity, false);
    if (fresh == NULL) return NULL;
    fresh->older = block;
    arena->blocks = fresh;
    arena->used_bytes = size;
    return fresh->data;
}

void *vc_arena_alloc(vc_arena *arena, size_t size)
{
    bool is_zeroed = false;
    return take(arena, size, &is_zeroed);
}

void *vc_arena_calloc(vc_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    bool is_zeroed = true;
    void *result = take(arena, bytes, &is_zeroed);
    return result == NULL || is_zeroed ? result : memset(result, 0, bytes);
}

vc_str vc_arena_str(vc_arena *arena, vc_str text)
{
    if (vc_str_is_null(text)) return text;
    char *copy = text.size == SIZE_MAX ? NULL : vc_arena_alloc(arena, text.size + 1);
    if (copy == NULL) return (vc_str){0};
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return (vc_str){.data = copy, .size = text.size};
}

vc_str vc_arena_printf(vc_arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    vc_str result = {0};
    int size = vsnprintf(NULL, 0, format, arguments);
    char *text = size < 0 ? NULL : vc_arena_alloc(arena, (size_t)size + 1);
    if (text != NULL) {
        vsnprintf(text, (size_t)size + 1, format, again);
        result = (vc_str){.data = text, .size = (size_t)size};
    }
    va_end(again);
    va_end(arguments);
    return result;
}
