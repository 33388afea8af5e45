/* Calculated members: random definitions over random worlds, whatever is drilled and cut, beside a
 * loop over the facts that replaces coordinates as the semantics say (section 11, (5)): several of
 * one dimension and of two, of each other, solve orders, lists, ratios before and behind them, cuts
 * that name them with other members and other conditions, all totals. VCUBE_ROUNDS and VCUBE_SEED
 * as in test_differential.c. */
#include "slice/lineage.h"
#include "tests/slice/small.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_FACTS = 20, MAX_MEMBERS = 5, MAX_OPERANDS = 4, MAX_TARGETS = 24 };
enum { AMOUNT, LINES, MOST, RATE, LATE, NMEASURES };

struct operand {
    char how;         /* '[' one set of members; or a list: 's'um, 'a'vg, 'm'in, 'M'ax, 'c'ount */
    bool is_zn;       /* zn() around it */
    bool is_negative; /* taken away */
    unsigned ntargets;
    unsigned leaves[MAX_TARGETS]; /* of each target; or: */
    int member[MAX_TARGETS];      /* an earlier calculated member; -1 */
    unsigned ids[MAX_TARGETS];    /* a list has each once */
};

struct member { /* calculated */
    unsigned d, level;
    int solve_order;
    bool is_doubled; /* (...) * 2 */
    unsigned noperands;
    struct operand operands[MAX_OPERANDS];
    char name[8], expr[512];
};

struct calculating {
    uint64_t seed;
    struct random random;
    struct fixture fixture;
    struct small_dimension dimensions[2];
    struct {
        unsigned leaves[2];
        int amount;
    } facts[MAX_FACTS];
    unsigned nfacts, nmembers;
    struct member members[MAX_MEMBERS];
};

/* ---- making ---- */

struct writing {
    char *text;
    size_t size, at;
};

static void put(struct writing *out, const char *text)
{
    out->at += (size_t)snprintf(out->text + out->at, out->size - out->at, "%s", text);
}

static void add_target(struct operand *operand, unsigned id, unsigned leaves, int member)
{
    for (unsigned i = 0; i < operand->ntargets; i++)
        if (operand->ids[i] == id) return;
    operand->ids[operand->ntargets] = id;
    operand->leaves[operand->ntargets] = leaves;
    operand->member[operand->ntargets++] = member;
}

/* One bracket; a list has a target for each member that it stands for. */
static void make_target(struct calculating *in, unsigned number, struct operand *operand,
                        struct writing *out)
{
    struct member *member = &in->members[number];
    const struct small_dimension *of = &in->dimensions[member->d];
    unsigned earlier[MAX_MEMBERS], nearlier = 0;
    for (unsigned i = 0; i < number; i++)
        if (in->members[i].d == member->d) earlier[nearlier++] = i;
    put(out, "[");
    if (nearlier > 0 && random_chance(&in->random, 25)) {
        unsigned other = earlier[random_below(&in->random, nearlier)];
        add_target(operand, 1000 + other, 0, (int)other);
        put(out, in->members[other].name);
    } else if (random_chance(&in->random, 10)) {
        add_target(operand, 2000, small_all(of), -1);
        put(out, "()");
    } else {
        unsigned level = random_below(&in->random, 2),
                 leaf = random_below(&in->random, of->nleaves);
        unsigned any = random_below(&in->random, small_count(of, level));
        unsigned leaves = small_leaves(of, level, any);
        put(out, small_key(of, level, any));
        if (operand->how != '[' && level == 0 && random_chance(&in->random, 50)) {
            for (unsigned l = 0; l < of->nleaves; l++)
                if (leaves >> l & 1) add_target(operand, 100 + l, 1u << l, -1);
            put(out, "/children");
        } else if (operand->how == '[' && random_chance(&in->random, 30)) { /* facts together */
            add_target(operand, 3000, leaves | 1u << leaf, -1);
            put(out, ";");
            put(out, small_key(of, 1, leaf));
        } else {
            add_target(operand, level * 100 + any, leaves, -1);
        }
    }
    put(out, "]");
}

