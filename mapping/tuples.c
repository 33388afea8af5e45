/* A table of all codes where they are few, or at most four for each fact; else a hash table. Facts
 * repeat tuples, mostly, and lie in some order, so either is looked up at nearby places. */
#include "mapping/tuples.h"

#include "dimensions/renumber.h"

#include <stdlib.h>
#include <string.h>

enum { DENSE_CODES = 1 << 16, DENSE_MOST = 1 << 26, FOUND = 0 };

vc_status vc_tuples_new(const vc_dimension *const *dimensions, size_t ncomponents, uint64_t nrows,
                        vc_tuples **tuples_out, vc_error *error)
{
    vc_tuples *tuples = calloc(1, sizeof *tuples);
    if (tuples == NULL) return vc_no_memory(error);
    tuples->ncomponents = ncomponents;
    tuples->dimensions = dimensions;
    tuples->ncodes = 1;
    for (size_t c = ncomponents; c-- > 0;) {
        uint64_t nleaves = dimensions[c]->nleaves;
        tuples->strides[c] = tuples->ncodes;
        if (__builtin_mul_overflow(tuples->ncodes, nleaves > 0 ? nleaves : 1, &tuples->ncodes) ||
            tuples->ncodes > INT64_MAX) {
            free(tuples);
            return vc_fail(error, VC_LIMIT, "limit_tuples",
                           "the dimensions of a composite key have more than 9.2e18 combinations "
                           "of members");
        }
    }
    uint64_t most = nrows < DENSE_MOST / 4 ? nrows * 4 : DENSE_MOST;
    if (tuples->ncodes <= (most > DENSE_CODES ? most : DENSE_CODES)) {
        tuples->dense = malloc((size_t)tuples->ncodes * sizeof *tuples->dense);
        if (tuples->dense != NULL)
            memset(tuples->dense, 0xFF, (size_t)tuples->ncodes * sizeof *tuples->dense);
    } else {
        tuples->mask = DENSE_CODES - 1;
        tuples->codes = calloc(tuples->mask + 1, sizeof *tuples->codes);
    }
    if (tuples->dense == NULL && tuples->codes == NULL) {
        free(tuples);
        return vc_no_memory(error);
    }
    *tuples_out = tuples;
    return VC_OK;
}

void vc_tuples_free(vc_tuples *tuples)
{
    if (tuples == NULL) return;
    free((uint32_t *)tuples->leaves);
    free(tuples->dense);
    free(tuples->codes);
    free(tuples->numbers);
    free(tuples);
}

/* ---- adding ---- */

static uint64_t hash_code(uint64_t code)
{
    code *= UINT64_C(0x9E3779B97F4A7C15);
    return code ^ code >> 32;
}

/* Where the code is, or belongs. */
static uint64_t find_place(const uint64_t *codes, uint64_t mask, uint64_t code)
{
    uint64_t at = hash_code(code) & mask;
    while (codes[at] != 0 && codes[at] != code + 1)
        at = (at + 1) & mask;
    return at;
}

static vc_status grow(vc_tuples *tuples, vc_error *error)
{
    uint64_t mask = tuples->mask * 2 + 1;
    uint64_t *codes = calloc(mask + 1, sizeof *codes);
    if (codes == NULL) return vc_no_memory(error);
    for (uint64_t at = 0; at <= tuples->mask; at++)
        if (tuples->codes[at] != 0)
            codes[find_place(codes, mask, tuples->codes[at] - 1)] = tuples->codes[at];
    free(tuples->codes);
    tuples->codes = codes;
    tuples->mask = mask;
    return VC_OK;
}

vc_status vc_tuples_add(vc_tuples *tuples, const uint64_t *codes, size_t n, vc_error *error)
{
    if (tuples->dense != NULL) {
        for (size_t i = 0; i < n; i++) {
            tuples->count += tuples->dense[codes[i]] != FOUND;
            tuples->dense[codes[i]] = FOUND;
        }
        return VC_OK;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t at = find_place(tuples->codes, tuples->mask, codes[i]);
        if (tuples->codes[at] != 0) continue;
        if (tuples->count == INT32_MAX)
            return vc_fail(error, VC_LIMIT, "limit_tuples",
                           "the facts have more than 2,147,483,647 combinations of members in the "
                           "dimensions of a composite key");
        tuples->codes[at] = codes[i] + 1;
        tuples->count++;
        if (2 * (uint64_t)tuples->count <= tuples->mask) continue;
        vc_status status = grow(tuples, error);
        if (status != VC_OK) return status;
    }
    return VC_OK;
}

