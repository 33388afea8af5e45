/* A dimension: leaves, hierarchies of levels over them, attributes and indexes, as flat arrays.
 *
 * A *leaf* is a row of the dimension's table, identified by its key; without a table it is a
 * distinct tuple of the level and attribute columns. Facts refer to leaves by number. A *member*
 * of a level is the path of its level keys; members of a level are numbered in member order, which
 * is hierarchical: parents first in their own order, then by the level's keys (as numbers when all
 * keys of the level are numbers, otherwise by bytes) or by the level's `order` column; a null key
 * sorts last. So ascending member numbers are the order in which answers are listed, and the
 * children of a member are one range of the level below.
 *
 * A hierarchy may be *ragged*: some leaves have no member at some of its levels. Inside it is kept
 * even all the same: what is missing is a *hidden* member, with a null key, which no listing, path
 * or answer shows. A parent-child hierarchy is such a one: its levels are the depths of the tree,
 * every row of the table is a leaf, and the leaf of a row that has others below it stands under a
 * hidden member of the next level (its path ends with "(self)").
 *
 * A leaf may stand under several parents of one hierarchy. Then it has a number for each of its
 * *places*: the first one, by which facts know it, and others, its *doubles*, which are the last
 * `ndoubles` numbers of all. So each number has one member on each level, as ever; what a member
 * has is what the leaves have of which a place is under it, each once. `nleaves` counts all
 * numbers.
 *
 * Leaves of a fresh load are numbered depth first through the main (first) hierarchy, so a member
 * of any of its levels is one range of leaves (`is_contiguous`). Leaves that arrive later by an
 * append take the next numbers; the level tables are made anew, and stay right, but no longer
 * contiguous.
 *
 * A dimension is one *image*: a block of bytes that is stored as it is and read in place.
 * Threads: immutable, shared freely. Lifetime: views into the image and the arena it was opened
 * with.
 */
#ifndef DIMENSIONS_DIMENSION_H
#define DIMENSIONS_DIMENSION_H

#include "base/arena.h"
#include "base/bits.h"
#include "base/buffer.h"
#include "base/status.h"
#include "base/text.h"
#include "dimensions/flat.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    VC_MAX_LEVELS = 64,       /* of a tree */
    VC_MAX_NAMED_LEVELS = 16, /* in a definition */
    VC_MAX_HIERARCHIES = 8
};

typedef enum vc_key_type { VC_KEY_TEXT = 0, VC_KEY_INT = 1, VC_KEY_DATE = 2 } vc_key_type;

typedef struct vc_level {
    vc_str name, label;
    vc_key_type key_type; /* VC_KEY_INT: keys are written as JSON numbers */
    bool is_numeric;      /* members are in the order of their keys as numbers */
    bool is_ordered_by_column;
    bool is_contiguous; /* each member is one range of leaves: [first_leaf[m], first_leaf[m+1]) */
    bool has_labels;    /* a label column was given; otherwise labels are the keys */
    bool is_ragged;     /* a member with a null key is hidden */
    uint32_t nmembers;
    vc_texts keys;      /* [nmembers]; the null member's is absent */
    vc_texts labels;    /* [nmembers] */
    vc_numbers parents; /* [nmembers] member of the level above, ascending; not at the top */
    const uint32_t *first_child; /* [nmembers + 1] into the level below; NULL at the lowest */
    vc_numbers leaf_members;     /* [nleaves] the leaf's member at this level; never VC_NONE */
    vc_numbers first_leaf;       /* [nmembers + 1], only when is_contiguous */
    vc_numbers by_key;           /* [nmembers] members sorted by the bytes of their keys */
} vc_level;

typedef struct vc_hierarchy {
    vc_str name, label;
    unsigned nlevels;
    vc_level *levels; /* [nlevels] from the top; All stands above and is not listed */
    bool is_ragged;   /* some level is */
    bool is_parent_child;
} vc_hierarchy;

/* An attribute of leaves, or of the members of a level that lists it as its own. Of a level's
 * attribute the rows of a member may leave some values null: null contradicts nothing. */
typedef struct vc_attribute {
    vc_str name;
    int hierarchy, level; /* -1, -1: of the leaf */
    vc_texts values;      /* distinct values in the order of their bytes */
    vc_numbers codes;     /* [nleaves or nmembers] into values; VC_NONE where null */
} vc_attribute;

/* A look-up from value to the leaves (or members of a level) that have it. */
typedef struct vc_index {
    vc_str name;
    int hierarchy, level;    /* -1, -1: members are leaves */
    bool is_implicit;        /* `key`, the key column, a level, or an attribute nobody declared */
    bool is_unique;          /* verified: no value has two members (declared so, or the key's);
                                places of one leaf are one */
    bool is_partial;         /* has a `where`: only some members are in it */
    vc_texts values;         /* distinct, in the order of their bytes, each with some member; null
                                and the empty text are not in an index */
    vc_numbers offsets;      /* [values.count + 1] into members */
    const uint32_t *members; /* ascending per value */
} vc_index;

