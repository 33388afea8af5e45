/* A list of members that is read page by page: what is asked for, and where a page begins.
 *
 * Each member that is there during all of the paging is given once, whatever is loaded meanwhile.
 * Members are in the order of their numbers, and most loads leave a dimension as it is (its
 * fingerprint says so): then the list goes on in the newest snapshot, behind the last number.
 * Otherwise it goes on in the snapshot in which it was begun. Where that is not kept any more, it
 * goes on in the newest one behind the keys of the last member, if nothing but keys decides the
 * order; if something else does, it says that it cannot go on.
 */
#ifndef HTTP_LISTING_H
#define HTTP_LISTING_H

#include "base/json_writer.h"
#include "dimensions/members.h"
#include "http/cursor.h"
#include "http/service.h"
#include "slice/property.h"

enum { VC_MAX_PROPERTIES = 32 };

typedef struct vc_listed_synthetic { /* a bucket or a member of one */
    vc_str key;
    uint32_t first, end; /* slots */
} vc_listed_synthetic;

typedef struct vc_listing {
    const vc_cube *cube;
    size_t number; /* of the dimension in the cube */
    const vc_cube_dimension *outer;
    const vc_dimension *dimension;
    const vc_hierarchy *hierarchy;
    vc_member_filter filter;
    const vc_bucket *parent_bucket; /* the parent is a bucket, which has synthetic leaves only */
    bool is_below_leaves;           /* the parent is at the lowest level: nothing is below it */
    const vc_property *properties[VC_MAX_PROPERTIES];
    size_t nproperties;
    const vc_result_values *values[VC_MAX_PROPERTIES]; /* [nmembers, then synthetic ones] */
    const vc_calculated **calculated;                  /* [ncalculated] behind all */
    size_t ncalculated;
    vc_listed_synthetic *synthetics; /* that fit the filter */
    size_t nsynthetic;
    vc_member_ref *members; /* of this page */
    size_t nmembers;
    size_t ntotal; /* of all pages */
    uint64_t offset, limit;
    uint64_t question; /* hash of what is asked for, whichever page */
    bool has_cursor;
    bool is_renumbered; /* the members have other numbers than in the cursor */
    vc_cursor cursor;
} vc_listing;

/* The cursor of the request, if it has one.
 * VC_BAD_INPUT, codes "bad_cursor" and "bad_parameter". */
vc_status vc_listing_read_cursor(vc_listing *in, vc_call *call, vc_error *error);

/* Open the cube and the dimension of the path: of the snapshot `at`, of the newest, or where the
 * members have the numbers that the cursor knows them by. */
vc_status vc_listing_open(vc_listing *in, vc_call *call, vc_error *error);

/* Let the list begin where the cursor says. After the hierarchy, the parent and the level are
 * known. VC_NOT_FOUND, code "expired_cursor". */
vc_status vc_listing_place(vc_listing *in, vc_error *error);

/* "next": the cursor of the page behind this one, also as a link of the reply; null when there is
 * none. After the members are listed. */
vc_status vc_listing_put_next(vc_listing *in, vc_call *call, vc_json_writer *json, vc_error *error);

#endif
