/* What the storage tests share: a directory that goes away, a store in it, small loads. */
#ifndef TESTS_STORAGE_HELPER_H
#define TESTS_STORAGE_HELPER_H

#include "storage/store.h"

#include <criterion/criterion.h>

enum { DIRECTORY_TEXT = 256 };

/* A new directory under $TMPDIR or /tmp; `store` inside it is where the store goes. */
void make_directory(char directory[DIRECTORY_TEXT]);
void remove_directory(const char *directory);
void data_path(const char *directory, char path[DIRECTORY_TEXT + 32]);

/* Fails the test with the message of the error. */
void check_ok(vc_status status, const vc_error *error, const char *what);

vc_store *open_store(const char *directory, const vc_store_options *options);

/* One load that replaces the cube `name`: column 1 has nsegments segments of nrows ints each, with
 * value `start` + global row number, byte column 2 the text "bytes of <start>", and the manifest is
 * "<start> <nsegments> <nrows>". Returns the status of the first step that failed. */
vc_status load_cube(vc_store *store, const char *name, int64_t start, uint32_t nsegments,
                    uint32_t nrows, vc_error *error);

/* The same without publishing; the load is open. */
vc_status put_cube(vc_load *load, const char *name, int64_t start, uint32_t nsegments,
                   uint32_t nrows, vc_error *error);

/* Read the whole cube and compare every row with what its manifest promises.
 *
 * Returns VC_OK and *start_out, VC_CORRUPT when the store says so, VC_NOT_FOUND. A wrong value
 * fails the test. */
vc_status read_cube(const vc_snapshot *snapshot, const char *name, int64_t *start_out,
                    vc_error *error);

uint64_t file_bytes(const char *directory);
void flip_bit(const char *directory, uint64_t byte, unsigned bit);

#endif
