/* Rights: which cubes a role may see, and what of them (semantics, section 16).
 *
 *     {"world":  {"measures": ["pop", "cpop"], "cut": "geo:FR|date:2010-2020"},
 *      "cities": {"access": "join"},
 *      "*":      {}}
 *
 * A cube that is not named, and without "*", may not be seen. "access": "join" lets its data be
 * seen through virtual cubes only: by name it is unknown. "measures" are those that may be seen;
 * absent: all. "cut", in the grammar of cuts, says which facts are there at all: it holds inside
 * the cube before anything is added up, and for a virtual cube through its joins in every source.
 * What several cubes say of one fact all holds.
 *
 * Threads: immutable.
 */
#ifndef CUBE_RIGHTS_H
#define CUBE_RIGHTS_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"

typedef enum vc_access { VC_ACCESS_READ = 0, VC_ACCESS_JOIN } vc_access;

typedef struct vc_right {
    vc_str cube; /* "*": all that are not named */
    vc_access access;
    bool has_measures;
    const vc_str *measures; /* [nmeasures] */
    size_t nmeasures;
    vc_str cut; /* absent: everything */
} vc_right;

typedef struct vc_rights {
    vc_str text; /* as canonical JSON: equal texts are equal rights */
    const vc_right *rights;
    size_t nrights;
} vc_rights;

/* Read the `cubes` of a role.
 *
 * rights_out  in the arena, texts too; NULL when they let everything be seen
 *
 * VC_BAD_INPUT with the pointer below the object: "unknown_field", "bad_type", "bad_value",
 * "syntax" of a cut. Whether names exist is not looked at: cubes come and go. */
vc_status vc_rights_read(const json_t *cubes, vc_arena *arena, const vc_rights **rights_out,
                         vc_error *error);

/* The same from the text of earlier ones. */
vc_status vc_rights_parse(vc_str text, vc_arena *arena, const vc_rights **rights_out,
                          vc_error *error);

/* What may be seen of a cube; NULL: nothing. */
const vc_right *vc_rights_find(const vc_rights *rights, vc_str cube);

/* May the cube be asked by its name? rights NULL: every one may. */
bool vc_rights_may_read(const vc_rights *rights, vc_str cube);

/* Is all of the cube to be seen? (Of a virtual one its sources may yet have rights of their own.)
 */
bool vc_right_is_whole(const vc_right *right);

#endif
