/* Resolving a join, step 1: what keys the distinct values of an index become. */
#include "base/bits.h"
#include "mapping/relation_any.h"

#include <string.h>

bool vc_key_numbers_add(vc_arena *arena, struct vc_key_numbers *numbers, uint32_t item)
{
    if (numbers->count == numbers->capacity) {
        size_t capacity = numbers->capacity == 0 ? 1024 : numbers->capacity * 2;
        uint32_t *items = vc_arena_alloc(arena, capacity * sizeof *items);
        if (items == NULL) return false;
        if (numbers->count > 0) memcpy(items, numbers->items, numbers->count * sizeof *items);
        numbers->items = items;
        numbers->capacity = capacity;
    }
    numbers->items[numbers->count++] = item;
    return true;
}

bool vc_key_weights_add(vc_arena *arena, struct vc_key_weights *weights, double item)
{
    if (weights->count == weights->capacity) {
        size_t capacity = weights->capacity == 0 ? 1024 : weights->capacity * 2;
        double *items = vc_arena_alloc(arena, capacity * sizeof *items);
        if (items == NULL) return false;
        if (weights->count > 0) memcpy(items, weights->items, weights->count * sizeof *items);
        weights->items = items;
        weights->capacity = capacity;
    }
    weights->items[weights->count++] = item;
    return true;
}

/* ---- keys of values ---- */

/* The keys of one value at a time (NULL: at none): through the normaliser, or as it is. */
static vc_status keys_of_text(const vc_normalizer *normalizer, vc_str text, const vc_period *when,
                              vc_arena *arena, vc_key_list *list, vc_error *error)
{
    if (normalizer != NULL)
        return vc_normalizer_apply_at(normalizer, text, when, arena, list, error);
    if (list->capacity == 0) {
        list->keys = VC_ARENA_NEW(arena, vc_key, 1);
        if (list->keys == NULL) return vc_no_memory(error);
        list->capacity = 1;
    }
    list->count = 1;
    list->keys[0] =
        (vc_key){.text = text, .state = text.size == 0 ? VC_KEY_EMPTY : VC_KEY_OK, .weight = 1};
    return VC_OK;
}

uint32_t vc_resolver_count_keys(const struct vc_resolver *resolver, size_t pair)
{
    uint32_t plain = resolver->components[pair].count;
    if (resolver->when == NULL) return plain;
    uint32_t timed = resolver->timed[pair].count;
    return 2 * (plain > timed ? plain : timed) + 1;
}

/* A list of values' keys while it is made. */
struct numbering {
    struct vc_resolver *resolver;
    size_t pair;
    bool is_primary;
    struct vc_key_numbers keys;
    struct vc_key_weights weights;
    struct vc_value_keys *out;
};

/* The key of one component that is OK, at a period (VC_NONE: at none in particular). Keys of a time
 * are apart from the others: they are odd. */
static bool add_key(struct numbering *in, const vc_key *key, uint32_t number, uint32_t period)
{
    struct vc_resolver *resolver = in->resolver;
    if (number == VC_STRMAP_NONE) return false;
    if (resolver->when != NULL && period == VC_NONE) number = 2 * number;
    if (period != VC_NONE) {
        uint32_t at[2] = {number, period};
        vc_str text = {.data = (const char *)at, .size = sizeof at};
        vc_strmap *timed = &resolver->timed[in->pair];
        number = in->is_primary ? vc_strmap_put(timed, text, NULL) : vc_strmap_find(timed, text);
        if (number == VC_STRMAP_NONE) return !in->is_primary;
        number = 2 * number + 1;
    }
    return vc_key_numbers_add(&resolver->work, &in->keys, number) &&
           (!resolver->is_weighted ||
            vc_key_weights_add(&resolver->work, &in->weights, key->weight));
}

/* The keys of a value, or of its variant of a period. The primary's of a period are of that period
 * only; a joined value meets those, and the ones that are of any time. */
static vc_status add_value(struct numbering *in, const vc_key_list *list, uint32_t period,
                           uint32_t value, vc_error *error)
{
    vc_strmap *components = &in->resolver->components[in->pair];
    for (size_t i = 0; i < list->count; i++) {
        const vc_key *key = &list->keys[i];
        if (key->state != VC_KEY_OK) {
            in->out->states[value] = (uint8_t)key->state;
            in->out->is_excluded[value] |= key->is_excluded;
            continue;
        }
        uint32_t number = vc_strmap_put(components, key->text, NULL);
        bool is_added = true;
        if (period == VC_NONE || !in->is_primary) is_added = add_key(in, key, number, VC_NONE);
        if (period != VC_NONE) is_added &= add_key(in, key, number, period);
        if (!is_added) return vc_no_memory(error);
    }
    in->out->offsets[value + 1] = (uint32_t)in->keys.count;
    return VC_OK;
}

/* Components that the primary has at some time only: bits by number. NULL: there are none, or no
 * memory. */
