/* The image of a dimension: one run of bytes, written once and read in place.
 *
 *     header      magic, version, sizes, fingerprint
 *     blobs       arrays and texts, each aligned to 8
 *     contents    64-bit words that describe the dimension and say where the blobs are
 *     names       name and label of the dimension
 *
 * Blobs with the same bytes are written once: the values of an attribute and of its index, labels
 * that are the keys, members in the order of their bytes, ... The fingerprint covers blobs and
 * contents. Everything is little-endian, as the machine has it; on another one the version does not
 * match. An offset of 0, where the header is, stands for an absent blob.
 */
#include "dimensions/build.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

enum { IMAGE_VERSION = 1 };

static const char image_magic[8] = {'v', 'c', 'u', 'b', 'e', 'D', 'I', 'M'};

typedef struct image_header {
    char magic[8];
    uint32_t version, header_bytes;
    uint64_t image_bytes;
    uint64_t contents_offset, ncontents; /* words */
    uint64_t fingerprint;
    uint64_t name_offset, name_bytes;
    uint64_t label_offset, label_bytes;
} image_header;

enum {
    LEVEL_NUMERIC = 1,
    LEVEL_ORDERED = 2,
    LEVEL_CONTIGUOUS = 4,
    LEVEL_LABELS = 8,
    LEVEL_FLAGS = 15,
    INDEX_IMPLICIT = 1,
    INDEX_UNIQUE = 2,
    INDEX_PARTIAL = 4,
    INDEX_FLAGS = 7,
};

/* ---- writing ---- */

typedef struct blob {
    uint64_t hash, offset, size;
} blob;

typedef struct writer {
    vc_buffer *image;
    vc_buffer contents; /* words */
    vc_buffer blobs;    /* of blob, in the order of writing */
} writer;

static void put_word(writer *to, uint64_t word)
{
    vc_buffer_put(&to->contents, &word, sizeof word);
}

static uint64_t find_blob(const writer *to, const void *data, uint64_t size, uint64_t hash)
{
    const blob *blobs = (const blob *)(const void *)to->blobs.data;
    for (size_t i = 0; i < to->blobs.size / sizeof *blobs; i++)
        if (blobs[i].hash == hash && blobs[i].size == size &&
            memcmp(to->image->data + blobs[i].offset, data, size) == 0)
            return blobs[i].offset;
    return 0;
}

static uint64_t append_aligned(vc_buffer *image, const void *data, size_t size)
{
    static const char zeros[8];
    vc_buffer_put(image, zeros, -image->size % 8);
    uint64_t offset = image->size;
    if (size > 0) vc_buffer_put(image, data, size);
    return offset;
}

static void put_blob(writer *to, const void *data, size_t size)
{
    uint64_t hash = XXH3_64bits(data, size);
    uint64_t offset = to->image->failed ? 0 : find_blob(to, data, size, hash);
    if (offset == 0) {
        offset = append_aligned(to->image, data, size);
        blob written = {.hash = hash, .offset = offset, .size = size};
        vc_buffer_put(&to->blobs, &written, sizeof written);
    }
    put_word(to, offset);
}

static void put_array(writer *to, const uint32_t *values, size_t count)
{
    put_blob(to, values, count * sizeof *values);
}

static void put_str(writer *to, vc_str text)
{
    put_word(to, text.size);
    put_blob(to, text.size == 0 ? "" : text.data, text.size);
}

static void put_texts(writer *to, const vc_texts *texts)
{
    uint64_t none = 0, size = texts->count == 0 ? 0 : texts->offsets[texts->count];
    put_word(to, size);
    put_blob(to, texts->count == 0 ? &none : texts->offsets,
             ((size_t)texts->count + 1) * sizeof *texts->offsets);
    put_blob(to, size == 0 ? "" : texts->bytes, size);
}

