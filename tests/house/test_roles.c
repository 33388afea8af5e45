/* Roles, endpoints and formats: what a server says to a role about a random world, beside what one
 * says that holds only what the role may see. VCUBE_ROUNDS says how many worlds (default 40),
 * VCUBE_SEED with which one to begin; each is asked about 60 times.
 *
 * Equal means equal texts: snapshots and ids of requests apart, numbers to 1e-9 (sums of doubles in
 * another order), and rows of facts in whatever order.
 */
#include "tests/house/house.h"
#include "tests/slice/hiding.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUESTS = 60 };

struct round {
    uint64_t seed;
    struct world world, whole; /* filtered, and as it was: for keys that are hidden */
    vc_arena arena;
    struct hiding hiding;
    char store[HOUSE_PATH], seen[HOUSE_PATH];
    const char *cube;
    vc_buffer targets[REQUESTS];
    unsigned nasked, nok, nskipped, nfailed;
};

/* ---- questions ---- */

static unsigned below(struct round *round, unsigned n)
{
    return random_below(&round->world.random, n);
}

/* A dimension of the cube that is asked: one of some source's. */
static const struct world_dimension *any_dimension(struct round *round)
{
    struct world *world = &round->world;
    const struct world_cube *cube = &world->cubes[world->sources[0].cube];
    if (strcmp(round->cube, "v") == 0) {
        if (random_chance(&world->random, 40))
            cube = &world->cubes[world->sources[below(round, world->nsources)].cube];
    } else {
        for (unsigned c = 0; c < world->ncubes; c++)
            if (strcmp(world->cubes[c].name, round->cube) == 0) cube = &world->cubes[c];
    }
    return cube->dimensions[below(round, cube->ndimensions)];
}

/* The same as it was before anything was hidden. */
static const struct world_dimension *whole_of(struct round *round,
                                              const struct world_dimension *dimension)
{
    for (unsigned c = 0; c < round->whole.ncubes; c++)
        for (unsigned d = 0; d < round->whole.cubes[c].ndimensions; d++)
            if (strcmp(round->whole.cubes[c].dimensions[d]->name, dimension->name) == 0)
                return round->whole.cubes[c].dimensions[d];
    return dimension;
}

/* A key of some level, which may well be hidden. */
static void put_key(struct round *round, const struct world_dimension *dimension, vc_buffer *out)
{
    const struct world_dimension *whole = whole_of(round, dimension);
    const char *key = NULL;
    vc_buffer escaped = {0};
    if (whole->nleaves > 0)
        key = whole->leaves[below(round, (unsigned)whole->nleaves)]
                  .keys[below(round, whole->nlevels)];
    for (const char *at = key == NULL ? "" : key; *at != '\0'; at++) {
        if (strchr("|:;,-!@/#.\\ ()", *at) != NULL) vc_buffer_put_char(&escaped, '\\');
        vc_buffer_put_char(&escaped, *at);
    }
    house_put_encoded(out, vc_buffer_text(&escaped));
    vc_buffer_release(&escaped);
}

static void put_aggregate(struct round *round, vc_buffer *out)
{
    static const char *const formats[] = {"records",  "arrays", "csv",    "ndjson",
                                          "jsonstat", "table",  "columns"};
    static const char *const more[] = {"",
                                       "&totals=()",
                                       "&nonempty=all",
                                       "&sparse=false",
                                       "&parents=true",
                                       "&limit=3&offset=1",
                                       "&sparse=false&parents=true",
                                       "&format=csv&header=labels",
                                       "&explain=false"};
    const struct world_dimension *first = any_dimension(round), *second = any_dimension(round);
    vc_buffer_printf(out, "/v1/cubes/%s/aggregate?drilldown=%s:l%u", round->cube, first->name,
                     below(round, first->nlevels));
    if (second != first && below(round, 2) == 0)
        vc_buffer_printf(out, "%%7C%s:l%u", second->name, below(round, second->nlevels));
    if (below(round, 2) == 0) {
        const struct world_dimension *cut = any_dimension(round);
        vc_buffer_printf(out, "&cut=%s%s:", below(round, 4) == 0 ? "!" : "", cut->name);
        put_key(round, cut, out);
    }
    const char *measure = strcmp(round->cube, "v") == 0 ? "v" : "m";
    if (below(round, 4) == 0) vc_buffer_printf(out, "&order=%s0%%2B%s1:desc", measure, measure);
    if (below(round, 6) == 0) vc_buffer_printf(out, "&having=%s0:gt:100", measure);
    if (below(round, 3) > 0) vc_buffer_printf(out, "&format=%s", formats[below(round, 7)]);
    const char *rest = more[below(round, 9)];
    if (strstr(rest, "format") == NULL || strstr(vc_buffer_text(out), "format") == NULL)
        vc_buffer_put_text(out, rest);
}

