#include "report/map.h"

#include <string.h>

const vc_map_country *vc_map_find(vc_str code)
{
    if (code.size != 3) return NULL;
    size_t first = 0, end = vc_map_ncountries;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = memcmp(code.data, vc_map_countries[middle].code, 3);
        if (order == 0) return &vc_map_countries[middle];
        if (order < 0)
            end = middle;
        else
            first = middle + 1;
    }
    return NULL;
}
