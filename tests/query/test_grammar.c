#include "query/canonical.h"
#include "query/grammar.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

static vc_source_text source_of(const char *text)
{
    return (vc_source_text){.text = vc_str_of(text), .where = "cut"};
}

/* ---- what a cut means, shown as its canonical text ---- */

struct cut_case {
    char text[80], canonical[120];
};

ParameterizedTestParameters(grammar, cuts)
{
    static struct cut_case cases[] = {
        {"date:2004", "date:2004"},
        {"date:2004,1|class:5", "class:5|date:2004,1"},
        {"date:2004,1-2005,5", "date:2004,1-2005,5"},
        {"date:-2005", "date:-2005"},
        {"date:2005-", "date:2005-"},
        {"date:2005;2007", "date:2005;2007"},
        {"date:2007;2005;2007", "date:2005;2007"},
        {"!geo:RUS", "!geo:RUS"},
        {"geo:Europe/children", "geo:Europe/children"},
        {"geo:()/children", "geo:()/children"},
        {"geo:/children", "geo:/children"}, /* of the null member */
        {"geo:Europe/descendants", "geo:Europe/descendants"},
        {"geo:Europe,West/descendants:country;ASIA", "geo:ASIA;Europe,West/descendants:country"},
        {"geo:()", "geo:()"},
        {"geo:()x", "geo:\\(\\)x"}, /* a key may begin so */
        {"geo:\\()", "geo:\\(\\)"},
        {"geo:#brics", "geo:#brics"},
        {"geo.iso2:FR;DE", "geo.iso2:DE;FR"},
        {"date@weekly:2020,1", "date@weekly:2020,1"},
        {"date@weekly.week:W1", "date@weekly.week:W1"},
        {"date:2004,", "date:2004,"}, /* the unknown month of 2004 */
        {"date:2004,-2005", "date:2004,-2005"},
        {"date:", "date:"}, /* the null member of the top level */
        {"country:(unmatched\\:cities)", "country:\\(unmatched\\:cities\\)"},
        {"d:2020\\-01\\-31", "d:2020\\-01\\-31"},
        {"a\\|b\\:c:\\;\\,\\!\\@\\/\\#\\.\\\\", "a\\|b\\:c:\\;\\,\\!\\@\\/\\#\\.\\\\"},
        {"geo:C\xC3\xB4te d'Ivoire", "geo:C\xC3\xB4te d\\'Ivoire"},
        {"geo:\\\xC3\xA9t\xC3\xA9", "geo:\xC3\xA9t\xC3\xA9"}, /* an escape nobody needs */
    };
    return cr_make_param_array(struct cut_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct cut_case *c, grammar, cuts)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_list conditions = {0};
    vc_status status = vc_cut_parse(source_of(c->text), &arena, &conditions, &error);
    cr_assert_eq(status, VC_OK, "%s: %s at %ld", c->text, error.message, error.offset);
    vc_query query = vc_query_default();
    query.cube = VC_STR("c");
    query.conditions = conditions.items;
    query.nconditions = conditions.count;
    char expected[160];
    snprintf(expected, sizeof expected, "cube=c&cut=%s", c->canonical);
    cr_assert_str_eq(vc_query_canonical(&query, &arena).data, expected);
    vc_arena_release(&arena);
}

/* ---- the tree itself, once in full ---- */

