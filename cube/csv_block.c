/* Blocks of whole records, and the forks that read them. */
#include "cube/csv_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* How many of the first `size` pending bytes are whole records. Where no quote is, every line end
 * ends one; from the line of a quote on, records are split to see where they end. */
static size_t find_cut(const vc_csv *csv, size_t size)
{
    const char *data = csv->buffer + csv->first;
    bool is_end = csv->input_at_end && size == csv->end - csv->first;
    size_t at = 0;
    if (csv->options.is_ndjson) {
        const char *line_end = is_end ? NULL : memrchr(data, '\n', size);
        return is_end ? size : line_end != NULL ? (size_t)(line_end - data) + 1 : 0;
    }
    while (at < size) {
        const char *quote = memchr(data + at, csv->syntax.quote, size - at);
        size_t plain = quote == NULL ? size - at : (size_t)(quote - data) - at;
        const char *line_end = memrchr(data + at, '\n', plain);
        if (line_end != NULL) at = (size_t)(line_end - data) + 1;
        if (quote == NULL) return is_end ? size : at;
        size_t left = size - at;
        vc_csv_record record;
        vc_csv_split(&csv->syntax, data + at, left < csv->window ? left : csv->window,
                     is_end && left < csv->window, 0, NULL, &record);
        if (record.outcome == VC_CSV_INCOMPLETE) break;
        at += record.bytes;
    }
    return at;
}

/* The pending bytes are the window of a record that does not end in it: a block of its own. Where
 * the next record begins is decided as for a reader of rows. */
static size_t pass_endless(vc_csv *csv)
{
    vc_csv_record record;
    vc_csv_row row = {.record = {csv->buffer + csv->first, csv->window}};
    vc_csv_split_record(csv, row.record.data, csv->window, false, 0, NULL, &record);
    (void)vc_csv_reject_endless(csv, &record, &row, NULL);
    return record.bytes;
}

/* Give the buffer to the block, and go on with what comes behind it in the block's old one. */
static vc_status hand_over(vc_csv *csv, size_t next, vc_csv_block *block, vc_error *error)
{
    size_t left = csv->end - next;
    size_t room = left < csv->options.buffer_bytes ? csv->options.buffer_bytes : left;
    if (block->capacity < room) {
        free(block->data);
        block->capacity = room;
        block->data = malloc(room);
        if (block->data == NULL) {
            block->capacity = 0;
            return vc_no_memory(error);
        }
    }
    memcpy(block->data, csv->buffer + next, left);
    char *data = block->data;
    size_t capacity = block->capacity;
    block->data = csv->buffer;
    block->capacity = csv->capacity;
    csv->buffer = data;
    csv->capacity = capacity;
    csv->first = 0;
    csv->end = left;
    return VC_OK;
}

/* Have some whole records, or a window full of one, or nothing at the end. */
static vc_status gather_block(vc_csv *csv, size_t want, size_t *cut_out, vc_error *error)
{
    for (;;) {
        size_t size = csv->end - csv->first;
        vc_status status = VC_OK;
        if (size < want && !csv->input_at_end) status = vc_csv_fill_to(csv, want, error);
        size = csv->end - csv->first;
        if (size > want) size = want;
        *cut_out = size > 0 ? find_cut(csv, size) : 0;
        if (*cut_out > 0) return VC_OK; /* a failure of the input is met again behind them */
        if (status != VC_OK || size >= csv->window || size == 0) return status;
        want = size > csv->window / 2 ? csv->window : 2 * size;
    }
}

vc_status vc_csv_next_block(vc_csv *csv, size_t block_bytes, vc_csv_block *block, vc_error *error)
{
    vc_status status = csv->failure.status;
    uint64_t line = csv->line;
    size_t cut = 0, size;
    if (status == VC_OK && csv->is_in_long_row) status = vc_csv_pass_long_row(csv, &csv->failure);
    if (status == VC_OK) status = gather_block(csv, block_bytes, &cut, &csv->failure);
    block->nlines_before = csv->line - line;
    if (status == VC_OK) {
        block->first = csv->first;
        block->is_single = cut == 0 && csv->end > csv->first;
        size = block->is_single ? csv->window : cut;
        block->end = csv->first + size;
        line = csv->line;
        if (block->is_single) cut = pass_endless(csv);
        csv->line = line; /* the lines of a block are counted by its reader */
        if (block->end > block->first)
            status = hand_over(csv, block->first + cut, block, &csv->failure);
    }
    block->is_last = csv->input_at_end && csv->first == csv->end;
    block->bytes_done = vc_input_get_progress(csv->input).bytes_done;
    if (status != VC_OK) (void)vc_csv_fail_for_good(csv, status, error);
    return status;
}

void vc_csv_block_release(vc_csv_block *block)
{
    free(block->data);
    *block = (vc_csv_block){0};
}

vc_status vc_csv_fork(const vc_csv *csv, vc_csv **fork_out, vc_error *error)
{
    vc_csv *fork = calloc(1, sizeof *fork);
    if (fork == NULL) return vc_no_memory(error);
    fork->input = csv->input; /* for its name only */
    fork->options = csv->options;
    fork->syntax = csv->syntax;
    fork->window = csv->window;
    fork->null_sizes = csv->null_sizes;
    fork->ncolumns = csv->ncolumns;
    fork->is_fork = true;
    fork->input_at_end = true; /* every record of a block is whole */
    fork->extents = VC_ARENA_NEW(&fork->arena, vc_csv_field, csv->ncolumns + 1);
    fork->fields = VC_ARENA_NEW(&fork->arena, vc_str, csv->ncolumns);
    fork->names = csv->names;
    fork->columns = csv->columns;
    vc_status status = VC_OK;
    if (fork->extents == NULL || fork->fields == NULL || !vc_csv_want_all(fork))
        status = vc_no_memory(error);
    if (status == VC_OK && csv->options.is_ndjson) status = vc_ndjson_start_rows(fork, error);
    if (status != VC_OK) {
        vc_csv_close(fork);
        return status;
    }
    *fork_out = fork;
    return VC_OK;
}

void vc_csv_want(vc_csv *fork, const bool *is_wanted)
{
    fork->nwanted = 0;
    for (uint32_t i = 0; i < fork->ncolumns; i++) {
        fork->wanted[fork->nwanted] = i;
        fork->nwanted += is_wanted[i];
    }
}

static void go_to(vc_csv *fork, const vc_csv_block *block, size_t offset, uint64_t line)
{
    assert(fork->is_fork && block->first + offset <= block->end);
    fork->buffer = block->data;
    fork->block_first = block->first;
    fork->first = block->first + offset;
    fork->end = block->end;
    fork->line = line;
    fork->has_one_record = block->is_single;
    fork->is_in_long_row = false;
}

void vc_csv_read_block(vc_csv *fork, const vc_csv_block *block, uint64_t line)
{
    go_to(fork, block, 0, line);
    vc_csv_note_bytes(fork);
}

void vc_csv_read_at(vc_csv *fork, const vc_csv_block *block, size_t offset, uint64_t line)
{
    go_to(fork, block, offset, line);
    fork->has_nul = fork->has_non_ascii = true; /* maybe: one row is checked sooner than all */
}

size_t vc_csv_row_offset(const vc_csv *fork)
{
    return fork->row_first - fork->block_first;
}

uint64_t vc_csv_line(const vc_csv *csv)
{
    return csv->line;
}
