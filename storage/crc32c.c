/* A crc32 instruction takes three cycles but one can start in each, so three independent streams
 * run at full speed. Their checksums are joined by moving the first over the length of the second:
 * advancing a CRC over zero bytes is linear over GF(2), so it is four table look-ups per join, with
 * tables that are made once for the two stream lengths used here.
 *
 * Where four carry-less multiplications fit one instruction, a long run is first *folded*: 256
 * bytes are moved over the next 256 and added to them, until 256 bytes are left that have the same
 * remainder as all before them (Gopal and others, "Fast CRC Computation for Generic Polynomials
 * Using PCLMULQDQ", Intel, 2009). In bits that stand with the highest power first, the product of
 * two 64-bit words lies one place too high, so that a word is moved over n bits by multiplying it
 * with x^(n - 1). */
#include "storage/crc32c.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define CRC_TARGET  __attribute__((target("sse4.2")))
#define FOLD_TARGET __attribute__((target("sse4.2,avx512f,vpclmulqdq")))
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#define CRC_TARGET
#endif

enum { LONG_STREAM = 2048, SHORT_STREAM = 256, FOLD_BYTES = 256 };

typedef struct shift_table {
    uint32_t by_byte[4][256];
} shift_table;

static uint32_t slices[8][256];
static shift_table shift_long, shift_short;
static bool has_instruction, has_fold;
static uint64_t fold_low, fold_high; /* what moves the first and the last 64 of 128 bits */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint64_t load_word(const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static void make_slices(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ UINT32_C(0x82F63B78) : crc >> 1;
        slices[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++)
        for (int slice = 1; slice < 8; slice++)
            slices[slice][byte] =
                slices[slice - 1][byte] >> 8 ^ slices[0][slices[slice - 1][byte] & 255];
}

/* crc here and below is the inverted state, without the inversion at both ends. */
static uint32_t advance_by_tables(uint32_t crc, const unsigned char *bytes, size_t size)
{
    for (; size >= 8; size -= 8, bytes += 8) {
        uint64_t word = load_word(bytes) ^ crc;
        crc = slices[7][word & 255] ^ slices[6][word >> 8 & 255] ^ slices[5][word >> 16 & 255] ^
              slices[4][word >> 24 & 255] ^ slices[3][word >> 32 & 255] ^
              slices[2][word >> 40 & 255] ^ slices[1][word >> 48 & 255] ^ slices[0][word >> 56];
    }
    for (; size > 0; size--)
        crc = crc >> 8 ^ slices[0][(crc ^ *bytes++) & 255];
    return crc;
}

static void make_shift(shift_table *table, size_t length)
{
    static const unsigned char zeros[LONG_STREAM];
    for (unsigned byte = 0; byte < 4; byte++) {
        for (unsigned bit = 0; bit < 8; bit++)
            table->by_byte[byte][1u << bit] =
                advance_by_tables(UINT32_C(1) << (8 * byte + bit), zeros, length);
        for (unsigned value = 1; value < 256; value++) {
            unsigned lowest = value & -value;
            table->by_byte[byte][value] =
                table->by_byte[byte][lowest] ^
                (value == lowest ? 0 : table->by_byte[byte][value ^ lowest]);
        }
    }
}

/* x^n modulo the polynomial, as a 64-bit word with the highest power first. */
static uint64_t power_of_x(unsigned n)
{
    uint32_t power = UINT32_C(1) << 31;
    while (n-- > 0)
        power = power & 1 ? power >> 1 ^ UINT32_C(0x82F63B78) : power >> 1;
    return (uint64_t)power << 32;
}

static void setup(void)
{
    make_slices();
    make_shift(&shift_long, LONG_STREAM);
    make_shift(&shift_short, SHORT_STREAM);
    fold_low = power_of_x(8 * FOLD_BYTES + 64 - 1);
    fold_high = power_of_x(8 * FOLD_BYTES - 1);
#if defined(__x86_64__)
    has_instruction = __builtin_cpu_supports("sse4.2");
    has_fold = has_instruction && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("vpclmulqdq");
#elif defined(__aarch64__)
    has_instruction = (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
#endif
}

#ifdef CRC_TARGET

CRC_TARGET static inline uint32_t step8(uint32_t crc, uint64_t word)
{
#if defined(__x86_64__)
    return (uint32_t)_mm_crc32_u64(crc, word);
#else
    __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(word));
    return crc;
#endif
}

CRC_TARGET static inline uint32_t step1(uint32_t crc, unsigned char byte)
{
#if defined(__x86_64__)
    return _mm_crc32_u8(crc, byte);
#else
    __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"(byte));
    return crc;
#endif
}

static inline uint32_t shift(const shift_table *table, uint32_t crc)
{
    return table->by_byte[0][crc & 255] ^ table->by_byte[1][crc >> 8 & 255] ^
           table->by_byte[2][crc >> 16 & 255] ^ table->by_byte[3][crc >> 24];
}

/* As many rounds of three streams of `length` bytes as there are in *size. */
CRC_TARGET static inline uint32_t advance_streams(uint32_t crc, const unsigned char **bytes,
                                                  size_t *size, size_t length,
                                                  const shift_table *table)
{
    for (; *size >= 3 * length; *size -= 3 * length, *bytes += 3 * length) {
        const unsigned char *at = *bytes;
        uint32_t second = 0, third = 0;
        for (size_t i = 0; i < length; i += 8) {
            crc = step8(crc, load_word(at + i));
            second = step8(second, load_word(at + length + i));
            third = step8(third, load_word(at + 2 * length + i));
        }
        crc = shift(table, shift(table, crc) ^ second) ^ third;
    }
    return crc;
}

CRC_TARGET static uint32_t advance_by_instruction(uint32_t crc, const unsigned char *bytes,
                                                  size_t size)
{
    crc = advance_streams(crc, &bytes, &size, LONG_STREAM, &shift_long);
    crc = advance_streams(crc, &bytes, &size, SHORT_STREAM, &shift_short);
    for (; size >= 8; size -= 8, bytes += 8)
        crc = step8(crc, load_word(bytes));
    for (; size > 0; size--)
        crc = step1(crc, *bytes++);
    return crc;
}

#endif

#ifdef FOLD_TARGET

FOLD_TARGET static inline __m512i fold(__m512i held, __m512i by, const unsigned char *next)
{
    return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(held, by, 0x00),
                                     _mm512_clmulepi64_epi128(held, by, 0x11),
                                     _mm512_loadu_si512(next), 0x96);
}

