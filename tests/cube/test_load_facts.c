/* Loads of many facts: each comes back, in the order that `cluster` says, whatever the number of
 * threads. */

#include "base/buffer.h"
#include "cube/dependency.h"
#include "cube/load_parts.h"
#include "cube/source.h"
#include "cube/text_column.h"
#include "tests/cube/load_state.h"
#include "tests/cube/scratch.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- many facts ---- */

enum { FACTS = 150000, ITEMS = 300 };

struct fact {
    unsigned item, shelf, day;
    long amount; /* negative: null */
    unsigned customer;
};

static struct fact make_fact(uint64_t *state)
{
    uint64_t bits[5];
    for (int i = 0; i < 5; i++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bits[i] = *state >> 33;
    }
    return (struct fact){.item = (unsigned)(bits[0] % ITEMS),
                         .shelf = (unsigned)(bits[1] % 40),
                         .day = (unsigned)(bits[2] % 28) + 1,
                         .amount = (long)(bits[3] % 2000000) - 1000,
                         .customer = (unsigned)(bits[4] % 5000)};
}

/* %s: "cluster" and a comma, or nothing */
static const char many_format[] =
    "{\"name\":\"many\",\"kind\":\"source\",\"data\":{\"csv\":\"many.csv\"},%s"
    "\"dimensions\":[{\"name\":\"item\",\"table\":{\"csv\":\"items.csv\"},\"key\":\"id\","
    "\"column\":\"item\",\"levels\":[\"kind\",{\"name\":\"item\",\"key\":\"id\"}]},"
    "{\"name\":\"place\",\"levels\":[\"hall\",\"shelf\"]},"
    "{\"name\":\"date\",\"type\":\"time\",\"column\":\"day\",\"levels\":[\"month\",\"day\"]}],"
    "\"measures\":[{\"name\":\"amount\",\"type\":\"decimal(2)\",\"aggregator\":\"sum\"},"
    "{\"name\":\"customers\",\"column\":\"customer\",\"aggregator\":\"count_distinct\"}]}";

static const char *write_many_json(struct scratch *scratch, const char *cluster)
{
    char text[2000];
    snprintf(text, sizeof text, many_format, cluster);
    return scratch_write(scratch, "many.json", text);
}

static void write_many(struct scratch *scratch)
{
    vc_buffer text = {0};
    vc_buffer_put_text(&text, "id,kind\n");
    for (int i = 0; i < ITEMS; i++)
        vc_buffer_printf(&text, "I%d,K%d\n", i, i % 7);
    scratch_write(scratch, "items.csv", vc_buffer_text(&text));
    vc_buffer_clear(&text);
    vc_buffer_put_text(&text, "item,hall,shelf,day,amount,customer\n");
    uint64_t state = 42;
    for (int i = 0; i < FACTS; i++) {
        struct fact fact = make_fact(&state);
        vc_buffer_printf(&text, "I%u,H%u,S%u,2024-02-%02u,", fact.item, fact.shelf % 3, fact.shelf,
                         fact.day);
        if (fact.amount >= 0)
            vc_buffer_printf(&text, "%ld.%02ld", fact.amount / 100, fact.amount % 100);
        vc_buffer_printf(&text, ",C%u\n", fact.customer);
    }
    scratch_write(scratch, "many.csv", vc_buffer_text(&text));
    vc_buffer_release(&text);
}

static vc_str leaf_key(const vc_dimension *dimension, int64_t leaf)
{
    const vc_hierarchy *main = &dimension->hierarchies[0];
    const vc_level *lowest = &main->levels[main->nlevels - 1];
    cr_assert_lt((uint64_t)leaf, dimension->nleaves);
    return vc_texts_get(&lowest->keys, vc_numbers_get(lowest->leaf_members, leaf));
}

static void check_text(vc_str text, const char *format, unsigned number)
{
    char expected[32];
    snprintf(expected, sizeof expected, format, number);
    cr_assert(vc_str_is(text, expected), "%.*s instead of %s", VC_FMT(text), expected);
}

