/* Virtual cubes resolved against stored ones: what is bound to what, every error at its place, and
 * models over time. What the answers are is for tests/slice. */
#include "cube/model.h"

#include "tests/cube/scratch.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a few cubes ---- */

#define MEASURES "\"measures\": [{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}]"

/* `sales` and `plan` share geo; `plan` has scenarios without an All; `cities` has keys of its own,
 * two of which are not in geo. */
static void write_cubes(struct scratch *scratch)
{
    scratch_write(scratch, "geo.csv", "id,area,code\nA,x,1\nB,x,2\nC,y,2\nD,y,~\n");
    scratch_write(
        scratch, "geo.json",
        "{\"name\": \"geo\", \"kind\": \"dimension\", \"table\": {\"csv\": \"geo.csv\","
        " \"null\": [\"~\"]}, \"key\": \"id\", \"levels\": [\"area\", {\"name\": \"leaf\","
        " \"key\": \"id\"}], \"attributes\": [\"code\"]}");
    scratch_write(scratch, "sales.csv", "id,item,n\nA,i,1\nB,j,2\nC,j,4\n");
    scratch_write(scratch, "sales.json",
                  "{\"name\": \"sales\", \"kind\": \"source\", \"data\": {\"csv\": \"sales.csv\"},"
                  " \"dimensions\": [{\"use\": \"geo\", \"column\": \"id\"},"
                  " {\"name\": \"item\", \"levels\": [\"item\"]}], " MEASURES "}");
    scratch_write(scratch, "plan.csv", "id,scenario,n\nA,plan,10\nA,actual,20\n");
    scratch_write(
        scratch, "plan.json",
        "{\"name\": \"plan\", \"kind\": \"source\", \"data\": {\"csv\": \"plan.csv\"},"
        " \"dimensions\": [{\"use\": \"geo\", \"column\": \"id\"}, {\"name\": \"scenario\","
        " \"aggregatable\": false, \"levels\": [\"scenario\"]}], " MEASURES "}");
    scratch_write(scratch, "cities.csv",
                  "city,code,item,n\np,1,i,1\nq,2,i,2\nr,2,j,4\ns,8,j,8\nt,9,j,16\n");
    scratch_write(
        scratch, "cities.json",
        "{\"name\": \"cities\", \"kind\": \"source\", \"data\": {\"csv\": \"cities.csv\"},"
        " \"dimensions\": [{\"name\": \"city\", \"levels\": [\"city\"], \"attributes\":"
        " [\"code\"]}, {\"name\": \"item\", \"levels\": [\"item\"]}], " MEASURES "}");
}

static void open_cubes(struct scratch *scratch)
{
    scratch_open(scratch);
    write_cubes(scratch);
    scratch_need_load(scratch, scratch->path, (vc_load_options){0});
}

/* A virtual cube over sales, with `sources` behind it and more fields. */
static const char *write_virtual(struct scratch *scratch, const char *sources, const char *more)
{
    vc_buffer text = {0};
    vc_buffer_printf(
        &text,
        "{\"name\": \"v\", \"kind\": \"virtual\", \"primary\": \"sales\", \"sources\": "
        "[{\"cube\": \"sales\"}, %s]%s}",
        sources, more);
    const char *path = scratch_write(scratch, "v.json", vc_buffer_text(&text));
    vc_buffer_release(&text);
    return path;
}

static void open_model(struct scratch *scratch, vc_model **model)
{
    vc_snapshot *snapshot;
    NEED_OK(vc_snapshot_open(scratch->store, &snapshot, why));
    NEED_OK(vc_model_new(snapshot, true, model, why));
}

static const vc_cube *open_virtual(struct scratch *scratch, const char *sources, const char *more,
                                   vc_model **model)
{
    const vc_cube *cube;
    open_cubes(scratch);
    scratch_need_load(scratch, write_virtual(scratch, sources, more), (vc_load_options){0});
    open_model(scratch, model);
    NEED_OK(vc_model_cube(*model, VC_STR("v"), &cube, why));
    return cube;
}

