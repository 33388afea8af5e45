/* The rows of a dimension's table, packed: where the values of a column are those of a level, of
 * its labels, of the leaf keys or of an attribute, only that is noted. What is left is the order of
 * loading and dictionaries with codes; numbers are written byte plane by byte plane, the order of
 * loading as differences, and all of it is compressed with Zstandard.
 *
 *     order       planes of [nleaves] zigzag(place of leaf - place of the leaf before)
 *     per column  count (8 bytes), bytes of the texts (8 bytes), planes of [count] sizes, the
 * texts, planes of [nleaves] codes
 */
#include "dimensions/image.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { ZSTD_LEVEL = 9, PLANES = 4 };

/* ---- where values are ---- */

vc_leaf_column vc_row_column_view(const vc_dimension *dimension, const vc_row_column *column)
{
    vc_leaf_column view = {.name = column->name};
    const vc_level *level = NULL;
    if (column->origin == VC_ROW_LEVEL_KEYS || column->origin == VC_ROW_LEVEL_LABELS)
        level = &dimension->hierarchies[column->first].levels[column->second];
    switch (column->origin) {
    case VC_ROW_LEAF_KEYS: view.values = dimension->leaf_keys; break;
    case VC_ROW_LEVEL_KEYS: view.values = level->keys; break;
    case VC_ROW_LEVEL_LABELS: view.values = level->labels; break;
    case VC_ROW_ATTRIBUTE:
        view.values = dimension->attributes[column->first].values;
        view.codes = dimension->attributes[column->first].codes;
        break;
    default: break;
    }
    if (level != NULL) view.codes = level->leaf_members;
    return view;
}

static bool reads_as(const vc_dimension *dimension, const vc_leaf_column *column,
                     vc_row_column *candidate, vc_row_origin origin, uint32_t first,
                     uint32_t second)
{
    *candidate =
        (vc_row_column){.name = column->name, .origin = origin, .first = first, .second = second};
    vc_leaf_column view = vc_row_column_view(dimension, candidate);
    for (uint32_t leaf = 0; leaf < dimension->nleaves; leaf++)
        if (!vc_str_equal(vc_leaf_column_get(column, leaf), vc_leaf_column_get(&view, leaf)))
            return false;
    return true;
}

static void find_origin(const vc_dimension *dimension, const vc_leaf_column *column,
                        vc_row_column *found)
{
    if (dimension->leaf_keys.count > 0 &&
        reads_as(dimension, column, found, VC_ROW_LEAF_KEYS, 0, 0))
        return;
    for (unsigned h = 0; h < dimension->nhierarchies; h++)
        for (unsigned l = 0; l < dimension->hierarchies[h].nlevels; l++)
            if (reads_as(dimension, column, found, VC_ROW_LEVEL_KEYS, h, l) ||
                (dimension->hierarchies[h].levels[l].has_labels &&
                 reads_as(dimension, column, found, VC_ROW_LEVEL_LABELS, h, l)))
                return;
    for (unsigned a = 0; a < dimension->nattributes; a++)
        if (dimension->attributes[a].hierarchy < 0 &&
            reads_as(dimension, column, found, VC_ROW_ATTRIBUTE, a, 0))
            return;
    *found = (vc_row_column){.name = column->name, .origin = VC_ROW_PACKED};
}

/* ---- writing ---- */

static void put_word(vc_buffer *buffer, uint64_t word)
{
    vc_buffer_put(buffer, &word, sizeof word);
}

/* Room for planes of `count` numbers at the end of the buffer; NULL when out of memory. */
static unsigned char *add_planes(vc_buffer *buffer, size_t count)
{
    if (!vc_buffer_reserve(buffer, count * PLANES + 1)) return NULL;
    unsigned char *planes = (unsigned char *)buffer->data + buffer->size;
    buffer->size += count * PLANES;
    return planes;
}

static void set_planes(unsigned char *planes, size_t count, size_t i, uint32_t number)
{
    for (size_t plane = 0; plane < PLANES; plane++)
        planes[plane * count + i] = (unsigned char)(number >> 8 * plane);
}

