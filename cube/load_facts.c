/* The facts of a source cube, read once, a segment at a time.
 *
 * A *keyed* dimension has its leaves before the facts are read: the row's key is looked up. A
 * *built* one is made from the facts themselves, and numbers its leaves only when all of them were
 * seen, so its rows are written down provisionally (load_spill.c) and put into the store at the
 * end. Measures go to the store as they come.
 *
 * A row takes place `nbuffered` of the segment in all columns; it counts only when every part of it
 * was good, so a rejected row is simply written over. What cannot be taken back (new members, new
 * codes) comes after everything that can fail. Facts keep the order of the file: sorting them for
 * the zone maps would be a step in put_segment.
 */
#include "base/nearest.h"
#include "cube/load_parts.h"
#include "cube/text_column.h"
#include "dimensions/order.h"

#include <stdlib.h>
#include <string.h>

enum {
    MEMO_KEYS = 65536,       /* single fields that are remembered per built dimension */
    CANDIDATE_KEYS = 200000, /* in larger dimensions no nearest keys are looked for, */
    CANDIDATE_REJECTS = 100, /* and not for more rejects than these */
};

typedef struct fact_dimension {
    size_t number;
    const vc_dimension_use *use;
    const vc_dimension_def *definition; /* its own, or the shared one's */
    const vc_definition *owner;         /* where that is written, at `pointer` */
    vc_str pointer;
    const vc_dimension *older; /* of the cube that is appended to; NULL otherwise */
    uint32_t nleaves;
    uint64_t fingerprint;
    /* keyed: */
    size_t field;
    bool has_int_key;
    vc_strmap own_leaves;
    const vc_strmap *leaves; /* NULL: the dimension is built */
    uint32_t last;           /* what was found last in leaves or memo: often the next one too */
    int64_t *values;         /* [VC_SEGMENT_ROWS] */
    /* built: */
    vc_feed *feed;
    vc_dimension_builder *builder;
    vc_spill *spill;
    uint32_t *rows;    /* [VC_SEGMENT_ROWS] */
    size_t only_field; /* SIZE_MAX: several */
    vc_strmap memo;    /* text of the only field to ... */
    uint32_t *memo_rows;
} fact_dimension;

typedef struct fact_load {
    vc_loader *loader;
    const vc_definition *definition;
    const vc_cube_def *cube;
    vc_arena arena;
    vc_load_file file;
    vc_object object;
    vc_source_cube *older; /* the cube that is appended to; NULL otherwise. Its dimensions lie in
                              the map: only to be looked at before anything is put */
    size_t ndimensions;
    fact_dimension *dimensions;
    fact_dimension **keyed, **built; /* built ones that can reject a row come first */
    size_t nkeyed, nbuilt;
    vc_fact_column *plan;
    int *measure_columns;
    size_t ncolumns;
    vc_load_column *columns;
    uint32_t nbuffered; /* rows in the segment */
    uint32_t nsegments;
    uint64_t nrows; /* in segments */
} fact_load;

/* ---- dimensions: before the facts ---- */

static vc_status put_image(fact_load *facts, const fact_dimension *dimension, vc_str image,
                           vc_error *error)
{
    return vc_load_put_bytes(facts->loader->load, &facts->object,
                             (uint16_t)(VC_COLUMN_IMAGE + dimension->number), image.data,
                             image.size, error);
}

static void take_leaves(fact_dimension *dimension, const vc_dimension *image)
{
    dimension->nleaves = image->nleaves;
    dimension->fingerprint = image->fingerprint;
}

static vc_status find_key_field(fact_load *facts, fact_dimension *dimension, vc_error *error)
{
    vc_str column = dimension->use->column;
    if (vc_str_is_null(column)) column = dimension->definition->key;
    dimension->has_int_key = vc_load_has_int_key(dimension->definition);
    dimension->values = malloc(VC_SEGMENT_ROWS * sizeof *dimension->values);
    if (dimension->values == NULL) return vc_no_memory(error);
    return vc_load_file_column(&facts->file, facts->definition, column, &dimension->field, error,
                               "/dimensions/%zu/column", dimension->number);
}

