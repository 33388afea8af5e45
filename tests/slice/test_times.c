/* Keys that are read at the time of each fact, beside an evaluator that goes through all rows of
 * the crosswalk for each fact. Random crosswalks on either side of the join, whose rows hold from a
 * half year to another one, facts by year or by half year; VCUBE_ROUNDS and VCUBE_SEED as in
 * test_differential.c. */
#include "slice/engine.h"

#include "tests/slice/fixture.h"
#include "tests/slice/random.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Time is counted in halves of the years from 2000 on. */
enum { REGIONS = 3, PLANTS = 5, ROWS = 12, FACTS = 30, YEARS = 6, HALVES = 2 * YEARS };

struct row { /* of the crosswalk: a plant is of a region */
    unsigned plant, region;
    int first, last; /* halves; -1 and HALVES: open */
};

struct moving {
    struct random random;
    unsigned nrows, nfacts;
    struct row rows[ROWS];
    unsigned plant_of[FACTS], half_of[FACTS], tons[FACTS];
    bool is_half_yearly; /* facts are by half year: otherwise by year */
    bool is_full, is_on_primary;
    struct fixture fixture;
};

static void make(struct moving *in, uint64_t seed)
{
    in->random.state = seed;
    struct random *random = &in->random;
    in->nrows = random_below(random, ROWS + 1);
    in->nfacts = 1 + random_below(random, FACTS);
    for (unsigned i = 0; i < in->nrows; i++) {
        struct row *row = &in->rows[i];
        unsigned a = random_below(random, HALVES), b = random_below(random, HALVES);
        *row = (struct row){.plant = random_below(random, PLANTS),
                            .region = random_below(random, REGIONS),
                            .first = (int)(a < b ? a : b),
                            .last = (int)(a < b ? b : a)};
        if (random_chance(random, 25)) row->first = -1;
        if (random_chance(random, 25)) row->last = HALVES;
    }
    for (unsigned f = 0; f < in->nfacts; f++) {
        in->plant_of[f] = random_below(random, PLANTS);
        in->half_of[f] = random_below(random, HALVES);
        in->tons[f] = 1 + random_below(random, 50);
    }
    in->is_half_yearly = random_chance(random, 50);
    in->is_full = random_chance(random, 50);
    in->is_on_primary = random_chance(random, 40);
}

/* ---- the files ---- */

/* The first or last month of a half. */
static void put_month(vc_buffer *out, int half, bool is_last)
{
    if (half >= 0 && half < HALVES)
        vc_buffer_printf(out, "%d-%02d", 2000 + half / 2, half % 2 * 6 + (is_last ? 6 : 1));
}

