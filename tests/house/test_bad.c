/* Bad input, folder by folder: tests/data/bad/<case>/case.json says what is asked of which store:
 *
 *     "load": ["case"]           paths to load, below a copy of the folder called `case`
 *     "body": {...} or "text"    a query's body
 *     "cube", "parameters": {}   a query by parameters
 *     "arguments": [...]         a command line; the store's directory is $VCUBE_DIR
 *
 * `expected` is the error: its code, place, candidates and exit code, and the status of HTTP for
 * queries. What the command says is in stderr.txt. Whatever it is, the store answers as before.
 * VCUBE_ACCEPT=1 writes stderr.txt anew. */
#include "tests/house/house.h"

#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(bad, .timeout = 60);

struct trouble {
    char folder[HOUSE_PATH]; /* of the case, absolute */
    char work[HOUSE_PATH];   /* a folder of this test: `case` and `store` in it */
    char store[HOUSE_PATH];
    const char *question; /* that the store must answer as before */
    json_t *json, *expected;
    vc_buffer before; /* its answer, the snapshot in it */
};

static void take_answer(const struct trouble *in, vc_buffer *answer)
{
    struct house_reply reply;
    house_ask_library(in->store, in->question, &reply);
    cr_assert_eq(reply.code, VC_OK, "%s", reply.error.message);
    *answer = reply.text;
}

static void check_store(const struct trouble *in)
{
    vc_buffer now;
    take_answer(in, &now);
    cr_assert_str_eq(now.data, in->before.data, "%s: the store has changed", in->folder);
    vc_buffer_release(&now);
}

static const char *question_of(const char *fixture)
{
    if (strcmp(fixture, "samples/golden") == 0)
        return "{\"cube\":\"golden_full\",\"drilldown\":\"country\"}";
    if (strcmp(fixture, "tests/data/fixture/orders") == 0)
        return "{\"cube\":\"trade_full\",\"drilldown\":\"geo:country\"}";
    if (strstr(fixture, "/trees") != NULL) return "{\"cube\":\"pay\",\"drilldown\":\"staff\"}";
    if (strstr(fixture, "/gaps") != NULL) return "{\"cube\":\"stock\",\"drilldown\":\"depot\"}";
    if (strstr(fixture, "/choices") != NULL) return "{\"cube\":\"amounts\"}";
    if (strstr(fixture, "/attributes") != NULL)
        return "{\"cube\":\"all_full\",\"drilldown\":\"place\"}";
    if (strstr(fixture, "/parts") != NULL) return "{\"cube\":\"equal\",\"drilldown\":\"geo\"}";
    if (strstr(fixture, "/exposed") != NULL)
        return "{\"cube\":\"exposed\",\"drilldown\":\"geo:town\"}";
    if (strstr(fixture, "/grains") != NULL)
        return "{\"cube\":\"times\",\"drilldown\":\"date:month\"}";
    if (strstr(fixture, "/stocks") != NULL) return "{\"cube\":\"kept\",\"drilldown\":\"geo:shop\"}";
    if (strstr(fixture, "/moves") != NULL) return "{\"cube\":\"moves\",\"drilldown\":\"geo\"}";
    if (strstr(fixture, "/stands") != NULL) return "{\"cube\":\"stands\",\"drilldown\":\"geo\"}";
    if (strstr(fixture, "/harbours") != NULL)
        return "{\"cube\":\"calls\",\"drilldown\":\"port:route\"}";
    if (strstr(fixture, "/calculated") != NULL) return "{\"cube\":\"both\",\"drilldown\":\"geo\"}";
    return "{\"cube\":\"both\",\"drilldown\":\"item\"}";
}

static void open_trouble(struct trouble *in, const char *name)
{
    char folder[HOUSE_PATH], target[HOUSE_PATH], fixture_store[HOUSE_PATH];
    *in = (struct trouble){0};
    house_path(folder, "tests/data/bad", name);
    char *absolute = realpath(folder, NULL);
    cr_assert_not_null(absolute);
    snprintf(in->folder, sizeof in->folder, "%s", absolute);
    free(absolute);
    in->json = house_read_json(in->folder, "case.json");
    in->expected = json_object_get(in->json, "expected");
    cr_assert_not_null(in->expected, "%s: nothing expected", in->folder);
    const char *fixture = json_string_value(json_object_get(in->json, "fixture"));
    cr_assert_not_null(fixture, "%s: no fixture", in->folder);
    in->question = question_of(fixture);
    house_make_folder(in->work);
    house_path(target, in->work, "case");
    house_copy_folder(in->folder, target);
    house_store(fixture, fixture_store);
    house_path(in->store, in->work, "store");
    house_copy_folder(fixture_store, in->store);
    take_answer(in, &in->before);
    cr_assert_eq(chdir(in->work), 0);
}

