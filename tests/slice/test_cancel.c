/* A query that nobody wants any more ends soon, whatever it is busy with: it looks every so many
 * rows. How long that takes depends on the machine, how often it looks does not: so looks are
 * counted. bench/safety/cancel.c measures the time. */
#include "tests/slice/small.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

enum { NA = 500, NB = 400, NROWS = NA * NB }; /* six times as many as pass between two looks */

struct hook {
    size_t nlooks, cancels_at; /* 0: never */
    size_t nafter;             /* looks that were told already */
};

static bool is_cancelled(void *context)
{
    struct hook *hook = context;
    hook->nlooks++;
    if (hook->cancels_at == 0 || hook->nlooks < hook->cancels_at) return false;
    hook->nafter++;
    return true;
}

static void write_members(struct fixture *fixture, const char *name, char letter, size_t count)
{
    vc_buffer text = {0};
    vc_buffer_put_text(&text, "key,above,colour\n");
    for (size_t i = 0; i < count; i++)
        vc_buffer_printf(&text, "%c%zu,%c%zu,c%zu\n", letter, i, letter - 32, i % 7, i % 3);
    fixture_write(fixture, name, vc_buffer_text(&text));
    vc_buffer_release(&text);
}

static void open_many(struct fixture *fixture)
{
    vc_buffer text = {0};
    fixture_open(fixture);
    write_members(fixture, "a.csv", 'a', NA);
    write_members(fixture, "b.csv", 'b', NB);
    vc_buffer_put_text(&text, "a,b,n,x\n");
    for (size_t i = 0; i < NROWS; i++)
        vc_buffer_printf(&text, "a%zu,b%zu,%zu,%zu.5\n", i / NB, i % NB, i * 7919 % 10007, i % 97);
    fixture_write(fixture, "facts.csv", vc_buffer_text(&text));
    fixture_write(
        fixture, "many.json",
        "{\"name\": \"many\", \"kind\": \"source\", \"data\": {\"csv\": \"facts.csv\"},"
        " \"dimensions\": ["
        "  {\"name\": \"a\", \"table\": {\"csv\": \"a.csv\"}, \"key\": \"key\", \"column\": \"a\","
        "   \"levels\": [\"above\", \"key\"], \"attributes\": [\"colour\"]},"
        "  {\"name\": \"b\", \"table\": {\"csv\": \"b.csv\"}, \"key\": \"key\", \"column\": \"b\","
        "   \"levels\": [\"above\", \"key\"]}],"
        " \"measures\": ["
        "  {\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"},"
        "  {\"name\": \"ids\", \"column\": \"n\", \"type\": \"int\", \"aggregator\": "
        "\"count_distinct\"},"
        "  {\"name\": \"middle\", \"column\": \"x\", \"type\": \"float\", \"aggregator\": "
        "\"median\"},"
        "  {\"name\": \"stock\", \"column\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\","
        "   \"over\": {\"b\": \"avg\"}}]}");
    fixture_need_load(fixture, false);
    vc_buffer_release(&text);
}

static vc_status ask(struct fixture *fixture, const char *parameters, struct hook *hook,
                     vc_error *error)
{
    const vc_result *result;
    vc_engine_options options = {.is_cancelled = is_cancelled, .context = hook};
    return small_ask(fixture, "many", parameters, &options, &result, error);
}

/* With one thread it is always the same number. A loop over rows that no longer looks, or looks
 * less often, makes it smaller. */
static const struct counted {
    const char *parameters;
    size_t nlooks;
} counted[] = {
    {"measures=n", 14},
    {"drilldown=a:key|b:key&measures=n", 200},
    {"drilldown=a:key|b:key&measures=n&order=n:desc&limit=10", 208},
    {"drilldown=a:key|b:key&measures=n&order=b:desc&limit=10", 208},
    {"drilldown=a:key|b:key&measures=n&having=n:gt:10", 207},
    {"drilldown=a:key|b:key&measures=n&top=300:b:n:desc", 212},
    {"drilldown=a:key|b:key&measures=n&top=300:a:n:desc", 211},
    {"drilldown=a:key|b:key&measures=n&top=300:b:n:desc:other", 273},
    {"drilldown=a:key|b:key&measures=n&having=n:gt:10&top=300:b:n:desc:other", 263},
    {"drilldown=a:key|b:key&measures=n&totals=a|b", 224},
    {"drilldown=a:key|b:key&measures=n&having=n:gt:10&totals=a&totals_scope=visible", 280},
    {"drilldown=a:key|b:key&measures=n&sparse=false&nonempty=a", 214},
    {"drilldown=a:key|b:key&measures=n&properties=a.colour", 213},
    {"drilldown=a:key|b:above&measures=ids", 29},
    {"drilldown=a:above&measures=middle", 64},
    {"drilldown=a:key|b:key&measures=middle", 235},
    {"drilldown=a:above&measures=stock", 203},
};

enum { NCOUNTED = sizeof counted / sizeof counted[0] };

Test(cancel, looks_every_so_many_rows)
{
    struct fixture fixture;
    open_many(&fixture);
    for (size_t i = 0; i < NCOUNTED; i++) {
        vc_error error = {0};
        struct hook hook = {0};
        vc_arena_release(&fixture.arena);
        cr_assert_eq(ask(&fixture, counted[i].parameters, &hook, &error), VC_OK, "%s: %s",
                     counted[i].parameters, error.message);
        cr_expect_geq(hook.nlooks, counted[i].nlooks, "%s: %zu looks, expected %zu",
                      counted[i].parameters, hook.nlooks, counted[i].nlooks);
    }
    fixture_close(&fixture);
}

/* Wherever it is cancelled, it says so, and goes no further than what runs beside it: the
 * partitions of a merge, the jobs of a quantile. Nothing is left (the sanitizers). */
Test(cancel, ends_wherever_it_is)
{
    struct fixture fixture;
    open_many(&fixture);
    for (size_t i = 0; i < NCOUNTED; i++) {
        vc_error error = {0};
        struct hook whole = {0};
        cr_assert_eq(ask(&fixture, counted[i].parameters, &whole, &error), VC_OK);
        for (size_t at = 1; at <= whole.nlooks; at += 1 + whole.nlooks / 12) {
            struct hook hook = {.cancels_at = at};
            error = (vc_error){0};
            vc_arena_release(&fixture.arena);
            cr_assert_eq(ask(&fixture, counted[i].parameters, &hook, &error), VC_CANCELLED,
                         "%s at look %zu", counted[i].parameters, at);
            cr_assert_str_eq(error.code, "cancelled");
            cr_assert_leq(hook.nafter, 66, "%s at look %zu: %zu more", counted[i].parameters, at,
                          hook.nafter);
        }
    }
    fixture_close(&fixture);
}
