/* Flat arrays of numbers and of texts, as they stand in an image, and how to read them in place.
 *
 * Both are stored in the smallest of a few forms, chosen when the image is written; reading asks
 * for the form each time, which is the same for a whole array and so costs a branch that is
 * foreseen.
 * Threads: immutable.
 */
#ifndef DIMENSIONS_FLAT_H
#define DIMENSIONS_FLAT_H

#include "base/text.h"

#include <stdint.h>

#define VC_NONE UINT32_MAX /* no leaf, no member, no value */

/* Numbers of 1, 2 or 4 bytes, in which all ones stand for VC_NONE; width 0: number i is i, and
 * nothing is stored (so is an array that was zeroed). */
typedef struct vc_numbers {
    const void *data;
    uint32_t width;
} vc_numbers;

static inline uint32_t vc_numbers_get(vc_numbers numbers, uint32_t i)
{
    switch (numbers.width) {
    case 0: return i;
    case 1: return (uint32_t)(uint8_t)(((const uint8_t *)numbers.data)[i] + 1) - 1;
    case 2: return (uint32_t)(uint16_t)(((const uint16_t *)numbers.data)[i] + 1) - 1;
    default: return ((const uint32_t *)numbers.data)[i];
    }
}

static inline vc_numbers vc_numbers_of(const uint32_t *values)
{
    return (vc_numbers){.data = values, .width = sizeof *values};
}

/* values_out [count] = numbers first, first + 1, ... At memory speed. */
void vc_numbers_copy(vc_numbers numbers, uint32_t first, uint32_t count, uint32_t *values_out);

enum { VC_TEXT_ABSENT = 0xFF, VC_TEXT_PADDING = 0xFE }; /* bytes that no UTF-8 text holds */

/* Texts. `places` says which of the stored ones each is, so that texts that occur several times, or
 * elsewhere in another order, are stored once. Stored they are one after the other, either each of
 * `stride` bytes, padded at the end, or between offsets. An absent text is VC_TEXT_ABSENT. */
typedef struct vc_texts {
    uint32_t count;
    uint32_t nstored;
    uint32_t stride;       /* 0: there are offsets */
    uint32_t offset_bytes; /* of one offset: 4 or 8 */
    const void *offsets;   /* [nstored + 1] */
    const char *bytes;
    vc_numbers places; /* [count] */
} vc_texts;

static inline vc_str vc_texts_get(const vc_texts *texts, uint32_t number)
{
    uint32_t place = vc_numbers_get(texts->places, number);
    vc_str text;
    if (texts->stride > 0) {
        text =
            (vc_str){.data = texts->bytes + (size_t)place * texts->stride, .size = texts->stride};
        while (text.size > 0 && (unsigned char)text.data[text.size - 1] == VC_TEXT_PADDING)
            text.size--;
    } else if (texts->offset_bytes == sizeof(uint32_t)) {
        const uint32_t *ends = (const uint32_t *)texts->offsets + place;
        text = (vc_str){.data = texts->bytes + ends[0], .size = ends[1] - ends[0]};
    } else {
        const uint64_t *ends = (const uint64_t *)texts->offsets + place;
        text = (vc_str){.data = texts->bytes + ends[0], .size = (size_t)(ends[1] - ends[0])};
    }
    if (text.size == 1 && (unsigned char)text.data[0] == VC_TEXT_ABSENT) return (vc_str){0};
    return text;
}

/* Fetch a text that will soon be read. Whoever goes through many texts whose places are all over
 * memory asks for each some steps ahead. Always inlined: gcc 12 takes a function that only fetches
 * for one without effect, and leaves out the call. */
__attribute__((always_inline)) static inline void vc_texts_prefetch(const vc_texts *texts,
                                                                    uint32_t number)
{
    uint32_t place = vc_numbers_get(texts->places, number);
    if (texts->stride > 0)
        __builtin_prefetch(texts->bytes + (size_t)place * texts->stride);
    else if (texts->offset_bytes == sizeof(uint32_t))
        __builtin_prefetch(texts->bytes + ((const uint32_t *)texts->offsets)[place]);
    else
        __builtin_prefetch(texts->bytes + ((const uint64_t *)texts->offsets)[place]);
}

#endif
