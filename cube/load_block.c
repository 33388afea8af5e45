/* Blocks of facts, read by a crew.
 *
 * A thread cuts a block of whole records off the file, any thread reads it: texts become numbers,
 * keys leaves, as far as that changes nothing that others see. A row that needs more (a code that
 * was not seen before, anything that may be a reject) is only noted, and read again by the thread
 * that takes the blocks in the order of the file. A member that was not seen before gets a number
 * in the block, and only the first row that has it is read again: facts come in the order of time
 * as a rule, so that each block has days that no block before it had. What comes out, numbering and
 * rejects too, is what one thread reading row by row would have made, whatever a thread happened to
 * know already.
 */
#include "cube/load_parts.h"

#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_BYTES = 1 << 20,
    FIRST_ROWS = 256,
    MEMO_KEY_BYTES = 4096, /* longer texts are not remembered */
};

typedef struct reader_thread {
    vc_csv *fork;
    vc_buffer buffer;            /* for keys of several fields */
    vc_keymap_search **searches; /* [nkeyed][search_capacity] of texts, for the rows of a block */
    uint32_t search_capacity;
    vc_error reject; /* of no interest: whoever reads the row again says it */
} reader_thread;

struct vc_fact_reader {
    const vc_load_file *file;
    const vc_fact_recipe *recipe;
    size_t block_bytes;
    vc_crew *crew;
    unsigned nthreads;
    reader_thread *threads; /* [nthreads] */
    size_t nblocks;
    vc_fact_block *blocks; /* [nblocks] the slots of the crew */
};

/* ---- keys ---- */

vc_str vc_fact_memo_key(const vc_built_recipe *built, const vc_str *fields, vc_buffer *buffer)
{
    vc_str key = {0};
    if (built->nfields == 1) {
        key = fields[built->fields[0]];
        if (vc_str_is_null(key)) key = VC_STR("\xFF"); /* no UTF-8, so no text of a file */
        return key.size <= MEMO_KEY_BYTES ? key : (vc_str){0};
    }
    vc_buffer_clear(buffer);
    for (size_t i = 0; i < built->nfields; i++) {
        vc_str field = fields[built->fields[i]];
        uint32_t size = vc_str_is_null(field) ? UINT32_MAX : (uint32_t)field.size;
        vc_buffer_put(buffer, &size, sizeof size);
        if (field.size > 0) vc_buffer_put_str(buffer, field);
    }
    if (!buffer->failed && buffer->size <= MEMO_KEY_BYTES && buffer->size > 0)
        key = (vc_str){.data = buffer->data, .size = buffer->size};
    return key;
}

/* ---- a row ---- */

static void note_null(vc_fact_block *block, size_t column, uint32_t at, bool is_null)
{
    if (is_null && !block->has_nulls[column]) {
        memset(block->nulls[column], 0, block->capacity);
        block->has_nulls[column] = true;
    }
    if (block->has_nulls[column]) block->nulls[column][at] = is_null;
}

static bool read_measures(const vc_fact_recipe *recipe, vc_fact_block *block, const vc_str *fields,
                          uint32_t at)
{
    for (size_t c = 0; c < recipe->ncolumns; c++) {
        const vc_load_column *column = &recipe->columns[c];
        vc_str text = fields[column->field];
        int64_t *cell = &block->cells[recipe->ndimensions + c][at];
        bool is_null = vc_str_is_null(text);
        if (column->value != NULL) {
            size_t field;
            if (vc_load_column_compute(column, fields, recipe->decimal, cell, &is_null, &field) !=
                VC_PARSE_OK)
                return false;
            note_null(block, c, at, is_null);
            continue;
        }
        note_null(block, c, at, is_null);
        if (is_null) {
            *cell = 0; /* 0.0 as well */
        } else if (column->column->is_dictionary) {
            uint32_t code = vc_memo_find(&column->known, text);
            if (code == VC_MEMO_NONE) return false;
            *cell = code;
        } else if (vc_load_column_parse(column->column, text, recipe->decimal, cell) !=
                   VC_PARSE_OK) {
            return false;
        }
    }
    return true;
}