static void make_operand(struct calculating *in, unsigned number, struct writing *out)
{
    static const char hows[] = "[[[[[samMc";
    static const char *const names[] = {"sum", "avg", "min", "max", "count"};
    struct member *member = &in->members[number];
    struct operand *operand = &member->operands[member->noperands];
    operand->how = hows[random_below(&in->random, sizeof hows - 1)];
    operand->is_zn = random_chance(&in->random, 25);
    operand->is_negative = member->noperands > 0 && random_chance(&in->random, 40);
    if (member->noperands++ > 0) put(out, operand->is_negative ? " - " : " + ");
    if (operand->is_zn) put(out, "zn(");
    if (operand->how == '[') {
        make_target(in, number, operand, out);
    } else {
        put(out, names[strchr("samMc", operand->how) - "samMc"]);
        put(out, "(");
        for (unsigned i = 0, n = 1 + random_below(&in->random, 2); i < n; i++) {
            if (i > 0) put(out, ", ");
            make_target(in, number, operand, out);
        }
        put(out, ")");
    }
    if (operand->is_zn) put(out, ")");
}

static void make_member(struct calculating *in)
{
    struct member *member = &in->members[in->nmembers];
    struct writing out = {.text = member->expr, .size = sizeof member->expr};
    member->d = random_below(&in->random, 2);
    member->level = random_below(&in->random, 2);
    member->solve_order = (int)random_below(&in->random, 3);
    member->is_doubled = random_chance(&in->random, 20);
    snprintf(member->name, sizeof member->name, "calc%u", in->nmembers);
    if (member->is_doubled) put(&out, "(");
    for (unsigned i = 0, n = 1 + random_below(&in->random, 3); i < n; i++)
        make_operand(in, in->nmembers, &out);
    if (member->is_doubled) put(&out, ") * 2");
    in->nmembers++;
}

static void write_cube(struct calculating *in)
{
    char text[6000];
    struct writing out = {.text = text, .size = sizeof text};
    put(&out, "g,s,amount\n");
    for (unsigned i = 0; i < in->nfacts; i++) {
        char row[64];
        snprintf(row, sizeof row, "g%u,s%u,%d\n", in->facts[i].leaves[0], in->facts[i].leaves[1],
                 in->facts[i].amount);
        put(&out, row);
    }
    fixture_write(&in->fixture, "f.csv", text);
    out.at = 0;
    put(&out, "{\"name\": \"f\", \"kind\": \"source\", \"data\": {\"csv\": \"f.csv\"}, "
              "\"dimensions\": [{\"use\": \"g\", \"column\": \"g\"}, {\"use\": \"s\", \"column\": "
              "\"s\"}], \"measures\": [{\"name\": \"amount\", \"type\": \"int\", \"aggregator\": "
              "\"sum\"}, {\"name\": \"lines\", \"aggregator\": \"count\"}, {\"name\": \"most\", "
              "\"column\": \"amount\", \"type\": \"int\", \"aggregator\": \"max\"}, {\"name\": "
              "\"rate\", \"expr\": \"amount / lines\"}, {\"name\": \"late\", \"expr\": \"amount / "
              "lines\", \"solve_order\": 9}], \"calculated_members\": [");
    for (unsigned i = 0; i < in->nmembers; i++) {
        const struct member *member = &in->members[i];
        char one[800];
        snprintf(one, sizeof one,
                 "%s{\"dim\": \"%c\", \"name\": \"%s\", \"level\": \"%s\", \"solve_order\": %d, "
                 "\"expr\": \"%s\"}",
                 i > 0 ? ", " : "", in->dimensions[member->d].letter, member->name,
                 small_level(&in->dimensions[member->d], member->level), member->solve_order,
                 member->expr);
        put(&out, one);
    }
    put(&out, "]}");
    fixture_write(&in->fixture, "f.json", text);
}

