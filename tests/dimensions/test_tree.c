/* Ragged and parent-child hierarchies. */
#include "dimensions/builder.h"
#include "dimensions/members.h"

#include "tests/dimensions/fixture.h"
#include "tests/dimensions/specs.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const vc_level_spec line_levels[] = {{.name = {"rank", 4}, .key_column = 0, NO_COLUMNS}};
static const vc_level_spec kind_levels[] = {
    {.name = {"chief", 5}, .key_column = 0, NO_COLUMNS},
    {.name = {"head", 4}, .key_column = 0, NO_COLUMNS},
    {.name = {"worker", 6}, .key_column = 0, NO_COLUMNS},
};
static const vc_hierarchy_spec staff_hierarchies[] = {
    {.name = {"line", 4},
     .nlevels = 1,
     .levels = line_levels,
     .is_parent_child = true,
     .parent_column = 1,
     .level_column = -1},
    {.name = {"kinds", 5},
     .nlevels = 3,
     .levels = kind_levels,
     .is_parent_child = true,
     .parent_column = 1,
     .level_column = 2},
};
static const vc_attribute_spec staff_attributes[] = {
    {.name = {"kind", 4}, .column = 2, .hierarchy = -1, .level = -1}};
static const vc_str staff_columns[] = {{"id", 2}, {"boss", 4}, {"kind", 4}};
static const vc_dimension_spec staff_spec = {.name = {"staff", 5},
                                             .ncolumns = 3,
                                             .column_names = staff_columns,
                                             .key_column = 0,
                                             .nhierarchies = 2,
                                             .hierarchies = staff_hierarchies,
                                             .nattributes = 1,
                                             .attributes = staff_attributes};

#define STAFF "1,~,chief\n2,1,head\n3,1,worker\n4,2,worker\n5,2,worker\n6,99,chief\n"

static void need_names(fixture *made, unsigned hierarchy, const char *expected)
{
    vc_buffer text = {0};
    for (unsigned l = 0; l < made->dimension->hierarchies[hierarchy].nlevels; l++) {
        vc_buffer_put_char(&text, ' ');
        vc_buffer_put_str(&text, made->dimension->hierarchies[hierarchy].levels[l].name);
    }
    cr_expect_str_eq(vc_buffer_text(&text), expected);
    vc_buffer_release(&text);
}

/* Members of a level that are not hidden, by their paths. */
static void need_listed(fixture *made, unsigned hierarchy, unsigned level, const char *expected)
{
    vc_member_filter filter = {.hierarchy = hierarchy, .level = level, .limit = 100};
    const vc_hierarchy *from = &made->dimension->hierarchies[hierarchy];
    uint32_t *members;
    size_t nmembers, ntotal;
    vc_buffer text = {0};
    cr_assert_eq(vc_dimension_list_members(made->dimension, &filter, &made->arena, &members,
                                           &nmembers, &ntotal, &made->error),
                 VC_OK);
    for (size_t i = 0; i < nmembers; i++) {
        vc_buffer_put_char(&text, ' ');
        vc_buffer_put_str(&text, vc_member_path(from, level, members[i], &made->arena));
    }
    cr_expect_str_eq(vc_buffer_text(&text), expected);
    cr_expect_eq(vc_level_count(&from->levels[level]), ntotal);
    vc_buffer_release(&text);
}

/* Where a path leads: the path of what is found, and the leaves there. */
static void need_found(fixture *made, unsigned hierarchy, const char *path, const char *expected)
{
    vc_str rest = vc_str_of(path), keys[8];
    size_t nkeys = 0;
    vc_member_ref found;
    while (!vc_str_is_null(rest))
        keys[nkeys++] = vc_str_split(&rest, ',');
    vc_buffer text = {0};
    if (vc_hierarchy_find_member(made->dimension, hierarchy, keys, nkeys, &made->arena, &found,
                                 &made->error) == VC_OK) {
        const vc_hierarchy *from = &made->dimension->hierarchies[hierarchy];
        uint64_t leaves = 0;
        vc_buffer_put_str(&text, vc_member_path(from, found.level, found.member, &made->arena));
        vc_level_mark_leaves(made->dimension, &from->levels[found.level], found.member, &leaves);
        for (uint32_t leaf = 0; leaf < made->dimension->nleaves; leaf++)
            if (vc_bit_get(&leaves, leaf)) {
                vc_buffer_put_char(&text, ' ');
                vc_buffer_put_str(&text, vc_texts_get(&made->dimension->leaf_keys, leaf));
            }
    } else {
        vc_buffer_put_text(&text, made->error.code);
    }
    cr_expect_str_eq(vc_buffer_text(&text), expected, "%s: %s", path, vc_buffer_text(&text));
    vc_buffer_release(&text);
}

