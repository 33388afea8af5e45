/* The set of records whose checksum this process has verified already.
 *
 * Records never change under a key, so one look is enough. The set keeps a 64-bit hash of each key:
 * asking is one cache line and no lock. It forgets everything when it has grown to its limit, which
 * costs a second look and nothing else.
 * Threads: ask and add from any number of threads.
 */
#ifndef STORAGE_VERIFIED_H
#define STORAGE_VERIFIED_H

#include "storage/record.h"

typedef struct vc_verified vc_verified;

vc_verified *vc_verified_new(void); /* NULL when out of memory */
void vc_verified_free(vc_verified *set);

bool vc_verified_has(vc_verified *set, const vc_record_key *key);
void vc_verified_add(vc_verified *set, const vc_record_key *key); /* may be forgotten, see above */

#endif
