/* Lines of NDJSON as rows of the reader of CSV: one object to a line, whose fields are columns.
 *
 * A value is taken as its text: a number as it is written, a string without its escapes, true and
 * false as these words; null and what is not there are null, and so is a text that the file says
 * means null. An array or object within is refused, and so is a field that is no column: a name
 * with a typing error would otherwise be a column of nulls.
 *
 * A line end never stands within an object here, so lines are found without looking at quotes.
 */
#include "cube/csv_parts.h"

#include "base/nearest.h"
#include "dimensions/order.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_NAME_BYTES = 100 };

typedef struct line_scan {
    vc_csv *csv;
    const vc_csv_row *row;
    const char *data; /* the line, [size] */
    size_t at, size;
    size_t unescaped_bytes; /* used of csv->unescaped by texts of this line */
    vc_error *error;
} line_scan;

/* ---- records ---- */

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

void vc_ndjson_split(const char *data, size_t size, bool is_last, size_t ncolumns,
                     vc_csv_record *record)
{
    const char *line_end = memchr(data, '\n', size);
    *record = (vc_csv_record){.outcome = VC_CSV_INCOMPLETE};
    if (line_end == NULL && !is_last) return;
    size_t text_bytes = line_end != NULL ? (size_t)(line_end - data) : size, at = 0;
    record->outcome = VC_CSV_WHOLE;
    record->bytes = text_bytes + (line_end != NULL);
    record->nlines = 1;
    record->nfields = ncolumns;
    while (at < text_bytes && is_space(data[at]))
        at++;
    record->text_bytes = at == text_bytes ? 0 : text_bytes; /* of space only: an empty line */
    if (record->text_bytes > 0 && data[text_bytes - 1] == '\r') record->text_bytes--;
}

/* ---- columns ---- */

/* Room for one more. */
static bool reserve_column(vc_csv *csv)
{
    if (csv->ncolumns < csv->columns_capacity) return true;
    size_t capacity = csv->columns_capacity == 0 ? 16 : 2 * csv->columns_capacity;
    vc_str *names = VC_ARENA_NEW(&csv->arena, vc_str, capacity);
    if (names == NULL) return false;
    if (csv->ncolumns > 0) memcpy(names, csv->names, csv->ncolumns * sizeof *names);
    csv->names = names;
    csv->columns_capacity = capacity;
    return true;
}

vc_status vc_ndjson_add_column(vc_csv *csv, vc_str name, size_t *column_out, vc_error *error)
{
    bool is_new;
    if (csv->ncolumns == VC_CSV_COLUMNS_MAX)
        return vc_fail(error, VC_BAD_INPUT, "csv_header", "more than %d columns are needed",
                       VC_CSV_COLUMNS_MAX);
    if (!reserve_column(csv)) return vc_no_memory(error);
    uint32_t number = vc_strmap_put(&csv->own_columns, name, &is_new);
    if (number == VC_STRMAP_NONE) return vc_no_memory(error);
    if (is_new) {
        csv->names[csv->ncolumns] = vc_arena_str(&csv->arena, name);
        if (csv->names[csv->ncolumns].data == NULL) return vc_no_memory(error);
        csv->ncolumns++;
    }
    *column_out = number;
    return VC_OK;
}

vc_status vc_ndjson_start_rows(vc_csv *csv, vc_error *error)
{
    csv->extents = VC_ARENA_NEW(&csv->arena, vc_csv_field, csv->ncolumns + 1);
    csv->fields = VC_ARENA_NEW(&csv->arena, vc_str, csv->ncolumns + 1);
    csv->is_seen = VC_ARENA_NEW(&csv->arena, bool, csv->ncolumns + 1);
    csv->next_of = VC_ARENA_NEW(&csv->arena, uint32_t, csv->ncolumns + 1);
    if (csv->extents == NULL || csv->fields == NULL || csv->is_seen == NULL || csv->next_of == NULL)
        return vc_no_memory(error);
    csv->nprepared = csv->ncolumns;
    return VC_OK;
}

/* Fields mostly come in the order of the line before. before: the column of the last field plus 1,
 * 0 for the first. */
