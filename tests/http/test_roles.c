/* Roles: what stands in the file is what holds, and what is wrong is said with its place. */
#include "access.h"
#include "base/json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static vc_status read_roles(const char *text, vc_roles **roles, vc_error *error)
{
    json_t *json;
    cr_assert_eq(vc_json_parse(vc_str_of(text), NULL, 0, &json, error), VC_OK, "%s",
                 error->message);
    vc_status status = vc_roles_read(json_object_get(json, "roles"),
                                     json_object_get(json, "anonymous"), roles, error);
    json_decref(json);
    return status;
}

Test(roles, say_what_they_may)
{
    vc_roles *roles;
    vc_error error = {0};
    cr_assert_eq(
        read_roles("{\"roles\": {\"admin\": {\"may\": [\"read\", \"load\", \"define\", \"backup\","
                   "\"metrics\"], \"cubes\": {\"*\": {}}},"
                   "\"view\": {\"may\": [\"read\"], \"cubes\": {\"a\": {}, \"b\": {}}},"
                   "\"same\": {\"may\": [\"read\", \"metrics\"], \"cubes\": {\"b\":{},\"a\":{}}},"
                   "\"none\": {\"may\": []},"
                   "\"some\": {\"may\": [\"load\"], \"cubes\": {\"a\": {}, \"b\": {\"measures\":"
                   "[\"x\"]}, \"c\": {\"cut\": \"g:1\"}}, \"rate\": {\"per_second\": 0.5}}},"
                   "\"anonymous\": \"view\"}",
                   &roles, &error),
        VC_OK, "%s", error.message);
    const vc_role *admin = vc_roles_find(roles, VC_STR("admin"));
    const vc_role *view = vc_roles_find(roles, VC_STR("view"));
    const vc_role *same = vc_roles_find(roles, VC_STR("same"));
    const vc_role *none = vc_roles_find(roles, VC_STR("none"));
    const vc_role *some = vc_roles_find(roles, VC_STR("some"));
    cr_expect_eq(admin->may, VC_MAY_ALL);
    cr_expect_null(admin->rights);
    cr_expect_str_eq(admin->fingerprint, "");
    cr_expect_eq(view->may, VC_MAY_READ);
    cr_expect_eq(vc_roles_anonymous(roles), view);
    cr_expect_eq(strlen(view->fingerprint), 32);
    cr_expect_str_eq(view->fingerprint, same->fingerprint);
    cr_expect_str_neq(view->fingerprint, none->fingerprint);
    cr_expect_str_neq(some->fingerprint, none->fingerprint);
    cr_expect_eq(none->may, 0);
    cr_expect(!vc_rights_may_read(none->rights, VC_STR("a")), "nothing is allowed unnamed");
    cr_expect(vc_rights_may_read(view->rights, VC_STR("a")));
    cr_expect(!vc_rights_may_read(view->rights, VC_STR("c")));
    cr_expect_eq(some->per_second, 0.5);
    cr_expect_eq(some->burst, 1);
    cr_expect_eq(admin->per_second, 0);
    cr_expect(vc_role_may_load(admin, VC_STR("whatever")));
    cr_expect(vc_role_may_load(some, VC_STR("a")));
    cr_expect(!vc_role_may_load(some, VC_STR("b")), "only some measures");
    cr_expect(!vc_role_may_load(some, VC_STR("c")), "only some facts");
    cr_expect(!vc_role_may_load(some, VC_STR("d")), "not at all");
    cr_expect(!vc_role_may_load(view, VC_STR("a")), "no right to load");
    cr_expect_null(vc_roles_find(roles, VC_STR("Admin")));
    vc_roles_release(roles);
}

