#include "dimensions/column.h"

#include "base/strmap.h"
#include "dimensions/order.h"

#include <stdlib.h>
#include <string.h>

vc_str vc_tuple_get(vc_str tuple, unsigned ncolumns, unsigned column)
{
    uint32_t first = 0, end;
    if (column > 0) memcpy(&first, tuple.data + (column - 1) * sizeof first, sizeof first);
    memcpy(&end, tuple.data + column * sizeof end, sizeof end);
    if (end & VC_TUPLE_NULL) return (vc_str){0};
    first &= ~VC_TUPLE_NULL;
    return (vc_str){.data = tuple.data + ncolumns * sizeof first + first, .size = end - first};
}

/* ---- sorting the values ---- */

/* Most comparisons are decided by the prefix, without a look at the text. */
typedef struct entry {
    uint64_t prefix;
    uint32_t number;
} entry;

typedef struct sorter {
    const vc_str *values;
    bool as_numbers;
} sorter;

static int compare_entries(const void *left, const void *right, void *context)
{
    const entry *a = left, *b = right;
    const sorter *by = context;
    if (a->prefix != b->prefix) return a->prefix < b->prefix ? -1 : 1;
    return vc_key_compare(by->values[a->number], by->values[b->number], by->as_numbers);
}

/* How many bytes at the beginning all values have alike. */
static size_t common_prefix(const vc_str *values, uint32_t nvalues)
{
    size_t common = nvalues == 0 ? 0 : values[0].size;
    for (uint32_t i = 1; i < nvalues; i++) {
        size_t size = values[i].size < common ? values[i].size : common;
        for (common = 0; common < size && values[i].data[common] == values[0].data[common];)
            common++;
    }
    return common;
}

/* The numbers of the values in their order. NULL when out of memory; the caller frees it. */
static entry *sort_values(const vc_str *values, uint32_t nvalues, bool as_numbers)
{
    entry *entries = malloc((nvalues + 1) * sizeof *entries);
    if (entries == NULL) return NULL;
    size_t skip = as_numbers ? 0 : common_prefix(values, nvalues);
    bool is_sorted = true;
    for (uint32_t i = 0; i < nvalues; i++) {
        uint64_t prefix =
            as_numbers ? vc_number_prefix(values[i]) : vc_bytes_prefix(values[i], skip);
        entries[i] = (entry){.prefix = prefix, .number = i};
    }
    sorter by = {.values = values, .as_numbers = as_numbers};
    for (uint32_t i = 1; i < nvalues && is_sorted; i++)
        is_sorted = compare_entries(&entries[i - 1], &entries[i], &by) < 0;
    if (!is_sorted) qsort_r(entries, nvalues, sizeof *entries, compare_entries, &by);
    return entries;
}

/* ---- making ---- */

/* Number the distinct values in the order of their arrival. */
static bool number_values(const vc_str *tuples, uint32_t nrows, unsigned ncolumns, unsigned column,
                          vc_str *values, uint32_t *codes, uint32_t *nvalues_out)
{
    vc_strmap map = {0};
    bool has_room = true;
    for (uint32_t row = 0; row < nrows && has_room; row++) {
        vc_str text = vc_tuple_get(tuples[row], ncolumns, column);
        codes[row] = VC_NONE;
        if (vc_str_is_null(text)) continue;
        bool is_new;
        uint32_t code = vc_strmap_put(&map, text, &is_new);
        has_room = code != VC_STRMAP_NONE;
        codes[row] = code;
        if (is_new) values[code] = text;
    }
    *nvalues_out = map.count;
    vc_strmap_release(&map);
    return has_room;
}

/* Bring values and codes from the order of arrival into the order of bytes. */
static bool sort_by_bytes(vc_build_column *column, uint32_t *codes, uint32_t nrows, vc_str *arrived,
                          vc_arena *arena)
{
    uint32_t nvalues = column->nvalues;
    vc_str *values = vc_arena_alloc(arena, nvalues * sizeof *values);
    entry *entries = sort_values(arrived, nvalues, false);
    uint32_t *places = malloc((nvalues + 1) * sizeof *places);
    bool is_good = values != NULL && entries != NULL && places != NULL;
    for (uint32_t i = 0; is_good && i < nvalues; i++) {
        values[i] = arrived[entries[i].number];
        places[entries[i].number] = i;
    }
    for (uint32_t row = 0; is_good && row < nrows; row++)
        if (codes[row] != VC_NONE) codes[row] = places[codes[row]];
    column->values = values;
    free(entries);
    free(places);
    return is_good;
}

