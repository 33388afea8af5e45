/* Keys that became equal only by normalisation, and keys that several members have as found. */
#ifndef RENDER_COLLISIONS_H
#define RENDER_COLLISIONS_H

#include "base/arena.h"
#include "base/json_writer.h"
#include "mapping/relation.h"

/* The members "collisions" and "primary_duplicates" of an object (docs/api.md). */
void vc_collisions_put_json(vc_json_writer *json, const vc_relation *relation);

#endif