static uint32_t find_column(vc_csv *csv, uint32_t before, vc_str name)
{
    uint32_t guess = csv->next_of[before];
    if (guess < csv->ncolumns && vc_str_equal(csv->names[guess], name)) return guess;
    uint32_t column = vc_strmap_find(csv->columns, name);
    if (column != VC_STRMAP_NONE) csv->next_of[before] = column;
    return column;
}

/* ---- errors ---- */

__attribute__((format(printf, 4, 5))) static vc_status fail_at(const line_scan *scan, size_t at,
                                                               const char *code, const char *format,
                                                               ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    vc_fail(scan->error, VC_BAD_INPUT, code, "%s", message);
    vc_csv_error_at_byte(scan->csv, scan->row, at, scan->error);
    return VC_BAD_INPUT;
}

static vc_status fail_found(const line_scan *scan, const char *expected)
{
    char text[8];
    if (scan->at >= scan->size)
        return fail_at(scan, scan->size, "ndjson", "the line ends here, expected %s", expected);
    return fail_at(scan, scan->at, "ndjson", "found %s, expected %s",
                   vc_csv_byte_name(scan->data[scan->at], text), expected);
}

/* "/a~1b": the value's JSON pointer. */
static void put_pointer(vc_str name, char text[2 * SHOWN_NAME_BYTES + 2])
{
    name = vc_text_shorten(name, SHOWN_NAME_BYTES);
    char *to = text;
    *to++ = '/';
    for (size_t i = 0; i < name.size; i++) {
        bool is_special = name.data[i] == '~' || name.data[i] == '/';
        if (is_special) *to++ = '~';
        *to++ = is_special ? (name.data[i] == '~' ? '0' : '1') : name.data[i];
    }
    *to = '\0';
}

static vc_status fail_nested(const line_scan *scan, vc_str name)
{
    char pointer[2 * SHOWN_NAME_BYTES + 2];
    put_pointer(name, pointer);
    return fail_at(scan, scan->at, "ndjson_nested",
                   "found %s at %s, expected a text, a number, true, false or null: a row is flat",
                   scan->data[scan->at] == '{' ? "an object" : "an array", pointer);
}

static vc_status fail_unknown(const line_scan *scan, size_t at, vc_str name)
{
    const vc_csv *csv = scan->csv;
    vc_nearest nearest;
    vc_str shown = vc_text_shorten(name, SHOWN_NAME_BYTES);
    fail_at(scan, at, "unknown_field",
            "the cube reads no column '%.*s'; fields that are not read must be named in the "
            "\"columns\" of \"data\"",
            VC_FMT(shown));
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < csv->ncolumns; i++)
        vc_nearest_offer(&nearest, csv->names[i]);
    vc_nearest_report(&nearest, scan->error);
    return VC_BAD_INPUT;
}

/* ---- values ---- */

static void skip_space(line_scan *scan)
{
    while (scan->at < scan->size && is_space(scan->data[scan->at]))
        scan->at++;
}

static bool is_next(const line_scan *scan, char byte)
{
    return scan->at < scan->size && scan->data[scan->at] == byte;
}

