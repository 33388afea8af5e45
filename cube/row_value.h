/* Row-level values: `"value": "price * quantity"`, computed from the columns of a row of facts when
 * it is loaded.
 *
 * Integers and decimals are computed exactly, with fractions: what does not fit the measure's type
 * at the end is refused, never rounded in silence (round() says so aloud). For a floating measure
 * everything is computed in doubles. Null propagates as in calculated measures; a division by zero
 * is null.
 * Threads: a vc_row_value is immutable.
 */
#ifndef CUBE_ROW_VALUE_H
#define CUBE_ROW_VALUE_H

#include "cube/definition.h"
#include "cube/expr.h"

typedef struct vc_row_value vc_row_value;

enum { VC_ROW_VALUE_NAMES = 32 }; /* columns of one expression */

/* VC_BAD_INPUT, code "expr": also for functions over members, which a row does not have, and for
 * more than VC_ROW_VALUE_NAMES columns. The value lives in the arena. */
vc_status vc_row_value_new(vc_str text, vc_value_type type, unsigned scale, vc_arena *arena,
                           vc_row_value **value_out, vc_error *error);

/* The columns it uses. */
const vc_str *vc_row_value_names(const vc_row_value *value, size_t *nnames_out);

/* texts      [nnames] of the row; absent: null
 * value_out  as it is stored: an integer, a scaled one, or the bits of a double
 * name_out   of what could not be read; SIZE_MAX: the result does not fit the type */
vc_parse vc_row_value_compute(const vc_row_value *value, const vc_str *texts, char decimal,
                              int64_t *value_out, bool *is_null_out, size_t *name_out);

#endif
