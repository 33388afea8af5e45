/* A source cube as stored: its definition, its dimensions, and where its facts lie.
 *
 * A stored cube is complete in itself: it holds an image of each of its dimensions, also of shared
 * ones, so that loading a shared dimension anew never changes what the facts of a cube mean. Two
 * cubes whose images have the same fingerprint number their leaves alike.
 *
 * Fact columns of the object: dimension d is column d (leaf numbers, never null); measure column i
 * is VC_COLUMN_MEASURE + i, for the distinct columns that measures name; the image of dimension d
 * is byte column VC_COLUMN_IMAGE + d; the dictionary of a text column is VC_COLUMN_DICTIONARY + i.
 * Threads: immutable; lives as long as its arena and snapshot.
 */
#ifndef CUBE_SOURCE_H
#define CUBE_SOURCE_H

#include "cube/definition.h"
#include "storage/store.h"

enum {
    VC_COLUMN_MEASURE = 256,
    VC_COLUMN_IMAGE = 1024,
    VC_COLUMN_DICTIONARY = 2048,
};

typedef struct vc_fact_column {
    vc_str name;        /* of the CSV column, or the expression it is computed by */
    vc_value_type type; /* how values are stored; a dictionary's codes are VC_VALUE_INT */
    unsigned scale;
    bool is_dictionary; /* codes 0..ncodes-1 of distinct texts (count_distinct) */
    uint32_t ncodes;
    bool is_computed; /* row by row, from several columns */
    bool is_presence; /* every value is 1, only its nulls matter (a count of a column) */
    uint16_t column;  /* in the object */
} vc_fact_column;

typedef struct vc_fact_run { /* segments of one load; an append adds a run */
    uint32_t generation;
    uint32_t nsegments;
    uint64_t nrows;
} vc_fact_run;

typedef struct vc_source_views vc_source_views;

/* Of a dimension of which a role may not see all leaves: what the numbers in the facts are called
 * in the dimension that it sees (cube/restrict.h). */
typedef struct vc_leaf_mask {
    uint32_t nstored;       /* leaves that facts may name */
    const uint32_t *leaves; /* [nstored] into the dimension that is seen; VC_NONE: hidden. NULL: all
                               are seen, under the same numbers */
    bool is_cut;            /* by what the role may see; else only members without facts are gone */
} vc_leaf_mask;

typedef struct vc_source_cube {
    vc_str name;
    const vc_definition *definition;
    uint32_t object_id, generation;
    uint64_t nrows;
    uint32_t nsegments; /* over all runs */
    size_t nruns;
    const vc_fact_run *runs;
    size_t ncluster;
    const vc_str *cluster; /* [ncluster] by what the facts of the last load lie in order, within
                              windows: "date", "customer.region" */
    size_t ndimensions;
    const vc_str *dimension_names;         /* [ndimensions] as the cube names them */
    const vc_dimension *const *dimensions; /* [ndimensions] */
    const bool *is_aggregatable;           /* [ndimensions] */
    const vc_str *default_members;         /* [ndimensions] paths; absent: none */
    size_t ncolumns;
    const vc_fact_column *columns; /* [ncolumns] measure columns */
    const int *measure_columns;    /* [definition->as.cube.nmeasures] into columns; -1: none
                                      (count of rows, calculated, distinct over a dimension) */
    vc_source_views *views;        /* what has been looked up of its facts; source_views.c */
    /* A part of a cube, as a role sees it: nrows and the dimensions are what is seen, runs and
     * segments what is stored. A fact is seen when all of its leaves are. NULL: all is seen. */
    const struct vc_source_cube *whole;
    const vc_leaf_mask *masks; /* [ndimensions]; NULL: nothing is hidden */
} vc_source_cube;

/* Leaves that the facts may name along a dimension. */
static inline uint32_t vc_source_cube_stored_leaves(const vc_source_cube *cube, size_t dimension)
{
    return cube->masks == NULL ? cube->dimensions[dimension]->nleaves
                               : cube->masks[dimension].nstored;
}

/* The leaf of the cube's dimension that a number in a fact stands for; VC_NONE: it is hidden. */
static inline uint32_t vc_source_cube_leaf(const vc_source_cube *cube, size_t dimension,
                                           uint32_t stored)
{
    const vc_leaf_mask *mask = cube->masks == NULL ? NULL : &cube->masks[dimension];
    return mask == NULL || mask->leaves == NULL ? stored : mask->leaves[stored];
}

/* The same of the n facts of a block: base + numbers [n] become leaves, with base 0. A hidden one
 * becomes 0: its facts are left out otherwise. */
static inline void vc_source_cube_show_block(const vc_source_cube *cube, size_t dimension,
                                             uint32_t base, uint32_t n, uint32_t *numbers)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t leaf = vc_source_cube_leaf(cube, dimension, base + numbers[i]);
        numbers[i] = leaf == VC_NONE ? 0 : leaf;
    }
}

/* Open a stored source cube.
 *
 * The definition is released with vc_source_cube_close; everything else goes with the arena.
 * VC_NOT_FOUND, code "unknown_cube", also when the cube of that name is a virtual one. */
vc_status vc_source_cube_open(const vc_snapshot *snapshot, vc_str name, vc_arena *arena,
                              vc_source_cube **cube_out, vc_error *error);
void vc_source_cube_close(vc_source_cube *cube);

/* The chunk of a column (a dimension's number, or a vc_fact_column's `column`) in a segment
 * numbered over all runs. */
vc_status vc_source_cube_chunk(const vc_source_cube *cube, const vc_snapshot *snapshot,
                               uint16_t column, uint32_t segment, vc_chunk *chunk_out,
                               vc_error *error);

/* The same, looked up once and kept with the cube: for scans, which come again. The snapshot is
 * always the one that the cube was opened with. Many threads may ask at once. */
vc_status vc_source_cube_view(const vc_source_cube *cube, const vc_snapshot *snapshot,
                              uint16_t column, uint32_t segment, const vc_chunk **chunk_out,
                              vc_error *error);

/* The zones of a column: [nsegments] over all runs, kept with the cube. No chunk is touched. */
vc_status vc_source_cube_zones(const vc_source_cube *cube, const vc_snapshot *snapshot,
                               uint16_t column, const vc_zone **zones_out, vc_error *error);

/* VC_NOT_FOUND, code "unknown_dimension", with candidates. */
vc_status vc_source_cube_find_dimension(const vc_source_cube *cube, vc_str name,
                                        size_t *dimension_out, vc_error *error);

/* The column of numbers that holds a CSV column, for weights; -1: none. */
int vc_source_cube_find_numbers(const vc_fact_column *columns, size_t ncolumns, vc_str name);

/* The text of an object's definition in its manifest (source, virtual, dimension, crosswalk), and
 * the kind. Manifests are JSON: {"kind": ..., "definition": "<text>", "file": ..., ...}. */
vc_status vc_manifest_definition(const vc_object *object, vc_arena *arena,
                                 vc_definition **definition_out, vc_error *error);

/* Check the images of all dimensions of the newest epoch, number for number (vc_dimension_check):
 * vc_store_verify knows of bytes and their checksums only.
 *
 * found  called with a sentence for each damaged one; may be NULL
 *
 * VC_OK with *ndamaged_out = 0 when all is well; VC_CORRUPT, with the first in error, otherwise. */
vc_status vc_source_cube_verify(vc_store *store, void (*found)(void *context, const char *sentence),
                                void *context, uint64_t *nimages_out, uint64_t *ndamaged_out,
                                vc_error *error);

#endif
