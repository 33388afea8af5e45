/* Facts that count in parts: random crosswalks, lookups, values repeated and allocated, against a
 * few loops over leaves and facts that know only the meaning. The same through nested cubes, whose
 * relations compose: they are to answer as the cubes that are not nested. */
#include "slice/engine.h"

#include "tests/slice/fixture.h"
#include "tests/slice/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LEAVES = 12, GROUPS = 3, JOINED = 10, FACTS = 40, NOWHERE = 99 };
enum cube { WEIGHTED, LOOKUP, ALLOCATED, REPEATED, NCUBES };
enum { SUM, COUNT, AVG, NMEASURES };
/* What is a nested cube: nothing; the joined one, alone in it, or joined there to finer facts; or
 * all of it, joined to the same members, or to two for each. */
enum nest { FLAT, ALONE, FINER, INSIDE, TWINS, NNESTS };

static const char *const cube_names[] = {"weighted", "lookup", "allocated", "repeated"};
static const char *const nest_names[] = {"", "alone_", "finer_", "inside_", "twins_"};
static const char *const reaggregates[] = {"none", "sum", "avg", "min", "max"};

struct parts {
    struct random random;
    unsigned nleaves, njoined, nfacts;
    unsigned group[LEAVES], days[LEAVES];
    unsigned group_of[JOINED]; /* NOWHERE: of no group that there is */
    int rank[JOINED];          /* -1: none */
    bool is_pair[LEAVES + 1][JOINED];
    double weight[LEAVES + 1][JOINED]; /* the last line is the bucket's */
    struct {
        unsigned joined, time;
        int value;
        bool is_null;
    } facts[FACTS];
    bool is_full;
    unsigned reaggregate;
};

/* ---- making and writing ---- */

static void make(struct parts *in, uint64_t seed)
{
    *in = (struct parts){.random = {seed}};
    struct random *random = &in->random;
    in->nleaves = 1 + random_below(random, LEAVES);
    in->njoined = 1 + random_below(random, JOINED);
    in->nfacts = random_below(random, FACTS);
    in->is_full = random_chance(random, 50);
    in->reaggregate = random_below(random, 5);
    for (unsigned p = 0; p < in->nleaves; p++) {
        in->group[p] = random_below(random, GROUPS);
        in->days[p] = 1 + random_below(random, 4);
    }
    for (unsigned q = 0; q < in->njoined; q++) {
        unsigned wanted = random_below(random, GROUPS + 1);
        in->group_of[q] = NOWHERE;
        for (unsigned p = 0; p < in->nleaves; p++)
            if (in->group[p] == wanted) in->group_of[q] = wanted;
        in->rank[q] = (int)random_below(random, 12) - 1;
        bool is_matched = false;
        for (unsigned p = 0; p < in->nleaves; p++) {
            in->is_pair[p][q] = random_chance(random, 25);
            if (in->is_pair[p][q]) in->weight[p][q] = random_below(random, 9) / 4.0;
            is_matched |= in->is_pair[p][q];
        }
        in->is_pair[LEAVES][q] = in->is_full && !is_matched;
        in->weight[LEAVES][q] = 1;
    }
    for (unsigned i = 0; i < in->nfacts; i++) {
        in->facts[i].joined = random_below(random, in->njoined);
        in->facts[i].time = random_below(random, 2);
        in->facts[i].value = (int)random_below(random, 200) - 50;
        in->facts[i].is_null = random_chance(random, 20);
    }
}

