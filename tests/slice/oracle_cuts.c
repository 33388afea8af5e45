/* Cuts: which slots of each dimension a query selects. */
#include "tests/slice/oracle_parts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_key(const char *key, vc_str wanted)
{
    return key == NULL ? wanted.size == 0 : vc_str_is(wanted, key);
}

/* Which leaves a path leads to: a bit per leaf. Returns how deep the member stands, or 0. */
static unsigned find_path(const struct dimension *dimension, const vc_str *keys, size_t nkeys,
                          unsigned first_level, bool *leaves)
{
    unsigned depth = 0;
    for (uint32_t i = 0; i < dimension->nleaves; i++) {
        leaves[i] = true;
        for (size_t k = 0; k < nkeys; k++)
            leaves[i] &= is_key(dimension->stored->leaves[i].keys[first_level + k], keys[k]);
        if (leaves[i]) depth = first_level + (unsigned)nkeys;
    }
    return depth;
}

/* One key alone: on the first level, else the one member of the levels below that has it. */
static const char *find_single(const struct dimension *dimension, vc_str key, bool *leaves,
                               unsigned *level_out)
{
    unsigned nfound = 0, found_level = 0;
    uint32_t found = 0;
    *level_out = 0;
    if (find_path(dimension, &key, 1, 0, leaves) > 0) return NULL;
    for (unsigned l = 1; l < dimension->stored->nlevels; l++)
        for (uint32_t member = 0; member < dimension->members[l]; member++)
            for (uint32_t i = 0; i < dimension->nleaves; i++) {
                if (dimension->member_of[l][i] != member) continue;
                if (is_key(dimension->stored->leaves[i].keys[l], key)) {
                    nfound++;
                    found_level = l;
                    found = member;
                }
                break;
            }
    if (nfound != 1) return nfound == 0 ? "unknown_member" : "ambiguous_key";
    for (uint32_t i = 0; i < dimension->nleaves; i++)
        leaves[i] = dimension->member_of[found_level][i] == found;
    *level_out = found_level;
    return NULL;
}

/* The level or index that a reference names: an index; -1: none. */
int oracle_find_target(const struct world_dimension *dimension, vc_str name)
{
    if (name.data == NULL) return -1;
    for (unsigned index = 0; index < INDEX_LEVEL + dimension->nlevels; index++)
        if (vc_str_is(name, world_index_name(index))) return (int)index;
    abort();
}

static int compare_bound(const struct dimension *dimension, uint32_t leaf, const vc_str *keys,
                         size_t nkeys, unsigned first_level, bool *is_null)
{
    for (size_t k = 0; k < nkeys; k++) {
        const char *key = dimension->stored->leaves[leaf].keys[first_level + k];
        *is_null = key == NULL;
        if (key == NULL) return 0;
        int order =
            oracle_compare_texts(vc_str_of(key), keys[k], dimension->is_number[first_level + k]);
        if (order != 0) return order;
    }
    return 0;
}

static bool in_range(const vc_item *item, int low, int high)
{
    return (item->nkeys == 0 || low > 0 || (low == 0 && !item->excludes_first)) &&
           (item->nend_keys == 0 || high < 0 || (high == 0 && !item->excludes_end));
}

/* On a level of numbers, the end of a range is a number, too. */
static bool is_end(const struct dimension *dimension, const vc_str *keys, size_t nkeys,
                   unsigned first_level)
{
    for (size_t k = 0; k < nkeys && dimension->nleaves > 0; k++)
        if (dimension->is_number[first_level + k] && !vc_str_is_number(keys[k])) return false;
    return true;
}

/* Where ends of one key stand: on the highest level on which one of them is found, else the top. */
static const char *choose_level(const struct dimension *dimension, const vc_item *item,
                                bool *scratch, unsigned *level_out)
{
    const vc_str *ends[2] = {item->nkeys == 1 ? item->keys : NULL,
                             item->nend_keys == 1 ? item->end_keys : NULL};
    bool is_ambiguous = false, is_found = false;
    for (int i = 0; i < 2; i++) {
        unsigned level;
        const char *error =
            ends[i] == NULL ? "none" : find_single(dimension, *ends[i], scratch, &level);
        if (error == NULL && (!is_found || level < *level_out)) *level_out = level;
        is_found |= error == NULL;
        is_ambiguous |= error != NULL && strcmp(error, "ambiguous_key") == 0;
    }
    return is_ambiguous && !is_found ? "ambiguous_key" : NULL;
}

