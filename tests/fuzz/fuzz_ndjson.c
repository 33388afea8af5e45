/* Fuzz the NDJSON reader: bytes of a stranger come in, rows and rejects come out.
 *
 * The first byte chooses the options, the rest is the file. Checked, on top of what the sanitizers
 * see: a line is a row exactly when jansson reads it as a flat object of known fields, each text is
 * what jansson reads, lines ascend, and small buffers, small pieces and small blocks give the same.
 */
#include "cube/csv.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static const vc_str columns[] = {{"a", 1}, {"b", 1}, {"c d", 3}, {"\xc3\xa9", 2}};
static const vc_str nulls[] = {{"", 0}, {"NA", 2}, {"0", 1}};

enum { NCOLUMNS = sizeof columns / sizeof columns[0] };

struct feed {
    vc_str bytes;
    size_t used, piece;
};

static void check(bool holds)
{
    if (!holds) abort();
}

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

static bool is_null_text(const vc_csv_options *options, vc_str text)
{
    for (size_t i = 0; i < options->nnulls; i++)
        if (vc_str_equal(text, options->nulls[i])) return true;
    return false;
}

/* Is the text of a row what jansson has read? A number keeps its digits. */
static void check_value(const vc_csv_options *options, vc_str text, const json_t *value)
{
    char copy[64];
    if (vc_str_is_null(text)) {
        if (json_is_string(value))
            check(is_null_text(options,
                               (vc_str){json_string_value(value), json_string_length(value)}));
        else /* "0" may mean null */
            check(value == NULL || json_is_null(value) || json_number_value(value) == 0);
        return;
    }
    check(!is_null_text(options, text));
    if (json_is_string(value)) {
        check(text.size == json_string_length(value) &&
              memcmp(text.data, json_string_value(value), text.size) == 0);
    } else if (json_is_boolean(value)) {
        check(vc_str_is(text, json_is_true(value) ? "true" : "false"));
    } else {
        check(json_is_number(value));
        if (text.size >= sizeof copy) return;
        memcpy(copy, text.data, text.size);
        copy[text.size] = '\0';
        check(json_is_integer(value) ? strtoll(copy, NULL, 10) == json_integer_value(value)
                                     : strtod(copy, NULL) == json_real_value(value));
    }
}

static bool is_flat(const json_t *object)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object)) return false;
    json_object_foreach((json_t *)object, key, value)
    {
        bool is_column = false;
        for (size_t i = 0; i < NCOLUMNS; i++)
            is_column = is_column || vc_str_is(columns[i], key);
        if (!is_column || json_is_object(value) || json_is_array(value)) return false;
    }
    return true;
}

static void check_line(const vc_csv_options *options, vc_csv_event event, const vc_csv_row *row,
                       const vc_error *reject)
{
    json_error_t problem;
    json_t *object =
        json_loadb(row->record.data, row->record.size, JSON_REJECT_DUPLICATES, &problem);
    if (event == VC_CSV_REJECT) {
        check(reject->status == VC_BAD_INPUT && reject->line == row->line);
        if (strncmp(reject->code, "csv_", 4) != 0) check(!is_flat(object));
    } else if (object == NULL) {
        check(json_error_code(&problem) == json_error_numeric_overflow);
    } else {
        check(is_flat(object) && row->nfields == NCOLUMNS);
        for (size_t i = 0; i < NCOLUMNS; i++)
            check_value(options, row->fields[i], json_object_get(object, columns[i].data));
    }
    json_decref(object);
}

static void hash(uint64_t *state, const void *data, size_t size)
{
    *state = XXH3_64bits_withSeed(data, size, *state + size + 1);
}

static void read_rows(vc_csv *csv, const vc_csv_options *options, bool checks, uint64_t *line,
                      uint64_t *state)
{
    for (;;) {
        vc_csv_row row;
        vc_error error = {0};
        vc_csv_event event = vc_csv_next(csv, &row, &error);
        if (event > VC_CSV_REJECT) return;
        check(row.line > *line);
        *line = row.line;
        hash(state, line, sizeof *line);
        hash(state, row.record.data, row.record.size);
        if (event == VC_CSV_REJECT) hash(state, error.message, strlen(error.message));
        if (event == VC_CSV_REJECT) hash(state, &error.column, sizeof error.column);
        for (size_t i = 0; i < row.nfields; i++) {
            vc_error place = {0};
            check(row.extents[i].first <= row.extents[i].end &&
                  row.extents[i].end <= row.record.size);
            vc_csv_error_at(csv, &row, i, &place);
            hash(state, row.fields[i].data, row.fields[i].size);
        }
        if (checks) check_line(options, event, &row, &error);
    }
}

static uint64_t read_all(vc_str bytes, size_t piece, size_t block_bytes,
                         const vc_csv_options *options, bool checks)
{
    uint64_t state = 0, line = 0, first_line;
    struct feed feed = {bytes, 0, piece};
    vc_error error = {0};
    vc_input *input;
    vc_csv *csv, *fork;
    vc_csv_block block = {0};
    if (vc_input_open_source(read_feed, &feed, 0, "fuzz", &input, &error) != VC_OK) return 0;
    if (vc_csv_open(input, options, &csv, &error) != VC_OK) {
        vc_input_close(input);
        return 1;
    }
    for (size_t i = 0; i < NCOLUMNS; i++) {
        size_t column;
        check(vc_csv_need_column(csv, columns[i], &column, &error) == VC_OK && column == i);
    }
    if (block_bytes == 0) {
        read_rows(csv, options, checks, &line, &state);
    } else {
        first_line = vc_csv_line(csv);
        check(vc_csv_fork(csv, &fork, &error) == VC_OK);
        while (!block.is_last) {
            if (vc_csv_next_block(csv, block_bytes, &block, &error) != VC_OK) break;
            if (block.first == block.end) break;
            first_line += block.nlines_before;
            vc_csv_read_block(fork, &block, first_line);
            read_rows(fork, options, false, &line, &state);
            first_line = vc_csv_line(fork);
        }
        vc_csv_close(fork);
    }
    vc_csv_block_release(&block);
    vc_csv_close(csv);
    vc_input_close(input);
    return state;
}

/* A packed file may be read to another point before its fault shows, depending on the pieces. */
static bool is_packed(vc_str bytes)
{
    static const char *const marks[] = {"\x1f\x8b", "\x28\xb5", "PK", "BZ", "\xfd", "\xfe", "\xff"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (vc_str_starts_with(bytes, vc_str_of(marks[i]))) return true;
    return (bytes.size >= 4 && ((unsigned char)bytes.data[0] & 0xF0) == 0x50) ||
           vc_str_starts_with(bytes, vc_str_of("\xef\xbb\xbf"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    vc_csv_options options;
    if (size < 1) return 0;
    vc_str bytes = {(const char *)data + 1, size - 1};
    if (is_packed(bytes)) return 0;
    vc_csv_options_init(&options);
    options.is_ndjson = true;
    options.has_header = false;
    options.nulls = nulls;
    options.nnulls = data[0] & 3;
    options.row_bytes_max = data[0] & 4 ? 64 : VC_CSV_ROW_BYTES_MAX;
    options.field_bytes_max = data[0] & 8 ? 8 : VC_CSV_FIELD_BYTES_MAX;
    uint64_t whole = read_all(bytes, SIZE_MAX, 0, &options, true);
    options.buffer_bytes = 1 + (data[0] >> 4) * 5;
    check(whole == read_all(bytes, 1 + (data[0] >> 4), 0, &options, true));
    check(whole == read_all(bytes, 1 + (data[0] >> 5), 1 + data[0] % 29, &options, false));
    return 0;
}
