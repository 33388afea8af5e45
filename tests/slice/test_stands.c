/* Values that stand at a member of a dimension which their source does not have ("fix"): whatever
 * is drilled and cut, they are those of the facts where the cell has all leaves of the member, and
 * null x elsewhere. Random worlds, a loop over the facts, all totals. VCUBE_ROUNDS and VCUBE_SEED
 * as in test_differential.c. */
#include "tests/slice/small.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { MAX_FACTS = 24, NMEASURES = 4 };

struct standing {
    uint64_t seed;
    struct random random;
    struct fixture fixture;
    struct small_dimension g, s, d; /* common; private to sales; private to stock */
    struct {
        unsigned g, s;
        int amount;
    } sales[MAX_FACTS];
    struct {
        unsigned g, d;
        int stock;
    } stock[MAX_FACTS];
    unsigned nsales, nstock;
    unsigned sales_at, stock_at; /* leaves at which they stand: of d, of s */
    unsigned own_at;             /* the second measure of stock, by its own word */
};

/* The path of a random member, and its leaves. */
static const char *any_member(struct standing *in, const struct small_dimension *dimension,
                              unsigned *leaves_out)
{
    unsigned level = random_below(&in->random, 2);
    unsigned member = random_below(&in->random, small_count(dimension, level));
    *leaves_out = small_leaves(dimension, level, member);
    return small_key(dimension, level, member);
}

static void write_facts(struct standing *in)
{
    char text[2048];
    size_t at = (size_t)snprintf(text, sizeof text, "g,s,amount\n");
    for (unsigned i = 0; i < in->nsales; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "g%u,s%u,%d\n", in->sales[i].g,
                               in->sales[i].s, in->sales[i].amount);
    fixture_write(&in->fixture, "sales.csv", text);
    at = (size_t)snprintf(text, sizeof text, "g,d,stock\n");
    for (unsigned i = 0; i < in->nstock; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "g%u,d%u,%d\n", in->stock[i].g,
                               in->stock[i].d, in->stock[i].stock);
    fixture_write(&in->fixture, "stock.csv", text);
}

static void write_cubes(struct standing *in)
{
    char text[2048];
    const char *sales_at = any_member(in, &in->d, &in->sales_at);
    const char *stock_at = any_member(in, &in->s, &in->stock_at);
    const char *own_at = any_member(in, &in->s, &in->own_at);
    fixture_write(&in->fixture, "sales.json",
                  "{\"name\": \"sales\", \"kind\": \"source\", \"data\": {\"csv\": \"sales.csv\"}, "
                  "\"dimensions\": [{\"use\": \"g\", \"column\": \"g\"}, {\"use\": \"s\", "
                  "\"column\": \"s\"}], \"measures\": [{\"name\": \"amount\", \"type\": \"int\", "
                  "\"aggregator\": \"sum\"}]}");
    fixture_write(&in->fixture, "stock.json",
                  "{\"name\": \"stock\", \"kind\": \"source\", \"data\": {\"csv\": \"stock.csv\"}, "
                  "\"dimensions\": [{\"use\": \"g\", \"column\": \"g\"}, {\"use\": \"d\", "
                  "\"column\": \"d\"}], \"measures\": [{\"name\": \"stock\", \"type\": \"int\", "
                  "\"aggregator\": \"sum\"}, {\"name\": \"items\", \"aggregator\": \"count\"}]}");
    snprintf(text, sizeof text,
             "{\"name\": \"v\", \"kind\": \"virtual\", \"primary\": \"sales\", \"sources\": "
             "[{\"cube\": \"sales\"}, {\"cube\": \"stock\"}], \"private\": {\"sales\": {\"s\": "
             "{\"others\": {\"fix\": \"%s\"}}}, \"stock\": {\"d\": {\"others\": {\"fix\": "
             "\"%s\"}}}}, \"measures\": [{\"name\": \"amount\", \"source\": \"sales\"}, "
             "{\"name\": \"stock\", \"source\": \"stock\"}, {\"name\": \"items\", \"source\": "
             "\"stock\"}, {\"name\": \"own\", \"source\": \"stock\", \"measure\": \"stock\", "
             "\"unrelated\": {\"fix\": {\"s\": \"%s\"}}}]}",
             stock_at, sales_at, own_at);
    fixture_write(&in->fixture, "v.json", text);
}