/* Four hexadecimal digits at `at`; -1: they are none. */
static int32_t read_hex(const line_scan *scan, size_t at)
{
    int32_t value = 0;
    if (scan->size - at < 4) return -1;
    for (size_t i = 0; i < 4; i++) {
        char byte = scan->data[at + i];
        int digit = byte >= '0' && byte <= '9'   ? byte - '0'
                    : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                    : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                                 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

static char *put_utf8(char *to, uint32_t character)
{
    if (character < 0x80) {
        *to++ = (char)character;
    } else if (character < 0x800) {
        *to++ = (char)(0xC0 | character >> 6);
        *to++ = (char)(0x80 | (character & 0x3F));
    } else if (character < 0x10000) {
        *to++ = (char)(0xE0 | character >> 12);
        *to++ = (char)(0x80 | (character >> 6 & 0x3F));
        *to++ = (char)(0x80 | (character & 0x3F));
    } else {
        *to++ = (char)(0xF0 | character >> 18);
        *to++ = (char)(0x80 | (character >> 12 & 0x3F));
        *to++ = (char)(0x80 | (character >> 6 & 0x3F));
        *to++ = (char)(0x80 | (character & 0x3F));
    }
    return to;
}

/* The character of "\uXXXX", or of two of them; *at is behind the "u", and then behind it all. */
static vc_status read_character(const line_scan *scan, size_t *at, uint32_t *character_out)
{
    int32_t first = read_hex(scan, *at), second = -1;
    if (first < 0)
        return fail_at(scan, *at, "ndjson", "expected four hexadecimal digits behind \\u");
    size_t next = *at + 4;
    bool is_high = first >= 0xD800 && first < 0xDC00, is_low = first >= 0xDC00 && first < 0xE000;
    if (is_high && scan->size - next >= 6 && scan->data[next] == '\\' &&
        scan->data[next + 1] == 'u')
        second = read_hex(scan, next + 2);
    if (is_low || (is_high && (second < 0xDC00 || second >= 0xE000)))
        return fail_at(scan, *at - 2, "ndjson", "half a surrogate pair, which is no character");
    if (first == 0) return fail_at(scan, *at - 2, "csv_nul", "a NUL (\\u0000), expected text");
    *character_out =
        is_high ? 0x10000 + (((uint32_t)first - 0xD800) << 10) + ((uint32_t)second - 0xDC00)
                : (uint32_t)first;
    *at = is_high ? next + 6 : next;
    return VC_OK;
}

/* The text of the string whose inside is [first, end), with its escapes taken away. */
static vc_status unescape(line_scan *scan, size_t first, size_t end, vc_str *text_out)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    vc_csv *csv = scan->csv;
    if (!vc_csv_reserve_unescaped(csv, scan->size)) return vc_no_memory(scan->error);
    char *start = csv->unescaped + scan->unescaped_bytes, *to = start;
    for (size_t at = first; at < end;) {
        if (scan->data[at] != '\\') {
            *to++ = scan->data[at++];
            continue;
        }
        char letter = scan->data[at + 1]; /* a string does not end in a backslash */
        const char *known = letter != '\0' ? strchr(letters, letter) : NULL;
        if (known != NULL) {
            *to++ = bytes[known - letters];
            at += 2;
            continue;
        }
        uint32_t character = 0;
        if (letter != 'u') return fail_at(scan, at, "ndjson", "an unknown escape in a string");
        at += 2;
        vc_status status = read_character(scan, &at, &character);
        if (status != VC_OK) return status;
        to = put_utf8(to, character);
    }
    scan->unescaped_bytes += (size_t)(to - start);
    *text_out = (vc_str){start, (size_t)(to - start)};
    return VC_OK;
}

/* At its opening quote; goes behind the closing one. */
static vc_status read_string(line_scan *scan, vc_str *text_out)
{
    size_t first = ++scan->at;
    bool has_escapes = false;
    for (; scan->at < scan->size; scan->at++) {
        unsigned char byte = (unsigned char)scan->data[scan->at];
        if (byte == '"') break;
        if (byte < 0x20)
            return fail_at(scan, scan->at, "ndjson", "a control character in a string");
        if (byte != '\\') continue;
        has_escapes = true;
        if (++scan->at == scan->size) break;
    }
    if (scan->at >= scan->size)
        return fail_at(scan, first - 1, "ndjson",
                       "a string begins here and does not end in its line");
    size_t end = scan->at++;
    if (has_escapes) return unescape(scan, first, end, text_out);
    *text_out = (vc_str){scan->data + first, end - first};
    return VC_OK;
}

static size_t pass_digits(line_scan *scan)
{
    size_t first = scan->at;
    while (scan->at < scan->size && scan->data[scan->at] >= '0' && scan->data[scan->at] <= '9')
        scan->at++;
    return scan->at - first;
}

/* Its text stays as it is written: what it means is for the column to say. */
static vc_status read_number(line_scan *scan, vc_str *text_out)
{
    size_t first = scan->at;
    scan->at += is_next(scan, '-');
    bool is_zero = is_next(scan, '0');
    size_t ndigits = pass_digits(scan);
    if (ndigits == 0) return fail_found(scan, "a digit");
    if (is_zero && ndigits > 1)
        return fail_at(scan, first, "ndjson", "a number begins with 0; keys like 007 are texts");
    if (is_next(scan, '.')) {
        scan->at++;
        if (pass_digits(scan) == 0) return fail_found(scan, "a digit");
    }
    if (is_next(scan, 'e') || is_next(scan, 'E')) {
        scan->at++;
        scan->at += is_next(scan, '-') || is_next(scan, '+');
        if (pass_digits(scan) == 0) return fail_found(scan, "a digit");
    }
    *text_out = (vc_str){scan->data + first, scan->at - first};
    return VC_OK;
}

/* *text_out is absent for null. name: of the field, for messages */
static vc_status read_value(line_scan *scan, vc_str name, vc_str *text_out)
{
    const vc_str words[] = {VC_STR("true"), VC_STR("false"), VC_STR("null")};
    char byte = scan->at < scan->size ? scan->data[scan->at] : '\0';
    if (byte == '"') return read_string(scan, text_out);
    if (byte == '-' || (byte >= '0' && byte <= '9')) return read_number(scan, text_out);
    if (byte == '{' || byte == '[') return fail_nested(scan, name);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        vc_str rest = {scan->data + scan->at, scan->size - scan->at};
        if (!vc_str_starts_with(rest, words[i])) continue;
        *text_out = i < 2 ? (vc_str){rest.data, words[i].size} : (vc_str){0};
        scan->at += words[i].size;
        return VC_OK;
    }
    return fail_found(scan, "a value");
}

