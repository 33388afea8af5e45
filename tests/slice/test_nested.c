/* L1 for nesting: a virtual cube that has another one for its only source answers as that one does,
 * whatever is asked; and one whose sources are each inside a virtual cube answers as without.
 * Random worlds, as in test_differential.c; VCUBE_ROUNDS and VCUBE_SEED as there. */
#include "tests/slice/asking.h"
#include "tests/slice/fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct nest {
    struct world world;
    struct fixture fixture;
    struct oracle *oracle; /* the texts of queries are its own */
    vc_arena arena;
};

static void load(struct nest *nest)
{
    world_write(&nest->world, nest->fixture.path, false);
    fixture_write(&nest->fixture, "n.json",
                  "{\"name\": \"n\", \"kind\": \"virtual\", \"primary\": \"v\", \"sources\": "
                  "[{\"cube\": \"v\"}]}");
    world_write_nested(&nest->world, nest->fixture.path);
    fixture_need_load(&nest->fixture, false);
    if (!nest->world.has_append) return;
    world_write(&nest->world, nest->fixture.path, true);
    fixture_need_load(&nest->fixture, true);
}

static vc_status answer(struct nest *nest, vc_query *query, const char *cube, vc_buffer *dump,
                        vc_error *error)
{
    const vc_result *result = NULL;
    query->cube = vc_str_of(cube);
    vc_status status =
        vc_engine_run(nest->fixture.model, query, NULL, &nest->arena, &result, error);
    if (status == VC_OK) fixture_dump(result, dump);
    return status;
}

/* Notices name sources, which inside their cubes are "s1_": take the mark away. */
static void drop_marks(vc_buffer *dump)
{
    char *text = dump->data;
    size_t kept = 0;
    for (size_t i = 0; i < dump->size; i++)
        if (!(text[i] == '_' && i > 1 && text[i - 2] == 's')) text[kept++] = text[i];
    dump->size = kept;
}

static void compare(struct nest *nest, const char *cube, uint64_t seed)
{
    vc_query query = asking_make(nest->oracle, "v", &nest->world.random, 200, &nest->arena);
    vc_buffer plain = {0}, nested = {0}, text = {0};
    vc_error plain_error = {0}, nested_error = {0};
    vc_status expected = answer(nest, &query, "v", &plain, &plain_error);
    vc_status status = answer(nest, &query, cube, &nested, &nested_error);
    drop_marks(&nested);
    asking_print(&query, &text);
    cr_assert_eq(status, expected, "seed %llu: %s\n%s", (unsigned long long)seed,
                 nested_error.message, vc_buffer_text(&text));
    if (status != VC_OK) cr_assert_str_eq(nested_error.code, plain_error.code);
    cr_assert(strcmp(vc_buffer_text(&nested), vc_buffer_text(&plain)) == 0,
              "seed %llu, cube %s:\n%s\n%s\nexpected\n%s", (unsigned long long)seed, cube,
              vc_buffer_text(&text), vc_buffer_text(&nested), vc_buffer_text(&plain));
    vc_buffer_release(&plain);
    vc_buffer_release(&nested);
    vc_buffer_release(&text);
}

Test(nested, is_transparent, .timeout = 3600)
{
    unsigned nrounds = random_setting("VCUBE_ROUNDS", 240) / 4, ncompared = 0;
    uint64_t first = random_setting("VCUBE_SEED", 1);
    for (unsigned i = 0; i < nrounds; i++) {
        struct nest nest = {0};
        const char *why;
        fixture_open(&nest.fixture);
        world_make(&nest.world, first + 70000 + i, 80);
        nest.oracle = oracle_new(&nest.world, "v", &why);
        if (nest.oracle != NULL) load(&nest);
        for (unsigned q = 0; nest.oracle != NULL && q < 12; q++, ncompared++)
            compare(&nest, q % 2 == 0 ? "n" : "w", first + 70000 + i);
        oracle_free(nest.oracle);
        fixture_close(&nest.fixture);
        world_release(&nest.world);
        vc_arena_release(&nest.arena);
    }
    cr_assert_gt(ncompared, 0);
}
