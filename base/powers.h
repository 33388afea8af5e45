/* Powers of ten in 128 bits, for base/shortest.c.
 *
 * vc_powers_of_ten[e - VC_FIRST_POWER] is {upper, lower} half of floor(10^e * 2^s) + 1, where s
 * makes it 128 bits long. Constant; made by tools/make-powers.py.
 */
#ifndef BASE_POWERS_H
#define BASE_POWERS_H

#include <stdint.h>

enum { VC_FIRST_POWER = -292, VC_LAST_POWER = 324 };

extern const uint64_t vc_powers_of_ten[VC_LAST_POWER - VC_FIRST_POWER + 1][2];

#endif
