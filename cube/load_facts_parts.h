/* What the files of loading facts share. Private to cube/load_facts*.c.
 *
 *     load_facts.c             the whole: columns, dictionaries, the manifest
 *     load_facts_dimensions.c  dimensions, before and after the facts
 *     load_facts_rows.c        rows: taking blocks in the order of the file, the odd ones, windows
 */
#ifndef CUBE_LOAD_FACTS_PARTS_H
#define CUBE_LOAD_FACTS_PARTS_H

#include "cube/load_parts.h"

typedef struct vc_fact_dimension {
    size_t number;
    const vc_dimension_use *use;
    const vc_dimension_def *definition; /* its own, or the shared one's */
    const vc_definition *owner;         /* where that is written, at `pointer` */
    vc_str pointer;
    const vc_dimension *older; /* of the cube that is appended to; NULL otherwise */
    uint32_t nleaves, ndoubles;
    uint64_t fingerprint;
    /* keyed: */
    size_t field;
    bool has_int_key;
    vc_keymap own_leaves;
    const vc_keymap *leaves; /* NULL: the dimension is built */
    /* built: */
    vc_feed *feed;
    vc_dimension_builder *builder;
    vc_spill *spill;
    size_t nfields; /* of which it is made */
    const size_t *fields;
    vc_memo memo; /* the texts of these fields to the row */
} vc_fact_dimension;

typedef struct vc_fact_load {
    vc_loader *loader;
    const vc_definition *definition;
    const vc_cube_def *cube;
    vc_arena arena;
    vc_load_file file;
    vc_object object;
    vc_source_cube *older; /* the cube that is appended to; NULL otherwise. Its dimensions lie in
                              the map: only to be looked at before anything is put */
    size_t ndimensions;
    vc_fact_dimension *dimensions;
    vc_fact_dimension **keyed, **built; /* built ones that can reject a row come first */
    size_t nkeyed, nbuilt;
    vc_fact_column *plan;
    int *measure_columns;
    size_t ncolumns;
    vc_load_column *columns;
    vc_fact_recipe recipe;
    vc_fact_reader *reader;
    vc_csv *fork;     /* for the odd rows */
    uint64_t line;    /* of the block being taken */
    int64_t *cells;   /* [ndimensions + ncolumns] of the row being taken */
    uint8_t *nulls;   /* [ndimensions + ncolumns] likewise */
    vc_buffer buffer; /* its key, where a dimension is made of several fields */
    vc_load_order order;
    vc_window *window;
    vc_segment_column *stored; /* [ndimensions + ncolumns] as it is in segments */
    vc_segments *segments;
} vc_fact_load;

/* ---- dimensions (load_facts_dimensions.c) ---- */

/* Read the tables of keyed dimensions and put their images; start the builders of built ones. */
vc_status vc_facts_start_dimensions(vc_fact_load *facts, vc_error *error);

/* After the facts: number the leaves of built dimensions, put their fact columns and images. */
vc_status vc_facts_finish_dimensions(vc_fact_load *facts, vc_error *error);
void vc_facts_release_dimensions(vc_fact_load *facts);

/* ---- rows (load_facts_rows.c) ---- */

/* Read the facts into segments: dimensions and columns are started. */
vc_status vc_facts_read(vc_fact_load *facts, vc_error *error);
void vc_facts_release_rows(vc_fact_load *facts);

static inline size_t vc_facts_count_columns(const vc_fact_load *facts)
{
    return facts->ndimensions + facts->ncolumns;
}

#endif
