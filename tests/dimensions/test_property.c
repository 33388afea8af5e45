/* Random tables against a slow and simple reading of what a dimension is: members are the distinct
 * paths of the rows, and everything else is looked for row by row. */
#include "dimensions/order.h"
#include "dimensions/renumber.h"
#include "tests/dimensions/fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 60, NCOLUMNS = 6 };

/* Columns: key, a, b, label, place, c. */
typedef struct table {
    unsigned nrows;
    char cells[MAX_ROWS][NCOLUMNS][12];
    bool is_null[MAX_ROWS][NCOLUMNS];
} table;

typedef struct shape {
    vc_level_spec main[2], other[1];
    vc_hierarchy_spec hierarchies[2];
    vc_attribute_spec attribute;
    vc_index_spec index;
    vc_str wanted[2];
    vc_dimension_spec spec;
} shape;

static const vc_str names[NCOLUMNS] = {{"key", 3},   {"a", 1},     {"b", 1},
                                       {"label", 5}, {"place", 5}, {"c", 1}};

static void make_shape(shape *made, bool has_key, bool has_label, bool has_order)
{
    *made = (shape){
        .main = {{.name = {"A", 1}, .key_column = 1, .label_column = -1, .order_column = -1},
                 {.name = {"B", 1},
                  .key_column = 2,
                  .label_column = has_label ? 3 : -1,
                  .order_column = has_order ? 4 : -1}},
        .other = {{.name = {"C", 1}, .key_column = 5, .label_column = -1, .order_column = -1}},
        .attribute = {.name = {"attr", 4}, .column = 4, .hierarchy = -1, .level = -1},
        .wanted = {{"1", 1}, {"x2", 2}}};
    made->hierarchies[0] =
        (vc_hierarchy_spec){.name = VC_STR("main"), .nlevels = 2, .levels = made->main};
    made->hierarchies[1] =
        (vc_hierarchy_spec){.name = VC_STR("other"), .nlevels = 1, .levels = made->other};
    made->index = (vc_index_spec){.name = VC_STR("part"),
                                  .attribute = VC_STR("attr"),
                                  .has_where = true,
                                  .where_attribute = VC_STR("A"),
                                  .where_values = made->wanted,
                                  .nwhere_values = 2};
    made->spec = (vc_dimension_spec){.name = VC_STR("random"),
                                     .ncolumns = NCOLUMNS,
                                     .column_names = names,
                                     .key_column = has_key ? 0 : -1,
                                     .nhierarchies = 2,
                                     .hierarchies = made->hierarchies,
                                     .nattributes = 1,
                                     .attributes = &made->attribute,
                                     .nindexes = 1,
                                     .indexes = &made->index};
}

static void make_table(table *made, bool has_key)
{
    const char *formats[] = {"%d", "x%d", "%d", "-%d", "%d.5", ""};
    const char *format_of[NCOLUMNS];
    for (unsigned c = 0; c < NCOLUMNS; c++)
        format_of[c] = formats[rand() % 5];
    made->nrows = (unsigned)(rand() % MAX_ROWS);
    for (unsigned row = 0; row < made->nrows; row++)
        for (unsigned c = 0; c < NCOLUMNS; c++) {
            bool is_key = has_key && c == 0;
            made->is_null[row][c] = !is_key && rand() % 7 == 0;
            const char *format = rand() % 40 == 0 && !is_key ? formats[rand() % 6] : format_of[c];
            int number = is_key ? rand() % 1000 * 100 + (int)row : rand() % 12;
            char text[12] = "";
            if (format[0] != '\0')
                snprintf(text, sizeof text, strstr(format, ".5") ? "%d.5" : "%d", number);
            if (strchr("x-", format[0]) != NULL && format[0] != '\0') {
                memmove(text + 1, text, sizeof text - 2);
                text[0] = format[0];
            }
            memcpy(made->cells[row][c], text, sizeof text);
        }
}

static vc_str cell(const table *from, unsigned row, unsigned column)
{
    return from->is_null[row][column] ? (vc_str){0} : vc_str_of(from->cells[row][column]);
}

static void get_row(const table *from, unsigned row, vc_str *cells)
{
    for (unsigned c = 0; c < NCOLUMNS; c++)
        cells[c] = cell(from, row, c);
}

static bool is_all_numbers(const table *from, unsigned column)
{
    bool has_any = false;
    for (unsigned row = 0; row < from->nrows; row++) {
        if (from->is_null[row][column]) continue;
        has_any = true;
        if (!vc_str_is_number(vc_str_of(from->cells[row][column]))) return false;
    }
    return has_any;
}

