#include "mapping/match.h"

#include "base/bits.h"

#include <xxhash.h>

/* The keys of one index. */
struct keys {
    const vc_texts *values;
    uint32_t count;
    vc_str *texts;     /* [count] of those that are OK; NULL: the values as they are */
    uint8_t *states;   /* [count]; NULL: all OK */
    bool *is_excluded; /* likewise */
    bool is_ascending; /* those that are OK; equal ones may follow each other */
    bool has_equal;    /* when ascending: two of them are equal */
};

/* Texts stand elsewhere in another order, so reading one after the other misses every cache. */
enum { AHEAD = 32 };

__attribute__((always_inline)) static inline void fetch(const vc_texts *texts, uint32_t number)
{
    if (number < texts->count) vc_texts_prefetch(texts, number);
}

static vc_str key_of(const struct keys *keys, uint32_t value)
{
    return keys->texts == NULL ? vc_texts_get(keys->values, value) : keys->texts[value];
}

static bool is_ok(const struct keys *keys, uint32_t value)
{
    return keys->states == NULL || keys->states[value] == VC_KEY_OK;
}

static vc_status read_keys(const vc_index *index, const vc_normalizer *normalizer, vc_arena *arena,
                           bool *is_single_out, struct keys *keys, vc_error *error)
{
    vc_key_list list = {0};
    uint32_t previous = VC_NONE;
    *is_single_out = true;
    *keys =
        (struct keys){.values = &index->values, .count = index->values.count, .is_ascending = true};
    if (normalizer == NULL || vc_normalizer_is_identity(normalizer)) return VC_OK;
    keys->texts = vc_arena_alloc(arena, ((size_t)keys->count + 1) * sizeof *keys->texts);
    keys->states = vc_arena_alloc(arena, (size_t)keys->count + 1);
    keys->is_excluded = vc_arena_alloc(arena, ((size_t)keys->count + 1) * sizeof(bool));
    if (keys->texts == NULL || keys->states == NULL || keys->is_excluded == NULL)
        return vc_no_memory(error);
    for (uint32_t value = 0; value < keys->count; value++) {
        fetch(&index->values, value + AHEAD);
        vc_status status = vc_normalizer_apply(normalizer, vc_texts_get(&index->values, value),
                                               arena, &list, error);
        if (status != VC_OK) return status;
        *is_single_out = list.count == 1;
        if (!*is_single_out) return VC_OK;
        keys->texts[value] = list.keys[0].text;
        keys->states[value] = (uint8_t)list.keys[0].state;
        keys->is_excluded[value] = list.keys[0].is_excluded;
        if (list.keys[0].state != VC_KEY_OK) continue;
        if (previous != VC_NONE && keys->is_ascending) {
            int order = vc_str_compare(keys->texts[previous], keys->texts[value]);
            keys->is_ascending = order <= 0;
            keys->has_equal |= order == 0;
        }
        previous = value;
    }
    return VC_OK;
}

/* Put a value behind the first one with its key. */
static void chain(uint32_t *same, uint32_t first, uint32_t value)
{
    same[value] = same[first];
    same[first] = value;
}

static uint32_t *new_numbers(vc_arena *arena, uint32_t count)
{
    uint32_t *numbers = vc_arena_alloc(arena, ((size_t)count + 1) * sizeof *numbers);
    for (uint32_t i = 0; numbers != NULL && i < count; i++)
        numbers[i] = VC_NONE;
    return numbers;
}

/* ---- keys that ascend on both sides ---- */

static void chain_neighbours(const struct keys *from, uint32_t *same)
{
    uint32_t first = VC_NONE; /* of the values with the key at hand */
    for (uint32_t value = 0; value < from->count; value++) {
        if (!is_ok(from, value)) continue;
        if (first != VC_NONE && vc_str_equal(key_of(from, first), key_of(from, value)))
            chain(same, first, value);
        else
            first = value;
    }
}

static void merge(const struct keys *from, const struct keys *to, vc_match *match)
{
    uint32_t at = 0, previous = VC_NONE;
    for (uint32_t value = 0; value < to->count; value++) {
        if (!is_ok(to, value)) continue;
        if (to->texts == NULL) fetch(to->values, value + AHEAD);
        vc_str key = key_of(to, value);
        if (to->has_equal && previous != VC_NONE && vc_str_equal(key_of(to, previous), key)) {
            match->partners[value] = match->partners[previous];
            match->ncollisions++;
            continue;
        }
        previous = value;
        int order = 1;
        while (at < from->count &&
               (!is_ok(from, at) || (order = vc_str_compare(key_of(from, at), key)) < 0)) {
            at++;
            if (from->texts == NULL) fetch(from->values, at + AHEAD);
        }
        if (at < from->count && order == 0) match->partners[value] = at;
    }
}

static vc_status match_sorted(const struct keys *from, const struct keys *to, vc_arena *arena,
                              vc_match *match, vc_error *error)
{
    if (from->has_equal) {
        match->same = new_numbers(arena, from->count);
        if (match->same == NULL) return vc_no_memory(error);
        chain_neighbours(from, match->same);
    }
    merge(from, to, match);
    return VC_OK;
}

/* ---- keys in any order ---- */

/* Entries are values of `from`, and behind from->count values of `to` that no value of `from`
 * matches. The table is in no cache either, so the slots of some keys are fetched together. */

struct slot {
    uint32_t tag;   /* the upper half of the hash: other keys are hardly ever looked at */
    uint32_t entry; /* + 1; 0: free */
};

