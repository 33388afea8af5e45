/* Text views, and the reading and writing of numbers.
 *
 * A vc_str only looks at bytes that somebody else owns; it need not end in NUL. Text inside vcube
 * is valid UTF-8: it is checked once, where it comes in (vc_utf8_check).
 * Threads: everything here is pure.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vc_str {
    const char *data; /* NULL stands for "absent" (a null key), apart from the empty text */
    size_t size;      /* bytes */
} vc_str;

#define VC_STR(literal) ((vc_str){.data = ("" literal), .size = sizeof(literal) - 1})
#define VC_FMT(str)     (int)(str).size, (str).data /* for "%.*s" */

vc_str vc_str_of(const char *text); /* text may be NULL: absent */
bool vc_str_is_null(vc_str text);
bool vc_str_equal(vc_str a, vc_str b);      /* absent equals only absent */
bool vc_str_is(vc_str a, const char *text); /* equal to a NUL-terminated text */
int vc_str_compare(vc_str a, vc_str b);     /* by bytes, then by size; absent sorts last */
bool vc_str_starts_with(vc_str text, vc_str prefix);
bool vc_str_ends_with(vc_str text, vc_str suffix);
bool vc_str_contains(vc_str text, vc_str part);

/* Cut text at the first `separator`: returns the part before it, and moves *rest behind it.
 * Without a separator the whole of *rest is returned and *rest becomes absent. */
vc_str vc_str_split(vc_str *rest, char separator);

/* Without the spaces and tabs at its ends. */
vc_str vc_str_trim(vc_str text);

/* Is it valid UTF-8 (RFC 3629: no surrogates, no overlong forms)? If not, *bad_offset is the byte
 * at which it goes wrong. bad_offset may be NULL. */
bool vc_utf8_check(vc_str text, size_t *bad_offset);

/* Columns that the text takes on a terminal (combining marks 0, wide East Asian characters 2). */
size_t vc_utf8_columns(vc_str text);

/* The beginning of a text that takes at most `width` columns. A character without width goes with
 * the one before it. */
vc_str vc_utf8_cut(vc_str text, size_t width);

typedef enum vc_parse {
    VC_PARSE_OK = 0,
    VC_PARSE_BAD,      /* not a number in this syntax, or followed by something */
    VC_PARSE_OVERFLOW, /* a number, but it does not fit */
    VC_PARSE_INEXACT,  /* a decimal with more digits (other than 0) than the scale keeps */
} vc_parse;

/* [+-]digits. The whole text must be the number; no spaces, no grouping. "12.0" and "1e3" are not
 * integers. */
vc_parse vc_parse_int(vc_str text, int64_t *out);

/* [+-](digits[.digits]|.digits)[(e|E)[+-]digits] as an integer scaled by 10^scale, exactly.
 * scale 0..18; `point` is the decimal character of the text ('.' or ',').
 * Trailing zeros beyond the scale are no error, other digits are VC_PARSE_INEXACT. */
vc_parse vc_parse_decimal(vc_str text, unsigned scale, char point, int64_t *out);

/* A number of bytes above 0: 4096, 64k, 512M, 2G with powers of 1000; Ki, Mi, Gi, Ti with powers of
 * 1024; a B behind it is fine. */
vc_parse vc_parse_bytes(vc_str text, uint64_t *out);

/* A finite double in the same syntax, correctly rounded, independent of the locale. "nan", "inf",
 * hexadecimal: BAD. Too large: VC_PARSE_OVERFLOW; too small becomes 0 or a denormal. */
vc_parse vc_parse_double(vc_str text, char point, double *out);

enum { VC_NUMBER_TEXT = 48 }; /* room for every number below, with the NUL */

/* Shortest text that reads back as the same double, as JSON: "0.1", "-5", "1e+300", "-0" is "0".
 * value finite. Integral values below 1e15 have no point and no exponent. Returns the length. */
size_t vc_format_double(char *text, double value);

size_t vc_format_int(char *text, int64_t value);

/* A scaled integer as a JSON number: (12345, 2) is "123.45", (1200, 2) is "12" (trailing zeros of
 * the fraction are not written). Exact. */
size_t vc_format_decimal(char *text, int64_t scaled, unsigned scale);

/* For people: "1,234,567", and "12.3 MB" with powers of 1000. */
size_t vc_format_count(char *text, uint64_t count);
size_t vc_format_bytes(char *text, uint64_t bytes);

/* Does every byte look like a plain number ([+-]digits[.digits])? For the order of members. */
bool vc_str_is_number(vc_str text);

/* Distance for "did you mean": Damerau-Levenshtein over bytes, case-insensitive in ASCII, at most
 * `limit` (then limit + 1). Different texts of more than 255 bytes count as too far. */
unsigned vc_str_distance(vc_str a, vc_str b, unsigned limit);

/* Copy to a NUL-terminated heap text; the caller frees it. NULL when out of memory. */
char *vc_str_dup(vc_str text);

#endif