typedef struct vc_dimension {
    vc_str name, label;
    bool is_time;
    uint32_t nleaves;
    bool has_places;    /* a leaf may have several: some hierarchy says so, though none may have */
    uint32_t ndoubles;  /* the last ones of them: further places of leaves before them */
    vc_numbers firsts;  /* [ndoubles] the leaf that each is a place of */
    vc_texts leaf_keys; /* [nleaves]; count 0 when leaves have no key (no key column) */
    vc_str key_name;    /* name of the key column, "" when there is none */
    unsigned nhierarchies;
    vc_hierarchy *hierarchies; /* the first one is the main one */
    unsigned nattributes;
    vc_attribute *attributes;
    unsigned nindexes;
    vc_index *indexes; /* declared ones first, then the implicit ones; names are distinct */
    unsigned ncolumns; /* of its table: vc_dimension_read_rows */
    struct vc_row_column *row_columns;
    vc_str packed_rows;
    uint64_t rows_bytes;  /* unpacked */
    uint64_t fingerprint; /* XXH3 of the image apart from the dimension's name and label: equal
                             means the same leaves and members, numbered alike */
} vc_dimension;

/* Leaves, however many places each has. */
static inline uint32_t vc_dimension_count_leaves(const vc_dimension *dimension)
{
    return dimension->nleaves - dimension->ndoubles;
}

/* The leaf that a number is a place of: that by which facts know it. */
static inline uint32_t vc_leaf_first(const vc_dimension *dimension, uint32_t leaf)
{
    uint32_t count = vc_dimension_count_leaves(dimension);
    return leaf < count ? leaf : vc_numbers_get(dimension->firsts, leaf - count);
}

/* The places of each leaf: places_out [offsets_out[nleaves]], ascending per leaf; a double has
 * none. In the arena. VC_NO_MEMORY. O(nleaves). */
vc_status vc_dimension_list_places(const vc_dimension *dimension, vc_arena *arena,
                                   uint32_t **offsets_out, uint32_t **places_out, vc_error *error);

/* Set the bit of every place of the leaves of which some place has its bit set. bits [nleaves] is
 * in/out. Does nothing where no leaf has several places. */
void vc_dimension_mark_places(const vc_dimension *dimension, uint64_t *bits);

/* ---- ask ---- */

/* All of these return VC_NOT_FOUND with nearest names as candidates: codes "unknown_hierarchy",
 * "unknown_level", "unknown_index", "unknown_member". */

/* By name; an absent or empty name is the main hierarchy. */
vc_status vc_dimension_find_hierarchy(const vc_dimension *dimension, vc_str name,
                                      unsigned *hierarchy_out, vc_error *error);

vc_status vc_hierarchy_find_level(const vc_dimension *dimension, unsigned hierarchy, vc_str name,
                                  unsigned *level_out, vc_error *error);

/* By name: declared indexes first, then `key`, the key column, levels (of all hierarchies, the main
 * one first), attributes. Where leaves have no key, `key` is the lowest level of the main
 * hierarchy. */
vc_status vc_dimension_find_index(const vc_dimension *dimension, vc_str name,
                                  const vc_index **index_out, vc_error *error);

/* NULL when there is no attribute of that name. */
const vc_attribute *vc_dimension_find_attribute(const vc_dimension *dimension, vc_str name);

/* The members that have the value; *nmembers_out = 0 when none. O(log values). */
void vc_index_find(const vc_index *index, vc_str value, const uint32_t **members_out,
                   size_t *nmembers_out);

typedef struct vc_member_ref {
    unsigned level;
    uint32_t member;
} vc_member_ref;

/* Is a member only there so that the hierarchy is even? */
static inline bool vc_member_is_hidden(const vc_level *level, uint32_t member)
{
    return level->is_ragged && vc_texts_get(&level->keys, member).data == NULL;
}

/* The nearest member above that is not hidden; false when that is All. O(levels). */
bool vc_member_parent(const vc_hierarchy *hierarchy, vc_member_ref member,
                      vc_member_ref *parent_out);

#define VC_SELF_KEY "(self)"

/* Find the member of a path: nkeys (at least 1) keys from the top of the hierarchy, or one key that
 * is unique in the hierarchy. An empty key stands for the null member. A key of an int level may be
 * written with a sign or zeros in front. Levels at which a ragged hierarchy has nothing are left
 * out of the path. In a parent-child hierarchy a last key "(self)" is the member's own leaf: what
 * is found is hidden, or the member itself when nothing is below it.
 *
 * A single key is looked for on the top level first, as a path of one: found there it is that
 * member, which has no longer path to be told apart by. Otherwise it is the one member of the
 * levels below that has the key; with several: VC_IMPOSSIBLE, code "ambiguous_key", with the first
 * paths as candidates. So has a longer path that several members of a ragged hierarchy have, with
 * their levels as candidates. Not found: VC_NOT_FOUND, code "unknown_member"; candidates are the
 * nearest keys (or keys of the nearest labels) of where it failed, looked for among the first
 * 65536. arena is for the work only. O(keys * log members). */