static void put_request(struct round *round, vc_buffer *out)
{
    const struct world_dimension *dimension = any_dimension(round);
    const char *cube = round->cube;
    switch (below(round, 20)) {
    case 0: vc_buffer_printf(out, "/v1/cubes/%s", cube); break;
    case 1: vc_buffer_printf(out, "/v1/cubes/%s/dimensions/%s", cube, dimension->name); break;
    case 2:
    case 3:
        vc_buffer_printf(out, "/v1/cubes/%s/dimensions/%s/members?level=l%u&limit=7%s", cube,
                         dimension->name, below(round, dimension->nlevels),
                         below(round, 3) == 0 ? "&offset=2" : "");
        break;
    case 4:
        vc_buffer_printf(out, "/v1/cubes/%s/dimensions/%s/members?parent=", cube, dimension->name);
        put_key(round, dimension, out);
        break;
    case 5:
        vc_buffer_printf(out, "/v1/cubes/%s/dimensions/%s/members?q=", cube, dimension->name);
        put_key(round, dimension, out);
        break;
    case 6:
        vc_buffer_printf(out, "/v1/cubes/%s/dimensions/%s/indexes/%s?key=", cube, dimension->name,
                         below(round, 2) == 0 ? "key" : "l0");
        put_key(round, dimension, out);
        break;
    case 7:
    case 8:
        vc_buffer_printf(out, "/v1/cubes/%s/facts?limit=1000&cut=%s:", cube, dimension->name);
        put_key(round, dimension, out);
        break;
    case 9: vc_buffer_printf(out, "/v1/cubes/%s/facts?limit=1000", cube); break;
    case 10:
    case 11:
        vc_buffer_printf(out, "/v1/cubes/%s/cell?measure=%s%u&cut=%s:", cube,
                         strcmp(cube, "v") == 0 ? "v" : "m", below(round, 4), dimension->name);
        put_key(round, dimension, out);
        break;
    case 12: vc_buffer_printf(out, "/v1/cubes/%s/coverage", cube); break;
    case 13: vc_buffer_printf(out, "/v1/cubes/%s/unmatched", cube); break;
    case 14:
        vc_buffer_printf(out, "/mondrian-rest/cubes/%s/dimensions/%s/levels/l%u/members", cube,
                         dimension->name, below(round, dimension->nlevels));
        break;
    case 15: vc_buffer_printf(out, "/mondrian-rest/cubes/%s", cube); break;
    case 16:
        vc_buffer_put_text(out, below(round, 2) == 0 ? "/cubejs-api/v1/meta" : "/v1/cubes");
        break;
    default: put_aggregate(round, out);
    }
}

/* ---- compare ---- */

/* What differs from store to store: ids of snapshots and of requests. */
static void normalise(const vc_buffer *text, vc_buffer *out)
{
    static const char *const names[] = {"\"snapshot\":\"",  "\"request_id\":\"",
                                        "\"requestId\":\"", "\"lastRefreshTime\":\"",
                                        "\"next\":\"",      "\"compilerId\":\""};
    for (const char *at = text->size > 0 ? text->data : ""; *at != '\0';) {
        size_t n = 0;
        while (n < 6 && strncmp(at, names[n], strlen(names[n])) != 0)
            n++;
        if (n == 6) {
            vc_buffer_put_char(out, *at++);
            continue;
        }
        vc_buffer_put_text(out, names[n]);
        at += strlen(names[n]);
        while (*at != '\0' && *at != '"')
            at++;
    }
    vc_buffer_text(out);
}

static bool is_number_char(char c)
{
    return isdigit((unsigned char)c) || strchr("+-.eE", c) != NULL;
}

