#include "tests/cube/load_state.h"

#include "cube/source.h"
#include "tests/cube/load_dump.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

void load_take_state(const struct scratch *scratch, struct load_state *state)
{
    vc_error error = {0};
    vc_store_stats stats;
    vc_snapshot *snapshot;
    uint64_t nrecords, ndamaged;
    *state = (struct load_state){0};
    cr_assert_eq(vc_store_verify(scratch->store, NULL, NULL, &nrecords, &ndamaged, &error), VC_OK,
                 "%s", error.message);
    cr_assert_eq(vc_source_cube_verify(scratch->store, NULL, NULL, &nrecords, &ndamaged, &error),
                 VC_OK, "%s", error.message);
    cr_assert_eq(vc_store_stat(scratch->store, &stats, &error), VC_OK);
    state->epoch = stats.epoch;
    state->nobjects = stats.nobjects;
    state->nchunks = stats.nchunks;
    cr_assert_eq(vc_snapshot_open(scratch->store, &snapshot, &error), VC_OK);
    snprintf(state->snapshot, sizeof state->snapshot, "%s", vc_snapshot_id(snapshot));
    vc_snapshot_close(snapshot);
    load_dump_store(scratch->store, &state->dump);
    vc_buffer_text(&state->dump);
}

void load_check_same_state(const struct scratch *scratch, struct load_state *before)
{
    struct load_state now;
    load_take_state(scratch, &now);
    cr_assert_str_eq(now.snapshot, before->snapshot);
    cr_assert_eq(now.epoch, before->epoch);
    cr_assert_eq(now.nobjects, before->nobjects);
    cr_assert_eq(now.nchunks, before->nchunks);
    cr_assert_str_eq(now.dump.data, before->dump.data);
    vc_buffer_release(&now.dump);
}

void load_put_cleaned(vc_buffer *buffer, const char *text, const char *path, const char *name)
{
    size_t size = strlen(path);
    for (const char *at; (at = strstr(text, path)) != NULL; text = at + size) {
        vc_buffer_put(buffer, text, (size_t)(at - text));
        vc_buffer_put_text(buffer, name);
    }
    vc_buffer_put_text(buffer, text);
}

void load_put_outcome(vc_buffer *buffer, const struct scratch *scratch, const char *folder,
                      vc_status status, const vc_error *error, const vc_load_report *report)
{
    char text[3000];
    vc_buffer once = {0};
    if (status != VC_OK) {
        cr_assert_eq(error->status, status);
        vc_error_format(error, text, sizeof text);
        vc_buffer_printf(&once, "error %s: %s\n", error->code, text);
    } else {
        vc_buffer_printf(&once, "loaded %llu rows, %llu rejected\n",
                         (unsigned long long)report->nrows, (unsigned long long)report->nrejects);
    }
    vc_buffer_put_str(&once, (vc_str){scratch->warnings.data, scratch->warnings.size});
    vc_buffer twice = {0};
    load_put_cleaned(&twice, vc_buffer_text(&once), scratch->path, "TEMPORARY");
    load_put_cleaned(buffer, vc_buffer_text(&twice), folder, "CASE");
    vc_buffer_release(&once);
    vc_buffer_release(&twice);
}