static void check_segment(const vc_source_cube *cube, const vc_snapshot *snapshot,
                          const vc_texts *customers, uint32_t segment, uint64_t *state)
{
    static int64_t values[5][VC_SEGMENT_ROWS];
    vc_chunk chunks[5];
    const uint16_t columns[5] = {0, 1, 2, cube->columns[0].column, cube->columns[1].column};
    for (int c = 0; c < 5; c++) {
        NEED_OK(vc_source_cube_chunk(cube, snapshot, columns[c], segment, &chunks[c], why));
        vc_chunk_get_ints(&chunks[c], values[c]);
    }
    for (uint32_t row = 0; row < chunks[0].nrows; row++) {
        struct fact fact = make_fact(state);
        check_text(vc_texts_get(&cube->dimensions[0]->leaf_keys, (uint32_t)values[0][row]), "I%u",
                   fact.item);
        check_text(leaf_key(cube->dimensions[1], values[1][row]), "S%u", fact.shelf);
        check_text(leaf_key(cube->dimensions[2], values[2][row]), "2024-02-%02u", fact.day);
        cr_assert_eq(vc_chunk_has(&chunks[3], row), fact.amount >= 0);
        if (fact.amount >= 0) cr_assert_eq(values[3][row], fact.amount);
        check_text(vc_texts_get(customers, (uint32_t)values[4][row]), "C%u", fact.customer);
    }
}

/* Several segments, every kind of dimension, nulls: each fact comes back, in the order of the
 * file. */
Test(load, every_fact_comes_back)
{
    struct scratch scratch;
    vc_snapshot *snapshot;
    vc_source_cube *cube;
    vc_str bytes;
    vc_texts customers;
    uint64_t state = 42;
    scratch_open(&scratch);
    write_many(&scratch);
    const char *file = write_many_json(&scratch, "\"cluster\":[],");
    scratch_need_load(&scratch, file, (vc_load_options){0});
    scratch_need_load(&scratch, file, (vc_load_options){.append = true});
    NEED_OK(vc_snapshot_open(scratch.store, &snapshot, why));
    NEED_OK(vc_source_cube_open(snapshot, VC_STR("many"), &scratch.arena, &cube, why));
    NEED_OK(vc_snapshot_bytes(snapshot, cube->object_id, cube->generation, VC_COLUMN_DICTIONARY + 1,
                              &scratch.arena, &bytes, why));
    NEED_OK(vc_text_column_open(bytes, "customers", &customers, why));
    cr_assert_eq(cube->nrows, 2 * FACTS);
    cr_assert_eq(cube->nsegments, 6);
    cr_assert_eq(cube->dimensions[1]->nleaves, 40);
    cr_assert_eq(customers.count, 5000);
    for (uint32_t segment = 0; segment < cube->nsegments; segment++) {
        if (segment == 3) state = 42; /* the same facts once more, appended */
        check_segment(cube, snapshot, &customers, segment, &state);
    }
    vc_source_cube_close(cube);
    vc_snapshot_close(snapshot);
    scratch_close(&scratch);
}

/* ---- in another order ---- */

/* A fact as one number; the facts of a load are the sum of theirs, whatever their order. */
static uint64_t hash_fact(unsigned item, unsigned shelf, unsigned day, long amount,
                          unsigned customer)
{
    uint64_t state = item;
    const uint64_t parts[] = {shelf, day, (uint64_t)(amount < 0 ? -1 : amount), customer};
    for (int i = 0; i < 4; i++)
        state = (state ^ parts[i]) * UINT64_C(0x9E3779B97F4A7C15) + (state >> 29);
    return state ^ state >> 32;
}

static unsigned number_in(vc_str text, size_t skip)
{
    char copy[32];
    snprintf(copy, sizeof copy, "%.*s", VC_FMT(text));
    return (unsigned)strtoul(copy + skip, NULL, 10);
}

struct order_case {
    char cluster[64];
    int nkeys;
    struct {
        int dimension, level; /* -1: leaf */
    } keys[3];
};

struct in_order { /* the last row's ranks */
    int64_t ranks[3];
    bool has_ranks;
};

