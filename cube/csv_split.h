/* Cutting bytes into CSV records and fields: the pure part of the CSV reader.
 *
 * RFC 4180 and what is found in the wild: LF as well as CRLF ends a record, the last record needs
 * no end, quoted fields may hold delimiters and line ends, "" inside one stands for a quote. A
 * quote counts only as the first byte of a field; elsewhere it is text (5" pipe).
 *
 * A call looks at one record and nothing else: no state is kept, nothing is allocated, text is not
 * checked or copied. So a buffer can be cut wherever a record begins and the parts be split by
 * several threads.
 * Threads: everything here is pure.
 */
#ifndef CUBE_CSV_SPLIT_H
#define CUBE_CSV_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vc_csv_syntax {
    char delimiter; /* not the quote, CR or LF */
    char quote;
} vc_csv_syntax;

/* Byte offsets from the start of the record. The quotes around a field are not part of it. */
typedef struct vc_csv_field {
    uint32_t first;
    uint32_t end;
    bool is_quoted;
    bool has_escapes; /* quoted, and "" occurs inside */
} vc_csv_field;

typedef enum vc_csv_outcome {
    VC_CSV_WHOLE = 0,
    VC_CSV_INCOMPLETE,        /* the data end before the record does (never when is_last) */
    VC_CSV_TEXT_BEHIND_QUOTE, /* something else than a delimiter or line end behind a closing quote;
                                 the record ends with that line, whatever quotes are in it */
    VC_CSV_UNCLOSED_QUOTE,    /* is_last and no closing quote; the record ends with the line of the
                                 opening quote, so that what follows is not lost */
} vc_csv_outcome;

typedef struct vc_csv_record {
    vc_csv_outcome outcome;
    size_t nfields;    /* VC_CSV_WHOLE only */
    size_t text_bytes; /* without the line end; not for VC_CSV_INCOMPLETE */
    size_t bytes;      /* with the line end: the next record begins there; likewise */
    size_t nlines;     /* line ends in it, likewise; one too many for a last line without one */
    size_t fault;      /* what is wrong: the byte behind the closing quote, the opening quote */
    bool is_in_quotes; /* VC_CSV_INCOMPLETE: within a quoted field, which opens at `fault` */
} vc_csv_record;

/* Split the record that starts at data[0].
 *
 * size      1 .. UINT32_MAX
 * is_last   nothing follows the data
 * fields    [capacity] the first `capacity` fields; record->nfields counts all of them
 *
 * O(record->bytes), about 1 ns for each 2 bytes of short fields. At most one block of 64 bytes is
 * looked at beyond the record.
 */
void vc_csv_split(const vc_csv_syntax *syntax, const char *data, size_t size, bool is_last,
                  size_t capacity, vc_csv_field *fields, vc_csv_record *record);

/* The text of a quoted field with each "" made one quote. Returns its size.
 * text_out  [field->end - field->first] */
size_t vc_csv_unescape(const vc_csv_syntax *syntax, const char *record, const vc_csv_field *field,
                       char *text_out);

#endif
