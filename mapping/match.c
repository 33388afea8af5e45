#include "mapping/match.h"

#include <xxhash.h>

/* The keys of one index. */
struct keys {
    const vc_texts *values;
    uint32_t count;
    vc_str *texts;     /* [count] of those that are OK; NULL: the values as they are */
    uint8_t *states;   /* [count]; NULL: all OK */
    bool *is_excluded; /* likewise */
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
    *is_single_out = true;
    *keys = (struct keys){.values = &index->values, .count = index->values.count};
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

/* Values of an index that became the same key. False: out of memory. */
static bool note(vc_collisions *collisions, const vc_texts *values, uint32_t first, uint32_t later,
                 vc_str key, vc_arena *arena)
{
    return vc_collisions_note(collisions, vc_texts_get(values, first), vc_texts_get(values, later),
                              key, arena);
}

/* ---- keys that ascend on both sides ---- */

/* Goes through the keys of an index that are OK, and keeps none but the last one. */
struct cursor {
    const vc_texts *values;
    const vc_normalizer *normalizer; /* NULL: the values as they are */
    uint32_t value;                  /* at hand; values->count: at the end, VC_NONE: before */
    vc_str key;                      /* of it */
    bool is_equal;                   /* to the key before */
    bool is_lost;       /* some value has several keys, or one before that of the value before */
    vc_arena arenas[2]; /* of the key at hand, and for the next one */
    unsigned turn;      /* which one is of the key at hand */
    uint8_t *states;    /* [values->count] of those gone through; NULL: not wanted */
    bool *is_excluded;  /* likewise */
};

static void start(struct cursor *cursor, const vc_index *index, const vc_normalizer *normalizer)
{
    *cursor = (struct cursor){.values = &index->values, .normalizer = normalizer, .value = VC_NONE};
    if (normalizer != NULL && vc_normalizer_is_identity(normalizer)) cursor->normalizer = NULL;
}

static void stop(struct cursor *cursor)
{
    vc_arena_release(&cursor->arenas[0]);
    vc_arena_release(&cursor->arenas[1]);
}

static bool is_at_end(const struct cursor *cursor)
{
    return cursor->value == cursor->values->count || cursor->is_lost;
}

/* Take the key of the value at hand, if it has one that is OK. */
static vc_status normalize(struct cursor *cursor, bool *is_ok_out, vc_error *error)
{
    vc_key room[2];
    vc_key_list list = {.keys = room, .capacity = 2};
    vc_arena *arena = &cursor->arenas[cursor->turn ^ 1];
    vc_arena_clear(arena);
    vc_status status = vc_normalizer_apply(
        cursor->normalizer, vc_texts_get(cursor->values, cursor->value), arena, &list, error);
    if (status != VC_OK) return status;
    cursor->is_lost |= list.count != 1;
    *is_ok_out = list.keys[0].state == VC_KEY_OK;
    if (cursor->states != NULL) {
        cursor->states[cursor->value] = (uint8_t)list.keys[0].state;
        cursor->is_excluded[cursor->value] = list.keys[0].is_excluded;
    }
    if (!*is_ok_out) return VC_OK;
    int order = vc_str_is_null(cursor->key) ? -1 : vc_str_compare(cursor->key, list.keys[0].text);
    cursor->is_equal = order == 0;
    cursor->is_lost |= order > 0;
    cursor->key = list.keys[0].text;
    cursor->turn ^= 1;
    return VC_OK;
}

/* Go on to the next value with a key that is OK. */
static vc_status advance(struct cursor *cursor, vc_error *error)
{
    vc_status status = VC_OK;
    bool is_found = false;
    while (status == VC_OK && !is_found && ++cursor->value < cursor->values->count) {
        fetch(cursor->values, cursor->value + AHEAD);
        if (cursor->normalizer != NULL) {
            status = normalize(cursor, &is_found, error);
        } else {
            cursor->key = vc_texts_get(cursor->values, cursor->value);
            is_found = true;
        }
    }
    return status;
}

struct merging {
    struct cursor from, to;
    uint32_t first;    /* the first value of the key at hand of `from` */
    uint32_t to_first; /* likewise */
    vc_arena *arena;
    vc_match *match;
};

static vc_status advance_from(struct merging *merging, vc_error *error)
{
    vc_match *match = merging->match;
    vc_status status = advance(&merging->from, error);
    if (status != VC_OK || is_at_end(&merging->from)) return status;
    if (!merging->from.is_equal) {
        merging->first = merging->from.value;
        return VC_OK;
    }
    if (match->same == NULL) match->same = new_numbers(merging->arena, merging->from.values->count);
    if (match->same == NULL || !note(&match->from_collisions, merging->from.values, merging->first,
                                     merging->from.value, merging->from.key, merging->arena))
        return vc_no_memory(error);
    chain(match->same, merging->first, merging->from.value);
    return VC_OK;
}

/* Both cursors go to their ends, for what is behind the last match must ascend, too. */
static vc_status merge(struct merging *merging, vc_error *error)
{
    struct cursor *from = &merging->from, *to = &merging->to;
    uint32_t *partners = merging->match->partners;
    vc_status status = advance_from(merging, error);
    if (status == VC_OK) status = advance(to, error);
    while (status == VC_OK && !is_at_end(to) && !from->is_lost) {
        int order = 1;
        while (!is_at_end(from) && (order = vc_str_compare(from->key, to->key)) < 0) {
            status = advance_from(merging, error);
            if (status != VC_OK) return status;
        }
        if (to->is_equal) {
            partners[to->value] = partners[merging->to_first];
            if (!note(&merging->match->to_collisions, to->values, merging->to_first, to->value,
                      to->key, merging->arena))
                return vc_no_memory(error);
        } else {
            merging->to_first = to->value;
            if (order == 0) partners[to->value] = from->value;
        }
        status = advance(to, error);
    }
    while (status == VC_OK && !is_at_end(from) && !to->is_lost)
        status = advance_from(merging, error);
    return status;
}

/* *is_done_out false: the keys do not ascend, or some value has several; nothing is matched. */
static vc_status match_sorted(const vc_relation_pair *pair, vc_arena *arena, bool *is_done_out,
                              vc_match *match, vc_error *error)
{
    struct merging merging = {.arena = arena, .match = match};
    uint32_t nvalues = pair->to->values.count;
    *match = (vc_match){.partners = new_numbers(arena, nvalues)};
    start(&merging.from, pair->from, pair->normalize_from);
    start(&merging.to, pair->to, pair->normalize_to);
    bool is_stated = merging.to.normalizer != NULL;
    if (is_stated) {
        match->states = vc_arena_alloc(arena, (size_t)nvalues + 1);
        match->is_excluded = vc_arena_alloc(arena, ((size_t)nvalues + 1) * sizeof(bool));
        merging.to.states = match->states;
        merging.to.is_excluded = match->is_excluded;
    }
    vc_status status = VC_NO_MEMORY;
    if (match->partners != NULL &&
        (!is_stated || (match->states != NULL && match->is_excluded != NULL)))
        status = merge(&merging, error);
    stop(&merging.from);
    stop(&merging.to);
    *is_done_out = !merging.from.is_lost && !merging.to.is_lost;
    return status == VC_OK ? VC_OK : vc_no_memory(error);
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
            if (match->same == NULL || !note(&match->from_collisions, from->values, entry, value,
                                             key_of(from, value), arena))
                return vc_no_memory(error);
            chain(match->same, entry, value);
        }
    }
    return VC_OK;
}

