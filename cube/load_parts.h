/* What the files of the loader share. Private to cube/load*.c, and to cube/compact*.c, which write
 * cubes likewise.
 *
 *     load.c            order, checks among definitions, publishing, the report
 *     load_file.c       a data file: opening, rows, rejects, progress
 *     load_feed.c       from a row of CSV to the columns of a dimension: look-ups, derived time
 *     load_dimension.c  dimensions with a table of their own, shared ones
 *     load_columns.c    measure columns of the facts: which there are, parsing them
 *     load_spill.c      provisional row numbers that wait for their leaves
 *     load_block.c      blocks of facts: what can be read of them without changing anything
 *     load_window.c     the rows that wait to be put into segments
 *     load_cluster.c    the order in which they are put there
 *     load_segments.c   rows of a window become segments
 *     load_facts.c      the facts of a source cube, in one pass; more in load_facts_parts.h
 *     load_crosswalk.c  crosswalks
 *     load_append.c     does a definition fit the stored cube to which it appends
 */
#ifndef CUBE_LOAD_PARTS_H
#define CUBE_LOAD_PARTS_H

#include "base/buffer.h"
#include "base/crew.h"
#include "base/keymap.h"
#include "base/memo.h"
#include "base/strmap.h"
#include "cube/cluster.h"
#include "cube/csv.h"
#include "cube/load.h"
#include "cube/manifest.h"
#include "cube/rejects.h"
#include "cube/row_value.h"
#include "dimensions/builder.h"

/* ---- the load as a whole ---- */

typedef struct vc_loader_rejects { /* one file of rejected rows, for all who read the data file */
    vc_rejects *rejects;
    struct vc_loader_rejects *next;
} vc_loader_rejects;

/* A shared dimension: of this load, or of the store. */
typedef struct vc_shared_dimension {
    vc_str name;
    const vc_definition *definition;
    vc_str image;                  /* absent when it has no table: each cube makes its own */
    const vc_dimension *dimension; /* NULL likewise */
    vc_keymap leaves;              /* key to leaf, made when first needed */
    bool has_leaves;
    vc_buffer buffer;                /* owns the image of this load */
    vc_definition *definition_owned; /* of the store; NULL when it was given */
    struct vc_shared_dimension *next;
} vc_shared_dimension;

typedef struct vc_loader {
    vc_load *load;
    const char *spill_directory; /* of the store */
    const vc_load_options *options;
    const vc_load_body *body;        /* the facts of the only definition; NULL: they are in files */
    vc_arena arena;                  /* lives as long as the load */
    vc_loader_rejects *rejects;      /* newest first */
    vc_loader_rejects *rejects_last; /* the one written to last */
    vc_shared_dimension *shared;
    uint64_t nrejects;
    vc_error first_reject;
    vc_error rejects_failure; /* why they cannot be written; VC_OK when they can */
    uint64_t nbytes;
    int64_t progress_ns; /* when progress was last told */
} vc_loader;

