/* For tests of loading: what a store holds, to be compared; and what a load said. */
#ifndef TESTS_CUBE_LOAD_STATE_H
#define TESTS_CUBE_LOAD_STATE_H

#include "base/buffer.h"
#include "cube/load.h"
#include "tests/cube/scratch.h"

struct load_state { /* of a store, to be compared */
    char snapshot[64];
    uint64_t epoch, nobjects, nchunks;
    vc_buffer dump;
};

/* Verifies the store, too. Release the dump. */
void load_take_state(const struct scratch *scratch, struct load_state *state);
void load_check_same_state(const struct scratch *scratch, struct load_state *before);

/* Its report or error as text, without what differs from run to run. */
void load_put_outcome(vc_buffer *buffer, const struct scratch *scratch, const char *folder,
                      vc_status status, const vc_error *error, const vc_load_report *report);
/* The text, with what differs from run to run and from place to place taken out. */
void load_put_cleaned(vc_buffer *buffer, const char *text, const char *path, const char *name);

#endif