static void check_row_order(const struct order_case *c, const vc_source_cube *cube,
                            int64_t values[5][VC_SEGMENT_ROWS], uint32_t row, struct in_order *last)
{
    int64_t ranks[3] = {0};
    int compared = 0;
    for (int key = 0; key < c->nkeys; key++) {
        const vc_dimension *dimension = cube->dimensions[c->keys[key].dimension];
        ranks[key] = values[c->keys[key].dimension][row];
        if (c->keys[key].level >= 0)
            ranks[key] =
                vc_numbers_get(dimension->hierarchies[0].levels[c->keys[key].level].leaf_members,
                               (uint32_t)ranks[key]);
        if (compared == 0)
            compared = (ranks[key] > last->ranks[key]) - (ranks[key] < last->ranks[key]);
    }
    cr_assert(!last->has_ranks || compared >= 0, "%s: row %u", c->cluster, row);
    memcpy(last->ranks, ranks, sizeof ranks);
    last->has_ranks = true;
}

static uint64_t check_run(const struct order_case *c, const vc_source_cube *cube,
                          const vc_snapshot *snapshot, uint32_t first_segment,
                          uint32_t window_segments)
{
    static int64_t values[5][VC_SEGMENT_ROWS];
    vc_arena arena = {0};
    vc_str bytes;
    vc_texts customers;
    uint64_t sum = 0;
    struct in_order last = {0};
    NEED_OK(vc_snapshot_bytes(snapshot, cube->object_id, cube->generation, VC_COLUMN_DICTIONARY + 1,
                              &arena, &bytes, why));
    NEED_OK(vc_text_column_open(bytes, "customers", &customers, why));
    for (uint32_t segment = 0; segment < 3; segment++) {
        vc_chunk chunks[5];
        const uint16_t columns[5] = {0, 1, 2, cube->columns[0].column, cube->columns[1].column};
        if (segment % window_segments == 0) last.has_ranks = false;
        for (int i = 0; i < 5; i++) {
            NEED_OK(vc_source_cube_chunk(cube, snapshot, columns[i], first_segment + segment,
                                         &chunks[i], why));
            vc_chunk_get_ints(&chunks[i], values[i]);
        }
        for (uint32_t row = 0; row < chunks[0].nrows; row++) {
            vc_str item = vc_texts_get(&cube->dimensions[0]->leaf_keys, (uint32_t)values[0][row]);
            vc_str customer = vc_texts_get(&customers, (uint32_t)values[4][row]);
            sum += hash_fact(
                number_in(item, 1), number_in(leaf_key(cube->dimensions[1], values[1][row]), 1),
                number_in(leaf_key(cube->dimensions[2], values[2][row]), 8),
                vc_chunk_has(&chunks[3], row) ? values[3][row] : -1, number_in(customer, 1));
            check_row_order(c, cube, values, row, &last);
        }
    }
    vc_arena_release(&arena);
    return sum;
}

ParameterizedTestParameters(load, cluster)
{
    static struct order_case cases[] = {
        {"", 1, {{2, -1}}}, /* the first dimension of time, a built one */
        {"\"cluster\":[],", 0, {{0, 0}}},
        {"\"cluster\":[\"item\"],", 1, {{0, -1}}},
        {"\"cluster\":[\"item.kind\",\"place\"],", 2, {{0, 0}, {1, -1}}},
        {"\"cluster\":[\"date.month\",\"place.hall\",\"item\"],", 3, {{2, 0}, {1, 0}, {0, -1}}},
        {"\"cluster\":[\"place\",\"item\",\"date\"],", 3, {{1, -1}, {0, -1}, {2, -1}}},
    };
    return cr_make_param_array(struct order_case, cases, sizeof cases / sizeof cases[0]);
}

