/* Reading CSV or NDJSON: one row at a time, from an input that arrives in pieces of any size.
 *
 *     vc_csv_options options;
 *     vc_csv_options_init(&options);
 *     vc_csv_open(input, &options, &csv, error);                  reads the header
 *     vc_csv_find_column(csv, VC_STR("population"), &population, error);
 *     while ((event = vc_csv_next(csv, &row, error)) != VC_CSV_END)
 *         ...                                                     a row, a reject, or a failure
 *
 * What a record and a field are: cube/csv_split.h. Rows that cannot be used (wrong number of
 * fields, text behind a closing quote, a quote that is not closed, bytes that are no UTF-8, NUL, a
 * field or row over its limit) come out as rejects, with the place and the reason, and reading goes
 * on behind them. What comes out depends only on the bytes, never on how they arrive.
 *
 * Memory: 256 KiB, growing up to the row limit when a row of that size comes. Nothing is allocated
 * per row.
 * Threads: one thread at a time; for several, see the blocks below.
 */
#ifndef CUBE_CSV_H
#define CUBE_CSV_H

#include "base/status.h"
#include "base/text.h"
#include "cube/csv_split.h"
#include "cube/encoding.h"
#include "cube/input.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VC_CSV_COLUMNS_MAX = 4096,
    VC_CSV_FIELD_BYTES_MAX = 1 << 20,
    VC_CSV_ROW_BYTES_MAX = 1 << 24,
};

typedef struct vc_csv_options {
    char delimiter;      /* any byte of ASCII but the quote, CR, LF, NUL */
    char quote;          /* likewise */
    char decimal;        /* '.' or ','; only kept for whoever reads the numbers */
    bool has_header;     /* the first row names the columns; otherwise `columns` does */
    vc_charset encoding; /* unless a byte order mark says otherwise */
    const vc_str *nulls; /* [nnulls] a field of exactly one of these texts, quoted or not, is null;
                            borrowed until vc_csv_close */
    size_t nnulls;       /* by default one, the empty text */
    const vc_str *columns; /* [ncolumns] without a header: the names; none means "1", "2", ... */
    size_t ncolumns;
    bool is_ndjson;    /* not CSV but a JSON object to a line; `columns` are fields that it may have
                          besides those that vc_csv_need_column asks for */
    bool may_be_empty; /* of NDJSON: no row at all is no error */
    size_t field_bytes_max; /* limits; lower ones may be given, higher ones are cut to the above */
    size_t row_bytes_max;
    size_t buffer_bytes; /* to start with; 0 means 256 KiB */
} vc_csv_options;

/* Comma, double quote, point, header, UTF-8, empty is null. */
void vc_csv_options_init(vc_csv_options *options);

/* The options that a definition states ({"csv": "facts.csv", "delimiter": ";", ...}), which must
 * outlive them. VC_BAD_INPUT for an unknown encoding. */
struct vc_csv_def;
vc_status vc_csv_options_of(const struct vc_csv_def *definition, vc_csv_options *options_out,
                            vc_error *error);

typedef struct vc_csv vc_csv;

/* Start reading: the header; without one and without given names, the first row is looked at to
 * count its fields.
 *
 * input    borrowed until vc_csv_close; nothing may have been read from it
 * options  copied, the texts of `nulls` apart
 *
 * VC_BAD_INPUT with file and line, codes: "csv_option" contradictory options; "csv_empty" no row at
 * all; "csv_header" a name twice, no name at all, more than VC_CSV_COLUMNS_MAX; any code of a
 * reject when the header is one. A column without a name is fine; it cannot be found. Whatever
 * vc_input_read returns.
 */
vc_status vc_csv_open(vc_input *input, const vc_csv_options *options, vc_csv **csv_out,
                      vc_error *error);
void vc_csv_close(vc_csv *csv); /* NULL is fine; leaves the input open */

size_t vc_csv_ncolumns(const vc_csv *csv);
vc_str vc_csv_column_name(const vc_csv *csv, size_t column); /* lives as long as csv */

/* VC_NOT_FOUND, code "unknown_column", with the nearest names; says so when the header looks as if
 * it had another delimiter. O(columns). */
vc_status vc_csv_find_column(const vc_csv *csv, vc_str name, size_t *column_out, vc_error *error);

/* The same; of NDJSON, which has no header, it becomes one of the columns: before the first row,
 * and before the forks. */
vc_status vc_csv_need_column(vc_csv *csv, vc_str name, size_t *column_out, vc_error *error);

