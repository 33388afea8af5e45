/* The command `report`: what it makes, says and leaves behind, and how it ends. */
#include "http/server.h"
#include "tests/house/house.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(report, .timeout = 120);

/* Of every land a document: its number in a text, and its towns. */
#define SPEC_BEGIN                                                                                 \
    "{\"kind\":\"report\",\"name\":\"sales\",\"title\":\"{{land}}\",\"cube\":\"sales\","           \
    "\"parameters\":{\"what\":\"n\"},"                                                             \
    "\"for_each\":{\"as\":\"land\",\"members\":\"place:land\"},"                                   \
    "\"file\":\"of/{{land.key}}\",\"formats\":[\"html\",\"csv\"],"                                 \
    "\"query\":{\"measures\":\"n\"},"                                                              \
    "\"description\":\"All together: {{n}}\","
#define TOWNS                                                                                      \
    "{\"kind\":\"pivot\",\"id\":\"towns\",\"title\":\"Towns\","                                    \
    "\"query\":{\"drilldown\":\"place:town\",\"cut\":\"place:{{land.path}}\",\"measures\":\"n\"}}"
static const char spec[] = SPEC_BEGIN "\"sections\":[" TOWNS "]}";
static const char failing[] =
    SPEC_BEGIN "\"sections\":[" TOWNS ",{\"kind\":\"pivot\",\"id\":\"bad\","
               "\"query\":{\"drilldown\":\"nowhere\",\"measures\":\"n\"}}]}";
static const char asserting[] =
    SPEC_BEGIN "\"assert\":[\"total(n) > 1000\"],\"sections\":[" TOWNS "]}";

static void write_text(const char *folder, const char *name, const char *text)
{
    char path[HOUSE_PATH];
    house_path(path, folder, name);
    house_write(path, text, strlen(text));
}

static void write_sales(const char *folder, const char *rows)
{
    vc_buffer text = {0};
    vc_buffer_printf(&text, "land,town,n\n%s", rows);
    write_text(folder, "sales.csv", vc_buffer_text(&text));
    write_text(folder, "sales.json",
               "{\"name\":\"sales\",\"kind\":\"source\",\"data\":{\"csv\":\"sales.csv\"},"
               "\"dimensions\":[{\"name\":\"place\",\"levels\":[\"land\",\"town\"]}],"
               "\"measures\":[{\"name\":\"n\",\"aggregator\":\"sum\",\"type\":\"int\"}]}");
    vc_buffer_release(&text);
}

static void run(struct house_run *result, const char *folder, const char *const *arguments,
                int code)
{
    house_run(arguments, folder, NULL, result);
    cr_assert_eq(result->code, code, "%s: exit %d\n%s%s", arguments[0], result->code,
                 vc_buffer_text(&result->out), vc_buffer_text(&result->complaint));
}
#define RUN(result, folder, code, ...)                                                             \
    run(result, folder, (const char *[]){__VA_ARGS__, NULL}, code)

static void run_silently(const char *folder, int code, const char *const *arguments)
{
    struct house_run result;
    run(&result, folder, arguments, code);
    house_run_release(&result);
}
#define DO(folder, code, ...) run_silently(folder, code, (const char *[]){__VA_ARGS__, NULL})

/* A folder with a store of two lands in `store`, and spec.json. */
static void begin(char root[HOUSE_PATH], const char *text)
{
    if (house_command() == NULL) cr_skip_test("the command is not built");
    house_make_folder(root);
    write_sales(root, "X,p,1\nX,q,2\nY,r,4\n");
    write_text(root, "spec.json", text);
    DO(root, 0, "load", "-q", "-d", "store", "sales.json");
}

static bool has(const char *folder, const char *name)
{
    char path[HOUSE_PATH];
    house_path(path, folder, name);
    return house_exists(path);
}

static void expect_text(const char *folder, const char *name, const char *expected)
{
    char path[HOUSE_PATH];
    vc_buffer text = {0};
    house_path(path, folder, name);
    house_read(path, &text);
    cr_assert_str_eq(text.data, expected);
    vc_buffer_release(&text);
}

