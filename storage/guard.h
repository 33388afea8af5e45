/* A guard around code that reads the map: a page that the file does not have any more (somebody
 * shortened it) is SIGBUS, and a damaged tree may lead LMDB astray; both become "false" here
 * instead of the end of the process.
 *
 * The handler is installed once per process, at the first use, and passes on every signal that does
 * not come from guarded code. Threads: each has its own guard; guards nest.
 */
#ifndef STORAGE_GUARD_H
#define STORAGE_GUARD_H

#include <lmdb.h>
#include <stdbool.h>

/* Run read(context). False when it was ended by a fault: it must therefore hold no lock and own no
 * memory that only its locals know. Costs about 10 ns. */
bool vc_guard_run(void (*read)(void *context), void *context);

/* Make a failed assertion inside LMDB end the guarded code too, rather than the process. */
void vc_guard_lmdb(MDB_env *env);

#endif
