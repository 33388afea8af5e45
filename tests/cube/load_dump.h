/* For tests: what a store holds, as text. */
#ifndef TESTS_CUBE_LOAD_DUMP_H
#define TESTS_CUBE_LOAD_DUMP_H

#include "base/buffer.h"
#include "storage/store.h"

/* All objects of the newest snapshot: manifests without places, dimensions, every fact, crosswalks.
 * Asserts that everything can be opened. */
void load_dump_store(vc_store *store, vc_buffer *buffer);

#endif
