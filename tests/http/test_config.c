/* The configuration: what each field means, what is wrong with it and where, and what a reload may
 * change. */
#include "access.h"
#include "http/config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static vc_status parse(const char *text, vc_config *config, vc_error *error)
{
    return vc_config_parse(vc_str_of(text), "/etc/vcube/vcube.json", config, error);
}

Test(config, every_field)
{
    static const char text[] =
        "{\"$schema\": \"x\", \"store\": \"data\", \"create\": true, \"listen\": \"[::1]:81\","
        " \"insecure_listen\": true, \"hosts\": [\"a\", \"b\"], \"cors\": [\"https://c\"],"
        " \"tls\": {\"cert\": \"/x/c.pem\", \"key\": \"k.pem\"},"
        " \"roles\": {\"r\": {\"may\": [\"read\"]}}, \"anonymous\": \"r\","
        " \"tokens\": \"../t.json\", \"read_only\": true, \"data\": \"d\","
        " \"limits\": {\"workers\": 3, \"max_cells\": 4, \"max_time_ms\": 5, \"max_memory\":"
        " \"6Mi\", \"max_load\": 7, \"max_connections\": 8, \"cache\": \"9k\"},"
        " \"log\": {\"requests\": true, \"slow_ms\": 10, \"file\": \"log\"},"
        " \"refuse_root\": true}";
    vc_config c;
    vc_error error = {0};
    cr_assert_eq(parse(text, &c, &error), VC_OK, "%s", error.message);
    cr_expect_str_eq(c.store, "/etc/vcube/data");
    cr_expect(c.creates && c.may_listen_openly && c.is_read_only && c.logs_requests &&
              c.refuses_root);
    cr_expect_str_eq(c.listen, "[::1]:81");
    cr_expect_eq(c.hosts.count, 2);
    cr_expect_str_eq(c.hosts.items[1], "b");
    cr_expect_eq(c.cors.count, 1);
    cr_expect_str_eq(c.tls_cert, "/x/c.pem");
    cr_expect_str_eq(c.tls_key, "/etc/vcube/k.pem");
    cr_expect_str_eq(c.tokens, "/etc/vcube/../t.json");
    cr_expect_str_eq(c.data, "/etc/vcube/d");
    cr_expect_str_eq(c.log_file, "/etc/vcube/log");
    cr_expect_eq(c.nworkers, 3);
    cr_expect_eq(c.max_cells, 4);
    cr_expect_eq(c.max_time_ms, 5);
    cr_expect_eq(c.max_memory, 6 << 20);
    cr_expect_eq(c.max_load, 7);
    cr_expect_eq(c.max_connections, 8);
    cr_expect_eq(c.cache, 9000);
    cr_expect_eq(c.slow_ms, 10);
    vc_roles *roles;
    cr_assert_eq(vc_config_roles(&c, &roles, &error), VC_OK, "%s", error.message);
    cr_expect_not_null(vc_roles_anonymous(roles));
    vc_roles_release(roles);
    vc_config_release(&c);
}

Test(config, nothing_is_the_default)
{
    vc_config c;
    vc_roles *roles;
    cr_assert_eq(parse("{}", &c, NULL), VC_OK);
    cr_expect_null(c.store);
    cr_expect_null(c.listen);
    cr_expect_eq(c.nworkers, 0);
    cr_expect(!c.is_read_only && !c.creates && !c.may_listen_openly);
    cr_assert_eq(vc_config_roles(&c, &roles, NULL), VC_OK);
    cr_expect_null(roles);
    vc_config_release(&c);
}

