#include "tests/slice/fixture.h"

#include "cube/compact.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fail(const char *what, const vc_error *error)
{
    char text[2048];
    cr_assert_fail("%s: %s", what, vc_error_format(error, text, sizeof text));
}

void fixture_open(struct fixture *fixture)
{
    const char *base = getenv("TMPDIR");
    char folder[80];
    vc_error error = {0};
    *fixture = (struct fixture){0};
    snprintf(fixture->path, sizeof fixture->path, "%s/vcube-slice-XXXXXX",
             base == NULL || strlen(base) > 40 ? "/tmp" : base);
    cr_assert_not_null(mkdtemp(fixture->path));
    snprintf(folder, sizeof folder, "%s/store", fixture->path);
    if (vc_store_open(folder, NULL, &fixture->store, &error) != VC_OK) fail(folder, &error);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path);
}

void fixture_keep(struct fixture *fixture)
{
    vc_model_free(fixture->model);
    vc_store_close(fixture->store);
    vc_arena_release(&fixture->arena);
    fixture->model = NULL;
    fixture->store = NULL;
}

void fixture_close(struct fixture *fixture)
{
    fixture_keep(fixture);
    nftw(fixture->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void fixture_write(struct fixture *fixture, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", fixture->path, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file, "%s", path);
    fputs(text, file);
    cr_assert_eq(fclose(file), 0);
}

/* A model of what the store holds now, in place of the one there is. */
static vc_status open_model(struct fixture *fixture, vc_error *error)
{
    vc_snapshot *snapshot;
    vc_model_free(fixture->model);
    fixture->model = NULL;
    vc_status status = vc_snapshot_open(fixture->store, &snapshot, error);
    return status == VC_OK ? vc_model_new(snapshot, true, &fixture->model, error) : status;
}

vc_status fixture_load(struct fixture *fixture, bool is_append, vc_error *error)
{
    vc_arena arena = {0};
    vc_str *files;
    size_t nfiles = 0, nread = 0;
    vc_definition **definitions = NULL;
    vc_load_report report;
    vc_load_options options = {.append = is_append};
    vc_status status = vc_definition_list(fixture->path, &arena, &files, &nfiles, error);
    if (status == VC_OK) definitions = VC_ARENA_NEW(&arena, vc_definition *, nfiles);
    for (size_t i = 0; i < nfiles && status == VC_OK; i++) {
        status = vc_definition_read(files[i].data, &arena, &definitions[i], error);
        nread += status == VC_OK;
    }
    if (status == VC_OK)
        status = vc_load_definitions(fixture->store, definitions, nfiles, &options, &arena, &report,
                                     error);
    for (size_t i = 0; i < nread; i++)
        vc_definition_release(definitions[i]);
    vc_arena_release(&arena);
    return status == VC_OK ? open_model(fixture, error) : status;
}

bool fixture_compact(struct fixture *fixture, size_t window_rows)
{
    vc_error error = {0};
    vc_compact_options options = {.window_rows = window_rows};
    vc_compact_report report;
    vc_arena arena = {0};
    vc_status status = vc_store_compact(fixture->store, NULL, 0, &options, &arena, &report, &error);
    vc_arena_release(&arena);
    if (status == VC_OK) status = open_model(fixture, &error);
    if (status != VC_OK) fail("compact", &error);
    return report.nrewritten > 0;
}

void fixture_need_load(struct fixture *fixture, bool is_append)
{
    vc_error error = {0};
    if (fixture_load(fixture, is_append, &error) != VC_OK) fail("load", &error);
}

static void put_cell(const vc_cell *cell, vc_buffer *out)
{
    uint64_t bits;
    memcpy(&bits, &cell->as, sizeof bits);
    vc_buffer_printf(out, " %c%llx%c", cell->is_null ? '-' : '+',
                     cell->is_null ? 0ULL : (unsigned long long)bits,
                     cell->reason == 0 ? '.' : cell->reason);
}

static void dump_rows(const vc_result *result, vc_buffer *out)
{
    for (size_t row = 0; row < result->nrows; row++) {
        vc_buffer_printf(out, "%u:", result->grouping[row]);
        for (size_t a = 0; a < result->naxes; a++) {
            uint32_t at = result->coords[row * result->naxes + a];
            vc_buffer_put_char(out, ' ');
            if (at == VC_NONE) {
                vc_buffer_put_char(out, '*');
                continue;
            }
            for (size_t l = 0; l < result->axes[a].nlevels; l++)
                vc_buffer_put_json(out, result->axes[a].members[at].keys[l]);
        }
        for (size_t m = 0; m < result->nmeasures; m++)
            put_cell(&result->cells[row * result->nmeasures + m], out);
        vc_buffer_put_char(out, '\n');
    }
}

void fixture_dump(const vc_result *result, vc_buffer *out)
{
    dump_rows(result, out);
    vc_buffer_put_text(out, "summary:");
    for (size_t m = 0; m < result->nmeasures; m++)
        put_cell(&result->summary[m], out);
    vc_buffer_printf(out, "\nfound %llu\n", (unsigned long long)result->total_cell_count);
    for (size_t i = 0; i < result->nnotices; i++) {
        const vc_notice *notice = &result->notices[i];
        vc_buffer_printf(out, "notice %s %.*s %.*s %llu:", notice->code, VC_FMT(notice->source),
                         VC_FMT(notice->dimension), (unsigned long long)notice->count);
        for (size_t m = 0; m < notice->nmembers; m++)
            vc_buffer_printf(out, " %.*s", VC_FMT(notice->members[m]));
        vc_buffer_put_char(out, '\n');
    }
}

struct dumping { /* what is handed over in pieces */
    vc_buffer lanes[16];
    vc_buffer *out;
    size_t npieces;
};

static vc_status begin_dump(void *context, const vc_result *head, size_t nlanes, vc_error *error)
{
    (void)context;
    (void)head;
    (void)error;
    cr_assert_leq(nlanes, 16);
    return VC_OK;
}

static vc_status dump_piece(void *context, size_t lane, const vc_result *piece, vc_error *error)
{
    struct dumping *in = context;
    (void)error;
    vc_buffer_clear(&in->lanes[lane]);
    dump_rows(piece, &in->lanes[lane]);
    return VC_OK;
}

static vc_status commit_dump(void *context, size_t lane, vc_error *error)
{
    struct dumping *in = context;
    (void)error;
    vc_buffer_put(in->out, in->lanes[lane].data, in->lanes[lane].size);
    in->npieces++;
    return VC_OK;
}

vc_status fixture_dump_pieces(vc_model *model, const vc_query *query,
                              const vc_engine_options *options, size_t piece_rows, vc_buffer *out,
                              size_t *npieces_out, vc_error *error)
{
    struct dumping in = {.out = out};
    vc_pieces pieces = {.begin = begin_dump,
                        .piece = dump_piece,
                        .commit = commit_dump,
                        .context = &in,
                        .takes_marks = true,
                        .piece_rows = piece_rows};
    vc_arena arena = {0};
    const vc_result *result = NULL;
    size_t before = out->size;
    vc_status status =
        vc_engine_run_in_pieces(model, query, options, &pieces, &arena, &result, error);
    if (status == VC_OK) {
        size_t nrows = 0;
        for (size_t i = before; i < out->size; i++)
            nrows += out->data[i] == '\n';
        cr_assert_eq(result->nrows_before, nrows, "%zu rows were handed over", nrows);
        fixture_dump(result, out);
    }
    for (size_t i = 0; i < 16; i++)
        vc_buffer_release(&in.lanes[i]);
    vc_arena_release(&arena);
    *npieces_out = in.npieces;
    return status;
}
