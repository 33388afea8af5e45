/* Joined members as a level ("expose_as_level"), beside an evaluator that goes through all
 * countries, towns and facts for each cell. Random countries, of which some have no town, towns of
 * none, one or several countries, all kinds of joins, cuts of all levels and their negations;
 * VCUBE_ROUNDS and VCUBE_SEED as in test_differential.c. */
#include "slice/engine.h"

#include "tests/slice/fixture.h"
#include "tests/slice/random.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNTRIES = 6, REGIONS = 2, TOWNS = 10, FACTS = 40, ITEMS = 4, LEVELS = 3 };

enum { REST = TOWNS, BUCKET = COUNTRIES }; /* slots: [country][town or REST], and of no country */

struct land {
    struct random random;
    unsigned ncountries, ntowns, nfacts;
    bool belongs[TOWNS][COUNTRIES];
    unsigned town_of[FACTS], guests[FACTS];
    int pop[COUNTRIES]; /* -1: no facts */
    const char *kind, *unmatched, *finer;
    struct fixture fixture;
};

static bool is_word(const char *word, const char *wanted)
{
    return strcmp(word, wanted) == 0;
}

/* ---- the world ---- */

static void make(struct land *in, uint64_t seed)
{
    static const char *const kinds[] = {"left", "inner", "right", "full"};
    static const char *const words[] = {"bucket", "members"};
    in->random.state = seed;
    struct random *random = &in->random;
    in->ncountries = 1 + random_below(random, COUNTRIES);
    in->ntowns = 1 + random_below(random, TOWNS);
    in->nfacts = 1 + random_below(random, FACTS);
    for (unsigned t = 0; t < in->ntowns; t++) {
        unsigned n = random_chance(random, 20) ? 0 : random_chance(random, 30) ? 2 : 1;
        while (n-- > 0)
            in->belongs[t][random_below(random, in->ncountries)] = true;
    }
    for (unsigned f = 0; f < in->nfacts; f++) {
        in->town_of[f] = random_below(random, in->ntowns);
        in->guests[f] = random_below(random, 50);
    }
    for (unsigned c = 0; c < in->ncountries; c++)
        in->pop[c] = random_chance(random, 15) ? -1 : (int)random_below(random, 100);
    in->kind = kinds[random_below(random, 4)];
    bool has_bucket = is_word(in->kind, "right") || is_word(in->kind, "full");
    in->unmatched = has_bucket ? "bucket" : "drop";
    if (has_bucket && random_chance(random, 30)) in->unmatched = words[1];
    in->finer = random_chance(random, 50) ? "null" : "repeat";
}

static void write(struct land *in)
{
    vc_buffer geo = {0}, stats = {0}, towns = {0}, visits = {0}, cube = {0};
    vc_buffer_put_text(&geo, "key,region\n");
    vc_buffer_put_text(&stats, "key,pop\n");
    for (unsigned c = 0; c < in->ncountries; c++) {
        vc_buffer_printf(&geo, "C%u,R%u\n", c, c % REGIONS);
        if (in->pop[c] >= 0) vc_buffer_printf(&stats, "C%u,%d\n", c, in->pop[c]);
    }
    vc_buffer_put_text(&towns, "town,of\n");
    for (unsigned t = 0; t < in->ntowns; t++) {
        vc_buffer_printf(&towns, "T%u,", t);
        for (unsigned c = 0, n = 0; c < in->ncountries; c++)
            if (in->belongs[t][c]) vc_buffer_printf(&towns, "%sC%u", n++ > 0 ? ";" : "", c);
        vc_buffer_put_text(&towns, "\n");
    }
    vc_buffer_put_text(&visits, "town,guests\n");
    for (unsigned f = 0; f < in->nfacts; f++)
        vc_buffer_printf(&visits, "T%u,%u\n", in->town_of[f], in->guests[f]);
    vc_buffer_printf(
        &cube,
        "{\"name\": \"v\", \"kind\": \"virtual\", \"primary\": \"stats\", \"sources\": ["
        "{\"cube\": \"stats\"}, {\"alias\": \"visits\", \"cube\": \"visits\", \"join\": {"
        "\"kind\": \"%s\", \"unmatched\": \"%s\", \"expose_as_level\": {\"finer\": \"%s\"},"
        " \"on\": [{\"dim\": \"geo\", \"to_dim\": \"town\", \"to_index\": \"of\","
        " \"normalize\": {\"to\": [{\"split\": \";\"}]}}]}}]}",
        in->kind, in->unmatched, in->finer);
    fixture_write(&in->fixture, "geo.csv", vc_buffer_text(&geo));
    fixture_write(&in->fixture, "stats.csv", vc_buffer_text(&stats));
    fixture_write(&in->fixture, "towns.csv", vc_buffer_text(&towns));
    fixture_write(&in->fixture, "visits.csv", vc_buffer_text(&visits));
    fixture_write(&in->fixture, "v.json", vc_buffer_text(&cube));
    fixture_write(
        &in->fixture, "stats.json",
        "{\"name\": \"stats\", \"kind\": \"source\", \"data\": {\"csv\": \"stats.csv\"},"
        " \"dimensions\": [{\"name\": \"geo\", \"table\": {\"csv\": \"geo.csv\"}, \"key\":"
        " \"key\", \"column\": \"key\", \"levels\": [\"region\", {\"name\": \"country\","
        " \"key\": \"key\"}]}], \"measures\": [{\"name\": \"pop\", \"type\": \"int\","
        " \"aggregator\": \"sum\"}]}");
    fixture_write(
        &in->fixture, "visits.json",
        "{\"name\": \"visits\", \"kind\": \"source\", \"data\": {\"csv\": \"visits.csv\"},"
        " \"dimensions\": [{\"name\": \"town\", \"table\": {\"csv\": \"towns.csv\"},"
        " \"key\": \"town\", \"column\": \"town\", \"levels\": [\"town\"],"
        " \"attributes\": [\"of\"]}], \"measures\": [{\"name\": \"guests\", \"type\":"
        " \"int\", \"aggregator\": \"sum\"}]}");
    vc_buffer_release(&geo);
    vc_buffer_release(&stats);
    vc_buffer_release(&towns);
    vc_buffer_release(&visits);
    vc_buffer_release(&cube);
}

