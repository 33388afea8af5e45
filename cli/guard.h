/* A temporary folder goes away also when a signal ends the process.
 *
 * SIGINT, SIGTERM and SIGHUP are taken by a thread of their own, which removes the folder and lets
 * the signal do what it does. Begin before any other thread is started, so that all of them leave
 * these signals to it. One at a time per process.
 */
#ifndef CLI_GUARD_H
#define CLI_GUARD_H

#include "base/status.h"

vc_status vc_guard_begin(vc_error *error);

/* The folder to be removed, with the files in it; NULL: none, from here on. Any thread. */
void vc_guard_set(const char *directory);

/* Signals do again what they did. Without a begin, nothing. */
void vc_guard_end(void);

#endif
