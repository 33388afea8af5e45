/* Building a dimension from rows of text.
 *
 *     vc_dimension_builder *builder;
 *     vc_dimension_builder_new(&spec, older, &builder, error);
 *     for each row:  vc_dimension_builder_add(builder, columns, &row, error);
 *     vc_dimension_builder_finish(builder, &image, &leaf_of_row, &report, error);
 *     vc_dimension_builder_free(builder);
 *
 * Rows that are equal in what identifies a leaf are one leaf: the key column, or without one the
 * level keys and attributes. Labels and order values identify nothing. Adding is O(1) and meant for
 * millions of rows (facts without a table add the columns of every fact).
 *
 * Of a member's rows the first in load order that has a label gives the label, the first that has
 * an order value gives its place. Siblings are sorted by that value (as numbers when all values of
 * the column are plain numbers, otherwise by bytes; null last), then by key.
 * Threads: one.
 */
#ifndef DIMENSIONS_BUILDER_H
#define DIMENSIONS_BUILDER_H

#include "base/buffer.h"
#include "base/crew.h"
#include "dimensions/dimension.h"

typedef struct vc_dimension_builder vc_dimension_builder;

typedef enum vc_skip {                    /* when does a leaf have no member at a level? */
                       VC_SKIP_NEVER = 0, /* a null key is a member of its own */
                       VC_SKIP_BLANK,     /* where the key is null, empty or white space */
                       VC_SKIP_PARENT,    /* there, and where it is the key of the member above */
} vc_skip;

typedef struct vc_level_spec {
    vc_str name, label;
    unsigned key_column;
    int label_column; /* -1: none */
    int order_column; /* -1: none */
    vc_key_type key_type;
    vc_skip skip;
} vc_level_spec;

typedef struct vc_hierarchy_spec {
    vc_str name, label;
    unsigned nlevels;
    const vc_level_spec *levels;
    /* Parent-child: every row is a node, whose parent is the row with the key in parent_column, and
     * a root where that is null, its own key or the key of no row. The levels are the depths, or
     * what a row's level_column names; all have the key column for key. There are as many as the
     * rows are deep: those that are not listed are like the last one, which gives them its name
     * with the depth behind it ("level3"). */
    bool is_parent_child;
    unsigned parent_column;
    int level_column; /* -1: none; looked at only when is_parent_child */
    /* A leaf may stand under several parents: several rows of one key, which differ in what leads
     * to the leaf here and in nothing else. Needs a key column. */
    bool has_several_parents;
} vc_hierarchy_spec;

typedef struct vc_attribute_spec {
    vc_str name;
    unsigned column;
    int hierarchy, level; /* -1, -1: of the leaf; otherwise that level lists it as its own */
} vc_attribute_spec;

typedef struct vc_index_spec {
    vc_str name;
    vc_str attribute; /* an attribute, `key`, the key column, a level, or else any column */
    bool is_unique;
    bool has_where; /* partial: only leaves (or members, when the attribute belongs to a level)
                       whose where_attribute has one of the values */
    vc_str where_attribute; /* named like `attribute`; of the same leaves or members, or of a level
                               above them */
    const vc_str *where_values;
    size_t nwhere_values;
} vc_index_spec;

typedef struct vc_dimension_spec {
    vc_str name, label;
    bool is_time;
    bool has_table; /* the rows are those of a table, not of facts */
    unsigned ncolumns;
    const vc_str *column_names; /* [ncolumns], for messages and the key's name */
    int key_column;             /* identifies the leaf; -1: the tuple of all columns does, those
                                   left out that are nothing but a level's labels or order */
    unsigned nhierarchies;
    const vc_hierarchy_spec *hierarchies;
    unsigned nattributes;
    const vc_attribute_spec *attributes;
    unsigned nindexes;
    const vc_index_spec *indexes;
} vc_dimension_spec;