/* Have two rows the same path down to a level? */
static bool same_member(const table *from, const vc_hierarchy_spec *hierarchy, unsigned level,
                        unsigned a, unsigned b)
{
    for (unsigned l = 0; l <= level; l++) {
        unsigned column = hierarchy->levels[l].key_column;
        if (!vc_str_equal(cell(from, a, column), cell(from, b, column))) return false;
    }
    return true;
}

/* The first value in load order of a column among the rows of row's member. */
static vc_str first_value(const table *from, const vc_hierarchy_spec *hierarchy, unsigned level,
                          unsigned row, int column)
{
    for (unsigned other = 0; column >= 0 && other < from->nrows; other++)
        if (same_member(from, hierarchy, level, row, other) && !from->is_null[other][column])
            return cell(from, other, (unsigned)column);
    return (vc_str){0};
}

static double place_number(const table *from, const vc_hierarchy_spec *hierarchy, unsigned level,
                           unsigned row)
{
    vc_str text = first_value(from, hierarchy, level, row, hierarchy->levels[level].order_column);
    return vc_str_is_null(text) ? 1e9 : strtod(text.data, NULL);
}

/* Where the member of row a stands before that of row b. */
static int compare_members(const table *from, const vc_hierarchy_spec *hierarchy, unsigned level,
                           unsigned a, unsigned b)
{
    for (unsigned l = 0; l <= level; l++) {
        const vc_level_spec *spec = &hierarchy->levels[l];
        if (spec->order_column >= 0) {
            int order =
                vc_key_compare(first_value(from, hierarchy, l, a, spec->order_column),
                               first_value(from, hierarchy, l, b, spec->order_column), false);
            if (is_all_numbers(from, (unsigned)spec->order_column)) {
                double x = place_number(from, hierarchy, l, a);
                double y = place_number(from, hierarchy, l, b);
                if (x != y) order = x < y ? -1 : 1;
            }
            if (order != 0) return order;
        }
        vc_str x = cell(from, a, spec->key_column), y = cell(from, b, spec->key_column);
        int order = vc_key_compare(x, y, is_all_numbers(from, spec->key_column));
        if (order != 0) return order;
    }
    return 0;
}

static void check_level(const table *from, const fixture *made, const uint32_t *leaf_of_line,
                        const shape *by, unsigned h, unsigned l)
{
    const vc_hierarchy_spec *spec = &by->hierarchies[h];
    const vc_level *level = &made->dimension->hierarchies[h].levels[l];
    uint32_t most = 0;
    for (unsigned a = 0; a < from->nrows; a++) {
        uint32_t member = vc_numbers_get(level->leaf_members, leaf_of_line[a]);
        most = member + 1 > most ? member + 1 : most;
        cr_assert(vc_str_equal(vc_texts_get(&level->keys, member),
                               cell(from, a, spec->levels[l].key_column)));
        vc_str label = first_value(from, spec, l, a, spec->levels[l].label_column);
        if (vc_str_is_null(label)) label = cell(from, a, spec->levels[l].key_column);
        cr_assert(vc_str_equal(vc_texts_get(&level->labels, member), label));
        if (l > 0)
            cr_assert_eq(vc_numbers_get(level->parents, member),
                         vc_numbers_get(level[-1].leaf_members, leaf_of_line[a]));
        if (level->is_contiguous)
            cr_assert(vc_numbers_get(level->first_leaf, member) <= leaf_of_line[a] &&
                      leaf_of_line[a] < vc_numbers_get(level->first_leaf, member + 1));
        for (unsigned b = 0; b < from->nrows; b++) {
            uint32_t other = vc_numbers_get(level->leaf_members, leaf_of_line[b]);
            int expected = compare_members(from, spec, l, a, b);
            cr_assert_eq((member > other) - (member < other), (expected > 0) - (expected < 0),
                         "members of rows %u and %u", a, b);
        }
    }
    cr_assert_eq(level->nmembers, most, "no member without rows");
    for (uint32_t m = 0; m < level->nmembers; m++) {
        uint64_t bits[1] = {0}; /* MAX_ROWS fit */
        vc_level_mark_leaves(made->dimension, level, m, bits);
        for (uint32_t leaf = 0; leaf < made->dimension->nleaves; leaf++)
            cr_assert_eq(vc_bit_get(bits, leaf), vc_numbers_get(level->leaf_members, leaf) == m);
    }
    for (uint32_t m = 1; m < level->nmembers; m++)
        cr_assert_leq(
            vc_str_compare(vc_texts_get(&level->keys, vc_numbers_get(level->by_key, m - 1)),
                           vc_texts_get(&level->keys, vc_numbers_get(level->by_key, m))),
            0);
    for (uint32_t m = 0; l > 0 && m < level->nmembers; m++)
        cr_assert(level[-1].first_child[vc_numbers_get(level->parents, m)] <= m &&
                  m < level[-1].first_child[vc_numbers_get(level->parents, m) + 1]);
}