/* A shared dimension with a table: its image is copied into the cube. */
static vc_status start_shared(fact_load *facts, fact_dimension *dimension,
                              vc_shared_dimension *shared, vc_error *error)
{
    vc_status status = VC_OK;
    if (dimension->older != NULL) {
        status =
            vc_load_check_leaves(dimension->older, shared->dimension, dimension->use->name, error);
        if (status != VC_OK)
            return vc_loader_place(facts->definition, error, "/dimensions/%zu", dimension->number);
    }
    if (!shared->has_leaves) {
        status = vc_load_map_leaves(shared->dimension, &shared->leaves, error);
        shared->has_leaves = true;
    }
    dimension->leaves = &shared->leaves;
    take_leaves(dimension, shared->dimension);
    return status == VC_OK ? put_image(facts, dimension, shared->image, error) : status;
}

/* A table of the cube's own. Afterwards only the map from keys to leaves is kept in memory. */
static vc_status start_table(fact_load *facts, fact_dimension *dimension, vc_error *error)
{
    vc_buffer image = {0};
    vc_arena arena = {0};
    const vc_dimension *opened;
    uint64_t nrows;
    vc_status status =
        vc_load_table(facts->loader, dimension->owner, dimension->definition, dimension->pointer,
                      dimension->older, &arena, &image, &opened, &nrows, error);
    if (status == VC_OK) status = vc_load_map_leaves(opened, &dimension->own_leaves, error);
    if (status == VC_OK) {
        take_leaves(dimension, opened);
        dimension->leaves = &dimension->own_leaves;
        status = put_image(facts, dimension, (vc_str){image.data, image.size}, error);
    }
    vc_arena_release(&arena);
    vc_buffer_release(&image);
    return status;
}

static vc_status start_built(fact_load *facts, fact_dimension *dimension, vc_error *error)
{
    vc_status status =
        vc_feed_new(&facts->file, dimension->owner, dimension->definition, dimension->pointer,
                    dimension->use->column, &dimension->feed, error);
    if (status == VC_OK)
        status = vc_load_start_builder(dimension->feed, dimension->owner, dimension->pointer,
                                       dimension->older, &dimension->builder, error);
    if (status == VC_OK)
        status = vc_spill_new(facts->loader->spill_directory, &dimension->spill, error);
    if (status != VC_OK) return status;
    dimension->only_field = vc_feed_only_field(dimension->feed);
    dimension->rows = malloc(VC_SEGMENT_ROWS * sizeof *dimension->rows);
    dimension->memo_rows = malloc(MEMO_KEYS * sizeof *dimension->memo_rows);
    if (dimension->rows == NULL || dimension->memo_rows == NULL) return vc_no_memory(error);
    return VC_OK;
}

static vc_status start_dimension(fact_load *facts, fact_dimension *dimension, vc_error *error)
{
    const vc_dimension_use *use = dimension->use;
    vc_shared_dimension *shared = NULL;
    if (facts->older != NULL) {
        vc_object stored = {.id = facts->older->object_id, .generation = facts->older->generation};
        vc_str image;
        vc_status status = vc_load_copy_image(facts->loader, &stored,
                                              (uint16_t)(VC_COLUMN_IMAGE + dimension->number),
                                              &facts->arena, &image, &dimension->older, error);
        if (status != VC_OK) return status;
    }
    dimension->definition = use->own;
    dimension->owner = facts->definition;
    dimension->pointer = vc_arena_printf(&facts->arena, "/dimensions/%zu", dimension->number);
    if (dimension->pointer.data == NULL) return vc_no_memory(error);
    if (use->own == NULL) {
        vc_status status = vc_load_find_shared(facts->loader, use->shared, &shared, error);
        if (status != VC_OK) return status;
        dimension->definition = &shared->definition->as.dimension;
        dimension->owner = shared->definition;
        dimension->pointer = VC_STR("");
    }
    if (!dimension->definition->has_table) return start_built(facts, dimension, error);
    vc_status status = find_key_field(facts, dimension, error);
    if (status != VC_OK) return status;
    return shared != NULL ? start_shared(facts, dimension, shared, error)
                          : start_table(facts, dimension, error);
}

