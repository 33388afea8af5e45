/* What the files of the reader share. Private to cube/csv*.c.
 *
 *     csv.c         options, header, columns, rows
 *     csv_buffer.c  having whole records in the buffer
 *     csv_reject.c  why a record is no row
 *     csv_block.c   blocks of records, which forks read
 *     ndjson.c      the same of NDJSON: columns, records, fields
 */
#ifndef CUBE_CSV_PARTS_H
#define CUBE_CSV_PARTS_H

#include "base/arena.h"
#include "base/strmap.h"
#include "cube/csv.h"

struct vc_csv {
    vc_input *input;
    vc_csv_options options;
    vc_csv_syntax syntax;
    size_t window;       /* bytes of a record after which it is too long for certain */
    uint64_t null_sizes; /* bit n: some null text has n bytes (63: or more) */

    char *buffer; /* [capacity], filled up to `end`; the next record begins at `first` */
    size_t capacity;
    size_t first;
    size_t end;
    bool input_at_end;
    bool has_nul; /* somewhere in the buffer */
    bool has_non_ascii;
    bool is_in_long_row; /* everything up to the next line end belongs to a rejected row */
    uint64_t line;       /* of buffer[first] */
    size_t row_first;    /* where the record of the last row or reject began in the buffer */
    size_t block_first;  /* of the block that a fork reads */
    bool is_fork;        /* reads blocks, which own the buffer */
    bool has_one_record; /* the block is_single */

    size_t ncolumns;
    vc_str *names;         /* [ncolumns] in the arena */
    vc_csv_field *extents; /* [ncolumns + 1] of the row; one more, to show a field too many */
    vc_str *fields;        /* [ncolumns] of the row */
    size_t nwanted;
    uint32_t *wanted; /* [nwanted] which of them are made, ascending */
    char *unescaped;  /* [unescaped_capacity] texts of fields of the row that had "" */
    size_t unescaped_capacity;

    /* of NDJSON: */
    size_t columns_capacity;  /* of names */
    size_t nprepared;         /* columns for which there are extents and fields */
    vc_strmap own_columns;    /* name to number; a fork has those of its reader */
    const vc_strmap *columns; /* either */
    bool *is_seen;            /* [ncolumns] in the line */
    uint32_t *next_of;        /* [ncolumns + 1] which column came behind it; see ndjson.c */

    vc_arena arena;
    vc_error failure; /* status VC_OK until the input or memory failed */
};

/* ---- the buffer (csv_buffer.c) ---- */

/* Look once at all bytes for what only few files have, so that rows of the others need no check. */
void vc_csv_note_bytes(vc_csv *csv);

/* Have at least `want` bytes from the next record on, or all that there are. */
vc_status vc_csv_fill_to(vc_csv *csv, size_t want, vc_error *error);

/* Split the next record, without going on behind it. At the end of the input record->bytes is 0 and
 * the outcome VC_CSV_WHOLE; the outcome is VC_CSV_INCOMPLETE when it is longer than the window. */
vc_status vc_csv_peek(vc_csv *csv, size_t capacity, vc_csv_field *fields, vc_csv_record *record,
                      vc_error *error);

/* Go on behind the record. */
static inline void vc_csv_pass(vc_csv *csv, const vc_csv_record *record)
{
    csv->first += record->bytes;
    csv->line += record->nlines;
}

/* Go on behind the next line end. */
vc_status vc_csv_pass_long_row(vc_csv *csv, vc_error *error);

/* ---- rejects (csv_reject.c) ---- */

/* Is it a row? If not, the error says why, and the row shows what may be shown. */
vc_status vc_csv_check_record(vc_csv *csv, vc_csv_record *record, vc_csv_row *row, vc_error *error);

/* A byte as a message shows it. text: room for it */
const char *vc_csv_byte_name(char byte, char text[8]);

/* A record that does not end in the window; record->bytes becomes what is passed of it. */
vc_status vc_csv_reject_endless(vc_csv *csv, vc_csv_record *record, vc_csv_row *row,
                                vc_error *error);

/* Put file, line and column of a byte of the row's record into an error. */
void vc_csv_error_at_byte(const vc_csv *csv, const vc_csv_row *row, size_t byte, vc_error *error);

/* ---- rows (csv.c) ---- */

/* Split a record, of either kind: see vc_csv_split. */
void vc_csv_split_record(const vc_csv *csv, const char *data, size_t size, bool is_last,
                         size_t capacity, vc_csv_field *fields, vc_csv_record *record);

/* Does the text mean null? */
bool vc_csv_is_null(const vc_csv *csv, vc_str text);

/* Room for the unescaped texts of a whole row; before any of them is in it. */
bool vc_csv_reserve_unescaped(vc_csv *csv, size_t size);

/* The input or memory failed: csv->failure says how, and nothing comes any more. */
vc_csv_event vc_csv_fail_for_good(vc_csv *csv, vc_status status, vc_error *error);

/* Make the fields of all columns. False when out of memory. */
bool vc_csv_want_all(vc_csv *csv);

/* ---- NDJSON (ndjson.c) ---- */

/* A record is a line; one of space only has no text. */
void vc_ndjson_split(const char *data, size_t size, bool is_last, size_t ncolumns,
                     vc_csv_record *record);

/* The column of that name, made when it is new. */
vc_status vc_ndjson_add_column(vc_csv *csv, vc_str name, size_t *column_out, vc_error *error);

/* Room for the rows of all columns that there are. */
vc_status vc_ndjson_start_rows(vc_csv *csv, vc_error *error);

/* The fields of row->record. VC_BAD_INPUT: it is a reject. */
vc_status vc_ndjson_read_row(vc_csv *csv, vc_csv_row *row, vc_error *error);

#endif
