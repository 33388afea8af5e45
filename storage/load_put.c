/* Records of a load, into the batch that is being filled. */
#include "storage/load_parts.h"

#include "storage/encode.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Refuse more once something was lost; begin another batch when this one is full. What was claimed
 * in it has to be added to it first. */
static vc_status need_batch(vc_load *load, vc_error *error)
{
    if (load->failed != VC_OK) return vc_load_fail(load, load->failed, error);
    bool is_full = load->filling.size >= load->store->batch_bytes && load->filling.nclaims == 0;
    return is_full ? vc_load_submit(load, error) : VC_OK;
}

vc_status vc_load_reserve(vc_load *load, size_t size, void **value_out, vc_error *error)
{
    vc_status status = need_batch(load, error);
    if (status != VC_OK) return status;
    *value_out = vc_batch_reserve(&load->filling, size);
    return *value_out == NULL ? vc_no_memory(error) : VC_OK;
}

/* The digest does not depend on the order in which chunks are put. */
static void add_digest(vc_load_state *object, const vc_record_key *key, uint32_t crc)
{
    uint8_t bytes[VC_KEY_BYTES];
    vc_record_key_write(key, bytes);
    object->digest += XXH3_64bits_withSeed(bytes, sizeof bytes, crc);
}

void vc_load_add_record(vc_load *load, vc_load_state *object, const vc_record_key *key, size_t size,
                        uint32_t crc)
{
    add_digest(object, key, crc);
    vc_batch_add(&load->filling, key, size);
}

static vc_load_zones *find_column(vc_load_state *object, uint16_t column)
{
    for (size_t c = object->ncolumns; c > 0; c--)
        if (object->columns[c - 1].column == column) return &object->columns[c - 1];
    vc_load_zones *columns =
        realloc(object->columns, (object->ncolumns + 1) * sizeof *object->columns);
    if (columns == NULL) return NULL;
    object->columns = columns;
    columns[object->ncolumns] = (vc_load_zones){.column = column};
    return &columns[object->ncolumns++];
}

/* Room for the zone of one more segment, before its chunk goes into the batch. */
static vc_load_zones *reserve_zone(vc_load_state *object, uint16_t column, uint32_t segment)
{
    vc_load_zones *of = find_column(object, column);
    if (of == NULL || segment < of->capacity) return of;
    size_t capacity = (size_t)segment + 1 + segment / 2 + 8;
    if (capacity > UINT32_MAX) return NULL;
    vc_zone *zones = realloc(of->zones, capacity * sizeof *zones);
    if (zones == NULL) return NULL;
    of->zones = zones;
    of->capacity = (uint32_t)capacity;
    return of;
}

static void set_zone(vc_load_zones *of, uint32_t segment, const vc_record_header *header)
{
    for (; of->nsegments <= segment; of->nsegments++) /* segments may come in any order */
        of->zones[of->nsegments] = vc_zone_of(NULL);
    of->zones[segment] = vc_zone_of(header);
    of->is_put = false;
}

static vc_record_key chunk_key(const vc_object *object, uint16_t column, uint32_t segment)
{
    return (vc_record_key){.kind = VC_RECORD_FACTS,
                           .object = object->id,
                           .generation = object->generation,
                           .column = column,
                           .segment = segment};
}

/* A fact chunk that is being put: its key, and room for its value in the batch. */
typedef struct chunk_room {
    vc_record_key key;
    vc_load_state *target;
    vc_load_zones *zones;
    void *value;
} chunk_room;

/* Without room for its value. */
static vc_status find_chunk(vc_load *load, const vc_object *object, uint16_t column,
                            uint32_t segment, chunk_room *room, vc_error *error)
{
    *room = (chunk_room){.key = chunk_key(object, column, segment),
                         .target = vc_load_find_id(load, object)};
    room->zones = reserve_zone(room->target, column, segment);
    return room->zones == NULL ? vc_no_memory(error) : VC_OK;
}

