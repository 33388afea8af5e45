/* The command `explain`, and that the server explains alike. */
#include "tests/house/house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(explain, .timeout = 60);

#define BODY                                                                                       \
    "{\"cube\":\"golden_left\",\"drilldown\":\"country\",\"totals\":\"()\",\"cut\":\"country:FR;"  \
    "DE\""

static char store[HOUSE_PATH];

static void start(void)
{
    if (house_command() == NULL) cr_skip_test("the command is not built");
    house_store("samples/golden", store);
}

/* Run with -d, and the text that comes; the caller releases the run. */
static void run(struct house_run *result, int code, const char *const *arguments)
{
    const char *all[24] = {arguments[0], "-d", store};
    size_t n = 3;
    for (size_t i = 1; arguments[i] != NULL; i++)
        all[n++] = arguments[i];
    house_run(all, NULL, NULL, result);
    cr_assert_eq(result->code, code, "%s: %d %s", arguments[0], result->code,
                 vc_buffer_text(&result->complaint));
}

/* Leave out what differs from run to run and from machine to machine. */
static void mask(const char *text, vc_buffer *masked)
{
    while (*text != '\0') {
        size_t size = strcspn(text, "\n") + 1, indent = strspn(text, " ");
        const char *word = text + indent;
        if (strncmp(word, "kernel ", 7) != 0 && strncmp(word, "time ", 5) != 0)
            vc_buffer_put(masked, text, size);
        text += size;
    }
    vc_buffer_text(masked);
}

Test(explain, same_by_http, .init = start)
{
    struct house_run here;
    struct house_reply there;
    vc_buffer ours = {0}, theirs = {0};
    run(&here, 0,
        (const char *[]){"explain", "golden_left", "--drilldown", "country", "--totals", "()",
                         "--cut", "country:FR;DE", NULL});
    house_explain_http(store, BODY ",\"format\":\"table\"}", &there);
    cr_assert_eq(there.code, 200);
    mask(vc_buffer_text(&here.out), &ours);
    mask(there.text.data, &theirs);
    cr_assert_str_eq(ours.data, theirs.data);
    cr_assert_not_null(strstr(ours.data, "question   cube=golden_left&cut=country:DE;FR&"));
    cr_assert_not_null(strstr(ours.data, "executed   no"));
    cr_assert_not_null(strstr(ours.data, "country.iso2 = city.ciso"));
    vc_buffer_release(&ours);
    vc_buffer_release(&theirs);
    house_run_release(&here);
    house_reply_release(&there);
}

