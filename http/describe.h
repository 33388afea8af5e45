/* Cubes and dimensions as JSON: what the catalogue tells of them. */
#ifndef HTTP_DESCRIBE_H
#define HTTP_DESCRIBE_H

#include "base/json_writer.h"
#include "cube/model.h"

/* The whole model of a cube, as an object. */
void vc_describe_cube(vc_json_writer *json, const vc_cube *cube, const char *snapshot);

/* One dimension of a cube, as an object (in an array or at the top). */
void vc_describe_dimension(vc_json_writer *json, const vc_cube *cube, size_t number,
                           const char *snapshot);

/* A member of a level: its key, label, path and number of children. Leaves the object open.
 * VC_NO_MEMORY. */
vc_status vc_describe_begin_member(vc_json_writer *json, const vc_hierarchy *hierarchy,
                                   unsigned number, uint32_t member, vc_arena *arena,
                                   vc_error *error);

/* "info": {...}, or nothing when the definition has none. */
void vc_describe_info(vc_json_writer *json, const vc_definition *definition);

const char *vc_key_type_name(vc_key_type type); /* "string", "int", "date" */

/* A key as its level writes it: integers as numbers. */
void vc_describe_put_key(vc_json_writer *json, const char *name, const vc_level *level, vc_str key);

#endif
