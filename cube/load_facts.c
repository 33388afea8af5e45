/* The facts of a source cube, read once.
 *
 * A *keyed* dimension has its leaves before the facts are read: the row's key is looked up. A
 * *built* one is made from the facts themselves, and numbers its leaves only when all of them were
 * seen, so its rows are written down provisionally (load_spill.c) and put into the store at the
 * end. Measures go to the store as they come.
 *
 * Blocks of rows are read by several threads (load_block.c); this one takes them in the order of
 * the file. Rows that could be read by looking only are copied; the odd ones are read again here,
 * where members and codes are made and rejects written. What cannot be taken back (new members, new
 * codes) comes after everything that can fail. Rows wait in a window (load_window.c), from which
 * whole segments are encoded by all threads and put by this one.
 */
#include "base/nearest.h"
#include "cube/load_parts.h"
#include "cube/text_column.h"
#include "dimensions/order.h"

#include <stdlib.h>
#include <string.h>

enum {
    MEMO_KEYS = 1 << 19,               /* rows that are remembered per built dimension */
    WINDOW_ROWS = 4 * VC_SEGMENT_ROWS, /* of facts that are not sorted */
    CANDIDATE_KEYS = 200000,           /* in larger dimensions no nearest keys are looked for, */
    CANDIDATE_REJECTS = 100,           /* and not for more rejects than these */
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
    vc_keymap own_leaves;
    const vc_keymap *leaves; /* NULL: the dimension is built */
    /* built: */
    vc_feed *feed;
    vc_dimension_builder *builder;
    vc_spill *spill;
    size_t nfields; /* of which it is made */
    const size_t *fields;
    vc_memo memo; /* the texts of these fields to the row */
} fact_dimension;

/* A column of a segment, made by any thread. */
typedef struct fact_chunk {
    vc_encoded encoded;
    uint32_t *rows; /* [VC_SEGMENT_ROWS] of a built dimension, instead */
    vc_status status;
    vc_error error;
} fact_chunk;

typedef struct fact_scratch { /* of a thread */
    int64_t *cells;           /* [VC_SEGMENT_ROWS] */
    uint8_t *validity;        /* [VC_SEGMENT_ROWS / 8 + 1] */
} fact_scratch;

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
    vc_fact_recipe recipe;
    vc_fact_reader *reader;
    vc_csv *fork;     /* for the odd rows */
    uint64_t line;    /* of the block being taken */
    int64_t *cells;   /* [ndimensions + ncolumns] of the row being taken */
    uint8_t *nulls;   /* [ndimensions + ncolumns] likewise */
    vc_buffer buffer; /* its key, where a dimension is made of several fields */
    vc_window *window;
    vc_load_order order; /* of its rows */
    unsigned nthreads;
    fact_scratch *scratch; /* [nthreads] */
    fact_chunk *chunks;    /* [nchunks] what is encoded at a time */
    size_t nchunks;
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
    return vc_load_file_column(&facts->file, facts->definition, column, &dimension->field, error,
                               "/dimensions/%zu/column", dimension->number);
}

/* A shared dimension with a table: its image is copied into the cube. */
static vc_status start_shared(fact_load *facts, fact_dimension *dimension,
                              vc_shared_dimension *shared, vc_error *error)
{
    vc_status status = vc_load_keep_ranks(shared->dimension, dimension->number, &facts->order,
                                          &facts->arena, error);
    if (status == VC_OK && dimension->older != NULL) {
        status =
            vc_load_check_leaves(dimension->older, shared->dimension, dimension->use->name, error);
        if (status != VC_OK)
            return vc_loader_place(facts->definition, error, "/dimensions/%zu", dimension->number);
    }
    if (status == VC_OK && !shared->has_leaves) {
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
    if (status == VC_OK)
        status = vc_load_keep_ranks(opened, dimension->number, &facts->order, &facts->arena, error);
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
    for (size_t i = 0; i < facts->order.nitems; i++) {
        if (facts->order.items[i].dimension == dimension->number)
            facts->order.items[i].builder = dimension->builder;
    }
    dimension->nfields = vc_feed_fields(dimension->feed, &dimension->fields);
    return dimension->nfields > 0 ? VC_OK : vc_no_memory(error);
}

/* The facts are stored in the order of the dimension when the definition says so, or nothing. */
static vc_status order_by(fact_load *facts, const fact_dimension *dimension, vc_error *error)
{
    if (vc_load_is_default_order(facts->cube, &facts->order, dimension->definition))
        facts->order.items[facts->order.nitems++] = (vc_order_item){
            .dimension = dimension->number, .text = dimension->use->name, .level = -1};
    return vc_load_find_order_levels(facts->definition, dimension->number, dimension->definition,
                                     &facts->order, error);
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
    vc_status status = order_by(facts, dimension, error);
    if (status != VC_OK) return status;
    if (!dimension->definition->has_table) return start_built(facts, dimension, error);
    status = find_key_field(facts, dimension, error);
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
    vc_keymap_release(&dimension->own_leaves);
    vc_memo_release(&dimension->memo);
    vc_dimension_builder_free(dimension->builder);
    vc_feed_free(dimension->feed);
    vc_spill_free(dimension->spill);
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
        int64_t code;
        status = vc_load_column_code(column, vc_texts_get(&texts, i), &code, error);
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
    if (status != VC_OK) return status;
    facts->columns[number] = (vc_load_column){.column = column, .field = field};
    if (column->is_dictionary && facts->older != NULL)
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
                vc_nearest_offer(&nearest, vc_keymap_get(dimension->leaves, i));
            vc_nearest_report(&nearest, reason);
        }
    }
    vc_load_file_at(&facts->file, row, dimension->field, reason);
    return vc_load_file_reject(&facts->file, row, reason, error);
}

