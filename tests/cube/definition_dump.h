/* A definition as JSON, for comparing with tests/data/definition. Fields at their default (absent,
 * false, the usual CSV options) are left out, so what is there was said or derived. */
#ifndef TESTS_CUBE_DEFINITION_DUMP_H
#define TESTS_CUBE_DEFINITION_DUMP_H

#include "cube/definition.h"

json_t *definition_dump(const vc_definition *definition);
json_t *definition_error_dump(const vc_error *error);

#endif