/* The cell of a key that nobody knows yet. 0: no memory, or the key cannot be kept. */
static int64_t number_fresh(vc_fact_block *block, size_t built, vc_str key)
{
    uint32_t number = vc_memo_find(&block->fresh[built], key);
    if (number != VC_MEMO_NONE) return -1 - (int64_t)number;
    if (block->nfresh == block->fresh_capacity) {
        uint32_t capacity = block->fresh_capacity == 0 ? 64 : block->fresh_capacity * 2;
        uint32_t *rows = realloc(block->fresh_rows, capacity * sizeof *rows);
        if (rows == NULL) return 0;
        block->fresh_rows = rows;
        block->fresh_capacity = capacity;
    }
    key = vc_arena_str(&block->fresh_arena, key);
    if (vc_str_is_null(key) || !vc_memo_put(&block->fresh[built], key, block->nfresh)) return 0;
    block->fresh_rows[block->nfresh] = VC_NONE;
    return -1 - (int64_t)block->nfresh++;
}

static void forget_fresh(const vc_fact_recipe *recipe, vc_fact_block *block)
{
    if (block->nfresh == 0) return;
    for (size_t i = 0; i < recipe->nbuilt; i++)
        vc_memo_release(&block->fresh[i]);
    vc_arena_clear(&block->fresh_arena);
    block->nfresh = 0;
}

/* False: the row is an odd one. Keys are only read: what they stand for is looked up for all rows
 * at once, find_leaves. */
static bool read_row(const vc_fact_recipe *recipe, vc_fact_block *block, const vc_str *fields,
                     uint32_t at, reader_thread *thread)
{
    for (size_t i = 0; i < recipe->nkeyed; i++) {
        const vc_keyed_recipe *keyed = &recipe->keyed[i];
        int64_t *cell = &block->cells[keyed->number][at];
        if (keyed->has_int_key) {
            if (vc_load_parse_int(fields[keyed->field], cell) != VC_PARSE_OK) return false;
            continue;
        }
        if (fields[keyed->field].size == 0) return false;
        thread->searches[i][at] = vc_keymap_begin(keyed->leaves, fields[keyed->field]);
    }
    for (size_t i = 0; i < recipe->nbuilt; i++) {
        const vc_built_recipe *built = &recipe->built[i];
        vc_str key = vc_fact_memo_key(built, fields, &thread->buffer);
        if (vc_str_is_null(key)) return false;
        uint32_t row = vc_memo_find(built->memo, key);
        int64_t cell = row != VC_MEMO_NONE ? (int64_t)row : number_fresh(block, i, key);
        if (row == VC_MEMO_NONE && cell == 0) return false;
        block->cells[built->number][at] = cell;
    }
    return read_measures(recipe, block, fields, at);
}

/* ---- a block ---- */

static bool reserve_row(const vc_fact_recipe *recipe, vc_fact_block *block)
{
    if (block->nrows < block->capacity) return true;
    uint32_t capacity = block->capacity == 0 ? FIRST_ROWS : block->capacity * 2;
    for (size_t c = 0; c < recipe->ndimensions + recipe->ncolumns; c++) {
        int64_t *cells = realloc(block->cells[c], capacity * sizeof *cells);
        if (cells == NULL) return false;
        block->cells[c] = cells;
    }
    for (size_t c = 0; c < recipe->ncolumns; c++) {
        uint8_t *nulls = realloc(block->nulls[c], capacity);
        if (nulls == NULL) return false;
        block->nulls[c] = nulls;
        if (block->has_nulls[c]) memset(nulls + block->capacity, 0, capacity - block->capacity);
    }
    vc_fact_odd *places = realloc(block->places, capacity * sizeof *places);
    if (places == NULL) return false;
    block->places = places;
    block->capacity = capacity;
    return true;
}

