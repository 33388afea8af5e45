/* Dictionaries of the columns of a dimension that is being built.
 *
 * Internal to dimensions. Memory: the arena of the builder.
 */
#ifndef DIMENSIONS_COLUMN_H
#define DIMENSIONS_COLUMN_H

#include "dimensions/dimension.h"

/* Rows are kept as tuples: one text that holds all columns of a row, such that two rows are equal
 * exactly when their tuples are. For each column the end of its text (with the highest bit set when
 * it is null), then the texts one after the other. */
#define VC_TUPLE_NULL (UINT32_C(1) << 31)

/* The text of a column. O(1). */
vc_str vc_tuple_get(vc_str tuple, unsigned ncolumns, unsigned column);

/* A column, coded. A null is VC_NONE in codes. */
typedef struct vc_build_column {
    uint32_t nvalues;
    const vc_str *values;  /* [nvalues] distinct, by bytes */
    const uint32_t *codes; /* [nrows] into values */
    bool is_numeric;       /* there are values, and all are plain numbers */
    const uint32_t *ranks; /* [nvalues] place of each value as a number; NULL unless is_numeric */
} vc_build_column;

/* Code a column of the rows.
 *
 * is_key  the column has no nulls and no value twice, which saves looking for them
 * Values point into the tuples. O(nrows + nvalues log nvalues). */
vc_status vc_build_column_make(const vc_str *tuples, uint32_t nrows, unsigned ncolumns,
                               unsigned column, bool is_key, vc_arena *arena,
                               vc_build_column *column_out, vc_error *error);

/* Rank a column that has the dictionary of another by the values that its own rows have: in the
 * order of numbers when all of those are. O(nrows + nvalues log nvalues). VC_NO_MEMORY. */
vc_status vc_build_column_rank_used(vc_build_column *column, uint32_t nrows, vc_arena *arena,
                                    vc_error *error);

/* The place of a code among the values in the order of keys; nulls after all values. */
static inline uint32_t vc_build_column_rank(const vc_build_column *column, uint32_t code)
{
    if (code == VC_NONE) return column->nvalues;
    return column->ranks == NULL ? code : column->ranks[code];
}

/* The code of a text; VC_NONE when no row has it. O(log nvalues). */
uint32_t vc_build_column_find(const vc_build_column *column, vc_str text);

#endif
