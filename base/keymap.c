#include "base/keymap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* An array may have this many places for each key, and always so many: it then takes at most as
 * much memory as the table, or too little to matter. */
enum { ARRAY_PLACES_PER_KEY = 8, ARRAY_PLACES_FREE = 1 << 16 };

enum { INLINE_BYTES = 11 };

/* Of a slot's, or a search's, tail; those of short texts are less. */
static const uint32_t LONG_TEXT = 0xFF000000, INT = 0xFE000000, DONE = 0xFD000000;

enum { SEARCHES_AHEAD = 12 }; /* of which slots are on their way; about what a core can wait for */

enum { INT_DIGITS = 19 }; /* an int64_t has no more, and so many always fit 64 bits */

/* Is it a number as vc_format_int would write it? Both ways of finding rest on this being one to
 * one: a text is an integer or it is not, whoever asks. */
static bool read_int(vc_str key, int64_t *value_out)
{
    const char *at = key.data, *end = key.data + key.size;
    bool is_negative = key.size > 1 && *at == '-';
    if (is_negative) at++;
    if (at == end || end - at > INT_DIGITS) return false;
    if (*at == '0' && (end - at > 1 || is_negative)) return false;
    uint64_t size = 0;
    for (; at < end; at++) {
        unsigned digit = (unsigned char)*at - (unsigned)'0';
        if (digit > 9) return false;
        size = size * 10 + digit;
    }
    if (size > (uint64_t)INT64_MAX + is_negative) return false;
    *value_out = (int64_t)(is_negative ? -size : size);
    return true;
}

