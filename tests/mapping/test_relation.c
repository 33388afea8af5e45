#include "mapping/relation_parts.h"

#include "base/buffer.h"
#include "dimensions/builder.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- dimensions and relations from text ---- */

/* Leaves `id` under groups; attributes of the leaf `code` and `kind`, of the group `top`. The index
 * `main` holds the codes of leaves of kind x only. */
struct table {
    vc_dimension_builder *builder;
    vc_buffer image;
    vc_arena arena;
    const vc_dimension *dimension;
};

#define TEXT(literal)                                                                              \
    {                                                                                              \
        .data = (literal), .size = sizeof(literal) - 1                                             \
    }

static const vc_str columns[] = {TEXT("id"), TEXT("group"), TEXT("code"), TEXT("kind"),
                                 TEXT("top")};
static const vc_level_spec levels[] = {
    {TEXT("group"), TEXT("group"), 1, -1, -1, VC_KEY_TEXT, VC_SKIP_NEVER},
    {TEXT("leaf"), TEXT("leaf"), 0, -1, -1, VC_KEY_TEXT, VC_SKIP_NEVER}};
static const vc_hierarchy_spec hierarchies[] = {
    {.name = TEXT("std"), .label = TEXT("std"), .nlevels = 2, .levels = levels}};
static const vc_attribute_spec attributes[] = {
    {TEXT("code"), 2, -1, -1}, {TEXT("kind"), 3, -1, -1}, {TEXT("top"), 4, 0, 0}};
static const vc_str main_kinds[] = {TEXT("x")};
static const vc_index_spec indexes[] = {{.name = TEXT("main"),
                                         .attribute = TEXT("code"),
                                         .has_where = true,
                                         .where_attribute = TEXT("kind"),
                                         .where_values = main_kinds,
                                         .nwhere_values = 1}};
static const vc_dimension_spec spec = {.name = TEXT("d"),
                                       .label = TEXT("d"),
                                       .ncolumns = 5,
                                       .column_names = columns,
                                       .key_column = 0,
                                       .nhierarchies = 1,
                                       .hierarchies = hierarchies,
                                       .nattributes = 3,
                                       .attributes = attributes,
                                       .nindexes = 1,
                                       .indexes = indexes};

/* Lines of "id/group/code/kind/top"; "~" is null. */
static void build(struct table *table, const char *lines)
{
    vc_error error = {0};
    vc_str rest = vc_str_of(lines);
    const uint32_t *leaf_of_row;
    vc_dimension_report report;
    *table = (struct table){0};
    cr_assert_eq(vc_dimension_builder_new(&spec, NULL, &table->builder, &error), VC_OK, "%s",
                 error.message);
    while (rest.size > 0) {
        vc_str line = vc_str_split(&rest, '\n'), cells[5];
        uint32_t row;
        for (int c = 0; c < 5; c++) {
            cells[c] = vc_str_split(&line, '/');
            if (vc_str_is(cells[c], "~") || cells[c].data == NULL) cells[c] = (vc_str){0};
        }
        cr_assert_eq(vc_dimension_builder_add(table->builder, cells, &row, &error), VC_OK, "%s",
                     error.message);
    }
    cr_assert_eq(
        vc_dimension_builder_finish(table->builder, &table->image, &leaf_of_row, &report, &error),
        VC_OK, "%s", error.message);
    cr_assert_eq(vc_dimension_open((vc_str){table->image.data, table->image.size}, &table->arena,
                                   &table->dimension, &error),
                 VC_OK, "%s", error.message);
}

static void release(struct table *table)
{
    vc_dimension_builder_free(table->builder);
    vc_buffer_release(&table->image);
    vc_arena_release(&table->arena);
}

static vc_normalizer *new_steps(const char *steps)
{
    vc_normalizer *normalizer;
    vc_error error = {0};
    if (steps == NULL) return NULL;
    json_t *json = json_loads(steps, 0, NULL);
    cr_assert_eq(vc_normalizer_parse(json, NULL, &normalizer, &error), VC_OK, "%s", error.message);
    json_decref(json);
    return normalizer;
}

struct joining { /* a join, and what came of it */
    struct table primary, joined;
    vc_arena arena;
    vc_normalizer *normalizer; /* of both sides; NULL: none */
    const vc_relation *relation;
};

static void open_tables(struct joining *join, const char *primary, const char *joined)
{
    *join = (struct joining){0};
    build(&join->primary, primary);
    build(&join->joined, joined);
}

