#include "storage/catalogue.h"

#include "base/nearest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As stored, little-endian, followed by nparts numbers of 4 bytes and the name. */
typedef struct stored_entry {
    uint8_t kind;
    uint8_t zero;
    uint16_t name_size;
    uint32_t id;
    uint32_t generation;
    uint32_t nparts;
    uint64_t digest;
} stored_entry;

_Static_assert(sizeof(stored_entry) == 24, "an entry begins with 24 bytes");

const char *vc_kind_name(vc_kind kind)
{
    static const char *const names[] = {"object", "cube", "dimension", "crosswalk"};
    return names[kind > 0 && kind < VC_KIND_COUNT ? kind : 0];
}

const char *vc_kind_unknown_code(vc_kind kind)
{
    static const char *const codes[] = {"unknown_object", "unknown_cube", "unknown_dimension",
                                        "unknown_crosswalk"};
    return codes[kind > 0 && kind < VC_KIND_COUNT ? kind : 0];
}

vc_catalogue *vc_catalogue_new_empty(void)
{
    vc_catalogue *catalogue = calloc(1, sizeof *catalogue);
    if (catalogue == NULL) return NULL;
    atomic_init(&catalogue->nrefs, 1);
    snprintf(catalogue->id, sizeof catalogue->id, "0-0000");
    return catalogue;
}

vc_catalogue *vc_catalogue_hold(vc_catalogue *catalogue)
{
    atomic_fetch_add_explicit(&catalogue->nrefs, 1, memory_order_relaxed);
    return catalogue;
}

void vc_catalogue_drop(vc_catalogue *catalogue)
{
    if (catalogue == NULL || atomic_fetch_sub(&catalogue->nrefs, 1) != 1) return;
    vc_arena_release(&catalogue->arena);
    free(catalogue);
}

static vc_status fail_unreadable(uint64_t epoch, vc_error *error)
{
    return vc_fail(error, VC_CORRUPT, "storage_damaged",
                   "the catalogue of epoch %llu cannot be read", (unsigned long long)epoch);
}

/* Read the entry at *at of the payload, and move *at behind it. */
static vc_status parse_entry(vc_catalogue *catalogue, vc_str payload, size_t *at, vc_entry *entry,
                             vc_error *error)
{
    stored_entry stored;
    if (payload.size - *at < sizeof stored) return fail_unreadable(catalogue->epoch, error);
    memcpy(&stored, payload.data + *at, sizeof stored);
    *at += sizeof stored;
    size_t rest = payload.size - *at;
    if (stored.kind == 0 || stored.kind >= VC_KIND_COUNT || stored.name_size > rest ||
        stored.nparts > (rest - stored.name_size) / sizeof(uint32_t))
        return fail_unreadable(catalogue->epoch, error);
    size_t parts_bytes = stored.nparts * sizeof(uint32_t);
    uint32_t *parts = VC_ARENA_NEW(&catalogue->arena, uint32_t, stored.nparts);
    vc_str name = {.data = payload.data + *at + parts_bytes, .size = stored.name_size};
    name = vc_arena_str(&catalogue->arena, name);
    if (parts == NULL || vc_str_is_null(name)) return vc_no_memory(error);
    memcpy(parts, payload.data + *at, parts_bytes);
    *at += parts_bytes + stored.name_size;
    *entry = (vc_entry){.kind = (vc_kind)stored.kind,
                        .id = stored.id,
                        .generation = stored.generation,
                        .digest = stored.digest,
                        .parts = parts,
                        .nparts = stored.nparts,
                        .name = name};
    return VC_OK;
}

static vc_status parse_entries(vc_catalogue *catalogue, vc_str payload, size_t nentries,
                               vc_error *error)
{
    size_t at = 0;
    /* An entry takes at least 24 bytes, so a wrong count cannot ask for much memory. */
    if (nentries > payload.size / sizeof(stored_entry))
        return fail_unreadable(catalogue->epoch, error);
    vc_entry *entries = VC_ARENA_NEW(&catalogue->arena, vc_entry, nentries);
    if (entries == NULL) return vc_no_memory(error);
    for (size_t i = 0; i < nentries; i++) {
        vc_status status = parse_entry(catalogue, payload, &at, &entries[i], error);
        if (status != VC_OK) return status;
        if (i > 0 && vc_entry_compare(&entries[i - 1], &entries[i]) >= 0)
            return fail_unreadable(catalogue->epoch, error);
    }
    if (at != payload.size) return fail_unreadable(catalogue->epoch, error);
    catalogue->entries = entries;
    catalogue->nentries = nentries;
    return VC_OK;
}

