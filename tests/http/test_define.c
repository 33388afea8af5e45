/* PUT and DELETE of cubes, and their definitions. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JSON "application/json"

static test_server server;

static const char SALES[] =
    "{ \"name\": \"sales\", \"kind\": \"source\",\n"
    "  \"dimensions\": [{\"name\": \"geo\", \"levels\": [{\"name\": \"country\"}]}],\n"
    "  \"measures\": [{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}] }\n";

static void start(void)
{
    fixture_start(&server, "samples/golden", NULL);
}

static void stop(void)
{
    fixture_stop(&server);
}

TestSuite(http_define, .init = start, .fini = stop, .timeout = 60);

static json_t *put(const char *target, const char *extra, const char *body, unsigned status)
{
    test_answer answer;
    send_body(server.port, "PUT", target, extra, JSON, body, strlen(body), &answer);
    return json_of(&answer, status);
}

static json_t *drop(const char *target, const char *extra, unsigned status)
{
    test_answer answer;
    ask(server.port, "DELETE", target, extra, NULL, &answer);
    return json_of(&answer, status);
}

static void load(const char *cube, const char *csv)
{
    test_answer answer;
    char target[96];
    snprintf(target, sizeof target, "/v1/cubes/%s/load", cube);
    send_body(server.port, "POST", target, NULL, "text/csv", csv, strlen(csv), &answer);
    json_decref(json_of(&answer, 200));
}

static json_int_t total(const char *cube, const char *measure)
{
    char target[128];
    snprintf(target, sizeof target, "/v1/cubes/%s/aggregate?measures=%s", cube, measure);
    json_t *json = get_json(server.port, target);
    json_int_t value =
        json_integer_value(json_object_get(json_object_get(json, "summary"), measure));
    json_decref(json);
    return value;
}

static unsigned status_of(const char *method, const char *target)
{
    test_answer answer;
    ask(server.port, method, target, NULL, NULL, &answer);
    unsigned status = answer.status;
    answer_release(&answer);
    return status;
}

static void get_tag(const char *target, char tag[64])
{
    test_answer answer;
    ask(server.port, "GET", target, NULL, NULL, &answer);
    cr_assert_eq(answer.status, 200);
    snprintf(tag, 64, "%s", answer_header(&answer, "ETag"));
    answer_release(&answer);
}

Test(http_define, a_cube)
{
    test_answer answer;
    send_body(server.port, "PUT", "/v1/cubes/sales", NULL, JSON, SALES, strlen(SALES), &answer);
    cr_assert_eq(answer.status, 201);
    char tag[64], snapshot[64];
    snprintf(tag, sizeof tag, "%s", answer_header(&answer, "ETag"));
    snprintf(snapshot, sizeof snapshot, "%s", answer_header(&answer, "X-Snapshot"));
    json_t *json = json_of(&answer, 201);
    cr_assert(json_is_true(json_object_get(json, "created")));
    cr_assert_str_eq(text_of(json, "snapshot"), snapshot);
    json_decref(json);
    /* as it was written, byte for byte */
    ask(server.port, "GET", "/v1/cubes/sales/definition", NULL, NULL, &answer);
    cr_assert_eq(answer.status, 200);
    cr_assert_str_eq(answer.body.data, SALES);
    cr_assert_str_eq(answer_header(&answer, "ETag"), tag);
    answer_release(&answer);
    json = get_json(server.port, "/v1/cubes/sales");
    cr_assert_str_eq(text_of(json, "kind"), "source");
    json_decref(json);
    char extra[96];
    snprintf(extra, sizeof extra, "If-None-Match: %s\r\n", tag);
    ask(server.port, "GET", "/v1/cubes/sales/definition", extra, NULL, &answer);
    cr_assert_eq(answer.status, 304);
    answer_release(&answer);
}