static vc_status remember_row(fact_dimension *dimension, vc_arena *arena, vc_str key, uint32_t row,
                              vc_error *error)
{
    if (dimension->memo.count >= MEMO_KEYS) return VC_OK;
    key = vc_arena_str(arena, key);
    if (vc_str_is_null(key) || !vc_memo_put(&dimension->memo, key, row)) return vc_no_memory(error);
    return VC_OK;
}

/* Add the row to a built dimension. *row_out is VC_NONE when it was rejected. */
static vc_status find_row(fact_load *facts, fact_dimension *dimension, const vc_built_recipe *built,
                          const vc_csv_row *row, uint32_t *row_out, vc_error *error)
{
    vc_str key = vc_fact_memo_key(built, row->fields, &facts->buffer);
    if (!vc_str_is_null(key)) {
        *row_out = vc_memo_find(&dimension->memo, key);
        if (*row_out != VC_MEMO_NONE) return VC_OK;
    }
    vc_status status =
        vc_load_add_row(&facts->file, dimension->feed, dimension->builder, row, row_out, error);
    if (status == VC_OK && *row_out != VC_NONE && !vc_str_is_null(key))
        status = remember_row(dimension, &facts->arena, key, *row_out, error);
    return status;
}

/* The cell of a measure. False: the reason is filled. */
static bool take_number(fact_load *facts, size_t number, vc_str text)
{
    size_t cell = facts->ndimensions + number;
    facts->cells[cell] = 0; /* 0.0 as well */
    facts->nulls[cell] = vc_str_is_null(text);
    if (facts->nulls[cell] || facts->plan[number].is_dictionary) return true;
    return vc_load_column_need(&facts->plan[number], text, facts->file.decimal, &facts->cells[cell],
                               &facts->file.reason) == VC_OK;
}

/* Make the cells of a row; *is_taken_out says that it was not rejected. */
static vc_status take_row(fact_load *facts, const vc_csv_row *row, bool *is_taken_out,
                          vc_error *error)
{
    const vc_fact_recipe *recipe = &facts->recipe;
    *is_taken_out = false;
    for (size_t i = 0; i < facts->ncolumns; i++) {
        size_t field = facts->columns[i].field;
        if (take_number(facts, i, row->fields[field])) continue;
        vc_load_file_at(&facts->file, row, field, &facts->file.reason);
        return vc_load_file_reject(&facts->file, row, &facts->file.reason, error);
    }
    for (size_t i = 0; i < facts->nkeyed; i++) {
        const vc_keyed_recipe *keyed = &recipe->keyed[i];
        uint32_t leaf = vc_fact_find_leaf(keyed, row->fields[keyed->field]);
        if (leaf == VC_KEYMAP_NONE) return reject_key(facts, facts->keyed[i], row, error);
        facts->cells[keyed->number] = leaf;
    }
    for (size_t i = 0; i < facts->nbuilt; i++) {
        uint32_t number;
        vc_status status = find_row(facts, facts->built[i], &recipe->built[i], row, &number, error);
        if (status != VC_OK || number == VC_NONE) return status;
        facts->cells[recipe->built[i].number] = number;
    }
    for (size_t i = 0; i < facts->ncolumns; i++) {
        size_t cell = facts->ndimensions + i;
        vc_load_column *column = &facts->columns[i];
        if (!facts->plan[i].is_dictionary || facts->nulls[cell]) continue;
        vc_status status =
            vc_load_column_code(column, row->fields[column->field], &facts->cells[cell], error);
        if (status != VC_OK) return status;
    }
    *is_taken_out = true;
    return VC_OK;
}

