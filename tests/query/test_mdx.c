/* Names, sets and ranges as clients of mondrian-rest write them. */
#include "query/mdx.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

/* "a|&b" for each name, "~" in front when it is negated, ":" between the ends of a range. */
static void show(const vc_mdx_cut *cut, vc_buffer *out)
{
    if (cut->is_negated) vc_buffer_put_char(out, '~');
    for (size_t n = 0; n < cut->nnames; n++) {
        if (n > 0) vc_buffer_put_text(out, cut->is_range ? " : " : " , ");
        for (size_t p = 0; p < cut->names[n].nparts; p++) {
            const vc_mdx_part *part = &cut->names[n].parts[p];
            vc_buffer_printf(out, "%s%s%.*s", p > 0 ? "|" : "", part->is_key ? "&" : "",
                             VC_FMT(part->text));
        }
    }
}

struct cut_case {
    char text[80];
    char shown[80];
    int offset; /* of the error; -1: none */
};

ParameterizedTestParameters(mdx, cut)
{
    static struct cut_case cases[] = {
        {"[geo].[country].&[FR]", "geo|country|&FR", -1},
        {"geo.country.&FR", "geo|country|&FR", -1},
        {" ~ { [a].[b].&[1] , [a].[b].&[2] } ", "~a|b|&1 , a|b|&2", -1},
        {"([t].[y].&[1]:[t].[y].&[2])", "t|y|&1 : t|y|&2", -1},
        {"[t].[y].&[1] : [t].[y].&[2]", "t|y|&1 : t|y|&2", -1},
        {"[a].[b].&[k1]&[k2]", "a|b|&k1|&k2", -1},
        {"[a]]b].[c.d, {e}]", "a]b|c.d, {e}", -1}, /* as MDX has it */
        {"[a].&[x]y]", "a|&x]y", -1},              /* and what clients make of it */
        {"[a].&[x]]", "a|&x]", -1},
        {"{[a].&[x]]],[a].&[y]}", "a|&x] , a|&y", -1},
        {"[a].&[]", "a|&", -1},
        {"", "", 0},
        {"[a", "", 2},
        {"[a].", "", 4},
        {"[a].[b", "", 6},
        {"{[a]", "", 4},
        {"{[a],}", "", 5},
        {"([a])", "", 4},
        {"([a]:[b]", "", 8},
        {"[a]x", "", 4}, /* no end of the text */
        {"[a] [b]", "a] [b", -1},
        {"[a].&", "", 5},
    };
    return cr_make_param_array(struct cut_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct cut_case *c, mdx, cut)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_mdx_cut cut;
    vc_buffer shown = {0};
    vc_source_text source = {.text = vc_str_of(c->text), .where = "cut"};
    vc_status status = vc_mdx_cut_parse(source, &arena, &cut, &error);
    cr_assert_eq(status, c->offset < 0 ? VC_OK : VC_BAD_INPUT, "%s: %s", c->text, error.message);
    if (status == VC_OK) {
        show(&cut, &shown);
        cr_assert_str_eq(vc_buffer_text(&shown), c->shown);
    } else {
        cr_assert_str_eq(error.code, "syntax");
        cr_assert_eq(error.offset, c->offset, "%s: at %ld, %s", c->text, error.offset,
                     error.message);
    }
    vc_buffer_release(&shown);
    vc_arena_release(&arena);
}

/* What is written is read again, whatever the text is. */
Test(mdx, written_and_read)
{
    static const char *const texts[] = {"a",   "a]b",  "]",       "]]",
                                        "a.b", "&[x]", "{,}:()~", "\xC3\xA9 "};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        vc_arena arena = {0};
        vc_error error = {0};
        vc_mdx_name name;
        vc_buffer text = {0};
        vc_mdx_put_part(&text, vc_str_of(texts[i]));
        vc_buffer_put_text(&text, ".&");
        vc_mdx_put_part(&text, vc_str_of(texts[i]));
        vc_source_text source = {.text = {text.data, text.size}, .where = "full_name"};
        cr_assert_eq(vc_mdx_name_parse(source, &arena, &name, &error), VC_OK, "%s: %s", texts[i],
                     error.message);
        cr_assert_eq(name.nparts, 2);
        cr_assert(vc_str_is(name.parts[0].text, texts[i]) && !name.parts[0].is_key);
        cr_assert(vc_str_is(name.parts[1].text, texts[i]) && name.parts[1].is_key);
        vc_buffer_release(&text);
        vc_arena_release(&arena);
    }
}
