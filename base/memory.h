/* What the process asks of its allocator beside memory.
 * Threads: any.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* Give memory that was freed back to the system now. After large work: an allocator keeps what
 * threads freed for each of them. A millisecond or some. */
void vc_memory_give_back(void);

/* Have large memory that is soon touched all over in pages of 2 MiB, as far as whole ones fit: a
 * fault for each of 4 KiB takes longer than to fill it, and finding it when it is met in random
 * order, too. Before it is touched; where there are no such pages nothing happens. */
void vc_memory_want_huge(void *memory, size_t bytes);

#endif