static const vc_binding *binding_of(const vc_cube *cube, size_t source, const char *dimension)
{
    size_t d;
    NEED_OK(vc_cube_find_dimension(cube, vc_str_of(dimension), &d, why));
    return &cube->sources[source].bindings[d];
}

static const vc_cube_dimension *dimension_of(const vc_cube *cube, const char *name)
{
    size_t d;
    NEED_OK(vc_cube_find_dimension(cube, vc_str_of(name), &d, why));
    return &cube->dimensions[d];
}

/* ---- what is bound to what ---- */

#define CITIES(join)                                                                               \
    "{\"cube\": \"cities\", \"dimensions\": {\"item\": \"thing\"}, \"join\": {" join               \
    "\"on\": [{\"dim\": \"geo\", \"index\": \"code\", \"to_dim\": \"city\", \"to_index\": "        \
    "\"code\"}]}}"

Test(model, source_cube)
{
    struct scratch scratch;
    vc_model *model;
    const vc_cube *cube;
    open_cubes(&scratch);
    open_model(&scratch, &model);
    NEED_OK(vc_model_cube(model, VC_STR("sales"), &cube, why));
    cr_assert_not(cube->is_virtual);
    cr_assert_eq(cube->nsources, 1);
    cr_assert_eq(cube->ndimensions, 2);
    for (size_t d = 0; d < 2; d++) {
        cr_assert_eq(cube->sources[0].bindings[d].kind, VC_BIND_IDENTITY);
        cr_assert_eq(cube->sources[0].bindings[d].source_dimension, d);
        cr_assert_null(cube->dimensions[d].visible);
        cr_assert_eq(cube->dimensions[d].nslots, cube->dimensions[d].dimension->nleaves);
    }
    const vc_cube *again;
    NEED_OK(vc_model_cube(model, VC_STR("sales"), &again, why));
    cr_assert_eq(cube, again, "opened once");
    vc_model_free(model);
    scratch_close(&scratch);
}

Test(model, left_join)
{
    struct scratch scratch;
    vc_model *model;
    const vc_cube *cube = open_virtual(&scratch, CITIES(""), "", &model);
    cr_assert_eq(cube->ndimensions, 3);
    cr_assert_eq(binding_of(cube, 0, "geo")->kind, VC_BIND_IDENTITY);
    cr_assert_eq(binding_of(cube, 1, "geo")->kind, VC_BIND_RELATION);
    cr_assert_null(binding_of(cube, 1, "geo")->synthetic_slots);
    cr_assert_eq(binding_of(cube, 1, "item")->kind, VC_BIND_NONE);
    cr_assert_eq(binding_of(cube, 0, "thing")->kind, VC_BIND_NONE);
    cr_assert_eq(binding_of(cube, 1, "thing")->kind, VC_BIND_IDENTITY);
    cr_assert(dimension_of(cube, "thing")->is_private);
    cr_assert_not(dimension_of(cube, "geo")->is_private);
    cr_assert_null(dimension_of(cube, "geo")->visible);
    cr_assert_eq(dimension_of(cube, "geo")->nslots, 4);
    cr_assert_eq(cube->nmeasures, 2, "all of all sources");
    cr_assert(vc_str_is(cube->measures[0].name, "n"));
    cr_assert(vc_str_is(cube->measures[1].name, "cities_n"), "a name that is taken");
    cr_assert_null(vc_cube_find_measure_def(cube, VC_STR("n")), "only its source's definition");
    vc_model_free(model);
    scratch_close(&scratch);
}