static uint32_t get_planes(const unsigned char *planes, size_t count, size_t i)
{
    uint32_t number = 0;
    for (size_t plane = 0; plane < PLANES; plane++)
        number |= (uint32_t)planes[plane * count + i] << 8 * plane;
    return number;
}

/* By leaf rather than by place: leaves that are neighbours were mostly loaded in their order. */
static void put_order(const uint32_t *load_order, uint32_t nleaves, vc_buffer *buffer)
{
    uint32_t *places = malloc(((size_t)nleaves + 1) * sizeof *places), before = 0;
    unsigned char *planes = places == NULL ? NULL : add_planes(buffer, nleaves);
    if (planes == NULL) {
        buffer->failed = true;
        free(places);
        return;
    }
    for (uint32_t i = 0; i < nleaves; i++)
        places[load_order[i]] = i;
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        uint32_t step = places[leaf] - before;
        before = places[leaf];
        set_planes(planes, nleaves, leaf, step << 1 ^ (step >> 31 ? UINT32_MAX : 0));
    }
    free(places);
}

static void put_column(const vc_leaf_column *column, uint32_t nleaves, vc_buffer *buffer)
{
    const vc_texts *values = &column->values;
    uint64_t size = 0;
    for (uint32_t i = 0; i < values->count; i++)
        size += vc_texts_get(values, i).size;
    put_word(buffer, values->count);
    put_word(buffer, size);
    unsigned char *sizes = add_planes(buffer, values->count);
    for (uint32_t i = 0; sizes != NULL && i < values->count; i++)
        set_planes(sizes, values->count, i, (uint32_t)vc_texts_get(values, i).size);
    for (uint32_t i = 0; i < values->count; i++)
        vc_buffer_put_str(buffer, vc_texts_get(values, i));
    unsigned char *codes = add_planes(buffer, nleaves);
    for (uint32_t leaf = 0; codes != NULL && leaf < nleaves; leaf++)
        set_planes(codes, nleaves, leaf, vc_numbers_get(column->codes, leaf));
}

void vc_rows_write(const vc_dimension *dimension, const vc_dimension_rows *rows,
                   vc_row_column *columns_out, vc_buffer *buffer)
{
    put_order(rows->load_order, dimension->nleaves, buffer);
    for (unsigned c = 0; c < rows->ncolumns; c++) {
        find_origin(dimension, &rows->columns[c], &columns_out[c]);
        if (columns_out[c].origin == VC_ROW_PACKED)
            put_column(&rows->columns[c], dimension->nleaves, buffer);
    }
}

vc_status vc_rows_pack(const vc_buffer *rows, vc_buffer *packed, vc_error *error)
{
    vc_buffer_clear(packed);
    size_t room = ZSTD_compressBound(rows->size);
    if (rows->failed || !vc_buffer_reserve(packed, room)) return vc_no_memory(error);
    packed->size = ZSTD_compress(packed->data, room, rows->data, rows->size, ZSTD_LEVEL);
    return ZSTD_isError(packed->size) ? vc_no_memory(error) : VC_OK;
}

/* ---- reading ---- */

/* Takes one thing after the other. */
typedef struct unpacking {
    const vc_dimension *dimension;
    vc_arena *arena;
    const unsigned char *at, *end;
    bool is_out_of_memory;
} unpacking;

static const unsigned char *take(unpacking *from, uint64_t count, size_t size)
{
    if (from->at == NULL || count > (uint64_t)(from->end - from->at) / size) return from->at = NULL;
    const unsigned char *taken = from->at;
    from->at += count * size;
    return taken;
}

static uint64_t take_word(unpacking *from)
{
    uint64_t word = 0;
    const unsigned char *data = take(from, 1, sizeof word);
    if (data != NULL) memcpy(&word, data, sizeof word);
    return word;
}

static void *take_memory(unpacking *from, uint64_t count, size_t size)
{
    void *memory = vc_arena_alloc(from->arena, count * size);
    if (memory == NULL) from->is_out_of_memory = true;
    return memory;
}