static void make(struct calculating *in, uint64_t seed)
{
    *in = (struct calculating){.seed = seed, .random = {seed}};
    fixture_open(&in->fixture);
    for (unsigned d = 0; d < 2; d++) {
        small_make_dimension(&in->dimensions[d], "gs"[d], &in -> random);
        small_write_dimension(&in->dimensions[d], &in->fixture);
    }
    in->nfacts = random_below(&in->random, MAX_FACTS);
    for (unsigned i = 0; i < in->nfacts; i++) {
        for (unsigned d = 0; d < 2; d++)
            in->facts[i].leaves[d] = random_below(&in->random, in->dimensions[d].nleaves);
        in->facts[i].amount = 1 + (int)random_below(&in->random, 100);
    }
    for (unsigned i = 0, n = 1 + random_below(&in->random, MAX_MEMBERS); i < n; i++)
        make_member(in);
    write_cube(in);
    fixture_need_load(&in->fixture, false);
}

/* ---- the loop ---- */

struct number {
    bool is_null;
    char reason;
    double value;
};

struct place { /* along a dimension */
    unsigned leaves;
    int member; /* calculated; -1 */
    bool is_several;
};

static struct number value_at(const struct calculating *in, unsigned measure,
                              const struct place places[2], bool *has_facts);

static struct number null_of(char reason)
{
    return (struct number){.is_null = true, .reason = reason};
}

static struct number divide(struct number a, struct number b)
{
    if (a.is_null || b.is_null) return a.is_null ? a : b;
    return b.value == 0 ? null_of('d') : (struct number){.value = a.value / b.value};
}

static struct number value_of_facts(const struct calculating *in, unsigned measure,
                                    const struct place places[2], bool *has_facts)
{
    double sum = 0, most = 0;
    unsigned count = 0;
    for (unsigned i = 0; i < in->nfacts; i++) {
        if (!(places[0].leaves >> in->facts[i].leaves[0] & 1) ||
            !(places[1].leaves >> in->facts[i].leaves[1] & 1))
            continue;
        sum += in->facts[i].amount;
        if (in->facts[i].amount > most) most = in->facts[i].amount;
        count++;
    }
    *has_facts |= count > 0;
    if (measure == LINES) return (struct number){.value = count};
    if (count == 0) return null_of('e');
    if (measure == MOST) return (struct number){.value = most};
    return (struct number){.value = measure == AMOUNT ? sum : sum / count};
}

static struct number value_of_operand(const struct calculating *in, unsigned measure,
                                      const struct member *member, const struct operand *operand,
                                      const struct place places[2], bool *has_facts)
{
    struct number found = null_of('e');
    double sum = 0;
    unsigned count = 0;
    char reason = 0;
    for (unsigned t = 0; t < operand->ntargets; t++) {
        struct place there[2] = {places[0], places[1]};
        there[member->d] =
            (struct place){.leaves = operand->leaves[t], .member = operand->member[t]};
        struct number one = value_at(in, measure, there, has_facts);
        if (operand->how == '[') return one;
        if (one.is_null) {
            if (reason != 'd') reason = one.reason; /* d goes before e */
            continue;
        }
        if (count == 0 || (operand->how == 'm' ? one.value < found.value : one.value > found.value))
            found = one;
        sum += one.value;
        count++;
    }
    if (operand->how == 'c' && (count > 0 || reason != 'd')) return (struct number){.value = count};
    if (count == 0) return null_of(reason == 0 ? 'e' : reason);
    if (operand->how == 's') return (struct number){.value = sum};
    if (operand->how == 'a') return (struct number){.value = sum / count};
    return found;
}

/* Which of the two coordinates is computed last: the higher solve order, of equal ones the later.
 */
static int outermost(const struct calculating *in, const struct place places[2])
{
    int a = places[0].member, b = places[1].member;
    if (a < 0 || b < 0) return a < 0 ? b : a;
    int x = in->members[a].solve_order, y = in->members[b].solve_order;
    return x > y || (x == y && a > b) ? a : b;
}