static void write_cube(struct fixture *fixture, const struct parts *in, enum cube cube,
                       enum nest nest)
{
    static const char *const joined[] = {[FLAT] = "j", [ALONE] = "in_alone", [FINER] = "in_finer"};
    static const char *const joins[] = {
        "\"mode\": \"weighted\", \"on_fanout\": \"weighted\", \"on\": [{\"dim\": \"geo\", "
        "\"to_dim\":"
        " \"q\", \"normalize\": {\"to\": [\"map:ways\"]}}]",
        "\"mode\": \"lookup\", \"pick\": \"first_by:rank\", \"reaggregate\": \"%s\", \"on\": "
        "[{\"dim\":"
        " \"geo\", \"to_dim\": \"q\", \"normalize\": {\"to\": [\"map:ways\"]}}]",
        "\"on\": [{\"dim\": \"geo\", \"level\": \"group\", \"to_dim\": \"q\", \"to_index\": "
        "\"grp\","
        " \"allocate\": {\"weights\": \"days\"}}]",
        "\"on\": [{\"dim\": \"geo\", \"level\": \"group\", \"to_dim\": \"q\", \"to_index\": "
        "\"grp\","
        " \"finer\": \"repeat\"}]"};
    char name[64];
    vc_buffer text = {0};
    vc_buffer_printf(
        &text,
        "{\"name\": \"%s%s\", \"kind\": \"virtual\", \"primary\": \"p\", \"sources\": ["
        "{\"cube\": \"p\"}, {\"alias\": \"j\", \"cube\": \"%s\", \"join\": {\"kind\":"
        " \"%s\", ",
        nest_names[nest], cube_names[cube], joined[nest],
        in->is_full && cube < ALLOCATED ? "full" : "left");
    vc_buffer_printf(&text, joins[cube], reaggregates[in->reaggregate]);
    vc_buffer_put_text(&text,
                       "}}], \"measures\": [{\"name\": \"sum\", \"source\": \"j\"}, {\"name\":"
                       " \"count\", \"source\": \"j\"}, {\"name\": \"avg\", \"source\": \"j\"}]}");
    snprintf(name, sizeof name, "%s%s.json", nest_names[nest], cube_names[cube]);
    fixture_write(fixture, name, vc_buffer_text(&text));
    vc_buffer_release(&text);
}

/* A cube with parts as a nested one: joined to the same members, or to two for each. */
static void write_outer(struct fixture *fixture, const struct parts *in, enum cube cube,
                        enum nest nest)
{
    char name[64], text[1024];
    snprintf(text, sizeof text,
             "{\"name\": \"%s%s\", \"kind\": \"virtual\", \"primary\": \"%s\", \"sources\": "
             "[{\"cube\": \"%s\"}, {\"alias\": \"j\", \"cube\": \"%s\", \"join\": {\"kind\":"
             " \"%s\", \"on\": [{\"dim\": \"geo\", \"index\": \"%s\", \"to_dim\": \"geo\"}]}}],"
             " \"measures\": [{\"name\": \"sum\", \"source\": \"j\"}, {\"name\": \"count\","
             " \"source\": \"j\"}, {\"name\": \"avg\", \"source\": \"j\"}]}",
             nest_names[nest], cube_names[cube], nest == TWINS ? "twins" : "p",
             nest == TWINS ? "twins" : "p", cube_names[cube], in->is_full ? "full" : "left",
             nest == TWINS ? "of" : "key");
    snprintf(name, sizeof name, "%s%s.json", nest_names[nest], cube_names[cube]);
    fixture_write(fixture, name, text);
}

/* The facts once more, finer: of each joined member one to three parts have them. And two members
 * for each of the primary's. */
