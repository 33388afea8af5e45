/* The colours of reports: of series, of scales, of text on them. Chosen so that people with a
 * colour vision deficiency tell them apart, and so that text on them has a contrast of 4.5
 * (WCAG 2.2, 1.4.3). Colours are 0xRRGGBB.
 * Threads: pure.
 */
#ifndef REPORT_PALETTE_H
#define REPORT_PALETTE_H

#include <stddef.h>
#include <stdint.h>

/* Of the n-th series; they come again after VC_NSERIES_COLOURS. At least 3:1 on white. */
enum { VC_NSERIES_COLOURS = 8 };
uint32_t vc_colour_of_series(size_t number);

/* On a scale from light (0) to dark (1); what is outside is put on its end. */
uint32_t vc_colour_of_share(double share);

/* On a scale from one hue (-1) over nearly white (0) to another (1). */
uint32_t vc_colour_of_balance(double balance);

/* Black or white (nearly), what is read better on it. */
uint32_t vc_colour_of_ink(uint32_t background);

/* Of two colours, 1 to 21 (WCAG 2.2, "contrast ratio"). */
double vc_colour_contrast(uint32_t one, uint32_t other);

#endif
