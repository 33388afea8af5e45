/* "Did you mean": the valid names nearest to a wrong one.
 *
 *     vc_nearest nearest;
 *     vc_nearest_init(&nearest, wanted);
 *     for (...) vc_nearest_offer(&nearest, names[i]);
 *     vc_nearest_report(&nearest, error);       after vc_fail, which clears the candidates
 *
 * Only for the error path: one vc_str_distance per offer.
 * Threads: one thread at a time.
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include "base/status.h"
#include "base/text.h"

typedef struct vc_nearest {
    vc_str wanted;
    unsigned limit; /* names farther away than this are no help */
    unsigned count;
    vc_str names[VC_ERROR_CANDIDATES]; /* best first; equals in the order of arrival */
    unsigned distances[VC_ERROR_CANDIDATES];
} vc_nearest;

/* wanted  borrowed until the report */
void vc_nearest_init(vc_nearest *nearest, vc_str wanted);

/* name  borrowed until the report. A name that begins with what was wanted counts as near. */
void vc_nearest_offer(vc_nearest *nearest, vc_str name);

/* Add the best names to the candidates of the error, which may be NULL. */
void vc_nearest_report(const vc_nearest *nearest, vc_error *error);

#endif
