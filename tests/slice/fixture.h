/* For tests of slicing: a store in a temporary folder, loaded from definitions, and questions. */
#ifndef TESTS_SLICE_FIXTURE_H
#define TESTS_SLICE_FIXTURE_H

#include "base/buffer.h"
#include "cube/load.h"
#include "slice/engine.h"

struct fixture {
    char path[64]; /* the folder, for definitions and data; the store is in path/store */
    vc_store *store;
    vc_model *model; /* of the newest snapshot */
    vc_arena arena;  /* of answers; released with the fixture or by whoever uses it */
};

void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture); /* removes the folder */

/* Close the store, leave the files for a person to read. */
void fixture_keep(struct fixture *fixture);

/* Write a file in the folder. */
void fixture_write(struct fixture *fixture, const char *name, const char *text);

/* Load all definitions of the folder, and open a model of what is there then. */
vc_status fixture_load(struct fixture *fixture, bool is_append, vc_error *error);

/* The same, and it must succeed. */
void fixture_need_load(struct fixture *fixture, bool is_append);

/* Compact all cubes, windows of so many rows at a time (0: as usual), and open a model of what is
 * there then. Was there something to be gained? */
bool fixture_compact(struct fixture *fixture, size_t window_rows);

/* The whole result as text, numbers to the last bit: equal texts are equal answers. */
void fixture_dump(const vc_result *result, vc_buffer *out);

/* The same of an answer that is made in pieces of about so many rows, where it can be: npieces_out
 * is 0 where not. */
vc_status fixture_dump_pieces(vc_model *model, const vc_query *query,
                              const vc_engine_options *options, size_t piece_rows, vc_buffer *out,
                              size_t *npieces_out, vc_error *error);

#endif
