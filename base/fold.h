/* Texts without what people leave out when they search: case, accents and other marks, and letters
 * that decomposition does not take apart ("Łódź" is "lodz", "Ærø" "aero", "Straße" "strasse").
 * Method: Unicode's canonical decomposition, case folding, marks taken off (utf8proc).
 * Threads: pure.
 */
#ifndef BASE_FOLD_H
#define BASE_FOLD_H

#include "base/buffer.h"

/* Append a folded text. Bytes that are no UTF-8 stand for themselves. ASCII costs about a
 * nanosecond a byte, other characters some fifty. */
void vc_fold_put(vc_buffer *out, vc_str text);

/* What stands for a folded letter that decomposition leaves as it is: "o" for U+00F8; NULL: it
 * stands for itself. */
const char *vc_fold_letters(int32_t point);

#endif
