/* What writing and reading of an image share. Internal to dimensions.
 *
 *     header      magic, version, sizes, fingerprint
 *     blobs       arrays and texts, each aligned to 8
 *     contents    64-bit words that describe the dimension and say where the blobs are
 *     rows        what only an append needs, compressed (rows.c)
 *     names       name and label of the dimension
 *
 * Everything but the rows is read in place. Blobs with the same bytes are written once: the values
 * of an attribute and of its index, keys of leaves and of the lowest level, ... The fingerprint
 * covers blobs, contents and the rows unpacked. Everything is little-endian, as the machine has it;
 * on another one the version does not match.
 */
#ifndef DIMENSIONS_IMAGE_H
#define DIMENSIONS_IMAGE_H

#include "base/buffer.h"
#include "dimensions/dimension.h"

enum { VC_IMAGE_VERSION = 2 };

#define VC_IMAGE_MAGIC "vcubeDIM" /* 8 bytes */

typedef struct vc_image_header {
    char magic[8];
    uint32_t version, header_bytes;
    uint64_t image_bytes;
    uint64_t contents_offset, ncontents; /* words */
    uint64_t rows_offset, packed_bytes, rows_bytes;
    uint64_t fingerprint;
    uint64_t name_offset, name_bytes;
    uint64_t label_offset, label_bytes;
} vc_image_header;

enum { VC_LEAVES_PLAIN = 0, VC_LEAVES_HAVE_KEYS, VC_LEAVES_HAVE_DOUBLES };

enum {
    VC_LEVEL_NUMERIC = 1,
    VC_LEVEL_ORDERED = 2,
    VC_LEVEL_CONTIGUOUS = 4,
    VC_LEVEL_LABELS = 8,
    VC_LEVEL_RAGGED = 16,
    VC_LEVEL_PARENT_CHILD = 32, /* of all levels of the hierarchy */
    VC_LEVEL_FLAGS = 63,
    VC_INDEX_IMPLICIT = 1,
    VC_INDEX_UNIQUE = 2,
    VC_INDEX_PARTIAL = 4,
    VC_INDEX_FLAGS = 7,
};

/* Where the values of a column of the table are: mostly they are something else of the dimension,
 * too. */
typedef enum vc_row_origin {
    VC_ROW_PACKED = 0,   /* a dictionary and codes among the rows */
    VC_ROW_LEAF_KEYS,    /* the key column */
    VC_ROW_LEVEL_KEYS,   /* of a hierarchy and level, by way of leaf_members */
    VC_ROW_LEVEL_LABELS, /* likewise */
    VC_ROW_ATTRIBUTE,    /* of leaves, by number */
    VC_ROW_ORIGINS
} vc_row_origin;

typedef struct vc_row_column {
    vc_str name;
    vc_row_origin origin;
    uint32_t first, second; /* hierarchy and level; or attribute */
} vc_row_column;

/* What the column would read as if it came from there; nothing is packed. */
vc_leaf_column vc_row_column_view(const vc_dimension *dimension, const vc_row_column *column);

/* Find for each column where else its values are (columns_out [rows->ncolumns]), and append the
 * rest to the buffer, uncompressed. */
void vc_rows_write(const vc_dimension *dimension, const vc_dimension_rows *rows,
                   vc_row_column *columns_out, vc_buffer *buffer);

/* Compress what vc_rows_write wrote. */
vc_status vc_rows_pack(const vc_buffer *rows, vc_buffer *packed, vc_error *error);

#endif
