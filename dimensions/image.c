/* Reading the image of a dimension (image.h) in place. */
#include "dimensions/image.h"

#include <assert.h>
#include <string.h>

/* Takes one thing after the other from the contents. The first thing that is wrong is remembered;
 * after it everything is empty, so that a reader checks `wrong` where it matters. */
typedef struct reader {
    vc_str image;
    const uint64_t *words;
    uint64_t nwords, next;
    vc_arena *arena;
    bool looks_at_all; /* what arrays hold, too, rather than only where they lie */
    bool is_out_of_memory;
    const char *wrong; /* NULL while all is well */
} reader;

static void fail(reader *from, const char *wrong)
{
    if (from->wrong == NULL) from->wrong = wrong;
}

/* A number that is at most `most`; 0 once something is wrong. */
static uint64_t take_word(reader *from, uint64_t most)
{
    if (from->next >= from->nwords) fail(from, "its contents end too soon");
    if (from->wrong != NULL) return 0;
    uint64_t word = from->words[from->next++];
    if (word > most) fail(from, "a number in its contents is too large");
    return from->wrong == NULL ? word : 0;
}

/* Is [offset, offset + count * size) inside the image, aligned and behind the header? */
static bool is_inside(vc_str image, uint64_t offset, uint64_t count, size_t size)
{
    return offset >= sizeof(vc_image_header) && offset <= image.size && offset % 8 == 0 &&
           count <= (image.size - offset) / size;
}

/* `count` elements of `size` bytes in the image; NULL when they are not in it. */
static const void *take_blob(reader *from, uint64_t count, size_t size)
{
    uint64_t offset = take_word(from, from->image.size);
    if (from->wrong == NULL && !is_inside(from->image, offset, count, size))
        fail(from, "an array leaves it");
    return from->wrong == NULL ? from->image.data + offset : NULL;
}

static vc_str take_str(reader *from)
{
    uint64_t size = take_word(from, from->image.size);
    const char *data = take_blob(from, size, 1);
    return (vc_str){.data = data, .size = data == NULL ? 0 : (size_t)size};
}

static vc_numbers take_array(reader *from, uint64_t count)
{
    vc_numbers numbers = {.width = (uint32_t)take_word(from, sizeof(uint32_t))};
    if (numbers.width == 3) fail(from, "an array has an impossible width");
    if (numbers.width > 0) numbers.data = take_blob(from, count, numbers.width);
    return from->wrong == NULL ? numbers : (vc_numbers){0};
}

/* [count] numbers below the limit. */
static vc_numbers take_numbers(reader *from, uint64_t count, uint32_t limit)
{
    vc_numbers numbers = take_array(from, count);
    if (from->wrong != NULL || !from->looks_at_all) return numbers;
    for (uint64_t i = 0; i < count; i++)
        if (vc_numbers_get(numbers, (uint32_t)i) >= limit) fail(from, "a number leaves its range");
    return numbers;
}

/* The same, or VC_NONE. */
static vc_numbers take_codes(reader *from, uint64_t count, uint32_t limit)
{
    vc_numbers codes = take_array(from, count);
    if (from->wrong != NULL || !from->looks_at_all) return codes;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t code = vc_numbers_get(codes, (uint32_t)i);
        if (code != VC_NONE && code >= limit) fail(from, "a code leaves its range");
    }
    return codes;
}

/* [count + 1] ends of runs, from 0 to `end`. */
static vc_numbers check_runs(reader *from, vc_numbers firsts, uint64_t count, uint32_t end)
{
    if (from->wrong != NULL || !from->looks_at_all) return firsts;
    bool is_good = vc_numbers_get(firsts, 0) == 0 && vc_numbers_get(firsts, (uint32_t)count) == end;
    for (uint32_t i = 0; i < count; i++)
        is_good &= vc_numbers_get(firsts, i) <= vc_numbers_get(firsts, i + 1);
    if (!is_good) fail(from, "runs are not in order");
    return firsts;
}

static vc_numbers take_runs(reader *from, uint64_t count, uint32_t end)
{
    return check_runs(from, take_array(from, count + 1), count, end);
}

/* Arrays that are stored at full width, because pointers to them are handed out. */
static const uint32_t *take_wide_runs(reader *from, uint64_t count, uint32_t end)
{
    const uint32_t *firsts = take_blob(from, count + 1, sizeof *firsts);
    return from->wrong == NULL ? check_runs(from, vc_numbers_of(firsts), count, end).data : NULL;
}