static void make(struct standing *in, uint64_t seed)
{
    *in = (struct standing){.seed = seed, .random = {seed}};
    fixture_open(&in->fixture);
    small_make_dimension(&in->g, 'g', &in->random);
    small_make_dimension(&in->s, 's', &in->random);
    small_make_dimension(&in->d, 'd', &in->random);
    in->nsales = random_below(&in->random, MAX_FACTS);
    in->nstock = random_below(&in->random, MAX_FACTS);
    for (unsigned i = 0; i < in->nsales; i++) {
        in->sales[i].g = random_below(&in->random, in->g.nleaves);
        in->sales[i].s = random_below(&in->random, in->s.nleaves);
        in->sales[i].amount = 1 + (int)random_below(&in->random, 100);
    }
    for (unsigned i = 0; i < in->nstock; i++) {
        in->stock[i].g = random_below(&in->random, in->g.nleaves);
        in->stock[i].d = random_below(&in->random, in->d.nleaves);
        in->stock[i].stock = 1 + (int)random_below(&in->random, 100);
    }
    small_write_dimension(&in->g, &in->fixture);
    small_write_dimension(&in->s, &in->fixture);
    small_write_dimension(&in->d, &in->fixture);
    write_facts(in);
    write_cubes(in);
    fixture_need_load(&in->fixture, false);
}

/* ---- the loop ---- */

struct place { /* along a dimension: the leaves of the cell, and whether anything speaks of it */
    unsigned leaves;
    bool is_asked;
};

static bool stands(const struct place *place, unsigned leaves)
{
    return !place->is_asked || (leaves & ~place->leaves) == 0;
}

static void compute(const struct standing *in, const struct place *g, const struct place *s,
                    const struct place *d, vc_cell cells[NMEASURES])
{
    int64_t amount = 0, stock = 0;
    unsigned nsales = 0, nstock = 0;
    for (unsigned i = 0; i < in->nsales; i++)
        if ((g->leaves >> in->sales[i].g & 1) && (s->leaves >> in->sales[i].s & 1)) {
            amount += in->sales[i].amount;
            nsales++;
        }
    for (unsigned i = 0; i < in->nstock; i++)
        if ((g->leaves >> in->stock[i].g & 1) && (d->leaves >> in->stock[i].d & 1)) {
            stock += in->stock[i].stock;
            nstock++;
        }
    vc_cell empty = vc_cell_null(VC_REASON_EMPTY), unrelated = vc_cell_null(VC_REASON_UNRELATED);
    cells[0] = !stands(d, in->sales_at) ? unrelated
               : nsales == 0            ? empty
                                        : (vc_cell){.as.i = amount};
    cells[1] = !stands(s, in->stock_at) ? unrelated
               : nstock == 0            ? empty
                                        : (vc_cell){.as.i = stock};
    cells[2] = !stands(s, in->stock_at) ? unrelated : (vc_cell){.as.i = nstock};
    cells[3] = !stands(s, in->own_at) ? unrelated : nstock == 0 ? empty : (vc_cell){.as.i = stock};
}

/* ---- a question ---- */

struct asking {
    struct standing *in;
    char text[1024];
    const struct small_dimension *axes[3];
    unsigned levels[3];
    size_t naxes;
    unsigned cuts[3]; /* of g, s, d */
    bool is_cut[3];
    const vc_result *result;
    size_t nrows;
};

static unsigned number_of(const struct standing *in, const struct small_dimension *dimension)
{
    return dimension == &in->g ? 0 : dimension == &in->s ? 1 : 2;
}

/* A row that there must be, or must not: at members of the axes, SIZE_MAX rolled up. */
static void check_row(struct asking *of, const size_t *members, bool is_detail)
{
    struct standing *in = of->in;
    struct place places[3];
    const char *keys[3] = {0};
    vc_cell cells[NMEASURES];
    bool has_value = false;
    for (unsigned n = 0; n < 3; n++)
        places[n] = (struct place){of->cuts[n], of->is_cut[n]};
    for (size_t a = 0; a < of->naxes; a++) {
        struct place *place = &places[number_of(in, of->axes[a])];
        if (members[a] == SIZE_MAX) continue;
        place->leaves &= small_leaves(of->axes[a], of->levels[a], (unsigned)members[a]);
        place->is_asked = true;
        keys[a] = small_key(of->axes[a], of->levels[a], (unsigned)members[a]);
    }
    compute(in, &places[0], &places[1], &places[2], cells);
    for (unsigned m = 0; m < NMEASURES; m++)
        has_value |= !cells[m].is_null && !(m == 2 && cells[m].as.i == 0);
    size_t row = small_row(of->result, keys);
    bool is_whole = !is_detail && of->naxes > 0;
    for (size_t a = 0; a < of->naxes; a++)
        is_whole &= members[a] == SIZE_MAX; /* the grand total is always there */
    const char *at = keys[0] == NULL ? "()" : keys[0];
    cr_assert_eq(row != SIZE_MAX, has_value || is_whole || of->naxes == 0,
                 "seed %llu: %s: a row at %s, %s", (unsigned long long)in->seed, of->text, at,
                 keys[1] == NULL ? "()" : keys[1]);
    if (row == SIZE_MAX) return;
    of->nrows++;
    for (unsigned m = 0; m < NMEASURES; m++) {
        const vc_cell *cell = &of->result->cells[row * NMEASURES + m];
        cr_assert(cell->is_null == cells[m].is_null && cell->reason == cells[m].reason &&
                      (cell->is_null || cell->as.i == cells[m].as.i),
                  "seed %llu: %s: measure %u at %s, %s: found %lld %c, expected %lld %c",
                  (unsigned long long)in->seed, of->text, m, at, keys[1] == NULL ? "()" : keys[1],
                  cell->is_null ? -1 : (long long)cell->as.i,
                  cell->reason == 0 ? ' ' : cell->reason,
                  cells[m].is_null ? -1 : (long long)cells[m].as.i,
                  cells[m].reason == 0 ? ' ' : cells[m].reason);
    }
}

