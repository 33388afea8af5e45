/* What the process asks of its allocator beside memory.
 * Threads: any.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

/* Give memory that was freed back to the system now. After large work: an allocator keeps what
 * threads freed for each of them. A millisecond or some. */
void vc_memory_give_back(void);

#endif