static void close_trouble(struct trouble *in)
{
    cr_assert_eq(chdir("/"), 0);
    house_remove_folder(in->work);
    json_decref(in->json);
    vc_buffer_release(&in->before);
}

ParameterizedTestParameters(bad, library)
{
    return house_folders("tests/data/bad");
}

/* ---- the library: code, place, candidates ---- */

static void check_text(const struct trouble *in, const char *name, const char *actual)
{
    const char *wanted = json_string_value(json_object_get(in->expected, name));
    cr_assert_str_eq(actual, wanted == NULL ? "" : wanted, "%s: %s is '%s', expected '%s'",
                     in->folder, name, actual, wanted == NULL ? "" : wanted);
}

static void check_number(const struct trouble *in, const char *name, long actual)
{
    const json_t *wanted = json_object_get(in->expected, name);
    long number = wanted == NULL ? 0 : (long)json_integer_value(wanted);
    cr_assert_eq(actual, number, "%s: %s is %ld, expected %ld", in->folder, name, actual, number);
}

static void check_candidates(const struct trouble *in, const json_t *actual)
{
    const json_t *wanted = json_object_get(in->expected, "candidates");
    char *text = json_dumps(actual, JSON_COMPACT | JSON_ENCODE_ANY);
    if (json_array_size(wanted) == 0)
        cr_assert_eq(json_array_size(actual), 0, "%s: candidates %s", in->folder, text);
    else
        cr_assert(json_equal(wanted, actual), "%s: candidates %s", in->folder, text);
    free(text);
}

static void check_error(const struct trouble *in, const vc_error *error)
{
    json_t *candidates = json_array();
    cr_assert_not_null(error->code, "%s: %s", in->folder, error->message);
    for (unsigned i = 0; i < error->ncandidates; i++)
        json_array_append_new(candidates, json_string(error->candidates[i]));
    check_text(in, "code", error->code);
    check_text(in, "file", error->file);
    check_number(in, "line", error->line);
    check_number(in, "column", error->column);
    check_text(in, "pointer", error->pointer);
    cr_assert_eq(error->has_offset, json_object_get(in->expected, "offset") != NULL,
                 "%s: offset %ld", in->folder, error->offset);
    if (error->has_offset) check_number(in, "offset", error->offset);
    check_candidates(in, candidates);
    const char *says = json_string_value(json_object_get(in->expected, "says"));
    cr_assert(says == NULL || strstr(error->message, says) != NULL, "%s: %s", in->folder,
              error->message);
    json_decref(candidates);
}

/* The body as text. The caller frees it. */
static char *body_of(const struct trouble *in)
{
    json_t *body = json_object_get(in->json, "body");
    return json_is_string(body) ? strdup(json_string_value(body)) : json_dumps(body, JSON_COMPACT);
}

static vc_status load(const struct trouble *in, vc_error *error)
{
    const json_t *list = json_object_get(in->json, "load");
    const char *paths[8];
    size_t npaths = 0;
    for (size_t i = 0; i < json_array_size(list) && npaths < 8; i++)
        paths[npaths++] = json_string_value(json_array_get(list, i));
    return house_load("store", paths, npaths, error);
}

ParameterizedTest(struct house_folder *parameter, bad, library)
{
    struct trouble in;
    struct house_reply reply = {0};
    open_trouble(&in, parameter->name);
    const char *cube = json_string_value(json_object_get(in.json, "cube"));
    if (json_object_get(in.json, "arguments") != NULL) {
        close_trouble(&in);
        return;
    }
    if (json_object_get(in.json, "load") != NULL) {
        reply.code = (int)load(&in, &reply.error);
    } else if (cube != NULL) {
        house_ask_parameters("store", cube, json_object_get(in.json, "parameters"), &reply);
    } else {
        char *body = body_of(&in);
        house_ask_library("store", body, &reply);
        free(body);
    }
    cr_assert_neq(reply.code, VC_OK, "%s: it worked: %s", in.folder,
                  reply.text.data == NULL ? "" : reply.text.data);
    cr_assert_eq((int)reply.error.status, reply.code);
    check_error(&in, &reply.error);
    check_store(&in);
    close_trouble(&in);
    house_reply_release(&reply);
}

/* ---- the command: exit code, standard error ---- */