/* Every combination on the axes of a grouping. */
static void check_grouping(struct asking *of, unsigned kept)
{
    size_t members[3];
    for (size_t a = 0; a < 3; a++)
        members[a] = kept >> a & 1 ? 0 : SIZE_MAX;
    for (;;) {
        size_t a = of->naxes;
        check_row(of, members, kept == (1u << of->naxes) - 1);
        while (a-- > 0) {
            if (!(kept >> a & 1)) continue;
            if (++members[a] < small_count(of->axes[a], of->levels[a])) break;
            members[a] = 0;
        }
        if (a == SIZE_MAX) return;
    }
}

static void ask(struct standing *in)
{
    struct asking of = {.in = in};
    const struct small_dimension *all[] = {&in->g, &in->s, &in->d};
    size_t at = (size_t)snprintf(of.text, sizeof of.text, "measures=amount|stock|items|own");
    unsigned first = random_below(&in->random, 3);
    for (unsigned i = 0; i < 3; i++) {
        const struct small_dimension *dimension = all[(first + i) % 3];
        if (!random_chance(&in->random, 60)) continue;
        of.levels[of.naxes] = random_below(&in->random, 2);
        at += (size_t)snprintf(of.text + at, sizeof of.text - at, "%s%c:%s",
                               of.naxes == 0 ? "&drilldown=" : "|", dimension->letter,
                               small_level(dimension, of.levels[of.naxes]));
        of.axes[of.naxes++] = dimension;
    }
    bool has_cut = false;
    for (unsigned n = 0; n < 3; n++) {
        of.cuts[n] = small_all(all[n]);
        if (!random_chance(&in->random, 45)) continue;
        const char *cut = small_cut(all[n], &in->random, &of.cuts[n], &of.is_cut[n]);
        at += (size_t)snprintf(of.text + at, sizeof of.text - at, "%s%s",
                               has_cut ? "|" : "&cut=", cut);
        has_cut = true;
    }
    for (unsigned kept = 0; of.naxes > 0 && kept < (1u << of.naxes) - 1; kept++) {
        at +=
            (size_t)snprintf(of.text + at, sizeof of.text - at, "%s", kept == 0 ? "&totals=" : "|");
        for (size_t a = 0, n = 0; a < of.naxes; a++)
            if (kept >> a & 1)
                at += (size_t)snprintf(of.text + at, sizeof of.text - at, "%s%c",
                                       n++ > 0 ? "," : "", of.axes[a]->letter);
        if (kept == 0) at += (size_t)snprintf(of.text + at, sizeof of.text - at, "()");
    }
    for (unsigned way = 0; way < 2; way++) {
        vc_error error = {0};
        vc_engine_options options = {.is_plain = way == 1};
        vc_status status = small_ask(&in->fixture, "v", of.text, &options, &of.result, &error);
        cr_assert_eq(status, VC_OK, "seed %llu: %s: %s", (unsigned long long)in->seed, of.text,
                     error.message);
        of.nrows = 0;
        for (unsigned kept = 0; kept < 1u << of.naxes; kept++)
            check_grouping(&of, kept);
        cr_assert_eq(of.nrows, of.result->nrows, "seed %llu: %s: %zu rows, expected %zu",
                     (unsigned long long)in->seed, of.text, of.result->nrows, of.nrows);
    }
}

Test(stands, random_worlds, .timeout = 3600)
{
    unsigned nrounds = random_setting("VCUBE_ROUNDS", 240) / 4;
    uint64_t first = random_setting("VCUBE_SEED", 1);
    for (unsigned i = 0; i < nrounds; i++) {
        struct standing in;
        make(&in, first + 830000 + i);
        for (unsigned q = 0; q < 20; q++)
            ask(&in);
        fixture_close(&in.fixture);
    }
}