/* pairs  "code=code group=top": indexes of the primary and of the joined side */
static void resolve(struct joining *join, const char *pairs)
{
    vc_relation_pair list[4] = {0};
    vc_error error = {0};
    vc_str rest = vc_str_of(pairs);
    size_t npairs = 0;
    while (rest.size > 0) {
        vc_str to = vc_str_split(&rest, ' '), from = vc_str_split(&to, '=');
        vc_relation_pair *pair = &list[npairs++];
        cr_assert_eq(vc_dimension_find_index(join->primary.dimension, from, &pair->from, &error),
                     VC_OK, "%s", error.message);
        cr_assert_eq(vc_dimension_find_index(join->joined.dimension, to, &pair->to, &error), VC_OK,
                     "%s", error.message);
        pair->normalize_from = pair->normalize_to = join->normalizer;
    }
    cr_assert_eq(vc_relation_resolve(join->primary.dimension, join->joined.dimension, list, npairs,
                                     &join->arena, &join->relation, &error),
                 VC_OK, "%s", error.message);
}

static void close_tables(struct joining *join)
{
    vc_normalizer_free(join->normalizer);
    vc_arena_release(&join->arena);
    release(&join->primary);
    release(&join->joined);
}

static vc_str unit_text(const struct joining *join, uint32_t unit)
{
    const vc_relation *relation = join->relation;
    const vc_dimension *primary = join->primary.dimension;
    if (relation->level < 0) return vc_texts_get(&primary->leaf_keys, unit);
    return vc_texts_get(&primary->hierarchies[relation->hierarchy].levels[relation->level].keys,
                        unit);
}

/* "p>A,B q> r>A": each joined leaf and its units; "!" behind one that is excluded. */
static const char *relation_text(struct joining *join)
{
    vc_buffer text = {0};
    for (uint32_t leaf = 0; leaf < join->relation->nleaves; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(join->relation, leaf, &units);
        vc_str key = vc_texts_get(&join->joined.dimension->leaf_keys, leaf);
        vc_buffer_printf(&text, "%s%.*s%s>", leaf > 0 ? " " : "", VC_FMT(key),
                         join->relation->fates[leaf] == VC_FATE_EXCLUDED ? "!" : "");
        cr_assert_eq(join->relation->fates[leaf] == VC_FATE_MATCHED, nunits > 0);
        for (size_t i = 0; i < nunits; i++) {
            vc_str unit = unit_text(join, units[i]);
            vc_buffer_printf(&text, "%s%.*s", i > 0 ? "," : "", VC_FMT(unit));
        }
    }
    vc_str kept = vc_arena_str(&join->arena, vc_str_of(vc_buffer_text(&text)));
    vc_buffer_release(&text);
    return kept.data;
}

/* "key 2 why; ~ 1 why": what did not match; "!" behind a key that is excluded. */
static const char *unmatched_text(struct joining *join)
{
    vc_buffer text = {0};
    for (size_t i = 0; i < join->relation->nunmatched; i++) {
        const vc_unmatched_key *key = &join->relation->unmatched[i];
        vc_str name = key->key.data == NULL ? VC_STR("~") : key->key;
        vc_buffer_printf(&text, "%s%.*s%s %u %s", i > 0 ? "; " : "", VC_FMT(name),
                         key->is_excluded ? "!" : "", key->nleaves, key->why);
    }
    vc_str kept = vc_arena_str(&join->arena, vc_str_of(vc_buffer_text(&text)));
    vc_buffer_release(&text);
    return kept.data;
}

/* What a relation says of itself is what its pairs say. */
static void check_counts(const vc_relation *relation)
{
    unsigned *nleaves = calloc((size_t)relation->nunits + 1, sizeof *nleaves);
    vc_coverage counted = {.keys = relation->coverage.keys,
                           .keys_matched = relation->coverage.keys_matched,
                           .members = relation->nleaves,
                           .primary_members = relation->nunits};
    bool has_fanout = false, has_unit_fanin = false;
    cr_assert_not_null(nleaves);
    for (uint32_t leaf = 0; leaf < relation->nleaves; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, leaf, &units);
        counted.members_matched += nunits > 0;
        counted.excluded += relation->fates[leaf] == VC_FATE_EXCLUDED;
        has_fanout |= nunits > 1;
        for (size_t i = 0; i < nunits; i++)
            has_unit_fanin |= ++nleaves[units[i]] > 1;
    }
    for (uint32_t unit = 0; unit < relation->nunits; unit++)
        counted.primary_matched += nleaves[unit] > 0;
    cr_assert_arr_eq(&counted, &relation->coverage, sizeof counted);
    cr_assert_eq(relation->has_fanout, has_fanout);
    cr_assert_eq(relation->has_unit_fanin, has_unit_fanin);
    cr_assert_eq(relation->units == NULL, has_fanout, "one array where that is enough");
    cr_assert_eq(relation->offsets != NULL, has_fanout);
    free(nleaves);
}

