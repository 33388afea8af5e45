#include "storage/crc32c.h"
#include "storage/encode.h"
#include "storage/packed.h"
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
    uint64_t slope; /* and slope * row more: each block has another range */
};

static const struct int_case int_cases[] = {
    {42, 1, 0, 0},
    {-7, 2, 1, 0},
    {1000, 256, 8, 0},
    {1000, 257, 9, 0},
    {INT64_MIN, 256, 8, 0},
    {INT64_MAX - 65535, 65536, 16, 0},
    {-5, 65537, 17, 0},
    {0, UINT64_C(1) << 32, 32, 0},
    {0, (UINT64_C(1) << 32) + 1, 33, 0},
    {INT64_MIN, UINT64_C(1) << 63, 63, 0},
    {0, 0, 64, 0},
    {-100000, 1, 12, 1},
    {INT64_MIN, 1 << 20, 64, 1 << 30},
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

/* The table of blocks against the values, by hand. */
static void check_blocks(const vc_chunk *chunk, const int64_t *values, unsigned full_width)
{
    uint32_t offset = 0;
    cr_assert_eq(chunk->nblocks, (chunk->nrows + 4095) / 4096);
    for (uint32_t b = 0; b < chunk->nblocks; b++) {
        const vc_block *block = &chunk->blocks[b];
        uint32_t first = b * 4096,
                 count = chunk->nrows - first < 4096 ? chunk->nrows - first : 4096;
        int64_t min = INT64_MAX, max = INT64_MIN;
        cr_assert_eq(vc_chunk_block_rows(chunk, b), count);
        for (uint32_t row = first; row < first + count; row++) {
            if (!vc_chunk_has(chunk, row)) {
                /* nothing of what stood in a null row gets into the file */
                cr_assert_eq(
                    vc_packed_get(vc_chunk_block_data(chunk, b), block->width, row - first), 0);
                continue;
            }
            min = values[row] < min ? values[row] : min;
            max = values[row] > max ? values[row] : max;
        }
        cr_assert_eq(block->offset, offset);
        if (min > max)
            cr_assert(block->min == 1 && block->max == 0 && block->width == 0);
        else
            cr_assert(block->min == min && block->max == max &&
                      block->width == vc_packed_width((uint64_t)max - (uint64_t)min));
        cr_assert_leq(block->width, full_width);
        offset += (uint32_t)vc_packed_bytes(count, block->width) / 64;
    }
    cr_assert_eq(chunk->nbytes, chunk->nblocks * 24 + (size_t)offset * 64 +
                                    (chunk->validity == NULL ? 0 : (chunk->nrows + 7) / 8));
}

static void check_ints(const int64_t *values, const uint8_t *validity, uint32_t nrows,
                       unsigned full_width)
{
    vc_record_key key = {VC_RECORD_FACTS, 1, 2, 3, 4};
    vc_record_header header;
    vc_chunk chunk;
    uint32_t nnulls = 0;
    vc_record_header written;
    size_t room = vc_chunk_room(nrows);
    unsigned char *memory = aligned_alloc(64, room + 16), *value = memory + 16;
    memset(memory, 0xAA, room + 16);
    size_t size = vc_chunk_encode_ints(&key, values, validity, nrows, value, &written);
    cr_assert_leq(size, room);
    cr_assert_eq(size % 4096, 4080);
    cr_assert_null(vc_record_read(&key, value, size, &header));
    cr_assert(vc_record_is_sound(value, size));
    cr_assert_eq(memcmp(&header, &written, sizeof header), 0);
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
        min = is_valid && values[row] < min ? values[row] : min;
        max = is_valid && values[row] > max ? values[row] : max;
    }
    cr_assert_eq(chunk.nnulls, nnulls);
    check_blocks(&chunk, values, full_width);
    if (nnulls == nrows)
        cr_assert(chunk.min == 1 && chunk.max == 0);
    else
        cr_assert(chunk.min == min && chunk.max == max);
    if (nnulls == 0)
        cr_assert_null(chunk.validity);
    else if (nrows % 8 != 0) /* the bits past the end are clear */
        cr_assert_eq(chunk.validity[nrows / 8] >> nrows % 8, 0);
    free(decoded);
    free(memory);
}

