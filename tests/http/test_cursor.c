/* Cursors: the text, and lists that are read page by page while loads come between. */
#include "fixture.h"
#include "http/cursor.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the text ---- */

Test(cursor, round_trip_and_damage)
{
    vc_arena arena = {0};
    vc_cursor made = {.question = 0x1122334455667788,
                      .definition = UINT64_MAX,
                      .numbering = 3,
                      .order = 4,
                      .ngiven = 70,
                      .nreal = 69,
                      .has_after = true,
                      .after = {1, 4000000000u},
                      .snapshot = VC_STR("12-ab3f"),
                      .nkeys = 3,
                      .keys = {VC_STR("Europe"), VC_STR(""), {0}}};
    vc_cursor read;
    vc_buffer text = {0};
    vc_cursor_put(&text, &made);
    cr_assert(vc_cursor_read((vc_str){text.data, text.size}, &arena, &read));
    cr_assert_eq(read.question, made.question);
    cr_assert_eq(read.definition, made.definition);
    cr_assert(read.numbering == 3 && read.order == 4 && read.ngiven == 70 && read.nreal == 69);
    cr_assert(read.has_after && read.after.level == 1 && read.after.member == 4000000000u);
    cr_assert(vc_str_is(read.snapshot, "12-ab3f"));
    cr_assert(read.nkeys == 3 && vc_str_is(read.keys[0], "Europe"));
    cr_assert(read.keys[1].size == 0 && !vc_str_is_null(read.keys[1]));
    cr_assert(vc_str_is_null(read.keys[2]));
    /* Whatever happens to one letter, or to the end. */
    for (size_t i = 0; i < text.size; i++) {
        static const char others[] = "A_z9=+%";
        for (const char *other = others; *other != '\0'; other++) {
            char was = text.data[i];
            if (was == *other) continue;
            text.data[i] = *other;
            cr_assert(!vc_cursor_read((vc_str){text.data, text.size}, &arena, &read), "%zu %c", i,
                      *other);
            text.data[i] = was;
        }
        cr_assert(!vc_cursor_read((vc_str){text.data, i}, &arena, &read));
    }
    vc_buffer_put_char(&text, 'A');
    cr_assert(!vc_cursor_read((vc_str){text.data, text.size}, &arena, &read));
    vc_buffer_release(&text);
    vc_arena_release(&arena);
}

/* ---- a cube that changes ---- */

enum { NITEMS = 240, PAGE = 7 };

static test_server server;
static char folder[64];

/* How items are keyed and sorted. */
enum kind { BY_TEXT, BY_NUMBER, BY_COLUMN };

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static void put_key(vc_buffer *out, enum kind kind, size_t item)
{
    vc_buffer_printf(out, kind == BY_NUMBER ? "%zu" : "k%zu,x", item * 13 % 1000);
}

/* The items that are there, each in a group, with facts that differ from load to load. */
static void load(enum kind kind, const bool *is_there, unsigned version)
{
    vc_buffer items = {0}, facts = {0}, definition = {0};
    vc_buffer_printf(
        &definition,
        "{\"name\":\"shop\",\"kind\":\"source\",\"data\":{\"csv\":\"facts.csv\"},"
        "\"dimensions\":[{\"name\":\"item\",\"table\":{\"csv\":\"items.csv\"},"
        "\"key\":\"id\",\"column\":\"item\",\"levels\":[{\"name\":\"group\"},"
        "{\"name\":\"item\",\"key\":\"id\",\"label\":\"name\"%s}],\"attributes\":[\"place\"]}],"
        "\"measures\":[{\"name\":\"n\",\"type\":\"int\",\"column\":\"n\","
        "\"aggregator\":\"sum\"}]}",
        kind == BY_COLUMN ? ",\"order\":\"place\"" : "");
    vc_buffer_put_text(&items, "id,group,name,place\n");
    vc_buffer_put_text(&facts, "item,n\n");
    for (size_t i = 0; i < NITEMS; i++) {
        if (!is_there[i]) continue;
        vc_buffer_put_text(&items, "\"");
        put_key(&items, kind, i);
        vc_buffer_printf(&items, "\",g%zu,Name %zu%s,%zu\n", i % 5, i, i % 3 == 0 ? " even" : "",
                         (i * 7) % 101);
        vc_buffer_put_text(&facts, "\"");
        put_key(&facts, kind, i);
        vc_buffer_printf(&facts, "\",%u\n", version);
    }
    write_file("shop.json", vc_buffer_text(&definition));
    write_file("items.csv", vc_buffer_text(&items));
    write_file("facts.csv", vc_buffer_text(&facts));
    fixture_load(&server, folder);
    vc_buffer_release(&items);
    vc_buffer_release(&facts);
    vc_buffer_release(&definition);
}