static void expect_said(const vc_buffer *text, const char *part)
{
    cr_assert_not_null(strstr(text->data != NULL ? text->data : "", part), "not said: %s\nbut: %s",
                       part, text->data != NULL ? text->data : "nothing");
}

/* ---- what it makes ---- */

Test(report, makes_files)
{
    char root[HOUSE_PATH];
    struct house_run result;
    begin(root, spec);
    RUN(&result, root, 0, "report", "-d", "store", "spec.json", "-o", "out");
    expect_said(&result.complaint, "2 documents: 4 files, ");
    expect_said(&result.complaint, ", of snapshot 1-");
    cr_assert_eq(result.out.size, 0);
    house_run_release(&result);
    cr_assert(has(root, "out/of/X.html") && has(root, "out/of/Y.html"));
    expect_text(root, "out/of/X.towns.csv", "Town,n\r\np,1\r\nq,2\r\n");
    json_t *manifest = NULL;
    char path[HOUSE_PATH];
    house_path(path, root, "out");
    manifest = house_read_json(path, "manifest.json");
    cr_assert(json_is_true(json_object_get(manifest, "complete")));
    cr_assert_eq(json_array_size(json_object_get(manifest, "documents")), 2);
    json_decref(manifest);

    RUN(&result, root, 0, "report", "-d", "store", "spec.json", "-o", "out", "--json", "-q");
    expect_said(&result.out, "\"documents\":2,\"kept\":2,\"made\":0,");
    cr_assert_eq(result.complaint.size, 0, "%s", vc_buffer_text(&result.complaint));
    house_run_release(&result);
    RUN(&result, root, 0, "report", "-d", "store", "spec.json", "-o", "out", "--json", "--force");
    expect_said(&result.out, "\"kept\":0,\"made\":2,");
    house_run_release(&result);
    house_remove_folder(root);
}

Test(report, makes_some)
{
    char root[HOUSE_PATH];
    struct house_run result;
    begin(root, spec);
    RUN(&result, root, 0, "report", "-d", "store", "spec.json", "-o", "out", "--only", "Y",
        "--format", "markdown");
    house_run_release(&result);
    cr_assert(has(root, "out/of/Y.md"));
    cr_assert_not(has(root, "out/of/X.md"));
    cr_assert_not(has(root, "out/of/Y.html"));
    DO(root, 0, "report", "-d", "store", "spec.json", "-o", "out", "--only", "of/[AX]");
    cr_assert(has(root, "out/of/X.html"));
    RUN(&result, root, 1, "report", "-d", "store", "spec.json", "-o", "out", "--only", "of/Z");
    expect_said(&result.complaint,
                "--only of/Z matches none of the 2 documents, neither their files nor their keys "
                "(did you mean 'of/X', 'of/Y'?)");
    house_run_release(&result);
    house_remove_folder(root);
}

Test(report, lists_files)
{
    char root[HOUSE_PATH];
    struct house_run result;
    begin(root, spec);
    RUN(&result, root, 0, "report", "-d", "store", "spec.json", "--dry-run");
    cr_assert_str_eq(vc_buffer_text(&result.out), "file        of\n"
                                                  "of/X.html   land X, what n\n"
                                                  "of/X.*.csv  land X, what n\n"
                                                  "of/Y.html   land Y, what n\n"
                                                  "of/Y.*.csv  land Y, what n\n");
    house_run_release(&result);
    RUN(&result, root, 0, "report", "-d", "store", "spec.json", "--dry-run", "--json", "--only",
        "X", "--format", "html", "--param", "what=m");
    cr_assert_str_eq(vc_buffer_text(&result.out),
                     "[{\"file\":\"of/X\",\"variables\":["
                     "{\"name\":\"what\",\"key\":\"m\",\"label\":\"m\"},"
                     "{\"name\":\"land\",\"key\":\"X\",\"label\":\"X\"}],"
                     "\"files\":[\"of/X.html\"]}]\n");
    house_run_release(&result);
    cr_assert_not(has(root, "out"));
    house_remove_folder(root);
}

/* ---- how it ends ---- */

