#include "fixtures.h"
#include "making.h"
#include "markup.h"
#include "writing.h"

#include "report/writers.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

static vc_str write_text(const vc_document *document, vc_buffer *text)
{
    cr_assert(zero(vc_markdown_write(document, vc_render_to_buffer(text), NULL)));
    return (vc_str){.data = text->data, .size = text->size};
}

/* Pipes that divide cells. */
static size_t count_pipes(vc_str line)
{
    size_t count = 0;
    for (size_t i = 0; i < line.size; i++) {
        if (line.data[i] == '\\')
            i++;
        else
            count += line.data[i] == '|';
    }
    return count;
}

/* Rows of a table have as many cells as its head; pipes stand nowhere else; no line is HTML. */
static void check_lines(const char *name, vc_str text)
{
    size_t npipes = 0;
    while (text.size > 0) {
        vc_str line = vc_str_split(&text, '\n');
        size_t count = count_pipes(line);
        if (npipes > 0 && line.size > 0)
            cr_assert(eq(sz, count, npipes), "%s: %.*s", name, VC_FMT(line));
        npipes = line.size == 0 ? 0 : count;
        cr_assert(not(vc_str_contains(line, VC_STR("<"))), "%s: %.*s", name, VC_FMT(line));
        for (size_t i = 0; i < line.size; i++)
            cr_assert(ge(int, (unsigned char)line.data[i], ' '), "%s: %.*s", name, VC_FMT(line));
    }
}

ParameterizedTestParameters(markdown, fixtures)
{
    static char names[64][24];
    size_t count = 0;
    for (; fixture_names[count] != NULL; count++)
        snprintf(names[count], sizeof names[count], "%s", fixture_names[count]);
    return cr_make_param_array(char[24], names, count);
}

ParameterizedTest(char (*name)[24], markdown, fixtures)
{
    vc_arena arena = {0};
    vc_buffer text = {0}, again = {0};
    char file[64];
    const vc_document *document = fixture_document(*name, &arena);
    vc_str written = write_text(document, &text);
    check_lines(*name, written);
    cr_assert(vc_str_equal(write_text(document, &again), written));
    snprintf(file, sizeof file, "%s.md", *name);
    if (strcmp(*name, "long") != 0) assert_golden(file, &text);
    vc_buffer_release(&text);
    vc_buffer_release(&again);
    vc_arena_release(&arena);
}

/* ---- texts ---- */

struct text_case {
    const char *text, *expected;
};

static const struct text_case texts[] = {
    {"# head", "\\# head"},
    {"- list", "\\- list"},
    {"+ list", "\\+ list"},
    {"* list", "\\* list"},
    {"12. list", "12\\. list"},
    {"1) list", "1\\) list"},
    {"12.5 is a number", "12\\.5 is a number"},
    {"> quote", "&gt; quote"},
    {"===", "\\==="},
    {"---", "\\---"},
    {"~~~", "\\~\\~\\~"},
    {":-:", "\\:-:"},
    {"    code", "code"},
    {"\tcode", "code"},
    {"a & b &amp; &#1; &x", "a & b &amp;amp; &amp;#1; &amp;x"},
    {"[a](b) ![c][d] `e` *f* _g_ ~h~ $i$ j|k \\l",
     "\\[a\\](b) !\\[c\\]\\[d\\] \\`e\\` \\*f\\* \\_g\\_ \\~h\\~ \\$i\\$ j\\|k \\\\l"},
    {"<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"},
    {"C #", "C \\#"},
    {"one\ntwo\r\nthree", "one\\\ntwo\\\nthree"},
    {"one\n\n\n# two\n", "one\n\n\\# two"},
    {"\x01 \x1b \x7f", "\xE2\x90\x81 \xE2\x90\x9B \xE2\x90\xA1"},
};

/* A paragraph reads as it was written, whatever its lines begin with. */
Test(markdown, texts_read_as_they_are)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        vc_arena arena = {0};
        vc_buffer text = {0}, expected = {0};
        vc_document *document = make_document(&arena, "T", NULL);
        document->description = vc_str_of(texts[i].text);
        write_text(document, &text);
        vc_buffer_printf(&expected, "# T\n\n%s\n\n", texts[i].expected);
        cr_assert(eq(str, (char *)vc_buffer_text(&text), (char *)vc_buffer_text(&expected)));
        vc_buffer_release(&text);
        vc_buffer_release(&expected);
        vc_arena_release(&arena);
    }
}

Test(markdown, code_is_between_more_backticks_than_it_has)
{
    vc_arena arena = {0};
    vc_buffer text = {0};
    vc_document *document = make_document(&arena, "T", NULL);
    vc_section *section = make_section(&arena, document, VC_SECTION_FAILED, "s", NULL);
    section->failure = VC_STR("why");
    section->query = VC_STR("a ``` b\n`c`");
    vc_str written = write_text(document, &text);
    cr_assert(eq(sz, count_of(written, "> Asked was ```` a ``` b"), 1));
    cr_assert(eq(sz, count_of(written, " ````\n"), 1));
    vc_buffer_release(&text);
    vc_arena_release(&arena);
}

Test(markdown, goes_out_in_blocks_and_stops_where_the_sink_fails)
{
    vc_arena arena = {0};
    counting whole = {0};
    const vc_document *document = fixture_document("long", &arena);
    cr_assert(zero(vc_markdown_write(document, count_blocks(&whole), NULL)));
    cr_assert(ge(sz, whole.nblocks, 5));
    cr_assert(lt(sz, whole.most_bytes, 80000));
    for (size_t at = 1; at <= whole.nblocks; at += 3) {
        counting counts = {.fails_at = at};
        vc_error error = {0};
        cr_assert(eq(int, vc_markdown_write(document, count_blocks(&counts), &error), VC_STORAGE));
        cr_assert(eq(sz, counts.nblocks, at));
    }
    vc_arena_release(&arena);
}