static struct number value_at(const struct calculating *in, unsigned measure,
                              const struct place places[2], bool *has_facts)
{
    int last = outermost(in, places);
    if (places[0].is_several || places[1].is_several) return null_of('d');
    if (last < 0) return value_of_facts(in, measure == LATE ? RATE : measure, places, has_facts);
    if (measure == LATE)
        return divide(value_at(in, AMOUNT, places, has_facts),
                      value_at(in, LINES, places, has_facts));
    const struct member *member = &in->members[last];
    struct number result = {0};
    for (unsigned o = 0; o < member->noperands; o++) {
        const struct operand *operand = &member->operands[o];
        struct number one = value_of_operand(in, measure, member, operand, places, has_facts);
        if (one.is_null && operand->is_zn) one = (struct number){0};
        if (result.is_null) continue;
        if (one.is_null)
            result = one;
        else
            result.value += operand->is_negative ? -one.value : one.value;
    }
    if (!result.is_null && member->is_doubled) result.value *= 2;
    return result;
}

/* ---- a question ---- */

struct asking {
    struct calculating *in;
    char text[2000];
    unsigned axes[2], levels[2];
    size_t naxes;
    unsigned leaves[2], named[2]; /* what the cuts leave: leaves, calculated members */
    bool is_cut[2];
    const vc_result *result;
    size_t nrows;
};

/* A condition that names calculated members, and others beside them. */
static void make_condition(struct asking *of, unsigned d, struct writing *out)
{
    struct calculating *in = of->in;
    unsigned leaves = 0, named = 0;
    bool restricts = true;
    if (random_chance(&in->random, 50)) {
        put(out, small_cut(&in->dimensions[d], &in->random, &leaves, &restricts));
    } else {
        bool is_negated = random_chance(&in->random, 15);
        put(out, is_negated ? "!" : "");
        put(out, d == 0 ? "g:" : "s:");
        unsigned nitems = 1 + random_below(&in->random, 3);
        for (unsigned i = 0; i < nitems; i++) {
            unsigned number = random_below(&in->random, in->nmembers);
            if (i > 0) put(out, ";");
            if (in->members[number].d == d && random_chance(&in->random, 75)) {
                put(out, in->members[number].name);
                named |= 1u << number;
                continue;
            }
            unsigned level = random_below(&in->random, 2),
                     member = random_below(&in->random, small_count(&in->dimensions[d], level));
            leaves |= small_leaves(&in->dimensions[d], level, member);
            put(out, small_key(&in->dimensions[d], level, member));
        }
        if (is_negated) { /* no calculated member is in a negation */
            leaves = small_all(&in->dimensions[d]) & ~leaves;
            named = 0;
        }
    }
    if (!restricts) return;
    of->leaves[d] &= leaves;
    of->named[d] &= named;
    of->is_cut[d] = true;
}

/* The place of a dimension that is rolled up. */
static struct place rolled_up(const struct asking *of, unsigned d)
{
    struct place place = {.leaves = of->leaves[d], .member = -1};
    if (!of->is_cut[d] || of->leaves[d] != 0 || of->named[d] == 0) return place;
    for (unsigned i = 0; i < of->in->nmembers; i++)
        if (of->named[d] >> i & 1) {
            place.is_several = place.member >= 0;
            if (place.is_several) break;
            place.member = (int)i;
        }
    return place;
}

/* The groups of an axis: members, then calculated ones. */
static bool find_place(const struct asking *of, size_t a, unsigned group, struct place *place,
                       const char **key)
{
    const struct calculating *in = of->in;
    unsigned d = of->axes[a], count = small_count(&in->dimensions[d], of->levels[a]);
    *place = (struct place){.member = -1};
    if (group < count) {
        place->leaves = small_leaves(&in->dimensions[d], of->levels[a], group) & of->leaves[d];
        *key = small_key(&in->dimensions[d], of->levels[a], group);
        return true;
    }
    const struct member *member = &in->members[group - count];
    place->member = (int)(group - count);
    *key = member->name;
    return member->d == d && member->level == of->levels[a] &&
           (!of->is_cut[d] || (of->named[d] >> (group - count) & 1));
}