/* Can a row be unfit for this built dimension? */
static bool can_reject(const fact_dimension *dimension)
{
    const vc_dimension_def *definition = dimension->definition;
    if (!vc_str_is_null(definition->key)) return true;
    for (size_t h = 0; h < definition->nhierarchies; h++) {
        for (size_t l = 0; l < definition->hierarchies[h].nlevels; l++) {
            const vc_level_def *level = &definition->hierarchies[h].levels[l];
            if (level->part != VC_TIME_NONE || level->key_type != VC_KEY_TEXT) return true;
        }
    }
    return false;
}

static vc_status start_dimensions(fact_load *facts, vc_error *error)
{
    size_t n = facts->cube->ndimensions;
    facts->dimensions = VC_ARENA_NEW(&facts->arena, fact_dimension, n);
    facts->keyed = VC_ARENA_NEW(&facts->arena, fact_dimension *, n);
    facts->built = VC_ARENA_NEW(&facts->arena, fact_dimension *, n);
    if (facts->dimensions == NULL || facts->keyed == NULL || facts->built == NULL)
        return vc_no_memory(error);
    facts->ndimensions = n;
    for (size_t d = 0; d < n; d++) {
        fact_dimension *dimension = &facts->dimensions[d];
        dimension->number = d;
        dimension->use = &facts->cube->dimensions[d];
        vc_status status = start_dimension(facts, dimension, error);
        if (status != VC_OK) return status;
        if (dimension->leaves != NULL) facts->keyed[facts->nkeyed++] = dimension;
    }
    for (int rejecting = 1; rejecting >= 0; rejecting--) {
        for (size_t d = 0; d < n; d++) {
            fact_dimension *dimension = &facts->dimensions[d];
            if (dimension->leaves == NULL && can_reject(dimension) == (rejecting == 1))
                facts->built[facts->nbuilt++] = dimension;
        }
    }
    return VC_OK;
}

static void release_dimension(fact_dimension *dimension)
{
    vc_strmap_release(&dimension->own_leaves);
    vc_strmap_release(&dimension->memo);
    vc_dimension_builder_free(dimension->builder);
    vc_feed_free(dimension->feed);
    vc_spill_free(dimension->spill);
    free(dimension->values);
    free(dimension->rows);
    free(dimension->memo_rows);
}

/* ---- columns ---- */

/* An append goes on with the codes that texts have. */
static vc_status read_dictionary(fact_load *facts, vc_load_column *column, vc_error *error)
{
    vc_arena arena = {0};
    vc_str bytes;
    vc_texts texts;
    uint16_t number = (uint16_t)(VC_COLUMN_DICTIONARY + column->column->column - VC_COLUMN_MEASURE);
    vc_status status =
        vc_snapshot_bytes(vc_load_snapshot(facts->loader->load), facts->older->object_id,
                          facts->older->generation, number, &arena, &bytes, error);
    if (status == VC_OK) status = vc_text_column_open(bytes, "a dictionary", &texts, error);
    for (uint32_t i = 0; status == VC_OK && i < texts.count; i++) {
        if (vc_strmap_put(&column->codes, vc_texts_get(&texts, i), NULL) == VC_STRMAP_NONE)
            status = vc_no_memory(error);
    }
    vc_arena_release(&arena);
    return status;
}

static vc_status start_column(fact_load *facts, size_t number, vc_error *error)
{
    const vc_fact_column *column = &facts->plan[number];
    size_t measure = 0, field;
    while (facts->measure_columns[measure] != (int)number)
        measure++;
    vc_status status =
        vc_load_file_column(&facts->file, facts->definition, column->name, &field, error,
                            "%.*s/column", VC_FMT(facts->cube->measures[measure].pointer));
    if (status == VC_OK)
        status = vc_load_column_init(&facts->columns[number], column, field, error);
    if (status == VC_OK && column->is_dictionary && facts->older != NULL)
        status = read_dictionary(facts, &facts->columns[number], error);
    return status;
}

