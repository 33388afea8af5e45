/* An encoder: bytes of an answer in, the same in its content coding out, piece by piece.
 *
 *     vc_encoder *encoder = vc_encoder_new(VC_ENCODING_ZSTD, 0);
 *     vc_encoder_put(encoder, piece, size, &out);     any number of times
 *     vc_encoder_end(encoder, &out);                  once
 *     vc_encoder_free(encoder);
 *
 * The same pieces or others of the same bytes unpack to the same; what comes out between two puts
 * may be nothing. Memory does not grow with the answer: 0.3 MB (gzip), about 1 MB (zstd).
 * Threads: one thread at a time.
 */
#ifndef HTTP_ENCODER_H
#define HTTP_ENCODER_H

#include "base/buffer.h"
#include "http/encoding.h"

typedef struct vc_encoder vc_encoder;

/* total_bytes  of all that will be put, exactly, which makes small answers cheap; 0: not known
 *
 * NULL when out of memory. */
vc_encoder *vc_encoder_new(vc_encoding encoding, uint64_t total_bytes);
void vc_encoder_free(vc_encoder *encoder); /* NULL is fine */

/* Append to `out` what the bytes become. False when out of memory, and then for ever; `out` is not
 * to be used. */
bool vc_encoder_put(vc_encoder *encoder, const void *data, size_t size, vc_buffer *out);

/* Append what is left, and the end. */
bool vc_encoder_end(vc_encoder *encoder, vc_buffer *out);

#endif