/* inner and right hide D, whose code is null; right has a bucket of s and t. */
Test(model, visible_and_buckets)
{
    struct scratch scratch;
    vc_model *model;
    const vc_cube *cube = open_virtual(&scratch, CITIES("\"kind\": \"inner\", "), "", &model);
    const vc_cube_dimension *geo = dimension_of(cube, "geo");
    cr_assert_eq(vc_bits_count(geo->visible, geo->nslots), 3);
    cr_assert_eq(geo->nbuckets, 0);
    vc_model_free(model);
    scratch_close(&scratch);

    cube = open_virtual(&scratch, CITIES("\"kind\": \"right\", "), "", &model);
    geo = dimension_of(cube, "geo");
    cr_assert_eq(geo->nslots, 5);
    cr_assert_eq(vc_bits_count(geo->visible, geo->nslots), 4, "the bucket is visible");
    cr_assert_eq(geo->nbuckets, 1);
    cr_assert(vc_str_is(geo->buckets[0].key, "(unmatched:cities)"));
    vc_model_free(model);
    scratch_close(&scratch);

    cube = open_virtual(&scratch, CITIES("\"kind\": \"full\", \"unmatched\": \"members\", "), "",
                        &model);
    geo = dimension_of(cube, "geo");
    cr_assert_eq(geo->nslots, 6);
    cr_assert_null(geo->visible);
    cr_assert(vc_str_is(geo->synthetics[0].key, "cities:s"));
    cr_assert(vc_str_is(geo->synthetics[1].key, "cities:t"));
    vc_model_free(model);
    scratch_close(&scratch);
}

/* A dimension of one file is common by its name; a later version of it by its keys. */
Test(model, shared_dimension)
{
    struct scratch scratch;
    vc_model *model;
    const vc_cube *cube = open_virtual(
        &scratch, "{\"cube\": \"plan\", \"fix\": {\"scenario\": \"actual\"}}", "", &model);
    cr_assert_eq(binding_of(cube, 1, "geo")->kind, VC_BIND_IDENTITY);
    vc_model_free(model);

    scratch_write(&scratch, "geo.csv", "id,area,code\n0,w,7\nA,x,1\nD,y,~\n");
    scratch_write(&scratch, "plan.csv", "id,scenario,n\nD,actual,1\n");
    vc_definition *definitions[2];
    vc_load_report report;
    char path[128];
    const char *names[] = {"geo.json", "plan.json"};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", scratch.path, names[i]);
        NEED_OK(vc_definition_read(path, &scratch.arena, &definitions[i], why));
    }
    NEED_OK(vc_load_definitions(scratch.store, definitions, 2, &(vc_load_options){0},
                                &scratch.arena, &report, why));
    for (int i = 0; i < 2; i++)
        vc_definition_release(definitions[i]);
    open_model(&scratch, &model);
    NEED_OK(vc_model_cube(model, VC_STR("v"), &cube, why));
    const vc_binding *binding = binding_of(cube, 1, "geo");
    cr_assert_eq(binding->kind, VC_BIND_RELATION);
    cr_assert_eq(binding->relation->coverage.members, 3);
    cr_assert_eq(binding->relation->coverage.members_matched, 2, "A and D");
    vc_model_free(model);
    scratch_close(&scratch);
}

/* One cube under two aliases: what no join maps is common. */
Test(model, one_cube_twice)
{
    struct scratch scratch;
    vc_model *model;
    const vc_cube *cube =
        open_virtual(&scratch, "{\"alias\": \"again\", \"cube\": \"sales\"}", "", &model);
    cr_assert_eq(cube->ndimensions, 2);
    cr_assert_eq(cube->sources[0].cube, cube->sources[1].cube, "opened once");
    cr_assert_eq(binding_of(cube, 1, "item")->kind, VC_BIND_IDENTITY);
    vc_model_free(model);
    scratch_close(&scratch);
}