/* The facts are the same ones, each window of them in order; so are those that are appended. */
ParameterizedTest(struct order_case *c, load, cluster)
{
    for (uint32_t window_segments = 1; window_segments <= 3; window_segments++) {
        struct scratch scratch;
        vc_snapshot *snapshot;
        vc_source_cube *cube;
        uint64_t state = 42, expected = 0;
        vc_load_options options = {.window_rows = window_segments * VC_SEGMENT_ROWS,
                                   .nthreads = window_segments};
        scratch_open(&scratch);
        write_many(&scratch);
        const char *file = write_many_json(&scratch, c->cluster);
        scratch_need_load(&scratch, file, options);
        options.append = true;
        if (window_segments == 2) scratch_need_load(&scratch, file, options);
        NEED_OK(vc_snapshot_open(scratch.store, &snapshot, why));
        NEED_OK(vc_source_cube_open(snapshot, VC_STR("many"), &scratch.arena, &cube, why));
        for (uint32_t i = 0; i < FACTS; i++) {
            struct fact fact = make_fact(&state);
            expected += hash_fact(fact.item, fact.shelf, fact.day, fact.amount, fact.customer);
        }
        cr_assert_eq(cube->nsegments, window_segments == 2 ? 6 : 3);
        for (uint32_t segment = 0; segment < cube->nsegments; segment += 3)
            cr_assert_eq(check_run(c, cube, snapshot, segment, window_segments), expected, "%s",
                         c->cluster);
        cr_assert_eq(cube->ncluster, (size_t)c->nkeys);
        vc_source_cube_close(cube);
        vc_snapshot_close(snapshot);
        scratch_close(&scratch);
    }
}

/* What a shared dimension has is known only when the cube is loaded. */
Test(load, a_cluster_by_a_level_that_a_shared_dimension_has_not)
{
    struct scratch scratch;
    vc_load_report report;
    vc_error error = {0};
    scratch_open(&scratch);
    scratch_write(&scratch, "geo.csv", "id,land\na,x\nb,y\n");
    scratch_write(&scratch, "facts.csv", "id,n\nb,1\na,2\n");
    scratch_write(&scratch, "geo.json",
                  "{\"name\":\"geo\",\"kind\":\"dimension\",\"table\":{\"csv\":\"geo.csv\"},"
                  "\"key\":\"id\",\"levels\":[\"land\",\"id\"]}");
    scratch_write(&scratch, "facts.json",
                  "{\"name\":\"facts\",\"kind\":\"source\",\"data\":{\"csv\":\"facts.csv\"},\n"
                  "\"dimensions\":[{\"use\":\"geo\"}],\"cluster\":[\"geo.lnad\"],"
                  "\"measures\":[{\"name\":\"n\",\"type\":\"int\",\"aggregator\":\"sum\"}]}");
    cr_assert_eq(scratch_load(&scratch, scratch.path, (vc_load_options){0}, &report, &error),
                 VC_BAD_INPUT);
    cr_assert_str_eq(error.code, "unknown_level");
    cr_assert_str_eq(error.pointer, "/cluster/0");
    cr_assert_eq(error.line, 2);
    cr_assert_str_eq(error.candidates[0], "land");
    scratch_close(&scratch);
}

static void count_progress(void *context, const vc_load_progress *progress)
{
    cr_assert_str_eq(progress->object, "many");
    cr_assert_leq(progress->bytes_done, progress->bytes_total);
    ++*(int *)context;
}

/* Told of at most about ten times a second. */
Test(load, progress_is_told_now_and_then)
{
    struct scratch scratch;
    int ncalls = 0;
    scratch_open(&scratch);
    write_many(&scratch);
    const char *file = write_many_json(&scratch, "");
    scratch_need_load(&scratch, file,
                      (vc_load_options){.progress = count_progress, .context = &ncalls});
    cr_assert_geq(ncalls, 1);
    cr_assert_leq(ncalls, FACTS / 4096 + 1);
    scratch_close(&scratch);
}

/* ---- numbers ---- */

static uint64_t next_random(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15); /* splitmix64 */
    uint64_t z = *state;
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* Eight digits at once give what one by one gives. */
Test(load, integers_are_read_as_everywhere)
{
    static const char bytes[] = "0123456789012345678901234567890123456789-+ ./:\xB0\xFF"
                                "a";
    uint64_t random = 5;
    for (int round = 0; round < 300000; round++) {
        char text[24];
        size_t size = next_random(&random) % 21;
        bool has_digits_only = next_random(&random) % 3 != 0;
        for (size_t i = 0; i < size; i++)
            text[i] = bytes[next_random(&random) % (has_digits_only ? 40 : sizeof bytes - 1)];
        if (next_random(&random) % 8 == 0 && size > 0) text[0] = '-';
        int64_t fast = 1, plain = 1;
        vc_str number = {text, size};
        cr_assert_eq(vc_load_parse_int(number, &fast), vc_parse_int(number, &plain), "'%.*s'",
                     VC_FMT(number));
        if (vc_parse_int(number, &plain) == VC_PARSE_OK)
            cr_assert_eq(fast, plain, "'%.*s'", VC_FMT(number));
    }
}

