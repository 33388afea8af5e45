/* Writing the image of a dimension (image.h), each array in its smallest form. */
#include "base/strmap.h"
#include "dimensions/build.h"
#include "dimensions/image.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

typedef struct blob {
    uint64_t hash, offset, size;
} blob;

typedef struct writer {
    vc_buffer *image;
    vc_buffer contents; /* words */
    vc_buffer blobs;    /* of blob, in the order of writing */
    vc_buffer scratch;
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

/* ---- numbers ---- */

static uint32_t narrowest_width(vc_numbers numbers, size_t count)
{
    bool is_identity = true;
    uint32_t most = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t number = vc_numbers_get(numbers, (uint32_t)i);
        is_identity &= number == i;
        if (number != VC_NONE && number > most) most = number;
    }
    if (is_identity) return 0;
    return most < UINT8_MAX ? 1 : most < UINT16_MAX ? 2 : 4; /* all ones is VC_NONE */
}

/* Where the scratch buffer has room for so many bytes; NULL when out of memory. */
static void *take_scratch(writer *to, size_t size)
{
    vc_buffer_clear(&to->scratch);
    if (!vc_buffer_reserve(&to->scratch, size + 1)) { /* so that nothing is not NULL */
        to->contents.failed = true;
        return NULL;
    }
    to->scratch.size = size;
    return to->scratch.data;
}

static void put_numbers(writer *to, vc_numbers numbers, size_t count)
{
    uint32_t width = narrowest_width(numbers, count);
    put_word(to, width);
    if (width == 0) return;
    void *narrow = take_scratch(to, count * width);
    for (size_t i = 0; narrow != NULL && i < count; i++) {
        uint32_t number = vc_numbers_get(numbers, (uint32_t)i);
        if (width == 1)
            ((uint8_t *)narrow)[i] = (uint8_t)number;
        else if (width == 2)
            ((uint16_t *)narrow)[i] = (uint16_t)number;
        else
            ((uint32_t *)narrow)[i] = number;
    }
    put_blob(to, to->scratch.data, to->scratch.size);
}

/* ---- texts ---- */

/* The bytes of a text as it is stored. */
static vc_str stored_text(vc_str text)
{
    static const char absent = (char)VC_TEXT_ABSENT;
    return vc_str_is_null(text) ? (vc_str){.data = &absent, .size = 1} : text;
}

typedef struct text_sizes {
    uint64_t total;
    size_t longest;
    bool ends_like_padding; /* some text would lose its end */
} text_sizes;

static text_sizes measure_texts(const vc_str *texts, uint32_t count)
{
    text_sizes sizes = {0};
    for (uint32_t i = 0; i < count; i++) {
        vc_str text = stored_text(texts[i]);
        sizes.total += text.size;
        if (text.size > sizes.longest) sizes.longest = text.size;
        sizes.ends_like_padding |=
            text.size > 0 && (unsigned char)text.data[text.size - 1] == VC_TEXT_PADDING;
    }
    return sizes;
}

/* All of one size, with padding: worth it where that is no more than offsets would take. */
static void put_strided(writer *to, const vc_str *texts, uint32_t count, size_t stride)
{
    char *bytes = take_scratch(to, count * stride);
    put_word(to, stride);
    put_word(to, count * stride);
    for (uint32_t i = 0; bytes != NULL && i < count; i++, bytes += stride) {
        vc_str text = stored_text(texts[i]);
        memset(bytes, VC_TEXT_PADDING, stride);
        if (text.size > 0) memcpy(bytes, text.data, text.size);
    }
    put_blob(to, to->scratch.data, to->scratch.size);
}

static void put_with_offsets(writer *to, const vc_str *texts, uint32_t count, uint64_t total)
{
    size_t width = total <= UINT32_MAX ? sizeof(uint32_t) : sizeof(uint64_t);
    put_word(to, 0);
    put_word(to, total);
    put_word(to, width);
    uint64_t at = 0;
    char *offsets = take_scratch(to, ((size_t)count + 1) * width);
    for (uint32_t i = 0; offsets != NULL && i <= count; i++) { /* little-endian: the low bytes */
        memcpy(offsets + i * width, &at, width);
        if (i < count) at += stored_text(texts[i]).size;
    }
    put_blob(to, to->scratch.data, to->scratch.size);
    char *bytes = take_scratch(to, total);
    for (uint32_t i = 0; bytes != NULL && i < count; i++) {
        vc_str text = stored_text(texts[i]);
        if (text.size > 0) memcpy(bytes, text.data, text.size);
        bytes += text.size;
    }
    put_blob(to, to->scratch.size > 0 ? to->scratch.data : "", to->scratch.size);
}

static void put_stored(writer *to, const vc_str *texts, uint32_t count)
{
    text_sizes sizes = measure_texts(texts, count);
    uint64_t strided = (uint64_t)sizes.longest * count;
    put_word(to, count);
    if (sizes.longest > 0 && !sizes.ends_like_padding && sizes.longest <= UINT8_MAX &&
        strided <= sizes.total + (count + UINT64_C(1)) * sizeof(uint32_t))
        put_strided(to, texts, count, sizes.longest);
    else
        put_with_offsets(to, texts, count, sizes.total);
}