Test(report, tells_of_a_section_that_failed)
{
    char root[HOUSE_PATH];
    struct house_run result;
    begin(root, failing);
    RUN(&result, root, 3, "report", "-d", "store", "spec.json", "-o", "out", "--only", "X");
    expect_said(&result.complaint, "of/X, section bad: ");
    expect_said(&result.complaint, "nowhere");
    expect_said(&result.complaint, "1 published with sections that failed");
    house_run_release(&result);
    cr_assert(has(root, "out/of/X.html"));
    cr_assert(has(root, "out/of/X.towns.csv"));
    cr_assert_not(has(root, "out/of/X.bad.csv"));
    RUN(&result, root, 4, "report", "-d", "store", "spec.json", "-o", "strict", "--strict");
    expect_said(&result.complaint, "(not published)");
    expect_said(&result.complaint, "2 not published; older files of these names stay as they are");
    house_run_release(&result);
    cr_assert_not(has(root, "strict/of/X.html"));
    cr_assert(has(root, "strict/manifest.json"));
    house_remove_folder(root);
}

Test(report, publishes_nothing_against_an_assertion)
{
    char root[HOUSE_PATH];
    struct house_run result;
    begin(root, spec);
    DO(root, 0, "report", "-d", "store", "spec.json", "-o", "out");
    write_text(root, "spec.json", asserting);
    RUN(&result, root, 4, "report", "-d", "store", "spec.json", "-o", "out");
    expect_said(&result.complaint,
                "of/X: /assert/0: total(n) is 7, expected > 1000 (not published)");
    house_run_release(&result);
    expect_text(root, "out/of/X.towns.csv", "Town,n\r\np,1\r\nq,2\r\n");
    house_remove_folder(root);
}

struct usage_case {
    const char *arguments[8];
    int code;
    const char *said;
};

Test(report, refuses)
{
    static const struct usage_case cases[] = {
        {{"-o", "out"}, 2, "report needs SPEC.json, or --verify FOLDER"},
        {{"spec.json"}, 2, "report needs a folder for its files: -o OUT"},
        {{"spec.json", "--verify", "out"}, 2, "--verify takes the specification of the manifest"},
        {{"--verify", "out", "--force"}, 2, "--force does not go with --verify"},
        {{"spec.json", "-o", "out", "--format", "html,pfd"}, 2, "not 'pfd' (did you mean 'pdf'?)"},
        {{"spec.json", "-o", "out", "--param", "year"}, 2, "--param takes NAME=VALUE, not 'year'"},
        {{"spec.json", "-o", "out", "--jobs", "0"}, 2, "--jobs takes a whole number from 1 to 256"},
        {{"spec.json", "-o", "out", "--param", "wat=n"}, 1, "did you mean 'what'?"},
        {{"nothing.json", "-o", "out"}, 1, "nothing.json: No such file or directory"},
        {{"sales.csv", "-o", "out"}, 1, "sales.csv:1:1: "},
        {{"spec.json", "-o", "out", "--at", "7-ffff"}, 1, "7-ffff"},
        {{"spec.json", "-o", "spec.json/such/out"},
         1,
         "spec.json/such/out cannot be made: Not a dir"},
        {{"spec.json", "-o", "spec.json"}, 1, "spec.json cannot be opened: Not a directory"},
        {{"--verify", "nowhere"}, 1, "nowhere: there is no such folder"},
        {{"--verify", "store"}, 1, "store/manifest.json is not there"},
    };
    char root[HOUSE_PATH];
    begin(root, spec);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *arguments[12] = {"report", "-d", "store"};
        struct house_run result;
        memcpy(arguments + 3, cases[i].arguments, sizeof cases[i].arguments);
        run(&result, root, arguments, cases[i].code);
        expect_said(&result.complaint, cases[i].said);
        cr_assert_not(has(root, "out"), "%s", cases[i].said);
        house_run_release(&result);
    }
    house_remove_folder(root);
}