/* ---- several threads ---- */

static const char unruly_json[] =
    "{\"name\":\"unruly\",\"kind\":\"source\",\"data\":{\"csv\":\"unruly.csv\"},"
    "\"dimensions\":["
    "{\"name\":\"item\",\"table\":{\"csv\":\"items.csv\"},\"key\":\"id\",\"levels\":["
    "\"kind\",{\"name\":\"item\",\"key\":\"id\",\"type\":\"int\"}]},"
    "{\"name\":\"code\",\"table\":{\"csv\":\"codes.csv\"},\"key\":\"code\","
    "\"levels\":[\"code\"]},"
    "{\"name\":\"place\",\"levels\":[\"country\",\"city\"]},"
    "{\"name\":\"size\",\"levels\":[{\"name\":\"size\",\"type\":\"int\"}]},"
    "{\"name\":\"day\",\"type\":\"time\",\"column\":\"day\",\"levels\":[\"year\","
    "\"month\",\"day\"]}],"
    "\"measures\":["
    "{\"name\":\"n\",\"type\":\"int\",\"aggregator\":\"sum\"},"
    "{\"name\":\"d\",\"type\":\"decimal(2)\",\"aggregator\":\"sum\"},"
    "{\"name\":\"x\",\"type\":\"float\",\"aggregator\":\"sum\"},"
    "{\"name\":\"names\",\"column\":\"name\",\"aggregator\":\"count_distinct\"}]}";

/* A row in about one of `trouble` is no good in one way or another. */
static void put_unruly_row(vc_buffer *text, uint64_t *random, unsigned trouble)
{
    static const char *const items[] = {"1", "007", "+7", "-3", "12345678901", "0"};
    static const char *const codes[] = {"1", "01", "a", "\"b,\nc\"", "\"d\"\"e\"", "-0"};
    static const char *const bad[] = {"\"unclosed,1\n",
                                      "1,2,3\n",
                                      "x\xFFy,a,land 1,\"city\n1\",1,2024-01-01,1,1,1,name 1\n",
                                      "\"q\"r,a,land 1,\"city\n1\",1,2024-01-01,1,1,1,name 1\n",
                                      "\n",
                                      "8,a,land 1,\"city\n1\",1,2024-01-01,1,1,1,name 1\n",
                                      "1,zz,land 1,\"city\n1\",1,2024-01-01,1,1,1,name 1\n",
                                      "1,a,land 1,\"city\n1\",one,2024-01-01,1,1,1,name 1\n",
                                      "1,a,land 1,\"city\n1\",1,2024-02-30,1,1,1,name 1\n",
                                      "1,a,land 1,\"city\n1\",1,2024-01-01,1.5,1,1,name 1\n",
                                      "1,a,land 1,\"city\n1\",1,2024-01-01,1,1.234,1,name 1\n",
                                      ",a,land 1,\"city\n1\",1,2024-01-01,1,1,1,name 1\n"};
    if (next_random(random) % trouble == 0) {
        vc_buffer_put_text(text, bad[next_random(random) % (sizeof bad / sizeof bad[0])]);
        return;
    }
    uint64_t r = next_random(random);
    vc_buffer_printf(text, "%s,%s,", items[r % 6], codes[r / 8 % 6]);
    if (r / 64 % 16 != 0) vc_buffer_printf(text, "land %u", (unsigned)(r / 1024 % 5));
    vc_buffer_printf(text, ",\"city\n%u\",%s%u,", (unsigned)(r >> 20) % 40, r >> 30 & 1 ? "0" : "",
                     (unsigned)(r >> 31) % 30);
    vc_buffer_printf(text, "2024-%02u-%02u,", 1 + (unsigned)(r >> 40) % 12,
                     1 + (unsigned)(r >> 44) % 28);
    r = next_random(random);
    if (r % 8 != 0) vc_buffer_printf(text, "%d", (int)(r >> 3 & 0xFFFF) - 1000);
    vc_buffer_printf(text, ",%u.%02u,", (unsigned)(r >> 20) % 9999, (unsigned)(r >> 34) % 100);
    if (r >> 40 & 3)
        vc_buffer_printf(text, "%u.5e-%u", (unsigned)(r >> 42) % 99, (unsigned)(r >> 50) % 9);
    vc_buffer_printf(text, ",name %u%s", (unsigned)(r >> 54) % 700, r >> 63 ? "\r\n" : "\n");
}