/* Every member is found by its path. */
static void check_paths(fixture *made, unsigned h)
{
    const vc_hierarchy *hierarchy = &made->dimension->hierarchies[h];
    for (unsigned l = 0; l < hierarchy->nlevels; l++)
        for (uint32_t m = 0; m < hierarchy->levels[l].nmembers; m++) {
            vc_str keys[2];
            uint32_t member = m;
            bool is_nameable = true;
            for (unsigned up = l + 1; up-- > 0;) {
                keys[up] = vc_texts_get(&hierarchy->levels[up].keys, member);
                /* "" in a path is null where there is a null, so it cannot name both. */
                is_nameable = is_nameable && (keys[up].size > 0 || vc_str_is_null(keys[up]));
                member = up == 0 ? 0 : vc_numbers_get(hierarchy->levels[up].parents, member);
            }
            vc_member_ref found;
            if (!is_nameable || l == 0) continue;
            cr_assert_eq(vc_hierarchy_find_member(made->dimension, h, keys, l + 1, &made->arena,
                                                  &found, &made->error),
                         VC_OK, "%s", made->error.message);
            cr_assert(found.level == l && found.member == m);
        }
}

static void check_index(const table *from, fixture *made, const uint32_t *leaf_of_line)
{
    const vc_index *index, *all;
    vc_dimension_find_index(made->dimension, VC_STR("part"), &index, NULL);
    vc_dimension_find_index(made->dimension, VC_STR("attr"), &all, NULL);
    for (unsigned a = 0; a < from->nrows; a++) {
        vc_str value = cell(from, a, 4), where = cell(from, a, 1);
        bool is_wanted = vc_str_is(where, "1") || vc_str_is(where, "x2");
        for (unsigned i = 0; i < 2; i++) {
            const uint32_t *leaves;
            size_t nleaves, nhits = 0;
            vc_index_find(i == 0 ? index : all, value, &leaves, &nleaves);
            for (size_t j = 0; j < nleaves; j++) {
                nhits += leaves[j] == leaf_of_line[a];
                if (j > 0) cr_assert_lt(leaves[j - 1], leaves[j]);
            }
            cr_assert_eq(nhits, value.size > 0 && (i == 1 || is_wanted));
        }
    }
}

static void check(const table *from, fixture *made, const uint32_t *leaf_of_line, const shape *by,
                  bool is_fresh)
{
    const vc_dimension *dimension = made->dimension;
    vc_dimension_rows rows;
    cr_assert_eq(vc_dimension_check((vc_str){made->image.data, made->image.size}, &made->error),
                 VC_OK, "%s", made->error.message);
    cr_assert_eq(vc_dimension_read_rows(dimension, &made->arena, &rows, &made->error), VC_OK);
    cr_assert_eq(rows.ncolumns, NCOLUMNS);
    for (unsigned a = 0; a < from->nrows; a++) {
        cr_assert_lt(leaf_of_line[a], dimension->nleaves);
        for (unsigned c = 0; c < NCOLUMNS; c++)
            cr_assert(vc_str_equal(vc_leaf_column_get(&rows.columns[c], leaf_of_line[a]),
                                   cell(from, a, c)));
    }
    for (unsigned h = 0; h < 2; h++)
        for (unsigned l = 0; l < dimension->hierarchies[h].nlevels; l++)
            check_level(from, made, leaf_of_line, by, h, l);
    for (unsigned l = 0; l < 2; l++)
        if (is_fresh) cr_assert(dimension->hierarchies[0].levels[l].is_contiguous);
    check_paths(made, 0);
    check_index(from, made, leaf_of_line);
    fixture_walk(dimension);
}

/* Whose threads share the work of every other builder: what is made must be the same. */
static vc_crew *crew;

static void start_crew(void)
{
    vc_crew_plan plan = {.nthreads = 3, .nslots = 1};
    cr_assert_eq(vc_crew_new(&plan, &crew, NULL), VC_OK);
}

static void end_crew(void)
{
    vc_crew_free(crew);
}

TestSuite(property, .init = start_crew, .fini = end_crew);

