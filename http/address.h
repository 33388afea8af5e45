/* Where the server listens: loopback addresses only.
 *
 * This version has neither TLS nor tokens, so whoever can connect can read everything. An address
 * that other machines could reach is refused, whatever it is called.
 */
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include "base/status.h"

#include <stdint.h>
#include <sys/socket.h>

/* The socket address of "127.0.0.1", "::1", "[::1]" or "localhost" (127.0.0.1).
 *
 * VC_BAD_INPUT, code "bad_address": no address, or one outside 127.0.0.0/8 and ::1. */
vc_status vc_address_resolve(const char *address, uint16_t port, struct sockaddr_storage *out,
                             socklen_t *size_out, vc_error *error);

/* A listening socket, non-blocking and closed on exec.
 *
 * port_out  the port it got
 *
 * VC_CONFLICT, code "address_in_use"; VC_STORAGE, code "server_start". */
vc_status vc_address_listen(const char *address, uint16_t port, int backlog, int *fd_out,
                            uint16_t *port_out, vc_error *error);

#endif