/* ---- segments ---- */

static bool is_built(const fact_load *facts, size_t column)
{
    return column < facts->ndimensions && facts->dimensions[column].leaves == NULL;
}

static bool is_double(const fact_load *facts, size_t column)
{
    return column >= facts->ndimensions &&
           facts->plan[column - facts->ndimensions].type == VC_VALUE_FLOAT;
}

static uint16_t stored_column(const fact_load *facts, size_t column)
{
    return column < facts->ndimensions ? (uint16_t)column
                                       : facts->plan[column - facts->ndimensions].column;
}

static size_t count_columns(const fact_load *facts)
{
    return facts->ndimensions + facts->ncolumns;
}

/* Some segments of the window that are being made. */
typedef struct segment_work {
    fact_load *facts;
    const uint32_t *order;  /* of the rows; NULL: as they came */
    uint32_t first_segment; /* in the window */
} segment_work;

static uint32_t count_rows(const fact_load *facts, uint32_t segment)
{
    uint32_t left = vc_window_nrows(facts->window) - segment * VC_SEGMENT_ROWS;
    return left < VC_SEGMENT_ROWS ? left : VC_SEGMENT_ROWS;
}

static vc_status encode_cells(const fact_load *facts, size_t column, uint32_t segment,
                              const fact_scratch *scratch, bool has_nulls, uint32_t nrows,
                              fact_chunk *chunk)
{
    const uint8_t *validity = has_nulls ? scratch->validity : NULL;
    uint16_t number = stored_column(facts, column);
    if (is_double(facts, column))
        return vc_load_encode_doubles(&facts->object, number, segment,
                                      (const double *)(const void *)scratch->cells, validity, nrows,
                                      &chunk->encoded, &chunk->error);
    return vc_load_encode_ints(&facts->object, number, segment, scratch->cells, validity, nrows,
                               &chunk->encoded, &chunk->error);
}

static vc_status take_rows_of(const fact_scratch *scratch, uint32_t nrows, fact_chunk *chunk)
{
    if (chunk->rows == NULL) chunk->rows = malloc(VC_SEGMENT_ROWS * sizeof *chunk->rows);
    if (chunk->rows == NULL) return vc_no_memory(&chunk->error);
    for (uint32_t i = 0; i < nrows; i++)
        chunk->rows[i] = (uint32_t)scratch->cells[i];
    return VC_OK;
}

/* One column of one segment, by any thread. */
static void make_chunk(void *context, size_t number, unsigned thread)
{
    const segment_work *work = context;
    fact_load *facts = work->facts;
    const fact_scratch *scratch = &facts->scratch[thread];
    fact_chunk *chunk = &facts->chunks[number];
    size_t column = number % count_columns(facts);
    uint32_t segment = work->first_segment + (uint32_t)(number / count_columns(facts));
    uint32_t nrows = count_rows(facts, segment);
    bool has_nulls;
    vc_window_get(facts->window, column, work->order, segment * VC_SEGMENT_ROWS, nrows,
                  scratch->cells, scratch->validity, &has_nulls);
    chunk->status = is_built(facts, column)
                        ? take_rows_of(scratch, nrows, chunk)
                        : encode_cells(facts, column, facts->nsegments + segment, scratch,
                                       has_nulls, nrows, chunk);
}

static vc_status put_chunk(fact_load *facts, size_t column, uint32_t segment, uint32_t nrows,
                           const fact_chunk *chunk, vc_error *error)
{
    if (chunk->status != VC_OK) {
        if (error != NULL) *error = chunk->error;
        return chunk->status;
    }
    if (is_built(facts, column))
        return vc_spill_put(facts->dimensions[column].spill, chunk->rows, nrows, error);
    return vc_load_put_encoded(facts->loader->load, &facts->object, stored_column(facts, column),
                               segment, &chunk->encoded, error);
}

/* Put the rows of the window as segments, in their order: as many segments at a time as there are
 * threads. */
