/* Does a server on this machine stand whatever bytes it is sent?
 *
 *     build/bench/http_mutate PORT COUNT FILE [SEED]
 *
 * FILE is a list of requests as of http_client. COUNT times one of them is changed in one to six
 * places, by the same chance for the same SEED, and sent on a connection of its own; the answer is
 * read to the end. Every 500th time the server must still answer /healthz.
 *
 * Prints how often each status came (0: closed without an answer), and how often nothing came in
 * ten seconds. Ends with 1 when the server does not answer any more, when an answer is a 500, or
 * when nothing came; then the request is in FILE.found.
 */
#include "base/buffer.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_SEEDS = 4096, MAX_BYTES = 60000, PATIENCE_MS = 10000, HUNG = 999 };

static vc_str seeds[MAX_SEEDS];
static size_t nseeds;
static uint64_t random_state;
static struct sockaddr_in address = {.sin_family = AF_INET};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "http_mutate: %s\n", what);
    exit(1);
}

static size_t draw(size_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return below == 0 ? 0 : (size_t)(random_state % below);
}

static void read_seeds(const char *path)
{
    FILE *file = fopen(path, "rb");
    unsigned long long weight;
    size_t size;
    char label[40];
    if (file == NULL) fail(path);
    while (nseeds < MAX_SEEDS && fscanf(file, "%llu %zu %39s", &weight, &size, label) == 3) {
        char *bytes = malloc(size + 1);
        if (getc(file) != '\n' || bytes == NULL || fread(bytes, 1, size, file) != size)
            fail("a list of requests is wrong");
        seeds[nseeds++] = (vc_str){bytes, size};
    }
    fclose(file);
    if (nseeds == 0) fail("no requests");
}

/* ---- changes ---- */

static const char *const words[] = {
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "\0",
    " ",
    "\t",
    ":",
    "%00",
    "%",
    "%zz",
    "%ff",
    "..",
    "/../",
    "?",
    "&",
    "=",
    "|",
    ",",
    ";",
    "#",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    "[[[[[[[[",
    "null",
    "true",
    "1e400",
    "-1",
    "0",
    "18446744073709551616",
    "9223372036854775807",
    "\xc3",
    "\xed\xa0\x80",
    "\xff",
    "Content-Length: 0\r\n",
    "Content-Length: 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Host: localhost\r\n",
    "Host: evil\r\n",
    "Expect: 100-continue\r\n",
    "Connection: close\r\n",
    "Connection: upgrade\r\nUpgrade: h2c\r\n",
    "Range: bytes=0-1\r\n",
    "Accept-Encoding: zstd\r\n",
    "Accept-Encoding: gzip;q=0, *;q=0\r\n",
    "Accept: text/csv\r\n",
    "If-None-Match: *\r\n",
    "If-Match: \"x\"\r\n",
    "Authorization: Bearer x\r\n",
    "Origin: http://evil\r\n",
    "Content-Encoding: gzip\r\n",
    "HTTP/1.0",
    "HTTP/1.1",
    "HTTP/2.0",
    "GET ",
    "POST ",
    "PUT ",
    "HEAD ",
    "OPTIONS ",
    "DELETE ",
    "cut=",
    "drilldown=",
    "measures=",
    "order=",
    "having=",
    "totals=",
    "top=",
    "nonempty=",
    "sparse=false",
    "limit=",
    "offset=",
    "format=arrow",
    "format=jsonstat",
    "at=",
    "cache=off",
    "explain=true",
    "properties=",
};
enum { NWORDS = sizeof words / sizeof words[0] };

typedef struct text {
    char bytes[MAX_BYTES];
    size_t size;
} text;

static void put(text *to, size_t at, const char *bytes, size_t size)
{
    if (to->size + size > MAX_BYTES) return;
    memmove(to->bytes + at + size, to->bytes + at, to->size - at);
    memcpy(to->bytes + at, bytes, size);
    to->size += size;
}

static void cut(text *from, size_t at, size_t size)
{
    if (size > from->size - at) size = from->size - at;
    memmove(from->bytes + at, from->bytes + at + size, from->size - at - size);
    from->size -= size;
}

