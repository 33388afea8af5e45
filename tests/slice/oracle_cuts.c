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

/* ---- members ---- */

/* The member of a leaf, or of All (level -1). */
struct member {
    int level;
    uint32_t number;
};

static bool is_under(const struct dimension *dimension, struct member member, uint32_t leaf)
{
    return member.level < 0 || dimension->member_of[member.level][leaf] == member.number;
}

static void mark_member(const struct dimension *dimension, struct member member, bool *leaves)
{
    for (uint32_t i = 0; i < dimension->nleaves; i++)
        leaves[i] |= is_under(dimension, member, i);
}

/* Some leaf of a member. */
static const struct world_leaf *leaf_under(const struct dimension *dimension, struct member member)
{
    uint32_t i = 0;
    while (!is_under(dimension, member, i))
        i++;
    return &dimension->stored->leaves[i];
}

/* By the path from the top, without levels that are not there. */
static const char *find_path(const struct dimension *dimension, const vc_str *keys, size_t nkeys,
                             struct member *member_out)
{
    unsigned nfound = 0;
    for (unsigned l = 0; l < dimension->stored->nlevels; l++)
        for (uint32_t number = 0; number < dimension->members[l]; number++) {
            const char *path[WORLD_LEVELS];
            struct member member = {(int)l, number};
            bool is_it =
                world_path(dimension->stored, leaf_under(dimension, member), l + 1, path) == nkeys;
            for (size_t k = 0; k < nkeys && is_it; k++)
                is_it = is_key(path[k], keys[k]);
            if (is_it) *member_out = member;
            nfound += is_it;
        }
    return nfound == 0 ? "unknown_member" : nfound > 1 ? "ambiguous_key" : NULL;
}

/* Are two members the same leaves, wherever these stand? */
static bool is_same_member(const struct dimension *dimension, struct member a, struct member b)
{
    const struct world_leaf *leaves = dimension->stored->leaves;
    for (uint32_t leaf = 0; leaf < dimension->stored->nfirsts; leaf++) {
        bool is_in_a = false, is_in_b = false;
        for (uint32_t i = 0; i < dimension->nleaves; i++) {
            is_in_a |= leaves[i].first == leaf && is_under(dimension, a, i);
            is_in_b |= leaves[i].first == leaf && is_under(dimension, b, i);
        }
        if (is_in_a != is_in_b) return false;
    }
    return true;
}

/* One key alone: on the first level, else the one member of the levels below that has it. Of leaves
 * under several parents several may be one. */
static const char *find_single(const struct dimension *dimension, vc_str key, bool *leaves,
                               struct member *member_out)
{
    unsigned nfound = 0;
    bool is_one = dimension->stored->has_places;
    struct member found = {0};
    memset(leaves, false, dimension->nleaves);
    for (unsigned l = 0; l < dimension->stored->nlevels; l++)
        for (uint32_t number = 0; number < dimension->members[l]; number++) {
            struct member member = {(int)l, number};
            if (!is_key(leaf_under(dimension, member)->keys[l], key)) continue;
            if (nfound++ == 0) found = member;
            is_one &= is_same_member(dimension, found, member);
            mark_member(dimension, member, leaves);
            *member_out = found;
            if (l == 0) return NULL;
        }
    if (nfound == 0) return "unknown_member";
    return nfound == 1 || is_one ? NULL : "ambiguous_key";
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
        const char *key = oracle_key(dimension, leaf, first_level + (unsigned)k);
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
        struct member member = {0};
        const char *error =
            ends[i] == NULL ? "none" : find_single(dimension, *ends[i], scratch, &member);
        if (error == NULL && (!is_found || (unsigned)member.level < *level_out))
            *level_out = (unsigned)member.level;
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

/* The member that an item names; All when it has no keys. */
static const char *find_member(const struct dimension *dimension, const vc_item *item,
                               bool *scratch, struct member *member_out)
{
    if (item->nkeys == 0) return NULL;
    if (item->nkeys == 1) return find_single(dimension, item->keys[0], scratch, member_out);
    return find_path(dimension, item->keys, item->nkeys, member_out);
}

/* Of a row of a tree its own leaf. */
static const char *mark_self(const struct dimension *dimension, const vc_item *item, bool *out)
{
    struct member member = {-1, 0};
    const char *error = find_path(dimension, item->keys, item->nkeys - 1, &member);
    if (error != NULL) return error;
    for (uint32_t i = 0; i < dimension->nleaves; i++)
        out[i] |= is_under(dimension, member, i) &&
                  (member.level + 1 == WORLD_LEVELS ||
                   dimension->member_of[member.level + 1][i] == NOWHERE);
    return NULL;
}

static const char *mark_path(const struct dimension *dimension, int target, const vc_item *item,
                             bool *scratch, bool *out)
{
    bool is_found = false;
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
            const struct world_leaf *leaf = &dimension->stored->leaves[i];
            const char *value = world_index_value(dimension->stored, leaf, (unsigned)target);
            unsigned level = (unsigned)target - INDEX_LEVEL;
            if (target >= INDEX_LEVEL ? !world_has_member(dimension->stored, leaf, level) ||
                                            !is_key(value, item->keys[0])
                                      : value == NULL || !vc_str_is(item->keys[0], value))
                continue;
            out[i] = is_found = true;
        }
        return is_found ? NULL : "unknown_member";
    }
    if (item->nkeys > 1 && dimension->stored->is_tree &&
        vc_str_is(item->keys[item->nkeys - 1], "(self)"))
        return mark_self(dimension, item, out);
    struct member member = {-1, 0};
    const char *error = find_member(dimension, item, scratch, &member);
    for (uint32_t i = 0; error == NULL && i < dimension->nleaves; i++)
        out[i] |= item->nkeys == 1 ? scratch[i] : is_under(dimension, member, i);
    return error;
}

