/* Who asks, as far as sharing the workers between clients goes (http/workers.h).
 *
 * Without a token a client is an address, which nobody can choose. On this machine all addresses
 * are one, that of a proxy, too: there a client is the last address of X-Forwarded-For, which the
 * proxy wrote, and the User-Agent. A program may write into these what it likes, so this tells
 * dashboards apart that mean well; where that is not enough, each is to have a token. Threads:
 * pure.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "http/request.h"

#include <stdint.h>
#include <sys/socket.h>

/* peer  NULL: unknown */
uint64_t vc_client_number(const struct sockaddr *peer, const vc_request *request);

#endif
