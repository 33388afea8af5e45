/* What a scan writes down instead of adding it up: medians and quantiles need all values of a cell,
 * and a measure that is resolved along a dimension needs all facts by the combination of their
 * other coordinates. A *record* is some words; each lane writes its own, in any order; when all
 * facts were read, the records of all lanes are put together (quantile.c, over.c) and what follows
 * is put into the accumulators of the merged cells. Records are sorted or selected from, so it
 * makes no difference which lane wrote which. Private to slice/.
 */
#ifndef SLICE_COLLECT_H
#define SLICE_COLLECT_H

#include "slice/scan.h"

typedef enum vc_collect {
    VC_COLLECT_NOTHING, /* facts are added up */
    VC_COLLECT_VALUES,  /* records of a cell key and a value that sorts as a number without sign */
    VC_COLLECT_SAME,    /* what an earlier accumulator collects */
    VC_COLLECT_COMBINATIONS, /* records of leaves (vc_combination_form), then the value */
} vc_collect;

/* Where the leaf of each dimension column stands in the words of a record: sorting by them sorts by
 * combination, then by place along the `over` dimension. */
typedef struct vc_combination_field {
    uint16_t column;
    uint8_t word, shift;
    uint8_t width;
} vc_combination_field;

typedef struct vc_combination_form {
    vc_combination_field *fields; /* [nfields] the `over` dimension's is the last */
    size_t nfields;
    size_t nwords;                 /* of the leaves; the value comes behind */
    const uint32_t *places;        /* of the numbers that facts store of the `over` dimension */
    const uint32_t *leaf_of_place; /* [nleaves] the stored number of each */
} vc_combination_form;

/* Records, in chunks that do not move. */
typedef struct vc_records {
    uint64_t **chunks;
    size_t nchunks, chunk_capacity;
    size_t nwords; /* of a record */
    uint64_t count;
} vc_records;

enum { VC_CHUNK_RECORDS = 4096 };

/* Room for one more record. NULL: out of memory. */
uint64_t *vc_records_add(vc_records *records);
void vc_records_release(vc_records *records);

static inline uint64_t *vc_records_get(const vc_records *records, uint64_t number)
{
    return records->chunks[number / VC_CHUNK_RECORDS] + number % VC_CHUNK_RECORDS * records->nwords;
}

/* What each accumulator of the pass collects; scan->collects stays NULL when none does. */
vc_status vc_scan_choose_collects(vc_scan *scan, vc_error *error);

/* Bytes that nrows facts in nlanes need at most, until all is put together. */
uint64_t vc_scan_collect_bytes(const vc_scan *scan, uint64_t nrows, size_t nlanes);

/* Write down the entries of the lane's block for an accumulator. chunk: of its values; NULL when it
 * counts rows. */
vc_status vc_lane_collect(vc_lane *lane, size_t number, const vc_chunk *chunk);

/* Put together what all lanes wrote. cells: merged, in the grid of groups. */
vc_status vc_scan_put_together(const vc_scan *scan, size_t nlanes, vc_cells *cells,
                               vc_error *error);

/* One accumulator each: records [nrecords of them] of all lanes. */
vc_status vc_quantile_put(const vc_scan *scan, size_t number, const vc_records *const *records,
                          size_t nrecords, vc_cells *cells, vc_error *error);
vc_status vc_over_put(const vc_scan *scan, size_t number, const vc_records *const *records,
                      size_t nrecords, vc_cells *cells, vc_error *error);

/* Places of leaves along a dimension's own order (table.c): by their member on the lowest level,
 * leaves that share one by key. Two leaves have the same place only when they are the same. */
vc_status vc_table_find_places(const vc_dimension *dimension, vc_arena *arena,
                               vc_numbers *places_out, vc_error *error);

#endif