static void put_level(writer *to, const vc_dimension *dimension, const vc_hierarchy *hierarchy,
                      unsigned number)
{
    const vc_level *level = &hierarchy->levels[number];
    put_str(to, level->name);
    put_str(to, level->label);
    put_word(to, level->key_type);
    put_word(to, (level->is_numeric ? LEVEL_NUMERIC : 0) |
                     (level->is_ordered_by_column ? LEVEL_ORDERED : 0) |
                     (level->is_contiguous ? LEVEL_CONTIGUOUS : 0) |
                     (level->has_labels ? LEVEL_LABELS : 0));
    put_texts(to, &level->keys);
    put_texts(to, &level->labels);
    put_array(to, level->leaf_members, dimension->nleaves);
    put_array(to, level->by_key, level->nmembers);
    if (number > 0) put_array(to, level->parents, level->nmembers);
    if (number + 1 < hierarchy->nlevels)
        put_array(to, level->first_child, (size_t)level->nmembers + 1);
    if (level->is_contiguous) put_array(to, level->first_leaf, (size_t)level->nmembers + 1);
}

static void put_hierarchy(writer *to, const vc_dimension *dimension, const vc_hierarchy *hierarchy)
{
    put_str(to, hierarchy->name);
    put_str(to, hierarchy->label);
    put_word(to, hierarchy->nlevels);
    for (unsigned l = 0; l < hierarchy->nlevels; l++)
        put_word(to, hierarchy->levels[l].nmembers);
    for (unsigned l = 0; l < hierarchy->nlevels; l++)
        put_level(to, dimension, hierarchy, l);
}

/* Leaves (-1, -1) are 0, 0 and hierarchy h, level l is h + 1, l. */
static uint64_t put_owner(writer *to, const vc_dimension *dimension, int hierarchy, int level)
{
    put_word(to, hierarchy < 0 ? 0 : (uint64_t)hierarchy + 1);
    put_word(to, hierarchy < 0 ? 0 : (uint64_t)level);
    return hierarchy < 0 ? dimension->nleaves
                         : dimension->hierarchies[hierarchy].levels[level].nmembers;
}

static void put_attribute(writer *to, const vc_dimension *dimension, const vc_attribute *attribute)
{
    put_str(to, attribute->name);
    uint64_t nunits = put_owner(to, dimension, attribute->hierarchy, attribute->level);
    put_word(to, attribute->values.count);
    put_texts(to, &attribute->values);
    put_array(to, attribute->codes, nunits);
}

static void put_index(writer *to, const vc_dimension *dimension, const vc_index *index)
{
    put_str(to, index->name);
    put_owner(to, dimension, index->hierarchy, index->level);
    put_word(to, (index->is_implicit ? INDEX_IMPLICIT : 0) | (index->is_unique ? INDEX_UNIQUE : 0) |
                     (index->is_partial ? INDEX_PARTIAL : 0));
    put_word(to, index->values.count);
    put_word(to, index->offsets[index->values.count]);
    put_texts(to, &index->values);
    put_array(to, index->offsets, (size_t)index->values.count + 1);
    put_array(to, index->members, index->offsets[index->values.count]);
}

static void put_dimension(writer *to, const vc_dimension *dimension)
{
    put_word(to, dimension->is_time);
    put_word(to, dimension->nleaves);
    put_str(to, dimension->key_name);
    put_word(to, dimension->leaf_keys.count > 0);
    if (dimension->leaf_keys.count > 0) put_texts(to, &dimension->leaf_keys);
    put_array(to, dimension->load_order, dimension->nleaves);
    put_word(to, dimension->nhierarchies);
    for (unsigned h = 0; h < dimension->nhierarchies; h++)
        put_hierarchy(to, dimension, &dimension->hierarchies[h]);
    put_word(to, dimension->nattributes);
    for (unsigned a = 0; a < dimension->nattributes; a++)
        put_attribute(to, dimension, &dimension->attributes[a]);
    put_word(to, dimension->nindexes);
    for (unsigned i = 0; i < dimension->nindexes; i++)
        put_index(to, dimension, &dimension->indexes[i]);
    put_word(to, dimension->ncolumns);
    for (unsigned c = 0; c < dimension->ncolumns; c++) {
        const vc_leaf_column *column = &dimension->columns[c];
        put_str(to, column->name);
        put_word(to, column->values.count);
        put_texts(to, &column->values);
        put_array(to, column->codes, dimension->nleaves);
    }
}

