/* What the tests of writers share. */
#ifndef TESTS_REPORT_WRITING_H
#define TESTS_REPORT_WRITING_H

#include "render/render.h"

/* Compare with tests/data/report/NAME; with VCUBE_ACCEPT in the environment, write it. */
void assert_golden(const char *name, const vc_buffer *actual);

/* A sink that counts, and fails (VC_STORAGE) at the block of that number; 0: never. */
typedef struct counting {
    size_t nblocks, nbytes, most_bytes; /* of one block */
    size_t fails_at;
} counting;

vc_render_sink count_blocks(counting *counts);

#endif