/* Everything in it is valid until the next call of vc_csv_next. */
typedef struct vc_csv_row {
    size_t nfields;              /* vc_csv_ncolumns; 0 in a reject */
    const vc_str *fields;        /* [nfields] without quotes, "" made one; data NULL: null */
    const vc_csv_field *extents; /* [nfields] where they are in `record` */
    vc_str record;               /* the bytes as they were, without line end. In a reject for its
                                    size: only the beginning */
    uint64_t line;               /* of the first line, from 1, the header's included */
} vc_csv_row;

typedef enum vc_csv_event {
    VC_CSV_ROW,
    VC_CSV_REJECT, /* the row is no good; error says where and why; go on with the next call */
    VC_CSV_END,
    VC_CSV_FAILED, /* the input failed, or there is no memory; so will every further call */
} vc_csv_event;

/* The next row. Empty lines are skipped, unless there is only one column: then they are a row.
 *
 * row    set for VC_CSV_ROW and VC_CSV_REJECT
 * error  filled for VC_CSV_REJECT and VC_CSV_FAILED. Rejects are VC_BAD_INPUT; codes: "csv_fields",
 *        "csv_quote", "csv_unclosed_quote", "csv_encoding", "csv_nul", "csv_field_too_long",
 *        "csv_row_too_long"; of NDJSON also "ndjson", "ndjson_nested", "unknown_field"
 */
vc_csv_event vc_csv_next(vc_csv *csv, vc_csv_row *row, vc_error *error);

/* ---- blocks: the same rows, read by several threads ----
 *
 * One thread at a time cuts the input into blocks of whole records; each block is read by a fork,
 * any number of them at once. All forks together give what vc_csv_next would have given:
 *
 *     uint64_t line = vc_csv_line(csv);                            of the first record
 *     vc_csv_next_block(csv, 1 << 20, &block, error);              one thread, in order
 *     vc_csv_read_block(fork, &block, 0);                          any thread
 *     while ((event = vc_csv_next(fork, &row, error)) != VC_CSV_END)
 *         ...                                                      row.line counts from 0
 *     line += block.nlines_before;                                 in order: the block's first,
 *     line += vc_csv_line(fork);                                   and the one behind it
 */

/* A stretch of the file, zero at first. Its memory is used again by the next call with it. */
typedef struct vc_csv_block {
    char *data;
    size_t capacity;
    size_t first, end;      /* the records are data[first .. end); none: the end of the file */
    uint64_t nlines_before; /* lines between the block before and this one, of a row too long */
    uint64_t bytes_done;    /* of the input, packed, for progress */
    bool is_last;           /* nothing follows; known at once for small files only */
    bool is_single;         /* begins with a row that does not end within the limits: the rest of
                               the block is not to be read */
} vc_csv_block;

/* Cut off the next block: whole records, about block_bytes of them, or one longer one. After the
 * first call vc_csv_next is not to be called any more.
 *
 * Fails as vc_csv_next does, behind all records that came before the failure. */
vc_status vc_csv_next_block(vc_csv *csv, size_t block_bytes, vc_csv_block *block, vc_error *error);
void vc_csv_block_release(vc_csv_block *block);

/* A reader of blocks for one thread: for vc_csv_next and what can be asked of rows. csv must live
 * longer; only the name of its input is used. Close it with vc_csv_close. */
vc_status vc_csv_fork(const vc_csv *csv, vc_csv **fork_out, vc_error *error);

/* Of which columns the texts are made in the rows of a fork; those of the others are undefined
 * then. is_wanted [ncolumns]. To start with, of all. */
void vc_csv_want(vc_csv *fork, const bool *is_wanted);

/* Read a block from its beginning, which is in this line. The block must stay as it is. */
void vc_csv_read_block(vc_csv *fork, const vc_csv_block *block, uint64_t line);

/* Read again from a record on, for one call of vc_csv_next. */
void vc_csv_read_at(vc_csv *fork, const vc_csv_block *block, size_t offset, uint64_t line);

/* Where in its block the record of the last row or reject of a fork began. */
size_t vc_csv_row_offset(const vc_csv *fork);

/* The line of the next record, as far as it was read. */
uint64_t vc_csv_line(const vc_csv *csv);

/* Put file, line and column (in bytes of its line, in UTF-8) of a field of the row into an error:
 * for whoever finds that its text is no number. field < row->nfields. */
void vc_csv_error_at(const vc_csv *csv, const vc_csv_row *row, size_t field, vc_error *error);

#endif
