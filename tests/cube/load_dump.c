#include "tests/cube/load_dump.h"

#include "cube/crosswalk.h"
#include "cube/manifest.h"
#include "cube/text_column.h"
#include "tests/cube/scratch.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

static const char *const type_names[] = {"int", "decimal", "float"};

static void put_leaf(vc_buffer *buffer, const vc_dimension *dimension, uint32_t leaf)
{
    vc_arena arena = {0};
    cr_assert_lt(leaf, dimension->nleaves);
    if (dimension->leaf_keys.count > 0) {
        vc_buffer_put_str(buffer, vc_texts_get(&dimension->leaf_keys, leaf));
        vc_buffer_put_char(buffer, ' ');
    }
    for (unsigned h = 0; h < dimension->nhierarchies; h++) {
        const vc_hierarchy *hierarchy = &dimension->hierarchies[h];
        unsigned lowest = hierarchy->nlevels - 1;
        vc_str path =
            vc_member_path(hierarchy, lowest,
                           vc_numbers_get(hierarchy->levels[lowest].leaf_members, leaf), &arena);
        vc_buffer_printf(buffer, "%s[%.*s]", h == 0 ? "" : " ", VC_FMT(path));
    }
    vc_arena_release(&arena);
}

static void put_dimension(vc_buffer *buffer, vc_str name, const vc_dimension *dimension)
{
    vc_buffer_printf(buffer, "dimension %.*s: %" PRIu32 " leaves\n", VC_FMT(name),
                     dimension->nleaves);
    for (uint32_t leaf = 0; leaf < dimension->nleaves && leaf < 40; leaf++) {
        vc_buffer_put_text(buffer, "  ");
        put_leaf(buffer, dimension, leaf);
        for (unsigned a = 0; a < dimension->nattributes; a++) {
            const vc_attribute *attribute = &dimension->attributes[a];
            uint32_t member = leaf;
            if (attribute->level >= 0)
                member = vc_numbers_get(dimension->hierarchies[attribute->hierarchy]
                                            .levels[attribute->level]
                                            .leaf_members,
                                        leaf);
            uint32_t code = vc_numbers_get(attribute->codes, member);
            vc_str value =
                code == VC_NONE ? VC_STR("null") : vc_texts_get(&attribute->values, code);
            vc_buffer_printf(buffer, " %.*s=%.*s", VC_FMT(attribute->name), VC_FMT(value));
        }
        vc_buffer_put_char(buffer, '\n');
    }
    for (unsigned i = 0; i < dimension->nindexes; i++) {
        const vc_index *index = &dimension->indexes[i];
        if (index->is_implicit) continue;
        vc_buffer_printf(buffer, "  index %.*s: %" PRIu32 " values%s\n", VC_FMT(index->name),
                         index->values.count, index->is_unique ? ", unique" : "");
    }
}

static void put_value(vc_buffer *buffer, const vc_source_cube *cube, const vc_snapshot *snapshot,
                      const vc_fact_column *column, const vc_chunk *chunk, uint32_t row)
{
    char text[VC_NUMBER_TEXT];
    if (!vc_chunk_has(chunk, row)) {
        vc_buffer_put_text(buffer, "null");
        return;
    }
    if (column->type == VC_VALUE_FLOAT) {
        double *values = malloc(chunk->nrows * sizeof *values);
        vc_chunk_get_doubles(chunk, values);
        vc_format_double(text, values[row]);
        vc_buffer_put_text(buffer, text);
        free(values);
        return;
    }
    int64_t *values = malloc(chunk->nrows * sizeof *values);
    vc_chunk_get_ints(chunk, values);
    vc_format_decimal(text, values[row], column->scale);
    if (column->is_dictionary) {
        vc_arena arena = {0};
        vc_str bytes;
        vc_texts texts;
        uint16_t number = (uint16_t)(VC_COLUMN_DICTIONARY + column->column - VC_COLUMN_MEASURE);
        NEED_OK(vc_snapshot_bytes(snapshot, cube->object_id, cube->generation, number, &arena,
                                  &bytes, why));
        NEED_OK(vc_text_column_open(bytes, "test", &texts, why));
        cr_assert_eq(texts.count, column->ncodes);
        cr_assert_lt((uint64_t)values[row], texts.count);
        vc_str value = vc_texts_get(&texts, (uint32_t)values[row]);
        vc_buffer_printf(buffer, "#%s '%.*s'", text, VC_FMT(value));
        vc_arena_release(&arena);
    } else {
        vc_buffer_put_text(buffer, text);
    }
    free(values);
}

