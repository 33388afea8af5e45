/* Most cases are files: tests/data/definition/<case>/definition.json is read, and what comes out,
 * the structs or the error, must equal expected.json beside it. */
#include "cube/definition.h"

#include "base/buffer.h"
#include "tests/cube/definition_dump.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char path[96];
};

/* The sub-folders of a folder; tests run from the top of the checkout. */
static struct criterion_test_params list_folders(const char *path)
{
    static struct folder folders[512];
    size_t count = 0;
    struct dirent **entries = NULL;
    int nentries = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < nentries; i++) {
        if (entries[i]->d_name[0] != '.' && count < 512 &&
            strlen(path) + strlen(entries[i]->d_name) + 2 <= sizeof folders[0].path)
            snprintf(folders[count++].path, sizeof folders->path, "%s/%s", path,
                     entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return cr_make_param_array(struct folder, folders, count);
}

ParameterizedTestParameters(definition, golden)
{
    return list_folders("tests/data/definition");
}

ParameterizedTest(struct folder *folder, definition, golden)
{
    char file[128], expected_file[128];
    snprintf(file, sizeof file, "%s/definition.json", folder->path);
    snprintf(expected_file, sizeof expected_file, "%s/expected.json", folder->path);
    json_t *expected = json_load_file(expected_file, 0, NULL);
    cr_assert_not_null(expected, "cannot read %s", expected_file);
    vc_arena arena = {0};
    vc_error error = {0};
    vc_definition *definition = NULL;
    vc_status status = vc_definition_read(file, &arena, &definition, &error);
    json_t *actual = json_object();
    if (status == VC_OK) {
        json_object_set_new(actual, "definition", definition_dump(definition));
    } else {
        cr_assert_eq(status, error.status);
        cr_assert_eq(status, VC_BAD_INPUT);
        cr_assert_str_eq(error.file, file);
        cr_assert_null(definition);
        json_object_set_new(actual, "error", definition_error_dump(&error));
    }
    const char *says = json_string_value(json_object_get(expected, "says"));
    char said[sizeof error.message + 32] = ""; /* as it is shown */
    if (error.has_offset) snprintf(said, sizeof said, "byte %ld: ", error.offset);
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s", error.message);
    if (says != NULL)
        cr_assert_not_null(strstr(said, says), "%s: the message is: %s", folder->path, said);
    json_object_del(expected, "says");
    if (!json_equal(actual, expected)) {
        char *text = json_dumps(actual, JSON_INDENT(2));
        cr_assert_fail("%s: %s\n%s", folder->path, error.message, text);
    }
    json_decref(actual);
    json_decref(expected);
    vc_definition_release(definition);
    vc_arena_release(&arena);
}

/* A folder that is not found would silently mean no cases. */
Test(definition, golden_cases_are_there)
{
    struct criterion_test_params params = list_folders("tests/data/definition");
    cr_assert(params.length >= 100, "%zu cases", params.length);
}

/* Every definition we ship must be one. */
ParameterizedTestParameters(definition, sample)
{
    return list_folders("samples");
}

ParameterizedTest(struct folder *folder, definition, sample)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_str *files = NULL;
    size_t nfiles = 0;
    struct stat about;
    if (stat(folder->path, &about) != 0 || !S_ISDIR(about.st_mode)) return;
    vc_status status = vc_definition_list(folder->path, &arena, &files, &nfiles, &error);
    if (status == VC_NOT_FOUND) return; /* a folder of data only */
    cr_assert_eq(status, VC_OK, "%s: %s", folder->path, error.message);
    for (size_t i = 0; i < nfiles; i++) {
        vc_definition *definition = NULL;
        char line[2048];
        status = vc_definition_read(files[i].data, &arena, &definition, &error);
        cr_expect_eq(status, VC_OK, "%s", vc_error_format(&error, line, sizeof line));
        vc_definition_release(definition);
    }
    vc_arena_release(&arena);
}

/* ---- places ---- */

static vc_definition *parse(const char *text, const char *file, vc_arena *arena)
{
    vc_error error = {0};
    vc_definition *definition = NULL;
    vc_status status = vc_definition_parse(vc_str_of(text), file, arena, &definition, &error);
    cr_assert_eq(status, VC_OK, "%s: %s", error.pointer, error.message);
    return definition;
}

static const char crosswalk[] =
    "{ \"name\": \"c\", \"kind\": \"crosswalk\",\n"
    "  \"data\": {\"csv\": \"c.csv\"}, \"from\": \"a b\", \"to\": \"b\"}";

struct directory_case {
    char file[32], directory[32];
};

