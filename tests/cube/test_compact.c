/* Compacting: what was loaded in parts becomes what loading it at once gives. */
#include "cube/compact.h"

#include "cube/compact_parts.h"
#include "cube/source.h"
#include "dimensions/renumber.h"
#include "tests/cube/scratch.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NPARTS = 5, PART_FACTS = 30000, NITEMS = 300 };

/* ---- data ---- */

/* Facts of part p know the items of parts 0 to p only; halls, shelves and days come as they like.
 */
static void put_facts(vc_buffer *text, unsigned part, unsigned nfacts)
{
    uint64_t state = 1000 + part, bits[6];
    for (unsigned i = 0; i < nfacts; i++) {
        for (unsigned j = 0; j < 6; j++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            bits[j] = state >> 33;
        }
        unsigned shelf = (unsigned)bits[1] % (8 * (part + 1));
        vc_buffer_printf(text, "I%u,H%u,S%u,%c,2024-%02u-%02u,",
                         (unsigned)(bits[0] % (NITEMS / NPARTS * (part + 1))), shelf * 7 % 5, shelf,
                         shelf % 2 == 0 ? 'a' : 'b', (unsigned)(bits[2] % 7 * (5 - part)) % 12 + 1,
                         (unsigned)(bits[2] >> 8) % 28 + 1);
        if (bits[3] % 11 != 0) vc_buffer_printf(text, "%ld.%02u", (long)bits[3] % 20000 - 1000, 25);
        vc_buffer_printf(text, ",%s,C%u\n", bits[4] % 5 == 0 ? "" : "0.5",
                         (unsigned)(bits[5] % (part * 1000 + 10)));
    }
}

static void put_items(vc_buffer *text, unsigned nitems)
{
    vc_buffer_put_text(text, "id,kind,colour\n");
    for (unsigned i = 0; i < nitems; i++)
        vc_buffer_printf(text, "I%u,K%u,%s\n", i, i * 37 % 11, i % 3 == 0 ? "red" : "");
}

static const char definition[] =
    "{\"name\":\"many\",\"kind\":\"source\",\"data\":{\"csv\":\"%s.csv\"},%s"
    "\"dimensions\":[{\"name\":\"item\",\"table\":{\"csv\":\"%s-items.csv\"},\"key\":\"id\","
    "\"column\":\"item\",\"levels\":[\"kind\",{\"name\":\"item\",\"key\":\"id\"}],"
    "\"attributes\":[\"colour\"]},"
    "{\"name\":\"place\",\"levels\":[\"hall\"],\"attributes\":[\"shelf\",\"side\"]},"
    "{\"name\":\"date\",\"type\":\"time\",\"column\":\"day\",\"levels\":[\"month\",\"day\"]}],"
    "\"measures\":[{\"name\":\"amount\",\"type\":\"decimal(2)\",\"aggregator\":\"sum\"},"
    "{\"name\":\"weight\",\"type\":\"float\",\"aggregator\":\"sum\"},"
    "{\"name\":\"customers\",\"column\":\"customer\",\"aggregator\":\"count_distinct\"}]}";

/* Write the files of parts [first, end) as one load. Returns the definition. */
static const char *write_load(struct scratch *scratch, const char *name, const char *cluster,
                              unsigned first, unsigned end, unsigned nfacts)
{
    char file[64], json[2000];
    vc_buffer text = {0};
    vc_buffer_put_text(&text, "item,hall,shelf,side,day,amount,weight,customer\n");
    for (unsigned part = first; part < end; part++)
        put_facts(&text, part, nfacts);
    snprintf(file, sizeof file, "%s.csv", name);
    scratch_write(scratch, file, vc_buffer_text(&text));
    vc_buffer_clear(&text);
    put_items(&text, NITEMS / NPARTS * end);
    snprintf(file, sizeof file, "%s-items.csv", name);
    scratch_write(scratch, file, vc_buffer_text(&text));
    vc_buffer_release(&text);
    snprintf(json, sizeof json, definition, name, cluster, name);
    snprintf(file, sizeof file, "%s.json", name);
    return scratch_write(scratch, file, json);
}

static void load_in_parts(struct scratch *scratch, const char *cluster, unsigned nfacts)
{
    char name[16];
    for (unsigned part = 0; part < NPARTS; part++) {
        snprintf(name, sizeof name, "part%u", part);
        scratch_need_load(scratch, write_load(scratch, name, cluster, part, part + 1, nfacts),
                          (vc_load_options){.append = part > 0});
    }
}

