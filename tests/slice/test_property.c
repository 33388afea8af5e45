/* Properties of members in random worlds, against the meaning: what some leaf of the member says,
 * or some joined leaf that it leads to, pair by pair. */
#include "slice/property.h"

#include "tests/slice/fixture.h"
#include "tests/slice/world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct asked { /* one property of the members of a level */
    const vc_cube *cube;
    const vc_property *property;
    unsigned hierarchy, level;
    uint32_t nmembers;
};

static bool is_under(const struct asked *in, uint32_t leaf, uint32_t member)
{
    const vc_cube_dimension *outer = &in->cube->dimensions[in->property->cube_dimension];
    const vc_level *level = &outer->dimension->hierarchies[in->hierarchy].levels[in->level];
    return vc_numbers_get(level->leaf_members, leaf) == member &&
           (outer->visible == NULL || vc_bit_get(outer->visible, leaf));
}

static uint32_t code_of(const vc_property *property, uint32_t leaf)
{
    const vc_attribute *attribute = property->attribute;
    if (property->tuples != NULL)
        leaf = vc_tuples_leaf(property->tuples, property->component, leaf);
    if (attribute->hierarchy >= 0)
        leaf = vc_numbers_get(
            property->of->hierarchies[attribute->hierarchy].levels[attribute->level].leaf_members,
            leaf);
    return vc_numbers_get(attribute->codes, leaf);
}

/* Is (leaf of the dimension, joined leaf) a pair? */
static bool is_pair(const struct asked *in, uint32_t leaf, uint32_t joined)
{
    const vc_relation *relation = in->property->relation;
    const vc_dimension *dimension = in->cube->dimensions[in->property->cube_dimension].dimension;
    uint32_t unit =
        relation->level < 0
            ? leaf
            : vc_numbers_get(
                  dimension->hierarchies[relation->hierarchy].levels[relation->level].leaf_members,
                  leaf);
    const uint32_t *units;
    size_t nunits = vc_relation_units(relation, joined, &units);
    for (size_t i = 0; i < nunits; i++)
        if (units[i] == unit) return true;
    return false;
}

/* has [values of the attribute] */
static void expect(const struct asked *in, uint32_t member, bool *has)
{
    const vc_property *property = in->property;
    const vc_cube_dimension *outer = &in->cube->dimensions[property->cube_dimension];
    uint32_t nleaves = outer->dimension->nleaves;
    memset(has, 0, property->attribute->values.count + 1);
    for (uint32_t leaf = 0; leaf < nleaves; leaf++) {
        if (!is_under(in, leaf, member)) continue;
        if (property->relation == NULL && code_of(property, leaf) != VC_NONE)
            has[code_of(property, leaf)] = true;
        for (uint32_t q = 0; property->relation != NULL && q < property->relation->nleaves; q++)
            if (code_of(property, q) != VC_NONE && is_pair(in, leaf, q))
                has[code_of(property, q)] = true;
    }
}

static unsigned compare(const struct asked *in, unsigned long long seed)
{
    vc_arena arena = {0};
    vc_property_members members;
    vc_property_values values;
    uint32_t *places;
    vc_error error = {0};
    unsigned nmulti = 0;
    vc_member_ref *refs = VC_ARENA_NEW(&arena, vc_member_ref, in->nmembers + 1);
    bool *has = VC_ARENA_NEW(&arena, bool, in->property->attribute->values.count + 1);
    for (uint32_t m = 0; m < in->nmembers; m++)
        refs[m] = (vc_member_ref){.level = in->level, .member = m};
    cr_assert_eq(vc_property_place(in->cube, in->property->cube_dimension, in->hierarchy, refs,
                                   in->nmembers, &arena, &members, &places, &error),
                 VC_OK);
    cr_assert_eq(
        vc_property_read(in->cube, in->property, &members, 1000000, &arena, &values, &error), VC_OK,
        "%s", error.message);
    for (uint32_t m = 0; m < in->nmembers; m++) {
        uint32_t at = values.offsets[m];
        expect(in, m, has);
        for (uint32_t code = 0; code < in->property->attribute->values.count; code++) {
            if (!has[code]) continue;
            cr_assert(at < values.offsets[m + 1] && values.codes[at] == code,
                      "seed %llu: %.*s of member %u misses value %u", seed,
                      VC_FMT(in->property->asked), m, code);
            at++;
        }
        cr_assert_eq(at, values.offsets[m + 1], "seed %llu: %.*s of member %u has more", seed,
                     VC_FMT(in->property->asked), m);
        nmulti += values.offsets[m + 1] - values.offsets[m] > 1;
    }
    cr_assert_eq(values.is_multi, nmulti > 0);
    vc_arena_release(&arena);
    return nmulti;
}

