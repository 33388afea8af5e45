#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

void vc_memory_give_back(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

void vc_memory_want_huge(void *memory, size_t bytes)
{
    const uintptr_t page = UINT64_C(1) << 21, first = ((uintptr_t)memory + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)memory + bytes) / page * page;
    if (end > first) (void)madvise((void *)first, end - first, MADV_HUGEPAGE);
}