static vc_status start_columns(fact_load *facts, vc_error *error)
{
    size_t ncolumns;
    vc_status status = vc_load_plan_columns(facts->cube, &facts->arena, &facts->plan, &ncolumns,
                                            &facts->measure_columns, error);
    if (status != VC_OK) return status;
    facts->columns = VC_ARENA_NEW(&facts->arena, vc_load_column, ncolumns);
    if (facts->columns == NULL) return vc_no_memory(error);
    facts->ncolumns = ncolumns;
    for (size_t i = 0; status == VC_OK && i < ncolumns; i++)
        status = start_column(facts, i, error);
    return status;
}

/* ---- a row ---- */

static vc_status reject_key(fact_load *facts, const fact_dimension *dimension,
                            const vc_csv_row *row, vc_error *error)
{
    vc_error *reason = &facts->file.reason;
    vc_str key = row->fields[dimension->field], name = dimension->use->name;
    if (key.size == 0) {
        vc_fail(reason, VC_BAD_INPUT, "empty_key", "the key of dimension '%.*s' is empty",
                VC_FMT(name));
    } else {
        vc_str shown = vc_text_shorten(key, 100);
        vc_fail(reason, VC_BAD_INPUT, "unknown_key", "unknown key '%.*s' of dimension '%.*s'",
                VC_FMT(shown), VC_FMT(name));
        if (dimension->leaves->count <= CANDIDATE_KEYS &&
            facts->loader->nrejects < CANDIDATE_REJECTS) {
            vc_nearest nearest;
            vc_nearest_init(&nearest, key);
            for (uint32_t i = 0; i < dimension->leaves->count; i++)
                vc_nearest_offer(&nearest, dimension->leaves->keys[i]);
            vc_nearest_report(&nearest, reason);
        }
    }
    vc_load_file_at(&facts->file, row, dimension->field, reason);
    return vc_load_file_reject(&facts->file, row, reason, error);
}

/* Facts often come in runs of one key, which costs less to see than to look up. */
static uint32_t find_text(const vc_strmap *map, uint32_t last, vc_str text)
{
    if (last < map->count && vc_str_equal(map->keys[last], text)) return last;
    return vc_strmap_find(map, text);
}

static uint32_t find_leaf(fact_dimension *dimension, vc_str key)
{
    char number[VC_NUMBER_TEXT];
    if (key.size == 0) return VC_STRMAP_NONE;
    if (dimension->has_int_key) key = vc_key_canonical_int(key, number);
    if (vc_str_is_null(key)) return VC_STRMAP_NONE;
    return dimension->last = find_text(dimension->leaves, dimension->last, key);
}

/* Add the row to a built dimension. *row_out is VC_NONE when it was rejected. */
static vc_status find_row(fact_load *facts, fact_dimension *dimension, const vc_csv_row *row,
                          uint32_t *row_out, vc_error *error)
{
    bool has_memo = dimension->only_field != SIZE_MAX;
    vc_str text = has_memo ? row->fields[dimension->only_field] : (vc_str){0};
    if (has_memo) {
        uint32_t number = find_text(&dimension->memo, dimension->last, text);
        if (number != VC_STRMAP_NONE) {
            dimension->last = number;
            *row_out = dimension->memo_rows[number];
            return VC_OK;
        }
    }
    vc_status status =
        vc_load_add_row(&facts->file, dimension->feed, dimension->builder, row, row_out, error);
    if (status == VC_OK && *row_out != VC_NONE && has_memo && dimension->memo.count < MEMO_KEYS) {
        uint32_t number = vc_strmap_put(&dimension->memo, text, NULL);
        if (number == VC_STRMAP_NONE) return vc_no_memory(error);
        dimension->memo_rows[number] = *row_out;
    }
    return status;
}