/* A calculated measure of a source brings its operands, hidden, with the same fix. */
Test(model, calculated_in_a_source)
{
    struct scratch scratch;
    vc_model *model;
    const vc_cube *cube;
    size_t at;
    open_cubes(&scratch);
    scratch_write(&scratch, "w.csv", "id,n,m\nA,1,2\n");
    scratch_write(&scratch, "w.json",
                  "{\"name\": \"w\", \"kind\": \"source\", \"data\": {\"csv\": \"w.csv\"},"
                  " \"dimensions\": [{\"use\": \"geo\", \"column\": \"id\"}], \"measures\": ["
                  "{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"},"
                  "{\"name\": \"m\", \"type\": \"int\", \"aggregator\": \"sum\"},"
                  "{\"name\": \"ratio\", \"expr\": \"n / m\"}]}");
    write_virtual(&scratch, "{\"cube\": \"w\"}",
                  ", \"measures\": [{\"name\": \"r\", \"source\": \"w\", \"measure\": \"ratio\","
                  " \"fix\": {\"geo\": \"x\"}}, {\"name\": \"twice\", \"expr\": \"r * 2\"}]");
    scratch_need_load(&scratch, scratch.path, (vc_load_options){0});
    open_model(&scratch, &model);
    NEED_OK(vc_model_cube(model, VC_STR("v"), &cube, why));
    cr_assert_eq(cube->nmeasures, 4);
    NEED_OK(vc_cube_find_measure(cube, VC_STR("r"), &at, why));
    const vc_cube_measure *ratio = &cube->measures[at];
    cr_assert_eq(ratio->noperands, 2);
    for (size_t i = 0; i < 2; i++) {
        const vc_cube_measure *operand = &cube->measures[ratio->operands[i]];
        cr_assert(operand->is_hidden);
        cr_assert_eq(operand->nfixes, 1);
        cr_assert_eq(operand->source, 1);
    }
    cr_assert_eq(vc_cube_find_measure(cube, VC_STR("m"), &at, NULL), VC_NOT_FOUND, "hidden");
    cr_assert(vc_str_is(vc_cube_find_measure_def(cube, VC_STR("twice"))->expr, "r * 2"));
    NEED_OK(vc_model_cube(model, VC_STR("w"), &cube, why));
    cr_assert(vc_str_is(vc_cube_find_measure_def(cube, VC_STR("ratio"))->expr, "n / m"));
    vc_model_free(model);
    scratch_close(&scratch);
}

/* ---- errors, each at its place ---- */

struct bad {
    char sources[512], more[200];
    char code[32], pointer[48];
};

#define ON(dim, index, to_dim, to_index)                                                           \
    "{\"dim\": \"" dim "\", \"index\": \"" index "\", \"to_dim\": \"" to_dim                       \
    "\", \"to_index\": \"" to_index "\"}"
#define JOIN(fields, on)                                                                           \
    "{\"cube\": \"cities\", \"dimensions\": {\"item\": \"thing\"}, \"join\": {" fields             \
    "\"on\": [" on "]}}"

#define TWICE(alias)                                                                               \
    "{\"alias\": \"" alias                                                                         \
    "\", \"cube\": \"cities\", \"join\": {\"on\": [" ON("geo", "code", "city", "code") "]}}"

