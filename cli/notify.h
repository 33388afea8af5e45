/* Telling the service manager how it is: the protocol of sd_notify(3), without its library.
 *
 * systemd names a datagram socket in $NOTIFY_SOCKET, by a path or, with a leading @, in the
 * abstract name space. Where the variable is not set nobody asked, and nothing is sent.
 */
#ifndef CLI_NOTIFY_H
#define CLI_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Send lines such as "READY=1\nSTATUS=serving". Never blocks for long, never fails the caller:
 * false when there is nobody to tell, or the message could not be sent. */
bool vc_notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* RELOADING=1 with the time that systemd wants beside it; READY=1 ends it. */
bool vc_notify_reloading(void);

/* How often WATCHDOG=1 is awaited, in microseconds; 0: it is not. */
uint64_t vc_notify_watchdog_us(void);

#endif
