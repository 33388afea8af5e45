/* The forms in which an image holds numbers and texts, around the sizes where one gives way to the
 * next. What is read is compared with what was given. */
#include "tests/dimensions/fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* key, group, label, mark */
static const vc_level_spec levels[] = {
    {.name = {"group", 5}, .key_column = 1, .label_column = -1, .order_column = -1},
    {.name = {"item", 4}, .key_column = 0, .label_column = 2, .order_column = -1},
};
static const vc_hierarchy_spec hierarchies[] = {
    {.name = {"std", 3}, .nlevels = 2, .levels = levels},
};
static const vc_attribute_spec attributes[] = {
    {.name = {"mark", 4}, .column = 3, .hierarchy = -1, .level = -1},
};
static const vc_str columns[] = {{"key", 3}, {"group", 5}, {"label", 5}, {"mark", 4}};
static const vc_dimension_spec spec = {.name = {"items", 5},
                                       .ncolumns = 4,
                                       .column_names = columns,
                                       .key_column = 0,
                                       .nhierarchies = 1,
                                       .hierarchies = hierarchies,
                                       .nattributes = 1,
                                       .attributes = attributes};

enum { CELL = 400 };

#define NEED(call) cr_assert_eq((call), VC_OK, "%s", made.error.message)

struct row {
    char cells[4][CELL];
    vc_str texts[4];
};

enum shape { NARROW, LONG, PADDED };

/* Rows come in an order of their own; every seventh has no mark. PADDED: texts end in the byte that
 * pads texts, which no UTF-8 text does but nothing here may rely on. */
static void make_row(uint32_t i, uint32_t nrows, uint32_t ngroups, enum shape shape,
                     struct row *made)
{
    uint32_t number = (uint32_t)((uint64_t)i * 7919 % nrows);
    memset(made, 0, sizeof *made);
    snprintf(made->cells[0], CELL, "%u", (unsigned)number);
    snprintf(made->cells[1], CELL, "g%05u", (unsigned)(number % ngroups));
    snprintf(made->cells[2], CELL, "label %u", (unsigned)(number % 11));
    snprintf(made->cells[3], CELL, "%u", (unsigned)number);
    if (shape == LONG) memset(made->cells[2] + strlen(made->cells[2]), 'x', number % 300);
    if (shape == PADDED) strcat(made->cells[2], "\xFE");
    for (int c = 0; c < 4; c++)
        made->texts[c] = vc_str_of(made->cells[c]);
    if (number % 7 == 3) made->texts[3] = (vc_str){0};
    if (number % 13 == 5) made->texts[2] = VC_STR("");
}

static void check_row(const vc_dimension *dimension, const vc_dimension_rows *rows, uint32_t leaf,
                      const struct row *expected)
{
    const vc_level *items = &dimension->hierarchies[0].levels[1], *groups = items - 1;
    for (unsigned c = 0; c < 4; c++)
        cr_assert(vc_str_equal(vc_leaf_column_get(&rows->columns[c], leaf), expected->texts[c]));
    cr_assert(vc_str_equal(vc_texts_get(&dimension->leaf_keys, leaf), expected->texts[0]));
    uint32_t item = vc_numbers_get(items->leaf_members, leaf);
    uint32_t group = vc_numbers_get(groups->leaf_members, leaf);
    cr_assert(vc_str_equal(vc_texts_get(&items->labels, item), expected->texts[2]));
    cr_assert(vc_str_equal(vc_texts_get(&groups->keys, group), expected->texts[1]));
    cr_assert_eq(vc_numbers_get(items->parents, item), group);
    const vc_attribute *mark = &dimension->attributes[0];
    uint32_t code = vc_numbers_get(mark->codes, leaf);
    cr_assert_eq(code == VC_NONE, vc_str_is_null(expected->texts[3]));
    if (code != VC_NONE)
        cr_assert(vc_str_equal(vc_texts_get(&mark->values, code), expected->texts[3]));
    for (unsigned i = 0; i < dimension->nindexes; i++) {
        if (!vc_str_is(dimension->indexes[i].name, "key")) continue;
        const uint32_t *members;
        size_t nmembers;
        vc_index_find(&dimension->indexes[i], expected->texts[0], &members, &nmembers);
        cr_assert(nmembers == 1 && members[0] == leaf);
    }
}

static void round_trip(uint32_t nrows, uint32_t ngroups, enum shape shape)
{
    fixture made = {0};
    struct row row;
    uint32_t number;
    NEED(vc_dimension_builder_new(&spec, NULL, &made.builder, &made.error));
    for (uint32_t i = 0; i < nrows; i++) {
        make_row(i, nrows, ngroups, shape, &row);
        NEED(vc_dimension_builder_add(made.builder, row.texts, &number, &made.error));
        cr_assert_eq(number, i);
    }
    NEED(vc_dimension_builder_finish(made.builder, &made.image, &made.leaf_of_row, &made.report,
                                     &made.error));
    vc_str image = {made.image.data, made.image.size};
    NEED(vc_dimension_check(image, &made.error));
    NEED(vc_dimension_open(image, &made.arena, &made.dimension, &made.error));
    vc_dimension_rows rows;
    NEED(vc_dimension_read_rows(made.dimension, &made.arena, &rows, &made.error));
    for (uint32_t i = 0; i < nrows; i++) {
        make_row(i, nrows, ngroups, shape, &row);
        cr_assert_eq(rows.load_order[i], made.leaf_of_row[i]);
        check_row(made.dimension, &rows, made.leaf_of_row[i], &row);
    }
    uint32_t *copied = vc_arena_alloc(&made.arena, nrows * sizeof *copied);
    for (unsigned l = 0; l < 2; l++) {
        vc_numbers members = made.dimension->hierarchies[0].levels[l].leaf_members;
        vc_numbers_copy(members, 1, nrows - 1, copied);
        cr_assert(nrows == 1 || copied[nrows - 2] == vc_numbers_get(members, nrows - 1));
        cr_assert(nrows == 1 || copied[0] == vc_numbers_get(members, 1));
    }
    fixture_release(&made);
}

Test(flat, one_two_and_four_bytes)
{
    static const uint32_t counts[] = {1, 2, 254, 255, 256, 257, 300, 65534, 65535, 65536, 65537};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        round_trip(counts[i], counts[i], NARROW); /* as many groups as leaves */
        round_trip(counts[i], 3, NARROW);
    }
    round_trip(70000, 255, NARROW);
    round_trip(70000, 256, NARROW);
}

Test(flat, long_texts_and_texts_that_end_like_padding)
{
    round_trip(3000, 10, LONG);
    round_trip(3000, 10, PADDED);
    round_trip(5, 5, PADDED);
}