Test(roles, faults_have_a_place)
{
    static const struct {
        const char *text, *code, *pointer, *nearest;
    } cases[] = {
        {"{}", "missing_field", "", ""},
        {"{\"roles\": []}", "bad_type", "/roles", ""},
        {"{\"roles\": {\"a\": 1}}", "bad_type", "/roles/a", ""},
        {"{\"roles\": {\"a\": {}}}", "missing_field", "/roles/a", ""},
        {"{\"roles\": {\"a b\": {}}}", "bad_value", "/roles/a b", ""},
        {"{\"roles\": {\"a\": {\"may\": \"read\"}}}", "bad_type", "/roles/a/may", ""},
        {"{\"roles\": {\"a\": {\"may\": [\"red\"]}}}", "bad_value", "/roles/a/may/0", "read"},
        {"{\"roles\": {\"a\": {\"may\": [1]}}}", "bad_type", "/roles/a/may/0", ""},
        {"{\"roles\": {\"a\": {\"may\": [], \"cube\": {}}}}", "unknown_field", "/roles/a/cube",
         "cubes"},
        {"{\"roles\": {\"a\": {\"may\": [], \"cubes\": []}}}", "bad_type", "/roles/a/cubes", ""},
        {"{\"roles\": {\"a\": {\"may\": [], \"cubes\": {\"x\": {\"cut\": \"|\"}}}}}", "syntax",
         "/roles/a/cubes/x/cut", ""},
        {"{\"roles\": {\"a\": {\"may\": [\"define\"], \"cubes\": {\"x\": {}}}}}", "bad_value",
         "/roles/a/cubes", ""},
        {"{\"roles\": {\"a\": {\"may\": [\"backup\"]}}}", "bad_value", "/roles/a/cubes", ""},
        {"{\"roles\": {\"a\": {\"may\": [], \"rate\": 5}}}", "bad_type", "/roles/a/rate", ""},
        {"{\"roles\": {\"a\": {\"may\": [], \"rate\": {}}}}", "missing_field", "/roles/a/rate", ""},
        {"{\"roles\": {\"a\": {\"may\": [], \"rate\": {\"per_second\": 0}}}}", "bad_value",
         "/roles/a/rate/per_second", ""},
        {"{\"roles\": {\"a\": {\"may\": [], \"rate\": {\"per_second\": 1, \"burst\": \"2\"}}}}",
         "bad_type", "/roles/a/rate/burst", ""},
        {"{\"roles\": {\"a\": {\"may\": []}}, \"anonymous\": \"b\"}", "unknown_role", "/anonymous",
         "a"},
        {"{\"roles\": {\"a\": {\"may\": []}}, \"anonymous\": {}}", "bad_type", "/anonymous", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vc_roles *roles;
        vc_error error = {0};
        cr_expect_eq(read_roles(cases[i].text, &roles, &error), VC_BAD_INPUT, "%s", cases[i].text);
        cr_expect_null(roles);
        cr_expect_str_eq(error.code, cases[i].code, "%s: %s", cases[i].text, error.message);
        cr_expect_str_eq(error.pointer, cases[i].pointer, "%s: %s", cases[i].text, error.message);
        if (*cases[i].nearest != '\0') cr_expect_str_eq(error.candidates[0], cases[i].nearest);
    }
}

Test(roles, of_a_file)
{
    test_access files;
    vc_roles *roles;
    vc_error error = {0};
    access_start(&files, "{\"roles\": {\"a\": {\"may\": [\"read\"],\n  \"cubs\": {}}}}");
    cr_expect_eq(vc_roles_open(files.roles, &roles, &error), VC_BAD_INPUT);
    cr_expect_str_eq(error.file, files.roles);
    cr_expect_eq(error.line, 2);
    access_write(files.roles, "{\"roles\": {}, \"role\": 1}", 0644);
    cr_expect_eq(vc_roles_open(files.roles, &roles, &error), VC_BAD_INPUT);
    cr_expect_str_eq(error.code, "unknown_field");
    access_write(files.roles, "{\"roles\": {}}", 0646);
    cr_expect_eq(vc_roles_open(files.roles, &roles, &error), VC_BAD_INPUT);
    cr_expect_str_eq(error.code, "file_mode", "others may write it");
    access_write(files.roles, "{\"roles\": {}}", 0644);
    cr_expect_eq(vc_roles_open(files.roles, &roles, &error), VC_OK);
    cr_expect_eq(vc_roles_count(roles), 0);
    vc_roles_release(roles);
    cr_expect_eq(vc_roles_open("/nowhere/roles.json", &roles, &error), VC_NOT_FOUND);
    cr_expect_str_eq(error.code, "missing_file");
    access_stop(&files);
}
