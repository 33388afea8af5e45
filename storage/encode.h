/* From rows to the value of a chunk and back: the codec of storage/chunk.h.
 *
 * Value: header (storage/record.h), then of integers the table of blocks, padded to a multiple of
 * 64, and the packed deltas of each block (storage/packed.h); of doubles the rows, padded likewise;
 * then, when a row is null, the validity bitmap padded likewise, then zeros up to the size class.
 * Threads: pure.
 */
#ifndef STORAGE_ENCODE_H
#define STORAGE_ENCODE_H

#include "storage/chunk.h"
#include "storage/record.h"

/* Room that the value of any chunk of nrows rows fits into. */
size_t vc_chunk_room(uint32_t nrows);

/* Write the value of a chunk, sealed.
 *
 * values      [nrows], whatever in null rows
 * validity    bitmap of nrows bits, NULL when no row is null
 * value       room for vc_chunk_room(nrows) bytes; value + VC_HEADER_BYTES is 64-byte aligned
 * header_out  what went into the header, with the checksum
 *
 * nrows is at most 65536. Returns the size of the value. Two passes over the rows of each block.
 */
size_t vc_chunk_encode_ints(const vc_record_key *key, const int64_t *values,
                            const uint8_t *validity, uint32_t nrows, void *value,
                            vc_record_header *header_out);
size_t vc_chunk_encode_doubles(const vc_record_key *key, const double *values,
                               const uint8_t *validity, uint32_t nrows, void *value,
                               vc_record_header *header_out);

/* A chunk that looks at a value whose magic and key are right.
 *
 * value + VC_HEADER_BYTES is 64-byte aligned. Returns NULL, or what is wrong with it in a few words
 * (a literal): type, sizes, rows, the place, width and range of each block. What a reader of the
 * chunk touches then lies inside the value. O(blocks), 16 at most. */
const char *vc_chunk_view(const vc_record_header *header, const void *value, size_t size,
                          vc_chunk *chunk_out);

#endif