static void write_nested(struct fixture *fixture, struct parts *in)
{
    vc_buffer facts = {0}, parts = {0}, twins = {0}, all = {0}, primary = {0};
    vc_buffer_put_text(&facts, "part,time,value\n");
    vc_buffer_put_text(&parts, "part,q\n");
    vc_buffer_put_text(&twins, "leaf,group,of\n");
    vc_buffer_put_text(&all, "q,n\n");
    vc_buffer_put_text(&primary, "leaf,n\n");
    for (unsigned q = 0; q < in->njoined; q++) {
        vc_buffer_printf(&all, "q%02u,1\n", q);
        for (unsigned i = 0; i < 3; i++)
            vc_buffer_printf(&parts, "r%02u%u,q%02u\n", q, i, q);
    }
    for (unsigned p = 0; p < in->nleaves; p++)
        for (unsigned i = 0; i < 2; i++) {
            vc_buffer_printf(&twins, "p%02u%c,g%u,p%02u\n", p, "ab"[i], in -> group[p], p);
            vc_buffer_printf(&primary, "p%02u%c,1\n", p, "ab"[i]);
        }
    for (unsigned i = 0; i < in->nfacts; i++) {
        vc_buffer_printf(&facts, "r%02u%u,t%u,", in->facts[i].joined, random_below(&in->random, 3),
                         in->facts[i].time);
        if (!in->facts[i].is_null) vc_buffer_printf(&facts, "%d", in->facts[i].value);
        vc_buffer_put_char(&facts, '\n');
    }
    fixture_write(fixture, "s.csv", vc_buffer_text(&facts));
    fixture_write(fixture, "parts.csv", vc_buffer_text(&parts));
    fixture_write(fixture, "twins_leaves.csv", vc_buffer_text(&twins));
    fixture_write(fixture, "twins.csv", vc_buffer_text(&primary));
    fixture_write(fixture, "all.csv", vc_buffer_text(&all));
    vc_buffer *buffers[] = {&facts, &parts, &twins, &all, &primary};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        vc_buffer_release(buffers[i]);
    fixture_write(
        fixture, "s.json",
        "{\"name\": \"s\", \"kind\": \"source\", \"data\": {\"csv\": \"s.csv\"},"
        " \"dimensions\": [{\"name\": \"part\", \"table\": {\"csv\": \"parts.csv\"}, \"key\":"
        " \"part\", \"column\": \"part\", \"levels\": [\"part\"], \"attributes\": [\"q\"]},"
        " {\"name\": \"time\", \"levels\": [\"time\"]}], \"measures\": ["
        "{\"name\": \"sum\", \"column\": \"value\", \"type\": \"int\", \"aggregator\": \"sum\"},"
        "{\"name\": \"count\", \"aggregator\": \"count\"},"
        "{\"name\": \"avg\", \"column\": \"value\", \"type\": \"int\", \"aggregator\": \"avg\"}]}");
    fixture_write(
        fixture, "all.json",
        "{\"name\": \"all\", \"kind\": \"source\", \"data\": {\"csv\": \"all.csv\"},"
        " \"dimensions\": [{\"name\": \"q\", \"table\": {\"csv\": \"joined.csv\"}, \"key\": \"q\","
        " \"column\": \"q\", \"levels\": [\"q\"], \"attributes\": [\"rank\", \"grp\"]}],"
        " \"measures\": [{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}]}");
    fixture_write(
        fixture, "twins.json",
        "{\"name\": \"twins\", \"kind\": \"source\", \"data\": {\"csv\": \"twins.csv\"},"
        " \"dimensions\": [{\"name\": \"geo\", \"table\": {\"csv\": \"twins_leaves.csv\"}, \"key\":"
        " \"leaf\", \"column\": \"leaf\", \"levels\": [\"group\", \"leaf\"], \"attributes\": "
        "[\"of\"]}],"
        " \"measures\": [{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}]}");
    fixture_write(fixture, "in_alone.json",
                  "{\"name\": \"in_alone\", \"kind\": \"virtual\", \"primary\": \"j\", \"sources\":"
                  " [{\"cube\": \"j\"}]}");
    fixture_write(
        fixture, "in_finer.json",
        "{\"name\": \"in_finer\", \"kind\": \"virtual\", \"primary\": \"all\", \"sources\":"
        " [{\"cube\": \"all\"}, {\"cube\": \"s\", \"join\": {\"on\": [{\"dim\": \"q\","
        " \"to_dim\": \"part\", \"to_index\": \"q\"}]}}]}");
}

