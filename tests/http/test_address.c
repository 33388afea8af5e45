#include "http/address.h"
#include "http/server.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <unistd.h>

struct listen_case {
    char text[80];
    char address[24]; /* "": refused */
    unsigned port;
};

ParameterizedTestParameters(address, listen)
{
    static struct listen_case cases[] = {
        {"127.0.0.1:8081", "127.0.0.1", 8081},
        {"127.0.0.1", "127.0.0.1", 8080},
        {"8081", "127.0.0.1", 8081},
        {":8081", "127.0.0.1", 8081},
        {"localhost:0", "localhost", 0},
        {"[::1]:8081", "::1", 8081},
        {"[::1]", "::1", 8080},
        {"::1", "::1", 8080},
        {"", "127.0.0.1", 8080},
        {"127.0.0.1:", "", 0},
        {"127.0.0.1:99999", "", 0},
        {"127.0.0.1:http", "", 0},
        {"127.0.0.1:-1", "", 0},
        {"a.name.that.is.much.longer.than.any.address.of.this.machine.could.be:80", "", 0},
    };
    return cr_make_param_array(struct listen_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct listen_case *c, address, listen)
{
    char address[64];
    uint16_t port;
    vc_error error = {0};
    vc_status status = vc_listen_parse(vc_str_of(c->text), address, &port, &error);
    if (c->address[0] == '\0') {
        cr_assert_eq(status, VC_BAD_INPUT, "%s", c->text);
        cr_assert_str_eq(error.code, "bad_address");
        return;
    }
    cr_assert_eq(status, VC_OK, "%s: %s", c->text, error.message);
    cr_assert_str_eq(address, c->address);
    cr_assert_eq(port, c->port);
}

struct loopback_case {
    char address[40];
    bool is_good;
};

ParameterizedTestParameters(address, loopback_only)
{
    static struct loopback_case cases[] = {
        {"127.0.0.1", true},
        {"127.1.2.3", true},
        {"::1", true},
        {"[::1]", true},
        {"localhost", true},
        {"0.0.0.0", false},
        {"128.0.0.1", false},
        {"10.0.0.1", false},
        {"::", false},
        {"fe80::1", false},
        {"::ffff:127.0.0.1", false},
        {"::ffff:10.0.0.1", false},
        {"example.com", false},
        {"127.1", false},
        {"", false},
    };
    return cr_make_param_array(struct loopback_case, cases, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(struct loopback_case *c, address, loopback_only)
{
    struct sockaddr_storage name;
    socklen_t size;
    vc_error error = {0};
    vc_status status = vc_address_resolve(c->address, 1, &name, &size, &error);
    cr_assert_eq(status, c->is_good ? VC_OK : VC_BAD_INPUT, "%s", c->address);
    if (!c->is_good) cr_assert_str_eq(error.code, "bad_address");
}

Test(address, in_use)
{
    int first, second;
    uint16_t port, other;
    vc_error error = {0};
    cr_assert_eq(vc_address_listen(NULL, 0, 1, &first, &port, &error), VC_OK);
    cr_assert_gt(port, 0);
    cr_assert_eq(vc_address_listen("127.0.0.1", port, 1, &second, &other, &error), VC_CONFLICT);
    cr_assert_str_eq(error.code, "address_in_use");
    close(first);
}