static void run_command(const struct trouble *in, struct house_run *run)
{
    const char *arguments[32] = {"query"};
    const json_t *list = json_object_get(in->json, "load"),
                 *parameters = json_object_get(in->json, "parameters"), *value;
    size_t n = 1;
    char options[16][64];
    const char *name;
    vc_buffer input = {0};
    setenv("VCUBE_DIR", "store", 1);
    if (list != NULL)
        arguments[0] = "load";
    else
        list = json_object_get(in->json, "arguments");
    if (json_object_get(in->json, "arguments") != NULL) n = 0;
    for (size_t i = 0; i < json_array_size(list) && n < 30; i++)
        arguments[n++] = json_string_value(json_array_get(list, i));
    if (parameters != NULL) arguments[n++] = json_string_value(json_object_get(in->json, "cube"));
    size_t noptions = 0;
    json_object_foreach((json_t *)parameters, name, value)
    {
        snprintf(options[noptions], sizeof options[0], "--%s", name);
        arguments[n++] = options[noptions++];
        arguments[n++] = json_string_value(value);
    }
    if (json_object_get(in->json, "body") != NULL) {
        arguments[n++] = "--body";
        arguments[n++] = "-";
        input.data = body_of(in);
        input.size = strlen(input.data);
    }
    house_run(arguments, NULL, &input, run);
    free(input.data);
}

static void check_complaint(const struct trouble *in, const vc_buffer *complaint)
{
    char path[HOUSE_PATH];
    vc_buffer expected = {0};
    house_path(path, in->folder, "stderr.txt");
    if (getenv("VCUBE_ACCEPT") != NULL) house_write(path, complaint->data, complaint->size);
    house_read(path, &expected);
    cr_assert_str_eq(complaint->data, expected.data, "%s:\n%s", in->folder, complaint->data);
    vc_buffer_release(&expected);
}

ParameterizedTestParameters(bad, command)
{
    return house_folders("tests/data/bad");
}

ParameterizedTest(struct house_folder *parameter, bad, command)
{
    struct trouble in;
    struct house_run run;
    if (house_command() == NULL) cr_skip_test("the command is not built");
    open_trouble(&in, parameter->name);
    run_command(&in, &run);
    cr_assert_eq(run.code, json_integer_value(json_object_get(in.expected, "exit")), "%s: %d %s%s",
                 in.folder, run.code, run.out.data, run.complaint.data);
    cr_assert_str_eq(run.out.data, "", "%s: %s", in.folder, run.out.data);
    check_complaint(&in, &run.complaint);
    check_store(&in);
    close_trouble(&in);
    house_run_release(&run);
}

/* ---- the server: the status and the problem ---- */

static void check_problem(const struct trouble *in, const struct house_reply *reply)
{
    json_t *problem = json_loads(reply->text.data, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(problem, "%s: %s", in->folder, reply->text.data);
    check_number(in, "http", reply->code);
    check_number(in, "http", (long)json_integer_value(json_object_get(problem, "status")));
    check_text(in, "code", json_string_value(json_object_get(problem, "code")));
    check_candidates(in, json_object_get(problem, "candidates"));
    const char *pointer = json_string_value(json_object_get(problem, "pointer"));
    const char *place = json_string_value(json_object_get(problem, "parameter"));
    if (place == NULL) place = pointer == NULL ? "" : pointer;
    check_text(in, json_object_get(in->expected, "http_pointer") ? "http_pointer" : "pointer",
               place);
    const json_t *offset = json_object_get(problem, "offset");
    if (offset != NULL || json_object_get(in->expected, "offset") != NULL)
        check_number(in, "offset", (long)json_integer_value(offset));
    json_decref(problem);
}

ParameterizedTestParameters(bad, http)
{
    return house_folders("tests/data/bad");
}

ParameterizedTest(struct house_folder *parameter, bad, http)
{
    struct trouble in;
    struct house_reply reply;
    open_trouble(&in, parameter->name);
    if (json_object_get(in.expected, "http") != NULL) {
        const char *cube = json_string_value(json_object_get(in.json, "cube"));
        char *body = body_of(&in);
        if (cube != NULL)
            house_get_http("store", cube, json_object_get(in.json, "parameters"), &reply);
        else
            house_ask_http("store", body, &reply);
        check_problem(&in, &reply);
        check_store(&in);
        house_reply_release(&reply);
        free(body);
    } else {
        cr_assert(json_object_get(in.json, "body") == NULL &&
                      json_object_get(in.json, "cube") == NULL,
                  "%s: a query says what HTTP answers", in.folder);
    }
    close_trouble(&in);
}