static void write_files(struct fixture *fixture, struct parts *in)
{
    vc_buffer leaves = {0}, joined = {0}, ways = {0}, facts = {0}, primary = {0};
    vc_buffer_put_text(&leaves, "leaf,group,days\n");
    vc_buffer_put_text(&primary, "leaf,n\n");
    vc_buffer_put_text(&joined, "q,rank,grp\n");
    vc_buffer_put_text(&ways, "from,to,weight\nno such,p00,1\n");
    vc_buffer_put_text(&facts, "q,time,value\n");
    for (unsigned p = 0; p < in->nleaves; p++) {
        vc_buffer_printf(&leaves, "p%02u,g%u,%u\n", p, in->group[p], in->days[p]);
        vc_buffer_printf(&primary, "p%02u,1\n", p);
    }
    for (unsigned q = 0; q < in->njoined; q++) {
        vc_buffer_printf(&joined, "q%02u,", q);
        if (in->rank[q] >= 0) vc_buffer_printf(&joined, "%d", in->rank[q]);
        vc_buffer_printf(&joined, ",g%u\n", in->group_of[q]);
        for (unsigned p = 0; p < in->nleaves; p++)
            if (in->is_pair[p][q])
                vc_buffer_printf(&ways, "q%02u,p%02u,%g\n", q, p, in->weight[p][q]);
    }
    for (unsigned i = 0; i < in->nfacts; i++) {
        vc_buffer_printf(&facts, "q%02u,t%u,", in->facts[i].joined, in->facts[i].time);
        if (!in->facts[i].is_null) vc_buffer_printf(&facts, "%d", in->facts[i].value);
        vc_buffer_put_char(&facts, '\n');
    }
    fixture_write(fixture, "leaves.csv", vc_buffer_text(&leaves));
    fixture_write(fixture, "p.csv", vc_buffer_text(&primary));
    fixture_write(fixture, "joined.csv", vc_buffer_text(&joined));
    fixture_write(fixture, "ways.csv", vc_buffer_text(&ways));
    fixture_write(fixture, "j.csv", vc_buffer_text(&facts));
    vc_buffer *all[] = {&leaves, &joined, &ways, &facts, &primary};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        vc_buffer_release(all[i]);
    fixture_write(fixture, "ways.json",
                  "{\"name\": \"ways\", \"kind\": \"crosswalk\", \"data\": {\"csv\": \"ways.csv\"},"
                  " \"from\": \"from\", \"to\": \"to\", \"weight\": \"weight\"}");
    fixture_write(
        fixture, "p.json",
        "{\"name\": \"p\", \"kind\": \"source\", \"data\": {\"csv\": \"p.csv\"},"
        " \"dimensions\": [{\"name\": \"geo\", \"table\": {\"csv\": \"leaves.csv\"}, \"key\":"
        " \"leaf\", \"column\": \"leaf\", \"levels\": [\"group\", \"leaf\"], \"attributes\":"
        " [\"days\"]}], \"measures\": [{\"name\": \"n\", \"type\": \"int\", \"aggregator\":"
        " \"sum\"}]}");
    fixture_write(
        fixture, "j.json",
        "{\"name\": \"j\", \"kind\": \"source\", \"data\": {\"csv\": \"j.csv\"},"
        " \"dimensions\": [{\"name\": \"q\", \"table\": {\"csv\": \"joined.csv\"}, \"key\": \"q\","
        " \"column\": \"q\", \"levels\": [\"q\"], \"attributes\": [\"rank\", \"grp\"]},"
        " {\"name\": \"time\", \"levels\": [\"time\"]}], \"measures\": ["
        "{\"name\": \"sum\", \"column\": \"value\", \"type\": \"int\", \"aggregator\": \"sum\"},"
        "{\"name\": \"count\", \"aggregator\": \"count\"},"
        "{\"name\": \"avg\", \"column\": \"value\", \"type\": \"int\", \"aggregator\": \"avg\"}]}");
    write_nested(fixture, in);
    for (enum cube cube = 0; cube < NCUBES; cube++)
        for (enum nest nest = FLAT; nest <= FINER; nest++)
            write_cube(fixture, in, cube, nest);
    for (enum cube cube = WEIGHTED; cube <= LOOKUP; cube++)
        for (enum nest nest = INSIDE; nest <= TWINS; nest++)
            write_outer(fixture, in, cube, nest);
}

/* ---- what must come out ---- */

struct expected {
    double value;
    char reason;
    bool is_null;
};

struct cell {                 /* of the answer, and the leaves and times in it */
    bool is_in[LEAVES + 1];   /* the last one: the bucket */
    bool is_below, is_bucket; /* rows are leaves; only the bucket's */
    int time;                 /* -1: all */
};

static struct expected null_of(char reason)
{
    return (struct expected){.is_null = true, .reason = reason};
}

/* What a joined leaf counts for in a cell by weights, or by its group's share. */
static double share_of(const struct parts *in, enum cube cube, const struct cell *cell, unsigned q,
                       bool *is_reached, char *mark)
{
    double sum = 0, part = 0, whole = 0;
    bool is_split = cell->is_below;
    *is_reached = false;
    for (unsigned p = 0; p <= LEAVES && cube == WEIGHTED; p++)
        if (cell->is_in[p] && in->is_pair[p][q]) {
            sum += in->weight[p][q];
            *is_reached = true;
        }
    if (cube == WEIGHTED) {
        *mark = fabs(sum - 1) > 1e-9 ? 'a' : 0;
        return sum;
    }
    for (unsigned p = 0; p < in->nleaves; p++) {
        if (in->group[p] != in->group_of[q]) continue;
        whole += in->days[p];
        if (cell->is_in[p]) part += in->days[p];
        if (cell->is_in[p]) *is_reached = true;
        if (!cell->is_in[p]) is_split = true;
    }
    *mark = !is_split ? 0 : cube == REPEATED ? 'r' : 'a';
    return !is_split || cube == REPEATED ? 1 : part / whole;
}