/* size at least FOLD_BYTES */
FOLD_TARGET static uint32_t advance_by_folding(uint32_t crc, const unsigned char *bytes,
                                               size_t size)
{
    const __m512i by = _mm512_set_epi64(
        (long long)fold_high, (long long)fold_low, (long long)fold_high, (long long)fold_low,
        (long long)fold_high, (long long)fold_low, (long long)fold_high, (long long)fold_low);
    __m512i a = _mm512_xor_si512(_mm512_loadu_si512(bytes),
                                 _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)crc)));
    __m512i b = _mm512_loadu_si512(bytes + 64);
    __m512i c = _mm512_loadu_si512(bytes + 128);
    __m512i d = _mm512_loadu_si512(bytes + 192);
    for (bytes += FOLD_BYTES, size -= FOLD_BYTES; size >= FOLD_BYTES;
         bytes += FOLD_BYTES, size -= FOLD_BYTES) {
        a = fold(a, by, bytes);
        b = fold(b, by, bytes + 64);
        c = fold(c, by, bytes + 128);
        d = fold(d, by, bytes + 192);
    }
    unsigned char left[FOLD_BYTES];
    _mm512_storeu_si512(left, a);
    _mm512_storeu_si512(left + 64, b);
    _mm512_storeu_si512(left + 128, c);
    _mm512_storeu_si512(left + 192, d);
    return advance_by_instruction(advance_by_instruction(0, left, sizeof left), bytes, size);
}

#endif

uint32_t vc_crc32c(uint32_t crc, const void *data, size_t size)
{
    pthread_once(&once, setup);
#ifdef FOLD_TARGET
    if (has_fold && size >= (size_t)4 * FOLD_BYTES) return ~advance_by_folding(~crc, data, size);
#endif
    return vc_crc32c_streams(crc, data, size);
}

uint32_t vc_crc32c_streams(uint32_t crc, const void *data, size_t size)
{
    pthread_once(&once, setup);
#ifdef CRC_TARGET
    if (has_instruction) return ~advance_by_instruction(~crc, data, size);
#endif
    return ~advance_by_tables(~crc, data, size);
}

uint32_t vc_crc32c_portable(uint32_t crc, const void *data, size_t size)
{
    pthread_once(&once, setup);
    return ~advance_by_tables(~crc, data, size);
}
