#include "markup.h"

#include "base/strmap.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

enum { MOST_DEPTH = 40, MOST_REFERENCES = 400, MOST_ATTRIBUTES = 24 };

typedef struct reader {
    const char *name;
    vc_str page;
    size_t at;
    vc_str open[MOST_DEPTH];
    size_t depth;
    vc_strmap ids;
    vc_str references[MOST_REFERENCES];
    size_t nreferences;
} reader;

#define FAIL(in, ...)                                                                              \
    do {                                                                                           \
        char why[200];                                                                             \
        snprintf(why, sizeof why, __VA_ARGS__);                                                    \
        size_t from = (in)->at < 150 ? 0 : (in)->at - 150;                                         \
        cr_fatal("%s, byte %zu: %s after\n%.*s", (in)->name, (in)->at, why,                        \
                 (int)((in)->at - from), (in)->page.data + from);                                  \
    } while (0)

static bool is_listed(vc_str name, const char *list)
{
    vc_str rest = vc_str_of(list);
    while (rest.size > 0)
        if (vc_str_equal(vc_str_split(&rest, ' '), name)) return true;
    return false;
}

static const char elements[] =
    "html head meta title style body header nav main section footer h1 h2 h3 p ol ul li a dl div "
    "dt "
    "dd data small span b i code strong sup abbr table caption thead tbody tr th td figure "
    "figcaption details summary svg g path rect line polyline polygon circle text desc";
static const char attributes[] =
    "lang dir charset http-equiv content name class id href rel role tabindex aria-label "
    "aria-labelledby aria-describedby aria-hidden scope colspan rowspan style title value viewBox "
    "width height x y x1 y1 x2 y2 cx cy r d points fill fill-rule fill-opacity stroke stroke-width "
    "stroke-dasharray stroke-linejoin stroke-linecap stroke-opacity text-anchor font-size "
    "font-weight font-family transform xmlns xml:space focusable preserveAspectRatio";

static char now(const reader *in)
{
    return in->at < in->page.size ? in->page.data[in->at] : '\0';
}

static vc_str read_name(reader *in)
{
    size_t first = in->at;
    while (now(in) != '\0' && strchr(" \n>=/\"'<", now(in)) == NULL)
        in->at++;
    return (vc_str){.data = in->page.data + first, .size = in->at - first};
}

static void check_character(reader *in)
{
    unsigned char byte = (unsigned char)now(in);
    if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f)
        FAIL(in, "control %02x", byte);
    if (byte == 0xc2 && (unsigned char)in->page.data[in->at + 1] < 0xa0) FAIL(in, "a C1 control");
    if (byte != '&') return;
    vc_str rest = {.data = in->page.data + in->at, .size = in->page.size - in->at};
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
        if (vc_str_starts_with(rest, vc_str_of(entities[i]))) return;
    FAIL(in, "a bare &");
}

static void refer(reader *in, vc_str id)
{
    cr_assert_lt(in->nreferences, MOST_REFERENCES);
    in->references[in->nreferences++] = id;
}

static void check_attribute(reader *in, vc_str name, vc_str value)
{
    bool is_new = true;
    if (!is_listed(name, attributes)) FAIL(in, "attribute %.*s", VC_FMT(name));
    if (vc_str_is(name, "id")) {
        vc_strmap_put(&in->ids, value, &is_new);
        if (!is_new || value.size == 0) FAIL(in, "id %.*s again", VC_FMT(value));
    } else if (vc_str_is(name, "aria-labelledby") || vc_str_is(name, "aria-describedby")) {
        while (value.size > 0)
            refer(in, vc_str_split(&value, ' '));
    } else if (vc_str_is(name, "href")) {
        if (vc_str_starts_with(value, VC_STR("#")))
            refer(in, (vc_str){value.data + 1, value.size - 1});
        else if (!vc_str_starts_with(value, VC_STR("https://")) &&
                 !vc_str_starts_with(value, VC_STR("http://")))
            FAIL(in, "address %.*s", VC_FMT(value));
    } else if (vc_str_is(name, "style")) {
        if (vc_str_contains(value, VC_STR("url")) || vc_str_contains(value, VC_STR("import")))
            FAIL(in, "style %.*s", VC_FMT(value));
    }
}

static void read_attributes(reader *in)
{
    vc_str names[MOST_ATTRIBUTES];
    for (size_t n = 0; now(in) == ' '; n++) {
        in->at++;
        cr_assert_lt(n, MOST_ATTRIBUTES);
        names[n] = read_name(in);
        for (size_t i = 0; i < n; i++)
            if (vc_str_equal(names[i], names[n])) FAIL(in, "attribute again");
        if (now(in) != '=' || in->page.data[in->at + 1] != '"') FAIL(in, "no quoted value");
        in->at += 2;
        size_t first = in->at;
        for (; now(in) != '"'; in->at++) {
            if (now(in) == '<' || now(in) == '\0') FAIL(in, "a value that does not end");
            check_character(in);
        }
        check_attribute(in, names[n], (vc_str){in->page.data + first, in->at - first});
        in->at++;
    }
}

static void skip_styles(reader *in)
{
    const char *end = memmem(in->page.data + in->at, in->page.size - in->at, "</style>", 8);
    if (end == NULL) FAIL(in, "styles without an end");
    in->at = (size_t)(end - in->page.data);
}

static void read_tag(reader *in)
{
    in->at++;
    bool closes = now(in) == '/';
    in->at += closes;
    vc_str name = read_name(in);
    if (closes) {
        if (in->depth == 0 || !vc_str_equal(in->open[--in->depth], name))
            FAIL(in, "</%.*s> where <%.*s> is open", VC_FMT(name), VC_FMT(in->open[in->depth]));
    } else {
        if (!is_listed(name, elements)) FAIL(in, "element %.*s", VC_FMT(name));
        read_attributes(in);
        bool is_empty = now(in) == '/' || vc_str_is(name, "meta");
        in->at += now(in) == '/';
        if (!is_empty) {
            cr_assert_lt(in->depth, MOST_DEPTH);
            in->open[in->depth++] = name;
        }
    }
    if (now(in) != '>') FAIL(in, "a tag that does not end");
    in->at++;
    if (!closes && vc_str_is(name, "style")) skip_styles(in);
}

void assert_well_formed(const char *name, vc_str page)
{
    reader in = {.name = name, .page = page};
    vc_str type = VC_STR("<!DOCTYPE html>\n");
    if (vc_str_starts_with(page, type)) in.at = type.size;
    while (in.at < page.size) {
        if (now(&in) == '<') {
            read_tag(&in);
            continue;
        }
        if (now(&in) == '>') FAIL(&in, "a bare >");
        check_character(&in);
        in.at++;
    }
    if (in.depth != 0) FAIL(&in, "%.*s is open at the end", VC_FMT(in.open[in.depth - 1]));
    for (size_t i = 0; i < in.nreferences; i++)
        if (vc_strmap_find(&in.ids, in.references[i]) == VC_STRMAP_NONE)
            FAIL(&in, "no id %.*s", VC_FMT(in.references[i]));
    vc_strmap_release(&in.ids);
}

size_t count_of(vc_str page, const char *text)
{
    size_t count = 0, size = strlen(text);
    const char *at = page.data, *end = page.data + page.size;
    while (size > 0 && (at = memmem(at, (size_t)(end - at), text, size)) != NULL) {
        count++;
        at += size;
    }
    return count;
}