/* The numbers of a row: pure but for the place in the columns, so that blocks of rows can be parsed
 * by several threads. False: reason is filled, *field_out says of which field. */
static bool parse_numbers(fact_load *facts, const vc_csv_row *row, uint32_t at, size_t *field_out,
                          vc_error *reason)
{
    for (size_t i = 0; i < facts->ncolumns; i++) {
        vc_load_column *column = &facts->columns[i];
        if (column->column->is_dictionary) continue;
        if (vc_load_column_parse(column, row->fields[column->field], facts->file.decimal, at,
                                 reason) != VC_OK) {
            *field_out = column->field;
            return false;
        }
    }
    return true;
}

static vc_status take_row(fact_load *facts, const vc_csv_row *row, vc_error *error)
{
    uint32_t at = facts->nbuffered;
    size_t field;
    vc_status status;
    if (!parse_numbers(facts, row, at, &field, &facts->file.reason)) {
        vc_load_file_at(&facts->file, row, field, &facts->file.reason);
        return vc_load_file_reject(&facts->file, row, &facts->file.reason, error);
    }
    for (size_t i = 0; i < facts->nkeyed; i++) {
        fact_dimension *dimension = facts->keyed[i];
        uint32_t leaf = find_leaf(dimension, row->fields[dimension->field]);
        if (leaf == VC_STRMAP_NONE) return reject_key(facts, dimension, row, error);
        dimension->values[at] = leaf;
    }
    for (size_t i = 0; i < facts->nbuilt; i++) {
        fact_dimension *dimension = facts->built[i];
        status = find_row(facts, dimension, row, &dimension->rows[at], error);
        if (status != VC_OK || dimension->rows[at] == VC_NONE) return status;
    }
    for (size_t i = 0; i < facts->ncolumns; i++) {
        vc_load_column *column = &facts->columns[i];
        if (!column->column->is_dictionary) continue;
        status = vc_load_column_code(column, row->fields[column->field], at, error);
        if (status != VC_OK) return status;
    }
    facts->nbuffered++;
    return VC_OK;
}

/* ---- segments ---- */

static vc_status put_segment(fact_load *facts, vc_error *error)
{
    uint32_t nrows = facts->nbuffered;
    vc_load *load = facts->loader->load;
    if (nrows == 0) return VC_OK;
    for (size_t i = 0; i < facts->nkeyed; i++) {
        const fact_dimension *dimension = facts->keyed[i];
        vc_status status =
            vc_load_put_ints(load, &facts->object, (uint16_t)dimension->number, facts->nsegments,
                             dimension->values, NULL, nrows, error);
        if (status != VC_OK) return status;
    }
    for (size_t i = 0; i < facts->nbuilt; i++) {
        vc_status status =
            vc_spill_put(facts->built[i]->spill, facts->built[i]->rows, nrows, error);
        if (status != VC_OK) return status;
    }
    for (size_t i = 0; i < facts->ncolumns; i++) {
        vc_status status = vc_load_column_put(&facts->columns[i], load, &facts->object,
                                              facts->nsegments, nrows, error);
        if (status != VC_OK) return status;
    }
    facts->nbuffered = 0;
    facts->nsegments++;
    facts->nrows += nrows;
    return VC_OK;
}

static vc_status read_facts(fact_load *facts, vc_error *error)
{
    for (;;) {
        vc_csv_row row;
        bool is_end;
        vc_status status = vc_load_file_next(&facts->file, &row, &is_end, error);
        if (status != VC_OK) return status;
        if (is_end) break;
        status = take_row(facts, &row, error);
        if (status == VC_OK && facts->nbuffered == VC_SEGMENT_ROWS)
            status = put_segment(facts, error);
        if (status != VC_OK) return status;
        if (facts->nsegments == UINT32_MAX)
            return vc_fail(error, VC_LIMIT, "limit_facts", "%s has too many rows",
                           facts->file.path.data);
    }
    vc_status status = put_segment(facts, error);
    return status == VC_OK ? vc_load_check_rejects(facts->loader, error) : status;
}