static void compact(struct scratch *scratch, vc_compact_options options, vc_compact_report *report)
{
    NEED_OK(vc_store_compact(scratch->store, NULL, 0, &options, &scratch->arena, report, why));
}

/* ---- comparing ---- */

struct opened {
    vc_snapshot *snapshot;
    vc_source_cube *cube;
};

static void open_cube(struct scratch *scratch, const char *name, struct opened *opened)
{
    NEED_OK(vc_snapshot_open(scratch->store, &opened->snapshot, why));
    NEED_OK(vc_source_cube_open(opened->snapshot, vc_str_of(name), &scratch->arena, &opened->cube,
                                why));
}

static void close_cube(struct opened *opened)
{
    vc_source_cube_close(opened->cube);
    vc_snapshot_close(opened->snapshot);
}

static uint16_t column_number(const vc_source_cube *cube, size_t column)
{
    return column < cube->ndimensions ? (uint16_t)column
                                      : cube->columns[column - cube->ndimensions].column;
}

static void get_cells(const struct opened *from, size_t column, uint32_t segment, int64_t *cells,
                      vc_chunk *chunk)
{
    NEED_OK(vc_source_cube_chunk(from->cube, from->snapshot, column_number(from->cube, column),
                                 segment, chunk, why));
    if (chunk->type == VC_CHUNK_FLOAT)
        vc_chunk_get_doubles(chunk, (double *)(void *)cells);
    else
        vc_chunk_get_ints(chunk, cells);
}

static void check_same_bytes(const struct opened *a, const struct opened *b, uint16_t column)
{
    vc_arena arena = {0};
    vc_str x, y;
    NEED_OK(vc_snapshot_bytes(a->snapshot, a->cube->object_id, a->cube->generation, column, &arena,
                              &x, why));
    NEED_OK(vc_snapshot_bytes(b->snapshot, b->cube->object_id, b->cube->generation, column, &arena,
                              &y, why));
    cr_assert(vc_str_equal(x, y), "byte column %u", column);
    vc_arena_release(&arena);
}

/* Images, dictionaries and every fact in its place. */
static void check_same_cube(const struct opened *a, const struct opened *b)
{
    static int64_t x[VC_SEGMENT_ROWS], y[VC_SEGMENT_ROWS];
    cr_assert_eq(a->cube->nrows, b->cube->nrows);
    cr_assert_eq(a->cube->nruns, b->cube->nruns);
    cr_assert_eq(a->cube->nsegments, b->cube->nsegments);
    cr_assert_eq(a->cube->ncluster, b->cube->ncluster);
    for (uint16_t d = 0; d < a->cube->ndimensions; d++)
        check_same_bytes(a, b, VC_COLUMN_IMAGE + d);
    for (uint16_t c = 0; c < a->cube->ncolumns; c++)
        if (a->cube->columns[c].is_dictionary) check_same_bytes(a, b, VC_COLUMN_DICTIONARY + c);
    for (uint32_t segment = 0; segment < a->cube->nsegments; segment++)
        for (size_t c = 0; c < a->cube->ndimensions + a->cube->ncolumns; c++) {
            vc_chunk p, q;
            get_cells(a, c, segment, x, &p);
            get_cells(b, c, segment, y, &q);
            cr_assert_eq(p.nrows, q.nrows);
            cr_assert_eq(p.nnulls, q.nnulls);
            for (uint32_t row = 0; row < p.nrows; row++)
                cr_assert(vc_chunk_has(&p, row) == vc_chunk_has(&q, row) && x[row] == y[row],
                          "column %zu, segment %u, row %u", c, segment, row);
        }
}

/* ---- cases ---- */

