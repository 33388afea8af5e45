/* Each allocation of a writer of text fails once: the answer is an error or all is well, and the
 * same document can be written afterwards. Not under the address sanitizer, which has an allocator
 * of its own. */
#include "fixtures.h"
#include "writing.h"

#include "report/writers.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static _Thread_local long countdown = -1; /* allocations until one fails; -1: none does */

static bool is_refused(void)
{
    if (countdown < 0 || countdown-- > 0) return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return is_refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return is_refused() ? NULL : __libc_realloc(old, size);
}

static vc_status write_csv(const vc_document *document, vc_render_sink sink, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t s = 0; s < document->nsections && status == VC_OK; s++)
        if (document->sections[s].grid != NULL)
            status = vc_grid_write_csv(document->sections[s].grid, true, sink, error);
    return status;
}

struct writing_case {
    vc_status (*write)(const vc_document *document, vc_render_sink sink, vc_error *error);
    char document[16];
};

static struct writing_case cases[] = {
    {vc_html_write, "plain"},
    {vc_html_write, "hard"},
    {vc_html_write, "chart-heat"},
    {vc_html_write, "chart-map"},
    {vc_html_write, "chart-bubbles"},
    {vc_html_write, "chart-panels"},
    {vc_markdown_write, "hard"},
    {write_csv, "plain"},
    {write_csv, "hard"},
};

ParameterizedTestParameters(memory, each_allocation_fails_once)
{
    static size_t numbers[sizeof cases / sizeof cases[0]];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        numbers[i] = i;
    return cr_make_param_array(size_t, numbers, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(size_t *number, memory, each_allocation_fails_once, .timeout = 120)
{
    enum { MOST = 20000 };
    const struct writing_case *c = &cases[*number];
    vc_arena arena = {0};
    const vc_document *document = fixture_document(c->document, &arena);
    counting whole = {0}, again = {0};
    cr_assert(zero(c->write(document, count_blocks(&whole), NULL)));
    for (long n = 0;; n++) {
        vc_error error = {0};
        counting counts = {0};
        countdown = n;
        vc_status status = c->write(document, count_blocks(&counts), &error);
        bool is_over = countdown >= 0; /* fewer allocations than n */
        countdown = -1;
        cr_assert(status == VC_OK || status == VC_NO_MEMORY, "allocation %ld: %s", n,
                  error.message);
        /* What came out without an error is all of it. */
        cr_assert(status != VC_OK || counts.nbytes == whole.nbytes, "allocation %ld", n);
        if (is_over) break;
        cr_assert(lt(i64, n, MOST));
    }
    cr_assert(zero(c->write(document, count_blocks(&again), NULL)));
    cr_assert(eq(sz, again.nbytes, whole.nbytes));
    vc_arena_release(&arena);
}

#endif