static uint64_t hash_int(int64_t value)
{
    uint64_t hash = (uint64_t)value * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

/* What stands in the slot of a text: two short ones are equal if these are. */
static vc_keymap_text image_of(vc_str key)
{
    uint64_t head = 0;
    uint32_t tail = (uint32_t)key.size << 24, low, high;
    if (key.size > INLINE_BYTES)
        return (vc_keymap_text){.head = XXH3_64bits(key.data, key.size), .tail = LONG_TEXT};
    if (key.size >= 8) {
        memcpy(&head, key.data, 8);
        for (size_t i = 8; i < key.size; i++)
            tail |= (uint32_t)(unsigned char)key.data[i] << 8 * (i - 8);
    } else if (key.size >= 4) { /* in the middle they overlap */
        memcpy(&low, key.data, 4);
        memcpy(&high, key.data + key.size - 4, 4);
        head = low | (uint64_t)high << 32;
    } else {
        for (size_t i = 0; i < key.size; i++)
            head |= (uint64_t)(unsigned char)key.data[i] << 8 * i;
    }
    return (vc_keymap_text){.head = head, .tail = tail};
}

static uint64_t first_slot(const vc_keymap *map, const vc_keymap_text *image)
{
    uint64_t hash = (image->head ^ (uint64_t)image->tail << 21) * UINT64_C(0x9E3779B97F4A7C15);
    hash = (hash ^ hash >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return (uint64_t)((unsigned __int128)hash * map->ntext_slots >> 64);
}

vc_str vc_keymap_get(const vc_keymap *map, uint32_t number)
{
    assert(number < map->count);
    return (vc_str){.data = map->bytes + map->offsets[number],
                    .size = (size_t)(map->offsets[number + 1] - map->offsets[number])};
}

/* ---- make ---- */

static vc_status fail_duplicate(vc_str key, vc_error *error)
{
    return vc_fail(error, VC_CORRUPT, "duplicate_key", "the key '%.*s' stands twice", VC_FMT(key));
}

static vc_status copy_keys(vc_keymap *map, uint32_t count,
                           vc_str (*key)(const void *context, uint32_t number), const void *context,
                           vc_error *error)
{
    map->count = count;
    map->offsets = malloc(((size_t)count + 1) * sizeof *map->offsets);
    if (map->offsets == NULL) return vc_no_memory(error);
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        vc_str text = key(context, i);
        if (vc_str_is_null(text))
            return vc_fail(error, VC_CORRUPT, "absent_key", "key %u is absent", i);
        map->offsets[i] = size;
        size += text.size;
    }
    map->offsets[count] = size;
    map->bytes = malloc(size + 1);
    if (map->bytes == NULL) return vc_no_memory(error);
    for (uint32_t i = 0; i < count; i++) {
        vc_str text = key(context, i);
        memcpy(map->bytes + map->offsets[i], text.data, text.size);
    }
    return VC_OK;
}

/* What the integers among the keys are like. */
typedef struct census {
    uint32_t nints;
    int64_t min, max;
} census;

static census count_ints(const vc_keymap *map)
{
    census found = {.min = INT64_MAX, .max = INT64_MIN};
    for (uint32_t i = 0; i < map->count; i++) {
        int64_t value;
        if (!read_int(vc_keymap_get(map, i), &value)) continue;
        found.nints++;
        if (value < found.min) found.min = value;
        if (value > found.max) found.max = value;
    }
    return found;
}

/* A power of two, at least twice the count. */
static size_t choose_slots(uint32_t count)
{
    size_t slots = 16;
    while (slots < (size_t)count * 2)
        slots *= 2;
    return slots;
}

static bool make_int_room(vc_keymap *map, const census *found)
{
    if (found->nints == 0) return true;
    uint64_t span = (uint64_t)found->max - (uint64_t)found->min + 1;
    uint64_t places = (uint64_t)found->nints * ARRAY_PLACES_PER_KEY + ARRAY_PLACES_FREE;
    if (span != 0 && span <= places) {
        map->first = found->min;
        map->span = span;
        map->array = malloc(span * sizeof *map->array);
        if (map->array == NULL) return false;
        memset(map->array, 0xFF, span * sizeof *map->array);
        return true;
    }
    size_t slots = choose_slots(found->nints);
    map->int_mask = slots - 1;
    map->ints = malloc(slots * sizeof *map->ints);
    if (map->ints == NULL) return false;
    for (size_t slot = 0; slot < slots; slot++)
        map->ints[slot] = (vc_keymap_int){.number = VC_KEYMAP_NONE};
    return true;
}

static bool make_text_room(vc_keymap *map, uint32_t ntexts)
{
    if (ntexts == 0) return true;
    size_t slots = (size_t)ntexts + ntexts / 2 + 16;
    map->ntext_slots = slots;
    map->texts = malloc(slots * sizeof *map->texts);
    if (map->texts == NULL) return false;
    for (size_t slot = 0; slot < slots; slot++)
        map->texts[slot] = (vc_keymap_text){.number = VC_KEYMAP_NONE};
    return true;
}

/* The slot of the value, or the free one where it belongs. */
static vc_keymap_int *find_int_slot(const vc_keymap *map, int64_t value)
{
    uint64_t slot = hash_int(value) & map->int_mask;
    while (map->ints[slot].number != VC_KEYMAP_NONE && map->ints[slot].value != value)
        slot = (slot + 1) & map->int_mask;
    return &map->ints[slot];
}

static vc_keymap_text *find_text_slot(const vc_keymap *map, vc_str key, const vc_keymap_text *image)
{
    uint64_t slot = first_slot(map, image);
    for (;;) {
        vc_keymap_text *found = &map->texts[slot];
        if (found->number == VC_KEYMAP_NONE) return found;
        if (found->head == image->head && found->tail == image->tail &&
            (image->tail != LONG_TEXT || vc_str_equal(vc_keymap_get(map, found->number), key)))
            return found;
        if (++slot == map->ntext_slots) slot = 0;
    }
}

static bool put_int(vc_keymap *map, int64_t value, uint32_t number)
{
    uint32_t *place;
    if (map->array != NULL) {
        place = &map->array[(uint64_t)value - (uint64_t)map->first];
    } else {
        vc_keymap_int *slot = find_int_slot(map, value);
        slot->value = value;
        place = &slot->number;
    }
    if (*place != VC_KEYMAP_NONE) return false;
    *place = number;
    return true;
}

static bool put_text(vc_keymap *map, vc_str key, uint32_t number)
{
    vc_keymap_text image = image_of(key);
    vc_keymap_text *slot = find_text_slot(map, key, &image);
    if (slot->number != VC_KEYMAP_NONE) return false;
    image.number = number;
    *slot = image;
    return true;
}

static vc_status fill(vc_keymap *map, vc_error *error)
{
    for (uint32_t i = 0; i < map->count; i++) {
        vc_str key = vc_keymap_get(map, i);
        int64_t value;
        bool is_new = read_int(key, &value) ? put_int(map, value, i) : put_text(map, key, i);
        if (!is_new) return fail_duplicate(key, error);
    }
    return VC_OK;
}

vc_status vc_keymap_init(vc_keymap *map, uint32_t count,
                         vc_str (*key)(const void *context, uint32_t number), const void *context,
                         vc_error *error)
{
    vc_status status = copy_keys(map, count, key, context, error);
    if (status == VC_OK) {
        census found = count_ints(map);
        if (!make_int_room(map, &found) || !make_text_room(map, count - found.nints))
            status = vc_no_memory(error);
    }
    if (status == VC_OK) status = fill(map, error);
    if (status != VC_OK) vc_keymap_release(map);
    return status;
}

void vc_keymap_release(vc_keymap *map)
{
    free(map->bytes);
    free(map->offsets);
    free(map->array);
    free(map->ints);
    free(map->texts);
    *map = (vc_keymap){0};
}

/* ---- find ---- */

static inline uint32_t find_int(const vc_keymap *map, int64_t value)
{
    if (map->array != NULL) {
        uint64_t place = (uint64_t)value - (uint64_t)map->first;
        return place < map->span ? map->array[place] : VC_KEYMAP_NONE;
    }
    return map->ints != NULL ? find_int_slot(map, value)->number : VC_KEYMAP_NONE;
}

uint32_t vc_keymap_find_int(const vc_keymap *map, int64_t value)
{
    return find_int(map, value);
}

uint32_t vc_keymap_find(const vc_keymap *map, vc_str key)
{
    int64_t value;
    if (vc_str_is_null(key)) return VC_KEYMAP_NONE;
    if (read_int(key, &value)) return find_int(map, value);
    if (map->texts == NULL) return VC_KEYMAP_NONE;
    vc_keymap_text image = image_of(key);
    return find_text_slot(map, key, &image)->number;
}

uint32_t vc_keymap_find_ints(const vc_keymap *map, int64_t *values, uint32_t count)
{
    uint32_t nabsent = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = find_int(map, values[i]);
        nabsent += number == VC_KEYMAP_NONE;
        values[i] = number == VC_KEYMAP_NONE ? -1 : (int64_t)number;
    }
    return nabsent;
}

