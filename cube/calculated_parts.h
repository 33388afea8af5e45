/* What calculated.c and calculated_operands.c share. */
#ifndef CUBE_CALCULATED_PARTS_H
#define CUBE_CALCULATED_PARTS_H

#include "cube/calculated.h"
#include "cube/model.h"

struct vc_calculating {
    const vc_cube *cube;
    vc_arena *arena;
    const vc_calculated_names *names; /* NULL: the cube's */
    vc_calculated *members;           /* [nmembers] those whose names are known */
    size_t nmembers;
};

/* A dimension by the name that definitions use. */
vc_status vc_calculating_dimension(const struct vc_calculating *in, vc_str name,
                                   size_t *dimension_out, vc_error *error);

/* The level of a member that states none: that of the first member in its expression, or
 * VC_NO_LEVEL. */
enum { VC_NO_LEVEL = VC_MAX_LEVELS };
void vc_calculated_find_level(const struct vc_calculating *in, vc_calculated *member);
vc_status vc_calculated_check_level(const vc_calculated *member, vc_error *error);

/* What the expression's brackets lead to. */
vc_status vc_calculated_find_operands(const struct vc_calculating *in, vc_calculated *member,
                                      vc_error *error);

#endif
