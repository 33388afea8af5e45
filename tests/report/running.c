#include "tests/report/running.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- who makes the documents ---- */

static int number_of(vc_str file)
{
    return atoi(strrchr(file.data, '/') + 1);
}

static vc_status compose(void *context, const vc_sweep_item *item, const vc_engine_options *options,
                         vc_arena *arena, vc_composed *composed, vc_error *error)
{
    static const vc_grid grid = {0};
    static const vc_section sections[] = {
        {.kind = VC_SECTION_TEXT, .id = {"text", 4}},
        {.kind = VC_SECTION_PIVOT, .id = {"grid", 4}, .grid = &grid, .query = {"q", 1}},
        {.kind = VC_SECTION_PIVOT, .id = {"silent", 6}, .grid = &grid},
        {.kind = VC_SECTION_FAILED, .id = {"failed", 6}, .query = {"q", 1}}};
    static const vc_composed_query queries[] = {{{"grid", 4}, {"world", 5}, {"q", 1}, 12}};
    struct running *in = context;
    int number = number_of(item->file);
    if (number == in->cancel) in->is_cancelled = true;
    if (options->is_cancelled(options->context))
        return vc_fail(error, VC_CANCELLED, "cancelled", "stopped");
    if (number == in->broken) return vc_fail(error, VC_CORRUPT, "storage_damaged", "damaged");
    *composed = (vc_composed){.document = {.title = item->file,
                                           .sections = sections,
                                           .nsections = sizeof sections / sizeof sections[0]},
                              .queries = queries,
                              .nqueries = 1,
                              .definitions = number % 2 == 0 ? VC_STR("sha256:b")
                                                             : VC_STR("sha256:b sha256:a")};
    if (in->definitions != NULL) composed->definitions = vc_str_of(in->definitions);
    if (number == in->assertion || number == in->section) {
        vc_problem *problem = VC_ARENA_NEW(arena, vc_problem, 1);
        problem->kind = number == in->assertion ? VC_PROBLEM_ASSERTION : VC_PROBLEM_SECTION;
        problem->message = VC_STR("it does not hold");
        composed->problems = problem;
        composed->nproblems = 1;
    }
    return VC_OK;
}

static vc_status put(struct running *in, const char *text, vc_render_sink sink, vc_error *error)
{
    static const char much[100000] = "";
    vc_status status = sink.write(sink.context, text, strlen(text), error);
    if (status == VC_OK && in->is_large)
        status = sink.write(sink.context, much, sizeof much, error);
    return status;
}

static vc_status write_document(void *context, vc_report_format format, const vc_document *document,
                                vc_render_sink sink, const char *path, vc_error *error)
{
    struct running *in = context;
    char text[256];
    snprintf(text, sizeof text, "%s of %.*s%s\n", vc_report_format_name(format),
             VC_FMT(document->title), in->change != NULL ? in->change : "");
    if (format == VC_REPORT_PDF && number_of(document->title) == in->broken_pdf)
        return vc_fail(error, VC_STORAGE, "output", "no PDF");
    if (format != VC_REPORT_XLSX) return put(in, text, sink, error);
    FILE *file = fopen(path, "we");
    if (file == NULL) return vc_fail(error, VC_STORAGE, "output", "%s: %m", path);
    fputs(text, file);
    fclose(file);
    return VC_OK;
}

static vc_status write_section(void *context, vc_report_format format, const vc_sweep_item *item,
                               const vc_section *section, const vc_engine_options *options,
                               vc_render_sink sink, vc_error *error)
{
    struct running *in = context;
    char text[256];
    (void)options;
    snprintf(text, sizeof text, "%s of %.*s %.*s\n", vc_report_format_name(format),
             VC_FMT(item->file), VC_FMT(section->id));
    vc_status status = put(in, text, sink, error);
    if (format == VC_REPORT_JSONSTAT && number_of(item->file) == in->bad_section)
        return vc_fail(error, VC_IMPOSSIBLE, "ambiguous_key", "two members have the key X");
    return status;
}

static bool is_cancelled(void *context)
{
    return ((struct running *)context)->is_cancelled;
}

static void see_problem(void *context, const vc_sweep_item *item, const vc_problem *problem,
                        bool is_published)
{
    struct running *in = context;
    (void)item;
    (void)problem;
    in->nproblems_seen++;
    in->nunpublished_seen += !is_published;
}