Test(grammar, tree)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_list list = {0};
    vc_source_text source = source_of("!geo@std.iso2:FR;A-B|date:2004,1/descendants:day");
    source.base = 100;
    cr_assert_eq(vc_cut_parse(source, &arena, &list, &error), VC_OK);
    cr_assert_eq(list.count, 2);
    vc_condition **conditions = list.items;

    const vc_condition *not = conditions[0];
    cr_assert_eq(not ->kind, VC_CONDITION_NOT);
    cr_assert_eq(not ->place.offset, 100);
    cr_assert_eq(not ->nchildren, 1);
    const vc_condition *geo = not ->children[0];
    cr_assert_eq(geo->kind, VC_CONDITION_ITEMS);
    cr_assert(vc_str_is(geo->dimref.dimension, "geo"));
    cr_assert(vc_str_is(geo->dimref.hierarchy, "std"));
    cr_assert(vc_str_is(geo->dimref.level, "iso2"));
    cr_assert(vc_str_is(not ->dimref.dimension, "geo"));
    cr_assert_eq(geo->dimref.place.offset, 101);
    cr_assert_eq(geo->nitems, 2);
    cr_assert_eq(geo->items[0].kind, VC_ITEM_PATH);
    cr_assert_eq(geo->items[0].place.offset, 114);
    cr_assert_eq(geo->items[1].kind, VC_ITEM_RANGE);
    cr_assert(vc_str_is(geo->items[1].keys[0], "A"));
    cr_assert(vc_str_is(geo->items[1].end_keys[0], "B"));
    cr_assert_eq(geo->items[1].place.offset, 117);
    cr_assert(!geo->items[1].excludes_first && !geo->items[1].excludes_end);

    const vc_condition *date = conditions[1];
    cr_assert_eq(date->kind, VC_CONDITION_ITEMS);
    cr_assert(vc_str_is_null(date->dimref.hierarchy));
    cr_assert(vc_str_is_null(date->dimref.level));
    cr_assert_eq(date->items[0].kind, VC_ITEM_DESCENDANTS);
    cr_assert_eq(date->items[0].nkeys, 2);
    cr_assert(vc_str_is(date->items[0].level, "day"));
    cr_assert_str_eq(date->place.where, "cut");
    cr_assert(!date->place.is_pointer);
    vc_arena_release(&arena);
}

/* ---- malformations ---- */

struct bad_case {
    char text[48];
    long offset;
    char part[40]; /* of the message */
};

ParameterizedTestParameters(grammar, bad_cuts)
{
    static struct bad_case cases[] = {
        {"", 0, "the name of a dimension"},
        {"geo", 3, "found the end of the text, expected ':'"},
        {":FR", 0, "found ':'"},
        {"!", 1, "the name of a dimension"},
        {"!!geo:FR", 1, "found '!'"},
        {"geo:FR|", 7, "the name of a dimension"},
        {"geo@:FR", 4, "a hierarchy"},
        {"geo.:FR", 4, "a level or an index"},
        {"geo@a@b:FR", 5, "found '@', expected ':'"},
        {"geo.a@b:FR", 5, "found '@', expected ':'"},
        {"geo;x:FR", 3, "found ';', expected ':'"},
        {"geo:-", 4, "at least one end"},
        {"geo:A;-|b:1", 6, "at least one end"},
        {"d:2020-01-31", 9, "found '-', expected ';'"},
        {"geo:Dr. Pepper", 6, "found '.', expected ';'"},
        {"geo:a:b", 5, "found ':', expected ';'"},
        {"geo:a!", 5, "found '!'"},
        {"geo:a#b", 5, "found '#'"},
        {"geo:a@b", 5, "found '@'"},
        {"geo:a/kids", 6, "'children' or 'descendants'"},
        {"geo:a/childrenx", 14, "found 'x', expected ';'"},
        {"geo:a/children/children", 14, "found '/'"},
        {"geo:a/descendants:", 18, "the name of a level"},
        {"geo:#", 5, "a member set"},
        {"geo:()-2005", 6, "found '-'"},
        {"geo:(),a", 6, "found ','"},
        {"geo.iso2:Europe,FR", 15, "one key"},
        {"geo.iso2:A-B,C", 12, "one key"},
        {"geo:FR\\", 7, "found the end of the text, expected a c"},
        {"g\xC3\xA9o@:\xC3\xA9", 5, "found ':'"},
        {"geo:a/\xC3\xA9", 6, "found '\xC3\xA9'"},
    };
    return cr_make_param_array(struct bad_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct bad_case *c, grammar, bad_cuts)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_list conditions = {0};
    vc_status status = vc_cut_parse(source_of(c->text), &arena, &conditions, &error);
    cr_assert_eq(status, VC_BAD_INPUT, "%s", c->text);
    cr_assert_str_eq(error.code, "syntax");
    cr_assert_not_null(strstr(error.message, c->part), "%s: %s", c->text, error.message);
    cr_assert_str_eq(error.pointer, "cut");
    cr_assert(error.has_offset);
    cr_assert_eq(error.offset, c->offset, "%s: %s at %ld", c->text, error.message, error.offset);
    vc_arena_release(&arena);
}

/* ---- drilldowns ---- */

