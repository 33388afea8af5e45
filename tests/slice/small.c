#include "tests/slice/small.h"

#include "query/parameters.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Texts of a few calls live at a time. */
static char *room(void)
{
    static char texts[64][256];
    static unsigned next;
    return texts[next++ % 64];
}

void small_make_dimension(struct small_dimension *dimension, char letter, struct random *random)
{
    *dimension = (struct small_dimension){.letter = letter};
    dimension->nleaves = 2 + random_below(random, SMALL_LEAVES - 2);
    for (unsigned leaf = 1; leaf < dimension->nleaves; leaf++)
        dimension->above[leaf] = dimension->above[leaf - 1] + random_chance(random, 40);
    dimension->nabove = dimension->above[dimension->nleaves - 1] + 1;
}

void small_write_dimension(const struct small_dimension *dimension, struct fixture *fixture)
{
    char name[16], text[1024];
    size_t at = (size_t)snprintf(text, sizeof text, "leaf,above\n");
    for (unsigned leaf = 0; leaf < dimension->nleaves; leaf++)
        at +=
            (size_t)snprintf(text + at, sizeof text - at, "%s,%s\n", small_key(dimension, 1, leaf),
                             small_key(dimension, 0, dimension->above[leaf]));
    snprintf(name, sizeof name, "%c.csv", dimension->letter);
    fixture_write(fixture, name, text);
    snprintf(text, sizeof text,
             "{\"name\": \"%c\", \"kind\": \"dimension\", \"table\": {\"csv\": \"%c.csv\"}, "
             "\"key\": \"leaf\", \"levels\": [{\"name\": \"%c_above\", \"key\": \"above\"}, "
             "{\"name\": \"%c_leaf\", \"key\": \"leaf\"}]}",
             dimension->letter, dimension->letter, dimension->letter, dimension->letter);
    snprintf(name, sizeof name, "%c.json", dimension->letter);
    fixture_write(fixture, name, text);
}

unsigned small_leaves(const struct small_dimension *dimension, unsigned level, unsigned member)
{
    unsigned bits = 0;
    for (unsigned leaf = 0; leaf < dimension->nleaves; leaf++)
        if ((level == 0 ? dimension->above[leaf] : leaf) == member) bits |= 1u << leaf;
    return bits;
}

unsigned small_all(const struct small_dimension *dimension)
{
    return (1u << dimension->nleaves) - 1;
}

unsigned small_count(const struct small_dimension *dimension, unsigned level)
{
    return level == 0 ? dimension->nabove : dimension->nleaves;
}

const char *small_key(const struct small_dimension *dimension, unsigned level, unsigned member)
{
    char *text = room();
    char letter = level == 0 ? (char)(dimension->letter - 'a' + 'A') : dimension->letter;
    snprintf(text, 256, "%c%u", letter, member);
    return text;
}

const char *small_level(const struct small_dimension *dimension, unsigned level)
{
    char *text = room();
    snprintf(text, 256, "%c_%s", dimension->letter, level == 0 ? "above" : "leaf");
    return text;
}

const char *small_cut(const struct small_dimension *dimension, struct random *random,
                      unsigned *leaves_out, bool *restricts_out)
{
    char *text = room();
    bool is_negated = random_chance(random, 25);
    unsigned nitems = 1 + random_below(random, 3), leaves = 0;
    *restricts_out = true;
    *leaves_out = small_all(dimension);
    if (random_chance(random, 6)) {
        snprintf(text, 256, "%c:()", dimension->letter);
        *restricts_out = false;
        return text;
    }
    size_t at = (size_t)snprintf(text, 256, "%s%c:", is_negated ? "!" : "", dimension->letter);
    for (unsigned i = 0; i < nitems; i++) {
        unsigned level = random_below(random, 2);
        unsigned member = random_below(random, small_count(dimension, level));
        bool has_children = level == 0 && random_chance(random, 30);
        leaves |= small_leaves(dimension, level, member);
        at +=
            (size_t)snprintf(text + at, 256 - at, "%s%s%s", i > 0 ? ";" : "",
                             small_key(dimension, level, member), has_children ? "/children" : "");
    }
    *leaves_out = is_negated ? small_all(dimension) & ~leaves : leaves;
    return text;
}

vc_query small_query(struct fixture *fixture, const char *cube, const char *parameters,
                     const char *measure)
{
    const vc_parameter *pairs;
    size_t npairs;
    vc_query query;
    vc_error error = {0};
    vc_str text = vc_arena_str(&fixture->arena, vc_str_of(parameters));
    vc_status status = vc_parameters_decode(text, &fixture->arena, &pairs, &npairs, &error);
    if (status == VC_OK)
        status = vc_parameters_parse(pairs, npairs, &fixture->arena, &query, &error);
    cr_assert_eq(status, VC_OK, "%s: %s", parameters, error.message);
    query.cube = vc_str_of(cube);
    if (measure == NULL) return query;
    vc_measure_ref *one = VC_ARENA_NEW(&fixture->arena, vc_measure_ref, 1);
    *one = (vc_measure_ref){.name = vc_str_of(measure)};
    query.measures = one;
    query.nmeasures = 1;
    return query;
}

vc_status small_ask(struct fixture *fixture, const char *cube, const char *parameters,
                    const vc_engine_options *options, const vc_result **result_out, vc_error *error)
{
    vc_query query = small_query(fixture, cube, parameters, NULL);
    return vc_engine_run(fixture->model, &query, options, &fixture->arena, result_out, error);
}

size_t small_row(const vc_result *result, const char *const *keys)
{
    for (size_t row = 0; row < result->nrows; row++) {
        bool is_same = true;
        for (size_t a = 0; a < result->naxes && is_same; a++) {
            uint32_t at = result->coords[row * result->naxes + a];
            const vc_result_axis *axis = &result->axes[a];
            is_same =
                (at == VC_NONE) == (keys[a] == NULL) &&
                (at == VC_NONE || vc_str_is(axis->members[at].keys[axis->nlevels - 1], keys[a]));
        }
        if (is_same) return row;
    }
    return SIZE_MAX;
}