/* ---- the question ---- */

struct part { /* of a cut: a country, or one of its towns */
    unsigned country;
    int town; /* -1: the country */
    bool is_children;
};

struct asked {
    int level; /* that is drilled: 0 region, 1 country, 2 town; -1: nothing */
    struct part parts[ITEMS];
    unsigned nparts; /* 0: no cut */
    bool is_negated;
};

static struct asked choose(struct land *in)
{
    struct random *random = &in->random;
    struct asked asked = {.level = (int)random_below(random, LEVELS + 1) - 1,
                          .is_negated = random_chance(random, 40)};
    unsigned n = random_chance(random, 40) ? 0 : 1 + random_below(random, ITEMS);
    for (unsigned i = 0; i < n; i++) {
        struct part part = {.country = random_below(random, in->ncountries), .town = -1};
        unsigned t = random_below(random, in->ntowns);
        if (random_chance(random, 60) && in->belongs[t][part.country]) part.town = (int)t;
        part.is_children = part.town < 0 && random_chance(random, 30);
        asked.parts[asked.nparts++] = part;
    }
    return asked;
}

static vc_str text_of(vc_arena *arena, char letter, unsigned number)
{
    return vc_arena_printf(arena, "%c%u", letter, number);
}

static vc_query query_of(const struct asked *asked, vc_arena *arena)
{
    static const char *const levels[] = {"region", "country", "town"};
    vc_query query = vc_query_default();
    vc_axis_ref *axis = VC_ARENA_NEW(arena, vc_axis_ref, 1);
    vc_measure_ref *measures = VC_ARENA_NEW(arena, vc_measure_ref, 2);
    vc_condition *all = VC_ARENA_NEW(arena, vc_condition, 2);
    vc_condition **list = VC_ARENA_NEW(arena, vc_condition *, 2);
    vc_item *items = VC_ARENA_NEW(arena, vc_item, ITEMS);
    query.cube = VC_STR("v");
    measures[0].name = VC_STR("guests");
    measures[1].name = VC_STR("pop");
    query.measures = measures;
    query.nmeasures = 2;
    if (asked->level >= 0) {
        axis->dimref =
            (vc_dimref){.dimension = VC_STR("geo"), .level = vc_str_of(levels[asked->level])};
        query.axes = axis;
        query.naxes = 1;
    }
    for (unsigned i = 0; i < asked->nparts; i++) {
        const struct part *part = &asked->parts[i];
        vc_str *keys = VC_ARENA_NEW(arena, vc_str, LEVELS);
        keys[0] = text_of(arena, 'R', part->country % REGIONS);
        keys[1] = text_of(arena, 'C', part->country);
        if (part->town >= 0) keys[2] = text_of(arena, 'T', (unsigned)part->town);
        items[i] = (vc_item){.kind = part->is_children ? VC_ITEM_CHILDREN : VC_ITEM_PATH,
                             .keys = keys,
                             .nkeys = part->town >= 0 ? 3 : 2};
    }
    if (asked->nparts == 0) return query;
    all[0] = (vc_condition){
        .dimref = {.dimension = VC_STR("geo")}, .items = items, .nitems = asked->nparts};
    list[0] = list[1] = &all[0];
    all[1] = (vc_condition){
        .kind = VC_CONDITION_NOT, .dimref = all[0].dimref, .children = &list[1], .nchildren = 1};
    if (asked->is_negated) list[0] = &all[1];
    query.conditions = list;
    query.nconditions = 1;
    return query;
}

