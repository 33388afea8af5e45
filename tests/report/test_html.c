#include "fixtures.h"
#include "making.h"
#include "markup.h"
#include "writing.h"

#include "report/writers.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

static vc_str write_page(const vc_document *document, vc_buffer *page)
{
    cr_assert(zero(vc_html_write(document, vc_render_to_buffer(page), NULL)));
    return (vc_str){.data = page->data, .size = page->size};
}

ParameterizedTestParameters(html, fixtures)
{
    static char names[64][24];
    size_t count = 0;
    for (; fixture_names[count] != NULL; count++)
        snprintf(names[count], sizeof names[count], "%s", fixture_names[count]);
    return cr_make_param_array(char[24], names, count);
}

/* Without what is inside of an element that has tests of its own. */
static void put_without(vc_buffer *out, vc_str page, const char *begin, const char *end)
{
    size_t at = 0;
    const char *found;
    while ((found = memmem(page.data + at, page.size - at, begin, strlen(begin))) != NULL) {
        const char *last = memmem(found, page.size - (size_t)(found - page.data), end, strlen(end));
        cr_assert(last != NULL);
        vc_buffer_put(out, page.data + at, (size_t)(found - page.data) - at);
        vc_buffer_printf(out, "%s...", begin);
        at = (size_t)(last - page.data);
    }
    vc_buffer_put(out, page.data + at, page.size - at);
}

/* Every page is well formed, is the same twice and, of a bounded size, what was looked at by eye.
 * Styles and pictures are left out of that. */
ParameterizedTest(char (*name)[24], html, fixtures)
{
    vc_arena arena = {0};
    vc_buffer page = {0}, again = {0}, unstyled = {0}, bare = {0};
    char file[64];
    const vc_document *document = fixture_document(*name, &arena);
    vc_str text = write_page(document, &page);
    assert_well_formed(*name, text);
    cr_assert(vc_str_equal(write_page(document, &again), text));
    if (strcmp(*name, "long") != 0) {
        snprintf(file, sizeof file, "%s.html", *name);
        put_without(&unstyled, text, "<style>", "</style>");
        put_without(&bare, (vc_str){unstyled.data, unstyled.size}, "<svg", "</svg>");
        assert_golden(file, &bare);
    }
    vc_buffer_release(&page);
    vc_buffer_release(&again);
    vc_buffer_release(&unstyled);
    vc_buffer_release(&bare);
    vc_arena_release(&arena);
}

Test(html, has_every_row_of_a_long_table)
{
    vc_arena arena = {0};
    vc_buffer page = {0};
    vc_str text = write_page(fixture_document("long", &arena), &page);
    cr_assert(eq(sz, count_of(text, "<th scope=\"row\""), 10003));
    cr_assert(eq(sz, count_of(text, "<td>"), 30003));
    cr_assert(eq(sz, count_of(text, "The first 3 of 10,000 rows."), 1));
    vc_buffer_release(&page);
    vc_arena_release(&arena);
}

/* Nothing is loaded or run, whatever texts there are. */
Test(html, is_alone_in_the_world)
{
    vc_arena arena = {0};
    vc_buffer page = {0};
    vc_str text = write_page(fixture_document("hard", &arena), &page);
    static const char *const never[] = {"<script", "<img",    "<b onclick", "javascript:alert(3)\"",
                                        "src=\"",  "@import", "url("};
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        cr_assert(zero(sz, count_of(text, never[i])), "%s", never[i]);
    cr_assert(eq(sz,
                 count_of(text, "content=\"default-src 'none'; style-src 'unsafe-inline'; "
                                "base-uri 'none'; form-action 'none'\""),
                 1));
    cr_assert(eq(sz, count_of(text, "</style>"), 1));
    vc_buffer_release(&page);
    vc_arena_release(&arena);
}

struct language_case {
    char language[12];
    bool is_right_to_left;
};

ParameterizedTestParameters(html, language)
{
    static struct language_case cases[] = {
        {"en", false}, {"ar", true}, {"he-IL", true}, {"are", false}, {"de\"><b>", false},
    };
    return cr_make_param_array(struct language_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct language_case *c, html, language)
{
    vc_arena arena = {0};
    vc_buffer page = {0};
    vc_document *document = make_document(&arena, "Title", NULL);
    document->language = vc_str_of(c->language);
    vc_str text = write_page(document, &page);
    assert_well_formed(c->language, text);
    cr_assert(eq(sz, count_of(text, "\" dir=\"rtl\">"), c->is_right_to_left ? 1 : 0));
    vc_buffer_release(&page);
    vc_arena_release(&arena);
}

/* Addresses in sources are links, and only they. */
Test(html, links_addresses_of_the_web)
{
    vc_arena arena = {0};
    vc_buffer page = {0};
    vc_document *document = make_document(&arena, "Title", NULL);
    vc_document_source source = {
        .name = VC_STR("s"),
        .source = VC_STR("See (https://a.example/x?a=1&b=\"2), http://, javascript:alert(1) and "
                         "http://b.example.")};
    document->sources = &source;
    document->nsources = 1;
    document->has_notes = true;
    vc_str text = write_page(document, &page);
    assert_well_formed("sources", text);
    cr_assert(eq(sz, count_of(text, "<a "), 2));
    cr_assert(eq(sz, count_of(text, "href=\"https://a.example/x?a=1&amp;b=\">"), 1));
    cr_assert(eq(sz, count_of(text, "href=\"http://b.example\">"), 1));
    vc_buffer_release(&page);
    vc_arena_release(&arena);
}

Test(html, goes_out_in_blocks_and_stops_where_the_sink_fails)
{
    vc_arena arena = {0};
    counting whole = {0};
    const vc_document *document = fixture_document("long", &arena);
    cr_assert(zero(vc_html_write(document, count_blocks(&whole), NULL)));
    cr_assert(ge(sz, whole.nblocks, 10));
    cr_assert(lt(sz, whole.most_bytes, 80000));
    for (size_t at = 1; at <= whole.nblocks; at += 5) {
        counting counts = {.fails_at = at};
        vc_error error = {0};
        cr_assert(eq(int, vc_html_write(document, count_blocks(&counts), &error), VC_STORAGE));
        cr_assert(eq(sz, counts.nblocks, at));
        cr_assert(eq(str, (char *)error.code, "io"));
    }
    vc_arena_release(&arena);
}
