#include "storage/crc32c.h"
#include "storage/encode.h"
#include "storage/verified.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 11 ^ *state << 40;
}

/* The check values of RFC 3720, appendix B.4. */
Test(crc32c, known_answers)
{
    unsigned char zeros[32] = {0}, ones[32], ascending[32];
    memset(ones, 0xFF, sizeof ones);
    for (unsigned i = 0; i < 32; i++)
        ascending[i] = (unsigned char)i;
    cr_assert_eq(vc_crc32c(0, zeros, 32), 0x8A9136AA);
    cr_assert_eq(vc_crc32c(0, ones, 32), 0x62A8AB43);
    cr_assert_eq(vc_crc32c(0, ascending, 32), 0x46DD794E);
    cr_assert_eq(vc_crc32c(0, "123456789", 9), 0xE3069283);
    cr_assert_eq(vc_crc32c(0, "", 0), 0);
    cr_assert_eq(vc_crc32c_portable(0, "123456789", 9), 0xE3069283);
}

/* Sizes around the lengths of the interleaved streams and of what is folded, at every alignment. */
Test(crc32c, fast_and_portable_agree)
{
    static unsigned char bytes[70000];
    uint64_t state = 1;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)next_random(&state);
    for (size_t size = 0; size < 2100; size++) {
        uint32_t expected = vc_crc32c_portable(5, bytes + size % 16, size);
        cr_assert_eq(vc_crc32c(5, bytes + size % 16, size), expected, "%zu", size);
        cr_assert_eq(vc_crc32c_streams(5, bytes + size % 16, size), expected, "%zu", size);
    }
    for (int i = 0; i < 500; i++) {
        size_t first = next_random(&state) % 100, size = next_random(&state) % 69000;
        size_t cut = size == 0 ? 0 : next_random(&state) % size;
        uint32_t whole = vc_crc32c_portable(0, bytes + first, size);
        cr_assert_eq(vc_crc32c(0, bytes + first, size), whole);
        cr_assert_eq(vc_crc32c(vc_crc32c(0, bytes + first, cut), bytes + first + cut, size - cut),
                     whole);
    }
}

Test(record, keys_sort_as_their_fields)
{
    vc_record_key a = {VC_RECORD_FACTS, 1, 255, 7, 9}, b = {VC_RECORD_FACTS, 1, 256, 0, 0}, again;
    uint8_t x[VC_KEY_BYTES], y[VC_KEY_BYTES];
    vc_record_key_write(&a, x);
    vc_record_key_write(&b, y);
    cr_assert_lt(memcmp(x, y, sizeof x), 0);
    cr_assert(vc_record_key_read(x, sizeof x, &again));
    cr_assert_eq(again.object, 1);
    cr_assert_eq(again.generation, 255);
    cr_assert_eq(again.column, 7);
    cr_assert_eq(again.segment, 9);
    cr_assert_not(vc_record_key_read(x, 15, &again));
    x[0] = 77;
    cr_assert_not(vc_record_key_read(x, sizeof x, &again));
    vc_record_key epoch = vc_record_catalogue_key(UINT64_C(0x123456789A));
    cr_assert_eq(vc_record_key_epoch(&epoch), UINT64_C(0x123456789A));
    cr_assert_eq(vc_record_class_bytes(48), 4080);
    cr_assert_eq(vc_record_class_bytes(4080), 4080);
    cr_assert_eq(vc_record_class_bytes(4081), 8176);
}