static void write(struct moving *in)
{
    vc_buffer rows = {0}, facts = {0}, cube = {0};
    vc_buffer_put_text(&rows, "plant,region,first,last\n");
    for (unsigned i = 0; i < in->nrows; i++) {
        vc_buffer_printf(&rows, "P%u,R%u,", in->rows[i].plant, in->rows[i].region);
        put_month(&rows, in->rows[i].first, false);
        vc_buffer_put_char(&rows, ',');
        put_month(&rows, in->rows[i].last, true);
        vc_buffer_put_char(&rows, '\n');
    }
    vc_buffer_put_text(&facts, "plant,day,tons\n");
    for (unsigned f = 0; f < in->nfacts; f++)
        vc_buffer_printf(&facts, "P%u,%u-%02u-10,%u\n", in->plant_of[f], 2000 + in->half_of[f] / 2,
                         in->half_of[f] % 2 * 6 + 2, in->tons[f]);
    vc_buffer_printf(
        &cube,
        "{\"name\": \"v\", \"kind\": \"virtual\", \"primary\": \"regions\", \"sources\": ["
        "{\"cube\": \"regions\"}, {\"alias\": \"made\", \"cube\": \"made\", \"join\": {\"kind\":"
        " \"%s\", \"on\": [{\"dim\": \"geo\", \"to_dim\": \"plant\", \"normalize\": {\"%s\":"
        " [\"map:moves\"]}}]}}]}",
        in->is_full ? "full" : "left", in->is_on_primary ? "from" : "to");
    fixture_write(&in->fixture, "moves.csv", vc_buffer_text(&rows));
    fixture_write(&in->fixture, "made.csv", vc_buffer_text(&facts));
    fixture_write(&in->fixture, "v.json", vc_buffer_text(&cube));
    fixture_write(&in->fixture, "regions.csv", "region,area\nR0,1\nR1,2\nR2,4\n");
    vc_buffer_release(&cube);
    vc_buffer_put_text(&cube,
                       "{\"name\": \"moves\", \"kind\": \"crosswalk\", \"data\": {\"csv\":"
                       " \"moves.csv\"}, \"valid_from\": \"first\", \"valid_to\": \"last\",");
    vc_buffer_put_text(&cube, in->is_on_primary ? "\"from\": \"region\", \"to\": \"plant\"}"
                                                : "\"from\": \"plant\", \"to\": \"region\"}");
    fixture_write(&in->fixture, "moves.json", vc_buffer_text(&cube));
    vc_buffer_release(&cube);
    vc_buffer_printf(&cube,
                     "{\"name\": \"made\", \"kind\": \"source\", \"data\": {\"csv\": \"made.csv\"},"
                     " \"dimensions\": [{\"name\": \"plant\", \"levels\": [\"plant\"]}, {\"name\":"
                     " \"date\", \"type\": \"time\", \"column\": \"day\", \"levels\": [\"year\"%s]}"
                     "], \"measures\": [{\"name\": \"tons\", \"type\": \"int\", \"aggregator\":"
                     " \"sum\"}]}",
                     in->is_half_yearly ? ", \"month\"" : "");
    fixture_write(&in->fixture, "made.json", vc_buffer_text(&cube));
    fixture_write(&in->fixture, "regions.json",
                  "{\"name\": \"regions\", \"kind\": \"source\", \"data\": {\"csv\":"
                  " \"regions.csv\"}, \"dimensions\": [{\"name\": \"geo\", \"levels\":"
                  " [\"region\"]}], \"measures\": [{\"name\": \"area\", \"type\": \"int\","
                  " \"aggregator\": \"sum\"}]}");
    vc_buffer_release(&rows);
    vc_buffer_release(&facts);
    vc_buffer_release(&cube);
}

/* ---- the evaluator ---- */

/* Where the key of the mapped side leads at the time of a fact: bits of what is on the other side.
 * Rows that do not hold together say nothing, unless they say the same. */
static unsigned lead(const struct moving *in, unsigned key, unsigned half)
{
    int begin = (int)half, end = (int)half, first = -1, last = HALVES;
    unsigned found = 0;
    bool is_one = true;
    if (!in->is_half_yearly) {
        begin = (int)half / 2 * 2;
        end = begin + 1;
    }
    for (unsigned i = 0; i < in->nrows; i++) {
        const struct row *row = &in->rows[i];
        unsigned from = in->is_on_primary ? row->region : row->plant;
        unsigned to = 1u << (in->is_on_primary ? row->plant : row->region);
        if (from != key || row->first > end || row->last < begin) continue;
        first = row->first > first ? row->first : first;
        last = row->last < last ? row->last : last;
        is_one &= found == 0 || found == to;
        found |= to;
    }
    return first <= last || is_one ? found : 0;
}

static bool belongs(const struct moving *in, unsigned fact, unsigned region)
{
    unsigned plant = in->plant_of[fact], half = in->half_of[fact];
    return in->is_on_primary ? lead(in, region, half) >> plant & 1
                             : lead(in, plant, half) >> region & 1;
}

/* The tons of a region, of the bucket (REGIONS), or of all (-1), in a year or in all (-1). */
static long add_up(const struct moving *in, int region, int year)
{
    long sum = 0;
    for (unsigned f = 0; f < in->nfacts; f++) {
        bool is_matched = false;
        if (year >= 0 && in->half_of[f] / 2 != (unsigned)year) continue;
        for (unsigned r = 0; r < REGIONS; r++)
            is_matched |= belongs(in, f, r);
        bool is_in = region < 0          ? is_matched || in->is_full
                     : region == REGIONS ? !is_matched
                                         : belongs(in, f, (unsigned)region);
        if (is_in) sum += in->tons[f];
    }
    return sum;
}

