/* Delimiters and line ends are found 64 bytes at a time: comparing a block with both gives one bit
 * for each byte, and the ends of unquoted fields are the set bits in turn. So the cost is that of
 * the bits, not of the bytes. Inside quoted fields only the next quote matters, which memchr finds;
 * then the bits are taken up again behind it.
 */
#include "cube/csv_split.h"

#include <assert.h>
#include <string.h>

#if defined(__SSE2__) && !defined(VC_NO_SIMD)
#include <emmintrin.h>
#define HAS_SSE2 1
#else
#define HAS_SSE2 0
#endif

enum { BLOCK_BYTES = 64 };

/* Where the next delimiters and line ends are. */
struct scan {
    const char *data;
    size_t size;
    size_t base;    /* of the block */
    uint64_t stops; /* bit i: data[base + i] is a delimiter or LF, and was not visited yet */
    char delimiter;
};

#if HAS_SSE2
static inline uint64_t find_stops16(const char *bytes, char delimiter)
{
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    __m128i hits = _mm_or_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8(delimiter)),
                                _mm_cmpeq_epi8(text, _mm_set1_epi8('\n')));
    return (uint32_t)_mm_movemask_epi8(hits);
}

static inline uint64_t find_stops(const char *block, char delimiter)
{
    return find_stops16(block, delimiter) | find_stops16(block + 16, delimiter) << 16 |
           find_stops16(block + 32, delimiter) << 32 | find_stops16(block + 48, delimiter) << 48;
}
#else
static inline uint64_t find_stops(const char *block, char delimiter)
{
    uint64_t stops = 0;
    for (int i = 0; i < BLOCK_BYTES; i++)
        stops |= (uint64_t)((block[i] == delimiter) | (block[i] == '\n')) << i;
    return stops;
}
#endif

/* A block of which only `left` bytes are there. Apart from the loop, so that its array costs the
 * loop nothing. */
static __attribute__((noinline)) uint64_t find_last_stops(const char *data, size_t left,
                                                          char delimiter)
{
    char block[BLOCK_BYTES] = {0};
    memcpy(block, data, left);
    return find_stops(block, delimiter) & ((UINT64_C(1) << left) - 1);
}

static inline void scan_move(struct scan *scan, size_t base)
{
    scan->base = base;
    if (base >= scan->size)
        scan->stops = 0;
    else if (scan->size - base >= BLOCK_BYTES)
        scan->stops = find_stops(scan->data + base, scan->delimiter);
    else
        scan->stops = find_last_stops(scan->data + base, scan->size - base, scan->delimiter);
}

/* The next stop, or the size of the data when there is none. */
static inline size_t scan_next(struct scan *scan)
{
    while (scan->stops == 0) {
        if (scan->base + BLOCK_BYTES >= scan->size) return scan->size;
        scan_move(scan, scan->base + BLOCK_BYTES);
    }
    size_t stop = scan->base + (size_t)__builtin_ctzll(scan->stops);
    scan->stops &= scan->stops - 1;
    return stop;
}

/* Go on behind `at`, which is not before the block. */
static inline void scan_skip(struct scan *scan, size_t at)
{
    size_t next = at + 1;
    if (next - scan->base < BLOCK_BYTES)
        scan->stops &= ~UINT64_C(0) << (next - scan->base);
    else
        scan_move(scan, next);
}

/* From behind the opening quote to the closing one; size when it does not come. A quote that is the
 * last byte of the data closes as far as is known. */
static size_t find_closing_quote(const char *data, size_t size, size_t at, char quote,
                                 bool *has_escapes)
{
    while (at < size) {
        const char *hit = memchr(data + at, quote, size - at);
        if (hit == NULL) return size;
        at = (size_t)(hit - data);
        if (at + 1 == size || data[at + 1] != quote) return at;
        *has_escapes = true;
        at += 2;
    }
    return size;
}

static size_t count_line_ends(const char *data, size_t size)
{
    size_t count = 0;
    const char *end = data + size;
    while (data < end && (data = memchr(data, '\n', (size_t)(end - data))) != NULL) {
        count++;
        data++;
    }
    return count;
}

