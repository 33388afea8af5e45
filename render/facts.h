/* Drilled-through facts as text. */
#ifndef RENDER_FACTS_H
#define RENDER_FACTS_H

#include "base/buffer.h"
#include "slice/facts.h"

/* An object, as GET /v1/cubes/{cube}/facts answers (docs/api.md). */
void vc_facts_put_json(vc_buffer *out, const vc_facts *facts);

/* One cell as people read it: "(null)" for a null key, of a list "DEU, FRA", of a long one the
 * first few and how many more there are. Appended to `out`. */
void vc_fact_put_text(vc_buffer *out, const vc_fact_field *field, const vc_fact_cell *cell);

/* A reason (vc_reason) in a few words, for people. */
const char *vc_reason_words(char reason);

#endif