/* ---- numbering ---- */

struct ranked { /* a code and its place among the others */
    uint64_t rank, code;
};

static int compare_ranked(const void *a, const void *b)
{
    uint64_t x = ((const struct ranked *)a)->rank, y = ((const struct ranked *)b)->rank;
    return (x > y) - (x < y);
}

static uint32_t leaf_of(const vc_tuples *tuples, size_t component, uint64_t code)
{
    uint64_t nleaves = tuples->dimensions[component]->nleaves;
    return (uint32_t)(code / tuples->strides[component] % (nleaves > 0 ? nleaves : 1));
}

static void collect(const vc_tuples *tuples, struct ranked *list)
{
    size_t n = 0;
    if (tuples->dense != NULL) {
        for (uint64_t code = 0; code < tuples->ncodes; code++)
            if (tuples->dense[code] == FOUND) list[n++].code = code;
    } else {
        for (uint64_t at = 0; at <= tuples->mask; at++)
            if (tuples->codes[at] != 0) list[n++].code = tuples->codes[at] - 1;
    }
}

/* Add a component's share to the ranks: the place of its leaf, times the stride. */
static vc_status rank_component(const vc_tuples *tuples, size_t component, struct ranked *list,
                                vc_error *error)
{
    vc_arena work = {0};
    const uint32_t *order;
    const vc_dimension *dimension = tuples->dimensions[component];
    vc_status status = vc_dimension_order_leaves(dimension, &work, &order, error);
    uint32_t *places = malloc(((size_t)dimension->nleaves + 1) * sizeof *places);
    if (status == VC_OK && places == NULL) status = vc_no_memory(error);
    if (status == VC_OK) {
        for (uint32_t i = 0; i < dimension->nleaves; i++)
            places[order[i]] = i;
        for (uint32_t i = 0; i < tuples->count; i++)
            list[i].rank +=
                places[leaf_of(tuples, component, list[i].code)] * tuples->strides[component];
    }
    free(places);
    vc_arena_release(&work);
    return status;
}

static void number(vc_tuples *tuples, const struct ranked *list, uint32_t *leaves)
{
    for (uint32_t i = 0; i < tuples->count; i++) {
        if (tuples->dense != NULL)
            tuples->dense[list[i].code] = i;
        else
            tuples->numbers[find_place(tuples->codes, tuples->mask, list[i].code)] = i;
        for (size_t c = 0; c < tuples->ncomponents; c++)
            leaves[c * tuples->count + i] = leaf_of(tuples, c, list[i].code);
    }
}

vc_status vc_tuples_finish(vc_tuples *tuples, vc_error *error)
{
    struct ranked *list = calloc((size_t)tuples->count + 1, sizeof *list);
    uint32_t *leaves = malloc(((size_t)tuples->count * tuples->ncomponents + 1) * sizeof *leaves);
    vc_status status = list == NULL || leaves == NULL ? vc_no_memory(error) : VC_OK;
    if (status == VC_OK && tuples->dense == NULL) {
        tuples->numbers = malloc((tuples->mask + 1) * sizeof *tuples->numbers);
        if (tuples->numbers == NULL) status = vc_no_memory(error);
    }
    if (status == VC_OK) collect(tuples, list);
    for (size_t c = 0; c < tuples->ncomponents && status == VC_OK; c++)
        status = rank_component(tuples, c, list, error);
    if (status == VC_OK) {
        bool is_sorted = true;
        for (uint32_t i = 1; i < tuples->count; i++)
            is_sorted &= list[i - 1].rank < list[i].rank;
        if (!is_sorted) qsort(list, tuples->count, sizeof *list, compare_ranked);
        number(tuples, list, leaves);
        tuples->leaves = leaves;
        leaves = NULL;
    }
    free(leaves);
    free(list);
    return status;
}

/* ---- finding ---- */

void vc_tuples_find(const vc_tuples *tuples, const uint64_t *codes, size_t n, uint32_t *numbers_out)
{
    if (tuples->dense != NULL) {
        for (size_t i = 0; i < n; i++)
            numbers_out[i] = tuples->dense[codes[i]];
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t at = find_place(tuples->codes, tuples->mask, codes[i]);
        numbers_out[i] = tuples->codes[at] == 0 ? VC_NONE : tuples->numbers[at];
    }
}
