/* The writes of this test program go through here: LMDB calls these functions of the C library, and
 * a definition in the program comes first. They can be made to fail, and they can be recorded so
 * that a power cut at any moment can be played back.
 */
#ifndef TESTS_STORAGE_FAULTS_H
#define TESTS_STORAGE_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum fault_call {
    FAULT_NONE,
    FAULT_DATA_WRITE, /* pwrite or writev to a data file through its ordinary descriptor */
    FAULT_META_WRITE, /* pwrite through the O_DSYNC descriptor: LMDB's meta page */
    FAULT_SYNC,       /* fdatasync */
} fault_call;

/* Let the calls of that kind number first, first + 1, ... first + count - 1 from now fail. */
void faults_set(fault_call call, int error_number, unsigned first, unsigned count);

/* How many calls of the kind there were since faults_set. */
unsigned faults_count(void);

typedef enum event_kind { EVENT_WRITE, EVENT_DURABLE_WRITE, EVENT_SYNC, EVENT_MARK } event_kind;

typedef struct event {
    event_kind kind;
    uint64_t offset;
    size_t size;
    unsigned char *data;
    long mark;
} event;

/* Record what is written to files whose name ends in "vcube.mdb" until events_stop. */
void events_start(void);
void events_mark(long mark);
event *events_stop(size_t *nevents_out);

#endif