/* Two values of `to` have one key: of an entry of `from`, or without one. */
static bool note_equal(const struct table *table, uint32_t first, uint32_t later, vc_arena *arena,
                       vc_match *match)
{
    return note(&match->to_collisions, table->to->values, first, later, key_of(table->to, later),
                arena);
}

/* firsts [from->count] the first value of `to` that has its key; NULL where values of `to`, being
 * without steps, are distinct. */
static vc_status find_to(struct table *table, uint32_t *firsts, vc_arena *arena, vc_match *match,
                         vc_error *error)
{
    const struct keys *from = table->from, *to = table->to;
    for (uint32_t first = 0; first < to->count; first += AHEAD) {
        uint32_t end = to->count - first < AHEAD ? to->count : first + AHEAD;
        look_ahead(table, to, first, end);
        for (uint32_t value = first; value < end; value++) {
            struct slot *slot = NULL;
            uint32_t before = VC_NONE;
            uint64_t hash = table->hashes[value - first];
            if (!is_ok(to, value)) continue;
            uint32_t entry = find_entry(table, key_of(to, value), hash, &slot);
            if (entry == VC_NONE) {
                if (firsts != NULL) fill_slot(slot, hash, from->count + value);
            } else if (entry >= from->count) {
                before = entry - from->count;
            } else {
                match->partners[value] = entry;
                if (firsts != NULL) before = firsts[entry];
                if (firsts != NULL && before == VC_NONE) firsts[entry] = value;
            }
            if (before != VC_NONE && !note_equal(table, before, value, arena, match))
                return vc_no_memory(error);
        }
    }
    return VC_OK;
}

static vc_status match_hashed(const vc_relation_pair *pair, vc_arena *arena, bool *is_single_out,
                              vc_match *match, vc_error *error)
{
    struct keys from, to;
    vc_status status =
        read_keys(pair->from, pair->normalize_from, arena, is_single_out, &from, error);
    if (status != VC_OK || !*is_single_out) return status;
    status = read_keys(pair->to, pair->normalize_to, arena, is_single_out, &to, error);
    if (status != VC_OK || !*is_single_out) return status;
    struct table table = {.from = &from, .to = &to};
    uint64_t nentries = (uint64_t)from.count + (to.texts != NULL ? to.count : 0), nslots = 16;
    if (nentries >= VC_NONE) return vc_no_memory(error);
    while (nslots < 2 * nentries)
        nslots *= 2;
    table.mask = nslots - 1;
    table.slots = VC_ARENA_NEW(arena, struct slot, nslots);
    uint32_t *firsts = to.texts != NULL ? new_numbers(arena, from.count) : NULL;
    *match = (vc_match){.partners = new_numbers(arena, to.count),
                        .states = to.states,
                        .is_excluded = to.is_excluded};
    if (table.slots == NULL || (to.texts != NULL && firsts == NULL) || match->partners == NULL)
        return vc_no_memory(error);
    status = put_from(&table, arena, match, error);
    return status == VC_OK ? find_to(&table, firsts, arena, match, error) : status;
}

vc_status vc_match_values(const vc_relation_pair *pair, vc_arena *arena, bool *is_single_out,
                          vc_match *match, vc_error *error)
{
    vc_status status = match_sorted(pair, arena, is_single_out, match, error);
    if (status != VC_OK || *is_single_out) return status;
    return match_hashed(pair, arena, is_single_out, match, error);
}