static void tell(const struct moving *in, int year, vc_buffer *out)
{
    for (int r = 0; r < REGIONS; r++)
        if (add_up(in, r, year) > 0) vc_buffer_printf(out, "R%d %ld; ", r, add_up(in, r, year));
    if (in->is_full && add_up(in, REGIONS, year) > 0)
        vc_buffer_printf(out, "(unmatched:made) %ld; ", add_up(in, REGIONS, year));
    vc_buffer_printf(out, "= %ld", add_up(in, -1, year));
}

/* ---- comparing ---- */

static vc_query query_of(int year, vc_arena *arena)
{
    vc_query query = vc_query_default();
    vc_axis_ref *axis = VC_ARENA_NEW(arena, vc_axis_ref, 1);
    vc_measure_ref *measure = VC_ARENA_NEW(arena, vc_measure_ref, 1);
    vc_condition *condition = VC_ARENA_NEW(arena, vc_condition, 1);
    vc_condition **list = VC_ARENA_NEW(arena, vc_condition *, 1);
    vc_item *item = VC_ARENA_NEW(arena, vc_item, 1);
    vc_str *key = VC_ARENA_NEW(arena, vc_str, 1);
    query.cube = VC_STR("v");
    axis->dimref = (vc_dimref){.dimension = VC_STR("geo")};
    measure->name = VC_STR("tons");
    query.axes = axis;
    query.measures = measure;
    query.naxes = query.nmeasures = 1;
    if (year < 0) return query;
    *key = vc_arena_printf(arena, "%d", 2000 + year);
    *item = (vc_item){.kind = VC_ITEM_PATH, .keys = key, .nkeys = 1};
    *condition =
        (vc_condition){.dimref = {.dimension = VC_STR("date")}, .items = item, .nitems = 1};
    list[0] = condition;
    query.conditions = list;
    query.nconditions = 1;
    return query;
}

static bool has_year(const struct moving *in, int year)
{
    for (unsigned f = 0; f < in->nfacts; f++)
        if (year < 0 || in->half_of[f] / 2 == (unsigned)year) return true;
    return false;
}

static void compare(struct moving *in, uint64_t seed, int year, bool is_plain)
{
    vc_arena arena = {0};
    vc_query query = query_of(year, &arena);
    vc_engine_options options = {.is_plain = is_plain};
    const vc_result *result = NULL;
    vc_buffer wanted = {0}, found = {0};
    vc_error error = {0};
    vc_status status = vc_engine_run(in->fixture.model, &query, &options, &arena, &result, &error);
    cr_assert_eq(status, VC_OK, "seed %llu: %s", (unsigned long long)seed, error.message);
    for (size_t row = 0; row < result->nrows; row++)
        vc_buffer_printf(&found, "%.*s %lld; ",
                         VC_FMT(result->axes[0].members[result->coords[row]].keys[0]),
                         (long long)result->cells[row].as.i);
    vc_buffer_printf(&found, "= %lld",
                     result->summary[0].is_null ? 0LL : (long long)result->summary[0].as.i);
    tell(in, year, &wanted);
    cr_assert_str_eq(vc_buffer_text(&found), vc_buffer_text(&wanted),
                     "seed %llu, %s, map on the %s side, by %s, year %d\n%s\nexpected\n%s",
                     (unsigned long long)seed, in->is_full ? "full" : "left",
                     in->is_on_primary ? "primary's" : "joined",
                     in->is_half_yearly ? "half year" : "year", year, vc_buffer_text(&found),
                     vc_buffer_text(&wanted));
    vc_buffer_release(&wanted);
    vc_buffer_release(&found);
    vc_arena_release(&arena);
}

Test(times, are_what_all_rows_say, .timeout = 3600)
{
    unsigned nrounds = random_setting("VCUBE_ROUNDS", 80);
    uint64_t first = random_setting("VCUBE_SEED", 1);
    for (unsigned i = 0; i < nrounds; i++) {
        struct moving moving = {0};
        make(&moving, first + 120000 + i);
        fixture_open(&moving.fixture);
        write(&moving);
        fixture_need_load(&moving.fixture, false);
        for (int year = -1; year < YEARS; year++)
            for (int plain = 0; plain < 2 && has_year(&moving, year); plain++)
                compare(&moving, first + 120000 + i, year, plain == 1);
        fixture_close(&moving.fixture);
    }
}