/* A folder that may not be written to: nobody but root could. */
Test(report, tells_of_a_folder_that_is_read_only)
{
    char root[HOUSE_PATH];
    struct house_run result;
    if (geteuid() == 0) cr_skip_test("root may write everywhere");
    begin(root, spec);
    char path[HOUSE_PATH];
    house_path(path, root, "out");
    cr_assert_eq(mkdir(path, 0500), 0);
    RUN(&result, root, 1, "report", "-d", "store", "spec.json", "-o", "out");
    expect_said(&result.complaint, "out cannot be written to: Permission denied");
    house_run_release(&result);
    house_remove_folder(root);
}

/* ---- verification ---- */

Test(report, verifies)
{
    char root[HOUSE_PATH];
    struct house_run result;
    begin(root, spec);
    DO(root, 0, "report", "-d", "store", "spec.json", "-o", "out");
    RUN(&result, root, 0, "report", "-d", "store", "--verify", "out");
    expect_said(&result.complaint, "4 of 4 files are the same (snapshot 1-");
    cr_assert_eq(result.out.size, 0);
    house_run_release(&result);
    write_text(root, "out/of/X.html", "forged");
    RUN(&result, root, 5, "report", "-d", "store", "--verify", "out");
    cr_assert_str_eq(vc_buffer_text(&result.out), "of/X.html: changed on disk\n");
    house_run_release(&result);
    DO(root, 0, "report", "-d", "store", "spec.json", "-o", "out");
    /* Of its own snapshot, all is the same, whatever was loaded since. */
    write_sales(root, "X,p,9\n");
    DO(root, 0, "load", "-q", "-d", "store", "--append", "sales.json");
    DO(root, 0, "report", "-d", "store", "--verify", "out");
    /* Eight are kept. */
    write_sales(root, "Y,s,0\n");
    for (int i = 0; i < 8; i++)
        DO(root, 0, "load", "-q", "-d", "store", "--append", "sales.json");
    RUN(&result, root, 5, "report", "-d", "store", "--verify", "out");
    expect_said(&result.complaint, " is not kept any more; the files are compared with those of ");
    expect_said(&result.out, "of/X.towns.csv: differs: the data changed\n");
    house_run_release(&result);
    RUN(&result, root, 5, "report", "-d", "store", "--verify", "out", "--json");
    expect_said(&result.out, "{\"path\":\"of/X.towns.csv\",\"verdict\":\"differs\"");
    house_run_release(&result);
    /* A manifest that leads elsewhere is not followed. */
    write_text(root, "out/manifest.json", "{\"manifest\":1,\"vcube\":\"0\",\"report\":\"r\"}");
    RUN(&result, root, 1, "report", "-d", "store", "--verify", "out");
    expect_said(&result.complaint, "out/manifest.json:1:1: a manifest needs 'specification'");
    house_run_release(&result);
    house_remove_folder(root);
}

/* ---- one snapshot, beside a server and loads ---- */

static void load_on_and_on(const char *root)
{
    char command[2 * HOUSE_PATH];
    write_sales(root, "X,p,1\n");
    cr_assert_eq(chdir(root), 0);
    snprintf(command, sizeof command, "while :; do %s load -q -d store --append sales.json; done",
             house_command());
    execl("/bin/sh", "sh", "-c", command, NULL);
    _exit(127);
}

/* What "All together: " says in a page. */
static long read_total(const char *root, const char *name)
{
    char path[HOUSE_PATH];
    vc_buffer text = {0};
    house_path(path, root, name);
    house_read(path, &text);
    const char *at = strstr(text.data, "All together: ");
    cr_assert_not_null(at, "%s", name);
    long total = strtol(at + 14, NULL, 10);
    vc_buffer_release(&text);
    return total;
}