static const uint32_t *take_wide_numbers(reader *from, uint64_t count, uint32_t limit)
{
    const uint32_t *values = take_blob(from, count, sizeof *values);
    for (uint64_t i = 0; from->wrong == NULL && from->looks_at_all && i < count; i++)
        if (values[i] >= limit) fail(from, "a number leaves its range");
    return values;
}

static uint64_t get_offset(const vc_texts *texts, uint32_t i)
{
    return texts->offset_bytes == sizeof(uint32_t) ? ((const uint32_t *)texts->offsets)[i]
                                                   : ((const uint64_t *)texts->offsets)[i];
}

static void take_offsets(reader *from, vc_texts *texts, uint64_t size)
{
    texts->offset_bytes = (uint32_t)take_word(from, sizeof(uint64_t));
    if (texts->offset_bytes != sizeof(uint32_t) && texts->offset_bytes != sizeof(uint64_t))
        fail(from, "offsets have an impossible width");
    if (from->wrong != NULL) return;
    texts->offsets = take_blob(from, (uint64_t)texts->nstored + 1, texts->offset_bytes);
    bool is_good = from->wrong == NULL && get_offset(texts, texts->nstored) <= size;
    for (uint32_t i = 0; is_good && from->looks_at_all && i < texts->nstored; i++)
        is_good = get_offset(texts, i) <= get_offset(texts, i + 1);
    if (!is_good) fail(from, "texts leave their bytes");
}

static vc_texts take_texts(reader *from, uint32_t count)
{
    vc_texts texts = {.count = count, .nstored = (uint32_t)take_word(from, VC_NONE - 1)};
    texts.stride = (uint32_t)take_word(from, UINT8_MAX);
    uint64_t size = take_word(from, from->image.size);
    if (texts.stride == 0)
        take_offsets(from, &texts, size);
    else if (size != (uint64_t)texts.stride * texts.nstored)
        fail(from, "texts leave their bytes");
    texts.bytes = take_blob(from, size, 1);
    texts.places = take_numbers(from, count, texts.nstored);
    if (texts.places.width == 0 && count > texts.nstored) fail(from, "texts are missing");
    return from->wrong == NULL ? texts : (vc_texts){0};
}

static void *take_memory(reader *from, uint64_t count, size_t size)
{
    void *memory = from->wrong == NULL ? vc_arena_calloc(from->arena, count, size) : NULL;
    if (from->wrong == NULL && memory == NULL) {
        from->is_out_of_memory = true;
        fail(from, "out of memory");
    }
    return memory;
}

static void take_level(reader *from, uint32_t nleaves, vc_hierarchy *hierarchy, unsigned number)
{
    vc_level *level = &hierarchy->levels[number];
    level->name = take_str(from);
    level->label = take_str(from);
    level->key_type = (vc_key_type)take_word(from, VC_KEY_DATE);
    uint64_t flags = take_word(from, VC_LEVEL_FLAGS);
    level->is_numeric = flags & VC_LEVEL_NUMERIC;
    level->is_ordered_by_column = flags & VC_LEVEL_ORDERED;
    level->is_contiguous = flags & VC_LEVEL_CONTIGUOUS;
    level->has_labels = flags & VC_LEVEL_LABELS;
    level->is_ragged = flags & VC_LEVEL_RAGGED;
    hierarchy->is_ragged |= level->is_ragged;
    hierarchy->is_parent_child |= (flags & VC_LEVEL_PARENT_CHILD) != 0;
    level->keys = take_texts(from, level->nmembers);
    level->labels = level->has_labels ? take_texts(from, level->nmembers) : level->keys;
    level->leaf_members = take_numbers(from, nleaves, level->nmembers);
    level->by_key = take_numbers(from, level->nmembers, level->nmembers);
    if (number > 0) level->parents = take_numbers(from, level->nmembers, level[-1].nmembers);
    if (number + 1 < hierarchy->nlevels)
        level->first_child = take_wide_runs(from, level->nmembers, level[1].nmembers);
    if (level->is_contiguous) level->first_leaf = take_runs(from, level->nmembers, nleaves);
}

