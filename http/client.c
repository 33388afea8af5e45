#include "http/client.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static bool is_loopback(const struct sockaddr *peer)
{
    if (peer->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)peer)->sin_addr.s_addr) >> 24 == 127;
    const struct in6_addr *address = &((const struct sockaddr_in6 *)peer)->sin6_addr;
    return peer->sa_family == AF_INET6 &&
           (IN6_IS_ADDR_LOOPBACK(address) ||
            (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127));
}

/* Whoever has one IPv6 address has the 2^64 of its network. */
enum { NETWORK_BYTES = 8 };

static vc_str address_of(const struct sockaddr *peer)
{
    if (peer->sa_family == AF_INET)
        return (vc_str){(const char *)&((const struct sockaddr_in *)peer)->sin_addr,
                        sizeof(struct in_addr)};
    if (peer->sa_family != AF_INET6) return (vc_str){0};
    const struct in6_addr *address = &((const struct sockaddr_in6 *)peer)->sin6_addr;
    bool is_v4 = IN6_IS_ADDR_V4MAPPED(address);
    return (vc_str){(const char *)address, is_v4 ? sizeof *address : NETWORK_BYTES};
}

static uint64_t number_of(vc_str words, uint64_t seed)
{
    return XXH3_64bits_withSeed(words.data, words.size, seed);
}

uint64_t vc_client_number(const struct sockaddr *peer, const vc_request *request)
{
    if (peer == NULL) return 0;
    uint64_t address = number_of(address_of(peer), 0);
    if (!is_loopback(peer)) return address;
    return number_of(request->user_agent, number_of(request->forwarded_for, address));
}
