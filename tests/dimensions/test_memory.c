/* Out of memory at every place: an error each time, nothing leaked, nothing torn. Criterion and
 * libc go through the same malloc, so it fails only while a test says so. */
#include "dimensions/renumber.h"
#include "tests/dimensions/fixture.h"
#include "tests/dimensions/specs.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_OWN_MALLOC
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAS_OWN_MALLOC
#endif

#ifndef HAS_OWN_MALLOC /* a sanitizer has taken the place */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static long nleft = -1; /* allocations until one fails; negative: none does */

static bool is_turn(void)
{
    return nleft >= 0 && nleft-- == 0;
}

void *malloc(size_t size)
{
    return is_turn() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return is_turn() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return is_turn() ? NULL : __libc_realloc(memory, size);
}

/* Build with the n-th allocation failing, for every n until all goes well. */
static void fail_everywhere(const vc_dimension_spec *spec, const vc_dimension *older,
                            const char *rows)
{
    long nfailures = 0;
    for (long n = 0; n < 10000; n++) {
        fixture made;
        nleft = n;
        fixture_build(&made, spec, older, rows);
        bool has_failed = nleft < 0;
        nleft = -1;
        vc_status status = made.status;
        if (status == VC_OK) fixture_walk(made.dimension);
        fixture_release(&made);
        if (!has_failed) {
            cr_assert_eq(status, VC_OK);
            break;
        }
        cr_assert_eq(status, VC_NO_MEMORY, "allocation %ld gives %d", n, (int)status);
        nfailures++;
    }
    cr_assert_gt(nfailures, 10);
}

Test(memory, every_allocation_may_fail)
{
    const char *rows = "FR,Paris,75,1\nFR,Paris,~,2\nDE,Bonn,53,~\n~,Ulm,,~";
    fail_everywhere(&city_spec, NULL, rows);
    fixture older;
    fixture_build(&older, &geo_spec, NULL, "FRA,Europe,France,Paris,1\nJPN,Asia,Japan,Tokyo,9");
    fail_everywhere(&geo_spec, older.dimension, "JPN,Asia,Japan,Tokyo,9\nCHN,Asia,China,Beijing,8");
    fixture_release(&older);
}

Test(memory, renumbering)
{
    fixture first, all;
    long nfailures = 0;
    fixture_build(&first, &city_spec, NULL, "FR,Paris,75,2\nIT,Rome,~,2");
    fixture_build(&all, &city_spec, first.dimension, "FR,Paris,75,1\nDE,Bonn,53,~");
    cr_assert_not(vc_dimension_is_depth_first(all.dimension));
    for (long n = 0; n < 10000; n++) {
        vc_arena arena = {0};
        vc_buffer image = {0};
        const uint32_t *leaves;
        nleft = n;
        vc_status status = vc_dimension_renumber(all.dimension, &arena, &image, &leaves, NULL);
        bool has_failed = nleft < 0;
        nleft = -1;
        vc_buffer_release(&image);
        vc_arena_release(&arena);
        cr_assert_eq(status, has_failed ? VC_NO_MEMORY : VC_OK, "allocation %ld", n);
        if (!has_failed) break;
        nfailures++;
    }
    cr_assert_gt(nfailures, 5);
    fixture_release(&all);
    fixture_release(&first);
}

#endif