vc_status vc_catalogue_parse(uint64_t epoch, const vc_record_header *header, const void *value,
                             size_t size, vc_catalogue **catalogue_out, vc_error *error)
{
    *catalogue_out = NULL;
    vc_str payload = {.data = (const char *)value + VC_HEADER_BYTES,
                      .size = size - VC_HEADER_BYTES};
    if ((uint64_t)header->min != payload.size) return fail_unreadable(epoch, error);
    vc_catalogue *catalogue = vc_catalogue_new_empty();
    if (catalogue == NULL) return vc_no_memory(error);
    catalogue->epoch = epoch;
    snprintf(catalogue->id, sizeof catalogue->id, "%llu-%04x", (unsigned long long)epoch,
             header->crc & 0xFFFFu);
    vc_status status = parse_entries(catalogue, payload, header->nrows, error);
    if (status != VC_OK) {
        vc_catalogue_drop(catalogue);
        return status;
    }
    *catalogue_out = catalogue;
    return VC_OK;
}

int vc_entry_compare(const void *left, const void *right)
{
    const vc_entry *a = left, *b = right;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    return vc_str_compare(a->name, b->name);
}

const vc_entry *vc_catalogue_find(const vc_catalogue *catalogue, vc_kind kind, vc_str name)
{
    vc_entry wanted = {.kind = kind, .name = name};
    if (catalogue->nentries == 0) return NULL;
    return bsearch(&wanted, catalogue->entries, catalogue->nentries, sizeof wanted,
                   vc_entry_compare);
}

const vc_entry *vc_catalogue_find_id(const vc_catalogue *catalogue, uint32_t object_id)
{
    for (size_t i = 0; i < catalogue->nentries; i++)
        if (catalogue->entries[i].id == object_id) return &catalogue->entries[i];
    return NULL;
}

vc_status vc_catalogue_fail_unknown(const vc_catalogue *catalogue, vc_kind kind, vc_str name,
                                    vc_error *error)
{
    vc_nearest nearest;
    vc_nearest_init(&nearest, name);
    for (size_t i = 0; i < catalogue->nentries; i++)
        if (catalogue->entries[i].kind == kind)
            vc_nearest_offer(&nearest, catalogue->entries[i].name);
    vc_fail(error, VC_NOT_FOUND, vc_kind_unknown_code(kind), "there is no %s named '%.*s'",
            vc_kind_name(kind), VC_FMT(name));
    vc_nearest_report(&nearest, error);
    return VC_NOT_FOUND;
}

void vc_catalogue_write(uint64_t epoch, const vc_entry *entries, size_t nentries, vc_buffer *buffer)
{
    static const char room[VC_HEADER_BYTES];
    size_t start = buffer->size;
    vc_buffer_put(buffer, room, sizeof room);
    for (size_t i = 0; i < nentries; i++) {
        const vc_entry *entry = &entries[i];
        stored_entry stored = {.kind = (uint8_t)entry->kind,
                               .name_size = (uint16_t)entry->name.size,
                               .id = entry->id,
                               .generation = entry->generation,
                               .nparts = entry->nparts,
                               .digest = entry->digest};
        assert(entry->name.size <= UINT16_MAX);
        vc_buffer_put(buffer, &stored, sizeof stored);
        vc_buffer_put(buffer, entry->parts, entry->nparts * sizeof entry->parts[0]);
        vc_buffer_put_str(buffer, entry->name);
    }
    if (buffer->failed) return;
    vc_record_key key = vc_record_catalogue_key(epoch);
    size_t size = buffer->size - start;
    vc_record_header header = {.nrows = (uint32_t)nentries,
                               .min = (int64_t)(size - VC_HEADER_BYTES)};
    vc_record_seal(buffer->data + start, size, &key, &header);
}