ParameterizedTestParameters(model, errors)
{
    static struct bad cases[] = {
        {JOIN("", ON("gea", "code", "city", "code")), "", "unknown_dimension",
         "/sources/1/join/on/0/dim"},
        {JOIN("", ON("geo", "cod", "city", "code")), "", "unknown_index",
         "/sources/1/join/on/0/index"},
        {JOIN("", ON("geo", "code", "town", "code")), "", "unknown_dimension",
         "/sources/1/join/on/0/to_dim"},
        {JOIN("", ON("geo", "code", "city", "cod")), "", "unknown_index",
         "/sources/1/join/on/0/to_index"},
        {JOIN("", ON("geo", "code", "city", "code") ", " ON("geo", "leaf", "itm", "item")), "",
         "unknown_dimension", "/sources/1/join/on/1/to_dim"},
        {JOIN("\"cardinality\": \"one\", ", ON("geo", "code", "city", "code")), "", "cardinality",
         "/sources/1/join/cardinality"},
        {JOIN("\"on_fanout\": \"error\", ", ON("geo", "code", "city", "code")), "", "fanout",
         "/sources/1/join/on_fanout"},
        {JOIN("\"min_coverage\": 0.51, ", ON("geo", "code", "city", "code")), "", "low_coverage",
         "/sources/1/join/min_coverage"},
        {"{\"cube\": \"cities\"}", "", "dimension_conflict", "/sources/1"},
        {"{\"cube\": \"cities\", \"dimensions\": {\"item\": \"thing\"}}", "", "no_common_dimension",
         "/sources/1"},
        {"{\"cube\": \"cities\", \"dimensions\": {\"itm\": \"thing\"}}", "", "unknown_dimension",
         "/sources/1/dimensions"},
        {"{\"cube\": \"city\"}", "", "unknown_cube", "/sources/1/cube"},
        {"{\"cube\": \"plan\"}", "", "missing_fix", "/sources/1"},
        {"{\"cube\": \"plan\", \"fix\": {\"scenari\": \"actual\"}}", "", "unknown_dimension",
         "/sources/1/fix/scenari"},
        {"{\"cube\": \"plan\", \"fix\": {\"scenario\": \"actua\"}}", "", "unknown_member",
         "/sources/1/fix/scenario"},
        {CITIES(""), ", \"measures\": [{\"name\": \"m\", \"source\": \"cities\"}]",
         "unknown_measure", "/measures/0/measure"},
        {CITIES(""),
         ", \"measures\": [{\"name\": \"n\", \"source\": \"cities\", \"fix\": {\"city\": \"z\"}}]",
         "unknown_member", "/measures/0/fix/city"},
        {CITIES(""), ", \"private\": {\"cities\": {\"itm\": {\"others\": \"repeat\"}}}",
         "unknown_dimension", "/private/cities/itm"},
        {CITIES(""), ", \"private\": {\"cities\": {\"city\": {\"others\": \"repeat\"}}}",
         "bad_value", "/private/cities/city"},
        {CITIES(""), ", \"private\": {\"sales\": {\"geo\": {\"others\": \"repeat\"}}}", "bad_value",
         "/private/sales/geo"},
        {TWICE("c") ", " TWICE("e"),
         ", \"common\": [{\"name\": \"geo\", \"of\": {\"c\": \"item\", \"e\": \"item\"}}]",
         "duplicate_name", "/common/0/name"},
    };
    return cr_make_param_array(struct bad, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct bad *bad, model, errors)
{
    struct scratch scratch;
    vc_load_report report;
    vc_error error = {0};
    open_cubes(&scratch);
    const char *path = write_virtual(&scratch, bad->sources, bad->more);
    vc_status status = scratch_load(&scratch, path, (vc_load_options){0}, &report, &error);
    cr_assert_neq(status, VC_OK, "%s%s is no error", bad->sources, bad->more);
    cr_assert_str_eq(error.code, bad->code, "%s: %s", error.code, error.message);
    cr_assert_str_eq(error.pointer, bad->pointer, "%s: %s", error.code, error.message);
    cr_assert_eq(error.line, 1);
    cr_assert_gt(error.column, 1);
    cr_assert(strstr(error.file, "v.json") != NULL);
    scratch_close(&scratch);
}

/* The keys that find several, so that somebody can look at them; the ones that missed. */
Test(model, errors_say_what)
{
    struct scratch scratch;
    vc_load_report report;
    vc_error error = {0};
    open_cubes(&scratch);
    scratch_load(&scratch, write_virtual(&scratch, CITIES("\"cardinality\": \"one\", "), ""),
                 (vc_load_options){0}, &report, &error);
    cr_assert_not_null(strstr(error.message, "2 keys find several: 'B' (2), 'C' (2)"), "%s",
                       error.message);
    scratch_load(&scratch, write_virtual(&scratch, CITIES("\"min_coverage\": 0.51, "), ""),
                 (vc_load_options){0}, &report, &error);
    cr_assert_not_null(strstr(error.message, "2 of 4 keys match, that is 50.0%"), "%s",
                       error.message);
    scratch_load(&scratch, write_virtual(&scratch, CITIES("\"min_coverage\": 0.5, "), ""),
                 (vc_load_options){0}, &report, &error);
    cr_assert_eq(report.nobjects, 1, "half is enough");
    scratch_close(&scratch);
}

/* "v" is one deep, "w2" over it two, and so on; a ninth is too deep. */
Test(model, nested_too_deep)
{
    struct scratch scratch;
    vc_load_report report;
    vc_error error = {0};
    open_cubes(&scratch);
    scratch_need_load(&scratch, write_virtual(&scratch, CITIES(""), ""), (vc_load_options){0});
    for (int depth = 2; depth <= 9; depth++) {
        char name[16], text[256];
        snprintf(name, sizeof name, "w%d.json", depth);
        snprintf(text, sizeof text,
                 "{\"name\": \"w%d\", \"kind\": \"virtual\", \"primary\": \"inner\", \"sources\": "
                 "[{\"alias\": \"inner\", \"cube\": \"%s%.0d\"}]}",
                 depth, depth == 2 ? "v" : "w", depth == 2 ? 0 : depth - 1);
        const char *path = scratch_write(&scratch, name, text);
        vc_status status = scratch_load(&scratch, path, (vc_load_options){0}, &report, &error);
        cr_assert_eq(status, depth <= 8 ? VC_OK : VC_LIMIT, "%s: %s", name, error.message);
    }
    cr_assert_str_eq(error.code, "limit_depth");
    cr_assert_str_eq(error.pointer, "/sources/0/cube");
    scratch_close(&scratch);
}

Test(model, unknown_cube)
{
    struct scratch scratch;
    vc_model *model;
    const vc_cube *cube;
    vc_error error = {0};
    open_cubes(&scratch);
    open_model(&scratch, &model);
    for (int i = 0; i < 2; i++) { /* a failure is not kept */
        cr_assert_eq(vc_model_cube(model, VC_STR("salez"), &cube, &error), VC_NOT_FOUND);
        cr_assert_str_eq(error.code, "unknown_cube");
        cr_assert_str_eq(error.candidates[0], "sales");
    }
    vc_model_free(model);
    scratch_close(&scratch);
}

/* ---- memo ---- */

static vc_status compute(void *context, vc_arena *arena, const void **value_out, vc_error *error)
{
    int *ncalls = context;
    if (++*ncalls == 1) return vc_fail(error, VC_BUSY, "busy", "not now");
    *value_out = vc_arena_str(arena, VC_STR("value")).data;
    return VC_OK;
}

Test(model, memo)
{
    struct scratch scratch;
    vc_model *model;
    const void *first, *second;
    int ncalls = 0, key, other;
    vc_error error = {0};
    open_cubes(&scratch);
    open_model(&scratch, &model);
    cr_assert_eq(vc_model_memo(model, &key, 0, compute, &ncalls, &first, &error), VC_BUSY);
    NEED_OK(vc_model_memo(model, &key, 0, compute, &ncalls, &first, why));
    NEED_OK(vc_model_memo(model, &key, 0, compute, &ncalls, &second, why));
    cr_assert_eq(ncalls, 2, "a failure is not kept, a value is");
    cr_assert_eq(first, second);
    NEED_OK(vc_model_memo(model, &other, 0, compute, &ncalls, &second, why));
    cr_assert_eq(ncalls, 3);
    NEED_OK(vc_model_memo(model, &key, 1, compute, &ncalls, &second, why));
    cr_assert_eq(ncalls, 4, "another variant is another memo");
    vc_model_free(model);
    scratch_close(&scratch);
}

/* ---- models over time ---- */

static void load_item(struct scratch *scratch, const char *item)
{
    vc_buffer text = {0};
    char path[128];
    vc_buffer_printf(&text, "id,item,n\nA,%s,1\n", item);
    scratch_write(scratch, "sales.csv", vc_buffer_text(&text));
    snprintf(path, sizeof path, "%s/sales.json", scratch->path);
    scratch_need_load(scratch, path, (vc_load_options){0});
    vc_buffer_release(&text);
}

static void check_item(vc_model *model, const char *item)
{
    const vc_cube *cube;
    NEED_OK(vc_model_cube(model, VC_STR("sales"), &cube, why));
    const vc_level *level = &cube->dimensions[1].dimension->hierarchies[0].levels[0];
    cr_assert_eq(level->nmembers, 1);
    cr_assert(vc_str_is(vc_texts_get(&level->keys, 0), item));
}

static unsigned count_readers(struct scratch *scratch)
{
    vc_store_stats stats;
    NEED_OK(vc_store_stat(scratch->store, &stats, why));
    return stats.nreaders;
}

/* An old model answers as long as somebody has it, and is gone with its reader when nobody does. */
Test(model, cache)
{
    struct scratch scratch;
    vc_model_cache *cache;
    vc_model *first, *same, *second;
    open_cubes(&scratch);
    load_item(&scratch, "old");
    unsigned nreaders = count_readers(&scratch);
    NEED_OK(vc_model_cache_new(scratch.store, &cache, why));
    NEED_OK(vc_model_acquire(cache, &first, why));
    NEED_OK(vc_model_acquire(cache, &same, why));
    cr_assert_eq(first, same);
    cr_assert_eq(count_readers(&scratch), nreaders + 1);
    check_item(first, "old");

    load_item(&scratch, "new");
    check_item(first, "old");
    NEED_OK(vc_model_acquire(cache, &second, why));
    cr_assert_neq(first, second);
    check_item(second, "new");
    check_item(first, "old");
    cr_assert_eq(count_readers(&scratch), nreaders + 2);
    vc_model_release(cache, first);
    check_item(same, "old");
    vc_model_release(cache, same);
    cr_assert_eq(count_readers(&scratch), nreaders + 1, "the last user frees it");
    vc_model_release(cache, second);
    vc_model_cache_tick(cache);
    cr_assert_eq(count_readers(&scratch), nreaders + 1, "the newest stays");

    load_item(&scratch, "newer");
    vc_model_cache_tick(cache);
    cr_assert_eq(count_readers(&scratch), nreaders, "a stale one that nobody has does not");
    NEED_OK(vc_model_acquire(cache, &first, why));
    check_item(first, "newer");
    vc_model_release(cache, first);
    vc_model_cache_free(cache);
    cr_assert_eq(count_readers(&scratch), nreaders);
    scratch_close(&scratch);
}

/* With ticks between the loads of an idle server, pages of old epochs are used again. */
Test(model, cache_lets_pages_go)
{
    struct scratch scratch;
    vc_model_cache *cache;
    vc_model *model;
    vc_store_stats middle, end;
    open_cubes(&scratch);
    NEED_OK(vc_model_cache_new(scratch.store, &cache, why));
    for (int i = 0; i < 40; i++) {
        NEED_OK(vc_model_acquire(cache, &model, why));
        vc_model_release(cache, model);
        load_item(&scratch, i % 2 ? "a" : "b");
        vc_model_cache_tick(cache);
        if (i == 20) NEED_OK(vc_store_stat(scratch.store, &middle, why));
    }
    NEED_OK(vc_store_stat(scratch.store, &end, why));
    cr_assert_leq(end.file_bytes, middle.file_bytes + middle.file_bytes / 4);
    vc_model_cache_free(cache);
    scratch_close(&scratch);
}

struct race {
    vc_model_cache *cache;
    int nfailed;
};

static void *use_models(void *context)
{
    struct race *race = context;
    for (int i = 0; i < 200; i++) {
        vc_model *model;
        const vc_cube *cube;
        if (vc_model_acquire(race->cache, &model, NULL) != VC_OK) {
            race->nfailed++;
            continue;
        }
        race->nfailed += vc_model_cube(model, VC_STR("sales"), &cube, NULL) != VC_OK;
        vc_model_cache_tick(race->cache);
        vc_model_release(race->cache, model);
    }
    return NULL;
}

/* Four threads take and give back while epochs advance. */
Test(model, cache_with_threads)
{
    struct scratch scratch;
    struct race races[4];
    pthread_t threads[4];
    vc_model_cache *cache;
    open_cubes(&scratch);
    NEED_OK(vc_model_cache_new(scratch.store, &cache, why));
    for (int i = 0; i < 4; i++) {
        races[i] = (struct race){.cache = cache};
        cr_assert_eq(pthread_create(&threads[i], NULL, use_models, &races[i]), 0);
    }
    for (int i = 0; i < 10; i++)
        load_item(&scratch, i % 2 ? "a" : "b");
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        cr_assert_eq(races[i].nfailed, 0);
    }
    vc_model_cache_tick(cache);
    vc_model_cache_free(cache);
    cr_assert_eq(count_readers(&scratch), 0);
    scratch_close(&scratch);
}
