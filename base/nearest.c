#include "base/nearest.h"

void vc_nearest_init(vc_nearest *nearest, vc_str wanted)
{
    /* A third of the letters may be wrong, but never all of a short name. */
    size_t limit = wanted.size / 3 < 1 ? 1 : wanted.size / 3;
    *nearest = (vc_nearest){.wanted = wanted, .limit = limit > 8 ? 8 : (unsigned)limit};
    if (wanted.size >= 3 && nearest->limit < 2) nearest->limit = 2;
}

void vc_nearest_offer(vc_nearest *nearest, vc_str name)
{
    unsigned distance = vc_str_distance(nearest->wanted, name, nearest->limit);
    if (distance > nearest->limit) {
        if (nearest->wanted.size < 2 || !vc_str_starts_with(name, nearest->wanted)) return;
        distance = nearest->limit;
    }
    for (unsigned i = 0; i < nearest->count; i++)
        if (vc_str_equal(nearest->names[i], name)) return; /* offered before */
    unsigned at = nearest->count;
    while (at > 0 && nearest->distances[at - 1] > distance)
        at--;
    if (at == VC_ERROR_CANDIDATES) return;
    if (nearest->count < VC_ERROR_CANDIDATES) nearest->count++;
    for (unsigned i = nearest->count - 1; i > at; i--) {
        nearest->names[i] = nearest->names[i - 1];
        nearest->distances[i] = nearest->distances[i - 1];
    }
    nearest->names[at] = name;
    nearest->distances[at] = distance;
}

void vc_nearest_report(const vc_nearest *nearest, vc_error *error)
{
    for (unsigned i = 0; i < nearest->count; i++)
        vc_error_add_candidate(error, nearest->names[i].data, nearest->names[i].size);
}