static bool reserve_searches(const vc_fact_recipe *recipe, reader_thread *thread, uint32_t capacity)
{
    if (thread->search_capacity >= capacity) return true;
    for (size_t i = 0; i < recipe->nkeyed; i++) {
        if (recipe->keyed[i].has_int_key) continue;
        vc_keymap_search *searches = realloc(thread->searches[i], capacity * sizeof *searches);
        if (searches == NULL) return false;
        thread->searches[i] = searches;
    }
    thread->search_capacity = capacity;
    return true;
}

static vc_fact_odd place_of(const vc_fact_block *block, const vc_csv *fork, const vc_csv_row *row)
{
    return (vc_fact_odd){.place = block->nrows,
                         .offset = (uint32_t)vc_csv_row_offset(fork),
                         .line = (uint32_t)row->line};
}

static bool note_odd(vc_fact_block *block, const vc_fact_odd *odd)
{
    if (block->nodd == block->odd_capacity) {
        uint32_t capacity = block->odd_capacity == 0 ? 64 : block->odd_capacity * 2;
        vc_fact_odd *all = realloc(block->odd, capacity * sizeof *all);
        if (all == NULL) return false;
        block->odd = all;
        block->odd_capacity = capacity;
    }
    block->odd[block->nodd++] = *odd;
    return true;
}

static vc_status read_rows(const vc_fact_recipe *recipe, vc_fact_block *block,
                           reader_thread *thread, vc_error *error)
{
    vc_csv *fork = thread->fork;
    for (;;) {
        vc_csv_row row;
        switch (vc_csv_next(fork, &row, &thread->reject)) {
        case VC_CSV_ROW:
            if (!reserve_row(recipe, block) || !reserve_searches(recipe, thread, block->capacity))
                return vc_no_memory(error);
            if (read_row(recipe, block, row.fields, block->nrows, thread)) {
                block->places[block->nrows] = place_of(block, fork, &row);
                block->nrows++;
                continue;
            }
            break;
        case VC_CSV_REJECT: break;
        case VC_CSV_END: return VC_OK;
        case VC_CSV_FAILED: *error = thread->reject; return thread->reject.status;
        }
        vc_fact_odd odd = place_of(block, fork, &row);
        if (!note_odd(block, &odd)) return vc_no_memory(error);
    }
}

/* Move row `from` to `to`, which comes before it. */
static void move_row(const vc_fact_recipe *recipe, vc_fact_block *block, uint32_t from, uint32_t to)
{
    for (size_t c = 0; c < recipe->ndimensions + recipe->ncolumns; c++)
        block->cells[c][to] = block->cells[c][from];
    for (size_t c = 0; c < recipe->ncolumns; c++)
        if (block->has_nulls[c]) block->nulls[c][to] = block->nulls[c][from];
    block->places[to] = block->places[from];
    block->places[to].place = to;
}

static bool has_leaves(const vc_fact_recipe *recipe, const vc_fact_block *block, uint32_t row)
{
    for (size_t i = 0; i < recipe->nkeyed; i++)
        if (block->cells[recipe->keyed[i].number][row] < 0) return false;
    return true;
}

/* Rows that have no leaf in some dimension become odd ones, in their place among those. */
static bool part_rows(const vc_fact_recipe *recipe, vc_fact_block *block)
{
    vc_fact_odd *before = block->odd;
    uint32_t nbefore = block->nodd, next = 0, nrows = 0;
    bool is_good = true;
    block->odd = NULL;
    block->nodd = block->odd_capacity = 0;
    for (uint32_t row = 0; row <= block->nrows && is_good; row++) {
        for (; next < nbefore && before[next].place == row && is_good; next++) {
            before[next].place = nrows;
            is_good = note_odd(block, &before[next]);
        }
        if (row == block->nrows || !is_good) break;
        if (has_leaves(recipe, block, row)) {
            move_row(recipe, block, row, nrows++);
        } else {
            block->places[row].place = nrows;
            is_good = note_odd(block, &block->places[row]);
        }
    }
    block->nrows = nrows;
    free(before);
    return is_good;
}

