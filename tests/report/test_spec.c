/* Specifications: tests/data/spec/CASE.json, and CASE.txt, what is wrong with it ("fine"). */
#include "report/spec.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is_case(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return size > 5 && strcmp(entry->d_name + size - 5, ".json") == 0;
}

static size_t read_file(const char *path, char *text, size_t capacity)
{
    FILE *file = fopen(path, "re");
    cr_assert(file != NULL, "%s", path);
    size_t size = fread(text, 1, capacity, file);
    fclose(file);
    cr_assert(size < capacity);
    text[size] = '\0';
    return size;
}

struct spec_case {
    char name[96];
};

ParameterizedTestParameters(spec, golden)
{
    static struct spec_case cases[200];
    struct dirent **entries;
    int n = scandir("tests/data/spec", &entries, is_case, alphasort);
    for (int i = 0; i < n; i++) {
        snprintf(cases[i].name, sizeof cases[i].name, "%.*s", (int)strlen(entries[i]->d_name) - 5,
                 entries[i]->d_name);
        free(entries[i]);
    }
    if (n >= 0) free(entries);
    return cr_make_param_array(struct spec_case, cases, (size_t)(n < 0 ? 0 : n));
}

ParameterizedTest(struct spec_case *c, spec, golden)
{
    char path[160], text[8192], expected[2048], found[2048] = "fine";
    vc_arena arena = {0};
    vc_spec spec;
    json_t *json = NULL;
    vc_error error = {0};
    snprintf(path, sizeof path, "tests/data/spec/%s.json", c->name);
    size_t size = read_file(path, text, sizeof text);
    if (vc_spec_read((vc_str){.data = text, .size = size}, "report.json", &arena, &json, &spec,
                     &error) != VC_OK) {
        cr_assert(json == NULL);
        vc_error_format(&error, found, sizeof found);
    }
    json_decref(json);
    vc_arena_release(&arena);
    snprintf(path, sizeof path, "tests/data/spec/%s.txt", c->name);
    if (getenv("VCUBE_ACCEPT") != NULL) {
        FILE *file = fopen(path, "we");
        cr_assert(file != NULL);
        fprintf(file, "%s\n", found);
        fclose(file);
    }
    read_file(path, expected, sizeof expected);
    expected[strcspn(expected, "\n")] = '\0';
    cr_assert(eq(str, found, expected));
}

/* What was left out has its default. */
Test(spec, defaults)
{
    static const char text[] = "{\"kind\": \"report\", \"name\": \"r\", \"title\": \"T\","
                               " \"for_each\": [{\"as\": \"a\", \"values\": [1]},"
                               " {\"as\": \"b\", \"values\": [2]}],"
                               " \"sections\": [{\"kind\": \"text\", \"text\": \"x\","
                               " \"title\": \"What, Now?\"},"
                               " {\"kind\": \"text\", \"text\": \"x\", \"title\": \"what now\"},"
                               " {\"kind\": \"text\", \"text\": \"x\", \"title\": \"\u4e16\"}]}";
    vc_arena arena = {0};
    vc_spec spec;
    json_t *json = NULL;
    vc_error error = {0};
    cr_assert(zero(vc_spec_read(vc_str_of(text), NULL, &arena, &json, &spec, &error)), "%s",
              error.message);
    cr_assert(spec.formats[VC_REPORT_HTML] && !spec.formats[VC_REPORT_PDF]);
    cr_assert(spec.has_notes && !spec.shows_snapshot);
    cr_assert(vc_str_is(spec.language, "en"));
    cr_assert(vc_str_is(spec.file.text, "{{a.key}}-{{b.key}}"));
    cr_assert(vc_str_is(spec.sections[0].id, "what-now"));
    cr_assert(vc_str_is(spec.sections[1].id, "what-now-2"));
    cr_assert(vc_str_is(spec.sections[2].id, "section-3"));
    json_decref(json);
    vc_arena_release(&arena);
}