static vc_status mark_timed(struct numbering *in, uint64_t **timed_out, vc_error *error)
{
    const vc_strmap *timed = &in->resolver->timed[in->pair];
    uint32_t ncomponents = in->resolver->components[in->pair].count;
    *timed_out = NULL;
    if (in->is_primary || timed->count == 0) return VC_OK;
    *timed_out = VC_ARENA_NEW(&in->resolver->work, uint64_t, vc_bits_words(ncomponents) + 1);
    if (*timed_out == NULL) return vc_no_memory(error);
    for (uint32_t i = 0; i < timed->count; i++) {
        uint32_t number;
        memcpy(&number, timed->keys[i].data, sizeof number);
        vc_bit_set(*timed_out, number);
    }
    return VC_OK;
}

static bool is_timed(const struct numbering *in, const uint64_t *timed, const vc_key_list *list)
{
    for (size_t i = 0; i < list->count && timed != NULL; i++) {
        if (list->keys[i].state != VC_KEY_OK) continue;
        uint32_t number = vc_strmap_find(&in->resolver->components[in->pair], list->keys[i].text);
        if (number != VC_STRMAP_NONE && vc_bit_get(timed, number)) return true;
    }
    return false;
}

static vc_str value_text(const vc_index *index, vc_str constant, uint32_t value)
{
    return index == NULL ? constant : vc_texts_get(&index->values, value);
}

/* Which values have variants: *count_out of them. On the joined side also those that are, at some
 * time, what the primary has at a time only. */
static vc_status find_variants(struct numbering *in, const vc_index *index, vc_str constant,
                               const vc_normalizer *normalizer, uint32_t *count_out,
                               vc_error *error)
{
    uint32_t nvalues = vc_resolver_count_values(index);
    uint32_t nperiods = (uint32_t)in->resolver->when->nperiods;
    vc_arena *work = &in->resolver->work;
    uint64_t *timed;
    vc_key_list list = {0};
    *count_out = 0;
    in->out->variants = VC_ARENA_NEW(work, uint32_t, (size_t)nvalues + 1);
    in->out->bases = VC_ARENA_NEW(work, uint32_t, (size_t)nvalues + 1);
    if (in->out->variants == NULL || in->out->bases == NULL) return vc_no_memory(error);
    vc_status status = mark_timed(in, &timed, error);
    for (uint32_t value = 0; value < nvalues && status == VC_OK; value++) {
        status =
            keys_of_text(normalizer, value_text(index, constant, value), NULL, work, &list, error);
        in->out->variants[value] = VC_NONE;
        if (status != VC_OK || (!list.depends_on_time && !is_timed(in, timed, &list))) continue;
        in->out->bases[*count_out] = value;
        in->out->variants[value] = nvalues + (*count_out)++ * nperiods;
    }
    return status;
}

static vc_status number_variants(struct numbering *in, const vc_index *index, vc_str constant,
                                 const vc_normalizer *normalizer, vc_error *error)
{
    const vc_relation_when *when = in->resolver->when;
    vc_key_list list = {0};
    for (uint32_t value = 0; value < vc_resolver_count_values(index); value++)
        for (uint32_t p = 0; p < when->nperiods && in->out->variants[value] != VC_NONE; p++) {
            vc_status status = keys_of_text(normalizer, value_text(index, constant, value),
                                            &when->periods[p], &in->resolver->work, &list, error);
            if (status == VC_OK)
                status = add_value(in, &list, p, in->out->variants[value] + p, error);
            if (status != VC_OK) return status;
        }
    return VC_OK;
}

vc_status vc_resolver_number_values(struct vc_resolver *resolver, size_t pair, bool is_primary,
                                    struct vc_value_keys *out, vc_error *error)
{
    const vc_relation_pair *on = &resolver->pairs[pair];
    const vc_index *index = is_primary ? on->from : on->to;
    vc_str constant = is_primary ? on->from_constant : on->to_constant;
    const vc_normalizer *normalizer = is_primary ? on->normalize_from : on->normalize_to;
    struct numbering in = {
        .resolver = resolver, .pair = pair, .is_primary = is_primary, .out = out};
    uint32_t nvalues = vc_resolver_count_values(index), nvariants = 0;
    vc_key_list list = {0};
    vc_status status = VC_OK;

    if (resolver->when != NULL)
        status = find_variants(&in, index, constant, normalizer, &nvariants, error);
    if (status != VC_OK) return status;
    out->nvalues = nvalues;
    if (nvariants > 0) out->nvalues += nvariants * (uint32_t)resolver->when->nperiods;
    out->offsets = VC_ARENA_NEW(&resolver->work, uint32_t, (size_t)out->nvalues + 1);
    out->states = VC_ARENA_NEW(&resolver->work, uint8_t, (size_t)out->nvalues + 1);
    out->is_excluded = VC_ARENA_NEW(&resolver->work, bool, (size_t)out->nvalues + 1);
    if (out->offsets == NULL || out->states == NULL || out->is_excluded == NULL)
        return vc_no_memory(error);
    for (uint32_t value = 0; value < nvalues && status == VC_OK; value++) {
        status = keys_of_text(normalizer, value_text(index, constant, value), NULL, &resolver->work,
                              &list, error);
        if (status == VC_OK) status = add_value(&in, &list, VC_NONE, value, error);
    }
    if (status == VC_OK && nvariants > 0)
        status = number_variants(&in, index, constant, normalizer, error);
    out->keys = in.keys.items;
    out->weights = in.weights.items;
    return status;
}