/* ---- the evaluator ---- */

static bool has_country(const struct land *in, unsigned town)
{
    for (unsigned c = 0; c < in->ncountries; c++)
        if (in->belongs[town][c]) return true;
    return false;
}

static bool is_visible(const struct land *in, unsigned country)
{
    if (!is_word(in->kind, "inner") && !is_word(in->kind, "right")) return true;
    for (unsigned t = 0; t < in->ntowns; t++)
        if (in->belongs[t][country]) return true;
    return false;
}

/* Is a slot there at all, and selected? */
static bool is_selected(const struct land *in, const struct asked *asked, unsigned country,
                        unsigned town)
{
    if (country == BUCKET)
        return asked->nparts == 0 && !is_word(in->unmatched, "drop") && !has_country(in, town);
    if (!is_visible(in, country) || (town != REST && !in->belongs[town][country])) return false;
    bool is_in = false;
    for (unsigned i = 0; i < asked->nparts; i++) {
        const struct part *part = &asked->parts[i];
        if (part->country != country) continue;
        is_in |=
            part->town >= 0 ? (unsigned)part->town == town : !part->is_children || town != REST;
    }
    return asked->nparts == 0 || is_in != asked->is_negated;
}

struct group {                 /* a row */
    int region, country, town; /* -1: any */
};

static bool is_in_group(const struct land *in, const struct group *group, unsigned country,
                        unsigned town)
{
    if (group->country >= 0 && (unsigned)group->country != country) return false;
    if (group->country == BUCKET)
        return !is_word(in->unmatched, "members") || group->town < 0 ||
               (unsigned)group->town == town;
    if (group->region >= 0 && (country == BUCKET || country % REGIONS != (unsigned)group->region))
        return false;
    return group->town < 0 || (unsigned)group->town == town;
}

/* "12", "-u", "7r" */
static void tell(bool is_null, long value, char reason, char *text)
{
    if (is_null)
        sprintf(text, "-%c", reason);
    else
        sprintf(text, "%ld%.1s", value, reason == 0 ? "" : &reason);
}

static bool tell_guests(const struct land *in, const struct asked *asked, const struct group *group,
                        char *text)
{
    long sum = 0;
    bool is_mapped = false, has_facts = false;
    for (unsigned t = 0; t < in->ntowns; t++) {
        bool is_met = false;
        for (unsigned c = 0; c <= COUNTRIES; c++)
            if (c < in->ncountries || c == BUCKET)
                is_met |= is_in_group(in, group, c, t) && is_selected(in, asked, c, t);
        is_mapped |= is_met;
        for (unsigned f = 0; f < in->nfacts && is_met; f++)
            if (in->town_of[f] == t) {
                has_facts = true;
                sum += in->guests[f];
            }
    }
    tell(!has_facts, sum, has_facts ? 0 : is_mapped ? 'e' : 'u', text);
    return has_facts;
}

static bool tell_pop(const struct land *in, const struct asked *asked, const struct group *group,
                     char *text)
{
    long sum = 0;
    bool has_facts = false, is_coarse = false, is_repeated = false, has_leaves = false;
    for (unsigned c = 0; c < in->ncountries; c++) {
        bool is_whole = group->town < 0, is_met = false;
        for (unsigned t = 0; t <= TOWNS; t++) {
            if (t != REST && (t >= in->ntowns || !in->belongs[t][c])) continue;
            bool is_here = is_in_group(in, group, c, t) && is_selected(in, asked, c, t);
            is_met |= is_here;
            is_whole &= is_here;
        }
        has_leaves |= is_met;
        if (!is_met) continue;
        if (!is_whole && is_word(in->finer, "null")) is_coarse = true;
        if (!is_whole && is_word(in->finer, "repeat")) is_repeated = true;
        if (in->pop[c] < 0 || (!is_whole && is_word(in->finer, "null"))) continue;
        has_facts = true;
        sum += in->pop[c];
    }
    /* Where only a bucket is left, it is of another source. */
    bool is_bucket = group->country == BUCKET;
    for (unsigned t = 0; t < in->ntowns && !has_leaves; t++)
        is_bucket |= is_in_group(in, group, BUCKET, t) && is_selected(in, asked, BUCKET, t);
    char reason = is_bucket ? 'u' : is_coarse ? 'g' : is_repeated && has_facts ? 'r' : 0;
    bool is_null = is_bucket || is_coarse || !has_facts;
    tell(is_null, sum, is_null && reason == 0 ? 'e' : reason, text);
    return !is_null;
}

