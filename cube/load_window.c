/* The rows that wait to be put into segments, column by column.
 *
 * Millions of rows wait when they are to be sorted, so a column takes 1, 2, 4 or 8 bytes a cell,
 * whatever its largest so far needs. A larger one widens all of it, at most three times.
 */
#include "cube/load_parts.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Capacity is doubled up to some rows, then it is that of the largest window: what is not touched
 * takes no memory, and growing on would copy the rows again and again. */
enum { FIRST_ROWS = 1024, MANY_ROWS = 1 << 19 };

enum { AHEAD = 24 };  /* cells that are fetched before they are needed */
enum { PIECE = 512 }; /* cells that are on their way */

typedef struct window_column {
    void *cells;    /* [capacity] signed integers of `width` bytes */
    uint8_t *nulls; /* [capacity] 1 where null; NULL while there is none */
    uint32_t capacity;
    unsigned width;
    bool is_double;
} window_column;

struct vc_window {
    size_t ncolumns;
    uint32_t nrows;
    window_column columns[];
};

/* ---- life ---- */

vc_status vc_window_new(size_t ncolumns, const vc_segment_column *columns, vc_window **window_out,
                        vc_error *error)
{
    vc_window *window = calloc(1, sizeof *window + ncolumns * sizeof window->columns[0]);
    if (window == NULL) return vc_no_memory(error);
    window->ncolumns = ncolumns;
    for (size_t c = 0; c < ncolumns; c++)
        window->columns[c] = (window_column){.width = columns[c].is_double ? 8 : 1,
                                             .is_double = columns[c].is_double};
    *window_out = window;
    return VC_OK;
}

void vc_window_free(vc_window *window)
{
    if (window == NULL) return;
    for (size_t c = 0; c < window->ncolumns; c++) {
        free(window->columns[c].cells);
        free(window->columns[c].nulls);
    }
    free(window);
}

uint32_t vc_window_nrows(const vc_window *window)
{
    return window->nrows;
}

size_t vc_window_bytes(const vc_window *window)
{
    size_t row_bytes = 0;
    for (size_t c = 0; c < window->ncolumns; c++)
        row_bytes += window->columns[c].width + (window->columns[c].nulls != NULL);
    return row_bytes * window->nrows;
}

void vc_window_clear(vc_window *window)
{
    for (size_t c = 0; c < window->ncolumns; c++) {
        free(window->columns[c].nulls);
        window->columns[c].nulls = NULL;
    }
    window->nrows = 0;
}

/* ---- put ---- */

static unsigned find_width(const int64_t *cells, uint32_t nrows)
{
    uint64_t bits = 0; /* those that differ from the sign, of any cell */
    for (uint32_t i = 0; i < nrows; i++)
        bits |= (uint64_t)(cells[i] ^ cells[i] >> 63);
    return bits < 1u << 7 ? 1 : bits < 1u << 15 ? 2 : bits < UINT64_C(1) << 31 ? 4 : 8;
}

#define DEFINE_COPIES(type)                                                                        \
    static void narrow_##type(const int64_t *from, type *to, uint32_t nrows)                       \
    {                                                                                              \
        for (uint32_t i = 0; i < nrows; i++)                                                       \
            to[i] = (type)from[i];                                                                 \
    }                                                                                              \
    static void gather_##type(const type *from, const uint32_t *order, int64_t *to,                \
                              uint32_t nrows)                                                      \
    {                                                                                              \
        if (order == NULL) {                                                                       \
            for (uint32_t i = 0; i < nrows; i++)                                                   \
                to[i] = from[i];                                                                   \
        } else {                                                                                   \
            uint32_t i = 0;                                                                        \
            for (; i + AHEAD < nrows; i++) {                                                       \
                __builtin_prefetch(&from[order[i + AHEAD]]);                                       \
                to[i] = from[order[i]];                                                            \
            }                                                                                      \
            for (; i < nrows; i++)                                                                 \
                to[i] = from[order[i]];                                                            \
        }                                                                                          \
    }
DEFINE_COPIES(int8_t)
DEFINE_COPIES(int16_t)
DEFINE_COPIES(int32_t)
DEFINE_COPIES(int64_t)

static void narrow(const int64_t *from, void *to, size_t at, unsigned width, uint32_t nrows)
{
    switch (width) {
    case 1: narrow_int8_t(from, (int8_t *)to + at, nrows); break;
    case 2: narrow_int16_t(from, (int16_t *)to + at, nrows); break;
    case 4: narrow_int32_t(from, (int32_t *)to + at, nrows); break;
    default: narrow_int64_t(from, (int64_t *)to + at, nrows);
    }
}

