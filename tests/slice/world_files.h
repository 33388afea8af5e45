/* For tests: what the writers of a world's files share. */
#ifndef TESTS_SLICE_WORLD_FILES_H
#define TESTS_SLICE_WORLD_FILES_H

#include "tests/slice/world.h"

#include <stdio.h>

/* Create folder/name + suffix; aborts when it cannot. */
FILE *world_open_file(const char *folder, const char *name, const char *suffix);

/* The first keys of a leaf's path, as in a cut inside a JSON text. */
void world_put_path(FILE *file, const struct world_dimension *dimension,
                    const struct world_leaf *leaf, unsigned depth);

/* "expr": "a + b" */
void world_put_formula(FILE *file, enum world_formula formula, const char *a, const char *b);

void world_write_cube(const struct world *world, const struct world_cube *cube, const char *folder);
void world_write_facts(const struct world_cube *cube, const char *folder, bool is_append);
void world_write_table(const struct world_dimension *dimension, const char *folder, bool is_append);
void world_write_shared(const struct world_dimension *dimension, const char *folder);
void world_write_crosswalk(const struct world_crosswalk *crosswalk, const char *folder);

#endif