/* All levels of the dimension. Returns members that have several values. */
static unsigned compare_levels(const vc_cube *cube, const vc_property *property,
                               unsigned long long seed)
{
    unsigned nmulti = 0;
    const vc_dimension *dimension = cube->dimensions[property->cube_dimension].dimension;
    for (unsigned h = 0; h < dimension->nhierarchies; h++)
        for (unsigned l = 0; l < dimension->hierarchies[h].nlevels; l++)
            nmulti += compare(
                &(struct asked){cube, property, h, l, dimension->hierarchies[h].levels[l].nmembers},
                seed);
    return nmulti;
}

static unsigned compare_dimension(const vc_cube *cube, size_t number, unsigned long long seed)
{
    vc_arena arena = {0};
    const vc_property *joined;
    size_t njoined;
    unsigned nmulti = 0;
    const vc_dimension *dimension = cube->dimensions[number].dimension;
    cr_assert_eq(vc_property_list(cube, number, &arena, &joined, &njoined, NULL), VC_OK);
    for (size_t i = 0; i < njoined; i++)
        nmulti += compare_levels(cube, &joined[i], seed);
    for (unsigned a = 0; a < dimension->nattributes; a++) {
        vc_property own = {.asked = dimension->attributes[a].name,
                           .cube_dimension = number,
                           .of = dimension,
                           .attribute = &dimension->attributes[a]};
        nmulti += compare_levels(cube, &own, seed);
    }
    vc_arena_release(&arena);
    return nmulti;
}

Test(property, is_what_leaves_say, .timeout = 600)
{
    unsigned nrounds = random_setting("VCUBE_ROUNDS", 240) / 4, nmulti = 0;
    uint64_t first = random_setting("VCUBE_SEED", 1);
    for (unsigned i = 0; i < nrounds; i++) {
        struct world world;
        struct fixture fixture = {0};
        const vc_cube *cube;
        vc_error error = {0};
        uint64_t seed = first + 90000 + i;
        fixture_open(&fixture);
        world_make(&world, seed, 60);
        world_write(&world, fixture.path, false);
        if (fixture_load(&fixture, false, &error) == VC_OK &&
            vc_model_cube(fixture.model, VC_STR("v"), &cube, &error) == VC_OK)
            for (size_t d = 0; d < cube->ndimensions; d++)
                nmulti += compare_dimension(cube, d, (unsigned long long)seed);
        fixture_close(&fixture);
        world_release(&world);
    }
    cr_assert_gt(nmulti, 0);
}

/* More values than fit an answer are refused, not cut: three members have two each. */
Test(property, limit)
{
    struct fixture fixture = {0};
    fixture_open(&fixture);
    fixture_write(&fixture, "facts.csv",
                  "a,b,code,x\np,1,u,1\np,2,v,1\nq,1,u,1\nq,2,w,1\nr,1,v,1\nr,2,w,1\n");
    fixture_write(
        &fixture, "c.json",
        "{\"name\": \"c\", \"kind\": \"source\", \"data\": {\"csv\": \"facts.csv\"},"
        "\"dimensions\": [{\"name\": \"d\", \"levels\": [\"a\", \"b\"], \"attributes\": "
        "[\"code\"]}], \"measures\": [{\"name\": \"x\", \"type\": \"int\", \"aggregator\": "
        "\"sum\"}]}");
    fixture_need_load(&fixture, false);
    vc_axis_ref axis = {.dimref = {.dimension = VC_STR("d")}};
    vc_name_ref property = {.name = VC_STR("code"), .place = {.where = "properties"}};
    vc_measure_ref measure = {.name = VC_STR("x")};
    vc_query query = vc_query_default();
    query.cube = VC_STR("c");
    query.axes = &axis;
    query.properties = &property;
    query.measures = &measure;
    query.naxes = query.nproperties = query.nmeasures = 1;
    for (uint64_t limit = 3; limit <= 6; limit++) {
        vc_engine_options options = {.limits = {.max_cells = limit}};
        vc_error error = {0};
        const vc_result *result;
        vc_status status =
            vc_engine_run(fixture.model, &query, &options, &fixture.arena, &result, &error);
        cr_assert_eq(status, limit < 6 ? VC_LIMIT : VC_OK, "%llu", (unsigned long long)limit);
        if (limit < 6) cr_assert_str_eq(error.code, "limit_cells");
    }
    fixture_close(&fixture);
}
