#include "http/encoder.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum {
    GZIP_LEVEL = 1,
    ZSTD_LEVEL = 1,
    ROOM = 16 * 1024,          /* made at a time in `out` */
    PART = 1024 * 1024 * 1024, /* zlib counts in 32 bits */
};

struct vc_encoder {
    vc_encoding encoding;
    z_stream gzip;
    ZSTD_CCtx *zstd;
    bool failed;
};

vc_encoder *vc_encoder_new(vc_encoding encoding, uint64_t total_bytes)
{
    vc_encoder *encoder = calloc(1, sizeof *encoder);
    bool is_made = encoder != NULL;
    if (!is_made) return NULL;
    encoder->encoding = encoding;
    if (encoding == VC_ENCODING_GZIP) {
        is_made = deflateInit2(&encoder->gzip, GZIP_LEVEL, Z_DEFLATED, 15 + 16, 8,
                               Z_DEFAULT_STRATEGY) == Z_OK;
    } else if (encoding == VC_ENCODING_ZSTD) {
        encoder->zstd = ZSTD_createCCtx();
        is_made = encoder->zstd != NULL &&
                  !ZSTD_isError(
                      ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) &&
                  (total_bytes == 0 ||
                   !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(encoder->zstd, total_bytes)));
    }
    if (is_made) return encoder;
    ZSTD_freeCCtx(encoder->zstd);
    free(encoder);
    return NULL;
}

void vc_encoder_free(vc_encoder *encoder)
{
    if (encoder == NULL) return;
    if (encoder->encoding == VC_ENCODING_GZIP) deflateEnd(&encoder->gzip);
    ZSTD_freeCCtx(encoder->zstd);
    free(encoder);
}

/* At most PART bytes. */
static bool run_gzip(z_stream *gzip, const char *data, size_t size, bool is_end, vc_buffer *out)
{
    gzip->next_in = (Bytef *)data;
    gzip->avail_in = (uInt)size;
    for (;;) {
        if (!vc_buffer_reserve(out, ROOM)) return false;
        gzip->next_out = (Bytef *)out->data + out->size;
        gzip->avail_out = ROOM;
        int rc = deflate(gzip, is_end ? Z_FINISH : Z_NO_FLUSH);
        out->size += ROOM - gzip->avail_out;
        if (is_end ? rc == Z_STREAM_END : gzip->avail_out > 0) return true;
        if (rc != Z_OK && rc != Z_BUF_ERROR) return false;
    }
}

static bool run_zstd(ZSTD_CCtx *zstd, const char *data, size_t size, bool is_end, vc_buffer *out)
{
    ZSTD_inBuffer in = {.src = data, .size = size};
    for (;;) {
        if (!vc_buffer_reserve(out, ROOM)) return false;
        ZSTD_outBuffer room = {.dst = out->data + out->size, .size = ROOM};
        size_t left = ZSTD_compressStream2(zstd, &room, &in, is_end ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left)) return false;
        out->size += room.pos;
        if (is_end ? left == 0 : in.pos == in.size) return true;
    }
}

static bool run(vc_encoder *encoder, const char *data, size_t size, bool is_end, vc_buffer *out)
{
    if (encoder->failed) return false;
    switch (encoder->encoding) {
    case VC_ENCODING_GZIP:
        encoder->failed = !run_gzip(&encoder->gzip, data, size, is_end, out);
        break;
    case VC_ENCODING_ZSTD:
        encoder->failed = !run_zstd(encoder->zstd, data, size, is_end, out);
        break;
    default: vc_buffer_put(out, data, size); encoder->failed = out->failed;
    }
    return !encoder->failed;
}

bool vc_encoder_put(vc_encoder *encoder, const void *data, size_t size, vc_buffer *out)
{
    const char *at = data;
    for (; size > PART; at += PART, size -= PART)
        if (!run(encoder, at, PART, false, out)) return false;
    return run(encoder, at, size, false, out);
}

bool vc_encoder_end(vc_encoder *encoder, vc_buffer *out)
{
    return run(encoder, "", 0, true, out);
}