static void put_segment(vc_buffer *buffer, const vc_source_cube *cube, const vc_snapshot *snapshot,
                        uint32_t segment, uint64_t *nrows)
{
    vc_chunk first, chunk;
    NEED_OK(vc_source_cube_chunk(cube, snapshot, 0, segment, &first, why));
    *nrows += first.nrows;
    if (first.nrows > 40) return;
    for (uint32_t row = 0; row < first.nrows; row++) {
        for (size_t d = 0; d < cube->ndimensions; d++) {
            int64_t leaves[40];
            NEED_OK(vc_source_cube_chunk(cube, snapshot, (uint16_t)d, segment, &chunk, why));
            cr_assert_eq(chunk.nrows, first.nrows);
            cr_assert_eq(chunk.nnulls, 0);
            vc_chunk_get_ints(&chunk, leaves);
            vc_buffer_put_text(buffer, d == 0 ? "  " : " | ");
            put_leaf(buffer, cube->dimensions[d], (uint32_t)leaves[row]);
        }
        for (size_t c = 0; c < cube->ncolumns; c++) {
            NEED_OK(vc_source_cube_chunk(cube, snapshot, cube->columns[c].column, segment, &chunk,
                                         why));
            cr_assert_eq(chunk.nrows, first.nrows);
            vc_buffer_put_text(buffer, " | ");
            put_value(buffer, cube, snapshot, &cube->columns[c], &chunk, row);
        }
        vc_buffer_put_char(buffer, '\n');
    }
}

static void put_source(vc_buffer *buffer, const vc_snapshot *snapshot, vc_str name)
{
    vc_arena arena = {0};
    vc_source_cube *cube;
    uint64_t nrows = 0;
    NEED_OK(vc_source_cube_open(snapshot, name, &arena, &cube, why));
    for (size_t d = 0; d < cube->ndimensions; d++)
        put_dimension(buffer, cube->dimension_names[d], cube->dimensions[d]);
    for (size_t c = 0; c < cube->ncolumns; c++) {
        const vc_fact_column *column = &cube->columns[c];
        vc_buffer_printf(buffer, "column %.*s: %s(%u)%s%s, for", VC_FMT(column->name),
                         type_names[column->type], column->scale,
                         column->is_dictionary ? " dictionary" : "",
                         column->is_presence ? " presence" : "");
        for (size_t i = 0; i < cube->definition->as.cube.nmeasures; i++) {
            if (cube->measure_columns[i] == (int)c)
                vc_buffer_printf(buffer, " %.*s",
                                 VC_FMT(cube->definition->as.cube.measures[i].name));
        }
        vc_buffer_put_char(buffer, '\n');
    }
    vc_buffer_printf(buffer, "facts: %" PRIu64 " rows, %zu runs\n", cube->nrows, cube->nruns);
    for (uint32_t segment = 0; segment < cube->nsegments; segment++)
        put_segment(buffer, cube, snapshot, segment, &nrows);
    cr_assert_eq(nrows, cube->nrows);
    vc_source_cube_close(cube);
    vc_arena_release(&arena);
}

/* "SVK*0.25", with its time and its note where it has them: "SVK*0.25[19930101-](why)". */
static void put_target(vc_buffer *buffer, const vc_crosswalk_target *target)
{
    vc_buffer_printf(buffer, " %.*s*%g", VC_FMT(target->to), target->weight);
    if (target->first_day != VC_DAY_FIRST || target->last_day != VC_DAY_LAST) {
        vc_buffer_put_char(buffer, '[');
        if (target->first_day != VC_DAY_FIRST) vc_buffer_printf(buffer, "%d", target->first_day);
        vc_buffer_put_char(buffer, '-');
        if (target->last_day != VC_DAY_LAST) vc_buffer_printf(buffer, "%d", target->last_day);
        vc_buffer_put_char(buffer, ']');
    }
    if (target->note.size > 0) vc_buffer_printf(buffer, "(%.*s)", VC_FMT(target->note));
}