/* ---- joins and what comes of them ---- */

struct join_case {
    char why[80];
    char primary[64], joined[96]; /* as build() has them */
    char steps[96], pairs[32];    /* as resolve() has them; "": none */
    char relation[40], unmatched[104];
    unsigned nkeys_matched, nkeys, ncollisions;
    int level; /* of the units; -1: leaves */
};

#define SPLIT  "[{\"split\": \",\"}]"
#define ALPHA3 "[{\"codelist\": {\"list\": \"iso3166-1\", \"to\": \"alpha3\"}}]"
#define NONE   "no such key in the primary"

ParameterizedTestParameters(relation, resolve)
{
    static struct join_case cases[] = {
        {"one array, nulls and empty keys in no pair", "A/g/1\nB/g/2\nC/h/3",
         "p/g/2\nq/g/1\nr/g/2\ns/g/9\nt/g/~\nu/g/", "", "code=code", "p>B q>A r>B s> t> u>",
         "9 1 " NONE "; ~ 2 empty key", 2, 3, 0, -1},
        {"several members of the primary per key, ascending", "A/g/1\nB/g/2\nC/h/1\nD/h/1",
         "p/g/2\nq/g/1\nr/g/9\ns/g/1", "", "code=code", "p>B q>A,C,D r> s>A,C,D", "9 1 " NONE, 2, 3,
         0, -1},
        {"nulls of both sides are not each other's; a blank is a key", "A/g/~\nB/g/\nC/g/ ",
         "p/g/~\nq/g/\nr/g/ ", "", "code=code", "p> q> r>C", "~ 2 empty key", 1, 1, 0, -1},
        {"until it is trimmed", "A/g/ ", "p/g/ ", "[\"trim\"]", "code=code", "p>", "  1 empty key",
         0, 1, 0, -1},
        {"by leaf keys", "A/g\nB/g\nC/h", "C/x\nB/x\nZ/y", "", "", "B>B C>C Z>", "Z 1 " NONE, 2, 3,
         0, -1},
        {"an empty primary", "", "p/g/1", "", "code=code", "p>", "1 1 " NONE, 0, 1, 0, -1},
        {"nothing to join", "A/g/1", "", "", "code=code", "", "", 0, 0, 0, -1},

        {"all components agree; with a null one the tuple matches nothing",
         "A/g/1/x\nB/g/1/y\nC/h/2/x\nD/h/~/x",
         "p/g/1/x\nq/g/1/y\nr/g/2/y\ns/g/1/~\nt/g/~/x\nu/g/1/y", "", "code=code kind=kind",
         "p>A q>B r> s> t> u>B", "2, y 1 " NONE "; ~ 1 empty key; ~ 1 empty key", 2, 3, 0, -1},
        {"(1, 23) is not (12, 3), however they are put together", "A/g/1/23\nB/g/12/3\nC/g/1, 2/3",
         "p/g/12/3\nq/g/1/2, 3\nr/g/1/23", "", "code=code kind=kind", "p>B q> r>A",
         "1, 2, 3 1 " NONE, 2, 3, 0, -1},
        {"every combination of split components is a key", "A/g/1,2/x,y\nB/g/3/x",
         "p/g/2/y\nq/g/1/x\nr/g/3/y\ns/g/3,1/x", SPLIT, "code=code kind=kind", "p>A q>A r> s>A,B",
         "3, y 1 " NONE, 3, 4, 2, -1},

        {"an index on a level makes its members the units", "A/g/1/x/T\nB/g/2/x/T\nC/h/3/x/U",
         "p/1/h\nq/1/g\nr/1/z", "", "group=code", "p>h q>g r>", "z 1 " NONE, 2, 3, 0, 0},
        {"an attribute of the level stands there, too", "A/g/1/x/T\nB/g/2/x/T\nC/h/3/x/U",
         "p/1/U\nq/1/T", "", "top=code", "p>h q>g", "", 2, 2, 0, 0},
        {"on the joined side a level gives its key to the leaves below", "A/g/1\nB/g/2",
         "p/2\nq/1\nr/1", "", "code=group", "q>A r>A p>B", "", 2, 2, 0, -1},
        {"components of the leaf and of a level meet at the leaf", "A/g/1\nB/g/2\nC/h/1",
         "p/1/g\nq/1/h\nr/2/h", "", "code=group group=code", "p>A q>C r>", "2, h 1 " NONE, 2, 3, 0,
         -1},
        {"components of two levels meet at the lower one", "A/g/1\nB/g/2\nC/h/1",
         "p/x/g/A\nq/x/h/A\nr/x/h/C", "", "group=code leaf=kind", "p>A q> r>C", "h, A 1 " NONE, 2,
         3, 0, 1},
        {"in whichever order they are given", "A/g/1\nB/g/2\nC/h/1", "p/x/g/A\nq/x/h/A\nr/x/h/C",
         "", "leaf=kind group=code", "p>A q> r>C", "A, h 1 " NONE, 2, 3, 0, 1},

        {"keys that only normalising makes equal collide, and are counted as found", "A/g/1",
         "p/g/1\nq/g/ 1\nr/g/1 \ns/g/2\nt/g/2", "[\"trim\"]", "code=code", "p>A q>A r>A s> t>",
         "2 2 " NONE, 3, 4, 2, -1},
        {"two keys of one value that lead to one member are one pair", "A/g/1\nB/g/2,1\nC/g/3",
         "p/g/1,2\nq/g/4,3\nr/g/,", SPLIT, "code=code", "p>A,B q>C r>", ", 1 empty key", 2, 3, 0,
         -1},
        {"aggregates are out of everything; an unknown code matches no equal text",
         "A/g/FRA\nB/g/-99\nC/g/OWID_WRL", "p/g/fr\nq/g/OWID_WRL\nr/g/-99\ns/g/ZZ\nt/g/OWID_WRL",
         ALPHA3, "code=code", "p>A q!> r> s> t!>",
         "-99 1 unknown code; OWID_WRL! 2 an aggregate, not a member; ZZ 1 unknown code", 1, 4, 0,
         -1},
        {"a partial index leaves the others out", "A/g/1/x\nB/g/1/y\nC/g/2/y",
         "p/g/1/x\nq/g/1/y\nr/g/2/x", "", "main=main", "p>A q> r>",
         "2 1 " NONE "; ~ 1 " VC_NOT_IN_INDEX, 1, 2, 0, -1},
    };
    return cr_make_param_array(struct join_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct join_case *c, relation, resolve)
{
    struct joining join;
    open_tables(&join, c->primary, c->joined);
    join.normalizer = new_steps(c->steps[0] == '\0' ? NULL : c->steps);
    resolve(&join, c->pairs);
    cr_assert_str_eq(relation_text(&join), c->relation, "%s", c->why);
    cr_assert_str_eq(unmatched_text(&join), c->unmatched, "%s", c->why);
    cr_assert_eq(join.relation->coverage.keys_matched, c->nkeys_matched, "%s", c->why);
    cr_assert_eq(join.relation->coverage.keys, c->nkeys, "%s", c->why);
    cr_assert_eq(join.relation->joined_collisions.count, c->ncollisions, "%s", c->why);
    cr_assert_eq(join.relation->level, c->level, "%s", c->why);
    check_counts(join.relation);
    close_tables(&join);
}

/* ---- beside a slow way ---- */

static uint64_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void make_lines(uint64_t *state, unsigned n, char name, vc_buffer *out)
{
    static const char *const codes[] = {"1", "2", "3", "4", "5", "~", "", "6"};
    for (unsigned i = 0; i < n; i++)
        vc_buffer_printf(out, "%s%c%u/g%u/%s/%s", i > 0 ? "\n" : "", name, i,
                         (unsigned)(next(state) % 3), codes[next(state) % 8],
                         codes[next(state) % 6]);
}

static vc_str value_at(const vc_dimension *dimension, const char *attribute, uint32_t leaf)
{
    const vc_attribute *found = vc_dimension_find_attribute(dimension, vc_str_of(attribute));
    uint32_t code = vc_numbers_get(found->codes, leaf);
    return code == VC_NONE ? (vc_str){0} : vc_texts_get(&found->values, code);
}

static bool agree(const struct joining *join, const char *attribute, uint32_t p, uint32_t q)
{
    vc_str a = value_at(join->primary.dimension, attribute, p);
    vc_str b = value_at(join->joined.dimension, attribute, q);
    return a.size > 0 && vc_str_equal(a, b);
}

Test(relation, like_two_loops)
{
    uint64_t state = 3;
    for (int round = 0; round < 300; round++) {
        struct joining join;
        vc_buffer primary = {0}, joined = {0};
        bool is_composite = round % 2 == 1;
        make_lines(&state, (unsigned)(next(&state) % 20), 'p', &primary);
        make_lines(&state, (unsigned)(next(&state) % 40), 'q', &joined);
        open_tables(&join, vc_buffer_text(&primary), vc_buffer_text(&joined));
        resolve(&join, is_composite ? "code=code kind=kind" : "code=code");
        for (uint32_t q = 0; q < join.relation->nleaves; q++) {
            const uint32_t *units;
            size_t nunits = vc_relation_units(join.relation, q, &units), found = 0;
            for (uint32_t p = 0; p < join.primary.dimension->nleaves; p++) {
                if (!agree(&join, "code", p, q)) continue;
                if (is_composite && !agree(&join, "kind", p, q)) continue;
                cr_assert_lt(found, nunits);
                cr_assert_eq(units[found++], p, "round %d", round);
            }
            cr_assert_eq(found, nunits, "round %d", round);
        }
        vc_buffer_release(&primary);
        vc_buffer_release(&joined);
        close_tables(&join);
    }
}

/* ---- one key per value, beside any join ---- */

/* Texts that are prefixes of each other, differ in case or blanks only, hold bytes above 127, and
 * are codes of countries, some withdrawn or unknown, and an aggregate. */
static void put_text(uint64_t *state, vc_buffer *out)
{
    static const char *const parts[] = {"a", "A", "b", "0",  "1",   "12", "\xC3\xA9",
                                        " ", "E", "Z", "FR", "fra", "DE", "\xE4\xB8\xAD"};
    static const char *const codes[] = {"FR", "FRA", "250", "de", "DD", "YU", "WLD", "ZZ", "XK"};
    if (next(state) % 4 == 0) {
        vc_buffer_printf(out, "%s", codes[next(state) % 9]);
        return;
    }
    for (uint64_t n = next(state) % 4; n > 0; n--)
        vc_buffer_printf(out, "%s", parts[next(state) % 14]);
}

static void make_texts(uint64_t *state, unsigned n, vc_buffer *out)
{
    vc_buffer groups[4] = {{0}};
    for (int g = 0; g < 4; g++) {
        vc_buffer_printf(&groups[g], "%d", g); /* so that they differ */
        put_text(state, &groups[g]);
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned group = (unsigned)(next(state) % 4);
        vc_buffer_printf(out, "%s", i > 0 ? "\n" : "");
        put_text(state, out);
        vc_buffer_printf(out, "%03u/%s/", i, vc_buffer_text(&groups[group]));
        put_text(state, out);
        vc_buffer_printf(out, "/%s/%s", next(state) % 2 == 0 ? "x" : "y",
                         group == 3 ? "~" : vc_buffer_text(&groups[group / 2]) + 1);
    }
    for (int g = 0; g < 4; g++)
        vc_buffer_release(&groups[g]);
}

static void check_same_collisions(const vc_collisions *a, const vc_collisions *b, int round)
{
    cr_assert_eq(a->count, b->count, "round %d", round);
    cr_assert_eq(a->nlisted, b->nlisted, "round %d", round);
    for (size_t i = 0; i < a->nlisted; i++) {
        cr_assert(vc_str_equal(a->listed[i].key, b->listed[i].key), "round %d", round);
        cr_assert_eq(a->listed[i].nfound, b->listed[i].nfound, "round %d", round);
        for (uint32_t k = 0; k < a->listed[i].nfound && k < VC_COLLISION_KEYS; k++)
            cr_assert(vc_str_equal(a->listed[i].found[k], b->listed[i].found[k]), "round %d",
                      round);
    }
}

static void check_same(const vc_relation *a, const vc_relation *b, int round)
{
    cr_assert_eq(a->nleaves, b->nleaves);
    cr_assert_eq(a->nunits, b->nunits);
    cr_assert_eq(a->hierarchy, b->hierarchy);
    cr_assert_eq(a->level, b->level);
    cr_assert_eq(a->units == NULL, b->units == NULL, "round %d", round);
    cr_assert_eq(a->offsets == NULL, b->offsets == NULL, "round %d", round);
    cr_assert_eq(a->has_fanout, b->has_fanout, "round %d", round);
    cr_assert_eq(a->has_unit_fanin, b->has_unit_fanin, "round %d", round);
    check_same_collisions(&a->joined_collisions, &b->joined_collisions, round);
    check_same_collisions(&a->primary_collisions, &b->primary_collisions, round);
    cr_assert_eq(a->primary_duplicates, b->primary_duplicates, "round %d", round);
    cr_assert_arr_eq(&a->coverage, &b->coverage, sizeof a->coverage, "round %d", round);
    cr_assert_arr_eq(a->fates, b->fates, a->nleaves, "round %d", round);
    for (uint32_t leaf = 0; leaf < a->nleaves; leaf++) {
        const uint32_t *of_a, *of_b;
        size_t nunits = vc_relation_units(a, leaf, &of_a);
        cr_assert_eq(nunits, vc_relation_units(b, leaf, &of_b), "round %d", round);
        for (size_t i = 0; i < nunits; i++)
            cr_assert_eq(of_a[i], of_b[i], "round %d", round);
        if (a->units != NULL) cr_assert_eq(a->units[leaf], b->units[leaf]);
    }
    cr_assert_eq(a->nunmatched, b->nunmatched, "round %d", round);
    for (size_t i = 0; i < a->nunmatched; i++) {
        const vc_unmatched_key *key = &a->unmatched[i], *other = &b->unmatched[i];
        cr_assert(vc_str_equal(key->key, other->key), "round %d: '%.*s', '%.*s'", round,
                  VC_FMT(key->key), VC_FMT(other->key));
        cr_assert_eq(key->leaf, other->leaf, "round %d", round);
        cr_assert_eq(key->nleaves, other->nleaves, "round %d", round);
        cr_assert_str_eq(key->why, other->why, "round %d", round);
        cr_assert_eq(key->is_excluded, other->is_excluded, "round %d", round);
    }
}

struct collision_case {
    char why[64], primary[96], joined[96], steps[96], pairs[32];
    char of_joined[96], of_primary[96]; /* as people read them */
    unsigned njoined, nprimary, nduplicates;
};

ParameterizedTestParameters(relation, collisions)
{
    static struct collision_case cases[] = {
        {"members that share a key as found are no collision", "A/g/1\nB/g/1\nC/g/2",
         "p/g/1\nq/g/1", "[\"casefold\"]", "code=code", "", "", 0, 0, 1},
        {"keys in order: blanks", "A/g/1\nB/g/2", "p/g/1\nq/g/1 \nr/g/2", "[\"trim\"]", "code=code",
         "'1' and '1 ' (1)", "", 1, 0, 0},
        {"keys in another order: case, on both sides", "A/g/fr\nB/g/FR\nC/g/DE",
         "p/g/Fr\nq/g/DE\nr/g/fR\ns/g/de", "[\"casefold\"]", "code=code",
         "'DE' and 'de' (de), 'Fr' and 'fR' (fr)", "'FR' and 'fr' (fr)", 2, 1, 0},
        {"beside true duplicates", "A/g/fr\nB/g/FR\nC/g/FR\nD/g/DE", "p/g/FR", "[\"casefold\"]",
         "code=code", "", "'FR' and 'fr' (fr)", 0, 1, 1},
        {"also among keys that match nothing", "A/g/x", "p/g/y\nq/g/Y\nr/g/z", "[\"casefold\"]",
         "code=code", "'Y' and 'y' (y)", "", 1, 0, 0},
        {"what is no key collides with nothing", "A/g/FRA", "p/g/WLD\nq/g/wld\nr/g/??\ns/g/ ",
         "[{\"codelist\": {\"list\": \"iso3166-1\", \"to\": \"alpha3\"}}]", "code=code", "", "", 0,
         0, 0},
        {"more than four", "A/g/1", "p/g/1\nq/g/ 1\nr/g/1 \ns/g/ 1 \nt/g/  1\nu/g/1  ",
         "[\"trim\"]", "code=code", "'  1' and ' 1' and ' 1 ' and '1' and 2 more (1)", "", 5, 0, 0},
        {"of a composite key, component by component", "A/g/1/x\nB/g/1/X\nC/g/1/X",
         "p/g/1/x\nq/g/1 /x", "[\"trim\", \"casefold\"]", "code=code kind=kind", "'1' and '1 ' (1)",
         "'X' and 'x' (x)", 1, 1, 1},
    };
    return cr_make_param_array(struct collision_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct collision_case *c, relation, collisions)
{
    struct joining join;
    open_tables(&join, c->primary, c->joined);
    join.normalizer = new_steps(c->steps);
    resolve(&join, c->pairs);
    const vc_relation *relation = join.relation;
    vc_str joined = vc_collisions_text(&relation->joined_collisions, &join.arena);
    vc_str primary = vc_collisions_text(&relation->primary_collisions, &join.arena);
    cr_assert(vc_str_is(joined, c->of_joined), "%s: %.*s", c->why, VC_FMT(joined));
    cr_assert(vc_str_is(primary, c->of_primary), "%s: %.*s", c->why, VC_FMT(primary));
    cr_assert_eq(relation->joined_collisions.count, c->njoined, "%s", c->why);
    cr_assert_eq(relation->primary_collisions.count, c->nprimary, "%s", c->why);
    cr_assert_eq(relation->primary_duplicates, c->nduplicates, "%s", c->why);
    close_tables(&join);
}

/* Merged, hashed, or neither: whatever the steps do to the order, the relation is the same one to
 * the last reason. */
Test(relation, single_like_any)
{
    static const char *const steps[] = {
        NULL,
        "[]",
        "[{\"pad_left\": {\"width\": 3, \"fill\": \"0\"}}]",
        "[\"trim\", \"casefold\"]",
        "[{\"strip_prefix\": \"a\"}]",
        "[\"nfc\", \"collapse_space\"]",
        "[{\"split\": \"1\"}]",
        "[{\"codelist\": {\"list\": \"iso3166-1\", \"to\": \"alpha3\"}}]",
        "[{\"codelist\": {\"list\": \"iso3166-1\", \"to\": \"alpha3\", \"withdrawn\": "
        "\"successor\", \"aggregates\": \"bucket\"}}]"};
    static const char *const names[] = {"code", "code", "id", "group", "leaf", "main", "top"};
    uint64_t state = 11;
    unsigned nsingle = 0, ncollided = 0, nprimary = 0, nexcluded = 0, nfanned = 0, nmatched = 0;
    for (int round = 0; round < 3000; round++) {
        struct joining join;
        vc_buffer primary = {0}, joined = {0};
        vc_relation single, any;
        bool is_single;
        vc_error error = {0};
        unsigned nmost = round % 10 == 0 ? 300 : 30;
        make_texts(&state, (unsigned)(next(&state) % nmost), &primary);
        make_texts(&state, (unsigned)(next(&state) % nmost), &joined);
        open_tables(&join, vc_buffer_text(&primary), vc_buffer_text(&joined));
        uint64_t first = next(&state) % 9, second = next(&state) % 9;
        vc_normalizer *from = new_steps(steps[first]);
        vc_normalizer *to = new_steps(steps[round % 2 == 0 ? first : second]);
        vc_relation_pair pair = {.normalize_from = from, .normalize_to = to};
        cr_assert_eq(vc_dimension_find_index(join.primary.dimension,
                                             vc_str_of(names[next(&state) % 7]), &pair.from,
                                             &error),
                     VC_OK);
        cr_assert_eq(vc_dimension_find_index(join.joined.dimension,
                                             vc_str_of(names[next(&state) % 7]), &pair.to, &error),
                     VC_OK);
        cr_assert_eq(vc_relation_resolve_single(join.primary.dimension, join.joined.dimension,
                                                &pair, &join.arena, &is_single, &single, &error),
                     VC_OK);
        cr_assert_eq(vc_relation_resolve_any(join.primary.dimension, join.joined.dimension, &pair,
                                             1, NULL, false, &join.arena, &any, &error),
                     VC_OK);
        if (is_single) {
            check_same(&single, &any, round);
            nsingle++;
            ncollided += any.joined_collisions.count > 0;
            nprimary += any.primary_collisions.count > 0;
            nexcluded += any.coverage.excluded > 0;
            nfanned += any.has_fanout;
            nmatched += any.coverage.members_matched > 0;
        }
        vc_normalizer_free(from);
        vc_normalizer_free(to);
        vc_buffer_release(&primary);
        vc_buffer_release(&joined);
        close_tables(&join);
    }
    /* The rounds are of every kind. */
    cr_assert(nsingle > 2000 && ncollided > 100 && nprimary > 100 && nexcluded > 100 &&
                  nfanned > 100 && nmatched > 300,
              "%u single, %u collided, %u excluded, %u fanned, %u matched", nsingle, ncollided,
              nexcluded, nfanned, nmatched);
}

/* ---- weights ---- */

/* Two crosswalks: "left" from keys of the primary to middle keys, "right" from the joined side's.
 */
struct way {
    const char *name, *from;
    vc_crosswalk_target target;
};
static const struct way ways[] = {
    {"left", "P1", {TEXT("x"), 0.25, VC_DAY_FIRST, VC_DAY_LAST, {0}}},
    {"left", "P1", {TEXT("y"), 0.5, VC_DAY_FIRST, VC_DAY_LAST, {0}}},
    {"left", "P2", {TEXT("x"), 0.75, VC_DAY_FIRST, VC_DAY_LAST, {0}}},
    {"left", "P2", {TEXT("y"), 0.5, VC_DAY_FIRST, VC_DAY_LAST, {0}}},
    {"right", "Q1", {TEXT("x"), 0.5, VC_DAY_FIRST, VC_DAY_LAST, {0}}},
    {"right", "Q1", {TEXT("y"), 0.5, VC_DAY_FIRST, VC_DAY_LAST, {0}}},
    {"right", "Q2", {TEXT("y"), 2, VC_DAY_FIRST, VC_DAY_LAST, {0}}},
    {"right", "Q3", {TEXT("z"), 1, VC_DAY_FIRST, VC_DAY_LAST, {0}}},
};
enum { NWAYS = sizeof ways / sizeof ways[0] };

static vc_status open_way(void *context, vc_str name, const void **crosswalk_out, vc_error *error)
{
    (void)context, (void)error;
    *crosswalk_out = vc_str_is(name, "left") ? "left" : "right";
    return VC_OK;
}

static size_t find_way(const void *crosswalk, vc_str key, const vc_crosswalk_target **targets_out)
{
    static vc_crosswalk_target found[NWAYS];
    size_t count = 0;
    for (size_t i = 0; i < NWAYS; i++)
        if (strcmp(ways[i].name, crosswalk) == 0 && vc_str_is(key, ways[i].from))
            found[count++] = ways[i].target;
    *targets_out = found;
    return count;
}

static vc_normalizer *new_way(const char *step)
{
    vc_crosswalk_source source = {.open = open_way, .find = find_way};
    vc_normalizer *normalizer = NULL;
    vc_error error = {0};
    json_t *json = json_pack("[s]", step);
    cr_assert_eq(vc_normalizer_parse(json, &source, &normalizer, &error), VC_OK, "%s",
                 error.message);
    json_decref(json);
    return normalizer;
}

/* Composition multiplies, then sums over what lies between. */
Test(relation, weights_compose)
{
    struct joining join;
    vc_error error = {0};
    const vc_relation *relation;
    open_tables(&join, "p1/g/P1/x/t\np2/g/P2/x/t\np3/g/P3/x/t",
                "q1/g/Q1/x/t\nq2/g/Q2/x/t\nq3/g/Q3/x/t\nq4/g/Q1/x/t");
    vc_normalizer *from = new_way("map:left"), *to = new_way("map:right");
    vc_relation_pair pair = {.normalize_from = from, .normalize_to = to};
    vc_dimension_find_index(join.primary.dimension, VC_STR("code"), &pair.from, &error);
    vc_dimension_find_index(join.joined.dimension, VC_STR("code"), &pair.to, &error);
    cr_assert_eq(vc_relation_resolve_weighted(join.primary.dimension, join.joined.dimension, &pair,
                                              1, &join.arena, &relation, &error),
                 VC_OK);
    static const double expected[4][3] = {
        {0.375, 0.625}, {1, 1}, {0}, {0.375, 0.625}}; /* [q][p]: 0.25*0.5 + 0.5*0.5 = 0.375 */
    for (uint32_t leaf = 0; leaf < 4; leaf++) {
        const uint32_t *units;
        size_t nunits = vc_relation_units(relation, leaf, &units);
        cr_assert_eq(nunits, leaf == 2 ? 0 : 2);
        for (size_t i = 0; i < nunits; i++)
            cr_assert_eq(relation->weights[units + i - relation->targets],
                         expected[leaf][units[i]]);
    }
    cr_assert(relation->has_fanout);
    vc_normalizer_free(from);
    vc_normalizer_free(to);
    close_tables(&join);
}

/* A single partner has a weight, too; without crosswalks all are 1, and the relation is the same.
 */
Test(relation, weights_of_single_partners)
{
    struct joining join;
    vc_error error = {0};
    const vc_relation *relation, *plain;
    open_tables(&join, "p1/g/y/x/t\np2/g/w/x/t", "q1/g/Q2/x/t\nq2/g/Q3/x/t\nq3/g/y/x/t");
    vc_normalizer *to = new_way("map:right");
    vc_relation_pair pair = {.normalize_to = to};
    vc_dimension_find_index(join.primary.dimension, VC_STR("code"), &pair.from, &error);
    vc_dimension_find_index(join.joined.dimension, VC_STR("code"), &pair.to, &error);
    vc_relation_resolve_weighted(join.primary.dimension, join.joined.dimension, &pair, 1,
                                 &join.arena, &relation, &error);
    cr_assert_not_null(relation->units);
    cr_assert_eq(relation->units[0], 0);
    cr_assert_eq(relation->weights[0], 2);
    cr_assert_eq(relation->units[1], VC_NONE);
    pair.normalize_to = NULL;
    vc_relation_resolve_weighted(join.primary.dimension, join.joined.dimension, &pair, 1,
                                 &join.arena, &relation, &error);
    vc_relation_resolve(join.primary.dimension, join.joined.dimension, &pair, 1, &join.arena,
                        &plain, &error);
    check_same(relation, plain, 0);
    cr_assert_eq(relation->weights[2], 1);
    cr_assert_null(plain->weights);
    vc_normalizer_free(to);
    close_tables(&join);
}
