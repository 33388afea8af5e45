#include "cli/notify.h"

#include "base/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* The length counts: a name of the abstract name space begins with NUL and ends where it says. */
static socklen_t address_of(const char *name, struct sockaddr_un *address)
{
    size_t size = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || size < 2 || size >= sizeof address->sun_path)
        return 0;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, name, size);
    if (name[0] == '@') address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

bool vc_notify(const char *format, ...)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    char message[512];
    va_list arguments;
    socklen_t size = name != NULL ? address_of(name, &address) : 0;
    if (size == 0) return false;
    va_start(arguments, format);
    int length = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (length < 0) return false;
    if ((size_t)length >= sizeof message) length = sizeof message - 1;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    struct timeval patience = {.tv_sec = 1};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    ssize_t sent =
        sendto(fd, message, (size_t)length, MSG_NOSIGNAL, (struct sockaddr *)&address, size);
    close(fd);
    return sent == length;
}

bool vc_notify_reloading(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return vc_notify("RELOADING=1\nMONOTONIC_USEC=%llu",
                     (unsigned long long)now.tv_sec * 1000000 +
                         (unsigned long long)now.tv_nsec / 1000);
}

static bool read_number(const char *name, int64_t *out)
{
    const char *text = getenv(name);
    return text != NULL && vc_parse_int(vc_str_of(text), out) == VC_PARSE_OK;
}

uint64_t vc_notify_watchdog_us(void)
{
    int64_t interval, process;
    if (!read_number("WATCHDOG_USEC", &interval) || interval <= 0) return 0;
    /* Meant for another process, such as a parent that we inherit the variable from. */
    if (read_number("WATCHDOG_PID", &process) && process != getpid()) return 0;
    return (uint64_t)interval;
}
