/* Halves of halves until the C library is quick with them, then these are merged. Between, and
 * every so many items of a merge, the plan is asked. */
#include "slice/sort.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { RUN_ITEMS = 8192, LOOK_ITEMS = 32768 };

typedef int comparison(const void *a, const void *b, void *context);

struct merging {
    const vc_plan *plan;
    size_t item_bytes;
    comparison *compare;
    void *context;
    char *left;    /* half as many items: those of a left half while they are merged */
    size_t nmoved; /* since the plan was asked */
};

static vc_status look(struct merging *in, size_t nitems, vc_error *error)
{
    in->nmoved += nitems;
    if (in->nmoved < LOOK_ITEMS) return VC_OK;
    in->nmoved = 0;
    return vc_plan_check(in->plan, error);
}

/* Until one of them ends or LOOK_ITEMS are moved. Returns how many. */
static inline size_t merge_some(const struct merging *in, size_t item_bytes, const char **a,
                                const char *a_end, const char **b, const char *b_end, char *to)
{
    size_t nitems = 0;
    for (; *a < a_end && *b < b_end && nitems < LOOK_ITEMS; nitems++) {
        const char **from = in->compare(*a, *b, in->context) <= 0 ? a : b;
        memcpy(to + nitems * item_bytes, *from, item_bytes);
        *from += item_bytes;
    }
    return nitems;
}

/* The left half goes out of the way; then what is written is never ahead of what is read. */
static vc_status merge(struct merging *in, char *items, size_t nleft, size_t nitems,
                       vc_error *error)
{
    vc_status status = VC_OK;
    size_t left_bytes = nleft * in->item_bytes;
    const char *a = in->left, *a_end = in->left + left_bytes;
    const char *b = items + left_bytes, *b_end = items + nitems * in->item_bytes;
    char *to = items;
    memcpy(in->left, items, left_bytes);
    while (a < a_end && b < b_end && status == VC_OK) {
        size_t nmoved = in->item_bytes == 4 ? merge_some(in, 4, &a, a_end, &b, b_end, to)
                                            : merge_some(in, 8, &a, a_end, &b, b_end, to);
        to += nmoved * in->item_bytes;
        status = look(in, nmoved, error);
    }
    memcpy(to, a, (size_t)(a_end - a)); /* what is left of the right half is in its place */
    return status;
}

static vc_status sort(struct merging *in, char *items, size_t nitems, vc_error *error)
{
    if (nitems <= RUN_ITEMS) {
        qsort_r(items, nitems, in->item_bytes, in->compare, in->context);
        return look(in, nitems, error);
    }
    size_t nleft = nitems / 2;
    vc_status status = sort(in, items, nleft, error);
    if (status == VC_OK) status = sort(in, items + nleft * in->item_bytes, nitems - nleft, error);
    return status == VC_OK ? merge(in, items, nleft, nitems, error) : status;
}

vc_status vc_sort(const vc_plan *plan, void *items, size_t nitems, size_t item_bytes,
                  comparison *compare, void *context, vc_error *error)
{
    assert(item_bytes == 4 || item_bytes == 8);
    struct merging in = {plan, item_bytes, compare, context, NULL, 0};
    if (nitems > RUN_ITEMS) {
        in.left = malloc(nitems / 2 * item_bytes);
        if (in.left == NULL) return vc_no_memory(error);
    }
    vc_status status = sort(&in, items, nitems, error);
    free(in.left);
    return status;
}