struct compact_case {
    char cluster[64];
    size_t window_rows;
    unsigned nthreads;
};
ParameterizedTestParameters(compact, equals_one_load)
{
    static struct compact_case cases[] = {
        {"", 0, 0},
        {"\"cluster\":[],", 0, 2},
        {"\"cluster\":[\"item.kind\",\"date.month\"],", 0, 1},
        {"\"cluster\":[\"place\",\"item\"],", 30000, 3},      /* several windows, with rests */
        {"\"cluster\":[\"date.month\",\"place\"],", 1000, 3}, /* no bucket fits */
        {"\"cluster\":[\"item\"],", 70000, 2},
    };
    return cr_make_param_array(struct compact_case, cases, sizeof cases / sizeof cases[0]);
}
ParameterizedTest(struct compact_case *c, compact, equals_one_load)
{
    struct scratch parts, whole;
    struct opened a, b;
    vc_compact_report report;
    vc_compact_options options = {.window_rows = c->window_rows, .nthreads = c->nthreads};
    scratch_open(&parts);
    load_in_parts(&parts, c->cluster, PART_FACTS);
    compact(&parts, options, &report);
    cr_assert_eq(report.nrewritten, 1);
    cr_assert_eq(report.cubes[0].nruns_before, NPARTS);
    cr_assert_eq(report.cubes[0].nruns_after, 1);
    cr_assert_gt(report.cubes[0].nrenumbered, 100);
    cr_assert(vc_str_is_null(report.cubes[0].note));
    scratch_open(&whole);
    scratch_need_load(&whole, write_load(&whole, "all", c->cluster, 0, NPARTS, PART_FACTS),
                      (vc_load_options){0});
    open_cube(&parts, "many", &a);
    open_cube(&whole, "many", &b);
    cr_assert(vc_dimension_is_depth_first(a.cube->dimensions[0]));
    /* A bucket larger than the window is sorted in parts: then only what stands first is sure. */
    if (c->window_rows != 1000) check_same_cube(&a, &b);
    cr_assert_eq(a.cube->nrows, b.cube->nrows);
    close_cube(&a);
    close_cube(&b);
    scratch_close(&parts);
    scratch_close(&whole);
}

/* A fact as one number, by keys and not by leaves. */
static uint64_t hash_facts(const struct opened *from)
{
    static int64_t cells[6][VC_SEGMENT_ROWS];
    uint64_t sum = 0;
    size_t ncolumns = from->cube->ndimensions + from->cube->ncolumns;
    cr_assert_leq(ncolumns, 6);
    for (uint32_t segment = 0; segment < from->cube->nsegments; segment++) {
        vc_chunk chunks[6];
        for (size_t c = 0; c < ncolumns; c++)
            get_cells(from, c, segment, cells[c], &chunks[c]);
        for (uint32_t row = 0; row < chunks[0].nrows; row++) {
            uint64_t hash = 17;
            for (size_t c = 0; c < ncolumns; c++) {
                uint64_t value = (uint64_t)cells[c][row];
                if (c < from->cube->ndimensions) {
                    const vc_dimension *dimension = from->cube->dimensions[c];
                    const vc_hierarchy *main = &dimension->hierarchies[0];
                    const vc_level *lowest = &main->levels[main->nlevels - 1];
                    vc_str key = vc_texts_get(
                        &lowest->keys, vc_numbers_get(lowest->leaf_members, (uint32_t)value));
                    for (value = 5; key.size > 0; key.size--)
                        value = value * 257 + (unsigned char)key.data[key.size - 1];
                }
                value = vc_chunk_has(&chunks[c], row) ? value : 99;
                hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
                hash ^= hash >> 29;
            }
            sum += hash;
        }
    }
    return sum;
}

Test(compact, windows_that_cannot_hold_a_bucket)
{
    struct scratch scratch;
    struct opened before, after;
    vc_compact_report report;
    int64_t last = -1;
    static int64_t months[VC_SEGMENT_ROWS];
    scratch_open(&scratch);
    load_in_parts(&scratch, "\"cluster\":[\"date.month\"],", PART_FACTS);
    open_cube(&scratch, "many", &before);
    compact(&scratch, (vc_compact_options){.window_rows = 1000}, &report);
    open_cube(&scratch, "many", &after);
    cr_assert_eq(hash_facts(&before), hash_facts(&after));
    const vc_level *month = &after.cube->dimensions[2]->hierarchies[0].levels[0];
    for (uint32_t segment = 0; segment < after.cube->nsegments; segment++) {
        vc_chunk chunk;
        get_cells(&after, 2, segment, months, &chunk);
        cr_assert(segment + 1 == after.cube->nsegments || chunk.nrows == VC_SEGMENT_ROWS);
        for (uint32_t row = 0; row < chunk.nrows; row++) {
            int64_t now = vc_numbers_get(month->leaf_members, (uint32_t)months[row]);
            cr_assert_geq(now, last);
            last = now;
        }
    }
    close_cube(&before);
    close_cube(&after);
    scratch_close(&scratch);
}

