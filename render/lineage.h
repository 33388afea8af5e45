/* The lineage of a cell as text. */
#ifndef RENDER_LINEAGE_H
#define RENDER_LINEAGE_H

#include "base/buffer.h"
#include "slice/lineage.h"

/* An object, as GET /v1/cubes/{cube}/cell answers (docs/api.md). */
void vc_lineage_put_json(vc_buffer *out, const vc_lineage *lineage);

/* For people, on a terminal. Texts of the data are made safe. */
void vc_lineage_put_text(vc_buffer *out, const vc_lineage *lineage, bool is_coloured);

#endif
