#include "tests/dimensions/fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static void add_lines(fixture *made, const vc_dimension_spec *spec, const char *rows)
{
    vc_str rest = vc_str_of(rows);
    unsigned line_number = 0;
    while (made->status == VC_OK && rest.size > 0) {
        vc_str line = vc_str_split(&rest, '\n');
        vc_str cells[32];
        for (unsigned c = 0; c < spec->ncolumns; c++) {
            cells[c] = vc_str_split(&line, ',');
            if (vc_str_is(cells[c], "~")) cells[c] = (vc_str){0};
        }
        uint32_t row = VC_NONE;
        made->status = vc_dimension_builder_add(made->builder, cells, &row, &made->error);
        if (line_number < 64) made->row_of_line[line_number++] = row;
    }
}

void fixture_build(fixture *made, const vc_dimension_spec *spec, const vc_dimension *older,
                   const char *rows)
{
    memset(made, 0, sizeof *made);
    made->status = vc_dimension_builder_new(spec, older, &made->builder, &made->error);
    if (made->status == VC_OK) add_lines(made, spec, rows);
    if (made->status != VC_OK) return;
    made->nrows = vc_dimension_builder_nrows(made->builder);
    made->status = vc_dimension_builder_finish(made->builder, &made->image, &made->leaf_of_row,
                                               &made->report, &made->error);
    if (made->status != VC_OK) return;
    made->status = vc_dimension_open((vc_str){made->image.data, made->image.size}, &made->arena,
                                     &made->dimension, &made->error);
    if (made->status == VC_OK)
        made->status =
            vc_dimension_check((vc_str){made->image.data, made->image.size}, &made->error);
}

void fixture_release(fixture *made)
{
    vc_dimension_builder_free(made->builder);
    vc_buffer_release(&made->image);
    vc_arena_release(&made->arena);
}

static const char *keep(fixture *made, vc_buffer *text)
{
    vc_str kept = vc_arena_str(&made->arena, vc_str_of(vc_buffer_text(text)));
    vc_buffer_release(text);
    return kept.data;
}

const char *fixture_members(fixture *made, unsigned hierarchy, unsigned level)
{
    const vc_hierarchy *from = &made->dimension->hierarchies[hierarchy];
    vc_buffer text = {0};
    for (uint32_t m = 0; m < from->levels[level].nmembers; m++) {
        if (m > 0) vc_buffer_put_char(&text, ' ');
        vc_buffer_put_str(&text, vc_member_path(from, level, m, &made->arena));
    }
    return keep(made, &text);
}

const char *fixture_leaves(fixture *made)
{
    vc_buffer text = {0};
    for (uint32_t leaf = 0; leaf < made->dimension->nleaves; leaf++) {
        if (leaf > 0) vc_buffer_put_char(&text, ' ');
        vc_buffer_put_str(&text, vc_texts_get(&made->dimension->leaf_keys, leaf));
    }
    return keep(made, &text);
}

const char *fixture_indexed(fixture *made, const char *index_name, const char *value)
{
    const vc_index *index;
    vc_status status =
        vc_dimension_find_index(made->dimension, vc_str_of(index_name), &index, &made->error);
    cr_assert_eq(status, VC_OK, "%s", made->error.message);
    const uint32_t *members;
    size_t nmembers;
    vc_index_find(index, vc_str_of(value), &members, &nmembers);
    vc_buffer text = {0};
    for (size_t i = 0; i < nmembers; i++)
        vc_buffer_printf(&text, i == 0 ? "%u" : " %u", (unsigned)members[i]);
    return keep(made, &text);
}

vc_status fixture_find(fixture *made, unsigned hierarchy, const char *path,
                       vc_member_ref *member_out)
{
    vc_str keys[VC_MAX_LEVELS + 1], rest = vc_str_of(path);
    size_t nkeys = 0;
    while (!vc_str_is_null(rest) && nkeys <= VC_MAX_LEVELS)
        keys[nkeys++] = vc_str_split(&rest, ',');
    return vc_hierarchy_find_member(made->dimension, hierarchy, keys, nkeys, &made->arena,
                                    member_out, &made->error);
}

bool fixture_are(vc_numbers numbers, const uint32_t *expected, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (vc_numbers_get(numbers, i) != expected[i]) return false;
    return true;
}

/* ---- reading everything ---- */

static uint64_t sum_text(vc_str text)
{
    uint64_t sum = text.size;
    for (size_t i = 0; i < text.size; i++)
        sum += (unsigned char)text.data[i];
    return sum;
}

static uint64_t sum_texts(const vc_texts *texts)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < texts->count; i++)
        sum += sum_text(vc_texts_get(texts, i));
    return sum;
}