Test(compact, twice_is_nothing)
{
    struct scratch scratch;
    vc_compact_report report;
    struct opened first, second;
    scratch_open(&scratch);
    load_in_parts(&scratch, "", 500);
    compact(&scratch, (vc_compact_options){0}, &report);
    uint64_t epoch = report.epoch;
    cr_assert_eq(report.nrewritten, 1);
    compact(&scratch, (vc_compact_options){0}, &report);
    cr_assert_eq(report.nrewritten, 0);
    cr_assert_eq(report.epoch, epoch);
    open_cube(&scratch, "many", &first);
    compact(&scratch, (vc_compact_options){.force = true}, &report);
    cr_assert_eq(report.nrewritten, 1);
    cr_assert_eq(report.epoch, epoch + 1);
    cr_assert_eq(report.cubes[0].nrenumbered, 0);
    open_cube(&scratch, "many", &second);
    check_same_cube(&first, &second);
    close_cube(&first);
    close_cube(&second);
    scratch_close(&scratch);
}

/* An open snapshot, and one of an epoch that is kept, show the facts as they were. */
Test(compact, readers_are_not_disturbed)
{
    struct scratch scratch;
    vc_compact_report report;
    struct opened held;
    vc_snapshot *older;
    scratch_open(&scratch);
    load_in_parts(&scratch, "", 5000);
    open_cube(&scratch, "many", &held);
    uint64_t hash = hash_facts(&held);
    for (int i = 0; i < 4; i++)
        compact(&scratch, (vc_compact_options){.force = true}, &report);
    cr_assert_eq(held.cube->nruns, NPARTS);
    cr_assert_eq(hash_facts(&held), hash);
    NEED_OK(
        vc_snapshot_open_at(scratch.store, vc_str_of(vc_snapshot_id(held.snapshot)), &older, why));
    struct opened again = {.snapshot = older};
    NEED_OK(vc_source_cube_open(older, VC_STR("many"), &scratch.arena, &again.cube, why));
    cr_assert_eq(hash_facts(&again), hash);
    close_cube(&again);
    close_cube(&held);
    scratch_close(&scratch);
}

/* Appending goes on as if nothing had been compacted, and can be compacted again. */
Test(compact, then_append)
{
    struct scratch parts, whole;
    vc_compact_report report;
    struct opened a, b;
    char name[16];
    scratch_open(&parts);
    for (unsigned part = 0; part < NPARTS; part++) {
        snprintf(name, sizeof name, "part%u", part);
        scratch_need_load(&parts, write_load(&parts, name, "", part, part + 1, 700),
                          (vc_load_options){.append = part > 0});
        if (part % 2 == 1) compact(&parts, (vc_compact_options){0}, &report);
    }
    compact(&parts, (vc_compact_options){0}, &report);
    cr_assert_eq(report.nrewritten, 1);
    scratch_open(&whole);
    scratch_need_load(&whole, write_load(&whole, "all", "", 0, NPARTS, 700), (vc_load_options){0});
    open_cube(&parts, "many", &a);
    open_cube(&whole, "many", &b);
    cr_assert_eq(hash_facts(&a), hash_facts(&b));
    for (uint16_t d = 0; d < 3; d++)
        check_same_bytes(&a, &b, VC_COLUMN_IMAGE + d);
    close_cube(&a);
    close_cube(&b);
    scratch_close(&parts);
    scratch_close(&whole);
}

/* ---- the map moves ---- */

/* Everything that is read in place while putting would be read where nothing is any more. */
Test(compact, in_a_map_that_must_grow)
{
    struct scratch scratch;
    struct opened before, after;
    vc_compact_report report;
    scratch_open(&scratch);
    load_in_parts(&scratch, "", PART_FACTS);
    open_cube(&scratch, "many", &before);
    uint64_t hash = hash_facts(&before);
    close_cube(&before);
    vc_store_close(scratch.store);
    vc_store_options options = {.map_bytes = 1 << 20, .batch_bytes = 1 << 16};
    NEED_OK(vc_store_open(scratch.path, &options, &scratch.store, why));
    compact(&scratch, (vc_compact_options){.window_rows = 70000}, &report);
    cr_assert_eq(report.nrewritten, 1);
    open_cube(&scratch, "many", &after);
    cr_assert_eq(hash_facts(&after), hash);
    close_cube(&after);
    scratch_close(&scratch);
}

