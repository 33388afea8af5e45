/* Conditions on the dimensions of a cube: what a cut, a filter or the `where` of a measure says,
 * and which leaves it means.
 *
 * A condition is text that has been taken apart (cube/cut.h, query/filter.h), not yet looked up:
 * names are as they were written, each with the *place* it came from. Everything lives in the arena
 * of whoever made it. Threads: pure.
 */
#ifndef CUBE_CONDITION_H
#define CUBE_CONDITION_H

#include "base/arena.h"
#include "base/status.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vc_cube;
struct vc_cube_dimension;

/* Where a part of the query stood: a parameter and a byte offset in its value ("cut", 17), or a
 * JSON pointer into the body ("/filters/0/values/1", no offset). */
typedef struct vc_place {
    const char *where; /* in the arena; NULL: unknown */
    size_t offset;
    bool is_pointer;
} vc_place;

/* Put the place into an error that has been filled; returns error->status (or `status`). */
vc_status vc_error_at_place(vc_error *error, vc_status status, vc_place place);

/* A dimension, and perhaps a hierarchy and a level (or index) of it: geo, date@weekly, geo.iso2. */
typedef struct vc_dimref {
    vc_str dimension;
    vc_str hierarchy; /* absent: the main one */
    vc_str level;     /* level or index; absent: none given */
    vc_place place;
} vc_dimref;

typedef enum vc_item_kind {
    VC_ITEM_ALL,      /* "()": restricts nothing */
    VC_ITEM_PATH,     /* a member by path, or by a key that is unique; with a level or index in the
                         dimref: every member with that key */
    VC_ITEM_RANGE,    /* closed or half open, in member order */
    VC_ITEM_CHILDREN, /* of the member of the path; of All when the path is empty */
    VC_ITEM_DESCENDANTS, /* at `level`, or all */
    VC_ITEM_NULL,        /* the null members of the level */
    VC_ITEM_NOT_NULL,
    VC_ITEM_CONTAINS, /* text in `keys[0]`: in key or label (`text_of`), ASCII case ignored */
    VC_ITEM_STARTS_WITH,
    VC_ITEM_ENDS_WITH,
    VC_ITEM_MEMBER_SET, /* "#name" */
} vc_item_kind;

typedef enum vc_text_of { VC_TEXT_OF_BOTH = 0, VC_TEXT_OF_KEY, VC_TEXT_OF_LABEL } vc_text_of;

typedef struct vc_item {
    vc_item_kind kind;
    const vc_str *keys; /* of the path, or of the first end of a range; nkeys 0: open */
    size_t nkeys;
    const vc_str *end_keys; /* of the last end of a range; nend_keys 0: open */
    size_t nend_keys;
    bool excludes_first, excludes_end; /* gt, lt: the range without its end */
    vc_str level;                      /* of descendants */
    vc_text_of text_of;                /* where a text is looked for; of an index in its values */
    vc_place place;
} vc_item;

/* A condition on one dimension: a small tree. At the top of a query stand conditions that all hold.
 */
typedef enum vc_condition_kind {
    VC_CONDITION_ITEMS, /* any of the items, on the dimref */
    VC_CONDITION_AND,
    VC_CONDITION_OR,
    VC_CONDITION_NOT, /* of its one child */
} vc_condition_kind;

typedef struct vc_condition vc_condition;
struct vc_condition {
    vc_condition_kind kind;
    vc_dimref dimref; /* of ITEMS; in inner nodes the dimension of all children */
    const vc_item *items;
    size_t nitems;
    vc_condition *const *children;
    size_t nchildren;
    vc_place place;
};

/* Does it restrict anything? "()" alone does not, and triggers no policy. */
bool vc_condition_restricts(const vc_condition *condition);

/* The slots of a dimension that a condition on it leaves.
 *
 * cube  for messages and member sets
 * bits_out  [nslots] in the arena. Ordinary conditions only ever set bits of real leaves; buckets
 *           are selected by their own keys, by "()", or by not being asked about at all
 *
 * Errors at the place of the part: unknown_level, unknown_hierarchy, unknown_index, unknown_member,
 * unknown_set, ambiguous_key, syntax. */
vc_status vc_condition_evaluate(const struct vc_cube *cube,
                                const struct vc_cube_dimension *dimension,
                                const vc_condition *condition, vc_arena *arena, uint64_t **bits_out,
                                vc_error *error);

#endif
