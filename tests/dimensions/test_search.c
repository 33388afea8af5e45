#include "dimensions/search.h"

#include "base/fold.h"
#include "tests/dimensions/fixture.h"
#include "tests/dimensions/specs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sixty countries whose keys and labels are of few letters, so that parts of them occur often. */
static void make_rows(unsigned *seed, char *rows)
{
    static const char *const letters[] = {"a", "B", "\xC3\x84", "\xC3\x9F", "\xC5\x81", "l", " "};
    for (int row = 0; row < 60; row++) {
        rows += sprintf(rows, "%sk%d,R%d,", row > 0 ? "\n" : "", row, rand_r(seed) % 3);
        for (int n = 1 + rand_r(seed) % 4; n > 0; n--)
            rows += sprintf(rows, "%s", letters[rand_r(seed) % 7]);
        rows += sprintf(rows, ",Capital %d,1", row);
    }
}

static bool holds(vc_str text, const char *part, bool is_prefix)
{
    vc_buffer folded = {0}, wanted = {0};
    vc_fold_put(&folded, text);
    vc_fold_put(&wanted, vc_str_of(part));
    const char *whole = vc_buffer_text(&folded), *found = strstr(whole, vc_buffer_text(&wanted));
    bool is_there = found != NULL && (!is_prefix || found == whole);
    vc_buffer_release(&folded);
    vc_buffer_release(&wanted);
    return is_there;
}

static void check(fixture *geo, const char *part, bool is_prefix, bool has_parent, size_t *nfound)
{
    const vc_level *level = &geo->dimension->hierarchies[0].levels[1];
    const vc_search_texts *texts;
    uint32_t *members, *again, first = 0, end = level->nmembers;
    size_t nmembers, ntotal, nagain, nexpected = 0;
    vc_member_filter filter = {.level = 1,
                               .has_parent = has_parent,
                               .parent = {.level = 0, .member = 1},
                               .search = vc_str_of(part),
                               .is_prefix = is_prefix,
                               .limit = 100};
    cr_assert_eq(vc_dimension_list_members(geo->dimension, &filter, &geo->arena, &members,
                                           &nmembers, &ntotal, &geo->error),
                 VC_OK);
    if (has_parent)
        vc_member_descendants(&geo->dimension->hierarchies[0], filter.parent, 1, &first, &end);
    for (uint32_t m = first; m < end; m++) {
        if (!holds(vc_texts_get(&level->keys, m), part, is_prefix) &&
            !holds(vc_texts_get(&level->labels, m), part, is_prefix))
            continue;
        cr_assert_lt(nexpected, nmembers, "'%s'", part);
        cr_assert_eq(members[nexpected++], m, "'%s'", part);
    }
    cr_assert(nmembers == nexpected && ntotal == nexpected, "'%s'", part);
    *nfound += nexpected;
    /* The same with texts that are kept. */
    cr_assert_eq(vc_search_texts_make(level, 0, level->nmembers, &geo->arena, &texts, &geo->error),
                 VC_OK);
    filter.texts = texts;
    cr_assert_eq(vc_dimension_list_members(geo->dimension, &filter, &geo->arena, &again, &nagain,
                                           &ntotal, &geo->error),
                 VC_OK);
    cr_assert(nagain == nmembers && memcmp(again, members, nmembers * sizeof *members) == 0);
}

Test(search, finds_what_a_look_at_each_finds)
{
    static const char *const parts[] = {"a",  "b",  "\xC3\xA4", "ss", "k1", "K2", "l",  "al",
                                        "la", "s",  "1",        "R1", "z",  "ll", " ",  "aa",
                                        "ab", "k5", "\xC3\x9F", "LL", "sa", "bl", "ls", "Capital"};
    unsigned seed = 20261123;
    size_t nfound = 0;
    for (int round = 0; round < 40; round++) {
        char rows[4000];
        fixture geo;
        make_rows(&seed, rows);
        fixture_build(&geo, &geo_spec, NULL, rows);
        cr_assert_eq(geo.status, VC_OK, "%s", geo.error.message);
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
            for (int way = 0; way < 4; way++)
                check(&geo, parts[i], way % 2 == 1, way / 2 == 1, &nfound);
        fixture_release(&geo);
    }
    cr_assert_gt(nfound, 5000, "%zu", nfound);
}