/* `count` texts of the stored ones. */
static void put_texts_at(writer *to, const vc_texts *stored, vc_numbers places, uint32_t count)
{
    vc_str *texts = malloc(((size_t)stored->count + 1) * sizeof *texts);
    if (texts == NULL) {
        to->contents.failed = true;
        return;
    }
    for (uint32_t i = 0; i < stored->count; i++)
        texts[i] = vc_texts_get(stored, i);
    put_stored(to, texts, stored->count);
    put_numbers(to, places, count);
    free(texts);
}

static void put_texts(writer *to, const vc_texts *texts)
{
    put_texts_at(to, texts, (vc_numbers){0}, texts->count);
}

/* Each text once, when at most half of them are distinct: labels are often those of few kinds. */
static void put_repeated_texts(writer *to, const vc_texts *texts)
{
    vc_strmap distinct = {0};
    uint32_t *places = malloc(((size_t)texts->count + 1) * sizeof *places);
    bool is_good = places != NULL, is_worth_it = true;
    for (uint32_t i = 0; is_good && is_worth_it && i < texts->count; i++) {
        places[i] = vc_strmap_put(&distinct, vc_texts_get(texts, i), NULL);
        is_good = places[i] != VC_STRMAP_NONE;
        is_worth_it = distinct.count <= texts->count / 2;
    }
    if (!is_good) {
        to->contents.failed = true;
    } else if (is_worth_it) {
        put_stored(to, distinct.keys, distinct.count);
        put_numbers(to, vc_numbers_of(places), texts->count);
    } else {
        put_texts(to, texts);
    }
    free(places);
    vc_strmap_release(&distinct);
}

/* ---- the dimension ---- */

static void put_level(writer *to, const vc_dimension *dimension, const vc_hierarchy *hierarchy,
                      unsigned number)
{
    const vc_level *level = &hierarchy->levels[number];
    put_str(to, level->name);
    put_str(to, level->label);
    put_word(to, level->key_type);
    put_word(to, (level->is_numeric ? VC_LEVEL_NUMERIC : 0) |
                     (level->is_ordered_by_column ? VC_LEVEL_ORDERED : 0) |
                     (level->is_contiguous ? VC_LEVEL_CONTIGUOUS : 0) |
                     (level->has_labels ? VC_LEVEL_LABELS : 0) |
                     (level->is_ragged ? VC_LEVEL_RAGGED : 0) |
                     (hierarchy->is_parent_child ? VC_LEVEL_PARENT_CHILD : 0));
    put_texts(to, &level->keys);
    if (level->has_labels) put_repeated_texts(to, &level->labels);
    put_numbers(to, level->leaf_members, dimension->nleaves);
    put_numbers(to, level->by_key, level->nmembers);
    if (number > 0) put_numbers(to, level->parents, level->nmembers);
    if (number + 1 < hierarchy->nlevels)
        put_array(to, level->first_child, (size_t)level->nmembers + 1);
    if (level->is_contiguous) put_numbers(to, level->first_leaf, (size_t)level->nmembers + 1);
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
    put_numbers(to, attribute->codes, nunits);
}

/* The values of an index of keys stand with the keys already: that of a value is the key of its
 * first member. */
static void put_index_values(writer *to, const vc_dimension *dimension, const vc_index *index)
{
    const vc_texts *keys =
        index->hierarchy < 0 ? &dimension->leaf_keys
                             : &dimension->hierarchies[index->hierarchy].levels[index->level].keys;
    uint32_t nvalues = index->values.count;
    uint32_t *places = malloc(((size_t)nvalues + 1) * sizeof *places);
    bool are_keys = keys->count > 0;
    if (places == NULL) {
        to->contents.failed = true;
        return;
    }
    for (uint32_t value = 0; are_keys && value < nvalues; value++) {
        places[value] = index->members[vc_numbers_get(index->offsets, value)];
        are_keys =
            vc_str_equal(vc_texts_get(&index->values, value), vc_texts_get(keys, places[value]));
    }
    if (are_keys)
        put_texts_at(to, keys, vc_numbers_of(places), nvalues);
    else
        put_texts(to, &index->values);
    free(places);
}

static void put_index(writer *to, const vc_dimension *dimension, const vc_index *index)
{
    uint32_t nindexed = vc_numbers_get(index->offsets, index->values.count);
    put_str(to, index->name);
    put_owner(to, dimension, index->hierarchy, index->level);
    put_word(to, (index->is_implicit ? VC_INDEX_IMPLICIT : 0) |
                     (index->is_unique ? VC_INDEX_UNIQUE : 0) |
                     (index->is_partial ? VC_INDEX_PARTIAL : 0));
    put_word(to, index->values.count);
    put_word(to, nindexed);
    put_index_values(to, dimension, index);
    put_numbers(to, index->offsets, (size_t)index->values.count + 1);
    put_array(to, index->members, nindexed);
}