/* From cell `at` on; an order counts from the first cell of the column instead. */
static void gather(const void *from, unsigned width, size_t at, const uint32_t *order, int64_t *to,
                   uint32_t nrows)
{
    if (order != NULL) at = 0;
    switch (width) {
    case 1: gather_int8_t((const int8_t *)from + at, order, to, nrows); break;
    case 2: gather_int16_t((const int16_t *)from + at, order, to, nrows); break;
    case 4: gather_int32_t((const int32_t *)from + at, order, to, nrows); break;
    default: gather_int64_t((const int64_t *)from + at, order, to, nrows);
    }
}

/* The cells there are, in a wider column. */
static bool widen(window_column *column, unsigned width, uint32_t nrows)
{
    int64_t piece[PIECE];
    void *cells = malloc((size_t)column->capacity * width);
    if (cells == NULL) return false;
    vc_memory_want_huge(cells, (size_t)column->capacity * width);
    for (uint32_t at = 0; at < nrows; at += PIECE) {
        uint32_t size = nrows - at < PIECE ? nrows - at : PIECE;
        gather(column->cells, column->width, at, NULL, piece, size);
        narrow(piece, cells, at, width, size);
    }
    free(column->cells);
    column->cells = cells;
    column->width = width;
    return true;
}

static bool reserve_rows(window_column *column, size_t nrows)
{
    if (nrows <= column->capacity) return true;
    size_t capacity = column->capacity == 0 ? FIRST_ROWS : column->capacity;
    while (capacity < nrows)
        capacity = capacity < MANY_ROWS             ? 2 * capacity
                   : capacity < VC_CLUSTER_ROWS_MAX ? VC_CLUSTER_ROWS_MAX
                                                    : capacity + MANY_ROWS;
    void *cells = realloc(column->cells, capacity * column->width);
    if (cells == NULL) return false;
    vc_memory_want_huge(cells, capacity * column->width);
    column->cells = cells;
    if (column->nulls != NULL) {
        uint8_t *nulls = realloc(column->nulls, capacity);
        if (nulls == NULL) return false;
        memset(nulls + column->capacity, 0, capacity - column->capacity);
        column->nulls = nulls;
    }
    column->capacity = (uint32_t)capacity;
    return true;
}

vc_status vc_window_put(vc_window *window, size_t number, const int64_t *cells,
                        const uint8_t *nulls, uint32_t nrows, vc_error *error)
{
    window_column *column = &window->columns[number];
    uint32_t at = window->nrows;
    assert(nrows <= UINT32_MAX / 2 - at);
    if (!reserve_rows(column, (size_t)at + nrows)) return vc_no_memory(error);
    unsigned width = column->is_double ? 8 : find_width(cells, nrows);
    if (width > column->width && !widen(column, width, at)) return vc_no_memory(error);
    narrow(cells, column->cells, at, column->width, nrows);
    if (nulls != NULL && column->nulls == NULL) {
        column->nulls = calloc(column->capacity, 1);
        if (column->nulls == NULL) return vc_no_memory(error);
    }
    if (nulls != NULL)
        memcpy(column->nulls + at, nulls, nrows);
    else if (column->nulls != NULL)
        memset(column->nulls + at, 0, nrows);
    return VC_OK;
}

void vc_window_add_rows(vc_window *window, uint32_t nrows)
{
    window->nrows += nrows;
}

/* ---- get ---- */

static bool get_validity(const window_column *column, const uint32_t *order, uint32_t first,
                         uint32_t nrows, uint8_t *validity)
{
    bool has_nulls = false;
    memset(validity, 0xFF, nrows / 8 + 1);
    for (uint32_t i = 0; i < nrows; i++) {
        if (column->nulls[order == NULL ? first + i : order[first + i]] == 0) continue;
        validity[i >> 3] &= (uint8_t) ~(1u << (i & 7));
        has_nulls = true;
    }
    return has_nulls;
}

void vc_window_get(const vc_window *window, size_t number, const uint32_t *order, uint32_t first,
                   uint32_t nrows, int64_t *cells_out, uint8_t *validity_out, bool *has_nulls_out)
{
    const window_column *column = &window->columns[number];
    assert(first <= window->nrows && nrows <= window->nrows - first);
    gather(column->cells, column->width, first, order == NULL ? NULL : order + first, cells_out,
           nrows);
    *has_nulls_out =
        column->nulls != NULL && get_validity(column, order, first, nrows, validity_out);
}

void vc_window_get_ranks(const vc_window *window, size_t number, const uint32_t *ranks,
                         uint32_t first, uint32_t nrows, uint32_t *ranks_out)
{
    int64_t piece[PIECE];
    const window_column *column = &window->columns[number];
    for (uint32_t at = 0; at < nrows; at += PIECE) {
        uint32_t size = nrows - at < PIECE ? nrows - at : PIECE;
        gather(column->cells, column->width, first + at, NULL, piece, size);
        for (uint32_t i = 0; i < size; i++)
            ranks_out[at + i] = ranks == NULL ? (uint32_t)piece[i] : ranks[piece[i]];
    }
}