static vc_status put_window(fact_load *facts, vc_error *error)
{
    uint32_t nrows = vc_window_nrows(facts->window);
    uint32_t nsegments = (nrows + VC_SEGMENT_ROWS - 1) / VC_SEGMENT_ROWS;
    size_t ncolumns = count_columns(facts);
    segment_work work = {.facts = facts};
    if (nsegments > UINT32_MAX - 1 - facts->nsegments)
        return vc_fail(error, VC_LIMIT, "limit_facts", "%s has too many rows",
                       facts->file.path.data);
    vc_status sorted =
        vc_load_sort_window(&facts->order, facts->window, vc_fact_reader_crew(facts->reader),
                            facts->nthreads, &work.order, error);
    if (sorted != VC_OK) return sorted;
    for (; work.first_segment < nsegments; work.first_segment += facts->nthreads) {
        uint32_t left = nsegments - work.first_segment;
        size_t njobs = (left < facts->nthreads ? left : facts->nthreads) * ncolumns;
        vc_crew_run(vc_fact_reader_crew(facts->reader), njobs, make_chunk, &work);
        for (size_t i = 0; i < njobs; i++) {
            uint32_t segment = work.first_segment + (uint32_t)(i / ncolumns);
            vc_status status = put_chunk(facts, i % ncolumns, facts->nsegments + segment,
                                         count_rows(facts, segment), &facts->chunks[i], error);
            if (status != VC_OK) return status;
        }
    }
    vc_window_clear(facts->window);
    facts->nsegments += nsegments;
    facts->nrows += nrows;
    return VC_OK;
}

/* Only whole segments are put before the end. */
static bool is_full(const fact_load *facts)
{
    uint32_t nrows = vc_window_nrows(facts->window);
    if (nrows % VC_SEGMENT_ROWS != 0) return false;
    size_t nrows_max = facts->loader->options->window_rows;
    if (nrows_max > 0 && nrows >= nrows_max) return true;
    if (facts->order.nitems == 0) return nrows >= WINDOW_ROWS;
    return nrows >= VC_CLUSTER_ROWS_MAX || vc_window_bytes(facts->window) >= VC_CLUSTER_BYTES_MAX;
}

/* Have rows that all columns of the window have got. */
static vc_status add_rows(fact_load *facts, uint32_t nrows, vc_error *error)
{
    vc_window_add_rows(facts->window, nrows);
    return is_full(facts) ? put_window(facts, error) : VC_OK;
}

/* ---- taking blocks ---- */

/* Rows first .. end - 1 of a block. */
static vc_status take_plain(fact_load *facts, const vc_fact_block *block, uint32_t first,
                            uint32_t end, vc_error *error)
{
    vc_load_file_count(&facts->file, end - first, block->bytes.bytes_done);
    while (first < end) {
        uint32_t room = VC_SEGMENT_ROWS - vc_window_nrows(facts->window) % VC_SEGMENT_ROWS;
        uint32_t nrows = end - first < room ? end - first : room;
        for (size_t c = 0; c < count_columns(facts); c++) {
            size_t measure = c - facts->ndimensions; /* only of one of these */
            bool has_nulls = c >= facts->ndimensions && block->has_nulls[measure];
            vc_status status =
                vc_window_put(facts->window, c, block->cells[c] + first,
                              has_nulls ? block->nulls[measure] + first : NULL, nrows, error);
            if (status != VC_OK) return status;
        }
        vc_status status = add_rows(facts, nrows, error);
        if (status != VC_OK) return status;
        first += nrows;
    }
    return VC_OK;
}

static vc_status take_odd(fact_load *facts, const vc_fact_block *block, const vc_fact_odd *odd,
                          vc_error *error)
{
    vc_csv_row row;
    bool is_taken;
    vc_csv_read_at(facts->fork, &block->bytes, odd->offset, facts->line + odd->line);
    vc_status status = vc_load_file_again(&facts->file, facts->fork, &row, &is_taken, error);
    if (status != VC_OK || !is_taken) return status;
    status = take_row(facts, &row, &is_taken, error);
    if (status != VC_OK || !is_taken) return status;
    for (size_t c = 0; c < count_columns(facts); c++) {
        status = vc_window_put(facts->window, c, &facts->cells[c],
                               facts->nulls[c] ? &facts->nulls[c] : NULL, 1, error);
        if (status != VC_OK) return status;
    }
    return add_rows(facts, 1, error);
}

