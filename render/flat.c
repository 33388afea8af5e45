#include "render/flat.h"

#include <stdlib.h>
#include <string.h>

void vc_flat_release(vc_flat *flat)
{
    free(flat->data);
    *flat = (vc_flat){0};
}

/* Room in front for `size` bytes, which the caller writes; NULL when out of memory. */
static uint8_t *grow(vc_flat *flat, size_t size)
{
    if (flat->failed) return NULL;
    if (flat->capacity - flat->size < size) {
        size_t capacity = 2 * (flat->size + size) + 256;
        uint8_t *data = malloc(capacity);
        if (data == NULL) {
            flat->failed = true;
            return NULL;
        }
        if (flat->size > 0)
            memcpy(data + capacity - flat->size, flat->data + flat->capacity - flat->size,
                   flat->size);
        free(flat->data);
        flat->data = data;
        flat->capacity = capacity;
    }
    flat->size += size;
    return flat->data + flat->capacity - flat->size;
}

static void put_bytes(vc_flat *flat, const void *bytes, size_t size)
{
    uint8_t *to = grow(flat, size);
    if (to != NULL && size > 0) memcpy(to, bytes, size);
}

static void put_number(vc_flat *flat, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    put_bytes(flat, bytes, size);
}

/* Pad so that after `size` more bytes the front is a multiple of `align` from the end. */
static void align_for(vc_flat *flat, size_t size, size_t align)
{
    static const uint8_t zeros[8];
    put_bytes(flat, zeros, (align - (flat->size + size) % align) % align);
}

/* A pointer is relative to where it stands. */
static void put_ref(vc_flat *flat, vc_flat_ref ref)
{
    align_for(flat, 4, 4);
    put_number(flat, (uint64_t)flat->size + 4 - ref, 4);
}

vc_flat_ref vc_flat_string(vc_flat *flat, vc_str text)
{
    align_for(flat, text.size + 1, 4);
    put_bytes(flat, "", 1);
    put_bytes(flat, text.data, text.size);
    put_number(flat, text.size, 4);
    return (vc_flat_ref)flat->size;
}

vc_flat_ref vc_flat_vector(vc_flat *flat, const void *items, size_t count, size_t size,
                           size_t align)
{
    align_for(flat, count * size, align < 4 ? 4 : align);
    put_bytes(flat, items, count * size);
    put_number(flat, count, 4);
    return (vc_flat_ref)flat->size;
}

vc_flat_ref vc_flat_refs(vc_flat *flat, const vc_flat_ref *refs, size_t count)
{
    align_for(flat, 4 * count, 4);
    for (size_t i = count; i-- > 0;)
        put_ref(flat, refs[i]);
    put_number(flat, count, 4);
    return (vc_flat_ref)flat->size;
}

void vc_flat_begin(vc_flat *flat)
{
    memset(flat->fields, 0, sizeof flat->fields);
    flat->table_end = (uint32_t)flat->size;
}

void vc_flat_add(vc_flat *flat, unsigned field, uint64_t value, size_t size)
{
    align_for(flat, size, size);
    put_number(flat, value, size);
    flat->fields[field] = (uint32_t)flat->size;
}

void vc_flat_add_ref(vc_flat *flat, unsigned field, vc_flat_ref ref)
{
    if (ref == 0) return;
    put_ref(flat, ref);
    flat->fields[field] = (uint32_t)flat->size;
}

/* A table is the distance to its vtable and the fields; the vtable, which stands in front of it,
 * says where each field is. */
vc_flat_ref vc_flat_end(vc_flat *flat)
{
    size_t nfields = VC_FLAT_MAX_FIELDS;
    while (nfields > 0 && flat->fields[nfields - 1] == 0)
        nfields--;
    size_t vtable_size = 4 + 2 * nfields;
    align_for(flat, 4, 4);
    put_number(flat, vtable_size, 4);
    uint32_t table = (uint32_t)flat->size;
    for (size_t i = nfields; i-- > 0;)
        put_number(flat, flat->fields[i] == 0 ? 0 : table - flat->fields[i], 2);
    put_number(flat, table - flat->table_end, 2);
    put_number(flat, vtable_size, 2);
    return table;
}

bool vc_flat_finish(vc_flat *flat, vc_flat_ref root, vc_str *bytes_out)
{
    align_for(flat, 4, 8);
    put_ref(flat, root);
    if (flat->failed) return false;
    *bytes_out = (vc_str){.data = (const char *)flat->data + flat->capacity - flat->size,
                          .size = flat->size};
    return true;
}