static struct expected count_parts(const struct parts *in, enum cube cube, const struct cell *cell,
                                   int measure)
{
    double sum = 0, count = 0, nrows = 0;
    unsigned nfacts = 0, nvalues = 0;
    bool has_partner = false, is_reached;
    char mark, marks = 0;
    for (unsigned q = 0; q < in->njoined; q++) {
        share_of(in, cube, cell, q, &is_reached, &mark);
        has_partner |= is_reached;
        /* Repeating concerns the cell, sharing out the facts in it. */
        if (is_reached && cube == REPEATED && mark != 0) marks = mark;
    }
    if (!has_partner) return null_of('u');
    for (unsigned i = 0; i < in->nfacts; i++) {
        if (cell->time >= 0 && in->facts[i].time != (unsigned)cell->time) continue;
        double share = share_of(in, cube, cell, in->facts[i].joined, &is_reached, &mark);
        if (!is_reached) continue;
        nfacts++;
        nrows += share;
        if (mark != 0) marks = mark;
        if (in->facts[i].is_null) continue;
        nvalues++;
        sum += share * in->facts[i].value;
        count += share;
    }
    if (measure == COUNT)
        return (struct expected){.value = nrows,
                                 .reason = nfacts > 0 || cube == REPEATED ? marks : 0};
    if (nfacts == 0) return null_of('e');
    if (nvalues == 0) return null_of('n');
    if (measure == AVG && count == 0) return null_of('d');
    return (struct expected){.value = measure == SUM ? sum : sum / count, .reason = marks};
}

static bool comes_first(const struct parts *in, unsigned a, unsigned b)
{
    if (in->rank[a] == in->rank[b]) return a < b;
    if (in->rank[a] < 0 || in->rank[b] < 0) return in->rank[b] < 0;
    return in->rank[a] < in->rank[b];
}

/* The value of one leaf: of its partner, or of all that is in the bucket. */
static struct expected look_up(const struct parts *in, const struct cell *cell, unsigned p,
                               int measure, unsigned *nfacts)
{
    unsigned picked = NOWHERE, nvalues = 0, nrows = 0;
    double sum = 0;
    for (unsigned q = 0; q < in->njoined; q++)
        if (in->is_pair[p][q] && (picked == NOWHERE || comes_first(in, q, picked))) picked = q;
    if (picked == NOWHERE) return null_of('u');
    for (unsigned i = 0; i < in->nfacts; i++) {
        if (cell->time >= 0 && in->facts[i].time != (unsigned)cell->time) continue;
        if (p == LEAVES ? !in->is_pair[p][in->facts[i].joined] : in->facts[i].joined != picked)
            continue;
        nrows++;
        if (in->facts[i].is_null) continue;
        nvalues++;
        sum += in->facts[i].value;
    }
    *nfacts += nrows;
    if (measure == COUNT) return (struct expected){.value = nrows};
    if (nrows == 0) return null_of('e');
    if (nvalues == 0) return null_of('n');
    return (struct expected){.value = measure == SUM ? sum : sum / nvalues};
}

static struct expected put_together(const struct parts *in, const struct cell *cell, int measure)
{
    unsigned nfacts = 0, nvalues = 0, nunits = 0, npartners = 0;
    double sum = 0, least = 0, most = 0;
    for (unsigned p = 0; p <= LEAVES; p++) {
        if (!cell->is_in[p]) continue;
        nunits++;
        struct expected one = look_up(in, cell, p, measure, &nfacts);
        npartners += !one.is_null || one.reason != 'u';
        if (one.is_null) continue;
        sum += one.value;
        if (nvalues == 0 || one.value < least) least = one.value;
        if (nvalues == 0 || one.value > most) most = one.value;
        nvalues++;
    }
    const char *how = reaggregates[in->reaggregate];
    if (npartners == 0) return null_of('u');
    if (nfacts == 0 && measure != COUNT) return null_of('e');
    if (nvalues == 0) return null_of('n');
    if (strcmp(how, "none") == 0 && nunits != 1) return null_of('d');
    if (strcmp(how, "avg") == 0) return (struct expected){.value = sum / nvalues};
    if (strcmp(how, "min") == 0) return (struct expected){.value = least};
    if (strcmp(how, "max") == 0) return (struct expected){.value = most};
    return (struct expected){.value = sum};
}

