/* The members of a dimension, and how they and its leaves follow each other. */
#include "tests/slice/oracle_parts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- members and their order ---- */

bool oracle_is_number_text(const char *text)
{
    for (; *text != '\0'; text++)
        if (!isdigit((unsigned char)*text)) return false;
    return true;
}

int oracle_compare_texts(vc_str a, vc_str b, bool is_number)
{
    if (a.data == NULL || b.data == NULL) return (a.data == NULL) - (b.data == NULL);
    char *end_a, *end_b, x[64], y[64];
    snprintf(x, sizeof x, "%.*s", VC_FMT(a));
    snprintf(y, sizeof y, "%.*s", VC_FMT(b));
    long p = strtol(x, &end_a, 10), q = strtol(y, &end_b, 10);
    bool is_a = *x != '\0' && *end_a == '\0', is_b = *y != '\0' && *end_b == '\0';
    if (is_number && is_a != is_b) return is_a ? -1 : 1;
    if (is_number && is_a) return (p > q) - (p < q);
    return strcmp(x, y);
}

static int compare_keys(const struct dimension *dimension, unsigned level, const char *a,
                        const char *b)
{
    return oracle_compare_texts(vc_str_of(a), vc_str_of(b), dimension->is_number[level]);
}

const char *oracle_key(const struct dimension *dimension, uint32_t leaf, unsigned level)
{
    const struct world_leaf *at = &dimension->stored->leaves[leaf];
    return world_has_member(dimension->stored, at, level) ? at->keys[level] : NULL;
}

int oracle_compare_paths(const struct dimension *dimension, unsigned nlevels, uint32_t a,
                         uint32_t b)
{
    for (unsigned l = 0; l < nlevels; l++) {
        int order =
            compare_keys(dimension, l, oracle_key(dimension, a, l), oracle_key(dimension, b, l));
        if (order != 0) return order;
    }
    return 0;
}

/* A member's number is how many different paths stand before its own. */
void oracle_number_members(struct oracle *oracle, struct dimension *dimension)
{
    const struct world_dimension *stored = dimension->stored;
    for (unsigned l = 0; l < stored->nlevels; l++) {
        bool has_key = false, has_word = false;
        for (uint32_t i = 0; i < dimension->nleaves; i++) {
            const char *key = oracle_key(dimension, i, l);
            has_key |= key != NULL;
            has_word |= key != NULL && !oracle_is_number_text(key);
        }
        dimension->is_number[l] = has_key && !has_word;
    }
    for (unsigned l = 0; l < stored->nlevels; l++) {
        dimension->member_of[l] = VC_ARENA_NEW(&oracle->arena, uint32_t, dimension->nleaves + 1);
        bool *is_first = VC_ARENA_NEW(&oracle->arena, bool, dimension->nleaves + 1);
        for (uint32_t j = 0; j < dimension->nleaves; j++) {
            is_first[j] = world_has_member(stored, &stored->leaves[j], l); /* of its path */
            for (uint32_t k = 0; k < j && is_first[j]; k++)
                is_first[j] = oracle_compare_paths(dimension, l + 1, k, j) != 0;
            dimension->members[l] += is_first[j];
        }
        for (uint32_t i = 0; i < dimension->nleaves; i++) {
            for (uint32_t j = 0; j < dimension->nleaves; j++)
                dimension->member_of[l][i] +=
                    is_first[j] && oracle_compare_paths(dimension, l + 1, j, i) < 0;
            if (!world_has_member(stored, &stored->leaves[i], l))
                dimension->member_of[l][i] = NOWHERE;
        }
    }
}

/* The order of a joined dimension's leaves: by path, then by key or, without one, by what tells
 * them apart. Which load they came with does not matter. */
struct leaf_order {
    struct dimension dimension; /* for its order */
    bool is_code_number;        /* of all leaves */
};

static bool comes_before(const struct leaf_order *order, uint32_t a, uint32_t b)
{
    const struct world_dimension *stored = order->dimension.stored;
    int compared = oracle_compare_paths(&order->dimension, stored->nlevels, a, b);
    const struct world_leaf *x = &stored->leaves[a], *y = &stored->leaves[b];
    bool has_key = stored->has_table;
    if (compared == 0)
        compared =
            oracle_compare_texts(vc_str_of(has_key ? x->key : x->code),
                                 vc_str_of(has_key ? y->key : y->code), order->is_code_number);
    return compared < 0;
}

static void order_leaves(struct oracle *oracle, const struct world_cube *cube, unsigned of,
                         uint32_t *leaves, uint32_t count)
{
    const struct world_dimension *stored = cube->dimensions[of];
    struct leaf_order order = {.is_code_number = true};
    order.dimension.stored = stored;
    order.dimension.nleaves = (uint32_t)stored->nleaves;
    oracle_number_members(oracle, &order.dimension);
    for (uint32_t i = 0; i < stored->nleaves; i++) {
        const char *text = stored->has_table ? stored->leaves[i].key : stored->leaves[i].code;
        order.is_code_number &= text == NULL || oracle_is_number_text(text);
    }
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t j = i; j > 0 && comes_before(&order, leaves[j], leaves[j - 1]); j--) {
            uint32_t swap = leaves[j];
            leaves[j] = leaves[j - 1];
            leaves[j - 1] = swap;
        }
}

/* The places of a dimension's leaves in its order. */
uint32_t *oracle_rank_leaves(struct oracle *oracle, const struct world_cube *cube, unsigned of)
{
    uint32_t nleaves = (uint32_t)cube->dimensions[of]->nleaves;
    uint32_t *leaves = VC_ARENA_NEW(&oracle->arena, uint32_t, nleaves + 1);
    uint32_t *ranks = VC_ARENA_NEW(&oracle->arena, uint32_t, nleaves + 1);
    for (uint32_t i = 0; i < nleaves; i++)
        leaves[i] = i;
    order_leaves(oracle, cube, of, leaves, nleaves);
    for (uint32_t i = 0; i < nleaves; i++)
        ranks[leaves[i]] = i;
    return ranks;
}
