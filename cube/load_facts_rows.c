/* Rows of facts.
 *
 * Blocks of rows are read by several threads (load_block.c); this one takes them in the order of
 * the file. Rows that could be read by looking only are copied; the odd ones are read again here,
 * where members and codes are made and rejects written. What cannot be taken back (new members, new
 * codes) comes after everything that can fail. Rows wait in a window (load_window.c), from which
 * whole segments are encoded by all threads and put by this one (load_segments.c).
 */
#include "base/nearest.h"
#include "cube/load_facts_parts.h"
#include "dimensions/order.h"

enum {
    MEMO_KEYS = 1 << 19,               /* rows that are remembered per built dimension */
    WINDOW_ROWS = 4 * VC_SEGMENT_ROWS, /* of facts that are not sorted */
    CANDIDATE_KEYS = 200000,           /* in larger dimensions no nearest keys are looked for, */
    CANDIDATE_REJECTS = 100,           /* and not for more rejects than these */
};

/* ---- a row ---- */

static vc_status reject_key(vc_fact_load *facts, const vc_fact_dimension *dimension,
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

static vc_status remember_row(vc_fact_dimension *dimension, vc_arena *arena, vc_str key,
                              uint32_t row, vc_error *error)
{
    if (dimension->memo.count >= MEMO_KEYS) return VC_OK;
    key = vc_arena_str(arena, key);
    if (vc_str_is_null(key) || !vc_memo_put(&dimension->memo, key, row)) return vc_no_memory(error);
    return VC_OK;
}

/* Add the row to a built dimension. *row_out is VC_NONE when it was rejected. */
static vc_status find_row(vc_fact_load *facts, vc_fact_dimension *dimension,
                          const vc_built_recipe *built, const vc_csv_row *row, uint32_t *row_out,
                          vc_error *error)
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

/* The cell of a measure. False: the reason is filled. *field_out: what it is about. */
static bool take_number(vc_fact_load *facts, size_t number, const vc_csv_row *row,
                        size_t *field_out)
{
    const vc_load_column *column = &facts->columns[number];
    vc_str text = row->fields[column->field];
    size_t cell = facts->ndimensions + number;
    *field_out = column->field;
    if (column->value != NULL) {
        bool is_null = true;
        vc_status status = vc_load_column_need_computed(column, row->fields, facts->file.decimal,
                                                        &facts->cells[cell], &is_null, field_out,
                                                        &facts->file.reason);
        facts->nulls[cell] = is_null;
        return status == VC_OK;
    }
    facts->cells[cell] = 0; /* 0.0 as well */
    facts->nulls[cell] = vc_str_is_null(text);
    if (facts->nulls[cell] || facts->plan[number].is_dictionary) return true;
    return vc_load_column_need(&facts->plan[number], text, facts->file.decimal, &facts->cells[cell],
                               &facts->file.reason) == VC_OK;
}

/* The leaf of a key; VC_KEYMAP_NONE when it has none. */
static uint32_t find_leaf(const vc_keyed_recipe *keyed, vc_str key)
{
    int64_t value;
    if (key.size == 0) return VC_KEYMAP_NONE;
    if (!keyed->has_int_key) return vc_keymap_find(keyed->leaves, key);
    /* Leaves of type int have their shortest form as keys: 007 is 7. */
    if (vc_load_parse_int(key, &value) != VC_PARSE_OK) return VC_KEYMAP_NONE;
    return vc_keymap_find_int(keyed->leaves, value);
}

/* Make the cells of a row; *is_taken_out says that it was not rejected. */
static vc_status take_row(vc_fact_load *facts, const vc_csv_row *row, bool *is_taken_out,
                          vc_error *error)
{
    const vc_fact_recipe *recipe = &facts->recipe;
    *is_taken_out = false;
    for (size_t i = 0; i < facts->ncolumns; i++) {
        size_t field;
        if (take_number(facts, i, row, &field)) continue;
        vc_load_file_at(&facts->file, row, field, &facts->file.reason);
        return vc_load_file_reject(&facts->file, row, &facts->file.reason, error);
    }
    for (size_t i = 0; i < facts->nkeyed; i++) {
        const vc_keyed_recipe *keyed = &recipe->keyed[i];
        uint32_t leaf = find_leaf(keyed, row->fields[keyed->field]);
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

/* ---- the window ---- */

/* Put its rows as segments, in their order. */
static vc_status put_window(vc_fact_load *facts, vc_error *error)
{
    const uint32_t *order;
    vc_status status =
        vc_load_sort_window(&facts->order, facts->window, vc_fact_reader_crew(facts->reader),
                            vc_fact_reader_nthreads(facts->reader), &order, error);
    if (status == VC_OK)
        status = vc_segments_put(facts->segments, facts->window, order,
                                 vc_window_nrows(facts->window), error);
    if (status == VC_OK) vc_window_clear(facts->window);
    return status;
}

/* Only whole segments are put before the end. */
static bool is_full(const vc_fact_load *facts)
{
    uint32_t nrows = vc_window_nrows(facts->window);
    if (nrows % VC_SEGMENT_ROWS != 0) return false;
    size_t nrows_max = facts->loader->options->window_rows;
    if (nrows_max > 0 && nrows >= nrows_max) return true;
    if (facts->order.nitems == 0) return nrows >= WINDOW_ROWS;
    return nrows >= VC_CLUSTER_ROWS_MAX || vc_window_bytes(facts->window) >= VC_CLUSTER_BYTES_MAX;
}

/* Have rows that all columns of the window have got. */
static vc_status add_rows(vc_fact_load *facts, uint32_t nrows, vc_error *error)
{
    vc_window_add_rows(facts->window, nrows);
    return is_full(facts) ? put_window(facts, error) : VC_OK;
}

/* ---- taking blocks ---- */

/* Rows first .. end - 1 of a block. */
static vc_status take_plain(vc_fact_load *facts, const vc_fact_block *block, uint32_t first,
                            uint32_t end, vc_error *error)
{
    vc_load_file_count(&facts->file, end - first, block->bytes.bytes_done);
    while (first < end) {
        uint32_t room = VC_SEGMENT_ROWS - vc_window_nrows(facts->window) % VC_SEGMENT_ROWS;
        uint32_t nrows = end - first < room ? end - first : room;
        for (size_t c = 0; c < vc_facts_count_columns(facts); c++) {
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

/* *is_taken_out: it was not rejected; then facts->cells are its cells. */
static vc_status take_odd(vc_fact_load *facts, const vc_fact_block *block, const vc_fact_odd *odd,
                          bool *is_taken_out, vc_error *error)
{
    vc_csv_row row;
    vc_csv_read_at(facts->fork, &block->bytes, odd->offset, facts->line + odd->line);
    vc_status status = vc_load_file_again(&facts->file, facts->fork, &row, is_taken_out, error);
    if (status != VC_OK || !*is_taken_out) return status;
    status = take_row(facts, &row, is_taken_out, error);
    if (status != VC_OK || !*is_taken_out) return status;
    for (size_t c = 0; c < vc_facts_count_columns(facts); c++) {
        status = vc_window_put(facts->window, c, &facts->cells[c],
                               facts->nulls[c] ? &facts->nulls[c] : NULL, 1, error);
        if (status != VC_OK) return status;
    }
    return add_rows(facts, 1, error);
}

/* Put the members' rows for what is fresh in a row; false when one has none yet. */
static bool resolve_fresh(const vc_fact_load *facts, vc_fact_block *block, uint32_t row)
{
    for (size_t i = 0; i < facts->nbuilt; i++) {
        int64_t *cell = &block->cells[facts->recipe.built[i].number][row];
        if (*cell >= 0) continue;
        if (block->fresh_rows[-1 - *cell] == VC_NONE) return false;
        *cell = block->fresh_rows[-1 - *cell];
    }
    return true;
}

/* The first row with a fresh key: its member is made, and known from now on. */
static vc_status take_fresh(vc_fact_load *facts, vc_fact_block *block, uint32_t row,
                            vc_error *error)
{
    bool is_taken;
    vc_status status = take_odd(facts, block, &block->places[row], &is_taken, error);
    if (status != VC_OK || !is_taken) return status;
    for (size_t i = 0; i < facts->nbuilt; i++) {
        size_t number = facts->recipe.built[i].number;
        int64_t cell = block->cells[number][row];
        if (cell < 0) block->fresh_rows[-1 - cell] = (uint32_t)facts->cells[number];
    }
    return VC_OK;
}

/* Rows first .. end - 1 of a block, in which there may be fresh keys. */
static vc_status take_rows(vc_fact_load *facts, vc_fact_block *block, uint32_t first, uint32_t end,
                           vc_error *error)
{
    for (uint32_t row = first; row < end && block->nfresh > 0; row++) {
        if (resolve_fresh(facts, block, row)) continue;
        vc_status status = take_plain(facts, block, first, row, error);
        if (status == VC_OK) status = take_fresh(facts, block, row, error);
        if (status != VC_OK) return status;
        first = row + 1;
    }
    return take_plain(facts, block, first, end, error);
}

static vc_status take_block(vc_fact_load *facts, vc_fact_block *block, vc_error *error)
{
    uint32_t done = 0;
    bool is_taken;
    facts->line += block->bytes.nlines_before;
    for (uint32_t i = 0; i < block->nodd; i++) {
        vc_status status = take_rows(facts, block, done, block->odd[i].place, error);
        if (status == VC_OK) status = take_odd(facts, block, &block->odd[i], &is_taken, error);
        if (status != VC_OK) return status;
        done = block->odd[i].place;
    }
    vc_status status = take_rows(facts, block, done, block->nrows, error);
    facts->line += block->nlines;
    if (status != VC_OK || block->status == VC_OK) return status;
    if (error != NULL) *error = block->error;
    return block->status;
}

/* ---- the whole ---- */

static vc_status make_recipe(vc_fact_load *facts, vc_error *error)
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

/* How columns are stored; that of a built dimension is spilled first. */
static vc_status plan_columns(vc_fact_load *facts, vc_error *error)
{
    size_t ncolumns = vc_facts_count_columns(facts);
    facts->stored = VC_ARENA_NEW(&facts->arena, vc_segment_column, ncolumns);
    facts->cells = VC_ARENA_NEW(&facts->arena, int64_t, ncolumns);
    facts->nulls = VC_ARENA_NEW(&facts->arena, uint8_t, ncolumns);
    if (facts->stored == NULL || facts->cells == NULL || facts->nulls == NULL)
        return vc_no_memory(error);
    for (size_t d = 0; d < facts->ndimensions; d++)
        facts->stored[d] =
            (vc_segment_column){.number = (uint16_t)d, .spill = facts->dimensions[d].spill};
    for (size_t c = 0; c < facts->ncolumns; c++)
        facts->stored[facts->ndimensions + c] = (vc_segment_column){
            .number = facts->plan[c].column, .is_double = facts->plan[c].type == VC_VALUE_FLOAT};
    return VC_OK;
}

static vc_status start_reading(vc_fact_load *facts, vc_error *error)
{
    const vc_load_options *options = facts->loader->options;
    size_t ncolumns = vc_facts_count_columns(facts);
    vc_status status = make_recipe(facts, error);
    if (status == VC_OK) status = plan_columns(facts, error);
    if (status == VC_OK) status = vc_window_new(ncolumns, facts->stored, &facts->window, error);
    if (status == VC_OK) status = vc_csv_fork(facts->file.csv, &facts->fork, error);
    if (status == VC_OK)
        status = vc_fact_reader_new(&facts->file, &facts->recipe, options->nthreads,
                                    options->block_bytes, &facts->reader, error);
    if (status != VC_OK) return status;
    return vc_segments_new(facts->loader->load, &facts->object, ncolumns, facts->stored,
                           vc_fact_reader_crew(facts->reader),
                           vc_fact_reader_nthreads(facts->reader), &facts->segments, error);
}

vc_status vc_facts_read(vc_fact_load *facts, vc_error *error)
{
    vc_fact_block *block;
    vc_status status = start_reading(facts, error);
    if (status != VC_OK) return status;
    facts->line = vc_csv_line(facts->file.csv);
    while (status == VC_OK && (block = vc_fact_reader_next(facts->reader)) != NULL) {
        status = take_block(facts, block, error);
        vc_fact_reader_done(facts->reader);
    }
    if (status == VC_OK) status = put_window(facts, error);
    return status == VC_OK ? vc_load_check_rejects(facts->loader, error) : status;
}

void vc_facts_release_rows(vc_fact_load *facts)
{
    vc_segments_free(facts->segments);
    vc_fact_reader_free(facts->reader);
    vc_csv_close(facts->fork);
    vc_window_free(facts->window);
    vc_cluster_release(&facts->order.cluster);
    vc_buffer_release(&facts->buffer);
}