/* spec   borrowed until free
 * older  the dimension as published, to which this load appends; its leaves keep their numbers.
 *        NULL for a fresh one. Borrowed until free.
 *
 * VC_BAD_INPUT: codes "bad_dimension" (no levels or too many, a column that is not there),
 * "unknown_attribute" (an index names something that is not there), "definition_changed" (older has
 * other columns). Cost with older: a row added for each of its leaves. */
vc_status vc_dimension_builder_new(const vc_dimension_spec *spec, const vc_dimension *older,
                                   vc_dimension_builder **builder_out, vc_error *error);
void vc_dimension_builder_free(vc_dimension_builder *builder);

/* Add a row.
 *
 * columns  [ncolumns] texts, absent where null; copied
 * row_out  the number of the distinct row (not yet the leaf), dense from 0; the rows of the
 *          older dimension are the first ones
 *
 * VC_BAD_INPUT: code "empty_key" for a null or empty key column; "duplicate_key" for a key seen
 * before with contradicting columns (message names key, column, both values); "bad_key" where a
 * level of type int or date holds something else. Integers are kept in their shortest form (7 for
 * 007); a date is YYYY-MM-DD, or a coarser one: YYYY-MM, YYYY-Q1, YYYY-W01, YYYY. The builder stays
 * usable: the row was not added, and the caller may reject it and go on. */
vc_status vc_dimension_builder_add(vc_dimension_builder *builder, const vc_str *columns,
                                   uint32_t *row_out, vc_error *error);

/* The row of a key that was added, or is in the older dimension (VC_NONE when there is none): how
 * facts find their leaf; of several rows the first. Only with a key column. */
uint32_t vc_dimension_builder_find(const vc_dimension_builder *builder, vc_str key);

uint32_t vc_dimension_builder_nrows(const vc_dimension_builder *builder);

/* The ranks of the rows added so far: their leaves as finishing now would number them, or their
 * members of a level (level < 0: leaves). So rows can be sorted before all of them are known; that
 * more of them come hardly ever changes the order of those that are there (it does when the values
 * of an order column turn out not to be numbers).
 *
 * ranks_out  [nrows] in the arena; all < *nranks_out
 * VC_NO_MEMORY. O(nrows) as finishing. */
vc_status vc_dimension_builder_rank(const vc_dimension_builder *builder, unsigned hierarchy,
                                    int level, vc_arena *arena, const uint32_t **ranks_out,
                                    uint32_t *nranks_out, vc_error *error);

typedef struct vc_dimension_report {
    uint64_t nlabel_conflicts; /* members whose rows gave two labels: the first stands */
    char label_conflict[192];  /* the first such, for the warning; "" when none */
    uint32_t nnew_leaves;      /* not in the older dimension */
    uint64_t nlost_parents;    /* rows of parent-child hierarchies whose parent is not there */
    char lost_parent[160];     /* the first such; "" when none */
} vc_dimension_report;

/* Have finishing share its work among the threads of a crew, which is borrowed until then. The
 * image is the same. */
void vc_dimension_builder_share(vc_dimension_builder *builder, vc_crew *crew);

/* Number the leaves, make the levels and the indexes, and write the image. Once per builder; only
 * free it afterwards.
 *
 * image             the bytes for vc_dimension_open, to be stored; replaces what the buffer held
 * leaf_of_row_out   [nrows] in the builder's memory, valid until free
 *
 * VC_BAD_INPUT: "parent_cycle" for a row that is its own ancestor; VC_LIMIT, "limit_places", for
 * one in which very many ways lead down; "parent_level" for one whose
 * level is not below its parent's, or is none of the hierarchy's; VC_LIMIT, "limit_levels", for a
 * tree that is too deep; "index_not_unique" for an index declared unique that is not, the message
 * lists the first keys and their members and counts the rest; "attribute_conflict" for an attribute
 * of a level that has two values within a member. */
vc_status vc_dimension_builder_finish(vc_dimension_builder *builder, vc_buffer *image,
                                      const uint32_t **leaf_of_row_out,
                                      vc_dimension_report *report_out, vc_error *error);

#endif
