/* Browsing: the members of a level, and what attributes say of them.
 *
 * Threads: pure; results are in the caller's arena.
 */
#ifndef DIMENSIONS_MEMBERS_H
#define DIMENSIONS_MEMBERS_H

#include "dimensions/dimension.h"

/* Which members of a level are wanted. */
typedef struct vc_member_filter {
    unsigned hierarchy, level;
    bool has_parent;
    vc_member_ref parent; /* a member of the same hierarchy, at the level itself or above: only what
                             is under it (at its own level, itself) */
    vc_str search;        /* empty or absent: all; otherwise part of the key or the label, whatever
                             the case and the accents (base/fold.h) */
    bool is_prefix;       /* the beginning of them */
    const struct vc_search_texts *texts; /* of the whole level (dimensions/search.h); NULL: made for
                                            this one search, which takes far longer */
    bool has_after;
    vc_member_ref after;  /* only what is listed behind this one, at the filter's level unless it
                             is_children; whether or not it fits the rest */
    size_t offset, limit; /* of those that fit; a limit of 0 only counts them */
    bool is_children;     /* what is right below the parent, whatever its level (ragged) */
} vc_member_filter;

/* List members in member order.
 *
 * members_out  [*nmembers_out] in the arena
 * ntotal_out   how many fit without offset and limit
 *
 * VC_NOT_FOUND, code "unknown_level", for a parent below the level. O(result) without a search,
 * otherwise a look at each member under the parent. */
vc_status vc_dimension_list_members(const vc_dimension *dimension, const vc_member_filter *filter,
                                    vc_arena *arena, uint32_t **members_out, size_t *nmembers_out,
                                    size_t *ntotal_out, vc_error *error);

/* Behind which member of a level a path would be listed that need not exist (any more), so that
 * what sorts behind it follows.
 *
 * keys        [level + 1] from the top; absent: the null key
 * is_any_out  false: before all of them
 *
 * Not where a level is ordered by a column, whose values members do not keep, or hidden members
 * stand between (asserted: vc_hierarchy_is_by_key). O(keys * log members). */
void vc_hierarchy_find_place(const vc_hierarchy *hierarchy, unsigned level, const vc_str *keys,
                             bool *is_any_out, uint32_t *member_out);

/* Does the order of the members of a level depend on nothing but the keys in their paths? */
bool vc_hierarchy_is_by_key(const vc_hierarchy *hierarchy, unsigned level);

/* The same, with the level of each: also what is right below a member, if the filter says so. */
vc_status vc_dimension_browse(const vc_dimension *dimension, const vc_member_filter *filter,
                              vc_arena *arena, vc_member_ref **members_out, size_t *nmembers_out,
                              size_t *ntotal_out, vc_error *error);

/* How many members are right below a member, as vc_member_children lists them. */
size_t vc_member_count_children(const vc_hierarchy *hierarchy, vc_member_ref member);

/* How many members a level has, hidden ones left out. O(log members). */
uint32_t vc_level_count(const vc_level *level);

/* The members of a level that are under a member of the same level or one above: [first, end).
 * Hidden ones are among them. */
void vc_member_descendants(const vc_hierarchy *hierarchy, vc_member_ref member, unsigned level,
                           uint32_t *first_out, uint32_t *end_out);

/* The members right below a member, in member order; below All when parent is NULL. In a ragged
 * hierarchy they may stand on several levels. members_out [*nmembers_out] in the arena. */
vc_status vc_member_children(const vc_hierarchy *hierarchy, const vc_member_ref *parent,
                             vc_arena *arena, vc_member_ref **members_out, size_t *nmembers_out,
                             vc_error *error);

/* The number of an attribute's value that a leaf has, of its own or as that of its member at the
 * attribute's level; VC_NONE where it is null. */
uint32_t vc_attribute_leaf_code(const vc_dimension *dimension, const vc_attribute *attribute,
                                uint32_t leaf);

#define VC_MANY (UINT32_MAX - 1) /* the leaves of the member have several values */

/* What an attribute says of members: its one value, or that there is none or are several. A member
 * of a parent-child hierarchy is a row of the table, and has the value of that row.
 *
 * attribute   of the dimension: of the leaf, or of a level of whatever hierarchy
 * members     [nmembers] members of the level
 * codes_out   [nmembers] into attribute->values; VC_NONE where no leaf has a value; VC_MANY where
 *             leaves have different ones (a null is no value, so it makes no difference)
 *
 * O(leaves of the members) where the level is contiguous, otherwise one look at every leaf. */
vc_status vc_member_properties(const vc_dimension *dimension, unsigned hierarchy, unsigned level,
                               const vc_attribute *attribute, const uint32_t *members,
                               size_t nmembers, vc_arena *arena, uint32_t *codes_out,
                               vc_error *error);

/* All values of an attribute that a member's leaves have: codes_out [*ncodes_out], ascending, in
 * the arena. For where vc_member_properties says VC_MANY. */
vc_status vc_member_property_values(const vc_dimension *dimension, unsigned hierarchy,
                                    vc_member_ref member, const vc_attribute *attribute,
                                    vc_arena *arena, uint32_t **codes_out, size_t *ncodes_out,
                                    vc_error *error);

/* VC_NOT_FOUND, code "unknown_attribute", with candidates. */
vc_status vc_dimension_get_attribute(const vc_dimension *dimension, vc_str name,
                                     const vc_attribute **attribute_out, vc_error *error);

#endif
