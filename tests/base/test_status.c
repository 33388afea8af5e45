#include "base/nearest.h"
#include "base/status.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

Test(status, fail_fills_and_resets)
{
    vc_error error = {.line = 7, .ncandidates = 2, .has_offset = true};
    cr_assert_eq(vc_fail(&error, VC_NOT_FOUND, "unknown_cube", "no cube '%s'", "x"), VC_NOT_FOUND);
    cr_assert_eq(error.status, VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "unknown_cube");
    cr_assert_str_eq(error.message, "no cube 'x'");
    cr_assert_eq(error.line, 0);
    cr_assert_eq(error.ncandidates, 0);
    cr_assert_not(error.has_offset);
}

/* Wrapping an error in a longer message passes the old message as an argument. */
Test(status, fail_may_quote_the_error_itself)
{
    vc_error error = {0};
    vc_fail(&error, VC_BAD_INPUT, "a", "inner");
    vc_fail(&error, VC_BAD_INPUT, "b", "outer: %s", error.message);
    cr_assert_str_eq(error.message, "outer: inner");
}

Test(status, null_error_is_fine_everywhere)
{
    cr_assert_eq(vc_fail(NULL, VC_LIMIT, "x", "y"), VC_LIMIT);
    cr_assert_eq(vc_no_memory(NULL), VC_NO_MEMORY);
    vc_error_at_file(NULL, "f", 1, 2);
    vc_error_at_pointer(NULL, "/x");
    vc_error_prefix_pointer(NULL, "/x");
    vc_error_at_offset(NULL, "cut", 3);
    vc_error_add_candidate(NULL, "x", 1);
}

Test(status, format_shows_the_place_and_the_candidates)
{
    vc_error error = {0};
    char text[256];
    vc_fail(&error, VC_BAD_INPUT, "x", "bad type");
    vc_error_at_file(&error, "cube.json", 3, 14);
    vc_error_at_pointer(&error, "/type");
    vc_error_prefix_pointer(&error, "/measures/%d", 1);
    vc_error_add_candidate(&error, "sum", 3);
    vc_error_add_candidate(&error, "count", 5);
    cr_assert_str_eq(vc_error_format(&error, text, sizeof text),
                     "cube.json:3:14: /measures/1/type: bad type (did you mean 'sum', 'count'?)");
    vc_fail(&error, VC_BAD_INPUT, "x", "bad cut");
    vc_error_at_offset(&error, "cut", 12);
    cr_assert_str_eq(vc_error_format(&error, text, sizeof text), "cut, byte 12: bad cut");
    cr_assert_str_eq(vc_error_format(&error, text, 8), "cut, by");
}

/* Errors become JSON, so a cut must not leave half a character. */
Test(status, long_messages_are_cut_between_characters)
{
    char longer[3000] = "";
    vc_error error = {0};
    for (size_t shift = 0; shift < 3; shift++) {
        size_t size = shift;
        memset(longer, 'a', shift);
        for (; size + 4 < sizeof longer; size += 3)
            memcpy(longer + size, "\xE2\x82\xAC", 3);
        longer[size] = '\0';
        vc_fail(&error, VC_BAD_INPUT, "x", "%s", longer);
        vc_error_add_candidate(&error, longer, size);
        cr_assert(vc_utf8_check(vc_str_of(error.message), NULL));
        cr_assert_geq(strlen(error.message), sizeof error.message - 4);
        cr_assert(vc_utf8_check(vc_str_of(error.candidates[0]), NULL));
    }
}

Test(status, candidates_stop_at_five)
{
    vc_error error = {0};
    for (int i = 0; i < 9; i++)
        vc_error_add_candidate(&error, &"abcdefghi"[i], 1);
    cr_assert_eq(error.ncandidates, VC_ERROR_CANDIDATES);
    cr_assert_str_eq(error.candidates[4], "e");
}

Test(status, nearest_names_come_best_first)
{
    const char *names[] = {"population", "region", "regions", "nation", "legion", "Region_name"};
    vc_nearest nearest;
    vc_error error = {0};
    vc_nearest_init(&nearest, VC_STR("regoin"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        vc_nearest_offer(&nearest, vc_str_of(names[i]));
    vc_nearest_report(&nearest, &error);
    cr_assert_eq(error.ncandidates, 3);
    cr_assert_str_eq(error.candidates[0], "region");
    cr_assert_str_eq(error.candidates[1], "regions");
    cr_assert_str_eq(error.candidates[2], "legion");
    vc_nearest_init(&nearest, VC_STR("pop"));
    error.ncandidates = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        vc_nearest_offer(&nearest, vc_str_of(names[i]));
    vc_nearest_report(&nearest, &error);
    cr_assert_eq(error.ncandidates, 1);
    cr_assert_str_eq(error.candidates[0], "population");
}

/* A value that is repeated may be cut inside a character; a message becomes JSON all the same. */
Test(status, messages_are_always_utf8)
{
    vc_error error = {0};
    vc_fail(&error, VC_BAD_INPUT, "bad_number", "'%.*s' is not a number", 4, "x\xD0\x96\xD0\x96");
    cr_assert_str_eq(error.message, "'x\xD0\x96?' is not a number");
    vc_error_at_pointer(&error, "/%.*s/x", 1, "\xD0\x96");
    cr_assert_str_eq(error.pointer, "/?/x");
    vc_fail(&error, VC_BAD_INPUT, "bad", "%s", "caf\xE9");
    cr_assert_str_eq(error.message, "caf?");
}