/* ---- asking ---- */

struct asked {
    enum cube cube;
    enum nest nest;
    int level; /* of geo; -1: rolled up */
    bool by_time, is_cut;
    bool is_in[LEAVES];
};

static const vc_result *ask(struct fixture *fixture, const struct parts *in,
                            const struct asked *asked, const vc_engine_options *options)
{
    static const char *const levels[] = {"group", "leaf"};
    vc_arena *arena = &fixture->arena;
    vc_query query = vc_query_default();
    vc_axis_ref *axes = VC_ARENA_NEW(arena, vc_axis_ref, 2);
    vc_item *items = VC_ARENA_NEW(arena, vc_item, 2 * LEAVES);
    vc_condition *condition = VC_ARENA_NEW(arena, vc_condition, 1);
    vc_condition **conditions = VC_ARENA_NEW(arena, vc_condition *, 1);
    vc_error error = {0};
    const vc_result *result = NULL;
    query.cube = vc_arena_printf(arena, "%s%s", nest_names[asked->nest], cube_names[asked->cube]);
    query.is_sparse = false;
    if (asked->level >= 0)
        axes[query.naxes++].dimref =
            (vc_dimref){.dimension = VC_STR("geo"), .level = vc_str_of(levels[asked->level])};
    if (asked->by_time) axes[query.naxes++].dimref = (vc_dimref){.dimension = VC_STR("time")};
    *condition = (vc_condition){.dimref = {.dimension = VC_STR("geo"), .level = VC_STR("leaf")},
                                .items = items};
    for (unsigned p = 0; p < in->nleaves && asked->is_cut; p++) {
        for (unsigned twin = 0; asked->is_in[p] && twin < 1 + (asked->nest == TWINS); twin++) {
            static const char *const marks[] = {"a", "b"};
            vc_str *key = VC_ARENA_NEW(arena, vc_str, 1);
            *key = vc_arena_printf(arena, "p%02u%s", p, asked->nest == TWINS ? marks[twin] : "");
            items[condition->nitems++] = (vc_item){.kind = VC_ITEM_PATH, .keys = key, .nkeys = 1};
        }
    }
    conditions[0] = condition;
    query.axes = axes;
    query.conditions = conditions;
    query.nconditions = asked->is_cut;
    cr_assert_eq(vc_engine_run(fixture->model, &query, options, arena, &result, &error), VC_OK,
                 "%s: %s", error.code, error.message);
    return result;
}

static struct cell cell_of(const struct parts *in, const struct asked *asked,
                           const vc_result *result, size_t row)
{
    struct cell cell = {.time = -1, .is_below = asked->level == 1};
    size_t axis = 0;
    vc_str key = {0};
    if (asked->level >= 0) {
        const vc_result_axis *geo = &result->axes[axis];
        key = geo->members[result->coords[row * result->naxes + axis++]].keys[geo->nlevels - 1];
        if (asked->nest == TWINS && asked->level == 1 && key.size == 4) key.size = 3;
    }
    if (asked->by_time) {
        const vc_result_axis *time = &result->axes[axis];
        cell.time = time->members[result->coords[row * result->naxes + axis]].keys[0].data[1] - '0';
    }
    for (unsigned p = 0; p < in->nleaves; p++) {
        char name[8];
        snprintf(name, sizeof name, asked->level == 1 ? "p%02u" : "g%u",
                 asked->level == 1 ? p : in->group[p]);
        cell.is_in[p] =
            (asked->level < 0 || vc_str_is(key, name)) && (!asked->is_cut || asked->is_in[p]);
    }
    bool has_bucket = false;
    for (unsigned q = 0; q < in->njoined && asked->cube < ALLOCATED; q++)
        has_bucket |= in->is_pair[LEAVES][q];
    cell.is_in[LEAVES] =
        has_bucket && !asked->is_cut && (asked->level < 0 || vc_str_is(key, "(unmatched:j)"));
    return cell;
}

