#include "base/list.h"

#include <string.h>

void *vc_list_add(vc_list *list, vc_arena *arena, size_t item_size)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 4 : list->capacity * 2;
        void *items = vc_arena_calloc(arena, capacity, item_size);
        if (items == NULL) return NULL;
        if (list->count > 0) memcpy(items, list->items, list->count * item_size);
        list->items = items;
        list->capacity = capacity;
    }
    return (char *)list->items + list->count++ * item_size;
}