static json_t *json_of(const struct house_run *run)
{
    json_t *json = json_loadb(run->out.data, run->out.size, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(json, "%s", run->out.data);
    return json;
}

static json_int_t number(const json_t *scan, const char *name)
{
    return json_integer_value(json_object_get(scan, name));
}

/* What was promised before is the same, or no less than what it then took. */
static void check_promise(const json_t *before, const json_t *after)
{
    static const char *const same[] = {"source",   "grouping",         "derived", "measures",
                                       "segments", "segments_skipped", "cells",   "steps"},
                             *const bounds[] = {"rows_scanned", "bytes"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        cr_assert(json_equal(json_object_get(before, same[i]), json_object_get(after, same[i])) ||
                      (json_object_get(before, same[i]) == NULL &&
                       json_object_get(after, same[i]) == NULL),
                  "%s", same[i]);
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
        cr_assert_geq(number(before, bounds[i]), number(after, bounds[i]), "%s", bounds[i]);
    cr_assert(json_is_true(json_object_get(after, "derived")) || number(after, "bytes") > 0 ||
              number(after, "rows_kept") == 0);
}

/* Whether something is executed or not, it is translated and estimated alike. */
Test(explain, analyze, .init = start)
{
    struct house_run planned, executed;
    run(&planned, 0,
        (const char *[]){"explain", "golden_left", "--drilldown", "country", "--cut",
                         "country:FR;DE", "--format", "json", NULL});
    run(&executed, 0,
        (const char *[]){"explain", "golden_left", "--drilldown", "country", "--cut",
                         "country:FR;DE", "--format", "json", "--analyze", NULL});
    json_t *before = json_of(&planned), *after = json_of(&executed);
    cr_assert_str_eq(json_string_value(json_object_get(before, "question")),
                     json_string_value(json_object_get(after, "question")));
    json_t *a = json_object_get(before, "explain"), *b = json_object_get(after, "explain");
    cr_assert(json_equal(json_object_get(a, "measures"), json_object_get(b, "measures")));
    cr_assert(json_equal(json_object_get(a, "memory_bytes"), json_object_get(b, "memory_bytes")));
    json_t *before_scans = json_object_get(a, "scans"), *after_scans = json_object_get(b, "scans");
    cr_assert_eq(json_array_size(before_scans), json_array_size(after_scans));
    cr_assert_gt(json_array_size(before_scans), 2);
    for (size_t i = 0; i < json_array_size(before_scans); i++)
        check_promise(json_array_get(before_scans, i), json_array_get(after_scans, i));
    cr_assert(json_is_true(json_object_get(b, "executed")));
    cr_assert_gt(number(json_object_get(b, "ns"), "total"), 0);
    json_decref(before);
    json_decref(after);
    house_run_release(&planned);
    house_run_release(&executed);
}

/* `query --explain` is the answer, to the byte, and then the explanation. */
Test(explain, below_the_answer, .init = start)
{
    struct house_run plain, both;
    run(&plain, 0,
        (const char *[]){"query", "golden_left", "--drilldown", "country", "--format", "table",
                         NULL});
    run(&both, 0,
        (const char *[]){"query", "golden_left", "--drilldown", "country", "--format", "table",
                         "--explain", NULL});
    cr_assert_eq(strncmp(both.out.data, plain.out.data, plain.out.size), 0);
    cr_assert_eq(strncmp(both.out.data + plain.out.size, "\nexecuted ", 10), 0);
    house_run_release(&plain);
    house_run_release(&both);
}

/* The options of a body are the body's; only what concerns the output may stand beside it. */
Test(explain, a_body, .init = start)
{
    struct house_run result;
    vc_buffer input = {.data = (char *)BODY "}", .size = sizeof BODY};
    house_run((const char *[]){"explain", "-d", store, "--body", "-", NULL}, NULL, &input, &result);
    cr_assert_eq(result.code, 0, "%s", vc_buffer_text(&result.complaint));
    cr_assert_eq(strncmp(result.out.data, "cube       golden_left, snapshot 1-", 35), 0);
    house_run_release(&result);
    house_run((const char *[]){"query", "-d", store, "--body", "-", "--explain", NULL}, NULL,
              &input, &result);
    cr_assert_eq(result.code, 0, "%s", vc_buffer_text(&result.complaint));
    cr_assert_not_null(strstr(vc_buffer_text(&result.out), "\"explain\":{"));
    house_run_release(&result);
    house_run((const char *[]){"explain", "-d", store, "--body", "-", "--limit", "1", NULL}, NULL,
              &input, &result);
    cr_assert_eq(result.code, 2);
    house_run_release(&result);
    /* The format is that of the answer which is explained, as over HTTP. */
    vc_buffer csv = {.data = (char *)BODY ",\"format\":\"csv\"}",
                     .size = sizeof BODY ",\"format\":\"csv\"}" - 1};
    house_run((const char *[]){"explain", "-d", store, "--body", "-", NULL}, NULL, &csv, &result);
    cr_assert_eq(result.code, 0, "%s", vc_buffer_text(&result.complaint));
    cr_assert_eq(strncmp(result.out.data, "cube       golden_left, snapshot 1-", 35), 0);
    house_run_release(&result);
}

/* A slip in the name of kernels would go unnoticed, as all give the same answers. */
Test(explain, kernels_by_name, .init = start)
{
    struct house_run result;
    setenv("VCUBE_KERNELS", "Portable", 1);
    run(&result, 0, (const char *[]){"explain", "golden_left", NULL});
    cr_assert_not_null(strstr(vc_buffer_text(&result.out), "kernel     portable, "), "%s",
                       result.out.data);
    house_run_release(&result);
    setenv("VCUBE_KERNELS", "avx3", 1);
    run(&result, 2, (const char *[]){"explain", "golden_left", NULL});
    cr_assert_str_eq(vc_buffer_text(&result.complaint),
                     "vcube: the variable VCUBE_KERNELS is 'avx3'; expected portable, avx2 or "
                     "avx512\n");
    house_run_release(&result);
}

Test(explain, limit_of_memory, .init = start)
{
    static const struct {
        const char *size;
        const char *shown;
    } sizes[] = {{"1", "limit 1 B: the query is refused"},
                 {"2kB", "limit 2.0 kB"},
                 {"512M", "limit 512.0 MB"},
                 {"64Ki", "limit 65.5 kB"},
                 {"3GiB", "limit 3.2 GB"},
                 {"2T", "limit 2.0 TB"}};
    struct house_run result;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        run(&result, 0,
            (const char *[]){"explain", "golden_left", "--drilldown", "country", "--max-memory",
                             sizes[i].size, NULL});
        cr_assert_not_null(strstr(vc_buffer_text(&result.out), sizes[i].shown), "%s: %s",
                           sizes[i].size, result.out.data);
        house_run_release(&result);
    }
    run(&result, 1,
        (const char *[]){"query", "golden_left", "--drilldown", "country", "--max-memory", "1",
                         NULL});
    cr_assert_not_null(strstr(vc_buffer_text(&result.complaint), "memory"));
    cr_assert_eq(result.out.size, 0);
    house_run_release(&result);
}