static void take_hierarchies(reader *from, vc_dimension *dimension)
{
    dimension->nhierarchies = (unsigned)take_word(from, VC_MAX_HIERARCHIES);
    dimension->hierarchies = take_memory(from, dimension->nhierarchies, sizeof(vc_hierarchy));
    if (dimension->nhierarchies == 0) fail(from, "it has no hierarchy");
    for (unsigned h = 0; from->wrong == NULL && h < dimension->nhierarchies; h++) {
        vc_hierarchy *hierarchy = &dimension->hierarchies[h];
        hierarchy->name = take_str(from);
        hierarchy->label = take_str(from);
        hierarchy->nlevels = (unsigned)take_word(from, VC_MAX_LEVELS);
        hierarchy->levels = take_memory(from, hierarchy->nlevels, sizeof(vc_level));
        if (hierarchy->nlevels == 0) fail(from, "it has a hierarchy without levels");
        for (unsigned l = 0; from->wrong == NULL && l < hierarchy->nlevels; l++)
            hierarchy->levels[l].nmembers = (uint32_t)take_word(from, dimension->nleaves);
        for (unsigned l = 0; from->wrong == NULL && l < hierarchy->nlevels; l++)
            take_level(from, dimension->nleaves, hierarchy, l);
    }
}

/* Returns how many leaves or members the owner has. */
static uint32_t take_owner(reader *from, const vc_dimension *dimension, int *hierarchy_out,
                           int *level_out)
{
    uint64_t hierarchy = take_word(from, dimension->nhierarchies);
    if (hierarchy == 0) {
        take_word(from, 0);
        *hierarchy_out = *level_out = -1;
        return dimension->nleaves;
    }
    const vc_hierarchy *owner = &dimension->hierarchies[hierarchy - 1];
    uint64_t level = take_word(from, owner->nlevels - 1);
    *hierarchy_out = (int)hierarchy - 1;
    *level_out = (int)level;
    return owner->levels[level].nmembers;
}

static void take_attributes(reader *from, vc_dimension *dimension)
{
    dimension->nattributes = (unsigned)take_word(from, from->nwords);
    dimension->attributes = take_memory(from, dimension->nattributes, sizeof(vc_attribute));
    for (unsigned a = 0; from->wrong == NULL && a < dimension->nattributes; a++) {
        vc_attribute *attribute = &dimension->attributes[a];
        attribute->name = take_str(from);
        uint32_t nunits = take_owner(from, dimension, &attribute->hierarchy, &attribute->level);
        uint32_t nvalues = (uint32_t)take_word(from, dimension->nleaves);
        attribute->values = take_texts(from, nvalues);
        attribute->codes = take_codes(from, nunits, nvalues);
    }
}

static void take_indexes(reader *from, vc_dimension *dimension)
{
    dimension->nindexes = (unsigned)take_word(from, from->nwords);
    dimension->indexes = take_memory(from, dimension->nindexes, sizeof(vc_index));
    for (unsigned i = 0; from->wrong == NULL && i < dimension->nindexes; i++) {
        vc_index *index = &dimension->indexes[i];
        index->name = take_str(from);
        uint32_t nunits = take_owner(from, dimension, &index->hierarchy, &index->level);
        uint64_t flags = take_word(from, VC_INDEX_FLAGS);
        index->is_implicit = flags & VC_INDEX_IMPLICIT;
        index->is_unique = flags & VC_INDEX_UNIQUE;
        index->is_partial = flags & VC_INDEX_PARTIAL;
        uint32_t nvalues = (uint32_t)take_word(from, nunits);
        uint32_t nindexed = (uint32_t)take_word(from, nunits);
        index->values = take_texts(from, nvalues);
        index->offsets = take_runs(from, nvalues, nindexed);
        index->members = take_wide_numbers(from, nindexed, nunits);
    }
}

static bool is_origin(const vc_dimension *dimension, const vc_row_column *column)
{
    switch (column->origin) {
    case VC_ROW_LEAF_KEYS: return dimension->leaf_keys.count == dimension->nleaves;
    case VC_ROW_LEVEL_KEYS:
    case VC_ROW_LEVEL_LABELS:
        return column->first < dimension->nhierarchies &&
               column->second < dimension->hierarchies[column->first].nlevels;
    case VC_ROW_ATTRIBUTE:
        return column->first < dimension->nattributes &&
               dimension->attributes[column->first].hierarchy < 0;
    default: return true;
    }
}

