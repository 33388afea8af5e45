/* The text steps of key normalisation: each takes a key and gives a key.
 *
 * A result is a view of the input where nothing changes or a part is cut out, a constant, or a new
 * text in the arena. Bytes that are no UTF-8 are left as they are. An absent data pointer in the
 * result of a step that was given text means out of memory.
 * Threads: pure apart from the arena.
 */
#ifndef MAPPING_KEYTEXT_H
#define MAPPING_KEYTEXT_H

#include "base/arena.h"
#include "base/text.h"

/* Cut blanks off both ends. A blank is what Unicode calls White_Space, U+00A0 among it; U+200B and
 * U+FEFF are none. No allocation. */
vc_str vc_key_trim(vc_str key);

/* Replace each run of blanks by one U+0020, at the ends too. */
vc_str vc_key_collapse_space(vc_str key, vc_arena *arena);

/* Unicode normalisation form C. */
vc_str vc_key_nfc(vc_str key, vc_arena *arena);

/* Full case folding ("STRASSE" and "Straße" become one), not normalised afterwards. */
vc_str vc_key_casefold(vc_str key, vc_arena *arena);

/* Put `fill` (one character) in front until the key has `width` characters. */
vc_str vc_key_pad_left(vc_str key, size_t width, vc_str fill, vc_arena *arena);

/* Characters (code points) of valid UTF-8. */
size_t vc_key_ncharacters(vc_str key);

#endif
