/* What tests ask of pictures.
 */
#ifndef TESTS_REPORT_PICTURES_H
#define TESTS_REPORT_PICTURES_H

#include "base/buffer.h"
#include "report/picture.h"

/* Drawn, and looked at: every number is finite, everything is inside the picture, its SVG is well
 * formed, and the same comes of drawing it again. */
vc_picture draw_checked(const vc_chart *chart, float width, vc_arena *arena);

/* The first shape of a kind whose text (or tip) is or begins with this; NULL: there is none. */
const vc_shape *find_shape(const vc_picture *picture, vc_shape_kind kind, const char *text);
size_t count_shapes(const vc_picture *picture, vc_shape_kind kind);

#endif