ParameterizedTestParameters(definition, directory)
{
    static struct directory_case cases[] = {
        {"samples/world/geo.json", "samples/world"},
        {"geo.json", "."},
        {"/geo.json", "/"},
        {"/srv/geo.json", "/srv"},
        {"", "."}, /* from memory */
    };
    return cr_make_param_array(struct directory_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct directory_case *c, definition, directory)
{
    vc_arena arena = {0};
    vc_definition *definition = parse(crosswalk, c->file[0] == '\0' ? NULL : c->file, &arena);
    cr_assert(vc_str_is(definition->directory, c->directory), "%.*s",
              VC_FMT(definition->directory));
    cr_assert(vc_str_is(definition->file, c->file));
    vc_definition_release(definition);
    vc_arena_release(&arena);
}

/* Errors found later, against data or other cubes, get their place by pointer. */
Test(definition, locate)
{
    vc_arena arena = {0};
    vc_definition *definition = parse(crosswalk, "c.json", &arena);
    vc_error error = {0};
    vc_fail(&error, VC_NOT_FOUND, "unknown_column", "no such column");
    vc_error_at_pointer(&error, "/from");
    vc_definition_locate(definition, &error);
    cr_assert_str_eq(error.file, "c.json");
    cr_assert_eq(error.line, 2);
    cr_assert_eq(error.column, 37);
    vc_definition_locate(definition, NULL);
    vc_definition_release(definition);
    vc_arena_release(&arena);
}

Test(definition, error_may_be_unwanted)
{
    vc_arena arena = {0};
    vc_definition *definition = NULL;
    cr_assert_eq(
        vc_definition_parse(VC_STR("{\"kind\": \"cube\"}"), NULL, &arena, &definition, NULL),
        VC_BAD_INPUT);
    cr_assert_eq(vc_definition_parse(VC_STR(""), NULL, &arena, &definition, NULL), VC_BAD_INPUT);
    cr_assert_null(definition);
    vc_definition_release(NULL);
    vc_arena_release(&arena);
}

/* jansson quotes "\xDE" of the broken string, half a character; a message becomes JSON later. */
Test(definition, message_is_utf8)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_definition *definition = NULL;
    cr_assert_eq(
        vc_definition_parse(VC_STR("{\"a\": \"\\\xDE\xA3\"}"), NULL, &arena, &definition, &error),
        VC_BAD_INPUT);
    cr_assert_str_eq(error.code, "json");
    cr_assert_neq(error.message[0], '\0');
    cr_assert(vc_utf8_check(vc_str_of(error.message), NULL), "%s", error.message);
    vc_arena_release(&arena);
}

/* The text may go away: everything is in the arena or the json. */
Test(definition, text_is_not_kept)
{
    vc_arena arena = {0};
    vc_definition *definition = NULL;
    char *text = strdup(crosswalk);
    cr_assert_eq(vc_definition_parse(vc_str_of(text), NULL, &arena, &definition, NULL), VC_OK);
    memset(text, '?', strlen(text));
    free(text);
    cr_assert(vc_str_is(definition->as.crosswalk.from, "a b"));
    cr_assert(vc_str_is(definition->text, crosswalk));
    vc_definition_release(definition);
    vc_arena_release(&arena);
}

/* ---- hash ---- */

Test(definition, hash)
{
    vc_arena arena = {0};
    const char *texts[] = {
        crosswalk,
        /* other space */
        "{\"name\":\"c\",\"kind\":\"crosswalk\",\"data\":{\"csv\":\"c.csv\"},\"from\":\"a b\","
        "\r\n\t\"to\":\"b\"}\n",
        /* space inside a string counts, also behind an escaped quote */
        "{\"name\":\"c\",\"kind\":\"crosswalk\",\"data\":{\"csv\":\"c.csv\"},\"from\":\"a  b\","
        "\"to\":\"b\"}",
        "{\"name\":\"c\",\"kind\":\"crosswalk\",\"data\":{\"csv\":\"c.csv\"},\"from\":\"a\\\" b\","
        "\"to\":\"b\"}",
        "{\"name\":\"c\",\"kind\":\"crosswalk\",\"data\":{\"csv\":\"c.csv\"},\"from\":\"a\\\"b\","
        "\"to\":\"b\"}",
    };
    vc_str hashes[5];
    for (size_t i = 0; i < 5; i++) {
        vc_definition *definition = parse(texts[i], NULL, &arena);
        hashes[i] = vc_definition_hash(definition, &arena);
        cr_assert_eq(hashes[i].size, strlen("sha256:") + 64);
        vc_definition_release(definition);
    }
    cr_assert(vc_str_equal(hashes[0], hashes[1]));
    /* sha256sum of the text without a space or an end of line */
    cr_assert(vc_str_is(hashes[0],
                        "sha256:872793a7323147fb7558ee88118d95230d87ab5abb47a4be0c1f2c3f38e69203"));
    for (size_t i = 1; i < 5; i++)
        for (size_t j = 1; j < i; j++)
            cr_assert(!vc_str_equal(hashes[i], hashes[j]), "%zu and %zu", i, j);
    vc_arena_release(&arena);
}