/* Equal texts, numbers to 1e-9. */
static bool is_same_text(const char *a, const char *b)
{
    const char *start_a = a, *start_b = b;
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    if (*a == *b) return true;
    while (a > start_a && is_number_char(a[-1])) {
        a--;
        b--;
    }
    char *end_a, *end_b;
    double x = strtod(a, &end_a), y = strtod(b, &end_b);
    if (end_a == a || end_b == b || b < start_b) return false;
    if (fabs(x - y) > 1e-9 * (fabs(x) + fabs(y)) + 1e-12) return false;
    return is_same_text(end_a, end_b);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Facts of each source as a set. */
static void sort_facts(json_t *answer)
{
    size_t i;
    json_t *source;
    json_array_foreach(json_object_get(answer, "sources"), i, source)
    {
        json_t *rows = json_object_get(source, "rows");
        size_t count = json_array_size(rows);
        char **texts = calloc(count + 1, sizeof *texts);
        for (size_t r = 0; r < count; r++)
            texts[r] = json_dumps(json_array_get(rows, r), JSON_COMPACT | JSON_SORT_KEYS);
        qsort(texts, count, sizeof *texts, compare_texts);
        json_array_clear(rows);
        for (size_t r = 0; r < count; r++) {
            json_array_append_new(rows, json_loads(texts[r], 0, NULL));
            free(texts[r]);
        }
        free(texts);
    }
}

static bool is_same_facts(const char *a, const char *b)
{
    json_t *x = json_loads(a, 0, NULL), *y = json_loads(b, 0, NULL);
    sort_facts(x);
    sort_facts(y);
    char *left = json_dumps(x, JSON_SORT_KEYS), *right = json_dumps(y, JSON_SORT_KEYS);
    bool is_same = left != NULL && right != NULL && is_same_text(left, right);
    free(left);
    free(right);
    json_decref(x);
    json_decref(y);
    return is_same;
}

static bool is_same(const char *target, const struct house_reply *role,
                    const struct house_reply *alone)
{
    vc_buffer a = {0}, b = {0};
    normalise(&role->text, &a);
    normalise(&alone->text, &b);
    /* A measure that is not there is one that the role may not see, for all that it is told. */
    bool is_absent = role->code == 403 && strstr(b.data, "\"unknown_measure\"") != NULL;
    bool equal =
        is_absent || (role->code == alone->code &&
                      (is_same_text(a.data, b.data) ||
                       (strstr(target, "/facts?") != NULL && is_same_facts(a.data, b.data))));
    vc_buffer_release(&a);
    vc_buffer_release(&b);
    return equal;
}

/* ---- rounds ---- */

static void keep_whole(struct round *round)
{
    round->whole = round->world;
    for (unsigned c = 0; c < round->whole.ncubes; c++)
        for (unsigned d = 0; d < round->whole.cubes[c].ndimensions; d++) {
            struct world_dimension *copy = VC_ARENA_NEW(&round->arena, struct world_dimension, 1);
            *copy = *round->world.cubes[c].dimensions[d];
            round->whole.cubes[c].dimensions[d] = copy;
        }
}

static bool load(const struct world *world, char store[HOUSE_PATH])
{
    char folder[HOUSE_PATH];
    vc_error error = {0};
    const char *paths[] = {folder};
    house_make_folder(folder);
    world_write(world, folder, false);
    house_make_folder(store);
    bool is_good = house_load(store, paths, 1, &error) == VC_OK;
    house_remove_folder(folder);
    return is_good;
}

/* The same rights without cuts. */
static void put_alone(struct round *round, vc_buffer *out)
{
    json_t *rights = json_loads(vc_buffer_text(&round->hiding.rights), 0, NULL);
    const char *name;
    json_t *right;
    json_object_foreach(rights, name, right) json_object_del(right, "cut");
    char *text = json_dumps(rights, 0);
    vc_buffer_put_text(out, text);
    free(text);
    json_decref(rights);
}

static void ask(struct round *round)
{
    struct house_request requests[REQUESTS] = {0};
    static struct house_reply role[REQUESTS], alone[REQUESTS];
    vc_buffer rights = {0};
    for (size_t i = 0; i < REQUESTS; i++) {
        vc_buffer_clear(&round->targets[i]);
        put_request(round, &round->targets[i]);
        requests[i].target = vc_buffer_text(&round->targets[i]);
    }
    put_alone(round, &rights);
    house_ask_as(round->store, vc_buffer_text(&round->hiding.rights), requests, REQUESTS, role);
    house_ask_as(round->seen, vc_buffer_text(&rights), requests, REQUESTS, alone);
    for (size_t i = 0; i < REQUESTS; i++) {
        round->nasked++;
        round->nok += role[i].code == 200;
        if (!is_same(requests[i].target, &role[i], &alone[i])) {
            round->nfailed++;
            fprintf(stderr, "seed %llu, rights %s\n%s\nthe role: %d %s\nalone:    %d %s\n",
                    (unsigned long long)round->seed, vc_buffer_text(&round->hiding.rights),
                    requests[i].target, role[i].code, vc_buffer_text(&role[i].text), alone[i].code,
                    vc_buffer_text(&alone[i].text));
        }
        house_reply_release(&role[i]);
        house_reply_release(&alone[i]);
    }
    vc_buffer_release(&rights);
}

/* All in one load, and no kinds of which the evaluator and the engine think differently. */
static void make_world(struct round *round)
{
    struct world *world = &round->world;
    world_make_with(world, round->seed, 120, WORLD_RAGGED);
    for (unsigned s = 0; s < world->nsources; s++)
        world->sources[s].fix.is_there = false;
    for (unsigned t = 0; t < world->ntaken; t++)
        world->taken[t].fix.is_there = false;
    world->has_append = false;
    for (unsigned c = 0; c < world->ncubes; c++) {
        for (unsigned m = 0; m < world->cubes[c].nmeasures; m++)
            world->cubes[c].measures[m].has_where =
                false; /* not told to a role: it names members */
        world->cubes[c].nold = world->cubes[c].nfacts;
        for (unsigned d = 0; d < world->cubes[c].ndimensions; d++)
            world->cubes[c].dimensions[d]->nold = world->cubes[c].dimensions[d]->nleaves;
    }
}

static void play(struct round *round)
{
    const char *error;
    make_world(round);
    struct oracle *oracle = oracle_new(&round->world, "v", &error);
    bool is_good = oracle != NULL;
    oracle_free(oracle);
    round->hiding.world = &round->world;
    round->hiding.arena = &round->arena;
    round->hiding.is_of_sources = round->seed % 3 == 0;
    round->hiding.hides_sources = !round->hiding.is_of_sources;
    round->cube = round->hiding.is_of_sources
                      ? round->world.cubes[round->seed / 3 % round->world.ncubes].name
                      : "v";
    if (!is_good || !load(&round->world, round->store)) {
        round->nskipped++;
    } else {
        keep_whole(round);
        hiding_choose(&round->hiding);
        bool can = hiding_can_filter(&round->hiding);
        if (can) hiding_filter(&round->hiding);
        if (can && load(&round->world, round->seen)) {
            ask(round);
            house_remove_folder(round->seen);
        } else {
            round->nskipped++;
        }
        hiding_release(&round->hiding);
        house_remove_folder(round->store);
    }
    vc_arena_release(&round->arena);
    round->arena = (vc_arena){0};
    world_release(&round->world);
}

Test(roles, see_what_a_store_of_it_would_say, .timeout = 3600)
{
    static struct round round;
    unsigned nrounds = random_setting("VCUBE_ROUNDS", 40), seed = random_setting("VCUBE_SEED", 1);
    for (unsigned i = 0; i < nrounds && round.nfailed == 0; i++) {
        round.seed = seed + i;
        play(&round);
    }
    fprintf(stderr, "%u requests, %u answered with 200, %u worlds skipped, %u of %u facts hidden\n",
            round.nasked, round.nok, round.nskipped, round.hiding.nhidden, round.hiding.nfacts);
    cr_assert_eq(round.nfailed, 0);
    for (size_t i = 0; i < REQUESTS; i++)
        vc_buffer_release(&round.targets[i]);
    vc_buffer_release(&round.hiding.rights);
    if (nrounds < 40 || seed != 1) return;
    cr_assert_gt(round.nok, 800);
}