static void check_row(struct asking *of, const size_t *groups)
{
    struct calculating *in = of->in;
    struct place places[2] = {rolled_up(of, 0), rolled_up(of, 1)};
    struct number numbers[NMEASURES];
    const char *keys[2] = {0};
    bool has_facts = false, has_value = false, is_shown = true, is_whole = true;
    for (size_t a = 0; a < of->naxes; a++) {
        if (groups[a] == SIZE_MAX) continue;
        is_whole = false; /* of the grand total there is a row always */
        is_shown &= find_place(of, a, (unsigned)groups[a], &places[of->axes[a]], &keys[a]);
    }
    if (!is_shown) return;
    for (unsigned m = 0; m < NMEASURES; m++) {
        numbers[m] = value_at(in, m, places, &has_facts);
        has_value |= !numbers[m].is_null && !(m == LINES && numbers[m].value == 0);
    }
    size_t row = small_row(of->result, keys);
    const char *at = keys[0] == NULL ? "()" : keys[0], *and = keys[1] == NULL ? "()" : keys[1];
    cr_assert_eq(row != SIZE_MAX, is_whole || (has_facts && has_value),
                 "seed %llu: %s: a row at %s, %s", (unsigned long long)in->seed, of->text, at, and);
    if (row == SIZE_MAX) return;
    of->nrows++;
    for (unsigned m = 0; m < NMEASURES; m++) {
        const vc_cell *cell = &of->result->cells[row * NMEASURES + m];
        bool is_double = of->result->measures[m].type == VC_VALUE_FLOAT || cell->is_float;
        double found = is_double ? cell->as.f : (double)cell->as.i;
        bool is_same = cell->is_null == numbers[m].is_null && cell->reason == numbers[m].reason;
        if (is_same && !cell->is_null)
            is_same = fabs(found - numbers[m].value) <= 1e-9 * (1 + fabs(found));
        cr_assert(is_same, "seed %llu: %s: measure %u at %s, %s: found %g %c, expected %g %c",
                  (unsigned long long)in->seed, of->text, m, at, and, cell->is_null ? NAN : found,
                  cell->reason == 0 ? ' ' : cell->reason,
                  numbers[m].is_null ? NAN : numbers[m].value,
                  numbers[m].reason == 0 ? ' ' : numbers[m].reason);
    }
}

static void check_grouping(struct asking *of, unsigned kept)
{
    size_t groups[2];
    for (size_t a = 0; a < 2; a++)
        groups[a] = kept >> a & 1 ? 0 : SIZE_MAX;
    for (;;) {
        size_t a = of->naxes;
        check_row(of, groups);
        while (a-- > 0) {
            if (!(kept >> a & 1)) continue;
            size_t count =
                small_count(&of->in->dimensions[of->axes[a]], of->levels[a]) + of->in->nmembers;
            if (++groups[a] < count) break;
            groups[a] = 0;
        }
        if (a == SIZE_MAX) return;
    }
}

/* Why: `cell` shows the value that the query has, made of what its operands are by themselves, or
 * of parts that add up. */
static void check_why(struct asking *of)
{
    static const char *const names[] = {"amount", "lines", "most", "rate", "late"};
    struct calculating *in = of->in;
    for (unsigned m = 0; m < NMEASURES; m++) {
        vc_query query = small_query(&in->fixture, "f", of->text, names[m]);
        const vc_lineage *lineage;
        vc_error error = {0};
        vc_lineage_query why = {.query = &query, .limit = 50};
        query.ntotals = 0;
        vc_status status =
            vc_lineage_run(in->fixture.model, &why, NULL, &in->fixture.arena, &lineage, &error);
        cr_assert_eq(status, VC_OK, "seed %llu: %s: %s", (unsigned long long)in->seed, of->text,
                     error.message);
        const vc_cell *cell = &of->result->summary[m];
        cr_assert(lineage->cell.is_null == cell->is_null && lineage->cell.as.i == cell->as.i,
                  "seed %llu: %s: the cell of %s is another one", (unsigned long long)in->seed,
                  of->text, names[m]);
        cr_assert(lineage->calculated == NULL || lineage->calculated->adds_up,
                  "seed %llu: %s: operands of %s", (unsigned long long)in->seed, of->text,
                  names[m]);
        for (size_t s = 0; s < lineage->nsources; s++)
            cr_assert(!lineage->sources[s].is_checked || lineage->sources[s].adds_up,
                      "seed %llu: %s: parts of %s", (unsigned long long)in->seed, of->text,
                      names[m]);
    }
}

