/* What the keys of an index look like: enough to tell with which others they may pair, and by which
 * steps of normalisation.
 *
 * Threads: pure.
 */
#ifndef MAPPING_PROFILE_H
#define MAPPING_PROFILE_H

#include "base/status.h"
#include "dimensions/dimension.h"

typedef enum vc_key_look {
    VC_LOOK_TEXT = 0,
    VC_LOOK_WHOLE,  /* all are whole numbers */
    VC_LOOK_NUMBER, /* all are numbers, some with a fraction: a measurement, no key */
} vc_key_look;

typedef struct vc_profile {
    uint32_t nvalues;
    uint32_t nmembers; /* that have a value */
    vc_key_look look;
    uint32_t nwhole;         /* keys that are whole numbers */
    int64_t least, greatest; /* of them */
    uint32_t min_width, max_width;
    double mean_width;  /* characters */
    bool has_blanks;    /* at an end of some key */
    bool has_odd_space; /* a run of blanks, or anything beyond ASCII, inside */
    bool has_zeros;     /* in front of some whole number */
    bool has_upper, has_lower, has_digits;
    /* Of the keys that were tried, the first VC_PROFILE_TRIED ones: how many are codes of ISO
     * 3166-1 in any form and spelling, groups of countries among them, and how many are names. */
    uint32_t ntried, ncodes, nnames;
} vc_profile;

enum { VC_PROFILE_TRIED = 2048 };

/* O(values), each looked at once. */
void vc_profile_of(const vc_index *index, vc_profile *profile_out);

/* Does no key belong to two members? */
static inline bool vc_profile_is_unique(const vc_profile *profile)
{
    return profile->nmembers == profile->nvalues;
}

/* Are at least half of the keys codes (or names) of countries? */
bool vc_profile_has_codes(const vc_profile *profile);
bool vc_profile_has_names(const vc_profile *profile);

/* How many keys of its form there are: 26 * 26 for two letters, as many as lie between the least
 * and the greatest of whole numbers. */
double vc_profile_universe(const vc_profile *profile);

#endif