ParameterizedTest(struct int_case *c, chunk, ints)
{
    static const uint32_t sizes[] = {0,    1,    7,    8,    63,   64,   65,    511,  512,
                                     1000, 4095, 4096, 4097, 8192, 9000, 65535, 65536};
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
                values[row] = (int64_t)((uint64_t)c->base + delta + c->slope * row);
                /* in the last kind but one, whole blocks are null */
                if (is_null_row(kind, row, &state) || (kind == NEARLY_ALL && row / 4096 % 2 == 1)) {
                    validity[row / 8] &= (uint8_t) ~(1u << row % 8);
                    values[row] = (int64_t)next_random(&state); /* whatever */
                }
            }
            if (nrows > 1 && kind == NONE && c->slope == 0) { /* both ends, so the width is exact */
                values[0] = c->base;
                values[1] = (int64_t)((uint64_t)c->base + c->spread - 1);
            }
            check_ints(values, kind == NONE && s % 2 ? NULL : validity, nrows, c->width);
            if (nrows > 1 && kind == NONE && c->spread != 0 && c->slope == 0) {
                vc_record_key key = {VC_RECORD_FACTS, 1, 2, 3, 4};
                vc_record_header header;
                vc_chunk chunk;
                unsigned char *memory = aligned_alloc(64, vc_chunk_room(nrows) + 16);
                size_t size = vc_chunk_encode_ints(&key, values, NULL, nrows, memory + 16, &header);
                cr_assert_null(vc_chunk_view(&header, memory + 16, size, &chunk));
                cr_assert_eq(chunk.blocks[0].width, c->width);
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
    unsigned char *memory = aligned_alloc(64, vc_chunk_room(100) + 16);
    size_t size = vc_chunk_encode_doubles(&key, values, validity, 100, memory + 16, &header);
    cr_assert_null(vc_record_read(&key, memory + 16, size, &header));
    cr_assert(vc_record_is_sound(memory + 16, size));
    cr_assert_null(vc_chunk_view(&header, memory + 16, size, &chunk));
    cr_assert_eq(chunk.nnulls, 1);
    cr_assert(chunk.fmin == -DBL_MAX && chunk.fmax == DBL_MAX);
    vc_chunk_get_doubles(&chunk, decoded);
    values[8] = 0;
    cr_assert_eq(memcmp(values, decoded, sizeof values), 0);
    size = vc_chunk_encode_doubles(&key, values, NULL, 0, memory + 16, &header);
    vc_record_read(&key, memory + 16, size, &header);
    cr_assert_null(vc_chunk_view(&header, memory + 16, size, &chunk));
    cr_assert(chunk.nrows == 0 && chunk.fmin > chunk.fmax);
    free(memory);
}

/* Headers and tables of blocks whose checksum is right may still be wrong, when a program wrote
 * them so. Readers go where they say. */

typedef struct stored { /* a value as it stands in a file */
    unsigned char before[16];
    vc_record_header header;
    vc_block blocks[3];
} stored;

static const char *look_at(const stored *value, size_t size)
{
    vc_chunk chunk;
    return vc_chunk_view(&value->header, &value->header, size, &chunk);
}

/* 9,000 rows in blocks of 4,096, 4,096 and 808. */
static size_t make_stored(unsigned char *memory)
{
    static int64_t values[9000];
    vc_record_key key = {VC_RECORD_FACTS, 1, 2, 3, 4};
    vc_record_header header;
    uint64_t state = 5;
    for (int row = 0; row < 9000; row++)
        values[row] = (int64_t)(next_random(&state) % (row < 4096 ? 16 : row < 8192 ? 1 : 9)) - 4;
    return vc_chunk_encode_ints(&key, values, NULL, 9000, memory + 16, &header);
}

