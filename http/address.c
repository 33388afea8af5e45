#include "http/address.h"

#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_PORT = 8080 };

static vc_status parse_port(vc_str text, uint16_t *port_out, vc_error *error)
{
    int64_t port;
    if (vc_parse_int(text, &port) != VC_PARSE_OK || port < 0 || port > UINT16_MAX)
        return vc_fail(error, VC_BAD_INPUT, "bad_address",
                       "found the port '%.*s', expected a number from 0 to 65535", VC_FMT(text));
    *port_out = (uint16_t)port;
    return VC_OK;
}

vc_status vc_listen_parse(vc_str text, char address_out[64], uint16_t *port_out, vc_error *error)
{
    vc_str host = text, port = {0};
    const char *colon = text.size > 0 ? memchr(text.data, ':', text.size) : NULL;
    const char *bracket =
        text.size > 0 && text.data[0] == '[' ? memchr(text.data, ']', text.size) : NULL;
    if (bracket != NULL) {
        host = (vc_str){text.data + 1, (size_t)(bracket - text.data) - 1};
        vc_str rest = {bracket + 1, text.size - host.size - 2};
        if (rest.size > 0 && rest.data[0] == ':')
            port = (vc_str){rest.data + 1, rest.size - 1};
        else if (rest.size > 0)
            host = text; /* which is no address: refused at the start */
    } else if (colon != NULL &&
               memchr(colon + 1, ':', text.size - (size_t)(colon - text.data) - 1) == NULL) {
        port = text;
        host = vc_str_split(&port, ':');
    } else if (colon == NULL && vc_str_is_number(text)) {
        port = text;
        host = VC_STR("");
    }
    if (host.size == 0) host = VC_STR("127.0.0.1");
    if (host.size >= 64)
        return vc_fail(error, VC_BAD_INPUT, "bad_address", "the address '%.*s' is too long",
                       VC_FMT(host));
    *port_out = DEFAULT_PORT;
    if (!vc_str_is_null(port)) {
        vc_status status = parse_port(port, port_out, error);
        if (status != VC_OK) return status;
    }
    memcpy(address_out, host.data, host.size);
    address_out[host.size] = '\0';
    return VC_OK;
}

/* "::1" of "[::1]"; the text itself where there are no brackets. */
static const char *without_brackets(const char *address, char inside[64])
{
    size_t size = strlen(address);
    if (size < 2 || size >= 64 || address[0] != '[' || address[size - 1] != ']') return address;
    memcpy(inside, address + 1, size - 2);
    inside[size - 2] = '\0';
    return inside;
}

vc_status vc_address_resolve(const char *address, uint16_t port, struct sockaddr_storage *out,
                             socklen_t *size_out, vc_error *error)
{
    char inside[64];
    memset(out, 0, sizeof *out);
    struct sockaddr_in *four = (struct sockaddr_in *)out;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
    if (address == NULL || strcmp(address, "localhost") == 0) address = "127.0.0.1";
    if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        *size_out = sizeof *four;
        return VC_OK;
    }
    if (inet_pton(AF_INET6, without_brackets(address, inside), &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        *size_out = sizeof *six;
        return VC_OK;
    }
    return vc_fail(error, VC_BAD_INPUT, "bad_address",
                   "found '%s', expected an IP address of this machine, such as 127.0.0.1 or ::1, "
                   "or localhost",
                   address);
}

bool vc_address_is_loopback(const struct sockaddr_storage *address)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
    if (address->ss_family == AF_INET) return ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return address->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

vc_status vc_address_check(const char *address, const vc_address_guards *guards, vc_error *error)
{
    struct sockaddr_storage name;
    socklen_t size;
    vc_status status = vc_address_resolve(address, 0, &name, &size, error);
    if (status != VC_OK || vc_address_is_loopback(&name) || guards->is_told ||
        (guards->has_tls && guards->has_tokens))
        return status;
    return vc_fail(error, VC_BAD_INPUT, "bad_address",
                   "will not listen on %s, which other machines could reach, without %s: give %s%s"
                   "%s, listen on 127.0.0.1 behind a proxy that has both, or say --insecure-listen "
                   "if you know who can reach it",
                   address,
                   guards->has_tls      ? "tokens"
                   : guards->has_tokens ? "TLS"
                                        : "TLS and tokens",
                   guards->has_tls ? "" : "--tls-cert and --tls-key",
                   guards->has_tls || guards->has_tokens ? "" : ", ",
                   guards->has_tokens ? "" : "--roles and --tokens");
}

static vc_status fail_system(vc_error *error, const char *what, const char *address, uint16_t port)
{
    if (errno == EADDRINUSE)
        return vc_fail(error, VC_CONFLICT, "address_in_use",
                       "port %u of %s is in use: is a server running already?", (unsigned)port,
                       address);
    return vc_fail(error, VC_STORAGE, "server_start", "%s on %s port %u: %s", what, address,
                   (unsigned)port, strerror(errno));
}

vc_status vc_address_listen(const char *address, uint16_t port, int backlog, int *fd_out,
                            uint16_t *port_out, vc_error *error)
{
    struct sockaddr_storage name;
    socklen_t size;
    vc_status status = vc_address_resolve(address, port, &name, &size, error);
    if (status != VC_OK) return status;
    if (address == NULL) address = "127.0.0.1";
    int one = 1;
    int fd = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail_system(error, "open a socket", address, port);
    if (name.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    /* A restarted server may take its port while old connections linger in TIME_WAIT. */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&name, size) != 0) {
        status = fail_system(error, "bind", address, port);
        goto failed;
    }
    if (listen(fd, backlog) != 0 || getsockname(fd, (struct sockaddr *)&name, &size) != 0) {
        status = fail_system(error, "listen", address, port);
        goto failed;
    }
    *port_out = ntohs(name.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&name)->sin6_port
                                                 : ((struct sockaddr_in *)&name)->sin_port);
    *fd_out = fd;
    return VC_OK;
failed:
    close(fd);
    return status;
}