static vc_status find_leaves(const vc_fact_recipe *recipe, vc_fact_block *block,
                             const reader_thread *thread, vc_error *error)
{
    uint32_t nabsent = 0;
    for (size_t i = 0; i < recipe->nkeyed; i++) {
        const vc_keyed_recipe *keyed = &recipe->keyed[i];
        int64_t *cells = block->cells[keyed->number];
        nabsent += keyed->has_int_key ? vc_keymap_find_ints(keyed->leaves, cells, block->nrows)
                                      : vc_keymap_find_begun(keyed->leaves, thread->searches[i],
                                                             cells, block->nrows);
    }
    return nabsent == 0 || part_rows(recipe, block) ? VC_OK : vc_no_memory(error);
}

/* ---- the steps of the crew ---- */

static bool read_block(void *context, size_t slot)
{
    vc_fact_reader *reader = context;
    vc_fact_block *block = &reader->blocks[slot];
    block->bytes.first = block->bytes.end = 0;
    block->status =
        vc_csv_next_block(reader->file->csv, reader->block_bytes, &block->bytes, &block->error);
    return block->status == VC_OK && !block->bytes.is_last;
}

static void work_on_block(void *context, size_t slot, unsigned number)
{
    vc_fact_reader *reader = context;
    vc_fact_block *block = &reader->blocks[slot];
    reader_thread *thread = &reader->threads[number];
    block->nrows = block->nodd = 0;
    block->nlines = 0;
    forget_fresh(reader->recipe, block);
    memset(block->has_nulls, 0, reader->recipe->ncolumns * sizeof *block->has_nulls);
    if (block->status != VC_OK || block->bytes.first == block->bytes.end) return;
    vc_csv_read_block(thread->fork, &block->bytes, 0);
    block->status = read_rows(reader->recipe, block, thread, &block->error);
    if (find_leaves(reader->recipe, block, thread, &block->error) != VC_OK)
        block->status = block->error.status;
    block->nlines = vc_csv_line(thread->fork);
}

/* ---- life ---- */

static void release_searches(const vc_fact_recipe *recipe, reader_thread *thread)
{
    for (size_t i = 0; thread->searches != NULL && i < recipe->nkeyed; i++)
        free(thread->searches[i]);
    free(thread->searches);
}

static void release_block(const vc_fact_recipe *recipe, vc_fact_block *block)
{
    for (size_t c = 0; block->cells != NULL && c < recipe->ndimensions + recipe->ncolumns; c++)
        free(block->cells[c]);
    for (size_t c = 0; block->nulls != NULL && c < recipe->ncolumns; c++)
        free(block->nulls[c]);
    free(block->cells);
    free(block->nulls);
    free(block->has_nulls);
    free(block->odd);
    free(block->places);
    for (size_t i = 0; block->fresh != NULL && i < recipe->nbuilt; i++)
        vc_memo_release(&block->fresh[i]);
    free(block->fresh);
    free(block->fresh_rows);
    vc_arena_release(&block->fresh_arena);
    vc_csv_block_release(&block->bytes);
}

static bool init_block(const vc_fact_recipe *recipe, vc_fact_block *block)
{
    block->cells = calloc(recipe->ndimensions + recipe->ncolumns + 1, sizeof *block->cells);
    block->nulls = calloc(recipe->ncolumns + 1, sizeof *block->nulls);
    block->has_nulls = calloc(recipe->ncolumns + 1, sizeof *block->has_nulls);
    block->fresh = calloc(recipe->nbuilt + 1, sizeof *block->fresh);
    return block->cells != NULL && block->nulls != NULL && block->has_nulls != NULL &&
           block->fresh != NULL;
}