static bool tell_row(const struct land *in, const struct asked *asked, const struct group *group,
                     const char *key, vc_buffer *out)
{
    char guests[32], pop[32];
    bool has_guests = tell_guests(in, asked, group, guests);
    bool has_pop = tell_pop(in, asked, group, pop);
    if (!has_guests && !has_pop) return false;
    vc_buffer_printf(out, "%s %s %s; ", key, guests, pop);
    return true;
}

static void tell_rows(const struct land *in, const struct asked *asked, vc_buffer *out)
{
    char key[32];
    for (unsigned r = 0; r < REGIONS; r++) {
        struct group group = {.region = (int)r, .country = -1, .town = -1};
        sprintf(key, "R%u", r);
        if (asked->level == 0) tell_row(in, asked, &group, key, out);
        for (unsigned c = r; c < in->ncountries && asked->level > 0; c += REGIONS) {
            group.country = (int)c;
            group.town = -1;
            sprintf(key, "C%u", c);
            if (asked->level == 1) tell_row(in, asked, &group, key, out);
            for (unsigned t = 0; t < in->ntowns && asked->level == 2; t++) {
                if (!in->belongs[t][c]) continue;
                group.town = (int)t;
                sprintf(key, "T%u", t);
                tell_row(in, asked, &group, key, out);
            }
        }
    }
    struct group bucket = {.region = -1, .country = BUCKET, .town = -1};
    if (asked->level < 0 || asked->nparts > 0) return;
    if (!is_word(in->unmatched, "members") || asked->level == 0) {
        tell_row(in, asked, &bucket, "(unmatched:visits)", out);
        return;
    }
    for (unsigned t = 0; t < in->ntowns; t++) {
        if (has_country(in, t)) continue;
        bucket.town = (int)t;
        sprintf(key, "visits:T%u", t);
        tell_row(in, asked, &bucket, key, out);
    }
}

static void tell_all(const struct land *in, const struct asked *asked, vc_buffer *out)
{
    struct group all = {.region = -1, .country = -1, .town = -1};
    char guests[32], pop[32];
    if (asked->level >= 0) tell_rows(in, asked, out);
    tell_guests(in, asked, &all, guests);
    tell_pop(in, asked, &all, pop);
    vc_buffer_printf(out, "= %s %s", guests, pop);
}

/* ---- comparing ---- */

static void print_cell(const vc_cell *cell, char *text)
{
    tell(cell->is_null, cell->as.i, cell->reason, text);
}

static void print_answer(const vc_result *result, vc_buffer *out)
{
    char a[32], b[32];
    for (size_t row = 0; row < result->nrows && result->naxes > 0; row++) {
        const vc_result_axis *axis = &result->axes[0];
        vc_str key = axis->members[result->coords[row]].keys[axis->nlevels - 1];
        print_cell(&result->cells[row * 2], a);
        print_cell(&result->cells[row * 2 + 1], b);
        vc_buffer_printf(out, "%.*s %s %s; ", VC_FMT(key), a, b);
    }
    print_cell(&result->summary[0], a);
    print_cell(&result->summary[1], b);
    vc_buffer_printf(out, "= %s %s", a, b);
}

static void compare(struct land *in, uint64_t seed, bool is_plain)
{
    struct asked asked = choose(in);
    vc_arena arena = {0};
    vc_query query = query_of(&asked, &arena);
    vc_engine_options options = {.is_plain = is_plain};
    const vc_result *result = NULL;
    vc_buffer wanted = {0}, found = {0};
    vc_error error = {0};
    vc_status status = vc_engine_run(in->fixture.model, &query, &options, &arena, &result, &error);
    cr_assert_eq(status, VC_OK, "seed %llu: %s", (unsigned long long)seed, error.message);
    print_answer(result, &found);
    tell_all(in, &asked, &wanted);
    cr_assert_str_eq(vc_buffer_text(&found), vc_buffer_text(&wanted),
                     "seed %llu, %s, %s, %s, level %d, %u parts%s\n%s\nexpected\n%s",
                     (unsigned long long)seed, in->kind, in->unmatched, in->finer, asked.level,
                     asked.nparts, asked.is_negated ? " out" : "", vc_buffer_text(&found),
                     vc_buffer_text(&wanted));
    vc_buffer_release(&wanted);
    vc_buffer_release(&found);
    vc_arena_release(&arena);
}

Test(exposed, is_what_all_facts_say, .timeout = 3600)
{
    unsigned nrounds = random_setting("VCUBE_ROUNDS", 60);
    uint64_t first = random_setting("VCUBE_SEED", 1);
    for (unsigned i = 0; i < nrounds; i++) {
        struct land land = {0};
        make(&land, first + 90000 + i);
        fixture_open(&land.fixture);
        write(&land);
        fixture_need_load(&land.fixture, false);
        for (unsigned q = 0; q < 40; q++)
            compare(&land, first + 90000 + i, q % 2 == 1);
        fixture_close(&land.fixture);
    }
}