Test(report, is_of_one_snapshot)
{
    char root[HOUSE_PATH], path[HOUSE_PATH], name[64];
    vc_error error = {0};
    vc_store *store;
    vc_server *server;
    vc_store_options store_options = {.is_read_only = true};
    vc_buffer rows = {0};
    begin(root, spec);
    for (int i = 0; i < 60; i++)
        vc_buffer_printf(&rows, "L%d,t,1\n", i);
    write_sales(root, vc_buffer_text(&rows));
    DO(root, 0, "load", "-q", "-d", "store", "sales.json");
    house_path(path, root, "store");
    cr_assert_eq(vc_store_open(path, &store_options, &store, &error), VC_OK, "%s", error.message);
    vc_server_options options = {.store = store, .nworkers = 2, .is_quiet = true};
    cr_assert_eq(vc_server_start(&options, &server, &error), VC_OK, "%s", error.message);
    pid_t loader = fork();
    if (loader == 0) {
        setpgid(0, 0);
        load_on_and_on(root);
    }
    setpgid(loader, loader);
    long last = 0;
    bool has_grown = false;
    for (int round = 0; round < 6; round++) {
        DO(root, 0, "report", "-d", "store", "spec.json", "-o", "out", "--jobs", "2");
        long first = read_total(root, "out/of/L0.html");
        for (int i = 1; i < 60; i++) {
            snprintf(name, sizeof name, "out/of/L%d.html", i);
            cr_assert_eq(read_total(root, name), first, "%s in round %d", name, round);
        }
        has_grown |= last != 0 && first > last;
        last = first;
    }
    kill(-loader, SIGKILL);
    waitpid(loader, NULL, 0);
    cr_assert(has_grown, "there was a load between two runs");
    vc_server_stop(server);
    vc_store_close(store);
    vc_buffer_release(&rows);
    house_remove_folder(root);
}

/* ---- stopped and killed ---- */

static pid_t start(const char *root, const char *const *arguments)
{
    const char *argv[16] = {"vcube"};
    for (int i = 0; arguments[i] != NULL && i < 14; i++)
        argv[i + 1] = arguments[i];
    pid_t pid = fork();
    if (pid == 0) {
        int nothing = open("/dev/null", O_WRONLY);
        dup2(nothing, 1);
        dup2(nothing, 2);
        if (chdir(root) != 0) _exit(126);
        execv(house_command(), (char *const *)argv);
        _exit(127);
    }
    return pid;
}

static size_t ntemporaries;

static int count_temporary(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    ntemporaries += vc_str_ends_with(vc_str_of(path + place->base), VC_STR(".tmp"));
    return 0;
}

static size_t count_temporaries(const char *root, const char *folder)
{
    char path[HOUSE_PATH];
    house_path(path, root, folder);
    ntemporaries = 0;
    nftw(path, count_temporary, 16, FTW_PHYS);
    return ntemporaries;
}

static size_t expect_whole(const char *root, const char *folder, bool has_all);

/* Of the sample, so that it takes a while; `whole` is what comes of an undisturbed run. */
static void begin_long(char root[HOUSE_PATH], char store[HOUSE_PATH])
{
    char path[HOUSE_PATH], here[HOUSE_PATH];
    vc_buffer text = {0};
    if (house_command() == NULL) cr_skip_test("the command is not built");
    house_make_folder(root);
    house_store("samples/world", store);
    cr_assert_not_null(getcwd(here, sizeof here));
    house_path(path, here, "samples/world/reports/profile.json");
    house_read(path, &text);
    write_text(root, "spec.json", text.data);
    vc_buffer_release(&text);
    DO(root, 0, "report", "-q", "-d", store, "spec.json", "-o", "whole", "--format",
       "html,xlsx,csv", "--only", "[A-D]*");
}
#define LONG(store)                                                                                \
    (const char *[])                                                                               \
    {                                                                                              \
        "report", "-d", store, "spec.json", "-o", "out", "--format", "html,xlsx,csv", "--only",    \
            "[A-D]*", NULL                                                                         \
    }

Test(report, stops_at_a_signal)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    char root[HOUSE_PATH], store[HOUSE_PATH];
    size_t nunfinished = 0;
    begin_long(root, store);
    for (int round = 0; round < 10; round++) {
        int status;
        pid_t pid = start(root, LONG(store));
        usleep(20000 + 12000 * (unsigned)round);
        kill(pid, numbers[round % 2]);
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        bool is_done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        cr_assert(is_done || (WIFSIGNALED(status) && WTERMSIG(status) == numbers[round % 2]),
                  "status %x", (unsigned)status);
        cr_assert_eq(count_temporaries(root, "out"), 0);
        nunfinished += !is_done;
        if (has(root, "out")) expect_whole(root, "out", is_done);
        char path[HOUSE_PATH];
        house_path(path, root, "out");
        house_remove_folder(path);
    }
    cr_assert_gt(nunfinished, 2);
    house_remove_folder(root);
}