/* ---- after the facts ---- */

/* Now that the leaves of a built dimension are known, put its fact column. */
static vc_status put_built_column(fact_load *facts, const fact_dimension *dimension,
                                  const uint32_t *leaf_of_row, vc_error *error)
{
    int64_t *values = malloc(VC_SEGMENT_ROWS * sizeof *values);
    if (values == NULL) return vc_no_memory(error);
    vc_status status = VC_OK;
    uint64_t left = facts->nrows;
    for (uint32_t segment = 0; status == VC_OK && segment < facts->nsegments; segment++) {
        uint32_t nrows = left < VC_SEGMENT_ROWS ? (uint32_t)left : VC_SEGMENT_ROWS;
        left -= nrows;
        status = vc_spill_get(dimension->spill, segment, dimension->rows, nrows, error);
        if (status != VC_OK) break;
        for (uint32_t row = 0; row < nrows; row++)
            values[row] = leaf_of_row[dimension->rows[row]];
        status = vc_load_put_ints(facts->loader->load, &facts->object, (uint16_t)dimension->number,
                                  segment, values, NULL, nrows, error);
    }
    free(values);
    return status;
}

static vc_status finish_built(fact_load *facts, fact_dimension *dimension, vc_error *error)
{
    vc_buffer image = {0};
    vc_arena arena = {0};
    const vc_dimension *opened;
    const uint32_t *leaf_of_row;
    vc_status status = vc_load_finish_dimension(facts->loader, dimension->builder, &facts->file,
                                                dimension->use->name, &image, &leaf_of_row, error);
    if (status == VC_OK) status = put_built_column(facts, dimension, leaf_of_row, error);
    vc_dimension_builder_free(dimension->builder);
    dimension->builder = NULL;
    if (status == VC_OK)
        status = vc_dimension_open((vc_str){image.data, image.size}, &arena, &opened, error);
    if (status == VC_OK) {
        take_leaves(dimension, opened);
        status = put_image(facts, dimension, (vc_str){image.data, image.size}, error);
    }
    vc_arena_release(&arena);
    vc_buffer_release(&image);
    return status;
}

static vc_status put_dictionaries(fact_load *facts, vc_error *error)
{
    vc_status status = VC_OK;
    for (size_t i = 0; status == VC_OK && i < facts->ncolumns; i++) {
        const vc_strmap *codes = &facts->columns[i].codes;
        vc_buffer buffer = {0};
        if (!facts->plan[i].is_dictionary) continue;
        facts->plan[i].ncodes = codes->count;
        vc_text_column_put(&buffer, codes->keys, codes->count);
        status = buffer.failed ? vc_no_memory(error)
                               : vc_load_put_bytes(facts->loader->load, &facts->object,
                                                   (uint16_t)(VC_COLUMN_DICTIONARY + i),
                                                   buffer.data, buffer.size, error);
        vc_buffer_release(&buffer);
    }
    return status;
}

static vc_status put_manifest(fact_load *facts, vc_error *error)
{
    size_t nolder = facts->older == NULL ? 0 : facts->older->nruns;
    vc_fact_run *runs = VC_ARENA_NEW(&facts->arena, vc_fact_run, nolder + 1);
    uint32_t *parts = VC_ARENA_NEW(&facts->arena, uint32_t, nolder + 1);
    vc_manifest_dimension *dimensions =
        VC_ARENA_NEW(&facts->arena, vc_manifest_dimension, facts->ndimensions);
    if (runs == NULL || parts == NULL || dimensions == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nolder; i++) {
        runs[i] = facts->older->runs[i];
        parts[i] = runs[i].generation;
    }
    runs[nolder] = (vc_fact_run){.generation = facts->object.generation,
                                 .nsegments = facts->nsegments,
                                 .nrows = facts->nrows};
    for (size_t d = 0; d < facts->ndimensions; d++) {
        const fact_dimension *dimension = &facts->dimensions[d];
        dimensions[d] =
            (vc_manifest_dimension){.name = dimension->use->name,
                                    .nleaves = dimension->nleaves,
                                    .fingerprint = dimension->fingerprint,
                                    .is_aggregatable = !dimension->definition->is_not_aggregatable};
    }
    vc_manifest manifest = {.kind = VC_DEFINITION_SOURCE,
                            .definition = facts->definition->text,
                            .file = facts->definition->file,
                            .nrows =
                                (facts->older == NULL ? 0 : facts->older->nrows) + facts->nrows,
                            .nruns = nolder + (facts->nsegments > 0),
                            .runs = runs,
                            .ncolumns = facts->ncolumns,
                            .columns = facts->plan,
                            .nmeasures = facts->cube->nmeasures,
                            .measure_columns = facts->measure_columns,
                            .ndimensions = facts->ndimensions,
                            .dimensions = dimensions};
    return vc_load_put_manifest(facts->loader, &facts->object, &manifest, parts, nolder, error);
}