static vc_status take_block(fact_load *facts, const vc_fact_block *block, vc_error *error)
{
    uint32_t done = 0;
    facts->line += block->bytes.nlines_before;
    for (uint32_t i = 0; i < block->nodd; i++) {
        vc_status status = take_plain(facts, block, done, block->odd[i].place, error);
        if (status == VC_OK) status = take_odd(facts, block, &block->odd[i], error);
        if (status != VC_OK) return status;
        done = block->odd[i].place;
    }
    vc_status status = take_plain(facts, block, done, block->nrows, error);
    facts->line += block->nlines;
    if (status != VC_OK || block->status == VC_OK) return status;
    if (error != NULL) *error = block->error;
    return block->status;
}

static vc_status read_facts(fact_load *facts, vc_error *error)
{
    vc_status status = VC_OK;
    const vc_fact_block *block;
    facts->line = vc_csv_line(facts->file.csv);
    while (status == VC_OK && (block = vc_fact_reader_next(facts->reader)) != NULL) {
        status = take_block(facts, block, error);
        vc_fact_reader_done(facts->reader);
    }
    if (status == VC_OK) status = put_window(facts, error);
    return status == VC_OK ? vc_load_check_rejects(facts->loader, error) : status;
}

/* ---- before and after the reading ---- */

static vc_status make_recipe(fact_load *facts, vc_error *error)
{
    vc_keyed_recipe *keyed = VC_ARENA_NEW(&facts->arena, vc_keyed_recipe, facts->nkeyed);
    vc_built_recipe *built = VC_ARENA_NEW(&facts->arena, vc_built_recipe, facts->nbuilt);
    if (keyed == NULL || built == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < facts->nkeyed; i++)
        keyed[i] = (vc_keyed_recipe){.number = facts->keyed[i]->number,
                                     .field = facts->keyed[i]->field,
                                     .has_int_key = facts->keyed[i]->has_int_key,
                                     .leaves = facts->keyed[i]->leaves};
    for (size_t i = 0; i < facts->nbuilt; i++)
        built[i] = (vc_built_recipe){.number = facts->built[i]->number,
                                     .nfields = facts->built[i]->nfields,
                                     .fields = facts->built[i]->fields,
                                     .memo = &facts->built[i]->memo};
    facts->recipe = (vc_fact_recipe){.decimal = facts->file.decimal,
                                     .nkeyed = facts->nkeyed,
                                     .nbuilt = facts->nbuilt,
                                     .ndimensions = facts->ndimensions,
                                     .ncolumns = facts->ncolumns,
                                     .keyed = keyed,
                                     .built = built,
                                     .columns = facts->columns};
    return VC_OK;
}

static vc_status make_window(fact_load *facts, vc_error *error)
{
    size_t ncolumns = count_columns(facts);
    bool *are_double = VC_ARENA_NEW(&facts->arena, bool, ncolumns);
    facts->cells = VC_ARENA_NEW(&facts->arena, int64_t, ncolumns);
    facts->nulls = VC_ARENA_NEW(&facts->arena, uint8_t, ncolumns);
    if (are_double == NULL || facts->cells == NULL || facts->nulls == NULL)
        return vc_no_memory(error);
    for (size_t c = 0; c < ncolumns; c++)
        are_double[c] = is_double(facts, c);
    return vc_window_new(ncolumns, are_double, &facts->window, error);
}

static vc_status make_scratch(fact_load *facts, vc_error *error)
{
    facts->nthreads = vc_fact_reader_nthreads(facts->reader);
    facts->nchunks = facts->nthreads * count_columns(facts);
    facts->chunks = calloc(facts->nchunks, sizeof *facts->chunks);
    facts->scratch = calloc(facts->nthreads, sizeof *facts->scratch);
    if (facts->chunks == NULL || facts->scratch == NULL) return vc_no_memory(error);
    for (unsigned i = 0; i < facts->nthreads; i++) {
        fact_scratch *scratch = &facts->scratch[i];
        scratch->cells = malloc(VC_SEGMENT_ROWS * sizeof *scratch->cells);
        scratch->validity = malloc(VC_SEGMENT_ROWS / 8 + 1);
        if (scratch->cells == NULL || scratch->validity == NULL) return vc_no_memory(error);
    }
    return VC_OK;
}

static vc_status start_reading(fact_load *facts, vc_error *error)
{
    const vc_load_options *options = facts->loader->options;
    vc_status status = make_recipe(facts, error);
    if (status == VC_OK) status = make_window(facts, error);
    if (status == VC_OK) status = vc_csv_fork(facts->file.csv, &facts->fork, error);
    if (status == VC_OK)
        status = vc_fact_reader_new(&facts->file, &facts->recipe, options->nthreads,
                                    options->block_bytes, &facts->reader, error);
    return status == VC_OK ? make_scratch(facts, error) : status;
}