/* A definition without data keeps the facts that fit, and never drops them in silence. */
Test(http_define, again)
{
    static const char labelled[] =
        "{\"name\":\"sales\",\"kind\":\"source\",\"label\":\"Sales\","
        "\"dimensions\":[{\"name\":\"geo\",\"levels\":[{\"name\":\"country\"}]}],"
        "\"measures\":[{\"name\":\"n\",\"type\":\"int\",\"aggregator\":\"sum\",\"unit\":\"t\"}]}";
    static const char other[] =
        "{\"name\":\"sales\",\"kind\":\"source\","
        "\"dimensions\":[{\"name\":\"geo\",\"levels\":[{\"name\":\"country\"}]}],"
        "\"measures\":[{\"name\":\"n\",\"type\":\"decimal(2)\",\"aggregator\":\"sum\"}]}";
    json_decref(put("/v1/cubes/sales", NULL, SALES, 201));
    load("sales", "country,n\nFR,3\nDE,4\n");
    json_t *json = put("/v1/cubes/sales", NULL, labelled, 200);
    cr_assert(json_is_false(json_object_get(json, "created")));
    json_decref(json);
    cr_assert_eq(total("sales", "n"), 7);
    json = put("/v1/cubes/sales", NULL, other, 409);
    cr_assert_str_eq(text_of(json, "code"), "append_mismatch");
    cr_assert_str_eq(text_of(json, "pointer"), "/measures/0");
    cr_assert_not_null(strstr(text_of(json, "detail"), "facts=drop"));
    json_decref(json);
    cr_assert_eq(total("sales", "n"), 7);
    json_decref(put("/v1/cubes/sales?facts=drop", NULL, other, 200));
    cr_assert_eq(total("sales", "n"), 0);
    load("sales", "country,n\nFR,0.25\n");
}

/* A virtual cube over cubes that were sent, with a shared dimension and a crosswalk beside. */
Test(http_define, together)
{
    static const char both[] =
        "[ {\"name\": \"place\", \"kind\": \"dimension\", \"levels\": [\"country\"]},\n"
        "  {\"name\": \"a\", \"kind\": \"source\", \"label\": \"[\\\"],{\",\n"
        "   \"dimensions\": [{\"use\": \"place\"}],\n"
        "   \"measures\": [{\"name\": \"n\", \"type\": \"int\", \"aggregator\": \"sum\"}]} ]";
    static const char second[] =
        "{\"name\":\"b\",\"kind\":\"source\",\"dimensions\":[{\"use\":\"place\"}],"
        "\"measures\":[{\"name\":\"m\",\"type\":\"int\",\"aggregator\":\"sum\"}]}";
    static const char virtual
        [] = "{\"name\":\"v\",\"kind\":\"virtual\",\"primary\":\"a\",\"sources\":["
             "{\"alias\":\"a\",\"cube\":\"a\"},{\"alias\":\"b\",\"cube\":\"b\",\"join\":{\"kind\":"
             "\"left\","
             "\"on\":[{\"dim\":\"place\",\"index\":\"country\",\"to_dim\":\"place\",\"to_index\":"
             "\"country\"}]}}],"
             "\"measures\":[{\"name\":\"n\",\"source\":\"a\",\"measure\":\"n\"},"
             "{\"name\":\"m\",\"source\":\"b\",\"measure\":\"m\"}]}";
    json_t *json = put("/v1/cubes/a", NULL, both, 201);
    cr_assert_eq(json_array_size(json_object_get(json, "objects")), 2);
    json_decref(json);
    json_decref(put("/v1/cubes/b", NULL, second, 201));
    json_decref(put("/v1/cubes/v", NULL, virtual, 201));
    load("a", "country,n\nFR,1\nDE,2\n");
    load("b", "country,m\nFR,10\nJP,5\n");
    cr_assert_eq(total("v", "n"), 3);
    cr_assert_eq(total("v", "m"), 10);
    /* what is needed is protected, by name */
    json = drop("/v1/cubes/a", NULL, 409);
    cr_assert_str_eq(text_of(json, "code"), "has_dependents");
    cr_assert_not_null(strstr(text_of(json, "detail"), "'v'"));
    json_decref(json);
    cr_assert_eq(total("v", "n"), 3);
    /* a change of a source that the virtual cube would not survive */
    json = put("/v1/cubes/a?facts=drop", NULL,
               "{\"name\":\"a\",\"kind\":\"source\",\"dimensions\":[{\"use\":\"place\"}],"
               "\"measures\":[{\"name\":\"k\",\"type\":\"int\",\"aggregator\":\"sum\"}]}",
               409);
    cr_assert_null(json_object_get(json, "pointer"), "a place in another definition");
    cr_assert_not_null(strstr(text_of(json, "detail"), "'v'"));
    json_decref(json);
    cr_assert_eq(total("v", "n"), 3);
    json_decref(drop("/v1/cubes/a?force=true", NULL, 200));
    cr_assert_eq(status_of("GET", "/v1/cubes/a"), 404);
    json_decref(drop("/v1/cubes/v", NULL, 200));
    json_decref(drop("/v1/cubes/b", NULL, 200));
    json_decref(drop("/v1/cubes/b", NULL, 404));
}