void vc_loader_warn(const vc_loader *loader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Put a pointer into a definition on an error, with file, line and column; returns the status. */
vc_status vc_loader_place(const vc_definition *definition, vc_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- data files (load_file.c) ---- */

/* A CSV that a definition names, and the JSON pointer of its path there. */
typedef struct vc_load_csv {
    const vc_definition *definition;
    const vc_csv_def *csv;
    vc_str pointer;
} vc_load_csv;

/* All CSV files of a definition, in the arena. */
vc_status vc_load_list_csvs(const vc_definition *definition, vc_arena *arena,
                            vc_load_csv **csvs_out, size_t *ncsvs_out, vc_error *error);

/* Is the file there? VC_NOT_FOUND, code "missing_file", with the place in the definition and the
 * nearest files of its folder. */
vc_status vc_load_check_csv(const vc_load_csv *csv, vc_arena *arena, vc_error *error);

typedef struct vc_load_file {
    vc_loader *loader;
    const vc_definition *definition;
    vc_str path; /* NUL-terminated; "-" is standard input */
    vc_input *input;
    vc_csv *csv;
    char decimal;
    vc_loader_rejects *rejects; /* NULL before the first reject */
    uint64_t nrows, nrejects;
    vc_input_progress progress; /* of the input, when it was last looked at */
    vc_error reason; /* room for what is wrong with a row: too big to be cleared for each */
} vc_load_file;

/* Open and read the header. Errors name the data file, or the place in the definition. */
vc_status vc_load_file_open(vc_loader *loader, const vc_load_csv *csv, vc_load_file *file,
                            vc_error *error);

/* The same for facts that are sent; body NULL: there are none, which is as good as an empty file.
 */
vc_status vc_load_body_open(vc_loader *loader, const vc_load_csv *csv, const vc_load_body *body,
                            vc_load_file *file, vc_error *error);
void vc_load_file_close(vc_load_file *file);

/* The next good row; malformed ones become rejects. *is_end_out says that there was none. */
vc_status vc_load_file_next(vc_load_file *file, vc_csv_row *row, bool *is_end_out, vc_error *error);

/* The same for one row that a fork has been sent to (vc_csv_read_at). *has_row_out: it is one, and
 * not a reject. */
vc_status vc_load_file_again(vc_load_file *file, vc_csv *fork, vc_csv_row *row, bool *has_row_out,
                             vc_error *error);

/* Rows that were read elsewhere count, too; progress is told from time to time. */
void vc_load_file_count(vc_load_file *file, uint64_t nrows, uint64_t bytes_done);

/* Reject the row just read. reason: filled; file and line are added where missing. Fails when the
 * load has seen enough of them. */
vc_status vc_load_file_reject(vc_load_file *file, const vc_csv_row *row, vc_error *reason,
                              vc_error *error);

/* To be called at the end of a file: VC_BAD_INPUT, code "rejects", when there were too many;
 * "rejects_write" when there were not, but they could not be written down. */
vc_status vc_load_check_rejects(const vc_loader *loader, vc_error *error);

/* Set the place of a fault in the row: file, line, and the column of the field. SIZE_MAX: none. */
void vc_load_file_at(const vc_load_file *file, const vc_csv_row *row, size_t field,
                     vc_error *error);

/* Find a column that a definition names. VC_NOT_FOUND, code "unknown_column", at the pointer in the
 * definition, with candidates. */
vc_status vc_load_file_column(const vc_load_file *file, const vc_definition *definition,
                              vc_str name, size_t *field_out, vc_error *error, const char *pointer,
                              ...) __attribute__((format(printf, 6, 7)));

/* ---- rows of a dimension (load_feed.c) ---- */

typedef struct vc_feed vc_feed;

/* Plan which columns a dimension needs and where they come from; read its look-ups.
 *
 * file     where the rows come from: the dimension's table, or the facts. Borrowed until free
 * pointer  of the dimension in file->definition ("/dimensions/0", "" for a shared one), borrowed
 * column   the date column of derived levels; absent: the dimension's own
 */
vc_status vc_feed_new(const vc_load_file *file, const vc_definition *definition,
                      const vc_dimension_def *dimension, vc_str pointer, vc_str column,
                      vc_feed **feed_out, vc_error *error);
void vc_feed_free(vc_feed *feed); /* NULL is fine */

/* Only the plan, for rows that come from elsewhere: no file is opened. VC_NO_MEMORY. */
vc_status vc_feed_plan(const vc_definition *definition, const vc_dimension_def *dimension,
                       vc_str pointer, vc_str column, vc_feed **feed_out, vc_error *error);

/* What vc_dimension_builder_new wants; lives as long as the feed. */
const vc_dimension_spec *vc_feed_spec(const vc_feed *feed);

/* The only field of the file that the dimension needs; SIZE_MAX when there are several. */
size_t vc_feed_only_field(const vc_feed *feed);

/* All fields of the file from which the texts of a row follow: rows that are equal there are one.
 * Returns how many; 0 when out of memory. The array lives as long as the feed. */
size_t vc_feed_fields(vc_feed *feed, const size_t **fields_out);

/* The field that holds the key; SIZE_MAX when there is none. */
size_t vc_feed_key_field(const vc_feed *feed);

/* The texts of a row for vc_dimension_builder_add, valid until the next call and as long as the
 * row. VC_BAD_INPUT, code "bad_date", with the place, when the row must be rejected. */
vc_status vc_feed_row(vc_feed *feed, const vc_csv_row *row, const vc_str **columns_out,
                      vc_error *error);

/* ---- dimensions (load_dimension.c) ---- */

/* Read a table into an image.
 *
 * older      the dimension that this load appends to, or NULL
 * image      receives the image; *dimension_out is a view of it, its structs in the arena
 * nrows_out  rows of the table
 */
vc_status vc_load_table(vc_loader *loader, const vc_definition *definition,
                        const vc_dimension_def *dimension, vc_str pointer,
                        const vc_dimension *older, vc_arena *arena, vc_buffer *image,
                        const vc_dimension **dimension_out, uint64_t *nrows_out, vc_error *error);

/* Add a row to a builder: a row that cannot be used is rejected (*row_out is VC_NONE), one that
 * contradicts another is an error of the load. */
vc_status vc_load_add_row(vc_load_file *file, vc_feed *feed, vc_dimension_builder *builder,
                          const vc_csv_row *row, uint32_t *row_out, vc_error *error);

/* Start a builder for a feed. A dimension that has changed too much to be appended to is
 * VC_CONFLICT, code "append_mismatch". */
vc_status vc_load_start_builder(const vc_feed *feed, const vc_definition *definition,
                                vc_str pointer, const vc_dimension *older,
                                vc_dimension_builder **builder_out, vc_error *error);

/* Finish a builder: number the leaves, warn about labels, name the file in errors.
 *
 * pointer  of the dimension in the definition of the file, for an error of its default member */
vc_status vc_load_finish_dimension(vc_loader *loader, vc_dimension_builder *builder,
                                   const vc_load_file *file, vc_str name, vc_str pointer,
                                   const vc_dimension_def *definition, vc_buffer *image,
                                   const uint32_t **leaf_of_row_out, vc_error *error);

/* Are the dimension's leaf keys integers, so that 007 in the facts is the leaf 7? */
bool vc_load_has_int_key(const vc_dimension_def *dimension);

/* Load a shared dimension that was given; it goes into the list and into the store. */
vc_status vc_load_shared(vc_loader *loader, const vc_definition *definition,
                         vc_load_object_report *report, vc_error *error);

/* A shared dimension by name: of this load, else of the store. VC_NOT_FOUND with candidates. */
vc_status vc_load_find_shared(vc_loader *loader, vc_str name, vc_shared_dimension **shared_out,
                              vc_error *error);

/* Key to leaf. The number of a key in the map is its leaf. */
vc_status vc_load_map_leaves(const vc_dimension *dimension, vc_keymap *leaves, vc_error *error);

/* ---- measure columns (load_columns.c) ---- */

/* The distinct fact columns that the measures of a cube need.
 *
 * Measures that read one CSV column as the same type share it; a count of a column uses whatever
 * is stored of it, or a presence column. measure_columns_out [nmeasures]: -1 for none. */
vc_status vc_load_plan_columns(const vc_cube_def *cube, vc_arena *arena,
                               vc_fact_column **columns_out, size_t *ncolumns_out,
                               int **measure_columns_out, vc_error *error);

/* A column while it is read. */
typedef struct vc_load_column {
    const vc_fact_column *column;
    size_t field;              /* of the CSV */
    const vc_row_value *value; /* computed from several fields; NULL: read from one */
    size_t nfields;
    const size_t *fields; /* [nfields] of a computed one */
    vc_strmap codes;      /* of a dictionary */
    vc_memo known;        /* the same, for threads that only look */
} vc_load_column;

void vc_load_column_release(vc_load_column *column);

/* The value of a text that is not null, as it is stored: an integer, or the bits of a double. Not
 * for dictionaries. Pure. */
vc_parse vc_load_column_parse(const vc_fact_column *column, vc_str text, char decimal,
                              int64_t *value_out);

/* The same; VC_BAD_INPUT with a reason, code "bad_number", "overflow" or "inexact". */
vc_status vc_load_column_need(const vc_fact_column *column, vc_str text, char decimal,
                              int64_t *value_out, vc_error *error);

/* The value that is computed from a row's fields. Pure.
 * field_out  of the text that cannot be read; when it is the result that does not fit, the first */
vc_parse vc_load_column_compute(const vc_load_column *column, const vc_str *fields, char decimal,
                                int64_t *value_out, bool *is_null_out, size_t *field_out);

/* The same; VC_BAD_INPUT with a reason. */
vc_status vc_load_column_need_computed(const vc_load_column *column, const vc_str *fields,
                                       char decimal, int64_t *value_out, bool *is_null_out,
                                       size_t *field_out, vc_error *error);

/* The code of a text that is not null, made when it is new; fails only when out of memory. */
vc_status vc_load_column_code(vc_load_column *column, vc_str text, int64_t *value_out,
                              vc_error *error);

/* vc_parse_int, sooner for what is usual. */
vc_parse vc_load_parse_int(vc_str text, int64_t *value_out);

/* ---- blocks of facts (load_block.c) ---- */

typedef struct vc_keyed_recipe { /* a dimension whose leaves are known: by the key */
    size_t number;               /* of the dimension */
    size_t field;
    bool has_int_key;
    const vc_keymap *leaves;
} vc_keyed_recipe;

typedef struct vc_built_recipe { /* one that is made from the facts: by the fields it is made of */
    size_t number;
    size_t nfields;
    const size_t *fields;
    const vc_memo *memo; /* its rows so far */
} vc_built_recipe;

/* How the cells of a row follow from its fields, as far as that changes nothing. A row has a cell
 * for each dimension (leaf, or provisional row), then one for each measure column. */
typedef struct vc_fact_recipe {
    char decimal;
    size_t nkeyed, nbuilt, ndimensions, ncolumns;
    const vc_keyed_recipe *keyed;
    const vc_built_recipe *built;
    const vc_load_column *columns; /* only looked at */
} vc_fact_recipe;

/* The text under which a built dimension's row is remembered: that of its only field, or all of
 * them in the buffer. Absent when it is too long to be, or memory is short. */
vc_str vc_fact_memo_key(const vc_built_recipe *built, const vc_str *fields, vc_buffer *buffer);

/* A row that needs more than looking: a new code, or a reject. */
typedef struct vc_fact_odd {
    uint32_t place;  /* before this one of the rows that were read */
    uint32_t offset; /* of its record in the block */
    uint32_t line;   /* from the block's first */
} vc_fact_odd;

typedef struct vc_fact_block {
    vc_csv_block bytes;
    vc_status status; /* why nothing can be read behind it */
    vc_error error;
    uint32_t nrows, capacity;
    vc_fact_odd *places; /* [capacity] of the rows: any may yet turn out to be odd */
    int64_t **cells;     /* [ndimensions + ncolumns][capacity] */
    uint8_t **nulls;     /* [ncolumns][capacity] 1 where null; only valid where has_nulls */
    bool *has_nulls;     /* [ncolumns] */
    vc_fact_odd *odd;
    uint32_t nodd, odd_capacity;
    /* Keys of built dimensions that were not known when the block was read. The cell of number k is
     * -1 - k; the first row that has it makes the member when it is taken. */
    vc_memo *fresh; /* [nbuilt] key to number */
    uint32_t nfresh, fresh_capacity;
    uint32_t *fresh_rows; /* [nfresh] what the numbers stand for; VC_NONE: not known yet */
    vc_arena fresh_arena;
    uint64_t nlines;
} vc_fact_block;

/* Reads a file of facts with a crew: blocks come in the order of the file. */
typedef struct vc_fact_reader vc_fact_reader;

/* file, recipe  borrowed until free; file->csv is the reader's from now on
 * block_bytes   0: what is best */
vc_status vc_fact_reader_new(const vc_load_file *file, const vc_fact_recipe *recipe,
                             unsigned nthreads, size_t block_bytes, vc_fact_reader **reader_out,
                             vc_error *error);
void vc_fact_reader_free(vc_fact_reader *reader); /* NULL is fine */

/* NULL at the end. The block is the caller's until vc_fact_reader_done. */
vc_fact_block *vc_fact_reader_next(vc_fact_reader *reader);
void vc_fact_reader_done(vc_fact_reader *reader);
vc_crew *vc_fact_reader_crew(vc_fact_reader *reader);
unsigned vc_fact_reader_nthreads(const vc_fact_reader *reader);

/* ---- rows that wait for their segment (load_window.c) ---- */

typedef struct vc_spill vc_spill;

typedef struct vc_segment_column {
    uint16_t number; /* in the store */
    bool is_double;  /* cells are the bits of doubles, which are not made narrow */
    vc_spill *spill; /* gets the cells, which are provisional rows; NULL: they are stored */
} vc_segment_column;

/* Columns of cells, each as narrow as its values allow so far. */
typedef struct vc_window vc_window;

vc_status vc_window_new(size_t ncolumns, const vc_segment_column *columns, vc_window **window_out,
                        vc_error *error);
void vc_window_free(vc_window *window); /* NULL is fine */
uint32_t vc_window_nrows(const vc_window *window);
size_t vc_window_bytes(const vc_window *window); /* of its rows */
void vc_window_clear(vc_window *window);

/* Append cells of a column: cells [nrows], nulls [nrows] or NULL. The rows count when
 * vc_window_add_rows is called, after all columns have theirs. */
vc_status vc_window_put(vc_window *window, size_t column, const int64_t *cells,
                        const uint8_t *nulls, uint32_t nrows, vc_error *error);
void vc_window_add_rows(vc_window *window, uint32_t nrows);

/* Cells of rows first .. first + nrows - 1, of the order when there is one (order [vc_window_nrows]
 * is which row comes when; NULL: as they came).
 *
 * validity_out  [nrows / 8 + 1] bitmap; *has_nulls_out says whether it was needed
 * Any thread, while nothing is put. */
void vc_window_get(const vc_window *window, size_t column, const uint32_t *order, uint32_t first,
                   uint32_t nrows, int64_t *cells_out, uint8_t *validity_out, bool *has_nulls_out);

/* The ranks of rows first .. first + nrows - 1, as they came: their cells, which are no less than
 * 0, or ranks[cell]. Any thread, while nothing is put. */
void vc_window_get_ranks(const vc_window *window, size_t column, const uint32_t *ranks,
                         uint32_t first, uint32_t nrows, uint32_t *ranks_out);

/* ---- the order of the facts (load_cluster.c) ---- */

typedef struct vc_order_item {
    size_t dimension; /* also its column of a window */
    vc_str text;      /* as the definition has it */
    unsigned hierarchy;
    int level; /* -1: by leaf */
    /* keyed dimensions: */
    const uint32_t *ranks; /* of leaves; NULL: leaves are ranks */
    uint32_t nranks;
    /* built ones: */
    const vc_dimension_builder *builder; /* NULL: keyed */
} vc_order_item;

typedef struct vc_load_order {
    vc_order_item *items; /* the most important one first */
    size_t nitems;        /* 0: facts stay as they come */
    vc_cluster cluster;
} vc_load_order;

/* What the definition says, in the arena: with room for one item when it says nothing. */
vc_status vc_load_list_cluster(const vc_cube_def *cube, vc_arena *arena, vc_load_order *order,
                               vc_error *error);

/* Shall the facts be in the order of this dimension, because the definition says nothing and it is
 * the first of time? */
bool vc_load_is_default_order(const vc_cube_def *cube, const vc_load_order *order,
                              const vc_dimension_def *dimension);

/* Find the levels that items name of a dimension. VC_BAD_INPUT, code "unknown_level", with place
 * and candidates. */
vc_status vc_load_find_order_levels(const vc_definition *definition, size_t number,
                                    const vc_dimension_def *dimension, vc_load_order *order,
                                    vc_error *error);

/* Keep what items need of a keyed dimension: in the arena. */
vc_status vc_load_keep_ranks(const vc_dimension *dimension, size_t number, vc_load_order *order,
                             vc_arena *arena, vc_error *error);

/* The order of a window's rows, valid until the next call; NULL when they may stay. */
vc_status vc_load_sort_window(vc_load_order *order, const vc_window *window, vc_crew *crew,
                              unsigned nthreads, const uint32_t **order_out, vc_error *error);

/* ---- segments (load_segments.c) ---- */

/* Encodes the rows of windows by all threads of a crew, and puts them as segments 0, 1, ... of an
 * object. */
typedef struct vc_segments vc_segments;

/* load, object, columns [ncolumns], crew  borrowed until free
 * nthreads  of the crew */
vc_status vc_segments_new(vc_load *load, const vc_object *object, size_t ncolumns,
                          const vc_segment_column *columns, vc_crew *crew, unsigned nthreads,
                          vc_segments **segments_out, vc_error *error);
void vc_segments_free(vc_segments *segments);            /* NULL is fine */
uint32_t vc_segments_count(const vc_segments *segments); /* that were put */
uint64_t vc_segments_nrows(const vc_segments *segments); /* in them */

/* Put the first nrows rows of the window, in the order when there is one (see vc_window_get). Only
 * the last call may put rows that do not fill their last segment. VC_LIMIT, code "limit_facts";
 * what putting and spilling may return. */
vc_status vc_segments_put(vc_segments *segments, const vc_window *window, const uint32_t *order,
                          uint32_t nrows, vc_error *error);

/* Put a column that was spilled, when all rows have come: leaf_of_row[provisional row]. */
vc_status vc_segments_put_spilled(vc_segments *segments, size_t column, const uint32_t *leaf_of_row,
                                  vc_error *error);

/* ---- provisional rows (load_spill.c) ---- */

/* Row numbers of dimensions that get their leaves only when all facts were read. Pieces of a
 * segment each; the first ones stay in memory, the others go to a nameless file, so that memory is
 * bounded whatever the number of facts: a vc_spill. */

/* directory  where the nameless file shall be */
vc_status vc_spill_new(const char *directory, vc_spill **spill_out, vc_error *error);
void vc_spill_free(vc_spill *spill); /* NULL is fine */

/* Pieces are numbered from 0 and put in order. rows [nrows], nrows at most VC_SEGMENT_ROWS. */
vc_status vc_spill_put(vc_spill *spill, const uint32_t *rows, uint32_t nrows, vc_error *error);
vc_status vc_spill_get(const vc_spill *spill, uint64_t piece, uint32_t *rows, uint32_t nrows,
                       vc_error *error);

/* ---- facts ---- */

/* Load a source cube: dimensions, facts, manifest. (load_facts.c) */
vc_status vc_load_source(vc_loader *loader, const vc_definition *definition,
                         vc_load_object_report *report, vc_error *error);

/* Load a crosswalk. (load_crosswalk.c) */
vc_status vc_load_crosswalk(vc_loader *loader, const vc_definition *definition,
                            vc_load_object_report *report, vc_error *error);

/* May the definition append to the stored cube? VC_CONFLICT, code "append_mismatch", with the place
 * of the first difference.
 *
 * advice  what the message says can be done: "load it anew instead of appending" (load_append.c) */
vc_status vc_load_check_append(const vc_definition *definition, const vc_source_cube *stored,
                               const char *advice, vc_error *error);

/* May the facts of a cube that were numbered by `older` be numbered by `newer`? Its leaves must be
 * the first ones of newer, by key. VC_CONFLICT, code "append_mismatch". */
vc_status vc_load_check_leaves(const vc_dimension *older, const vc_dimension *newer, vc_str name,
                               vc_error *error);

/* A stored image, copied into the arena: in place it would lie in the map, which may move with the
 * next batch of the load. */
vc_status vc_load_copy_image(const vc_loader *loader, const vc_object *object, uint16_t column,
                             vc_arena *arena, vc_str *image_out, const vc_dimension **dimension_out,
                             vc_error *error);

/* Set the manifest of an object of the load. */
vc_status vc_load_put_manifest(vc_loader *loader, const vc_object *object,
                               const vc_manifest *manifest, const uint32_t *parts, size_t nparts,
                               vc_error *error);

#endif