Test(report, survives_being_killed, .timeout = 600) /* a busy machine took 104 s, sanitized */
{
    enum { NKILLS = 100 };
    char root[HOUSE_PATH], store[HOUSE_PATH], path[HOUSE_PATH];
    unsigned seed = 8;
    size_t nearly = 0;
    begin_long(root, store);
    house_path(path, root, "out");
    for (int round = 0; round < NKILLS; round++) {
        pid_t pid = start(root, LONG(store));
        usleep(5000 + (unsigned)rand_r(&seed) % 100000);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        nearly += !has(root, "out/manifest.json");
        if (has(root, "out")) expect_whole(root, "out", false);
        if (round % 5 == 4) { /* the next run makes the rest */
            run_silently(root, 0, LONG(store));
            expect_whole(root, "out", true);
            cr_assert_eq(count_temporaries(root, "out"), 0);
            house_remove_folder(path);
        }
    }
    cr_assert_gt(nearly, NKILLS / 4, "most kills came too late");
    house_remove_folder(root);
}

/* Every file below `folder` is that of `whole`, byte by byte; has_all: and none is missing. Returns
 * how many there are. */
static size_t expect_whole(const char *root, const char *folder, bool has_all)
{
    char one[HOUSE_PATH], other[HOUSE_PATH];
    struct dirent **entries;
    size_t count = 0;
    house_path(one, root, "whole");
    int n = scandir(one, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        vc_buffer expected = {0}, found = {0};
        char name[300];
        snprintf(name, sizeof name, "whole/%s", entries[i]->d_name);
        house_path(one, root, name);
        snprintf(name, sizeof name, "%s/%s", folder, entries[i]->d_name);
        house_path(other, root, name);
        bool is_file = entries[i]->d_name[0] != '.';
        free(entries[i]);
        if (!is_file) continue;
        cr_assert(!has_all || house_exists(other), "%s is missing", other);
        if (!house_exists(other)) continue;
        house_read(one, &expected);
        house_read(other, &found);
        cr_assert(expected.size == found.size && memcmp(expected.data, found.data, found.size) == 0,
                  "%s is damaged", other);
        vc_buffer_release(&expected);
        vc_buffer_release(&found);
        count++;
    }
    free(entries);
    return count;
}

/* ---- check ---- */

Test(report, is_checked)
{
    char root[HOUSE_PATH];
    struct house_run result;
    begin(root, spec);
    RUN(&result, root, 0, "check", "spec.json");
    cr_assert_str_eq(vc_buffer_text(&result.complaint),
                     "spec.json: 1 section; its form is in order (names are checked with -d "
                     "DIR)\n");
    house_run_release(&result);
    RUN(&result, root, 0, "check", "-d", "store", "spec.json");
    expect_said(&result.complaint, "spec.json: 1 document of 2 composed without problems");
    house_run_release(&result);
    RUN(&result, root, 0, "check", "-d", "store", "spec.json", "--all");
    expect_said(&result.complaint, "spec.json: 2 documents of 2 composed without problems");
    house_run_release(&result);
    write_text(root, "spec.json", failing);
    DO(root, 0, "check", "spec.json");
    RUN(&result, root, 1, "check", "-d", "store", "spec.json");
    expect_said(&result.complaint, "of/X, section bad: ");
    house_run_release(&result);
    RUN(&result, root, 2, "check", "spec.json", "--laws");
    expect_said(&result.complaint, "--laws does not go with specifications of reports");
    house_run_release(&result);
    RUN(&result, root, 2, "check", "sales.json", "--all");
    expect_said(&result.complaint, "--all goes with specifications of reports");
    house_run_release(&result);
    write_text(root, "spec.json", "{\"kind\":\"report\",\"name\":\"x\",\"sectoins\":[]}");
    RUN(&result, root, 1, "check", "spec.json");
    expect_said(&result.complaint, "spec.json:1:");
    expect_said(&result.complaint, "did you mean 'sections'?");
    house_run_release(&result);
    house_remove_folder(root);
}
