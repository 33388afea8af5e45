/* Reports, from the specification to what their readers see, as Markdown: tests/data/compose/CASE
 * has report.json and expected.md. The store is that of the sample or fixture that the case's name
 * begins with. Expectations are worked out from the semantics and the tables of the samples. */
#include "tests/house/house.h"

#include "report/compose.h"
#include "report/writers.h"

#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DOCUMENTS = 40 };

static void open_model(const char *store_path, vc_store **store, vc_model **model)
{
    vc_snapshot *snapshot;
    vc_error error = {0};
    cr_assert(
        zero(vc_store_open(store_path, &(vc_store_options){.is_read_only = true}, store, &error)),
        "%s", error.message);
    cr_assert(zero(vc_snapshot_open(*store, &snapshot, &error)));
    cr_assert(zero(vc_model_new(snapshot, true, model, &error)));
}

static void store_of(const char *name, char path[HOUSE_PATH])
{
    char fixture[HOUSE_PATH];
    snprintf(fixture, sizeof fixture, "%.*s", (int)strcspn(name, "-"), name);
    house_store(fixture, path);
}

static void put_document(vc_buffer *out, const vc_spec *spec, const vc_sweep_item *item,
                         vc_model *model)
{
    vc_arena arena = {0};
    vc_composed composed;
    vc_error error = {0};
    vc_engine_options options = {0};
    vc_buffer_printf(out, "=== %.*s\n", VC_FMT(item->file));
    cr_assert(zero(vc_compose(spec, item, model, &options, &arena, &composed, &error)), "%s",
              error.message);
    for (size_t i = 0; i < composed.nproblems; i++)
        vc_buffer_printf(out, "!!! %s %.*s: %.*s\n",
                         composed.problems[i].kind == VC_PROBLEM_SECTION ? "section" : "assertion",
                         VC_FMT(composed.problems[i].section),
                         VC_FMT(composed.problems[i].message));
    cr_assert(zero(vc_markdown_write(&composed.document, vc_render_to_buffer(out), &error)));
    vc_arena_release(&arena);
}

static void put_report(vc_buffer *out, vc_str text, const char *file, vc_model *model)
{
    vc_arena arena = {0};
    vc_spec spec;
    vc_sweep sweep;
    json_t *json = NULL;
    vc_error error = {0};
    vc_engine_options options = {0};
    char line[2048];
    vc_status status = vc_spec_read(text, file, &arena, &json, &spec, &error);
    if (status == VC_OK)
        status = vc_sweep_make(&spec, NULL, 0, model, &options, &arena, &sweep, &error);
    if (status != VC_OK) vc_buffer_printf(out, "%s\n", vc_error_format(&error, line, sizeof line));
    for (size_t i = 0; status == VC_OK && i < sweep.nitems && i < MAX_DOCUMENTS; i++)
        put_document(out, &spec, &sweep.items[i], model);
    json_decref(json);
    vc_arena_release(&arena);
}

ParameterizedTestParameters(compose, golden)
{
    return house_folders("tests/data/compose");
}

ParameterizedTest(struct house_folder *folder, compose, golden)
{
    char path[HOUSE_PATH], store_path[HOUSE_PATH];
    vc_buffer text = {0}, actual = {0}, expected = {0};
    vc_store *store;
    vc_model *model;
    store_of(folder->name, store_path);
    snprintf(path, sizeof path, "tests/data/compose/%s/report.json", folder->name);
    house_read(path, &text);
    open_model(store_path, &store, &model);
    put_report(&actual, (vc_str){.data = text.data, .size = text.size}, "report.json", model);
    vc_model_free(model);
    vc_store_close(store);
    snprintf(path, sizeof path, "tests/data/compose/%s/expected.md", folder->name);
    if (getenv("VCUBE_ACCEPT") != NULL) house_write(path, actual.data, actual.size);
    house_read(path, &expected);
    cr_assert_str_eq(vc_buffer_text(&actual), vc_buffer_text(&expected));
    vc_buffer_release(&text);
    vc_buffer_release(&actual);
    vc_buffer_release(&expected);
}