/* ---- the whole ---- */

static vc_status open_older(fact_load *facts, vc_error *error)
{
    if (!facts->loader->options->append || vc_str_is_null(facts->object.manifest)) return VC_OK;
    vc_manifest manifest;
    vc_status status = vc_manifest_read(&facts->object, &facts->arena, &manifest, error);
    if (status != VC_OK) return status;
    if (manifest.kind != VC_DEFINITION_SOURCE) {
        vc_fail(error, VC_CONFLICT, "append_mismatch",
                "'%.*s' is a virtual cube: facts cannot be appended to it",
                VC_FMT(facts->definition->name));
        return vc_loader_place(facts->definition, error, "/name");
    }
    status = vc_source_cube_open(vc_load_snapshot(facts->loader->load), facts->definition->name,
                                 &facts->arena, &facts->older, error);
    if (status != VC_OK) return status;
    return vc_load_check_append(facts->definition, facts->older, error);
}

static vc_status load_facts(fact_load *facts, vc_error *error)
{
    vc_load_csv csv = {
        .definition = facts->definition, .csv = &facts->cube->data, .pointer = VC_STR("/data/csv")};
    vc_status status = vc_load_object(facts->loader->load, VC_KIND_CUBE, facts->definition->name,
                                      &facts->object, error);
    if (status == VC_OK) status = open_older(facts, error);
    if (status == VC_OK) status = vc_load_file_open(facts->loader, &csv, &facts->file, error);
    if (status == VC_OK) status = start_columns(facts, error);
    if (status == VC_OK) status = start_dimensions(facts, error);
    if (status == VC_OK) status = read_facts(facts, error);
    for (size_t i = 0; status == VC_OK && i < facts->nbuilt; i++)
        status = finish_built(facts, facts->built[i], error);
    if (status == VC_OK) status = put_dictionaries(facts, error);
    return status == VC_OK ? put_manifest(facts, error) : status;
}

static void release_facts(fact_load *facts)
{
    for (size_t d = 0; d < facts->ndimensions; d++)
        release_dimension(&facts->dimensions[d]);
    for (size_t i = 0; i < facts->ncolumns; i++)
        vc_load_column_release(&facts->columns[i]);
    vc_load_file_close(&facts->file);
    vc_source_cube_close(facts->older);
    vc_arena_release(&facts->arena);
    free(facts);
}

vc_status vc_load_source(vc_loader *loader, const vc_definition *definition,
                         vc_load_object_report *report, vc_error *error)
{
    fact_load *facts = calloc(1, sizeof *facts);
    if (facts == NULL) return vc_no_memory(error);
    facts->loader = loader;
    facts->definition = definition;
    facts->cube = &definition->as.cube;
    facts->file.loader = loader;
    vc_status status = load_facts(facts, error);
    report->nrows = facts->nrows;
    for (size_t d = 0; d < facts->ndimensions; d++) {
        if (facts->dimensions[d].use != NULL && facts->dimensions[d].use->own != NULL)
            report->nmembers += facts->dimensions[d].nleaves;
    }
    release_facts(facts);
    return status;
}