vc_status vc_dimension_write(const vc_dimension *dimension, vc_buffer *image, vc_error *error)
{
    vc_buffer_clear(image);
    image_header header = {.version = IMAGE_VERSION, .header_bytes = sizeof header};
    memcpy(header.magic, image_magic, sizeof header.magic);
    vc_buffer_put(image, &header, sizeof header);

    writer to = {.image = image};
    put_dimension(&to, dimension);
    header.contents_offset = append_aligned(image, to.contents.data, to.contents.size);
    header.ncontents = to.contents.size / sizeof(uint64_t);
    bool is_good = !image->failed && !to.contents.failed && !to.blobs.failed;
    if (is_good)
        header.fingerprint = XXH3_64bits(image->data + sizeof header, image->size - sizeof header);
    header.name_offset = append_aligned(image, dimension->name.data, dimension->name.size);
    header.name_bytes = dimension->name.size;
    header.label_offset = append_aligned(image, dimension->label.data, dimension->label.size);
    header.label_bytes = dimension->label.size;
    header.image_bytes = image->size;
    is_good = is_good && !image->failed;
    if (is_good) memcpy(image->data, &header, sizeof header);
    vc_buffer_release(&to.contents);
    vc_buffer_release(&to.blobs);
    return is_good ? VC_OK : vc_no_memory(error);
}

/* ---- reading ---- */

/* Takes one thing after the other from the contents. The first thing that is wrong is remembered;
 * after it everything is empty, so that a reader checks `wrong` where it matters. */
typedef struct reader {
    vc_str image;
    const uint64_t *words;
    uint64_t nwords, next;
    vc_arena *arena;
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

/* `count` elements of `size` bytes in the image; NULL when they are not in it. */
static const void *take_blob(reader *from, uint64_t count, size_t size)
{
    uint64_t offset = take_word(from, from->image.size);
    if (from->wrong == NULL && (offset < sizeof(image_header) || offset % 8 != 0 ||
                                count > (from->image.size - offset) / size))
        fail(from, "an array leaves it");
    return from->wrong == NULL ? from->image.data + offset : NULL;
}

static vc_str take_str(reader *from)
{
    uint64_t size = take_word(from, from->image.size);
    const char *data = take_blob(from, size, 1);
    return (vc_str){.data = data, .size = data == NULL ? 0 : (size_t)size};
}

static vc_texts take_texts(reader *from, uint32_t count)
{
    uint64_t size = take_word(from, from->image.size);
    const uint64_t *offsets = take_blob(from, (uint64_t)count + 1, sizeof *offsets);
    const char *bytes = take_blob(from, size, 1);
    if (from->wrong != NULL) return (vc_texts){0};
    bool is_good = offsets[count] <= size;
    for (uint32_t i = 0; i < count; i++)
        is_good &= offsets[i] <= offsets[i + 1];
    if (!is_good) fail(from, "texts leave their bytes");
    return (vc_texts){.count = count, .offsets = offsets, .bytes = bytes};
}

/* [count] numbers below the limit. */
static const uint32_t *take_numbers(reader *from, uint64_t count, uint32_t limit)
{
    const uint32_t *values = take_blob(from, count, sizeof *values);
    if (from->wrong != NULL) return NULL;
    uint32_t most = 0;
    for (uint64_t i = 0; i < count; i++)
        most = values[i] > most ? values[i] : most;
    if (count > 0 && most >= limit) fail(from, "a number leaves its range");
    return values;
}

/* The same, or VC_NONE, which becomes 0 when 1 is added. */
static const uint32_t *take_codes(reader *from, uint64_t count, uint32_t limit)
{
    const uint32_t *codes = take_blob(from, count, sizeof *codes);
    if (from->wrong != NULL) return NULL;
    uint32_t most = 0;
    for (uint64_t i = 0; i < count; i++)
        most = codes[i] + 1 > most ? codes[i] + 1 : most;
    if (most > limit) fail(from, "a code leaves its range");
    return codes;
}

/* [count + 1] ends of runs, from 0 to `end`. */
static const uint32_t *take_runs(reader *from, uint64_t count, uint32_t end)
{
    const uint32_t *firsts = take_blob(from, count + 1, sizeof *firsts);
    if (from->wrong != NULL) return NULL;
    bool is_good = firsts[0] == 0 && firsts[count] == end;
    for (uint64_t i = 0; i < count; i++)
        is_good &= firsts[i] <= firsts[i + 1];
    if (!is_good) fail(from, "runs are not in order");
    return firsts;
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
    uint64_t flags = take_word(from, LEVEL_FLAGS);
    level->is_numeric = flags & LEVEL_NUMERIC;
    level->is_ordered_by_column = flags & LEVEL_ORDERED;
    level->is_contiguous = flags & LEVEL_CONTIGUOUS;
    level->has_labels = flags & LEVEL_LABELS;
    level->keys = take_texts(from, level->nmembers);
    level->labels = take_texts(from, level->nmembers);
    level->leaf_members = take_numbers(from, nleaves, level->nmembers);
    level->by_key = take_numbers(from, level->nmembers, level->nmembers);
    if (number > 0) level->parents = take_numbers(from, level->nmembers, level[-1].nmembers);
    if (number + 1 < hierarchy->nlevels)
        level->first_child = take_runs(from, level->nmembers, level[1].nmembers);
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
        uint64_t flags = take_word(from, INDEX_FLAGS);
        index->is_implicit = flags & INDEX_IMPLICIT;
        index->is_unique = flags & INDEX_UNIQUE;
        index->is_partial = flags & INDEX_PARTIAL;
        uint32_t nvalues = (uint32_t)take_word(from, nunits);
        uint32_t nindexed = (uint32_t)take_word(from, nunits);
        index->values = take_texts(from, nvalues);
        index->offsets = take_runs(from, nvalues, nindexed);
        index->members = take_numbers(from, nindexed, nunits);
    }
}