/* ---- conditions ---- */

Test(http_define, on_condition)
{
    char extra[96], tag[64], model[64];
    json_decref(put("/v1/cubes/sales", "If-Match: *\r\n", SALES, 412));
    cr_assert_eq(status_of("GET", "/v1/cubes/sales"), 404);
    json_decref(put("/v1/cubes/sales", "If-None-Match: *\r\n", SALES, 201));
    json_t *json = put("/v1/cubes/sales", "If-None-Match: *\r\n", SALES, 412);
    cr_assert_str_eq(text_of(json, "code"), "precondition_failed");
    json_decref(json);
    get_tag("/v1/cubes/sales/definition", tag);
    get_tag("/v1/cubes/sales", model);
    snprintf(extra, sizeof extra, "If-Match: \"x\", %s\r\n", model);
    json_decref(put("/v1/cubes/sales", extra, SALES, 200));
    json_decref(put("/v1/cubes/sales", extra, SALES, 412)); /* another snapshot */
    snprintf(extra, sizeof extra, "If-Match: %s\r\n", tag);
    json_decref(put("/v1/cubes/sales", extra, SALES, 200));
    char changed[sizeof SALES + 32];
    snprintf(changed, sizeof changed, " %s", SALES);
    json_decref(put("/v1/cubes/sales", extra, changed, 200));
    json_decref(put("/v1/cubes/sales", extra, SALES, 412)); /* somebody else has changed it */
    json_decref(drop("/v1/cubes/sales", extra, 412));
    snprintf(extra, sizeof extra, "If-Match: W/%s\r\n", tag);
    json_decref(drop("/v1/cubes/sales", extra, 412)); /* weak ones never match */
    json_decref(drop("/v1/cubes/sales", "If-Match: *\r\n", 200));
}

/* ---- what is refused ---- */

struct refused_case {
    char target[48], body[200];
    unsigned status;
    char code[24], pointer[24];
    int line;
};

#define DIMENSIONS "\"dimensions\":[{\"name\":\"d\",\"levels\":[\"d\"]}]"
#define MEASURES   "\"measures\":[{\"name\":\"n\",\"aggregator\":\"count\"}]"