/* ---- shared dimensions ---- */

static const char shared_geo[] =
    "{\"name\":\"geo\",\"kind\":\"dimension\",\"table\":{\"csv\":\"geo.csv\"},\"key\":\"id\","
    "\"levels\":[\"land\",{\"name\":\"town\",\"key\":\"id\"}]}";
static const char shared_cube[] =
    "{\"name\":\"%s\",\"kind\":\"source\",\"data\":{\"csv\":\"%s.csv\"},"
    "\"dimensions\":[{\"use\":\"geo\",\"column\":\"town\"}],"
    "\"measures\":[{\"name\":\"n\",\"aggregator\":\"sum\",\"type\":\"int\"}]}";

static void load_geo(struct scratch *scratch, const char *rows, bool is_append)
{
    vc_buffer text = {0};
    vc_buffer_printf(&text, "id,land\n%s", rows);
    scratch_write(scratch, "geo.csv", vc_buffer_text(&text));
    scratch_need_load(scratch, scratch_write(scratch, "geo.json", shared_geo),
                      (vc_load_options){.append = is_append});
    vc_buffer_release(&text);
}

static void load_on_geo(struct scratch *scratch, const char *name, const char *rows, bool is_append)
{
    vc_buffer text = {0};
    char json[1000], file[32];
    vc_buffer_printf(&text, "town,n\n%s", rows);
    snprintf(file, sizeof file, "%s.csv", name);
    scratch_write(scratch, file, vc_buffer_text(&text));
    snprintf(json, sizeof json, shared_cube, name, name);
    snprintf(file, sizeof file, "%s.json", name);
    scratch_need_load(scratch, scratch_write(scratch, file, json),
                      (vc_load_options){.append = is_append});
    vc_buffer_release(&text);
}

static void check_depth_first(struct scratch *scratch, const char *name, bool is_depth_first)
{
    struct opened opened;
    open_cube(scratch, name, &opened);
    cr_assert_eq(vc_dimension_is_depth_first(opened.cube->dimensions[0]), is_depth_first, "%s",
                 name);
    close_cube(&opened);
}

Test(compact, a_shared_dimension_is_renumbered_for_all_or_none)
{
    struct scratch scratch;
    vc_compact_report report;
    vc_compact_options options = {0};
    struct opened a, b;
    vc_str one = VC_STR("a");
    scratch_open(&scratch);
    load_geo(&scratch, "p,X\nq,Y\n", false);
    load_on_geo(&scratch, "a", "p,1\nq,2\n", false);
    load_on_geo(&scratch, "b", "q,10\n", false);
    load_geo(&scratch, "p,X\nq,Y\nr,X\n", true);
    load_on_geo(&scratch, "a", "r,4\n", true);

    /* b is behind: a's facts go together, the dimension stays. */
    compact(&scratch, options, &report);
    cr_assert_eq(report.nrewritten, 1);
    cr_assert_not_null(strstr(report.cubes[0].note.data, "cube 'b' has another version"));
    check_depth_first(&scratch, "a", false);
    load_on_geo(&scratch, "b", "r,20\n", true);

    /* Only one of two: likewise. Nothing else is to be gained for it. */
    NEED_OK(vc_store_compact(scratch.store, &one, 1, &options, &scratch.arena, &report, why));
    cr_assert_eq(report.nrewritten, 0);
    cr_assert_eq(report.ncubes, 1);
    cr_assert_not_null(strstr(report.cubes[0].note.data, "cube 'b' has the same one"));
    check_depth_first(&scratch, "a", false);

    /* Both: they keep one image, and so does the dimension, which can be appended to. */
    compact(&scratch, options, &report);
    cr_assert_eq(report.nrewritten, 2);
    open_cube(&scratch, "a", &a);
    open_cube(&scratch, "b", &b);
    cr_assert(vc_dimension_is_depth_first(a.cube->dimensions[0]));
    cr_assert_eq(a.cube->dimensions[0]->fingerprint, b.cube->dimensions[0]->fingerprint);
    close_cube(&a);
    close_cube(&b);
    load_on_geo(&scratch, "a", "r,40\n", true);
    load_geo(&scratch, "s,X\n", true);
    load_on_geo(&scratch, "a", "s,80\n", true);
    load_on_geo(&scratch, "b", "s,80\n", true);
    compact(&scratch, options, &report);
    cr_assert_eq(report.nrewritten, 2);
    check_depth_first(&scratch, "a", true);
    scratch_close(&scratch);
}

