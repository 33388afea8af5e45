/* The order of keys: by bytes, or exactly as numbers. Also the forms that int and date keys have.
 * Threads: everything here is pure.
 */
#ifndef DIMENSIONS_ORDER_H
#define DIMENSIONS_ORDER_H

#include "base/text.h"

/* Compare two plain numbers (vc_str_is_number) of any length without rounding: 1 and 1.0 are
 * equal. */
int vc_number_compare(vc_str a, vc_str b);

/* A number that never contradicts vc_number_compare: a < b there implies prefix(a) <= prefix(b).
 * Sorting by it first leaves few full comparisons. */
uint64_t vc_number_prefix(vc_str number);

/* The same for vc_str_compare, of the bytes from `skip` on (which all texts have alike). */
uint64_t vc_bytes_prefix(vc_str text, size_t skip);

/* A total order of keys. as_numbers: numbers by value, then whatever is no number; what is equal so
 * far by bytes. An absent key is last. */
int vc_key_compare(vc_str a, vc_str b, bool as_numbers);

/* The shortest form of an integer ("007" is "7"), in `text` unless the key has that form already;
 * absent when the key is not an integer of 64 bits. */
vc_str vc_key_canonical_int(vc_str key, char text[static VC_NUMBER_TEXT]);

/* YYYY-MM-DD, YYYY-MM, YYYY-Q1, YYYY-W01 or YYYY, with a month and a day that exist? */
bool vc_key_is_date(vc_str key);

/* At most `size` bytes of a text, cut between characters: what a message quotes of a value. */
vc_str vc_text_shorten(vc_str text, size_t size);

#endif
