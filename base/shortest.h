/* The shortest decimal that reads back as a double. */
#ifndef BASE_SHORTEST_H
#define BASE_SHORTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vc_decimal { /* digits * 10^exponent */
    uint64_t digits;        /* at most 17 of them, no zeros at the end */
    int exponent;
} vc_decimal;

/* Of the decimals with the fewest digits that are read as `value`, the one nearest to it; of two as
 * near, the even one.
 *
 * value  finite and above 0
 *
 * False for a normal power of two: there the next double below is nearer than the one above, and
 * the decimal nearest to the value may be none of the shortest. */
bool vc_shortest_decimal(double value, vc_decimal *decimal_out);

/* vc_format_double by trying one number of digits after the other: the plain way, which the other
 * is tested against, and that of what vc_shortest_decimal leaves. */
size_t vc_format_double_plainly(char *text, double value);

#endif
