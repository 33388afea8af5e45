/* Manifests: what is written is read again, and what strangers write is not believed. */
#include "report/manifest.h"

#include <criterion/criterion.h>
#include <string.h>

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void put(vc_buffer *out, bool is_published)
{
    static const vc_variable variables[] = {
        {.name = {"country", 7}, .key = {"FRA", 3}, .label = {"\"France\"", 8}},
        {.name = {"none", 4}}};
    static const vc_composed_query queries[] = {{{"pop", 3}, {"world", 5}, {"", 0}, 12}};
    static const vc_problem problems[] = {
        {VC_PROBLEM_SECTION, {"pop", 3}, {"line\none", 8}, {NULL, 0}}};
    static const vc_document_coverage coverage[] = {
        {.source = {"cities", 6}, .dimension = {"geo", 3}, .keys = 5, .keys_matched = 4}};
    static const vc_str notices[] = {{"a note", 6}};
    static const vc_made_file files[] = {{{"a/FRA.html", 10}, VC_REPORT_HTML, 12, SUM}};
    static const vc_given_parameter given[] = {{{"ye\"ar", 5}, {"2019", 4}}};
    vc_sweep_item item = {.variables = {variables, 2}, .file = VC_STR("a/FRA")};
    vc_composed composed = {
        .document = {.coverage = coverage, .ncoverage = 1, .notices = notices, .nnotices = 1},
        .problems = problems,
        .nproblems = 1,
        .queries = queries,
        .nqueries = 1,
        .definitions = VC_STR("sha256:x sha256:y")};
    vc_buffer entry = {0};
    vc_run_manifest_put_document(&entry, &item, &composed, files, 1, is_published);
    vc_str definitions[] = {VC_STR("sha256:x"), VC_STR("sha256:y")};
    vc_run_manifest manifest = {.version = VC_STR("0.1.0"),
                                .report = VC_STR("profile"),
                                .specification = VC_STR("{\n \"a\": \"\xC3\xA9\"}"),
                                .snapshot = VC_STR("42-9f3c"),
                                .parameters = given,
                                .nparameters = 1,
                                .formats = {[VC_REPORT_HTML] = true, [VC_REPORT_CSV] = true},
                                .definitions = definitions,
                                .ndefinitions = 2};
    vc_run_manifest_put(out, &manifest, (vc_str[]){{entry.data, entry.size}}, 1);
    vc_buffer_text(out);
    vc_buffer_release(&entry);
}

Test(manifest, is_as_it_is_documented)
{
    vc_buffer text = {0};
    put(&text, true);
    cr_assert_str_eq(
        text.data,
        "{\"manifest\":1,\"vcube\":\"0.1.0\",\"report\":\"profile\","
        "\"specification\":\"{\\n \\\"a\\\": \\\"\xC3\xA9\\\"}\",\"specification_sha256\":"
        "\"d16a87aa1188ddbb327f4ec71d5b5530b454badf1dc8b88165e8ff93af72f38a\","
        "\"parameters\":{\"ye\\\"ar\":\"2019\"},\"formats\":[\"html\",\"csv\"],"
        "\"snapshot\":\"42-9f3c\",\"definitions\":[\"sha256:x\",\"sha256:y\"],"
        "\"complete\":false,\"documents\":[\n"
        "{\"file\":\"a/FRA\",\"published\":true,\"variables\":["
        "{\"name\":\"country\",\"key\":\"FRA\",\"label\":\"\\\"France\\\"\"},"
        "{\"name\":\"none\",\"key\":null,\"label\":null}],"
        "\"files\":[{\"path\":\"a/FRA.html\",\"format\":\"html\",\"bytes\":12,\"sha256\":\"" SUM
        "\"}],"
        "\"queries\":[{\"section\":\"pop\",\"cube\":\"world\",\"query\":\"\",\"sha256\":"
        "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"rows\":12}],"
        "\"definitions\":[\"sha256:x\",\"sha256:y\"],"
        "\"coverage\":[{\"source\":\"cities\",\"dim\":\"geo\",\"keys\":5,\"keys_matched\":4}],"
        "\"notices\":[\"a note\"],"
        "\"problems\":[{\"kind\":\"section\",\"section\":\"pop\",\"message\":\"line\\none\","
        "\"query\":null}]}\n"
        "]}\n");
    vc_buffer_release(&text);
}