static vc_status reserve_chunk(vc_load *load, const vc_object *object, uint16_t column,
                               uint32_t segment, size_t size, chunk_room *room, vc_error *error)
{
    vc_status status = find_chunk(load, object, column, segment, room, error);
    return status != VC_OK ? status : vc_load_reserve(load, size, &room->value, error);
}

static void add_chunk(vc_load *load, const chunk_room *room, size_t size,
                      const vc_record_header *header)
{
    vc_load_add_record(load, room->target, &room->key, size, header->crc);
    set_zone(room->zones, room->key.segment, header);
}

vc_status vc_load_put_ints(vc_load *load, const vc_object *object, uint16_t column,
                           uint32_t segment, const int64_t *values, const uint8_t *validity,
                           uint32_t nrows, vc_error *error)
{
    chunk_room room;
    vc_record_header header;
    assert(nrows <= VC_SEGMENT_ROWS);
    vc_status status =
        reserve_chunk(load, object, column, segment, vc_chunk_room(nrows), &room, error);
    if (status != VC_OK) return status;
    size_t size = vc_chunk_encode_ints(&room.key, values, validity, nrows, room.value, &header);
    add_chunk(load, &room, size, &header);
    return VC_OK;
}

vc_status vc_load_put_doubles(vc_load *load, const vc_object *object, uint16_t column,
                              uint32_t segment, const double *values, const uint8_t *validity,
                              uint32_t nrows, vc_error *error)
{
    chunk_room room;
    vc_record_header header;
    assert(nrows <= VC_SEGMENT_ROWS);
    vc_status status =
        reserve_chunk(load, object, column, segment, vc_chunk_room(nrows), &room, error);
    if (status != VC_OK) return status;
    size_t size = vc_chunk_encode_doubles(&room.key, values, validity, nrows, room.value, &header);
    add_chunk(load, &room, size, &header);
    return VC_OK;
}

/* Values begin 16 bytes behind a boundary, so that what follows their header is at one. */
enum { BEFORE_VALUE = 64 - VC_HEADER_BYTES };

static void *reserve_encoded(vc_encoded *encoded, uint32_t nrows)
{
    size_t size = (vc_chunk_room(nrows) + BEFORE_VALUE + 63) / 64 * 64;
    if (encoded->capacity < size) {
        vc_encoded_release(encoded);
        char *data = aligned_alloc(64, size);
        if (data == NULL) return NULL;
        encoded->data = data + BEFORE_VALUE;
        encoded->capacity = size;
    }
    return encoded->data;
}

void vc_encoded_release(vc_encoded *encoded)
{
    if (encoded->data != NULL) free((char *)encoded->data - BEFORE_VALUE);
    *encoded = (vc_encoded){0};
}

vc_status vc_load_encode_ints(const vc_object *object, uint16_t column, uint32_t segment,
                              const int64_t *values, const uint8_t *validity, uint32_t nrows,
                              vc_encoded *encoded, vc_error *error)
{
    vc_record_key key = chunk_key(object, column, segment);
    vc_record_header header;
    assert(nrows <= VC_SEGMENT_ROWS);
    void *value = reserve_encoded(encoded, nrows);
    if (value == NULL) return vc_no_memory(error);
    encoded->place = 0;
    encoded->size = vc_chunk_encode_ints(&key, values, validity, nrows, value, &header);
    return VC_OK;
}

vc_status vc_load_encode_doubles(const vc_object *object, uint16_t column, uint32_t segment,
                                 const double *values, const uint8_t *validity, uint32_t nrows,
                                 vc_encoded *encoded, vc_error *error)
{
    vc_record_key key = chunk_key(object, column, segment);
    vc_record_header header;
    assert(nrows <= VC_SEGMENT_ROWS);
    void *value = reserve_encoded(encoded, nrows);
    if (value == NULL) return vc_no_memory(error);
    encoded->place = 0;
    encoded->size = vc_chunk_encode_doubles(&key, values, validity, nrows, value, &header);
    return VC_OK;
}

vc_status vc_load_begin_round(vc_load *load, size_t nchunks, vc_error *error)
{
    vc_status status = need_batch(load, error);
    if (status == VC_OK) vc_batch_open(&load->filling, nchunks * vc_chunk_room(VC_SEGMENT_ROWS));
    return status;
}

