#include "base/json.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

struct bad_case {
    char text[64];
    unsigned line, column;
    char part[32]; /* of the message */
};

ParameterizedTestParameters(json, refused)
{
    static struct bad_case cases[] = {
        {"", 1, 1, "'[' or '{'"},
        {"{\"a\": 1,\n \"b\": x}", 2, 7, "invalid token"},
        {"{\"a\": 1,\n \"a\": 2}", 2, 2, "duplicate"},
        {"{} {}", 1, 4, "end of file"},
        {"[1, \"a\\u0000b\"]", 1, 5, "u0000"},
        {"[1,\n\xFF]", 2, 1, "UTF-8"},
        {"[[[[[1]]]]]", 1, 4, "deeper than 3"},
        {"[1e400]", 1, 2, "overflow"},
        {"[99999999999999999999]", 1, 2, "too big"},
        {"[1,\n2", 2, 2, "expected"},
        {"\xEF\xBB\xBF[1,,2]", 1, 7, "unexpected token"},
    };
    cases[0].part[0] = '\0'; /* jansson's words for an empty text differ by version */
    return cr_make_param_array(struct bad_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct bad_case *c, json, refused)
{
    vc_error error = {0};
    json_t *json = (json_t *)&error;
    cr_assert_eq(vc_json_parse(vc_str_of(c->text), "f.json", 3, &json, &error), VC_BAD_INPUT);
    cr_assert_null(json);
    cr_assert_str_eq(error.code, "json");
    cr_assert_str_eq(error.file, "f.json");
    cr_assert_not_null(strstr(error.message, c->part), "%s", error.message);
    cr_assert_eq(error.line, c->line, "%s: line %u", error.message, error.line);
    cr_assert_eq(error.column, c->column, "%s: column %u", error.message, error.column);
}

Test(json, accepted)
{
    const char *texts[] = {"{}",
                           " [1, 2.5, \"x\", null, true] ",
                           "\"just a string\"",
                           "4",
                           "\xEF\xBB\xBF{\"a\": [\"[[[[[[\", \"\\\"[[[[\"]}",
                           "[[[1]]]"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        vc_error error = {0};
        json_t *json;
        cr_assert_eq(vc_json_parse(vc_str_of(texts[i]), NULL, 3, &json, &error), VC_OK, "%s: %s",
                     texts[i], error.message);
        json_decref(json);
    }
}

struct locate_case {
    char pointer[32];
    unsigned line, column;
};

ParameterizedTestParameters(json, locate)
{
    static struct locate_case cases[] = {
        {"", 1, 1},
        {"/name", 2, 11},
        {"/list", 3, 11},
        {"/list/0", 3, 12},
        {"/list/1/x", 4, 11},
        {"/list/2", 5, 4},
        {"/a~1b", 6, 11},
        {"/t\xC3\xA9/k", 7, 18}, /* written as an escape in the text */
        {"/list/7", 3, 11},      /* leads nowhere: its longest prefix */
        {"/list/1/x/y", 4, 11},
        {"/nothing/at/all", 1, 1},
        {"/", 8, 7}, /* the empty key */
    };
    return cr_make_param_array(struct locate_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct locate_case *c, json, locate)
{
    static const char text[] = "{\n"
                               "  \"name\": \"a \\\" , ] }\",\n"
                               "  \"list\": [1,\n"
                               "    {\"x\": -2.5e3},\n"
                               "   \"s\"],\n"
                               "  \"a/b\":  [[], {}],\n"
                               "  \"t\\u00e9\":{\"k\":null},\n"
                               "  \"\": true\n"
                               "}\n";
    unsigned line, column;
    vc_json_locate(vc_str_of(text), c->pointer, &line, &column);
    cr_assert_eq(line, c->line, "%s: line %u", c->pointer, line);
    cr_assert_eq(column, c->column, "%s: column %u", c->pointer, column);
}

Test(json, scalars_as_text)
{
    vc_arena arena = {0};
    const char *expected[] = {"x", "4", "2.5", "1e+300", "true", "false"};
    json_t *json;
    cr_assert_eq(vc_json_parse(VC_STR("[\"x\", 4, 2.50, 1e300, true, false, null, [], {}]"), NULL,
                               0, &json, NULL),
                 VC_OK);
    for (size_t i = 0; i < 6; i++)
        cr_assert(vc_str_is(vc_json_scalar_text(&arena, json_array_get(json, i)), expected[i]));
    for (size_t i = 6; i < 9; i++)
        cr_assert(vc_str_is_null(vc_json_scalar_text(&arena, json_array_get(json, i))));
    cr_assert(vc_str_is_null(vc_json_scalar_text(&arena, NULL)));
    cr_assert_str_eq(vc_json_type_name(json), "an array");
    cr_assert_str_eq(vc_json_type_name(json_array_get(json, 1)), "an integer");
    cr_assert_str_eq(vc_json_type_name(NULL), "nothing");
    json_decref(json);
    vc_arena_release(&arena);
}

Test(json, unknown_keys_name_their_neighbours)
{
    static const char *const known[] = {"name", "label", "levels", NULL};
    vc_error error = {0};
    json_t *json;
    cr_assert_eq(vc_json_parse(VC_STR("{\"name\": 1, \"lebel/~\": 2}"), NULL, 0, &json, NULL),
                 VC_OK);
    cr_assert_eq(vc_json_check_keys(json, known, &error), VC_BAD_INPUT);
    cr_assert_str_eq(error.code, "unknown_field");
    cr_assert_str_eq(error.pointer, "/lebel~1~0");
    cr_assert_not_null(strstr(error.message, "name, label, levels"));
    json_object_del(json, "lebel/~");
    json_object_set_new(json, "lebel", json_null());
    cr_assert_eq(vc_json_check_keys(json, known, &error), VC_BAD_INPUT);
    cr_assert_str_eq(error.candidates[0], "label");
    json_object_del(json, "lebel");
    cr_assert_eq(vc_json_check_keys(json, known, &error), VC_OK);
    json_decref(json);
}