vc_status vc_hierarchy_find_member(const vc_dimension *dimension, unsigned hierarchy,
                                   const vc_str *keys, size_t nkeys, vc_arena *arena,
                                   vc_member_ref *member_out, vc_error *error);

/* Members of one level that have the key, whatever their parents, ascending; none is VC_OK with
 * *nmembers_out = 0. The array is in the arena. Keys are read as in a path. */
vc_status vc_level_find_members(const vc_level *level, vc_str key, vc_arena *arena,
                                uint32_t **members_out, size_t *nmembers_out, vc_error *error);

/* The number of each leaf's value in an index, VC_NONE where it has none; an index on a level gives
 * its members' values to the leaves below. values_out [nleaves] is in the arena. Where a leaf has
 * several, the last. VC_NO_MEMORY. */
vc_status vc_index_leaf_values(const vc_dimension *dimension, const vc_index *index,
                               vc_arena *arena, uint32_t **values_out, vc_error *error);

/* Compare two keys in the order of the level's members: as numbers where the level is numeric
 * (exactly, whatever their length; a text that is no number comes after all numbers), otherwise by
 * bytes; an absent key is last. Where `is_ordered_by_column` this compares the keys
 * still, and is not the order in which members are listed. */
int vc_level_compare_keys(const vc_level *level, vc_str a, vc_str b);

/* Set the bit of each leaf under the member. bits [vc_bits_words(nleaves)] is in/out. Costs the
 * member's leaves / 64 where the level is contiguous, otherwise a look at every leaf. */
void vc_level_mark_leaves(const vc_dimension *dimension, const vc_level *level, uint32_t member,
                          uint64_t *bits);

/* A key as it stands in a path: what means something in a cut is escaped, and "()", which alone
 * would be All. */
void vc_path_put_key(vc_buffer *text, vc_str key);

/* The path of a member as "Europe,Western Europe,FRA", escaped as in a cut; absent when out of
 * memory. */
vc_str vc_member_path(const vc_hierarchy *hierarchy, unsigned level, uint32_t member,
                      vc_arena *arena);

/* ---- open (what vc_dimension_build made) ---- */

/* Point into an image. image: aligned to 8, stays valid as long as the dimension is used. The
 * struct and its small arrays are in the arena.
 *
 * VC_CORRUPT, code "storage_damaged", when the image does not hold together: every array must lie
 * inside it. What the arrays hold is not looked at: the image was checked when it was made
 * (vc_dimension_check), and its checksum, which the storage verifies before it hands out the first
 * byte, says that it is still what was written. A checksum guards against damage, not against
 * somebody who writes an image of his own: a store is trusted as a program is. Cost: that of the
 * number of arrays, whatever their size. */
vc_status vc_dimension_open(vc_str image, vc_arena *arena, const vc_dimension **dimension_out,
                            vc_error *error);

/* Look at every size, offset and number of an image, so that whatever is asked of it stays inside
 * it. For whoever writes images, before they are published, and for `vcube verify`.
 *
 * VC_CORRUPT as above; VC_NO_MEMORY. One pass over the image, and over the rows unpacked. */
vc_status vc_dimension_check(vc_str image, vc_error *error);

/* ---- the table it was made of ---- */

/* A column of the dimension's table, leaf by leaf, as it came. */
typedef struct vc_leaf_column {
    vc_str name;
    vc_texts values;
    vc_numbers codes; /* [nleaves] into values; VC_NONE where null, which absent values are too */
} vc_leaf_column;

/* What an append compares its rows with, and numbers everything anew from. */
typedef struct vc_dimension_rows {
    unsigned ncolumns;
    vc_leaf_column *columns;
    const uint32_t *load_order; /* [nleaves] leaves in the order in which they were first loaded */
} vc_dimension_rows;

/* Unpack them. Everything is in the arena or the image. VC_CORRUPT, code "storage_damaged";
 * VC_NO_MEMORY. About a millisecond for 100,000 leaves. */
vc_status vc_dimension_read_rows(const vc_dimension *dimension, vc_arena *arena,
                                 vc_dimension_rows *rows_out, vc_error *error);

/* The value of a leaf; absent where null. */
static inline vc_str vc_leaf_column_get(const vc_leaf_column *column, uint32_t leaf)
{
    uint32_t code = vc_numbers_get(column->codes, leaf);
    return code == VC_NONE ? (vc_str){0} : vc_texts_get(&column->values, code);
}

#endif
