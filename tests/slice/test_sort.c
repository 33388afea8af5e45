/* Sorting that can be cancelled: the same as the C library's, until nobody wants it any more. */
#include "slice/sort.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct asked {
    size_t nlooks, cancels_at; /* SIZE_MAX: never */
};

static bool is_cancelled(void *context)
{
    struct asked *asked = context;
    return ++asked->nlooks > asked->cancels_at;
}

static uint64_t ncompared;

static int compare_words(const void *a, const void *b, void *context)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    ncompared += context != NULL;
    return (x > y) - (x < y);
}

static int compare_numbers(const void *a, const void *b, void *context)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    (void)context;
    return (x < y) - (x > y); /* the greatest first */
}

static vc_status sort(struct asked *asked, void *items, size_t nitems, size_t item_bytes)
{
    vc_engine_options options = {.is_cancelled = is_cancelled, .context = asked};
    vc_plan plan = {.options = &options, .deadline_ns = UINT64_MAX};
    vc_error error = {0};
    vc_status status = item_bytes == 8
                           ? vc_sort(&plan, items, nitems, 8, compare_words, asked, &error)
                           : vc_sort(&plan, items, nitems, 4, compare_numbers, asked, &error);
    if (status != VC_OK) cr_assert_str_eq(error.code, "cancelled");
    return status;
}

/* Few different values, so that many are equal; ascending; descending. */
static uint64_t make_value(size_t i, size_t nitems, int form)
{
    return form == 0   ? (i * 2654435761u) % 97
           : form == 1 ? i
           : form == 2 ? nitems - i
                       : (uint32_t)(i * 2654435761u);
}

Test(sort, as_the_library_does)
{
    static const size_t sizes[] = {0, 1, 2, 3, 8191, 8192, 8193, 16384, 16385, 40000, 100001};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (int form = 0; form < 4; form++) {
            size_t n = sizes[s];
            struct asked asked = {.cancels_at = SIZE_MAX};
            uint64_t *words = calloc(n + 1, sizeof *words),
                     *expected = calloc(n + 1, sizeof *words);
            uint32_t *numbers = calloc(n + 1, sizeof *numbers), *wanted = calloc(n + 1, 4);
            for (size_t i = 0; i < n; i++) {
                words[i] = expected[i] = make_value(i, n, form);
                numbers[i] = wanted[i] = (uint32_t)words[i];
            }
            qsort_r(expected, n, sizeof *words, compare_words, NULL);
            qsort_r(wanted, n, sizeof *numbers, compare_numbers, NULL);
            cr_assert_eq(sort(&asked, words, n, 8), VC_OK);
            cr_assert_eq(sort(&asked, numbers, n, 4), VC_OK);
            cr_assert_eq(memcmp(words, expected, n * sizeof *words), 0, "%zu, %d", n, form);
            cr_assert_eq(memcmp(numbers, wanted, n * sizeof *numbers), 0, "%zu, %d", n, form);
            free(words);
            free(expected);
            free(numbers);
            free(wanted);
        }
}

/* Wherever it is cancelled, it ends there, and does not compare much more: between two looks there
 * is less than a millisecond's work for most comparisons. */
Test(sort, ends_when_nobody_wants_it)
{
    enum { NITEMS = 500000 };
    uint64_t *words = malloc(NITEMS * sizeof *words);
    struct asked whole = {.cancels_at = SIZE_MAX};
    for (size_t i = 0; i < NITEMS; i++)
        words[i] = (uint32_t)(i * 2654435761u);
    ncompared = 0;
    cr_assert_eq(sort(&whole, words, NITEMS, 8), VC_OK);
    uint64_t nall = ncompared;
    cr_assert_geq(whole.nlooks, 50);
    for (size_t at = 0; at < whole.nlooks; at += 7) {
        struct asked asked = {.cancels_at = at};
        for (size_t i = 0; i < NITEMS; i++)
            words[i] = (uint32_t)(i * 2654435761u);
        ncompared = 0;
        cr_assert_eq(sort(&asked, words, NITEMS, 8), VC_CANCELLED);
        cr_assert_eq(asked.nlooks, at + 1);
        cr_assert_leq(ncompared, (at + 1) * (nall / whole.nlooks) * 4 + 600000);
    }
    free(words);
}
