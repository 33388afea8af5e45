/* What a verification finds in a folder that a run has made. */
#include "report/verify.h"
#include "tests/report/running.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(verify, .timeout = 60);

static void verify(struct running *in, vc_verification *found)
{
    vc_run_manifest manifest;
    vc_folder *folder;
    running_manifest(in, &manifest);
    cr_assert_eq(vc_folder_open(in->directory, false, &folder, NULL), VC_OK);
    cr_assert_eq(vc_verify_run(&in->plan, &manifest, folder, &in->arena, found, &in->error), VC_OK,
                 "%s", in->error.message);
    vc_folder_close(folder);
}

static void begin(struct running *in)
{
    running_begin(in, 5);
    in->plan.formats[VC_REPORT_XLSX] = in->plan.formats[VC_REPORT_CSV] = true;
    cr_assert_eq(running_run(in), VC_OK);
}

Test(verify, finds_all_the_same)
{
    struct running in;
    vc_verification found;
    begin(&in);
    vc_pool_new(3, &in.plan.pool, NULL);
    verify(&in, &found);
    cr_assert_eq(found.ndocuments, 5);
    cr_assert_eq(found.nfiles, 20);
    cr_assert_eq(found.counts[VC_VERDICT_SAME], 20);
    cr_assert_eq(found.nfindings, 0);
    cr_assert_eq(running_temporaries(&in), 0);
    vc_pool_free(in.plan.pool);
    running_end(&in);
}

static void expect(const vc_verified_file *file, const char *path, vc_verdict verdict)
{
    cr_assert(vc_str_is(file->path, path), "%.*s", VC_FMT(file->path));
    cr_assert_eq(file->verdict, verdict, "%s: %s", path, vc_verdict_name(file->verdict));
}

Test(verify, finds_what_changed_on_the_disk)
{
    struct running in;
    vc_verification found;
    begin(&in);
    running_write(&in, "a/1.html", "html of a/X\n");
    running_remove(&in, "a/3.grid.csv");
    running_remove(&in, "a/4.html");
    running_make_folder(&in, "a/4.html");
    verify(&in, &found);
    cr_assert_eq(found.nfindings, 3);
    expect(&found.findings[0], "a/1.html", VC_VERDICT_CHANGED);
    expect(&found.findings[1], "a/3.grid.csv", VC_VERDICT_MISSING);
    expect(&found.findings[2], "a/4.html", VC_VERDICT_CHANGED);
    cr_assert_eq(found.counts[VC_VERDICT_SAME], 17);
    running_end(&in);
}

Test(verify, finds_what_is_made_otherwise)
{
    struct running in;
    vc_verification found;
    begin(&in);
    in.change = " (new)";
    verify(&in, &found);
    cr_assert_eq(found.nfindings, 10); /* HTML and XLSX; CSV has other words */
    expect(&found.findings[0], "a/0.html", VC_VERDICT_DIFFERS);
    expect(&found.findings[1], "a/0.xlsx", VC_VERDICT_DIFFERS);
    cr_assert_not(found.findings[0].has_other_definitions);
    in.definitions = "sha256:c";
    verify(&in, &found);
    cr_assert(found.findings[0].has_other_definitions);
    running_end(&in);
}

Test(verify, finds_documents_that_come_and_go)
{
    struct running in;
    vc_verification found;
    begin(&in);
    in.sweep.nitems = 4;
    verify(&in, &found);
    cr_assert_eq(found.counts[VC_VERDICT_UNMADE], 4);
    cr_assert_eq(running_run(&in), VC_OK);
    in.sweep.nitems = 5;
    verify(&in, &found);
    cr_assert_eq(found.counts[VC_VERDICT_NEW], 4);
    expect(&found.findings[0], "a/4.html", VC_VERDICT_NEW);
    cr_assert_eq(found.nfiles, 16, "new ones are not of the manifest");
    /* One that an assertion keeps back now. */
    in.assertion = 2;
    verify(&in, &found);
    cr_assert_eq(found.counts[VC_VERDICT_UNMADE], 4);
    running_end(&in);
}

/* What --only left out is not new. */
Test(verify, asks_only_for_what_was_made)
{
    struct running in;
    vc_verification found;
    bool is_wanted[3] = {true, false, false};
    running_begin(&in, 3);
    in.plan.is_wanted = is_wanted;
    cr_assert_eq(running_run(&in), VC_OK);
    verify(&in, &found);
    cr_assert_eq(found.nfiles, 1);
    cr_assert_eq(found.nfindings, 0);
    running_end(&in);
}

Test(verify, tells_of_what_cannot_be_made)
{
    struct running in;
    vc_verification found;
    vc_run_manifest manifest;
    vc_folder *folder;
    begin(&in);
    in.broken = 2;
    running_manifest(&in, &manifest);
    cr_assert_eq(vc_folder_open(in.directory, false, &folder, NULL), VC_OK);
    cr_assert_eq(vc_verify_run(&in.plan, &manifest, folder, &in.arena, &found, &in.error),
                 VC_CORRUPT);
    cr_assert_str_eq(in.error.code, "storage_damaged");
    in.broken = -1;
    in.cancel = 2;
    cr_assert_eq(vc_verify_run(&in.plan, &manifest, folder, &in.arena, &found, &in.error),
                 VC_CANCELLED);
    vc_folder_close(folder);
    running_end(&in);
}