Test(chunk, impossible_tables_of_blocks_are_refused)
{
    unsigned char *good = aligned_alloc(64, vc_chunk_room(9000) + 16);
    unsigned char *memory = aligned_alloc(64, vc_chunk_room(9000) + 16);
    stored *bad = (stored *)memory;
    size_t size = make_stored(good);
#define REFUSE(change)                                                                             \
    do {                                                                                           \
        memcpy(memory, good, size + 16);                                                           \
        cr_assert_null(look_at(bad, size));                                                        \
        change;                                                                                    \
        cr_assert_not_null(look_at(bad, size), #change);                                           \
    } while (0)
    REFUSE(bad->blocks[0].offset = 1);
    REFUSE(bad->blocks[1].offset = 0);
    REFUSE(bad->blocks[2].offset += 1);
    REFUSE(bad->blocks[2].offset = UINT32_MAX);
    REFUSE(bad->blocks[0].width = 3);
    REFUSE(bad->blocks[0].width = 5);
    REFUSE(bad->blocks[0].width = 65);
    REFUSE(bad->blocks[1].width = UINT32_MAX);
    REFUSE(bad->blocks[0].max = 1 << 20); /* does not fit the width */
    REFUSE(bad->blocks[0].max = 10);      /* fits, but then the chunk's is another */
    REFUSE(bad->blocks[0].max = INT64_MIN);
    REFUSE(bad->blocks[1].min = 3);
    REFUSE((bad->blocks[1].min = 1, bad->blocks[1].max = 0)); /* no value, and no null row */
    REFUSE((bad->blocks[1].min = bad->blocks[1].max = 100));
    REFUSE(bad->header.min -= 1);
    REFUSE(bad->header.max += 1);
    REFUSE((bad->header.min = 1, bad->header.max = 0));
    REFUSE(bad->header.nrows = 20000);
    REFUSE(bad->header.nrows = 70000);
    REFUSE(bad->header.nrows = 0);
    REFUSE(bad->header.nrows = UINT32_MAX);
    REFUSE(bad->header.width = 4);
    REFUSE(bad->header.type = 3);
    REFUSE(bad->header.type = VC_CHUNK_FLOAT);
    REFUSE(bad->header.nnulls = 3);
    REFUSE(bad->header.nnulls = 9001);
    REFUSE(bad->header.flags = VC_RECORD_HAS_VALIDITY);
    REFUSE(bad->header.flags = 2);
    REFUSE((bad->header.flags = VC_RECORD_HAS_VALIDITY, bad->header.nnulls = 9000));
#undef REFUSE
    memcpy(memory, good, size + 16);
    cr_assert_not_null(look_at(bad, size - 4096));
    cr_assert_not_null(look_at(bad, size + 4096));
    cr_assert_not_null(look_at(bad, 48));
    free(memory);
    free(good);
}

Test(chunk, impossible_headers_of_doubles_are_refused)
{
    vc_record_header good = {.type = VC_CHUNK_FLOAT, .width = 8, .nrows = 100}, bad;
    vc_chunk chunk;
    static unsigned char value[8192] __attribute__((aligned(64)));
    cr_assert_null(vc_chunk_view(&good, value + 16, 4080, &chunk));
    cr_assert_not_null(vc_chunk_view(&good, value + 16, 8176, &chunk));
    cr_assert_not_null(vc_chunk_view(&good, value + 16, 4079, &chunk));
    bad = good;
    bad.width = 4;
    cr_assert_not_null(vc_chunk_view(&bad, value + 16, 4080, &chunk));
    bad = good;
    bad.nrows = 2000;
    cr_assert_not_null(vc_chunk_view(&bad, value + 16, 4080, &chunk));
    bad = good;
    bad.nnulls = 3;
    cr_assert_not_null(vc_chunk_view(&bad, value + 16, 4080, &chunk));
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