/* ---- what is written is what was read ---- */

struct difference {
    char rows[32]; /* of another cube, in place of "p,1\nq,2\nr,3\n" */
    bool is_other;
};
ParameterizedTestParameters(compact, differences)
{
    static struct difference cases[] = {
        {"p,1\nq,2\nr,3\n", false},     {"r,3\np,1\nq,2\n", false}, /* the order does not count */
        {"p,2\nq,1\nr,3\n", true},                                  /* leaves mixed up */
        {"p,1\nq,2\nr,4\n", true},      {"p,1\nq,2\nr,\n", true},   {"p,1\nq,2\n", true},
        {"p,1\nq,2\nr,3\nr,3\n", true}, {"p,1\nq,2\np,3\n", true},
    };
    return cr_make_param_array(struct difference, cases, sizeof cases / sizeof cases[0]);
}

/* One cube is read and rewritten, another one is compared with it. */
ParameterizedTest(struct difference *c, compact, differences)
{
    struct scratch scratch;
    struct opened a, b;
    vc_load *load;
    vc_object object;
    vc_load_order order = {0};
    vc_error error = {0};
    scratch_open(&scratch);
    load_geo(&scratch, "p,X\nq,Y\nr,X\n", false);
    load_on_geo(&scratch, "a", "p,1\nq,2\nr,3\n", false);
    load_on_geo(&scratch, "b", c->rows, false);
    open_cube(&scratch, "a", &a);
    open_cube(&scratch, "b", &b);
    const vc_rewrite_column columns[] = {{.number = 0, .nleaves = 3},
                                         {.number = a.cube->columns[0].column}};
    vc_rewrite rewrite = {.cube = a.cube,
                          .object = &object,
                          .ncolumns = 2,
                          .columns = columns,
                          .order = &order,
                          .nthreads = 2};
    NEED_OK(vc_crew_new(&(vc_crew_plan){.nthreads = 2, .nslots = 1}, &rewrite.crew, why));
    NEED_OK(vc_load_begin(scratch.store, &load, why));
    NEED_OK(vc_load_object(load, VC_KIND_CUBE, VC_STR("a"), &object, why));
    rewrite.load = load;
    NEED_OK(vc_rewrite_facts(&rewrite, why));
    NEED_OK(vc_rewrite_check(&rewrite, a.snapshot, why));
    rewrite.cube = b.cube; /* what is compared is found by its name */
    vc_status status = vc_rewrite_check(&rewrite, b.snapshot, &error);
    cr_assert_eq(status, c->is_other ? VC_CORRUPT : VC_OK, "%s: %s", c->rows, error.message);
    if (c->is_other) cr_assert_str_eq(error.code, "storage_damaged");
    vc_load_abort(load);
    vc_crew_free(rewrite.crew);
    close_cube(&a);
    close_cube(&b);
    scratch_close(&scratch);
}

/* ---- refusals ---- */

Test(compact, refusals)
{
    struct scratch scratch;
    vc_compact_report report;
    vc_compact_options options = {0};
    vc_error error = {0};
    vc_load *load;
    scratch_open(&scratch);
    load_in_parts(&scratch, "", 100);
    vc_str names[] = {VC_STR("meny")};
    cr_assert_eq(
        vc_store_compact(scratch.store, names, 1, &options, &scratch.arena, &report, &error),
        VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "unknown_cube");
    cr_assert_str_eq(error.candidates[0], "many");
    NEED_OK(vc_load_begin(scratch.store, &load, why));
    cr_assert_eq(
        vc_store_compact(scratch.store, NULL, 0, &options, &scratch.arena, &report, &error),
        VC_BUSY);
    cr_assert_str_eq(error.code, "load_in_progress");
    vc_load_abort(load);
    scratch_close(&scratch);
}

/* ---- killed ---- */

