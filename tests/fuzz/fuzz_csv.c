/* Fuzz the CSV reader: bytes of a stranger come in, rows and rejects come out.
 *
 * The first four bytes choose the options, the rest is the file (which may be packed). Checked, on
 * top of what the sanitizers see: every field lies in its record, every text is valid UTF-8 without
 * NUL, no null text gets through, line numbers ascend, and reading the same bytes through small
 * buffers in small pieces, or cut into small blocks, gives the same.
 */
#include "cube/csv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { OPTION_BYTES = 4, ROWS_MAX = 1 << 16, BAD_ARCHIVE = 1 };

struct feed {
    vc_str bytes;
    size_t used;
    size_t piece;
};

static vc_status read_feed(void *context, char *data, size_t capacity, size_t *size_out,
                           vc_error *error)
{
    (void)error;
    struct feed *feed = context;
    size_t size = feed->bytes.size - feed->used;
    if (size > feed->piece) size = feed->piece;
    if (size > capacity) size = capacity;
    if (size > 0) memcpy(data, feed->bytes.data + feed->used, size);
    feed->used += size;
    *size_out = size;
    return VC_OK;
}

static void check(bool holds)
{
    if (!holds) abort();
}

static void hash(uint64_t *state, const void *data, size_t size)
{
    *state = XXH3_64bits_withSeed(data, size, *state + size);
}

static void hash_number(uint64_t *state, uint64_t number)
{
    hash(state, &number, sizeof number);
}

static void hash_error(uint64_t *state, const vc_error *error)
{
    hash(state, error->code, strlen(error->code));
    hash(state, error->message, strlen(error->message));
    hash_number(state, error->line);
    hash_number(state, error->column);
}

static void check_row(const vc_csv *csv, const vc_csv_options *options, const vc_csv_row *row,
                      uint64_t *state)
{
    check(row->nfields == vc_csv_ncolumns(csv));
    for (size_t i = 0; i < row->nfields; i++) {
        vc_error error = {0};
        vc_str field = row->fields[i];
        const vc_csv_field *extent = &row->extents[i];
        check(extent->first <= extent->end && extent->end <= row->record.size);
        check(extent->end - extent->first <= options->field_bytes_max);
        vc_csv_error_at(csv, row, i, &error);
        check(error.line >= row->line && error.column >= 1);
        hash_number(state, vc_str_is_null(field));
        if (vc_str_is_null(field)) continue;
        check(field.size <= extent->end - extent->first);
        check(vc_utf8_check(field, NULL));
        check(memchr(field.data, '\0', field.size) == NULL);
        for (size_t null = 0; null < options->nnulls; null++)
            check(!vc_str_equal(field, options->nulls[null]));
        hash(state, field.data, field.size);
    }
}

/* Rows and rejects up to the end. Returns what came last. */
static vc_csv_event read_rows(vc_csv *csv, const vc_csv_options *options, uint64_t *line,
                              uint64_t *nrows, uint64_t *state)
{
    vc_error error = {0};
    /* A tiny archive may unpack to very much: look only at its beginning. */
    for (; *nrows < ROWS_MAX; ++*nrows) {
        vc_csv_row row;
        vc_csv_event event = vc_csv_next(csv, &row, &error);
        if (event > VC_CSV_REJECT) return event;
        hash_number(state, event);
        check(row.line > *line && row.record.size <= options->row_bytes_max + 3);
        *line = row.line;
        hash_number(state, *line);
        hash(state, row.record.data, row.record.size);
        if (event == VC_CSV_REJECT)
            hash_error(state, &error);
        else
            check_row(csv, options, &row, state);
    }
    return VC_CSV_END;
}

static vc_csv_event read_blocks(vc_csv *csv, size_t block_bytes, const vc_csv_options *options,
                                uint64_t *state)
{
    vc_csv *fork;
    vc_csv_block block = {0};
    vc_error error = {0};
    vc_csv_event event = VC_CSV_END;
    uint64_t first_line = vc_csv_line(csv), line = 0, nrows = 0;
    check(vc_csv_fork(csv, &fork, &error) == VC_OK);
    while (!block.is_last && event == VC_CSV_END && nrows < ROWS_MAX) {
        if (vc_csv_next_block(csv, block_bytes, &block, &error) != VC_OK) event = VC_CSV_FAILED;
        if (event == VC_CSV_FAILED || block.first == block.end) break;
        first_line += block.nlines_before;
        vc_csv_read_block(fork, &block, first_line);
        event = read_rows(fork, options, &line, &nrows, state);
        first_line = vc_csv_line(fork);
    }
    vc_csv_block_release(&block);
    vc_csv_close(fork);
    return event;
}

/* A hash of all that came out; BAD_ARCHIVE when the archive was at fault, for how much of one can
 * be read before its fault shows does depend on the pieces. */
static uint64_t read_all(vc_str bytes, size_t piece, size_t block_bytes,
                         const vc_csv_options *options)
{
    uint64_t state = 0, line = 0, nrows = 0;
    struct feed feed = {bytes, 0, piece};
    vc_error error = {0};
    vc_input *input;
    vc_csv *csv;
    if (vc_input_open_source(read_feed, &feed, 0, "fuzz", &input, &error) != VC_OK) return 0;
    if (vc_csv_open(input, options, &csv, &error) != VC_OK) {
        hash_error(&state, &error);
        vc_input_close(input);
        return strncmp(error.code, "archive", 7) == 0 ? BAD_ARCHIVE : state;
    }
    vc_csv_event event = block_bytes == 0 ? read_rows(csv, options, &line, &nrows, &state)
                                          : read_blocks(csv, block_bytes, options, &state);
    if (event == VC_CSV_FAILED) state = BAD_ARCHIVE;
    vc_csv_close(csv);
    vc_input_close(input);
    return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const vc_str nulls[] = {{"", 0}, {"NA", 2}};
    static const char delimiters[] = {',', ';', '\t', '|'};
    if (size < OPTION_BYTES) return 0;
    vc_csv_options options;
    vc_csv_options_init(&options);
    options.delimiter = delimiters[data[0] & 3];
    options.quote = data[0] & 4 ? '\'' : '"';
    options.has_header = (data[0] & 8) == 0;
    options.nulls = nulls;
    options.nnulls = (data[0] >> 4) % 3;
    options.encoding = (vc_charset)(data[1] % (VC_ENCODING_UTF16BE + 1));
    options.row_bytes_max = data[2] < 64 ? 16 + data[2] : VC_CSV_ROW_BYTES_MAX;
    options.field_bytes_max = data[2] & 1 ? 8 : VC_CSV_FIELD_BYTES_MAX;
    vc_str bytes = {(const char *)data + OPTION_BYTES, size - OPTION_BYTES};
    uint64_t whole = read_all(bytes, SIZE_MAX, 0, &options);
    options.buffer_bytes = 1 + data[3] % 67;
    uint64_t pieces = read_all(bytes, 1 + data[3] % 17, 0, &options);
    check(whole == pieces || whole == BAD_ARCHIVE || pieces == BAD_ARCHIVE);
    uint64_t blocks = read_all(bytes, 1 + data[3] % 17, 1 + data[3] % 101, &options);
    check(whole == blocks || whole == BAD_ARCHIVE || blocks == BAD_ARCHIVE);
    return 0;
}
