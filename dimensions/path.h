/* Paths of members as text: "Europe,Western Europe,FRA". */
#ifndef DIMENSIONS_PATH_H
#define DIMENSIONS_PATH_H

#include "dimensions/dimension.h"

/* Take a path apart at its commas; a backslash makes the next character plain. An empty key stands
 * for the null member. The reverse of vc_member_path.
 *
 * VC_BAD_INPUT, code "bad_value", for more than VC_MAX_LEVELS keys. The keys are in the arena. */
vc_status vc_path_split(vc_str text, vc_arena *arena, const vc_str **keys_out, size_t *nkeys_out,
                        vc_error *error);

#endif
