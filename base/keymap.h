/* A map from a fixed set of key texts to their numbers 0 .. count-1, made for finding.
 *
 * Keys that are written as integers usually are (42; not 042 or +42) are found by their value: in
 * an array when they lie close together, in a hash table otherwise. All others are found by a hash
 * of their text. A short text stands in the slot itself, so that one look at memory finds it: with
 * a million keys it is that which takes time. Of a longer one a part of the hash stands there, so
 * that other keys are hardly ever touched. Its text and 12 (integers without gaps) to 72 bytes a
 * key. Threads: immutable after vc_keymap_init.
 */
#ifndef BASE_KEYMAP_H
#define BASE_KEYMAP_H

#include "base/status.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define VC_KEYMAP_NONE UINT32_MAX

typedef struct vc_keymap_int { /* a slot; number VC_KEYMAP_NONE: free */
    int64_t value;
    uint32_t number;
} vc_keymap_int;

typedef struct vc_keymap_text { /* likewise. A text of up to 11 bytes, or what finds a longer one */
    uint64_t head;              /* its first 8 bytes, or the hash */
    uint32_t tail;              /* its others; highest byte: how many there are, or 0xFF */
    uint32_t number;
} vc_keymap_text;

typedef struct vc_keymap {
    uint32_t count;
    char *bytes;       /* of all keys */
    uint64_t *offsets; /* [count + 1] */
    /* integers: */
    int64_t first;       /* the least one */
    uint64_t span;       /* of the array */
    uint32_t *array;     /* [span] number of first + i; NULL: there is a table, or no integer */
    vc_keymap_int *ints; /* [int_mask + 1] or NULL */
    uint64_t int_mask;
    /* other texts: */
    vc_keymap_text *texts; /* [ntext_slots] or NULL */
    uint64_t ntext_slots;
} vc_keymap;

/* Make a map, all zero before, of the keys key(context, 0 .. count-1), which are copied. Keys must
 * be different and not absent, else VC_CORRUPT, codes "duplicate_key" and "absent_key". A map that
 * failed is released. */
vc_status vc_keymap_init(vc_keymap *map, uint32_t count,
                         vc_str (*key)(const void *context, uint32_t number), const void *context,
                         vc_error *error);
void vc_keymap_release(vc_keymap *map); /* all zero is fine */

/* The number of a key, compared byte by byte; VC_KEYMAP_NONE when it is not there, or absent. */
uint32_t vc_keymap_find(const vc_keymap *map, vc_str key);

/* The number of the key that is written as vc_format_int writes the value. */
uint32_t vc_keymap_find_int(const vc_keymap *map, int64_t value);

/* The same for many: values[i] becomes its number, or -1 when there is none. Returns for how many
 * there is none. Several are waited for at once, so this costs less than one by one where the map
 * is larger than a cache. */
uint32_t vc_keymap_find_ints(const vc_keymap *map, int64_t *values, uint32_t count);

/* A search that has begun: what a slot of the key would be, or an integer, or the number that was
 * found already (INT, DONE in keymap.c). It needs the key's bytes no more. */
typedef vc_keymap_text vc_keymap_search;

/* Many keys in two steps, for texts that are only there for a while: begin each, then find the
 * numbers of all, as vc_keymap_find_ints does. Where the map is larger than a cache, memory is
 * waited for once for many of them (16 bytes a key are kept for that). */
vc_keymap_search vc_keymap_begin(const vc_keymap *map, vc_str key);
uint32_t vc_keymap_find_begun(const vc_keymap *map, const vc_keymap_search *searches,
                              int64_t *values, uint32_t count);

/* The text of a key. number < map->count */
vc_str vc_keymap_get(const vc_keymap *map, uint32_t number);

#endif
