/* A growing map from key texts to numbers, with one thread that puts and any number that find.
 *
 * A finder sees a key that was put before, or does not see it yet; it never waits. So it suits
 * what is only a short cut: who does not find asks the thread that puts.
 * Keys are not copied. 100 to 200 bytes a key, with the tables that it outgrew.
 * Threads: vc_memo_find from any, the others from one.
 */
#ifndef BASE_MEMO_H
#define BASE_MEMO_H

#include "base/text.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define VC_MEMO_NONE UINT32_MAX

typedef struct vc_memo_table vc_memo_table;

typedef struct vc_memo {
    _Atomic(vc_memo_table *) table; /* NULL while empty */
    uint32_t count;
} vc_memo;

void vc_memo_release(vc_memo *memo); /* all zero is fine */

/* Put a key that is not in it. Its bytes must stay until the memo is released.
 * value  not VC_MEMO_NONE
 * False when out of memory: then the memo is as it was. */
bool vc_memo_put(vc_memo *memo, vc_str key, uint32_t value);

/* VC_MEMO_NONE when it is not in it, or not yet seen to be. An absent key and an empty one differ.
 */
uint32_t vc_memo_find(const vc_memo *memo, vc_str key);

#endif