static void ask(struct calculating *in)
{
    struct asking of = {.in = in, .named = {UINT32_MAX, UINT32_MAX}};
    struct writing out = {.text = of.text, .size = sizeof of.text};
    unsigned first = random_below(&in->random, 2);
    put(&out, "measures=amount|lines|most|rate|late");
    for (unsigned i = 0; i < 2; i++) {
        unsigned d = (first + i) % 2;
        if (!random_chance(&in->random, 65)) continue;
        of.axes[of.naxes] = d;
        of.levels[of.naxes] = random_below(&in->random, 2);
        put(&out, of.naxes == 0 ? "&drilldown=" : "|");
        put(&out, d == 0 ? "g:" : "s:");
        put(&out, small_level(&in->dimensions[d], of.levels[of.naxes++]));
    }
    const char *before = "&cut=";
    for (unsigned d = 0; d < 2; d++) {
        of.leaves[d] = small_all(&in->dimensions[d]);
        for (unsigned i = 0, n = random_below(&in->random, 3); i < n; i++) {
            put(&out, before);
            make_condition(&of, d, &out);
            before = "|";
        }
    }
    if (of.naxes > 0) put(&out, "&totals=()");
    if (of.naxes == 2) put(&out, "|g|s");
    for (unsigned way = 0; way < 2; way++) {
        vc_error error = {0};
        vc_engine_options options = {.is_plain = way == 1};
        vc_status status = small_ask(&in->fixture, "f", of.text, &options, &of.result, &error);
        cr_assert_eq(status, VC_OK, "seed %llu: %s: %s", (unsigned long long)in->seed, of.text,
                     error.message);
        of.nrows = 0;
        for (unsigned kept = 0; kept < 1u << of.naxes; kept++)
            check_grouping(&of, kept);
        cr_assert_eq(of.nrows, of.result->nrows, "seed %llu: %s: %zu rows, expected %zu",
                     (unsigned long long)in->seed, of.text, of.result->nrows, of.nrows);
        if (of.naxes == 0 && way == 0) check_why(&of);
    }
}

static void tell(const struct calculating *in)
{
    for (unsigned i = 0; i < in->nmembers; i++)
        fprintf(stderr, "%s of %c at %u, order %d: %s\n", in->members[i].name,
                "gs"[in->members[i].d], in -> members[i].level, in->members[i].solve_order,
                in->members[i].expr);
    for (unsigned i = 0; i < in->nfacts; i++)
        fprintf(stderr, "g%u,s%u,%d\n", in->facts[i].leaves[0], in->facts[i].leaves[1],
                in->facts[i].amount);
    for (unsigned d = 0; d < 2; d++)
        for (unsigned l = 0; l < in->dimensions[d].nleaves; l++)
            fprintf(stderr, "%c%u under %u\n", "gs"[d], l, in -> dimensions[d].above[l]);
}

Test(calculated, random_worlds, .timeout = 3600)
{
    unsigned nrounds = random_setting("VCUBE_ROUNDS", 240) / 4;
    uint64_t first = random_setting("VCUBE_SEED", 1);
    for (unsigned i = 0; i < nrounds; i++) {
        struct calculating in;
        make(&in, first + 840000 + i);
        if (getenv("VCUBE_SHOW") != NULL) tell(&in); /* for a person who looks at a seed */
        for (unsigned q = 0; q < 20; q++)
            ask(&in);
        fixture_close(&in.fixture);
    }
}
