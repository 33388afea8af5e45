/* Does the time of checking a token tell what is wrong with it?
 *
 * 100,000 tokens of each kind (unknown id, wrong secret of a known id in its first or its last
 * character, revoked, expired, right) are checked in random order against a file of 1,200; each
 * check is timed. Prints the mean of each kind and Welch's t beside the wrong secret, of the
 * samples below the 95th percentile of all (what is above is the machine's, not the check's).
 * |t| below 4.5 says that the kinds cannot be told apart; a right token may be, and is told anyway.
 * The control compares secrets by memcmp, kind by kind as an old server would: its t must be large,
 * or this bench sees nothing.
 *
 *     build/bench/safety/token_timing [samples]
 */
#include "base/buffer.h"
#include "base/clock.h"
#include "http/files.h"
#include "http/tokens.h"

#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NEACH = 200, PERCENTILE = 95, NOW_S = 1795000000 };

enum kind { WRONG_LAST, WRONG_FIRST, UNKNOWN, REVOKED, EXPIRED, RIGHT, NKINDS };

static const char *const kind_names[NKINDS] = {"wrong secret (last character)",
                                               "wrong secret (first character)",
                                               "unknown id",
                                               "revoked",
                                               "expired",
                                               "right"};

typedef char token_text[VC_TOKEN_SIZE + 1];