/* The columns of the file of which cells are made; the caller frees it. */
static bool *find_wanted(const vc_fact_reader *reader)
{
    const vc_fact_recipe *recipe = reader->recipe;
    bool *is_wanted = calloc(vc_csv_ncolumns(reader->file->csv) + 1, sizeof *is_wanted);
    if (is_wanted == NULL) return NULL;
    for (size_t i = 0; i < recipe->nkeyed; i++)
        is_wanted[recipe->keyed[i].field] = true;
    for (size_t i = 0; i < recipe->nbuilt; i++)
        for (size_t f = 0; f < recipe->built[i].nfields; f++)
            is_wanted[recipe->built[i].fields[f]] = true;
    for (size_t c = 0; c < recipe->ncolumns; c++)
        for (size_t f = 0; f < recipe->columns[c].nfields; f++)
            is_wanted[recipe->columns[c].fields[f]] = true;
    return is_wanted;
}

/* Each thread has a block in work, one more is being cut and one taken. */
static vc_status make_parts(vc_fact_reader *reader, vc_error *error)
{
    vc_crew_plan plan = {.nthreads = reader->nthreads,
                         .nslots = reader->nthreads == 1 ? 1 : reader->nthreads + 2,
                         .read = read_block,
                         .work = work_on_block,
                         .context = reader};
    reader->threads = calloc(reader->nthreads, sizeof *reader->threads);
    reader->blocks = calloc(plan.nslots, sizeof *reader->blocks);
    if (reader->threads == NULL || reader->blocks == NULL) return vc_no_memory(error);
    reader->nblocks = plan.nslots;
    for (size_t i = 0; i < reader->nblocks; i++) {
        if (!init_block(reader->recipe, &reader->blocks[i])) return vc_no_memory(error);
    }
    bool *is_wanted = find_wanted(reader);
    vc_status status = is_wanted != NULL ? VC_OK : vc_no_memory(error);
    for (unsigned i = 0; status == VC_OK && i < reader->nthreads; i++) {
        reader_thread *thread = &reader->threads[i];
        thread->searches = calloc(reader->recipe->nkeyed + 1, sizeof *thread->searches);
        if (thread->searches == NULL) status = vc_no_memory(error);
        if (status == VC_OK) status = vc_csv_fork(reader->file->csv, &thread->fork, error);
        if (status == VC_OK) vc_csv_want(thread->fork, is_wanted);
    }
    free(is_wanted);
    return status == VC_OK ? vc_crew_new(&plan, &reader->crew, error) : status;
}

vc_status vc_fact_reader_new(const vc_load_file *file, const vc_fact_recipe *recipe,
                             unsigned nthreads, size_t block_bytes, vc_fact_reader **reader_out,
                             vc_error *error)
{
    vc_fact_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) return vc_no_memory(error);
    reader->file = file;
    reader->recipe = recipe;
    reader->block_bytes = block_bytes == 0 ? BLOCK_BYTES : block_bytes;
    reader->nthreads = vc_crew_count_threads(nthreads);
    vc_status status = make_parts(reader, error);
    if (status != VC_OK) {
        vc_fact_reader_free(reader);
        return status;
    }
    *reader_out = reader;
    return VC_OK;
}

void vc_fact_reader_free(vc_fact_reader *reader)
{
    if (reader == NULL) return;
    vc_crew_free(reader->crew);
    for (unsigned i = 0; reader->threads != NULL && i < reader->nthreads; i++) {
        vc_csv_close(reader->threads[i].fork);
        vc_buffer_release(&reader->threads[i].buffer);
        release_searches(reader->recipe, &reader->threads[i]);
    }
    for (size_t i = 0; i < reader->nblocks; i++)
        release_block(reader->recipe, &reader->blocks[i]);
    free(reader->threads);
    free(reader->blocks);
    free(reader);
}

/* ---- taking ---- */

vc_fact_block *vc_fact_reader_next(vc_fact_reader *reader)
{
    size_t slot;
    return vc_crew_next(reader->crew, &slot) ? &reader->blocks[slot] : NULL;
}

void vc_fact_reader_done(vc_fact_reader *reader)
{
    vc_crew_done(reader->crew);
}

vc_crew *vc_fact_reader_crew(vc_fact_reader *reader)
{
    return reader->crew;
}

unsigned vc_fact_reader_nthreads(const vc_fact_reader *reader)
{
    return reader->nthreads;
}