ParameterizedTestParameters(http_define, refused)
{
    static struct refused_case cases[] = {
        {"/v1/cubes/x", "{", 400, "json", "", 1},
        {"/v1/cubes/x", "[]", 400, "bad_value", "", 0},
        {"/v1/cubes/x", "7", 400, "bad_type", "", 1},
        {"/v1/cubes/x", "[7]", 400, "bad_type", "/0", 1},
        {"/v1/cubes/x", "{\"name\":\"x\",\"kind\":\"sauce\"}", 400, "bad_value", "/kind", 1},
        {"/v1/cubes/x", "{\"name\":\"x\",\"kind\":\"source\",\n\"dims\":[]}", 400, "unknown_field",
         "/dims", 2},
        {"/v1/cubes/x", "[\n\n {\"name\":\"x\",\"kind\":\"source\",\n\"dims\":[]}]", 400,
         "unknown_field", "/0/dims", 4},
        {"/v1/cubes/x", "{\"name\":\"y\",\"kind\":\"source\"," DIMENSIONS "," MEASURES "}", 400,
         "bad_value", "/name", 0},
        {"/v1/cubes/x", "[{\"name\":\"x\",\"kind\":\"dimension\",\"levels\":[\"d\"]}]", 400,
         "bad_value", "", 0},
        {"/v1/cubes/x",
         "{\"name\":\"x\",\"kind\":\"source\",\"data\":{\"csv\":\"a.csv\"}," DIMENSIONS "," MEASURES
         "}",
         422, "no_data_folder", "/data/csv", 1},
        {"/v1/cubes/x",
         "{\"name\":\"x\",\"kind\":\"source\",\"data\":{\"csv\":\"-\"}," DIMENSIONS "," MEASURES
         "}",
         422, "no_data_folder", "/data/csv", 1},
        {"/v1/cubes/x",
         "{\"name\":\"x\",\"kind\":\"source\",\"dimensions\":[{\"use\":\"q\"}]," MEASURES "}", 404,
         "unknown_dimension", "/dimensions/0/use", 1},
        {"/v1/cubes/x",
         "{\"name\":\"x\",\"kind\":\"virtual\",\"primary\":\"a\",\"sources\":[{\"alias\":\"a\","
         "\"cube\":\"cites\"},{\"alias\":\"b\",\"cube\":\"stats\"}],\"measures\":[]}",
         404, "unknown_cube", "/sources/0/cube", 1},
        {"/v1/cubes/x?facts=lose", "{}", 400, "bad_parameter", "facts:0", 0},
        {"/v1/cubes/x?fact=keep", "{}", 400, "unknown_parameter", "fact", 0},
    };
    return cr_make_param_array(struct refused_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct refused_case *c, http_define, refused)
{
    json_t *before = get_json(server.port, "/v1/snapshots");
    json_t *problem = put(c->target, NULL, c->body, c->status);
    if (c->code[0] != '\0') cr_assert_str_eq(text_of(problem, "code"), c->code);
    if (c->line >= 0) {
        cr_assert_str_eq(text_of(problem, "pointer"), c->pointer, "%s",
                         text_of(problem, "pointer"));
        cr_assert_eq(json_integer_value(json_object_get(problem, "line")), c->line);
    }
    cr_assert_null(json_object_get(problem, "definition"));
    json_t *after = get_json(server.port, "/v1/snapshots");
    cr_assert(json_equal(before, after));
    json_decref(problem);
    json_decref(before);
    json_decref(after);
}

Test(http_define, type_and_origin)
{
    test_answer answer;
    send_body(server.port, "PUT", "/v1/cubes/sales", NULL, "text/plain", SALES, strlen(SALES),
              &answer);
    json_decref(json_of(&answer, 415));
    send_body(server.port, "PUT", "/v1/cubes/sales", "Origin: http://evil.example\r\n", JSON, SALES,
              strlen(SALES), &answer);
    json_decref(json_of(&answer, 403));
    json_decref(drop("/v1/cubes/stats", "Origin: http://evil.example\r\n", 403));
    cr_assert_eq(status_of("GET", "/v1/cubes/stats"), 200);
    cr_assert_eq(status_of("DELETE", "/v1/cubes/stats?force=perhaps"), 400);
}

/* ---- files ---- */

static char folder[64];

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static void start_with_data(void)
{
    snprintf(folder, sizeof folder, "/tmp/vcube-data-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    fixture_start(&server, "samples/golden", &(vc_server_options){.data_directory = folder});
}

static void stop_with_data(void)
{
    char command[96];
    fixture_stop(&server);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(http_define_files, .init = start_with_data, .fini = stop_with_data, .timeout = 60);

static json_t *put_file(const char *path, unsigned status)
{
    char body[512];
    snprintf(body, sizeof body,
             "{\"name\":\"x\",\"kind\":\"source\",\"data\":{\"csv\":\"%s\"}," DIMENSIONS
             ",\"measures\":[{\"name\":\"n\",\"type\":\"int\",\"aggregator\":\"sum\"}]}",
             path);
    return put("/v1/cubes/x", NULL, body, status);
}

Test(http_define_files, below_the_folder_only)
{
    char path[128], target[128];
    write_file("a.csv", "d,n\nu,1\nv,2\n");
    snprintf(path, sizeof path, "%s/sub", folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    write_file("sub/b.csv", "d,n\nu,5\n");
    json_decref(put_file("a.csv", 201));
    cr_assert_eq(total("x", "n"), 3);
    json_decref(put_file("sub/../a.csv", 422)); /* it need not be understood */
    json_decref(put_file("./sub/b.csv", 200));
    cr_assert_eq(total("x", "n"), 5);
    snprintf(path, sizeof path, "%s/out", folder);
    cr_assert_eq(symlink("/etc", path), 0);
    snprintf(path, sizeof path, "%s/passwd.csv", folder);
    cr_assert_eq(symlink("/etc/passwd", path), 0);
    static const char *const outside[] = {"/etc/passwd", "../a.csv",     "out/passwd",
                                          "passwd.csv",  "out/nothing",  "-",
                                          "sub/../../a", "sub/../../../"};
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        json_t *json = put_file(outside[i], 422);
        cr_assert_str_eq(text_of(json, "code"), "outside_data_folder", "%s", outside[i]);
        cr_assert_str_eq(text_of(json, "pointer"), "/data/csv");
        json_decref(json);
    }
    snprintf(target, sizeof target, "%s/a.csv", folder);
    json_decref(put_file(target, 422)); /* also when it leads there */
    json_t *json = put_file("c.csv", 400);
    cr_assert_str_eq(text_of(json, "code"), "missing_file");
    cr_assert_str_eq(json_string_value(json_array_get(json_object_get(json, "candidates"), 0)),
                     "a.csv");
    json_decref(json);
    cr_assert_eq(total("x", "n"), 5);
}

/* What is wrong with a file is said with its name, and without the server's folder. */
Test(http_define_files, rejects)
{
    write_file("a.csv", "d,n\nu,1\nv,x\n");
    json_t *json = put_file("a.csv", 400);
    cr_assert_str_eq(text_of(json, "code"), "rejects");
    cr_assert_not_null(strstr(text_of(json, "detail"), "a.csv"));
    cr_assert_null(strstr(text_of(json, "detail"), folder));
    cr_assert_eq(json_integer_value(json_object_get(json, "line")), 3);
    cr_assert_eq(json_array_size(json_object_get(json, "rejects")), 1);
    json_decref(json);
    char path[128];
    snprintf(path, sizeof path, "%s/a.csv.rejects.csv", folder);
    cr_assert_neq(access(path, F_OK), 0, "a file was written into the data folder");
}

/* A cube whose dimension has a table below the folder, and facts that are sent. */
Test(http_define_files, tables)
{
    write_file("geo.csv", "code,region\nFR,Europe\nJP,Asia\n");
    json_decref(
        put("/v1/cubes/x", NULL,
            "{\"name\":\"x\",\"kind\":\"source\",\"dimensions\":[{\"name\":\"geo\","
            "\"table\":{\"csv\":\"geo.csv\"},\"key\":\"code\",\"levels\":[\"region\",\"code\"]}],"
            "\"measures\":[{\"name\":\"n\",\"type\":\"int\",\"aggregator\":\"sum\"}]}",
            201));
    load("x", "code,n\nFR,1\nJP,2\n");
    write_file("geo.csv", "gone\n");
    load("x", "code,n\nFR,4\n");
    cr_assert_eq(total("x", "n"), 7);
    test_answer answer;
    send_body(server.port, "POST", "/v1/cubes/x/load?mode=replace", NULL, "text/csv",
              "code,n\nFR,1\n", 12, &answer);
    json_decref(json_of(&answer, 200));
    cr_assert_eq(total("x", "n"), 1);
}