vc_keymap_search vc_keymap_begin(const vc_keymap *map, vc_str key)
{
    int64_t value;
    if (vc_str_is_null(key)) return (vc_keymap_search){.tail = DONE, .number = VC_KEYMAP_NONE};
    if (read_int(key, &value)) return (vc_keymap_search){.head = (uint64_t)value, .tail = INT};
    if (map->texts == NULL) return (vc_keymap_search){.tail = DONE, .number = VC_KEYMAP_NONE};
    vc_keymap_text image = image_of(key);
    if (image.tail == LONG_TEXT)
        return (vc_keymap_search){.tail = DONE, .number = find_text_slot(map, key, &image)->number};
    return image;
}

static inline void fetch_slot(const vc_keymap *map, const vc_keymap_search *search)
{
    if (search->tail >= DONE) return; /* integers overlap without this */
    __builtin_prefetch(&map->texts[first_slot(map, search)]);
}

static inline uint32_t find_begun(const vc_keymap *map, const vc_keymap_search *search)
{
    if (search->tail == DONE) return search->number;
    if (search->tail == INT) return find_int(map, (int64_t)search->head);
    return find_text_slot(map, (vc_str){0}, search)->number;
}

uint32_t vc_keymap_find_begun(const vc_keymap *map, const vc_keymap_search *searches,
                              int64_t *values, uint32_t count)
{
    uint32_t nabsent = 0;
    for (uint32_t i = 0; i < count && i < SEARCHES_AHEAD; i++)
        fetch_slot(map, &searches[i]);
    for (uint32_t i = 0; i < count; i++) {
        if (count - i > SEARCHES_AHEAD) fetch_slot(map, &searches[i + SEARCHES_AHEAD]);
        uint32_t number = find_begun(map, &searches[i]);
        nabsent += number == VC_KEYMAP_NONE;
        values[i] = number == VC_KEYMAP_NONE ? -1 : (int64_t)number;
    }
    return nabsent;
}