static void share(vc_dimension_builder *builder)
{
    static bool is_shared;
    is_shared = !is_shared;
    if (is_shared) vc_dimension_builder_share(builder, crew);
}

/* Build with rows [first, end) of the table. */
static void build(fixture *made, const vc_dimension_spec *spec, const vc_dimension *older,
                  const table *from, unsigned first, unsigned end, uint32_t *leaf_of_line)
{
    memset(made, 0, sizeof *made);
    cr_assert_eq(vc_dimension_builder_new(spec, older, &made->builder, &made->error), VC_OK, "%s",
                 made->error.message);
    uint32_t rows[MAX_ROWS];
    for (unsigned row = first; row < end; row++) {
        vc_str cells[NCOLUMNS];
        get_row(from, row, cells);
        cr_assert_eq(vc_dimension_builder_add(made->builder, cells, &rows[row], &made->error),
                     VC_OK, "%s", made->error.message);
    }
    const uint32_t *leaf_of_row;
    share(made->builder);
    cr_assert_eq(vc_dimension_builder_finish(made->builder, &made->image, &leaf_of_row,
                                             &made->report, &made->error),
                 VC_OK, "%s", made->error.message);
    for (unsigned row = first; row < end; row++)
        leaf_of_line[row] = leaf_of_row[rows[row]];
    cr_assert_eq(vc_dimension_open((vc_str){made->image.data, made->image.size}, &made->arena,
                                   &made->dimension, &made->error),
                 VC_OK, "%s", made->error.message);
}

/* Renumbered, what came in parts is what comes at once, to the last byte. */
static void check_renumbered(fixture *more, const fixture *fresh, const uint32_t *leaf_of_line,
                             const uint32_t *leaf_of_line_fresh, unsigned nrows, unsigned seed)
{
    vc_buffer image = {0};
    const uint32_t *leaves;
    cr_assert_eq(
        vc_dimension_renumber(more->dimension, &more->arena, &image, &leaves, &more->error), VC_OK,
        "%s", more->error.message);
    for (unsigned row = 0; row < nrows; row++)
        cr_assert_eq(leaves[leaf_of_line[row]], leaf_of_line_fresh[row], "seed %u", seed);
    cr_assert_eq(image.size, fresh->image.size, "seed %u", seed);
    cr_assert_eq(memcmp(image.data, fresh->image.data, image.size), 0, "seed %u", seed);
    cr_assert(vc_dimension_is_depth_first(fresh->dimension));
    vc_buffer_release(&image);
}

/* Once more, alone instead of by a crew, or the other way round. */
static void check_again(const shape *by, const table *rows, const fixture *fresh, unsigned seed)
{
    uint32_t leaf_of_line[MAX_ROWS];
    fixture again;
    build(&again, &by->spec, NULL, rows, 0, rows->nrows, leaf_of_line);
    cr_assert_eq(again.image.size, fresh->image.size, "seed %u", seed);
    cr_assert_eq(memcmp(again.image.data, fresh->image.data, again.image.size), 0, "seed %u", seed);
    fixture_release(&again);
}

static void one_round(unsigned seed)
{
    srand(seed);
    bool has_key = rand() % 2;
    shape by;
    make_shape(&by, has_key, rand() % 2, rand() % 2);
    table rows;
    make_table(&rows, has_key);
    uint32_t leaf_of_line[MAX_ROWS], later[MAX_ROWS], at_once[MAX_ROWS];
    fixture fresh, part, more;
    build(&fresh, &by.spec, NULL, &rows, 0, rows.nrows, at_once);
    check(&rows, &fresh, at_once, &by, true);
    check_again(&by, &rows, &fresh, seed);

    /* The same rows in two loads, some of the first again in the second. */
    unsigned cut = rows.nrows == 0 ? 0 : (unsigned)rand() % rows.nrows;
    build(&part, &by.spec, NULL, &rows, 0, cut, leaf_of_line);
    memcpy(later, leaf_of_line, sizeof later);
    build(&more, &by.spec, part.dimension, &rows, cut / 2, rows.nrows, later);
    for (unsigned row = 0; row < cut; row++)
        cr_assert_eq(later[row], leaf_of_line[row], "seed %u", seed);
    check(&rows, &more, later, &by, false);
    check_renumbered(&more, &fresh, later, at_once, rows.nrows, seed);
    fixture_release(&more);
    fixture_release(&part);
    fixture_release(&fresh);
}

Test(property, random_tables)
{
    for (unsigned seed = 1; seed <= 150; seed++)
        one_round(seed);
}