/* ---- files and folders ---- */

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static void remove_all(const char *folder, const char *const *names)
{
    char path[256];
    for (; *names != NULL; names++) {
        snprintf(path, sizeof path, "%s/%s", folder, *names);
        cr_assert_eq(remove(path), 0, "%s", path);
    }
    cr_assert_eq(rmdir(folder), 0);
}

Test(definition, list_of_a_folder)
{
    char folder[] = "/tmp/vcube-definition-XXXXXX", path[256];
    cr_assert_not_null(mkdtemp(folder));
    write_file(folder, "b.json", crosswalk);
    write_file(folder, "a.json", "{\"kind\": \"virtual\"}"); /* a bad definition is one */
    write_file(folder, "broken.json", "{");                  /* said when it is read */
    write_file(folder, "report.json", "{\"title\": \"no definition\"}");
    write_file(folder, "list.json", "[1, 2]");
    write_file(folder, "b.csv", "a b,b\n");
    write_file(folder, ".hidden.json", crosswalk);
    snprintf(path, sizeof path, "%s/sub.json", folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    vc_arena arena = {0};
    vc_error error = {0};
    vc_str *files;
    size_t nfiles;
    const char *names[] = {"a.json", "b.json", "broken.json"};
    for (unsigned with_slash = 0; with_slash < 2; with_slash++) {
        snprintf(path, sizeof path, "%s%s", folder, with_slash ? "/" : "");
        cr_assert_eq(vc_definition_list(path, &arena, &files, &nfiles, &error), VC_OK);
        cr_assert_eq(nfiles, 3);
        for (size_t i = 0; i < 3; i++) {
            snprintf(path, sizeof path, "%s/%s", folder, names[i]);
            cr_assert(vc_str_is(files[i], path), "%.*s", VC_FMT(files[i]));
        }
    }
    vc_arena_release(&arena);
    const char *const all[] = {"a.json", "b.json",       "broken.json", "report.json", "list.json",
                               "b.csv",  ".hidden.json", "sub.json",    NULL};
    remove_all(folder, all);
}

Test(definition, list_of_nothing)
{
    char folder[] = "/tmp/vcube-definition-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    write_file(folder, "report.json", "{}");
    vc_arena arena = {0};
    vc_error error = {0};
    vc_str *files = NULL;
    size_t nfiles = 0;
    cr_assert_eq(vc_definition_list(folder, &arena, &files, &nfiles, &error), VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "missing_file");
    cr_assert_str_eq(error.file, folder);
    cr_assert_eq(vc_definition_list("/nonexistent/x.json", &arena, &files, &nfiles, &error),
                 VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "missing_file");
    vc_arena_release(&arena);
    const char *const all[] = {"report.json", NULL};
    remove_all(folder, all);
}

/* A file on the command line is taken at its word. */
Test(definition, list_of_a_file)
{
    char folder[] = "/tmp/vcube-definition-XXXXXX", path[256];
    cr_assert_not_null(mkdtemp(folder));
    write_file(folder, "odd.txt", "{}");
    snprintf(path, sizeof path, "%s/odd.txt", folder);
    vc_arena arena = {0};
    vc_str *files;
    size_t nfiles;
    cr_assert_eq(vc_definition_list(path, &arena, &files, &nfiles, NULL), VC_OK);
    cr_assert_eq(nfiles, 1);
    cr_assert(vc_str_is(files[0], path));
    vc_arena_release(&arena);
    const char *const all[] = {"odd.txt", NULL};
    remove_all(folder, all);
}

Test(definition, read_failures)
{
    vc_arena arena = {0};
    vc_error error = {0};
    vc_definition *definition = NULL;
    cr_assert_eq(vc_definition_read("/nonexistent/x.json", &arena, &definition, &error),
                 VC_NOT_FOUND);
    cr_assert_str_eq(error.code, "missing_file");
    cr_assert_str_eq(error.file, "/nonexistent/x.json");
    cr_assert_eq(vc_definition_read("/tmp", &arena, &definition, &error), VC_STORAGE);
    cr_assert_str_eq(error.code, "file_read");
    cr_assert_eq(vc_definition_read("/dev/zero", &arena, &definition, &error), VC_LIMIT);
    cr_assert_str_eq(error.code, "file_too_large");
    cr_assert_eq(vc_definition_read("/dev/null", &arena, &definition, &error), VC_BAD_INPUT);
    cr_assert_str_eq(error.code, "json");
    cr_assert_null(definition);
    vc_arena_release(&arena);
}

Test(definition, names_of_words)
{
    cr_assert_str_eq(vc_aggregator_name(VC_AGG_COUNT_DISTINCT), "count_distinct");
    cr_assert_str_eq(vc_aggregator_name(VC_AGG_AVG), "avg");
    cr_assert_str_eq(vc_join_kind_name(VC_JOIN_FULL), "full");
    cr_assert_str_eq(vc_join_kind_name(VC_JOIN_LEFT), "left");
}