static bool rank_numbers(vc_build_column *column, vc_arena *arena)
{
    column->is_numeric = column->nvalues > 0;
    for (uint32_t i = 0; i < column->nvalues && column->is_numeric; i++)
        column->is_numeric = vc_str_is_number(column->values[i]);
    if (!column->is_numeric) return true;
    uint32_t *ranks = vc_arena_alloc(arena, column->nvalues * sizeof *ranks);
    entry *entries = sort_values(column->values, column->nvalues, true);
    bool is_good = ranks != NULL && entries != NULL;
    for (uint32_t i = 0; is_good && i < column->nvalues; i++)
        ranks[entries[i].number] = i;
    column->ranks = ranks;
    free(entries);
    return is_good;
}

vc_status vc_build_column_rank_used(vc_build_column *column, uint32_t nrows, vc_arena *arena,
                                    vc_error *error)
{
    uint32_t nused = 0, *numbers = malloc(((size_t)column->nvalues + 1) * sizeof *numbers);
    vc_str *used = malloc(((size_t)column->nvalues + 1) * sizeof *used);
    uint32_t *ranks = VC_ARENA_NEW(arena, uint32_t, (size_t)column->nvalues + 1);
    entry *entries = NULL;
    bool was_numeric = column->is_numeric, is_numeric = true,
         is_good = numbers != NULL && used != NULL && ranks != NULL;
    for (uint32_t row = 0; is_good && row < nrows; row++)
        if (column->codes[row] != VC_NONE) ranks[column->codes[row]] = 1;
    for (uint32_t i = 0; is_good && i < column->nvalues; i++) {
        if (ranks[i] == 0) continue;
        is_numeric &= vc_str_is_number(column->values[i]);
        used[nused] = column->values[i];
        numbers[nused++] = i;
    }
    column->is_numeric = is_numeric && nused > 0;
    if (is_good && column->is_numeric && !was_numeric) {
        entries = sort_values(used, nused, true);
        is_good = entries != NULL;
        for (uint32_t i = 0; is_good && i < nused; i++)
            ranks[numbers[entries[i].number]] = i;
        column->ranks = ranks;
    }
    free(numbers);
    free(used);
    free(entries);
    return is_good ? VC_OK : vc_no_memory(error);
}

vc_status vc_build_column_make(const vc_str *tuples, uint32_t nrows, unsigned ncolumns,
                               unsigned column, bool is_key, vc_arena *arena,
                               vc_build_column *column_out, vc_error *error)
{
    vc_build_column result = {0};
    uint32_t *codes = vc_arena_alloc(arena, nrows * sizeof *codes);
    vc_str *arrived = malloc((nrows + 1) * sizeof *arrived);
    bool is_good = codes != NULL && arrived != NULL;
    if (is_good && is_key) {
        result.nvalues = nrows;
        for (uint32_t row = 0; row < nrows; row++) {
            arrived[row] = vc_tuple_get(tuples[row], ncolumns, column);
            codes[row] = row;
        }
    } else if (is_good) {
        is_good = number_values(tuples, nrows, ncolumns, column, arrived, codes, &result.nvalues);
    }
    result.codes = codes;
    is_good = is_good && sort_by_bytes(&result, codes, nrows, arrived, arena) &&
              rank_numbers(&result, arena);
    free(arrived);
    if (!is_good) return vc_no_memory(error);
    *column_out = result;
    return VC_OK;
}

uint32_t vc_build_column_find(const vc_build_column *column, vc_str text)
{
    uint32_t first = 0, end = column->nvalues;
    while (first < end) {
        uint32_t middle = first + (end - first) / 2;
        int order = vc_str_compare(column->values[middle], text);
        if (order == 0) return middle;
        if (order < 0)
            first = middle + 1;
        else
            end = middle;
    }
    return VC_NONE;
}