/* ---- runs ---- */

void running_begin(struct running *in, size_t nitems)
{
    *in = (struct running){.assertion = -1,
                           .section = -1,
                           .bad_section = -1,
                           .broken = -1,
                           .broken_pdf = -1,
                           .cancel = -1};
    const char *folder = getenv("TMPDIR");
    snprintf(in->directory, sizeof in->directory, "%s/vcube-run-XXXXXX",
             folder != NULL ? folder : "/tmp");
    cr_assert_not_null(mkdtemp(in->directory));
    vc_sweep_item *items = VC_ARENA_NEW(&in->arena, vc_sweep_item, nitems + 1);
    for (size_t i = 0; i < nitems; i++)
        items[i].file = vc_arena_printf(&in->arena, "a/%zu", i);
    in->sweep = (vc_sweep){items, nitems};
    in->plan = (vc_run_plan){
        .report = VC_STR("test"),
        .specification = VC_STR("{}"),
        .sweep = &in->sweep,
        .formats = {[VC_REPORT_HTML] = true},
        .snapshot = VC_STR("1-0000"),
        .options = {.is_cancelled = is_cancelled, .context = in},
        .maker = {compose, write_document, write_section, in},
        .watcher = {.problem = see_problem, .context = in},
    };
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    return place->level > 0 ? remove(path) : 0;
}

void running_clear(const struct running *in)
{
    nftw(in->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void running_end(struct running *in)
{
    running_clear(in);
    rmdir(in->directory);
    vc_arena_release(&in->arena);
}

vc_status running_run(struct running *in)
{
    in->error = (vc_error){0};
    in->is_cancelled = false;
    return vc_run(&in->plan, in->directory, &in->arena, &in->result, &in->error);
}

/* ---- files ---- */

static const char *path_of(const struct running *in, const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", in->directory, name);
    return path;
}

bool running_has(const struct running *in, const char *name)
{
    return access(path_of(in, name), F_OK) == 0;
}

void running_read(const struct running *in, const char *name, vc_buffer *text)
{
    char block[4096];
    size_t n;
    FILE *file = fopen(path_of(in, name), "re");
    cr_assert_not_null(file, "%s: %s", name, strerror(errno));
    while ((n = fread(block, 1, sizeof block, file)) > 0)
        vc_buffer_put(text, block, n);
    fclose(file);
    vc_buffer_text(text);
}

void running_write(const struct running *in, const char *name, const char *text)
{
    FILE *file = fopen(path_of(in, name), "we");
    cr_assert_not_null(file, "%s: %s", name, strerror(errno));
    fputs(text, file);
    fclose(file);
}

void running_remove(const struct running *in, const char *name)
{
    cr_assert_eq(unlink(path_of(in, name)), 0, "%s: %s", name, strerror(errno));
}

void running_make_folder(const struct running *in, const char *name)
{
    cr_assert_eq(mkdir(path_of(in, name), 0700), 0, "%s: %s", name, strerror(errno));
}

void running_expect(const struct running *in, const char *name, const char *text)
{
    vc_buffer found = {0};
    running_read(in, name, &found);
    cr_assert_str_eq(found.data, text, "%s", name);
    vc_buffer_release(&found);
}

void running_expect_same(const struct running *in, const struct running *other, const char *name)
{
    vc_buffer expected = {0};
    running_read(in, name, &expected);
    running_expect(other, name, expected.data);
    vc_buffer_release(&expected);
}

static size_t ntemporaries;

static int count_temporary(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    const char *name = path + place->base;
    ntemporaries += vc_str_starts_with(vc_str_of(name), VC_STR(".vcube-report-")) &&
                    vc_str_ends_with(vc_str_of(name), VC_STR(".tmp"));
    return 0;
}

size_t running_temporaries(const struct running *in)
{
    ntemporaries = 0;
    nftw(in->directory, count_temporary, 16, FTW_PHYS);
    return ntemporaries;
}

void running_manifest(struct running *in, vc_run_manifest *manifest)
{
    vc_buffer text = {0};
    vc_error error = {0};
    running_read(in, VC_MANIFEST_NAME, &text);
    cr_assert_eq(
        vc_run_manifest_read((vc_str){text.data, text.size}, NULL, &in->arena, manifest, &error),
        VC_OK, "%s: %s", error.pointer, error.message);
    vc_buffer_release(&text);
}
