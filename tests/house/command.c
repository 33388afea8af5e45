#include "tests/house/house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *house_command(void)
{
    const char *path = getenv("VCUBE_BIN");
    return path != NULL && access(path, X_OK) == 0 ? path : NULL;
}

/* Files, not pipes: nobody waits for anybody. */
static FILE *open_stream(const vc_buffer *input)
{
    FILE *file = tmpfile();
    cr_assert_not_null(file);
    if (input != NULL && input->size > 0) fwrite(input->data, 1, input->size, file);
    fflush(file);
    rewind(file);
    return file;
}

static void read_stream(FILE *file, vc_buffer *text)
{
    char block[65536];
    size_t n;
    rewind(file);
    while ((n = fread(block, 1, sizeof block, file)) > 0)
        vc_buffer_put(text, block, n);
    fclose(file);
    vc_buffer_text(text);
}

void house_run(const char *const *arguments, const char *folder, const vc_buffer *input,
               struct house_run *run)
{
    const char *command = house_command(), *argv[32] = {"vcube"};
    FILE *in = open_stream(input), *out = open_stream(NULL), *complaint = open_stream(NULL);
    int status;
    for (int i = 0; arguments[i] != NULL && i < 30; i++)
        argv[i + 1] = arguments[i];
    *run = (struct house_run){0};
    cr_assert_not_null(command, "the command is not built");
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        dup2(fileno(in), 0);
        dup2(fileno(out), 1);
        dup2(fileno(complaint), 2);
        if (folder != NULL && chdir(folder) != 0) _exit(126);
        execv(command, (char *const *)argv);
        _exit(127);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    run->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fclose(in);
    read_stream(out, &run->out);
    read_stream(complaint, &run->complaint);
}

void house_run_release(struct house_run *run)
{
    vc_buffer_release(&run->out);
    vc_buffer_release(&run->complaint);
}

void house_ask_command(const char *store, const char *body, struct house_reply *reply)
{
    const char *arguments[] = {"query", "-d", store, "--body", "-", NULL};
    vc_buffer input = {.data = (char *)body, .size = strlen(body)};
    struct house_run run;
    house_run(arguments, NULL, &input, &run);
    *reply = (struct house_reply){.code = run.code, .text = run.out, .complaint = run.complaint};
}