static void check(const struct parts *in, const struct asked *asked, const vc_result *result,
                  uint64_t seed, unsigned counts[256])
{
    for (size_t row = 0; row < result->nrows; row++) {
        struct cell cell = cell_of(in, asked, result, row);
        for (int m = 0; m < NMEASURES; m++) {
            struct expected expected = asked->cube == LOOKUP
                                           ? put_together(in, &cell, m)
                                           : count_parts(in, asked->cube, &cell, m);
            const vc_cell *actual = &result->cells[row * result->nmeasures + (size_t)m];
            double value =
                result->measures[m].type == VC_VALUE_FLOAT ? actual->as.f : (double)actual->as.i;
            bool is_same = actual->is_null == expected.is_null && actual->reason == expected.reason;
            if (is_same && !expected.is_null)
                is_same = fabs(value - expected.value) <= 1e-9 * (1 + fabs(expected.value));
            cr_assert(is_same,
                      "seed %llu, %s%s, level %d, time %d, cut %d, row %zu, measure %d: %s%g %c, "
                      "not %s%g %c",
                      (unsigned long long)seed, nest_names[asked->nest], cube_names[asked->cube],
                      asked->level, asked->by_time, asked->is_cut, row, m,
                      actual->is_null ? "null " : "", value,
                      actual->reason == 0 ? '-' : actual->reason, expected.is_null ? "null " : "",
                      expected.value, expected.reason == 0 ? '-' : expected.reason);
            counts[(unsigned char)expected.reason]++;
        }
    }
}

/* The same to the last byte, whatever the threads; and the same rows without short cuts. */
static void check_ways(struct fixture *fixture, const struct parts *in, const struct asked *asked,
                       vc_pool *pool, const vc_result *result)
{
    vc_buffer plain = {0}, other = {0};
    vc_engine_options threads = {.pool = pool}, slow = {.is_plain = true};
    fixture_dump(result, &plain);
    fixture_dump(ask(fixture, in, asked, &threads), &other);
    cr_assert_str_eq(vc_buffer_text(&plain), vc_buffer_text(&other));
    vc_buffer_release(&other);
    fixture_dump(ask(fixture, in, asked, &slow), &other);
    cr_assert_str_eq(vc_buffer_text(&plain), vc_buffer_text(&other));
    vc_buffer_release(&other);
    vc_buffer_release(&plain);
}

Test(parts, like_loops, .timeout = 120)
{
    const unsigned nrounds = random_setting("VCUBE_ROUNDS", 60);
    unsigned counts[256] = {0};
    vc_pool *pool = NULL;
    vc_error error = {0};
    cr_assert_eq(vc_pool_new(4, &pool, &error), VC_OK);
    for (uint64_t seed = 1; seed <= nrounds; seed++) {
        struct fixture fixture;
        struct parts in;
        make(&in, seed);
        fixture_open(&fixture);
        write_files(&fixture, &in);
        fixture_need_load(&fixture, false);
        for (unsigned i = 0; i < 24 * NCUBES / 4; i++) {
            struct asked asked = {.cube = i % NCUBES,
                                  .nest = (i / NCUBES + seed) % NNESTS,
                                  .level = (int)(i / NCUBES % 3) - 1,
                                  .by_time = random_chance(&in.random, 40),
                                  .is_cut = random_chance(&in.random, 50)};
            bool is_any = false;
            for (unsigned p = 0; p < in.nleaves; p++)
                is_any |= asked.is_in[p] = random_chance(&in.random, 60);
            asked.is_cut &= is_any;
            if (asked.cube >= ALLOCATED && asked.nest >= INSIDE) asked.nest = FLAT;
            if (in.nfacts == 0) asked.by_time = false;
            const vc_result *result = ask(&fixture, &in, &asked, NULL);
            check(&in, &asked, result, seed, counts);
            check_ways(&fixture, &in, &asked, pool, result);
        }
        fixture_close(&fixture);
    }
    vc_pool_free(pool);
    for (const char *reason = "uedanr"; *reason != '\0'; reason++)
        cr_assert_gt(counts[(unsigned char)*reason], 20, "reason %c", *reason);
    cr_assert_gt(counts[0], 300);
}
