/* Statuses and errors: how every function of vcube says that it failed.
 *
 * Whatever can fail returns a vc_status and takes a `vc_error *` last, which may be NULL. The
 * status says what kind of failure it was (and so which exit code or HTTP status it becomes); the
 * error says where, what was found, what was expected and what the nearest valid thing is.
 *
 * An error is a plain value on the caller's stack, without pointers into anyone's memory apart
 * from `code`, which is a string literal. Initialise it with `vc_error error = {0};`.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum vc_status {
    VC_OK = 0,
    VC_NO_MEMORY,  /* malloc failed or the LMDB map cannot grow */
    VC_NOT_FOUND,  /* the named cube, dimension, level, member, measure or file does not exist */
    VC_BAD_INPUT,  /* the caller's text, JSON, CSV or definition is wrong; the message says where */
    VC_IMPOSSIBLE, /* well formed, but cannot be answered: ambiguous key, not additive, ... */
    VC_CONFLICT,   /* the object exists, or others depend on it */
    VC_LIMIT,      /* a configured limit would be exceeded; refused before the work */
    VC_OVERFLOW,   /* an exact sum does not fit its type */
    VC_CORRUPT,    /* stored bytes break an invariant; never the caller's fault */
    VC_STORAGE,    /* LMDB or the file system failed */
    VC_DISK_FULL,  /* the file system has no room; the store is as before */
    VC_BUSY,       /* no reader slot or no worker is free; try again */
    VC_CANCELLED,  /* the deadline passed or the client went away */
    VC_STATUS_COUNT
} vc_status;

enum { VC_ERROR_CANDIDATES = 5 };

typedef struct vc_error {
    vc_status status;
    const char *code;   /* stable, for programs: "unknown_dimension"; a literal, NULL if unset */
    char message[1024]; /* one sentence for people, without the place below */
    char file[256];     /* definition or data file, "" when none */
    unsigned line;      /* 1-based, 0 when unknown */
    unsigned column;    /* 1-based, in bytes, 0 when unknown */
    char pointer[256];  /* JSON pointer into the file or body ("/measures/1/type"), or the name
                           of the parameter ("cut"); "" when none */
    long offset;        /* byte offset in the parameter; meaningful when has_offset */
    bool has_offset;
    unsigned ncandidates; /* nearest valid names, best first */
    char candidates[VC_ERROR_CANDIDATES][96];
} vc_error;

/* Fill the error and return the status, so that a failure is one line:
 *
 *     return vc_fail(error, VC_NOT_FOUND, "unknown_cube", "no cube named '%.*s'", VC_FMT(name));
 *
 * error  may be NULL. Everything else in it (place, candidates) is reset.
 * code   a string literal from the list in docs/api.md
 */
vc_status vc_fail(vc_error *error, vc_status status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Shorthand for VC_NO_MEMORY. */
vc_status vc_no_memory(vc_error *error);

/* Add the place to an error that has been filled. Each may be called with error == NULL. */
void vc_error_at_file(vc_error *error, const char *file, unsigned line, unsigned column);
void vc_error_at_pointer(vc_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void vc_error_at_offset(vc_error *error, const char *parameter, size_t offset);

/* Put a segment in front of the pointer: "/type" becomes "/measures/1/type". */
void vc_error_prefix_pointer(vc_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Add one nearest valid name; ignored when the list is full. */
void vc_error_add_candidate(vc_error *error, const char *data, size_t size);

/* The whole error as one line for a terminal:
 * "FILE:LINE:COLUMN: /pointer: message (did you mean 'x', 'y'?)".
 *
 * Returns text, cut at size-1 bytes and ended with NUL.
 */
char *vc_error_format(const vc_error *error, char *text, size_t size);

#endif