static const char *mark_range(const struct dimension *dimension, int target, const vc_item *item,
                              bool *scratch, bool *out)
{
    unsigned single = 0;
    for (uint32_t i = 0; i < dimension->nleaves && target >= 0 && target < INDEX_LEVEL; i++) {
        const char *value =
            world_index_value(dimension->stored, &dimension->stored->leaves[i], (unsigned)target);
        if (value == NULL) continue;
        bool is_low = item->nkeys > 0 && oracle_is_number_text(value);
        bool is_high = item->nend_keys > 0 && oracle_is_number_text(value);
        out[i] |= in_range(
            item,
            item->nkeys == 0 ? 0
                             : oracle_compare_texts(vc_str_of(value), item->keys[0],
                                                    is_low && vc_str_is_number(item->keys[0])),
            item->nend_keys == 0
                ? 0
                : oracle_compare_texts(vc_str_of(value), item->end_keys[0],
                                       is_high && vc_str_is_number(item->end_keys[0])));
    }
    if (target >= 0 && target < INDEX_LEVEL) return NULL;
    if (target >= INDEX_LEVEL) {
        single = (unsigned)target - INDEX_LEVEL;
    } else {
        const char *error = choose_level(dimension, item, scratch, &single);
        if (error != NULL) return error;
    }
    if (!is_end(dimension, item->keys, item->nkeys, item->nkeys == 1 ? single : 0) ||
        !is_end(dimension, item->end_keys, item->nend_keys, item->nend_keys == 1 ? single : 0))
        return "syntax";
    for (uint32_t i = 0; i < dimension->nleaves; i++) {
        bool is_null_low = false, is_null_high = false;
        int low = compare_bound(dimension, i, item->keys, item->nkeys,
                                item->nkeys == 1 ? single : 0, &is_null_low);
        int high = compare_bound(dimension, i, item->end_keys, item->nend_keys,
                                 item->nend_keys == 1 ? single : 0, &is_null_high);
        out[i] |= !is_null_low && !is_null_high && in_range(item, low, high);
    }
    return NULL;
}

static bool text_fits(const char *text, vc_str part, vc_item_kind kind)
{
    char lower[64] = "", wanted[64] = "";
    if (text == NULL) return false;
    for (size_t i = 0; text[i] != '\0'; i++)
        lower[i] = (char)tolower((unsigned char)text[i]);
    for (size_t i = 0; i < part.size; i++)
        wanted[i] = (char)tolower((unsigned char)part.data[i]);
    size_t size = strlen(lower);
    if (kind == VC_ITEM_CONTAINS) return strstr(lower, wanted) != NULL;
    if (part.size > size) return false;
    return strncmp(kind == VC_ITEM_STARTS_WITH ? lower : lower + size - part.size, wanted,
                   part.size) == 0;
}

static const char *mark_path(const struct dimension *dimension, int target, const vc_item *item,
                             bool *scratch, bool *out)
{
    bool is_found = false;
    unsigned level;
    for (uint32_t slot = dimension->nleaves; item->nkeys == 1 && slot < dimension->nslots; slot++) {
        const struct synthetic *synthetic = &dimension->synthetics[slot - dimension->nleaves];
        bool is_it = vc_str_is(item->keys[0], synthetic->key);
        for (unsigned b = 0; b < dimension->nbuckets; b++)
            is_it |= dimension->bucket_sources[b] == synthetic->source &&
                     vc_str_is(item->keys[0], dimension->bucket_keys[b]);
        out[slot] |= is_it;
        is_found |= is_it;
    }
    if (is_found) return NULL;
    if (item->nkeys == 1 && target >= 0) {
        for (uint32_t i = 0; i < dimension->nleaves; i++) {
            const char *value = world_index_value(dimension->stored, &dimension->stored->leaves[i],
                                                  (unsigned)target);
            if (target >= INDEX_LEVEL ? !is_key(value, item->keys[0])
                                      : value == NULL || !vc_str_is(item->keys[0], value))
                continue;
            out[i] = is_found = true;
        }
        return is_found ? NULL : "unknown_member";
    }
    const char *error = NULL;
    if (item->nkeys == 0)
        memset(scratch, true, dimension->nleaves);
    else if (item->nkeys == 1)
        error = find_single(dimension, item->keys[0], scratch, &level);
    else if (find_path(dimension, item->keys, item->nkeys, 0, scratch) == 0)
        error = "unknown_member";
    for (uint32_t i = 0; error == NULL && i < dimension->nleaves; i++)
        out[i] |= scratch[i];
    return error;
}

