/* A growing array in an arena, for parsers that do not know beforehand how many parts there are.
 *
 * Growing copies and leaves the old array in the arena, so a list of n items costs the room of 2n.
 * Items move while the list grows: keep numbers, not pointers.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/arena.h"

#include <stddef.h>

typedef struct vc_list {
    void *items;
    size_t count, capacity;
} vc_list;

/* Room for one more item of `item_size` bytes, zeroed. NULL when out of memory. */
void *vc_list_add(vc_list *list, vc_arena *arena, size_t item_size);

#define VC_LIST_NEW(list, arena, type) ((type *)vc_list_add((list), (arena), sizeof(type)))

#endif
