#include "dimensions/search.h"

#include "base/fold.h"

#include <string.h>

static vc_status keep_text(vc_buffer *folded, vc_arena *arena, vc_str *text_out, vc_error *error)
{
    vc_str text = {0};
    if (!folded->failed) text = vc_arena_str(arena, (vc_str){vc_buffer_text(folded), folded->size});
    vc_buffer_release(folded);
    *text_out = text;
    return vc_str_is_null(text) ? vc_no_memory(error) : VC_OK;
}

vc_status vc_search_texts_make(const vc_level *level, uint32_t first, uint32_t count,
                               vc_arena *arena, const vc_search_texts **texts_out, vc_error *error)
{
    vc_str text;
    vc_buffer folded = {0};
    vc_search_texts *texts = VC_ARENA_NEW(arena, vc_search_texts, 1);
    uint64_t *begin = VC_ARENA_NEW(arena, uint64_t, (size_t)count + 1);
    if (texts == NULL || begin == NULL) return vc_no_memory(error);
    for (uint32_t i = 0; i < count; i++) {
        begin[i] = folded.size;
        vc_buffer_put_char(&folded, '\0');
        vc_fold_put(&folded, vc_texts_get(&level->keys, first + i));
        if (!level->has_labels) continue;
        vc_buffer_put_char(&folded, '\0');
        vc_fold_put(&folded, vc_texts_get(&level->labels, first + i));
    }
    begin[count] = folded.size;
    vc_status status = keep_text(&folded, arena, &text, error);
    *texts = (vc_search_texts){.first = first, .count = count, .text = text.data, .begin = begin};
    *texts_out = texts;
    return status;
}

vc_status vc_search_make(vc_str part, bool is_prefix, vc_arena *arena, vc_search *search_out,
                         vc_error *error)
{
    vc_buffer folded = {0};
    if (is_prefix) vc_buffer_put_char(&folded, '\0');
    vc_fold_put(&folded, part);
    return keep_text(&folded, arena, &search_out->needle, error);
}

/* The member in whose texts a place is: the last that begins at it or before. It is often near, so
 * steps double until they are past it. */
static uint32_t member_at(const vc_search_texts *texts, uint32_t from, uint64_t place)
{
    uint32_t low = from - texts->first, step = 1;
    while (step < texts->count - low && texts->begin[low + step] <= place) {
        low += step;
        step *= 2;
    }
    uint32_t high = step < texts->count - low ? low + step : texts->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (texts->begin[middle] <= place)
            low = middle;
        else
            high = middle;
    }
    return texts->first + low;
}

uint32_t vc_search_next(const vc_search *search, const vc_search_texts *texts, uint32_t member,
                        uint32_t end)
{
    if (member >= end) return end;
    uint64_t from = texts->begin[member - texts->first], to = texts->begin[end - texts->first];
    const char *found =
        memmem(texts->text + from, to - from, search->needle.data, search->needle.size);
    return found == NULL ? end : member_at(texts, member, (uint64_t)(found - texts->text));
}