Test(config, faults_have_a_place)
{
    static const struct {
        const char *text, *code, *pointer;
        unsigned line, column;
        const char *nearest;
    } cases[] = {
        {"{", "json", "", 1, 2, ""},
        {"{\n \"stores\": 1}", "unknown_field", "/stores", 2, 12, "store"},
        {"{\n \"store\": 1}", "bad_type", "/store", 2, 11, ""},
        {"{\"store\": \"\"}", "bad_value", "/store", 1, 11, ""},
        {"{\"read_only\": \"yes\"}", "bad_type", "/read_only", 1, 15, ""},
        {"{\"limits\": 1}", "bad_type", "/limits", 1, 12, ""},
        {"{\"limits\": {\"max_cell\": 1}}", "unknown_field", "/limits/max_cell", 1, 25,
         "max_cells"},
        {"{\"limits\": {\"workers\": 0}}", "bad_value", "/limits/workers", 1, 24, ""},
        {"{\"limits\": {\"workers\": -1}}", "bad_value", "/limits/workers", 1, 24, ""},
        {"{\"limits\": {\"workers\": 1.5}}", "bad_type", "/limits/workers", 1, 24, ""},
        {"{\"limits\": {\"cache\": \"lots\"}}", "bad_value", "/limits/cache", 1, 22, ""},
        {"{\"limits\": {\"cache\": 0}}", "bad_value", "/limits/cache", 1, 22, ""},
        {"{\"limits\": {\"cache\": true}}", "bad_type", "/limits/cache", 1, 22, ""},
        {"{\"limits\": {\"cache\": \"99999999T\"}}", "bad_value", "/limits/cache", 1, 22, ""},
        {"{\"hosts\": \"a\"}", "bad_type", "/hosts", 1, 11, ""},
        {"{\"hosts\": [\"a\", 1]}", "bad_type", "/hosts/1", 1, 17, ""},
        {"{\"tls\": {\"cert\": \"c\"}}", "missing_field", "/tls", 1, 9, ""},
        {"{\"roles\": 1}", "bad_type", "/roles", 1, 11, ""},
        {"{\"anonymous\": \"a\"}", "bad_value", "/anonymous", 1, 15, ""},
        {"{\"roles\": \"r.json\", \"anonymous\": \"a\"}", "bad_value", "/anonymous", 1, 34, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        vc_config c;
        vc_error error = {0};
        cr_expect_eq(parse(cases[i].text, &c, &error), VC_BAD_INPUT, "%s", cases[i].text);
        cr_expect_str_eq(error.code, cases[i].code, "%s: %s", cases[i].text, error.message);
        cr_expect_str_eq(error.pointer, cases[i].pointer, "%s", cases[i].text);
        cr_expect_str_eq(error.file, "/etc/vcube/vcube.json");
        cr_expect_eq(error.line, cases[i].line, "%s: %u", cases[i].text, error.line);
        cr_expect_eq(error.column, cases[i].column, "%s: %u", cases[i].text, error.column);
        if (*cases[i].nearest != '\0') cr_expect_str_eq(error.candidates[0], cases[i].nearest);
    }
    vc_config c;
    vc_roles *roles;
    vc_error error = {0};
    cr_assert_eq(parse("{\"roles\":\n{\"a\": {\"may\": [\"rea\"]}}}", &c, &error), VC_OK);
    cr_expect_eq(vc_config_roles(&c, &roles, &error), VC_BAD_INPUT);
    cr_expect_eq(error.line, 2);
    cr_expect_str_eq(error.pointer, "/roles/a/may/0");
    vc_config_release(&c);
}

Test(config, of_a_file)
{
    test_access files;
    vc_config c;
    vc_error error = {0};
    access_start(&files, NULL);
    access_write(files.roles, "{\"store\": \"data\"}", 0644);
    cr_assert_eq(vc_config_read(files.roles, &c, &error), VC_OK, "%s", error.message);
    cr_expect(strncmp(c.store, files.directory, strlen(files.directory)) == 0, "%s", c.store);
    vc_config_release(&c);
    access_write(files.roles, "{\"store\": \"data\"}", 0666);
    cr_expect_eq(vc_config_read(files.roles, &c, &error), VC_BAD_INPUT);
    cr_expect_str_eq(error.code, "file_mode");
    access_stop(&files);
}

static void check_pending(const char *now, const char *wanted, const char *expected)
{
    vc_config one, other;
    vc_buffer out = {0};
    cr_assert_eq(parse(now, &one, NULL), VC_OK);
    cr_assert_eq(parse(wanted, &other, NULL), VC_OK);
    vc_config_put_pending(&out, &one, &other);
    cr_expect_str_eq(vc_buffer_text(&out), expected, "%s", wanted);
    vc_buffer_release(&out);
    vc_config_release(&one);
    vc_config_release(&other);
}

Test(config, pending)
{
    check_pending("{}", "{}", "");
    check_pending("{\"listen\": \"127.0.0.1:1\"}", "{\"listen\": \"127.0.0.1:2\"}", "listen");
    check_pending("{}", "{\"store\": \"a\", \"limits\": {\"workers\": 2, \"cache\": 5}}",
                  "store, limits.workers, limits.cache");
    check_pending("{}", "{\"hosts\": [\"a\"], \"log\": {\"slow_ms\": 5}, \"tokens\": \"t\"}", "");
    check_pending("{}", "{\"tls\": {\"cert\": \"a\", \"key\": \"b\"}}", "tls");
    check_pending("{\"tls\": {\"cert\": \"a\", \"key\": \"b\"}}",
                  "{\"tls\": {\"cert\": \"c\", \"key\": \"d\"}}", "");
}
