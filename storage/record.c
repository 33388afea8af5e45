#include "storage/record.h"

#include "storage/crc32c.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "chunks are scanned as they lie in the file, which is little-endian");

enum { MAGIC = 0x4356, CRC_AT = offsetof(vc_record_header, crc) }; /* "VC" */

vc_record_key vc_record_catalogue_key(uint64_t epoch)
{
    return (vc_record_key){.kind = VC_RECORD_CATALOGUE,
                           .object = (uint32_t)(epoch >> 32),
                           .generation = (uint32_t)epoch};
}

uint64_t vc_record_key_epoch(const vc_record_key *key)
{
    return (uint64_t)key->object << 32 | key->generation;
}

static void put_big_endian(uint8_t *bytes, uint32_t value, int size)
{
    for (int i = size - 1; i >= 0; i--, value >>= 8)
        bytes[i] = (uint8_t)value;
}

static uint32_t get_big_endian(const uint8_t *bytes, int size)
{
    uint32_t value = 0;
    for (int i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

void vc_record_key_write(const vc_record_key *key, uint8_t bytes[VC_KEY_BYTES])
{
    bytes[0] = (uint8_t)key->kind;
    put_big_endian(bytes + 1, key->object, 4);
    put_big_endian(bytes + 5, key->generation, 4);
    put_big_endian(bytes + 9, key->column, 2);
    put_big_endian(bytes + 11, key->segment, 4);
    bytes[15] = 0;
}

bool vc_record_key_read(const void *data, size_t size, vc_record_key *key)
{
    const uint8_t *bytes = data;
    if (size != VC_KEY_BYTES || bytes[0] < VC_RECORD_FORMAT || bytes[0] > VC_RECORD_ZONES ||
        bytes[15] != 0)
        return false;
    key->kind = (vc_record_kind)bytes[0];
    key->object = get_big_endian(bytes + 1, 4);
    key->generation = get_big_endian(bytes + 5, 4);
    key->column = (uint16_t)get_big_endian(bytes + 9, 2);
    key->segment = get_big_endian(bytes + 11, 4);
    return true;
}

size_t vc_record_class_bytes(size_t size)
{
    return (size + 16 + VC_PAGE_BYTES - 1) / VC_PAGE_BYTES * VC_PAGE_BYTES - 16;
}

static uint32_t checksum(const unsigned char *value, size_t size)
{
    static const unsigned char zeros[4];
    uint32_t crc = vc_crc32c(0, value, CRC_AT);
    crc = vc_crc32c(crc, zeros, sizeof zeros);
    return vc_crc32c(crc, value + CRC_AT + 4, size - CRC_AT - 4);
}

uint32_t vc_record_seal(void *value, size_t size, const vc_record_key *key,
                        vc_record_header *header)
{
    header->magic = MAGIC;
    header->kind = (uint8_t)key->kind;
    header->object = key->object;
    header->generation = key->generation;
    header->segment = key->segment;
    header->column = key->column;
    memcpy(value, header, sizeof *header);
    header->crc = checksum(value, size);
    memcpy(value, header, sizeof *header);
    return header->crc;
}

const char *vc_record_read(const vc_record_key *key, const void *value, size_t size,
                           vc_record_header *header_out)
{
    if (size < sizeof *header_out) return "is shorter than a header";
    memcpy(header_out, value, sizeof *header_out);
    if (header_out->magic != MAGIC) return "has no magic number";
    if (header_out->kind != key->kind || header_out->object != key->object ||
        header_out->generation != key->generation || header_out->segment != key->segment ||
        header_out->column != key->column)
        return "belongs to another key";
    return NULL;
}

bool vc_record_is_sound(const void *value, size_t size)
{
    uint32_t stored;
    if (size < VC_HEADER_BYTES) return false;
    memcpy(&stored, (const unsigned char *)value + CRC_AT, sizeof stored);
    return checksum(value, size) == stored;
}
