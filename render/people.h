/* Texts and numbers as several formats write them. Threads: pure.
 */
#ifndef RENDER_PEOPLE_H
#define RENDER_PEOPLE_H

#include "base/buffer.h"
#include "base/text.h"
#include "slice/result.h"

/* A text on one line and without anything that a terminal obeys. */
void vc_put_safe(vc_buffer *buffer, vc_str text);

/* A share, 0 to 1, to be shown in percent with a tenth: what is not all does not become 100.0. */
double vc_share_shown(double share);

/* The number of a cell that is not null, exactly, as JSON and CSV write it. */
void vc_put_number(vc_buffer *buffer, const vc_result_measure *measure, const vc_cell *cell);

/* The number of a cell that is not null as a double, for comparing and drawing: as near as one is.
 */
double vc_cell_double(const vc_result_measure *measure, const vc_cell *cell);

/* The number of a cell that is not null, where no format is stated: "1,234.5". Of the digits of a
 * double as many as say something, and none is rounded to nothing. */
void vc_put_plain_number(vc_buffer *buffer, const vc_result_measure *measure, const vc_cell *cell);

#endif
