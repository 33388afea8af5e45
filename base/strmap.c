#include "base/strmap.h"

#include <stdlib.h>
#include <xxhash.h>

enum { FIRST_CAPACITY = 16 };
#define MAX_KEYS (UINT32_C(1) << 31)

void vc_strmap_init(vc_strmap *map)
{
    *map = (vc_strmap){0};
}

void vc_strmap_release(vc_strmap *map)
{
    vc_arena_release(&map->arena);
    free(map->keys);
    free(map->hashes);
    free(map->slots);
    vc_strmap_init(map);
}

static uint64_t hash_key(vc_str key)
{
    return vc_str_is_null(key) ? UINT64_C(0x9E3779B97F4A7C15) : XXH3_64bits(key.data, key.size);
}

/* The slot that holds the key, or the free one where it belongs. */
static uint32_t find_slot(const vc_strmap *map, vc_str key, uint64_t hash)
{
    uint32_t mask = map->capacity - 1;
    uint32_t slot = (uint32_t)hash & mask;
    for (; map->slots[slot] != VC_STRMAP_NONE; slot = (slot + 1) & mask) {
        uint32_t number = map->slots[slot];
        if (map->hashes[number] == hash && vc_str_equal(map->keys[number], key)) break;
    }
    return slot;
}

/* Keys and hashes have room for half as many keys as there are slots, so that the table is never
 * more than half full. On failure the map stays as it was. */
static bool grow(vc_strmap *map)
{
    size_t capacity = map->capacity == 0 ? FIRST_CAPACITY : (size_t)map->capacity * 2;
    if (capacity > MAX_KEYS) return false;
    vc_str *keys = realloc(map->keys, capacity / 2 * sizeof *keys);
    if (keys != NULL) map->keys = keys;
    uint64_t *hashes = realloc(map->hashes, capacity / 2 * sizeof *hashes);
    if (hashes != NULL) map->hashes = hashes;
    uint32_t *slots = malloc(capacity * sizeof *slots);
    if (keys == NULL || hashes == NULL || slots == NULL) {
        free(slots);
        return false;
    }
    for (size_t slot = 0; slot < capacity; slot++)
        slots[slot] = VC_STRMAP_NONE;
    uint32_t mask = (uint32_t)(capacity - 1);
    for (uint32_t number = 0; number < map->count; number++) {
        uint32_t slot = (uint32_t)hashes[number] & mask;
        while (slots[slot] != VC_STRMAP_NONE)
            slot = (slot + 1) & mask;
        slots[slot] = number;
    }
    free(map->slots);
    map->slots = slots;
    map->capacity = (uint32_t)capacity;
    return true;
}

uint32_t vc_strmap_put(vc_strmap *map, vc_str key, bool *is_new)
{
    uint64_t hash = hash_key(key);
    if (is_new != NULL) *is_new = false;
    if (map->capacity > 0) {
        uint32_t number = map->slots[find_slot(map, key, hash)];
        if (number != VC_STRMAP_NONE) return number;
    }
    if (map->count >= map->capacity / 2 && !grow(map)) return VC_STRMAP_NONE;
    vc_str copy = vc_arena_str(&map->arena, key);
    if (vc_str_is_null(copy) && !vc_str_is_null(key)) return VC_STRMAP_NONE;
    uint32_t number = map->count++;
    map->keys[number] = copy;
    map->hashes[number] = hash;
    map->slots[find_slot(map, key, hash)] = number;
    if (is_new != NULL) *is_new = true;
    return number;
}

uint32_t vc_strmap_find(const vc_strmap *map, vc_str key)
{
    if (map->capacity == 0) return VC_STRMAP_NONE;
    return map->slots[find_slot(map, key, hash_key(key))];
}