Test(manifest, is_read_again)
{
    vc_buffer text = {0};
    vc_arena arena = {0};
    vc_run_manifest manifest;
    vc_error error = {0};
    put(&text, true);
    cr_assert_eq(
        vc_run_manifest_read((vc_str){text.data, text.size}, "m", &arena, &manifest, &error), VC_OK,
        "%s", error.message);
    cr_assert(vc_str_is(manifest.version, "0.1.0"));
    cr_assert(vc_str_is(manifest.report, "profile"));
    cr_assert(vc_str_is(manifest.specification, "{\n \"a\": \"\xC3\xA9\"}"), "byte by byte");
    cr_assert(vc_str_is(manifest.snapshot, "42-9f3c"));
    cr_assert_eq(manifest.nparameters, 1);
    cr_assert(vc_str_is(manifest.parameters[0].name, "ye\"ar"));
    cr_assert(vc_str_is(manifest.parameters[0].value, "2019"));
    for (unsigned i = 0; i < VC_REPORT_FORMATS; i++)
        cr_assert_eq(manifest.formats[i], i == VC_REPORT_HTML || i == VC_REPORT_CSV);
    cr_assert_eq(manifest.ndefinitions, 2);
    cr_assert_not(manifest.is_complete);
    cr_assert_eq(manifest.ndocuments, 1);
    const vc_made_document *document = &manifest.documents[0];
    cr_assert(vc_str_is(document->file, "a/FRA"));
    cr_assert(document->is_published);
    cr_assert_eq(document->ndefinitions, 2);
    cr_assert_eq(document->nproblems, 1);
    cr_assert_eq(document->nfiles, 1);
    cr_assert(vc_str_is(document->files[0].path, "a/FRA.html"));
    cr_assert_eq(document->files[0].format, VC_REPORT_HTML);
    cr_assert_eq(document->files[0].nbytes, 12);
    cr_assert_str_eq(document->files[0].sum, SUM);
    vc_arena_release(&arena);
    vc_buffer_release(&text);
}

/* A manifest with one part replaced, and how it is refused. */
struct bad_case {
    const char *part, *by, *code, *pointer;
};

Test(manifest, is_not_believed)
{
    static const struct bad_case cases[] = {
        {"\"manifest\":1", "\"manifest\":2", "bad_value", "/manifest"},
        {"\"manifest\":1,", "", "missing_field", ""},
        {"\"report\":\"profile\"", "\"report\":7", "bad_type", "/report"},
        {"a/FRA.html", "../FRA.html", "bad_value", "/documents/0/files/0/path"},
        {"a/FRA.html", "/etc/passwd", "bad_value", "/documents/0/files/0/path"},
        {"a/FRA.html", "a/.ssh/x", "bad_value", "/documents/0/files/0/path"},
        {"a/FRA.html", "a/x\\ny", "bad_value", "/documents/0/files/0/path"},
        {"\"file\":\"a/FRA\"", "\"file\":\"..\"", "bad_value", "/documents/0/file"},
        {"\"format\":\"html\"", "\"format\":\"exe\"", "bad_value", "/documents/0/files/0/format"},
        {"\"bytes\":12", "\"bytes\":-1", "bad_value", "/documents/0/files/0/bytes"},
        {"\"bytes\":12", "\"bytes\":1.5", "bad_type", "/documents/0/files/0/bytes"},
        {"abcdef\"}", "abcdeF\"}", "bad_value", "/documents/0/files/0/sha256"},
        {"abcdef\"}", "abcde\"}", "bad_value", "/documents/0/files/0/sha256"},
        {"\"published\":true", "\"published\":1", "bad_type", "/documents/0/published"},
        {"[\"html\",\"csv\"]", "[\"html\",\"exe\"]", "bad_value", "/formats"},
        {"[\"html\",\"csv\"]", "[1]", "bad_type", "/formats/0"},
        {":\"2019\"", ":2019", "bad_type", "/parameters"},
        {"\"documents\":[", "\"documents\":[7,", "missing_field", "/documents/0"},
        {"\"complete\":false", "\"complete\":null", "bad_type", "/complete"},
        {"}]}", "}]", "json", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vc_buffer text = {0}, bad = {0};
        vc_arena arena = {0};
        vc_run_manifest manifest;
        vc_error error = {0};
        put(&text, true);
        const char *at = strstr(text.data, cases[i].part);
        cr_assert_not_null(at, "%s", cases[i].part);
        vc_buffer_put(&bad, text.data, (size_t)(at - text.data));
        vc_buffer_put_text(&bad, cases[i].by);
        vc_buffer_put_text(&bad, at + strlen(cases[i].part));
        cr_assert_eq(vc_run_manifest_read((vc_str){bad.data, bad.size}, "manifest.json", &arena,
                                          &manifest, &error),
                     VC_BAD_INPUT, "%s", cases[i].by);
        cr_assert_str_eq(error.code, cases[i].code, "%s: %s", cases[i].by, error.message);
        cr_assert_str_eq(error.pointer, cases[i].pointer, "%s: %s", cases[i].by, error.message);
        cr_assert_gt(error.line, 0);
        vc_arena_release(&arena);
        vc_buffer_release(&text);
        vc_buffer_release(&bad);
    }
}

Test(manifest, splits_definitions)
{
    vc_arena arena = {0};
    const vc_str *parts;
    size_t nparts;
    cr_assert_eq(vc_run_manifest_split(VC_STR(" a  b "), &arena, &parts, &nparts, NULL), VC_OK);
    cr_assert_eq(nparts, 2);
    cr_assert(vc_str_is(parts[1], "b"));
    cr_assert_eq(vc_run_manifest_split((vc_str){0}, &arena, &parts, &nparts, NULL), VC_OK);
    cr_assert_eq(nparts, 0);
    vc_arena_release(&arena);
}
