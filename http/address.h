/* Where the server listens: on this machine only, but for one that has TLS and tokens.
 *
 * Without them whoever can connect can read everything, or whoever is between can. An address that
 * other machines could reach is refused then, whatever it is called, unless the operator says in so
 * many words that it is to be.
 */
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* The socket address of an IP address, also of one in brackets, or of "localhost" (127.0.0.1).
 *
 * VC_BAD_INPUT, code "bad_address": it is none. */
vc_status vc_address_resolve(const char *address, uint16_t port, struct sockaddr_storage *out,
                             socklen_t *size_out, vc_error *error);

/* Can only this machine reach it: 127.0.0.0/8 and ::1? */
bool vc_address_is_loopback(const struct sockaddr_storage *address);

typedef struct vc_address_guards {
    bool has_tls, has_tokens;
    bool is_told; /* --insecure-listen */
} vc_address_guards;

/* May the server listen there? VC_BAD_INPUT, code "bad_address": others could reach it, and what
 * would keep them out is missing. */
vc_status vc_address_check(const char *address, const vc_address_guards *guards, vc_error *error);

/* A listening socket, non-blocking and closed on exec.
 *
 * port_out  the port it got
 *
 * VC_CONFLICT, code "address_in_use"; VC_STORAGE, code "server_start". */
vc_status vc_address_listen(const char *address, uint16_t port, int backlog, int *fd_out,
                            uint16_t *port_out, vc_error *error);

#endif