/* The members right below a member, on whatever level, and all of a level that are below it. */
static const char *mark_below(const struct dimension *dimension, const vc_item *item, bool *scratch,
                              bool *out)
{
    struct member member = {-1, 0};
    bool has_level = item->level.data != NULL;
    unsigned first, end = dimension->stored->nlevels;
    const char *error = find_member(dimension, item, scratch, &member);
    if (error != NULL) return error;
    first = (unsigned)(member.level + 1);
    if (has_level) {
        unsigned level = (unsigned)oracle_find_target(dimension->stored, item->level) - INDEX_LEVEL;
        if (level < first) return "bad_level";
        first = level;
        end = level + 1;
    }
    for (uint32_t i = 0; i < dimension->nleaves; i++)
        for (unsigned l = first; l < end; l++)
            out[i] |= (item->nkeys == 1 ? scratch[i] : is_under(dimension, member, i)) &&
                      dimension->member_of[l][i] != NOWHERE;
    return NULL;
}

/* "#name": members of a level with some keys, or leaves without any such member. */
static const char *mark_set(const struct asking *in, const struct dimension *dimension,
                            const vc_item *item, bool *out)
{
    const struct world_set *set = in->oracle->world->sets;
    const struct world_leaf *leaves = dimension->stored->leaves;
    bool *is_in = VC_ARENA_NEW(in->arena, bool, dimension->nleaves + 1);
    bool *has_place_in = VC_ARENA_NEW(in->arena, bool, dimension->nleaves + 1);
    while (set->dimension != dimension->stored || !vc_str_is(item->keys[0], set->name))
        set++;
    for (uint32_t i = 0; i < dimension->nleaves; i++) {
        const char *key = oracle_key(dimension, i, set->level);
        for (unsigned k = 0; k < set->nkeys && key != NULL; k++)
            is_in[i] |= strcmp(key, set->keys[k]) == 0;
        has_place_in[leaves[i].first] |= is_in[i];
    }
    for (uint32_t i = 0; i < dimension->nleaves; i++)
        out[i] |= set->is_negated ? !has_place_in[leaves[i].first] : is_in[i];
    return NULL;
}