static uint64_t walk_level(const vc_dimension *dimension, const vc_hierarchy *hierarchy,
                           unsigned number, vc_arena *arena)
{
    const vc_level *level = &hierarchy->levels[number];
    uint64_t sum = sum_text(level->name) + sum_text(level->label) + sum_texts(&level->keys) +
                   sum_texts(&level->labels);
    uint64_t *bits = vc_arena_calloc(arena, vc_bits_words(dimension->nleaves), sizeof *bits);
    for (uint32_t m = 0; m < level->nmembers; m++) {
        sum += sum_text(vc_member_path(hierarchy, number, m, arena));
        vc_level_mark_leaves(dimension, level, m, bits);
        for (unsigned below = number; below < hierarchy->nlevels; below++) {
            uint32_t first, end;
            vc_member_descendants(hierarchy, (vc_member_ref){number, m}, below, &first, &end);
            for (uint32_t child = first; child < end; child++)
                sum += sum_text(vc_texts_get(&hierarchy->levels[below].keys, child));
        }
        uint32_t *members;
        size_t nmembers;
        vc_str key = vc_texts_get(&level->keys, m);
        vc_member_ref found;
        vc_error error;
        vc_level_find_members(level, key, arena, &members, &nmembers, &error);
        for (size_t i = 0; i < nmembers; i++)
            sum += number == 0 ? members[i] : vc_numbers_get(level->parents, members[i]);
        vc_hierarchy_find_member(dimension, (unsigned)(hierarchy - dimension->hierarchies), &key, 1,
                                 arena, &found, &error);
    }
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
        sum += sum_text(vc_texts_get(&level->labels, vc_numbers_get(level->leaf_members, leaf)));
    return sum;
}

static uint64_t walk_attribute(const vc_dimension *dimension, const vc_attribute *attribute,
                               vc_arena *arena)
{
    uint64_t sum = sum_text(attribute->name) + sum_texts(&attribute->values);
    for (unsigned h = 0; h < dimension->nhierarchies; h++)
        for (unsigned l = 0; l < dimension->hierarchies[h].nlevels; l++) {
            uint32_t nmembers = dimension->hierarchies[h].levels[l].nmembers;
            uint32_t *members = vc_arena_calloc(arena, nmembers, sizeof *members);
            uint32_t *codes = vc_arena_calloc(arena, nmembers, sizeof *codes);
            for (uint32_t m = 0; m < nmembers; m++)
                members[m] = m;
            vc_member_properties(dimension, h, l, attribute, members, nmembers, arena, codes, NULL);
            for (uint32_t m = 0; m < nmembers; m++)
                if (codes[m] < VC_MANY) sum += sum_text(vc_texts_get(&attribute->values, codes[m]));
        }
    return sum;
}

static uint64_t walk_index(const vc_dimension *dimension, const vc_index *index)
{
    uint64_t sum = sum_text(index->name);
    for (uint32_t value = 0; value < index->values.count; value++) {
        const uint32_t *members;
        size_t nmembers;
        vc_index_find(index, vc_texts_get(&index->values, value), &members, &nmembers);
        for (size_t i = 0; i < nmembers; i++)
            sum +=
                index->hierarchy < 0
                    ? vc_numbers_get(dimension->hierarchies[0].levels[0].leaf_members, members[i])
                    : sum_text(vc_texts_get(
                          &dimension->hierarchies[index->hierarchy].levels[index->level].keys,
                          members[i]));
    }
    return sum;
}

uint64_t fixture_walk(const vc_dimension *dimension)
{
    vc_arena arena = {0};
    uint64_t sum = sum_text(dimension->name) + sum_text(dimension->label) +
                   sum_text(dimension->key_name) + sum_texts(&dimension->leaf_keys);
    for (unsigned h = 0; h < dimension->nhierarchies; h++)
        for (unsigned l = 0; l < dimension->hierarchies[h].nlevels; l++)
            sum += walk_level(dimension, &dimension->hierarchies[h], l, &arena);
    for (unsigned a = 0; a < dimension->nattributes; a++)
        sum += walk_attribute(dimension, &dimension->attributes[a], &arena);
    for (unsigned i = 0; i < dimension->nindexes; i++)
        sum += walk_index(dimension, &dimension->indexes[i]);
    vc_dimension_rows rows;
    vc_error error;
    if (vc_dimension_read_rows(dimension, &arena, &rows, &error) == VC_OK)
        for (uint32_t i = 0; i < dimension->nleaves; i++)
            for (unsigned c = 0; c < rows.ncolumns; c++)
                sum += sum_text(vc_leaf_column_get(&rows.columns[c], rows.load_order[i]));
    vc_arena_release(&arena);
    return sum;
}