struct drilldown_case {
    char text[48];
    long bad_offset; /* -1: good */
    char dimension[16], hierarchy[16], level[16];
    size_t naxes;
};

ParameterizedTestParameters(grammar, drilldowns)
{
    static struct drilldown_case cases[] = {
        {"geo", -1, "geo", "", "", 1},
        {"geo:country", -1, "geo", "", "country", 1},
        {"geo.country", -1, "geo", "", "country", 1},
        {"date@ywd:week", -1, "date", "ywd", "week", 1},
        {"date@ywd", -1, "date", "ywd", "", 1},
        {"x|y:z|date@ywd:week\\-no", -1, "date", "ywd", "week-no", 3},
        {"", 0, "", "", "", 0},
        {"geo|", 4, "", "", "", 0},
        {"geo:", 4, "", "", "", 0},
        {"geo.country:country", 11, "", "", "", 0},
        {"geo:country;region", 11, "", "", "", 0},
        {"geo;date", 3, "", "", "", 0},
        {"geo:sub-region", 7, "", "", "", 0},
        {"!geo", 0, "", "", "", 0},
    };
    return cr_make_param_array(struct drilldown_case, cases, sizeof cases / sizeof cases[0]);
}

static void assert_optional(vc_str actual, const char *expected)
{
    cr_assert(expected[0] == '\0' ? vc_str_is_null(actual) : vc_str_is(actual, expected));
}

ParameterizedTest(struct drilldown_case *c, grammar, drilldowns)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_list list = {0};
    vc_status status = vc_drilldown_parse(source_of(c->text), &arena, &list, &error);
    if (c->bad_offset >= 0) {
        cr_assert_eq(status, VC_BAD_INPUT, "%s", c->text);
        cr_assert_eq(error.offset, c->bad_offset, "%s: %s", c->text, error.message);
    } else {
        cr_assert_eq(status, VC_OK, "%s: %s", c->text, error.message);
        cr_assert_eq(list.count, c->naxes);
        const vc_axis_ref *last = (vc_axis_ref *)list.items + list.count - 1;
        assert_optional(last->dimref.dimension, c->dimension);
        assert_optional(last->dimref.hierarchy, c->hierarchy);
        assert_optional(last->dimref.level, c->level);
    }
    vc_arena_release(&arena);
}

Test(grammar, dimref_takes_names_as_they_stand_in_answers)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_dimref dimref;
    cr_assert_eq(vc_dimref_parse(source_of("geo@un-m49.sub-region/x"), &arena, &dimref, &error),
                 VC_OK);
    cr_assert(vc_str_is(dimref.hierarchy, "un-m49"));
    cr_assert(vc_str_is(dimref.level, "sub-region/x"));
    cr_assert_eq(vc_dimref_parse(source_of("geo.a.b"), &arena, &dimref, &error), VC_BAD_INPUT);
    cr_assert_eq(error.offset, 5);
    vc_arena_release(&arena);
}

/* ---- what the page on the query language shows can be asked ---- */

/* Parse each word after `name` (like "cut=") in the indented lines. Returns how many there were. */
static int parse_examples(FILE *page, const char *name,
                          vc_status (*parse)(vc_source_text, vc_arena *, vc_list *, vc_error *))
{
    char line[512];
    int count = 0;
    rewind(page);
    while (fgets(line, sizeof line, page) != NULL) {
        char *at = strncmp(line, "    ", 4) == 0 ? strstr(line, name) : NULL;
        for (; at != NULL; at = strstr(at, name)) {
            vc_arena arena = {0};
            vc_error error = {0};
            vc_list list = {0};
            at += strlen(name);
            vc_str word = {.data = at, .size = strcspn(at, " &\n")};
            vc_source_text source = {.text = word, .where = name};
            cr_assert_eq(parse(source, &arena, &list, &error), VC_OK, "%s: %s", line,
                         error.message);
            count++;
            vc_arena_release(&arena);
        }
    }
    return count;
}

Test(grammar, examples_of_the_page)
{
    FILE *page = fopen("docs/query-language.md", "r");
    cr_assert_not_null(page);
    cr_assert_gt(parse_examples(page, "cut=", vc_cut_parse), 14);
    cr_assert_gt(parse_examples(page, "drilldown=", vc_drilldown_parse), 3);
    fclose(page);
}