static const char *mark_item(const struct asking *in, const struct dimension *dimension, int target,
                             const vc_item *item, bool *out)
{
    bool *scratch = VC_ARENA_NEW(in->arena, bool, dimension->nslots + 1);
    switch (item->kind) {
    case VC_ITEM_ALL: memset(out, true, dimension->nslots); return NULL;
    case VC_ITEM_RANGE: return mark_range(dimension, target, item, scratch, out);
    case VC_ITEM_PATH: return mark_path(dimension, target, item, scratch, out);
    case VC_ITEM_DESCENDANTS:
        if (item->level.data == NULL) return mark_path(dimension, target, item, scratch, out);
        return mark_below(dimension, item, scratch, out);
    case VC_ITEM_CHILDREN: return mark_below(dimension, item, scratch, out);
    case VC_ITEM_MEMBER_SET: return mark_set(in, dimension, item, out);
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

/* Leaves of which no place is in the set. */
static void negate(const struct asking *in, const struct dimension *dimension, const bool *set,
                   bool *out)
{
    const struct world_leaf *leaves = dimension->stored->leaves;
    bool *has = VC_ARENA_NEW(in->arena, bool, dimension->nleaves + 1);
    for (uint32_t i = 0; i < dimension->nleaves; i++)
        has[leaves[i].first] |= set[i];
    for (uint32_t slot = 0; slot < dimension->nslots; slot++)
        out[slot] = slot < dimension->nleaves && !has[leaves[slot].first];
}

/* Leaves that all sets have, at those of their places that the most of the sets name. */
static void meet(const struct asking *in, const struct dimension *dimension, bool *const *sets,
                 size_t nsets, bool *out)
{
    const struct world_leaf *leaves = dimension->stored->leaves;
    unsigned *named = VC_ARENA_NEW(in->arena, unsigned, dimension->nslots + 1);
    unsigned *most = VC_ARENA_NEW(in->arena, unsigned, dimension->nslots + 1);
    size_t *has = VC_ARENA_NEW(in->arena, size_t, dimension->nslots + 1);
    for (size_t s = 0; s < nsets; s++)
        for (uint32_t slot = 0; slot < dimension->nslots; slot++) {
            uint32_t first = slot < dimension->nleaves ? leaves[slot].first : slot;
            if (!sets[s][slot]) continue;
            if (has[first] == s) has[first]++; /* all sets up to this one */
            if (++named[slot] > most[first]) most[first] = named[slot];
        }
    for (uint32_t slot = 0; slot < dimension->nslots; slot++) {
        uint32_t first = slot < dimension->nleaves ? leaves[slot].first : slot;
        out[slot] = has[first] == nsets && named[slot] == most[first];
    }
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
    bool *children[8];
    *restricts = !is_and;
    for (size_t c = 0; c < condition->nchildren && error == NULL; c++) {
        bool child_restricts;
        children[c] = VC_ARENA_NEW(in->arena, bool, dimension->nslots + 1);
        error = evaluate(in, dimension, condition->children[c], children[c], &child_restricts);
        if (!is_not)
            *restricts = is_and ? *restricts || child_restricts : *restricts && child_restricts;
        for (uint32_t slot = 0; slot < dimension->nslots; slot++)
            out[slot] |= children[c][slot];
    }
    if (error == NULL && is_and) meet(in, dimension, children, condition->nchildren, out);
    if (error == NULL && is_not) negate(in, dimension, children[0], out);
    return error;
}

unsigned oracle_find_dimension(const struct oracle *oracle, vc_str name)
{
    unsigned d = 0;
    while (!vc_str_is(name, oracle->dimensions[d].name))
        d++;
    return d;
}

/* Does the query say anything of the dimension? */
static bool is_mentioned(const struct asking *in, unsigned d)
{
    vc_str name = vc_str_of(in->oracle->dimensions[d].name);
    bool is = false;
    for (size_t i = 0; i < in->query->nconditions; i++)
        is |= vc_str_equal(in->query->conditions[i]->dimref.dimension, name);
    for (size_t i = 0; i < in->query->naxes; i++)
        is |= vc_str_equal(in->query->axes[i].dimref.dimension, name);
    return is;
}

static void take_default(struct asking *in, unsigned d)
{
    const struct dimension *dimension = &in->oracle->dimensions[d];
    const struct world_dimension *stored = dimension->stored;
    if (!stored->has_default || is_mentioned(in, d)) return;
    in->whole[d] = in->selected[d];
    in->selected[d] = VC_ARENA_NEW(in->arena, bool, dimension->nslots + 1);
    for (uint32_t i = 0; i < dimension->nleaves; i++)
        in->selected[d][i] =
            in->whole[d][i] &&
            world_is_under(stored, &stored->leaves[i], &stored->leaves[stored->default_leaf],
                           stored->default_depth);
}

const char *oracle_select_all(struct asking *in)
{
    struct oracle *oracle = in->oracle;
    for (unsigned d = 0; d < oracle->ndimensions; d++) {
        const struct dimension *dimension = &oracle->dimensions[d];
        bool **sets = VC_ARENA_NEW(in->arena, bool *, in->query->nconditions + 1);
        size_t nsets = 0;
        in->selected[d] = VC_ARENA_NEW(in->arena, bool, dimension->nslots + 1);
        memset(in->selected[d], true, dimension->nslots);
        for (size_t i = 0; i < in->query->nconditions; i++) {
            const vc_condition *condition = in->query->conditions[i];
            if (oracle_find_dimension(oracle, condition->dimref.dimension) != d) continue;
            bool *out = VC_ARENA_NEW(in->arena, bool, dimension->nslots + 1), restricts;
            const char *error = evaluate(in, dimension, condition, out, &restricts);
            if (error != NULL) in->errors[i] = error;
            if (restricts) sets[nsets++] = out;
        }
        if (nsets > 0) meet(in, dimension, sets, nsets, in->selected[d]);
        in->is_cut[d] = nsets > 0;
        for (uint32_t slot = 0; slot < dimension->nslots; slot++)
            in->selected[d][slot] &= dimension->visible[slot];
        take_default(in, d);
    }
    for (size_t i = 0; i < in->query->nconditions; i++)
        if (in->errors[i] != NULL) return in->errors[i];
    return NULL;
}