Test(record, every_flipped_bit_is_seen)
{
    static unsigned char value[4080];
    vc_record_key key = {VC_RECORD_BYTES, 3, 4, 5, 6};
    vc_record_header header = {.nrows = 9}, read;
    memset(value + 48, 'x', 9);
    vc_record_seal(value, sizeof value, &key, &header);
    cr_assert_null(vc_record_read(&key, value, sizeof value, &read));
    cr_assert(vc_record_is_sound(value, sizeof value));
    for (size_t bit = 0; bit < 8 * sizeof value; bit++) {
        value[bit / 8] ^= (unsigned char)(1u << bit % 8);
        cr_assert_not(vc_record_is_sound(value, sizeof value), "bit %zu", bit);
        value[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    key.column = 6; /* a right record under a wrong key */
    cr_assert_not_null(vc_record_read(&key, value, sizeof value, &read));
    cr_assert_not_null(vc_record_read(&key, value, 20, &read));
}

struct int_case {
    int64_t base;
    uint64_t spread; /* values are base + random % spread, 0: the whole range of 64 bits */
    unsigned width;
};

static const struct int_case int_cases[] = {
    {42, 1, 0},
    {-7, 2, 1},
    {1000, 256, 1},
    {1000, 257, 2},
    {INT64_MIN, 256, 1},
    {INT64_MAX - 65535, 65536, 2},
    {-5, 65537, 4},
    {0, UINT64_C(1) << 32, 4},
    {0, (UINT64_C(1) << 32) + 1, 8},
    {0, 0, 8},
};

ParameterizedTestParameters(chunk, ints)
{
    return cr_make_param_array(struct int_case, (struct int_case *)int_cases,
                               sizeof int_cases / sizeof int_cases[0]);
}

enum { NONE, SOME, NEARLY_ALL, ALL, NULL_KINDS };

static bool is_null_row(int kind, uint32_t row, uint64_t *state)
{
    uint64_t dice = next_random(state) % 100;
    return kind == SOME ? dice < 10 && row > 70 : kind == NEARLY_ALL ? dice < 95 : kind == ALL;
}

static void check_ints(const int64_t *values, const uint8_t *validity, uint32_t nrows,
                       unsigned full_width)
{
    vc_record_key key = {VC_RECORD_FACTS, 1, 2, 3, 4};
    vc_record_header header;
    vc_chunk chunk;
    uint32_t crc, nnulls = 0;
    size_t room = vc_chunk_room(nrows);
    unsigned char *memory = aligned_alloc(64, room + 16), *value = memory + 16;
    memset(memory, 0xAA, room + 16);
    size_t size = vc_chunk_encode_ints(&key, values, validity, nrows, value, &crc);
    cr_assert_leq(size, room);
    cr_assert_eq(size % 4096, 4080);
    cr_assert_null(vc_record_read(&key, value, size, &header));
    cr_assert(vc_record_is_sound(value, size));
    cr_assert_eq(header.crc, crc);
    cr_assert_null(vc_chunk_view(&header, value, size, &chunk));
    cr_assert_eq(chunk.nrows, nrows);
    cr_assert((uintptr_t)chunk.data % 64 == 0 && (uintptr_t)chunk.validity % 64 == 0);
    int64_t *decoded = malloc(nrows * sizeof *decoded + 1), min = INT64_MAX, max = INT64_MIN;
    vc_chunk_get_ints(&chunk, decoded);
    for (uint32_t row = 0; row < nrows; row++) {
        bool is_valid = validity == NULL || (validity[row / 8] >> row % 8 & 1);
        cr_assert_eq(vc_chunk_has(&chunk, row), is_valid);
        cr_assert_eq(decoded[row], is_valid ? values[row] : 0);
        nnulls += !is_valid;
        /* nothing of what stood in a null row gets into the file */
        for (unsigned byte = 0; !is_valid && byte < chunk.width; byte++)
            cr_assert_eq(((const unsigned char *)chunk.data)[row * chunk.width + byte], 0);
        min = is_valid && values[row] < min ? values[row] : min;
        max = is_valid && values[row] > max ? values[row] : max;
    }
    cr_assert_eq(chunk.nnulls, nnulls);
    cr_assert_leq(chunk.width, full_width);
    if (nnulls == nrows)
        cr_assert(chunk.min > chunk.max && chunk.width == 0);
    else
        cr_assert(chunk.min == min && chunk.max == max && chunk.base == min);
    if (nnulls == 0)
        cr_assert_null(chunk.validity);
    else if (nrows % 8 != 0) /* the bits past the end are clear */
        cr_assert_eq(chunk.validity[nrows / 8] >> nrows % 8, 0);
    free(decoded);
    free(memory);
}

ParameterizedTest(struct int_case *c, chunk, ints)
{
    static const uint32_t sizes[] = {0, 1, 7, 8, 63, 64, 65, 1000, 65535, 65536};
    static int64_t values[65536];
    static uint8_t validity[65536 / 8];
    uint64_t state = c->spread + 99;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
        for (int kind = NONE; kind < NULL_KINDS; kind++) {
            uint32_t nrows = sizes[s];
            memset(validity, 0xFF, sizeof validity); /* also past the last row */
            for (uint32_t row = 0; row < nrows; row++) {
                uint64_t delta = next_random(&state);
                delta = c->spread == 0 ? delta : delta % c->spread;
                values[row] = (int64_t)((uint64_t)c->base + delta);
                if (is_null_row(kind, row, &state)) {
                    validity[row / 8] &= (uint8_t) ~(1u << row % 8);
                    values[row] = (int64_t)next_random(&state); /* whatever */
                }
            }
            if (nrows > 1 && kind == NONE) { /* both ends, so that the width is exact */
                values[0] = c->base;
                values[1] = (int64_t)((uint64_t)c->base + c->spread - 1);
            }
            check_ints(values, kind == NONE && s % 2 ? NULL : validity, nrows, c->width);
            if (nrows > 1 && kind == NONE && c->spread != 0) {
                vc_record_key key = {VC_RECORD_FACTS, 1, 2, 3, 4};
                vc_record_header header;
                uint32_t crc;
                unsigned char *memory = aligned_alloc(64, vc_chunk_room(nrows) + 16);
                size_t size = vc_chunk_encode_ints(&key, values, NULL, nrows, memory + 16, &crc);
                vc_record_read(&key, memory + 16, size, &header);
                cr_assert_eq(header.width, c->width);
                free(memory);
            }
        }
}

Test(chunk, doubles_keep_their_bits)
{
    double values[100], decoded[100];
    uint8_t validity[13];
    memset(validity, 0xFF, sizeof validity);
    for (int i = 0; i < 100; i++)
        values[i] = (i - 50) * 1.25;
    values[3] = DBL_MAX;
    values[4] = -DBL_MAX;
    values[5] = DBL_TRUE_MIN;
    values[6] = -0.0;
    values[7] = NAN;
    values[8] = 1e300;
    validity[1] &= 0xFE; /* row 8 is null */
    vc_record_key key = {VC_RECORD_FACTS, 1, 2, 3, 4};
    vc_record_header header;
    vc_chunk chunk;
    uint32_t crc;
    unsigned char *memory = aligned_alloc(64, vc_chunk_room(100) + 16);
    size_t size = vc_chunk_encode_doubles(&key, values, validity, 100, memory + 16, &crc);
    cr_assert_null(vc_record_read(&key, memory + 16, size, &header));
    cr_assert(vc_record_is_sound(memory + 16, size));
    cr_assert_null(vc_chunk_view(&header, memory + 16, size, &chunk));
    cr_assert_eq(chunk.nnulls, 1);
    cr_assert(chunk.fmin == -DBL_MAX && chunk.fmax == DBL_MAX);
    vc_chunk_get_doubles(&chunk, decoded);
    values[8] = 0;
    cr_assert_eq(memcmp(values, decoded, sizeof values), 0);
    size = vc_chunk_encode_doubles(&key, values, NULL, 0, memory + 16, &crc);
    vc_record_read(&key, memory + 16, size, &header);
    cr_assert_null(vc_chunk_view(&header, memory + 16, size, &chunk));
    cr_assert(chunk.nrows == 0 && chunk.fmin > chunk.fmax);
    free(memory);
}

/* A header whose checksum is right may still be wrong, when a program wrote it so. */
Test(chunk, impossible_headers_are_refused)
{
    vc_record_header good = {.type = VC_CHUNK_INT, .width = 4, .nrows = 100}, bad;
    vc_chunk chunk;
    static unsigned char value[8192];
    cr_assert_null(vc_chunk_view(&good, value, 4080, &chunk));
    cr_assert_not_null(vc_chunk_view(&good, value, 8176, &chunk));
    bad = good;
    bad.type = 3;
    cr_assert_not_null(vc_chunk_view(&bad, value, 4080, &chunk));
    bad = good;
    bad.width = 3;
    cr_assert_not_null(vc_chunk_view(&bad, value, 4080, &chunk));
    bad = good;
    bad.nrows = 2000;
    cr_assert_not_null(vc_chunk_view(&bad, value, 4080, &chunk));
    bad = good;
    bad.nnulls = 3;
    cr_assert_not_null(vc_chunk_view(&bad, value, 4080, &chunk));
    bad = good;
    bad.type = VC_CHUNK_FLOAT;
    cr_assert_not_null(vc_chunk_view(&bad, value, 4080, &chunk));
}

Test(verified, remembers_across_growth)
{
    vc_verified *set = vc_verified_new();
    vc_record_key key = {VC_RECORD_FACTS, 1, 1, 0, 0};
    for (uint32_t i = 0; i < 100000; i++) {
        key.segment = i;
        cr_assert_not(vc_verified_has(set, &key));
        vc_verified_add(set, &key);
        cr_assert(vc_verified_has(set, &key));
    }
    for (uint32_t i = 0; i < 100000; i++) {
        key.segment = i;
        cr_assert(vc_verified_has(set, &key));
    }
    key.column = 1;
    cr_assert_not(vc_verified_has(set, &key));
    vc_verified_free(set);
}
