/* What the files of the dialect's renderer share; only mondrian*.c include it. */
#ifndef RENDER_MONDRIAN_PARTS_H
#define RENDER_MONDRIAN_PARTS_H

#include "render/mondrian.h"
#include "render/parts.h"

/* Where a property of the form stands among those of its axis in the result; SIZE_MAX: nowhere. */
size_t vc_mondrian_find_property(const vc_result_axis *axis, vc_str name);

/* What stands for the caption of a member at a level: the property that the form says, or the
 * label. */
void vc_mondrian_put_caption(vc_buffer *buffer, const vc_result_axis *axis,
                             const vc_mondrian_axis *form, const vc_result_member *member,
                             size_t level);

/* The cellset. */
void vc_mondrian_render_json(vc_rendering *rendering, const vc_mondrian_form *form);

#endif