/* ---- the object ---- */

/* One field, with what stands before it passed. *before: see find_column. */
static vc_status read_field(line_scan *scan, uint32_t *before)
{
    vc_csv *csv = scan->csv;
    vc_str name, text = {0};
    size_t name_at = scan->at;
    if (!is_next(scan, '"')) return fail_found(scan, "'\"' and the name of a column");
    vc_status status = read_string(scan, &name);
    if (status != VC_OK) return status;
    skip_space(scan);
    if (!is_next(scan, ':')) return fail_found(scan, "':'");
    scan->at++;
    skip_space(scan);
    size_t first = scan->at;
    status = read_value(scan, name, &text);
    if (status != VC_OK) return status;
    uint32_t column = find_column(csv, *before, name);
    if (column == VC_STRMAP_NONE) return fail_unknown(scan, name_at, name);
    if (csv->is_seen[column])
        return fail_at(scan, name_at, "ndjson", "the field '%.*s' stands twice in the object",
                       VC_FMT(csv->names[column]));
    if (text.size > csv->options.field_bytes_max)
        return fail_at(scan, first, "csv_field_too_long",
                       "the text has %zu bytes, at most %zu are allowed", text.size,
                       csv->options.field_bytes_max);
    csv->is_seen[column] = true;
    csv->fields[column] = text.data != NULL && vc_csv_is_null(csv, text) ? (vc_str){0} : text;
    csv->extents[column] = (vc_csv_field){.first = (uint32_t)first, .end = (uint32_t)scan->at};
    *before = column + 1;
    return VC_OK;
}

static vc_status read_object(line_scan *scan)
{
    uint32_t before = 0;
    skip_space(scan);
    if (!is_next(scan, '{')) return fail_found(scan, "'{': each line is an object");
    scan->at++;
    skip_space(scan);
    bool is_empty = is_next(scan, '}');
    while (!is_empty) {
        vc_status status = read_field(scan, &before);
        if (status != VC_OK) return status;
        skip_space(scan);
        if (is_next(scan, '}')) break;
        if (!is_next(scan, ',')) return fail_found(scan, "',' or '}'");
        scan->at++;
        skip_space(scan);
    }
    scan->at++;
    skip_space(scan);
    return scan->at == scan->size ? VC_OK : fail_found(scan, "the end of the line");
}

vc_status vc_ndjson_read_row(vc_csv *csv, vc_csv_row *row, vc_error *error)
{
    vc_error unwanted;
    line_scan scan = {.csv = csv,
                      .row = row,
                      .data = row->record.data,
                      .size = row->record.size,
                      .error = error != NULL ? error : &unwanted};
    memset(csv->fields, 0, csv->ncolumns * sizeof *csv->fields);
    memset(csv->extents, 0, csv->ncolumns * sizeof *csv->extents);
    memset(csv->is_seen, 0, csv->ncolumns * sizeof *csv->is_seen);
    vc_status status = read_object(&scan);
    if (status != VC_OK) return status;
    row->nfields = csv->ncolumns;
    row->fields = csv->fields;
    row->extents = csv->extents;
    return VC_OK;
}
