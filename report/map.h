/* The countries of the world as shapes, by their code of ISO 3166-1, in the Equal Earth projection:
 * areas compare. The data are made by tools/make-map.py, which tells where borders come from.
 * Threads: constants.
 */
#ifndef REPORT_MAP_H
#define REPORT_MAP_H

#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

typedef struct vc_map_country {
    char code[4];    /* alpha-3; "XKX" for Kosovo */
    int16_t x, y;    /* of its largest part, the middle */
    uint16_t ring;   /* the first in vc_map_rings */
    uint16_t nrings; /* 0: too small for a shape; a circle at its place stands for it */
    uint16_t corner; /* the first in vc_map_points, where each corner has two numbers */
} vc_map_country;

extern const double vc_map_width, vc_map_height; /* units; from the left upper corner */
extern const size_t vc_map_ncountries;
extern const vc_map_country vc_map_countries[]; /* ascending by code */
extern const uint32_t vc_map_rings[];           /* corners of each ring; even-odd */
extern const int16_t vc_map_points[];           /* x, y of each corner */

/* NULL: there is no such country on the map (Antarctica, codes that are none). */
const vc_map_country *vc_map_find(vc_str code);

#endif
