/* How long a thread keeps a processor before another one is given it.
 *
 * A thread that asks for short turns gets them soon: since Linux 6.12 the scheduler lets whoever
 * wakes with a shorter turn before it go first, whatever runs. So threads that answer what is cheap
 * are not held up by those that scan facts, which lose nothing: all get the same share of time.
 * Elsewhere this does nothing. Threads: about the calling thread, and those that it starts.
 */
#ifndef HTTP_TURNS_H
#define HTTP_TURNS_H

void vc_turns_shorten(void);
void vc_turns_restore(void); /* as they are by default */

#endif