static void need_staff(fixture *made)
{
    need_names(made, 0, " rank rank2 rank3");
    need_listed(made, 0, 0, " 1 6");
    need_listed(made, 0, 1, " 1,2 1,3");
    need_listed(made, 0, 2, " 1,2,4 1,2,5");
    need_listed(made, 1, 1, " 1,2");
    need_listed(made, 1, 2, " 1,2,4 1,2,5 1,3");
    need_found(made, 0, "1", "1 4 5 2 3 1");
    need_found(made, 0, "2", "1,2 4 5 2");
    need_found(made, 0, "1,2,(self)", "1,2,(self) 2");
    need_found(made, 0, "1,(self)", "1,(self) 1");
    need_found(made, 0, "1,2,4,(self)", "1,2,4 4");
    need_found(made, 0, "6,(self)", "6 6");
    need_found(made, 0, "1,4", "unknown_member");
    need_found(made, 1, "1,3", "1,3 3");
    need_found(made, 1, "1,(self)", "1,(self) 1"); /* behind a gap in which 3 stands, too */
    need_found(made, 0, "(self)", "unknown_member");
    need_found(made, 0, "1,", "unknown_member");
}

Test(tree, staff)
{
    fixture made;
    fixture_build(&made, &staff_spec, NULL, STAFF);
    cr_assert_eq(made.status, VC_OK, "%s", made.error.message);
    need_staff(&made);
    cr_expect_eq(made.report.nlost_parents, 1);
    cr_expect_str_eq(made.report.lost_parent, "'99', the parent of '6'");
    fixture_release(&made);
}

/* Rows may come in any order, and those that an append adds may be above those that were there. */
Test(tree, append)
{
    fixture made, more;
    fixture_build(&made, &staff_spec, NULL, "4,2,worker\n2,1,head\n6,99,chief\n");
    cr_assert_eq(made.status, VC_OK, "%s", made.error.message);
    need_names(&made, 0, " rank rank2");
    fixture_build(&more, &staff_spec, made.dimension, STAFF);
    cr_assert_eq(more.status, VC_OK, "%s", more.error.message);
    cr_expect_eq(more.report.nnew_leaves, 3);
    need_listed(&more, 0, 2, " 1,2,4 1,2,5");
    need_found(&more, 0, "1,2,(self)", "1,2,(self) 2");
    fixture_release(&more);
    fixture_release(&made);
}

Test(tree, children_and_properties)
{
    fixture made;
    vc_member_ref one = {.level = 0, .member = 0}, *children;
    size_t nchildren;
    uint32_t code, first = 0;
    fixture_build(&made, &staff_spec, NULL, STAFF);
    const vc_hierarchy *kinds = &made.dimension->hierarchies[1];
    cr_assert_eq(vc_member_children(kinds, &one, &made.arena, &children, &nchildren, NULL), VC_OK);
    cr_assert_eq(nchildren, 2); /* 2, a head, and 3, a worker */
    cr_expect_eq(children[0].level, 1);
    cr_expect_eq(children[1].level, 2);
    cr_expect_eq(vc_member_count_children(kinds, one), 2);
    vc_member_ref parent;
    cr_assert(vc_member_parent(kinds, children[1], &parent));
    cr_expect_eq(parent.level, 0);
    const vc_attribute *kind = vc_dimension_find_attribute(made.dimension, VC_STR("kind"));
    cr_assert_eq(
        vc_member_properties(made.dimension, 0, 0, kind, &first, 1, &made.arena, &code, NULL),
        VC_OK);
    cr_expect(vc_str_is(vc_texts_get(&kind->values, code), "chief"),
              "of the row, not of all below");
    fixture_release(&made);
}

Test(tree, refused)
{
    fixture made;
    fixture_build(&made, &staff_spec, NULL, "1,3,chief\n2,1,head\n3,2,worker\n4,3,worker\n");
    cr_expect_str_eq(made.error.code, "parent_cycle");
    cr_expect_str_eq(made.error.message,
                     "dimension 'staff': the parents of '1' lead back to it: 1 -> 3 -> 2 -> 1");
    fixture_release(&made);
    fixture_build(&made, &staff_spec, NULL, "1,~,head\n2,1,chief\n");
    cr_expect_str_eq(made.error.code, "parent_level");
    fixture_release(&made);
    fixture_build(&made, &staff_spec, NULL, "1,~,boss\n");
    cr_expect_str_eq(made.error.code, "parent_level");
    fixture_release(&made);
}

Test(tree, too_deep)
{
    fixture made;
    vc_buffer rows = {0};
    vc_dimension_spec spec = staff_spec;
    spec.nhierarchies = 1;
    for (int i = 1; i <= VC_MAX_LEVELS + 1; i++) {
        char row[64];
        snprintf(row, sizeof row, "%d,%d,x\n", i, i - 1);
        vc_buffer_put_text(&rows, row);
    }
    fixture_build(&made, &spec, NULL, vc_buffer_text(&rows));
    cr_expect_str_eq(made.error.code, "limit_levels");
    fixture_release(&made);
    vc_buffer_release(&rows);
}
