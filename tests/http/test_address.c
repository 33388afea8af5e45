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

enum reach { NO_ADDRESS, THIS_MACHINE, OTHERS };

struct reach_case {
    char address[40];
    enum reach reach;
};

ParameterizedTestParameters(address, reach)
{
    static struct reach_case cases[] = {
        {"127.0.0.1", THIS_MACHINE},
        {"127.1.2.3", THIS_MACHINE},
        {"::1", THIS_MACHINE},
        {"[::1]", THIS_MACHINE},
        {"localhost", THIS_MACHINE},
        {"0.0.0.0", OTHERS},
        {"128.0.0.1", OTHERS},
        {"10.0.0.1", OTHERS},
        {"::", OTHERS},
        {"[::]", OTHERS},
        {"[2001:db8::1]", OTHERS},
        {"fe80::1", OTHERS},
        {"::ffff:127.0.0.1", OTHERS},
        {"::ffff:10.0.0.1", OTHERS},
        {"example.com", NO_ADDRESS},
        {"127.1", NO_ADDRESS},
        {"[127.0.0.1]", NO_ADDRESS},
        {"[::1", NO_ADDRESS},
        {"[]", NO_ADDRESS},
        {"", NO_ADDRESS},
    };
    return cr_make_param_array(struct reach_case, cases, sizeof cases / sizeof cases[0]);
}

/* Nobody else gets there without both TLS and tokens, or the operator's word. */
ParameterizedTest(struct reach_case *c, address, reach)
{
    struct sockaddr_storage name;
    socklen_t size;
    vc_error error = {0};
    vc_status status = vc_address_resolve(c->address, 1, &name, &size, &error);
    cr_assert_eq(status, c->reach == NO_ADDRESS ? VC_BAD_INPUT : VC_OK, "%s", c->address);
    if (c->reach != NO_ADDRESS)
        cr_assert_eq(vc_address_is_loopback(&name), c->reach == THIS_MACHINE, "%s", c->address);
    for (unsigned i = 0; i < 8; i++) {
        const vc_address_guards guards = {
            .has_tls = (i & 1) != 0, .has_tokens = (i & 2) != 0, .is_told = (i & 4) != 0};
        bool is_safe = c->reach == THIS_MACHINE || (i & 4) != 0 || (i & 3) == 3;
        bool is_good = c->reach != NO_ADDRESS && is_safe;
        cr_expect_eq(vc_address_check(c->address, &guards, &error), is_good ? VC_OK : VC_BAD_INPUT,
                     "%s %u", c->address, i);
        if (!is_good) cr_expect_str_eq(error.code, "bad_address");
    }
    vc_server *never;
    const vc_server_options options = {.address = c->address};
    if (c->reach != THIS_MACHINE)
        cr_expect_eq(vc_server_start(&options, &never, &error), VC_BAD_INPUT);
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