/* Whenever it is killed, the store is as before or as after, and the next one works. */
Test(compact, killed, .timeout = 120)
{
    enum { NKILLS = 30 };
    struct scratch scratch;
    struct opened opened;
    unsigned nafter = 0;
    scratch_open(&scratch);
    load_in_parts(&scratch, "", 8000);
    open_cube(&scratch, "many", &opened);
    uint64_t hash = hash_facts(&opened);
    close_cube(&opened);
    for (int i = 0; i < NKILLS; i++) {
        vc_store_close(scratch.store);
        pid_t child = fork();
        if (child == 0) {
            vc_store *store;
            vc_arena arena = {0};
            vc_compact_report report;
            vc_compact_options options = {.force = true, .window_rows = 65536, .nthreads = 2};
            vc_store_options small = {.batch_bytes = 1 << 16};
            if (vc_store_open(scratch.path, &small, &store, NULL) != VC_OK) _exit(3);
            for (;;)
                if (vc_store_compact(store, NULL, 0, &options, &arena, &report, NULL) != VC_OK)
                    _exit(4);
        }
        int state;
        long wait_ms = i * 7919 % 97 + 3;
        if (nafter == 0) wait_ms *= 1 + i / 3; /* a busy machine has not finished one yet */
        nanosleep(&(struct timespec){wait_ms / 1000, wait_ms % 1000 * 1000000}, NULL);
        kill(child, SIGKILL);
        waitpid(child, &state, 0);
        cr_assert(WIFSIGNALED(state), "the child ended with %d", WEXITSTATUS(state));
        NEED_OK(vc_store_open(scratch.path, NULL, &scratch.store, why));
        open_cube(&scratch, "many", &opened);
        cr_assert_eq(hash_facts(&opened), hash);
        nafter += opened.cube->nruns == 1;
        close_cube(&opened);
        uint64_t nrecords, ndamaged;
        NEED_OK(vc_store_verify(scratch.store, NULL, NULL, &nrecords, &ndamaged, why));
    }
    cr_assert_gt(nafter, 0);
    scratch_close(&scratch);
}

/* ---- two writers ---- */

/* Two processes take turns, whoever comes first: every append is there once in the end. */
Test(compact, beside_appends, .timeout = 120)
{
    struct scratch scratch, whole;
    struct opened a, b;
    vc_compact_report report;
    int state;
    scratch_open(&scratch);
    scratch_need_load(&scratch, write_load(&scratch, "part0", "", 0, 1, 2000),
                      (vc_load_options){0});
    vc_store_close(scratch.store);
    pid_t child = fork();
    if (child == 0) {
        vc_store *store;
        vc_arena arena = {0};
        vc_compact_options options = {.force = true, .nthreads = 2};
        if (vc_store_open(scratch.path, NULL, &store, NULL) != VC_OK) _exit(3);
        for (int i = 0; i < 40; i++) {
            vc_status status = vc_store_compact(store, NULL, 0, &options, &arena, &report, NULL);
            if (status != VC_OK && status != VC_BUSY) _exit(4);
        }
        vc_store_close(store);
        _exit(0);
    }
    NEED_OK(vc_store_open(scratch.path, NULL, &scratch.store, why));
    for (unsigned part = 1; part < NPARTS; part++) {
        char name[16];
        vc_load_report loaded;
        vc_error error = {0};
        vc_status status;
        snprintf(name, sizeof name, "part%u", part);
        const char *file = write_load(&scratch, name, "", part, part + 1, 2000);
        do
            status =
                scratch_load(&scratch, file, (vc_load_options){.append = true}, &loaded, &error);
        while (status == VC_BUSY);
        cr_assert_eq(status, VC_OK, "%s", error.message);
    }
    waitpid(child, &state, 0);
    cr_assert(WIFEXITED(state) && WEXITSTATUS(state) == 0, "the child ended with %d", state);
    compact(&scratch, (vc_compact_options){0}, &report);
    scratch_open(&whole);
    scratch_need_load(&whole, write_load(&whole, "all", "", 0, NPARTS, 2000), (vc_load_options){0});
    open_cube(&scratch, "many", &a);
    open_cube(&whole, "many", &b);
    cr_assert_eq(a.cube->nruns, 1);
    cr_assert_eq(hash_facts(&a), hash_facts(&b));
    close_cube(&a);
    close_cube(&b);
    scratch_close(&whole);
    scratch_close(&scratch);
}
