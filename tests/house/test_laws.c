/* The laws on every fixture, and `vcube check --laws` as people run it. */
#include "query/laws.h"
#include "tests/house/house.h"

#include <criterion/parameterized.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(laws, .timeout = 300);

/* ---- every fixture ---- */

static void hold(const char *fixture)
{
    char path[HOUSE_PATH];
    vc_error error = {0};
    vc_arena arena = {0};
    vc_store *store;
    vc_snapshot *snapshot;
    vc_model *model;
    vc_object *cubes;
    size_t ncubes;
    vc_law_report reports[VC_LAWS];
    const vc_laws_options options = {.seed = 17, .rounds = 25};
    house_store(fixture, path);
    cr_assert_eq(vc_store_open(path, &(vc_store_options){.is_read_only = true}, &store, &error),
                 VC_OK);
    cr_assert_eq(vc_snapshot_open(store, &snapshot, &error), VC_OK);
    cr_assert_eq(vc_model_new(snapshot, true, &model, &error), VC_OK);
    cr_assert_eq(vc_snapshot_list(snapshot, VC_KIND_CUBE, &arena, &cubes, &ncubes, &error), VC_OK);
    for (size_t i = 0; i < ncubes; i++) {
        vc_status status = vc_laws_check(model, cubes[i].name, &options, &arena, reports, &error);
        cr_assert_eq(status, VC_OK, "%s, %.*s: %s", fixture, VC_FMT(cubes[i].name), error.message);
        for (size_t law = 0; law < VC_LAWS; law++)
            cr_assert_null(reports[law].breach, "%s, %.*s, L%zu: %.*s", fixture,
                           VC_FMT(cubes[i].name), law + 1, VC_FMT(reports[law].breach->claim));
    }
    vc_model_free(model);
    vc_store_close(store);
    vc_arena_release(&arena);
}

ParameterizedTestParameters(laws, fixture)
{
    return house_folders("tests/data/fixture");
}

ParameterizedTest(const struct house_folder *folder, laws, fixture)
{
    hold(folder->name);
}

Test(laws, golden)
{
    hold("golden");
}

Test(laws, retail)
{
    hold("retail");
}

/* ---- the command ---- */

static json_t *check(const char *const *arguments)
{
    struct house_run run;
    house_run(arguments, NULL, NULL, &run);
    cr_assert_eq(run.code, 0, "%s", vc_buffer_text(&run.complaint));
    json_t *json = json_loads(vc_buffer_text(&run.out), 0, NULL);
    cr_assert_not_null(json, "%s", vc_buffer_text(&run.out));
    house_run_release(&run);
    return json;
}

static const json_t *find_law(const json_t *json, const char *cube, const char *law)
{
    size_t i;
    const json_t *report;
    json_array_foreach(json_object_get(json, "laws"), i, report)
    {
        if (strcmp(json_string_value(json_object_get(report, "cube")), cube) == 0 &&
            strcmp(json_string_value(json_object_get(report, "law")), law) == 0)
            return report;
    }
    cr_assert_fail("no %s of %s", law, cube);
    return NULL;
}

/* Every law was asked `rounds` times of a virtual cube and holds, but those that do not apply,
 * which say why. */
static void need_laws(const json_t *json, const char *cube, int rounds, const char *without,
                      const char *why)
{
    for (int law = 1; law <= VC_LAWS; law++) {
        char name[16];
        snprintf(name, sizeof name, "L%d", law);
        const json_t *report = find_law(json, cube, name);
        const json_t *holds = json_object_get(report, "holds");
        if (without != NULL && strcmp(without, name) == 0) {
            const json_t *note = json_array_get(json_object_get(report, "not_asked"), 0);
            cr_assert(json_is_null(holds), "%s of %s", name, cube);
            cr_assert_str_eq(json_string_value(json_object_get(note, "why")), why);
            continue;
        }
        cr_assert(json_is_true(holds), "%s of %s", name, cube);
        cr_assert_eq(json_integer_value(json_object_get(report, "cases")), rounds, "%s of %s", name,
                     cube);
    }
}

