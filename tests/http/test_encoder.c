/* Content codings: which one, and that what is packed piece by piece unpacks to the same. */
#include "http/encoder.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define PLAIN VC_ENCODING_IDENTITY
#define GZIP  VC_ENCODING_GZIP
#define ZSTD  VC_ENCODING_ZSTD

struct choice_case {
    char header[64];
    vc_encoding encoding;
    bool is_forced, is_none;
};

ParameterizedTestParameters(encoding, choices)
{
    static struct choice_case cases[] = {
        {"", PLAIN, false, false},
        {" ", PLAIN, false, false},
        {"gzip", GZIP, false, false},
        {"x-gzip", GZIP, false, false},
        {"zstd", ZSTD, false, false},
        {"gzip, deflate, br, zstd", ZSTD, false, false}, /* browsers */
        {"gzip, zstd;q=0.9", GZIP, false, false},
        {"zstd;q=0.2 , GZip ; Q=0.5", GZIP, false, false},
        {"deflate, br", PLAIN, false, false},
        {"gzip;q=0", PLAIN, false, false},
        {"gzip;q=0.000, *", ZSTD, false, false},
        {"gzip;q=0, zstd;q=0, *", PLAIN, false, false},
        {"*", GZIP, false, false}, /* who says no more knows gzip at least */
        {"zstd, *", ZSTD, false, false},
        {"*, zstd;q=0.5", GZIP, false, false},
        {"*;q=0.1", GZIP, false, false},
        {"identity", PLAIN, false, false},
        {"identity, gzip;q=0.5", PLAIN, false, false},
        {"identity;q=0.5, gzip;q=0.5", GZIP, false, false},
        {"identity;q=0, gzip", GZIP, true, false},
        {"*;q=0, zstd", ZSTD, true, false},
        {"*;q=0, identity", PLAIN, false, false},
        {"*;q=0", PLAIN, false, true},
        {"identity;q=0", PLAIN, false, true},
        {"identity;q=0, *", GZIP, true, false},
        {"br, identity;q=0", PLAIN, false, true},
        {"gzip;q=2", PLAIN, false, false},
        {"gzip;q=x", PLAIN, false, false},
        {"gzip;q=nan", PLAIN, false, false},
        {"gzip;q=0, gzip", PLAIN, false, false}, /* as it is named first */
    };
    return cr_make_param_array(struct choice_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct choice_case *c, encoding, choices)
{
    vc_encoding_choice choice = vc_encoding_choose(vc_str_of(c->header));
    cr_assert_eq(choice.encoding, c->encoding, "%s: %d", c->header, choice.encoding);
    cr_assert_eq(choice.is_forced, c->is_forced, "%s", c->header);
    cr_assert_eq(choice.is_none, c->is_none, "%s", c->header);
}

static void unpack(vc_encoding encoding, const vc_buffer *packed, vc_buffer *out, size_t size)
{
    vc_buffer_reserve(out, size + 1);
    if (encoding == VC_ENCODING_ZSTD) {
        out->size = ZSTD_decompress(out->data, size + 1, packed->data, packed->size);
        cr_assert(!ZSTD_isError(out->size));
    } else if (encoding == VC_ENCODING_GZIP) {
        z_stream stream = {.next_in = (Bytef *)packed->data,
                           .avail_in = (uInt)packed->size,
                           .next_out = (Bytef *)out->data,
                           .avail_out = (uInt)size + 1};
        inflateInit2(&stream, 15 + 16);
        cr_assert_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
        cr_assert_eq(stream.avail_in, 0);
        out->size = stream.total_out;
        inflateEnd(&stream);
    } else {
        vc_buffer_put(out, packed->data, packed->size);
    }
}

/* By pieces of ragged sizes, empty ones among them, some larger than what is made at a time. */
static void round_trip(vc_encoding encoding, const char *data, size_t size, bool knows_size)
{
    vc_buffer packed = {0}, again = {0};
    vc_encoder *encoder = vc_encoder_new(encoding, knows_size ? size : 0);
    cr_assert_not_null(encoder);
    for (size_t at = 0, step = 0; at < size; at += step) {
        step = (size_t)rand() % 5 == 0 ? (size_t)rand() % 70000 : (size_t)rand() % 300;
        if (step > size - at) step = size - at;
        cr_assert(vc_encoder_put(encoder, data + at, step, &packed));
    }
    cr_assert(vc_encoder_end(encoder, &packed));
    vc_encoder_free(encoder);
    unpack(encoding, &packed, &again, size);
    cr_assert_eq(again.size, size);
    cr_assert_eq(memcmp(again.data, data, size), 0);
    vc_buffer_release(&packed);
    vc_buffer_release(&again);
}

Test(encoder, pieces)
{
    static const size_t sizes[] = {0, 1, 1000, 16384, 300000, 3000000};
    srand(7);
    char *data = malloc(3000000);
    for (size_t i = 0; i < 3000000; i++) /* text, then noise */
        data[i] = i < 1500000 ? "{\"geo.country\":\"FRA\"},"[i * 7 / 6 % 22] : (char)rand();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int e = 0; e < VC_ENCODING_COUNT; e++) {
            round_trip((vc_encoding)e, data, sizes[i], true);
            round_trip((vc_encoding)e, data, sizes[i], false);
            round_trip((vc_encoding)e, data + 3000000 - sizes[i], sizes[i], false);
        }
    free(data);
}

/* A size that was promised and not kept is no answer. */
Test(encoder, broken_promise)
{
    vc_buffer packed = {0};
    vc_encoder *encoder = vc_encoder_new(VC_ENCODING_ZSTD, 10);
    cr_assert(!vc_encoder_put(encoder, "12345678901", 11, &packed) ||
              !vc_encoder_end(encoder, &packed));
    cr_assert(!vc_encoder_end(encoder, &packed));
    vc_encoder_free(encoder);
    vc_buffer_release(&packed);
}