struct table {
    const struct keys *from, *to;
    struct slot *slots; /* [mask + 1], at most half of them taken */
    uint64_t mask;
    uint64_t hashes[AHEAD]; /* of the values at hand */
};

static vc_str entry_key(const struct table *table, uint32_t entry)
{
    return entry < table->from->count ? key_of(table->from, entry)
                                      : key_of(table->to, entry - table->from->count);
}

/* The hashes of values [first, end), whose slots will be wanted. */
static void look_ahead(struct table *table, const struct keys *keys, uint32_t first, uint32_t end)
{
    for (uint32_t value = first; value < end; value++) {
        if (keys->texts == NULL) fetch(keys->values, value + AHEAD);
        if (!is_ok(keys, value)) continue;
        vc_str key = key_of(keys, value);
        uint64_t hash = XXH3_64bits(key.data, key.size);
        table->hashes[value - first] = hash;
        __builtin_prefetch(&table->slots[hash & table->mask]);
    }
}

/* The entry with the key; when there is none, VC_NONE and *slot_out is where it belongs. */
static uint32_t find_entry(const struct table *table, vc_str key, uint64_t hash,
                           struct slot **slot_out)
{
    uint64_t at = hash & table->mask;
    for (; table->slots[at].entry != 0; at = (at + 1) & table->mask) {
        uint32_t entry = table->slots[at].entry - 1;
        if (table->slots[at].tag == hash >> 32 && vc_str_equal(entry_key(table, entry), key))
            return entry;
    }
    *slot_out = &table->slots[at];
    return VC_NONE;
}

static void fill_slot(struct slot *slot, uint64_t hash, uint32_t entry)
{
    *slot = (struct slot){.tag = (uint32_t)(hash >> 32), .entry = entry + 1};
}

static vc_status put_from(struct table *table, vc_arena *arena, vc_match *match, vc_error *error)
{
    const struct keys *from = table->from;
    for (uint32_t first = 0; first < from->count; first += AHEAD) {
        uint32_t end = from->count - first < AHEAD ? from->count : first + AHEAD;
        look_ahead(table, from, first, end);
        for (uint32_t value = first; value < end; value++) {
            struct slot *slot = NULL;
            uint64_t hash = table->hashes[value - first];
            if (!is_ok(from, value)) continue;
            uint32_t entry = find_entry(table, key_of(from, value), hash, &slot);
            if (entry == VC_NONE) {
                fill_slot(slot, hash, value);
                continue;
            }
            if (match->same == NULL) match->same = new_numbers(arena, from->count);
            if (match->same == NULL) return vc_no_memory(error);
            chain(match->same, entry, value);
        }
    }
    return VC_OK;
}

/* is_met [from->count] bits: some value of `to` has its key. Values without steps are distinct. */
static void find_to(struct table *table, uint64_t *is_met, vc_match *match)
{
    const struct keys *from = table->from, *to = table->to;
    bool may_be_equal = to->texts != NULL;
    for (uint32_t first = 0; first < to->count; first += AHEAD) {
        uint32_t end = to->count - first < AHEAD ? to->count : first + AHEAD;
        look_ahead(table, to, first, end);
        for (uint32_t value = first; value < end; value++) {
            struct slot *slot = NULL;
            uint64_t hash = table->hashes[value - first];
            if (!is_ok(to, value)) continue;
            uint32_t entry = find_entry(table, key_of(to, value), hash, &slot);
            if (entry == VC_NONE) {
                if (may_be_equal) fill_slot(slot, hash, from->count + value);
            } else if (entry >= from->count) {
                match->ncollisions++;
            } else {
                match->partners[value] = entry;
                match->ncollisions += vc_bit_get(is_met, entry);
                vc_bit_set(is_met, entry);
            }
        }
    }
}

static vc_status match_hashed(const struct keys *from, const struct keys *to, vc_arena *arena,
                              vc_match *match, vc_error *error)
{
    struct table table = {.from = from, .to = to};
    uint64_t nentries = (uint64_t)from->count + (to->texts != NULL ? to->count : 0), nslots = 16;
    if (nentries >= VC_NONE) return vc_no_memory(error);
    while (nslots < 2 * nentries)
        nslots *= 2;
    table.mask = nslots - 1;
    table.slots = VC_ARENA_NEW(arena, struct slot, nslots);
    uint64_t *is_met = VC_ARENA_NEW(arena, uint64_t, vc_bits_words(from->count) + 1);
    if (table.slots == NULL || is_met == NULL) return vc_no_memory(error);
    vc_status status = put_from(&table, arena, match, error);
    if (status == VC_OK) find_to(&table, is_met, match);
    return status;
}

vc_status vc_match_values(const vc_relation_pair *pair, vc_arena *arena, bool *is_single_out,
                          vc_match *match, vc_error *error)
{
    struct keys from, to;
    *match = (vc_match){0};
    vc_status status =
        read_keys(pair->from, pair->normalize_from, arena, is_single_out, &from, error);
    if (status != VC_OK || !*is_single_out) return status;
    status = read_keys(pair->to, pair->normalize_to, arena, is_single_out, &to, error);
    if (status != VC_OK || !*is_single_out) return status;
    match->partners = new_numbers(arena, to.count);
    if (match->partners == NULL) return vc_no_memory(error);
    match->states = to.states;
    match->is_excluded = to.is_excluded;
    return from.is_ascending && to.is_ascending ? match_sorted(&from, &to, arena, match, error)
                                                : match_hashed(&from, &to, arena, match, error);
}