static void take_columns(reader *from, vc_dimension *dimension)
{
    dimension->ncolumns = (unsigned)take_word(from, from->nwords);
    dimension->row_columns = take_memory(from, dimension->ncolumns, sizeof(vc_row_column));
    for (unsigned c = 0; from->wrong == NULL && c < dimension->ncolumns; c++) {
        vc_row_column *column = &dimension->row_columns[c];
        column->name = take_str(from);
        column->origin = (vc_row_origin)take_word(from, VC_ROW_ORIGINS - 1);
        column->first = (uint32_t)take_word(from, UINT32_MAX);
        column->second = (uint32_t)take_word(from, UINT32_MAX);
        if (from->wrong == NULL && !is_origin(dimension, column)) fail(from, "a column is nowhere");
    }
}

static void take_dimension(reader *from, vc_dimension *dimension)
{
    dimension->is_time = take_word(from, 1) != 0;
    dimension->nleaves = (uint32_t)take_word(from, VC_NONE - 1);
    dimension->key_name = take_str(from);
    uint64_t have = take_word(from, VC_LEAVES_HAVE_DOUBLES);
    if (have != VC_LEAVES_PLAIN) dimension->leaf_keys = take_texts(from, dimension->nleaves);
    dimension->has_places = have == VC_LEAVES_HAVE_DOUBLES;
    if (dimension->has_places) {
        dimension->ndoubles = (uint32_t)take_word(from, dimension->nleaves);
        dimension->firsts =
            take_numbers(from, dimension->ndoubles, vc_dimension_count_leaves(dimension));
    }
    take_hierarchies(from, dimension);
    take_attributes(from, dimension);
    take_indexes(from, dimension);
    take_columns(from, dimension);
    if (from->next != from->nwords) fail(from, "its contents go on too long");
}

static const char *check_header(vc_str image, vc_image_header *header)
{
    if (image.size < sizeof *header) return "it is shorter than its header";
    memcpy(header, image.data, sizeof *header);
    if (memcmp(header->magic, VC_IMAGE_MAGIC, sizeof header->magic) != 0)
        return "it does not begin like one";
    if (header->version != VC_IMAGE_VERSION || header->header_bytes != sizeof *header)
        return "it is of a version that this program does not read";
    if (header->image_bytes != image.size) return "its size is not what it was";
    if (!is_inside(image, header->contents_offset, header->ncontents, sizeof(uint64_t)) ||
        !is_inside(image, header->rows_offset, header->packed_bytes, 1) ||
        !is_inside(image, header->name_offset, header->name_bytes, 1) ||
        !is_inside(image, header->label_offset, header->label_bytes, 1))
        return "its header points outside";
    return NULL;
}

static vc_status open_image(vc_str image, bool looks_at_all, vc_arena *arena,
                            const vc_dimension **dimension_out, vc_error *error)
{
    assert((uintptr_t)image.data % 8 == 0);
    vc_image_header header;
    reader from = {.image = image,
                   .arena = arena,
                   .looks_at_all = looks_at_all,
                   .wrong = check_header(image, &header)};
    vc_dimension *dimension = take_memory(&from, 1, sizeof *dimension);
    if (from.wrong == NULL) {
        from.words = (const uint64_t *)(const void *)(image.data + header.contents_offset);
        from.nwords = header.ncontents;
        dimension->name = (vc_str){image.data + header.name_offset, header.name_bytes};
        dimension->label = (vc_str){image.data + header.label_offset, header.label_bytes};
        dimension->packed_rows = (vc_str){image.data + header.rows_offset, header.packed_bytes};
        dimension->rows_bytes = header.rows_bytes;
        dimension->fingerprint = header.fingerprint;
        take_dimension(&from, dimension);
    }
    if (from.is_out_of_memory) return vc_no_memory(error);
    if (from.wrong != NULL)
        return vc_fail(error, VC_CORRUPT, "storage_damaged",
                       "the stored image of a dimension is damaged: %s", from.wrong);
    *dimension_out = dimension;
    return VC_OK;
}

vc_status vc_dimension_open(vc_str image, vc_arena *arena, const vc_dimension **dimension_out,
                            vc_error *error)
{
    return open_image(image, false, arena, dimension_out, error);
}

vc_status vc_dimension_check(vc_str image, vc_error *error)
{
    vc_arena arena = {0};
    const vc_dimension *dimension = NULL;
    vc_dimension_rows rows;
    vc_status status = open_image(image, true, &arena, &dimension, error);
    if (status == VC_OK) status = vc_dimension_read_rows(dimension, &arena, &rows, error);
    vc_arena_release(&arena);
    return status;
}