static void stop_reading(fact_load *facts)
{
    vc_fact_reader_free(facts->reader);
    vc_csv_close(facts->fork);
    vc_window_free(facts->window);
    vc_cluster_release(&facts->order.cluster);
    for (size_t i = 0; facts->chunks != NULL && i < facts->nchunks; i++) {
        vc_encoded_release(&facts->chunks[i].encoded);
        free(facts->chunks[i].rows);
    }
    for (unsigned i = 0; facts->scratch != NULL && i < facts->nthreads; i++) {
        free(facts->scratch[i].cells);
        free(facts->scratch[i].validity);
    }
    free(facts->chunks);
    free(facts->scratch);
    vc_buffer_release(&facts->buffer);
}

/* ---- after the facts ---- */

/* Segments of a built dimension's column that are being made. */
typedef struct built_work {
    fact_load *facts;
    const fact_dimension *dimension;
    const uint32_t *leaf_of_row;
    uint32_t first_segment;
} built_work;

static void make_built_chunk(void *context, size_t number, unsigned thread)
{
    const built_work *work = context;
    fact_load *facts = work->facts;
    fact_chunk *chunk = &facts->chunks[number];
    int64_t *cells = facts->scratch[thread].cells;
    uint32_t segment = work->first_segment + (uint32_t)number;
    uint64_t left = facts->nrows - (uint64_t)segment * VC_SEGMENT_ROWS;
    uint32_t nrows = left < VC_SEGMENT_ROWS ? (uint32_t)left : VC_SEGMENT_ROWS;
    if (chunk->rows == NULL) chunk->rows = malloc(VC_SEGMENT_ROWS * sizeof *chunk->rows);
    if (chunk->rows == NULL) {
        chunk->status = vc_no_memory(&chunk->error);
        return;
    }
    chunk->status =
        vc_spill_get(work->dimension->spill, segment, chunk->rows, nrows, &chunk->error);
    if (chunk->status != VC_OK) return;
    for (uint32_t row = 0; row < nrows; row++)
        cells[row] = work->leaf_of_row[chunk->rows[row]];
    chunk->status = encode_cells(facts, work->dimension->number, segment, &facts->scratch[thread],
                                 false, nrows, chunk);
}

/* Now that the leaves of a built dimension are known, put its fact column. */
static vc_status put_built_column(fact_load *facts, const fact_dimension *dimension,
                                  const uint32_t *leaf_of_row, vc_error *error)
{
    built_work work = {.facts = facts, .dimension = dimension, .leaf_of_row = leaf_of_row};
    while (work.first_segment < facts->nsegments) {
        uint32_t left = facts->nsegments - work.first_segment;
        uint32_t njobs = left < facts->nchunks ? left : (uint32_t)facts->nchunks;
        vc_crew_run(vc_fact_reader_crew(facts->reader), njobs, make_built_chunk, &work);
        for (uint32_t i = 0; i < njobs; i++) {
            fact_chunk *chunk = &facts->chunks[i];
            vc_status status = chunk->status;
            if (status == VC_OK)
                status = vc_load_put_encoded(facts->loader->load, &facts->object,
                                             (uint16_t)dimension->number, work.first_segment + i,
                                             &chunk->encoded, error);
            else if (error != NULL)
                *error = chunk->error;
            if (status != VC_OK) return status;
        }
        work.first_segment += njobs;
    }
    return VC_OK;
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
    vc_str *cluster = VC_ARENA_NEW(&facts->arena, vc_str, facts->order.nitems);
    if (cluster == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < facts->order.nitems; i++)
        cluster[i] = facts->order.items[i].text;
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
                            .ncluster = facts->order.nitems,
                            .cluster = cluster,
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
    if (status == VC_OK)
        status = vc_load_list_cluster(facts->cube, &facts->arena, &facts->order, error);
    if (status == VC_OK) status = start_dimensions(facts, error);
    if (status == VC_OK) status = start_reading(facts, error);
    if (status == VC_OK) status = read_facts(facts, error);
    for (size_t i = 0; status == VC_OK && i < facts->nbuilt; i++)
        status = finish_built(facts, facts->built[i], error);
    if (status == VC_OK) status = put_dictionaries(facts, error);
    return status == VC_OK ? put_manifest(facts, error) : status;
}

static void release_facts(fact_load *facts)
{
    stop_reading(facts);
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