static void change(text *in)
{
    static char part[MAX_BYTES];
    size_t at = draw(in->size + 1), size = draw(draw(4) == 0 ? 400 : 12);
    const char *word = words[draw(NWORDS)];
    vc_str other = seeds[draw(nseeds)];
    switch (draw(9)) {
    case 0:
        if (at < in->size) in->bytes[at] ^= (char)(1 << draw(8));
        break;
    case 1:
        if (at < in->size) in->bytes[at] = (char)draw(256);
        break;
    case 2: put(in, at, word, word[0] == '\0' ? 1 : strlen(word)); break;
    case 3: cut(in, at, size); break;
    case 4: /* twice */
        if (size > in->size - at) size = in->size - at;
        memcpy(part, in->bytes + at, size);
        for (size_t times = 1 + draw(draw(8) == 0 ? 60 : 2); times > 0; times--)
            put(in, at, part, size);
        break;
    case 5: /* the beginning of this one, the end of another */
        in->size = at;
        at = draw(other.size + 1);
        put(in, in->size, other.data + at, other.size - at);
        break;
    case 6: put(in, in->size, other.data, other.size); break; /* pipelined */
    case 7: {                                                 /* in place of a number */
        size_t first = at;
        while (first < in->size && (in->bytes[first] < '0' || in->bytes[first] > '9'))
            first++;
        size_t end = first;
        while (end < in->size && in->bytes[end] >= '0' && in->bytes[end] <= '9')
            end++;
        cut(in, first, end - first);
        put(in, first, word, strlen(word));
        break;
    }
    case 8: in->size = at; break;
    }
}

/* ---- asking ---- */

static int open_connection(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("the server takes no connections");
    return fd;
}

/* The first status; 0: none. *worst: the highest of all. */
static unsigned ask(const char *bytes, size_t size, unsigned *worst)
{
    static char answer[1 << 16];
    unsigned first = 0;
    int fd = open_connection();
    int64_t end_ns = vc_clock_ns() + INT64_C(1000000) * PATIENCE_MS;
    *worst = 0;
    (void)!send(fd, bytes, size, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR); /* what is not whole will not become so: the server ends it */
    for (;;) {
        struct pollfd waits = {.fd = fd, .events = POLLIN};
        int64_t left_ms = (end_ns - vc_clock_ns()) / 1000000;
        if (left_ms <= 0 || poll(&waits, 1, (int)left_ms) <= 0) {
            first = *worst = HUNG;
            break;
        }
        ssize_t got = recv(fd, answer, sizeof answer - 1, 0);
        if (got <= 0) break;
        answer[got] = '\0';
        for (const char *at = answer; (at = strstr(at, "HTTP/1.1 ")) != NULL; at += 9) {
            unsigned status = (unsigned)strtoul(at + 9, NULL, 10);
            if (status < 100 || status >= HUNG) continue;
            if (first == 0) first = status;
            if (status > *worst) *worst = status;
        }
    }
    close(fd);
    return first;
}

static void keep(const char *path, const text *found)
{
    char name[4096];
    snprintf(name, sizeof name, "%s.found", path);
    FILE *file = fopen(name, "wb");
    if (file == NULL) return;
    fwrite(found->bytes, 1, found->size, file);
    fclose(file);
}

int main(int argc, char **argv)
{
    static const char health[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static uint64_t counts[HUNG + 1];
    static text changed;
    unsigned worst;
    if (argc < 4) fail("usage: http_mutate PORT COUNT FILE [SEED]");
    address.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    unsigned long count = strtoul(argv[2], NULL, 10);
    random_state = (argc > 4 ? strtoull(argv[4], NULL, 10) : 1) * 0x9E3779B97F4A7C15 + 1;
    read_seeds(argv[3]);
    bool is_good = true;
    for (unsigned long i = 0; i < count && is_good; i++) {
        vc_str seed = seeds[draw(nseeds)];
        changed.size = 0;
        put(&changed, 0, seed.data, seed.size);
        for (size_t times = 1 + draw(6); times > 0; times--)
            change(&changed);
        counts[ask(changed.bytes, changed.size, &worst)]++;
        is_good = worst != 500 && worst != HUNG;
        if (is_good && i % 500 == 0) is_good = ask(health, sizeof health - 1, &worst) == 200;
        if (!is_good) keep(argv[3], &changed);
    }
    for (unsigned status = 0; status <= HUNG; status++)
        if (counts[status] > 0) printf("%u %llu\n", status, (unsigned long long)counts[status]);
    return is_good ? 0 : 1;
}
