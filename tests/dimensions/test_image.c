/* An image that was damaged is refused, or read without leaving it. */
#include "dimensions/image.h"
#include "tests/dimensions/fixture.h"
#include "tests/dimensions/specs.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define COUNTRIES                                                                                  \
    "FRA,Europe,France,Paris,1\n"                                                                  \
    "JPN,Asia,Japan,Tokyo,9\n"                                                                     \
    "DEU,Europe,Germany,Berlin,1\n"                                                                \
    "XXX,~,~,~,~"

/* Open a copy of exactly this size, so that a sanitizer sees a read behind it. Opening looks at
 * where arrays lie only, so what it lets through must not be read; what vc_dimension_check lets
 * through is read to the last number. */
static vc_status open_and_walk(const char *data, size_t size)
{
    char *copy = malloc(size == 0 ? 1 : size);
    memcpy(copy, data, size);
    vc_arena arena = {0};
    vc_error error = {0};
    const vc_dimension *dimension = NULL;
    vc_status opened = vc_dimension_open((vc_str){copy, size}, &arena, &dimension, &error);
    vc_status status = vc_dimension_check((vc_str){copy, size}, &error);
    cr_assert(opened == VC_OK || status != VC_OK, "what cannot be opened is not well");
    if (status == VC_OK) fixture_walk(dimension);
    if (status == VC_CORRUPT) cr_assert_str_eq(error.code, "storage_damaged");
    cr_assert(status == VC_OK || status == VC_CORRUPT, "%s", error.message);
    vc_arena_release(&arena);
    free(copy);
    return status;
}

static void flip_every_byte(const vc_dimension_spec *spec, const char *rows)
{
    fixture made;
    fixture_build(&made, spec, NULL, rows);
    cr_assert_eq(made.status, VC_OK, "%s", made.error.message);
    char *data = made.image.data;
    size_t nrefused = 0;
    for (size_t at = 0; at < made.image.size; at++) {
        const unsigned char flips[] = {0x01, 0x80, 0xFF, 0x10};
        for (size_t i = 0; i < sizeof flips; i++) {
            data[at] = (char)((unsigned char)data[at] ^ flips[i]);
            nrefused += open_and_walk(data, made.image.size) == VC_CORRUPT;
            data[at] = (char)((unsigned char)data[at] ^ flips[i]);
        }
    }
    /* Contents are for checksums, but what says where things are must have been looked at. */
    cr_assert_gt(nrefused, made.image.size);
    cr_assert_eq(open_and_walk(data, made.image.size), VC_OK);
    fixture_release(&made);
}

Test(image, flipped_bytes_of_a_table)
{
    flip_every_byte(&geo_spec, COUNTRIES);
}

Test(image, flipped_bytes_of_two_hierarchies)
{
    flip_every_byte(&date_spec, "2020-01-01,2020,1,1,B\n2020-01-02,2020,1,1,A\n~,2020,1,1,B");
}

Test(image, flipped_bytes_of_level_attributes)
{
    flip_every_byte(&city_spec, "FR,Paris,75,1\nFR,Paris,~,2\nDE,Bonn,53,~");
}

Test(image, truncated_images_are_refused)
{
    fixture made;
    fixture_build(&made, &geo_spec, NULL, COUNTRIES);
    for (size_t size = 0; size < made.image.size; size++)
        cr_assert_eq(open_and_walk(made.image.data, size), VC_CORRUPT, "%zu bytes", size);
    vc_buffer longer = {0};
    vc_buffer_put(&longer, made.image.data, made.image.size);
    vc_buffer_put_char(&longer, '\0');
    cr_assert_eq(open_and_walk(longer.data, longer.size), VC_CORRUPT, "one byte too many");
    vc_buffer_release(&longer);
    /* Also when the header has been made to agree. */
    for (uint64_t size = 96; size < made.image.size; size++) {
        vc_buffer cut = {0};
        vc_buffer_put(&cut, made.image.data, size);
        memcpy(cut.data + 16, &size, sizeof size);
        open_and_walk(cut.data, size);
        vc_buffer_release(&cut);
    }
    fixture_release(&made);
}

/* Several words at once: random damage, seeded. */
Test(image, random_damage)
{
    fixture made;
    fixture_build(&made, &geo_spec, NULL, COUNTRIES);
    char *data = malloc(made.image.size);
    srand(11);
    for (int round = 0; round < 4000; round++) {
        memcpy(data, made.image.data, made.image.size);
        for (int i = rand() % 4; i >= 0; i--) {
            size_t at = (size_t)rand() % (made.image.size / 8) * 8;
            uint64_t word;
            memcpy(&word, data + at, sizeof word);
            uint64_t words[] = {0,
                                UINT64_MAX,
                                word + 1,
                                word - 1,
                                word + 8,
                                word << 1,
                                made.image.size,
                                made.image.size - 8,
                                (uint64_t)rand()};
            word = words[rand() % 9];
            memcpy(data + at, &word, sizeof word);
        }
        open_and_walk(data, made.image.size);
    }
    free(data);
    fixture_release(&made);
}

/* Rows that do not say how long they are, and a header that says the same. */
Test(image, rows_of_no_size_are_refused)
{
    enum { NBYTES = 1 << 24 };
    fixture made;
    vc_image_header header;
    char *zeros = calloc(1, NBYTES), packed[NBYTES / 1024];
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
    size_t size = ZSTD_compress2(context, packed, sizeof packed, zeros, NBYTES);
    cr_assert_not(ZSTD_isError(size));
    ZSTD_freeCCtx(context);
    free(zeros);
    fixture_build(&made, &geo_spec, NULL, COUNTRIES);
    memcpy(&header, made.image.data, sizeof header);
    vc_buffer_put(&made.image, "\0\0\0\0\0\0\0", -made.image.size % 8);
    header.rows_offset = made.image.size;
    header.packed_bytes = size;
    header.rows_bytes = ZSTD_getFrameContentSize(packed, size);
    vc_buffer_put(&made.image, packed, size);
    header.image_bytes = made.image.size;
    memcpy(made.image.data, &header, sizeof header);
    cr_assert_eq(open_and_walk(made.image.data, made.image.size), VC_CORRUPT);
    fixture_release(&made);
}

Test(image, same_rows_same_fingerprint)
{
    fixture a, b, c;
    fixture_build(&a, &geo_spec, NULL, COUNTRIES);
    vc_dimension_spec renamed = geo_spec;
    renamed.name = VC_STR("country_dimension");
    renamed.label = VC_STR("Countries of the world");
    fixture_build(&b, &renamed, NULL, COUNTRIES);
    fixture_build(&c, &geo_spec, NULL, COUNTRIES "\nITA,Europe,Italy,Rome,1");
    cr_assert_eq(a.dimension->fingerprint, b.dimension->fingerprint,
                 "a shared dimension has another name in each cube");
    cr_assert(vc_str_is(b.dimension->name, "country_dimension"));
    cr_assert(vc_str_is(b.dimension->label, "Countries of the world"));
    cr_assert_neq(a.dimension->fingerprint, c.dimension->fingerprint);
    fixture_release(&a);
    fixture_release(&b);
    fixture_release(&c);
}