static void take_columns(reader *from, vc_dimension *dimension)
{
    dimension->ncolumns = (unsigned)take_word(from, from->nwords);
    dimension->columns = take_memory(from, dimension->ncolumns, sizeof(vc_leaf_column));
    for (unsigned c = 0; from->wrong == NULL && c < dimension->ncolumns; c++) {
        vc_leaf_column *column = &dimension->columns[c];
        column->name = take_str(from);
        uint32_t nvalues = (uint32_t)take_word(from, dimension->nleaves);
        column->values = take_texts(from, nvalues);
        column->codes = take_codes(from, dimension->nleaves, nvalues);
    }
}

static void take_dimension(reader *from, vc_dimension *dimension)
{
    dimension->is_time = take_word(from, 1) != 0;
    dimension->nleaves = (uint32_t)take_word(from, VC_NONE - 1);
    dimension->key_name = take_str(from);
    if (take_word(from, 1) != 0) dimension->leaf_keys = take_texts(from, dimension->nleaves);
    dimension->load_order = take_numbers(from, dimension->nleaves, dimension->nleaves);
    take_hierarchies(from, dimension);
    take_attributes(from, dimension);
    take_indexes(from, dimension);
    take_columns(from, dimension);
    if (from->next != from->nwords) fail(from, "its contents go on too long");
}

/* Is [offset, offset + count * size) inside the image and behind the header? */
static bool is_inside(vc_str image, uint64_t offset, uint64_t count, size_t size)
{
    return offset >= sizeof(image_header) && offset <= image.size && offset % 8 == 0 &&
           count <= (image.size - offset) / size;
}

static const char *check_header(vc_str image, image_header *header)
{
    if (image.size < sizeof *header) return "it is shorter than its header";
    memcpy(header, image.data, sizeof *header);
    if (memcmp(header->magic, image_magic, sizeof image_magic) != 0)
        return "it does not begin like one";
    if (header->version != IMAGE_VERSION || header->header_bytes != sizeof *header)
        return "it is of a version that this program does not read";
    if (header->image_bytes != image.size) return "its size is not what it was";
    if (!is_inside(image, header->contents_offset, header->ncontents, sizeof(uint64_t)) ||
        !is_inside(image, header->name_offset, header->name_bytes, 1) ||
        !is_inside(image, header->label_offset, header->label_bytes, 1))
        return "its header points outside";
    return NULL;
}

vc_status vc_dimension_open(vc_str image, vc_arena *arena, const vc_dimension **dimension_out,
                            vc_error *error)
{
    assert((uintptr_t)image.data % 8 == 0);
    image_header header;
    reader from = {.image = image, .arena = arena, .wrong = check_header(image, &header)};
    vc_dimension *dimension = take_memory(&from, 1, sizeof *dimension);
    if (from.wrong == NULL) {
        from.words = (const uint64_t *)(const void *)(image.data + header.contents_offset);
        from.nwords = header.ncontents;
        dimension->name = (vc_str){image.data + header.name_offset, header.name_bytes};
        dimension->label = (vc_str){image.data + header.label_offset, header.label_bytes};
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