/* NULL when it is no permutation of the leaves, or out of memory. */
static const uint32_t *take_order(unpacking *from)
{
    uint32_t nleaves = from->dimension->nleaves, place = 0;
    const unsigned char *planes = take(from, nleaves, PLANES);
    uint32_t *order = planes == NULL ? NULL : take_memory(from, nleaves, sizeof *order);
    for (uint32_t i = 0; order != NULL && i < nleaves; i++)
        order[i] = VC_NONE;
    for (uint32_t leaf = 0; order != NULL && leaf < nleaves; leaf++) {
        uint32_t step = get_planes(planes, nleaves, leaf);
        place += step >> 1 ^ (step & 1 ? UINT32_MAX : 0);
        if (place >= nleaves || order[place] != VC_NONE) return NULL;
        order[place] = leaf;
    }
    return order;
}

static bool take_texts(unpacking *from, vc_texts *texts)
{
    uint64_t count = take_word(from), size = take_word(from), offset = 0;
    if (count > from->dimension->nleaves) return false;
    const unsigned char *sizes = take(from, count, PLANES), *bytes = take(from, size, 1);
    uint64_t *offsets = bytes == NULL ? NULL : take_memory(from, count + 1, sizeof *offsets);
    if (offsets == NULL) return false;
    for (uint32_t i = 0; i < count; i++) {
        offsets[i] = offset;
        offset += get_planes(sizes, count, i);
    }
    offsets[count] = offset;
    *texts = (vc_texts){.count = (uint32_t)count,
                        .nstored = (uint32_t)count,
                        .offset_bytes = sizeof *offsets,
                        .offsets = offsets,
                        .bytes = (const char *)bytes};
    return offset == size;
}

static bool take_column(unpacking *from, vc_leaf_column *column)
{
    uint32_t nleaves = from->dimension->nleaves;
    if (!take_texts(from, &column->values)) return false;
    const unsigned char *planes = take(from, nleaves, PLANES);
    uint32_t *codes = planes == NULL ? NULL : take_memory(from, nleaves, sizeof *codes);
    if (codes == NULL) return false;
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        codes[leaf] = get_planes(planes, nleaves, leaf);
        if (codes[leaf] != VC_NONE && codes[leaf] >= column->values.count) return false;
    }
    column->codes = vc_numbers_of(codes);
    return true;
}

static bool unpack(unpacking *from, vc_dimension_rows *rows)
{
    vc_str packed = from->dimension->packed_rows;
    uint64_t size = from->dimension->rows_bytes;
    /* The two largest numbers are how Zstandard says that there is no size. */
    if (size >= ZSTD_CONTENTSIZE_ERROR ||
        ZSTD_getFrameContentSize(packed.data, packed.size) != size)
        return false;
    char *data = take_memory(from, size + 1, 1);
    ZSTD_DCtx *context = ZSTD_createDCtx();
    from->is_out_of_memory |= context == NULL;
    size_t result = 0;
    if (!from->is_out_of_memory)
        result = ZSTD_decompressDCtx(context, data, size, packed.data, packed.size);
    ZSTD_freeDCtx(context);
    if (from->is_out_of_memory || result != size) return false;
    from->at = (const unsigned char *)data;
    from->end = from->at + size;
    rows->load_order = take_order(from);
    bool is_good = rows->load_order != NULL;
    for (unsigned c = 0; is_good && c < rows->ncolumns; c++) {
        const vc_row_column *column = &from->dimension->row_columns[c];
        rows->columns[c] = vc_row_column_view(from->dimension, column);
        if (column->origin == VC_ROW_PACKED) is_good = take_column(from, &rows->columns[c]);
    }
    return is_good && from->at == from->end;
}

vc_status vc_dimension_read_rows(const vc_dimension *dimension, vc_arena *arena,
                                 vc_dimension_rows *rows_out, vc_error *error)
{
    unpacking from = {.dimension = dimension, .arena = arena};
    *rows_out =
        (vc_dimension_rows){.ncolumns = dimension->ncolumns,
                            .columns = VC_ARENA_NEW(arena, vc_leaf_column, dimension->ncolumns)};
    if (rows_out->columns == NULL) return vc_no_memory(error);
    if (unpack(&from, rows_out)) return VC_OK;
    if (from.is_out_of_memory) return vc_no_memory(error);
    return vc_fail(error, VC_CORRUPT, "storage_damaged",
                   "the stored rows of dimension '%.*s' are damaged", VC_FMT(dimension->name));
}