static void write_unruly(struct scratch *scratch, uint64_t seed, unsigned nrows, unsigned trouble)
{
    vc_buffer text = {0};
    if (seed % 2 == 0) vc_buffer_put_text(&text, "\xEF\xBB\xBF");
    vc_buffer_put_text(&text, "id,code,country,city,size,day,n,d,x,name\n");
    for (unsigned i = 0; i < nrows; i++)
        put_unruly_row(&text, &seed, trouble);
    scratch_write(scratch, "unruly.csv", vc_buffer_text(&text));
    scratch_write(scratch, "unruly.json", unruly_json);
    scratch_write(scratch, "items.csv", "id,kind\n1,a\n7,b\n-3,b\n0,a\n12345678901,c\n");
    scratch_write(scratch, "codes.csv", "code\n1\n01\na\n\"b,\nc\"\n\"d\"\"e\"\n-0\n");
    vc_buffer_release(&text);
}

/* What a load of it, and then another, leave: the hash of all that is stored, the reports, the
 * rejects. */
static void load_unruly(const struct scratch *files, vc_load_options options, vc_buffer *outcome)
{
    struct scratch scratch;
    vc_load_report report;
    char path[400], line[1000];
    scratch_open(&scratch);
    for (int round = 0; round < 2; round++) {
        vc_error error = {0};
        struct load_state state;
        options.append = round > 0;
        snprintf(path, sizeof path, "%s/unruly.json", files->path);
        vc_status status = scratch_load(&scratch, path, options, &report, &error);
        load_put_outcome(outcome, &scratch, files->path, status, &error, &report);
        load_take_state(&scratch, &state);
        vc_buffer_printf(outcome, "%s\n%s", state.snapshot, state.dump.data);
        vc_buffer_release(&state.dump);
        snprintf(path, sizeof path, "%s/unruly.csv.rejects.csv", scratch.path);
        FILE *rejects = fopen(path, "r");
        while (rejects != NULL && fgets(line, sizeof line, rejects) != NULL)
            vc_buffer_put_text(outcome, line);
        if (rejects != NULL) fclose(rejects);
    }
    scratch_close(&scratch);
}

static void check_threads(uint64_t seed, unsigned nrows, unsigned trouble, uint64_t max_rejects)
{
    static const unsigned nthreads[] = {2, 7, 1, 3};
    static const size_t block_bytes[] = {0, 300, 64, 5000};
    struct scratch files;
    vc_buffer expected = {0}, actual = {0};
    vc_load_options options = {.nthreads = 1, .block_bytes = 1 << 24, .max_rejects = max_rejects};
    scratch_open(&files);
    write_unruly(&files, seed, nrows, trouble);
    load_unruly(&files, options, &expected);
    for (int i = 0; i < 4; i++) {
        vc_buffer_clear(&actual);
        options.nthreads = nthreads[i];
        options.block_bytes = block_bytes[i];
        load_unruly(&files, options, &actual);
        cr_assert_str_eq(vc_buffer_text(&actual), vc_buffer_text(&expected),
                         "seed %llu, %u threads, blocks of %zu bytes\n%s\ninstead of\n%s",
                         (unsigned long long)seed, nthreads[i], block_bytes[i],
                         vc_buffer_text(&actual), vc_buffer_text(&expected));
    }
    vc_buffer_release(&expected);
    vc_buffer_release(&actual);
    scratch_close(&files);
}

/* Stored bytes, numbering, rejects and their order, messages: none depends on the threads. */
Test(load, threads_change_nothing, .timeout = 120)
{
    for (uint64_t seed = 1; seed <= 6; seed++)
        check_threads(seed, 600, 20, 1000);
    check_threads(100, 3000, 1000000, 0);
}

Test(load, threads_fail_at_the_same_row, .timeout = 120)
{
    for (uint64_t seed = 11; seed <= 14; seed++)
        check_threads(seed, 800, 8, 5);
}