static void put_crosswalk(vc_buffer *buffer, const vc_snapshot *snapshot, vc_str name)
{
    vc_arena arena = {0};
    const vc_crosswalk *crosswalk;
    vc_str bytes;
    vc_texts keys;
    vc_object object;
    NEED_OK(vc_crosswalk_open(snapshot, name, &arena, &crosswalk, why));
    NEED_OK(vc_snapshot_find(snapshot, VC_KIND_CROSSWALK, name, &object, why));
    NEED_OK(vc_snapshot_bytes(snapshot, object.id, object.generation, VC_CROSSWALK_FROM, &arena,
                              &bytes, why));
    NEED_OK(vc_text_column_open(bytes, "test", &keys, why));
    cr_assert_eq(keys.count, vc_crosswalk_nkeys(crosswalk));
    for (uint32_t i = 0; i < keys.count; i++) {
        const vc_crosswalk_target *targets;
        vc_str key = vc_texts_get(&keys, i);
        size_t ntargets = vc_crosswalk_find(crosswalk, key, &targets);
        vc_buffer_printf(buffer, "  %.*s ->", VC_FMT(key));
        for (size_t j = 0; j < ntargets; j++)
            put_target(buffer, &targets[j]);
        vc_buffer_put_char(buffer, '\n');
    }
    vc_arena_release(&arena);
}

static void put_shared(vc_buffer *buffer, const vc_snapshot *snapshot, const vc_object *object,
                       const vc_manifest *manifest)
{
    vc_arena arena = {0};
    vc_str image;
    const vc_dimension *dimension;
    if (manifest->ndimensions == 0) return;
    NEED_OK(vc_snapshot_bytes(snapshot, object->id, object->generation, VC_COLUMN_IMAGE, &arena,
                              &image, why));
    NEED_OK(vc_dimension_open(image, &arena, &dimension, why));
    put_dimension(buffer, object->name, dimension);
    vc_arena_release(&arena);
}

static void put_object(vc_buffer *buffer, const vc_snapshot *snapshot, const vc_object *object)
{
    static const char *const kinds[] = {"", "source", "virtual", "dimension", "crosswalk"};
    vc_arena arena = {0};
    vc_manifest manifest;
    NEED_OK(vc_manifest_read(object, &arena, &manifest, why));
    vc_buffer_printf(buffer, "%s %.*s: %" PRIu64 "\n", kinds[manifest.kind], VC_FMT(object->name),
                     manifest.nrows);
    switch (manifest.kind) {
    case VC_DEFINITION_SOURCE: put_source(buffer, snapshot, object->name); break;
    case VC_DEFINITION_CROSSWALK: put_crosswalk(buffer, snapshot, object->name); break;
    case VC_DEFINITION_DIMENSION: put_shared(buffer, snapshot, object, &manifest); break;
    case VC_DEFINITION_VIRTUAL: break;
    }
    vc_arena_release(&arena);
}

void load_dump_store(vc_store *store, vc_buffer *buffer)
{
    static const vc_kind kinds[] = {VC_KIND_DIMENSION, VC_KIND_CROSSWALK, VC_KIND_CUBE};
    vc_arena arena = {0};
    vc_snapshot *snapshot;
    NEED_OK(vc_snapshot_open(store, &snapshot, why));
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        vc_object *objects;
        size_t nobjects;
        NEED_OK(vc_snapshot_list(snapshot, kinds[k], &arena, &objects, &nobjects, why));
        for (size_t i = 0; i < nobjects; i++)
            put_object(buffer, snapshot, &objects[i]);
    }
    vc_snapshot_close(snapshot);
    vc_arena_release(&arena);
}