static const char *mark_item(const struct asking *in, const struct dimension *dimension, int target,
                             const vc_item *item, bool *out)
{
    bool *scratch = VC_ARENA_NEW(in->arena, bool, dimension->nslots + 1);
    switch (item->kind) {
    case VC_ITEM_ALL: memset(out, true, dimension->nslots); return NULL;
    case VC_ITEM_RANGE: return mark_range(dimension, target, item, scratch, out);
    case VC_ITEM_PATH:
    case VC_ITEM_CHILDREN:
    case VC_ITEM_DESCENDANTS: return mark_path(dimension, target, item, scratch, out);
    default: break;
    }
    for (uint32_t i = 0; i < dimension->nleaves; i++) {
        const char *value = world_index_value(dimension->stored, &dimension->stored->leaves[i],
                                              target < 0 ? INDEX_LEVEL : (unsigned)target);
        if (item->kind == VC_ITEM_NULL || item->kind == VC_ITEM_NOT_NULL)
            out[i] |= (value == NULL) == (item->kind == VC_ITEM_NULL);
        else
            out[i] |= text_fits(value, item->keys[0], item->kind);
    }
    return NULL;
}

static const char *evaluate(const struct asking *in, const struct dimension *dimension,
                            const vc_condition *condition, bool *out, bool *restricts)
{
    const char *error = NULL;
    *restricts = true;
    if (condition->kind == VC_CONDITION_ITEMS) {
        int target = oracle_find_target(dimension->stored, condition->dimref.level);
        for (size_t i = 0; i < condition->nitems && error == NULL; i++) {
            error = mark_item(in, dimension, target, &condition->items[i], out);
            *restricts &= condition->items[i].kind != VC_ITEM_ALL;
        }
        return error;
    }
    bool is_and = condition->kind == VC_CONDITION_AND, is_not = condition->kind == VC_CONDITION_NOT;
    if (is_and) {
        *restricts = false;
        memset(out, true, dimension->nslots);
    }
    for (size_t c = 0; c < condition->nchildren && error == NULL; c++) {
        bool *child = VC_ARENA_NEW(in->arena, bool, dimension->nslots + 1), child_restricts;
        error = evaluate(in, dimension, condition->children[c], child, &child_restricts);
        for (uint32_t slot = 0; slot < dimension->nslots; slot++)
            out[slot] = is_not   ? slot < dimension->nleaves && !child[slot]
                        : is_and ? out[slot] && child[slot]
                                 : out[slot] || child[slot];
        if (!is_not)
            *restricts = is_and ? *restricts || child_restricts : *restricts && child_restricts;
    }
    return error;
}

unsigned oracle_find_dimension(const struct oracle *oracle, vc_str name)
{
    unsigned d = 0;
    while (!vc_str_is(name, oracle->dimensions[d].name))
        d++;
    return d;
}

const char *oracle_select_all(struct asking *in)
{
    struct oracle *oracle = in->oracle;
    for (unsigned d = 0; d < oracle->ndimensions; d++) {
        const struct dimension *dimension = &oracle->dimensions[d];
        in->selected[d] = VC_ARENA_NEW(in->arena, bool, dimension->nslots + 1);
        memcpy(in->selected[d], dimension->visible, dimension->nslots);
    }
    for (size_t i = 0; i < in->query->nconditions; i++) {
        const vc_condition *condition = in->query->conditions[i];
        unsigned d = oracle_find_dimension(oracle, condition->dimref.dimension);
        const struct dimension *dimension = &oracle->dimensions[d];
        bool *out = VC_ARENA_NEW(in->arena, bool, dimension->nslots + 1), restricts;
        const char *error = evaluate(in, dimension, condition, out, &restricts);
        if (error != NULL) return error;
        for (uint32_t slot = 0; slot < dimension->nslots && restricts; slot++)
            in->selected[d][slot] &= out[slot];
        in->is_cut[d] |= restricts;
    }
    return NULL;
}
