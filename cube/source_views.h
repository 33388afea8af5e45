/* What has been looked up of a source cube's facts: zones and views of chunks, per column, made
 * when first asked for. Looking up a chunk costs about a microsecond, as much as scanning a block
 * of it. Threads: any number at once. Private to cube/source*.c.
 */
#ifndef CUBE_SOURCE_VIEWS_H
#define CUBE_SOURCE_VIEWS_H

#include "cube/source.h"

vc_status vc_source_views_new(const vc_source_cube *cube, vc_source_views **views_out,
                              vc_error *error);
void vc_source_views_free(vc_source_views *views); /* NULL is fine */

#endif
