/* Manifests: what the catalogue says about a cube, a dimension or a crosswalk, as JSON.
 *
 * docs/manifests.md describes the fields. The text of the definition is kept as it was read, so
 * that nothing the analyst wrote is lost and places in it can be named later.
 */
#ifndef CUBE_MANIFEST_H
#define CUBE_MANIFEST_H

#include "base/buffer.h"
#include "cube/source.h"

typedef struct vc_manifest_dimension {
    vc_str name; /* in the cube */
    uint32_t nleaves;
    uint64_t fingerprint; /* of the image */
    bool is_aggregatable;
    vc_str default_member; /* absent: none */
} vc_manifest_dimension;

typedef struct vc_manifest {
    vc_definition_kind kind;
    vc_str definition; /* the JSON text */
    vc_str file;       /* it was read from; "" from memory */
    uint64_t nrows;    /* facts of a source cube, members of a dimension, rows of a crosswalk */
    /* source cubes: */
    size_t nruns;
    vc_fact_run *runs; /* oldest first */
    size_t ncolumns;
    vc_fact_column *columns;
    size_t nmeasures;
    int *measure_columns; /* [nmeasures], see vc_source_cube */
    size_t ncluster;
    vc_str *cluster; /* [ncluster] by what the facts of the last load were sorted */
    /* source cubes, and shared dimensions: one, itself, or none without a table */
    size_t ndimensions;
    vc_manifest_dimension *dimensions;
} vc_manifest;

/* Append the JSON to the buffer. Out of memory: buffer->failed. */
void vc_manifest_write(const vc_manifest *manifest, vc_buffer *buffer);

/* Read the manifest of an object; everything is copied into the arena. VC_CORRUPT, code
 * "storage_damaged", when it is not what vc_manifest_write writes; "storage_format" when a newer
 * version wrote it. */
vc_status vc_manifest_read(const vc_object *object, vc_arena *arena, vc_manifest *manifest_out,
                           vc_error *error);

#endif
