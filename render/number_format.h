/* Numbers for people: "#,##0", "0.0%", "#,##0.00 EUR".
 *
 *     format   = [literal] digits ["." fraction] [literal]
 *     digits   = any of "#", "0", ","      a comma groups by thousands; zeros are always written
 *     fraction = *"0" *"#"                 zeros are always written, "#" only where not zero
 *
 * A "%" in a literal multiplies by a hundred. Rounding is half away from zero on the decimal text
 * of the number, so 0.125 in "0.00" is 0.13 although the double is smaller than that.
 * Threads: pure.
 */
#ifndef RENDER_NUMBER_FORMAT_H
#define RENDER_NUMBER_FORMAT_H

#include "base/buffer.h"
#include "base/text.h"

typedef struct vc_number_format {
    vc_str prefix, suffix; /* views of the pattern */
    unsigned min_whole, min_fraction, max_fraction;
    bool is_grouped, is_percent;
} vc_number_format;

/* False when the pattern is of another kind (sections, exponents, dates): use a default then. */
bool vc_number_format_parse(vc_str pattern, vc_number_format *format_out);

/* Write a number that stands as [-]digits[.digits][e[+-]digits]: what vc_format_int,
 * vc_format_decimal and vc_format_double make. A number that rounds to zero has no sign. */
void vc_number_format_put(const vc_number_format *format, vc_str number, vc_buffer *buffer);

#endif
