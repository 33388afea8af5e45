/* Golden folders tests/data/why/<case>: facts, cells, coverage, suggestions. The server answers
 * what is expected, and the command with --json the same; a case with a "status" is an error. */
#include "tests/house/house.h"

#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

TestSuite(why, .timeout = 60);

struct question {
    char folder[HOUSE_PATH], store[HOUSE_PATH];
    json_t *request, *expected;
    const char *cube, *what;
    int status;
};

static void open_question(struct question *in, const char *name)
{
    house_path(in->folder, "tests/data/why", name);
    in->request = house_read_json(in->folder, "request.json");
    in->expected = house_read_json(in->folder, "expected.json");
    house_store(json_string_value(json_object_get(in->request, "fixture")), in->store);
    in->cube = json_string_value(json_object_get(in->request, "cube"));
    in->what = json_string_value(json_object_get(in->request, "what"));
    const json_t *status = json_object_get(in->request, "status");
    in->status = status == NULL ? 200 : (int)json_integer_value(status);
}

static void close_question(struct question *in)
{
    json_decref(in->request);
    json_decref(in->expected);
}

ParameterizedTestParameters(why, golden)
{
    return house_folders("tests/data/why");
}

ParameterizedTest(struct house_folder *parameter, why, golden)
{
    struct question in;
    struct house_reply reply;
    vc_buffer why = {0};
    open_question(&in, parameter->name);
    house_get_part(in.store, in.cube, in.what, json_object_get(in.request, "parameters"), &reply);
    cr_assert_eq(reply.code, in.status, "%s: %d %s", in.folder, reply.code,
                 vc_buffer_text(&reply.text));
    json_t *actual = json_loads(vc_buffer_text(&reply.text), JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(actual, "%s: not JSON: %s", in.folder, vc_buffer_text(&reply.text));
    cr_assert(house_fits(in.expected, actual, true, &why), "%s: %s\n%s", in.folder,
              vc_buffer_text(&why), vc_buffer_text(&reply.text));
    json_decref(actual);
    vc_buffer_release(&why);
    house_reply_release(&reply);
    close_question(&in);
}

/* ---- the command ---- */

ParameterizedTestParameters(why, same_by_command)
{
    return house_folders("tests/data/why");
}

ParameterizedTest(struct house_folder *parameter, why, same_by_command)
{
    enum { MOST = 24 };
    struct question in;
    struct house_reply reply;
    struct house_run run;
    const char *arguments[MOST + 4] = {0}, *name;
    char names[MOST][64];
    size_t n = 0;
    json_t *value;
    if (house_command() == NULL) cr_skip_test("the command is not built");
    open_question(&in, parameter->name);
    arguments[n++] = in.what;
    arguments[n++] = "-d";
    arguments[n++] = in.store;
    arguments[n++] = in.cube;
    arguments[n++] = "--json";
    json_object_foreach(json_object_get(in.request, "parameters"), name, value)
    {
        cr_assert_lt(n, MOST);
        if (strcmp(name, "with") == 0) { /* an operand of the command */
            arguments[n++] = json_string_value(value);
            continue;
        }
        snprintf(names[n], sizeof names[n], "--%s", name);
        arguments[n] = names[n];
        n++;
        arguments[n++] = json_string_value(value);
    }
    house_run(arguments, NULL, NULL, &run);
    if (in.status != 200) {
        cr_assert_neq(run.code, 0, "%s", in.folder);
    } else {
        cr_assert_eq(run.code, 0, "%s: %s", in.folder, vc_buffer_text(&run.complaint));
        if (json_object_get(json_object_get(in.request, "parameters"), "limit") == NULL) {
            /* The command shows fewer when it is not told how many. */
            arguments[n++] = "--limit";
            arguments[n++] = "100";
            house_run_release(&run);
            house_run(arguments, NULL, NULL, &run);
        }
        house_get_part(in.store, in.cube, in.what, json_object_get(in.request, "parameters"),
                       &reply);
        cr_assert_str_eq(vc_buffer_text(&run.out), vc_buffer_text(&reply.text), "%s", in.folder);
        house_reply_release(&reply);
    }
    house_run_release(&run);
    close_question(&in);
}