static void put_origins(writer *to, const vc_row_column *columns, unsigned ncolumns)
{
    put_word(to, ncolumns);
    for (unsigned c = 0; c < ncolumns; c++) {
        put_str(to, columns[c].name);
        put_word(to, columns[c].origin);
        put_word(to, columns[c].first);
        put_word(to, columns[c].second);
    }
}

static void put_dimension(writer *to, const vc_dimension *dimension)
{
    put_word(to, dimension->is_time);
    put_word(to, dimension->nleaves);
    put_str(to, dimension->key_name);
    bool has_keys = dimension->leaf_keys.count > 0, has_places = has_keys && dimension->has_places;
    put_word(to, has_places ? VC_LEAVES_HAVE_DOUBLES
                 : has_keys ? VC_LEAVES_HAVE_KEYS
                            : VC_LEAVES_PLAIN);
    if (has_keys) put_texts(to, &dimension->leaf_keys);
    if (has_places) {
        put_word(to, dimension->ndoubles);
        put_numbers(to, dimension->firsts, dimension->ndoubles);
    }
    put_word(to, dimension->nhierarchies);
    for (unsigned h = 0; h < dimension->nhierarchies; h++)
        put_hierarchy(to, dimension, &dimension->hierarchies[h]);
    put_word(to, dimension->nattributes);
    for (unsigned a = 0; a < dimension->nattributes; a++)
        put_attribute(to, dimension, &dimension->attributes[a]);
    put_word(to, dimension->nindexes);
    for (unsigned i = 0; i < dimension->nindexes; i++)
        put_index(to, dimension, &dimension->indexes[i]);
}

/* Behind the contents, which tell where they are in the header. */
static bool put_tail(const writer *to, const vc_dimension *dimension, const vc_buffer *rows,
                     const vc_buffer *packed, vc_image_header *header)
{
    vc_buffer *image = to->image;
    header->contents_offset = append_aligned(image, to->contents.data, to->contents.size);
    header->ncontents = to->contents.size / sizeof(uint64_t);
    if (image->failed || to->contents.failed || to->blobs.failed) return false;
    uint64_t hash = XXH3_64bits(image->data + sizeof *header, image->size - sizeof *header);
    header->fingerprint = XXH3_64bits_withSeed(rows->data, rows->size, hash);
    header->rows_offset = append_aligned(image, packed->data, packed->size);
    header->packed_bytes = packed->size;
    header->rows_bytes = rows->size;
    header->name_offset = append_aligned(image, dimension->name.data, dimension->name.size);
    header->name_bytes = dimension->name.size;
    header->label_offset = append_aligned(image, dimension->label.data, dimension->label.size);
    header->label_bytes = dimension->label.size;
    header->image_bytes = image->size;
    if (image->failed) return false;
    memcpy(image->data, header, sizeof *header);
    return true;
}

/* The two halves of the work: neither needs the other. */
typedef struct writing {
    const vc_dimension *dimension;
    const vc_dimension_rows *rows;
    writer to;
    vc_row_column *columns; /* [rows->ncolumns] */
    vc_buffer unpacked, packed;
    vc_status packing;
} writing;

static void write_part(void *context, size_t part, unsigned thread)
{
    writing *work = context;
    (void)thread;
    if (part == 0) {
        vc_rows_write(work->dimension, work->rows, work->columns, &work->unpacked);
        work->packing = vc_rows_pack(&work->unpacked, &work->packed, NULL);
    } else {
        put_dimension(&work->to, work->dimension);
    }
}

vc_status vc_dimension_write(const vc_dimension *dimension, const vc_dimension_rows *rows,
                             vc_crew *crew, vc_buffer *image, vc_error *error)
{
    enum { NPARTS = 2 };
    vc_buffer_clear(image);
    vc_image_header header = {.version = VC_IMAGE_VERSION, .header_bytes = sizeof header};
    memcpy(header.magic, VC_IMAGE_MAGIC, sizeof header.magic);
    vc_buffer_put(image, &header, sizeof header);

    writing work = {.dimension = dimension,
                    .rows = rows,
                    .to = {.image = image},
                    .columns = calloc((size_t)rows->ncolumns + 1, sizeof *work.columns)};
    vc_status status = work.columns == NULL ? vc_no_memory(error) : VC_OK;
    if (status == VC_OK && crew != NULL)
        vc_crew_run(crew, NPARTS, write_part, &work);
    else
        for (size_t part = 0; status == VC_OK && part < NPARTS; part++)
            write_part(&work, part, 0);
    if (status == VC_OK && work.packing != VC_OK) status = vc_no_memory(error);
    if (status == VC_OK) {
        put_origins(&work.to, work.columns, rows->ncolumns);
        if (!put_tail(&work.to, dimension, &work.unpacked, &work.packed, &header))
            status = vc_no_memory(error);
    }
    vc_buffer_release(&work.to.contents);
    vc_buffer_release(&work.to.blobs);
    vc_buffer_release(&work.to.scratch);
    vc_buffer_release(&work.unpacked);
    vc_buffer_release(&work.packed);
    free(work.columns);
    return status;
}
