/* Who is one client, and who is not. */
#include "http/client.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>

static uint64_t number_of(const char *address, const char *forwarded_for, const char *user_agent)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    vc_request request = {0};
    vc_error error = {0};
    vc_header headers[3] = {{VC_STR("Host"), VC_STR("localhost")}};
    size_t nheaders = 1;
    if (forwarded_for != NULL)
        headers[nheaders++] = (vc_header){VC_STR("x-forwarded-for"), vc_str_of(forwarded_for)};
    if (user_agent != NULL)
        headers[nheaders++] = (vc_header){VC_STR("User-Agent"), vc_str_of(user_agent)};
    cr_assert_eq(vc_request_read_headers(headers, nheaders, &request, &error), VC_OK);
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
        return vc_client_number((const struct sockaddr *)&v4, &request);
    cr_assert_eq(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
    return vc_client_number((const struct sockaddr *)&v6, &request);
}

/* Elsewhere nothing counts that the client wrote. */
Test(client, of_another_machine)
{
    uint64_t number = number_of("192.0.2.1", NULL, NULL);
    cr_assert_eq(number_of("192.0.2.1", "10.0.0.1", "a"), number);
    cr_assert_neq(number_of("192.0.2.2", NULL, NULL), number);
    cr_assert_eq(number_of("2001:db8::1", NULL, NULL), number_of("2001:db8::2:1", NULL, "b"));
    cr_assert_neq(number_of("2001:db8::1", NULL, NULL), number_of("2001:db8:1::1", NULL, NULL));
    cr_assert_neq(number_of("::ffff:192.0.2.1", NULL, NULL),
                  number_of("::ffff:192.0.2.2", NULL, NULL));
}

Test(client, of_this_machine)
{
    static const char *const addresses[] = {"127.0.0.1", "::1", "::ffff:127.0.0.1"};
    for (size_t i = 0; i < 3; i++) {
        const char *address = addresses[i];
        uint64_t number = number_of(address, NULL, NULL);
        cr_assert_eq(number_of(address, NULL, NULL), number);
        cr_assert_neq(number_of(address, NULL, "a"), number);
        cr_assert_neq(number_of(address, "10.0.0.1", NULL), number);
        cr_assert_eq(number_of(address, "10.0.0.2, 10.0.0.1", NULL),
                     number_of(address, "10.9.9.9,10.0.0.1", NULL));
        cr_assert_neq(number_of(address, "10.0.0.2, 10.0.0.1", NULL),
                      number_of(address, "10.0.0.1, 10.0.0.2", NULL));
    }
    vc_request request = {0};
    cr_assert_eq(vc_client_number(NULL, &request), 0);
}