void vc_load_place_encoded(vc_load *load, vc_encoded *encoded)
{
    encoded->place = vc_batch_claim(&load->filling, encoded->size);
    if (encoded->place > 0)
        memcpy(load->filling.data + encoded->place, encoded->data, encoded->size);
}

vc_status vc_load_put_encoded(vc_load *load, const vc_object *object, uint16_t column,
                              uint32_t segment, const vc_encoded *encoded, vc_error *error)
{
    chunk_room room;
    vc_record_header header;
    size_t place = encoded->place; /* what has one is in the batch already */
    vc_status status = find_chunk(load, object, column, segment, &room, error);
    if (status == VC_OK && place == 0)
        status = vc_load_reserve(load, encoded->size, &room.value, error);
    if (status != VC_OK) return status;
    const char *problem = vc_record_read(&room.key, encoded->data, encoded->size, &header);
    assert(problem == NULL); /* it was encoded for this place */
    (void)problem;
    if (place == 0) {
        memcpy(room.value, encoded->data, encoded->size);
        add_chunk(load, &room, encoded->size, &header);
        return VC_OK;
    }
    if (!vc_batch_add_claimed(&load->filling, &room.key, place, encoded->size))
        return vc_no_memory(error);
    add_digest(room.target, &room.key, header.crc);
    set_zone(room.zones, segment, &header);
    return VC_OK;
}

static vc_status put_piece(vc_load *load, vc_load_state *object, const vc_record_key *key,
                           vc_record_header *header, const void *data, vc_error *error)
{
    void *value;
    size_t end = VC_HEADER_BYTES + header->nrows, size = vc_record_class_bytes(end);
    vc_status status = vc_load_reserve(load, size, &value, error);
    if (status != VC_OK) return status;
    if (header->nrows > 0) memcpy((char *)value + VC_HEADER_BYTES, data, header->nrows);
    memset((char *)value + end, 0, size - end);
    uint32_t crc = vc_record_seal(value, size, key, header);
    vc_load_add_record(load, object, key, size, crc);
    return VC_OK;
}

vc_status vc_load_put_bytes(vc_load *load, const vc_object *object, uint16_t column,
                            const void *data, size_t size, vc_error *error)
{
    vc_load_state *target = vc_load_find_id(load, object);
    size_t most = load->store->piece_bytes;
    size_t npieces = size / most + (size % most != 0 || size == 0);
    if (npieces > UINT32_MAX)
        return vc_fail(error, VC_LIMIT, "column_size", "a byte column of %zu bytes is too large",
                       size);
    for (size_t piece = 0, at = 0; piece < npieces; piece++) {
        size_t bytes = size - at < most ? size - at : most;
        vc_record_key key = {.kind = VC_RECORD_BYTES,
                             .object = object->id,
                             .generation = object->generation,
                             .column = column,
                             .segment = (uint32_t)piece};
        vc_record_header header = {
            .nrows = (uint32_t)bytes, .min = (int64_t)size, .max = (int64_t)npieces};
        const char *from = bytes > 0 ? (const char *)data + at : NULL;
        vc_status status = put_piece(load, target, &key, &header, from, error);
        if (status != VC_OK) return status;
        at += bytes;
    }
    return VC_OK;
}

vc_status vc_load_set_manifest(vc_load *load, const vc_object *object, vc_str manifest,
                               const uint32_t *parts, size_t nparts, vc_error *error)
{
    vc_load_state *target = vc_load_find_id(load, object);
    uint32_t *copy = VC_ARENA_NEW(&load->arena, uint32_t, nparts);
    vc_str text = vc_arena_str(&load->arena, manifest.data != NULL ? manifest : VC_STR(""));
    if (copy == NULL || vc_str_is_null(text)) return vc_no_memory(error);
    if (nparts > 0) memcpy(copy, parts, nparts * sizeof *copy);
    target->manifest = text;
    target->parts = copy;
    target->nparts = (uint32_t)nparts;
    target->is_dropped = false;
    target->is_put = false;
    return VC_OK;
}
