#include "http/sizes.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(sizes, the_latest_of_a_tag)
{
    vc_sizes *sizes = vc_sizes_new();
    uint64_t bytes = 7;
    cr_assert_not(vc_sizes_find(sizes, "\"a\"", &bytes));
    cr_assert_not(vc_sizes_find(sizes, "", &bytes)); /* also where nothing has been put */
    vc_sizes_put(sizes, "", 5);
    cr_assert_not(vc_sizes_find(sizes, "", &bytes));
    cr_assert_eq(bytes, 7);
    vc_sizes_put(sizes, "\"a\"", 1);
    vc_sizes_put(sizes, "\"a-gz\"", 2);
    vc_sizes_put(sizes, "\"a\"", UINT64_C(5000000000));
    cr_assert(vc_sizes_find(sizes, "\"a\"", &bytes));
    cr_assert_eq(bytes, UINT64_C(5000000000));
    cr_assert(vc_sizes_find(sizes, "\"a-gz\"", &bytes));
    cr_assert_eq(bytes, 2);
    vc_sizes_free(sizes);
    vc_sizes_free(NULL);
}

/* One that is pushed out is unknown, and never has another's size. */
Test(sizes, many_tags)
{
    enum { NTAGS = 20000 };
    vc_sizes *sizes = vc_sizes_new();
    size_t nknown = 0;
    char etag[48];
    for (uint64_t i = 0; i < NTAGS; i++) {
        snprintf(etag, sizeof etag, "\"%032llx\"", (unsigned long long)i);
        vc_sizes_put(sizes, etag, i);
    }
    for (uint64_t i = 0; i < NTAGS; i++) {
        uint64_t bytes;
        snprintf(etag, sizeof etag, "\"%032llx\"", (unsigned long long)i);
        if (!vc_sizes_find(sizes, etag, &bytes)) continue;
        cr_assert_eq(bytes, i);
        nknown++;
    }
    cr_assert_gt(nknown, 3000);
    cr_assert_lt(nknown, NTAGS);
    vc_sizes_free(sizes);
}
