/* Units through expressions: what is added, subtracted or compared must be of one unit.
 *
 * A unit is the text that a definition states, compared byte by byte. A number has no unit and goes
 * with any; so does a measure that states none. Multiplying or dividing by what has no unit keeps
 * the unit, by the same unit takes it away, and what else a product or a ratio is cannot be told.
 * Threads: pure.
 */
#ifndef CUBE_EXPR_UNIT_H
#define CUBE_EXPR_UNIT_H

#include "cube/expr.h"

/* units     [nnames] of the measures in the order of vc_expr_names; "" or absent: none stated
 * unit_out  "" when there is none, or when it cannot be told
 *
 * VC_BAD_INPUT, code "unit_mismatch", naming both, when different units meet. */
vc_status vc_expr_unit(const vc_expr *expr, const vc_str *units, vc_str *unit_out, vc_error *error);

#endif