/* All laws hold on the sample world; L3 is not asked where the only source that is joined has
 * stocks alone, which are over a joined dimension. */
Test(laws, world)
{
    const char *arguments[] = {"check", "samples/world", "--laws", "--json", "--rounds",
                               "40",    "--threads",     "2",      NULL};
    if (house_command() == NULL) cr_skip("the command is not built");
    json_t *json = check(arguments);
    need_laws(json, "world", 40, NULL, NULL);
    need_laws(json, "world_wb", 40, "L3",
              "source 'wb': no sum or count that is over no joined dimension");
    const json_t *source = find_law(json, "fx", "L1");
    cr_assert(json_is_null(json_object_get(source, "holds")));
    json_decref(json);
}

/* A store as it is; the same seed asks the same, another one something else. */
Test(laws, of_a_store)
{
    char store[HOUSE_PATH];
    struct house_run runs[3];
    if (house_command() == NULL) cr_skip("the command is not built");
    house_store("samples/golden", store);
    for (int i = 0; i < 3; i++) {
        const char *arguments[] = {
            "check",    "-d", store, "--laws", "golden_full", "--seed", i == 2 ? "8" : "7",
            "--rounds", "30", NULL};
        house_run(arguments, NULL, NULL, &runs[i]);
        cr_assert_eq(runs[i].code, 0, "%s", vc_buffer_text(&runs[i].complaint));
        cr_assert(vc_str_starts_with(vc_str_of(vc_buffer_text(&runs[i].out)),
                                     VC_STR("golden_full\nlaw ")));
    }
    cr_assert_str_eq(vc_buffer_text(&runs[0].out), vc_buffer_text(&runs[1].out));
    for (int i = 0; i < 3; i++)
        house_run_release(&runs[i]);
}

Test(laws, wrong_command_lines)
{
    char store[HOUSE_PATH];
    house_store("samples/golden", store);
    const char *const lines[][6] = {{"check", NULL},
                                    {"check", "--laws", NULL},
                                    {"check", "samples/golden", "--rounds", "5", NULL},
                                    {"check", "samples/golden", "--laws", "--rounds", "0", NULL},
                                    {"check", "samples/golden", "--json", NULL}};
    if (house_command() == NULL) cr_skip("the command is not built");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct house_run run;
        house_run(lines[i], NULL, NULL, &run);
        cr_assert_eq(run.code, 2, "%zu: %s", i, vc_buffer_text(&run.complaint));
        house_run_release(&run);
    }
    struct house_run run;
    house_run((const char *[]){"check", "-d", store, "--laws", "golden_ful", NULL}, NULL, NULL,
              &run);
    cr_assert_eq(run.code, 1);
    cr_assert_not_null(strstr(vc_buffer_text(&run.complaint), "golden_full"), "%s",
                       vc_buffer_text(&run.complaint));
    house_run_release(&run);
}

/* ---- a signal ---- */

static int count_entries(const char *path)
{
    DIR *entries = opendir(path);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(entries);
    return count;
}

/* The temporary store goes away when the user gives up. */
Test(laws, interrupted)
{
    char folder[HOUSE_PATH];
    if (house_command() == NULL) cr_skip("the command is not built");
    house_make_folder(folder);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        setenv("TMPDIR", folder, 1);
        if (freopen("/dev/null", "w", stdout) == NULL) _exit(126);
        execl(house_command(), "vcube", "check", "samples/golden", "--laws", "--rounds", "1000000",
              "--quiet", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 600 && count_entries(folder) == 0; i++)
        usleep(50000);
    cr_assert_eq(count_entries(folder), 1);
    usleep(100000);
    int status = 0;
    kill(pid, SIGINT);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT, "%d", status);
    cr_assert_eq(count_entries(folder), 0);
    house_remove_folder(folder);
}