/* End a faulty record with the line that byte `fault` is in. */
static void end_at_line(const char *data, size_t size, bool is_last, vc_csv_record *record)
{
    const char *line_end = memchr(data + record->fault, '\n', size - record->fault);
    if (line_end == NULL && !is_last) {
        record->outcome = VC_CSV_INCOMPLETE;
        return;
    }
    size_t end = line_end != NULL ? (size_t)(line_end - data) : size;
    record->bytes = line_end != NULL ? end + 1 : size;
    record->text_bytes = end > 0 && data[end - 1] == '\r' ? end - 1 : end;
    record->nlines = count_line_ends(data, end) + 1;
}

/* The end of a quoted field that opens at `at`: the delimiter, the LF of the line end, or the size
 * at the end of the data. Anything else goes into record->outcome. */
static size_t split_quoted(const vc_csv_syntax *syntax, const char *data, size_t size, bool is_last,
                           size_t at, vc_csv_field *field, vc_csv_record *record)
{
    *field = (vc_csv_field){.first = (uint32_t)at + 1, .is_quoted = true};
    size_t close = find_closing_quote(data, size, at + 1, syntax->quote, &field->has_escapes);
    field->end = (uint32_t)close;
    if (close == size) {
        record->outcome = is_last ? VC_CSV_UNCLOSED_QUOTE : VC_CSV_INCOMPLETE;
        record->is_in_quotes = !is_last;
        record->fault = at;
        if (is_last) end_at_line(data, size, is_last, record);
        return size;
    }
    size_t stop = close + 1;
    if (stop < size && data[stop] == '\r' && (stop + 1 == size || data[stop + 1] == '\n')) stop++;
    if (stop < size && data[stop] != syntax->delimiter && data[stop] != '\n') {
        record->outcome = VC_CSV_TEXT_BEHIND_QUOTE;
        record->fault = stop;
        end_at_line(data, size, is_last, record);
    }
    return stop;
}

void vc_csv_split(const vc_csv_syntax *syntax, const char *data, size_t size, bool is_last,
                  size_t capacity, vc_csv_field *fields, vc_csv_record *record)
{
    assert(size > 0 && size <= UINT32_MAX);
    *record = (vc_csv_record){.outcome = VC_CSV_WHOLE};
    struct scan scan = {.data = data, .size = size, .delimiter = syntax->delimiter};
    scan_move(&scan, 0);
    vc_csv_field surplus; /* than there is room for */
    bool has_quoted = false;
    size_t nfields = 0, at = 0, stop;
    for (;;) {
        /* Written in place, member by member: a copy of the whole would wait for the small writes.
         */
        vc_csv_field *field = nfields < capacity ? &fields[nfields] : &surplus;
        if (at < size && data[at] == syntax->quote) {
            stop = split_quoted(syntax, data, size, is_last, at, field, record);
            if (record->outcome != VC_CSV_WHOLE) return;
            scan_skip(&scan, stop);
            has_quoted = true;
        } else {
            stop = scan_next(&scan);
            bool is_end = stop == size || data[stop] == '\n';
            bool has_cr = is_end && stop > at && data[stop - 1] == '\r';
            field->first = (uint32_t)at;
            field->end = (uint32_t)(stop - has_cr);
            field->is_quoted = field->has_escapes = false;
        }
        nfields++;
        if (stop == size || data[stop] == '\n') break;
        at = stop + 1;
    }
    if (stop == size && !is_last) {
        record->outcome = VC_CSV_INCOMPLETE;
        return;
    }
    record->nfields = nfields;
    record->bytes = stop < size ? stop + 1 : size;
    record->text_bytes = stop > 0 && data[stop - 1] == '\r' ? stop - 1 : stop;
    record->nlines = has_quoted ? count_line_ends(data, stop) + 1 : 1;
}

size_t vc_csv_unescape(const vc_csv_syntax *syntax, const char *record, const vc_csv_field *field,
                       char *text_out)
{
    size_t size = 0;
    for (size_t at = field->first; at < field->end; at++) {
        text_out[size++] = record[at];
        if (record[at] == syntax->quote) at++;
    }
    return size;
}