static void start_shop(void)
{
    snprintf(folder, sizeof folder, "/tmp/vcube-cursor-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    fixture_start(&server, NULL, NULL);
}

static void stop_shop(void)
{
    static const char *const names[] = {"shop.json", "items.csv", "facts.csv"};
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    fixture_stop(&server);
}

TestSuite(cursor_served, .init = start_shop, .fini = stop_shop, .timeout = 120);

#define MEMBERS "/v1/cubes/shop/dimensions/item/members"

/* How often each item was given, in the order of the numbers in their labels. */
static void count_items(const json_t *page, unsigned given[NITEMS])
{
    size_t i;
    json_t *member;
    json_array_foreach(json_object_get(page, "members"), i, member)
        given[strtoul(text_of(member, "label") + 5, NULL, 10)]++;
}

/* Change about a tenth of the items; what is not there at some time is not `always`. */
static void change(bool *is_there, bool *always)
{
    for (size_t i = 0; i < NITEMS; i++)
        if (rand() % 10 == 0) {
            is_there[i] = !is_there[i];
            always[i] = false;
        }
}

/* Read all pages, with loads between; false when the cursor expired. */
static bool page_through(enum kind kind, const char *question, bool (*fits)(size_t item),
                         unsigned nloads_max, bool changes)
{
    bool is_there[NITEMS], always[NITEMS], ever[NITEMS];
    unsigned given[NITEMS] = {0};
    char target[4096];
    for (size_t i = 0; i < NITEMS; i++)
        ever[i] = always[i] = is_there[i] = rand() % 4 > 0;
    load(kind, is_there, 0);
    snprintf(target, sizeof target, MEMBERS "?limit=%d%s", PAGE, question);
    for (unsigned npages = 0; npages < 200; npages++) {
        test_answer answer;
        ask(server.port, "GET", target, NULL, NULL, &answer);
        bool is_expired = answer.status == 410;
        if (is_expired) {
            cr_assert_not_null(strstr(answer.body.data, "expired_cursor"));
            answer_release(&answer);
            return false;
        }
        cr_assert_eq(answer.status, 200, "%s: %s", target, answer.body.data);
        json_t *page = json_loads(answer.body.data, 0, NULL);
        count_items(page, given);
        const char *next = json_string_value(json_object_get(page, "next"));
        size_t nmembers = json_array_size(json_object_get(page, "members"));
        cr_assert(next == NULL || nmembers == PAGE);
        cr_assert_eq(next == NULL, answer_header(&answer, "Link")[0] == '\0');
        if (next != NULL)
            snprintf(target, sizeof target, MEMBERS "?limit=%d%s&cursor=%s", PAGE, question, next);
        bool is_last = next == NULL;
        json_decref(page);
        answer_release(&answer);
        if (is_last) break;
        for (unsigned i = (unsigned)rand() % (nloads_max + 1); i > 0; i--) {
            if (changes) change(is_there, always);
            for (size_t item = 0; item < NITEMS; item++)
                ever[item] |= is_there[item];
            load(kind, is_there, 1 + (unsigned)rand());
        }
    }
    for (size_t i = 0; i < NITEMS; i++) {
        cr_assert_leq(given[i], 1, "item %zu was given %u times", i, given[i]);
        if (always[i] && fits(i)) cr_assert_eq(given[i], 1, "item %zu was not given", i);
        if (!ever[i] || !fits(i)) cr_assert_eq(given[i], 0);
    }
    return true;
}

static bool all(size_t item)
{
    (void)item;
    return true;
}

static bool in_g2(size_t item)
{
    return item % 5 == 2;
}

static bool is_even(size_t item)
{
    return item % 3 == 0;
}

static const struct {
    const char *question;
    bool (*fits)(size_t item);
} questions[] = {
    {"&level=item", all},
    {"&parent=g2", in_g2},
    {"&level=item&q=EVEN&properties=place", is_even},
};

enum { NQUESTIONS = sizeof questions / sizeof questions[0] };

/* Few loads come: the snapshot is there to the end, whatever the order is. */
Test(cursor_served, snapshot_is_kept)
{
    srand(5);
    for (int kind = BY_TEXT; kind <= BY_COLUMN; kind++)
        for (size_t q = 0; q < NQUESTIONS; q++) {
            bool is_there[NITEMS], always[NITEMS];
            unsigned given[NITEMS] = {0};
            for (size_t i = 0; i < NITEMS; i++)
                is_there[i] = i % 9 > 0;
            load((enum kind)kind, is_there, 0);
            char target[4096], first[32] = "";
            snprintf(target, sizeof target, MEMBERS "?limit=%d%s", PAGE, questions[q].question);
            for (unsigned npages = 0; target[0] != '\0'; npages++) {
                json_t *page = get_json(server.port, target);
                count_items(page, given);
                if (npages == 0) snprintf(first, sizeof first, "%s", text_of(page, "snapshot"));
                cr_assert_str_eq(text_of(page, "snapshot"), first);
                cr_assert_eq(json_integer_value(json_object_get(page, "offset")), PAGE * npages);
                const char *next = json_string_value(json_object_get(page, "next"));
                if (next == NULL) target[0] = '\0';
                if (next != NULL)
                    snprintf(target, sizeof target, MEMBERS "?limit=%d%s&cursor=%s", PAGE,
                             questions[q].question, next);
                json_decref(page);
                bool later[NITEMS];
                memcpy(later, is_there, sizeof later);
                change(later, always);
                if (npages < 6) load((enum kind)kind, later, npages);
            }
            for (size_t i = 0; i < NITEMS; i++)
                cr_assert_eq(given[i], is_there[i] && questions[q].fits(i), "item %zu: %u", i,
                             given[i]);
        }
}

/* Many loads come between two pages, so that snapshots go: by the keys. */
Test(cursor_served, snapshot_is_gone)
{
    srand(6);
    for (int kind = BY_TEXT; kind <= BY_NUMBER; kind++)
        for (size_t q = 0; q < NQUESTIONS; q++)
            cr_assert(
                page_through((enum kind)kind, questions[q].question, questions[q].fits, 11, true));
}

/* What is sorted by a column says so when it cannot go on, and never lists too much or too little.
 */
Test(cursor_served, sorted_by_a_column)
{
    unsigned nexpired = 0;
    srand(7);
    for (int i = 0; i < 4; i++)
        nexpired += !page_through(BY_COLUMN, "&level=item", all, 11, true);
    cr_assert_gt(nexpired, 0);
    /* Loads that change no member do not matter, however many. */
    cr_assert(page_through(BY_COLUMN, "&level=item", all, 11, false));
}

/* ---- what a cursor is for ---- */

static void check_refused(const char *format, const char *cursor, const char *code)
{
    char target[4096];
    test_answer answer;
    snprintf(target, sizeof target, format, cursor);
    ask(server.port, "GET", target, NULL, NULL, &answer);
    cr_assert_eq(answer.status, 400, "%s: %u", target, answer.status);
    json_t *problem = json_loads(answer.body.data, 0, NULL);
    cr_assert_str_eq(text_of(problem, "code"), code, "%s", target);
    json_decref(problem);
    answer_release(&answer);
}

Test(cursor_served, of_another_list)
{
    bool is_there[NITEMS];
    char cursor[4096], target[4096], link[4200];
    memset(is_there, 1, sizeof is_there);
    load(BY_TEXT, is_there, 0);
    test_answer answer;
    ask(server.port, "GET", MEMBERS "?q=name&level=item&limit=3", NULL, NULL, &answer);
    snprintf(link, sizeof link, "%s", answer_header(&answer, "Link"));
    json_t *page = json_loads(answer.body.data, 0, NULL);
    snprintf(cursor, sizeof cursor, "%s", text_of(page, "next"));
    snprintf(target, sizeof target,
             "<" MEMBERS "?q=name&level=item&limit=3&cursor=%s>; rel=\"next\"", cursor);
    cr_assert_str_eq(link, target);
    json_decref(page);
    answer_release(&answer);
    /* Another size of pages is the same list. */
    snprintf(target, sizeof target, MEMBERS "?level=item&limit=1000&q=name&cursor=%s", cursor);
    page = get_json(server.port, target);
    cr_assert_eq(json_array_size(json_object_get(page, "members")), NITEMS - 3);
    cr_assert_eq(json_integer_value(json_object_get(page, "total")), NITEMS);
    cr_assert(json_is_null(json_object_get(page, "next")));
    json_decref(page);
    check_refused(MEMBERS "?level=item&cursor=%s", cursor, "bad_cursor");
    check_refused(MEMBERS "?level=group&q=name&cursor=%s", cursor, "bad_cursor");
    check_refused(MEMBERS "?level=item&q=Name&cursor=%s", cursor, "bad_cursor");
    check_refused(MEMBERS "?level=item&q=name&match=prefix&cursor=%s", cursor, "bad_cursor");
    check_refused(MEMBERS "?level=item&q=name&parent=g1&cursor=%s", cursor, "bad_cursor");
    check_refused(MEMBERS "?level=item&q=name&properties=place&cursor=%s", cursor, "bad_cursor");
    check_refused(MEMBERS "?level=item&q=name&offset=3&cursor=%s", cursor, "bad_parameter");
    check_refused(MEMBERS "?level=item&q=name&cursor=%sA", cursor, "bad_cursor");
    check_refused(MEMBERS "?level=item&q=name&cursor=%s", "", "bad_cursor");
    check_refused(MEMBERS "?level=item&q=name&cursor=x%s", cursor, "bad_cursor");
}

/* Behind the members of the data stand buckets and what is calculated. */
Test(cursor_served, synthetic_and_calculated)
{
    static const char *const cubes[] = {"golden_full/dimensions/country",
                                        "golden_right/dimensions/country", "world/dimensions/geo"};
    fixture_load(&server, "samples/golden");
    fixture_load(&server, "samples/world");
    for (size_t c = 0; c < 3; c++)
        for (unsigned offset = 0; offset < 8; offset++) {
            char target[4096];
            snprintf(target, sizeof target, "/v1/cubes/%s/members?limit=1000", cubes[c]);
            json_t *whole = get_json(server.port, target),
                   *all_members = json_object_get(whole, "members");
            size_t at = offset;
            snprintf(target, sizeof target, "/v1/cubes/%s/members?limit=2&offset=%u", cubes[c],
                     offset);
            while (target[0] != '\0') {
                json_t *page = get_json(server.port, target), *member;
                size_t i;
                json_array_foreach(json_object_get(page, "members"), i, member) cr_assert(
                    json_equal(member, json_array_get(all_members, at++)), "%s %zu", cubes[c], at);
                cr_assert_eq(json_integer_value(json_object_get(page, "total")),
                             json_integer_value(json_object_get(whole, "total")));
                const char *next = json_string_value(json_object_get(page, "next"));
                target[0] = '\0';
                if (next != NULL)
                    snprintf(target, sizeof target, "/v1/cubes/%s/members?limit=2&cursor=%s",
                             cubes[c], next);
                json_decref(page);
            }
            if (offset < json_array_size(all_members))
                cr_assert_eq(at, json_array_size(all_members));
            json_decref(whole);
        }
}
