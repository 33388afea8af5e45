/* The values of a property as text. */
#ifndef RENDER_VALUES_H
#define RENDER_VALUES_H

#include "base/buffer.h"
#include "slice/result.h"

/* null, a text, or an array of several. */
void vc_values_put_json(vc_buffer *buffer, const vc_result_values *values);

/* For people: "Bonn; Oslo", a value with a semicolon of its own in quotes; of many the first five,
 * and how many there are. Control characters are replaced. */
void vc_values_put_text(vc_buffer *buffer, const vc_result_values *values);

#endif