static uint64_t next_random(void)
{
    static uint64_t state = 88172645463325252;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* ---- tokens ---- */

static void fail(const char *what)
{
    fprintf(stderr, "token_timing: %s\n", what);
    exit(1);
}

/* A token as vc_tokens_create makes it, without writing the file as often. */
static void make_token(const unsigned char key[32], enum kind kind, token_text text, vc_buffer *out)
{
    unsigned char id[VC_TOKEN_ID_SIZE / 2], secret[32], hash[VC_TOKEN_HASH_SIZE];
    char hex[2 * VC_TOKEN_HASH_SIZE + 1];
    randombytes_buf(id, sizeof id);
    randombytes_buf(secret, sizeof secret);
    memcpy(text, VC_TOKEN_PREFIX, 4);
    sodium_bin2hex(text + 4, VC_TOKEN_ID_SIZE + 1, id, sizeof id);
    text[4 + VC_TOKEN_ID_SIZE] = '_';
    char *shown = text + 4 + VC_TOKEN_ID_SIZE + 1;
    sodium_bin2base64(shown, 44, secret, sizeof secret, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    crypto_generichash(hash, sizeof hash, (const unsigned char *)shown, 43, key, 32);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    vc_buffer_printf(out,
                     "%s{\"id\":\"%.16s\",\"name\":\"n\",\"role\":\"r\",\"created\":"
                     "\"2026-01-01T00:00:00Z\",\"expires\":%s,\"revoked\":%s,\"hash\":\"%s\"}",
                     out->data[out->size - 1] == '[' ? "" : ",\n", text + 4,
                     kind == EXPIRED ? "\"2026-02-01T00:00:00Z\"" : "null",
                     kind == REVOKED ? "\"2026-02-01T00:00:00Z\"" : "null", hex);
    if (kind == WRONG_LAST) shown[42] = shown[42] == 'A' ? 'B' : 'A';
    if (kind == WRONG_FIRST) shown[0] = shown[0] == 'A' ? 'B' : 'A';
    /* Next to one of its own, so that each kind has as many records in the caches as the others. */
    char *digit = &text[4 + VC_TOKEN_ID_SIZE - 1];
    if (kind == UNKNOWN) *digit = *digit == 'f' ? '0' : *digit == '9' ? 'a' : (char)(*digit + 1);
}

static vc_tokens *make_tokens(const char *path, token_text texts[NKINDS][NEACH])
{
    unsigned char key[32];
    char hex[65];
    vc_tokens *tokens;
    vc_buffer out = {0};
    randombytes_buf(key, sizeof key);
    sodium_bin2hex(hex, sizeof hex, key, sizeof key);
    vc_buffer_printf(&out, "{\"version\":1,\"key\":\"%s\",\"tokens\":[", hex);
    for (size_t i = 0; i < NKINDS * NEACH; i++)
        make_token(key, (enum kind)(i % NKINDS), texts[i % NKINDS][i / NKINDS], &out);
    vc_buffer_put_text(&out, "]}");
    if (vc_file_replace(path, (vc_str){out.data, out.size}, NULL) != VC_OK ||
        vc_tokens_open(path, &tokens, NULL) != VC_OK)
        fail("the tokens are not read");
    vc_buffer_release(&out);
    for (size_t i = 0; i < NEACH; i++)
        if (vc_tokens_check(tokens, vc_str_of(texts[RIGHT][i]), NOW_S) == VC_TOKEN_NONE ||
            vc_tokens_check(tokens, vc_str_of(texts[EXPIRED][i]), NOW_S) != VC_TOKEN_NONE)
            fail("the tokens are not as they should be");
    return tokens;
}

/* ---- statistics ---- */

typedef struct sums {
    double n, mean, m2;
} sums;

static void add(sums *to, double x)
{
    double delta = x - to->mean;
    to->n++;
    to->mean += delta / to->n;
    to->m2 += delta * (x - to->mean);
}

static double welch(const sums *a, const sums *b)
{
    double va = a->m2 / (a->n - 1) / a->n, vb = b->m2 / (b->n - 1) / b->n;
    return (a->mean - b->mean) / sqrt(va + vb);
}

static int by_value(const void *left, const void *right)
{
    double l = *(const double *)left, r = *(const double *)right;
    return (l > r) - (l < r);
}

/* Times of each kind, [NKINDS * nsamples] in ns; prints and returns the largest |t| of those that
 * must not be told apart. */
static double judge(const double *times, size_t nsamples)
{
    size_t count = NKINDS * nsamples;
    double *sorted = malloc(count * sizeof *sorted), worst = 0;
    sums of[NKINDS] = {0};
    if (sorted == NULL) fail("no memory");
    memcpy(sorted, times, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_value);
    double limit = sorted[count * PERCENTILE / 100];
    free(sorted);
    for (size_t i = 0; i < count; i++)
        if (times[i] <= limit) add(&of[i / nsamples], times[i]);
    for (size_t kind = 0; kind < NKINDS; kind++) {
        double t = kind == 0 ? 0 : welch(&of[kind], &of[0]);
        printf("  %-32s %8.1f ns   t %7.2f\n", kind_names[kind], of[kind].mean, t);
        if (kind != RIGHT && fabs(t) > worst) worst = fabs(t);
    }
    return worst;
}

/* ---- what is timed ---- */

static volatile int sink;

static double time_check(const vc_tokens *tokens, vc_str text)
{
    int64_t from = vc_clock_ns();
    sink = vc_tokens_check(tokens, text, NOW_S);
    return (double)(vc_clock_ns() - from);
}

/* As it must not be: whoever is unknown is told at once, and bytes are compared up to the first
 * that differs. */
static double time_control(const vc_tokens *tokens, vc_str text)
{
    int64_t from = vc_clock_ns();
    sink = -1;
    for (size_t i = 0; i < vc_tokens_count(tokens) && sink < 0; i++)
        if (memcmp(vc_tokens_at(tokens, i)->id, text.data + 4, VC_TOKEN_ID_SIZE) == 0)
            sink = vc_tokens_check(tokens, text, NOW_S);
    return (double)(vc_clock_ns() - from);
}

static double measure(const vc_tokens *tokens, token_text texts[NKINDS][NEACH], size_t nsamples,
                      double (*time_one)(const vc_tokens *tokens, vc_str text))
{
    double *times = malloc(NKINDS * nsamples * sizeof *times);
    size_t done[NKINDS] = {0}, left = NKINDS * nsamples;
    if (times == NULL) fail("no memory");
    for (int i = 0; i < 10000; i++) /* warm */
        (void)time_one(tokens, vc_str_of(texts[next_random() % NKINDS][next_random() % NEACH]));
    while (left > 0) {
        size_t kind = next_random() % NKINDS;
        if (done[kind] == nsamples) continue;
        token_text text; /* in the cache, whichever it is */
        memcpy(text, texts[kind][next_random() % NEACH], sizeof text);
        times[kind * nsamples + done[kind]++] = time_one(tokens, (vc_str){text, VC_TOKEN_SIZE});
        left--;
    }
    double worst = judge(times, nsamples);
    free(times);
    return worst;
}

int main(int argc, char **argv)
{
    static token_text texts[NKINDS][NEACH];
    size_t nsamples = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    char directory[] = "/tmp/vcube-timing-XXXXXX", path[64];
    if (sodium_init() < 0 || mkdtemp(directory) == NULL) fail("no folder");
    snprintf(path, sizeof path, "%s/tokens.json", directory);
    vc_tokens *tokens = make_tokens(path, texts);
    unlink(path);
    rmdir(directory);
    printf("check, %zu samples of each kind:\n", nsamples);
    double worst = measure(tokens, texts, nsamples, time_check);
    printf("control:\n");
    double control = measure(tokens, texts, nsamples, time_control);
    printf("largest |t| %.2f (below 4.5: cannot be told apart), of the control %.0f\n", worst,
           control);
    vc_tokens_free(tokens);
    return worst < 4.5 && control > 4.5 ? 0 : 1;
}
